"""Where the tiles of a mark lie in a picture: scale, turn and slope from the template's waves, place from their phases.

Rules:

- What is looked for is public and the same for every view; finding it names nobody.
- A lattice says for a place in the picture (pixels, right and down) where in its tile it is: ``tile = matrix @ (place - origin) + shift``,
  in tiles, whole tiles left away.
- The first estimate comes from the mean spectrum of overlapping windows; phases of the windows then correct it, once for a flat picture
  (a screenshot, however scaled or cut) and window by window for a bent one (a camera's).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vault.domain.trace import TEMPLATE, TILE_PX
from vault.trace.paper import Levels, Paper

Matrix = NDArray[np.float64]
Tile = NDArray[np.complex128]

FINE: Final = 128  # places a tile's side is folded into
WINDOW_PX: Final = 512
SCALE_MIN: Final = 0.37  # picture pixels a screen pixel, at the size looked at
SCALE_MAX: Final = 0.92
_SCALE_STEP: Final = 1.015
_TURN_STEP_DEGREES: Final = 1.0
_BLUR_BINS: Final = 17  # of the spectrum, to compare a place with its surroundings
_RATIO_MAX: Final = 40.0
_BEST_KEPT: Final = 3
_ALIKE: Final = 0.01
_WINDOW_LEAST: Final = 96
_STEP: Final = 256
_SEARCH_BINS: Final = 3

_WAVES: Final = np.array([(right, down) for right, down, _ in TEMPLATE], float)
_RING: Final = (7, 15)  # cycles a tile: where the waves lie
_TAKEN: Final = {(sign * right, sign * down) for right, down, _ in TEMPLATE for sign in (1, -1)}
_OTHERS: Final = tuple(
    np.array(
        [
            (down % FINE, right % FINE)
            for down in range(-_RING[1], _RING[1] + 1)
            for right in range(-_RING[1], _RING[1] + 1)
            if _RING[0] <= math.hypot(right, down) <= _RING[1] and (right, down) not in _TAKEN
        ]
    ).T
)
_PHASES: Final = np.exp(2j * np.pi * np.array([phase for _, _, phase in TEMPLATE]) / 256)


@dataclass(frozen=True, slots=True)
class Lattice:
    """See the module's rules. `match` is how well the template fits, 0…1: the waves' common share of their strength."""

    matrix: Matrix
    origin: tuple[float, float]
    shift: tuple[float, float] = (0.0, 0.0)
    match: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle in pixels."""
        return (self.left + self.right - 1) / 2, (self.top + self.bottom - 1) / 2


def windows(height: int, width: int, side: int = WINDOW_PX, step: int = _STEP) -> list[Window]:
    """Cover a picture with windows that overlap by half."""

    def places(length: int) -> list[int]:
        if length <= side:
            return [0]
        count = math.ceil((length - side) / step) + 1
        return [round(number * (length - side) / (count - 1)) for number in range(count)]

    return [Window(left, top, min(left + side, width), min(top + side, height)) for top in places(height) for left in places(width)]


def spectrum(signal: Levels, parts: list[Window]) -> NDArray[np.float64]:
    """Give the mean power of the windows over its surroundings, WINDOW_PX square, zero frequency first."""
    power = np.zeros((WINDOW_PX, WINDOW_PX))
    for part in parts:
        cut = signal[part.top : part.bottom, part.left : part.right]
        if min(cut.shape) < _WINDOW_LEAST and len(parts) > 1:
            continue
        taper = np.outer(np.hanning(cut.shape[0] + 2)[1:-1], np.hanning(cut.shape[1] + 2)[1:-1])
        power += np.abs(np.fft.fft2(cut * taper, (WINDOW_PX, WINDOW_PX))) ** 2
    around = power
    for axis in (0, 1):
        around = np.mean([np.roll(around, step, axis) for step in range(-(_BLUR_BINS // 2), _BLUR_BINS // 2 + 1)], axis=0)
    return np.minimum(power / (around + 1e-9), _RATIO_MAX)


def estimates(ratio: NDArray[np.float64]) -> list[tuple[Matrix, float]]:
    """Give the likeliest matrices of scale and turn, best first, at most three; each stands for its half turn, too.

    Each comes with how far it stands out of all that was tried: in mean absolute deviations; about 6 at most without a template."""
    widened = ratio
    for axis in (0, 1):
        widened = np.maximum.reduce([np.roll(widened, step, axis) for step in (-2, -1, 0, 1, 2)])
    widened = np.log1p(widened)
    scales = np.exp(np.arange(math.log(SCALE_MIN), math.log(SCALE_MAX), math.log(_SCALE_STEP)))
    turns = np.radians(np.arange(0, 180, _TURN_STEP_DEGREES))
    # A wave of k cycles a tile has, in a picture turned by a and scaled by s, the frequency R(a) k / (TILE_PX s) cycles a pixel.
    cosine, sine = np.cos(turns)[:, None], np.sin(turns)[:, None]
    across = (_WAVES[:, 0] * cosine - _WAVES[:, 1] * sine)[None] / scales[:, None, None]
    along = (_WAVES[:, 0] * sine + _WAVES[:, 1] * cosine)[None] / scales[:, None, None]
    bins = WINDOW_PX / TILE_PX
    at_x = np.rint(across * bins).astype(int) % WINDOW_PX
    at_y = np.rint(along * bins).astype(int) % WINDOW_PX
    scores = widened[at_y, at_x].sum(axis=2)
    middle = float(np.median(scores))
    spread = float(np.abs(scores - middle).mean()) + 1e-9
    found: list[tuple[Matrix, float]] = []
    tries = 0
    while tries < _BEST_KEPT:
        best = np.unravel_index(int(np.argmax(scores)), scores.shape)
        scale, turn = scales[best[0]], turns[best[1]]
        first = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) / (TILE_PX * scale)
        fitted = fit_waves(ratio, first)
        if not any(np.abs(fitted - sign * one).max() < _ALIKE * np.abs(one).max() for one, _ in found for sign in (1, -1)):
            found.append((fitted, (float(scores[best]) - middle) / spread))
        tries += 1
        rows = slice(max(0, best[0] - 3), best[0] + 4)
        scores[rows, np.arange(best[1] - 4, best[1] + 5) % len(turns)] = -1
    return found


def fit_waves(ratio: NDArray[np.float64], matrix: Matrix) -> Matrix:
    """Correct a matrix by the places of the spectrum's peaks near where it expects the waves."""
    for reach in (_SEARCH_BINS, 2):
        expected = _WAVES @ matrix * WINDOW_PX  # bins right and down
        seen, strength = np.empty_like(expected), np.empty(len(expected))
        for number, (x, y) in enumerate(expected):
            seen[number], strength[number] = _peak(ratio, x, y, reach)
        weights = np.clip(strength - 2.0, 0.01, 12.0)
        scaled = np.sqrt(weights)[:, None]
        solved, *_ = np.linalg.lstsq(_WAVES * scaled, seen / WINDOW_PX * scaled, rcond=None)
        matrix = solved
    return matrix


def _peak(ratio: NDArray[np.float64], x: float, y: float, reach: int) -> tuple[tuple[float, float], float]:
    middle_x, middle_y = round(x), round(y)
    offsets = np.arange(-reach, reach + 1)
    near = ratio[np.ix_((middle_y + offsets) % WINDOW_PX, (middle_x + offsets) % WINDOW_PX)]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    best_x, best_y = middle_x + int(offsets[column]), middle_y + int(offsets[row])

    def between(before: float, here: float, after: float) -> float:
        bend = before - 2 * here + after
        return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))

    here = float(ratio[best_y % WINDOW_PX, best_x % WINDOW_PX])
    side = (float(ratio[best_y % WINDOW_PX, (best_x + step) % WINDOW_PX]) for step in (-1, 1))
    up = (float(ratio[(best_y + step) % WINDOW_PX, best_x % WINDOW_PX]) for step in (-1, 1))
    before_x, after_x = side
    before_y, after_y = up
    return (best_x + between(before_x, here, after_x), best_y + between(before_y, here, after_y)), here


def folded(paper: Paper, lattice: Lattice, part: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay all tiles of a window on one another: sums of the signal and of the weights, FINE x FINE, rows down."""
    right = (np.arange(part.left, part.right) - lattice.origin[0]).astype(np.float32)[None]
    down = (np.arange(part.top, part.bottom) - lattice.origin[1]).astype(np.float32)[:, None]
    matrix = lattice.matrix.astype(np.float32)
    across = matrix[0, 0] * right + matrix[0, 1] * down + np.float32(lattice.shift[0])
    along = matrix[1, 0] * right + matrix[1, 1] * down + np.float32(lattice.shift[1])
    column = ((across - np.floor(across)) * FINE).astype(np.int32) % FINE
    row = ((along - np.floor(along)) * FINE).astype(np.int32) % FINE
    at = (row * FINE + column).ravel()
    weights = paper.weights[part.top : part.bottom, part.left : part.right].ravel().astype(np.float64)
    signal = paper.differences[part.top : part.bottom, part.left : part.right].ravel() * weights
    sums, counts = (np.bincount(at, one, FINE * FINE).astype(np.float64).reshape(FINE, FINE) for one in (signal, weights))
    return sums, counts


def waves_in(fold: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The template's waves in a folded tile, turned back by the phase each was drawn with: all alike when the tile is in place."""
    transformed = np.fft.fft2(fold)
    # A fold's place n covers n … n+1; its middle is half a place on.
    half = np.exp(-2j * np.pi * _WAVES.sum(axis=1) * 0.5 / FINE)
    found: NDArray[np.complex128] = transformed[_WAVES[:, 1].astype(int) % FINE, _WAVES[:, 0].astype(int) % FINE] * half / _PHASES
    return found


def place(waves: NDArray[np.complex128]) -> tuple[tuple[float, float], float]:
    """Give the shift at which the waves agree, in tiles, and their agreement 0…1."""
    strength = np.minimum(np.abs(waves), 3 * np.median(np.abs(waves)) + 1e-12)
    level = waves / (np.abs(waves) + 1e-12) * strength
    sparse = np.zeros((FINE, FINE), complex)
    sparse[_WAVES[:, 1].astype(int) % FINE, _WAVES[:, 0].astype(int) % FINE] = level
    surface = np.fft.fft2(sparse).real  # at (y, x): the real part of the sum of level * exp(-2 pi i k d)
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
    shift = np.array([column, row], float) / FINE
    for _ in range(3):  # a step of Newton's method on the phases that are left
        left = np.angle(level * np.exp(-2j * np.pi * (_WAVES @ shift)))
        scaled = np.sqrt(strength)[:, None]
        better, *_ = np.linalg.lstsq(2 * np.pi * _WAVES * scaled, left * scaled[:, 0], rcond=None)
        shift = shift + np.clip(better, -0.5 / FINE, 0.5 / FINE)
    agreed = (level * np.exp(-2j * np.pi * (_WAVES @ shift))).sum().real
    return (float(shift[0]), float(shift[1])), float(agreed / (strength.sum() + 1e-12))


def evidence(fold: NDArray[np.float64], match: float) -> float:
    """How far the waves stand out of a folded tile: their agreed strength over the root mean square of the other frequencies around them.

    About 1 to 3 where there is no template, however well the phases happened to agree; 8 and more where there is one.
    """
    transformed = np.abs(np.fft.fft2(fold)[_OTHERS])
    waves = np.abs(waves_in(fold))
    return float(match * waves.sum() / (math.sqrt(len(waves)) * math.sqrt(float((transformed**2).mean())) + 1e-12))


def upright(paper: Paper, matrix: Matrix, part: Window) -> Matrix:
    """Choose between a matrix and its half turn, which waves' places alone do not tell apart, by the waves' phases."""
    found = [(placed(paper, Lattice(sign * matrix, part.middle), part)[0].match, sign) for sign in (1, -1)]
    return max(found)[1] * matrix


def placed(paper: Paper, lattice: Lattice, part: Window) -> tuple[Lattice, float]:
    """Put a lattice in place by a window's phases; also give the evidence there."""
    sums, _ = folded(paper, lattice, part)
    shift, match = place(waves_in(sums))
    moved = (lattice.shift[0] + shift[0], lattice.shift[1] + shift[1])
    return replace(lattice, shift=moved, match=match), evidence(sums, match)


def straightened(paper: Paper, matrix: Matrix, part: Window) -> Lattice:
    """Find the lattice of a flat window: place it, then correct its matrix by how the places of its quarters and sixteenths drift apart."""
    origin = part.middle
    lattice = Lattice(matrix, origin)
    height, width = part.bottom - part.top, part.right - part.left
    longest = max(height, width)
    side = min(256, longest)
    while True:
        lattice, _ = placed(paper, lattice, _around(origin, side, part))
        pieces = [
            Window(max(one.left, part.left), max(one.top, part.top), one.right, one.bottom)
            for one in _pieces(_around(origin, side, part), max(64, side // 3))
        ]
        for _ in range(2):
            lattice = _corrected(paper, lattice, pieces)
        if side >= longest:
            break
        side = min(longest, int(side * 1.6))
    lattice, _ = placed(paper, lattice, part)
    return lattice


def _around(origin: tuple[float, float], side: int, part: Window) -> Window:
    half = side / 2
    return Window(
        max(part.left, int(origin[0] - half)),
        max(part.top, int(origin[1] - half)),
        min(part.right, int(origin[0] + half) + 1),
        min(part.bottom, int(origin[1] + half) + 1),
    )


def _pieces(part: Window, side: int) -> Iterator[Window]:
    for one in windows(part.bottom - part.top, part.right - part.left, side, max(32, side)):
        yield Window(part.left + one.left, part.top + one.top, part.left + one.right, part.top + one.bottom)


def _corrected(paper: Paper, lattice: Lattice, pieces: list[Window]) -> Lattice:
    """Fit a slope through the small shifts the pieces still show, and take it out of the matrix."""
    rows, drifts, weights = [], [], []
    for piece in pieces:
        sums, _ = folded(paper, lattice, piece)
        waves = waves_in(sums)
        drift, match = _near(waves)
        middle = piece.middle
        rows.append([1.0, middle[0] - lattice.origin[0], middle[1] - lattice.origin[1]])
        drifts.append(drift)
        weights.append(max(0.0, match) ** 2 * float(np.median(np.abs(waves))))
    if len(rows) < 3 or max(weights) <= 0:  # noqa: PLR2004 - a plane has three numbers
        return lattice
    scaled = np.sqrt(np.array(weights) / max(weights))[:, None]
    plane, *_ = np.linalg.lstsq(np.array(rows) * scaled, np.array(drifts) * scaled, rcond=None)
    matrix = lattice.matrix + plane[1:].T
    return replace(lattice, matrix=matrix, shift=(lattice.shift[0] + float(plane[0, 0]), lattice.shift[1] + float(plane[0, 1])))


def _near(waves: NDArray[np.complex128]) -> tuple[NDArray[np.float64], float]:
    """The shift, at most a sixteenth of a tile, at which waves that are nearly in place agree best."""
    steps = np.arange(-8, 9) / FINE
    right, down = np.meshgrid(steps, steps)
    sums = (waves[None, None] * np.exp(-2j * np.pi * (right[..., None] * _WAVES[:, 0] + down[..., None] * _WAVES[:, 1]))).sum(axis=2).real
    row, column = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return np.array([steps[column], steps[row]]), float(sums[row, column] / (np.abs(waves).sum() + 1e-12))
