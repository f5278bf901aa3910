"""From a copy attempt to its committed report: the copy key in the reader, a copy of the database by another process.

Rules:

- The copy key is pressed on the page of the real reader; the clock stops when the interface is told of the committed report. Repeats join
  one report, as they would; where the page was blanked it is brought back before the next press.
- A copy is made by ``cp`` under another name in ~/Downloads, its own start included; the clock stops when the interface is told that the
  report, which names the copy (store-copied), is committed. The opening that precedes it is told as well, and shown beside it.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.bench import stations
from tests.bench.desk import Desk, rest, screen, wait
from tests.bench.measures import Report, at_most, median, percentile
from ui.windows.reader import Reader
from vault.domain.breach import SignalKind
from vault.services.desk import Desk as DeskService
from vault.services.events import BreachRecorded

_PRESSES, _COPIES = 200, 30
_APART_SECONDS = 2.2  # one signal an opener in two seconds: a copy sooner is the same burst


def run(report: Report) -> None:
    """Measure item 3."""
    made = stations.ready("few")
    with screen():
        desk = Desk(made)
        desk.sign_in(stations.OFFICER)
        line = desk.ask(DeskService.cases, "", "", 5).lines[0]
        desk.open_reader(desk.check_out(line.case_id))
        rest(1.0)
        keys = [_press(desk, desk.reader) for _ in range(_PRESSES)]
        desk.reader.leave()
        rest(1.0)
        copies = [_copy(desk, made.directory / "register.db", number) for number in range(_COPIES)]
        desk.close()
    count = len(keys)
    report.add("copies", "copy key to committed report, median", 1000 * median(keys), "ms", count)
    report.add("copies", "copy key to committed report, p99", 1000 * percentile(keys, 99), "ms", count, at_most(100))
    named, opened = [copied for copied, _ in copies], [first for _, first in copies]
    count = len(copies)
    report.add("copies", "foreign copy of the database: first report (opened), median", 1000 * median(opened), "ms", count)
    report.add("copies", "foreign copy of the database to committed report, median", 1000 * median(named), "ms", count)
    report.add("copies", "foreign copy of the database to committed report, p99", 1000 * percentile(named, 99), "ms", count, at_most(1000))


def _press(desk: Desk, reader: Reader) -> float:
    """Press the copy key on the page; seconds to the event of the committed report."""
    before = len(desk.breaches)
    began = time.perf_counter()
    QTest.keyClick(reader.page, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: len(desk.breaches) > before)
    at, _ = _recorded(desk, before, SignalKind.COPY_KEY)
    rest(0.02)
    if reader._sheet is not None:
        painted: list[int] = []
        reader.page.painted.connect(painted.append)
        reader._sheet.dismiss()
        wait(lambda: painted)
        reader.page.painted.disconnect(painted.append)
    return at - began


def _copy(desk: Desk, register: Path, number: int) -> tuple[float, float]:
    """Copy the database away; seconds to the report that names the copy and to the first report."""
    target = Path.home() / "Downloads" / f"holiday-{number}.jpg"
    before = len(desk.breaches)
    began = time.perf_counter()
    copier = subprocess.Popen(["cp", str(register), str(target)])
    wait(lambda: any(one.notice.kind is SignalKind.STORE_COPIED for _, one in desk.breaches[before:]))
    copier.wait()
    at, _ = _recorded(desk, before, SignalKind.STORE_COPIED)
    first = desk.breaches[before][0]
    target.unlink()
    rest(_APART_SECONDS)
    return at - began, first - began


def _recorded(desk: Desk, before: int, kind: SignalKind) -> tuple[float, BreachRecorded]:
    return next((at, one) for at, one in desk.breaches[before:] if one.notice.kind is kind)
