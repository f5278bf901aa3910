"""Registering a case: number, title, type, officer in charge, unit, marking, persons, tags. Admitting a records custodian.

Rules of this module:

- Only the register entry is made here; documents come by intake, sight by grants.
- Everything that is missing is said beside its field, all at once; the keyboard goes to the first.
- Persons and tags are entered one at a time and painted back, so that they are not kept in a stock text widget.
- LIMIT: what is being typed stands in a line edit until Enter, where assistive technology can read it: an input has no other way. Nothing
  typed here can be copied out.
- A new records custodian sees no case until one who holds the records unit's key hands it on. Whom that concerns is offered, nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui import strings, theme
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.chosen_field import ChoiceField
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.windows.act_sheet import ActSheet
from ui.windows.beside import beside
from ui.windows.naming import isolated
from ui.windows.person_field import PersonField
from vault.domain.access import ROLES_WITHOUT_CASES
from vault.domain.casefile import Marking
from vault.domain.identity import PersonId, Role, UnitId, UnitKind
from vault.services.register import Register
from vault.services.views import CaseLine, PersonBrief, UnitLine

if TYPE_CHECKING:
    from ui.bridge import Bridge

_MOST_ENTRIES = 40
_CHIP_PX = 24
_GAP_PX = 6


class _Entries(QWidget):
    """What was entered so far, painted as chips that wrap. Its accessible name is the number of entries only."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[str] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_entries(self) -> None:
        self.setAccessibleName(strings.text("register.entries", count=len(self.entries)))
        self.setVisible(bool(self.entries))
        self.updateGeometry()
        self.update()

    def _places(self, width_px: int) -> list[QRect]:
        metrics, left, top, places = QFontMetrics(theme.font(TypeSize.SMALL, Weight.MEDIUM)), 0, 0, []
        for entry in self.entries:
            wide = min(width_px, metrics.horizontalAdvance(entry) + 20)
            if left and left + wide > width_px:
                left, top = 0, top + _CHIP_PX + _GAP_PX
            places.append(QRect(left, top, wide, _CHIP_PX))
            left += wide + _GAP_PX
        return places

    def hasHeightForWidth(self) -> bool:  # noqa: N802 -- Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        places = self._places(max(1, width))
        return places[-1].bottom() + 1 if places else 0

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(200, self.heightForWidth(self.width() or 400))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        for entry, at in zip(self.entries, self._places(self.width()), strict=True):
            painting.panel(painter, at, Colour.SURFACE_2, radius_px=4)
            painting.line(painter, at.adjusted(9, 0, -9, 0), isolated(entry), Colour.TEXT, theme.font(TypeSize.SMALL, Weight.MEDIUM))
        painter.end()


class EntriesField(QWidget):
    """A field for several words: Enter keeps one, Backspace in the empty field takes the last one back."""

    changed = Signal()

    def __init__(self, label: str, hint: str, name: str) -> None:
        super().__init__()
        self.field = LineField(label, hint=hint, copy_disabled=True, max_length=120)
        self.field.line.setObjectName(name)
        self._shown = _Entries()
        column = QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        self.field.layout().addWidget(self._shown)  # type: ignore[union-attr]  # a Field always has a layout
        column.addWidget(self.field)
        self.setLayout(column)
        self.setFocusProxy(self.field)
        self.field.line.installEventFilter(self)

    def values(self) -> tuple[str, ...]:
        """Give what was entered, and what stands in the field without Enter."""
        left_over = self.field.value()
        return (*self._shown.entries, left_over) if left_over and left_over not in self._shown.entries else tuple(self._shown.entries)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Keep on Enter, take back on Backspace."""
        if watched is not self.field.line or event.type() is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        plain = not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if plain and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            entry = self.field.value()
            if entry and entry not in self._shown.entries and len(self._shown.entries) < _MOST_ENTRIES:
                self._shown.entries.append(entry)
            self.field.set_value("")
            self._show()
            return True
        if event.key() == Qt.Key.Key_Backspace and not self.field.line.text() and self._shown.entries:
            self._shown.entries.pop()
            self._show()
            return True
        return False

    def _show(self) -> None:
        self._shown.show_entries()
        self.changed.emit()


class RegisterSheet(ActSheet):
    """The card of a new case."""

    def __init__(self, host: QWidget, bridge: Bridge, registered: Callable[[CaseLine], None]) -> None:
        """Make the sheet; it asks for the directory itself. `registered` is called with the new case."""
        super().__init__(host, "register", strings.text("register.title"), strings.text("register.save"), width_px=640)
        self._bridge, self._registered = bridge, registered
        self.number = LineField(
            strings.text("register.number"), hint=strings.text("register.number_hint"), copy_disabled=True, max_length=40
        )
        self.name = LineField(strings.text("register.name"), copy_disabled=True, max_length=200)
        self.type = LineField(strings.text("register.type"), hint=strings.text("register.type_hint"), max_length=80)
        self.officer = PersonField(strings.text("register.officer"), "register_officer")
        self.unit = ChoiceField(strings.text("register.unit"))
        self.marking = ChoiceField(strings.text("register.marking"), [(one.value, strings.text(f"marking.{one.value}")) for one in Marking])
        self.marking.set_value(Marking.OFFICIAL_SENSITIVE.value)
        self.persons = EntriesField(strings.text("register.persons"), strings.text("register.persons_hint"), "register_persons")
        self.tags = EntriesField(strings.text("register.tags"), strings.text("register.tags_hint"), "register_tags")
        for field, name in (
            (self.number, "number"),
            (self.name, "name"),
            (self.type, "type"),
            (self.unit, "unit"),
            (self.marking, "marking"),
        ):
            field.control.setObjectName(f"register_{name}")
            field.changed.connect(lambda of=field: of.set_error(""))
        self.body.addWidget(Label(strings.text("register.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addLayout(beside(self.number, self.type))
        self.body.addWidget(self.name)
        self.body.addLayout(beside(self.officer, self.unit))
        self.body.addLayout(beside(self.marking, self.tags))
        self.body.addWidget(self.persons)
        self.accepted.connect(self._save)
        bridge.ask(Register.people).owner(self).then(self._take_people)
        bridge.ask(Register.units).owner(self).then(self._take_units)

    def _take_people(self, people: tuple[PersonBrief, ...]) -> None:
        self.officer.set_people([person for person in people if person.role not in ROLES_WITHOUT_CASES])

    def _take_units(self, units: tuple[UnitLine, ...]) -> None:
        chosen = self.unit.value()
        self.unit.set_choices([(unit.unit_id, unit.name) for unit in units])
        self.unit.set_value(chosen)

    def _save(self) -> None:
        officer = self.officer.person()
        wrong = self._first_wrong(officer)
        if wrong is not None:
            wrong.control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        assert officer is not None  # the check above said so
        reply = self._bridge.ask(
            Register.register_case,
            self.number.value(),
            self.name.value(),
            self.type.value(),
            officer.badge_no,
            UnitId(self.unit.value()),
            Marking(self.marking.value()),
            self.persons.values(),
            self.tags.values(),
        )
        self.send(reply, self._registered)

    def _first_wrong(self, officer: PersonBrief | None) -> Field | None:
        checks: tuple[tuple[Field, bool, str], ...] = (
            (self.number, bool(self.number.value()), "number"),
            (self.type, bool(self.type.value()), "type"),
            (self.name, bool(self.name.value()), "name"),
            (self.officer, officer is not None, "officer"),
            (self.unit, bool(self.unit.value()), "unit"),
        )
        first: Field | None = None
        for field, fine, name in checks:
            field.set_error("" if fine else strings.text(f"register.{name}_missing"))
            if not fine and first is None:
                first = field
        return first


def to_be_admitted(people: tuple[PersonBrief, ...], units: tuple[UnitLine, ...], me: PersonId) -> tuple[PersonBrief, ...]:
    """Give the records custodians who have not the records unit's key yet; nobody if I have not got it either."""
    members = {one.person_id for unit in units if unit.kind is UnitKind.RECORDS for one in unit.members}
    if me not in members:
        return ()
    return tuple(one for one in people if one.role is Role.CUSTODIAN and one.person_id not in members)


class AdmitSheet(ActSheet):
    """Hand the records unit's key to a custodian who waits for it."""

    def __init__(self, host: QWidget, bridge: Bridge, waiting: tuple[PersonBrief, ...], admitted: Callable[[PersonBrief], None]) -> None:
        """Make the sheet for those who wait, at least one. `admitted` is called with who got the key."""
        super().__init__(host, "admit", strings.text("register.admit_sheet.title"), strings.text("register.admit_sheet.save"))
        self._bridge, self._admitted = bridge, admitted
        self.person = PersonField(strings.text("register.admit_sheet.person"), "admit_person")
        self.person.set_people(waiting)
        if len(waiting) == 1:
            self.person.choose(waiting[0])
        self.person.changed.connect(lambda: self.person.set_error(""))
        self.body.addWidget(Label(strings.text("register.admit_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addWidget(self.person)
        self.accepted.connect(self._save)

    def _save(self) -> None:
        person = self.person.person()
        if person is None:
            self.person.set_error(strings.text("register.admit_sheet.missing"))
            self.person.control.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.send(self._bridge.ask(Register.admit, person.badge_no), lambda _: self._admitted(person))
