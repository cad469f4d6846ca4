// What happens now.
import { useEffect, useMemo, useState } from "preact/hooks";
import { count, date, time } from "../format.ts";
import { type Connection, useLive } from "../live.ts";
import type { Page, PageProps } from "../pages.ts";
import { home } from "../period.ts";
import { set } from "../place.ts";
import { Chart } from "../ui/chart.tsx";
import { World } from "../ui/map.tsx";
import { Empty } from "../ui/states.tsx";
import { Stream } from "../ui/stream.tsx";

export const page: Page = { title: "Live", nav: { group: "Look", order: 2, icon: "live" }, scope: "stats:read" };

const SAID: Record<Connection, string> = {
  connecting: "Connecting…",
  live: "Live",
  polling: "Asking every two seconds",
  paused: "Paused",
  offline: "No connection; trying again",
};

const MINUTE = 60_000;

export default function Live({ params }: PageProps) {
  const [paused, setPaused] = useState(false);
  const feed = useLive(paused);
  const shown = Number(params.get("minutes") ?? "10");
  const kind = params.get("show") ?? "all";
  const minute = useMinute();
  const { times, people, machines } = useMemo(() => {
    const minutes = Array.from({ length: shown }, (_, place) => minute - shown + 1 + place);
    return {
      times: minutes.map((one) => one * MINUTE),
      people: minutes.map((one) => feed.minutes.get(one)?.[0] ?? 0),
      machines: minutes.map((one) => feed.minutes.get(one)?.[1] ?? 0),
    };
  }, [feed.minutes, minute, shown]);
  const events = feed.events.filter((event) => event.at >= (minute - shown) * MINUTE && (kind === "all" || (kind === "people" ? event.verdict !== "bot" : event.kind === kind)));
  const rate = (feed.minutes.get(minute)?.[0] ?? 0) + (feed.minutes.get(minute - 1)?.[0] ?? 0);
  const totals = [
    ["Clicks", feed.totals.clicks],
    ["Views", feed.totals.views],
    ["Conversions", feed.totals.conversions],
    ["Bots", feed.totals.bots],
    ["Duplicates", feed.totals.duplicates],
  ] as const;
  return (
    <>
      <header class="page">
        <h1>Live</h1>
        <p class={`connection ${feed.connection}`} role="status"><i /> {SAID[feed.connection]}</p>
        <div class="period">
          <label>
            <span class="hidden">Show</span>
            <select value={kind} onChange={({ currentTarget }) => set({ show: currentTarget.value === "all" ? undefined : currentTarget.value })}>
              <option value="all">Everything</option>
              <option value="people">People only</option>
              <option value="click">Clicks</option>
              <option value="conversion">Conversions</option>
              <option value="failed">Failed redirects</option>
            </select>
          </label>
          <label>
            <span class="hidden">Minutes</span>
            <select value={shown} onChange={({ currentTarget }) => set({ minutes: currentTarget.value === "10" ? undefined : currentTarget.value })}>
              {[2, 5, 10].map((minutes) => <option key={minutes} value={minutes}>Last {minutes} minutes</option>)}
            </select>
          </label>
          <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? "Go on" : "Pause"}</button>
        </div>
      </header>
      <div class="numbers five">
        {totals.map(([label, value]) => (
          <div key={label} class="card number-card">
            <span class="label">{label}</span>
            <strong>{count(value)}</strong>
            <span class="change">{label === "Clicks" ? `${count(rate)} in the last two minutes` : `since ${time(feed.since)}`}</span>
          </div>
        ))}
      </div>
      <div class="grid halves">
        <section class="card" aria-label="Clicks a minute">
          <h2>Clicks a minute</h2>
          <Chart title="Clicks a minute" times={times} tz={home} interval="minute" height={220} lines={[{ label: "People", values: people, colour: "--accent", filled: true }, { label: "Bots", values: machines, colour: "--amber" }]} />
        </section>
        <section class="card" aria-label="Where from">
          <h2>Where from</h2>
          <World values={feed.countries} unit="events" lit={feed.lit} />
        </section>
      </div>
      <section class="card" aria-label="Last events">
        <h2>Last events</h2>
        {events.length === 0 ? (
          <Empty><p>{feed.connection === "live" || feed.connection === "polling" ? "Nothing yet. Follow a link, and it appears here within two seconds." : SAID[feed.connection]}</p></Empty>
        ) : (
          <Stream events={events.slice(0, 60)} caption={`The last events, ${date(Date.now())}`} />
        )}
      </section>
    </>
  );
}

/** The minute of the epoch, for as long as it is. */
function useMinute(): number {
  const [minute, setMinute] = useState(() => Math.floor(Date.now() / MINUTE));
  useEffect(() => {
    const timer = setInterval(() => setMinute(Math.floor(Date.now() / MINUTE)), 1_000);
    return () => clearInterval(timer);
  }, []);
  return minute;
}
