// An account for tests of `make deploy`: answers what dev/deploy says to wrangler as wrangler does.
import { appendFileSync, readFileSync } from "node:fs";
import { must } from "../../dev/deploy/wrangler.mjs";

const VALUED = ["--config", "--name", "--secrets-file", "--message", "--location", "--format", "--message-retention-period-secs"];

class Refusal extends Error {}

export class Account {
  loggedIn = true;
  accounts = [{ id: "a1", name: "Example" }];
  d1: { name: string; uuid: string }[] = [];
  kv: { id: string; title: string }[] = [];
  r2: string[] = [];
  queues: string[] = [];
  workers: Record<string, { secrets: Record<string, string>; versions: number; config: any }> = {};
  migrated: string[] = [];
  rolledBack: { worker: string; version: string } | undefined;
  calls: string[][] = [];
  /** What fails, by how its command begins, with which words. */
  refuse: Record<string, string> = {};

  readonly run = async (argv: string[], more: { env?: Record<string, string> } = {}) => {
    const done = (code: number, stdout: string, stderr = "") => ({ code, stdout, all: stdout + stderr, args: argv });
    try {
      const answer = this.#answer(argv, more.env ?? {});
      return done(answer.loggedIn === false ? 1 : 0, typeof answer === "string" ? answer : `\n ⛅️ wrangler\n${JSON.stringify(answer, null, 2)}\n`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return done(1, "", `✘ [ERROR] ${error.message}\n`);
    }
  };
  readonly tool = { run: this.run, must: must(this.run) };

  #answer(argv: string[], env: Record<string, string>): any {
    this.calls.push(argv);
    const fail = (text: string) => {
      throw new Refusal(text);
    };
    const option = (name: string) => argv[argv.indexOf(name) + 1];
    const [first, second, third, fourth] = argv.filter((word, nth) => !word.startsWith("--") && !VALUED.includes(argv[nth - 1]));
    const refused = Object.keys(this.refuse).find((begin) => argv.join(" ").startsWith(begin));
    if (refused !== undefined) fail(this.refuse[refused]);
    if (first === "whoami") return this.loggedIn ? { loggedIn: true, accounts: this.accounts } : { loggedIn: false };
    if (!this.loggedIn && !argv.includes("--dry-run")) fail("In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler to work.");
    switch (`${first} ${second}`) {
      case "d1 list":
        return this.d1;
      case "d1 create":
        if (this.d1.some(({ name }) => name === third)) fail("A database with that name already exists");
        this.d1.push({ name: third, uuid: `0d1${String(this.d1.length).padStart(5, "0")}-1111-4111-8111-111111111111` });
        return "created";
      case "d1 time-travel":
        return { bookmark: "00000001-00000002-00004c9a-abc" };
      case "d1 migrations": {
        const config = JSON.parse(readFileSync(option("--config"), "utf8"));
        this.migrated.push(config.d1_databases.find(({ binding }: any) => binding === fourth).database_id);
        return "Migrations applied";
      }
      case "kv namespace":
        if (third === "list") return this.kv;
        this.kv.push({ id: `f${String(this.kv.length).padStart(31, "0")}`, title: fourth });
        return "created";
      case "r2 bucket":
        if (this.r2.includes(fourth)) fail("The bucket you tried to create already exists, and you own it. [code: 10004]");
        this.r2.push(fourth);
        return "created";
      case "queues info":
        if (!this.queues.includes(third)) fail(`Queue "${third}" does not exist. To create it, run: wrangler queues create ${third}`);
        return "Queue Name: ...";
      case "queues create":
        this.queues.push(third);
        return "created";
      case "secret list": {
        const secrets = this.workers[option("--name")]?.secrets ?? fail("This Worker does not exist on your account. [code: 10007]");
        return Object.keys(secrets).map((name) => ({ name, type: "secret_text" }));
      }
      case "deployments list":
        return "Version(s): ...";
    }
    if (first === "rollback") {
      this.rolledBack = { worker: option("--name"), version: second ?? "the one before" };
      return "rolled back";
    }
    if (first !== "deploy") throw new Error(`the stand-in knows no ${argv.join(" ")}`);
    if (argv.includes("--dry-run")) return "--dry-run: exiting now.";
    const config = JSON.parse(readFileSync(option("--config"), "utf8"));
    const due = argv.includes("--secrets-file") ? JSON.parse(readFileSync(option("--secrets-file"), "utf8")) : {};
    const before = this.workers[config.name] ?? { secrets: {}, versions: 0 };
    this.workers[config.name] = { secrets: { ...before.secrets, ...due }, versions: before.versions + 1, config };
    const targets = [`https://${config.name}.example.workers.dev`, "schedule: * * * * *", "Producer for clicktrail-events"];
    appendFileSync(env.WRANGLER_OUTPUT_FILE_PATH, `${JSON.stringify({ type: "deploy", version: 1, version_id: `v${before.versions + 1}`, targets })}\n`);
    return "Uploaded";
  }
}
