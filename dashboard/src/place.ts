// Where the reader is: which page, and what of it. All of it stands in the address, so that every view can be sent to
// somebody else.
import { useEffect, useState } from "preact/hooks";

const BASE = "/dashboard/";

export interface Place {
  page: string;
  params: URLSearchParams;
}

export function read(): Place {
  const { pathname, search } = location;
  return { page: pathname.slice(BASE.length).replace(/\/$/, "") || "overview", params: new URLSearchParams(search) };
}

type Params = URLSearchParams | Record<string, string | undefined>;

/** The address of a page. What belongs to the reader rather than to a page, the period and its zone, goes along. */
export function address(page: string, params: Params = {}): string {
  const entries = params instanceof URLSearchParams ? [...params] : Object.entries(params).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(entries as [string, string][]);
  if (!(params instanceof URLSearchParams)) {
    for (const name of ["period", "from", "to", "tz"]) {
      const value = read().params.get(name);
      if (value !== null && !query.has(name)) query.set(name, value);
    }
  }
  const text = query.toString();
  return BASE + (page === "overview" ? "" : page) + (text && `?${text}`);
}

const listeners = new Set<() => void>();

export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  for (const listener of listeners) listener();
}

/** Changes parameters of this page. */
export function set(changes: Record<string, string | undefined>, options?: { replace?: boolean }): void {
  const { page, params } = read();
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") params.delete(name);
    else params.set(name, value);
  }
  go(address(page, params), options);
}

export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const moved = () => setPlace(read());
    listeners.add(moved);
    addEventListener("popstate", moved);
    return () => {
      listeners.delete(moved);
      removeEventListener("popstate", moved);
    };
  }, []);
  return place;
}

/** Links within the page are followed without loading it again; with a modifier they open as links do. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin || link.hash || !link.pathname.startsWith(BASE)) return;
  event.preventDefault();
  go(link.pathname + link.search);
  scrollTo(0, 0);
}
