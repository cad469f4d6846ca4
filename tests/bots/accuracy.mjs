// npm run accuracy:bots: the share of the bots on other people's lists that are taken for bots, and of the people that
// are, beside the library `isbot`. `-- --misses NAME` lists what is wrong on a list; who reads that of a held-out one
// holds it out no longer.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { isbot } from "isbot";

const require = createRequire(import.meta.url);
const manifest = join(import.meta.dirname, "Cargo.toml");

/// Each list's half whose mistakes nobody looked at while the rules were made.
const half = (user_agents, parity) => user_agents.filter((user_agent) => crc32(user_agent) % 2 === parity);

// People that some list has among the bots, and why they are none: a browser inside an app, a telephone whose maker
// calls it so, a proxy that a person's browser uses to save data.
const PEOPLE = [
  /MetaIAB|Instagram \d|MicroMessenger\/|KAKAOTALK/,
  /\(Linux; [^)]*Android[^)]*?; ?[^;)]*(?:cubot|\bbot\b|bot[ _]|spider|robot)[^)]*\) AppleWebKit[^+@]*$/i,
  /^UCWEB\/2\.0 \(.*UCMini|googleweblight|Yandex\.Translate/,
  /LieBaoFast|OffByOne/,
  // A program in which a person reads mail, with the images in it.
  /Microsoft Outlook|^(Outlook-(iOS|Express)|Airmail|Canary%20Mail|Polymail|Mail)[ /]/,
];
const is_person = (user_agent) => PEOPLE.some((people) => people.test(user_agent));

const crates = crates_of(["isbot", "ua-parser"]);
const fixture = (name) => readFileSync(join(crates.isbot, "fixtures", name), "utf8");
const crawler_detect = { bots: lines(fixture("bots.txt")), people: lines(fixture("browsers.txt")) };
const myip = strings(JSON.parse(fixture("myip-ms-live-bots.json")));
const newest = newest_of("crawlerdetect", "0.4.2").filter((user_agent) => !crawler_detect.bots.includes(user_agent));
const uap = uap_devices(readFileSync(join(crates["ua-parser"], "uap-core/tests/test_device.yaml"), "utf8"));
const monperrus = require("crawler-user-agents").flatMap(({ instances }) => instances ?? []);
const sampled = JSON.parse(readFileSync(join(dirname(require.resolve("user-agents")), "user-agents.json"), "utf8"));
const in_app = /Instagram|FBAN|FBAV|musical_ly|BytedanceWebview|trill_|Snapchat\/|Pinterest\/iOS|LinkedInApp|TwitterAndroid/;
const known = new Set([...monperrus, ...uap.spiders]);
const unknown = (user_agents) => user_agents.filter((user_agent) => !known.has(user_agent));
const bots = (name, from, user_agents) => ({ name, from, bots: true, user_agents });
const people = (name, from, user_agents) => ({ name, from, bots: false, user_agents });

const SETS = [
  bots("monperrus", "looked at", monperrus),
  bots("uap-spiders", "looked at", uap.spiders),
  bots("crawlerdetect-odd", "looked at", half(unknown(crawler_detect.bots), 1)),
  bots("crawlerdetect-even", "held out", half(unknown(crawler_detect.bots), 0)),
  bots("crawlerdetect-2026-odd", "looked at", half(unknown(newest), 1)),
  bots("crawlerdetect-2026-even", "held out", half(unknown(newest), 0)),
  bots("myip-even", "held out", half(unknown(myip), 0)),
  people("browsers-even", "looked at", half(crawler_detect.people, 0)),
  people("browsers-odd", "held out", half(crawler_detect.people, 1)),
  people("uap-devices-odd", "held out", half(uap.devices, 1)),
  people("user-agents", "held out", sampled.map(({ userAgent }) => userAgent)),
  people("in-app", "held out", [...crawler_detect.people, ...uap.devices].filter((user_agent) => in_app.test(user_agent))),
];

const FOUND = SETS.filter((set) => set.user_agents.length);
for (const set of FOUND) {
  set.user_agents = [...new Set(set.user_agents.map((text) => text.replace(/[\r\n]+/g, " ").trim()).filter(Boolean))];
  set.disputed = set.bots ? set.user_agents.filter(is_person).length : 0;
  if (set.bots) set.user_agents = set.user_agents.filter((user_agent) => !is_person(user_agent));
  set.answers = judge(set.user_agents);
}

const wanted = process.argv[process.argv.indexOf("--misses") + 1];
if (process.argv.includes("--misses")) {
  for (const set of FOUND.filter(({ name }) => name === wanted))
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
function misses({ bots, user_agents, answers }) {
  const wrong = answers.map((answer, at) => ({ ...answer, user_agent: user_agents[at] }));
  return wrong
    .filter(({ verdict }) => (verdict === "bot") !== bots)
    .sort((a, b) => (a.verdict > b.verdict) - (a.verdict < b.verdict));
}

function print(title, sets) {
  const share = (part, whole) => `${((100 * part) / whole).toFixed(2)} %`.padStart(9);
  console.log(`\n${title.padEnd(30)} ${"".padEnd(10)}    user agents     ours  suspect    isbot  left out as people`);
  for (const { name, from, user_agents, answers, disputed } of sets) {
    const count = (verdict) => answers.filter((answer) => answer.verdict === verdict).length;
    const all = user_agents.length;
    const theirs = user_agents.filter((user_agent) => isbot(user_agent)).length;
    const row = [share(count("bot"), all), share(count("suspect"), all), share(theirs, all)].join("");
    console.log(`  ${name.padEnd(28)} ${from.padEnd(10)} ${String(all).padStart(14)}${row}${disputed ? String(disputed).padStart(9) : ""}`);
  }
}

function judge(user_agents) {
  const answer = execFileSync("cargo", ["run", "--quiet", "--release", "--locked", "--manifest-path", manifest], {
    input: user_agents.join("\n") + "\n",
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return answer.trimEnd().split("\n").map((line) => {
    const [verdict, reasons] = line.split(" ");
    return { verdict, reasons };
  });
}

/// Where cargo keeps the packages' files.
function crates_of(names) {
  execFileSync("cargo", ["fetch", "--quiet", "--manifest-path", manifest], { stdio: "inherit" });
  const told = execFileSync("cargo", ["metadata", "--format-version", "1", "--locked", "--offline", "--manifest-path", manifest], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const packages = JSON.parse(told).packages.filter(({ name }) => names.includes(name));
  return Object.fromEntries(packages.map(({ name, manifest_path }) => [name, dirname(manifest_path)]));
}

/// What CrawlerDetect has learnt since the crate above was made: its Python package ships its test cases. None where there
/// is no pip.
function newest_of(name, version) {
  const folder = join(import.meta.dirname, "../../target/accuracy", `${name}-${version}`);
  const file = join(folder, "tests/fixtures/user_agent/crawlers.txt");
  try {
    if (!existsSync(file)) {
      const to = dirname(folder);
      mkdirSync(to, { recursive: true });
      const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"];
      execFileSync("python3", [...pip, "--dest", to, `${name}==${version}`], { stdio: "inherit" });
      execFileSync("tar", ["-xzf", `${folder}.tar.gz`, "-C", to]);
    }
    return lines(readFileSync(file, "utf8"));
  } catch (error) {
    console.warn(`${name} ${version} is left out: ${error.message}`);
    return [];
  }
}

function lines(text) {
  return text.split("\n");
}

/// Every string in a JSON value, whatever its shape.
function strings(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}

/// The cases are a few scalars each: quoted either way, or plain. WhatsApp's fetch for the previews of what is about to
/// be sent is among the devices.
function uap_devices(yaml) {
  const cases = [...yaml.matchAll(/user_agent_string:\s*(.*)\n\s+family:\s*(.*)/g)].map(([, text, family]) => ({
    user_agent: /^"/.test(text) ? JSON.parse(text.replace(/\\x([0-9a-f]{2})/gi, "\\u00$1")) : text.replace(/^'|'$/g, "").replace(/''/g, "'"),
    family: family.replace(/['"]/g, "").trim(),
  }));
  const of = (wanted) => cases.filter(({ family }) => wanted(family)).map(({ user_agent }) => user_agent);
  return {
    spiders: of((family) => family === "Spider"),
    devices: of((family) => family !== "Spider" && family !== "Other").filter((text) => !text.startsWith("WhatsApp")),
  };
}
