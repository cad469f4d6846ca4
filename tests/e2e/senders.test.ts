// Who may send events, where that is restricted.
import { afterAll, expect, test } from "vitest";
import { type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, pointers, post, report, totals } from "./traffic.ts";

const servers: Server[] = [];
const serve = async (config: Record<string, unknown>) => {
  const server = await startServer({ config: { gate_regions: false, gate_shards: 1, ...config }, queue: { batchTimeout: 0 } });
  servers.push(server);
  return server;
};
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const keyed = async (server: Server, ...scopes: string[]) => {
  const { body } = await server.api("/api/keys", { name: scopes[0], scopes });
  return { authorization: `Bearer ${body.key}` };
};
const pixel = async (server: Server, query: string, headers: Record<string, string> = {}) =>
  (await server.fetch(`/1x1.gif?${query}`, { headers: { "user-agent": CHROME, ...headers } })).headers.get("x-clicktrail");

test("only pages of listed hosts send events, and servers with a key", async () => {
  const server = await serve({ ingest_origins: ["shop.example", ".brand.example"] });
  for (const origin of ["https://shop.example", "http://shop.example:8080", "https://brand.example", "https://a.brand.example"]) {
    expect((await click(server, {}, { origin })).status, origin).toBe(200);
  }
  for (const origin of ["https://evil.example", "https://shop.example.evil", "https://evilshop.example", "null", "", "shop.example@evil.example", "https://a.shop.example"]) {
    const { status, headers, body } = await click(server, {}, { origin });
    expect([status, body.title, headers.get("access-control-allow-origin")], origin).toEqual([403, "Not from there", "*"]);
    expect((await post(server, "/events", [anEvent()], { origin })).status).toBe(403);
  }
  // A form of an old browser has no origin, and a program neither.
  expect((await click(server, {}, { referer: "https://shop.example/shoes" })).status).toBe(200);
  expect((await click(server, {}, { referer: "https://evil.example/https://shop.example/" })).status).toBe(403);
  expect((await click(server, {}, { origin: "https://evil.example", referer: "https://shop.example/" })).status).toBe(403);
  expect((await click(server)).status).toBe(403);
  expect((await click(server, {}, await keyed(server, "events:write"))).status).toBe(200);
  expect((await click(server, {}, await keyed(server, "stats:read"))).status).toBe(403);
  expect((await click(server, {}, { authorization: "Bearer ck_none" })).status).toBe(403);
  expect(await pixel(server, "cid=p", { referer: "https://shop.example/" })).toBe("recorded");
  expect(await pixel(server, "cid=p", { referer: "https://evil.example/" })).toBe("rejected; reason=origin");
  expect(await pixel(server, "cid=p")).toBe("rejected; reason=origin");
  // Links are for everybody.
  await server.api("/api/links", { token: "open", url: "https://shop.example/" });
  expect((await server.fetch("/r/open", { headers: { referer: "https://evil.example/" } })).status).toBe(302);
});

test("where a key is needed nobody sends events without one", async () => {
  const server = await serve({ ingest_from: "keys" });
  expect((await click(server)).status).toBe(401);
  expect((await post(server, "/events", [anEvent()])).status).toBe(401);
  expect((await click(server, {}, await keyed(server, "links:write"))).status).toBe(401);
  expect(await pixel(server, "cid=p")).toBe("rejected; reason=key");
  const headers = await keyed(server, "events:write");
  expect((await click(server, { campaign_id: "keyed" }, headers)).status).toBe(200);
  expect((await click(server, { campaign_id: "keyed" }, { authorization: `Bearer ${server.token}` })).status).toBe(200);
  await settles(async () => expect((await totals(server, "campaign_id=keyed")).clicks).toBe(2));
  // Revoked, it is believed for some seconds more, and no longer.
  const { body } = await server.api("/api/keys");
  for (const { id } of body.data) await server.api(`/api/keys/${id}`, undefined, "DELETE");
  await settles(async () => expect((await click(server, {}, headers)).status).toBe(401));
});

test("where only campaigns of the catalog are taken, the others are told so one by one", async () => {
  const server = await serve({ unknown_campaigns: "refuse" });
  const { status, body } = await click(server, { campaign_id: "spring" });
  expect([status, pointers(body)]).toEqual([400, ["/campaign_id"]]);
  expect((await click(server)).status).toBe(400);
  expect(await pixel(server, "cid=spring")).toBe("rejected; reason=invalid cid");
  await server.api("/api/campaigns", { id: "spring", name: "Spring" });
  await settles(async () => expect((await click(server, { campaign_id: "spring" })).status).toBe(200));
  expect(await pixel(server, "cid=spring")).toBe("recorded");
  const batch = [anEvent({ campaign_id: "spring" }), anEvent({ campaign_id: "autumn" }), anEvent({ value: "x" }), anEvent({ campaign_id: "spring" })];
  const { body: answer } = await post(server, "/events", batch);
  expect(answer.results).toMatchObject([
    { status: "accepted" },
    { status: "invalid", event_id: batch[1].event_id, errors: [{ pointer: "/1/campaign_id" }] },
    { status: "invalid", errors: [{ pointer: "/2/value" }] },
    { status: "accepted" },
  ]);
  // A server with a key is believed, and what it invents is gathered.
  expect((await click(server, { campaign_id: "autumn" }, await keyed(server, "events:write"))).status).toBe(200);
  await settles(async () => {
    expect((await totals(server, "campaign_id=spring")).clicks).toBe(3);
    expect((await totals(server, "campaign_id=(unknown)")).clicks).toBe(1);
  });
});

test("a flood of invented names has sums for as many as are allowed, and loses nothing", async () => {
  const server = await serve({ unknown_most: 20 });
  await server.api("/api/campaigns", { id: "spring", name: "Spring" });
  await server.api("/api/links", { token: "real", url: "https://shop.example/", campaign_id: "spring" });
  for (let flood = 0; flood < 4; flood++) {
    const batch = Array.from({ length: 100 }, (_, n) => anEvent({ campaign_id: `invented ${flood}.${n}`, link: `link ${flood}.${n}` }));
    expect((await post(server, "/events", batch)).status).toBe(200);
  }
  expect((await click(server, { campaign_id: "spring" })).status).toBe(200);
  expect((await server.fetch("/r/real", { headers: { "user-agent": CHROME } })).status).toBe(302);
  await settles(async () => expect((await totals(server, "")).clicks).toBe(402));
  const { groups } = await report(server, "group_by=campaign_id&limit=1000");
  expect(groups.length).toBeLessThanOrEqual(22);
  expect(groups.find(({ value }: any) => value === "(unknown)").clicks).toBeGreaterThanOrEqual(380);
  expect((await totals(server, "campaign_id=spring")).clicks).toBe(2);
  expect((await totals(server, "link=real")).clicks).toBe(1);
  expect((await totals(server, "campaign_id=(unknown)")).clicks).toBeGreaterThanOrEqual(380);
});

test("names can be gathered altogether, and a click id still says what was clicked", async () => {
  const server = await serve({ unknown_campaigns: "gather" });
  await server.api("/api/campaigns", { id: "spring", name: "Spring" });
  await server.api("/api/links", { token: "sale", url: "https://shop.example/", campaign_id: "spring", append_click_id: "clk" });
  const followed = await server.fetch("/r/sale", { headers: { "user-agent": CHROME } });
  const click_id = new URL(followed.headers.get("location")!).searchParams.get("clk");
  expect((await post(server, "/events/conversion", anEvent({ click_id }))).status).toBe(200);
  expect((await click(server, { campaign_id: "invented", link: "sale" })).status).toBe(200);
  expect((await click(server, { campaign_id: "spring", link: "sale" }, await keyed(server, "events:write"))).status).toBe(200);
  await settles(async () => {
    expect(await totals(server, "link=sale")).toMatchObject({ clicks: 2, conversions: 1 });
    expect((await totals(server, "campaign_id=(unknown)")).clicks).toBe(1);
    expect(await totals(server, "campaign_id=spring")).toMatchObject({ clicks: 2, conversions: 1 });
  });
});
