"""One's own passphrase and one's own phone: found in the palette in every role, changed by keys alone."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests.ui_stage import ADMINISTRATOR, OFFICER, enrolments
from vault.errors import RefusedError
from vault.services.views import PersonBrief

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


def open_from_palette(driver: Any, words: str, sheet: str) -> None:
    driver.press(Key.Key_K, CTRL)
    driver.until(lambda: driver.sheet() is not None)
    driver.type(words)
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet_open(sheet))


def change(driver: Any, again: str = "seven grey bicycles") -> None:
    for words in ("four words of my own", "123456", "seven grey bicycles"):
        driver.type(words)
        driver.press(Key.Key_Return)
    driver.type(again)
    driver.press(Key.Key_Return)


@pytest.mark.parametrize("person", [OFFICER, ADMINISTRATOR], ids=["officer", "administrator"])
def test_a_passphrase_is_changed_by_keys_alone(driver: Any, person: PersonBrief) -> None:
    driver.bridge.answers |= {
        "Credentials.change_passphrase": lambda *_: None,
        "Administration.people": (),
        "Administration.units": (),
    }
    driver.sign_in(person)
    open_from_palette(driver, "my passphrase", "change_passphrase_sheet")
    assert driver.focused("change_passphrase_old")
    change(driver)
    driver.until(lambda: driver.bridge.calls("Credentials.change_passphrase"))
    assert driver.bridge.calls("Credentials.change_passphrase") == [("four words of my own", "123456", "seven grey bicycles")]
    driver.until(driver.shell.frame.notice.isVisible)


def test_a_passphrase_that_differs_or_is_refused_is_not_kept(driver: Any) -> None:
    driver.bridge.answers["Credentials.change_passphrase"] = RefusedError("session.not-recognised")
    driver.sign_in()
    open_from_palette(driver, "my passphrase", "change_passphrase_sheet")
    change(driver, again="seven grey")
    assert driver.bridge.calls("Credentials.change_passphrase") == []
    assert driver.focused("change_passphrase_again")
    held = [driver.named(f"change_passphrase_{name}").typed._cells for name in ("old", "new", "again")]
    assert all(map(any, held))
    driver.type(" bicycles")
    driver.press(Key.Key_Return)
    driver.until(driver.sheet().error.isVisible)
    assert not any(map(any, held))
    assert driver.focused("change_passphrase_old")


def test_ones_own_phone_is_changed_by_keys_alone(driver: Any) -> None:
    driver.bridge.answers |= {
        "Credentials.renew_own_factor": lambda *_: enrolments()[0],
        "Credentials.confirm_factor": lambda *_: None,
    }
    driver.sign_in()
    open_from_palette(driver, "another phone", "own_factor_sheet")
    driver.type("four words of my own")
    driver.press(Key.Key_Return)
    driver.type("123456")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.sheet_open("factor_proof_sheet"))
    assert driver.bridge.calls("Credentials.renew_own_factor") == [("four words of my own", "123456")]
    driver.type("654321")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Credentials.confirm_factor") == [("654321",)])
    driver.until(driver.shell.frame.notice.isVisible)
