"""What I hold, as strips: case, the page I was on, why I have it, and how long I may keep it. Below them, what I wait for and gave back.

Rules:

- Painted; number, title and document are not given to accessibility. The accessible text is the position and the time left.
- State at the left edge as bar, icon and word: due soon and recalled amber, past due red.
- Up, Down, J, K move; Enter reads on; I returns; H hands over. Times age once a minute, every second in the last minute.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.cells import DUE_SOON_US
from ui.widgets.hint import LINE, hint
from ui.windows.check_out import purpose_words
from ui.windows.naming import isolated
from vault.services.views import HoldingLine, ReturnedLine, WaitingLine

_STRIP_PX = 58
_GAP_PX = 6
_PAD_PX = 16
_TICK_MS = 10_000
_DUE_PX = 190
_TITLE_LEAST_PX = 40


class HoldingState(enum.Enum):
    """What the strip's edge says."""

    HELD = "held"
    SOON = "soon"
    RECALLED = "recalled"
    OVERDUE = "overdue"


_LOOK = {
    HoldingState.HELD: (Tone.PLAIN, IconName.CLOCK),
    HoldingState.SOON: (Tone.ATTENTION, IconName.CLOCK),
    HoldingState.RECALLED: (Tone.ATTENTION, IconName.RECALL),
    HoldingState.OVERDUE: (Tone.BREACH, IconName.WARNING),
}


def state_of(holding: HoldingLine, now_us: int) -> HoldingState:
    """Give the state of a holding at a moment."""
    if holding.due_back_us <= now_us:
        return HoldingState.OVERDUE
    if holding.recalled_us:
        return HoldingState.RECALLED
    return HoldingState.SOON if holding.due_back_us - now_us < DUE_SOON_US else HoldingState.HELD


class HoldingList(QWidget):
    """The strips. `chosen`, `returning` and `handing_over` carry the HoldingLine; so does `pointed_at`: the current one is another."""

    pointed_at = Signal(object)
    chosen = Signal(object)
    returning = Signal(object)
    handing_over = Signal(object)
    left_below = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("desk_holding")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self._lines: tuple[HoldingLine, ...] = ()
        self._current = 0
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self.update)
        self._tell()

    def show_lines(self, lines: Sequence[HoldingLine]) -> None:
        """Show these, what is due first on top; the current one stays current."""
        kept = self.current()
        self._lines = tuple(sorted(lines, key=lambda line: line.due_back_us))
        self._current = next((i for i, line in enumerate(self._lines) if kept is not None and line.check_out_id == kept.check_out_id), 0)
        self._tell()
        self.updateGeometry()
        self.update()
        self._point(kept)

    def count(self) -> int:
        """Give how many files are held."""
        return len(self._lines)

    def current(self) -> HoldingLine | None:
        """Give the strip the keys act on."""
        return self._lines[self._current] if 0 <= self._current < len(self._lines) else None

    def _tell(self) -> None:
        self.setAccessibleName(strings.text("desk.holding_count", count=len(self._lines)))
        line = self.current()
        self.setAccessibleDescription(strings.duration_left(line.due_back_us) if line is not None else "")

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """One strip a holding."""
        return QSize(480, max(1, len(self._lines)) * (_STRIP_PX + _GAP_PX) - _GAP_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move and act; Down from the last strip goes to what is below."""
        line = self.current()
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1}.get(Qt.Key(event.key()))
        if line is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif step is not None:
            if self._current + step >= len(self._lines):
                self.left_below.emit()
            self._go(max(0, min(len(self._lines) - 1, self._current + step)))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.chosen.emit(line)
        elif event.key() == Qt.Key.Key_I:
            self.returning.emit(line)
        elif event.key() == Qt.Key.Key_H:
            self.handing_over.emit(line)
        else:
            event.ignore()

    def _go(self, index: int) -> None:
        before, self._current = self.current(), index
        self._tell()
        self.update()
        self._point(before)

    def _point(self, before: HoldingLine | None) -> None:
        now = self.current()
        if now is not None and (before is None or now.check_out_id != before.check_out_id):
            self.pointed_at.emit(now)

    def _at(self, event: QMouseEvent) -> int:
        return self._index_at(event.position().toPoint())

    def _index_at(self, at: QPoint) -> int:
        index, rest = divmod(at.y(), _STRIP_PX + _GAP_PX)
        return index if rest < _STRIP_PX and index < len(self._lines) else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Make the strip under the pointer current."""
        if self._at(event) >= 0:
            self._go(self._at(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Read on by pointing."""
        if self._at(event) >= 0:
            self.chosen.emit(self._lines[self._at(event)])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu."""
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Age only while shown; repaint with the scheme and the focus."""
        if event.type() is QEvent.Type.Show:
            self._clock.start()
        elif event.type() is QEvent.Type.Hide:
            self._clock.stop()
        elif event.type() in {QEvent.Type.FocusIn, QEvent.Type.FocusOut, QEvent.Type.PaletteChange}:
            self.update()
        elif isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            index = self._index_at(event.pos())
            at = QRect(0, index * (_STRIP_PX + _GAP_PX), self.width(), _STRIP_PX)
            hint(self, event.pos(), at, _whole(self._lines[index]) if index >= 0 else "")
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the strips."""
        painter, now = QPainter(self), strings.now_us()
        for index, line in enumerate(self._lines):
            at = QRect(0, index * (_STRIP_PX + _GAP_PX), self.width(), _STRIP_PX)
            _paint_strip(painter, at, line, now, current=index == self._current, focused=index == self._current and self.hasFocus())
        painter.end()


def _whole(line: HoldingLine) -> str:
    where = _where(line) if line.last_page_no else ""
    return LINE.join(words for words in (isolated(line.case.title), where) if words)


def _where(line: HoldingLine) -> str:
    if not line.last_page_no:
        return strings.text("desk.not_read")
    return strings.text("desk.last_page", page=strings.number(line.last_page_no), document=isolated(line.last_document_title))


def _paint_strip(painter: QPainter, at: QRect, line: HoldingLine, now: int, *, current: bool, focused: bool) -> None:
    tone, icon = _LOOK[state_of(line, now)]
    painting.panel(painter, at, Colour.SURFACE_1, Colour.EDGE if current else Colour.DIVIDER)
    painting.panel(
        painter,
        QRect(at.left() + 1, at.top() + 1, 4, at.height() - 2),
        Colour.ACCENT_TEXT if tone is Tone.PLAIN else theme.ink(tone),
        radius_px=2,
    )
    left, right, top, low = at.left() + _PAD_PX, at.right() - _PAD_PX, at.top() + 8, at.top() + 31
    due, due_face = strings.duration_left(line.due_back_us, now), theme.font(weight=Weight.MEDIUM, tabular=True)
    what = strings.text("desk.recalled") if line.recalled_us else purpose_words(line.purpose)
    strong, small = theme.font(weight=Weight.STRONG, tabular=True), theme.font(TypeSize.SMALL, tabular=True)
    due_left = right - min(painting.mark_width(due, due_face, icon), _DUE_PX)
    what_left = right - min(QFontMetrics(small).horizontalAdvance(what) + 1, _DUE_PX)
    used = painting.line(painter, QRect(left, top, due_left - left - 12, 20), line.case.rms_number, Colour.TEXT, strong)
    title = QRect(left + used + 12, top, due_left - left - used - 24, 20)
    painting.line(painter, title, isolated(line.case.title), Colour.TEXT, theme.font(weight=Weight.MEDIUM))
    painting.line(painter, QRect(left, low, what_left - left - 12, 20), _where(line), Colour.TEXT_QUIET, small)
    role = Colour.TEXT if tone is Tone.PLAIN else theme.ink(tone)
    painting.mark(painter, QRect(due_left, top, right - due_left + 1, 20), icon, due, role, due_face)
    quiet = Colour.AMBER if line.recalled_us else Colour.TEXT_QUIET
    painting.line(painter, QRect(what_left, low, right - what_left, 20), what, quiet, small)
    if focused:
        painting.focus_ring(painter, at)


@dataclass(frozen=True, slots=True)
class _Row:
    number: str
    title: str
    remark: str
    icon: IconName


def waiting_row(line: WaitingLine) -> _Row:
    """Put what I wait for into a row."""
    holder = line.case.holder
    with_whom = strings.text("desk.with", badge=holder.badge_no) if holder is not None else strings.text("desk.back")
    place = strings.text("desk.asked_first") if line.place == 1 else strings.text("desk.place", place=line.place)
    return _Row(line.case.rms_number, line.case.title, f"{place} · {with_whom}", IconName.WAIT)


def returned_row(line: ReturnedLine) -> _Row:
    """Put what I gave back into a row."""
    words = strings.text(f"return_kind.{line.return_kind.value}", at=strings.local_time(line.returned_us))
    return _Row(line.case.rms_number, line.case.title, words, IconName.CHECK_IN)


class QuietRows(QWidget):
    """A short list that is only read: what I wait for, what I gave back."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._rows: tuple[_Row, ...] = ()

    def show_rows(self, rows: Sequence[_Row]) -> None:
        """Show these."""
        self._rows = tuple(rows)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """A dense row each."""
        return QSize(240, len(self._rows) * theme.shape().row_dense_px)

    def event(self, event: QEvent) -> bool:
        """Tell a row whole on hover: there is seldom room for its title."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            high = theme.shape().row_dense_px
            index = event.pos().y() // high
            row = self._rows[index] if index < len(self._rows) else None
            hint(self, event.pos(), QRect(0, index * high, self.width(), high), f"{isolated(row.title)}{LINE}{row.remark}" if row else "")
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint number, title, and what became of it."""
        painter, high = QPainter(self), theme.shape().row_dense_px
        small = theme.font(TypeSize.SMALL, tabular=True)
        for index, row in enumerate(self._rows):
            top = index * high
            used = painting.mark(
                painter,
                QRect(0, top, self.width(), high),
                row.icon,
                row.number,
                Colour.TEXT,
                theme.font(TypeSize.SMALL, Weight.MEDIUM, tabular=True),
            )
            # What became of it is whole as long as something of the title is left; the number says which file it was.
            remark_width = min(QFontMetrics(small).horizontalAdvance(row.remark) + 1, self.width() - used - 20 - _TITLE_LEAST_PX)
            room = self.width() - used - remark_width - 20
            painting.line(painter, QRect(used + 10, top, room, high), isolated(row.title), Colour.TEXT, small)
            painting.line(painter, QRect(self.width() - remark_width, top, remark_width, high), row.remark, Colour.TEXT_QUIET, small)
        painter.end()
