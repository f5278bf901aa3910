"""Intake: choosing or registering a case, bringing files in, what becomes of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog

from tests import ui_stage_b as stage
from ui import strings
from ui.widgets.buttons import Button
from ui.windows import unshown_words
from ui.windows.drop_zone import path_of
from ui.windows.intake import IntakePage
from vault.domain.casefile import Unshown
from vault.errors import RefusedError
from vault.services.events import IntakeMoved
from vault.services.views import FileState, IntakeView

Stage = Callable[..., Any]


def ready(on_stage: Stage, person: Any = stage.CUSTODIAN, count: int = 7, **answers: Any) -> Any:
    on = on_stage(IntakePage, person, count, **answers)
    on.until(lambda: on.page.picker.current() is not None)
    return on


def chosen(on_stage: Stage, **answers: Any) -> Any:
    on = ready(on_stage, **answers)
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.there("intake_add_files"))
    return on


def moved(view: IntakeView, **changed: Any) -> IntakeView:
    return dataclasses.replace(view, **changed)


def test_a_case_is_found_and_chosen_by_keys(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.type("Ferry")
    on.press(Qt.Key.Key_Return)  # before the answer: the answer chooses
    on.until(lambda: on.page.picker.table.row_count() == 1)
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.page._case is not None)
    assert on.page._case.rms_number == "2026-004102"
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: on.page._case is None)
    assert on.find("intake_search").hasFocus()


def test_down_in_the_search_moves_in_the_list(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.press(Qt.Key.Key_Down, times=2)
    assert on.page.picker.current() == stage.case(2)
    assert on.find("intake_search").hasFocus()


def test_ten_thousand_cases_come_page_by_page(on_stage: Stage) -> None:
    on = ready(on_stage, count=10_000)
    assert on.page.picker.table.row_count() == 200
    on.find("intake_cases").setFocus()
    on.press(Qt.Key.Key_End)
    on.until(lambda: on.page.picker.table.row_count() == 400)


def test_another_page_opens_intake_at_a_case(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.page.open_at("2026-003987")
    on.until(lambda: on.page._case is not None and on.page._case.rms_number == "2026-003987")


def test_a_case_one_may_not_add_to_says_so(on_stage: Stage) -> None:
    on = ready(on_stage, Desk__case=lambda _id: dataclasses.replace(stage.ConsoleBridge()._desk_case("0"), may_take_in=False))
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.page._case is not None and on.page._work.currentIndex() == 2)
    assert not on.there("intake_add_files")


def test_a_typed_path_is_taken_in_on_enter(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.fill("intake_path", "scans")
    on.press(Qt.Key.Key_Return)
    assert on.asked("Intake.start") == []
    assert on.find("intake_path").accessibleDescription()
    on.find("intake_path").clear()
    on.type("/srv/scans/quay road")
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.asked("Intake.start") == [(stage.case(0).case_id, ("/srv/scans/quay road",))])
    on.until(lambda: on.there("intake_files"))


@pytest.mark.parametrize(
    ("typed", "path"),
    [("", ""), ("a/b", ""), ("/a/b", "/a/b"), (" '/a b' ", "/a b"), ("~/x", str(Path.home() / "x")), ("~nobody-of-that-name/x", "")],
)
def test_only_whole_paths_are_read(typed: str, path: str) -> None:
    assert path_of(typed) == path


def test_dropped_files_are_taken_in_and_none_of_them_beside_one_from_elsewhere(on_stage: Stage) -> None:
    on = chosen(on_stage)

    def drop(*urls: QUrl) -> None:
        data = QMimeData()
        data.setUrls(urls)
        at, none = QPoint(20, 20).toPointF(), Qt.KeyboardModifier.NoModifier
        on.page.drop.dropEvent(QDropEvent(at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none))

    here = QUrl.fromLocalFile("/srv/a.pdf")
    drop(here, QUrl("https://example.org/b.pdf"))
    assert on.asked("Intake.start") == []
    assert on.find("intake_path").accessibleDescription()  # says so, beside the field
    drop(here)
    on.until(lambda: [args[1] for args in on.asked("Intake.start")] == [("/srv/a.pdf",)])


@pytest.mark.parametrize(("shift", "mode"), [(False, QFileDialog.FileMode.ExistingFiles), (True, QFileDialog.FileMode.Directory)])
def test_the_picker_is_ours_and_can_only_open(on_stage: Stage, shift: bool, mode: QFileDialog.FileMode) -> None:
    on = chosen(on_stage)
    on.press(Qt.Key.Key_O, control=True, shift=shift)
    dialog = on.page.findChild(QFileDialog, "intake_picker")
    assert dialog.testOption(QFileDialog.Option.DontUseNativeDialog)
    assert dialog.testOption(QFileDialog.Option.ReadOnly)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptOpen
    assert dialog.fileMode() is mode
    dialog.filesSelected.emit(["/srv/x.pdf"])
    dialog.reject()
    on.until(lambda: [args[1] for args in on.asked("Intake.start")] == [("/srv/x.pdf",)])


def test_refused_files_stay_listed_with_why_and_the_rest_goes_on(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.page.take_in(("/srv/scans",))
    on.until(lambda: on.there("intake_files"))
    view = stage.intake_view(7)
    files = tuple(
        dataclasses.replace(one, state=FileState.DONE, page_count=1) if one.state is FileState.WAITING else one for one in view.files
    )
    on.bridge.told.emit(IntakeMoved(moved(view, files=files)))
    table = on.page.files.table
    words = [cell.words for cell in table.record(2).cells if hasattr(cell, "words")]
    assert "Refused" in words
    assert words[-1] != "document.encrypted"  # a sentence, not a code
    assert [cell.words for cell in table.record(5).cells if hasattr(cell, "words")][-2] == "Taken in"
    table.set_current(2)
    assert on.page.files._reason._text


def test_a_pdf_that_carries_more_than_its_pages_says_so_on_its_row(on_stage: Stage) -> None:
    on = chosen(on_stage)
    view = stage.intake_view(2, finished=True)
    first = dataclasses.replace(view.files[0], unshown=Unshown(2, 0))
    on.page.files.show_intake(dataclasses.replace(view, files=(first, view.files[1])))
    assert on.page.files._reason._text == unshown_words.sentence(Unshown(2, 0))
    assert "2 attached files, which" in on.page.files._reason._text


def test_progress_that_arrives_before_the_answer_is_not_lost(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.bridge.held_back.add("Intake.start")
    on.page.take_in(("/srv/scans",))
    done = stage.intake_view(7, finished=True)
    on.bridge.told.emit(IntakeMoved(done))
    on.bridge.release("Intake.start")
    assert on.page._view == done
    assert on.there("intake_more")


def test_while_files_are_looked_for_the_intake_is_on_screen_and_can_be_cancelled(on_stage: Stage) -> None:
    looking = IntakeView(1, stage.case(0).case_id, (), 0, 0, finished=False, looking=True)
    on = chosen(on_stage, Intake__start=looking)
    on.page.take_in(("/srv/scans",))
    on.until(lambda: on.there("intake_cancel"))
    assert on.find("intake_progress").text() == "Looking for files"
    on.press(Qt.Key.Key_Escape)
    assert on.page._case is not None
    on.press(Qt.Key.Key_Period, control=True)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Intake.cancel") == [(1,)])
    on.bridge.told.emit(IntakeMoved(stage.intake_view(7)))
    assert on.page.files.table.row_count() == 7
    assert "of 7 files" in on.find("intake_progress").text()


@pytest.mark.parametrize("early", [False, True], ids=["after the answer", "before the answer"])
@pytest.mark.parametrize(("code", "words"), [("intake.nothing", "nothing to take in"), ("intake.too-many", "20,000")])
def test_what_ends_while_files_are_looked_for_says_why_and_can_be_tried_again(on_stage: Stage, code: str, words: str, early: bool) -> None:
    looking = IntakeView(1, stage.case(0).case_id, (), 0, 0, finished=False, looking=True)
    on = chosen(on_stage, Intake__start=looking)
    on.bridge.held_back.add("Intake.start")
    on.page.take_in(("/srv/scans",))
    if not early:
        on.bridge.release("Intake.start")
        on.until(lambda: on.there("intake_cancel"))
    on.bridge.told.emit(IntakeMoved(moved(looking, looking=False, finished=True, reason=code)))
    if early:
        on.bridge.release("Intake.start")
    on.until(lambda: on.there("intake_add_files"))
    assert words in on.page._notice.accessibleName().replace("\u202f", ",")
    on.page.take_in(("/srv/other",))
    on.until(lambda: len(on.asked("Intake.start")) == 2)


def test_an_interrupted_intake_whose_files_are_gone_can_be_forgotten(on_stage: Stage) -> None:
    on = chosen(on_stage, Intake__interrupted=stage.intake_view(2).files)
    on.until(on.page._notice.isVisible)
    assert "intake.forget" in [one.name for one in on.page.actions()]
    buttons = on.page._notice.findChildren(Button)
    (forget,) = [one for one in buttons if one.isVisible() and one.accessibleName() == strings.text("intake.forget")]
    forget.setFocus()
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.there("intake_forget_sheet"))
    assert on.find("intake_forget_cancel").hasFocus()
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Intake.forget") == [(stage.case(0).case_id,)])
    on.until(lambda: not on.page._notice.isVisible())
    assert on.page.drop.files.hasFocus()
    assert "intake.forget" not in [one.name for one in on.page.actions()]


def test_another_cases_progress_is_not_shown_here(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.bridge.told.emit(IntakeMoved(moved(stage.intake_view(7), case_id=stage.case(3).case_id)))
    assert not on.there("intake_files")


def test_a_running_intake_cannot_be_left_and_cancelling_is_asked_first(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.page.take_in(("/srv/scans",))
    on.until(lambda: on.there("intake_files"))
    on.press(Qt.Key.Key_Escape)
    assert on.page._case is not None
    on.press(Qt.Key.Key_Period, control=True)
    on.until(lambda: on.there("intake_stop_sheet"))
    assert on.find("intake_stop_cancel").hasFocus()
    on.press(Qt.Key.Key_Escape)
    on.until(lambda: not on.there("intake_stop_sheet"))
    assert on.asked("Intake.cancel") == []
    on.press(Qt.Key.Key_Period, control=True)
    on.press(Qt.Key.Key_Return, control=True)
    on.until(lambda: on.asked("Intake.cancel") == [(1,)])


def test_a_finished_intake_offers_more_and_another_case(on_stage: Stage) -> None:
    on = chosen(on_stage)
    on.page.take_in(("/srv/scans",))
    on.until(lambda: on.there("intake_files"))
    on.bridge.told.emit(IntakeMoved(stage.intake_view(7, finished=True)))
    assert on.find("intake_more").hasFocus()
    on.press(Qt.Key.Key_Return)
    on.until(lambda: on.there("intake_add_files"))


def test_an_interrupted_intake_is_named_and_resumed_with_the_same_files(on_stage: Stage) -> None:
    on = chosen(on_stage, Intake__interrupted=stage.intake_view(2).files)
    on.until(on.page._notice.isVisible)
    assert "2 files" in on.page._notice.accessibleName()
    on.page._notice.acted.emit()
    assert on.page.findChild(QFileDialog, "intake_picker") is not None
    on.page.findChild(QFileDialog, "intake_picker").reject()


def test_a_refused_start_says_why_and_can_be_tried_again(on_stage: Stage) -> None:
    on = chosen(on_stage, Intake__start=RefusedError("intake.nothing"))
    on.page.take_in(("/srv/empty",))
    on.until(on.page._notice.isVisible)
    on.page.take_in(("/srv/other",))
    on.until(lambda: len(on.asked("Intake.start")) == 2)


def test_ten_thousand_files_move_without_making_the_list_again(on_stage: Stage) -> None:
    view = stage.intake_view(10_000)
    on = chosen(on_stage, Intake__start=view)
    on.page.take_in(("/srv/scans",))
    on.until(lambda: on.there("intake_files") and on.page.files.table.record(4) is not None)
    on.page.files.table.set_current(4)
    kept = on.page.files.table.record(5)
    further = dataclasses.replace(view.files[4], done_bytes=view.files[4].size_bytes, state=FileState.DONE, page_count=9)
    on.bridge.told.emit(IntakeMoved(moved(view, files=(further,))))  # what changed, and no more
    assert on.page.files.table.current() == 4
    assert on.page.files.table.record(5) is kept
    assert "of 10,000 files" in on.find("intake_progress").text().replace("\u202f", ",")
    assert "9" in [cell.words for cell in on.page.files.table.record(4).cells if hasattr(cell, "words")]
