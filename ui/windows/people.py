"""People: who is enrolled, in which state; enrolling, disabling (administrator), signing, admitting, releasing, accommodating (supervisor);
another second factor for who lost theirs (both).

Rules of this module:

- Two people enrol one: an administrator enrols, a supervisor signs. What waits for the reader's signature stands on top.
- Disabling names its harm before the verb. Nothing here shows, or can reach, a case.
- Other roles do not reach this page; if one does, it says so and asks the vault nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, StatusCell, TimeCell, TitleCell
from ui.widgets.chip import FilterChip
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.empty_state import EmptyState
from ui.widgets.field import LineField
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.label import Label
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.accommodate import AccommodateSheet
from ui.windows.act_sheet import ActSheet, confirmation
from ui.windows.credentials import ProofSheet, RenewFactorSheet
from ui.windows.enrol import EnrolSheet, SecondFactorSheet
from ui.windows.held_rows import HeldRows
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import isolated, plain, who, who_briefly
from ui.windows.page import PaletteAction
from ui.windows.split_pane import SplitPane
from vault.domain.access import ROLES_WITHOUT_CASES
from vault.domain.identity import PersonId, PersonState, Role, UnitId, UnitKind
from vault.services.accommodation import Accommodations
from vault.services.administration import Administration
from vault.services.events import RegisterChanged
from vault.services.views import AccommodationLine, Enrolment, PersonBrief, PersonLine, UnitLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn

_INSPECTOR_PX = 320
_STATE_MARK = {
    PersonState.PENDING: (Tone.ATTENTION, IconName.WAIT),
    PersonState.ACTIVE: (Tone.PLAIN, IconName.CHECK),
    PersonState.LOCKED: (Tone.ATTENTION, IconName.LOCK),
    PersonState.DISABLED: (Tone.PLAIN, IconName.DENY),
}
_STATE_ORDER = (PersonState.PENDING, PersonState.LOCKED, PersonState.ACTIVE, PersonState.DISABLED)


def people_order(lines: tuple[PersonLine, ...]) -> list[PersonLine]:
    """Put people in order: what waits for somebody first (signature, release), then by name; disabled accounts last."""
    return sorted(lines, key=lambda line: (_STATE_ORDER.index(line.state), plain(line.person.name), line.person.badge_no))


class AddUnitSheet(ActSheet):
    """The name of a new unit."""

    def __init__(self, host: QWidget, bridge: Bridge, units: tuple[UnitLine, ...], added: Callable[[UnitLine], None]) -> None:
        super().__init__(host, "unit", strings.text("people.unit_sheet.title"), strings.text("people.unit_sheet.save"))
        self._bridge, self._names, self._added = bridge, {unit.name.casefold() for unit in units}, added
        self.name = LineField(strings.text("people.unit_sheet.name"), max_length=80)
        self.name.control.setObjectName("unit_name")
        self.name.changed.connect(lambda: self.name.set_error(""))
        self.name.submitted.connect(self._save)
        self.body.addWidget(Label(strings.text("people.unit_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addWidget(self.name)
        self.accepted.connect(self._save)

    def _save(self) -> None:
        name = self.name.value()
        if not name or name.casefold() in self._names:
            self.name.set_error(strings.text("people.unit_sheet.alike" if name else "people.unit_sheet.missing"))
            self.name.control.setFocus()
            return
        self.send(self._bridge.ask(Administration.add_unit, name), self._added)


class AdmitSheet(ActSheet):
    """To which of my teams somebody is admitted: one at least."""

    def __init__(self, host: QWidget, bridge: Bridge, person: PersonBrief, teams: list[UnitLine], admitted: Callable[[], None]) -> None:
        super().__init__(
            host, "unit_admit", strings.text("people.admit_sheet.title", who=who(person)), strings.text("people.admit_sheet.save")
        )
        self._bridge, self._person, self._admitted = bridge, person, admitted
        self.unit = ChoiceField(strings.text("people.admit_sheet.unit"), [(unit.unit_id, unit.name) for unit in teams])
        self.unit.control.setObjectName("unit_admit_unit")
        self.body.addWidget(Label(strings.text("people.admit_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addWidget(self.unit)
        self.accepted.connect(self._save)

    def _save(self) -> None:
        reply = self._bridge.ask(Administration.admit, self._person.person_id, UnitId(self.unit.value()))
        self.send(reply, lambda _done: self._admitted())


class PeoplePage(LivePage):
    """People and units."""

    key: ClassVar[str] = "people"
    icon: ClassVar[IconName] = IconName.PEOPLE
    fresh_on = (RegisterChanged,)
    always = True

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._role = signed_in.person.role
        self._lines: list[PersonLine] = []
        self._units: tuple[UnitLine, ...] = ()
        self._accommodations: dict[PersonId, AccommodationLine] = {}  # in force or to come; a supervisor's
        self._head = PageHead(self.key, self.title)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        if self._role not in {Role.ADMINISTRATOR, Role.SUPERVISOR}:
            column.addWidget(
                EmptyState(IconName.PEOPLE, strings.text("people.not_yours_title"), strings.text("people.not_yours_sentence")), 1
            )
            return
        self._make_head()
        self._make_lists()
        column.addWidget(self._filter)
        column.addWidget(self._split, 1)

    def _make_head(self) -> None:
        self._show_units = FilterChip(strings.text("people.units"))
        self._show_units.setObjectName("people_show_units")
        self._show_units.toggled.connect(self._show)
        self._head.row.addWidget(self._show_units)
        servers = Button(strings.text("premises.title"), ButtonKind.GHOST, icon=IconName.PREMISES, key_hint="F4")
        servers.setObjectName("people_premises")
        servers.clicked.connect(lambda: self.go.emit("premises", ""))
        self._head.row.addWidget(servers)
        if self._role is Role.ADMINISTRATOR:
            enrol = Button(strings.text("people.enrol"), ButtonKind.PRIMARY, icon=IconName.ADD, key_hint="Ctrl+N")
            enrol.setObjectName("people_enrol")
            enrol.clicked.connect(self.enrol)
            self._head.row.addWidget(enrol)
            self.shortcut("Ctrl+N", self.enrol)
            self.shortcut("D", self.disable)
        else:
            unit = Button(strings.text("people.add_unit"), ButtonKind.SECONDARY, icon=IconName.ADD, key_hint="U")
            unit.setObjectName("people_add_unit")
            unit.clicked.connect(self.add_unit)
            self._head.row.addWidget(unit)
            self.shortcut("U", self.add_unit)
            self.shortcut("C", self.cosign)
            self.shortcut("M", self.admit)
            self.shortcut("L", self.release)
            self.shortcut("T", self._accommodate_or_end)
        self.shortcut("F", self.renew_factor)
        self._filter = LineField(strings.text("people.filter"), max_length=60)
        self._filter.control.setObjectName("people_filter")
        self._filter.setMaximumWidth(320)
        self._filter.changed.connect(self._show)
        self._filter.submitted.connect(self._focus_list)

    def _make_lists(self) -> None:
        self.table = RecordTable(
            (
                Column(strings.text("people.column_name"), 170, stretch=3),
                Column(strings.text("people.column_badge"), 64),
                Column(strings.text("people.column_role"), 124, stretch=1, drop=2),
                Column(strings.text("people.column_unit"), 130, stretch=2, drop=3),
                Column(strings.text("people.column_state"), 136),
                Column(strings.text("people.column_enrolled"), 104, drop=4),
            ),
            name=strings.text("people.list"),
        )
        self.table.setObjectName("people_list")
        self._rows: HeldRows[PersonLine] = HeldRows(self.table, _record, lambda line: line.person.person_id)
        self.units = RecordTable(
            (
                Column(strings.text("people.column_unit"), 180, stretch=2),
                Column(strings.text("people.column_kind"), 110, drop=1),
                Column(strings.text("people.column_members"), 96),
            ),
            name=strings.text("people.units"),
        )
        self.units.setObjectName("people_units")
        self._unit_rows: HeldRows[UnitLine] = HeldRows(self.units, _unit_record, lambda unit: unit.unit_id)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.units)
        self._stack.addWidget(EmptyState(IconName.PEOPLE, strings.text("people.empty_title"), strings.text("people.empty_sentence")))
        self.inspector = Inspector(closable=False)
        self.inspector.setObjectName("people_person")
        self.inspector.set_over(over=True)
        self._verbs: dict[str, Button] = {}
        for name, kind, hint, act in (
            ("cosign", ButtonKind.PRIMARY, "C", self.cosign),
            ("release", ButtonKind.PRIMARY, "L", self.release),
            ("admit", ButtonKind.SECONDARY, "M", self.admit),
            ("renew_factor", ButtonKind.SECONDARY, "F", self.renew_factor),
            ("disable", ButtonKind.SECONDARY, "D", self.disable),
            ("accommodate", ButtonKind.SECONDARY, "T", self.accommodate),
            ("end_accommodation", ButtonKind.SECONDARY, "T", self.end_accommodation),
        ):
            button = Button(strings.text(f"people.{name}"), kind, key_hint=hint)
            button.setObjectName(f"people_{name}")
            button.clicked.connect(act)
            self.inspector.verbs.addWidget(button)
            self._verbs[name] = button
        self._split = SplitPane(self.key, self._stack, self.inspector, detail_width_px=_INSPECTOR_PX)
        self.table.activated.connect(lambda _row: self._split.open_detail())
        self.units.activated.connect(lambda _row: self._split.open_detail())
        self.table.current_changed.connect(self._show_current)
        self.units.current_changed.connect(self._show_current)

    # -- staying fresh ---------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask for people and put the keyboard on the list."""
        if self._role in {Role.ADMINISTRATOR, Role.SUPERVISOR}:
            super().shown()
            self._focus_list()

    def _focus_list(self) -> None:
        (self.units if self._show_units.isChecked() else self.table).setFocus()

    def refresh(self) -> None:
        """Ask for people and units."""
        if self._role in {Role.ADMINISTRATOR, Role.SUPERVISOR}:
            self.bridge.ask(Administration.people).owner(self).then(self._take_people)
            self.bridge.ask(Administration.units).owner(self).then(self._take_units)
        if self._role is Role.SUPERVISOR:
            self.bridge.ask(Accommodations.accommodations).owner(self).then(self._take_accommodations)

    def _take_people(self, lines: tuple[PersonLine, ...]) -> None:
        self._lines = people_order(lines)
        supervisor = self._role is Role.SUPERVISOR
        pending = sum(line.state is PersonState.PENDING for line in lines)
        locked = sum(line.state is PersonState.LOCKED for line in lines)
        remark = strings.text("people.waiting_you" if supervisor else "people.waiting", count=pending) if pending else ""
        self._head.say(strings.text("people.heading", count=len(lines)), remark, Colour.AMBER)
        self.badge.emit(pending + locked if supervisor else 0)
        self._show()

    def _take_accommodations(self, lines: tuple[AccommodationLine, ...]) -> None:
        now_us = strings.now_us()
        self._accommodations = {line.person.person_id: line for line in lines if line.until_us > now_us}
        self._show_current()

    def _take_units(self, units: tuple[UnitLine, ...]) -> None:
        self._units = units
        self._show()

    def _show(self) -> None:
        wanted = plain(self._filter.value())
        units = self._show_units.isChecked()
        if units:
            self._unit_rows.show([unit for unit in self._units if wanted in plain(unit.name)])
        else:
            fits = [line for line in self._lines if wanted in plain(line.person.name) or line.person.badge_no.casefold().startswith(wanted)]
            self._rows.show(fits)
        self._stack.setCurrentIndex(1 if units else 0 if self._lines else 2)
        self._show_current()

    def _show_current(self) -> None:
        unit = self._unit_rows.current()
        line = self._rows.current()
        possible = self._possible()
        for name, button in self._verbs.items():
            button.setVisible(name in possible)
        if self._show_units.isChecked() and unit is not None:
            members = tuple(Fact(member.badge_no, isolated(member.name)) for member in unit.members)
            kind = Fact(strings.text("people.column_kind"), strings.text(f"people.unit_kind.{unit.kind.value}"))
            self.inspector.show_facts(
                unit.name, [Section("", (kind,)), Section(strings.text("people.members", count=len(members)), members)]
            )
        elif line is not None and not self._show_units.isChecked():
            facts = _facts(line)
            if (given := self._accommodations.get(line.person.person_id)) is not None:
                facts = (*facts, *_accommodation_facts(given))
            self.inspector.show_facts(isolated(line.person.name), [Section("", facts)])
        else:
            self.inspector.show_facts(strings.text("people.pick_title"), [Section("", (Fact("", strings.text("people.pick_sentence")),))])

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def _possible(self) -> frozenset[str]:
        line = self._rows.current()
        if line is None or self._show_units.isChecked():
            return frozenset()
        if self._role is Role.SUPERVISOR:
            verbs = {PersonState.PENDING: {"cosign"}, PersonState.LOCKED: {"release"}}.get(line.state, set())
            reads = line.state is PersonState.ACTIVE and line.person.role not in ROLES_WITHOUT_CASES
            if reads and line.person.person_id != self.signed_in.person.person_id:
                verbs = {"end_accommodation" if line.person.person_id in self._accommodations else "accommodate"}
            if self._joinable(line):
                verbs = verbs | {"admit"}
        else:
            verbs = set() if line.state is PersonState.DISABLED else {"disable"}
        if line.state in {PersonState.PENDING, PersonState.ACTIVE}:  # a locked account is released first
            verbs = verbs | {"renew_factor"}
        own = line.person.person_id == self.signed_in.person.person_id
        return frozenset(verbs - {"renew_factor", "disable"} if own else verbs)

    def _joinable(self, line: PersonLine) -> list[UnitLine]:
        """The teams whose key I have and they have not."""
        if line.state not in {PersonState.ACTIVE, PersonState.LOCKED} or line.person.role not in {Role.OFFICER, Role.SUPERVISOR}:
            return []
        me = self.signed_in.person.person_id
        members = [(unit, {one.person_id for one in unit.members}) for unit in self._units if unit.kind is UnitKind.TEAM]
        return [unit for unit, ids in members if me in ids and line.person.person_id not in ids]

    def _accommodate_or_end(self) -> None:
        if "end_accommodation" in self._possible():
            self.end_accommodation()
        else:
            self.accommodate()

    def enrol(self) -> None:
        """Enrol a person."""
        EnrolSheet(self.sheet_host, self.bridge, self._units, self._enrolled).open_over()

    def _enrolled(self, enrolment: Enrolment) -> None:
        self.refresh()
        SecondFactorSheet(self.sheet_host, enrolment).open_over()

    def add_unit(self) -> None:
        """Add a unit."""
        AddUnitSheet(self.sheet_host, self.bridge, self._units, lambda _unit: self.refresh()).open_over()

    def cosign(self) -> None:
        """Sign the enrolment of the current person."""
        line = self._rows.current()
        if line is not None and "cosign" in self._possible():
            enrolled = strings.text(
                "people.cosign_sheet.enrolled",
                by=who(line.enrolled_by, strings.text("people.nobody")),
                time=strings.local_time(line.enrolled_us),
            )
            self._confirm("cosign", line, sentence=f"{strings.text('people.cosign_sheet.sentence')} {enrolled}")

    def admit(self) -> None:
        """Admit the current person to one of my teams."""
        line = self._rows.current()
        if line is not None and "admit" in self._possible():
            AdmitSheet(self.sheet_host, self.bridge, line.person, self._joinable(line), self.refresh).open_over()

    def release(self) -> None:
        """Release the current person's locked account."""
        line = self._rows.current()
        if line is not None and "release" in self._possible():
            self._confirm("release", line, sentence=strings.text("people.release_sheet.sentence"))

    def disable(self) -> None:
        """Disable the current person's account."""
        line = self._rows.current()
        if line is not None and "disable" in self._possible():
            self._confirm("disable", line, harm=strings.text("people.disable_sheet.sentence"))

    def renew_factor(self) -> None:
        """Renew the second factor of the current person, who is here and types their passphrase."""
        line = self._rows.current()
        if line is not None and "renew_factor" in self._possible():
            RenewFactorSheet(self.sheet_host, self.bridge, line.person, self._prove).open_over()

    def _prove(self, shown: Enrolment) -> None:
        ProofSheet(self.sheet_host, self.bridge, shown, lambda: self._renewed(shown)).open_over()

    def _renewed(self, shown: Enrolment) -> None:
        person = f"{shown.name} · {shown.badge_no}"
        words = strings.text("credentials.renewed", who=person), strings.text("credentials.renewed_why")
        if self.frame is not None:
            self.frame.notice.show_notice(*words, tone=Tone.PROVEN, icon=IconName.DONE)

    def accommodate(self) -> None:
        """Grant the current person page text for assistive technology."""
        line = self._rows.current()
        if line is not None and "accommodate" in self._possible():
            AccommodateSheet(self.sheet_host, self.bridge, line.person, self.refresh).open_over()

    def end_accommodation(self) -> None:
        """Take the current person's accommodation back."""
        line = self._rows.current()
        if line is None or "end_accommodation" not in self._possible():
            return
        act_id = self._accommodations[line.person.person_id].act_id
        sheet = confirmation(
            self.sheet_host,
            "people_end_accommodation",
            strings.text("people.end_accommodation_sheet.title", who=who(line.person)),
            strings.text("people.end_accommodation_sheet.save"),
            sentence=strings.text("people.end_accommodation_sheet.sentence"),
        )
        sheet.accepted.connect(lambda: sheet.send(self.bridge.ask(Accommodations.remove, act_id), lambda _done: self.refresh()))
        sheet.open_over()

    def _confirm(self, act: str, line: PersonLine, *, sentence: str = "", harm: str = "") -> None:
        method: Any = {"cosign": Administration.cosign, "release": Administration.release, "disable": Administration.disable}[act]
        sheet = confirmation(
            self.sheet_host,
            f"people_{act}",
            strings.text(f"people.{act}_sheet.title", who=who(line.person)),
            strings.text(f"people.{act}_sheet.save"),
            sentence=sentence,
            harm=harm,
        )
        facts = Label(strings.text(f"role.{line.person.role.value}"), role=Colour.TEXT_QUIET)
        sheet.body.insertWidget(0, facts)
        sheet.accepted.connect(lambda: sheet.send(self.bridge.ask(method, line.person.person_id), lambda _: self.refresh()))
        sheet.open_over()

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]
        """Give what this role can do now."""
        acts: dict[str, tuple[IconName, Callable[[], None], str]] = {
            "cosign": (IconName.CHECK, self.cosign, "C"),
            "release": (IconName.KEY, self.release, "L"),
            "admit": (IconName.UNIT, self.admit, "M"),
            "renew_factor": (IconName.ROTATE, self.renew_factor, "F"),
            "disable": (IconName.DENY, self.disable, "D"),
            "accommodate": (IconName.USER, self.accommodate, "T"),
            "end_accommodation": (IconName.CANCEL, self.end_accommodation, "T"),
        }
        if self._role is Role.ADMINISTRATOR:
            always = [PaletteAction("people.enrol", strings.text("people.enrol"), IconName.ADD, self.enrol, "Ctrl+N")]
        elif self._role is Role.SUPERVISOR:
            always = [PaletteAction("people.add_unit", strings.text("people.add_unit"), IconName.UNIT, self.add_unit, "U")]
        else:
            return []
        possible = self._possible()
        return always + [
            PaletteAction(f"people.{name}", strings.text(f"people.{name}"), icon, act, keys)
            for name, (icon, act, keys) in acts.items()
            if name in possible
        ]


def _record(line: PersonLine) -> Record:
    tone, icon = _STATE_MARK[line.state]
    waits = line.state in {PersonState.PENDING, PersonState.LOCKED}
    return Record(
        key=line.person.person_id,
        cells=(
            TitleCell(isolated(line.person.name), strong=waits),
            NumberCell(line.person.badge_no),
            TitleCell(strings.text(f"role.{line.person.role.value}")),
            TitleCell(isolated(line.person.unit_name)),
            StatusCell(strings.text(f"people.state.{line.state.value}"), tone, icon),
            TimeCell(line.enrolled_us, with_age=False),
        ),
        tone=tone,
    )


def _unit_record(unit: UnitLine) -> Record:
    return Record(
        key=unit.unit_id,
        cells=(
            TitleCell(isolated(unit.name), icon=IconName.UNIT),
            TitleCell(strings.text(f"people.unit_kind.{unit.kind.value}")),
            NumberCell(strings.text("people.members", count=len(unit.members))),
        ),
    )


def _facts(line: PersonLine) -> tuple[Fact, ...]:
    tone, icon = _STATE_MARK[line.state]
    person = line.person
    return (
        Fact(strings.text("people.column_badge"), person.badge_no, tabular=True),
        Fact(strings.text("people.column_role"), strings.text(f"role.{person.role.value}")),
        Fact("", strings.text(f"people.role_hint.{person.role.value}")),
        Fact(strings.text("people.column_unit"), person.unit_name),
        Fact(strings.text("people.column_state"), strings.text(f"people.state.{line.state.value}"), tone, icon),
        Fact(strings.text("people.column_enrolled"), strings.local_time_full(line.enrolled_us), tabular=True),
        Fact(strings.text("people.enrolled_by"), who_briefly(line.enrolled_by, strings.text("people.nobody"))),
        Fact(strings.text("people.cosigned_by"), who_briefly(line.cosigned_by, strings.text("people.not_signed"))),
    )


def _accommodation_facts(given: AccommodationLine) -> tuple[Fact, ...]:
    until = strings.text("people.accommodated_until", until=strings.local_time_full(given.until_us), by=who_briefly(given.granted_by, ""))
    return (
        Fact(strings.text("people.accommodated"), until, Tone.ATTENTION, IconName.INFO),
        Fact(strings.text("people.accommodate_sheet.reason"), isolated(given.reason)),
    )
