// What a visitor did, in order, and what it was worth: from the click on a link to the money.
import { createHmac, randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { eventually, settles, startServer } from "./server.ts";
import { anEvent, chromeOf, GOOGLEBOT, integrity, pointers, post, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 }, config: { fold_at_segments: 4, ship_interval_ms: 100, conversion_repeats: { trial: "once_per_click", tip: "add" } } });
afterAll(() => server.stop());

const stats = async (path: string) => {
  const { status, body } = await server.api(path);
  expect(status, path).toBe(200);
  return body;
};

/** A browser of its own: its user agent tells it from others behind the same address. */
function visitor(name: string) {
  const agent = { "user-agent": chromeOf(name) };
  const ids = { anonymous_id: `a-${name}`, session_id: `s-${name}` };
  return {
    follow: async (token: string) => (await server.fetch(`/r/${token}`, { headers: agent })).headers.get("location") ?? "",
    send: (kind: string, fields: Record<string, unknown> = {}) => post(server, `/events/${kind}`, anEvent({ ...ids, ...fields }), agent),
  };
}

const campaign = { name: "Spring", cost_model: "cpc", cost_micros: 200_000, currency: "EUR", publisher_id: "anna" };

test("a click, a landing, pages and a sale by postback: funnel, session, attribution and money agree", async () => {
  await server.api("/api/publishers/anna", { name: "Anna", payout_model: "revshare", payout_percent: 10 }, "PUT");
  await server.api("/api/campaigns/spring", campaign, "PUT");
  await server.api("/api/links", { token: "offer", url: "https://shop.example/land", campaign_id: "spring", append_click_id: "click_id" });
  const funnel = (await server.api("/api/funnels", {
    name: "Sale",
    window_seconds: 3_600,
    steps: [{ kind: "click", link: "offer", name: "Click" }, { kind: "page", path: "/land" }, { kind: "page", path: "/check*" }, { kind: "conversion" }],
  })).body;

  const ada = visitor("ada");
  const click_id = new URL(await ada.follow("offer")).searchParams.get("click_id") ?? "";
  expect(click_id).not.toBe("");
  expect((await ada.send("page", { page_url: "https://shop.example/land?click_id=x" })).body.status).toBe("accepted");
  await ada.send("page", { page_url: "https://shop.example/checkout" });
  const sale = `/postback?cid=${click_id}&txid=t1&payout=50&currency=EUR&status=approved`;
  expect(await (await server.fetch(sale)).json()).toMatchObject({ status: "accepted" });
  expect(await (await server.fetch(sale)).json(), "told again").toMatchObject({ status: "duplicate" });
  await ada.send("session_end", { page_url: "https://shop.example/checkout" });
  // A second visitor leaves after the landing page, a machine after the click.
  const bob = visitor("bob");
  await bob.follow("offer");
  await bob.send("page", { page_url: "https://shop.example/land" });
  await bob.send("session_end");
  await server.fetch("/r/offer", { headers: { "user-agent": GOOGLEBOT } });

  await settles(async () => {
    const { steps, entered, completed } = await stats(`/stats/funnel?funnel_id=${funnel.id}`);
    expect(steps.map((step: any) => [step.name, step.entered, step.converted])).toEqual([
      ["Click", 2, 2], ["/land", 2, 1], ["/check*", 1, 1], ["conversion", 1, 1],
    ]);
    expect([entered, completed]).toEqual([2, 1]);
    expect(await stats("/stats/sessions?group_by=campaign_id")).toMatchObject({
      totals: { count: 2, bounces: 0, pages: 3, conversions: 1, converted: 1, revenue: 50 },
      groups: [{ campaign_id: "spring", count: 2 }],
    });
    for (const model of ["last", "first", "linear", "position", "time_decay"]) {
      const { totals, groups } = await stats(`/stats/conversions?model=${model}&group_by=link`);
      expect(totals).toMatchObject({ conversions: 1, sales: 1, revenue: 50, currency: "EUR" });
      expect(groups).toMatchObject([{ link: "offer", conversions: 1, revenue: 50 }]);
    }
    expect(await totals(server, "campaign_id=spring")).toMatchObject({
      clicks: 2, bots: 1, conversions: 1, cost: 0.4, revenue: 50, payout: 5, currency: "EUR",
    });
  }, 40_000);

  // The shop takes it back: nothing is left of it anywhere.
  expect((await server.fetch(`/postback?clickid=${click_id}&txid=t1&status=declined`)).status).toBe(200);
  await settles(async () => {
    expect(await stats("/stats/conversions")).toMatchObject({ totals: { conversions: 0, sales: 0, rejected: 1, revenue: 0 } });
    expect(await totals(server, "campaign_id=spring")).toMatchObject({ clicks: 2, conversions: 0, revenue: 0, payout: 0, cost: 0.4 });
  }, 40_000);

  // A visitor is paid for once a day.
  await ada.follow(`offer?eid=${randomUUID()}`); // not the double tap of the first
  await eventually(async () => (await totals(server, "campaign_id=spring")).clicks === 3);
  await settles(async () => expect((await totals(server, "campaign_id=spring")).cost).toBe(0.4), 40_000);
});

test("who logs in is the same visitor as before", async () => {
  await server.api("/api/links", { token: "news", url: "https://shop.example/news", campaign_id: "mail" });
  const eve = visitor("eve");
  await eve.follow("news");
  await eve.send("page", { page_url: "https://shop.example/news" });
  await eve.send("page", { page_url: "https://shop.example/login", user_id: "u-eve" });
  // Her order is told by the shop, which knows nothing but her name.
  const headers = { authorization: `Bearer ${server.token}`, "user-agent": "shop/1.0" };
  const order = anEvent({ user_id: "u-eve", value: 30, currency: "EUR", txid: "e1" });
  expect((await post(server, "/events/conversion", order, headers)).status).toBe(200);
  await settles(async () => {
    const { groups } = await stats("/stats/conversions?group_by=campaign_id");
    expect(groups).toContainEqual(expect.objectContaining({ campaign_id: "mail", conversions: 1, revenue: 30 }));
  }, 40_000);
});

test("a funnel that is made today knows yesterday", async () => {
  for (const name of ["fay", "guy"]) {
    const one = visitor(name);
    await one.send("page", { page_url: "https://old.example/a" });
    if (name === "fay") await one.send("page", { page_url: "https://old.example/b" });
  }
  await eventually(async () => (await integrity(server)).journeys.in_flight === 0);
  const steps = [{ kind: "page", path: "/a" }, { kind: "page", path: "/b" }];
  const { id } = (await server.api("/api/funnels", { name: "Old", window_seconds: 60, steps })).body;
  // Whoever comes by has the journeys look at the terms.
  await settles(async () => {
    await visitor(`h${Math.random()}`).send("page", { page_url: "https://old.example/c" });
    expect(await stats(`/stats/funnel?funnel_id=${id}`)).toMatchObject({ entered: 2, completed: 1 });
  }, 50_000);
});

test("who may tell of conversions, and of which, is said", async () => {
  expect((await server.fetch("/postback?uid=u1&txid=1")).status).toBe(401);
  expect((await server.fetch(`/postback?uid=u1&txid=1&key=${server.token}`)).status).toBe(200);
  expect((await server.fetch("/postback?uid=u1&txid=2&key=wrong")).status).toBe(401);
  const sig = createHmac("sha256", "not the secret").update("|2|0|EUR|sale").digest("hex");
  expect((await server.fetch(`/postback?uid=u1&txid=2&sig=${sig}`)).status).toBe(401);
  const wrong = await server.fetch("/postback?subid=forged&status=maybe&sum=x");
  expect([wrong.status, pointers((await wrong.json()) as any).sort()]).toEqual([400, ["/status", "/subid", "/sum"]]);
  const form = await server.fetch("/postback", {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/x-www-form-urlencoded" },
    body: "user_id=u1&txid=3&payout=1&currency=EUR",
  });
  expect(form.status).toBe(200);
  expect((await server.fetch("/postback", { method: "DELETE" })).status).toBe(405);
});

test("what is told again is what its type says", async () => {
  await server.api("/api/links", { token: "again", url: "https://shop.example/", campaign_id: "again", append_click_id: "cid" });
  const cid = new URL(await visitor("ida").follow("again")).searchParams.get("cid");
  for (const [n, told] of ["type=trial&txid=1&payout=4", "type=trial&txid=2&payout=4", "type=tip&txid=3&payout=1", "type=tip&txid=3&payout=2", "type=buy&txid=4&payout=8", "type=buy&txid=4&payout=9"].entries())
    expect(await (await server.fetch(`/postback?cid=${cid}&${told}&currency=EUR&event_id=again-${n}`)).json()).toMatchObject({ status: "accepted" });
  await settles(async () => {
    const { totals } = await stats("/stats/conversions?campaign_id=again");
    expect(totals).toMatchObject({ conversions: 3, revenue: 4 + 1 + 2 + 8 });
  }, 40_000);
});

test("a journal that loses its memory tells nothing twice and nothing less", async () => {
  const before = (await stats("/stats/sessions")).totals.count;
  for (let n = 0; n < 20; n++) {
    await visitor(`k${n}`).send("page", { page_url: "https://kill.example/" });
    if (n === 10) for (let shard = 0; shard < 8; shard++) await server.evict("Journal", `journey/${shard}`);
    await visitor(`k${n}`).send("session_end", { page_url: "https://kill.example/" });
  }
  await settles(async () => expect((await stats("/stats/sessions")).totals.count).toBe(before + 20), 40_000);
  await settles(async () => {
    const { lost, journeys } = await integrity(server);
    expect([lost, journeys.lost, journeys.in_flight, journeys.unreached]).toEqual([0, 0, 0, 0]);
    expect(journeys.emitted).toBe(journeys.applied);
  }, 40_000);
});
