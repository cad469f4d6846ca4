// Whose doing conversions are: five ways to share them out, side by side.
import { add, viewOf } from "../filters.ts";
import { count, duration, label, money, percent } from "../format.ts";
import { type CreditReport, type Credits, ask, untold, useNames } from "../journeys.ts";
import type { Page, PageProps } from "../pages.ts";
import { set } from "../place.ts";
import { Bar, By, byOf } from "../ui/by.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { Chips, PeriodPicker } from "../ui/view-bar.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Attribution", nav: { group: "Look", order: 5, icon: "attribution" }, scope: "stats:read" };

const MODELS = [
  ["last", "Last touch", "The touch before the conversion gets all"],
  ["first", "First touch", "What a visitor came by at first gets all"],
  ["linear", "Linear", "All touches get the same"],
  ["position", "By position", "The first and the last get 40 % each"],
  ["time_decay", "Time decay", "The later, the more: half for each week before"],
] as const;

const SCOPES = ["campaign_id"];
const shares = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

type Metric = "conversions" | "revenue";
const show = (metric: Metric, numbers: Credits | undefined): string => {
  if (numbers === undefined) return "–";
  if (metric === "conversions") return shares.format(numbers.conversions);
  return numbers.revenue === null ? "several currencies" : money(numbers.revenue >= 1_000 ? Math.round(numbers.revenue) : numbers.revenue, numbers.currency).replace(/[.,]00(?=\D*$)/, "");
};

export default function Attribution({ params, session }: PageProps) {
  const view = viewOf(params);
  const by = byOf(params);
  const metric: Metric = params.get("metric") === "revenue" ? "revenue" : "conversions";
  const other: Metric = metric === "revenue" ? "conversions" : "revenue";
  const why = untold(view.filters, SCOPES, by);
  const { data, error, loading, again } = useAnswer<CreditReport>(why ? undefined : ask("conversions", view, { model: "all", group_by: by, interval: view.period.interval, limit: "1000" }));
  const names = useNames(session, by);
  const of = new Map(MODELS.map(([model]) => [model, new Map(data?.models[model]?.groups?.map((group) => [group.value, group]))]));
  const ready = data?.models.last?.group_by === by;
  const value = (numbers: Credits | undefined) => numbers?.[metric] ?? 0;
  const rows = [...new Set(MODELS.flatMap(([model]) => [...(of.get(model)?.keys() ?? [])]))]
    .map((group) => ({ group, most: Math.max(...MODELS.map(([model]) => value(of.get(model)?.get(group)))) }))
    .filter(({ group }) => MODELS.some(([model]) => (of.get(model)?.get(group)?.conversions ?? 0) > 0))
    .sort((a, b) => value(of.get("last")?.get(b.group)) - value(of.get("last")?.get(a.group)) || b.most - a.most);
  const most = Math.max(1e-9, ...rows.map((row) => row.most));
  const totals = data?.models.last?.totals;
  return (
    <>
      <header class="page"><h1>Attribution</h1><PeriodPicker view={view} /></header>
      <Chips filters={view.filters} combined={false} />
      {error ? <Failure error={error} again={again} /> : why ? <section class="card"><Empty><p>{why}</p></Empty><div class="heading"><By by={by} /></div></section> : (
        <>
          {totals ? (
            <div class="numbers four">
              {([
                ["Conversions", shares.format(totals.conversions), totals.rejected ? `${shares.format(totals.rejected)} more were rejected` : "leads, sales and rebills"],
                ["Revenue", show("revenue", totals), "of sales and rebills"],
                ["Unattributed", shares.format(totals.unattributed), totals.conversions ? `${percent(totals.unattributed / totals.conversions)}: nothing known led to them` : "nothing known led to them"],
                ["Median lag", duration(totals.median_lag_seconds), "from the last touch to the conversion"],
              ] as const).map(([name, number, said]) => <div key={name} class="card number-card"><span class="label">{name}</span><strong>{number}</strong><span class="change">{said}</span></div>)}
            </div>
          ) : <Waiting />}
          <section class={`card table ${loading && data ? "loading" : ""}`} aria-label="Models">
            <div class="heading">
              <h2 class="hidden">Models side by side</h2>
              <div class="tabs" role="group" aria-label="What is shared out">
                {(["conversions", "revenue"] as const).map((one) => <button key={one} type="button" aria-pressed={one === metric} onClick={() => set({ metric: one === "conversions" ? undefined : one }, { replace: true })}>{one === "conversions" ? "Conversions" : "Revenue"}</button>)}
              </div>
              <By by={by} />
            </div>
            {!ready ? <Waiting lines={6} /> : rows.length === 0 ? <Empty><p>No conversion in this time that something led to.</p></Empty> : (
              <div class="scroll" tabIndex={0} role="region" aria-label="Models side by side, table">
                <table class="models">
                  <thead>
                    <tr><th scope="col"><span class="hidden">{by}</span></th>{MODELS.map(([model, name, said]) => <th key={model} scope="col">{name}<span class="sub">{said}</span></th>)}</tr>
                  </thead>
                  <tbody>
                    {rows.map(({ group }) => {
                      const text = names.get(group) ?? label(by, group);
                      return (
                        <tr key={group}>
                          <th scope="row"><button type="button" class="link" title={`Only ${text}`} onClick={() => add({ dimension: by, value: group, excluded: false })}>{text}</button></th>
                          {MODELS.map(([model]) => {
                            const numbers = of.get(model)?.get(group);
                            return <td key={model}><b>{show(metric, numbers)}</b> <span class="muted">{show(other, numbers)}</span><Bar part={value(numbers) / most} /></td>;
                          })}
                        </tr>
                      );
                    })}
                  </tbody>
                  <tfoot>
                    <tr><th scope="row">Together</th>{MODELS.map(([model]) => <td key={model}><b>{show(metric, data?.models[model]?.totals)}</b> <span class="muted">{show(other, data?.models[model]?.totals)}</span></td>)}</tr>
                  </tfoot>
                </table>
              </div>
            )}
            {(data?.models.last?.group_count ?? 0) > 1_000 ? <footer><span class="hint">The first 1,000 of {count(data?.models.last?.group_count ?? 0)}.</span></footer> : null}
          </section>
        </>
      )}
    </>
  );
}
