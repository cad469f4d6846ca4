// A client of a clicktrail service whose paths, parameters, bodies and answers are typed by docs/openapi.json.
import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

export type { components, operations, paths } from "./schema.d.ts";

export type Client = FetchClient<paths>;
export type Link = components["schemas"]["Link"];
export type Problem = components["schemas"]["Problem"];

/**
 * A client for the service at `baseUrl`. Without a key it may do what anybody may: send events and follow links. A key of
 * scope `events:write` spares a server the rate limits of visitors. Redirects are answers, and not followed: who asks
 * for `/r/{token}` wants to know where it leads.
 */
export function createClient(baseUrl: string, key?: string, options: { fetch?: typeof fetch } = {}): Client {
  return createFetchClient<paths>({
    baseUrl: baseUrl.replace(/\/+$/, ""),
    redirect: "manual",
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    // `tags=a,b` and not `tags=a&tags=b`: so every list in the service's queries is written.
    querySerializer: { array: { style: "form", explode: false } },
    ...options,
  });
}

/** What the service refused, and why: `problem.errors` names the fields. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(response: Response, problem: Partial<Problem>) {
    const fields = problem.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`) ?? [];
    super([`${response.status} ${problem.title ?? response.statusText}`, problem.detail, ...fields].filter(Boolean).join("; "));
    this.status = response.status;
    this.problem = problem;
  }
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The answer's data, or `Refused`: for callers who would rather catch than look. Of 204 there is none. */
export async function data<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked;
  if (response.ok) return data as Data;
  throw new Refused(response, typeof error === "object" && error !== null ? error : {});
}

/** Every item of a list, page after page, each page asked for when the one before is used up. */
export async function* every<Item>(
  page: (cursor?: string) => Promise<Answer<{ data: Item[]; next_cursor?: string | null }>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const { data: items, next_cursor } = await data(page(cursor));
    yield* items;
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
}
