// What is stored of a visitor, by what the operator has set and what the visitor says.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, pointers, post, totals } from "./traffic.ts";

const servers: Server[] = [];
const serve = async (config: Record<string, unknown> = {}, state?: string) => {
  const server = await startServer({ state, queue: { batchTimeout: 0 }, config: { gate_shards: 1, place_header: "x-visitor-place", ...config } });
  servers.push(server);
  return server;
};
afterAll(() => Promise.all(servers.map((server) => server.stop())));
const server = await serve();

const ADDRESS = "198.51.100.77";
const visitor = (more: Record<string, string> = {}) => ({ "user-agent": CHROME, "cf-connecting-ip": ADDRESS, "accept-language": "en", ...more });
const from = (country: string) => ({ "x-visitor-place": `country=${country}` });
const follow = (at: Server, path: string, more: Record<string, string> = {}) => at.fetch(path, { headers: visitor(more) });
const pixel = async (at: Server, query: string, more: Record<string, string> = {}) =>
  (await at.fetch(`/1x1.gif?${query}`, { headers: visitor(more) })).headers.get("x-clicktrail");

/** The lines of the archive that hold a campaign's events, once there are so many. */
async function stored(at: Server, campaign: string, events: number): Promise<any[]> {
  let found: any[] = [];
  await settles(async () => {
    const response = await at.fetch("/api/export/events?include_bots=true", { headers: { authorization: `Bearer ${at.token}` } });
    const lines = (await response.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line));
    found = lines.filter((line) => line.record === "event" && line.campaign_id === campaign);
    expect(found.length).toBe(events);
  });
  return found;
}
const dropped = async (at: Server) => (await at.api("/stats/quality")).body.dropped;

test("of addresses the network is stored, or nothing, or all of it if that is said twice", async () => {
  const none = await serve({ store_ip: "none" });
  const full = await serve({ store_ip: "full", store_full_ip: true, strict_countries: ["eu", "BR"] });
  const ip = async (at: Server, place: Record<string, string>, fields = {}) => {
    const campaign_id = `ip-${Math.random()}`;
    await click(at, { campaign_id, ...fields }, visitor(place));
    return (await stored(at, campaign_id, 1))[0].ip;
  };
  expect(await ip(server, from("DE"))).toBe("198.51.100.0");
  expect(await ip(none, from("US"))).toBeUndefined();
  expect(await ip(full, from("US"))).toBe(ADDRESS);
  for (const country of ["DE", "GB", "BR", "T1"]) expect(await ip(full, from(country), { consent: "granted" }), country).toBeUndefined();
  expect((await full.api("/api/privacy")).body).toMatchObject({ ip: "full", full_ip_allowed: true, strict: { countries: ["eu", "BR"], ip: "none" } });

  const unsaid = await serve({ store_ip: "full" });
  expect((await unsaid.fetch("/healthz")).status).toBe(503);
  await settles(() => expect(unsaid.log).toContain("store_full_ip"));
});

test("a browser that asks not to be tracked is counted without being known", async () => {
  await server.api("/api/links", { token: "wish", url: "https://shop.example/", campaign_id: "wish" });
  const query = "uid=u-1&sid=s-1&aid=a-1&gclid=g-1&utm_source=letter&ct=x";
  for (const signal of [{ dnt: "1" }, { "sec-gpc": "1" }]) {
    const response = await follow(server, `/r/wish?${query}&eid=${Object.keys(signal)}`, { ...signal, referer: `https://news.example/?${query}` });
    expect([response.status, response.headers.get("location")]).toEqual([302, expect.stringContaining(`uid=u-1&sid=s-1&aid=a-1&gclid=g-1`)]);
  }
  for (const other of [{ dnt: "0" }, { dnt: "unspecified" }, { "sec-gpc": "?1" }]) await follow(server, `/r/wish?eid=${Object.values(other)}`, other);
  const lines = await stored(server, "wish", 5);
  const anonymous = lines.filter(({ hints }) => hints === 8);
  expect(anonymous.length).toBe(2);
  for (const line of anonymous) {
    const text = JSON.stringify(line);
    for (const id of ["u-1", "s-1", "a-1", "g-1", "198.51"]) expect(text).not.toContain(id);
    expect(line).toMatchObject({ country: "US", utm_source: "letter", channel: "ad", browser: "Chrome" });
  }
  const known = new Set(lines.filter(({ hints }) => hints === undefined).map((line) => line.visitor));
  expect(known.size).toBe(1);
  expect(anonymous.some((line) => known.has(line.visitor))).toBe(false);
  await settles(async () => expect(await totals(server, "campaign_id=wish")).toMatchObject({ clicks: 5, uniques: 1 }));
});

test("a double tap of somebody anonymous is one click", async () => {
  await server.api("/api/links", { token: "taps", url: "https://shop.example/", campaign_id: "taps" });
  // A bucket of two seconds may end between two of them, hardly twice.
  for (let tap = 0; tap < 6; tap++) await follow(server, "/r/taps", { "sec-gpc": "1" });
  await settles(async () => {
    const { clicks, duplicates } = await totals(server, "campaign_id=taps");
    expect([clicks + duplicates, clicks <= 3, clicks > 0]).toEqual([6, true, true]);
  });
});

test("where the wish is to be dropped nothing is recorded, everybody is answered as ever, and a number remains", async () => {
  const strict = await serve({ do_not_track: "drop" });
  await strict.api("/api/links", { token: "drop", url: "https://shop.example/", campaign_id: "drop" });
  const gpc = { "sec-gpc": "1" };
  expect((await follow(strict, "/r/drop", gpc)).headers.get("location")).toBe("https://shop.example/");
  expect((await follow(strict, "/r/nowhere", gpc)).status).toBe(404);
  expect(await pixel(strict, "cid=drop", { dnt: "1" })).toBe("rejected; reason=do_not_track");
  const event = anEvent({ campaign_id: "drop" });
  const { status, body } = await post(strict, "/events/click", event, visitor(gpc));
  expect([status, body]).toEqual([200, { status: "dropped", reason: "global_privacy_control", event_id: event.event_id }]);
  const batch = [anEvent({ campaign_id: "drop" }), anEvent({ value: "x" })];
  expect((await post(strict, "/events", batch, visitor(gpc))).body.results).toMatchObject([
    { event_id: batch[0].event_id, status: "dropped", reason: "global_privacy_control" },
    { event_id: batch[1].event_id, status: "invalid" },
  ]);
  expect((await click(strict, { campaign_id: "drop" }, visitor())).body.status).toBe("accepted");
  await stored(strict, "drop", 1);
  await settles(async () => {
    await pixel(strict, "cid=drop", { dnt: "1" }); // counts are written behind one of the next answers
    const counts = Object.fromEntries((await dropped(strict)).map(({ value, hits }: any) => [value, hits]));
    expect([counts.global_privacy_control, counts.do_not_track > 0]).toEqual([4, true]);
  });
  expect((await strict.sql("SELECT * FROM dropped")).flatMap(Object.keys)).not.toContain("visitor");
});

test("where wishes are ignored they are", async () => {
  const deaf = await serve({ do_not_track: "ignore", opt_out: "ignore" });
  const all = { dnt: "1", "sec-gpc": "1", cookie: "clicktrail_off=1" };
  expect((await click(deaf, { campaign_id: "deaf", user_id: "u", optout: true }, visitor(all))).body.status).toBe("accepted");
  expect((await stored(deaf, "deaf", 1))[0]).toMatchObject({ user_id: "u", ip: "198.51.100.0" });
  expect((await deaf.fetch("/opt-out")).status).toBe(404);
});

test("consent is said by a parameter, wherever a hit comes in", async () => {
  await server.api("/api/links", { token: "say", url: "https://shop.example/", campaign_id: "say" });
  await follow(server, "/r/say?uid=link-u&consent=denied");
  await pixel(server, "cid=say&uid=pixel-u&consent=no");
  await click(server, { campaign_id: "say", user_id: "body-u", consent: "denied" }, visitor());
  await post(server, "/events?consent=0", [anEvent({ campaign_id: "say", user_id: "query-u", consent: "granted" })], visitor());
  await post(server, "/events", [anEvent({ campaign_id: "say", user_id: "batch-u", consent: false }), anEvent({ campaign_id: "say", user_id: "known-u", consent: true })], visitor());
  await follow(server, "/r/say?uid=known-v&consent=CPXxRfAPXxRfA");
  const lines = await stored(server, "say", 7);
  expect(lines.map(({ user_id }) => user_id).filter(Boolean).sort()).toEqual(["known-u", "known-v"]);
  expect(lines.filter(({ hints }) => hints === 8).length).toBe(5);
  expect(await pixel(server, "cid=say&consent=perhaps")).toBe("rejected; reason=invalid consent");
  const { status, body } = await click(server, { consent: "perhaps", optout: "maybe" });
  expect([status, pointers(body)]).toEqual([400, ["/consent", "/optout"]]);
});

test("where consent is required silence is none", async () => {
  const asking = await serve({ consent: "required" });
  await asking.api("/api/links", { token: "ask", url: "https://shop.example/", campaign_id: "ask" });
  await follow(asking, "/r/ask?uid=u1");
  await follow(asking, "/r/ask?uid=u2&consent=granted");
  await click(asking, { campaign_id: "ask", user_id: "u3" }, visitor());
  await click(asking, { campaign_id: "ask", user_id: "u4", consent: "granted" }, visitor({ "sec-gpc": "1" }));
  const lines = await stored(asking, "ask", 4);
  expect(lines.map(({ user_id }) => user_id).filter(Boolean)).toEqual(["u2"]);
});

test("where there is no such jurisdiction nothing is kept elsewhere", async () => {
  // workerd knows the method and says that it has none; what is tested is that the service does without it rather than with
  // objects anywhere.
  const bound = await serve({ jurisdiction: "eu" });
  expect((await bound.fetch("/healthz")).status).toBe(503);
  expect((await click(bound, {}, visitor())).status).toBe(503);
  await settles(() => expect(bound.log).toContain("Jurisdiction"));
  expect(bound.objectFiles("Gate")).toEqual([]);
});

test("in countries where the law asks for it consent is required, and where nobody knows the country", async () => {
  const strict = await serve({ strict_countries: ["eu"] });
  for (const country of ["DE", "CH", "US", "JP", "XX"]) await click(strict, { campaign_id: "law", user_id: country }, visitor(from(country)));
  const lines = await stored(strict, "law", 5);
  expect(lines.map(({ user_id }) => user_id).filter(Boolean).sort()).toEqual(["JP", "US"]);
  expect(lines.map(({ country }) => country).sort()).toEqual(["CH", "DE", "JP", "US", "XX"]);
});

test("whoever opts out is not recorded on any route, until it is taken back", async () => {
  await server.api("/api/links", { token: "out", url: "https://shop.example/", campaign_id: "out" });
  const out = await server.fetch("/opt-out", { headers: { "sec-fetch-dest": "document" } });
  expect([out.status, await out.text()]).toEqual([200, expect.stringContaining("You have opted out")]);
  expect(out.headers.get("set-cookie")).toBe("clicktrail_off=1; Path=/; Max-Age=34560000; SameSite=Lax");
  const cookie = { cookie: "theme=dark; clicktrail_off=1" };
  expect((await follow(server, "/r/out?a=b", cookie)).headers.get("location")).toBe("https://shop.example/?a=b");
  expect((await follow(server, "/t/click?cl=out", cookie)).status).toBe(302);
  expect(await pixel(server, "cid=out", cookie)).toBe("rejected; reason=opt_out");
  expect((await click(server, { campaign_id: "out" }, visitor(cookie))).body).toMatchObject({ status: "dropped", reason: "opt_out" });
  expect((await post(server, "/events", [anEvent({ campaign_id: "out" })], visitor(cookie))).body.results[0].status).toBe("dropped");
  // And without a cookie, for one hit.
  await follow(server, "/r/out?optout=1");
  expect(await pixel(server, "cid=out&optout=1")).toBe("rejected; reason=opt_out");
  expect((await click(server, { campaign_id: "out", optout: true }, visitor())).body.status).toBe("dropped");
  // Another one's picture opts nobody out.
  for (const place of ["image", "iframe", "empty"]) {
    const picture = await server.fetch("/opt-out", { headers: { "sec-fetch-dest": place } });
    expect([picture.status, picture.headers.get("set-cookie")], place).toEqual([403, null]);
  }
  const back = await server.fetch("/opt-in");
  expect([back.status, back.headers.get("set-cookie")]).toEqual([200, "clicktrail_off=; Path=/; Max-Age=0; SameSite=Lax"]);
  await click(server, { campaign_id: "out" }, visitor());
  await stored(server, "out", 1);
  await settles(async () => expect(await totals(server, "campaign_id=out")).toMatchObject({ clicks: 1, impressions: 0 }));
});

test("stored URLs hold no address and nothing that opens an account; where a link leads is not changed", async () => {
  await server.api("/api/links", { token: "strip", url: "https://shop.example/?token=theirs", campaign_id: "strip" });
  const query = "email=jane%40shop.example&access_token=s3cret&page=2&q=jane%40shop.example&utm_source=letter";
  const response = await follow(server, `/r/strip?${query}`, { referer: `https://mail.example/u/jane@shop.example?${query}#id_token=s3cret` });
  expect(response.headers.get("location")).toBe(`https://shop.example/?token=theirs&${query}`);
  const page_url = `https://shop.example/reset/jane%40shop.example?${query}#/reset?token=s3cret`;
  await click(server, { campaign_id: "strip", page_url, referrer: page_url, props: { href: page_url, note: "as it is" } }, visitor());
  await pixel(server, `cid=strip&u=${encodeURIComponent(page_url)}&${query}`);
  const sig = (await server.api("/api/sign", { url: page_url })).body.sig;
  expect((await follow(server, `/log-and-redirect?url=${encodeURIComponent(page_url)}&sig=${sig}&cid=strip`)).headers.get("location")).toBe(page_url);
  const lines = await stored(server, "strip", 4);
  for (const line of lines) expect(JSON.stringify(line)).not.toMatch(/jane|s3cret/);
  const clean = "https://shop.example/reset/(mail)?page=2&utm_source=letter#/reset";
  const [beacon] = lines.filter(({ source }) => source === "beacon");
  expect(beacon).toMatchObject({ page_url: clean, referrer: clean, props: { href: clean, note: "as it is" }, utm_source: "letter" });
  expect(lines.find(({ link }) => link === "strip")).toMatchObject({ query: "page=2&utm_source=letter", referrer: "https://mail.example/u/(mail)?page=2&utm_source=letter" });

  const own = await serve({ strip_parameters: ["member-no"], keep_parameters: ["email"] });
  await click(own, { campaign_id: "own", page_url: "https://shop.example/?memberNo=7&email=spring&token=x" }, visitor());
  expect((await stored(own, "own", 1))[0].page_url).toBe("https://shop.example/?email=spring");
});

test("a conversion of somebody anonymous counts for its link, and an order once", async () => {
  const { body: link } = await server.api("/api/links", { url: "https://shop.example/", campaign_id: "paid", append_click_id: "ct" });
  const response = await follow(server, `/r/${link.token}`, { dnt: "1" });
  const click_id = new URL(response.headers.get("location")!).searchParams.get("ct")!;
  const [clicked] = await stored(server, "paid", 1);
  // The shop's server knows the click, and so nothing but the click.
  expect((await server.fetch(`/postback?click_id=${click_id}&txid=1&payout=5&currency=EUR`)).status).toBe(200);
  const lines = await stored(server, "paid", 2);
  expect(lines.map((line) => line.visitor)).toEqual([clicked.visitor, clicked.visitor]);
  // A page of the shop's says it of somebody who refuses: link and campaign are the click's, and that is all.
  const sale = { campaign_id: undefined, click_id, value: 7, currency: "EUR", txid: "order-2", consent: "denied" };
  for (let copy = 0; copy < 2; copy++) await post(server, "/events/conversion", anEvent(sale), visitor());
  const sales = (await stored(server, "paid", 4)).filter(({ txid }) => txid === "order-2");
  for (const line of sales) expect([line.visitor === clicked.visitor, line.click_ms, line.link]).toEqual([false, undefined, link.token]);
  await settles(async () => expect(await totals(server, "campaign_id=paid")).toMatchObject({ clicks: 1, conversions: 2, revenue: 12 }));
});

test("the secret of visitors' hashes is changed at midnight, and nobody becomes somebody else before", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clicktrail-secrets-"));
  const state = join(folder, "state");
  mkdirSync(state);
  const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
  const seen: string[] = [];
  const see = async (config: Record<string, unknown>) => {
    const campaign_id = `secret-${seen.length}`;
    const at = await serve({ ...config }, state);
    await click(at, { campaign_id }, visitor());
    seen.push((await stored(at, campaign_id, 1))[0].visitor);
    const { body } = await at.api("/api/privacy");
    await at.stop();
    return body.visitor_hash.new_secret_from;
  };
  expect(await see({})).toBeNull();
  renameSync(join(state, "visitor_secret"), join(state, "visitor_secret_before")); // a new one is made
  expect(await see({ visitor_secret_from: day(2) })).toBe(day(2));
  await see({ visitor_secret_from: day(-2) });
  rmSync(join(state, "visitor_secret_before"));
  expect(await see({ visitor_secret_from: day(2) })).toBeNull();
  expect(seen[1]).toBe(seen[0]);
  expect(seen[2]).not.toBe(seen[0]);
  expect(seen[3]).toBe(seen[2]);
  expect(readFileSync(join(state, "visitor_secret"), "utf8")).toHaveLength(64);
  rmSync(folder, { recursive: true });
});

test("what is in force is told to whoever answers for it", async () => {
  const { status, body } = await server.api("/api/privacy");
  expect([status, body]).toEqual([
    200,
    {
      ip: "truncated",
      full_ip_allowed: false,
      do_not_track: "anonymous",
      opt_out: "drop",
      consent: "optional",
      strict: { countries: [], consent: "required", ip: "none" },
      strip_urls: true,
      strip_parameters: [],
      keep_parameters: [],
      visitor_hash: { lives: "a day", new_secret_from: null },
      jurisdiction: "",
    },
  ]);
  const { body: reader } = await server.api("/api/keys", { name: "reader", scopes: ["stats:read"] });
  expect((await server.fetch("/api/privacy", { headers: { authorization: `Bearer ${reader.key}` } })).status).toBe(403);
  expect((await server.fetch("/api/privacy")).status).toBe(401);
});
