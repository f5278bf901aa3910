"""Whose session bus this is, and which program answers for the keyring on it (V46, V47).

Rules:

1. The bus is a Unix socket of this machine; the kernel says which process listens there (SO_PEERCRED). It must be this account's or
   root's, and one of the bus programs, in a file that belongs to root, lies in a system folder and that nobody else can write.
2. The owner of ``org.freedesktop.secrets`` is asked of the bus, and only believed of a bus that is the system's; its program is judged
   likewise. An interpreter is no keyring, whosever it is.
3. What cannot be read is ``UNKNOWN``, never taken for good: a keyring with file capabilities (GNOME's has them) does not show its
   program to its own account.
4. Facts are a process's name, number and account and its executable's base name.

LIMIT: the true program with another's data, or with a library put into it at its start, answers like the true one. The socket in the
account's runtime folder can be replaced by any program of the account, which then shows as the listener.

Thread: any; it asks the bus and waits at most seconds. Source: D-Bus specification, server addresses; unix(7).
"""

from __future__ import annotations

import enum
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from vault.listener import listener_of, names_itself

_SERVICE: Final = "org.freedesktop.secrets"
_REPLY_SECONDS: Final = 3.0
_SYSTEM_FOLDERS: Final = ("/usr/", "/bin/", "/lib/", "/lib64/", "/sbin/", "/opt/", "/nix/store/")
_BUS_PROGRAMS: Final = frozenset({"dbus-daemon", "dbus-broker", "dbus-broker-launch", "systemd"})
_KEYRING_PROGRAMS: Final = frozenset(
    {"gnome-keyring-daemon", "kwalletd5", "kwalletd6", "ksecretd", "keepassxc", "oo7-daemon", "pass_secret_service", "systemd"}
)


class Standing(enum.Enum):
    """What can be said of a program."""

    SYSTEMS = "systems"  # the distribution's own
    UNKNOWN = "unknown"  # it cannot be told
    FOREIGN = "foreign"  # somebody put another there


@dataclass(frozen=True, slots=True)
class BusFinding:
    """The less trusted of bus and keyring. `what`: ``bus-address``, ``bus-account``, ``bus-program``, ``keyring-program`` or empty."""

    standing: Standing
    what: str = ""
    facts: tuple[tuple[str, str | int], ...] = ()


def examine_session_bus(address: str) -> BusFinding:
    """Judge the session bus at `address` and the keyring's program on it. Raises nothing.

    Args:
        address: as in ``DBUS_SESSION_BUS_ADDRESS``; of several, the first that is a Unix socket counts.
    """
    if sys.platform != "linux":
        return BusFinding(Standing.SYSTEMS)  # their keyrings are the system's own, asked without a bus
    places = _unix_places(address)
    if address and not places:
        return BusFinding(Standing.FOREIGN, "bus-address")  # a bus over TCP or made by a program
    if not places:
        places = [f"/run/user/{os.getuid()}/bus"]
    bus = listener_of(places[0], _REPLY_SECONDS)
    if bus is None:
        return BusFinding(Standing.UNKNOWN, "bus-program")
    pid, uid = bus
    if uid not in (os.getuid(), 0):
        return BusFinding(Standing.FOREIGN, "bus-account", (("uid", uid),))
    standing = judge_program(pid, _BUS_PROGRAMS)
    if standing is not Standing.SYSTEMS:
        return BusFinding(standing, "bus-program", _facts(pid))
    return _examine_keyring(address or f"unix:path={places[0]}")


def judge_program(pid: int, allowed: frozenset[str]) -> Standing:
    """Judge the program that a process runs.

    Args:
        pid: of the process; 0: one this system does not show us.
        allowed: base names of executables that may be.
    """
    try:
        path = str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")
        if names_itself(pid) or not path.startswith(_SYSTEM_FOLDERS):  # else its file system may be a program's, and never answer
            return Standing.FOREIGN
        status = os.stat(f"/proc/{pid}/exe")  # noqa: PTH116 - the running file itself, whatever lies at its path now
    except OSError:
        return Standing.UNKNOWN
    is_systems = status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return Standing.SYSTEMS if is_systems and Path(path).name in allowed else Standing.FOREIGN


def _examine_keyring(address: str) -> BusFinding:
    from jeepney import DBusAddress, MessageType, new_method_call  # noqa: PLC0415 - not before the first paint
    from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415

    bus = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")
    try:
        with open_dbus_connection(bus=address) as connection:
            call = new_method_call(bus, "GetConnectionUnixProcessID", "s", (_SERVICE,))
            reply = connection.send_and_get_reply(call, timeout=_REPLY_SECONDS)
    except (OSError, EOFError, ValueError, TimeoutError, KeyError):
        return BusFinding(Standing.UNKNOWN, "keyring-program")
    if reply.header.message_type is not MessageType.method_return:
        return BusFinding(Standing.UNKNOWN, "keyring-program")
    pid = int(reply.body[0])
    standing = judge_program(pid, _KEYRING_PROGRAMS)
    return BusFinding(standing) if standing is Standing.SYSTEMS else BusFinding(standing, "keyring-program", _facts(pid))


def _unix_places(address: str) -> list[str]:
    """The socket names in a D-Bus address, abstract ones with a leading zero byte."""
    places = []
    for one in address.split(";"):
        transport, _, rest = one.partition(":")
        keys = dict(part.split("=", 1) for part in rest.split(",") if "=" in part)
        if transport == "unix" and "path" in keys:
            places.append(unquote(keys["path"]))
        elif transport == "unix" and "abstract" in keys:
            places.append("\0" + unquote(keys["abstract"]))
        elif transport == "unix" and "runtime" in keys:
            places.append(f"{os.environ.get('XDG_RUNTIME_DIR', '')}/bus")
    return places


def _facts(pid: int) -> tuple[tuple[str, str | int], ...]:
    facts: tuple[tuple[str, str | int], ...] = (("pid", pid),)
    with suppress(OSError):
        facts += (("process", Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()),)
        facts += (("uid", Path(f"/proc/{pid}").stat().st_uid),)
        facts += (("executable", Path(f"/proc/{pid}/exe").readlink().name),)
    return facts
