// Who sent a visitor is told what became of it: from the click on a link, by the shop's postback, to the network's server.
import { afterAll, expect, test } from "vitest";
import { Receiver } from "./receiver.ts";
import { eventually, settles, startServer } from "./server.ts";
import { chromeOf, integrity, pointers } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 }, config: { webhook_private: true, fold_at_segments: 4, ship_interval_ms: 100 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

const heard = (path: string) => receiver.heard.filter((one) => one.path.startsWith(path));
const log = async (owner: string, query = "") => (await server.api(`/api/deliveries?webhook_id=${encodeURIComponent(owner)}${query}`)).body.data;
const tell = async (query: string) => (await (await server.fetch(`/postback?${query}`)).json()) as any;

/** Everything that was told has been worked out, counted and delivered. */
const settled = () =>
  settles(async () => {
    const { in_flight, journeys } = await integrity(server);
    expect([in_flight, journeys.in_flight]).toEqual([0, 0]);
  }, 40_000);

/** What fell due later is due now. */
async function hurry(): Promise<void> {
  await server.sql("UPDATE deliveries SET due_ms = 0 WHERE state = 'waiting'");
  await server.sql("DELETE FROM failing");
  await server.scheduled();
}

/** A campaign of a publisher's with a link, and the click id that a click on it leaves. */
async function offer(name: string, publisher: Record<string, unknown>, campaign: Record<string, unknown> = {}) {
  const made = [
    await server.api(`/api/publishers/p-${name}`, { name, payout_model: "revshare", payout_percent: 10, ...publisher }, "PUT"),
    await server.api(`/api/campaigns/${name}`, { name, publisher_id: `p-${name}`, ...campaign }, "PUT"),
    await server.api("/api/links", { token: name, url: "https://shop.example/land", campaign_id: name, append_click_id: "click_id" }),
  ];
  expect(made.map(({ status }) => status), JSON.stringify(made.map(({ body }) => body))).toEqual([201, 201, 201]);
  const agent = { "user-agent": chromeOf(name) };
  return async (query = "") => new URL((await server.fetch(`/r/${name}${query}`, { headers: agent })).headers.get("location") ?? "").searchParams.get("click_id") ?? "";
}

// Before the first event: what is changed later is in force within five seconds.
const macros = "cid={click_id}&tx={txid}&st={status}&ty={type}&v={value}{currency}&pay={payout}{payout_currency}&s={sub1}&l={link}&c={campaign_id}&p={publisher_id}&cc={country}";
const autumn = await offer(
  "autumn",
  { postback_url: receiver.url(`/net?${macros}`) },
  { postback_url: receiver.url("/shop/{status}"), postback_method: "POST", postback_on: ["sale"] },
);
const winter = await offer("winter", { postback_url: receiver.url("/flaky/K3y-77?tx={txid}&key=s3cret-1") });

test("a lead is told once, a sale again, and a rejection, to the publisher of the click and to the campaign", async () => {
  const click_id = await autumn(`?sub1=${encodeURIComponent("x&st=sale#/..")}`);
  expect(click_id).not.toBe("");
  expect(await tell(`cid=${click_id}&txid=o-1&payout=50&currency=EUR&status=lead&type=order`)).toMatchObject({ status: "accepted" });
  const first = await eventually(() => heard("/net")[0], 40_000);
  expect([first.method, first.body]).toEqual(["GET", ""]);
  const told = (path: string) => Object.fromEntries(new URL(path, "http://net.example").searchParams);
  const same = { cid: click_id, tx: "o-1", ty: "order", s: "x&st=sale#/..", l: "autumn", c: "autumn", p: "p-autumn", cc: "US" };
  expect(told(first.path)).toEqual({ ...same, st: "lead", v: "0EUR", pay: "0" });

  const sale = `cid=${click_id}&txid=o-1&payout=50&currency=EUR&status=sale&type=order`;
  expect(await tell(sale)).toMatchObject({ status: "accepted" });
  expect(await tell(sale)).toMatchObject({ status: "duplicate" });
  await eventually(() => heard("/shop").length, 40_000);
  await settled();
  expect(heard("/net").map(({ path }) => told(path))).toEqual([expect.anything(), { ...same, st: "sale", v: "50EUR", pay: "5EUR" }]);
  const [post] = heard("/shop");
  expect([post.path, post.method, post.headers["content-type"]]).toEqual(["/shop/sale", "POST", "application/json"]);
  expect(JSON.parse(post.body)).toMatchObject({ click_id, txid: "o-1", status: "sale", value: "50", payout: "5", sub1: "x&st=sale#/..", device: "desktop" });

  await tell(`cid=${click_id}&txid=o-1&status=rejected&type=order`);
  await eventually(() => heard("/net").length === 3, 40_000);
  await settled();
  expect(told(heard("/net")[2].path)).toEqual({ ...same, st: "rejected", v: "0EUR", pay: "0" });
  expect(heard("/shop"), "who wants to know of sales alone").toHaveLength(1);
  await settles(async () =>
    expect((await log("postback/publisher/p-autumn")).map((it: any) => [it.event, it.state, it.attempts])).toEqual([
      ["conversion.rejected", "delivered", 1], ["conversion.sale", "delivered", 1], ["conversion.lead", "delivered", 1],
    ]),
  );
});

test("a server that fails is tried again, is dead in the end, and can be called again", async () => {
  const path = "/flaky/K3y-77?tx=w-1&key=s3cret-1";
  receiver.answers.set(path, [{ status: 500, body: `no ${path}` }, { status: 500, body: "boom" }]);
  expect(await tell(`cid=${await winter()}&txid=w-1&payout=1&currency=EUR`)).toMatchObject({ status: "accepted" });
  const owner = "postback/publisher/p-winter";
  await settles(async () => expect(await log(owner)).toMatchObject([{ state: "waiting", attempts: 1, status: 500 }]), 40_000);
  expect(JSON.stringify(await log(owner)), "the log tells no secret").not.toMatch(/K3y|s3cret/);
  await hurry();
  await settles(async () => expect(await log(owner)).toMatchObject([{ state: "waiting", attempts: 2, error: "boom" }]));
  await hurry();
  await settles(async () => expect(await log(owner)).toMatchObject([{ state: "delivered", attempts: 3, status: 204, error: null }]));
  expect(heard(path)).toHaveLength(3);

  const dead = "/flaky/K3y-77?tx=w-2&key=s3cret-1";
  receiver.answers.set(dead, [{ status: 404 }]);
  await tell(`cid=${await winter("?eid=second")}&txid=w-2&payout=1&currency=EUR`);
  await settles(async () => expect(await log(owner, "&state=waiting")).toHaveLength(1), 40_000);
  receiver.answers.set(dead, Array.from({ length: 9 }, () => ({ status: 404 })));
  await server.sql("UPDATE deliveries SET expires_ms = 1 WHERE state = 'waiting'");
  await hurry();
  await settles(async () => expect(await log(owner, "&state=dead")).toHaveLength(1));
  const [{ id }] = await log(owner, "&state=dead");
  const whole = (await server.api(`/api/deliveries/${id}`)).body;
  expect(JSON.parse(whole.body)).toMatchObject({ txid: "w-2", status: "sale" });
  expect(JSON.stringify(whole)).not.toMatch(/K3y|s3cret/);
  receiver.answers.delete(dead);
  expect((await server.api("/api/publishers/p-winter/postback/replay", {})).body).toEqual({ replayed: 1 });
  await settles(async () => expect(await log(owner, "&state=delivered")).toHaveLength(2));
});

test("a template is judged when it is written, and can be tried", async () => {
  const put = async (postback_url: unknown, more: Record<string, unknown> = {}) => server.api("/api/campaigns/tried", { name: "Tried", postback_url, ...more }, "PUT");
  const unknown = await put("https://net.example/p?c={clickid}");
  expect([unknown.status, pointers(unknown.body)]).toEqual([400, ["/postback_url"]]);
  expect(JSON.stringify(unknown.body)).toContain("{click_id}");
  for (const bad of ["https://{sub1}.example/", "https://net.example:{sub1}/", "ftp://net.example/", "https://u:p@net.example/", "https://net.example/{sub1", 7]) {
    const refused = await put(bad);
    expect([refused.status, pointers(refused.body)], String(bad)).toEqual([400, ["/postback_url"]]);
  }
  const refused = await put("https://net.example/", { postback_method: "PUT", postback_on: ["sold"], billing_window_seconds: 31 * 86_400 });
  expect([refused.status, pointers(refused.body).sort()]).toEqual([400, ["/postback_method", "/postback_on"]]);
  expect(pointers((await put(null, { billing_window_seconds: 31 * 86_400 })).body)).toEqual(["/billing_window_seconds"]);

  expect((await server.api("/api/campaigns/tried/postback/test", {})).status).toBe(404);
  expect((await put(receiver.url("/try?c={click_id}&s={status}&key=s3cret-2"))).status).toBe(201);
  expect((await server.api("/api/campaigns/tried/postback/test", {})).body).toMatchObject({ delivered: true, status: 204, error: null });
  expect(heard("/try").map(({ path }) => path)).toEqual(["/try?c=test-click_id&s=test&key=s3cret-2"]);
  receiver.answers.set("/try?c=test-click_id&s=test&key=s3cret-2", [{ status: 307, headers: { location: receiver.url("/stolen") } }]);
  expect((await server.api("/api/campaigns/tried/postback/test", {})).body).toMatchObject({ delivered: false, status: 307, error: "redirects are not followed" });
  expect(heard("/stolen")).toEqual([]);
  const trail = JSON.stringify((await server.api("/api/audit?entity=campaign")).body);
  expect(trail).toContain("{click_id} {status}");
  expect(trail).not.toContain("s3cret-2");
});

test("what a template keeps is shown to those who may change it, and to nobody else", async () => {
  const template = "https://net.example/K3y-78?c={click_id}&key=s3cret-3";
  for (const sort of ["campaigns", "publishers"]) await server.api(`/api/${sort}/kept`, { name: "Kept", postback_url: template }, "PUT");
  for (const [scopes, shown] of [[["links:read"], "https://net.example/… {click_id}"], [["links:read", "links:write"], template], [["admin"], template]] as const) {
    const { body: made } = await server.api("/api/keys", { name: "reader", scopes });
    for (const sort of ["campaigns", "publishers"]) {
      const headers = { authorization: `Bearer ${made.key}` };
      const one = await (await server.fetch(`/api/${sort}/kept`, { headers })).json();
      const list = await (await server.fetch(`/api/${sort}?search=kept`, { headers })).json();
      expect([one.postback_url, list.data.map((item: any) => item.postback_url)], scopes.join()).toEqual([shown, [shown]]);
    }
  }
});
