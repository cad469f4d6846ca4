import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, pointers, post, raw, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const bad = (fields: Record<string, unknown>) => anEvent({ campaign_id: "refused", ...fields });
const text = (fields: Record<string, unknown>) => JSON.stringify(bad(fields));

/** What is wrong, and where the answer points. */
const malformed: [string, unknown, string[]][] = [
  ["nothing at all", "{}", ["/event_id", "/event_time", "/page_url"]],
  ["an empty body", "", [""]],
  ["no event_id", bad({ event_id: undefined }), ["/event_id"]],
  ["no event_time", bad({ event_time: undefined }), ["/event_time"]],
  ["no page_url", bad({ page_url: undefined }), ["/page_url"]],
  ["null for what is required", bad({ event_id: null, page_url: "  " }), ["/event_id", "/page_url"]],
  ["an id of 129 characters", bad({ event_id: "x".repeat(129) }), ["/event_id"]],
  ["an id with a control character", bad({ event_id: "a\u0000b" }), ["/event_id"]],
  ["an id that is a number", bad({ event_id: 7 }), ["/event_id"]],
  ["a time 49 hours ahead", bad({ event_time: Date.now() + 49 * HOUR }), ["/event_time"]],
  ["a time 91 days ago", bad({ event_time: Date.now() - 91 * DAY }), ["/event_time"]],
  ["a time in seconds", bad({ event_time: Math.floor(Date.now() / 1000) }), ["/event_time"]],
  ["the year 0", bad({ event_time: "0000-01-01T00:00:00Z" }), ["/event_time"]],
  ["a time beyond 2^53", text({}).replace(/"event_time":\d+/, '"event_time":9007199254740993'), ["/event_time"]],
  ["a time beyond 2^64", text({}).replace(/"event_time":\d+/, '"event_time":1e400'), ["/event_time"]],
  ["a time without an offset", bad({ event_time: "2026-05-01T10:00:00" }), ["/event_time"]],
  ["a word for a time", bad({ event_time: "now" }), ["/event_time"]],
  ["a script for a page", bad({ page_url: "javascript:alert(1)" }), ["/page_url"]],
  ["data for a page", bad({ page_url: "data:text/html,<script>alert(1)</script>" }), ["/page_url"]],
  ["a relative page", bad({ page_url: "/shoes" }), ["/page_url"]],
  ["a page with a password", bad({ page_url: "https://me:secret@shop.example/" }), ["/page_url"]],
  ["a page of 3 KB", bad({ page_url: `https://shop.example/${"x".repeat(3_000)}` }), ["/page_url"]],
  ["bytes that are no UTF-8", Buffer.concat([Buffer.from('{"event_id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), [""]],
  ["UTF-16", Buffer.from(text({}), "utf16le"), [""]],
  ["a byte order mark", `\ufeff${text({})}`, [""]],
  ["half a surrogate pair", text({}).replace(/"event_id":"[^"]*"/, '"event_id":"\\ud800"'), ["/event_id"]],
  ["an array", `[${text({})}]`, [""]],
  ["a text", '"click"', [""]],
  ["half a body", text({}).slice(0, -20), [""]],
  ["two bodies", `${text({})}${text({})}`, [""]],
  ["props nested 200 levels deep", text({}).replace("}", `,"props":${'{"a":'.repeat(200)}1${"}".repeat(200)}}`), ["/props"]],
  ["brackets nested 100,000 levels deep", text({}).replace("}", `,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), ["/x"]],
  ["a key given twice", text({}).replace("}", ',"event_id":"another"}'), ["/event_id"]],
  ["a prop given twice", text({}).replace("}", ',"props":{"a":1,"a":2}}'), ["/props/a"]],
  ["17 props", bad({ props: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`key${n}`, n])) }), ["/props"]],
  ["an object within props", bad({ props: { size: { eu: 42 } } }), ["/props/size"]],
  ["a value that is no number", bad({ value: "a lot" }), ["/value"]],
  ["a currency of four letters", bad({ value: 1, currency: "EURO" }), ["/currency"]],
  ["several at once", bad({ page_url: 5, value: true, user_id: "x".repeat(129) }), ["/page_url", "/value", "/user_id"]],
];

test.for(malformed)("%s is refused", async ([, body, wrong]) => {
  const { status, headers, body: problem } = await post(server, "/events/click", body);
  expect([status, headers.get("content-type")]).toEqual([400, "application/problem+json"]);
  expect(problem).toMatchObject({ type: "about:blank", status: 400, title: expect.any(String), detail: expect.any(String) });
  expect(pointers(problem).sort()).toEqual([...wrong].sort());
  expect(JSON.stringify(problem).length).toBeLessThan(8_192);
});

test("what nobody knows is ignored, and times at the edge are taken", async () => {
  for (const fields of [
    { unknown: { deep: [[[1]]] }, kind: "conversion" },
    { event_time: Date.now() + 47 * HOUR },
    { event_time: Date.now() - 89 * DAY },
    { event_time: new Date().toISOString() },
    { event_time: String(Date.now()) },
    { event_time: Date.now() + 0.125 },
    { props: { size: 42, sale: true, colour: "röt", none: null } },
  ]) {
    const { status, body } = await click(server, { campaign_id: "edge", ...fields });
    expect([status, body.status], JSON.stringify(fields)).toEqual([200, "accepted"]);
  }
  await settles(async () => {
    expect((await totals(server, "campaign_id=edge")).clicks).toBe(6);
    const days = await report(server, `campaign_id=edge&interval=day&from=${Date.now() - 90 * DAY}`);
    expect(days.totals.clicks).toBe(7);
    expect(days.totals.conversions).toBe(0); // the path says what it is
  });
});

test("a body of 10 MB is too large, and is not waited for", async () => {
  const headers = { "content-type": "application/json", "content-length": 10_000_000 };
  for (const path of ["/events/click", "/events"]) {
    const answer = await raw(server, `POST ${path}`, headers, ["[".repeat(65_536)]);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
  }
});

test("only posts are events, and only of kinds that there are", async () => {
  const got = await server.fetch("/events/click?eid=1");
  expect([got.status, got.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  for (const method of ["PUT", "DELETE", "PATCH"]) expect((await server.fetch("/events/click", { method })).status).toBe(405);
  expect((await post(server, "/events/purchase", bad({}))).status).toBe(404);
  expect((await post(server, "/events/failed", bad({}))).status).toBe(404); // ours to tell
  expect((await post(server, "/events/", bad({}))).status).toBe(404);
  expect((await post(server, "/nothing", bad({}))).status).toBe(404);
  expect((await post(server, "/events/click", bad({}), { "content-type": "text/html" })).status).toBe(415);
  expect((await post(server, "/events/click", bad({}), { "content-type": "multipart/form-data; boundary=x" })).status).toBe(415);
});

test("a page of another site may send events", async () => {
  const origin = "https://shop.example";
  for (const path of ["/events", "/events/click"]) {
    const preflight = await server.fetch(path, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("content-type");
  }
  const beacon = await post(server, "/events/click", anEvent({ campaign_id: "beacon" }), { origin, "content-type": "text/plain;charset=UTF-8" });
  expect([beacon.status, beacon.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  const refused = await post(server, "/events/click", "{}", { origin });
  expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, "*"]);
  await settles(async () => expect((await totals(server, "campaign_id=beacon")).clicks).toBe(1));
});

test("an event may be in the query", async () => {
  const query = new URLSearchParams({ eid: "query-1", t: String(Date.now()), u: "https://shop.example/", cid: "query", sub1: "a b" });
  const send = (query: URLSearchParams) => server.fetch(`/events/click?${query}`, { method: "POST", headers: { "user-agent": CHROME } });
  const answer = await send(query);
  expect([answer.status, (await answer.json()).status]).toEqual([200, "accepted"]);
  query.delete("u");
  const refused = await send(query);
  expect([refused.status, pointers(await refused.json())]).toEqual([400, ["/page_url"]]);
  await settles(async () => expect((await totals(server, "campaign_id=query&group_by=sub1")).clicks).toBe(1));
});

test("another's address is a matter of trust", async () => {
  const named = { "x-clicktrail-address": "203.0.113.7" };
  expect((await click(server, { campaign_id: "trusted" }, named)).status).toBe(401);
  const key = async (scope: string) => (await server.api("/api/keys", { name: scope, scopes: [scope] })).body.key;
  const bearer = async (scope: string) => ({ ...named, authorization: `Bearer ${await key(scope)}` });
  expect((await click(server, { campaign_id: "trusted" }, await bearer("stats:read"))).status).toBe(403);
  expect((await click(server, { campaign_id: "trusted" }, await bearer("events:write"))).status).toBe(200);
});

test("nothing of what was refused is counted, and the server goes on", async () => {
  expect((await click(server, { campaign_id: "refused" })).body.status).toBe("accepted");
  await settles(async () => expect((await totals(server, "campaign_id=refused")).clicks).toBe(1));
  const { kinds } = await totals(server, "campaign_id=refused");
  expect(Object.values(kinds).map((kind: any) => kind.events + kind.duplicates)).toEqual([1, 0, 0, 0, 0, 0]);
  expect(server.log).not.toMatch(/panic|unreachable|RuntimeError/);
});
