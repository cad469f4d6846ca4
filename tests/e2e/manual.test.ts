// What the pages of docs/ tell their readers to type, typed.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, post } from "./traffic.ts";

const root = join(import.meta.dirname, "../..");
const server = await startServer({ queue: { batchTimeout: 1 } });
const folder = mkdtempSync(join(tmpdir(), "clicktrail-manual-"));
afterAll(() => (rmSync(folder, { recursive: true }), server.stop()));

const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const blocks = (language: string) =>
  pages.flatMap((page) => [...readFileSync(join(root, "docs", page), "utf8").matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map(([, text]) => ({ page, text: text! })));

/** As bash runs it in an empty folder. */
async function typed(text: string): Promise<string> {
  const script = `set -eu\n${text.replaceAll("https://go.example", server.url)}`;
  const env = { ...process.env, KEY: server.token, URL: server.url };
  return (await promisify(execFile)("bash", ["-c", script], { cwd: folder, env }).catch((error) => Promise.reject(new Error(`${text}: ${error.stdout}${error.stderr}`)))).stdout;
}

test("each call by curl is answered with what was made or asked for", async () => {
  await server.api("/api/publishers/anna", { name: "Anna" }, "PUT");
  const calls = blocks("sh").filter(({ text }) => text.includes("go.example"));
  expect(calls.length).toBeGreaterThan(3);
  for (const { page, text } of calls) expect(JSON.parse(await typed(text.replace("curl ", "curl -sS --fail-with-body "))), page).toHaveProperty("id");
});

test("each link that is shown as JSON can be made", async () => {
  const links = blocks("json").map(({ text }) => text).filter((text) => text.startsWith('{"url"'));
  expect(links.length).toBeGreaterThan(0);
  for (const text of links) expect(await server.api("/api/links", JSON.parse(text))).toMatchObject({ status: 201 });
});

test("the loop of the export ends with every event in its file, and with a wrong key at once", async () => {
  await post(server, "/events/page", anEvent({ name: "exported" }));
  const [loop] = blocks("sh").filter(({ text }) => text.includes("/api/export/events"));
  // What was counted is in the archive a moment later.
  await settles(async () => {
    await typed(`rm -f events.ndjson; ${loop!.text}`);
    const lines = readFileSync(join(folder, "events.ndjson"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ record: "event", name: "exported" }));
  });
  expect(await typed(`KEY=wrong; ${loop!.text}\necho "more is $more"`)).toContain("more is true");
});

test("whoever restores the database is told where its id is: by wrangler.toml alone wrangler asks for one that nobody has", () => {
  const calls = pages.flatMap((page) => readFileSync(join(root, "docs", page), "utf8").match(/npx wrangler d1 .*/g) ?? []);
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.filter((call) => !call.includes("--config .wrangler/deploy.") && !call.includes(" $D1 "))).toEqual([]);
});
