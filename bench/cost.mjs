// What a million events cost at the platform's list prices, from operations that were counted.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const price = JSON.parse(readFileSync(join(import.meta.dirname, "prices.json"), "utf8"));

/** An object is billed for 128 MB while it is awake, whatever it uses. */
const OBJECT_GB = 0.125;
/** A message of at most 64 KB is written, read and deleted. */
const OPERATIONS_PER_MESSAGE = 3;
/** A thousand requests a second are spread over several isolates, each of which looks links up for itself. */
const ISOLATES = 4;

/**
 * Terms `{name, per_event, price, usd}`, usd for a million events. Left out, because together they are below half a
 * cent: rows read, storage, KV writes, the cron's requests. Analytics Engine is not billed at present.
 */
export function cost(counted) {
  const { events, seconds } = counted;
  const term = (name, quantity, price) => ({ name, per_event: quantity / events, price, usd: (quantity / events) * price * 1e6 });
  return [
    term("Worker requests: the edge's, the consumer's", counted.requests + counted.transactions, price.worker_request),
    // All of workerd's, the simulated platform included: more than would be billed.
    term("Worker CPU, ms", counted.cpuSeconds * 1_000, price.worker_cpu_ms),
    term("Durable Object requests: gate calls, alarms", counted.gateCalls + counted.alarms, price.object_request),
    term("Durable Object GB-s: gates awake", counted.gates * seconds * OBJECT_GB, price.object_gb_second),
    term("Durable Object rows: log, journals, alarms", counted.logRows + counted.journalRows + counted.alarms, price.object_row_written),
    term("Queue operations", counted.messages * OPERATIONS_PER_MESSAGE, price.queue_operation),
    term("D1 rows: ledger, totals, segments, pages", counted.databaseRows, price.database_row_written),
    term("KV reads: links", (counted.isolates ?? ISOLATES) * counted.links * (seconds / counted.linkFreshSeconds), price.kv_read),
  ];
}

export const total = (terms) => terms.reduce((sum, { usd }) => sum + usd, 0);
