// Every counted event is in the archive once, whatever becomes of the bucket; and what the archive holds gives the same reports.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, type Fields, from, GOOGLEBOT, integrity, IPHONE, post, report } from "./traffic.ts";

const server = await startServer({ config: { confirm_after_seconds: 1 }, queue: { batchTimeout: 0 } });
const folder = mkdtempSync(join(tmpdir(), "clicktrail-archive-"));
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const root = join(import.meta.dirname, "../..");
const python = execFileSync(join(root, "dev/duckdb.sh"), { encoding: "utf8" }).trim();
const clickhouse = execFileSync(join(root, "dev/clickhouse.sh"), { encoding: "utf8" }).trim();
const HOUR = 3_600_000;
const begin = Math.floor(Date.now() / HOUR) * HOUR - 30 * HOUR;

type Lines = Record<string, any>[];
const lines = (text: string): Lines => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
const rows = (of: Server) => of.sql<{ seq: number; name: string | null; body: string | null; parts: string | null; lines: number }>("SELECT * FROM archive ORDER BY seq");

/** The objects without the remains of tries that failed, which are swept hours later. */
async function swept(of: Server): Promise<{ name: string; bytes: Buffer }[]> {
  const named = new Set((await rows(of)).map((row) => row.name));
  return (await of.objects()).filter(({ name }) => named.has(name));
}

/** What whoever reads the bucket itself finds, without what followed from journeys. */
async function inBucket(of: Server): Promise<Lines> {
  const all = (await swept(of)).flatMap(({ bytes }) => lines(gunzipSync(bytes).toString()));
  return all.filter(({ record }) => record !== "outcome");
}

/** Has every row gathered, though it has not waited for long. */
async function gather(of: Server): Promise<void> {
  await of.sql("UPDATE archive SET at_ms = at_ms - 600000");
  await settles(async () => {
    await of.scheduled();
    expect(Number((await of.sql("SELECT count(*) AS n FROM archive WHERE body IS NOT NULL"))[0].n)).toBe(0);
  });
}

async function batch(of: Server, events: Fields[], headers: Record<string, string> = {}): Promise<void> {
  const { body } = await post(of, "/events", events, headers);
  expect(body.results.every((result: any) => result.status === "accepted")).toBe(true);
}

async function counted(of: Server, events: number): Promise<void> {
  await settles(async () =>
    expect(await integrity(of)).toMatchObject({ admitted: events, applied: events, in_flight: 0, lost: 0, journeys: { in_flight: 0, lost: 0 } }),
  );
}

const wide = (n: number, fields: Fields = {}): Fields[] =>
  Array.from({ length: n }, (_, i) => anEvent({ kind: "page", event_time: begin + i, props: { text: "é\"\n".repeat(150), i }, ...fields }));

async function rebuild(of: Server): Promise<any> {
  for (let steps = 1; ; steps++) {
    const { status, body } = await of.api("/api/rebuild", {});
    if (status !== 200 || body.state === "done") return { status, ...body, steps };
  }
}

async function reports(of: Server): Promise<string> {
  const span = `from=${begin - 24 * HOUR}&to=${begin + 72 * HOUR}`;
  const asked = ["", "&interval=hour", "&group_by=verdict", "&group_by=country&campaign_id=a", "&group_by=link&include_bots=true", "&country=DE&device=smartphone"];
  const bodies = [];
  for (const more of asked) bodies.push(await report(of, span + more));
  bodies.push((await of.api(`/stats/quality?${span}`)).body);
  bodies.push((await of.api(`/stats/conversions?model=all&${span}`)).body, (await of.api(`/stats/sessions?${span}`)).body);
  return JSON.stringify(bodies.map(({ as_of: _, ...said }) => said));
}

beforeAll(async () => {
  const visitors: [number, Record<string, string>, Fields][] = [
    [4, { ...from("US", "NA"), "user-agent": CHROME }, { campaign_id: "a", link: "l1" }],
    [3, { ...from("DE", "EU"), "user-agent": IPHONE }, { campaign_id: "a", link: "l2", value: "1.5", currency: "EUR" }],
    [2, { ...from("US", "NA"), "user-agent": GOOGLEBOT }, { campaign_id: "b", sub1: "x y" }],
  ];
  for (const [times, headers, fields] of visitors) {
    for (let n = 0; n < times; n++) {
      const event = anEvent({ event_time: begin + n * HOUR, ...fields });
      for (let copy = 0; copy < 2; copy++) await post(server, "/events/click", event, { ...headers, "cf-connecting-ip": `198.51.100.${n}` });
    }
  }
  await batch(server, wide(300, { campaign_id: "c" }));
  await counted(server, 309);
  await settles(async () => expect((await integrity(server)).duplicates_applied).toBe(9));
});

test("each event is in the archive once, and what was turned away beside it", async () => {
  const kept = await rows(server);
  expect(kept.some((row) => row.name !== null), "a large batch goes straight into the bucket").toBe(true);
  expect(kept.some((row) => row.body !== null), "small ones wait for each other").toBe(true);
  await gather(server);
  const all = await inBucket(server);
  const events = all.filter((line) => line.record === "event");
  expect([events.length, new Set(events.map((line) => line.event_id)).size]).toEqual([309, 309]);
  expect(all.filter((line) => line.record === "copies").reduce((sum, line) => sum + line.times, 0)).toBe(9);
  expect(events.find((line) => line.link === "l2")).toMatchObject({
    kind: "click", verdict: "human", campaign_id: "a", country: "DE", device: "smartphone", os: "iOS", value_micros: 1_500_000, currency: "EUR", user_agent: IPHONE, ip: "198.51.100.0", rules_version: 5,
  });
  expect(events.find((line) => line.sub1 === "x y")).toMatchObject({ verdict: "bot", bot_reasons: ["ua_list"] });
  for (const { name } of await server.objects()) expect(name).toMatch(/^events\/date=\d{4}-\d\d-\d\d\/hour=\d\d\/\d{13}-[0-9a-f]{32}\.ndjson\.gz$/);
});

/** [record, kind, verdict, how many, first date, hours] */
type Count = [string, string, string, number, string, number];

/** Has a reader's program count what lies in the bucket, and holds that against the reports; returns what else it prints. */
async function countsLikeReports(interpreter: string, script: (bucket: string) => string): Promise<string[]> {
  await gather(server);
  for (const { name, bytes } of await swept(server)) {
    const path = join(folder, "bucket", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const output = execFileSync(interpreter, ["-c", script(join(folder, "bucket"))], { encoding: "utf8" });
  const [first, ...more] = output.trim().split("\n");
  const counts = JSON.parse(first) as Count[];
  const of = (record: string, kind: string, verdict: string) => counts.filter((row) => row[0] === record && row[1] === kind && (verdict === "" || row[2] === verdict)).reduce((sum, row) => sum + row[3], 0);
  const { totals } = await report(server, `from=${begin - 24 * HOUR}`);
  expect([of("event", "click", "human") + of("event", "click", "suspect"), of("event", "click", "bot"), of("copies", "click", "")]).toEqual([totals.clicks, totals.bots, totals.duplicates]);
  expect([of("event", "page", ""), totals.pages]).toEqual([300, 300]);
  expect(counts.every((row) => /^\d{4}-\d\d-\d\d$/.test(row[4]) && row[5] > 0)).toBe(true);
  return more;
}

test.skipIf(python === "")("DuckDB counts in the bucket what the reports say", async () => {
  await countsLikeReports(python, (bucket) => {
    const [table] = statementsOf("DuckDB");
    return `
import duckdb, json
duckdb.sql("""${table.replace("s3://clicktrail-archive", bucket)}""")
rows = duckdb.sql("SELECT record, kind, coalesce(verdict, ''), sum(times)::BIGINT, min(date)::VARCHAR, count(DISTINCT hour) FROM events GROUP BY ALL").fetchall()
print(json.dumps(rows))`;
  });
});

test.skipIf(clickhouse === "")("ClickHouse counts in the bucket what the reports say", async () => {
  const more = await countsLikeReports(clickhouse, (bucket) => {
    const [table, insert] = statementsOf("ClickHouse");
    const fromFiles = insert.replace(/s3\([^)]*\)/, `file('${bucket}/events/**/*.ndjson.gz', 'JSONEachRow')`);
    expect(fromFiles).not.toBe(insert);
    return `
import json
from chdb.session import Session
chdb = Session()
chdb.query("""${table}""")
chdb.query("""${fromFiles}""")
rows = chdb.query("""SELECT record, kind, verdict, sum(times), toString(toDate(min(effective_time))), count(DISTINCT toStartOfHour(effective_time))
  FROM events GROUP BY ALL SETTINGS output_format_json_quote_64bit_integers = 0""", "JSONCompact")
print(json.dumps(json.loads(rows.bytes())["data"]))
print(chdb.query("SELECT DISTINCT bot_reasons FROM events WHERE sub1 = 'x y'", "JSONCompactEachRow"), end="")
print(chdb.query("SELECT count(), min(countSubstrings(props['text'], 'é')) FROM events WHERE kind = 'page'", "CSV"))`;
  });
  expect(more).toEqual(['[["ua_list"]]', "300,150"]);
});

/** The statements that docs/export.md gives for a reader. */
function statementsOf(reader: string): string[] {
  const text = readFileSync(join(root, "docs/export.md"), "utf8");
  const [, section] = new RegExp(`## ${reader}\\n([^]*?)(?=\\n## |$)`).exec(text) ?? [];
  return [...section.matchAll(/```sql\n([^]*?)```/g)].map(([, statement]) => statement);
}

/** All pages of an export. */
async function exported(of: Server, query: string): Promise<{ text: string; pages: number; cursor: string }> {
  let [text, pages, cursor] = ["", 0, ""];
  for (;;) {
    const at = cursor === "" ? "" : `&cursor=${cursor}`;
    const response = await of.fetch(`/api/export/events?${query}${at}`, { headers: { authorization: `Bearer ${of.token}` } });
    expect(response.status).toBe(200);
    [text, pages, cursor] = [text + (await response.text()), pages + 1, response.headers.get("x-clicktrail-cursor")!];
    if (response.headers.get("x-clicktrail-more") === "false") return { text, pages, cursor };
  }
}

test("an export has every event once, in pages, and goes on from its cursor", async () => {
  const whole = await exported(server, "include_bots=true");
  const paged = await exported(server, "include_bots=true&limit=1");
  expect(paged.pages).toBeGreaterThan(1);
  expect(paged.text).toBe(whole.text);
  expect(new Set(lines(whole.text).map((line) => line.event_id)).size).toBe(309);
  const ids = async (query: string) => lines((await exported(server, query)).text).length;
  expect(await ids("")).toBe(307);
  expect(await ids("kind=click&campaign_id=a")).toBe(7);
  expect(await ids("link=l2")).toBe(3);
  expect(await ids(`kind=click&include_bots=true&from=${begin + HOUR}&to=${begin + 3 * HOUR}`)).toBe(5);
  // What comes later is behind the cursor, though rows on both sides of it are gathered into one.
  await post(server, "/events/click", anEvent({ name: "between" }));
  await counted(server, 310);
  const between = await exported(server, `cursor=${whole.cursor}`);
  expect(lines(between.text).map((line) => line.name)).toEqual(["between"]);
  await post(server, "/events/click", anEvent({ name: "later" }));
  await counted(server, 311);
  await gather(server);
  const later = await exported(server, `cursor=${between.cursor}`);
  expect(lines(later.text).map((line) => line.name)).toEqual(["later"]);
  expect(lines((await exported(server, `cursor=${whole.cursor}`)).text).length).toBe(2);
});

test("as a table and as lines of clicks", async () => {
  const { text } = await exported(server, "format=csv&kind=click&limit=1");
  const [head, ...cells] = text.trimEnd().split("\r\n");
  expect([head.split(",").slice(0, 3), cells.length, text.split("event_id,kind").length]).toEqual([["event_id", "kind", "verdict"], 9, 2]);
  const clicks = (await exported(server, "format=clicks")).text.trimEnd().split("\n");
  expect(clicks.length).toBe(9);
  for (const line of clicks) {
    const [ip, epoch, times, path, params, agent, ...more] = line.split(" ");
    expect([ip, times, path, more]).toEqual([expect.stringMatching(/^\S+$/), "1", "/t/click", []]);
    expect(Number(epoch)).toBeGreaterThan(begin / 1000 - 1);
    expect(new URLSearchParams(params).get("event_id")).toMatch(/^[0-9a-f-]{36}$/);
    expect([CHROME, IPHONE]).toContain(decodeURIComponent(agent.replaceAll("+", " ")));
  }
});

test("a key, a method and parameters are asked for", async () => {
  expect((await server.fetch("/api/export/events")).status).toBe(401);
  expect((await server.api("/api/export/events", {})).status).toBe(405);
  const { status, body } = await server.api("/api/export/events?format=xml");
  expect([status, body.errors[0].pointer]).toEqual([400, "/format"]);
  expect((await server.fetch("/api/rebuild", { method: "POST" })).status).toBe(401);
});

test("sums rebuilt from nothing give the same reports to the byte, by the rules of today", async () => {
  const before = await reports(server);
  // Older rules took the crawler for a person: what they said is not believed again.
  for (const { name, bytes } of await server.objects()) {
    const older = gunzipSync(bytes).toString().replaceAll('"verdict":"bot"', '"verdict":"human"').replaceAll('"rules_version":5', '"rules_version":0');
    await server.put(name, gzipSync(older));
  }
  await server.sql("UPDATE segments SET body = 'spoilt'");
  await server.sql("DELETE FROM sums");
  const all = 311 + (await integrity(server)).journeys.applied;
  expect(all).toBeGreaterThan(311);
  expect(await rebuild(server)).toMatchObject({ status: 200, state: "done", events: all, counted: all, archived: all, duplicates: 9, rules_version: 5 });
  expect(await reports(server)).toBe(before);
  // And again, and what is counted since adds up.
  expect(await rebuild(server)).toMatchObject({ state: "done", events: all });
  expect(await reports(server)).toBe(before);
  await post(server, "/events/click", anEvent({ name: "after" }));
  await counted(server, 312);
  expect((await report(server, `from=${begin - HOUR}`)).totals.clicks).toBe(10);
});

test("a rebuild that is given up leaves the sums as they are, and one of an archive that lacks something is refused", async () => {
  const before = await reports(server);
  await settles(async () => expect((await server.api("/api/rebuild", {})).body.state).toBe("running"));
  expect((await server.api("/api/rebuild")).body.state).toBe("running");
  expect((await server.api("/api/rebuild", undefined, "DELETE")).status).toBe(204);
  expect((await server.api("/api/rebuild")).body.state).toBe("idle");
  await server.sql("UPDATE archive SET events = events - 1 WHERE seq = (SELECT min(seq) FROM archive WHERE events > 0)");
  expect(await rebuild(server)).toMatchObject({ status: 409 });
  await server.sql("UPDATE archive SET events = events + 1 WHERE seq = (SELECT min(seq) FROM archive WHERE events > 0)");
  expect(await reports(server)).toBe(before);
});

test("what no row names is swept, and nothing else", async () => {
  const hour = new Date(Date.now() - 5 * HOUR).toISOString();
  const orphan = `events/date=${hour.slice(0, 10)}/hour=${hour.slice(11, 13)}/0-orphan.ndjson.gz`;
  await server.put(orphan, gzipSync("{}\n"));
  const kept = (await server.objects()).map(({ name }) => name).filter((name) => name !== orphan);
  await server.everyHour();
  await settles(async () => expect((await server.objects()).map(({ name }) => name)).toEqual(kept));
});

test("while the bucket is down events are counted and wait; nothing of them is lost or twice", async () => {
  const state = join(folder, "down");
  const options = { state, config: { confirm_after_seconds: 1 }, queue: { batchTimeout: 0 } };
  {
    await using down = await startServer({ ...options, bucketsDown: true });
    await batch(down, wide(200));
    await post(down, "/events/click", anEvent());
    await counted(down, 201);
    expect((await rows(down)).every((row) => row.name === null)).toBe(true);
    expect((await rows(down)).some((row) => row.body?.startsWith("H4sI"))).toBe(true);
    await down.scheduled();
  }
  await using up = await startServer(options);
  expect(lines((await exported(up, "")).text).length).toBe(201);
  await gather(up);
  const archived = await inBucket(up);
  expect([archived.length, new Set(archived.map((line) => line.event_id)).size]).toEqual([201, 201]);
  expect(lines((await exported(up, "")).text).length).toBe(201);
});

test("a message that comes again is archived once, though the try before it left an object", async () => {
  await using again = await startServer({ config: { confirm_after_seconds: 1 }, queue: { batchTimeout: 0 } });
  await again.sql("ALTER TABLE applied RENAME TO applied_away");
  await batch(again, wide(200));
  await settles(async () => expect((await again.objects()).length).toBeGreaterThan(0));
  await again.sql("ALTER TABLE applied_away RENAME TO applied");
  await counted(again, 200);
  expect((await again.objects()).length, "the remains").toBeGreaterThan((await rows(again)).filter((row) => row.name).length);
  const ids = lines((await exported(again, "")).text).map((line) => line.event_id);
  expect([ids.length, new Set(ids).size]).toEqual([200, 200]);
});

test("what is old is forgotten, and what is switched off is not kept", async () => {
  await using short = await startServer({ config: { archive_days: 1 }, queue: { batchTimeout: 0 } });
  await batch(short, wide(200));
  await counted(short, 200);
  await post(short, "/events/click", anEvent());
  await counted(short, 201);
  await gather(short);
  await short.sql("UPDATE archive SET at_ms = at_ms - 2 * 86400000 WHERE seq < (SELECT max(seq) FROM archive)");
  await short.everyHour();
  await settles(async () => expect([(await swept(short)).length, (await rows(short)).length]).toEqual([1, 1]));
  expect((await rebuild(short)).status).toBe(409);

  await using off = await startServer({ config: { archive: false }, queue: { batchTimeout: 0 } });
  await post(off, "/events/click", anEvent());
  await counted(off, 1);
  expect(await rows(off)).toEqual([]);
});
