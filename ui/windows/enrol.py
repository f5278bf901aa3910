"""Enrolling a person: the sheet with their particulars and passphrase, then the second factor to scan.

Rules of this module:

- The rule a passphrase must meet is shown while it is typed; the vault checks it again and knows more (common passphrases).
- The passphrase fields are emptied, and what was typed is overwritten, as soon as it was sent, whatever the answer.
- The second factor is shown once, full size, with the words that a supervisor's signature is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.chip import Chip
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.passphrase_field import PassphraseField, Typed
from ui.widgets.qr import QrCode
from ui.windows.act_sheet import ActSheet
from ui.windows.beside import beside
from vault.domain.identity import Role, UnitId, UnitKind
from vault.services.administration import Administration
from vault.services.views import Enrolment, UnitLine

if TYPE_CHECKING:
    from ui.bridge import Bridge

LEAST_CHARACTERS = 12
LEAST_DIFFERENT = 5
_LEAST_BADGE = 3
_CODE_PX = 220  # whole on a small screen at double scale: what is cut cannot be scanned


def passphrase_feedback(passphrase: Typed, badge_no: str) -> tuple[str, bool]:
    """Say how a passphrase stands against the rule.

    Returns:
        the words, and whether everything that can be told here is met.
    """
    if not passphrase:
        return strings.text("enrol.passphrase_rule", least=LEAST_CHARACTERS), False
    if len(passphrase) < LEAST_CHARACTERS:
        return strings.text("enrol.passphrase_short", n=len(passphrase), least=LEAST_CHARACTERS), False
    if passphrase.different() < LEAST_DIFFERENT:
        return strings.text("enrol.passphrase_plain", least=LEAST_DIFFERENT), False
    if len(badge_no) >= _LEAST_BADGE and passphrase.contains(badge_no):
        return strings.text("enrol.passphrase_badge"), False
    return strings.text("enrol.passphrase_good"), True


def again_feedback(passphrase: Typed, again: Typed) -> tuple[str, bool]:
    """Say whether the same was typed twice. Never empty: room is kept from the start, so that nothing jumps under the hands of a typist."""
    if not again:
        return strings.text("enrol.again_hint"), False
    same = again.same_as(passphrase)
    return strings.text("enrol.again_good" if same else "enrol.again_differs"), same


def unit_suits(kind: UnitKind, role: Role) -> bool:
    """Say whether a role may belong to a unit of this kind: records custodians to records, and to the supervisors only supervisors."""
    if kind is UnitKind.SUPERVISORS:
        return role is Role.SUPERVISOR
    return (kind is UnitKind.RECORDS) == (role is Role.CUSTODIAN)


def code_to_scan(name: str, enrolment: Enrolment, *words: QWidget) -> QVBoxLayout:
    """An enrolment's code, whole whatever stands beside it, what is said of it from top to bottom, and below it the key to type instead."""
    code = QrCode(_CODE_PX)
    code.setObjectName(name)
    code.show_matrix(matrix(enrolment.qr_rows))
    column = QVBoxLayout()
    column.setSpacing(12)
    for one in words:
        column.addWidget(one)
    column.addStretch(1)
    row = QHBoxLayout()
    row.setSpacing(24)
    row.addWidget(code, 0, Qt.AlignmentFlag.AlignTop)
    row.addLayout(column, 1)
    key = PaintedText(TypeSize.SMALL, mono=True)
    key.show_text(key_by_hand(enrolment.provisioning_uri))
    whole = QVBoxLayout()
    whole.setSpacing(4)
    whole.addLayout(row)
    whole.addWidget(Label(strings.text("enrol.by_hand"), TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True))
    whole.addWidget(key)
    return whole


def key_by_hand(provisioning_uri: str) -> str:
    """Give the key of a second factor as a person types it, in groups of four."""
    secret = provisioning_uri.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def matrix(rows: Sequence[str]) -> list[list[bool]]:
    """Read the rows of an enrolment's QR code without their quiet zone, which the widget paints itself."""
    used = [row for row in rows if "1" in row]
    if not used:
        return []
    first = min(row.index("1") for row in used)
    last = max(row.rindex("1") for row in used)
    return [[module == "1" for module in row[first : last + 1]] for row in used]


class Verdict(Chip):
    """What is said of a passphrase while it is typed: green and a tick when it is met."""

    def say(self, words: str, met: bool) -> None:
        """Say it; nothing is shown for no words."""
        self.show_fact(words, Tone.PROVEN if met else Tone.PLAIN, IconName.DONE if met else IconName.INFO)
        self.setVisible(bool(words))


class EnrolSheet(ActSheet):
    """Badge, name, role, unit and passphrase of a new person."""

    def __init__(self, host: QWidget, bridge: Bridge, units: Sequence[UnitLine], enrolled: Callable[[Enrolment], None]) -> None:
        """Make the sheet; `enrolled` is called with the second factor to show."""
        super().__init__(host, "enrol", strings.text("enrol.title"), strings.text("enrol.save"))
        self._bridge, self._enrolled = bridge, enrolled
        self.badge = LineField(strings.text("enrol.badge"), max_length=16)
        self.name = LineField(strings.text("enrol.name"), max_length=120)
        self.role = ChoiceField(strings.text("enrol.role"), [(role.value, strings.text(f"role.{role.value}")) for role in Role])
        self.unit = ChoiceField(strings.text("enrol.unit"))
        self._units = tuple(units)
        self.passphrase = PassphraseField(strings.text("enrol.passphrase"))
        self.again = PassphraseField(strings.text("enrol.again"))
        for field, name in (
            (self.badge, "badge"),
            (self.name, "name"),
            (self.role, "role"),
            (self.unit, "unit"),
            (self.passphrase, "passphrase"),
            (self.again, "again"),
        ):
            field.control.setObjectName(f"enrol_{name}")
            field.changed.connect(lambda of=field: of.set_error(""))
        self._rule, self._match = Verdict(""), Verdict("")
        self._rule.setObjectName("enrol_rule")
        self._match.setObjectName("enrol_match")
        self._hint = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self.body.addWidget(Label(strings.text("enrol.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addLayout(beside(self.badge, self.name, (1, 2)))
        self.body.addLayout(beside(self.role, self.unit, (1, 1)))
        self.body.addWidget(self._hint)
        self.body.addLayout(beside(self.passphrase, self.again, (1, 1)))
        self.body.addWidget(self._rule)
        self.body.addWidget(self._match)
        self.role.changed.connect(self._choose_role)
        for typed in (self.passphrase, self.again, self.badge):
            typed.changed.connect(self._judge)
        self.accepted.connect(self._save)
        self._choose_role()
        self._judge()

    def _choose_role(self) -> None:
        role = Role(self.role.value())
        self._hint.setText(strings.text(f"people.role_hint.{role.value}"))
        chosen = self.unit.value()
        self.unit.set_choices([(unit.unit_id, unit.name) for unit in self._units if unit_suits(unit.kind, role)])
        self.unit.set_value(chosen)

    def _judge(self) -> None:
        self._rule.say(*passphrase_feedback(self.passphrase.typed, self.badge.value()))
        self._match.say(*again_feedback(self.passphrase.typed, self.again.typed))

    def _save(self) -> None:
        wrong = self._first_wrong()
        if wrong is not None:
            wrong.control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        passphrase = self.passphrase.value()
        reply = self._bridge.ask(
            Administration.enrol,
            self.badge.value(),
            self.name.value(),
            Role(self.role.value()),
            UnitId(self.unit.value()),
            passphrase,
        )
        passphrase.wipe()
        self.passphrase.clear()
        self.again.clear()
        self.send(reply, self._enrolled)

    def _first_wrong(self) -> Field | None:
        rule, met = passphrase_feedback(self.passphrase.typed, self.badge.value())
        checks: tuple[tuple[Field, bool, str], ...] = (
            (self.badge, bool(self.badge.value()), strings.text("enrol.badge_missing")),
            (self.name, bool(self.name.value()), strings.text("enrol.name_missing")),
            (self.unit, bool(self.unit.value()), strings.text("enrol.unit_missing")),
            (self.passphrase, met, rule),
            (self.again, self.again.typed.same_as(self.passphrase.typed), strings.text("enrol.again_differs")),
        )
        first: Field | None = None
        for field, fine, error in checks:
            field.set_error("" if fine else error)
            if not fine and first is None:
                first = field
        return first


class SecondFactorSheet(ActSheet):
    """The QR code of a new person's second factor, to be scanned now."""

    def __init__(self, host: QWidget, enrolment: Enrolment) -> None:
        person = f"{enrolment.name} · {enrolment.badge_no}"
        super().__init__(host, "second_factor", strings.text("enrol.qr_title", who=person), strings.text("enrol.qr_done"), width_px=560)
        self.secondary.hide()
        sentence = Label(strings.text("enrol.qr_sentence", who=enrolment.name), wrap=True)
        signature = Label(strings.text("enrol.qr_signature"), weight=Weight.STRONG, role=Colour.AMBER, wrap=True)
        self.body.addLayout(code_to_scan("second_factor_code", enrolment, sentence, signature))
        self.accepted.connect(self.finish)
