// Brings a local D1 to the newest schema, with the bookkeeping of `wrangler d1 migrations apply`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { unstable_splitSqlQuery as statementsOf } from "wrangler";

const TABLE = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Each file and its entry in the table are one transaction: a file that fails leaves nothing behind. */
export async function migrate(db, folder) {
  await db.prepare(TABLE).run();
  const { results } = await db.prepare('SELECT name FROM "d1_migrations"').all();
  const applied = new Set(results.map((row) => row.name));
  const due = readdirSync(folder).filter((name) => name.endsWith(".sql") && !applied.has(name));
  for (const name of due.sort()) {
    const statements = statementsOf(readFileSync(join(folder, name), "utf8")).map((sql) => db.prepare(sql));
    await db.batch([...statements, db.prepare('INSERT INTO "d1_migrations" (name) VALUES (?)').bind(name)]);
  }
  return due;
}

/**
 * Brings the databases of `state` to the newest schema before anybody can ask: a Miniflare that has nothing else does it. What was
 * applied is noted, because that Miniflare takes half a second; a note that is wrong does no harm, the databases are looked at again.
 */
export async function migrateUnseen({ defaultPersistRoot, workers: [{ d1Databases }] }, state, folder) {
  const note = join(state, "migrated");
  const wanted = JSON.stringify([Object.keys(d1Databases), readdirSync(folder).sort()]);
  if (existsSync(note) && readFileSync(note, "utf8") === wanted) return;
  const mf = new Miniflare({ modules: true, script: "export default {}", host: "127.0.0.1", port: 0, cf: {}, defaultPersistRoot, d1Databases });
  try {
    for (const binding of Object.keys(d1Databases)) await migrate(await mf.getD1Database(binding), folder);
  } finally {
    await mf.dispose();
  }
  mkdirSync(state, { recursive: true });
  writeFileSync(note, wanted);
}
