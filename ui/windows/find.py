"""Find: a live search over the case files granted to me, and the answer to "why can't I see this?".

Rules:

- The vault searches what I may see and nothing else; a number that finds nothing can be asked about, and the answer does not tell whether
  such a case exists.
- Typing asks once the fingers rest; an older answer never replaces a newer one.
- Down or Enter goes from the search field into the list. Esc clears the search, then leaves the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName, icon
from ui.theme import Colour
from ui.widgets.empty_state import EmptyState
from ui.windows.case_inspector import CaseInspector, ExplainSheet
from ui.windows.case_list import CaseList
from ui.windows.check_out import CaseActs, digit_of
from ui.windows.live_page import LivePage, PageHead
from ui.windows.page import PaletteAction
from vault.services.desk import Desk
from vault.services.events import CustodyChanged, RegisterChanged
from vault.services.views import CaseLine, CaseStatus, Explanation

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn

_REST_MS = 110
_SEARCH_MOST = 200


class FindPage(LivePage):
    """Search field, list, inspector."""

    key: ClassVar[str] = "find"
    icon: ClassVar[IconName] = IconName.FIND
    fresh_on = (CustodyChanged, RegisterChanged)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._head = PageHead(self.key, self.title)
        self.field = QLineEdit()
        self.field.setObjectName("find_search")
        self.field.setMaxLength(_SEARCH_MOST)
        self.field.setPlaceholderText(strings.text("find.placeholder"))
        self.field.setAccessibleName(strings.text("find.field"))
        self.field.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.field.setDragEnabled(False)
        self.field.addAction(_search_icon(), QLineEdit.ActionPosition.LeadingPosition)
        self.field.installEventFilter(self)
        self.cases = CaseList(bridge, "find_cases")
        self._empty = EmptyState(IconName.SEARCH, strings.text("find.nothing"), "", strings.text("find.ask_why"), key_hint="Ctrl+Y")
        self._empty.acted.connect(self.ask_why)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.cases)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 8)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self.field)
        column.addWidget(self._stack, 1)
        self.acts = CaseActs(self, bridge)
        self.inspector = CaseInspector(self, bridge)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._search)
        self.field.textChanged.connect(lambda _words: self._rest.start())
        self.cases.chosen.connect(self.acts.open)
        self.cases.picked.connect(self.inspector.show_line)
        self.cases.counted.connect(self._counted)
        self.acts.reading.connect(lambda check_out_id: self.go.emit("reader", check_out_id))
        self.acts.changed.connect(self._again)
        self.inspector.opened.connect(self.acts.open)
        self.inspector.explained.connect(self._explain)
        self.shortcut("Ctrl+Y", self.ask_why)

    # -- page ------------------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Put the keyboard in the search field, everything in it selected for the next search."""
        if self.frame is not None:
            self.inspector.take(self.frame)
            self.frame.show_inspector(shown=True)
        super().shown()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def hidden(self) -> None:
        """Give the inspector back."""
        self.inspector.leave()
        super().hidden()

    def refresh(self) -> None:
        """Ask again, and stay on the same case."""
        self.cases.refresh()
        self.inspector.refresh()

    def open_at(self, what: str) -> None:
        """Search for a case number."""
        if what:
            self.field.setText(what)

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """What can be done with the selected case, and with the number that was typed."""
        found = []
        line = self.cases.current_line()
        if line is not None:
            words, icon = {
                CaseStatus.IN_VAULT: ("desk.act_check_out", IconName.CHECK_OUT),
                CaseStatus.YOURS: ("desk.act_continue", IconName.FILE),
                CaseStatus.OUT: ("find.act_wait", IconName.WAIT),
            }[line.status]
            found.append(PaletteAction("open", strings.text(words), icon, lambda: self.acts.open(line), strings.text("keys.enter")))
            if line.status is CaseStatus.IN_VAULT:
                found.append(
                    PaletteAction("at_once", strings.text("desk.act_at_once"), IconName.CHECK_OUT, lambda: self.acts.at_once(line, 1), "1")
                )
            found.append(PaletteAction("why", strings.text("case.why"), IconName.INFO, lambda: self._explain(line), "Y"))
        if self.field.text().strip():
            found.append(PaletteAction("ask_why", strings.text("find.act_ask_why"), IconName.INFO, self.ask_why, "Ctrl+Y"))
        return found

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Go from the field into the list and out again."""
        if watched is self.field and event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if (
                key in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}
                and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            ):
                self._into_list()
                return True
            if key == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self.ask_why()  # the field would take it for "redo"
                return True
            if key == Qt.Key.Key_Escape and self.field.text():
                self.field.clear()
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Numbers, O and Y act on the selected case; Esc goes back to the field."""
        line, number = (self.cases.current_line() if self.focusWidget() is self.cases else None), digit_of(event)
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if line is not None and number:
            self.acts.at_once(line, number)
        elif line is not None and plain and event.key() == Qt.Key.Key_O:
            self.acts.open(line)
        elif line is not None and plain and event.key() == Qt.Key.Key_Y:
            self._explain(line)
        elif event.key() == Qt.Key.Key_Escape:
            self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.field.selectAll()
        else:
            super().keyPressEvent(event)

    # -- search ----------------------------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        self._rest.stop()
        self.cases.search(self.field.text().strip())

    def _into_list(self) -> None:
        if self._rest.isActive():
            self._search()
        if self._stack.currentWidget() is self.cases:
            self.cases.setFocus(Qt.FocusReason.TabFocusReason)

    def _counted(self, count: int) -> None:
        words = self.field.text().strip()
        self._stack.setCurrentWidget(self.cases if count else self._empty)
        if not count:
            self._empty.set_words(
                strings.text("find.nothing" if words else "find.none_granted"),
                strings.text("find.nothing_hint" if words else "find.none_granted_hint"),
            )
        self._head.say(self.title, strings.text("find.count", count=count) if count else "")

    def _again(self) -> None:
        self.refresh()

    # -- why ---------------------------------------------------------------------------------------------------------------------------

    def ask_why(self) -> None:
        """Ask why the number that was typed can or cannot be seen."""
        number = self.field.text().strip()
        if number:
            self.bridge.ask(Desk.explain, number, "").then(self._show_explanation).owner(self)

    def _explain(self, line: CaseLine) -> None:
        self.bridge.ask(Desk.explain, line.rms_number, "").then(self._show_explanation).owner(self)

    def _show_explanation(self, explanation: Explanation) -> None:
        ExplainSheet(self.sheet_host, explanation).open_over()


def _search_icon() -> QIcon:
    return icon(IconName.SEARCH, Colour.TEXT_QUIET)
