// The Worker's main module. workerd offers RPC only on classes that extend DurableObject, and wasm-bindgen's do not;
// so the objects that the runtime sees are these, and they delegate to the wasm's.
import { DurableObject } from "cloudflare:workers";
import Entrypoint, { Gate as WasmGate, Journal as WasmJournal, Live as WasmLive, Meter as WasmMeter } from "./index.js";

// An object, though the SDK makes a class: of a class the runtime makes an instance for each request, and asks it for every
// handler that there might be, which the SDK answers with a proxy each. What these are proxies for is what mends the wasm after a panic.
const { fetch, queue, scheduled } = new Entrypoint({}, {});

export default {
  fetch: (request, env, ctx) => fetch.call({ env, ctx }, request),
  queue: (batch, env, ctx) => queue.call({ env, ctx }, batch),
  scheduled: (event, env, ctx) => scheduled.call({ env, ctx }, event),
};

// Every step of every future goes through here. The runtime's own wraps each in an object and a function of its own; a promise
// that is kept already does not. An error is reported as the runtime's would be: it is how the SDK hears of a panic.
const kept = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  kept.then(() => {
    try {
      task();
    } catch (error) {
      reportError(error);
    }
  });
};

// For src/openapi.js and src/tag.js, which are bundled by themselves and cannot name a module beside the bundle.
globalThis.clicktrailOpenapi = () => import("./openapi.txt");
globalThis.clicktrailTag = () => import("./tag.txt");

export class Gate extends DurableObject {
  #gate;

  constructor(ctx, env) {
    super(ctx, env);
    this.#gate = new WasmGate(ctx, env);
  }

  fetch(request) {
    return this.#gate.fetch(request);
  }

  alarm(info) {
    return this.#gate.alarm(info);
  }

  admit(bytes) {
    return this.#gate.admit(bytes);
  }

  handOver(bytes) {
    return this.#gate.handOver(bytes);
  }

  report() {
    return this.#gate.report();
  }

  watch(untilMs) {
    return this.#gate.watch(untilMs);
  }

  glance(sinceMs) {
    return this.#gate.glance(sinceMs);
  }
}

export class Live extends DurableObject {
  #live;

  constructor(ctx, env) {
    super(ctx, env);
    this.#live = new WasmLive(ctx, env);
  }

  fetch(request) {
    return this.#live.fetch(request);
  }

  alarm(info) {
    return this.#live.alarm(info);
  }

  webSocketMessage(socket, message) {
    return this.#live.webSocketMessage(socket, message);
  }

  webSocketClose(socket, code, reason, wasClean) {
    return this.#live.webSocketClose(socket, code, reason, wasClean);
  }

  webSocketError(socket, error) {
    return this.#live.webSocketError(socket, error);
  }

  peek(glance) {
    return this.#live.peek(glance);
  }

  recent() {
    return this.#live.recent();
  }
}

export class Journal extends DurableObject {
  #journal;

  constructor(ctx, env) {
    super(ctx, env);
    this.#journal = new WasmJournal(ctx, env);
  }

  fetch(request) {
    return this.#journal.fetch(request);
  }

  alarm(info) {
    return this.#journal.alarm(info);
  }

  hand(call) {
    return this.#journal.hand(call);
  }

  person(call) {
    return this.#journal.person(call);
  }

  report() {
    return this.#journal.report();
  }
}

export class Meter extends DurableObject {
  #meter;

  constructor(ctx, env) {
    super(ctx, env);
    this.#meter = new WasmMeter(ctx, env);
  }

  fetch(request) {
    return this.#meter.fetch(request);
  }

  take(link, id, max) {
    return this.#meter.take(link, id, max);
  }

  forget(link) {
    return this.#meter.forget(link);
  }
}
