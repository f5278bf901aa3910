"""What the vault takes to be on screen is what the reader shows: views and leaves that overtake one another, and what is left in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import OFFICER
from tests.journeys.crew import LONG, Crew, refused
from tests.station import CUSTODIAN, SUPERVISOR
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditKind
from vault.domain.breach import SignalKind
from vault.domain.custody import CheckOut
from vault.domain.identity import CaseId, CheckOutId, DocumentId

TEXT = "\n".join(f"line {number} of a statement" for number in range(300))
REAL_SECONDS = 50  # that a loaded machine may take between two calls; the clock is stepped by at least twice as much


class Held:
    """A case file in the officer's hands, and numbered calls on it."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.case_id: CaseId = crew.new_case(CUSTODIAN, OFFICER, TEXT)
        self.check_out_id: CheckOutId = crew.take(OFFICER, self.case_id).check_out_id
        self.document_id: DocumentId = crew.first_document(self.check_out_id)

    def view(self, page_no: int, request_no: int) -> None:
        self.crew.vault.reading.view_page(self.check_out_id, self.document_id, page_no, 72, 0, request_no)

    def leave(self, request_no: int) -> None:
        self.crew.vault.reading.leave_page(request_no)

    def on_screen(self) -> int:
        seen = self.crew.vault.reading.on_screen
        return seen.page_no if seen else 0

    def trail(self) -> list[tuple[str, int]]:
        return [
            (one.kind.removeprefix("page."), one.page_no)
            for one in self.crew.trail(AuditKind.PAGE_VIEWED, AuditKind.PAGE_LEFT, AuditKind.PAGE_REFUSED, case_id=self.case_id)
        ]


def about(seconds: float) -> Any:
    """What was stepped, and the real time that passed beside it."""
    return pytest.approx(seconds, abs=REAL_SECONDS)


@pytest.fixture
def held(crew: Crew) -> Iterator[Held]:
    crew.at(OFFICER).reading.leave_page()
    crew.vault.reading._left_no = 0  # the numbers of another test are another process's
    yield Held(crew)
    crew.vault.reading.leave_page()


# calls in the order in which they reach the vault: v<page> view, l leave, each with its number -> page on screen after, the trail
ORDERS: tuple[tuple[str, int, list[tuple[str, int]]], ...] = (
    ("v1#1 l#2", 0, [("viewed", 1), ("left", 1)]),
    ("v1#1 v2#2", 2, [("viewed", 1), ("left", 1), ("viewed", 2)]),
    ("l#2 v1#1", 0, []),
    ("v1#1 l#3 v2#2", 0, [("viewed", 1), ("left", 1)]),
    ("v1#1 v2#3 l#2", 2, [("viewed", 1), ("left", 1), ("viewed", 2)]),
    ("v1#1 l#2 v2#3", 2, [("viewed", 1), ("left", 1), ("viewed", 2)]),
)


@pytest.mark.parametrize(("order", "shown", "trail"), ORDERS)
def test_calls_in_any_order(held: Held, order: str, shown: int, trail: list[tuple[str, int]]) -> None:
    left_no = 0
    for call in order.split():
        act, _, number = call.partition("#")
        if act == "l":
            held.leave(int(number))
            left_no = int(number)
        elif int(number) < left_no:
            with refused("reading.left"):
                held.view(int(act[1:]), int(number))
        else:
            held.view(int(act[1:]), int(number))
    assert held.on_screen() == shown
    assert held.trail() == trail
    assert held.crew.something_to_see() == bool(shown)


class _Meanwhile:
    """The real renderer; something happens between the picture and the answer."""

    def __init__(self, renderer: Any, act: Callable[[], None]) -> None:
        self._renderer = renderer
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)

    def disclose(self, *arguments: Any) -> Any:
        picture = self._renderer.disclose(*arguments)
        self._act()
        return picture


def test_a_page_left_while_it_is_rendered_is_not_disclosed(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = held.crew.vault.reading
    with monkeypatch.context() as patched:
        patched.setattr(reading, "_renderer", _Meanwhile(reading._renderer, lambda: held.leave(2)))
        with refused("reading.left"):
            held.view(1, 1)
    assert held.on_screen() == 0
    assert not held.crew.something_to_see()
    assert held.trail() == [("viewed", 1), ("left", 1)]
    held.view(1, 3)
    assert held.on_screen() == 1


def test_a_file_returned_while_its_page_is_rendered_discloses_nothing(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, custody = held.crew.vault.reading, held.crew.vault.custody
    afterwards: list[Callable[[], None]] = []
    with monkeypatch.context() as patched:
        # One thread stands for all here: what the lane does later must not happen within the call.
        patched.setattr(held.crew.vault.world, "later", lambda _lane, work: afterwards.append(work))
        patched.setattr(reading, "_renderer", _Meanwhile(reading._renderer, lambda: custody.check_in(held.check_out_id, True) and None))
        with refused("custody.not-held"):
            held.view(1, 1)
    assert not held.crew.something_to_see()
    assert held.on_screen() == 0
    for work in afterwards:
        work()


def test_the_dwell_time_is_that_of_the_page_shown(held: Held) -> None:
    clock = held.crew.station.clock
    held.view(1, 1)
    clock.step(300)
    held.leave(2)
    clock.step(600)  # nothing is on screen
    with refused("reading.left"):
        held.view(2, 1)
    held.view(3, 3)
    clock.step(100)
    held.leave(4)
    left = held.crew.trail(AuditKind.PAGE_LEFT, case_id=held.case_id)
    assert [(one.page_no, dict(json.loads(one.facts))["dwell_ms"] / 1_000) for one in left] == [(1, about(300)), (3, about(100))]


def test_the_time_a_page_is_covered_is_not_read_and_stands_beside_it(held: Held) -> None:
    reading, clock = held.crew.vault.reading, held.crew.station.clock
    held.view(1, 1)
    clock.step(200)
    reading.cover_page(True)
    clock.step(1_000)
    reading.cover_page(True)
    assert reading.covered_seconds() == about(1_000)
    reading.cover_page(False)
    assert reading.covered_seconds() == 0
    clock.step(200)
    assert held.crew.vault.custody.statement(held.check_out_id).reading_seconds == about(400)
    reading.cover_page(True)
    clock.step(500)
    held.view(2, 2)
    assert reading.covered_seconds() == 0, "a page that is disclosed is seen until the interface says otherwise"
    clock.step(100)
    held.leave(3)
    facts = [dict(json.loads(one.facts)) for one in held.crew.trail(AuditKind.PAGE_LEFT, case_id=held.case_id)]
    told = [(one["dwell_ms"] / 1_000, one.get("covered_ms", 0) / 1_000) for one in facts]
    assert told == [(about(400), about(1_500)), (about(100), 0)]


def test_looking_at_the_statement_leaves_the_page_on_screen_and_counts_its_time(held: Held) -> None:
    custody, clock = held.crew.vault.custody, held.crew.station.clock
    held.view(1, 1)
    clock.step(400)
    assert custody.statement(held.check_out_id).reading_seconds == about(400)
    assert held.on_screen() == 1, "whoever does not return the file goes on reading, and is seen to"
    clock.step(200)
    assert custody.check_in(held.check_out_id, attested=True).statement.reading_seconds == about(600)
    assert held.trail() == [("viewed", 1), ("left", 1)]


def _expire(held: Held, check_out: CheckOut) -> None:
    held.crew.station.clock.step((check_out.due_back_us - held.crew.station.clock.now_us()) / 1_000_000 + 1)
    held.crew.vault.custody.return_expired()


def _contain(held: Held, _check_out: CheckOut) -> None:
    held.crew.vault.breaches.report(SignalKind.STORE_COPIED, (), None, 0, held.crew.station.clock.now_us())


def _withdraw(held: Held, _check_out: CheckOut) -> None:
    held.crew.vault.register.grant(held.case_id, Effect.DENY, GranteeKind.PERSON, held.crew.person_id(OFFICER), 0, 0, LONG)


def _force(held: Held, check_out: CheckOut) -> None:
    world = held.crew.vault.world
    world.session = held.crew.sessions[SUPERVISOR]  # at once: nobody leaves the page first
    held.crew.vault.custody.force_return(check_out.check_out_id, LONG)
    world.session = held.crew.sessions[OFFICER]


ENDS: tuple[Callable[[Held, CheckOut], None], ...] = (
    lambda held, check_out: held.crew.vault.custody.check_in(check_out.check_out_id, True) and None,
    _force,
    _expire,
    _contain,
    _withdraw,
)


@pytest.mark.parametrize("end", ENDS, ids=["check-in", "force", "expiry", "containment", "withdrawal"])
def test_no_picture_outlives_custody(held: Held, end: Callable[[Held, CheckOut], None]) -> None:
    held.view(1, 1)
    held.view(2, 2)
    check_out = held.crew.vault.store.check_out(held.check_out_id)
    assert check_out is not None
    assert held.crew.something_to_see()
    end(held, check_out)
    assert not held.crew.something_to_see()
    assert held.crew.vault.store.active_check_out(held.case_id) is None
