"""The first run: found the vault with three people, then hand each their second factor.

Rules:

- Three people, three roles: administrator, supervisor, records custodian. Each types their own passphrase; the next step shows none of it.
- The rule a passphrase must meet stands beside the field and is checked again, in full, by the vault.
- A second factor is shown once, one person at a time, until that person says that it was scanned. The proof is their first sign-in.
- The vault is founded when the last one has scanned theirs. A founding left before has founded nothing, and the next first run says so.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.field import LineField
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.painted_text import PaintedText
from ui.widgets.passphrase_field import PassphraseField, Typed
from ui.widgets.qr import QrCode
from ui.windows.enrol import key_by_hand, matrix
from ui.windows.quiet_page import QuietPage
from vault.errors import RefusedError
from vault.secret import Secret
from vault.services.founding import Founding
from vault.services.views import Enrolment, Founder

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError

_LEAST_PASSPHRASE = 12  # `vault.crypto.passphrase` has the whole rule; this much can be said while typing
_LEAST_BADGE_IN_PASSPHRASE = 3
_FOUNDERS = ("administrator", "supervisor", "custodian")


class Step(enum.IntEnum):
    """Where the founding stands."""

    STATION = 0
    ADMINISTRATOR = 1
    SUPERVISOR = 2
    CUSTODIAN = 3
    MAKING = 4
    SCANNING = 5


@dataclass(slots=True)
class _Typed:
    """What one founder typed; the passphrase is overwritten once the vault is founded."""

    badge_no: str = ""
    name: str = ""
    passphrase: Secret = dataclasses.field(default_factory=lambda: Secret(b""))


class _Steps(QWidget):
    """The row of steps at the top: done, now, to come."""

    def __init__(self) -> None:
        super().__init__()
        self._now = Step.STATION
        self.setFixedHeight(18)

    def show_step(self, step: Step) -> None:
        self._now = step
        self.setAccessibleName(strings.text("founding.step", step=min(step, 4) + 1, of=5))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, count, gap = QPainter(self), 5, 6
        width = (self.width() - gap * (count - 1)) // count
        for index in range(count):
            reached = index <= min(self._now, 4)
            at = QRect(index * (width + gap), 7, width, 4)
            painting.panel(painter, at, Colour.ACCENT if reached else Colour.SURFACE_3, radius_px=2)
        painter.end()


class FoundingPage(QuietPage):
    """The first-run page. `founded` says that everybody has what they need to sign in."""

    founded = Signal()

    def __init__(self, bridge: Bridge, *, unfinished: bool = False) -> None:
        super().__init__("founding", width_px=520)
        self._bridge = bridge
        self._step = Step.STATION
        self._station_name = ""
        self._typed = {role: _Typed() for role in _FOUNDERS}
        self._enrolments: list[Enrolment] = []
        self._steps = _Steps()
        self._title = Label("", TypeSize.TITLE, Weight.STRONG, wrap=True)
        self._sentence = Label("", role=Colour.TEXT_QUIET, wrap=True)
        self._refusal = NoticeBar()
        self.station = LineField(strings.text("founding.station"), placeholder=strings.text("founding.station_example"), max_length=80)
        self.badge = LineField(strings.text("founding.badge"), digits=True, max_length=20)
        self.person_name = LineField(strings.text("founding.name"), max_length=120)
        self.passphrase = PassphraseField(strings.text("founding.passphrase"), hint=strings.text("founding.passphrase_rule"))
        self.again = PassphraseField(strings.text("founding.again"))
        self.back = Button(strings.text("founding.back"), ButtonKind.GHOST)
        self.onward = Button("", ButtonKind.PRIMARY, key_hint=strings.text("keys.enter"))
        self._qr = QrCode()
        self._secret = PaintedText(TypeSize.SMALL, mono=True)
        self._name_parts()
        self._build()
        self._show(Step.STATION)
        if unfinished:
            self._say_why(RefusedError("founding.unfinished"), Tone.ATTENTION)

    def _name_parts(self) -> None:
        for field, name in (
            (self.station, "station"),
            (self.badge, "badge"),
            (self.person_name, "name"),
            (self.passphrase, "passphrase"),
            (self.again, "again"),
        ):
            field.control.setObjectName(f"founding_{name}")
            field.submitted.connect(self._next_field)
        self.back.setObjectName("founding_back")
        self.onward.setObjectName("founding_onward")
        self.back.clicked.connect(self._go_back)
        self.onward.clicked.connect(self._go_on)

    def _build(self) -> None:
        self._person_fields = (self.badge, self.person_name, self.passphrase, self.again)
        scan = QWidget()
        side = QHBoxLayout(scan)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(24)
        side.addWidget(self._qr, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(8)
        for line in ("founding.scan_1", "founding.scan_2", "founding.scan_3"):
            words.addWidget(Label(strings.text(line), wrap=True))
        words.addWidget(Label(strings.text("enrol.by_hand"), TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True))
        words.addWidget(self._secret)
        words.addStretch(1)
        side.addLayout(words, 1)
        self._scan = scan
        for part in (self._steps, self._title, self._sentence, self._refusal, self.station, *self._person_fields, scan):
            self.column.addWidget(part)
        verbs = QHBoxLayout()
        verbs.addWidget(self.back)
        verbs.addStretch(1)
        verbs.addWidget(self.onward)
        self.column.addSpacing(4)
        self.column.addLayout(verbs)

    # -- steps -----------------------------------------------------------------------------------------------------------------------

    def _show(self, step: Step) -> None:
        self._step = step
        self._steps.show_step(step)
        founder = Step.ADMINISTRATOR <= step <= Step.CUSTODIAN
        self.station.setVisible(step is Step.STATION)
        for field in self._person_fields:
            field.setVisible(founder)
            field.set_error("")
        self._scan.setVisible(step is Step.SCANNING)
        self.back.setVisible(founder)
        self.onward.setVisible(step is not Step.MAKING)
        self.onward.set_words(
            strings.text({Step.CUSTODIAN: "founding.found", Step.SCANNING: "founding.scanned"}.get(step, "founding.onward"))
        )
        if founder:
            role = _FOUNDERS[step - 1]
            self._say(f"founding.{role}_title", f"founding.{role}_sentence")
            self.badge.set_value(self._typed[role].badge_no)
            self.person_name.set_value(self._typed[role].name)
            self.passphrase.clear()
            self.again.clear()
            self._begin_at(self.badge)
        elif step is Step.STATION:
            self._say("founding.title", "founding.sentence")
            self._begin_at(self.station)
        elif step is Step.MAKING:
            self._say("founding.making_title", "founding.making_sentence")

    def _begin_at(self, first: QWidget, around_px: int = 24) -> None:
        """Put the keyboard where this step begins, and have Tab come around to it: another step's is hidden."""
        self.setFocusProxy(first)
        self.put_focus(first, around_px)

    def _say(self, title: str, sentence: str) -> None:
        self._title.setText(strings.text(title))
        self._sentence.setText(strings.text(sentence))

    def _go_back(self) -> None:
        self._refusal.hide()
        self._show(Step(self._step - 1))

    def _next_field(self) -> None:
        """Enter moves on, and from the last field takes the step."""
        shown = [self.station] if self._step is Step.STATION else list(self._person_fields)
        focused = [index for index, field in enumerate(shown) if field.control.hasFocus()]
        if focused and focused[0] < len(shown) - 1:
            self.put_focus(shown[focused[0] + 1])
        else:
            self._go_on()

    def _go_on(self) -> None:
        if self._step is Step.STATION:
            self._station_name = self.station.value()
            self.station.set_error("" if self._station_name else strings.text("founding.station_missing"))
            if self._station_name:
                self._show(Step.ADMINISTRATOR)
        elif self._step is Step.SCANNING:
            self._scanned()
        elif self._keep_founder():
            self._refusal.hide()
            if self._step is Step.CUSTODIAN:
                self._found()
            else:
                self._show(Step(self._step + 1))

    def _keep_founder(self) -> bool:
        """Take what was typed if nothing is wrong with it; otherwise say what, beside its field."""
        role = _FOUNDERS[self._step - 1]
        badge, name, passphrase = self.badge.value(), self.person_name.value(), self.passphrase.typed
        others = {typed.badge_no.casefold() for other, typed in self._typed.items() if other != role and typed.badge_no}
        wrong = {
            self.badge: "badge_missing" if not badge else "badge_taken" if badge.casefold() in others else "",
            self.person_name: "" if name else "name_missing",
            self.passphrase: _passphrase_fault(passphrase, badge),
            self.again: "" if self.again.typed.same_as(passphrase) else "again_differs",
        }
        for part, fault in wrong.items():
            part.set_error(strings.text(f"founding.{fault}") if fault else "")
        first = next((part for part, fault in wrong.items() if fault), None)
        if first is not None:
            self.put_focus(first)
            return False
        self._typed[role].passphrase.wipe()  # one that was typed before
        self._typed[role] = _Typed(badge, name, self.passphrase.value())
        return True

    # -- the vault -------------------------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        self._show(Step.MAKING)
        founders = [Founder(typed.badge_no, typed.name, typed.passphrase) for typed in self._typed.values()]
        self._bridge.ask(Founding.found, self._station_name, *founders).then(self._enrolled, self._refused).owner(self)

    def _enrolled(self, enrolments: tuple[Enrolment, ...]) -> None:
        for typed in self._typed.values():
            typed.passphrase.wipe()
        self._typed = {role: _Typed() for role in _FOUNDERS}
        self.passphrase.clear()
        self.again.clear()
        self._enrolments = list(enrolments)
        self._show(Step.SCANNING)
        self._show_enrolment()

    def _refused(self, error: VaultError) -> None:
        at_fault = [index for index, typed in enumerate(self._typed.values()) if typed.badge_no == error.facts.get("badge_no")]
        self._show(Step(at_fault[0] + 1) if at_fault else Step.ADMINISTRATOR)
        self._say_why(error)

    def _say_why(self, error: VaultError, tone: Tone = Tone.BREACH) -> None:
        told = messages.explain(error)
        self._refusal.show_notice(told.title, f"{told.sentence} {told.next_step}".strip(), tone=tone, icon=IconName.WARNING)

    def _show_enrolment(self) -> None:
        enrolment = self._enrolments[0]
        self._title.setText(strings.text("founding.scan_title", name=enrolment.name, badge=enrolment.badge_no))
        self._sentence.setText(strings.text("founding.scan_sentence"))
        self._qr.show_matrix(matrix(enrolment.qr_rows))
        self._secret.show_text(key_by_hand(enrolment.provisioning_uri))
        self.settle()  # the verb is brought into view where it will be; on a small screen the whole code and its owner's name with it
        self._begin_at(self.onward, around_px=4)

    def _scanned(self) -> None:
        self._enrolments.pop(0)
        if self._enrolments:
            self._show_enrolment()
            return
        self._qr.clear()
        self._secret.show_text("")
        self._show(Step.MAKING)
        self._bridge.ask(Founding.complete).then(lambda _done: self.founded.emit(), self._refused).owner(self)


def _passphrase_fault(passphrase: Typed, badge_no: str) -> str:
    if len(passphrase) < _LEAST_PASSPHRASE:
        return "passphrase_short"
    if len(badge_no) >= _LEAST_BADGE_IN_PASSPHRASE and passphrase.contains(badge_no):
        return "passphrase_badge"
    return ""
