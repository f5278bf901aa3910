"""Reads chips out of a picture and scores views against them.

Rules:

- Reading uses the public template only, so that every view that did not make the picture is independent of what was read: the ground of
  the bound in `vault.domain.trace`. At most READINGS_MAX readings are made of one picture, and each counts in that bound.
- A score is the correlation of a view's chips with the chips read, times the root of their number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.domain.trace import CHIP_COUNT, CHIPS_BYTES, READINGS_MAX, TEMPLATE, TILE_CHIPS, TILE_PX
from vault.trace.lattice import (
    FINE,
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
_SIZES: Final = (1, 2, 0, 3)  # halvings, in the order tried: a screen picture as it is comes first
_SIZE_PX_MAX: Final = 3_000_000  # larger is a camera's: only looked at halved
_TEMPLATE_LEAST: Final = 3.0  # evidence below which a reading is noise
_TEMPLATE_PLAIN: Final = 8.0  # evidence at which no further size is tried
_BENT_MOST: Final = 0.2  # how much a window's own lattice may differ from the picture's
_SLANT_MOST: Final = 1.5  # of a lattice's longer to its shorter side
_CHANCE: Final = 2.5  # evidence that a window without a template may show
_CUBIC_REACH: Final = 2  # chips
_NYQUIST: Final = TILE_CHIPS // 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One attempt at a picture: CHIP_COUNT numbers of mean 0 and norm 1, more is lighter; how it was come by."""

    chips: NDArray[np.float32]
    evidence: float  # of the template, see `lattice.evidence`
    scale: float  # picture pixels a screen pixel
    way: str


def readings_of(grey: NDArray[np.uint8]) -> list[Reading]:
    """Read a picture every way that looks promising, best template first; none if it is too small. `grey` is height x width."""
    sizes: list[Levels] = [grey.astype(np.float32)]
    while len(sizes) <= max(_SIZES):
        sizes.append(halved(sizes[-1]))
    found: list[Reading] = []
    for halvings in _SIZES:
        levels = sizes[halvings]
        if min(levels.shape) >= _SIDE_PX_MIN and levels.size <= _SIZE_PX_MAX:
            found += _readings_at(levels, 2**halvings)
        if any(one.evidence >= _TEMPLATE_PLAIN for one in found):
            break
    found.sort(key=lambda one: -one.evidence)
    return found[:READINGS_MAX]


def _readings_at(levels: Levels, reduced: int) -> list[Reading]:
    paper = paper_of(levels)
    signal = paper.signal
    height, width = levels.shape
    parts = windows(height, width)
    whole = Window(0, 0, width, height)
    ratio = spectrum(signal, parts)
    own: list[NDArray[np.float64]] = []
    found: list[Reading] = []
    for matrix in estimates(ratio):
        if not _sane(matrix):
            continue
        standing = upright(paper, matrix, _middle_of(whole))
        flat = straightened(paper, standing, whole)
        if _sane(flat.matrix):
            found += _reading(*folded(paper, flat, whole), flat, reduced, "flat")
        if len(parts) > 1 and not (found and found[-1].evidence >= _TEMPLATE_PLAIN):
            own = own or [spectrum(signal, [part]) for part in parts]
            found += _bent(paper, standing, parts, own, reduced)
        if found and max(one.evidence for one in found) >= _TEMPLATE_PLAIN:
            break
    return found


def _bent(paper: Paper, matrix: Matrix, parts: list[Window], own: list[NDArray[np.float64]], reduced: int) -> list[Reading]:
    """Every window by its own lattice, laid on one another."""
    sums, counts = np.zeros((FINE, FINE)), np.zeros((FINE, FINE))
    for part, ratio in zip(parts, own, strict=True):
        fitted = fit_waves(ratio, matrix)
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
    first, second = np.linalg.svd(matrix, compute_uv=False)
    return bool(np.isfinite(first)) and second > 0 and first / second < _SLANT_MOST and np.linalg.det(matrix) > 0


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
    kept = kept * shape / np.maximum(power, power.max() * 1e-6 + 1e-12)
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
