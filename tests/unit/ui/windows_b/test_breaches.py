"""The breach queue: what is read, what can be decided, by keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from tests.ui_stage import notice
from ui import strings, theme
from ui.theme import TypeSize, Weight
from ui.widgets import painting
from ui.windows import breach_words
from ui.windows.breaches import BreachesPage
from vault.domain.breach import Finding, Severity, TriageState
from vault.errors import RefusedError
from vault.services.events import BreachRecorded, ReportChanged

Stage = Callable[..., Any]
OWN_NO = "B-2026-0044"


def ready(on_stage: Stage, person: Any = stage.SUPERVISOR, count: int = 7, **answers: Any) -> Any:
    on = on_stage(BreachesPage, person, count, **answers)
    on.until(lambda: on.page.report.shown_report() is not None)
    return on


def shown_no(on: Any) -> str:
    view = on.page.report.shown_report()
    return view.line.report_no if view is not None else ""


def test_the_first_report_is_the_pressing_one_and_the_badge_counts_the_open(on_stage: Stage, qtbot: Any) -> None:
    on = on_stage(BreachesPage, stage.SUPERVISOR)
    with qtbot.waitSignal(on.page.badge) as counted:
        pass
    assert counted.args == [sum(line.state is TriageState.OPEN for line in stage.reports(7))]
    on.until(lambda: shown_no(on) == "B-2026-0041")


def test_an_empty_queue_says_so(on_stage: Stage) -> None:
    on = on_stage(BreachesPage, stage.SUPERVISOR, 0)
    on.until(lambda: not on.page.table.isVisible())
    assert on.asked("Supervision.report") == []


def test_j_and_k_move_and_a_report_passed_by_is_not_opened(on_stage: Stage) -> None:
    on = ready(on_stage)
    opened = len(on.asked("Supervision.report"))
    on.press(Qt.Key.Key_J, times=2)
    on.press(Qt.Key.Key_K)
    on.until(lambda: shown_no(on) == "B-2026-0042")
    assert len(on.asked("Supervision.report")) == opened + 1


def test_a_report_on_the_reader_is_seen_and_never_opened_nor_touched(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.page.open_at(OWN_NO)
    opened = len(on.asked("Supervision.report"))
    for key in (Qt.Key.Key_A, Qt.Key.Key_O, Qt.Key.Key_N, Qt.Key.Key_D, Qt.Key.Key_H):
        on.press(key)
    on.until(lambda: not on.there("breaches_acknowledge"))
    assert not any(on.there(f"breaches_{verb}") for verb in ("own", "note", "dispose", "history"))
    assert len(on.asked("Supervision.report")) == opened
    assert not any(on.asked(f"Supervision.{act}") for act in ("acknowledge", "own", "note", "dispose"))
    assert on.page.actions() == []


def test_acknowledge_then_own_then_dispose_by_keys_only(on_stage: Stage) -> None:
    on = ready(on_stage)
    breach_id = on.page.report.shown_report().line.breach_id
    on.press(Qt.Key.Key_D)
    assert not on.there("breaches_dispose_sheet")
    on.press(Qt.Key.Key_A)
    on.until(lambda: on.asked("Supervision.acknowledge") == [(breach_id,)])
    on.until(lambda: on.there("breaches_dispose"))
    on.press(Qt.Key.Key_O)
    on.until(lambda: on.asked("Supervision.own") == [(breach_id,)])
    on.until(lambda: not on.there("breaches_own"))
    on.press(Qt.Key.Key_D)
    on.until(lambda: on.there("breaches_dispose_sheet"))
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked("Supervision.dispose") == []  # neither finding nor rationale
    on.press(Qt.Key.Key_3)
    on.find("breaches_rationale").setFocus()
    on.type("too short")
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked("Supervision.dispose") == []
    on.type(", so more of it")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Supervision.dispose") == [(breach_id, Finding.FALSE_POSITIVE, "too short, so more of it")])
    on.until(lambda: not on.there("breaches_dispose_sheet"))


def test_a_refused_disposition_is_told_in_the_sheet_and_what_was_typed_stays(on_stage: Stage) -> None:
    on = ready(on_stage, stage.SECOND_SUPERVISOR, Supervision__dispose=RefusedError("breach.not-owner", owner_id="x"))
    on.page.open_at("B-2026-0043")
    on.until(lambda: shown_no(on) == "B-2026-0043")
    on.page.table.setFocus()
    on.press(Qt.Key.Key_D)
    on.press(Qt.Key.Key_1)
    on.fill("breaches_rationale", "the officer was at the desk")
    on.press(Qt.Key.Key_Return, control=True)
    sheet = on.find("breaches_dispose_sheet")
    on.until(sheet.error.isVisible)
    assert on.find("breaches_rationale").toPlainText() == "the officer was at the desk"
    assert on.find("breaches_dispose_save").isEnabled()


def test_somebody_elses_report_is_not_disposed_of_and_the_key_says_why(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.page.open_at("B-2026-0043")
    on.until(lambda: shown_no(on) == "B-2026-0043")
    on.page.table.setFocus()
    on.press(Qt.Key.Key_D)
    assert not on.there("breaches_dispose_sheet")
    on.until(on.page._notice.isVisible)
    assert "Beatriz Anand" in on.page._notice.accessibleName()


def test_a_note_must_not_be_empty(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.press(Qt.Key.Key_N)
    on.press(Qt.Key.Key_Return, control=True)
    assert on.asked("Supervision.note") == []
    on.type("Spoke to them")
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: [args[1] for args in on.asked("Supervision.note")] == ["Spoke to them"])


def test_a_new_report_arrives_without_taking_the_selection_away(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.press(Qt.Key.Key_J)
    on.until(lambda: shown_no(on) == "B-2026-0042")
    place = on.page.table.current()
    arrived = dataclasses.replace(stage.report(0), report_no="B-2026-0099", breach_id="ff" * 16)
    on.bridge.lines = (arrived, *on.bridge.lines)
    on.bridge.told.emit(BreachRecorded(notice(), None, False))
    on.until(lambda: on.page.table.row_count() == 7)
    assert on.page.table.current() == place + 1
    on.until(lambda: shown_no(on) == "B-2026-0042")


def test_events_that_come_together_are_one_question(on_stage: Stage) -> None:
    on = ready(on_stage)
    before = len(on.asked("Supervision.queue"))
    for number in range(20):
        on.bridge.told.emit(ReportChanged(f"B-2026-{number:04}"))
    on.until(lambda: len(on.asked("Supervision.queue")) > before)
    on.qtbot.waitUntil(lambda: not on.page._merge.isActive())
    assert len(on.asked("Supervision.queue")) == before + 1


def test_nothing_is_opened_while_the_page_is_not_looked_at(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.page.hidden()
    opened = len(on.asked("Supervision.report"))
    before = len(on.asked("Supervision.queue"))
    on.bridge.told.emit(ReportChanged("B-2026-0041"))
    on.until(lambda: len(on.asked("Supervision.queue")) == before + 1)  # the badge stays right
    on.until(lambda: not on.page._passing.isActive())
    assert len(on.asked("Supervision.report")) == opened


def test_the_history_of_the_case_on_screen_is_one_key(on_stage: Stage, qtbot: Any) -> None:
    on = ready(on_stage)
    with qtbot.waitSignal(on.page.go) as gone:
        on.press(Qt.Key.Key_H)
    assert gone.args == ["audit", "2026-004417"]


def test_ten_thousand_reports_keep_the_selection_too(on_stage: Stage) -> None:
    on = ready(on_stage, count=10_000)
    on.page.table.set_current(5_000)
    chosen = on.page._rows.current().report_no
    on.page.refresh()
    on.until(lambda: len(on.asked("Supervision.queue")) == 2)
    on.until(lambda: on.page._rows.current() is not None and on.page._rows.current().report_no == chosen)


def test_every_word_of_the_queue_is_there() -> None:
    for name in ("acknowledge", "own", "note", "dispose", "history"):
        assert strings.has_text(f"breaches.{name}")


def test_every_severity_is_shown_whole_beside_an_open_report(on_stage: Stage) -> None:
    on = ready(on_stage)
    width_px = next(width for index, _left, width in on.page.table._spans if index == 0)
    for severity in Severity:
        word, _tone, icon = breach_words.severity_mark(severity)
        assert painting.mark_width(word, theme.font(TypeSize.SMALL, Weight.MEDIUM), icon) <= width_px, word
