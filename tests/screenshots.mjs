// npm run screenshots -- URL [NAME...]: the main pages, of what `make demo` makes, into docs/images/.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const root = join(import.meta.dirname, "..");
const images = join(root, "docs/images");
mkdirSync(images, { recursive: true });

/** `[file, page, options]`; live pages wait for something to happen. */
const SHOTS = [
  ["overview", "?period=30d", {}],
  ["overview-dark", "?period=last-month&metric=revenue", { dark: true }],
  ["live", "live", { live: true }],
  ["links", "links", {}],
  ["link", "link?token=checkout&period=7d", { full: true }],
  ["campaigns", "campaigns?period=90d", {}],
  ["quality", "quality?period=30d", {}],
  ["funnel", "funnels?funnel=purchase&period=30d", { full: true }],
  ["sessions", "sessions?period=30d", { full: true }],
  ["attribution", "attribution?period=30d", { full: true }],
  ["cohorts", "cohorts", { full: true }],
  ["alerts", "alerts", {}],
  ["webhooks", "webhooks", {}],
  ["phone", "?period=30d", { width: 390, height: 844 }],
];

const url = process.argv[2];
if (!url) {
  console.error("npm run screenshots -- http://127.0.0.1:8787 [NAME...]: of a server that make demo has filled");
  process.exit(1);
}
const executablePath = process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome"], { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath });
const only = process.argv.slice(3);
for (const [file, page, { dark, width = 1440, height = 1000, full, live }] of SHOTS.filter(([file]) => only.length === 0 || only.includes(file))) {
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: width < 500 ? 2 : 1, colorScheme: dark ? "dark" : "light", locale: "en-GB", timezoneId: "Europe/Berlin" });
  await context.request.post(`${url}/api/session`, { data: { key: process.env.ADMIN_TOKEN ?? "dev" } });
  const tab = await context.newPage();
  await tab.goto(`${url}/dashboard/${page}`);
  await tab.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".waiting, .ghost, .loading"), undefined, { timeout: 60_000 });
  if (live) await tab.waitForFunction(() => document.querySelectorAll(".stream li").length > 14, undefined, { timeout: 60_000 });
  await tab.waitForTimeout(800); // what fades in has faded in
  await tab.screenshot({ path: join(images, `${file}.png`), fullPage: full ?? false });
  console.log(`docs/images/${file}.png`);
  await context.close();
}
await browser.close();
