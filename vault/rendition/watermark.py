"""The watermark, burned into a page's pixels at the moment of disclosure.

Rules:

- Black letters with a white edge, both at 14 % opacity: seen on white, on black and on grey, read through everywhere.
- A diagonal lattice: every screen-sized part of a page carries it whole, and cropping it away takes the page along.
- The stamp is drawn once for its text and size and kept; a page costs the pixels under the letters only (small blocks, not the page).
- `burned` gives the pixels back as they were, so that a cached page is never marked with a minute that has passed.

LIMIT: a watermark says who was shown a page, it does not stop a camera, and an image editor can weaken it.
"""

from __future__ import annotations

import io
import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from vault.rendition.canvas import POINTS_PER_INCH, Canvas

OPACITY: Final = 36  # of 255: 14.1 %
_ANGLE_DEGREES: Final = 30
_LETTER_PT: Final = 8.5
_LINE_STEP: Final = 1.3  # of the letter size
_LETTER_PX_MIN: Final = 11
_LETTER_PX_MAX: Final = 48
_BLOCK_PX: Final = 40  # smaller: less empty area blended; larger: fewer calls
_GAP: Final = 2.1  # lattice step as a multiple of the stamp
_STAMPS_KEPT: Final = 8
_LINE_CHARACTERS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class _Block:
    """A square part of a stamp that carries ink."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    ink: Image.Image
    mask: Image.Image


@dataclass(frozen=True, slots=True)
class _Stamp:
    """The mark drawn once."""

    width_px: int
    height_px: int
    blocks: tuple[_Block, ...]


class Watermarker:
    """Draws stamps and burns them in. One per worker."""

    def __init__(self, font: bytes) -> None:
        """Take the TrueType font the stamps are written in."""
        self._font = font
        self._stamps: OrderedDict[tuple[tuple[str, ...], int], _Stamp] = OrderedDict()

    def draw(self, lines: tuple[str, ...], dpi: float) -> None:
        """Draw the stamp that `burned` will want, while nobody waits: the first of a minute costs more than a prepared page."""
        self._stamp(lines, _letter_px(dpi))

    @contextmanager
    def burned(self, canvas: Canvas, lines: tuple[str, ...], dpi: float) -> Iterator[None]:
        """Mark the canvas for the length of the ``with`` block; afterwards its pixels are as before.

        Args:
            canvas: an opaque page.
            lines: what to write, 1 or more.
            dpi: the resolution the page was rendered at; letters are 8.5 pt high within readable bounds.
        """
        stamp = self._stamp(lines, _letter_px(dpi))
        page = _image_over(canvas)
        pixels = page.im  # Pillow's C picture: its own paste and crop spend longer in Python than in the pixels
        covered: list[tuple[Any, tuple[int, int, int, int]]] = []
        for left, top in _lattice(canvas, stamp):
            for block in stamp.blocks:
                box = (left + block.x_px, top + block.y_px, left + block.x_px + block.width_px, top + block.y_px + block.height_px)
                if box[2] > 0 and box[3] > 0 and box[0] < page.width and box[1] < page.height:
                    covered.append((pixels.crop(box), box))
                    pixels.paste(block.ink.im, box, block.mask.im)
        try:
            yield
        finally:
            for before, box in reversed(covered):
                pixels.paste(before, box)

    def _stamp(self, lines: tuple[str, ...], letter_px: int) -> _Stamp:
        key = (lines, letter_px)
        stamp = self._stamps.get(key)
        if stamp is None:
            stamp = self._stamps[key] = self._draw(lines, letter_px)
            if len(self._stamps) > _STAMPS_KEPT:
                self._stamps.popitem(last=False)
        return stamp

    def _draw(self, lines: tuple[str, ...], letter_px: int) -> _Stamp:
        font = ImageFont.truetype(io.BytesIO(self._font), letter_px, layout_engine=ImageFont.Layout.BASIC)
        edge_px = max(1, letter_px // 14)
        step_px = round(letter_px * _LINE_STEP)
        texts = [line[:_LINE_CHARACTERS_MAX] for line in lines]
        width_px = max(math.ceil(font.getlength(text)) for text in texts) + 2 * edge_px
        letters, outline = (Image.new("L", (width_px, step_px * len(texts) + 2 * edge_px)) for _ in range(2))
        for row, text in enumerate(texts):
            place = (edge_px, edge_px + row * step_px)
            ImageDraw.Draw(letters).text(place, text, 255, font)
            ImageDraw.Draw(outline).text(place, text, 255, font, stroke_width=edge_px)
        letters, outline = (part.rotate(_ANGLE_DEGREES, Image.Resampling.BILINEAR, expand=True) for part in (letters, outline))
        grey = letters.point([255 - level for level in range(256)])  # letters black, their edge white
        ink = Image.merge("RGBX", (grey, grey, grey, Image.new("L", grey.size, 255)))
        mask = outline.point([level * OPACITY // 255 for level in range(256)])
        return _Stamp(mask.width, mask.height, tuple(_blocks(ink, mask)))


def _letter_px(dpi: float) -> int:
    return min(max(round(_LETTER_PT * dpi / POINTS_PER_INCH), _LETTER_PX_MIN), _LETTER_PX_MAX)


def _blocks(ink: Image.Image, mask: Image.Image) -> Iterator[_Block]:
    for top in range(0, mask.height, _BLOCK_PX):
        for left in range(0, mask.width, _BLOCK_PX):
            square = (left, top, min(left + _BLOCK_PX, mask.width), min(top + _BLOCK_PX, mask.height))
            used = mask.crop(square).getbbox()
            if used is not None:
                box = (left + used[0], top + used[1], left + used[2], top + used[3])
                yield _Block(box[0], box[1], used[2] - used[0], used[3] - used[1], ink.crop(box), mask.crop(box))


def _lattice(canvas: Canvas, stamp: _Stamp) -> Iterator[tuple[int, int]]:
    """Give the places of the stamps: rows staggered by half a step, the first one whole in the page's corner."""
    step_x, step_y = int(stamp.width_px * _GAP), int(stamp.height_px * _GAP)
    for row, top in enumerate(range(0, canvas.size.height_px, step_y)):
        for left in range(-(row % 2) * step_x // 2, canvas.size.width_px, step_x):
            yield left, top


def _image_over(canvas: Canvas) -> Image.Image:
    size = (canvas.size.width_px, canvas.size.height_px)
    image = Image.frombuffer("RGBX", size, canvas.pixels, "raw", "RGBX", canvas.size.stride_bytes, 1)
    image.readonly = 0  # Pillow copies before the first paste otherwise; the buffer is ours to write
    return image
