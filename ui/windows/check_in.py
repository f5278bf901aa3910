"""Giving a case file back: the statement that writes itself, the attestation, and handing over to somebody else.

Rules:

- The statement comes from the audit trail, not from the reader. Without the attestation nothing is returned.
- One key attests, one key returns. The focus starts on the attestation.
- A handover names who gets the file and that it is gone from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui import messages, strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.label import Label
from ui.windows.act_sheet import ActSheet
from ui.windows.check_out import CaseHeading
from ui.windows.naming import who
from ui.windows.person_field import PersonField
from vault.domain.access import ROLES_WITHOUT_CASES
from vault.domain.custody import CheckInStatement
from vault.services.custody import Custody
from vault.services.register import Register
from vault.services.views import HoldingLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError
    from vault.services.views import PersonBrief

_BOX_PX = 18
_SECONDS_A_MINUTE = 60


class Attestation(QAbstractButton):
    """A sentence to tick: Space, Enter or A. `toggled` and `isChecked` are QAbstractButton's."""

    def __init__(self, sentence: str, name: str) -> None:
        super().__init__()
        self._sentence = sentence
        self.setObjectName(name)
        self.setAccessibleName(sentence)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 -- Qt's name
        """The sentence wraps."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        """Give the height of the wrapped sentence, at least what can be hit."""
        room = QRect(0, 0, max(40, width - _BOX_PX - 36), 1000)
        words = self._metrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), self._sentence)
        return max(theme.shape().row_px, words.height() + 16)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Prefer a readable measure."""
        return QSize(380, self.heightForWidth(380))

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(theme.font(weight=Weight.MEDIUM))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Tick by Enter and A as by Space; a ticked one lets Enter through to the sheet's verb."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_A, Qt.Key.Key_Space} and not event.modifiers():
            self.click()
            event.accept()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Repaint in the new scheme."""
        self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint box, tick, sentence and focus."""
        painter, on = QPainter(self), self.isChecked()
        painting.panel(painter, self.rect(), Colour.ACCENT_SOFT if on else Colour.SURFACE_0)
        box = QRect(10, (self.height() - _BOX_PX) // 2, _BOX_PX, _BOX_PX)
        painting.panel(painter, box, Colour.ACCENT if on else Colour.SURFACE_1, None if on else Colour.EDGE, 4)
        if on:
            paint_icon(painter, box.adjusted(2, 2, -2, -2), IconName.CHECK, theme.colour(Colour.ON_ACCENT))
        painter.setFont(theme.font(weight=Weight.MEDIUM))
        painter.setPen(theme.colour(Colour.TEXT))
        words = QRect(box.right() + 13, 0, self.width() - box.right() - 20, self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWordWrap), self._sentence)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()


def statement_lines(statement: CheckInStatement) -> tuple[str, ...]:
    """Put the statement into sentences."""
    read = strings.text("check_in.read", pages=_pages(statement.pages_viewed), documents=_documents(statement.documents_viewed))
    times = strings.text("check_in.times", reading=_span(statement.reading_seconds), held=_span(statement.held_seconds))
    attempts = (
        strings.text("check_in.attempts", count=statement.copy_attempts)
        if statement.copy_attempts
        else strings.text("check_in.no_attempts")
    )
    return (read if statement.pages_viewed else strings.text("check_in.nothing_read"), times, attempts)


def _pages(count: int) -> str:
    return strings.text("check_in.pages", count=count)


def _documents(count: int) -> str:
    return strings.text("check_in.documents", count=count)


def _span(seconds: int) -> str:
    return strings.span(seconds if seconds < _SECONDS_A_MINUTE else seconds - seconds % _SECONDS_A_MINUTE)


class CheckInSheet(ActSheet):
    """Statement, attestation, return. `returned` when the file is back in the vault."""

    returned = Signal()

    def __init__(self, host: QWidget, bridge: Bridge, holding: HoldingLine) -> None:
        super().__init__(host, "check_in", strings.text("check_in.title"), strings.text("check_in.do"), width_px=460)
        self._bridge, self._holding = bridge, holding
        self._lines = [Label("", wrap=True, tabular=True) for _ in range(3)]
        self.attest = Attestation(strings.text("check_in.attestation"), "check_in_attest")
        self.body.addWidget(CaseHeading(holding.case))
        self.body.addWidget(
            Label(strings.text("check_in.statement", number=holding.check_out_no), TypeSize.SMALL, Weight.MEDIUM, Colour.TEXT_QUIET)
        )
        for line in self._lines:
            self.body.addWidget(line)
        self.body.addWidget(self.attest)
        self.primary.setEnabled(False)
        self.attest.setEnabled(False)
        self.attest.toggled.connect(self._attested)
        self.accepted.connect(self._return)
        self._lines[0].setText(strings.text("check_in.writing"))
        bridge.ask(Custody.statement, holding.check_out_id).then(self._written, self._no_statement).owner(self)

    def _written(self, statement: CheckInStatement) -> None:
        for label, words in zip(self._lines, statement_lines(statement), strict=True):
            label.setText(words)
        self._lines[2].set_role(Colour.AMBER if statement.copy_attempts else Colour.TEXT)
        self.attest.setEnabled(True)
        self.attest.setFocus(Qt.FocusReason.PopupFocusReason)
        self._place()

    def _no_statement(self, error: VaultError) -> None:
        told = messages.explain(error)
        self._lines[0].setText("")
        self.show_error(told.title, f"{told.sentence} {told.next_step}".strip())

    def _attested(self, on: bool) -> None:
        self.primary.setEnabled(on)
        if on:
            self.primary.setFocus(Qt.FocusReason.TabFocusReason)

    def _return(self) -> None:
        if self.attest.isChecked():
            reply = self._bridge.ask(Custody.check_in, self._holding.check_out_id, True)
            self.send(reply, lambda _done: self.returned.emit())


class HandOverSheet(ActSheet):
    """Give the file to a colleague in one act. `handed_over` when custody has passed."""

    handed_over = Signal()

    def __init__(self, host: QWidget, bridge: Bridge, holding: HoldingLine) -> None:
        super().__init__(host, "hand_over", strings.text("hand_over.title"), strings.text("hand_over.do"), width_px=460)
        self._bridge, self._holding = bridge, holding
        self.person = PersonField(strings.text("hand_over.person"), "hand_over_person")
        self.body.addWidget(CaseHeading(holding.case))
        self.body.addWidget(self.person)
        self.body.addWidget(Label(strings.text("hand_over.sentence"), role=Colour.TEXT_QUIET, wrap=True))
        self.accepted.connect(self._hand_over)
        bridge.ask(Register.people).then(self._know_people, self._no_people).owner(self)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the badge."""
        super().open_over()
        self.person.setFocus(Qt.FocusReason.PopupFocusReason)

    def _know_people(self, people: tuple[PersonBrief, ...]) -> None:
        self.person.set_people([person for person in people if person.role not in ROLES_WITHOUT_CASES])

    def _no_people(self, error: VaultError) -> None:
        told = messages.explain(error)
        self.show_error(told.title, f"{told.sentence} {told.next_step}".strip())

    def _hand_over(self) -> None:
        person = self.person.person()
        if person is None:
            self.person.set_error(strings.text("hand_over.person_missing"))
            self.person.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.setAccessibleDescription(who(person))
        self.send(self._bridge.ask(Custody.hand_over, self._holding.check_out_id, person.badge_no), lambda _done: self.handed_over.emit())
