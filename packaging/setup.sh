#!/usr/bin/env bash
# Make this checkout runnable: a virtual environment with the locked packages, and the system libraries they load.
#
#   packaging/setup.sh desk        what the desk window needs
#   packaging/setup.sh headless    that, and what a run without a display needs: a screen, and the tools that drive the window
#   packaging/setup.sh dev         that, and the tools of `make test` and `make check`
#   packaging/setup.sh install     what `make install` needs to build the launcher
#
# Running it again costs one comparison of hashes. Nothing outside the checkout is changed, except that root may
# install Debian packages; anyone else is told in one sentence which packages are missing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
profile=${1:-desk}
venv=$root/.venv

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

case $profile in
    desk) covers=(desk) ;;
    headless) covers=(desk headless) ;;
    dev) covers=(desk headless dev install) ;; # its tests install, too
    install) covers=(desk install) ;;
    *) fail "unknown profile \"$profile\": say desk, headless, dev or install." ;;
esac
sections=("${covers[@]}")
if [[ $profile == dev ]]; then sections+=(attacks); fi # what the attackers of the tests use

# --- Nothing to do? -------------------------------------------------------------------------------------------------
stamp() {
    cat "$root"/packaging/{setup.sh,apt-packages.txt,requirements.lock,requirements-dev.lock} "$venv/pyvenv.cfg" |
        sha256sum | tr -d '\n -'
    printf ' %s\n' "$root"
}
if [[ -x $venv/bin/python && -f $venv/pyvenv.cfg && -f $venv/setup.$profile ]] &&
    [[ $(stamp) == "$(<"$venv/setup.$profile")" ]] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi
mkdir -p "$root/build"
exec 9>"$root/build/setup.lock"
flock 9 # two commands started together set up once

# --- System packages ------------------------------------------------------------------------------------------------
have_apt() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }
am_root() { [[ $(id -u) -eq 0 ]]; }
installed() { [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }
known() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep '^ *Candidate:' | grep -qv '(none)'; }

refresh_lists() { # package lists that are absent or older than a week make apt-get fail on files that are gone
    [[ -z ${lists_are_fresh:-} ]] || return 0
    lists_are_fresh=yes
    if [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -7 -print -quit 2>/dev/null) ]]; then
        return 0
    fi
    say "refreshing the package lists"
    apt-get update -qq >&2 || fail "apt-get update failed; repair the machine's package sources, then run this again."
}

wanted() { # the package lines of this profile's sections
    local line section=''
    while IFS= read -r line; do
        line=${line%%#*}
        line=${line//[[:space:]]/}
        case $line in
            '') ;;
            \[*\]) section=${line:1:-1} ;;
            *) [[ " ${sections[*]} " == *" $section "* ]] && printf '%s\n' "$line" ;;
        esac
    done <"$root/packaging/apt-packages.txt"
}

missing_packages() { # prints the lines none of whose alternatives is installed
    local line name alternatives
    for line in $(wanted); do
        IFS='|' read -ra alternatives <<<"$line"
        for name in "${alternatives[@]}"; do
            if installed "$name"; then continue 2; fi
        done
        printf '%s\n' "$line"
    done
}

choose() { # the alternative of each line that this release has
    local line name alternatives
    for line in "$@"; do
        IFS='|' read -ra alternatives <<<"$line"
        for name in "${alternatives[@]}"; do
            if known "$name"; then
                printf '%s\n' "$name"
                continue 2
            fi
        done
        printf '%s\n' "${alternatives[-1]}"
    done
}

install_packages() {
    if am_root; then
        refresh_lists
        local names
        mapfile -t names < <(choose "$@")
        say "installing ${#names[@]} system packages: ${names[*]}"
        export DEBIAN_FRONTEND=noninteractive
        dpkg --configure -a </dev/null >"$root/build/apt.log" 2>&1 || true # what an interrupted run left half installed: apt-get refuses until then
        apt-get install -y -qq --no-install-recommends "${names[@]}" >>"$root/build/apt.log" 2>&1 ||
            fail "apt-get could not install them; its words are in $root/build/apt.log: $(grep -m1 '^E:' "$root/build/apt.log" || true)"
    else
        local names
        mapfile -t names < <(choose "$@")
        fail "system packages are missing; install them with: sudo apt-get install ${names[*]}"
    fi
}

if have_apt; then
    mapfile -t missing < <(missing_packages)
    if [[ ${#missing[@]} -gt 0 ]]; then install_packages "${missing[@]}"; fi
else
    say "not a Debian or Ubuntu machine: see packaging/apt-packages.txt for the libraries that must be there."
fi

# --- Python ---------------------------------------------------------------------------------------------------------
# Tried by running it: a shim of a version manager may exist and still refuse to run. 3.11 to 3.14 are what is locked.
suits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3.14 python3 python /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && "$candidate" -c "$suits" 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

if ! { [[ -x $venv/bin/python ]] && "$venv/bin/python" -c "$suits" 2>/dev/null && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python) || fail "no Python from 3.11 to 3.14 was found; install one, for example with: sudo apt-get install python3 python3-venv"
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        have_apt || fail "$python has no venv module; install it."
        install_packages "python$version-venv"
    fi
    say "creating the virtual environment with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "the virtual environment could not be created in $venv."
fi
python=$venv/bin/python

# --- Locked packages ------------------------------------------------------------------------------------------------
locks=(-r "$root/packaging/requirements.lock")
if [[ $profile != desk ]]; then locks+=(-r "$root/packaging/requirements-dev.lock"); fi
say "installing the locked Python packages"
"$python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: "${locks[@]}" \
    >"$root/build/pip.log" 2>&1 || {
    if grep -q 'connection broken by' "$root/build/pip.log"; then # pip itself ends with "no matching distribution"
        say "the package index was not reached: check this machine's network and certificates, then run this again."
    fi
    fail "the locked packages could not be installed; pip's words are in $root/build/pip.log: $(grep -m1 '^ERROR' "$root/build/pip.log" ||
        tail -n 1 "$root/build/pip.log")"
}

# Qt's own server of windows over the network, without a password: nothing here ever loads it, so that it is not there to be loaded.
rm -f "$venv"/lib/python*/site-packages/PySide6/Qt/plugins/platforms/libqvnc.so

# The checkout itself: a path line instead of a build, so that no build tool is needed.
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$root" >"$site/casevault.pth"
cat >"$venv/bin/casevault" <<LAUNCHER
#!/bin/sh
exec "$python" -m vault.commands "\$@"
LAUNCHER
chmod 755 "$venv/bin/casevault"

for covered in "${covers[@]}"; do stamp >"$venv/setup.$covered"; done
say "ready ($("$python" --version))"
