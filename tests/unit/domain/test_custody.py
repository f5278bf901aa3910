"""The words of custody: who may take, keep and be offered what."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.custody import (
    CheckOut,
    Purpose,
    ReturnKind,
    due_back_after_hand_over,
    expired,
    purposes_open_to,
    require_due_back,
    require_free,
    require_held,
)
from vault.domain.duration import HOUR_US, MINUTE_US
from vault.domain.identity import CaseId, CheckOutId, PersonId, WorkstationId
from vault.errors import RefusedError

ME, OTHER = PersonId("me"), PersonId("other")
NOW = 10 * HOUR_US


def held(holder: PersonId = ME, due_back_us: int = NOW + HOUR_US, returned_us: int = 0) -> CheckOut:
    kind = ReturnKind.CHECKED_IN if returned_us else None
    return CheckOut(
        CheckOutId("c"), 1, CaseId("case"), holder, WorkstationId("w"), Purpose.ASSIGNED, False, 0, due_back_us, 0, returned_us, kind
    )


def code_of(refusal: pytest.ExceptionInfo[RefusedError]) -> str:
    return refusal.value.code


def test_a_free_file_is_free_and_an_outstanding_one_says_whose_it_is() -> None:
    require_free(None, ME)
    with pytest.raises(RefusedError) as mine:
        require_free(held(), ME)
    with pytest.raises(RefusedError) as theirs:
        require_free(held(OTHER), ME)
    assert (code_of(mine), mine.value.facts) == ("custody.already-yours", {"check_out_no": 1})
    assert (code_of(theirs), theirs.value.facts["holder_id"]) == ("custody.already-checked-out", OTHER)


@given(st.integers(-3 * HOUR_US, 400 * HOUR_US), st.integers(1, 336))
def test_due_back_lies_between_a_minute_and_the_ceiling(after_us: int, ceiling_hours: int) -> None:
    expected = ""
    if after_us < MINUTE_US:
        expected = "custody.due-back-past"
    elif after_us > ceiling_hours * HOUR_US:
        expected = "custody.due-back-far"
    if expected:
        with pytest.raises(RefusedError) as refusal:
            require_due_back(NOW + after_us, NOW, ceiling_hours)
        assert code_of(refusal) == expected
    else:
        require_due_back(NOW + after_us, NOW, ceiling_hours)


@pytest.mark.parametrize(
    ("check_out", "code"),
    [
        (None, "custody.not-held"),
        (held(OTHER), "custody.not-held"),
        (held(returned_us=NOW - 1), "custody.not-held"),
        (held(OTHER, due_back_us=NOW), "custody.not-held"),  # somebody else's is not told apart by its state
        (held(due_back_us=NOW), "custody.expired"),
        (held(due_back_us=NOW - 1), "custody.expired"),
    ],
)
def test_what_is_not_held(check_out: CheckOut | None, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        require_held(check_out, ME, NOW)
    assert code_of(refusal) == code


def test_what_is_held_is_given_back_and_expires_at_its_last_microsecond() -> None:
    one = held(due_back_us=NOW + 1)
    assert require_held(one, ME, NOW) is one
    assert [expired(one, NOW + step) for step in (0, 1, 2)] == [False, True, True]
    assert not expired(held(due_back_us=NOW, returned_us=5), NOW + 9), "what came back does not expire"


@pytest.mark.parametrize(("assigned", "supervisor", "custodian"), list(itertools.product((False, True), repeat=3)))
def test_other_is_always_offered_and_always_last(assigned: bool, supervisor: bool, custodian: bool) -> None:
    offered = purposes_open_to(assigned, supervisor, custodian)
    assert offered[-1] is Purpose.OTHER
    assert len(set(offered)) == len(offered)
    assert (Purpose.ASSIGNED in offered, Purpose.REVIEW in offered, Purpose.RECORDS in offered) == (assigned, supervisor, custodian)
    assert (Purpose.COURT in offered) is assigned


def chain(*periods: tuple[int, int, ReturnKind | None]) -> list[CheckOut]:
    """Check-outs from (taken, returned, how), in hours."""
    return [
        CheckOut(
            CheckOutId(str(no)), no, CaseId("case"), ME, WorkstationId("w"), Purpose.ASSIGNED, False, taken * HOUR_US, 100 * HOUR_US, 0,
            returned * HOUR_US, how,
        )
        for no, (taken, returned, how) in enumerate(periods, start=1)
    ]  # fmt: skip


HANDED, BACK = ReturnKind.HANDED_OVER, ReturnKind.CHECKED_IN
# (the history; the last is handed over now), its due back, now, the ceiling, all in hours -> the successor's due back
HAND_OVERS = (
    ("time enough", chain((0, 0, None)), 8, 1, 72, 8),
    ("an hour at least", chain((0, 0, None)), 8, 7.5, 72, 8.5),
    ("not past the ceiling", chain((0, 0, None)), 72, 71.5, 72, 72),
    ("the ceiling counts through hands", chain((0, 40, HANDED), (40, 60, HANDED), (60, 0, None)), 70, 69.5, 70, 70),
    ("and from the last return", chain((0, 40, BACK), (40, 60, HANDED), (60, 0, None)), 70, 69.5, 70, 70.5),
    ("no gap is a hand-over", chain((0, 40, HANDED), (41, 0, None)), 70, 69.5, 70, 70.5),
)


@pytest.mark.parametrize(
    ("history", "due", "now", "ceiling", "expected"), [one[1:] for one in HAND_OVERS], ids=[one[0] for one in HAND_OVERS]
)
def test_due_back_after_a_hand_over(history: list[CheckOut], due: float, now: float, ceiling: int, expected: float) -> None:
    last = dataclasses.replace(history[-1], due_back_us=int(due * HOUR_US))
    assert due_back_after_hand_over(history, last, int(now * HOUR_US), ceiling) == int(expected * HOUR_US)
