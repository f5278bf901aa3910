"""A file system that a program of the account serves and that never answers: it holds up no other sensor and no end, and is told."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest

from tests.attacks.capture_stage import ROOT
from tests.conftest import OFFICER
from tests.fakes import FixedClock
from tests.hanging_mount import FILE_NAME, Silence, hanging_mount
from tests.mounts import own_mounts
from tests.screen import x_server
from tests.secret_service import PrivateSecretService
from tests.station import RealEntropy, Station, passphrase_of
from tests.vault_process import VaultProcess
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.platform.secret_service import open_secret_keeper
from vault.sensors import hub as hubs
from vault.sensors import processes
from vault.sensors.captures import CapturesSensor
from vault.sensors.clock import ClockSensor
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.hub import SensorHub
from vault.sensors.media import MediaSensor
from vault.sensors.store_access import StoreAccessSensor
from vault.sensors.x11_wire import Connection
from vault.services.events import BreachRecorded, Ending, Opened
from vault.services.register import Register
from vault.services.session import Session
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0 or not Path("/dev/fuse").exists(), reason="needs FUSE and root")

PATIENCE_SECONDS = 20.0


@dataclass
class Stage:
    root: Path
    hub: SensorHub
    copies: CopiesSensor
    silence: Silence
    signals: queue.SimpleQueue[Signal]

    @property
    def home(self) -> Path:
        return self.root / "home"

    def state(self, of: Protection) -> ProtectionStatus:
        return next(one for one in self.hub.statuses() if one.protection is of)

    def until(self, kind: SignalKind) -> dict[str, str | int]:
        while (signal := self.signals.get(timeout=PATIENCE_SECONDS)).kind is not kind:
            pass
        return dict(signal.facts)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(hubs, "_PATIENCE_SECONDS", 2.0)
    vault, home = tmp_path / "vault", tmp_path / "home"
    for folder in (vault, home / "share"):
        folder.mkdir(parents=True)
    (vault / "register.db").write_bytes(os.urandom(1 << 20))
    salts = frozenset({(vault / "register.db").read_bytes()[:16]})
    copies = CopiesSensor(Fingerprint(lambda: salts), [home], vault)
    with own_mounts():
        signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        media = MediaSensor(lambda: True, [home], copies.look_again)
        hub = SensorHub([copies, media, ClockSensor()], signals.put, FixedClock(), interval_seconds=3600)
        with hanging_mount(home / "share") as silence:
            yield Stage(tmp_path, hub, copies, silence, signals)
            silence.end()
            hub.stop()
            until(lambda: not any(one.name in {"copies", "sensor-hub", "media"} for one in threading.enumerate()))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def falls_silent_before_the_desk_starts(stage: Stage) -> None:
    stage.silence.begin()
    stage.hub.start()


def falls_silent_while_the_desk_is_open(stage: Stage) -> None:
    stage.hub.start()
    assert stage.state(Protection.COPIES).state is ProtectionState.DETECTED
    stage.silence.begin()
    stage.copies.look_again(stage.home / "share")


@pytest.mark.slow
@pytest.mark.parametrize("attack", [falls_silent_before_the_desk_starts, falls_silent_while_the_desk_is_open])
def test_who_falls_silent_holds_nobody_up_and_is_told(stage: Stage, attack: Callable[[Stage], None]) -> None:
    attack(stage)
    until(lambda: any(one.reason == "blind" for one in stage.hub.test_now()))
    assert stage.until(SignalKind.SENSOR_BLIND)["protection"] == "copies"
    assert [stage.state(one).state for one in (Protection.MEDIA, Protection.CLOCK)] == [ProtectionState.DETECTED] * 2
    began = time.monotonic()
    stage.hub.stop()
    assert time.monotonic() - began < 5, "the vault's keys wait for this"


@pytest.mark.slow
def test_once_it_answers_everything_is_watched_again(stage: Stage) -> None:
    falls_silent_while_the_desk_is_open(stage)
    until(lambda: any(one.reason == "blind" for one in stage.hub.test_now()))
    stage.silence.end()

    def is_watched() -> bool:
        stage.hub.test_now()
        return stage.state(Protection.COPIES).state is ProtectionState.DETECTED

    until(is_watched)
    subprocess.run(["cp", stage.root / "vault" / "register.db", stage.home / "holiday.jpg"], check=True)
    assert stage.until(SignalKind.STORE_COPIED)["name"] == "holiday.jpg"


def test_whoever_has_a_file_of_it_open_does_not_keep_an_opener_from_being_named(tmp_path: Path) -> None:
    """Every process's open files are looked at for the name, this one's own among them."""
    place, register = tmp_path / "share", tmp_path / "register.db"
    place.mkdir()
    register.write_bytes(os.urandom(1 << 20))
    kept = os.open(register, os.O_RDWR)
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    sensor = StoreAccessSensor([register], lambda: frozenset({os.getpid()}), lambda: processes.own_descriptor(register))
    with (
        own_mounts(),
        hanging_mount(place) as silence,
        (place / FILE_NAME).open("rb") as file,
        subprocess.Popen(["sleep", "60"], stdin=file) as other,
    ):
        silence.begin()
        sensor.start(lambda signal: (signals.put(signal), sensor.release())[0])
        try:
            until(lambda: sensor.self_test().reason == "lease")
            subprocess.run(["cp", register, tmp_path / "stolen"], check=True, timeout=PATIENCE_SECONDS)
            assert dict(signals.get(timeout=PATIENCE_SECONDS).facts)["process"] == "cp"
        finally:
            silence.end()
            sensor.stop()
            other.kill()
    os.close(kept)


LINGERS = """
import time
from vault.sensors.x11_wire import Connection
connection = Connection()
time.sleep(600)
"""
FROM_THERE = [
    ("the program itself", [], "/usr/bin/xeyes", "not-system"),
    ("an interpreter's script", ["/usr/bin/python3"], "", "interpreter"),
]


@pytest.mark.parametrize(("interpreter", "program", "why"), [row[1:] for row in FROM_THERE], ids=[row[0] for row in FROM_THERE])
def test_a_program_at_the_screen_that_lies_there_is_named_all_the_same(
    tmp_path: Path, interpreter: list[str], program: str, why: str
) -> None:
    """Its file is never opened, and its file system not asked: the sensor would wait, and a page stay beside the program."""
    place, script = tmp_path / "share", tmp_path / "script"
    place.mkdir()
    script.write_text(LINGERS)
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    blanks: list[bool] = []
    page: list[bool] = []
    with own_mounts(), x_server(tmp_path / "display") as shown:
        sensor = CapturesSensor(lambda: bool(page), lambda: True, blanks.append, own_pids=(os.getpid(),), environment=shown.environment)
        with hanging_mount(place, Path(program or script)) as silence:
            environment = {**os.environ, **shown.environment, "PYTHONPATH": str(ROOT)}
            client = subprocess.Popen([*interpreter, place / FILE_NAME], env=environment, stderr=subprocess.DEVNULL)
            try:
                with closing(Connection(shown.environment)) as asking:
                    until(lambda: any(one.pid == client.pid for one in asking.clients()))
                silence.begin()
                sensor.start(signals.put)
                page.append(True)
                signal = signals.get(timeout=PATIENCE_SECONDS)
                assert blanks[:1] == [True]
                assert signal.kind is SignalKind.UNKNOWN_SCREEN_CLIENT
                assert (dict(signal.facts)["pid"], dict(signal.facts)["because"]) == (client.pid, why)
                assert "sha256" not in dict(signal.facts) or interpreter
            finally:
                silence.end()
                client.kill()
                client.wait()
                sensor.stop()


@pytest.mark.slow
def test_a_real_desk_goes_on_reports_it_and_locks(
    station: Station, secret_service: PrivateSecretService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.empty()
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / "Downloads" / "share"
    place.mkdir(parents=True)
    keeper = open_secret_keeper(read_unverified_header(station.directory / HEADER_NAME).vault_id)
    station.into_keyring(keeper)
    station.keeper = keeper  # type: ignore[assignment]
    Spooling(station.directory, open_secret_keeper, station.clock, RealEntropy()).take(station.vault)
    station.close()
    with own_mounts(), hanging_mount(place) as silence:
        silence.begin()
        desk = VaultProcess(station.directory)
        try:
            desk.told(Opened)
            desk.ask(Session.sign_in, OFFICER, passphrase_of(OFFICER), pyotp.TOTP(station.secrets[OFFICER]).now())
            desk.told(BreachRecorded, lambda one: one.notice.kind is SignalKind.SENSOR_BLIND)
            [copies] = [one for one in desk.ask(Session.protections) if one.protection is Protection.COPIES]
            assert copies.state is ProtectionState.UNAVAILABLE
            began = time.monotonic()
            desk.ask(Register.units)
            assert time.monotonic() - began < 2
            desk.ask(Session.lock, "key")
            assert desk.told(Ending) - began < 4
            assert desk.end() - began < 12
        finally:
            if not desk.ended_at:
                desk.kill()
