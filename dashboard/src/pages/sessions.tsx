// Visits: how long, how deep, and what they were worth.
import { useMemo } from "preact/hooks";
import { add, viewOf } from "../filters.ts";
import { count, duration, label, money, percent, short } from "../format.ts";
import { type SessionReport, type Sessions, ask, untold, useNames } from "../journeys.ts";
import type { Page, PageProps } from "../pages.ts";
import { set } from "../place.ts";
import { Bar, By, byOf } from "../ui/by.tsx";
import { Chart, Spark } from "../ui/chart.tsx";
import { Change } from "../ui/numbers.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { Chips, PeriodPicker } from "../ui/view-bar.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Sessions", nav: { group: "Look", order: 3, icon: "sessions" }, scope: "stats:read" };

const SCOPES = ["link", "campaign_id"];

interface Measure {
  label: string;
  hint: string;
  of: (numbers: Sessions) => number | null;
  show: (value: number, currency?: string | null) => string;
  /** In parts of a hundred, for the chart's axis. */
  percent?: boolean;
  less?: boolean;
}

const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

const MEASURES: Record<string, Measure> = {
  count: { label: "Sessions", hint: "Those that are over", of: (one) => one.count, show: short },
  bounce_rate: { label: "Bounce rate", hint: "Sessions of one event", of: (one) => one.bounce_rate, show: percent, percent: true, less: true },
  duration: { label: "Median duration", hint: "Half of the sessions were longer", of: (one) => one.median_duration_seconds, show: duration },
  pages: { label: "Pages per session", hint: "Page views by sessions", of: (one) => one.pages_per_session, show: (value) => decimal.format(value) },
  conversion_rate: { label: "Conversion rate", hint: "Sessions that hold a conversion", of: (one) => one.conversion_rate, show: percent, percent: true },
  revenue: { label: "Revenue", hint: "What was sold in them", of: (one) => one.revenue, show: (value, currency) => money(value >= 1_000 ? Math.round(value) : value, currency).replace(/[.,]00(?=\D*$)/, "") },
};

const shown = ({ of, show }: Measure, numbers: Sessions) => {
  const value = of(numbers);
  return value === null ? "–" : show(value, numbers.currency);
};

export default function SessionsPage({ params, session }: PageProps) {
  const view = viewOf(params);
  const by = byOf(params);
  const chosen = params.get("metric") ?? "count";
  const name = chosen in MEASURES ? chosen : "count";
  const measure = MEASURES[name] as Measure;
  const { before, interval } = view.period;
  const why = untold(view.filters, SCOPES);
  const { data, error, loading, again } = useAnswer<SessionReport>(why ? undefined : ask("sessions", view, { interval }), 60_000);
  const earlier = useAnswer<SessionReport>(why ? undefined : ask("sessions", view, { interval }, before));
  const scale = measure.percent ? 100 : 1;
  const times = useMemo(() => data?.series.map((point) => Date.parse(point.time)) ?? [], [data]);
  const lines = useMemo(() => {
    const of = (point: Sessions | undefined) => (point === undefined ? null : ((value) => (value === null ? null : value * scale))(measure.of(point)));
    const format = (value: number) => measure.show(value / scale, data?.totals.currency);
    const title = measure.percent ? `${measure.label}, %` : name === "duration" ? `${measure.label}, s` : measure.label;
    return [
      { label: title, values: data?.series.map(of) ?? [], colour: "--accent", filled: true, format },
      ...(earlier.data ? [{ label: "Time before", values: data?.series.map((_, place) => of(earlier.data?.series[place])) ?? [], colour: "--muted", dashed: true, format }] : []),
    ];
  }, [data, earlier.data, name]);
  return (
    <>
      <header class="page"><h1>Sessions</h1><PeriodPicker view={view} /></header>
      <Chips filters={view.filters} combined={false} />
      {why ? <section class="card"><Empty><p>{why}</p></Empty></section> : error ? <Failure error={error} again={again} /> : (
        <>
          <div class="numbers six" role="group" aria-label="Key numbers">
            {Object.entries(MEASURES).map(([key, one]) => (
              <button key={key} type="button" class="card number-card" aria-pressed={key === name} title={one.hint} onClick={() => set({ metric: key === "count" ? undefined : key }, { replace: true })}>
                <span class="label">{one.label}</span>
                {data ? <strong>{shown(one, data.totals)}</strong> : <strong class="ghost">000</strong>}
                <Change is={data && one.of(data.totals)} was={earlier.data && one.of(earlier.data.totals)} show={(value) => one.show(value, data?.totals.currency)} less={one.less ?? false} />
                {data ? <Spark values={data.series.map((point) => (one.of(point) ?? 0) * (one.percent ? 100 : 1))} /> : null}
              </button>
            ))}
          </div>
          <section class={`card ${loading ? "loading" : ""}`} aria-label="Over time">
            {!data ? <Waiting lines={6} /> : data.totals.count === 0 ? (
              <Empty><p>No session ended in this time. A session is counted half an hour after its last event, or when the page says that it is over.</p></Empty>
            ) : (
              <Chart key={name} title={`${measure.label} over time`} times={times} lines={lines} tz={data.tz} interval={data.interval} />
            )}
          </section>
        </>
      )}
      {why || error ? null : <Groups view={view} by={by} session={session} wait={!data} />}
    </>
  );
}

function Groups({ view, by, session, wait }: { view: ReturnType<typeof viewOf>; by: string; session: PageProps["session"]; wait: boolean }) {
  const why = untold(view.filters, SCOPES, by);
  const { data, error, again } = useAnswer<SessionReport>(why || wait ? undefined : ask("sessions", view, { group_by: by, interval: view.period.interval, limit: "100" }));
  const names = useNames(session, by);
  const groups = data?.group_by === by ? (data.groups ?? []) : undefined;
  const most = Math.max(1, ...(groups ?? []).map((one) => one.count));
  return (
    <section class="card table" aria-label="Sessions by dimension">
      <div class="heading"><h2>What they began with</h2><By by={by} /></div>
      {why ? <Empty><p>{why}</p></Empty> : error ? <Failure error={error} again={again} /> : groups === undefined ? <Waiting lines={6} /> : groups.length === 0 ? <Empty><p>Nothing in this time.</p></Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Sessions by dimension, table">
          <table>
            <thead>
              <tr><th scope="col"><span class="hidden">{by}</span></th>{Object.values(MEASURES).map((one) => <th key={one.label} scope="col" class="number" title={one.hint}>{one.label}</th>)}</tr>
            </thead>
            <tbody>
              {groups.map((group) => {
                const text = names.get(group.value) ?? label(by, group.value);
                return (
                  <tr key={group.value}>
                    <th scope="row"><button type="button" class="link" title={`Only ${text}`} onClick={() => add({ dimension: by, value: group.value, excluded: false })}>{text}</button><Bar part={group.count / most} /></th>
                    {Object.entries(MEASURES).map(([key, one]) => <td key={key} class="number" title={key === "count" ? count(group.count) : undefined}>{shown(one, group)}</td>)}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {(data?.group_count ?? 0) > (groups?.length ?? 0) && groups ? <footer><span class="hint">The first {count(groups.length)} of {count(data?.group_count ?? 0)}.</span></footer> : null}
    </section>
  );
}
