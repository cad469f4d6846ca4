// The page at /docs in a real Chromium: Swagger UI over the description, kept to this host and to the strict policy.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect, test, vi } from "vitest";
import { type Profile, openProfile } from "./browser.ts";
import { description, methodsOf } from "./openapi.ts";
import { startServer } from "./server.ts";

// The page draws some hundred and twenty operations, which a busy machine takes its time for.
vi.setConfig({ testTimeout: 180_000 });
const server = await startServer({ demo: true });
afterAll(() => server.stop());

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// HEAD answers as GET does, and OPTIONS is asked by browsers: the page leaves them out.
const shown = (method: string) => !["head", "options"].includes(method.toLowerCase());
const operations = Object.keys(description.paths).flatMap((path) => methodsOf(path).filter(shown).map((method) => `${method} ${path}`));

async function reference(options = {}): Promise<{ profile: Profile; page: Page; asked: string[] }> {
  const profile = await openProfile({ viewport: { width: 1280, height: 900 }, ...options });
  profile.context.setDefaultTimeout(90_000);
  const page = await profile.page();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${server.url}/docs`);
  await page.locator(".opblock").nth(operations.length - 1).waitFor();
  return { profile, page, asked };
}

test("every operation is shown, and no other host is asked for anything", async () => {
  const { profile, page, asked } = await reference();
  await using _ = profile;
  expect(await page.locator(".opblock").count()).toBe(operations.length);
  expect([...new Set(asked.map((url) => new URL(url).origin))]).toEqual([server.url]);
  expect(profile.errors).toEqual([]);
});

test("an operation is tried with a key, which is forgotten with the page", async () => {
  const { profile, page } = await reference();
  await using _ = profile;
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.locator(".auth-container input").first().fill(server.token);
  await page.getByRole("button", { name: "Apply credentials" }).first().click();
  await page.getByRole("button", { name: "Close" }).first().click();

  const list = page.locator("#operations-Links-listLinks");
  await list.locator(".opblock-summary-control").click();
  await list.getByRole("button", { name: "Try it out" }).click();
  await list.getByRole("button", { name: "Execute" }).click();
  const answered = list.locator(".live-responses-table");
  await answered.waitFor();
  expect(await answered.innerText()).toContain('"token": "demo"');
  expect(profile.errors).toEqual([]);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(server.token);
});

/** Of Swagger UI's own structure: the summary is a button with a "copy" button in it, and the choice of a media type has no label. */
const THEIRS = ["nested-interactive", "select-name"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious in the ${colorScheme} but what is of its structure`, async () => {
    const { profile, page } = await reference({ colorScheme });
    await using _ = profile;
    await page.locator("#operations-Links-createLink .opblock-summary-control").click();
    await page.locator("#operations-Links-createLink .responses-inner").waitFor();
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => (globalThis as any).axe.run({ resultTypes: ["violations"] }));
    const serious = violations.filter(({ impact, id }: any) => /serious|critical/.test(impact) && !THEIRS.includes(id));
    expect(serious.map(({ id, nodes }: any) => `${id} ${nodes.length}: ${nodes[0].target} ${nodes[0].any?.[0]?.message}`)).toEqual([]);
  });
}

test("it is loaded for itself alone, under a policy without exceptions, and may be kept", async () => {
  const page = await server.fetch("/docs");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toContain("unsafe");
  for (const name of readdirSync(join(import.meta.dirname, "../../build/assets/docs"))) {
    const file = await server.fetch(`/docs/${name}`);
    expect([file.status, file.headers.get("cache-control")], name).toEqual([200, "public, max-age=31536000, immutable"]);
  }
  expect((await server.fetch("/docs/nothing.js")).status).toBe(404);
  expect((await server.fetch("/docs", { method: "POST" })).status).toBe(405);
  const dashboard = readFileSync(join(import.meta.dirname, "../../build/assets/dashboard/index.html"), "utf8");
  expect(dashboard).not.toContain("/docs/");
});
