"""A field that finds one person by badge or name.

Rules of this module:

- What counts is the person chosen from the directory, never the words typed: a typed badge chooses its person, a name that fits nobody
  chooses nobody.
- Up and Down move through who fits, Enter chooses; leaving the field with a whole badge typed chooses too.
- The list floats inside the window (no window of its own, nothing to lose at lock).
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui import strings, theme
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.field import LineField
from ui.windows.naming import isolated, plain
from vault.services.views import PersonBrief

_MOST = 6


def fitting(people: Sequence[PersonBrief], typed: str) -> tuple[PersonBrief, ...]:
    """Give who fits what was typed: badge or a part of the name begins with it; a whole badge first. At most six."""
    wanted = plain(typed.strip())
    if not wanted:
        return tuple(people[:_MOST])

    def rank(person: PersonBrief) -> int:
        name = plain(person.name)
        if person.badge_no.casefold() == wanted:
            return 0
        if person.badge_no.casefold().startswith(wanted) or name.startswith(wanted):
            return 1
        return 2 if any(part.startswith(wanted) for part in name.replace("-", " ").split()) else 3

    ranked = sorted(((rank(person), index) for index, person in enumerate(people)))
    return tuple(people[index] for place, index in ranked if place < 3)[:_MOST]  # noqa: PLR2004 -- 3 fits nothing


class _Fits(QWidget):
    """The floating list of who fits."""

    picked = Signal(int)

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.host = host
        self.people: tuple[PersonBrief, ...] = ()
        self.over = 0
        self.setObjectName("person_fits")
        self.setAccessibleName(strings.text("person_picker.list"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_people(self, people: tuple[PersonBrief, ...], over: int, at: QRect) -> None:
        """Stand below the input `at`, in the host's coordinates; above it where there is no room."""
        self.people, self.over = people, over
        height = max(1, len(people)) * theme.shape().row_px + 8
        top = at.bottom() + 3
        if top + height > self.host.height():
            top = at.top() - height - 2
        self.setGeometry(at.left(), top, at.width(), height)
        self.show()
        self.raise_()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose by pointing."""
        index = (int(event.position().y()) - 4) // theme.shape().row_px
        if 0 <= index < len(self.people):
            self.picked.emit(index)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint badge, name and unit of each."""
        painter, row_px = QPainter(self), theme.shape().row_px
        painting.panel(painter, self.rect(), Colour.SURFACE_1, Colour.EDGE)
        if not self.people:
            painting.line(painter, self.rect().adjusted(12, 0, -12, 0), strings.text("person_picker.none"), Colour.TEXT_QUIET)
        for index, person in enumerate(self.people):
            row = QRect(4, 4 + index * row_px, self.width() - 8, row_px)
            if index == self.over:
                painting.panel(painter, row, Colour.SURFACE_3)
            painting.line(painter, QRect(row.left() + 8, row.top(), 64, row_px), person.badge_no, Colour.TEXT, theme.font(tabular=True))
            left = row.left() + 80
            used = painting.line(
                painter,
                QRect(left, row.top(), row.right() - left - 8, row_px),
                isolated(person.name),
                Colour.TEXT,
                theme.font(weight=Weight.MEDIUM),
            )
            left += used + 10
            painting.line(
                painter,
                QRect(left, row.top(), row.right() - left - 8, row_px),
                isolated(person.unit_name),
                Colour.TEXT_QUIET,
                theme.font(TypeSize.SMALL),
            )
        painter.end()


class PersonField(LineField):
    """A labelled input whose value is a person of the directory, or nobody."""

    def __init__(self, label: str, name: str) -> None:
        """Make the field; `name` is the input's objectName."""
        super().__init__(label, hint=strings.text("person_picker.hint"))
        self.line.setObjectName(name)
        self._people: tuple[PersonBrief, ...] = ()
        self._person: PersonBrief | None = None
        self._fits: _Fits | None = None
        self.line.installEventFilter(self)
        self.line.textEdited.connect(self._typed)

    def set_people(self, people: Sequence[PersonBrief]) -> None:
        """Give the directory to choose from; a whole badge that was typed before it came chooses now."""
        self._people = tuple(people)
        found = self.person()
        if found is not None and not self.line.hasFocus():
            self.choose(found)

    def people(self) -> tuple[PersonBrief, ...]:
        """Give the directory; empty while it is awaited."""
        return self._people

    def person(self) -> PersonBrief | None:
        """Give who was chosen; a whole badge that was typed chooses its person."""
        if self._person is None:
            typed = self.value().casefold()
            self._person = next((one for one in self._people if typed and one.badge_no.casefold() == typed), None)
        return self._person

    def choose(self, person: PersonBrief) -> None:
        """Choose a person and show who it is."""
        self._person = person
        self.line.setText(" · ".join(part for part in (person.badge_no, person.name, person.unit_name) if part))
        self.line.setCursorPosition(0)
        self.set_error("")
        self._put_away()

    def _typed(self) -> None:
        self._person = None
        self.set_error("")
        self._show(0)

    def _show(self, over: int) -> None:
        people = fitting(self._people, self.value() if self._person is None else "")
        if self._fits is None:
            self._fits = _Fits(self.window())
            self._fits.picked.connect(self._pick)
            self.destroyed.connect(self._fits.deleteLater)
        host = self._fits.host
        at = QRect(self.line.mapTo(host, QPoint(0, 0)), self.line.size())
        self._fits.show_people(people, max(0, min(over, len(people) - 1)), at)

    def _put_away(self) -> None:
        if self._fits is not None:
            self._fits.hide()

    def _pick(self, index: int) -> None:
        if self._fits is not None and 0 <= index < len(self._fits.people):
            self.choose(self._fits.people[index])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Move in the list, choose, put it away."""
        if watched is not self.line:
            return False
        if event.type() is QEvent.Type.FocusOut:
            found = self.person()
            if found is not None:
                self.choose(found)
            self._put_away()
        elif event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event)
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        shown = self._fits is not None and self._fits.isVisible()
        over = self._fits.over if self._fits is not None and shown else -1
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            self._show(over + (1 if event.key() == Qt.Key.Key_Down else -1))
            return True
        if shown and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._pick(over)
            return True
        if shown and event.key() == Qt.Key.Key_Escape:
            self._put_away()
            return True
        return False
