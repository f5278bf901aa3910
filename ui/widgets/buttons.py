"""Buttons: verbs, in four strengths.

Rules of this module:

- One `PRIMARY` a window. `DANGER` only beside words that name the harm. `GHOST` for what is near its object.
- A key hint is shown on the button, so that the keyboard is learnt by looking; the hint is the shortcut too where `shortcut` is given.
- At least 28 px to hit. Enter and Space press the button that has the focus.
- No `event`, `changeEvent` or `eventFilter` in Python here, nor in what else the first window is made of: to find out what kind of event it
  hands over, PySide6 builds the classes of all events, 2.5 ms. Qt repaints a button itself when the scheme changes.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.early import set_properties

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from PySide6.QtGui import QKeyEvent, QPaintEvent


class ButtonKind(enum.Enum):
    """How strong a button speaks."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    DANGER = "danger"
    GHOST = "ghost"


_PAD_PX = 12
_ICON_PX = 16


def bind(keys: str, button: QAbstractButton) -> None:
    """Press a button by keys anywhere in its window, at once, while it is shown and enabled.

    Not `QAbstractButton.setShortcut`: that one shows the button going down first and clicks 100 ms later, which is long for a lock.
    """
    from PySide6.QtGui import QKeySequence, QShortcut  # noqa: PLC0415 -- the first window's buttons have no keys of their own

    QShortcut(QKeySequence(keys), button).activated.connect(button.click)


def written(keys: str) -> str:
    """Give keys as this system writes them: ``Ctrl+K``, or ⌘K on a Mac."""
    from PySide6.QtGui import QKeySequence  # noqa: PLC0415 -- as in `bind`

    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class PressedByEnter(QAbstractButton):
    """A button that paints itself, and that Enter presses as Space does."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Press on Enter as on Space."""
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- with the first key, after the first paint

        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.click()  # with Ctrl it is the sheet's verb, whatever button has the focus
            return
        super().keyPressEvent(event)


class Button(PressedByEnter):
    """A verb to press."""

    def __init__(
        self,
        words: str,
        kind: ButtonKind = ButtonKind.SECONDARY,
        *,
        icon: IconName | None = None,
        key_hint: str = "",
        shortcut: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Make a button.

        Args:
            words: a verb phrase from `strings`.
            kind: its strength.
            icon: stands before the words.
            key_hint: shown after the words, for example ``Enter``.
            shortcut: a key sequence that presses the button anywhere in its window; shown as hint if none is given.
        """
        super().__init__(parent)
        self._kind = kind
        self._icon = icon
        self._hint = key_hint or (written(shortcut) if shortcut else "")
        theme.set_foreground(self, self._colours()[2])
        self.setText(words.replace("&", "&&"))
        self._words = words
        self.setAccessibleName(words)
        if shortcut:
            bind(shortcut, self)
        set_properties(self, focusPolicy="StrongFocus")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)  # repainted on hover: Fusion sees to it

    def set_words(self, words: str) -> None:
        """Change the verb, for example from "Check out" to "Continue"."""
        self._words = words
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Fit the words, the icon and the hint."""
        width = QFontMetrics(theme.font(weight=Weight.MEDIUM)).horizontalAdvance(self._words) + 2 * _PAD_PX
        if self._icon is not None:
            width += _ICON_PX + painting.GAP_PX
        if self._hint:
            width += QFontMetrics(theme.font(TypeSize.TINY)).horizontalAdvance(self._hint) + 2 * painting.GAP_PX
        return QSize(width + 2, theme.shape().row_px)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Never below what can be hit."""
        return QSize(min(self.sizeHint().width(), 64), theme.shape().row_px)

    def _colours(self) -> tuple[Colour | None, Colour | None, Colour]:
        """Choose ground, edge and ink."""
        pressed, over = self.isDown() or self.isChecked(), self.underMouse()
        if not self.isEnabled():
            return (Colour.SURFACE_2 if self._kind is not ButtonKind.GHOST else None), None, Colour.TEXT_DISABLED
        if self._kind is ButtonKind.PRIMARY:
            return Colour.ACCENT, None, Colour.ON_ACCENT
        if self._kind is ButtonKind.DANGER:
            return Colour.RED, None, Colour.ON_RED
        ground = Colour.SURFACE_3 if pressed else Colour.SURFACE_2 if over else None
        if self._kind is ButtonKind.GHOST:
            return ground, None, Colour.TEXT
        return ground or Colour.SURFACE_1, Colour.EDGE, Colour.TEXT

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint ground, icon, words, hint and focus."""
        painter, at = QPainter(self), self.rect()
        fill, edge, ink = self._colours()
        solid = self._kind in {ButtonKind.PRIMARY, ButtonKind.DANGER} and self.isEnabled()
        if fill is not None or edge is not None:
            painting.panel(painter, at, fill, edge)
        if solid and (self.isDown() or self.underMouse()):
            painter.setOpacity(0.18 if self.isDown() else 0.09)
            painting.panel(painter, at, ink)
            painter.setOpacity(1.0)
        self._paint_content(painter, at.adjusted(_PAD_PX, 0, -_PAD_PX, 0), ink, solid)
        if self.hasFocus():
            if solid:
                painting.focus_ring(painter, at.adjusted(2, 2, -2, -2), theme.shape().radius_px - 2, ink)
            else:
                painting.focus_ring(painter, at)
        painter.end()

    def _paint_content(self, painter: QPainter, inner: QRect, ink: Colour, solid: bool) -> None:
        face, small = theme.font(weight=Weight.MEDIUM), theme.font(TypeSize.TINY)
        hint_width = QFontMetrics(small).horizontalAdvance(self._hint) if self._hint else 0
        words_width = QFontMetrics(face).horizontalAdvance(self._words)
        icon_width = _ICON_PX + painting.GAP_PX if self._icon is not None else 0
        total = icon_width + words_width + (hint_width + 2 * painting.GAP_PX if self._hint else 0)
        left = inner.left() + max(0, (inner.width() - total) // 2)
        if self._icon is not None:
            paint_icon(painter, QRect(left, (self.height() - _ICON_PX) // 2, _ICON_PX, _ICON_PX), self._icon, theme.colour(ink))
            left += icon_width
        space = inner.right() + 1 - left - (hint_width + 2 * painting.GAP_PX if self._hint else 0)
        left += painting.line(painter, QRect(left, 0, max(0, space) + 1, self.height()), self._words, ink, face)
        if self._hint:
            quiet = ink if solid or not self.isEnabled() else Colour.TEXT_QUIET
            painting.line(painter, QRect(left + 2 * painting.GAP_PX, 0, hint_width + 2, self.height()), self._hint, quiet, small)


class IconButton(PressedByEnter):
    """A square of 32 px with an icon; its words are the accessible name and the tooltip."""

    def __init__(
        self, icon: IconName, words: str, *, shortcut: str = "", role: Colour = Colour.TEXT, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._role = role
        self.setAccessibleName(words)
        keys = written(shortcut) if shortcut else ""
        self.setToolTip(f"{words}  {keys}" if keys else words)
        if shortcut:
            bind(shortcut, self)
        set_properties(self, focusPolicy="StrongFocus")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)  # repainted on hover: Fusion sees to it

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """A square as high as a row."""
        return QSize(theme.shape().row_px, theme.shape().row_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the icon, its ground when touched, and focus."""
        painter = QPainter(self)
        if self.isDown() or self.isChecked():
            painting.panel(painter, self.rect(), Colour.SURFACE_3)
        elif self.underMouse() and self.isEnabled():
            painting.panel(painter, self.rect(), Colour.SURFACE_2)
        side = 18
        square = QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
        paint_icon(painter, square, self._icon, theme.colour(self._role if self.isEnabled() else Colour.TEXT_DISABLED))
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()
