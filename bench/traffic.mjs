// Visitors as a link shortener meets them: a few links get most of the clicks, and browsers, referrers and places differ.
import { createHash } from "node:crypto";

const CAMPAIGNS = 20;
const LINKS = 200;
const VISITORS = 10_000;
/** Of a hundred hits so many are copies of one a moment ago: double taps, retries, reloads. */
const COPIES_PER_HUNDRED = 3;

export const links = Array.from({ length: LINKS }, (_, i) => ({
  token: `bench${i}`,
  url: `https://shop.example/landing/${i}?ref=bench`,
  campaign_id: `campaign-${i % CAMPAIGNS}`,
}));
/** What 20 rules cost, none of which fits: every one is tried. */
const elsewhere = (when, i) => ({ when, url: `https://shop.example/elsewhere/${i}` });
export const ruledLinks = links.map((link, n) => ({
  ...link,
  token: `ruled${n}`,
  rules: [
    ...["NO", "SE", "FI", "DK", "IS", "NL", "BE", "LU"].map((country) => ({ country: [country] })),
    ...["tvos", "watchos", "kaios", "tizen"].map((os) => ({ os: [os] })),
    ...["pl", "cs", "hu", "ro"].map((language) => ({ language: [language], device: ["smartphone", "tablet"] })),
    { device: ["console", "tv"] },
    { region: ["US-HI", "US-AK"], in_app: true },
    { referrer: ["partner.example"], bot: false },
    { query: { coupon: null }, before: "2020-01-01T00:00:00Z" },
  ].map(elsewhere),
}));
/** Answers without a record: what a redirect costs up to its answer. */
export const expiredLink = {
  token: "expired",
  url: "https://shop.example/over",
  expired_url: "https://shop.example/sorry",
  expires_at: "2000-01-01T00:00:00Z",
};

const system = ["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "Linux; Android 10; K"];
const agents = [
  ...system.flatMap((os) =>
    [138, 139, 140, 141, 142, 143, 144, 145].map(
      (version) => `Mozilla/5.0 (${os}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 ${os.includes("Android") ? "Mobile " : ""}Safari/537.36`,
    ),
  ),
  ...["17_6", "18_3", "18_5", "26_0"].map(
    (os) => `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${os.split("_")[0]}.0 Mobile/15E148 Safari/604.1`,
  ),
  ...[140, 141, 142, 143, 144, 145].map((version) => `Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`),
  ...[141, 143, 145].map((version) => `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36 Edg/${version}.0.0.0`),
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
  "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
  "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
  "curl/8.5.0",
];
const referrers = ["", "", "", "https://www.google.com/", "https://t.co/", "https://m.facebook.com/", "https://www.youtube.com/", "https://mail.google.com/", "https://news.ycombinator.com/item?id=1", "https://blog.example/post/7"];
const queries = ["", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=spring", "?utm_source=google&utm_medium=cpc&gclid=Cj0KCQ", "?utm_source=x&utm_medium=social"];
const languages = ["en-US,en;q=0.9", "de-DE,de;q=0.9,en;q=0.8", "fr-FR,fr;q=0.9", "es-ES,es;q=0.9", "pt-BR,pt;q=0.9", "ja,en;q=0.5"];

const place = (country, continent, regionCode, city, asn) => ({ country, continent, regionCode, city, asn, colo: "XXX", httpProtocol: "HTTP/2" });
const places = {
  /** Every continent, in the shares that a large shortener sees. */
  world: [
    ...Array(8).fill(place("US", "NA", "TX", "Austin", 64496)),
    ...Array(2).fill(place("DE", "EU", "BE", "Berlin", 64497)),
    ...Array(2).fill(place("GB", "EU", "ENG", "London", 64498)),
    place("FR", "EU", "IDF", "Paris", 64499),
    ...Array(3).fill(place("IN", "AS", "KA", "Bengaluru", 64500)),
    place("JP", "AS", "13", "Tokyo", 64501),
    ...Array(2).fill(place("BR", "SA", "SP", "Sao Paulo", 64502)),
    place("AU", "OC", "NSW", "Sydney", 64503),
    place("ZA", "AF", "GP", "Johannesburg", 64504),
  ],
  /** One country's customer. */
  one: [place("US", "NA", "TX", "Austin", 64496)],
};

export class Traffic {
  #state;
  #count = 0;
  #places;
  #last;

  /** The same seed gives the same traffic. */
  constructor(seed, where = "one") {
    this.#state = seed;
    this.#places = places[where].map((cf) => JSON.stringify(cf));
  }

  /** A number from 0 to 1. mulberry32. */
  #random() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  #one(list) {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** Zipf's law with exponent 1, by the inverse of its integral. */
  #link() {
    return links[Math.min(LINKS - 1, Math.floor(LINKS ** this.#random()) - 1)];
  }

  /** The headers that the platform's edge and a browser send; the visitor is a new one unless given. */
  #headers(visitor = this.#count++) {
    const address = `10.${(visitor >> 16) & 255}.${(visitor >> 8) & 255}.${visitor & 255}`;
    const referrer = this.#one(referrers);
    return (
      `host: clk.example\r\ncf-connecting-ip: ${address}\r\nmf-cf-blob: ${this.#one(this.#places)}\r\n` +
      `user-agent: ${this.#one(agents)}\r\naccept: */*\r\naccept-encoding: gzip\r\naccept-language: ${this.#one(languages)}\r\n` +
      (referrer === "" ? "" : `referer: ${referrer}\r\n`)
    );
  }

  #eventId() {
    const hex = createHash("md5").update(`${this.#state} ${this.#count++}`).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** Of one of so many visitors, each with a session's id for a name; without a number, of one whom nobody has seen. */
  #event(visitors = VISITORS) {
    const { campaign_id, token } = this.#link();
    return {
      event_id: this.#eventId(),
      event_time: Date.now(),
      page_url: `https://shop.example/p/${Math.floor(this.#random() * 50)}${this.#one(queries)}`,
      referrer: this.#one(referrers) || undefined,
      campaign_id,
      link: token,
      session_id: visitors === Infinity ? `new${this.#count++}` : `s${Math.floor(this.#random() * visitors)}`,
    };
  }

  #post(path, value, visitor) {
    const body = JSON.stringify(value);
    return `POST ${path} HTTP/1.1\r\n${this.#headers(visitor)}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  bare = () => `GET / HTTP/1.1\r\n${this.#headers()}\r\n`;
  ruled = () => this.redirect().replace("/r/bench", "/r/ruled");

  /** What the overview asks first. */
  stats = (token, day = new Date().toISOString().slice(0, 10)) => () => `GET /stats/clicks?from=${day}&interval=hour HTTP/1.1\r\nhost: clk.example\r\nauthorization: Bearer ${token}\r\n\r\n`;
  /** Links that are gone, but stand in mails. */
  unknown = () => `GET /r/gone${this.#link().token} HTTP/1.1\r\n${this.#headers()}\r\n`;
  expired = () => `GET /r/${expiredLink.token} HTTP/1.1\r\n${this.#headers()}\r\n`;
  redirect = (visitor) => `GET /r/${this.#link().token}${this.#one(queries)} HTTP/1.1\r\n${this.#headers(visitor)}\r\n`;
  pixel = (visitor) => {
    const { campaign_id } = this.#link();
    const page = encodeURIComponent(`https://news.example/${Math.floor(this.#random() * 50)}`);
    return `GET /1x1.gif?cid=${campaign_id}&u=${page}&el=mail HTTP/1.1\r\n${this.#headers(visitor)}\r\n`;
  };
  event = (visitor) => this.#post("/events/page", this.#event(), visitor);
  batch = (events, visitors) => this.#post("/events", Array.from({ length: events }, () => this.#event(visitors)));

  /** The realistic mix: 70 % redirects, 20 % pixels, 10 % events of visitors who come back, and copies. */
  mixed = () => {
    if (this.#last !== undefined && this.#random() * 100 < COPIES_PER_HUNDRED) return this.#last;
    const visitor = Math.floor(this.#random() * VISITORS);
    const sort = this.#random();
    this.#last = sort < 0.7 ? this.redirect(visitor) : sort < 0.9 ? this.pixel(visitor) : this.event(visitor);
    return this.#last;
  };
}
