"""Ordinary readers, simulated: what the false-alarm counts of unusual reading are measured on.

What is assumed, and it is an assumption, not a measurement of a station:

- A shift is eight to ten hours at any time of day; a reader checks out one to four files in it and reads in one to three sittings a file.
- A page is read for 25 seconds at the median, log-normal; one sitting in three leafs first: 5 to 25 pages of half a second to three
  seconds each; one in forty looks for something through a long document, 20 to 70 pages at that speed.
- One check-out in twenty is kept over the night and read on the next day.
- One check-out in thirty-three is for a colleague's case, seen through the unit's grant, purpose "other".
- One check-out in two thousand opens, by mistake, a case that happens to be a decoy.

The station has the shipped policy: no shift hours are named.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from vault.domain.custody import Purpose
from vault.domain.duration import HOUR_US, MINUTE_US, SECOND_US
from vault.domain.identity import CheckOutId, DocumentId
from vault.domain.policy import Policy
from vault.domain.reading_rules import CATALOGUE, PageLeft, RuleId, Sight, evaluate

SEED = 20261122
SHIFTS = 2000
_START_US = 1_700_000_000 * SECOND_US


@dataclass
class Count:
    """What was seen over all shifts."""

    shifts: int = 0
    pages: int = 0
    flags: dict[RuleId, int] = field(default_factory=lambda: dict.fromkeys(CATALOGUE, 0))


def simulate(policy: Policy, shifts: int = SHIFTS, seed: int = SEED) -> Count:
    """Let ordinary readers work; the same seed gives the same count."""
    dice = random.Random(seed)
    count = Count()
    for number in range(shifts):
        count.shifts += 1
        begin_us = _START_US + number * 24 * HOUR_US + dice.randrange(24 * 60) * MINUTE_US
        outside = 0
        for file_no in range(dice.randint(1, 4)):
            elsewhere = dice.random() < 1 / 33
            outside += elsewhere
            _read_file(dice, policy, count, begin_us + file_no * 2 * HOUR_US, f"{number}-{file_no}", outside if elsewhere else 0)
    return count


def _read_file(dice: random.Random, policy: Policy, count: Count, taken_us: int, name: str, outside: int) -> None:
    decoy = dice.random() < 1 / 2000
    sittings = [taken_us + dice.randint(1, 30) * MINUTE_US + place * 35 * MINUTE_US for place in range(dice.randint(1, 3))]
    if dice.random() < 1 / 20:
        sittings.append(taken_us + dice.randint(18, 26) * HOUR_US)
    spoken: set[RuleId] = set()
    for begin_us in sittings:
        left: deque[PageLeft] = deque()
        now_us = begin_us
        for page_no, dwell_ms in enumerate(_dwells(dice), start=1):
            while left and left[0].left_us <= now_us - MINUTE_US:
                left.popleft()
            count.pages += 1
            sight = Sight(
                check_out_id=CheckOutId(name),
                viewed_us=now_us,
                weekday=(now_us // (24 * HOUR_US) + 3) % 7,
                minute_of_day=now_us // MINUTE_US % 1440,
                taken_us=taken_us,
                purpose=Purpose.OTHER if outside else Purpose.ASSIGNED,
                assigned=not outside,
                cases_outside=outside,
                decoy=decoy,
                pages_left=tuple(left),
            )
            for flag in evaluate(sight, policy, frozenset(spoken)):
                count.flags[flag.rule.rule_id] += 1
                spoken.add(flag.rule.rule_id)
                if not flag.rule.once_a_check_out:
                    left.clear()
            now_us += dwell_ms * 1000
            left.append(PageLeft(now_us, dwell_ms, DocumentId("d"), page_no))


def _dwells(dice: random.Random) -> Iterator[int]:
    """How long each page of one sitting is looked at, in milliseconds."""
    kind = dice.random()
    if kind < 1 / 40:
        quick = dice.randint(20, 70)
    elif kind < 1 / 40 + 1 / 3:
        quick = dice.randint(5, 25)
    else:
        quick = 0
    for _ in range(quick):
        yield dice.randint(500, 3000)
    for _ in range(dice.randint(3, 25)):
        yield max(1000, int(1000 * dice.lognormvariate(3.2, 0.8)))
