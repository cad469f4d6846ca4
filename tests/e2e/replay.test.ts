// A real server's access log through the public endpoints, and what was counted beside what was sent.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "./server.ts";

const root = join(import.meta.dirname, "../..");
const LOG = join(import.meta.dirname, "replay/access.log");

let server: Server;
beforeAll(async () => {
  server = await startServer({ queue: { batchTimeout: 1 } });
});
afterAll(() => server.stop());

function replay(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const all = [join(root, "dev/replay.mjs"), LOG, "--resend", "10", "--token", server.token, ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, all, (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }));
  });
}

/** The cells of the table's line that begins with `what`. */
function line(out: string, what: string): string[] {
  const found = out.split("\n").find((text) => text.startsWith(`${what}  `));
  return found?.slice(what.length).trim().split(/\s{2,}/) ?? [];
}

test("every line of a log is counted once, by kind, hour and user agent", async () => {
  const { code, out, err } = await replay("--target", server.url, "--campaign", "replayed");
  expect({ code, out, err }).toMatchObject({ code: 0 });
  expect(err).toContain("line 200: is not in Combined Log Format");
  expect(line(out, "lines")).toEqual(["300"]);
  expect(line(out, "broken")).toEqual(["1"]);
  const pages = Number(line(out, "accepted: page")[1]);
  const clicks = Number(line(out, "accepted: click")[1]);
  expect(pages + clicks).toBe(299);
  const again = await replay("--target", server.url, "--campaign", "replayed");
  expect(again).toMatchObject({ code: 2 });
  expect(again.err).toContain("campaign replayed has events already");
});

test("an event that is acknowledged and not counted is noticed", async () => {
  let kept = 0;
  const liar = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.method === "POST" && ++kept === 100) {
      response.end(JSON.stringify({ status: "accepted", event_id: JSON.parse(body.toString()).event_id }));
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !["host", "connection"].includes(name)));
    const init = { method: request.method, headers: headers as Record<string, string>, ...(body.length > 0 ? { body } : {}) };
    const answer = await fetch(server.url + request.url, init);
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = liar.address() as AddressInfo;
    const { code, out } = await replay("--target", `http://127.0.0.1:${port}`, "--resend", "0");
    expect(code, out).toBe(1);
    expect(out).toMatch(/accepted: (page|click) +\d+ +\d+ +DIFFERS/);
    expect(out).toMatch(/user agents that agree +\d+ +\d+ +DIFFERS/);
  } finally {
    liar.close();
    liar.closeAllConnections();
  }
});
