"""My desk and Find by keyboard: one key checks out, what is out is waited for, what is mine is read on."""

from __future__ import annotations

from PySide6.QtCore import Qt

from tests.ui_stage import case
from tests.unit.ui.windows_a.conftest import CTRL, Driver, Key
from vault.domain.custody import Purpose
from vault.errors import RefusedError
from vault.services.events import CustodyChanged


def _to_list(driver: Driver, row: int) -> None:
    desk = driver.desk()
    desk.cases.setFocus(Qt.FocusReason.TabFocusReason)
    desk.cases.set_current(row)


def test_one_key_checks_out_and_opens_the_file(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.press(Key.Key_1)
    driver.until(lambda: driver.reader is not None and not driver.reader.page.is_blank())
    ((case_id, purpose, due_back_us, note),) = driver.bridge.calls("Custody.check_out")
    assert (case_id, purpose, note) == (case(2).case_id, Purpose.ASSIGNED, "")
    assert due_back_us > 0


def test_with_nothing_held_the_list_has_the_keyboard_at_once(driver: Driver) -> None:
    driver.bridge.held = 0
    driver.desk()
    driver.until(lambda: driver.focused("desk_cases"))
    driver.press(Key.Key_Down)
    driver.press(Key.Key_Down)
    driver.press(Key.Key_2)
    driver.until(lambda: driver.bridge.calls("Custody.check_out"))
    assert driver.bridge.calls("Custody.check_out")[0][1] is Purpose.COURT


def test_a_key_pressed_twice_checks_out_once(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.bridge.held_back.add("Custody.check_out")
    driver.press(Key.Key_1)
    driver.press(Key.Key_1)
    driver.until(lambda: driver.bridge.waiting)
    driver.press(Key.Key_1)
    driver.bridge.release("Custody.check_out")
    driver.until(lambda: driver.reader is not None)
    assert len(driver.bridge.calls("Custody.check_out")) == 1


def test_a_number_with_a_holding_focused_checks_nothing_out(driver: Driver) -> None:
    driver.desk()
    assert driver.focused("desk_holding")
    driver.press(Key.Key_1)
    driver.press(Key.Key_O)
    assert not driver.bridge.calls("Custody.choices")


def test_o_then_a_number(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.press(Key.Key_O)
    driver.until(lambda: driver.sheet_open("check_out_sheet"))
    assert driver.focused("check_out_purpose")
    driver.press(Key.Key_2)
    driver.until(lambda: driver.reader is not None)
    assert driver.bridge.calls("Custody.check_out")[0][1] is Purpose.COURT


def test_tab_leaves_the_due_back_time_and_comes_to_the_verbs(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.press(Key.Key_O)
    driver.until(lambda: driver.sheet_open("check_out_sheet"))
    for _ in range(8):  # purpose, the five parts of the time, cancel, check out
        driver.press(Key.Key_Tab)
    assert driver.focused("check_out_purpose")


def test_a_purpose_of_ones_own_wants_a_sentence(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.press(Key.Key_3)
    driver.until(lambda: driver.sheet_open("check_out_sheet"))
    driver.until(lambda: driver.focused("check_out_note"))
    driver.type("because")
    driver.press(Key.Key_Return, CTRL)
    assert not driver.bridge.calls("Custody.check_out")
    driver.type(" the coroner asked")
    driver.press(Key.Key_Return, CTRL)
    driver.until(lambda: driver.bridge.calls("Custody.check_out"))
    assert driver.bridge.calls("Custody.check_out")[0][1::2] == (Purpose.OTHER, "because the coroner asked")


def test_a_refused_check_out_is_said_in_the_sheet_and_can_be_left(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.bridge.answers["Custody.check_out"] = RefusedError("custody.already-checked-out", holder_id="a6" * 16, due_back_us=1)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet_open("check_out_sheet"))
    driver.press(Key.Key_1)
    driver.until(lambda: not driver.sheet().error.isHidden())  # type: ignore[union-attr]
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.sheet() is None)
    assert driver.reader is None


def test_a_refused_one_key_check_out_is_said_in_the_bar(driver: Driver) -> None:
    _to_list(driver, 2)
    driver.bridge.answers["Custody.check_out"] = RefusedError("custody.already-checked-out", holder_id="a6" * 16, due_back_us=1)
    driver.press(Key.Key_1)
    driver.until(driver.shell.frame.notice.isVisible)


def test_a_file_that_is_out_is_waited_for(driver: Driver) -> None:
    driver.bridge.case_count = 10
    _to_list(driver, 8)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet_open("wait_sheet"))
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Custody.wait") == [(case(8).case_id,)])
    driver.until(lambda: driver.sheet() is None)


def test_waiting_is_left_the_same_way(driver: Driver) -> None:
    _to_list(driver, 4)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet_open("wait_sheet"))
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Custody.leave_waiting") == [(case(4).case_id,)])


def test_a_file_of_mine_is_read_on_from_the_list(driver: Driver) -> None:
    _to_list(driver, 0)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.reader is not None)
    assert not driver.bridge.calls("Custody.choices")


def test_return_from_the_desk_by_i_a_enter(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_I)
    driver.until(lambda: driver.focused("check_in_attest"))
    driver.press(Key.Key_A)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Custody.check_in"))
    assert driver.bridge.calls("Custody.check_in")[0][1] is True


def test_nothing_is_returned_without_the_attestation(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_I)
    driver.until(lambda: driver.focused("check_in_attest"))
    driver.press(Key.Key_Return, CTRL)
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.sheet() is None)
    assert not driver.bridge.calls("Custody.check_in")


def test_hand_over_by_badge(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_H)
    driver.until(lambda: driver.focused("hand_over_person"))
    driver.until(lambda: driver.sheet().person._people)  # type: ignore[union-attr]
    driver.type("4533")
    driver.press(Key.Key_Return, CTRL)
    driver.until(lambda: driver.bridge.calls("Custody.hand_over"))
    assert driver.bridge.calls("Custody.hand_over")[0][1] == "4533"


def test_custody_that_changed_elsewhere_refreshes_the_desk(driver: Driver) -> None:
    driver.desk()
    asked = len(driver.bridge.calls("Desk.cases"))
    driver.bridge.told.emit(CustodyChanged(case(2).case_id, None, None))
    driver.until(lambda: len(driver.bridge.calls("Desk.cases")) > asked)


def test_ten_thousand_cases_are_walked_to_the_end_a_page_at_a_time(driver: Driver) -> None:
    driver.bridge.case_count = 10_000
    desk = driver.desk()
    assert desk.cases.row_count() == 10_000
    desk.cases.setFocus()
    driver.press(Key.Key_End)
    driver.until(lambda: desk.cases.current_line() is not None)
    assert desk.cases.current_line().case_id == case(9_999).case_id
    assert all(limit <= 200 for _search, _anchor, limit in driver.bridge.calls("Desk.cases"))


def test_a_list_ends_where_its_last_page_does_whatever_was_counted(driver: Driver) -> None:
    driver.bridge.case_count, driver.bridge.case_count_over = 450, 200
    desk = driver.desk()
    assert desk.cases.row_count() == 650
    desk.cases.setFocus()
    driver.press(Key.Key_End)
    driver.until(lambda: desk.cases.current_line() is not None)
    assert (desk.cases.row_count(), desk.cases.current()) == (450, 449)


def test_the_empty_desk_says_how_to_go_on(driver: Driver) -> None:
    driver.bridge.held, driver.bridge.case_count = 0, 0
    desk = driver.desk()
    driver.until(lambda: desk._nothing.isVisible() and desk._no_cases.isVisible())
    driver.press(Key.Key_F, CTRL)
    driver.until(lambda: driver.focused("find_search"))


def test_find_searches_while_typing_and_goes_into_the_list(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_F, CTRL)
    driver.until(lambda: driver.focused("find_search"))
    driver.type("ferry")
    driver.until(lambda: ("ferry", "", 200) in driver.bridge.calls("Desk.cases"))
    driver.until(lambda: driver.page.cases.row_count() == 1)
    driver.press(Key.Key_Return)
    assert driver.focused("find_cases")
    driver.press(Key.Key_1)
    driver.until(lambda: driver.bridge.calls("Custody.check_out"))


def test_an_older_answer_never_replaces_a_newer_one(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_F, CTRL)
    driver.until(lambda: driver.focused("find_search") and driver.page.cases.row_count() == 7)
    driver.bridge.held_back.add("Desk.cases")
    driver.page.cases.search("ferry")
    driver.page.cases.search("fraud")
    newer = driver.bridge.waiting[1][1]
    newer()
    driver.bridge.waiting[0][1]()
    driver.bridge.held_back.clear()
    driver.bridge.waiting.clear()
    driver.until(lambda: driver.page.cases.current_line() is not None)
    assert "Fraud" in driver.page.cases.current_line().title


def test_a_number_that_cannot_be_seen_is_explained(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_F, CTRL)
    driver.type("2026-000001")
    driver.press(Key.Key_Y, CTRL)
    driver.until(lambda: driver.sheet_open("explain_sheet"))
    assert driver.bridge.calls("Desk.explain") == [("2026-000001", "")]
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet() is None)


def test_the_inspector_fills_for_the_case_that_is_selected(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_F, CTRL)
    driver.until(lambda: driver.bridge.calls("Desk.case"))
    assert driver.bridge.calls("Desk.case")[-1] == (case(0).case_id,)


def test_an_account_is_given_from_my_reports(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_R, CTRL)
    driver.until(lambda: driver.focused("my_reports_list") and driver.page.table.current() == 0)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.focused("account_words"))
    driver.type("The key was hit by accident.")
    driver.press(Key.Key_Return, CTRL)
    driver.until(lambda: driver.bridge.calls("Breaches.give_account"))
    driver.until(lambda: driver.sheet() is None)
    driver.press(Key.Key_Escape)
    assert driver.shell.page_key() == "desk"


def test_the_palette_runs_an_action(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_K, CTRL)
    driver.until(lambda: driver.sheet() is not None)
    driver.type("my reports")
    driver.press(Key.Key_Return)
    assert driver.shell.page_key() == "my_reports"


def test_f1_lists_keys_and_closes_again(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_F1)
    driver.until(lambda: driver.sheet_open("keys_sheet"))
    driver.press(Key.Key_F1)
    driver.until(lambda: driver.sheet() is None)


def test_print_screen_on_the_desk_is_reported_without_a_page(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_Print)
    driver.until(lambda: driver.bridge.calls("Breaches.report"))
    kind, _facts, document_id, page_no, _at = driver.bridge.calls("Breaches.report")[0]
    assert (kind.value, document_id, page_no) == ("print-screen-key", None, 0)
    driver.until(driver.shell.frame.notice.isVisible)
