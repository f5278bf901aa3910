"""The strip at the bottom: what protects the files on this workstation right now, honestly.

Rules of this module:

- Three states, three shapes: ENFORCED ● DETECTED ◐ UNAVAILABLE ○. The word is in the popover and in the accessible name.
- A click explains in two sentences: what the protection does, and what it does not.
- When the chips do not fit they become one chip a state with its count; nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import PressedByEnter
from ui.widgets.chip import Chip
from ui.widgets.label import Label
from ui.widgets.scroll_column import ReadColumn
from vault.domain.protection import ProtectionState

_HEIGHT_PX = 36
_POPOVER_PX = 380


@dataclass(frozen=True, slots=True)
class ShownProtection:
    """One protection. `does` and `limit` are the two sentences: what it does, what it does not."""

    key: str
    name: str
    state: ProtectionState
    does: str
    limit: str


_LOOK = {
    ProtectionState.ENFORCED: (IconName.SHIELD_ENFORCED, Tone.PROVEN),
    ProtectionState.DETECTED: (IconName.SHIELD_DETECTED, Tone.PLAIN),
    ProtectionState.UNAVAILABLE: (IconName.SHIELD_UNAVAILABLE, Tone.ATTENTION),
}


def _state_word(state: ProtectionState) -> str:
    return strings.text(f"protection.state_{state.value}")


class _ProtectionChip(PressedByEnter):
    def __init__(self, words: str, protections: Sequence[ShownProtection]) -> None:
        super().__init__()
        self._words = words
        self.protections = tuple(protections)
        self._icon, self._tone = _LOOK[self.protections[0].state]
        self.setAccessibleName(f"{words}: {_state_word(self.protections[0].state)}")
        # The popover is not in Qt's accessible tree: what it explains is said here, a line a protection.
        self.setAccessibleDescription("\n".join(f"{one.name}: {one.does} {one.limit}" for one in self.protections))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(painting.mark_width(self._words, theme.font(TypeSize.SMALL, Weight.MEDIUM), self._icon) + 18, theme.shape().hit_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        if self.underMouse() or self.isDown():
            painting.panel(painter, self.rect(), Colour.SURFACE_3)
        role = theme.ink(self._tone) if self.isEnabled() else Colour.TEXT_DISABLED
        painting.mark(painter, self.rect().adjusted(8, 0, -8, 0), self._icon, self._words, role, theme.font(TypeSize.SMALL, Weight.MEDIUM))
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()


class _Popover(QFrame):
    """Explains one protection, or all of one state."""

    def __init__(self, protections: Sequence[ShownProtection], owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        scroll = ReadColumn(strings.text("protection.strip"))
        column = scroll.column
        column.setContentsMargins(16, 12, 16, 14)
        column.setSpacing(6)
        for index, protection in enumerate(protections):
            icon, tone = _LOOK[protection.state]
            head = QHBoxLayout()
            head.addWidget(Label(protection.name, weight=Weight.STRONG, wrap=True), 1)
            head.addWidget(Chip(_state_word(protection.state), tone, icon))
            if index:
                column.addSpacing(10)
            column.addLayout(head)
            column.addWidget(Label(protection.does, wrap=True))
            column.addWidget(Label(protection.limit, role=Colour.TEXT_QUIET, wrap=True))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scroll)
        self.setFocusProxy(scroll)
        window = owner.window()
        width = min(_POPOVER_PX, window.width() - 16)
        self.resize(width, min(scroll.height_at(width - 2) + 2, window.height() - _HEIGHT_PX - 16))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.EDGE))
        painter.fillRect(self.rect().adjusted(1, 1, -1, -1), theme.colour(Colour.SURFACE_1))
        painter.end()


class ProtectionStrip(QWidget):
    """Chips at the left; trust, premises and lease at the right. `explained` carries the key of the protection that was asked about."""

    explained = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._protections: tuple[ShownProtection, ...] = ()
        self._grouped: bool | None = None
        self.setFixedHeight(_HEIGHT_PX)
        self.setAccessibleName(strings.text("protection.strip"))
        self._chips = QHBoxLayout()
        self._chips.setSpacing(2)
        self._accommodation = Label("", TypeSize.SMALL, Weight.MEDIUM, role=theme.ink(Tone.ATTENTION))
        self._accommodation.setObjectName("strip_accommodation")
        self._trust = Label("", TypeSize.SMALL, role=Colour.TEXT_QUIET)
        self._trust.setObjectName("strip_trust")
        self._premises = Label("", TypeSize.SMALL, role=Colour.TEXT_QUIET)
        self._lease = Label("", TypeSize.SMALL, Weight.MEDIUM, role=Colour.TEXT_QUIET, tabular=True)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 0, 12, 0)
        self._row.setSpacing(12)
        self._row.addLayout(self._chips)
        self._row.addStretch(1)
        self._row.addWidget(self._accommodation)
        self._row.addWidget(self._trust)
        self._row.addWidget(self._premises)
        self._row.addWidget(self._lease)

    def set_protections(self, protections: Sequence[ShownProtection]) -> None:
        """Show these, in order; unchanged ones cost nothing."""
        if tuple(protections) != self._protections:
            self._protections = tuple(protections)
            self._grouped = None
            self._arrange()

    def set_trust(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Say how far this workstation can be trusted to have the protections it had."""
        self._trust.setText(words)
        self._trust.set_role(theme.ink(tone))
        self._arrange()

    def set_accommodation(self, words: str) -> None:
        """Say that page text leaves the picture in this session; empty when it does not."""
        self._accommodation.setText(words)
        self._arrange()

    def set_premises(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Say where this workstation stands."""
        self._premises.setText(words)
        self._premises.set_role(theme.ink(tone))
        self._arrange()

    def set_lease(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Say how long what is held may still be held; empty when nothing is."""
        self._lease.setText(words)
        self._lease.set_role(theme.ink(tone))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose between one chip a protection and one a state."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        single = [(protection.name, (protection,)) for protection in self._protections]
        face = theme.font(TypeSize.SMALL, Weight.MEDIUM)
        wanted = sum(painting.mark_width(words, face, IconName.SHIELD_ENFORCED) + 20 for words, _ in single)
        right = sum(one.sizeHint().width() for one in (self._accommodation, self._trust, self._premises, self._lease)) + 80
        grouped = wanted + right > self.width()
        if grouped == self._grouped:
            return
        self._grouped = grouped
        by_state = [(state, tuple(p for p in self._protections if p.state is state)) for state in ProtectionState]
        groups = [(strings.text(f"protection.count_{s.value}", n=len(held)), held) for s, held in by_state if held]
        while (item := self._chips.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for words, held in groups if grouped else single:
            chip = _ProtectionChip(words, held)
            chip.clicked.connect(lambda _on=False, asked=chip: self._explain(asked))
            self._chips.addWidget(chip)

    def _explain(self, chip: _ProtectionChip) -> None:
        popover = _Popover(chip.protections, self)
        at = chip.mapToGlobal(QPoint(0, -popover.height() - 4))
        screen = chip.screen().availableGeometry() if chip.screen() else QRect(0, 0, 4096, 4096)
        at.setX(max(screen.left() + 4, min(at.x(), screen.right() - popover.width() - 4)))
        popover.move(at)
        popover.show()
        popover.setFocus(Qt.FocusReason.PopupFocusReason)
        for protection in chip.protections:
            self.explained.emit(protection.key)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground and the line to the content."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_2))
        painter.fillRect(QRect(0, 0, self.width(), 1), theme.colour(Colour.DIVIDER))
        painter.end()
