"""What is looked for in reading: every published rule, with its version, its threshold here and how often it speaks about ordinary readers.

Rules of this module:

- Everybody who works here can open it: nothing is looked for in secret. What is shown is the vault's catalogue and nothing else.
- The number of false alarms stands beside each rule, with what it was measured on.
- A supervisor also sees the decoys, marks a case as one and takes a mark back. Nobody else is shown that there are any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, TimeCell, TitleCell
from ui.widgets.chip import FilterChip
from ui.widgets.empty_state import EmptyState
from ui.widgets.field import LineField
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.label import Label
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.act_sheet import ReasonSheet, confirmation
from ui.windows.held_rows import HeldRows
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import isolated, who, who_briefly
from ui.windows.page import PaletteAction
from ui.windows.split_pane import SplitPane
from vault.domain.identity import Role
from vault.services.unusual_reading import UnusualReading
from vault.services.views import DecoyLine, RuleLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn

_INSPECTOR_PX = 380


class LookedForPage(LivePage):
    """The catalogue; for a supervisor also the decoys."""

    key: ClassVar[str] = "looked_for"
    icon: ClassVar[IconName] = IconName.INFO
    back_to: ClassVar[str] = "desk"

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._supervises = signed_in.person.role is Role.SUPERVISOR
        self._decoys: tuple[DecoyLine, ...] = ()
        self._head = PageHead(self.key, self.title)
        self._show_decoys = FilterChip(strings.text("looked_for.decoys"))
        self._show_decoys.setObjectName("looked_for_show_decoys")
        self._show_decoys.toggled.connect(self._show)
        self._verbs: dict[str, Button] = {}
        if self._supervises:
            self._head.row.addWidget(self._show_decoys)
            self._verb("mark", "D", self.mark)
            self._verb("remove", "R", self.remove)
        back = Button(strings.text("my_reports.back"), ButtonKind.GHOST, key_hint="Esc")
        back.setObjectName("looked_for_back")
        back.clicked.connect(self.back)
        back.setVisible(signed_in.person.role in {Role.OFFICER, Role.SUPERVISOR})
        self._head.row.addWidget(back)
        self._make_lists()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(Label(strings.text("looked_for.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        column.addWidget(self._split, 1)

    def _verb(self, name: str, key: str, act: object) -> None:
        button = Button(strings.text(f"looked_for.{name}"), ButtonKind.SECONDARY, key_hint=key)
        button.setObjectName(f"looked_for_{name}")
        button.clicked.connect(act)
        self._head.row.addWidget(button)
        self._verbs[name] = button
        self.shortcut(key, act)  # type: ignore[arg-type]

    def _make_lists(self) -> None:
        self.rules = RecordTable(
            (
                Column(strings.text("looked_for.rule"), 240, stretch=2),
                Column(strings.text("looked_for.threshold"), 210, stretch=3, drop=1),
                Column(strings.text("looked_for.false_flags"), 150, stretch=1),
            ),
            name=self.title,
        )
        self.rules.setObjectName("looked_for_rules")
        self._rule_rows: HeldRows[RuleLine] = HeldRows(self.rules, _rule_record, lambda line: line.rule_id)
        self.decoys = RecordTable(
            (
                Column(strings.text("looked_for.case"), 120),
                Column(strings.text("looked_for.reason"), 220, stretch=3),
                Column(strings.text("looked_for.marked"), 160, drop=1),
            ),
            name=strings.text("looked_for.decoys"),
        )
        self.decoys.setObjectName("looked_for_decoys")
        self._decoy_rows: HeldRows[DecoyLine] = HeldRows(self.decoys, _decoy_record, lambda line: line.mark)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.rules)
        self._stack.addWidget(self.decoys)
        self._stack.addWidget(EmptyState(IconName.CASE, strings.text("looked_for.no_decoys"), strings.text("looked_for.no_decoys_hint")))
        self.inspector = Inspector(closable=False)
        self.inspector.setObjectName("looked_for_rule")
        self.inspector.set_over(over=True)
        self._split = SplitPane(self.key, self._stack, self.inspector, detail_width_px=_INSPECTOR_PX)
        for table in (self.rules, self.decoys):
            table.activated.connect(lambda _row: self._split.open_detail())
            table.current_changed.connect(self._show_current)

    # -- staying fresh ---------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask, and put the keyboard in the list."""
        super().shown()
        (self.decoys if self._show_decoys.isChecked() else self.rules).setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Ask for the catalogue, and for the decoys."""
        self.bridge.ask(UnusualReading.catalogue).then(self._take_rules).owner(self)
        if self._supervises:
            self.bridge.ask(UnusualReading.decoys).then(self._take_decoys).owner(self)

    def _take_rules(self, rules: tuple[RuleLine, ...]) -> None:
        self._rule_rows.show(list(rules))
        self._show()

    def _take_decoys(self, decoys: tuple[DecoyLine, ...]) -> None:
        self._decoys = decoys
        self._decoy_rows.show(list(decoys))
        self._show()

    def _show(self) -> None:
        decoys = self._show_decoys.isChecked()
        self._stack.setCurrentIndex(0 if not decoys else 1 if self._decoys else 2)
        if remove := self._verbs.get("remove"):
            remove.setVisible(decoys and bool(self._decoys))
        self._show_current()

    def _show_current(self) -> None:
        rule, decoy = self._rule_rows.current(), self._decoy_rows.current()
        if self._show_decoys.isChecked():
            facts = _decoy_facts(decoy) if decoy is not None else (Fact("", strings.text("looked_for.no_decoys_hint")),)
            self.inspector.show_facts(strings.text("looked_for.decoy"), [Section("", facts)])
        elif rule is not None:
            self.inspector.show_facts(_name(rule), [Section("", _rule_facts(rule))])

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Mark a case as a decoy."""
        MarkSheet(self.sheet_host, self.bridge, self._marked).open_over()

    def _marked(self) -> None:
        self._show_decoys.setChecked(True)
        self.refresh()

    def remove(self) -> None:
        """Take the current decoy's mark back."""
        decoy = self._decoy_rows.current()
        if decoy is None or not self._show_decoys.isChecked():
            return
        sheet = confirmation(
            self.sheet_host,
            "looked_for_remove",
            strings.text("looked_for.remove_title"),
            strings.text("looked_for.remove"),
            sentence=strings.text("looked_for.remove_sentence"),
        )
        sheet.accepted.connect(lambda: sheet.send(self.bridge.ask(UnusualReading.remove_decoy, decoy.mark), lambda _done: self.refresh()))
        sheet.open_over()

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """The supervisor's two verbs."""
        if not self._supervises:
            return []
        offered = [PaletteAction("mark", strings.text("looked_for.mark"), IconName.ADD, self.mark, "D")]
        if self._show_decoys.isChecked() and self._decoys:
            offered.append(PaletteAction("remove", strings.text("looked_for.remove"), IconName.CANCEL, self.remove, "R"))
        return offered


class MarkSheet(ReasonSheet):
    """Which case, and why it serves as a decoy."""

    def __init__(self, host: QWidget, bridge: Bridge, marked: object) -> None:
        super().__init__(
            host,
            "decoy",
            title=strings.text("looked_for.mark_title"),
            sentence=strings.text("looked_for.mark_sentence"),
            subject="",
            label=strings.text("looked_for.reason"),
            hint=strings.text("looked_for.reason_hint"),
            primary=strings.text("looked_for.mark"),
            missing=strings.text("looked_for.reason_missing"),
        )
        self.number = LineField(strings.text("looked_for.case"), hint=strings.text("looked_for.case_hint"), max_length=60)
        self.number.control.setObjectName("decoy_number")
        self.body.insertWidget(self.body.count() - 1, self.number)

        def send() -> None:
            reason = self.given()
            if reason is not None:
                self.send(bridge.ask(UnusualReading.mark_decoy, self.number.value(), reason), lambda _done: marked())  # type: ignore[operator]

        self.accepted.connect(send)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the number."""
        super().open_over()
        self.number.control.setFocus()


def _name(line: RuleLine) -> str:
    return strings.text(f"looked_for.rules.{line.rule_id}.name")


def _threshold(line: RuleLine) -> str:
    values = dict(line.thresholds)
    seconds = strings.number(values["dwell_ms"] // 1000) if "dwell_ms" in values else ""
    named = strings.text("looked_for.shift_named" if values.get("days_named") else "looked_for.shift_unnamed")
    return strings.text(
        f"looked_for.rules.{line.rule_id}.threshold",
        pages=values.get("pages", 0),
        seconds=seconds,
        hours=values.get("hours", 0),
        cases=values.get("cases", 0),
        named=named,
    )


def _false_flags(line: RuleLine) -> str:
    return strings.text("looked_for.false_count", flags=strings.number(line.false_flags), shifts=strings.number(line.shifts))


def _rule_record(line: RuleLine) -> Record:
    cells = (
        TitleCell(_name(line), strings.text("looked_for.version_mark", version=line.version), strong=True),
        TitleCell(_threshold(line)),
        TitleCell(_false_flags(line)),
    )
    return Record(line.rule_id, cells)


def _rule_facts(line: RuleLine) -> tuple[Fact, ...]:
    return (
        Fact(strings.text("looked_for.looks_at"), strings.text(f"looked_for.rules.{line.rule_id}.looks_at")),
        Fact(strings.text("looked_for.threshold"), _threshold(line)),
        Fact(strings.text("looked_for.becomes"), strings.text(f"breaches.kind.{line.signal.value}")),
        Fact(strings.text("looked_for.false_flags"), _false_flags(line)),
        Fact(
            strings.text("looked_for.measured"),
            strings.text("looked_for.measured_on", shifts=strings.number(line.shifts), pages=strings.number(line.pages)),
        ),
        Fact(strings.text("looked_for.version"), str(line.version), tabular=True),
    )


def _decoy_record(line: DecoyLine) -> Record:
    return Record(line.mark, (NumberCell(line.case_label), TitleCell(isolated(line.reason)), TimeCell(line.marked_us)))


def _decoy_facts(line: DecoyLine) -> tuple[Fact, ...]:
    return (
        Fact(strings.text("looked_for.case"), line.case_label, tabular=True),
        Fact(strings.text("looked_for.reason"), isolated(line.reason)),
        Fact(strings.text("looked_for.marked"), strings.local_time_full(line.marked_us), tabular=True),
        Fact(strings.text("looked_for.marked_by"), who_briefly(line.marked_by, who(line.marked_by, ""))),
    )
