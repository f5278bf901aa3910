"""What was cut in a painted line, whole, beside the pointer: a title of 300 letters, a long name, a case number.

Rules of this module:

- Painted, as what it completes: QToolTip would give the words to accessibility. The keyboard has the same words in the inspector.
- One a window, a child of it: what covers the window covers the hint too. It goes with the pointer, a key, the wheel, and with its owner.

Thread: the interface's main thread.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import theme
from ui.theme import Colour, TypeSize
from ui.widgets import painting
from ui.widgets.painted_text import PaintedText

LINE = "\u2028"
"""Between lines that belong together."""

_WIDTH_PX = 420
_PAD_PX = 8
_BELOW_PX = 18
_ENDS = frozenset(
    {
        QEvent.Type.Leave,
        QEvent.Type.Hide,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.EnabledChange,
        QEvent.Type.WindowDeactivate,
    }
)


class Hint(QWidget):
    """The words, floating."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._over: QWidget | None = None
        self._within = QRect()
        self._words = PaintedText(TypeSize.SMALL)
        column = QVBoxLayout(self)
        column.setContentsMargins(_PAD_PX, _PAD_PX, _PAD_PX, _PAD_PX)
        column.addWidget(self._words)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def tell(self, over: QWidget, at: QPoint, within: QRect, words: str) -> None:
        """Show `words` below `at` until the pointer leaves `within`; both in coordinates of `over`."""
        self.end()
        self._over, self._within = over, within
        over.installEventFilter(self)
        self._words.show_text(words)
        window = self.window()
        natural = max(QFontMetrics(theme.font(TypeSize.SMALL)).horizontalAdvance(line) for line in words.split(LINE)) + 4
        width = min(natural, _WIDTH_PX, window.width() - 16 - 2 * _PAD_PX)
        self.resize(width + 2 * _PAD_PX, self._words.heightForWidth(width) + 2 * _PAD_PX)
        point = over.mapTo(window, at)
        below = point.y() + _BELOW_PX
        top = below if below + self.height() <= window.height() - 4 else max(4, point.y() - self.height() - 6)
        self.move(max(4, min(point.x(), window.width() - self.width() - 4)), top)
        self.show()
        self.raise_()

    def end(self) -> None:
        """Go, and forget the words."""
        over, self._over = self._over, None
        self._words.show_text("")
        if over is not None and shiboken6.isValid(over):
            over.removeEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Go as soon as the pointer or the keyboard is elsewhere."""
        moved_off = isinstance(event, QMouseEvent) and not self._within.contains(event.position().toPoint())
        if watched is self._over and (event.type() in _ENDS or moved_off):
            self.end()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground."""
        painter = QPainter(self)
        painting.panel(painter, self.rect(), Colour.SURFACE_3, Colour.EDGE, radius_px=4)
        painter.end()


def hint(over: QWidget, at: QPoint, within: QRect, words: str) -> None:
    """Tell what was cut; without words take away what was told. Arguments as `Hint.tell`'s."""
    window = over.window()
    found = window.findChild(Hint, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if words:
        (found or Hint(window)).tell(over, at, within, words)
    elif found is not None:
        found.end()
