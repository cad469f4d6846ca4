// Secrets that are known, and errors that are provoked: no answer, no log and no export may hold one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startServer } from "./server.ts";
import { anEvent, CHROME } from "./traffic.ts";

const adminToken = "admin-5ecret-of-this-test";
const password = "sesame-5ecret-of-this-test";
const server = await startServer({ adminToken, queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

let answers = "";
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(server.url + path, { redirect: "manual", ...init });
  const text = await response.text();
  answers += `\n${path} ${response.status} ${JSON.stringify([...response.headers])} ${text}`;
  return new Response(text.length > 0 ? text : null, { status: response.status === 204 || response.status === 304 ? 200 : response.status });
}

test("no answer, log or export holds a secret, whatever goes wrong", async () => {
  const admin = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const made = await server.api("/api/keys", { name: "reader", scopes: ["stats:read"] });
  const { key } = made.body;
  const secrets = [adminToken, password, key, ...["visitor_secret", "signing_secret"].map((name) => readFileSync(join(server.state, name), "utf8"))];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(20);

  await server.api("/api/links", { token: "vault", url: "https://shop.example/", password, campaign_id: "spring" });
  const ways: [string, RequestInit?][] = [
    ["/api/links", { headers: admin }],
    ["/api/links/vault", { headers: admin }],
    ["/api/links/vault", { method: "PATCH", headers: admin, body: JSON.stringify({ password, title: "x" }) }],
    ["/api/links/vault/history", { headers: admin }],
    ["/api/links", { method: "POST", headers: admin, body: JSON.stringify({ token: "vault", url: "https://shop.example/", password }) }],
    ["/api/links", { method: "POST", headers: admin, body: `{"url":"https://shop.example/","password":"${password}"` }],
    ["/api/links", { method: "POST", headers: admin, body: JSON.stringify({ url: "nowhere", password }) }],
    ["/api/links/bulk", { method: "POST", headers: admin, body: JSON.stringify({ create: [{ url: "https://shop.example/2", password }, { url: 1, password }] }) }],
    ["/api/import?format=csv", { method: "POST", headers: admin, body: `url,password\nhttps://shop.example/3,${password}\nnowhere,${password}\n` }],
    ["/api/export?format=csv", { headers: admin }],
    ["/api/export?format=ndjson", { headers: admin }],
    ["/api/audit", { headers: admin }],
    ["/api/keys", { headers: admin }],
    ["/api/keys", { method: "POST", headers: admin, body: `{"name":"x","scopes":["no"]}` }],
    ["/api/dead-letters", { headers: admin }],
    ["/api/keys", { headers: { authorization: `Bearer ${key}` } }],
    ["/stats/clicks", { headers: { authorization: `Bearer ${key}` } }],
    ["/stats/clicks", { headers: { authorization: `Basic ${btoa(`x:${adminToken}`)}` } }],
    ["/stats/clicks", { headers: { authorization: adminToken } }],
    ["/stats/integrity", { headers: admin }],
    ["/r/vault", { headers: { "user-agent": CHROME, "x-link-password": `${password}` } }],
    ["/r/vault", { headers: { "user-agent": CHROME, "x-link-password": `${password}x`, accept: "text/html" } }],
    ["/r/vault", { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/html" }, body: `password=${password}x` }],
    ["/r/vault+", { headers: { accept: "text/html" } }],
    ["/log-and-redirect?url=https://shop.example/&sig=x", {}],
    ["/events/click", { method: "POST", headers: { ...admin, "x-clicktrail-address": "nowhere" }, body: JSON.stringify(anEvent()) }],
    ["/events/click", { method: "POST", headers: { authorization: `Bearer ${key}`, "x-clicktrail-address": "203.0.113.9" }, body: "{" }],
    ["/healthz", { headers: admin }],
    ["/openapi.json", { headers: admin }],
  ];
  const all = async () => {
    for (const [path, init] of ways) await ask(path, init);
  };
  await all();
  // The same with a database that lost its tables one by one, and a record that is damaged.
  for (const table of ["keys", "links", "audit", "ledger", "campaigns", "dead_letters"]) {
    const found = await server.sql("SELECT name FROM sqlite_master WHERE name = ?", [table]);
    if (found.length === 0) continue;
    await server.sql(`ALTER TABLE ${table} RENAME TO ${table}_away`);
    await all();
    await server.sql(`ALTER TABLE ${table}_away RENAME TO ${table}`);
  }
  await server.sql("UPDATE links SET record = '{}'");
  await all();
  // The key is shown once, by the answer that made it.
  for (const secret of secrets) {
    expect(answers.includes(secret), `an answer holds ${secret.slice(0, 6)}…`).toBe(false);
    expect(server.log.includes(secret), `the log holds ${secret.slice(0, 6)}…`).toBe(false);
  }
  expect(server.log.length).toBeGreaterThan(100); // errors were provoked
  expect(answers).not.toContain("pbkdf2");
  expect(server.log).not.toContain("pbkdf2");
  const stored = JSON.stringify([await server.sql("SELECT * FROM keys"), await server.sql("SELECT * FROM audit")]);
  for (const secret of secrets) expect(stored.includes(secret)).toBe(false);
});
