#!/bin/sh
# esbuild for worker-build, silent about what dev/build.sh mends afterwards: wasm-bindgen names a module once for each
# function that it takes as it is, and esbuild warns of each.
exec "$(dirname "$0")/../node_modules/.bin/esbuild" "$@" --log-level=error
