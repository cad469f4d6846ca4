// The TypeScript client of clients/typescript against the Worker. That its types fit the description is tsc's to say.
import { afterAll, expect, test } from "vitest";
import { campaignOf, clicksOf, tokens } from "../../clients/typescript/example.ts";
import { createClient, data, Refused } from "../../clients/typescript/src/index.ts";
import { settles, startServer } from "./server.ts";
import { CHROME } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 1 } });
afterAll(() => server.stop());

/** As Node's, with a person's user agent. */
const asPerson: typeof fetch = (request, init) => {
  const headers = new Headers(request instanceof Request ? request.headers : init?.headers);
  headers.set("user-agent", CHROME);
  return fetch(request, { ...init, headers });
};
const client = createClient(`${server.url}/`, server.token, { fetch: asPerson });

test("a link is made, followed and counted", async () => {
  await campaignOf(client, "typed");
  await settles(async () => expect(await clicksOf(client, "typed")).toBe(2));
});

test("a list is read page after page, to its end and no further", async () => {
  for (const token of ["p1", "p2", "p3"]) await data(client.POST("/api/links", { body: { token, url: "https://example.com/" } }));
  const found = await tokens(client, 2);
  expect(found).toEqual(expect.arrayContaining(["p1", "p2", "p3", "typed"]));
  expect(new Set(found).size).toBe(found.length);
});

test("an answer without a body is none", async () => {
  await data(client.POST("/api/links", { body: { token: "short-lived", url: "https://example.com/" } }));
  expect(await data(client.DELETE("/api/links/{name}", { params: { path: { name: "short-lived" } } }))).toBeUndefined();
});

test("what is refused says which field it is about", async () => {
  const wrong = data(client.POST("/api/links", { body: { token: "no url" } as never }));
  await expect(wrong).rejects.toThrow(Refused);
  await expect(wrong).rejects.toMatchObject({ status: 400, problem: { errors: expect.arrayContaining([expect.objectContaining({ pointer: "/url" })]) } });
  await expect(data(createClient(server.url).GET("/api/links"))).rejects.toMatchObject({ status: 401 });
});

test("a redirect is an answer", async () => {
  const { response } = await client.GET("/r/{token}", { params: { path: { token: "typed" } } });
  expect([response.status, response.headers.get("location")]).toEqual([302, "https://example.com/sale"]);
});
