"""What is looked for in reading: open to everybody, every rule with its count; decoys are the supervisors' alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.windows.looked_for import LookedForPage, _false_flags, _name, _threshold
from vault.domain.reading_rules import CATALOGUE

Stage = Callable[..., Any]
EVERYBODY = [stage.OFFICER, stage.SUPERVISOR, stage.CUSTODIAN, stage.ADMINISTRATOR, stage.AUDITOR]


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.role.value)
def test_every_rule_is_shown_to_everybody(on_stage: Stage, person: Any) -> None:
    on = on_stage(LookedForPage, person)
    on.until(lambda: on.page.rules.row_count() == len(CATALOGUE))
    assert on.page.rules.hasFocus()
    for line in stage.rule_lines():
        assert "{" not in _threshold(line) + _false_flags(line)
        assert _name(line) != line.rule_id
        assert strings.number(line.false_flags) in _false_flags(line)


def test_the_keyboard_goes_through_the_rules_and_back_to_the_desk(on_stage: Stage) -> None:
    on = on_stage(LookedForPage, stage.OFFICER)
    on.until(lambda: on.page.rules.row_count() == len(CATALOGUE))
    gone: list[tuple[str, str]] = []
    on.page.go.connect(lambda key, what: gone.append((key, what)))
    on.press(Qt.Key.Key_Down)
    assert on.page.rules.current() == 1
    on.press(Qt.Key.Key_Escape)
    assert gone == [("desk", "")]


@pytest.mark.parametrize("person", [one for one in EVERYBODY if one is not stage.SUPERVISOR], ids=lambda person: person.role.value)
def test_nobody_else_learns_that_there_are_decoys(on_stage: Stage, person: Any) -> None:
    on = on_stage(LookedForPage, person)
    on.until(on.page.rules.row_count)
    on.press(Qt.Key.Key_D)
    on.press(Qt.Key.Key_R)
    assert not on.asked("UnusualReading.decoys")
    assert not any(on.there(name) for name in ("looked_for_show_decoys", "looked_for_mark", "looked_for_remove", "decoy_sheet"))
    assert on.page.actions() == []


def test_a_supervisor_marks_a_case_and_takes_a_mark_back(on_stage: Stage) -> None:
    on = on_stage(LookedForPage, stage.SUPERVISOR)
    on.until(lambda: on.page.rules.row_count() and on.asked("UnusualReading.decoys"))
    on.press(Qt.Key.Key_D)
    on.until(lambda: on.there("decoy_sheet"))
    on.type("HS-2026-000317")
    on.press(Qt.Key.Key_Return, control=True)
    assert not on.asked("UnusualReading.mark_decoy"), "no reason, no mark"
    on.fill("decoy_reason", "closed, and moved elsewhere")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("UnusualReading.mark_decoy") == [("HS-2026-000317", "closed, and moved elsewhere")])
    on.until(lambda: on.page.decoys.isVisible() and on.page.decoys.row_count() == 1)
    on.page.decoys.setFocus()
    on.press(Qt.Key.Key_R)
    on.until(lambda: on.there("looked_for_remove_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("UnusualReading.remove_decoy") == [("d0" * 32,)])
