// The Worker's API, as the page asks it: with the session's cookie, which the browser adds by itself.

export interface Problem {
  status: number;
  title: string;
  detail: string;
  errors: { pointer: string; detail: string }[];
}

export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }

  /** What is wrong with a field, if that is what is wrong. */
  at(pointer: string): string | undefined {
    return this.problem.errors?.find((error) => error.pointer === pointer)?.detail;
  }
}

let signedOut: () => void = () => {};
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

export interface Ask {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export async function ask<T>(path: string, { method, body, headers, signal }: Ask = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused({ status: 0, title: "No connection", detail: "The service cannot be reached. Is this device online?", errors: [] });
  }
  const text = await response.text();
  const json = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return json as T;
  if (response.status === 401 && path !== "/api/session") signedOut();
  throw new Refused({ ...json, status: response.status });
}

export interface Numbers {
  clicks: number;
  raw: number;
  bots: number;
  duplicates: number;
  uniques: number | null;
  impressions: number;
  pages: number;
  conversions: number;
  failed: number;
  ctr: number | null;
  /** Of the currency, or null if there are several. */
  cost: number | null;
  revenue: number | null;
  payout: number | null;
  profit: number | null;
  roi: number | null;
  ecpc: number | null;
  epc: number | null;
  currency: string | null;
  revenue_by_currency?: Record<string, number>;
  cost_by_currency?: Record<string, number>;
  payout_by_currency?: Record<string, number>;
}

export interface Report {
  from: string;
  to: string;
  interval: "minute" | "hour" | "day";
  tz: string;
  totals: Numbers;
  series: (Numbers & { time: string })[];
  groups?: (Numbers & { value: string })[];
  group_count?: number;
  approximate?: boolean;
}

export interface Rule {
  when: Record<string, unknown>;
  url: string;
  fallback_url?: string | null;
}

export interface Variant {
  name: string;
  url: string;
  weight: number;
}

export interface Link {
  token: string;
  domain: string | null;
  short_url: string;
  url: string;
  status: number;
  title: string | null;
  note: string | null;
  tags: string[];
  campaign_id: string | null;
  starts_at: string | null;
  expires_at: string | null;
  max_clicks: number | null;
  clicks_used?: number;
  protected: boolean;
  append_click_id: string | null;
  honeypot: boolean;
  utm_source: string | null;
  utm_medium: string | null;
  utm_campaign: string | null;
  utm_term: string | null;
  utm_content: string | null;
  rules: Rule[];
  variants: Variant[];
  state: string;
  created_at: string;
  updated_at: string;
  version: number;
  warnings: string[];
  archived: boolean;
}

export interface List<T> {
  data: T[];
  next_cursor: string | null;
}
