"""The strokes every widget shares: panel, focus ring, one line of text, icon with word.

Rules of this module:

- Pure painting: nothing is kept, nothing asks a widget what it is.
- A line too long is elided at its end, never clipped in the middle of a letter.
- The first paint waits for what is used here. `QPainter.setPen`, `setBrush` and `fillRect` make PySide6 build every enum of `Qt`
  (a thousand members, a fifth of a bare window's start); paths are filled and stroked without, and a pen that has the ink stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPainterPath, QPen

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour

if TYPE_CHECKING:
    from PySide6.QtCore import Qt

ICON_PX = 16
GAP_PX = 6
_RING_PX = 2
# Qt.AlignmentFlag and Qt.TextFlag by number; a test compares them.
ALIGN_LEFT, ALIGN_VCENTER, SINGLE_LINE, WORD_WRAP = 0x0001, 0x0080, 0x0100, 0x1000
_ALIGN_ABSOLUTE = 0x0010  # a right-to-left name keeps its own direction and the column keeps its edge
_ONE_LINE = ALIGN_VCENTER | _ALIGN_ABSOLUTE | SINGLE_LINE


def panel(painter: QPainter, at: QRect, fill: Colour | None, edge: Colour | None = None, radius_px: int | None = None) -> None:
    """Paint a rounded ground, with an outline of one pixel where `edge` is given."""
    inset = 0.5 if edge is not None else 0.0
    _rounded(painter, QRectF(at).adjusted(inset, inset, -inset, -inset), radius_px, fill, edge, 1)


def focus_ring(painter: QPainter, at: QRect, radius_px: int | None = None, role: Colour = Colour.ACCENT_TEXT) -> None:
    """Paint the ring of what has the keyboard, two pixels wide, just inside `at`."""
    _rounded(painter, QRectF(at).adjusted(1, 1, -1, -1), radius_px, None, role, _RING_PX)


def _rounded(painter: QPainter, at: QRectF, radius_px: int | None, fill: Colour | None, edge: Colour | None, edge_px: int) -> None:
    radius = theme.shape().radius_px if radius_px is None else radius_px
    outline = QPainterPath()
    outline.addRoundedRect(at, radius, radius)
    was_smooth = bool(painter.renderHints() & QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if fill is not None:
        painter.fillPath(outline, theme.brush(fill))
    if edge is not None:
        pen = QPen()
        pen.setColor(theme.colour(edge))
        pen.setWidth(edge_px)
        painter.strokePath(outline, pen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, was_smooth)


def set_ink(painter: QPainter, role: Colour) -> None:
    """Have the pen write in a colour. A widget whose `foregroundRole` is that ink has the pen already."""
    wanted = theme.colour(role)
    if painter.pen().color().rgba() != wanted.rgba():
        painter.setPen(wanted)


def line(
    painter: QPainter,
    at: QRect,
    words: str,
    role: Colour = Colour.TEXT,
    font: QFont | None = None,
    align: Qt.AlignmentFlag | None = None,
) -> int:
    """Paint one line of text, vertically centred and elided to `at`; `align` None is left.

    Returns:
        the width used, in pixels; at most ``at.width()``.
    """
    if at.width() <= 0 or not words:
        return 0
    face = font or theme.font()
    metrics = QFontMetrics(face)
    width = metrics.horizontalAdvance(words)
    if width > at.width():
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- see the rules

        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, at.width())
        width = min(at.width(), metrics.horizontalAdvance(words))
    painter.setFont(face)
    set_ink(painter, role)
    painter.drawText(at, (ALIGN_LEFT if align is None else align.value) | _ONE_LINE, words)
    return width


def mark_width(word: str, font: QFont, icon: IconName | None) -> int:
    """Give the width `mark` needs to show everything, in pixels."""
    return QFontMetrics(font).horizontalAdvance(word) + (ICON_PX + GAP_PX if icon is not None else 0)


def mark(painter: QPainter, at: QRect, icon: IconName | None, word: str, role: Colour, font: QFont) -> int:
    """Paint an icon and its word on one line: how every state is shown.

    Returns:
        the width used, in pixels.
    """
    left = at.left()
    if icon is not None:
        square = QRect(left, at.top() + (at.height() - ICON_PX) // 2, ICON_PX, ICON_PX)
        paint_icon(painter, square, icon, theme.colour(role))
        left += ICON_PX + GAP_PX
    used = line(painter, QRect(left, at.top(), at.right() + 1 - left, at.height()), word, role, font)
    return left - at.left() + used
