"""Labelled inputs with their error beside them. See also `passphrase_field`, `chosen_field`, `text_field` (paragraphs).

Rules of this module:

- The label is above, the hint or the error directly below, and the error is the input's accessible description too.
- `copy_disabled` refuses copy, cut, drag, the context menu and (X11) the PRIMARY selection, which a mere selection would fill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.early import set_properties
from ui.widgets.label import Label

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPaintEvent

SENSITIVE_INPUT = "|ImhSensitiveData|ImhNoPredictiveText|ImhNoAutoUppercase"


class _ErrorLine(QWidget):
    """One line under an input: a quiet hint, or what was wrong with it."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint, self._error = hint, ""
        self._words = Label(hint, TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._words)
        if not hint:
            self.hide()  # never shown here: without a parent yet it would flash up as a window of its own

    def show_error(self, error: str) -> None:
        self._error = error
        left = painting.ICON_PX + painting.GAP_PX if error else 0
        self._words.setContentsMargins(left, 0, 0, 0)
        self._words.setText(error or self._hint)
        self._words.set_role(Colour.RED if error else Colour.TEXT_QUIET)
        self.setVisible(bool(error or self._hint))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        if self._error:
            painter = QPainter(self)
            paint_icon(painter, QRect(0, 1, painting.ICON_PX, painting.ICON_PX), IconName.WARNING, theme.colour(Colour.RED))
            painter.end()


class Field(QWidget):
    """A label, an input and what is wrong with it."""

    changed = Signal()

    def __init__(self, label: str, control: QWidget, hint: str = "", beside: QWidget | None = None) -> None:
        """Put the parts together.

        Args:
            label: from `strings`; the accessible name of the input.
            control: the input.
            hint: a quiet line below, until there is an error.
            beside: stands at the right of the input.
        """
        super().__init__()
        self.control = control
        self._label = Label(label, TypeSize.SMALL, Weight.MEDIUM)
        self._label.setBuddy(control)
        self._below = _ErrorLine(hint)
        control.setAccessibleName(label)
        row = QHBoxLayout()
        row.setSpacing(theme.shape().grid_px)
        row.addWidget(control, 1)
        if beside is not None:
            row.addWidget(beside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.shape().grid_px)
        column.addWidget(self._label)
        column.addLayout(row)
        column.addWidget(self._below)
        self.setFocusProxy(control)

    def set_error(self, error: str) -> None:
        """Say what is wrong, beside the input; an empty string takes it back."""
        self._below.show_error(error)
        self.control.setAccessibleDescription(error)
        self.control.setProperty("refused", bool(error))
        style = self.control.style()
        style.unpolish(self.control)
        style.polish(self.control)


class _Line(QLineEdit):
    """A line edit that may refuse to give its text away."""

    def __init__(self, *, copy_disabled: bool) -> None:
        super().__init__()
        self._copy_disabled = copy_disabled
        self.setDragEnabled(False)
        if copy_disabled:
            set_properties(self, contextMenuPolicy="PreventContextMenu")
            # A selection alone fills PRIMARY on X11; without one there is nothing to fill it with.
            self.selectionChanged.connect(self.deselect)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        from PySide6.QtGui import QKeySequence  # noqa: PLC0415 -- with the first key, after the first paint

        if self._copy_disabled and (event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.Cut)):
            event.accept()
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        event.accept()  # The stock menu offers Copy and Select all; keys do what a person needs here.


class LineField(Field):
    """One line of text. `submitted` is Enter."""

    submitted = Signal()

    def __init__(
        self, label: str, *, hint: str = "", placeholder: str = "", copy_disabled: bool = False, max_length: int = 200, digits: bool = False
    ) -> None:
        """Make the field.

        Args:
            label: from `strings`.
            hint: a quiet line below.
            placeholder: an example, never the label's work.
            copy_disabled: the text typed here may not be copied out.
            max_length: in characters.
            digits: tabular figures and a numeric on-screen keyboard, for codes and badge numbers.
        """
        self.line: QLineEdit = _Line(copy_disabled=copy_disabled)
        super().__init__(label, self.line, hint)
        self.line.setPlaceholderText(placeholder)
        self.line.setMaxLength(max_length)
        if digits:
            self.line.setFont(theme.font(tabular=True))
            set_properties(self.line, inputMethodHints="ImhDigitsOnly" + SENSITIVE_INPUT)
        self.line.textChanged.connect(lambda _text: self.changed.emit())
        self.line.returnPressed.connect(self.submitted)

    def value(self) -> str:
        """Give what was typed, without surrounding blanks."""
        return self.line.text().strip()

    def set_value(self, value: str) -> None:
        """Fill the field."""
        self.line.setText(value)
