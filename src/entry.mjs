// The Worker's main module. workerd offers RPC only on classes that extend DurableObject, and wasm-bindgen's do not;
// so the objects that the runtime sees are these, and they delegate to the wasm's.
import { DurableObject } from "cloudflare:workers";
import Entrypoint, { Gate as WasmGate, Journal as WasmJournal, Live as WasmLive, Meter as WasmMeter } from "./index.js";

export default Entrypoint;

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
