"""The hub: starts the sensors, self-tests them, restarts what died, and reports what went blind.

Rules:

1. Every sensor is tested when it starts and every `interval_seconds` after that.
2. A sensor whose state became worse than the last time (ENFORCED > DETECTED > UNAVAILABLE) is one SENSOR_BLIND signal, then it is
   restarted and tested again, now and at every test that finds it blind. Staying blind is not reported again; going blind anew is.
3. A sensor that went blind and was restarted is believed again after it has passed the next test by itself; until then its protection is
   UNAVAILABLE ``recovering``, so that nobody can blind a sensor between two tests and have nothing but a report of it.
4. A protection that was never there on this workstation is a status, not a signal. A sensor that does not run or does not see although it
   could (`_NOT_RUNNING`) is no such thing: somebody may keep it from it. It is one signal and is started again at every test.
5. A defect inside a sensor makes that sensor UNAVAILABLE ``sensor-failed``; it never takes the others with it.
6. Nor does one that hangs, as where a file system of the account's own never answers: each call of a sensor is waited for
   `_PATIENCE_SECONDS`. One that has not come back is ``blind``, and is asked nothing until it has; stopping waits for none that long.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from vault.domain.breach import gone_blind
from vault.domain.protection import ProtectionState, ProtectionStatus, is_worse
from vault.sensors.contract import Emit, Sensor
from vault.services.ports import Clock

_log = logging.getLogger(__name__)

_NOT_RUNNING = frozenset({"not-watching", "sensor-failed", "blind"})
_PATIENCE_SECONDS = 10.0
_STOPPING_SECONDS = 1.5


@dataclass(slots=True)
class _Call:
    """Something a sensor is asked."""

    work: Callable[[], object]
    done: threading.Event = field(default_factory=threading.Event)


class _Turn:
    """A thread that asks the sensors one after the other, so that whoever waits for an answer can give up."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="sensor-hub", daemon=True).start()

    def begin(self, call: _Call) -> None:
        """Do it after what was begun before."""
        self._calls.put(call)

    def end(self) -> None:
        """End the thread after that."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call.work()
            finally:
                call.done.set()


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
        self._turn: _Turn | None = None
        self._asked: dict[int, _Call] = {}  # what each sensor was asked last and has not answered
        self._testing = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start and test every sensor; takes as long as their probes (milliseconds each).

        Raises:
            RuntimeError: the account may have no thread more. Sensors that could be started watch; start again to have them tested again.
        """
        with self._testing:
            for index, sensor in enumerate(self._sensors):
                if self._ending.is_set():
                    return
                self._statuses.setdefault(index, ProtectionStatus(sensor.protection, ProtectionState.UNAVAILABLE, "starting"))
                self._call(index, partial(self._begin, sensor))
                self._examine(index, sensor)
        thread = threading.Thread(target=self._run, name="sensor-hub", daemon=True)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Stop every sensor. Call before the store closes its files, so that closing is not mistaken for interference."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(_STOPPING_SECONDS)
            self._thread = None
        if self.hangs and self._turn is not None:  # what is asked after that would wait as well
            self._turn.end()
            self._turn = None
        for index, sensor in enumerate(self._sensors):
            self._call(index, partial(self._end, sensor), _STOPPING_SECONDS)
        if self._turn is not None:
            self._turn.end()
            self._turn = None

    @property
    def hangs(self) -> bool:
        """Whether a sensor has not answered yet what it was asked."""
        return not all(one.done.is_set() for one in tuple(self._asked.values()))

    def statuses(self) -> tuple[ProtectionStatus, ...]:
        """What each sensor's last self-test found, in the order the sensors were given."""
        recovering = self._recovering
        return tuple(_unproven(self._statuses[index]) if index in recovering else self._statuses[index] for index in sorted(self._statuses))

    def test_now(self) -> tuple[ProtectionStatus, ...]:
        """Self-test every sensor at once; what got worse is signalled and restarted. Returns the new statuses."""
        with self._testing:
            for index, sensor in enumerate(self._sensors):
                if not self._ending.is_set():
                    self._examine(index, sensor)
        return self.statuses()

    def _run(self) -> None:
        while not self._ending.wait(self._interval_seconds):
            self.test_now()

    def _examine(self, index: int, sensor: Sensor) -> None:
        before, now = self._statuses[index], self._probe(index, sensor)
        is_kept_from_running = now.state is ProtectionState.UNAVAILABLE and now.reason in _NOT_RUNNING
        if is_worse(now.state, before.state) or (is_kept_from_running and index not in self._recovering):
            self._emit(gone_blind(now, self._clock.now_us()))
        if now.state is not ProtectionState.UNAVAILABLE:
            self._recovering -= {index}
        elif before.state is not ProtectionState.UNAVAILABLE or is_kept_from_running or index in self._recovering:
            self._recovering |= {index}
            if self._call(index, partial(self._end, sensor)) and self._call(index, partial(self._begin, sensor)):
                now = self._probe(index, sensor)
        self._statuses[index] = now

    def _call(self, index: int, work: Callable[[], object], patience_seconds: float = _PATIENCE_SECONDS) -> bool:
        """Ask a sensor something; whether that is done. Nothing is asked of one that has not answered the last time."""
        before = self._asked.get(index)
        if before is not None and not before.done.is_set():
            return False
        try:
            self._turn = self._turn or _Turn()
        except RuntimeError:  # the account may have no thread more: nobody is asked from here, and nothing is proven
            return False
        turn, call = self._turn, _Call(work)
        self._asked[index] = call
        turn.begin(call)
        if call.done.wait(patience_seconds):
            return True
        _log.error("sensor %s hangs", self._sensors[index].protection.value)
        turn.end()  # when that comes back
        if self._turn is turn:
            self._turn = None
        return False

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

    def _probe(self, index: int, sensor: Sensor) -> ProtectionStatus:
        answers: list[ProtectionStatus] = []
        if self._call(index, lambda: answers.append(self._tested(sensor))) and answers:
            return answers[0]
        return ProtectionStatus(sensor.protection, ProtectionState.UNAVAILABLE, "blind")

    def _tested(self, sensor: Sensor) -> ProtectionStatus:
        try:
            return sensor.self_test()
        except Exception:
            _log.exception("sensor %s failed its self-test", sensor.protection.value)
            return ProtectionStatus(sensor.protection, ProtectionState.UNAVAILABLE, "sensor-failed")


def _unproven(status: ProtectionStatus) -> ProtectionStatus:
    if status.state is ProtectionState.UNAVAILABLE:
        return status
    return ProtectionStatus(status.protection, ProtectionState.UNAVAILABLE, "recovering")
