"""People: who may do what, enrolment with its second factor, the harm named before the verb."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui.widgets.painted_text import PaintedText
from ui.windows.people import PeoplePage, people_order
from vault.domain.identity import PersonState, Role, UnitId
from vault.errors import RefusedError

Stage = Callable[..., Any]


def ready(on_stage: Stage, person: Any, count: int = 14, **answers: Any) -> Any:
    on = on_stage(PeoplePage, person, count, **answers)
    on.until(lambda: on.page.table.row_count() == count and on.page._units)
    return on


def choose(on: Any, state: PersonState) -> Any:
    line = next(line for line in on.page._lines if line.state is state and line.person != on.page.signed_in.person)
    on.page._rows.choose(line.person.person_id)
    on.page.table.setFocus()
    return line.person.person_id


def test_what_waits_for_a_signature_stands_first() -> None:
    order = people_order(stage.people(50))
    assert [line.state for line in order[:2]] == [PersonState.PENDING, PersonState.LOCKED]
    assert order[-1].state is PersonState.DISABLED


def test_accents_change_nobodys_place_in_the_list() -> None:
    line = next(one for one in stage.people(50) if one.state is PersonState.ACTIVE)
    names = ("Tomasz Okonkwo", "Émile Roux", "Đorđe Nilsson", "Esi Okafor")
    lines = tuple(dataclasses.replace(line, person=dataclasses.replace(line.person, name=name)) for name in names)
    assert [one.person.name for one in people_order(lines)] == ["Đorđe Nilsson", "Émile Roux", "Esi Okafor", "Tomasz Okonkwo"]


@pytest.mark.parametrize("person", [stage.OFFICER, stage.AUDITOR, stage.CUSTODIAN])
def test_other_roles_do_not_reach_people_and_nothing_is_asked(on_stage: Stage, person: Any) -> None:
    on = on_stage(PeoplePage, person)
    assert on.bridge.asked == []
    assert on.page.actions() == []


@pytest.mark.parametrize("person", [stage.SUPERVISOR, stage.ADMINISTRATOR])
def test_tab_goes_around_and_stays_nowhere(on_stage: Stage, person: Any) -> None:
    on = ready(on_stage, person, count=5)
    on.page.table.setFocus()
    stops = []
    while len(stops) < 20 and (not stops or stops[-1] != "people_list"):
        on.press(Qt.Key.Key_Tab)
        stops.append(on.frame.focusWidget().objectName())
    assert "people_filter" in stops
    assert stops[-1] == "people_list"


def test_a_supervisor_signs_and_releases_and_cannot_enrol_or_disable(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR)
    pending = choose(on, PersonState.PENDING)
    on.press(Qt.Key.Key_N, control=True)
    on.press(Qt.Key.Key_D)
    assert not on.there("enrol_sheet")
    assert not on.there("people_disable_sheet")
    on.press(Qt.Key.Key_C)
    on.until(lambda: on.there("people_cosign_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Administration.cosign") == [(pending,)])
    on.until(lambda: not on.there("people_cosign_sheet"))
    locked = choose(on, PersonState.LOCKED)
    on.press(Qt.Key.Key_L)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Administration.release") == [(locked,)])


def test_a_supervisor_admits_to_the_teams_they_are_in_and_to_no_other(on_stage: Stage) -> None:
    east, *others = stage.UNITS
    mine = dataclasses.replace(east, unit_id=UnitId("e5" * 16), name="Harbour team", members=(stage.SUPERVISOR, stage.COLLEAGUE))
    answers = {"Administration.units": (east, mine, *others), "Administration.admit": lambda *_: None}
    on = ready(on_stage, stage.SUPERVISOR, **answers)
    for person in (stage.COLLEAGUE, stage.CUSTODIAN, stage.SUPERVISOR):
        on.page._rows.choose(person.person_id)
        on.page.table.setFocus()
        on.press(Qt.Key.Key_M)
        assert not on.there("unit_admit_sheet")
    on.page._rows.choose(stage.OFFICER.person_id)
    on.press(Qt.Key.Key_M)
    on.until(lambda: on.there("unit_admit_sheet"))
    assert on.find("unit_admit_unit").count() == 1
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Administration.admit") == [(stage.OFFICER.person_id, mine.unit_id)])


def test_disabling_names_the_harm_and_starts_on_the_way_back(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    active = choose(on, PersonState.ACTIVE)
    on.press(Qt.Key.Key_D)
    on.until(lambda: on.there("people_disable_sheet"))
    assert on.find("people_disable_cancel").hasFocus()
    on.press(Qt.Key.Key_Return)
    on.until(lambda: not on.there("people_disable_sheet"))
    assert on.asked("Administration.disable") == []
    on.press(Qt.Key.Key_D)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Administration.disable") == [(active,)])


def test_nobody_disables_themselves(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.page._rows.choose(stage.ADMINISTRATOR.person_id)
    on.page.table.setFocus()
    on.press(Qt.Key.Key_D)
    assert not on.there("people_disable_sheet")


def enrol(on: Any, again: str = "four grey lamps") -> None:
    on.page.table.setFocus()
    on.press(Qt.Key.Key_N, control=True)
    on.until(lambda: on.there("enrol_sheet"))
    on.fill("enrol_badge", "4610")
    on.fill("enrol_name", "Halvard Nwosu")
    on.fill("enrol_passphrase", "four grey lamps")
    on.fill("enrol_again", again)
    on.press(Qt.Key.Key_Return, control=True)


def test_enrolment_shows_the_second_factor_once(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    enrol(on)
    on.until(lambda: on.there("second_factor_sheet"))
    team = stage.UNITS[0].unit_id
    assert on.asked("Administration.enrol") == [("4610", "Halvard Nwosu", Role.OFFICER, team, "four grey lamps")]
    assert on.find("second_factor_code")._rows
    keys = [text._text for text in on.find("second_factor_sheet").findChildren(PaintedText)]
    assert keys == ["JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"], "to be typed without a camera, and out of assistive technology's reach"
    code = on.find("second_factor_code")
    on.frame.resize(640, 360)  # a small screen at double scale
    on.until(lambda: code.visibleRegion().boundingRect() == code.rect())
    on.press(Qt.Key.Key_Return)
    on.until(lambda: not on.there("second_factor_sheet"))
    with pytest.raises(RuntimeError):  # gone with its sheet, and the matrix with it
        on.until(code.isVisible)


def test_an_enrolment_that_cannot_stand_is_not_sent(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    enrol(on, again="four grey lamp")
    assert on.asked("Administration.enrol") == []
    assert on.find("enrol_again").hasFocus()
    assert on.find("enrol_again").accessibleDescription()


def test_a_refused_enrolment_empties_the_passphrases_and_keeps_the_rest(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR, Administration__enrol=RefusedError("person.badge-taken"))
    enrol(on)
    sheet = on.find("enrol_sheet")
    on.until(sheet.error.isVisible)
    assert on.find("enrol_badge").text() == "4610"
    assert on.find("enrol_passphrase").text() == "" == on.find("enrol_again").text()


def test_the_units_offered_follow_the_role(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.page.enrol()
    role, unit = on.find("enrol_role"), on.find("enrol_unit")
    role.setCurrentIndex(role.findData(Role.CUSTODIAN.value))
    assert [unit.itemText(row) for row in range(unit.count())] == ["Records"]
    role.setCurrentIndex(role.findData(Role.OFFICER.value))
    assert "Watch command" not in [unit.itemText(row) for row in range(unit.count())]


def test_a_unit_is_added_once_under_a_name(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR)
    on.page.table.setFocus()
    on.press(Qt.Key.Key_U)
    on.type("records")
    on.press(Qt.Key.Key_Return)
    assert on.asked("Administration.add_unit") == []
    on.find("unit_name").clear()
    on.type("Harbour watch")
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.asked("Administration.add_unit") == [("Harbour watch",)])


def test_the_filter_finds_by_name_and_badge(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.fill("people_filter", "447")
    on.until(lambda: on.page.table.row_count() == 1)
    assert on.page._rows.current().person == stage.OFFICER
    on.press(Qt.Key.Key_Return)
    assert on.page.table.hasFocus()


def test_a_passphrase_does_not_outlive_its_sheet(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    enrol(on, again="four grey lamp")
    held = [on.find(name).typed._cells for name in ("enrol_passphrase", "enrol_again")]
    assert all(map(any, held))
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: not any(map(any, held)))


def renew(on: Any, person: Any = stage.OFFICER, reason: str = "lost in the harbour") -> None:
    on.page._rows.choose(person.person_id)
    on.page.table.setFocus()
    on.press(Qt.Key.Key_F)
    on.until(lambda: on.there("renew_factor_sheet"))
    assert on.find("renew_factor_reason").hasFocus()
    on.type(reason)
    on.press(Qt.Key.Key_Tab)
    on.type("four grey lamps")
    on.press(Qt.Key.Key_Return)


@pytest.mark.parametrize("person", [stage.SUPERVISOR, stage.ADMINISTRATOR])
def test_a_lost_phone_is_replaced_by_keys_alone_and_put_in_force_by_a_proof(on_stage: Stage, person: Any) -> None:
    on = ready(on_stage, person)
    renew(on)
    on.until(lambda: on.there("factor_proof_sheet"))
    assert on.asked("Credentials.renew_factor") == [(stage.OFFICER.person_id, "four grey lamps", "lost in the harbour")]
    picture = on.find("factor_proof_picture")
    assert picture._rows
    assert [text._text for text in on.find("factor_proof_sheet").findChildren(PaintedText)] == ["JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"]
    assert on.find("factor_proof_code").hasFocus()
    on.press(Qt.Key.Key_Return)
    assert on.asked("Credentials.confirm_factor") == []
    on.type("123 456")
    on.press(Qt.Key.Key_Return)
    on.until(lambda: not on.there("factor_proof_sheet"))
    assert on.asked("Credentials.confirm_factor") == [("123456",)]
    assert on.asked("Credentials.forget_factor") == []
    on.until(on.frame.notice.isVisible)
    with pytest.raises(RuntimeError):  # gone with its sheet, and the matrix with it
        on.until(picture.isVisible)


def test_a_new_phone_that_was_not_proven_is_let_go(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR, Credentials__confirm_factor=RefusedError("factor.code-wrong"))
    renew(on)
    on.until(lambda: on.there("factor_proof_sheet"))
    on.type("654321")
    on.press(Qt.Key.Key_Return)
    sheet = on.find("factor_proof_sheet")
    on.until(sheet.error.isVisible)
    assert on.find("factor_proof_code").text() == ""
    assert on.find("factor_proof_picture")._rows, "it can still be scanned"
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: on.asked("Credentials.forget_factor") == [()])
    assert not on.frame.notice.isVisible()


def test_a_wrong_passphrase_over_a_renewal_is_emptied_and_the_reason_stays(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR, Credentials__renew_factor=RefusedError("passphrase.not-theirs"))
    renew(on, reason="lost")
    assert on.asked("Credentials.renew_factor") == []
    on.type(" in the harbour")
    on.find("renew_factor_passphrase").setFocus()
    held = on.find("renew_factor_passphrase").typed._cells
    on.press(Qt.Key.Key_Return)
    sheet = on.find("renew_factor_sheet")
    on.until(sheet.error.isVisible)
    assert not any(held)
    assert on.find("renew_factor_passphrase").hasFocus()
    assert on.find("renew_factor_reason").toPlainText() == "lost in the harbour"


def test_nobody_renews_their_own_a_locked_or_a_disabled_one_here(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR)
    on.page._rows.choose(stage.SUPERVISOR.person_id)
    assert "renew_factor" not in on.page._possible()
    for state, possible in (
        (PersonState.LOCKED, False),
        (PersonState.DISABLED, False),
        (PersonState.PENDING, True),
        (PersonState.ACTIVE, True),
    ):
        choose(on, state)
        assert ("renew_factor" in on.page._possible()) is possible
