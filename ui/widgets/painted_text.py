"""Case text that stands alone (a title in a sheet, a value in the inspector), painted.

Rules of this module:

- The text is painted and is nowhere else: no stock text widget, no accessible text, no tooltip, no selection, no clipboard. The accessible
  name is a constant. (Every stock widget that was tried gave its text away over AT-SPI; a painted one gave nothing.)
- Wraps to its width; `max_lines` elides the last.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings, theme
from ui.theme import Colour, TypeSize, Weight

_NATURAL_PX = 240
_LEAST_PX = 32


class PaintedText(QWidget):
    """A paragraph of case text."""

    def __init__(
        self,
        size: TypeSize = TypeSize.BODY,
        weight: Weight = Weight.REGULAR,
        role: Colour = Colour.TEXT,
        *,
        max_lines: int = 0,
        tabular: bool = False,
        mono: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text = ""
        self._line_px = 0
        self._font_key = (size, weight, tabular, mono)
        self._role = role
        self._max_lines = max_lines
        self.setAccessibleName(strings.text("accessible.case_text"))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_text(self, words: str) -> None:
        """Paint these words from now on. An empty string shows nothing."""
        self._text = words
        self.updateGeometry()
        self.update()

    def _face(self) -> QFont:
        size, weight, tabular, mono = self._font_key
        return theme.font(size, weight, tabular=tabular, mono=mono)

    def _lines(self, width_px: int) -> list[tuple[int, int]]:
        """Break the text: (start, length) of each line at this width. Notes the height of a line."""
        self._line_px = QFontMetrics(self._face()).lineSpacing()
        layout = QTextLayout(self._text, self._face())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        found = []
        layout.beginLayout()
        while (piece := layout.createLine()).isValid():
            piece.setLineWidth(max(1, width_px))
            piece.setPosition(QPointF(0, 0))
            found.append((piece.textStart(), piece.textLength()))
            # A script our font does not have comes from another one, whose lines may be taller.
            self._line_px = max(self._line_px, math.ceil(piece.height()))
        layout.endLayout()
        return found

    def hasHeightForWidth(self) -> bool:  # noqa: N802 -- Qt's name
        """Wrapped text is taller where it is narrower."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        """Give the height the text takes at a width, in pixels."""
        count = len(self._lines(width)) or 1
        if self._max_lines:
            count = min(count, self._max_lines)
        return count * self._line_px

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Prefer one line up to a readable measure."""
        wanted = QFontMetrics(self._face()).horizontalAdvance(self._text) + 2
        width = min(wanted, _NATURAL_PX)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Shrink to almost nothing: the text wraps."""
        return QSize(_LEAST_PX, QFontMetrics(self._face()).lineSpacing())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the lines."""
        painter, face = QPainter(self), self._face()
        metrics = QFontMetrics(face)
        painter.setFont(face)
        painter.setPen(theme.colour(self._role if self.isEnabled() else Colour.TEXT_DISABLED))
        pieces = self._lines(self.width())
        shown = pieces[: self._max_lines] if self._max_lines else pieces
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
        for row, (start, length) in enumerate(shown):
            words = self._text[start : start + length].strip()
            if row == len(shown) - 1 and len(shown) < len(pieces):
                words = metrics.elidedText(self._text[start:], Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(0, row * self._line_px, self.width(), self._line_px, int(align), words)
        painter.end()
