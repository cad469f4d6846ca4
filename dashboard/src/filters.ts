// What a view is narrowed down to: `country=DE,AT` only these, `device=-bot` not these, as the API has it.
import { address, go, read } from "./place.ts";
import { type Period, type Span, periodOf } from "./period.ts";

export const DIMENSIONS: Record<string, string> = {
  campaign_id: "Campaign",
  link: "Link",
  publisher_id: "Publisher",
  country: "Country",
  region: "Region",
  city: "City",
  channel: "Channel",
  referrer: "Referrer",
  device: "Device",
  brand: "Brand",
  device_model: "Model",
  browser: "Browser",
  os: "System",
  language: "Language",
  utm_source: "UTM source",
  utm_medium: "UTM medium",
  utm_campaign: "UTM campaign",
  variant: "Variant",
  trigger: "Trigger",
  medium: "Medium",
  latency: "Redirect took",
};

export interface Filter {
  dimension: string;
  value: string;
  excluded: boolean;
}

const COMBINED = new Set(["campaign_id", "country", "device", "os", "browser", "channel", "variant", "link"]);

/** In the API's lists a backslash makes a comma or a hyphen part of a value. */
const quoted = (value: string) => value.replaceAll(/[\\,]|^-/g, (sign) => `\\${sign}`);

function parts(list: string): { value: string; excluded: boolean }[] {
  return list.split(/(?<!\\),/).map((part) => ({ value: part.replace(/^-/, "").replaceAll(/\\(.)/g, "$1"), excluded: part.startsWith("-") }));
}

export function filtersOf(params: URLSearchParams): Filter[] {
  return Object.keys(DIMENSIONS).flatMap((dimension) => {
    const list = params.get(dimension);
    return list === null ? [] : parts(list).map((part) => ({ dimension, ...part }));
  });
}

function written(filters: Filter[]): Map<string, string> {
  const lists = new Map<string, string>();
  for (const { dimension, value, excluded } of filters) {
    const one = (excluded ? "-" : "") + quoted(value);
    lists.set(dimension, lists.has(dimension) ? `${lists.get(dimension)},${one}` : one);
  }
  return lists;
}

/** The address of this view with other filters. */
function withFilters(filters: Filter[]): string {
  const { page, params } = read();
  for (const dimension of Object.keys(DIMENSIONS)) params.delete(dimension);
  for (const [dimension, list] of written(filters)) params.set(dimension, list);
  return address(page, params);
}

export function add(filter: Filter): void {
  const others = filtersOf(read().params).filter((one) => !(one.dimension === filter.dimension && (one.value === filter.value || one.excluded !== filter.excluded)));
  go(withFilters([...others, filter]));
}

export function remove(filter: Filter): void {
  go(withFilters(filtersOf(read().params).filter((one) => !(one.dimension === filter.dimension && one.value === filter.value))));
}

export function clear(): void {
  go(withFilters([]));
}

export interface View {
  filters: Filter[];
  period: Period;
  /** Several dimensions at once are kept by day of UTC: then everything on the page is, so that its numbers agree. */
  combined: boolean;
  bots: boolean;
}

export function viewOf(params: URLSearchParams, fixed: Filter[] = []): View {
  const filters = [...fixed, ...filtersOf(params)];
  const scope = scopeOf(filters);
  const combined = filters.some((filter) => filter !== scope);
  return { filters, period: periodOf(params, combined), combined, bots: params.get("bots") === "1" };
}

/** One link, or else one campaign, has every dimension to itself. */
function scopeOf(filters: Filter[]): Filter | undefined {
  for (const dimension of ["link", "campaign_id"]) {
    const [one, another] = filters.filter((filter) => filter.dimension === dimension);
    if (one && !another && !one.excluded) return one;
  }
  return undefined;
}

/** Whether sums are kept for it; if not, why. */
export function unavailable(view: View, dimension: string): string | undefined {
  const scope = scopeOf(view.filters);
  const others = new Set(view.filters.filter((filter) => filter !== scope).map((filter) => filter.dimension));
  others.delete(dimension);
  if (others.size === 0) return undefined;
  const combined = [...others, dimension];
  const alone = combined.find((one) => !COMBINED.has(one));
  if (alone !== undefined) return `${DIMENSIONS[alone] ?? alone} is not kept together with other filters.`;
  if (combined.includes("link") && scope?.dimension !== "campaign_id") return "Links are kept together with other filters within one campaign.";
  return undefined;
}

export function query(view: View, span: Span, more: Record<string, string> = {}): string {
  const params = new URLSearchParams({ from: span.from, to: span.to, tz: view.period.tz, ...more });
  for (const [dimension, list] of written(view.filters)) params.set(dimension, list);
  if (view.bots) params.set("include_bots", "true");
  return `/stats/clicks?${params}`;
}
