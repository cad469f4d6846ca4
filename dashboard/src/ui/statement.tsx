// What a publisher gets for a month, day by day and campaign by campaign.
import { count, date, money } from "../format.ts";
import { set } from "../place.ts";
import { useAnswer } from "../use.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { Empty, Failure, Waiting } from "./states.tsx";

interface Sums {
  clicks: number;
  impressions: number;
  conversions: number;
  payout: number;
  currency: string | null;
}

interface Statement {
  month: string;
  lines: (Sums & { date: string; campaign_id: string })[];
  totals: Sums[];
}

const named = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

/** This month and the two years before it, newest first. */
function months(now = new Date()): string[] {
  return Array.from({ length: 25 }, (_, back) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7));
}

export function MonthlyStatement({ id, name, month }: { id: string; name: string; month: string | null }) {
  const known = months();
  const chosen = month !== null && /^\d{4}-\d{2}$/.test(month) ? month : (known[0] as string);
  const path = `/api/publishers/${encodeURIComponent(id)}/statement?month=${chosen}`;
  const { data, error, again } = useAnswer<Statement>(path);
  const sums = (one: Sums) => (
    <>
      <td class="number">{count(one.clicks)}</td>
      <td class="number">{count(one.impressions)}</td>
      <td class="number">{count(one.conversions)}</td>
      <td class="number">{money(one.payout, one.currency)}</td>
    </>
  );
  const ready = data?.month === chosen;
  return (
    <Dialog title={`Statement of ${name}`} close={() => set({ statement: undefined, month: undefined }, { replace: true })} wide>
      <div class="editor">
        <div class="tools">
          <label><span class="hidden">Month</span>
            <select value={chosen} onChange={({ currentTarget: { value } }) => set({ month: value === known[0] ? undefined : value }, { replace: true })}>
              {(known.includes(chosen) ? known : [chosen, ...known]).map((one) => <option key={one} value={one}>{named.format(new Date(`${one}-01T00:00:00Z`))}</option>)}
            </select>
          </label>
          <a class="button small" href={`${path}&format=csv`} download={`statement-${id}-${chosen}.csv`}><Icon name="download" /> CSV</a>
          <a class="button small quiet" href={path} target="_blank" rel="noopener"><Icon name="out" /> JSON</a>
        </div>
        {error ? <Failure error={error} again={again} /> : !ready || !data ? <Waiting lines={6} /> : data.lines.length === 0 ? <Empty><p>Nothing was earned in this month.</p></Empty> : (
          <div class="scroll statement" tabIndex={0} role="region" aria-label="Statement, table">
            <table>
              <thead><tr><th scope="col">Day</th><th scope="col">Campaign</th><th scope="col" class="number">Clicks</th><th scope="col" class="number">Impressions</th><th scope="col" class="number">Conversions</th><th scope="col" class="number">Payout</th></tr></thead>
              <tbody>{data.lines.map((line) => <tr key={`${line.date} ${line.campaign_id} ${line.currency}`}><th scope="row" class="day">{date(`${line.date}T12:00:00`)}</th><td>{line.campaign_id || "No campaign"}</td>{sums(line)}</tr>)}</tbody>
              <tfoot>{data.totals.map((total) => <tr key={total.currency}><th scope="row" colSpan={2}>Together</th>{sums(total)}</tr>)}</tfoot>
            </table>
          </div>
        )}
        <p class="hint">Days are UTC’s. Clicks, impressions and conversions are those that were paid for; what was taken back later lowers the payout.</p>
      </div>
    </Dialog>
  );
}
