#!/usr/bin/env bash
# prometheus.sh: prints the path of a Python that has Prometheus' own reader of OpenMetrics, installing it once per user; nothing
# where that cannot be.
set -euo pipefail
cd "$(dirname "$0")/.."
. dev/tools.sh
version=0.26.0
venv="$cache/prometheus-client-$version"
python3 -c 'import ensurepip, venv' 2>/dev/null || exit 0
if ! "$venv/bin/python" -c 'import prometheus_client' 2>/dev/null; then
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "prometheus-client==$version" >&2 || exit 0
fi
echo "$venv/bin/python"
