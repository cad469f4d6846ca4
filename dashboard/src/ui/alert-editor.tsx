// A rule: what is watched, of whom, and when it is too much.
import { useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { Dialog } from "./dialog.tsx";
import { Choice, Field } from "./field.tsx";

export interface Alert {
  id: string;
  name: string;
  status: "active" | "paused";
  metric: string;
  condition: string;
  threshold: number | null;
  window_minutes: number;
  for_minutes: number;
  min_events: number;
  campaign_id: string | null;
  link: string | null;
  cool_down_minutes: number;
  muted_until: string | null;
  note: string | null;
  version: number;
}

export const METRICS = [
  ["clicks", "Clicks"],
  ["raw", "Clicks with machines’ and copies"],
  ["impressions", "Impressions"],
  ["pages", "Page views"],
  ["conversions", "Conversions"],
  ["failed", "Redirects that led nowhere"],
  ["bots", "Bots"],
  ["duplicates", "Duplicates"],
  ["bot_percent", "Bots, %"],
  ["duplicate_percent", "Duplicates, %"],
  ["failed_percent", "Led nowhere, %"],
  ["clicks_per_visitor", "Clicks per visitor"],
  ["budget_percent", "Budget spent, %"],
  ["lost", "Events lost"],
  ["in_flight", "Events on their way"],
  ["dead_lettered", "Dead letters"],
] as const;

export const CONDITIONS = [
  ["above", "Above"],
  ["below", "Below"],
  ["spike", "Far more than usual"],
  ["drop", "Far less than usual"],
] as const;

const NUMBERS = ["threshold", "window_minutes", "for_minutes", "min_events", "cool_down_minutes"] as const;

export function AlertEditor({ alert, close, saved }: { alert: Alert | undefined; close: () => void; saved: (alert: Alert) => void }) {
  const text = (value: number | string | null | undefined) => (value == null ? "" : String(value));
  const [fields, setFields] = useState<Record<string, string>>({
    name: alert?.name ?? "",
    metric: alert?.metric ?? "clicks",
    condition: alert?.condition ?? "spike",
    campaign_id: alert?.campaign_id ?? "",
    link: alert?.link ?? "",
    note: alert?.note ?? "",
    ...Object.fromEntries(NUMBERS.map((name) => [name, text(alert?.[name])])),
  });
  const [refused, setRefused] = useState<Refused>();
  const field = (name: string) => ({ value: fields[name] ?? "", set: (value: string) => setFields({ ...fields, [name]: value }), error: refused?.at(`/${name}`) });
  const odd = fields.condition === "spike" || fields.condition === "drop";
  const save = async (event: Event) => {
    event.preventDefault();
    const body: Record<string, unknown> = { ...fields, campaign_id: fields.campaign_id || null, link: fields.link || null, note: fields.note || null };
    for (const name of NUMBERS) body[name] = fields[name] === "" ? null : Number(fields[name]);
    try {
      if (alert) saved(await ask<Alert>(`/api/alerts/${encodeURIComponent(alert.id)}`, { method: "PATCH", body, headers: { "if-match": `"${alert.version}"` } }));
      else saved(await ask<Alert>("/api/alerts", { body }));
    } catch (error) {
      setRefused(error as Refused);
    }
  };
  return (
    <Dialog title={alert ? `Edit ${alert.name}` : "New alert"} close={close}>
      <form class="editor" onSubmit={save}>
        <Field label="Name" required placeholder="Too many clicks" {...field("name")} />
        <div class="columns">
          <Choice label="Watches" options={METRICS} value={fields.metric ?? ""} set={field("metric").set} />
          <Choice label="Fires when" options={CONDITIONS} value={fields.condition ?? ""} set={field("condition").set} />
          <Field label={odd ? "Deviations" : "Threshold"} type="number" placeholder={odd ? "5" : "100"} required={!odd} {...field("threshold")} />
          <Field label="Of the last minutes" type="number" placeholder="5" {...field("window_minutes")} />
          <Field label="Campaign" placeholder="every campaign" {...field("campaign_id")} />
          <Field label="Link" placeholder="every link" {...field("link")} />
        </div>
        {odd ? <p class="hint">Compared with the same hour of the last eight weeks; with fewer than three weeks of history it says nothing.</p> : null}
        <details>
          <summary>Patience</summary>
          <div class="columns">
            <Field label="Looks in a row" type="number" placeholder="1" {...field("for_minutes")} />
            <Field label="Events at least" type="number" placeholder="30" {...field("min_events")} />
            <Field label="Minutes between alarms" type="number" placeholder="60" {...field("cool_down_minutes")} />
          </div>
        </details>
        <Field label="Note" placeholder="What whoever is on call should do" {...field("note")} />
        {refused ? <p class="error" role="alert">{refused.message}</p> : null}
        <footer><button type="button" class="quiet" onClick={close}>Cancel</button><button class="primary">Save</button></footer>
      </form>
    </Dialog>
  );
}
