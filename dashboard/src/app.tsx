// The frame around every page: who is signed in, where one can go, and what happens when something breaks.
import { Component, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Refused, onSignedOut } from "./api.ts";
import { GROUPS, navigation, pages } from "./pages.ts";
import { address, follow, usePlace } from "./place.ts";
import { type Session, current, may, signOut } from "./session.ts";
import { SignIn } from "./sign-in.tsx";
import { type Theme, setTheme, theme } from "./theme.ts";
import { Icon } from "./ui/icon.tsx";
import { Failure, Waiting } from "./ui/states.tsx";
import { Toasts } from "./ui/toast.tsx";
import { forget } from "./use.ts";

export function App() {
  const place = usePlace();
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [error, setError] = useState<Refused>();
  const ask = () => {
    setError(undefined);
    current().then(setSession, setError);
  };
  useEffect(() => {
    onSignedOut(() => (forget(), setSession(null)));
    ask();
  }, []);
  const module = pages.get(place.page);
  const title = module?.page.title ?? "Not found";
  useEffect(() => {
    document.title = session ? `${title} · clicktrail` : "Sign in · clicktrail";
  }, [title, session]);
  if (error) return <main class="lone"><Failure error={error} again={ask} /></main>;
  if (session === undefined) return <main class="lone"><Waiting /></main>;
  if (session === null) return <SignIn signedIn={setSession} />;
  const Body = module?.default;
  return (
    <div class="frame" onClick={follow}>
      <a class="skip" href="#content">Skip to content</a>
      <Side page={place.page} session={session} left={() => setSession(null)} />
      <main id="content" tabIndex={-1}>
        <Guard key={place.page}>
          {!Body ? (
            <Nothing asked={place.page} session={session} />
          ) : !may(session, module.page.scope) ? (
            <section class="empty">
              <h1>{title}</h1>
              <p>The key “{session.name}” may not see this page: it lacks the scope <code>{module.page.scope}</code>.</p>
            </section>
          ) : (
            <Body params={place.params} session={session} />
          )}
        </Guard>
      </main>
      <Toasts />
    </div>
  );
}

function Nothing({ asked, session }: { asked: string; session: Session }) {
  const shown = GROUPS.flatMap((group) => navigation(group)).filter(([, { scope }]) => may(session, scope));
  return (
    <section class="empty card" aria-label="Not found">
      <h1>There is no such page</h1>
      <p>Nothing is at <code>/dashboard/{asked}</code>. Perhaps the address was cut on its way, or the page has another name now. These are there:</p>
      <ul class="elsewhere">{shown.map(([name, { title, nav }]) => <li key={name}><a href={address(name)}><Icon name={nav?.icon ?? ""} /> {title}</a></li>)}</ul>
    </section>
  );
}

function Side({ page, session, left }: { page: string; session: Session; left: () => void }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [page]);
  const leave = async () => {
    await signOut().catch(() => undefined);
    forget();
    left();
  };
  return (
    <header class="side">
      <a class="brand" href={address("overview")}><Icon name="brand" /> clicktrail</a>
      <button type="button" class="icon menu" aria-expanded={open} aria-controls="nav" aria-label="Menu" onClick={() => setOpen(!open)}><Icon name={open ? "close" : "menu"} /></button>
      <nav id="nav" class={open ? "open" : ""} aria-label="Pages">
        {GROUPS.map((group) => {
          const shown = navigation(group).filter(([, { scope }]) => may(session, scope));
          return shown.length === 0 ? null : (
            <div key={group}>
              <h2>{group}</h2>
              <ul>
                {shown.map(([name, { title, nav }]) => (
                  <li key={name}>
                    <a href={address(name)} aria-current={page === name || (name === "links" && page === "link") ? "page" : undefined}>
                      <Icon name={nav?.icon ?? ""} /> {title}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
        <div class="who">
          <p title={session.scopes.join(", ")}><Icon name="key" /> <span>{session.name}</span></p>
          <div class="both"><Themes /><a href="/docs" title="The reference of the API">API docs</a></div>
          <button type="button" class="quiet" onClick={leave}><Icon name="leave" /> Sign out</button>
        </div>
      </nav>
    </header>
  );
}

function Themes() {
  const [now, setNow] = useState<Theme>(theme);
  return (
    <fieldset class="themes">
      <legend class="hidden">Colours</legend>
      {(["light", "auto", "dark"] as const).map((one) => (
        <label key={one} title={one}>
          <input type="radio" name="theme" checked={now === one} onChange={() => (setTheme(one), setNow(one))} />
          <Icon name={one} />
          <span class="hidden">{one}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A page that breaks does not take the navigation with it. */
class Guard extends Component<{ children: ComponentChildren }, { broken?: Error }> {
  override state: { broken?: Error } = {};
  override componentDidCatch(broken: Error) {
    console.error(broken);
    this.setState({ broken });
  }
  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <section class="empty">
        <h1>This page broke</h1>
        <p>{String(this.state.broken.message)}</p>
        <button type="button" onClick={() => location.reload()}>Load it again</button>
      </section>
    );
  }
}
