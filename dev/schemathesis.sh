#!/usr/bin/env bash
# schemathesis.sh [OPTION...]: asks the Worker what docs/openapi.json says may be asked, and what it says may not, and holds
# every answer against it. Options go to `schemathesis run`; later ones win.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh
export PATH="$PWD/node_modules/.bin:$PATH"
version=4.32.5
venv="$cache/schemathesis-$version"

python3 -c 'import ensurepip, venv' 2>/dev/null ||
  { say "schemathesis: not run, it needs Python 3 with its venv module (Debian: apt-get install python3-venv)"; exit; }
if [ ! -x "$venv/bin/schemathesis" ]; then
  say "schemathesis $version (once per user, about 20 s)"
  # Made under its own name, because its scripts hold it; what was cut short is made again.
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

out=$(mktemp -d)
# The server goes when its standard input ends, whatever becomes of this script.
trap 'exec 3>&-; wait; rm -rf "$out"' EXIT
mkfifo "$out/commands"
node dev/serve.mjs --json --port 0 --state "$out/state" --no-cron <"$out/commands" >"$out/ready" 2>"$out/log" &
server=$!
exec 3>"$out/commands"
until [ -s "$out/ready" ]; do
  kill -0 $server 2>/dev/null || { cat "$out/log" >&2; exit 1; }
  sleep 0.1
done
field() { node -p "JSON.parse(fs.readFileSync('$out/ready', 'utf8').split('\n')[0]).$1"; }

root=$PWD
cd "$out" # where it leaves files of its own
export SCHEMATHESIS_HOOKS="$root/dev/schemathesis_hooks.py" PYTHONDONTWRITEBYTECODE=1
"$venv/bin/schemathesis" --config-file "$root/dev/schemathesis.toml" run \
  "$root/docs/openapi.json" --url "$(field url)" --header "Authorization: Bearer $(field token)" "$@"
