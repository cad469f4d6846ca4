// npm run accuracy:bots: the share of the bots on other people's lists that are taken for bots, and of the people that
// are, beside the library `isbot`.
//
// Each list falls into halves by the CRC-32 of the user agent. One is for those who make the rules: `-- --misses NAME`
// lists what is wrong in it. Of the other no line is ever printed, only how many, and so a rule that was made by reading
// says nothing there that it would not say of next year's list. Only the verdict `bot` counts; a suspect does not.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { isbot } from "isbot";

const require = createRequire(import.meta.url);
const manifest = join(import.meta.dirname, "Cargo.toml");

/// Which half of the bots may be read, and which of the people: the parity of the CRC-32.
const READ = { bots: 1, people: 0 };
const half = (user_agents, parity) => user_agents.filter((user_agent) => crc32(user_agent) % 2 === parity);

// What a list has in the wrong place, and why. It is told by its kind, for nobody reads the halves that are held out;
// the table has a column for each list with nothing left out, too. People on the lists of bots: a browser inside an app, a
// telephone whose maker calls it so, a proxy that a person's browser uses to save data.
const PEOPLE = [
  /MetaIAB|Instagram \d|MicroMessenger\/|KAKAOTALK/,
  /\(Linux; [^)]*Android[^)]*?; ?[^;)]*(?:cubot|\bbot\b|bot[ _]|spider|robot)[^)]*\) AppleWebKit[^+@]*$/i,
  /^UCWEB\/2\.0 \(.*UCMini|googleweblight|Yandex\.Translate/,
  /LieBaoFast|OffByOne/,
  // A program in which a person reads mail, with the images in it.
  /Microsoft Outlook|^(Outlook-(iOS|Express)|Airmail|Canary%20Mail|Polymail|Mail)[ /]/,
];
// Programs on the lists of people. Each name was found in the half that may be read.
const PROGRAMS = [
  /^User-agent ?[:=]/i, // a script that has copied the header's name as well
  /<(iframe|img|video|script)\b|^\(\) \{/, // an attempt to break in
  /^text\/html|^Mozilla(\/\d\.\d)?( \(compatible\))?\)?$/, // another header, or no browser at all
  /WindowsPowerShell|jsdom|SlimerJS|\bsplash Version|CutyCapt|CsQuery/,
  /D{10} D{5}/,
];
const is_misplaced = (user_agent, { bots }) => (bots ? PEOPLE : PROGRAMS).some((kind) => kind.test(user_agent));

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
const all = (name, bots, user_agents) => [{ name, from: "both", bots, user_agents }];
const halves = (name, bots, user_agents) => {
  const read = bots ? READ.bots : READ.people;
  return [
    { name: `${name}-${read ? "odd" : "even"}`, from: "looked at", bots, user_agents: half(user_agents, read) },
    { name: `${name}-${read ? "even" : "odd"}`, from: "held out", bots, user_agents: half(user_agents, 1 - read) },
  ];
};

const SETS = [
  { name: "monperrus", from: "looked at", bots: true, user_agents: monperrus },
  { name: "uap-spiders", from: "looked at", bots: true, user_agents: uap.spiders },
  ...halves("crawlerdetect", true, unknown(crawler_detect.bots)),
  ...halves("crawlerdetect-2026", true, unknown(newest)),
  ...halves("myip", true, unknown(myip)),
  ...halves("browsers", false, crawler_detect.people),
  ...halves("uap-devices", false, uap.devices),
  ...halves("user-agents", false, sampled.map(({ userAgent }) => userAgent)),
  ...all("in-app", false, [...crawler_detect.people, ...uap.devices].filter((user_agent) => in_app.test(user_agent))),
];

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
