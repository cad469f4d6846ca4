// Who is here, since when, and what brought them.
import { VISIT, anonymous, read, write } from "./device.ts";
import { said } from "./settings.ts";

const IDLE_MS = 1_800_000;
/** What a URL says of the campaign that led to it. The service reads it from `page_url`. */
const TAGS = /\b\w*(utm_\w+|cl(k|ick)?id|_cid|braid|epik|fat_id)=[^&]*/gi;

/** A UUID where the page is secure; as random where it is not, and a UUID once it has arrived. */
export const unique = () => crypto.randomUUID?.() || crypto.getRandomValues(new Uint32Array(4)).join("-");

export const pageUrl = (tags = "") => {
  const url = new URL(location.href);
  if (tags) url.search += "&" + tags;
  if (!("hash" in said)) url.hash = "";
  return url.href.slice(0, 2048);
};

let tags: string | undefined;
let click_id: string | null | undefined;
let seen: string;

export const changeIds = (ids: object) => write(VISIT, { ...read(VISIT), ...ids });

/**
 * What an event of a kind says of its visit. Only pages and conversions name the click that led here: a click or an
 * impression would be counted, and billed, as one more of that click's link.
 */
export const visitOf = (kind: string) => {
  const now = Date.now();
  const { search } = location;
  const here = search.match(TAGS)?.join("&");
  tags = here || tags;
  // Once for each URL: what the service refused is not offered again.
  if (search != seen) click_id = new URLSearchParams((seen = search)).get(said.clickId || "click_id") || click_id;
  if (anonymous()) return { page_url: pageUrl() };
  let { at, before, ...ids } = { anonymous_id: unique(), ...read(VISIT) };
  if (!(now - at < IDLE_MS)) {
    ids.session_id = unique();
    before = "";
  }
  before = tags || before;
  ids.click_id = click_id || ids.click_id;
  tags = click_id = "";
  write(VISIT, { at: now, before, ...ids });
  if (!/^(page|conv)/.test(kind)) delete ids.click_id;
  return { page_url: pageUrl(here || kind == "page" ? "" : before), ids };
};
