"""When the vault cannot be opened, or a file was closed under a reader: full-page plain words, no case data.

What happened, what was recorded, what to do, whom to call; in that order, one line each. That something was recorded is said only where the
vault sealed a report. Off the station's premises this is the screen: it says so, and no more. Where the vault has a recovery slot, a quiet
second verb leads to its holders (`holders`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label
from ui.windows.quiet_page import Mark, QuietPage

if TYPE_CHECKING:
    from vault.errors import VaultError

_OFF_PREMISES = "premises."
_WHOM = 4


class PlainPanel(QuietPage):
    """One message on a page of its own, with at most one verb. `acted` is the verb."""

    acted = Signal()

    def __init__(self, name: str, *, width_px: int = 480, most_lines: int = 3) -> None:
        """Make an empty panel; `name` is its stable objectName, the last of `most_lines` lines is the quiet one."""
        super().__init__(name, width_px=width_px, branded=False)
        self._title = Mark(IconName.WARNING, "", Colour.TEXT, TypeSize.TITLE, Weight.STRONG)
        self._lines = [Label("", wrap=True) for _ in range(most_lines)]
        self.act = Button("", ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self.act.setObjectName(f"{name}_act")
        self.column.addWidget(self._title)
        for line in self._lines:
            self.column.addWidget(line)
        self._lines[-1].set_role(Colour.TEXT_QUIET)
        self.column.addSpacing(4)
        self.verbs = QHBoxLayout()
        self.verbs.addStretch(1)
        self.verbs.addWidget(self.act)
        self.column.addLayout(self.verbs)
        self.act.clicked.connect(self.acted)
        self.setFocusProxy(self.act)

    def show_words(self, title: str, *lines: str, act: str = "", grave: bool = False, icon: IconName = IconName.WARNING) -> None:
        """Say it.

        Args:
            title: what happened.
            lines: each a sentence of its own, as many as the panel has; empty ones are left out.
            act: the verb; empty for none.
            grave: whether evidence of interference, or a copy, is meant.
            icon: goes with the title.
        """
        self._title.show_mark(icon, title, Colour.RED if grave else Colour.TEXT)
        for label, words in zip(self._lines, (*lines, *[""] * len(self._lines)), strict=False):
            label.setText(words)
            label.setVisible(bool(words))
        self.act.set_words(act)
        self.act.setVisible(bool(act))
        self.settle()


class CannotOpen(PlainPanel):
    """The vault cannot be opened here and now. `holders_asked`: its recovery slot's holders are to open it."""

    holders_asked = Signal()

    def __init__(self) -> None:
        super().__init__("cannot_open", most_lines=6)
        self.holders = Button(strings.text("cannot_open.holders"), ButtonKind.GHOST)
        self.holders.setObjectName("cannot_open_holders")
        self.holders.clicked.connect(self.holders_asked)
        self.holders.hide()  # until the vault says that there is a slot, and that it is for this
        self.verbs.insertWidget(0, self.holders)
        self._asked_again = False

    def show_error(self, error: VaultError, *, session_locked: bool = False) -> None:
        """Say why, what was recorded, what to do, and whom to call.

        Args:
            error: what keeps the vault shut. Its facts `recorded`, `contact` and `recovery_threshold` are the vault process's: a report
                stands; whom to call; the holders of a recovery slot may open it.
            session_locked: whether a session of this desk was locked by the same loss.
        """
        told = messages.explain(error)
        self.holders.setVisible("recovery_threshold" in error.facts)
        self.holders.setEnabled(True)
        off_premises = error.code.startswith(_OFF_PREMISES)
        contact = str(error.facts.get("contact", ""))
        tries = off_premises or not told.grave
        self.show_words(
            told.title,
            told.sentence,
            strings.text("cannot_open.session_locked") if session_locked and off_premises else "",
            strings.text("cannot_open.recorded_away" if off_premises else "cannot_open.recorded") if "recorded" in error.facts else "",
            told.next_step,
            strings.text("cannot_open.contact", contact=contact) if contact else strings.text("cannot_open.whom"),
            strings.text("cannot_open.asked_again", time=strings.local_time(strings.now_us())) if self._asked_again else "",
            act=strings.text("cannot_open.again") if tries else "",
            grave=told.grave,
            icon=IconName.PREMISES if off_premises else IconName.WARNING,
        )
        self._lines[_WHOM].set_role(Colour.TEXT if contact else Colour.TEXT_QUIET)
        self._asked_again = False
        self.act.setEnabled(True)

    def show_trying(self) -> None:
        """Be the same page while the vault is tried again: seconds, where a key server does not answer."""
        self._asked_again = True
        self.holders.setEnabled(False)  # first, or it would be given the keyboard
        self.act.setEnabled(False)
        self.act.set_words(strings.text("cannot_open.trying"))
