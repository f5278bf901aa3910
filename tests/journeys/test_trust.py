"""A workstation that lost a protection: recorded, told, and closed to restricted cases until the protection is back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import OFFICER
from tests.journeys.crew import LONG, Crew, refused
from tests.station import CUSTODIAN
from vault.domain.audit import AuditKind
from vault.domain.casefile import Marking
from vault.domain.custody import Purpose
from vault.domain.identity import CaseId, UnitKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus, Trust, TrustLevel
from vault.services.events import ProtectionsChanged

GONE, LESS = ProtectionState.UNAVAILABLE, ProtectionState.DETECTED
WHOLE = tuple(
    ProtectionStatus(one, ProtectionState.UNAVAILABLE if one is Protection.PREMISES else ProtectionState.ENFORCED, "because")
    for one in Protection
)
_numbers = iter(range(1, 100))


def with_state(protection: Protection, state: ProtectionState) -> tuple[ProtectionStatus, ...]:
    return tuple(replace(one, state=state) if one.protection is protection else one for one in WHOLE)


@pytest.fixture
def trusted(crew: Crew) -> Iterator[Crew]:
    crew.vault.trust.follow(WHOLE)
    crew.station.events.clear()
    yield crew
    crew.vault.reading.leave_page()
    crew.vault.trust.follow(WHOLE)


def case_marked(crew: Crew, marking: Marking) -> CaseId:
    vault = crew.at(CUSTODIAN)
    records = vault.world.directory.unit_of_kind(UnitKind.RECORDS).unit_id
    line = vault.register.register_case(f"T-{next(_numbers)}", "Marked", "burglary", OFFICER, records, marking, (), ())
    path = crew.folder / f"{line.case_id}.txt"
    path.write_text("page\n")
    vault.intake.start(line.case_id, (str(path),))
    return line.case_id


CLOSED = [
    # what is lost; the marking; whether it closes the file
    (GONE, Marking.OFFICIAL_SENSITIVE, False),
    (GONE, Marking.RESTRICTED, True),
    (GONE, Marking.CONFIDENTIAL, True),
    (LESS, Marking.RESTRICTED, False),  # the shipped policy asks for "reduced"
]


@pytest.mark.parametrize(("state", "marking", "closes"), CLOSED, ids=[f"{row[0].value}, {row[1].value}" for row in CLOSED])
def test_a_lost_protection_closes_restricted_files_and_no_others(
    trusted: Crew, state: ProtectionState, marking: Marking, *, closes: bool
) -> None:
    crew = trusted
    case_id, other_id = case_marked(crew, marking), case_marked(crew, marking)
    held = crew.at(OFFICER).custody.check_out(case_id, Purpose.ASSIGNED, 0, "")
    opened = crew.vault.reading.open_file(held.check_out_id)
    document_id = opened.documents[0].document_id
    crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    crew.vault.trust.follow(with_state(Protection.COPIES, state))
    [told] = [one for one in crew.station.events if isinstance(one, ProtectionsChanged)]
    assert (told.trust < opened.least_trust) is closes
    if not closes:
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
        crew.vault.custody.check_out(other_id, Purpose.ASSIGNED, 0, "")
        return
    assert crew.vault.reading.on_screen is None
    assert crew.trail(AuditKind.PAGE_LEFT, case_id=case_id), "the page on screen is left at once"
    with refused("trust.too-low"):
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    assert "trust.too-low" in crew.trail(AuditKind.PAGE_REFUSED, case_id=case_id)[-1].facts
    with refused("trust.too-low"):
        crew.vault.custody.check_out(other_id, Purpose.ASSIGNED, 0, "")
    assert "trust.too-low" in crew.trail(AuditKind.CUSTODY_REFUSED, case_id=other_id)[-1].facts
    crew.vault.trust.follow(WHOLE)
    crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    crew.vault.custody.check_out(other_id, Purpose.ASSIGNED, 0, "")


def test_every_change_of_the_level_is_in_the_trail_once(trusted: Crew) -> None:
    before = len(trusted.trail(AuditKind.TRUST_CHANGED))
    trusted.at(OFFICER)
    for statuses in (
        with_state(Protection.CLOCK, GONE),
        with_state(Protection.CLOCK, GONE),
        with_state(Protection.CLOCK, LESS),
        WHOLE,
        with_state(Protection.PREMISES, GONE),  # as it always was
    ):
        trusted.vault.trust.follow(statuses)
    entries = [dict(json.loads(one.facts)) for one in trusted.trail(AuditKind.TRUST_CHANGED)[before:]]
    assert [(one["before"], one["now"], one["lost"]) for one in entries] == [
        ("full", "low", "clock"),
        ("low", "reduced", "clock"),
        ("reduced", "full", ""),
    ]
    assert trusted.vault.world.trust == Trust(TrustLevel.FULL)


def test_a_station_may_ask_for_more_or_for_nothing(trusted: Crew) -> None:
    case_id = case_marked(trusted, Marking.RESTRICTED)
    world = trusted.vault.world
    shipped = world.policy
    try:
        trusted.at(OFFICER)
        trusted.vault.trust.follow(with_state(Protection.COPIES, LESS))
        world.policy = replace(shipped, restricted_needs_trust="full")
        with refused("trust.too-low"):
            trusted.vault.custody.check_out(case_id, Purpose.ASSIGNED, 0, LONG)
        world.policy = replace(shipped, restricted_needs_trust="never")
        trusted.vault.trust.follow(with_state(Protection.COPIES, GONE))
        trusted.vault.custody.check_out(case_id, Purpose.ASSIGNED, 0, LONG)
    finally:
        world.policy = shipped


def test_the_level_is_recorded_at_sign_in(trusted: Crew) -> None:
    assert trusted.trail(AuditKind.PROTECTIONS)
    assert all(dict(json.loads(one.facts))["trust"] == "full" for one in trusted.trail(AuditKind.PROTECTIONS))
