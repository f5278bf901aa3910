"""What the invisible mark of a page view is: a tile of chips, the same all over the page, and the arithmetic of naming somebody by it.

Rules:

- A view's chips are 1,024 signs drawn from the vault's trace key and the number of the view's audit entry; without the key they are noise.
- The mark only darkens, by 0 to `LEVELS_MAX` grey levels, so that white paper can carry it.
- The template (sixteen faint waves, in every vault the same) says where the tiles lie and how they were scaled and turned. It names nobody.
- Nobody is named below `threshold`. For a view that did not make the picture its chips are independent of the picture whatever it shows,
  and the sum of independent signs times fixed numbers of norm 1 exceeds t with probability at most exp(-t²/2) (Hoeffding 1963, theorem 2).
  `threshold` is that bound, solved for t, over all views and readings that are compared.

Source: spread spectrum after Cox, Kilian, Leighton and Shamoon 1997; the tile lattice as an implicit template after Alattar and Meyer 2003.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

TILE_CHIPS: Final = 32  # chips a side
CHIP_PX: Final = 8
TILE_PX: Final = TILE_CHIPS * CHIP_PX
CHIP_COUNT: Final = TILE_CHIPS * TILE_CHIPS
CHIPS_BYTES: Final = CHIP_COUNT // 8  # one bit a chip, rows from the top, the first chip in the highest bit; 1 is lighter
LEVELS_MAX: Final = 4

# Waves as (cycles a tile to the right, cycles a tile down, phase in turns / 256). Off the axes, where lines of text have their own waves;
# the set does not fall onto itself by a quarter turn, so that a picture lying on its side is told from one standing.
TEMPLATE: Final[tuple[tuple[int, int, int], ...]] = (
    (14, 3, 43), (9, 3, 109), (10, 6, 83), (7, 5, 21), (9, 10, 61), (7, 10, 47), (6, 10, 66), (2, 9, 3),
    (-3, 13, 118), (-7, 13, 112), (-7, 9, 90), (-6, 7, 178), (-10, 9, 211), (-9, 8, 207), (-7, 5, 189), (-9, 6, 49),
)  # fmt: skip

FALSE_NAMING_MAX: Final = 1e-6  # the probability that a picture names a view that did not make it
READINGS_MAX: Final = 64  # how many readings of one picture (turn, place, scale) may be compared with every view


def threshold(views: int) -> float:
    """The score from which a view is named when `views` of them are compared; a score is at most 32 (the root of `CHIP_COUNT`)."""
    return math.sqrt(2 * math.log(max(1, views) * READINGS_MAX / FALSE_NAMING_MAX))


def signs(chips: bytes) -> list[int]:
    """The chips as +1 (lighter) and -1, rows from the top."""
    return [1 if byte >> bit & 1 else -1 for byte in chips for bit in range(7, -1, -1)]


def agreement(readings: Sequence[float], chips: bytes) -> float:
    """The score of chips against as many readings: their correlation times the root of `CHIP_COUNT`; 0 for readings without contrast."""
    middle = sum(readings) / len(readings)
    norm = math.sqrt(sum((one - middle) ** 2 for one in readings))
    if norm == 0:
        return 0.0
    return sum(sign * (one - middle) for sign, one in zip(signs(chips), readings, strict=True)) / norm
