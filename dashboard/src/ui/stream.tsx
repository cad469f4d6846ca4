// Events one by one, newest first.
import type { Seen } from "../live.ts";
import { country, label, money, time } from "../format.ts";
import { address } from "../place.ts";
import { Icon } from "./icon.tsx";

export function Stream({ events, caption }: { events: Seen[]; caption: string }) {
  return (
    <ul class="stream" aria-label={caption}>
      {events.map((event) => (
        <li key={event.id} class={`${event.kind} ${event.verdict}`}>
          <time dateTime={new Date(event.at).toISOString()}>{time(event.at)}</time>
          <span class={`badge ${event.verdict === "bot" ? "bot" : event.kind}`}>{event.verdict === "bot" ? <Icon name="bot" /> : null}{event.verdict === "bot" ? "Bot" : (KINDS[event.kind] ?? event.kind)}</span>
          <span class="what">
            {event.link ? <a href={address("link", { token: event.link })}>/{event.link}</a> : <b>{event.campaign_id || event.name || "—"}</b>}
            {event.link && event.campaign_id ? <span class="muted"> {event.campaign_id}</span> : null}
            {event.value_micros ? <b class="good"> {money(event.value_micros / 1e6, event.currency)}</b> : null}
          </span>
          <span class="from">
            {[event.city, country(event.country)].filter(Boolean).join(", ")}
          </span>
          <span class="with muted">{[event.browser, event.os, event.device && label("device", event.device)].filter(Boolean).join(" · ")}</span>
          <span class="why muted">{event.verdict === "bot" ? event.reasons.map((reason) => label("bot_reason", reason)).join(", ") : event.referrer || label("channel", event.channel)}</span>
        </li>
      ))}
    </ul>
  );
}

const KINDS: Record<string, string> = { click: "Click", impression: "View", page: "Page", conversion: "Conversion", session_end: "Left", failed: "Failed" };
