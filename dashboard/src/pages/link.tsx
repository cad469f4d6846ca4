// One link: what came of it, where it leads whom, and its code.
import { useState } from "preact/hooks";
import { type Link, type Refused, type Report, ask } from "../api.ts";
import { type View, query, viewOf } from "../filters.ts";
import { count, dateTime, percent } from "../format.ts";
import type { Page, PageProps } from "../pages.ts";
import { address, go } from "../place.ts";
import { may } from "../session.ts";
import { Icon } from "../ui/icon.tsx";
import { LinkEditor } from "../ui/link-editor.tsx";
import { Panel } from "../ui/panel.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { copy, toast } from "../ui/toast.tsx";
import { TryIt } from "../ui/try-it.tsx";
import { Chips, PeriodPicker } from "../ui/view-bar.tsx";
import { useAnswer } from "../use.ts";
import { Places, Summary, chosen, groupable, useReports } from "./overview.tsx";
import { verdict } from "../verdict.ts";

export const page: Page = { title: "Link", scope: "links:read" };

export default function OneLink({ params, session }: PageProps) {
  const token = params.get("token") ?? "";
  const domain = params.get("domain") ?? "";
  const own = new URLSearchParams(params);
  for (const name of ["token", "domain", "link"]) own.delete(name);
  const path = `/api/links/${encodeURIComponent(token)}${domain ? `?domain=${encodeURIComponent(domain)}` : ""}`;
  const { data: link, error, again } = useAnswer<Link>(path);
  const [editing, setEditing] = useState(false);
  if (error) return <><header class="page"><h1>/{token}</h1></header><Failure error={error} again={again} /></>;
  if (!link) return <Waiting lines={8} />;
  const key = domain ? `${domain}/${token}` : token;
  const view = viewOf(own, [{ dimension: "link", value: key, excluded: false }]);
  const remove = async () => {
    if (!confirm(`Delete /${link.token}? It then leads nowhere; its statistics stay, and it can be restored.`)) return;
    try {
      await ask(path, { method: "DELETE" });
      toast(`/${link.token} is deleted`);
      go(address("links"));
    } catch (refused) {
      toast((refused as Refused).message);
    }
  };
  return (
    <>
      <header class="page">
        <div>
          <p class="crumb"><a href={address("links")}><Icon name="back" /> Links</a></p>
          <h1>{link.title || `/${link.token}`} {link.state !== "active" ? <span class={`badge ${link.state}`}>{link.state}</span> : null}</h1>
        </div>
        <PeriodPicker view={view} />
      </header>
      <section class="card about" aria-label="About this link">
        <div class="facts">
          <p class="short"><a href={link.short_url} target="_blank" rel="noopener">{link.short_url}</a> <button type="button" class="icon" aria-label="Copy the short link" onClick={() => copy(link.short_url, "Link")}><Icon name="copy" /></button></p>
          <p class="target"><Icon name="out" /> <a href={link.url} target="_blank" rel="noopener noreferrer">{link.url}</a></p>
          <dl>
            {link.campaign_id ? <div><dt>Campaign</dt><dd><a href={address("overview", { campaign_id: link.campaign_id })}>{link.campaign_id}</a></dd></div> : null}
            <div><dt>Created</dt><dd>{dateTime(link.created_at)}</dd></div>
            {link.expires_at ? <div><dt>Ends</dt><dd>{dateTime(link.expires_at)}</dd></div> : null}
            {link.max_clicks !== null ? <div><dt>Limit</dt><dd>{count(link.clicks_used ?? 0)} of {count(link.max_clicks)} used</dd></div> : null}
            {link.rules.length ? <div><dt>Rules</dt><dd>{count(link.rules.length)}</dd></div> : null}
            {link.honeypot ? <div><dt>Trap</dt><dd>who follows it is a program</dd></div> : null}
            {link.protected ? <div><dt>Password</dt><dd>asked for</dd></div> : null}
            {link.tags.length ? <div><dt>Tags</dt><dd>{link.tags.join(", ")}</dd></div> : null}
          </dl>
          {link.warnings.length ? <ul class="warnings">{link.warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul> : null}
          {may(session, "links:write") ? (
            <p class="buttons">
              <button type="button" onClick={() => setEditing(true)}><Icon name="edit" /> Edit</button>
              <button type="button" class="quiet danger" onClick={remove}><Icon name="trash" /> Delete</button>
            </p>
          ) : null}
        </div>
        <Code link={link} />
      </section>
      {may(session, "stats:read") ? <Statistics view={view} params={own} link={link} /> : null}
      <TryIt link={link} />
      {editing ? <LinkEditor link={link} close={() => setEditing(false)} saved={() => (setEditing(false), toast("Saved. Everybody sees it within seconds."), again())} /> : null}
    </>
  );
}

function Code({ link }: { link: Link }) {
  const at = (format: string, size: number) => `/api/links/${encodeURIComponent(link.token)}/qr?format=${format}&size=${size}${link.domain ? `&domain=${link.domain}` : ""}`;
  return (
    <div class="code">
      <img src={at("svg", 160)} width="132" height="132" alt={`QR code of ${link.short_url}`} />
      <p>
        <a class="quiet small button" href={at("png", 1024)} download={`${link.token}.png`}><Icon name="download" /> PNG</a>
        <a class="quiet small button" href={at("svg", 1024)} download={`${link.token}.svg`}><Icon name="download" /> SVG</a>
      </p>
    </div>
  );
}

function Statistics({ view, params, link }: { view: View; params: URLSearchParams; link: Link }) {
  const metric = chosen(params);
  const { now, before } = useReports(view, params.get("compare") !== "0");
  const filters = view.filters.slice(1);
  return (
    <>
      <Chips filters={filters} combined={view.combined} />
      <Summary view={view} metric={metric} now={now} before={before} params={params} name={link.token} />
      {link.variants.length ? <Variants view={view} link={link} /> : null}
      <div class="grid">
        <Panel title="Where visitors come from" dimensions={["channel", "referrer", "trigger"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="Devices" dimensions={["device", "brand", "device_model", "os", "browser"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Panel title="How long redirects took" dimensions={["latency"]} view={view} metric={groupable(metric)} wait={!now.data} />
        <Places view={view} metric={groupable(metric)} wait={!now.data} />
      </div>
    </>
  );
}

/** Which variant does better, and whether that can be told yet. */
function Variants({ view, link }: { view: View; link: Link }) {
  const { data, error, again } = useAnswer<Report>(query(view, view.period.now, { group_by: "variant", interval: view.period.interval }));
  if (error) return <Failure error={error} again={again} />;
  const groups = link.variants.map(({ name }) => {
    const group = data?.groups?.find((group) => group.value === name);
    return { name, clicks: group?.clicks ?? 0, conversions: group?.conversions ?? 0 };
  });
  const { sentence, arms } = verdict(groups);
  const most = Math.max(0.001, ...arms.map((arm) => arm.high));
  return (
    <section class="card" aria-label="Variants">
      <h2>Variants</h2>
      {groups.every((group) => group.clicks === 0) ? <Empty><p>Nobody has been shared out in this time.</p></Empty> : (
        <>
          <p class="verdict">{sentence}</p>
          {link.append_click_id ? null : <p class="hint">A conversion counts for a variant if it names the click. This link does not pass the click’s id on: set “Click id as parameter” to have it.</p>}
          <div class="scroll" tabIndex={0} role="region" aria-label="Variants">
            <table>
              <thead><tr><th scope="col">Variant</th><th scope="col" class="number">Clicks</th><th scope="col" class="number">Conversions</th><th scope="col" class="number">Rate</th><th scope="col">95 % interval</th></tr></thead>
              <tbody>
                {arms.map((arm) => (
                  <tr key={arm.name}>
                    <th scope="row">{arm.name}</th>
                    <td class="number">{count(arm.clicks)}</td>
                    <td class="number">{count(arm.conversions)}</td>
                    <td class="number">{percent(arm.rate)}</td>
                    <td>
                      <svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect x={(arm.low / most) * 96} y="3" width={Math.max(0.5, ((arm.high - arm.low) / most) * 96)} height="4" /><rect class="mid" x={(arm.rate / most) * 96 - 0.4} y="0" width="0.8" height="10" /></svg>
                      <span class="muted"> {percent(arm.low)} to {percent(arm.high)}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}
