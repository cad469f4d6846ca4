// The lists of user agents that the rules for bots are measured on, and the halves into which each falls.
//
// The half of a user agent is the parity of its CRC-32. One is for those who make the rules; of the other no line is ever
// printed, and nothing is chosen by it. Rules that are made by reading say nothing there that they would not say of next
// year's list.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";

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
  // A program in which a person reads mail, with the images in it: the names in browscap's folder `email-clients`, and those
  // found in the half that may be read.
  /Microsoft Outlook|Thunderbird\/|^(Outlook-(iOS|Express)|Airmail|Canary%20Mail|Polymail|Mail)[ /]/,
  /^(Barca(Pro)?|Eudora|Evolution|FossaMail|Framabird|IncrediMail|KMail2?|Kontact|Lotus-Notes|MailBar|PocoMail|Postbox|Sparrow|The Bat!|Zimbra)\b/,
];
// Programs on the lists of people. Each name was found in the half that may be read.
const PROGRAMS = [
  /^User-agent ?[:=]/i, // a script that has copied the header's name as well
  /<(iframe|img|video|script)\b|^\(\) \{/, // an attempt to break in
  /^text\/html|^Mozilla(\/\d\.\d)?( \(compatible\))?\)?$/, // another header, or no browser at all
  /WindowsPowerShell|jsdom|SlimerJS|\bsplash Version|CutyCapt|CsQuery/,
  /D{10} D{5}/,
  /^AVG[A-Z]+\d/, // a virus scanner fetches its lists
];
export const is_misplaced = (user_agent, { bots }) => (bots ? PEOPLE : PROGRAMS).some((kind) => kind.test(user_agent));

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

let spoken;

export const SETS = [
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

/// What people say, of the halves that may be read: one text in lower case.
export function people() {
  spoken ??= SETS.filter(({ bots, from }) => !bots && from === "looked at")
    .flatMap((set) => set.user_agents.filter((user_agent) => !is_misplaced(user_agent, set)))
    .join("\n")
    .toLowerCase();
  return spoken;
}

/// The verdict on each, as a click.
export function judge(user_agents) {
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
