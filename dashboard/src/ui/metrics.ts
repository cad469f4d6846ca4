// What can be counted.
import type { Numbers } from "../api.ts";
import { money, short } from "../format.ts";

export type Metric = "clicks" | "uniques" | "impressions" | "conversions" | "revenue";

interface Kind {
  label: string;
  hint: string;
  of: (numbers: Numbers) => number | null;
  show: (numbers: Numbers) => string;
}

const simple = (label: string, hint: string, of: Kind["of"]): Kind => ({ label, hint, of, show: (numbers) => shown(of(numbers)) });
const shown = (value: number | null) => (value === null ? "–" : short(value));

export const metrics: Record<Metric, Kind> = {
  clicks: simple("Clicks", "People's, each counted once", (numbers) => numbers.clicks),
  uniques: simple("Unique visitors", "Estimated within 2 %", (numbers) => numbers.uniques),
  impressions: simple("Impressions", "Shown to people", (numbers) => numbers.impressions),
  conversions: simple("Conversions", "What clicks led to", (numbers) => numbers.conversions),
  revenue: {
    label: "Revenue",
    hint: "The conversions' value",
    of: (numbers) => numbers.revenue,
    show: (numbers) => (numbers.revenue === null ? "–" : money(numbers.revenue >= 1_000 ? Math.round(numbers.revenue) : numbers.revenue, numbers.currency).replace(/[.,]00(?=\D*$)/, "")),
  },
};

export const isMetric = (text: string | null): text is Metric => text !== null && text in metrics;
