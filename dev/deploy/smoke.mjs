// Whether what was deployed answers.
import { Stop } from "./wrangler.mjs";

/** Addresses among what `wrangler deploy` says it deployed to. A route with a pattern is no address. */
export function addresses(targets) {
  const found = targets.map((target) => target.split(" ")[0]).filter((target) => !/[*,:]/.test(target.replace(/^https:\/\//, "")));
  const urls = found.map((target) => (target.startsWith("https://") ? target : `https://${target}`));
  return urls.filter((url) => URL.canParse(url) && new URL(url).hostname.includes(".")).map((url) => url.replace(/\/$/, ""));
}

/** What `wrangler deploy` notes in the file of WRANGLER_OUTPUT_FILE_PATH: one JSON object a line. */
export function deployed(lines) {
  const entries = lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const { targets = [], version_id: version } = entries.findLast(({ type }) => type === "deploy") ?? {};
  return { targets: targets ?? [], version };
}

/** A fresh name takes a while to be known everywhere. `ask` answers with status and text, or throws. */
export async function healthy(url, { ask, wait, tries = 30 }) {
  let last = "";
  for (let nth = 0; nth < tries; nth++) {
    try {
      const { status, text } = await ask(`${url}/healthz`);
      if (status === 200 && text.trim() === "ok") return;
      last = `${status} ${text.slice(0, 300)}`;
    } catch (error) {
      last = String(error.cause?.message ?? error.message);
    }
    await wait(2_000);
  }
  throw new Stop(`${url}/healthz does not answer "ok": ${last}\n\nTo go back to what ran before: make rollback`);
}
