// What of wrangler.toml is different in an environment: names, ids, and what deploy.ENV.toml says over it. Pure.

import { Stop } from "./wrangler.mjs";

export const ENVIRONMENTS = ["production", "staging"];

/** Rate limits of two Workers must not share a namespace: each environment has a hundred of its own. */
const NAMESPACES_APART = 100;

/** An id that nobody has filled in. */
export const isPlaceholder = (id) => id === undefined || /^[0-]*$/.test(id);

/** Tables are laid over tables; whatever else is said replaces what was there. */
export function lay(base, over) {
  const table = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!table(base) || !table(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = lay(base[key], value);
  return merged;
}

/** wrangler.toml for an environment: production has the names as they stand, another has its own of everything. */
export function environment(wrangler, env, over = {}, { archive = true } = {}) {
  if (!ENVIRONMENTS.includes(env)) throw new Stop(`ENV=${env} is none of ${ENVIRONMENTS.join(", ")}`);
  const nth = ENVIRONMENTS.indexOf(env);
  const named = (name) => (nth === 0 ? name : `${name}-${env}`);
  // make has built already; wrangler would do it again
  const { build: _, env: __, ...rest } = wrangler;
  const { producers = [], consumers = [] } = wrangler.queues ?? {};
  const worker = named(wrangler.name);
  const config = {
    ...rest,
    name: worker,
    d1_databases: wrangler.d1_databases.map((one) => own(nth, { ...one, database_name: named(one.database_name) }, "database_id")),
    kv_namespaces: wrangler.kv_namespaces.map((one) => own(nth, one, "id")),
    r2_buckets: archive ? wrangler.r2_buckets.map((one) => ({ ...one, bucket_name: named(one.bucket_name) })) : [],
    queues: {
      producers: producers.map((one) => ({ ...one, queue: named(one.queue) })),
      consumers: consumers.map((one) => ({
        ...one,
        queue: named(one.queue),
        ...(one.dead_letter_queue ? { dead_letter_queue: named(one.dead_letter_queue) } : {}),
      })),
    },
    ratelimits: wrangler.ratelimits.map((one) => ({ ...one, namespace_id: String(Number(one.namespace_id) + nth * NAMESPACES_APART) })),
    analytics_engine_datasets: wrangler.analytics_engine_datasets.map((one) => ({ ...one, dataset: named(one.dataset).replaceAll("-", "_") })),
  };
  return lay(config, over);
}

/** An id that stands in wrangler.toml is production's: the deploy button writes it there. */
function own(nth, entry, key) {
  if (nth === 0 && !isPlaceholder(entry[key])) return entry;
  const { [key]: _, ...rest } = entry;
  return rest;
}

/** What a KV namespace is called in the account: bindings have no name of their own. */
export const namespaceTitle = (config, { binding }) => `${config.name}-${binding.toLowerCase()}`;

/** Every queue that is written, read or a place for dead letters, once. */
export function queuesOf({ queues: { producers, consumers } }) {
  const names = [...producers.map(({ queue }) => queue), ...consumers.flatMap((one) => [one.queue, one.dead_letter_queue])];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** The configuration with the account's ids in it. In a dry run there are none, and wrangler wants some. */
export function filled(config, ids) {
  const id = (binding) => ids[binding] ?? "00000000-0000-0000-0000-000000000000";
  return {
    ...config,
    d1_databases: config.d1_databases.map((one) => ({ database_id: id(one.binding), ...one })),
    kv_namespaces: config.kv_namespaces.map((one) => ({ id: id(one.binding).replaceAll("-", ""), ...one })),
  };
}

/** Paths of wrangler.toml as seen from a folder `up` of it. */
export function seenFrom(config, up) {
  return {
    ...config,
    main: `${up}/${config.main}`,
    assets: { ...config.assets, directory: `${up}/${config.assets.directory}` },
    d1_databases: config.d1_databases.map((one) => (one.migrations_dir ? { ...one, migrations_dir: `${up}/${one.migrations_dir}` } : one)),
  };
}
