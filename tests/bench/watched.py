"""What the sensors cost a reader: two desks with the same case file open, one of them watched, with a home of 100,000 files to search.

Rules:

- Both windows are in this process, on one display; each has a vault process of its own. The other one has no sensors (`watched_vault`).
- Pages are turned on one and on the other, A B A B, as `turn` does. While the search is on, the watched vault process stands still for the
  moment in which the other desk's page is turned: the search would slow both, and nothing would be seen.
- The files are small. The later turns begin `_LONGEST_SECONDS` after the opening at most, and their line says whether the search was over:
  it rests five times as long as it works. How long that of a home like a person's takes, `search` says.
- An event filter sees the whole application, so each window's guard would take the other's probe, once a minute, for a copy key: neither
  sends it. What the vault processes do with what they are told stays.
- The shares of a core are the vault processes', with a page on screen that nobody turns.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.bench import stations
from tests.bench.desk import Desk, rest, screen, wait
from tests.bench.measures import Report, at_most, median
from tests.bench.turn import DWELL_SECONDS
from ui import bridge
from vault.assembly import SEARCH_MEMORY_NAME
from vault.domain.protection import Protection
from vault.services.desk import Desk as DeskService

_FOLDERS, _FILES_A_FOLDER, _FILE_BYTES = 2000, 50, 256
_ENTRY_BYTES = 8  # of the memory of searched files
_TURNS, _FIRST_TURNS = 30, 4
_SHOWN_SECONDS = 15.0
_LONGEST_SECONDS = 45.0
_SETTLED_SECONDS = 2.5
_GUARDED = (Protection.COPY_KEYS, Protection.PRINT_SCREEN, Protection.CLIPBOARD)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A desk with a page on screen."""

    desk: Desk
    directory: Path
    ready_seconds: float  # until the sign-in form could be used

    @property
    def pid(self) -> int:
        process = self.desk.bridge._process
        assert process is not None
        return process.pid

    def turn(self) -> float:
        """Turn a page; seconds from the key to the paint."""
        page, painted = self.desk.reader.page, list[float]()
        connection = page.painted.connect(lambda _page: painted.append(time.perf_counter()))
        began = time.perf_counter()
        QTest.keyClick(page, Qt.Key.Key_PageDown)
        wait(lambda: painted)
        page.painted.disconnect(connection)
        return painted[0] - began

    def used_seconds(self) -> float:
        """What the vault process has used of the processor."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_searched(self) -> bool:
        """Whether the memory of searched files has all of the home."""
        remembered = self.directory / SEARCH_MEMORY_NAME
        return remembered.exists() and remembered.stat().st_size >= _FOLDERS * _FILES_A_FOLDER * _ENTRY_BYTES


def run(report: Report) -> None:
    """Measure."""
    home = stations.WORK / "home"
    try:
        _fill(home / "Documents")
        with screen():
            plain = _open("unwatched", home)
            watched = _open("watched", home)
            told_before = len(watched.desk.breaches)  # the vault's folder was renamed, and that is said once
            began = time.monotonic()
            during = _turns(plain, watched, still=True)
            while not watched.is_searched() and time.monotonic() - began < _LONGEST_SECONDS:
                rest(0.5)
            how = (
                f"searched in {time.monotonic() - began:.0f} s" if watched.is_searched() else f"still searched after {_LONGEST_SECONDS:g} s"
            )
            after = _turns(plain, watched, still=False)
            shares = _shares(plain, watched)
            breaches = len(watched.desk.breaches) - told_before
            for one in (watched, plain):
                one.desk.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    ready_seconds = watched.ready_seconds - plain.ready_seconds
    report.add("sensors", "vault ready beside 100,000 files, beyond one without sensors", ready_seconds, "s", 1, at_most(5))
    for name, (bare, seen), limit, note in (
        ("page turn at the start of the search, over no sensors", during, None, ""),
        ("page turn later, over no sensors", after, at_most(1.1), f", {how}"),
    ):
        bare_ms = 1000 * median(bare)
        report.add("sensors", name, median(seen) / median(bare), "x", len(seen), limit, f"{bare_ms:.1f} ms without{note}")
    share = 100 * (shares[1] - shares[0])
    report.add("sensors", "sensors while a page is shown, share of a core", share, "%", 1, note=f"over {_SHOWN_SECONDS:g} s, {how}")
    report.add("sensors", "signals while pages are turned", breaches, "", 1, at_most(0))


def _fill(folder: Path) -> None:
    noise = os.urandom(_FILE_BYTES * 1000)
    for number in range(_FOLDERS):
        within = folder / str(number // 50) / str(number)
        within.mkdir(parents=True)
        for name in range(_FILES_A_FOLDER):
            first = (number * _FILES_A_FOLDER + name) * 7 % (len(noise) - _FILE_BYTES)
            (within / str(name)).write_bytes(noise[first : first + _FILE_BYTES])
    time.sleep(_SETTLED_SECONDS)


def _open(kind: str, home: Path) -> _Reading:
    """A desk with its case file open, as wide as an A4 page at 150 dpi needs."""
    made = stations.ready("few")
    directory = made.directory.with_name(kind)
    shutil.rmtree(directory, ignore_errors=True)  # of a run that was ended
    made.directory.rename(directory)
    with _started_as(kind, home):
        began = time.monotonic()
        desk = Desk(stations.Made(directory, made.second_factors, {}))
        ready = time.monotonic() - began
    desk.sign_in(stations.OFFICER)
    desk.shell._proof.working = lambda: _GUARDED  # type: ignore[method-assign]
    desk.open_reader(desk.check_out(desk.ask(DeskService.cases, "", "", 5).lines[0].case_id))
    desk.fit_page_to_dpi()
    rest(1.0)
    return _Reading(desk, directory, ready)


@contextmanager
def _started_as(kind: str, home: Path) -> Iterator[None]:
    start, before = bridge._START, os.environ["HOME"]
    bridge._START = start.replace("from vault.runtime import main;", f"from tests.bench.watched_vault import {kind} as main;")
    os.environ["HOME"] = str(home)
    try:
        assert start != bridge._START
        yield
    finally:
        bridge._START, os.environ["HOME"] = start, before


def _turns(plain: _Reading, watched: _Reading, *, still: bool) -> tuple[list[float], list[float]]:
    bare, seen = [], []
    for number in range(_FIRST_TURNS + _TURNS):
        rest(DWELL_SECONDS)
        if still:
            os.kill(watched.pid, signal.SIGSTOP)
        try:
            first = plain.turn()
        finally:
            os.kill(watched.pid, signal.SIGCONT)
        rest(DWELL_SECONDS)
        second = watched.turn()
        if number >= _FIRST_TURNS:
            bare.append(first)
            seen.append(second)
    return bare, seen


def _shares(*readings: _Reading) -> list[float]:
    rest(2.0)
    began, before = time.monotonic(), [one.used_seconds() for one in readings]
    rest(_SHOWN_SECONDS)
    took = time.monotonic() - began
    return [(one.used_seconds() - used) / took for one, used in zip(readings, before, strict=True)]
