"""What floats above a window's content and takes the keyboard until it is dismissed: the ground of `sheet` and `palette`.

Rules of this module:

- Covers its host and follows its size. While open everything else in the host is disabled, so that no key or shortcut reaches it.
- Tab goes round inside. Esc dismisses. The focus goes back to where it was.
- One shadow level, for the card that floats.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from ui import theme
from ui.theme import Colour
from ui.widgets import painting

_SCRIM_ALPHA = 96
_SHADOW_STEPS = 8


class Overlay(QWidget):
    """A scrim over `host` with one card; subclasses fill `card` and place it in `card_rect`."""

    dismissed = Signal()

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.card = QWidget(self)
        self._focus_before: QWidget | None = None
        self._disabled: list[QWidget] = []
        self.hide()

    def open_over(self) -> None:
        """Cover the host and take the keyboard."""
        host = self.parentWidget()
        if self.isVisible() or host is None:
            return
        self._focus_before = QApplication.focusWidget()
        for child in host.children():
            if isinstance(child, QWidget) and child is not self and child.isEnabled() and not child.isWindow():
                self._disabled.append(child)
                child.setEnabled(False)
        host.installEventFilter(self)
        self.setGeometry(host.rect())
        self._place()
        self.show()
        self.raise_()
        self._place()  # once more: sizes are true only once the style has seen the widgets
        stops = self._focus_stops()
        (stops[0] if stops else self).setFocus(Qt.FocusReason.PopupFocusReason)

    def close_over(self) -> None:
        """Uncover the host and give the keyboard back. Emits nothing."""
        if not self.isVisible():
            return
        host = self.parentWidget()
        if host is not None:
            host.removeEventFilter(self)
        for child in self._disabled:
            if shiboken6.isValid(child):  # another overlay that closed meanwhile
                child.setEnabled(True)
        self._disabled.clear()
        before, self._focus_before = self._focus_before, None
        # Before hiding: a hidden overlay would keep the keyboard, because Tab stays inside it.
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        elif host is not None:
            host.setFocus(Qt.FocusReason.PopupFocusReason)
        self.hide()

    def dismiss(self) -> None:
        """Close without an answer, and say so."""
        self.close_over()
        self.dismissed.emit()

    def card_rect(self) -> QRect:
        """Give where the card stands, in this widget's coordinates. Subclasses choose."""
        raise NotImplementedError

    def _place(self) -> None:
        self.card.setGeometry(self.card_rect())
        self.update()

    def _focus_stops(self) -> list[QWidget]:
        found: list[QWidget] = []
        at: QWidget | None = self.nextInFocusChain()
        while at is not None and at is not self:
            # What hands the keyboard on, as the line inside a field of date and time does, would only send it back.
            tabbed = at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.focusProxy() is None
            if tabbed and at.isEnabled() and at.isVisibleTo(self) and self.isAncestorOf(at):
                found.append(at)
            at = at.nextInFocusChain()
        # Reading order is what is seen: what was put in later stands later only by chance.
        return sorted(found, key=lambda stop: _place_of(stop, self))

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 -- Qt's names
        """Keep Tab inside."""
        stops = self._focus_stops()
        if not stops:
            return True
        now = QApplication.focusWidget()
        index = stops.index(now) if now in stops else -1
        step = 1 if next else -1
        target = stops[(index + step) % len(stops)]
        target.setFocus(Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Esc dismisses; every other key stays here."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        event.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Follow the host's size."""
        host = self.parentWidget()
        if watched is host and host is not None and event.type() is QEvent.Type.Resize:
            self.setGeometry(host.rect())
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the scrim, the shadow and the card's ground."""
        painter = QPainter(self)
        scrim = QColor(theme.colour(Colour.SHADOW))
        scrim.setAlpha(_SCRIM_ALPHA)
        painter.fillRect(self.rect(), scrim)
        at = self.card.geometry()
        painter.setOpacity(0.035)
        for spread in range(_SHADOW_STEPS, 0, -1):
            painting.panel(painter, at.adjusted(-spread, 2 - spread, spread, spread + 4), Colour.SHADOW, radius_px=8 + spread)
        painter.setOpacity(1.0)
        painting.panel(painter, at, Colour.SURFACE_1, Colour.DIVIDER, radius_px=8)
        painter.end()


def _place_of(stop: QWidget, within: QWidget) -> tuple[int, int]:
    at = stop.mapTo(within, QPoint(0, 0))
    return at.y(), at.x()
