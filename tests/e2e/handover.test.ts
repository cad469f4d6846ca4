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
