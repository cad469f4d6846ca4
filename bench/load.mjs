// npm run load: how long visitors and clients wait while requests come at a fixed rate, whoever is late. Ten minutes.
//
// Open loop: a request is due at its time whether or not the ones before it are answered, and its latency counts from
// then on. A generator that waits for answers would slow down with the server and call that fast.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection, closedLoop, openLoop } from "./client.mjs";
import { cpuSeconds } from "./cpu.mjs";
import { settled, startProduct } from "./mix.mjs";
import { Traffic } from "./traffic.mjs";

const { values: args } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    rate: { type: "string", default: "0" }, // requests/s; 0 = half of what a closed loop reaches just before
    // Ids are remembered for the window and five minutes more: memory can be flat only after that.
    window: { type: "string", default: "30" },
    where: { type: "string", default: "one" }, // visitors of one country, or of the world
    out: { type: "string", default: join(import.meta.dirname, "out/load.json") },
  },
});
const seconds = Number(args.seconds);
const GOALS = { redirect: 100, ingest: 50 }; // p99, ms
/** Memory that grows by less than this share of itself a minute is flat: what is left are the collections of V8, which come and go. */
const FLAT = 0.01;
const say = (text) => console.error(`- ${text}`);

/** Latencies of each kind, in bins 2 % apart: an hour of them takes as much room as a minute. */
class Latencies {
  kinds = new Map();
  requests = 0;
  errors = new Map();

  add({ status, body }, ms, request) {
    const kind = request.startsWith("GET /r/") ? "redirect" : request.startsWith("GET /1x1") ? "pixel" : "ingest";
    const wanted = kind === "redirect" ? 302 : 200;
    this.requests += 1;
    if (status !== wanted) this.#err(`${kind}: ${status} ${body.slice(0, 80)}`);
    this.put(kind, ms);
  }

  put(kind, ms) {
    if (!this.kinds.has(kind)) this.kinds.set(kind, { count: 0, most: 0, bins: new Map() });
    const of = this.kinds.get(kind);
    const bin = Math.ceil(Math.log(Math.max(ms, 0.01)) / Math.log(1.02));
    of.count += 1;
    of.most = Math.max(of.most, ms);
    of.bins.set(bin, (of.bins.get(bin) ?? 0) + 1);
  }

  failed(error) {
    this.#err(error.message);
  }

  #err(what) {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }

  quantile(kind, share) {
    const { count, bins } = this.kinds.get(kind);
    let below = 0;
    for (const bin of [...bins.keys()].toSorted((a, b) => a - b)) {
      below += bins.get(bin);
      if (below >= share * count) return 1.02 ** bin;
    }
    return undefined;
  }
}

/** Asks for what costs nothing, over and over: whoever has to wait for it waits for the thread, and says how long it was taken. */
class Probe {
  waits = new Latencies();
  over = false;

  async run(origin) {
    const connection = await Connection.to(origin);
    while (!this.over) {
      const began = performance.now();
      await connection.send(`GET /healthz HTTP/1.1\r\nhost: probe\r\n\r\n`);
      this.waits.put("probe", performance.now() - began);
      await sleep(10);
    }
    connection.close();
  }

  /** ms */
  report() {
    const [p50_ms, p99_ms, p999_ms] = [0.5, 0.99, 0.999].map((share) => this.waits.quantile("probe", share));
    return { p50_ms, p99_ms, p999_ms, most_ms: this.waits.kinds.get("probe").most };
  }
}

/** By how much something grows, a minute: the line that fits samples best. */
function growth(samples) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [second, mb] = [mean((sample) => sample.second), mean((sample) => sample.rss_mb)];
  const spread = mean((sample) => (sample.second - second) ** 2);
  return spread === 0 ? 0 : (mean((sample) => (sample.second - second) * (sample.rss_mb - mb)) / spread) * 60;
}

/** What a process holds in memory, MB; V8's and the wasm's included. */
function memory(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1_024;
}

const server = await startProduct({ window_seconds: Number(args.window), gate_max_ids: 5_000_000 });
try {
  const traffic = new Traffic(11, args.where);
  say("warming up");
  let sent = (await closedLoop(server.direct, { connections: 64, seconds: 5, next: traffic.mixed })).requests;
  let rate = Number(args.rate);
  let capacity;
  if (!(rate > 0)) {
    const closed = await closedLoop(server.direct, { connections: 64, seconds: 8, next: traffic.mixed });
    sent += closed.requests;
    capacity = closed.requests / 8;
    rate = Math.floor(capacity / 2);
    say(`a closed loop of 64 connections reaches ${capacity.toFixed(0)} requests/s here; the load is half of that`);
  }
  await settled(server, sent);
  const latencies = new Latencies();
  const samples = [];
  const began = performance.now();
  const cpu = cpuSeconds(server.workerd);
  const every = Math.max(1, Math.min(15, seconds / 20));
  let over = false;
  const watch = (async () => {
    while (!over) {
      samples.push({ second: (performance.now() - began) / 1_000, rss_mb: memory(server.workerd) });
      await sleep(every * 1_000);
    }
  })();
  const probe = new Probe();
  const probed = probe.run(server.direct);
  say(`${rate} requests/s for ${seconds} s`);
  await openLoop(server.direct, { rate, seconds, next: traffic.mixed, outcome: latencies });
  over = probe.over = true;
  await probed;
  await settled(server, sent + latencies.requests);
  await watch;
  const { body: integrity } = await server.api("/stats/integrity");
  const errors = [...latencies.errors].map(([what, times]) => ({ what, times }));
  const kinds = [...latencies.kinds.keys()].toSorted().map((kind) => ({
    kind,
    requests: latencies.kinds.get(kind).count,
    p50_ms: latencies.quantile(kind, 0.5),
    p99_ms: latencies.quantile(kind, 0.99),
    p999_ms: latencies.quantile(kind, 0.999),
    most_ms: latencies.kinds.get(kind).most,
    ...(GOALS[kind] ? { goal_p99_ms: GOALS[kind] } : {}),
  }));
  // By the end of what is remembered, memory has to be what it is at the end.
  const settledAt = Math.min(Number(args.window) + 330, seconds / 2);
  const mean = (of) => of.reduce((sum, { rss_mb }) => sum + rss_mb, 0) / of.length;
  const later = samples.filter(({ second }) => second >= settledAt);
  const rss = { first_mb: mean(later.slice(0, Math.ceil(later.length / 4))), last_mb: mean(later.slice(-Math.ceil(later.length / 4))), mb_a_minute: growth(later), from_second: settledAt, samples };
  rss.flat = rss.mb_a_minute <= FLAT * rss.first_mb;
  const result = {
    rate,
    seconds,
    capacity,
    kinds,
    thread: probe.report(),
    errors,
    cpu_us_per_request: ((cpuSeconds(server.workerd) - cpu) / latencies.requests) * 1e6,
    lost: integrity.lost,
    admitted: integrity.admitted,
    applied: integrity.applied,
    rss,
    machine: `${cpus()[0].model}, ${cpus().length} cores`,
    date: new Date().toISOString(),
  };
  mkdirSync(dirname(args.out), { recursive: true });
  writeFileSync(args.out, `${JSON.stringify(result, (_, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value), 2)}\n`);
  console.log(`${rate} requests/s for ${seconds} s, on ${result.machine}`);
  for (const of of kinds) {
    const goal = of.goal_p99_ms ? `  p99 goal ${of.goal_p99_ms} ms: ${of.p99_ms <= of.goal_p99_ms ? "met" : "MISSED"}` : "";
    console.log(`${of.kind.padEnd(9)} ${String(of.requests).padStart(8)}  p50 ${of.p50_ms.toFixed(1)}  p99 ${of.p99_ms.toFixed(1)}  p99.9 ${of.p999_ms.toFixed(1)}  most ${of.most_ms.toFixed(0)} ms${goal}`);
  }
  console.log(`errors ${errors.reduce((sum, { times }) => sum + times, 0)}, lost ${integrity.lost}, admitted ${integrity.admitted}, applied ${integrity.applied}`);
  console.log(`memory of workerd ${rss.first_mb.toFixed(0)} MB from second ${settledAt.toFixed(0)} on, ${rss.last_mb.toFixed(0)} MB at the end, ${rss.mb_a_minute.toFixed(1)} MB more a minute: ${rss.flat ? "flat" : "NOT FLAT"}`);
  const { p50_ms, p99_ms, p999_ms, most_ms } = result.thread;
  console.log(`the thread was taken for  p50 ${p50_ms.toFixed(1)}  p99 ${p99_ms.toFixed(1)}  p99.9 ${p999_ms.toFixed(1)}  most ${most_ms.toFixed(0)} ms`);
  for (const { what, times } of errors.slice(0, 10)) console.log(`  ${times} x ${what}`);
  if (errors.length > 0 || integrity.lost > 0) process.exitCode = 1;
} finally {
  await server.stop();
}
