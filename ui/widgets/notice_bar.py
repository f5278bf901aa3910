"""A notice at the top of a window: what happened, that it was recorded, one thing to do about it.

Rules of this module:

- For low severity; high severity is a sheet. It pushes the content down and covers nothing.
- Shown until it is closed or replaced: nobody has to be quick to read what was recorded about them.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind, IconButton
from ui.widgets.label import Label

_ICON_PX = 18


class NoticeBar(QWidget):
    """Hidden until `show_notice`."""

    acted = Signal()
    other_acted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None, *, closable: bool = True) -> None:
        """Make it, hidden. `closable`: whether a person may take it away."""
        super().__init__(parent)
        self._tone, self._icon = Tone.ATTENTION, IconName.INFO
        self._title = Label("", TypeSize.BODY, Weight.STRONG, wrap=True)
        self._sentence = Label("", TypeSize.BODY, wrap=True)
        self._action = Button("", ButtonKind.SECONDARY)
        self._action.clicked.connect(self.acted)
        self._other = Button("", ButtonKind.GHOST)
        self._other.clicked.connect(self.other_acted)
        close = IconButton(IconName.CLOSE, strings.text("notice.close"))
        close.clicked.connect(self.close_notice)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._sentence)
        row = QHBoxLayout(self)
        row.setContentsMargins(16 + _ICON_PX + 12, 8, 8, 8)
        row.setSpacing(12)
        row.addLayout(words, 1)
        row.addWidget(self._other, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._action, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignVCenter)
        if not closable:
            close.hide()
        self.hide()

    def show_notice(
        self,
        title: str,
        sentence: str = "",
        *,
        tone: Tone = Tone.ATTENTION,
        icon: IconName = IconName.INFO,
        action: str = "",
        other: str = "",
    ) -> None:
        """Say it.

        Args:
            title: what happened.
            sentence: what was recorded, and what follows.
            tone: its state colour.
            icon: goes with the tone.
            action: words of the button; empty for none.
            other: words of a second, lesser one; empty for none.
        """
        self._tone, self._icon = tone, icon
        self._title.setText(title)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._action.set_words(action)
        self._action.setVisible(bool(action))
        self._other.set_words(other)
        self._other.setVisible(bool(other))
        self.setAccessibleName(f"{title} {sentence}".strip())
        self.show()
        self.update()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def offers_other(self) -> bool:
        """Whether the second, lesser button stands there."""
        return not self.isHidden() and not self._other.isHidden()

    def set_sentence(self, sentence: str) -> None:
        """Change the sentence of a notice that stands, without calling out again: for what counts down."""
        self._sentence.setText(sentence)

    def close_notice(self) -> None:
        """Take the notice away."""
        self.hide()
        self.closed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground, the edge of its tone and the icon."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.ground(self._tone)))
        painter.fillRect(QRect(0, 0, 4, self.height()), theme.colour(theme.ink(self._tone)))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.colour(Colour.DIVIDER))
        at = QRect(16, (self.height() - _ICON_PX) // 2, _ICON_PX, _ICON_PX)
        paint_icon(painter, at, self._icon, theme.colour(theme.ink(self._tone)))
        painter.end()
