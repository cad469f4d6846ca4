import { expect, test } from "vitest";
import { soak } from "./soak.ts";

// The long one is `npm run soak`.
test("while things go wrong at random, what clients were told is what is counted", { timeout: 180_000 }, async () => {
  const { events, clicks, faults, integrity } = await soak({ seconds: 30, calm: 2_500, seed: Number(process.env.SEED ?? 7) });
  expect({ clicks, faults }).toEqual({ clicks: events, faults });
  expect(integrity).toMatchObject({ admitted: events, applied: events, in_flight: 0, lost: 0 });
  expect(Object.values(faults).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(3);
});
