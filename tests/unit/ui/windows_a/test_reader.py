"""The reader by keyboard: pages, find, copy attempts, containment, and every way it ends."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from tests.ui_stage import HOUR_US, documents, holding, notice, now_us, signed_in
from tests.unit.ui.windows_a.conftest import CTRL, SHIFT, Driver, Key
from ui.guard.interceptor import GuardLevel
from vault.domain.breach import Containment, Severity, SignalKind
from vault.domain.casefile import Unshown
from vault.domain.custody import ReturnKind
from vault.domain.identity import CheckOutId
from vault.errors import RefusedError, UnavailableError
from vault.services.events import BreachRecorded, CustodyChanged
from vault.services.views import FindHit, FindResult, OpenFile, PageText


def _pages(driver: Driver) -> list[int]:
    return [page_no for _check_out, _document, page_no, *_how in driver.bridge.calls("Reading.view_page")]


def _on_page(driver: Driver, page_no: int) -> bool:
    return bool(driver.reader._shown == (driver.reader._index, page_no))


def test_a_file_opens_where_it_was_left(driver: Driver) -> None:
    reader = driver.read()
    assert _pages(driver)[0] == 1  # the first strip is what is due first; it was not read yet
    assert driver.shell._guard.level() is GuardLevel.READING
    assert QApplication.focusWidget() is reader.page


@pytest.mark.parametrize(
    ("key", "modifiers", "page_no"),
    [
        (Key.Key_PageDown, None, 2),
        (Key.Key_Right, None, 2),
        (Key.Key_End, None, 24),
    ],
)
def test_keys_turn_the_page(driver: Driver, key: Key, modifiers: None, page_no: int) -> None:
    driver.read()
    driver.press(key)
    driver.until(lambda: _on_page(driver, page_no))
    driver.press(Key.Key_Home)
    driver.until(lambda: _on_page(driver, 1))
    driver.press(Key.Key_PageUp)
    assert _on_page(driver, 1)


def test_the_answer_is_on_screen_when_it_is_delivered(driver: Driver) -> None:
    driver.read()
    driver.bridge.held_back.add("Reading.view_page")
    driver.press(Key.Key_PageDown)
    assert _pages(driver)[-1] == 2, "asked in the turn of the key press"
    driver.bridge.release("Reading.view_page")
    assert _on_page(driver, 2), "shown in the turn of the answer"


def test_a_held_key_discloses_only_what_is_shown(driver: Driver) -> None:
    driver.read()
    driver.bridge.held_back.add("Reading.view_page")
    for _ in range(6):
        driver.press(Key.Key_PageDown)
    assert _pages(driver)[-1] == 2
    driver.bridge.release("Reading.view_page")
    assert _pages(driver)[-1] == 7
    driver.bridge.release("Reading.view_page")
    assert _on_page(driver, 7)
    assert not {3, 4, 5, 6} & set(_pages(driver))


def test_going_to_a_page_by_number(driver: Driver) -> None:
    driver.read()
    driver.press(Key.Key_G)
    assert driver.focused("reader_page")
    driver.type("19")
    driver.press(Key.Key_Return)
    driver.until(lambda: _on_page(driver, 19))
    assert QApplication.focusWidget() is driver.reader.page


def test_documents_by_bracket_keys(driver: Driver) -> None:
    reader = driver.read()
    driver.press(Key.Key_BracketRight)
    driver.until(lambda: reader._shown == (1, 1))
    driver.press(Key.Key_BracketLeft)
    driver.until(lambda: reader._shown == (0, 1))
    driver.press(Key.Key_BracketLeft)
    assert reader._index == 0


def test_rotation_discloses_nothing_twice(driver: Driver) -> None:
    driver.read()
    asked = len(_pages(driver))
    driver.press(Key.Key_R)
    driver.press(Key.Key_R)
    assert {rotation for *_rest, rotation, _request_no in driver.bridge.calls("Reading.view_page")} == {0}
    assert len(_pages(driver)) == asked


def test_a_pdf_that_carries_more_than_its_pages_says_so_while_it_is_open(driver: Driver) -> None:
    def opened(check_out_id: CheckOutId) -> OpenFile:
        held = driver.bridge._reading_open_file(check_out_id)
        first, *others = held.documents
        return dataclasses.replace(held, documents=(dataclasses.replace(first, unshown=Unshown(1, 3)), *others))

    driver.bridge.answers["Reading.open_file"] = opened
    reader = driver.read()
    assert reader._index == 0
    assert reader.unshown.isVisible()
    assert "1 attached file and 3 notes" in reader.unshown.accessibleName()
    reader.open_document(1)
    assert not reader.unshown.isVisible()
    reader.open_document(0)
    assert reader.unshown.isVisible()


def test_find_goes_from_place_to_place(driver: Driver) -> None:
    reader = driver.read()
    driver.press(Key.Key_F, CTRL)
    assert driver.focused("reader_find_field")
    driver.type("gate")
    driver.press(Key.Key_Return)
    driver.until(lambda: len(reader.search.hits) == 3 and _on_page(driver, 2))
    driver.press(Key.Key_F3)
    driver.until(lambda: _on_page(driver, 14))
    driver.press(Key.Key_F3)
    driver.until(lambda: _on_page(driver, 20))
    driver.press(Key.Key_F3)
    driver.until(lambda: _on_page(driver, 2))
    driver.press(Key.Key_F3, SHIFT)
    driver.until(lambda: _on_page(driver, 20))
    driver.press(Key.Key_Escape)
    assert reader.search.words == ""
    assert driver.reader is reader, "Esc closed the find, not the reader"


def test_a_find_that_starts_in_the_middle_covers_the_beginning(driver: Driver) -> None:
    reader = driver.read()
    reader.go_to(10)
    driver.until(lambda: _on_page(driver, 10))
    reader.search.start(reader.check_out_id, documents()[0].document_id, "gate", 10)
    driver.until(lambda: not reader.search.running)
    assert [hit.page_no for hit in reader.search.hits] == [2, 14, 20]
    assert reader.search.hits[reader.search.current].page_no == 14
    assert driver.bridge.calls("Reading.find")[-1][3] == 1


def test_what_could_not_be_searched_is_said_beside_what_was_found(driver: Driver) -> None:
    reader = driver.read()

    def find(_check_out_id: object, _document_id: object, text: str, first_page: int) -> FindResult:
        hits = (FindHit(9, 0.2, 0.2, 0.5, 0.22),) if text == "gate" else ()
        return FindResult(hits, 13, (4, 5)) if first_page <= 12 else FindResult((), 0, (20,))

    driver.bridge.answers["Reading.find"] = find
    counted: list[int] = []
    reader.find_bar.hits_found.connect(counted.append)
    driver.press(Key.Key_F, CTRL)
    for words, told in (
        ("gate", "1 of 1 · 3 pages could not be fully searched"),
        ("hay", "Not found · 3 pages could not be fully searched"),
    ):
        reader.find_bar.field.setText(words)
        driver.press(Key.Key_Return)
        driver.until(lambda words=words: reader.search.words == words and not reader.search.running)
        assert reader.find_bar._count.text() == told
    assert counted[0] == 1
    assert counted[-1] == 0


# ---- copy attempts --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "modifiers", "kind"),
    [
        (Key.Key_C, CTRL, SignalKind.COPY_KEY),
        (Key.Key_X, CTRL, SignalKind.CUT_KEY),
        (Key.Key_A, CTRL, SignalKind.SELECT_ALL_KEY),
        (Key.Key_S, CTRL, SignalKind.SAVE_KEY),
        (Key.Key_Insert, CTRL, SignalKind.COPY_KEY),
    ],
)
def test_an_attempt_is_reported_with_its_page_and_told_in_the_bar(driver: Driver, key: Key, modifiers: object, kind: SignalKind) -> None:
    reader = driver.read()
    before = now_us()
    driver.press(key, modifiers)  # type: ignore[arg-type]
    reported, facts, document_id, page_no, observed_us = driver.bridge.calls("Breaches.report")[0]
    assert (reported, document_id, page_no) == (kind, documents()[0].document_id, 1)
    assert before <= observed_us <= now_us()
    assert all(isinstance(value, str) for _name, value in facts)
    driver.until(reader.notice.isVisible)
    assert not reader.page.is_blank()


@pytest.mark.parametrize(("key", "modifiers"), [(Key.Key_P, CTRL), (Key.Key_Print, None)])
def test_a_deliberate_attempt_blanks_before_the_vault_answers(driver: Driver, key: Key, modifiers: object) -> None:
    reader = driver.read()
    driver.bridge.held_back.add("Breaches.report")
    driver.press(key, *([modifiers] if modifiers else []))  # type: ignore[list-item]
    assert reader.page.is_blank()
    assert driver.bridge.calls("Breaches.report"), "reported in the same turn"
    assert driver.shell._guard.level() is GuardLevel.WATCHING
    driver.bridge.release("Breaches.report")
    driver.until(lambda: driver.sheet_open("notice_sheet"))
    asked = len(_pages(driver))
    driver.press(Key.Key_Return)
    driver.until(lambda: not reader.page.is_blank())
    assert len(_pages(driver)) == asked + 1, "the page was asked for and recorded anew"


def test_an_answer_from_before_containment_is_never_shown(driver: Driver) -> None:
    reader = driver.read()
    driver.bridge.held_back |= {"Reading.view_page", "Breaches.report"}
    driver.press(Key.Key_PageDown)
    driver.press(Key.Key_Print)
    driver.bridge.release("Reading.view_page")
    assert reader.page.is_blank()
    driver.press(Key.Key_PageDown)
    assert reader.page.is_blank()


def test_what_cannot_be_recorded_is_not_shown(driver: Driver) -> None:
    reader = driver.read()
    driver.bridge.answers["Breaches.report"] = UnavailableError("storage.full")
    driver.press(Key.Key_C, CTRL)
    driver.until(reader.page.is_blank)
    driver.press(Key.Key_PageDown)
    assert reader.page.is_blank()


def test_a_mistake_is_said_from_the_sheet_and_reading_goes_on(driver: Driver) -> None:
    reader = driver.read()
    driver.press(Key.Key_Print)
    driver.until(lambda: driver.sheet_open("notice_sheet"))
    driver.press(Key.Key_M)
    driver.until(lambda: driver.focused("account_words"))
    driver.type("I reached for the volume key.")
    driver.press(Key.Key_Return, CTRL)
    driver.until(lambda: driver.bridge.calls("Breaches.give_account"))
    driver.until(lambda: not reader.page.is_blank())


def test_a_recall_closes_the_reader_at_once(driver: Driver) -> None:
    reader = driver.read()
    told = notice(SignalKind.STORE_COPIED, Severity.EXPOSED, Containment.RECALL)
    driver.bridge.told.emit(BreachRecorded(told, reader.check_out_id, True))
    assert driver.reader is None
    assert driver.focused("closed_act")
    assert driver.shell._guard.level() is GuardLevel.WATCHING
    driver.press(Key.Key_Return)
    assert driver.shell.page_key() == "desk"


def test_a_recall_takes_a_sheet_with_it(driver: Driver) -> None:
    reader = driver.read()
    driver.press(Key.Key_I, CTRL)
    driver.until(lambda: driver.sheet_open("check_in_sheet"))
    driver.bridge.told.emit(
        BreachRecorded(notice(SignalKind.STORE_COPIED, Severity.EXPOSED, Containment.RECALL), reader.check_out_id, True)
    )
    assert driver.sheet() is None
    assert driver.focused("closed_act")


def test_a_report_told_by_reply_and_event_is_handled_once(driver: Driver) -> None:
    reader = driver.read()
    driver.press(Key.Key_Print)
    driver.until(lambda: driver.sheet_open("notice_sheet"))
    sheet = driver.sheet()
    told = notice(SignalKind.PRINT_SCREEN_KEY, Severity.DELIBERATE, Containment.BLANK)
    driver.bridge.told.emit(BreachRecorded(told, reader.check_out_id, False))
    assert driver.sheet() is sheet


def test_the_clipboard_is_watched_while_a_page_is_shown_only(driver: Driver) -> None:
    driver.read()
    assert driver.shell._selections.armed
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.reader is None)
    assert not driver.shell._selections.armed


def test_a_stalled_vault_blanks_the_page_until_it_answers(driver: Driver) -> None:
    reader = driver.read()
    driver.bridge.stalled.emit(True)
    assert reader.page.is_blank()
    driver.bridge.stalled.emit(False)
    driver.until(lambda: not reader.page.is_blank())


# ---- how it ends ------------------------------------------------------------------------------------------------------------------------


def test_check_in_by_three_keys(driver: Driver) -> None:
    driver.read()
    driver.press(Key.Key_I, CTRL)
    driver.until(lambda: driver.focused("check_in_attest"))
    driver.press(Key.Key_A)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.reader is None)
    assert driver.bridge.calls("Custody.check_in")[0][1] is True
    assert driver.shell.page_key() == "desk"
    assert driver.shell.frame.notice.isVisible()


@pytest.mark.parametrize("kind", [ReturnKind.EXPIRED, ReturnKind.FORCED, ReturnKind.CONTAINED])
def test_a_check_out_that_ends_elsewhere_closes_the_page(driver: Driver, kind: ReturnKind) -> None:
    reader = driver.read()
    driver.bridge.told.emit(CustodyChanged(holding(1).case.case_id, reader.check_out_id, kind))
    assert driver.reader is None
    assert driver.focused("closed_act")


def test_another_check_out_that_ends_closes_nothing(driver: Driver) -> None:
    reader = driver.read()
    driver.bridge.told.emit(CustodyChanged(holding(1).case.case_id, CheckOutId("ff" * 16), ReturnKind.EXPIRED))
    assert driver.reader is reader


@pytest.mark.parametrize(("minutes", "warned"), [(130, False), (9, True), (1, True)])
def test_little_time_is_said(driver: Driver, minutes: int, warned: bool) -> None:
    driver.bridge.answers["Reading.open_file"] = lambda _id: OpenFile(holding(0, minutes_left=minutes), documents(), None, ())
    reader = driver.read()
    assert reader.banner.isVisible() is warned


def test_a_page_does_not_outlive_its_due_back(driver: Driver) -> None:
    reader = driver.read()
    reader._holding = dataclasses.replace(reader._holding, due_back_us=now_us() - 1)
    reader._tick()
    assert reader.page.is_blank()


def test_a_recall_by_a_supervisor_is_said(driver: Driver) -> None:
    reader = driver.read()
    lines = tuple(dataclasses.replace(line, recalled_us=now_us(), due_back_us=now_us() + HOUR_US) for line in (holding(0), holding(1)))
    driver.bridge.answers["Desk.overview"] = lambda: dataclasses.replace(driver.bridge._desk_overview(), holding=lines)
    driver.bridge.told.emit(CustodyChanged(holding(1).case.case_id, reader.check_out_id, None))
    driver.until(reader.banner.isVisible)


def test_a_refused_page_says_why_and_the_next_can_be_read(driver: Driver) -> None:
    driver.bridge.answers["Reading.view_page"] = lambda check_out, document, page_no, dpi, rotation, request_no: (
        driver.bridge._reading_view_page(check_out, document, page_no, dpi, rotation, request_no) if page_no != 2 else _refuse()
    )
    reader = driver.read()
    driver.press(Key.Key_PageDown)
    driver.until(reader.page.is_blank)
    driver.press(Key.Key_PageDown)
    driver.until(lambda: _on_page(driver, 3))


def _refuse() -> None:
    raise RefusedError("document.page-refused")


def test_a_file_without_documents_says_so(driver: Driver) -> None:
    driver.bridge.answers["Reading.open_file"] = lambda _id: OpenFile(holding(0), (), None, ())
    driver.desk()
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Reading.open_file"))
    driver.press(Key.Key_PageDown)
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.reader is None)
    assert not driver.bridge.calls("Reading.view_page")


def test_leaving_tells_the_vault_that_no_page_is_looked_at(driver: Driver) -> None:
    driver.read()
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.bridge.calls("Reading.leave_page"))
    assert driver.shell._guard.level() is GuardLevel.WATCHING


def test_a_resolution_the_vault_cannot_give_is_asked_for_once(driver: Driver) -> None:
    reader = driver.read()
    driver.until(lambda: not reader.page._settle.isActive() and not reader._awaited)  # what the window's own size asks for
    reader.page._settle.setInterval(3_600_000)  # and not again while this is looked at
    reader._sharpen(300)
    driver.until(lambda: not reader._awaited)
    asked = len(_pages(driver))
    reader._sharpen(300)
    assert len(_pages(driver)) == asked


def test_the_vault_is_told_while_another_window_has_the_keyboard(driver: Driver) -> None:
    reader = driver.read()

    def told() -> list[bool]:
        return [covered for (covered,) in driver.bridge.calls("Reading.cover_page")]

    for state in (Qt.ApplicationState.ApplicationActive, Qt.ApplicationState.ApplicationInactive, Qt.ApplicationState.ApplicationHidden):
        reader._attended(state)
    assert told() == [True], "once, whatever it is called"
    reader.go_to(2)
    driver.until(lambda: _on_page(driver, 2))
    assert told() == [True, True], "the page that came is covered too"
    reader._attended(Qt.ApplicationState.ApplicationActive)
    assert told() == [True, True, False]


def test_an_accommodation_that_ends_takes_the_words_off_the_page_on_screen(driver: Driver) -> None:
    until_us = now_us() + HOUR_US
    driver.bridge.answers["Session.sign_in"] = dataclasses.replace(signed_in(), accommodated_until_us=until_us)
    driver.bridge.answers["Reading.page_text"] = lambda _check_out, document_id, page_no: PageText(
        document_id, page_no, "the gate was open"
    )
    reader = driver.read()
    driver.until(lambda: reader.page.speech.words == "the gate was open")
    strip = driver.shell._reader_strip.findChild(QLabel, "strip_accommodation")
    assert strip.text()
    assert 0 < driver.shell._page_text_end.remainingTime() <= 3_601_000  # Qt puts a long timer on a full second
    driver.shell._page_text_end.start(0)
    driver.until(lambda: not reader.page.speech.words)
    assert not reader.page.is_blank(), "the page itself stays"
    assert not strip.text()
    asked = len(driver.bridge.calls("Reading.page_text"))
    driver.press(Key.Key_PageDown)
    driver.until(lambda: _on_page(driver, 2))
    assert len(driver.bridge.calls("Reading.page_text")) == asked


def test_tab_goes_around_the_reader_and_comes_to_its_bars(driver: Driver) -> None:
    reader = driver.read()
    reader.attempted(SignalKind.COPY_KEY, {"keys": "Ctrl+C", "count": 1})
    driver.until(reader.notice.isVisible)
    stops = []
    while len(stops) < 40 and (not stops or stops[-1] != "reader_page_view"):
        driver.press(Key.Key_Tab)
        stops.append(QApplication.focusWidget().objectName() or type(QApplication.focusWidget()).__name__)
    assert {"reader_back", "reader_page", "reader_check_in", "Button", "reader_document_list"} <= set(stops)
    reader.setFocus()
    assert reader.page.hasFocus()
