// The world, darker where more comes from. What it shows is also in the list beside it.
import { useState } from "preact/hooks";
import world from "virtual:world";
import { count, country } from "../format.ts";

interface Props {
  values: Map<string, number>;
  unit: string;
  pick?: (code: string) => void;
  /** Codes that flash, and how often they have. */
  lit?: Map<string, number>;
}

const SHADES = 6;

export function World({ values, unit, pick, lit }: Props) {
  const [over, setOver] = useState<string>();
  const most = Math.max(1, ...values.values());
  // By its root: else one country is dark and the rest of the world is one pale shade.
  const shade = (code: string) => {
    const value = values.get(code) ?? 0;
    return value === 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(value / most) * SHADES));
  };
  return (
    <div class="world">
      <svg viewBox={`0 0 ${world.width} ${world.height}`} role="img" aria-label={`World map of ${unit} by country`}>
        {world.shapes.map(([code, shape], place) => (
          <path
            key={code || place}
            d={shape}
            class={`s${shade(code)} ${pick && code ? "pick" : ""}`}
            onPointerEnter={() => setOver(code)}
            onPointerLeave={() => setOver(undefined)}
            onClick={() => pick && code && pick(code)}
          />
        ))}
        {lit ? world.shapes.filter(([code]) => lit.has(code)).map(([code, shape]) => <path key={`${code} ${lit.get(code)}`} class="lit" d={shape} />) : null}
      </svg>
      <p class="caption" aria-hidden="true">{over ? `${country(over)} · ${count(values.get(over) ?? 0)} ${unit}` : " "}</p>
    </div>
  );
}
