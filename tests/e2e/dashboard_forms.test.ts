// The forms for who is called and who is paid, for traps, and what is known of devices and times, in a real Chromium.
import { afterAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { Receiver } from "./receiver.ts";
import { settles, startServer } from "./server.ts";
import { findings, signIn } from "./signed_in.ts";
import { CHROME, chromeOf, totals } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 }, config: { webhook_private: true, fold_at_segments: 4, ship_interval_ms: 100 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

const signedIn = (key = server.token, options = {}) => signIn(server.url, key, options);
const opened = async (page: Page, summary: string) => {
  await page.getByRole("dialog").getByText(summary, { exact: true }).click();
  return page.getByRole("dialog");
};
const SAMSUNG = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";

test("a postback is written with macros, tried, and what died of it is sent again", { timeout: 120_000 }, async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/publishers`);
  await page.getByRole("button", { name: "Make the first" }).click();
  const dialog = await opened(page, "Postback");
  await dialog.getByLabel("Name", { exact: true }).fill("The network");
  await dialog.getByLabel("Id", { exact: true }).fill("net");
  const calls = dialog.getByLabel("Calls", { exact: true });
  await calls.fill(receiver.url("/net?cid={clickid}"));
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator(".field .error").getByText("names an unknown macro").waitFor();
  await calls.fill(receiver.url("/net?cid=&st={status}"));
  for (let back = "&st={status}".length; back > 0; back--) await calls.press("ArrowLeft");
  await dialog.getByRole("button", { name: "click_id" }).click();
  expect(await calls.inputValue(), "where the cursor was").toBe(receiver.url("/net?cid={click_id}&st={status}"));
  await settles(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("INPUT"));
  for (const box of await dialog.getByRole("checkbox").all()) await box.uncheck();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator("fieldset .error").getByText("called for nothing").waitFor();
  await dialog.getByLabel(/Sales/).check();
  await dialog.getByLabel("Method").selectOption("POST");
  expect(await findings(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Postback of The network" }).click();
  expect((await server.api("/api/publishers/net")).body).toMatchObject({
    postback_url: receiver.url("/net?cid={click_id}&st={status}"), postback_method: "POST", postback_on: ["sale"],
  });

  const section = page.getByRole("region", { name: "Postback of The network" });
  const said = "/net?cid=test-click_id&st=test";
  await section.getByRole("button", { name: "Send a test call" }).click();
  await page.getByText(/It was taken: 204/).waitFor();
  expect(receiver.at(said).map(({ method }) => method)).toEqual(["POST"]);
  receiver.answers.set(said, [{ status: 500, body: "not today" }]);
  await section.getByRole("button", { name: "Send a test call" }).click();
  await page.getByText(/It was not taken: .*/).waitFor();

  // One sale, which nobody takes at first.
  await server.api("/api/campaigns/sold", { name: "Sold", publisher_id: "net" }, "PUT");
  await server.api("/api/links", { token: "sold", url: "https://shop.example/", campaign_id: "sold", append_click_id: "click_id" });
  const to = (await server.fetch("/r/sold", { headers: { "user-agent": CHROME } })).headers.get("location") ?? "";
  const click = new URL(to).searchParams.get("click_id") ?? "";
  const sale = `/net?cid=${click}&st=sale`;
  receiver.answers.set(sale, [{ status: 500, body: "we are closed" }]);
  await server.fetch(`/postback?cid=${click}&txid=o-1&payout=9&currency=EUR&status=sale`);
  const mine = `/api/deliveries?webhook_id=${encodeURIComponent("postback/publisher/net")}`;
  await settles(async () => expect((await server.api(mine)).body.data).toMatchObject([{ state: "waiting", attempts: 1 }]), 40_000);
  await server.sql("UPDATE deliveries SET state = 'dead' WHERE state = 'waiting'");
  const dead = section.getByRole("row", { name: /conversion\.sale.*dead/ });
  await dead.getByText("we are closed").waitFor({ timeout: 15_000 });
  await dead.getByRole("button", { name: /^Show/ }).click();
  await page.getByRole("dialog").getByText('"txid": "o-1"').waitFor();
  await page.keyboard.press("Escape");
  await section.getByRole("button", { name: "Send all dead ones again" }).click();
  await settles(() => expect(receiver.at(sale)).toHaveLength(2));
  await settles(async () => expect(await findings(page)).toEqual([])); // what has just changed fades in
  await page.goto(`${server.url}/dashboard/webhooks?webhook=postback/publisher/net`);
  await page.getByRole("region", { name: "Deliveries, table" }).getByText("conversion.sale").waitFor();

  // Who may not see the log may still try.
  const { key } = (await server.api("/api/keys", { name: "makes", scopes: ["links:read", "links:write"] })).body;
  const making = await signedIn(key);
  await using _making = making.profile;
  await making.page.goto(`${server.url}/dashboard/publishers?postback=net`);
  await making.page.getByText("is shown to keys with the scope admin").waitFor();
  await making.page.getByRole("button", { name: "Send a test call" }).click();
  await making.page.getByText(/It was taken: 204/).waitFor();
  expect(profile.errors.filter((error) => !error.includes("400"))).toEqual([]);
});

test("a campaign says how long a visitor's next click is free, and whom it calls", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  await server.api("/api/campaigns/billed", { name: "Billed", cost_model: "cpc", cost_micros: 100_000, currency: "EUR" }, "PUT");
  const saved = async (window: string, url?: string) => {
    await page.goto(`${server.url}/dashboard/campaigns`);
    await page.getByRole("button", { name: "Edit Billed" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Seconds between paid clicks").fill(window);
    if (url !== undefined) {
      if (url) await opened(page, "Postback");
      await dialog.getByLabel("Calls", { exact: true }).fill(url);
    }
    if (window === "3600") await dialog.getByText("One click of a visitor’s is paid in 1 h").waitFor();
    if (window === "0") await dialog.getByText("Every click of a visitor’s is paid.").waitFor();
    await dialog.getByRole("button", { name: "Save" }).click();
    await settles(async () => expect(await dialog.count()).toBe(0));
    return (await server.api("/api/campaigns/billed")).body;
  };
  expect(await saved("3600", "https://network.example/{status}")).toMatchObject({ billing_window_seconds: 3_600, postback_url: "https://network.example/{status}", postback_method: "GET", postback_on: ["lead", "sale", "rejected", "rebill"] });
  expect(await saved("0")).toMatchObject({ billing_window_seconds: 0, postback_url: "https://network.example/{status}", cost_micros: 100_000 });
  expect(await saved("", "")).toMatchObject({ billing_window_seconds: 86_400, postback_url: null });
  await page.getByRole("button", { name: "Edit Billed" }).click();
  const field = page.getByLabel("Seconds between paid clicks");
  await field.fill("7776001");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await settles(async () => expect(await field.getAttribute("aria-invalid")).toBe("true"));
  expect(profile.errors.filter((error) => !error.includes("400"))).toEqual([]);
});

test("a trap is made and told, and who follows it is a bot with a reason in words", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/links?new=1`);
  const dialog = await opened(page, "Limits and details");
  await dialog.getByLabel("Leads to").fill("https://shop.example/");
  await dialog.getByLabel("Short name").fill("trap");
  await dialog.getByLabel(/A trap/).check();
  await dialog.getByRole("button", { name: "Create link" }).click();
  await page.getByRole("region", { name: "About this link" }).getByText("who follows it is a program").waitFor();
  expect((await server.api("/api/links/trap")).body.honeypot).toBe(true);
  await server.fetch("/r/trap", { headers: { "user-agent": chromeOf("trapped") } });
  await settles(async () => expect((await totals(server, "link=trap&from=2020-01-01")).bots).toBe(1));
  await page.goto(`${server.url}/dashboard/quality`);
  await page.getByRole("region", { name: "Why a bot" }).getByText("Followed a trap").waitFor();
  await page.goto(`${server.url}/dashboard/link?token=trap`);
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog.getByLabel(/A trap/).uncheck();
  await dialog.getByRole("button", { name: "Save" }).click();
  await settles(async () => expect((await server.api("/api/links/trap")).body.honeypot).toBe(false));
  expect(profile.errors).toEqual([]);
});

test("makers and models of devices narrow the view down, and so does how long a redirect took", async () => {
  await server.api("/api/links", { token: "held", url: "https://shop.example/" });
  await server.fetch("/r/held", { headers: { "user-agent": SAMSUNG } });
  await settles(async () => expect((await totals(server, "link=held&from=2020-01-01")).clicks).toBe(1));
  const { profile, page } = await signedIn();
  await using _ = profile;
  const devices = page.getByRole("region", { name: "Devices" });
  await devices.getByRole("button", { name: "Models" }).click();
  await devices.getByTitle("Only SM-S918B").waitFor();
  await devices.getByRole("button", { name: "Brands" }).click();
  await devices.getByTitle("Only Samsung").click();
  await page.getByRole("group", { name: "Filters" }).getByText("Brand = Samsung").waitFor();
  expect(new URL(page.url()).searchParams.get("brand")).toBe("Samsung");
  await settles(async () => expect(await page.getByRole("group", { name: "Key numbers" }).getByRole("button", { name: /Clicks/ }).locator("strong").innerText()).toBe("1"));
  await page.goto(`${server.url}/dashboard/?latency=under_20ms`);
  await page.getByRole("group", { name: "Filters" }).getByText("Redirect took = Under 20 ms").waitFor();
  await page.getByRole("region", { name: "How long redirects took" }).waitFor();
  await page.goto(`${server.url}/dashboard/link?token=held`);
  await page.getByRole("region", { name: "How long redirects took" }).waitFor();
  // What journeys are not told apart by is not offered there.
  await page.goto(`${server.url}/dashboard/sessions?by=brand`);
  const by = page.getByRole("combobox", { name: "By" });
  await by.waitFor();
  expect(await by.inputValue()).toBe("campaign_id");
  expect(profile.errors).toEqual([]);
});

test("the way to the reference of the API is on every page", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/settings`);
  await page.getByRole("main").getByRole("link", { name: "API reference" }).waitFor();
  await page.getByRole("navigation").getByRole("link", { name: "API docs" }).click();
  await page.waitForURL(`${server.url}/docs`);
  await page.getByText("/api/campaigns/{id}/postback/test").or(page.getByRole("heading", { name: /clicktrail/ })).first().waitFor();
});
