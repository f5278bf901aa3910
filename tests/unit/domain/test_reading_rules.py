"""Unusual reading: each rule at its threshold and just below, nothing outside the catalogue, and the published false-alarm counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ordinary import SEED, simulate
from vault.domain.breach import READING_FLAGS
from vault.domain.custody import Purpose
from vault.domain.duration import HOUR_US, SECOND_US
from vault.domain.identity import CheckOutId, DocumentId
from vault.domain.policy import Policy, policy_from
from vault.domain.reading_rules import CATALOGUE, PageLeft, ReadingFlag, RuleId, Sight, evaluate, in_shift
from vault.errors import DefectError, RefusedError

NOON_US = 1_700_000_000_000_000
ORDINARY = Sight(
    check_out_id=CheckOutId("c"),
    viewed_us=NOON_US,
    weekday=0,
    minute_of_day=720,
    taken_us=NOON_US - HOUR_US,
    purpose=Purpose.ASSIGNED,
    assigned=True,
    cases_outside=0,
    decoy=False,
    pages_left=(),
)


def turned(pages: int, dwell_ms: int = 1000, ago_seconds: int = 30, *, same: bool = False) -> tuple[PageLeft, ...]:
    return tuple(
        PageLeft(NOON_US - ago_seconds * SECOND_US, dwell_ms, DocumentId("d"), 1 if same else page) for page in range(1, pages + 1)
    )


DAYS = {"shift_hours": {"monday": "08:00-16:00", "sunday": "22:00-06:00"}}
UNTIL_LATE = {"minute_of_day": 16 * 60}

SIGHTS = [
    # what is read; how it differs from the ordinary; how the policy does; which rules speak
    ("ordinary", {}, {}, []),
    ("thirty pages in a minute", {"pages_left": turned(30)}, {}, [RuleId.BULK]),
    ("one page less", {"pages_left": turned(29)}, {}, []),
    ("thirty pages, looked at", {"pages_left": turned(30, 2000)}, {}, []),
    ("thirty pages, more than a minute ago", {"pages_left": turned(30, ago_seconds=60)}, {}, []),
    ("the same page thirty times", {"pages_left": turned(30, same=True)}, {}, []),
    ("a station that minds ten", {"pages_left": turned(10)}, {"bulk_pages": 10}, [RuleId.BULK]),
    ("in the last minute of a usual check-out", {"taken_us": NOON_US - 8 * HOUR_US + 1}, {}, []),
    ("a minute later", {"taken_us": NOON_US - 8 * HOUR_US}, {}, [RuleId.OUTSIDE_SHIFT]),
    ("within the day's shift", {"minute_of_day": 8 * 60}, DAYS, []),
    ("held for a day, within the day's shift", {"taken_us": NOON_US - 24 * HOUR_US}, DAYS, []),
    ("as the shift ends", UNTIL_LATE, DAYS, [RuleId.OUTSIDE_SHIFT]),
    ("before the shift, in the night shift of the day before", {"minute_of_day": 5 * 60}, DAYS, []),
    ("after that night shift", {"minute_of_day": 6 * 60}, DAYS, [RuleId.OUTSIDE_SHIFT]),
    ("a day nobody named", {"weekday": 3, "minute_of_day": 3 * 60}, DAYS, []),
    ("a colleague's case", {"purpose": Purpose.OTHER, "assigned": False, "cases_outside": 1}, {}, [RuleId.OUTSIDE_ASSIGNMENT]),
    ("one's own case for another purpose", {"purpose": Purpose.OTHER, "cases_outside": 1}, {}, []),
    ("a supervisor reviews", {"purpose": Purpose.REVIEW, "assigned": False}, {}, []),
    (
        "a second colleague's case, where the station minds the third",
        {"purpose": Purpose.OTHER, "assigned": False, "cases_outside": 2},
        {"outside_assignment_cases": 3},
        [],
    ),
    ("a decoy", {"decoy": True}, {}, [RuleId.DECOY]),
    ("a decoy, in bulk", {"decoy": True, "pages_left": turned(30)}, {}, [RuleId.BULK, RuleId.DECOY]),
]


@pytest.mark.parametrize(("differs", "policy", "speak"), [row[1:] for row in SIGHTS], ids=[row[0] for row in SIGHTS])
def test_rules(differs: dict[str, object], policy: dict[str, object], speak: list[RuleId]) -> None:
    flags = evaluate(replace(ORDINARY, **differs), policy_from(policy), frozenset())  # type: ignore[arg-type]
    assert [flag.rule.rule_id for flag in flags] == speak


def test_what_is_said_once_is_said_once_and_bulk_again() -> None:
    sight = replace(ORDINARY, decoy=True, pages_left=turned(30))
    assert [flag.rule.rule_id for flag in evaluate(sight, Policy(), frozenset(RuleId))] == [RuleId.BULK]


def test_nothing_outside_the_catalogue_can_be_a_flag() -> None:
    private = replace(CATALOGUE[RuleId.BULK], version=99)
    with pytest.raises(DefectError, match=r"reading\.rule-unpublished"):
        ReadingFlag(private, NOON_US, ())
    with pytest.raises(TypeError):
        CATALOGUE[RuleId.BULK] = private  # type: ignore[index]
    assert set(CATALOGUE) == set(RuleId)
    assert {rule.signal for rule in CATALOGUE.values()} == READING_FLAGS
    assert len({rule.signal for rule in CATALOGUE.values()}) == len(CATALOGUE)


def test_the_published_false_alarms_are_those_of_the_simulation(request: pytest.FixtureRequest) -> None:
    counted = simulate(Policy())
    table = [
        {"rule": rule.rule_id.value, "version": rule.version, "flags": counted.flags[rule.rule_id], "shifts": counted.shifts}
        for rule in CATALOGUE.values()
    ]
    build = Path(request.config.rootpath) / "build"
    build.mkdir(exist_ok=True)
    (build / "reading-rules.json").write_text(json.dumps({"seed": SEED, "pages": counted.pages, "rules": table}, indent=1))
    print(*(f"{row['rule']:20} v{row['version']}: {row['flags']:4} flags in {row['shifts']} shifts" for row in table), sep="\n")
    for rule in CATALOGUE.values():
        published = rule.false_alarms
        assert (published.flags, published.shifts, published.pages) == (counted.flags[rule.rule_id], counted.shifts, counted.pages), (
            f"{rule.rule_id.value}: measured {counted.flags[rule.rule_id]} of {counted.shifts} shifts, {counted.pages} pages"
        )


@pytest.mark.parametrize(
    "shifts", [{"someday": "08:00-16:00"}, {"monday": "8-16"}, {"monday": "08:00-08:00"}, {"monday": "24:00-06:00"}, {"monday": 8}]
)
def test_a_shift_that_is_none_is_refused(shifts: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match=r"policy\.wrong-value"):
        policy_from({"shift_hours": shifts})


def test_a_day_without_a_shift_says_nothing() -> None:
    assert in_shift(2, 600, {}) is None
