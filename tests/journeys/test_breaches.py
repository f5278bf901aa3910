"""From a signal to a disposed report: severity, joining, containment, sealing, and who may touch it."""

from __future__ import annotations

import json
import os

import pytest
from sqlcipher3 import dbapi2 as engine

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station
from vault.domain.audit import AuditKind
from vault.domain.breach import READING_FLAGS, SEVERITY, Containment, Finding, Severity, Signal, SignalKind, TriageState
from vault.domain.custody import ReturnKind
from vault.domain.identity import CaseId
from vault.errors import Fact
from vault.services.events import BreachRecorded
from vault.services.together import SeenTogether
from vault.services.views import BreachNotice, HoldingLine, ReportLine
from vault.services.world import UnwatchedScreen


def seen(crew: Crew, kind: SignalKind, *facts: tuple[str, str]) -> BreachNotice:
    return crew.vault.breaches.report(kind, facts, None, 0, crew.station.clock.now_us())


def reading(crew: Crew, badge: str) -> tuple[CaseId, HoldingLine]:
    """A person with a page of a fresh case on screen."""
    case_id = crew.new_case(CUSTODIAN, badge, "page\n")
    held = crew.take(badge, case_id)
    crew.vault.reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
    return case_id, held


def apart(crew: Crew) -> None:
    """Let the joining window of earlier tests pass, and their pages go."""
    crew.vault.reading.leave_page()
    crew.station.clock.step(700)  # the window, and the minute that an observation may lie back


def line_of(crew: Crew, notice: BreachNotice) -> ReportLine:
    return next(one for one in crew.at(SUPERVISOR).supervision.queue(include_disposed=True) if one.breach_id == notice.breach_id)


@pytest.mark.parametrize("kind", [kind for kind in SignalKind if kind not in READING_FLAGS])
def test_every_kind_becomes_a_report_of_its_severity(crew: Crew, kind: SignalKind) -> None:
    apart(crew)
    crew.at(OFFICER)
    notice = seen(crew, kind, ("process", "xclip"))
    assert (notice.severity, notice.joined, notice.containment) == (SEVERITY[kind], False, Containment.NONE)
    entry = crew.trail(AuditKind.BREACH_RECORDED)[-1]
    assert (entry.actor_id, dict(json.loads(entry.facts))["signal"]) == (crew.person_id(OFFICER), kind.value)
    line = line_of(crew, notice)
    assert (line.kind, line.severity, line.state, line.count) == (kind, SEVERITY[kind], TriageState.OPEN, 1)
    assert line.officer is not None
    assert line.officer.badge_no == OFFICER


def test_a_name_that_is_no_text_does_not_lose_its_report(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    name = os.fsdecode(b"shot-\xff.png")
    notice = crew.vault.breaches.record(Signal(SignalKind.NEW_PICTURE, crew.station.clock.now_us(), (("name", name), ("format", "PNG"))))
    [fact] = crew.at(SUPERVISOR).supervision.report(notice.breach_id).facts
    assert dict(fact.facts)["name"] == "shot-?.png"


def test_repeats_join_within_ten_minutes_of_the_last_and_the_third_copy_key_raises(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    notices = []
    for wait_seconds in (0, 599, 599):
        crew.station.clock.step(wait_seconds)
        notices.append(seen(crew, SignalKind.COPY_KEY))
    assert [one.severity for one in notices] == [Severity.AMBIGUOUS, Severity.AMBIGUOUS, Severity.DELIBERATE]
    assert [one.joined for one in notices] == [False, True, True]
    assert len({one.breach_id for one in notices}) == 1
    assert len({one.report_no for one in notices}) == 1
    apart(crew)
    assert not seen(crew, SignalKind.COPY_KEY).joined
    line = line_of(crew, notices[0])
    assert (line.count, line.severity) == (3, Severity.DELIBERATE)


def test_reports_are_a_persons_own_and_a_disposed_one_is_not_reopened(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    mine = seen(crew, SignalKind.DRAG)
    crew.at(COLLEAGUE)
    theirs = seen(crew, SignalKind.DRAG)
    assert mine.breach_id != theirs.breach_id
    supervision = crew.at(SUPERVISOR).supervision
    supervision.acknowledge(mine.breach_id)
    supervision.dispose(mine.breach_id, Finding.FALSE_POSITIVE, LONG)
    crew.at(OFFICER)
    assert seen(crew, SignalKind.DRAG).breach_id not in {mine.breach_id, theirs.breach_id}


def test_an_opening_and_the_copy_after_it_are_one_report_that_rises(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    opened = seen(crew, SignalKind.STORE_OPENED)
    copied = seen(crew, SignalKind.STORE_COPIED)
    assert (copied.breach_id, copied.severity) == (opened.breach_id, Severity.EXPOSED)
    assert seen(crew, SignalKind.STORE_OPENED).severity is Severity.EXPOSED, "severity never falls"


def test_screen_medium_and_store_are_one_report_that_counts_one_step_more(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    kinds = (SignalKind.MEDIA_MOUNTED, SignalKind.NEW_PICTURE, SignalKind.STORE_OPENED, SignalKind.NEW_PICTURE)
    notices = [seen(crew, kind, ("process", kind.value)) for kind in kinds]
    assert [int(one.severity) for one in notices] == [1, 3, 4, 4]
    assert [(one.joined, one.raised_together) for one in notices] == [(False, False), (True, False), (True, True), (True, True)]
    assert len({one.report_no for one in notices}) == 1
    entries = crew.trail(AuditKind.BREACH_RECORDED, AuditKind.BREACH_JOINED)[-4:]
    said = [dict(json.loads(one.facts)) for one in entries]
    assert [one.kind for one in entries] == ["breach.recorded", *["breach.joined"] * 3]
    assert [one["signal"] for one in said] == [kind.value for kind in kinds]
    assert [one.get("together") for one in said] == [None, "screen medium", "screen medium store", "screen medium store"]
    report = crew.at(SUPERVISOR).supervision.report(notices[0].breach_id)
    assert [(one.kind, dict(one.facts)["process"]) for one in report.facts] == [(kind, kind.value) for kind in kinds], "each keeps its fact"
    assert (report.line.kind, report.line.severity, report.line.count) == (SignalKind.MEDIA_MOUNTED, Severity.EXPOSED, 4)
    assert line_of(crew, notices[0]).seen == report.line.seen == kinds
    [mine] = [one for one in crew.at(OFFICER).breaches.my_reports() if one.breach_id == notices[0].breach_id]
    assert mine.seen == kinds


def test_what_a_report_holds_is_known_after_a_restart_and_a_disposed_one_is_not_joined(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    mounted = seen(crew, SignalKind.MEDIA_MOUNTED)
    captured = seen(crew, SignalKind.CAPTURE_TOOL)
    crew.vault.breaches._together = SeenTogether(crew.vault.breaches._world)  # as after a restart: nothing is remembered
    copied = seen(crew, SignalKind.STORE_COPIED)
    assert (copied.breach_id, copied.severity) == (mounted.breach_id, Severity.BULK)
    supervision = crew.at(SUPERVISOR).supervision
    supervision.acknowledge(captured.breach_id)
    supervision.dispose(captured.breach_id, Finding.FALSE_POSITIVE, LONG)
    crew.at(OFFICER)
    again = seen(crew, SignalKind.MEDIA_MOUNTED)
    assert (again.joined, again.severity) == (False, Severity.CONTEXT)


def test_the_third_strand_takes_the_page_and_a_medium_beside_a_graver_report_does_not(crew: Crew) -> None:
    apart(crew)
    case_id, _ = reading(crew, OFFICER)
    assert seen(crew, SignalKind.NEW_PICTURE).containment is Containment.BLANK
    assert seen(crew, SignalKind.MEDIA_MOUNTED).containment is Containment.NONE
    assert crew.vault.store.active_check_out(case_id) is not None
    assert seen(crew, SignalKind.STORE_OPENED).containment is Containment.RECALL
    assert crew.vault.store.active_check_out(case_id) is None


def test_containment_ends_the_check_out_and_the_reading(crew: Crew) -> None:
    apart(crew)
    case_id, held = reading(crew, OFFICER)
    document_id = crew.first_document(held.check_out_id)
    crew.station.events.clear()
    notice = seen(crew, SignalKind.STORE_COPIED)
    assert notice.containment is Containment.RECALL
    [told] = [one for one in crew.station.events if isinstance(one, BreachRecorded)]
    assert (told.notice, told.check_out_id, told.returned) == (notice, held.check_out_id, True)
    [ended] = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_by) == (ReturnKind.CONTAINED, None)
    with refused("custody.not-held"):
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    [entry] = crew.trail(AuditKind.CONTAINED, case_id=case_id)
    assert dict(json.loads(entry.facts)) == {"check_out_id": held.check_out_id, "breach_id": notice.breach_id}
    kinds = [one.kind for one in crew.trail(*AuditKind, case_id=case_id)]
    assert kinds.index("breach.recorded") < kinds.index("custody.contained"), "the report commits first"


def test_a_lesser_signal_leaves_the_file_where_it_is(crew: Crew) -> None:
    apart(crew)
    case_id, _ = reading(crew, OFFICER)
    for kind, containment in (
        (SignalKind.CONTEXT_MENU, Containment.NOTICE),
        (SignalKind.COPY_KEY, Containment.NOTICE),
        (SignalKind.PRINT_SCREEN_KEY, Containment.BLANK),
    ):
        assert seen(crew, kind).containment is containment
    assert crew.vault.store.active_check_out(case_id) is not None


def test_the_vault_says_what_was_on_screen_whatever_the_interface_says(crew: Crew) -> None:
    apart(crew)
    case_id, held = reading(crew, OFFICER)
    invented = crew.vault.breaches.report(
        SignalKind.CLIPBOARD, (("x" * 500, "y" * 500),), "00" * 16, 99, crew.station.clock.now_us() - 10**12  # type: ignore[arg-type]
    )  # fmt: skip
    view = crew.at(SUPERVISOR).supervision.report(invented.breach_id)
    [fact] = view.facts
    case_label = crew.at(CUSTODIAN).desk.case(case_id).line.rms_number
    assert (fact.page_no, fact.check_out_no, fact.case_label) == (1, held.check_out_no, case_label)
    assert fact.document_title.endswith(".txt")
    assert fact.facts == (("x" * 199 + "…", "y" * 199 + "…"),), "what is cut says so"
    # A minute, and the time until the report was committed; what was asked for is eleven days.
    assert 60_000 <= view.detection_ms < 120_000, "the interface cannot date a signal back further than a minute"


class NobodysSelection(UnwatchedScreen):
    def selection_owner(self, *, primary: bool) -> tuple[tuple[str, Fact], ...]:
        return (("owner", "nobody"),)


def test_whose_a_selection_is_the_display_says_where_it_can(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    apart(crew)
    crew.at(OFFICER)
    told = (("owner", "another-program"), ("changes", "1"))
    unknown = seen(crew, SignalKind.PRIMARY_SELECTION, *told)
    monkeypatch.setattr(crew.vault.world, "screen", NobodysSelection())
    seen(crew, SignalKind.PRIMARY_SELECTION, *told)
    facts = [dict(one.facts) for one in crew.at(SUPERVISOR).supervision.report(unknown.breach_id).facts]
    assert sorted(one["owner"] for one in facts) == ["another-program", "nobody"]


def test_nobody_signed_in_is_a_report_too(crew: Crew) -> None:
    apart(crew)
    with crew.nobody() as vault:
        first = vault.breaches.record(Signal(SignalKind.STORE_OPENED, crew.station.clock.now_us(), (("process", "cp"),)))
        second = vault.breaches.record(Signal(SignalKind.STORE_COPIED, crew.station.clock.now_us()))
        with refused("session.locked"):
            vault.breaches.my_reports()
    assert second.breach_id == first.breach_id
    assert line_of(crew, first).officer is None
    assert not crew.trail(AuditKind.BREACH_RECORDED)[-1].actor_id


def test_facts_are_the_supervisors_alone(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    notice = seen(crew, SignalKind.CUT_KEY, ("process", "PERIWINKLE"))
    row = crew.vault.store.breach(notice.breach_id)
    assert row is not None
    assert b"PERIWINKLE" not in b"".join(row.facts_sealed)
    for badge in (OFFICER, COLLEAGUE, CUSTODIAN, ADMINISTRATOR, AUDITOR):
        vault = crew.at(badge)
        assert vault.world.open_as_supervisor(row.facts_sealed[0], "facts", notice.breach_id) is None
        for act in (
            lambda v=vault: v.supervision.queue(include_disposed=False),
            lambda v=vault: v.supervision.report(notice.breach_id),
            lambda v=vault: v.supervision.acknowledge(notice.breach_id),
            lambda v=vault: v.supervision.note(notice.breach_id, LONG),
        ):
            with refused("access.not-your-role"):
                act()
    for badge in (SUPERVISOR, SECOND_SUPERVISOR):
        view = crew.at(badge).supervision.report(notice.breach_id)
        assert view.facts[0].facts == (("process", "PERIWINKLE"),)
    readers = [one.actor_id for one in crew.trail(AuditKind.BREACH_READ)[-2:]]
    assert readers == [crew.person_id(SUPERVISOR), crew.person_id(SECOND_SUPERVISOR)]


def test_ones_own_report_is_seen_and_not_touched_not_even_with_sql(crew: Crew) -> None:
    apart(crew)
    crew.at(SUPERVISOR)
    notice = seen(crew, SignalKind.PRINT_KEY)
    supervision = crew.vault.supervision
    assert line_of(crew, notice).on_you
    for act in (
        lambda: supervision.report(notice.breach_id),
        lambda: supervision.acknowledge(notice.breach_id),
        lambda: supervision.own(notice.breach_id),
        lambda: supervision.note(notice.breach_id, LONG),
        lambda: supervision.dispose(notice.breach_id, Finding.FALSE_POSITIVE, LONG),
    ):
        with refused("breach.own-report"):
            act()
    raw = crew.vault.store._db._raw
    me = crew.person_id(SUPERVISOR)
    for sql, code in (
        (f"UPDATE breach SET state = 'disposed', triaged_by = '{me}' WHERE breach_id = ?", "breach.own-report"),
        ("UPDATE breach SET state = 'disposed' WHERE breach_id = ?", "breach.fixed"),
        ("UPDATE breach SET severity = 1 WHERE breach_id = ?", "breach.fixed"),
        ("UPDATE breach SET officer_id = NULL WHERE breach_id = ?", "breach.fixed"),
        ("DELETE FROM breach WHERE breach_id = ?", "breach.kept"),
        ("DELETE FROM breach_fact WHERE breach_id = ?", "breach-fact.kept"),
        (f"INSERT INTO breach_note VALUES (NULL, ?, 1, '{me}', 'note', x'00')", "breach.own-report"),
    ):
        with pytest.raises(engine.Error, match=code.replace(".", r"\.")):
            raw.execute(sql, (notice.breach_id,))
    crew.at(SECOND_SUPERVISOR).supervision.acknowledge(notice.breach_id)


def test_the_officers_own_account(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    notice = seen(crew, SignalKind.SAVE_KEY)
    breaches = crew.vault.breaches
    for text, code in (("  ", "breach.account-empty"), ("x" * 4001, "breach.account-too-long")):
        with refused(code):
            breaches.give_account(notice.breach_id, text)
    assert not breaches.my_reports()[0].account_given
    breaches.give_account(notice.breach_id, " my sleeve touched the keys ")
    assert breaches.my_reports()[0].account_given
    crew.at(COLLEAGUE)
    with refused("breach.unknown"):
        breaches.give_account(notice.breach_id, LONG)
    assert notice.breach_id not in {one.breach_id for one in breaches.my_reports()}
    [note] = crew.at(SUPERVISOR).supervision.report(notice.breach_id).notes
    assert (note.kind, note.text, note.author.badge_no) == ("account", "my sleeve touched the keys", OFFICER)
    assert "sleeve" not in crew.trail(AuditKind.BREACH_ACCOUNT)[-1].facts


def test_triage_from_open_to_disposed_with_every_step_in_the_trail(crew: Crew) -> None:
    apart(crew)
    crew.at(OFFICER)
    notice = seen(crew, SignalKind.PRINT_SCREEN_KEY)
    breach_id = notice.breach_id
    supervision = crew.at(SUPERVISOR).supervision
    with refused("breach.acknowledge-first"):
        supervision.dispose(breach_id, Finding.SUBSTANTIATED, LONG)
    with refused("breach.note-empty"):
        supervision.note(breach_id, " ")
    with refused("breach.unknown"):
        supervision.report("00" * 16)  # type: ignore[arg-type]
    assert supervision.acknowledge(breach_id).acknowledged_us > 0
    view = supervision.own(breach_id)
    assert (view.line.state, view.line.owner and view.line.owner.badge_no) == (TriageState.INVESTIGATING, SUPERVISOR)
    supervision.note(breach_id, "spoke to the officer")
    crew.at(SECOND_SUPERVISOR)
    with refused("breach.not-owner"):
        supervision.dispose(breach_id, Finding.SUBSTANTIATED, LONG)
    crew.at(SUPERVISOR)
    with refused("breach.rationale-missing"):
        supervision.dispose(breach_id, Finding.SUBSTANTIATED, "because")
    disposed = supervision.dispose(breach_id, Finding.REFERRED, "referred after the talk")
    assert (disposed.line.state, disposed.finding, disposed.disposed_us > 0) == (TriageState.DISPOSED, Finding.REFERRED, True)
    assert [(one.kind, one.text) for one in disposed.notes] == [("note", "spoke to the officer"), ("rationale", "referred after the talk")]
    for act in (supervision.acknowledge, supervision.own):
        with refused("breach.disposed"):
            act(breach_id)
    kinds = [AuditKind.BREACH_ACKNOWLEDGED, AuditKind.BREACH_OWNED, AuditKind.BREACH_NOTED, AuditKind.BREACH_DISPOSED]
    of_this = [one.kind for one in crew.trail(*kinds) if breach_id in one.facts]
    assert of_this == [kind.value for kind in kinds]
    assert breach_id not in {one.breach_id for one in supervision.queue(include_disposed=False)}
    assert breach_id in {one.breach_id for one in supervision.queue(include_disposed=True)}
    mine = next(one for one in crew.at(OFFICER).breaches.my_reports() if one.breach_id == breach_id)
    assert (mine.state, mine.finding) == (TriageState.DISPOSED, Finding.REFERRED)


def test_the_queue_has_unacknowledged_serious_reports_first_then_the_newest(crew: Crew) -> None:
    apart(crew)
    crew.at(COLLEAGUE)
    old_serious = seen(crew, SignalKind.STORE_CHANGED)
    crew.at(OFFICER)
    handled, slight = seen(crew, SignalKind.PRINT_KEY), seen(crew, SignalKind.CONTEXT_MENU)
    crew.at(SUPERVISOR).supervision.acknowledge(handled.breach_id)
    queue = crew.vault.supervision.queue(include_disposed=True)
    places = {one.breach_id: place for place, one in enumerate(queue)}
    assert places[old_serious.breach_id] < places[slight.breach_id] < places[handled.breach_id]
    urgent = [one.state is TriageState.OPEN and one.severity >= Severity.DELIBERATE for one in queue]
    assert urgent == sorted(urgent, reverse=True)


def test_a_report_survives_closing_and_opening(station: Station) -> None:
    vault = station.vault
    notice = vault.breaches.record(Signal(SignalKind.STORE_COPIED, station.clock.now_us(), (("process", "cp"),)))
    station.close()
    station.sign_in(SUPERVISOR)
    [line] = station.vault.supervision.queue(include_disposed=False)
    assert (line.report_no, line.severity) == (notice.report_no, notice.severity)
    assert station.vault.supervision.report(line.breach_id).facts[0].facts == (("process", "cp"),)


def test_a_notice_is_told_even_if_the_file_cannot_be_returned(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check-out ended a moment before, behind the reader's back: the report stands and is told."""
    apart(crew)
    _, held = reading(crew, OFFICER)
    shown = crew.vault.reading.on_screen
    crew.vault.custody.check_in(held.check_out_id, attested=True)
    crew.vault.reading.on_screen = shown
    crew.station.events.clear()
    seen(crew, SignalKind.STORE_TAMPERED)
    crew.vault.reading.on_screen = None
    [told] = [one for one in crew.station.events if isinstance(one, BreachRecorded)]
    assert (told.notice.containment, told.returned) == (Containment.RECALL, False)
