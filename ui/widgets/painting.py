"""The strokes every widget shares: panel, focus ring, one line of text, icon with word.

Rules of this module:

- Pure painting: nothing is kept, nothing asks a widget what it is.
- A line too long is elided at its end, never clipped in the middle of a letter.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from ui import theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour

ICON_PX = 16
GAP_PX = 6
_RING_PX = 2
# AlignAbsolute: a right-to-left name keeps its own direction and the column keeps its edge.
_ONE_LINE = Qt.AlignmentFlag.AlignVCenter.value | Qt.AlignmentFlag.AlignAbsolute.value | Qt.TextFlag.TextSingleLine.value


def panel(painter: QPainter, at: QRect, fill: Colour | None, edge: Colour | None = None, radius_px: int | None = None) -> None:
    """Paint a rounded ground, with an outline of one pixel where `edge` is given."""
    radius = theme.shape().radius_px if radius_px is None else radius_px
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour(edge), 1) if edge is not None else Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(fill) if fill is not None else Qt.BrushStyle.NoBrush)
    inset = 0.5 if edge is not None else 0.0
    painter.drawRoundedRect(QRectF(at).adjusted(inset, inset, -inset, -inset), radius, radius)
    painter.restore()


def focus_ring(painter: QPainter, at: QRect, radius_px: int | None = None, role: Colour = Colour.ACCENT_TEXT) -> None:
    """Paint the ring of what has the keyboard, two pixels wide, just inside `at`."""
    radius = theme.shape().radius_px if radius_px is None else radius_px
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour(role), _RING_PX))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(at).adjusted(1, 1, -1, -1), radius, radius)
    painter.restore()


def line(
    painter: QPainter,
    at: QRect,
    words: str,
    role: Colour = Colour.TEXT,
    font: QFont | None = None,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> int:
    """Paint one line of text, vertically centred and elided to `at`.

    Returns:
        the width used, in pixels; at most ``at.width()``.
    """
    if at.width() <= 0 or not words:
        return 0
    face = font or theme.font()
    metrics = QFontMetrics(face)
    width = metrics.horizontalAdvance(words)
    if width > at.width():
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, at.width())
        width = min(at.width(), metrics.horizontalAdvance(words))
    painter.setFont(face)
    painter.setPen(theme.colour(role))
    painter.drawText(at, align.value | _ONE_LINE, words)
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
