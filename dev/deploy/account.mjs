// Finds in the account what an environment needs, and creates what is missing. Each function may be run again at any time.
import { randomBytes } from "node:crypto";
import { namespaceTitle, queuesOf } from "./environment.mjs";
import { checked, json, Stop } from "./wrangler.mjs";

/** Who is logged in, and which account is meant. */
export async function account({ run }, chosen) {
  const { stdout, code, all, args } = await run(["whoami", "--json"]);
  const who = code === 0 || stdout.includes("loggedIn") ? json(stdout) : checked({ code, stdout, all, args });
  if (!who.loggedIn) throw new Stop("You are not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  const accounts = who.accounts ?? [];
  if (chosen !== undefined) return { id: chosen, name: accounts.find(({ id }) => id === chosen)?.name ?? chosen };
  if (accounts.length === 1) return accounts[0];
  const list = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
  throw new Stop(`Which account? Set CLOUDFLARE_ACCOUNT_ID, or account_id in deploy.ENV.toml:\n${list}`);
}

/** The id of a database by its name. */
export async function database({ must }, { database_name: name, database_id: known }, { location, say }) {
  if (known) return known;
  const find = async () => json(await must(["d1", "list", "--json"])).find((one) => one.name === name)?.uuid;
  const found = await find();
  if (found) return say(`D1 ${name} is there`), found;
  say(`creating D1 ${name}`);
  await must(["d1", "create", name, ...(location ? ["--location", location] : [])]);
  return (await find()) ?? missing(`D1 ${name}`);
}

/** The id of a KV namespace by its title. */
export async function namespace({ must }, config, entry, { say }) {
  if (entry.id) return entry.id;
  const title = namespaceTitle(config, entry);
  const find = async () => json(await must(["kv", "namespace", "list"])).find((one) => one.title === title)?.id;
  const found = await find();
  if (found) return say(`KV ${title} is there`), found;
  say(`creating KV ${title}`);
  await must(["kv", "namespace", "create", title]);
  return (await find()) ?? missing(`KV ${title}`);
}

function missing(what) {
  throw new Stop(`${what} was created, but the account does not list it yet: run this again in a minute`);
}

/** `r2 bucket info` also asks for statistics, which fewer tokens may: a bucket that is there says so when it is to be created. */
export async function buckets({ run }, config, { say }) {
  for (const { bucket_name: name } of config.r2_buckets) {
    const answer = await run(["r2", "bucket", "create", name]);
    if (/code: 10004\b|already exists, and you own it/i.test(answer.all)) say(`R2 ${name} is there`);
    else checked(answer), say(`created R2 ${name}`);
  }
}

const NOT_THERE = /does not exist|not found|code: 10007\b|code: 11000\b/i;

/** The most that a queue keeps a message for, 14 days, in place of four: the ledger remembers for longer than that. */
const KEPT_SECONDS = String(14 * 86_400);

export async function queues({ run, must }, config, { say }) {
  for (const name of queuesOf(config)) {
    const answer = await run(["queues", "info", name]);
    if (answer.code === 0) {
      say(`queue ${name} is there`);
      continue;
    }
    if (!NOT_THERE.test(answer.all)) checked(answer);
    say(`creating queue ${name}`);
    await must(["queues", "create", name, "--message-retention-period-secs", KEPT_SECONDS]);
  }
}

/** The secrets that src/bindings.rs asks for, with how a fresh one is made; those of `OPTIONAL` are never made up. */
const SECRETS = {
  ADMIN_TOKEN: () => `ct_admin_${randomBytes(24).toString("base64url")}`,
  VISITOR_SECRET: () => randomBytes(32).toString("hex"),
  SIGNING_SECRET: () => randomBytes(32).toString("hex"),
};
const OPTIONAL = ["POSTBACK_SECRET", "VISITOR_SECRET_BEFORE"];
export const SECRET_NAMES = [...Object.keys(SECRETS), ...OPTIONAL];

/** Names of the secrets that the Worker has. One that was never deployed has none. */
export async function secretsThere({ run }, name) {
  const answer = await run(["secret", "list", "--name", name, "--format", "json"]);
  if (answer.code !== 0 && NOT_THERE.test(answer.all)) return [];
  return json(checked(answer)).map((secret) => secret.name);
}

/**
 * What to upload with the next version: what the environment of the command gives, and what is missing. A secret that is there is never
 * made anew: click ids and today's visitors hang on it. In a build of somebody's own the log would show the token, so there it is to be given.
 */
export function secretsDue(there, given, { ci } = {}) {
  const due = {};
  for (const name of SECRET_NAMES) {
    if (given[name]) due[name] = given[name];
    else if (!there.includes(name) && SECRETS[name]) due[name] = SECRETS[name]();
  }
  const generated = due.ADMIN_TOKEN !== undefined && !given.ADMIN_TOKEN;
  if (generated && ci) throw new Stop("ADMIN_TOKEN is not set, and would show in the log of this build: give it as a variable or secret of the build.");
  return { due, shown: generated ? due.ADMIN_TOKEN : undefined };
}
