"""Windows and macOS: every sensor starts, does nothing, says UNAVAILABLE and why, and signals nothing (V65, V66)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vault.domain.breach import Signal
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import Sensor
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.media import MediaSensor
from vault.sensors.remote import RemoteSensor
from vault.sensors.store_access import StoreAccessSensor

SENSORS: Sequence[tuple[Protection, Callable[[Path], Sensor]]] = [
    (Protection.STORE_ACCESS, lambda folder: StoreAccessSensor([folder / "register.db"], frozenset, lambda: None)),
    (Protection.COPIES, lambda folder: CopiesSensor(Fingerprint(frozenset), [folder], folder / "vault")),
    (Protection.CLOCK, lambda _folder: ClockSensor()),
    (Protection.MEDIA, lambda folder: MediaSensor(lambda: True, [folder])),
    (Protection.REMOTE_SESSION, lambda _folder: RemoteSensor({"DISPLAY": "far:0"}, lambda: True)),
]


@pytest.mark.parametrize("system", ["win32", "darwin"])
@pytest.mark.parametrize(("protection", "make"), SENSORS, ids=[row[0].value for row in SENSORS])
def test_what_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, protection: Protection, make: Callable[[Path], Sensor]
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    signals: list[Signal] = []
    threads = threading.active_count()
    sensor = make(tmp_path)
    sensor.start(signals.append)
    assert sensor.self_test() == ProtectionStatus(protection, ProtectionState.UNAVAILABLE, "not-on-this-system")
    sensor.stop()
    assert (signals, threading.active_count()) == ([], threads)


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_a_display_is_not_judged_where_there_are_none(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    sensor = RemoteSensor({"DISPLAY": "far:0", "SSH_CONNECTION": "x"}, lambda: True)
    assert sensor.refusal() is None
    assert sensor.virtual_machine == ""
