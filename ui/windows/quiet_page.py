"""The ground of every page that stands alone, without a frame: sign-in, lock, founding, cannot open, a file that closed.

Rules: one card in the middle, one column in it; a window lower than the card scrolls. No case data, ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.early import set_properties
from ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QResizeEvent

_MARGIN_PX = 32
_MARK_PX = 22


class _Card(QWidget):
    """The card; as high as its wrapped words need at its width, which a layout beside stretches would not grant it."""

    painted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._painted = False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        self.fit()
        super().resizeEvent(event)

    def follow(self) -> None:
        """Fit from now on whenever what is inside changes, too."""
        self.installEventFilter(_Fitting(self))

    def fit(self) -> None:
        inside = self.layout()
        assert inside is not None
        needed = inside.totalHeightForWidth(self.width()) if inside.hasHeightForWidth() else inside.totalSizeHint().height()
        if needed != self.minimumHeight():
            self.setMinimumHeight(needed)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        painting.panel(painter, self.rect(), Colour.SURFACE_1, Colour.DIVIDER, radius_px=8)
        painter.end()
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.painted.emit)


class _Fitting(QObject):
    """Fits a card before it hears that its inside changed."""

    def __init__(self, card: _Card) -> None:
        super().__init__(card)
        self._card = card

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        if event.type() is QEvent.Type.LayoutRequest:
            self._card.fit()
        return False


class Mark(QWidget):
    """An icon with a word: the product's name, a workstation, a state."""

    def __init__(
        self,
        icon: IconName,
        words: str,
        role: Colour = Colour.TEXT_QUIET,
        size: TypeSize = TypeSize.SMALL,
        weight: Weight = Weight.REGULAR,
        *,
        wrap: bool = False,
    ) -> None:
        super().__init__()
        self._icon, self._role = icon, role
        self._side_px = _MARK_PX if size in {TypeSize.TITLE, TypeSize.DISPLAY} else painting.ICON_PX
        self._words = Label(words, size, weight, role, wrap=wrap)
        row = QHBoxLayout(self)
        row.setContentsMargins(self._side_px + painting.GAP_PX, 0, 0, 0)
        row.addWidget(self._words, 1)

    def show_mark(self, icon: IconName, words: str, role: Colour = Colour.TEXT_QUIET) -> None:
        """Change what is said."""
        self._icon, self._role = icon, role
        self._words.setText(words)
        self._words.set_role(role)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the icon before the words."""
        painter = QPainter(self)
        at = QRect(0, (self.height() - self._side_px) // 2, self._side_px, self._side_px)
        paint_icon(painter, at, self._icon, theme.colour(self._role))
        painter.end()


class QuietPage(QWidget):
    """A page with one card. Subclasses add to `column`. `painted` comes once, when the page was on screen for the first time."""

    painted = Signal()

    def __init__(self, name: str, *, width_px: int = 400, branded: bool = True, first: bool = False) -> None:
        """Make the page.

        Args:
            name: its stable objectName.
            width_px: of the card.
            branded: whether the product's name stands at the top of the card.
            first: whether nothing was painted before it. Until it is, the card is fitted when it gets its place, not when words change.
        """
        super().__init__()
        self.setObjectName(name)
        card = _Card()
        card.setFixedWidth(width_px)
        if first:
            card.painted.connect(card.follow)
        else:
            card.follow()
        card.painted.connect(self.painted)
        self.column = QVBoxLayout(card)
        self.column.setContentsMargins(_MARGIN_PX, 28, _MARGIN_PX, 28)
        self.column.setSpacing(12)
        if branded:
            self.column.addWidget(Mark(IconName.CASEVAULT, strings.text("app.name"), Colour.TEXT, TypeSize.TITLE, Weight.STRONG))
        ground = QWidget()
        around = QVBoxLayout(ground)
        around.setContentsMargins(16, 16, 16, 16)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(card)
        across.addStretch(1)
        around.addStretch(2)
        around.addLayout(across)
        around.addStretch(3)
        # Not a ScrollColumn, and `viewport` is not asked for: PySide6 answers it by building every widget class it knows, 30 ms and more
        # before the first paint. The viewport has the window's own ground, which is wanted here.
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        set_properties(scroll, focusPolicy="NoFocus", horizontalScrollBarPolicy="ScrollBarAlwaysOff")
        scroll.setWidget(ground)
        self._scroll, self._card, self._ground = scroll, card, ground
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def settle(self) -> None:
        """Lay out now what changed: a page painted in this turn of the event loop must not be cut where the last one ended."""
        inside, around = self._card.layout(), self._ground.layout()
        assert inside is not None
        assert around is not None
        inside.invalidate()
        self._card.fit()
        around.activate()
        inside.activate()
        QCoreApplication.sendEvent(self._scroll, QEvent(QEvent.Type.LayoutRequest))  # Qt fits how far it scrolls

    def put_focus(self, widget: QWidget, around_px: int = 24) -> None:
        """Give the keyboard to a widget of the card and bring it into view, with so much above and below it."""
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- after the first paint

        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(widget, 8, around_px)
