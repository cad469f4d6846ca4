// A time series. The canvas is for eyes; the same numbers are in a table beside it.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { count, short } from "../format.ts";
import { THEME_CHANGED } from "../theme.ts";

export interface Line {
  label: string;
  values: (number | null)[];
  /** A colour of the style sheet: `--accent`. */
  colour: string;
  filled?: boolean;
  dashed?: boolean;
  hidden?: boolean;
  format?: (value: number) => string;
}

interface Props {
  title: string;
  /** Epoch ms. */
  times: number[];
  lines: Line[];
  tz: string;
  interval: "minute" | "hour" | "day";
  height?: number;
}

const HEIGHT = 280;
const DAYS = [1, 2, 3, 7, 14, 28, 91, 182, 364].map((days) => days * 86_400);
const TIMES = [60, 120, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

export function Chart({ title, times, lines, tz, interval, height = HEIGHT }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [table, setTable] = useState(false);
  const [at, setAt] = useState<number>();
  const [off, setOff] = useState<ReadonlySet<string>>(new Set(lines.filter((line) => line.hidden).map((line) => line.label)));
  const named = new Intl.DateTimeFormat(undefined, {
    timeZone: tz,
    ...(interval === "day" ? { weekday: "short", day: "numeric", month: "short", year: "numeric" } : { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
  });
  const shape = JSON.stringify([lines.map(({ label, colour, filled, dashed }) => [label, colour, filled, dashed]), tz, interval, height]);
  const shown = lines.map((line) => !off.has(line.label));

  useEffect(() => {
    if (!box.current || table) return;
    const element = box.current;
    const make = () => {
      plot.current?.destroy();
      const style = getComputedStyle(document.documentElement);
      const colour = (name: string) => style.getPropertyValue(name).trim();
      const ticks = new Intl.DateTimeFormat(undefined, { timeZone: tz, day: "numeric", month: "short" });
      const hours = new Intl.DateTimeFormat(undefined, { timeZone: tz, hour: "2-digit", minute: "2-digit" });
      const font = "12px system-ui, sans-serif";
      plot.current = new uPlot(
        {
          width: element.clientWidth,
          height,
          padding: [12, 26, 0, 0],
          legend: { show: false },
          cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
          scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(4, max * 1.08)] } },
          tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), tz),
          axes: [
            { stroke: colour("--muted"), font, grid: { show: false }, ticks: { show: false }, size: 30, space: 70, incrs: interval === "day" ? DAYS : TIMES, values: (_, values) => values.map((value) => (interval === "day" ? ticks : hours).format(value * 1e3)) },
            { stroke: colour("--muted"), font, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, size: 52, space: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9], values: (_, values) => values.map((value) => short(value)) },
          ],
          series: [
            {},
            ...lines.map((line, place) => ({
              label: line.label,
              show: shown[place] ?? true,
              stroke: colour(line.colour),
              width: line.dashed ? 1.25 : 2,
              points: { show: false },
              ...(line.filled ? { fill: (chart: uPlot) => fade(chart, colour(line.colour)) } : {}),
              ...(line.dashed ? { dash: [4, 4] } : {}),
            })),
          ],
          hooks: { setCursor: [(chart) => setAt(chart.cursor.idx ?? undefined)] },
        },
        data(),
        element,
      );
    };
    const data = (): uPlot.AlignedData => [times.map((time) => time / 1e3), ...lines.map((line) => line.values)] as uPlot.AlignedData;
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    addEventListener(THEME_CHANGED, make);
    return () => {
      resized.disconnect();
      removeEventListener(THEME_CHANGED, make);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape, table]);

  useEffect(() => {
    plot.current?.setData([times.map((time) => time / 1e3), ...lines.map((line) => line.values)] as uPlot.AlignedData);
  }, [times, lines]);

  useEffect(() => {
    lines.forEach((line, place) => plot.current?.setSeries(place + 1, { show: !off.has(line.label) }));
  }, [off]);

  const toggle = (label: string) => {
    const next = new Set(off);
    if (!next.delete(label)) next.add(label);
    setOff(next);
  };
  const said = (line: Line, place: number | undefined) => {
    const value = place === undefined ? undefined : line.values[place];
    return value === undefined || value === null ? "" : (line.format ?? count)(value);
  };
  return (
    <figure class="chart">
      <figcaption>
        <span class="hidden">{title}</span>
        <div class="legend">
          {lines.map((line) => (
            <button key={line.label} type="button" aria-pressed={!off.has(line.label)} onClick={() => toggle(line.label)}>
              <i class={`swatch ${line.colour.slice(2)} ${line.dashed ? "dashed" : ""}`} />
              {line.label}
              {at !== undefined && !off.has(line.label) ? <b>{said(line, at)}</b> : null}
            </button>
          ))}
        </div>
        <span class="moment">{at === undefined || times[at] === undefined ? "" : named.format(times[at])}</span>
        <button type="button" class="quiet small" aria-pressed={table} onClick={() => setTable(!table)}>{table ? "Chart" : "Table"}</button>
      </figcaption>
      {table ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead><tr><th scope="col">Time</th>{lines.map((line) => <th key={line.label} scope="col" class="number">{line.label}</th>)}</tr></thead>
            <tbody>
              {times.map((time, place) => (
                <tr key={time}><th scope="row">{named.format(time)}</th>{lines.map((line) => <td key={line.label} class="number">{said(line, place)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div ref={box} class={`plot h${height}`} role="img" aria-label={`${title}. The button Table shows the numbers.`} />
      )}
    </figure>
  );
}

function fade(chart: uPlot, colour: string): CanvasGradient {
  const gradient = chart.ctx.createLinearGradient(0, chart.bbox.top, 0, chart.bbox.top + chart.bbox.height);
  gradient.addColorStop(0, `${colour}38`);
  gradient.addColorStop(1, `${colour}00`);
  return gradient;
}

/** The same, as small as a word. */
export function Spark({ values }: { values: (number | null)[] }) {
  const known = values.map((value) => value ?? 0);
  if (known.length < 2) return null;
  const most = Math.max(...known, 1);
  const at = (value: number, place: number) => `${((place / (known.length - 1)) * 100).toFixed(1)} ${(29 - (value / most) * 27).toFixed(1)}`;
  const line = known.map(at).join("L");
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <path class="area" d={`M0 30L${line}L100 30Z`} />
      <path d={`M${line}`} />
    </svg>
  );
}
