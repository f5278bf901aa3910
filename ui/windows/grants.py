"""The grants of a case: who may see it, who may not, since when, until when, why and by whom.

Rules of this module:

- Everything is listed, in force or not; what is in force stands first and says so in words.
- Adding and removing are sheets of their own (`grant_sheets`); they are offered only to who may grant.
- Grantees and reasons are painted in the record table, never given to a stock widget.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, Weight
from ui.widgets.buttons import Button
from ui.widgets.cells import StatusCell, TitleCell
from ui.widgets.empty_state import EmptyState
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.act_sheet import ActSheet
from ui.windows.grant_sheets import AddGrantSheet, RemoveGrantSheet
from ui.windows.held_rows import HeldRows
from ui.windows.naming import isolated, who
from vault.domain.access import Effect
from vault.services.desk import Desk
from vault.services.views import CaseDetail, CaseLine, GrantLine

if TYPE_CHECKING:
    from ui.bridge import Bridge


class GrantState(enum.Enum):
    """Whether a grant counts now."""

    IN_FORCE = "in-force"
    NOT_YET = "not-yet"
    ENDED = "ended"
    REMOVED = "removed"


_STATE_ICON = {
    GrantState.IN_FORCE: IconName.CHECK,
    GrantState.NOT_YET: IconName.CLOCK,
    GrantState.ENDED: IconName.CLOSE,
    GrantState.REMOVED: IconName.CLOSE,
}
_ORDER = tuple(GrantState)


def grant_state(grant: GrantLine, now_us: int) -> GrantState:
    """Say whether a grant counts at a moment (UTC microseconds). The vault decides; this only names what it decided from."""
    if grant.removed_us:
        return GrantState.REMOVED
    if now_us < grant.from_us:
        return GrantState.NOT_YET
    return GrantState.ENDED if grant.until_us and now_us >= grant.until_us else GrantState.IN_FORCE


class GrantsPanel(QWidget):
    """The list with its verbs, for a sheet or an inspector. Ask with `load`; `loaded` when it is here."""

    loaded = Signal()

    def __init__(self, host: QWidget, bridge: Bridge, case: CaseLine) -> None:
        """Make the panel.

        Args:
            host: what the sheets for adding and removing lie over.
            bridge: to the vault.
            case: whose grants.
        """
        super().__init__()
        self._host, self._bridge, self._case = host, bridge, case
        self.may_grant = False
        self.table = RecordTable(
            (
                Column(strings.text("grants.column_effect"), 72),
                Column(strings.text("grants.column_grantee"), 150, stretch=3),
                Column(strings.text("grants.column_reason"), 120, stretch=3, drop=2),
                Column(strings.text("grants.column_from"), 176, stretch=1, drop=3),
                Column(strings.text("grants.column_by"), 150, stretch=2, drop=4),
                Column(strings.text("grants.column_state"), 86, drop=1),
            ),
            name=strings.text("grants.list"),
        )
        self.table.setObjectName("grants_list")
        self.table.setMinimumHeight(190)
        self._rows: HeldRows[GrantLine] = HeldRows(self.table, _record, lambda grant: grant.grant_id)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(EmptyState(IconName.GRANT, strings.text("grants.empty_title"), strings.text("grants.empty_sentence")))
        self.remove_button = Button(strings.text("grants.remove"), key_hint="Del")
        self.remove_button.setObjectName("grants_remove")
        self.remove_button.clicked.connect(self.remove)
        below = QHBoxLayout()
        below.addWidget(Label(strings.text("grants.sheet.hint"), role=Colour.TEXT_QUIET, wrap=True), 1)
        below.addWidget(self.remove_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._stack, 1)
        column.addLayout(below)
        self.table.current_changed.connect(self._offer)
        self._offer()

    def load(self) -> None:
        """Ask for the grants."""
        self._bridge.ask(Desk.case, self._case.case_id).owner(self).then(self._take)

    def _take(self, detail: CaseDetail) -> None:
        self.may_grant = detail.may_grant
        now_us = strings.now_us()
        self._rows.show(
            sorted(
                detail.grants, key=lambda grant: (_ORDER.index(grant_state(grant, now_us)), grant.effect is Effect.ALLOW, -grant.from_us)
            )
        )
        self._stack.setCurrentIndex(0 if detail.grants else 1)
        self._offer()
        self.loaded.emit()

    def _offer(self) -> None:
        grant = self._rows.current()
        self.remove_button.setEnabled(self.may_grant and grant is not None and not grant.removed_us)

    def add(self) -> None:
        """Open the sheet for a new grant."""
        if self.may_grant:
            AddGrantSheet(self._host, self._bridge, self._case, lambda _grant: self.load()).open_over()

    def remove(self) -> None:
        """Open the sheet that removes the current grant."""
        grant = self._rows.current()
        if self.may_grant and grant is not None and not grant.removed_us:
            RemoveGrantSheet(self._host, self._bridge, self._case.case_id, grant, self.load).open_over()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Delete asks about the current grant."""
        if event.key() == Qt.Key.Key_Delete:
            self.remove()
            return
        super().keyPressEvent(event)


class GrantsSheet(ActSheet):
    """The grants of a case in a sheet; its verb adds one."""

    def __init__(self, host: QWidget, bridge: Bridge, case: CaseLine) -> None:
        super().__init__(
            host,
            "grants",
            strings.text("grants.sheet.title"),
            strings.text("grants.add"),
            secondary=strings.text("grants.sheet.close"),
            width_px=880,
        )
        self.panel = GrantsPanel(host, bridge, case)
        subject = PaintedText(weight=Weight.MEDIUM, max_lines=2)
        subject.show_text(f"{case.rms_number}  {isolated(case.title)}")
        self.body.addWidget(subject)
        self.body.addWidget(self.panel)
        self.primary.setEnabled(False)
        self.panel.loaded.connect(lambda: self.primary.setEnabled(self.panel.may_grant))
        self.accepted.connect(self.panel.add)

    def open_over(self) -> None:
        """Show the sheet and ask for the grants."""
        super().open_over()
        self.panel.table.setFocus()
        self.panel.load()


def _record(grant: GrantLine) -> Record:
    state = grant_state(grant, strings.now_us())
    in_force, deny = state is GrantState.IN_FORCE, grant.effect is Effect.DENY
    until = strings.local_time(grant.until_us) if grant.until_us else strings.text("grants.no_end")
    since = strings.local_time(grant.from_us) if grant.from_us else ""
    return Record(
        key=grant.grant_id,
        cells=(
            StatusCell(
                strings.text(f"grants.effect.{grant.effect.value}"),
                Tone.ATTENTION if deny and in_force else Tone.PLAIN,
                IconName.DENY if deny else IconName.GRANT,
            ),
            TitleCell(isolated(grant.grantee_name), strong=in_force),
            TitleCell(grant.reason),
            TitleCell(f"{since} – {until}" if since else until),
            TitleCell(who(grant.granted_by)),
            StatusCell(strings.text(f"grants.state.{state.value}"), Tone.PLAIN, _STATE_ICON[state]),
        ),
        tone=Tone.ATTENTION if deny and in_force else Tone.PLAIN,
    )
