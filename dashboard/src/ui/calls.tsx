// The calls of a campaign's or a publisher's postback: one for a try, and what became of the others.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { count } from "../format.ts";
import { set } from "../place.ts";
import { type Session, may } from "../session.ts";
import { useAnswer } from "../use.ts";
import { DeliveryLog } from "./deliveries.tsx";
import { Icon } from "./icon.tsx";
import { Failure } from "./states.tsx";
import { toast } from "./toast.tsx";

interface Tried {
  delivered: boolean;
  status: number | null;
  error: string | null;
  milliseconds: number;
}

export function Calls({ sort, id, session }: { sort: "campaigns" | "publishers"; id: string; session: Session }) {
  const at = `/api/${sort}/${encodeURIComponent(id)}`;
  const { data, error, again } = useAnswer<{ name: string; postback_url: string | null }>(at);
  const [busy, setBusy] = useState(false);
  const section = useRef<HTMLElement>(null);
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), [data === undefined]);
  const test = async () => {
    setBusy(true);
    try {
      const said = await ask<Tried>(`${at}/postback/test`, { method: "POST" });
      toast(said.delivered ? `It was taken: ${said.status} after ${count(said.milliseconds)} ms` : `It was not taken: ${said.error ?? said.status}`);
    } catch (refused) {
      toast((refused as Refused).message);
    }
    setBusy(false);
  };
  const title = `Postback of ${data?.name ?? id}`;
  const heading = (
    <>
      <h2>{title}</h2>
      {data?.postback_url && may(session, "links:write") ? <button type="button" class="small" disabled={busy} onClick={test}><Icon name="send" /> Send a test call</button> : null}
      <button type="button" class="icon" aria-label="Close the log" onClick={() => set({ postback: undefined })}><Icon name="close" /></button>
    </>
  );
  return (
    <section ref={section} class="card table" aria-label={title}>
      {error ? <Failure error={error} again={again} /> : (
        <>
          {may(session, "admin") ? (
            <DeliveryLog of={`postback/${sort.slice(0, -1)}/${id}`} again={`${at}/postback/replay`} heading={heading} />
          ) : (
            <>
              <div class="heading">{heading}</div>
              <p class="hint">The log of its calls is shown to keys with the scope <code>admin</code>.</p>
            </>
          )}
          {data?.postback_url ? <p class="hint called">A test call has <code>test-click_id</code> and the like in place of values, and is not in this log. It calls <code>{data.postback_url}</code></p> : null}
        </>
      )}
    </section>
  );
}
