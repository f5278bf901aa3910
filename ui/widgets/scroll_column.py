"""A column that scrolls when it is taller than its place, and asks for the height its wrapped words really need.

Rules of this module:

- The scroll bar appears only when something would be cut off. (A plain scroll area takes the least height of wrapped text at its least
  width and squeezes or scrolls for nothing.)
- The column has no ground of its own.
- A column in which nothing can have the keyboard is a `ReadColumn`: otherwise what is below its edge is there for a mouse only.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from ui.widgets import painting


class _Inner(QWidget):
    """Keeps its least height true for its width."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)

    def needed_px(self, width_px: int) -> int:
        if self.column.hasHeightForWidth():
            return self.column.totalHeightForWidth(width_px)
        return self.column.totalSizeHint().height()

    def settle(self) -> None:
        needed = self.needed_px(self.width())
        if needed != self.minimumHeight():
            self.setMinimumHeight(needed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        self.settle()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self.settle()
        return super().event(event)


class ScrollColumn(QScrollArea):
    """Put widgets into `column`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inner = _Inner()
        self.column = self._inner.column
        self.setWidget(self._inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self._inner.setAutoFillBackground(False)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    def present(self, piece: QWidget) -> None:
        """Put a piece into the column, shown and laid out when this returns: Qt does both in a later turn of the event loop."""
        self.column.addWidget(piece)
        piece.show()
        self._inner.settle()
        QCoreApplication.sendEvent(self, QEvent(QEvent.Type.LayoutRequest))  # Qt fits column and bar

    def height_at(self, width_px: int) -> int:
        """Give the height at which nothing needs to scroll, for a width."""
        return self._inner.needed_px(width_px)

    def _focus_moved(self, _before: QWidget | None, now: QWidget | None) -> None:
        """What gets the keyboard comes into view, by whatever key; under the pointer nothing moves away."""
        if now is not None and self._inner.isAncestorOf(now) and not QGuiApplication.mouseButtons():
            self._bring(now)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """What has the keyboard stays in view when a notice above takes room."""
        super().resizeEvent(event)
        self._keep_focus_in_view()

    def _keep_focus_in_view(self) -> None:
        focused = self.focusWidget()
        if focused is not None and focused.hasFocus() and self._inner.isAncestorOf(focused):
            self._bring(focused)

    def _bring(self, widget: QWidget) -> None:
        """Scroll a widget into view, whole where there is room: Qt would be content with its text cursor."""
        middle = widget.mapTo(self._inner, widget.rect().center())
        self.ensureVisible(middle.x(), middle.y(), 0, min(widget.height() // 2 + 8, self.viewport().height() // 2))


class ReadColumn(ScrollColumn):
    """A column that is only read. Tab stops at it while it is taller than its place; the arrow keys, PgUp, PgDn, Home and End scroll it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Make an empty column; `name` is its accessible name."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.verticalScrollBar().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().rangeChanged.connect(self._be_a_stop)

    def _focus_moved(self, before: QWidget | None, now: QWidget | None) -> None:
        super()._focus_moved(before, now)
        if self in {before, now}:
            self.viewport().update()  # the ring comes and goes; Qt repaints the frame alone

    def _be_a_stop(self, _lowest: int, highest: int) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if highest else Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go to an end; the rest is Qt's."""
        bar = self.verticalScrollBar()
        ends = {Qt.Key.Key_Home: bar.minimum(), Qt.Key.Key_End: bar.maximum()}
        if event.key() in ends and not event.modifiers():
            bar.setValue(ends[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint the ring."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painting.focus_ring(painter, self.viewport().rect())
            painter.end()
