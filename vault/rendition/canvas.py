"""Pixels inside the worker: a page's picture before it is marked, and what every format module offers.

Rules:

- Four bytes a pixel: B, G, R and 255 (QImage Format_RGB32). Rows follow each other without a gap.
- A canvas never holds more than the client's pixel limit: `fit` lowers the resolution instead of refusing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from vault.errors import RefusedError
from vault.services.rendition import Rotation

BYTES_PER_PIXEL: Final = 4
POINTS_PER_INCH: Final = 72
_SIDE_PX_MAX: Final = 32_000  # QImage and pdfium both count in signed 16.16 somewhere; no screen needs more

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom as fractions of the page


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Width and height in pixels, both at least 1."""

    width_px: int
    height_px: int

    @property
    def stride_bytes(self) -> int:
        """Bytes from one row to the next."""
        return self.width_px * BYTES_PER_PIXEL

    @property
    def size_bytes(self) -> int:
        """Bytes of a whole picture."""
        return self.stride_bytes * self.height_px


@dataclass(slots=True)
class Canvas:
    """A buffer of `size.size_bytes` that a format module paints a whole page into."""

    size: PixelSize
    pixels: bytearray


class Document(Protocol):
    """One opened document, whatever its format. Pages start at 1; `page_no` has been checked by the caller.

    Raises: RefusedError document.page-refused, document.too-large, document.damaged.
    """

    @property
    def page_count(self) -> int:
        """How many pages, 1 or more."""

    def page_size(self, page_no: int) -> tuple[float, float]:
        """Width and height in points as shown without rotation."""

    def render(self, page_no: int, canvas: Canvas, rotation: Rotation) -> None:
        """Paint the page, scaled to the canvas, opaque everywhere."""

    def find(self, page_no: int, text: str, hits_max: int) -> list[Rectangle]:
        """Look for `text`, as `vault.domain.folding` has it."""

    def text(self, page_no: int, characters_max: int) -> str:
        """Give the text of the page in reading order, lines ended by a line feed; empty for a picture."""

    def rest(self) -> None:
        """Let go of what can be had again: another document is being read."""

    def close(self) -> None:
        """Let go of everything."""


def fit(page_size_pt: tuple[float, float], dpi: float, rotation: Rotation, pixel_max: int) -> PixelSize:
    """Give the pixel size of a page at `dpi`, scaled down where it would pass `pixel_max`.

    Raises:
        RefusedError: document.page-refused, the page has no area.
    """
    width_pt, height_pt = page_size_pt
    if not (math.isfinite(width_pt) and math.isfinite(height_pt) and width_pt > 0 and height_pt > 0):
        raise RefusedError("document.page-refused")
    if rotation in (Rotation.RIGHT, Rotation.LEFT):
        width_pt, height_pt = height_pt, width_pt
    scale = min(
        dpi / POINTS_PER_INCH,
        math.sqrt(pixel_max / (width_pt * height_pt)),
        _SIDE_PX_MAX / width_pt,
        _SIDE_PX_MAX / height_pt,
    )
    width_px, height_px = max(1, math.ceil(width_pt * scale)), max(1, math.ceil(height_pt * scale))
    if width_px * height_px > pixel_max:  # rounding up may pass the limit by one row and column
        width_px, height_px = max(1, math.floor(width_pt * scale)), max(1, math.floor(height_pt * scale))
    if width_px * height_px > pixel_max:
        raise RefusedError("document.page-refused")
    return PixelSize(width_px, height_px)
