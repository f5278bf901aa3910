"""A short numbered choice: press its number.

Rules of this module:

- One to nine choices, each with its number key, a word and an optional quiet remark; exactly one can be chosen, none at first unless said.
- Up and Down move, the number chooses, Enter on a choice chooses and says `submitted`.
- The words are the interface's (purposes, findings); a case's own words in the remark are painted and not given to accessibility.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting

_NUMBER_PX = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice. `remark` is quiet text after the words; `flagged` marks a choice that is allowed and reported."""

    value: str
    words: str
    remark: str = ""
    flagged: bool = False


class NumberedChoices(QWidget):
    """The list of choices."""

    chosen = Signal(str)
    submitted = Signal(str)

    def __init__(self, choices: Sequence[Choice] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices: tuple[Choice, ...] = ()
        self._chosen = -1
        self._over = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_choices(choices)

    def set_choices(self, choices: Sequence[Choice], chosen: str = "") -> None:
        """Replace the choices; at most nine are kept, because nine have a key."""
        self._choices = tuple(choices)[:9]
        self._chosen = next((i for i, choice in enumerate(self._choices) if choice.value == chosen), -1)
        self._over = max(0, self._chosen)
        self._tell()
        self.updateGeometry()
        self.update()

    def value(self) -> str:
        """Give the chosen value, or an empty string."""
        return self._choices[self._chosen].value if self._chosen >= 0 else ""

    def choose(self, index: int) -> None:
        """Choose by position, 0-based; out of range changes nothing."""
        if 0 <= index < len(self._choices):
            self._chosen = self._over = index
            self._tell()
            self.update()
            self.chosen.emit(self._choices[index].value)

    def _tell(self) -> None:
        names = [f"{i + 1} {choice.words}" for i, choice in enumerate(self._choices)]
        self.setAccessibleName(", ".join(names))
        words = self._choices[self._chosen].words if self._chosen >= 0 else strings.text("choices.none")
        self.setAccessibleDescription(words)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """One row a choice."""
        return QSize(280, len(self._choices) * theme.shape().row_px)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Number, Up, Down, Enter, Space."""
        key = event.key()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)  # Ctrl+Enter is the sheet's verb: it must not choose on the way
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
            self.choose(key - Qt.Key.Key_1)
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            step = 1 if key == Qt.Key.Key_Down else -1
            self.choose(max(0, min(len(self._choices) - 1, (self._chosen if self._chosen >= 0 else self._over - step) + step)))
        elif key == Qt.Key.Key_Space:
            self.choose(self._over)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self._choices:
            self.choose(self._over)
            self.submitted.emit(self.value())
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose by pointing."""
        self.choose(int(event.position().y()) // theme.shape().row_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint number, words and remark of each; a tick and a ground for the chosen one."""
        painter, row_px = QPainter(self), theme.shape().row_px
        for index, choice in enumerate(self._choices):
            row = QRect(0, index * row_px, self.width(), row_px)
            picked = index == self._chosen
            if picked:
                painting.panel(painter, row.adjusted(0, 1, 0, -1), Colour.ACCENT_SOFT)
            badge = QRect(8, row.top() + (row_px - _NUMBER_PX) // 2, _NUMBER_PX, _NUMBER_PX)
            painting.panel(painter, badge, Colour.ACCENT if picked else Colour.SURFACE_1, None if picked else Colour.EDGE, 4)
            face = theme.font(TypeSize.SMALL, Weight.STRONG, tabular=True)
            ink = Colour.ON_ACCENT if picked else Colour.TEXT
            painting.line(painter, badge, str(index + 1), ink, face, Qt.AlignmentFlag.AlignHCenter)
            self._paint_words(painter, QRect(badge.right() + 11, row.top(), row.width() - badge.right() - 44, row_px), choice, picked)
            if picked:
                paint_icon(painter, QRect(row.right() - 26, row.top() + 8, 16, 16), IconName.CHECK, theme.colour(Colour.ACCENT_TEXT))
            if self.hasFocus() and index == self._over:
                painting.focus_ring(painter, row.adjusted(0, 1, 0, -1))
        painter.end()

    def _paint_words(self, painter: QPainter, at: QRect, choice: Choice, picked: bool) -> None:
        used = painting.line(painter, at, choice.words, Colour.TEXT, theme.font(weight=Weight.MEDIUM if picked else Weight.REGULAR))
        at.setLeft(at.left() + used + 8)
        if choice.flagged:
            small = theme.font(TypeSize.SMALL, Weight.MEDIUM)
            painting.mark(painter, at, IconName.BREACHES, strings.text("choices.flagged"), theme.ink(Tone.ATTENTION), small)
        elif choice.remark:
            painting.line(painter, at, choice.remark, Colour.TEXT_QUIET, theme.font(TypeSize.SMALL))
