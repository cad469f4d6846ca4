// A backup is worth what can be restored from it.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inParts } from "../../dev/deploy/dump.mjs";
import { type Server, settles, startServer } from "./server.ts";
import { CHROME, click, integrity, report } from "./traffic.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "clicktrail-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder that wrangler takes for a project: its local state is below it. */
function place(name: string): { state: string; config: string } {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  const config = join(at, "wrangler.json");
  const d1_databases = [{ binding: "DB", database_name: "clicktrail", database_id: "00000000-0000-0000-0000-000000000000" }];
  writeFileSync(config, JSON.stringify({ name: "clicktrail", compatibility_date: "2026-07-30", d1_databases }));
  return { state: join(at, ".wrangler/state"), config };
}

const backup = (command: string, file: string, config: string, gates?: string): Promise<{ code: number; out: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, ["dev/backup.mjs", command, file, "--local", "--config", config, ...(gates ? ["--gates", gates] : [])], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), out: stdout + stderr });
    });
  });

const TABLES = ["links", "keys", "audit", "ledger", "applied", "segments", "sums", "archive", "catalog", "dead_letters", "deliveries"];
const rows = async (server: Server) =>
  Object.fromEntries(await Promise.all(TABLES.map(async (table) => [table, await server.sql(`SELECT * FROM ${table} ORDER BY 1, 2`)])));

test("what is saved and put into an empty database is the same to the last row, and a new Worker goes on counting", { timeout: 600_000 }, async () => {
  const [from, to] = [place("from"), place("to")];
  const file = join(folder, "d1.sql");
  const first = await startServer({ state: from.state, demo: true, queue: { batchTimeout: 0 } });
  for (let n = 0; n < 12; n++) await click(first, { campaign_id: "demo", element_id: `it's "${n}"; -- ä` });
  await settles(async () => expect(await integrity(first)).toMatchObject({ applied: 12, in_flight: 0 }));
  // A page of sums may be larger than any statement.
  const large = "it's large; ä\n".repeat(20_000);
  await first.sql("INSERT INTO sums (level, scope, page, chunk, totals, detail, visitors) VALUES ('d', 'c/other', 0, 7, ?, '', '')", [large]);
  const [before, clicks] = [await rows(first), await report(first, "campaign_id=demo")];
  await first.stop();

  const saved = await backup("save", file, from.config);
  expect(saved.code, saved.out).toBe(0);
  expect(readFileSync(file, "utf8").length).toBeGreaterThan(large.length);
  expect((await backup("restore", file, to.config)).out).toContain("--gates new");
  const restored = await backup("restore", file, to.config, "new");
  expect(restored.code, restored.out).toBe(0);
  expect(restored.out).toMatch(/12 events counted/);

  await using second = await startServer({ state: to.state, queue: { batchTimeout: 0 } });
  const { ledger, applied, ...others } = await rows(second);
  expect(others).toEqual(Object.fromEntries(Object.entries(before).filter(([table]) => table in others)));
  // Its gates begin at 1 again, and nothing of theirs is taken for what was counted before.
  const counted = (rows: Record<string, unknown>[]) => rows.reduce((sum, row) => sum + Number(row.events), 0);
  expect([ledger, counted(applied)]).toEqual([[], counted(before.applied)]);
  expect(await report(second, "campaign_id=demo")).toMatchObject({ totals: clicks.totals });
  expect((await second.fetch("/r/demo", { headers: { "user-agent": CHROME } })).status).toBe(302);
  await settles(async () => expect((await report(second, "campaign_id=demo")).totals.clicks).toBe(clicks.totals.clicks + 1));
  const [{ value }] = await second.sql<{ value: number }>("SELECT value FROM archive_marks WHERE name = 'swept'");
  expect(value).toBeGreaterThan(Date.now() / 3_600_000);

  expect(await integrity(second)).toMatchObject({ admitted: 1, applied: 1, lost: 0 });

  const again = await backup("restore", file, to.config, "new");
  expect(again.code).toBe(1);
  expect(again.out).toContain("goes into an empty one");
});

test("no statement of a restored dump is longer than D1 takes, and none is changed that need not be", () => {
  const long = "''ä".repeat(60_000);
  const dump = [`CREATE TABLE t (a TEXT);`, `INSERT INTO "t" VALUES('short');`, `INSERT INTO "t" VALUES('${long}');`];
  const lines = inParts(dump.join("\n"), () => dump).trim().split("\n");
  expect(lines.slice(1, 3)).toEqual(dump.slice(0, 2));
  expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThan(100_000);
  const parts = lines.flatMap((line) => /^INSERT INTO restore_parts VALUES \(0, \d+, '(.*)'\);$/.exec(line)?.[1] ?? []);
  expect(parts.join("")).toBe(long);
  expect(parts.every((part) => (part.match(/'/g)?.length ?? 0) % 2 === 0)).toBe(true);
});
