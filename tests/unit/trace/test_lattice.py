"""Geometry: a tile drawn under a known scale, turn and shift is found where it lies."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from PIL import Image

from vault.domain.trace import CHIPS_BYTES, TILE_PX, threshold
from vault.rendition.tracing import draw_tile
from vault.trace.detector import readings_of, scores
from vault.trace.lattice import FINE, Lattice, Window, estimates, folded, place, spectrum, waves_in, windows
from vault.trace.paper import halved, paper_of

CHIPS = random.Random(5).randbytes(CHIPS_BYTES)


def paper(width: int, height: int, scale: float, turn_degrees: float = 0.0, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """White paper with the mark, as a picture of it shows it."""
    tile = draw_tile(CHIPS)
    side = math.ceil((width + height) / scale / TILE_PX) + 2
    lattice = Image.new("L", (side * TILE_PX, side * TILE_PX))
    for x in range(side):
        for y in range(side):
            lattice.paste(tile, (x * TILE_PX, y * TILE_PX))
    white = lattice.point([255 - level for level in range(256)])
    angle = math.radians(turn_degrees)
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    middle = side * TILE_PX / 2
    to_source = (
        cosine,
        sine,
        shift[0] + middle - (cosine * width + sine * height) / 2,
        -sine,
        cosine,
        shift[1] + middle - (-sine * width + cosine * height) / 2,
    )
    return np.asarray(white.transform((width, height), Image.Transform.AFFINE, to_source, Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("scale", "turn"), [(0.4, 0), (0.5, 2), (0.63, -7), (0.8, 31), (0.5, 90), (0.5, 180), (0.7, -90)])
def test_scale_and_turn_are_found(scale: float, turn: float) -> None:
    found = paper_of(paper(700, 600, scale, turn))
    matrix, prominence = estimates(spectrum(found.signal, windows(600, 700)))[0]
    assert prominence > 6.5
    assert 1 / math.sqrt(abs(np.linalg.det(matrix))) / TILE_PX == pytest.approx(scale, rel=0.004)
    seen = math.degrees(math.atan2(matrix[0, 1], matrix[0, 0]))
    assert (seen - turn + 90) % 180 - 90 == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("shift", [(13, 101), (200, 55), (-40, 7)])
def test_a_tile_is_put_in_its_place(shift: tuple[int, int]) -> None:
    def place_of(by: tuple[int, int]) -> np.ndarray:
        found = paper_of(paper(512, 512, 0.5, 0, by))
        sums, _ = folded(found, Lattice(np.eye(2) / (TILE_PX * 0.5), (0.0, 0.0)), Window(0, 0, 512, 512))
        assert sums.shape == (FINE, FINE)
        at, match = place(waves_in(sums))
        assert match > 0.95
        return np.array(at)

    moved = (place_of(shift) - place_of((0, 0))) * TILE_PX - np.array(shift)
    assert np.abs((moved + TILE_PX / 2) % TILE_PX - TILE_PX / 2).max() < 1, "to a pixel of the screen"


@pytest.mark.parametrize(("scale", "turn"), [(1.0, 0), (0.5, 0), (2.0, 0), (1.3, 12), (1.0, 90), (0.8, 180), (1.1, 270)])
def test_chips_are_read_from_a_piece_of_paper(scale: float, turn: float) -> None:
    grey = paper(800, 640, scale, turn, (77, 31))
    best = scores(readings_of(grey), [CHIPS]).max()
    assert best > threshold(1_000_000)


def test_windows_cover_a_picture() -> None:
    for height, width in ((100, 90), (512, 512), (513, 1000), (1999, 640)):
        seen = np.zeros((height, width), bool)
        for one in windows(height, width):
            assert one.right - one.left <= 512
            seen[one.top : one.bottom, one.left : one.right] = True
        assert seen.all()


def test_print_counts_for_nothing_and_paper_for_much() -> None:
    grey = np.full((200, 200), 250, np.uint8)
    grey[80:90, 40:160] = 10
    found = paper_of(grey)
    assert found.weights[85, 100] < 0.01
    assert found.weights[20, 20] > 0.9
    assert abs(float(found.differences[20, 20])) < 0.5


def test_halving_keeps_the_mean() -> None:
    levels = np.arange(35, dtype=np.float32).reshape(5, 7)
    assert halved(levels).shape == (2, 3)
    assert float(halved(levels)[0, 0]) == pytest.approx((0 + 1 + 7 + 8) / 4)
