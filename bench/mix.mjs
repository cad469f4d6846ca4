// The realistic mix at a fixed rate, and every row it leaves behind.
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, startServer } from "../tests/e2e/server.ts";
import { openLoop } from "./client.mjs";
import { cpuSeconds } from "./cpu.mjs";
import { Traffic, expiredLink, links, ruledLinks } from "./traffic.mjs";

/** So often per partition is the product configured to fold; the run folds sooner to see what a fold writes. */
const FOLD_AT_SEGMENTS = 48;
const FOLD_AT_SEGMENTS_HERE = 4;
/** A gate is woken about so often while it is busy: when the ledger is due to know its oldest message. */
const ALARM_EVERY_SECONDS = 30;

export async function startProduct(config = {}) {
  const server = await startServer({ direct: true, config });
  for (const link of [...links, ...ruledLinks, expiredLink]) {
    const { status, body } = await server.api("/api/links", link);
    if (status !== 201) throw new Error(`no link ${link.token}: ${status} ${JSON.stringify(body)}`);
  }
  return server;
}

/** How many hits are in the sums or were turned away, as the ledger has it; what followed from journeys is none. */
export async function countedBy(server) {
  const [row] = await server.sql(
    "SELECT coalesce(sum(events + duplicates), 0) AS hits, coalesce(sum(dead), 0) AS dead FROM applied WHERE gate LIKE 'gate/%'",
  );
  if (row.dead > 0) throw new Error(`${row.dead} events are dead`);
  return row.hits;
}

/** Waits until so many hits are counted. */
export async function settled(server, hits) {
  // Asking costs CPU as well: not before the consumer's timeout can have passed for everybody.
  await sleep(1_000);
  return await eventually(async () => {
    const counted = await countedBy(server);
    if (counted > hits) throw new Error(`${counted} hits are counted, and only ${hits} were sent`);
    return counted === hits;
  }, 60_000);
}

/** Runs the mix on a fresh product; gives its counts for `cost`, and latencies. */
export async function mix(options) {
  const server = await startProduct({ fold_at_segments: FOLD_AT_SEGMENTS_HERE });
  try {
    return await run(server, options);
  } catch (error) {
    const state = existsSync(`/proc/${server.workerd}`) ? "runs" : "is gone";
    throw new Error(`${error.message}; workerd ${state}, and said: ${server.log.slice(-1_000) || "nothing"}`);
  } finally {
    await server.stop();
  }
}

async function run(server, { rate, seconds, where }) {
  const traffic = new Traffic(7, where);
  await openLoop(server.direct, { rate, seconds: 1, next: traffic.mixed });
  await settled(server, rate);
  const before = await books(server);
  const cpu = cpuSeconds(server.workerd);
  const outcome = await openLoop(server.direct, { rate, seconds, next: traffic.mixed });
  await settled(server, rate + outcome.requests);
  const after = await books(server);
  const less = (name) => after[name] - before[name];
  const transactions = less("transactions");
  const gates = after.gates;
  return {
    events: outcome.requests,
    seconds,
    requests: outcome.requests,
    gateCalls: outcome.requests,
    gates,
    cpuSeconds: cpuSeconds(server.workerd) - cpu,
    // A commit's row is written once, over one that nobody needs any more: see
    // a_busy_gate_writes_over_the_rows_that_nobody_needs in durable_objects.
    logRows: less("logRows"),
    // Setting an alarm is a row.
    alarms: gates * Math.ceil(seconds / ALARM_EVERY_SECONDS),
    // As each cursor says, alarms included. What a session's end writes half an hour later is not among them: see
    // bench/rates.mjs.
    journalRows: less("journalRows"),
    journalRowsRead: less("journalRowsRead"),
    messages: less("messages"),
    transactions,
    databaseRows:
      // A message's entry, and its deletion two weeks later.
      2 * less("messages") +
      // One upsert for each gate in a transaction.
      less("totals") +
      // A segment is written by a transaction and deleted by a fold.
      2 * less("segments") +
      // A fold writes every page that its segments touch, and its generation twice. The run is too short for folds at
      // their usual pace: here are the pages of one round of folds, as often as one comes due.
      (after.pages + 2 * after.partitions) * (transactions / FOLD_AT_SEGMENTS),
    links: links.length,
    linkFreshSeconds: 600, // while isolates hear of changes, see src/lookup.rs
    statuses: Object.fromEntries(outcome.statuses),
    latencyMs: { p50: outcome.quantile(0.5), p99: outcome.quantile(0.99), p999: outcome.quantile(0.999) },
  };
}

/** What was written so far, by table. A transaction's messages carry the same time. */
async function books(server) {
  const { body: integrity } = await server.api("/stats/integrity");
  if (integrity.lost > 0) throw new Error(`lost: ${JSON.stringify(integrity)}`);
  const [counts] = await server.sql(`SELECT
    (SELECT count(*) FROM ledger) AS messages,
    (SELECT count(DISTINCT at_ms) FROM ledger) AS transactions,
    (SELECT count(*) FROM (SELECT DISTINCT at_ms, gate FROM ledger)) AS totals,
    (SELECT count(*) FROM sums) AS pages,
    (SELECT count(*) FROM segments) AS open_segments,
    (SELECT coalesce(sum(generation), 0) FROM folds) AS folds,
    (SELECT count(*) FROM folds) AS partitions`);
  // A fold takes what was there when the partition had enough.
  const segments = counts.open_segments + counts.folds * FOLD_AT_SEGMENTS_HERE;
  const logRows = integrity.gates.reduce((sum, gate) => sum + (gate.log_rows ?? 0), 0);
  const ofJournals = (name) => integrity.journeys.shards.reduce((sum, journal) => sum + (journal[name] ?? 0), 0);
  const journals = { journalRows: ofJournals("rows_written"), journalRowsRead: ofJournals("rows_read") };
  return { ...counts, ...journals, segments, logRows, gates: integrity.gates.length };
}
