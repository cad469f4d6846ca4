// npm run bench: the figures of docs/scaling.md, each beside a bare Worker's in the same minutes. About nine minutes.
//
// A figure is CPU of the workerd process, from the first request until everything is done: edge, gate, log, queue,
// consumer, D1, the journals' merges half a minute later, and the simulation of the platform around them. Each load has
// a process of its own, so that none pays for what another left to be done later. Requests go to the Worker's own socket.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { closedLoop } from "./client.mjs";
import { cost } from "./cost.mjs";
import { cpuSeconds, ownWorkerd } from "./cpu.mjs";
import { mix, countedBy, settled, startProduct } from "./mix.mjs";
import { print } from "./table.mjs";
import { Traffic } from "./traffic.mjs";

const { values: args } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "2.5" }, // of load, for each row in each round
    "warm-up": { type: "string", default: "3" }, // seconds for each row: each has a process of its own, whose code V8 compiles
    "mix-seconds": { type: "string", default: "20" },
    connections: { type: "string", default: "64" }, // a commit costs the same for one event as for fifty: fewer connections measure idle gates
    rate: { type: "string", default: "1000" }, // of the mix, events/s
    only: { type: "string", default: "" }, // rows by name, separated by commas
    callgrind: { type: "boolean" }, // also count the native pipeline's instructions; wants valgrind
    out: { type: "string", default: join(import.meta.dirname, "results.json") },
  },
});
const root = join(import.meta.dirname, "..");
const only = args.only.split(",").filter(Boolean);
const wanted = (...names) => only.length === 0 || names.some((name) => only.includes(name));
const say = (text) => console.error(`- ${text}`);

const BATCH = 100;
const ALONE = { journey_shards: 0 };
const LOADS = [
  // What no redirect that is kept can cost less than: see bare_call.mjs.
  { name: "bare_call", floor: true },
  // An expired link with an `expired_url`: looked up, decided and answered; that it led nowhere is not recorded here.
  { name: "redirect_answer", next: (traffic) => traffic.expired, status: 302, events: 0 },
  { name: "unknown_token", next: (traffic) => traffic.unknown, status: 404, events: 0 },
  { name: "stats_query", next: (traffic, { token }) => traffic.stats(token), status: 200, events: 0 },
  { name: "redirect_whole", next: (traffic) => () => traffic.redirect(), status: 302, events: 1 },
  { name: "redirect_no_journeys", next: (traffic) => () => traffic.redirect(), status: 302, events: 1, settings: ALONE },
  // Each of 20 rules is tried, and none fits.
  { name: "redirect_20_rules", next: (traffic) => traffic.ruled, status: 302, events: 1 },
  { name: "pixel_whole", next: (traffic) => () => traffic.pixel(), status: 200, events: 1 },
  { name: "ingest_whole", next: (traffic) => () => traffic.event(), status: 200, events: 1 },
  // Of ten thousand visitors who come back, all in one session; and of visitors whom nobody has seen before.
  { name: "batch_event", next: (traffic) => () => traffic.batch(BATCH), status: 200, events: BATCH },
  { name: "batch_no_journeys", next: (traffic) => () => traffic.batch(BATCH), status: 200, events: BATCH, settings: ALONE },
  { name: "batch_new_visitor", next: (traffic) => () => traffic.batch(BATCH, Infinity), status: 200, events: BATCH },
  { name: "batch_new_no_journeys", next: (traffic) => () => traffic.batch(BATCH, Infinity), status: 200, events: BATCH, settings: ALONE },
].filter(({ name }) => wanted(name));
/** What an event costs more because its visitor has a journey. */
const JOURNEYS = [
  ["journey_of_redirect", "redirect_whole", "redirect_no_journeys"],
  ["journey_returning", "batch_event", "batch_no_journeys"],
  ["journey_new_visitor", "batch_new_visitor", "batch_new_no_journeys"],
];

const rows = [];
/** `ratio` is to a bare Worker, `call` to one that has a bare Durable Object keep it. */
const row = (name, value, unit, ratio, call) => rows.push({ name, value: rounded(value), unit, ratio: rounded(ratio), call: rounded(call) });
const rounded = (value) => value && Number(value.toPrecision(4));
const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

// Each token is looked up once, and that there is no link too: what KV costs on this machine is its simulation, which nobody pays for.
// And more ids than a gate remembers on 128 MB: batches bring 80,000 events a second, of which two gates may remember
// 1,600 for ten minutes; what is beyond goes round by the queue, and that is another path.
const SETTINGS = { link_fresh_seconds: 3_600, unknown_fresh_seconds: 3_600, gate_max_ids: 10_000_000, record_failed: false };

/** So long after a load nothing is left to be done: the ledger is asked after 30 s, and what it has is merged. */
const DONE_AFTER_MS = 50_000;

/** Sends a load and waits until it is counted; gives what its process has used until then, CPU microseconds for each request, or each of its events. */
async function send({ pid, origin, product }, { next, status, events }, seconds) {
  const [hits, cpu] = [events > 0 ? await countedBy(product) : 0, cpuSeconds(pid)];
  const outcome = await closedLoop(origin, { connections: Number(args.connections), seconds, next });
  const statuses = [...outcome.statuses.keys()];
  if (statuses.join() !== String(status)) throw new Error(`answers of status ${statuses}, not ${status}`);
  if (events > 0) await settled(product, hits + outcome.requests * events);
  const count = outcome.requests * (events || 1);
  return { count, us: ((cpuSeconds(pid) - cpu) / count) * 1e6 };
}

/** A Worker that does nothing, whose figures others are held against; and one that does nothing but have it kept. */
async function startFloor(traffic) {
  const state = mkdtempSync(join(tmpdir(), "clicktrail-bare-"));
  const worker = (name, options = {}) => ({
    name,
    modules: true,
    scriptPath: join(import.meta.dirname, `${name}.mjs`),
    compatibilityDate: "2026-07-30",
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    ...options,
  });
  const keeper = { durableObjects: { KEEPER: { className: "Keeper", useSQLite: true } } };
  const workers = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    defaultPersistRoot: state, // on disk, as a gate's log
    workers: [worker("bare"), worker("bare_call", keeper)],
  });
  const origins = {};
  for (const name of ["bare", "bare_call"]) origins[name] = (await workers.unsafeGetDirectURL(name)).origin;
  const pid = ownWorkerd();
  const floor = async (name, seconds) => (await send({ pid, origin: origins[name] }, { next: traffic.bare, status: 302, events: 0 }, seconds)).us;
  async function stop() {
    await workers.dispose();
    rmSync(state, { recursive: true, force: true });
  }
  return { bare: () => floor("bare", 0.7), bareCall: (seconds) => floor("bare_call", seconds), stop };
}

/** A load and the process that it goes to. */
class Row {
  #served;
  #load;
  #before = 0;
  #count = 0;
  #us = []; // by round, until the load was counted

  constructor(product, load) {
    this.#served = { product, pid: product.workerd, origin: product.direct };
    this.#load = load;
  }

  async send(seconds) {
    const { count, us } = await send(this.#served, this.#load, seconds);
    this.#count += count;
    this.#us.push(us);
    return us;
  }

  /** What came before does not count. */
  begin() {
    this.#before = cpuSeconds(this.#served.pid);
    [this.#count, this.#us] = [0, []];
  }

  /** CPU microseconds for each request or event; of what is recorded, with all that was done later. */
  us() {
    if (this.#load.events === 0) return median(this.#us);
    return ((cpuSeconds(this.#served.pid) - this.#before) / this.#count) * 1e6;
  }
}

async function loads() {
  const traffic = new Traffic(1);
  const { bare, bareCall, stop } = await startFloor(traffic);
  const products = [];
  async function start(settings) {
    const product = await startProduct({ ...SETTINGS, ...settings });
    products.push(product);
    return product;
  }
  try {
    const sent = new Map();
    const answering = LOADS.some(({ events }) => events === 0) ? await start() : undefined;
    for (const { name, floor, next, settings, ...rest } of LOADS) {
      if (!floor) sent.set(name, new Row(rest.events === 0 ? answering : await start(settings), { next: next(traffic, answering), ...rest }));
    }

    // So that there is something to ask for.
    if (answering) await closedLoop(answering.direct, { connections: Number(args.connections), requests: 2_000, next: traffic.mixed });
    say("warming up: V8 compiles what is used often in the background, for some seconds; and what that left is done");
    await bare();
    if (wanted("bare_call")) await bareCall(3);
    for (const row of sent.values()) await row.send(Number(args["warm-up"]));
    await sleep(DONE_AFTER_MS);
    for (const row of sent.values()) row.begin();
    const floors = [];
    const calls = [];
    for (let round = 1; round <= Number(args.rounds); round++) {
      for (const { name, floor } of LOADS) {
        const before = await bare();
        const value = floor ? await bareCall(Number(args.seconds)) : await sent.get(name).send(Number(args.seconds));
        const after = await bare();
        floors.push(before, after);
        if (floor) calls.push(value);
        say(`round ${round}: ${name} ${value.toFixed(1)} us, ${(value / ((before + after) / 2)).toFixed(2)} x`);
      }
    }
    say("waiting for what is done later");
    await sleep(DONE_AFTER_MS);
    const [one, call] = [median(floors), calls.length > 0 ? median(calls) : undefined];
    row("bare_js", one, "us of CPU per request", 1);
    if (call) row("bare_call", call, "us of CPU per request", call / one, 1);
    const used = new Map([...sent].map(([name, load]) => [name, load.us()]));
    for (const [name, us] of used) row(name, us, `us of CPU per ${name.startsWith("batch_") ? "event" : "request"}`, us / one, call && us / call);
    for (const [name, [whole, alone]] of JOURNEYS.map(([name, ...pair]) => [name, pair.map((part) => used.get(part))])) {
      if (whole && alone) row(name, whole - alone, "us of CPU per event: the difference of two", (whole - alone) / one);
    }
    const said = products.map(({ log }) => log).join("");
    if (said !== "") say(`the product said:\n${said.slice(0, 2_000)}`);
  } finally {
    await stop();
    for (const product of products) await product.stop();
  }
}

function native() {
  say("enrich and roll up, native (the first time cargo builds it, about 2 min)");
  const bench = ["bench", "-p", "analytics", "--bench", "pipeline"];
  const run = (command, ...rest) => execFileSync(command, rest, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const figures = JSON.parse(run("cargo", ...bench).trim().split("\n").at(-1));
  row("enrich_rollup_native", figures.events_per_second, "events/s on one core");
  if (!args.callgrind) return;
  const built = run("cargo", ...bench, "--no-run", "--message-format=json").split("\n").filter(Boolean);
  const { executable } = built.map((line) => JSON.parse(line)).find(({ target }) => target?.name === "pipeline");
  row("enrich_rollup_instructions", (instructions(executable, 2) - instructions(executable, 1)) / figures.events, "instructions per event");
}

/** As callgrind counts them. What one pass takes is the difference between two passes and one. */
function instructions(executable, passes) {
  const { stderr } = spawnSync("valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null", executable, "--passes", String(passes)], { encoding: "utf8" });
  return Number(/Collected : (\d+)/.exec(stderr)?.[1]);
}

async function mixes() {
  const options = { rate: Number(args.rate), seconds: Number(args["mix-seconds"]) };
  const rowsOf = (counted) => (counted.logRows + counted.alarms + counted.journalRows + counted.databaseRows) / counted.events;
  let terms;
  // The dearest case is the figure: visitors of every continent, so that the same hits are spread over more gates.
  for (const [where, suffix] of [["world", ""], ["one", "_one_region"]]) {
    say(`the mix at ${args.rate} events/s for ${args["mix-seconds"]} s, visitors ${where === "one" ? "of one region" : "of the world"}`);
    const counted = await mix({ ...options, where });
    const bill = cost(counted);
    terms ??= bill;
    say(JSON.stringify(counted));
    row(`rows_written_per_event${suffix}`, rowsOf(counted), "rows");
    row(`journal_rows_per_event${suffix}`, counted.journalRows / counted.events, "rows");
    row(`cost_per_million_usd${suffix}`, bill.reduce((sum, { usd }) => sum + usd, 0), "USD");
    row(`mix_cpu${suffix}`, (counted.cpuSeconds / counted.events) * 1e6, "us of CPU per event");
    for (const [quantile, ms] of Object.entries(counted.latencyMs)) row(`mix_${quantile}${suffix}`, ms, "ms");
  }
  return terms;
}

function wasm() {
  const path = join(root, "build/index_bg.wasm");
  row("wasm_gzip_bytes", gzipSync(readFileSync(path), { level: 9 }).length, "bytes");
  const startUp = () => Number(execFileSync(process.execPath, [join(import.meta.dirname, "start_up.mjs"), path], { encoding: "utf8" }));
  row("start_up_ms", median(Array.from({ length: 7 }, startUp)), "ms to compile and instantiate");
}

/** A figure that could not be taken does not cost the others. */
async function attempt(part, ...names) {
  if (!wanted(...names)) return undefined;
  try {
    return await part();
  } catch (error) {
    say(`${names.join(", ")}: not measured: ${error.message}`);
    process.exitCode = 1;
    return undefined;
  }
}

await attempt(wasm, "wasm_gzip_bytes", "start_up_ms");
await attempt(loads, "bare_js", ...LOADS.map(({ name }) => name));
await attempt(native, "enrich_rollup_native");
const terms = await attempt(mixes, "rows_written_per_event", "journal_rows_per_event", "cost_per_million_usd");

function commit() {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined; // an archive, or nothing committed yet
  }
}
const machine = `${cpus()[0].model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, node ${process.version}`;
writeFileSync(args.out, `${JSON.stringify({ rows, machine, date: new Date().toISOString(), commit: commit() }, null, 2)}\n`);
print(rows, terms, machine);
