"""My desk: what I hold, what waits for me, my assigned cases, what I gave back.

Rules:

- What I hold stands on top with the time left; it is what matters now, and has the keyboard first.
- Enter reads on or checks out. A number on a selected case checks out with that purpose, by one key; O opens the sheet.
- Nothing is fetched that is not shown: the case list comes a page at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.empty_state import EmptyState
from ui.widgets.label import Label
from ui.widgets.scroll_column import ScrollColumn
from ui.windows.case_inspector import CaseInspector, ExplainSheet
from ui.windows.case_list import CaseList
from ui.windows.check_in import CheckInSheet, HandOverSheet
from ui.windows.check_out import CaseActs, digit_of
from ui.windows.holdings import HoldingList, QuietRows, returned_row, waiting_row
from ui.windows.live_page import LivePage, PageHead
from ui.windows.page import PaletteAction
from vault.services.desk import Desk
from vault.services.events import BreachRecorded, CustodyChanged, RegisterChanged, ReportChanged
from vault.services.views import CaseLine, CaseStatus, DeskView, Explanation, HoldingLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn

_NARROW_PX = 820
_RETURNED_SHOWN = 4


class DeskPage(LivePage):
    """The desk of an officer or a supervisor."""

    key: ClassVar[str] = "desk"
    icon: ClassVar[IconName] = IconName.DESK
    fresh_on = (CustodyChanged, RegisterChanged, BreachRecorded, ReportChanged)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self.view: DeskView | None = None
        self._focus_placed = False
        self._list_fresh = False
        self.holding = HoldingList()
        self.cases = CaseList(bridge, "desk_cases")
        self.acts = CaseActs(self, bridge)
        self.inspector = CaseInspector(self, bridge)
        self._build()
        self.holding.chosen.connect(lambda line: self.go.emit("reader", line.check_out_id))
        self.holding.pointed_at.connect(lambda line: self.expecting.emit(line.check_out_id))
        self.holding.returning.connect(self._return)
        self.holding.handing_over.connect(self._hand_over)
        self.holding.left_below.connect(lambda: self.cases.setFocus(Qt.FocusReason.TabFocusReason))
        self.cases.chosen.connect(self.acts.open)
        self.cases.picked.connect(self.inspector.show_line)
        self.cases.counted.connect(self._counted)
        self.acts.reading.connect(lambda check_out_id: self.go.emit("reader", check_out_id))
        self.acts.changed.connect(self.refresh)
        self.inspector.opened.connect(self.acts.open)
        self.inspector.explained.connect(self._explain)
        bridge.told.connect(self._list_changed)

    def _build(self) -> None:
        self._head = PageHead(self.key, self.title)
        self._reports = Button("", ButtonKind.GHOST, icon=IconName.NOTE)
        self._reports.setObjectName("desk_reports")
        self._reports.clicked.connect(lambda: self.go.emit("my_reports", ""))
        self._reports.hide()
        self._head.row.addWidget(self._reports)
        self._nothing = _Nothing()
        self._waiting, self._returned = QuietRows("desk_waiting"), QuietRows("desk_returned")
        self._waiting_head, self._returned_head = _heading("desk.waiting"), _heading("desk.returned")
        mine = QVBoxLayout()
        mine.setSpacing(8)
        mine.addWidget(self.holding)
        mine.addWidget(self._nothing)
        mine.addStretch(1)
        beside = QVBoxLayout()
        beside.setSpacing(4)
        for part in (self._waiting_head, self._waiting, self._returned_head, self._returned):
            beside.addWidget(part)
        beside.addStretch(1)
        self._upper = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._upper.setSpacing(24)
        self._upper.addLayout(mine, 3)
        self._upper.addLayout(beside, 2)
        self._cases_head = _heading("desk.cases")
        self._no_cases = EmptyState(IconName.CASE, strings.text("desk.no_cases"), strings.text("desk.no_cases_hint"))
        self._list = QStackedWidget()
        self._list.addWidget(self.cases)
        self._list.addWidget(self._no_cases)
        # Six rows, or what is left: as high as its rows ask it would be higher than a small window, and the current row out of view.
        self._list.setMinimumHeight(28 + 6 * 32)
        self._list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        scroll = ScrollColumn()
        column = scroll.column
        column.setContentsMargins(24, 16, 24, 8)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addLayout(self._upper)
        column.addWidget(self._cases_head)
        column.addWidget(self._list, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    # -- page ------------------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask for the desk and its first cases."""
        self._focus_placed = False
        self._list_fresh = False
        if self.frame is not None:
            self.inspector.take(self.frame)
        super().shown()

    def hidden(self) -> None:
        """Give the inspector back."""
        self.inspector.leave()
        super().hidden()

    def refresh(self) -> None:
        """Ask what I hold; and, when it may have changed, for the cases in view."""
        self.bridge.ask(Desk.overview).then(self._fill).owner(self)
        if not self._list_fresh:
            self._list_fresh = True
            self.cases.refresh()

    def tick(self) -> None:
        """Repaint the time left."""
        self.holding.update()

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """What can be done with the selected strip and the selected case."""
        found = []
        line, held = self.cases.current_line(), self.holding.current()
        enter = strings.text("keys.enter")
        if held is not None:
            found += [
                PaletteAction(
                    "continue", strings.text("desk.act_continue"), IconName.FILE, lambda: self.go.emit("reader", held.check_out_id), enter
                ),
                PaletteAction("check_in", strings.text("desk.act_check_in"), IconName.CHECK_IN, lambda: self._return(held), "I"),
                PaletteAction("hand_over", strings.text("desk.act_hand_over"), IconName.HANDOVER, lambda: self._hand_over(held), "H"),
            ]
        if line is not None and line.status is CaseStatus.IN_VAULT:
            found.append(
                PaletteAction("check_out", strings.text("desk.act_check_out"), IconName.CHECK_OUT, lambda: self.acts.open(line), "O")
            )
            found.append(
                PaletteAction("at_once", strings.text("desk.act_at_once"), IconName.CHECK_OUT, lambda: self.acts.at_once(line, 1), "1")
            )
        if line is not None:
            found.append(PaletteAction("why", strings.text("case.why"), IconName.INFO, lambda: self._explain(line), "Y"))
        found.append(
            PaletteAction("reports", strings.text("desk.act_reports"), IconName.NOTE, lambda: self.go.emit("my_reports", ""), "Ctrl+R")
        )
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Numbers, O and Y act on the selected case of the list while the list has the keyboard."""
        line, number = (self.cases.current_line() if self.focusWidget() is self.cases else None), digit_of(event)
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if line is not None and number:
            self.acts.at_once(line, number)
        elif line is not None and plain and event.key() == Qt.Key.Key_O:
            self.acts.open(line)
        elif line is not None and plain and event.key() == Qt.Key.Key_Y:
            self._explain(line)
        elif event.key() == Qt.Key.Key_R and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.go.emit("my_reports", "")
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Put what waits below what I hold where there is no room beside it."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX
        self._upper.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._upper.setSpacing(8 if narrow else 24)

    # -- content ---------------------------------------------------------------------------------------------------------------------

    def _fill(self, view: DeskView) -> None:
        self.view = view
        self.holding.show_lines(view.holding)
        if not view.holding:
            self.expecting.emit("")
        self.holding.setVisible(bool(view.holding))
        self._nothing.setVisible(not view.holding)
        self._waiting.show_rows([waiting_row(line) for line in view.waiting])
        self._returned.show_rows([returned_row(line) for line in view.returned[:_RETURNED_SHOWN]])
        self._waiting_head.setVisible(bool(view.waiting))
        self._returned_head.setVisible(bool(view.returned))
        self._head.say(self.title, strings.text("desk.holding_count", count=len(view.holding)) if view.holding else "")
        self._reports.setVisible(view.my_open_reports > 0)
        self._reports.set_words(strings.text("desk.reports", count=view.my_open_reports))
        self.badge.emit(len(view.holding))
        if not self._focus_placed:
            self._focus_placed = True
            (self.holding if view.holding else self.cases).setFocus(Qt.FocusReason.OtherFocusReason)

    def _counted(self, count: int) -> None:
        self._list.setCurrentWidget(self.cases if count else self._no_cases)
        self._cases_head.setText(strings.text("desk.cases_count", count=count) if count else strings.text("desk.cases"))

    def _list_changed(self, event: object) -> None:
        if isinstance(event, (CustodyChanged, RegisterChanged)):
            self._list_fresh = False

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def _return(self, holding: HoldingLine) -> None:
        sheet = CheckInSheet(self.sheet_host, self.bridge, holding)
        sheet.returned.connect(self._custody_moved)
        sheet.open_over()

    def _hand_over(self, holding: HoldingLine) -> None:
        sheet = HandOverSheet(self.sheet_host, self.bridge, holding)
        sheet.handed_over.connect(self._custody_moved)
        sheet.open_over()

    def _custody_moved(self) -> None:
        self._list_fresh = False
        self.refresh()

    def _explain(self, line: CaseLine) -> None:
        self.bridge.ask(Desk.explain, line.rms_number, "").then(self._show_explanation).owner(self)

    def _show_explanation(self, explanation: Explanation) -> None:
        ExplainSheet(self.sheet_host, explanation).open_over()


class _Nothing(QWidget):
    """The empty state of what I hold: one line, so that the cases below stay in view."""

    def __init__(self) -> None:
        super().__init__()
        from ui.windows.quiet_page import Mark  # noqa: PLC0415 -- drawing only

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 12)
        column.addWidget(Mark(IconName.CASE, strings.text("desk.nothing"), Colour.TEXT_QUIET, TypeSize.BODY, Weight.MEDIUM))


def _heading(key: str) -> Label:
    return Label(strings.text(key), TypeSize.SMALL, Weight.STRONG, Colour.TEXT_QUIET)
