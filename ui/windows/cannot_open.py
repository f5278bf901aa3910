"""When the vault cannot be opened, or a file was closed under a reader: full-page plain words, no case data.

What happened, what was recorded, what to do, whom to call; in that order, one line each.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal

from ui import strings
from ui.icons import IconName
from ui.messages import Message
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label
from ui.windows.quiet_page import Mark, QuietPage


class PlainPanel(QuietPage):
    """One message on a page of its own, with at most one verb. `acted` is the verb."""

    acted = Signal()

    def __init__(self, name: str, *, width_px: int = 480) -> None:
        """Make an empty panel; `name` is its stable objectName."""
        super().__init__(name, width_px=width_px, branded=False)
        self._title = Mark(IconName.WARNING, "", Colour.TEXT, TypeSize.TITLE, Weight.STRONG)
        self._lines = [Label("", wrap=True) for _ in range(3)]
        self.act = Button("", ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self.act.setObjectName(f"{name}_act")
        self.column.addWidget(self._title)
        for line in self._lines:
            self.column.addWidget(line)
        self._lines[2].set_role(Colour.TEXT_QUIET)
        self.column.addSpacing(4)
        self.column.addWidget(self.act, 0, Qt.AlignmentFlag.AlignRight)
        self.act.clicked.connect(self.acted)
        self.setFocusProxy(self.act)

    def show_words(self, title: str, *lines: str, act: str = "", grave: bool = False, icon: IconName = IconName.WARNING) -> None:
        """Say it.

        Args:
            title: what happened.
            lines: up to three, each a sentence of its own; empty ones are left out.
            act: the verb; empty for none.
            grave: whether evidence of interference, or a copy, is meant.
            icon: goes with the title.
        """
        self._title.show_mark(icon, title, Colour.RED if grave else Colour.TEXT)
        for label, words in zip(self._lines, (*lines, "", "", ""), strict=False):
            label.setText(words)
            label.setVisible(bool(words))
        self.act.set_words(act)
        self.act.setVisible(bool(act))
        self.settle()


class CannotOpen(PlainPanel):
    """The vault cannot be opened here and now."""

    def __init__(self) -> None:
        super().__init__("cannot_open")

    def show_message(self, told: Message) -> None:
        """Say why, what to do, and whom to call."""
        recorded = strings.text("cannot_open.recorded") if told.grave else ""
        self.show_words(
            told.title,
            " ".join(part for part in (told.sentence, recorded) if part),
            told.next_step,
            strings.text("cannot_open.whom"),
            act="" if told.grave else strings.text("cannot_open.again"),
            grave=told.grave,
        )
