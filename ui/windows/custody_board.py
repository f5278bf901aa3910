"""The custody board: a wall of strips of every case file that is out; recall and forced return from the strip.

Rules of this module:

- Overdue first. The board follows custody as it changes, and the strip that was current stays current.
- A recall asks the holder; a forced return closes the page in front of them. Both need a reason, and the sheet names the harm before it.
- Recall and forced return are a supervisor's; a records custodian sees the board without them. The vault refuses anybody else anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.chip import FilterChip
from ui.widgets.empty_state import EmptyState
from ui.windows.act_sheet import ReasonSheet
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import who
from ui.windows.page import PaletteAction
from ui.windows.strip_wall import StripWall, board_order
from vault.domain.identity import CheckOutId, Role
from vault.services.custody import Custody
from vault.services.events import CustodyChanged
from vault.services.views import BoardLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn


class CustodyBoardPage(LivePage):
    """What is out, with whom, since when, and the two things a supervisor can do about it."""

    key: ClassVar[str] = "custody"
    icon: ClassVar[IconName] = IconName.CUSTODY
    fresh_on = (CustodyChanged,)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._lines: list[BoardLine] = []
        self._may_act = signed_in.person.role is Role.SUPERVISOR
        self._head = PageHead(self.key, self.title)
        self._overdue = FilterChip(strings.text("custody.only_overdue"))
        self._flagged = FilterChip(strings.text("custody.only_flagged"))
        for chip, name in ((self._overdue, "overdue"), (self._flagged, "flagged")):
            chip.setObjectName(f"custody_only_{name}")
            chip.toggled.connect(self._show)
            self._head.row.addWidget(chip)
        self.wall = StripWall()
        self._history = Button(strings.text("custody.history"), ButtonKind.GHOST, key_hint="H")
        self._recall = Button(strings.text("custody.recall"), key_hint="R")
        self._force = Button(strings.text("custody.force"), key_hint="F")
        for button, name, act in (
            (self._recall, "recall", self.recall),
            (self._force, "force", self.force_return),
        ):
            button.setObjectName(f"custody_{name}")
            button.clicked.connect(act)
            button.setVisible(self._may_act)
            self.wall.verbs_row.addWidget(button)
        self._history.setObjectName("custody_history")
        self._history.clicked.connect(self.history)
        self._head.row.addWidget(self._history)
        self._empty = EmptyState(IconName.CUSTODY, strings.text("custody.empty_title"), strings.text("custody.empty_sentence"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.wall)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self._stack, 1)
        self.wall.current_changed.connect(self._enable)
        if self._may_act:
            self.shortcut("R", self.recall)
            self.shortcut("F", self.force_return)
        self.shortcut("H", self.history)
        self._enable()

    # -- staying fresh ---------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask for the board and put the keyboard on the wall."""
        super().shown()
        self.wall.setFocus()

    def refresh(self) -> None:
        """Ask for the strips."""
        self.bridge.ask(Custody.board).owner(self).then(self._take)

    def tick(self) -> None:
        """Times left have moved; what became overdue since goes to the top."""
        self.refresh()

    def _take(self, lines: tuple[BoardLine, ...]) -> None:
        self._lines = board_order(lines)
        late = sum(line.overdue for line in self._lines)
        count = len(self._lines)
        remark = strings.text("custody.overdue", count=late) if late else ""
        self._head.say(strings.text("custody.heading", count=count) if count else strings.text("custody.heading_none"), remark, Colour.RED)
        self.badge.emit(late)
        self._show()

    def _show(self) -> None:
        lines = [
            line
            for line in self._lines
            if (line.overdue or not self._overdue.isChecked()) and (line.flagged or not self._flagged.isChecked())
        ]
        self.wall.show_lines(lines)
        filtered = bool(self._lines) and not lines
        key = "filtered" if filtered else "empty"
        self._empty.set_words(strings.text(f"custody.{key}_title"), strings.text(f"custody.{key}_sentence"))
        self._stack.setCurrentIndex(0 if lines else 1)

    def _enable(self) -> None:
        line = self.wall.current()
        self._history.setVisible(line is not None and self._may_act)
        self._recall.setEnabled(line is not None and not line.recalled_us)
        # Nobody forces a file back from themselves; they check it in.
        self._force.setEnabled(line is not None and line.holder.person_id != self.signed_in.person.person_id)

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def recall(self) -> None:
        """Ask the holder for the file back."""
        line = self.wall.current()
        if line is not None and not line.recalled_us:
            self._ask_reason("recall", line, Custody.recall)

    def force_return(self) -> None:
        """End the check-out now."""
        line = self.wall.current()
        if line is not None and self._force.isEnabled():
            self._ask_reason("force", line, Custody.force_return)

    def history(self) -> None:
        """Open the audit trail at the current strip's case."""
        line = self.wall.current()
        if line is not None:
            self.go.emit("audit", line.case_label)

    def _ask_reason(self, act: str, line: BoardLine, method: Callable[[Custody, CheckOutId, str], None]) -> None:
        words = f"custody.{act}_sheet"
        forced = act == "force"
        sheet = ReasonSheet(
            self.sheet_host,
            f"custody_{act}",
            title=strings.text(f"{words}.title"),
            sentence="" if forced else strings.text(f"{words}.sentence"),
            subject=f"{line.case_label} · {who(line.holder)}",
            label=strings.text(f"{words}.reason"),
            hint=strings.text(f"{words}.hint"),
            primary=strings.text(f"{words}.save"),
            missing=strings.text("custody.reason.missing"),
            harm=strings.text(f"{words}.sentence") if forced else "",
        )

        def send() -> None:
            reason = sheet.given()
            if reason is not None:
                sheet.send(self.bridge.ask(method, line.check_out_id, reason), lambda _: self.refresh())

        sheet.accepted.connect(send)
        sheet.open_over()

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]
        """Recall, force, history of the current strip."""
        line = self.wall.current()
        if line is None or not self._may_act:
            return []
        offered = [
            PaletteAction("custody.force", strings.text("custody.force"), IconName.CHECK_IN, self.force_return, "F"),
            PaletteAction("custody.history", strings.text("custody.history"), IconName.AUDIT, self.history, "H"),
        ]
        if not line.recalled_us:
            offered.insert(0, PaletteAction("custody.recall", strings.text("custody.recall"), IconName.RECALL, self.recall, "R"))
        return offered
