"""What every `Store` and every `ContentStore` must do, whatever engine keeps it.

Inherit the two classes and give the fixtures `store`, `another` (a second opening of the same store, as another process would have) and
`contents`. A test that only one engine can pass does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from tests.contract.store_facts import (
    DESK,
    FIRST_US,
    a_case,
    a_person,
    a_unit,
    breach_row,
    case_row,
    check_out_row,
    document_row,
    draft,
    grant_row,
    hexed,
    intake,
    note_row,
    person_row,
    session_row,
    unit_row,
)
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditKind, canonical, chain_hash
from vault.domain.breach import Finding, Severity, SignalKind, TriageState
from vault.domain.custody import ReturnKind
from vault.domain.identity import BreachId, CheckOutId, DocumentId, GrantId, PersonId, PersonState, SessionId, WorkstationId
from vault.errors import DefectError, RefusedError, TamperError, VaultError
from vault.services.ports import AuditFilter, ContentStore, MembershipRow, Store, WaitRow

A, B, C = a_person(1), a_person(2), a_person(3)
SUPERVISOR = a_person(50)


def refused(code: str) -> pytest.RaisesExc[VaultError]:
    """The block is refused with exactly that code."""
    return pytest.RaisesExc(RefusedError, match=f"^{code}( |$)")


def accept_any(_statement: bytes, _signature: bytes) -> None:
    """A signature check that holds everything for signed."""


class StoreContract:
    """The register."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        raise NotImplementedError

    @pytest.fixture
    def another(self, store: Store) -> Iterator[Callable[[], Store]]:
        raise NotImplementedError

    # -- audit

    def test_an_empty_trail_has_the_first_hash(self, store: Store) -> None:
        assert store.audit_head() == (0, bytes(32))
        assert store.latest_entry_time_us() == 0

    def test_entries_chain_and_are_listed_newest_first(self, store: Store) -> None:
        assert store.append_audit(draft(), draft(AuditKind.LOCKED), draft(page_no=7)) == 3
        listed = store.audit_entries(AuditFilter(), 0, 10)
        assert [one.seq for one in listed] == [3, 2, 1]
        previous = bytes(32)
        for one in reversed(listed):
            previous = chain_hash(previous, canonical(one))
            assert one.entry_hash == previous
        assert store.audit_head() == (3, previous)
        assert store.latest_entry_time_us() == listed[0].at_us

    def test_entries_are_paged_and_filtered(self, store: Store) -> None:
        for number in range(30):
            store.append_audit(draft(AuditKind.PAGE_VIEWED, case_id=a_case(number % 3), actor_id=a_person(number % 2), page_no=number))
        store.append_audit(draft(AuditKind.LOCKED))
        assert [one.seq for one in store.audit_entries(AuditFilter(), 21, 3)] == [20, 19, 18]
        about = store.audit_entries(AuditFilter(case_id=a_case(1)), 0, 100)
        assert [one.page_no for one in about] == list(range(28, 0, -3))
        assert len(store.audit_entries(AuditFilter(case_id=a_case(1), actor_id=a_person(0)), 0, 100)) == 5
        assert [one.kind for one in store.audit_entries(AuditFilter(kinds=("session.locked", "vault.founded")), 0, 9)] == ["session.locked"]
        tenth = about[-1]
        until = store.audit_entries(AuditFilter(until_us=tenth.at_us), 0, 100)
        since = store.audit_entries(AuditFilter(from_us=tenth.at_us), 0, 100)
        assert len(until) + len(since) == 31
        assert since[-1] == tenth

    def test_the_change_and_its_entry_happen_together_or_not_at_all(self, store: Store) -> None:
        store.add_person(person_row(1), draft(AuditKind.PERSON_ENROLLED))
        before = store.audit_head()
        with refused("person.badge-taken"):
            store.add_person(replace(person_row(2), badge_no="pc1"), draft(AuditKind.PERSON_ENROLLED))
        assert store.audit_head() == before
        assert len(store.people()) == 1
        assert store.append_audit(draft()) == before[0] + 1

    def test_a_checkpoint_is_signed_once_for_the_same_head(self, store: Store) -> None:
        store.append_audit(draft(), draft())
        statements: list[bytes] = []

        def sign(statement: bytes) -> bytes:
            statements.append(statement)
            return b"signature"

        first = store.make_checkpoint(sign)
        assert (first.seq, first.head) == store.audit_head()
        assert store.make_checkpoint(sign) == first
        assert statements == [first.statement()]
        store.append_audit(draft())
        second = store.make_checkpoint(sign)
        assert second.seq == 3
        verdict = store.verify_chain(store.audit_head(), accept_any)
        assert verdict.holds
        assert (verdict.entries, verdict.checkpoints, verdict.witnessed_seq) == (3, 2, 3)

    def test_a_signature_that_does_not_hold_is_a_bad_checkpoint(self, store: Store) -> None:
        store.append_audit(draft(), draft())
        store.make_checkpoint(lambda statement: b"good")
        store.append_audit(draft())
        store.make_checkpoint(lambda statement: b"bad")

        def check(_statement: bytes, signature: bytes) -> None:
            if signature != b"good":
                raise TamperError("crypto.signature")

        verdict = store.verify_chain(None, check)
        assert (verdict.bad_seq, verdict.reason, verdict.checkpoints) == (3, "checkpoint", 1)

    def test_a_witness_ahead_of_the_trail_or_of_another_trail_is_a_roll_back(self, store: Store) -> None:
        store.append_audit(draft(), draft())
        assert store.verify_chain((5, b"x" * 32), accept_any).reason == "rolled-back"
        assert store.verify_chain((5, b"x" * 32), accept_any).bad_seq == 3
        assert store.verify_chain((2, b"x" * 32), accept_any).reason == "rolled-back"
        assert store.verify_chain(store.audit_head(), accept_any).holds

    def test_two_openings_keep_one_chain(self, store: Store, another: Callable[[], Store]) -> None:
        second = another()
        assert [store.append_audit(draft()), second.append_audit(draft()), store.append_audit(draft()), second.append_audit(draft())] == [
            1, 2, 3, 4,
        ]  # fmt: skip
        assert store.verify_chain(second.audit_head(), accept_any).holds

    # -- people and units

    def test_people_are_found_by_badge(self, store: Store) -> None:
        store.add_person(person_row(1), draft())
        store.add_person(person_row(2), draft())
        assert store.people() == [person_row(1), person_row(2)]
        assert store.person_by_badge("pc2") == person_row(2)
        assert store.person_by_badge("nobody") is None

    def test_a_cosigned_person_is_active_and_has_the_unit_keys(self, store: Store) -> None:
        store.add_unit(unit_row(1), [], draft())
        store.add_person(person_row(1), draft())
        membership = MembershipRow(a_unit(1), A, b"sealed to A")
        store.cosign_person(A, SUPERVISOR, b"cosigned", [membership], draft())
        [person] = store.people()
        assert (person.state, person.supervisor_id, person.supervisor_signature) == (PersonState.ACTIVE, SUPERVISOR, b"cosigned")
        assert store.memberships_of(A) == [membership]
        assert store.members_of(a_unit(1)) == [A]

    def test_state_changes_and_that_of_nobody_unknown(self, store: Store) -> None:
        store.add_person(person_row(1), draft())
        store.set_person_state(A, PersonState.DISABLED, draft())
        [person] = store.people()
        assert person.state is PersonState.DISABLED
        before = store.audit_head()
        with pytest.raises(DefectError):
            store.set_person_state(B, PersonState.ACTIVE, draft())
        assert store.audit_head() == before

    def test_a_units_name_is_taken_once(self, store: Store) -> None:
        store.add_unit(unit_row(1), [MembershipRow(a_unit(1), A, b"key")], draft())
        with refused("unit.name-taken"):
            store.add_unit(replace(unit_row(2), name="Unit 1"), [MembershipRow(a_unit(2), A, b"key")], draft())
        store.add_unit(unit_row(2), [], draft())
        store.add_membership(MembershipRow(a_unit(2), A, b"key 2"), draft())
        assert store.units() == [unit_row(1), unit_row(2)]
        assert [one.unit_id for one in store.memberships_of(A)] == [a_unit(1), a_unit(2)]

    # -- sign-in and sessions

    def test_failures_are_counted_a_badge_and_since_a_time(self, store: Store) -> None:
        store.add_person(person_row(1), draft())
        for at in (10, 20, 30):
            store.record_sign_in_failure(b"blind", at, None, [draft()])
        store.record_sign_in_failure(b"other", 30, A, [draft(), draft(AuditKind.LOCKED_OUT)])
        assert [store.sign_in_failures_since(b"blind", since) for since in (0, 20, 31)] == [3, 2, 0]
        assert store.people()[0].state is PersonState.LOCKED
        store.clear_sign_in_failures(b"blind")
        assert [store.sign_in_failures_since(name, 0) for name in (b"blind", b"other")] == [0, 1]

    def test_one_open_session_a_person_and_a_workstation(self, store: Store) -> None:
        for number in (1, 2):
            store.add_person(person_row(number), draft())
        elsewhere = WorkstationId("e1" * 16)
        first, second, third = session_row(1, A), session_row(2, A, elsewhere), session_row(3, B, elsewhere)
        store.open_session(first, 1, [draft()])
        store.open_session(second, 2, [draft()])
        assert _session(store, first.session_id).ended_us == second.opened_us
        store.open_session(third, 1, [draft()])
        assert _session(store, second.session_id).ended_us == third.opened_us
        assert _session(store, third.session_id).ended_us == 0

    def test_a_code_is_good_once(self, store: Store) -> None:
        store.add_person(person_row(1), draft())
        store.open_session(session_row(1, A), 77, [draft()])
        for step in (77, 76):
            with refused("session.code-used"):
                store.open_session(session_row(2, A), step, [draft()])
        assert store.people()[0].totp_last_step == 77
        assert _session(store, session_row(1, A).session_id).ended_us == 0

    def test_a_slot_is_replaced_where_it_is_known_and_codes_count_anew(self, store: Store) -> None:
        for number in (1, 2):
            store.add_person(person_row(number), draft())
        store.open_session(session_row(1, A), 77, [draft()])
        store.open_session(session_row(2, B, WorkstationId("e1" * 16)), 1, [draft()])
        with refused("session.code-used"):
            store.use_code(A, 77)
        store.use_code(A, 78)
        before = store.audit_head()
        with refused("person.slot-changed"):
            store.replace_slot(A, b"another slot", b"new", 3, FIRST_US + 9, draft())
        assert store.audit_head() == before
        store.replace_slot(A, b"slot", b"new", 78, 0, draft())
        assert _session(store, session_row(1, A).session_id).ended_us == 0
        store.replace_slot(A, b"new", b"newer", 3, FIRST_US + 9, draft())
        assert _session(store, session_row(1, A).session_id).ended_us == FIRST_US + 9
        assert _session(store, session_row(2, B).session_id).ended_us == 0
        first, second = store.people()
        assert (first.slot, first.totp_last_step) == (b"newer", 3)
        assert (second.slot, second.totp_last_step) == (b"slot", 1)

    def test_sessions_lock_unlock_and_end_for_good(self, store: Store) -> None:
        store.add_person(person_row(1), draft())
        row = session_row(1, A)
        store.open_session(row, 1, [draft()])
        assert store.locked_session(DESK) is None
        store.lock_session(row.session_id, FIRST_US + 9, draft())
        locked = store.locked_session(DESK)
        assert locked is not None
        assert locked.locked_us == FIRST_US + 9
        store.unlock_session(row.session_id, draft())
        assert store.locked_session(DESK) is None
        store.end_session(row.session_id, FIRST_US + 10, draft())
        for act in (
            lambda: store.end_session(row.session_id, FIRST_US + 11, draft()),
            lambda: store.lock_session(row.session_id, FIRST_US + 11, draft()),
            lambda: store.unlock_session(row.session_id, draft()),
        ):
            with refused("session.ended"):
                act()
        assert store.session(SessionId("none")) is None

    # -- cases, grants, documents

    def test_a_case_number_is_taken_once_and_nothing_of_the_second_stays(self, store: Store) -> None:
        store.register_case(case_row(1), [grant_row(1, a_case(1), A)], [draft()])
        with refused("case.number-taken"):
            store.register_cases(
                [(case_row(2), [grant_row(2, a_case(2), A)]), (replace(case_row(3), number_blind=b"blind-1"), [])], [draft()]
            )
        assert store.case(a_case(2)) is None
        assert store.case(a_case(1)) == case_row(1)
        assert store.case_by_number(b"blind-1") == case_row(1)
        assert store.case_by_number(b"blind-2") is None
        assert store.count_granted_cases(A, []) == 1

    def test_grants_are_removed_once_and_stay_listed(self, store: Store) -> None:
        store.register_case(case_row(1), [grant_row(1, a_case(1), A)], [draft()])
        deny = grant_row(2, a_case(1), a_unit(1), GranteeKind.UNIT, Effect.DENY)
        store.add_grants([deny], [draft()])
        assert store.denies_for(A, [a_unit(1)]) == [deny.terms]
        assert store.denies_for(A, []) == []
        store.remove_grant(GrantId(hexed("gran", 2)), FIRST_US + 9, draft())
        assert store.denies_for(A, [a_unit(1)]) == []
        with refused("grant.removed"):
            store.remove_grant(GrantId(hexed("gran", 2)), FIRST_US + 10, draft())
        assert [one.terms.removed_us for one in store.grants_of(a_case(1))] == [0, FIRST_US + 9]

    def test_granted_cases_come_newest_first_in_pages_without_gap_or_repeat(self, store: Store) -> None:
        cases = [(case_row(number, FIRST_US + number // 3), [grant_row(number, a_case(number), A)]) for number in range(40)]
        store.register_cases(cases, [draft()])
        expected = sorted(((row.registered_us, row.case_id) for row, _ in cases), reverse=True)
        seen: list[tuple[int, str]] = []
        before: tuple[int, str] | None = None
        while page := store.granted_cases(A, [], FIRST_US + 100, before, 7):
            seen += [(one.case.registered_us, one.case.case_id) for one in page]
            before = seen[-1]
        assert seen == expected
        assert store.count_granted_cases(A, []) == 40

    def test_a_case_granted_several_ways_is_listed_once_with_the_persons_own_grant(self, store: Store) -> None:
        grants = [
            grant_row(1, a_case(1), a_unit(1), GranteeKind.UNIT),
            grant_row(2, a_case(1), A, granted_us=FIRST_US + 1),
            grant_row(3, a_case(1), A, granted_us=FIRST_US + 2),
            grant_row(4, a_case(1), a_unit(2), GranteeKind.UNIT, granted_us=FIRST_US + 9),
        ]
        store.register_case(case_row(1), grants, [draft()])
        store.register_case(case_row(2), [grant_row(5, a_case(2), a_unit(2), GranteeKind.UNIT)], [draft()])
        store.register_case(case_row(3), [grant_row(6, a_case(3), B)], [draft()])
        store.register_case(case_row(4), [grant_row(7, a_case(4), A, effect=Effect.DENY)], [draft()])
        units = [a_unit(1), a_unit(2)]
        listed = store.granted_cases(A, units, FIRST_US + 100, None, 10)
        assert [(one.case.case_id, one.grant.terms.grant_id) for one in listed] == [
            (a_case(2), hexed("gran", 5)),
            (a_case(1), hexed("gran", 3)),
        ]
        assert store.count_granted_cases(A, units) == 2
        store.remove_grant(GrantId(hexed("gran", 3)), FIRST_US + 10, draft())
        assert store.granted_cases(A, units, FIRST_US + 100, None, 10)[1].grant.terms.grant_id == hexed("gran", 2)

    def test_a_grant_is_listed_while_it_is_in_force_and_another_ways_grant_in_its_place(self, store: Store) -> None:
        own, units = grant_row(1, a_case(1), A), grant_row(2, a_case(1), a_unit(1), GranteeKind.UNIT)
        dated = replace(own, terms=replace(own.terms, from_us=FIRST_US + 10, until_us=FIRST_US + 20))
        store.register_case(case_row(1), [dated], [draft()])
        listed = [len(store.granted_cases(A, [a_unit(1)], FIRST_US + at, None, 10)) for at in (9, 10, 19, 20)]
        assert listed == [0, 1, 1, 0]
        store.add_grants([units], [draft()])
        [late] = store.granted_cases(A, [a_unit(1)], FIRST_US + 20, None, 10)
        assert late.grant.terms.grant_id == units.terms.grant_id

    def test_a_listed_case_shows_who_holds_it(self, store: Store) -> None:
        for number in (1, 2):
            store.register_case(case_row(number), [grant_row(number, a_case(number), A)], [draft()])
        taken = store.open_check_out(check_out_row(1, a_case(1), B), b"signed", [draft()])
        assert [one.check_out for one in store.granted_cases(A, [], FIRST_US + 100, None, 10)] == [None, taken]

    def test_documents_appear_in_the_order_they_were_taken_in(self, store: Store) -> None:
        store.register_case(case_row(1), [], [draft()])
        for number in (9, 4, 7):
            store.add_document(document_row(number, a_case(1)), draft())
        assert [one.document_id for one in store.documents_of(a_case(1))] == [hexed("docu", number) for number in (9, 4, 7)]
        assert store.document(DocumentId(hexed("docu", 4))) == document_row(4, a_case(1))
        assert store.document(DocumentId("none")) is None
        assert sorted(store.document_ids()) == sorted(hexed("docu", number) for number in (4, 7, 9))
        with pytest.raises(DefectError):
            store.add_document(document_row(4, a_case(1)), draft())

    # -- custody

    def test_check_outs_are_numbered_and_exclusive(self, store: Store) -> None:
        for number in (1, 2):
            store.register_case(case_row(number), [], [draft()])
        first = store.open_check_out(check_out_row(1, a_case(1), A), b"signed", [draft()])
        second = store.open_check_out(check_out_row(2, a_case(2), A), b"signed", [draft()])
        assert (first.check_out_no, second.check_out_no) == (1, 2)
        before = store.audit_head()
        with refused("custody.already-checked-out"):
            store.open_check_out(check_out_row(3, a_case(1), B), b"signed", [draft()])
        assert store.audit_head() == before
        assert store.active_check_out(a_case(1)) == first
        assert store.check_out(first.check_out_id) == first
        assert store.held_by(A) == [first, second]
        assert store.held_by(B) == []

    def test_two_openings_cannot_both_check_out(self, store: Store, another: Callable[[], Store]) -> None:
        store.register_case(case_row(1), [], [draft()])
        second = another()
        assert second.active_check_out(a_case(1)) is None
        store.open_check_out(check_out_row(1, a_case(1), A), b"signed", [draft()])
        with refused("custody.already-checked-out"):
            second.open_check_out(check_out_row(2, a_case(1), B), b"signed", [draft()])
        [holding] = second.all_held()
        assert holding.holder_id == A

    def test_a_check_out_ends_once_and_stays_in_the_history(self, store: Store) -> None:
        store.register_case(case_row(1), [], [draft()])
        taken = store.open_check_out(check_out_row(1, a_case(1), A), b"signed", [draft()])
        store.close_check_out(taken.check_out_id, FIRST_US + 50, ReturnKind.CHECKED_IN, A, b"statement", [draft()])
        for kind in ReturnKind:
            with refused("custody.not-held"):
                store.close_check_out(taken.check_out_id, FIRST_US + 60, kind, B, b"", [draft()])
        again = store.open_check_out(check_out_row(2, a_case(1), B), b"signed", [draft()])
        history = store.custody_history(a_case(1))
        assert history[0] == replace(taken, returned_us=FIRST_US + 50, return_kind=ReturnKind.CHECKED_IN, returned_by=A)
        assert history[1] == again
        assert store.recently_returned_by(A, 5) == [history[0]]
        assert store.recently_returned_by(B, 5) == []

    def test_a_handover_is_one_act(self, store: Store) -> None:
        store.register_case(case_row(1), [], [draft()])
        taken = store.open_check_out(check_out_row(1, a_case(1), A), b"signed", [draft()])
        following = store.hand_over(taken.check_out_id, FIRST_US + 70, check_out_row(2, a_case(1), B), b"signed", [draft()])
        ended, active = store.custody_history(a_case(1))
        assert (ended.return_kind, ended.returned_us, ended.returned_by) == (ReturnKind.HANDED_OVER, FIRST_US + 70, A)
        assert active == following == store.active_check_out(a_case(1))
        before = store.audit_head()
        with refused("custody.not-held"):
            store.hand_over(taken.check_out_id, FIRST_US + 80, check_out_row(3, a_case(1), C), b"signed", [draft()])
        assert store.audit_head() == before
        assert store.active_check_out(a_case(1)) == following

    def test_recalls_and_overdue(self, store: Store) -> None:
        for number, due in ((1, 300), (2, 100), (3, 200)):
            store.register_case(case_row(number), [], [draft()])
            store.open_check_out(check_out_row(number, a_case(number), A, FIRST_US + due), b"signed", [draft()])
        assert [one.check_out_no for one in store.all_held()] == [2, 3, 1]
        assert [one.check_out_no for one in store.overdue(FIRST_US + 200)] == [2, 3]
        recalled = CheckOutId(hexed("chec", 1))
        store.recall_check_out(recalled, FIRST_US + 10, draft())
        store.recall_check_out(recalled, FIRST_US + 20, draft())
        found = store.check_out(recalled)
        assert found is not None
        assert found.recalled_us == FIRST_US + 10
        store.close_check_out(recalled, FIRST_US + 30, ReturnKind.EXPIRED, None, b"", [draft()])
        with refused("custody.not-held"):
            store.recall_check_out(recalled, FIRST_US + 40, draft())

    def test_the_waiting_list_is_first_come_first_served(self, store: Store) -> None:
        store.register_case(case_row(1), [], [draft()])
        for person, at in ((B, 30), (C, 10), (A, 20)):
            store.join_waiting(WaitRow(a_case(1), person, FIRST_US + at), draft())
        assert [one.person_id for one in store.waiting(a_case(1))] == [B, C, A]
        with refused("custody.already-waiting"):
            store.join_waiting(WaitRow(a_case(1), A, FIRST_US), draft())
        store.open_check_out(check_out_row(1, a_case(1), C), b"signed", [draft()])
        store.leave_waiting(a_case(1), B, draft())
        assert store.waiting(a_case(1)) == [WaitRow(a_case(1), A, FIRST_US + 20)] == store.waits_of(A)
        with refused("custody.not-waiting"):
            store.leave_waiting(a_case(1), B, draft())

    def test_reading_is_summed_from_the_trail_of_one_check_out(self, store: Store) -> None:
        store.register_case(case_row(1), [], [draft()])
        taken = store.open_check_out(check_out_row(1, a_case(1), A), b"signed", [draft()])
        named = ("check_out_id", taken.check_out_id)
        for document, page, dwell in ((1, 1, 500), (1, 2, 700), (1, 1, 50), (2, 1, 1_000)):
            about = {"case_id": a_case(1), "document_id": DocumentId(hexed("docu", document)), "page_no": page}
            store.append_audit(draft(AuditKind.PAGE_VIEWED, facts=(named,), **about))
            store.append_audit(draft(AuditKind.PAGE_LEFT, facts=(named, ("dwell_ms", dwell)), **about))
        store.append_audit(draft(AuditKind.PAGE_VIEWED, case_id=a_case(1), page_no=9, facts=(("check_out_id", "another"),)))
        assert store.reading_seconds(taken.check_out_id) == (3, 2, 2_250)
        assert store.reading_seconds(CheckOutId("none")) == (0, 0, 0)

    # -- breaches

    def test_reports_are_numbered_within_their_year(self, store: Store) -> None:
        next_year = FIRST_US + 366 * 86_400_000_000
        numbers = [store.record_breach(breach_row(number, A), [draft()]) for number in (1, 2)]
        numbers.append(store.record_breach(breach_row(3, A, first_us=next_year), [draft()]))
        numbers.append(store.record_breach(breach_row(4, A), [draft()]))
        assert numbers == ["B-2026-0001", "B-2026-0002", "B-2027-0001", "B-2026-0003"]
        found = store.breach(BreachId(hexed("brea", 2)))
        assert found == replace(breach_row(2, A), report_no="B-2026-0002")
        assert store.breach(BreachId("none")) is None

    def test_a_repeat_joins_and_severity_only_rises(self, store: Store) -> None:
        store.record_breach(breach_row(1, A, Severity.DELIBERATE), [draft()])
        one = BreachId(hexed("brea", 1))
        store.join_breach(one, Severity.AMBIGUOUS, SignalKind.COPY_KEY, FIRST_US + 90, b"second", [draft()])
        store.join_breach(one, Severity.EXPOSED, SignalKind.COPY_KEY, FIRST_US + 95, b"third", [draft()])
        found = store.breach(one)
        assert found is not None
        assert (found.state.severity, found.state.count, found.state.last_us) == (Severity.EXPOSED, 3, FIRST_US + 95)
        assert found.facts_sealed == (b"facts-1", b"second", b"third")

    def test_facts_are_bounded_and_the_count_goes_on(self, store: Store) -> None:
        store.record_breach(breach_row(1, A), [draft()])
        one = BreachId(hexed("brea", 1))
        for number in range(119):
            store.join_breach(one, Severity.AMBIGUOUS, SignalKind.COPY_KEY, FIRST_US + number, b"more", [draft()])
        found = store.breach(one)
        assert found is not None
        assert found.state.count == 120
        assert 50 <= len(found.facts_sealed) <= 100

    def test_joinable_reports_are_the_persons_and_of_the_kinds_newest_first(self, store: Store) -> None:
        store.record_breach(breach_row(1, A), [draft()])
        store.record_breach(breach_row(2, A, kind=SignalKind.PRINT_KEY), [draft()])
        store.record_breach(breach_row(3, None), [draft()])
        store.record_breach(breach_row(4, A), [draft()])

        def joinable(
            officer: PersonId | None, *kinds: SignalKind, since_us: int = FIRST_US, until_us: int = FIRST_US + 9, at: WorkstationId = DESK
        ) -> list[int]:
            return [_breach_of(one) for one in store.joinable_breaches(officer, at, kinds or (SignalKind.COPY_KEY,), since_us, until_us)]

        assert joinable(A) == [4, 1]
        assert joinable(A, SignalKind.PRINT_KEY, SignalKind.DRAG) == [2]
        assert joinable(A, SignalKind.PRINT_KEY, SignalKind.COPY_KEY) == [4, 2, 1]
        assert joinable(B) == []
        assert joinable(A, since_us=FIRST_US + 2) == [4]
        assert joinable(A, until_us=FIRST_US + 2) == [1]
        assert joinable(A, since_us=FIRST_US + 1_000) == []
        elsewhere = WorkstationId("ee" * 16)
        assert (joinable(None), joinable(None, at=elsewhere)) == ([3], []), "nobody at another workstation is somebody else"
        assert joinable(A, at=elsewhere) == [4, 1]
        _dispose(store, 4)
        assert joinable(A) == [1]

    def test_urgent_reports_come_first_then_the_newest(self, store: Store) -> None:
        for number, severity in ((1, 3), (2, 2), (3, 4), (4, 1), (5, 5)):
            store.record_breach(breach_row(number, A, Severity(severity)), [draft()])
        _dispose(store, 5)
        assert [_breach_of(one) for one in store.breaches(list(TriageState), 10)] == [3, 1, 5, 4, 2]
        assert [_breach_of(one) for one in store.breaches([TriageState.OPEN], 3)] == [3, 1, 4]
        assert [_breach_of(one) for one in store.breaches([TriageState.DISPOSED], 10)] == [5]

    def test_triage_keeps_its_times_owner_finding_and_note(self, store: Store) -> None:
        store.record_breach(breach_row(1, A), [draft()])
        one = BreachId(hexed("brea", 1))
        store.triage_breach(one, SUPERVISOR, TriageState.ACKNOWLEDGED, None, FIRST_US + 1, None, None, draft())
        store.triage_breach(one, SUPERVISOR, TriageState.INVESTIGATING, SUPERVISOR, FIRST_US + 2, None, None, draft())
        rationale = note_row(one, SUPERVISOR, "rationale")
        store.triage_breach(one, SUPERVISOR, TriageState.DISPOSED, SUPERVISOR, FIRST_US + 3, Finding.REFERRED, rationale, draft())
        found = store.breach(one)
        assert found is not None
        assert (found.acknowledged_us, found.disposed_us, found.finding) == (FIRST_US + 1, FIRST_US + 3, Finding.REFERRED)
        assert found.state.owner_id == SUPERVISOR
        assert store.breach_notes(one) == [rationale]
        with refused("breach.disposed"):
            store.triage_breach(one, SUPERVISOR, TriageState.OPEN, None, FIRST_US + 4, None, None, draft())

    TRIAGE_BY_THE_OFFICER_NAMED: ClassVar = [state for state in TriageState if state is not TriageState.OPEN]

    @pytest.mark.parametrize("state", TRIAGE_BY_THE_OFFICER_NAMED, ids=lambda state: state.value)
    def test_the_officer_named_triages_nothing(self, store: Store, state: TriageState) -> None:
        store.record_breach(breach_row(1, A), [draft()])
        one = BreachId(hexed("brea", 1))
        before = store.audit_head()
        with refused("breach.own-report"):
            store.triage_breach(one, A, state, A, FIRST_US + 1, None, None, draft())
        with refused("breach.own-report"):
            store.add_breach_note(note_row(one, A), draft())
        assert store.audit_head() == before
        found = store.breach(one)
        assert found is not None
        assert (found.state.state, found.state.owner_id) == (TriageState.OPEN, None)
        store.add_breach_note(note_row(one, A, "account"), draft())
        assert [row.kind for row in store.breach_notes(one)] == ["account"]


class ContentStoreContract:
    """The sealed chunks."""

    @pytest.fixture
    def contents(self) -> Iterator[ContentStore]:
        raise NotImplementedError

    def test_chunks_come_back_by_number(self, contents: ContentStore) -> None:
        writer, reader = contents.open_writer(), contents.open_reader()
        writer.begin(intake(1))
        chunks = [bytes([number]) * 262_160 for number in range(8)]
        writer.append_chunks(_document(1), 0, chunks[:5], b"source-5")
        writer.append_chunks(_document(1), 5, [memoryview(one) for one in chunks[5:]], b"source-8")
        writer.finish(_document(1))
        assert [reader.read_chunk(_document(1), number) for number in (7, 0, 4)] == [chunks[7], chunks[0], chunks[4]]
        for document, number in ((1, 8), (2, 0)):
            with pytest.raises(TamperError, match=r"^storage\.chunk-missing"):
                reader.read_chunk(_document(document), number)
        reader.close()
        writer.close()

    def test_a_pending_intake_tells_how_far_it_came(self, contents: ContentStore) -> None:
        writer = contents.open_writer()
        writer.begin(intake(1))
        writer.append_chunks(_document(1), 0, [b"a", b"b"], b"source-2")
        writer.close()
        writer = contents.open_writer()
        assert writer.pending() == [replace(intake(1), chunks_stored=2, source_sealed=b"source-2")]
        writer.append_chunks(_document(1), 2, [b"c"], b"source-3")
        writer.finish(_document(1))
        writer.finish(_document(1))
        assert writer.pending() == []
        writer.close()

    OUT_OF_PLACE: ClassVar = [
        ("a gap", 1, [b"x"], "storage.chunk-order"),
        ("too much at once", 0, [bytes(1 << 20)] * 9, "storage.group-too-large"),
    ]

    @pytest.mark.parametrize(("first", "chunks", "code"), [row[1:] for row in OUT_OF_PLACE], ids=[row[0] for row in OUT_OF_PLACE])
    def test_a_group_out_of_place_stores_nothing(self, contents: ContentStore, first: int, chunks: list[bytes], code: str) -> None:
        writer = contents.open_writer()
        writer.begin(intake(1))
        with pytest.raises(DefectError, match=f"^{code}"):
            writer.append_chunks(_document(1), first, chunks, b"")
        assert writer.pending() == [intake(1)]
        with pytest.raises(DefectError, match=r"^storage\.no-intake"):
            writer.append_chunks(_document(2), 0, [b"x"], b"")
        writer.close()

    def test_a_discarded_intake_leaves_nothing_and_may_begin_again(self, contents: ContentStore) -> None:
        writer, reader = contents.open_writer(), contents.open_reader()
        writer.begin(intake(1, 100))
        for first in range(0, 100, 10):
            writer.append_chunks(_document(1), first, [b"x" * 1000] * 10, b"")
        writer.discard(_document(1))
        writer.discard(_document(1))
        assert writer.pending() == []
        with pytest.raises(TamperError):
            reader.read_chunk(_document(1), 0)
        writer.begin(intake(1))
        writer.close()
        reader.close()

    def test_a_finished_document_is_not_discarded(self, contents: ContentStore) -> None:
        writer, reader = contents.open_writer(), contents.open_reader()
        writer.begin(intake(1))
        writer.append_chunks(_document(1), 0, [b"kept"], b"")
        writer.finish(_document(1))
        with pytest.raises(DefectError):
            writer.discard(_document(1))
        assert writer.sweep([]) == 0
        assert reader.read_chunk(_document(1), 0) == b"kept"
        writer.close()
        reader.close()

    def test_the_sweep_finishes_what_is_visible_and_keeps_what_can_resume(self, contents: ContentStore) -> None:
        writer = contents.open_writer()
        for number in (1, 2):
            writer.begin(intake(number))
            writer.append_chunks(_document(number), 0, [b"x"], b"")
        assert writer.sweep([_document(1)]) == 0
        assert [one.document_id for one in writer.pending()] == [_document(2)]
        writer.close()

    def test_a_reader_reads_while_the_writer_is_inside_a_group(self, contents: ContentStore) -> None:
        writer, reader = contents.open_writer(), contents.open_reader()
        writer.begin(intake(1))
        writer.append_chunks(_document(1), 0, [b"first"], b"")

        class Reading:
            """A chunk whose length is asked for in the middle of the group."""

            seen = b""

            def __len__(self) -> int:
                self.seen = reader.read_chunk(_document(1), 0)
                return 1

        looking = Reading()
        with pytest.raises((VaultError, TypeError)):
            writer.append_chunks(_document(1), 1, [looking], b"")  # type: ignore[list-item]
        assert looking.seen == b"first"
        writer.close()
        reader.close()


def _document(number: int) -> DocumentId:
    return DocumentId(hexed("docu", number))


def _session(store: Store, session_id: SessionId):  # type: ignore[no-untyped-def]
    found = store.session(session_id)
    assert found is not None
    return found


def _breach_of(found) -> int:  # type: ignore[no-untyped-def]
    return int(found.state.breach_id[8:], 16)


def _dispose(store: Store, number: int) -> None:
    one = BreachId(hexed("brea", number))
    store.triage_breach(one, SUPERVISOR, TriageState.DISPOSED, SUPERVISOR, FIRST_US + 1, Finding.FALSE_POSITIVE, None, draft())
