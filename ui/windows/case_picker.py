"""Choosing the case file to work on: a search and the cases it finds.

Rules of this module:

- The vault searches, in the cases granted to the asker only; asking waits until typing pauses, and an answer to older words is dropped.
- The list grows by a page whenever its end comes near.
- Numbers, titles and names are painted in the record table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.widgets.cells import NumberCell, PersonCell, TitleCell
from ui.widgets.empty_state import EmptyState
from ui.widgets.field import LineField
from ui.widgets.record_table import Column, Record, RecordTable
from ui.widgets.row_window import PAGE_ROWS, PageRequest
from ui.windows.naming import isolated
from vault.services.desk import Desk
from vault.services.views import CaseLine, CasesPage

if TYPE_CHECKING:
    from ui.bridge import Bridge

_PAUSE_MS = 150
_NEAR_ROWS = 60


class CasePicker(QWidget):
    """Search and list. `chosen` with the case that Enter or a double click picked."""

    chosen = Signal(object)
    current_changed = Signal()

    def __init__(self, bridge: Bridge, name: str) -> None:
        """Make the picker; `name` begins the objectNames."""
        super().__init__()
        self._bridge = bridge
        self._lines: list[CaseLine] = []
        self._next_anchor = ""
        self._question = 0
        self._growing = False
        self._choose_first = ""
        self.search = LineField(
            strings.text("intake.search"), hint=strings.text("intake.choose_sentence"), copy_disabled=True, max_length=120
        )
        self.search.control.setObjectName(f"{name}_search")
        self.search.line.installEventFilter(self)
        self.table = RecordTable(
            (
                Column(strings.text("intake.column_number"), 112),
                Column(strings.text("intake.column_title"), 220, stretch=4),
                Column(strings.text("intake.column_type"), 110, stretch=1, drop=3),
                Column(strings.text("intake.column_officer"), 180, stretch=2, drop=2),
                Column(strings.text("intake.column_marking"), 120, drop=4),
            ),
            name=strings.text("intake.cases"),
        )
        self.table.setObjectName(f"{name}_cases")
        self._empty = EmptyState(IconName.CASE, strings.text("intake.empty_title"), strings.text("intake.empty_sentence"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self._stack, 1)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.refresh)
        self.search.changed.connect(self._pause.start)
        self.search.submitted.connect(self._enter)
        self.table.activated.connect(self._pick)
        self.table.page_wanted.connect(self._supply)
        self.table.current_changed.connect(self._moved)
        self.table.verticalScrollBar().valueChanged.connect(lambda _value: self._grow_if_near())
        self.setFocusProxy(self.search)

    def refresh(self) -> None:
        """Ask for the cases that fit what was typed."""
        self._question += 1
        self._ask("", self._question)

    def find_case(self, rms_number: str) -> None:
        """Search for a case and choose it if it is the one found."""
        self.search.set_value(rms_number)
        self._pause.stop()
        self._choose_first = rms_number
        self.refresh()

    def current(self) -> CaseLine | None:
        """Give the current case."""
        at = self.table.current()
        return self._lines[at] if 0 <= at < len(self._lines) else None

    def _ask(self, anchor: str, question: int) -> None:
        def arrived(page: CasesPage) -> None:
            if question == self._question:
                self._take(page, first=not anchor)

        self._bridge.ask(Desk.cases, self.search.value(), anchor, PAGE_ROWS).owner(self).then(arrived)

    def _take(self, page: CasesPage, *, first: bool) -> None:
        self._growing = False
        self._next_anchor = page.next_anchor
        if first:
            self._lines = list(page.lines)
            self.table.reset(len(self._lines))
            self._stack.setCurrentIndex(0 if self._lines else 1)
            wanted, self._choose_first = self._choose_first, ""
            if wanted and self._lines and self._lines[0].rms_number == wanted:
                self.chosen.emit(self._lines[0])
        else:
            self._lines += page.lines
            self.table.extend(len(self._lines))
        self._moved()

    def _supply(self, request: PageRequest) -> None:
        lines = self._lines[request.first_row : request.first_row + request.rows]
        self.table.supply(request, [_record(line) for line in lines], None)

    def _moved(self) -> None:
        self._grow_if_near()
        self.current_changed.emit()

    def _grow_if_near(self) -> None:
        bar = self.table.verticalScrollBar()
        near = max(self.table.current(), bar.value() + bar.pageStep()) + _NEAR_ROWS >= len(self._lines)
        # A page that was not full would leave a gap in what the table keeps: the vault gives full ones while there is more.
        if near and self._next_anchor and not self._growing and len(self._lines) % PAGE_ROWS == 0:
            self._growing = True
            self._ask(self._next_anchor, self._question)

    def _pick(self, row: int) -> None:
        if 0 <= row < len(self._lines):
            self.chosen.emit(self._lines[row])

    def _enter(self) -> None:
        if self._pause.isActive():
            # Enter before the answer to what was typed: the answer chooses, not what stood there before.
            self._pause.stop()
            self._choose_first = self.search.value()
            self.refresh()
        else:
            self._pick(self.table.current())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Up and Down in the search move in the list."""
        moves = {Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}
        pressed = watched is self.search.line and event.type() is QEvent.Type.KeyPress
        if pressed and isinstance(event, QKeyEvent) and event.key() in moves:
            QApplication.sendEvent(self.table, QKeyEvent(event))
            return True
        return False


def _record(line: CaseLine) -> Record:
    officer = line.officer_in_charge
    return Record(
        key=line.case_id,
        cells=(
            NumberCell(line.rms_number),
            TitleCell(line.title),
            TitleCell(line.case_type),
            PersonCell(isolated(officer.name), officer.badge_no, isolated(officer.unit_name)) if officer else TitleCell(""),
            TitleCell(strings.text(f"marking.{line.marking.value}")),
        ),
    )
