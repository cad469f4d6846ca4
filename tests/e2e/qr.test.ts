// Codes of every sort are read back natively (links/src/qr/tests.rs); here are the route and the files it gives.
import { inflateSync } from "node:zlib";
import jsqr from "jsqr";
import { afterAll, expect, test } from "vitest";
import { startServer } from "./server.ts";
import { pointers } from "./traffic.ts";

const server = await startServer({ config: { domains: ["go.example"] } });
afterAll(() => server.stop());

const url = "https://shop.example/";
for (const token of ["printed", "東京"]) await server.api("/api/links", { url, token });

const headers = { authorization: `Bearer ${server.token}` };
const ask = (path: string, more: Record<string, string> = {}, method = "GET") =>
  server.fetch(`/api/links/${path}`, { method, headers: { ...headers, ...more } });

test("a code comes as a drawing in which nothing can run", async () => {
  const response = await ask("printed/qr");
  expect([response.status, Object.fromEntries(response.headers)]).toMatchObject([200, {
    "content-type": "image/svg+xml",
    "cache-control": "private, max-age=300",
    "content-disposition": 'inline; filename="printed.svg"',
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "x-content-type-options": "nosniff",
  }]);
  const svg = await response.text();
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="512" height="512" viewBox="0 0 (\d+) \1" shape-rendering="crispEdges">/);
  expect(svg.match(/<(?!svg|path|\/svg)/g)).toBeNull();
  expect(await (await ask("printed/qr?format=svg&size=512&ec=m")).text()).toBe(svg);
  expect(await (await ask("printed/qr?fg=036&bg=transparent")).text()).toContain('<path fill="#003366"');
});

test("a code comes as pixels, as many as were asked for", async () => {
  for (const size of [100, 512, 4096]) {
    const response = await ask(`%E6%9D%B1%E4%BA%AC/qr?format=png&size=${size}&bg=transparent&margin=2`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(response.headers.get("content-disposition")).toBe(`inline; filename="qr.png"; filename*=UTF-8''%E6%9D%B1%E4%BA%AC.png`);
    const png = Buffer.from(await response.arrayBuffer());
    const chunks = new Map<string, Buffer>();
    for (let at = 8; at < png.length; ) {
      const length = png.readUInt32BE(at);
      chunks.set(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
      at += 12 + length;
    }
    expect(png.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
    const header = chunks.get("IHDR")!;
    expect([header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]]).toEqual([size, size, 1, 3]);
    expect(inflateSync(chunks.get("IDAT")!).length).toBe(size * (1 + Math.ceil(size / 8)));
  }
});

/** What a reader sees: a pixel for each bit, of which 1 is dark. */
function read(png: Buffer, size: number): string | undefined {
  const data = png.indexOf("IDAT", 0, "latin1");
  const rows = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
  const [stride, dark] = [1 + Math.ceil(size / 8), png[png.indexOf("PLTE", 0, "latin1") + 4] === 0 ? 0 : 1];
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const bit = (rows[y * stride + 1 + (x >> 3)] >> (7 - (x & 7))) & 1;
      if (bit === dark) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  return jsqr(pixels, size, size)?.data;
}

test("a code is read back, of a host's own link too", async () => {
  await server.api("/api/links", { url, token: "printed", domain: "go.example", external_id: "poster-7" });
  const of = async (path: string) => read(Buffer.from(await (await ask(path)).arrayBuffer()), 300);
  expect(await of("printed/qr?format=png&size=300")).toBe(`${server.url}/r/printed?src=qr`);
  expect(await of("printed/qr?format=png&size=300&ec=H&domain=go.example")).toBe("http://go.example/r/printed?src=qr");
  expect(await of("ext:poster-7/qr?format=png&size=300")).toBe("http://go.example/r/printed?src=qr");
  expect((await ask("printed/qr?domain=other.example")).status).toBe(404);
});

test("who has the picture already is not sent it again", async () => {
  const etag = (await ask("printed/qr")).headers.get("etag")!;
  const again = await ask("printed/qr", { "if-none-match": `W/"x", ${etag}` });
  expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
  expect((await ask("printed/qr?size=100", { "if-none-match": etag })).status).toBe(200);
  const head = await ask("printed/qr", {}, "HEAD");
  expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, etag, ""]);
});

test("what cannot be drawn is refused by name", async () => {
  for (const [query, wrong] of [
    ["format=gif&size=10&margin=17&ec=X&fg=red&bg=1234", ["/format", "/size", "/margin", "/ec", "/fg", "/bg"]],
    ["colour=000", ["/colour"]],
    ["fg=ccc", ["/fg"]],
    ["size=64&margin=16&format=png&ec=H", ["/size"]],
  ] as const) {
    const response = await ask(`printed/qr?${query}`);
    expect([response.status, pointers(await response.json())], query).toEqual([400, wrong]);
  }
});

test("a code is for whoever may read links, and of links that exist", async () => {
  expect((await server.fetch("/api/links/printed/qr")).status).toBe(401);
  const key = async (scope: string) => (await server.api("/api/keys", { name: scope, scopes: [scope] })).body.key;
  for (const [scope, status] of [["links:read", 200], ["stats:read", 403]] as const) {
    expect((await ask("printed/qr", { authorization: `Bearer ${await key(scope)}` })).status, scope).toBe(status);
  }
  for (const path of ["nobody/qr", "a%2Fb/qr", "/qr"]) expect((await ask(path)).status, path).toBe(404);
  const posted = await ask("printed/qr", {}, "POST");
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});
