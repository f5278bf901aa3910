"""The search of a home for copies of the vault: the first one, one that a lock ended, and one after which nothing changed.

Rules:

- 100,000 files of 200 bytes to 8 KB in 2,000 folders, and forty of 10 MB; a vault of two databases of 8 MB, beside them. The files are in
  memory when they are searched: what is measured is the search, not the disk.
- The sensor runs in this process as in the vault process, at its low priority and with its rests; the clock of a start stops when its first
  self-test has been answered, that of a search when nothing is left to be searched. The processor's time is the whole process's.
- The speeds are the search's own, without rests, on the thread that measures.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measures import Report, at_most, median
from tests.bench.stations import WORK
from vault.domain.breach import Signal
from vault.domain.protection import ProtectionState
from vault.sensors.copies import CopiesSensor
from vault.sensors.fingerprint import SALT_BYTES, Fingerprint
from vault.sensors.searched import SearchedFiles

_FOLDERS, _FILES_A_FOLDER, _LARGE, _LARGE_BYTES = 2000, 50, 40, 10_000_000
_SIZES_BYTES = (200, 900, 2500, 5000, 8000)
_DATABASE_BYTES = 8 << 20
_MIB = 1 << 20
_REPEATS = 20
_LONGEST_SECONDS = 1200.0
_SETTLED_SECONDS = 2.5  # a file that changed a moment ago is searched again the next time


@dataclass(frozen=True, slots=True)
class _Times:
    start_seconds: float
    seconds: float
    processor_seconds: float


def run(report: Report) -> None:
    """Measure."""
    home, vault = WORK / "search" / "home", WORK / "search" / "vault"
    try:
        databases = _make(home, vault)
        descriptors = {path: os.open(path, os.O_RDONLY) for path in databases}
        salts = frozenset(path.read_bytes()[:SALT_BYTES] for path in databases)

        def fingerprint() -> Fingerprint:
            return Fingerprint(lambda: salts, "0" * 32, databases, descriptors.get)

        _speeds(report, fingerprint())
        signals: list[Signal] = []

        def search(until: Callable[[CopiesSensor, SearchedFiles], bool]) -> _Times:
            searched = SearchedFiles(vault / "searched", bytes(32))
            return _search(CopiesSensor(fingerprint(), [home], vault, searched=searched), searched, signals, until)

        ended = search(lambda _sensor, searched: searched.count >= _FOLDERS * _FILES_A_FOLDER // 2)
        first = search(_is_through)
        second = search(_is_through)
    finally:
        shutil.rmtree(home.parent, ignore_errors=True)
    assert not signals, "none of these files is a copy"
    starts = [one.start_seconds for one in (ended, first, second)]
    report.add("search", "start with 100,000 files, until the self-test", max(starts), "s", len(starts), at_most(5))
    report.add("search", "first search, as far as half of the files, until the lock", ended.seconds, "s", 1)
    report.add("search", "… the rest of it, after the lock", first.seconds, "s", 1)
    report.add("search", "… both, of the processor", ended.processor_seconds + first.processor_seconds, "s", 1)
    report.add("search", "search when nothing changed", second.seconds, "s", 1)
    report.add("search", "… of the processor", second.processor_seconds, "s", 1)


def _make(home: Path, vault: Path) -> tuple[Path, ...]:
    vault.mkdir(parents=True)
    databases = (vault / "register.db", vault / "content.db")
    for path in databases:
        path.write_bytes(os.urandom(_DATABASE_BYTES))
    noise = os.urandom(_MIB)
    for number in range(_FOLDERS):
        folder = home / str(number // 50) / str(number)
        folder.mkdir(parents=True)
        for name in range(_FILES_A_FOLDER):
            first = (number * _FILES_A_FOLDER + name) * 7 % (_MIB - max(_SIZES_BYTES))
            (folder / str(name)).write_bytes(noise[first : first + _SIZES_BYTES[name % len(_SIZES_BYTES)]])
    for number in range(_LARGE):
        (home / f"large {number}").write_bytes(os.urandom(_LARGE_BYTES))
    time.sleep(_SETTLED_SECONDS)
    return databases


def _is_through(sensor: CopiesSensor, _searched: SearchedFiles) -> bool:
    return sensor._deep_at > 0 and not sensor._scans


def _search(
    sensor: CopiesSensor, searched: SearchedFiles, signals: list[Signal], until: Callable[[CopiesSensor, SearchedFiles], bool]
) -> _Times:
    began, used = time.monotonic(), time.process_time()
    sensor.start(signals.append)
    assert sensor.self_test().state is ProtectionState.DETECTED
    started = time.monotonic() - began
    while not until(sensor, searched):
        assert time.monotonic() - began < _LONGEST_SECONDS, "the search comes to its end"
        time.sleep(0.1)
    times = _Times(started, time.monotonic() - began, time.process_time() - used)
    sensor.stop()
    return times


def _speeds(report: Report, fingerprint: Fingerprint) -> None:
    fingerprint.refresh()
    for _ in fingerprint.read_blocks():
        pass
    for size, name in ((4096, "4 KiB"), (_MIB, "1 MiB")):
        data = os.urandom(size)
        measured = []
        for _ in range(_REPEATS):
            began = time.perf_counter()
            assert not fingerprint.within(data)
            assert not fingerprint.has_block(data)
            measured.append(time.perf_counter() - began)
        report.add("search", f"searching {name} in memory", size / _MIB / median(measured), "MiB/s", _REPEATS)
