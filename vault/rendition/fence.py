"""Fence reading inside the worker: the marked page stays here; out go a veil of it, and one band at a time.

Rules:

- A veil has `VEIL_DPI` dots an inch: a quarter of an inch a dot, the mean of what is there. Where paragraphs and pictures stand can be
  seen; letters of a heading of some 40 points are the smallest that leave a shape.
- A band is a rectangle of the marked page, copied row by row. What is outside it does not leave the worker.
- One marked page is kept, the last; it is overwritten by the next and dropped with its document.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

from vault.rendition.canvas import BYTES_PER_PIXEL, PixelSize

VEIL_DPI: Final = 4

Band = tuple[float, float, float, float]  # left, top, right, bottom as fractions of the picture


def write_veil(pixels: bytearray, size: PixelSize, dpi: float, slot: memoryview) -> PixelSize:
    """Write the veil of a page into `slot`; give its size."""
    block_px = max(1, round(dpi / VEIL_DPI))
    page = Image.frombuffer("RGBX", (size.width_px, size.height_px), pixels, "raw", "RGBX", 0, 1)
    veil = page.reduce(block_px)
    written = PixelSize(veil.width, veil.height)
    slot[: written.size_bytes] = veil.tobytes("raw", "RGBX")
    return written


def band_px(band: Band, size: PixelSize) -> tuple[int, int, int, int]:
    """Give left, top, width and height in pixels; at least one pixel, within the page."""
    left, top, right, bottom = (min(max(one, 0.0), 1.0) for one in band)
    x, y = min(int(left * size.width_px), size.width_px - 1), min(int(top * size.height_px), size.height_px - 1)
    return x, y, max(1, round(right * size.width_px) - x), max(1, round(bottom * size.height_px) - y)


def write_band(pixels: bytearray, size: PixelSize, band: Band, slot: memoryview) -> tuple[int, int, int, int]:
    """Write the pixels of a band into `slot`, rows without a gap; give where it lies, as `band_px`."""
    x, y, width_px, height_px = band_px(band, size)
    page, row_bytes = memoryview(pixels), width_px * BYTES_PER_PIXEL
    for row in range(height_px):
        at = (y + row) * size.stride_bytes + x * BYTES_PER_PIXEL
        slot[row * row_bytes : (row + 1) * row_bytes] = page[at : at + row_bytes]
    return x, y, width_px, height_px
