// npm run capacity: what one gate, one consumer with its database, and one journal can take by themselves. About two minutes.
//
// Real traffic goes through the product once, and what its parts were given is kept: calls to a gate, messages of the queue.
// Then a fresh part is given the same, as fast as it takes it, by a Worker beside it that does nothing else. A figure is
// CPU of the workerd process, because a part is one thread: what a core does in a second is what the part can take.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare } from "miniflare";
import { migrate } from "../dev/migrate.mjs";
import { miniflareOptions, readWrangler, root } from "../dev/options.mjs";
import { closedLoop } from "./client.mjs";
import { cpuSeconds, ownWorkerd } from "./cpu.mjs";
import { Traffic } from "./traffic.mjs";

const { values: args } = parseArgs({
  options: {
    events: { type: "string", default: "200000" }, // of batches of 100; a tenth as many come one by one
    only: { type: "string" }, // "journal": what it adds, and nothing else
    out: { type: "string", default: join(import.meta.dirname, "out/capacity.json") },
  },
});
const EVENTS = Number(args.events);
const BATCH = 100;
const QUEUE = "clicktrail-events";
const DRIVER = "driver";
const say = (text) => console.error(`- ${text}`);
const rounded = (value) => Number(value.toPrecision(3));

/** The product's module, whose gates keep what they are called with, if they are to. */
const keeping = (keep) => `
  import { Gate as Plain } from "./entry.mjs";
  export * from "./entry.mjs";
  export { default } from "./entry.mjs";
  const calls = [];
  export class Gate extends Plain {
    admit(bytes) {
      if (${keep}) calls.push(bytes.slice());
      return super.admit(bytes);
    }
    kept() {
      return calls.splice(0, 500);
    }
  }`;

/** Keeps what the queue brings, and gives a part what it is to take. */
const driver = `
  let held = [];
  const brought = [];
  const packed = (parts) => new Blob(parts.flatMap((part) => [new Uint32Array([part.byteLength]), part]));
  const unpacked = (buffer) => {
    const parts = [];
    for (let at = 0; at < buffer.byteLength; ) {
      const length = new DataView(buffer).getUint32(at, true);
      parts.push(new Uint8Array(buffer.slice(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return parts;
  };
  const gate = ({ GATE }) => GATE.get(GATE.idFromName("gate/world/0"));
  const acts = {
    hold: async (request) => (held = unpacked(await request.arrayBuffer())).length,
    messages: () => new Response(packed(brought.splice(0))),
    calls: async (_, env) => new Response(packed(await gate(env).kept())),
    async admit(_, env, { lanes }) {
      const stub = gate(env);
      let next = 0;
      const lane = async () => {
        while (next < held.length) await stub.admit(held[next++]);
      };
      await Promise.all(Array.from({ length: Number(lanes) }, lane));
      return held.length;
    },
    async consume(_, env, { size }) {
      let acked = 0;
      for (let at = 0; at < held.length; at += Number(size)) {
        const messages = held.slice(at, at + Number(size)).map((body, n) => ({ id: at + "/" + n, timestamp: new Date(), attempts: 1, body }));
        const { outcome, explicitAcks } = await env.PRODUCT.queue(${JSON.stringify(QUEUE)}, messages);
        if (outcome !== "ok") throw new Error(outcome);
        acked += explicitAcks.length;
      }
      return acked;
    },
  };
  export default {
    async fetch(request, env) {
      const url = new URL(request.url);
      const done = await acts[url.pathname.slice(1)](request, env, Object.fromEntries(url.searchParams));
      return done instanceof Response ? done : Response.json(done);
    },
    queue(batch, { KEEP }) {
      if (KEEP) for (const { body } of batch.messages) brought.push(new Uint8Array(body));
    },
  };`;

/** The product with one gate, and the driver in the place of its queue's consumer. */
async function start({ keep = false, journals = 0 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "clicktrail-parts-"));
  const wrangler = readWrangler();
  const config = { gate_shards: 1, gate_regions: false, gate_max_ids: 10_000_000, journey_shards: journals };
  const options = miniflareOptions(wrangler, { state: folder, host: "127.0.0.1", port: 0, directPort: 0, config, cf: {}, queue: {} });
  const [product, ...others] = options.workers;
  const { [QUEUE]: consumer, ...queueConsumers } = product.queueConsumers;
  const mf = new Miniflare({
    ...options,
    log: new Log(LogLevel.WARN),
    workers: [
      {
        ...product,
        queueConsumers,
        modules: [{ type: "ESModule", path: join(product.modulesRoot, "keeping.mjs"), contents: keeping(keep) }, ...product.modules],
      },
      ...others,
      {
        name: DRIVER,
        modules: true,
        script: driver,
        compatibilityDate: product.compatibilityDate,
        compatibilityFlags: ["service_binding_extra_handlers"],
        durableObjects: { GATE: { className: "Gate", scriptName: product.name, useSQLite: true } },
        bindings: { KEEP: keep },
        serviceBindings: { PRODUCT: product.name },
        queueConsumers: { [QUEUE]: { ...consumer, deadLetterQueue: undefined, maxBatchTimeout: 0 } },
      },
    ],
  });
  await mf.ready;
  const db = await mf.getD1Database("DB", product.name);
  await migrate(db, join(root, wrangler.d1_databases[0].migrations_dir));
  const worker = await mf.getWorker(DRIVER);
  const pid = ownWorkerd();
  const act = async (path, body) => {
    const response = await worker.fetch(`http://driver/${path}`, body === undefined ? undefined : { method: "POST", body });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response;
  };
  return {
    origin: (await mf.unsafeGetDirectURL(product.name)).origin,
    take: async (what) => unpacked(Buffer.from(await (await act(what)).arrayBuffer())),
    /** CPU microseconds of the process for one act on these parts. */
    async measure(path, parts) {
      if ((await (await act("hold", packed(parts))).json()) !== parts.length) throw new Error("the driver does not hold what it was given");
      const before = cpuSeconds(pid);
      const done = await (await act(path)).json();
      if (done !== parts.length) throw new Error(`${path}: ${done} of ${parts.length}`);
      return (cpuSeconds(pid) - before) * 1e6;
    },
    async counted() {
      const { results } = await db.prepare("SELECT coalesce(sum(events + duplicates), 0) AS hits FROM applied WHERE gate LIKE 'gate/%'").all();
      return results[0].hits;
    },
    async stop() {
      await mf.dispose();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function packed(parts) {
  return Buffer.concat(parts.flatMap((part) => [Buffer.from(new Uint32Array([part.length]).buffer), part]));
}

function unpacked(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    parts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

/** What the parts of the product were given: calls with one event and with a hundred, and messages. */
async function recorded() {
  say(`${EVENTS} events in batches, and a tenth as many one by one, to keep what the parts are given`);
  const product = await start({ keep: true });
  const traffic = new Traffic(3);
  const load = async (requests, connections, next) => {
    const outcome = await closedLoop(product.origin, { connections, requests, next });
    if ([...outcome.statuses.keys()].join() !== "200") throw new Error(`answers of status ${[...outcome.statuses.keys()]}`);
  };
  const all = async () => {
    const calls = [];
    for (let some; (some = await product.take("calls")).length > 0; ) calls.push(...some);
    return calls;
  };
  try {
    await load(EVENTS / 10, 64, () => traffic.event());
    const ones = await all();
    await load(EVENTS / BATCH, 16, () => traffic.batch(BATCH));
    const batches = await all();
    const messages = [];
    // A gate ships what is left after its interval.
    for (let quiet = 0; quiet < 3; await new Promise((resolve) => setTimeout(resolve, 1_000))) {
      const some = await product.take("messages");
      messages.push(...some);
      quiet = some.length === 0 ? quiet + 1 : 0;
    }
    return { ones, batches, messages };
  } finally {
    await product.stop();
  }
}

const rows = [];
const row = (part, what, us, more = {}) => {
  rows.push({ part, what, us_per_event: rounded(us), events_per_second: rounded(1e6 / us), ...more });
  say(`${part}, ${what}: ${rounded(us)} us an event, ${rounded(1e6 / us).toLocaleString("en")} events/s of one core`);
};

/** The first fifth is for V8, which compiles what is used often. */
const split = (parts) => [parts.slice(0, parts.length / 5), parts.slice(parts.length / 5)];

const { ones, batches, messages } = await recorded();
say(`${ones.length} calls of one event, ${batches.length} of ${BATCH}, ${messages.length} messages`);
const gates = [["a call for each event", ones, 1], [`calls of ${BATCH} events`, batches, BATCH]];
for (const [what, calls, events] of args.only === undefined ? gates : []) {
  const product = await start();
  const [first, rest] = split(calls);
  await product.measure("admit?lanes=64", first);
  const us = await product.measure("admit?lanes=64", rest);
  row("gate", what, us / rest.length / events, { us_per_call: rounded(us / rest.length) });
  await product.stop();
}
const figures = {};
for (const journals of [0, 1]) {
  for (const size of args.only === undefined ? [1, 10, 100] : [100]) {
    const product = await start({ journals });
    const [first, rest] = split(messages);
    await product.measure(`consume?size=${size}`, first);
    const before = await product.counted();
    const us = await product.measure(`consume?size=${size}`, rest);
    const events = (await product.counted()) - before;
    figures[`${journals}/${size}`] = us / events;
    const transactions = Math.ceil(rest.length / size);
    row(journals === 0 ? "consumer and database" : "with one journal", `${size} messages a transaction`, us / events, {
      transactions_per_second: rounded((transactions / us) * 1e6),
      events_per_transaction: Math.round(events / transactions),
    });
    await product.stop();
  }
}
row("journal", "what it adds, 100 messages a transaction", figures["1/100"] - figures["0/100"]);
mkdirSync(dirname(args.out), { recursive: true });
writeFileSync(args.out, `${JSON.stringify({ rows, date: new Date().toISOString() }, null, 2)}\n`);
console.table(Object.fromEntries(rows.map(({ part, what, ...figures }) => [`${part}: ${what}`, figures])));
