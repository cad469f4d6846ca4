import { afterAll, expect, test } from "vitest";
import { eventually, startServer } from "./server.ts";
import { CHROME } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 }, config: { link_fresh_seconds: 600, link_watch_seconds: 4 } });
afterAll(() => server.stop());

const location = async (token: string) => (await server.fetch(`/r/${token}`, { headers: { "user-agent": CHROME } })).headers.get("location");
const url = (page: string) => `https://shop.example/${page}`;

/** What another data centre does: D1 has the change and its note, this isolate and its KV have heard of nothing. */
async function changedElsewhere(token: string, page: string) {
  await server.sql("UPDATE links SET record = json_set(record, '$.url', ?) WHERE token = ?", [url(page), token]);
  await server.sql("INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) VALUES (?, 'admin', 'updated', 'link', ?, '{}')", [Date.now(), token]);
}

test("a change that was made elsewhere is seen within seconds, whatever isolate and KV remember", async () => {
  expect((await server.api("/api/links", { token: "watched", url: url("old") })).status).toBe(201);
  expect(await location("watched")).toBe(url("old"));
  await changedElsewhere("watched", "new");
  const since = Date.now();
  await eventually(async () => (await location("watched")) === url("new"), 10_000);
  expect(Date.now() - since).toBeLessThan(8_000); // 4 s, and what a busy machine adds
  await changedElsewhere("watched", "newer");
  await eventually(async () => (await location("watched")) === url("newer"), 10_000);
});

test("a token that led nowhere is found as soon as it exists, wherever it was made", async () => {
  expect((await server.fetch("/r/later")).status).toBe(404);
  const { status } = await server.api("/api/links", { token: "model", url: url("made") });
  expect(status).toBe(201);
  await server.sql("INSERT INTO links (token, domain, record, words) SELECT 'later', '', json_set(record, '$.token', 'later'), words FROM links WHERE token = 'model'");
  await server.sql("INSERT INTO audit (at_ms, actor, action, entity, entity_id, changes) VALUES (?, 'admin', 'created', 'link', 'later', '{}')", [Date.now()]);
  await eventually(async () => (await location("later")) === url("made"), 10_000);
});
