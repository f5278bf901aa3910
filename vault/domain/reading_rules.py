"""Unusual reading: what is looked for in how case files are read. Published, versioned, and nothing else is looked for.

Rules of this module:

1. `CATALOGUE` is all there is. A `ReadingFlag` can be made of a rule of the catalogue and of nothing else, and the services record no flag
   but a `ReadingFlag`.
2. A rule looks at a `Sight`: what the vault knows the moment a page view is committed. No title, no text, nothing of other people.
3. Thresholds are the station's (`Policy`). A change of what a rule looks at is a new version, and its false-alarm count is measured again.
4. The false-alarm count is what the rule said of ordinary readers in a seeded simulation with the shipped thresholds (tests/ordinary.py,
   which states its assumptions); the test that counts compares it with what is published here.
5. A flag is a question for a supervisor. It contains nothing, and the officer is not told while they read.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vault.domain.breach import SignalKind
from vault.domain.custody import Purpose
from vault.domain.duration import HOUR_US, MINUTE_US
from vault.domain.identity import CheckOutId, DocumentId
from vault.domain.policy import WEEKDAYS, Policy, shift_minutes
from vault.errors import DefectError


class RuleId(enum.Enum):
    """The rules, in the order they are shown."""

    BULK = "bulk-reading"
    OUTSIDE_SHIFT = "outside-shift"
    OUTSIDE_ASSIGNMENT = "outside-assignment"
    DECOY = "decoy-file"


@dataclass(frozen=True, slots=True)
class PageLeft:
    """A page that was on screen and is no longer."""

    left_us: int  # UTC microseconds
    dwell_ms: int
    document_id: DocumentId
    page_no: int  # 1-based


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known when a page view has just been committed."""

    check_out_id: CheckOutId
    viewed_us: int  # UTC microseconds
    weekday: int  # local: 0 is Monday
    minute_of_day: int  # local: 0…1439
    taken_us: int  # when the file was checked out
    purpose: Purpose
    assigned: bool  # a grant names the reader, not only their unit
    cases_outside: int  # different cases the reader took outside their assignments within a day, this one included
    decoy: bool
    pages_left: tuple[PageLeft, ...]  # within the last minute, oldest first


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How often a rule spoke about ordinary readers: `flags` in `shifts` simulated shifts with `pages` page views."""

    flags: int
    shifts: int
    pages: int


Measured = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ReadingRule:
    """One published rule. What it looks at in words: ``reading_rules.rule.<rule_id>`` in the strings."""

    rule_id: RuleId
    version: int  # 1-based
    signal: SignalKind
    once_a_check_out: bool  # otherwise it may speak again when as much has been read once more
    thresholds: Callable[[Policy], Measured]
    measure: Callable[[Sight, Policy], Measured | None]  # what exceeded the threshold, None if nothing did
    false_alarms: FalseAlarms


@dataclass(frozen=True, slots=True)
class ReadingFlag:
    """That a rule of the catalogue spoke. `facts` are numbers."""

    rule: ReadingRule
    observed_us: int
    facts: Measured

    def __post_init__(self) -> None:
        """Refuse a rule that is not published: DefectError reading.rule-unpublished."""
        if CATALOGUE.get(self.rule.rule_id) is not self.rule:
            raise DefectError("reading.rule-unpublished")


def evaluate(sight: Sight, policy: Policy, spoken: frozenset[RuleId]) -> tuple[ReadingFlag, ...]:
    """Ask every rule of the catalogue about one page view.

    Args:
        sight: what is known of it.
        policy: the station's thresholds.
        spoken: the rules that have spoken under this check-out already.
    Returns:
        the flags, in the order of the catalogue; mostly none.
    """
    flags = []
    for rule in CATALOGUE.values():
        if rule.once_a_check_out and rule.rule_id in spoken:
            continue
        measured = rule.measure(sight, policy)
        if measured is not None:
            flags.append(ReadingFlag(rule, sight.viewed_us, measured))
    return tuple(flags)


def in_shift(weekday: int, minute_of_day: int, shifts: Mapping[str, str]) -> bool | None:
    """Whether a local minute lies in a shift; None where the station names no shift for that day.

    Args:
        weekday: 0 is Monday.
        minute_of_day: 0…1439.
        shifts: weekday -> ``HH:MM-HH:MM``; one that ends before it begins runs into the next day.
    """
    today, yesterday = (shift_minutes(shifts.get(WEEKDAYS[day % 7], "")) for day in (weekday, weekday - 1))
    if yesterday is not None and yesterday[1] < yesterday[0] and minute_of_day < yesterday[1]:
        return True
    if today is None:
        return None
    begin, end = today
    return begin <= minute_of_day < (end if end > begin else 1440)


def _bulk(sight: Sight, policy: Policy) -> Measured | None:
    since_us = sight.viewed_us - MINUTE_US
    short = {(one.document_id, one.page_no) for one in sight.pages_left if one.left_us > since_us and one.dwell_ms < policy.bulk_dwell_ms}
    return (("pages", len(short)),) if len(short) >= policy.bulk_pages else None


def _outside_shift(sight: Sight, policy: Policy) -> Measured | None:
    inside = in_shift(sight.weekday, sight.minute_of_day, policy.shift_hours)
    held_us = sight.viewed_us - sight.taken_us
    if inside is None:
        inside = held_us < policy.check_out_default_hours * HOUR_US
    return None if inside else (("minute_of_day", sight.minute_of_day), ("held_minutes", held_us // MINUTE_US))


def _outside_assignment(sight: Sight, policy: Policy) -> Measured | None:
    outside = sight.purpose is Purpose.OTHER and not sight.assigned
    return (("cases", sight.cases_outside),) if outside and sight.cases_outside >= policy.outside_assignment_cases else None


def _decoy(sight: Sight, policy: Policy) -> Measured | None:  # noqa: ARG001 -- the shape of a rule
    return () if sight.decoy else None


_RULES: Sequence[ReadingRule] = (
    ReadingRule(
        rule_id=RuleId.BULK,
        version=1,
        signal=SignalKind.BULK_READING,
        once_a_check_out=False,
        thresholds=lambda policy: (("pages", policy.bulk_pages), ("dwell_ms", policy.bulk_dwell_ms)),
        measure=_bulk,
        false_alarms=FalseAlarms(9, 2_000, 211_768),
    ),
    ReadingRule(
        rule_id=RuleId.OUTSIDE_SHIFT,
        version=1,
        signal=SignalKind.READING_OUTSIDE_SHIFT,
        once_a_check_out=True,
        thresholds=lambda policy: (("hours", policy.check_out_default_hours), ("days_named", len(policy.shift_hours))),
        measure=_outside_shift,
        false_alarms=FalseAlarms(230, 2_000, 211_768),
    ),
    ReadingRule(
        rule_id=RuleId.OUTSIDE_ASSIGNMENT,
        version=1,
        signal=SignalKind.READING_OUTSIDE_ASSIGNMENT,
        once_a_check_out=True,
        thresholds=lambda policy: (("cases", policy.outside_assignment_cases),),
        measure=_outside_assignment,
        false_alarms=FalseAlarms(139, 2_000, 211_768),
    ),
    ReadingRule(
        rule_id=RuleId.DECOY,
        version=1,
        signal=SignalKind.DECOY_READ,
        once_a_check_out=True,
        thresholds=lambda _policy: (),
        measure=_decoy,
        false_alarms=FalseAlarms(2, 2_000, 211_768),
    ),
)

CATALOGUE: Mapping[RuleId, ReadingRule] = MappingProxyType({rule.rule_id: rule for rule in _RULES})
