"""A check-out as a strip, after the flight strips of a control tower: who holds what, since when, until when, where.

Rules of this module:

- Number and title are case content: painted. The accessible name says state and workstation only.
- State is at the left edge, as bar, icon and word. Overdue first is the owner's ordering (`overdue_first`).
- R recalls, F forces the return; both only ask: the owner opens the sheet that names the harm.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind

_HEIGHT_PX = 60
_SOON_US = 30 * 60 * 1_000_000
_NARROW_PX = 620
_MINUTE_MS = 60_000


class StripState(enum.Enum):
    """What the strip's edge says."""

    HELD = "held"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    RECALLED = "recalled"


_LOOK = {
    StripState.HELD: (Tone.PLAIN, IconName.CLOCK),
    StripState.DUE_SOON: (Tone.ATTENTION, IconName.CLOCK),
    StripState.OVERDUE: (Tone.BREACH, IconName.WARNING),
    StripState.RECALLED: (Tone.ATTENTION, IconName.RECALL),
}


@dataclass(frozen=True, slots=True)
class Strip:
    """One check-out. `key` names it to the owner; times in UTC microseconds; `waiting` counts who waits for the file."""

    key: str
    case_number: str
    title: str
    holder_name: str
    holder_badge_no: str
    holder_unit: str
    since_us: int
    due_us: int
    workstation: str
    recalled: bool = False
    waiting: int = 0

    def state(self, now_us: int) -> StripState:
        """Give the state at a moment."""
        if self.due_us < now_us:
            return StripState.OVERDUE
        if self.recalled:
            return StripState.RECALLED
        return StripState.DUE_SOON if self.due_us - now_us < _SOON_US else StripState.HELD


def overdue_first(strips: Sequence[Strip], now_us: int) -> list[Strip]:
    """Order strips: overdue, recalled, due soon, held; each by what is due first."""
    order = (StripState.OVERDUE, StripState.RECALLED, StripState.DUE_SOON, StripState.HELD)
    return sorted(strips, key=lambda strip: (order.index(strip.state(now_us)), strip.due_us))


class CaseStrip(QWidget):
    """One strip. With `verbs` it offers recall and forced return."""

    recall_requested = Signal(str)
    return_requested = Signal(str)
    activated = Signal(str)

    def __init__(self, strip: Strip, *, verbs: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = strip
        self._verbs_offered = verbs
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(_HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._recall = Button(strings.text("strip.recall"), ButtonKind.GHOST, key_hint="R")
        self._return = Button(strings.text("strip.force_return"), ButtonKind.GHOST, key_hint="F")
        self._recall.clicked.connect(lambda: self.recall_requested.emit(self.strip.key))
        self._return.clicked.connect(lambda: self.return_requested.emit(self.strip.key))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(0)
        row.addStretch(1)
        row.addWidget(self._recall)
        row.addWidget(self._return)
        self.show_strip(strip)

    def show_strip(self, strip: Strip) -> None:
        """Show another state of the check-out."""
        self.strip = strip
        state = strip.state(strings.now_us())
        self.setAccessibleName(strings.text("strip.name", state=strings.text(f"strip.state_{state.value}"), workstation=strip.workstation))
        self._recall.setVisible(self._verbs_offered and not strip.recalled)
        self._return.setVisible(self._verbs_offered)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As wide as given."""
        return QSize(560, _HEIGHT_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """R, F, Enter."""
        if self._verbs_offered and event.key() == Qt.Key.Key_R and not self.strip.recalled:
            self.recall_requested.emit(self.strip.key)
        elif self._verbs_offered and event.key() == Qt.Key.Key_F and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.return_requested.emit(self.strip.key)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.activated.emit(self.strip.key)
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Activate by pointing."""
        self.activated.emit(self.strip.key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu: nothing here can be copied."""
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """In narrow places the keys R and F do what the buttons do."""
        super().resizeEvent(event)
        wide = self.width() >= _NARROW_PX
        self._recall.setVisible(wide and self._verbs_offered and not self.strip.recalled)
        self._return.setVisible(wide and self._verbs_offered)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the strip: state | number and title | holder | due | workstation."""
        painter, now_us = QPainter(self), strings.now_us()
        tone, icon = _LOOK[self.strip.state(now_us)]
        at = self.rect().adjusted(0, 1, -1, -2)
        painting.panel(painter, at, Colour.SURFACE_1, Colour.DIVIDER)
        bar = Colour.EDGE if tone is Tone.PLAIN else theme.ink(tone)
        painting.panel(painter, QRect(at.left(), at.top(), 5, at.height()), bar, radius_px=2)
        verbs_px = 0
        if self._verbs_offered and self.width() >= _NARROW_PX:  # room for both, so that columns stand below each other
            verbs_px = self._recall.sizeHint().width() + self._return.sizeHint().width() + 8
        right = self.width() - 12 - verbs_px
        self._paint_facts(painter, at.left() + 17, right, tone, icon, now_us)
        if self.hasFocus():
            painting.focus_ring(painter, at)
        painter.end()

    def _paint_facts(self, painter: QPainter, left: int, right: int, tone: Tone, icon: IconName, now_us: int) -> None:
        strip, small, top, low = self.strip, theme.font(TypeSize.SMALL, tabular=True), 8, 31
        width = right - left
        due_width = min(230, width * 34 // 100)
        who_width = max(120, width * 27 // 100)
        what_width = max(120, width - due_width - who_width - 24)
        number = painting.line(
            painter, QRect(left, top, what_width, 20), strip.case_number, font=theme.font(weight=Weight.STRONG, tabular=True)
        )
        if strip.waiting:
            words = strings.text("strip.waiting", count=strip.waiting)
            at = QRect(left + number + 12, top, what_width - number - 12, 20)
            painting.mark(painter, at, IconName.WAIT, words, Colour.TEXT_QUIET, small)
        painting.line(painter, QRect(left, low, what_width, 20), strip.title)
        left += what_width + 12
        painting.line(painter, QRect(left, top, who_width, 20), strip.holder_name, font=theme.font(weight=Weight.MEDIUM))
        facts = strings.text("person.badge_and_unit", badge_no=strip.holder_badge_no, unit=strip.holder_unit)
        painting.line(painter, QRect(left, low, who_width, 20), facts, Colour.TEXT_QUIET, small)
        left += who_width + 12
        role = theme.ink(tone) if tone is not Tone.PLAIN else Colour.TEXT
        words = strings.duration_left(strip.due_us, now_us)
        painting.mark(painter, QRect(left, top, due_width, 20), icon, words, role, theme.font(weight=Weight.MEDIUM, tabular=True))
        since = strings.local_time(strip.since_us, now_us)
        key = "strip.recalled_at" if strip.recalled else "strip.since_at"
        state = strings.text(key, time=since, workstation=strip.workstation)
        painting.line(painter, QRect(left, low, due_width, 20), state, Colour.TEXT_QUIET, small)


class StripWall(QScrollArea):
    """Strips below each other. Up, Down, J, K move between them."""

    recall_requested = Signal(str)
    return_requested = Signal(str)
    activated = Signal(str)

    def __init__(self, *, verbs: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verbs = verbs
        self._inner = QWidget()
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(16, 8, 16, 16)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        self._strips: list[CaseStrip] = []
        self.setWidget(self._inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._ageing = QTimer(self)
        self._ageing.setInterval(_MINUTE_MS)
        self._ageing.timeout.connect(self._inner.update)

    def set_strips(self, strips: Sequence[Strip]) -> None:
        """Show these, in order. Strips are reused, so that a refresh keeps the focus on the same place."""
        while len(self._strips) > len(strips):
            old = self._strips.pop()
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        for shown, strip in zip(self._strips, strips, strict=False):
            shown.show_strip(strip)
        for strip in strips[len(self._strips) :]:
            made = CaseStrip(strip, verbs=self._verbs)
            made.recall_requested.connect(self.recall_requested)
            made.return_requested.connect(self.return_requested)
            made.activated.connect(self.activated)
            self._strips.append(made)
            self._column.insertWidget(len(self._strips) - 1, made)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Move between strips."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1}.get(Qt.Key(event.key()))
        here = next((i for i, strip in enumerate(self._strips) if strip.hasFocus() or strip.isAncestorOf(self.focusWidget() or self)), None)
        if step is None or here is None:
            super().keyPressEvent(event)
            return
        target = self._strips[max(0, min(len(self._strips) - 1, here + step))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self.ensureWidgetVisible(target, 0, 8)

    def event(self, event: QEvent) -> bool:
        """Keep ages true while shown only."""
        if event.type() is QEvent.Type.Show:
            self._ageing.start()
        elif event.type() is QEvent.Type.Hide:
            self._ageing.stop()
        return super().event(event)
