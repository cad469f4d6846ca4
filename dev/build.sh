#!/usr/bin/env bash
# The release wasm by worker-build, with the tools of dev/setup.sh: worker-build downloads what it is not given.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh

say "release wasm (about 1 min, less when little changed)"
started=$(mktemp)
trap 'rm -f "$started"' EXIT
# Panic messages name source files: not by where this machine keeps them.
registry=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/)
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=${registry[0]}= --remap-path-prefix=$PWD/=" \
  WASM_BINDGEN_BIN="$wasm_bindgen/bin/wasm-bindgen" \
  ESBUILD_BIN="$PWD/dev/esbuild.sh" \
  WASM_OPT_BIN="$PWD/node_modules/.bin/wasm-opt" \
  "$worker_build/bin/worker-build" --release
node dev/strip_names.mjs build/index_bg.wasm
# wasm-bindgen names a module once for each function that it takes as it is, and bundlers warn of each.
node -e 'const file = "build/index.js", fs = require("fs");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/("\.\/snippets\/[^"]+":[\w$]+)(,\1)+(?![\w$])/g, "$1"))'
cp src/entry.mjs build/entry.mjs
node -p 'JSON.stringify(JSON.parse(fs.readFileSync("docs/openapi.json", "utf8")))' >build/openapi.txt
node_modules/.bin/esbuild tag/tag.ts --bundle --minify --target=es2020 --format=iife --log-level=warning --outfile=build/tag.js
mv build/tag.js build/tag.txt
mv "$started" build/.built
say "build/index_bg.wasm: $(($(gzip -c build/index_bg.wasm | wc -c) / 1024)) KiB gzipped"
