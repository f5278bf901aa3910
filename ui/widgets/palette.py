"""The command palette: every action of the window, found by a few letters.

Rules of this module:

- Actions are the interface's own words. Cases are not listed here: finding a case goes through the vault and is recorded.
- Ranking is `rank`: pure, and the same for the same letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize
from ui.widgets import painting
from ui.widgets.overlay import Overlay

_WIDTH_PX = 560
_ROWS = 9
_PAD_PX = 8


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do. `key` names it to the owner, `keys` is its shortcut as shown, `group` where it belongs."""

    key: str
    words: str
    icon: IconName
    keys: str = ""
    group: str = ""


def rank(query: str, actions: Sequence[Action]) -> list[Action]:
    """Order the actions that match.

    A match has the query's letters in order, case and blanks aside. Better: at the start, at the starts of words, in one run, short.

    Args:
        query: what was typed; empty matches everything in its given order.
        actions: what can be done.
    Returns:
        the matching actions, best first; equals keep their order.
    """
    letters = "".join(query.casefold().split())
    if not letters:
        return list(actions)
    scored = [(score, index) for index, action in enumerate(actions) if (score := _score(letters, action.words.casefold())) is not None]
    return [actions[index] for _score_of, index in sorted(scored)]


def _score(letters: str, words: str) -> int | None:
    """Give the cost of a match: lower is better; None when the letters are not there in order."""
    at, cost, last = 0, 0, -1
    for letter in letters:
        # The start of a word is preferred to the next place the letter happens to stand.
        start = 0 if at == 0 and words.startswith(letter) else words.find(f" {letter}", max(0, at - 1)) + 1
        plain = words.find(letter, at)
        if plain < 0:
            return None
        found = start if start >= at and (start > 0 or at == 0) and words[start : start + 1] == letter and plain != last + 1 else plain
        starts_word = found == 0 or words[found - 1] == " "
        cost += 0 if found == last + 1 and last >= 0 else 1 if starts_word else 8 + found
        last, at = found, found + 1
    return cost * 64 + len(words)


class _Matches(QWidget):
    """The list under the input."""

    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Action] = []
        self.current = 0
        self.top = 0
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(_WIDTH_PX, max(1, min(_ROWS, len(self.found))) * theme.shape().row_px + _PAD_PX)

    def rows_in_view(self) -> int:
        return max(1, min(_ROWS, (self.height() - _PAD_PX) // theme.shape().row_px))

    def move_to(self, index: int) -> None:
        if self.found:
            self.current = index % len(self.found)
            self.top = max(min(self.top, self.current), self.current - self.rows_in_view() + 1)
            self.setAccessibleDescription(self.found[self.current].words)
        self.update()

    def _row_at(self, event: QMouseEvent) -> int:
        return self.top + int(event.position().y()) // theme.shape().row_px

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        if self._row_at(event) < len(self.found):
            self.current = self._row_at(event)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        if self._row_at(event) < len(self.found):
            self.clicked.emit(self._row_at(event))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, row_px = QPainter(self), theme.shape().row_px
        if not self.found:
            painting.line(painter, QRect(16, 0, self.width() - 32, row_px), strings.text("palette.nothing"), Colour.TEXT_QUIET)
        small = theme.font(TypeSize.SMALL)
        for row, action in enumerate(self.found[self.top : self.top + self.rows_in_view()]):
            at = QRect(_PAD_PX, row * row_px, self.width() - 2 * _PAD_PX, row_px)
            if row + self.top == self.current:
                painting.panel(painter, at, Colour.SURFACE_3)
            paint_icon(painter, QRect(at.left() + 10, at.top() + 8, 16, 16), action.icon, theme.colour(Colour.TEXT_QUIET))
            keys_width = QFontMetrics(small).horizontalAdvance(action.keys)
            right = at.right() - 10
            painting.line(painter, QRect(right - keys_width, at.top(), keys_width + 1, row_px), action.keys, Colour.TEXT_QUIET, small)
            left = at.left() + 36
            used = painting.line(painter, QRect(left, at.top(), right - keys_width - 12 - left, row_px), action.words)
            group = QRect(left + used + 10, at.top(), right - keys_width - 22 - left - used, row_px)
            painting.line(painter, group, action.group, Colour.TEXT_QUIET, small)
        painter.end()


class CommandPalette(Overlay):
    """Ctrl+K. `chosen` carries the action's key, after the palette has closed."""

    chosen = Signal(str)

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._actions: tuple[Action, ...] = ()
        self.setObjectName("palette")
        self.setAccessibleName(strings.text("palette.title"))
        self.line = QLineEdit()
        self.line.setObjectName("palette_line")
        self.line.setPlaceholderText(strings.text("palette.placeholder"))
        self.line.setAccessibleName(strings.text("palette.title"))
        self.line.textChanged.connect(self._match)
        self.line.installEventFilter(self)
        self._matches = _Matches()
        self._matches.clicked.connect(self._run)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(0, _PAD_PX, 0, _PAD_PX)
        column.setSpacing(_PAD_PX)
        edge = QVBoxLayout()
        edge.setContentsMargins(_PAD_PX, 0, _PAD_PX, 0)
        edge.addWidget(self.line)
        column.addLayout(edge)
        column.addWidget(self._matches, 1)

    def set_actions(self, actions: Sequence[Action]) -> None:
        """Replace what can be done; only what this person may do now belongs here."""
        self._actions = tuple(actions)
        self._match(self.line.text())

    def open_over(self) -> None:
        """Open empty, with everything listed."""
        self.line.clear()
        self._match("")
        super().open_over()

    def card_rect(self) -> QRect:
        """Stand near the top, so that the input does not move while the list shrinks."""
        width = min(_WIDTH_PX, self.width() - 16)
        top = min(96, self.height() // 8)
        wanted = self.line.sizeHint().height() + self._matches.sizeHint().height() + 3 * _PAD_PX
        return QRect((self.width() - width) // 2, top, width, min(wanted, self.height() - top - 8))

    def _match(self, query: str) -> None:
        self._matches.found = rank(query, self._actions)
        self._matches.top = 0
        self._matches.move_to(0)
        self._place()

    def _run(self, index: int) -> None:
        if 0 <= index < len(self._matches.found):
            key = self._matches.found[index].key
            self.close_over()
            self.chosen.emit(key)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Up, Down and Enter work while the input keeps the focus."""
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._matches.move_to(self._matches.current + step)
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._run(self._matches.current)
                return True
        return super().eventFilter(watched, event)
