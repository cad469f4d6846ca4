// What stands in examples/, run or opened as its reader would, and the collection of clients/postman, sent whole.
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { openProfile } from "./browser.ts";
import { settles, startServer } from "./server.ts";
import { CHROME, totals } from "./traffic.ts";

const server = await startServer({ demo: true, queue: { batchTimeout: 1 }, config: { conversion_repeats: { order: "replace" } } });
afterAll(() => server.stop());

const root = join(import.meta.dirname, "../..");

/** The examples as another site's pages, with this service in the place of the one that they name. */
const site = createServer((request, response) => {
  const name = request.url!.split("?")[0].slice(1);
  response.setHeader("content-type", "text/html; charset=utf-8");
  if (!/^\w+\.html$/.test(name)) return response.writeHead(404).end();
  response.end(readFileSync(join(root, "examples", name), "utf8").replaceAll("http://127.0.0.1:8787", server.url));
});
await new Promise<void>((listening) => site.listen(0, "127.0.0.1", listening));
afterAll(() => site.close());
const page = (name: string) => `http://shop.example:${(site.address() as AddressInfo).port}/${name}`;

test("the e-mail's pixel counts an open, once, and its link a click", async () => {
  await using profile = await openProfile();
  const opened = await profile.page(page("email.html"));
  await opened.reload();
  const link = await opened.getByRole("link").getAttribute("href");
  await fetch(link!, { redirect: "manual", headers: { "user-agent": await opened.evaluate(() => navigator.userAgent), "accept-language": "en" } });
  await settles(async () => {
    expect(await totals(server, "campaign_id=newsletter-2026-05")).toMatchObject({ impressions: 1 });
    expect(await totals(server, "link=demo")).toMatchObject({ clicks: 1 });
  });
});

test("the single-page application's steps, clicks and order are counted", async () => {
  await using profile = await openProfile();
  const shop = await profile.page(page("spa.html"));
  await shop.getByRole("button", { name: "Shoes" }).click();
  await shop.getByRole("button", { name: "Buy" }).click();
  await shop.getByRole("button", { name: "Buy" }).click();
  // Twice bought, twice clicked, and one order: its number is the event's id.
  await settles(async () => expect(await totals(server, "campaign_id=spa")).toMatchObject({ clicks: 2, conversions: 1, revenue: 49.9 }));
  expect(profile.errors.filter((error) => !error.includes("favicon"))).toEqual([]);
});

const withoutPython = spawnSync("python3", ["--version"]).status !== 0;

test.skipIf(withoutPython)("the Python example sends everything twice, and it counts once", async () => {
  const env = { ...process.env, CLICKTRAIL_URL: server.url, CLICKTRAIL_KEY: server.token };
  const { stdout } = await promisify(execFile)("python3", [join(root, "examples/track.py")], { env });
  expect(JSON.parse(stdout.trim().split("\n").at(-1)!)).toMatchObject({ clicks: 1, duplicates: 1, conversions: 1 });
});

const withoutPhp = spawnSync("php", ["--version"]).status !== 0;

let orders = 0;
/** A guest comes by a click on a link of `campaign`, buys, and then this and that happens to the order. */
async function shop(campaign: string, checkout: "classic" | "block", then: string[], host = server.url) {
  const { body: made } = await server.api("/api/keys", { name: campaign, scopes: ["events:write"] });
  await server.api(`/api/links/${campaign}`, { url: "https://shop.example/", campaign_id: campaign, append_click_id: "click_id" }, "PUT");
  const clicked = await fetch(`${server.url}/r/${campaign}`, { redirect: "manual", headers: { "user-agent": CHROME, "accept-language": "en" } });
  const click = new URL(clicked.headers.get("location")!).searchParams.get("click_id")!;
  const args = [join(root, "tests/e2e/wordpress/shop.php"), join(root, "examples/wordpress/clicktrail.php"), host, made.key, click, checkout, String(++orders), ...then];
  return { order: orders, ...JSON.parse((await promisify(execFile)("php", args)).stdout) };
}

test.skipIf(withoutPhp)("the WordPress plugin puts the tag into pages and tells an order once, by either checkout, though the guest had no session", async () => {
  for (const checkout of ["classic", "block"] as const) {
    const { scripts, asked_again, sent } = await shop(`shop-${checkout}`, checkout, ["paid"]);
    expect(scripts).toBe(`<script async id="clicktrail-js" data-campaign="Blog &amp; &quot;shop&quot;" src="${server.url}/tag.js"></script>`);
    expect([sent, asked_again]).toEqual([["sale 49.9"], []]);
    await settles(async () => expect(await totals(server, `campaign_id=shop-${checkout}`)).toMatchObject({ clicks: 1, conversions: 1, revenue: 49.9 }));
  }
});

test.skipIf(withoutPhp)("it leaves to the shop's scheduler what does not arrive, and tells the order then as it is then", async () => {
  const { order, asked_again, sent } = await shop("shop-alone", "classic", ["paid", "cancelled"], "http://127.0.0.1:1");
  expect(asked_again).toContainEqual(["clicktrail_tell_again", 60, order]);
  // Each try may have arrived, whatever came back.
  expect(sent).toEqual(["sale 49.9", "sale 49.9", "rejected 49.9"]);
});

test.skipIf(withoutPhp)("it takes back what is cancelled, fails or is refunded, and says what a refund leaves; of what was never paid it says nothing", async () => {
  const cases: [string, string[], string[], object][] = [
    ["cancelled", ["paid", "cancelled"], ["sale 49.9", "rejected 49.9"], { conversions: 0, revenue: 0 }],
    ["failed", ["paid", "failed"], ["sale 49.9", "rejected 49.9"], { conversions: 0, revenue: 0 }],
    ["refunded", ["paid", "20", "29.9"], ["sale 49.9", "sale 29.9", "rejected 49.9"], { conversions: 0, revenue: 0 }],
    ["part", ["paid", "10", "0.4"], ["sale 49.9", "sale 39.9", "sale 39.5"], { conversions: 1, revenue: 39.5 }],
    ["unpaid", ["unpaid", "10", "cancelled"], [], { conversions: 0, revenue: 0 }],
  ];
  for (const [name, then, sent] of cases) expect((await shop(`shop-${name}`, "classic", then)).sent, name).toEqual(sent);
  await settles(async () => {
    for (const [name, , , counted] of cases) expect(await totals(server, `campaign_id=shop-${name}`), name).toMatchObject({ clicks: 1, ...counted });
  });
});

test("every request of the collection is one that the service has", async () => {
  const collection = JSON.parse(readFileSync(join(root, "clients/postman/clicktrail.postman_collection.json"), "utf8"));
  let sent = 0;
  for (const { name, request } of collection.item.flatMap(({ item }: any) => item)) {
    const { url, method, body, header, auth } = request;
    const path = url.path.map((part: string) => encodeURIComponent(url.variable.find(({ key }: any) => `:${key}` === part)?.value ?? part).replace("%2B", "+"));
    const query = url.query.filter(({ disabled }: any) => !disabled).map(({ key, value }: any) => [key, value]);
    const headers = header.filter(({ disabled }: any) => !disabled).map(({ key, value }: any) => [key, value]);
    if (auth === undefined) headers.push(["authorization", `Bearer ${server.token}`]);
    const form = body?.urlencoded?.map(({ key, value }: any) => [key, value]);
    const content = form ? String(new URLSearchParams(form)) : body?.raw;
    const what = `/${path.join("/")}${query.length ? `?${new URLSearchParams(query)}` : ""}`;
    // Throws where the description does not know the answer.
    const { status } = await server.fetch(what, { method, headers, body: content });
    const asked = name.includes("password"); // which a link without one refuses with 405
    expect(asked ? [415, 500] : [405, 415, 500], `${method} ${what}`).not.toContain(status);
    if (body !== undefined && name === "Create a link") expect(status, content).toBe(201);
    sent += 1;
  }
  expect(sent).toBeGreaterThan(90);
});
