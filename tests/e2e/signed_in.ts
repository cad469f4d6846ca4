// The dashboard, signed in, and what axe says of it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContextOptions, Page } from "playwright-core";
import { type Profile, openProfile } from "./browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A profile that is signed in, by the page itself. */
export async function signIn(url: string, key: string, options: BrowserContextOptions = {}): Promise<{ profile: Profile; page: Page }> {
  const profile = await openProfile({ timezoneId: "UTC", viewport: { width: 1280, height: 900 }, ...options });
  const page = await profile.page(`${url}/dashboard/`);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation").waitFor();
  return { profile, page };
}

/** What axe calls serious or worse. Its script is no part of the page, so it is run past the page's policy. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run({ resultTypes: ["violations"] }));
  return violations
    .filter((one: any) => one.impact === "serious" || one.impact === "critical")
    .flatMap((one: any) => one.nodes.map((node: any) => `${one.id}: ${node.target.join(" ")} ${node.any?.[0]?.message ?? one.help}`));
}
