"""What a person signs in with, changed: another phone for the codes, another passphrase.

Rules of this module:

- A new second factor takes two sheets. The first asks for the passphrase of the person whose it is, typed by them; the second shows the
  code to scan, once, and is done when a code of the new entry was typed. Leaving it leaves the old one in force.
- The passphrase fields are emptied, and what was typed is overwritten, as soon as it was sent, whatever the answer.
- Enter moves on, and from the last field does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.theme import Colour
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.widgets.passphrase_field import PassphraseField
from ui.windows.act_sheet import ActSheet, ReasonSheet
from ui.windows.beside import beside
from ui.windows.enrol import Verdict, again_feedback, code_to_scan, passphrase_feedback
from ui.windows.naming import who
from vault.services.credentials import Credentials
from vault.services.views import Enrolment, PersonBrief

if TYPE_CHECKING:
    from ui.bridge import Bridge

_WIDTH_PX = 560


class RenewFactorSheet(ReasonSheet):
    """Why somebody needs another second factor, and their passphrase. `shown` is called with what they must scan."""

    def __init__(self, host: QWidget, bridge: Bridge, person: PersonBrief, shown: Callable[[Enrolment], None]) -> None:
        super().__init__(
            host,
            "renew_factor",
            title=strings.text("credentials.renew_title", who=who(person)),
            sentence=strings.text("credentials.renew_sentence"),
            subject="",
            label=strings.text("credentials.reason"),
            hint=strings.text("credentials.reason_hint"),
            primary=strings.text("credentials.onward"),
            missing=strings.text("credentials.reason_missing"),
        )
        self._bridge, self._person, self._shown = bridge, person, shown
        self.passphrase = PassphraseField(
            strings.text("credentials.their_passphrase", who=who(person)), hint=strings.text("credentials.their_passphrase_hint")
        )
        self.passphrase.control.setObjectName("renew_factor_passphrase")
        self.passphrase.changed.connect(lambda: self.passphrase.set_error(""))
        self.passphrase.submitted.connect(self._save)
        self.body.addWidget(self.passphrase)
        self.accepted.connect(self._save)

    def _save(self) -> None:
        reason = self.given()
        if reason is None or _is_empty(self.passphrase, "credentials.passphrase_missing"):
            return
        passphrase = self.passphrase.value()
        reply = self._bridge.ask(Credentials.renew_factor, self._person.person_id, passphrase, reason)
        passphrase.wipe()
        self.passphrase.clear()
        self.passphrase.control.setFocus()
        self.send(reply, self._shown)


class OwnFactorSheet(ActSheet):
    """Both factors of one's own, before another phone takes over the codes. `shown` is called with what is to be scanned."""

    def __init__(self, host: QWidget, bridge: Bridge, shown: Callable[[Enrolment], None]) -> None:
        super().__init__(host, "own_factor", strings.text("credentials.own_title"), strings.text("credentials.onward"))
        self._bridge, self._shown = bridge, shown
        self.passphrase = PassphraseField(strings.text("credentials.passphrase"))
        self.code = _code_field(strings.text("credentials.code"), strings.text("credentials.code_hint"))
        _name("own_factor", ("passphrase", self.passphrase), ("code", self.code))
        self.passphrase.submitted.connect(self.code.control.setFocus)
        self.code.submitted.connect(self._save)
        self.body.addWidget(Label(strings.text("credentials.own_sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addLayout(beside(self.passphrase, self.code, (2, 1)))
        self.accepted.connect(self._save)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the first field."""
        super().open_over()
        self.passphrase.control.setFocus()

    def _save(self) -> None:
        if _is_empty(self.passphrase, "credentials.passphrase_missing") or _is_empty(self.code, "credentials.code_missing"):
            return
        passphrase = self.passphrase.value()
        reply = self._bridge.ask(Credentials.renew_own_factor, passphrase, self.code.value().replace(" ", ""))
        passphrase.wipe()
        self.passphrase.clear()
        self.code.set_value("")
        self.passphrase.control.setFocus()
        self.send(reply, self._shown)


class ProofSheet(ActSheet):
    """The code to scan, shown once, and a code of the new entry that proves it. `proven` is called when it is in force."""

    def __init__(self, host: QWidget, bridge: Bridge, shown: Enrolment, proven: Callable[[], None]) -> None:
        person = f"{shown.name} · {shown.badge_no}"
        title = strings.text("credentials.proof_title", who=person)
        super().__init__(host, "factor_proof", title, strings.text("credentials.proof_save"), width_px=_WIDTH_PX)
        self._bridge, self._proven = bridge, proven
        self.code = _code_field(strings.text("credentials.proof_code"), strings.text("credentials.proof_hint"))
        _name("factor_proof", ("code", self.code))
        self.code.submitted.connect(self._save)
        scan = Label(strings.text("credentials.proof_scan", who=shown.name), wrap=True)
        sentence = Label(strings.text("credentials.proof_sentence"), role=Colour.TEXT_QUIET, wrap=True)
        self.body.addLayout(code_to_scan("factor_proof_picture", shown, scan, self.code, sentence))
        self.accepted.connect(self._save)
        self.dismissed.connect(lambda: bridge.ask(Credentials.forget_factor).then(lambda _done: None, lambda _error: None))

    def open_over(self) -> None:
        """Show the sheet with the keyboard where the proof goes."""
        super().open_over()
        self.code.control.setFocus()

    def _save(self) -> None:
        if _is_empty(self.code, "credentials.code_missing"):
            return
        reply = self._bridge.ask(Credentials.confirm_factor, self.code.value().replace(" ", ""))
        self.code.set_value("")
        self.send(reply, lambda _done: self._proven())


class ChangePassphraseSheet(ActSheet):
    """One's own passphrase: the one in force with a code, and the new one twice. `changed` is called when it was done."""

    def __init__(self, host: QWidget, bridge: Bridge, badge_no: str, changed: Callable[[], None]) -> None:
        title = strings.text("credentials.change_title")
        super().__init__(host, "change_passphrase", title, strings.text("credentials.change_save"), width_px=_WIDTH_PX)
        self._bridge, self._badge_no, self._changed = bridge, badge_no, changed
        self.passphrase = PassphraseField(strings.text("credentials.passphrase"))
        self.code = _code_field(strings.text("credentials.code"), strings.text("credentials.code_hint"))
        self.new = PassphraseField(strings.text("credentials.new_passphrase"))
        self.again = PassphraseField(strings.text("credentials.again"))
        _name("change_passphrase", ("old", self.passphrase), ("code", self.code), ("new", self.new), ("again", self.again))
        self._rule, self._match = Verdict(""), Verdict("")
        self.body.addWidget(Label(strings.text("credentials.change_sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addLayout(beside(self.passphrase, self.code, (1, 1)))
        self.body.addLayout(beside(self.new, self.again, (1, 1)))
        self.body.addWidget(self._rule)
        self.body.addWidget(self._match)
        for typed in (self.new, self.again):
            typed.changed.connect(self._judge)
        self.passphrase.submitted.connect(self.code.control.setFocus)
        self.code.submitted.connect(self.new.control.setFocus)
        self.new.submitted.connect(self.again.control.setFocus)
        self.again.submitted.connect(self._save)
        self.accepted.connect(self._save)
        self._judge()

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the first field."""
        super().open_over()
        self.passphrase.control.setFocus()

    def _judge(self) -> None:
        self._rule.say(*passphrase_feedback(self.new.typed, self._badge_no))
        self._match.say(*again_feedback(self.new.typed, self.again.typed))

    def _save(self) -> None:
        rule, met = passphrase_feedback(self.new.typed, self._badge_no)
        same = self.again.typed.same_as(self.new.typed)
        wrong: Sequence[tuple[Field, str]] = [
            (field, words)
            for field, fine, words in (
                (self.passphrase, bool(self.passphrase.typed), strings.text("credentials.passphrase_missing")),
                (self.code, bool(self.code.value()), strings.text("credentials.code_missing")),
                (self.new, met, rule),
                (self.again, same, strings.text("enrol.again_differs")),
            )
            if not fine
        ]
        for field, words in wrong:
            field.set_error(words)
        if wrong:
            wrong[0][0].control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        old, new = self.passphrase.value(), self.new.value()
        reply = self._bridge.ask(Credentials.change_passphrase, old, self.code.value().replace(" ", ""), new)
        for secret in (old, new):
            secret.wipe()
        for typed in (self.passphrase, self.new, self.again):
            typed.clear()
        self.code.set_value("")
        self.passphrase.control.setFocus(Qt.FocusReason.OtherFocusReason)
        self.send(reply, lambda _done: self._changed())


def _code_field(label: str, hint: str) -> LineField:
    return LineField(label, hint=hint, copy_disabled=True, max_length=8, digits=True)


def _name(sheet: str, *fields: tuple[str, Field]) -> None:
    """Name the inputs of a sheet; what was wrong with one is taken back when it is typed in again."""
    for name, field in fields:
        field.control.setObjectName(f"{sheet}_{name}")
        field.changed.connect(lambda of=field: of.set_error(""))


def _is_empty(field: PassphraseField | LineField, words: str) -> bool:
    """Whether nothing was typed; then it says so, and has the keyboard."""
    empty = not (field.typed if isinstance(field, PassphraseField) else field.value())
    if empty:
        field.set_error(strings.text(words))
        field.control.setFocus(Qt.FocusReason.OtherFocusReason)
    return empty
