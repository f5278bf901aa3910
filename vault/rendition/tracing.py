"""The invisible mark of a page view, taken off a page's light while it is copied to the screen's memory.

Rules:

- The tile is drawn once for its chips: chips as smooth bumps, the template's waves beneath, 0 to 4 grey levels.
- The page in the cache stays as it was rendered: the mark is subtracted on the way into the slot, in place of a plain copy.
- Subtraction is modulo 256, which costs a third of the one that stops at 0; so a rendered page is first lifted to `FLOOR`, and black is
  nowhere darker than that (`lift`). The visible stamp, drawn before, darkens a pixel by a seventh at most.
- The worker never holds the key: it is given the chips of one view.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image, ImageChops

from vault.domain.trace import LEVELS_MAX, TEMPLATE, TILE_CHIPS, TILE_PX
from vault.rendition.canvas import BYTES_PER_PIXEL, Canvas

FLOOR: Final = 8  # after two crossing stamps still not below LEVELS_MAX
_MARGIN_CHIPS: Final = 4  # round the tile while it is smoothed: its edges must fit the next tile's
_UNITS: Final = 24  # steps a grey level while the tile is composed
_CHIP_LEVELS: Final = 1.0  # a chip's share of the mark: so many grey levels lighter or darker
_WAVE_LEVELS: Final = 0.26  # each wave's
_TURN: Final = 256


class Tracer:
    """Marks pages. One per worker."""

    def __init__(self) -> None:
        """Draw the template, which is the same for every view."""
        self._template = _template()
        self._strip: Any = None  # a row of tiles as wide as the page
        self._drawn: tuple[bytes, int] | None = None

    def copy_marked(self, canvas: Canvas, chips: bytes, slot: memoryview) -> None:
        """Copy a page that went through `lift` into `slot`, with the mark of `chips` (CHIPS_BYTES, rows of 32 bits)."""
        width_px, height_px, stride = canvas.size.width_px, canvas.size.height_px, canvas.size.stride_bytes
        strip = self._strip_for(chips, width_px)
        page = memoryview(canvas.pixels)
        for begin, rows in _steps(height_px):
            part = slice(begin * stride, (begin + rows) * stride)
            source, target = (_over(memory[part], width_px, rows) for memory in (page, slot))
            # Pillow's C pictures: chop_subtract_modulo takes the smaller of both sizes, and the page's last step may be lower than a tile.
            target.im.paste(source.im.chop_subtract_modulo(strip), (0, 0, width_px, rows))

    def prepare(self, chips: bytes, width_px: int) -> None:
        """Draw the tile ahead."""
        self._strip_for(chips, width_px)

    def _strip_for(self, chips: bytes, width_px: int) -> Any:  # noqa: ANN401 - Pillow's C picture has no type
        if self._drawn != (chips, width_px):
            tile = draw_tile(chips, self._template)
            wide = Image.new("RGBX", (width_px, TILE_PX))
            coloured = Image.merge("RGBX", (tile, tile, tile, Image.new("L", tile.size, 0)))
            for left in range(0, width_px, TILE_PX):
                wide.paste(coloured, (left, 0))
            self._strip = wide.im
            self._drawn = (chips, width_px)
        return self._strip


def lift(canvas: Canvas) -> None:
    """Raise every level below `FLOOR` to it. Once a rendered page, before it is marked."""
    width_px, stride = canvas.size.width_px, canvas.size.stride_bytes
    ground = Image.new("RGBX", (width_px, TILE_PX), (FLOOR, FLOOR, FLOOR, 255)).im
    page = memoryview(canvas.pixels)
    for begin, rows in _steps(canvas.size.height_px):
        part = _over(page[begin * stride : (begin + rows) * stride], width_px, rows)
        part.im.paste(part.im.chop_lighter(ground), (0, 0, width_px, rows))


def draw_tile(chips: bytes, template: Image.Image | None = None) -> Image.Image:
    """Draw the tile of a view: TILE_PX square, 0 (untouched) to LEVELS_MAX (darkest)."""
    strength = round(_CHIP_LEVELS * _UNITS)
    signs = Image.frombytes("1", (TILE_CHIPS, TILE_CHIPS), chips).convert("L").point([128 - strength] * 128 + [128 + strength] * 128)
    around = Image.new("L", (TILE_CHIPS + 2 * _MARGIN_CHIPS,) * 2)
    for left in (_MARGIN_CHIPS - TILE_CHIPS, _MARGIN_CHIPS, _MARGIN_CHIPS + TILE_CHIPS):
        for top in (_MARGIN_CHIPS - TILE_CHIPS, _MARGIN_CHIPS, _MARGIN_CHIPS + TILE_CHIPS):
            around.paste(signs, (left, top))
    inner = (_MARGIN_CHIPS, _MARGIN_CHIPS, _MARGIN_CHIPS + TILE_CHIPS, _MARGIN_CHIPS + TILE_CHIPS)
    bumps = around.resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC, box=inner)
    both = ImageChops.add(bumps, template or _template(), 1, -128)
    middle = LEVELS_MAX / 2
    return both.point([min(max(round(middle - (sum_ - 128) / _UNITS), 0), LEVELS_MAX) for sum_ in range(256)])


def _template() -> Image.Image:
    """The sum of the waves in units, 128 in the middle."""
    strength = _WAVE_LEVELS * _UNITS
    middle = math.ceil(strength)
    waves = Image.new("L", (TILE_PX, TILE_PX), 128)
    for right, down, phase in TEMPLATE:
        turn = bytes(round(middle + strength * math.cos(2 * math.pi * (at / TILE_PX + phase / _TURN))) for at in range(TILE_PX))
        step = right % TILE_PX
        long = turn * (step + 1)
        rows = (long[down * y % TILE_PX :][: step * TILE_PX : step] for y in range(TILE_PX))
        waves = ImageChops.add(waves, Image.frombytes("L", (TILE_PX, TILE_PX), b"".join(rows)), 1, -middle)
    return waves


def _steps(height_px: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, height_px, TILE_PX):
        yield begin, min(TILE_PX, height_px - begin)


def _over(pixels: memoryview, width_px: int, rows: int) -> Image.Image:
    image = Image.frombuffer("RGBX", (width_px, rows), pixels, "raw", "RGBX", width_px * BYTES_PER_PIXEL, 1)  # type: ignore[arg-type] # any buffer will do
    image.readonly = 0  # Pillow copies before the first paste otherwise; the buffer is ours to write
    return image
