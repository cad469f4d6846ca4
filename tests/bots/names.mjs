// node tests/bots/names.mjs: writes analytics/data/bot_names.txt anew, the names of programs that others have collected, less those
// that the rules of bots.txt and the grammar find by themselves, and those that a person's user agent holds.
//
// None of these lists is made from the user agents that `npm run accuracy:bots` holds out. Of theirs the names alone are
// taken; where a list has regular expressions, what stands before the first sign of one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { judge, people } from "./sets.mjs";

const LIST = join(import.meta.dirname, "../../analytics/data/bot_names.txt");
const KEPT = join(import.meta.dirname, "../../target/accuracy/lists");
const regexes = (texts) => texts.flatMap((text) => (/[(\[]/.test(text) ? [text] : text.split("|"))).map(head);
const every = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);
const rows = (text) => text.split("\n").map((row) => row.trim()).filter((row) => row && !row.startsWith("#"));

// The file at GitHub, its licence, and how names are read out of it.
const SOURCES = [
  ["mitchellkrogza/apache-ultimate-bad-bot-blocker/master/_generator_lists/bad-user-agents.list", "MIT", (text) => rows(text).map((row) => row.replace(/\\(.)/g, "$1"))],
  ["WhichBrowser/Parser-PHP/master/data/applications-bots.php", "MIT", (text) => regexes(every(text, /'regexp' => '\/(.*?)\/[ui]*'/g))],
  ["atmire/COUNTER-Robots/master/COUNTER_Robots_list.json", "MIT", (text) => regexes(JSON.parse(text).map(({ pattern }) => pattern))],
  ["coreruleset/coreruleset/main/rules/scanners-user-agents.data", "Apache-2.0", rows],
  ["opawg/user-agents-v2/master/src/bots.json", "MIT", (text) => regexes(JSON.parse(text).entries.map(({ pattern }) => pattern))],
  ["ai-robots-txt/ai.robots.txt/main/robots.json", "MIT", (text) => Object.keys(JSON.parse(text))],
  ["arcjet/well-known-bots/main/well-known-bots.json", "MIT", (text) => regexes(JSON.parse(text).flatMap(({ pattern }) => pattern.accepted))],
  ["allinurl/goaccess/master/src/browsers.c", "MIT", (text) => every(text, /\{"([^"]+)", "Crawlers"\}/g)],
  ["nielsbasjes/yauaa/main/analyzer/src/main/resources/UserAgents/Robots.yaml", "Apache-2.0", (text) => every(text.split("\n- test")[0], /^ {6}'([^']+)' *: '/gm)],
];
// What a person may use - apps, editors, toolbars, school networks -, and words that are no names.
const NOT = new Set(
  `alexa aliyun anarchie attach alexandria baidu bolt buddy butterfly celestial china coccoc code collector combine copier core
  cortana cosmos cursor disco dispatch dragonfly embeddedwb express face fever flipboard google grammarly haansoft harvest
  httpurlconnection hubspot joomla keeper kinza leap liebaofast lightspeedsystems livedoor mail.ru mb2345browser moreover motor
  nextcloud ninja nomad odin offline okhttp operator orbiter pinterest playerfm podcast recorder screaming shoutcast slack sonic speed
  speedy stumbleupon synapse telesphoreo titan trae trello twice vega viber voila wallpapers wallpapershd whatsapp wordpress yahoo
  yandex`.split(/\s+/).concat("amazon cloudfront", "express webpictures", "google sketchup", "moblie safari", "polaris version"),
);

const found = new Set();
// What the rules find without it is asked of them without it.
writeFileSync(LIST, "");
for (const [path, , names_of] of SOURCES)
  for (const name of names_of(read(path))) {
    const plain = name.trim().toLowerCase().replace(/ v?$|-+$/, "");
    if (/^[!-~][ -~]{3,30}$/.test(plain) && /[a-z]{3}/.test(plain) && !plain.startsWith("^") && !NOT.has(plain.replace("/", ""))) found.add(versioned(plain));
  }
const names = unknown([...found]).filter((name) => !spoken(name));
// A name is found wherever it begins a word, so a longer one adds nothing.
const shortest = names.filter((name) => !names.some((other) => other !== name && name.startsWith(other) && !/^[a-z]/.test(name.slice(other.length))));

writeFileSync(
  LIST,
  [
    "# Names of programs, as `ua_list` in bots.txt, from the lists of others. `node tests/bots/names.mjs` writes this file anew;",
    `# what bots.txt and the grammar find without it is left out, and so is what a person's user agent holds. ${process.env.MONTH ?? new Date().toLocaleString("en", { month: "long", year: "numeric" })}.`,
    ...SOURCES.map(([path, licence]) => `#   ${path.split("/").slice(0, 2).join("/")} (${licence})`),
    ...shortest.sort(),
    "",
  ].join("\n"),
);

/// One short word is anything, unless a version follows it.
function versioned(name) {
  return /^[a-z]{1,6}$/.test(name) ? `${name}/` : name;
}

/// What of a regular expression is text.
function head(pattern) {
  const plain = pattern.replace(/^\(\?:\^\|\\s\)|^\\b/, "");
  const text = /^\^?(?:[^\\.*+?^$()[\]{}|]|\\[^a-z0-9]|\.(?![*+?]))*/i.exec(plain)[0];
  return (/^[*?]/.test(plain.slice(text.length)) ? text.slice(0, -1) : text).replace(/\\(.)/g, "$1");
}

/// Those that the rules miss at least in one place where programs put a name.
function unknown(names) {
  const desktop = (inside, behind) => `Mozilla/5.0 (Windows NT 10.0; Win64; x64${inside}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36${behind}`;
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
  const placed = (name) => [desktop("", ` ${name}`), desktop(`; ${name}`, ""), `${phone} ${name.replace(/\/$/, "")}/1.0`];
  const verdicts = judge(names.flatMap(placed)).map(({ verdict }) => verdict);
  return names.filter((_, at) => verdicts.slice(3 * at, 3 * at + 3).some((verdict) => verdict !== "bot"));
}

function spoken(versioned) {
  const name = versioned.replace(/\/$/, "");
  if (!people().includes(name)) return false;
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![a-z0-9])${escaped}(?![a-z])`).test(people());
}

function read(path) {
  const file = join(KEPT, path);
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, execFileSync("curl", ["-fsSL", `https://raw.githubusercontent.com/${path}`], { maxBuffer: 1 << 28 }));
  }
  return readFileSync(file, "utf8");
}
