#!/usr/bin/env bash
# Installs what this machine lacks. With everything there it takes a few tenths of a second.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh

# Builds on the platform (the deploy button's) are thrown away, and have no Rust.
if [ -n "${WORKERS_CI:-}" ] && ! command -v cargo >/dev/null; then
  say "Rust (about 20 s)"
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain none
fi
command -v cargo >/dev/null || stop "clicktrail needs Rust: install rustup (https://rustup.rs), then run make again"
command -v node >/dev/null || stop "clicktrail needs Node.js 20 or newer (https://nodejs.org), then run make again"
command -v npm >/dev/null || stop "clicktrail needs npm, which comes with Node.js (https://nodejs.org), then run make again"
command -v cc >/dev/null || stop "clicktrail needs a C compiler: install gcc or clang (Debian: apt-get install build-essential, macOS: xcode-select --install)"
node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }
[ "$(node_major node)" -ge 20 ] || stop "clicktrail needs Node.js 20 or newer, this is $(node --version): https://nodejs.org"

installed=node_modules/.package-lock.of-install
if ! cmp -s package-lock.json "$installed"; then
  say "npm packages (once, about 20 s)"
  npm ci --loglevel=error
  cp package-lock.json "$installed"
fi
# npm 10 loses this link when it leaves out the other platforms' packages of the same name.
if [ ! -x node_modules/.bin/node ]; then
  for node in node_modules/node-*/bin/node; do
    if [ "$(node_major "$node")" -ge 22 ]; then ln -sf "../../$node" node_modules/.bin/node; fi
  done
fi
[ "$(node_major node)" -ge 22 ] || stop "on this platform clicktrail needs Node.js 22 or newer, this is $(node --version): https://nodejs.org"

if [ ! -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then
  command -v rustup >/dev/null || stop "clicktrail needs Rust's wasm32-unknown-unknown target: install rustup (https://rustup.rs)"
  say "Rust's wasm32-unknown-unknown target (once, about 10 s)"
  rustup target add wasm32-unknown-unknown
fi

# Runs cargo, counts what it has compiled for whoever watches, and keeps what it says for when it fails: it warns of what
# concerns the tools' authors alone.
cargo_said=$(mktemp)
trap 'rm -f "$cargo_said"' EXIT
quietly() {
  local crates=0 line
  cargo "$@" 2>&1 | tee "$cargo_said" | while read -r line; do
    if [ -t 1 ] && [[ $line == Compiling* ]]; then
      crates=$((crates + 1))
      printf '\r  %d crates compiled' "$crates"
    fi
  done
  local failed=${PIPESTATUS[0]}
  if [ -t 1 ]; then printf '\r\033[K'; fi
  return "$failed"
}

# A published lock file can name a version withdrawn since; then cargo chooses afresh.
cargo_tool() {
  local crate=$1 version=$2 root=$3 binary=$4
  [ -x "$root/bin/$binary" ] && return
  say "$crate $version (once per user, about $5)"
  quietly install "$crate" --version "$version" --root "$root" --locked && return
  say "not with the versions it was published with: cargo chooses others"
  quietly install "$crate" --version "$version" --root "$root" || { cat "$cargo_said" >&2; stop "cargo could not install $crate $version"; }
}
# worker-build only starts other programs: unoptimised it is as fast, and much sooner there.
CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo_tool worker-build "$worker_build_version" "$worker_build" worker-build "2 min"
cargo_tool wasm-bindgen-cli "$wasm_bindgen_version" "$wasm_bindgen" wasm-bindgen "2 min"
