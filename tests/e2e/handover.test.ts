import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Server, settles, startServer } from "./server.ts";
import { anEvent, integrity, post, totals } from "./traffic.ts";

// One product over several deploys: what it has stored stays, and the numbers of its gates change.
const state = mkdtempSync(join(tmpdir(), "clicktrail-handover-"));
const deployed = (gate_shards: number, ...gate_shards_before: number[]) =>
  startServer({ state, config: { gate_regions: false, gate_shards, gate_shards_before, confirm_after_seconds: 1 }, queue: { batchTimeout: 0, retries: 100 } });
afterAll(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));

const all: any[] = [];
const some = () => {
  const events = Array.from({ length: 100 }, () => anEvent({ campaign_id: "moved" }));
  all.push(...events);
  return events;
};
async function statuses(server: Server, events: any[]): Promise<Record<string, number>> {
  const { status, body } = await post(server, "/events", events);
  expect(status).toBe(200);
  const count: Record<string, number> = {};
  for (const result of body.results) count[result.status] = (count[result.status] ?? 0) + 1;
  return count;
}
const counted = (server: Server) =>
  settles(async () => {
    expect((await totals(server, "campaign_id=moved")).clicks).toBe(all.length);
    expect(await integrity(server)).toMatchObject({ admitted: all.length, applied: all.length, in_flight: 0, lost: 0, dead_lettered: 0 });
  });

test("when the number of gates changes, no copy within the window is let through", async () => {
  {
    await using server = await deployed(2);
    expect(await statuses(server, some())).toEqual({ accepted: 100 });
  }
  {
    await using server = await deployed(5, 2);
    // all at once, so that gates hand over while they are asked
    const [copies, news, ...singles] = await Promise.all([
      statuses(server, all.slice()),
      statuses(server, some()),
      ...all.slice(0, 40).map((event) => post(server, "/events/click", event)),
    ]);
    expect([copies, news]).toEqual([{ duplicate: 100 }, { accepted: 100 }]);
    expect(new Set(singles.map(({ body }) => body.status))).toEqual(new Set(["duplicate"]));
    expect(await statuses(server, all)).toEqual({ duplicate: 200 });
    for (const { gate } of (await integrity(server)).gates) await server.evict("Gate", gate);
    expect(await statuses(server, all), "after every gate lost its memory").toEqual({ duplicate: 200 });
    await counted(server);
  }
  {
    await using server = await deployed(3, 2, 5);
    expect(await statuses(server, all)).toEqual({ duplicate: 200 });
    expect(await statuses(server, some())).toEqual({ accepted: 100 });
    await server.restart();
    expect(await statuses(server, all)).toEqual({ duplicate: 300 });
    await counted(server);
  }
});

test("an edge that still holds an old map gets nothing counted twice, and nothing lost", async () => {
  const events = some();
  {
    await using server = await deployed(2);
    // what its gate remembers is a duplicate; of the rest the gate cannot say, and it goes round by the queue
    const { accepted } = await statuses(server, [...all]);
    expect(accepted).toBeLessThan(all.length);
    expect(accepted).toBeGreaterThanOrEqual(events.length);
    await server.kill9();
  }
  await using server = await deployed(3, 2, 5);
  // the queue here has no disk: what went round is gone with it, and a client sends it again
  await statuses(server, all);
  expect(await statuses(server, all)).toEqual({ duplicate: all.length });
  await counted(server);
});

test("when visitors get gates elsewhere, their copies are known there", async () => {
  const state = mkdtempSync(join(tmpdir(), "clicktrail-regions-"));
  const deployed = (gate_shards: unknown, ...gate_shards_before: unknown[]) =>
    startServer({ state, config: { place_header: "x-visitor-place", gate_shards, gate_shards_before, confirm_after_seconds: 1 }, queue: { batchTimeout: 0, retries: 100 } });
  const places = ["continent=NA&country=US&regionCode=CA", "continent=NA&country=US&regionCode=NY", "continent=EU&country=PL", "continent=AS&country=JP", "continent=AF&country=KE"];
  const sent = places.map((place) => ({ place, events: [] as any[] }));
  const all = async (server: Server) => {
    const answers = await Promise.all(sent.map(({ place, events }) => post(server, "/events", events, { "x-visitor-place": place })));
    return new Set(answers.flatMap(({ body }) => body.results.map((result: any) => result.status)));
  };
  const more = async (server: Server) => {
    const copies = sent.map(({ place, events }) => ({ place, events: events.splice(0) }));
    for (const { events } of sent) events.push(...Array.from({ length: 20 }, () => anEvent({ campaign_id: "moved" })));
    expect(await all(server)).toEqual(new Set(["accepted"]));
    for (const [at, { events }] of copies.entries()) sent[at].events.push(...events);
  };
  const gates = async (server: Server) => (await integrity(server)).gates.map(({ gate }: { gate: string }) => gate);
  const whole = (server: Server) =>
    settles(async () => {
      const count = sent.reduce((sum, { events }) => sum + events.length, 0);
      expect(await integrity(server)).toMatchObject({ admitted: count, applied: count, in_flight: 0, lost: 0, dead_lettered: 0 });
    });
  const regions = { wnam: 2, enam: 1, weur: 1, eeur: 2, apac: 1, oc: 0 };
  try {
    {
      await using server = await deployed(2);
      await more(server);
      expect(new Set((await gates(server)).map((gate: string) => gate.split("/")[1]))).toEqual(new Set(["enam", "weur", "apac", "afr"]));
    }
    {
      await using server = await deployed(regions, 2);
      expect(await all(server)).toEqual(new Set(["duplicate"]));
      await more(server);
      const names = await gates(server);
      expect(names).toContain("gate/wnam/0");
      expect(names).toContain("gate/eeur/1");
      for (const gate of names) await server.evict("Gate", gate);
      expect(await all(server), "after every gate lost its memory").toEqual(new Set(["duplicate"]));
      await whole(server);
    }
    {
      await using server = await deployed({ world: 2 }, 2, regions);
      expect(await all(server)).toEqual(new Set(["duplicate"]));
      await more(server);
      await server.restart();
      expect(await all(server)).toEqual(new Set(["duplicate"]));
      await whole(server);
    }
  } finally {
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  }
});
