import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, click, pointers, post, raw, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

const MIB = 1 << 20;
const HOUR = 3_600_000;
const counted = (campaign: string, clicks: number) =>
  settles(async () => expect((await totals(server, `campaign_id=${campaign}`)).clicks).toBe(clicks));

test("one bad event costs the others nothing", async () => {
  const good = () => anEvent({ campaign_id: "mixed" });
  const twice = good();
  const events = [
    twice,
    anEvent({ event_id: "bad-1", campaign_id: "mixed", page_url: undefined }),
    good(),
    "word",
    anEvent({ campaign_id: "mixed", value: "a lot", event_time: "soon" }),
    good(),
    twice,
  ];
  const { status, body } = await post(server, "/events", events);
  expect(status).toBe(200);
  expect(body.results.map((result: any) => result.status)).toEqual(
    ["accepted", "invalid", "accepted", "invalid", "invalid", "accepted", "duplicate"],
  );
  expect(body.results[0].event_id).toBe(twice.event_id);
  expect(body.results[1].event_id).toBe("bad-1");
  expect(body.results.map(pointers)).toEqual([[], ["/1/page_url"], [], ["/3"], ["/4/event_time", "/4/value"], [], []].map((expected, place) =>
    // in the order in which the event names them
    place === 4 ? expect.arrayContaining(expected) : expected,
  ));
  expect(body.results[3].event_id ?? null).toBeNull();
  await counted("mixed", 3);
});

test("every shape of a batch is read", async () => {
  const event = () => anEvent({ campaign_id: "shapes" });
  const lines = () => [event(), event()].map((event) => JSON.stringify(event)).join("\n");
  const shapes: [unknown, Record<string, string>][] = [
    [[event(), event()], {}],
    [{ events: [event(), event()] }, {}],
    [lines(), { "content-type": "application/x-ndjson" }],
    [`${lines()}\n`, { "content-type": "application/ndjson" }],
    [JSON.stringify([event(), event()]), { "content-type": "text/plain;charset=UTF-8" }],
    [gzipSync(JSON.stringify([event(), event()])), { "content-encoding": "gzip" }],
    [gzipSync(lines()), { "content-encoding": "gzip", "content-type": "application/x-ndjson" }],
    [event(), {}],
  ];
  for (const [body, headers] of shapes) {
    const answer = await post(server, "/events", body, headers);
    expect([answer.status, answer.body.results?.map((result: any) => result.status)], JSON.stringify(headers)).toEqual([
      200,
      body === shapes.at(-1)![0] ? ["accepted"] : ["accepted", "accepted"],
    ]);
  }
  await counted("shapes", 15);
});

test("kinds are counted apart", async () => {
  const kinds = ["click", "impression", "page", "page", "conversion", "session_end"];
  await post(server, "/events", kinds.map((kind) => anEvent({ campaign_id: "kinds", kind, value: kind === "conversion" ? "19.99" : undefined, currency: "EUR" })));
  await settles(async () => {
    const { clicks, impressions, pages, conversions, revenue, currency } = await totals(server, "campaign_id=kinds");
    expect({ clicks, impressions, pages, conversions, revenue, currency }).toEqual({
      clicks: 1, impressions: 1, pages: 2, conversions: 1, revenue: 19.99, currency: "EUR",
    });
  });
});

test("the envelope's sent_at corrects the clock of its sender", async () => {
  const wrong = Date.now() - 30 * HOUR;
  const events = (campaign_id: string) => [anEvent({ campaign_id, event_time: wrong })];
  await post(server, "/events", { sent_at: wrong, events: events("corrected") });
  await post(server, "/events", { events: events("believed") });
  const clicksOf = async (campaign: string, from: number, to: number) =>
    (await report(server, `campaign_id=${campaign}&interval=hour&from=${from}&to=${to}`)).totals.clicks;
  await settles(async () => {
    expect(await clicksOf("corrected", Date.now() - HOUR, Date.now())).toBe(1);
    expect(await clicksOf("believed", wrong, wrong + 1)).toBe(1);
  });
  expect(await clicksOf("corrected", wrong, wrong + 1)).toBe(0);
});

test("500 events are a batch and 501 are too many", async () => {
  const events = Array.from({ length: 501 }, () => anEvent({ campaign_id: "many" }));
  const refused = await post(server, "/events", events);
  expect([refused.status, refused.headers.get("content-type")]).toEqual([413, "application/problem+json"]);
  const { status, body } = await post(server, "/events", events.slice(1));
  expect([status, body.results.length]).toEqual([200, 500]);
  await counted("many", 500);
});

test("a body of more than 1 MiB is too large, whether it says so or not", async () => {
  const headers = { "content-type": "application/json" };
  const told = await raw(server, "POST /events", { ...headers, "content-length": MIB + 1 });
  expect(told).toMatch(/^HTTP\/1.1 413 /);
  const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`;
  const untold = await raw(server, "POST /events", { ...headers, "transfer-encoding": "chunked" }, [...Array(16).fill(chunk), "1\r\n \r\n"]);
  expect(untold).toMatch(/^HTTP\/1.1 413 /);

  const just = JSON.stringify([anEvent({ campaign_id: "just", padding: "" })]);
  const padded = just.replace('"padding":""', `"padding":"${"x".repeat(MIB - just.length)}"`);
  expect(padded.length).toBe(MIB);
  expect((await post(server, "/events", padded)).status).toBe(200);
  await counted("just", 1);
});

test("a zip bomb goes off nowhere", async () => {
  const bomb = gzipSync(Buffer.alloc(100 * MIB, " "), { level: 9 });
  expect(bomb.length).toBeLessThan(MIB);
  const { status, body } = await post(server, "/events", bomb, { "content-encoding": "gzip" });
  expect([status, body.status]).toEqual([413, 413]);
  expect((await post(server, "/events/click", bomb, { "content-encoding": "gzip" })).status).toBe(413);
  const brim = (length: number) => gzipSync(`[${" ".repeat(length - 2)}]`);
  expect((await post(server, "/events", brim(8 * MIB), { "content-encoding": "gzip" })).status).toBe(200);
  expect((await post(server, "/events", brim(8 * MIB + 1), { "content-encoding": "gzip" })).status).toBe(413);
  const nothing = Buffer.concat([gzipSync("").subarray(0, 10), ...Array(100_000).fill(Buffer.from([0, 0, 0, 255, 255]))]);
  expect((await post(server, "/events", nothing, { "content-encoding": "gzip" })).status).toBe(400);

  const honest = `[${JSON.stringify(anEvent({ campaign_id: "unpacked" }))}${" ".repeat(7 * MIB)}]`;
  expect((await post(server, "/events", gzipSync(honest), { "content-encoding": "gzip" })).status).toBe(200);
  await counted("unpacked", 1);
});

test("what is no batch is refused", async () => {
  const whole = gzipSync(JSON.stringify([anEvent({ campaign_id: "refused" })]));
  const event = JSON.stringify(anEvent({ campaign_id: "refused" }));
  const cases: [unknown, Record<string, string>, number][] = [
    ["", {}, 400],
    ["word", {}, 400],
    [`[${event}`, {}, 400],
    ['{"events":5}', {}, 400],
    ["[".repeat(100_000), {}, 400],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), {}, 400],
    [whole.subarray(0, -6), { "content-encoding": "gzip" }, 400],
    [Buffer.concat([whole.subarray(0, 20), Buffer.from([1, 2, 3, 4]), whole.subarray(24)]), { "content-encoding": "gzip" }, 400],
    [event, { "content-encoding": "gzip" }, 400],
    [Buffer.concat([whole, Buffer.from("x")]), { "content-encoding": "gzip" }, 400],
    [Buffer.concat([gzipSync("["), gzipSync("]")]), { "content-encoding": "gzip" }, 400],
    [gzipSync(""), { "content-encoding": "gzip" }, 400],
    [`[${event}]`, { "content-encoding": "br" }, 415],
    [`[${event}]`, { "content-type": "text/html" }, 415],
    [`[${event}]`, { "content-type": "application/x-www-form-urlencoded" }, 415],
  ];
  for (const [body, headers, expected] of cases) {
    const { status, headers: answered, body: problem } = await post(server, "/events", body, headers);
    const what = `${String(body).slice(0, 40)} ${JSON.stringify(headers)}`;
    expect([status, answered.get("content-type"), problem.status], what).toEqual([expected, "application/problem+json", expected]);
  }
  expect((await post(server, "/events", [])).body).toEqual({ results: [] });
  expect((await server.fetch("/events")).status).toBe(405);
  await click(server, { campaign_id: "refused" });
  await counted("refused", 1);
});
