"""The first page of a 47 MB, 500-page PDF: from the click on the file that is held to the painted page.

Rules:

- Each repeat checks the file out anew, so that its document is closed before. Custody is not timed. Another file is held beside it.
- Prepared: the desk is on screen, the strip becomes current as it does under a person's hands, and the clock runs from the act that opens
  it. By keyboard: Down, `LOOK_SECONDS`, Enter. By pointer: a press selects, and the second press of the double click comes
  `DOUBLE_CLICK_SECONDS` after it. What the vault does in between is not timed: it discloses nothing.
- Cold: the file is opened from a page that does not show the strip (a case checked out and read by one key): nothing was prepared.
- The breakdown's parts are inside the whole, and what they leave is pipe, threads, event loop and the change of the window's face.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.bench import stations
from tests.bench.desk import Desk, rest, screen, wait
from tests.bench.measures import Report, at_most, median, percentile
from ui.windows.desk import DeskPage
from ui.windows.holdings import HoldingList
from vault.domain.identity import CaseId, CheckOutId
from vault.services.custody import Custody
from vault.services.desk import Desk as DeskService
from vault.services.views import PageImage

LOOK_SECONDS = 0.3
DOUBLE_CLICK_SECONDS = 0.12
_REPEATS = 30


@dataclass(frozen=True, slots=True)
class Opening:
    """One first page, in seconds."""

    whole: float
    face: float  # the click's own event: the reader put into the window
    asked: float  # until the page is asked for, the file's documents known
    audit: float
    render: float
    copy: float
    paint: float


class _Opener:
    """Opens the file in the ways a person does, and takes the times."""

    def __init__(self, desk: Desk, case_id: CaseId) -> None:
        self._desk, self._case_id = desk, case_id
        self._asked: list[float] = []
        self._copied: list[tuple[float, float, PageImage]] = []
        self._ask, self._picture = desk.bridge.ask, desk.bridge.picture
        desk.bridge.ask = self._timed_ask  # type: ignore[method-assign, assignment]
        desk.bridge.picture = self._timed_picture  # type: ignore[method-assign]
        self._check_out_id = CheckOutId("")

    def _timed_ask(self, method: Callable[..., Any], *arguments: Any) -> Any:
        if method.__qualname__ == "Reading.view_page":
            self._asked.append(time.perf_counter())
        return self._ask(method, *arguments)

    def _timed_picture(self, image: PageImage) -> QImage:
        began = time.perf_counter()
        picture = self._picture(image)
        self._copied.append((began, time.perf_counter(), image))
        return picture

    def by_key(self) -> Opening:
        strips = self._held_beside_another()
        QTest.keyClick(strips, Qt.Key.Key_Down)
        return self._timed(LOOK_SECONDS, lambda: QTest.keyClick(strips, Qt.Key.Key_Return))

    def by_pointer(self) -> Opening:
        strips = self._held_beside_another()
        at = QPointF(strips.width() / 2, strips.height() * 3 / 4)
        QTest.mouseClick(strips, Qt.MouseButton.LeftButton, pos=at.toPoint())
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        again = QMouseEvent(QEvent.Type.MouseButtonDblClick, at, strips.mapToGlobal(at), left, left, none)
        return self._timed(DOUBLE_CLICK_SECONDS, lambda: QApplication.sendEvent(strips, again))

    def cold(self) -> Opening:
        self._return()
        self._desk.shell.go("find")
        check_out_id = self._check_out_id = self._desk.check_out(self._case_id)
        return self._timed(LOOK_SECONDS, lambda: self._desk.shell.open_reader(check_out_id))

    def _held_beside_another(self) -> HoldingList:
        """The desk with two strips; the file is the lower one, and not current."""
        self._return()
        self._desk.shell.go("desk")
        self._check_out_id = self._desk.check_out(self._case_id)
        page = self._desk.shell._pages["desk"]
        assert isinstance(page, DeskPage)
        strips = page.holding
        wait(lambda: strips.count() == 2)
        strips.setFocus()
        QTest.keyClick(strips, Qt.Key.Key_Up)
        rest(LOOK_SECONDS)
        assert [line.check_out_id for line in strips._lines][1] == self._check_out_id
        return strips

    def _return(self) -> None:
        if self._desk.shell.reader is not None:
            self._desk.reader.leave()
        if self._check_out_id:
            self._desk.ask(Custody.check_in, self._check_out_id, True)
        rest(0.6)  # the next reader is built meanwhile

    def _timed(self, look_seconds: float, act: Callable[[], object]) -> Opening:
        rest(look_seconds)
        self._asked.clear()
        self._copied.clear()
        painted: list[float] = []
        began = time.perf_counter()
        act()
        acted = time.perf_counter()
        self._desk.reader.page.painted.connect(lambda _page: painted.append(time.perf_counter()))
        wait(lambda: painted)
        from_us, copied, image = self._copied[0]
        parts = dict(image.timings_us)
        return Opening(
            whole=painted[0] - began,
            face=acted - began,
            asked=max(0.0, self._asked[0] - acted),
            audit=parts["audit"] / 1e6,
            render=parts["render"] / 1e6,
            copy=copied - from_us,
            paint=painted[0] - copied,
        )


def run(report: Report) -> None:
    """Measure the first page of item 4."""
    made = stations.ready("few")
    with screen():
        desk = Desk(made)
        desk.sign_in(stations.OFFICER)
        lines = desk.ask(DeskService.cases, "", "", 5).lines
        desk.open_reader(desk.check_out(lines[2].case_id))
        desk.fit_page_to_dpi()
        rest(0.5)
        opener = _Opener(desk, lines[0].case_id)
        opener.by_key()
        ways = {"Enter on the strip": opener.by_key, "double click": opener.by_pointer, "nothing prepared": opener.cold}
        samples: dict[str, list[Opening]] = {way: [] for way in ways}
        for _ in range(_REPEATS):
            for way, act in ways.items():
                samples[way].append(act())
        desk.close()
    for way, openings in samples.items():
        _rows(report, way, openings, limited=way != "nothing prepared")


def _rows(report: Report, way: str, openings: list[Opening], *, limited: bool) -> None:
    count = len(openings)
    whole = [one.whole for one in openings]
    report.add("first", f"first page of a 47 MB PDF, {way}", 1000 * median(whole), "ms", count, at_most(50) if limited else None)
    report.add("first", "  p95", 1000 * percentile(whole, 95), "ms", count, note=f"least {1000 * min(whole):.1f} ms")
    for name, words in (
        ("face", "the reader put into the window"),
        ("asked", "until the page is asked for"),
        ("audit", "audit entry committed"),
        ("render", "worker"),
        ("copy", "copy out of shared memory"),
        ("paint", "lay out, paint and hand to the screen"),
    ):
        report.add("first", f"  of it: {words}", 1000 * median([getattr(one, name) for one in openings]), "ms", count)
