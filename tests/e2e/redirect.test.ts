import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { eventually, settles, type Server, startServer } from "./server.ts";
import { CHROME, from, GOOGLEBOT, IPHONE, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

const DOUBLE_TAP_MS = 2_000;

async function link(fields: Record<string, unknown>, on: Server = server): Promise<any> {
  const { status, body } = await on.api("/api/links", { url: "https://shop.example/landing", ...fields });
  expect([status, body]).toMatchObject([201, {}]);
  return body;
}

/** A visitor of that name follows a link; visitors are told apart by address. */
function follow(token: string, { visitor = 1, method = "GET", headers = {}, on = server }: {
  visitor?: number; method?: string; headers?: Record<string, string>; on?: Server;
} = {}): Promise<Response> {
  const address = `198.51.${visitor >> 8}.${visitor & 255}`;
  return on.fetch(`/r/${token}`, { method, headers: { "user-agent": CHROME, "cf-connecting-ip": address, ...headers } });
}

const counts = (token: string, expected: Record<string, unknown>) =>
  settles(async () => expect(await totals(server, `link=${token}`)).toMatchObject(expected));

test("a link leads to its target, and nobody may keep the answer", async () => {
  await link({ token: "first", campaign_id: "spring", publisher_id: "p1" });
  const response = await follow("first");
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe("https://shop.example/landing");
  expect(response.headers.get("cache-control")).toBe("private, no-store");
  expect(await response.text()).toBe("");
  await counts("first", { clicks: 1, raw: 1, bots: 0, duplicates: 0, uniques: 1 });
  const { groups } = await report(server, "link=first&group_by=publisher_id");
  expect(groups).toMatchObject([{ publisher_id: "p1", clicks: 1 }]);
  expect((await totals(server, "campaign_id=spring")).clicks).toBe(1);
});

test("a link answers with the status that it was given", async () => {
  for (const status of [301, 302, 307, 308]) {
    await link({ token: `status-${status}`, status });
    expect((await follow(`status-${status}`)).status).toBe(status);
  }
});

test("the visitor's query goes on to the target, but for what is ours", async () => {
  await link({ token: "query", url: "https://shop.example/?fixed=1#top" });
  await link({ token: "plain", query: "off" });
  const location = async (path: string) => (await follow(path)).headers.get("location");
  expect(await location("query?a=%20b&utm_source=mail&fixed=2")).toBe("https://shop.example/?fixed=1&a=%20b&utm_source=mail#top");
  expect(await location(`query?eid=${randomUUID()}`)).toBe("https://shop.example/?fixed=1#top");
  expect(await location("query?x=%0d%0aset-cookie:%20a=b")).toBe("https://shop.example/?fixed=1&x=%0d%0aset-cookie:%20a=b#top");
  expect(await location("plain?a=1")).toBe("https://shop.example/landing");
  await settles(async () => {
    const { groups } = await report(server, "link=query&group_by=utm_source");
    expect(groups).toContainEqual(expect.objectContaining({ utm_source: "mail", clicks: 1 }));
  });
});

test("an event id in the query makes a click the same one", async () => {
  await link({ token: "named" });
  const eid = randomUUID();
  for (const visitor of [1, 2, 3]) await follow(`named?eid=${eid}`, { visitor });
  await follow(`named?eid=${randomUUID()}`);
  await counts("named", { clicks: 2, raw: 4, duplicates: 2 });
});

test("a double tap is one click, and two visitors are two", async () => {
  await link({ token: "tapped" });
  await eventually(() => Date.now() % DOUBLE_TAP_MS < DOUBLE_TAP_MS / 4); // both taps in one bucket
  const bucket = Math.floor(Date.now() / DOUBLE_TAP_MS);
  await Promise.all([follow("tapped"), follow("tapped"), follow("tapped", { visitor: 2 })]);
  expect(Math.floor(Date.now() / DOUBLE_TAP_MS)).toBe(bucket);
  await counts("tapped", { clicks: 2, raw: 3, duplicates: 1 });
});

test("later the same visitor's click is another", async () => {
  await link({ token: "later" });
  await follow("later");
  const bucket = Math.floor(Date.now() / DOUBLE_TAP_MS);
  await eventually(() => Math.floor(Date.now() / DOUBLE_TAP_MS) > bucket);
  await follow("later");
  await counts("later", { clicks: 2, duplicates: 0, uniques: 1 });
});

test("machines are sent on and marked, and a person's click beside them counts", async () => {
  await link({ token: "looked-at" });
  const head = await follow("looked-at", { method: "HEAD" });
  expect([head.status, head.headers.get("location")]).toEqual([302, "https://shop.example/landing"]);
  expect((await follow("looked-at", { headers: { "sec-purpose": "prefetch;prerender" } })).status).toBe(302);
  expect((await follow("looked-at", { headers: { "user-agent": GOOGLEBOT }, visitor: 2 })).status).toBe(302);
  expect((await follow("looked-at", { headers: { "user-agent": "curl/8.5.0" }, visitor: 3 })).status).toBe(302);
  const verified = from("US", "NA", { botManagement: { verifiedBot: true }, verifiedBotCategory: "Search Engine Crawler" });
  expect((await follow("looked-at", { headers: verified, visitor: 4 })).status).toBe(302);
  const hosted = { ...from("US", "NA", { asn: 24940 }), "sec-ch-ua-platform": '"Linux"' };
  expect((await follow("looked-at", { headers: hosted, visitor: 5 })).status).toBe(302);
  await follow("looked-at");
  await counts("looked-at", { clicks: 1, bots: 6, raw: 7, duplicates: 0, uniques: 1 });
  const { groups } = await report(server, "link=looked-at&group_by=bot_reason&include_bots=true");
  const reasons = groups.filter(({ value }: any) => value !== "").map(({ value, clicks }: any) => [value, clicks]);
  expect(Object.fromEntries(reasons)).toEqual({
    head_request: 1,
    prefetch: 1,
    ua_list: 1,
    ua_generic_library: 1,
    verified_bot: 1,
    datacenter_asn: 1,
    impossible_hints: 1,
  });
});

test("a token that leads nowhere is not found", async () => {
  for (const path of ["/r/nowhere", "/r/", "/r/a/b", "/r/%ff", "/r/%00", `/r/${"x".repeat(65)}`, "/r/..%2fapi", "/r/<script>"]) {
    const response = await server.fetch(path);
    expect([response.status, response.headers.get("content-type")], path).toEqual([404, "application/problem+json"]);
  }
  for (const method of ["POST", "PUT", "DELETE"]) expect((await server.fetch("/r/nowhere", { method })).status).toBe(405);
});

test("an expired link is gone, or leads to another place", async () => {
  const expires_at = new Date(Date.now() - 1_000).toISOString();
  await link({ token: "expired", expires_at });
  await link({ token: "replaced", expires_at, expired_url: "https://shop.example/over" });
  await link({ token: "lasting", expires_at: Date.now() + 3_600_000 });
  expect((await follow("expired")).status).toBe(410);
  const replaced = await follow("replaced?a=1");
  expect([replaced.status, replaced.headers.get("location")]).toEqual([302, "https://shop.example/over"]);
  expect((await follow("lasting")).status).toBe(302);
  await counts("lasting", { clicks: 1 });
  await counts("replaced", { raw: 0 });
});

test("a link expires while it is known", async () => {
  const expires_at = Date.now() + 1_500;
  await link({ token: "expiring", expires_at });
  expect((await follow("expiring")).status).toBe(302);
  await eventually(async () => (await follow("expiring")).status === 410);
  expect(Date.now()).toBeGreaterThanOrEqual(expires_at);
});

test("a new link is found though it was asked for before", async () => {
  expect((await follow("new")).status).toBe(404);
  await link({ token: "new" });
  expect((await follow("new")).status).toBe(302);
});

test("a link that was made elsewhere is found within seconds of asking in vain", async () => {
  await link({ token: "model", url: "https://shop.example/model" });
  expect((await follow("elsewhere")).status).toBe(404);
  await server.sql(
    `INSERT INTO links (token, domain, record, words) SELECT 'elsewhere', domain, replace(record, '"model"', '"elsewhere"'), words
     FROM links WHERE token = 'model'`,
  );
  const asked = Date.now();
  await eventually(async () => (await follow("elsewhere")).status === 302);
  expect(Date.now() - asked).toBeLessThan(5_000);
});

test("a changed link leads to the new place, and a deleted one nowhere", async () => {
  await link({ token: "moving" });
  expect((await follow("moving", { visitor: 1 })).headers.get("location")).toBe("https://shop.example/landing");
  await server.api("/api/links/moving", { url: "https://shop.example/new", status: 307 }, "PATCH");
  const moved = await follow("moving", { visitor: 2 });
  expect([moved.status, moved.headers.get("location")]).toEqual([307, "https://shop.example/new"]);
  await server.api("/api/links/moving", { archived: true }, "PATCH");
  expect((await follow("moving", { visitor: 3 })).status).toBe(410);
  expect((await server.api("/api/links/moving", undefined, "DELETE")).status).toBe(204);
  expect((await follow("moving", { visitor: 4 })).status).toBe(404);
  await counts("moving", { clicks: 2 }); // what was clicked was clicked
});

test("a token may be of any script", async () => {
  await link({ token: "été-夏-лето" });
  for (const path of [encodeURIComponent("été-夏-лето"), encodeURIComponent("été-夏-лето").toLowerCase()]) {
    expect((await follow(path, { visitor: path === path.toLowerCase() ? 1 : 2 })).status).toBe(302);
  }
  await counts(encodeURIComponent("été-夏-лето"), { clicks: 2 });
});

test("devices and referrers are told apart", async () => {
  await link({ token: "told" });
  await follow("told", { headers: { referer: "https://www.google.com/search" } });
  await follow("told", { headers: { "user-agent": IPHONE, referer: "https://news.example/a" }, visitor: 2 });
  await counts("told", { clicks: 2 });
  const groups = async (by: string) =>
    Object.fromEntries((await report(server, `link=told&group_by=${by}`)).groups.map((group: any) => [group.value, group.clicks]));
  expect(await groups("device")).toEqual({ desktop: 1, smartphone: 1 });
  expect(await groups("referrer")).toEqual({ "google.com": 1, "news.example": 1 });
  expect(await groups("channel")).toEqual({ search: 1, referral: 1 });
});

test("a visitor who need not wait is counted all the same", async () => {
  const config = { record_wait_ms: 0, not_found_url: "https://shop.example/lost", app_schemes: ["shop"] };
  await using hasty = await startServer({ config, queue: { batchTimeout: 0 } });
  await link({ token: "hasty" }, hasty);
  await Promise.all(Array.from({ length: 50 }, (_, visitor) => follow("hasty", { visitor, on: hasty })));
  await settles(async () => expect((await totals(hasty, "link=hasty")).clicks).toBe(50));
  expect((await totals(hasty, "link=hasty")).uniques).toBeGreaterThan(45); // an estimate: two visitors may share a register

  const lost = await hasty.fetch("/r/nowhere");
  expect([lost.status, lost.headers.get("location")]).toEqual([302, "https://shop.example/lost"]);
  await link({ token: "deep", url: "shop://cart" }, hasty);
  expect((await follow("deep", { on: hasty })).headers.get("location")).toBe("shop://cart");
});

test("a visitor does not wait for a slow commit, and the gate is heard all the same", async () => {
  const config = { record_wait_ms: 20, commit_interval_ms: 1_200, gate_shards: 1 };
  await using slow = await startServer({ config, queue: { batchTimeout: 0 } });
  await link({ token: "slow" }, slow);
  await follow("slow", { visitor: 1, on: slow }); // written at once: the gate was idle
  const began = performance.now();
  expect((await follow("slow", { visitor: 2, on: slow })).status).toBe(302);
  expect(performance.now() - began).toBeLessThan(config.commit_interval_ms);
  await settles(async () => expect(await totals(slow, "link=slow")).toMatchObject({ clicks: 2, duplicates: 0 }));
  expect(slow.log).not.toContain("gate_silent");
});
