// How events leave: by requests that are answered while the page lives, by beacons when it goes. An event stays in the
// queue until it is known to have arrived, or until the browser has taken it over.
import { EVENT, anonymous, erase, eventKeys, granted, read, write } from "./device.ts";
import { endpoint } from "./settings.ts";
import { changeIds } from "./visit.ts";

/**
 * Of one request, in characters; with up to three bytes each it stays below the 64 KiB that all of a page's beacons and
 * keepalive requests share.
 */
const BATCH_MAX = 16_000;
/**
 * So long an event that was sent is left alone: its request is under way, here or in another tab, or was answered there a
 * moment ago, of which this tab need not know yet.
 */
const UNDER_WAY_MS = 20_000;
/**
 * So long the service is certain to know an event again, with a margin to its window of 5 minutes. A request that was
 * under way when its page went has most likely arrived: within this time it is sent again, which cannot count twice,
 * and after it no more.
 */
const KNOWN_MS = 240_000;

/** Of the next request; -1 while one is under way. */
let timer: any;
let failures = 0;
/** The page went while a request was under way: that it failed by then says nothing of its arrival. */
let gone: Event | undefined;

export const soon = (ms = 200) => {
  timer ||= setTimeout(flush, ms);
};

const keyOf = ({ event_id }: any) => EVENT + event_id;
const keep = (event: any) => write(keyOf(event), event);

export const add = (event: any) => {
  keep(event);
  soon();
};

/** Some events, ready to go; none while the device is offline. */
const take = () => {
  const now = Date.now();
  let size = 0;
  return eventKeys()
    .map(read)
    .filter((event) => {
      const age = now - event.sent_at;
      event.sent_at = now;
      if (age > KNOWN_MS) erase(keyOf(event));
      else if (navigator.onLine && size < BATCH_MAX && !(age < UNDER_WAY_MS)) return (size += JSON.stringify(event).length);
    });
};

const body = (events: any[]) => JSON.stringify(events.map(({ ids, ...event }) => ({ ...ids, consent: granted, ...event })));

const send = async () => {
  const events = take();
  let results: any;
  let pause: any;
  let failed = 0;
  if (!events[0]) {
    timer = 0;
    // What an earlier page left under way is this one's, though nothing else may happen here.
    return eventKeys()[0] && setTimeout(soon, UNDER_WAY_MS);
  }
  events.forEach(keep);
  gone = undefined;
  try {
    const answer = await fetch(endpoint, {
      method: "POST",
      body: body(events), // as text/plain, for which a page of another site need not ask first
      keepalive: !failures, // unless that is what failed: other scripts use up the same quota
    });
    if (answer.ok) ({ results } = await answer.json());
    else if (answer.status == 429 || answer.status > 499) pause = +answer.headers.get("retry-after")!;
    else results = events; // refused for good
  } catch {
    // nobody knows: the service does, if they are sent again soon
  }
  events.forEach((sent, place) => {
    const { status, errors } = results?.[place] || { status: "retry" };
    const { sent_at, ...event } = read(keyOf(sent));
    if (status == "retry") failed = 1;
    else if (errors && event.ids?.click_id) {
      // Somebody else's parameter of that name must not cost the event.
      changeIds({ click_id: (event.ids.click_id = undefined) });
    } else {
      if (errors) console.warn(errors);
      return erase(keyOf(sent));
    }
    if (sent_at && !gone) keep(event); // else the visitor has withdrawn it meanwhile
  });
  failures = failed && failures + 1;
  timer = 0;
  soon(failed && (pause || 2 ** failures) * (1000 + Math.random() * 250));
};

/** Sends what there is; one tab at a time, so that two do not send the same. */
export const flush = () => {
  clearTimeout(timer);
  timer = -1;
  navigator.locks?.request(EVENT, send) || send();
};

/** The page goes, or may go. What no beacon takes, or must wait, is the next page's. */
export const leave = (going?: Event) => {
  gone ||= going; // it also becomes hidden then
  if (!failures || anonymous())
    for (let events; (events = take())[0] && navigator.sendBeacon(endpoint, body(events)); ) events.map(keyOf).map(erase);
};
