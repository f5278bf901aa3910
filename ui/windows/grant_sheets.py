"""Adding and removing a grant: two sheets.

Rules of this module:

- A grant names one person or one unit, from and until when, and why; the reason is shown to whoever asks "why can I (not) see this?".
- Removing says before the verb what it does (sight ends) and what it does not (content already seen stays seen).
- The vault decides and signs; nothing here weighs need to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.theme import Colour, Weight
from ui.widgets.choices import Choice, NumberedChoices
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.windows.act_sheet import ActSheet, ReasonSheet
from ui.windows.audit_words import moment_us
from ui.windows.beside import beside
from ui.windows.naming import isolated
from ui.windows.person_field import PersonField
from vault.domain.access import ROLES_WITHOUT_CASES, Effect, GranteeKind
from vault.domain.identity import CaseId
from vault.domain.reason import is_reason
from vault.services.register import Register
from vault.services.views import CaseLine, GrantLine, PersonBrief, UnitLine

if TYPE_CHECKING:
    from ui.bridge import Bridge


class AddGrantSheet(ActSheet):
    """To whom, allow or deny, from, until, why."""

    def __init__(self, host: QWidget, bridge: Bridge, case: CaseLine, granted: Callable[[GrantLine], None]) -> None:
        """Make the sheet; it asks for the directory itself. `granted` is called with the new grant."""
        title = strings.text("grants.add_sheet.title")
        super().__init__(host, "grant", title, strings.text("grants.add_sheet.save"), width_px=600)
        self._bridge, self._case_id, self._granted = bridge, case.case_id, granted
        self.effect = NumberedChoices([Choice(one.value, strings.text(f"grants.effect.{one.value}")) for one in Effect])
        self.effect.setObjectName("grant_effect")
        # Below the choices and not beside their words: it names a harm, and one line may not hold it.
        self._note = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._note.setObjectName("grant_note")
        self.effect.chosen.connect(lambda effect: self._note.setText(strings.text(f"grants.add_sheet.{effect}_note")))
        self.effect.choose(0)
        self.kind = ChoiceField(
            strings.text("grants.add_sheet.kind"), [(one.value, strings.text(f"grants.kind.{one.value}")) for one in GranteeKind]
        )
        self.person = PersonField(strings.text("grants.add_sheet.person"), "grant_person")
        self.unit = ChoiceField(strings.text("grants.add_sheet.unit"))
        self.from_ = LineField(strings.text("grants.add_sheet.from"), hint=strings.text("grants.add_sheet.from_hint"), max_length=16)
        self.until = LineField(strings.text("grants.add_sheet.until"), hint=strings.text("grants.add_sheet.until_hint"), max_length=16)
        self.reason = LineField(strings.text("grants.add_sheet.reason"), hint=strings.text("grants.add_sheet.reason_hint"), max_length=300)
        for field, name in ((self.kind, "kind"), (self.unit, "unit"), (self.from_, "from"), (self.until, "until"), (self.reason, "reason")):
            field.control.setObjectName(f"grant_{name}")
            field.changed.connect(lambda of=field: of.set_error(""))
        subject = PaintedText(weight=Weight.MEDIUM, max_lines=2)
        subject.show_text(f"{case.rms_number}  {isolated(case.title)}")
        self.body.addWidget(subject)
        self.body.addWidget(self.effect)
        self.body.addWidget(self._note)
        whom = beside(self.kind, self.person, (1, 2))
        whom.addWidget(self.unit, 2, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(whom)
        self.body.addLayout(beside(self.from_, self.until))
        self.body.addWidget(self.reason)
        self.kind.changed.connect(self._choose_kind)
        self.accepted.connect(self._save)
        self._choose_kind()
        bridge.ask(Register.people).owner(self).then(self._take_people)
        bridge.ask(Register.units).owner(self).then(self._take_units)

    def _take_people(self, people: tuple[PersonBrief, ...]) -> None:
        self.person.set_people([person for person in people if person.role not in ROLES_WITHOUT_CASES])

    def _take_units(self, units: tuple[UnitLine, ...]) -> None:
        self.unit.set_choices([(unit.unit_id, unit.name) for unit in units])

    def _choose_kind(self) -> None:
        person = self.kind.value() == GranteeKind.PERSON.value
        self.person.setVisible(person)
        self.unit.setVisible(not person)

    def _save(self) -> None:
        person = self.person.person()
        to_unit = self.kind.value() == GranteeKind.UNIT.value
        grantee_id = self.unit.value() if to_unit else person.person_id if person is not None else ""
        from_us, until_us = moment_us(self.from_.value()), moment_us(self.until.value())
        starts_us = max(from_us or 0, strings.now_us())
        wrong_time = strings.text("grants.add_sheet.time_wrong")
        ends_late = until_us is None or until_us == 0 or until_us > starts_us
        checks: tuple[tuple[Field, str], ...] = (
            (self.unit if to_unit else self.person, "" if grantee_id else strings.text("grants.add_sheet.grantee_missing")),
            (self.from_, wrong_time if from_us is None else ""),
            (self.until, wrong_time if until_us is None else "" if ends_late else strings.text("grants.add_sheet.time_order")),
            (self.reason, "" if is_reason(self.reason.value()) else strings.text("grants.add_sheet.reason_missing")),
        )
        for field, error in checks:
            field.set_error(error)
        first = next((field for field, error in checks if error), None)
        if first is not None:
            first.control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        reply = self._bridge.ask(
            Register.grant,
            self._case_id,
            Effect(self.effect.value()),
            GranteeKind(self.kind.value()),
            grantee_id,
            from_us or 0,
            until_us or 0,
            self.reason.value(),
        )
        self.send(reply, self._granted)


class RemoveGrantSheet(ReasonSheet):
    """Why a grant is removed, with what that does and does not do."""

    def __init__(self, host: QWidget, bridge: Bridge, case_id: CaseId, grant: GrantLine, removed: Callable[[], None]) -> None:
        key = "sentence" if grant.effect is Effect.ALLOW else "sentence_deny"
        super().__init__(
            host,
            "grant_remove",
            title=strings.text("grants.remove_sheet.title"),
            sentence="",
            subject=f"{strings.text(f'grants.effect.{grant.effect.value}')} · {grant.grantee_name}",
            label=strings.text("grants.remove_sheet.reason"),
            hint=strings.text("grants.remove_sheet.reason_hint"),
            primary=strings.text("grants.remove_sheet.save"),
            missing=strings.text("grants.add_sheet.reason_missing"),
            harm=strings.text(f"grants.remove_sheet.{key}"),
        )
        self._bridge, self._case_id, self._grant, self._removed = bridge, case_id, grant, removed
        self.accepted.connect(self._save)

    def _save(self) -> None:
        reason = self.given()
        if reason is not None:
            reply = self._bridge.ask(Register.remove_grant, self._case_id, self._grant.grant_id, reason)
            self.send(reply, lambda _: self._removed())
