"""The recovery slot on the key servers' page: what stands there for whom, and two people's way to enrol holders by keys alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.windows.premises import PremisesPage
from vault.domain.duration import MINUTE_US
from vault.errors import RefusedError, TamperError
from vault.services.recovery import HoldersProposed, RecoveryState

Stage = Callable[..., Any]
THUMBPRINTS = tuple("-".join([number] * 8) for number in ("4001", "4002", "4003"))


def proposed(*, minutes_left: int = 14) -> HoldersProposed:
    ends_us = strings.now_us() + minutes_left * MINUTE_US
    return HoldersProposed(stage.ADMINISTRATOR, ends_us - 15 * MINUTE_US, ends_us, 2, THUMBPRINTS)


NONE = RecoveryState(0, (), 0, None, None)


def ready(on_stage: Stage, person: Any, state: RecoveryState = NONE) -> Any:
    on = on_stage(PremisesPage, person, 7)
    on.bridge.recovery = state
    on.page.refresh()
    on.until(lambda: on.page.recovery.state == state)
    return on


def words(on: Any) -> str:
    return str(on.find("recovery_words").text())


def bring(on: Any, *numbers: str) -> None:
    for number in numbers:
        on.fill("recovery_file", f"/media/stick/{number}.pub")
        on.press(Qt.Key.Key_Return)
        on.until(lambda: not on.find("recovery_file").text() or on.find("recovery_file").accessibleDescription())


def test_what_stands_there_for_whom(on_stage: Stage) -> None:
    enrolled = RecoveryState(2, THUMBPRINTS, strings.now_us() - MINUTE_US, stage.SUPERVISOR, None)
    cases: list[tuple[Any, RecoveryState, str, bool]] = [
        # who looks, what there is -> what is said, whether there is a verb
        (stage.ADMINISTRATOR, NONE, strings.text("recovery.none"), True),
        (stage.SUPERVISOR, NONE, strings.text("recovery.none"), False),
        (stage.ADMINISTRATOR, enrolled, strings.text("recovery.enrolled", threshold=2, holders=3), True),
        (stage.SUPERVISOR, enrolled, stage.SUPERVISOR.badge_no, False),
        (stage.SUPERVISOR, dataclasses.replace(enrolled, proposed=proposed()), stage.ADMINISTRATOR.badge_no, True),
        (stage.SUPERVISOR, dataclasses.replace(NONE, proposed=proposed(minutes_left=-1)), strings.text("recovery.none"), False),
    ]
    for person, state, said, verb in cases:
        on = ready(on_stage, person, state)
        assert said in words(on)
        assert on.there("recovery_verb") is verb, state
        on.press(Qt.Key.Key_H)
        assert on.there("recovery_sheet") is verb
        assert ("premises.holders" in [one.name for one in on.page.actions()]) is verb


@pytest.mark.parametrize("person", [stage.ADMINISTRATOR, stage.SUPERVISOR], ids=["administrator", "supervisor"])
def test_what_stands_there_is_whole_on_a_small_screen_at_double_scale(on_stage: Stage, person: Any) -> None:
    on = ready(on_stage, person, RecoveryState(2, THUMBPRINTS, strings.now_us() - MINUTE_US, stage.SUPERVISOR, proposed()))
    on.frame.resize(640, 360)
    label = on.find("recovery_words")
    on.until(lambda: label.height() >= label.heightForWidth(label.width()))
    assert on.page.rect().contains(label.rect().translated(label.mapTo(on.page, label.rect().topLeft())))
    assert on.page.visibleRegion().boundingRect() == on.page.rect()


def test_a_proposal_whose_time_is_over_takes_the_verb_with_it(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on = ready(on_stage, stage.SUPERVISOR, dataclasses.replace(NONE, proposed=proposed()))
    later_us = strings.now_us() + 15 * MINUTE_US
    monkeypatch.setattr(strings, "now_us", lambda: later_us)
    assert on.there("recovery_verb")
    on.press(Qt.Key.Key_H)
    on.until(lambda: not on.there("recovery_verb"))
    assert not on.there("recovery_sheet")
    monkeypatch.undo()
    on.page.recovery.take(on.page.recovery.state)
    assert on.there("recovery_verb")
    monkeypatch.setattr(strings, "now_us", lambda: later_us)
    on.page.tick()
    assert not on.there("recovery_verb")
    assert words(on) == strings.text("recovery.none")


def test_an_administrator_proposes_by_keys_alone(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.press(Qt.Key.Key_H)
    on.until(lambda: on.find("recovery_file").hasFocus())
    bring(on, "4001")
    on.press(Qt.Key.Key_Return, control=True)
    assert on.find("recovery_file").accessibleDescription() == strings.text("recovery.too_few")
    assert not on.there("recovery_threshold"), "two of two"
    bring(on, "4001")
    assert on.find("recovery_file").accessibleDescription() == strings.text("recovery.twice")
    on.find("recovery_file").clear()
    bring(on, "4002", "4003")
    assert on.find("recovery_list").text().splitlines() == [f"{one}  badge {one[:4]}" for one in THUMBPRINTS]
    on.page.window().findChild(type(on.find("recovery_threshold")), "recovery_threshold").setCurrentIndex(1)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: not on.there("recovery_sheet"))
    assert on.asked("RecoveryHolders.propose") == [(3, tuple(f"casevault-holder-1 {number}" for number in ("4001", "4002", "4003")))]
    assert strings.text("recovery.proposed", who="{}", threshold=3, holders=3, time="{}").split("{}")[1] in words(on)


def test_a_supervisor_agrees_to_the_very_same_in_the_order_proposed(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SUPERVISOR, dataclasses.replace(NONE, proposed=proposed()))
    on.press(Qt.Key.Key_H)
    on.until(lambda: on.find("recovery_file").hasFocus())
    missing = strings.text("recovery.missing")
    assert [one.endswith(missing) for one in on.find("recovery_list").text().splitlines()] == [True] * 3
    bring(on, "4009")
    assert on.find("recovery_file").accessibleDescription() == strings.text("recovery.not_proposed")
    on.find("recovery_file").clear()
    bring(on, "4003", "4001")
    on.press(Qt.Key.Key_Return, control=True)
    assert on.find("recovery_file").accessibleDescription() == strings.text("recovery.not_all")
    assert not on.asked("RecoveryHolders.enrol")
    bring(on, "4002")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: not on.there("recovery_sheet"))
    assert on.asked("RecoveryHolders.enrol") == [(2, tuple(f"casevault-holder-1 {number}" for number in ("4001", "4002", "4003")))]
    assert strings.text("recovery.enrolled", threshold=2, holders=3) in words(on)
    assert not on.there("recovery_verb")


def test_refusals_are_told_where_they_belong_and_what_was_brought_stays(on_stage: Stage) -> None:
    on = ready(on_stage, stage.ADMINISTRATOR)
    on.press(Qt.Key.Key_H)
    on.until(lambda: on.find("recovery_file").hasFocus())
    on.fill("recovery_file", "4001.pub")
    on.press(Qt.Key.Key_Return)
    assert on.find("recovery_file").accessibleDescription() == strings.text("premises.add_sheet.path_form")
    on.find("recovery_file").clear()
    on.bridge.answers["RecoveryHolders.public_half"] = RefusedError("recovery.not-a-public-half")
    bring(on, "4001")
    assert strings.text("errors.recovery.not-a-public-half.title") in on.find("recovery_file").accessibleDescription()
    del on.bridge.answers["RecoveryHolders.public_half"]
    on.find("recovery_file").clear()
    bring(on, "4001", "4002")
    on.bridge.answers["RecoveryHolders.propose"] = RefusedError("session.locked")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.find("recovery_save").isEnabled())
    assert len(on.find("recovery_list").text().splitlines()) == 2
    on.press(Qt.Key.Key_Escape)
    on.bridge.answers["RecoveryHolders.state"] = TamperError("slot.malformed")
    on.page.refresh()
    on.until(lambda: strings.text("errors.slot.malformed.title") in words(on))
    assert not on.there("recovery_verb")
