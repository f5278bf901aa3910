"""The top bar: which station, who is signed in, search, lock.

Rules of this module:

- A name never stands alone: badge and role go with it.
- Locked, the bar shows the station and nothing about a person.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind, IconButton, PressedByEnter, bind

_HEIGHT_PX = 48
_NARROW_PX = 820


class _SearchButton(PressedByEnter):
    """Looks like a field, opens the palette."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(strings.text("top.search"))
        bind("Ctrl+K", self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(360)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(300, theme.shape().row_px)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(40, theme.shape().row_px)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        painting.panel(painter, self.rect(), Colour.SURFACE_0 if self.underMouse() else Colour.SURFACE_1, Colour.EDGE)
        paint_icon(painter, QRect(10, 8, 16, 16), IconName.SEARCH, theme.colour(Colour.TEXT_QUIET))
        small = theme.font(TypeSize.SMALL)
        keys = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
        width = QFontMetrics(small).horizontalAdvance(keys)
        right = self.width() - 10
        painting.line(painter, QRect(right - width, 0, width + 1, self.height()), keys, Colour.TEXT_QUIET, small)
        painting.line(painter, QRect(34, 0, right - width - 42, self.height()), strings.text("top.search"), Colour.TEXT_QUIET)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()


class _Who(QWidget):
    """Name above badge and role, right-aligned to the lock."""

    def __init__(self) -> None:
        super().__init__()
        self._name = self._facts = ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_person(self, name: str, facts: str) -> None:
        self._name, self._facts = name, facts
        self.setAccessibleName(f"{name}, {facts}" if name else "")
        self.setToolTip(f"{name}\n{facts}" if name else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        name = QFontMetrics(theme.font(weight=Weight.STRONG)).horizontalAdvance(self._name)
        facts = QFontMetrics(theme.font(TypeSize.SMALL, tabular=True)).horizontalAdvance(self._facts)
        return QSize(min(260, max(name, facts) + 2), 40)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        return QSize(min(96, self.sizeHint().width()), 40)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, right = QPainter(self), Qt.AlignmentFlag.AlignRight
        painting.line(painter, QRect(0, 2, self.width(), 19), self._name, Colour.TEXT, theme.font(weight=Weight.STRONG), right)
        facts = theme.font(TypeSize.SMALL, tabular=True)
        painting.line(painter, QRect(0, 20, self.width(), 18), self._facts, Colour.TEXT_QUIET, facts, right)
        painter.end()


class TopBar(QWidget):
    """Station · search · person · lock."""

    search_requested = Signal()
    lock_requested = Signal()

    def __init__(self, station: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._station = station
        self.setFixedHeight(_HEIGHT_PX)
        self._search = _SearchButton()
        self._search.clicked.connect(self.search_requested)
        self._who = _Who()
        self._lock = Button(strings.text("top.lock"), ButtonKind.SECONDARY, icon=IconName.LOCK, shortcut="Ctrl+L")
        self._lock.clicked.connect(self.lock_requested)
        self._lock_small = IconButton(IconName.LOCK, strings.text("top.lock"), shortcut="Ctrl+L")
        self._lock_small.clicked.connect(self.lock_requested)
        self._lock_small.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 12, 0)
        row.setSpacing(12)
        row.addStretch(2)
        row.addWidget(self._search, 3)
        row.addStretch(1)
        row.addWidget(self._who)
        row.addWidget(self._lock)
        row.addWidget(self._lock_small)
        self.show_nobody()

    def show_station(self, station: str) -> None:
        """Change the station's name."""
        self._station = station
        self.update()

    def show_person(self, name: str, badge_no: str, role: str) -> None:
        """Say who is signed in. `role` is in words."""
        self._who.show_person(name, strings.text("top.badge_and_role", badge_no=badge_no, role=role))
        for part in (self._search, self._who):
            part.show()
        self._arrange()

    def show_nobody(self) -> None:
        """Say nothing about anybody: signed out or locked."""
        self._who.show_person("", "")
        for part in (self._search, self._who, self._lock, self._lock_small):
            part.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Spend narrow space on the person, not on words everybody knows."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        signed_in, narrow = not self._who.isHidden(), self.width() < _NARROW_PX
        self._lock.setVisible(signed_in and not narrow)
        self._lock_small.setVisible(signed_in and narrow)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground, the mark and the station."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_2))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.colour(Colour.DIVIDER))
        paint_icon(painter, QRect(18, 13, 22, 22), IconName.CASEVAULT, theme.colour(Colour.ACCENT_TEXT))
        space = (self._search.x() if not self._search.isHidden() else self.width()) - 52 - 12
        painting.line(painter, QRect(52, 0, space, self.height()), self._station, Colour.TEXT, theme.font(weight=Weight.STRONG))
        painter.end()
