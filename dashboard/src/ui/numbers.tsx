// The five numbers that people come for, each beside the time before.
import type { Numbers, Report } from "../api.ts";
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
            <Change now={now?.totals} before={before?.totals} of={of} />
            {now ? <Spark values={now.series.map(of)} /> : null}
          </button>
        );
      })}
    </div>
  );
}

function Change({ now, before, of }: { now: Numbers | undefined; before: Numbers | undefined; of: (numbers: Numbers) => number | null }) {
  const [is, was] = [now && of(now), before && of(before)];
  if (is === undefined || was === undefined || is === null || was === null) return <span class="change"> </span>;
  if (was === 0) return <span class="change">{is === 0 ? "none before either" : "none before"}</span>;
  const change = is / was - 1;
  const way = Math.abs(change) < 0.0005 ? "" : change > 0 ? "up" : "down";
  return <span class={`change ${way}`}>{way ? <Icon name={way} /> : null}{change > 10 ? `× ${count(Math.round(change + 1))}` : delta(change)} <span class="before">from {count(Math.round(was))}</span></span>;
}
