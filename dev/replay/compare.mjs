// What was sent beside what was counted. Pure: the answers of both sides in, rows of a table out.
import { GROUPS_MAX } from "./stats.mjs";

const HOUR_MS = 3_600_000;
const KINDS = ["page", "click"];
/** The field of a group's or point's numbers that holds a kind. */
const FIELD = { page: "pages", click: "clicks" };
/** HyperLogLog errs by 1.6 % one time in three. */
const UNIQUES_ERROR = 0.03;

/** Rows `{what, sent, counted, ok}`; `ok` is absent where there is nothing to compare. */
export function compare({ log, tooOld, sent, integrity, sameDay, byAgent, people, byHour, byDimension }) {
  const rows = [];
  const tell = (what, value) => rows.push({ what, sent: value });
  const same = (what, left, right) => rows.push({ what, sent: left, counted: right, ok: left === right });
  const { kinds } = byAgent.totals;

  tell("lines", log.lines);
  tell("broken", log.broken.length);
  if (tooOld > 0) tell("older than 90 days", tooOld);
  tell("requests", sent.requests);
  tell("of them retries", sent.retries);
  same("refused or given up", [...sent.refusals.values()].reduce((sum, times) => sum + times, 0), 0);
  same("lost, of all campaigns", 0, integrity.lost);
  same("in flight, of all campaigns", 0, integrity.in_flight);

  for (const kind of KINDS) {
    same(`accepted: ${kind}`, sent.events.filter((event) => event.kind === kind).length, kinds[kind].events);
    const duplicates = sent.duplicates.get(kind) ?? 0;
    // A retry may be the copy of a request that was recorded, and whose answer was lost.
    const most = duplicates + sent.retries;
    const { duplicates: found } = kinds[kind];
    rows.push({ what: `duplicates: ${kind}`, sent: duplicates, counted: found, ok: duplicates <= found && found <= most });
    same(`people + bots: ${kind}`, kinds[kind].humans + kinds[kind].bots, kinds[kind].events);
  }
  const other = Object.entries(kinds).filter(([kind]) => !KINDS.includes(kind));
  same("other kinds", 0, other.reduce((sum, [, numbers]) => sum + numbers.events + numbers.duplicates, 0));
  same("clicks, people's", kinds.click.humans, people.totals.clicks);
  same("clicks, bots'", kinds.click.bots, people.totals.bots);
  const bots = byDimension.get("verdict").groups.find((group) => group.value === "bot");
  same("events by verdict: bot", KINDS.reduce((sum, kind) => sum + kinds[kind].bots, 0), bots ? numbersOf(bots).reduce((a, b) => a + b) : 0);

  const agents = tallied(sent.events, (event) => event.agent);
  const agentsAreAll = agents.size <= GROUPS_MAX && !byAgent.approximate;
  if (agentsAreAll) rows.push(agreeing("user agents", agents, byValue(byAgent.groups)));
  const hours = tallied(sent.events, (event) => Math.floor(event.atMs / HOUR_MS) * HOUR_MS);
  rows.push(agreeing("hours", hours, new Map(byHour.series.map((point) => [Date.parse(point.time), numbersOf(point)]))));
  for (const [dimension, report] of byDimension) {
    if (report.group_count > GROUPS_MAX) continue;
    const sum = report.groups.map(numbersOf).reduce((sum, numbers) => sum.map((value, i) => value + numbers[i]), [0, 0]);
    same(`sum by ${dimension} (${report.group_count})`, numbersOf(report.totals).join(" + "), sum.join(" + "));
  }
  if (agentsAreAll && sameDay) rows.push(...uniques(sent.events, byAgent, people));
  return rows;
}

function numbersOf(entry) {
  return KINDS.map((kind) => entry[FIELD[kind]]);
}

function byValue(groups) {
  return new Map(groups.map((group) => [group.value, numbersOf(group)]));
}

/** Events by key: how many of each kind. */
function tallied(events, keyOf) {
  const tally = new Map();
  for (const event of events) {
    const key = keyOf(event);
    if (!tally.has(key)) tally.set(key, KINDS.map(() => 0));
    tally.get(key)[KINDS.indexOf(event.kind)] += 1;
  }
  return tally;
}

/** How many keys have the same numbers on both sides. */
function agreeing(what, sent, counted) {
  let agree = 0;
  for (const [key, numbers] of sent) {
    const found = counted.get(key) ?? [0, 0];
    if (numbers.every((value, i) => value === found[i])) agree += 1;
  }
  return { what: `${what} that agree`, sent: sent.size, counted: agree, ok: agree === sent.size };
}

/**
 * People who clicked. Whether somebody is a person is the target's judgement, and by the user agent alone for events
 * that a server sends; who it is, is the address and the user agent.
 */
function uniques(events, byAgent, people) {
  const all = byValue(byAgent.groups);
  const peoples = byValue(people.groups);
  const visitors = new Set();
  for (const { kind, agent, address, userAgent } of events) {
    if (kind !== "click") continue;
    const [, clicks] = all.get(agent) ?? [0, 0];
    const [, human] = peoples.get(agent) ?? [0, 0];
    if (human > 0 && human < clicks) return [];
    if (human > 0) visitors.add(`${address} ${userAgent}`);
  }
  const found = people.totals.uniques;
  const ok = Math.abs(found - visitors.size) <= UNIQUES_ERROR * visitors.size;
  return [{ what: "unique visitors, within 3 %", sent: visitors.size, counted: found, ok }];
}

export function print(rows) {
  const cells = rows.map(({ what, sent, counted, ok }) => [what, String(sent), String(counted ?? ""), ok === false ? "DIFFERS" : ok ? "same" : ""]);
  const table = [["", "sent", "counted", ""], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  for (const [what, sent, counted, ok] of table) {
    console.log(`${what.padEnd(widths[0])}  ${sent.padStart(widths[1])}  ${counted.padStart(widths[2])}  ${ok}`.trimEnd());
  }
  const differing = rows.filter((row) => row.ok === false).length;
  console.log(differing === 0 ? "everything that was sent was counted once" : `${differing} differences`);
}
