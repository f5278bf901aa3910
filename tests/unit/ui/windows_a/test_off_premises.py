"""The key servers do not answer: the bar over a session, the lock that says why, the screen off the premises."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from tests.ui_stage import OFFICER, STATION
from tests.unit.ui.windows_a.conftest import Driver, Key
from ui import strings
from ui.windows.cannot_open import CannotOpen
from ui.windows.lock import LockPage
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.services.events import PremisesChanged, ScreenBlanked

RECORDED = strings.text("cannot_open.recorded_away")
LOCKED_STATION = dataclasses.replace(STATION, locked_person=OFFICER)


def said(widget: QWidget) -> str:
    return " ".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def away(code: str = "premises.unreachable", **facts: Any) -> VaultError:
    return UnavailableError(code, **facts)


def bar(driver: Driver) -> QWidget | None:
    return next((one for one in driver.shell.findChildren(QWidget, "premises_bar") if one.isVisible()), None)


def test_a_short_loss_is_a_bar_that_counts_down_and_goes(driver: Driver) -> None:
    driver.read()
    driver.bridge.told.emit(ScreenBlanked(True))
    driver.bridge.told.emit(PremisesChanged(True, 20))
    driver.until(lambda: bar(driver) is not None)
    shown = bar(driver)
    assert shown is not None
    assert strings.text("premises_bar.title") in said(shown)
    first = said(shown)
    driver.until(lambda: said(shown) != first)
    assert driver.reader.page.is_covered()
    driver.bridge.told.emit(ScreenBlanked(False))
    driver.bridge.told.emit(PremisesChanged(False, 0))
    assert bar(driver) is None
    assert not driver.reader.page.is_covered()


def test_a_page_that_was_refused_meanwhile_comes_back_by_itself(driver: Driver) -> None:
    driver.read()
    driver.bridge.told.emit(PremisesChanged(True, 20))
    driver.bridge.answers["Reading.view_page"] = RefusedError("premises.lost")
    driver.press(Key.Key_PageDown)
    driver.until(driver.reader.page.is_blank)
    del driver.bridge.answers["Reading.view_page"]
    driver.bridge.told.emit(PremisesChanged(False, 0))
    driver.until(lambda: not driver.reader.page.is_blank())


def test_a_session_opened_while_they_are_away_says_so(driver: Driver) -> None:
    driver.ready()
    driver.bridge.told.emit(PremisesChanged(True, 20))
    driver.desk()
    assert bar(driver) is not None
    assert strings.text("premises_bar.reading").partition("{")[0] not in said(driver.shell)


def test_the_end_of_the_lease_locks_says_why_and_goes_to_the_screen_off_the_premises(driver: Driver) -> None:
    driver.read()
    driver.bridge.told.emit(PremisesChanged(True, 1))
    driver.bridge.answers["Session.station"] = away(recorded=1, contact="Watch desk, extension 112")
    driver.bridge.ended.emit("premises-lost")
    lock = driver.window.face()
    assert isinstance(lock, LockPage)
    assert driver.routing.shell is None
    assert strings.text("lock.premises_lost") in said(lock)
    driver.bridge.ready.emit()
    driver.until(lambda: isinstance(driver.window.face(), CannotOpen))
    page = driver.window.face()
    assert page is not None
    words = said(page)
    for one in ("Not on station premises", RECORDED, strings.text("cannot_open.session_locked"), "Watch desk, extension 112"):
        assert one in words
    assert driver.focused("cannot_open_act")
    # Still away: it stays, and says that it was tried.
    driver.press(Key.Key_Return)
    assert not page.act.isEnabled()  # type: ignore[attr-defined]
    driver.bridge.ended.emit("restarted")
    assert driver.window.face() is page
    driver.until(page.act.isEnabled)  # type: ignore[attr-defined]
    assert strings.text("cannot_open.asked_again").partition("{")[0] in said(page)
    driver.until(lambda: driver.focused("cannot_open_act"))
    # Back at the station: one key, and the passphrase.
    driver.bridge.answers["Session.station"] = LOCKED_STATION
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.focused("lock_passphrase"))
    assert strings.text("lock.premises_lost") in said(driver.window.face())  # type: ignore[arg-type]
    driver.type("right")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.shell is not None)
    driver.routing.lock("key")
    assert strings.text("lock.premises_lost") not in said(driver.window.face())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "recorded", "tries"),
    [
        (away(recorded=1), True, True),
        (away(), False, True),  # no report could be sealed: it is not said that there is one
        (TamperError("premises.wrong-answer", recorded=1), True, True),
        (TamperError("header.altered"), False, False),
        (TamperError("header.altered", recorded=1), False, False),
        (UnavailableError("keyring.missing"), False, True),
    ],
    ids=["away", "not sealed", "pretender", "altered, not sealed", "altered", "keyring"],
)
def test_what_is_said_was_done(driver: Driver, error: VaultError, recorded: bool, tries: bool) -> None:
    driver.bridge.answers["Session.station"] = error
    driver.until(lambda: isinstance(driver.window.face(), CannotOpen))
    page = driver.window.face()
    assert page is not None
    assert (RECORDED in said(page)) is recorded
    assert (strings.text("cannot_open.recorded") in said(page)) is ("recorded" in error.facts and not recorded)
    assert page.act.isVisible() is tries  # type: ignore[attr-defined]


def test_what_was_typed_is_not_kept_for_a_vault_that_does_not_open(driver: Driver) -> None:
    driver.bridge.held_back.add("Session.station")
    driver.until(lambda: driver.bridge.waiting)
    for words in ("4471", "four words of my own", "123456"):
        driver.type(words)
        driver.press(Key.Key_Return)
    driver.bridge.answers["Session.station"] = away()
    driver.bridge.release("Session.station")
    driver.until(lambda: isinstance(driver.window.face(), CannotOpen))
    assert not driver.routing.sign_in.passphrase.typed
    driver.bridge.held_back.clear()
    driver.bridge.answers["Session.station"] = STATION
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.window.face() is driver.routing.sign_in)
    assert not driver.bridge.calls("Session.sign_in")
