// What a million events cost at the platform's list prices, from operations that were counted. USD, November 2026.
const PRICE = {
  workerRequest: 0.3e-6,
  workerCpuMs: 0.02e-6,
  objectRequest: 0.15e-6,
  objectGbSecond: 12.5e-6,
  objectRowWritten: 1e-6,
  queueOperation: 0.4e-6,
  databaseRowWritten: 1e-6,
  kvRead: 0.5e-6,
};

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
    term("Worker requests: the edge's, the consumer's", counted.requests + counted.transactions, PRICE.workerRequest),
    // All of workerd's, the simulated platform included: more than would be billed.
    term("Worker CPU, ms", counted.cpuSeconds * 1_000, PRICE.workerCpuMs),
    term("Durable Object requests: gate calls, alarms", counted.gateCalls + counted.alarms, PRICE.objectRequest),
    term("Durable Object GB-s: gates awake", counted.gates * seconds * OBJECT_GB, PRICE.objectGbSecond),
    term("Durable Object rows: log, alarms", counted.logRows + counted.alarms, PRICE.objectRowWritten),
    term("Queue operations", counted.messages * OPERATIONS_PER_MESSAGE, PRICE.queueOperation),
    term("D1 rows: ledger, totals, segments, pages", counted.databaseRows, PRICE.databaseRowWritten),
    term("KV reads: links", ISOLATES * counted.links * (seconds / counted.linkFreshSeconds), PRICE.kvRead),
  ];
}
