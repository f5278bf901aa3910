"""A page turn, from the key to the painted page, in the real window in this process: the number and what it is made of.

Rules:

- A4 at 150 dpi, the window as wide as that needs; the document is open, the worker and its caches are warm.
- Turning on, the next page is prepared while a person looks at this one (`DWELL_SECONDS`). Turning on at once and jumping back show what a
  page costs that is not.
- After each turn the peer renders the same page: A B A B.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from tests.bench import stations
from tests.bench.desk import BareRenderer, Desk, rest, screen, wait
from tests.bench.measures import Report, at_most, median, percentile
from ui.bridge import Bridge
from vault.services.desk import Desk as DeskService
from vault.services.views import PageImage

DWELL_SECONDS = 0.2
_TURNS = 60
_FEWER = 25


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn in seconds; the parts are inside the whole, and what they leave is pipe and event loop."""

    whole: float
    bare: float
    audit: float
    render: float
    copy: float
    paint: float
    width_px: int


class Turner:
    """Presses keys on the page and takes the times."""

    def __init__(self, desk: Desk, peer: BareRenderer) -> None:
        self._desk, self._peer = desk, peer
        self._painted: list[float] = []
        self._copied: list[tuple[float, float, PageImage]] = []
        desk.reader.page.painted.connect(lambda _page: self._painted.append(time.perf_counter()))
        self._picture = desk.bridge.picture
        desk.bridge.picture = self._timed_picture  # type: ignore[method-assign]

    def _timed_picture(self, image: PageImage) -> QImage:
        began = time.perf_counter()
        picture = self._picture(image)
        self._copied.append((began, time.perf_counter(), image))
        return picture

    def press(self, key: Qt.Key) -> Turn:
        self._painted.clear()
        self._copied.clear()
        began = time.perf_counter()
        QTest.keyClick(self._desk.reader.page, key)
        wait(lambda: self._painted)
        from_us, copied, image = self._copied[0]
        parts = dict(image.timings_us)
        bare = self._peer.render(image.page_no)
        whole = self._painted[0] - began
        return Turn(whole, bare, parts["audit"] / 1e6, parts["render"] / 1e6, copied - from_us, self._painted[0] - copied, image.width_px)


def run(report: Report) -> None:
    """Measure the in-process half of item 2."""
    made = stations.ready("few")
    with screen():
        desk = Desk(made)
        desk.sign_in(stations.OFFICER)
        lines = desk.ask(DeskService.cases, "", "", 5).lines
        desk.open_reader(desk.check_out(lines[0].case_id))
        desk.fit_page_to_dpi()
        rest(1.0)
        peer = BareRenderer(stations.papers() / stations.CASE_FILE)
        turner = Turner(desk, peer)
        for _ in range(5):
            turner.press(Qt.Key.Key_PageDown)
        prepared = []
        for _ in range(_TURNS):
            rest(DWELL_SECONDS)
            prepared.append(turner.press(Qt.Key.Key_PageDown))
        at_once = [turner.press(Qt.Key.Key_PageDown) for _ in range(_FEWER)]
        back = []
        for _ in range(_FEWER):
            rest(DWELL_SECONDS)
            back.append(turner.press(Qt.Key.Key_PageUp))
        peer.close()
        assert isinstance(desk.bridge, Bridge)
        desk.close()
    _table(report, prepared, at_once, back)


def _table(report: Report, turns: list[Turn], at_once: list[Turn], back: list[Turn]) -> None:
    count = len(turns)
    whole, bare = median([one.whole for one in turns]), median([one.bare for one in turns])
    width = median([one.width_px for one in turns])
    report.add(
        "turn", "page turn, key press to painted page (desk in process)", 1000 * whole, "ms", count, at_most(50), f"{width:.0f} px wide"
    )
    report.add("turn", "bare pypdfium2 render of the same pages at 150 dpi", 1000 * bare, "ms", count)
    report.add("turn", "page turn over bare render", whole / bare, "x", count, at_most(2.5))
    for name in ("audit", "render", "copy", "paint"):
        words = {"audit": "  of it: audit entry committed", "render": "  of it: worker (watermark; rendered if not prepared)"}
        words |= {"copy": "  of it: copy out of shared memory", "paint": "  of it: scale, paint and hand to the screen"}
        report.add("turn", words[name], 1000 * median([getattr(one, name) for one in turns]), "ms", count)
    left = [one.whole - one.audit - one.render - one.copy - one.paint for one in turns]
    report.add("turn", "  of it: pipe, threads and event loop", 1000 * median(left), "ms", count)
    report.add("turn", "page turn, p95", 1000 * percentile([one.whole for one in turns], 95), "ms", count)
    for name, some in (("page turn without a pause before it", at_once), ("page turn back to a page that was not prepared", back)):
        report.add("turn", name, 1000 * median([one.whole for one in some]), "ms", len(some))
        report.add("turn", f"{name}, over bare", median([one.whole for one in some]) / median([one.bare for one in some]), "x", len(some))
