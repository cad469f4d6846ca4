// The five numbers that people come for, each beside the time before.
import type { Report } from "../api.ts";
import { count, delta } from "../format.ts";
import { Spark } from "./chart.tsx";
import { Icon } from "./icon.tsx";
import { type Metric, metrics } from "./metrics.ts";

interface Props {
  now: Report | undefined;
  before: Report | undefined;
  chosen: Metric;
  choose: (metric: Metric) => void;
}

export function KeyNumbers({ now, before, chosen, choose }: Props) {
  return (
    <div class="numbers" role="group" aria-label="Key numbers">
      {(Object.keys(metrics) as Metric[]).map((metric) => {
        const { label, hint, of, show } = metrics[metric];
        return (
          <button key={metric} type="button" class="card number-card" aria-pressed={chosen === metric} onClick={() => choose(metric)} title={hint}>
            <span class="label">{label}</span>
            {now ? <strong title={of(now.totals) === null ? "Not kept for this combination" : count(of(now.totals) ?? 0)}>{show(now.totals)}</strong> : <strong class="ghost">000</strong>}
            <Change is={now && of(now.totals)} was={before && of(before.totals)} />
            {now ? <Spark values={now.series.map(of)} /> : null}
          </button>
        );
      })}
    </div>
  );
}

interface Changed {
  is: number | null | undefined;
  was: number | null | undefined;
  /** How the number before is written. */
  show?: (value: number) => string;
  /** Less of it is better. */
  less?: boolean;
}

export function Change({ is, was, show = (value) => count(Math.round(value)), less }: Changed) {
  if (is === undefined || was === undefined || is === null || was === null) return <span class="change"> </span>;
  if (was === 0) return <span class="change">{is === 0 ? "none before either" : "none before"}</span>;
  const change = is / was - 1;
  const way = Math.abs(change) < 0.0005 ? "" : change > 0 ? "up" : "down";
  const tone = way === "" || !less ? way : way === "up" ? "down" : "up";
  return <span class={`change ${tone}`}>{way ? <Icon name={way} /> : null}{change > 10 ? `× ${count(Math.round(change + 1))}` : delta(change)} <span class="before">from {show(was)}</span></span>;
}
