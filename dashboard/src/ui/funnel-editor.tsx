// Making a funnel, and changing one: what happens, in which order, and within what time.
import { useRef, useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { Dialog } from "./dialog.tsx";
import { Choice, Field } from "./field.tsx";
import { Icon } from "./icon.tsx";

export type Step = Record<string, string | number>;

export interface Funnel {
  id: string;
  name: string;
  order: string;
  basis: string;
  window_seconds: number;
  steps: Step[];
  exclude: Step[] | null;
  version: number;
}

const KINDS = [["", "Any event"], ["click", "Click"], ["page", "Page view"], ["impression", "Impression"], ["conversion", "Conversion"], ["session_end", "End of a session"]] as const;
const SUBJECTS = [
  ["path", "Path"],
  ["event_name", "Event name"],
  ["link", "Link"],
  ["element_id", "Element"],
  ["campaign_id", "Campaign"],
  ["min_value", "Value, at least"],
  ["name", "Name"],
] as const;
const EXAMPLES: Record<string, string> = { path: "/products/*", event_name: "purchase", link: "sale", element_id: "buy-button", campaign_id: "autumn-sale", min_value: "49.90", name: "purchase" };
const UNITS = [["60", "minutes"], ["3600", "hours"], ["86400", "days"]] as const;
const ORDERS = [["ordered", "In order, whatever comes between"], ["strict", "In order, no other step between"], ["any", "In any order"]] as const;
const BASES = [["visitor", "A visitor’s, over days"], ["session", "One session’s"]] as const;

const KIND_NAMES = new Map<string, string>(KINDS);

/** As the report names a step. */
export function stepName(step: Step): string {
  const { label, name, path, event_name, link, element_id, kind, campaign_id } = step;
  return String(label ?? name ?? path ?? event_name ?? link ?? element_id ?? KIND_NAMES.get(String(kind ?? "")) ?? campaign_id ?? "");
}

interface Draft {
  key: number;
  kind: string;
  label: string;
  conditions: { subject: string; text: string }[];
}

const subjects = new Set<string>(SUBJECTS.map(([name]) => name));

function stepOf({ kind, label, conditions }: Draft): Step {
  const fields = [["kind", kind], ["label", label.trim()], ...conditions.map(({ subject, text }) => [subject, text.trim()])];
  return Object.fromEntries(fields.filter(([, text]) => text !== ""));
}

export function FunnelEditor({ funnel, close, saved }: { funnel?: Funnel; close: () => void; saved: (funnel: Funnel) => void }) {
  const last = useRef(0);
  const draftOf = (step: Step): Draft => ({
    key: ++last.current,
    kind: String(step.kind ?? ""),
    label: String(step.label ?? ""),
    conditions: Object.entries(step).filter(([name]) => subjects.has(name)).map(([subject, text]) => ({ subject, text: String(text) })),
  });
  const [name, setName] = useState(funnel?.name ?? "");
  const [id, setId] = useState(funnel?.id ?? "");
  const [order, setOrder] = useState(funnel?.order ?? "ordered");
  const [basis, setBasis] = useState(funnel?.basis ?? "visitor");
  const window = funnel?.window_seconds ?? 604_800;
  const [unit, setUnit] = useState<string>(UNITS.findLast(([size]) => window % Number(size) === 0)?.[0] ?? "60");
  const [length, setLength] = useState(String(window / Number(unit)));
  const [steps, setSteps] = useState<Draft[]>(() => (funnel?.steps ?? [{ kind: "click" }, { kind: "page", path: "" }, { kind: "conversion" }]).map(draftOf));
  const [exclude, setExclude] = useState<Draft[]>(() => (funnel?.exclude ?? []).map(draftOf));
  const [refused, setRefused] = useState<Refused>();
  const [busy, setBusy] = useState(false);
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    const body = {
      name: name.trim(),
      order,
      basis,
      window_seconds: Math.round(Number(length) * Number(unit)),
      steps: steps.map(stepOf),
      exclude: exclude.length ? exclude.map(stepOf) : null,
    };
    try {
      saved(
        funnel
          ? await ask<Funnel>(`/api/funnels/${encodeURIComponent(funnel.id)}`, { method: "PATCH", body, headers: { "if-match": `"${funnel.version}"` } })
          : await ask<Funnel>("/api/funnels", { body: id.trim() ? { id: id.trim(), ...body } : body }),
      );
    } catch (error) {
      setRefused(error as Refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={funnel ? `Edit ${funnel.name}` : "New funnel"} close={close} wide>
      <form class="editor" onSubmit={save}>
        <div class="columns">
          <Field label="Name" required placeholder="From the click to the purchase" value={name} set={setName} error={refused?.at("/name")} />
          {funnel ? null : <Field label="Id" placeholder="generated" value={id} set={setId} error={refused?.at("/id")} />}
        </div>
        <Steps title="Step" pointer="/steps" drafts={steps} change={setSteps} refused={refused} least={2} />
        <button type="button" class="quiet" onClick={() => setSteps([...steps, draftOf({ kind: "page", path: "" })])} disabled={steps.length >= 20}><Icon name="plus" /> Add a step</button>
        <div class="columns">
          <Choice label="Order" value={order} set={setOrder} options={ORDERS} />
          <Choice label="All steps are" value={basis} set={setBasis} options={BASES} />
          <div class="row">
            <Field label="Within" type="number" required value={length} set={setLength} error={refused?.at("/window_seconds")} />
            <Choice label="Unit" value={unit} set={setUnit} options={UNITS} />
          </div>
        </div>
        <details open={exclude.length > 0}>
          <summary>What ends an attempt{exclude.length ? ` (${exclude.length})` : ""}</summary>
          <p class="hint">Who does this in between has to begin again.</p>
          <Steps title="Exclusion" pointer="/exclude" drafts={exclude} change={setExclude} refused={refused} least={0} />
          <button type="button" class="quiet" onClick={() => setExclude([...exclude, draftOf({ kind: "page", path: "" })])} disabled={exclude.length >= 20}><Icon name="plus" /> Add an exclusion</button>
        </details>
        {funnel ? <p class="hint">With other steps, another order or window it is counted anew from then on.</p> : null}
        {refused ? (
          <div class="failure" role="alert">
            <strong>{refused.problem.title}</strong>
            {refused.problem.errors?.length ? <ul>{refused.problem.errors.map((error) => <li key={error.pointer}><code>{error.pointer}</code> {error.detail}</li>)}</ul> : <p>{refused.message}</p>}
          </div>
        ) : null}
        <footer>
          <button type="button" class="quiet" onClick={close}>Cancel</button>
          <button class="primary" disabled={busy}>{funnel ? "Save" : "Create funnel"}</button>
        </footer>
      </form>
    </Dialog>
  );
}

interface StepsProps {
  title: string;
  pointer: string;
  drafts: Draft[];
  change: (drafts: Draft[]) => void;
  refused: Refused | undefined;
  least: number;
}

function Steps({ title, pointer, drafts, change, refused, least }: StepsProps) {
  const swap = (place: number, other: number) => change(drafts.map((one, at) => (drafts[at === place ? other : at === other ? place : at] as Draft)));
  return (
    <>
      {drafts.map((draft, place) => {
        const put = (next: Partial<Draft>) => change(drafts.map((one, at) => (at === place ? { ...one, ...next } : one)));
        const condition = (number: number, next: { subject: string; text: string } | undefined) => put({ conditions: draft.conditions.flatMap((one, at) => (at === number ? (next ? [next] : []) : [one])) });
        const free = SUBJECTS.find(([name]) => !draft.conditions.some((one) => one.subject === name));
        const which = `${title.toLowerCase()} ${place + 1}`;
        return (
          <fieldset key={draft.key} class="rule">
            <legend>{title} {place + 1}</legend>
            <div class="row">
              <Choice label="Event" value={draft.kind} set={(kind) => put({ kind })} options={KINDS} />
              <Field label="Shown as" placeholder={stepName(stepOf({ ...draft, label: "" }))} value={draft.label} set={(label) => put({ label })} error={refused?.at(`${pointer}/${place}/label`) ?? refused?.at(`${pointer}/${place}`)} />
              <span class="buttons tight">
                <button type="button" class="icon" aria-label={`Move ${which} up`} disabled={place === 0} onClick={() => swap(place, place - 1)}><Icon name="up" /></button>
                <button type="button" class="icon" aria-label={`Move ${which} down`} disabled={place === drafts.length - 1} onClick={() => swap(place, place + 1)}><Icon name="down" /></button>
                <button type="button" class="icon" aria-label={`Remove ${which}`} disabled={drafts.length <= least} onClick={() => change(drafts.filter((_, at) => at !== place))}><Icon name="trash" /></button>
              </span>
            </div>
            {draft.conditions.map((one, number) => (
              <div key={number} class="row">
                <Choice label="Whose" value={one.subject} set={(subject) => condition(number, { ...one, subject })} options={SUBJECTS.filter(([name]) => name === one.subject || !draft.conditions.some((other) => other.subject === name))} />
                <Field label={one.subject === "min_value" ? "amount" : "is"} placeholder={EXAMPLES[one.subject] ?? ""} value={one.text} set={(text) => condition(number, { ...one, text })} error={refused?.at(`${pointer}/${place}/${one.subject}`)} />
                <button type="button" class="icon" aria-label={`Remove condition ${number + 1} of ${which}`} onClick={() => condition(number, undefined)}><Icon name="close" /></button>
              </div>
            ))}
            {free ? <button type="button" class="quiet small" onClick={() => put({ conditions: [...draft.conditions, { subject: free[0], text: "" }] })}><Icon name="plus" /> Condition</button> : null}
          </fieldset>
        );
      })}
    </>
  );
}
