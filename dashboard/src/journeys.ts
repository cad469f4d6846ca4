// What people did one after the other: the questions, and what the answers look like.
import { useMemo } from "preact/hooks";
import type { List } from "./api.ts";
import { DIMENSIONS, type Filter, type View, query } from "./filters.ts";
import { type Session, may } from "./session.ts";
import { useAnswer } from "./use.ts";

export interface Sessions {
  count: number;
  bounces: number;
  bounce_rate: number | null;
  median_duration_seconds: number | null;
  pages_per_session: number | null;
  conversions: number;
  converted: number;
  conversion_rate: number | null;
  revenue: number | null;
  currency: string | null;
}

export interface SessionReport {
  tz: string;
  interval: "minute" | "hour" | "day";
  totals: Sessions;
  series: (Sessions & { time: string })[];
  group_by?: string;
  group_count?: number;
  groups?: (Sessions & { value: string })[];
}

export interface FunnelStep {
  name: string;
  entered: number;
  converted: number;
  rate: number | null;
  drop_off: number;
  drop_off_rate: number | null;
  median_seconds: number | null;
  average_seconds: number | null;
}

export interface FunnelReport {
  complete_from: string;
  from: string;
  entered: number;
  completed: number;
  steps: FunnelStep[];
  group_by?: string;
  group_count?: number;
  groups?: { value: string; steps: FunnelStep[] }[];
}

export interface Credits {
  conversions: number;
  rejected: number;
  unattributed: number;
  touches: number;
  median_lag_seconds: number | null;
  revenue: number | null;
  currency: string | null;
}

export interface CreditReport {
  models: Record<string, { totals: Credits; group_by?: string; group_count?: number; groups?: (Credits & { value: string })[] }>;
}

/** Machines make no journeys, so there is nothing to say about them. */
export function ask(report: "sessions" | "funnel" | "conversions", view: View, more: Record<string, string>, span = view.period.now): string {
  return query({ ...view, bots: false }, span, more).replace("/stats/clicks", `/stats/${report}`);
}

/**
 * Journeys are summed up by one dimension at a time, and within one of `scopes` by one more. Why something cannot be
 * told, if it cannot: the service would say the same, but not what to do about it.
 */
export function untold(filters: Filter[], scopes: string[], by?: string): string | undefined {
  const scope = scopes.find((one) => filters.filter((filter) => filter.dimension === one && !filter.excluded).length === 1 && !filters.some((filter) => filter.dimension === one && filter.excluded));
  const others = new Set(filters.map((filter) => filter.dimension).filter((dimension) => dimension !== scope));
  if (by !== undefined && by !== scope) others.add(by);
  if (others.size < 2) return undefined;
  const names = [...others].map((dimension) => DIMENSIONS[dimension] ?? dimension).join(" and ");
  return `Journeys are counted by one dimension at a time: not by ${names} together. Remove a filter to see this.`;
}

/** What campaigns and publishers are called, for who may know. */
export function useNames(session: Session, dimension: string): Map<string, string> {
  const path = dimension === "campaign_id" ? "campaigns" : dimension === "publisher_id" ? "publishers" : undefined;
  const { data } = useAnswer<List<{ id: string; name: string }>>(path && may(session, "links:read") ? `/api/${path}?limit=500` : undefined);
  return useMemo(() => new Map(path ? data?.data.map(({ id, name }) => [id, name]) : []), [path, data]);
}
