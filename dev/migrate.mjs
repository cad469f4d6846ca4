// Brings a local D1 to the newest schema, with the bookkeeping of `wrangler d1 migrations apply`.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
