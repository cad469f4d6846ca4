// What could not be counted, until somebody replays or deletes it.
import { useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { dateTime } from "../format.ts";
import type { Page } from "../pages.ts";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { toast } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Dead letters", nav: { group: "Run", order: 3, icon: "letters" }, scope: "admin" };

interface Letter {
  id: string;
  reason: string;
  at: string;
  body_base64: string;
}

export default function DeadLetters() {
  const { data, error, again } = useAnswer<{ data: Letter[]; next_before: number | null }>("/api/dead-letters");
  const [busy, setBusy] = useState("");
  const act = async (letter: Letter, method: "POST" | "DELETE") => {
    if (method === "DELETE" && !confirm("Delete it? Its events are then never counted.")) return;
    setBusy(letter.id);
    try {
      const path = `/api/dead-letters/${encodeURIComponent(letter.id)}`;
      await ask(method === "POST" ? `${path}/replay` : path, { method });
      toast(method === "POST" ? "It is counted now" : "It is deleted");
    } catch (refused) {
      toast((refused as Refused).message);
    }
    setBusy("");
    again();
  };
  return (
    <>
      <header class="page"><h1>Dead letters</h1></header>
      <section class="card table" aria-label="Dead letters">
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={5} /> : data.data.length === 0 ? (
          <Empty><p><Icon name="check" /> There are none. What a consumer cannot read comes here, with the reason, and can be counted after a repair.</p></Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Dead letters">
            <table>
              <thead><tr><th scope="col">Reason</th><th scope="col">When</th><th scope="col">Id</th><th scope="col" class="number">Bytes</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
              <tbody>
                {data.data.map((letter) => (
                  <tr key={letter.id}>
                    <th scope="row">{letter.reason}</th>
                    <td>{dateTime(letter.at)}</td>
                    <td><code>{letter.id}</code></td>
                    <td class="number">{Math.floor((letter.body_base64.replace(/=+$/, "").length * 3) / 4)}</td>
                    <td class="actions">
                      <button type="button" class="small" disabled={busy !== ""} onClick={() => act(letter, "POST")}>Replay</button>
                      <button type="button" class="icon" aria-label={`Delete ${letter.id}`} disabled={busy !== ""} onClick={() => act(letter, "DELETE")}><Icon name="trash" /></button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}
