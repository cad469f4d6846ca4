// Alarms: the rules, what is on now, and what was.
import { useState } from "preact/hooks";
import { type List, type Refused, ask } from "../api.ts";
import { ago, count, dateTime } from "../format.ts";
import type { Page, PageProps } from "../pages.ts";
import { may } from "../session.ts";
import { type Alert, AlertEditor, CONDITIONS, METRICS } from "../ui/alert-editor.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { toast } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Alerts", nav: { group: "Run", order: 4, icon: "alerts" }, scope: "stats:read" };

interface State {
  alert_id: string;
  name: string;
  metric: string;
  state: "ok" | "firing";
  since: string | null;
  value: number | null;
  expected: number | null;
  score: number | null;
}

interface Noted {
  id: number;
  at: string;
  actor: string;
  action: string;
  entity_id: string;
  changes: Record<string, [unknown, unknown]>;
}

const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const number = (value: number | null | undefined) => (value == null ? "–" : decimal.format(value));

/** A rule in words: `Clicks above 500 in 5 minutes`. */
function inWords(alert: Alert): string {
  const metric = METRICS.find(([name]) => name === alert.metric)?.[1] ?? alert.metric;
  const condition = CONDITIONS.find(([name]) => name === alert.condition)?.[1] ?? alert.condition;
  const odd = alert.condition === "spike" || alert.condition === "drop";
  const of = alert.link ? `, link ${alert.link}` : alert.campaign_id ? `, campaign ${alert.campaign_id}` : "";
  const limit = odd ? (alert.threshold === null ? "" : ` by ${number(alert.threshold)} deviations`) : ` ${number(alert.threshold)}`;
  return `${metric} ${condition.toLowerCase()}${limit} within ${count(alert.window_minutes)} min${of}`;
}

export default function Alerts({ session }: PageProps) {
  const rules = useAnswer<List<Alert>>("/api/alerts?limit=200");
  const states = useAnswer<{ data: State[] }>("/api/alert-states", 15_000);
  const [editing, setEditing] = useState<Alert | "new">();
  const writes = may(session, "links:write");
  const error = rules.error ?? states.error;
  const stands = new Map(states.data?.data.map((state) => [state.alert_id, state]));
  const firing = (states.data?.data ?? []).filter((state) => state.state === "firing");
  const again = () => (rules.again(), states.again());
  const change = async (alert: Alert, body: Record<string, unknown> | undefined, said: string) => {
    try {
      // One field, whatever somebody else has just made of the others.
      await ask(`/api/alerts/${encodeURIComponent(alert.id)}`, { method: body ? "PATCH" : "DELETE", body });
      toast(said);
    } catch (refused) {
      toast((refused as Refused).message);
    }
    again();
  };
  const mute = (alert: Alert, hours: number) => change(alert, { muted_until: hours ? new Date(Date.now() + hours * 3_600_000).toISOString() : null }, hours ? `“${alert.name}” tells nobody for ${hours === 1 ? "an hour" : hours === 24 ? "a day" : "a week"}` : `“${alert.name}” is heard again`);
  const muted = (alert: Alert) => alert.muted_until !== null && Date.parse(alert.muted_until) > Date.now();
  return (
    <>
      <header class="page"><h1>Alerts</h1>{writes ? <button type="button" class="primary" onClick={() => setEditing("new")}><Icon name="plus" /> New alert</button> : null}</header>
      {error ? <Failure error={error} again={again} /> : rules.data === undefined || states.data === undefined ? <Waiting lines={6} /> : (
        <>
          {rules.data.data.length ? (
            <section class={`card promise ${firing.length ? "broken" : ""}`} aria-label="Firing now" role={firing.length ? "alert" : undefined}>
              <Icon name={firing.length ? "alerts" : "check"} />
              <div>
                <h2>{firing.length === 0 ? "No alarm is on" : firing.length === 1 ? "One alarm is on" : `${count(firing.length)} alarms are on`}</h2>
                {firing.length === 0 ? <p class="hint">Every rule is looked at once a minute.</p> : (
                  <ul class="firing">
                    {firing.map((state) => <li key={state.alert_id}><b>{state.name}</b> <span class="muted">{state.since ? `since ${dateTime(state.since)}` : ""}: {number(state.value)}{state.expected === null ? "" : `, where ${number(state.expected)} is usual`}{state.score === null ? "" : ` (${number(state.score)} deviations)`}</span></li>)}
                  </ul>
                )}
              </div>
            </section>
          ) : null}
          <section class="card table" aria-label="Rules">
            {rules.data.data.length === 0 ? (
              <Empty>
                <p>Nothing is watched. A rule raises an alarm when clicks stop, when a campaign has far more of them than on past weeks’ same hour, when robots take over, or when an event is lost. Webhooks are told.</p>
                {writes ? <button type="button" class="primary" onClick={() => setEditing("new")}>Make the first</button> : null}
              </Empty>
            ) : (
              <div class="scroll" tabIndex={0} role="region" aria-label="Rules, table">
                <table>
                  <thead><tr><th scope="col">Rule</th><th scope="col">Stands</th><th scope="col">Read then</th><th scope="col">Since</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
                  <tbody>
                    {rules.data.data.map((alert) => {
                      const state = stands.get(alert.id);
                      return (
                        <tr key={alert.id}>
                          <th scope="row">{alert.name}<span class="sub">{inWords(alert)}</span></th>
                          <td>
                            {alert.status === "paused" ? <span class="badge paused">paused</span> : state?.state === "firing" ? <span class="badge failed">firing</span> : <span class="badge conversion">quiet</span>}
                            {muted(alert) ? <span class="badge" title={`until ${dateTime(alert.muted_until as string)}`}><Icon name="mute" /> muted</span> : null}
                          </td>
                          <td>{number(state?.value)}{state?.expected == null ? null : <span class="sub">usual: {number(state.expected)}</span>}</td>
                          <td class="muted when">{state?.since ? ago(state.since) : "always"}</td>
                          <td class="actions">
                            {writes ? (
                              <>
                                {muted(alert) ? (
                                  <button type="button" class="small" aria-label={`Unmute ${alert.name}`} onClick={() => mute(alert, 0)}>Unmute</button>
                                ) : (
                                  <select class="small" aria-label={`Mute ${alert.name}`} value="" onChange={({ currentTarget }) => (mute(alert, Number(currentTarget.value)), (currentTarget.value = ""))}>
                                    <option value="">Mute…</option><option value="1">for an hour</option><option value="24">for a day</option><option value="168">for a week</option>
                                  </select>
                                )}{" "}
                                <button type="button" class="small" aria-label={`${alert.status === "paused" ? "Resume" : "Pause"} ${alert.name}`} onClick={() => change(alert, { status: alert.status === "paused" ? "active" : "paused" }, alert.status === "paused" ? `“${alert.name}” is looked at again` : `“${alert.name}” is paused`)}>{alert.status === "paused" ? "Resume" : "Pause"}</button>
                                <button type="button" class="icon" aria-label={`Edit ${alert.name}`} title="Edit" onClick={() => setEditing(alert)}><Icon name="edit" /></button>
                                <button type="button" class="icon" aria-label={`Delete ${alert.name}`} title="Delete" onClick={() => confirm(`Delete “${alert.name}”?`) && change(alert, undefined, `“${alert.name}” is deleted`)}><Icon name="trash" /></button>
                              </>
                            ) : null}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            )}
          </section>
          {may(session, "admin") && rules.data.data.length ? <History names={new Map(rules.data.data.map((alert) => [alert.id, alert.name]))} /> : null}
        </>
      )}
      {editing ? <AlertEditor alert={editing === "new" ? undefined : editing} close={() => setEditing(undefined)} saved={(alert) => (setEditing(undefined), toast(`“${alert.name}” is saved. It is looked at within a minute.`), again())} /> : null}
    </>
  );
}

const WORDS: Record<string, string> = { fired: "went on", resolved: "went off", created: "was made", updated: "was changed", deleted: "was deleted", restored: "was restored" };

/** The trail says who changed a rule, and when it went on and off. */
function History({ names }: { names: Map<string, string> }) {
  const { data, error, again } = useAnswer<List<Noted>>("/api/audit?entity=alert&limit=50", 15_000);
  const now = (noted: Noted, field: string) => noted.changes[field]?.[1] as number | null | undefined;
  return (
    <section class="card table" aria-label="History">
      <h2>What was</h2>
      {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={4} /> : data.data.length === 0 ? <Empty><p>Nothing yet.</p></Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="History, table">
          <table>
            <thead><tr><th scope="col">Alert</th><th scope="col">What</th><th scope="col">Read</th><th scope="col">Who</th><th scope="col">When</th></tr></thead>
            <tbody>
              {data.data.map((noted) => (
                <tr key={noted.id}>
                  <th scope="row">{names.get(noted.entity_id) ?? noted.entity_id}</th>
                  <td><span class={`badge ${noted.action === "fired" ? "failed" : noted.action === "resolved" ? "conversion" : ""}`}>{WORDS[noted.action] ?? noted.action}</span></td>
                  <td>{["fired", "resolved"].includes(noted.action) ? number(now(noted, "value")) : noted.action === "updated" ? <span class="muted">{Object.keys(noted.changes).filter((field) => !["version", "updated_at"].includes(field)).join(", ").replaceAll("_", " ")}</span> : null}</td>
                  <td class="muted">{noted.actor}</td>
                  <td class="muted when" title={dateTime(noted.at)}>{ago(noted.at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
