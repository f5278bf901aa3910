"""What is done to a picture of a page to hide whose view it was, and whom the trace names then.

One line an attack: the page view that made the picture is named, from each of a few seeds. Innocent pictures name nobody. The rates over
five hundred seeds each are `make bench ITEMS=trace`.
"""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from tests import trace_trials
from vault.domain.trace import CHIPS_BYTES, threshold
from vault.trace.detector import Reading, readings_of, scores

VIEWS = 2_000
NAMED = True
NOBODY = False

# what is done to the picture · who is named
ATTACKS = [
    ("screenshot", NAMED),
    ("jpeg 50", NAMED),
    ("scaled 50 %", NAMED),
    ("scaled 75 %", NAMED),
    ("scaled 150 %", NAMED),
    ("scaled 200 %", NAMED),
    ("a third of the page", NAMED),
    ("a third, any scale, jpeg 85", NAMED),
    ("camera", NAMED),
]
SEEDS = (1, 2)


def read(data: bytes) -> list[Reading]:
    return readings_of(np.asarray(Image.open(io.BytesIO(data)).convert("L")))


def others(seed: int) -> list[bytes]:
    dice = random.Random(f"others {seed}")
    return [dice.randbytes(CHIPS_BYTES) for _ in range(VIEWS)]


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in SEEDS[1:])])
@pytest.mark.parametrize(("attack", "expected"), ATTACKS)
def test_the_view_that_made_the_picture_is_named_whatever_is_done_to_it(attack: str, expected: bool, seed: int) -> None:
    made = trace_trials.trial(seed)
    found = scores(read(trace_trials.attacked(made, attack, seed)), [made.chips, *others(seed)])
    best = found.max(axis=1)
    assert (bool(best[0] >= threshold(VIEWS + 1)) and int(np.argmax(best)) == 0) is expected, f"score {best[0]:.1f}"


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in SEEDS[1:])])
@pytest.mark.parametrize(
    ("marked", "attack", "expected"),
    [
        (False, "screenshot", NOBODY),  # the page as another program would show it
        (False, "camera", NOBODY),
        (True, "screenshot", NOBODY),  # a view of another vault: its chips are not among these
        (True, "a third, jpeg 50", NOBODY),
    ],
)
def test_an_innocent_view_is_never_named(marked: bool, attack: str, expected: bool, seed: int) -> None:
    made = trace_trials.trial(seed, marked)
    readings = read(trace_trials.attacked(made, attack, seed))
    found = scores(readings, others(seed))
    assert bool(found.size and found.max() >= threshold(VIEWS)) is expected


@pytest.mark.parametrize(
    "grey",
    [
        np.full((40, 40), 255, np.uint8),
        np.full((600, 800), 255, np.uint8),
        np.zeros((600, 800), np.uint8),
        np.random.default_rng(1).integers(0, 256, (600, 800), np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (300, 3)),
        np.full((3, 4000), 255, np.uint8),
    ],
    ids=["small", "white", "black", "noise", "gradient", "sliver"],
)
def test_a_picture_of_nothing_names_nobody(grey: np.ndarray) -> None:
    found = scores(readings_of(grey), others(0))
    assert not found.size or float(found.max()) < threshold(VIEWS)
