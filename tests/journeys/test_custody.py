"""Custody over the real services: one holder, every end recorded, no page without it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from PIL import Image

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditEntry, AuditKind, Outcome
from vault.domain.breach import SignalKind
from vault.domain.custody import CheckOut, Purpose, ReturnKind
from vault.domain.duration import HOUR_US, MINUTE_US
from vault.domain.identity import CaseId
from vault.errors import RefusedError, TamperError
from vault.services.events import CustodyChanged
from vault.services.ports import PersonRow
from vault.services.views import CaseStatus

FIVE_PAGES = "\n".join(f"line {number} of a statement" for number in range(300))


def facts(entry: AuditEntry) -> dict[str, Any]:
    return dict(json.loads(entry.facts))


def share(crew: Crew, case_id: CaseId, badge: str) -> None:
    """Give a person sight of a case by a grant of their own."""
    vault = crew.at(CUSTODIAN)
    vault.register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, crew.person_id(badge), 0, 0, LONG)


# ---- plain journeys ----------------------------------------------------------------------------------------------------------------


def test_the_statement_of_a_check_in_says_what_was_read(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, FIVE_PAGES, "one page\n")
    held = crew.take(OFFICER, case_id)
    reading, custody = crew.vault.reading, crew.vault.custody
    first, second = (one.document_id for one in reading.open_file(held.check_out_id).documents)
    for document_id, page_no, seconds in ((first, 1, 30), (first, 2, 5), (first, 1, 4), (second, 1, 2)):
        reading.view_page(held.check_out_id, document_id, page_no, 72, 0)
        crew.station.clock.step(seconds)
    reading.leave_page()
    crew.station.clock.step(600)
    for _ in range(2):
        crew.vault.breaches.report(SignalKind.COPY_KEY, (), None, 0, crew.station.clock.now_us())
    statement = custody.statement(held.check_out_id)
    assert (statement.pages_viewed, statement.documents_viewed) == (3, 2)
    assert 41 <= statement.reading_seconds <= 60
    assert 641 <= statement.held_seconds <= 700
    assert statement.copy_attempts == 0, "nothing of this file was on screen then"
    done = custody.check_in(held.check_out_id, attested=True)
    assert replace(done.statement, held_seconds=0) == replace(statement, held_seconds=0)
    [entry] = crew.trail(AuditKind.CHECKED_IN, case_id=case_id)
    assert (facts(entry)["pages"], entry.actor_id) == (3, crew.person_id(OFFICER))
    opened = crew.vault.desk.overview()
    assert case_id not in {one.case.case_id for one in opened.holding}
    assert opened.returned[0].return_kind is ReturnKind.CHECKED_IN


def test_attempts_are_counted_under_the_check_out_they_were_made_in(crew: Crew) -> None:
    """Both are within ten minutes, so they share one report; the statements are nevertheless each check-out's own."""
    counts = []
    case_id = crew.new_case(CUSTODIAN, COLLEAGUE, "page\n")
    for presses in (2, 1):
        held = crew.take(COLLEAGUE, case_id)
        crew.vault.reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
        for _ in range(presses):
            crew.vault.breaches.report(SignalKind.CUT_KEY, (), None, 0, crew.station.clock.now_us())
        counts.append(crew.vault.custody.statement(held.check_out_id).copy_attempts)
        crew.vault.custody.check_in(held.check_out_id, attested=True)
    assert counts == [2, 1]


def test_a_check_in_is_attested_and_signed(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    held = crew.take(OFFICER, case_id)
    with refused("custody.not-attested"):
        crew.vault.custody.check_in(held.check_out_id, attested=False)
    assert crew.vault.desk.case(case_id).line.status is CaseStatus.YOURS
    crew.vault.custody.check_in(held.check_out_id, attested=True)
    with refused("custody.not-held"):
        crew.vault.custody.check_in(held.check_out_id, attested=True)
    with refused("custody.not-held"):
        crew.vault.custody.statement(held.check_out_id)


@pytest.mark.parametrize(
    ("after_us", "code"),
    [
        (-HOUR_US, "custody.due-back-past"),
        (MINUTE_US - 1_000_000, "custody.due-back-past"),
        (73 * HOUR_US, "custody.due-back-far"),
        (2 * MINUTE_US, ""),
        (72 * HOUR_US - MINUTE_US, ""),
    ],
)
def test_due_back_bounds(crew: Crew, after_us: int, code: str) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    custody = crew.at(OFFICER).custody
    due_back_us = crew.station.clock.now_us() + after_us
    if code:
        with refused(code):
            custody.check_out(case_id, Purpose.ASSIGNED, due_back_us, "")
        assert crew.vault.store.active_check_out(case_id) is None
    else:
        assert custody.check_out(case_id, Purpose.ASSIGNED, due_back_us, "").due_back_us == due_back_us


def test_pages_that_are_not_there(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, FIVE_PAGES)
    other_case = crew.new_case(CUSTODIAN, OFFICER, "another\n")
    other = crew.take(OFFICER, other_case)
    foreign = crew.first_document(other.check_out_id)
    held = crew.take(OFFICER, case_id)
    reading = crew.vault.reading
    document = reading.open_file(held.check_out_id).documents[0]
    before = crew.head()
    for page_no in (0, -1, document.page_count + 1, 10**9):
        with refused("document.no-such-page"):
            reading.view_page(held.check_out_id, document.document_id, page_no, 72, 0)
    with refused("document.unknown"):
        reading.view_page(held.check_out_id, foreign, 1, 72, 0)
    assert crew.head() == before, "nothing was disclosed, nothing is recorded as disclosed"
    assert reading.view_page(held.check_out_id, document.document_id, document.page_count, 72, 0).page_no == document.page_count


def test_another_purpose_needs_a_note_and_is_flagged_to_supervisors(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    custody = crew.at(OFFICER).custody
    assert custody.choices(case_id).purposes == (Purpose.ASSIGNED, Purpose.COURT, Purpose.OTHER)
    for note in ("", "short", "  padded  \n"):
        with refused("custody.purpose-missing"):
            custody.check_out(case_id, Purpose.OTHER, 0, note)
    with refused("custody.purpose-not-offered"):
        custody.check_out(case_id, Purpose.REVIEW, 0, LONG)
    held = custody.check_out(case_id, Purpose.OTHER, 0, LONG)
    [entry] = crew.trail(AuditKind.CHECKED_OUT, case_id=case_id)
    assert facts(entry)["flagged"] == 1
    assert LONG not in entry.facts, "the note is sealed"
    board = {one.check_out_id: one for one in crew.at(SUPERVISOR).custody.board()}
    assert board[held.check_out_id].flagged


def test_a_file_that_is_out_is_refused_and_the_refusal_recorded(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    share(crew, case_id, COLLEAGUE)
    crew.take(OFFICER, case_id)
    with refused("custody.already-yours"):
        crew.take(OFFICER, case_id)
    with refused("custody.already-checked-out"):
        crew.take(COLLEAGUE, case_id)
    entries = crew.trail(AuditKind.CUSTODY_REFUSED, case_id=case_id)
    assert [(one.actor_id, one.outcome) for one in entries] == [
        (crew.person_id(OFFICER), Outcome.REFUSED.value), (crew.person_id(COLLEAGUE), Outcome.REFUSED.value),
    ]  # fmt: skip


def test_a_find_in_a_picture_does_not_say_that_the_words_are_not_there(crew: Crew, tmp_path: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = tmp_path / "photo.png"
    Image.new("RGB", (60, 40), "white").save(path)
    crew.at(CUSTODIAN).intake.start(case_id, (str(path),))
    held = crew.take(OFFICER, case_id)
    found = crew.vault.reading.find(held.check_out_id, crew.first_document(held.check_out_id), "gate", 1)
    assert (found.hits, found.next_page, found.unsearched) == ((), 0, (1,))


def test_nobody_reads_without_a_check_out_supervisors_included_and_every_try_is_recorded(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    held = crew.take(OFFICER, case_id)
    document_id = crew.first_document(held.check_out_id)
    share(crew, case_id, COLLEAGUE)
    readers = (COLLEAGUE, SUPERVISOR, CUSTODIAN, ADMINISTRATOR, AUDITOR)
    for badge in readers:
        with refused("custody.not-held"):
            crew.at(badge).reading.view_page(held.check_out_id, document_id, 1, 72, 0)
        with refused("custody.not-held"):
            crew.at(badge).reading.open_file(held.check_out_id)
        with refused("custody.not-held"):
            crew.at(badge).reading.find(held.check_out_id, document_id, "page", 1)
    entries = crew.trail(AuditKind.PAGE_REFUSED, case_id=case_id)
    assert [one.actor_id for one in entries] == [crew.person_id(badge) for badge in readers for _ in ("view", "find")]
    assert all(facts(one)["reason"] == "custody.not-held" for one in entries)
    assert not crew.trail(AuditKind.PAGE_VIEWED, case_id=case_id)
    with crew.nobody() as vault, refused("session.locked"):
        vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)


def test_a_grant_removed_while_reading_ends_reading(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    share(crew, case_id, COLLEAGUE)
    held = crew.take(COLLEAGUE, case_id)
    document_id = crew.first_document(held.check_out_id)
    crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    grants = crew.at(CUSTODIAN).store.grants_of(case_id)
    mine = next(one.terms.grant_id for one in grants if one.terms.grantee_id == crew.person_id(COLLEAGUE))
    crew.vault.register.remove_grant(case_id, mine, LONG)
    with refused("custody.not-held"):
        crew.at(COLLEAGUE).reading.view_page(held.check_out_id, document_id, 1, 72, 0)


WITHDRAWALS = (  # what the officer in charge does at the desk -> the reason in the trail
    ("deny-person", "access.denied-to-person"),
    ("deny-unit", "access.denied-to-unit"),
    ("remove", "access.no-grant"),
)


@pytest.mark.parametrize(("act", "reason"), WITHDRAWALS)
def test_a_holder_who_may_no_longer_see_the_case_loses_the_file_and_the_page_at_once(crew: Crew, act: str, reason: str) -> None:
    """The officer in charge withdraws from themselves: the page on this very screen goes, in the same turn."""
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    held = crew.take(OFFICER, case_id)
    me = crew.person_id(OFFICER)
    reading, register = crew.vault.reading, crew.vault.register
    reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
    crew.station.events.clear()
    if act == "deny-person":
        register.grant(case_id, Effect.DENY, GranteeKind.PERSON, me, 0, 0, LONG)
    elif act == "deny-unit":
        register.grant(case_id, Effect.DENY, GranteeKind.UNIT, crew.sessions[OFFICER].unit_ids[0], 0, 0, LONG)
    else:
        [grant] = [one for one in crew.vault.store.grants_of(case_id) if one.terms.grantee_id == me]
        register.remove_grant(case_id, grant.terms.grant_id, LONG)
    assert reading.on_screen is None
    [ended] = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_by) == (ReturnKind.WITHDRAWN, me)
    [entry] = crew.trail(AuditKind.WITHDRAWN, case_id=case_id)
    assert facts(entry) == {"check_out_id": held.check_out_id, "holder": me, "reason": reason}
    assert [one.ended for one in crew.station.events if isinstance(one, CustodyChanged)] == [ReturnKind.WITHDRAWN]
    kinds = [one.kind for one in crew.trail(*AuditKind, case_id=case_id)]
    assert kinds[-2:] == ["custody.withdrawn", "page.left"], "the view ends with its dwell time"


def test_a_grant_that_does_not_matter_to_the_holder_leaves_the_file_with_them(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    share(crew, case_id, COLLEAGUE)
    crew.take(OFFICER, case_id)
    grants = crew.at(CUSTODIAN).store.grants_of(case_id)
    theirs = next(one.terms.grant_id for one in grants if one.terms.grantee_id == crew.person_id(COLLEAGUE))
    crew.vault.register.remove_grant(case_id, theirs, LONG)
    crew.vault.register.grant(case_id, Effect.DENY, GranteeKind.PERSON, crew.person_id(COLLEAGUE), 0, 0, LONG)
    assert crew.vault.store.active_check_out(case_id) is not None


def test_a_grant_that_ends_by_its_date_takes_the_file_with_it(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    until_us = crew.station.clock.now_us() + HOUR_US
    crew.at(CUSTODIAN).register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, crew.person_id(COLLEAGUE), 0, until_us, LONG)
    held = crew.take(COLLEAGUE, case_id)
    crew.vault.reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
    crew.vault.custody.return_expired()
    assert crew.vault.reading.on_screen is not None
    crew.station.clock.step(3600)
    crew.vault.custody.return_expired()
    assert crew.vault.reading.on_screen is None
    [ended] = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_by) == (ReturnKind.WITHDRAWN, None)


def test_a_hand_over_is_one_act_and_only_to_who_may_see_the_case(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    held = crew.take(OFFICER, case_id)
    document_id = crew.first_document(held.check_out_id)
    custody = crew.vault.custody
    for badge, code in (
        (OFFICER, "custody.successor-is-holder"),
        ("0000", "person.unknown"),
        (COLLEAGUE, "custody.successor-may-not"),
        (ADMINISTRATOR, "custody.successor-may-not"),
    ):
        with refused(code):
            custody.hand_over(held.check_out_id, badge)
    share(crew, case_id, COLLEAGUE)
    crew.at(COLLEAGUE).custody.wait(case_id)
    crew.at(OFFICER).custody.hand_over(held.check_out_id, COLLEAGUE)
    with refused("custody.not-held"):
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    ended, begun = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_us) == (ReturnKind.HANDED_OVER, begun.taken_us)
    assert (begun.holder_id, begun.purpose, begun.flagged) == (crew.person_id(COLLEAGUE), Purpose.ASSIGNED, False)
    assert crew.vault.store.waiting(case_id) == []
    crew.at(COLLEAGUE).reading.view_page(begun.check_out_id, document_id, 1, 72, 0)


def test_handing_to_and_fro_does_not_keep_a_file_out_past_the_ceiling(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    share(crew, case_id, COLLEAGUE)
    begun_us = crew.station.clock.now_us()
    ceiling_us = crew.vault.world.policy.check_out_ceiling_hours * HOUR_US
    crew.at(OFFICER).custody.check_out(case_id, Purpose.ASSIGNED, begun_us + HOUR_US, "")
    handed = 0
    while True:
        active = crew.vault.store.active_check_out(case_id)
        assert active is not None
        assert active.due_back_us <= begun_us + ceiling_us + MINUTE_US
        left_us = active.due_back_us - crew.station.clock.now_us()
        if left_us < 2 * MINUTE_US:
            break
        crew.station.clock.step((left_us - MINUTE_US) / 1_000_000)
        giver, taker = (OFFICER, COLLEAGUE) if active.holder_id == crew.person_id(OFFICER) else (COLLEAGUE, OFFICER)
        crew.at(giver).custody.hand_over(active.check_out_id, taker)
        handed += 1
        assert handed <= crew.vault.world.policy.check_out_ceiling_hours * 2
    assert handed > 10, "each hand-over before the ceiling leaves the successor an hour"
    crew.station.clock.step(120)
    crew.vault.custody.return_expired()
    assert crew.vault.store.active_check_out(case_id) is None


def test_a_hand_over_to_somebody_with_a_units_grant_only_is_flagged(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    unit = next(one for one in crew.at(CUSTODIAN).register.units() if one.name == "Team A")
    crew.vault.register.grant(case_id, Effect.ALLOW, GranteeKind.UNIT, unit.unit_id, 0, 0, LONG)
    held = crew.take(OFFICER, case_id)
    crew.vault.custody.hand_over(held.check_out_id, COLLEAGUE)
    begun = crew.vault.store.active_check_out(case_id)
    assert begun is not None
    assert (begun.purpose, begun.flagged) == (Purpose.OTHER, True)


def test_expiry_returns_the_file_by_itself(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "page\n")
    held = crew.take(OFFICER, case_id)
    document_id = crew.first_document(held.check_out_id)
    crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    crew.station.clock.step(8 * 3600)
    crew.at(OFFICER)
    for act in (
        lambda: crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0),
        lambda: crew.vault.custody.check_in(held.check_out_id, attested=True),
        lambda: crew.vault.custody.hand_over(held.check_out_id, COLLEAGUE),
    ):
        with refused("custody.expired"):
            act()
    crew.vault.custody.return_expired()
    [ended] = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_by) == (ReturnKind.EXPIRED, None)
    assert crew.vault.reading.on_screen is None
    [entry] = crew.trail(AuditKind.EXPIRED, case_id=case_id)
    assert entry.actor_id == ""


def test_recall_and_forced_return_are_the_supervisors_with_a_reason(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    held = crew.take(OFFICER, case_id)
    custody = crew.vault.custody
    for act in (custody.recall, custody.force_return):
        for badge in (OFFICER, COLLEAGUE, CUSTODIAN, ADMINISTRATOR, AUDITOR):
            crew.at(badge)
            with refused("access.not-your-role"):
                act(held.check_out_id, LONG)
        crew.at(SUPERVISOR)
        with refused("custody.reason-missing"):
            act(held.check_out_id, "because")
        with refused("custody.not-held"):
            act("0" * 32, LONG)  # type: ignore[arg-type]
    custody.recall(held.check_out_id, LONG)
    first = crew.vault.store.check_out(held.check_out_id)
    assert first is not None
    crew.station.clock.step(60)
    custody.recall(held.check_out_id, LONG)
    assert crew.vault.store.check_out(held.check_out_id) == first, "a second recall keeps the first one's time"
    assert crew.at(OFFICER).desk.overview().holding[-1].recalled_us == first.recalled_us > 0
    crew.at(SUPERVISOR).custody.force_return(held.check_out_id, LONG)
    [ended] = crew.vault.store.custody_history(case_id)
    assert (ended.return_kind, ended.returned_by) == (ReturnKind.FORCED, crew.person_id(SUPERVISOR))
    for entry in crew.trail(AuditKind.RECALLED, AuditKind.FORCED_RETURN, case_id=case_id):
        assert LONG not in entry.facts, "the reason is sealed"


def test_a_supervisor_does_not_force_the_return_of_their_own_file(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    share(crew, case_id, SUPERVISOR)
    held = crew.take(SUPERVISOR, case_id)
    with refused("custody.own-file"):
        crew.vault.custody.force_return(held.check_out_id, LONG)
    crew.at(SECOND_SUPERVISOR).custody.force_return(held.check_out_id, LONG)


def test_the_waiting_list(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    for badge in (COLLEAGUE, SUPERVISOR):
        share(crew, case_id, badge)
    custody = crew.at(COLLEAGUE).custody
    with refused("custody.not-out"):
        custody.wait(case_id)
    held = crew.take(OFFICER, case_id)
    with refused("custody.already-yours"):
        custody.wait(case_id)
    with refused("access.no-need-to-know"):
        crew.at(SECOND_SUPERVISOR).custody.wait(case_id)
    crew.at(SUPERVISOR).custody.wait(case_id)
    crew.at(COLLEAGUE).custody.wait(case_id)
    with refused("custody.already-waiting"):
        custody.wait(case_id)
    place = next(one for one in crew.vault.desk.overview().waiting if one.case.case_id == case_id).place
    assert place == 2
    crew.at(SUPERVISOR).custody.leave_waiting(case_id)
    with refused("custody.not-waiting"):
        custody.leave_waiting(case_id)
    crew.at(OFFICER).custody.check_in(held.check_out_id, attested=True)
    crew.take(COLLEAGUE, case_id)
    assert crew.vault.store.waiting(case_id) == [], "who holds the file no longer waits for it"


# ---- at random ---------------------------------------------------------------------------------------------------------------------

ACTORS = (OFFICER, COLLEAGUE, SUPERVISOR)
ACTOR = st.sampled_from(ACTORS)


class _Custody(RuleBasedStateMachine):
    """Two officers and a supervisor who may see one case do anything in any order. The model is the holder, the queue, the ends."""

    crew: Crew

    @initialize()
    def begin(self) -> None:
        crew = self.crew
        self.case_id = crew.new_case(CUSTODIAN, OFFICER)
        for badge in (COLLEAGUE, SUPERVISOR):
            share(crew, self.case_id, badge)
        vault = crew.at(CUSTODIAN)
        # The document of one case does for all runs: what is proven is who may ask for a page.
        path = crew.folder / "random.txt"
        path.write_text("page\n")
        vault.intake.start(self.case_id, (str(path),))
        [document] = vault.store.documents_of(self.case_id)
        self.document_id = document.document_id
        self.holder: str | None = None
        self.taken: CheckOut | None = None
        self.queue: list[str] = []
        self.ends: list[ReturnKind] = []
        self.seen: list[CheckOut] = []
        self.viewed = 0
        self.refusals = 0

    def code_of(self, act: Any) -> str:
        try:
            act()
        except RefusedError as error:
            return error.code
        return ""

    def known(self) -> str:
        """The check-out to speak of: the active one, or one that never was."""
        return self.taken.check_out_id if self.taken else "0" * 32

    def ended(self, kind: ReturnKind) -> None:
        self.ends.append(kind)
        self.holder = self.taken = None

    def began(self, badge: str) -> None:
        self.holder = badge
        self.taken = self.crew.vault.store.active_check_out(self.case_id)
        if badge in self.queue:
            self.queue.remove(badge)

    @rule(badge=ACTOR)
    def check_out(self, badge: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.check_out(self.case_id, Purpose.ASSIGNED, 0, ""))
        expected = "" if self.holder is None else ("custody.already-yours" if self.holder == badge else "custody.already-checked-out")
        assert code == expected
        if not code:
            self.began(badge)

    @rule(badge=ACTOR)
    def check_in(self, badge: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.check_in(self.known(), attested=True))  # type: ignore[arg-type]
        assert code == ("" if self.holder == badge else "custody.not-held")
        if not code:
            self.ended(ReturnKind.CHECKED_IN)

    @rule(badge=ACTOR, to=ACTOR)
    def hand_over(self, badge: str, to: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.hand_over(self.known(), to))  # type: ignore[arg-type]
        expected = "custody.not-held" if self.holder != badge else ("custody.successor-is-holder" if to == badge else "")
        assert code == expected
        if not code:
            self.ended(ReturnKind.HANDED_OVER)
            self.began(to)

    @rule(badge=ACTOR)
    def wait(self, badge: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.wait(self.case_id))
        if self.holder is None:
            expected = "custody.not-out"
        elif self.holder == badge:
            expected = "custody.already-yours"
        else:
            expected = "custody.already-waiting" if badge in self.queue else ""
        assert code == expected
        if not code:
            self.queue.append(badge)

    @rule(badge=ACTOR)
    def leave(self, badge: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.leave_waiting(self.case_id))
        assert code == ("" if badge in self.queue else "custody.not-waiting")
        if not code:
            self.queue.remove(badge)

    @rule(badge=ACTOR)
    def recall(self, badge: str) -> None:
        custody = self.crew.at(badge).custody
        code = self.code_of(lambda: custody.recall(self.known(), LONG))  # type: ignore[arg-type]
        if badge != SUPERVISOR:
            assert code == "access.not-your-role"
        else:
            assert code == ("" if self.holder else "custody.not-held")

    @rule()
    def force(self) -> None:
        custody = self.crew.at(SUPERVISOR).custody
        code = self.code_of(lambda: custody.force_return(self.known(), LONG))  # type: ignore[arg-type]
        assert code == {None: "custody.not-held", SUPERVISOR: "custody.own-file"}.get(self.holder, "")
        if not code:
            self.ended(ReturnKind.FORCED)

    @rule(badge=ACTOR)
    def deny_for_a_while(self, badge: str) -> None:
        register = self.crew.at(CUSTODIAN).register
        line = register.grant(self.case_id, Effect.DENY, GranteeKind.PERSON, self.crew.person_id(badge), 0, 0, LONG)
        if self.holder == badge:
            self.ended(ReturnKind.WITHDRAWN)
        register.remove_grant(self.case_id, line.grant_id, LONG)

    @rule(hours=st.sampled_from([1, 4, 8]))
    def time_passes(self, hours: int) -> None:
        self.crew.station.clock.step(hours * 3600)
        overdue = self.taken is not None and self.crew.station.clock.now_us() >= self.taken.due_back_us
        self.crew.vault.custody.return_expired()
        if overdue:
            self.ended(ReturnKind.EXPIRED)

    @rule(badge=ACTOR)
    def view(self, badge: str) -> None:
        self.look(badge)

    @rule(badge=ACTOR, kind=st.sampled_from([SignalKind.STORE_COPIED, SignalKind.CONTEXT_MENU]))
    def something_is_noticed(self, badge: str, kind: SignalKind) -> None:
        self.look(badge)
        notice = self.crew.vault.breaches.report(kind, (), None, 0, self.crew.station.clock.now_us())
        assert notice.report_no
        if kind is SignalKind.STORE_COPIED and self.holder == badge:
            self.ended(ReturnKind.CONTAINED)

    def look(self, badge: str) -> None:
        reading = self.crew.at(badge).reading
        code = self.code_of(lambda: reading.view_page(self.known(), self.document_id, 1, 24, 0))  # type: ignore[arg-type]
        if self.holder == badge:
            assert code == ""
            self.viewed += 1
        else:
            assert code == "custody.not-held"
            self.refusals += self.taken is not None  # a try on a check-out nobody knows names no case

    @invariant()
    def one_holder_and_a_history_that_only_grows(self) -> None:
        store = self.crew.vault.store
        history = list(store.custody_history(self.case_id))
        assert [one.check_out_id for one in history[: len(self.seen)]] == [one.check_out_id for one in self.seen]
        self.seen = history
        active = [one for one in history if one.active]
        assert [one.holder_id for one in active] == ([self.crew.person_id(self.holder)] if self.holder else [])
        assert [one.return_kind for one in history if not one.active] == self.ends
        assert all((one.return_kind is None) == one.active for one in history)

    @invariant()
    def the_waiting_list_keeps_its_order(self) -> None:
        waiting = self.crew.vault.store.waiting(self.case_id)
        assert [one.person_id for one in waiting] == [self.crew.person_id(badge) for badge in self.queue]

    @invariant()
    def every_page_and_every_try_is_in_the_trail(self) -> None:
        viewed = self.crew.trail(AuditKind.PAGE_VIEWED, case_id=self.case_id)
        assert len(viewed) == self.viewed
        assert len(self.crew.trail(AuditKind.PAGE_REFUSED, case_id=self.case_id)) == self.refusals
        held = {one.check_out_id: one.holder_id for one in self.seen}
        assert all(held[facts(one)["check_out_id"]] == one.actor_id for one in viewed)

    @invariant()
    def nothing_is_on_screen_that_nobody_holds(self) -> None:
        shown = self.crew.vault.reading.on_screen
        assert shown is None or (self.taken is not None and shown.check_out.check_out_id == self.taken.check_out_id)

    def teardown(self) -> None:
        self.crew.vault.reading.leave_page()


def test_custody_in_any_order(crew: Crew) -> None:
    class Machine(_Custody):
        pass

    Machine.crew = crew
    few = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=few)
    line = crew.at(SUPERVISOR).supervision.verify_chain()
    assert line.holds
    assert line.signatures > 0
    assert line.sealed_statements == 0


def test_custody_acts_are_signed_by_who_did_them(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    held = crew.take(OFFICER, case_id)
    taken = crew.vault.store.check_out(held.check_out_id)
    assert taken is not None
    row = crew.vault.store._db._raw.execute("SELECT signature FROM check_out WHERE check_out_id = ?", (held.check_out_id,)).fetchone()
    officer: PersonRow = crew.sessions[OFFICER].person
    locksmith = crew.vault.world.locksmith
    act = crew.vault.custody._act(taken)
    locksmith.verify(officer.sign_public, "check-out", act, row[0])
    with pytest.raises(TamperError, match=r"^signature\.invalid"):
        locksmith.verify(officer.sign_public, "check-out", crew.vault.custody._act(replace(taken, due_back_us=0)), row[0])
