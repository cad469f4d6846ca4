// node dev/strip_names.mjs FILE.wasm: removes the names of functions, 70 KB of the gzipped module that only a stack trace reads.
// worker-build keeps them on purpose, and has no setting for it; `strip` in Cargo.toml takes too much (see there).
import { readFileSync, writeFileSync } from "node:fs";

const [, , path] = process.argv;
const module = readFileSync(path);

/** An unsigned LEB128 number, and where it ends. */
function number(at) {
  let [value, shift] = [0, 0];
  for (;;) {
    const byte = module[at++];
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) return [value, at];
  }
}

const kept = [module.subarray(0, 8)];
for (let at = 8; at < module.length; ) {
  const [size, begin] = number(at + 1);
  const end = begin + size;
  const custom = module[at] === 0;
  const [length, name] = custom ? number(begin) : [0, begin];
  if (!custom || module.toString("utf8", name, name + length) !== "name") kept.push(module.subarray(at, end));
  at = end;
}
writeFileSync(path, Buffer.concat(kept));
