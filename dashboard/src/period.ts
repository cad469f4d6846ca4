// The time that a view is about, and the one before it.

export const PRESETS = [
  ["24h", "Last 24 hours"],
  ["today", "Today"],
  ["yesterday", "Yesterday"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["90d", "Last 90 days"],
  ["month", "This month"],
  ["last-month", "Last month"],
  ["custom", "Custom dates"],
] as const;

export const DEFAULT = "30d";

export interface Span {
  from: string;
  to: string;
}

export interface Period {
  preset: string;
  tz: string;
  now: Span;
  before: Span;
  interval: "hour" | "day";
  /** Whole days of the zone, rather than hours. */
  days: boolean;
}

const DAY = 86_400_000;
const HOUR = 3_600_000;

export const home = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The date that it is somewhere. */
export function today(tz: string, now = Date.now()): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: tz, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
}

/** A date, so many days later. */
export function later(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

const isDate = (text: string | null): text is string => text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));

/** `wholeDays`: combined filters are kept by day of UTC. */
export function periodOf(params: URLSearchParams, wholeDays = false, now = Date.now()): Period {
  const tz = wholeDays ? "UTC" : (params.get("tz") ?? home);
  const preset = params.get("period") ?? (isDate(params.get("from")) ? "custom" : DEFAULT);
  const date = today(tz, now);
  const days = (from: string, to: string, before?: Span): Period => {
    const length = Math.max(1, Math.round((Date.parse(to) - Date.parse(from)) / DAY));
    return {
      preset,
      tz,
      now: { from, to },
      before: before ?? { from: later(from, -length), to: from },
      interval: length <= 2 && !wholeDays ? "hour" : "day",
      days: true,
    };
  };
  const first = `${date.slice(0, 8)}01`;
  switch (preset) {
    case "24h": {
      if (wholeDays) return days(later(date, -1), later(date, 1));
      const to = Math.ceil(now / HOUR) * HOUR;
      const from = to - DAY;
      return { preset, tz, now: { from: `${from}`, to: `${to}` }, before: { from: `${from - DAY}`, to: `${from}` }, interval: "hour", days: false };
    }
    case "today":
      return days(date, later(date, 1));
    case "yesterday":
      return days(later(date, -1), date);
    case "month":
      return days(first, later(date, 1));
    case "last-month": {
      const start = `${later(first, -1).slice(0, 8)}01`;
      return days(start, first, { from: `${later(start, -1).slice(0, 8)}01`, to: start });
    }
    case "custom": {
      const [from, to] = [params.get("from"), params.get("to")];
      if (isDate(from) && isDate(to) && from <= to) return days(from, later(to, 1));
      return days(later(date, -29), later(date, 1));
    }
    default: {
      const length = /^(\d{1,3})d$/.exec(preset)?.[1] ?? "30";
      return days(later(date, 1 - Number(length)), later(date, 1));
    }
  }
}
