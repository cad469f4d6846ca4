// What a tag becomes: one number everywhere, notes, and files that work where nothing else is.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @ts-expect-error: plain JavaScript
import { notes, pack, released, versions } from "../../dev/release.mjs";
import { startServer } from "./server.ts";

const root = join(import.meta.dirname, "../..");
const run = (command: string, args: string[], options: object = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
};

test("a version is the same wherever one stands", () => {
  const [[, counts]] = versions();
  expect(counts).toMatch(/^\d+\.\d+\.\d+$/);
  expect(versions().filter(([, version]: string[]) => version !== counts)).toEqual([]);
});

test("what was unreleased is what a release says, and no other one's", () => {
  const changelog = released("# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.2.0, 2026-01-01\n\n- Old.\n", "0.2.1", "2026-02-03");
  expect(notes("0.2.1", changelog)).toBe("- New.");
  expect(notes("0.2.0", changelog)).toBe("- Old.");
  expect(() => notes("0.2", changelog)).toThrow("0.2");
  expect(() => released(changelog, "0.2.2", "2026-02-04")).toThrow("nothing of Unreleased");
});

test("the workflows run what is there, and no action that may change under its name", () => {
  const folder = join(root, ".github/workflows");
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), "utf8");
    for (const [, what] of text.matchAll(/uses: (\S+)/g)) expect(what!.startsWith("./") ? existsSync(join(root, what!)) : /@[0-9a-f]{40}$/.test(what!), what).toBe(true);
    for (const [, path] of text.matchAll(/run: (?:node )?([\w./]+\/[\w./]+)/g)) expect(existsSync(join(root, path!)), path).toBe(true);
  }
});

describe.skipIf(!existsSync(join(root, ".git")))("the files", () => {
  const folder = mkdtempSync(join(tmpdir(), "clicktrail-release-"));
  const files = join(folder, "files");
  const unpacked = join(folder, `clicktrail-${versions()[0][1]}`);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(() => {
    // It would install into the packages of this checkout.
    expect(readFileSync(join(root, "package-lock.json")), "npm packages are old: make setup").toEqual(readFileSync(join(root, "node_modules/.package-lock.of-install")));
    run("npm", ["run", "--silent", "client"], { stdio: "ignore" });
    // What is not committed yet is looked at too.
    pack(files, run("git", ["stash", "create"]).trim() || "HEAD");
    run("tar", ["xzf", join(files, `clicktrail-${versions()[0][1]}.tar.gz`), "-C", folder]);
    symlinkSync(join(root, "node_modules"), join(unpacked, "node_modules"));
  }, 120_000);

  test("have sums that fit", () => {
    const sums = readFileSync(join(files, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(sums.map((line) => line.split("  ")[1])).toEqual(readdirSync(files).filter((name) => name !== "SHA256SUMS").sort());
    run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: files });
  });

  test("are served by make where neither Rust nor a C compiler is", async () => {
    const tools = join(folder, "tools");
    mkdirSync(tools);
    for (const tool of ["bash", "sh", "env", "make", "node", "npm", "cmp", "cp", "dirname", "find", "awk"]) {
      symlinkSync(run("bash", ["-c", `command -v ${tool}`]).trim(), join(tools, tool));
    }
    const env = { PATH: tools, HOME: folder };
    expect(() => run("cargo", ["--version"], { env, stdio: "ignore" })).toThrow();
    const state = join(folder, "state");
    const child: ChildProcess = spawn("make", ["--no-print-directory", "serve", "PORT=0", `STATE=${state}`], { cwd: unpacked, env, stdio: ["ignore", "pipe", "inherit"] });
    try {
      for await (const line of createInterface({ input: child.stdout! })) {
        const url = /serving on (\S+)/.exec(line)?.[1];
        if (url === undefined) continue;
        const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${readFileSync(join(state, "admin_token"), "utf8")}` } });
        expect(await metrics.text()).toContain(`clicktrail_build_info{version="${versions()[0][1]}"`);
        expect((await fetch(`${url}/dashboard/`)).status).toBe(200);
        return;
      }
      throw new Error("make serve ended");
    } finally {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
  });

  test("have a client that an empty project installs, runs under Node and checks the types of", async () => {
    const project = join(folder, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{"type": "module", "private": true}');
    // What it depends on as it is here: the test asks no registry.
    const needed = ["openapi-fetch", "openapi-typescript-helpers"].map((name) => join(root, "node_modules", name));
    run("npm", ["pack", "--silent", "--pack-destination", project, ...needed], { stdio: "ignore" });
    const client = readdirSync(files).find((name) => name.endsWith(".tgz"))!;
    const packed = run("tar", ["tzf", join(files, client)]).trim().split("\n").map((name) => name.replace("package/", ""));
    expect(packed.sort()).toEqual(["LICENSE", "README.md", "dist/index.d.ts", "dist/index.js", "dist/schema.d.ts", "package.json"]);
    const archives = readdirSync(project).filter((name) => name.endsWith(".tgz")).map((name) => `./${name}`);
    run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", join(files, client), ...archives], { cwd: project });
    expect(Object.keys(JSON.parse(readFileSync(join(project, "node_modules/@clicktrail/client/package.json"), "utf8")).dependencies)).toEqual(["openapi-fetch"]);

    await using server = await startServer();
    writeFileSync(
      join(project, "index.ts"),
      `import { createClient, data, every, Refused, type Link } from "@clicktrail/client";
const client = createClient(${JSON.stringify(server.url)}, ${JSON.stringify(server.token)});
const made: Link = await data(client.PUT("/api/links/{name}", { params: { path: { name: "packed" } }, body: { url: "https://example.com/" } }));
const tokens: string[] = [];
for await (const link of every((cursor) => client.GET("/api/links", { params: { query: { cursor } } }))) tokens.push(link.token);
const refused = await data(client.POST("/api/links", { body: { url: "nowhere" } })).catch((error: unknown) => error instanceof Refused && error.status);
// @ts-expect-error: a link leads to a URL
await client.POST("/api/links", { body: { url: 7 } });
console.log(JSON.stringify([made.token, tokens, refused]));
`,
    );
    // As strict as a project may be, and without leave to pass over what is wrong in a package's own types.
    run("tsc", ["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable", "--types", "", "--strict", "--outDir", "out", "index.ts"], { cwd: project });
    expect(JSON.parse(run(process.execPath, ["out/index.js"], { cwd: project }))).toEqual(["packed", ["packed"], 400]);
  });
});
