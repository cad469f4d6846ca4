# Sourced: which tools build the Worker, and where they are kept.
# Per user and keyed by version, so that a fresh clone finds what an older one built.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/clicktrail"
worker_build_version=0.8.7
# The CLI refuses a wasm made with any other version of the crate.
wasm_bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
worker_build="$cache/worker-build-$worker_build_version"
wasm_bindgen="$cache/wasm-bindgen-cli-$wasm_bindgen_version"

say() { printf -- '- %s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }
