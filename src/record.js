import { waitUntil } from "cloudflare:workers";

// Requests of one isolate share their calls to a gate: it is called at most once in so many ms, and those who come sooner wait
// for the next call. A call costs several times what is in it, and is what the platform bills; whoever is alone does not
// wait, and a gate commits four times more seldom anyway.
const CALL_EVERY_MS = 6;
// What a call takes, as much as a row of the log; what is larger than this is a batch, and together already.
const CALL_MAX_BYTES = 60_000;
const SHARED_MAX_BYTES = 4_000;
// Who comes later than this does not join a call that is not made yet: the request that was to make it is no more.
const OVERDUE_MS = 500;
// Answers are looked for when the last ones came, but no later than this: a gate that was slow once is not so for long.
const LOOK_WITHIN_MS = 25;
const LOOK_EVERY_MS = 6;
const LOOK_AGAIN_MS = 2_000;

// By the gate's name: when it was called last and how long it took, and the call that is due next.
const lines = new Map();

// Calls a gate, in one crossing instead of ten: with so many events, if they may go with those of others. Resolves as `within` does.
export function ask(gates, name, hint, head, frames, events, ms) {
  // Copies: by itself each is a window, and all of the wasm's memory would be sent.
  const part = { bytes: frames.slice(), events, told: undefined, error: undefined };
  const line = lineOf(name);
  const now = Date.now();
  const due = line.called + CALL_EVERY_MS;
  const alone = events === undefined || part.bytes.length > SHARED_MAX_BYTES;
  if (alone || (!line.next && (now >= due || now < line.called))) {
    if (!alone) line.called = now;
    return within(call(gates, name, hint, head.slice(), [part]), ms);
  }
  if (!line.next || now > line.due + OVERDUE_MS || line.bytes + part.bytes.length > CALL_MAX_BYTES) {
    Object.assign(line, { next: [], bytes: 0, due });
    // The others' too: it goes on when whoever asked first has left.
    waitUntil(callTogether(gates, name, hint, head.slice(), line, line.next, due - now));
  }
  line.bytes += part.bytes.length;
  line.next.push(part);
  return heard(part, due + line.took - now, now + ms);
}

function lineOf(name) {
  let line = lines.get(name);
  if (!line) lines.set(name, (line = { called: 0, took: 0, next: undefined, bytes: 0, due: 0 }));
  return line;
}

function call(gates, name, hint, head, parts) {
  const gate = hint === "" ? gates.getByName(name) : gates.getByName(name, { locationHint: hint });
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, head.length));
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.bytes.length;
  }
  return gate.admit(bytes);
}

async function callTogether(gates, name, hint, head, line, parts, ms) {
  await sleep(ms);
  if (line.next === parts) line.next = undefined;
  const began = (line.called = Date.now());
  try {
    const told = await call(gates, name, hint, head, parts);
    line.took = Math.min(Math.max(Date.now() - began, 0.9 * line.took), LOOK_WITHIN_MS);
    let at = 0;
    for (const part of parts) part.told = told.slice(at, (at += part.events));
  } catch (error) {
    for (const part of parts) part.error = error;
  }
}

// What a part was told, by looking: at first when that is likely, then again and again. A promise that another request fulfils
// would wake this one as soon, and the runtime promises that it goes on as itself; but of a promise that V8 makes in optimised
// code it forgets whose it is, and then a minute of traffic ends with every waiting request going on as the other one,
// with whose streams and timers it may do nothing.
async function heard(part, soon, until) {
  for (let ms = soon; ; ms = LOOK_EVERY_MS) {
    await sleep(Math.max(1, Math.min(ms, until - Date.now())));
    if (part.error !== undefined) throw part.error;
    if (part.told !== undefined) return part.told;
    if (Date.now() >= until) return [heard(part, LOOK_EVERY_MS, until + LOOK_AGAIN_MS)];
  }
}

const sleep = (ms) => new Promise((over) => setTimeout(over, ms));

// What an object answers; after so many ms the promise of it, in an array.
export function within(answer, ms) {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => resolve([answer]), ms);
    answer.then(
      (told) => {
        clearTimeout(patience);
        resolve(told);
      },
      (error) => {
        clearTimeout(patience);
        reject(error);
      },
    );
  });
}
