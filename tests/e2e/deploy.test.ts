// `make deploy` against a stand-in for wrangler and the account, and what it says to wrangler against the real one.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { environment, filled, queuesOf } from "../../dev/deploy/environment.mjs";
import { SECRET_NAMES } from "../../dev/deploy/account.mjs";
import { addresses, healthy } from "../../dev/deploy/smoke.mjs";
import { explain } from "../../dev/deploy/wrangler.mjs";
import { experimental_readRawConfig as readRawConfig } from "wrangler";

const root = join(import.meta.dirname, "../..");
const table = readRawConfig({ config: join(root, "wrangler.toml") }).rawConfig as any;
let folder: string;
let path: string;
const account = () => JSON.parse(readFileSync(path, "utf8"));
const set = (change: object) => writeFileSync(path, JSON.stringify({ ...account(), ...change }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clicktrail-"));
  path = join(folder, "account.json");
  const accounts = [{ id: "a1", name: "Example" }];
  writeFileSync(path, JSON.stringify({ loggedIn: true, accounts, d1: [], kv: [], r2: [], queues: [], workers: {}, migrated: [], calls: [] }));
  return () => rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  code: number;
  out: string;
}
function deploy(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { CI: _, CLOUDFLARE_ACCOUNT_ID: __, ...rest } = process.env;
  const options = { cwd: root, env: { ...rest, CLICKTRAIL_WRANGLER: join(import.meta.dirname, "wrangler.mjs"), FAKE_ACCOUNT: path, CLICKTRAIL_DEPLOY_FOLDER: dirname(path), ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, ["dev/deploy.mjs", ...args], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), out: stdout + stderr });
    });
  });
}
const quick = ["--no-build", "--no-smoke"];

describe("an empty account", () => {
  test("gets everything, with its ids beside the repository and a token that is shown", async () => {
    const { code, out } = await deploy(quick);
    expect(out).toContain("ct_admin_");
    expect(code).toBe(0);
    const { d1, kv, r2, queues, workers, migrated } = account();
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
    set({ loggedIn: false });
    const { code, out } = await deploy(["--no-build", "--dry-run", "--env", "staging"]);
    expect(code, out).toBe(0);
    expect(out).toContain("wrangler d1 create clicktrail-staging");
    expect(out).toContain("wrangler queues create clicktrail-events-dead-staging");
    expect(account().calls.map(([first]: string[]) => first)).toEqual(["deploy"]);
  });

  test("migrates before it deploys, because old code gets along with the new schema and not the other way round", async () => {
    await deploy(quick);
    const order = account().calls.map((call: string[]) => call.slice(0, 2).join(" "));
    expect(order.indexOf("d1 migrations")).toBeLessThan(order.findIndex((call: string) => call.startsWith("deploy --config")));
    expect(order.indexOf("queues create")).toBeLessThan(order.indexOf("d1 migrations"));
  });
});

describe("a second time", () => {
  test("creates nothing, and makes no secret anew", async () => {
    await deploy(quick);
    const first = account();
    const { code, out } = await deploy(quick);
    expect(code, out).toBe(0);
    const second = account();
    expect(second.workers.clicktrail.versions).toBe(2);
    expect(second.workers.clicktrail.secrets).toEqual(first.workers.clicktrail.secrets);
    expect([second.d1, second.kv, second.r2, second.queues]).toEqual([first.d1, first.kv, first.r2, first.queues]);
    expect(out).not.toContain("ct_admin_");
    expect(second.calls.slice(first.calls.length).filter((call: string[]) => call.includes("create"))).toEqual([]);
  });

  test("goes on where an error left off", async () => {
    set({ refuse: { "r2 bucket create": "Please enable R2 through the Cloudflare Dashboard. [code: 10042]" } });
    const broken = await deploy(quick);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("ARCHIVE=off");
    expect(broken.out).not.toContain("    at ");
    set({ refuse: {} });
    const { code, out } = await deploy(quick);
    expect(code, out).toBe(0);
    expect(account().d1).toHaveLength(1);
  });

  test("uploads a secret that the command is given", async () => {
    await deploy(quick);
    await deploy(quick, { ADMIN_TOKEN: "of-mine", POSTBACK_SECRET: "shared" });
    const { secrets } = account().workers.clicktrail;
    expect(secrets).toMatchObject({ ADMIN_TOKEN: "of-mine", POSTBACK_SECRET: "shared" });
  });
});

test("staging and production share nothing", async () => {
  await deploy(quick);
  await deploy([...quick, "--env", "staging"]);
  const { workers, d1, kv } = account();
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
    const { code, out } = await deploy([...quick, "--env", "prod"]);
    expect(code).toBe(1);
    expect(out).toContain("ENV=prod is none of production, staging");
    expect(out).not.toContain("    at ");
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
    set({ loggedIn: false });
    const { code, out } = await deploy(quick);
    expect(code).toBe(1);
    expect(out).toContain("npx wrangler login");
    expect(account().calls).toEqual([["whoami", "--json"]]);
  });

  test("several accounts", async () => {
    set({ accounts: [{ id: "a1", name: "One" }, { id: "a2", name: "Two" }] });
    const { code, out } = await deploy(quick);
    expect(code).toBe(1);
    expect(out).toMatch(/CLOUDFLARE_ACCOUNT_ID[^]*a2 {2}Two/);
    expect((await deploy(quick, { CLOUDFLARE_ACCOUNT_ID: "a2" })).code).toBe(0);
  });

  test("a plan without queues", async () => {
    set({ refuse: { "queues create": "Queues is not available on your current plan. [code: 100129]" } });
    const { code, out } = await deploy(quick);
    expect(code).toBe(1);
    expect(out).toContain("Workers Paid");
  });

  test("a build's log would show the token", async () => {
    const { code, out } = await deploy(quick, { CI: "1" });
    expect(code).toBe(1);
    expect(out).toContain("ADMIN_TOKEN is not set");
    expect(out).not.toContain("ct_admin_");
    expect((await deploy(quick, { CI: "1", ADMIN_TOKEN: "of-mine" })).code).toBe(0);
  });

  test("a deployment that fails shows no token, and the next one has another", async () => {
    set({ refuse: { deploy: "A request to the Cloudflare API failed. [code: 10013]" } });
    const { code, out } = await deploy(quick);
    expect(code).toBe(1);
    expect(out).not.toContain("ct_admin_");
  });

  test("what nobody has met before is said as it came", () => {
    expect(explain("the moon is full")).toBeUndefined();
  });
});

describe("whether it answers", () => {
  test("is asked until it does", async () => {
    let asked = 0;
    const server = createServer((_, answer) => {
      asked++;
      answer.statusCode = asked < 3 ? 404 : 200;
      answer.end("ok");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as any).port}`;
    const ask = async (url: string) => fetch(url).then(async (answer) => ({ status: answer.status, text: await answer.text() }));
    await healthy(url, { ask, wait: async () => {} });
    expect(asked).toBe(3);
    server.close();
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
  expect((await deploy(["rollback", "v7", "--env", "staging"])).code).toBe(0);
  expect(account().rolledBack).toEqual({ worker: "clicktrail-staging", version: "v7" });
  const { out } = await deploy(["rollback"]);
  expect(account().rolledBack).toEqual({ worker: "clicktrail", version: "the one before" });
  expect(out).toContain("Migrations of D1 stay");
});

describe("wrangler", () => {
  const said = new Map<string, Set<string>>();
  beforeAll(async () => {
    // What is said to it, in a deployment and on the way back.
    const [own, of] = [mkdtempSync(join(tmpdir(), "clicktrail-")), "account.json"];
    path = join(own, of);
    writeFileSync(path, JSON.stringify({ loggedIn: true, accounts: [{ id: "a", name: "A" }], d1: [], kv: [], r2: [], queues: [], workers: {}, migrated: [], calls: [] }));
    await deploy([...quick, "--location", "weur"]);
    await deploy(["rollback", "v1"]);
    for (const call of account().calls as string[][]) {
      const words = call.slice(0, call.findIndex((word, nth) => word.startsWith("--") || nth === call.length) >>> 0);
      const command = words.slice(0, { kv: 3, r2: 3, d1: words[1] === "migrations" || words[1] === "time-travel" ? 3 : 2, queues: 2, secret: 2, deployments: 2 }[words[0]] ?? 1).join(" ");
      const options = said.get(command) ?? new Set();
      for (const word of call) if (word.startsWith("--")) options.add(word);
      said.set(command, options);
    }
    rmSync(own, { recursive: true });
  });

  test("knows each command and option, in the version that is pinned", { timeout: 180_000 }, async () => {
    expect(said.size).toBeGreaterThan(12);
    for (const [command, options] of said) {
      const help = await new Promise<string>((resolve, reject) => {
        const env = { ...process.env, NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compiled"), WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
        execFile(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...command.split(" "), "--help"], { env }, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
      });
      expect(help.split("\n").find((line) => line.startsWith("wrangler "))).toContain(`wrangler ${command}`);
      for (const option of options) expect(help, `${command} ${option}`).toMatch(new RegExp(`${option}\\b`));
    }
  });
});
