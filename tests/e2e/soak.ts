// Traffic for as long as one likes while things go wrong at random: what clients were told must be what is counted.
import { setTimeout as sleep } from "node:timers/promises";
import { readFileSync } from "node:fs";
import { eventually, type Server, startServer } from "./server.ts";
import { anEvent, integrity, post, totals } from "./traffic.ts";

export interface Soak {
  seconds: number;
  /** Events/s. */
  rate?: number;
  /** How long it goes well between two faults, at most, ms. */
  calm?: number;
  seed?: number;
  say?: (text: string) => void;
}

export interface Soaked {
  events: number;
  faults: Record<string, number>;
  /** Requests that were answered with an error or not at all, and sent again. */
  again: number;
  /** Sent again because they had gone round by a queue that was then cut off, and the one here has no disk. */
  roundAgain: number;
  clicks: number;
  integrity: { admitted: number; applied: number; in_flight: number; lost: number; dead_lettered: number };
  /** Of workerd, MB, with the seconds since its start. */
  memory: { up: number; mb: number }[];
}

type Fault = (server: Server, one: (names: string[]) => string) => Promise<void>;

const away = (table: string): Fault => async (server) => {
  await server.sql(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  await sleep(1_500);
  await server.sql(`ALTER TABLE ${table}_away RENAME TO ${table}`);
};

const FAULTS: Record<string, Fault> = {
  /** A power cut. With it goes all that the queue holds: here that is in memory. */
  kill: (server) => server.restart(),
  eviction: async (server, one) => {
    const { gates } = await integrity(server);
    if (gates.length > 0) await server.evict("Gate", one(gates.map(({ gate }: { gate: string }) => gate)));
  },
  "database without a ledger": away("ledger"),
  "database without sums": away("segments"),
  "a message of rubbish": (server) => server.send(new Uint8Array([1, 2, 3])),
};

export async function soak({ seconds, rate = 60, calm = 4_000, seed = 1, say = () => {} }: Soak): Promise<Soaked> {
  const server = await startServer({ config: { confirm_after_seconds: 1 }, queue: { batchTimeout: 0, retries: 100 } });
  try {
    return await run(server, seconds, rate, calm, seed, say);
  } finally {
    await server.stop();
  }
}

async function run(server: Server, seconds: number, rate: number, calm: number, seed: number, say: (text: string) => void): Promise<Soaked> {
  // mulberry32
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const one = (list: string[]) => list[Math.floor(random() * list.length)];
  const soaked: Soaked = { events: 0, faults: {}, again: 0, roundAgain: 0, clicks: 0, integrity: undefined as never, memory: [] };
  const untold = new Map<string, any>();
  /** What was told of late, in order. */
  let told: { at: number; event: any }[] = [];
  let over = false;
  let started = performance.now();

  async function send(events: any[]): Promise<void> {
    for (const event of events) untold.set(event.event_id, event);
    let results: any[] = [];
    try {
      if (events.length === 1) {
        const { status, body } = await post(server, "/events/click", events[0]);
        if (status === 200) results = [body];
      } else {
        const { status, body } = await post(server, "/events", events);
        if (status === 200) results = body.results;
      }
    } catch {
      // not answered: sent again below
    }
    if (results.length === 0) await sleep(250); // a client that is turned away does not come at once
    for (const { status, event_id } of results) {
      if (status !== "accepted" && status !== "duplicate") continue;
      const event = untold.get(event_id);
      if (event && untold.delete(event_id)) told.push({ at: performance.now(), event });
    }
  }

  const client = (async () => {
    for (const busy = new Set<Promise<void>>(); !over || untold.size > 0 || busy.size > 0; ) {
      const count = random() < 0.2 ? 10 : 1;
      let events: any[] = [];
      const waiting = [...untold.values()].filter((event) => !event.underWay);
      if (waiting.length > 0 && (over || random() < 0.5)) {
        events = waiting.slice(0, 50);
        soaked.again += events.length;
      } else if (!over) {
        events = Array.from({ length: count }, () => Object.defineProperty(anEvent({ campaign_id: "soak" }), "underWay", { writable: true, value: false, enumerable: false }));
        soaked.events += events.length;
        // copies come too, as from a client that is not sure
        if (told.length > 0 && random() < 0.1) events.push(told[told.length - 1].event);
      }
      if (events.length > 0) {
        for (const event of events) event.underWay = true;
        const sending = send(events).finally(() => {
          busy.delete(sending);
          for (const event of events) event.underWay = false;
        });
        busy.add(sending);
      }
      await sleep(over ? 50 : (1_000 * Math.max(1, count)) / rate);
      if (busy.size > 200) await Promise.race(busy);
    }
  })();

  const end = performance.now() + seconds * 1_000;
  const rss = () => {
    try {
      const mb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.workerd}/status`, "utf8"))?.[1]) / 1_024;
      soaked.memory.push({ up: (performance.now() - started) / 1_000, mb });
    } catch {
      // no /proc, or between two lives
    }
  };
  while (performance.now() < end) {
    await sleep(Math.min(random() * calm, Math.max(0, end - performance.now())));
    rss();
    const name = one(Object.keys(FAULTS));
    say(`${name}; ${soaked.events} events so far`);
    soaked.faults[name] = (soaked.faults[name] ?? 0) + 1;
    const round = /gate_silent|is full|went round/.test(server.log);
    server.log = "";
    try {
      await FAULTS[name](server, one);
    } catch (error) {
      // a command to a server in trouble; tables that are away come back below
      say(`${name}: ${(error as Error).message}`);
    }
    if (name === "kill") {
      started = performance.now();
      if (round) {
        const late = told.filter(({ at }) => performance.now() - at < 120_000).map(({ event }) => event);
        soaked.roundAgain += late.length;
        for (const event of late) untold.set(event.event_id as string, event);
      }
    }
    told = told.filter(({ at }) => performance.now() - at < 120_000);
  }
  over = true;
  for (const table of ["ledger", "segments"]) {
    await server.sql(`ALTER TABLE ${table}_away RENAME TO ${table}`).catch(() => {});
  }
  await client;
  await eventually(async () => {
    soaked.integrity = await integrity(server);
    soaked.clicks = (await totals(server, "campaign_id=soak")).clicks;
    const { admitted, applied, in_flight } = soaked.integrity;
    return soaked.clicks >= soaked.events && applied >= admitted && in_flight === 0;
  }, 90_000).catch(() => {});
  rss();
  return soaked;
}
