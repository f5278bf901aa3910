"""A breach report as a supervisor reads it: one sentence first, then the timeline, then the evidence.

Rules of this module:

- Everything that may name a case or a document is painted. Headings and labels are the interface's words.
- Showing the same report again changes nothing on screen; showing a newer state of it keeps the place that was scrolled to.
- A report on the reader is never shown: its place says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.chip import Chip
from ui.widgets.inspector import clear_layout
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.scroll_column import ReadColumn
from ui.windows import breach_words
from ui.windows.flow import FlowLayout
from ui.windows.naming import who
from vault.domain.place import PLACE_FACTS
from vault.services.views import ReportFact, ReportView

_LABEL_PX = 112
_SIGNALS_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline: when, what, and a person's own words below it."""

    at_us: int
    title: str
    words: str = ""


def timeline(view: ReportView) -> list[Moment]:
    """Put what was noticed and what people did in the order it happened."""
    moments = [
        Moment(fact.at_us, strings.text("breaches.timeline.noticed", kind=strings.text(f"breaches.kind.{fact.kind.value}")))
        for fact in view.facts
    ]
    if view.acknowledged_us:
        moments.append(Moment(view.acknowledged_us, strings.text("breaches.timeline.acknowledged")))
    for note in view.notes:
        key = note.kind if note.kind in {"note", "rationale", "account"} else "note"
        moments.append(Moment(note.at_us, strings.text(f"breaches.timeline.{key}", who=who(note.author)), note.text))
    if view.disposed_us and view.finding is not None:
        finding = strings.text(f"breaches.finding.{view.finding.value}")
        moments.append(Moment(view.disposed_us, strings.text("breaches.timeline.disposed", finding=finding)))
    return sorted(moments, key=lambda moment: moment.at_us)


def evidence(view: ReportView) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give the evidence as blocks of (heading, rows): the report as a whole, each signal, the latest first, then where it happened."""
    line = view.line
    whole = [
        ("severity", breach_words.severity_mark(line.severity)[0]),
        ("officer", who(line.officer, strings.text("breaches.nobody"))),
        ("workstation", line.workstation_name),
        ("first", strings.local_time_full(line.first_us)),
    ]
    if line.count > 1:
        whole.append(("last", strings.local_time_full(line.last_us)))
    whole.append(("detection", strings.text("breaches.detection_ms", ms=strings.number(view.detection_ms))))
    blocks = [("", [(strings.text(f"breaches.evidence.{key}"), value) for key, value in whole])]
    for fact in reversed(view.facts[-_SIGNALS_SHOWN:]):
        heading = f"{strings.text(f'breaches.kind.{fact.kind.value}')} · {strings.local_time(fact.at_us)}"
        blocks.append((heading, _signal_rows(fact)))
    return blocks + _places(view.facts)  # of all signals: the place stands with the first


def _places(facts: Sequence[ReportFact]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where the workstation stood, the latest first; with the time where it was at several places."""
    told = [(fact, [breach_words.fact_row(name, value) for name, value in fact.facts if name in PLACE_FACTS]) for fact in facts]
    placed = [(fact, rows) for fact, rows in reversed(told) if rows]
    heading = strings.text("breaches.section_place")
    return [(f"{heading} · {strings.local_time(fact.at_us)}" if len(placed) > 1 else heading, rows) for fact, rows in placed]


def _signal_rows(fact: ReportFact) -> list[tuple[str, str]]:
    rows = [
        (strings.text("breaches.evidence.case"), fact.case_label),
        (strings.text("breaches.evidence.document"), fact.document_title),
        (strings.text("breaches.evidence.page"), strings.number(fact.page_no) if fact.page_no else ""),
        (
            strings.text("breaches.evidence.check_out"),
            strings.text("custody.check_out_no", no=fact.check_out_no) if fact.check_out_no else "",
        ),
        (strings.text("breaches.evidence.containment"), strings.text(f"breaches.containment.{fact.containment.value}")),
    ]
    rows += [breach_words.fact_row(name, value) for name, value in fact.facts if name not in PLACE_FACTS]
    return [(label, value) for label, value in rows if value]


class ReportPane(QWidget):
    """The report at the right of the queue. `verbs` is the row of its actions."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("breaches_report")
        self._shown: ReportView | None = None
        self._number = Label("", TypeSize.SMALL, role=Colour.TEXT_QUIET, mono=True)
        self._number.setObjectName("breaches_report_no")
        self._severity, self._state = Chip(""), Chip("")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._number)
        head.addStretch(1)
        head.addWidget(self._severity)
        head.addWidget(self._state)
        self._scroll = ReadColumn(strings.text("inspector.name"))
        self._scroll.setObjectName("breaches_report_scroll")
        self._scroll.column.setContentsMargins(20, 4, 20, 16)
        self._body = QWidget()
        self._content = QVBoxLayout(self._body)
        self.verbs = FlowLayout()
        self.verbs.setContentsMargins(20, 8, 20, 14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 14, 0, 0)
        column.setSpacing(6)
        head.setContentsMargins(20, 0, 20, 0)
        column.addLayout(head)
        column.addWidget(self._scroll, 1)
        column.addLayout(self.verbs)

    def shown_report(self) -> ReportView | None:
        """Give the report on screen."""
        return self._shown

    def show_report(self, view: ReportView, you_own: bool) -> None:
        """Show a report; the same one again changes nothing."""
        if view == self._shown:
            return
        newer = self._shown is not None and self._shown.line.breach_id == view.line.breach_id
        place = self._scroll.verticalScrollBar().value() if newer else 0
        self._shown = view
        line = view.line
        self._head(line.report_no, breach_words.severity_mark(line.severity), breach_words.state_mark(line.state))
        self._clear()
        sentence = PaintedText(TypeSize.TITLE, Weight.MEDIUM)
        sentence.show_text(breach_words.summary(view))
        self._content.addWidget(sentence)
        if why := breach_words.why_higher(view):
            self._content.addWidget(Label(why, wrap=True))
        owner = strings.text("breaches.owner_none")
        if you_own:
            owner = strings.text("breaches.owner_you")
        elif line.owner is not None:
            owner = strings.text("breaches.owner", who=who(line.owner))
        self._content.addWidget(Label(owner, role=Colour.TEXT_QUIET, wrap=True))
        if breach_words.presses(line):
            late = strings.text("breaches.waiting_age", span=strings.span(max(0, strings.now_us() - line.first_us) // 1_000_000))
            self._content.addWidget(Chip(late, Tone.BREACH, IconName.CLOCK), 0, Qt.AlignmentFlag.AlignLeft)
        self._section(strings.text("breaches.section_timeline"))
        for moment in timeline(view):
            self._moment(moment)
        self._section(strings.text("breaches.section_evidence"))
        for heading, rows in evidence(view):
            if heading:
                self._painted(heading, Weight.MEDIUM, above_px=6)
            for label, value in rows:
                self._row(Label(label, TypeSize.SMALL, role=Colour.TEXT_QUIET, wrap=True), value)
        self._present()
        # The column is laid out later; its place can be taken only then.
        QTimer.singleShot(0, self._scroll, lambda: self._scroll.verticalScrollBar().setValue(place))

    def show_locked(self, report_no: str) -> None:
        """Say that this report is on the reader."""
        self._shown = None
        locked = (strings.text("breaches.on_you"), Tone.PLAIN, IconName.LOCK)
        self._head(report_no, None, locked)
        self._clear()
        self._content.addWidget(Label(strings.text("breaches.locked_title"), TypeSize.TITLE, Weight.STRONG, wrap=True))
        self._content.addWidget(Label(strings.text("breaches.locked_sentence"), wrap=True))
        self._present()

    def show_waiting(self, report_no: str) -> None:
        """Say that the report was asked for."""
        self._shown = None
        self._head(report_no, None, None)
        self._clear()
        self._content.addWidget(Label(strings.text("breaches.loading"), role=Colour.TEXT_QUIET))
        self._present()

    def _head(self, report_no: str, *marks: tuple[str, Tone, IconName] | None) -> None:
        self._number.setText(report_no)
        for chip, mark in zip((self._severity, self._state), marks, strict=True):
            chip.setVisible(mark is not None)
            if mark is not None:
                chip.show_fact(*mark)

    def _clear(self) -> None:
        """Begin anew. `_present` puts it on screen as one piece: one by one, the column would measure things before they show."""
        clear_layout(self._scroll.column)
        self._body = QWidget()
        self._content = QVBoxLayout(self._body)
        self._content.setContentsMargins(0, 0, 0, 0)
        self._content.setSpacing(8)

    def _present(self) -> None:
        self._content.addStretch(1)
        self._scroll.present(self._body)

    def _section(self, words: str) -> None:
        heading = Label(words, TypeSize.SMALL, Weight.STRONG, Colour.TEXT_QUIET)
        heading.setContentsMargins(0, 14, 0, 0)
        self._content.addWidget(heading)

    def _moment(self, moment: Moment) -> None:
        at = Label(strings.local_time(moment.at_us), TypeSize.SMALL, role=Colour.TEXT_QUIET, tabular=True)
        at.setToolTip(strings.local_time_full(moment.at_us))
        self._row(at, moment.title, Weight.MEDIUM if moment.words else Weight.REGULAR)
        if moment.words:
            self._row(QLabel(), moment.words)

    def _painted(self, words: str, weight: Weight, above_px: int = 0) -> None:
        text = PaintedText(weight=weight)
        text.show_text(words)
        self._content.addSpacing(above_px)
        self._content.addWidget(text)

    def _row(self, label: QLabel, value: str, weight: Weight = Weight.REGULAR) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        label.setFixedWidth(_LABEL_PX)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        text = PaintedText(weight=weight, tabular=True)
        text.show_text(value)
        row.addWidget(text, 1)
        self._content.addLayout(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Scroll the report with the arrow and page keys."""
        bar = self._scroll.verticalScrollBar()
        steps = {
            Qt.Key.Key_Down: 40,
            Qt.Key.Key_Up: -40,
            Qt.Key.Key_PageDown: self._scroll.height() - 40,
            Qt.Key.Key_PageUp: 40 - self._scroll.height(),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        bar.setValue(bar.value() + step)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the card the report lies on."""
        painter = QPainter(self)
        painting.panel(painter, self.rect(), Colour.SURFACE_1, Colour.DIVIDER)
        painter.end()
