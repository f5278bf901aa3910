"""The contract of a `SecretKeeper`, and the keyrings held to it.

Inherit `SecretKeeperContract` and give a `keeper` fixture: an empty keeper.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from tests.fakes import MemorySecretKeeper
from tests.secret_service import PrivateSecretService, private_bus, private_secret_service
from vault.errors import TamperError, UnavailableError
from vault.platform import named_keyring, secret_service
from vault.platform.macos_keychain import MacKeychainKeeper
from vault.platform.named_keyring import NamedKeyringKeeper, without_environment
from vault.platform.secret_service import SecretServiceKeeper, open_secret_keeper
from vault.platform.windows_vault import WindowsVaultKeeper
from vault.secret import Secret
from vault.services.ports import SecretKeeper

ROOT = Path(__file__).resolve().parents[2]


class SecretKeeperContract:
    """What every keyring must do."""

    def test_nothing_is_there_at_first(self, keeper: SecretKeeper) -> None:
        assert keeper.read("workstation") is None

    @pytest.mark.parametrize("value", [b"", b"\x00", bytes(range(256)), b"\xff" * 32, b"line\nline", b"x" * 1024])
    def test_gives_back_the_bytes_it_was_given(self, keeper: SecretKeeper, value: bytes) -> None:
        keeper.write("workstation", Secret(value))
        assert keeper.read("workstation") == Secret(value)

    def test_the_last_write_counts(self, keeper: SecretKeeper) -> None:
        keeper.write("witness", Secret(b"one"))
        keeper.write("witness", Secret(b"two"))
        assert keeper.read("witness") == Secret(b"two")

    def test_names_are_apart(self, keeper: SecretKeeper) -> None:
        keeper.write("witness", Secret(b"one"))
        keeper.write("witness 2", Secret(b"two"))
        keeper.write("Witness", Secret(b"three"))
        assert keeper.read("witness") == Secret(b"one")
        assert keeper.read("witness 2") == Secret(b"two")
        assert keeper.read("Witness") == Secret(b"three")

    def test_what_is_erased_is_gone(self, keeper: SecretKeeper) -> None:
        keeper.write("witness", Secret(b"one"))
        keeper.write("workstation", Secret(b"two"))
        keeper.erase("witness")
        assert keeper.read("witness") is None
        assert keeper.read("workstation") == Secret(b"two")

    def test_erasing_nothing_is_no_failure(self, keeper: SecretKeeper) -> None:
        keeper.erase("witness")

    def test_says_what_it_is(self, keeper: SecretKeeper) -> None:
        assert keeper.describe()


class TestMemory(SecretKeeperContract):
    @pytest.fixture
    def keeper(self) -> SecretKeeper:
        return MemorySecretKeeper()

    def test_refuses_when_told_to(self) -> None:
        keeper = MemorySecretKeeper()
        keeper.unavailable = "keyring.locked"
        with pytest.raises(UnavailableError, match=r"keyring\.locked"):
            keeper.read("witness")


class TestSecretService(SecretKeeperContract):
    @pytest.fixture
    def keeper(self, secret_service: PrivateSecretService, request: pytest.FixtureRequest) -> SecretKeeper:
        return open_secret_keeper(f"contract {request.node.name}")

    def test_vaults_are_apart(self, secret_service: PrivateSecretService) -> None:
        one, two = SecretServiceKeeper("vault one"), SecretServiceKeeper("vault two")
        one.write("workstation", Secret(b"one"))
        assert two.read("workstation") is None
        two.write("workstation", Secret(b"two"))
        assert one.read("workstation") == Secret(b"one")

    def test_is_the_real_service(self, secret_service: PrivateSecretService) -> None:
        import secretstorage

        SecretServiceKeeper("real").write("workstation", Secret(b"\x01\x02"))
        with closing(secretstorage.dbus_init()) as connection:
            collection = secretstorage.get_default_collection(connection)
            [item] = collection.search_items({"service": "Casevault real", "username": "workstation"})
            assert base64.b64decode(item.get_secret()) == b"\x01\x02"
        kept = list((secret_service.home / "data" / "keyrings").iterdir())
        assert kept
        assert all(b"AQI=" not in file.read_bytes() for file in kept)  # on disk it is encrypted by the service

    def test_a_value_it_did_not_write_is_tampering(self, secret_service: PrivateSecretService) -> None:
        import secretstorage

        keeper = SecretServiceKeeper("altered")
        keeper.write("workstation", Secret(b"value"))
        with closing(secretstorage.dbus_init()) as connection:
            [item] = secretstorage.get_default_collection(connection).search_items({"service": "Casevault altered"})
            item.set_secret(b"not base64!")
        with pytest.raises(TamperError, match=r"keyring\.altered"):
            keeper.read("workstation")

    def test_leaves_no_connection_open(self, secret_service: PrivateSecretService) -> None:
        keeper = SecretServiceKeeper("descriptors")
        keeper.write("workstation", Secret(b"value"))
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            keeper.read("workstation")
            keeper.erase("nothing there")
        assert len(list(Path("/proc/self/fd").iterdir())) == before


HOSTILE_BACKEND = """
import os, pathlib
from keyring.backend import KeyringBackend
pathlib.Path(os.environ["EVIDENCE"]).write_text("foreign code ran")
class Thief(KeyringBackend):
    priority = 99
    def get_password(self, service, username): return "c3RvbGVu"
    def set_password(self, service, username, password): pathlib.Path(os.environ["EVIDENCE"]).write_text(password)
    def delete_password(self, service, username): pass
"""
KEEPER_PROGRAM = """
from vault.platform.secret_service import open_secret_keeper
from vault.secret import Secret
keeper = open_secret_keeper("hostile surroundings")
keeper.write("workstation", Secret(b"value"))
assert keeper.read("workstation") == Secret(b"value")
keeper.erase("workstation")
assert keeper.read("workstation") is None
"""
AMBIENT_PROGRAM = """
import keyring
keyring.set_password("service", "name", "value")
"""


class TestHostileSurroundings:
    """D10: neither keyringrc.cfg nor an environment variable chooses who gets our secrets."""

    @pytest.fixture
    def surroundings(self, secret_service: PrivateSecretService, tmp_path: Path) -> dict[str, str]:
        thief = tmp_path / "thief"
        thief.mkdir()
        (thief / "thief_backend.py").write_text(HOSTILE_BACKEND)
        configuration = tmp_path / "config" / "python_keyring"
        configuration.mkdir(parents=True)
        (configuration / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring=thief_backend.Thief\nkeyring-path={thief}\n")
        return secret_service.environment | {
            "PATH": os.environ["PATH"],
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "PYTHON_KEYRING_BACKEND": "thief_backend.Thief",
            "KEYRING_PROPERTY_SCHEME": "KeePassXC",
            "KEYRING_PROPERTY_PREFERRED_COLLECTION": "/org/freedesktop/secrets/collection/session",
            "KEYRING_PROPERTY_GET_PASSWORD": "broken",
            "KEYRING_PROPERTY___CLASS__": "broken",
            "PYTHONPATH": f"{ROOT}:{thief}",
            "EVIDENCE": str(tmp_path / "evidence"),
        }

    def test_they_have_no_effect(self, surroundings: dict[str, str], tmp_path: Path) -> None:
        subprocess.run([sys.executable, "-c", KEEPER_PROGRAM], env=surroundings, cwd=tmp_path, check=True, timeout=60)
        assert not (tmp_path / "evidence").exists()

    @pytest.mark.parametrize("by", ["configuration file", "variable"])
    def test_they_would_rob_the_ambient_interface(self, surroundings: dict[str, str], tmp_path: Path, by: str) -> None:
        """Shows that the surroundings are hostile, that is, that the test above can fail."""
        dropped = {name for name in surroundings if name.startswith("KEYRING_PROPERTY_")}
        if by == "configuration file":
            dropped.add("PYTHON_KEYRING_BACKEND")
        else:
            dropped.add("XDG_CONFIG_HOME")
        kept = {name: value for name, value in surroundings.items() if name not in dropped}
        subprocess.run([sys.executable, "-c", AMBIENT_PROGRAM], env=kept, cwd=tmp_path, check=True, timeout=60)
        assert (tmp_path / "evidence").read_text() == "value"


@pytest.fixture
def bare_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateSecretService]:
    with private_bus() as bus:
        for name, value in bus.environment.items():
            monkeypatch.setenv(name, value)
        yield bus


class TestNoUsableKeyring:
    """A refusal that says so, soon, and nothing on disk instead."""

    def refuses(self, code: str) -> None:
        keeper = open_secret_keeper("nobody")
        for call in (
            lambda: keeper.read("workstation"),
            lambda: keeper.write("workstation", Secret(b"value")),
            lambda: keeper.erase("workstation"),
        ):
            with pytest.raises(UnavailableError) as refusal:
                call()
            assert refusal.value.code == code

    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "unix:path=/nonexistent/bus",
            "unix:abstract=casevault-nobody-listens",
            "tcp:host=localhost,port=1",
            "nonsense",
            "unix:path",
        ],
    )
    def test_no_bus(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str | None) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(name, str(tmp_path))
        if address is None:
            monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
        else:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        self.refuses("keyring.missing")
        assert not list(tmp_path.iterdir())

    def test_a_bus_without_the_service(self, bare_bus: PrivateSecretService) -> None:
        self.refuses("keyring.missing")
        assert not any((bare_bus.home / "data").iterdir())

    def test_a_bus_that_never_answers(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(named_keyring, "ANSWER_SECONDS", 0.2)
        path = tmp_path / "bus"
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(path))
            listener.listen()
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
            self.refuses("keyring.missing")

    def test_a_locked_keyring_that_nobody_can_unlock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with private_secret_service() as service:
            for name, value in service.environment.items():
                monkeypatch.setenv(name, value)
            SecretServiceKeeper("nobody").write("workstation", Secret(b"value"))
            service.lock()
            started = time.monotonic()
            self.refuses("keyring.locked")
            assert time.monotonic() - started < named_keyring.ANSWER_SECONDS

    def test_an_unknown_system(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(secret_service.sys, "platform", "plan9")
        with pytest.raises(UnavailableError, match=r"keyring\.missing"):
            open_secret_keeper("nobody")


class DictionaryBackend(KeyringBackend):
    """A backend at the call boundary of the adapters that cannot run here."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.values.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.values[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.values:
            raise PasswordDeleteError(service)
        del self.values[service, username]


class TestAnyNamedBackend(SecretKeeperContract):
    @pytest.fixture
    def keeper(self) -> SecretKeeper:
        return NamedKeyringKeeper(DictionaryBackend(), "vault")

    @pytest.mark.parametrize(
        ("error", "code"),
        [(KeyringLocked("x"), "keyring.locked"), (KeyringError("x"), "keyring.missing"), (OSError("x"), "keyring.missing")],
    )
    def test_native_errors_are_translated(self, error: Exception, code: str) -> None:
        class Failing(DictionaryBackend):
            def get_password(self, service: str, username: str) -> str | None:
                raise error

        with pytest.raises(UnavailableError) as refusal:
            NamedKeyringKeeper(Failing(), "vault").read("workstation")
        assert refusal.value.code == code
        assert refusal.value.__cause__ is error

    def test_a_defect_is_not_called_a_missing_keyring(self) -> None:
        class Wrong(DictionaryBackend):
            def get_password(self, service: str, username: str) -> str | None:
                raise AssertionError("defect")

        with pytest.raises(AssertionError, match="defect"):
            NamedKeyringKeeper(Wrong(), "vault").read("workstation")

    def test_a_keyring_that_only_says_it_erased_is_not_believed(self) -> None:
        class Stubborn(DictionaryBackend):
            def delete_password(self, service: str, username: str) -> None: ...

        keeper = NamedKeyringKeeper(Stubborn(), "vault")
        keeper.write("workstation", Secret(b"value"))
        with pytest.raises(UnavailableError, match=r"keyring\.missing"):
            keeper.erase("workstation")

    def test_a_prompt_may_take_longer_than_an_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(named_keyring, "ANSWER_SECONDS", 0.05)
        waited = threading.Event()

        class Prompting(DictionaryBackend):
            def get_password(self, service: str, username: str) -> str | None:
                keeper._prompting.set()
                waited.wait(0.3)
                return "dmFsdWU="

        keeper = NamedKeyringKeeper(Prompting(), "vault")
        assert keeper.read("workstation") == Secret(b"value")

    def test_the_environment_sets_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KEYRING_PROPERTY_VALUES", "broken")
        assert without_environment(DictionaryBackend)().values == {}


@pytest.mark.parametrize("adapter", [WindowsVaultKeeper, MacKeychainKeeper])
def test_the_other_systems_call_their_named_backend(
    adapter: type[WindowsVaultKeeper | MacKeychainKeeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Call boundary only: not verified on those systems."""
    monkeypatch.setenv("KEYRING_PROPERTY_KEYCHAIN", "elsewhere")
    keeper = adapter("vault")
    backend = keeper._backend
    values: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(type(backend), "set_password", lambda self, service, name, value: values.update({(service, name): value}))
    monkeypatch.setattr(type(backend), "get_password", lambda self, service, name: values.get((service, name)))
    monkeypatch.setattr(type(backend), "delete_password", lambda self, service, name: values.pop((service, name)))
    keeper.write("workstation", Secret(b"value"))
    assert values == {("Casevault vault", "workstation"): "dmFsdWU="}
    assert keeper.read("workstation") == Secret(b"value")
    keeper.erase("workstation")
    assert values == {}
    assert getattr(backend, "keychain", None) is None
