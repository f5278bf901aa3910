"""The custody board: the wall, its keys, recall and forced return with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui.windows.custody_board import CustodyBoardPage
from vault.domain.identity import CaseId
from vault.services.events import CustodyChanged

Stage = Callable[..., Any]


def ready(on_stage: Stage, person: Any = stage.SUPERVISOR, count: int = 7, **answers: Any) -> Any:
    on = on_stage(CustodyBoardPage, person, count, **answers)
    on.until(lambda: on.page.wall.current() is not None)
    return on


def test_the_longest_overdue_strip_is_current_and_counted(on_stage: Stage, qtbot: Any) -> None:
    on = ready(on_stage)
    assert on.page.wall.current().overdue
    assert on.page.wall.current().due_back_us == min(line.due_back_us for line in on.page._lines)


def test_an_empty_board_says_where_the_files_are(on_stage: Stage) -> None:
    on = on_stage(CustodyBoardPage, stage.SUPERVISOR, 0)
    on.until(lambda: not on.page.wall.isVisible())
    assert on.page.actions() == []


def test_keys_move_in_the_order_of_the_wall(on_stage: Stage) -> None:
    on = ready(on_stage)
    lines, wall = on.page._lines, on.page.wall
    columns = wall._columns()
    assert columns == 2
    on.press(Qt.Key.Key_Right)
    assert wall.current() == lines[1]
    on.press(Qt.Key.Key_Down)
    assert wall.current() == lines[3]
    on.press(Qt.Key.Key_End)
    assert wall.current() == lines[-1]
    on.press(Qt.Key.Key_Down)
    assert wall.current() == lines[-1]
    on.press(Qt.Key.Key_Home)
    on.press(Qt.Key.Key_J, times=2)
    on.press(Qt.Key.Key_K)
    assert wall.current() == lines[1]


@pytest.mark.parametrize(("key", "act"), [(Qt.Key.Key_R, "recall"), (Qt.Key.Key_F, "force")])
def test_recall_and_forced_return_ask_for_a_reason_first(on_stage: Stage, key: Qt.Key, act: str) -> None:
    on = ready(on_stage)
    method = "Custody.recall" if act == "recall" else "Custody.force_return"
    check_out_id = on.page.wall.current().check_out_id
    on.press(key)
    on.until(lambda: on.there(f"custody_{act}_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked(method) == []
    on.type("needed for the hearing")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked(method) == [(check_out_id, "needed for the hearing")])
    on.until(lambda: not on.there(f"custody_{act}_sheet"))


def test_escape_leaves_everything_as_it_was(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.press(Qt.Key.Key_F)
    on.type("something long enough")
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: not on.there("custody_force_sheet"))
    assert on.asked("Custody.force_return") == []
    on.until(on.page.wall.hasFocus)


def test_the_strip_acted_on_is_the_one_that_was_current_when_the_board_moves(on_stage: Stage) -> None:
    """A refresh that reorders the wall must never put another case file under R or F."""
    on = ready(on_stage)
    on.press(Qt.Key.Key_J, times=3)
    chosen = on.page.wall.current().check_out_id
    on.bridge.answers["Custody.board"] = tuple(line for line in stage.board(30) if line.check_out_id != on.page._lines[0].check_out_id)
    on.bridge.told.emit(CustodyChanged(CaseId("0" * 32), None, None))
    on.until(lambda: len(on.page._lines) == 29)
    assert on.page.wall.current().check_out_id == chosen
    on.press(Qt.Key.Key_F)
    on.type("holder is off duty")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: [args[0] for args in on.asked("Custody.force_return")] == [chosen])


def test_a_recalled_file_is_not_recalled_again(on_stage: Stage) -> None:
    on = ready(on_stage)
    recalled = next(line for line in on.page._lines if line.recalled_us)
    on.page.wall.choose(recalled.check_out_id)
    on.press(Qt.Key.Key_R)
    assert not on.there("custody_recall_sheet")
    assert not on.find("custody_recall").isEnabled()


def test_nobody_forces_a_file_back_from_themselves(on_stage: Stage) -> None:
    on = ready(on_stage, stage.OFFICER.__class__(stage.OFFICER.person_id, "Ingrid", "4471", "East", stage.SUPERVISOR.role))
    assert on.page.wall.current().holder == stage.OFFICER
    on.press(Qt.Key.Key_F)
    assert not on.there("custody_force_sheet")


def test_a_custodian_sees_the_board_and_cannot_act(on_stage: Stage) -> None:
    on = ready(on_stage, stage.CUSTODIAN)
    for key in (Qt.Key.Key_R, Qt.Key.Key_F, Qt.Key.Key_H):
        on.press(key)
    assert not any(on.there(f"custody_{name}") for name in ("recall", "force", "history"))
    assert not on.there("custody_force_sheet")


def test_the_filters_narrow_the_wall(on_stage: Stage) -> None:
    on = ready(on_stage)
    every = list(on.page.wall._lines)
    for chip, fits in (
        ("custody_only_overdue", [line for line in every if line.overdue]),
        ("custody_only_flagged", [line for line in every if line.flagged]),
    ):
        assert 0 < len(fits) < len(every)
        on.find(chip).click()
        on.until(lambda fits=fits: list(on.page.wall._lines) == fits)
        on.find(chip).click()
        on.until(lambda: list(on.page.wall._lines) == every)


def test_ten_thousand_strips_paint_only_what_is_in_view(on_stage: Stage) -> None:
    on = ready(on_stage, count=10_000)
    assert len(on.page.wall._in_view()) <= 14
    on.press(Qt.Key.Key_End)
    assert on.page.wall._in_view()[-1] == 9_999


def test_the_history_of_a_case_is_one_key(on_stage: Stage, qtbot: Any) -> None:
    on = ready(on_stage)
    with qtbot.waitSignal(on.page.go) as gone:
        on.press(Qt.Key.Key_H)
    assert gone.args == ["audit", on.page.wall.current().case_label]
