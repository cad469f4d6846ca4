// The dashboard's pages on what visitors did in order, and every page once there is something on it.
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { description } from "./openapi.ts";
import { settles, startServer } from "./server.ts";
import { findings, signIn } from "./signed_in.ts";
import { anEvent, chromeOf, click, from, post, totals } from "./traffic.ts";

const server = await startServer({ demo: true, queue: { batchTimeout: 1 } });
afterAll(() => server.stop());

const signedIn = (key = server.token, options = {}) => signIn(server.url, key, options);

/** Eve clicks, looks and buys; Tom clicks and leaves; both leave for good. */
async function journeys(): Promise<void> {
  await server.api("/api/publishers/anna", { name: "Anna", payout_model: "cpc", payout_micros: 100_000, currency: "EUR" }, "PUT");
  await server.api("/api/campaigns/lake", { name: "By the lake", cost_model: "cpc", cost_micros: 250_000, currency: "EUR", publisher_id: "anna" }, "PUT");
  await server.api("/api/funnels/sale", {
    name: "Sale",
    steps: [{ kind: "click", campaign_id: "lake", label: "Click" }, { kind: "page", path: "/boats*", label: "Boats" }, { kind: "conversion", event_name: "purchase", label: "Purchase" }],
  }, "PUT");
  // What is counted brings along what changed: the next is priced by it.
  await click(server, { campaign_id: "tick" });
  await settles(async () => expect((await totals(server, "campaign_id=tick&from=2020-01-01")).clicks).toBe(1));
  for (const [who, buys] of [["eve", true], ["tom", false]] as const) {
    const agent = { ...from("AT", "EU"), "user-agent": chromeOf(who), "accept-language": "de" };
    const send = (kind: string, fields = {}) => post(server, `/events/${kind}`, anEvent({ anonymous_id: `j-${who}`, session_id: `j-${who}-1`, campaign_id: "lake", ...fields }), agent);
    await send("click");
    if (buys) {
      await send("page", { page_url: "https://shop.example/boats/7" });
      await send("conversion", { name: "purchase", value: 80, currency: "EUR" });
    }
    await send("session_end");
  }
  await settles(async () => expect((await server.api("/stats/sessions?campaign_id=lake&from=2020-01-01")).body.totals.count).toBe(2), 40_000);
  await settles(async () => expect((await server.api("/stats/conversions?campaign_id=lake&from=2020-01-01")).body.totals.conversions).toBe(1), 40_000);
  await settles(async () => expect((await server.api("/stats/funnel?funnel_id=sale&from=2020-01-01")).body).toMatchObject({ entered: 2, completed: 1 }), 40_000);
}
let made: Promise<void> | undefined;
const journeyed = () => (made ??= journeys());

test("a funnel is made by hand, refused where it is wrong, and shows who goes how far", async () => {
  await journeyed();
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.getByRole("link", { name: "Funnels" }).click();
  await page.getByRole("button", { name: "New funnel" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).first().fill("To the boats");
  const second = dialog.getByRole("group", { name: "Step 2" });
  await second.getByLabel("is", { exact: true }).fill("boats");
  await dialog.getByRole("button", { name: "Create funnel" }).click();
  await dialog.getByRole("alert").getByText("/steps/1/path").waitFor();
  await second.getByLabel("is", { exact: true }).fill("/boats*");
  await dialog.getByRole("button", { name: "Move step 3 up" }).click();
  await dialog.getByRole("button", { name: "Remove step 2" }).click();
  await dialog.getByLabel("Within").fill("2");
  await dialog.getByRole("button", { name: "Create funnel" }).click();
  await page.getByRole("heading", { level: 1, name: "To the boats" }).waitFor();
  const id = new URL(page.url()).searchParams.get("funnel");
  expect((await server.api(`/api/funnels/${id}`)).body).toMatchObject({ steps: [{ kind: "click" }, { kind: "page", path: "/boats*" }], window_seconds: 172_800, exclude: null });

  await page.getByRole("button", { name: "Edit" }).click();
  await dialog.getByText("What ends an attempt").click();
  await dialog.getByRole("button", { name: "Add an exclusion" }).click();
  await dialog.getByRole("group", { name: "Exclusion 1" }).getByLabel("is", { exact: true }).fill("/help");
  await dialog.getByRole("button", { name: "Save" }).click();
  await settles(async () => expect((await server.api(`/api/funnels/${id}`)).body).toMatchObject({ exclude: [{ kind: "page", path: "/help" }], version: 2 }));

  await page.goto(`${server.url}/dashboard/funnels?funnel=sale&by=campaign_id`);
  const steps = page.getByRole("region", { name: "Steps", exact: true }).locator(".funnel > li");
  await settles(async () => expect((await steps.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "))).toEqual([
    expect.stringMatching(/^1 Click 2 100%.* 50% go on, after .* median 1 leave \(50%\)$/),
    expect.stringMatching(/^2 Boats 1 50%.* 100% go on.* 0 leave \(0%\)$/),
    expect.stringMatching(/^3 Purchase 1 50%/),
  ]));
  const row = page.getByRole("region", { name: "Steps by dimension, table" }).getByRole("row", { name: /By the lake/ });
  await row.waitFor();
  expect((await row.getByRole("cell").allInnerTexts()).map((text) => text.trim().split(/\s+/)[0])).toEqual(["2", "1", "1", "50%"]);
  await row.getByRole("button").click();
  await settles(async () => expect(new URL(page.url()).searchParams.get("campaign_id")).toBe("lake"));
  await page.getByRole("combobox", { name: "By" }).selectOption("country");
  await page.getByText("one dimension at a time").waitFor();
  page.on("dialog", (asked) => void asked.accept());
  await page.goto(`${server.url}/dashboard/funnels?funnel=${id}`);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { level: 1, name: "Funnels" }).waitFor();
  expect((await server.api(`/api/funnels/${id}`)).body.deleted_at).not.toBe(null);
  expect(profile.errors.filter((error) => !error.includes("400"))).toEqual([]);
});

test("sessions say how long, how deep and what they were worth, by anything", async () => {
  await journeyed();
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/sessions?campaign_id=lake`);
  const card = (name: string) => page.getByRole("group", { name: "Key numbers" }).getByRole("button", { name: new RegExp(`^${name}`) });
  await settles(async () => expect(await card("Sessions").locator("strong").innerText()).toBe("2"));
  expect(await card("Conversion rate").locator("strong").innerText()).toBe("50%");
  expect(await card("Revenue").locator("strong").innerText()).toBe("€80");
  await card("Bounce rate").click();
  expect(page.url()).toContain("metric=bounce_rate");
  await page.getByRole("button", { name: "Bounce rate, %" }).waitFor();
  await page.getByRole("combobox", { name: "By" }).selectOption("country");
  const row = page.getByRole("row", { name: /Austria/ });
  await row.waitFor();
  expect((await row.getByRole("cell").allInnerTexts())[0]).toBe("2");
  await page.reload();
  await row.waitFor();
  expect(profile.errors).toEqual([]);
});

test("attribution puts the five models side by side", async () => {
  await journeyed();
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/attribution`);
  const table = page.getByRole("region", { name: "Models side by side, table" });
  const row = table.getByRole("row", { name: /By the lake/ });
  await row.waitFor();
  expect((await row.getByRole("cell").allInnerTexts()).map((text) => text.trim())).toEqual(Array(5).fill("1 €80"));
  expect((await table.getByRole("columnheader").allInnerTexts()).slice(1).map((text) => text.split("\n")[0])).toEqual(["Last touch", "First touch", "Linear", "By position", "Time decay"]);
  await page.getByRole("button", { name: "Revenue" }).click();
  expect(page.url()).toContain("metric=revenue");
  await settles(async () => expect(await row.getByRole("cell").first().innerText()).toBe("€80 1"));
  await page.getByRole("combobox", { name: "By" }).selectOption("channel");
  await table.getByRole("row", { name: /Direct/ }).waitFor();
  expect(profile.errors).toEqual([]);
});

test("money is shown where it moves, and a publisher's month can be taken away", async () => {
  await journeyed();
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/?campaign_id=lake`);
  const money = page.getByRole("region", { name: "Money" });
  await settles(async () => expect((await money.locator("dd").allInnerTexts()).slice(0, 4)).toEqual(["€0.50", "€0.20", "€79.30", "11,328.6%"]));
  await page.goto(`${server.url}/dashboard/campaigns`);
  await page.getByRole("row", { name: /By the lake/ }).getByRole("cell", { name: "€79.30" }).waitFor();
  await page.goto(`${server.url}/dashboard/publishers`);
  await page.getByRole("button", { name: "Statement of Anna" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: /lake 2 0 0 €0\.20/ }).waitFor();
  expect(page.url()).toContain("statement=anna");
  const saving = page.waitForEvent("download");
  await dialog.getByRole("link", { name: "CSV" }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toMatch(/^statement-anna-\d{4}-\d\d\.csv$/);
  expect(readFileSync(await saved.path(), "utf8")).toMatch(/,lake,2,0,0,0\.200000,EUR/);
  await page.keyboard.press("Escape");
  await settles(async () => expect(page.url()).not.toContain("statement"));
  expect(profile.errors).toEqual([]);
});

const PAGES = ["", "live", "links", "link?token=demo", "campaigns", "publishers", "publishers?statement=anna", "publishers?postback=anna", "sessions", "funnels", "funnels?new=1", "funnels?funnel=sale", "attribution", "cohorts", "quality", "integrity", "dead-letters", "alerts", "webhooks", "privacy", "settings"].filter((path) => path !== "privacy" || "/api/retention" in description.paths);

test.each(["light", "dark"] as const)("every page is free of serious findings, errors and other hosts, %s", { timeout: 150_000 }, async (colorScheme) => {
  await journeyed();
  const { profile, page } = await signedIn(server.token, { colorScheme });
  await using _ = profile;
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  const found: Record<string, string[]> = {};
  for (const path of PAGES) {
    await page.goto(`${server.url}/dashboard/${path}`);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await settles(async () => expect(await page.locator(".waiting").count()).toBe(0));
    const said = await findings(page);
    if (said.length) found[path] = said;
  }
  expect(found).toEqual({});
  expect(profile.errors).toEqual([]);
  expect([...hosts]).toEqual([new URL(server.url).origin]);
});

test.each([360, 768, 3840])("no page is wider than its window of %i", async (width) => {
  await journeyed();
  const { profile, page } = await signedIn(server.token, { viewport: { width: 1280, height: 800 } });
  await using _ = profile;
  await page.setViewportSize({ width, height: 800 });
  for (const path of PAGES) {
    await page.goto(`${server.url}/dashboard/${path}`);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await settles(async () => expect(await page.locator(".waiting").count()).toBe(0));
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(width);
  }
});
