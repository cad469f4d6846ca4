// Combined Log Format: `address ident user [time] "request" status bytes "referrer" "user agent"`, quotes within escaped.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";

const LINE = /^(\S+) \S+ (?:[^[]*) ?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (?:\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/;
const TIME = /^(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const REQUEST = /^[A-Z]+ (\S+)(?: HTTP\/[\d.]+)?$/;
const URL_MAX_BYTES = 2_048;

/** Endings of what a person looks at; whatever else ends in a dot and letters is a file. */
const PAGES = new Set(["html", "htm", "xhtml", "php", "asp", "aspx", "jsp", "cgi"]);

/** Every line, as a visit or as broken. */
export async function readLog(path, site) {
  const parsed = [];
  const broken = [];
  let lines = 0;
  // latin1 keeps every byte, and a header takes no other characters.
  for await (const text of createInterface({ input: await bytesOf(path), crlfDelay: Infinity })) {
    lines += 1;
    if (text === "") continue;
    try {
      parsed.push({ line: lines, ...parse(text) });
    } catch (error) {
      broken.push({ line: lines, why: error.message });
    }
  }
  site = new URL(site ?? ownOrigin(parsed)).origin;
  const visits = [];
  for (const { line, target, ...visit } of parsed) {
    const pageUrl = target.startsWith("/") ? site + target : target;
    const why = whyNoPage(pageUrl);
    if (why === undefined) visits.push({ line, ...visit, pageUrl, kind: kindOf(pageUrl) });
    else broken.push({ line, why });
  }
  return { lines, visits, broken, site };
}

async function bytesOf(path) {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const stream = createReadStream(path);
  const plain = buffer[0] === 0x1f && buffer[1] === 0x8b ? stream.pipe(createGunzip()) : stream;
  return plain.setEncoding("latin1");
}

function parse(text) {
  const match = LINE.exec(text);
  if (match === null) throw new Error("is not in Combined Log Format");
  const [, address, time, request, , referrer, userAgent] = match;
  const target = REQUEST.exec(unescape(request));
  if (target === null) throw new Error(`requests nothing: ${request.slice(0, 60)}`);
  return {
    address,
    timeMs: timeOf(time),
    target: target[1],
    referrer: absent(unescape(referrer)).slice(0, URL_MAX_BYTES),
    userAgent: absent(unescape(userAgent)),
  };
}

/** What the server escaped: quotes, backslashes, and bytes that are not printable. A header carries no control characters. */
function unescape(text) {
  const plain = text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, escaped) =>
    escaped.length === 3 ? String.fromCharCode(parseInt(escaped.slice(1), 16)) : escaped,
  );
  return plain.replace(/[\x00-\x1f\x7f]/g, " ").trim();
}

function absent(text) {
  return text === "-" ? "" : text;
}

function timeOf(text) {
  const match = TIME.exec(text);
  const month = MONTHS.indexOf(match?.[2]);
  if (month < 0) throw new Error(`has no time: ${text}`);
  const [, day, , year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const zone = (sign === "-" ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes));
  return Date.UTC(year, month, day, hour, minute, second) - zone * 60_000;
}

/** A log does not say whose it is, but most of its referrers do. */
function ownOrigin(visits) {
  const times = new Map();
  for (const { referrer } of visits) {
    if (!/^https?:/.test(referrer) || !URL.canParse(referrer)) continue;
    const { origin } = new URL(referrer);
    times.set(origin, (times.get(origin) ?? 0) + 1);
  }
  const [most] = [...times].sort((a, b) => b[1] - a[1]);
  return most?.[0] ?? "https://example.com";
}

function whyNoPage(url) {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return `requests no page: ${url.slice(0, 60)}`;
  if (Buffer.byteLength(url) > URL_MAX_BYTES) return "requests a URL that is longer than 2048 bytes";
  return undefined;
}

/** @returns {"page" | "click"} */
function kindOf(url) {
  const ending = /\.([a-z0-9]+)$/i.exec(new URL(url).pathname)?.[1];
  return ending === undefined || PAGES.has(ending.toLowerCase()) ? "page" : "click";
}
