"""The key servers without which this workstation's vault does not open: which they are, whether they answer, and changing them.

Rules of this module:

- Administrators and supervisors come here, and both add. An administrator takes up new keys, and adds what must answer besides the others;
  letting fewer suffice and taking one off weakens the vault, and is a supervisor's. What a role may not do is not there.
- Nothing is said of a server that it did not prove: its state stands there only after "Test now", with the time.
- While the servers are asked, which takes seconds, each says so.
- Below stands who may open the vault without them (`recovery_holders`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, StatusCell, TitleCell
from ui.widgets.empty_state import EmptyState
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.held_rows import HeldRows
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import isolated
from ui.windows.page import PaletteAction
from ui.windows.premises_sheets import MOST_SERVERS, AddServerSheet, RemoveServerSheet, RotateSheet
from ui.windows.recovery_holders import HoldersSheet, RecoveryBar
from ui.windows.split_pane import SplitPane
from vault.domain.identity import Role
from vault.services.ports import MetServer, PremisesFacts
from vault.services.premises import Premises, least_threshold
from vault.services.views import KeyServerTest

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError
    from vault.services.views import SignedIn


_INSPECTOR_PX = 320
_LEAST_FACES_PX = 40  # a row: on a small screen the list gives way, it scrolls, and the sentences round it do not
_SHORT = 8
_KNOWN_FAILURES = frozenset({"unreachable", "refused", "malformed", "certificate", "front-certificate", "wrong-answer"})


class _Stand(enum.Enum):
    NOT_ASKED = "not-asked"
    ASKED = "asked"
    PROVEN = "proven"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Row:
    server: MetServer
    stand: _Stand = _Stand.NOT_ASKED
    code: str = ""  # of what is wrong, when it failed
    at_us: int = 0  # when it was told


class PremisesPage(LivePage):
    """Key servers: a list, what is known of one, and the verbs of the role."""

    key: ClassVar[str] = "premises"
    icon: ClassVar[IconName] = IconName.PREMISES
    back_to: ClassVar[str] = "people"

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._administers = signed_in.person.role is Role.ADMINISTRATOR
        self._facts: PremisesFacts | None = None  # until told
        self._stands: dict[str, _Row] = {}
        self._testing = False
        self._head = PageHead(self.key, self.title)
        self._verbs: dict[str, Button] = {}
        self._verb("test", ButtonKind.SECONDARY, "T", self.test)
        if self._administers:
            self._verb("rotate", ButtonKind.SECONDARY, "R", self.rotate)
        else:
            self._verb("remove", ButtonKind.SECONDARY, "D", self.remove)
        self._verb("add", ButtonKind.PRIMARY, "Ctrl+N", self.add)
        back = Button(strings.text("premises.back"), ButtonKind.GHOST, key_hint="Esc")
        back.setObjectName("premises_leave")
        back.clicked.connect(self.back)
        self._head.row.addWidget(back)
        self._make_lists()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self._faces, 1)
        self._faces.setMinimumHeight(_LEAST_FACES_PX)
        self.recovery = RecoveryBar(bridge, administers=self._administers)
        self.recovery.asked.connect(self.enrol_holders)
        self.shortcut("H", self.enrol_holders)
        column.addWidget(self.recovery)

    def _verb(self, name: str, kind: ButtonKind, key: str, act: Callable[[], None]) -> None:
        button = Button(strings.text(f"premises.{name}"), kind, key_hint=key)
        button.setObjectName(f"premises_{name}")
        button.clicked.connect(act)
        button.hide()  # until it is known what there is
        self._head.row.addWidget(button)
        self._verbs[name] = button
        self.shortcut(key, act)

    def _make_lists(self) -> None:
        self.table = RecordTable(
            (
                Column(strings.text("premises.name"), 110, stretch=2),
                Column(strings.text("premises.address"), 170, stretch=3, drop=1),
                Column(strings.text("premises.keys"), 156, drop=2),
                Column(strings.text("premises.state"), 150, stretch=1),
            ),
            name=self.title,
        )
        self.table.setObjectName("premises_list")
        self._rows: HeldRows[_Row] = HeldRows(self.table, _record, lambda row: row.server.name)
        self.inspector = Inspector(closable=False)
        self.inspector.setObjectName("premises_server")
        self.inspector.set_over(over=True)
        self._split = SplitPane(self.key, self.table, self.inspector, detail_width_px=_INSPECTOR_PX)
        self.table.activated.connect(lambda _row: self._split.open_detail())
        self.table.current_changed.connect(self._show_current)
        empty = EmptyState(
            IconName.PREMISES,
            strings.text("premises.empty_title"),
            f"{strings.text('premises.empty_sentence')}\n{strings.text('premises.empty_add')}",
            strings.text("premises.add"),
            key_hint="Ctrl+N",
        )
        empty.acted.connect(self.add)
        for button in empty.findChildren(Button):
            button.setObjectName("premises_add_first")
        self._empty = empty
        self._faces = QStackedWidget()
        for face in (QWidget(), self._split, empty):
            self._faces.addWidget(face)

    # -- what there is ---------------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask which key servers and recovery holders there are; no server is asked for anything."""
        self.bridge.ask(Premises.servers).then(self._take).owner(self)
        self.recovery.refresh()

    def tick(self) -> None:
        """What stood proposed to the recovery holders' slot stands for a quarter of an hour."""
        self.recovery.tick()

    def _take(self, facts: PremisesFacts) -> None:
        first = self._facts is None or bool(self._facts.servers) is not bool(facts.servers)
        self._facts = facts
        bound = len(facts.servers)
        known = {one.name: one for one in facts.servers}
        self._stands = {name: row for name, row in self._stands.items() if known.get(name) == row.server}
        remark = strings.text("premises.must_answer", threshold=facts.threshold, count=bound) if bound else ""
        self._faces.setCurrentIndex(1 if bound else 2)
        for name, button in self._verbs.items():
            button.setVisible(bool(bound) and (name != "add" or bound < MOST_SERVERS))
        self._head.say(strings.text("premises.heading", count=bound) if bound else self.title, remark)  # after: it measures the verbs
        self._show_rows()
        if first and self.on_screen:
            self._focus()

    def shown(self) -> None:
        """Ask, and put the keyboard in the list."""
        super().shown()
        self._focus()

    def _focus(self) -> None:
        empty = self._faces.currentWidget() is self._empty
        first: QWidget = next(iter(self._empty.findChildren(Button)), self) if empty else self.table
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_rows(self) -> None:
        servers = self._facts.servers if self._facts is not None else ()
        self._rows.update([self._stands.get(one.name, _Row(one)) for one in servers])
        self._verbs["test"].setEnabled(not self._testing)
        self._verbs["test"].set_words(strings.text("premises.asking" if self._testing else "premises.test"))
        self._show_current()

    def _show_current(self) -> None:
        row = self._rows.current()
        if row is not None:
            self.inspector.show_facts(
                isolated(row.server.name),
                [Section("", _server_facts(row)), Section(self.title, (Fact("", strings.text("premises.sentence")),))],
            )

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    def test(self) -> None:
        """Have each server prove itself now."""
        if self._testing or self._facts is None or not self._facts.servers:
            return
        self._testing = True
        self._stands = {one.name: _Row(one, _Stand.ASKED) for one in self._facts.servers}
        self._show_rows()
        self.bridge.ask(Premises.test).then(self._tested, self._not_tested).owner(self)

    def _tested(self, tests: tuple[KeyServerTest, ...]) -> None:
        self._testing = False
        servers = {one.name: one for one in self._facts.servers} if self._facts is not None else {}
        now_us = strings.now_us()
        self._stands = {
            one.name: _Row(servers[one.name], _Stand.FAILED if one.code else _Stand.PROVEN, one.code, now_us)
            for one in tests
            if one.name in servers
        }
        self._show_rows()

    def _not_tested(self, error: VaultError) -> None:
        self._testing = False
        self._stands = {}
        self._show_rows()
        self.bridge.refused.emit(error)

    def add(self) -> None:
        """Bind to one more key server."""
        if self._facts is not None and len(self._facts.servers) < MOST_SERVERS:
            least = least_threshold(self._facts, self.signed_in.person.role)
            AddServerSheet(self.sheet_host, self.bridge, self._facts, least, self._take).open_over()

    def rotate(self) -> None:
        """Bind anew to the keys the servers have now."""
        if self._administers and self._facts is not None and self._facts.servers:
            RotateSheet(self.sheet_host, self.bridge, self._take).open_over()

    def remove(self) -> None:
        """Take the current key server off."""
        row = self._rows.current()
        if not self._administers and self._facts is not None and row is not None:
            RemoveServerSheet(self.sheet_host, self.bridge, self._facts, row.server, self._take).open_over()

    def enrol_holders(self) -> None:
        """Propose recovery holders, or agree to those that stand proposed."""
        if self.recovery.offers():
            proposed = None if self._administers else self.recovery.standing()
            HoldersSheet(self.sheet_host, self.bridge, proposed, self.recovery.take).open_over()
        else:
            self.recovery.refresh()  # the verb may still stand there, and what was proposed no longer

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """Give what this role can do now."""
        bound = len(self._facts.servers) if self._facts is not None else 0
        offered = []
        if bound:
            offered.append(PaletteAction("premises.test", strings.text("premises.test"), IconName.RETRY, self.test, "T"))
        if self._facts is not None and bound < MOST_SERVERS:
            offered.append(PaletteAction("premises.add", strings.text("premises.add"), IconName.ADD, self.add, "Ctrl+N"))
        if self._administers and bound:
            offered.append(PaletteAction("premises.rotate", strings.text("premises.rotate"), IconName.KEY, self.rotate, "R"))
        if not self._administers and bound:
            offered.append(PaletteAction("premises.remove", strings.text("premises.remove"), IconName.CANCEL, self.remove, "D"))
        if self.recovery.offers():
            words = strings.text("recovery.propose" if self._administers else "recovery.agree")
            offered.append(PaletteAction("premises.holders", words, IconName.KEY, self.enrol_holders, "H"))
        return offered


def _mark(row: _Row) -> tuple[str, Tone, IconName]:
    if row.stand is _Stand.PROVEN:
        return strings.text("premises.proven", time=strings.local_time(row.at_us)), Tone.PROVEN, IconName.CHECK
    if row.stand is _Stand.FAILED:
        reason = row.code.partition(".")[2]
        return strings.text(f"premises.failed.{reason if reason in _KNOWN_FAILURES else 'other'}"), Tone.ATTENTION, IconName.WARNING
    asked = row.stand is _Stand.ASKED
    return strings.text("premises.asking" if asked else "premises.not_asked"), Tone.PLAIN, IconName.RETRY if asked else IconName.WAIT


def _record(row: _Row) -> Record:
    words, tone, icon = _mark(row)
    server = row.server
    cells = (
        TitleCell(isolated(server.name)),
        TitleCell(server.url),
        NumberCell(", ".join(one[:_SHORT] + "…" for one in server.thumbprints), mono=True),
        StatusCell(words, tone, icon),
    )
    return Record(server.name, cells, tone if row.stand is _Stand.FAILED else Tone.PLAIN)


def _server_facts(row: _Row) -> tuple[Fact, ...]:
    words, tone, icon = _mark(row)
    server = row.server
    facts = [
        Fact(strings.text("premises.state"), words, tone, icon),
        Fact(strings.text("premises.address"), server.url),
        *(Fact(strings.text("premises.keys") if not n else "", one, mono=True) for n, one in enumerate(server.thumbprints)),
    ]
    if server.certificate:
        facts.append(Fact(strings.text("premises.certificate"), isolated(server.certificate)))
    if server.authority:
        facts.append(Fact(strings.text("premises.authority"), isolated(server.authority)))
    if row.stand is _Stand.FAILED:
        facts.append(Fact("", strings.text("premises.failed_next"), Tone.ATTENTION))
    return tuple(facts)
