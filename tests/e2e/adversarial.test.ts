// What people try. Guessing (limits.test.ts), other people's pages and invented names (senders.test.ts), framing and caching
// (headers.test.ts), zip bombs (batch.test.ts), malformed events (validation.test.ts) have their tests there.
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { startServer } from "./server.ts";
import { anEvent, CHROME, post, raw } from "./traffic.ts";

const config = { redirect_hosts: ["shop.example", ".brand.example"], body_seconds: 0.5 };
const server = await startServer({ config, demo: true });
afterAll(() => server.stop());

const bearer = { authorization: `Bearer ${server.token}` };
await server.api("/api/links", { token: "shop", url: "https://shop.example/landing?own=1#top" });

/** Where a `Location` leads, as a browser reads it that is at the service. */
const leadsTo = (location: string) => new URL(location, "https://clk.example/log-and-redirect").host;

const targets = [
  "//evil.example", "///evil.example", "////evil.example//", "\\\\evil.example", "/\\evil.example", "\\/evil.example",
  "https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example", "http://evil.example",
  "https://shop.example@evil.example", "https://shop.example:443@evil.example/", "https://shop.example\\@evil.example",
  "https://shop.example%40evil.example", "https://shop.example%2f@evil.example", "https://shop.example&@evil.example",
  "https://evil.example#shop.example", "https://evil.example?shop.example", "https://evil.example/shop.example",
  "https://evil.example\\.shop.example", "https://evil.example%5c.shop.example", "https://evil.example%00.shop.example",
  "https://shop.example.evil.example", "https://evilshop.example", "https://evilbrand.example", "https://shop.example.",
  "https://sh\u043ep.example", "https://shop.exam\u0440le", "https://xn--shp-hkc.example", "https://shop\u3002evil.example",
  "https://evil.example\u2044.shop.example", "https://evil.example\uff0f.shop.example", "https://ev\u200bil.example",
  "https://shop.example\r\n.evil.example", "https://shop.example\r\nset-cookie: a=b", "https://shop.example\n\nHTTP/1.1 200 OK",
  "https://shop.example/%0d%0aset-cookie:a=b", "https://shop.example/\u560d\u560aset-cookie:a=b",
  "java\tscript:alert(1)", "javascript:alert(1)//https://shop.example", "JaVaScRiPt:alert(1)", "data:text/html,<script>alert(1)</script>",
  "vbscript:x", "file:///etc/passwd", "blob:https://shop.example/x", "about:blank", "view-source:https://evil.example",
  "\u0000https://evil.example", " https://evil.example", "\thttps://evil.example", "https://[::1]/", "https://127.0.0.1/", "https://0x7f.1/",
  "https://169.254.169.254/latest/meta-data", "https://localhost/", "https://2130706433/", "%68ttps://evil.example", "https%3A%2F%2Fevil.example",
  "", "/", "evil.example", "?", "#", "https://", "https://?", "https://#", ".", "..",
];

test("nobody is led where the operator does not want it", async () => {
  for (const target of targets) {
    for (const [method, path, body] of [
      ["GET", `/log-and-redirect?url=${encodeURIComponent(target)}`, undefined],
      ["GET", `/log-and-redirect?url=${encodeURIComponent(encodeURIComponent(target))}`, undefined],
      ["POST", "/log-and-redirect", new URLSearchParams({ url: target }).toString()],
      ["POST", `/log-and-redirect?url=${encodeURIComponent(target)}`, "url=https://shop.example/"],
      ["GET", `/log-and-redirect?url=${encodeURIComponent(target)}&url=https://shop.example/`, undefined],
      ["GET", `/log-and-redirect?url=${encodeURIComponent(target)}&sig=`, undefined],
    ] as const) {
      const headers = { "user-agent": CHROME, ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }) };
      const response = await server.fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
      const location = response.headers.get("location");
      if (location === null) {
        expect(response.status, `${method} ${path}`).toBe(400);
        continue;
      }
      expect(leadsTo(location), `${method} ${path} -> ${location}`).toMatch(/^shop\.example$/);
      expect(location).toMatch(/^https:\/\/shop\.example\/[!-~]*$/);
      expect(response.headers.get("set-cookie")).toBeNull();
    }
  }
});

test("what is behind a link's token never changes where it leads", async () => {
  for (const rest of [
    "?url=//evil.example", "?//evil.example", "?https://evil.example", "?@evil.example", "?%40evil.example", "?own=2", "?%6fwn=2", "?#@evil.example",
    "?%0d%0alocation:%20https://evil.example", "?x=%E5%98%8D%E5%98%8Aset-cookie:a", "?a=%00", "?\\evil.example", "?a=%2523", "?=&&=", `?${"a&".repeat(4_000)}`,
  ]) {
    const response = await server.fetch(`/r/shop${rest}`, { headers: { "user-agent": CHROME } });
    const location = new URL(response.headers.get("location")!);
    expect([response.status, location.host, location.pathname, location.hash, location.searchParams.get("own")], rest).toEqual([302, "shop.example", "/landing", "#top", "1"]);
    expect(response.headers.get("set-cookie")).toBeNull();
  }
  for (const path of ["/r//evil.example", "/r/%2f%2fevil.example", "/r/shop/..%2f..%2fevil", "/r/https:%2f%2fevil.example", "/r/\\evil.example", "//evil.example/r/shop", "/r/shop%0d%0alocation:x", "/t/click?cl=//evil.example", "/t/click?cl=https://evil.example"]) {
    const response = await fetch(server.url + path, { redirect: "manual", headers: { "user-agent": CHROME } });
    expect([response.status, response.headers.get("location")], path).toEqual([404, null]);
  }
});

test("a header is never made of what a visitor says", async () => {
  const lines = "x%0d%0aset-cookie:%20evil=1%0d%0a%0d%0a<script>";
  for (const path of [`/1x1.gif?et=${lines}`, `/1x1.gif?${lines}=1`, `/1x1.gif?eid=${lines}&u=${lines}`, `/r/shop?eid=${lines}`, `/r/${lines}`, `/${lines}%2b`, `/events/${lines}`, `/api/links/${lines}/qr`, `/stats/clicks?${lines}=1`, `/openapi.json?${lines}`, `/log-and-redirect?url=${lines}`]) {
    for (const method of ["GET", "POST"]) {
      const response = await fetch(server.url + path, { method, redirect: "manual", headers: { ...bearer, "user-agent": CHROME } });
      const said = JSON.stringify([...response.headers]);
      expect(response.status, path).toBeLessThan(500);
      expect(said, path).not.toMatch(/evil=1.*set-cookie|"set-cookie"|\r|\n/);
      if (response.headers.get("content-type")?.startsWith("text/html")) expect(await response.text()).not.toContain("<script>");
    }
  }
  // Bytes that `fetch` would not send.
  for (const path of ["/r/shop?a=b\rset-cookie: x", "/r/shop?a=\u00ff\u00fe", "/1x1.gif?et=\u0000"]) {
    const answer = await raw(server, `GET ${path}`, { connection: "close" }, []);
    expect(answer, path).not.toMatch(/^set-cookie/im);
    expect(answer, path).not.toMatch(/^HTTP\/1\.1 5/);
  }
});

test("a path that means two things is not taken for a file that may be kept", async () => {
  for (const path of ["/api/keys/openapi.json", "/api/keys;/openapi.json", "/api/keys/..%2f..%2fopenapi.json", "/openapi.json%2f..%2fapi%2fkeys", "/openapi.json/../api/keys", "/stats/clicks/x.css", "/api/keys.css", "/r/shop.css", "/r/shop%2fx.js"]) {
    const response = await fetch(server.url + path, { redirect: "manual", headers: bearer });
    expect(response.headers.get("cache-control"), path).toMatch(/no-store/);
    expect(await response.text(), path).not.toContain('"scopes"');
  }
});

test("a method is what the request line says", async () => {
  for (const headers of [{ "x-http-method-override": "DELETE" }, { "x-method-override": "DELETE" }, { "x-http-method": "PUT" }] as Record<string, string>[]) {
    for (const method of ["GET", "POST"]) {
      const response = await fetch(`${server.url}/api/links/shop`, { method, headers: { ...bearer, ...headers }, ...(method === "POST" ? { body: "_method=DELETE" } : {}) });
      expect([200, 405]).toContain(response.status);
    }
  }
  expect((await server.fetch("/r/shop")).status).toBe(302);
  for (const line of ["get /r/shop", "TRACE /r/shop", "DELETE /r/shop", "PATCH /events", "PRI *", "G\u0000T /r/shop", "\u00ff /"]) {
    const answer = await said(`${line} HTTP/1.1\r\nhost: ${new URL(server.url).host}\r\nauthorization: ${bearer.authorization}\r\nconnection: close\r\n\r\n`);
    expect(answer, line).not.toMatch(/^HTTP\/1\.1 5(?!01 )/); // 501 is workerd's own, of a method that HTTP does not have
    expect(answer, line).not.toMatch(/^HTTP\/1\.1 (2|302)/);
  }
});

/** What comes back for these bytes until the other side has had enough, or half a second of silence. */
function said(bytes: string | Uint8Array, last = false): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    const done = () => (socket.destroy(), resolve(answer));
    socket.setTimeout(2_000, done).setEncoding("latin1");
    socket.on("data", (text) => (answer += text)).on("close", done).on("error", done);
    if (last) socket.end(bytes);
    else socket.write(bytes);
  });
}

test("headers as large as they come break nothing", async () => {
  for (const [name, size] of [["user-agent", 30_000], ["referer", 30_000], ["cookie", 30_000], ["authorization", 30_000], ["accept-language", 30_000], ["sec-ch-ua", 30_000], ["origin", 8_000], ["x-clicktrail-address", 8_000], ["x-link-password", 8_000], ["idempotency-key", 8_000]] as const) {
    for (const [method, path] of [["GET", "/r/shop"], ["GET", "/1x1.gif?cid=x"], ["POST", "/events/click"], ["GET", "/api/links"], ["POST", "/api/links"]]) {
      const response = await fetch(server.url + path, { method, redirect: "manual", headers: { "content-type": "application/json", [name]: "\u00e9".repeat(size) }, ...(method === "POST" ? { body: JSON.stringify(anEvent()) } : {}) });
      expect(response.status, `${name} ${path}`).toBeLessThan(500);
    }
  }
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`x-${n}`, "y"]));
  expect((await server.fetch("/r/shop", { headers: many })).status).toBe(302);
  expect((await server.fetch(`/r/shop?${"q".repeat(12_000)}`)).status).toBe(302);
  expect((await server.fetch(`/r/${"q".repeat(12_000)}`)).status).toBe(404);
});

const routes = [
  ["POST", "/events/click"], ["POST", "/events"], ["POST", "/api/links"], ["POST", "/api/links/bulk"], ["PUT", "/api/links/x"], ["PATCH", "/api/links/shop"], ["POST", "/api/import?format=json"],
  ["POST", "/api/campaigns"], ["POST", "/api/publishers"], ["POST", "/api/keys"], ["POST", "/api/sign"],
] as const;

test("JSON as deep as a body can be is refused, or read without falling over", async () => {
  for (const [method, path] of routes) {
    for (const body of ["[".repeat(200_000), '{"a":'.repeat(50_000), `{"props":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, `{"rules":${'[{"if":'.repeat(20_000)}`, `[${"[]".repeat(1)},${"{}".repeat(1)}]`, `{"name":"x","${"k".repeat(60_000)}":1}`, `{${'"a":1,'.repeat(8_000)}"a":1}`, `{"url":${"9".repeat(100_000)}}`, `{"value":1e${"9".repeat(5_000)}}`]) {
      const response = await server.fetch(path, { method, headers: { ...bearer, "content-type": "application/json" }, body });
      expect([400, 200, 413], `${path} ${body.slice(0, 20)}`).toContain(response.status);
      expect((await response.text()).length, path).toBeLessThan(100_000);
    }
  }
  expect((await server.fetch("/healthz")).status).toBe(200);
});

test("a body that does not say how large it is is not read beyond its bound", async () => {
  for (const [method, path] of routes) {
    const chunk = "1".repeat(0xffff);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ < 1_000) controller.enqueue(new TextEncoder().encode(chunk));
        else controller.close();
      },
    });
    const status = await fetch(server.url + path, { method, headers: { ...bearer, "content-type": "application/json" }, body, duplex: "half" } as RequestInit).then(
      (response) => response.status,
      () => 413, // it hung up on us
    );
    expect(status, path).toBe(413);
    expect(sent, path).toBeLessThan(1_000);
  }
});

test("a body that breaks off is the sender's to send again, and no fault of ours", async () => {
  const head = `content-type: application/json\r\nauthorization: ${bearer.authorization}\r\ncontent-length: 100\r\n\r\n{`;
  for (const [method, path] of routes) {
    const answer = await said(`${method} ${path} HTTP/1.1\r\nhost: ${new URL(server.url).host}\r\n${head}`, true);
    expect(answer, path).toMatch(/^HTTP\/1\.1 408 /);
  }
});

test("a body that does not come is not waited for", async () => {
  const head = (method: string, path: string, more: string) =>
    `${method} ${path} HTTP/1.1\r\nhost: ${new URL(server.url).host}\r\nauthorization: ${bearer.authorization}\r\ncontent-type: application/json\r\n${more}\r\n`;
  const answers = routes.flatMap(([method, path]) =>
    [`content-length: 100\r\n`, `transfer-encoding: chunked\r\n`].map(async (more) => {
      const answer = await said(`${head(method, path, more)}${more.startsWith("t") ? "1\r\n{\r\n" : "{"}`);
      expect(answer, `${path} ${more}`).toMatch(/^HTTP\/1\.1 408 [^]*content-type: application\/problem\+json/i);
    }),
  );
  await Promise.all(answers);
  // A link's form, too.
  await server.api("/api/links", { token: "locked", url: "https://shop.example/", password: "sesame" });
  const form = await said(head("POST", "/r/locked", "content-length: 100\r\n").replace("application/json", "application/x-www-form-urlencoded") + "password=");
  expect(form).toMatch(/^HTTP\/1\.1 408 /);
  expect((await post(server, "/events/click", anEvent())).status).toBe(200);
});

test("what is packed twice, or as something else, is not unpacked", async () => {
  const twice = gzipSync(gzipSync(JSON.stringify([anEvent()])));
  expect((await post(server, "/events", twice, { "content-encoding": "gzip" })).status).toBe(400);
  for (const encoding of ["gzip, gzip", "deflate", "br", "zstd", "compress", "gzip;q=1", "\u00e9"]) {
    expect((await post(server, "/events", twice, { "content-encoding": encoding })).status, encoding).toBe(415);
  }
  const bomb = gzipSync(Buffer.alloc(60 << 20));
  const bombs = await Promise.all(Array.from({ length: 8 }, () => post(server, "/events", bomb, { "content-encoding": "gzip" })));
  for (const { status } of bombs) expect(status).toBe(413);
  expect((await post(server, "/events/click", anEvent())).status).toBe(200);
});

test("a script in a link's texts stays a text", async () => {
  const script = `"><script>alert(1)</script>'&`;
  const social = { title: script, description: script };
  await server.api("/api/links", { token: "marked", url: `https://shop.example/?q=${encodeURIComponent(script)}`, title: script, social });
  for (const [path, agent] of [["/r/marked+", CHROME], ["/r/marked", "facebookexternalhit/1.1"], [`/r/${encodeURIComponent(script)}`, CHROME]]) {
    const response = await server.fetch(path, { headers: { "user-agent": agent, accept: "text/html" } });
    expect(await response.text(), path).not.toContain("<script>alert");
    if (response.headers.get("content-type")?.startsWith("text/html")) expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});
