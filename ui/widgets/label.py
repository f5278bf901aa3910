"""Words of the interface on a surface: headings, sentences, hints.

Rules of this module:

- For the interface's own words only. Case content goes to `painted_text`, because a QLabel is readable over AT-SPI.
- Never selectable, never a link.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QWidget

from ui import theme
from ui.theme import Colour, TypeSize, Weight


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
        self._tint()

    def set_role(self, role: Colour) -> None:
        """Change the ink, for example to the state's."""
        self._role = role
        self._tint()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Take the new scheme's ink."""
        if event.type() is QEvent.Type.ApplicationPaletteChange:
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.WindowText, theme.colour(self._role))
        self.setPalette(palette)
