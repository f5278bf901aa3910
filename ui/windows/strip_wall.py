"""A wall of strips: every case file that is out, one strip each, as a dispatcher's board shows it.

Rules of this module:

- Strips are painted, and only those in view: ten thousand cost what ten cost. Case numbers are not given to accessibility; how many strips
  there are, who holds the current one and when it is due, is.
- Arrow keys move in reading order of the wall, Home and End go to its ends. The current strip carries the verbs, so that they are where the
  eye is.
- Overdue and flagged are an icon and a word, never a colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolTip, QWidget

from ui import strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.cells import DUE_SOON_US
from ui.widgets.ringed_area import RingedArea
from ui.windows.naming import badge_first, isolated, who
from vault.domain.identity import CheckOutId
from vault.services.views import BoardLine

_LEAST_WIDTH_PX = 400
_HEIGHT_PX = 124
_GAP_PX = 12
_PAD_PX = 16


def board_order(lines: Sequence[BoardLine]) -> list[BoardLine]:
    """Put strips in order: overdue first, the longest overdue on top; then by when they are due."""
    return sorted(lines, key=lambda line: (not line.overdue, line.due_back_us, line.check_out_no))


class StripWall(RingedArea):
    """The wall. `current_changed` when another strip is the current one; `verbs` is the row of buttons that stands on it."""

    current_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[BoardLine] = []
        self._current = -1
        self.setObjectName("custody_wall")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(_HEIGHT_PX // 3)
        self.verticalScrollBar().valueChanged.connect(self._place_verbs)
        self.verbs = QWidget(self.viewport())
        self.verbs_row = QHBoxLayout(self.verbs)
        self.verbs_row.setContentsMargins(0, 0, 0, 0)
        self.verbs_row.setSpacing(8)
        self.verbs.hide()
        self._tell()

    # -- content ---------------------------------------------------------------------------------------------------------------------

    def show_lines(self, lines: Sequence[BoardLine]) -> None:
        """Show these strips in this order; the current strip stays current if it is still there, otherwise its place does."""
        kept = self.current()
        self._lines = list(lines)
        at = next((i for i, line in enumerate(self._lines) if kept is not None and line.check_out_id == kept.check_out_id), -1)
        self._current = at if at >= 0 else min(max(0, self._current), len(self._lines) - 1)
        self._range()
        self._tell()
        self.viewport().update()
        self._place_verbs()
        self.current_changed.emit()

    def current(self) -> BoardLine | None:
        """Give the strip that has the verbs."""
        return self._lines[self._current] if 0 <= self._current < len(self._lines) else None

    def choose(self, check_out_id: CheckOutId) -> None:
        """Make a strip the current one."""
        at = next((i for i, line in enumerate(self._lines) if line.check_out_id == check_out_id), -1)
        if at >= 0:
            self._go(at)

    def _tell(self) -> None:
        self.setAccessibleName(f"{strings.text('custody.board')}, {strings.number(len(self._lines))}")
        line = self.current()
        self.setAccessibleDescription("" if line is None else f"{who(line.holder)}, {strings.duration_left(line.due_back_us)}")

    # -- geometry --------------------------------------------------------------------------------------------------------------------

    def _columns(self) -> int:
        return max(1, (self.viewport().width() + _GAP_PX) // (_LEAST_WIDTH_PX + _GAP_PX))

    def _strip_rect(self, index: int) -> QRect:
        columns = self._columns()
        width = (self.viewport().width() - (columns - 1) * _GAP_PX) // columns
        row, column = divmod(index, columns)
        return QRect(column * (width + _GAP_PX), row * (_HEIGHT_PX + _GAP_PX) - self.verticalScrollBar().value(), width, _HEIGHT_PX)

    def _range(self) -> None:
        columns = self._columns()
        rows = -(-len(self._lines) // columns)
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, rows * (_HEIGHT_PX + _GAP_PX) - _GAP_PX - self.viewport().height()))

    def _place_verbs(self) -> None:
        if self.current() is None:
            self.verbs.hide()
            return
        at, size = self._strip_rect(self._current), self.verbs.sizeHint()
        self.verbs.setGeometry(at.right() - size.width() - 9, at.bottom() - size.height() - 9, size.width(), size.height())
        self.verbs.show()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Lay the wall out anew."""
        super().resizeEvent(event)
        self._range()
        self._place_verbs()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Take what there is."""
        return QSize(_LEAST_WIDTH_PX, 2 * _HEIGHT_PX)

    # -- moving ----------------------------------------------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        if not self._lines:
            return
        self._current = max(0, min(index, len(self._lines) - 1))
        at, bar = self._strip_rect(self._current), self.verticalScrollBar()
        if at.top() < 0:
            bar.setValue(bar.value() + at.top())
        elif at.bottom() > self.viewport().height():
            bar.setValue(bar.value() + at.bottom() - self.viewport().height() + 1)
        self._tell()
        self._place_verbs()
        self.viewport().update()
        self.current_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move."""
        columns = self._columns()
        page = max(1, self.viewport().height() // (_HEIGHT_PX + _GAP_PX)) * columns
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_K: -1,
            Qt.Key.Key_J: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._lines),
            Qt.Key.Key_End: len(self._lines),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        # Up from the first row stays in its column instead of jumping to the first strip.
        target = self._current + step
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down} and not 0 <= target < len(self._lines):
            return
        self._go(target)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Make the strip pointed at current."""
        for index in self._in_view():
            if self._strip_rect(index).contains(event.position().toPoint()):
                self._go(index)

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Tell who has it and where, whole, and a strip's times with their zone on hover."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for index in self._in_view():
                if self._strip_rect(index).contains(event.pos()):
                    line = self._lines[index]
                    since = strings.text("custody.since", time=strings.local_time_full(line.taken_us))
                    due = strings.text("custody.due", time=strings.local_time_full(line.due_back_us))
                    QToolTip.showText(event.globalPos(), f"{who(line.holder)}\n{line.workstation_name}\n{since}\n{due}", self)
                    return True
        return super().viewportEvent(event)

    # -- painting --------------------------------------------------------------------------------------------------------------------

    def _in_view(self) -> range:
        columns, step = self._columns(), _HEIGHT_PX + _GAP_PX
        first = self.verticalScrollBar().value() // step
        last = (self.verticalScrollBar().value() + self.viewport().height()) // step
        return range(first * columns, min(len(self._lines), (last + 1) * columns))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the strips in view."""
        painter = QPainter(self.viewport())
        for index in self._in_view():
            self._paint_strip(painter, self._strip_rect(index), self._lines[index], current=index == self._current)
        painter.end()

    def _paint_strip(self, painter: QPainter, at: QRect, line: BoardLine, *, current: bool) -> None:
        painting.panel(painter, at, Colour.SURFACE_1, Colour.EDGE if current else Colour.DIVIDER)
        if line.overdue:
            painter.fillRect(QRect(at.left() + 1, at.top() + 6, 4, at.height() - 12), theme.colour(Colour.RED))
        inner = at.adjusted(_PAD_PX, 10, -12, -10)
        row = QRect(inner.left(), inner.top(), inner.width(), 26)
        due = strings.duration_left(line.due_back_us)
        face = theme.font(TypeSize.BODY, Weight.STRONG if line.overdue else Weight.MEDIUM, tabular=True)
        soon = line.due_back_us - strings.now_us() < DUE_SOON_US
        icon, tone = (IconName.WARNING, Tone.BREACH) if line.overdue else (IconName.CLOCK, Tone.ATTENTION if soon else Tone.PLAIN)
        wide = painting.mark_width(due, face, icon) + 2
        painting.mark(painter, QRect(row.right() - wide, row.top(), wide + 1, row.height()), icon, due, theme.ink(tone), face)
        title = QRect(row.left(), row.top(), row.width() - wide - 16, row.height())
        painting.line(painter, title, line.case_label, Colour.TEXT, theme.font(TypeSize.TITLE, Weight.STRONG, tabular=True))
        row.translate(0, 27)
        row.setHeight(22)
        painting.line(painter, row, _holder(line), Colour.TEXT, theme.font(weight=Weight.MEDIUM))
        row.translate(0, 22)
        quiet = theme.font(TypeSize.SMALL, tabular=True)
        since = strings.text("custody.since", time=strings.local_time(line.taken_us))
        due_at = strings.text("custody.due", time=strings.local_time(line.due_back_us))
        number = strings.text("custody.check_out_no", no=line.check_out_no)
        painting.line(painter, row, " · ".join((since, due_at, line.workstation_name, number)), Colour.TEXT_QUIET, quiet)
        self._paint_purpose(painter, QRect(inner.left(), inner.bottom() - 25, inner.width(), 24), line, current=current)
        if current and self.hasFocus():
            painting.focus_ring(painter, at)

    def _paint_purpose(self, painter: QPainter, at: QRect, line: BoardLine, *, current: bool) -> None:
        if current:
            at.setRight(at.right() - self.verbs.sizeHint().width() - 8)
        small = theme.font(TypeSize.SMALL, Weight.MEDIUM)
        marks: list[tuple[IconName | None, str, Tone]] = []
        if line.recalled_us:
            marks.append((IconName.RECALL, strings.text("custody.recalled", age=strings.age(line.recalled_us)), Tone.ATTENTION))
        if line.flagged:
            marks.append((IconName.BREACHES, strings.text("custody.flagged"), Tone.ATTENTION))
        purpose = strings.text(f"purpose.{line.purpose.value}")
        room = QFontMetrics(small).horizontalAdvance(purpose)
        if not marks or not current or room + 140 < at.width():
            marks.append((None, purpose, Tone.PLAIN))
        for icon, word, tone in marks:
            at.setLeft(at.left() + painting.mark(painter, at, icon, word, theme.ink(tone), small) + 14)


def _holder(line: BoardLine) -> str:
    """Name the holder with the badge first: of a long name the end is cut, and a name alone is nobody's."""
    return f"{badge_first(line.holder)} · {isolated(line.holder.unit_name)}"
