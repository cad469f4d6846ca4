// Nothing was ever counted: from here to the first click in three steps.
import { useState } from "preact/hooks";
import { type Link, type Refused, ask } from "../api.ts";
import { useLive } from "../live.ts";
import { address } from "../place.ts";
import { type Session, may } from "../session.ts";
import { Icon } from "./icon.tsx";
import { Stream } from "./stream.tsx";
import { copy } from "./toast.tsx";

export function FirstRun({ session }: { session: Session }) {
  const [url, setUrl] = useState("");
  const [error, setError] = useState("");
  const [link, setLink] = useState<Link>();
  const feed = useLive();
  const arrived = feed.events.filter((event) => link === undefined || event.link === link.token);
  const create = async (event: Event) => {
    event.preventDefault();
    setError("");
    try {
      setLink(await ask<Link>("/api/links", { body: { url: /^[a-z][\w+.-]*:/i.test(url) ? url : `https://${url}` } }));
    } catch (refused) {
      setError((refused as Refused).message);
    }
  };
  return (
    <section class="card first-run" aria-label="First steps">
      <h2>Welcome. Let us count a first click.</h2>
      <ol>
        <li class={link ? "done" : ""}>
          <h3>Make a link</h3>
          {link ? (
            <p><code>{link.short_url}</code> <button type="button" class="quiet small" onClick={() => copy(link.short_url, "Link")}><Icon name="copy" /> Copy</button></p>
          ) : may(session, "links:write") ? (
            <form onSubmit={create} class="inline">
              <label><span class="hidden">Where should it lead?</span><input type="text" inputMode="url" name="url" required placeholder="https://your-shop.example/sale" value={url} onInput={({ currentTarget }) => setUrl(currentTarget.value)} /></label>
              <button class="primary">Make it</button>
            </form>
          ) : (
            <p class="hint">This key may only read. A key with <code>links:write</code> makes links.</p>
          )}
          {error ? <p class="error" role="alert">{error}</p> : null}
        </li>
        <li class={arrived.length ? "done" : ""}>
          <h3>Follow it</h3>
          {link ? <p><a href={link.short_url} target="_blank" rel="noopener" class="button primary">Open it in a new tab <Icon name="out" /></a></p> : <p class="hint">In a new tab, or on your phone.</p>}
        </li>
        <li class={arrived.length ? "done" : ""}>
          <h3>See it arrive</h3>
          {arrived.length ? (
            <>
              <Stream events={arrived.slice(0, 3)} caption="Your first clicks" />
              {link ? <p><a href={address("link", { token: link.token })}>To the link’s own page</a></p> : null}
            </>
          ) : (
            <p class="hint">{feed.connection === "live" ? "Watching. It takes about two seconds." : "Connecting…"}</p>
          )}
        </li>
      </ol>
    </section>
  );
}
