"""Words of the interface on a surface: headings, sentences, hints.

Rules of this module:

- For the interface's own words only. Case content goes to `painted_text`, because a QLabel is readable over AT-SPI.
- Never selectable, never a link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel, QWidget

from ui import theme
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.early import set_properties

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from PySide6.QtCore import Qt
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
        self._height_asked, self._height_px = (-1, "", ""), 0  # before Qt asks, which it does while it makes the label
        super().__init__(words, parent)
        self._role = role
        self._align = painting.ALIGN_LEFT | painting.ALIGN_VCENTER
        set_properties(self, textFormat="PlainText", textInteractionFlags="NoTextInteraction")
        self.setWordWrap(wrap)
        theme.set_foreground(self, role)
        self.setFont(theme.font(size, weight, tabular=tabular, mono=mono))

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        """As Qt's, remembered: a layout asks for one width again and again, and each answer breaks the paragraph anew."""
        asked = (width - self.contentsMargins().left(), self.text(), self.font().key())
        if asked != self._height_asked:
            self._height_asked, self._height_px = asked, super().heightForWidth(width)
        return self._height_px

    def set_role(self, role: Colour) -> None:
        """Change the ink, for example to the state's."""
        self._role = role
        theme.set_foreground(self, role)
        self.update()

    def setAlignment(self, alignment: Qt.AlignmentFlag) -> None:  # noqa: N802 -- Qt's name
        """Align the words in their place."""
        self._align = alignment.value
        super().setAlignment(alignment)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the words in today's ink. Not by palette alone: a style sheet puts an older one back when the label changes its parent."""
        painter = QPainter(self)
        painter.setFont(self.font())
        painting.set_ink(painter, self._role if self.isEnabled() else Colour.TEXT_DISABLED)
        wrap = painting.WORD_WRAP if self.wordWrap() else painting.SINGLE_LINE
        painter.drawText(self.contentsRect(), self._align | wrap, self.text())
        painter.end()
