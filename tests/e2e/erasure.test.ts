// Whoever asks to be forgotten is: in journeys, archive and database; and what was counted stays counted.
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, chromeOf, integrity, IPHONE, pointers, post, report } from "./traffic.ts";

const server = await startServer({
  queue: { batchTimeout: 0 },
  config: { confirm_after_seconds: 1, ship_interval_ms: 100, fold_at_segments: 4 },
});
afterAll(() => server.stop());

const ADA = "ada@shop.example";
const ids = { user_id: ADA, anonymous_id: "device-of-ada", session_id: "session-of-ada" };
const secrets = [ADA, ids.anonymous_id, ids.session_id, "the-order-of-ada", "8.8.8"];

async function access(body: object): Promise<any> {
  const whole: any = { journeys: [], dead_letters: [], deliveries: [], events: [] };
  for (let cursor: string | null = null; ; ) {
    const { status, body: page }: any = await server.api("/api/privacy/access", { ...body, cursor });
    expect(status, JSON.stringify(page)).toBe(200);
    for (const name of Object.keys(whole)) whole[name].push(...page[name]);
    if (!page.more) return { ...page, ...whole };
    cursor = page.cursor;
  }
}

/** Everything that lies anywhere, as one text. */
async function all(): Promise<string> {
  const texts: string[] = [];
  for (const { bytes } of await server.objects()) texts.push(gunzipSync(bytes).toString());
  for (const { name } of await server.sql<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")) {
    texts.push(JSON.stringify(await server.sql(`SELECT * FROM "${name}"`)));
  }
  for (const { body } of await server.sql<{ body: string }>("SELECT body FROM archive WHERE body IS NOT NULL")) {
    for (const line of body.split("\n").filter((line) => line.startsWith('{"record":"outcome"'))) {
      texts.push(Buffer.from(JSON.parse(line).body, "base64").toString("latin1"));
    }
  }
  for (const file of server.objectFiles("Journal")) {
    const database = new DatabaseSync(file, { readOnly: true });
    for (const [sql, column] of [["SELECT frames AS body FROM entries", "body"], ["SELECT records AS body FROM entries", "body"], ["SELECT CAST(p0 || p1 || p2 || p3 || p4 || p5 || p6 || p7 AS BLOB) AS body FROM leaves", "body"]]) {
      for (const row of database.prepare(sql).all()) texts.push(Buffer.from(row[column] as Uint8Array).toString("latin1"));
    }
    database.close();
  }
  return texts.join("\n");
}

async function reports(): Promise<string> {
  const bodies = [];
  for (const query of ["", "group_by=browser", "group_by=country", "group_by=referrer&interval=hour", "group_by=utm_campaign&include_bots=true"]) {
    bodies.push(await report(server, query));
  }
  bodies.push((await server.api("/stats/quality")).body, (await server.api("/stats/conversions?model=all")).body);
  return JSON.stringify(bodies.map(({ as_of: _, ...said }: any) => said));
}

const counted = () =>
  settles(async () => expect(await integrity(server)).toMatchObject({ in_flight: 0, lost: 0, journeys: { in_flight: 0, lost: 0 } }), 40_000);

test("a person clicks, buys, and is erased; the sums stay what they were", async () => {
  const agent = { "user-agent": chromeOf("ada") };
  const place = { "mf-cf-blob": JSON.stringify({ country: "DE", city: "Berlin", continent: "EU" }) };
  await server.api("/api/links", { token: "offer", url: "https://shop.example/land", campaign_id: "spring" });
  // Before she says who she is.
  await server.fetch("/r/offer?utm_campaign=may&email=ada", { headers: { ...agent, ...place, referer: "https://mail.example/inbox/ada" } });
  const { user_id: _, ...device } = ids;
  await post(server, "/events/page", anEvent({ ...device, page_url: "https://shop.example/users/ada?utm_campaign=may&token=secret" }), { ...agent, ...place });
  await post(server, "/events/click", anEvent({ ...ids, props: { note: "the-order-of-ada" } }), { ...agent, ...place });
  const trusted = { authorization: `Bearer ${server.token}`, "user-agent": "shop/1.0" };
  expect((await post(server, "/events/conversion", anEvent({ user_id: ADA, value: 30, currency: "EUR", txid: "the-order-of-ada" }), trusted)).status).toBe(200);
  await post(server, "/events/session_end", anEvent(ids), agent);
  for (const n of [1, 2, 3]) await post(server, "/events/click", anEvent({ user_id: `bob-${n}`, anonymous_id: `device-of-bob-${n}` }), { "user-agent": IPHONE });
  await counted();
  await settles(async () => expect((await server.api("/stats/conversions?model=last")).body.totals.conversions).toBe(1), 40_000);
  // What is gathered lies in the bucket, what comes behind it in its row.
  await server.sql("UPDATE archive SET at_ms = at_ms - 600000");
  await settles(async () => {
    await server.scheduled();
    expect((await server.objects()).length).toBeGreaterThan(0);
  });
  await post(server, "/events/page", anEvent({ ...ids, page_url: "https://shop.example/later" }), agent);
  await counted();

  const before = await reports();
  const held = await access({ user_id: ADA });
  expect(held.events.length).toBe(6);
  expect(held.events.map((line: any) => line.kind).sort()).toEqual(["click", "click", "conversion", "page", "page", "session_end"]);
  const journey = held.journeys.find((one: any) => one.known_as === "user");
  expect(journey.events.length).toBe(6);
  expect(journey.followed).toContainEqual(expect.objectContaining({ what: "conversion", value_micros: 30_000_000 }));
  expect(held.journeys.map((one: any) => one.known_as)).toContain("device");
  expect((await access({ anonymous_id: ids.anonymous_id })).events.length, "the device is the person's").toBe(6);
  expect((await access({ user_id: ADA, from: "2000-01-01", to: "2000-01-02" })).events).toEqual([]);
  expect(await all()).toContain(ADA);

  const asked = await server.api("/api/privacy/erasures", { user_id: ADA });
  expect(asked.status).toBe(202);
  const receipt = await settled(asked.body.id);
  expect(receipt).toMatchObject({ state: "watching", subject: "user_id", requested_by: "admin", counts: { events: 6 } });
  expect(receipt.counts.journeys).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(receipt)).not.toContain("ada");
  expect((await server.api("/api/privacy/erasures")).body.data[0]).toEqual(receipt);

  expect(await access({ user_id: ADA })).toMatchObject({ journeys: [], events: [], dead_letters: [], deliveries: [] });
  expect(await access({ anonymous_id: ids.anonymous_id })).toMatchObject({ journeys: [], events: [] });
  // The journals wait until the ledger has what they told.
  await settles(async () => {
    const text = await all();
    for (const secret of secrets) expect(text.includes(secret), secret).toBe(false);
    expect(text).toContain("bob-2");
  }, 40_000);
  expect((await access({ user_id: "bob-1" })).events.length).toBe(1);
  expect(await reports()).toBe(before);
  // From nothing but what is left in the archive.
  for (;;) {
    const { status, body } = await server.api("/api/rebuild", {});
    expect(status, JSON.stringify(body)).toBe(200);
    if (body.state === "done") break;
  }
  expect(await reports()).toBe(before);
});

async function settled(id: string): Promise<any> {
  let receipt: any;
  await settles(async () => {
    await server.scheduled();
    receipt = (await server.api(`/api/privacy/erasures/${id}`)).body;
    expect(receipt.state).not.toMatch(/waiting|running/);
  }, 40_000);
  return receipt;
}

test("what was on its way is erased when it arrives, and what happens afterwards is new", async () => {
  const asked = await server.api("/api/privacy/erasures", { user_id: "cleo" });
  await settled(asked.body.id);
  await post(server, "/events/page", anEvent({ user_id: "cleo", event_time: Date.now() - 60_000, sent_at: Date.now() }));
  await post(server, "/events/page", anEvent({ user_id: "cleo", event_time: Date.now() + 1 }));
  await counted();
  expect((await access({ user_id: "cleo" })).events.length).toBe(2);
  await server.everyHour();
  await settles(async () => {
    await server.scheduled();
    expect((await access({ user_id: "cleo" })).events.length).toBe(1);
  }, 40_000);
  const [journey] = (await access({ user_id: "cleo" })).journeys;
  expect(journey.events.length).toBe(1);
  // After 14 days nothing can arrive any more, and nothing is left but the receipt.
  await server.sql("UPDATE erasures SET requested_ms = requested_ms - 1300000000");
  await server.everyHour();
  await settles(async () => {
    await server.everyHour();
    expect((await server.api(`/api/privacy/erasures/${asked.body.id}`)).body).toMatchObject({ state: "done", names: 0 });
  });
  expect(await server.sql("SELECT * FROM erasure_keys")).toEqual([]);
});

test("who was asked about, and by whom, stands in the trail, without a name", async () => {
  const entries = (await server.api("/api/audit?entity=erasure")).body.data;
  expect(entries.length).toBe(2);
  expect(entries[0]).toMatchObject({ actor: "admin", action: "created" });
  expect((await server.api("/api/audit?entity=access")).body.data.length).toBeGreaterThan(3);
  expect(JSON.stringify((await server.api("/api/audit")).body)).not.toContain("cleo");
});

test("a wrong request is told what is wrong with it", async () => {
  const of = async (path: string, body: unknown) => {
    const { status, body: problem } = await server.api(path, body);
    return [status, ...pointers(problem)];
  };
  for (const path of ["/api/privacy/erasures", "/api/privacy/access"]) {
    expect(await of(path, {})).toEqual([400, ""]);
    expect(await of(path, [])).toEqual([400, ""]);
    expect(await of(path, { user_id: 7 })).toEqual([400, "/user_id"]);
    expect(await of(path, { user_id: " " })).toEqual([400, "/user_id"]);
    expect(await of(path, { user_id: "a", anonymous_id: "b" })).toEqual([400, expect.stringMatching(/_id$/)]);
    expect(await of(path, { name: "a" })).toEqual([400, "/name"]);
    expect((await server.fetch(path, { method: "POST", body: "{}" })).status).toBe(401);
  }
  expect(await of("/api/privacy/access", { user_id: "a", cursor: "x" })).toEqual([400, "/cursor"]);
  expect(await of("/api/privacy/access", { user_id: "a", from: "soon" })).toEqual([400, "/from"]);
  expect((await server.api(`/api/privacy/erasures/${randomUUID()}`)).status).toBe(404);
  expect((await server.fetch("/api/retention")).status).toBe(401);
});

test("what is kept for how long is told, and what is older goes within the hour", async () => {
  const long = Date.now() - 91 * 86_400_000;
  await server.sql("INSERT INTO dead_letters (id, reason, body, at_ms) VALUES ('old', 'x', '', ?)", [long]);
  await server.sql("INSERT INTO dead_letters (id, reason, body, at_ms) VALUES ('new', 'x', '', ?)", [Date.now()]);
  const of = async (name: string) => (await server.api("/api/retention")).body.data.find((one: any) => one.class === name);
  expect(await of("dead_letters")).toMatchObject({ setting: "dead_letter_days", days: 90, rows: 2, oldest: new Date(long).toISOString(), removed: 0 });
  await server.everyHour();
  await settles(async () => expect(await of("dead_letters")).toMatchObject({ rows: 1, last_removed: 1, removed: 1 }));
  expect(await of("archive")).toMatchObject({ setting: "archive_days", days: 0 });
  expect(await of("minutes")).toMatchObject({ setting: null, days: 2 });
  expect((await server.api("/api/retention")).body.data.length).toBe(12);
});
