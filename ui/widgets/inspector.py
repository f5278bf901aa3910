"""The right panel: what is known about the row that is selected.

Rules of this module:

- Labels are the interface's words; values may be case content, so they are painted (`PaintedText`).
- Values wrap, they are never cut. The verbs for the selection stand below and stay in view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import IconButton
from ui.widgets.chip import Chip
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.scroll_column import ReadColumn

_WIDTH_PX = 320


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the inspector. `mono` for hashes and report numbers, `tabular` for numbers and times."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN
    icon: IconName | None = None
    mono: bool = False
    tabular: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under a heading; an empty heading draws none."""

    heading: str
    facts: tuple[Fact, ...]


def clear_layout(layout: QLayout) -> None:
    """Take everything out of a layout and let it be destroyed."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear_layout(inner)


class Inspector(QWidget):
    """Title, sections of facts, verbs."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None, *, closable: bool = True) -> None:
        """Make an empty panel; `closable` has it a button for that, where there is nothing else to close it by."""
        super().__init__(parent)
        self.setAccessibleName(strings.text("inspector.name"))
        self._title = PaintedText(TypeSize.TITLE, Weight.STRONG, max_lines=4)
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        close = IconButton(IconName.CLOSE, strings.text("inspector.close"))
        close.clicked.connect(self.closed)
        self._closable = closable
        if closable:
            self.setFocusProxy(close)
        else:
            close.hide()
        head = QHBoxLayout()
        head.setContentsMargins(16, 12, 8, 4)
        head.setSpacing(12)
        head.addWidget(self._title, 1)
        head.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._facts = ReadColumn(strings.text("inspector.name"))
        self._facts.column.setContentsMargins(16, 4, 16, 16)
        self.verbs = QVBoxLayout()
        self.verbs.setContentsMargins(16, 8, 16, 12)
        self.verbs.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._facts, 1)
        column.addLayout(self.verbs)
        self.set_over(over=False)

    def set_over(self, *, over: bool) -> None:
        """Take the content's place (narrow window) or stand at its right."""
        self.setMinimumWidth(0 if over else _WIDTH_PX)
        self.setMaximumWidth(16_777_215 if over else _WIDTH_PX)

    def show_facts(self, title: str, sections: Sequence[Section]) -> None:
        """Show what is known. The title and the values may be case content; the labels may not."""
        self._title.show_text(title)
        clear_layout(self._facts.column)
        piece = QWidget()
        column = QVBoxLayout(piece)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for section in sections:
            if section.heading:
                heading = Label(section.heading, TypeSize.SMALL, Weight.STRONG, Colour.TEXT_QUIET)
                heading.setContentsMargins(0, 8, 0, 0)
                column.addWidget(heading)
            lone = len(section.facts) == 1 and not section.facts[0].label  # a sentence, and not the second line of a fact
            for fact in section.facts:
                column.addLayout(_row(fact, labelled=not lone))
        column.addStretch(1)
        self._facts.present(piece)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Esc closes."""
        if self._closable and event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground and the line to the content."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_0))
        painter.fillRect(QRect(0, 0, 1, self.height()), theme.colour(Colour.DIVIDER))
        painter.end()


def _row(fact: Fact, *, labelled: bool) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    if labelled:
        row.addWidget(_label(fact.label), 0, Qt.AlignmentFlag.AlignTop)
    if fact.icon is not None:
        row.addWidget(Chip(fact.value, fact.tone, fact.icon), 0, Qt.AlignmentFlag.AlignLeft)
        row.addStretch(1)
        return row
    role = Colour.TEXT if fact.tone is Tone.PLAIN else theme.ink(fact.tone)
    value = PaintedText(TypeSize.SMALL if fact.mono else TypeSize.BODY, role=role, mono=fact.mono, tabular=fact.tabular)
    value.show_text(fact.value)
    row.addWidget(value, 1)
    return row


def _label(words: str) -> Label:
    label = Label(words, TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True)
    label.setFixedWidth(96)
    label.setContentsMargins(0, 1, 0, 0)
    return label
