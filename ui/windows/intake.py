"""Intake: choose or register a case, bring files in, watch what becomes of each.

Rules of this module:

- One intake at a time on this page. What was refused stays listed with its reason, and the rest goes on.
- Names of files and titles of cases are painted. Cancelling says what stays and what goes before it is done.
- A new records custodian is admitted here, where cases and grants are made: the verb stands only while somebody waits for the key.
- An intake that was interrupted is named when its case is chosen; taking in the same files again resumes it, and where those are gone
  what is left of it can be forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.empty_state import EmptyState
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.painted_text import PaintedText
from ui.widgets.scroll_column import ScrollColumn
from ui.windows.act_sheet import confirmation
from ui.windows.case_picker import CasePicker
from ui.windows.drop_zone import DropZone
from ui.windows.grants import GrantsSheet
from ui.windows.intake_list import IntakeList
from ui.windows.live_page import LivePage, PageHead
from ui.windows.naming import isolated, who
from ui.windows.page import PaletteAction
from ui.windows.register import AdmitSheet, RegisterSheet, to_be_admitted
from vault.domain.identity import Role
from vault.errors import RefusedError
from vault.services.desk import Desk
from vault.services.events import IntakeMoved, RegisterChanged
from vault.services.intake import FILES_MOST, Intake
from vault.services.register import Register
from vault.services.views import CaseDetail, CaseLine, IntakeFile, IntakeView, PersonBrief, UnitLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError
    from vault.services.views import SignedIn


class IntakePage(LivePage):
    """The records custodian's page."""

    key: ClassVar[str] = "intake"
    icon: ClassVar[IconName] = IconName.INTAKE
    fresh_on = (RegisterChanged,)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self._may_register = signed_in.person.role is Role.CUSTODIAN
        self._case: CaseLine | None = None
        self._view: IntakeView | None = None
        self._starting = False
        self._waiting_for_key: tuple[PersonBrief, ...] = ()
        self._head = PageHead(self.key, self.title)
        self._notice = NoticeBar()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_choosing())
        self._stack.addWidget(self._make_taking())
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self._notice)
        column.addWidget(self._stack, 1)
        self._notice.acted.connect(self._pick_files)
        self._notice.other_acted.connect(self.forget_interrupted)
        bridge.told.connect(self._moved)
        for keys, act in (
            ("Ctrl+O", self._pick_files),
            ("Ctrl+Shift+O", self._pick_folder),
            ("Ctrl+N", self.register_case),
            ("Ctrl+G", self.grants),
            ("Ctrl+M", self.admit),
        ):
            self.shortcut(keys, act)

    def _make_choosing(self) -> QWidget:
        page = QWidget()
        self.picker = CasePicker(self.bridge, "intake")
        self.picker.chosen.connect(self.choose)
        self.picker.current_changed.connect(self._offer)
        register = Button(strings.text("intake.register"), icon=IconName.ADD, key_hint="Ctrl+N")
        register.setObjectName("intake_register")
        register.clicked.connect(self.register_case)
        register.setVisible(self._may_register)
        self._grants_button = Button(strings.text("intake.grants"), ButtonKind.GHOST, icon=IconName.GRANT, key_hint="Ctrl+G")
        self._grants_button.setObjectName("intake_grants")
        self._grants_button.clicked.connect(self.grants)
        verbs = QHBoxLayout()
        verbs.setSpacing(8)
        verbs.addWidget(register)
        verbs.addWidget(self._grants_button)
        verbs.addStretch(1)
        self._admit_button = Button("", icon=IconName.KEY, key_hint="Ctrl+M")
        self._admit_button.setObjectName("intake_admit")
        self._admit_button.clicked.connect(self.admit)
        self._admit_button.hide()
        verbs.addWidget(self._admit_button)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(Label(strings.text("intake.choose_title"), TypeSize.TITLE, Weight.STRONG))
        column.addWidget(self.picker, 1)
        column.addLayout(verbs)
        return page

    def _make_taking(self) -> QWidget:
        page = QWidget()
        self._case_words = PaintedText(TypeSize.TITLE, Weight.STRONG, max_lines=2)
        self._other = Button(strings.text("intake.change_case"), ButtonKind.GHOST, key_hint="Esc")
        self._other.setObjectName("intake_other_case")
        self._other.clicked.connect(self.leave_case)
        case_row = QHBoxLayout()
        case_row.setSpacing(8)
        case_row.addWidget(self._case_words, 1, Qt.AlignmentFlag.AlignVCenter)
        case_row.addWidget(self._other)
        self.drop = DropZone()
        self.drop.brought.connect(self.take_in)
        self.files = IntakeList()
        self.files.cancel_pressed.connect(self.cancel)
        self.files.more_pressed.connect(self._take_more)
        self.shortcut("Ctrl+.", self.cancel)
        self._barred = EmptyState(IconName.DENY, strings.text("intake.not_granted_title"), strings.text("intake.not_granted_sentence"))
        self._work = QStackedWidget()
        ready = ScrollColumn()
        ready.column.setContentsMargins(0, 0, 0, 0)
        ready.column.addWidget(self.drop)
        ready.column.addStretch(1)
        running = ScrollColumn()
        running.column.setContentsMargins(0, 0, 0, 0)
        running.column.addWidget(self.files, 1)
        for one in (ready, running, self._barred):
            self._work.addWidget(one)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(case_row)
        column.addWidget(self._work, 1)
        return page

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Esc goes back to choosing a case, unless files are being taken in."""
        if event.key() == Qt.Key.Key_Escape and self._case is not None:
            self.leave_case()
            return
        super().keyPressEvent(event)

    # -- choosing --------------------------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Ask for the cases, or go on where the work stands."""
        super().shown()
        if self._case is None:
            self.picker.setFocus()

    def refresh(self) -> None:
        """Ask for the cases while one is being chosen."""
        if self._case is None:
            self.picker.refresh()
            if self._may_register:
                self.bridge.ask(Register.people).owner(self).then(self._ask_members)

    def _ask_members(self, people: tuple[PersonBrief, ...]) -> None:
        self.bridge.ask(Register.units).owner(self).then(lambda units: self._offer_admission(people, units))

    def _offer_admission(self, people: tuple[PersonBrief, ...], units: tuple[UnitLine, ...]) -> None:
        self._waiting_for_key = to_be_admitted(people, units, self.signed_in.person.person_id)
        count = len(self._waiting_for_key)
        self._admit_button.set_words(strings.text("intake.admit", count=count) if count else "")
        self._admit_button.setVisible(bool(count))

    def admit(self) -> None:
        """Hand the records unit's key to a custodian who waits for it."""
        if self._waiting_for_key and self._case is None:
            AdmitSheet(self.sheet_host, self.bridge, self._waiting_for_key, self._admitted).open_over()

    def _admitted(self, person: PersonBrief) -> None:
        self._notice.show_notice(
            strings.text("register.admit_sheet.done", who=who(person)),
            strings.text("register.admit_sheet.done_sentence"),
            tone=Tone.PROVEN,
            icon=IconName.DONE,
        )
        self.refresh()

    def open_at(self, what: str) -> None:
        """Choose a case by its number."""
        if not self._busy():
            self.leave_case()
            self.picker.find_case(what)

    def choose(self, line: CaseLine) -> None:
        """Take files into this case from now on."""
        self._case, self._view = line, None
        self._case_words.show_text(f"{line.rms_number}  {isolated(line.title)}")
        self._notice.close_notice()
        self._stack.setCurrentIndex(1)
        self._work.setCurrentIndex(0)
        self.drop.files.setFocus()
        self.bridge.ask(Desk.case, line.case_id).owner(self).then(self._know_case, self._refused)
        self._offer()

    def _know_case(self, detail: CaseDetail) -> None:
        if self._case is None or detail.line.case_id != self._case.case_id:
            return
        if not detail.may_take_in:
            self._work.setCurrentIndex(2)
            return
        self.bridge.ask(Intake.interrupted, detail.line.case_id).owner(self).then(self._tell_interrupted)

    def _tell_interrupted(self, files: tuple[IntakeFile, ...]) -> None:
        if files and not self._busy():
            title = strings.text("intake.interrupted", count=len(files))
            self._notice.show_notice(
                title,
                strings.text("intake.interrupted_sentence"),
                tone=Tone.ATTENTION,
                icon=IconName.RETRY,
                action=strings.text("intake.resume"),
                other=strings.text("intake.forget"),
            )

    def forget_interrupted(self) -> None:
        """Ask whether what an interrupted intake left is dropped."""
        line = self._case
        if line is None or self._busy():
            return
        words = "intake.forget_sheet"
        sheet = confirmation(
            self.sheet_host,
            "intake_forget",
            strings.text(f"{words}.title"),
            strings.text(f"{words}.save"),
            harm=strings.text(f"{words}.sentence"),
        )
        ask = self.bridge.ask
        sheet.accepted.connect(lambda: sheet.send(ask(Intake.forget, line.case_id), self._forgotten))
        sheet.open_over()

    def _forgotten(self, _nothing: None) -> None:
        self._notice.close_notice()
        self.drop.files.setFocus()

    def leave_case(self) -> None:
        """Choose another case."""
        if self._busy():
            return
        self._case = self._view = None
        self._notice.close_notice()
        self._stack.setCurrentIndex(0)
        self.picker.setFocus()
        self.picker.refresh()
        self._offer()

    def _offer(self) -> None:
        self._grants_button.setEnabled((self._case or self.picker.current()) is not None)

    def register_case(self) -> None:
        """Register a new case and take files into it."""
        if self._may_register and not self._busy():
            RegisterSheet(self.sheet_host, self.bridge, self.choose).open_over()

    def grants(self) -> None:
        """Show who may see the case."""
        line = self._case or self.picker.current()
        if line is not None:
            GrantsSheet(self.sheet_host, self.bridge, line).open_over()

    # -- taking in -------------------------------------------------------------------------------------------------------------------

    def _busy(self) -> bool:
        return self._starting or (self._view is not None and not self._view.finished)

    def _ready(self) -> bool:
        return self._case is not None and not self._busy() and self._work.currentIndex() == 0

    def _pick_files(self) -> None:
        if self._ready():
            self.drop.pick_files()

    def _pick_folder(self) -> None:
        if self._ready():
            self.drop.pick_folder()

    def take_in(self, paths: tuple[str, ...]) -> None:
        """Begin an intake of these absolute paths."""
        if self._case is None or self._busy():
            return
        self._starting = True
        self._notice.close_notice()
        self.bridge.ask(Intake.start, self._case.case_id, paths).owner(self).then(self._started, self._not_started)

    def _started(self, view: IntakeView) -> None:
        self._starting = False
        # Its progress may have arrived before it: the newer of the two counts.
        if self._view is None or self._view.intake_no != view.intake_no:
            self._show_view(view)

    def _not_started(self, error: VaultError) -> None:
        self._starting = False
        self._refused(error)

    def _moved(self, event: object) -> None:
        if not isinstance(event, IntakeMoved) or self._case is None or event.intake.case_id != self._case.case_id:
            return
        if self._starting or (self._view is not None and self._view.intake_no == event.intake.intake_no):
            self._show_view(event.intake)

    def _show_view(self, view: IntakeView) -> None:
        self._view = view
        self._other.setEnabled(view.finished)
        if view.finished and view.reason:  # there was nothing to take in, or too much
            self._work.setCurrentIndex(0)
            self.files.forget()
            self._refused(RefusedError(view.reason, most=strings.number(FILES_MOST)))
            self.drop.files.setFocus()
            return
        self._work.setCurrentIndex(1)
        self.files.show_intake(view)

    def cancel(self) -> None:
        """Ask whether to stop the intake."""
        view = self._view
        if view is None or view.finished:
            return
        words = "intake.cancel_sheet"
        sheet = confirmation(
            self.sheet_host,
            "intake_stop",
            strings.text(f"{words}.title"),
            strings.text(f"{words}.save"),
            harm=strings.text(f"{words}.sentence"),
            secondary=strings.text(f"{words}.keep"),
        )
        sheet.accepted.connect(lambda: sheet.send(self.bridge.ask(Intake.cancel, view.intake_no), lambda _: None))
        sheet.open_over()

    def _take_more(self) -> None:
        self._view = None
        self.files.forget()
        self._work.setCurrentIndex(0)
        self.drop.files.setFocus()

    def _refused(self, error: VaultError) -> None:
        message = messages.explain(error)
        self._notice.show_notice(
            message.title, f"{message.sentence} {message.next_step}".strip(), tone=Tone.ATTENTION, icon=IconName.WARNING
        )

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]
        """Give what can be done at this point of the work."""
        offered = []
        if self._may_register and not self._busy():
            offered.append(PaletteAction("intake.register", strings.text("intake.register"), IconName.ADD, self.register_case, "Ctrl+N"))
        if self._waiting_for_key and self._case is None:
            words = strings.text("intake.admit", count=len(self._waiting_for_key))
            offered.append(PaletteAction("intake.admit", words, IconName.KEY, self.admit, "Ctrl+M"))
        if self._ready():
            offered.append(PaletteAction("intake.files", strings.text("intake.add_files"), IconName.FILE, self._pick_files, "Ctrl+O"))
            offered.append(
                PaletteAction("intake.folder", strings.text("intake.add_folder"), IconName.FOLDER, self._pick_folder, "Ctrl+Shift+O")
            )
        if self._ready() and self._notice.offers_other():
            offered.append(
                PaletteAction("intake.forget", strings.text("intake.forget_sheet.title"), IconName.CANCEL, self.forget_interrupted)
            )
        if (self._case or self.picker.current()) is not None:
            offered.append(PaletteAction("intake.grants", strings.text("intake.grants"), IconName.GRANT, self.grants, "Ctrl+G"))
        if self._view is not None and not self._view.finished:
            offered.append(PaletteAction("intake.cancel", strings.text("intake.cancel"), IconName.CANCEL, self.cancel, "Ctrl+."))
        return offered
