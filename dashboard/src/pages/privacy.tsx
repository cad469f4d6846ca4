// What may be known of visitors, how long it is kept, and what of it is a person's own: to be told, or to be erased.
import { useState } from "preact/hooks";
import { type Refused, ask } from "../api.ts";
import { ago, count, country, date, dateTime } from "../format.ts";
import type { Page } from "../pages.ts";
import { Choice, Field } from "../ui/field.tsx";
import { Icon } from "../ui/icon.tsx";
import { save } from "../ui/save.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { toast } from "../ui/toast.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Privacy", nav: { group: "Run", order: 6, icon: "privacy" }, scope: "admin" };

interface Policy {
  ip: "none" | "truncated" | "full";
  full_ip_allowed: boolean;
  do_not_track: Heed;
  opt_out: Heed;
  consent: "optional" | "required";
  strict: { countries: string[] };
  strip_urls: boolean;
  strip_parameters: string[];
  visitor_hash: { new_secret_from: string | null };
  jurisdiction: string;
}

type Heed = "ignore" | "anonymous" | "drop";

interface Kept {
  class: string;
  setting: string | null;
  days: number;
  oldest: string | null;
  rows: number | null;
  last_removed_at: string | null;
  last_removed: number | null;
  removed: number;
}

interface Erasure {
  id: string;
  state: "waiting" | "running" | "watching" | "done";
  subject: string;
  hash: string;
  requested_by: string;
  requested_at: string;
  erased_at: string | null;
  names: number;
  counts: Record<string, number>;
}

interface Access {
  names: number;
  journeys: { events: unknown[] }[];
  dead_letters: string[];
  deliveries: unknown[];
  events: unknown[];
  more: boolean;
  cursor: string | null;
}

const HEED: Record<Heed, string> = { ignore: "changes nothing", anonymous: "is counted, and nobody’s", drop: "is not counted at all" };
const ADDRESS = { none: "not stored", truncated: "without their end (/24, /48)", full: "in full" };
const STATES: Record<Erasure["state"], [string, string]> = {
  waiting: ["paused", "waits for its turn"],
  running: ["paused", "is being erased"],
  watching: ["click", "erased; what is on its way will be when it arrives"],
  done: ["conversion", "erased"],
};

export default function Privacy() {
  return (
    <>
      <header class="page"><h1>Privacy</h1></header>
      <Policies />
      <Person />
      <Retention />
    </>
  );
}

function Policies() {
  const { data, error, again } = useAnswer<Policy>("/api/privacy");
  return (
    <section class="card" aria-label="Policies in force">
      <h2>Policies in force</h2>
      {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={4} /> : (
        <dl class="policy">
          <div><dt>Addresses</dt><dd>{ADDRESS[data.ip]}</dd></div>
          <div><dt>Do Not Track, Global Privacy Control</dt><dd>{HEED[data.do_not_track]}</dd></div>
          <div><dt>Who has opted out</dt><dd>{HEED[data.opt_out]}</dd></div>
          <div><dt>Consent</dt><dd>{data.consent === "required" ? "has to be given" : "is heeded where it is said"}</dd></div>
          <div><dt>Strict, with consent and without addresses</dt><dd>{data.strict.countries.length === 0 ? "nowhere" : data.strict.countries.length > 8 ? `in ${count(data.strict.countries.length)} countries` : `in ${data.strict.countries.map((code) => (/^eu$/i.test(code) ? "the European Union and its like" : country(code.toUpperCase()))).join(", ")}`}</dd></div>
          <div><dt>Personal parameters in addresses of pages</dt><dd>{data.strip_urls ? `are taken out${data.strip_parameters.length ? `, ${data.strip_parameters.join(", ")} too` : ""}` : "stay"}</dd></div>
          <div><dt>The hash of who has no id</dt><dd>lives for a day{data.visitor_hash.new_secret_from ? `; a new secret from ${data.visitor_hash.new_secret_from} on` : ""}</dd></div>
          <div><dt>Kept in</dt><dd>{data.jurisdiction ? data.jurisdiction.toUpperCase() : "any place of the platform"}</dd></div>
        </dl>
      )}
      <p class="hint">They are settings of the deployment, and are not changed here.</p>
    </section>
  );
}

function Person() {
  const receipts = useAnswer<{ data: Erasure[] }>("/api/privacy/erasures", 10_000);
  const [name, setName] = useState("user_id");
  const [id, setId] = useState("");
  const [busy, setBusy] = useState("");
  const [refused, setRefused] = useState<Refused>();
  const [found, setFound] = useState("");
  const act = async (what: string, run: () => Promise<void>) => {
    setBusy(what);
    setRefused(undefined);
    setFound("");
    try {
      await run();
    } catch (error) {
      setRefused(error as Refused);
    }
    setBusy("");
  };
  const tell = () =>
    act("access", async () => {
      const pages: Access[] = [];
      let cursor: string | null = null;
      do {
        const page: Access = await ask<Access>("/api/privacy/access", { body: { [name]: id, ...(cursor ? { cursor } : {}) } });
        pages.push(page);
        cursor = page.more ? page.cursor : null;
        setFound(`${count(pages.reduce((sum, one) => sum + one.events.length, 0))} events so far…`);
      } while (cursor !== null);
      const all = { subject: name, id, journeys: pages.flatMap((one) => one.journeys), events: pages.flatMap((one) => one.events), dead_letters: pages.flatMap((one) => one.dead_letters), deliveries: pages.flatMap((one) => one.deliveries) };
      setFound(`${count(all.events.length)} events in the archive, ${count(all.journeys.reduce((sum, one) => sum + one.events.length, 0))} in journeys. It is in the file.`);
      save(JSON.stringify(all, null, 2), "application/json", "what-is-known.json");
    });
  const erase = (event: Event) => {
    event.preventDefault();
    if (!confirm(`Erase everything that says it was ${name} “${id}”? It cannot be taken back. Sums stay: nobody is in them by name.`)) return;
    void act("erase", async () => {
      const receipt = await ask<Erasure>("/api/privacy/erasures", { body: { [name]: id } });
      toast(`Receipt ${receipt.id}`);
      setId("");
      receipts.again();
    });
  };
  return (
    <section class="card" aria-label="A person’s data">
      <h2>A person’s data</h2>
      <p class="hint">Found by the id, and by everything that is known to be the same person: devices, sessions, the hashes of days.</p>
      <form class="subject" onSubmit={erase}>
        <Choice label="Known by" value={name} set={setName} options={[["user_id", "user_id"], ["anonymous_id", "anonymous_id"]]} />
        <Field label="Id" required value={id} set={setId} error={refused?.at(`/${name}`)} />
        <button type="button" disabled={busy !== "" || id === ""} onClick={tell}><Icon name="download" /> What is known</button>
        <button class="danger" disabled={busy !== "" || id === ""}><Icon name="trash" /> Erase</button>
      </form>
      {refused ? <p class="error" role="alert">{refused.message}</p> : null}
      <p class="hint" role="status">{found}</p>
      <h3>Receipts</h3>
      {receipts.error ? <Failure error={receipts.error} again={receipts.again} /> : receipts.data === undefined ? <Waiting /> : receipts.data.data.length === 0 ? <Empty><p>Nobody has been erased.</p></Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Receipts, table">
          <table>
            <thead><tr><th scope="col">Receipt</th><th scope="col">State</th><th scope="col">Erased</th><th scope="col">By</th><th scope="col">Asked for</th></tr></thead>
            <tbody>
              {receipts.data.data.map((one) => (
                <tr key={one.id}>
                  <th scope="row"><code>{one.id}</code><span class="sub">{one.subject} <code title="HMAC of the id: the id itself is kept nowhere">{one.hash.slice(0, 12)}…</code></span></th>
                  <td><span class={`badge ${STATES[one.state]?.[0] ?? ""}`}>{one.state}</span><span class="sub">{STATES[one.state]?.[1]}</span></td>
                  <td>{Object.entries(one.counts).filter(([, times]) => times > 0).map(([what, times]) => `${count(times)} ${what.replace("_", " ")}`).join(", ") || <span class="muted">nothing</span>}</td>
                  <td class="muted">{one.requested_by}</td>
                  <td class="muted" title={dateTime(one.requested_at)}>{ago(one.requested_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const CLASSES: Record<string, [string, string]> = {
  archive: ["Events", "each as it was, in the archive"],
  minutes: ["Sums by minute", "for the last hours’ charts"],
  sums: ["Sums by hour and day", "what reports are made of"],
  cube: ["Combined sums", "for several filters at once"],
  journeys: ["Journeys", "what each visitor did"],
  ledger: ["The ledger", "what has been counted"],
  dead_letters: ["Dead letters", "what could not be counted"],
  audit: ["The trail", "who changed what"],
  deliveries: ["Deliveries", "what webhooks were told"],
  dead_deliveries: ["Dead deliveries", "what they could not be told"],
  answers: ["Answers", "of requests that may come again"],
  erasures: ["Receipts", "of what was erased"],
};

function Retention() {
  const { data, error, again } = useAnswer<{ data: Kept[] }>("/api/retention");
  return (
    <section class="card table" aria-label="How long data is kept">
      <h2>How long data is kept</h2>
      <p class="hint">Removed by the hour, in small pieces.</p>
      {error ? <Failure error={error} again={again} /> : data === undefined ? <Waiting lines={8} /> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="How long data is kept, table">
          <table>
            <thead><tr><th scope="col">Data</th><th scope="col">Kept</th><th scope="col">Setting</th><th scope="col">Oldest</th><th scope="col" class="number">Rows</th><th scope="col">Last removed</th></tr></thead>
            <tbody>
              {data.data.map((one) => (
                <tr key={one.class}>
                  <th scope="row">{CLASSES[one.class]?.[0] ?? one.class}<span class="sub">{CLASSES[one.class]?.[1]}</span></th>
                  <td class="when">{one.days === 0 ? "for good" : one.days === 1 ? "a day" : `${count(one.days)} days`}</td>
                  <td>{one.setting ? <code class="when">{one.setting}</code> : <span class="muted">fixed</span>}</td>
                  <td>{one.oldest ? date(one.oldest) : <span class="muted">–</span>}</td>
                  <td class="number">{one.rows === null ? <span class="muted">–</span> : count(one.rows)}</td>
                  <td class="muted">{one.last_removed_at ? `${ago(one.last_removed_at)}: ${count(one.last_removed ?? 0)} of ${count(one.removed)} ever` : "never"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
