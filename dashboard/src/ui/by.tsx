// By what something is told apart, in the address as `by`.
import { DIMENSIONS } from "../filters.ts";
import { set } from "../place.ts";

/** A code that is scanned begins no other journey than a click, and no journey is kept by what a redirect or a device was beyond its kind. */
const KEPT = Object.entries(DIMENSIONS).filter(([name]) => !["trigger", "brand", "device_model", "latency"].includes(name));

export function byOf(params: URLSearchParams, among: readonly string[] = KEPT.map(([name]) => name), otherwise = "campaign_id"): string {
  const by = params.get("by");
  return by !== null && among.includes(by) ? by : otherwise;
}

export function By({ by, otherwise = "campaign_id" }: { by: string; otherwise?: string }) {
  return (
    <label class="by">
      <span>By</span>
      <select aria-label="By" value={by} onChange={({ currentTarget: { value } }) => set({ by: value === otherwise ? undefined : value }, { replace: true })}>
        {KEPT.map(([name, text]) => <option key={name} value={name}>{text.replace(/^(?!UTM)./, (first) => first.toLowerCase())}</option>)}
      </select>
    </label>
  );
}

/** A part of the whole, for eyes: the number stands beside it. */
export function Bar({ part }: { part: number }) {
  return (
    <svg class="bar" aria-hidden="true" focusable="false" preserveAspectRatio="none" viewBox="0 0 100 1">
      <rect class="rest" width="100" height="1" />
      <rect width={Math.max(0, Math.min(1, part)) * 100} height="1" />
    </svg>
  );
}
