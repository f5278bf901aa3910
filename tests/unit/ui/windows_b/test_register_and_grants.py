"""Registering a case and its grants: what is asked, what is missing, what removing says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.windows.grant_sheets import AddGrantSheet
from ui.windows.intake import IntakePage
from ui.windows.register import RegisterSheet, to_be_admitted
from vault.domain.access import Effect, GranteeKind
from vault.domain.casefile import Marking
from vault.domain.identity import PersonId
from vault.errors import RefusedError
from vault.services.views import PersonBrief

Stage = Callable[..., Any]


def ready(on_stage: Stage, person: Any = stage.CUSTODIAN, **answers: Any) -> Any:
    on = on_stage(IntakePage, person, 7, **answers)
    on.until(lambda: on.page.picker.current() is not None)
    return on


def registering(on: Any) -> None:
    on.press(Qt.Key.Key_N, control=True)
    on.until(lambda: on.there("register_sheet") and on.find("register_unit").count())


def granting(on: Any) -> None:
    on.press(Qt.Key.Key_G, control=True)
    on.until(lambda: on.there("grants_sheet") and on.find("grants_save").isEnabled())


# ---- admitting ---------------------------------------------------------------------------------------------------------------------

NEWCOMER = dataclasses.replace(stage.CUSTODIAN, person_id=PersonId("ab" * 16), name="Nils Aho", badge_no="7002")


def test_a_custodian_who_waits_for_the_key_is_admitted_by_keys(on_stage: Stage) -> None:
    on = ready(on_stage, **{"Register.people": (stage.CUSTODIAN, NEWCOMER, stage.OFFICER), "Register.admit": lambda _badge_no: None})
    on.until(lambda: on.there("intake_admit"))
    assert on.find("intake_admit").accessibleName() == strings.text("intake.admit", count=1)
    on.press(Qt.Key.Key_M, control=True)
    on.until(lambda: on.there("admit_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Register.admit"))
    assert on.asked("Register.admit") == [("7002",)]
    on.until(lambda: not on.there("admit_sheet"))


def test_with_two_waiting_one_is_chosen(on_stage: Stage) -> None:
    third = dataclasses.replace(NEWCOMER, person_id=PersonId("cd" * 16), name="Ines Roth", badge_no="7003")
    on = ready(on_stage, **{"Register.people": (stage.CUSTODIAN, NEWCOMER, third), "Register.admit": lambda _badge_no: None})
    on.until(lambda: on.there("intake_admit"))
    on.press(Qt.Key.Key_M, control=True)
    on.until(lambda: on.there("admit_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    assert on.find("admit_person").accessibleDescription(), "what is missing is said"
    on.find("admit_person").setFocus()
    on.type("Ines")
    on.press(Qt.Key.Key_Return)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Register.admit"))
    assert on.asked("Register.admit") == [("7003",)]


# people in the directory, who signs in -> who can be admitted
ADMISSIBLE = (
    ((stage.CUSTODIAN, stage.OFFICER), stage.CUSTODIAN, ()),
    ((stage.CUSTODIAN, NEWCOMER), stage.CUSTODIAN, (NEWCOMER,)),
    ((stage.CUSTODIAN, NEWCOMER), NEWCOMER, ()),  # who has not the key hands nothing on
)


@pytest.mark.parametrize(("people", "me", "expected"), ADMISSIBLE)
def test_who_can_be_admitted(people: tuple[PersonBrief, ...], me: PersonBrief, expected: tuple[PersonBrief, ...]) -> None:
    assert to_be_admitted(people, stage.UNITS, me.person_id) == expected


def test_nobody_waiting_no_verb(on_stage: Stage) -> None:
    on = ready(on_stage, **{"Register.people": (stage.CUSTODIAN,)})
    on.until(lambda: on.asked("Register.units"))
    on.press(Qt.Key.Key_M, control=True)
    assert not on.there("intake_admit")
    assert not on.there("admit_sheet")


# ---- register ----------------------------------------------------------------------------------------------------------------------


def test_nobody_who_never_sees_a_case_is_offered_as_its_officer(on_stage: Stage) -> None:
    on = ready(on_stage, **{"Register.people": (stage.ADMINISTRATOR, stage.OFFICER, stage.AUDITOR)})
    registering(on)
    sheet = on.frame.findChild(RegisterSheet)
    on.until(sheet.officer.people)
    assert sheet.officer.people() == (stage.OFFICER,)


def test_a_case_is_registered_by_keys_and_chosen_for_intake(on_stage: Stage) -> None:
    on = ready(on_stage)
    registering(on)
    on.fill("register_number", "2026-004500")
    on.fill("register_type", "Burglary")
    on.fill("register_name", "Boathouse, Pier 3")
    on.find("register_officer").setFocus()
    on.type("ingr")
    on.press(Qt.Key.Key_Return)
    on.fill("register_tags", "harbour")
    on.press(Qt.Key.Key_Return)
    on.type("night")
    on.fill("register_persons", "Mira Adeyemi-Lund")
    on.press(Qt.Key.Key_Return)
    on.type("Jonas Brandt")
    on.press(Qt.Key.Key_Return)
    on.press(Qt.Key.Key_Backspace)  # takes the last one back
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Register.register_case"))
    assert on.asked("Register.register_case") == [
        (
            "2026-004500",
            "Boathouse, Pier 3",
            "Burglary",
            stage.OFFICER.badge_no,
            stage.UNITS[0].unit_id,
            Marking.OFFICIAL_SENSITIVE,
            ("Mira Adeyemi-Lund",),
            ("harbour", "night"),
        )
    ]
    on.until(lambda: on.page._case == stage.case(0))
    assert not on.there("register_sheet")


def test_what_is_missing_is_said_at_once_and_the_keyboard_goes_to_the_first(on_stage: Stage) -> None:
    on = ready(on_stage)
    registering(on)
    on.press(Qt.Key.Key_Return, control=True)
    assert on.find("register_number").hasFocus()
    for name in ("number", "type", "name", "officer"):
        assert on.find(f"register_{name}").accessibleDescription(), name
    assert on.asked("Register.register_case") == []


def test_an_officer_is_a_person_of_the_directory_never_typed_words(on_stage: Stage) -> None:
    on = ready(on_stage)
    registering(on)
    on.fill("register_officer", "Somebody Else")
    on.press(Qt.Key.Key_Return, control=True)
    assert on.find("register_officer").accessibleDescription()
    on.find("register_officer").clear()
    on.fill("register_officer", "4471")
    on.find("register_name").setFocus()  # a whole badge chooses on leaving
    assert "Ingrid" in on.find("register_officer").text()


def test_escape_puts_the_list_away_before_the_sheet(on_stage: Stage) -> None:
    on = ready(on_stage)
    registering(on)
    on.fill("register_officer", "i")
    assert on.there("person_fits")
    on.press(Qt.Key.Key_Escape)
    assert not on.there("person_fits")
    assert on.there("register_sheet")


def test_a_taken_number_is_told_in_the_sheet(on_stage: Stage) -> None:
    on = ready(on_stage, Register__register_case=RefusedError("case.number-taken"))
    registering(on)
    for name, words in (("number", "2026-1"), ("type", "Theft"), ("name", "X"), ("officer", "4471")):
        on.fill(f"register_{name}", words)
    on.press(Qt.Key.Key_Return, control=True)
    sheet = on.find("register_sheet")
    on.until(sheet.error.isVisible)
    assert on.find("register_name").text() == "X"


def test_only_a_custodian_registers(on_stage: Stage) -> None:
    on = ready(on_stage, stage.OFFICER)
    on.press(Qt.Key.Key_N, control=True)
    assert not on.there("register_sheet")
    assert not on.there("intake_register")


# ---- grants ------------------------------------------------------------------------------------------------------------------------


def test_grants_are_listed_denies_first_and_one_is_added(on_stage: Stage) -> None:
    on = ready(on_stage)
    granting(on)
    assert on.page.window().findChild(type(on.page.picker.table), "grants_list").row_count() == 2
    on.press(Qt.Key.Key_Return, control=True)
    on.until(on.frame.findChild(AddGrantSheet).person.people)
    on.press(Qt.Key.Key_2)
    on.fill("grant_person", "4533")
    on.fill("grant_reason", "Witness in this case")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Register.grant"))
    assert on.asked("Register.grant") == [
        (stage.case(0).case_id, Effect.DENY, GranteeKind.PERSON, stage.LONG_NAMED.person_id, 0, 0, "Witness in this case")
    ]
    on.until(lambda: not on.there("grant_sheet") and on.there("grants_sheet"))


def test_a_grant_to_a_unit_until_a_day(on_stage: Stage) -> None:
    from ui.windows.audit_words import moment_us

    on = ready(on_stage)
    granting(on)
    on.press(Qt.Key.Key_Return, control=True)
    kind = on.find("grant_kind")
    kind.setCurrentIndex(kind.findData(GranteeKind.UNIT.value))
    on.until(lambda: on.there("grant_unit") and on.find("grant_unit").count())
    on.fill("grant_until", "2031-01-31 18:00")
    on.fill("grant_reason", "Assigned to the team")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Register.grant"))
    args = on.asked("Register.grant")[0]
    assert args[1:4] == (Effect.ALLOW, GranteeKind.UNIT, stage.UNITS[0].unit_id)
    assert args[5] == moment_us("2031-01-31 18:00")


@pytest.mark.parametrize(
    ("name", "words"), [("grant_from", "tomorrow"), ("grant_until", "2001-01-01"), ("grant_reason", "short"), ("grant_person", "nobody")]
)
def test_a_grant_that_cannot_stand_is_not_sent(on_stage: Stage, name: str, words: str) -> None:
    on = ready(on_stage)
    granting(on)
    on.press(Qt.Key.Key_Return, control=True)
    given = {"grant_person": "4471", "grant_reason": "Assigned to the case"} | {name: words}
    for one, typed in given.items():
        on.fill(one, typed)
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked("Register.grant") == []
    assert on.find(name).accessibleDescription()


def test_who_may_never_see_a_case_is_not_offered_a_grant(on_stage: Stage) -> None:
    on = ready(on_stage)
    granting(on)
    on.press(Qt.Key.Key_Return, control=True)
    on.fill("grant_person", stage.ADMINISTRATOR.badge_no)
    on.fill("grant_reason", "Assigned to the case")
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked("Register.grant") == []


def test_removing_says_that_content_already_seen_stays_seen(on_stage: Stage) -> None:
    from PySide6.QtWidgets import QLabel

    on = ready(on_stage)
    granting(on)
    on.press(Qt.Key.Key_J)  # the allow, after the deny
    on.press(Qt.Key.Key_Delete)
    on.until(lambda: on.there("grant_remove_sheet"))
    words = " ".join(label.text() for label in on.find("grant_remove_sheet").findChildren(QLabel))
    assert "already seen stays seen" in words
    on.type("moved to another team")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: [args[2] for args in on.asked("Register.remove_grant")] == ["moved to another team"])


def test_the_case_is_named_by_paint_only(on_stage: Stage) -> None:
    from PySide6.QtWidgets import QLabel

    on = ready(on_stage)
    granting(on)
    on.press(Qt.Key.Key_Return, control=True)
    texts = [label.text() + label.accessibleName() for label in on.frame.findChildren(QLabel)]
    assert not any(stage.case(0).rms_number in text or stage.case(0).title in text for text in texts)
