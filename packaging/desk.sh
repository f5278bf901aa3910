#!/usr/bin/env bash
# Found the demo station if there is none, say who works there, and open the desk. Called by packaging/run.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python
station=$1
shift

"$python" -m vault.commands demo --vault "$station"
# Byte code also where the environment forbids writing it (PYTHONDONTWRITEBYTECODE): without, each start compiles for 50 ms.
"$python" -m compileall -q "$root/ui" "$root/vault" || true
printf 'run: opening the desk\n' >&2
exec "$python" -m ui --vault "$station" "$@"
