// The Worker's main module. workerd offers RPC only on classes that extend DurableObject, and wasm-bindgen's do not;
// so the object that the runtime sees is this one, and it delegates to the wasm's.
import { DurableObject } from "cloudflare:workers";
import Entrypoint, { Gate as WasmGate } from "./index.js";

export default Entrypoint;

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

  report() {
    return this.#gate.report();
  }
}
