// Funnels are kept, checked and shown; and reports on journeys that nobody has made yet are empty, not wrong.
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { click, pointers } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 }, config: { fold_at_segments: 1 } });
afterAll(() => server.stop());

async function ask(method: string, path: string, body?: unknown) {
  const response = await server.fetch(path, {
    method,
    headers: { authorization: `Bearer ${server.token}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: text !== "" && json ? JSON.parse(text) : text };
}

const steps = [{ kind: "page", path: "/pricing", name: "Pricing" }, { kind: "conversion", name: "purchase", min_value: 1.5 }];

test("a funnel is created, read, changed, deleted and restored", async () => {
  const created = await ask("POST", "/api/funnels", { name: "Sale", window_seconds: 3_600, order: "strict", steps });
  expect(created).toMatchObject({
    status: 201,
    body: { name: "Sale", window_seconds: 3_600, order: "strict", basis: "visitor", steps, exclude: null, version: 1 },
  });
  const { id, complete_from } = created.body;
  expect(complete_from).toBe(created.body.created_at);
  const path = `/api/funnels/${id}`;
  expect((await ask("GET", path)).body).toEqual(created.body);
  expect((await ask("PATCH", path, { name: "Sales" })).body).toMatchObject({ name: "Sales", complete_from, version: 2 });
  const changed = (await ask("PATCH", path, { order: "any" })).body;
  expect(changed.complete_from).toBe(changed.updated_at);
  expect((await ask("GET", "/api/funnels?search=sales")).body.data).toEqual([changed]);
  expect((await ask("DELETE", path)).status).toBe(204);
  expect((await ask("GET", `/stats/funnel?funnel_id=${id}`)).status).toBe(404);
  expect(await ask("POST", `${path}/restore`)).toMatchObject({ status: 200, body: { id, deleted_at: null } });
  const { data } = (await ask("GET", `/api/audit?entity=funnel&entity_id=${id}`)).body;
  expect(data.map(({ action }: any) => action).reverse()).toEqual(["created", "updated", "updated", "deleted", "restored"]);
});

test("what is wrong with a funnel is named step by step", async () => {
  for (const [body, at] of [
    [{ name: "F" }, ["/steps"]],
    [{ name: "F", steps: [{ kind: "page" }] }, ["/steps"]],
    [{ name: "F", steps: [{ kind: "page" }, { kind: "tap", path: "x" }] }, ["/steps/1/kind", "/steps/1/path"]],
    [{ name: "F", steps: [{ kind: "page" }, {}] }, ["/steps/1"]],
    [{ steps, window_seconds: 0, order: "loose" }, ["/name", "/order", "/window_seconds"]],
    [{ name: "F", steps, exclude: [{ colour: "red" }] }, ["/exclude/0/colour"]],
  ] as const) {
    const answer = await ask("POST", "/api/funnels", body);
    expect([answer.status, pointers(answer.body).sort()], JSON.stringify(body)).toEqual([400, at]);
  }
});

test("reports on journeys that nobody made are empty, and say what they cannot tell", async () => {
  await ask("PUT", "/api/funnels/empty", { name: "Empty", steps });
  expect((await ask("GET", "/stats/funnel?funnel_id=empty&group_by=country")).body).toMatchObject({
    funnel_id: "empty", name: "Empty", order: "ordered", entered: 0, completed: 0, groups: [],
    steps: [{ name: "Pricing", entered: 0, converted: 0, rate: null, drop_off: 0, median_seconds: null }, { name: "purchase" }],
  });
  expect((await ask("GET", "/stats/sessions?campaign_id=x&group_by=device")).body).toMatchObject({
    totals: { count: 0, bounce_rate: null, median_duration_seconds: null, revenue: 0 }, groups: [],
  });
  expect((await ask("GET", "/stats/conversions?model=linear")).body).toMatchObject({ model: "linear", totals: { conversions: 0 } });
  const { models } = (await ask("GET", "/stats/conversions?models=all")).body;
  expect(Object.keys(models).sort()).toEqual(["first", "last", "linear", "position", "time_decay"]);
  for (const [path, at] of [
    ["/stats/sessions?country=US&device=desktop", "/country"],
    ["/stats/conversions?model=best", "/model"],
    ["/stats/funnel", "/funnel_id"],
  ]) {
    const answer = await ask("GET", path);
    expect([answer.status, pointers(answer.body)], path).toEqual([400, [at]]);
  }
  expect((await ask("GET", "/stats/funnel?funnel_id=nobody")).status).toBe(404);
  for (const path of ["/stats/sessions", "/stats/funnel", "/stats/conversions", "/api/funnels", "/api/publishers/x/statement"]) {
    expect((await server.fetch(path)).status, path).toBe(401);
  }
});

test("a publisher is paid within the campaign's budget, and the statement says so", async () => {
  await ask("PUT", "/api/publishers/anna", { name: "Anna", payout_model: "cpc", payout_micros: 100_000, currency: "EUR" });
  const budget = { cost_model: "cpc", cost_micros: 250_000, currency: "EUR", budget_micros: 600_000, publisher_id: "anna" };
  await ask("PUT", "/api/campaigns/tight", { name: "Tight", ...budget });
  const totals = async (query: string) => (await ask("GET", `/stats/clicks?${query}`)).body.totals;
  // What is counted brings along what changed: the next is priced by it.
  await click(server, { campaign_id: "tick" });
  await settles(async () => expect((await totals("campaign_id=tick")).clicks).toBe(1));
  for (let n = 1; n <= 4; n++) {
    // A campaign pays for a visitor once: these are four.
    await click(server, { campaign_id: "tight", anonymous_id: `a${n}` });
    await settles(async () => expect((await totals("campaign_id=tight")).clicks).toBe(n));
  }
  expect(await totals("campaign_id=tight")).toMatchObject({
    clicks: 4, cost: 0.5, cost_micros: 500_000, payout_micros: 200_000, profit_micros: -700_000, roi: -1, currency: "EUR",
  });
  await ask("PATCH", "/api/campaigns/tight", { budget_micros: 750_000 });
  await click(server, { campaign_id: "tick" });
  await settles(async () => expect((await totals("campaign_id=tick")).clicks).toBe(2));
  await click(server, { campaign_id: "tight", anonymous_id: "a5" });
  await settles(async () => expect(await totals("campaign_id=tight")).toMatchObject({ clicks: 5, cost_micros: 750_000 }));

  const statement = (await ask("GET", "/api/publishers/anna/statement")).body;
  expect(statement.lines).toMatchObject([{ campaign_id: "tight", clicks: 3, payout: 0.3, currency: "EUR" }]);
  expect(statement.totals).toMatchObject([{ payout_micros: 300_000 }]);
  const csv = await ask("GET", "/api/publishers/anna/statement?format=csv");
  expect(csv.body.split("\r\n")[1]).toMatch(/^\d{4}-\d\d-\d\d,tight,3,0,0,0\.300000,EUR$/);
  expect((await ask("GET", "/api/publishers/nobody/statement")).status).toBe(404);
  expect((await ask("GET", "/api/publishers/anna/statement?month=now")).status).toBe(400);
});
