// Rate limits: what is refused, what never is, and who is exempt.
import { afterAll, expect, test } from "vitest";
import { eventually, type Server, settles, startServer } from "./server.ts";
import { anEvent, CHROME, chromeOf, click, post, totals } from "./traffic.ts";

// Windows begin with the minute; a test that meets the beginning of one is counted from it again.
const limits = {
  LIMIT_VISITOR: 5,
  LIMIT_NETWORK: 12,
  LIMIT_BATCHES: 4,
  LIMIT_GUESSES: 6,
  LIMIT_PASSWORDS: 3,
  LIMIT_REFUSALS: 4,
  LIMIT_KEY: 6,
};
const config = { unknown_fresh_seconds: 0, passwords_per_hour: 4 };
const server = await startServer({ limits, config, demo: true, queue: { batchTimeout: 0 } });
const free = await startServer();
afterAll(() => Promise.all([server.stop(), free.stop()]));

const at = (address: string) => ({ "cf-connecting-ip": address });

/** Asks until it is refused, and gives that answer and how often it was not. */
async function refused(ask: (n: number) => Promise<{ status: number; headers: Headers }>, most: number): Promise<[any, number]> {
  for (let n = 0; n <= 3 * most + 3; n++) {
    const answer = await ask(n);
    if (answer.status === 429) return [answer, n];
  }
  throw new Error(`not refused in ${3 * most + 3} tries`);
}

test("a visitor who sends without end is refused, and told when to come again", async () => {
  const [answer, before] = await refused(() => click(server, {}, at("192.0.2.1")), limits.LIMIT_VISITOR);
  expect(before).toBeGreaterThanOrEqual(limits.LIMIT_VISITOR);
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ status: 429, title: "Too many requests" });
  // Its neighbour is another.
  expect((await click(server, {}, { ...at("192.0.2.1"), "user-agent": "another" })).status).toBe(200);
});

test("a network with ever new browsers is refused as a whole, another is not", async () => {
  const ask = (n: number) => click(server, {}, { ...at(`198.51.100.${n}`), "user-agent": chromeOf(`${n}`) });
  const [, before] = await refused(ask, limits.LIMIT_NETWORK);
  expect(before).toBeGreaterThanOrEqual(limits.LIMIT_NETWORK);
  expect((await click(server, {}, at("203.0.113.1"))).status).toBe(200);
});

test("of IPv6 a network is what one customer gets", async () => {
  await refused((n) => click(server, {}, { ...at(`2001:db8:7:${n}::1`), "user-agent": `x ${n}` }), limits.LIMIT_NETWORK);
  expect((await click(server, {}, at("2001:db8:8::1"))).status).toBe(200);
});

test("batches have a limit of their own", async () => {
  const ask = (n: number) => post(server, "/events", [anEvent()], { ...at(`192.0.3.${n}`), "user-agent": `x ${n}` });
  await refused(ask, limits.LIMIT_BATCHES);
});

test("a pixel shows its image all the same, and says what became of it", async () => {
  const answer = await eventually(async () => {
    const response = await server.fetch("/1x1.gif?cid=many", { headers: { "user-agent": CHROME, ...at("192.0.4.1") } });
    return response.headers.get("x-clicktrail") === "rejected; reason=rate_limited" && response;
  });
  expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 43]);
});

test("a server with a key has no limit, nor has the operator", async () => {
  const { body } = await server.api("/api/keys", { name: "server", scopes: ["events:write"] });
  const headers = { ...at("192.0.5.1"), authorization: `Bearer ${body.key}` };
  for (let n = 0; n < 2 * limits.LIMIT_NETWORK; n++) {
    expect((await click(server, { campaign_id: "server" }, headers)).status).toBe(200);
  }
  for (let n = 0; n < 2 * limits.LIMIT_KEY; n++) expect((await server.api("/api/campaigns")).status).toBe(200);
  // A key for something else is no key for this.
  const { body: other } = await server.api("/api/keys", { name: "reader", scopes: ["stats:read"] });
  await refused(() => click(server, {}, { ...at("192.0.5.2"), authorization: `Bearer ${other.key}` }), limits.LIMIT_VISITOR);
});

const follow = (token: string, address: string, headers: Record<string, string> = {}, on: Server = server) =>
  on.fetch(`/r/${token}`, { headers: { "user-agent": CHROME, ...at(address), ...headers } });

test("whoever guesses tokens is refused, and still led on by every link that there is", async () => {
  await server.api("/api/links", { token: "real", url: "https://shop.example/", campaign_id: "real" });
  await server.api("/api/links", { token: "own", url: "https://shop.example/own", campaign_id: "real" });
  const [answer] = await refused((n) => follow(`guess${n}`, `192.0.6.${n}`), limits.LIMIT_GUESSES);
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
  const page = await eventually(async () => {
    const response = await follow("guessed", "192.0.6.1", { accept: "text/html" });
    return response.status === 429 && response;
  });
  expect([page.headers.get("content-type"), await page.text()]).toEqual(["text/html; charset=utf-8", expect.stringContaining("Try again in")]);
  // More clicks than any limit has, from where the guesses come from: one that the isolate knows, and one that it does not.
  for (let n = 0; n < 3 * limits.LIMIT_NETWORK; n++) expect((await follow("real", `192.0.6.${n}`)).status).toBe(302);
  expect((await follow("own", "192.0.6.1")).status).toBe(302);
  expect((await follow("guess1", "203.0.113.9")).status).toBe(404);
  await settles(async () => expect((await totals(server, "campaign_id=real")).clicks).toBe(3 * limits.LIMIT_NETWORK + 1));
});

test("whoever asks again and again for the same nothing is refused as well, and nothing of it is recorded any more", async () => {
  const ask = () => follow("the-same", "192.0.16.1");
  await refused(ask, limits.LIMIT_GUESSES);
  await eventually(async () => (await ask()).status === 429);
});

test("a signature that is none is a guess", async () => {
  const path = "/log-and-redirect?url=https%3A%2F%2Fshop.example%2F&sig=AAAAAAAAAAAAAAAAAAAAAA";
  await refused(() => server.fetch(path, { headers: at("192.0.7.1") }), limits.LIMIT_GUESSES);
});

test("passwords are tried a few times a minute", async () => {
  await server.api("/api/links", { token: "vault", url: "https://shop.example/", password: "sesame" });
  const attempt = (word: string, address: string) => follow("vault", address, { "x-link-password": word });
  await refused((n) => attempt(`wrong${n}`, "192.0.8.1"), limits.LIMIT_PASSWORDS);
  // Somebody else is not kept out by it, and neither is whoever asks without a word.
  expect((await attempt("sesame", "203.0.113.77")).status).toBe(302);
  expect((await follow("vault", "192.0.8.1")).status).toBe(200);
});

test("an isolate remembers for an hour who tried too many passwords", async () => {
  await using patient = await startServer({ limits: { LIMIT_PASSWORDS: 1_000 }, config });
  await patient.api("/api/links", { token: "vault", url: "https://shop.example/", password: "sesame" });
  const attempt = (word: string, address: string) => follow("vault", address, { "x-link-password": word }, patient);
  expect((await attempt("sesame", "192.0.8.1")).status).toBe(302);
  const [answer, before] = await refused((n) => attempt(`wrong${n}`, `192.0.8.${n}`), config.passwords_per_hour);
  expect(before).toBe(config.passwords_per_hour);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(3_500);
  expect((await attempt("sesame", "203.0.113.77")).status).toBe(302);
});

test("wrong keys are refused without being looked up, and right ones go on", async () => {
  const { body } = await server.api("/api/keys", { name: "office", scopes: ["stats:read"] });
  const report = (key: string, address = "192.0.9.1") =>
    server.fetch("/stats/clicks", { headers: { authorization: `Bearer ${key}`, ...at(address) } });
  expect((await report(body.key)).status).toBe(200);
  const [answer] = await refused((n) => report(`ck_${n}`), limits.LIMIT_REFUSALS);
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
  expect((await report(body.key)).status).toBe(200);
  expect((await report(server.token)).status).toBe(200);
  expect((await report("ck_1", "203.0.113.88")).status).toBe(401);
});

test("a key is for so many requests", async () => {
  const { body } = await server.api("/api/keys", { name: "busy", scopes: ["links:read"] });
  const ask = () => server.fetch("/api/links/demo/qr", { headers: { authorization: `Bearer ${body.key}`, ...at("192.0.10.1") } });
  const [answer] = await refused(ask, limits.LIMIT_KEY);
  expect(answer.headers.get("retry-after")).toBe("60");
});

test("a redirect that its caller aims leads on, whatever is recorded of it", async () => {
  const { body } = await server.api("/api/sign", { url: "https://shop.example/aimed" });
  const path = new URL(body.signed_url).pathname + new URL(body.signed_url).search;
  for (let n = 0; n < 2 * limits.LIMIT_VISITOR; n++) {
    const response = await server.fetch(`${path}&cid=aimed&eid=aimed${n}`, { headers: { "user-agent": CHROME, ...at("192.0.11.1") } });
    expect(response.status).toBe(302);
  }
  await settles(async () => expect((await totals(server, "campaign_id=aimed")).clicks).toBeGreaterThan(0));
  expect((await totals(server, "campaign_id=aimed")).clicks).toBeLessThan(2 * limits.LIMIT_VISITOR);
});

test("where they are off, nobody is refused", async () => {
  for (let n = 0; n < 3 * limits.LIMIT_NETWORK; n++) expect((await click(free, {}, at("192.0.12.1"))).status).toBe(200);
  for (let n = 0; n < 3 * limits.LIMIT_GUESSES; n++) expect((await follow(`none${n}`, "192.0.12.1", {}, free)).status).toBe(404);
});
