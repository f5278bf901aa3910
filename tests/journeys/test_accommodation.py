"""The accommodation of an officer who reads with assistive technology: who gives it, what it opens, and that it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from vault.domain.audit import AuditKind
from vault.domain.identity import CheckOutId, DocumentId

DAY_US = 86_400_000_000
WORDS = "PERIWINKLE was seen at the lock\nand went on towards the harbour\n"


@dataclass
class Reading:
    crew: Crew
    check_out_id: CheckOutId
    document_id: DocumentId

    def view(self, badge: str = OFFICER) -> None:
        self.crew.at(badge).reading.view_page(self.check_out_id, self.document_id, 1, 48, 0)

    def text(self, page_no: int = 1) -> str:
        return self.crew.vault.reading.page_text(self.check_out_id, self.document_id, page_no).text

    def now_us(self) -> int:
        return self.crew.station.clock.now_us()


@pytest.fixture
def reading(crew: Crew) -> Reading:
    case_id = crew.new_case(CUSTODIAN, OFFICER, WORDS)
    held = crew.take(OFFICER, case_id)
    return Reading(crew, held.check_out_id, crew.first_document(held.check_out_id))


def grant(crew: Crew, badge: str = OFFICER, days: float = 30, from_us: int = 0) -> str:
    begin_us = from_us or crew.station.clock.now_us()
    crew.at(SUPERVISOR).accommodations.grant(crew.person_id(badge), from_us, begin_us + int(days * DAY_US), LONG)
    return crew.vault.accommodations.accommodations()[-1].act_id


def test_text_is_sent_page_by_page_recorded_first_and_to_nobody_else(reading: Reading) -> None:
    crew = reading.crew
    reading.view()
    with refused("accommodation.none"):
        reading.text()
    assert crew.trail(AuditKind.ACCESS_REFUSED)[-1].facts == '[["reason","accommodation.none"]]'
    act_id = grant(crew)
    entry = crew.trail(AuditKind.ACCOMMODATION_GRANTED)[-1]
    assert dict(json.loads(entry.facts))["person_id"] == crew.person_id(OFFICER)
    assert LONG not in entry.facts
    crew.at(OFFICER)
    with refused("reading.left"):
        reading.text()  # no page is on screen: the supervisor sat here
    reading.view()
    sent = len(crew.trail(AuditKind.PAGE_TEXT_SENT))
    text = reading.text()
    assert "PERIWINKLE was seen at the lock" in text
    assert text.index("lock") < text.index("harbour")
    entry = crew.trail(AuditKind.PAGE_TEXT_SENT)[-1]
    assert len(crew.trail(AuditKind.PAGE_TEXT_SENT)) == sent + 1
    assert (entry.actor_id, entry.document_id, entry.page_no) == (crew.person_id(OFFICER), reading.document_id, 1)
    assert "PERIWINKLE" not in entry.facts
    with refused("reading.left"):
        reading.text(2)
    crew.at(COLLEAGUE)
    with refused("custody.not-held"):
        reading.text()
    crew.at(SUPERVISOR).accommodations.remove(act_id)
    reading.view()
    with refused("accommodation.none"):
        reading.text()


def test_it_begins_and_ends_when_it_says(reading: Reading) -> None:
    crew = reading.crew
    act_id = grant(crew, days=2, from_us=reading.now_us() + DAY_US)
    line = crew.vault.accommodations.accommodations()[-1]
    assert (line.person.badge_no, line.granted_by.badge_no, line.reason) == (OFFICER, SUPERVISOR, LONG)
    until_us = crew.vault.world.accommodated_until_us
    me = crew.person_id(OFFICER)
    assert until_us(me) == 0
    crew.station.clock.step(86_400 + 60)
    assert until_us(me) == line.until_us
    assert until_us(crew.person_id(COLLEAGUE)) == 0
    crew.station.clock.step(2 * 86_400)
    assert until_us(me) == 0
    crew.at(SUPERVISOR).accommodations.remove(act_id)
    with refused("accommodation.unknown"):
        crew.vault.accommodations.remove(act_id)


def give(crew: Crew, badge: str, days: float = 30, reason: str = LONG) -> None:
    crew.vault.accommodations.grant(crew.person_id(badge), 0, crew.station.clock.now_us() + int(days * DAY_US), reason)


REFUSALS: list[tuple[str, str, Callable[[Crew], object], str]] = [
    # who; what they try; how; the answer
    (OFFICER, "gives it to themselves", lambda c: give(c, OFFICER), "access.not-your-role"),
    (ADMINISTRATOR, "gives it", lambda c: give(c, OFFICER), "access.not-your-role"),
    (CUSTODIAN, "lists them", lambda c: c.vault.accommodations.accommodations(), "access.not-your-role"),
    (OFFICER, "takes one back", lambda c: c.vault.accommodations.remove("x"), "access.not-your-role"),
    (SUPERVISOR, "gives it to themselves", lambda c: give(c, SUPERVISOR), "person.yourself"),
    (SUPERVISOR, "gives it to an auditor", lambda c: give(c, AUDITOR), "accommodation.role"),
    (SUPERVISOR, "gives it to nobody", lambda c: c.vault.accommodations.grant("00" * 16, 0, 2**60, LONG), "person.unknown"),  # type: ignore[arg-type]
    (SUPERVISOR, "gives it without a reason", lambda c: give(c, OFFICER, reason="because"), "accommodation.reason-missing"),
    (SUPERVISOR, "gives it for ever", lambda c: give(c, OFFICER, days=367), "accommodation.period"),
    (SUPERVISOR, "gives it for yesterday", lambda c: give(c, OFFICER, days=-1), "accommodation.period"),
    (SECOND_SUPERVISOR, "takes back what is not there", lambda c: c.vault.accommodations.remove("x"), "accommodation.unknown"),
]


@pytest.mark.parametrize(("badge", "act", "code"), [(r[0], r[2], r[3]) for r in REFUSALS], ids=[f"{r[0]} {r[1]}" for r in REFUSALS])
def test_refused(crew: Crew, badge: str, act: Callable[[Crew], object], code: str) -> None:
    crew.at(badge)
    with refused(code):
        act(crew)


def test_a_picture_has_no_text(crew: Crew) -> None:
    from PIL import Image

    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = crew.folder / "scan.png"
    Image.new("RGB", (80, 100), "white").save(path)
    crew.vault.intake.start(case_id, (str(path),))
    held = crew.take(OFFICER, case_id)
    reading = Reading(crew, held.check_out_id, crew.first_document(held.check_out_id))
    act_id = grant(crew)
    reading.view()
    assert reading.text() == ""
    crew.at(SUPERVISOR).accommodations.remove(act_id)
