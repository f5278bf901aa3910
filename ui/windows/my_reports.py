"""Reports about me: what was recorded, where it stands, and my own words to it.

Rules: a person sees the reports on themselves, their state and finding, and can give an account; nothing here changes a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, StatusCell, TimeCell, TitleCell
from ui.widgets.empty_state import EmptyState
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.breach_words import gravest_first, several, state_mark
from ui.windows.live_page import LivePage, PageHead
from ui.windows.notice import AccountSheet, blocked
from ui.windows.page import PaletteAction
from vault.domain.breach import TriageState
from vault.services.breach import Breaches
from vault.services.events import BreachRecorded, ReportChanged
from vault.services.views import MyReport

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn


class MyReportsPage(LivePage):
    """The list; Enter opens the account."""

    key: ClassVar[str] = "my_reports"
    icon: ClassVar[IconName] = IconName.NOTE
    back_to: ClassVar[str] = "desk"
    fresh_on = (BreachRecorded, ReportChanged)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._reports: tuple[MyReport, ...] = ()
        self._head = PageHead(self.key, self.title)
        back = Button(strings.text("my_reports.back"), ButtonKind.GHOST, key_hint="Esc")
        back.setObjectName("my_reports_back")
        back.clicked.connect(self.back)
        self._head.row.addWidget(back)
        self.table = RecordTable(
            (
                Column(strings.text("my_reports.report"), 104),
                Column(strings.text("my_reports.what"), 220, stretch=3),
                Column(strings.text("my_reports.when"), 150, drop=2),
                Column(strings.text("my_reports.state"), 150, stretch=1),
                Column(strings.text("my_reports.account"), 150, drop=1),
            ),
            name=strings.text("my_reports.title"),
        )
        self.table.setObjectName("my_reports_list")
        self.table.activated.connect(lambda _row: self._account())
        self._empty = EmptyState(IconName.NOTE, strings.text("my_reports.empty"), strings.text("my_reports.empty_hint"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self._stack, 1)

    def shown(self) -> None:
        """Ask, and put the keyboard in the list."""
        super().shown()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Ask for the reports on me."""
        self.bridge.ask(Breaches.my_reports).then(self._fill).owner(self)

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """The account of the selected report, and the way back."""
        back = PaletteAction("back", strings.text("my_reports.back"), IconName.DESK, self.back, "Esc")
        report = self._current()
        if report is None or report.account_given:
            return [back]
        return [PaletteAction("account", strings.text("my_reports.give"), IconName.NOTE, self._account, strings.text("keys.enter")), back]

    def _fill(self, reports: tuple[MyReport, ...]) -> None:
        self._reports = reports
        self._stack.setCurrentWidget(self.table if reports else self._empty)
        self._head.say(self.title, strings.text("my_reports.count", count=len(reports)) if reports else "")
        self.table.set_records([_record(one) for one in reports])

    def _current(self) -> MyReport | None:
        row = self.table.current()
        return self._reports[row] if 0 <= row < len(self._reports) else None

    def _account(self) -> None:
        report = self._current()
        if report is not None and not report.account_given and report.state is not TriageState.DISPOSED:
            sheet = AccountSheet(self.sheet_host, self.bridge, report.breach_id, report.report_no)
            sheet.given.connect(self.refresh)
            sheet.open_over()


def _record(one: MyReport) -> Record:
    words, tone, icon = state_mark(one.state)
    if one.finding is not None:
        words = strings.text(f"my_reports.finding.{one.finding.value}")
    account = (
        StatusCell(strings.text("my_reports.given"), Tone.PLAIN, IconName.CHECK)
        if one.account_given
        else TitleCell(strings.text("my_reports.not_given"))
    )
    if not one.account_given and one.state is TriageState.DISPOSED:
        account = TitleCell("")
    kind, times = one.kind, strings.text("my_reports.times", count=one.count) if one.count > 1 else ""
    if several(one.seen):
        kind, *others = gravest_first(one.seen)
        times = strings.text("my_reports.with_others", count=len(others))
    cells = (
        NumberCell(one.report_no, mono=True),
        TitleCell(blocked(kind), times),
        TimeCell(one.first_us),
        StatusCell(words, tone, icon),
        account,
    )
    return Record(one.breach_id, cells, tone if one.state is TriageState.OPEN else Tone.PLAIN)
