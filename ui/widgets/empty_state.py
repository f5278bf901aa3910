"""What a list says when it is empty: what would be here, and the one thing to do."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSpacerItem, QVBoxLayout, QWidget

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label

_ICON_PX = 32
_MEASURE_PX = 420
_MARGIN_PX = 24


class EmptyState(QWidget):
    """An icon, a sentence, a quiet second one, and at most one button."""

    acted = Signal()

    def __init__(
        self, icon: IconName, title: str, hint: str = "", action: str = "", *, key_hint: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon = icon
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, 8, _MARGIN_PX, 8)
        column.setSpacing(8)
        column.addStretch(2)
        self._room = QSpacerItem(0, _ICON_PX + 8)
        column.addItem(self._room)
        self._title = Label(title, TypeSize.BODY, Weight.STRONG, wrap=True)
        self._hint = Label(hint, TypeSize.BODY, role=Colour.TEXT_QUIET, wrap=True)
        for words in (self._title, self._hint):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setMaximumWidth(_MEASURE_PX)
            # Between stretches rather than aligned: an aligned label keeps its narrowest width and loses lines.
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(words, 100)
            row.addStretch(1)
            column.addLayout(row)
        self._hint.setVisible(bool(hint))
        if action:
            button = Button(action, ButtonKind.SECONDARY, key_hint=key_hint)
            button.clicked.connect(self.acted)
            column.addSpacing(8)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def set_words(self, title: str, hint: str = "") -> None:
        """Change what is said, for example when a filter finds nothing."""
        self._title.setText(title)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keep every line of the words in a low window: the stretches around them give way first."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = max(1, min(_MEASURE_PX, self.width() - 2 * _MARGIN_PX))
        for words in (self._title, self._hint):
            words.setMinimumHeight(max(0, words.heightForWidth(width)))  # -1 of no words
        # Then the icon: nothing may stand upon what is said.
        self._room.changeSize(0, _ICON_PX + 8)
        self._column.activate()
        if self._column.minimumSize().height() > self.height():
            self._room.changeSize(0, 0)
            self._column.invalidate()
            self._column.activate()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the icon above the title."""
        if not self._room.sizeHint().height():
            return
        painter = QPainter(self)
        at = QRect((self.width() - _ICON_PX) // 2, self._title.y() - _ICON_PX - 12, _ICON_PX, _ICON_PX)
        paint_icon(painter, at, self._icon, theme.colour(Colour.TEXT_QUIET))
        painter.end()
