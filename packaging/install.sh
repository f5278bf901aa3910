#!/usr/bin/env bash
# Install Casevault on this workstation, or take it away again. Root only.
#
#   packaging/install.sh install      group, program, launcher, menu entry, sentinel, vault folder
#   packaging/install.sh uninstall    all of them but the vault folder and its group, and what an administrator added to the sentinel's unit
#
# PREFIX (/opt/casevault) is the program, VAULT (/var/lib/casevault) the vault, SHARE (/usr/share) the menu entry's place,
# BIN (/usr/local/bin) the command's, SYSTEM (the machine's root) what the sentinel's unit, or its autostart entry, lies below. What is
# installed belongs to root: an officer can start it and change nothing of it. The vault's folder belongs to the group `casevault`,
# which nobody is a member of: only the setgid launcher lends it (docs/station-set-up.md).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
prefix=${PREFIX:-/opt/casevault}
vault=${VAULT:-/var/lib/casevault}
share=${SHARE:-/usr/share}
bin=${BIN:-/usr/local/bin}
system=${SYSTEM:-}
unit=$system/usr/lib/systemd/user/casevault-sentinel.service
autostart=$system/etc/xdg/autostart/casevault-sentinel.desktop
readonly GROUP=casevault
umask 022

say() { printf 'install: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}
[[ $(id -u) -eq 0 ]] || fail "only root can install: sudo make install"
for place in "$prefix" "$vault" "$share" "$bin" ${system:+"$system"}; do
    [[ $place == /*[!/]* && $place != *[[:space:]\"\\]* ]] || fail "\"$place\" is no place to install to: say an absolute path without spaces."
done

roots_alone() { # whether root alone can change a path: the path itself and every folder above it
    local at=$1
    while :; do
        [[ $(stat -Lc %u "$at") == 0 && -z $(find -L "$at" -maxdepth 0 -perm /022 ! -perm -1000) ]] || return 1
        [[ $at == / ]] && return 0
        at=$(dirname "$at")
    done
}

NEEDED='import bz2, ctypes, decimal, hashlib, lzma, ssl, sqlite3, unicodedata, zlib'

place_python() { # prints the interpreter the launcher starts: the system's own, or a copy of the one the packages were made for
    local version python base
    version=$("$root/.venv/bin/python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    python=$(readlink -e "/usr/bin/$version" || true)
    if [[ -n $python ]] && roots_alone "$python" && "$python" -I -S -c "$NEEDED" 2>/dev/null; then
        printf '%s\n' "$python"
        return
    fi
    base=$("$root/.venv/bin/python" -c 'import sys; print(sys.base_prefix)')
    say "copying the interpreter from $base: the system has no whole $version of its own"
    mkdir -p "$prefix/python/bin" "$prefix/python/lib"
    cp -L "$base/bin/$version" "$prefix/python/bin/"
    tar -c -C "$base/lib" --exclude=__pycache__ --exclude=test --exclude=tests --exclude=site-packages --exclude='*.a' \
        --exclude=idlelib --exclude=ensurepip --exclude=tkinter "$version" | tar -x -C "$prefix/python/lib"
    python=$prefix/python/bin/$version
    if ldd "$python" | grep -q "$base"; then # the loader ignores $ORIGIN and LD_LIBRARY_PATH under the launcher
        fail "$base cannot be moved, and officers cannot reach it. Install the system's own $version, then run this again."
    fi
    "$python" -I -S -c "$NEEDED" || fail "the copy of $base does not run."
    printf '%s\n' "$python"
}

runs_systemd() { # a root of its own is judged by the tool, this machine by what runs it
    command -v systemctl >/dev/null && [[ -n $system || -d /run/systemd/system ]]
}

# Every login starts the sentinel: by systemd, which also starts it again, or where there is none by the desktop. Never by both.
place_sentinel() {
    remove_sentinel
    if runs_systemd; then
        mkdir -p "$(dirname "$unit")"
        sed "s|^ExecStart=/usr/local/bin/casevault |ExecStart=$bin/casevault |" "$root/packaging/station/casevault-sentinel.service" >"$unit"
        chmod 644 "$unit"
        systemctl --root="${system:-/}" --global --quiet enable casevault-sentinel.service ||
            say "WARNING: the sentinel's unit could not be enabled (is it masked?)."
    else
        mkdir -p "$(dirname "$autostart")"
        cat >"$autostart" <<ENTRY
[Desktop Entry]
Type=Application
Name=Casevault sentinel
Comment=Watches the vault while no desk is open
Exec=$bin/casevault sentinel --login
Terminal=false
NoDisplay=true
ENTRY
        chmod 644 "$autostart"
    fi
}

remove_sentinel() { # what runs of it ends at the logout
    if [[ -e $unit ]] && command -v systemctl >/dev/null; then
        systemctl --root="${system:-/}" --global --quiet disable casevault-sentinel.service
    fi
    rm -f "$unit" "$autostart"
}

install_all() {
    "$root/packaging/setup.sh" install
    getent group "$GROUP" >/dev/null || groupadd --system "$GROUP"
    [[ -z $(getent group "$GROUP" | cut -d: -f4) ]] || fail "the group $GROUP has members; what they start reaches the vault. Take them out."
    rm -rf "${prefix:?}/app" "${prefix:?}/bin" "${prefix:?}/python"
    mkdir -p "$prefix/app" "$prefix/bin"
    local python
    python=$(place_python)
    say "copying the program to $prefix"
    tar -c -C "$root" --exclude=__pycache__ vault ui resources | tar -x -C "$prefix/app"
    cp "$root/packaging/start.py" "$prefix/app/start.py"
    "$root/.venv/bin/python" "$root/packaging/copy_packages.py" "$root/packaging/requirements.lock" "$prefix/app/packages"
    PYTHONDONTWRITEBYTECODE='' "$python" -I -m compileall -q -j 0 -x "deploy_lib" "$prefix/app" || true # -B at start: nothing compiles later
    [[ ! -d $prefix/python ]] || PYTHONDONTWRITEBYTECODE='' "$python" -I -m compileall -q -j 0 "$prefix/python/lib" || true
    chown -R root:root "$prefix/app" "$prefix/bin"
    [[ ! -d $prefix/python ]] || chown -R root:root "$prefix/python"
    chmod -R u=rwX,go=rX "$prefix"

    gcc -O2 -Wall -Wextra -Werror -D_FORTIFY_SOURCE=2 -fPIE -pie -Wl,-z,relro,-z,now -DPYTHON="\"$python\"" \
        -DENTRY="\"$prefix/app/start.py\"" -DVAULT="\"$vault\"" -o "$prefix/bin/casevault" "$root/packaging/launcher.c"
    chown "root:$GROUP" "$prefix/bin/casevault"
    chmod 2755 "$prefix/bin/casevault" # after chown, which takes the bit away
    roots_alone "$prefix/bin/casevault" || say "WARNING: somebody other than root can write a folder above $prefix."
    [[ ,$(findmnt -no OPTIONS -T "$prefix"), != *,nosuid,* ]] || fail "$prefix lies on a file system mounted nosuid: the launcher would have no group to lend."

    if [[ ! -d $vault ]]; then mkdir -p "$vault"; fi
    chown "root:$GROUP" "$vault"
    chmod 2770 "$vault"
    mkdir -p "$bin" "$share/applications"
    ln -sfn "$prefix/bin/casevault" "$bin/casevault"
    cat >"$share/applications/casevault.desktop" <<ENTRY
[Desktop Entry]
Type=Application
Name=Casevault
Comment=Case files are read where they belong, and nowhere else
Exec=$prefix/bin/casevault
Icon=$prefix/app/resources/icons/casevault.svg
Terminal=false
Categories=Office;
StartupWMClass=casevault
ENTRY
    chmod 644 "$share/applications/casevault.desktop"
    place_sentinel
    say "installed. Start it from the menu or with $bin/casevault; the vault is in $vault and is founded at the first start."
}

uninstall_all() {
    rm -rf "${prefix:?}/app" "${prefix:?}/bin" "${prefix:?}/python"
    rmdir "$prefix" 2>/dev/null || true
    remove_sentinel
    rm -f "$share/applications/casevault.desktop"
    if [[ -L $bin/casevault && $(readlink "$bin/casevault") == "$prefix/bin/casevault" ]]; then rm "$bin/casevault"; fi
    local dropin kept=
    for dropin in "$system"/etc/systemd/user/casevault-sentinel.service{,.d/*} "$system"/run/systemd/user/casevault-sentinel.service{,.d/*}; do
        if [[ -f $dropin || -L $dropin ]]; then kept+=" $dropin"; fi
    done
    [[ -z $kept ]] || say "what was set for the sentinel's unit is the administrator's and stays:$kept"
    if [[ -d $vault ]]; then
        say "uninstalled. The vault in $vault stays as it is, with its group $GROUP; an installation to come opens it again."
    else
        say "uninstalled."
    fi
}

case ${1:-} in
    install) install_all ;;
    uninstall) uninstall_all ;;
    *) fail "say install or uninstall." ;;
esac
