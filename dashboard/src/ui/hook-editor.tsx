// A webhook: where, what it is told, of whom.
import { useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { Dialog } from "./dialog.tsx";
import { Choice, Field } from "./field.tsx";

export interface Hook {
  id: string;
  name: string;
  url: string;
  kind: "webhook" | "http_sink";
  events: string[];
  campaign_id: string | null;
  include_bots: boolean;
  status: "active" | "paused" | "disabled";
  note: string | null;
  updated_at: string;
  version: number;
  /** Shown once, when it is made or turned. */
  secret?: string;
}

const EVENTS = [
  ["click.recorded", "Clicks, up to 500 in a message"],
  ["conversion.recorded", "Conversions"],
  ["session.ended", "Sessions that are over"],
  ["link.created", "A link is made"],
  ["link.updated", "A link is changed"],
  ["link.deleted", "A link is deleted"],
  ["link.expired", "A link has ended"],
  ["link.limit_reached", "A link’s clicks are used up"],
  ["alert.fired", "An alarm goes on"],
  ["alert.resolved", "An alarm goes off"],
  ["webhook.disabled", "Another webhook is given up on"],
] as const;

export function HookEditor({ hook, close, saved }: { hook: Hook | undefined; close: () => void; saved: (hook: Hook) => void }) {
  const [name, setName] = useState(hook?.name ?? "");
  const [url, setUrl] = useState(hook?.url ?? "");
  const [kind, setKind] = useState<string>(hook?.kind ?? "webhook");
  const [events, setEvents] = useState<string[]>(hook?.events ?? ["conversion.recorded"]);
  const [campaign, setCampaign] = useState(hook?.campaign_id ?? "");
  const [bots, setBots] = useState(hook?.include_bots ?? false);
  const [note, setNote] = useState(hook?.note ?? "");
  const [refused, setRefused] = useState<Refused>();
  const save = async (event: Event) => {
    event.preventDefault();
    const body = { name, url, kind, events: kind === "http_sink" ? [] : events, campaign_id: campaign || null, include_bots: bots, note: note || null };
    try {
      if (hook) saved(await ask<Hook>(`/api/webhooks/${encodeURIComponent(hook.id)}`, { method: "PATCH", body, headers: { "if-match": `"${hook.version}"` } }));
      else saved(await ask<Hook>("/api/webhooks", { body }));
    } catch (error) {
      setRefused(error as Refused);
    }
  };
  return (
    <Dialog title={hook ? `Edit ${hook.name}` : "New webhook"} close={close}>
      <form class="editor" onSubmit={save}>
        <Field label="Name" required placeholder="CRM" value={name} set={setName} error={refused?.at("/name")} />
        <Field label="Address" type="url" required placeholder="https://hooks.example/clicktrail" value={url} set={setUrl} hint="https, and reachable from the internet." error={refused?.at("/url")} />
        <Choice label="Sends" value={kind} set={setKind} options={[["webhook", "Messages about what is chosen below"], ["http_sink", "Every click, one JSON object to a line"]]} />
        {kind === "webhook" ? (
          <fieldset>
            <legend>Is told</legend>
            {EVENTS.map(([event, said]) => (
              <label key={event} class="check"><input type="checkbox" checked={events.includes(event)} onChange={({ currentTarget }) => setEvents(currentTarget.checked ? [...events, event] : events.filter((one) => one !== event))} /> {said} <code>{event}</code></label>
            ))}
            {refused?.at("/events") ? <p class="error">{refused.at("/events")}</p> : null}
          </fieldset>
        ) : null}
        <Field label="Only of campaign" placeholder="every campaign" value={campaign} set={setCampaign} error={refused?.at("/campaign_id")} />
        <label class="check"><input type="checkbox" checked={bots} onChange={({ currentTarget }) => setBots(currentTarget.checked)} /> Machines’ clicks too</label>
        <Field label="Note" value={note} set={setNote} error={refused?.at("/note")} />
        {refused ? <p class="error" role="alert">{refused.message}</p> : null}
        <footer><button type="button" class="quiet" onClick={close}>Cancel</button><button class="primary">Save</button></footer>
      </form>
    </Dialog>
  );
}
