// make deploy, make rollback: what dev/deploy/run.mjs does, on this machine. It may be run again at any time: what is there stays.
import { spawnSync } from "node:child_process";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { deploy, rollback } from "./deploy/run.mjs";
import { explain, Stop, wrangler } from "./deploy/wrangler.mjs";

const { values: args, positionals } = parseArgs({
  allowPositionals: true, // "rollback", and the version to go back to
  options: {
    env: { type: "string", default: "production" },
    "dry-run": { type: "boolean" }, // say each step, and let wrangler check the bundle; asks no account
    location: { type: "string" }, // where D1 shall be: weur, eeur, apac, oc, wnam, enam
    archive: { type: "string", default: "on" }, // off: no bucket
    "no-build": { type: "boolean" },
    "no-smoke": { type: "boolean" },
  },
});
const root = join(import.meta.dirname, "..");
const compiled = join(root, "node_modules/.cache/compiled"); // wrangler is 16 MB of JavaScript
enableCompileCache(compiled);

const { experimental_readRawConfig: read } = await import("wrangler");
const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", NODE_COMPILE_CACHE: compiled };
const world = {
  args,
  env,
  root,
  folder: process.env.CLICKTRAIL_DEPLOY_FOLDER ?? join(root, ".wrangler"), // another is what tests give
  tool: wrangler({ program: [join(root, "node_modules/.bin/wrangler")], env, echo: (text) => process.stdout.write(text) }),
  table: (path) => read({ config: path }).rawConfig,
  build() {
    if (args["no-build"]) return;
    const { status } = spawnSync("make", ["--no-print-directory", "build"], { cwd: root, stdio: "inherit" });
    if (status !== 0) throw new Stop("make build failed");
  },
  async ask(url) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, text: await answer.text() };
  },
  wait,
  print: (text) => console.log(text),
  say: (text) => console.log(`- ${text}`),
  step: (text) => console.log(`\n${text}`),
};

try {
  const [command = "deploy", version] = positionals;
  if (command === "deploy") await deploy(world);
  else if (command === "rollback") await rollback(world, version);
  else throw new Stop(`deploy.mjs knows deploy and rollback, not ${command}`);
} catch (error) {
  if (!(error instanceof Stop) && explain(String(error)) === undefined) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
