// What people and crawlers find who have only the host's name.
import { afterAll, expect, test } from "vitest";
import { startServer } from "./server.ts";

const server = await startServer({ config: { home_url: "https://shop.example/?from=short" } });
afterAll(() => server.stop());

test("the root leads home, and says so to nobody who posts", async () => {
  for (const method of ["GET", "HEAD"]) {
    const response = await server.fetch("/?x=1", { method });
    expect([response.status, response.headers.get("location")]).toEqual([302, "https://shop.example/?from=short"]);
  }
  const refused = await server.fetch("/", { method: "POST" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("without a home the root is a page for people and a problem for programs", async () => {
  await using bare = await startServer();
  const page = await bare.fetch("/", { headers: { accept: "text/html,*/*" } });
  expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  expect((await bare.fetch("/")).headers.get("content-type")).toBe("application/problem+json");
});

test("crawlers may follow links, and read nothing that is managed", async () => {
  const response = await server.fetch("/robots.txt");
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  const forbidden = [...(await response.text()).matchAll(/^Disallow: (.+)$/gm)].map(([, path]) => path);
  expect(forbidden).toEqual(["/api/", "/dashboard", "/docs", "/stats/"]);
  expect((await server.fetch("/robots.txt", { method: "DELETE" })).status).toBe(405);
});
