// Answers of the API, for components.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Refused, ask } from "./api.ts";

export interface Answer<T> {
  data: T | undefined;
  error: Refused | undefined;
  loading: boolean;
  again: () => void;
}

/** What was asked in the last half minute is shown at once, and asked again behind it. */
const kept = new Map<string, { at: number; data: unknown }>();
const KEPT_MS = 30_000;

/** Whoever signs in next may not be allowed to see it. */
export function forget(): void {
  kept.clear();
}

/** An answer for `path`; the last one stays while the next is on its way, so that nothing jumps. */
export function useAnswer<T>(path: string | undefined, everyMs?: number): Answer<T> {
  const remembered = path === undefined ? undefined : kept.get(path);
  const fresh = remembered && performance.now() - remembered.at < KEPT_MS ? (remembered.data as T) : undefined;
  const [state, setState] = useState<{ path: string | undefined; data: T | undefined; error: Refused | undefined }>({ path: undefined, data: fresh, error: undefined });
  const [turn, setTurn] = useState(0);
  const stale = useRef<T | undefined>(undefined);
  useEffect(() => {
    if (path === undefined) return;
    const aborting = new AbortController();
    ask<T>(path, { signal: aborting.signal }).then(
      (data) => {
        kept.set(path, { at: performance.now(), data });
        if (kept.size > 200) kept.delete(kept.keys().next().value as string);
        stale.current = data;
        setState({ path, data, error: undefined });
      },
      (error) => {
        if (aborting.signal.aborted) return;
        setState({ path, data: undefined, error: error instanceof Refused ? error : new Refused({ status: 0, title: "Error", detail: String(error), errors: [] }) });
      },
    );
    return () => aborting.abort();
  }, [path, turn]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => document.hidden || setTurn((turn) => turn + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const again = useCallback(() => setTurn((turn) => turn + 1), []);
  const current = state.path === path;
  return {
    data: current ? state.data : (fresh ?? stale.current),
    error: current ? state.error : undefined,
    loading: !current,
    again,
  };
}
