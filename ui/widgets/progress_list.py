"""Files on their way into the vault, one row each: name, size, state, and why not.

Rules of this module:

- A file's name may say what a case is about: painted, never given to accessibility.
- A refused file keeps its reason in view. Rows never move while intake runs.
- Thousands of files cost what is on screen.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting

_BAR_PX = 4


class FileState(enum.Enum):
    """Where a file stands."""

    WAITING = "waiting"
    RUNNING = "running"
    TAKEN_IN = "taken_in"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_LOOK = {
    FileState.WAITING: (IconName.WAIT, Tone.PLAIN),
    FileState.RUNNING: (IconName.INTAKE, Tone.ACCENT),
    FileState.TAKEN_IN: (IconName.DONE, Tone.PROVEN),
    FileState.REFUSED: (IconName.REFUSE, Tone.ATTENTION),
    FileState.CANCELLED: (IconName.CANCEL, Tone.PLAIN),
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file. `per_mille` is how far it is while RUNNING, 0..1000; `reason` why it was refused, in words."""

    name: str
    size_bytes: int
    state: FileState
    reason: str = ""
    per_mille: int = 0
    icon: IconName = IconName.FILE


class ProgressBar(QWidget):
    """A thin bar. The words beside it are the owner's: a bar alone says too little."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._per_mille = 0
        self.setFixedHeight(_BAR_PX + 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_progress(0)

    def set_progress(self, per_mille: int) -> None:
        """Show how far, 0..1000."""
        self._per_mille = max(0, min(1000, per_mille))
        self.setAccessibleName(strings.text("progress.percent", n=self._per_mille // 10))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the way and what is done of it."""
        painter = QPainter(self)
        _bar(painter, QRect(0, 1, self.width(), _BAR_PX), self._per_mille)
        painter.end()


def _bar(painter: QPainter, at: QRect, per_mille: int) -> None:
    painting.panel(painter, at, Colour.SURFACE_3, radius_px=2)
    if per_mille:
        painting.panel(
            painter, QRect(at.left(), at.top(), max(_BAR_PX, at.width() * per_mille // 1000), at.height()), Colour.ACCENT_TEXT, radius_px=2
        )


class ProgressList(QAbstractScrollArea):
    """The list of files. Up and Down scroll; `current_changed` is not needed here: every reason is in its row."""

    retry_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[FileRow] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self.viewport().update())
        self._tell()

    def set_files(self, rows: Sequence[FileRow]) -> None:
        """Show these files, in order."""
        self._rows = list(rows)
        self._measure()
        self._tell()
        self.viewport().update()

    def show_file(self, index: int, row: FileRow) -> None:
        """Change one row; only its strip is painted again."""
        self._rows[index] = row
        at = self._rect(index)
        if at.intersects(self.viewport().rect()):
            self.viewport().update(at)
        self._tell()

    def reveal(self, index: int) -> None:
        """Bring a row into view."""
        bar = self.verticalScrollBar()
        bar.setValue(max(min(bar.value(), index), index - bar.pageStep() + 1))

    def _tell(self) -> None:
        done = sum(row.state is FileState.TAKEN_IN for row in self._rows)
        refused = sum(row.state is FileState.REFUSED for row in self._rows)
        self.setAccessibleName(strings.text("progress.summary", n=len(self._rows), done=done, refused=refused))

    def _rect(self, index: int) -> QRect:
        row_px = theme.shape().row_px
        return QRect(0, (index - self.verticalScrollBar().value()) * row_px, self.viewport().width(), row_px)

    def _measure(self) -> None:
        view = max(1, self.viewport().height() // theme.shape().row_px)
        self.verticalScrollBar().setRange(0, max(0, len(self._rows) - view))
        self.verticalScrollBar().setPageStep(view)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Prefer all rows, up to ten."""
        return QSize(480, min(10, max(3, len(self._rows))) * theme.shape().row_px)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Fit the bar."""
        super().resizeEvent(event)
        self._measure()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Scroll."""
        bar = self.verticalScrollBar()
        target = {
            Qt.Key.Key_Down: bar.value() + 1,
            Qt.Key.Key_Up: bar.value() - 1,
            Qt.Key.Key_PageDown: bar.value() + bar.pageStep(),
            Qt.Key.Key_PageUp: bar.value() - bar.pageStep(),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: bar.maximum(),
        }.get(Qt.Key(event.key()))
        if target is None:
            event.ignore()
            return
        bar.setValue(target)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Ask for a refused file again."""
        index = self.verticalScrollBar().value() + int(event.position().y()) // theme.shape().row_px
        if index < len(self._rows) and self._rows[index].state is FileState.REFUSED:
            self.retry_requested.emit(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu."""
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the rows in view."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.colour(Colour.SURFACE_1))
        first = self.verticalScrollBar().value()
        for index in range(first, min(len(self._rows), first + self.verticalScrollBar().pageStep() + 1)):
            self._paint_row(painter, self._rect(index), self._rows[index])
        if self.hasFocus():
            painting.focus_ring(painter, self.viewport().rect(), 2)
        painter.end()

    def _paint_row(self, painter: QPainter, at: QRect, row: FileRow) -> None:
        icon, tone = _LOOK[row.state]
        small, face = theme.font(TypeSize.SMALL, tabular=True), theme.font(TypeSize.SMALL, Weight.MEDIUM)
        paint_icon(painter, QRect(12, at.top() + 8, 16, 16), row.icon, theme.colour(Colour.TEXT_QUIET))
        size_px, state_px = 72, min(360, at.width() * 45 // 100)
        name_px = at.width() - 36 - size_px - state_px - 36
        painting.line(painter, QRect(36, at.top(), name_px, at.height()), row.name)
        left = 36 + name_px + 12
        right = Qt.AlignmentFlag.AlignRight
        painting.line(painter, QRect(left, at.top(), size_px, at.height()), strings.size(row.size_bytes), Colour.TEXT_QUIET, small, right)
        state = QRect(left + size_px + 12, at.top(), state_px, at.height())
        if row.state is FileState.RUNNING:
            percent = strings.text("progress.percent", n=row.per_mille // 10)
            width = QFontMetrics(small).horizontalAdvance(percent)
            _bar(painter, QRect(state.left(), at.top() + (at.height() - _BAR_PX) // 2, state_px - width - 16, _BAR_PX), row.per_mille)
            painting.line(painter, QRect(state.right() - width - 4, at.top(), width + 2, at.height()), percent, Colour.TEXT, small)
            return
        word = strings.text(f"progress.state_{row.state.value}")
        used = painting.mark(painter, state, icon, word, theme.ink(tone), face)
        rest = QRect(state.left() + used + 8, at.top(), state_px - used - 8, at.height())
        painting.line(painter, rest, row.reason, Colour.TEXT_QUIET, theme.font(TypeSize.SMALL))
