"""Every sensor is killed while it watches: one report, a workstation that is trusted less, and trust again when it sees again.

One line a sensor and a way to kill it. What is killed is found from outside, among the threads and descriptors that came with the sensor.
A descriptor is not closed but exchanged for one that is silent for ever, which is what a lost event queue looks like.
MEMORY has neither thread nor descriptor: it asks the system at each self-test (tests/unit/sensors/test_memory_guard.py).
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.test_sensors import make_copies, make_store_access
from tests.fakes import FixedClock
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Best, Protection, ProtectionState, Trust, TrustLevel, best_of, trust_of
from vault.sensors import capture_tools
from vault.sensors.captures import CapturesSensor
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import Sensor
from vault.sensors.hub import SensorHub
from vault.sensors.media import MediaSensor
from vault.sensors.process_guard import ProcessGuard
from vault.sensors.remote import RemoteSensor
from vault.sensors.synthetic_input import SyntheticInputSensor

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="sensors are Linux"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),  # the threads that are killed here
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # and what they had open at that instant
]

FDS = Path("/proc/self/fd")


class Victim:
    """What came into this process with a sensor."""

    def __init__(self) -> None:
        self._threads, self._descriptors = set(threading.enumerate()), set(self._now())
        self._silent: list[int] = []

    @staticmethod
    def _now() -> dict[int, str]:
        found = {}
        for one in FDS.iterdir():
            with suppress(OSError):
                found[int(one.name)] = str(one.readlink())
        return found

    def threads(self) -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one not in self._threads and one.name != "sensor-hub"]

    def descriptors(self, kind: str) -> list[int]:
        return [one for one, what in self._now().items() if one not in self._descriptors and what.startswith(kind)]

    def silence(self, descriptor: int) -> None:
        """Put a pipe that nobody writes to under the number."""
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.dup2(read, descriptor, inheritable=False)
        os.close(read)
        self._silent.append(write)

    def bury(self) -> None:
        for write in self._silent:
            os.close(write)


Kill = Callable[[Victim], None]


def its_threads(victim: Victim) -> None:
    """SystemExit in every thread of the sensor; it is raised when the thread next wakes, at the latest for the self-test."""
    assert victim.threads()
    for thread in victim.threads():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


def its_event_queue(victim: Victim) -> None:
    """Every inotify instance of the sensor."""
    queues = victim.descriptors("anon_inode:inotify")
    assert queues
    for one in queues:
        victim.silence(one)


def its_watches(victim: Victim) -> None:
    """Every inotify watch of the sensor; the instance stays."""
    libc = ctypes.CDLL(None)
    removed = 0
    for queue in victim.descriptors("anon_inode:inotify"):
        for line in Path(f"/proc/self/fdinfo/{queue}").read_text().splitlines():
            if line.startswith("inotify wd:"):
                removed += libc.inotify_rm_watch(queue, int(line.split()[1].partition(":")[2], 16)) == 0
    assert removed


def its_timer(victim: Victim) -> None:
    """The timer that tells of clock steps."""
    [timer] = victim.descriptors("anon_inode:[timerfd]")
    victim.silence(timer)


def its_display(victim: Victim) -> None:
    """The connection to the X server."""
    sockets = victim.descriptors("socket:")
    assert sockets
    for one in sockets:
        with socket.socket(fileno=os.dup(one)) as end, suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def its_exec_watch(victim: Victim) -> None:
    """What tells that a capture tool was executed."""
    watches = victim.descriptors("anon_inode:[fanotify]")
    if not watches:
        pytest.skip("this kernel has no fanotify for us")
    for one in watches:
        victim.silence(one)


def its_exec_marks(victim: Victim) -> None:
    """The tools that it watches; the descriptor stays."""
    watches = victim.descriptors("anon_inode:[fanotify]")
    if not watches or not capture_tools.installed():
        pytest.skip("this kernel has no fanotify for us, or there is no tool")
    libc, flush = ctypes.CDLL(None), 0x80
    for one in watches:
        assert libc.fanotify_mark(one, ctypes.c_uint(flush), ctypes.c_uint64(0), ctypes.c_int(-100), b"/") == 0


def its_monitor_of_the_bus(victim: Victim) -> None:
    """The thread that listens for screens that the desktop hands out."""
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        pytest.skip("no session bus")
    [casts] = [one for one in victim.threads() if one.name == "casts"]
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(casts.ident or 0), ctypes.py_object(SystemExit))


def make_captures(_folder: Path) -> Sensor:
    return CapturesSensor(lambda: True, lambda: True, lambda _blanked: None, own_pids=(os.getpid(),))


KILLS: Sequence[tuple[Protection, Callable[[Path], Sensor], Kill]] = [
    (Protection.STORE_ACCESS, make_store_access, its_threads),
    (Protection.STORE_ACCESS, make_store_access, its_event_queue),
    (Protection.STORE_ACCESS, make_store_access, its_watches),
    (Protection.COPIES, make_copies, its_threads),
    (Protection.COPIES, make_copies, its_event_queue),
    (Protection.COPIES, make_copies, its_watches),
    (Protection.CLOCK, lambda _folder: ClockSensor(), its_threads),
    (Protection.CLOCK, lambda _folder: ClockSensor(), its_timer),
    (Protection.MEDIA, lambda folder: MediaSensor(lambda: True, [folder]), its_threads),
    (Protection.PROCESS, lambda _folder: ProcessGuard(lambda: {os.getpid(): "vault"}, lambda: ()), its_threads),
    (Protection.SCREEN_CAPTURE, make_captures, its_threads),
    (Protection.SCREEN_CAPTURE, make_captures, its_display),
    (Protection.SCREEN_CAPTURE, make_captures, its_exec_watch),
    (Protection.SCREEN_CAPTURE, make_captures, its_exec_marks),
    (Protection.SCREEN_CAPTURE, make_captures, its_monitor_of_the_bus),
    (Protection.REMOTE_SESSION, lambda _folder: RemoteSensor(os.environ, lambda: True), its_threads),
    (Protection.SYNTHETIC_INPUT, lambda _folder: SyntheticInputSensor(lambda: True), its_threads),
    (Protection.SYNTHETIC_INPUT, lambda _folder: SyntheticInputSensor(lambda: True), its_display),
]


class Watched:
    """A sensor under the real hub, tested when the test says so, and the trust that follows from it."""

    def __init__(self, sensor: Sensor) -> None:
        self.signals: list[Signal] = []
        self.victim = Victim()
        self.hub = SensorHub([sensor], self.signals.append, FixedClock(), interval_seconds=3600)
        self.best: Best = {}
        self.hub.start()

    def trust(self) -> Trust:
        statuses = self.hub.statuses()
        self.best = best_of(self.best, statuses)
        return trust_of(self.best, statuses)

    def blind(self) -> list[Signal]:
        return [one for one in self.signals if one.kind is SignalKind.SENSOR_BLIND]


@pytest.fixture(params=KILLS, ids=[f"{row[0].value}: {row[2].__name__}" for row in KILLS])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Protection, Watched, Kill]]:
    protection, make, kill = request.param
    if protection in {Protection.SCREEN_CAPTURE, Protection.SYNTHETIC_INPUT} and not os.environ.get("DISPLAY"):
        pytest.skip("no display")
    made = Watched(make(tmp_path))
    yield protection, made, kill
    made.hub.stop()
    made.victim.bury()


def test_a_killed_sensor_is_reported_and_takes_trust_with_it_until_it_sees_again(watched: tuple[Protection, Watched, Kill]) -> None:
    protection, under_watch, kill = watched
    [status] = under_watch.hub.statuses()
    assert status.state is not ProtectionState.UNAVAILABLE, status
    under_watch.hub.test_now()
    assert under_watch.trust() == Trust(TrustLevel.FULL)
    assert under_watch.blind() == []
    kill(under_watch.victim)
    under_watch.hub.test_now()
    [signal] = under_watch.blind()
    assert dict(signal.facts)["protection"] == protection.value
    assert under_watch.trust() == Trust(TrustLevel.LOW, lost=(protection,))
    under_watch.hub.test_now()
    assert under_watch.trust() == Trust(TrustLevel.FULL), under_watch.hub.statuses()
    assert len(under_watch.blind()) == 1


@pytest.mark.parametrize(
    ("protection", "make"), dict(row[:2] for row in KILLS if row[2] in {its_event_queue, its_timer, its_display}).items()
)
def test_a_sensor_that_is_kept_from_starting_is_reported_and_started_again(
    protection: Protection, make: Callable[[Path], Sensor], tmp_path: Path
) -> None:
    """No descriptor is to be had while the vault starts: the account has as many as it may."""
    if protection in {Protection.SCREEN_CAPTURE, Protection.SYNTHETIC_INPUT} and not os.environ.get("DISPLAY"):
        pytest.skip("no display")
    signals: list[Signal] = []
    hub = SensorHub([make(tmp_path)], signals.append, FixedClock(), interval_seconds=3600)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        hub.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        facts = dict(signals[0].facts)
        assert (facts["protection"], facts["reason"]) == (protection.value, "not-watching")
        for _ in range(2):
            hub.test_now()
        [status] = hub.statuses()
        assert status.state is not ProtectionState.UNAVAILABLE, status
        assert len(signals) == 1
    finally:
        hub.stop()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the bus's library leaves a half-made connection to the collector
@pytest.mark.parametrize(
    ("protection", "make"),
    dict(row[:2] for row in KILLS if row[0] in {Protection.CLOCK, Protection.MEDIA, Protection.SCREEN_CAPTURE}).items(),
)
def test_a_sensor_that_does_not_start_leaves_nothing_open(protection: Protection, make: Callable[[Path], Sensor], tmp_path: Path) -> None:
    """It is started again at every self-test: each would take from what the account may have."""
    if protection is Protection.SCREEN_CAPTURE and not os.environ.get("DISPLAY"):
        pytest.skip("no display")
    sensor = make(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for spare in range(7):
        before = Victim._now()
        free = [one for one in range(len(before) + spare + 1) if one not in before]
        resource.setrlimit(resource.RLIMIT_NOFILE, (free[spare], hard))
        try:
            with suppress(OSError):
                sensor.start(lambda _signal: None)
            sensor.stop()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert Victim._now() == before, f"{spare} descriptors were to be had"
