// What the prose names is there: functions, files, pages, dependencies.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { description } from "./openapi.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const prose = ["README.md", "CONTRIBUTING.md", "dashboard/README.md", "examples/README.md", "clients/typescript/README.md", ...pages.map((name) => `docs/${name}`)];

test("each function on the walk of a click is in the file that is said", () => {
  const named = [...read("docs/architecture.md").matchAll(/`([\w./]+\.rs):(\w+)`/g)];
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter(([, file, name]) => !existsSync(join(root, file!)) || !new RegExp(`fn ${name}\\b`).test(read(file!)));
  expect(missing.map(([text]) => text)).toEqual([]);
});

test("each path that the prose names is there", () => {
  const missing = prose.flatMap((page) => {
    const links = [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => join(dirname(page), path!));
    const paths = [...read(page).matchAll(/`((?:src|analytics|durable_objects|queues|links|tests|docs|dev|bench|dashboard|clients|examples)\/[\w./-]+)`/g)];
    // What is generated is there once it is made.
    const files = paths.map(([, path]) => path!).filter((path) => !path.endsWith("schema.d.ts"));
    // From the root, or from where the page is.
    const isThere = (path: string) => existsSync(join(root, path)) || existsSync(join(root, dirname(page), path));
    return [...links, ...files].filter((path) => !isThere(path)).map((path) => `${page}: ${path}`);
  });
  expect(missing).toEqual([]);
});

test("each route that the prose names is in the description", () => {
  const known = Object.entries(description.paths).flatMap(([path, item]) => Object.keys(item as object).map((method) => [method.toUpperCase(), path] as const));
  const patterns = known.map(([method, path]) => new RegExp(`^${method} ${path.replaceAll(/[.+]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+")}$`));
  let named = 0;
  const missing = [...prose, "CHANGELOG.md"].flatMap((page) =>
    [...read(page).matchAll(/`((?:(?:GET|POST|PUT|PATCH|DELETE|HEAD)[|, \\`]*)+) (\/[^\s`?[|,:)*…]*)[?[`]/g)].flatMap(([, methods, path]) => {
      named += 1;
      return methods!.match(/[A-Z]+/g)!.map((method) => `${method} ${path}`).filter((route) => !patterns.some((pattern) => pattern.test(route))).map((route) => `${page}: ${route}`);
    }),
  );
  expect(named).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

test("make help tells of every target", () => {
  const makefile = read("Makefile");
  const targets = /^\.PHONY: (.+)$/m.exec(makefile)![1]!.split(" ");
  expect(targets.filter((target) => !new RegExp(`^${target}:.* ## \\S`, "m").test(makefile))).toEqual([]);
});

test("each page of docs/ is in its index", () => {
  const index = read("docs/README.md");
  expect(pages.filter((name) => name !== "README.md" && !index.includes(`](${name})`))).toEqual([]);
});

test("every dependency has its line in docs/dependencies.md, and every line its dependency", () => {
  const manifest = (path: string) => Object.keys({ ...JSON.parse(read(path)).dependencies, ...JSON.parse(read(path)).devDependencies });
  const npm = [...manifest("package.json"), ...manifest("clients/typescript/package.json")];
  const crates = ["", "analytics/", "durable_objects/", "queues/", "links/", "tests/native/", "tests/wasm/"].flatMap((folder) => {
    const tables = read(`${folder}Cargo.toml`).split(/^\[/m).filter((table) => /^(target.*\.)?(dev-)?dependencies\]/.test(table));
    return tables.flatMap((table) => [...table.matchAll(/^([\w-]+)(?:\.workspace)? *=/gm)].map(([, name]) => name!));
  });
  const ours = ["analytics", "durable_objects", "queues", "links", "clicktrail"];
  const used = new Set([...npm, ...crates].filter((name) => !ours.includes(name)));
  const said = new Set([...read("docs/dependencies.md").matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].flatMap(([, names]) => [...names!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)));
  expect([...used].filter((name) => !said.has(name)), "without a line").toEqual([]);
  expect([...said].filter((name) => !used.has(name)), "without a use").toEqual([]);
});
