"""What a sensor is.

Rules:

1. `start` returns at once or within milliseconds; a sensor watches on its own thread.
2. `emit` is a thread-safe put that never blocks; a sensor calls nothing else of the vault.
3. `self_test` proves by a harmless probe that the sensor sees at this moment. It never answers from memory.
4. `stop` ends every thread and closes every descriptor; a stopped sensor may be started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from vault.domain.breach import Signal
from vault.domain.protection import Protection as ProtectionName
from vault.domain.protection import ProtectionStatus

Emit = Callable[[Signal], None]


class Sensor(Protocol):
    """Something that watches. Thread: `start`, `self_test` and `stop` are called by the hub, never two at once."""

    @property
    def protection(self) -> ProtectionName:
        """Which chip of the protection strip this sensor stands behind."""

    def start(self, emit: Emit) -> None:
        """Begin to watch. A sensor that cannot does not raise; its self-test says UNAVAILABLE and why."""

    def stop(self) -> None:
        """Stop watching and end the sensor's threads; nothing happens if it was not started."""

    def self_test(self) -> ProtectionStatus:
        """Probe, wait at most two seconds, and say what is true now."""


def wall_clock_us() -> int:
    """UTC microseconds by the wall clock, for `Signal.observed_us`."""
    return time.time_ns() // 1000
