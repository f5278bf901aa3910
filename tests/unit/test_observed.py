"""What is in no report yet: nothing is lost on the way, and what was too much is counted."""

from __future__ import annotations

import pytest

from vault.domain.breach import Signal, SignalKind
from vault.errors import UnavailableError
from vault.observed import MOST_WAITING, Observed

MOMENT_US = 1_700_000_000_000_000


def seen(number: int) -> Signal:
    return Signal(SignalKind.STORE_OPENED, MOMENT_US + number)


def refuse(_signal: Signal) -> bool:
    return False


class Committed(list[Signal]):
    """A vault that takes reports."""

    def take(self, signal: Signal) -> bool:
        self.append(signal)
        return True


def waiting(count: int) -> Observed:
    observed = Observed(lambda: MOMENT_US)
    for number in range(count):
        observed.put(seen(number))
    observed.commit_new(refuse)
    return observed


def test_what_could_not_be_committed_waits_and_comes_in_order_once() -> None:
    observed, committed = waiting(3), Committed()
    assert [observed.waits] == [True]
    observed.put(seen(3))
    assert observed.commit_new(committed.take) == 1, "what is new does not wait for the others"
    assert observed.commit_waiting(committed.take) == 3
    assert committed == [seen(3), seen(0), seen(1), seen(2)]
    assert not observed.waits
    assert observed.commit_waiting(committed.take) == 0


def test_how_many_came_that_were_too_much_is_told() -> None:
    observed, committed = waiting(MOST_WAITING + 5), Committed()
    observed.commit_waiting(committed.take)
    assert committed[:-1] == [seen(number) for number in range(MOST_WAITING)]
    assert (committed[-1].kind, dict(committed[-1].facts)) == (SignalKind.SENSOR_BLIND, {"reason": "overflow", "count": 5})


def test_what_is_left_is_sealed_the_oldest_first_and_what_the_spool_refuses_is_still_there() -> None:
    observed, sealed = waiting(2), Committed()
    observed.put(seen(2))

    def room_for_two(signal: Signal) -> None:
        if len(sealed) == 2:
            raise UnavailableError("spool.full")
        sealed.append(signal)

    observed.seal(room_for_two)
    assert sealed == [seen(0), seen(1)]
    observed.seal(sealed.take)
    assert sealed == [seen(0), seen(1), seen(2)]
    assert observed.commit_new(sealed.take) == 0


def test_a_defect_on_the_way_does_not_stand_in_the_way_of_the_next_and_what_met_it_is_sealed() -> None:
    observed, committed, sealed = Observed(lambda: MOMENT_US), Committed(), Committed()
    observed.put(seen(0))
    observed.put(seen(1))

    def broken(_signal: Signal) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        observed.commit_new(broken)
    assert observed.waits, "no page is shown meanwhile"
    observed.commit_new(committed.take)
    assert committed == [seen(1)]
    observed.seal(sealed.take)
    assert sealed == [seen(0)]


def test_what_cannot_be_sealed_by_a_defect_does_not_keep_the_others_from_it() -> None:
    observed, sealed = waiting(3), Committed()

    def broken_at_one(signal: Signal) -> None:
        if signal == seen(1):
            raise ZeroDivisionError
        sealed.append(signal)

    observed.seal(broken_at_one)
    assert sealed == [seen(0), seen(2)]
    assert observed.waits


def test_what_was_sealed_while_the_first_was_tried_again_is_not_committed_too() -> None:
    observed, committed, sealed = waiting(3), Committed(), Committed()

    def slow(signal: Signal) -> bool:
        if not committed:
            observed.seal(sealed.take)  # the timer's, on another thread
        return committed.take(signal)

    assert observed.commit_waiting(slow) == 1
    assert sealed == [seen(0), seen(1), seen(2)]
    assert committed == [seen(0)], "what was being committed may be told of twice, nothing else"


def test_what_is_being_committed_when_the_end_is_forced_is_sealed() -> None:
    observed, sealed = Observed(lambda: MOMENT_US), Committed()
    observed.put(seen(0))

    def hangs(_signal: Signal) -> bool:
        observed.seal(sealed.take)  # on another thread, and this one never comes back
        return True

    observed.commit_new(hangs)
    assert sealed == [seen(0)]
