// make bench-check: how many instructions each native part takes for an event, beside bench/instructions.json. What takes
// more than 5 % more or less is shown, and is an error. `make bench-check BENCH=--write` keeps the new figures, and
// BENCH=--growth shows nanoseconds from 1 to 1 M events and from 10 to 10 k campaigns instead.
//
// Instructions do not vary with the machine's load, but they do with the compiler: where that is another, differences
// are shown with its name and are no error.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: args } = parseArgs({ options: { write: { type: "boolean" }, growth: { type: "boolean" }, only: { type: "string", default: "" } } });
const root = join(import.meta.dirname, "..");
const path = join(import.meta.dirname, "instructions.json");
const TOLERANCE = 0.05;

/** `[events, campaigns]`: callgrind is some fifty times slower than the machine. */
const SIZES = [
  [10, 10],
  [1_000, 10],
  [1_000, 1_000],
];
const PARTS = ["capture", "batch", "encode", "decode", "admit", "message", "enrich", "rollup", "uniques", "footprint", "journey_new", "journey_returning", "journey_session", "archive", "consume"].filter((name) => args.only === "" || args.only.split(",").includes(name));

const run = (command, ...rest) => execFileSync(command, rest, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 });
const compiler = run("rustc", "--version").trim();
const built = run("cargo", "bench", "-p", "native", "--bench", "parts", "--no-run", "--message-format=json").split("\n").filter(Boolean);
const { executable } = built.map((line) => JSON.parse(line)).find(({ target, executable }) => target?.name === "parts" && executable);
const options = (part, [events, campaigns]) => ["--part", part, "--events", String(events), "--campaigns", String(campaigns)];

if (args.growth) {
  const sizes = [[1, 10], [100, 10], [10_000, 10], [1_000_000, 10], [10_000, 100], [10_000, 1_000], [10_000, 10_000]];
  console.log(`ns an event, fastest pass; ${compiler}`);
  console.log(["events x campaigns".padEnd(10), ...sizes.map(([events, campaigns]) => `${events.toLocaleString("en")} x ${campaigns.toLocaleString("en")}`.padStart(16))].join(""));
  for (const part of PARTS) {
    console.log([part.padEnd(18), ...sizes.map((size) => run(executable, ...options(part, size)).trim().padStart(16))].join(""));
  }
  process.exit();
}

if (spawnSync("valgrind", ["--version"]).status !== 0) {
  console.error("bench-check wants valgrind: apt-get install valgrind");
  process.exit(1);
}

/** What one pass takes is the difference between two passes and one. */
function instructions(part, size) {
  const passes = (count) => {
    const { stderr } = spawnSync("valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null", executable, ...options(part, size), "--passes", String(count)], { encoding: "utf8" });
    const collected = Number(/Collected : (\d+)/.exec(stderr)?.[1]);
    if (!(collected > 0)) throw new Error(`callgrind did not count ${part}:\n${stderr.slice(-1_000)}`);
    return collected;
  };
  return Math.round((passes(2) - passes(1)) / size[0]);
}

const before = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { instructions_per_event: {} };
const now = {};
let changed = 0;
console.log(`instructions an event; ${compiler}${before.compiler && before.compiler !== compiler ? `, and before by ${before.compiler}: differences are no error` : ""}`);
for (const part of PARTS) {
  for (const size of SIZES) {
    const name = `${part}, ${size[0]} events, ${size[1]} campaigns`;
    now[name] = instructions(part, size);
    const was = before.instructions_per_event[name];
    const change = was === undefined ? undefined : now[name] / was - 1;
    const far = change !== undefined && Math.abs(change) > TOLERANCE;
    changed += far ? 1 : 0;
    const beside = change === undefined ? "new" : `${change >= 0 ? "+" : ""}${(change * 100).toFixed(1)} %${far ? "  CHANGED" : ""}`;
    console.log(`${name.padEnd(44)} ${now[name].toLocaleString("en").padStart(10)}  ${beside}`);
  }
}
if (args.write) writeFileSync(path, `${JSON.stringify({ compiler, instructions_per_event: { ...before.instructions_per_event, ...now } }, null, 2)}\n`);
else if (changed > 0 && before.compiler === compiler) {
  console.error(`${changed} figures changed by more than ${TOLERANCE * 100} %: look why, then make bench-check BENCH=--write`);
  process.exit(1);
}
