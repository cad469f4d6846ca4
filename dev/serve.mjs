// The whole product on this machine: the Worker in workerd, with its Durable Objects, queues, D1, KV and R2 kept under --state.
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/compiled")); // halves the start: wrangler is 16 MB of JavaScript
process.env.WRANGLER_WRITE_LOGS ??= "false"; // it only reads wrangler.toml, and complains where a service has no home for its logs
const { Log, LogLevel, Miniflare } = await import("miniflare");
const { NOWHERE, miniflareOptions, readWrangler, root, secret } = await import("./options.mjs");
const { migrate, migrateUnseen } = await import("./migrate.mjs");
const { everyMinute } = await import("./cron.mjs");
const { listen } = await import("./control.mjs");

// What lies of requests that are over is small to V8 and large to workerd. Left alone, V8 collects the leavings of seconds at once,
// during which nobody is answered, and those of the simulators' isolates after hours: so it collects little and often.
process.env.MINIFLARE_WORKERD_V8_FLAGS ??= "--optimize-for-size";

const { values: args } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8787" },
    "direct-port": { type: "string" }, // the Worker's own socket, without Miniflare's entry Worker before it; 0 = any
    state: { type: "string", default: ".wrangler/state" },
    config: { type: "string", default: "{}" }, // JSON over vars.CONFIG
    cf: { type: "string", default: "{}" }, // JSON over the visitor's place
    "admin-token": { type: "string" },
    public: { type: "boolean" }, // for visitors from elsewhere, behind a proxy: docs/self-hosting.md
    limits: { type: "string" }, // turns rate limits on; JSON such as {"LIMIT_KEY":10} over those of wrangler.toml
    "queue-batch-size": { type: "string" },
    "queue-batch-timeout": { type: "string" },
    "queue-retries": { type: "string" },
    "no-demo": { type: "boolean" },
    "no-cron": { type: "boolean" },
    "buckets-down": { type: "boolean" }, // R2 answers with errors
    points: { type: "boolean" }, // keep what is written to Analytics Engine, for the command of that name
    json: { type: "boolean" }, // for programs: a ready line on stdout, commands on stdin, see control.mjs
    verbose: { type: "boolean" }, // the Worker's console.log too
  },
});
const number = (name) => (args[name] === undefined ? undefined : Number(args[name]));
const state = resolve(args.state);
const wrangler = readWrangler();
const points = args.points ? [] : undefined;
const options = miniflareOptions(wrangler, {
  points,
  bucketsDown: args["buckets-down"],
  state,
  host: args.host,
  port: number("port"),
  directPort: number("direct-port"),
  // By itself it is in a file and in no list of processes.
  token: args["admin-token"] ?? (args.public ? secret(state, "admin_token") : undefined),
  place: args.public ? NOWHERE : undefined,
  patient: args.public,
  // Who opens the address that make dev printed finds the dashboard there.
  config: { ...(args.public || args.json ? {} : { home_url: "/dashboard/" }), ...JSON.parse(args.config) },
  cf: JSON.parse(args.cf),
  limits: args.limits !== undefined ? JSON.parse(args.limits) : args.public ? {} : undefined,
  queue: {
    maxBatchSize: number("queue-batch-size"),
    maxBatchTimeout: number("queue-batch-timeout") ?? 1, // a person waits for the count; wrangler.toml has what costs least
    maxRetries: number("queue-retries"),
  },
});
const token = options.workers[0].bindings.ADMIN_TOKEN;

const [{ migrations_dir }] = wrangler.d1_databases;
const migrations = join(root, migrations_dir);
// Where others know the port, nothing listens on it that cannot answer.
if (args.port !== "0") await migrateUnseen(options, state, migrations);
const mf = new Miniflare({
  ...options,
  log: new Log(LogLevel.WARN),
  handleStructuredLogs({ level, message }) {
    if (args.verbose || level === "warn" || level === "error") console.error(`[${level}] ${message}`);
  },
});
let stopped;
// In place of Miniflare's own listeners, which exit before workerd is gone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.removeAllListeners(signal);
  process.on(signal, stop);
}
const { origin: url } = await mf.ready.catch((error) => {
  if (!stopped) console.error(error.code === "ERR_ADDRESS_IN_USE" ? `port ${args.port} is taken: make ${args.public ? "serve" : "dev"} PORT=8788` : error);
  process.exit(1);
});
const direct = args["direct-port"] === undefined ? undefined : (await mf.unsafeGetDirectURL(wrangler.name)).origin;

for (const binding of Object.keys(options.workers[0].d1Databases)) {
  await migrate(await mf.getD1Database(binding, wrangler.name), migrations);
}
if (!args["no-demo"] && !args.public) await seedDemo();
if (!args["no-cron"]) {
  everyMinute(wrangler.triggers.crons ?? [], async (cron, scheduledTime) => {
    await (await mf.getWorker(wrangler.name)).scheduled({ cron, scheduledTime });
  });
}

if (args.json) {
  const print = (object) => console.log(JSON.stringify(object));
  listen(mf, wrangler.name, points, print, stop);
  print({ ready: true, url, direct, token, state, pid: process.pid, workerd: workerdPid() });
} else if (args.public) {
  console.log(`clicktrail is serving on ${url} from ${state}; the API key is in ${join(state, "admin_token")}`);
} else {
  console.log(`
clicktrail is serving on ${url}
  dashboard   ${url}/dashboard/
  API, to try ${url}/docs
  demo link   ${url}/r/demo
  pixel       ${url}/1x1.gif?cid=demo
  API key     ${token}
  state       ${state}

Open the demo link in a browser, and see it counted on the dashboard. curl is sent on too, and counts as a bot:
  curl -i '${url}/r/demo'
  curl -H 'Authorization: Bearer ${token}' '${url}/stats/clicks?campaign_id=demo&include_bots=true'

Ctrl-C stops it.`);
}

/** Once, though Ctrl-C reaches this process twice: from the terminal and from make. */
async function stop() {
  await (stopped ??= mf.dispose());
  process.exit(0);
}

async function seedDemo() {
  const response = await fetch(`${url}/api/links`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      token: "demo",
      url: "https://example.com/landing?from=clicktrail",
      campaign_id: "demo",
    }),
  });
  const detail = await response.text();
  if (!response.ok && response.status !== 409) console.error(`no demo link: ${response.status} ${detail}`);
}

/** The bench reads its CPU time and the crash tests kill it; Miniflare does not tell it. Linux only. */
function workerdPid() {
  try {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
    return children.map(Number).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd"));
  } catch {
    return undefined;
  }
}
