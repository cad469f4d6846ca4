// wrangler.toml is the only place where bindings are declared; this turns it into what Miniflare takes.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf, unstable_readConfig as readConfig } from "wrangler";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export function readWrangler() {
  return readConfig({ config: join(root, "wrangler.toml") });
}

// Where a visitor on this machine seems to come from. Without it Miniflare asks the network.
const PLACE = {
  country: "US",
  continent: "NA",
  region: "Texas",
  regionCode: "TX",
  city: "Austin",
  postalCode: "78701",
  metroCode: "635",
  timezone: "America/Chicago",
  latitude: "30.27130",
  longitude: "-97.74260",
  asn: 64496, // reserved for documentation
  asOrganization: "clicktrail dev",
  colo: "DFW",
  httpProtocol: "HTTP/1.1",
  tlsVersion: "TLSv1.3",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
};

/** Where nothing is known of a place: an empty object, because without one Miniflare makes one up. */
export const NOWHERE = {};

/** A secret outlives a restart: visitors hashed before it must hash the same after it, and click ids stay readable. */
export function secret(state, name) {
  const path = join(state, name);
  if (!existsSync(path)) {
    mkdirSync(state, { recursive: true });
    writeFileSync(path, randomBytes(32).toString("hex"), { mode: 0o600 });
  }
  return readFileSync(path, "utf8");
}

function merge(base, over) {
  const nested = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!nested(base) || !nested(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
  return merged;
}

/** The rate limits, with other numbers for those that `limits` names. */
function limited(ratelimits, limits) {
  const unknown = Object.keys(limits).filter((name) => !(name in ratelimits));
  if (unknown.length > 0) throw new Error(`wrangler.toml has no rate limit ${unknown}`);
  const entries = Object.entries(ratelimits).map(([name, { simple, ...rest }]) => [
    name,
    { ...rest, simple: { ...simple, limit: limits[name] ?? simple.limit } },
  ]);
  return Object.fromEntries(entries);
}

/** A stand-in for Analytics Engine, which nothing simulates: what is written goes to `points`. */
function standIn(name, points) {
  const script = `export default ({ OUT }) => ({
    writeDataPoint(point) {
      OUT.fetch("http://out", { method: "POST", body: JSON.stringify(point) });
    },
  });`;
  const out = async (request) => {
    points.push(await request.json());
    return new Response();
  };
  return { name, modules: true, script, serviceBindings: { OUT: out } };
}

/** A bucket that is down, in the place of one. */
function down(name) {
  const script = `export default () => {
    const refuse = async () => { throw new Error("the bucket is down"); };
    return { put: refuse, get: refuse, list: refuse, delete: refuse };
  }`;
  return { name, modules: true, script };
}

/**
 * The static assets, as a Worker of their own. Miniflare would put its router before ours, and each click would go through
 * two Workers more than on the platform.
 */
function files({ directory, binding, assetConfig }) {
  mkdirSync(directory, { recursive: true });
  const script = `export default { fetch: (request, env) => env.${binding}.fetch(request) };`;
  return { name: "assets", modules: true, script, compatibilityDate: "2026-04-01", assets: { directory, binding, assetConfig } };
}

/** The databases of wrangler.toml, and those that `--config` adds to them. */
function databases(bound, config) {
  const added = (config?.databases ?? []).filter((binding) => !(binding in bound));
  return { ...bound, ...Object.fromEntries(added.map((binding) => [binding, { id: binding }])) };
}

/** Miniflare's options for the Worker of `wrangler`, kept under `state`; the rest are the switches of serve.mjs. */
export function miniflareOptions(
  wrangler,
  { state, host, port, directPort, token, config, cf, place = PLACE, queue, points, limits, bucketsDown, patient },
) {
  const { workerOptions, main } = workerOptionsOf(wrangler);
  const { modulesRules: _, bindings, queueConsumers, analyticsEngineDatasets, r2Buckets, ratelimits, assets, serviceBindings, ...rest } =
    workerOptions;
  const datasets = Object.keys(analyticsEngineDatasets ?? {});
  const buckets = Object.keys(r2Buckets ?? {});
  const standIns = [
    ...(points === undefined ? [] : datasets.map((name) => [name, standIn(`points-${name}`, points)])),
    ...(bucketsDown ? buckets.map((name) => [name, down(`down-${name}`)]) : []),
  ];
  const build = dirname(main);
  const before = join(state, "visitor_secret_before"); // while it is being changed: docs/privacy.md
  const defined = Object.entries(queue).filter(([, value]) => value !== undefined);
  const override = Object.fromEntries(defined);
  return {
    host,
    port,
    cf: merge(place, cf),
    defaultPersistRoot: join(state, "v3"), // the layout of `wrangler --persist-to`, so that its d1 and kv commands see the same
    workers: [
      {
        ...rest,
        name: wrangler.name,
        modulesRoot: build,
        modules: [
          // In build/, as far as its imports are concerned.
          ...(patient ? [{ type: "ESModule", path: join(build, "patient.mjs"), contents: readFileSync(join(root, "dev/patient.mjs"), "utf8") }] : []),
          { type: "ESModule", path: join(build, basename(main)) },
          { type: "ESModule", path: join(build, "index.js") },
          { type: "CompiledWasm", path: join(build, "index_bg.wasm") },
          { type: "Text", path: join(build, "openapi.txt") },
          { type: "Text", path: join(build, "tag.txt") },
        ],
        bindings: {
          ...bindings,
          // On a machine of one's own everybody has one address, and workerd has no jurisdictions.
          CONFIG: merge({ ...bindings.CONFIG, rate_limits: limits !== undefined, jurisdiction: "" }, config),
          ADMIN_TOKEN: token ?? bindings.ADMIN_TOKEN ?? "dev",
          VISITOR_SECRET: bindings.VISITOR_SECRET ?? secret(state, "visitor_secret"),
          ...(existsSync(before) ? { VISITOR_SECRET_BEFORE: readFileSync(before, "utf8") } : {}),
          SIGNING_SECRET: bindings.SIGNING_SECRET ?? secret(state, "signing_secret"),
        },
        d1Databases: databases(rest.d1Databases, config),
        queueConsumers: Object.fromEntries(
          Object.entries(queueConsumers ?? {}).map(([name, consumer]) => [name, { ...consumer, ...override }]),
        ),
        ...(limits === undefined ? {} : { ratelimits: limited(ratelimits, limits) }),
        ...(points === undefined ? { analyticsEngineDatasets } : {}),
        ...(bucketsDown ? {} : { r2Buckets }),
        wrappedBindings: Object.fromEntries(standIns.map(([binding, { name }]) => [binding, { scriptName: name }])),
        serviceBindings: { ...serviceBindings, [assets.binding]: "assets" },
        ...(directPort === undefined ? {} : { unsafeDirectSockets: [{ host, port: directPort }] }),
      },
      files(assets),
      ...standIns.map(([, worker]) => worker),
    ],
  };
}
