"""The left rail: the places this role can go, with what waits in each.

Rules of this module:

- Icon, word, count. Narrow, it keeps icons and counts; the word is then the tooltip, and always the accessible name.
- Ctrl+1 to Ctrl+9 go to the places in order; Up and Down move between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import PressedByEnter, bind

_WIDE_PX, _NARROW_PX = 176, 52
_ITEM_PX = 36
_KEYED = 9


@dataclass(frozen=True, slots=True)
class Place:
    """One place. `key` names it to the owner."""

    key: str
    words: str
    icon: IconName


class _PlaceButton(PressedByEnter):
    def __init__(self, place: Place, position: int) -> None:
        super().__init__()
        self.place = place
        self.narrow = False
        self._count, self._tone = 0, Tone.PLAIN
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        keys = QKeySequence(f"Ctrl+{position}")
        if position <= _KEYED:
            bind(keys.toString(), self)
        self.setToolTip(f"{place.words}  {keys.toString(QKeySequence.SequenceFormat.NativeText)}" if position <= _KEYED else place.words)
        self.set_count(0, Tone.PLAIN)

    def nextCheckState(self) -> None:  # noqa: N802 -- Qt's name
        """Stay as it is: the owner says where we are."""

    def set_count(self, count: int, tone: Tone) -> None:
        self._count, self._tone = count, tone
        self.setAccessibleName(strings.text("rail.place_with_count", place=self.place.words, n=count) if count else self.place.words)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(_NARROW_PX if self.narrow else _WIDE_PX, _ITEM_PX)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(_NARROW_PX - 8, theme.shape().hit_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, at = QPainter(self), self.rect().adjusted(0, 1, 0, -1)
        here = self.isChecked()
        if here or self.underMouse():
            painting.panel(painter, at, Colour.SURFACE_3 if here else Colour.SURFACE_0)
        if here:
            painting.panel(painter, QRect(0, at.top() + 8, 3, at.height() - 16), Colour.ACCENT_TEXT, radius_px=1)
        enabled = Colour.TEXT if self.isEnabled() else Colour.TEXT_DISABLED
        role = Colour.ACCENT_TEXT if here and self.isEnabled() else enabled
        left = ((self.width() - 20) // 2 if not self._count else 6) if self.narrow else 12
        paint_icon(painter, QRect(left, (self.height() - 20) // 2, 20, 20), self.place.icon, theme.colour(role))
        badge = self._paint_count(painter)
        if not self.narrow:
            face = theme.font(weight=Weight.STRONG if here else Weight.MEDIUM)
            painting.line(painter, QRect(44, 0, self.width() - 44 - badge - 8, self.height()), self.place.words, enabled, face)
        if self.hasFocus():
            painting.focus_ring(painter, at)
        painter.end()

    def _paint_count(self, painter: QPainter) -> int:
        """Paint the count; give the width it took from the right."""
        if not self._count:
            return 0
        shown = strings.number(self._count) if self._count < 1000 else strings.text("rail.many")  # noqa: PLR2004 -- three figures fit
        face = theme.font(TypeSize.TINY, Weight.STRONG, tabular=True)
        width = max(18, QFontMetrics(face).horizontalAdvance(shown) + 10)
        top = 3 if self.narrow else (self.height() - 18) // 2
        at = QRect(self.width() - width - (2 if self.narrow else 8), top, width, 18)
        urgent = self._tone is Tone.BREACH
        fill = Colour.RED if urgent else theme.ground(self._tone) if self._tone is not Tone.PLAIN else Colour.SURFACE_1
        painting.panel(painter, at, fill, None if urgent else Colour.DIVIDER, radius_px=9)
        ink = Colour.ON_RED if urgent else theme.ink(self._tone)
        painting.line(painter, at, shown, ink, face, Qt.AlignmentFlag.AlignHCenter)
        return width + 8


class Rail(QWidget):
    """The list of places. `chosen` carries the place's key, once a change."""

    chosen = Signal(str)

    def __init__(self, places: Sequence[Place] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, _PlaceButton] = {}
        self._narrow = False
        self.setAccessibleName(strings.text("rail.name"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        self.set_places(places)
        self.set_narrow(narrow=False)

    def set_places(self, places: Sequence[Place]) -> None:
        """Replace the places, in order; the first nine get a key."""
        for button in self._buttons.values():
            self._column.removeWidget(button)
            button.deleteLater()
        self._buttons = {}
        for position, place in enumerate(places, 1):
            button = _PlaceButton(place, position)
            button.narrow = self._narrow
            button.clicked.connect(lambda _on=False, key=place.key: self.chosen.emit(key))
            self._buttons[place.key] = button
            self._column.insertWidget(position - 1, button)

    def set_current(self, key: str) -> None:
        """Mark where we are; emits nothing."""
        for place, button in self._buttons.items():
            button.setChecked(place == key)

    def set_count(self, key: str, count: int, tone: Tone = Tone.PLAIN) -> None:
        """Show what waits in a place; 0 shows nothing. BREACH tone for unacknowledged high severity."""
        if key in self._buttons:
            self._buttons[key].set_count(count, tone)

    def set_narrow(self, *, narrow: bool) -> None:
        """Keep icons only, for small windows and big scales."""
        self._narrow = narrow
        for button in self._buttons.values():
            button.narrow = narrow
            button.updateGeometry()
            button.update()
        self.setFixedWidth(_NARROW_PX + 8 if narrow else _WIDE_PX + 16)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Repaint in the new scheme."""
        self.update()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move between places without leaving the rail."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        buttons = list(self._buttons.values())
        focused = next((i for i, button in enumerate(buttons) if button.hasFocus()), None)
        if step is None or focused is None:
            super().keyPressEvent(event)
            return
        buttons[(focused + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground and the line to the content."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_2))
        painter.fillRect(QRect(self.width() - 1, 0, 1, self.height()), theme.colour(Colour.DIVIDER))
        painter.end()
