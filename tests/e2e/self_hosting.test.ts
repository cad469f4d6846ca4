// The mode of docs/self-hosting.md: behind a proxy, with a key of its own, through a kill -9.
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Program, freePort, installed, startProxy } from "./proxy.ts";
import { eventually, settles, startServer } from "./server.ts";
import { signIn } from "./signed_in.ts";
import { CHROME, anEvent, integrity, post, totals } from "./traffic.ts";

const server = await startServer({ public: true, config: { confirm_after_seconds: 1, place_header: "x-place" } });
afterAll(() => server.stop());

test("who comes while it starts for the first time is turned away or answered, and never gets an error", async () => {
  const port = await freePort();
  const began = startServer({ public: true, port });
  let starting = true;
  const answers = new Map<number, number>();
  const asked = (async () => {
    while (starting) {
      const status = await fetch(`http://127.0.0.1:${port}/r/nothing`).then((response) => response.status, () => 0);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await new Promise(setImmediate);
    }
  })();
  try {
    await using _ = await began;
    await eventually(() => answers.has(404));
  } finally {
    starting = false;
    await asked;
  }
  expect([...answers.keys()].sort()).toEqual([0, 404]);
});

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

/** Every header by which Miniflare lets itself be told something, as its source has them. */
const miniflares = [...new Set(readFileSync(join(import.meta.dirname, "../../node_modules/miniflare/dist/src/workers/core/entry.worker.js"), "utf8").match(/"MF-[\w-]+"/g))]
  .map((name) => JSON.parse(name).toLowerCase())
  // The proxy of its own API, which lies under /cdn-cgi/, and what answers say.
  .filter((name) => !name.startsWith("mf-op") && !name.startsWith("mf-experimental"));

/** What a visitor who wants to be somebody else sends. */
const FORGED = { "cf-connecting-ip": "198.51.100.66", "mf-original-url": "https://bank.example/r/own", "mf-cf-blob": '{"country":"KP","continent":"AS"}', "x-place": "country=KP" };

const present: [Program, boolean][] = [
  ["nginx", installed("nginx", "-v") && installed("openssl")],
  ["caddy", installed("caddy")],
];

describe.each(present)("%s, as the manual has it (installed: %s)", (program, isThere) => {
  test.skipIf(!isThere)("passes on what it knows of the visitor, and nothing that the visitor says of it", async () => {
    let seen: IncomingHttpHeaders = {};
    let path: string | undefined;
    const service = createServer(({ headers, url }, response) => ((seen = headers), (path = url), response.end())).listen(0, "127.0.0.1");
    await eventually(() => service.listening);
    try {
      await using proxy = await startProxy(program, `http://127.0.0.1:${(service.address() as AddressInfo).port}`);
      const asked = "/1%C3%971.gif?u=https%3A%2F%2Fshop.example%2Fa%20b+c";
      expect(miniflares.length).toBeGreaterThan(7);
      const forged = Object.fromEntries(miniflares.map((name) => [name, "forged"]));
      expect((await proxy.ask(asked, { headers: { ...forged, ...FORGED } })).status).toBe(200);
      expect(path).toBe(asked);
      expect(Object.entries(seen).filter(([name, value]) => /^mf-|^cf-|^x-place$/.test(name) && value !== "").sort()).toEqual([
        ["cf-connecting-ip", "127.0.0.1"],
        ["mf-original-url", `${proxy.url}${asked}`],
      ]);
      for (const inside of ["/cdn-cgi/explorer", "//cdn-cgi/explorer", "/%63dn-cgi/explorer", "/a/../cdn-cgi/explorer", "/%2e/cdn-cgi/explorer"]) {
        path = undefined;
        expect((await proxy.ask(inside)).status, inside).toBe(404);
        expect(path).toBeUndefined();
      }
    } finally {
      service.close();
    }
  });

  test.skipIf(!isThere)("is enough for links, beacons, files and the dashboard with its live view", async () => {
    await using proxy = await startProxy(program, server.url);
    const keyed = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };
    const campaign = `by-${program}`;
    const made = await proxy.ask(`/api/links/${program}`, { method: "PUT", headers: keyed }, JSON.stringify({ url: "https://example.com/?a=b%20c", campaign_id: campaign }));
    expect(JSON.parse(made.text)).toMatchObject({ short_url: `${proxy.url}/r/${program}` });
    expect(made.headers["strict-transport-security"]).toContain("max-age");

    const { profile, page } = await signIn(proxy.url, server.token, { ignoreHTTPSErrors: true });
    await using _ = profile;
    expect(await profile.context.cookies()).toMatchObject([{ secure: true, httpOnly: true }]);
    await page.getByRole("link", { name: "Live" }).click();
    await page.locator(".connection.live").waitFor();

    const person = { "user-agent": CHROME, "accept-language": "de" };
    const clicked = await proxy.ask(`/r/${program}`, { headers: { ...person, ...FORGED } });
    expect(clicked).toMatchObject({ status: 302, headers: { location: "https://example.com/?a=b%20c" } });
    // The same visitor, whatever address is said: a double tap, or another click if it took longer than that.
    await proxy.ask(`/r/${program}`, { headers: { ...person, ...FORGED, "cf-connecting-ip": "198.51.100.67" } });
    const beacon = await proxy.ask("/events/page", { method: "POST", headers: { ...person, "content-type": "text/plain" } }, JSON.stringify(anEvent({ campaign_id: campaign })));
    expect(JSON.parse(beacon.text)).toMatchObject({ status: "accepted" });
    await page.locator(".stream li", { hasText: `/${program}` }).first().waitFor();
    await settles(async () => {
      const { body } = await server.api(`/stats/clicks?campaign_id=${campaign}&group_by=country`);
      expect(body.totals).toMatchObject({ uniques: 1, pages: 1 });
      expect(body.totals.clicks + body.totals.duplicates).toBe(2);
      expect(body.groups.map(({ value }: any) => value)).toEqual([""]);
    });

    expect(profile.errors).toEqual([]);
  });

  test.skipIf(!isThere)("says what is wrong with a large body, though it is refused before it is there", async () => {
    await using proxy = await startProxy(program, server.url);
    const keyed = { authorization: `Bearer ${server.token}`, "content-type": "text/csv" };
    const file = (bytes: number, path = "/api/import?format=csv&dry_run=true", headers = keyed) => proxy.ask(path, { method: "POST", headers }, `token,url\n${"a".repeat(bytes - 10)}`);
    expect((await file(8 << 20)).status).toBe(200);
    // Without patience every other one of these was 502.
    for (let i = 0; i < 5; i++) {
      expect((await file((8 << 20) + 1)).status).toBe(413);
      expect((await file(20 << 20)).status).toBe(413);
      expect((await file(3 << 20, "/events")).status).toBe(415);
      expect((await file(3 << 20, "/events/page", { ...keyed, "content-type": "text/plain" })).status).toBe(413);
      expect((await file(3 << 20, undefined, { ...keyed, authorization: "Bearer wrong" })).status).toBe(401);
      expect((await file(3 << 20, "/nothing")).status).toBe(404);
    }
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
