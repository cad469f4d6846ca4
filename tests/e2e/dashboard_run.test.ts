// The pages of whoever runs it, in a real Chromium: webhooks, alerts, cohorts, and an address that is none.
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { description } from "./openapi.ts";
import { Receiver } from "./receiver.ts";
import { settles, startServer } from "./server.ts";
import { findings, signIn } from "./signed_in.ts";
import { CHROME, anEvent, click, post, totals } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 }, config: { webhook_private: true, fold_at_segments: 1 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

const signedIn = (key = server.token, options = {}) => signIn(server.url, key, options);
const DAY = 86_400_000;

test("a webhook is made, its secret shown once, tested, and what died is sent again", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  page.on("dialog", (asked) => void asked.accept());
  await page.getByRole("link", { name: "Webhooks" }).click();
  await page.getByRole("button", { name: "Make the first" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("CRM");
  await dialog.getByLabel("Address").fill("ftp://hooks.example/");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator(".error").first().waitFor();
  await dialog.getByLabel("Address").fill(receiver.url("/crm"));
  await dialog.getByLabel(/A link is made/).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Copy the secret now" }).waitFor();
  expect(await page.locator(".secret code").innerText()).toMatch(/^whsec_/);
  await page.getByRole("button", { name: "Done" }).click();
  expect(await page.locator("body").innerText()).not.toContain("whsec_");

  await page.getByRole("button", { name: "Test CRM" }).click();
  await page.getByText(/CRM took it: 204/).waitFor();
  receiver.answers.set("/crm", [{ status: 500, body: "not today" }]);
  await page.getByRole("button", { name: "Test CRM" }).click();
  await page.getByText(/CRM did not take it/).waitFor();

  // One that is delivered, and one that dies.
  await server.api("/api/links", { token: "told", url: "https://shop.example/" });
  await settles(() => expect(receiver.at("/crm").filter(({ body }) => body.includes('"told"'))).toHaveLength(1));
  receiver.answers.set("/crm", [{ status: 500, body: "not today" }]);
  await server.api("/api/links", { token: "untold", url: "https://shop.example/" });
  await settles(async () => expect((await server.api("/api/deliveries?state=waiting")).body.data[0]?.attempts).toBe(1));
  await server.sql("UPDATE deliveries SET state = 'dead' WHERE state = 'waiting'");
  const log = page.getByRole("region", { name: "Deliveries, table" });
  await log.getByText("dead").waitFor({ timeout: 15_000 });
  const dead = log.getByRole("row", { name: /dead/ });
  expect(await dead.innerText()).toContain("not today");
  await dead.getByRole("button", { name: /^Show/ }).click();
  await dialog.getByText('"token": "untold"').waitFor();
  await page.keyboard.press("Escape");
  await dead.getByRole("button", { name: /again$/ }).click();
  await settles(() => expect(receiver.at("/crm").filter(({ body }) => body.includes('"untold"'))).toHaveLength(2));

  await page.getByRole("button", { name: "Edit CRM" }).click();
  await dialog.getByLabel("Name").fill("The CRM");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Pause The CRM" }).click();
  await page.getByRole("row", { name: /The CRM.*paused/ }).waitFor();
  await page.getByRole("button", { name: "The CRM", exact: true }).click();
  expect(new URL(page.url()).searchParams.get("webhook")).toBeTruthy();
  await page.getByRole("button", { name: "New secret for The CRM" }).click();
  await page.getByRole("heading", { name: "Copy the secret now" }).waitFor();
  await page.keyboard.press("Escape");
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "Delete The CRM" }).click();
  await page.getByText("Nobody is told what happens here.").waitFor();
  expect(profile.errors.filter((error) => !error.includes("400"))).toEqual([]);
});

test("an alert is made, goes on, is muted, and stands in the history", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  page.on("dialog", (asked) => void asked.accept());
  await page.goto(`${server.url}/dashboard/alerts`);
  await page.getByRole("button", { name: "Make the first" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Busy");
  await dialog.getByLabel("Fires when").selectOption("above");
  await dialog.getByLabel("Threshold").fill("2");
  await dialog.getByLabel("Of the last minutes").fill("90");
  await dialog.getByLabel("Campaign").fill("busy");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator(".field .error").waitFor();
  await dialog.getByLabel("Of the last minutes").fill("30");
  await dialog.getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("region", { name: "Rules, table" }).getByRole("row", { name: /^Busy/ });
  await row.getByText("Clicks above 2 within 30 min, campaign busy").waitFor();
  await page.getByRole("heading", { name: "No alarm is on" }).waitFor();

  for (let n = 0; n < 4; n++) await click(server, { campaign_id: "busy", anonymous_id: `busy${n}`, event_time: Date.now() - 180_000 });
  await settles(async () => expect((await totals(server, "campaign_id=busy&from=2020-01-01")).clicks).toBe(4));
  await server.scheduled();
  await settles(async () => expect((await server.api("/api/alert-states")).body.data[0].state).toBe("firing"));
  await page.reload();
  await page.getByRole("heading", { name: "One alarm is on" }).waitFor();
  const history = page.getByRole("region", { name: "History, table" });
  await history.getByRole("row", { name: /Busy went on 4/ }).waitFor();
  await row.getByLabel("Mute Busy").selectOption("24");
  await row.getByText("muted").waitFor();
  const [rule] = (await server.api("/api/alerts")).body.data;
  expect(Math.abs(Date.parse(rule.muted_until) - Date.now() - DAY)).toBeLessThan(60_000);
  await row.getByRole("button", { name: "Unmute Busy" }).click();
  await row.getByRole("button", { name: "Pause Busy" }).click();
  await row.getByText("paused").waitFor();
  await row.getByRole("button", { name: "Edit Busy" }).click();
  await dialog.getByLabel("Threshold").fill("3");
  await dialog.getByRole("button", { name: "Save" }).click();
  await row.getByText("Clicks above 3 within").waitFor();
  expect(await findings(page)).toEqual([]);

  // Who may only look sees where it stands, and no button.
  const { key } = (await server.api("/api/keys", { name: "looks", scopes: ["stats:read"] })).body;
  const looking = await signedIn(key);
  await using _looking = looking.profile;
  await looking.page.goto(`${server.url}/dashboard/alerts`);
  await looking.page.getByRole("row", { name: /^Busy/ }).first().waitFor();
  expect(await looking.page.getByRole("button", { name: /Busy|New alert/ }).count()).toBe(0);
  await row.getByRole("button", { name: "Delete Busy" }).click();
  await page.getByText("Nothing is watched.").waitFor();
  expect(profile.errors.filter((error) => !error.includes("400"))).toEqual([]);
});

test("cohorts say who came back and who bought, of those who are known tomorrow", async () => {
  const monday = Math.floor((Date.now() - 4 * DAY) / (7 * DAY)) * 7 * DAY + 4 * DAY;
  const tell = (who: Record<string, string>, kind: string, days: number, fields = {}) =>
    post(server, `/events/${kind}`, anEvent({ ...who, event_time: monday - 14 * DAY + days * DAY + 3_600_000, ...fields }));
  const [ann, bob] = [{ anonymous_id: "c-ann" }, { user_id: "c-bob" }];
  await tell(ann, "click", 0, { campaign_id: "wave" });
  await tell(bob, "click", 1, { campaign_id: "wave" });
  await tell({ session_id: "c-fleeting" }, "click", 1, { campaign_id: "wave" });
  await tell(ann, "page", 2);
  await tell(ann, "page", 8);
  await tell(ann, "page", 9);
  await tell(ann, "conversion", 9, { value: 40, currency: "EUR" });
  await tell({ anonymous_id: "c-eve" }, "click", 8, { campaign_id: "tide" });
  const ask = async (query = "") => (await server.api(`/stats/cohorts?interval=week${query}`)).body;
  const first = (answer: any) => answer.cohorts.at(-3);
  await settles(async () => {
    const answer = await ask();
    expect([first(answer).visitors, answer.cohorts.at(-2).visitors]).toEqual([2, 1]);
    expect(first(answer).weeks.slice(0, 2)).toMatchObject([
      { week: 0, visitors: 2, rate: 1, converted: 0 },
      { week: 1, visitors: 1, rate: 0.5, converted: 1, conversion_rate: 0.5, revenue: 40, currency: "EUR", complete: true },
    ]);
  }, 40_000);
  expect(await ask()).toMatchObject({ reach_days: 30, tz: "UTC" });
  expect(first(await ask("&campaign_id=wave")).visitors).toBe(2);
  expect(first(await ask("&campaign_id=tide")).visitors).toBe(0);
  expect((await server.api("/stats/cohorts?interval=day")).body.errors[0].pointer).toBe("/interval");
  expect((await server.api("/stats/cohorts", undefined, "POST")).status).toBeGreaterThanOrEqual(400);

  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.getByRole("link", { name: "Cohorts" }).click();
  const table = page.getByRole("region", { name: "Cohorts, table" });
  const cells = () => table.getByRole("row").nth(1).getByRole("cell").allInnerTexts();
  await settles(async () => expect((await cells()).slice(0, 3)).toEqual(["2", "100%", "50%"]));
  await page.getByRole("button", { name: "Revenue each" }).click();
  await settles(async () => expect((await cells()).slice(0, 3)).toEqual(["2", "€0.00", "€20.00"]));
  expect(page.url()).toContain("metric=revenue");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "CSV" }).click();
  expect(readFileSync(await (await saving).path(), "utf8")).toContain(`${new Date(monday - 14 * DAY).toISOString().slice(0, 10)},2,1,true,1,1,1,40,EUR`);
  expect(await findings(page)).toEqual([]);
  expect(profile.errors).toEqual([]);
});

test.runIf("/api/privacy" in description.paths && "/api/retention" in description.paths)("a person is told what is known, and is erased with a receipt", async () => {
  await click(server, { user_id: "p-ada", anonymous_id: "p-device", campaign_id: "known" });
  await settles(async () => expect((await totals(server, "campaign_id=known&from=2020-01-01")).clicks).toBe(1));
  const { profile, page } = await signedIn();
  await using _ = profile;
  page.on("dialog", (asked) => void asked.accept());
  await page.getByRole("link", { name: "Privacy" }).click();
  await page.getByRole("region", { name: "Policies in force" }).getByText("without their end (/24, /48)").waitFor();
  await page.getByRole("region", { name: "How long data is kept, table" }).getByRole("row", { name: /^Journeys/ }).waitFor();
  const person = page.getByRole("region", { name: "A person’s data" });
  await person.getByText("Nobody has been erased.").waitFor();
  await person.getByLabel("Id").fill("p-ada");
  const saving = page.waitForEvent("download");
  await person.getByRole("button", { name: "What is known" }).click();
  const known = JSON.parse(readFileSync(await (await saving).path(), "utf8"));
  expect(known.journeys.flatMap((journey: any) => journey.events).length).toBeGreaterThan(0);
  await person.getByRole("button", { name: "Erase" }).click();
  const receipts = person.getByRole("region", { name: "Receipts, table" });
  await receipts.getByRole("row", { name: /user_id/ }).waitFor();
  const [receipt] = (await server.api("/api/privacy/erasures")).body.data;
  expect(await receipts.innerText()).toContain(receipt.id);
  expect(await receipts.innerText()).not.toContain("p-ada");
  expect(await findings(page)).toEqual([]);
  expect(profile.errors).toEqual([]);
});

test("how long redirects took stands on the page of quality", async () => {
  await server.api("/api/links", { token: "timed", url: "https://shop.example/" });
  await server.fetch("/r/timed", { headers: { "user-agent": CHROME } });
  await server.fetch("/r/nothing-here", { headers: { "user-agent": CHROME } });
  await settles(async () => expect((await server.api("/stats/quality")).body.failed).toBe(1));
  const { profile, page } = await signedIn();
  await using _ = profile;
  await page.goto(`${server.url}/dashboard/quality`);
  await page.getByRole("region", { name: "How long redirects took" }).getByText("Of 2 redirects half were answered within").waitFor();
  await page.getByRole("region", { name: "Why it led nowhere" }).getByText("Unknown link").waitFor();
  expect(profile.errors).toEqual([]);
});

test("an address that is none says so, and where to go", async () => {
  const { profile, page } = await signedIn();
  await using _ = profile;
  for (const path of ["linkz", "links/told/more?x=1"]) {
    const answer = await page.goto(`${server.url}/dashboard/${path}`);
    expect([answer?.status(), answer?.headers()["content-type"]], path).toEqual([404, "text/html; charset=utf-8"]);
    await page.getByRole("heading", { level: 1, name: "There is no such page" }).waitFor();
  }
  expect(await findings(page)).toEqual([]);
  await page.getByRole("region", { name: "Not found" }).getByRole("link", { name: "Quality" }).click();
  await page.getByRole("heading", { level: 1, name: "Quality" }).waitFor();
  expect(profile.errors.filter((error) => !error.includes("404"))).toEqual([]);
});
