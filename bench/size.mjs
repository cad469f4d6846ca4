// What each crate adds to the wasm: bytes of its functions before wasm-opt, as names are gone afterwards.
//
//   npm run size
//
// Generic code of `core` and `alloc` counts for them, though others made it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../dev/options.mjs";

const CRATES = [
  "clicktrail", "analytics", "durable_objects", "queues", "links", "serde_json", "serde_core", "postcard", "worker", "wasm_bindgen", "js_sys",
  "web_sys", "futures_util", "url", "idna", "icu_normalizer", "hashbrown", "sha2", "qrcodegen", "core", "alloc", "std",
];

const bytes = readFileSync(join(root, "target/wasm32-unknown-unknown/release/clicktrail.wasm"));
let at = 8;

/** An unsigned LEB128 number. */
function number() {
  let [value, shift] = [0, 1];
  for (;;) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) return value;
    shift *= 128;
  }
}

function text() {
  const length = number();
  return bytes.toString("utf8", at, (at += length));
}

/** How many of the imports are functions: they come first in the numbering. */
function importedFunctions() {
  let functions = 0;
  for (let left = number(); left > 0; left--) {
    text();
    text();
    const kind = bytes[at++];
    if (kind === 0) functions += 1;
    if (kind === 1) at += 1;
    if (kind === 0 || kind === 4) number();
    if (kind === 3) at += 2;
    if (kind === 1 || kind === 2) {
      const limited = bytes[at++] & 1;
      number();
      if (limited) number();
    }
  }
  return functions;
}

/** The crate that a mangled name begins with, be it the trait's or the type's. */
function crateOf(name) {
  const found = CRATES.map((crate) => [name.search(new RegExp(`(?<![a-z_])${crate.length}?${crate}(?![a-z_])`)), crate]).filter(([place]) => place >= 0);
  const own = found.filter(([, crate]) => !["core", "alloc", "std"].includes(crate));
  return (own.length > 0 ? own : found).sort(([a], [b]) => a - b)[0]?.[1] ?? "told by no name";
}

let imported = 0;
let data = 0;
const lengths = [];
const names = new Map();
while (at < bytes.length) {
  const section = bytes[at++];
  const end = number() + at;
  if (section === 2) imported = importedFunctions();
  if (section === 11) data = end - at;
  if (section === 10) {
    for (let left = number(); left > 0; left--) {
      const length = number();
      lengths.push(length);
      at += length;
    }
  }
  if (section === 0 && text() === "name") {
    while (at < end) {
      const kind = bytes[at++];
      const behind = number() + at;
      if (kind === 1) for (let left = number(); left > 0; left--) names.set(number(), text());
      at = behind;
    }
  }
  at = end;
}

const sums = new Map([["tables and texts", data]]);
for (const [place, length] of lengths.entries()) {
  const crate = crateOf(names.get(place + imported) ?? "");
  sums.set(crate, (sums.get(crate) ?? 0) + length);
}
const whole = [...sums.values()].reduce((sum, size) => sum + size, 0);
for (const [crate, size] of [...sums].sort(([, a], [, b]) => b - a)) {
  console.log(`${crate.padEnd(18)} ${String(Math.round(size / 1024)).padStart(6)} KB ${((100 * size) / whole).toFixed(1).padStart(5)} %`);
}
