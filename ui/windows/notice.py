"""What an officer is told after a blocked attempt, and the place to say that it was a mistake.

Rules:

- Factual: what was blocked, that it was recorded, under which number, what follows. No blame, no exclamation mark.
- Low severity is a bar, high severity a sheet over a page that is already gone.
- The account is the officer's own words, once a report; the supervisors read it with the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.sheet import Sheet
from ui.widgets.text_field import TextField
from ui.windows.act_sheet import ActSheet
from vault.domain.breach import SignalKind
from vault.domain.reason import is_reason
from vault.services.breach import Breaches
from vault.services.views import BreachNotice

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.domain.identity import BreachId

# What only a deliberate hand does: the page goes before the vault has answered.
BLANKED_AT_ONCE = frozenset({SignalKind.PRINT_KEY, SignalKind.PRINT_SCREEN_KEY})

# What this interface reports itself, and is therefore told of by the reply; everything else is told by an event.
REPORTED_HERE = frozenset(
    {
        SignalKind.COPY_KEY,
        SignalKind.CUT_KEY,
        SignalKind.SELECT_ALL_KEY,
        SignalKind.CONTEXT_MENU,
        SignalKind.DRAG,
        SignalKind.PRINT_KEY,
        SignalKind.SAVE_KEY,
        SignalKind.PRINT_SCREEN_KEY,
        SignalKind.CLIPBOARD,
        SignalKind.PRIMARY_SELECTION,
    }
)


def blocked(kind: SignalKind) -> str:
    """Say what was blocked or noticed, in one sentence."""
    return strings.text(f"told.kind.{kind.value}")


def blocked_sentence(kind: SignalKind) -> str:
    """Say it where it stands among other sentences."""
    return strings.text("told.sentence", what=blocked(kind))


def recorded(notice: BreachNotice) -> str:
    """Say that it was recorded and under which number."""
    key = "told.together" if notice.raised_together else "told.joined" if notice.joined else "told.recorded"
    return strings.text(key, report=notice.report_no)


def show_in_bar(bar: NoticeBar, notice: BreachNotice) -> None:
    """Tell it in the bar at the top."""
    bar.show_notice(
        blocked(notice.kind),
        f"{recorded(notice)} {strings.text('told.who_reads')}",
        tone=Tone.ATTENTION,
        icon=IconName.BREACHES,
        action=strings.text("told.mistake"),
    )


class AccountSheet(ActSheet):
    """The officer's own words to a report. `given` when the vault has them."""

    given = Signal()

    def __init__(self, host: QWidget, bridge: Bridge, breach_id: BreachId, report_no: str) -> None:
        super().__init__(host, "account", strings.text("account.title"), strings.text("account.do"), width_px=480)
        self._bridge, self._breach_id = bridge, breach_id
        self.body.addWidget(Label(strings.text("account.sentence", report=report_no), role=Colour.TEXT_QUIET, wrap=True))
        self.words = TextField(strings.text("account.words"), hint=strings.text("account.hint"), lines=5, max_length=2_000)
        self.words.control.setObjectName("account_words")
        self.body.addWidget(self.words)
        self.accepted.connect(self._give)

    def open_over(self) -> None:
        """Show the sheet with the keyboard in the field."""
        super().open_over()
        self.words.setFocus(Qt.FocusReason.PopupFocusReason)

    def _give(self) -> None:
        words = self.words.value()
        if not is_reason(words):
            self.words.set_error(strings.text("account.missing"))
            self.words.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.send(self._bridge.ask(Breaches.give_account, self._breach_id, words), lambda _done: self.given.emit())


class NoticeSheet(Sheet):
    """High severity, the page is gone: what was blocked, the report's number, go on or say that it was a mistake."""

    def __init__(self, host: QWidget, bridge: Bridge, notice: BreachNotice) -> None:
        super().__init__(host, strings.text("told.blanked"), strings.text("told.go_on"), width_px=480)
        self.setObjectName("notice_sheet")
        self._host, self._bridge, self.notice = host, bridge, notice
        self.primary.setObjectName("notice_go_on")
        self.secondary.hide()
        self.body.addWidget(Label(blocked_sentence(notice.kind), wrap=True))
        self.body.addWidget(Label(recorded(notice), weight=Weight.STRONG, wrap=True))
        self.body.addWidget(Label(strings.text("told.who_reads"), TypeSize.BODY, role=Colour.TEXT_QUIET, wrap=True))
        mistake = Button(strings.text("told.mistake"), ButtonKind.SECONDARY, key_hint="M", shortcut="M")
        mistake.setObjectName("notice_mistake")
        mistake.clicked.connect(self._mistake)
        self.body.addWidget(mistake, 0, Qt.AlignmentFlag.AlignLeft)
        self.accepted.connect(self.dismiss)
        self.dismissed.connect(self.deleteLater)

    def open_over(self) -> None:
        """Show the sheet; Enter goes on."""
        super().open_over()
        self.primary.setFocus(Qt.FocusReason.PopupFocusReason)

    def _mistake(self) -> None:
        self.close_over()
        account = AccountSheet(self._host, self._bridge, self.notice.breach_id, self.notice.report_no)
        account.given.connect(self.dismissed)
        account.dismissed.connect(self.dismissed)
        account.open_over()
