// make deploy: everything that the account lacks, then migrations, then the Worker. It may be run again at any time: what is there stays.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { account, buckets, database, namespace, queues, secretsDue, secretsThere } from "./deploy/account.mjs";
import { environment, filled, namespaceTitle, queuesOf, seenFrom } from "./deploy/environment.mjs";
import { addresses, deployed, healthy } from "./deploy/smoke.mjs";
import { explain, json, Stop, wrangler } from "./deploy/wrangler.mjs";

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
enableCompileCache(join(root, "node_modules/.cache/compiled")); // wrangler is 16 MB of JavaScript
const dry = args["dry-run"];
// A stand-in and another folder are what tests give.
const folder = process.env.CLICKTRAIL_DEPLOY_FOLDER ?? join(root, ".wrangler");
const program = process.env.CLICKTRAIL_WRANGLER ? [process.execPath, process.env.CLICKTRAIL_WRANGLER] : [join(root, "node_modules/.bin/wrangler")];

const say = (text) => console.log(`- ${text}`);
const step = (text) => console.log(`\n${text}`);

async function readConfig() {
  const { experimental_readRawConfig: read } = await import("wrangler");
  const table = (path) => read({ config: path }).rawConfig;
  const over = join(root, `deploy.${args.env}.toml`);
  const config = environment(table(join(root, "wrangler.toml")), args.env, existsSync(over) ? table(over) : {}, { archive: args.archive !== "off" });
  if (existsSync(over)) say(`with what deploy.${args.env}.toml says`);
  return config;
}

function build() {
  if (args["no-build"]) return;
  step("The Worker and the dashboard");
  const { status } = spawnSync("make", ["--no-print-directory", "build"], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Stop("make build failed");
}

/** Beside the state of `make dev`, which git ignores: no account's ids get into the repository. */
function write(config) {
  const path = join(folder, `deploy.${args.env}${dry ? ".dry" : ""}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(seenFrom(config, relative(folder, root)), null, 2)}\n`);
  return path;
}

async function deploy() {
  const config = await readConfig();
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  const tool = wrangler({ program, env, echo: (text) => process.stdout.write(text) });
  if (dry) return await rehearse(tool, config);

  step(`Account, for ${args.env}`);
  const { id, name } = await account(tool, config.account_id ?? process.env.CLOUDFLARE_ACCOUNT_ID);
  env.CLOUDFLARE_ACCOUNT_ID = id;
  say(`${name} (${id})`);
  build();

  step("What it needs");
  const ids = {};
  const options = { say, location: args.location };
  for (const one of config.d1_databases) ids[one.binding] = await database(tool, one, options);
  for (const one of config.kv_namespaces) ids[one.binding] = await namespace(tool, config, one, options);
  await buckets(tool, config, options);
  await queues(tool, config, options);
  const { due, shown } = secretsDue(await secretsThere(tool, config.name), process.env, { ci: Boolean(process.env.CI || process.env.WORKERS_CI) });
  for (const secret of Object.keys(due)) say(`secret ${secret} goes with this version`);
  const path = write(filled(config, ids));

  step("Migrations of D1, which old code gets along with");
  for (const { binding, database_name, migrations_dir } of config.d1_databases) {
    if (!migrations_dir) continue;
    const before = await tool.run(["d1", "time-travel", "info", database_name, "--json", "--config", path]);
    if (before.code === 0) say(`${database_name} before them: bookmark ${json(before.stdout).bookmark}`);
    await tool.must(["d1", "migrations", "apply", binding, "--remote", "--config", path], { show: true });
  }

  step("Deployment");
  const passing = mkdtempSync(join(tmpdir(), "clicktrail-deploy-"));
  let urls, version;
  try {
    const [secrets, output] = [join(passing, "secrets.json"), join(passing, "output")];
    writeFileSync(secrets, JSON.stringify(due), { mode: 0o600 });
    const withSecrets = Object.keys(due).length > 0 ? ["--secrets-file", secrets] : [];
    await tool.must(["deploy", "--config", path, ...withSecrets], { show: true, env: { WRANGLER_OUTPUT_FILE_PATH: output } });
    const told = deployed(readFileSync(output, "utf8"));
    urls = addresses(told.targets);
    version = told.version;
  } finally {
    rmSync(passing, { recursive: true, force: true });
  }
  // Before anything else can fail: it is nowhere else.
  if (shown) console.log(`\nADMIN_TOKEN, the first API key. It is shown this once:\n\n  ${shown}`);

  step("Is it there?");
  if (urls.length === 0) say("it has no address of its own: routes are patterns, look at /healthz there");
  for (const url of args["no-smoke"] ? [] : urls) {
    const ask = async (url) => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      return { status: answer.status, text: await answer.text() };
    };
    await healthy(url, { ask, wait });
    say(`${url}/healthz answers`);
  }
  console.log(`\nclicktrail ${version ?? ""} is deployed to ${args.env}`);
  for (const url of urls) console.log(`  dashboard   ${url}/dashboard/\n  pixel       ${url}/1x1.gif?cid=demo\n  metrics     ${url}/metrics`);
  console.log(`\nBack to what ran before: make rollback ENV=${args.env}`);
}

/** Everything but the account. */
async function rehearse(tool, config) {
  build();
  step(`What it needs, for ${args.env}; what is there stays as it is`);
  for (const { database_name, database_id } of config.d1_databases) say(database_id ? `D1 ${database_name}, ${database_id}` : `wrangler d1 create ${database_name}`);
  for (const one of config.kv_namespaces) say(one.id ? `KV ${one.id}` : `wrangler kv namespace create ${namespaceTitle(config, one)}`);
  for (const { bucket_name } of config.r2_buckets) say(`wrangler r2 bucket create ${bucket_name}`);
  for (const name of queuesOf(config)) say(`wrangler queues create ${name}`);
  for (const secret of Object.keys(secretsDue([], {}).due)) say(`secret ${secret}, made up if there is none`);
  const path = write(filled(config, {}));
  step("Migrations of D1, which old code gets along with");
  for (const { binding, migrations_dir } of config.d1_databases) if (migrations_dir) say(`wrangler d1 migrations apply ${binding} --remote`);
  step("Deployment");
  await tool.must(["deploy", "--config", path, "--dry-run"], { show: true });
  console.log(`\nNothing was created or deployed. What would be is in ${relative(root, path)}`);
}

/** Code and settings go back; what is stored does not. docs/upgrading.md says how far back that works. */
async function rollback(version) {
  const config = await readConfig();
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  const chosen = config.account_id ?? process.env.CLOUDFLARE_ACCOUNT_ID;
  const tool = wrangler({ program, env, echo: (text) => process.stdout.write(text) });
  const command = ["rollback", ...(version ? [version] : []), "--name", config.name, "--message", "make rollback", "--yes"];
  if (dry) return say(`wrangler ${command.join(" ")}`);
  env.CLOUDFLARE_ACCOUNT_ID = (await account(tool, chosen)).id;
  step(`Versions of ${config.name}`);
  await tool.must(["deployments", "list", "--name", config.name], { show: true });
  await tool.must(command, { show: true });
  console.log(`
${config.name} runs ${version ?? "what it ran before"}. Migrations of D1 stay: older code gets along with them.
Queue consumers, cron triggers and routes are no part of a version: \`git checkout\` of that release and make deploy set them too.`);
}

try {
  const [command = "deploy", version] = positionals;
  if (command === "deploy") await deploy();
  else if (command === "rollback") await rollback(version);
  else throw new Stop(`deploy.mjs knows deploy and rollback, not ${command}`);
} catch (error) {
  if (!(error instanceof Stop) && explain(String(error)) === undefined && !/^ENV=/.test(error.message)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
