// An account for tests of `make deploy`: answers the commands that dev/deploy.mjs gives to wrangler as wrangler does, from the JSON file
// at FAKE_ACCOUNT, and notes them there.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

const path = process.env.FAKE_ACCOUNT;
const account = JSON.parse(readFileSync(path, "utf8"));
const argv = process.argv.slice(2);
account.calls.push(argv);
const positional = argv.filter((word, nth) => !word.startsWith("--") && !["--config", "--name", "--secrets-file", "--message", "--location", "--format"].includes(argv[nth - 1]));
const option = (name) => argv[argv.indexOf(name) + 1];

function finish(text, code = 0) {
  writeFileSync(path, JSON.stringify(account));
  console[code === 0 ? "log" : "error"](typeof text === "string" ? text : JSON.stringify(text));
  process.exit(code);
}
const fail = (text) => finish(`\u001b[31m✘ \u001b[41;31m[ERROR]\u001b[0m ${text}`, 1);

const refused = account.refuse?.[positional.slice(0, 3).join(" ")] ?? account.refuse?.[positional.slice(0, 2).join(" ")] ?? account.refuse?.[positional[0]];
if (refused) fail(refused);
const [first, second, third, fourth] = positional;
const named = (list, name, missing) => (list.includes(name) ? finish({ name }) : fail(missing));

if (first === "whoami") finish(account.loggedIn ? { loggedIn: true, accounts: account.accounts } : { loggedIn: false }, account.loggedIn ? 0 : 1);
if (!account.loggedIn && !argv.includes("--dry-run")) fail("In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.");
switch (`${first} ${second}`) {
  case "d1 list":
    finish(`\n ⛅️ wrangler\n${JSON.stringify(account.d1)}`);
  case "d1 create":
    if (account.d1.some(({ name }) => name === third)) fail("A database with that name already exists");
    account.d1.push({ name: third, uuid: `0d1${String(account.d1.length).padStart(5, "0")}-1111-4111-8111-111111111111` });
    finish("created");
  case "d1 time-travel":
    finish({ bookmark: "00000001-00000002-00004c9a-abc" });
  case "d1 migrations": {
    const config = JSON.parse(readFileSync(option("--config"), "utf8"));
    const { database_id: id } = config.d1_databases.find(({ binding }) => binding === fourth);
    account.migrated.push(id);
    finish("Migrations applied");
  }
  case "kv namespace":
    if (third === "list") finish(account.kv);
    account.kv.push({ id: `f${String(account.kv.length).padStart(31, "0")}`, title: fourth });
    finish("created");
  case "r2 bucket":
    if (third === "info") named(account.r2, fourth, "The specified bucket does not exist. [code: 10006]");
    account.r2.push(fourth);
    finish("created");
  case "queues info":
    named(account.queues, third, `Queue "${third}" does not exist. To create it, run: wrangler queues create ${third}`);
  case "queues create":
    account.queues.push(third);
    finish("created");
  case "secret list": {
    const secrets = account.workers[option("--name")]?.secrets;
    if (!secrets) fail(`This Worker does not exist on your account. [code: 10007]`);
    finish(Object.keys(secrets).map((name) => ({ name, type: "secret_text" })));
  }
  case "deployments list":
    finish("Version(s): ...");
}
if (first === "rollback") {
  account.rolledBack = { worker: option("--name"), version: second ?? "the one before" };
  finish("rolled back");
}
if (first === "deploy") {
  const config = JSON.parse(readFileSync(option("--config"), "utf8"));
  if (argv.includes("--dry-run")) finish("--dry-run: exiting now.");
  const due = argv.includes("--secrets-file") ? JSON.parse(readFileSync(option("--secrets-file"), "utf8")) : {};
  const before = account.workers[config.name] ?? { secrets: {}, versions: 0 };
  account.workers[config.name] = { secrets: { ...before.secrets, ...due }, versions: before.versions + 1, config };
  const targets = account.targets ?? [`https://${config.name}.example.workers.dev`, "schedule: * * * * *", "Producer for clicktrail-events"];
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, `${JSON.stringify({ type: "deploy", version: 1, version_id: `v${before.versions + 1}`, targets })}\n`);
  finish("Uploaded");
}
fail(`the stand-in knows no ${argv.join(" ")}`);
