"""The queue of breach reports and the report that is being decided.

Rules of this module:

- Unacknowledged reports of severity 3 and more stay on top, the oldest first, until somebody acknowledges them.
- New and changed reports arrive by themselves; the report being read stays the current one and stays where it was scrolled to.
- Opening a report is recorded, so a report that is only passed by on the way (J J J) is not asked for.
- A report on the reader can be seen in the queue and is not opened, not even asked for. The vault refuses it too.
- Acts that cannot be done now are not offered; their keys say why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import messages, strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, StatusCell, TimeCell, TitleCell, time_px
from ui.widgets.chip import FilterChip
from ui.widgets.choices import Choice, NumberedChoices
from ui.widgets.empty_state import EmptyState
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.record_table import Column, Record, RecordTable
from ui.widgets.text_field import TextField
from ui.windows import breach_words
from ui.windows.act_sheet import ActSheet, ReasonSheet
from ui.windows.held_rows import HeldRows
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import badge_first, who
from ui.windows.page import PaletteAction
from ui.windows.report_pane import ReportPane
from ui.windows.split_pane import SplitPane
from vault.domain.breach import Finding, Severity, TriageState
from vault.domain.reason import is_reason
from vault.services.events import BreachRecorded, ReportChanged
from vault.services.supervision import Supervision
from vault.services.views import ReportLine, ReportView

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError
    from vault.services.views import SignedIn

_PASSING_MS = 140
_AGE_UNITS_SECONDS = (86_400, 3_600, 60)


class DisposeSheet(ActSheet):
    """The finding as numbered choices, and the rationale."""

    def __init__(self, host: QWidget, report_no: str) -> None:
        super().__init__(
            host,
            "breaches_dispose",
            strings.text("breaches.dispose_sheet.title", report_no=report_no),
            strings.text("breaches.dispose_sheet.save"),
        )
        self.finding = NumberedChoices(
            [
                Choice(one.value, strings.text(f"breaches.finding.{one.value}"), strings.text(f"breaches.finding_hint.{one.value}"))
                for one in Finding
            ]
        )
        self.finding.setObjectName("breaches_finding")
        self.rationale = TextField(strings.text("breaches.dispose_sheet.rationale"), hint=strings.text("breaches.dispose_sheet.hint"))
        self.rationale.control.setObjectName("breaches_rationale")
        self._missing = Label("", role=Colour.RED, wrap=True)
        self._missing.hide()
        self.body.addWidget(Label(strings.text("breaches.dispose_sheet.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.body.addWidget(Label(strings.text("breaches.dispose_sheet.finding"), weight=Weight.MEDIUM))
        self.body.addWidget(self.finding)
        self.body.addWidget(self._missing)
        self.body.addWidget(self.rationale)
        self.finding.chosen.connect(lambda _value: self._missing.hide())
        self.finding.submitted.connect(lambda _value: self.rationale.control.setFocus())
        self.rationale.changed.connect(lambda: self.rationale.set_error(""))

    def given(self) -> tuple[Finding, str] | None:
        """Give finding and rationale, or say what is missing and give None."""
        value, rationale = self.finding.value(), self.rationale.value()
        if not value:
            self._missing.setText(strings.text("breaches.dispose_sheet.finding_missing"))
            self._missing.show()
            self.finding.setFocus()
            return None
        if not is_reason(rationale):
            self.rationale.set_error(strings.text("breaches.dispose_sheet.rationale_missing"))
            self.rationale.control.setFocus()
            return None
        return Finding(value), rationale


class BreachesPage(LivePage):
    """The supervisor's first page."""

    key: ClassVar[str] = "breaches"
    icon: ClassVar[IconName] = IconName.BREACHES
    fresh_on = (BreachRecorded, ReportChanged)
    always = True

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._wanted_no = ""
        self._head = PageHead(self.key, self.title)
        self._disposed = FilterChip(strings.text("breaches.show_disposed"))
        self._disposed.setObjectName("breaches_show_disposed")
        self._disposed.toggled.connect(self.refresh)
        self._head.row.addWidget(self._disposed)
        self._notice = NoticeBar()
        self.table = RecordTable(
            (
                Column(strings.text("breaches.column_severity"), max(map(_severity_px, Severity))),
                Column(strings.text("breaches.column_what"), 126, stretch=2),
                Column(strings.text("breaches.column_who"), 132, stretch=3, drop=2),
                Column(strings.text("breaches.column_where"), 92, drop=4),
                Column(strings.text("breaches.column_when"), time_px(), drop=3),
                Column(strings.text("breaches.column_state"), 118, drop=1),
            ),
            name=strings.text("breaches.queue"),
        )
        self.table.setObjectName("breaches_queue")
        self._rows: HeldRows[ReportLine] = HeldRows(self.table, _record, lambda line: line.report_no)
        self.report = ReportPane()
        self._make_verbs()
        self._split = SplitPane(self.key, self.table, self.report, shares=(8, 5))
        self._empty = EmptyState(IconName.DONE, strings.text("breaches.empty_title"), strings.text("breaches.empty_sentence"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._split)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self._notice)
        column.addWidget(self._stack, 1)
        self._passing = QTimer(self, singleShot=True, interval=_PASSING_MS)
        self._passing.timeout.connect(self._ask_report)
        self.table.current_changed.connect(self._moved)
        self.table.activated.connect(lambda _row: self._split.open_detail())
        for keys, act in (("A", self.acknowledge), ("O", self.own), ("N", self.add_note), ("D", self.dispose), ("H", self.history)):
            self.shortcut(keys, act)
        self.shortcut("J", lambda: self._step(1))
        self.shortcut("K", lambda: self._step(-1))
        self._offer()

    def _make_verbs(self) -> None:
        self._buttons: dict[str, Button] = {}
        for name, kind, hint, act in (
            ("acknowledge", ButtonKind.PRIMARY, "A", self.acknowledge),
            ("dispose", ButtonKind.PRIMARY, "D", self.dispose),
            ("own", ButtonKind.SECONDARY, "O", self.own),
            ("note", ButtonKind.SECONDARY, "N", self.add_note),
            ("history", ButtonKind.GHOST, "H", self.history),
        ):
            button = Button(strings.text(f"breaches.{name}"), kind, key_hint=hint)
            button.setObjectName(f"breaches_{name}")
            button.clicked.connect(act)
            self.report.verbs.addWidget(button)
            self._buttons[name] = button

    # -- staying fresh ---------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask for the queue and put the keyboard on it."""
        super().shown()
        self.table.setFocus()

    def open_at(self, what: str) -> None:
        """Make a report current, now or as soon as it is here."""
        self._wanted_no = what
        if self._rows.choose(what):
            self._wanted_no = ""
            self._split.open_detail()

    def refresh(self) -> None:
        """Ask for the queue; what is read is asked for again with it."""
        self.bridge.ask(Supervision.queue, self._disposed.isChecked()).owner(self).then(self._take)

    def tick(self) -> None:
        """Make the ages in the queue true again; nothing is asked."""
        self._rows.show(self._rows.items)

    def _take(self, lines: tuple[ReportLine, ...]) -> None:
        queue = breach_words.queue_order(lines)
        waiting = breach_words.open_count(queue)
        pressing = sum(breach_words.presses(line) for line in queue)
        undecided = sum(line.state is not TriageState.DISPOSED for line in queue)
        heading = strings.text("breaches.heading", count=undecided) if undecided else strings.text("breaches.heading_none")
        self._head.say(heading, strings.text("breaches.pressing", count=pressing) if pressing else "", Colour.RED)
        self.badge.emit(waiting)
        self._rows.show(queue)
        self._stack.setCurrentIndex(0 if queue else 1)
        if self._wanted_no:
            self.open_at(self._wanted_no)
        self._moved()

    def _moved(self) -> None:
        line = self._rows.current()
        self._offer()
        if line is None:
            return
        shown = self.report.shown_report()
        if line.on_you:
            self._passing.stop()
            self.report.show_locked(line.report_no)
        else:
            if shown is None or shown.line.report_no != line.report_no:
                self.report.show_waiting(line.report_no)
            self._passing.start()

    def _ask_report(self) -> None:
        line = self._rows.current()
        # A page nobody looks at opens no report: opening is recorded under the reader's name.
        if line is None or line.on_you or not self.on_screen:
            return
        self.bridge.ask(Supervision.report, line.breach_id).owner(self).then(self._show_report, self._refused)

    def _show_report(self, view: ReportView) -> None:
        line = self._rows.current()
        if line is None or line.on_you or line.report_no != view.line.report_no:
            return
        self.report.show_report(view, self._you_own(view.line))
        self._offer()

    def _refused(self, error: VaultError) -> None:
        message = messages.explain(error)
        self._notice.show_notice(
            message.title, f"{message.sentence} {message.next_step}".strip(), tone=Tone.ATTENTION, icon=IconName.WARNING
        )

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def _you_own(self, line: ReportLine) -> bool:
        return line.owner is not None and line.owner.person_id == self.signed_in.person.person_id

    def _line(self) -> ReportLine | None:
        """Give the current report in its newest known state, if it may be touched."""
        line, view = self._rows.current(), self.report.shown_report()
        if line is None or line.on_you:
            return None
        return view.line if view is not None and view.line.report_no == line.report_no else line

    def _possible(self) -> frozenset[str]:
        line = self._line()
        if line is None:
            return frozenset()
        view = self.report.shown_report()
        found = {"history"} if view is not None and any(fact.case_label for fact in view.facts) else set()
        if line.state is TriageState.DISPOSED:
            return frozenset(found)
        found.add("note")
        if line.state is TriageState.OPEN:
            found.add("acknowledge")
        elif line.owner is None or self._you_own(line):
            found.add("dispose")
        if not self._you_own(line):
            found.add("own")
        return frozenset(found)

    def _offer(self) -> None:
        possible = self._possible()
        for name, button in self._buttons.items():
            button.setVisible(name in possible)

    def _step(self, rows: int) -> None:
        self.table.set_current(max(0, min(self.table.row_count() - 1, self.table.current() + rows)))

    def _act(self, method: Callable[Concatenate[Any, Any, ...], ReportView], *args: object) -> None:
        line = self._line()
        if line is not None:
            self.bridge.ask(method, line.breach_id, *args).owner(self).then(self._changed, self._refused)

    def _changed(self, view: ReportView) -> None:
        self._notice.close_notice()
        self._show_report(view)
        self.refresh()

    def acknowledge(self) -> None:
        """Say that somebody has seen the report."""
        if "acknowledge" in self._possible():
            self._act(Supervision.acknowledge)

    def own(self) -> None:
        """Take the report on, from a colleague too."""
        if "own" in self._possible():
            self._act(Supervision.own)

    def add_note(self) -> None:
        """Ask for a note."""
        line = self._line()
        if line is None or "note" not in self._possible():
            return
        sheet = ReasonSheet(
            self.sheet_host,
            "breaches_note",
            title=strings.text("breaches.note_sheet.title", report_no=line.report_no),
            sentence=strings.text("breaches.note_sheet.sentence"),
            subject="",
            label=strings.text("breaches.note_sheet.field"),
            hint=strings.text("breaches.note_sheet.hint"),
            primary=strings.text("breaches.note_sheet.save"),
            missing=strings.text("breaches.note_sheet.missing"),
            least=1,
        )

        def send() -> None:
            words = sheet.given()
            if words is not None:
                sheet.send(self.bridge.ask(Supervision.note, line.breach_id, words), self._changed)

        sheet.accepted.connect(send)
        sheet.open_over()

    def dispose(self) -> None:
        """Ask for finding and rationale, or say why it is too early."""
        line = self._line()
        if line is None or line.state is TriageState.DISPOSED:
            return
        if "dispose" not in self._possible():
            early = line.state is TriageState.OPEN
            why = (
                strings.text("breaches.why_not_dispose_open")
                if early
                else strings.text("breaches.why_not_dispose_owner", who=who(line.owner))
            )
            self._notice.show_notice(why, icon=IconName.INFO)
            return
        sheet = DisposeSheet(self.sheet_host, line.report_no)

        def send() -> None:
            given = sheet.given()
            if given is not None:
                sheet.send(self.bridge.ask(Supervision.dispose, line.breach_id, *given), self._changed)

        sheet.accepted.connect(send)
        sheet.open_over()

    def history(self) -> None:
        """Open the audit trail at the case that was on screen."""
        view = self.report.shown_report()
        label = next((fact.case_label for fact in reversed(view.facts) if fact.case_label), "") if view is not None else ""
        if label and self._line() is not None:
            self.go.emit("audit", label)

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]
        """Give what can be done with the current report."""
        acts: dict[str, tuple[IconName, Callable[[], None], str]] = {
            "acknowledge": (IconName.ACKNOWLEDGE, self.acknowledge, "A"),
            "own": (IconName.OWN, self.own, "O"),
            "note": (IconName.NOTE, self.add_note, "N"),
            "dispose": (IconName.DISPOSE, self.dispose, "D"),
            "history": (IconName.AUDIT, self.history, "H"),
        }
        possible = self._possible()
        return [
            PaletteAction(f"breaches.{name}", strings.text(f"breaches.{name}"), icon, act, keys)
            for name, (icon, act, keys) in acts.items()
            if name in possible
        ]


def _severity_px(severity: Severity) -> int:
    """How wide a severity is with its icon: the column shows each of them whole, for two words cut alike would be one."""
    word, _tone, icon = breach_words.severity_mark(severity)
    return painting.mark_width(word, theme.font(TypeSize.SMALL, Weight.MEDIUM), icon) + painting.GAP_PX


def _record(line: ReportLine) -> Record:
    word, tone, icon = breach_words.severity_mark(line.severity)
    on_you = (strings.text("breaches.on_you"), Tone.PLAIN, IconName.LOCK)
    state = StatusCell(*(on_you if line.on_you else _state_with_age(line)))
    person = line.officer
    return Record(
        key=line.report_no,
        cells=(
            StatusCell(word, tone, icon),
            TitleCell(*breach_words.what(line), strong=breach_words.presses(line)),
            TitleCell(badge_first(person)) if person else TitleCell("", strings.text("breaches.nobody")),
            NumberCell(line.workstation_name),
            TimeCell(line.first_us, with_age=False),
            state,
        ),
        tone=Tone.BREACH if breach_words.presses(line) else Tone.PLAIN,
    )


def _state_with_age(line: ReportLine) -> tuple[str, Tone, IconName]:
    """Name the state; while nobody has acknowledged the report, with how long it waits."""
    word, tone, icon = breach_words.state_mark(line.state)
    if line.state is not TriageState.OPEN:
        return word, tone, icon
    seconds = max(0, strings.now_us() - line.first_us) // 1_000_000
    unit = next((unit for unit in _AGE_UNITS_SECONDS if seconds >= unit), 1)
    waited = strings.span(seconds - seconds % unit)
    return strings.text("breaches.state_with_age", state=word, age=waited), Tone.BREACH if breach_words.presses(line) else tone, icon
