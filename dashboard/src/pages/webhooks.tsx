// Who is told what happens here: addresses, what became of each message, and another try.
import { useState } from "preact/hooks";
import { type List, type Refused, ask } from "../api.ts";
import { ago, count } from "../format.ts";
import type { Page, PageProps } from "../pages.ts";
import { set } from "../place.ts";
import { DeliveryLog } from "../ui/deliveries.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Choice } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { copy, toast } from "../ui/toast.tsx";
import { type Hook, HookEditor } from "../ui/hook-editor.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Webhooks", nav: { group: "Run", order: 5, icon: "webhooks" }, scope: "admin" };

export default function Webhooks({ params }: PageProps) {
  const { data, error, again } = useAnswer<List<Hook>>("/api/webhooks?limit=200");
  const [editing, setEditing] = useState<Hook | "new">();
  const [secret, setSecret] = useState<Hook>();
  const [busy, setBusy] = useState("");
  const act = async (hook: Hook, what: () => Promise<string>) => {
    setBusy(hook.id);
    try {
      toast(await what());
    } catch (refused) {
      toast((refused as Refused).message);
    }
    setBusy("");
    again();
  };
  const at = (hook: Hook) => `/api/webhooks/${encodeURIComponent(hook.id)}`;
  const test = (hook: Hook) =>
    act(hook, async () => {
      const said = await ask<{ delivered: boolean; status: number | null; error: string | null; milliseconds: number }>(`${at(hook)}/test`, { method: "POST" });
      return said.delivered ? `${hook.name} took it: ${said.status} after ${count(said.milliseconds)} ms` : `${hook.name} did not take it: ${said.error ?? said.status}`;
    });
  const rotate = (hook: Hook) =>
    act(hook, async () => {
      if (!confirm(`Give “${hook.name}” another secret? For a day messages are signed with both.`)) return "";
      setSecret(await ask<Hook>(`${at(hook)}/rotate`, { method: "POST" }));
      return "";
    });
  const remove = (hook: Hook) =>
    act(hook, async () => {
      if (!confirm(`Delete “${hook.name}”? It is told nothing any more.`)) return "";
      await ask(at(hook), { method: "DELETE" });
      return `“${hook.name}” is deleted`;
    });
  const status = (hook: Hook, to: string) =>
    act(hook, async () => {
      await ask(at(hook), { method: "PATCH", body: { status: to } });
      return to === "active" ? `“${hook.name}” is told again` : `“${hook.name}” is paused`;
    });
  return (
    <>
      <header class="page"><h1>Webhooks</h1><button type="button" class="primary" onClick={() => setEditing("new")}><Icon name="plus" /> New webhook</button></header>
      <section class="card table" aria-label="Webhooks">
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={4} /> : data.data.length === 0 ? (
          <Empty>
            <p>Nobody is told what happens here. A webhook is an address of yours that hears of clicks, conversions, changed links or alarms within seconds, signed, and tried again for a day.</p>
            <button type="button" class="primary" onClick={() => setEditing("new")}>Make the first</button>
          </Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Webhooks, table">
            <table>
              <thead><tr><th scope="col">Webhook</th><th scope="col">Is told</th><th scope="col">Status</th><th scope="col">Changed</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
              <tbody>
                {data.data.map((hook) => (
                  <tr key={hook.id}>
                    <th scope="row"><button type="button" class="link" title="Its deliveries alone" onClick={() => set({ webhook: hook.id })}>{hook.name}</button><span class="sub url">{hook.url}</span></th>
                    <td>{hook.kind === "http_sink" ? <span class="badge">every click, one to a line</span> : hook.events.map((event) => <span key={event} class="badge">{event}</span>)}{hook.campaign_id ? <span class="badge">of {hook.campaign_id}</span> : null}</td>
                    <td><span class={`badge ${hook.status === "disabled" ? "failed" : hook.status}`}>{hook.status}</span></td>
                    <td class="muted when">{ago(hook.updated_at)}</td>
                    <td class="actions">
                      <button type="button" class="small" disabled={busy !== ""} onClick={() => test(hook)} aria-label={`Test ${hook.name}`}><Icon name="send" /> Test</button>{" "}
                      {hook.status === "active" ? <button type="button" class="small" disabled={busy !== ""} onClick={() => status(hook, "paused")} aria-label={`Pause ${hook.name}`}>Pause</button> : <button type="button" class="small" disabled={busy !== ""} onClick={() => status(hook, "active")} aria-label={`Resume ${hook.name}`}>Resume</button>}
                      <button type="button" class="icon" aria-label={`New secret for ${hook.name}`} title="New secret" disabled={busy !== ""} onClick={() => rotate(hook)}><Icon name="key" /></button>
                      <button type="button" class="icon" aria-label={`Edit ${hook.name}`} title="Edit" onClick={() => setEditing(hook)}><Icon name="edit" /></button>
                      <button type="button" class="icon" aria-label={`Delete ${hook.name}`} title="Delete" disabled={busy !== ""} onClick={() => remove(hook)}><Icon name="trash" /></button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <Deliveries params={params} hooks={data?.data ?? []} />
      {editing ? (
        <HookEditor
          hook={editing === "new" ? undefined : editing}
          close={() => setEditing(undefined)}
          saved={(hook) => {
            setEditing(undefined);
            if (hook.secret) setSecret(hook);
            else toast(`“${hook.name}” is saved`);
            again();
          }}
        />
      ) : null}
      {secret ? (
        <Dialog title="Copy the secret now" close={() => setSecret(undefined)}>
          <div class="editor">
            <p>This is the only time that it is shown. With it the receiver of “{secret.name}” verifies that a message is ours.</p>
            <p class="secret"><code>{secret.secret}</code></p>
            <footer><button type="button" class="primary" onClick={() => copy(secret.secret ?? "", "Secret")}><Icon name="copy" /> Copy</button><button type="button" class="quiet" onClick={() => setSecret(undefined)}>Done</button></footer>
          </div>
        </Dialog>
      ) : null}
    </>
  );
}

const STATES = [["", "Any state"], ["waiting", "Waiting"], ["delivered", "Delivered"], ["dead", "Dead"]] as const;

function Deliveries({ params, hooks }: { params: URLSearchParams; hooks: Hook[] }) {
  const hook = params.get("webhook") ?? "";
  const state = params.get("state") ?? "";
  const named = new Map(hooks.map((one) => [one.id, one.name]));
  return (
    <section class="card table" aria-label="Deliveries">
      <DeliveryLog
        of={hook}
        state={state}
        names={named}
        again={hook ? replayOf(hook) : undefined}
        heading={
          <>
            <h2>Deliveries</h2>
            <div class="tools narrow">
              <Choice label="Of" value={hook} set={(value) => set({ webhook: value || undefined }, { replace: true })} options={[["", "Every webhook"], ...hooks.map((one) => [one.id, one.name] as const), ...(hook && !named.has(hook) ? [[hook, hook] as const] : [])]} />
              <Choice label="State" value={state} set={(value) => set({ state: value || undefined }, { replace: true })} options={STATES} />
            </div>
          </>
        }
      />
    </section>
  );
}

/** Postbacks stand in the same log; what died of them is sent again by those who wrote them down. */
function replayOf(owner: string): string {
  const [, sort, id] = /^postback\/(campaign|publisher)\/(.+)$/s.exec(owner) ?? [];
  return id === undefined ? `/api/webhooks/${encodeURIComponent(owner)}/replay` : `/api/${sort}s/${encodeURIComponent(id)}/postback/replay`;
}
