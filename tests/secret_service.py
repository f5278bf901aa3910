"""A private Secret Service for tests: a D-Bus session and an unlocked GNOME Keyring of their own, in a home folder of their own.

Rules of this module:

- The real service, not a stand-in; nothing of the tester's own session bus or keyring is touched.
- One bus and one keyring for each test process (so also for each xdist worker), started when first asked for, ended at the end. The fixture
  `secret_service` points the environment at them for one test; use a vault label of your own for items of your own.
- The bus activates nothing by itself: what is not started here does not exist on it, no prompter in particular.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PASSWORD = b"only for tests\n"
_READY_SECONDS = 20.0
_BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True, slots=True)
class PrivateSecretService:
    """What a test may know of it."""

    address: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead to it, for a child process."""
        return {
            "DBUS_SESSION_BUS_ADDRESS": self.address,
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
        }

    def empty(self) -> None:
        """Forget every item: to a keyring that knows another copy of the same vault, a copy is the vault carried to another folder."""
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            for item in secretstorage.get_default_collection(connection).get_all_items():
                item.delete()

    def lock(self) -> None:
        """Lock the default collection, as a desktop does when told to. It stays locked: start a service of your own for it."""
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            secretstorage.get_default_collection(connection).lock()


@contextmanager
def private_bus() -> Iterator[PrivateSecretService]:
    """Start a session bus with no service on it."""
    folder = Path(tempfile.mkdtemp(prefix="casevault-bus-"))  # short: a socket's path has 108 bytes at most
    try:
        for name in ("data", "config", "cache", "run"):
            (folder / name).mkdir(mode=0o700)
        configuration = folder / "bus.conf"
        configuration.write_text(_BUS_CONFIGURATION.format(folder=folder))
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert bus.stdout is not None
            address = bus.stdout.readline().decode().strip()
            assert address, "the bus did not start"
            yield PrivateSecretService(address, folder)
        finally:
            _end(bus)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_secret_service() -> Iterator[PrivateSecretService]:
    """Start a session bus and an unlocked GNOME Keyring on it."""
    with private_bus() as service:
        keyring = subprocess.Popen(
            [
                "gnome-keyring-daemon",
                "--unlock",
                "--foreground",
                "--components=secrets",
                f"--control-directory={service.home / 'run' / 'keyring'}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | service.environment,
        )
        try:
            assert keyring.stdin is not None
            keyring.stdin.write(_PASSWORD)
            keyring.stdin.close()
            _wait_for_owner(service.address, keyring)
            yield service
        finally:
            _end(keyring)


@pytest.fixture(scope="session")
def _session_secret_service() -> Iterator[PrivateSecretService]:
    missing = [name for name in ("dbus-daemon", "gnome-keyring-daemon") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"needs {' and '.join(missing)}: apt install dbus gnome-keyring")
    with private_secret_service() as service:
        yield service


@pytest.fixture
def secret_service(_session_secret_service: PrivateSecretService, monkeypatch: pytest.MonkeyPatch) -> PrivateSecretService:
    """Point this test's environment at a private, unlocked Secret Service."""
    for name, value in _session_secret_service.environment.items():
        monkeypatch.setenv(name, value)
    return _session_secret_service


def _wait_for_owner(address: str, keyring: subprocess.Popen[bytes]) -> None:
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    deadline = time.monotonic() + _READY_SECONDS
    between = threading.Event()
    with closing(open_dbus_connection(address)) as connection:
        proxy = Proxy(message_bus, connection, timeout=_READY_SECONDS)
        while not proxy.NameHasOwner("org.freedesktop.secrets")[0]:
            assert keyring.poll() is None, "the keyring did not start"
            assert time.monotonic() < deadline, "the keyring is not ready"
            between.wait(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_READY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
