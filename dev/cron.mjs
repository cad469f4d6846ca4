// Miniflare runs no cron triggers; this calls the Worker's scheduled handler as the platform would.

/** Whether one field of a cron expression (`*`, `5`, `1,2`, `1-5`, or any of them with a step) holds for `value`. */
function holds(field, value) {
  return field.split(",").some((part) => {
    const [range, step = "1"] = part.split("/");
    const [from, to = range === part ? from : Infinity] = range === "*" ? [0, Infinity] : range.split("-").map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

export function isDue(cron, date) {
  const fields = cron.trim().split(/\s+/);
  const now = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
  return now.every((value, i) => holds(fields[i], value));
}

/** Calls `run(cron, date)` for every expression that is due, on the minute, for as long as the process lives. */
export function everyMinute(crons, run) {
  setTimeout(() => {
    const date = new Date();
    for (const cron of crons) if (isDue(cron, date)) run(cron, date);
    everyMinute(crons, run);
  }, 60_000 - (Date.now() % 60_000)).unref();
}
