// fuzz.mjs [--seconds 20] [--seed 1] [--show]: bytes that nobody meant, over sockets, to every endpoint that is open to the public. No answer
// may be a 5xx, each connection has to end, and what is sent properly meanwhile has to be taken. What breaks it is printed with its
// seed, from which the same bytes come again: `--show --seed N --seconds 0` prints request and answer.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { deflateSync, gzipSync } from "node:zlib";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "20" }, seed: { type: "string", default: "1" }, lanes: { type: "string", default: "16" }, show: { type: "boolean" } },
});
const seconds = Number(values.seconds);
const first = Number(values.seed);

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const now = Date.now();
const event = () => ({ event_id: randomUUID(), event_time: now, page_url: "https://shop.example/", campaign_id: "fuzz", props: { a: 1 } });
const words = [
  "", "0", "-1", "1e999", "9007199254740993", "null", "true", "\u0000", "\ud800", "%", "%00", "%ff", "%u0000", "é", "🛒", "\r\n", "\n", "\r", "\t", "'", '"', "\\", "<", "&", "=", ";", "[", "{", "]", "}", ",", ":",
  "javascript:alert(1)", "//evil.example", "https://shop.example/", "../..", "2026-02-30T25:61:61Z", "1970-01-01T00:00:00Z", "x".repeat(300), "[".repeat(2_000), "ck_0", "Bearer x", "click", "NaN", "'; DROP TABLE keys;--", "${7*7}", "\u202e", "\ufeff",
];
const targets = ["/events", "/events/click", "/events/conversion", "/events/page", "/1x1.gif", "/1%C3%971.gif", "/r/demo", "/r/vault", "/r/nothing", "/demo+", "/t/click?cl=demo", "/log-and-redirect?url=https://shop.example/", "/tag.js", "/postback", "/healthz", "/openapi.json"];
const fields = ["event_id", "event_time", "page_url", "sent_at", "kind", "name", "value", "currency", "props", "link", "click_id", "campaign_id", "session_id", "sub1", "eid", "cid", "et", "u", "r", "t", "v", "cur", "url", "sig", "cl", "click_id", "txid", "payout", "src", "utm_source", "password"];
const headerNames = ["content-type", "content-encoding", "accept", "accept-language", "referer", "origin", "user-agent", "cookie", "x-clicktrail-address", "authorization", "x-link-password", "sec-ch-ua", "sec-purpose", "dnt", "if-none-match", "range", "cf-connecting-ip", "idempotency-key", "sec-gpc", "x-forwarded-for"];

/** One request, as bytes, that follows from its seed. */
function request(seed, host) {
  const random = chance(seed);
  const upTo = (most) => Math.floor(random() * most);
  const one = (list) => list[upTo(list.length)];
  const noise = (length) => Buffer.from(Array.from({ length: upTo(length) }, () => upTo(256)));
  const value = () => (random() < 0.2 ? noise(24).toString("latin1") : one(words));
  const query = () => Array.from({ length: upTo(6) }, () => `${one(fields)}=${random() < 0.5 ? encodeURIComponent(value().replace(/[\ud800-\udfff]/g, "?")) : value().replace(/[\s#]/g, "+")}`).join("&");

  const json = () => {
    const body = event();
    for (let n = upTo(4); n > 0; n--) body[one(fields)] = one([value(), upTo(1e9), -1.5, null, [], {}, [[value()]], { a: { b: value() } }, true]);
    return body;
  };
  const text = () => {
    switch (upTo(7)) {
      case 0: return JSON.stringify(json());
      case 1: return JSON.stringify(Array.from({ length: upTo(20) }, json));
      case 2: return JSON.stringify({ events: Array.from({ length: upTo(20) }, json), sent_at: value() });
      case 3: return Array.from({ length: upTo(20) }, () => JSON.stringify(json())).join(one(["\n", "\r\n", "\n\n", " "]));
      case 4: return query();
      case 5: return value().repeat(upTo(50));
      default: return `${one(['{"events":', '{"a":', "[", '"'])}`.repeat(upTo(3_000));
    }
  };
  const hurt = (bytes) => {
    for (let n = upTo(5); n > 0 && bytes.length > 0; n--) {
      const at = upTo(bytes.length);
      if (random() < 0.5) bytes[at] = upTo(256);
      else bytes = Buffer.concat([bytes.subarray(0, at), random() < 0.5 ? noise(8) : Buffer.from(value()), bytes.subarray(at + upTo(16))]);
    }
    return bytes;
  };

  let body = random() < 0.15 ? noise(2_000) : Buffer.from(text());
  if (random() < 0.4) body = hurt(body);
  const headers = [`host: ${host}`, "connection: close"];
  const packed = random();
  if (packed < 0.2) body = random() < 0.8 ? gzipSync(body) : deflateSync(body);
  if (packed < 0.25) headers.push(`content-encoding: ${one(["gzip", "gzip", "gzip", "x-gzip", "deflate", "identity", "GZIP "])}`);
  if (packed < 0.1) body = hurt(body);
  headers.push(`content-type: ${one(["application/json", "application/json", "text/plain", "application/x-ndjson", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", value().replace(/[\r\n\u0000]/g, "")])}`);
  for (let n = upTo(5); n > 0; n--) headers.push(`${one(headerNames)}: ${value().replace(/[\r\n\u0000]/g, random() < 0.02 ? "\r" : "")}`);

  const method = one(["POST", "POST", "POST", "GET", "GET", "HEAD", "PUT", "OPTIONS", "DELETE", "QUERY"]);
  const target = one(targets);
  const more = random() < 0.6 ? query() : "";
  const path = `${target}${random() < 0.05 ? value().replace(/[\s]/g, "") : ""}${more === "" ? "" : `${target.includes("?") ? "&" : "?"}${more}`}`;
  const parts = [Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\n`, random() < 0.5 ? "utf8" : "latin1")];
  if (random() < 0.1) {
    parts.push(Buffer.from(`transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n"));
  } else {
    const lied = random() < 0.03 ? upTo(3_000) : body.length;
    parts.push(Buffer.from(`content-length: ${lied}\r\n\r\n`), body);
  }
  const whole = Buffer.concat(parts);
  return random() < 0.03 ? hurt(whole) : whole;
}

/** The head of what comes back; empty if the other side hung up, or had nothing to say to half a request. */
function send({ hostname, port }, bytes, whole = false) {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    const done = (said) => (socket.destroy(), resolve(said));
    socket.setTimeout(15_000, () => done("nothing in 15 s")).setEncoding("latin1");
    socket.on("data", (text) => (answer += text).includes("\r\n\r\n") && !whole && done(answer.split("\r\n\r\n", 1)[0]));
    socket.on("end", () => done(answer)).on("close", () => done(answer)).on("error", () => done(""));
    socket.end(bytes);
  });
}

const folder = mkdtempSync(join(tmpdir(), "clicktrail-fuzz-"));
const config = JSON.stringify({ redirect_hosts: ["shop.example"], body_seconds: 1 });
const server = spawn(process.execPath, [join(import.meta.dirname, "serve.mjs"), "--json", "--no-cron", "--port", "0", "--direct-port", "0", "--state", join(folder, "state"), "--config", config], {
  stdio: ["pipe", "pipe", "pipe"],
});
let log = "";
server.stderr.setEncoding("utf8").on("data", (text) => (log += text));
const ready = await new Promise((resolve, reject) => {
  createInterface({ input: server.stdout }).on("line", (line) => line.startsWith('{"ready"') && resolve(JSON.parse(line)));
  server.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
});
const direct = new URL(ready.direct);
const key = { authorization: `Bearer ${ready.token}`, "content-type": "application/json" };
const post = (path, body, headers = key) => fetch(ready.url + path, { method: "POST", headers, body: JSON.stringify(body) });
await post("/api/links", { token: "vault", url: "https://shop.example/", password: "sesame" });

const counts = {};
const broken = [];
if (values.show) {
  const bytes = request(first, direct.host);
  console.log(`${bytes.toString("latin1")}\n---\n${await send(direct, bytes, true)}\n---\n${log}`);
}
let next = first;
let sane = 0;
const end = performance.now() + seconds * 1_000;
const lane = async () => {
  while (performance.now() < end && broken.length < 10) {
    const seed = next++;
    const bytes = request(seed, direct.host);
    const head = await send(direct, bytes);
    const status = head.slice(9, 12);
    counts[status || "none"] = (counts[status || "none"] ?? 0) + 1;
    // Every answer of ours has this header. workerd has answers of its own before the Worker is asked: 501 for a method that
    // HTTP does not have, 500 for a host or a length that is none.
    const ours = /^x-content-type-options:/im.test(head);
    if ((status.startsWith("5") && ours) || head.startsWith("nothing")) broken.push(`seed ${seed}: ${head.split("\r\n", 1)[0]}`);
    if (seed % 200 === 0) {
      const response = await post("/events/click", { ...event(), campaign_id: "sane" }, { "content-type": "application/json", "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0" });
      if (response.status === 200) sane += 1;
      else broken.push(`after seed ${seed} a proper event was answered ${response.status}`);
    }
  }
};
await Promise.all(Array.from({ length: Number(values.lanes) }, lane));

const deadline = performance.now() + 30_000;
let counted = -1;
while (counted !== sane && performance.now() < deadline) {
  const report = await (await fetch(`${ready.url}/stats/clicks?campaign_id=sane`, { headers: key })).json();
  counted = report.totals.raw;
  if (counted !== sane) await new Promise((resolve) => setTimeout(resolve, 200));
}
if (counted !== sane) broken.push(`${sane} proper events were taken, and ${counted} counted`);
if (/panic|unreachable|RuntimeError/.test(log)) broken.push(log.slice(0, 2_000));
server.removeAllListeners("exit");
server.stdin.end();
await new Promise((resolve) => server.once("exit", resolve));
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
console.log(`${next - first} requests from seed ${first}, ${JSON.stringify(counts)}; ${sane} proper events among them, each counted once`);
if (broken.length > 0) {
  console.error(broken.join("\n"));
  process.exit(1);
}
