"""What is looked at is in the trail before it is shown; a list that follows events writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import AUDITOR, OFFICER
from tests.journeys.crew import Crew, refused
from tests.journeys.test_intake import GROUP_BYTES, interrupted, pdf
from tests.station import CUSTODIAN, SUPERVISOR
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.duration import SECOND_US
from vault.errors import UnavailableError
from vault.services.looking import LONGEST_US, PAUSE_US
from vault.services.views import FileState


def away(crew: Crew) -> None:
    """Long enough since anything was looked at."""
    crew.station.clock.step(PAUSE_US / SECOND_US + 1)


def test_reading_a_cases_details_is_entered_once_a_look(crew: Crew) -> None:
    case_id, other_id = crew.new_case(CUSTODIAN, OFFICER), crew.new_case(CUSTODIAN, OFFICER)
    desk = crew.at(OFFICER).desk

    def entered() -> list[str]:
        return [one.case_id for one in crew.trail(AuditKind.CASE_READ) if one.case_id in (case_id, other_id)]

    for _ in range(3):
        desk.case(case_id)
    assert entered() == [case_id]
    desk.case(other_id)
    desk.case(case_id)
    assert entered() == [case_id, other_id], "going to and fro is one look at each"
    away(crew)
    desk.case(case_id)
    assert entered() == [case_id, other_id, case_id]
    crew.at(CUSTODIAN).desk.case(case_id)
    assert [one.actor_id for one in crew.trail(AuditKind.CASE_READ, case_id=case_id)] == [
        crew.person_id(OFFICER), crew.person_id(OFFICER), crew.person_id(CUSTODIAN),
    ]  # fmt: skip


def test_a_search_is_entered_without_its_words(crew: Crew) -> None:
    crew.new_case(CUSTODIAN, OFFICER)
    desk = crew.at(OFFICER).desk
    away(crew)
    before = len(crew.trail(AuditKind.CASES_SEARCHED))
    desk.cases("", "", 50)
    assert len(crew.trail(AuditKind.CASES_SEARCHED)) == before, "what was granted is a list, not a search"
    for words in ("vale burglary", "vale  Burglary", "vale"):
        desk.cases(words, "", 50)
        desk.cases(words, "0", 50)
    first, second = crew.trail(AuditKind.CASES_SEARCHED)[before:]
    for entry in (first, second):
        assert len(dict(json.loads(entry.facts))["words"]) == 16
        assert "vale" not in entry.facts.casefold()
    assert first.facts != second.facts
    assert first.case_id == ""


def test_the_board_is_entered_when_looking_begins(crew: Crew) -> None:
    board = crew.at(SUPERVISOR).custody.board
    away(crew)
    before = len(crew.trail(AuditKind.BOARD_READ))
    for _ in range(20):  # ten minutes of a board left open: every half minute it asks again
        board()
        crew.station.clock.step(30)
    assert len(crew.trail(AuditKind.BOARD_READ)) == before + 1
    for _ in range(LONGEST_US // (30 * SECOND_US)):
        board()
        crew.station.clock.step(30)
    assert len(crew.trail(AuditKind.BOARD_READ)) == before + 2, "a look that never ends is said again"
    with refused("access.not-your-role"):
        crew.at(AUDITOR).custody.board()
    assert len(crew.trail(AuditKind.BOARD_READ)) == before + 2


def _case(crew: Crew) -> object:
    return crew.vault.desk.case(crew.vault.desk.cases("", "", 1).lines[0].case_id)


LOOKS: tuple[tuple[str, Callable[[Crew], object]], ...] = (
    (OFFICER, _case),
    (OFFICER, lambda crew: crew.vault.desk.cases("vale", "", 10)),
    (SUPERVISOR, lambda crew: crew.vault.custody.board()),
)


@pytest.mark.parametrize(("badge", "look"), LOOKS, ids=["case", "search", "board"])
def test_what_cannot_be_entered_is_not_shown(
    crew: Crew, badge: str, look: Callable[[Crew], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    crew.new_case(CUSTODIAN, OFFICER)
    crew.at(badge)
    away(crew)

    def full(*_drafts: AuditDraft) -> int:
        raise UnavailableError("storage.full")

    with monkeypatch.context() as patched:
        patched.setattr(crew.vault.store, "append_audit", full)
        with refused("storage.full"):
            look(crew)
    look(crew)


def test_cancelling_an_intake_is_entered_before_it_stops(crew: Crew, tmp_path: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES * 2))
    intake = crew.at(CUSTODIAN).intake
    number = len(intake._jobs) + 1
    [file] = interrupted(crew, case_id, path, 1, lambda: intake.cancel(number)).files
    assert file.state is FileState.CANCELLED
    [entry] = crew.trail(AuditKind.INTAKE_CANCELLED, case_id=case_id)
    assert dict(json.loads(entry.facts)) == {"files": 1, "taken_in": 0}
    intake.cancel(number)
    assert len(crew.trail(AuditKind.INTAKE_CANCELLED, case_id=case_id)) == 1, "what has stopped is not cancelled"
