// How good the traffic is: who was no person, what came twice, what led nowhere, whose clock is wrong.
import { query, viewOf } from "../filters.ts";
import { count, label, percent, short } from "../format.ts";
import type { Page, PageProps } from "../pages.ts";
import { Chart } from "../ui/chart.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { PeriodPicker } from "../ui/view-bar.tsx";
import type { Report } from "../api.ts";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Quality", nav: { group: "Run", order: 1, icon: "quality" }, scope: "stats:read" };

type Tally = { value: string; events: number }[];

interface Quality {
  hits: number;
  admitted: number;
  duplicates: number;
  duplicate_rate: number | null;
  bots: number;
  bot_rate: number | null;
  failed: number;
  verdicts: Tally;
  bot_reasons: Tally;
  failed_reasons: Tally;
  time_sources: Tally;
  skew: Tally;
  latency?: { redirects: number; p50_ms: number | null; p99_ms: number | null; buckets: Tally };
  /** Hits that were not recorded because their visitors did not want it. */
  dropped?: { value: string; hits: number }[];
}

export default function QualityPage({ params }: PageProps) {
  const view = viewOf(params);
  const { now, tz, interval } = view.period;
  const span = `from=${now.from}&to=${now.to}&tz=${encodeURIComponent(tz)}`;
  const { data, error, loading, again } = useAnswer<Quality>(`/stats/quality?${span}`);
  const series = useAnswer<Report>(query({ ...view, filters: [] }, now, { interval }));
  if (error) return <><header class="page"><h1>Quality</h1></header><Failure error={error} again={again} /></>;
  const tiles = data
    ? ([
        ["Hits", short(data.hits), "everything that came in"],
        ["Bots", percent(data.bot_rate ?? 0), `${count(data.bots)} of them`],
        ["Duplicates", percent(data.duplicate_rate ?? 0), `${count(data.duplicates)} turned away`],
        ["Led nowhere", short(data.failed), "failed redirects"],
        ...(data.latency?.p99_ms != null ? [["Redirects, p99", milliseconds.format(data.latency.p99_ms), `half of them within ${milliseconds.format(data.latency.p50_ms ?? 0)}`] as const] : []),
      ] as const)
    : [];
  return (
    <>
      <header class="page"><h1>Quality</h1><PeriodPicker view={view} /></header>
      {data ? (
        <div class={`numbers ${tiles.length === 4 ? "four" : ""}`}>
          {tiles.map(([name, value, said]) => <div key={name} class="card number-card"><span class="label">{name}</span><strong>{value}</strong><span class="change">{said}</span></div>)}
        </div>
      ) : <Waiting />}
      <section class={`card ${loading ? "loading" : ""}`} aria-label="Over time">
        <h2>What is left out of the clicks</h2>
        {series.data ? (
          <Chart
            title="Bots, duplicates and failed redirects over time"
            times={series.data.series.map((point) => Date.parse(point.time))}
            tz={series.data.tz}
            interval={series.data.interval}
            lines={[
              { label: "Bots", values: series.data.series.map((point) => point.bots), colour: "--amber", filled: true },
              { label: "Duplicates", values: series.data.series.map((point) => point.duplicates), colour: "--rose" },
              { label: "Failed", values: series.data.series.map((point) => point.failed), colour: "--violet" },
            ]}
          />
        ) : <Waiting lines={6} />}
      </section>
      {data ? (
        <div class="grid">
          <Tallied title="Verdicts" hint="Suspects count as people until somebody decides otherwise." dimension="verdict" tally={data.verdicts} />
          <Tallied title="Why a bot" hint="An event can have several reasons." dimension="bot_reason" tally={data.bot_reasons} />
          <Tallied title="Why it led nowhere" hint="Redirects that could not be followed." dimension="name" tally={data.failed_reasons} />
          {data.latency ? <Tallied title="How long redirects took" hint={latencySaid(data.latency)} dimension="latency" tally={data.latency.buckets} keepOrder /> : null}
          {data.dropped ? <Tallied title="Not recorded, as asked" hint="Hits of visitors who did not want to be tracked, about." dimension="name" tally={data.dropped.map(({ value, hits }) => ({ value, events: hits }))} /> : null}
          <Tallied title="Clocks that were off" hint="How far clients’ clocks were from ours, where they told." dimension="skew" tally={data.skew} keepOrder />
          <Tallied title="Whose clock counts" hint="Where the client gave a time." dimension="time_source" tally={data.time_sources} />
        </div>
      ) : null}
    </>
  );
}

const milliseconds = new Intl.NumberFormat(undefined, { style: "unit", unit: "millisecond", maximumFractionDigits: 1 });

function latencySaid({ redirects, p50_ms, p99_ms }: NonNullable<Quality["latency"]>): string {
  if (p50_ms === null || p99_ms === null) return "No redirect in this time.";
  return `Of ${count(redirects)} redirects half were answered within ${milliseconds.format(p50_ms)}, 99 % within ${milliseconds.format(p99_ms)}. Waiting for the gate is not in it.`;
}

function Tallied({ title, hint, dimension, tally, keepOrder }: { title: string; hint: string; dimension: string; tally: Tally; keepOrder?: boolean }) {
  const most = Math.max(1, ...tally.map((one) => one.events));
  const rows = keepOrder ? tally : [...tally].sort((a, b) => b.events - a.events);
  return (
    <section class="card panel" aria-label={title}>
      <header><h2>{title}</h2></header>
      <p class="hint">{hint}</p>
      {rows.length === 0 ? <Empty><p>None in this time.</p></Empty> : (
        <ol class="bars still">
          {rows.slice(0, 14).map((one) => (
            <li key={one.value}>
              <div class="only">
                <svg class="bar" aria-hidden="true" focusable="false" preserveAspectRatio="none" viewBox="0 0 100 1"><rect width={(one.events / most) * 100} height="1" /></svg>
                <span class="name">{label(dimension, one.value)}</span>
                <span class="value">{short(one.events)}</span>
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
