"""The audit trail in a record table: pages of 200 by keyset, whether the number of entries is known or not.

Rules of this module:

- Without a filter the trail has as many rows as its newest entry's number, and any of its pages can be asked for at once.
- With a filter nobody knows how many entries fit: the list grows by a page whenever its end comes near.
- The first page of a listing is asked for once: that the trail was read is itself recorded, once a listing.
- An answer to an older filter is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.cells import NumberCell, StatusCell, TimeCell, TitleCell
from ui.widgets.record_table import Record, RecordTable
from ui.widgets.row_window import PAGE_ROWS, PageRequest
from ui.windows.audit_words import outcome, sentence
from ui.windows.naming import badge_first
from vault.domain.audit import Outcome
from vault.services.supervision import Supervision
from vault.services.views import AuditLine, AuditPage

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError

_NEAR_ROWS = 60
_PAGES_KEPT = 12


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What the listing is narrowed to. `until_us` is exclusive; 0 and "" narrow nothing."""

    kinds: tuple[str, ...] = ()
    badge_no: str = ""
    rms_number: str = ""
    from_us: int = 0
    until_us: int = 0

    def narrows(self) -> bool:
        """Say whether anything is left out."""
        return self != TrailFilter()


class Trail(QObject):
    """Feeds one table. `listed` when the first page of a filter is here, `refused` when the vault refused the filter."""

    listed = Signal()
    refused = Signal(object)
    current_changed = Signal()

    def __init__(self, bridge: Bridge, table: RecordTable) -> None:
        super().__init__(table)
        self._bridge, self._table = bridge, table
        self._filter = TrailFilter()
        self._question = 0
        self._pages: dict[int, tuple[AuditLine, ...]] = {}
        self._grown: list[AuditLine] = []
        self._next_before_seq = 0
        self._growing = False
        self._wanted_seq = 0
        self.head_seq = 0
        table.page_wanted.connect(self._supply)
        table.current_changed.connect(self._moved)
        table.verticalScrollBar().valueChanged.connect(lambda _value: self._grow_if_near())

    def list(self, narrowed: TrailFilter, show_seq: int = 0) -> None:
        """List anew, and make entry `show_seq` current when it is in the listing."""
        self._filter, self._wanted_seq = narrowed, show_seq
        self._question += 1
        self._ask(0, self._question, self._take_first)

    def current(self) -> AuditLine | None:
        """Give the current entry, if it is here."""
        return self._line(self._table.current())

    def shown(self) -> TrailFilter:
        """Give the filter that was asked for last."""
        return self._filter

    def _ask(self, before_seq: int, question: int, take: Callable[[AuditPage], None]) -> None:
        wanted = self._filter

        def arrived(page: AuditPage) -> None:
            if question == self._question:
                take(page)

        def not_had(error: VaultError) -> None:
            if question == self._question:
                self._growing = False
                self.refused.emit(error)

        self._bridge.ask(
            Supervision.audit_page, wanted.kinds, wanted.badge_no, wanted.rms_number, wanted.from_us, wanted.until_us, before_seq, PAGE_ROWS
        ).owner(self).then(arrived, not_had)

    def _take_first(self, page: AuditPage) -> None:
        self.head_seq = page.head_seq
        self._pages = {0: page.lines}
        self._grown = list(page.lines)
        self._next_before_seq, self._growing = page.next_before_seq, False
        counted = not self._filter.narrows()
        self._table.reset(page.head_seq if counted else len(page.lines))
        if self._wanted_seq and counted:
            self._table.set_current(page.head_seq - self._wanted_seq)
            self._wanted_seq = 0
        self.listed.emit()

    def _line(self, row: int) -> AuditLine | None:
        if row < 0:
            return None
        if self._filter.narrows():
            return self._grown[row] if row < len(self._grown) else None
        page = self._pages.get(row // PAGE_ROWS, ())
        return page[row % PAGE_ROWS] if row % PAGE_ROWS < len(page) else None

    def _supply(self, request: PageRequest) -> None:
        if self._filter.narrows():
            lines = self._grown[request.first_row : request.first_row + request.rows]
            self._table.supply(request, [record(line) for line in lines], None)
            self._moved()
            return
        number = request.first_row // PAGE_ROWS
        if number in self._pages:
            self._give(request, self._pages[number])
            return
        question = self._question
        self._ask(self.head_seq - request.first_row + 1, question, lambda page: self._give(request, page.lines))

    def _give(self, request: PageRequest, lines: tuple[AuditLine, ...]) -> None:
        # The table keeps eight pages; what it asks for again is asked of the vault again.
        self._pages[request.first_row // PAGE_ROWS] = lines
        while len(self._pages) > _PAGES_KEPT:
            self._pages.pop(next(number for number in self._pages if number != request.first_row // PAGE_ROWS))
        self._table.supply(request, [record(line) for line in lines], None)
        self._moved()

    def _moved(self) -> None:
        self._grow_if_near()
        self.current_changed.emit()

    def _grow_if_near(self) -> None:
        if not self._filter.narrows() or not self._next_before_seq or self._growing:
            return
        bar = self._table.verticalScrollBar()
        seen = max(self._table.current(), bar.value() + bar.pageStep())
        if seen + _NEAR_ROWS >= len(self._grown):
            self._growing = True
            self._ask(self._next_before_seq, self._question, self._take_more)

    def _take_more(self, page: AuditPage) -> None:
        self._grown += page.lines
        self._next_before_seq, self._growing = page.next_before_seq, False
        self._table.extend(len(self._grown))
        self._grow_if_near()


def record(line: AuditLine) -> Record:
    """Make the row of an entry."""
    done = line.outcome == Outcome.DONE.value
    actor = line.actor
    return Record(
        key=str(line.seq),
        cells=(
            NumberCell(strings.number(line.seq), right=True),
            TimeCell(line.at_us, with_age=False),
            TitleCell(sentence(line)),
            TitleCell(badge_first(actor) if actor else strings.text("audit.nobody")),
            StatusCell(outcome(line), Tone.PLAIN if done else Tone.ATTENTION, IconName.CHECK if done else IconName.REFUSE),
        ),
        tone=Tone.PLAIN if done else Tone.ATTENTION,
    )
