"""Words of the interface on a surface: headings, sentences, hints.

Rules of this module:

- For the interface's own words only. Case content goes to `painted_text`, because a QLabel is readable over AT-SPI.
- Never selectable, never a link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel, QWidget

from ui import theme
from ui.theme import Colour, TypeSize, Weight

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from PySide6.QtGui import QPaintEvent


class Label(QLabel):
    """A line or a wrapped paragraph of the interface's words."""

    def __init__(
        self,
        words: str = "",
        size: TypeSize = TypeSize.BODY,
        weight: Weight = Weight.REGULAR,
        role: Colour = Colour.TEXT,
        *,
        wrap: bool = False,
        tabular: bool = False,
        mono: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(words, parent)
        self._role = role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setWordWrap(wrap)
        self.setFont(theme.font(size, weight, tabular=tabular, mono=mono))

    def set_role(self, role: Colour) -> None:
        """Change the ink, for example to the state's."""
        self._role = role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the words in today's ink. Not by palette: a style sheet puts an older palette back when the label changes its parent."""
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(theme.colour(self._role if self.isEnabled() else Colour.TEXT_DISABLED))
        wrap = Qt.TextFlag.TextWordWrap if self.wordWrap() else Qt.TextFlag.TextSingleLine
        painter.drawText(self.contentsRect(), int(self.alignment()) | int(wrap), self.text())
        painter.end()
