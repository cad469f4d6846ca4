#!/usr/bin/env bash
# tour.sh [URL [KEY]]: runs the tour of README.md, as it stands there, against a running service, and fails where a command does or where
# something is not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
url=${1:-http://127.0.0.1:8787}
key=${2:-dev}

# The block behind the mark, up to its end.
tour=$(awk '/^<!-- tour -->$/ { marked = 1 } /^```$/ { inside = 0 } inside { print } marked && /^```sh$/ { inside = 1; marked = 0 }' README.md)
[ -n "$tour" ] || { echo "README.md has no tour" >&2; exit 1; }
tour=${tour//http:\/\/127.0.0.1:8787/$url}
tour=${tour//Bearer dev/Bearer $key}

curl() { command curl --fail-with-body --silent --show-error "$@"; }
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
# In this shell, so that a command that fails ends it; a pipe that ends in `grep` fails with what it does not find.
eval "$tour"

until_counted() {
  local path=$1 wanted=$2 said=""
  for _ in $(seq 120); do
    said=$(curl "$url$path" -H "Authorization: Bearer $key")
    if grep -qE "$wanted" <<<"$said"; then return; fi
    sleep 0.5
  done
  printf '\n%s: no %s in %s\n' "$path" "$wanted" "$said" >&2
  exit 1
}
until_counted "/stats/clicks?campaign_id=spring-sale" '"clicks":[1-9]'
until_counted "/stats/funnel?funnel_id=sale" '"converted":[1-9]'
until_counted "/stats/integrity" '"lost":0'
printf '\ntour: every command worked, and everything was counted\n'
