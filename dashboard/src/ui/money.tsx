// What the traffic cost, and what it brought: of a whole view.
import type { Numbers } from "../api.ts";
import { money, percent } from "../format.ts";

/** Amounts of several currencies are never added up: then each stands by itself. */
function amount(value: number | null, currency: string | null, each: Record<string, number> | undefined): string {
  if (value !== null) return money(value, currency);
  const said = Object.entries(each ?? {}).map(([code, value]) => money(value, code));
  return said.length ? said.join(" + ") : "several currencies";
}

export function Money({ totals }: { totals: Numbers }) {
  const { cost, payout, revenue, profit, roi, ecpc, epc, currency } = totals;
  // Where no money moves, nothing is said of it.
  if (cost === 0 && payout === 0 && (revenue === 0 || revenue === null) && !totals.revenue_by_currency) return null;
  const shown = [
    ["Cost", amount(cost, currency, totals.cost_by_currency), "What campaigns pay for people's events"],
    ["Payout", amount(payout, currency, totals.payout_by_currency), "What publishers get"],
    ["Profit", profit === null ? "–" : money(profit, currency), "Revenue less cost and payout"],
    ["ROI", roi === null ? "–" : percent(roi), "Profit by cost and payout"],
    ["Cost of a click", ecpc === null ? "–" : money(ecpc, currency), "Cost by clicks"],
    ["Revenue of a click", epc === null ? "–" : money(epc, currency), "Revenue by clicks"],
  ] as const;
  return (
    <section class="card" aria-label="Money">
      <h2 class="hidden">Money</h2>
      <dl class="money">
        {shown.map(([name, value, said]) => (
          <div key={name} title={said}><dt>{name}</dt><dd class={name === "Profit" && profit !== null ? (profit < 0 ? "loss" : "gain") : ""}>{value}</dd></div>
        ))}
      </dl>
    </section>
  );
}
