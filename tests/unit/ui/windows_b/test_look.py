"""Words that must not be cut, and numbers that are names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests import ui_stage_b as stage
from tests.ui_stage import case
from ui.widgets.buttons import IconButton
from ui.widgets.cells import TimeCell, cut_words, time_px
from ui.windows import report_pane, strip_wall
from ui.windows.audit import AuditPage
from ui.windows.intake import IntakePage
from ui.windows.people import PeoplePage

Stage = Callable[..., Any]


def test_the_harm_of_a_deny_is_whole(on_stage: Stage) -> None:
    on = on_stage(IntakePage, stage.CUSTODIAN)
    on.page.choose(case(0))
    on.page.grants()
    on.until(lambda: on.there("grants_save") and on.find("grants_save").isEnabled())
    on.find("grants_save").click()
    on.until(lambda: on.there("grant_effect"))
    on.find("grant_effect").setFocus()
    on.press(Qt.Key.Key_2)
    note = on.find("grant_note")
    assert "loses the file now" in note.text()
    on.until(lambda: note.height() >= note.heightForWidth(note.width()))


def test_no_column_of_times_cuts_the_minute(on_stage: Stage) -> None:
    on = on_stage(AuditPage, stage.SUPERVISOR, 3)
    on.until(lambda: on.page.table.current_record() is not None)
    for record in [on.page.table.record(row) for row in range(3)]:
        at = next(index for index, cell in enumerate(record.cells) if isinstance(cell, TimeCell))
        width = next(width for index, _left, width in on.page.table._spans if index == at)
        assert width >= time_px()


def test_a_time_column_holds_the_widest_time(desk: QApplication) -> None:
    from PySide6.QtGui import QFontMetrics

    from ui import strings, theme

    metrics = QFontMetrics(theme.font(tabular=True))
    year = range(1_798_761_600, 1_798_761_600 + 366 * 86_400, 43_201)
    assert max(metrics.horizontalAdvance(strings.local_time(at * 1_000_000, (at + 2 * 86_400) * 1_000_000)) for at in year) <= time_px()


def test_a_check_out_number_is_written_alike_everywhere() -> None:
    facts = report_pane.evidence(stage.report_view(stage.report(0)))
    values = [value for _heading, rows in facts for _label, value in rows]
    assert "No. 1042" in values


def test_details_beside_a_list_have_no_button_that_does_nothing(on_stage: Stage) -> None:
    on = on_stage(PeoplePage, stage.SUPERVISOR)
    on.until(lambda: on.page.table.current_record() is not None)
    assert not any(button.isVisible() for button in on.page.inspector.findChildren(IconButton))
    assert cut_words(on.page.table.current_record().cells[0], 10)


def test_a_holder_on_the_board_never_loses_the_badge() -> None:
    line = stage.board(3)[2]
    assert strip_wall._holder(line).startswith(line.holder.badge_no)
    assert line.holder.unit_name in strip_wall._holder(line)
