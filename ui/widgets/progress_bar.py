"""How far something is: a thin bar beside words that say the same."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings
from ui.theme import Colour
from ui.widgets import painting

_BAR_PX = 4


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
        at = QRect(0, 1, self.width(), _BAR_PX)
        painting.panel(painter, at, Colour.SURFACE_3, radius_px=2)
        if self._per_mille:
            done = max(_BAR_PX, at.width() * self._per_mille // 1000)
            painting.panel(painter, QRect(at.left(), at.top(), done, at.height()), Colour.ACCENT_TEXT, radius_px=2)
        painter.end()
