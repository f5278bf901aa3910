"""The lock page: what replaces everything, at once, when a session locks.

Rules:

- Constant: no title, no count, no time, nothing that tells what was on screen. Whose session it is stands there because the passphrase
  asked for is theirs.
- Made once at sign-in and kept, so that showing it costs one paint.
- The passphrase alone unlocks one's own session; somebody else signs in with all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label
from ui.widgets.passphrase_field import PassphraseField
from ui.windows.quiet_page import Mark, QuietPage

if TYPE_CHECKING:
    from ui.messages import Message
    from vault.services.views import PersonBrief


class LockPage(QuietPage):
    """The lock page. `unlocking` carries the passphrase, which its listener wipes; `someone_else` asks for the sign-in page."""

    unlocking = Signal(object)  # a `Secret`: as a text it would leave copies behind
    someone_else = Signal()

    def __init__(self) -> None:
        super().__init__("lock", width_px=380, branded=False)
        self.column.addWidget(Mark(IconName.LOCK, strings.text("lock.title"), Colour.TEXT, TypeSize.TITLE, Weight.STRONG))
        self._who = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._why = Label("", wrap=True)
        self._why.hide()
        self.passphrase = PassphraseField(strings.text("lock.passphrase"))
        self.passphrase.line.setObjectName("lock_passphrase")
        self.unlock = Button(strings.text("lock.unlock"), ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self.unlock.setObjectName("lock_unlock")
        self.other = Button(strings.text("lock.someone_else"), ButtonKind.GHOST)
        self.other.setObjectName("lock_someone_else")
        self.column.addWidget(self._why)
        self.column.addWidget(self._who)
        self.column.addWidget(self.passphrase)
        verbs = QHBoxLayout()
        verbs.addWidget(self.other)
        verbs.addStretch(1)
        verbs.addWidget(self.unlock)
        self.column.addLayout(verbs)
        self.passphrase.submitted.connect(self._submit)
        self.unlock.clicked.connect(self._submit)
        self.other.clicked.connect(self.someone_else)
        self.setFocusProxy(self.passphrase)
        self.show_closing()

    def show_closing(self) -> None:
        """Be the bare lock page, before the vault says whose session waits."""
        self.passphrase.clear()
        self.passphrase.set_error("")
        self._who.setText(strings.text("lock.closing"))
        self._why.hide()
        self._entered_early = False
        self._set_ready(ready=False)

    def show_why(self, why: str) -> None:
        """Say what locked the session, where nobody did."""
        self._why.setText(why)
        self._why.show()
        self.settle()

    def show_person(self, person: PersonBrief) -> None:
        """Say whose passphrase unlocks."""
        self._who.setText(strings.text("lock.who", name=person.name, badge=person.badge_no, unit=person.unit_name))
        self._set_ready(ready=True)
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._entered_early:
            self._submit()

    def show_refusal(self, told: Message) -> None:
        """Say beside the passphrase why it stays locked."""
        self._set_ready(ready=True)
        self.passphrase.clear()
        self.passphrase.set_error(f"{told.title}. {told.next_step}" if told.next_step else told.title)
        self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def _set_ready(self, *, ready: bool) -> None:
        # The field takes keys all the while: nobody has to wait to start typing.
        self.unlock.setEnabled(ready)
        self.other.setEnabled(ready)

    def _submit(self) -> None:
        if not self.unlock.isEnabled():
            self._entered_early = True  # a fresh vault process is still starting
            return
        self._entered_early = False
        if not self.passphrase.typed:
            self.passphrase.set_error(strings.text("sign_in.passphrase_missing"))
            return
        self.passphrase.set_error("")
        self._set_ready(ready=False)
        self.unlocking.emit(self.passphrase.value())
