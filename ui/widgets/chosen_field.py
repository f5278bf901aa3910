"""Labelled inputs in which something is chosen: one of a few, a moment.

Rules of this module: as `field`, apart from it because no sign-in needs them: the first paint does not wait for a combo box.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QDateTimeEdit

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour
from ui.widgets.field import Field


class _Choice(QComboBox):
    """A combo box that paints our own arrow."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        at = QRect(self.width() - 26, (self.height() - 14) // 2, 14, 14)
        paint_icon(painter, at, IconName.EXPAND, theme.colour(Colour.TEXT_QUIET))
        painter.end()


class ChoiceField(Field):
    """One of a few, by value."""

    def __init__(self, label: str, choices: Sequence[tuple[str, str]] = (), *, hint: str = "") -> None:
        """Make the field. `choices` are (value, words) in order."""
        self.box: QComboBox = _Choice()
        super().__init__(label, self.box, hint)
        self.set_choices(choices)
        self.box.currentIndexChanged.connect(lambda _index: self.changed.emit())

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Replace the choices; the first becomes the value."""
        self.box.clear()
        for value, words in choices:
            self.box.addItem(words, value)

    def value(self) -> str:
        """Give the chosen value; an empty string when there are no choices."""
        return str(self.box.currentData() or "")

    def set_value(self, value: str) -> None:
        """Choose by value; unknown values change nothing."""
        index = self.box.findData(value)
        if index >= 0:
            self.box.setCurrentIndex(index)


class DateTimeField(Field):
    """A moment, to the minute, local time."""

    def __init__(self, label: str, at_us: int, *, hint: str = "") -> None:
        """Make the field. `at_us` is the moment shown first, UTC microseconds."""
        self.edit = QDateTimeEdit()
        super().__init__(label, self.edit, hint)
        self.edit.setDisplayFormat("d MMM yyyy  HH:mm")
        self.edit.setFont(theme.font(tabular=True))
        self.edit.lineEdit().setTextMargins(8, 0, 8, 0)  # a style sheet's padding does not reach the line inside
        self.edit.setDateTime(QDateTime.fromMSecsSinceEpoch(at_us // 1000))
        self.edit.dateTimeChanged.connect(lambda _at: self.changed.emit())

    def value_us(self) -> int:
        """Give the moment chosen, UTC microseconds."""
        return self.edit.dateTime().toMSecsSinceEpoch() * 1000
