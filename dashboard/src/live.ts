// Events as they happen: by WebSocket, else by asking now and then; not at all while nobody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./api.ts";

export interface Seen {
  at: number;
  id: string;
  kind: string;
  name: string;
  verdict: string;
  reasons: string[];
  link: string;
  campaign_id: string;
  country: string;
  city: string;
  device: string;
  browser: string;
  os: string;
  channel: string;
  referrer: string;
  value_micros: number | null;
  currency: string;
}

interface Glance {
  clicks: number;
  bots: number;
  duplicates: number;
  views: number;
  conversions: number;
  minutes: Record<string, [people: number, machines: number]>;
  since: number;
  countries: Record<string, number>;
  events: Seen[];
}

export type Connection = "connecting" | "live" | "polling" | "paused" | "offline";

export interface Feed {
  connection: Connection;
  events: Seen[];
  minutes: Map<number, [number, number]>;
  countries: Map<string, number>;
  totals: { clicks: number; bots: number; duplicates: number; views: number; conversions: number };
  /** From when on the numbers are whole. */
  since: number;
  /** Countries of the last moment, and a number that is new each time. */
  lit: Map<string, number>;
}

const EVENTS_MAX = 200;
const POLL_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;

const nothing = (): Feed => ({ connection: "connecting", events: [], minutes: new Map(), countries: new Map(), totals: { clicks: 0, bots: 0, duplicates: 0, views: 0, conversions: 0 }, since: Date.now(), lit: new Map() });

/** A replay counts anew: it has everything that the service still knows. Events that were shown stay. */
function merged(feed: Feed, glance: Glance, replay: boolean): Feed {
  const base = replay ? { ...nothing(), connection: feed.connection } : feed;
  const known = new Set(feed.events.map((event) => event.id));
  const events = [...glance.events.filter((event) => !known.has(event.id)), ...feed.events].sort((a, b) => b.at - a.at).slice(0, EVENTS_MAX);
  const minutes = new Map(base.minutes);
  for (const [minute, [people, machines]] of Object.entries(glance.minutes)) {
    const [were, machinesWere] = minutes.get(Number(minute)) ?? [0, 0];
    minutes.set(Number(minute), [were + people, machinesWere + machines]);
  }
  const countries = new Map(base.countries);
  const lit = new Map<string, number>();
  for (const [country, times] of Object.entries(glance.countries)) {
    countries.set(country, (countries.get(country) ?? 0) + times);
    if (!replay) lit.set(country, performance.now());
  }
  const { totals } = base;
  return {
    connection: base.connection,
    events,
    minutes,
    countries,
    lit: replay ? lit : new Map([...base.lit, ...lit]),
    since: replay ? glance.since : base.since,
    totals: {
      clicks: totals.clicks + glance.clicks,
      bots: totals.bots + glance.bots,
      duplicates: totals.duplicates + glance.duplicates,
      views: totals.views + glance.views,
      conversions: totals.conversions + glance.conversions,
    },
  };
}

/** `paused` by the reader; a page that is not seen pauses by itself, and catches up from the replay. */
export function useLive(paused = false): Feed {
  const [feed, setFeed] = useState(nothing);
  const tries = useRef(0);
  useEffect(() => {
    let socket: WebSocket | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let beat: ReturnType<typeof setInterval> | undefined;
    let over = false;
    const is = (connection: Connection) => setFeed((feed) => ({ ...feed, connection }));
    const later = (act: () => void, ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(act, ms);
    };
    const stop = () => {
      clearTimeout(timer);
      clearInterval(beat);
      const closing = socket;
      socket = undefined;
      closing?.close();
    };
    const connect = () => {
      stop();
      if (over) return;
      if (paused || document.hidden) return is("paused");
      const address = new URL("/stats/live", location.href);
      address.protocol = address.protocol.replace("http", "ws");
      const opened = new WebSocket(address);
      socket = opened;
      opened.onopen = () => {
        tries.current = 0;
        is("live");
        beat = setInterval(() => opened.readyState === WebSocket.OPEN && opened.send("ping"), 30_000);
      };
      opened.onmessage = ({ data }) => {
        if (data === "pong") return;
        const { replay, glance } = JSON.parse(data) as { replay: boolean; glance: Glance };
        if (glance?.events) setFeed((feed) => merged(feed, glance, replay));
      };
      opened.onclose = () => {
        if (socket !== opened) return;
        stop();
        tries.current += 1;
        // Others lost theirs at the same moment: not all of them come back at once.
        const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** tries.current) * (0.5 + Math.random());
        if (tries.current <= 2) {
          is("connecting");
          later(connect, wait);
        } else poll(performance.now() + wait);
      };
    };
    /** Asks until it is worth another try to connect. */
    const poll = async (until: number) => {
      if (over) return;
      if (paused || document.hidden) return is("paused");
      try {
        const glance = await ask<Glance>("/stats/recent");
        setFeed((feed) => ({ ...merged(feed, glance, true), connection: "polling" }));
      } catch {
        is("offline");
      }
      later(performance.now() > until ? connect : () => poll(until), POLL_MS);
    };
    const seen = () => (document.hidden ? (stop(), is("paused")) : connect());
    document.addEventListener("visibilitychange", seen);
    addEventListener("online", connect);
    connect();
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", seen);
      removeEventListener("online", connect);
      stop();
    };
  }, [paused]);
  return feed;
}
