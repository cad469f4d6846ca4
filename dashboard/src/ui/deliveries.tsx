// What was told to whom, and another try: of webhooks and of postbacks.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type List, type Refused, ask } from "../api.ts";
import { ago, count, dateTime } from "../format.ts";
import { useAnswer } from "../use.ts";
import { Dialog } from "./dialog.tsx";
import { Empty, Failure, Waiting } from "./states.tsx";
import { toast } from "./toast.tsx";

interface Delivery {
  id: string;
  webhook_id: string;
  event: string;
  state: "waiting" | "delivered" | "dead";
  attempts: number;
  created_at: string;
  next_try_at: string | null;
  ended_at: string | null;
  status: number | null;
  error: string | null;
  body?: string;
}

const LOOKS: Record<Delivery["state"], string> = { waiting: "paused", delivered: "conversion", dead: "failed" };

interface Props {
  /** Whose, as the API names them; of everybody if empty. */
  of: string;
  state?: string;
  names?: Map<string, string>;
  /** What sends all dead ones again. */
  again: string | undefined;
  heading: ComponentChildren;
}

export function DeliveryLog({ of, state = "", names, again: replayAll, heading }: Props) {
  const query = new URLSearchParams({ limit: "50", ...(of ? { webhook_id: of } : {}), ...(state ? { state } : {}) });
  const { data, error, again } = useAnswer<List<Delivery>>(`/api/deliveries?${query}`, 5_000);
  const [open, setOpen] = useState("");
  const [busy, setBusy] = useState(false);
  const replay = async (path: string) => {
    setBusy(true);
    try {
      const { replayed } = await ask<{ replayed: number }>(path, { method: "POST" });
      toast(replayed === 1 ? "It is sent again" : `${count(replayed)} are sent again`);
    } catch (refused) {
      toast((refused as Refused).message);
    }
    setBusy(false);
    again();
  };
  return (
    <>
      <div class="heading">
        {heading}
        {replayAll && data?.data.some((one) => one.state === "dead") ? <button type="button" class="small" disabled={busy} onClick={() => replay(replayAll)}>Send all dead ones again</button> : null}
      </div>
      {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={5} /> : data.data.length === 0 ? (
        <Empty><p>Nothing {state || of ? "like that " : ""}was told in the last days. Delivered messages are listed for seven days, dead ones for thirty.</p></Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Deliveries, table">
          <table>
            <thead><tr><th scope="col">Event</th><th scope="col">To</th><th scope="col">State</th><th scope="col" class="number">Tries</th><th scope="col">Last answer</th><th scope="col">When</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
            <tbody>
              {data.data.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.event}</th>
                  <td>{names?.get(one.webhook_id) ?? one.webhook_id}</td>
                  <td><span class={`badge ${LOOKS[one.state]}`}>{one.state}</span></td>
                  <td class="number">{count(one.attempts)}</td>
                  <td class="said">{one.status ?? ""} {one.error ? <span class="muted">{one.error}</span> : one.status ? null : <span class="muted">–</span>}</td>
                  <td class="muted when" title={dateTime(one.created_at)}>{ago(one.ended_at ?? one.created_at)}{one.next_try_at && one.state === "waiting" && one.attempts > 0 ? <span class="sub">next try {ago(one.next_try_at)}</span> : null}</td>
                  <td class="actions">
                    <button type="button" class="small" aria-label={`Show ${one.event} ${one.id}`} onClick={() => setOpen(one.id)}>Show</button>{" "}
                    {one.state === "dead" ? <button type="button" class="small" aria-label={`Send ${one.event} ${one.id} again`} disabled={busy} onClick={() => replay(`/api/deliveries/${encodeURIComponent(one.id)}/replay`)}>Send again</button> : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open ? <Whole id={open} close={() => setOpen("")} /> : null}
    </>
  );
}

function Whole({ id, close }: { id: string; close: () => void }) {
  const { data, error, again } = useAnswer<Delivery>(`/api/deliveries/${encodeURIComponent(id)}`);
  const body = pretty(data?.body ?? "");
  return (
    <Dialog title={data?.event ?? "Delivery"} close={close} wide>
      <div class="editor">
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={6} /> : (
          <>
            <dl class="money">
              <div><dt>State</dt><dd>{data.state}</dd></div>
              <div><dt>Tries</dt><dd>{count(data.attempts)}</dd></div>
              <div><dt>Last answer</dt><dd>{data.status ?? "none"}</dd></div>
              <div><dt>Noted</dt><dd>{dateTime(data.created_at)}</dd></div>
            </dl>
            {data.error ? <p class="error">{data.error}</p> : null}
            <p class="hint"><code>webhook-id: {data.id}</code></p>
            {body ? <pre class="message" tabIndex={0} role="region" aria-label="Body">{body}</pre> : <p class="hint">The body of what is delivered is not kept.</p>}
          </>
        )}
      </div>
    </Dialog>
  );
}

/** Of a sink it is one object to a line, which is nothing to be spread out. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
