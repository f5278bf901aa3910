"""Sensors in an account that another program of it leaves nothing: ``python -m tests.attacks.exhausted ATTACK PLACE``, one line of JSON.

Run in a user namespace of its own (``unshare --user --map-root-user``): what the kernel has to give is counted for each namespace, and
nobody else on the machine goes short. A lowered limit is what another program's taking all the rest looks like to the one that asks.
Threads are counted for each account: that attack is one of an account of its own, and begins as root.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from watchdog.observers import inotify_c  # noqa: F401 - loaded while it can be: one attack gives up the account that may read it

from tests.fakes import FixedClock
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import Sensor
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.hub import SensorHub
from vault.sensors.media import MediaSensor
from vault.sensors.store_access import StoreAccessSensor

FOLDERS, FILES = 4, ("register.db", "content.db", "vault.header.json")
_LIMITS = Path("/proc/sys/user")
_PATIENCE_SECONDS = 15.0
_UID = 61_234  # nobody else's: processes are counted for each account


class Desk:
    """A vault's folder, a home, and the sensors around them."""

    def __init__(self, place: Path) -> None:
        self.place, self.home, vault = place, place / "home", place / "vault"
        for number in range(FOLDERS):
            (self.home / f"folder {number}").mkdir(parents=True)
        vault.mkdir()
        for name in FILES:
            (vault / name).write_bytes(os.urandom(1 << 16))
        self.register = vault / FILES[0]
        salts = frozenset({self.register.read_bytes()[:16]})
        self.signals: list[Signal] = []
        self.copies = CopiesSensor(Fingerprint(lambda: salts), [self.home], vault)
        self.store = StoreAccessSensor([vault / name for name in FILES], lambda: frozenset({os.getpid()}), None)
        others: Sequence[Sensor] = (MediaSensor(lambda: True, [self.home], self.copies.look_again), ClockSensor())
        self.hub = SensorHub([self.store, self.copies, *others], self.signals.append, FixedClock(), interval_seconds=3600)

    def told_blind(self) -> set[str]:
        return {str(dict(one.facts)["protection"]) for one in self.signals if one.kind is SignalKind.SENSOR_BLIND}

    def copied(self) -> set[str]:
        return {str(dict(one.facts)["name"]) for one in self.signals if one.kind is SignalKind.STORE_COPIED}

    def opened(self) -> bool:
        return any(one.kind is SignalKind.STORE_OPENED for one in self.signals)

    def unproven(self) -> set[str]:
        return {one.protection.value for one in self.hub.statuses() if one.state is ProtectionState.UNAVAILABLE}

    def until(self, is_so: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.02)
        return is_so()

    def steal(self, into: str, name: str) -> None:
        subprocess.run(["cp", self.register, self.home / into / name], check=True)


def _descriptors() -> int:
    """Queues, pipes, timers: not the files that a search has open for a moment."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += not str(one.readlink()).startswith("/")
    return found


def _limit(name: str, most: int) -> None:
    (_LIMITS / name).write_text(str(most))


def watches_taken_before(place: Path) -> dict[str, object]:
    """Other programs leave 0, 1, 2, … watches when the desk starts."""
    silent = []
    for left in range(16):
        desk = Desk(place / str(left))
        _limit("max_inotify_watches", left)
        desk.hub.start()
        desk.until(lambda desk=desk: not desk.copies._scans)  # type: ignore[misc]
        with (desk.register.with_name(FILES[1])).open("rb"):
            desk.steal("folder 3", "holiday.jpg")
            if "copies" not in desk.told_blind() and not desk.until(lambda desk=desk: bool(desk.copied())):  # type: ignore[misc]
                silent.append(f"copies with {left}")
            if "store-access" not in desk.told_blind() and not desk.until(desk.opened):
                silent.append(f"store-access with {left}")
        desk.hub.stop()
        _limit("max_inotify_watches", 10_000)
    return {"silent": silent}


def watches_taken_while_it_runs(place: Path) -> dict[str, object]:
    """Nothing is left; then a folder is made and the copy put there. When there is something again, all is watched again."""
    desk = Desk(place)
    desk.hub.start()
    desk.until(lambda: not desk.copies._scans)
    _limit("max_inotify_watches", 0)
    (desk.home / "new").mkdir()
    told = desk.until(lambda: "copies" in desk.told_blind())
    _limit("max_inotify_watches", 10_000)
    desk.hub.test_now()
    desk.until(lambda: not desk.copies._scans)
    desk.steal("new", "holiday.jpg")
    found = desk.until(lambda: "holiday.jpg" in desk.copied())
    desk.hub.stop()
    return {"told": told, "found when there are watches again": found, "unproven": sorted(desk.unproven())}


def instances_taken_before(place: Path) -> dict[str, object]:
    """No queue of events is to be had when the desk starts, and later one is."""
    desk = Desk(place)
    _limit("max_inotify_instances", 0)
    desk.hub.start()
    told = sorted(desk.told_blind())
    _limit("max_inotify_instances", 100)
    for _ in range(2):
        desk.hub.test_now()
    unproven = sorted(desk.unproven())
    desk.hub.stop()
    return {"told": told, "unproven": unproven}


def no_thread_is_left(place: Path) -> dict[str, object]:
    """Other programs of the account leave 0, 1, 2, … threads when the sensors are to start; later there are enough."""
    silent, left_open, unproven = [], [], []
    os.chown(place, _UID, _UID)
    os.setgid(_UID)
    os.setuid(_UID)
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    for left in range(9):
        desk = Desk(place / str(left))
        resource.setrlimit(resource.RLIMIT_NPROC, (1 + left, most))
        with suppress(RuntimeError):
            desk.hub.start()
        desk.hub.test_now()
        before = _descriptors()
        silent += [f"{one} with {left}" for one in sorted(desk.unproven() - desk.told_blind())]
        for _ in range(3):
            desk.hub.test_now()
        if _descriptors() > before:
            left_open.append(left)
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
        for _ in range(3):
            desk.hub.test_now()
        unproven += sorted(desk.unproven())
        desk.hub.stop()
    return {"silent": silent, "left open": left_open, "unproven": unproven}


def a_storm_of_events(place: Path) -> dict[str, object]:
    """More happens in a watched folder than can be looked at, without an end, and a copy in the middle of it."""
    desk = Desk(place)
    desk.hub.start()
    desk.until(lambda: not desk.copies._scans and desk.copies._deep_at > 0)
    storm = (
        "import os, sys\nn = 0\nwhile True:\n  n += 1\n  p = f'{sys.argv[1]}/{n % 500}'\n  os.close(os.open(p, 65)); os.rename(p, p + 'x')"
    )
    programs = [subprocess.Popen([sys.executable, "-c", storm, desk.home / f"folder {number}"]) for number in range(2)]
    try:
        desk.until(lambda: desk.copies._tasks.qsize() >= 20_000)
        desk.steal("folder 3", "holiday.jpg")
        desk.hub.test_now()
        told = desk.until(lambda: "holiday.jpg" in desk.copied() or "copies" in desk.told_blind())
        time.sleep(3)  # the storm goes on: what waits is counted after more of it
        waiting = desk.copies._tasks.qsize()
    finally:
        for one in programs:
            one.send_signal(signal.SIGKILL)
            one.wait()
    found = desk.until(lambda: "holiday.jpg" in desk.copied())
    began = time.monotonic()
    desk.hub.stop()
    return {"told": told, "found": found, "bounded": waiting <= 20_100, "ends at once": time.monotonic() - began < 5}


_ALL = (watches_taken_before, watches_taken_while_it_runs, instances_taken_before, no_thread_is_left, a_storm_of_events)
ATTACKS = {one.__name__: one for one in _ALL}

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    where = Path(sys.argv[2])
    try:
        print(json.dumps(ATTACKS[sys.argv[1]](where)))
    finally:
        shutil.rmtree(where, ignore_errors=True)
