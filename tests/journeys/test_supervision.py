"""The audit trail as supervisors and auditors read it, and its verification."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditKind, ChainVerdict
from vault.domain.breach import Signal, SignalKind
from vault.domain.custody import Purpose
from vault.errors import RefusedError
from vault.services.events import VerificationMoved
from vault.services.operation import Lane, Priority
from vault.services.views import AuditLine
from vault.storage import verify
from vault.threads import InlineThreads, Lanes

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


def pages(crew: Crew, limit: int, *, badge_no: str = "", rms_number: str = "", kinds: tuple[str, ...] = ()) -> list[AuditLine]:
    """Read page by page to the beginning."""
    supervision = crew.vault.supervision
    found: list[AuditLine] = []
    before = 0
    while True:
        page = supervision.audit_page(kinds, badge_no, rms_number, 0, 0, before, limit)
        found += page.lines
        before = page.next_before_seq
        if not before:
            return found


def test_only_supervisors_and_auditors_read_the_trail_and_reading_it_is_in_it(crew: Crew) -> None:
    for badge in (OFFICER, CUSTODIAN, ADMINISTRATOR):
        supervision = crew.at(badge).supervision
        with refused("access.not-your-role"):
            supervision.audit_page((), "", "", 0, 0, 0, 10)
        with refused("access.not-your-role"):
            supervision.verify_chain()
        assert crew.trail(AuditKind.ACCESS_REFUSED)[-1].actor_id == crew.person_id(badge)
    for badge in (SUPERVISOR, AUDITOR):
        crew.at(badge).supervision.audit_page((), "", "", 0, 0, 0, 10)
        assert crew.trail(AuditKind.AUDIT_READ)[-1].actor_id == crew.person_id(badge)


def test_paging_has_no_gap_and_no_repeat(crew: Crew) -> None:
    crew.at(AUDITOR)
    lines = pages(crew, 7)
    numbers = [one.seq for one in lines]
    assert numbers == list(range(numbers[0], 0, -1))
    assert len({one.entry_hash for one in lines}) == len(lines)
    assert len(crew.trail(AuditKind.AUDIT_READ)) >= 1, "once a listing, not once a page"
    before = len(crew.trail(AuditKind.AUDIT_READ))
    pages(crew, 3, kinds=("vault.opened",))
    assert len(crew.trail(AuditKind.AUDIT_READ)) == before + 1


@pytest.mark.parametrize(("limit", "expected"), [(-5, 1), (0, 1), (1, 1), (10**9, None)])
def test_a_page_is_never_longer_than_five_hundred(crew: Crew, limit: int, expected: int | None) -> None:
    page = crew.at(AUDITOR).supervision.audit_page((), "", "", 0, 0, 0, limit)
    assert len(page.lines) == (expected or min(500, page.head_seq))


def test_filters_by_person_case_and_time(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    number = crew.vault.desk.case(case_id).line.rms_number
    crew.station.clock.step(10)
    began_us = crew.station.clock.now_us()
    held = crew.take(OFFICER, case_id)
    crew.vault.reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
    crew.vault.custody.check_in(held.check_out_id, attested=True)
    supervision = crew.at(SUPERVISOR).supervision
    of_case = pages(crew, 100, badge_no=f" {OFFICER} ", rms_number=number.lower())
    kinds = {one.kind for one in of_case}
    assert kinds == {"custody.checked-out", "page.viewed", "page.left", "custody.checked-in"}
    assert {one.case_label for one in of_case} == {number}
    assert {one.actor.badge_no for one in of_case if one.actor} == {OFFICER}
    lately = supervision.audit_page((), "", number, began_us, 0, 0, 100)
    assert {one.kind for one in lately.lines} == kinds
    before = supervision.audit_page((), "", number, 0, began_us, 0, 100)
    assert {one.kind for one in before.lines} == {"case.registered", "case.read", "grant.made", "document.taken-in"}
    with refused("person.unknown"):
        supervision.audit_page((), "0000", "", 0, 0, 0, 10)


def test_an_auditor_reads_opaque_references_and_nobody_reads_sealed_facts(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    number = crew.vault.desk.case(case_id).line.rms_number
    held = crew.take(OFFICER, case_id)
    crew.at(SUPERVISOR).custody.recall(held.check_out_id, "a reason that is sealed")
    crew.at(AUDITOR)
    lines = [one for one in pages(crew, 200) if one.case_id == case_id]
    assert {one.case_label for one in lines} == {case_id[:8]}
    assert number not in str(lines)
    assert not any(name.endswith("_sealed") for one in lines for name, _ in one.facts)
    crew.at(SECOND_SUPERVISOR)
    assert {one.case_label for one in pages(crew, 200, rms_number=number)} == {number}


@pytest.mark.parametrize("badge", [SUPERVISOR, AUDITOR])
def test_the_history_of_a_number_is_listed_and_a_number_no_case_has_is_answered_alike(crew: Crew, badge: str) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    number = crew.vault.desk.case(case_id).line.rms_number
    crew.vault.witness.checkpoint()  # some of it is indexed
    crew.take(OFFICER, case_id)
    expected = [one.seq for one in reversed(crew.trail(*AuditKind, case_id=case_id))]
    crew.at(badge)
    before = len(crew.trail(AuditKind.AUDIT_READ))
    for typed in (number, f"  {number.lower()} "):
        lines = pages(crew, 3, rms_number=typed)
        assert [one.seq for one in lines] == expected
        assert {one.case_label for one in lines} == {number if badge == SUPERVISOR else case_id[:8]}
    for typed in ("2031-999999", "no such case", case_id, "0" * 200):
        page = crew.vault.supervision.audit_page((), "", typed, 0, 0, 0, 10)
        assert (page.lines, page.next_before_seq) == ((), 0)
        assert page.head_seq == crew.head()
    assert len(crew.trail(AuditKind.AUDIT_READ)) == before + 6, "asking is in the trail, whatever came of it"


def test_the_chain_holds_after_everybody_worked_and_the_verdict_is_recorded(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, COLLEAGUE, "page\n")
    crew.take(COLLEAGUE, case_id)
    crew.vault.witness.checkpoint()
    head = crew.head()
    line = crew.at(AUDITOR).supervision.verify_chain()
    assert (line.holds, line.bad_seq, line.reason) == (True, 0, "")
    assert line.entries == head
    assert line.witnessed_seq <= head
    assert line.checkpoints >= 1
    assert crew.trail(AuditKind.AUDIT_VERIFIED)[-1].actor_id == crew.person_id(AUDITOR)


def test_an_auditor_sees_no_reports_and_a_supervisor_no_board_of_a_stranger(crew: Crew) -> None:
    with refused("access.not-your-role"):
        crew.at(AUDITOR).supervision.queue(include_disposed=True)
    with refused("access.not-your-role"):
        crew.at(AUDITOR).custody.board()
    with refused("access.not-your-role"):
        crew.at(OFFICER).custody.board()


def test_the_board_is_overdue_first_then_by_due_back(crew: Crew) -> None:
    cases = [crew.new_case(CUSTODIAN, OFFICER) for _ in range(3)]
    crew.at(OFFICER)
    now_us = crew.station.clock.now_us()
    hours = (5, 2, 9)
    held = {}
    for case_id, wanted in zip(cases, hours, strict=True):
        custody = crew.vault.custody
        purpose = custody.choices(case_id).purposes[0]
        held[custody.check_out(case_id, purpose, now_us + wanted * 3_600_000_000, "").check_out_id] = wanted
    crew.station.clock.step(3 * 3600)
    board = [one for one in crew.at(SUPERVISOR).custody.board() if one.check_out_id in held]
    assert [held[one.check_out_id] for one in board] == [2, 5, 9]
    assert [one.overdue for one in board] == [True, False, False]
    crew.vault.custody.return_expired()


def slices_of(crew: Crew, monkeypatch: pytest.MonkeyPatch, between: Callable[[int], None]) -> None:
    """Have the trail verified in slices of five entries; `between` is called before each piece of work, with its number."""
    monkeypatch.setattr(verify, "_SLICE", 5)
    threads, numbers = InlineThreads(), itertools.count(1)

    class Counted:
        def on_control(self, work: Callable[[], T], priority: Priority) -> T:
            if priority is Priority.QUERY:
                between(next(numbers))
            return threads.on_control(work, priority)

        def later(self, lane: Lane, work: Callable[[], None]) -> None:
            threads.later(lane, work)

    monkeypatch.setattr(crew.vault.world, "_threads", Counted())


def test_a_report_goes_between_the_slices_of_a_verification_and_it_tells_how_far_it_is(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = crew.at(AUDITOR)
    head, done, told = crew.head(), [], len(crew.station.events)

    def between(number: int) -> None:
        done.append(number)
        if number == 3:
            vault.breaches.record(Signal(SignalKind.STORE_OPENED, crew.station.clock.now_us(), (("name", "cat"),)))

    slices_of(crew, monkeypatch, between)
    line = vault.supervision.verify_chain()
    assert line.holds
    assert line.entries > head, "the report came between, and was verified, too"
    assert len(done) >= line.entries // 5
    moved = [one for one in crew.station.events[told:] if isinstance(one, VerificationMoved)]
    assert {one.of for one in moved} == {head}
    assert [one.entries for one in moved[:3]] == [0, 5, 10]


def test_a_verification_that_is_stopped_has_no_verdict(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(crew.trail(AuditKind.AUDIT_VERIFIED))
    vault = crew.at(SUPERVISOR)
    slices_of(crew, monkeypatch, lambda number: vault.supervision.stop_verification() if number == 3 else None)
    with refused("audit.verification-stopped"):
        vault.supervision.verify_chain()
    assert len(crew.trail(AuditKind.AUDIT_VERIFIED)) == before
    assert vault.supervision.verify_chain().holds, "the next one is another"
    with refused("access.not-your-role"):
        crew.at(OFFICER).supervision.stop_verification()


def test_nobody_waits_for_a_verification_and_it_can_be_stopped(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the threads of a vault process, asked for as the pipe does; the trail is one that is never followed to its end."""
    crew.station.clock.step(660)  # further from other tests' reports than reports join
    vault, lanes = crew.at(AUDITOR), Lanes()
    has_begun, is_over = threading.Event(), threading.Event()

    def endless(*_asked: object) -> Generator[int, None, ChainVerdict]:
        has_begun.set()
        while not is_over.wait(0.001):
            yield 0
        return ChainVerdict(0, 0, "", 0, 0)

    def asked(method: Callable[..., T], *arguments: Any, of: tuple[Lane, Priority] | None = None) -> Future[T]:
        answer: Future[T] = Future()

        def work() -> None:
            try:
                answer.set_result(method(*arguments))
            except RefusedError as error:
                answer.set_exception(error)

        marked: Any = method
        lane, priority = of or (marked.__operation__.lane, marked.__operation__.priority)
        lanes.put(lane, priority, work)
        return answer

    def meanwhile() -> str:
        try:
            verdict = asked(vault.supervision.verify_chain)
            assert has_begun.wait(PATIENCE_SECONDS)
            signal = Signal(SignalKind.STORE_OPENED, crew.station.clock.now_us(), (("name", "cat"),))
            asked(vault.breaches.record, signal, of=(Lane.CONTROL, Priority.BREACH)).result(PATIENCE_SECONDS)
            assert not verdict.done()
            asked(vault.supervision.stop_verification).result(PATIENCE_SECONDS)
            return str(verdict.exception(PATIENCE_SECONDS))
        finally:
            is_over.set()
            lanes.end()

    before, turns = len(crew.trail(AuditKind.BREACH_RECORDED)), sys.getswitchinterval()
    with ThreadPoolExecutor(1) as other, monkeypatch.context() as patched:
        patched.setattr(vault.world, "_threads", lanes)
        patched.setattr("vault.storage.sqlcipher.verify_in_slices", endless)
        told = other.submit(meanwhile)
        lanes.start()
        try:
            lanes.control.run()
        finally:
            sys.setswitchinterval(turns)
        assert told.result().startswith("audit.verification-stopped")
    assert len(crew.trail(AuditKind.BREACH_RECORDED)) == before + 1


def test_supervisors_read_in_the_trail_the_reasons_people_had_to_give_and_auditors_do_not(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    number = crew.vault.desk.case(case_id).line.rms_number
    register = crew.vault.register
    line = register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, crew.person_id(COLLEAGUE), 0, 0, "helps with the case")
    held = crew.at(COLLEAGUE).custody.check_out(case_id, Purpose.OTHER, 0, "asked by the court clerk")
    crew.at(SUPERVISOR).custody.recall(held.check_out_id, "the court needs it back")
    crew.vault.custody.force_return(held.check_out_id, "the court needs it now")
    crew.at(CUSTODIAN).register.remove_grant(case_id, line.grant_id, "works elsewhere now")
    kinds = tuple(kind.value for kind in (AuditKind.CHECKED_OUT, AuditKind.RECALLED, AuditKind.FORCED_RETURN, AuditKind.GRANT_REMOVED))

    def reasons(badge: str) -> list[str | None]:
        page = crew.at(badge).supervision.audit_page(kinds, "", number, 0, 0, 0, 50)
        return [dict(one.facts).get("reason") for one in reversed(page.lines)]

    given = ["asked by the court clerk", "the court needs it back", "the court needs it now", "works elsewhere now"]
    assert reasons(SUPERVISOR) == given
    assert reasons(AUDITOR) == [None] * 4
    assert not any(reason in entry.facts for entry in crew.trail(*AuditKind, case_id=case_id) for reason in given), "sealed in the trail"
