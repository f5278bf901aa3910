"""The bar above a page with which its document is searched.

Rule: what is typed is looked for when the keys rest, and at once by Enter.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour
from ui.widgets.buttons import IconButton
from ui.widgets.label import Label

_REST_MS = 250


class FindBar(QWidget):
    """Field, count, previous, next, close. Hidden until it is asked for. `hits_found`: how many, once a find has ended."""

    hits_found = Signal(int)
    searched = Signal(str)
    moved = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.setObjectName("reader_find_bar")
        self.field.setObjectName("reader_find_field")
        self.field.setMaxLength(200)
        self.field.setPlaceholderText(strings.text("reader.find_placeholder"))
        self.field.setAccessibleName(strings.text("reader.find"))
        self.field.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.field.setDragEnabled(False)
        self._count = Label("", role=Colour.TEXT_QUIET, tabular=True)
        self._count.setMinimumWidth(120)
        before, after = (
            IconButton(IconName.PREVIOUS, strings.text("reader.previous_hit")),
            IconButton(IconName.NEXT, strings.text("reader.next_hit")),
        )
        close = IconButton(IconName.CLOSE, strings.text("reader.find_close"))
        for part, name in ((before, "previous"), (after, "next"), (close, "close")):
            part.setObjectName(f"reader_find_{name}")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self._count)
        for part in (before, after, close):
            row.addWidget(part)
        self._typing = QTimer(self, singleShot=True, interval=_REST_MS)
        self._typing.timeout.connect(lambda: self.searched.emit(self.field.text().strip()))
        self.field.textEdited.connect(lambda _text: self._typing.start())
        self.field.returnPressed.connect(self._entered)
        before.clicked.connect(lambda: self.moved.emit(-1))
        after.clicked.connect(lambda: self.moved.emit(1))
        close.clicked.connect(self.closed)
        self.hide()

    def open_bar(self) -> None:
        """Show the field with its words selected for the next search."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def _entered(self) -> None:
        self._typing.stop()
        self.searched.emit(self.field.text().strip())

    def show_count(self, current: int, count: int, unsearched: int, *, running: bool, searched: bool) -> None:
        """Say how many places there are and which is on screen, and of how many pages nothing can be said."""
        if not searched:
            words = ""
        elif count:
            words = strings.text("reader.hits", current=strings.number(current), total=strings.number(count))
        else:
            words = strings.text("reader.searching" if running else "reader.no_hits")
        if searched and unsearched:
            words = f"{words} · {strings.text('reader.unsearched', count=unsearched)}"
        self._count.setText(words)
        self._count.set_role(Colour.TEXT_QUIET)
        if searched and not running:
            self.hits_found.emit(count)

    def show_error(self, words: str) -> None:
        """Say why nothing was searched."""
        self._count.setText(words)
        self._count.set_role(Colour.RED)
