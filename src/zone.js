// Time zones, of the platform: bundled with the module, the database and what reads it were 100 KB of it.
const HOUR = 3_600_000;

// Changes of the clocks that the IANA database knows are at least 6.9 days apart, so that between two looks there is at
// most one.
const STEP = 144 * HOUR;

// To make a formatter takes a millisecond, to ask it two microseconds. Each is 50 KB of the isolate.
const FORMATTERS_MAX = 16;
const formatters = new Map();

function formatter(zone) {
  let found = formatters.get(zone);
  if (!found) {
    // Of all fields a date can be shown by, the second is the quickest.
    found = new Intl.DateTimeFormat("en", { timeZone: zone, second: "numeric", timeZoneName: "longOffset" });
    if (formatters.size === FORMATTERS_MAX) formatters.clear();
    formatters.set(zone, found);
  }
  return found;
}

// In seconds, of "20 GMT+05:30". A zone on Greenwich's time may be "20 GMT".
function offset(formatter, at) {
  const [, sign, hours, minutes, seconds] = /(.)(\d\d):(\d\d)(?::(\d\d))?$/.exec(formatter.format(at)) ?? [];
  const ahead = (hours | 0) * 3600 + (minutes | 0) * 60 + (seconds | 0);
  return sign === "-" ? -ahead : ahead;
}

// By how many seconds the clocks of a zone are ahead: `from`, the offset then, the time of the next change, the offset
// after it, and so on up to `to`. Nothing if there is no such zone.
export function offsets(zone, from, to) {
  let shown;
  try {
    shown = formatter(zone);
  } catch {
    return;
  }
  let last = offset(shown, from);
  const table = [from, last];
  for (let start = from; start < to; start += STEP) {
    const end = Math.min(start + STEP, to);
    const next = offset(shown, end);
    if (next === last) continue;
    // The clocks change at whole seconds.
    let [before, after] = [Math.floor(start / 1000), Math.ceil(end / 1000)];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offset(shown, middle * 1000) === last) before = middle;
      else after = middle;
    }
    table.push(after * 1000, next);
    last = next;
  }
  return new Float64Array(table);
}
