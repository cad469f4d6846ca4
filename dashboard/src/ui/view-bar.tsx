// What a view is of: its time, its zone, its filters; and its numbers to take away.
import { useState } from "preact/hooks";
import { type Filter, type View, DIMENSIONS, clear, query, remove } from "../filters.ts";
import { label } from "../format.ts";
import { DEFAULT, PRESETS, home, later } from "../period.ts";
import { set } from "../place.ts";
import type { Report } from "../api.ts";
import { Icon } from "./icon.tsx";
import { save, table } from "./save.ts";
import { copy } from "./toast.tsx";

const ZONES = [...new Set([home, "UTC", ...Intl.supportedValuesOf("timeZone")])];

export function PeriodPicker({ view }: { view: View }) {
  const { period, combined } = view;
  const [custom, setCustom] = useState(period.preset === "custom");
  return (
    <div class="period">
      <label>
        <span class="hidden">Period</span>
        <select
          value={period.preset}
          onChange={({ currentTarget: { value } }) => {
            setCustom(value === "custom");
            if (value === "custom") set({ period: value, from: period.days ? period.now.from : undefined, to: period.days ? later(period.now.to, -1) : undefined });
            else set({ period: value === DEFAULT ? undefined : value, from: undefined, to: undefined });
          }}
        >
          {PRESETS.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
          {PRESETS.some(([name]) => name === period.preset) ? null : <option value={period.preset}>Last {period.preset.replace("d", " days")}</option>}
        </select>
      </label>
      {custom && period.days ? (
        <>
          <label><span class="hidden">From</span><input type="date" value={period.now.from} onChange={({ currentTarget }) => set({ period: "custom", from: currentTarget.value })} /></label>
          <label><span class="hidden">Until</span><input type="date" value={later(period.now.to, -1)} onChange={({ currentTarget }) => set({ period: "custom", to: currentTarget.value })} /></label>
        </>
      ) : null}
      <label>
        <span class="hidden">Time zone</span>
        <select class="zone" value={period.tz} disabled={combined} title={combined ? "Combined filters are counted by day of UTC" : "Time zone"} onChange={({ currentTarget: { value } }) => set({ tz: value === home ? undefined : value })}>
          {ZONES.map((zone) => <option key={zone} value={zone}>{zone.replaceAll("_", " ")}</option>)}
        </select>
      </label>
    </div>
  );
}

export function Chips({ filters, combined }: { filters: Filter[]; combined: boolean }) {
  if (filters.length === 0) return null;
  return (
    <div class="chips" role="group" aria-label="Filters">
      {filters.map((filter) => {
        const text = `${DIMENSIONS[filter.dimension]} ${filter.excluded ? "is not" : "is"} ${label(filter.dimension, filter.value)}`;
        return (
          <span key={text} class={`chip ${filter.excluded ? "excluded" : ""}`}>
            <span>{DIMENSIONS[filter.dimension]} {filter.excluded ? "≠" : "="} <b>{label(filter.dimension, filter.value)}</b></span>
            <button type="button" class="icon" aria-label={`Remove filter: ${text}`} onClick={() => remove(filter)}><Icon name="close" /></button>
          </span>
        );
      })}
      <button type="button" class="quiet small" onClick={clear}>Clear all</button>
      {combined ? <span class="hint">Counted by day of UTC while filters are combined.</span> : null}
    </div>
  );
}

/** CSV and JSON of the series that is shown, and the address of the view. */
export function TakeAway({ view, data, name }: { view: View; data: Report | undefined; name: string }) {
  const file = (extension: string) => `clicktrail-${name}-${view.period.now.from}.${extension}`;
  return (
    <div class="take">
      <button type="button" class="quiet small" disabled={!data} onClick={() => data && save(csv(data), "text/csv", file("csv"))}><Icon name="download" /> CSV</button>
      <button type="button" class="quiet small" disabled={!data} onClick={() => data && save(JSON.stringify(data, null, 2), "application/json", file("json"))}><Icon name="download" /> JSON</button>
      <button type="button" class="quiet small" onClick={() => copy(shared(view.period.tz), "Address of this view")}><Icon name="copy" /> Share</button>
      <a class="quiet small button" target="_blank" rel="noopener" href={query(view, view.period.now, { interval: view.period.interval })}><Icon name="out" /> API</a>
    </div>
  );
}

/** The address, with the zone: whoever is elsewhere is to see the same days. */
function shared(tz: string): string {
  const address = new URL(location.href);
  address.searchParams.set("tz", tz);
  return address.href;
}

const COLUMNS = ["time", "clicks", "raw", "bots", "duplicates", "uniques", "impressions", "pages", "conversions", "failed", "cost", "revenue", "currency", "payout", "profit"] as const;

function csv({ series }: Report): string {
  return table([COLUMNS, ...series.map((point) => COLUMNS.map((column) => point[column]))]);
}
