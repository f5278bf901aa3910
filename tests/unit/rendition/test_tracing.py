"""The mark as it is drawn: what it does to a page's light, and what it never does."""

from __future__ import annotations

import random

import pytest
from PIL import Image, ImageChops, ImageStat

from tests import trace_trials
from vault.domain.trace import CHIPS_BYTES, LEVELS_MAX, TILE_PX
from vault.rendition.canvas import Canvas, PixelSize
from vault.rendition.tracing import FLOOR, Tracer, draw_tile, lift
from vault.rendition.watermark import Watermarker

CHIPS = random.Random(3).randbytes(CHIPS_BYTES)
# A page keeps its look: at most so many grey levels of 255 are taken away, in the mean over a page and anywhere.
MEAN_MOST = 2.3


def page(width: int, height: int, level: int) -> Canvas:
    return Canvas(PixelSize(width, height), bytearray(bytes((level, level, level, 255)) * (width * height)))


def marked(canvas: Canvas, chips: bytes = CHIPS) -> Image.Image:
    slot = bytearray(canvas.size.size_bytes)
    Tracer().copy_marked(canvas, chips, memoryview(slot))
    assert slot[3::4] == bytes([255]) * (len(slot) // 4), "the fourth byte stays 255"
    return Image.frombytes("RGB", (canvas.size.width_px, canvas.size.height_px), bytes(slot), "raw", "BGRX")


def test_a_tile_darkens_by_few_levels_and_fits_its_neighbour() -> None:
    tile = draw_tile(CHIPS)
    assert tile.size == (TILE_PX, TILE_PX)
    assert tile.getextrema() == (0, LEVELS_MAX)
    assert ImageStat.Stat(tile).mean[0] == pytest.approx(LEVELS_MAX / 2, abs=0.2)
    pairs = ((tile, ImageChops.offset(tile, 1, 0)), (tile, ImageChops.offset(tile, 0, 1)))
    for one, moved in pairs:
        steps = ImageChops.difference(one, moved)
        edge = steps.crop((0, 0, 1, TILE_PX)) if moved is pairs[0][1] else steps.crop((0, 0, TILE_PX, 1))
        assert max(edge.tobytes()) <= max(steps.tobytes()), "no seam between tiles"


def test_other_chips_are_another_tile() -> None:
    assert draw_tile(CHIPS).tobytes() != draw_tile(random.Random(4).randbytes(CHIPS_BYTES)).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (37, 63), (256, 64), (700, 1001), (1241, 130)])
def test_every_pixel_is_darkened_by_its_place_in_the_tile_whatever_the_size(size: tuple[int, int]) -> None:
    canvas = page(*size, 255)
    before = bytes(canvas.pixels)
    picture, tile = marked(canvas), draw_tile(CHIPS)
    for x, y in {(0, 0), (size[0] - 1, size[1] - 1), (size[0] // 2, size[1] // 2)}:
        assert picture.getpixel((x, y)) == (255 - tile.getpixel((x % TILE_PX, y % TILE_PX)),) * 3
    assert bytes(canvas.pixels) == before, "the page in the cache is not touched"


@pytest.mark.parametrize("level", [0, 1, FLOOR, 20, 128, 255])
def test_black_stays_black_under_stamp_and_mark(level: int) -> None:
    """Subtraction is modulo 256: a pixel below the mark's depth would come out white."""
    canvas = page(400, 500, level)
    lift(canvas)
    with Watermarker(trace_trials._fonts().watermark).burned(canvas, ("W" * 40, "M" * 40), 96):
        picture = marked(canvas).convert("L")
    highest = max(level, FLOOR)
    lightened = highest + (255 - highest) * 0.15  # the stamp's white edge
    assert picture.getextrema()[1] <= lightened + 1


@pytest.mark.parametrize("number", range(0, 29, 4))
def test_a_rendered_page_keeps_its_look(number: int) -> None:
    path, page_no = trace_trials.demo_pages()[number]
    canvas = trace_trials.rendered(path, page_no, 96)
    plain, bearing = (trace_trials.disclosed(canvas, 96, chips) for chips in (b"", CHIPS))
    taken = ImageChops.subtract(plain, bearing)
    assert ImageChops.subtract(bearing, plain).getextrema() == ((0, 0),) * 3, "nothing becomes lighter"
    assert max(ImageStat.Stat(taken).mean) <= MEAN_MOST
    assert max(high for _, high in taken.getextrema()) <= LEVELS_MAX
