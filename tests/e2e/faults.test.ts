import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { eventually, type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, integrity, post, totals } from "./traffic.ts";

// One gate, so that its storage is one file.
const config = { gate_regions: false, gate_shards: 1, confirm_after_seconds: 1 };
const server = await startServer({ config, queue: { batchTimeout: 0, retries: 100 } });
afterAll(() => server.stop());

const GATE = "gate/world/0";
const counted = (campaign: string, expected: Record<string, number>, on: Server = server) =>
  settles(async () => expect(await totals(on, `campaign_id=${campaign}`)).toMatchObject(expected));
const settled = (on: Server = server) =>
  settles(async () => {
    const { admitted, applied, in_flight, lost, dead_lettered } = await integrity(on);
    expect({ applied: applied + dead_lettered, in_flight, lost }).toEqual({ applied: admitted, in_flight: 0, lost: 0 });
  });

/** What the gate has on disk, from outside. */
function onDisk<T>(use: (log: DatabaseSync) => T, on: Server = server): T {
  const log = new DatabaseSync(on.objectFiles("Gate")[0], { timeout: 5_000 });
  try {
    return use(log);
  } finally {
    log.close();
  }
}

/** A message as a gate packs it: version, kind of head, name of the gate, number, frames. */
function message(gate: string, number: number, frames: Uint8Array): Uint8Array {
  const name = Buffer.from(gate);
  const digits = [];
  let left = BigInt(number) * 2n; // zigzag
  for (; left > 127n; left >>= 7n) digits.push(Number(left & 127n) | 128);
  digits.push(Number(left));
  return Buffer.concat([Buffer.from([1, 0, name.length]), name, Buffer.from(digits), frames]);
}

const failures = (of: string, on: Server = server) => on.log.split(of).length - 1;

test("while the ledger is away events are taken, and when it is back each is counted once", async () => {
  await server.api("/api/links", { token: "away", url: "https://shop.example/", campaign_id: "away" });
  await server.sql("ALTER TABLE ledger RENAME TO ledger_away");
  const failed = failures("batch_not_applied");
  for (let n = 0; n < 20; n++) expect((await click(server, { campaign_id: "away" })).body.status).toBe("accepted");
  const follow = await server.fetch("/r/away", { headers: { "user-agent": CHROME } });
  expect(follow.status).toBe(302);
  expect((await server.fetch("/1x1.gif?cid=away", { headers: { "user-agent": CHROME } })).headers.get("x-clicktrail")).toBe("recorded");
  await eventually(() => failures("batch_not_applied") >= failed + 2); // the consumer has failed more than once
  expect((await server.api("/stats/integrity")).status).toBe(503);
  expect((await totals(server, "campaign_id=away")).clicks).toBe(0);
  await server.sql("ALTER TABLE ledger_away RENAME TO ledger");
  await counted("away", { clicks: 21, impressions: 1, duplicates: 0 });
  await settled();
});

test("while sums are away reports say so, and nothing is half counted", async () => {
  await server.sql("ALTER TABLE segments RENAME TO segments_away");
  const failed = failures("batch_not_applied");
  await Promise.all(Array.from({ length: 30 }, () => click(server, { campaign_id: "sums" })));
  await eventually(() => failures("batch_not_applied") > failed);
  const { status, body } = await server.api("/stats/clicks?campaign_id=sums");
  expect([status, body.status]).toEqual([503, 503]);
  expect(await server.sql("SELECT * FROM ledger WHERE number > ?", [Date.now() - 1])).toEqual([]);
  await server.sql("ALTER TABLE segments_away RENAME TO segments");
  await counted("sums", { clicks: 30, duplicates: 0 });
  await settled();
});

test("while links are away, known ones go on leading", async () => {
  await server.api("/api/links", { token: "known", url: "https://shop.example/" });
  await server.fetch("/r/known");
  await server.sql("ALTER TABLE links RENAME TO links_away");
  expect((await server.fetch("/r/known")).status).toBe(302);
  expect((await server.fetch("/r/unheard-of")).status).toBe(503);
  expect((await server.api("/api/links")).status).toBe(503);
  await server.sql("ALTER TABLE links_away RENAME TO links");
  expect((await server.fetch("/r/unheard-of")).status).toBe(404);
});

test("what a gate cannot write goes round by the queue, and counts once", async () => {
  const events = Array.from({ length: 10 }, () => anEvent({ campaign_id: "unwritten" }));
  const [before, ...others] = events;
  await post(server, "/events/click", before);
  onDisk((log) => log.exec("CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
  const failed = failures("commit_failed");
  for (const event of others) expect((await post(server, "/events/click", event)).body.status).toBe("accepted");
  // the gate did not keep it, so that it cannot know a copy
  expect((await post(server, "/events/click", others[0])).body.status).toBe("accepted");
  expect((await post(server, "/events/click", before)).body.status).toBe("duplicate");
  const batch = await post(server, "/events", [others[1], anEvent({ campaign_id: "unwritten" })]);
  expect(batch.body.results.map((result: any) => result.status)).toEqual(["accepted", "accepted"]);
  expect(failures("commit_failed")).toBeGreaterThan(failed);
  onDisk((log) => log.exec("DROP TRIGGER full"));
  await counted("unwritten", { clicks: 11 });
  await settled();
  expect((await post(server, "/events/click", others[0])).body.status).toBe("duplicate");
});

test("a gate that cannot start is gone round", async () => {
  onDisk((log) => log.exec("ALTER TABLE log RENAME TO log_away; CREATE TABLE log (spoilt)"));
  await server.evict("Gate", GATE);
  const event = anEvent({ campaign_id: "unstarted" });
  expect((await post(server, "/events/click", event)).body.status).toBe("accepted");
  const body = await integrity(server);
  expect(body.gates_unreached).toBe(1);
  onDisk((log) => log.exec("DROP TABLE log; ALTER TABLE log_away RENAME TO log"));
  await server.evict("Gate", GATE);
  await counted("unstarted", { clicks: 1 });
  expect((await post(server, "/events/click", event)).body.status).toBe("duplicate");
  await settled();
});

test("a message that comes again counts nothing", async () => {
  const before = await integrity(server);
  for (let n = 0; n < 5; n++) await click(server, { campaign_id: "redelivered" });
  await counted("redelivered", { clicks: 5 });
  const rows = onDisk((log) => log.prepare("SELECT seq, message, body FROM log ORDER BY seq DESC LIMIT 5").all()) as any[];
  expect(rows.length).toBe(5);
  for (const row of rows) {
    const frames = Buffer.concat(rows.filter(({ message }) => message === row.message).reverse().map(({ body }) => body));
    await server.send(message(GATE, row.message, frames));
    await server.send(message(GATE, row.message, frames));
  }
  // what is sent after them is counted after them
  await click(server, { campaign_id: "behind" });
  await counted("behind", { clicks: 1 });
  await settled();
  await counted("redelivered", { clicks: 5 });
  expect((await integrity(server)).applied).toBe(before.applied + 6);
});

test("a message that the queue loses is sent again", async () => {
  // As if it had been lost: it is neither in the queue nor in the ledger, and the log has it.
  await click(server, { campaign_id: "lost" });
  await counted("lost", { clicks: 1 });
  const [{ seq, message: number, body }] = onDisk((log) => log.prepare("SELECT * FROM log ORDER BY seq DESC LIMIT 1").all()) as any[];
  const later = seq + 1;
  onDisk((log) =>
    log.exec(`INSERT INTO log SELECT ${later}, ${later}, at_ms, admitted + 1, duplicates, body FROM log WHERE seq = ${seq}`),
  );
  expect(number).toBe(seq);
  expect(body.length).toBeGreaterThan(0);
  await server.evict("Gate", GATE);
  await click(server); // wakes the gate, whose alarm may have rung meanwhile
  await counted("lost", { clicks: 2 });
  await settled();
});

test("what is no message is a dead letter, and stands in nobody's way", async () => {
  const kept = async (): Promise<any[]> => (await server.api("/api/dead-letters")).body.data;
  const garbage = Buffer.concat([Buffer.from([1, 9]), randomBytes(300)]);
  const [{ body }] = onDisk((log) => log.prepare("SELECT body FROM log ORDER BY seq DESC LIMIT 1").all()) as any[];
  const spoilt = Buffer.from(body);
  spoilt[5 + 16] = 99; // the version of the event
  await Promise.all([
    server.send(garbage),
    server.send(message("gate/world/3", 7, Buffer.concat([body, spoilt]))),
    server.send(message("gate/world/3", 8, body.subarray(0, body.length - 4))),
    click(server, { campaign_id: "beside" }),
  ]);
  await counted("beside", { clicks: 1 });
  await settles(async () => expect((await kept()).length).toBe(3));
  const letters = await kept();
  expect(letters.map(({ reason }) => reason).sort()).toEqual([
    expect.stringMatching(/^event [0-9a-f-]{36} is of version 99$/),
    "not a message: its head cannot be read",
    "the message ends within a frame",
  ]);
  const dead = letters.find(({ reason }) => reason.startsWith("not a message"))!;
  expect(Buffer.from(dead.body_base64, "base64").equals(garbage)).toBe(true);
  expect(Date.parse(dead.at)).toBeGreaterThan(Date.now() - 60_000);

  const path = `/api/dead-letters/${encodeURIComponent(dead.id)}`;
  expect((await server.api(`${path}/replay`, {})).status).toBe(409);
  expect((await server.api(path, undefined, "DELETE")).status).toBe(204);
  expect((await server.api(path, undefined, "DELETE")).status).toBe(404);
  expect((await kept()).length).toBe(2);
});

test("a dead letter that can be read by now is counted once", async () => {
  await click(server, { campaign_id: "mended" });
  await counted("mended", { clicks: 1 });
  const [{ body }] = onDisk((log) => log.prepare("SELECT body FROM log ORDER BY seq DESC LIMIT 1").all()) as any[];
  await server.sql(
    "INSERT INTO dead_letters (id, reason, body, at_ms) VALUES ('gate/world/0 12 0', 'was not read', ?, ?)",
    [Buffer.from(body).toString("base64"), Date.now()],
  );
  await server.sql("UPDATE applied SET dead = dead + 1 WHERE gate = 'gate/world/0'");
  const path = "/api/dead-letters/gate%2Fworld%2F0%2012%200/replay";
  const answers = await Promise.all([server.api(path, {}), server.api(path, {})]);
  expect(answers.map(({ status }) => status)).toContain(200);
  expect((await server.api(path, {})).status).toBe(404);
  await counted("mended", { clicks: 2 });
});

test("a gate without room lets events wait in the queue until it has", async () => {
  await using small = await startServer({ config: { ...config, gate_max_ids: 3 }, queue: { batchTimeout: 0, retries: 100 } });
  const events = Array.from({ length: 5 }, () => anEvent({ campaign_id: "waiting" }));
  for (const event of events) expect((await post(small, "/events/click", event)).body.status).toBe("accepted");
  await counted("waiting", { clicks: 3 }, small);
  expect((await integrity(small)).gates).toMatchObject([{ admitted: 3, ids: 3 }]);
  // an hour passes for what the gate has
  onDisk((log) => log.exec("UPDATE log SET at_ms = at_ms - 3600000"), small);
  await small.evict("Gate", GATE);
  await counted("waiting", { clicks: 5, duplicates: 0 }, small);
  await settled(small);
});

test("of a message that went round, only what is not admitted goes round again", async () => {
  await using small = await startServer({ config: { ...config, gate_max_ids: 3 }, queue: { batchTimeout: 0, retries: 100 } });
  const events = Array.from({ length: 8 }, () => anEvent({ campaign_id: "parted" }));
  const { body } = await post(small, "/events", events);
  expect(body.results.map(({ status }: { status: string }) => status)).toEqual(Array(8).fill("accepted"));
  for (const clicks of [3, 6, 8]) {
    await counted("parted", { clicks }, small);
    // an hour passes for what the gate has
    onDisk((log) => log.exec("UPDATE log SET at_ms = at_ms - 3600000"), small);
    await small.evict("Gate", GATE);
  }
  // Had the six come along again, the gate would have forgotten them by now, and be asked about them for ever.
  await settled(small);
  await counted("parted", { clicks: 8, duplicates: 0 }, small);
  expect(await small.sql("SELECT id FROM dead_letters")).toEqual([]);
});

test("nothing of this broke the Worker", () => {
  expect(server.log).not.toMatch(/panic|unreachable executed|RuntimeError/);
});
