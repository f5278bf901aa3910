"""Chips: a small fact with icon, word and tone; and filters that are chips.

Rules of this module:

- Interface words and identifiers only; a chip's text is readable by assistive technology.
- A filter that is on shows a tick as well as its ground: never colour alone.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import PressedByEnter

_PAD_PX = 8
_HEIGHT_PX = 24


class Chip(QWidget):
    """A fact, not a control."""

    def __init__(self, words: str, tone: Tone = Tone.PLAIN, icon: IconName | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._tone, self._icon = words, tone, icon
        self.setAccessibleName(words)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_fact(self, words: str, tone: Tone = Tone.PLAIN, icon: IconName | None = None) -> None:
        """Change what the chip says."""
        self._words, self._tone, self._icon = words, tone, icon
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Fit icon and words."""
        width = painting.mark_width(self._words, theme.font(TypeSize.SMALL, Weight.MEDIUM, tabular=True), self._icon)
        return QSize(width + 2 * _PAD_PX + 1, _HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint ground and mark."""
        painter = QPainter(self)
        painting.panel(painter, self.rect(), theme.ground(self._tone), radius_px=4)
        face = theme.font(TypeSize.SMALL, Weight.MEDIUM, tabular=True)
        painting.mark(painter, self.rect().adjusted(_PAD_PX, 0, -_PAD_PX + 1, 0), self._icon, self._words, theme.ink(self._tone), face)
        painter.end()


class FilterChip(PressedByEnter):
    """A filter that is on or off; Space and Enter toggle it. `toggled` and `isChecked` are QAbstractButton's."""

    def __init__(self, words: str, *, on: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setChecked(on)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Keep room for the tick, so that toggling moves nothing."""
        width = painting.mark_width(self._words, theme.font(TypeSize.SMALL, Weight.MEDIUM), IconName.CHECK)
        return QSize(width + 2 * _PAD_PX + 2, theme.shape().hit_px)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Repaint in the new scheme."""
        self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint outline, tick when on, words and focus."""
        painter, on = QPainter(self), self.isChecked()
        fill = Colour.ACCENT_SOFT if on else Colour.SURFACE_2 if self.underMouse() else Colour.SURFACE_1
        painting.panel(painter, self.rect(), fill, Colour.ACCENT_TEXT if on else Colour.EDGE, radius_px=self.height() // 2)
        face, role = theme.font(TypeSize.SMALL, Weight.MEDIUM), Colour.ACCENT_TEXT if on else Colour.TEXT
        inner = self.rect().adjusted(_PAD_PX, 0, -_PAD_PX + 2, 0)
        if on:
            painting.mark(painter, inner, IconName.CHECK, self._words, role, face)
        else:
            painting.line(painter, inner, self._words, role, face, Qt.AlignmentFlag.AlignHCenter)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect(), self.height() // 2)
        painter.end()
