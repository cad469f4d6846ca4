// Where would this link lead somebody? The service decides as it would of a click, and counts nothing.
import { useState } from "preact/hooks";
import { type Link, type Refused, ask } from "../api.ts";
import { country, label } from "../format.ts";
import { Choice, Field } from "./field.tsx";
import { Icon } from "./icon.tsx";

const AGENTS = [
  ["Chrome on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"],
  ["Safari on an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"],
  ["Chrome on Android", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"],
  ["Safari on a Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"],
  ["Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"],
  ["Safari on an iPad", "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"],
  ["Instagram's browser", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 380.0.0 (iPhone15,2; iOS 18_5)"],
  ["Googlebot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"],
  ["Facebook's preview", "facebookexternalhit/1.1"],
] as const;

const COUNTRIES = ["US", "GB", "DE", "AT", "CH", "FR", "ES", "IT", "NL", "PL", "SE", "BR", "MX", "CA", "IN", "JP", "KR", "AU", "ZA", "NG", "ID", "TR", ""];
const LANGUAGES = [["en", "English"], ["de", "German"], ["fr", "French"], ["es", "Spanish"], ["pt-BR", "Portuguese (Brazil)"], ["ja", "Japanese"], ["", "Not said"]] as const;

interface Tried {
  outcome: { kind: "go" | "password" | "card" | "withheld" | "closed"; status?: number; url?: string | null; variant?: string; rule?: number | null; reason?: string; fallback_url?: string | null };
  visitor: { device: string; browser: string; os: string; verdict: string; reasons: string[]; channel: string };
}

const KINDS: Record<string, string> = {
  password: "is asked for the password",
  card: "gets the preview card",
  withheld: "gets a page without the target, because the link is limited",
};

export function TryIt({ link }: { link: Link }) {
  const [agent, setAgent] = useState<string>(AGENTS[0][0]);
  const [from, setFrom] = useState("US");
  const [language, setLanguage] = useState("en");
  const [referrer, setReferrer] = useState("");
  const [queried, setQuery] = useState("");
  const [visitor, setVisitor] = useState("visitor 1");
  const [tried, setTried] = useState<Tried>();
  const [error, setError] = useState("");
  const run = async (event: Event) => {
    event.preventDefault();
    setError("");
    const body = { user_agent: AGENTS.find(([name]) => name === agent)?.[1] ?? "", country: from, language, referrer, query: queried.replace(/^\?/, ""), id: visitor };
    try {
      setTried(await ask<Tried>(`/api/links/${encodeURIComponent(link.token)}/try${link.domain ? `?domain=${link.domain}` : ""}`, { body }));
    } catch (refused) {
      setError((refused as Refused).message);
    }
  };
  return (
    <section class="card try" aria-label="Try it">
      <h2>Try it</h2>
      <p class="hint">Describe a visitor: the same rules decide as for a click, and nothing is counted.</p>
      <form onSubmit={run}>
        <div class="columns">
          <Choice label="With" value={agent} set={setAgent} options={AGENTS.map(([name]) => [name, name] as const)} />
          <Choice label="From" value={from} set={setFrom} options={COUNTRIES.map((code) => [code, code ? country(code) : "Unknown"] as const)} />
          <Choice label="Speaks" value={language} set={setLanguage} options={LANGUAGES} />
          <Field label="Referrer" value={referrer} set={setReferrer} placeholder="https://news.example/" />
          <Field label="Query" value={queried} set={setQuery} placeholder="ref=mail" />
          <Field label="Visitor" value={visitor} set={setVisitor} hint="Another visitor may get another variant." />
        </div>
        <button class="primary">Where does it lead?</button>
      </form>
      {error ? <p class="error" role="alert">{error}</p> : null}
      {tried ? (
        <div class="outcome" role="status">
          <p>
            <span class={`badge ${tried.visitor.verdict === "bot" ? "bot" : "click"}`}>{label("verdict", tried.visitor.verdict)}</span>
            {[tried.visitor.browser, tried.visitor.os, label("device", tried.visitor.device)].filter(Boolean).join(" · ")}
            {tried.visitor.reasons.length ? <span class="muted"> {tried.visitor.reasons.map((reason) => label("bot_reason", reason)).join(", ")}</span> : null}
          </p>
          {tried.outcome.kind === "go" ? (
            <p class="way"><Icon name="out" /> <code>{tried.outcome.url}</code> <span class="muted">{tried.outcome.status}, {typeof tried.outcome.rule === "number" ? `by rule ${tried.outcome.rule + 1}` : tried.outcome.variant ? `variant “${tried.outcome.variant}”` : "the link’s own target"}</span></p>
          ) : tried.outcome.kind === "closed" ? (
            <p class="way">The link is closed ({label("name", tried.outcome.reason ?? "")}){tried.outcome.url ? <>: <code>{tried.outcome.url}</code></> : "."}</p>
          ) : (
            <p class="way">This visitor {KINDS[tried.outcome.kind]}.</p>
          )}
        </div>
      ) : null}
    </section>
  );
}
