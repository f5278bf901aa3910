"""A picture's small differences of light: what is printed is taken away, what a mark of a few grey levels left is kept.

Rules:

- The ground (paper, a wall in a photograph) is a local mean in which a pixel counts less the further it is from the ground found before.
- A difference counts by the same measure: beyond a few levels it is print, and counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]

_GROUND_PX: Final = 33  # the side of the local mean
_TOLERANCES: Final = (24.0, 10.0, 6.0)  # grey levels at which a pixel counts half, one pass each
_REACH_PX: Final = 2  # print's dark edge is passed over this far when the ground is first looked for
_NEAR_PX: Final = 5
_NEAR_TOLERANCE: Final = 6.0  # mean difference in the neighbourhood at which a pixel counts half
_GRAIN_OF_PAPER: Final = 2.5  # grey levels: what compression and a camera leave on plain paper
_PRINT: Final = 80.0
_LEAST: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Paper:
    """Differences from the ground in grey levels, lighter is more, and how much each counts, 0…1; both height x width."""

    differences: Levels
    weights: Levels

    @property
    def signal(self) -> Levels:
        """Differences times weights."""
        return self.differences * self.weights


def paper_of(grey: NDArray[np.uint8] | Levels) -> Paper:
    """Separate the small differences from the print. `grey` is height x width, 0…255."""
    levels: Levels = grey.astype(np.float32)
    # Grain of a photograph is not print: where half of all pixels differ from their neighbours by much, more is tolerated everywhere.
    grain = max(1.0, float(np.median(np.abs(levels - _mean(levels, _NEAR_PX)))) / _GRAIN_OF_PAPER)
    ground = _mean(_upper_edge(levels)) if grain == 1 else _mean(levels)
    weights: Levels = np.ones_like(levels)
    for tolerance in _TOLERANCES:
        apart = ((levels - ground) / (tolerance * grain)).astype(np.float32)
        weights = (1 / (1 + apart * apart)).astype(np.float32)
        weights *= weights
        ground = (_mean(levels * weights) / np.maximum(_mean(weights), np.float32(_LEAST))).astype(np.float32)
    differences = levels - ground
    apart = (differences / (_TOLERANCES[-1] * grain)).astype(np.float32)
    weights = (1 / (1 + apart * apart)).astype(np.float32)
    # Beside print everything is smeared by smoothing and compression: it counts less, too.
    near = _mean(np.minimum(np.abs(differences), np.float32(_PRINT)), _NEAR_PX) / (_NEAR_TOLERANCE * grain)
    return Paper(differences, (weights * weights / (1 + near * near)).astype(np.float32))


def halved(levels: Levels) -> Levels:
    """Give the picture at half its size, each pixel the mean of four."""
    height, width = levels.shape[0] // 2 * 2, levels.shape[1] // 2 * 2
    even = levels[:height, :width]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / np.float32(4)


def _upper_edge(levels: Levels) -> Levels:
    found = levels
    for axis in (0, 1):
        reached = found.copy()
        for step in range(-_REACH_PX, _REACH_PX + 1):
            reached = np.maximum(reached, np.roll(found, step, axis))
        found = reached
    return found


def _mean(levels: Levels, side_px: int = _GROUND_PX) -> Levels:
    """Give the mean over a square, mirrored at the edges."""
    result = levels
    for axis in (0, 1):
        reach = min(side_px // 2, result.shape[axis] - 2)
        edges = [(reach + 1, reach) if at == axis else (0, 0) for at in (0, 1)]
        total = np.cumsum(np.pad(result, edges, mode="reflect"), axis=axis, dtype=np.float64)
        side, length = 2 * reach + 1, result.shape[axis]
        upper, lower = (total[side:], total[:length]) if axis == 0 else (total[:, side:], total[:, :length])
        result = ((upper - lower) / side).astype(np.float32)
    return result
