// node dev/demo.mjs: 90 days of traffic that one could believe, through the door that every event comes in by, so that every page
// of the dashboard has something to show. Starts a server on --state and stops it; or fills the one at --url.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { ALERTS, BOTS, CAMPAIGNS, DEVICES, FUNNELS, LINKS, PLACES, PUBLISHERS, REFERRERS, WAY, WEBHOOKS } from "./demo_world.mjs";

const { values: args } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    state: { type: "string", default: ".wrangler/state" },
    token: { type: "string", default: "dev" },
    url: { type: "string" }, // a server that runs already
    events: { type: "string", default: "120000" },
    days: { type: "string", default: "90" },
    live: { type: "string", default: "0" }, // then so many seconds of clicks as they come
    seed: { type: "string", default: "7" },
  },
});

const began = Date.now();
let seed = Number(args.seed);
/** Mulberry32: the same world each time. */
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const between = (low, high) => low + random() * (high - low);
/** One of them, by weight. */
function pick(list) {
  const sum = list.reduce((sum, one) => sum + one.weight, 0);
  let left = random() * sum;
  for (const one of list) if ((left -= one.weight) <= 0) return one;
  return list.at(-1);
}
const uuid = () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replaceAll("x", () => Math.floor(random() * 16).toString(16));

const server = await open();
const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };

async function open() {
  if (args.url) return { url: args.url, token: args.token, fold: async () => {}, stop: async () => {} };
  const taken = await fetch(`http://127.0.0.1:${args.port}/healthz`).then((answer) => answer.ok, () => false);
  if (taken) {
    console.error(`make dev runs on port ${args.port}, and may use ${args.state}: stop it, run make demo, and start it again`);
    process.exit(1);
  }
  // What was sent months ago in one minute lies in few large segments: folded early, reports are quick from the start.
  const config = JSON.stringify({ fold_at_segments: 8, gate_shards: 1, webhook_private: true });
  const child = spawn(process.execPath, [join(import.meta.dirname, "serve.mjs"), "--json", "--port", "0", "--state", args.state, "--no-cron", "--config", config], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout });
  const ready = JSON.parse((await once(lines, "line"))[0]);
  return {
    url: ready.url,
    token: ready.token,
    async fold() {
      child.stdin.write(`${JSON.stringify({ id: 1, do: "scheduled", cron: "* * * * *", time: Math.floor(Date.now() / 3_600_000) * 3_600_000 })}\n`);
      await once(lines, "line");
    },
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function api(path, body, method = "PUT") {
  const answer = await reach(path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** A request of somebody who is somewhere; the simulator takes the header for the platform's own knowledge. */
function visitor({ country, continent, city, region, tz, language }, userAgent) {
  const cf = { country, continent, city, regionCode: region, timezone: tz, asn: 64_496 };
  // A header holds no São Paulo as it is.
  const blob = JSON.stringify(cf).replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return { "mf-cf-blob": blob, "user-agent": userAgent, "accept-language": language, "content-type": "application/json" };
}

const DAY = 86_400_000;
/** New visitors of a day: one for some five events. */
const newcomers = Math.max(20, Number(args.events) / Number(args.days) / 5);
const days = Math.min(90, Number(args.days));
const start = began - days * DAY + 10 * 60_000;

/** How much of a day's traffic an hour has where it is that hour: quiet at night, a hill at noon, a higher one in the evening. */
const HOURS = [2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 11, 12, 11, 10, 10, 11, 12, 13, 15, 16, 14, 9, 5];
/** Sunday first: people shop at work. */
const WEEK = [0.72, 1.1, 1.14, 1.12, 1.08, 1.0, 0.78];

function intensity(day) {
  const date = new Date(start + day * DAY);
  const growth = 0.65 + (0.6 * day) / days;
  const sale = day >= days - 24 && day < days - 20 ? 1.9 : 1;
  return WEEK[date.getUTCDay()] * growth * sale * between(0.93, 1.07);
}

/** Most are new; who comes back does so sooner rather than later. */
function somebody(day) {
  const since = random() < 0.58 ? 0 : Math.round(-10 * Math.log(1 - random()));
  const born = Math.max(0, day - since);
  return `v${born}-${Math.floor(random() * newcomers * (born === 0 ? 4 : 1))}`;
}

function eventsOf(day, place, device, size) {
  const begin = start + day * DAY;
  const events = [];
  const running = LINKS.filter((link) => (link.from ?? 0) <= day / days && day / days <= (link.to ?? 1));
  while (events.length < size) {
    const hour = pick(HOURS.map((weight, hour) => ({ weight, hour }))).hour;
    const utc = (hour - place.offset + 24) % 24;
    const midnight = begin - (begin % DAY);
    const at = Math.min(began - 1_000, Math.max(begin, midnight + (utc + random()) * 3_600_000));
    const link = pick(running);
    const referrer = pick(link.referrers ? REFERRERS.filter((one) => link.referrers.includes(one.name)) : REFERRERS);
    const who = somebody(day);
    const common = {
      page_url: `${link.url}${link.url.includes("?") ? "&" : "?"}utm_source=${referrer.source}&utm_medium=${referrer.medium}&utm_campaign=${link.campaign}`,
      campaign_id: link.campaign,
      link: link.token,
      anonymous_id: who,
      session_id: `${who}-${day}-${hour}`,
      ...(referrer.url ? { referrer: referrer.url } : {}),
    };
    const add = (kind, time, more = {}) => events.push({ kind, event_id: uuid(), event_time: Math.round(time), ...common, ...more });
    for (let seen = 0; seen < (link.display ? 5 : 1); seen++) if (random() < 0.8) add("impression", at - seen * 90_000);
    add("click", at);
    // A copy counts when it comes, and all of these come today.
    if (day === days - 1 && random() < 0.04) events.push({ ...events.at(-1) }); // sent twice, as a retry would
    // Who buys goes all the way; of the others each step keeps some.
    const buys = random() < link.converts * device.converts;
    let time = Math.min(began, at + 2_000);
    for (const { path, keeps, low, high } of WAY) {
      if (!buys && random() > keeps) break;
      add("page", time, path ? { page_url: new URL(path, link.url).href } : {});
      time = Math.min(began, time + between(low, high));
    }
    if (buys) add("conversion", time, { name: "purchase", value: Number(between(link.value * 0.5, link.value * 1.9).toFixed(2)), currency: "EUR" });
  }
  return events.slice(0, size);
}

/** A connection that the server closes at the moment it is used again is no answer. */
async function reach(path, init) {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(server.url + path, { redirect: "manual", ...init });
      if (answer.status < 500 || tries > 5) return answer;
    } catch (error) {
      if (tries > 5) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** tries));
  }
}

let [sent, done, doneEvents] = [0, 0, 0];
async function post(events, who) {
  const answer = await reach("/events", { method: "POST", headers: who, body: JSON.stringify(events) });
  if (!answer.ok) throw new Error(`events: ${answer.status} ${await answer.text()}`);
  sent += events.length;
}

function bar(part, text) {
  const width = 30;
  const full = Math.round(part * width);
  const line = `  ${"█".repeat(full)}${"░".repeat(width - full)} ${String(Math.round(part * 100)).padStart(3)} %  ${text}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}\x1b[K`);
  else if (Math.floor(part * 10) > done) {
    done = Math.floor(part * 10);
    console.log(line);
  }
}

/** So many at a time: one after the other would wait most of the time. */
async function all(tasks, most = 10) {
  const queue = tasks.values();
  await Promise.all(Array.from({ length: most }, async () => {
    for (const task of queue) await task();
  }));
}

console.log(`filling ${server.url} with ${days} days of traffic`);
await all(PUBLISHERS.map((publisher) => () => api(`/api/publishers/${publisher.id}`, { ...publisher, id: undefined })));
await all(CAMPAIGNS.map((campaign) => () => api(`/api/campaigns/${campaign.id}`, { ...campaign, id: undefined })));
await all(LINKS.map(({ token, url, campaign, title, tags, more }) => () => api(`/api/links/${token}`, { url, campaign_id: campaign, title, tags, ...more })));
await all(ALERTS.map((alert) => () => api(`/api/alerts/${alert.id}`, { ...alert, id: undefined })));
await all(FUNNELS.map((funnel) => () => api(`/api/funnels/${funnel.id}`, { ...funnel, id: undefined })));
// The consumer knows new campaigns, and their prices, within five seconds.
await new Promise((resolve) => setTimeout(resolve, 5_200));

const weights = Array.from({ length: days }, (_, day) => intensity(day));
const unit = Number(args.events) / weights.reduce((sum, weight) => sum + weight, 0);
const PARTS = 26; // requests a day, each of one kind of visitor
const part = 1 / (PLACES.reduce((sum, place) => sum + place.weight, 0) + (PARTS - PLACES.length));
for (const [day, weight] of weights.entries()) {
  await all(Array.from({ length: PARTS }, (_, number) => async () => {
    const place = number < PLACES.length ? PLACES[number] : pick(PLACES);
    const share = Math.max(3, Math.round(weight * unit * part * (number < PLACES.length ? place.weight : 1)));
    // Someone else comes from the same place each day; some of them are machines.
    const machine = number >= PLACES.length && number % 2 === 0;
    const device = machine ? pick(BOTS) : pick(DEVICES.filter((one) => !one.only || one.only.includes(place.country)));
    await post(eventsOf(day, place, machine ? { converts: 0 } : device, Math.min(480, share)), visitor(place, device.agent));
  }));
  doneEvents = sent;
  bar(((day + 1) / days) * 0.92, `${new Date(start + day * DAY).toISOString().slice(0, 10)}  ${sent.toLocaleString("en")} events`);
}

const hooks = args.url ? undefined : await tellHooks();
if (days > 1) await follow();
await settle();
await hooks?.end();
bar(0.98, "folding");
await server.fold();
bar(1, `${doneEvents.toLocaleString("en")} events in ${((Date.now() - began) / 1e3).toFixed(0)} s`);
console.log(args.url ? `\n  ${server.url}/dashboard/` : "\n  make dev shows it, at /dashboard/");
if (Number(args.live) > 0) await live(Number(args.live));
await server.stop();

/** Real clicks of today: they choose variants, scan codes, and lead nowhere where they must. */
async function follow() {
  const clicks = Array.from({ length: 260 }, (_, number) => async () => {
    const place = pick(PLACES);
    const who = visitor(place, pick(DEVICES).agent);
    const answer = await reach(`/r/checkout?eid=${uuid()}&uid=buyer${number}${number % 7 === 0 ? "&src=qr" : ""}`, { headers: who });
    const target = new URL(answer.headers.get("location") ?? "https://none.example/");
    const click = target.searchParams.get("click_id");
    const chance = target.pathname.includes("one-page") ? 0.17 : 0.06;
    if (click && random() < chance) {
      const conversion = { event_id: uuid(), event_time: Date.now(), page_url: target.href, click_id: click, anonymous_id: `buyer${number}`, value: Number(between(20, 90).toFixed(2)), currency: "EUR" };
      await reach("/events/conversion", { method: "POST", headers: who, body: JSON.stringify(conversion) });
    }
  });
  const lost = ["old-flyer", "gone", "winter-2019"].flatMap((token) => Array.from({ length: 14 }, () => async () => {
    await reach(`/r/${token}?eid=${uuid()}`, { headers: visitor(pick(PLACES), pick(DEVICES).agent) });
  }));
  await all([...clicks, ...lost]);
}

/** Webhooks that are told of what comes from here on, by a receiver that is gone with this program; then they are paused. */
async function tellHooks() {
  const receiver = createServer((request, response) => {
    request.resume();
    response.writeHead(request.url === `/${WEBHOOKS.at(-1).id}` ? 503 : 204).end();
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const put = ({ id, ...hook }, more) => api(`/api/webhooks/${id}`, { ...hook, ...more });
  for (const hook of WEBHOOKS) await put(hook, { url: `http://127.0.0.1:${receiver.address().port}/${hook.id}` });
  await new Promise((resolve) => setTimeout(resolve, 5_200)); // so long until they are known
  return {
    async end() {
      for (const { token, title } of LINKS.slice(0, 4)) await api(`/api/links/${token}`, { title: `${title} (2)` }, "PATCH");
      for (const { token, title } of LINKS.slice(0, 4)) await api(`/api/links/${token}`, { title }, "PATCH");
      await server.fold(); // the minute's tick reads the trail
      for (let waiting = 1, tries = 0; waiting > 0 && tries < 40; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const { data } = await (await reach("/api/deliveries?state=waiting", { headers })).json();
        waiting = data.filter(({ attempts }) => attempts === 0).length;
      }
      for (const hook of WEBHOOKS) await put(hook, { status: "paused" });
      receiver.close();
    },
  };
}

/** Until everything that was admitted is counted. */
async function settle() {
  for (;;) {
    const { in_flight, journeys } = await (await reach("/stats/integrity", { headers })).json();
    const left = in_flight + (journeys?.in_flight ?? 0);
    if (!left) return;
    bar(0.95, `${left.toLocaleString("en")} events are being counted`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Clicks as they come. */
async function live(seconds) {
  console.log(`  clicks for ${seconds} s: Ctrl-C ends it`);
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; ) {
    const place = pick(PLACES);
    const machine = random() < 0.12;
    const device = machine ? pick(BOTS) : pick(DEVICES);
    const who = visitor(place, device.agent);
    const link = pick(LINKS.filter((link) => !link.to));
    const referrer = pick(REFERRERS);
    await reach(`/r/${link.token}?eid=${uuid()}&uid=live${Math.floor(random() * 4_000)}`, { headers: { ...who, ...(referrer.url ? { referer: referrer.url } : {}) } });
    if (!machine && random() < 0.12) {
      await post([{ kind: "conversion", event_id: uuid(), event_time: Date.now(), page_url: link.url, campaign_id: link.campaign, link: link.token, name: "purchase", value: Number(between(15, 120).toFixed(2)), currency: "EUR" }], who);
    }
    await new Promise((resolve) => setTimeout(resolve, between(60, 900)));
  }
}
