"""A labelled paragraph in a person's own words.

Rules of this module: as `field`, apart from it because no sign-in needs one: the first paint does not wait for it.
"""

from __future__ import annotations

from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QPlainTextEdit

from ui.widgets.field import Field


class _Paragraph(QPlainTextEdit):
    """A paragraph edit in which Tab moves on and Ctrl+Enter is for the sheet."""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        event.accept()


class TextField(Field):
    """A paragraph in a person's own words: an account, a rationale, a note."""

    def __init__(self, label: str, *, hint: str = "", lines: int = 3, max_length: int = 4_000) -> None:
        """Make the field. `lines` is its height; `max_length` in characters, beyond which typing is cut."""
        self.edit: QPlainTextEdit = _Paragraph()
        super().__init__(label, self.edit, hint)
        self._max_length = max_length
        self.edit.setTabChangesFocus(True)
        self.edit.setFixedHeight(lines * self.edit.fontMetrics().lineSpacing() + 20)
        self.edit.textChanged.connect(self._typed)

    def _typed(self) -> None:
        if len(self.edit.toPlainText()) > self._max_length:
            self.edit.textCursor().deletePreviousChar()
            return
        self.changed.emit()

    def value(self) -> str:
        """Give the words, without surrounding blanks."""
        return self.edit.toPlainText().strip()

    def set_value(self, value: str) -> None:
        """Fill the field."""
        self.edit.setPlainText(value)
