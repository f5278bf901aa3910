"""Sign-in: the system-use notice, badge, passphrase, code; which workstation this is and whether it stands on the premises.

Rules:

- Painted before anything else is imported: QtCore, QtGui, QtWidgets and the kit only. What the vault knows of itself comes later, with
  `show_station`; a badge can be typed before that.
- Badge, passphrase and code are refused with the same words: nobody learns which one was wrong.
- Enter moves to the next field and, from the last, signs in. After a refusal the passphrase and the code are empty and the passphrase has
  the keyboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.field import LineField
from ui.widgets.label import Label
from ui.widgets.passphrase_field import PassphraseField
from ui.windows.quiet_page import Mark, QuietPage

if TYPE_CHECKING:
    from ui.messages import Message
    from vault.services.views import StationView

_PREMISES_ROLE = {"enforced": Colour.GREEN, "detected": Colour.TEXT_QUIET, "unavailable": Colour.AMBER}


class SignIn(QuietPage):
    """The sign-in page. It asks nothing itself: whoever shows it listens to `submitted`."""

    submitted = Signal(str, object, str)
    """Badge, passphrase (a `Secret`, for the listener to wipe: as a text it would leave copies behind), code."""

    def __init__(self) -> None:
        super().__init__("sign_in", first=True)
        self.badge = LineField(strings.text("sign_in.badge"), digits=True, max_length=20)
        self.passphrase = PassphraseField(strings.text("sign_in.passphrase"))
        self.code = LineField(
            strings.text("sign_in.code"), hint=strings.text("sign_in.code_hint"), copy_disabled=True, max_length=8, digits=True
        )
        self.enter = Button(strings.text("sign_in.enter"), ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self._busy = Label("", TypeSize.SMALL, role=Colour.TEXT_QUIET)
        self.badge.line.setObjectName("sign_in_badge")
        self.passphrase.line.setObjectName("sign_in_passphrase")
        self.code.line.setObjectName("sign_in_code")
        self.enter.setObjectName("sign_in_enter")
        self.badge.submitted.connect(self._from_badge)
        self.passphrase.submitted.connect(self._from_passphrase)
        self.code.submitted.connect(self._submit)
        self.enter.clicked.connect(self._submit)
        self._build()
        self.setFocusProxy(self.badge)

    def _build(self) -> None:
        notice = Label(strings.text("sign_in.use_notice"), TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True)
        self.column.addWidget(notice)
        self.column.addSpacing(4)
        for field in (self.badge, self.passphrase, self.code):
            self.column.addWidget(field)
        self.column.addSpacing(4)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.enter)
        self.column.addLayout(last)
        self.column.addWidget(self._busy)
        self._busy.hide()
        place = QWidget()
        rows = QVBoxLayout(place)
        rows.setContentsMargins(0, 4, 0, 0)
        rows.setSpacing(6)
        self._workstation = Mark(IconName.WORKSTATION, strings.text("sign_in.opening"), wrap=True)
        self._premises = Mark(IconName.PREMISES, "")
        self._premises.hide()
        rows.addWidget(self._workstation)
        rows.addWidget(self._premises)
        self.column.addWidget(place)

    def show_station(self, station: StationView) -> None:
        """Say where this is: station, workstation, premises state."""
        words = strings.text("sign_in.place", workstation=station.workstation_name, station=station.station_name)
        self._workstation.show_mark(IconName.WORKSTATION, words)
        for status in station.protections:
            if status.protection.value == "premises":
                state = status.state.value
                self._premises.show_mark(IconName.PREMISES, strings.text(f"sign_in.premises_{state}"), _PREMISES_ROLE[state])
                self._premises.show()

    def show_opening(self) -> None:
        """Say that the vault is being opened; what was typed stays."""
        self._workstation.show_mark(IconName.WORKSTATION, strings.text("sign_in.opening"))

    def show_waiting(self, waiting: bool) -> None:
        """Say that the sign-in is being checked, or stop saying it."""
        for field in (self.badge, self.passphrase, self.code, self.enter):
            field.setEnabled(not waiting)
        self._busy.setText(strings.text("sign_in.checking") if waiting else "")
        self._busy.setVisible(waiting)

    def is_waiting(self) -> bool:
        """Whether a sign-in is being checked."""
        return not self.enter.isEnabledTo(self)

    def show_refusal(self, told: Message) -> None:
        """Say beside the passphrase why nobody was signed in, and start over from there."""
        self.show_waiting(waiting=False)
        self.passphrase.clear()
        self.code.set_value("")
        self.passphrase.set_error(f"{told.title}. {told.next_step}" if told.next_step else told.title)
        self.put_focus(self.passphrase)

    def start_over(self) -> None:
        """Be empty, for the next person."""
        self.show_waiting(waiting=False)
        for field in (self.badge, self.passphrase, self.code):
            field.set_error("")
        self.badge.set_value("")
        self.passphrase.clear()
        self.code.set_value("")
        if self.isVisible():  # a hidden page would take the keyboard from the one that is shown
            self.put_focus(self.badge)

    def _from_badge(self) -> None:
        self.put_focus(self.passphrase)

    def _from_passphrase(self) -> None:
        self.put_focus(self.code)

    def _submit(self) -> None:
        missing = [
            (self.badge, not self.badge.value(), "sign_in.badge_missing"),
            (self.passphrase, not self.passphrase.typed, "sign_in.passphrase_missing"),
            (self.code, not self.code.value(), "sign_in.code_missing"),
        ]
        for field, is_empty, words in missing:
            field.set_error(strings.text(words) if is_empty else "")
        empty = [field for field, is_empty, _ in missing if is_empty]
        if empty:
            self.put_focus(empty[0])
            return
        self.show_waiting(waiting=True)
        self.submitted.emit(self.badge.value(), self.passphrase.value(), self.code.value().replace(" ", ""))
