"""The state of the audit chain as one line, with the verb that verifies it.

Rules of this module:

- Green only for what was proven in this session; not verified is plain, not green. A chain that does not hold is red, named and never
  taken away by anything but another verification.
- While it is verified, how far that is and for how long it goes on; it can be stopped. Stopped, the last verdict stands.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button
from ui.widgets.label import Label
from ui.windows.audit_words import chain_sentence
from vault.services.views import ChainLine

_BEAT_MS = 60
_BAR_PX = 3
_PAD_PX = 14


class ChainBar(QWidget):
    """One line. `verify_pressed` asks for a verification, `stop_pressed` to stop it, `show_bad` for the first bad entry."""

    verify_pressed = Signal()
    stop_pressed = Signal()
    show_bad = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("audit_chain")
        self._chain: ChainLine | None = None
        self._tone, self._icon = Tone.PLAIN, IconName.INFO
        self._beats = 0
        self._entries = self._of = 0
        self._words = Label("", weight=Weight.MEDIUM, wrap=True, tabular=True)
        self._words.setObjectName("audit_chain_words")
        self._bad = Button("")
        self._bad.setObjectName("audit_show_bad")
        self._bad.clicked.connect(lambda: self.show_bad.emit(self._chain.bad_seq if self._chain is not None else 0))
        self.verify = Button(strings.text("audit.verify"), key_hint="V")
        self.verify.setObjectName("audit_verify")
        self.verify.clicked.connect(lambda _checked: self.verify_pressed.emit())
        self._stop = Button(strings.text("audit.stop_verifying"), key_hint="Ctrl+.")
        self._stop.setObjectName("audit_stop_verifying")
        self._stop.clicked.connect(lambda _checked: self.stop_pressed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(_PAD_PX + painting.ICON_PX + 8, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        row.addWidget(self._bad)
        row.addWidget(self._stop)
        row.addWidget(self.verify)
        self._beat = QTimer(self, interval=_BEAT_MS)
        self._beat.timeout.connect(self._beaten)
        self.show_chain(None)

    def chain(self) -> ChainLine | None:
        """Give the last verdict."""
        return self._chain

    def show_chain(self, chain: ChainLine | None) -> None:
        """Show a verdict; None: not verified yet."""
        self._beat.stop()
        self._stop.hide()
        self._chain = chain
        self.verify.setEnabled(True)
        self._tone, self._icon = Tone.PLAIN, IconName.INFO
        if chain is not None:
            self._tone, self._icon = (Tone.PROVEN, IconName.DONE) if chain.holds else (Tone.BREACH, IconName.WARNING)
        words = chain_sentence(chain)
        if chain is not None and chain.holds:
            words = f"{words} · {strings.text('audit.chain_checkpoints', count=chain.checkpoints)}"
            words = f"{words} · {strings.text('audit.chain_signatures', count=chain.signatures)}"
            if chain.sealed_statements:
                words = f"{words} · {strings.text('audit.chain_sealed', count=chain.sealed_statements)}"
        self._say(words)
        bad = chain.bad_seq if chain is not None and not chain.holds else 0
        self._bad.set_words(strings.text("audit.show_bad", seq=strings.number(bad)))
        self._bad.setVisible(bool(bad))

    def show_verifying(self) -> None:
        """Show that the chain is being verified now."""
        self.verify.setEnabled(False)
        self._bad.hide()
        self._stop.show()
        self._tone, self._icon, self._beats = Tone.ACCENT, IconName.CLOCK, 0
        self._entries = self._of = 0
        self._say(strings.text("audit.verifying"))
        self._beat.start()

    @property
    def is_verifying(self) -> bool:
        """Whether a verification is being shown."""
        return self._beat.isActive()

    def show_moved(self, entries: int, of: int) -> None:
        """Show how far the verification is."""
        if self.is_verifying:
            self._entries, self._of = entries, of
            self._tell_progress()
            self.update()

    def _tell_progress(self) -> None:
        words = [strings.text("audit.verifying")]
        if self._entries:
            words.append(strings.text("audit.verifying_of", done=strings.number(self._entries), all=strings.number(self._of)))
        if seconds := self._beats * _BEAT_MS // 1000:
            words.append(strings.span(seconds))
        self._words.setText(" · ".join(words))

    def _say(self, words: str) -> None:
        self._words.setText(words)
        self._words.set_role(Colour.TEXT if self._tone is Tone.PLAIN else theme.ink(self._tone))
        self.update()

    def _beaten(self) -> None:
        self._beats += 1
        if self._beats * _BEAT_MS % 1000 < _BEAT_MS:
            self._tell_progress()
        if theme.motion_ms():
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground, the icon and, while verifying, the bar: running until it is known how far."""
        painter = QPainter(self)
        painting.panel(painter, self.rect(), theme.ground(self._tone) if self._tone is not Tone.PLAIN else Colour.SURFACE_2)
        at = QRect(_PAD_PX, (self.height() - painting.ICON_PX) // 2, painting.ICON_PX, painting.ICON_PX)
        paint_icon(painter, at, self._icon, theme.colour(theme.ink(self._tone)))
        if self._beat.isActive() and self._entries:
            done = QRect(0, self.height() - _BAR_PX, self.width() * self._entries // max(1, self._of), _BAR_PX)
            painter.fillRect(done, theme.colour(Colour.ACCENT_TEXT))
        elif self._beat.isActive():
            share = self.width() // 5
            left = (self._beats * 14) % (self.width() + share) - share if theme.motion_ms() else 0
            width = share if theme.motion_ms() else self.width()
            painter.fillRect(
                QRect(left, self.height() - _BAR_PX, width, _BAR_PX).intersected(self.rect()), theme.colour(Colour.ACCENT_TEXT)
            )
        painter.end()
