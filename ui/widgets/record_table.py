"""The list of records: up to a million rows, dense, no gridlines, all by keyboard.

Rules of this module:

- It is painted here, row by row, and not by a stock item view: an item view hands its cells to AT-SPI, to its own drag, copy and keyboard
  search. There is no model with text in it; assistive technology gets a constant for the table, how many rows there are and which is
  current ("Row 5 of 10 000"), never a title.
- Rows come in pages from whoever answers `page_wanted`; a row not here yet is painted as a skeleton. Painting never waits.
- Up, Down, J, K, PgUp, PgDn, Home, End move; Enter or a double click activates; letters else are left to the window.

Thread: the interface's main thread.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QToolTip, QWidget

from ui import strings, theme
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.cells import Cell, NumberCell, TimeCell, cut_words, paint_cell
from ui.widgets.hint import hint
from ui.widgets.ringed_area import RingedArea
from ui.widgets.row_window import PAGE_ROWS, PageRequest, RowWindow

L = TypeVar("L")

_PAD_PX = 12
_HEADER_PX = 28
_STRIP_PX = 3
_MINUTE_MS = 60_000
_SLICE_SECONDS = 0.004  # a quarter of a frame of 60 a second: handing what was painted to the screen takes as long again


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `width_px` is its least width; columns with `stretch` share what is left in that proportion. Columns disappear, highest `drop` first,
    while the table is too narrow; 0 never disappears.
    """

    heading: str
    width_px: int
    stretch: int = 0
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `key` names it to the owner and is never shown; `tone` paints the strip at its left edge."""

    key: str
    cells: tuple[Cell, ...]
    tone: Tone = Tone.PLAIN
    strong: bool = False


class LazyRecords(Sequence[Record]):
    """Records made one by one when they are painted: a page of 200 made at once takes as long as a view does to paint."""

    def __init__(self, lines: Sequence[L], make: Callable[[L], Record]) -> None:
        """Take what the rows are made of; `make` is asked once a row."""
        self._made: list[Record | None] = [None] * len(lines)
        self._make: Callable[[int], Record] = lambda index: make(lines[index])

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self._made)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        """Give a record."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        found = self._made[index]
        if found is None:
            found = self._made[index] = self._make(range(len(self))[index])
        return found


class RecordTable(RingedArea):
    """The table. Rows are 0-based; the current row is -1 when there is none."""

    page_wanted = Signal(PageRequest)
    current_changed = Signal(int)
    activated = Signal(int)

    def __init__(
        self, columns: Sequence[Column], *, dense: bool = False, header: bool = True, name: str = "", parent: QWidget | None = None
    ) -> None:
        """Make an empty table.

        Args:
            columns: from left to right.
            dense: rows of 28 px instead of 32.
            header: paint the headings.
            name: what the list is, in the interface's words; the accessible name.
        """
        super().__init__(parent)
        self._columns = tuple(columns)
        self._dense = dense
        self._header_px = _HEADER_PX if header else 0
        self._name = name or strings.text("table.name")
        self._rows: RowWindow[Record] = RowWindow()
        self._current = -1
        self._over = -1
        self._top = 0
        self._hurry = False  # new rows, of which Page Down brings nearly a view, are painted in slices, so that no frame takes long
        self._spans: list[tuple[int, int, int]] = []  # column index, left, width
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(0)
        self._asking.timeout.connect(self._ask)
        self._ageing = QTimer(self)
        self._ageing.setInterval(_MINUTE_MS)
        self._ageing.timeout.connect(self._repaint)
        self._tell()

    # What the owner says ------------------------------------------------------------------------------------------------------------

    def reset(self, row_count: int) -> None:
        """Show another list of `row_count` rows; its pages are asked for by `page_wanted`. The first row becomes current."""
        self._rows.reset(row_count)
        self._measure()
        self.verticalScrollBar().setValue(0)
        self._set_current(0 if row_count else -1, reveal=False)
        self._asking.start()
        self.viewport().update()

    def extend(self, row_count: int) -> None:
        """Say that the list turned out longer: what is here stays. Only when its end so far fell on a page border (a multiple of 200)."""
        self._rows.row_count = max(self._rows.row_count, row_count)
        self._measure()
        self._tell()
        self._asking.start()
        self.viewport().update()

    def end_at(self, row_count: int) -> None:
        """Say that the list turned out shorter: what is here stays, the rows after it are gone."""
        self._rows.row_count = min(self._rows.row_count, row_count)
        self._measure()
        self._set_current(self._current, reveal=True)
        self._asking.start()
        self.viewport().update()

    def supply(self, request: PageRequest, records: Sequence[Record], last_anchor: str | None = None) -> None:
        """Answer a `page_wanted`. Out-of-date answers are dropped."""
        if self._rows.supply(request, records, last_anchor):
            if request.first_row <= self._current < request.first_row + PAGE_ROWS:
                self.current_changed.emit(self._current)
            self._hurry = True
            self.viewport().update()

    def refused(self, request: PageRequest) -> None:
        """Say that a page could not be had; it is asked for again when it is scrolled to."""
        self._rows.refused(request)

    def set_records(self, records: Sequence[Record]) -> None:
        """Show a short list that is all here; more than 1 600 rows need `reset` and `supply`. Keeps the current key if it is there."""
        kept = self.current_record()
        self._rows.reset(len(records))
        for request in self._rows.missing(0, len(records) - 1):
            self._rows.supply(request, records[request.first_row : request.first_row + request.rows], None)
        self._measure()
        index = next((i for i, record in enumerate(records) if kept is not None and record.key == kept.key), 0 if records else -1)
        self._current = -2  # whatever is current now is news to the owner
        self._set_current(index, reveal=True)
        self.viewport().update()

    def replace(self, index: int, record: Record) -> None:
        """Change one row in place."""
        self._rows.replace(index, record)
        self.viewport().update()

    def set_current(self, index: int) -> None:
        """Make a row current and bring it into view."""
        self._set_current(index, reveal=True)

    # What the owner asks ------------------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        """Give how many rows the list has."""
        return self._rows.row_count

    def current(self) -> int:
        """Give the current row; -1 when there is none."""
        return self._current

    def current_record(self) -> Record | None:
        """Give the current record, if there is one and it is here."""
        return self._rows.row(self._current) if self._current >= 0 else None

    def record(self, index: int) -> Record | None:
        """Give a record that is here; None while it is awaited."""
        return self._rows.row(index)

    # Measures -----------------------------------------------------------------------------------------------------------------------

    def _row_px(self) -> int:
        return theme.shape().row_dense_px if self._dense else theme.shape().row_px

    def _rows_in_view(self) -> int:
        return max(1, (self.viewport().height() - self._header_px) // self._row_px())

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Prefer all rows, up to twelve."""
        return QSize(480, self._header_px + min(12, max(3, self._rows.row_count)) * self._row_px())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Three rows at least."""
        return QSize(160, self._header_px + 3 * self._row_px())

    def _measure(self) -> None:
        bar = self.verticalScrollBar()
        # One step of the bar is one row: a million rows in pixels would not fit Qt's coordinates at big scales.
        bar.setRange(0, max(0, self._rows.row_count - self._rows_in_view()))
        bar.setPageStep(self._rows_in_view())
        bar.setSingleStep(1)
        width = self.viewport().width()
        shown = list(range(len(self._columns)))
        while len(shown) > 1 and sum(self._columns[i].width_px + _PAD_PX for i in shown) + _PAD_PX > width:
            last = max(shown, key=lambda i: self._columns[i].drop)
            if self._columns[last].drop == 0:
                break
            shown.remove(last)
        spare = max(0, width - _PAD_PX - sum(self._columns[i].width_px + _PAD_PX for i in shown))
        shares = sum(self._columns[i].stretch for i in shown) or 1
        left, self._spans = _PAD_PX, []
        for i in shown:
            wide = self._columns[i].width_px + spare * self._columns[i].stretch // shares
            self._spans.append((i, left, max(8, min(wide, width - left - 4))))
            left += wide + _PAD_PX

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Fit columns and bar."""
        super().resizeEvent(event)
        self._measure()
        self._asking.start()

    # Rows -----------------------------------------------------------------------------------------------------------------------------

    def _scrolled(self, top: int) -> None:
        self._asking.start()
        rows, self._top = top - self._top, top
        view = QRect(0, self._header_px, self.viewport().width(), self.viewport().height() - self._header_px)
        if abs(rows) * self._row_px() < view.height() and not self._hurry:  # while hurrying, some of what would be moved is not painted yet
            self.viewport().scroll(0, -rows * self._row_px(), view)  # what stays is moved, only what is new is painted
        else:
            self.viewport().update()
        self._hurry = True

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 -- Qt's name
        """Do nothing: `_scrolled` has moved the rows, and Qt's own way paints everything again."""

    def _update_row(self, index: int) -> None:
        row_px = self._row_px()
        self.viewport().update(0, self._header_px + (index - self._top) * row_px, self.viewport().width(), row_px)

    def _ask(self) -> None:
        if not self._rows.row_count:
            return
        first = self.verticalScrollBar().value()
        ahead = self._rows_in_view()
        for request in self._rows.missing(max(0, first - ahead), first + 2 * ahead):
            self.page_wanted.emit(request)

    def _set_current(self, index: int, *, reveal: bool) -> None:
        index = max(-1, min(index, self._rows.row_count - 1))
        before, changed = self._current, index != self._current
        self._current = index
        if reveal and index >= 0:
            bar, view = self.verticalScrollBar(), self._rows_in_view()
            bar.setValue(max(min(bar.value(), index), index - view + 1))
        self._tell()
        self._update_row(before)
        self._update_row(index)
        if changed:
            self.current_changed.emit(index)

    def _tell(self) -> None:
        """Tell assistive technology where we are, and nothing of what is written there."""
        self.setAccessibleName(self._name)
        count = strings.number(self._rows.row_count)
        row = strings.number(self._current + 1)
        self.setAccessibleDescription(
            strings.text("table.position", row=row, rows=count) if self._current >= 0 else strings.text("table.empty")
        )

    # Keys and pointer -----------------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move and activate."""
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        here, view, last = self._current, self._rows_in_view(), self._rows.row_count - 1
        target = {
            Qt.Key.Key_Down: here + 1,
            Qt.Key.Key_J: here + 1,
            Qt.Key.Key_Up: here - 1,
            Qt.Key.Key_K: here - 1,
            Qt.Key.Key_PageDown: here + view,
            Qt.Key.Key_PageUp: here - view,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if plain and target is not None and last >= 0:
            self._set_current(max(0, min(last, target)), reveal=True)
        elif plain and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and here >= 0:
            self.activated.emit(here)
        else:
            event.ignore()

    def _row_at(self, at: QPoint) -> int:
        if at.y() < self._header_px:
            return -1
        row = self.verticalScrollBar().value() + (at.y() - self._header_px) // self._row_px()
        return row if row < self._rows.row_count else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Make the row under the pointer current."""
        row = self._row_at(event.position().toPoint())
        if row >= 0:
            self._set_current(row, reveal=True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Activate the row under the pointer."""
        row = self._row_at(event.position().toPoint())
        if row >= 0:
            self.activated.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Mark the row under the pointer."""
        row = self._row_at(event.position().toPoint())
        if row != self._over:
            before, self._over = self._over, row
            self._update_row(before)
            self._update_row(row)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 -- Qt's name
        """Scroll by rows."""
        self.verticalScrollBar().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu: nothing here can be copied."""
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Show a time's zone on hover, and what a column had to cut; leave the rest to Qt."""
        if event.type() is QEvent.Type.Leave:
            before, self._over = self._over, -1
            self._update_row(before)
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            cell, at = self._cell_at(event.pos())
            if isinstance(cell, TimeCell):
                QToolTip.showText(event.globalPos(), strings.local_time_full(cell.at_us), self.viewport())
            else:
                QToolTip.hideText()
            hint(self.viewport(), event.pos(), at, cut_words(cell, at.width()) if cell is not None else "")
            return True
        return super().viewportEvent(event)

    def _cell_at(self, at: QPoint) -> tuple[Cell | None, QRect]:
        """Give the cell at a point of the viewport, and its place there."""
        row = self._row_at(at)
        record = self._rows.row(row) if row >= 0 else None
        top = self._header_px + (row - self._top) * self._row_px()
        for i, left, width in self._spans:
            if record is not None and left <= at.x() < left + width and i < len(record.cells):
                return record.cells[i], QRect(left, top, width, self._row_px())
        return None, QRect()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """Keep ages true while shown."""
        self._ageing.start()
        self._asking.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """Rest while hidden."""
        self._ageing.stop()
        super().hideEvent(event)

    # Paint ----------------------------------------------------------------------------------------------------------------------------

    def _paint_rest(self, rest: QRect) -> None:
        # WORKAROUND: a bound method of the viewport kept for later finds its wrapper "already deleted" (PySide6 6.11); asked anew it lives.
        self.viewport().update(rest)

    def _repaint(self) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the headings and the rows in view."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.colour(Colour.SURFACE_1))
        row_px, now_us, until = self._row_px(), strings.now_us(), time.perf_counter() + _SLICE_SECONDS
        skipped = max(0, (event.rect().top() - self._header_px) // row_px)
        first = index = self._top + skipped
        top = self._header_px + skipped * row_px
        while top <= event.rect().bottom() and index < self._rows.row_count:
            # Asked before a row and not after it: what is put off is then never nothing, for which no paint would come.
            if self._hurry and index > first and time.perf_counter() > until:
                rest = QRect(0, top, self.viewport().width(), self.viewport().height() - top)
                QTimer.singleShot(0, self, functools.partial(self._paint_rest, rest))
                break
            self._paint_row(painter, QRect(0, top, self.viewport().width(), row_px), index, now_us)
            top += row_px
            index += 1
        else:
            self._hurry = False
        if event.rect().top() < self._header_px:
            self._paint_header(painter)
        painter.end()

    def _paint_header(self, painter: QPainter) -> None:
        at = QRect(0, 0, self.viewport().width(), self._header_px)
        painter.fillRect(at, theme.colour(Colour.SURFACE_1))
        painter.fillRect(QRect(0, at.bottom(), at.width(), 1), theme.colour(Colour.DIVIDER))
        face = theme.font(TypeSize.TINY, Weight.MEDIUM)
        for i, left, width in self._spans:
            right = self._right_aligned(i)
            align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            painting.line(painter, QRect(left, 0, width, self._header_px), self._columns[i].heading, Colour.TEXT_QUIET, face, align)

    def _right_aligned(self, column: int) -> bool:
        record = self._rows.row(self.verticalScrollBar().value())
        cell = record.cells[column] if record is not None and column < len(record.cells) else None
        return isinstance(cell, NumberCell) and cell.right

    def _paint_row(self, painter: QPainter, at: QRect, index: int, now_us: int) -> None:
        ground = at.adjusted(4, 1, -4, -1)
        if index == self._current:
            painting.panel(painter, ground, Colour.SURFACE_3 if self.hasFocus() else Colour.SURFACE_2, radius_px=4)
        elif index == self._over:
            painting.panel(painter, ground, Colour.SURFACE_0, radius_px=4)
        record = self._rows.row(index)
        if record is None:
            self._paint_skeleton(painter, at, index)
            return
        if record.tone is not Tone.PLAIN:
            strip = QRect(at.left() + 4, at.top() + 5, _STRIP_PX, at.height() - 10)
            painting.panel(painter, strip, theme.ink(record.tone), radius_px=1)
        for i, left, width in self._spans:
            if i < len(record.cells):
                paint_cell(painter, QRect(left, at.top(), width, at.height()), record.cells[i], now_us)
        if index == self._current and self.hasFocus():
            painting.focus_ring(painter, ground, 4)

    def _paint_skeleton(self, painter: QPainter, at: QRect, index: int) -> None:
        """Paint grey bars where the words will be; their lengths differ so that it reads as rows on their way."""
        for i, left, width in self._spans:
            part = 45 + (index * 7 + i * 13) % 40
            bar = QRect(left, at.top() + at.height() // 2 - 4, max(8, min(width, 260) * part // 100), 8)
            painting.panel(painter, bar, Colour.SURFACE_2, radius_px=4)
