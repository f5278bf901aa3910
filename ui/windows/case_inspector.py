"""What is known of the selected case: where it is, its documents, who held it, who may see it, and why I can.

Rules:

- Asked for only while it can be seen, and only for the case that is still selected when the answer comes.
- Fills the frame's inspector; the verbs stand below and stay in view.
- An explanation for a number that is not granted reads the same whether or not such a case exists: the vault sees to it, this page adds no
  word of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.inspector import Fact, Section, clear_layout
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.sheet import Sheet
from ui.windows import case_words
from ui.windows.check_out import purpose_words
from ui.windows.naming import isolated, who
from vault.domain.access import Effect
from vault.services.desk import Desk
from vault.services.views import CaseDetail, CaseLine, CaseStatus, CustodyLine, Explanation, ExplanationLine, GrantLine

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from ui.widgets.frame import Frame
    from vault.errors import VaultError

_SETTLE_MS = 90
_HISTORY_SHOWN = 6
_TITLE_LONG = 80  # characters; the inspector's heading elides what is longer than its four lines


class CaseInspector(QObject):
    """Fills the inspector of a frame. `opened` is its first verb, with the CaseLine; `explained` asks why."""

    opened = Signal(object)
    explained = Signal(object)

    def __init__(self, page: QWidget, bridge: Bridge) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._frame: Frame | None = None
        self._line: CaseLine | None = None
        self._shown_for = ""
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._ask)

    def take(self, frame: Frame) -> None:
        """Take the frame's inspector: the page is on screen."""
        self._frame = frame
        frame.offer_inspector(offered=True)
        frame.inspector.installEventFilter(self)
        clear_layout(frame.inspector.verbs)
        self._shown_for = ""
        self.show_line(self._line)

    def leave(self) -> None:
        """Give the inspector back, empty."""
        if self._frame is not None:
            self._frame.offer_inspector(offered=False)
            self._frame.inspector.removeEventFilter(self)
            self._frame.inspector.show_facts("", ())
            clear_layout(self._frame.inspector.verbs)
        self._frame = None

    def show_line(self, line: CaseLine | None) -> None:
        """Follow the selection."""
        self._line = line
        self._settle.start()

    def refresh(self) -> None:
        """Ask again about the same case."""
        self._shown_for = ""
        self._settle.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802 -- Qt's name
        """Ask when the inspector comes into view."""
        if event.type() is QEvent.Type.Show:
            self._settle.start()
        return False

    def _ask(self) -> None:
        if self._frame is None or not self._frame.inspector.isVisible():
            return
        if self._line is None:
            self._frame.inspector.show_facts(strings.text("case.none_selected"), ())
            clear_layout(self._frame.inspector.verbs)
            self._shown_for = ""
        elif self._line.case_id != self._shown_for:
            self._shown_for = self._line.case_id
            self._bridge.ask(Desk.case, self._line.case_id).then(self._fill, self._not_shown).owner(self)

    def _fill(self, detail: CaseDetail) -> None:
        if self._frame is None or detail.line.case_id != self._shown_for:
            return
        self._frame.inspector.show_facts(isolated(detail.line.title), sections(detail))
        self._verbs(detail.line)

    def _not_shown(self, error: VaultError) -> None:
        if self._frame is not None:
            told = messages.explain(error)
            self._frame.inspector.show_facts(told.title, (Section("", (Fact("", f"{told.sentence} {told.next_step}".strip()),)),))
            clear_layout(self._frame.inspector.verbs)

    def _verbs(self, line: CaseLine) -> None:
        assert self._frame is not None
        verbs = self._frame.inspector.verbs
        clear_layout(verbs)
        words = {CaseStatus.YOURS: "case.continue", CaseStatus.IN_VAULT: "case.check_out"}.get(
            line.status, "case.leave" if line.you_wait else "case.wait"
        )
        kind = ButtonKind.SECONDARY if line.status is CaseStatus.OUT else ButtonKind.PRIMARY
        act = Button(strings.text(words), kind, key_hint=strings.text("keys.enter"))
        act.setObjectName("inspector_open")
        act.clicked.connect(lambda: self.opened.emit(line))
        why = Button(strings.text("case.why"), ButtonKind.GHOST, key_hint="Y")
        why.setObjectName("inspector_why")
        why.clicked.connect(lambda: self.explained.emit(line))
        verbs.addWidget(act, 0, Qt.AlignmentFlag.AlignLeft)
        verbs.addWidget(why, 0, Qt.AlignmentFlag.AlignLeft)


def sections(detail: CaseDetail) -> tuple[Section, ...]:
    """Put a case into the inspector's sections."""
    line = detail.line
    state = case_words.state_cell(line)
    long_title = [Fact(strings.text("case.title"), isolated(line.title))] if len(line.title) > _TITLE_LONG else []
    facts = [
        *long_title,
        Fact(strings.text("case.number"), line.rms_number, tabular=True),
        Fact(strings.text("case.state"), state.words, state.tone, state.icon),
        Fact(strings.text("case.type"), line.case_type),
        Fact(strings.text("case.marking"), case_words.marking(line.marking), case_words.marking_tone(line.marking)),
        Fact(strings.text("case.officer_in_charge"), who(line.officer_in_charge, strings.text("case.nobody"))),
        Fact(strings.text("case.unit"), isolated(line.unit_name)),
    ]
    if line.persons:
        facts.append(Fact(strings.text("case.persons"), ", ".join(isolated(name) for name in line.persons)))
    if line.tags:
        facts.append(Fact(strings.text("case.tags"), ", ".join(line.tags)))
    if detail.waiting:
        facts.append(Fact(strings.text("case.waiting"), ", ".join(who(person) for person in detail.waiting)))
    papers = tuple(Fact(strings.text("case.pages", count=one.page_count), isolated(one.title)) for one in detail.documents) or (
        Fact("", strings.text("case.no_documents")),
    )
    held = tuple(_held(one) for one in detail.custody[:_HISTORY_SHOWN]) or (Fact("", strings.text("case.never_out")),)
    return (
        Section("", tuple(facts)),
        Section(strings.text("case.documents", count=len(detail.documents)), papers),
        Section(strings.text("case.history"), held),
        Section(strings.text("case.grants"), tuple(_granted(one) for one in detail.grants)),
    )


def _held(one: CustodyLine) -> Fact:
    end = (
        strings.text(f"return_kind.{one.return_kind.value}", at=strings.local_time(one.returned_us))
        if one.return_kind
        else strings.text("case.out_now")
    )
    words = strings.text("case.held", who=who(one.holder), purpose=purpose_words(one.purpose), end=end)
    return Fact(strings.local_time(one.taken_us), words, Tone.ATTENTION if one.flagged else Tone.PLAIN, tabular=True)


def _granted(one: GrantLine) -> Fact:
    now = strings.now_us()
    ended = one.removed_us or (one.until_us and one.until_us <= now)
    verb = "case.denied" if one.effect is Effect.DENY else "case.granted"
    until = strings.text("case.until", at=strings.local_time(one.until_us)) if one.until_us else ""
    words = strings.text(
        verb, grantee=isolated(one.grantee_name), until=until, by=who(one.granted_by, strings.text("case.nobody")), reason=one.reason
    )
    label = "case.grant_ended" if ended else "case.grant_deny" if one.effect is Effect.DENY else "case.grant_allow"
    return Fact(strings.text(label), words, Tone.ATTENTION if one.effect is Effect.DENY and not ended else Tone.PLAIN)


def reason_sentence(line: ExplanationLine) -> str:
    """Put one weighed reason into a sentence."""
    return strings.text(
        f"explain.{line.code.removeprefix('access.')}",
        unit=isolated(line.unit_name),
        by=who(line.granted_by, strings.text("case.nobody")),
        since=strings.local_time(line.from_us) if line.from_us else "",
        until=strings.local_time(line.until_us) if line.until_us else strings.text("explain.no_end"),
    )


class ExplainSheet(Sheet):
    """Why can I, or can't I, see this? The decisive reason first, then what else was weighed."""

    def __init__(self, host: QWidget, explanation: Explanation) -> None:
        title = strings.text("explain.can" if explanation.allowed else "explain.cannot")
        super().__init__(host, title, strings.text("explain.close"), width_px=500)
        self.setObjectName("explain_sheet")
        self.secondary.hide()
        number = PaintedText(TypeSize.BODY, Weight.MEDIUM, Colour.TEXT_QUIET, tabular=True)
        number.show_text(strings.text("explain.about", number=explanation.rms_number, who=who(explanation.person)))
        self.body.addWidget(number)
        for line in explanation.lines:
            self.body.addWidget(_ReasonRow(line, allowed=explanation.allowed))
        if not explanation.allowed:
            self.body.addWidget(Label(strings.text("explain.next"), role=Colour.TEXT_QUIET, wrap=True))
        self.primary.setObjectName("explain_close")
        self.accepted.connect(self.dismiss)
        self.dismissed.connect(self.deleteLater)

    def open_over(self) -> None:
        """Show the sheet; Enter closes it."""
        super().open_over()
        self.primary.setFocus(Qt.FocusReason.PopupFocusReason)


class _ReasonRow(QWidget):
    """One reason: what decided, or what was weighed besides."""

    def __init__(self, line: ExplanationLine, *, allowed: bool) -> None:
        super().__init__()
        from ui.windows.quiet_page import Mark  # noqa: PLC0415 -- drawing only

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        icon, role = (IconName.GRANT, Colour.GREEN) if allowed else (IconName.DENY, Colour.AMBER)
        head = strings.text("explain.decisive" if line.decisive else "explain.weighed")
        column.addWidget(
            Mark(icon if line.decisive else IconName.INFO, head, role if line.decisive else Colour.TEXT_QUIET, weight=Weight.MEDIUM)
        )
        words = PaintedText()
        words.show_text(reason_sentence(line))
        column.addWidget(words)
