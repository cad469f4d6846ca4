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

# Chromium, which only tests need, is not in any registry. Where it cannot be had this way, those tests say what to install.
browser() {
  local name
  for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then return; fi
  done
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
  say "Chromium for the browser tests (once, about 30 s)"
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
}
