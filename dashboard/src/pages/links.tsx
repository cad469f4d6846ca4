// All links: find one, make one.
import { useEffect, useState } from "preact/hooks";
import type { Link, List, Report } from "../api.ts";
import { ask } from "../api.ts";
import { ago, count, short } from "../format.ts";
import type { Page, PageProps } from "../pages.ts";
import { address, go, set } from "../place.ts";
import { home, later, today } from "../period.ts";
import { may } from "../session.ts";
import { Icon } from "../ui/icon.tsx";
import { LinkEditor } from "../ui/link-editor.tsx";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { copy, toast } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Links", nav: { group: "Make", order: 1, icon: "links" }, scope: "links:read" };

const STATES = ["active", "scheduled", "expired", "archived", "deleted"];

export default function Links({ params, session }: PageProps) {
  const [typed, setTyped] = useState(params.get("search") ?? "");
  const search = params.get("search") ?? "";
  const state = params.get("state") ?? "";
  const sort = params.get("sort") ?? "-created";
  const creating = params.get("new") !== null;
  const query = new URLSearchParams({ limit: "50", sort, ...(search ? { search } : {}), ...(state ? { state } : {}), ...(params.get("tag") ? { tag: params.get("tag") as string } : {}) });
  const { data, error, loading, again } = useAnswer<List<Link>>(`/api/links?${query}`);
  const [more, setMore] = useState<{ of: string; links: Link[]; cursor: string | null }>();
  const links = [...(data?.data ?? []), ...(more?.of === query.toString() ? more.links : [])];
  const cursor = more?.of === query.toString() ? more.cursor : data?.next_cursor;
  const clicks = useClicks(may(session, "stats:read"));
  useEffect(() => {
    const timer = setTimeout(() => typed !== search && set({ search: typed || undefined }, { replace: true }), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const on = async () => {
    const page = await ask<List<Link>>(`/api/links?${query}&cursor=${encodeURIComponent(cursor ?? "")}`);
    const before = more?.of === query.toString() ? more.links : [];
    setMore({ of: query.toString(), links: [...before, ...page.data], cursor: page.next_cursor });
  };
  return (
    <>
      <header class="page">
        <h1>Links</h1>
        {may(session, "links:write") ? <button type="button" class="primary" onClick={() => set({ new: "1" })}><Icon name="plus" /> New link</button> : null}
      </header>
      <div class="tools">
        <label class="search"><span class="hidden">Search links</span><Icon name="search" /><input type="search" placeholder="Search title, name, target…" value={typed} onInput={({ currentTarget }) => setTyped(currentTarget.value)} /></label>
        <label><span class="hidden">State</span>
          <select value={state} onChange={({ currentTarget }) => set({ state: currentTarget.value || undefined })}>
            <option value="">Any state</option>
            {STATES.map((one) => <option key={one} value={one}>{one.replace(/^./, (first) => first.toUpperCase())}</option>)}
          </select>
        </label>
        <label><span class="hidden">Order</span>
          <select value={sort} onChange={({ currentTarget }) => set({ sort: currentTarget.value === "-created" ? undefined : currentTarget.value })}>
            <option value="-created">Newest first</option>
            <option value="-updated">Changed last</option>
            <option value="title">By title</option>
            <option value="token">By name</option>
            <option value="expires">Ending soon</option>
          </select>
        </label>
        {params.get("tag") ? <span class="chip"><span>Tag = <b>{params.get("tag")}</b></span><button type="button" class="icon" aria-label="Remove tag filter" onClick={() => set({ tag: undefined })}><Icon name="close" /></button></span> : null}
      </div>
      <section class={`card table ${loading ? "loading" : ""}`} aria-label="Links">
        {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={8} /> : links.length === 0 ? (
          <Empty>
            <p>{search || state ? "No link is like that." : "There are no links yet."}</p>
            {may(session, "links:write") && !search && !state ? <button type="button" class="primary" onClick={() => set({ new: "1" })}>Make the first</button> : null}
          </Empty>
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Links">
            <table>
              <thead><tr><th scope="col">Link</th><th scope="col">Leads to</th><th scope="col">Campaign</th><th scope="col" class="number">Clicks, 30 days</th><th scope="col">Created</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
              <tbody>
                {links.map((link) => (
                  <tr key={`${link.domain} ${link.token}`}>
                    <th scope="row">
                      <a href={linkAddress(link)}>{link.title || `/${link.token}`}</a>
                      <span class="sub">{link.title ? `/${link.token} ` : ""}{link.state !== "active" ? <span class={`badge ${link.state}`}>{link.state}</span> : null}{link.rules.length ? <span class="badge">{count(link.rules.length)} rule{link.rules.length > 1 ? "s" : ""}</span> : null}{link.variants.length ? <span class="badge">A/B</span> : null}{link.tags.map((tag) => <a key={tag} class="badge" href={address("links", { tag })}>{tag}</a>)}</span>
                    </th>
                    <td class="url" title={link.url}>{link.url.replace(/^https?:\/\/(www\.)?/, "")}</td>
                    <td>{link.campaign_id ? <a href={address("overview", { campaign_id: link.campaign_id })}>{link.campaign_id}</a> : <span class="muted">–</span>}</td>
                    <td class="number">{clicks ? short(clicks.get(link.domain ? `${link.domain}/${link.token}` : link.token) ?? 0) : "–"}</td>
                    <td class="muted">{ago(link.created_at)}</td>
                    <td class="actions"><button type="button" class="icon" aria-label={`Copy ${link.short_url}`} title="Copy" onClick={() => copy(link.short_url, "Link")}><Icon name="copy" /></button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {cursor ? <footer><button type="button" class="quiet" onClick={on}>More links</button></footer> : null}
      </section>
      {creating && may(session, "links:write") ? (
        <LinkEditor
          close={() => set({ new: undefined }, { replace: true })}
          saved={(link) => {
            toast(`${link.short_url} is made`);
            go(linkAddress(link));
          }}
        />
      ) : null}
    </>
  );
}

const linkAddress = (link: Link) => address("link", { token: link.token, domain: link.domain ?? undefined });

/** Clicks of the busiest links, all in one question. */
function useClicks(allowed: boolean): Map<string, number> | undefined {
  const date = today(home);
  const { data } = useAnswer<Report>(allowed ? `/stats/clicks?from=${later(date, -29)}&to=${later(date, 1)}&tz=${encodeURIComponent(home)}&interval=day&group_by=link&limit=1000` : undefined);
  return data && new Map(data.groups?.map((group) => [group.value, group.clicks]));
}
