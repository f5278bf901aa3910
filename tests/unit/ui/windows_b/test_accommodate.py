"""Page text for assistive technology: a supervisor grants it to others and takes it back, and the harm stands before the verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.widgets.label import Label
from ui.windows.people import PeoplePage
from vault.domain.access import ROLES_WITHOUT_CASES
from vault.domain.identity import PersonState
from vault.services.views import AccommodationLine

Stage = Callable[..., Any]
REASON = "Orca, as agreed with the occupational physician"


def active_reader(on: Any) -> Any:
    own = on.page.signed_in.person
    line = next(
        one
        for one in on.page._lines
        if one.state is PersonState.ACTIVE and one.person.role not in ROLES_WITHOUT_CASES and one.person.person_id != own.person_id
    )
    on.page._rows.choose(line.person.person_id)
    on.page.table.setFocus()
    return line.person


def ready(on_stage: Stage, **answers: Any) -> Any:
    on = on_stage(PeoplePage, stage.SUPERVISOR, 14, **answers)
    on.until(lambda: on.page.table.row_count() == 14 and on.asked("Accommodations.accommodations"))
    return on


def test_a_supervisor_grants_it_by_keyboard_with_a_period_and_a_reason(on_stage: Stage) -> None:
    on = ready(on_stage)
    person = active_reader(on)
    on.press(Qt.Key.Key_T)
    on.until(lambda: on.there("accommodate_sheet"))
    harm = strings.text("people.accommodate_sheet.sentence")
    assert any(label.text() == harm for label in on.find("accommodate_sheet").findChildren(Label))
    on.press(Qt.Key.Key_Return, control=True)
    assert not on.asked("Accommodations.grant"), "no end, no accommodation"
    on.fill("accommodate_until", "2099-01-01")
    on.press(Qt.Key.Key_Return, control=True)
    assert not on.asked("Accommodations.grant"), "no reason, no accommodation"
    on.fill("accommodate_reason", REASON)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Accommodations.grant"))
    [(person_id, from_us, until_us, reason)] = on.asked("Accommodations.grant")
    assert (person_id, from_us, reason) == (person.person_id, 0, REASON)
    assert until_us > stage.now_us()


def test_what_was_granted_is_shown_and_taken_back_with_the_same_key(on_stage: Stage) -> None:
    on = ready(on_stage)
    person = active_reader(on)
    line = AccommodationLine("a1" * 16, person, stage.now_us(), stage.now_us() + 10**12, REASON, stage.SUPERVISOR, stage.now_us())
    on.bridge.answers["Accommodations.accommodations"] = (line,)
    on.page.refresh()
    on.until(lambda: on.page._accommodations)
    assert on.there("people_end_accommodation")
    assert not on.there("people_accommodate")
    on.press(Qt.Key.Key_T)
    on.until(lambda: on.there("people_end_accommodation_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Accommodations.remove") == [("a1" * 16,)])


def test_nobody_else_is_offered_it(on_stage: Stage) -> None:
    on = on_stage(PeoplePage, stage.ADMINISTRATOR, 14)
    on.until(lambda: on.page.table.row_count() == 14)
    active_reader(on)
    on.press(Qt.Key.Key_T)
    assert not on.asked("Accommodations.accommodations")
    assert not on.there("accommodate_sheet")
    assert not on.there("people_accommodate")
