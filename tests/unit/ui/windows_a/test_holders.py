"""Break-glass in the window: where it is offered, keys from first to last, refusals beside their field, and what is wiped."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from tests.ui_stage import STATION
from tests.unit.ui.windows_a.conftest import Driver, Key
from ui import strings
from ui.windows.cannot_open import CannotOpen
from ui.windows.holders import HoldersPage
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError

WORDS = "four words of my own"


def away(**facts: Any) -> VaultError:
    return UnavailableError("premises.unreachable", **facts)


def shut(driver: Driver, error: VaultError) -> CannotOpen:
    driver.bridge.answers["Session.station"] = error
    driver.until(lambda: isinstance(driver.window.face(), CannotOpen))
    face = driver.window.face()
    assert isinstance(face, CannotOpen)
    return face


def come_together(driver: Driver) -> HoldersPage:
    """Off the premises, and by keys to the holders' page."""
    shut(driver, away(recovery_threshold=2))
    driver.until(lambda: driver.focused("cannot_open_act") and driver.routing._later is None)
    driver.press(Key.Key_Backtab)
    assert driver.focused("cannot_open_holders")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.focused("holders_file"))
    page = driver.window.face()
    assert isinstance(page, HoldersPage)
    return page


def give(driver: Driver, path: str, passphrase: str = WORDS) -> None:
    driver.until(lambda: driver.focused("holders_file"))
    driver.type(path)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.focused("holders_passphrase"))
    driver.type(passphrase)
    driver.press(Key.Key_Return)


def said(page: Any) -> str:
    return " ".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())


OFFERS: list[tuple[VaultError, bool]] = [
    # what keeps the vault shut -> whether its holders are offered
    (away(recovery_threshold=2), True),
    (away(), False),  # nobody was enrolled
    (UnavailableError("header.wrong-workstation", recovery_threshold=2), True),  # a lost keyring
    (TamperError("premises.wrong-answer"), False),
    (UnavailableError("keyring.locked"), False),
]


def test_it_is_offered_only_where_the_vault_says_so(driver: Driver) -> None:
    page = shut(driver, away())
    for error, offered in OFFERS:
        page.show_error(error)
        assert page.holders.isVisible() is offered, error
    driver.until(lambda: driver.focused("cannot_open_act"))  # the quiet verb is the second


def test_the_holders_open_it_by_keys_alone(driver: Driver) -> None:
    page = come_together(driver)
    assert strings.text("holders.here", here=0, threshold=2) in said(page)
    assert strings.text("holders.recorded", most=24) in said(page)
    give(driver, "/media/stick/4001.key")
    driver.until(lambda: strings.text("holders.here", here=1, threshold=2) in said(page))
    assert "badge 4001" in said(page)
    assert (page.path.value(), len(page.passphrase.typed)) == ("", 0)
    give(driver, "/media/stick/4002.key")
    driver.until(lambda: driver.focused("holders_hours"))
    assert page.hours.value() == "8"
    driver.press(Key.Key_End)
    driver.press(Key.Key_Backspace)
    driver.type("25")
    driver.press(Key.Key_Return)
    assert strings.text("holders.hours_wrong", most=24) in said(page)
    driver.press(Key.Key_Backspace)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.focused("holders_onward"))
    assert driver.bridge.calls("Recovery.give") == [("/media/stick/4001.key", WORDS), ("/media/stick/4002.key", WORDS)]
    assert driver.bridge.calls("Recovery.open") == [(2,)]
    assert "B-2026-0043" in said(page)
    driver.press(Key.Key_Escape)  # it is open: there is no way back any more
    assert driver.window.face() is page
    driver.bridge.answers["Session.station"] = STATION
    started = driver.bridge.started
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.window.face() is driver.routing.sign_in and driver.routing._is_ready)
    assert driver.bridge.started == started + 1, "a fresh vault process opens what they opened"
    assert driver.routing._holders is None


REFUSALS = [
    # what the vault says -> the field it is said beside, and where the keyboard goes
    ("recovery.not-recognised", "holders_passphrase"),
    ("recovery.not-a-holder", "holders_file"),
    ("recovery.given-already", "holders_file"),
    ("recovery.not-a-holder-file", "holders_file"),
    ("recovery.file", "holders_file"),
]


def test_a_refusal_stands_beside_its_field_and_the_passphrase_is_gone(driver: Driver) -> None:
    page = come_together(driver)
    for code, field in REFUSALS:
        driver.bridge.answers["Recovery.give"] = RefusedError(code, holder="0000")
        page.path.set_value("")
        page.put_focus(page.path)
        give(driver, "/media/stick/4001.key", "three words")
        driver.until(lambda code=code: strings.text(f"errors.{code}.sentence") in said(page))
        driver.until(lambda field=field: driver.focused(field))
        assert not page.passphrase.typed
        assert page.path.value() == "/media/stick/4001.key"
    del driver.bridge.answers["Recovery.give"]
    driver.press(Key.Key_Return)
    driver.type(WORDS)
    driver.press(Key.Key_Return)
    driver.until(lambda: strings.text("holders.here", here=1, threshold=2) in said(page))
    assert not any(strings.text(f"errors.{code}.sentence") in said(page) for code, _ in REFUSALS)


def test_what_is_missing_is_asked_for_and_nothing_is_sent(driver: Driver) -> None:
    page = come_together(driver)
    driver.type("stick/4001.key")  # not a whole path
    driver.press(Key.Key_Return)
    driver.press(Key.Key_Return)
    assert strings.text("holders.file_missing") in said(page)
    assert strings.text("sign_in.passphrase_missing") in said(page)
    assert driver.focused("holders_file")
    assert not driver.bridge.calls("Recovery.give")


def test_holders_who_took_too_long_begin_again(driver: Driver) -> None:
    page = come_together(driver)
    give(driver, "/media/stick/4001.key")
    driver.until(lambda: strings.text("holders.here", here=1, threshold=2) in said(page))
    driver.bridge.answers["Recovery.give"] = RefusedError("recovery.given-expired")
    give(driver, "/media/stick/4002.key")
    driver.until(lambda: strings.text("errors.recovery.given-expired.title") in said(page))
    assert strings.text("holders.here", here=0, threshold=2) in said(page)
    assert "badge 4001" not in said(page)


def test_leaving_wipes_what_was_typed_and_asks_nothing_of_the_vault(driver: Driver) -> None:
    page = come_together(driver)
    driver.type("/media/stick/4001.key")
    driver.press(Key.Key_Return)
    driver.type(WORDS)
    typed, started = page.passphrase.typed, driver.bridge.started
    driver.press(Key.Key_Escape)
    assert isinstance(driver.window.face(), CannotOpen)
    assert not typed
    assert not any(typed._cells), "overwritten, not only forgotten"
    assert driver.routing._holders is None
    assert driver.bridge.started == started
    assert not driver.bridge.calls("Recovery.give")


@pytest.mark.parametrize("by", ["escape", "nobody"])
def test_once_a_holder_has_come_leaving_ends_the_vault_process(driver: Driver, by: str) -> None:
    page = come_together(driver)
    give(driver, "/media/stick/4001.key")
    driver.until(lambda: strings.text("holders.here", here=1, threshold=2) in said(page))
    driver.type("/media/stick/40")
    started = driver.bridge.started
    if by == "escape":
        driver.press(Key.Key_Escape)
    else:
        page._idle.setInterval(0)  # nobody touches it for ten minutes
    driver.until(lambda: isinstance(driver.window.face(), CannotOpen))
    assert driver.bridge.started == started + 1
    driver.until(lambda: driver.focused("cannot_open_act"))


def test_nobody_leaves_while_the_vault_is_being_opened_and_a_refusal_lets_them_try_again(driver: Driver) -> None:
    page = come_together(driver)
    driver.bridge.held_back.add("Recovery.open")
    for number in (4001, 4002):
        give(driver, f"/media/stick/{number}.key")
    driver.until(lambda: driver.focused("holders_hours"))
    driver.bridge.answers["Recovery.open"] = UnavailableError("keyring.locked")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.waiting)
    for key in (Key.Key_Return, Key.Key_Escape):  # an impatient one
        driver.press(key)
    assert driver.window.face() is page
    assert len(driver.bridge.calls("Recovery.open")) == 1
    driver.bridge.release("Recovery.open")
    driver.until(lambda: driver.focused("holders_hours"))
    assert strings.text("errors.keyring.locked.title") in said(page)
    driver.press(Key.Key_Escape)
    assert isinstance(driver.window.face(), CannotOpen)


def test_a_vault_process_that_ends_takes_the_page_with_it(driver: Driver) -> None:
    page = come_together(driver)
    driver.type("/media/stick/4001.key")
    driver.press(Key.Key_Return)
    driver.type(WORDS)
    typed = page.passphrase.typed
    driver.bridge.ended.emit("crashed")
    assert driver.window.face() is not page
    assert not any(typed._cells)
    assert driver.routing._holders is None


def test_a_slot_that_cannot_be_used_says_so_and_leads_back(driver: Driver) -> None:
    driver.bridge.answers["Recovery.slot"] = TamperError("slot.malformed")
    shut(driver, away(recovery_threshold=2)).holders.click()
    driver.until(lambda: driver.focused("holders_cancel"))
    assert strings.text("errors.slot.malformed.title") in said(driver.window.face())
    driver.press(Key.Key_Return)
    assert isinstance(driver.window.face(), CannotOpen)
