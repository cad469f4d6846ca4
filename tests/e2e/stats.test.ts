import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, type Fields, from, GOOGLEBOT, integrity, IPHONE, pointers, post, report } from "./traffic.ts";

// The same traffic on three servers: one folds its sums at every message, one never does, and one folds them into three
// databases.
const [folding, lazy, spread] = await Promise.all(
  [
    { fold_at_segments: 1 },
    { fold_at_segments: 1_000_000 },
    { fold_at_segments: 1, databases: ["DB", "DB_2", "DB_3"], databases_before: [1] },
  ].map((config) => startServer({ config: { confirm_after_seconds: 1, ...config }, queue: { batchTimeout: 0 } })),
);
afterAll(() => Promise.all([folding.stop(), lazy.stop(), spread.stop()]));
const each = (test: (server: Server) => Promise<void>) => Promise.all([test(folding), test(lazy), test(spread)]);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const today = Math.floor(Date.now() / DAY) * DAY;
const first = today - 3 * DAY; // a day that is over, of which only hours are asked
const recent = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;

const AUSTIN = from("US", "NA", { regionCode: "TX", city: "Austin" });
const BERLIN = from("DE", "EU", { regionCode: "BE", city: "Berlin" });
const desktop = { "user-agent": CHROME };
const phone = { "user-agent": IPHONE };
const robot = { "user-agent": GOOGLEBOT };

/** Each line: how often, when, by whom, and what. */
const traffic: [number, number, Record<string, string>, Fields][] = [
  [5, first + HOUR, { ...AUSTIN, ...desktop }, { campaign_id: "a", link: "l1", publisher_id: "p1" }],
  [3, first + HOUR, { ...BERLIN, ...phone }, { campaign_id: "a", link: "l2", referrer: "https://www.google.com/" }],
  [2, first + 20 * HOUR, { ...BERLIN, ...desktop }, { campaign_id: "a", link: "l2" }],
  [4, first + DAY + 2 * HOUR, { ...AUSTIN, ...phone }, { campaign_id: "a", link: "l1" }],
  [2, first + DAY + 2 * HOUR, { ...AUSTIN, ...robot }, { campaign_id: "a", link: "l1" }],
  [6, first + DAY + 3 * HOUR, { ...BERLIN, ...desktop }, { campaign_id: "b", sub1: "x,y" }],
  [2, recent + 60_000, { ...AUSTIN, ...desktop }, { campaign_id: "a", link: "l1" }],
  [1, recent + 120_000, { ...AUSTIN, ...desktop }, { campaign_id: "a", link: "l1" }],
];

beforeAll(() =>
  each(async (server) => {
    for (const [times, event_time, headers, fields] of traffic) {
      const visitor = (n: number) => ({ ...headers, "cf-connecting-ip": `198.51.100.${n}` });
      const events = Array.from({ length: times }, (_, n) => ({ visitor: visitor(n), event: anEvent({ event_time, ...fields }) }));
      for (const { visitor, event } of events) expect((await post(server, "/events/click", event, visitor)).body.status).toBe("accepted");
    }
    const once = anEvent({ event_time: recent, campaign_id: "c" });
    for (let n = 0; n < 4; n++) await post(server, "/events/click", once, { ...AUSTIN, ...desktop });
    await settles(async () => {
      expect(await integrity(server)).toMatchObject({ admitted: 26, applied: 26, in_flight: 0, lost: 0, duplicates: 3, duplicates_applied: 3 });
    });
  }),
);

const span = `from=${first}&to=${first + 2 * DAY}`;
const numbers = (entries: any[], of = "clicks") => entries.map((entry) => entry[of]);
const groups = (answer: any) => Object.fromEntries(answer.groups.map((group: any) => [group.value, group.clicks]));

test("one server has folded and the other has not", async () => {
  const rows = async (server: Server, table: string) => Number((await server.sql<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0].n);
  for (const server of [folding, spread]) await settles(async () => expect(await rows(server, "segments")).toBe(0));
  expect(await rows(folding, "sums")).toBeGreaterThan(0);
  for (const database of ["DB", "DB_2", "DB_3"]) {
    const [{ n }] = await spread.sql<{ n: number }>("SELECT count(*) AS n FROM sums", [], database);
    expect(n).toBeGreaterThan(0);
  }
  expect(await rows(lazy, "sums")).toBe(0);
  expect(await rows(lazy, "segments")).toBeGreaterThan(0);
});

test("totals are deduplicated people's", () =>
  each(async (server) => {
    const { totals } = await report(server, `campaign_id=a&${span}`);
    expect(totals).toMatchObject({ clicks: 14, raw: 16, bots: 2, duplicates: 0, impressions: 0, conversions: 0, ctr: null, cost: 0, revenue: 0 });
    // Five addresses with Chrome, and four of them with a phone. An estimate: two may share one of its registers.
    expect([8, 9]).toContain(totals.uniques);
    expect((await report(server, `campaign_id=a&${span}&include_bots=true`)).totals.clicks).toBe(16);
    expect((await report(server, `from=${first}`)).totals).toMatchObject({ clicks: 24, bots: 2, duplicates: 3, raw: 29 });
    expect((await report(server, `campaign_id=c&from=${first}`)).totals).toMatchObject({ clicks: 1, raw: 4, duplicates: 3 });
    expect((await report(server, `campaign_id=nobody&${span}`)).totals).toMatchObject({ clicks: 0, raw: 0, uniques: 0 });
  }));

test("a series has a point for each interval", () =>
  each(async (server) => {
    const days = await report(server, `campaign_id=a&${span}&interval=day`);
    expect(numbers(days.series)).toEqual([10, 4]);
    expect(days.series[0].time).toBe(new Date(first).toISOString().replace(".000Z", "+00:00"));
    const hours = await report(server, `campaign_id=a&${span}&interval=hour`);
    expect(hours.series.length).toBe(48);
    expect(numbers(hours.series).flatMap((clicks, hour) => (clicks ? [[hour, clicks]] : []))).toEqual([[1, 8], [20, 2], [26, 4]]);
    const minutes = await report(server, `campaign_id=a&from=${recent}&to=${recent + 5 * 60_000}&interval=minute`);
    expect(numbers(minutes.series)).toEqual([0, 2, 1, 0, 0]);
    expect(minutes.totals.clicks).toBe(3);
  }));

test("a day is the day of the time zone", () =>
  each(async (server) => {
    const day = (n: number) => new Date(first + n * DAY).toISOString().slice(0, 10);
    const kolkata = await report(server, `campaign_id=a&from=${day(0)}&to=${day(2)}&interval=day&tz=Asia/Kolkata`);
    expect(numbers(kolkata.series)).toEqual([8, 6]); // 20:00 UTC is the next day's 01:30
    expect(kolkata.series[0].time).toBe(`${day(0)}T00:00:00+05:30`);
    const utc = await report(server, `campaign_id=a&from=${day(0)}&to=${day(2)}&interval=day`);
    expect(numbers(utc.series)).toEqual([10, 4]);
    const hours = await report(server, `campaign_id=a&from=${day(0)}&to=${day(1)}&interval=hour&tz=Asia/Kolkata`);
    expect(numbers(hours.series)).toEqual([0, 0, 0, 0, 0, 0, 8, ...Array(17).fill(0)]); // 01:00 UTC is 06:30
  }));

test("hours are the hours of the time zone", () =>
  each(async (server) => {
    const day = new Date(first).toISOString().slice(0, 10);
    // 01:00 UTC is 06:45, and 20:00 UTC the next day's 01:45.
    const hours = await report(server, `campaign_id=a&from=${day}&to=${first + DAY}&interval=hour&tz=asia/kathmandu`);
    expect(hours.tz).toBe("asia/kathmandu"); // as it was asked for
    expect(hours.series[6]).toMatchObject({ time: `${day}T06:00:00+05:45`, clicks: 8 });
    expect(hours.series[25].clicks).toBe(2);
    expect(hours.series.length).toBe(30);
  }));

test("a day is as long as the time zone makes it", async () => {
  const times = async (query: string) => (await report(folding, query)).series.map(({ time }: any) => time);
  const spring = await times("from=2026-03-08&to=2026-03-09&interval=hour&tz=America/New_York");
  expect(spring.length).toBe(23);
  expect(spring.slice(0, 3)).toEqual(["2026-03-08T00:00:00-05:00", "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"]);
  const autumn = await times("from=2025-11-02&to=2025-11-03&interval=hour&tz=America/New_York");
  expect(autumn.length).toBe(25);
  expect(autumn.slice(1, 3)).toEqual(["2025-11-02T01:00:00-04:00", "2025-11-02T01:00:00-05:00"]);
  // Where the clocks skip midnight.
  expect(await times("from=2025-04-24&to=2025-04-27&interval=day&tz=Africa/Cairo"))
    .toEqual(["2025-04-24T00:00:00+02:00", "2025-04-25T01:00:00+03:00", "2025-04-26T00:00:00+03:00"]);
  // The clocks of Morocco go back for Ramadan: a month that moves through the year.
  const year = await times("from=2025-01-01&to=2026-01-01&interval=day&tz=Africa/Casablanca");
  expect(year.length).toBe(365);
  expect(year.filter((time: string, day: number) => time.slice(19) !== year[day - 1]?.slice(19)))
    .toEqual(["2025-01-01T00:00:00+01:00", "2025-02-24T00:00:00+00:00", "2025-04-07T00:00:00+01:00"]);
  // Days of UTC may be eight years of them, by whatever name.
  expect((await times("from=2018-01-01&to=2026-01-01&interval=day&tz=Africa/Abidjan")).length).toBe(2922);
});

test("a time zone is a name of the IANA database, in whatever case", async () => {
  for (const tz of ["UTC", "utc", "Etc/UTC", "Etc/GMT+5", "EST5EDT", "Asia/Calcutta", "asia/KOLKATA", "Europe/Kyiv", "GB"]) {
    const { status, body } = await folding.api(`/stats/clicks?tz=${encodeURIComponent(tz)}`);
    expect([status, body.tz], tz).toEqual([200, tz === "utc" ? "UTC" : tz]);
  }
  // What only the platform takes for a zone, and what nobody does.
  for (const tz of ["", "+01:00", "-05", "IST", "PST", "SystemV/AST4", "UTC+1", "GMT+1", "Mars/Phobos", "Etc/Unknown", "Europe/Oslo ", "Oslo"]) {
    const { status, body } = await folding.api(`/stats/clicks?tz=${encodeURIComponent(tz)}`);
    expect([status, pointers(body)], tz).toEqual([400, ["/tz"]]);
  }
});

test("clicks are grouped by what is known of them", () =>
  each(async (server) => {
    const by = async (dimension: string, more = "campaign_id=a") => groups(await report(server, `${more}&${span}&group_by=${dimension}`));
    expect(await by("country")).toEqual({ US: 9, DE: 5 });
    expect(await by("city")).toEqual({ "Austin (US)": 9, "Berlin (DE)": 5 });
    expect(await by("continent")).toEqual({ NA: 9, EU: 5 });
    expect(await by("link")).toEqual({ l1: 9, l2: 5 });
    expect(await by("publisher_id")).toEqual({ p1: 5, "": 9 });
    expect(await by("device")).toMatchObject({ desktop: 7, smartphone: 7 });
    expect(await by("os")).toMatchObject({ Windows: 7, iOS: 7 });
    expect(await by("channel")).toMatchObject({ direct: 11, search: 3 });
    expect(await by("referrer")).toMatchObject({ "google.com": 3 });
    expect(await by("source")).toEqual({ beacon: 14 });
    expect(await by("campaign_id", "")).toEqual({ a: 14, b: 6 });
    expect(await by("campaign_id", "link=l2")).toEqual({ a: 5 });
    expect(await by("sub1", "campaign_id=b")).toEqual({ "x,y": 6 });
    const verdicts = await report(server, `campaign_id=a&${span}&group_by=verdict&include_bots=true`);
    expect(groups(verdicts)).toEqual({ human: 14, bot: 2 });
    const kinds = await report(server, `campaign_id=a&${span}&group_by=kind`);
    expect(kinds.groups[0]).toMatchObject({ kind: "click", events: 16, humans: 14, bots: 2 });
  }));

test("filters include, exclude and combine", () =>
  each(async (server) => {
    const clicks = async (filter: string) => (await report(server, `${span}&${filter}`)).totals.clicks;
    expect(await clicks("campaign_id=a&country=US")).toBe(9);
    expect(await clicks("campaign_id=a&country=us")).toBe(9);
    expect(await clicks("campaign_id=a&country=US,DE")).toBe(14);
    expect(await clicks("campaign_id=a&country=-US")).toBe(5);
    expect(await clicks("campaign_id=a&publisher_id=-")).toBe(5);
    expect(await clicks("campaign_id=a&publisher_id=-p1")).toBe(9);
    expect(await clicks("campaign_id=a,b")).toBe(20);
    expect(await clicks("campaign_id=-a")).toBe(6);
    expect(await clicks("link=l1")).toBe(9);
    expect(await clicks(`campaign_id=b&sub1=${encodeURIComponent("x\\,y")}`)).toBe(6);
    expect(await clicks("campaign_id=a&country=DE&device=smartphone")).toBe(3);
    expect(await clicks("campaign_id=a&country=DE&device=-smartphone")).toBe(2);
    expect(await clicks("country=US&device=smartphone&include_bots=1")).toBe(4);
    const combined = await report(server, `campaign_id=a&${span}&country=DE&group_by=device`);
    expect(groups(combined)).toEqual({ smartphone: 3, desktop: 2 });
    expect(numbers(combined.series)).toEqual([5, 0]);
  }));

test("what cannot be answered is refused by name", async () => {
  for (const [query, pointer] of [
    ["group_by=weather", "/group_by"], ["interval=week", "/interval"], ["tz=Mars/Phobos", "/tz"], ["from=yesterday", "/from"],
    ["nonsense=1", "/nonsense"], ["limit=0", "/limit"], ["from=0&from=1", "/from"], ["kind=click", "/kind"],
    ["include_bots=maybe", "/include_bots"], ["country=US&group_by=city", "/group_by"], ["device=phone", "/device"],
    [`from=${first}&to=${first + DAY}&interval=minute`, "/interval"], ["interval=hour&from=2020-01-01", "/interval"],
  ]) {
    const { status, body } = await folding.api(`/stats/clicks?${query}`);
    expect([status, pointers(body)], query).toEqual([400, [pointer]]);
  }
  expect((await folding.api(`/stats/clicks?from=${first + DAY}&to=${first}`)).status).toBe(400);
  expect((await folding.api("/stats/clicks", {})).status).toBe(405);
});

test("folding changes no number", async () => {
  const queries = ["", "campaign_id=a", "campaign_id=a,b", "link=l1", "country=US", "campaign_id=a&country=-US&device=smartphone"];
  const shapes = ["", "group_by=country", "group_by=device&include_bots=true", "interval=day", "interval=day&group_by=browser", "interval=hour"];
  let compared = 0;
  for (const query of queries) {
    for (const shape of shapes) {
      const path = `/stats/clicks?from=${first}&${query}&${shape}`;
      const [a, b] = await Promise.all([folding.api(path), lazy.api(path)]);
      delete a.body.as_of;
      delete b.body.as_of;
      expect(a, path).toEqual(b);
      compared += a.status === 200 ? 1 : 0;
    }
  }
  expect(compared).toBeGreaterThan(24);
});

test("the minute's and the hour's tick change no number", async () => {
  const before = await report(lazy, `from=${first}&group_by=country`);
  await lazy.scheduled();
  await folding.scheduled();
  const after = await report(lazy, `from=${first}&group_by=country`);
  expect({ ...after, as_of: 0 }).toEqual({ ...before, as_of: 0 });
});

test("integrity tells gate by gate what was admitted and what was counted", () =>
  each(async (server) => {
    const whole = await integrity(server);
    expect(whole).toMatchObject({ admitted: 26, applied: 26, in_flight: 0, dead_lettered: 0, lost: 0, gates_unreached: 0 });
    const sum = (of: string) => whole.gates.reduce((sum: number, gate: any) => sum + gate[of], 0);
    for (const of of ["admitted", "applied", "lost", "in_flight", "duplicates"]) expect([of, sum(of)]).toEqual([of, whole[of]]);
    for (const gate of whole.gates) expect(gate.gate).toMatch(/^gate\/(enam|wnam|weur)\/[0-3]$/);
    const [{ events }] = await server.sql<{ events: number }>("SELECT sum(events) AS events FROM applied WHERE gate LIKE 'gate/%'");
    expect(events).toBe(26);
  }));

test("a scanned code is told from a followed link", () =>
  each(async (server) => {
    const made = await server.api("/api/links", { token: "poster", url: "https://shop.example/", campaign_id: "street" });
    expect(made.status).toBe(201);
    for (const [n, query] of ["", "?src=qr", "?src=mail", "?utm_source=x&src=qr", "?src=qr"].entries()) {
      const headers = { ...AUSTIN, ...phone, "cf-connecting-ip": `198.51.100.${n}` };
      expect((await server.fetch(`/r/poster${query}`, { headers })).status).toBe(302);
    }
    await post(server, "/events/click", anEvent({ link: "poster", campaign_id: "street", name: "tap" }), { ...AUSTIN, ...phone });
    const by = async (dimension: string) => groups(await report(server, `link=poster&group_by=${dimension}`));
    await settles(async () => expect(await by("trigger")).toEqual({ qr: 3, link: 2, "": 1 }));
    expect(await by("name")).toEqual({ tap: 1, "": 5 });
    expect(await by("variant")).toEqual({ "": 6 });
    const { totals } = await report(server, "campaign_id=street&trigger=qr");
    expect(totals).toMatchObject({ clicks: 3, failed: 0, cost: 0 });
    expect((await report(server, "campaign_id=street&variant=&country=US&group_by=device")).totals.clicks).toBe(6);
    const { status, body } = await server.api("/stats/clicks?trigger=nfc");
    expect([status, pointers(body)]).toEqual([400, ["/trigger"]]);
  }));
