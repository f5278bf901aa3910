"""A bus or a keyring that is not the system's: real buses, real false services (V46, V47)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.secret_service import PrivateSecretService
from vault.platform.session_bus import Standing, examine_session_bus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="D-Bus desktops are Linux")

PATIENCE_SECONDS = 20
FALSE_SERVICE = """
import sys, time
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
bus = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")
connection = open_dbus_connection(bus=sys.argv[1])
answer = connection.send_and_get_reply(new_method_call(bus, "RequestName", "su", ("org.freedesktop.secrets", 4)))
print(answer.body[0], flush=True)
sys.stdin.read()
"""


@contextmanager
def bus(program: str) -> Iterator[str]:
    """A session bus of its own, run from `program`; nothing is on it."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    process = subprocess.Popen(
        [program, "--session", "--nofork", "--nosyslog", "--print-address", f"--address=unix:path={folder}/bus"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(folder)


def test_the_systems_own_are_known(secret_service: PrivateSecretService) -> None:
    found = examine_session_bus(secret_service.address)
    if os.getuid() == 0:
        assert found.standing is Standing.SYSTEMS, found
    else:  # a keyring with file capabilities does not show its program to its own account
        assert found.standing in {Standing.SYSTEMS, Standing.UNKNOWN}, found


def test_a_false_secret_service_is_found() -> None:
    """The interpreter is the system's own file; it is no keyring for that."""
    with bus(shutil.which("dbus-daemon") or "") as address:
        false = subprocess.Popen([sys.executable, "-c", FALSE_SERVICE, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert false.stdout is not None
            assert false.stdout.readline().strip() == b"1", "it owns the name"
            found = examine_session_bus(address)
            assert (found.standing, found.what) == (Standing.FOREIGN, "keyring-program")
            assert dict(found.facts)["pid"] == false.pid
            assert str(dict(found.facts)["process"]).startswith("python")
        finally:
            false.communicate(timeout=PATIENCE_SECONDS)


def test_a_bus_program_of_ones_own_is_found(tmp_path: Path) -> None:
    program = tmp_path / "dbus-daemon"
    shutil.copy(shutil.which("dbus-daemon") or "", program)
    with bus(str(program)) as address:
        found = examine_session_bus(address)
    assert (found.standing, found.what) == (Standing.FOREIGN, "bus-program")


@contextmanager
def listening(command: Sequence[str | Path], socket: Path) -> Iterator[str]:
    """Give the address of a bus once the command listens there."""
    relay = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"unix:path={socket}"
    finally:
        relay.terminate()
        relay.wait(PATIENCE_SECONDS)


def test_a_bus_under_the_name_of_the_systems_is_found(tmp_path: Path) -> None:
    """In a user namespace of its own a program may put its own file over the system's, and is then called so by the kernel."""
    named = os.path.realpath(shutil.which("dbus-daemon") or "")
    program = tmp_path / "program"
    program.write_text(f"""#!/bin/sh
exec unshare --user --map-root-user --mount sh -c 'mount --bind "$(realpath "$(command -v socat)")" {named} && exec {named} "$@"' sh \
    UNIX-LISTEN:{tmp_path}/bus,fork EXEC:cat
""")
    program.chmod(0o755)
    with listening([program], tmp_path / "bus") as address:
        found = examine_session_bus(address)
    assert (found.standing, found.what) == (Standing.FOREIGN, "bus-program")


def test_a_bus_behind_a_relay_is_found(secret_service: PrivateSecretService, tmp_path: Path) -> None:
    place = secret_service.address.partition("path=")[2].partition(",")[0]
    with listening(["socat", f"UNIX-LISTEN:{tmp_path}/bus,fork", f"UNIX-CONNECT:{place}"], tmp_path / "bus") as address:
        found = examine_session_bus(address)
    assert (found.standing, found.what, dict(found.facts)["process"]) == (Standing.FOREIGN, "bus-program", "socat")


@pytest.mark.parametrize(
    "address", ["tcp:host=127.0.0.1,port=1", "unixexec:path=/bin/sh", "nonce-tcp:host=x,port=1,noncefile=y", "nonsense"]
)
def test_a_bus_that_is_no_socket_of_this_machine_is_found(address: str) -> None:
    found = examine_session_bus(address)
    assert (found.standing, found.what) == (Standing.FOREIGN, "bus-address")


def test_nothing_there_is_not_known(tmp_path: Path) -> None:
    assert examine_session_bus(f"unix:path={tmp_path}/none").standing is Standing.UNKNOWN
    with bus(shutil.which("dbus-daemon") or "") as address:
        found = examine_session_bus(address)
    assert (found.standing, found.what) == (Standing.UNKNOWN, "keyring-program")
