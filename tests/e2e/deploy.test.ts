// `make deploy` against a stand-in for the account, and what it says to wrangler against the real one.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { SECRET_NAMES } from "../../dev/deploy/account.mjs";
import { environment, filled, queuesOf } from "../../dev/deploy/environment.mjs";
import { deploy as deployed, rollback } from "../../dev/deploy/run.mjs";
import { addresses, healthy } from "../../dev/deploy/smoke.mjs";
import { explain, json, Stop } from "../../dev/deploy/wrangler.mjs";
import { Account } from "./account.ts";

const root = join(import.meta.dirname, "../..");
const table = readRawConfig({ config: join(root, "wrangler.toml") }).rawConfig as any;
let account: Account;
let folder: string;

beforeEach(() => {
  account = new Account();
  folder = mkdtempSync(join(tmpdir(), "clicktrail-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  code: number;
  out: string;
}
/** Runs a step with options of the command line, as dev/deploy.mjs does. */
async function ended(step: (world: any) => Promise<unknown>, args: object, env: Record<string, string> = {}): Promise<Ended> {
  let out = "";
  const print = (text: string) => (out += `${text}\n`);
  const world = {
    args: { env: "production", archive: "on", ...args },
    env,
    root,
    folder,
    tool: account.tool,
    table: () => table,
    build: () => print("built"),
    ask: async () => ({ status: 200, text: "ok" }),
    wait: async () => {},
    print,
    say: print,
    step: print,
  };
  try {
    await step(world);
    return { code: 0, out };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { code: 1, out: `${out}${error.message}` };
  }
}
const deploy = (args: object = {}, env: Record<string, string> = {}) => ended(deployed, args, env);

describe("an empty account", () => {
  test("gets everything, with its ids beside the repository and a token that is shown", async () => {
    const { code, out } = await deploy();
    expect(out).toContain("ct_admin_");
    expect(code).toBe(0);
    const { d1, kv, r2, queues, workers, migrated } = structuredClone({ ...account, run: undefined, tool: undefined });
    expect(d1.map(({ name }: any) => name)).toEqual(["clicktrail"]);
    expect(kv.map(({ title }: any) => title)).toEqual(["clicktrail-links"]);
    expect(r2).toEqual(["clicktrail-archive"]);
    expect(queues.sort()).toEqual(queuesOf(environment(table, "production")).sort());
    expect(migrated).toEqual([d1[0].uuid]);
    const { secrets, config } = workers.clicktrail;
    expect(Object.keys(secrets).sort()).toEqual(["ADMIN_TOKEN", "SIGNING_SECRET", "VISITOR_SECRET"]);
    expect(out).toContain(secrets.ADMIN_TOKEN);
    expect(out).not.toContain(secrets.VISITOR_SECRET);
    expect(config.d1_databases[0].database_id).toBe(d1[0].uuid);
    expect(config.kv_namespaces[0].id).toBe(kv[0].id);
    expect(join(folder, config.main)).toBe(join(root, "build/entry.mjs"));
    expect(out).toContain("https://clicktrail.example.workers.dev/dashboard/");
    expect(out).toContain("bookmark 00000001");
  });

  test("is left alone by a dry run, which asks it nothing", async () => {
    account.loggedIn = false;
    const { code, out } = await deploy({ "dry-run": true, env: "staging" });
    expect(code, out).toBe(0);
    expect(out).toContain("wrangler d1 create clicktrail-staging");
    expect(out).toContain("wrangler queues create clicktrail-events-dead-staging");
    expect(account.calls.map(([first]: string[]) => first)).toEqual(["deploy"]);
  });

  test("migrates before it deploys, because old code gets along with the new schema and not the other way round", async () => {
    await deploy();
    const order = account.calls.map((call: string[]) => call.slice(0, 2).join(" "));
    expect(order.indexOf("d1 migrations")).toBeLessThan(order.findIndex((call: string) => call.startsWith("deploy --config")));
    expect(order.indexOf("queues create")).toBeLessThan(order.indexOf("d1 migrations"));
  });
});

describe("a second time", () => {
  test("creates nothing, and makes no secret anew", async () => {
    await deploy();
    const first = structuredClone({ ...account, run: undefined, tool: undefined });
    const { code, out } = await deploy();
    expect(code, out).toBe(0);
    const second = structuredClone({ ...account, run: undefined, tool: undefined });
    expect(second.workers.clicktrail.versions).toBe(2);
    expect(second.workers.clicktrail.secrets).toEqual(first.workers.clicktrail.secrets);
    expect([second.d1, second.kv, second.r2, second.queues]).toEqual([first.d1, first.kv, first.r2, first.queues]);
    expect(out).not.toContain("ct_admin_");
    const created = second.calls.slice(first.calls.length).filter((call: string[]) => call.includes("create") && call[0] !== "r2");
    expect(created).toEqual([]);
  });

  test("goes on where an error left off", async () => {
    account.refuse = { "r2 bucket create": "Please enable R2 through the Cloudflare Dashboard. [code: 10042]" };
    const broken = await deploy();
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("ARCHIVE=off");
    account.refuse = {};
    const { code, out } = await deploy();
    expect(code, out).toBe(0);
    expect(account.d1).toHaveLength(1);
  });

  test("uploads a secret that the command is given", async () => {
    await deploy();
    await deploy({}, { ADMIN_TOKEN: "of-mine", POSTBACK_SECRET: "shared" });
    const { secrets } = account.workers.clicktrail;
    expect(secrets).toMatchObject({ ADMIN_TOKEN: "of-mine", POSTBACK_SECRET: "shared" });
  });
});

test("staging and production share nothing", async () => {
  await deploy();
  await deploy({ env: "staging" });
  const { workers, d1, kv } = structuredClone({ ...account, run: undefined, tool: undefined });
  expect(d1).toHaveLength(2);
  expect(kv).toHaveLength(2);
  const names = ({ d1_databases, kv_namespaces, r2_buckets, queues, ratelimits, analytics_engine_datasets, name }: any) => [
    name,
    ...d1_databases.map((one: any) => one.database_id),
    ...kv_namespaces.map((one: any) => one.id),
    ...r2_buckets.map((one: any) => one.bucket_name),
    ...queuesOf({ queues }),
    ...ratelimits.map((one: any) => one.namespace_id),
    ...analytics_engine_datasets.map((one: any) => one.dataset),
  ];
  const [production, staging] = [names(workers.clicktrail.config), names(workers["clicktrail-staging"].config)];
  expect(staging).toHaveLength(production.length);
  expect(production.filter((name) => staging.includes(name))).toEqual([]);
  expect(workers.clicktrail.secrets.VISITOR_SECRET).not.toBe(workers["clicktrail-staging"].secrets.VISITOR_SECRET);
});

test("an environment has every binding that production has", () => {
  const keys = (value: any): unknown =>
    Array.isArray(value) ? value.map((one) => one.binding ?? one.name ?? one.queue?.replace(/-staging$/, "") ?? one.tag) : typeof value === "object" ? Object.keys(value) : typeof value;
  const [production, staging] = ["production", "staging"].map((env) => environment(table, env) as any);
  expect(Object.keys(staging)).toEqual(Object.keys(production));
  for (const key of Object.keys(table).filter((key) => key !== "build")) expect(keys(staging[key]), key).toEqual(keys(production[key]));
  expect(staging.vars).toEqual(table.vars);
  expect(staging.migrations).toEqual(table.migrations);
});

describe("the configuration", () => {
  test("takes what deploy.ENV.toml says over what is there", () => {
    const over = { account_id: "a2", routes: [{ pattern: "clicks.example", custom_domain: true }], vars: { CONFIG: { gate_shards: 8 } } };
    const config = environment(table, "staging", over) as any;
    expect(config).toMatchObject(over);
    expect(config.vars.CONFIG.window_seconds).toBe(300);
  });

  test("keeps ids that stand in wrangler.toml, as the deploy button leaves it, for production alone", () => {
    const mine = { ...table, d1_databases: [{ ...table.d1_databases[0], database_id: "11111111-2222-4333-8444-555555555555" }] };
    expect((filled(environment(mine, "production"), { DB: "other" }) as any).d1_databases[0].database_id).toMatch(/^11111111/);
    expect((filled(environment(mine, "staging"), { DB: "other" }) as any).d1_databases[0].database_id).toBe("other");
  });

  test("has no archive where there is to be none", () => {
    expect((environment(table, "production", {}, { archive: false }) as any).r2_buckets).toEqual([]);
  });

  test("is refused for an environment that there is not", async () => {
    const { code, out } = await deploy({ env: "prod" });
    expect(code).toBe(1);
    expect(out).toContain("ENV=prod is none of production, staging");
  });

  test("holds no account's ids in the repository", () => {
    expect(table.d1_databases.map((one: any) => one.database_id)).toEqual(table.d1_databases.map(() => "00000000-0000-0000-0000-000000000000"));
    expect(table.kv_namespaces.map((one: any) => one.id)).toEqual(table.kv_namespaces.map(() => "0".repeat(32)));
  });

  test("asks for each secret that the Worker reads, in the file that the deploy button reads too", () => {
    const names = [...readFileSync(join(root, "src/bindings.rs"), "utf8").matchAll(/\/\/\/ Secret.*\npub\(crate\) const (\w+)/g)].map(([, name]) => name);
    expect([...SECRET_NAMES].sort()).toEqual(names.sort());
    const example = readFileSync(join(root, ".dev.vars.example"), "utf8");
    const asked = [...example.matchAll(/^(\w+)=$/gm)].map(([, name]) => name);
    const { cloudflare } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const name of asked) expect(cloudflare.bindings).toHaveProperty(name);
    expect(names).toEqual(expect.arrayContaining(asked));
  });
});

describe("errors say what to do", () => {
  test("nobody is logged in", async () => {
    account.loggedIn = false;
    const { code, out } = await deploy();
    expect(code).toBe(1);
    expect(out).toContain("npx wrangler login");
    expect(account.calls).toEqual([["whoami", "--json"]]);
  });

  test("several accounts", async () => {
    account.accounts = [{ id: "a1", name: "One" }, { id: "a2", name: "Two" }];
    const { code, out } = await deploy();
    expect(code).toBe(1);
    expect(out).toMatch(/CLOUDFLARE_ACCOUNT_ID[^]*a2 {2}Two/);
    expect((await deploy({}, { CLOUDFLARE_ACCOUNT_ID: "a2" })).code).toBe(0);
  });

  test("a plan without queues", async () => {
    account.refuse = { "queues create": "Queues is not available on your current plan. [code: 100129]" };
    const { code, out } = await deploy();
    expect(code).toBe(1);
    expect(out).toContain("Workers Paid");
  });

  test("a build's log would show the token", async () => {
    const { code, out } = await deploy({}, { CI: "1" });
    expect(code).toBe(1);
    expect(out).toContain("ADMIN_TOKEN is not set");
    expect(out).not.toContain("ct_admin_");
    expect((await deploy({}, { CI: "1", ADMIN_TOKEN: "of-mine" })).code).toBe(0);
  });

  test("a deployment that fails shows no token, and the next one has another", async () => {
    account.refuse = { deploy: "A request to the Cloudflare API failed. [code: 10013]" };
    const { code, out } = await deploy();
    expect(code).toBe(1);
    expect(out).not.toContain("ct_admin_");
  });

  test("what nobody has met before is said as it came", () => {
    expect(explain("the moon is full")).toBeUndefined();
  });

  test("an answer is found behind what wrangler says besides", () => {
    expect(json('\n ⛅️ wrangler 4\n[WARNING] old\n{ not this\n[\n  {"name": "x"}\n]\n')).toEqual([{ name: "x" }]);
    expect(() => json("nothing")).toThrow("no JSON: nothing");
  });
});

describe("whether it answers", () => {
  test("is asked until it does", async () => {
    const answers = [new Error("not known yet"), { status: 404, text: "" }, { status: 200, text: "ok" }];
    const asked: string[] = [];
    const ask = async (url: string) => {
      asked.push(url);
      const answer = answers[asked.length - 1];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    await healthy("https://x.example", { ask, wait: async () => {} });
    expect(asked).toEqual(Array(3).fill("https://x.example/healthz"));
  });

  test("ends with the last answer and the way back", async () => {
    const ask = async () => ({ status: 500, text: "the secret SIGNING_SECRET is empty" });
    await expect(healthy("https://x.example", { ask, wait: async () => {}, tries: 2 })).rejects.toThrow(/SIGNING_SECRET is empty[^]*make rollback/);
  });

  test("is asked at addresses, not at patterns", () => {
    const targets = ["https://a.b.workers.dev", "clicks.example (custom domain)", "b.example/* (zone name: b.example)", "*.c.example/*", "schedule: * * * * *", "Producer for q"];
    expect(addresses(targets)).toEqual(["https://a.b.workers.dev", "https://clicks.example"]);
  });
});

test("rolling back names the Worker of the environment", async () => {
  expect((await ended((world) => rollback(world, "v7"), { env: "staging" })).code).toBe(0);
  expect(account.rolledBack).toEqual({ worker: "clicktrail-staging", version: "v7" });
  const { out } = await ended(rollback, {});
  expect(account.rolledBack).toEqual({ worker: "clicktrail", version: "the one before" });
  expect(out).toContain("Migrations of D1 stay");
});

test("wrangler knows each command and option, in the version that is pinned", { timeout: 400_000 }, async () => {
  await deploy({ location: "weur" });
  await ended((world) => rollback(world, "v1"), {});
  const said = new Map<string, Set<string>>();
  for (const call of account.calls) {
    const words = call.findIndex((word) => word.startsWith("--"));
    const length = { kv: 3, r2: 3, d1: ["migrations", "time-travel"].includes(call[1]) ? 3 : 2, queues: 2, secret: 2, deployments: 2 }[call[0]] ?? 1;
    const command = call.slice(0, length).join(" ");
    said.set(command, new Set([...(said.get(command) ?? []), ...call.slice(words < 0 ? call.length : words).filter((word) => word.startsWith("--"))]));
  }
  expect(said.size).toBeGreaterThan(12);
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compiled"), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  for (const [command, options] of said) {
    const help = await new Promise<string>((resolve, reject) => {
      const argv = [join(root, "node_modules/wrangler/bin/wrangler.js"), ...command.split(" "), "--help"];
      execFile(process.execPath, argv, { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
    expect(help.split("\n").find((line) => line.startsWith("wrangler "))).toContain(`wrangler ${command}`);
    for (const option of options) expect(help, `${command} ${option}`).toMatch(new RegExp(`${option}\\b`));
  }
});
