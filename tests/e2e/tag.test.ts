// The browser tag in a real Chromium, on the pages of another site, down to the counts of the reports.
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openProfile } from "./browser.ts";
import { eventually, settles } from "./server.ts";
import { call, counted, nothingWaits, origin, ready, sentBy, server, site, stored, visitOf } from "./shop.ts";
import { report, totals } from "./traffic.ts";

test("the script is small, and is kept until it changes", async () => {
  const response = await server.fetch("/tag.js");
  const text = await response.text();
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(2048);
  expect(text).not.toContain("SIGNALS");
  const etag = response.headers.get("etag")!;
  const again = await server.fetch("/tag.js", { headers: { "if-none-match": `"other", W/${etag}` } });
  expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
  expect((await server.fetch("/tag.js", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  expect((await server.fetch("/tag.js", { method: "HEAD" })).headers.get("etag")).toBe(etag);
  expect((await server.fetch("/tag.js", { method: "POST" })).status).toBe(405);
});

test("views and clicks on the pages of another site are counted, and its server is not asked first", async () => {
  const { campaign, url } = site(`
    <button data-track="buy"><b id="inner">Buy</b></button>
    <button id="other">No</button>
    <a href="next" id="internal">next</a>
    <a href="mailto:a@shop.example" id="mail">write</a>
    <a href="https://partner.example/offer?x=1" id="partner">partner</a>
    <a href="https://partner.example/" data-track="banner" id="tracked">partner</a>
    <a href="${server.url}/r/demo" id="short">counted by itself</a>
    <script>addEventListener("click", (event) => event.preventDefault())</script>`);
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page();
  const network = await profile.context.newCDPSession(page);
  const types: string[] = [];
  network.on("Network.requestWillBeSent", ({ type }) => types.push(type!));
  await network.send("Network.enable");
  await page.goto(url, { referer: "https://news.example/story" });
  await ready(page);
  for (const id of ["inner", "other", "internal", "mail", "partner", "tracked", "short"]) await page.click(`#${id}`);
  await page.click("#tracked", { button: "middle" });
  await page.click("#tracked", { button: "right" });

  await counted(campaign, { pages: 1, clicks: 4 });
  const { groups } = await report(server, `campaign_id=${campaign}&group_by=element_id`);
  expect(groups.map(({ element_id, key, clicks }: any) => [element_id ?? key, clicks])).toEqual(
    expect.arrayContaining([["buy", 1], ["partner", 1], ["banner", 2]]),
  );
  const outbound = events.find(({ element_id }) => element_id === "partner");
  expect(outbound).toMatchObject({ name: "outbound", props: { href: "https://partner.example/offer?x=1" }, page_url: url });
  // Requests that are under way together are seen in any order.
  const page_view = events.find(({ kind }) => kind === "page");
  expect(page_view).toMatchObject({ page_url: url, referrer: "https://news.example/story" });
  for (const event of events) {
    expect(event.event_id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(event.sent_at).toBeGreaterThanOrEqual(event.event_time);
  }
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(5);
  expect(types).toContain("Fetch");
  expect(types).not.toContain("Preflight");
  expect(profile.errors).toEqual([]);
});

test("what happened just before the page went is counted", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const page = await profile.page(url);
  await ready(page);
  await nothingWaits(page);
  await page.evaluate(() => {
    const { clicktrail } = window as any;
    clicktrail("event", { element_id: "leave" });
    clicktrail("event", { kind: "conversion", value: 12.5, currency: "EUR" });
    location.href = "about:blank";
  });
  await page.waitForURL("about:blank");
  await counted(campaign, { pages: 1, clicks: 1, conversions: 1, revenue: 12.5 });

  const other = await profile.page(`${url}closed`);
  await ready(other);
  await nothingWaits(other);
  await other.evaluate(() => (window as any).clicktrail("event", { element_id: "close" }));
  await other.close({ runBeforeUnload: true });
  await counted(campaign, { pages: 2, clicks: 2, conversions: 1 });
  expect(profile.errors).toEqual([]);
});

test("what was under way when its page went is asked for by the next page, though nothing else happens there", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(url);
  await ready(page);
  await nothingWaits(page);
  // As a page leaves it whose request has not been answered yet.
  await page.evaluate(() => {
    const event = { event_id: crypto.randomUUID(), event_time: Date.now(), kind: "click", element_id: "late", page_url: location.href };
    localStorage[`clicktrail:${event.event_id}`] = JSON.stringify({ ...event, campaign_id: location.pathname.split("/")[1], sent_at: Date.now() });
  });
  await page.clock.install();
  await page.goto(`${url}next`);
  await ready(page);
  await page.clock.runFor(10_000);
  await counted(campaign, { pages: 2, clicks: 0 });
  await page.clock.runFor(15_000);
  await counted(campaign, { pages: 2, clicks: 1 });
  expect(events.map(({ kind }) => kind)).toEqual(["page", "page", "click"]);
  await page.clock.resume();
  await nothingWaits(page);
  expect(profile.errors).toEqual([]);
});

test("what happens offline is sent when the device is back, and says when it was", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(url);
  await ready(page);
  await nothingWaits(page);
  await profile.context.setOffline(true);
  for (const element_id of ["a", "b", "c"]) await call(page, "event", { element_id });
  expect((await stored(page)).filter((key) => key.startsWith("clicktrail:")).length).toBe(3);
  expect(events.length).toBe(1);
  await profile.context.setOffline(false);
  await counted(campaign, { pages: 1, clicks: 3 });
  await nothingWaits(page);

  // Gone offline, and back another time.
  await profile.context.setOffline(true);
  await call(page, "event", { element_id: "d" });
  const later = await profile.page();
  await Promise.all([page.waitForEvent("close"), page.close({ runBeforeUnload: true })]);
  await profile.context.setOffline(false);
  await later.goto(`${url}later`);
  await counted(campaign, { pages: 2, clicks: 4 });
  const ids = events.map(({ event_id }) => event_id);
  expect([ids.length, new Set(ids).size]).toEqual([6, 6]);
  expect(profile.errors).toEqual([]);
});

test("two tabs are one session, and send what waits once", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  // One after the other: what one tab writes to its storage, another process sees a moment later.
  const tabs: Page[] = [];
  for (const path of ["", "second"]) {
    tabs.push(await profile.page(url + path));
    await ready(tabs.at(-1)!);
  }
  await counted(campaign, { pages: 2 });
  // Counted, and known to be: a request whose answer is cut off is sent again.
  await nothingWaits(tabs[0]);
  await profile.context.setOffline(true);
  await Promise.all(tabs.flatMap((tab) => Array.from({ length: 10 }, () => call(tab, "event", {}))));
  await profile.context.setOffline(false);
  await counted(campaign, { pages: 2, clicks: 20 });
  expect(events.length).toBe(22);
  for (const name of ["event_id", "session_id", "anonymous_id"]) {
    expect(new Set(events.map((event) => event[name])).size, name).toBe(name === "event_id" ? 22 : 1);
  }
  expect(profile.errors).toEqual([]);
});

test("half an hour without a sign is the end of a session", async () => {
  const { url } = site();
  await using profile = await openProfile();
  const page = await profile.page(url);
  await ready(page);
  const first = await visitOf(page);
  await page.evaluate(() => {
    const visit = JSON.parse(localStorage.clicktrail_visit);
    localStorage.clicktrail_visit = JSON.stringify({ ...visit, at: visit.at - 29 * 60_000 });
  });
  await call(page, "event");
  const still = await visitOf(page);
  expect(still.session_id).toBe(first.session_id);
  await page.evaluate(() => {
    const visit = JSON.parse(localStorage.clicktrail_visit);
    localStorage.clicktrail_visit = JSON.stringify({ ...visit, at: visit.at - 31 * 60_000 });
  });
  await call(page, "event");
  const next = await visitOf(page);
  expect(next.session_id).not.toBe(first.session_id);
  expect(next.anonymous_id).toBe(first.anonymous_id);
});

test("what is more than beacons may carry waits for the next page", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const page = await profile.page();
  await page.addInitScript(() => {
    const { sendBeacon } = Navigator.prototype;
    Navigator.prototype.sendBeacon = function (...said) {
      const taken = sendBeacon.apply(this, said);
      sessionStorage.beacons = `${sessionStorage.beacons ?? ""}${taken} `;
      return taken;
    };
  });
  await page.goto(url);
  await ready(page);
  await nothingWaits(page);
  await page.evaluate(() => {
    const props = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`p${n}`, "x".repeat(500)]));
    for (let n = 0; n < 50; n++) (window as any).clicktrail("event", { props });
    location.pathname += "next";
  });
  await page.waitForURL(`${url}next`);
  await counted(campaign, { pages: 2, clicks: 50 });
  const beacons = await page.evaluate(() => sessionStorage.beacons.trim().split(" "));
  expect(beacons).toContain("true");
  expect(beacons).toContain("false");
  await nothingWaits(page);
});

test("each step of a single-page application is one view", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(url);
  await ready(page);
  await page.evaluate(() => {
    history.pushState({}, "", "shoes");
    history.pushState({ modal: true }, "", "shoes"); // opens something, leads nowhere
    history.replaceState({}, "", "shoes?sort=price");
    history.pushState({}, "", "shoes/42");
    location.hash = "reviews";
  });
  await page.goBack(); // from the hash
  await page.goBack(); // to shoes?sort=price
  await counted(campaign, { pages: 4 });
  expect(new Map(events.map(({ page_url, referrer }) => [page_url, referrer]))).toEqual(
    new Map([
      [url, ""],
      [`${url}shoes`, url],
      [`${url}shoes/42`, `${url}shoes`],
      [`${url}shoes?sort=price`, `${url}shoes/42`],
    ]),
  );
  expect(profile.errors).toEqual([]);
});

test("a page can be told to count by hand, and to tell pages apart behind the hash", async () => {
  const { campaign, url } = site('<button data-track="x" id="x">x</button>', 'data-auto="false" data-hash');
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(`${url}#/a`);
  await ready(page);
  await page.click("#x");
  await call(page, "page", { name: "A" });
  await counted(campaign, { pages: 1, clicks: 0 });
  expect(events.map(({ kind, name, page_url }) => [kind, name, page_url])).toEqual([["page", "A", `${url}#/a`]]);
});

test("what is said before the script is there, or while it is there twice, is heard once", async () => {
  const { campaign, url } = site(`
    <script>clicktrail("identify", "u-7"); clicktrail("event", { kind: "conversion", name: "signup", event_id: "order-1" })</script>
    <script async src="${server.url}/tag.js?again" data-campaign="CAMPAIGN"></script>`);
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(url);
  await page.waitForLoadState();
  await counted(campaign, { pages: 1, conversions: 1 });
  expect(events.sort((a, b) => (a.kind < b.kind ? -1 : 1))).toEqual([
    expect.objectContaining({ kind: "conversion", name: "signup", event_id: "order-1", user_id: "u-7" }),
    expect.objectContaining({ kind: "page", user_id: "u-7" }),
  ]);
  await call(page, "identify", null);
  await call(page, "event");
  await counted(campaign, { clicks: 1 });
  expect(events[2].user_id ?? null).toBeNull();
});

test("a service that is busy is asked again when it says, and a lost answer counts nothing twice", async () => {
  const { campaign, url } = site("", 'data-auto="false"');
  await using profile = await openProfile();
  const attempts: { at: number; ids: string[] }[] = [];
  await profile.context.route("**/events", async (route) => {
    attempts.push({ at: performance.now(), ids: JSON.parse(route.request().postData()!).map((event: any) => event.event_id) });
    const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after", "retry-after": "4" };
    if (attempts.length === 1) return route.fulfill({ status: 429, headers });
    if (attempts.length === 2) {
      await route.fetch();
      return route.abort(); // it has arrived, and nobody says so
    }
    return route.continue();
  });
  const page = await profile.page(url);
  await ready(page);
  await call(page, "event");
  await counted(campaign, { clicks: 1, duplicates: 1 });
  await nothingWaits(page);
  expect(attempts.map(({ ids }) => ids)).toEqual(Array(3).fill(attempts[0].ids));
  expect(attempts[1].at - attempts[0].at).toBeGreaterThan(3_900); // two seconds if nobody had said anything
});

test("what brought the visitor is remembered for the conversion, and not counted as another click", async () => {
  // Links lead to no private address; and a page without TLS has neither locks nor UUIDs.
  await using profile = await openProfile();
  const { campaign, url: privately } = site('<button data-track="look" id="look">look</button>', 'data-click-id="ct"');
  const url = privately.replace("127.0.0.1", "shop.example");
  const created = await server.api("/api/links", { url: `${url}?utm_source=letter&utm_campaign=may`, campaign_id: `paid-${campaign}`, append_click_id: "ct" });
  expect(created.status).toBe(201);
  const events = sentBy(profile);
  const page = await profile.page(`${server.url}/r/${created.body.token}`);
  await eventually(() => events.length === 1);
  await page.goto(`${url}cart?size=42`);
  await ready(page);
  await page.click("#look");
  await call(page, "event", { kind: "conversion", campaign_id: undefined, value: 5, currency: "EUR" });
  await settles(() => expect(events.length).toBe(4));
  const [look, conversion] = ["click", "conversion"].map((kind) => events.find((event) => event.kind === kind));
  expect(look.click_id).toBeUndefined();
  expect(conversion).toMatchObject({ click_id: expect.any(String) });
  expect(conversion.page_url).toBe(`${url}cart?size=42&utm_source=letter&utm_campaign=may`);
  await settles(async () => {
    expect(await totals(server, `link=${created.body.token}`)).toMatchObject({ clicks: 1, pages: 2, conversions: 1 });
  });
});

test("another service's click id costs no event", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(`${url}?click_id=somebody-elses`);
  await counted(campaign, { pages: 1 });
  expect(events.map(({ click_id }) => click_id)).toEqual(["somebody-elses", undefined]);
  await call(page, "event", { kind: "conversion" });
  await counted(campaign, { conversions: 1 });
  expect(events.length).toBe(3);
});
