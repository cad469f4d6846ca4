// Whom to call when a conversion reaches a status, and with what: a template of an address.
import { useRef, useState } from "preact/hooks";
import type { Refused } from "../api.ts";
import { Choice, Field } from "./field.tsx";
import { MACROS, STATUSES } from "./postback.ts";

export interface Postback {
  postback_url: string;
  postback_method: string;
  postback_on: string[];
}

interface Props {
  value: Postback;
  change: (next: Postback) => void;
  refused: Refused | undefined;
}

export function PostbackFields({ value, change, refused }: Props) {
  // Not by the address: it would close over whoever empties it to write another.
  const [open, setOpen] = useState(value.postback_url !== "");
  const wrong = ["/postback_url", "/postback_on"].some((pointer) => refused?.at(pointer) !== undefined);
  const place = useRef<HTMLDivElement>(null);
  const { postback_url: url, postback_method: method, postback_on: on } = value;
  /** Where the cursor was left, over what was chosen there. */
  const insert = (macro: string) => {
    const input = place.current?.querySelector("input");
    const [start, end] = [input?.selectionStart ?? url.length, input?.selectionEnd ?? url.length];
    change({ ...value, postback_url: `${url.slice(0, start)}{${macro}}${url.slice(end)}` });
    requestAnimationFrame(() => {
      input?.focus();
      input?.setSelectionRange(start + macro.length + 2, start + macro.length + 2);
    });
  };
  return (
    <details open={open || wrong} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Postback</summary>
      <div ref={place}>
        <Field label="Calls" placeholder="https://network.example/postback?cid={click_id}&payout={payout}" value={url} set={(next) => change({ ...value, postback_url: next })} hint="An address of theirs that is called for each conversion, with what stands in braces filled in." error={refused?.at("/postback_url")} />
      </div>
      {MACROS.map(([said, macros]) => (
        <p key={said} class="macros" role="group" aria-label={said}>
          <span class="hint">{said}</span>
          {macros.map((macro) => <button key={macro} type="button" class="small" title={`Insert {${macro}}`} onClick={() => insert(macro)}>{macro}</button>)}
        </p>
      ))}
      <Choice label="Method" value={method} set={(next) => change({ ...value, postback_method: next })} options={[["GET", "GET"], ["POST", "POST, with every value as JSON"]]} />
      <fieldset>
        <legend>Is called for</legend>
        {STATUSES.map(([status, said]) => (
          <label key={status} class="check"><input type="checkbox" checked={on.includes(status)} onChange={({ currentTarget }) => change({ ...value, postback_on: currentTarget.checked ? [...on, status] : on.filter((one) => one !== status) })} /> {said} <code>{status}</code></label>
        ))}
        {on.includes("rejected") && url && !url.includes("{status}") ? <p class="hint">Rejections are told only by an address with <code>{"{status}"}</code> in it: to any other they would look like sales.</p> : null}
        {refused?.at("/postback_on") ? <p class="error">{refused.at("/postback_on")}</p> : null}
      </fieldset>
    </details>
  );
}
