// A dimension's busiest values, each of which narrows the view down.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Numbers, Report } from "../api.ts";
import { DIMENSIONS, type View, add, query, unavailable } from "../filters.ts";
import { count, label, percent } from "../format.ts";
import { useAnswer } from "../use.ts";
import { type Metric, metrics } from "./metrics.ts";
import { Icon } from "./icon.tsx";
import { Empty, Failure, Waiting } from "./states.tsx";

interface Props {
  title: string;
  /** One, or several as tabs. */
  dimensions: string[];
  view: View;
  metric: Metric;
  /** What is drawn above the list. */
  above?: (groups: (Numbers & { value: string })[], dimension: string) => ComponentChildren;
  names?: Map<string, string>;
  wide?: boolean;
  /** Its turn has not come: first the numbers, then where they come from. */
  wait?: boolean;
}

const SHORT = 8;

export function Panel({ title, dimensions, view, metric, above, names, wide, wait }: Props) {
  const [tab, setTab] = useState(dimensions[0] as string);
  const [all, setAll] = useState(false);
  const dimension = dimensions.includes(tab) ? tab : (dimensions[0] as string);
  const why = unavailable(view, dimension);
  const path = why === undefined && !wait ? query(view, view.period.now, { group_by: dimension, interval: view.period.interval, limit: "250" }) : undefined;
  const { data, error, loading: asking, again } = useAnswer<Report>(path);
  const loading = asking && data !== undefined;
  const groups = data?.groups ?? [];
  const value = metrics[metric].of;
  const sorted = groups.filter((group) => (value(group) ?? 0) > 0).sort((a, b) => (value(b) ?? 0) - (value(a) ?? 0));
  const most = Math.max(1, ...sorted.map((group) => value(group) ?? 0));
  const sum = sorted.reduce((sum, group) => sum + (value(group) ?? 0), 0);
  const shown = all ? sorted : sorted.slice(0, SHORT);
  return (
    <section class={`card panel ${wide ? "wide" : ""} ${loading ? "loading" : ""}`} aria-label={title}>
      <header>
        {dimensions.length === 1 ? (
          <h2>{title}</h2>
        ) : (
          <>
            <h2 class="hidden">{title}</h2>
            <div class="tabs" role="group" aria-label={title}>
              {dimensions.map((one) => (
                <button key={one} type="button" aria-pressed={one === dimension} onClick={() => setTab(one)}>{PLURALS[one] ?? DIMENSIONS[one]}</button>
              ))}
            </div>
          </>
        )}
        <span class="unit">{metrics[metric].label}</span>
      </header>
      {why !== undefined ? (
        <Empty><p>{why}</p></Empty>
      ) : error ? (
        <Failure error={error} again={again} />
      ) : data === undefined ? (
        <Waiting lines={6} />
      ) : sorted.length === 0 ? (
        <Empty><p>Nothing in this time.</p></Empty>
      ) : (
        <div class="body">
          {above?.(sorted, dimension)}
          <ol class="bars">
            {shown.map((group) => {
              const name = names?.get(group.value) ?? label(dimension, group.value);
              const part = (value(group) ?? 0) / most;
              const filter = { dimension, value: group.value, excluded: false };
              return (
                <li key={group.value}>
                  <button type="button" class="only" title={`Only ${name}`} onClick={() => add(filter)}>
                    <svg class="bar" aria-hidden="true" focusable="false" preserveAspectRatio="none" viewBox="0 0 100 1"><rect width={part * 100} height="1" /></svg>
                    <span class="name">{name}</span>
                    <span class="value" title={count(value(group) ?? 0)}>{metrics[metric].show(group)}</span>
                    <span class="part">{percent((value(group) ?? 0) / (sum || 1))}</span>
                  </button>
                  <button type="button" class="icon not" title={`Without ${name}`} aria-label={`Without ${name}`} onClick={() => add({ ...filter, excluded: true })}><Icon name="minus" /></button>
                </li>
              );
            })}
          </ol>
          {sorted.length > SHORT ? <button type="button" class="quiet small more" onClick={() => setAll(!all)}>{all ? "Fewer" : `All ${count(sorted.length)}`}</button> : null}
        </div>
      )}
    </section>
  );
}

const PLURALS: Record<string, string> = {
  channel: "Channels",
  referrer: "Referrers",
  device: "Devices",
  brand: "Brands",
  device_model: "Models",
  browser: "Browsers",
  os: "Systems",
  country: "Countries",
  region: "Regions",
  city: "Cities",
  campaign_id: "Campaigns",
  link: "Links",
  utm_source: "Sources",
  utm_medium: "Mediums",
  utm_campaign: "UTM campaigns",
  publisher_id: "Publishers",
  language: "Languages",
  trigger: "Triggers",
  variant: "Variants",
};
