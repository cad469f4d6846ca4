// Funnels: who goes how far, where they leave, and how long each step takes them.
import { useState } from "preact/hooks";
import { type List, Refused, ask as send } from "../api.ts";
import { add, viewOf } from "../filters.ts";
import { count, date, duration, label, percent } from "../format.ts";
import { type FunnelReport, ask, untold, useNames } from "../journeys.ts";
import type { Page, PageProps } from "../pages.ts";
import { address, go } from "../place.ts";
import { may } from "../session.ts";
import { Bar, By, byOf } from "../ui/by.tsx";
import { type Funnel, FunnelEditor, stepName } from "../ui/funnel-editor.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { toast } from "../ui/toast.tsx";
import { Chips, PeriodPicker } from "../ui/view-bar.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Funnels", nav: { group: "Look", order: 4, icon: "funnels" }, scope: "links:read" };

export default function Funnels(props: PageProps) {
  const id = props.params.get("funnel");
  return id === null ? <All {...props} /> : <One key={id} id={id} {...props} />;
}

const ORDERS: Record<string, string> = { ordered: "in order", strict: "strictly in order", any: "in any order" };

function All({ params, session }: PageProps) {
  const view = viewOf(params);
  const { data, error, again } = useAnswer<List<Funnel>>("/api/funnels?limit=100");
  const [making, setMaking] = useState(params.get("new") !== null);
  const writes = may(session, "links:write");
  return (
    <>
      <header class="page">
        <h1>Funnels</h1>
        <PeriodPicker view={view} />
        {writes ? <button type="button" class="primary" onClick={() => setMaking(true)}><Icon name="plus" /> New funnel</button> : null}
      </header>
      <section class="card table" aria-label="Funnels">
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={5} /> : data.data.length === 0 ? (
          <Empty>
            <p>A funnel shows how many people go from one step to the next, such as from a click over a page to a purchase, and where the others leave.</p>
            {writes ? <button type="button" class="primary" onClick={() => setMaking(true)}>Make the first</button> : null}
          </Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Funnels, table">
            <table>
              <thead><tr><th scope="col">Funnel</th><th scope="col">Steps</th><th scope="col" class="number">Entered</th><th scope="col" class="number">Completed</th><th scope="col" class="number">Rate</th></tr></thead>
              <tbody>{data.data.map((funnel) => <Row key={funnel.id} funnel={funnel} view={view} asks={may(session, "stats:read")} />)}</tbody>
            </table>
          </div>
        )}
      </section>
      {making ? <FunnelEditor close={() => setMaking(false)} saved={(funnel) => (toast(`${funnel.name} is saved`), go(address("funnels", { funnel: funnel.id })))} /> : null}
    </>
  );
}

function Row({ funnel, view, asks }: { funnel: Funnel; view: ReturnType<typeof viewOf>; asks: boolean }) {
  const { data } = useAnswer<FunnelReport>(asks ? ask("funnel", { ...view, filters: [] }, { funnel_id: funnel.id }) : undefined);
  return (
    <tr>
      <th scope="row"><a href={address("funnels", { funnel: funnel.id })}>{funnel.name}</a><span class="sub">{ORDERS[funnel.order]}, within {duration(funnel.window_seconds)}, of one {funnel.basis}</span></th>
      <td><ol class="path">{funnel.steps.map((step, place) => <li key={place}>{stepName(step)}</li>)}</ol></td>
      <td class="number">{data ? count(data.entered) : "–"}</td>
      <td class="number">{data ? count(data.completed) : "–"}</td>
      <td class="number">{data?.entered ? percent(data.completed / data.entered) : "–"}</td>
    </tr>
  );
}

function One({ id, params, session }: PageProps & { id: string }) {
  const view = viewOf(params);
  const by = byOf(params, undefined, "device");
  const path = `/api/funnels/${encodeURIComponent(id)}`;
  const { data: funnel, error, again } = useAnswer<Funnel>(path);
  const why = untold(view.filters, []);
  const report = useAnswer<FunnelReport>(funnel && !why && may(session, "stats:read") ? ask("funnel", view, { funnel_id: id }) : undefined, 60_000);
  const [editing, setEditing] = useState(false);
  const writes = may(session, "links:write");
  if (error) return <><header class="page"><h1>Funnel</h1></header><Failure error={error} again={again} /></>;
  if (!funnel) return <><header class="page"><h1>Funnel</h1></header><Waiting lines={8} /></>;
  const remove = async () => {
    if (!confirm(`Delete “${funnel.name}”? It can be restored over the API.`)) return;
    try {
      await send(path, { method: "DELETE" });
      toast(`${funnel.name} is deleted`);
      go(address("funnels"));
    } catch (refused) {
      toast((refused as Refused).message);
    }
  };
  return (
    <>
      <header class="page">
        <div>
          <p class="crumb"><a href={address("funnels")}><Icon name="back" /> Funnels</a></p>
          <h1>{funnel.name}</h1>
        </div>
        <PeriodPicker view={view} />
        {writes ? <div class="buttons"><button type="button" onClick={() => setEditing(true)}><Icon name="edit" /> Edit</button><button type="button" class="danger" onClick={remove}><Icon name="trash" /> Delete</button></div> : null}
      </header>
      <Chips filters={view.filters} combined={false} />
      {why ? <section class="card"><Empty><p>{why}</p></Empty></section> : !may(session, "stats:read") ? (
        <section class="card"><Empty><p>The key may not see statistics: it lacks the scope <code>stats:read</code>.</p></Empty></section>
      ) : (
        <>
          <section class={`card ${report.loading && report.data ? "loading" : ""}`} aria-label="Steps">
            {report.error ? <Failure error={report.error} again={report.again} /> : report.data === undefined ? <Waiting lines={8} /> : <Drawn funnel={funnel} report={report.data} />}
          </section>
          <Groups id={id} by={by} view={view} session={session} wait={!report.data} />
        </>
      )}
      {editing ? <FunnelEditor funnel={funnel} close={() => setEditing(false)} saved={(saved) => (setEditing(false), toast(`${saved.name} is saved`), again(), report.again())} /> : null}
    </>
  );
}

const WHO: Record<string, string> = { visitor: "visitors", session: "sessions" };

function Drawn({ funnel, report }: { funnel: Funnel; report: FunnelReport }) {
  const { steps, entered, completed } = report;
  const who = WHO[funnel.basis] ?? "visitors";
  if (entered === 0) return <Empty><p>Nobody took the first step in this time. A funnel that was just made is counted from what is known already within a few minutes.</p></Empty>;
  return (
    <>
      <p class="verdict"><b>{percent(completed / entered)}</b> of {count(entered)} {who} went all the way, {ORDERS[funnel.order]}, within {duration(funnel.window_seconds)}.</p>
      {Date.parse(report.complete_from) > Date.parse(report.from) ? <p class="hint">The funnel is what it is since {date(report.complete_from)}: of what was before, not everything was counted.</p> : null}
      <ol class="funnel">
        {steps.map((step, place) => (
          <li key={place}>
            <div class="step">
              <span class="name"><span class="place">{place + 1}</span> {step.name}</span>
              <span class="value"><b>{count(step.entered)}</b> <span class="part">{percent(step.entered / entered)}<span class="hidden"> of the first step</span></span></span>
              <Bar part={step.entered / entered} />
            </div>
            {place < steps.length - 1 ? (
              <p class="between">
                <span class="on"><Icon name="down" /> {percent(step.rate ?? 0)} go on{steps[place + 1]?.median_seconds == null ? "" : <>, after {duration(steps[place + 1]?.median_seconds)} <abbr title="Half of them took longer">median</abbr></>}</span>
                <span class="off">{count(step.drop_off)} leave ({percent(step.drop_off_rate ?? 0)})</span>
              </p>
            ) : null}
          </li>
        ))}
      </ol>
    </>
  );
}

function Groups({ id, by, view, session, wait }: { id: string; by: string; view: ReturnType<typeof viewOf>; session: PageProps["session"]; wait: boolean }) {
  const why = untold(view.filters, [], by);
  const { data, error, again } = useAnswer<FunnelReport>(why || wait ? undefined : ask("funnel", view, { funnel_id: id, group_by: by, limit: "100" }));
  const names = useNames(session, by);
  const groups = data?.group_by === by ? [...(data.groups ?? [])].sort((a, b) => (b.steps[0]?.entered ?? 0) - (a.steps[0]?.entered ?? 0)) : undefined;
  return (
    <section class="card table" aria-label="Steps by dimension">
      <div class="heading"><h2>Who goes how far</h2><By by={by} otherwise="device" /></div>
      {why ? <Empty><p>{why}</p></Empty> : error ? <Failure error={error} again={again} /> : groups === undefined || !data ? <Waiting lines={6} /> : groups.length === 0 ? <Empty><p>Nothing in this time.</p></Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Steps by dimension, table">
          <table>
            <thead><tr><th scope="col"><span class="hidden">{by}</span></th>{data.steps.map((step, place) => <th key={place} scope="col" class="number">{step.name}</th>)}<th scope="col" class="number">All the way</th></tr></thead>
            <tbody>
              {groups.map(({ value, steps }) => {
                const text = names.get(value) ?? label(by, value);
                const [first, last] = [steps[0]?.entered ?? 0, steps.at(-1)?.entered ?? 0];
                return (
                  <tr key={value}>
                    <th scope="row"><button type="button" class="link" title={`Only ${text}`} onClick={() => add({ dimension: by, value, excluded: false })}>{text}</button></th>
                    {steps.map((step, place) => (
                      <td key={place} class="number">{count(step.entered)}<span class="sub">{place === 0 ? " " : percent(first ? step.entered / first : 0)}</span></td>
                    ))}
                    <td class="number wide"><b>{first ? percent(last / first) : "–"}</b><Bar part={first ? last / first : 0} /></td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
