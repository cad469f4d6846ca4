// How long V8 takes from the wasm's bytes to an instance: what an isolate waits for before its first request. Prints ms.
// In a process of its own, because V8 remembers modules that it has compiled.
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[2]);
const began = performance.now();
const module = new WebAssembly.Module(bytes);
const imports = {};
for (const { module: name, name: field, kind } of WebAssembly.Module.imports(module)) {
  const stubs = { function: () => 0, tag: new WebAssembly.Tag({ parameters: ["externref"] }) };
  if (!(kind in stubs)) throw new Error(`the wasm imports a ${kind}: ${name}.${field}`);
  (imports[name] ??= {})[field] = stubs[kind];
}
const { exports } = new WebAssembly.Instance(module, imports);
exports.__wbindgen_start?.();
console.log(performance.now() - began);
