#!/usr/bin/env bash
# test.sh [STEP...]: every check and every test, or the named steps. A failing step does not hide the later ones' results.
set -uo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

format() { cargo fmt --all --check; }
lint() { cargo clippy --workspace --all-targets -- -D warnings; }
# The architecture in one rule: outside src/ no crate knows the platform.
arrows() { ! grep -rnE '\bworker(_sys)?::' --include='*.rs' analytics durable_objects queues links tests/native; }
page() { tsc --project dashboard; }
client() { npm run --silent client && tsc --project clients/typescript && npm run --silent collection -- --check; }
crates() { cargo test --workspace --no-fail-fast | tee "$out/cargo"; }
boundary() {
  # The variable is worker-build's: without it the two builds would take turns at undoing each other.
  WASM_BINDGEN_USE_JS_SYS=1 WASM_BINDGEN_TEST_ONLY_NODE=1 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$wasm_bindgen/bin/wasm-bindgen-test-runner" \
    cargo test -p boundary --target wasm32-unknown-unknown | tee -a "$out/cargo"
}
wasm() { make --no-print-directory build; }
bundle() {
  local env
  for env in production staging; do
    CLICKTRAIL_DEPLOY_FOLDER="$out" node dev/deploy.mjs --dry-run --no-build --env $env || return
  done
}
e2e() {
  browser
  vitest run --config tests/e2e/vitest.config.ts --reporter=default --reporter=json --outputFile.json="$out/vitest"
}

fuzz() { dev/schemathesis.sh --max-time 50; }
noise() { node dev/fuzz.mjs --seconds 15; }

failed=""
step() {
  local began=$SECONDS verdict=ok
  say "$1: $2"
  "$1" || { verdict=FAILED; failed="$failed $1"; }
  say "$1: $verdict, $((SECONDS - began)) s"
}
for name in ${*:-format arrows page client crates lint wasm boundary bundle e2e fuzz noise}; do
  case $name in
    format) step format "rustfmt" ;;
    arrows) step arrows "only src/ says worker::" ;;
    page) step page "the dashboard's types" ;;
    client) step client "the TypeScript client's types, and the collection, from the description" ;;
    crates) step crates "cargo test (first time about 2 min)" ;;
    lint) step lint "clippy (first time about 1 min)" ;;
    wasm) step wasm "the release wasm" ;;
    boundary) step boundary "wasm-bindgen-test in Node (first time about 30 s)" ;;
    bundle) step bundle "a deployment, but for the account" ;;
    e2e) case $failed in *wasm*) say "e2e: not run, there is no wasm" ;; *) step e2e "vitest against workerd" ;; esac ;;
    fuzz) case $failed in *wasm*) say "fuzz: not run, there is no wasm" ;; *) step fuzz "schemathesis for 50 s; the whole run is npm run schemathesis" ;; esac ;;
    noise) case $failed in *wasm*) say "noise: not run, there is no wasm" ;; *) step noise "raw bytes for 15 s; for hours: npm run fuzz -- --seconds 7200 --seed 2" ;; esac ;;
    *) stop "no step is called $name" ;;
  esac
done

counted() { node dev/count.mjs "$out/cargo" "$out/vitest"; }
[ -z "$failed" ] || printf 'failed:%s\n' "$failed"
counted
[ -z "$failed" ]
