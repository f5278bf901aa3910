"""The audit trail: filter chips, a virtual list, the chain's state, everything about one entry.

Rules of this module:

- Reading the trail is recorded, so it is listed when the page is opened, when the filter changes and on R, never by a clock.
- A filter that names nobody is told beside its field; the list stays as it was. A case number no case has gives an empty list.
- The case's history and everything by a person are one press from an entry.
- Case numbers are painted; an auditor sees a short form of the opaque id instead, and types the number whose history they want.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, Tone, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import time_px
from ui.widgets.chip import FilterChip
from ui.widgets.empty_state import EmptyState
from ui.widgets.field import LineField
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.painted_text import PaintedText
from ui.widgets.record_table import Column, RecordTable
from ui.windows.audit_words import KindGroup, day_us, fact_row, kinds_of, outcome, sentence
from ui.windows.chain_bar import ChainBar
from ui.windows.flow import FlowLayout
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import who
from ui.windows.page import PaletteAction
from ui.windows.split_pane import SplitPane
from ui.windows.trail import Trail, TrailFilter
from vault.domain.duration import DAY_US
from vault.domain.identity import Role
from vault.services.events import VerificationMoved
from vault.services.supervision import Supervision
from vault.services.views import AuditLine, ChainLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError
    from vault.services.views import SignedIn

_FIELD_PX = 150
_INSPECTOR_PX = 320
_LOW_PX = 460


class AuditPage(LivePage):
    """The trail."""

    key: ClassVar[str] = "audit"
    icon: ClassVar[IconName] = IconName.AUDIT

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._history_of = ""
        self._sees_numbers = signed_in.person.role is Role.SUPERVISOR
        self._head = PageHead(self.key, self.title)
        self.chain = ChainBar()
        self.chain.verify_pressed.connect(self.verify)
        self.chain.stop_pressed.connect(self.stop_verifying)
        bridge.told.connect(self._moved)
        self.chain.show_bad.connect(self._show_bad)
        self._notice = NoticeBar()
        self.table = RecordTable(
            (
                Column(strings.text("audit.column_seq"), 56),
                Column(strings.text("audit.column_at"), time_px()),
                Column(strings.text("audit.column_what"), 240, stretch=3),
                Column(strings.text("audit.column_actor"), 140, stretch=2, drop=2),
                Column(strings.text("audit.column_outcome"), 78, drop=1),
            ),
            dense=True,
            name=strings.text("audit.trail"),
        )
        self.table.setObjectName("audit_trail")
        self.trail = Trail(bridge, self.table)
        self.trail.listed.connect(self._listed)
        self.trail.refused.connect(self._refused)
        self.trail.current_changed.connect(self._show_entry)
        self._empty = EmptyState(IconName.AUDIT, strings.text("audit.empty_title"), strings.text("audit.empty_sentence"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        self.inspector = Inspector(closable=False)
        self.inspector.setObjectName("audit_entry")
        self.inspector.set_over(over=True)
        self._history, self._person = self._make_verbs()
        self._split = SplitPane(self.key, self._stack, self.inspector, detail_width_px=_INSPECTOR_PX)
        self.table.activated.connect(lambda _row: self._split.open_detail())
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(10)
        column.addWidget(self._head)
        column.addWidget(self.chain)
        self._filter = QWidget()
        filter_column = QVBoxLayout(self._filter)
        filter_column.setContentsMargins(0, 0, 0, 0)
        filter_column.setSpacing(10)
        filter_column.addLayout(self._make_chips())
        filter_column.addLayout(self._make_fields())
        self._show_filter = FilterChip(strings.text("audit.filter"))
        self._show_filter.setObjectName("audit_show_filter")
        self._show_filter.toggled.connect(self._arrange)
        self._head.row.addWidget(self._show_filter)
        column.addWidget(self._filter)
        column.addWidget(self._notice)
        column.addWidget(self._split, 1)
        for keys, act in (
            ("V", self.verify),
            ("R", self.refresh),
            ("H", self.case_history),
            ("P", self.by_person),
            ("Ctrl+.", self.stop_verifying),
        ):
            self.shortcut(keys, act)
        self._show_entry()

    def _make_chips(self) -> FlowLayout:
        self._chips: dict[KindGroup, FilterChip] = {}
        flow = FlowLayout()
        for group in KindGroup:
            chip = FilterChip(strings.text(f"audit.group.{group.value}"))
            chip.setObjectName(f"audit_group_{group.value}")
            chip.toggled.connect(self.refresh)
            flow.addWidget(chip)
            self._chips[group] = chip
        return flow

    def _make_fields(self) -> QHBoxLayout:
        self._badge = LineField(strings.text("audit.badge"), placeholder=strings.text("audit.badge_hint"), max_length=16)
        self._case = LineField(strings.text("audit.case"), placeholder=strings.text("audit.case_hint"), max_length=40, copy_disabled=True)
        self._from = LineField(strings.text("audit.from"), placeholder=strings.text("audit.date_hint"), max_length=10)
        self._until = LineField(strings.text("audit.until"), placeholder=strings.text("audit.date_hint"), max_length=10)
        row = QHBoxLayout()
        row.setSpacing(12)
        for field, name in ((self._badge, "badge"), (self._case, "case"), (self._from, "from"), (self._until, "until")):
            field.control.setObjectName(f"audit_{name}")
            field.setMaximumWidth(_FIELD_PX)
            field.submitted.connect(self._submit)
            field.changed.connect(lambda of=field: of.set_error(""))
            row.addWidget(field)
        self._history_words = PaintedText(weight=Weight.MEDIUM, role=Colour.ACCENT_TEXT, max_lines=2)
        self._clear = Button(strings.text("audit.clear"), ButtonKind.GHOST)
        self._clear.setObjectName("audit_clear")
        self._clear.clicked.connect(self.clear_filter)
        beside = QVBoxLayout()
        beside.addStretch(1)
        beside.addWidget(self._clear)
        row.addLayout(beside)
        row.addWidget(self._history_words, 1, Qt.AlignmentFlag.AlignVCenter)
        return row

    def _make_verbs(self) -> tuple[Button, Button]:
        history = Button(strings.text("audit.history"), key_hint="H")
        person = Button(strings.text("audit.by_person"), key_hint="P")
        for button, name, act in ((history, "history", self.case_history), (person, "person", self.by_person)):
            button.setObjectName(f"audit_{name}_of_entry")
            button.clicked.connect(act)
            self.inspector.verbs.addWidget(button)
        return history, person

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Let the filter and the list take turns where there is no height for both."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        low = self.height() < _LOW_PX
        self._show_filter.setVisible(low)
        self._filter.setVisible(not low or self._show_filter.isChecked())
        self._split.setVisible(not low or not self._show_filter.isChecked())

    # -- listing ---------------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """List the trail and put the keyboard on it."""
        super().shown()
        self.table.setFocus()

    def open_at(self, what: str) -> None:
        """Show the history of a case."""
        self._set_filter(history_of=what)

    def refresh(self) -> None:
        """List the trail as the filter says."""
        narrowed = self._narrowed()
        if narrowed is not None:
            self.trail.list(narrowed)

    def _submit(self) -> None:
        self.refresh()
        self._show_filter.setChecked(False)
        self.table.setFocus()

    def clear_filter(self) -> None:
        """Show everything again."""
        self._set_filter()

    def _set_filter(self, badge_no: str = "", history_of: str = "") -> None:
        # A number the page puts in by itself is painted, not put into the field: an input can be read from outside.
        self._history_of = history_of
        self._history_words.show_text(strings.text("audit.history_of", case=history_of) if history_of else "")
        for chip in self._chips.values():
            chip.blockSignals(True)
            chip.setChecked(False)
            chip.blockSignals(False)
            chip.update()
        for field, value in ((self._badge, badge_no), (self._case, ""), (self._from, ""), (self._until, "")):
            field.set_value(value)
        if self.on_screen:
            self.refresh()

    def _narrowed(self) -> TrailFilter | None:
        from_us, until_us = day_us(self._from.value()), day_us(self._until.value())
        for field, at_us in ((self._from, from_us), (self._until, until_us)):
            field.set_error(strings.text("audit.date_wrong") if at_us is None else "")
        if from_us is None or until_us is None:
            return None
        if until_us and from_us > until_us:
            self._until.set_error(strings.text("audit.date_order"))
            return None
        groups = frozenset(group for group, chip in self._chips.items() if chip.isChecked())
        # The last day counts whole: the end is the first moment after it.
        ends_us = until_us + DAY_US if until_us else 0
        return TrailFilter(kinds_of(groups), self._badge.value(), self._case.value() or self._history_of, from_us, ends_us)

    def _listed(self) -> None:
        self._notice.close_notice()
        self._head.say(self.title, strings.text("audit.head", seq=strings.number(self.trail.head_seq)))
        self._clear.setVisible(self.trail.shown().narrows())
        self._stack.setCurrentIndex(0 if self.table.row_count() else 1)
        self._show_entry()

    def _refused(self, error: VaultError) -> None:
        message = messages.explain(error)
        if error.code == "person.unknown":
            self._badge.set_error(message.title)
            self._badge.control.setFocus()
            return
        self._notice.show_notice(message.title, f"{message.sentence} {message.next_step}".strip(), tone=Tone.BREACH, icon=IconName.WARNING)

    # -- one entry -------------------------------------------------------------------------------------------------------------------

    def _show_entry(self) -> None:
        line = self.trail.current()
        self._history.setVisible(line is not None and bool(line.case_label) and self._sees_numbers)
        self._person.setVisible(line is not None and line.actor is not None)
        if line is None:
            self.inspector.show_facts(strings.text("audit.pick_title"), [Section("", (Fact("", strings.text("audit.pick_sentence")),))])
            return
        self.inspector.show_facts(
            sentence(line),
            [Section("", _fields(line)), Section(strings.text("audit.facts"), _facts(line))]
            if line.facts
            else [Section("", _fields(line))],
        )

    def case_history(self) -> None:
        """Narrow the trail to the current entry's case."""
        line = self.trail.current()
        if line is not None and line.case_label and self._sees_numbers:
            self._set_filter(history_of=line.case_label)

    def by_person(self) -> None:
        """Narrow the trail to the current entry's person."""
        line = self.trail.current()
        if line is not None and line.actor is not None:
            self._set_filter(badge_no=line.actor.badge_no)

    # -- the chain -------------------------------------------------------------------------------------------------------------------

    def verify(self) -> None:
        """Verify the whole chain."""
        if self.chain.verify.isEnabled():
            before = self.chain.chain()
            self.chain.show_verifying()
            self.bridge.ask(Supervision.verify_chain).owner(self).then(
                self.chain.show_chain, lambda error: self._not_verified(before, error)
            )

    def stop_verifying(self) -> None:
        """Stop the verification under way: the last verdict stands."""
        if self.chain.is_verifying:
            self.bridge.ask(Supervision.stop_verification).owner(self).then(lambda _: None, self._refused)

    def _moved(self, event: object) -> None:
        if isinstance(event, VerificationMoved):
            self.chain.show_moved(event.entries, event.of)

    def _not_verified(self, before: ChainLine | None, error: VaultError) -> None:
        self.chain.show_chain(before)
        if error.code != "audit.verification-stopped":  # it was asked for
            self._refused(error)

    def _show_bad(self, seq: int) -> None:
        self._set_filter()
        self.trail.list(TrailFilter(), show_seq=seq)
        self.table.setFocus()

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]
        """Verify, refresh, history, person."""
        offered: list[tuple[str, IconName, Callable[[], None], str]] = [
            ("verify", IconName.AUDIT, self.verify, "V"),
            ("refresh", IconName.RETRY, self.refresh, "R"),
        ]
        if self.chain.is_verifying:
            offered.append(("stop_verifying", IconName.CANCEL, self.stop_verifying, "Ctrl+."))
        line = self.trail.current()
        if line is not None and line.case_label and self._sees_numbers:
            offered.append(("history", IconName.CASE, self.case_history, "H"))
        if line is not None and line.actor is not None:
            offered.append(("by_person", IconName.USER, self.by_person, "P"))
        return [PaletteAction(f"audit.{name}", strings.text(f"audit.{name}"), icon, act, keys) for name, icon, act, keys in offered]


def _fields(line: AuditLine) -> tuple[Fact, ...]:
    fields = (
        ("seq", strings.number(line.seq), False),
        ("at", strings.local_time_full(line.at_us), False),
        ("kind", line.kind, False),
        ("actor", who(line.actor, strings.text("audit.nobody")), False),
        ("outcome", outcome(line), False),
        ("case", line.case_label, False),
        ("case_id", line.case_id, True),
        ("document", line.document_id, True),
        ("page", strings.number(line.page_no) if line.page_no else "", False),
        ("hash", line.entry_hash, True),
    )
    return tuple(Fact(strings.text(f"audit.field.{name}"), value, mono=mono, tabular=True) for name, value, mono in fields if value)


def _facts(line: AuditLine) -> tuple[Fact, ...]:
    return tuple(Fact(*fact_row(name, value), tabular=True) for name, value in line.facts)
