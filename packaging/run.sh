#!/usr/bin/env bash
# `make run`: open the demo station's desk, or, where there is no display or HEADLESS=1, play the scripted shift.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python

say() { printf 'run: %s\n' "$*" >&2; }

headless() { [[ ${HEADLESS:-0} == 1 || (-z ${DISPLAY:-} && -z ${WAYLAND_DISPLAY:-}) ]]; }

secret_service_answers() { # a bus that has, or can start, a Secret Service
    [[ -n ${DBUS_SESSION_BUS_ADDRESS:-} ]] && "$python" - <<'PROBE' 2>/dev/null
import contextlib, sys, secretstorage
with contextlib.closing(secretstorage.dbus_init()) as bus:
    sys.exit(not secretstorage.check_service_availability(bus))
PROBE
}

if headless; then
    "$root/packaging/setup.sh" headless
    say "no display is used: playing the scripted shift; its pictures go to build/shift"
    mkdir -p "$root/build/shift"
    exec "$root/packaging/session.sh" headless "$python" -m tests.journeys.shift --out "$root/build/shift" "$@"
fi

"$root/packaging/setup.sh" desk
# Asked before the station is founded: Qt's own answer to a display that is gone is to reinstall the application.
begins='from PySide6.QtGui import QGuiApplication; QGuiApplication([])'
if ! words=$(ulimit -c 0 && env -u QT_PLUGIN_PATH -u QT_QPA_PLATFORM_PLUGIN_PATH "$python" -I -c "$begins" 2>&1); then
    say "no window can be opened here (DISPLAY=${DISPLAY:-} WAYLAND_DISPLAY=${WAYLAND_DISPLAY:-}): ${words%%$'\n'*}"
    say "start this in a terminal of the desktop, or play the shift without a display: make run HEADLESS=1"
    exit 1
fi
data=${XDG_DATA_HOME:-${HOME:+$HOME/.local/share}}
if [[ -z $data ]] || ! mkdir -p "$data" 2>/dev/null || [[ ! -w $data ]]; then
    say "the demo station has no folder it can write to${data:+: not $data}. Set HOME or XDG_DATA_HOME to one of yours, then run this again."
    exit 1
fi
station=$data/casevault-demo
session=()
# A station that was founded with the demo keyring opens with no other.
if [[ -d $station-keyring ]] || ! secret_service_answers; then session=("$root/packaging/session.sh" demo); fi
exec "${session[@]}" "$root/packaging/desk.sh" "$station" "$@"
