import { afterAll, expect, test } from "vitest";
import { eventually, settles, startServer } from "./server.ts";
import { anEvent, type Fields, integrity, post, report } from "./traffic.ts";

const ROUNDS = 3;
const EACH = 600;
const AT_ONCE = 200;
const GROUPS = 50;

// What the queue holds when the power goes is gone with it, as it would not be on the platform: the logs send again.
const server = await startServer({ config: { confirm_after_seconds: 1 }, queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

/** Sends events at once until all are sent or nobody answers; returns those that were answered. */
async function burst(events: Fields[], onAnswer = (_answered: number) => {}): Promise<Map<unknown, string>> {
  const answered = new Map<unknown, string>();
  const left = [...events];
  const client = async () => {
    for (let event = left.pop(); event; event = left.pop()) {
      try {
        const { status, body } = await post(server, "/events/click", event);
        if (status !== 200) continue;
        answered.set(event.event_id, body.status);
        onAnswer(answered.size);
      } catch {
        // no answer: the client still has the event
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return answered;
}

/** Clicks by group, and so each event's as far as its group tells. Of copies that were turned away no group is known. */
async function clicks(campaign: string): Promise<Map<string, number>> {
  const { groups } = await report(server, `campaign_id=${campaign}&group_by=sub1&limit=1000`);
  return new Map(groups.filter(({ value }: any) => value !== "").map(({ value, clicks }: any) => [value, clicks]));
}

function tally(events: Fields[], admitted: (event: Fields) => boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events.filter(admitted)) counts.set(String(event.sub1), (counts.get(String(event.sub1)) ?? 0) + 1);
  return counts;
}

test.for(Array.from({ length: ROUNDS }, (_, round) => round))("power cut %i loses nothing that was answered", async (round) => {
  const campaign = `cut-${round}`;
  const events = Array.from({ length: EACH }, (_, n) => anEvent({ campaign_id: campaign, sub1: `group-${n % GROUPS}` }));
  const cutAt = 20 + 180 * round;
  let cut: Promise<void> | undefined;
  const answered = await burst(events, (count) => {
    if (count >= cutAt) cut ??= server.kill9();
  });
  await cut;
  expect([...answered.values()].every((status) => status === "accepted")).toBe(true);
  expect(answered.size).toBeGreaterThanOrEqual(cutAt);
  expect(answered.size).toBeLessThan(EACH); // it was in the middle
  await server.restart();

  // all that was answered is counted, without anybody asking
  const known = tally(events, (event) => answered.has(event.event_id));
  const sent = tally(events, () => true);
  await settles(async () => {
    const { admitted, applied, in_flight, lost } = await integrity(server);
    expect({ applied, in_flight, lost }).toEqual({ applied: admitted, in_flight: 0, lost: 0 });
    const counted = await clicks(campaign);
    for (const [group, count] of known) expect(counted.get(group) ?? 0).toBeGreaterThanOrEqual(count);
    for (const [group, count] of counted) expect(count).toBeLessThanOrEqual(sent.get(group)!);
  });

  // and what was not answered is sent again, as a client would
  const again = events.filter((event) => !answered.has(event.event_id));
  await eventually(async () => {
    const left = again.filter((event) => !answered.has(event.event_id));
    for (const [id, status] of await burst(left)) answered.set(id, status);
    return answered.size === EACH;
  });
  await settles(async () => {
    expect(await clicks(campaign)).toEqual(sent);
    expect(await integrity(server)).toMatchObject({ admitted: EACH * (round + 1), applied: EACH * (round + 1), in_flight: 0, lost: 0 });
  });
});

test("a gate with nothing left to do, cut right after its next event, wakes by itself", async () => {
  const one = () => post(server, "/events/click", anEvent({ campaign_id: "idle" }));
  await one();
  await settles(async () => {
    const { gates } = await integrity(server);
    expect(gates.map((gate: any) => gate.messages_unconfirmed)).toEqual(gates.map(() => 0));
  });
  await server.sql("ALTER TABLE ledger RENAME TO ledger_away"); // not counted before the cut
  for (let n = 0; n < 8; n++) expect((await one()).body.status).toBe("accepted");
  await server.restart();
  await server.sql("ALTER TABLE ledger_away RENAME TO ledger");
  await settles(async () => expect((await report(server, "campaign_id=idle")).totals.clicks).toBe(9));
});

test("what was counted before stays as it was", async () => {
  await server.restart();
  for (let round = 0; round < ROUNDS; round++) {
    const { totals } = await report(server, `campaign_id=cut-${round}`);
    expect(totals.clicks).toBe(EACH);
  }
  expect(await integrity(server)).toMatchObject({ admitted: EACH * ROUNDS + 9, applied: EACH * ROUNDS + 9, dead_lettered: 0, lost: 0 });
});
