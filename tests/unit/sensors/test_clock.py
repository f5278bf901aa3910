"""A clock set back is told, by how much; set forward it is counted; set to what it is, nothing."""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from vault.domain.breach import Signal, SignalKind
from vault.sensors import clock
from vault.sensors.clock import ClockSensor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux")


@pytest.fixture
def offset(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The reading of wall minus boot clock; the machine's own clock is never moved by a test."""
    reading = [1000.0]
    monkeypatch.setattr(clock, "_offset_seconds", lambda: reading[0])
    return reading


@pytest.fixture
def signals() -> queue.SimpleQueue[Signal]:
    return queue.SimpleQueue()


@pytest.fixture
def sensor(offset: list[float], signals: queue.SimpleQueue[Signal]) -> Iterator[ClockSensor]:
    made = ClockSensor()
    made.start(signals.put)
    yield made
    made.stop()


STEPS: list[tuple[str, list[float], list[int], int]] = [
    # steps in seconds, signals by how many seconds, forward steps
    ("none", [0.0], [], 0),
    ("an hour back", [-3600.0], [3600], 0),
    ("two little back steps add up", [-1.5, -1.5], [3], 0),
    ("within the tolerance", [-1.9], [], 0),
    ("forward", [7200.0], [], 1),
    ("forward, then back", [7200.0, -7200.0], [7200], 1),
    ("back twice", [-10.0, -20.0], [10, 20], 0),
]


@pytest.mark.parametrize(("steps", "told", "forward"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS])
def test_steps(
    sensor: ClockSensor, offset: list[float], signals: queue.SimpleQueue[Signal], steps: list[float], told: list[int], forward: int
) -> None:
    for step in steps:
        offset[0] += step
        sensor.self_test()  # wakes the thread as a cancelled timer does
    found = [signals.get_nowait() for _ in range(signals.qsize())]
    assert [signal.kind for signal in found] == [SignalKind.CLOCK_SET_BACK] * len(told)
    assert [dict(signal.facts)["by_seconds"] for signal in found] == told
    assert sensor.forward_steps == forward


def test_setting_the_real_clock_wakes_it(
    sensor: ClockSensor, offset: list[float], signals: queue.SimpleQueue[Signal], record_property: Callable[[str, object], None]
) -> None:
    """The clock is set to what it shows already: enough for the kernel to cancel the timer."""
    offset[0] -= 60
    began = time.perf_counter()
    try:
        time.clock_settime(time.CLOCK_REALTIME, time.time())
    except PermissionError:
        pytest.skip(f"uid {os.getuid()} may not set the clock")
    assert dict(signals.get(timeout=2).facts)["by_seconds"] == 60
    record_property("detection_ms", round((time.perf_counter() - began) * 1000, 2))
