// Numbers, dates and names, in the browser's language.
const integer = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const change = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const regions = new Intl.DisplayNames(undefined, { type: "region" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const count = (value: number) => integer.format(value);
export const short = (value: number) => (Math.abs(value) < 100_000 ? integer.format(value) : compact.format(value));
export const percent = (value: number) => percents.format(value);
export const delta = (value: number) => change.format(value);

/** `1 min 20 s`: the two largest units. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  let left = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const) {
    const whole = Math.floor(left / size);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    left -= whole * size;
  }
  return parts.slice(0, 2).join(" ");
}

const moneys = new Map<string, Intl.NumberFormat>();

/** An amount; without its currency if nobody ever named one. */
export function money(value: number, currency: string | null | undefined): string {
  const key = currency ?? "";
  let format = moneys.get(key);
  if (format === undefined) {
    const options: Intl.NumberFormatOptions = { maximumFractionDigits: 2, notation: "standard" };
    try {
      format = new Intl.NumberFormat(undefined, key ? { ...options, style: "currency", currency: key } : options);
    } catch {
      format = new Intl.NumberFormat(undefined, options);
    }
    moneys.set(key, format);
  }
  return format.format(value);
}

export function country(code: string): string {
  if (code === "") return "Unknown";
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dayOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

export const time = (ms: number) => clock.format(ms);
export const dateTime = (value: string | number) => moment.format(new Date(value));
export const date = (value: string | number) => dayOnly.format(new Date(value));

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Infinity],
];

/** `3 minutes ago`. */
export function ago(value: string | number, now = Date.now()): string {
  let distance = (new Date(value).getTime() - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) < size) return relative.format(Math.round(distance), unit);
    distance /= size;
  }
  return "";
}

const NAMES: Record<string, string> = {
  smartphone: "Smartphone",
  tv: "TV",
  ai: "AI assistants",
  not_found: "Unknown link",
  limit_reached: "Limit reached",
  wrong_password: "Wrong password",
  not_started: "Not started yet",
  ua_list: "Known robot",
  ua_generic_library: "A library’s user agent",
  headless: "Headless browser",
  empty_ua: "No user agent",
  head_request: "Only asked for the head",
  email_scanner: "Scanner of e-mail",
  datacenter_asn: "From a data centre",
  verified_bot: "Robot known to the platform",
  honeypot: "Followed a trap",
  burst: "Faster than a person can",
  impossible_hints: "Contradicts itself",
  behind_1d: "A day or more behind",
  behind_1h: "An hour or more behind",
  behind_1m: "A minute or more behind",
  behind_5s: "Seconds behind",
  within_5s: "Within 5 seconds",
  ahead_5s: "Seconds ahead",
  ahead_1m: "A minute or more ahead",
  ahead_1h: "An hour or more ahead",
  ahead_1d: "A day or more ahead",
};

/** A value as a person reads it. */
export function label(dimension: string, value: string): string {
  if (value === "") return EMPTY[dimension] ?? "Unknown";
  if (dimension === "country") return country(value);
  if (dimension === "latency") return value.replace("_", " ").replace(/^u/, "U").replace(/^o/, "O").replace(/(\d)(m?s)$/, "$1 $2");
  if (value === "(other)") return "Others";
  if (["device", "channel", "verdict", "bot_reason", "name", "trigger", "time_source", "skew"].includes(dimension)) {
    return NAMES[value] ?? (value.charAt(0).toUpperCase() + value.slice(1)).replaceAll("_", " ");
  }
  return value;
}

const EMPTY: Record<string, string> = {
  referrer: "No referrer",
  campaign_id: "No campaign",
  publisher_id: "No publisher",
  link: "No link",
  variant: "No variant",
  latency: "No time at all",
};
