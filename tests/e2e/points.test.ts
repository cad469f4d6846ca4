import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { CHROME, GOOGLEBOT, click } from "./traffic.ts";

const server = await startServer({ points: true, queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

/** Events by kind, verdict, campaign and device: the first, second, third and eighth of the columns. */
async function counted(): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { blobs, doubles } of await server.points()) {
    const key = [blobs[0], blobs[1], blobs[2], blobs[7]].join(" ");
    sums[key] = (sums[key] ?? 0) + doubles[0];
  }
  return sums;
}

test("every event that is counted is in a data point, once", async () => {
  for (let n = 0; n < 3; n++) await click(server, { event_id: `point-${n}`, campaign_id: "points" }, { "user-agent": CHROME });
  await click(server, { event_id: "point-0", campaign_id: "points" }, { "user-agent": CHROME });
  await click(server, { campaign_id: "points", value: 12.5, currency: "EUR" }, { "user-agent": GOOGLEBOT });
  await settles(async () =>
    expect(await counted()).toEqual({ "click human points desktop": 3, "click bot points bot": 1 }),
  );
  const points = await server.points();
  expect(points.every(({ indexes, blobs }) => indexes[0] === "points" && blobs.length === 20)).toBe(true);
  expect(points.map(({ doubles }) => doubles[1]).reduce((a, b) => a + b)).toBe(12.5);
});
