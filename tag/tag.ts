// The browser tag: what happens on a page becomes events. docs/tag.md says what a page can ask of it.
import { consent, optOut, silent } from "./device.ts";
import { add, flush, leave, soon } from "./queue.ts";
import { endpoint, said } from "./settings.ts";
import { changeIds, pageUrl, unique, visitOf } from "./visit.ts";

const record = ({ kind = "click", ...fields }: any = {}) => {
  if (silent()) return;
  add({
    event_id: unique(),
    event_time: Date.now(),
    kind,
    campaign_id: said.campaign,
    publisher_id: said.publisher,
    ...visitOf(kind),
    ...fields,
  });
};

let last: string | undefined;
const view = (fields?: any) => {
  record({ kind: "page", referrer: (last || document.referrer).slice(0, 2048), ...fields });
  last = pageUrl();
};
/** A step that leads to where the visitor is already is no view. */
const step = () => {
  if (pageUrl() != last) view();
};

const pressed = (event: MouseEvent) => {
  const target = event.target as Element;
  if (event.button > 1 || !target.closest) return; // the right button opens a menu
  const tracked = target.closest<HTMLElement>("[data-track]");
  const link = target.closest<HTMLAnchorElement>("a[href]");
  const away = link?.host && link.host != location.host;
  // Where the service itself is asked for a link, it counts the click.
  if (away ? link.host == endpoint.host : !tracked) return;
  record({
    element_id: (tracked?.dataset.track || (tracked || link)!.id).slice(0, 128),
    name: tracked ? undefined : "outbound",
    props: away ? { href: link.href.slice(0, 512) } : undefined,
  });
};

const commands: Record<string, (said: any) => void> = {
  event: record,
  page: view,
  identify: (user_id) => changeIds({ user_id }),
  consent,
  optout: optOut,
};

const clicktrail = (command: string, said?: any) => commands[command](said);
const on = addEventListener;

const start = () => {
  const { q = [], on: twice } = (window as any).clicktrail || {};
  if (twice) return; // the page includes the tag two times
  clicktrail.on = on;
  (window as any).clicktrail = clicktrail;
  for (const [command, said] of q) clicktrail(command, said);
  if (said.auto != "false") {
    view();
    const { pushState } = history;
    history.pushState = (...said) => {
      pushState.apply(history, said);
      step();
    };
    on("popstate", step);
    // Back to a page that was kept as it was: its script does not run again.
    on("pageshow", ({ persisted }) => persisted && view());
    on("click", pressed, true);
    on("auxclick", pressed, true);
  }
  on("pagehide", leave);
  on("visibilitychange", () => (document.hidden ? leave() : soon()));
  on("online", flush);
  soon();
};

// A page that is only being prepared is not seen yet, and may never be.
(document as any).prerendering ? on("prerenderingchange", start) : start();
