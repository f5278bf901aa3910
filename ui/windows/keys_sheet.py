"""F1: every key that does something here and now, read from the same actions the command palette runs.

Rules: nothing is listed that would not work now; painted in two columns; Esc or F1 closes.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings, theme
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.label import Label
from ui.widgets.sheet import Sheet

_ROW_PX = 28
_KEYS_PX = 128

KeyLine = tuple[str, str]


class _Lines(QWidget):
    def __init__(self, lines: Sequence[KeyLine]) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("; ".join(f"{keys}: {words}" for keys, words in lines))

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(420, ((len(self._lines) + 1) // 2) * _ROW_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, half, width = QPainter(self), (len(self._lines) + 1) // 2, self.width() // 2
        face = theme.font(TypeSize.SMALL, Weight.STRONG, tabular=True)
        for index, (keys, words) in enumerate(self._lines):
            left, top = (index // half) * width, (index % half) * _ROW_PX
            painting.line(painter, QRect(left, top, _KEYS_PX, _ROW_PX), keys, Colour.TEXT, face)
            painting.line(
                painter, QRect(left + _KEYS_PX, top, width - _KEYS_PX - 8, _ROW_PX), words, Colour.TEXT_QUIET, theme.font(TypeSize.SMALL)
            )
        painter.end()


class KeysSheet(Sheet):
    """The overview. `groups` are (heading, lines) in order; a line is (keys, words)."""

    def __init__(self, host: QWidget, groups: Sequence[tuple[str, Sequence[KeyLine]]]) -> None:
        super().__init__(host, strings.text("keys.title"), strings.text("keys.close"), width_px=720)
        self.setObjectName("keys_sheet")
        self.secondary.hide()
        for heading, lines in groups:
            if lines:
                self.body.addWidget(Label(heading, TypeSize.SMALL, Weight.STRONG, Colour.TEXT_QUIET))
                self.body.addWidget(_Lines(lines))
        self.accepted.connect(self.dismiss)
        self.dismissed.connect(self.deleteLater)

    def open_over(self) -> None:
        """Show the sheet; Enter, Esc or F1 closes it."""
        super().open_over()
        self.primary.setFocus(Qt.FocusReason.PopupFocusReason)
