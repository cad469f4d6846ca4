// Another site, whose pages include the tag, and what a browser has of them.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page, Request } from "playwright-core";
import { afterAll, expect } from "vitest";
import type { Profile } from "./browser.ts";
import { settles, startServer } from "./server.ts";
import { totals } from "./traffic.ts";

export const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

/** Bodies and attributes of the script, by a site's first path segment, which is its campaign. */
const sites = new Map<string, { body?: string; attributes?: string; tag?: string }>();
const shop = createServer((request, response) => {
  const campaign = request.url!.split(/[/?]/)[1];
  const { body = "", attributes = "", tag = server.url } = sites.get(campaign) ?? {};
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><title>shop</title><link rel="icon" href="data:,">
    <script>window.clicktrail = window.clicktrail || function () { (clicktrail.q = clicktrail.q || []).push(arguments) }</script>
    <script async src="${tag}/tag.js" data-campaign="${campaign}" ${attributes}></script>${body.replace("CAMPAIGN", campaign)}`);
});
shop.listen(0, "127.0.0.1");
await once(shop, "listening");
afterAll(() => shop.close().closeAllConnections());
export const origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;

/** A site of its own, with pages below the URL that is returned. */
export function site(body = "", attributes = "", tag?: string): { campaign: string; url: string } {
  const campaign = `c-${randomUUID()}`;
  sites.set(campaign, { body, attributes, tag });
  return { campaign, url: `${origin}/${campaign}/` };
}

const isBatch = (request: Request) => request.method() === "POST" && new URL(request.url()).pathname === "/events";

/** Every event that the pages of a profile send from now on, in order; one that is sent again is there again. */
export function sentBy({ context }: Profile): any[] {
  const events: any[] = [];
  context.on("request", (request) => {
    if (isBatch(request)) events.push(...JSON.parse(request.postData()!));
  });
  return events;
}

export const call = (page: Page, ...said: unknown[]) => page.evaluate((said) => (window as any).clicktrail(...said), said);
export const stored = (page: Page) => page.evaluate(() => Object.keys(localStorage));
export const visitOf = (page: Page) => page.evaluate(() => JSON.parse(localStorage.clicktrail_visit));
export const ready = (page: Page) => page.waitForFunction(() => (window as any).clicktrail.on);
export const nothingWaits = (page: Page) =>
  page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("clicktrail:")));

/** The totals of a campaign, once they are these; nothing was sent twice unless that is expected. */
export async function counted(campaign: string, expected: Record<string, number>) {
  await settles(async () => {
    expect(await totals(server, `campaign_id=${campaign}`)).toMatchObject({ duplicates: 0, ...expected });
  });
}
