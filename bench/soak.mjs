// npm run soak: an hour of moderate traffic while things go wrong at random. --seconds 600 --rate 60 --seed 1
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { soak } from "../tests/e2e/soak.ts";

const { values: args } = parseArgs({
  options: {
    seconds: { type: "string", default: "3600" },
    rate: { type: "string", default: "60" },
    calm: { type: "string", default: "20000" }, // ms between two faults, at most
    seed: { type: "string", default: "1" },
    out: { type: "string", default: join(import.meta.dirname, "out/soak.json") },
  },
});
const options = Object.fromEntries(["seconds", "rate", "calm", "seed"].map((name) => [name, Number(args[name])]));
const began = performance.now();
const soaked = await soak({ ...options, say: (text) => console.error(`${((performance.now() - began) / 1_000).toFixed(0)} s: ${text}`) });
const { events, clicks, integrity, memory } = soaked;
mkdirSync(dirname(args.out), { recursive: true });
writeFileSync(args.out, `${JSON.stringify({ ...options, ...soaked, date: new Date().toISOString() }, null, 2)}\n`);
const faults = Object.entries(soaked.faults).map(([name, times]) => `${times} x ${name}`);
console.log(`${events} events, ${clicks} counted; admitted ${integrity.admitted}, applied ${integrity.applied}, lost ${integrity.lost}`);
console.log(`${faults.join(", ")}; ${soaked.again} sent again after an error, ${soaked.roundAgain} after a cut queue`);
// Lives that lasted: what a workerd holds a minute after its start, beside the most that one ever held.
const mb = (of) => (of.length === 0 ? "-" : (of.reduce((sum, { mb }) => sum + mb, 0) / of.length).toFixed(0));
const half = memory.length >> 1;
console.log(`memory of workerd: ${mb(memory.slice(0, half))} MB in the first half of the samples, ${mb(memory.slice(half))} MB in the second, ${Math.max(...memory.map(({ mb }) => mb)).toFixed(0)} MB at most`);
const right = clicks === events && integrity.admitted === events && integrity.applied === events && integrity.lost === 0;
console.log(right ? "nothing lost, nothing twice" : "WRONG");
process.exitCode = right ? 0 : 1;
