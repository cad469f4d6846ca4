// Whether everything that was admitted was counted: from the gates' logs and from the ledger, neither computed from the other.
import { count } from "../format.ts";
import type { Page } from "../pages.ts";
import { Icon } from "../ui/icon.tsx";
import { Failure, Waiting } from "../ui/states.tsx";
import { useAnswer } from "../use.ts";

export const page: Page = { title: "Integrity", nav: { group: "Run", order: 2, icon: "integrity" }, scope: "stats:read" };

interface Gate {
  gate: string;
  unreached?: boolean;
  admitted?: number;
  applied: number;
  in_flight?: number;
  dead_lettered?: number;
  lost?: number;
  duplicates?: number;
  log_rows?: number;
  ids?: number;
}

interface Integrity {
  admitted: number;
  applied: number;
  in_flight: number;
  dead_lettered: number;
  lost: number;
  duplicates: number;
  gates_unreached: number;
  gates: Gate[];
}

export default function IntegrityPage() {
  const { data, error, again } = useAnswer<Integrity>("/stats/integrity", 5_000);
  if (error) return <><header class="page"><h1>Integrity</h1></header><Failure error={error} again={again} /></>;
  return (
    <>
      <header class="page"><h1>Integrity</h1></header>
      {!data ? <Waiting lines={6} /> : (
        <>
          <section class={`card promise ${data.lost ? "broken" : ""}`} aria-label="The promise">
            <Icon name={data.lost ? "close" : "check"} />
            <div>
              <h2>{data.lost ? `${count(data.lost)} events are lost` : data.in_flight ? "Nothing is lost; some is on its way" : "Every event that was admitted is counted"}</h2>
              <p class="hint">{data.gates_unreached ? `${count(data.gates_unreached)} gates did not answer. ` : ""}The gates’ logs beside the ledger, asked anew every five seconds.</p>
            </div>
          </section>
          <div class="numbers five">
            {([["Admitted", data.admitted], ["Counted", data.applied], ["On the way", data.in_flight], ["Dead letters", data.dead_lettered], ["Lost", data.lost]] as const).map(([name, value]) => (
              <div key={name} class="card number-card"><span class="label">{name}</span><strong>{count(value)}</strong></div>
            ))}
          </div>
          <section class="card table" aria-label="Gates">
            <div class="scroll" tabIndex={0} role="region" aria-label="Gates">
              <table>
                <thead><tr><th scope="col">Gate</th>{["Admitted", "Counted", "On the way", "Dead", "Lost", "Duplicates", "Log rows", "Ids"].map((name) => <th key={name} scope="col" class="number">{name}</th>)}</tr></thead>
                <tbody>
                  {data.gates.map((gate) => (
                    <tr key={gate.gate}>
                      <th scope="row">{gate.gate} {gate.unreached ? <span class="badge bot">no answer</span> : null}</th>
                      {[gate.admitted, gate.applied, gate.in_flight, gate.dead_lettered, gate.lost, gate.duplicates, gate.log_rows, gate.ids].map((value, place) => <td key={place} class="number">{value === undefined ? "–" : count(value)}</td>)}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        </>
      )}
    </>
  );
}
