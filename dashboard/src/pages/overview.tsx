// What the morning brings: how much, how it went, and where it came from.
import { useMemo } from "preact/hooks";
import type { List, Report } from "../api.ts";
import { type View, add, query, viewOf } from "../filters.ts";
import type { Page, PageProps } from "../pages.ts";
import { set } from "../place.ts";
import { Chart, type Line } from "../ui/chart.tsx";
import { World } from "../ui/map.tsx";
import { type Metric, isMetric, metrics } from "../ui/metrics.ts";
import { Money } from "../ui/money.tsx";
import { KeyNumbers } from "../ui/numbers.tsx";
import { Panel } from "../ui/panel.tsx";
import { Failure, Waiting } from "../ui/states.tsx";
import { Chips, PeriodPicker, TakeAway } from "../ui/view-bar.tsx";
import { may } from "../session.ts";
import { useAnswer } from "../use.ts";
import { FirstRun } from "../ui/first-run.tsx";

export const page: Page = { title: "Overview", nav: { group: "Look", order: 1, icon: "overview" }, scope: "stats:read" };

export default function Overview({ params, session }: PageProps) {
  const view = viewOf(params);
  const metric = chosen(params);
  const { now, before } = useReports(view, params.get("compare") !== "0");
  const campaigns = useAnswer<List<{ id: string; name: string }>>(may(session, "links:read") && now.data ? "/api/campaigns?limit=500" : undefined);
  const names = useMemo(() => new Map(campaigns.data?.data.map(({ id, name }) => [id, name])), [campaigns.data]);
  const quiet = now.data !== undefined && !now.loading && view.filters.length === 0 && isQuiet(now.data) && before.data !== undefined && isQuiet(before.data);
  return (
    <>
      <header class="page">
        <h1>Overview</h1>
        <PeriodPicker view={view} />
      </header>
      <Chips filters={view.filters} combined={view.combined} />
      {quiet ? <FirstRun session={session} /> : null}
      <Summary view={view} metric={metric} now={now} before={before} params={params} name="overview" />
      <div class="grid">
        <Panel title="Campaigns" names={names} dimensions={["campaign_id", "utm_source", "utm_medium"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="Links" dimensions={["link"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Places view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="Where visitors come from" dimensions={["channel", "referrer"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="Devices" dimensions={["device", "brand", "device_model", "os", "browser"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="How long redirects took" dimensions={["latency"]} view={view} metric={groupable(metric)} wait={!now.data} />
      </div>
    </>
  );
}

const isQuiet = ({ totals }: Report) => totals.raw + totals.impressions + totals.pages + totals.conversions === 0;

export const chosen = (params: URLSearchParams): Metric => {
  const metric = params.get("metric");
  return isMetric(metric) ? metric : "clicks";
};

/** Visitors are known of whole campaigns and links only. */
export const groupable = (metric: Metric): Metric => (metric === "uniques" ? "clicks" : metric);

export function useReports(view: View, compare: boolean) {
  const { now, before, interval } = view.period;
  return {
    now: useAnswer<Report>(query(view, now, { interval }), 60_000),
    before: useAnswer<Report>(compare ? query(view, before, { interval }) : undefined),
  };
}

interface SummaryProps {
  view: View;
  metric: Metric;
  now: ReturnType<typeof useAnswer<Report>>;
  before: ReturnType<typeof useAnswer<Report>>;
  params: URLSearchParams;
  name: string;
}

/** The key numbers and the chart below them. */
export function Summary({ view, metric, now, before, params, name }: SummaryProps) {
  const compare = params.get("compare") !== "0";
  const times = useMemo(() => now.data?.series.map((point) => Date.parse(point.time)) ?? [], [now.data]);
  const lines = useMemo(() => linesOf(metric, now.data, compare ? before.data : undefined), [metric, now.data, before.data, compare]);
  if (now.error) return <Failure error={now.error} again={now.again} />;
  return (
    <>
      <KeyNumbers now={now.data} before={compare ? before.data : undefined} chosen={metric} choose={(metric) => set({ metric: metric === "clicks" ? undefined : metric }, { replace: true })} />
      <section class={`card ${now.loading ? "loading" : ""}`} aria-label="Over time">
        {now.data ? <Chart title={`${metrics[metric].label} over time`} times={times} lines={lines} tz={now.data.tz} interval={now.data.interval} key={metric} /> : <Waiting lines={6} />}
        <footer>
          <label class="check"><input type="checkbox" checked={compare} onChange={() => set({ compare: compare ? "0" : undefined }, { replace: true })} /> Compare with the time before</label>
          <label class="check"><input type="checkbox" checked={view.bots} onChange={() => set({ bots: view.bots ? undefined : "1" }, { replace: true })} /> Count bots as clicks</label>
          <TakeAway view={view} data={now.data} name={name} />
        </footer>
      </section>
      {now.data ? <Money totals={now.data.totals} /> : null}
    </>
  );
}

function linesOf(metric: Metric, now: Report | undefined, before: Report | undefined): Line[] {
  const { label, of } = metrics[metric];
  const series = now?.series ?? [];
  const lines: Line[] = [{ label, values: series.map(of), colour: "--accent", filled: true }];
  if (metric === "clicks") {
    lines.push({ label: "Bots", values: series.map((point) => point.bots), colour: "--amber" });
    lines.push({ label: "Duplicates", values: series.map((point) => point.duplicates), colour: "--rose" });
  }
  // Both begin at the left, whatever the calendar says.
  if (before) lines.push({ label: "Time before", values: series.map((_, place) => (before.series[place] ? of(before.series[place]) : null)), colour: "--muted", dashed: true });
  return lines;
}

export function Places({ view, metric, wait }: { view: View; metric: Metric; wait: boolean }) {
  return (
    <Panel
      title="Countries"
      dimensions={["country", "region", "city"]}
      view={view}
      metric={metric}
      wide
      wait={wait}
      above={(groups, dimension) => dimension === "country" && (
        <World
          unit={metrics[metric].label.toLowerCase()}
          values={new Map(groups.map((group) => [group.value, metrics[metric].of(group) ?? 0]))}
          pick={(value) => add({ dimension: "country", value, excluded: false })}
        />
      )}
    />
  );
}
