// Links as they are managed: names, versions, lists, many at once, files.
import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { eventually, startServer } from "./server.ts";
import { pointers } from "./traffic.ts";

const server = await startServer({ config: { domains: ["go.example"] } });
afterAll(() => server.stop());

const url = "https://shop.example/";

interface Answer {
  status: number;
  headers: Headers;
  body: any;
  text: string;
}

async function ask(path: string, { method = "GET", body, headers = {} }: { method?: string; body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer> {
  const sent = body === undefined || typeof body === "string" ? (body as string | undefined) : JSON.stringify(body);
  const response = await server.fetch(path, { method, body: sent, headers: { authorization: `Bearer ${server.token}`, ...headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: /[/+]json$/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : undefined, text };
}

const make = (link: Record<string, unknown>, headers?: Record<string, string>) => ask("/api/links", { method: "POST", body: { url, ...link }, headers });
const patch = (name: string, body: unknown, headers?: Record<string, string>) => ask(`/api/links/${name}`, { method: "PATCH", body, headers });
const put = (name: string, body: unknown, headers?: Record<string, string>) => ask(`/api/links/${name}`, { method: "PUT", body, headers });
const follow = (token: string) => server.fetch(`/r/${token}`);

async function listed(query: string): Promise<string[]> {
  const tokens: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body } = await ask(`/api/links?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    expect([status, body.errors], query).toEqual([200, undefined]);
    tokens.push(...body.data.map((link: any) => link.token));
    cursor = body.next_cursor;
  }
  return tokens;
}

test("a version guards against lost updates", async () => {
  const made = await make({ token: "guarded" });
  expect([made.status, made.headers.get("etag")]).toEqual([201, '"1"']);
  expect((await ask("/api/links/guarded")).headers.get("etag")).toBe('"1"');
  const known = await ask("/api/links/guarded", { headers: { "if-none-match": '"1"' } });
  expect([known.status, known.text, known.headers.get("etag")]).toEqual([304, "", '"1"']);
  const first = await patch("guarded", { title: "mine" }, { "if-match": '"1"' });
  expect([first.status, first.headers.get("etag"), first.body.version]).toEqual([200, '"2"', 2]);
  for (const [method, body] of [["PATCH", { title: "theirs" }], ["PUT", { url }], ["DELETE", undefined]] as const) {
    const stale = await ask("/api/links/guarded", { method, body, headers: { "if-match": '"1"' } });
    expect([stale.status, stale.body.status]).toEqual([412, 412]);
  }
  expect((await put("guarded", { url }, { "if-none-match": "*" })).status).toBe(412);
  expect((await put("absent", { url }, { "if-match": "*" })).status).toBe(412);
  expect((await ask("/api/links/guarded")).body).toMatchObject({ title: "mine", version: 2 });
  expect((await ask("/api/links/guarded", { headers: { "if-none-match": '"1"' } })).status).toBe(200);
});

test("a change that nobody guards is made to the link as it is", async () => {
  await make({ token: "shared" });
  const fields = ["title", "note", "folder"];
  const answers = await Promise.all(fields.map((field) => patch("shared", { [field]: field })));
  const made = answers.filter(({ status }) => status === 200).length;
  const { body } = await ask("/api/links/shared");
  expect(fields.filter((field) => body[field] === field).length).toBe(made);
  expect(body.version).toBe(1 + made);
});

test("a put makes the link what the body says, or makes it, by each of its names", async () => {
  expect((await put("wanted", { url, title: "T" }, { "if-none-match": "*" })).status).toBe(201);
  const again = await put("wanted", { url });
  expect([again.status, again.body.title, again.body.version]).toEqual([200, null, 2]);
  expect((await put("wanted", { url })).body.version).toBe(2);

  const external_id = "crm/7 ä";
  const name = `ext:${encodeURIComponent(external_id)}`;
  const made = await put(name, { url });
  expect([made.status, made.body.external_id]).toEqual([201, external_id]);
  const moved = await put(name, { url: `${url}new`, tags: ["a"] });
  expect([moved.status, moved.body.token, moved.body.external_id, moved.body.version]).toEqual([200, made.body.token, external_id, 2]);
  expect((await ask(`/api/links/${name}`)).body).toEqual(moved.body);
  expect((await patch(name, { title: "T" })).body.title).toBe("T");
  expect((await put("wanted", { url, token: "other" })).status).toBe(400);
  const taken = await put("wanted", { url, external_id });
  expect([taken.status, pointers(taken.body)]).toEqual([409, ["/external_id"]]);
  const reserved = await put("api", { url });
  expect([reserved.status, pointers(reserved.body)]).toEqual([400, ["/token"]]);
});

test("a host has its own tokens", async () => {
  await make({ token: "here" });
  const there = await make({ token: "here", domain: "go.example", url: `${url}there` });
  expect([there.status, there.body.short_url]).toEqual([201, "http://go.example/r/here"]);
  expect((await ask("/api/links/here?domain=go.example")).body.url).toBe(`${url}there`);
  expect((await ask("/api/links/here")).body.url).toBe(url);
  expect((await ask("/api/links/here?domain=other.example")).status).toBe(404);
  expect((await put("new-there?domain=go.example", { url })).body.domain).toBe("go.example");
  expect(pointers((await put("new-there?domain=other.example", { url })).body)).toEqual(["/domain"]);
  expect((await listed("domain=go.example&sort=token")).slice(0, 2)).toEqual(["here", "new-there"]);
});

test("what is deleted leads nowhere, keeps its token, and can be restored, until it is purged", async () => {
  await make({ token: "mortal", external_id: "m" });
  expect((await follow("mortal")).status).toBe(302);
  expect((await ask("/api/links/mortal", { method: "DELETE" })).status).toBe(204);
  await eventually(async () => (await follow("mortal")).status === 404);
  for (const method of ["GET", "DELETE", "PATCH"]) {
    expect((await ask("/api/links/mortal", { method, body: method === "PATCH" ? {} : undefined })).status, method).toBe(404);
  }
  const taken = await make({ token: "mortal" });
  expect([taken.status, pointers(taken.body)]).toEqual([409, ["/token"]]);
  expect(taken.body.detail).toContain("deleted");
  expect(await listed("external_id=m")).toEqual([]);
  expect(await listed("external_id=m&state=deleted")).toEqual(["mortal"]);

  const back = await ask("/api/links/mortal/restore", { method: "POST" });
  expect([back.status, back.body.deleted_at, back.body.version]).toEqual([200, null, 3]);
  expect((await ask("/api/links/mortal/restore", { method: "POST" })).body.version).toBe(3);
  await eventually(async () => (await follow("mortal")).status === 302);

  expect((await ask("/api/links/mortal?purge=true", { method: "DELETE" })).status).toBe(204);
  expect((await ask("/api/links/mortal/restore", { method: "POST" })).status).toBe(404);
  await eventually(async () => (await follow("mortal")).status === 404);
  expect((await make({ token: "mortal" })).status).toBe(201);
  const { body } = await ask("/api/links/mortal/history");
  expect(body.data.map(({ action }: any) => action)).toEqual(["created", "purged", "restored", "deleted", "created"]);
  expect(body.data[0]).toMatchObject({ actor: "admin", entity: "link", entity_id: "mortal", changes: { url: [null, url] } });
  expect(Object.keys(body.data[2].changes).sort()).toEqual(["deleted_at", "version"]);
  expect((await ask("/api/links/mortal/history?limit=2")).body.data.length).toBe(2);
  expect((await ask("/api/links/mortal/history", { method: "POST" })).status).toBe(405);
  expect((await ask("/api/links/mortal/stats")).status).toBe(404);
});

test("links are found by what is said of them, in any order", async () => {
  const in_ = (ms: number) => new Date(Date.now() + ms).toISOString();
  await make({ token: "f1", title: "Größe 100%", tags: ["x", "y"], folder: "find", campaign_id: "cf" });
  await make({ token: "f2", title: "b", tags: ["x"], folder: "find", starts_at: in_(3_600_000) });
  await make({ token: "f3", title: "a", note: "needle\nhere", folder: "find", expires_at: in_(-1_000) });
  await make({ token: "f4", title: "C", folder: "find", archived: true, expires_at: in_(9_000_000) });
  for (const [query, wanted] of [
    ["", "f4 f3 f2 f1"],
    ["sort=created&limit=1", "f1 f2 f3 f4"],
    ["sort=title&limit=1", "f3 f2 f4 f1"],
    ["sort=-title&limit=3", "f1 f4 f2 f3"],
    ["sort=token&limit=2", "f1 f2 f3 f4"],
    ["sort=expires&limit=1", "f3 f4 f1 f2"],
    ["sort=-updated", "f4 f3 f2 f1"],
    ["search=GRÖSSE", ""],
    ["search=größe%20100%25", "f1"],
    ["search=NEEDLE", "f3"],
    ["tag=x", "f2 f1"],
    ["tag=x&tag=y", "f1"],
    ["campaign_id=cf", "f1"],
    ["state=active", "f1"],
    ["state=scheduled", "f2"],
    ["state=expired", "f3"],
    ["state=archived", "f4"],
  ]) {
    expect((await listed(`folder=find&${query}`)).join(" "), query).toBe(wanted);
  }
  expect((await ask("/api/folders")).body.data).toContainEqual({ name: "find", links: 4 });
  const tags = await ask("/api/tags?limit=1");
  const more = await ask(`/api/tags?cursor=${tags.body.next_cursor}`);
  expect([...tags.body.data, ...more.body.data]).toEqual(expect.arrayContaining([{ name: "x", links: 2 }, { name: "y", links: 1 }]));
  await patch("f1", { tags: ["y"], folder: "elsewhere" });
  expect(await listed("folder=find&tag=x")).toEqual(["f2"]);
  for (const [path, pointer] of [
    ["/api/links?colour=red", "/colour"],
    ["/api/links?state=gone", "/state"],
    ["/api/links?sort=clicks", "/sort"],
    ["/api/links?cursor=-title.a.b.", "/cursor"],
    ["/api/tags?limit=0", "/limit"],
    ["/api/links/f1?colour=red", "/colour"],
    ["/api/export?format=xls", "/format"],
  ]) {
    const { status, body } = await ask(path);
    expect([status, pointers(body)], path).toEqual([400, [pointer]]);
  }
});

test("a request that is sent again with its key counts once", async () => {
  const headers = { "idempotency-key": randomUUID() };
  const body = { url: `${url}once` };
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => make(body, headers)));
  for (const { status } of [first, ...others]) expect([201, 409]).toContain(status);
  const again = await make(body, headers);
  expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
  expect((await listed("search=once")).length).toBe(1);
  expect(again.body.token).toBe((await listed("search=once"))[0]);
  expect((await make({ url: `${url}twice` }, headers)).status).toBe(422);
  const bad = await make(body, { "idempotency-key": "x".repeat(256) });
  expect([bad.status, pointers(bad.body)]).toEqual([400, ["/Idempotency-Key"]]);
  // what failed is not kept: the next try may do better
  const failing = { "idempotency-key": randomUUID() };
  expect((await make({ url: "nowhere" }, failing)).status).toBe(400);
  expect((await make(body, failing)).status).toBe(201);

  const bulk = { create: [{ url }, { url }] };
  const keyed = { method: "POST", body: bulk, headers: { "idempotency-key": randomUUID() } };
  const one = await ask("/api/links/bulk", keyed);
  const two = await ask("/api/links/bulk", keyed);
  expect(two.body).toEqual(one.body);
  expect(two.headers.get("idempotent-replayed")).toBe("true");
  await server.sql("UPDATE answered SET at_ms = at_ms - 86400000");
  await server.scheduled();
  expect((await ask("/api/links/bulk", keyed)).body).not.toEqual(one.body);
});

test("a thousand operations are answered one by one, and a bad one costs its neighbours nothing", async () => {
  await make({ token: "bulk-there", external_id: "b1" });
  await make({ token: "bulk-gone" });
  const started = performance.now();
  const create = Array.from({ length: 993 }, (_, n) => ({ url: `${url}${n}`, token: `bulk-${n}`, tags: ["bulk"] }));
  const { status, body, headers } = await ask("/api/links/bulk", {
    method: "POST",
    body: {
      create: [...create, { url, token: "bulk-there" }, { url: "nowhere" }],
      update: [{ external_id: "b1", title: "new" }, { token: "bulk-there", title: "newer" }, { token: "bulk-not", title: "x" }],
      delete: ["bulk-gone", { token: "a/b" }],
    },
  });
  expect(performance.now() - started).toBeLessThan(20_000);
  expect([status, body.results.length]).toEqual([200, 1_000]);
  expect(body.results.slice(0, 993).every((result: any) => result.status === "created" && result.version === 1)).toBe(true);
  expect(body.results.slice(993).map((result: any) => [result.op, result.status, result.token])).toEqual([
    ["create", "conflict", "bulk-there"],
    ["create", "invalid", null],
    ["update", "updated", "bulk-there"],
    ["update", "conflict", "bulk-there"],
    ["update", "not_found", "bulk-not"],
    ["delete", "deleted", "bulk-gone"],
    ["delete", "invalid", null],
  ]);
  expect(pointers(body.results[994])).toEqual(["/url"]);
  expect(Number(headers.get("x-clicktrail-live-within"))).toBeGreaterThan(0);
  expect((await listed("tag=bulk&limit=500")).length).toBe(993);
  expect((await follow("bulk-992")).headers.get("location")).toBe(`${url}992`);
  expect((await ask("/api/links/bulk-there")).body.title).toBe("new");
  const { body: again } = await ask("/api/links/bulk", { method: "POST", body: { update: [{ token: "bulk-there", title: "new" }] } });
  expect(again.results[0].status).toBe("unchanged");
  for (const wrong of [{}, { create: {} }, { delete: Array(1_001).fill("x") }]) {
    expect((await ask("/api/links/bulk", { method: "POST", body: wrong })).status).toBe(400);
  }
});

test("calls that are about the same links at once undo nothing of each other", async () => {
  const tokens = Array.from({ length: 20 }, (_, n) => `race-${n}`);
  const calls = await Promise.all(
    Array.from({ length: 6 }, (_, call) =>
      ask("/api/links/bulk", { method: "POST", body: { create: tokens.map((token) => ({ url: `${url}${call}`, token })) } }),
    ),
  );
  const results = calls.filter(({ status }) => status === 200).flatMap(({ body }) => body.results);
  expect(results.filter(({ status }: any) => status === "created").map(({ token }: any) => token).sort()).toEqual([...tokens].sort());
  for (const { status } of calls) expect([200, 409]).toContain(status);
});

test("a file is tried, taken in, and given out again", async () => {
  const bring = (query: string, body: string) => ask(`/api/import?${query}`, { method: "POST", body, headers: { "content-type": "text/csv" } });
  const links = ["token,url,title,tags,folder", "file-1,https://shop.example/1,One,a|b,file", "file-2,nowhere,Two,,file", "file-3,https://shop.example/3,Three,,file"].join("\r\n");
  const dry = await bring("dry_run=true", links);
  expect(dry.body).toMatchObject({ format: "csv", dry_run: true, counts: { created: 2, invalid: 1 } });
  expect(dry.body.results.map(({ line, status, token }: any) => [line, status, token])).toEqual([
    [2, "created", "file-1"],
    [3, "invalid", "file-2"],
    [4, "created", "file-3"],
  ]);
  expect(pointers(dry.body.results[1])).toEqual(["/url"]);
  expect((await ask("/api/links/file-1")).status).toBe(404);
  expect((await bring("", links)).body.counts).toEqual({ created: 2, invalid: 1 });
  expect((await bring("on_conflict=skip", links)).body.counts).toEqual({ skipped: 2, invalid: 1 });
  expect((await bring("on_conflict=error", links)).body.counts).toEqual({ conflict: 2, invalid: 1 });
  const updated = await bring("on_conflict=update", links.replace("Three", "3"));
  expect(updated.body.counts).toEqual({ unchanged: 1, updated: 1, invalid: 1 });
  expect((await ask("/api/links/file-3/history")).body.data.map(({ action }: any) => action)).toEqual(["updated", "imported"]);

  const ndjson = await ask("/api/export?format=ndjson&folder=file&sort=token");
  expect(ndjson.headers.get("content-type")).toBe("application/x-ndjson");
  expect(ndjson.text.trim().split("\n").map((line) => JSON.parse(line).title)).toEqual(["One", "3"]);
  const out = await ask("/api/export?folder=file&sort=token");
  expect(out.headers.get("content-disposition")).toContain("links.csv");
  expect(out.text.split("\r\n").length).toBe(4);
  for (const token of ["file-1", "file-3"]) await ask(`/api/links/${token}?purge=true`, { method: "DELETE" });
  expect((await bring("", out.text)).body.counts).toEqual({ created: 2 });
  expect((await ask("/api/links/file-1")).body).toMatchObject({ title: "One", tags: ["a", "b"], folder: "file" });
  for (const [query, pointer] of [["format=xls", "/format"], ["dry_run=maybe", "/dry_run"], ["on_conflict=fight", "/on_conflict"], ["x=1", "/x"]]) {
    const { status, body } = await bring(query, links);
    expect([status, pointers(body)], query).toEqual([400, [pointer]]);
  }
  expect((await bring("", "what,ever\n1,2")).status).toBe(400);
});

test("thousands of links go in and come out, each once", async () => {
  const lines = Array.from({ length: 2_500 }, (_, n) => JSON.stringify({ token: `many-${n}`, url: `${url}${n}`, folder: "many" }));
  const { status, body } = await ask("/api/import?format=ndjson", { method: "POST", body: lines.join("\n") });
  expect([status, body.counts]).toEqual([200, { created: 2_500 }]);
  const { text } = await ask("/api/export?format=ndjson&folder=many");
  const tokens = text.trim().split("\n").map((line) => JSON.parse(line).token);
  expect([tokens.length, new Set(tokens).size]).toEqual([2_500, 2_500]);
  expect((await follow("many-2499")).headers.get("location")).toBe(`${url}2499`);
});

test("an answer says when a change is live", async () => {
  const within = async (answer: Promise<Answer>) => Number((await answer).headers.get("x-clicktrail-live-within"));
  expect(await within(make({ token: "lively" }))).toBe(4);
  expect(await within(patch("lively", { title: "x" }))).toBe(4);
  expect((await patch("lively", { title: "x" })).headers.get("x-clicktrail-live-within")).toBeNull();
  expect(await within(ask("/api/links/lively", { method: "DELETE" }))).toBe(4);
});

test("whoever may only read changes nothing", async () => {
  const { body } = await server.api("/api/keys", { name: "reader", scopes: ["links:read"] });
  const headers = { authorization: `Bearer ${body.key}` };
  for (const path of ["/api/links", "/api/tags", "/api/folders", "/api/export", "/api/links/guarded", "/api/links/guarded/history"]) {
    expect((await ask(path, { headers })).status, path).toBe(200);
  }
  for (const [method, path] of [["PUT", "/api/links/guarded"], ["POST", "/api/links/guarded/restore"], ["POST", "/api/links/bulk"], ["POST", "/api/import"]]) {
    expect((await ask(path, { method, headers, body: {} })).status, path).toBe(403);
  }
});
