"""Break-glass: the recovery slot's holders come one after the other and open the vault for hours, without its key servers.

Rules:

- What will happen stands above everything: recorded, reported, for how long. Nothing opens before the last verb, which says so.
- A holder's passphrase is cleared from the field as soon as it is sent, and with everything else typed when the page is left. No key comes
  here: the vault process reads the file and keeps the key, and who leaves has it end (`ui.app`).
- A page that nobody touches for as long as the vault keeps its holders is left by itself.
- Enter moves on and takes the step; Ctrl+O chooses a file; Esc leaves. While the vault is being opened nobody leaves: that is recorded.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.field import Field, LineField
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.passphrase_field import PassphraseField
from ui.windows.drop_zone import open_picker, path_of
from ui.windows.naming import isolated
from ui.windows.quiet_page import Mark, QuietPage
from vault.services.recovery import GIVEN_SECONDS, HoldersHere, OpenedByHolders, Recovery, RecoverySlotFacts

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError

_OF_PATH = frozenset({"recovery.file", "recovery.not-a-holder-file", "recovery.not-a-holder", "recovery.given-already"})
_LONGEST_PATH = 1_000


class Step(enum.Enum):
    """Where it stands."""

    ASKING = "asking"  # the vault, what its slot says
    HOLDERS = "holders"
    HOURS = "hours"  # all are here
    OPENED = "opened"
    SHUT = "shut"  # the slot cannot be used


class HoldersPage(QuietPage):
    """The page. `left` when nothing was opened, with whether the vault process may hold a key; `opened` when people may sign in now."""

    left = Signal(bool)
    opened = Signal()

    def __init__(self, bridge: Bridge) -> None:
        """Ask what the slot wants."""
        super().__init__("holders", width_px=520, branded=False)
        self._bridge = bridge
        self._step = Step.ASKING
        self._slot = RecoverySlotFacts(0, 0, 0, 0)
        self._here: tuple[str, ...] = ()
        self._waits = False
        self._sent = False  # a passphrase, to this vault process
        self._title = Mark(IconName.KEY, strings.text("holders.title"), Colour.TEXT, TypeSize.TITLE, Weight.STRONG)
        self._what = Label("", wrap=True)
        self._recorded = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._count = Mark(IconName.PEOPLE, "", Colour.TEXT, TypeSize.BODY, Weight.STRONG)
        self._names = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._refusal = NoticeBar()
        self.path = LineField(strings.text("holders.file"), hint=strings.text("holders.file_hint"), max_length=_LONGEST_PATH)
        self.choose = Button(strings.text("holders.choose"), key_hint="Ctrl+O", icon=IconName.FILE)
        self.passphrase = PassphraseField(strings.text("holders.passphrase"))
        self.hours = LineField(strings.text("holders.hours"), digits=True, max_length=2)
        self.cancel = Button(strings.text("holders.cancel"), ButtonKind.GHOST, key_hint="Esc")
        self.onward = Button("", ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self._idle = QTimer(self, interval=GIVEN_SECONDS * 1000, singleShot=True)
        self._idle.timeout.connect(self._too_long)
        self._build()
        self._connect()
        self._show(Step.ASKING)
        bridge.ask(Recovery.slot).then(self._know_slot, self._no_slot).owner(self)

    def _build(self) -> None:
        for widget, name in (
            (self.path.control, "file"),
            (self.choose, "choose"),
            (self.passphrase.line, "passphrase"),
            (self.hours.control, "hours"),
            (self.cancel, "cancel"),
            (self.onward, "onward"),
        ):
            widget.setObjectName(f"holders_{name}")
        for part in (self._title, self._what, self._recorded, self._count, self._names, self._refusal, self.path):
            self.column.addWidget(part)
        self.column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.passphrase)
        self.column.addWidget(self.hours)
        self.column.addSpacing(4)
        verbs = QHBoxLayout()
        verbs.addWidget(self.cancel)
        verbs.addStretch(1)
        verbs.addWidget(self.onward)
        self.column.addLayout(verbs)
        self.setFocusProxy(self._title)  # until it is known what the slot asks for; not the way out, where an Enter too many leaves

    def _connect(self) -> None:
        self.path.submitted.connect(lambda: self.put_focus(self.passphrase))
        self.passphrase.submitted.connect(self._go_on)
        self.hours.submitted.connect(self._go_on)
        self.choose.clicked.connect(self._choose)
        self.onward.clicked.connect(self._go_on)
        self.cancel.clicked.connect(self.leave)
        for field in (self.path, self.passphrase, self.hours):
            field.changed.connect(self._idle.start)
        for keys, act in (("Ctrl+O", self.choose.click), ("Esc", self.leave)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self._refusal.closed.connect(self.settle)

    # -- steps -----------------------------------------------------------------------------------------------------------------------

    def _show(self, step: Step) -> None:
        self._step = step
        holders, hours = step is Step.HOLDERS, step is Step.HOURS
        for part in (self.path, self.choose, self.passphrase):
            part.setVisible(holders)
        self.hours.setVisible(hours)
        self._count.setVisible(holders or hours)
        self._names.setVisible(bool(self._here) and (holders or hours))
        self._recorded.setVisible(step in {Step.HOLDERS, Step.HOURS})
        self.cancel.setVisible(step is not Step.OPENED)
        self.onward.setVisible(holders or hours or step is Step.OPENED)
        self._show_waiting(waits=False)
        if holders or hours:
            words = strings.text("holders.here", here=len(self._here), threshold=self._slot.threshold)
            self._count.show_mark(IconName.CHECK if hours else IconName.PEOPLE, words, Colour.GREEN if hours else Colour.TEXT)
            self._names.setText("\n".join(isolated(one) for one in self._here))
        self.settle()
        if self.isVisible():
            self._focus()

    def _focus(self) -> None:
        first: QWidget = {Step.HOLDERS: self.path, Step.HOURS: self.hours, Step.OPENED: self.onward}.get(self._step, self.cancel)
        self.setFocusProxy(first)
        self.put_focus(first)

    def _know_slot(self, slot: RecoverySlotFacts) -> None:
        self._slot = slot
        self._what.setText(strings.text("holders.what", threshold=slot.threshold, holders=slot.holders))
        self._recorded.setText(strings.text("holders.recorded", most=slot.most_hours))
        self.hours.set_value(str(slot.usual_hours))
        self._idle.start()
        self._show(Step.HOLDERS)

    def _no_slot(self, error: VaultError) -> None:
        self._show(Step.SHUT)
        self._refuse(error)

    def _go_on(self) -> None:
        if self._waits:
            return
        if self._step is Step.HOLDERS:
            self._give()
        elif self._step is Step.HOURS:
            self._open()
        elif self._step is Step.OPENED:
            self.opened.emit()

    # -- a holder --------------------------------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        open_picker(self, "holders_picker", strings.text("holders.picker"), self._chosen)

    def _chosen(self, paths: tuple[str, ...]) -> None:
        if paths:
            self.path.set_value(paths[0])
            self.put_focus(self.passphrase)

    def _give(self) -> None:
        path = path_of(self.path.value())
        wrong: tuple[tuple[Field, str], ...] = (
            (self.path, "" if path else strings.text("holders.file_missing")),
            (self.passphrase, "" if self.passphrase.typed else strings.text("sign_in.passphrase_missing")),
        )
        if self._blame(wrong):
            return
        self._refusal.hide()
        self._show_waiting(waits=True)
        self._sent = True
        typed = self.passphrase.value()
        self._bridge.ask(Recovery.give, path, typed).then(self._given, self._not_given).owner(self)
        typed.wipe()
        self.passphrase.clear()

    def _given(self, come: HoldersHere) -> None:
        self._here = come.names
        self.path.set_value("")
        self._idle.start()
        self._show(Step.HOURS if len(come.names) >= come.threshold else Step.HOLDERS)

    def _not_given(self, error: VaultError) -> None:
        if error.code == "recovery.given-expired":
            self._here = ()
        self._show(Step.HOLDERS)
        told = messages.explain(error)
        words = " ".join(one for one in (f"{told.title}.", told.sentence, told.next_step) if one)
        if error.code == "recovery.not-recognised":
            self._blame(((self.passphrase, words),))
        elif error.code in _OF_PATH:
            self._blame(((self.path, words),))
        else:
            self._refuse(error)

    # -- together --------------------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        hours = int(self.hours.value()) if self.hours.value().isdecimal() else 0
        fault = "" if 1 <= hours <= self._slot.most_hours else strings.text("holders.hours_wrong", most=self._slot.most_hours)
        if self._blame(((self.hours, fault),)):
            return
        self._refusal.hide()
        self._show_waiting(waits=True)
        self._idle.stop()
        self._bridge.ask(Recovery.open, hours).then(self._was_opened, self._not_opened).owner(self)

    def _was_opened(self, opened: OpenedByHolders) -> None:
        self._title.show_mark(IconName.CHECK, strings.text("holders.opened", time=strings.local_time(opened.ends_us)), Colour.TEXT)
        self._what.setText(strings.text("holders.opened_sentence", report=opened.report_no))
        self.onward.set_words(strings.text("holders.to_sign_in"))
        self._show(Step.OPENED)

    def _not_opened(self, error: VaultError) -> None:
        expired = error.code == "recovery.given-expired"
        if expired:
            self._here = ()
        self._idle.start()
        self._show(Step.HOLDERS if expired else Step.HOURS)
        self._refuse(error)

    # -- leaving ---------------------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Keep nothing that was typed, and say that nothing was opened. Not while the vault is being opened, nor after."""
        if self._step is Step.OPENED or (self._step is Step.HOURS and self._waits):
            return
        self.wipe()
        self.left.emit(self._sent)

    def wipe(self) -> None:
        """Empty every field, and overwrite what was typed."""
        self.passphrase.clear()
        self.path.set_value("")
        self._here = ()
        self._idle.stop()  # last: a field that changes starts it

    def _too_long(self) -> None:
        if not self._waits:
            self.leave()

    # -- saying ----------------------------------------------------------------------------------------------------------------------

    def _blame(self, wrong: tuple[tuple[Field, str], ...]) -> bool:
        """Say beside each field what is wrong with it; whether anything is."""
        for field, words in wrong:
            field.set_error(words)
        first = next((field for field, words in wrong if words), None)
        self.settle()
        if first is not None:
            self.put_focus(first)
        return first is not None

    def _refuse(self, error: VaultError) -> None:
        told = messages.explain(error)
        self._refusal.show_notice(told.title, f"{told.sentence} {told.next_step}".strip(), tone=Tone.BREACH, icon=IconName.WARNING)
        self.settle()

    def _show_waiting(self, *, waits: bool) -> None:
        if waits:
            self._title.setFocus(Qt.FocusReason.OtherFocusReason)  # else it goes to the way out
        self._waits = waits
        hours = self._step is Step.HOURS
        for part in (self.path, self.choose, self.passphrase, self.hours, self.onward):
            part.setEnabled(not waits)
        self.cancel.setEnabled(not (waits and hours))
        for field in (self.path, self.passphrase, self.hours):
            field.set_error("")
        if self._step is Step.HOLDERS:
            self.onward.set_words(strings.text("holders.checking" if waits else "holders.give"))
        elif hours:
            self.onward.set_words(strings.text("holders.opening" if waits else "holders.open"))
