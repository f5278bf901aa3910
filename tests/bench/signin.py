"""From the last key of a sign-in to a usable desk with 10,000 granted cases in a register of 100,000, and scrolling through them.

Rules:

- Usable: the shell is shown, the first page of cases and what I hold are here, and the event loop is free again. The modules that load
  while the passphrase is typed are loaded.
- Argon2id is timed beside it, A B A B, with the vault's own cost and passphrase; the limit is on the rest.
- The longest gap of a sign-in is between two turns of the 1 ms timer that looks for the desk: the first of the process, which uses much
  for the first time, and the median of the later ones.
- Blocking is the longest time between two turns of a 1 ms timer while Page Down goes through the list, a pass at a time. A pass that only
  waits tells what the machine itself does to such a timer.
"""

from __future__ import annotations

import itertools
import os
import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest

from tests.bench import stations
from tests.bench.desk import Desk, rest, screen, wait
from tests.bench.measures import LEAST_REPEATS, Report, at_most, median, seconds
from tests.station import CHEAP, passphrase_of
from ui.windows.case_list import CaseList
from ui.windows.desk import DeskPage
from vault.crypto.slots import derive_passphrase_key
from vault.secret import Secret

_PASSES, _KEYS_A_PASS, _KEY_MS = 20, 30, 30


def run(report: Report) -> None:
    """Measure item 6."""
    made = stations.ready("many")
    with screen():
        desk = Desk(made)
        rest(2.0)
        whole: list[float] = []
        key: list[float] = []
        gaps: list[float] = []
        for number in range(LEAST_REPEATS):
            badge_no = stations.OFFICERS[number % len(stations.OFFICERS)]
            credentials = made.credentials(badge_no)
            key.append(
                seconds(lambda badge_no=badge_no: derive_passphrase_key(Secret(passphrase_of(badge_no).encode()), os.urandom(16), CHEAP))
            )
            took, gap = _sign_in(desk, credentials)
            whole.append(took)
            gaps.append(gap)
            if number < LEAST_REPEATS - 1:
                _sign_out(desk)
        beyond = [all_of_it - argon for all_of_it, argon in zip(whole, key, strict=True)]
        count = len(whole)
        report.add("signin", "last key to a usable desk, 10,000 granted cases", 1000 * median(whole), "ms", count)
        report.add("signin", "  of it: Argon2id (64 MiB, as these vaults are founded)", 1000 * median(key), "ms", count)
        report.add("signin", "  beyond Argon2id", 1000 * median(beyond), "ms", count, at_most(1000))
        report.add("signin", "  longest gap of a 1 ms timer, first sign-in of the process", 1000 * gaps[0], "ms", 1)
        report.add("signin", "  the same, later sign-ins", 1000 * median(gaps[1:]), "ms", count - 1)
        _scroll(report, _page(desk).cases)
        desk.close()


def _page(desk: Desk) -> DeskPage:
    page = desk.shell._pages["desk"]
    assert isinstance(page, DeskPage)
    return page


def _sign_in(desk: Desk, credentials: tuple[str, str, str]) -> tuple[float, float]:
    """Seconds to a usable desk, and the longest the event loop stood still meanwhile."""
    usable: list[float] = []
    turns: list[float] = []

    def look() -> None:
        turns.append(time.perf_counter())
        page = desk.routing.shell._pages.get("desk") if desk.routing.shell is not None else None
        if isinstance(page, DeskPage) and page.view is not None and page.cases.row_count() and page.cases.current_line() is not None:
            looking.stop()
            usable.append(time.perf_counter())

    looking = QTimer(interval=1)
    looking.timeout.connect(look)
    looking.start()
    began = time.perf_counter()
    desk.enter(*credentials)
    wait(lambda: usable)
    assert _page(desk).cases.row_count() == stations.GRANTED, _page(desk).cases.row_count()
    return usable[0] - began, max(after - before for before, after in itertools.pairwise([began, *turns]))


def _sign_out(desk: Desk) -> None:
    desk.routing._sign_out()
    wait(lambda: desk.routing.shell is None and desk.routing._is_ready)
    rest(1.0)


def _scroll(report: Report, cases: CaseList) -> None:
    cases.setFocus()
    idle, scrolled = [], []
    for _ in range(_PASSES):
        idle.append(_longest_gap(cases, keys=False))
        scrolled.append(_longest_gap(cases, keys=True))
    count = len(scrolled)
    report.add(
        "signin", "longest gap of a 1 ms timer, nothing done", 1000 * median(idle), "ms", count, note=f"worst {1000 * max(idle):.1f} ms"
    )
    report.add(
        "signin",
        f"longest gap of a 1 ms timer, {_KEYS_A_PASS} times Page Down",
        1000 * median(scrolled),
        "ms",
        count,
        at_most(16),
        f"worst {1000 * max(scrolled):.1f} ms",
    )


def _longest_gap(cases: CaseList, *, keys: bool) -> float:
    stamps: list[float] = []
    beat = QTimer(interval=1)
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    beat.timeout.connect(lambda: stamps.append(time.perf_counter()))
    press = QTimer(interval=_KEY_MS)
    pressed: list[int] = []

    def act() -> None:
        pressed.append(1)
        if keys:
            QTest.keyClick(cases, Qt.Key.Key_PageDown)

    press.timeout.connect(act)
    beat.start()
    press.start()
    wait(lambda: len(pressed) >= _KEYS_A_PASS)
    beat.stop()
    press.stop()
    return max(after - before for before, after in itertools.pairwise(stamps))
