import { afterAll, expect, test } from "vitest";
import { eventually, settles, startServer } from "./server.ts";
import { click, pointers, post, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

const url = "https://shop.example/";

async function key(scopes: string[], more: Record<string, unknown> = {}) {
  const { status, body } = await server.api("/api/keys", { name: scopes.join(" "), scopes, ...more });
  expect([status, body]).toMatchObject([201, { key: expect.stringMatching(/^ck_[0-9a-f]{64}$/) }]);
  const headers = { authorization: `Bearer ${body.key}` };
  const ask = (path: string, method = "GET", json?: unknown) =>
    server.fetch(path, { method, headers, body: json === undefined ? undefined : JSON.stringify(json) });
  return { id: body.id, key: body.key as string, ask };
}

test("without a key there is nothing to see", async () => {
  const routes = ["/api/links", "/api/links/x", "/api/keys", "/api/dead-letters", "/api/audit", "/stats/clicks", "/stats/integrity"];
  for (const path of routes) {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Bearer " }, { authorization: `Basic ${server.token}` }]) {
      const response = await server.fetch(path, { headers: headers as Record<string, string> });
      expect([response.status, response.headers.get("www-authenticate")], path).toEqual([401, "Bearer"]);
      expect(await response.json()).toMatchObject({ status: 401 });
    }
  }
});

test("a key does what its scopes say", async () => {
  const reader = await key(["stats:read"]);
  expect((await reader.ask("/stats/clicks")).status).toBe(200);
  expect((await reader.ask("/stats/integrity")).status).toBe(200);
  const refused = await reader.ask("/api/links", "POST", { url });
  expect([refused.status, (await refused.json()).detail]).toEqual([403, "The key lacks the scope links:write"]);
  for (const path of ["/api/links", "/api/keys", "/api/audit", "/api/dead-letters"]) expect((await reader.ask(path)).status, path).toBe(403);

  const writer = await key(["links:read", "links:write"]);
  expect((await writer.ask("/api/links", "POST", { url, token: "written" })).status).toBe(201);
  expect((await writer.ask("/api/links/written")).status).toBe(200);
  expect((await writer.ask("/stats/clicks")).status).toBe(403);
  expect((await writer.ask("/api/keys", "POST", { name: "more", scopes: ["admin"] })).status).toBe(403);
});

test("a key is shown once, listed without itself, and revoked", async () => {
  const { id, key: secret, ask } = await key(["admin"]);
  const { body } = await server.api("/api/keys");
  expect(body.data.find((kept: any) => kept.id === id)).toMatchObject({ name: "admin", scopes: ["admin"], expires_at: null });
  expect(JSON.stringify(body)).not.toContain(secret);
  expect(JSON.stringify(await server.sql("SELECT * FROM keys"))).not.toContain(secret);
  expect((await ask(`/api/keys/${id}`, "DELETE")).status).toBe(204);
  expect((await ask("/api/keys")).status).toBe(401);
  expect((await server.api(`/api/keys/${id}`, undefined, "DELETE")).status).toBe(404);
});

test("a key's use is known to the hour, and its life is in the trail", async () => {
  const { id, ask } = await key(["stats:read"]);
  const listed = async () => (await server.api("/api/keys")).body.data.find((kept: any) => kept.id === id);
  expect((await listed()).last_used_at).toBeNull();
  await ask("/stats/clicks");
  const { last_used_at } = await eventually(async () => ((await listed()).last_used_at ? listed() : undefined));
  expect(Date.now() - Date.parse(last_used_at)).toBeLessThan(60_000);
  const [{ last_used_at_ms: first }] = await server.sql("UPDATE keys SET last_used_at_ms = 1000 WHERE hash = ? RETURNING last_used_at_ms", [id]);
  await ask("/api/links"); // refused, and used all the same
  await eventually(async () => Date.parse((await listed()).last_used_at) > Number(first));
  await server.api(`/api/keys/${id}`, undefined, "DELETE");

  const { body } = await server.api(`/api/audit?entity=key&entity_id=${id}`);
  expect(body.data.map(({ actor, action }: any) => [actor, action])).toEqual([["admin", "revoked"], ["admin", "created"]]);
  expect(body.data[1].changes).toMatchObject({ name: [null, "stats:read"], scopes: [null, ["stats:read"]] });
  expect(body.data[0].changes).toMatchObject({ name: ["stats:read", null] });
  const admin = await key(["admin"], { name: "Ann" });
  const made = await (await admin.ask("/api/keys", "POST", { name: "by Ann", scopes: ["stats:read"] })).json();
  const byAnn = (await server.api(`/api/audit?actor=${encodeURIComponent(`key:Ann#${admin.id.slice(0, 8)}`)}`)).body.data;
  expect(byAnn).toMatchObject([{ action: "created", entity: "key", entity_id: made.id }]);
  const first2 = (await server.api("/api/audit?limit=2")).body;
  const rest = (await server.api(`/api/audit?limit=500&cursor=${first2.next_cursor}`)).body;
  expect(rest.next_cursor).toBeNull();
  const ids = [...first2.data, ...rest.data].map((entry: any) => entry.id);
  expect(ids).toEqual([...ids].sort((a, b) => b - a));
  for (const [query, pointer] of [["entity=table", "/entity"], ["cursor=x", "/cursor"], ["from=soon", "/from"], ["who=me", "/who"]]) {
    const { status, body } = await server.api(`/api/audit?${query}`);
    expect([status, pointers(body)], query).toEqual([400, [pointer]]);
  }
});

test("a key expires", async () => {
  const late = await key(["stats:read"], { expires_at: new Date(Date.now() - 1_000).toISOString() });
  expect((await late.ask("/stats/clicks")).status).toBe(401);
  const good = await key(["stats:read"], { expires_at: new Date(Date.now() + 60_000).toISOString() });
  expect((await good.ask("/stats/clicks")).status).toBe(200);
});

test("what is no key to make is refused", async () => {
  const cases: [unknown, string[]][] = [
    [{ name: "", scopes: ["admin"] }, ["/name"]],
    [{ name: "x", scopes: ["admin", "everything"] }, ["/scopes/1"]],
    [{ name: "x", scopes: [] }, ["/scopes"]],
    [{ name: "x", scopes: ["admin"], expires_at: "soon" }, ["/expires_at"]],
    [{ name: "x" }, [""]],
    [{ name: "x", scopes: ["admin"], key: "mine" }, [""]],
  ];
  for (const [wanted, wrong] of cases) {
    const { status, body } = await server.api("/api/keys", wanted);
    expect([status, pointers(body)], JSON.stringify(wanted)).toEqual([400, wrong]);
  }
});

test("a link is created, read, changed and deleted", async () => {
  const created = await server.api("/api/links", { url, token: "whole", campaign_id: "spring", title: "Shoes" });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({
    token: "whole", url, short_url: `${server.url}/r/whole`, status: 302, campaign_id: "spring", title: "Shoes",
    publisher_id: null, expires_at: null, archived: false, version: 1,
  });
  expect((await server.api("/api/links/whole")).body).toEqual(created.body);

  const changed = await server.api("/api/links/whole", { title: null, expires_at: 1_900_000_000_000 }, "PATCH");
  expect(changed.body).toMatchObject({ title: null, campaign_id: "spring", expires_at: "2030-03-17T17:46:40.000Z", version: 2 });
  expect((await server.api("/api/links/whole", { title: null }, "PATCH")).body.version).toBe(2); // nothing changed
  expect((await server.api("/api/links/whole", { token: "other" }, "PATCH")).status).toBe(400);

  expect((await server.api("/api/links/whole", undefined, "DELETE")).status).toBe(204);
  for (const method of ["GET", "DELETE"]) expect((await server.api("/api/links/whole", undefined, method)).status).toBe(404);
  expect((await server.api("/api/links/whole", { title: "x" }, "PATCH")).status).toBe(404);
  expect((await server.api("/api/links/whole", {}, "POST")).status).toBe(405);
});

test("a token is given once", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => server.api("/api/links", { url: `${url}${n}`, token: "taken" })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  const winner = answers.find(({ status }) => status === 201)!.body;
  expect((await server.fetch("/r/taken")).headers.get("location")).toBe(winner.url);
  const drawn = await Promise.all(Array.from({ length: 20 }, () => server.api("/api/links", { url })));
  expect(new Set(drawn.map(({ body }) => body.token)).size).toBe(20);
});

test("changes that come at once do not undo each other", async () => {
  await server.api("/api/links", { url, token: "raced" });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => server.api("/api/links/raced", { title: `t${n}` }, "PATCH")));
  const accepted = answers.filter(({ status }) => status === 200).length;
  expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
  expect((await server.api("/api/links/raced")).body.version).toBe(1 + accepted);
});

test("what is no link is refused field by field", async () => {
  const cases: [unknown, string[]][] = [
    [{}, ["/url"]],
    [{ url, expire_at: 1 }, ["/expire_at"]],
    [{ url: "javascript:alert(1)" }, ["/url"]],
    [{ url: "http://127.0.0.1/" }, ["/url"]],
    [{ url: "http://169.254.169.254/latest" }, ["/url"]],
    [{ url, token: "a b" }, ["/token"]],
    [{ url, token: "api" }, ["/token"]],
    [{ url, status: 200 }, ["/status"]],
    [{ url, expires_at: 1_790_000_000 }, ["/expires_at"]],
    [{ url: "nowhere", title: "x".repeat(600), max_clicks: 0, archived: "no" }, ["/url", "/title", "/max_clicks", "/archived"]],
    [[], [""]],
  ];
  for (const [wanted, wrong] of cases) {
    const { status, body } = await server.api("/api/links", wanted);
    expect([status, pointers(body)], JSON.stringify(wanted).slice(0, 80)).toEqual([400, wrong]);
  }
  const twice = await post(server, "/api/links", `{"url":"${url}","url":"${url}"}`, { authorization: `Bearer ${server.token}` });
  expect([twice.status, pointers(twice.body)]).toEqual([400, ["/url"]]);
  const large = await server.api("/api/links", { url, title: "x".repeat(140_000) });
  expect(large.status).toBe(413);
});

test("links are listed page by page, newest first, each once", async () => {
  const tokens = Array.from({ length: 25 }, (_, n) => `page-${n}`);
  for (const token of tokens) await server.api("/api/links", { url, token });
  const listed: string[] = [];
  for (let cursor: string | null = null, pages = 0; pages < 50; pages++) {
    const { status, body }: any = await server.api(`/api/links?limit=7${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    expect(status).toBe(200);
    listed.push(...body.data.map((link: any) => link.token));
    cursor = body.next_cursor;
    if (pages === 0) await server.api("/api/links", { url, token: "page-while" }); // a new one moves nothing
    if (cursor === null) break;
    expect(body.data.length).toBe(7);
  }
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed.filter((token) => token.startsWith("page-"))).toEqual(tokens.reverse());
  for (const [query, pointer] of [["limit=0", "/limit"], ["limit=501", "/limit"], ["cursor=word", "/cursor"], ["page=2", "/page"]]) {
    const { status, body } = await server.api(`/api/links?${query}`);
    expect([status, pointers(body)], query).toEqual([400, [pointer]]);
  }
});

test("a link's name is data, whatever it looks like", async () => {
  const campaign_id = `x'); DROP TABLE links; -- "\\%`;
  expect((await server.api("/api/links", { url, token: "quoted", campaign_id })).status).toBe(201);
  await server.fetch("/r/quoted");
  await click(server, { campaign_id });
  await settles(async () => {
    const { kinds } = await totals(server, new URLSearchParams({ campaign_id: campaign_id.replaceAll("\\", "\\\\") }).toString());
    expect(kinds.click.events).toBe(2);
  });
  expect((await server.api("/api/links/quoted")).body.campaign_id).toBe(campaign_id);
});
