// A dump of D1 in a form that D1 takes: it refuses statements of more than 100 KB, and writes such itself where a row is large.
import { unstable_splitSqlQuery as statementsOf } from "wrangler";

/** Well below the limit, with the rest of a statement, and if every character is of four bytes. */
const PART_CHARS = 20_000;
const STATEMENT_BYTES = 90_000;

/** The same rows: long texts come in parts first, and are put together where they belong. */
export function inParts(dump, split = statementsOf) {
  const lines = ["CREATE TABLE restore_parts (value INTEGER, part INTEGER, text TEXT, PRIMARY KEY (value, part));"];
  let values = 0;
  for (const statement of split(dump)) {
    const text = statement.trim().replace(/;$/, "");
    if (text === "") continue;
    if (Buffer.byteLength(text) <= STATEMENT_BYTES) {
      lines.push(`${text};`);
      continue;
    }
    const short = text.replaceAll(/'((?:[^']|'')*)'/g, (literal, inside) => {
      if (inside.length <= PART_CHARS / 4) return literal;
      const value = values++;
      cut(inside).forEach((part, nth) => lines.push(`INSERT INTO restore_parts VALUES (${value}, ${nth}, '${part}');`));
      return `(SELECT group_concat(text, '') FROM (SELECT text FROM restore_parts WHERE value = ${value} ORDER BY part))`;
    });
    lines.push(`${short};`);
  }
  return `${lines.join("\n")}\nDROP TABLE restore_parts;\n`;
}

/** In pieces; never between the two apostrophes that stand for one, nor within a character. */
function cut(inside) {
  const parts = [];
  let part = "";
  for (const [char] of inside.matchAll(/''|[^]/gu)) {
    if (part.length + char.length > PART_CHARS) {
      parts.push(part);
      part = "";
    }
    part += char;
  }
  return [...parts, part];
}
