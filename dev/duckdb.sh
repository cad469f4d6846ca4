#!/usr/bin/env bash
# duckdb.sh: prints the path of a Python that has DuckDB, installing it once per user; nothing where that cannot be.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh
version=1.5.6
venv="$cache/duckdb-$version"
python3 -c 'import ensurepip, venv' 2>/dev/null || exit 0
if ! "$venv/bin/python" -c 'import duckdb' 2>/dev/null; then
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version" >&2 || exit 0
fi
echo "$venv/bin/python"
