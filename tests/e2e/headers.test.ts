// What every answer says besides what it is: over each route of the description, with a key and without.
import { afterAll, expect, test } from "vitest";
import { description, methodsOf } from "./openapi.ts";
import { startServer } from "./server.ts";
import { anEvent, CHROME } from "./traffic.ts";

const server = await startServer({ demo: true });
const shared = await startServer({ config: { cors_origins: ["https://app.example", "https://other.example"] } });
afterAll(() => Promise.all([server.stop(), shared.stop()]));

const bearer = { authorization: `Bearer ${server.token}` };
const PUBLIC = /^\/(events(\/|$)|1x1|1×1|tag\.js|postback|openapi\.json)/;
const filled: Record<string, string> = { "{token}": "demo", "{name}": "demo", "{kind}": "click" };

function requests(): { template: string; method: string; path: string }[] {
  return Object.keys(description.paths).flatMap((template) => {
    const path = encodeURI(template.replace(/\{\w+\}/g, (name) => filled[name] ?? "nothing"));
    return methodsOf(template).map((method) => ({ template, method: method.toUpperCase(), path }));
  });
}

/** Without `conforms`, and as if it had come over TLS. */
function secure(path: string, init: RequestInit = {}, on = server): Promise<Response> {
  const headers = { "user-agent": CHROME, "mf-original-url": `https://clk.example${path}`, ...(init.headers as Record<string, string>) };
  return fetch(on.url + path, { redirect: "manual", ...init, headers });
}

test("every answer of every route says how it may be read, framed and kept", async () => {
  const seen = new Set<string>();
  for (const { template, method, path } of requests()) {
    for (const headers of [{}, bearer, { ...bearer, accept: "text/html" }]) {
      const response = await secure(path, { method, headers });
      const said = Object.fromEntries(response.headers);
      const what = `${method} ${template} ${Object.keys(headers)} -> ${response.status} ${JSON.stringify(said)}`;
      expect(response.status, what).toBeLessThan(500);
      expect(said["x-content-type-options"], what).toBe("nosniff");
      expect(said["strict-transport-security"], what).toBe("max-age=31536000");
      const file = /^\/(dashboard|docs)/.test(template); // the platform's, which browsers ask for anew each time
      const open = file ? /^public, max-age=0, must-revalidate$/ : /^public, max-age=3600$/;
      if (!file || said["cache-control"] !== undefined) expect(said["cache-control"], what).toMatch(/no-store|^private, max-age=\d+$/.test(said["cache-control"] ?? "") ? /./ : open);
      if (said["cache-control"]?.startsWith("public") && !file) expect(template, what).toMatch(/^\/(openapi\.json|tag\.js)$/);
      if (!["/api/session", "/opt-out", "/opt-in"].includes(template)) expect(said["set-cookie"], what).toBeUndefined();
      seen.add(String(response.status));
      if (response.status >= 300 && response.status < 400 && said.location !== undefined) {
        // A redirect's policy would be that of the page that it leads to.
        expect(said["referrer-policy"], what).toBeUndefined();
        continue;
      }
      expect(said["referrer-policy"], what).toBe("no-referrer");
      expect(said["content-security-policy"], what).toContain("frame-ancestors 'none'");
      expect(said["content-security-policy"], what).toContain("default-src");
      expect(said["cross-origin-resource-policy"], what).toBe(PUBLIC.test(template) ? "cross-origin" : "same-origin");
      expect(said["access-control-allow-origin"], what).toBe(PUBLIC.test(template) ? "*" : undefined);
      expect(said["access-control-allow-credentials"], what).toBeUndefined();
    }
  }
  for (const status of ["200", "302", "204", "400", "401", "404"]) expect([...seen]).toContain(status);
});

test("without TLS nobody is told to insist on it", async () => {
  for (const path of ["/r/demo", "/healthz", "/r/nothing"]) {
    const response = await server.fetch(path);
    expect(response.headers.get("strict-transport-security")).toBeNull();
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("what may be kept by anybody does not depend on who asks", async () => {
  const variants: Record<string, string>[] = [
    {},
    { ...bearer },
    { origin: "https://evil.example" },
    { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "x-original-url": "/api/keys", "x-rewrite-url": "/api/keys" },
    { accept: "text/html", "accept-language": "fr", "user-agent": "curl/8", cookie: "a=b", "x-http-method-override": "DELETE" },
  ];
  for (const { template, path } of requests().filter(({ method }) => method === "GET")) {
    const answers = [];
    for (const headers of variants) {
      const response = await secure(path, { headers });
      const kept = response.headers.get("cache-control")?.startsWith("public");
      answers.push(kept ? [response.status, await response.text(), response.headers.get("access-control-allow-origin")] : ["not kept"]);
    }
    // A file is not kept where it was asked for with a key, which the platform sees to.
    const compared = /^\/(dashboard|docs)/.test(template) ? answers.filter(([status]) => status !== "not kept") : answers;
    for (const answer of compared) expect(answer, template).toEqual(compared[0]);
  }
});

test("a header cannot choose the host that links are shown with", async () => {
  const headers = { ...bearer, "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
  const { short_url } = await (await secure("/api/links/demo", { headers: bearer })).json().catch(() => ({}));
  const again = await (await secure("/api/links/demo", { headers })).json().catch(() => ({}));
  expect(again.short_url).toBe(short_url);
});

const preflight = (origin: string, method = "PATCH") => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": method, "access-control-request-headers": "authorization" },
});

test("pages of other origins read nothing that needs a key, unless they are listed", async () => {
  const asked = await fetch(`${server.url}/api/links`, preflight("https://app.example"));
  expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([405, null]);

  const key = { authorization: `Bearer ${shared.token}` };
  for (const path of ["/api/links", "/stats/clicks", "/api/keys/x"]) {
    const answered = await fetch(shared.url + path, preflight("https://app.example"));
    expect(answered.status, path).toBe(204);
    expect(Object.fromEntries(answered.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-headers": expect.stringContaining("authorization"),
      "access-control-allow-methods": expect.stringContaining("PATCH"),
      "access-control-max-age": "600",
      vary: expect.stringContaining("origin"),
    });
    for (const stranger of ["https://evil.example", "https://app.example.evil", "http://app.example", "https://app.example https://other.example", "null", ""]) {
      const refused = await fetch(shared.url + path, preflight(stranger));
      expect([refused.status, refused.headers.get("access-control-allow-origin")], stranger).toEqual([expect.any(Number), null]);
    }
  }
  const read = (origin: string) => fetch(`${shared.url}/api/links`, { headers: { ...key, origin } });
  const mine = await read("https://other.example");
  expect([mine.status, mine.headers.get("access-control-allow-origin")]).toEqual([200, "https://other.example"]);
  expect(mine.headers.get("access-control-expose-headers")).toContain("retry-after");
  expect((await read("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
  // Each page may send events all the same.
  const event = await fetch(`${shared.url}/events/click`, {
    method: "POST",
    headers: { origin: "https://evil.example", "content-type": "text/plain" },
    body: JSON.stringify(anEvent()),
  });
  expect([event.status, event.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
});

test("an operator may let any page read, with a key", async () => {
  await using open = await startServer({ config: { cors_origins: ["*"] } });
  expect((await fetch(`${open.url}/api/links`, preflight("https://any.example"))).status).toBe(204);
  const headers = { authorization: `Bearer ${open.token}`, origin: "https://any.example" };
  const response = await fetch(`${open.url}/api/links`, { headers });
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, "https://any.example"]);
  expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
});
