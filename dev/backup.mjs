// npm run backup -- save FILE | restore FILE: D1 as SQL, and back into an empty database. `--env production` is the one that make deploy
// made; `--local` the one of `make dev`, which must not run meanwhile. While D1 exports, it answers nobody: docs/operations.md.
// A restore wants to know whether the gates are still those of the backup (`--gates kept`) or begin anew (`--gates new`).
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inParts } from "./deploy/dump.mjs";
import { json, Stop, wrangler } from "./deploy/wrangler.mjs";

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    env: { type: "string", default: "production" },
    local: { type: "boolean" },
    config: { type: "string" },
    binding: { type: "string", default: "DB" },
    gates: { type: "string" },
  },
});
const root = join(import.meta.dirname, "..");

/**
 * Gates and journals that begin anew number their messages from 1: the ledger of others of the same names would take them for counted.
 * What those counted stays in the total, which is the archive's, but under names that no gate has. Dead letters go on by the old ones.
 */
const OF_THEM = "(gate LIKE 'gate/%' OR gate LIKE 'journey/%')";
const ANEW = [
  `DELETE FROM ledger WHERE ${OF_THEM}`,
  `INSERT INTO applied SELECT 'before/' || unixepoch() || '/' || gate, messages, events, 0, duplicates FROM applied WHERE ${OF_THEM}`,
  `UPDATE applied SET messages = 0, events = 0, duplicates = 0 WHERE ${OF_THEM}`,
];

try {
  const [command, file] = positionals;
  if (!["save", "restore"].includes(command) || file === undefined) throw new Stop("npm run backup -- save FILE | restore FILE --gates kept|new [--env staging | --local]");
  if (command === "restore" && !["kept", "new"].includes(args.gates)) {
    throw new Stop("--gates kept: the Worker is the one whose database was saved. --gates new: it was deployed anew, or elsewhere.");
  }
  const config = args.config ?? join(root, args.local ? "wrangler.toml" : `.wrangler/deploy.${args.env}.json`);
  if (!existsSync(config)) throw new Stop(`There is no ${config}: make deploy ENV=${args.env} DRY=1 says what it would be`);
  const program = [process.execPath, join(root, "node_modules/wrangler/bin/wrangler.js")];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compiled") };
  const { must } = wrangler({ program, env, echo: (text) => process.stdout.write(text) });
  const where = [args.local ? "--local" : "--remote", "--config", config];
  /** Statements in one go; the rows of the last. */
  const ask = async (...sql) => json(await must(["d1", "execute", args.binding, ...where, "--json", "--command", sql.join("; ")])).at(-1).results;
  if (command === "save") {
    await must(["d1", "export", args.binding, ...where, "--skip-confirmation", "--output", file], { show: true });
  } else {
    const tables = await ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'");
    if (tables.length > 0) throw new Stop(`The database holds ${tables.map(({ name }) => name).join(", ")}: a backup goes into an empty one`);
    const folder = mkdtempSync(join(tmpdir(), "clicktrail-restore-"));
    try {
      const parts = join(folder, "parts.sql");
      writeFileSync(parts, inParts(readFileSync(file, "utf8")));
      await must(["d1", "execute", args.binding, ...where, "--yes", "--file", parts], { show: true });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    // What the bucket has and the backup does not name is newer than it, and no remains of failed tries: the sweep is to leave it alone.
    const swept = "UPDATE archive_marks SET value = unixepoch() / 3600 + 1 WHERE name = 'swept'";
    for (const { name, rows } of await ask(
      swept,
      ...(args.gates === "new" ? ANEW : []),
      "SELECT 'links' AS name, count(*) AS rows FROM links UNION ALL SELECT 'events counted', coalesce(sum(events), 0) FROM applied " +
        "UNION ALL SELECT 'pages of sums', count(*) FROM sums UNION ALL SELECT 'segments', count(*) FROM segments",
    ))
      console.log(`${String(rows).padStart(12)} ${name}`);
  }
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
