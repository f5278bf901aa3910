#!/usr/bin/env bash
# Found the demo station if there is none, say who works there, and open the desk. Called by packaging/run.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python
station=$1
shift

"$python" -m vault.commands demo --vault "$station"
# Said in full, to be pasted: `casevault` is on nobody's path here, and the demo's keyring is on the bus of this session alone.
code=("$root/.venv/bin/casevault" code --vault "$station" 2001)
if [[ -n ${CASEVAULT_DEMO_KEYRING:-} ]]; then code=("$root/packaging/session.sh" demo "${code[@]}"); fi
printf 'run: the one-time code of 2001, in another terminal: %s\n' "$(printf '%q ' "${code[@]}")" >&2
# Byte code also where the environment forbids writing it (PYTHONDONTWRITEBYTECODE): without, each start compiles for 50 ms.
"$python" -m compileall -q "$root/ui" "$root/vault" || true
printf 'run: opening the desk\n' >&2
exec "$python" -m ui --vault "$station" "$@"
