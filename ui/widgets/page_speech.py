"""The words of a protected page for assistive technology: an accessible text interface, for an officer with an accommodation only.

Rules of this module:

- `let_speak` is called for the reader of a session whose officer has an accommodation, and for no other; without it the accessibility tree
  carries no page text (tests/attacks).
- The words are those of the page on screen; they are dropped with its picture (`ProtectedPage._wipe`), so a blanked, left or locked page
  is silent, and a covered one while it is covered.
- There is a caret, moved by line with the arrow keys and by assistive technology, and no selection: nothing can be copied by it.

LIMIT: whatever is in the accessibility tree can be read by every program of the desktop session. That is what the supervisor granted; the
strip says so.

Thread: the interface's main thread.
"""

from __future__ import annotations

from typing import cast

import shiboken6
from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QAccessibleTextCursorEvent,
    QAccessibleTextInterface,
    QAccessibleTextUpdateEvent,
)
from PySide6.QtWidgets import QAccessibleWidget

from ui import strings
from ui.widgets.protected_page import ProtectedPage

_interfaces: dict[int, _SpokenPage] = {}  # by id of the page: Qt holds no reference to what a factory made
_installed: list[bool] = []


def let_speak(page: ProtectedPage) -> None:
    """Give a page that was just made, and was never shown, words for assistive technology."""
    if not _installed:
        QAccessible.installFactory(_make)
        _installed.append(True)
    page.speech = PageSpeech(page)
    key = id(page)
    page.destroyed.connect(lambda: _interfaces.pop(key, None))


class PageSpeech:
    """The words of one page and the place in them."""

    def __init__(self, page: ProtectedPage) -> None:
        self._page = page
        self.words = ""
        self.caret = 0

    def tell(self, words: str) -> None:
        """Have these words from now on; none: forget what there was."""
        before, self.words, self.caret = self.words, words, 0
        if before != words and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleTextUpdateEvent(self._page, 0, before, words))
            self.moved()

    def has_words(self) -> bool:
        """Say whether there is anything to say."""
        return bool(self.words)

    def move(self, lines: int) -> bool:
        """Go on by lines and say the one reached; False at the end."""
        starts = [0, *(at + 1 for at, sign in enumerate(self.words) if sign == "\n" and at + 1 < len(self.words))]
        here = max(index for index, start in enumerate(starts) if start <= self.caret)
        if not 0 <= here + lines < len(starts):
            return False
        self.caret = starts[here + lines]
        self.moved()
        return True

    def moved(self) -> None:
        """Say that the caret is elsewhere: a screen reader speaks the line it is on."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleTextCursorEvent(self._page, self.caret))


class _Words(QAccessibleTextInterface):
    """The words, as assistive technology asks for them. Offsets are in characters."""

    def __init__(self, page: ProtectedPage, speech: PageSpeech) -> None:
        super().__init__()
        self._page, self._speech = page, speech

    def text(self, startOffset: int, endOffset: int) -> str:  # noqa: N803 -- Qt's names
        return self._audible()[max(0, startOffset) : endOffset]

    def characterCount(self) -> int:  # noqa: N802 -- Qt's name
        return len(self._audible())

    def _audible(self) -> str:
        return "" if self._page.is_covered() else self._speech.words

    def cursorPosition(self) -> int:  # noqa: N802 -- Qt's name
        return self._speech.caret

    def setCursorPosition(self, position: int) -> None:  # noqa: N802 -- Qt's name
        self._speech.caret = max(0, min(position, len(self._speech.words)))
        self._speech.moved()

    def characterRect(self, offset: int) -> QRect:  # noqa: ARG002, N802 -- Qt's name
        """Where it is painted is not known: the picture and the words meet nowhere."""
        return QRect(self._page.mapToGlobal(QPoint(0, 0)), self._page.size())

    def offsetAtPoint(self, point: QPoint) -> int:  # noqa: ARG002, N802 -- Qt's name
        return self._speech.caret

    def attributes(self, offset: int) -> object:  # noqa: ARG002
        return ("", 0, len(self._audible()))

    def scrollToSubstring(self, startIndex: int, endIndex: int) -> None:  # noqa: N802, N803 -- Qt's names
        """Nothing to scroll to."""

    def selectionCount(self) -> int:  # noqa: N802 -- Qt's name
        return 0

    def selection(self, selectionIndex: int) -> object:  # noqa: ARG002, N803 -- Qt's name
        return (0, 0)

    def addSelection(self, startOffset: int, endOffset: int) -> None:  # noqa: N802, N803 -- Qt's names
        """Nothing is selected on a page."""

    def removeSelection(self, selectionIndex: int) -> None:  # noqa: N802, N803 -- Qt's names
        """Nothing is selected on a page."""

    def setSelection(self, selectionIndex: int, startOffset: int, endOffset: int) -> None:  # noqa: N802, N803 -- Qt's names
        """Nothing is selected on a page."""


class _SpokenPage(QAccessibleWidget):
    """A page in the accessibility tree, with words."""

    def __init__(self, page: ProtectedPage, speech: PageSpeech) -> None:
        super().__init__(page, QAccessible.Role.Document, strings.text("accessible.page"))
        self._words = _Words(page, speech)

    def interface_cast(self, kind: QAccessible.InterfaceType) -> int:
        """Give the words where text is asked for.

        WORKAROUND: PySide6 6.11 takes only a VoidPtr for the C++ ``void *``; anything else (an object, an address, None) is a wild pointer
        to the accessibility bridge and ends the process. The stub says int.
        """
        if kind is QAccessible.InterfaceType.TextInterface:
            return cast(int, shiboken6.VoidPtr(shiboken6.getCppPointer(self._words)[0]))
        return cast(int, super().interface_cast(kind) or shiboken6.VoidPtr(0))


def _make(_key: str, made_for: QObject) -> QAccessibleInterface | None:
    """Make the interface of a page that speaks; everything else is Qt's."""
    if isinstance(made_for, ProtectedPage) and isinstance(made_for.speech, PageSpeech):
        return _interfaces.setdefault(id(made_for), _SpokenPage(made_for, made_for.speech))
    return None
