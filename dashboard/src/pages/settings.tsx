// Keys: who may do what.
import { useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { ago, dateTime } from "../format.ts";
import type { Page } from "../pages.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { copy, toast } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Settings", nav: { group: "Run", order: 9, icon: "settings" }, scope: "admin" };

interface Key {
  id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  key?: string;
}

const SCOPES = [
  ["stats:read", "See statistics, and the live view"],
  ["links:read", "See links, campaigns and publishers"],
  ["links:write", "Make and change them"],
  ["events:write", "Send events on behalf of visitors"],
  ["admin", "Everything, and keys and dead letters"],
] as const;

export default function Settings() {
  const { data, error, again } = useAnswer<{ data: Key[] }>("/api/keys");
  const [making, setMaking] = useState(false);
  const revoke = async (key: Key) => {
    if (!confirm(`Revoke “${key.name}”? Whoever uses it is refused from now on, in the dashboard too.`)) return;
    try {
      await ask(`/api/keys/${key.id}`, { method: "DELETE" });
      toast(`“${key.name}” is revoked`);
    } catch (refused) {
      toast((refused as Refused).message);
    }
    again();
  };
  return (
    <>
      <header class="page"><h1>Settings</h1><button type="button" class="primary" onClick={() => setMaking(true)}><Icon name="plus" /> New key</button></header>
      <section class="card table" aria-label="API keys">
        <h2>API keys</h2>
        <p class="hint">A key signs in here, too. It sees and changes what its scopes allow; what there is to ask for stands in the <a href="/docs">API reference</a>.</p>
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting /> : data.data.length === 0 ? (
          <Empty><p>There is only the secret <code>ADMIN_TOKEN</code>. Give everybody and everything a key of their own, with no more scopes than they need.</p></Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="API keys">
            <table>
              <thead><tr><th scope="col">Name</th><th scope="col">Scopes</th><th scope="col">Made</th><th scope="col">Last used</th><th scope="col">Ends</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
              <tbody>
                {data.data.map((key) => (
                  <tr key={key.id}>
                    <th scope="row">{key.name}<span class="sub">{key.id.slice(0, 8)}</span></th>
                    <td>{key.scopes.map((scope) => <span key={scope} class="badge">{scope}</span>)}</td>
                    <td>{dateTime(key.created_at)}</td>
                    <td>{key.last_used_at ? ago(key.last_used_at) : <span class="muted">never</span>}</td>
                    <td>{key.expires_at ? dateTime(key.expires_at) : <span class="muted">never</span>}</td>
                    <td class="actions"><button type="button" class="small danger" onClick={() => revoke(key)}>Revoke</button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {making ? <Make close={() => (setMaking(false), again())} /> : null}
    </>
  );
}

function Make({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["stats:read", "links:read"]);
  const [ends, setEnds] = useState("");
  const [made, setMade] = useState<Key>();
  const [refused, setRefused] = useState<Refused>();
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      setMade(await ask<Key>("/api/keys", { body: { name, scopes, ...(ends ? { expires_at: `${ends}T00:00:00Z` } : {}) } }));
    } catch (error) {
      setRefused(error as Refused);
    }
  };
  return (
    <Dialog title={made ? "Copy it now" : "New key"} close={close}>
      {made ? (
        <div class="editor">
          <p>This is the only time that the key is shown.</p>
          <p class="secret"><code>{made.key}</code></p>
          <footer><button type="button" class="primary" onClick={() => copy(made.key ?? "", "Key")}><Icon name="copy" /> Copy</button><button type="button" class="quiet" onClick={close}>Done</button></footer>
        </div>
      ) : (
        <form class="editor" onSubmit={save}>
          <Field label="Name" required placeholder="Dashboard of the newsletter team" value={name} set={setName} error={refused?.at("/name")} />
          <fieldset>
            <legend>May</legend>
            {SCOPES.map(([scope, said]) => (
              <label key={scope} class="check"><input type="checkbox" checked={scopes.includes(scope)} onChange={({ currentTarget }) => setScopes(currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))} /> {said} <code>{scope}</code></label>
            ))}
          </fieldset>
          <Field label="Ends" type="date" value={ends} set={setEnds} hint="Empty: when it is revoked." error={refused?.at("/expires_at")} />
          {refused ? <p class="error" role="alert">{refused.message}</p> : null}
          <footer><button type="button" class="quiet" onClick={close}>Cancel</button><button class="primary">Make it</button></footer>
        </form>
      )}
    </Dialog>
  );
}
