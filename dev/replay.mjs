// npm run replay -- access.log.gz: a web server's access log as clicks and page views through the public endpoints,
// and then line by line what was sent beside what was counted. Ends with 1 if they differ, with 2 if it cannot run.
import { createHash, randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { compare, print } from "./replay/compare.mjs";
import { readLog } from "./replay/log.mjs";
import { progressBar } from "./replay/progress.mjs";
import { send } from "./replay/send.mjs";
import { counted, settled, statsOf } from "./replay/stats.mjs";

const USAGE = `npm run replay -- LOG [--target http://127.0.0.1:8787] [--token dev] [--campaign NAME] [--site ORIGIN]
                 [--speed 0] [--connections 16] [--resend 50] [--wait 120]

LOG is in Combined Log Format, plain or gzip. Each line becomes one event: a page is a \`page\`, a file (an image, a
script, a feed, a download) a \`click\`. Times are moved so that the last line is now; order, user agents and addresses
stay.
  --token       a key with the scopes events:write and stats:read
  --campaign    what the events count for; it must be fresh (default: one made up)
  --site        the log's own origin (default: the one that most referrers name)
  --speed       how many times as fast as it happened; 0 = as fast as the target takes it
  --resend      every so manieth line is sent twice, to be turned away once; 0 = none
  --wait        seconds until everything has to be counted`;

const DAY_MS = 86_400_000;
// 90 days is what an event may be old; a replay takes its time.
const REACH_MS = 89 * DAY_MS;

class CannotRun extends Error {}

async function main() {
  const { values: args, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: "string", default: "http://127.0.0.1:8787" },
      token: { type: "string", default: process.env.CLICKTRAIL_TOKEN ?? "dev" },
      campaign: { type: "string", default: `replay-${randomBytes(4).toString("hex")}` },
      site: { type: "string" },
      speed: { type: "string", default: "0" },
      connections: { type: "string", default: "16" },
      resend: { type: "string", default: "50" },
      wait: { type: "string", default: "120" },
      help: { type: "boolean" },
    },
  });
  if (args.help) return console.log(USAGE);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new CannotRun(USAGE);
  const number = (name) => {
    const value = Number(args[name]);
    if (!Number.isFinite(value) || value < 0) throw new CannotRun(`--${name} is not a number: ${args[name]}`);
    return value;
  };
  const { campaign } = args;
  const stats = statsOf(args.target, args.token);

  const log = await readLog(path, args.site);
  if (log.visits.length === 0) throw new CannotRun(`${path} has no line in Combined Log Format`);
  const began = Date.now();
  const shift = began - Math.max(...log.visits.map((visit) => visit.timeMs));
  const agents = new Map();
  const events = [];
  let tooOld = 0;
  for (const visit of log.visits) {
    const atMs = visit.timeMs + shift;
    if (atMs < began - REACH_MS) {
      tooOld += 1;
      continue;
    }
    // A number for each user agent, as a tag: the counts come back by it.
    if (!agents.has(visit.userAgent)) agents.set(visit.userAgent, `ua${agents.size + 1}`);
    events.push({ ...visit, atMs, eventId: eventId(campaign, visit.line), campaign, agent: agents.get(visit.userAgent) });
  }

  const span = { from: Math.floor(events[0].atMs / DAY_MS) * DAY_MS, to: (Math.floor(began / DAY_MS) + 2) * DAY_MS };
  for (const { atMs } of events) span.from = Math.min(span.from, Math.floor(atMs / DAY_MS) * DAY_MS);
  const before = await stats.clicks({ campaign_id: campaign, ...span, interval: "day", include_bots: true });
  if (Object.values(before.totals.kinds).some((kind) => kind.events + kind.duplicates > 0)) {
    throw new CannotRun(`campaign ${campaign} has events already: choose another by --campaign`);
  }

  console.error(`${path}: ${log.lines} lines, ${log.broken.length} broken, as campaign ${campaign} of ${log.site}`);
  for (const { line, why } of log.broken.slice(0, 5)) console.error(`  line ${line}: ${why}`);
  const bar = progressBar("sent", events.length);
  const sent = await send(events, {
    target: args.target,
    token: args.token,
    speed: number("speed"),
    connections: Math.max(1, number("connections")),
    resend: number("resend"),
    progress: bar.to,
  });
  bar.end();
  for (const [why, times] of sent.refusals) console.error(`  ${times} refused: ${why}`);

  const waiting = progressBar("counted", sent.ids);
  const integrity = await settled(stats, number("wait") * 1_000, waiting.to);
  waiting.end();
  const sameDay = Math.floor(began / DAY_MS) === Math.floor(Date.now() / DAY_MS);
  const rows = compare({ log, tooOld, sent, integrity, sameDay, ...(await counted(stats, campaign, span)) });
  print(rows);
  if (rows.some((row) => row.ok === false)) process.exitCode = 1;
}

/** The same line of the same run has the same id, however often it is sent. */
function eventId(campaign, line) {
  const hex = createHash("sha256").update(`${campaign} ${line}`).digest("hex");
  const variant = ((parseInt(hex[16], 16) & 3) | 8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join("-");
}

try {
  await main();
} catch (error) {
  const expected = error instanceof CannotRun || ["ENOENT", "ECONNREFUSED"].includes(error.code) || error.code?.startsWith("ERR_PARSE_ARGS");
  console.error(expected ? error.message || `${error.code}: is the target up?` : error);
  process.exitCode = 2;
}
