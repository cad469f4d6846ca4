// npm run accuracy:bots: the share of the bots on other people's lists that are taken for bots, and of the people that
// are, beside the library `isbot`.
//
// Each list falls into halves by the CRC-32 of the user agent. One is for those who make the rules: `-- --misses NAME`
// lists what is wrong in it. Of the other no line is ever printed, only how many, and so a rule that was made by reading
// says nothing there that it would not say of next year's list. Only the verdict `bot` counts; a suspect does not.
import { isbot } from "isbot";
import { is_misplaced, judge, SETS } from "./sets.mjs";

const FOUND = SETS.filter((set) => set.user_agents.length);
for (const set of FOUND) {
  set.user_agents = [...new Set(set.user_agents.map((text) => text.replace(/[\r\n]+/g, " ").trim()).filter(Boolean))];
  const answers = judge(set.user_agents);
  set.judged = set.user_agents.map((user_agent, at) => ({ ...answers[at], user_agent }));
  set.placed = set.judged.filter(({ user_agent }) => !is_misplaced(user_agent, set));
}

const wanted = process.argv[process.argv.indexOf("--misses") + 1];
if (process.argv.includes("--misses")) {
  const set = FOUND.find(({ name }) => name === wanted);
  if (set?.from !== "looked at") throw new Error(`${wanted} is held out, or no list: see the table for the names`);
  else
    for (const miss of misses(set)) console.log(`${miss.verdict} ${miss.reasons} ${miss.user_agent}`);
} else {
  print("Bots that are called bots", FOUND.filter((set) => set.bots));
  print("People that are called bots", FOUND.filter((set) => !set.bots));
  for (const set of FOUND.filter(({ from }) => from === "looked at")) {
    const wrong = misses(set);
    if (wrong.length) console.log(`\nWrong on ${set.name}, ${Math.min(8, wrong.length)} of ${wrong.length}:`);
    for (const { verdict, user_agent } of wrong.slice(0, 8)) console.log(`  ${verdict}  ${user_agent.slice(0, 150)}`);
  }
}

/// What is wrong; first what shows no sign at all of being so.
function misses({ bots, placed }) {
  return placed
    .filter(({ verdict }) => (verdict === "bot") !== bots)
    .sort((a, b) => (a.verdict > b.verdict) - (a.verdict < b.verdict));
}

function print(title, sets) {
  const share = (part, whole) => `${((100 * part) / whole).toFixed(2)} %`.padStart(10);
  const called = (judged, wanted) => share(judged.filter(({ verdict }) => verdict === wanted).length, judged.length);
  console.log(`\n${title.padEnd(30)} ${"".padEnd(10)} user agents      ours   suspect     isbot  misplaced  ours, with them`);
  for (const { name, from, judged, placed } of sets) {
    const theirs = share(placed.filter(({ user_agent }) => isbot(user_agent)).length, placed.length);
    const figures = called(placed, "bot") + called(placed, "suspect") + theirs;
    const misplaced = String(judged.length - placed.length).padStart(11) + called(judged, "bot");
    console.log(`  ${name.padEnd(28)} ${from.padEnd(10)} ${String(placed.length).padStart(11)}${figures}${misplaced}`);
  }
}
