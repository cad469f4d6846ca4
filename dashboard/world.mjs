// The world as SVG paths, drawn when the page is built: Natural Earth's countries at 1:110 million, in the Natural Earth
// projection, to a whole unit of 1,000. As TopoJSON the page would need 39 KB of it, a decoder and a projection.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const require = createRequire(import.meta.url);
const WIDTH = 1000;
const HEIGHT = 480;

export function world() {
  return {
    name: "world",
    resolveId: (id) => (id === "virtual:world" ? "\0world" : undefined),
    load: (id) => (id === "\0world" ? `export default ${JSON.stringify(drawn())}` : undefined),
  };
}

export function drawn() {
  const topology = JSON.parse(readFileSync(require.resolve("world-atlas/countries-110m.json"), "utf8"));
  const codes = new Map(JSON.parse(readFileSync(require.resolve("i18n-iso-countries/codes.json"), "utf8")).map(([two, , number]) => [number, two]));
  const countries = feature(topology, topology.objects.countries).features.filter(({ id }) => id !== "010"); // nobody clicks in Antarctica
  const projection = geoNaturalEarth1().rotate([-11, 0]).fitSize([WIDTH, HEIGHT], { type: "FeatureCollection", features: countries });
  const path = geoPath(projection);
  const shapes = countries.map((country) => [codes.get(country.id) ?? "", short(path(country) ?? "")]);
  return { width: WIDTH, height: HEIGHT, shapes: shapes.filter(([, shape]) => shape !== "") };
}

/** The same path in whole units, each point as its distance from the one before. */
function short(path) {
  return path
    .split("M")
    .slice(1)
    .map((ring) => {
      const points = ring.replace(/Z$/, "").split("L").map((point) => point.split(",").map((value) => Math.round(Number(value))));
      let [x, y] = points[0];
      let drawn = `M${x},${y}`;
      let steps = "";
      for (const [toX, toY] of points.slice(1)) {
        if (toX === x && toY === y) continue;
        steps += `${steps && toX - x >= 0 ? " " : ""}${toX - x}${toY - y < 0 ? "" : " "}${toY - y}`;
        [x, y] = [toX, toY];
      }
      return steps === "" ? "" : `${drawn}l${steps}z`;
    })
    .join("");
}
