"""A QR code as a picture: for enrolment of the second factor.

Rules of this module:

- Always dark on white with a quiet zone of four modules, in both schemes: scanners need it.
- The matrix holds a secret: `clear` forgets it, and hiding the widget does too.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings

_QUIET_MODULES = 4


class QrCode(QWidget):
    """A square of modules."""

    def __init__(self, side_px: int = 220, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side_px = side_px
        self._rows: tuple[tuple[bool, ...], ...] = ()
        self.setAccessibleName(strings.text("accessible.qr"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_matrix(self, rows: Sequence[Sequence[bool]]) -> None:
        """Show a square matrix, True for dark."""
        self._rows = tuple(tuple(row) for row in rows)
        self.update()

    def clear(self) -> None:
        """Forget the matrix."""
        self._rows = ()
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """Forget the matrix when it is no longer looked at."""
        self.clear()
        super().hideEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """A square."""
        return QSize(self._side_px, self._side_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint whole-pixel modules, so that every edge is sharp."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        count = len(self._rows) + 2 * _QUIET_MODULES
        module_px = min(self.width(), self.height()) // count if self._rows else 0
        left = (self.width() - module_px * len(self._rows)) // 2
        top = (self.height() - module_px * len(self._rows)) // 2
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(left + x * module_px, top + y * module_px, module_px, module_px, Qt.GlobalColor.black)
        painter.end()
