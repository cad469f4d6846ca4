// docs/upgrading.md against what the code says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/upgrading.md");

test("the manual names each version of a format, as it is now", () => {
  const files = ["src", "analytics/src", "durable_objects/src", "links/src", "queues/src"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".rs")).map((name) => `${folder}/${name}`),
  );
  const declared = files.flatMap((file) => [...read(file).matchAll(/\bconst ((?:\w+_)?VERSION): u\d+ = (\d+);/g)].map(([, name, now]) => `${name} ${now} ${file}`));
  const told = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| `([^`]+)` \|/gm)].map(([, name, now, file]) => `${name} ${now} ${file}`);
  expect(declared.length).toBeGreaterThan(8);
  expect(told.sort()).toEqual(declared.sort());
});

test("migrations of D1 only expand: what runs while they do gets along with them", () => {
  for (const name of readdirSync(join(root, "analytics/migrations"))) {
    const sql = read(`analytics/migrations/${name}`).replaceAll(/--.*$/gm, "");
    // The sixth made links anew before anything was released.
    if (name !== "0006_links.sql") expect(sql, name).not.toMatch(/\bDROP\s+(TABLE|COLUMN)\b|\bRENAME\b/i);
    for (const [statement] of sql.matchAll(/ALTER TABLE[^;]*ADD[^;]*NOT NULL[^;]*/gi)) expect(statement, name).toMatch(/DEFAULT/i);
  }
});
