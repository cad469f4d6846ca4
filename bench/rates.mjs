// npm run cost: what a million events cost at other rates than the one that was measured, and which knob moves it.
//
// Operations are counted by `npm run bench` at 1,000 events/s; here they are worked out for any rate from the same
// settings: how often gates commit, how many messages leave, how many transactions the consumer makes. The last lines
// set the arithmetic beside what was counted, so that nobody need believe it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cost, total } from "./cost.mjs";

const { values: args } = parseArgs({
  options: {
    rates: { type: "string", default: "10,1000,100000" },
    out: { type: "string", default: join(import.meta.dirname, "cost.json") },
  },
});

const results = JSON.parse(readFileSync(join(import.meta.dirname, "results.json"), "utf8"));
const measured = (name) => results.rows.find((row) => row.name === name)?.value;

/** Shares of the continents in the mix, see bench/traffic.mjs; how North America, Europe and Asia are divided up is an assumption, that of bench/simulate. */
const PLACES = { wnam: 0.15, enam: 0.25, sam: 0.1, weur: 0.15, eeur: 0.1, me: 0.02, "apac-ne": 0.06, "apac-se": 0.12, oc: 0.05, afr: 0.05 };
/** Whose gates are used where there are none. */
const NEAREST = { sam: "enam", eeur: "weur", me: "weur", "apac-ne": "apac", "apac-se": "apac", afr: "weur", apac: "weur", oc: "apac", wnam: "enam", enam: "weur" };
const CONTINENTS = { wnam: "enam", eeur: "weur", me: "apac", "apac-ne": "apac", "apac-se": "apac" };

/** The share of each region that has gates. */
function sharesOf(has, next) {
  const all = Object.values(PLACES).reduce((sum, share) => sum + share, 0);
  const shares = {};
  for (const [place, share] of Object.entries(PLACES)) {
    let region = place;
    while (!has.includes(region)) region = next[region];
    shares[region] = (shares[region] ?? 0) + share / all;
  }
  return Object.values(shares);
}

/** As wrangler.toml sets it. */
const WORLD = sharesOf(["wnam", "enam", "weur", "apac", "oc"], NEAREST);
const SIX = sharesOf(["enam", "sam", "weur", "apac", "oc", "afr"], CONTINENTS);
const THREE = sharesOf(["enam", "weur", "apac"], NEAREST);
const NEAR = sharesOf(["wnam", "enam", "weur", "eeur", "apac-ne", "apac-se", "oc"], { sam: "enam", me: "eeur", afr: "weur" });
const PARTITIONS = 8;
const LEVELS = 4;
const EVENT_BYTES = 260;
const MESSAGE_BYTES = 63 * 1024;
/** `journey_shards`, and what a journal writes: see durable_objects/src/journal.rs and its shelf. */
const JOURNALS = 8;
const RECORD_BYTES = 800;
const ENTRY_BYTES = 250_000;
const PAGE_BYTES = 256 * 1024;
/** How often a record is written into a page in its life: once for each power of eight that the shelf holds. */
const MERGES = 4;
/** Of a visitor's events, so many are one session's, whose end is written once; ends of a minute together. */
const EVENTS_PER_SESSION = 1.5;
const BATCH = 100;
const BATCH_WAIT_SECONDS = 5;
const ALARM_EVERY_SECONDS = 30;
/** An object is awake for so long after its last call. */
const AWAKE_SECONDS = 10;
/** Calls/s that an object takes, by the platform's own word. */
const GATE_MOST = 1_000;
/** What an isolate takes before the platform starts another. */
const PER_ISOLATE = 250;

export const SETTINGS = {
  regions: WORLD,
  shards: (rate, share) => Math.ceil((rate * share) / 450),
  commitMs: 25,
  shipMs: 1_000,
  foldAt: 48,
  batch: 1,
  links: 200,
  scopes: 220, // links, campaigns and the whole
};

const shardsOf = (set, rate, share) => (typeof set.shards === "function" ? set.shards(rate, share) : set.shards);

/** Operations of an hour at a rate, as `cost` wants them. */
export function counted(rate, set = SETTINGS) {
  const seconds = 3_600;
  const events = rate * seconds;
  const requests = events / set.batch;
  let [gates, gateCalls, commits, messages, awake] = [0, 0, 0, 0, 0];
  for (const share of set.regions) {
    const shards = shardsOf(set, rate, share);
    // A batch goes to each gate that one of its events belongs to.
    const calls = (rate * share * Math.min(set.batch, shards * (1 - (1 - 1 / shards) ** set.batch))) / set.batch / shards;
    const each = (rate * share) / shards;
    // A commit is due an interval after the last, at the first call from then on.
    const perSecond = 1 / (set.commitMs / 1e3 + 1 / calls);
    // A message leaves with the first commit after the interval, and when it is full.
    const left = Math.max(1 / (set.shipMs / 1e3 + 1 / perSecond), (each * EVENT_BYTES) / MESSAGE_BYTES);
    gates += shards;
    gateCalls += calls * shards * seconds;
    commits += perSecond * shards * seconds;
    messages += left * shards * seconds;
    awake += shards * (1 - Math.exp(-calls * AWAKE_SECONDS));
  }
  const perSecond = messages / seconds;
  const transactions = seconds * Math.max(perSecond / BATCH, 1 / (BATCH_WAIT_SECONDS + 1 / perSecond));
  const perTransaction = events / transactions;
  const segments = Math.min(PARTITIONS, perTransaction);
  // A fold writes the pages of the scopes that its segments touch, at each level; a transaction of few events, few.
  const pages = LEVELS * set.scopes * (1 - Math.exp((-perTransaction * set.foldAt) / set.scopes));
  const databaseRows =
    2 * messages + transactions * Math.min(gates, messages / transactions) + 2 * segments * transactions + ((pages + 2 * PARTITIONS) * transactions) / set.foldAt;
  // A transaction's events are an entry for each journal that they belong to; the ends of a minute's sessions likewise.
  const entriesOf = (visitors) => {
    const journals = JOURNALS * (1 - (1 - 1 / JOURNALS) ** visitors);
    return Math.max(journals, (visitors * RECORD_BYTES) / ENTRY_BYTES);
  };
  const minutes = seconds / 60;
  const sessions = events / EVENTS_PER_SESSION;
  const entries = transactions * entriesOf(perTransaction) + minutes * entriesOf(sessions / minutes);
  const merged = (MERGES * (events + sessions) * RECORD_BYTES) / PAGE_BYTES;
  // Written, and deleted when they are merged; and each minute an alarm.
  const journalRows = 2 * entries + 2 * merged + minutes * entriesOf(sessions / minutes);
  return {
    events,
    seconds,
    requests,
    gateCalls,
    gates: awake,
    cpuSeconds: (events * (set.batch > 1 ? measured("batch_event") : measured("redirect_whole"))) / 1e6,
    // Written over rows that nobody needs any more.
    logRows: commits,
    journalRows,
    alarms: (awake * seconds) / ALARM_EVERY_SECONDS,
    messages,
    transactions,
    databaseRows,
    links: set.links,
    linkFreshSeconds: 600,
    isolates: Math.max(1, rate / PER_ISOLATE),
  };
}

const rowsOf = (operations) => (operations.logRows + operations.journalRows + operations.alarms + operations.databaseRows) / operations.events;

const KNOBS = [
  ["as it is set", {}],
  ["three regions: enam, weur, apac", { regions: THREE }],
  ["seven regions: eeur, apac-ne and apac-se too", { regions: NEAR }],
  ["one region, or gate_regions = false", { regions: [1] }],
  ["as many in each of six: gate_shards = 2", { regions: SIX, shards: 2 }],
  ["gate_shards a number, as many as the largest region needs", { regions: SIX, shards: (rate) => Math.max(2, Math.ceil((rate * Math.max(...SIX)) / 450)) }],
  ["4 times the gates", { shards: (rate, share) => 4 * SETTINGS.shards(rate, share) }],
  ["commit_interval_ms = 10", { commitMs: 10 }],
  ["commit_interval_ms = 50", { commitMs: 50 }],
  ["ship_interval_ms = 250", { shipMs: 250 }],
  ["ship_interval_ms = 5000", { shipMs: 5_000 }],
  ["fold_at_segments = 12", { foldAt: 12 }],
  ["fold_at_segments = 192", { foldAt: 192 }],
  ["clients send batches of 10", { batch: 10 }],
  ["clients send batches of 100", { batch: 100 }],
];

const rates = args.rates.split(",").map(Number);
if (rates.some((rate) => !(rate > 0))) throw new Error("--rates is a list of numbers: --rates 10,1000");
const table = KNOBS.map(([knob, change]) => ({
  knob,
  rates: rates.map((rate) => {
    const operations = counted(rate, { ...SETTINGS, ...change });
    const most = Math.max(...(change.regions ?? WORLD).map((share) => (rate * share) / shardsOf({ ...SETTINGS, ...change }, rate, share) / Math.min(change.batch ?? 1, 10)));
    if (most > GATE_MOST) return { events_per_second: rate, too_few_gates: true };
    return { events_per_second: rate, usd_per_million: total(cost(operations)), rows_per_event: rowsOf(operations), usd_per_month: total(cost(operations)) * rate * 2.592 };
  }),
}));
const terms = rates.map((rate) => ({ events_per_second: rate, terms: cost(counted(rate)) }));
// One region's customer has one of the gates.
const one = { ...SETTINGS, regions: [1] };
const check = [
  ["journal_rows_per_event", counted(1_000).journalRows / counted(1_000).events],
  ["rows_written_per_event", rowsOf(counted(1_000))],
  ["cost_per_million_usd", total(cost(counted(1_000)))],
  ["rows_written_per_event_one_region", rowsOf(counted(1_000, one))],
  ["cost_per_million_usd_one_region", total(cost(counted(1_000, one)))],
].map(([name, computed]) => ({ name, computed, measured: measured(name) }));
writeFileSync(args.out, `${JSON.stringify({ rates, knobs: table, terms, check }, null, 2)}\n`);

const usd = (value) => `$${value.toFixed(value < 10 ? 2 : 0)}`;
const print = (head, body) => {
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column].length)));
  for (const row of [head, ...body]) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
};
console.log("USD for a million events, and rows written for each, by list price\n");
print(
  ["events/s", ...rates.map((rate) => rate.toLocaleString("en"))],
  table.map(({ knob, rates }) => [knob, ...rates.map((at) => (at.too_few_gates ? "too few gates" : `${usd(at.usd_per_million)} ${at.rows_per_event.toFixed(2)}`))]),
);
console.log("\nas it is set, by what is billed\n");
print(
  ["", ...rates.map((rate) => rate.toLocaleString("en"))],
  [...terms[0].terms.map(({ name }, place) => [name, ...terms.map(({ terms }) => `$${terms[place].usd.toFixed(3)}`)]), ["a month of it", ...table[0].rates.map((at) => usd(at.usd_per_month))]],
);
console.log("\nthe arithmetic beside what npm run bench counted at 1,000 events/s\n");
print(["", "computed", "counted"], check.map(({ name, computed, measured }) => [name, computed.toFixed(3), measured === undefined ? "not counted yet" : String(measured)]));
