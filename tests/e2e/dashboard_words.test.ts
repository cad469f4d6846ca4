// What the dashboard works out by itself: spans of time, what an A/B test says, and what it calls things.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { label } from "../../dashboard/src/format.ts";
import { later, periodOf } from "../../dashboard/src/period.ts";
import { MACROS } from "../../dashboard/src/ui/postback.ts";
import { verdict } from "../../dashboard/src/verdict.ts";

const NOON = Date.parse("2026-03-31T12:30:00Z");
const at = (query: string, now = NOON, wholeDays = false) => periodOf(new URLSearchParams(query), wholeDays, now);

test("a period ends today, and the one before it is as long", () => {
  const week = at("period=7d&tz=UTC");
  expect([week.now, week.before, week.interval]).toEqual([{ from: "2026-03-25", to: "2026-04-01" }, { from: "2026-03-18", to: "2026-03-25" }, "day"]);
  expect(at("tz=UTC").now).toEqual({ from: "2026-03-02", to: "2026-04-01" });
});

test("today is the day that it is in the zone", () => {
  const late = Date.parse("2026-03-31T22:30:00Z");
  expect(at("period=today&tz=UTC", late).now.from).toBe("2026-03-31");
  expect(at("period=today&tz=Europe/Berlin", late).now.from).toBe("2026-04-01");
  expect(at("period=yesterday&tz=America/Los_Angeles", Date.parse("2026-03-31T03:00:00Z")).now).toEqual({ from: "2026-03-29", to: "2026-03-30" });
});

test("a month is compared with the whole month before", () => {
  const last = at("period=last-month&tz=UTC");
  expect([last.now, last.before]).toEqual([{ from: "2026-02-01", to: "2026-03-01" }, { from: "2026-01-01", to: "2026-02-01" }]);
});

test("hours are whole hours, and combined filters whole days of UTC", () => {
  const day = at("period=24h&tz=Europe/Berlin");
  expect([Number(day.now.to) - Number(day.now.from), Number(day.now.to) % 3_600_000, day.interval]).toEqual([86_400_000, 0, "hour"]);
  const combined = at("period=24h&tz=Europe/Berlin", NOON, true);
  expect([combined.tz, combined.now, combined.interval]).toEqual(["UTC", { from: "2026-03-30", to: "2026-04-01" }, "day"]);
});

test("dates that somebody chose are inclusive, and nonsense is the default", () => {
  expect(at("period=custom&from=2026-02-27&to=2026-02-28&tz=UTC").now).toEqual({ from: "2026-02-27", to: "2026-03-01" });
  for (const query of ["period=custom&from=2026-02-30x", "period=custom&from=2026-03-02&to=2026-03-01", "period=nonsense"]) {
    expect(at(`${query}&tz=UTC`).now, query).toEqual({ from: "2026-03-02", to: "2026-04-01" });
  }
  expect(later("2026-02-28", 1)).toBe("2026-03-01");
});

const arms = (a: [number, number], b: [number, number]) => verdict([{ name: "a", clicks: a[0], conversions: a[1] }, { name: "b", clicks: b[0], conversions: b[1] }]);

test("a difference that chance makes is not called one", () => {
  expect(arms([1_000, 100], [1_000, 150]).sentence).toBe("“b” converts 50% better than “a”. That is unlikely to be chance (p < 0.001).");
  expect(arms([1_000, 100], [1_000, 140]).sentence).toContain("(p = 0.006)");
  expect(arms([100, 10], [100, 13]).sentence).toContain("that may be chance (p = 0.51)");
  expect(arms([100, 0], [100, 0]).sentence).toContain("nothing to compare");
  expect(arms([0, 0], [100, 3]).sentence).toContain("Not every variant");
});

test("an interval holds the rate, and stays between none and all", () => {
  for (const [clicks, conversions] of [[10, 0], [10, 10], [1_000, 30], [5, 9]] as const) {
    const [one] = arms([clicks, conversions], [1, 1]).arms;
    expect(one!.low).toBeGreaterThanOrEqual(0);
    expect(one!.high).toBeLessThanOrEqual(1);
    expect(one!.low).toBeLessThanOrEqual(one!.rate + 1e-9);
    expect(one!.high).toBeGreaterThanOrEqual(one!.rate - 1e-9);
  }
  // Newcombe 1998: 81 of 263.
  const [one] = arms([263, 81], [1, 1]).arms;
  expect([one!.low.toFixed(4), one!.high.toFixed(4)]).toEqual(["0.2553", "0.3662"]);
});

test("each macro of a postback can be inserted, and no other", () => {
  const source = readFileSync(join(import.meta.dirname, "../../analytics/src/template.rs"), "utf8");
  const [, list = ""] = /MACROS: \[&str; \d+\] = \[(.*?)\];/s.exec(source) ?? [];
  const known = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  expect(known.length).toBeGreaterThan(0);
  expect(MACROS.flatMap(([, names]) => [...names]).sort()).toEqual(known.sort());
});

test("what a machine is called by has words", () => {
  expect(["honeypot", "burst"].map((reason) => label("bot_reason", reason))).toEqual(["Followed a trap", "Faster than a person can"]);
  expect(["under_2ms", "under_1s", "over_5s", ""].map((bucket) => label("latency", bucket))).toEqual(["Under 2 ms", "Under 1 s", "Over 5 s", "No time at all"]);
});
