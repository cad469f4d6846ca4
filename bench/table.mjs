// The figures beside their goals.

/** [what is compared, the most or the least it may be] */
const GOALS = {
  redirect_answer: ["ratio", "<=", 1.5],
  redirect_whole: ["ratio", "<=", 5],
  pixel_whole: ["ratio", "<=", 5],
  ingest_whole: ["ratio", "<=", 5],
  batch_event: ["ratio", "<=", 0.75],
  enrich_rollup_native: ["value", ">=", 1_000_000],
  rows_written_per_event: ["value", "<=", 0.2],
  cost_per_million_usd: ["value", "<=", 0.75],
  wasm_gzip_bytes: ["value", "<=", 700 * 1_024],
  start_up_ms: ["value", "<=", 50],
};

export function print(rows, terms, machine) {
  console.log(machine);
  lines(
    ["", "", "", "ratio", "to a call", "goal", ""],
    rows.map(({ name, value, unit, ratio, call }) => {
      const [field, sign, bound] = GOALS[name] ?? [];
      const figure = field === "ratio" ? ratio : value;
      const met = bound === undefined ? "" : (sign === "<=" ? figure <= bound : figure >= bound) ? "met" : "MISSED";
      return [name, number(value), unit, times(ratio), times(call), bound === undefined ? "" : `${sign} ${number(bound)}`, met];
    }),
  );
  if (terms === undefined) return;
  console.log("\na million events of the mix, by list price");
  const priced = terms.map(({ name, per_event, price, usd }) => [name, number(per_event), `x $${number(price * 1e6)} per million`, `$${usd.toFixed(4)}`]);
  lines(["", "per event", "", "USD"], [...priced, ["total", "", "", `$${terms.reduce((sum, { usd }) => sum + usd, 0).toFixed(4)}`]]);
}

const times = (ratio) => (ratio === undefined ? "" : `${number(ratio)} x`);
const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

/** The first column to the left, units too, numbers to the right. */
function lines(head, body) {
  const table = [head, ...body];
  const widths = head.map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const left = (column) => column === 0 || body.every((cells) => !/^[$\d<>]/.test(cells[column]));
  for (const cells of table) {
    console.log(cells.map((cell, column) => (left(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd());
  }
}
