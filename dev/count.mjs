// count.mjs CARGO_OUTPUT VITEST_JSON: the tests that failed, and "N passed, N failed" over both runners, from what they wrote themselves.
import { existsSync, readFileSync } from "node:fs";

const [cargoOutput, vitestJson] = process.argv.slice(2);
if (![cargoOutput, vitestJson].some(existsSync)) process.exit(); // only checks ran
const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // the step did not run, or ended before it counted
  }
};

let passed = 0;
let failed = 0;
for (const [, ok, not] of (read(cargoOutput) ?? "").matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
  passed += Number(ok);
  failed += Number(not);
}
const vitest = JSON.parse(read(vitestJson) ?? "{}");
// Behind everything else, because whoever looks at the end of a log sees only that.
for (const [, name] of (read(cargoOutput) ?? "").matchAll(/^test (\S+) \.\.\. FAILED/gm)) console.log(`failed: ${name}`);
for (const file of vitest.testResults ?? []) {
  if (file.status === "failed" && file.assertionResults.length === 0) console.log(`failed: ${file.name}: ${file.message}`);
  for (const { status, fullName, failureMessages } of file.assertionResults) {
    if (status === "failed") console.log(`failed: ${file.name.split("/").at(-1)}: ${fullName}: ${failureMessages[0]?.slice(0, 600)}`);
  }
}
passed += vitest.numPassedTests ?? 0;
failed += vitest.numFailedTests ?? 0;
console.log(`${passed} passed, ${failed} failed`);
