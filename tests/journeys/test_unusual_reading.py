"""Unusual reading end to end: from committed page views to a flag in the supervisors' queue, and nothing of it before the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import READING_FLAGS, Containment, Finding, Signal, SignalKind, TriageState
from vault.domain.custody import Purpose
from vault.domain.duration import HOUR_US
from vault.domain.identity import BreachId, CaseId, CheckOutId, DocumentId
from vault.domain.reading_rules import CATALOGUE
from vault.errors import DefectError, TamperError
from vault.services.events import BreachRecorded
from vault.services.views import ReportLine


def apart(crew: Crew) -> None:
    """Let the joining window and the day of earlier tests pass, and their pages go."""
    crew.vault.reading.leave_page()
    crew.station.clock.step(25 * 3600)
    crew.station.events.clear()


def read(crew: Crew, check_out_id: CheckOutId, document_id: DocumentId, page_no: int, seconds: float) -> None:
    crew.vault.reading.view_page(check_out_id, document_id, page_no, 24, 0)
    crew.station.clock.step(seconds)


def flags(crew: Crew, kind: SignalKind) -> list[ReportLine]:
    return [one for one in crew.at(SUPERVISOR).supervision.queue(include_disposed=True) if one.kind is kind]


def case_number(crew: Crew, case_id: CaseId) -> str:
    return crew.at(CUSTODIAN).desk.case(case_id).line.rms_number


def pages_of(crew: Crew, check_out_id: CheckOutId) -> tuple[DocumentId, int]:
    [document] = crew.vault.reading.open_file(check_out_id).documents
    return document.document_id, document.page_count


@pytest.fixture
def lenient(crew: Crew) -> Iterator[Crew]:
    """Ten pages, each under ten seconds: a loaded machine turns them within the minute too."""
    world = crew.vault.world
    shipped, world.policy = world.policy, replace(world.policy, bulk_pages=10, bulk_dwell_ms=10_000)
    yield crew
    world.policy = shipped


def test_turning_many_pages_in_a_minute_is_one_flag_and_the_reader_is_not_told(lenient: Crew) -> None:
    crew = lenient
    apart(crew)
    case_id = crew.new_case(CUSTODIAN, OFFICER, "word\n" * 4000)
    held = crew.take(OFFICER, case_id)
    document_id, pages = pages_of(crew, held.check_out_id)
    assert pages > 11
    before = len(flags(crew, SignalKind.BULK_READING))
    mine = crew.at(OFFICER).breaches.my_reports()
    for page_no in range(1, 11):
        read(crew, held.check_out_id, document_id, page_no, 0.1)
        if page_no % 5 == 0:
            crew.vault.reading.leave_page()  # looking away between pages counts them all the same
    assert len(flags(crew, SignalKind.BULK_READING)) == before, "the tenth page was not followed by another"
    crew.at(OFFICER)
    read(crew, held.check_out_id, document_id, 11, 0.1)
    assert crew.vault.breaches.my_reports() == mine
    assert crew.vault.desk.overview().my_open_reports == sum(one.state is not TriageState.DISPOSED for one in mine)
    assert not [one for one in crew.station.events if isinstance(one, BreachRecorded)]
    assert crew.vault.custody.statement(held.check_out_id).copy_attempts == 0
    line = flags(crew, SignalKind.BULK_READING)[0]
    assert len(flags(crew, SignalKind.BULK_READING)) == before + 1
    [fact] = crew.vault.supervision.report(line.breach_id).facts
    told = dict(fact.facts)
    assert (told["rule"], told["rule_version"], told["threshold_pages"]) == ("bulk-reading", "1", "10")
    assert (int(told["measured_pages"]), fact.containment, fact.page_no) == (10, Containment.NONE, 11)
    crew.vault.supervision.acknowledge(line.breach_id)
    assert line.breach_id in {one.breach_id for one in crew.at(OFFICER).breaches.my_reports()}, "now the officer can give an account"


def test_pages_of_several_files_count_together(lenient: Crew) -> None:
    """Small case files, one after the other, are bulk reading too: what is published says pages, not pages of one file."""
    crew = lenient
    apart(crew)
    held = [crew.take(OFFICER, crew.new_case(CUSTODIAN, OFFICER, "word\n" * 2000)) for _ in range(3)]
    places = [(one.check_out_id, *pages_of(crew, one.check_out_id)) for one in held]
    assert all(pages >= 4 for _, _, pages in places)
    before = len(flags(crew, SignalKind.BULK_READING))
    crew.at(OFFICER)
    for page_no in range(1, 5):
        for check_out_id, document_id, _ in places:
            read(crew, check_out_id, document_id, page_no, 0.1)
    line = flags(crew, SignalKind.BULK_READING)[0]
    assert len(flags(crew, SignalKind.BULK_READING)) == before + 1
    [fact] = crew.vault.supervision.report(line.breach_id).facts
    assert dict(fact.facts)["measured_pages"] == "10"


def test_a_colleagues_case_is_a_flag_once_a_check_out(crew: Crew) -> None:
    apart(crew)
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    unit = next(one for one in crew.at(OFFICER).register.units() if one.name == "Team A")
    crew.vault.register.grant(case_id, Effect.ALLOW, GranteeKind.UNIT, unit.unit_id, 0, 0, LONG)
    custody = crew.at(COLLEAGUE).custody
    held = custody.check_out(case_id, Purpose.OTHER, 0, LONG)
    document_id, _ = pages_of(crew, held.check_out_id)
    before = len(flags(crew, SignalKind.READING_OUTSIDE_ASSIGNMENT))
    crew.at(COLLEAGUE)
    for _ in range(3):
        read(crew, held.check_out_id, document_id, 1, 20)
    found = flags(crew, SignalKind.READING_OUTSIDE_ASSIGNMENT)
    assert (len(found), found[0].count) == (before + 1, 1)


def test_what_was_said_under_a_check_out_is_remembered_by_the_next_process(crew: Crew) -> None:
    apart(crew)
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    crew.at(OFFICER)
    held = crew.vault.custody.check_out(case_id, Purpose.ASSIGNED, crew.station.clock.now_us() + 20 * HOUR_US, "")
    document_id, _ = pages_of(crew, held.check_out_id)
    crew.station.clock.step(9 * 3600)
    crew.at(OFFICER)
    read(crew, held.check_out_id, document_id, 1, 20)
    crew.vault.unusual_reading._watched.clear()  # what a lock does: the process ends
    read(crew, held.check_out_id, document_id, 1, 20)
    assert flags(crew, SignalKind.READING_OUTSIDE_SHIFT)[0].count == 1


def test_a_decoy_is_flagged_and_cannot_be_told_from_another_case(crew: Crew) -> None:
    apart(crew)
    case_id, other_id = crew.new_case(CUSTODIAN, OFFICER, "page\n"), crew.new_case(CUSTODIAN, OFFICER, "page\n")
    number = case_number(crew, case_id)
    crew.at(SUPERVISOR).unusual_reading.mark_decoy(number, LONG)
    [decoy] = crew.vault.unusual_reading.decoys()
    assert (decoy.case_label, decoy.reason, decoy.marked_by.badge_no) == (number, LONG, SUPERVISOR)
    entry = crew.trail(AuditKind.DECOY_MARKED)[-1]
    assert entry.case_id == ""
    assert case_id not in entry.facts
    case_number_of = {case_id: number, other_id: case_number(crew, other_id)}
    seen = [
        (crew.at(OFFICER).desk.case(one), crew.vault.custody.choices(one).case, crew.vault.desk.explain(case_number_of[one], ""))
        for one in (case_id, other_id)
    ]
    fields = [repr(one).replace(case_id, "id").replace(other_id, "id") for one in seen]
    assert _plain(fields[0], number) == _plain(fields[1], case_number_of[other_id])
    held = crew.take(OFFICER, case_id)
    document_id, _ = pages_of(crew, held.check_out_id)
    before = len(flags(crew, SignalKind.DECOY_READ))
    crew.at(OFFICER)
    read(crew, held.check_out_id, document_id, 1, 20)
    line = flags(crew, SignalKind.DECOY_READ)[0]
    assert len(flags(crew, SignalKind.DECOY_READ)) == before + 1
    supervision = crew.at(SUPERVISOR).supervision
    supervision.acknowledge(line.breach_id)
    assert line.breach_id not in {one.breach_id for one in crew.at(OFFICER).breaches.my_reports()}, "a decoy serves until it is closed"
    crew.at(SUPERVISOR).supervision.dispose(line.breach_id, Finding.SUBSTANTIATED, LONG)
    assert line.breach_id in {one.breach_id for one in crew.at(OFFICER).breaches.my_reports()}
    crew.at(SUPERVISOR).unusual_reading.remove_decoy(decoy.mark)
    assert crew.vault.unusual_reading.decoys() == ()
    with refused("decoy.unknown"):
        crew.vault.unusual_reading.remove_decoy(decoy.mark)


def test_a_supervisor_is_told_of_a_flag_on_themselves_no_sooner_than_an_officer(crew: Crew) -> None:
    apart(crew)
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    number = case_number(crew, case_id)
    crew.at(SECOND_SUPERVISOR).unusual_reading.mark_decoy(number, LONG)
    crew.at(CUSTODIAN).register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, crew.person_id(SUPERVISOR), 0, 0, LONG)
    held = crew.take(SUPERVISOR, case_id)
    document_id, _ = pages_of(crew, held.check_out_id)
    crew.at(SUPERVISOR)
    read(crew, held.check_out_id, document_id, 1, 20)

    def seen_by(badge: str) -> list[BreachId]:
        queue = crew.at(badge).supervision.queue(include_disposed=True)
        return [one.breach_id for one in queue if one.kind is SignalKind.DECOY_READ and one.officer and one.officer.badge_no == SUPERVISOR]

    [flag] = seen_by(SECOND_SUPERVISOR)
    assert seen_by(SUPERVISOR) == []
    crew.at(SECOND_SUPERVISOR).supervision.acknowledge(flag)
    assert seen_by(SUPERVISOR) == []
    crew.at(SECOND_SUPERVISOR).supervision.dispose(flag, Finding.UNSUBSTANTIATED, LONG)
    assert seen_by(SUPERVISOR) == [flag]
    marks = crew.at(SECOND_SUPERVISOR).unusual_reading
    for one in marks.decoys():
        marks.remove_decoy(one.mark)


def _plain(words: str, number: str) -> str:
    """Without what differs between any two cases: numbers, titles, times and ids."""
    title = f"Case {int(number.partition('-')[2])}"
    return re.sub(r"\d{16}|[0-9a-f]{32,64}|case-\d+-document", "", words.replace(number, "").replace(title, ""))


REFUSALS: list[tuple[str, str, Callable[[Crew], object], str]] = [
    # who; what they try; how; the answer
    (OFFICER, "marks a decoy", lambda c: c.vault.unusual_reading.mark_decoy("x", LONG), "access.not-your-role"),
    (OFFICER, "lists the decoys", lambda c: c.vault.unusual_reading.decoys(), "access.not-your-role"),
    (OFFICER, "takes a mark back", lambda c: c.vault.unusual_reading.remove_decoy("x"), "access.not-your-role"),
    (ADMINISTRATOR, "lists the decoys", lambda c: c.vault.unusual_reading.decoys(), "access.not-your-role"),
    (AUDITOR, "lists the decoys", lambda c: c.vault.unusual_reading.decoys(), "access.not-your-role"),
    (SUPERVISOR, "gives no reason", lambda c: c.vault.unusual_reading.mark_decoy("x", "because"), "decoy.reason-missing"),
    (SUPERVISOR, "marks what is not there", lambda c: c.vault.unusual_reading.mark_decoy("no such case", LONG), "case.unknown"),
]


@pytest.mark.parametrize(("badge", "act", "code"), [(r[0], r[2], r[3]) for r in REFUSALS], ids=[f"{r[0]} {r[1]}" for r in REFUSALS])
def test_refused(crew: Crew, badge: str, act: Callable[[Crew], object], code: str) -> None:
    crew.at(badge)
    with refused(code):
        act(crew)


def test_a_decoy_is_marked_once(crew: Crew) -> None:
    number = case_number(crew, crew.new_case(CUSTODIAN, OFFICER, "page\n"))
    crew.at(SUPERVISOR).unusual_reading.mark_decoy(number, LONG)
    with refused("decoy.marked"):
        crew.vault.unusual_reading.mark_decoy(number, LONG)
    marks = [one.mark for one in crew.vault.unusual_reading.decoys() if one.case_label == number]
    assert len(marks) == 1
    crew.vault.unusual_reading.remove_decoy(marks[0])


@pytest.mark.parametrize("kind", sorted(READING_FLAGS, key=lambda one: one.value))
def test_no_flag_without_a_published_rule(crew: Crew, kind: SignalKind) -> None:
    crew.at(OFFICER)
    now_us = crew.station.clock.now_us()
    for act in (
        lambda: crew.vault.breaches.report(kind, (("rule", "mine"),), None, 0, now_us),
        lambda: crew.vault.breaches.record(Signal(kind, now_us)),
    ):
        with pytest.raises(DefectError, match=r"breach\.flag-without-rule"):
            act()


def test_everybody_may_read_what_is_looked_for(crew: Crew) -> None:
    for badge in (OFFICER, SUPERVISOR, CUSTODIAN, ADMINISTRATOR, AUDITOR):
        lines = crew.at(badge).unusual_reading.catalogue()
        assert [(one.rule_id, one.version) for one in lines] == [(rule.rule_id.value, rule.version) for rule in CATALOGUE.values()]
    with crew.nobody() as vault, refused("session.locked"):
        vault.unusual_reading.catalogue()


def test_a_mark_nobody_signed_is_tampering(crew: Crew) -> None:
    """Somebody who can append to the trail without a supervisor's key."""
    forged = AuditDraft(AuditKind.DECOY_REMOVED, crew.person_id(SUPERVISOR), facts=(("act_id", "00"), ("signature", "00" * 64)))
    marked = crew.at(SUPERVISOR).unusual_reading
    number = case_number(crew, crew.new_case(CUSTODIAN, OFFICER, "page\n"))
    crew.at(SUPERVISOR)
    marked.mark_decoy(number, LONG)
    acts = crew.vault.unusual_reading._decoys
    entry_facts = json.dumps(list(forged.facts))
    real = crew.trail(AuditKind.DECOY_MARKED, AuditKind.DECOY_REMOVED)[-1]
    for changed in (
        replace(real, facts=entry_facts),
        replace(real, actor_id=crew.person_id(OFFICER)),
        replace(real, kind=AuditKind.DECOY_MARKED.value if real.kind != AuditKind.DECOY_MARKED.value else AuditKind.DECOY_REMOVED.value),
    ):
        with pytest.raises(TamperError, match=r"signature\.invalid"):
            acts._verified(changed)
    assert acts._verified(real).by == crew.person_id(SUPERVISOR)
    for one in marked.decoys():
        marked.remove_decoy(one.mark)
