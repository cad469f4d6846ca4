// The description of the API: served, complete, and right about itself.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { at, description, flaw, methodsOf, templateOf } from "./openapi.ts";
import { startServer } from "./server.ts";

const server = await startServer();
afterAll(() => server.stop());

const source = (name: string) => readFileSync(join(import.meta.dirname, "../../src", name), "utf8");

test("anybody may read the description and keep it for an hour", async () => {
  const response = await server.fetch("/openapi.json");
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "public, max-age=3600"]);
  expect(await response.json()).toEqual(description);
  const head = await server.fetch("/openapi.json", { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await server.fetch("/openapi.json", { method: "POST" })).status).toBe(405);
});

test("a method that no route has is refused by each with those that it has, and is not taken for GET", async () => {
  const headers = { authorization: `Bearer ${server.token}` };
  for (const method of ["QUERY", "PROPFIND", "OPTIONS", "REPORT"]) {
    for (const [path, allow] of [
      ["/api/links", "GET, POST"],
      ["/api/keys/x", "DELETE"],
      ["/api/dead-letters/x/replay", "POST"],
      ["/api/campaigns/x", "GET, PUT, PATCH, DELETE"],
      ["/stats/clicks", "GET"],
      ["/1x1.gif", "GET, HEAD, POST"],
      ["/healthz", "GET, HEAD"],
      ["/r/demo", "GET, HEAD"],
    ]) {
      const response = await server.fetch(path, { method, headers });
      expect([response.status, response.headers.get("allow")], `${method} ${path}`).toEqual([405, allow]);
    }
  }
  const page = await server.fetch("/r/demo", { method: "PUT", headers: { accept: "text/html" } });
  expect([page.status, page.headers.get("allow"), page.headers.get("content-type")]).toEqual([405, "GET, HEAD", "text/html; charset=utf-8"]);
});

test("every route is described, and what is described is routed", () => {
  const table = source("lib.rs") + source("forward.rs");
  const routes = [...table.matchAll(/(?<!strip_suffix\()"(\/[\w./%-]*)"(?: \||(?: if [^=]+)? =>|\))/g)].map(([, path]) => decodeURI(path));
  expect(routes.length).toBeGreaterThan(20);
  const literal = (template: string) => template.split("{")[0];
  const described = Object.keys(description.paths).map(literal);
  expect(routes.filter((route) => !described.includes(route))).toEqual([]);
  // `/{token}+` is told by its end.
  expect(described.filter((path) => path !== "/" && !routes.includes(path))).toEqual([]);
});

test("the most literal template is a path's", () => {
  for (const [path, template] of [
    ["/r/demo", "/r/{token}"],
    ["/r/demo+", "/r/{token}+"],
    ["/demo+", "/{token}+"],
    ["/1%c3%971.gif", "/1×1.gif"],
    ["/api/links/bulk", "/api/links/bulk"],
    ["/api/links/demo/qr", "/api/links/{name}/qr"],
    ["/r/a/b", undefined],
    ["/api", undefined],
  ]) {
    expect(templateOf(path!), path).toBe(template);
  }
});

test("every example is what its schema asks for", () => {
  const wrong: string[] = [];
  const look = (content: Record<string, any> = {}, path: string[]) => {
    for (const [type, { example }] of Object.entries(content)) {
      const said = example === undefined ? undefined : flaw(example, [...path, type, "schema"]);
      if (said) wrong.push(`${path.join(" ")} ${type}: ${said}`);
    }
  };
  for (const template of Object.keys(description.paths)) {
    for (const method of methodsOf(template)) {
      const path = ["paths", template, method];
      look(at(...path)[0].requestBody?.content, [...path, "requestBody", "content"]);
      for (const status of Object.keys(at(...path)[0].responses)) {
        const [response, where] = at(...path, "responses", status);
        look(response.content, [...where, "content"]);
      }
    }
  }
  for (const [name, parameter] of Object.entries<any>(description.components.parameters)) {
    const said = parameter.example === undefined ? undefined : flaw(parameter.example, ["components", "parameters", name, "schema"]);
    if (said) wrong.push(`${name}: ${said}`);
  }
  expect(wrong).toEqual([]);
});
