#!/usr/bin/env bash
# Run a command in a session of its own, with a real Secret Service, and leave nothing running behind it.
#
#   packaging/session.sh headless COMMAND...   a throw-away home, an X server without a screen, a bus, an empty keyring
#   packaging/session.sh demo COMMAND...       this display and this home, a bus, and the keyring of the demo station
#
# The keyring is gnome-keyring's own encrypted store. The demo station's is unlocked with a passphrase that everybody
# can read below: it keeps the demo going from one day to the next and protects nothing (docs/adr/0003).
set -euo pipefail

readonly DEMO_KEYRING_PASSPHRASE=casevault-demo-only
readonly SCREEN=1280x800x24
readonly PATIENCE_SECONDS=20

say() { printf 'session: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}
need() { command -v "$1" >/dev/null || fail "$1 is missing; packaging/setup.sh installs it or names its package."; }

children=()
scratch=''
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
    trap - EXIT INT TERM HUP
    local child
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    if [[ -n $scratch ]]; then rm -rf "$scratch"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run() { # in the background, so that a signal to this shell is acted on at once
    "$@" <&0 &
    children+=("$!")
    wait "$!"
}

# A pipe on descriptor 4 by which a server answers. This shell holds both ends before the server starts: one that
# answers and closes at once would otherwise leave nobody to open the other end for.
open_answer() {
    local fifo=$scratch/answer
    mkfifo "$fifo"
    exec 4<>"$fifo"
    rm "$fifo"
}

start_screen() {
    need Xvfb
    need xauth
    local number='' cookie
    export XAUTHORITY=$scratch/xauthority
    touch "$XAUTHORITY"
    cookie=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    xauth -q -f "$XAUTHORITY" add :0 . "$cookie" # the server takes any number's cookie
    open_answer
    Xvfb -displayfd 4 -screen 0 "$SCREEN" -nolisten tcp -auth "$XAUTHORITY" >"$scratch/xvfb.log" 2>&1 &
    children+=("$!")
    read -rt "$PATIENCE_SECONDS" -u 4 number ||
        fail "the X server did not start: $(tail -n 1 "$scratch/xvfb.log")"
    exec 4>&-
    export DISPLAY=:$number
    xauth -q -f "$XAUTHORITY" add "$DISPLAY" . "$cookie"
}

start_bus() {
    need dbus-daemon
    local address=''
    open_answer
    dbus-daemon --session --nofork --nosyslog --print-address=4 >"$scratch/bus.log" 2>&1 &
    children+=("$!")
    read -rt "$PATIENCE_SECONDS" -u 4 address || fail "the session bus did not start: $(tail -n 1 "$scratch/bus.log")"
    exec 4>&-
    export DBUS_SESSION_BUS_ADDRESS=$address
}

start_keyring() { # keyrings in directory $1; the passphrase goes through a pipe, never onto a command line
    need gnome-keyring-daemon
    local log=$scratch/keyring.log daemon tries
    export CASEVAULT_DEMO_KEYRING=1 # the protection strip says what this keyring is worth
    printf '%s' "$DEMO_KEYRING_PASSPHRASE" |
        XDG_DATA_HOME=$1 gnome-keyring-daemon --foreground --unlock --components=secrets \
            --control-directory "$scratch/keyring" >"$log" 2>&1 &
    daemon=$!
    children+=("$daemon")
    for ((tries = 0; tries < PATIENCE_SECONDS * 20; tries++)); do
        if dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
            org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true'; then
            return 0
        fi
        kill -0 "$daemon" 2>/dev/null || fail "gnome-keyring did not start: $(tail -n 1 "$log")"
        sleep 0.05
    done
    fail "gnome-keyring did not appear on the session bus within $PATIENCE_SECONDS s."
}

mode=${1:-}
[[ $# -ge 2 ]] || fail "say what to run: packaging/session.sh headless|demo COMMAND..."
shift

# Not below /tmp: every desk watches it for copies, and two sessions would report each other.
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/casevault-session.XXXXXX")
export LC_ALL=${LC_ALL:-C.UTF-8}
case $mode in
    headless)
        export HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/runtime
        export XDG_DATA_HOME=$HOME/.local/share XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache
        mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
        mkdir -p "$HOME/Downloads" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME"
        keyrings=$XDG_DATA_HOME
        unset WAYLAND_DISPLAY WAYLAND_SOCKET
        # This session is its own: where the shell that starts it was entered from says nothing of its screen.
        unset SSH_CONNECTION SSH_CLIENT SSH_TTY XDG_SESSION_ID XRDP_SESSION XRDP_SOCKET_PATH VNCDESKTOP X2GO_SESSION NXSESSIONID CHROME_REMOTE_DESKTOP_SESSION
        start_screen
        ;;
    demo)
        keyrings=${XDG_DATA_HOME:-$HOME/.local/share}/casevault-demo-keyring
        mkdir -p "$keyrings"
        chmod 700 "$keyrings"
        if [[ ! -d ${XDG_RUNTIME_DIR:-} ]]; then
            export XDG_RUNTIME_DIR=$scratch/runtime
            mkdir -m 700 "$XDG_RUNTIME_DIR"
        fi
        say "no Secret Service here; this run uses gnome-keyring with a published passphrase: for the demo only."
        ;;
    *) fail "unknown kind of session \"$mode\": say headless or demo." ;;
esac
start_bus
start_keyring "$keyrings"
run "$@"
