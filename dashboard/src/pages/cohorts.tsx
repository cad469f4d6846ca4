// Who first clicked in the same week, and what became of them: read across, a row is a group of people growing older.
import { useState } from "preact/hooks";
import { count, date, money, percent, short } from "../format.ts";
import { useNames } from "../journeys.ts";
import type { Page, PageProps } from "../pages.ts";
import { set } from "../place.ts";
import { Icon } from "../ui/icon.tsx";
import { save, table } from "../ui/save.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { copy } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Cohorts", nav: { group: "Look", order: 6, icon: "cohorts" }, scope: "stats:read" };

interface Week {
  week: number;
  visitors: number;
  rate: number | null;
  converted: number;
  conversion_rate: number | null;
  conversions: number;
  revenue: number | null;
  currency: string | null;
}

interface Cohorts {
  from: string;
  reach_days: number;
  /** All cohorts together, as far as they have seen the end of a week. */
  weeks: (Week & { of: number })[];
  cohorts: { time: string; visitors: number; weeks: (Week & { complete: boolean })[] }[];
}

interface Measure {
  label: string;
  hint: string;
  /** How much, of so many people. */
  of: (week: Week, people: number) => number | null;
  show: (value: number, week: Week) => string;
  said: (week: Week, people: number) => string;
}

const MEASURES: Record<string, Measure> = {
  return: {
    label: "Came back",
    hint: "How many of them were there again in a later week, each counted once a week.",
    of: (week) => week.rate,
    show: percent,
    said: (week, people) => `${count(week.visitors)} of ${count(people)} were there`,
  },
  conversion: {
    label: "Converted",
    hint: "How many of them converted in each week, each counted once a week.",
    of: (week) => week.conversion_rate,
    show: percent,
    said: (week, people) => `${count(week.converted)} of ${count(people)} converted, ${count(week.conversions)} times in all`,
  },
  revenue: {
    label: "Revenue each",
    hint: "What they were worth in each week, by everybody of the cohort.",
    of: (week, people) => (people === 0 || week.revenue === null ? null : week.revenue / people),
    show: (value, week) => money(value, week.currency),
    said: (week, people) => (week.revenue === null ? "in several currencies" : `${money(week.revenue, week.currency)} of ${count(people)} people`),
  },
};

const SPANS = [["6", "6 weeks"], ["12", "12 weeks"], ["26", "26 weeks"], ["52", "52 weeks"]] as const;
const WEEK_MS = 7 * 86_400_000;

export default function CohortsPage({ params, session }: PageProps) {
  const metric = params.get("metric") ?? "return";
  const measure = MEASURES[metric] ?? (MEASURES.return as Measure);
  const asked = params.get("weeks") ?? "12";
  const span = SPANS.some(([weeks]) => weeks === asked) ? asked : "12";
  const campaign = params.get("campaign_id") ?? "";
  const names = useNames(session, "campaign_id");
  // Once for the page: an address that changes each millisecond is asked for each millisecond.
  const [today] = useState(() => Date.now());
  const from = new Date(today - (Number(span) - 1) * WEEK_MS).toISOString().slice(0, 10);
  const question = `/stats/cohorts?${new URLSearchParams({ from, weeks: span, ...(campaign ? { campaign_id: campaign } : {}) })}`;
  const { data, error, loading, again } = useAnswer<Cohorts>(question);
  const known = [...new Set([...names.keys(), ...(campaign ? [campaign] : [])])];
  const people = data?.cohorts.reduce((sum, cohort) => sum + cohort.visitors, 0) ?? 0;
  return (
    <>
      <header class="page">
        <h1>Cohorts</h1>
        <div class="period">
          <label><span class="hidden">Weeks</span>
            <select aria-label="Weeks" value={span} onChange={({ currentTarget: { value } }) => set({ weeks: value === "12" ? undefined : value })}>
              {SPANS.map(([weeks, text]) => <option key={weeks} value={weeks}>Last {text}</option>)}
            </select>
          </label>
          <label><span class="hidden">Campaign</span>
            <select aria-label="Campaign" value={campaign} onChange={({ currentTarget: { value } }) => set({ campaign_id: value || undefined })}>
              <option value="">Every campaign</option>
              {known.map((id) => <option key={id} value={id}>{names.get(id) ?? id}</option>)}
            </select>
          </label>
        </div>
      </header>
      {error ? <Failure error={error} again={again} /> : (
        <section class={`card table ${loading ? "loading" : ""}`} aria-label="Cohorts">
          <div class="heading">
            <div class="tabs" role="group" aria-label="What is shown">
              {Object.entries(MEASURES).map(([key, one]) => <button key={key} type="button" aria-pressed={one === measure} onClick={() => set({ metric: key === "return" ? undefined : key }, { replace: true })}>{one.label}</button>)}
            </div>
          </div>
          <p class="hint">{measure.hint} Week 0 is the week of the first click on a link or campaign, from Monday, in UTC. The week that is still running is in italics.</p>
          {data === undefined ? <Waiting lines={8} /> : people === 0 ? (
            <Empty><p>Nobody who is known for longer than a day has first clicked in this time. Visitors are known by the <code>anonymous_id</code> of the browser tag or by your <code>user_id</code>; without either, nobody can be seen to come back.</p></Empty>
          ) : <Triangle data={data} measure={measure} />}
          {data && people > 0 ? (
            <footer>
              <span class="hint">Of visitors with an <code>anonymous_id</code> or <code>user_id</code>. Who stays away for more than {count(data.reach_days)} days is forgotten, and begins a new cohort with the next click: rates beyond that are of those who kept coming.</span>
              <div class="take">
                <button type="button" class="quiet small" onClick={() => save(csv(data), "text/csv", `clicktrail-cohorts-${from}.csv`)}><Icon name="download" /> CSV</button>
                <button type="button" class="quiet small" onClick={() => save(JSON.stringify(data, null, 2), "application/json", `clicktrail-cohorts-${from}.json`)}><Icon name="download" /> JSON</button>
                <button type="button" class="quiet small" onClick={() => copy(location.href, "Address of this view")}><Icon name="copy" /> Share</button>
              </div>
            </footer>
          ) : null}
        </section>
      )}
    </>
  );
}

function Triangle({ data, measure }: { data: Cohorts; measure: Measure }) {
  // What was before anybody came is no row of zeros.
  const cohorts = data.cohorts.slice(data.cohorts.findIndex((cohort) => cohort.visitors > 0));
  const width = Math.max(...cohorts.map((cohort) => cohort.weeks.length));
  const ages = Array.from({ length: width }, (_, age) => age);
  // Everybody is there in the first week: as the deepest shade it would leave the others pale.
  const later = measure === MEASURES.return ? 1 : 0;
  const most = Math.max(1e-9, ...cohorts.flatMap((cohort) => cohort.weeks.slice(later).map((week) => measure.of(week, cohort.visitors) ?? 0)));
  const shade = (value: number | null, age: number) => (value === null || age < later ? "" : value <= 0 ? "muted" : `h${Math.max(1, Math.min(6, Math.ceil((value / most) * 6)))}`);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Cohorts, table">
      <table class="cohorts">
        <thead><tr><th scope="col">First click</th><th scope="col" class="number">Visitors</th>{ages.map((age) => <th key={age} scope="col" class="number" title={age === 0 ? "The week of the first click" : `${age} weeks later`}>Week {age}</th>)}</tr></thead>
        <tbody>
          {cohorts.map((cohort) => (
            <tr key={cohort.time}>
              <th scope="row">{date(`${cohort.time.slice(0, 10)}T12:00`)}</th>
              <td class="number">{short(cohort.visitors)}</td>
              {ages.map((age) => {
                const week = cohort.weeks[age];
                const value = week && cohort.visitors > 0 ? measure.of(week, cohort.visitors) : null;
                return week && value !== null ? <td key={age} class={`number ${shade(value, age)} ${week.complete ? "" : "running"}`} title={measure.said(week, cohort.visitors) + (week.complete ? "" : ", so far")}>{measure.show(value, week)}</td> : <td key={age} />;
              })}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" title="Of each week the cohorts that have seen its end">All</th>
            <td class="number">{short(data.weeks[0]?.of ?? 0)}</td>
            {ages.map((age) => {
              const week = data.weeks[age];
              const value = week && week.of > 0 ? measure.of(week, week.of) : null;
              return week && value !== null ? <td key={age} class="number" title={measure.said(week, week.of)}>{measure.show(value, week)}</td> : <td key={age} />;
            })}
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function csv(data: Cohorts): string {
  const rows = data.cohorts.flatMap((cohort) => cohort.weeks.map((week) => [cohort.time.slice(0, 10), cohort.visitors, week.week, week.complete, week.visitors, week.converted, week.conversions, week.revenue, week.currency]));
  return table([["cohort", "cohort_visitors", "week", "complete", "visitors", "converted", "conversions", "revenue", "currency"], ...rows]);
}
