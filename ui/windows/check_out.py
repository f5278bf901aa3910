"""Taking a case file out: the check-out sheet, the waiting list, and the way from a case in a list to reading it.

Rules:

- One key is enough: a number chooses the purpose and checks out, with the due-back time the vault proposes. The number 5 of a sheet is the
  number 5 of the list behind it.
- A purpose that nothing corroborates is allowed, wants a sentence and is flagged to the supervisors; the sheet says so before it is done.
- A file that is out is waited for; one's own is read on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import strings
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.choices import Choice, NumberedChoices
from ui.widgets.chosen_field import DateTimeField
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.text_field import TextField
from ui.windows import case_words
from ui.windows.act_sheet import ActSheet
from ui.windows.naming import isolated, who
from vault.domain.custody import Purpose
from vault.domain.reason import is_reason
from vault.services.custody import Custody
from vault.services.desk import Desk
from vault.services.views import CaseLine, CaseStatus, CheckOutChoices, DeskView, HoldingLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from ui.windows.live_page import LivePage
    from vault.errors import VaultError


def purpose_words(purpose: Purpose) -> str:
    """Give a purpose in words."""
    return strings.text(f"purpose.{purpose.value}")


class CaseHeading(QWidget):
    """A case in a sheet: number, title, type and marking; painted."""

    def __init__(self, line: CaseLine) -> None:
        super().__init__()
        number, title = (
            PaintedText(TypeSize.SMALL, Weight.MEDIUM, Colour.TEXT_QUIET, tabular=True),
            PaintedText(TypeSize.BODY, Weight.STRONG, max_lines=3),
        )
        number.show_text(" · ".join((line.rms_number, line.case_type, case_words.marking(line.marking))))
        title.show_text(isolated(line.title))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(number)
        column.addWidget(title)


class CheckOutSheet(ActSheet):
    """Case, purpose, due back, one button. `taken` carries the HoldingLine."""

    taken = Signal(object)

    def __init__(self, host: QWidget, bridge: Bridge, choices: CheckOutChoices, number: int = 0) -> None:
        """Make the sheet.

        Args:
            host: what it lies over.
            bridge: where it is asked.
            choices: what the vault offers for the case.
            number: a purpose already chosen, 1-based; 0 for none.
        """
        super().__init__(host, "check_out", strings.text("check_out.title"), strings.text("check_out.do"), width_px=460)
        self._bridge, self._offer = bridge, choices
        self.purposes = NumberedChoices()
        self.purposes.setObjectName("check_out_purpose")
        self.purposes.set_choices([Choice(one.value, purpose_words(one), flagged=one is Purpose.OTHER) for one in choices.purposes])
        self.note = TextField(strings.text("check_out.note"), hint=strings.text("check_out.note_hint"), lines=2, max_length=500)
        self.note.control.setObjectName("check_out_note")
        self.due = DateTimeField(
            strings.text("check_out.due_back"),
            choices.due_back_us,
            hint=strings.text("check_out.due_back_hint", latest=strings.local_time(choices.due_back_latest_us)),
        )
        self.due.control.setObjectName("check_out_due_back")
        self.body.addWidget(CaseHeading(choices.case))
        heading = Label(strings.text("check_out.purpose"), TypeSize.SMALL, Weight.MEDIUM)
        self.body.addWidget(heading)
        self.body.addWidget(self.purposes)
        self.body.addWidget(self.note)
        self.body.addWidget(self.due)
        self.body.addWidget(Label(strings.text("check_out.reminder"), TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True))
        self.purposes.installEventFilter(self)
        self.purposes.chosen.connect(self._chosen)
        self.purposes.submitted.connect(lambda _value: self._check_out())
        self.accepted.connect(self._check_out)
        self.note.hide()
        if number:
            self.purposes.choose(number - 1)

    def open_over(self) -> None:
        """Show the sheet; the keyboard is in the note when the purpose needs one."""
        super().open_over()
        (self.note if self._purpose() is Purpose.OTHER else self.purposes).setFocus(Qt.FocusReason.PopupFocusReason)

    def _purpose(self) -> Purpose | None:
        value = self.purposes.value()
        return Purpose(value) if value else None

    def _chosen(self, value: str) -> None:
        self.note.setVisible(value == Purpose.OTHER.value)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """A number chooses and checks out."""
        if watched is self.purposes and event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._number(event):
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """The same number, pressed while a button has the keyboard."""
        if self._number(event):
            event.accept()
            return
        super().keyPressEvent(event)

    def _number(self, event: QKeyEvent) -> bool:
        number = digit_of(event)
        if not 1 <= number <= len(self._offer.purposes):
            return False
        self.purposes.choose(number - 1)
        self._check_out()
        return True

    def _check_out(self) -> None:
        purpose = self._purpose()
        if purpose is None:
            self.show_error(strings.text("check_out.purpose_missing"), "")
            self.purposes.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        note = self.note.value() if purpose is Purpose.OTHER else ""
        if purpose is Purpose.OTHER and not is_reason(note):
            if not self.note.control.hasFocus() and not note:
                self.note.setFocus(Qt.FocusReason.OtherFocusReason)
            else:
                self.note.set_error(strings.text("check_out.note_missing"))
            self._place()
            return
        due_us = self._offer.due_back_us if _same_minute(self.due.value_us(), self._offer.due_back_us) else self.due.value_us()
        self.send(self._bridge.ask(Custody.check_out, self._offer.case.case_id, purpose, due_us, note), self.taken.emit)


class WaitSheet(ActSheet):
    """A file that is out: who has it, until when, and joining or leaving the waiting list. `changed` when that was done."""

    changed = Signal()

    def __init__(self, host: QWidget, bridge: Bridge, line: CaseLine) -> None:
        verb = "wait.leave" if line.you_wait else "wait.join"
        super().__init__(host, "wait", strings.text("wait.title"), strings.text(verb), width_px=460)
        self._bridge, self._line = bridge, line
        self.body.addWidget(CaseHeading(line))
        holder = PaintedText()
        due = strings.duration_left(line.due_back_us) if line.due_back_us else ""
        holder.show_text(strings.text("wait.holder", who=who(line.holder, strings.text("wait.somebody")), due=due))
        self.body.addWidget(holder)
        sentence = "wait.leave_sentence" if line.you_wait else "wait.join_sentence"
        self.body.addWidget(Label(strings.text(sentence), role=Colour.TEXT_QUIET, wrap=True))
        self.accepted.connect(self._act)

    def open_over(self) -> None:
        """Show the sheet with the keyboard on its verb: Enter is enough."""
        super().open_over()
        self.primary.setFocus(Qt.FocusReason.PopupFocusReason)

    def _act(self) -> None:
        method = Custody.leave_waiting if self._line.you_wait else Custody.wait
        self.send(self._bridge.ask(method, self._line.case_id), lambda _done: self.changed.emit())


class CaseActs(QObject):
    """What Enter and the numbers do with a case of a list. `reading` carries the check-out id to read; `changed` asks for a fresh list."""

    reading = Signal(str)
    changed = Signal()

    def __init__(self, page: LivePage, bridge: Bridge) -> None:
        super().__init__(page)
        self._page, self._bridge = page, bridge
        self._asking = False

    def open(self, line: CaseLine) -> None:
        """Read on, check out, or wait: whatever this file allows."""
        if line.status is CaseStatus.YOURS:
            self._bridge.ask(Desk.overview).then(lambda view: self._read_on(view, line)).owner(self)
        elif line.status is CaseStatus.OUT:
            sheet = WaitSheet(self._page.sheet_host, self._bridge, line)
            sheet.changed.connect(self.changed)
            sheet.open_over()
        else:
            self._choices(line, self._sheet)

    def at_once(self, line: CaseLine, number: int) -> None:
        """Check a file out by one key: the purpose with this number, due back as proposed.

        A purpose that wants a sentence opens the sheet.
        """
        if line.status is not CaseStatus.IN_VAULT:
            self.open(line)
            return
        self._choices(line, lambda choices: self._take(choices, number))

    def _choices(self, line: CaseLine, then: Callable[[CheckOutChoices], None]) -> None:
        if self._asking:
            return  # a second press of the key while the first is being answered
        self._asking = True

        def had(choices: CheckOutChoices) -> None:
            self._asking = False
            then(choices)

        self._bridge.ask(Custody.choices, line.case_id).then(had, self._refused).owner(self)

    def _take(self, choices: CheckOutChoices, number: int) -> None:
        if number > len(choices.purposes):
            self._sheet(choices)
            return
        purpose = choices.purposes[number - 1]
        if purpose is Purpose.OTHER:
            self._sheet(choices, number)
            return
        self._asking = True
        reply = self._bridge.ask(Custody.check_out, choices.case.case_id, purpose, choices.due_back_us, "")
        reply.then(self._taken, self._refused).owner(self)

    def _sheet(self, choices: CheckOutChoices, number: int = 0) -> None:
        sheet = CheckOutSheet(self._page.sheet_host, self._bridge, choices, number)
        sheet.taken.connect(self._taken)
        sheet.open_over()

    def _taken(self, holding: HoldingLine) -> None:
        self._asking = False
        self.changed.emit()
        self.reading.emit(holding.check_out_id)

    def _refused(self, error: VaultError) -> None:
        self._asking = False
        self._bridge.refused.emit(error)
        self.changed.emit()

    def _read_on(self, view: DeskView, line: CaseLine) -> None:
        held = next((one for one in view.holding if one.case.case_id == line.case_id), None)
        if held is None:
            self.changed.emit()
        else:
            self.reading.emit(held.check_out_id)


def digit_of(event: QKeyEvent) -> int:
    """Give the number key 1…9 of an event that carries no modifier but the keypad's; 0 for any other key."""
    plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return event.key() - Qt.Key.Key_0 if plain and Qt.Key.Key_1 <= event.key() <= Qt.Key.Key_9 else 0


def _same_minute(one_us: int, other_us: int) -> bool:
    """Whether the field still shows the proposal: it shows minutes, the vault counts microseconds."""
    return abs(one_us - other_us) < 60_000_000  # noqa: PLR2004 -- a minute
