"""The hub: starts the sensors, self-tests them, restarts what died, and reports what went blind.

Rules:

1. Every sensor is tested when it starts and every `interval_seconds` after that.
2. A sensor whose state became worse than the last time (ENFORCED > DETECTED > UNAVAILABLE) is one SENSOR_BLIND signal, then it is
   restarted and tested again, now and at every test that finds it blind. Staying blind is not reported again; going blind anew is.
3. A sensor that went blind and was restarted is believed again after it has passed the next test by itself; until then its protection is
   UNAVAILABLE ``recovering``, so that nobody can blind a sensor between two tests and have nothing but a report of it.
4. A protection that was never there on this workstation is a status, not a signal. A sensor that does not run although it could
   (`_NOT_RUNNING`) is no such thing: somebody may keep it from starting. It is one signal and is started again at every test.
5. A defect inside a sensor makes that sensor UNAVAILABLE ``sensor-failed``; it never takes the others with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState, ProtectionStatus
from vault.sensors.contract import Emit, Sensor
from vault.services.ports import Clock

_log = logging.getLogger(__name__)

_RANK = {ProtectionState.UNAVAILABLE: 0, ProtectionState.DETECTED: 1, ProtectionState.ENFORCED: 2}
_NOT_RUNNING = frozenset({"not-watching", "sensor-failed"})


class SensorHub:
    """Runs the sensors of one vault process.

    Thread: `start` and `stop` from the thread that owns the hub; `statuses` and `test_now` from any.
    """

    def __init__(self, sensors: Sequence[Sensor], emit: Emit, clock: Clock, interval_seconds: float = 60.0) -> None:
        self._sensors = tuple(sensors)
        self._emit = emit
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._statuses: dict[int, ProtectionStatus] = {}
        self._recovering: frozenset[int] = frozenset()
        self._testing = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start and test every sensor; takes as long as their probes (milliseconds each)."""
        self._ending.clear()
        with self._testing:
            for index, sensor in enumerate(self._sensors):
                self._statuses[index] = ProtectionStatus(sensor.protection, ProtectionState.UNAVAILABLE, "starting")
                self._begin(sensor)
                self._examine(index, sensor)
        self._thread = threading.Thread(target=self._run, name="sensor-hub", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop every sensor. Call before the store closes its files, so that closing is not mistaken for interference."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._testing:
            for sensor in self._sensors:
                self._end(sensor)

    def statuses(self) -> tuple[ProtectionStatus, ...]:
        """What each sensor's last self-test found, in the order the sensors were given."""
        recovering = self._recovering
        return tuple(_unproven(self._statuses[index]) if index in recovering else self._statuses[index] for index in sorted(self._statuses))

    def test_now(self) -> tuple[ProtectionStatus, ...]:
        """Self-test every sensor at once; what got worse is signalled and restarted. Returns the new statuses."""
        with self._testing:
            for index, sensor in enumerate(self._sensors):
                self._examine(index, sensor)
        return self.statuses()

    def _run(self) -> None:
        while not self._ending.wait(self._interval_seconds):
            self.test_now()

    def _examine(self, index: int, sensor: Sensor) -> None:
        before, now = self._statuses[index], self._probe(sensor)
        is_kept_from_running = now.state is ProtectionState.UNAVAILABLE and now.reason in _NOT_RUNNING
        if _RANK[now.state] < _RANK[before.state] or (is_kept_from_running and index not in self._recovering):
            facts = (("protection", now.protection.value), ("state", now.state.value), ("reason", now.reason))
            self._emit(Signal(SignalKind.SENSOR_BLIND, self._clock.now_us(), facts))
        if now.state is not ProtectionState.UNAVAILABLE:
            self._recovering -= {index}
        elif before.state is not ProtectionState.UNAVAILABLE or is_kept_from_running or index in self._recovering:
            self._recovering |= {index}
            self._end(sensor)
            self._begin(sensor)
            now = self._probe(sensor)
        self._statuses[index] = now

    def _begin(self, sensor: Sensor) -> None:
        try:
            sensor.start(self._emit)
        except Exception:
            _log.exception("sensor %s did not start", sensor.protection.value)

    def _end(self, sensor: Sensor) -> None:
        try:
            sensor.stop()
        except Exception:
            _log.exception("sensor %s did not stop", sensor.protection.value)

    def _probe(self, sensor: Sensor) -> ProtectionStatus:
        try:
            return sensor.self_test()
        except Exception:
            _log.exception("sensor %s failed its self-test", sensor.protection.value)
            return ProtectionStatus(sensor.protection, ProtectionState.UNAVAILABLE, "sensor-failed")


def _unproven(status: ProtectionStatus) -> ProtectionStatus:
    if status.state is ProtectionState.UNAVAILABLE:
        return status
    return ProtectionStatus(status.protection, ProtectionState.UNAVAILABLE, "recovering")
