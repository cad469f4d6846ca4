// Campaigns and publishers: lists of what clicks count for, beside what came of them.
import { useState } from "preact/hooks";
import { type List, type Refused, type Report, ask } from "../api.ts";
import { viewOf, query } from "../filters.ts";
import { duration, money, percent, short } from "../format.ts";
import type { PageProps } from "../pages.ts";
import { address, set } from "../place.ts";
import { may } from "../session.ts";
import { Calls } from "./calls.tsx";
import { Dialog } from "./dialog.tsx";
import { Choice, Field } from "./field.tsx";
import { Icon } from "./icon.tsx";
import { STATUSES } from "./postback.ts";
import { PostbackFields } from "./postback-fields.tsx";
import { MonthlyStatement } from "./statement.tsx";
import { Empty, Failure, Waiting } from "./states.tsx";
import { toast } from "./toast.tsx";
import { PeriodPicker } from "./view-bar.tsx";
import { useAnswer } from "../use.ts";

interface Entry {
  id: string;
  name: string;
  status: string;
  version: number;
  currency: string | null;
  cost_model?: string | null;
  cost_micros?: number | null;
  budget_micros?: number | null;
  publisher_id?: string | null;
  payout_model?: string | null;
  payout_micros?: number | null;
  payout_percent?: number | null;
  billing_window_seconds?: number | null;
  postback_url?: string | null;
  postback_method?: string;
  postback_on?: string[];
  note: string | null;
}

export interface Kind {
  path: "campaigns" | "publishers";
  one: string;
  many: string;
  dimension: "campaign_id" | "publisher_id";
  models: readonly (readonly [string, string])[];
  model: "cost_model" | "payout_model";
  amount: "cost_micros" | "payout_micros";
  statuses: readonly (readonly [string, string])[];
}

export function Catalog({ kind, params, session }: PageProps & { kind: Kind }) {
  const view = viewOf(params);
  const [search, setSearch] = useState("");
  const [editing, setEditing] = useState<Entry | "new">();
  const { data, error, again } = useAnswer<List<Entry>>(`/api/${kind.path}?limit=100${search ? `&search=${encodeURIComponent(search)}` : ""}`);
  const report = useAnswer<Report>(may(session, "stats:read") ? query(view, view.period.now, { group_by: kind.dimension, interval: view.period.interval, limit: "1000" }) : undefined);
  const stated = kind.path === "publishers" ? params.get("statement") : null;
  const called = params.get("postback");
  const writes = may(session, "links:write");
  // What an advertiser gets for the money is nothing that publishers are told apart by.
  const pays = kind.path === "campaigns";
  const numbers = new Map(report.data?.groups?.map((group) => [group.value, group]));
  // What is counted, though nobody has entered it.
  const unknown = search ? [] : [...numbers.keys()].filter((id) => id !== "" && id !== "(other)" && !data?.data.some((entry) => entry.id === id));
  const rows = [...(data?.data ?? []), ...unknown.map((id) => ({ id, name: id, status: "unknown" }) as Entry)].sort((a, b) => (numbers.get(b.id)?.clicks ?? 0) - (numbers.get(a.id)?.clicks ?? 0));
  return (
    <>
      <header class="page">
        <h1>{kind.many}</h1>
        <PeriodPicker view={view} />
        {writes ? <button type="button" class="primary" onClick={() => setEditing("new")}><Icon name="plus" /> New {kind.one.toLowerCase()}</button> : null}
      </header>
      <div class="tools">
        <label class="search"><span class="hidden">Search {kind.many.toLowerCase()}</span><Icon name="search" /><input type="search" placeholder="Search name or id…" value={search} onInput={({ currentTarget }) => setSearch(currentTarget.value)} /></label>
      </div>
      <section class="card table" aria-label={kind.many}>
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={6} /> : rows.length === 0 ? (
          <Empty><p>There are no {kind.many.toLowerCase()} {search ? "like that" : "yet"}.</p>{writes && !search ? <button type="button" class="primary" onClick={() => setEditing("new")}>Make the first</button> : null}</Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label={kind.many}>
            <table class="dense">
              <thead><tr><th scope="col">{kind.one}</th><th scope="col">Status</th><th scope="col" class="number">Clicks</th><th scope="col" class="number">Impressions</th><th scope="col" class="number">Conversions</th><th scope="col" class="number">Rate</th><th scope="col" class="number">Cost</th><th scope="col" class="number">Payout</th><th scope="col" class="number">Revenue</th><th scope="col" class="number" title="Revenue less cost and payout">Profit</th>{pays ? <th scope="col" class="number" title="Profit by cost and payout">ROI</th> : null}<th scope="col"><span class="hidden">Actions</span></th></tr></thead>
              <tbody>
                {rows.map((entry) => {
                  const sums = numbers.get(entry.id);
                  return (
                    <tr key={entry.id}>
                      <th scope="row"><a href={address("overview", { [kind.dimension]: entry.id })}>{entry.name}</a>{entry.name !== entry.id ? <span class="sub">{entry.id}</span> : null}</th>
                      <td><span class={`badge ${entry.status}`}>{entry.status === "unknown" ? "not entered" : entry.status}</span></td>
                      <td class="number">{short(sums?.clicks ?? 0)}</td>
                      <td class="number">{short(sums?.impressions ?? 0)}</td>
                      <td class="number">{short(sums?.conversions ?? 0)}</td>
                      <td class="number">{sums?.clicks ? percent(sums.conversions / sums.clicks) : "–"}</td>
                      <td class="number">{sums?.cost ? money(sums.cost, sums.currency) : "–"}</td>
                      <td class="number">{sums?.payout ? money(sums.payout, sums.currency) : "–"}</td>
                      <td class="number">{sums?.revenue ? money(sums.revenue, sums.currency) : "–"}</td>
                      <td class={`number ${(sums?.profit ?? 0) < 0 ? "loss" : ""}`}>{sums?.profit ? money(sums.profit, sums.currency) : "–"}</td>
                      {pays ? <td class="number">{sums?.roi == null ? "–" : percent(sums.roi)}</td> : null}
                      <td class="actions">{kind.path === "publishers" && entry.status !== "unknown" && may(session, "stats:read") ? <button type="button" class="small" aria-label={`Statement of ${entry.name}`} onClick={() => set({ statement: entry.id })}>Statement</button> : null} {entry.postback_url ? <button type="button" class="small" aria-label={`Postback of ${entry.name}`} onClick={() => set({ postback: entry.id })}>Postback</button> : null}{writes ? <button type="button" class="icon" aria-label={`Edit ${entry.name}`} onClick={() => setEditing(entry.status === "unknown" ? ({ ...entry, status: "active", version: 0 } as Entry) : entry)}><Icon name="edit" /></button> : null}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {stated !== null && data ? <MonthlyStatement key={stated} id={stated} name={data.data.find((entry) => entry.id === stated)?.name ?? stated} month={params.get("month")} /> : null}
      {called !== null ? <Calls key={called} sort={kind.path} id={called} session={session} /> : null}
      {editing ? <Editor kind={kind} entry={editing === "new" ? undefined : editing} close={() => setEditing(undefined)} saved={(name) => (setEditing(undefined), toast(`${name} is saved`), again())} /> : null}
    </>
  );
}

function Editor({ kind, entry, close, saved }: { kind: Kind; entry: Entry | undefined; close: () => void; saved: (name: string) => void }) {
  const known = entry !== undefined && entry.version > 0;
  const bills = kind.path === "campaigns";
  const [fields, setFields] = useState<Record<string, string>>({
    id: entry?.id ?? "",
    name: entry?.name ?? "",
    status: entry?.status ?? "active",
    model: entry?.[kind.model] ?? "none",
    amount: entry?.[kind.amount] == null ? "" : String((entry[kind.amount] as number) / 1e6),
    percent: entry?.payout_percent?.toString() ?? "",
    currency: entry?.currency ?? "",
    billing_window_seconds: entry?.billing_window_seconds?.toString() ?? "",
    note: entry?.note ?? "",
  });
  const [postback, setPostback] = useState({
    postback_url: entry?.postback_url ?? "",
    postback_method: entry?.postback_method ?? "GET",
    postback_on: entry?.postback_on ?? STATUSES.map(([status]) => status as string),
  });
  const [refused, setRefused] = useState<Refused>();
  const pointers: Record<string, string> = { model: kind.model, amount: kind.amount, percent: "payout_percent" };
  const field = (name: string) => ({ value: fields[name] ?? "", set: (value: string) => setFields({ ...fields, [name]: value }), error: refused?.at(`/${pointers[name] ?? name}`) });
  const save = async (event: Event) => {
    event.preventDefault();
    const body: Record<string, unknown> = {
      name: fields.name,
      status: fields.status,
      [kind.model]: fields.model,
      [kind.amount]: fields.amount ? Math.round(Number(fields.amount) * 1e6) : null,
      ...(fields.model === "revshare" ? { payout_percent: Number(fields.percent) } : {}),
      currency: fields.currency || null,
      ...(bills ? { billing_window_seconds: fields.billing_window_seconds ? Number(fields.billing_window_seconds) : null } : {}),
      // Without an address the rest waits for one, whatever it says.
      ...(postback.postback_url.trim() ? { ...postback, postback_url: postback.postback_url.trim() } : { postback_url: null }),
      note: fields.note || null,
    };
    try {
      if (known && entry) await ask(`/api/${kind.path}/${encodeURIComponent(entry.id)}`, { method: "PATCH", body, headers: { "if-match": `"${entry.version}"` } });
      else await ask(`/api/${kind.path}`, { body: { ...(fields.id ? { id: fields.id } : {}), ...Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) } });
      saved(fields.name ?? "");
    } catch (error) {
      setRefused(error as Refused);
    }
  };
  return (
    <Dialog title={known ? `Edit ${entry?.name}` : `New ${kind.one.toLowerCase()}`} close={close}>
      <form class="editor" onSubmit={save}>
        <Field label="Name" required {...field("name")} />
        <div class="columns">
          <Field label="Id" placeholder="generated" disabled={known} {...field("id")} />
          <Choice label="Status" options={kind.statuses} value={fields.status ?? ""} set={field("status").set} />
          <Choice label={kind.model === "cost_model" ? "Costs" : "Is paid"} options={kind.models} value={fields.model ?? ""} set={field("model").set} />
          {fields.model === "revshare" ? <Field label="Percent" type="number" {...field("percent")} /> : <Field label="Amount" {...field("amount")} />}
          <Field label="Currency" placeholder="EUR" {...field("currency")} />
          {bills ? <Field label="Seconds between paid clicks" type="number" placeholder="86400" {...field("billing_window_seconds")} hint={billed(fields.billing_window_seconds ?? "")} /> : null}
        </div>
        <PostbackFields value={postback} change={setPostback} refused={refused} />
        <Field label="Note" {...field("note")} />
        {refused ? <p class="error" role="alert">{refused.message}</p> : null}
        <footer><button type="button" class="quiet" onClick={close}>Cancel</button><button class="primary">Save</button></footer>
      </form>
    </Dialog>
  );
}

function billed(seconds: string): string {
  if (seconds === "0") return "Every click of a visitor’s is paid.";
  return `One click of a visitor’s is paid in ${duration(Number(seconds) || 86_400)}; with 0, each.`;
}
