"""What the command line does about the premises: a lease while a vault is open, reports of what keeps it shut, and plain refusals."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.journeys.command_line import CommandLine
from tests.journeys.crew import refused
from tests.station import ADMINISTRATOR, Station, spooling
from tests.tang import TangServer
from vault import commands, premises
from vault.domain.breach import Signal, SignalKind
from vault.errors import UnavailableError
from vault.services.events import BreachRecorded
from vault.services.ports import MetServer
from vault.storage.header import HEADER_NAME


@pytest.fixture
def key_room(tmp_path: Path) -> Iterator[TangServer]:
    server = TangServer(tmp_path / "key-room")
    yield server
    server.close()


def options_of(*words: str) -> argparse.Namespace:
    return commands._parser().parse_args(commands._joined(words))


def taken_in(station: Station) -> list[SignalKind]:
    station.events.clear()
    spooling(station).take(station.vault)
    return [one.notice.kind for one in station.events if isinstance(one, BreachRecorded)]


def test_a_command_loses_the_vault_with_the_premises_and_what_it_cannot_open_is_reported(
    station: Station, key_room: TangServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    station.sign_in(ADMINISTRATOR)
    with monkeypatch.context() as signed_in:
        signed_in.setattr(commands, "_signed_in", lambda _directory: nullcontext(station.vault))
        options = options_of("premises", "test", "--vault", str(station.directory))
        assert options.run(options) == 1, "bound to none, nothing is proven"
    assert capsys.readouterr().out.strip() == commands._words()["premises_none"]
    station.vault.premises.add(MetServer("key room", key_room.url), key_room.thumbprint(), 1)
    vault, ended, sealed = station.vault, threading.Event(), []

    def seal(signal: Signal) -> None:
        sealed.append(signal.kind)
        spooling(station).seal(signal, vault.world.station.supervisors_kem_public, station.directory)

    lease = commands._lease(lambda: vault.binding.lock, vault.world.policy, station.clock, seal, lambda _status: ended.set())
    monkeypatch.setattr(premises, "_awake_us", station.clock.boot_us)  # the time that passes is not slept away
    key_room.close()
    lease.start()
    station.clock.step(vault.world.policy.premises_lease_seconds + 1)
    assert ended.wait(30), "the process is ended"
    assert sealed == [SignalKind.PREMISES_LOST]
    station.close()

    monkeypatch.setattr(commands, "open_secret_keeper", lambda _label: station.keeper)
    options = options_of("verify", str(station.directory))
    with pytest.raises(UnavailableError, match=r"^premises\.unreachable"):
        options.run(options)
    back = TangServer(key_room.keys, port=key_room.port)
    assert taken_in(station) == [SignalKind.PREMISES_LOST, SignalKind.OFF_PREMISES]
    back.close()


def test_a_command_ends_with_its_lease_whatever_its_report_fails_of(
    station: Station, key_room: TangServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.sign_in(ADMINISTRATOR)
    station.vault.premises.add(MetServer("key room", key_room.url), key_room.thumbprint(), 1)
    ended, tried = threading.Event(), []

    def fails(_signal: Signal) -> None:
        tried.append(time.monotonic())
        raise MemoryError  # another program of the account takes this process's memory away: prlimit(2)

    vault = station.vault
    lease = commands._lease(lambda: vault.binding.lock, vault.world.policy, station.clock, fails, lambda _status: ended.set())
    monkeypatch.setattr(premises, "_awake_us", station.clock.boot_us)  # the time that passes is not slept away
    key_room.close()
    lease.start()
    station.clock.step(station.vault.world.policy.premises_lease_seconds + 1)
    assert ended.wait(30)
    assert time.monotonic() - tried[0] < 2, "at once, and not by the last deadline alone"


def test_a_verification_ends_with_its_lease_too(
    station: Station, key_room: TangServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    station.sign_in(ADMINISTRATOR)
    station.vault.premises.add(MetServer("key room", key_room.url), key_room.thumbprint(), 1)
    lease_seconds = station.vault.world.policy.premises_lease_seconds
    station.close()
    ended, really = threading.Event(), commands.verify_file

    def long(*words: object) -> object:
        """As over a trail of a million entries: the cable is cut meanwhile."""
        key_room.close()
        station.clock.step(lease_seconds + 1)
        assert ended.wait(30), "it goes on with its keys"
        return really(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(commands, "verify_file", long)
    monkeypatch.setattr(commands, "open_secret_keeper", lambda _label: station.keeper)
    monkeypatch.setattr(commands.system, "SystemClock", lambda: station.clock)
    monkeypatch.setattr(premises, "_awake_us", station.clock.boot_us)  # the time that passes is not slept away
    monkeypatch.setattr(commands.os, "_exit", lambda _status: ended.set())
    options = options_of("verify", str(station.directory))
    assert options.run(options) == 0
    assert commands._words()["premises_over"] in capsys.readouterr().err
    back = TangServer(key_room.keys, port=key_room.port)
    assert SignalKind.PREMISES_LOST in taken_in(station)
    back.close()


def test_nobody_types_while_the_vault_is_open(tmp_path: Path) -> None:
    """Who it is, is asked before anything is opened: with no answer not even the header was read."""
    (tmp_path / HEADER_NAME).write_text("{}")
    done = CommandLine({}, tmp_path).run("premises", "list", "--vault", str(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (1, commands._words()["stopped"])


@pytest.mark.parametrize("folder", ["typed/wrongly", "", "/proc/no-such-folder", "file"])
def test_where_there_is_no_vault_nothing_is_made(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    for words in (("verify",), ("premises", "list", "--vault")):
        options = options_of(*words, str(tmp_path / folder))
        with refused("vault.not-there"):
            options.run(options)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("thumbprint", ["-Tq0PlOk9Mi8Nj7Bh6Vg5Cf4Xd3Zs2Aq1WsEdRfTgYhU", "--vault", "Zq0"])
def test_a_thumbprint_may_begin_with_a_hyphen(thumbprint: str) -> None:
    for words in (("--thumbprint", thumbprint), (f"--thumbprint={thumbprint}",)):
        options = options_of("premises", "add", "--vault", "/srv/vault", *words, "--threshold", "2")
        assert (options.thumbprint, options.vault, options.threshold) == (thumbprint, Path("/srv/vault"), 2)
