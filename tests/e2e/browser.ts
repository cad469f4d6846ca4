// A real Chromium: one for a test file, closed with it, and what the pages in it complained of.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from "playwright-core";
import { afterAll } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const APPS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** `$CHROMIUM`, or else what this machine has. */
function executable(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = [
    process.env.CHROMIUM ?? "",
    ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))),
    ...APPS,
    chromium.executablePath(), // where `npx playwright-core install chromium` puts it
  ];
  const found = places.find((place) => place !== "" && existsSync(place));
  if (found === undefined) {
    throw new Error(
      "these tests need Chromium: install it (Debian: apt-get install chromium; elsewhere: npx playwright-core install chromium) or name one in CHROMIUM",
    );
  }
  return found;
}

let launched: Promise<Browser> | undefined;
afterAll(async () => (await launched?.catch(() => undefined))?.close());

/**
 * The file's browser, started when it is first needed. It calls itself a person's: a headless browser's own user agent is
 * a bot's. Said here and not for each context, because what a page sends while it goes bypasses the context's. Names that
 * end in `.example` are this machine's, so that a page can be another site's.
 */
export async function browser(): Promise<Browser> {
  launched ??= (async () => {
    const executablePath = executable();
    const version = execFileSync(executablePath, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [major] = /\d+/.exec(version) ?? [];
    const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 Safari/537.36`;
    return chromium.launch({ executablePath, args: [`--user-agent=${agent}`, "--host-resolver-rules=MAP *.example 127.0.0.1"] });
  })();
  return launched;
}

/** A visitor's profile: cookies and storage of its own, in as many tabs as `page()` is called. */
export class Profile {
  readonly context: BrowserContext;
  /** Errors that pages wrote to the console or threw, of all tabs. */
  readonly errors: string[] = [];

  constructor(context: BrowserContext) {
    this.context = context;
    context.on("console", (message) => {
      if (message.type() === "error") this.errors.push(`${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.errors.push(String(error.error().stack ?? error.error())));
  }

  /** A new tab, at `url` if one is given. */
  async page(url?: string): Promise<Page> {
    const page = await this.context.newPage();
    if (url !== undefined) await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}

/** A fresh profile. */
export async function openProfile(options: BrowserContextOptions = {}): Promise<Profile> {
  return new Profile(await (await browser()).newContext({ locale: "en-US", ...options }));
}
