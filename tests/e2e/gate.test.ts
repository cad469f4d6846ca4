import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { eventually, settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, from, integrity, post, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

const statuses = (answers: { body: { status: string } }[]) => answers.map((answer) => answer.body.status);

test("of 100 copies that come at once, one counts", async () => {
  const event = anEvent({ campaign_id: "copies" });
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(server, "/events/click", event)));
  expect(answers.map((answer) => answer.status)).toEqual(Array(100).fill(200));
  expect(statuses(answers).sort()).toEqual(["accepted", ...Array(99).fill("duplicate")]);
  expect(new Set(answers.map((answer) => answer.body.event_id))).toEqual(new Set([event.event_id]));
  await settles(async () => {
    expect(await totals(server, "campaign_id=copies")).toMatchObject({ clicks: 1, raw: 100, bots: 0, duplicates: 99 });
  });
});

test("copies in 100 batches of events count once each", async () => {
  const events = Array.from({ length: 20 }, () => anEvent({ campaign_id: "batches" }));
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(server, "/events", events)));
  const accepted = events.map((_, place) => answers.filter(({ body }) => body.results[place].status === "accepted").length);
  expect(accepted).toEqual(Array(20).fill(1));
  await settles(async () => {
    expect(await totals(server, "campaign_id=batches")).toMatchObject({ clicks: 20, raw: 2000, duplicates: 1980 });
  });
});

test("a UUID is the same in every spelling", async () => {
  const id = randomUUID();
  const spellings = [id, id.toUpperCase(), `{${id}}`, `urn:uuid:${id}`, id.replaceAll("-", ""), ` ${id} `];
  const answers = [];
  for (const event_id of spellings) answers.push(await click(server, { campaign_id: "spellings", event_id }));
  expect(statuses(answers)).toEqual(["accepted", ...Array(5).fill("duplicate")]);
  expect(answers.map((answer) => answer.body.event_id)).toEqual(Array(6).fill(id));
  await settles(async () => {
    expect(await totals(server, "campaign_id=spellings")).toMatchObject({ clicks: 1, duplicates: 5 });
  });
});

test("an id that is no UUID is an id too", async () => {
  const answers = [];
  for (const event_id of ["order 1", "order 1", "Order 1", "x".repeat(128), "x".repeat(128), "注文-1", "注文-1"]) {
    answers.push(await click(server, { campaign_id: "orders", event_id }));
  }
  expect(statuses(answers)).toEqual(["accepted", "duplicate", "accepted", "accepted", "duplicate", "accepted", "duplicate"]);
  for (const { body } of answers) expect(body.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  expect(answers[0].body.event_id).toBe(answers[1].body.event_id);
});

test("of those who share a call, each is told of its own event, whoever leaves meanwhile", async () => {
  const known = await Promise.all(Array.from({ length: 20 }, () => post(server, "/events/click", anEvent({ campaign_id: "shared" }))));
  const requests = Array.from({ length: 90 }, (_, n) => {
    const event = n % 3 === 0 ? { ...anEvent({ campaign_id: "shared" }), event_id: known[n / 3 % 20].body.event_id } : anEvent({ campaign_id: "shared" });
    const leaves = n % 3 === 1 ? new AbortController() : undefined;
    const told = fetch(`${server.url}/events/click`, { method: "POST", headers: { "user-agent": CHROME }, body: JSON.stringify(event), signal: leaves?.signal })
      .then((answer) => answer.json() as Promise<{ status: string }>)
      .then(({ status }) => status, (error) => (leaves ? "left" : String(error)));
    if (leaves) setTimeout(() => leaves.abort(), n % 10);
    return told;
  });
  for (const [n, status] of (await Promise.all(requests)).entries()) {
    expect([n, n % 3 === 1 && status === "left" ? "accepted" : status]).toEqual([n, n % 3 === 0 ? "duplicate" : "accepted"]);
  }
  await settles(async () => {
    const { clicks, duplicates } = await totals(server, "campaign_id=shared");
    expect(duplicates).toBe(30);
    expect(clicks).toBeGreaterThanOrEqual(50);
    expect(clicks).toBeLessThanOrEqual(80);
    expect(await integrity(server)).toMatchObject({ lost: 0, in_flight: 0 });
  });
});

test("an evicted gate remembers what it has seen", async () => {
  const events = Array.from({ length: 12 }, () => anEvent({ campaign_id: "evicted" }));
  for (const event of events) await post(server, "/events/click", event);
  await settles(async () => expect((await totals(server, "campaign_id=evicted")).clicks).toBe(12));

  const before = await integrity(server);
  for (const { gate } of before.gates) await server.evict("Gate", gate);
  const again = [];
  for (const event of events) again.push(await post(server, "/events/click", event));
  expect(statuses(again)).toEqual(Array(12).fill("duplicate"));
  await settles(async () => {
    expect(await totals(server, "campaign_id=evicted")).toMatchObject({ clicks: 12, duplicates: 12 });
  });
  const after = await integrity(server);
  expect(after).toMatchObject({ admitted: before.admitted, applied: before.applied, lost: 0, duplicates: before.duplicates + 12 });
});

test("a visitor's events go to the nearest gates", async () => {
  for (const [country, continent] of [["DE", "EU"], ["JP", "AS"], ["BR", "SA"], ["AU", "OC"], ["KE", "AF"]]) {
    await click(server, {}, from(country, continent));
  }
  const regions = (await integrity(server)).gates.map(({ gate }: { gate: string }) => gate.split("/")[1]);
  expect([...new Set(regions)].sort()).toEqual(["apac", "enam", "oc", "weur", "wnam"]);
});

test("after the window the same id is another event", async () => {
  await using server = await startServer({ config: { window_seconds: 1 }, queue: { batchTimeout: 0 } });
  const event = anEvent({ campaign_id: "window" });
  expect(statuses([await post(server, "/events/click", event), await post(server, "/events/click", event)])).toEqual([
    "accepted",
    "duplicate",
  ]);
  await eventually(async () => (await post(server, "/events/click", event)).body.status === "accepted");
  expect(statuses([await post(server, "/events/click", event)])).toEqual(["duplicate"]);
  await settles(async () => expect((await totals(server, "campaign_id=window")).clicks).toBe(2));
});
