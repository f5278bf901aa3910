"""What every sensor keeps, whichever it is: honest before, during and after; restartable; no thread and no descriptor left behind."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vault.domain.breach import Signal
from vault.domain.protection import Protection, ProtectionState
from vault.sensors.captures import CapturesSensor
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import Sensor
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.media import MediaSensor
from vault.sensors.remote import RemoteSensor
from vault.sensors.store_access import StoreAccessSensor
from vault.sensors.synthetic_input import SyntheticInputSensor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sensors are Linux")

Make = Callable[[Path], Sensor]


def make_store_access(folder: Path) -> Sensor:
    files = [folder / "register.db", folder / "vault.header.json"]
    for file in files:
        file.write_bytes(os.urandom(100))
    return StoreAccessSensor(files, frozenset, lambda: None)


def make_copies(folder: Path) -> Sensor:
    (folder / "watched" / "below").mkdir(parents=True, exist_ok=True)
    (folder / "vault").mkdir(exist_ok=True)
    return CopiesSensor(Fingerprint(lambda: frozenset({b"0123456789abcdef"})), [folder / "watched", folder / "not-there"], folder / "vault")


SENSORS: Sequence[tuple[Protection, Make]] = [
    (Protection.STORE_ACCESS, make_store_access),
    (Protection.COPIES, make_copies),
    (Protection.CLOCK, lambda _folder: ClockSensor()),
    (Protection.REMOTE_SESSION, lambda _folder: RemoteSensor({}, lambda: True)),
    (Protection.MEDIA, lambda folder: MediaSensor(lambda: True, [folder])),
    (Protection.SCREEN_CAPTURE, lambda _folder: CapturesSensor(lambda: True, lambda: True, lambda _blanked: None, own_pids=(os.getpid(),))),
    (Protection.SYNTHETIC_INPUT, lambda _folder: SyntheticInputSensor(lambda: True)),
]


@pytest.fixture(params=SENSORS, ids=[row[0].value for row in SENSORS])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Protection, Sensor]:
    protection, make = request.param
    return protection, make(tmp_path)


def test_names_its_protection(made: tuple[Protection, Sensor]) -> None:
    assert made[1].protection is made[0]


def test_is_unavailable_until_started_and_after_stop(made: tuple[Protection, Sensor]) -> None:
    _, sensor = made
    assert sensor.self_test().state is ProtectionState.UNAVAILABLE
    sensor.start(lambda _signal: None)
    status = sensor.self_test()
    assert (status.protection, status.state) == (made[0], ProtectionState.DETECTED), status
    sensor.stop()
    assert sensor.self_test().state is ProtectionState.UNAVAILABLE


def test_starts_again_and_leaves_nothing_behind(made: tuple[Protection, Sensor]) -> None:
    _, sensor = made
    sensor.start(lambda _signal: None)
    sensor.stop()
    threads, descriptors = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        sensor.start(lambda _signal: None)
        assert sensor.self_test().state is ProtectionState.DETECTED
        sensor.stop()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_stop_without_start_and_second_start_are_harmless(made: tuple[Protection, Sensor]) -> None:
    _, sensor = made
    sensor.stop()
    sensor.start(lambda _signal: None)
    sensor.start(lambda _signal: None)
    sensor.stop()
    sensor.stop()


def test_self_test_signals_nothing(made: tuple[Protection, Sensor]) -> None:
    _, sensor = made
    signals: list[Signal] = []
    sensor.start(signals.append)
    for _ in range(3):
        sensor.self_test()
    sensor.stop()
    assert signals == []
