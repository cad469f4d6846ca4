// What could change on its way between JavaScript and Rust, and in and out of both kinds of SQLite.
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, click, integrity, post, report, totals } from "./traffic.ts";

const config = { gate_regions: false, gate_shards: 1, confirm_after_seconds: 1 };
const server = await startServer({ config, queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

test("sums beyond 2^53 are exact", async () => {
  const sale = (value: unknown) => anEvent({ kind: "conversion", campaign_id: "large", value, currency: "EUR" });
  const billions = (sign: number) => Array.from({ length: 10 }, () => sale(sign * 1e9));
  const revenue = (conversions: number, revenue: number) =>
    settles(async () => expect(await totals(server, "campaign_id=large")).toMatchObject({ conversions, revenue }));
  await post(server, "/events", [...billions(1), sale("0.000001")]); // 10^16 + 1 millionths, which no double can be
  await revenue(11, 1e10);
  await post(server, "/events", billions(-1));
  await revenue(21, 0.000001);
});

test("times beyond 32 bits come back to the millisecond", async () => {
  const last = "9999-12-30T21:59:59.999Z";
  const { body: key } = await server.api("/api/keys", { name: "old", scopes: ["stats:read"], expires_at: last });
  expect((await server.api("/api/keys")).body.data.find(({ id }: any) => id === key.id).expires_at).toBe(last);
  const link = { token: "old", url: "https://shop.example/", expires_at: Date.parse(last) };
  expect((await server.api("/api/links", link)).body.expires_at).toBe(last);
  expect((await server.api("/api/links/old")).body.expires_at).toBe(last);
});

test("the clock of the Worker is this machine's", async () => {
  const before = Date.now();
  const { body } = await server.api("/stats/clicks");
  expect(Date.parse(body.as_of)).toBeGreaterThanOrEqual(before - 1);
  expect(Date.parse(body.as_of)).toBeLessThanOrEqual(Date.now());
});

test("bytes are the same after log, eviction and queue", async () => {
  const campaign_id = "🛒 夏 é ÿ \u{10ffff} \u00a0\u2028";
  const props = { every: Array.from({ length: 255 }, (_, n) => String.fromCodePoint(n + 0x80)).join("") };
  await server.sql("ALTER TABLE ledger RENAME TO ledger_away");
  expect((await click(server, { campaign_id, props, sub1: "ж".repeat(200) })).status).toBe(200);
  await server.restart(); // the queue forgets: what is counted comes from the log's blobs
  await server.sql("ALTER TABLE ledger_away RENAME TO ledger");
  const query = new URLSearchParams({ campaign_id, group_by: "sub1" });
  await settles(async () => {
    const { groups } = await report(server, query.toString());
    expect(groups).toMatchObject([{ value: "ж".repeat(128), clicks: 1 }]); // a value is cut at 256 bytes
  });
  expect(await integrity(server)).toMatchObject({ in_flight: 0, dead_lettered: 0, lost: 0 });
});

test("a setting that nobody knows is an error, and not a setting that does nothing", async () => {
  await using misled = await startServer({ config: { windwo_seconds: 1 } });
  expect((await click(misled)).status).toBe(503);
  await settles(() => expect(misled.log).toContain("unknown field `windwo_seconds`"));
});
