"""Reads chips out of a picture and scores views against them.

Rules:

- Reading uses the public template only, so that every view that did not make the picture is independent of what was read: the ground of
  the bound in `vault.domain.trace`. At most READINGS_MAX readings are made of one picture, and each counts in that bound.
- A score is the correlation of a view's chips with the chips read, times the root of their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.domain.trace import CHIP_COUNT, CHIPS_BYTES, READINGS_MAX, TEMPLATE, TILE_CHIPS, TILE_PX
from vault.trace.lattice import (
    FINE,
    SCALE_MAX,
    SCALE_MIN,
    WINDOW_PX,
    Lattice,
    Matrix,
    Window,
    estimates,
    evidence,
    fit_waves,
    folded,
    place,
    spectrum,
    straightened,
    upright,
    waves_in,
    windows,
)
from vault.trace.paper import Levels, Paper, halved, paper_of

_SIDE_PX_MIN: Final = 100
_HALVINGS_MAX: Final = 3
_SIZE_PX_LIKED: Final = 200_000  # a picture halved to about this is tried first: enough to read, soon done
_SIZE_PX_MAX: Final = 2_400_000  # larger is only looked at halved
_PROMINENCE_PLAIN: Final = 7.5  # of an estimate that is followed at once, see `lattice.estimates`
_PROMINENCE_LEAST: Final = 4.8
_DOUBTFUL_TRIED: Final = 3
_TEMPLATE_LEAST: Final = 3.0  # evidence below which a reading is noise
_TEMPLATE_PLAIN: Final = 8.0  # evidence at which no further size is tried
_BENT_MOST: Final = 0.2  # how much a window's own lattice may differ from the picture's
_SLANT_MOST: Final = 1.5  # of a lattice's longer to its shorter side
_SCALE_SLACK: Final = 0.95  # beyond the scales looked for; what is larger still is read better from the picture halved
_CHANCE: Final = 2.5  # evidence that a window without a template may show
_SLOWEST: Final = 2.5  # cycles a tile; slower waves go with the ground
_FLOOR_SHARE: Final = 0.5
_CUBIC_REACH: Final = 2  # chips
_NYQUIST: Final = TILE_CHIPS // 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One attempt at a picture: CHIP_COUNT numbers of mean 0 and norm 1, more is lighter; how it was come by."""

    chips: NDArray[np.float32]
    evidence: float  # of the template, see `lattice.evidence`
    scale: float  # picture pixels a screen pixel
    way: str


@dataclass(frozen=True, slots=True)
class _Size:
    """A picture at one of the sizes it is looked at."""

    paper: Paper
    parts: list[Window]
    whole: Window
    reduced: int  # times smaller than the picture


def readings_of(grey: NDArray[np.uint8]) -> list[Reading]:
    """Read a picture every way that looks promising, best template first; none if it is too small. `grey` is height x width."""
    pictures: list[Levels] = [grey.astype(np.float32)]
    while len(pictures) <= _HALVINGS_MAX:
        pictures.append(halved(pictures[-1]))
    found: list[Reading] = []
    doubtful: list[tuple[float, Matrix, _Size]] = []
    for halvings in sorted(range(len(pictures)), key=lambda one: abs(math.log(max(1, pictures[one].size) / _SIZE_PX_LIKED))):
        levels = pictures[halvings]
        if min(levels.shape) < _SIDE_PX_MIN or levels.size > _SIZE_PX_MAX:
            continue
        height, width = levels.shape
        size = _Size(paper_of(levels), windows(height, width), Window(0, 0, width, height), 2**halvings)
        for matrix, prominence in estimates(spectrum(size.paper.signal, size.parts)):
            if prominence < _PROMINENCE_PLAIN:
                doubtful.append((prominence, matrix, size))
                continue
            found += _readings_from(matrix, size)
            if any(one.evidence >= _TEMPLATE_PLAIN for one in found):
                return _best(found)
    doubtful.sort(key=lambda one: -one[0])
    for prominence, matrix, size in doubtful[:_DOUBTFUL_TRIED]:
        if prominence >= _PROMINENCE_LEAST:
            found += _readings_from(matrix, size)
    return _best(found)


def _best(found: list[Reading]) -> list[Reading]:
    return sorted(found, key=lambda one: -one.evidence)[:READINGS_MAX]


def _readings_from(matrix: Matrix, size: _Size) -> list[Reading]:
    """Follow one estimate: as a flat picture and, if that does not fit well, as a bent one."""
    if not _sane(matrix) and not _sane(-matrix):
        return []
    found: list[Reading] = []
    standing = upright(size.paper, matrix, _middle_of(size.whole))
    flat = straightened(size.paper, standing, size.whole)
    if _sane(flat.matrix):
        found += _reading(*folded(size.paper, flat, size.whole), flat, size.reduced, "flat")
    if len(size.parts) > 1 and not any(one.evidence >= _TEMPLATE_PLAIN for one in found):
        found += _bent(size.paper, standing, size.parts, size.reduced)
    return found


def _bent(paper: Paper, matrix: Matrix, parts: list[Window], reduced: int) -> list[Reading]:
    """Every window by its own lattice, laid on one another."""
    sums, counts = np.zeros((FINE, FINE)), np.zeros((FINE, FINE))
    for part in parts:
        fitted = fit_waves(spectrum(paper.signal, [part]), matrix)
        start = fitted if _sane(fitted) and np.abs(fitted - matrix).max() < _BENT_MOST * np.abs(matrix).max() else matrix
        lattice = straightened(paper, start, part)
        if not _sane(lattice.matrix):
            continue
        one, weight = folded(paper, lattice, part)
        trust = max(0.0, evidence(one, lattice.match) - _CHANCE) ** 2
        sums += one * trust
        counts += weight * trust
    if not counts.any():
        return []
    return _reading(sums, counts, Lattice(matrix, (0.0, 0.0)), reduced, "bent")


def _middle_of(whole: Window) -> Window:
    side_x, side_y = min(whole.right, WINDOW_PX) // 2, min(whole.bottom, WINDOW_PX) // 2
    x, y = whole.right // 2, whole.bottom // 2
    return Window(x - side_x, y - side_y, x + side_x, y + side_y)


def _sane(matrix: Matrix) -> bool:
    """Whether a picture could show tiles like this at the size looked at."""
    longer, shorter = np.linalg.svd(matrix, compute_uv=False) * TILE_PX
    if not (np.isfinite(longer) and shorter > 0 and np.linalg.det(matrix) > 0):
        return False
    return bool(longer / shorter < _SLANT_MOST and longer < 1 / (SCALE_MIN * _SCALE_SLACK) and shorter > _SCALE_SLACK / SCALE_MAX)


def _reading(sums: NDArray[np.float64], counts: NDArray[np.float64], lattice: Lattice, reduced: int, way: str) -> list[Reading]:
    fold = sums / np.maximum(counts, 0.25 * counts.mean() + 1e-9)
    found = evidence(fold, place(waves_in(fold))[1])
    if found < _TEMPLATE_LEAST:
        return []
    scale = reduced / (float(np.sqrt(abs(np.linalg.det(lattice.matrix)))) * TILE_PX)
    return [Reading(_chips(fold), found, scale, way)]


def _chips(fold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Take a folded tile back to its chips: the waves out, noise and the shape of a chip evened, one number a chip."""
    frequencies = np.fft.fftfreq(FINE, 1 / FINE).astype(int)
    inside = np.abs(frequencies) < _NYQUIST
    kept = np.fft.fft2(fold - fold.mean())[np.ix_(inside, inside)]
    at = frequencies[inside]
    for right, down, _ in TEMPLATE:
        for sign in (1, -1):
            kept[np.flatnonzero(at == sign * down)[0], np.flatnonzero(at == sign * right)[0]] = 0
    shape = np.outer(_CHIP_SHAPE[np.abs(at)], _CHIP_SHAPE[np.abs(at)])
    power = _evened(np.abs(kept) ** 2, at)
    # What the ground took away is not to come back as noise: weak rings are not raised to the others' strength, the slowest are left out.
    kept = kept * shape / (power + _FLOOR_SHARE * np.median(power) + 1e-12)
    kept[np.hypot(*np.meshgrid(at, at)) < _SLOWEST] = 0
    # A chip's middle is half a chip on; a fold's place n stands for n + 1/2.
    delay = 0.5 / TILE_CHIPS - 0.5 / FINE
    turn = np.exp(2j * np.pi * at * delay)
    kept = kept * np.outer(turn, turn)
    small = np.zeros((TILE_CHIPS, TILE_CHIPS), complex)
    small[np.ix_(at % TILE_CHIPS, at % TILE_CHIPS)] = kept
    chips = np.fft.ifft2(small).real.ravel()
    chips -= chips.mean()
    norm = float(np.linalg.norm(chips))
    return (chips / norm if norm > 0 else chips).astype(np.float32)


def _evened(power: NDArray[np.float64], at: NDArray[np.int_]) -> NDArray[np.float64]:
    """Give the median power of each ring of frequencies."""
    ring = np.hypot(*np.meshgrid(at, at)).astype(int) // 2
    smooth = np.empty_like(power)
    for number in np.unique(ring):
        smooth[ring == number] = np.median(power[ring == number])
    return smooth


def _cubic(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pillow's bicubic kernel, a = -1/2."""
    far = np.abs(at)
    near = ((1.5 * far - 2.5) * far) * far + 1
    tail = (((-0.5 * far + 2.5) * far) - 4) * far + 2
    return np.where(far < 1, near, np.where(far < _CUBIC_REACH, tail, 0.0))


def _shape_of_a_chip() -> NDArray[np.float64]:
    """The strength with which a chip carries 0…15 cycles a tile, 1 at 0."""
    at = np.linspace(-2, 2, 401)
    return np.array(
        [float((_cubic(at) * np.cos(2 * np.pi * cycles * at / TILE_CHIPS)).sum() / _cubic(at).sum()) for cycles in range(_NYQUIST)]
    )


_CHIP_SHAPE: Final = _shape_of_a_chip()


def scores(readings: list[Reading], views: Iterable[bytes]) -> NDArray[np.float32]:
    """Score views (CHIPS_BYTES each) against readings: a row a view, a column a reading."""
    packed = np.frombuffer(b"".join(views), np.uint8).reshape(-1, CHIPS_BYTES)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    stacked = np.stack([one.chips for one in readings]) if readings else np.zeros((0, CHIP_COUNT), np.float32)
    result: NDArray[np.float32] = signs @ stacked.T
    return result
