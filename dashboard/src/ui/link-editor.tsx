// Making a link, and changing one: where it leads, for whom it leads elsewhere, and what is added on the way.
import { useState } from "preact/hooks";
import { type Link, Refused, type Rule, type Variant, ask } from "../api.ts";
import { Dialog } from "./dialog.tsx";
import { Choice, Field } from "./field.tsx";
import { Icon } from "./icon.tsx";

const SUBJECTS = [
  ["country", "Country"],
  ["device", "Device"],
  ["os", "System"],
  ["browser", "Browser"],
  ["language", "Language"],
  ["referrer", "Referrer"],
  ["region", "Region"],
  ["city", "City"],
  ["continent", "Continent"],
  ["in_app", "Inside an app"],
  ["bot", "Is a bot"],
  ["query", "Query parameters"],
  ["time", "Hours of the week"],
  ["after", "After"],
  ["before", "Before"],
] as const;

const EXAMPLES: Record<string, string> = {
  country: "DE, AT or -US",
  device: "smartphone, tablet",
  os: "ios, android",
  browser: "Chrome, Safari",
  language: "de, fr",
  referrer: "news.example",
  region: "US-CA",
  city: "Berlin",
  continent: "EU",
  in_app: "true",
  bot: "true",
  query: '{"ref": "mail"}',
  time: '{"from": "09:00", "to": "17:00", "tz": "Europe/Berlin"}',
  after: "2026-12-01T00:00:00Z",
  before: "2026-12-24T00:00:00Z",
};

interface Condition {
  subject: string;
  text: string;
}

interface Draft {
  conditions: Condition[];
  url: string;
  fallback: string;
}

const LISTS = new Set(["country", "device", "os", "browser", "language", "referrer", "region", "city", "continent"]);

function draftOf({ when, url, fallback_url }: Rule): Draft {
  const conditions = Object.entries(when).map(([subject, value]) => ({
    subject,
    text: Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value),
  }));
  return { conditions, url, fallback: fallback_url ?? "" };
}

/** What cannot be read goes as it is: the service says what is wrong with it, and where. */
function ruleOf({ conditions, url, fallback }: Draft): Rule {
  const value = ({ subject, text }: Condition): unknown => {
    if (LISTS.has(subject)) return text.split(",").map((part) => part.trim()).filter(Boolean);
    if (subject === "after" || subject === "before") return text;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };
  return { when: Object.fromEntries(conditions.map((condition) => [condition.subject, value(condition)])), url, ...(fallback ? { fallback_url: fallback } : {}) };
}

const UTM = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] as const;

/** `2026-12-24T10:00` in this browser's zone, and back. */
const localTime = (value: string | null) => (value ? new Date(Date.parse(value) - new Date(value).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "");
const moment = (value: string) => (value ? new Date(value).toISOString() : null);

export function LinkEditor({ link, close, saved }: { link?: Link; close: () => void; saved: (link: Link) => void }) {
  const [fields, setFields] = useState<Record<string, string>>(() => ({
    url: link?.url ?? "",
    token: link?.token ?? "",
    title: link?.title ?? "",
    campaign_id: link?.campaign_id ?? "",
    tags: link?.tags.join(", ") ?? "",
    status: String(link?.status ?? 302),
    starts_at: localTime(link?.starts_at ?? null),
    expires_at: localTime(link?.expires_at ?? null),
    max_clicks: link?.max_clicks?.toString() ?? "",
    password: "",
    append_click_id: link?.append_click_id ?? "",
    ...Object.fromEntries(UTM.map((name) => [name, link?.[name] ?? ""])),
  }));
  const [rules, setRules] = useState<Draft[]>(() => link?.rules.map(draftOf) ?? []);
  const [variants, setVariants] = useState<Variant[]>(() => link?.variants ?? []);
  const [honeypot, setHoneypot] = useState(link?.honeypot ?? false);
  const [refused, setRefused] = useState<Refused>();
  const [busy, setBusy] = useState(false);
  const field = (name: string) => ({ value: fields[name] ?? "", set: (value: string) => setFields({ ...fields, [name]: value }), error: refused?.at(`/${name}`) });
  const text = (name: string) => fields[name]?.trim() || null;

  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    const body: Record<string, unknown> = {
      url: text("url"),
      title: text("title"),
      campaign_id: text("campaign_id"),
      tags: (fields.tags ?? "").split(",").map((tag) => tag.trim()).filter(Boolean),
      status: Number(fields.status),
      starts_at: moment(fields.starts_at ?? ""),
      expires_at: moment(fields.expires_at ?? ""),
      max_clicks: text("max_clicks") === null ? null : Number(fields.max_clicks),
      append_click_id: text("append_click_id"),
      ...Object.fromEntries(UTM.map((name) => [name, text(name)])),
      rules: rules.map(ruleOf),
      variants,
      honeypot,
      ...(text("password") ? { password: fields.password } : {}),
    };
    try {
      const path = link ? `/api/links/${encodeURIComponent(link.token)}${link.domain ? `?domain=${link.domain}` : ""}` : "/api/links";
      const made = link
        ? await ask<Link>(path, { method: "PATCH", body, headers: { "if-match": `"${link.version}"` } })
        : await ask<Link>(path, { body: Object.fromEntries(Object.entries({ ...body, token: text("token") }).filter(([, value]) => value !== null)) });
      saved(made);
    } catch (error) {
      setRefused(error as Refused);
      setBusy(false);
    }
  };
  const placed = new Set([...Object.keys(fields).map((name) => `/${name}`)]);
  const elsewhere = refused?.problem.errors?.filter((error) => !placed.has(error.pointer)) ?? [];
  return (
    <Dialog title={link ? `Edit /${link.token}` : "New link"} close={close} wide>
      <form class="editor" onSubmit={save}>
        <Field label="Leads to" type="url" required placeholder="https://shop.example/sale" {...field("url")} />
        <div class="columns">
          <Field label="Short name" placeholder="generated" disabled={link !== undefined} hint={link ? "It is printed and sent: it stays." : undefined} {...field("token")} />
          <Field label="Title" {...field("title")} />
          <Field label="Campaign" {...field("campaign_id")} />
          <Field label="Tags" placeholder="newsletter, spring" {...field("tags")} />
        </div>
        <details open={UTM.some((name) => fields[name])}>
          <summary>UTM parameters</summary>
          <div class="columns">{UTM.map((name) => <Field key={name} label={name.slice(4).replace(/^./, (first) => first.toUpperCase())} {...field(name)} />)}</div>
          <p class="preview"><span class="hint">Visitors arrive at</span> <code>{arrival(fields)}</code></p>
        </details>
        <details open={rules.length > 0}>
          <summary>Rules{rules.length ? ` (${rules.length})` : ""}</summary>
          <p class="hint">The first rule that fits decides. All its conditions have to fit; a value with a minus in front excludes.</p>
          {rules.map((rule, place) => (
            <RuleEditor key={place} number={place + 1} rule={rule} change={(next) => setRules(rules.map((one, at) => (at === place ? next : one)))} remove={() => setRules(rules.filter((_, at) => at !== place))} />
          ))}
          <button type="button" class="quiet" onClick={() => setRules([...rules, { conditions: [{ subject: "country", text: "" }], url: "", fallback: "" }])}><Icon name="plus" /> Add a rule</button>
        </details>
        <details open={variants.length > 0}>
          <summary>A/B variants{variants.length ? ` (${variants.length})` : ""}</summary>
          <p class="hint">Who fits no rule is shared out by weight, and stays with a variant.</p>
          {variants.map((variant, place) => {
            const change = (next: Partial<Variant>) => setVariants(variants.map((one, at) => (at === place ? { ...one, ...next } : one)));
            return (
              <div key={place} class="row">
                <Field label="Name" value={variant.name} set={(name) => change({ name })} />
                <Field label="Leads to" value={variant.url} set={(url) => change({ url })} />
                <Field label="Weight" type="number" value={String(variant.weight)} set={(weight) => change({ weight: Number(weight) })} />
                <button type="button" class="icon" aria-label={`Remove variant ${variant.name}`} onClick={() => setVariants(variants.filter((_, at) => at !== place))}><Icon name="trash" /></button>
              </div>
            );
          })}
          <button type="button" class="quiet" onClick={() => setVariants([...variants, { name: String.fromCharCode(97 + variants.length), url: fields.url ?? "", weight: 1 }])}><Icon name="plus" /> Add a variant</button>
        </details>
        <details open={link?.honeypot}>
          <summary>Limits and details</summary>
          <div class="columns">
            <Field label="Begins" type="datetime-local" {...field("starts_at")} />
            <Field label="Ends" type="datetime-local" {...field("expires_at")} />
            <Field label="Most clicks" type="number" {...field("max_clicks")} />
            <Field label="Password" type="password" hint={link?.protected ? "There is one; write to change it." : undefined} {...field("password")} />
            <Choice label="Redirect" value={fields.status ?? "302"} set={field("status").set} options={[["302", "302, asked each time"], ["301", "301, kept by browsers"], ["307", "307"], ["308", "308, kept by browsers"]]} />
            <Field label="Click id as parameter" placeholder="click_id" {...field("append_click_id")} />
          </div>
          <label class="check"><input type="checkbox" checked={honeypot} onChange={({ currentTarget }) => setHoneypot(currentTarget.checked)} /> A trap: no person sees this link, and who follows it is a program</label>
        </details>
        {refused ? (
          <div class="failure" role="alert">
            <strong>{refused.problem.title}</strong>
            {elsewhere.length ? <ul>{elsewhere.map((error) => <li key={error.pointer}><code>{error.pointer}</code> {error.detail}</li>)}</ul> : <p>{refused.message}</p>}
          </div>
        ) : null}
        <footer>
          <button type="button" class="quiet" onClick={close}>Cancel</button>
          <button class="primary" disabled={busy}>{link ? "Save" : "Create link"}</button>
        </footer>
      </form>
    </Dialog>
  );
}

function RuleEditor({ number, rule, change, remove }: { number: number; rule: Draft; change: (rule: Draft) => void; remove: () => void }) {
  const condition = (place: number, next: Condition | undefined) =>
    change({ ...rule, conditions: rule.conditions.flatMap((one, at) => (at === place ? (next ? [next] : []) : [one])) });
  return (
    <fieldset class="rule">
      <legend>Rule {number}</legend>
      {rule.conditions.map((one, place) => (
        <div key={place} class="row">
          <Choice label="If" value={one.subject} set={(subject) => condition(place, { ...one, subject })} options={SUBJECTS} />
          <Field label="is" value={one.text} placeholder={EXAMPLES[one.subject] ?? ""} set={(text) => condition(place, { ...one, text })} />
          <button type="button" class="icon" aria-label={`Remove condition ${place + 1} of rule ${number}`} onClick={() => condition(place, undefined)}><Icon name="close" /></button>
        </div>
      ))}
      <div class="row">
        <Field label="then it leads to" value={rule.url} placeholder="https://shop.example/de" set={(url) => change({ ...rule, url })} />
        <button type="button" class="quiet small" onClick={() => change({ ...rule, conditions: [...rule.conditions, { subject: "device", text: "" }] })}><Icon name="plus" /> Condition</button>
        <button type="button" class="icon" aria-label={`Remove rule ${number}`} onClick={remove}><Icon name="trash" /></button>
      </div>
    </fieldset>
  );
}

/** The target's own parameters win. */
function arrival(fields: Record<string, string>): string {
  try {
    const url = new URL(fields.url ?? "");
    for (const name of UTM) if (fields[name] && !url.searchParams.has(name)) url.searchParams.set(name, fields[name]);
    return url.href;
  } catch {
    return "–";
  }
}
