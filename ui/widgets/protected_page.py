"""The page: the only place where a document is seen, as a picture.

Rules of this module:

- It holds one picture, the one on screen, with the watermark already in its pixels. `clear` and `blank` overwrite its memory and drop it;
  hiding the widget does too.
- Nothing can be taken from it: no selection, clipboard, drag, context menu, input method, accessible text. Its accessible name is a
  constant. The one exception is `ui.widgets.page_speech`, under an accommodation a supervisor granted.
- Blanked means a plain panel with the reason, never a frozen page.
- Covered means black over a page that stays in memory: against captures, which are a matter of milliseconds, and while the window is not
  the one being worked in. It is painted and handed to the screen before `cover` returns.
- A fenced page is a veil, too coarse to read, and one band of the page over it, which follows the pointer or the reading line. The band's
  pixels come from the vault for each place; what lies outside the band is not in this process.
- A picture painted at its own resolution is copied to the screen and nothing else (under 2 ms for 1240 × 1754). Where the zoom asks for
  another resolution, a scaled one is made once, and `resolution_wanted` asks for the true one.

Thread: the interface's main thread.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QScrollBar, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.ringed_area import RingedArea

_MARGIN_PX = 16
_STEP_PX = 48
_SCREEN_DPI = 96.0
_ZOOMS = (0.25, 0.33, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
_WANTED_DPI = (72, 300)
_SETTLE_MS = 120
_NOTCH = 120
_QUARTER = 90
_SAME_DPI = 2
_LINE_HEIGHTS = (0.04, 0.25)
_LINE_STEP = 0.6  # of the band's height, so that the line being read stays in view
_LINE_GROWS = 1.25
_SHARP = (0.999, 1.014)


class Zoom(enum.Enum):
    """What the zoom follows."""

    FIT_PAGE = "fit-page"
    FIT_WIDTH = "fit-width"
    FIXED = "fixed"


class Turn(enum.Enum):
    """Where the reader is asked to go."""

    NEXT = "next"
    PREVIOUS = "previous"
    FIRST = "first"
    LAST = "last"


class Cover(enum.Enum):
    """Why a page is covered; it is seen again when no cover is left."""

    CAPTURE = "capture"
    AWAY = "away"


class Speech(Protocol):
    """What tells a page's words to assistive technology."""

    def tell(self, words: str) -> None:
        """Have these words from now on; none: forget what there was."""

    def has_words(self) -> bool:
        """Say whether there is anything to say."""

    def move(self, lines: int) -> bool:
        """Go on by lines and say the one reached; False at the end."""


class ProtectedPage(RingedArea):
    """A page picture with zoom, scrolling, highlights and a blanked state.

    `turn_requested(Turn)` asks for another page; `zoom_changed(int)` tells the percentage; `resolution_wanted(int)` the dots per inch at
    which this page would be sharp now; `painted(int)` the page number once a new page is on screen.
    """

    turn_requested = Signal(Turn)
    zoom_changed = Signal(int)
    resolution_wanted = Signal(int)
    painted = Signal(int)
    band_wanted = Signal(QRectF)
    """Which band of a fenced page should be seen now, in fractions (0..1) of the unrotated page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: QImage | None = None
        self._scaled: QImage | None = None  # the picture as the zoom and rotation ask for it
        self._page_no = 0
        self._dpi = 150
        self._zoom, self._factor = Zoom.FIT_WIDTH, 1.0
        self._quarters = 0
        self._marks: tuple[QRectF, ...] = ()
        self._current_mark = -1
        self._reason: tuple[IconName, str, str] | None = None
        self._unpainted = False
        self._covers: set[Cover] = set()
        self.speech: Speech | None = None  # set by `ui.widgets.page_speech`, for an officer who was granted that
        self._page_px: QSize | None = None  # of the whole page, while the picture is its veil
        self._band: tuple[QImage, QRectF] | None = None  # what is clear, and where, in fractions of the unrotated page
        self._line = 0.0  # where the reading line is: a fraction of the page as it is shown
        self._line_height = 0.09
        self._wheel = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAcceptDrops(False)
        self.setAccessibleName(strings.text("accessible.page"))
        for part in (self, self.viewport()):
            part.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for bar in (self.verticalScrollBar(), self.horizontalScrollBar()):
            bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
            bar.valueChanged.connect(lambda _value: self.viewport().update())
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._ask_resolution)

    # What the reader says -----------------------------------------------------------------------------------------------------------

    def show_page(self, page_no: int, picture: QImage, dpi: int = 150, veil_of_px: QSize | None = None) -> None:
        """Show a page, and forget the one before.

        Args:
            page_no: 1-based; comes back with `painted`.
            picture: watermarked, opaque; Format_RGB32 paints fastest. The page owns it from now on and will overwrite it: hand over
                one that owns its memory and keep no other QImage of it.
            dpi: its resolution. The same page at another resolution keeps the scroll position.
            veil_of_px: the picture is a coarse veil of a page of this size at `dpi`: the page is fenced, and asks for its band at once.
        """
        same = page_no == self._page_no and self._picture is not None
        self._wipe()
        self._picture, self._page_no, self._dpi = picture, page_no, dpi
        self._page_px = veil_of_px
        self._reason = None
        self._unpainted = True
        if not same:
            self._marks, self._current_mark = (), -1
        self._measure()
        if not same:
            self.verticalScrollBar().setValue(0)
            self.horizontalScrollBar().setValue(0)
        self.viewport().update()
        self._settle.start()
        if veil_of_px is not None:
            self.viewport().setMouseTracking(True)
            self._line = self._line if same else self._line_height / 2
            self._ask_band()

    def show_band(self, band: QImage, at_px: QRect) -> None:
        """Show one band of the fenced page instead of the one before.

        Args:
            band: its pixels; the page owns it from now on.
            at_px: where it lies in the whole page, in pixels of it.
        """
        if self._page_px is None:
            return
        self._drop_band()
        across, down = self._page_px.width(), self._page_px.height()
        self._band = band, QRectF(at_px.x() / across, at_px.y() / down, at_px.width() / across, at_px.height() / down)
        self.viewport().update()

    def speak(self, words: str) -> None:
        """Tell the words of the page on screen to assistive technology, if the page was let speak; they go with the page."""
        if self.speech is not None and self._picture is not None:
            self.speech.tell(words)

    def is_fenced(self) -> bool:
        """Say whether only a band of the page on screen is clear."""
        return self._page_px is not None

    def set_line_height(self, fraction: float) -> None:
        """Make the band this high: a fraction (0.04..0.25) of the page as it is shown."""
        self._line_height = max(_LINE_HEIGHTS[0], min(_LINE_HEIGHTS[1], fraction))
        self._move_line(self._line)

    def raise_line(self) -> None:
        """Make the band higher."""
        self.set_line_height(self._line_height * _LINE_GROWS)

    def lower_line(self) -> None:
        """Make the band lower."""
        self.set_line_height(self._line_height / _LINE_GROWS)

    def _move_line(self, to: float, *, reveal: bool = False) -> None:
        """Put the middle of the band there, a fraction of the page as it is shown, and ask for its pixels."""
        half = self._line_height / 2
        self._line = max(half, min(1 - half, to))
        if reveal:
            size = self._scaled_size()
            self._reveal(QRectF(0, (self._line - half) * size.height(), size.width(), self._line_height * size.height()))
        self._ask_band()

    def _ask_band(self) -> None:
        if self._page_px is not None:
            top = self._line - self._line_height / 2
            self.band_wanted.emit(self._unturned(QRectF(0, max(0.0, top), 1, self._line_height)))

    def _unturned(self, on_screen: QRectF) -> QRectF:
        """Turn fractions of the page as shown into fractions of the unrotated page: the way back of `_on_page`."""
        x, y, w, h = on_screen.x(), on_screen.y(), on_screen.width(), on_screen.height()
        for _ in range(self._quarters):
            x, y, w, h = y, 1 - x - w, h, w
        return QRectF(x, y, w, h).intersected(QRectF(0, 0, 1, 1))

    def _line_at_pointer(self, at: QPoint) -> None:
        page = self._page_rect()
        if self._page_px is not None and page.contains(at):
            self._move_line((at.y() - page.y()) / max(1, page.height()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """The band of a fenced page follows the pointer; nothing else does."""
        self._line_at_pointer(event.position().toPoint())
        event.accept()

    def clear(self) -> None:
        """Overwrite and drop the picture, and paint an empty place."""
        self._wipe()
        self._page_no, self._marks, self._current_mark, self._reason = 0, (), -1, None
        self._measure()
        self.viewport().update()

    def blank(self, title: str, sentence: str, icon: IconName = IconName.BLANKED) -> None:
        """Take the page away at once and say why. The picture is gone: `show_page` brings one back."""
        self.clear()
        self._reason = (icon, title, sentence)
        self.viewport().repaint()

    def cover(self, cover: Cover, *, on: bool) -> None:
        """Paint the page over in black, or take that cover away again. On screen when this returns."""
        if on is (cover in self._covers):
            return
        self._covers ^= {cover}
        self.viewport().repaint()

    def is_covered(self) -> bool:
        """Say whether a page, if there is one, cannot be seen."""
        return bool(self._covers)

    def is_blank(self) -> bool:
        """Say whether no page is on screen."""
        return self._picture is None

    def set_highlights(self, marks: Sequence[QRectF], current: int = -1) -> None:
        """Mark places found: rectangles in fractions (0..1) of the unrotated page; `current` is brought into view."""
        self._marks, self._current_mark = tuple(marks), current
        if 0 <= current < len(self._marks) and self._scaled_size().isValid():
            place = self._on_page(self._marks[current])
            self._reveal(place)
            if self._page_px is not None:
                self._move_line(place.center().y() / max(1, self._scaled_size().height()))
        self.viewport().update()

    # Zoom and rotation ----------------------------------------------------------------------------------------------------------------

    def set_zoom(self, zoom: Zoom, percent: int = 100) -> None:
        """Follow the page, the width, or stay at `percent` (25..400) of true size."""
        self._zoom = zoom
        if zoom is Zoom.FIXED:
            self._factor = max(_ZOOMS[0], min(_ZOOMS[-1], percent / 100))
        self._measure()
        self.viewport().update()
        self._settle.start()

    def zoom_in(self) -> None:
        """Go to the next larger step."""
        now = self.zoom_percent() / 100
        self.set_zoom(Zoom.FIXED, round(100 * next((z for z in _ZOOMS if z > now + 0.005), _ZOOMS[-1])))

    def zoom_out(self) -> None:
        """Go to the next smaller step."""
        now = self.zoom_percent() / 100
        self.set_zoom(Zoom.FIXED, round(100 * next((z for z in reversed(_ZOOMS) if z < now - 0.005), _ZOOMS[0])))

    def zoom_percent(self) -> int:
        """Give the size shown, in percent of true size."""
        return round(100 * self._scale() * self._dpi / _SCREEN_DPI)

    def rotate(self) -> None:
        """Turn the page a quarter to the right."""
        self._quarters = (self._quarters + 1) % 4
        self._measure()
        self._ask_band()
        self.viewport().update()

    def _picture_size(self) -> QSize:
        if self._picture is None:
            return QSize()
        size = self._page_px or self._picture.size()
        return size.transposed() if self._quarters % 2 else size

    def _scale(self) -> float:
        """Give logical pixels on screen per pixel of the picture."""
        asked, ratio = self._asked_scale(), self.devicePixelRatioF()
        # So near to pixel for pixel that scaling would only blur: resolutions come in whole dots per inch.
        return 1 / ratio if _SHARP[0] <= asked * ratio < _SHARP[1] else asked

    def _asked_scale(self) -> float:
        size = self._picture_size()
        if not size.isValid() or self._zoom is Zoom.FIXED:
            return self._factor * _SCREEN_DPI / self._dpi
        # The bars' own room is always taken off, so that a bar coming and going cannot make the page flicker between two sizes.
        room = self.maximumViewportSize()
        across = (room.width() - 2 * _MARGIN_PX - self.verticalScrollBar().sizeHint().width()) / size.width()
        down = (room.height() - 2 * _MARGIN_PX) / size.height()
        return max(0.02, across if self._zoom is Zoom.FIT_WIDTH else min(across, down))

    def _scaled_size(self) -> QSize:
        size = self._picture_size()
        scale = self._scale()
        return QSize(round(size.width() * scale), round(size.height() * scale)) if size.isValid() else QSize()

    def _measure(self) -> None:
        self._drop_scaled()
        size, room = self._scaled_size(), self.viewport().size()
        total = QSize(size.width() + 2 * _MARGIN_PX, size.height() + 2 * _MARGIN_PX) if size.isValid() else QSize(0, 0)
        for bar, wanted, have in (
            (self.verticalScrollBar(), total.height(), room.height()),
            (self.horizontalScrollBar(), total.width(), room.width()),
        ):
            bar.setRange(0, max(0, wanted - have))
            bar.setPageStep(have)
            bar.setSingleStep(_STEP_PX)
        self.zoom_changed.emit(self.zoom_percent())

    def _ask_resolution(self) -> None:
        if self._picture is None:
            return
        wanted = int(self._dpi * self._scale() * self.devicePixelRatioF() + 0.001)  # rounded down: never wider than its place
        wanted = max(_WANTED_DPI[0], min(_WANTED_DPI[1], wanted))
        if abs(wanted - self._dpi) > _SAME_DPI:
            self.resolution_wanted.emit(wanted)

    # Memory -----------------------------------------------------------------------------------------------------------------------------

    def _wipe(self) -> None:
        if self._picture is not None and not self._picture.isNull():
            self._picture.fill(0)  # in place while we hold the only reference
        self._picture = None
        if self.speech is not None:
            self.speech.tell("")
        self._page_px = None
        self.viewport().setMouseTracking(False)
        self._drop_band()
        self._drop_scaled()

    def _drop_band(self) -> None:
        if self._band is not None and not self._band[0].isNull():
            self._band[0].fill(0)
        self._band = None

    def _drop_scaled(self) -> None:
        if self._scaled is not None:
            self._scaled.fill(0)
        self._scaled = None

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """Forget the page when it is no longer looked at."""
        self.clear()
        super().hideEvent(event)

    # Paint ------------------------------------------------------------------------------------------------------------------------------

    def _page_rect(self) -> QRect:
        """Give where the page lies in the viewport, in logical pixels."""
        size, room = self._scaled_size(), self.viewport().size()
        left = max(_MARGIN_PX, (room.width() - size.width()) // 2) - self.horizontalScrollBar().value()
        top = max(_MARGIN_PX, (room.height() - size.height()) // 2) - self.verticalScrollBar().value()
        return QRect(QPoint(left, top), size)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the page and its highlights, or the reason there is none."""
        painter = QPainter(self.viewport())
        room = self.viewport().rect()
        if self._covers and self._picture is not None:
            self._paint_cover(painter, room)
            painter.end()
            return
        page = self._page_rect() if self._picture is not None else QRect()
        for part in _around(room, page):  # the page covers its own place: painting that twice costs as much as the page
            painter.fillRect(part, theme.colour(Colour.BACKDROP))
        if self._picture is not None:
            self._paint_page(painter)
        elif self._reason is not None:
            self._paint_reason(painter, self._reason)
        if self.hasFocus():
            for part in _around(room, room.adjusted(2, 2, -2, -2)):
                painter.fillRect(part, theme.colour(Colour.ACCENT_TEXT))
        painter.end()
        if self._unpainted:
            self._unpainted = False
            page_no = self._page_no
            QTimer.singleShot(0, self, lambda: self.painted.emit(page_no))  # after the frame has been handed to the screen

    def _paint_cover(self, painter: QPainter, room: QRect) -> None:
        if Cover.CAPTURE in self._covers:
            painter.fillRect(room, Qt.GlobalColor.black)
        else:
            painter.fillRect(room, theme.colour(Colour.BACKDROP))
            self._paint_reason(painter, (IconName.BLANKED, strings.text("reader.away"), strings.text("reader.away_why")))

    def _paint_page(self, painter: QPainter) -> None:
        assert self._picture is not None
        at, ratio = self._page_rect(), self.devicePixelRatioF()
        wanted = QSize(round(at.width() * ratio), round(at.height() * ratio))
        same = (
            self._quarters == 0 and abs(wanted.width() - self._picture.width()) <= 1 and abs(wanted.height() - self._picture.height()) <= 1
        )
        if same:
            shown = self._picture
        else:
            shown = self._scaled = self._scaled or self._make_scaled(wanted)
        shown.setDevicePixelRatio(ratio)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)  # a page is opaque: copied, not blended
        painter.drawImage(at.topLeft(), shown)
        if self._band is not None:
            self._paint_band(painter, at, *self._band)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setPen(QPen(theme.colour(Colour.EDGE), 1))
        painter.drawRect(at.adjusted(-1, -1, 0, 0))
        for index, mark in enumerate(self._marks):
            self._paint_mark(painter, at, mark, current=index == self._current_mark)

    def _paint_band(self, painter: QPainter, page: QRect, band: QImage, where: QRectF) -> None:
        place = self._on_page(where).translated(page.topLeft())
        turned = band.transformed(QTransform().rotate(_QUARTER * self._quarters)) if self._quarters else band
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, turned)
        painter.setPen(QPen(theme.colour(Colour.ACCENT), 1))  # the reading line, where the pixels end
        for edge in (place.top(), place.bottom()):
            painter.drawLine(QPointF(page.left(), edge), QPointF(page.right(), edge))

    def _make_scaled(self, wanted: QSize) -> QImage:
        assert self._picture is not None
        self._picture.setDevicePixelRatio(1.0)
        source = self._picture
        if self._quarters:
            source = source.transformed(QTransform().rotate(_QUARTER * self._quarters))
        return source.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)

    def _on_page(self, mark: QRectF) -> QRectF:
        """Turn fractions of the unrotated page into logical pixels of the page as shown."""
        size = self._scaled_size()
        x, y, w, h = mark.x(), mark.y(), mark.width(), mark.height()
        for _ in range(self._quarters):
            x, y, w, h = 1 - y - h, x, h, w
        return QRectF(x * size.width(), y * size.height(), w * size.width(), h * size.height())

    def _paint_mark(self, painter: QPainter, page: QRect, mark: QRectF, *, current: bool) -> None:
        at = self._on_page(mark).translated(page.topLeft()).adjusted(-2, -2, 2, 2)
        # Multiply darkens the paper and keeps the words.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.fillRect(at, theme.colour(Colour.FOUND_CURRENT if current else Colour.FOUND))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        if current:
            painter.setPen(QPen(theme.colour(Colour.FOUND_EDGE), 2))
            painter.drawRect(at)

    def _paint_reason(self, painter: QPainter, reason: tuple[IconName, str, str]) -> None:
        icon, title, sentence = reason
        room = self.viewport().rect()
        width = min(440, room.width() - 32)
        at = QRect((room.width() - width) // 2, (room.height() - 148) * 2 // 5, width, 148)
        painting.panel(painter, at, Colour.SURFACE_1, Colour.EDGE)
        paint_icon(painter, QRect(at.center().x() - 14, at.top() + 20, 28, 28), icon, theme.colour(Colour.TEXT_QUIET))
        heading = QRect(at.left() + 16, at.top() + 56, width - 32, 24)
        painting.line(painter, heading, title, Colour.TEXT, theme.font(TypeSize.TITLE, Weight.STRONG), Qt.AlignmentFlag.AlignHCenter)
        painter.setFont(theme.font())
        painter.setPen(theme.colour(Colour.TEXT_QUIET))
        words = QRect(at.left() + 16, at.top() + 86, width - 32, 52)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.TextFlag.TextWordWrap), sentence)

    # Keys and wheel -----------------------------------------------------------------------------------------------------------------------

    def _reveal(self, mark: QRectF) -> None:
        for bar, start, length in (
            (self.verticalScrollBar(), mark.top() + _MARGIN_PX, mark.height()),
            (self.horizontalScrollBar(), mark.left() + _MARGIN_PX, mark.width()),
        ):
            if not bar.value() <= start <= bar.value() + bar.pageStep() - length:
                bar.setValue(round(start - bar.pageStep() / 3))

    def _scroll_or_turn(self, forward: bool) -> None:
        bar = self.verticalScrollBar()
        if bar.value() == (bar.maximum() if forward else bar.minimum()):
            self.turn_requested.emit(Turn.NEXT if forward else Turn.PREVIOUS)
        else:
            bar.setValue(bar.value() + (1 if forward else -1) * max(_STEP_PX, bar.pageStep() - _STEP_PX))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Scroll, turn and zoom; everything else is the reader's."""
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        keys = self._control_keys() if control else self._plain_keys(shift=shift)
        act = keys.get(Qt.Key(key))
        if act is None:
            event.ignore()
        else:
            act()

    def _control_keys(self) -> dict[Qt.Key, Callable[[], object]]:
        return {
            Qt.Key.Key_Plus: self.zoom_in,
            Qt.Key.Key_Equal: self.zoom_in,
            Qt.Key.Key_Minus: self.zoom_out,
            Qt.Key.Key_0: lambda: self.set_zoom(Zoom.FIT_PAGE),
        }

    def _plain_keys(self, *, shift: bool) -> dict[Qt.Key, Callable[[], object]]:
        down = self.verticalScrollBar()
        return {
            Qt.Key.Key_Down: lambda: self._step(down, 1),
            Qt.Key.Key_Up: lambda: self._step(down, -1),
            Qt.Key.Key_Space: lambda: self._step(down, -1 if shift else 1) if self.is_fenced() else self._scroll_or_turn(not shift),
            **({Qt.Key.Key_Period: self.raise_line, Qt.Key.Key_Comma: self.lower_line} if self.is_fenced() else {}),
            Qt.Key.Key_PageDown: lambda: self.turn_requested.emit(Turn.NEXT),
            Qt.Key.Key_PageUp: lambda: self.turn_requested.emit(Turn.PREVIOUS),
            Qt.Key.Key_Home: lambda: self.turn_requested.emit(Turn.FIRST),
            Qt.Key.Key_End: lambda: self.turn_requested.emit(Turn.LAST),
            Qt.Key.Key_Right: lambda: self._across(forward=True),
            Qt.Key.Key_Left: lambda: self._across(forward=False),
            Qt.Key.Key_Plus: self.zoom_in,
            Qt.Key.Key_Minus: self.zoom_out,
            Qt.Key.Key_W: lambda: self.set_zoom(Zoom.FIT_WIDTH),
            Qt.Key.Key_P: lambda: self.set_zoom(Zoom.FIT_PAGE),
            Qt.Key.Key_R: self.rotate,
        }

    def _step(self, down: QScrollBar, way: int) -> None:
        """Scroll a step; on a fenced page move the reading line, and turn the page where it ends; a page that speaks says the next line."""
        if self.speech is not None and self.speech.has_words():
            if not self.speech.move(way):
                self.turn_requested.emit(Turn.NEXT if way > 0 else Turn.PREVIOUS)
            return
        if not self.is_fenced():
            down.setValue(down.value() + way * _STEP_PX)
            return
        before = self._line
        self._move_line(before + way * _LINE_STEP * self._line_height, reveal=True)
        if self._line == before:
            self.turn_requested.emit(Turn.NEXT if way > 0 else Turn.PREVIOUS)

    def _across(self, *, forward: bool) -> None:
        across = self.horizontalScrollBar()
        if across.maximum() == 0:
            self.turn_requested.emit(Turn.NEXT if forward else Turn.PREVIOUS)
        else:
            across.setValue(across.value() + (_STEP_PX if forward else -_STEP_PX))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 -- Qt's name
        """Scroll; Ctrl zooms; a notch beyond the end turns the page."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if delta.y():
                (self.zoom_in if delta.y() > 0 else self.zoom_out)()
            return
        bar = self.verticalScrollBar()
        before = bar.value()
        across = self.horizontalScrollBar()
        across.setValue(across.value() - delta.x())
        bar.setValue(before - delta.y())
        self._line_at_pointer(event.position().toPoint())
        if delta.y() and bar.value() == before:
            self._wheel += delta.y()
            if abs(self._wheel) >= 2 * _NOTCH:
                self.turn_requested.emit(Turn.PREVIOUS if self._wheel > 0 else Turn.NEXT)
                self._wheel = 0
        else:
            self._wheel = 0

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu."""
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Fit again."""
        super().resizeEvent(event)
        self._measure()
        self._settle.start()


def _around(outer: QRect, inner: QRect) -> list[QRect]:
    """Give what of `outer` is not covered by `inner`: at most four bands."""
    covered = outer.intersected(inner)
    if covered.isEmpty():
        return [outer]
    bands = [
        QRect(outer.left(), outer.top(), outer.width(), covered.top() - outer.top()),
        QRect(outer.left(), covered.bottom() + 1, outer.width(), outer.bottom() - covered.bottom()),
        QRect(outer.left(), covered.top(), covered.left() - outer.left(), covered.height()),
        QRect(covered.right() + 1, covered.top(), outer.right() - covered.right(), covered.height()),
    ]
    return [band for band in bands if not band.isEmpty()]
