"""Granting an officer page text for assistive technology: one sheet.

Rules of this module:

- It names the harm before the verb: what a screen reader can read, other programs of that desktop session can read too.
- From, until and a reason; the vault decides and signs, and every page that is read so is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.widgets.field import LineField
from ui.windows.act_sheet import ReasonSheet
from ui.windows.audit_words import moment_us
from ui.windows.beside import beside
from ui.windows.naming import who
from vault.services.accommodation import Accommodations
from vault.services.views import PersonBrief

if TYPE_CHECKING:
    from ui.bridge import Bridge


class AccommodateSheet(ReasonSheet):
    """For whom, from, until, why. `granted` is called when it was done."""

    def __init__(self, host: QWidget, bridge: Bridge, person: PersonBrief, granted: Callable[[], None]) -> None:
        super().__init__(
            host,
            "accommodate",
            title=strings.text("people.accommodate_sheet.title", who=who(person)),
            sentence=strings.text("people.accommodate_sheet.sentence"),
            subject="",
            label=strings.text("people.accommodate_sheet.reason"),
            hint=strings.text("people.accommodate_sheet.reason_hint"),
            primary=strings.text("people.accommodate_sheet.save"),
            missing=strings.text("people.accommodate_sheet.reason_missing"),
        )
        self._bridge, self._person, self._granted = bridge, person, granted
        self.from_ = LineField(
            strings.text("people.accommodate_sheet.from"), hint=strings.text("people.accommodate_sheet.from_hint"), max_length=16
        )
        self.until = LineField(
            strings.text("people.accommodate_sheet.until"), hint=strings.text("people.accommodate_sheet.until_hint"), max_length=16
        )
        for field, name in ((self.from_, "from"), (self.until, "until")):
            field.control.setObjectName(f"accommodate_{name}")
            field.changed.connect(lambda of=field: of.set_error(""))
        self.body.insertLayout(self.body.count() - 1, beside(self.from_, self.until))
        self.accepted.connect(self._save)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the first field."""
        super().open_over()
        self.from_.control.setFocus()

    def _save(self) -> None:
        from_us, until_us = moment_us(self.from_.value()), moment_us(self.until.value())
        for field, wrong in ((self.from_, from_us is None), (self.until, not until_us)):
            if wrong:
                field.set_error(strings.text("people.accommodate_sheet.until_missing"))
                field.control.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        reason = self.given()
        if reason is not None:
            asked = self._bridge.ask(Accommodations.grant, self._person.person_id, from_us or 0, until_us or 0, reason)
            self.send(asked, lambda _done: self._granted())
