#!/usr/bin/env bash
# clickhouse.sh: prints the path of a Python that has chDB, which is ClickHouse in a library; nothing where it is not installed. It is
# 900 MB, so that only CLICKHOUSE=1 (npm run clickhouse) installs it, once per user.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh
version=4.4.0
venv="$cache/chdb-$version"
if ! "$venv/bin/python" -c 'import chdb' 2>/dev/null; then
  [ -n "${CLICKHOUSE:-}" ] || exit 0
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "chdb==$version" >&2
fi
echo "$venv/bin/python"
