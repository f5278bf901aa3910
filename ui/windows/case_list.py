"""A list of case files, read a page at a time from the vault: all that are granted to me, or what a search found.

Rules:

- Painting never waits: rows that are not here yet are skeletons, and are asked for as they come into view.
- The vault's anchors lead from page to page only. A jump far down walks there, 200 rows a step, keeping no row on the way.
- An answer to an older search is dropped.
- The vault's count may be too high (grants that ended are in it): the list ends where its last page does.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from ui import strings
from ui.widgets.record_table import LazyRecords, RecordTable
from ui.widgets.row_window import PAGE_ROWS, PageRequest
from ui.windows import case_words
from vault.services.desk import Desk
from vault.services.views import CaseLine, CasesPage

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError

_PAGES_KEPT = 8


class CaseList(RecordTable):
    """The list. `counted` tells how many rows there are, `picked` which case is current (None: none), `chosen` Enter on a case."""

    counted = Signal(int)
    picked = Signal(object)
    chosen = Signal(object)

    def __init__(self, bridge: Bridge, name: str) -> None:
        super().__init__(case_words.columns(), name=strings.text("case.list"))
        self.setObjectName(name)
        self._bridge = bridge
        self._search = ""
        self._question = 0
        self._walking = False
        self._anchors: dict[int, str] = {0: ""}  # page number -> the anchor its question starts with
        self._lines: OrderedDict[int, tuple[CaseLine, ...]] = OrderedDict()
        self._wanted: list[PageRequest] = []
        self._keep_row = -1
        self._keep_key = ""
        self.page_wanted.connect(self._want)
        self.current_changed.connect(lambda _row: self.picked.emit(self.current_line()))
        self.activated.connect(self._activated)

    def search(self, words: str) -> None:
        """List what matches; an empty string lists everything granted."""
        if words != self._search:
            self._keep_row, self._keep_key = -1, ""
        self._search = words
        self._ask_first()

    def refresh(self) -> None:
        """Ask again, and stay where we are."""
        record = self.current_record()
        self._keep_row, self._keep_key = self.current(), record.key if record is not None else ""
        self._ask_first()

    def current_line(self) -> CaseLine | None:
        """Give the case of the current row, if it is here."""
        row = self.current()
        lines = self._lines.get(row // PAGE_ROWS) if row >= 0 else None
        return lines[row % PAGE_ROWS] if lines is not None and row % PAGE_ROWS < len(lines) else None

    def _ask_first(self) -> None:
        self._question += 1
        question = self._question
        reply = self._bridge.ask(Desk.cases, self._search, "", PAGE_ROWS)
        reply.then(lambda page: self._first(page, question)).owner(self)

    def _first(self, page: CasesPage, question: int) -> None:
        if question != self._question:
            return
        self._lines = OrderedDict({0: page.lines})
        self._anchors = {0: "", 1: page.next_anchor}
        self._wanted.clear()
        self._walking = False
        total = page.total if page.next_anchor else len(page.lines)
        self.reset(total)
        self.counted.emit(total)
        if not total:
            self.picked.emit(None)
        place = next((row for row, line in enumerate(page.lines) if line.case_id == self._keep_key), min(self._keep_row, total - 1))
        if place > 0:
            self.set_current(place)

    def _want(self, request: PageRequest) -> None:
        self._wanted.append(request)
        self._step()

    def _step(self) -> None:
        """Answer what is known; walk one page towards the next that is not."""
        for request in list(self._wanted):
            lines = self._lines.get(request.first_row // PAGE_ROWS)
            if lines is not None:
                self._wanted.remove(request)
                self.supply(request, LazyRecords(lines, case_words.record))
        if not self._wanted or self._walking:
            return
        target = self._wanted[0].first_row // PAGE_ROWS
        near = max(page for page in self._anchors if page <= target)
        if near and not self._anchors[near]:
            self._wanted.pop(0)  # the list ends before this page
            return
        self._walking = True
        question = self._question
        reply = self._bridge.ask(Desk.cases, self._search, self._anchors[near], PAGE_ROWS)
        reply.then(lambda page: self._walked(near, page, question), self._not_had).owner(self)

    def _walked(self, page_no: int, page: CasesPage, question: int) -> None:
        if question != self._question:
            return
        self._walking = False
        self._anchors[page_no + 1] = page.next_anchor
        self._lines[page_no] = page.lines
        while len(self._lines) > _PAGES_KEPT:
            self._lines.popitem(last=False)
        ends = page_no * PAGE_ROWS + len(page.lines)
        if not page.next_anchor and ends < self.row_count():
            self.end_at(ends)
            self.counted.emit(ends)
        self._step()

    def _not_had(self, error: VaultError) -> None:
        self._walking = False
        for request in self._wanted:
            self.refused(request)
        self._wanted.clear()
        self._bridge.refused.emit(error)

    def _activated(self, _row: int) -> None:
        line = self.current_line()
        if line is not None:
            self.chosen.emit(line)
