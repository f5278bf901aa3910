"""What the interface does before a file is opened: it names what to prepare, and shows nothing before the vault has recorded the view."""

from __future__ import annotations

import pytest

from tests.unit.ui.windows_a.conftest import Driver, Key
from vault.errors import RefusedError, VaultError


def _prepared(driver: Driver) -> list[str]:
    return [check_out_id for check_out_id, _document, _dpi in driver.bridge.calls("Reading.prepare_page")]


def _expected_by_the_spare_reader(driver: Driver) -> None:
    """Wait until the reader that will be opened knows that its page is ready."""
    driver.until(lambda: driver.shell._spare_reader is not None and driver.shell._spare_reader[1]._prepared is not None)


def test_the_file_pointed_at_is_prepared_once_and_not_viewed(driver: Driver) -> None:
    strips = driver.desk().holding
    first = strips.current().check_out_id
    driver.until(lambda: _prepared(driver) == [first])
    driver.press(Key.Key_Down)
    second = strips.current().check_out_id
    assert second != first
    driver.until(lambda: _prepared(driver) == [first, second])
    driver.page.refresh()
    driver.until(lambda: len(driver.bridge.calls("Desk.overview")) > 1)
    assert _prepared(driver) == [first, second], "a fresh answer about the same strip asks for nothing"
    assert not driver.bridge.calls("Reading.view_page")


def test_a_page_that_is_ready_is_asked_for_in_the_turn_of_the_key_and_shown_once_the_documents_are_known(driver: Driver) -> None:
    driver.desk()
    _expected_by_the_spare_reader(driver)
    driver.bridge.held_back |= {"Reading.open_file", "Reading.view_page"}
    driver.press(Key.Key_Return)
    assert len(driver.bridge.calls("Reading.view_page")) == 1
    driver.bridge.release("Reading.view_page")
    assert driver.reader.page.is_blank(), "recorded, but of which file is not known yet"
    driver.bridge.release("Reading.open_file")
    assert not driver.reader.page.is_blank()
    assert driver.reader._shown == (driver.reader._index, driver.reader._target)
    assert len(driver.bridge.calls("Reading.view_page")) == 1, "one view, one entry"
    driver.until(lambda: not driver.reader.page._settle.isActive())  # where a page at another resolution would be asked for
    assert len(driver.bridge.calls("Reading.view_page")) == 1


def test_the_guess_of_the_resolution_is_the_one_the_reader_comes_to_by_itself(driver: Driver) -> None:
    driver.desk()
    _expected_by_the_spare_reader(driver)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.reader is not None and not driver.reader.page.is_blank())
    reader = driver.reader
    assert reader._asked[2] == reader._first_dpi(reader.page.maximumViewportSize().width())


@pytest.mark.parametrize("refused", [RefusedError("custody.not-held"), RefusedError("document.unknown")])
def test_what_cannot_be_prepared_is_opened_as_before_and_told_then(driver: Driver, refused: VaultError) -> None:
    driver.bridge.answers["Reading.prepare_page"] = refused
    driver.desk()
    driver.until(lambda: _prepared(driver))
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.reader is not None and not driver.reader.page.is_blank())
    assert len(driver.bridge.calls("Reading.view_page")) == 1


def test_a_file_that_cannot_be_opened_leaves_the_page_it_asked_for(driver: Driver) -> None:
    driver.desk()
    _expected_by_the_spare_reader(driver)
    driver.bridge.answers["Reading.open_file"] = RefusedError("custody.expired")
    driver.bridge.held_back.add("Reading.view_page")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Reading.leave_page"))
    driver.bridge.release("Reading.view_page")
    assert driver.reader.page.is_blank()


def test_in_a_window_of_another_width_the_prepared_page_is_not_asked_for_at_once(driver: Driver) -> None:
    driver.desk()
    _expected_by_the_spare_reader(driver)
    driver.bridge.held_back.add("Reading.open_file")
    driver.window.resize(900, 720)
    driver.until(lambda: driver.shell.width() == 900)
    driver.press(Key.Key_Return)
    assert not driver.bridge.calls("Reading.view_page")
    driver.bridge.release("Reading.open_file")
    driver.until(lambda: not driver.reader.page.is_blank())
