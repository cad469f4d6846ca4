// What the browser tag records of somebody who does not want it to, and what it keeps on his device.
import { expect, test } from "vitest";
import { openProfile } from "./browser.ts";
import { eventually, settles, startServer } from "./server.ts";
import { call, counted, origin, ready, sentBy, site, stored } from "./shop.ts";
import { totals } from "./traffic.ts";

test("whoever opts out is left alone, until they opt in", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const page = await profile.page(url);
  await ready(page);
  await counted(campaign, { pages: 1 });
  const events = sentBy(profile);
  await call(page, "optout");
  await call(page, "event");
  await page.reload();
  await ready(page);
  await call(page, "event");
  expect(await stored(page)).toEqual(["clicktrail_off"]);
  await call(page, "optout", false);
  await page.reload();
  await counted(campaign, { pages: 2, clicks: 0 });
  expect(events.length).toBe(1);
});

test("without consent there are no ids and nothing is stored; with it they are, until it is withdrawn", async () => {
  const { campaign, url } = site("", 'data-consent="denied"');
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(`${url}?click_id=abc`);
  await ready(page);
  await call(page, "identify", "u-1");
  await call(page, "event", { kind: "conversion" });
  await counted(campaign, { pages: 1, conversions: 1 });
  const ids = ["session_id", "anonymous_id", "user_id", "click_id"];
  for (const event of events) expect(Object.keys(event).filter((name) => ids.includes(name))).toEqual([]);
  expect(new Set(events.map((event) => event.consent))).toEqual(new Set(["denied"]));
  expect(await stored(page)).toEqual([]);
  expect(await profile.context.cookies()).toEqual([]);

  await call(page, "consent", "granted");
  await page.goto(`${url}second`);
  await ready(page);
  await counted(campaign, { pages: 2 });
  expect(events.at(-1)).toMatchObject({ session_id: expect.any(String), anonymous_id: expect.any(String), consent: "1" });

  await profile.context.setOffline(true);
  await call(page, "event"); // with ids, and waiting
  await call(page, "consent", "withdrawn");
  expect(await stored(page)).toEqual([]);
  await profile.context.setOffline(false);
  await counted(campaign, { pages: 2, clicks: 1 });
  await page.goto(`${url}third`);
  await counted(campaign, { pages: 3 });
  for (const event of events.slice(-2)) expect(Object.keys(event).filter((name) => ids.includes(name))).toEqual([]);
  expect(await stored(page)).toEqual([]);
});

test("the visitor's word goes with each event, and may be true or false", async () => {
  await using other = await startServer({ queue: { batchTimeout: 0 }, config: { consent: "required" } });
  const { campaign, url } = site("", "", other.url);
  await using profile = await openProfile();
  const events = sentBy(profile);
  const page = await profile.page(url);
  for (const [word, clicks, uniques] of [[undefined, 1, 0], [true, 2, 1], [false, 3, 1]] as const) {
    if (word !== undefined) await call(page, "consent", word);
    await call(page, "event", { element_id: String(word) });
    await settles(async () => expect(await totals(other, `campaign_id=${campaign}`)).toMatchObject({ clicks, uniques }));
  }
  const said = (element_id: string) => events.find((event) => event.element_id === element_id).consent;
  expect(["undefined", "true", "false"].map(said)).toEqual([undefined, 1, "denied"]);
  expect(profile.errors).toEqual([]);
});

test("whoever has opted out by the service's cookie is left alone on pages of its host", async () => {
  const { campaign, url } = site();
  await using profile = await openProfile();
  const events = sentBy(profile);
  await profile.context.addCookies([{ name: "clicktrail_off", value: "1", url: origin }]);
  const page = await profile.page(url);
  await ready(page);
  await call(page, "event");
  await profile.context.clearCookies();
  await call(page, "event");
  await counted(campaign, { clicks: 1, pages: 0 });
  expect(events.length).toBe(1);
});

test("a wish not to be tracked means what the service's setting says", async () => {
  for (const [policy, expected] of [["ignore", 1], ["anonymous", 0], ["drop", undefined]] as const) {
    await using other = policy === "anonymous" ? undefined : await startServer({ config: { do_not_track: policy } });
    const { url } = site("", "", other?.url);
    await using profile = await openProfile();
    await profile.context.addInitScript(() => {
      Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: true });
    });
    const events = sentBy(profile);
    const page = await profile.page(url);
    await ready(page);
    if (expected !== undefined) await eventually(() => events.length === 1);
    await page.goto(`${url}second`);
    await ready(page);
    if (expected === undefined) await call(page, "event");
    else await eventually(() => events.length === 2);
    expect(events.map((event) => ("session_id" in event ? 1 : 0)), policy).toEqual(expected === undefined ? [] : [expected, expected]);
    expect((await stored(page)).includes("clicktrail_visit"), policy).toBe(policy === "ignore");
  }
});
