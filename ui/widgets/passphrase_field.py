"""The input of a passphrase, and the one place in the interface where what is typed into it is held.

Rules of this module:

- What is typed goes, key by key, into `Typed`: an array that is made once, never moves, and is overwritten. Qt's line holds a STAND_IN for
  each character, so neither its text nor its history, its accessible text or what it tells an input method has a word of it.
- It is shown only while the eye is held, painted letter by letter from the array; never predicted, learnt, dropped in or copied out.
- LIMIT: what is pasted, or committed by an input method as a whole word, arrives as a text of Qt's that cannot be overwritten. What is
  typed arrives one character at a time.
- LIMIT: while the eye is held, scripts whose letters join or run from right to left are shown letter by letter, from left to right.

Imported before the first paint: what a key needs is imported with the first key.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLineEdit

from ui import strings
from ui.icons import IconName
from ui.widgets.buttons import IconButton
from ui.widgets.early import set_properties
from ui.widgets.field import SENSITIVE_INPUT, Field

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from collections.abc import Callable, Iterator

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QContextMenuEvent, QInputMethodEvent, QKeyEvent, QMouseEvent, QPaintEvent

    from vault.secret import Secret

STAND_IN = "\u25cf"
MOST_CHARACTERS = 2_048
"""Twice what the vault takes: too long a passphrase is refused there with its reason, and never cut."""
_INSET_PX = 2  # QLineEdit's own, inside its contents
_CELL_BYTES = 4


class Typed:
    """Characters in an array that never moves; what leaves it is overwritten."""

    def __init__(self) -> None:
        self._cells = memoryview(bytearray(MOST_CHARACTERS * _CELL_BYTES)).cast("I")
        self._length = 0

    def __len__(self) -> int:
        """Give how many characters there are."""
        return self._length

    def __del__(self) -> None:
        """Overwrite what nobody did."""
        self.wipe()

    def splice(self, start: int, end: int, coming: str) -> None:
        """Put characters, one of them as a rule, where those from `start` up to `end` are now. The caller sees that there is room."""
        length = self._length - (end - start) + len(coming)
        after = start + len(coming)
        self._cells[after:length] = self._cells[end : self._length]  # moves within the array, without a copy
        for at, character in enumerate(coming, start):
            self._cells[at] = ord(character)
        for at in range(length, self._length):
            self._cells[at] = 0
        self._length = length

    def wipe(self) -> None:
        """Overwrite everything."""
        self.splice(0, self._length, "")

    def characters(self) -> Iterator[str]:
        """Give the characters, each for itself: never put them together."""
        return map(chr, self._cells[: self._length])

    def clusters(self) -> Iterator[str]:
        """Give the characters with the marks that stand on them, for painting."""
        import unicodedata  # noqa: PLC0415 -- after the first paint

        cluster = ""
        for character in self.characters():
            if cluster and not unicodedata.category(character).startswith("M"):
                yield cluster
                cluster = ""
            cluster += character
        if cluster:
            yield cluster

    def different(self) -> int:
        """Give how many different characters there are."""
        return len(set(self._cells[: self._length]))

    def contains(self, words: str) -> bool:
        """Say whether words occur in it, whatever their case."""
        wanted = words.casefold()
        return any(self._begins(at, wanted) for at in range(self._length))

    def same_as(self, other: Typed) -> bool:
        """Say whether the same was typed there."""
        return self._cells[: self._length] == other._cells[: other._length]

    def secret(self) -> Secret:
        """Give what was typed, in UTF-8. It is the caller's to wipe."""
        from vault.secret import Secret, wipe  # noqa: PLC0415 -- after the first paint

        size = sum(len(_utf8(character)) for character in self.characters())
        made, at = bytearray(size), 0
        for character in self.characters():
            for byte in _utf8(character):
                made[at] = byte
                at += 1
        try:
            return Secret(made)
        finally:
            wipe(made)

    def _begins(self, start: int, wanted: str) -> bool:
        met = 0
        for code in self._cells[start : self._length]:
            for folded in chr(code).casefold():
                if met == len(wanted) or folded != wanted[met]:
                    return met == len(wanted)
                met += 1
        return met == len(wanted)


class PassphraseLine(QLineEdit):
    """A line that holds stand-ins, and the characters apart from it in `typed`."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = Typed()
        self._expected: tuple[int, int, str] | None = None  # the edit Qt's line is making now: from, to, what comes
        self._shown = False
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setMaxLength(MOST_CHARACTERS)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        set_properties(self, contextMenuPolicy="PreventContextMenu", inputMethodHints="ImhHiddenText" + SENSITIVE_INPUT)
        self.textChanged.connect(self._follow)  # first of all: who listens to it asks `typed`
        self.destroyed.connect(self.typed.wipe)  # a sheet that is closed goes at once; its Python half when the collector comes

    def setText(self, words: str | None) -> None:  # noqa: N802 -- Qt's name
        """Take words as if they had been typed."""
        self.clear()
        self._insert(words or "")

    def show_words(self, shown: bool) -> None:
        """Paint the characters, or dots again."""
        self._shown = shown
        self.update()

    def shows_words(self) -> bool:
        """Say whether the characters can be read now."""
        return self._shown

    # -- what is typed -----------------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Have Qt's line act on the key, with a stand-in for what it types."""
        from PySide6.QtGui import QKeyEvent, QKeySequence  # noqa: PLC0415 -- with the first key, after the first paint

        keys = QKeySequence.StandardKey
        if event.matches(keys.Copy) or event.matches(keys.Cut):
            event.accept()
        elif event.matches(keys.Paste):
            self._paste("Clipboard")
            event.accept()
        elif coming := _typable(event.text()):
            standing_in = QKeyEvent(event.type(), event.key(), event.modifiers(), STAND_IN * len(coming))
            self._edit(*self._chosen(), coming, lambda: QLineEdit.keyPressEvent(self, standing_in))
            event.setAccepted(standing_in.isAccepted())
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:  # noqa: N802 -- Qt's name
        """Take what an input method commits; what it is still composing is dots as well."""
        from PySide6.QtGui import QInputMethodEvent  # noqa: PLC0415 -- with the first key, after the first paint

        coming, composing = _typable(event.commitString()), event.preeditString()
        if self.hasSelectedText() and (coming or composing or event.replacementLength()):
            self.backspace()
        at = self.cursorPosition()
        start = min(max(0, at + event.replacementStart()), len(self.typed))
        end = min(start + event.replacementLength(), len(self.typed))
        standing_in = QInputMethodEvent(STAND_IN * len(composing), [])
        standing_in.setCommitString(STAND_IN * len(coming), start - at, end - start)
        self._edit(start, end, coming, lambda: QLineEdit.inputMethodEvent(self, standing_in))
        event.setAccepted(standing_in.isAccepted())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Paste what is chosen elsewhere, as X11 has it; the rest is Qt's."""
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- after the first paint

        if event.button() is not Qt.MouseButton.MiddleButton:
            super().mouseReleaseEvent(event)
            return
        self.deselect()
        self._paste("Selection")
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """Show no menu: keys do what a person needs here."""
        event.accept()

    def _paste(self, mode: str) -> None:
        from PySide6.QtGui import QClipboard, QGuiApplication  # noqa: PLC0415 -- after the first paint

        self._insert(QGuiApplication.clipboard().text(QClipboard.Mode[mode]))

    def _insert(self, words: str) -> None:
        coming = _typable(words)
        self._edit(*self._chosen(), coming, lambda: self.insert(STAND_IN * len(coming)))

    def _chosen(self) -> tuple[int, int]:
        """Give from where to where a character goes that is typed now."""
        if self.hasSelectedText():
            return self.selectionStart(), self.selectionEnd()
        return self.cursorPosition(), self.cursorPosition()

    def _edit(self, start: int, end: int, coming: str, edit: Callable[[], None]) -> None:
        """Have Qt's line do with stand-ins what `_follow` does with the characters."""
        if len(self.typed) - (end - start) + len(coming) > MOST_CHARACTERS:
            return  # nothing is ever cut
        self._expected = (start, end, coming)
        try:
            edit()
        finally:
            self._expected = None

    def _follow(self, line: str) -> None:
        before, now = len(self.typed), len(line)
        start, end, coming = self._expected or (0, 0, "")
        if self._expected is not None and now == before - (end - start) + len(coming):
            self._expected = None
            self.typed.splice(start, end, coming)
        elif line.count(STAND_IN) < now:
            # Qt was given words past these functions: by an assistive tool, say. LIMIT: its copies of those are not ours to overwrite.
            kept, last = _stand_ins(line), _stand_ins(line[::-1])
            if kept + last <= before:
                self.typed.splice(kept, before - last, _typable(line[kept : now - last]))
        elif now < before:
            start = self.cursorPosition()  # where the gap has closed
            self.typed.splice(start, start + before - now, "")
        if line != STAND_IN * len(self.typed):
            super().setText(STAND_IN * len(self.typed))
        self.update()

    # -- what is shown -----------------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paint dots; while the eye is held, the characters, each for itself, so that no text of them is made."""
        if not self._shown:
            super().paintEvent(event)
            return
        from PySide6.QtCore import QPointF  # noqa: PLC0415 -- not before the first paint
        from PySide6.QtGui import QFontMetricsF, QPalette  # noqa: PLC0415
        from PySide6.QtWidgets import QStyle, QStyleOptionFrame  # noqa: PLC0415

        option = QStyleOptionFrame()
        self.initStyleOption(option)
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, option, painter, self)
        room = self.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, self).adjusted(_INSET_PX, 0, -_INSET_PX, 0)
        painter.setClipRect(room)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        metrics = QFontMetricsF(self.font())
        ends = list(accumulate(metrics.horizontalAdvance(one) for one in self.typed.clusters()))
        left = room.left() - max(0.0, (ends[-1] if ends else 0.0) - room.width())  # of too long a one the end, where typing goes on
        base = room.top() + (room.height() - metrics.height()) / 2 + metrics.ascent()
        for start, one in zip([0.0, *ends], self.typed.clusters(), strict=False):
            painter.drawText(QPointF(left + start, base), one)
        painter.end()


class PassphraseField(Field):
    """A passphrase. Shown only while the eye is held; `submitted` is Enter."""

    submitted = Signal()

    def __init__(self, label: str, *, hint: str = "") -> None:
        self.line = PassphraseLine()
        eye = IconButton(IconName.ACKNOWLEDGE, strings.text("field.show_while_held"))
        super().__init__(label, self.line, hint, beside=eye)
        self.line.textChanged.connect(lambda _stand_ins: self.changed.emit())
        self.line.returnPressed.connect(self.submitted)
        self._eye = eye
        eye.pressed.connect(self._show)
        eye.released.connect(self._hide)

    def _show(self) -> None:
        # Focus leaving with the button held would leave the words on screen. Not asked for earlier: the first event costs, see `buttons`.
        self._eye.installEventFilter(self)
        self.line.show_words(shown=True)

    def _hide(self) -> None:
        self.line.show_words(shown=False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802 -- Qt's name
        """Hide the words when the eye loses the focus or the window."""
        if event.type() in {QEvent.Type.FocusOut, QEvent.Type.WindowDeactivate, QEvent.Type.Hide}:
            self._hide()
        return False

    @property
    def typed(self) -> Typed:
        """What was typed, to be looked at where it lies."""
        return self.line.typed

    def value(self) -> Secret:
        """Give the passphrase exactly as typed, to be handed to a service; the caller wipes it once that is asked."""
        return self.line.typed.secret()

    def clear(self) -> None:
        """Empty the field, and overwrite what was typed."""
        self.line.clear()
        self.line.setModified(False)
        self._hide()


def _utf8(character: str) -> bytes:
    return character.encode()


def _typable(text: str) -> str:
    """Give a text without control characters, which no passphrase may hold, and halves of characters, which are not text."""
    return "".join(one for one in text if one >= " " and not "\x7f" <= one <= "\x9f" and not "\ud800" <= one <= "\udfff")


def _stand_ins(line: str) -> int:
    return len(line) - len(line.lstrip(STAND_IN))
