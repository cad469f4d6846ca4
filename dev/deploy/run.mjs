// The steps of a deployment, one after the other. What they touch comes from outside: `tool` runs wrangler, `table` reads a TOML file, `build`
// makes the Worker, `ask` and `wait` look at what was deployed, `print` says what happens.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { account, buckets, database, namespace, queues, secretsDue, secretsThere } from "./account.mjs";
import { environment, filled, namespaceTitle, queuesOf, seenFrom } from "./environment.mjs";
import { addresses, deployed, healthy } from "./smoke.mjs";
import { json, Stop } from "./wrangler.mjs";

function readConfig({ root, args, table, say }) {
  const over = join(root, `deploy.${args.env}.toml`);
  const config = environment(table(join(root, "wrangler.toml")), args.env, existsSync(over) ? table(over) : {}, { archive: args.archive !== "off" });
  if (existsSync(over)) say(`with what deploy.${args.env}.toml says`);
  return config;
}

/** Beside the state of `make dev`, which git ignores: no account's ids get into the repository. */
function write({ args, folder, root }, config) {
  const dry = args["dry-run"];
  const path = join(folder, `deploy.${args.env}${dry ? ".dry" : ""}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(seenFrom(config, relative(folder, root)), null, 2)}\n`);
  return path;
}

export async function deploy(world) {
  const { tool, env, args, say, step, print, build } = world;
  const config = readConfig(world);
  if (args["dry-run"]) return await rehearse(world, config);

  step(`Account, for ${args.env}`);
  const { id, name } = await account(tool, config.account_id ?? env.CLOUDFLARE_ACCOUNT_ID);
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
  const { due, shown } = secretsDue(await secretsThere(tool, config.name), env, { ci: Boolean(env.CI || env.WORKERS_CI) });
  for (const secret of Object.keys(due)) say(`secret ${secret} goes with this version`);
  const path = write(world, filled(config, ids));

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
  if (shown) print(`\nADMIN_TOKEN, the first API key. It is shown this once:\n\n  ${shown}`);

  step("Is it there?");
  if (urls.length === 0) say("it has no address of its own: routes are patterns, look at /healthz there");
  for (const url of args["no-smoke"] ? [] : urls) {
    await healthy(url, world);
    say(`${url}/healthz answers`);
  }
  print(`\nclicktrail ${version ?? ""} is deployed to ${args.env}`);
  for (const url of urls) print(`  dashboard   ${url}/dashboard/\n  pixel       ${url}/1x1.gif?cid=demo\n  metrics     ${url}/metrics`);
  print(`\nBack to what ran before: make rollback ENV=${args.env}`);
}

/** Everything but the account. */
async function rehearse(world, config) {
  const { tool, args, root, say, step, print, build } = world;
  build();
  step(`What it needs, for ${args.env}; what is there stays as it is`);
  for (const { database_name, database_id } of config.d1_databases) say(database_id ? `D1 ${database_name}, ${database_id}` : `wrangler d1 create ${database_name}`);
  for (const one of config.kv_namespaces) say(one.id ? `KV ${one.id}` : `wrangler kv namespace create ${namespaceTitle(config, one)}`);
  for (const { bucket_name } of config.r2_buckets) say(`wrangler r2 bucket create ${bucket_name}`);
  for (const name of queuesOf(config)) say(`wrangler queues create ${name}`);
  for (const secret of Object.keys(secretsDue([], {}).due)) say(`secret ${secret}, made up if there is none`);
  const path = write(world, filled(config, {}));
  step("Migrations of D1, which old code gets along with");
  for (const { binding, migrations_dir } of config.d1_databases) if (migrations_dir) say(`wrangler d1 migrations apply ${binding} --remote`);
  step("Deployment");
  await tool.must(["deploy", "--config", path, "--dry-run"], { show: true });
  print(`\nNothing was created or deployed. What would be is in ${relative(root, path)}`);
}

/** Code and settings go back; what is stored does not. docs/upgrading.md says how far back that works. */
export async function rollback(world, version) {
  const { tool, env, args, say, step, print } = world;
  const config = readConfig(world);
  const command = ["rollback", ...(version ? [version] : []), "--name", config.name, "--message", "make rollback", "--yes"];
  if (args["dry-run"]) return say(`wrangler ${command.join(" ")}`);
  env.CLOUDFLARE_ACCOUNT_ID = (await account(tool, config.account_id ?? env.CLOUDFLARE_ACCOUNT_ID)).id;
  step(`Versions of ${config.name}`);
  await tool.must(["deployments", "list", "--name", config.name], { show: true });
  await tool.must(command, { show: true });
  print(`
${config.name} runs ${version ?? "what it ran before"}. Migrations of D1 stay: older code gets along with them.
Queue consumers, cron triggers and routes are no part of a version: \`git checkout\` of that release and make deploy set them too.`);
}
