// Runs wrangler, and says what to do about what it answers.
import { spawn } from "node:child_process";

/** What wrangler's and the platform's errors mean here; the first that fits is said. */
const HELP = [
  [/CLOUDFLARE_API_TOKEN environment variable|not logged in|"loggedIn":\s*false|code: 9109|code: 10001\b/i, "You are not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN."],
  [/code: 10042|enable R2/i, "R2 is not enabled in this account: enable it in the dashboard (it asks for a card), or deploy with ARCHIVE=off, without the archive."],
  [/code: 10089|enable Analytics Engine/i, "Analytics Engine is not enabled in this account: open Workers & Pages > Analytics Engine in the dashboard once, then run this again."],
  [/code: 10063|workers\.dev subdomain/i, "This account has no workers.dev subdomain: open Workers & Pages in the dashboard once, or give deploy.ENV.toml a route of your own."],
  [/paid plan|free (plan|tier)|upgrade (to|your)|not available on (your|the)|exceeded the (number|limit)|code: 100(29|129)/i, "The account's plan does not allow this. clicktrail wants Workers Paid ($5 a month): the gates' CPU time and rows are beyond the free plan's."],
  [/code: 10000\b|Authentication error|not authorized|permission/i, "The token may not do this. It needs, for this account: Workers Scripts, D1, Workers KV Storage, Workers R2 Storage and Queues (all: Edit) and Account Settings (Read)."],
  [/code: 10071|already (exists|taken)/i, "Something of this name is there already and could not be read: see the message above, and `npx wrangler whoami` for the account."],
  [/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|fetch failed/i, "The platform could not be reached: is there a network, a proxy?"],
];

export const explain = (text) => HELP.find(([pattern]) => pattern.test(text))?.[1];

/** An error that is for the person who deploys, without a stack. */
export class Stop extends Error {}

/** What stands in wrangler's answers besides the answer: colours, and lines about itself. */
const plain = (text) => text.replaceAll(/\x1b\[[0-9;]*m/g, "");

/** JSON that may stand behind a banner and warnings, which have brackets too. */
export function json(text) {
  const lines = text.split("\n");
  for (const [nth, line] of lines.entries()) {
    if (!/^\s*[[{]/.test(line)) continue;
    try {
      return JSON.parse(lines.slice(nth).join("\n"));
    } catch {
      // not yet
    }
  }
  throw new Stop(`wrangler answered no JSON: ${text.slice(0, 300)}`);
}

/**
 * `run(args)` resolves to what wrangler printed, whatever its exit code; `must(args)` ends the deployment unless that is 0.
 * Nothing is asked: a question would wait for ever in a build.
 */
export function wrangler({ program, env, echo }) {
  const [command, ...first] = program;
  const run = (args, more = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, [...first, ...args], { env: { ...env, ...more.env }, stdio: ["ignore", "pipe", "pipe"] });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text) => ((stdout += text), more.show && echo(text)));
      child.stderr.setEncoding("utf8").on("data", (text) => ((stderr += text), more.show && echo(text)));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout: plain(stdout), all: plain(stdout + stderr), args }));
    });
  return { run, must: must(run) };
}

/** The same, ending the deployment where it fails. */
export const must = (run) => async (args, more) => checked(await run(args, more));

/** What wrangler printed, if it did what it was asked. */
export function checked({ code, stdout, all, args }) {
  if (code === 0) return stdout;
  const said = all.split("\n").filter((line) => line.trim() !== "" && !/Logs were written to|^─+$|⛅️/.test(line));
  const help = explain(all);
  throw new Stop(`wrangler ${args.join(" ")} ended with ${code}:\n${said.join("\n")}${help ? `\n\n${help}` : ""}`);
}
