import { Webhook } from "standardwebhooks";
import { afterAll, expect, test } from "vitest";
import { Receiver } from "./receiver.ts";
import { settles, startServer } from "./server.ts";
import { anEvent, pointers, post, report } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 }, config: { webhook_private: true, fold_at_segments: 1 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;

/** Clicks of a campaign at a time in the past. */
async function clicks(campaign_id: string, count: number, at: number): Promise<void> {
  const events = Array.from({ length: count }, () => ({ kind: "click", ...anEvent({ campaign_id, event_time: at }) }));
  const { status, body } = await post(server, "/events", events);
  expect([status, body.results.every(({ status }: any) => status === "accepted")]).toEqual([200, true]);
}

const counted = (campaign: string, from: number) => async () =>
  (await report(server, `campaign_id=${campaign}&from=${from}&interval=day`)).totals.clicks;

const state = async (id: string) => (await server.api("/api/alert-states")).body.data.find(({ alert_id }: any) => alert_id === id);

test("an alarm goes off, is told, and is over", async () => {
  const hook = await server.api("/api/webhooks", { name: "w", url: receiver.url("/alerts"), events: ["alert.fired", "alert.resolved"] });
  const rule = { id: "busy", name: "Busy", metric: "clicks", threshold: 10, window_minutes: 30, campaign_id: "busy", cool_down_minutes: 0 };
  expect((await server.api("/api/alerts", rule)).status).toBe(201);
  await server.api("/api/alerts", { ...rule, id: "muted", muted_until: Date.now() + 3_600_000 });
  await server.api("/api/alerts", { ...rule, id: "off", status: "paused" });
  await server.scheduled();
  expect(await state("busy")).toMatchObject({ state: "ok", since: null, value: null });

  await clicks("busy", 20, Date.now() - 3 * MINUTE);
  await settles(async () => expect(await counted("busy", Date.now() - 60 * MINUTE)()).toBe(20));
  await server.scheduled();
  expect(await state("busy")).toMatchObject({ alert_id: "busy", name: "Busy", metric: "clicks", state: "firing", value: 20 });
  expect([(await state("muted")).state, (await state("off")).state]).toEqual(["firing", "ok"]);
  const told = () => receiver.at("/alerts").map(({ body, headers }) => new Webhook(hook.body.secret).verify(body, headers) as any);
  await settles(() => expect(told()).toMatchObject([{ type: "alert.fired", data: { alert: { id: "busy" }, changes: { value: [null, 20] } } }]));
  await server.scheduled();
  expect(told()).toHaveLength(1);

  await server.api("/api/alerts/busy", { threshold: 100 }, "PATCH");
  for (let look = 0; look < 3; look++) await server.scheduled();
  await settles(() => expect(told().map(({ type }) => type)).toEqual(["alert.fired", "alert.resolved"]));
  const trail = (await server.api("/api/audit?entity=alert&entity_id=busy")).body.data;
  expect(trail.map(({ action }: any) => action)).toEqual(["resolved", "updated", "fired", "created"]);
});

test("a spike is told from what is usual at that hour, and the report of quality says how unusual it is", async () => {
  const now = Date.now();
  // Weeks of a click a minute, around the hour in which the test runs.
  for (let week = 1; week <= 4; week++) {
    for (let quarter = -4; quarter <= 4; quarter++) await clicks("usual", 15, now - week * WEEK + quarter * 15 * MINUTE);
  }
  await settles(async () => expect(await counted("usual", now - 5 * WEEK)()).toBe(4 * 9 * 15), 40_000);
  await server.api("/api/alerts", { id: "spike", name: "Spike", metric: "clicks", condition: "spike", campaign_id: "usual" });
  await server.scheduled();
  expect(await state("spike")).toMatchObject({ state: "ok" });
  await clicks("usual", 60, now - 3 * MINUTE);
  await settles(async () => expect(await counted("usual", now - 60 * MINUTE)()).toBe(60));
  await server.scheduled();
  const firing = await state("spike");
  expect(firing).toMatchObject({ state: "firing", value: 60 });
  expect(firing.expected).toBeCloseTo(5, 0);
  expect(firing.score).toBeGreaterThan(5);
  const { body } = await server.api(`/stats/quality?campaign_id=usual&from=${now - 60 * MINUTE}`);
  expect(body.score).toMatchObject({ weeks: 4 });
  expect(body.score.expected).toBeCloseTo(60, -1);
  expect((await server.api("/stats/quality?campaign_id=nothing")).body.score).toMatchObject({ clicks: 0, expected: null, z: null, weeks: 0 });
});

test("the service's own state is watched too", async () => {
  await server.api("/api/alerts", { id: "dead", name: "Dead letters", metric: "dead_lettered", threshold: 0 });
  await server.api("/api/alerts", { id: "lost", name: "Lost", metric: "lost", threshold: 0 });
  await server.scheduled();
  expect([(await state("dead")).state, (await state("lost")).state]).toEqual(["ok", "ok"]);
});

test("what is wrong with an alert is named", async () => {
  for (const [body, pointer] of [
    [{ metric: "mood", threshold: 1 }, "/metric"],
    [{ metric: "clicks" }, "/threshold"],
    [{ metric: "bot_percent", condition: "spike" }, "/condition"],
    [{ metric: "lost", threshold: 0, link: "a" }, "/metric"],
    [{ threshold: 1, link: "a", campaign_id: "b" }, "/link"],
    [{ metric: "budget_percent", threshold: 80 }, "/campaign_id"],
    [{ threshold: -1 }, "/threshold"],
    [{ threshold: 1, window_minutes: 61 }, "/window_minutes"],
    [{ threshold: 1, window_minutes: 0 }, "/window_minutes"],
  ] as const) {
    const { status, body: problem } = await server.api("/api/alerts", { name: "x", ...body });
    expect([status, pointers(problem)], JSON.stringify(body)).toEqual([400, [pointer]]);
  }
});
