// What is kept on the device, and whether anything may be.
import { said, wish } from "./settings.ts";

export const EVENT = "clicktrail:";
export const VISIT = "clicktrail_visit";
const GRANTED = "clicktrail_granted";
/** Not among what consent covers: it says nothing but that nothing is to be recorded. */
const OFF = "clicktrail_off";

let device: Record<string, string> = {};
try {
  device = localStorage;
} catch {
  // blocked: then every page is the first
}
/** What may not go onto the device, or has no room there. */
const memory: Record<string, string> = {};

export const read = (key: string) => JSON.parse(memory[key] || device[key] || "{}");
export const erase = (key: string) => {
  delete memory[key];
  delete device[key];
};
export const eventKeys = () => Object.keys({ ...device, ...memory }).filter((key) => key.match(EVENT));

/** The visitor's word, which goes with each event; nothing where nobody has asked. */
export let granted: unknown = device[GRANTED] || said.consent;

/** No ids, and nothing on the device. */
export const anonymous = () => granted == "denied" || wish;
/** No events. Who has opted out on the service's own pages has its cookie, which pages of its host can read. */
export const silent = () => device[OFF] || wish == "drop" || document.cookie.match(OFF);

/**
 * Keeps a value: on the device if that is allowed and there is room, or else until the page goes. What is there is written
 * over and not removed first, or another tab would see nobody in between, and a new visitor begin.
 */
export const write = (key: string, value: unknown) => {
  const json = JSON.stringify(value);
  try {
    if (!anonymous()) {
      device[key] = json;
      return delete memory[key];
    }
    delete device[key];
  } catch {
    // no room
  }
  memory[key] = json;
};

/** The visitor's word. What was recorded while it was allowed is still sent, but no longer says whose it was. */
export const consent = (word?: unknown) => {
  granted = /^[gt]/.test(word as string) ? 1 : "denied"; // or true and false
  if (granted == 1) return write(GRANTED, 1);
  erase(GRANTED);
  erase(VISIT);
  for (const key of eventKeys()) write(key, { ...read(key), ids: {} });
};

/** The visitor's word for good: nothing is recorded on this device, or it is again. */
export const optOut = (out = true) => {
  delete device[OFF];
  if (out) {
    consent();
    eventKeys().map(erase);
    device[OFF] = 1 as any;
  }
};

// What an earlier page was allowed to keep.
if (anonymous()) consent();
