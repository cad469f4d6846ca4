// Links whose answer depends on who comes.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, CHROME, crowd, from, GOOGLEBOT, IPHONE, pointers, post, report, totals } from "./traffic.ts";

const server = await startServer({
  queue: { batchTimeout: 0 },
  config: { app_schemes: ["myapp"], domains: ["go.example"], redirect_hosts: ["shop.example", ".brand.example"], meter_shards: 1 },
});
afterAll(() => server.stop());

const ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";
const INSTAGRAM =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3 (iPhone15,2; iOS 17_4)";
const url = "https://shop.example/landing";

async function link(fields: Record<string, unknown>): Promise<any> {
  const { status, body } = await server.api("/api/links", { url, ...fields });
  expect([status, body]).toMatchObject([201, {}]);
  return body;
}

const address = (visitor: number) => ({ "cf-connecting-ip": `198.51.${visitor >> 8}.${visitor & 255}` });

function follow(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  return server.fetch(path.startsWith("/") ? path : `/r/${path}`, { ...init, headers: { "user-agent": CHROME, ...headers } });
}

const location = async (path: string, headers?: Record<string, string>) => (await follow(path, headers)).headers.get("location");

test("the first rule that fits decides where a visitor is sent", async () => {
  await link({
    token: "ruled",
    rules: [
      { when: { os: ["ios"], in_app: false }, url: "https://apps.apple.com/app/id1" },
      { when: { os: ["android"] }, url: "https://play.google.com/store/apps/details?id=a.b" },
      { when: { country: ["DE", "AT"], language: ["-en"] }, url: "https://shop.example/de" },
      { when: { query: { vip: null }, referrer: ["news.example"] }, url: "https://shop.example/vip" },
      { when: { bot: true }, url: "https://shop.example/bots" },
      { when: { before: "2020-01-01T00:00:00Z" }, url: "https://shop.example/past" },
      { when: { region: ["US-NY"] }, url: "https://shop.example/ny" },
    ],
  });
  expect(await location("ruled", { "user-agent": IPHONE })).toBe("https://apps.apple.com/app/id1");
  expect(await location("ruled", { "user-agent": INSTAGRAM })).toBe(url);
  expect(await location("ruled?a=1", { "user-agent": ANDROID })).toBe("https://play.google.com/store/apps/details?id=a.b&a=1&referrer=a%3D1");
  expect(await location("ruled", from("DE", "EU"))).toBe("https://shop.example/de");
  expect(await location("ruled", { ...from("DE", "EU"), "accept-language": "en-GB" })).toBe(url);
  expect(await location("ruled?vip=1", { referer: "https://m.news.example/x" })).toBe("https://shop.example/vip?vip=1");
  expect(await location("ruled", { "user-agent": GOOGLEBOT })).toBe("https://shop.example/bots");
  expect(await location("ruled", from("US", "NA", { regionCode: "NY" }))).toBe("https://shop.example/ny");
  expect(await location("ruled")).toBe(url);
});

test("a rule by the time of day knows the clock of its zone", async () => {
  const now = new Date();
  const clock = (zone: string, ms: number) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(now.getTime() + ms));
  const hours = (zone: string, from: number, to: number) => ({ from: clock(zone, from * 3_600_000), to: clock(zone, to * 3_600_000), tz: zone });
  const open = { url: "https://shop.example/open" };
  await link({ token: "open", rules: [{ when: { time: hours("Asia/Kolkata", -1, 1) }, ...open }] });
  await link({ token: "shut", rules: [{ when: { time: hours("Asia/Kolkata", 1, 2) }, ...open }] });
  expect(await location("open")).toBe(open.url);
  expect(await location("shut")).toBe(url);
  const { status, body } = await server.api("/api/links", { url, rules: [{ when: { time: { tz: "Mars/Olympus" } }, url }] });
  expect([status, pointers(body)]).toEqual([400, ["/rules/0/when/time/tz"]]);
});

test("variants are shared out by weight, a visitor keeps its own, and the statistics tell them apart", async () => {
  const variants = ["blue", "red"].map((name) => ({ name, url: `https://shop.example/${name}`, weight: 1 }));
  await link({ token: "split", variants });
  const seen = new Map<string, number>();
  for (let visitor = 0; visitor < 60; visitor++) {
    const to = await location("split", address(visitor));
    expect(await location("split?eid=again", address(visitor))).toBe(to);
    seen.set(to!, (seen.get(to!) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual(variants.map((variant) => variant.url));
  for (const count of seen.values()) expect(count).toBeGreaterThan(10);
  await settles(async () => {
    const { groups } = await report(server, "link=split&group_by=variant");
    const clicks = Object.fromEntries(groups.map((group: any) => [group.variant, group.raw]));
    expect(clicks.blue + clicks.red).toBe(61); // 60 visitors, and `again` once
  });
});

test("a known user stays with a variant wherever the click comes from", async () => {
  const variants = [1, 2, 3, 4, 5].map((n) => ({ url: `https://shop.example/${n}` }));
  const { variants: named } = await link({ token: "known", variants });
  expect(named.map(({ name, weight }: any) => [name, weight])).toEqual(["a", "b", "c", "d", "e"].map((name) => [name, 1]));
  const to = new Set();
  for (let visitor = 0; visitor < 10; visitor++) to.add(new URL((await location("known?uid=u1", address(visitor)))!).pathname);
  expect(to.size).toBe(1);
});

test("exactly as many people as a link allows are led on, whatever else asks", { timeout: 60_000 }, async () => {
  await link({ token: "fifty", max_clicks: 50, expired_url: "https://shop.example/sold-out" });
  const people = crowd([...Array(500).keys()], (n) => follow("fifty", address(n)));
  const bots = crowd([...Array(200).keys()], (n) => follow("fifty", { ...address(1_000 + n), "user-agent": GOOGLEBOT }));
  const told = (answers: Response[]) => answers.map((answer) => `${answer.status} ${answer.headers.get("location") ?? ""}`.trim());
  const [human, machine] = [told(await people), told(await bots)];
  const count = (answers: string[], wanted: string) => answers.filter((answer) => answer === wanted).length;
  expect(count(human, `302 ${url}`)).toBe(50);
  expect(count(human, "302 https://shop.example/sold-out")).toBe(450);
  expect(count(machine, "200")).toBe(200);
  await settles(async () => {
    expect(await totals(server, "link=fifty")).toMatchObject({ clicks: 50, bots: 200, failed: 450 });
  });
  const { groups } = await report(server, "link=fifty&group_by=name");
  expect(groups.find((group: any) => group.name === "limit_reached")).toMatchObject({ failed: 450 });
});

test("a link for one person is for one, who may tap twice", async () => {
  await link({ token: "once", max_clicks: 1 });
  expect((await follow("once", { "user-agent": "WhatsApp/2.23.20 N" })).status).toBe(200);
  expect((await follow("once", {}, { method: "HEAD" })).status).toBe(200);
  expect(await location("once?eid=mine", address(1))).toBe(url);
  expect(await location("once?eid=mine", address(1))).toBe(url);
  const late = await follow("once", address(2));
  expect([late.status, (await late.json()).detail]).toEqual([410, "This link was followed as often as it may be"]);
  await server.evict("Meter", "meter/0");
  expect((await follow("once", address(3))).status).toBe(410);
  const counted = () => server.objectFiles("Meter").flatMap((file) => new DatabaseSync(file).prepare("SELECT link FROM grants").all().map(({ link }) => `${link}`));
  expect(counted().some((name) => name.startsWith("once "))).toBe(true);
  expect((await server.api("/api/links/once?purge=true", undefined, "DELETE")).status).toBe(204);
  await settles(() => expect(counted().filter((name) => name.startsWith("once "))).toEqual([]));
});

test("a password opens a link, and nothing else does", async () => {
  const created = await link({ token: "locked", password: "s3same ü", title: "Secret" });
  expect(created).toMatchObject({ protected: true });
  expect(JSON.stringify(created)).not.toContain("s3same");
  expect(JSON.stringify(await server.sql("SELECT record FROM links WHERE token = 'locked'"))).not.toContain("s3same");
  const form = await follow("locked", { accept: "text/html" });
  expect([form.status, form.headers.get("location"), form.headers.get("cache-control")]).toEqual([200, null, "private, no-store"]);
  expect(await form.text()).toContain("<form method=post>");
  const enter = (password: string) => follow("locked?a=1", { ...address(7) }, { method: "POST", body: new URLSearchParams({ password }) });
  const wrong = await enter("guess");
  expect([wrong.status, wrong.headers.get("location")]).toEqual([403, null]);
  const right = await enter("s3same ü");
  expect([right.status, right.headers.get("location")]).toEqual([303, `${url}?a=1`]);
  expect(await location("locked", { "x-link-password": encodeURIComponent("x") })).toBe(null);
  expect((await follow("locked+")).status).toBe(200);
  expect(await (await follow("locked+")).text()).not.toContain(url);
  await settles(async () => expect(await totals(server, "link=locked")).toMatchObject({ clicks: 1, failed: 2 }));
  const patched = await server.api("/api/links/locked", { password: null }, "PATCH");
  expect(patched.body).toMatchObject({ protected: false });
  expect(await location("locked")).toBe(url);
});

test("preview bots get the card, and people in the apps that send them the page", async () => {
  await link({ token: "card", social: { title: 'Sale <b>"now"</b>', description: "Shoes", image: "https://shop.example/x.png" } });
  const bot = await follow("card", { "user-agent": "facebookexternalhit/1.1" });
  const html = await bot.text();
  expect([bot.status, bot.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(html).toContain('<meta property="og:title" content="Sale &lt;b&gt;&quot;now&quot;&lt;/b&gt;">');
  expect(html).toContain('<meta property="og:image" content="https://shop.example/x.png">');
  expect(await location("card", { "user-agent": INSTAGRAM })).toBe(url);
  await settles(async () => expect(await totals(server, "link=card")).toMatchObject({ clicks: 1, bots: 1 }));
});

test("an app's link has a page to fall back on", async () => {
  await link({ token: "opens-app", url: "myapp://open/item?id=1", fallback_url: "https://shop.example/app" });
  const response = await follow("opens-app?a=%22%3E%3Cscript%3E");
  const html = await response.text();
  expect(response.status).toBe(200);
  expect(html).toContain('href="myapp://open/item?id=1&amp;a=%22%3E%3Cscript%3E"');
  expect(html).toContain('href="https://shop.example/app?a=%22%3E%3Cscript%3E"');
  const nonce = /nonce="([0-9a-f]{32})"/.exec(html)![1];
  expect(response.headers.get("content-security-policy")).toContain(`script-src 'nonce-${nonce}'`);
  await link({ token: "bare-app", url: "myapp://open" });
  expect(await location("bare-app")).toBe("myapp://open");
});

test("where a link leads can be seen without being counted", async () => {
  await link({ token: "seen", title: "Look <here>" });
  for (const path of ["/seen+", "/r/seen+"]) {
    const response = await follow(path);
    const html = await response.text();
    expect([response.status, response.headers.get("x-robots-tag")]).toEqual([200, "noindex"]);
    expect(html).toContain("Look &lt;here&gt;");
    expect(html).toContain(url);
    expect(html).toContain(`${server.url}/r/seen`);
  }
  expect((await follow("/nowhere+")).status).toBe(404);
  await follow("seen");
  await settles(async () => expect(await totals(server, "link=seen")).toMatchObject({ clicks: 1, raw: 1 }));
});

test("what led nowhere is recorded with its reason", async () => {
  await link({ token: "early", starts_at: "2100-01-01T00:00:00Z" });
  await link({ token: "late", expires_at: 1_000_000_000_000 });
  await link({ token: "shelved", archived: true });
  const before = await report(server, "group_by=name");
  for (const [token, status] of [["early", 404], ["late", 410], ["shelved", 410], ["unknown-token", 404]] as const) {
    expect((await follow(token)).status, token).toBe(status);
    const page = await follow(token, { accept: "text/html,*/*" });
    expect([page.status, page.headers.get("content-type")]).toEqual([status, "text/html; charset=utf-8"]);
  }
  const failed = ({ groups }: any, name: string) => groups.find((group: any) => group.name === name)?.failed ?? 0;
  await settles(async () => {
    const after = await report(server, "group_by=name");
    for (const reason of ["not_started", "expired", "archived", "not_found"]) {
      expect(failed(after, reason), reason).toBeGreaterThan(failed(before, reason));
    }
  });
  expect(await totals(server, "link=late")).toMatchObject({ clicks: 0, failed: 1 });
});

test("a click id says what was clicked, and nobody can forge one", async () => {
  await link({ token: "ids", campaign_id: "spring", append_click_id: "click_id", url: "https://shop.example/?click_id=x&a=1" });
  const target = new URL((await location("ids?click_id=forged"))!);
  const id = target.searchParams.get("click_id")!;
  expect(target.searchParams.getAll("click_id")).toEqual([id]);
  const bytes = Buffer.from(id, "base64url");
  expect([bytes[0], bytes.includes("ids"), bytes.includes("spring")]).toEqual([1, true, true]);
  const secret = readFileSync(join(server.state, "signing_secret"), "utf8");
  const tag = createHmac("sha256", secret).update("click\0").update(bytes.subarray(0, -8)).digest().subarray(0, 8);
  expect(bytes.subarray(-8)).toEqual(tag);

  const convert = (click_id: string) => post(server, "/events/conversion", anEvent({ click_id, value: 20, currency: "EUR" }));
  expect((await convert(id)).body).toMatchObject({ status: "accepted" });
  const forged = await convert(`${id.slice(0, -1)}${id.endsWith("A") ? "B" : "A"}`);
  expect([forged.status, pointers(forged.body)]).toEqual([400, ["/click_id"]]);
  await settles(async () => expect(await totals(server, "link=ids")).toMatchObject({ clicks: 1, conversions: 1, revenue: 20 }));
});

test("a scanned code is told from a followed link", async () => {
  await link({ token: "poster" });
  expect(await location("poster?src=qr", address(1))).toBe(url);
  expect(await location("poster?src=mail", address(2))).toBe(`${url}?src=mail`);
  await settles(async () => {
    const { groups } = await report(server, "link=poster&group_by=trigger");
    expect(groups.map(({ trigger, clicks }: any) => [trigger, clicks]).sort()).toEqual([["link", 1], ["qr", 1]]);
  });
});

test("an older tracker's campaign link is followed like any other", async () => {
  await link({ token: "old", rules: [{ when: { os: ["ios"] }, url: "https://apps.apple.com/app/id1" }] });
  expect(await location("/t/click?cl=old&pid=7")).toBe(`${url}?pid=7`);
  expect(await location("/t/click?a=1&cl=old", { "user-agent": IPHONE })).toBe("https://apps.apple.com/app/id1?a=1");
  const bad = await follow("/t/click?a=1");
  expect([bad.status, pointers(await bad.json())]).toEqual([400, ["/cl"]]);
  expect((await follow("/t/click?cl=nobody")).status).toBe(404);
});

test("a redirect that its caller aims leads only to hosts on the list, or where it was signed for", async () => {
  const to = (target: string, more = "") => `/log-and-redirect?url=${encodeURIComponent(target)}${more}`;
  expect(await location(to("https://shop.example/x?utm_source=news", "&cid=aimed"))).toBe("https://shop.example/x?utm_source=news");
  expect(await location(to("https://a.brand.example/"))).toBe("https://a.brand.example/");
  for (const [target, wrong] of [
    ["https://evil.example/", "/url"],
    ["https://shop.example.evil.example/", "/url"],
    ["https://shop.example@evil.example/", "/url"],
    ["//evil.example/", "/url"],
    ["javascript:alert(1)", "/url"],
    ["http://127.0.0.1/", "/url"],
  ]) {
    const response = await follow(to(target));
    expect([response.status, response.headers.get("location"), pointers(await response.json())], target).toEqual([400, null, [wrong]]);
  }
  const secret = readFileSync(join(server.state, "signing_secret"), "utf8");
  const elsewhere = "https://elsewhere.example/?a=1";
  const sig = createHmac("sha256", secret).update(`redirect\0${elsewhere}`).digest().subarray(0, 16).toString("base64url");
  expect(await location(to(elsewhere, `&sig=${sig}`))).toBe(elsewhere);
  expect((await server.api("/api/sign", { url: elsewhere })).body).toEqual({ url: elsewhere, sig, signed_url: `${server.url}${to(elsewhere)}&sig=${sig}` });
  const forged = await follow(to("https://evil.example/", `&sig=${sig}`));
  expect([forged.status, pointers(await forged.json())]).toEqual([400, ["/sig"]]);
  const posted = await follow("/log-and-redirect", address(9), { method: "POST", body: new URLSearchParams({ url: "https://shop.example/form", cid: "aimed" }) });
  expect([posted.status, posted.headers.get("location")]).toEqual([303, "https://shop.example/form"]);
  await settles(async () => expect(await totals(server, "campaign_id=aimed")).toMatchObject({ clicks: 2 }));
});

test("a host may have links of its own", async () => {
  await link({ token: "same" });
  const own = await link({ token: "same", domain: "go.example", url: "https://shop.example/own" });
  expect(own.short_url).toBe("http://go.example/r/same");
  const { status, body } = await server.api("/api/links", { url, domain: "other.example" });
  expect([status, pointers(body)]).toEqual([400, ["/domain"]]);
  // fetch sets the host header itself; the simulator takes the URL's host from it
  const at = await hostRequest("go.example", "/r/same");
  expect(at).toContain("location: https://shop.example/own");
  expect(await location("same")).toBe(url);
  await link({ token: "everywhere" });
  expect(await hostRequest("go.example", "/r/everywhere")).toContain(`location: ${url}`);
});

async function hostRequest(host: string, path: string): Promise<string> {
  const { raw } = await import("./traffic.ts");
  return (await raw(server, `GET ${path}`, { host })).toLowerCase();
}

test("what no link may lead to is refused wherever it stands", async () => {
  const bad = "javascript:alert(1)";
  const { status, body } = await server.api("/api/links", {
    url: bad, expired_url: "http://user:pw@shop.example/", fallback_url: "http://10.0.0.1/",
    rules: [{ when: {}, url: bad, fallback_url: "ftp://x/" }],
    variants: [{ url }, { url: "https://shop.example/\r\nset-cookie:a" }], social: { image: "data:image/png,x" },
  });
  expect([status, pointers(body).sort()]).toEqual([
    400,
    ["/expired_url", "/fallback_url", "/rules/0/fallback_url", "/rules/0/url", "/social/image", "/url", "/variants/1/url"],
  ]);
  const circular = await server.api("/api/links", { url: `${server.url.replace("127.0.0.1", "go.example")}/r/x` });
  expect([circular.status, pointers(circular.body)]).toEqual([400, ["/url"]]);
});
