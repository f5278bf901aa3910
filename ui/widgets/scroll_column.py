"""A column that scrolls when it is taller than its place, and asks for the height its wrapped words really need.

Rules of this module:

- The scroll bar appears only when something would be cut off. (A plain scroll area takes the least height of wrapped text at its least
  width and squeezes or scrolls for nothing.)
- The column has no ground of its own.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget


class _Inner(QWidget):
    """Keeps its least height true for its width."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)

    def needed_px(self, width_px: int) -> int:
        if self.column.hasHeightForWidth():
            return self.column.totalHeightForWidth(width_px)
        return self.column.totalSizeHint().height()

    def _settle(self) -> None:
        needed = self.needed_px(self.width())
        if needed != self.minimumHeight():
            self.setMinimumHeight(needed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        self._settle()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self._settle()
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

    def height_at(self, width_px: int) -> int:
        """Give the height at which nothing needs to scroll, for a width."""
        return self._inner.needed_px(width_px)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 -- Qt's names
        """Let the owner choose the next stop; what gets the keyboard comes into view."""
        moved = super().focusNextPrevChild(next)
        self._keep_focus_in_view()
        return moved

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """What has the keyboard stays in view when a notice above takes room."""
        super().resizeEvent(event)
        self._keep_focus_in_view()

    def _keep_focus_in_view(self) -> None:
        focused = self.focusWidget()
        if focused is not None and focused.hasFocus() and self._inner.isAncestorOf(focused):
            self.ensureWidgetVisible(focused, 8, 8)
