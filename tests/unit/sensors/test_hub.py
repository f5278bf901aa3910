"""The hub reports a sensor that goes blind once, restarts it, and never lets one sensor take the others with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from tests.fakes import FixedClock
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors.contract import Emit
from vault.sensors.hub import SensorHub

E, D, U = ProtectionState.ENFORCED, ProtectionState.DETECTED, ProtectionState.UNAVAILABLE


class ScriptedSensor:
    """Says one state a self-test, the last for ever; an exception where the script has None."""

    def __init__(self, *script: ProtectionState | None) -> None:
        self.protection = Protection.COPIES
        self._script = list(script)
        self.starts = self.stops = self.tests = 0

    def start(self, emit: Emit) -> None:
        self.starts += 1

    def stop(self) -> None:
        self.stops += 1

    def self_test(self) -> ProtectionStatus:
        self.tests += 1
        state = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if state is None:
            raise OSError("broken")
        return ProtectionStatus(self.protection, state, "scripted")


class Bench:
    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.hubs: list[SensorHub] = []

    def hub(self, *sensors: ScriptedSensor, interval_seconds: float = 3600.0) -> SensorHub:
        hub = SensorHub(sensors, self.signals.append, FixedClock(), interval_seconds)
        self.hubs.append(hub)
        hub.start()
        return hub


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for hub in made.hubs:
        hub.stop()


CHANGES: Sequence[tuple[str, tuple[ProtectionState | None, ...], int, int, ProtectionState]] = [
    # what happens; states of successive tests; signals, starts and state after three rounds
    ("stays well", (D,), 0, 1, D),
    ("was never there", (U,), 0, 1, U),
    ("goes blind and stays so", (D, U), 1, 4, U),
    ("goes blind, restart heals it", (D, U, D), 1, 2, D),
    ("goes blind twice", (D, U, D, U, D), 2, 3, D),
    ("does less than before", (E, D), 1, 1, D),
    ("does more than before", (U, D, E), 0, 1, E),
    ("breaks", (D, None), 1, 4, U),
    ("never worked", (None,), 1, 5, U),
]


@pytest.mark.parametrize(("script", "signals", "starts", "state"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_change(bench: Bench, script: tuple[ProtectionState | None, ...], signals: int, starts: int, state: ProtectionState) -> None:
    sensor = ScriptedSensor(*script)
    hub = bench.hub(sensor)
    for _ in range(3):
        hub.test_now()
    assert [signal.kind for signal in bench.signals] == [SignalKind.SENSOR_BLIND] * signals
    assert sensor.starts == starts
    assert [status.state for status in hub.statuses()] == [state]
    for signal in bench.signals:
        assert signal.observed_us == 7
        assert dict(signal.facts)["protection"] == "copies"


class KeptFromStarting(ScriptedSensor):
    """Does not run until it was started so many times."""

    def __init__(self, needed: int) -> None:
        super().__init__(D)
        self._needed = needed

    def self_test(self) -> ProtectionStatus:
        status = super().self_test()
        return status if self.starts >= self._needed else ProtectionStatus(self.protection, U, "not-watching")


def test_who_cannot_start_is_one_signal_and_is_started_until_it_runs(bench: Bench) -> None:
    sensor = KeptFromStarting(4)
    hub = bench.hub(sensor)
    assert [dict(one.facts)["reason"] for one in bench.signals] == ["not-watching"]
    seen = [[(one.state, one.reason) for one in hub.test_now()] for _ in range(4)]
    assert seen == [[(U, "not-watching")], [(U, "recovering")], [(D, "scripted")], [(D, "scripted")]]
    assert (sensor.starts, len(bench.signals)) == (4, 1)


def test_who_went_blind_is_believed_again_after_a_test_of_its_own(bench: Bench) -> None:
    hub = bench.hub(ScriptedSensor(D, U, U, U, D))
    seen = [[(one.state, one.reason) for one in hub.test_now()] for _ in range(4)]
    # blind, restarted and blind still; blind, restarted and seeing; seen to see: nothing else was reported than going blind
    assert seen == [[(U, "scripted")], [(U, "recovering")], [(D, "scripted")], [(D, "scripted")]]
    assert len(bench.signals) == 1


def test_a_sensor_that_cannot_start_does_not_take_the_others_with_it(bench: Bench) -> None:
    class Broken(ScriptedSensor):
        def start(self, emit: Emit) -> None:
            raise OSError("no")

    hub = bench.hub(Broken(None), ScriptedSensor(D))
    assert [(status.state, status.reason) for status in hub.statuses()] == [(U, "sensor-failed"), (D, "scripted")]


def test_tests_by_itself_until_stopped(bench: Bench) -> None:
    often = threading.Event()

    class Counting(ScriptedSensor):
        def self_test(self) -> ProtectionStatus:
            if self.tests >= 3:
                often.set()
            return super().self_test()

    sensor = Counting(D)
    hub = bench.hub(sensor, interval_seconds=0.01)
    assert often.wait(5)
    hub.stop()
    assert sensor.stops == 1
