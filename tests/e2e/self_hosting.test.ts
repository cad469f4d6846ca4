// The mode of docs/self-hosting.md: behind a proxy, with a key of its own, through a kill -9.
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { eventually, settles, startServer } from "./server.ts";
import { CHROME, anEvent, integrity, post, totals } from "./traffic.ts";

const server = await startServer({ public: true, config: { confirm_after_seconds: 1, place_header: "x-place" } });
afterAll(() => server.stop());

/** What the proxy of the manual adds: the address that it sees, and the URL that its visitor asked for. */
function proxied(path: string, address = "198.51.100.7"): Record<string, string> {
  return { "user-agent": CHROME, "accept-language": "de", "cf-connecting-ip": address, "mf-original-url": `https://clk.example${path}` };
}

test("the key is made once, is nobody else's to read, and no default one is taken", async () => {
  const file = join(server.state, "admin_token");
  expect(readFileSync(file, "utf8")).toBe(server.token);
  expect(server.token).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect((await server.fetch("/api/links", { headers: { authorization: "Bearer dev" } })).status).toBe(401);
  expect((await server.fetch("/r/demo")).status).toBe(404);
});

test("behind the proxy it is the proxy's host, over TLS, and nobody is placed where nothing is known", async () => {
  const headers = { ...proxied("/api/links"), authorization: `Bearer ${server.token}`, "content-type": "application/json" };
  const made = await fetch(`${server.url}/api/links`, { method: "POST", headers, body: JSON.stringify({ token: "own", url: "https://example.com/", campaign_id: "own" }) });
  expect(await made.json()).toMatchObject({ short_url: "https://clk.example/r/own" });
  expect(made.headers.get("strict-transport-security")).toContain("max-age");

  for (const place of [undefined, "country=DE&continent=EU"]) {
    const address = place ? "198.51.100.7" : "203.0.113.9";
    const response = await fetch(`${server.url}/r/own`, { redirect: "manual", headers: { ...proxied("/r/own", address), ...(place ? { "x-place": place } : {}) } });
    expect(response.status).toBe(302);
  }
  await settles(async () => {
    const { body } = await server.api("/stats/clicks?campaign_id=own&group_by=country");
    expect(body.totals).toMatchObject({ clicks: 2, uniques: 2 });
    expect(body.groups.map(({ value }: any) => value).sort()).toEqual(["", "DE"]);
  });
});

test("a kill -9 in the middle of traffic loses nothing that was acknowledged, and doubles nothing that is sent again", async () => {
  const events = Array.from({ length: 400 }, () => anEvent({ campaign_id: "killed" }));
  const unanswered = new Set(events);
  const send = async (from: typeof events) => {
    for (const event of from) {
      const answered = await post(server, "/events/click", event, proxied("/events/click")).catch(() => undefined);
      if (answered?.status === 200) unanswered.delete(event);
    }
  };
  const sending = Promise.all([0, 1, 2, 3].map((part) => send(events.filter((_, place) => place % 4 === part))));
  await eventually(() => unanswered.size < 300);
  await server.kill9();
  await sending;
  expect(unanswered.size).toBeGreaterThan(0);

  const token = server.token;
  await server.restart();
  expect(server.token).toBe(token);
  await send([...unanswered]);
  expect(unanswered.size).toBe(0);
  await settles(async () => {
    expect((await totals(server, "campaign_id=killed")).clicks).toBe(events.length);
    expect(await integrity(server)).toMatchObject({ lost: 0, in_flight: 0 });
  });
});

test("a copy of the folder, taken while nothing runs, is the service as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clicktrail-copy-"));
  await server.kill9();
  cpSync(server.state, join(folder, "state"), { recursive: true });
  const copy = await startServer({ public: true, state: join(folder, "state") });
  try {
    expect(copy.token).toBe(server.token);
    expect((await copy.fetch("/r/own")).status).toBe(302);
    await settles(async () => expect((await totals(copy, "campaign_id=killed")).clicks).toBe(400));
  } finally {
    await copy.stop();
    rmSync(folder, { recursive: true });
  }
});
