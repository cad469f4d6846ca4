import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { GOOGLEBOT, anEvent, click, pointers, post } from "./traffic.ts";

const [server, spread] = await Promise.all(
  [["DB"], ["DB", "DB_2", "DB_3"]].map((databases) =>
    startServer({ queue: { batchTimeout: 0 }, config: { fold_at_segments: 1, databases } }),
  ),
);
afterAll(() => Promise.all([server.stop(), spread.stop()]));

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await server.fetch(path, {
    method,
    headers: { authorization: `Bearer ${server.token}`, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, etag: response.headers.get("etag"), body: text === "" ? undefined : JSON.parse(text) };
}

const trail = async (entity: string, id: string) =>
  (await server.api(`/api/audit?entity=${entity}&entity_id=${id}`)).body.data.map(({ action, changes }: any) => [action, changes]).reverse();

test("a campaign is created, read, changed, deleted and restored, and its trail tells it all", async () => {
  const created = await ask("POST", "/api/campaigns", { id: "life", name: "Life", ends_at: "2030-01-01T00:00:00Z" });
  expect(created).toMatchObject({
    status: 201, etag: '"1"',
    body: { id: "life", name: "Life", status: "active", cost_model: "none", ends_at: "2030-01-01T00:00:00.000Z", click_lookback_seconds: 604_800, version: 1 },
  });
  expect(await ask("GET", "/api/campaigns/life")).toMatchObject({ status: 200, etag: '"1"', body: created.body });
  expect((await ask("POST", "/api/campaigns", { id: "life", name: "Other" })).status).toBe(409);

  const patched = await ask("PATCH", "/api/campaigns/life", { cost_model: "cpc", cost_micros: 5, currency: "EUR", ends_at: null });
  expect(patched).toMatchObject({ status: 200, etag: '"2"', body: { cost_micros: 5, currency: "EUR", ends_at: null, version: 2 } });
  expect(await ask("PATCH", "/api/campaigns/life", { cost_micros: 5 })).toMatchObject({ status: 200, etag: '"2"' });
  expect(await ask("PUT", "/api/campaigns/life", { name: "Whole" })).toMatchObject({ status: 200, etag: '"3"', body: { cost_model: "none", currency: null } });

  expect((await ask("DELETE", "/api/campaigns/life")).status).toBe(204);
  for (const method of ["GET", "DELETE"]) expect((await ask(method, "/api/campaigns/life")).status).toBe(404);
  expect((await ask("PATCH", "/api/campaigns/life", { name: "x" })).status).toBe(404);
  expect((await ask("POST", "/api/campaigns", { id: "life", name: "Other" })).status).toBe(409);
  expect((await server.api("/api/campaigns?status=deleted")).body.data.map(({ id }: any) => id)).toEqual(["life"]);
  expect(await ask("POST", "/api/campaigns/life/restore")).toMatchObject({ status: 200, etag: '"5"', body: { deleted_at: null } });
  expect((await ask("POST", "/api/campaigns/life/restore")).status).toBe(409);
  expect((await ask("POST", "/api/campaigns/nothing/restore")).status).toBe(404);

  expect(await trail("campaign", "life")).toMatchObject([
    ["created", { name: [null, "Life"], version: [null, 1] }],
    ["updated", { cost_model: ["none", "cpc"], cost_micros: [null, 5], ends_at: ["2030-01-01T00:00:00.000Z", null] }],
    ["updated", { name: ["Life", "Whole"], cost_model: ["cpc", "none"] }],
    ["deleted", { deleted_at: [null, expect.any(String)] }],
    ["restored", { deleted_at: [expect.any(String), null] }],
  ]);
});

test("a PUT makes what is not there, and says so", async () => {
  expect(await ask("PUT", "/api/publishers/a%2Fb", { name: "P" })).toMatchObject({ status: 201, etag: '"1"', body: { id: "a/b" } });
  expect(await ask("PUT", "/api/publishers/a%2Fb", { name: "P" })).toMatchObject({ status: 200, etag: '"1"' });
  expect((await ask("GET", "/api/publishers/a%2Fb")).body).toMatchObject({ name: "P", payout_model: "none" });
  const generated = await ask("POST", "/api/publishers", { name: "Q", payout_model: "revshare", payout_percent: 12.5 });
  expect(generated.body).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), payout_percent: 12.5 });
  expect(await trail("publisher", "a/b")).toMatchObject([["created", { name: [null, "P"] }]]);
});

test("a change that was made for one version is not made to another", async () => {
  await ask("POST", "/api/campaigns", { id: "raced", name: "0" });
  expect((await ask("PATCH", "/api/campaigns/raced", { name: "1" }, { "if-match": '"1"' })).status).toBe(200);
  const late = await ask("PATCH", "/api/campaigns/raced", { name: "2" }, { "if-match": '"1"' });
  expect([late.status, late.body.title]).toEqual([412, "Precondition failed"]);
  expect((await ask("PUT", "/api/campaigns/raced", { name: "2" }, { "if-none-match": "*" })).status).toBe(412);
  expect((await ask("DELETE", "/api/campaigns/raced", undefined, { "if-match": '"1"' })).status).toBe(412);
  expect((await ask("PUT", "/api/campaigns/fresh", { name: "2" }, { "if-match": "*" })).status).toBe(412);
  expect((await ask("PUT", "/api/campaigns/fresh", { name: "2" }, { "if-none-match": "*" })).status).toBe(201);

  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => ask("PATCH", "/api/campaigns/raced", { name: `r${n}` }, { "if-match": '"2"' })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
  expect((await trail("campaign", "raced")).length).toBe(3); // what lost is in no trail
});

test("what is no campaign is refused field by field", async () => {
  const cases: [string, unknown, string[]][] = [
    ["campaigns", {}, ["/name"]],
    ["campaigns", { name: "x", end_at: 1 }, ["/end_at"]],
    ["campaigns", { name: "x", starts_at: "2026-02-01T00:00:00Z", ends_at: "2026-01-01T00:00:00Z" }, ["/ends_at"]],
    ["campaigns", { name: "x", cost_model: "cpc" }, ["/cost_micros"]],
    ["campaigns", { name: "x", cost_model: "cpc", cost_micros: 1 }, ["/currency"]],
    ["campaigns", { name: "x", cost_micros: 0.5, status: "on" }, ["/cost_micros", "/status"]],
    ["publishers", { name: "x", payout_model: "revshare" }, ["/payout_percent"]],
    ["publishers", { name: "x", postback_url: "http://a" }, ["/postback_url"]],
    ["publishers", [], [""]],
  ];
  for (const [route, wanted, wrong] of cases) {
    const { status, body } = await server.api(`/api/${route}`, wanted);
    expect([status, pointers(body)], JSON.stringify(wanted)).toEqual([400, wrong]);
  }
  expect((await ask("PUT", "/api/campaigns", {})).status).toBe(405);
  expect((await ask("POST", "/api/campaigns/x", {})).status).toBe(405);
});

test("a key needs the scopes of links", async () => {
  const { body } = await server.api("/api/keys", { name: "r", scopes: ["links:read"] });
  const headers = { authorization: `Bearer ${body.key}` };
  expect((await ask("GET", "/api/campaigns", undefined, headers)).status).toBe(200);
  expect((await ask("POST", "/api/campaigns", { name: "x" }, headers)).status).toBe(403);
  expect((await ask("DELETE", "/api/campaigns/life", undefined, headers)).status).toBe(403);
  for (const path of ["/api/campaigns", "/api/campaigns/life", "/api/publishers"]) expect((await server.fetch(path)).status).toBe(401);
});

test("campaigns are listed page by page, searched and filtered", async () => {
  for (let n = 0; n < 5; n++) await ask("POST", "/api/campaigns", { id: `list-${n}`, name: `Sale ${n}`, status: n === 0 ? "paused" : "active" });
  await ask("PATCH", "/api/campaigns/list-1", { archived: true });
  const ids = async (query: string) => (await server.api(`/api/campaigns?search=LIST-&${query}`)).body.data.map(({ id }: any) => id);
  expect(await ids("")).toEqual(["list-4", "list-3", "list-2", "list-1", "list-0"]);
  expect(await ids("status=paused")).toEqual(["list-0"]);
  expect(await ids("status=archived")).toEqual(["list-1"]);
  const { body } = await server.api("/api/campaigns?search=sale&limit=2");
  expect([body.data.length, await ids(`limit=2&cursor=${encodeURIComponent(body.next_cursor)}`)]).toEqual([2, ["list-2", "list-1"]]);
  for (const [query, pointer] of [["status=on", "/status"], ["limit=0", "/limit"], ["cursor=x", "/cursor"], ["page=2", "/page"]]) {
    const { status, body } = await server.api(`/api/campaigns?${query}`);
    expect([status, pointers(body)], query).toEqual([400, [pointer]]);
  }
});

test.each([
  ["one database", () => server],
  ["three databases", () => spread],
])("an id that is counted and that no campaign has is listed as unknown, of %s", async (_, of) => {
  const server = of();
  const ask = (method: string, path: string, body: unknown) => server.api(path, body, method);
  await ask("POST", "/api/campaigns", { id: "known", name: "Known" });
  for (const campaign_id of ["known", "strange/one", "stranger"]) await click(server, { campaign_id });
  const unknown = async (query = "") => (await server.api(`/api/campaigns?status=unknown${query}`)).body;
  await settles(async () => {
    expect((await unknown()).data).toEqual([
      { id: "strange/one", status: "unknown", last_day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
      { id: "stranger", status: "unknown", last_day: expect.any(String) },
    ]);
  });
  const first = await unknown("&limit=1");
  expect((await unknown(`&cursor=${encodeURIComponent(first.next_cursor)}`)).data.map(({ id }: any) => id)).toEqual(["stranger"]);
  await ask("PUT", "/api/campaigns/stranger", { name: "Not any more" });
  expect((await unknown()).data.map(({ id }: any) => id)).toEqual(["strange/one"]);
});

test("people's clicks cost what the campaign pays, as it says when they are consumed", async () => {
  const priced = { cost_model: "cpc", cost_micros: 250_000, currency: "EUR", publisher_id: "partner", medium: "email" };
  await ask("PUT", "/api/campaigns/paid", { name: "Paid", ...priced });
  const report = async (query: string) => (await server.api(`/stats/clicks?${query}`)).body;
  const settled = (campaign: string, clicks: number, cost: number) =>
    settles(async () => expect((await report(`campaign_id=${campaign}`)).totals).toMatchObject({ clicks, cost }));
  // What is counted brings along what changed: the next is priced by it.
  let tick = 0;
  const inForce = async () => {
    await click(server, { campaign_id: "tick" });
    await settled("tick", ++tick, 0);
  };

  await inForce();
  for (let n = 0; n < 3; n++) await click(server, { campaign_id: "paid", anonymous_id: `a${n}` });
  await click(server, { campaign_id: "paid" }, { "user-agent": GOOGLEBOT });
  await click(server, { campaign_id: "paid", publisher_id: "other", anonymous_id: "a3" });
  await settled("paid", 4, 1);
  const by = async (dimension: string) =>
    (await report(`campaign_id=paid&group_by=${dimension}`)).groups.map(({ value, clicks, cost }: any) => [value, clicks, cost]);
  expect(await by("publisher_id")).toEqual([["partner", 3, 0.75], ["other", 1, 0.25]]);
  expect(await by("channel")).toEqual([["email", 4, 1]]);

  await ask("PATCH", "/api/campaigns/paid", { cost_micros: 1_000_000 });
  await inForce();
  await click(server, { campaign_id: "paid", anonymous_id: "a4" });
  await settled("paid", 5, 2);
  for (const change of [{ ends_at: "2026-01-01T00:00:00Z" }, { ends_at: null, status: "ended" }]) {
    await ask("PATCH", "/api/campaigns/paid", change);
    await inForce();
    const { clicks } = (await report("campaign_id=paid")).totals;
    await click(server, { campaign_id: "paid" });
    await settled("paid", clicks + 1, 2);
  }
  await ask("PATCH", "/api/campaigns/paid", { status: "active" });
  await ask("DELETE", "/api/campaigns/paid");
  await inForce();
  await click(server, { campaign_id: "paid" });
  await settled("paid", 8, 2);
  expect(Object.fromEntries((await by("publisher_id")).map(([value, clicks]: any) => [value, clicks]))).toMatchObject({ partner: 6 });
});

test("a thousand impressions cost what was agreed on", async () => {
  await ask("PUT", "/api/campaigns/seen", { name: "Seen", cost_model: "cpm", cost_micros: 2_500_000, currency: "EUR" });
  await click(server, { campaign_id: "tick2" });
  await settles(async () => expect((await server.api("/stats/clicks?campaign_id=tick2")).body.totals.clicks).toBe(1));
  const events = Array.from({ length: 4 }, () => ({ ...anEvent({ campaign_id: "seen" }), kind: "impression" }));
  expect((await post(server, "/events", events)).status).toBe(200);
  await settles(async () => {
    expect((await server.api("/stats/clicks?campaign_id=seen")).body.totals).toMatchObject({ impressions: 4, cost: 0.01 });
  });
});
