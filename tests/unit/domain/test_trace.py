from __future__ import annotations

import math
import random

import pytest

from vault.domain.trace import (
    CHIP_COUNT,
    CHIPS_BYTES,
    FALSE_NAMING_MAX,
    READINGS_MAX,
    TEMPLATE,
    TILE_CHIPS,
    agreement,
    signs,
    threshold,
)


def false_naming(score: float, views: int) -> float:
    """At most how probable a score like this is for any of `views` views that did not make the picture."""
    return views * READINGS_MAX * math.exp(-score * score / 2)


def test_the_threshold_is_where_the_bound_meets_what_is_allowed() -> None:
    for views in (1, 500, 1_000_000):
        assert false_naming(threshold(views), views) == pytest.approx(FALSE_NAMING_MAX)
        assert threshold(views) < math.sqrt(CHIP_COUNT), "a perfect reading is named in a vault of any size"
    assert threshold(1_000_000) > threshold(500)
    assert threshold(0) == threshold(1)


def test_chips_are_read_from_the_highest_bit_row_by_row() -> None:
    assert signs(b"\x80" + bytes(CHIPS_BYTES - 1))[:3] == [1, -1, -1]
    assert len(signs(bytes(CHIPS_BYTES))) == CHIP_COUNT


def test_agreement_is_full_for_its_own_chips_and_small_for_others() -> None:
    dice = random.Random(7)
    chips = dice.randbytes(CHIPS_BYTES)
    readings = [float(one) for one in signs(chips)]
    assert agreement(readings, chips) == pytest.approx(TILE_CHIPS, rel=0.01)
    assert agreement([0.25] * CHIP_COUNT, chips) == 0
    others = [agreement(readings, dice.randbytes(CHIPS_BYTES)) for _ in range(300)]
    assert max(others) < threshold(1)


def test_no_innocent_score_of_many_passes_the_bound_for_fewer_tries() -> None:
    """The bound holds for any fixed reading: here a most uneven one, where a normal law would not."""
    dice = random.Random(11)
    readings = [dice.gauss(0, 1) ** 5 for _ in range(CHIP_COUNT)]
    tries = 2_000
    highest = max(agreement(readings, dice.randbytes(CHIPS_BYTES)) for _ in range(tries))
    assert highest < threshold(tries)


def test_the_template_tells_a_picture_on_its_side_from_one_standing() -> None:
    waves = {(right, down) for right, down, _ in TEMPLATE}
    turned = {(-down, right) for right, down in waves} | {(down, -right) for right, down in waves}
    assert len(waves & (turned | {(-x, -y) for x, y in turned})) <= 4, "a quarter turn leaves most waves where none is"
    assert len(waves) == len(TEMPLATE)
