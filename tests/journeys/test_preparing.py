"""Preparing a page ahead discloses nothing: no pixel outside the worker, no entry in the trail, and nothing at all without custody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import COLLEAGUE, OFFICER
from tests.journeys.crew import Crew, refused
from tests.journeys.test_custody import share
from tests.station import CUSTODIAN, SUPERVISOR
from vault.domain.audit import AuditKind
from vault.domain.duration import HOUR_US
from vault.domain.identity import CheckOutId, DocumentId
from vault.services.page_memory import SLOT_COUNT
from vault.services.views import PreparedPage

LONG_TEXT = "\n".join(f"line {number} of a statement" for number in range(300))


def pixels(crew: Crew) -> bytes:
    """Everything the interface could read."""
    pages = crew.station.pages
    return b"".join(bytes(view) for view in (pages.view(slot) for slot in range(SLOT_COUNT)))


def test_a_prepared_page_is_nowhere_until_it_is_viewed(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, LONG_TEXT)
    held = crew.take(OFFICER, case_id)
    reading, document_id = crew.vault.reading, crew.first_document(held.check_out_id)
    before, head = pixels(crew), crew.head()
    assert reading.prepare_page(held.check_out_id, None, 100) == PreparedPage(document_id, 1)
    assert crew.head() == head, "nothing was disclosed, so nothing is recorded"
    assert reading.on_screen is None or reading.on_screen.check_out.check_out_id != held.check_out_id
    assert pixels(crew) == before
    image = reading.view_page(held.check_out_id, document_id, 1, 100, 0)
    assert [one.seq for one in crew.trail(AuditKind.PAGE_VIEWED, case_id=case_id)] == [image.audit_seq]
    assert pixels(crew) != before


def test_the_page_prepared_is_where_the_file_was_left(crew: Crew) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER, "first\n", LONG_TEXT)
    held = crew.take(OFFICER, case_id)
    reading = crew.vault.reading
    opened = reading.open_file(held.check_out_id)
    long = next(one for one in opened.documents if one.page_count > 1)
    reading.view_page(held.check_out_id, long.document_id, 2, 72, 0)
    reading.leave_page()
    opened = reading.open_file(held.check_out_id)
    assert reading.prepare_page(held.check_out_id, None, 72) == PreparedPage(long.document_id, 2)
    assert (opened.last_document_id, opened.holding.last_page_no) == (long.document_id, 2), "the reader opens at that very page"
    other = next(one for one in opened.documents if one.document_id != long.document_id)
    assert reading.prepare_page(held.check_out_id, other.document_id, 72) == PreparedPage(other.document_id, 1)


def _nothing(_crew: Crew, _check_out_id: CheckOutId) -> None:
    return


def _colleague(crew: Crew, _check_out_id: CheckOutId) -> None:
    crew.at(COLLEAGUE)


def _supervisor(crew: Crew, _check_out_id: CheckOutId) -> None:
    crew.at(SUPERVISOR)


def _returned(crew: Crew, check_out_id: CheckOutId) -> None:
    crew.vault.custody.check_in(check_out_id, True)


def _signed_out(crew: Crew, _check_out_id: CheckOutId) -> None:
    crew.vault.world.session = None


def _expired(crew: Crew, _check_out_id: CheckOutId) -> None:
    crew.station.clock.step(72 * HOUR_US // 1_000_000)
    crew.at(OFFICER)


def _grant_removed(crew: Crew, check_out_id: CheckOutId) -> None:
    check_out = crew.vault.store.check_out(check_out_id)
    assert check_out is not None
    cases = crew.at(CUSTODIAN).register
    for one in crew.vault.store.grants_of(check_out.case_id):
        if one.terms.grantee_id == crew.person_id(OFFICER):
            cases.remove_grant(check_out.case_id, one.terms.grant_id, "a reason that is long enough")
    crew.at(OFFICER)


# what happened before -> whose document is asked for -> the refusal
ATTACKS: tuple[tuple[Callable[[Crew, CheckOutId], None], str, str], ...] = (
    (_colleague, "own", "custody.not-held"),
    (_supervisor, "own", "custody.not-held"),
    (_returned, "own", "custody.not-held"),
    (_returned, "last", "custody.not-held"),
    (_expired, "last", "custody.expired"),
    (_signed_out, "last", "session.locked"),
    (_grant_removed, "own", "custody.not-held"),
    (_nothing, "of another case", "document.unknown"),
    (_nothing, "invented", "document.unknown"),
)


@pytest.mark.parametrize(("act", "whose", "code"), ATTACKS)
def test_without_custody_and_need_to_know_nothing_is_prepared(
    crew: Crew, act: Callable[[Crew, CheckOutId], None], whose: str, code: str
) -> None:
    case_id, other_id = crew.new_case(CUSTODIAN, OFFICER, "page\n"), crew.new_case(CUSTODIAN, OFFICER, "another\n")
    share(crew, case_id, COLLEAGUE)
    other = crew.take(OFFICER, other_id)
    held = crew.take(OFFICER, case_id)
    asked: dict[str, DocumentId | None] = {
        "own": crew.first_document(held.check_out_id),
        "of another case": crew.first_document(other.check_out_id),
        "invented": DocumentId("0" * 32),
        "last": None,
    }
    act(crew, held.check_out_id)
    before, head = pixels(crew), crew.head()
    opened = len(crew.vault.reading._open)
    with refused(code):
        crew.vault.reading.prepare_page(held.check_out_id, asked[whose], 72)
    assert len(crew.vault.reading._open) == opened, "the worker was not asked"
    assert pixels(crew) == before
    assert crew.head() == head
