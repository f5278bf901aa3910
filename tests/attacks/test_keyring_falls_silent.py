"""The keyring or its bus is stopped or killed while somebody is signed in: the lock comes as fast, and the keys go (V46, V75)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyotp
import pytest

from tests.conftest import OFFICER
from tests.secret_service import PrivateSecretService, private_secret_service
from tests.station import RealEntropy, Station, passphrase_of
from tests.vault_process import VaultProcess
from vault.platform.secret_service import open_secret_keeper
from vault.services.events import Ending, Opened
from vault.services.session import Session
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("gnome-keyring-daemon") is None, reason="needs GNOME Keyring"),
    pytest.mark.slow,
]

LOCKED_SECONDS, ENDED_SECONDS = 2.0, 12.0  # the latter: what closing may take at most, and a busy machine


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateSecretService]:
    with private_secret_service() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


def _servers(keyring: PrivateSecretService) -> dict[str, int]:
    """The bus and the keyring's program, by what their command lines say of this folder."""
    found = {}
    for one in Path("/proc").glob("[0-9]*"):
        try:
            words = (one / "cmdline").read_bytes()
        except OSError:
            continue
        for name in ("dbus-daemon", "gnome-keyring-daemon"):
            if words.startswith(name.encode()) and os.fsencode(keyring.home) in words:
                found[name] = int(one.name)
    return found


def _send(number: signal.Signals, *names: str) -> Callable[[dict[str, int]], None]:
    def send(servers: dict[str, int]) -> None:
        for name in names:
            os.kill(servers[name], number)

    return send


BUS, KEYRING = "dbus-daemon", "gnome-keyring-daemon"
ATTACKS: Sequence[tuple[str, Callable[[dict[str, int]], None]]] = [
    ("the keyring is stopped", _send(signal.SIGSTOP, KEYRING)),
    ("the keyring is killed", _send(signal.SIGKILL, KEYRING)),
    ("the bus is stopped", _send(signal.SIGSTOP, BUS)),
    ("the bus is killed", _send(signal.SIGKILL, BUS)),
]


@pytest.mark.parametrize("attack", [row[1] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_the_lock_does_not_wait_for_it(station: Station, keyring: PrivateSecretService, attack: Callable[[dict[str, int]], None]) -> None:
    servers = _servers(keyring)
    keeper = open_secret_keeper(read_unverified_header(station.directory / HEADER_NAME).vault_id)
    station.into_keyring(keeper)
    station.keeper = keeper  # type: ignore[assignment]
    Spooling(station.directory, open_secret_keeper, station.clock, RealEntropy()).take(station.vault)
    station.close()
    desk = VaultProcess(station.directory)
    try:
        desk.told(Opened)
        desk.ask(Session.sign_in, OFFICER, passphrase_of(OFFICER), pyotp.TOTP(station.secrets[OFFICER]).now())
        attack(servers)
        time.sleep(1.0)
        began = time.monotonic()
        desk.ask(Session.lock, "key")
        assert desk.told(Ending) - began < LOCKED_SECONDS
        assert desk.end() - began < ENDED_SECONDS
    finally:
        for one in servers.values():
            subprocess.run(["kill", "-CONT", str(one)], check=False, stderr=subprocess.DEVNULL)
        if not desk.ended_at:
            desk.kill()
