"""Reads the window: looks for words in a picture of the screen, pixel by pixel as the desk's own kit paints them.

Case text is painted and readable by no assistive technology, so the screen itself is what there is to read. Words are found where the same
face, ink and ground put the same pixels, with nothing beside them: ``cp`` is not found in ``cpio``.

Needs the X server the desk paints on: another server may smooth letters otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from ui import theme
from ui.theme import Colour, TypeSize, Weight
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText

Pixels = npt.NDArray[np.uint32]

_BESIDE_PX = 14  # ground that must be left and right of words
_APART_PX = 2  # how far the tops of a label and its value may be apart


@dataclass(frozen=True, slots=True)
class _Stencil:
    """Words as pixels: the box of their ink, and where in the widget it lies."""

    pixels: Pixels
    left: int
    top: int


class PaintedWords:
    """Paints words as the kit does. One a process: it makes the application."""

    def __init__(self) -> None:
        app = QApplication.instance() or QApplication(["casevault", *theme.STYLE_ARGUMENTS, "-platform", "xcb"])
        assert isinstance(app, QApplication)
        self._app = app
        theme.apply_first(app)
        theme.follow_system(app)

    def on(self, picture: Path) -> Seen:
        """Look at a picture of the screen."""
        return Seen(_array(QImage(str(picture)).convertToFormat(QImage.Format.Format_RGB32)))


class Seen:
    """What a picture of the screen shows of a report."""

    def __init__(self, screen: Pixels) -> None:
        self._screen = screen
        colours, counts = np.unique(screen, return_counts=True)
        self._often = dict(zip(colours.tolist(), counts.tolist(), strict=True))

    def report_no(self, words: str) -> bool:
        """Whether the report of that number is the one that is open."""
        return bool(self._places(_stencil(Label(words, TypeSize.SMALL, role=Colour.TEXT_QUIET, mono=True))))

    def remark(self, words: str) -> bool:
        """Whether the window itself says this below a report's number."""
        return bool(self._places(_stencil(Label(words, role=Colour.TEXT_QUIET))))

    def sentence(self, words: str, width_px: int) -> bool:
        """Whether the report's sentence stands there, broken into lines at that width."""
        text = PaintedText(TypeSize.TITLE, Weight.MEDIUM)
        text.show_text(words)
        return bool(self._places(_stencil(text, width_px)))

    def fact(self, name: str, value: str, width_px: int) -> bool:
        """Whether `value`, broken into lines at that width, stands in the row that is called `name`; without one, in any row."""
        text = PaintedText(tabular=True)
        text.show_text(value)
        values = self._places(_stencil(text, width_px))
        if not name or not values:
            return bool(values)
        names = self._places(_stencil(Label(name, TypeSize.SMALL, role=Colour.TEXT_QUIET)))
        return any(0 < at[0] - of[0] < width_px and abs(at[1] - of[1]) <= _APART_PX for at in values for of in names)

    def _places(self, stencil: _Stencil) -> list[tuple[int, int]]:
        """Where on the screen the widget with these pixels would have its corner, (x, y)."""
        wanted = stencil.pixels
        height, width = wanted.shape
        row, column = min(np.ndindex(height, width), key=lambda at: self._often.get(int(wanted[at]), 0))  # the rarest: few places to try
        found = []
        for y, x in zip(*np.nonzero(self._screen == wanted[row, column]), strict=True):
            top, left = int(y) - row, int(x) - column
            if top >= 0 and left >= 0 and np.array_equal(self._screen[top : top + height, left : left + width], wanted):
                found.append((left - stencil.left, top - stencil.top))
        return found


def _stencil(widget: QWidget, width_px: int = 0) -> _Stencil:
    """Paint a widget on a report's ground and cut out its ink, with the ground beside it."""
    wanted = widget.sizeHint()
    width = width_px or wanted.width()
    widget.resize(width, widget.heightForWidth(width) if widget.hasHeightForWidth() else wanted.height())
    image = QImage(width + 2 * _BESIDE_PX, widget.height(), QImage.Format.Format_RGB32)
    image.fill(theme.colour(Colour.SURFACE_1))
    widget.render(image, QPoint(_BESIDE_PX, 0), renderFlags=QWidget.RenderFlag.DrawChildren)
    pixels = _array(image)
    rows, columns = np.nonzero(pixels != pixels[0, 0])
    assert len(rows), "words leave ink"
    left, right = columns.min() - _BESIDE_PX, columns.max() + _BESIDE_PX + 1
    return _Stencil(pixels[rows.min() : rows.max() + 1, left:right], int(left) - _BESIDE_PX, int(rows.min()))


def _array(image: QImage) -> Pixels:
    flat = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : image.width()]
    return (flat & 0xFFFFFF).astype(np.uint32)
