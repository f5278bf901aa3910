"""200 % on 1280×720 is 640×360: everything of My desk is still there, and the keyboard is always in view."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget

from tests.unit.ui.windows_a.conftest import CTRL, Driver, Key


def place(widget: QWidget, within: QWidget) -> QRect:
    return QRect(widget.mapTo(within, QPoint(0, 0)), widget.size())


def small_desk(driver: Driver) -> Any:
    driver.bridge.case_count = 60
    page = driver.desk()
    driver.window.resize(640, 360)
    driver.until(lambda: driver.window.height() <= 360)
    return page


def test_down_from_the_last_strip_brings_the_cases_into_view(driver: Driver) -> None:
    page = small_desk(driver)
    assert not page.rect().contains(place(page.cases, page)), "there is no room for both"
    driver.press(Key.Key_Down)
    driver.press(Key.Key_Down)
    driver.until(page.cases.hasFocus)
    driver.until(lambda: page.rect().contains(place(page.cases, page)))
    for _ in range(20):
        driver.press(Key.Key_Down)
    assert page.cases.current() == 20
    assert page.rect().contains(place(page.cases, page)), "and the current row with them"


def test_ctrl_i_shows_the_details_of_a_case_and_esc_goes_back(driver: Driver) -> None:
    page = small_desk(driver)
    page.cases.setFocus()
    frame = driver.shell.frame
    driver.press(Key.Key_I, CTRL)
    assert frame.inspector.isVisible()
    assert not page.isVisible()
    driver.until(lambda: frame.inspector.width() > 500)  # it takes the content's place
    driver.until(lambda: any(name == "Desk.case" for name, *_ in driver.bridge.asked))
    driver.press(Key.Key_Escape)
    assert page.isVisible()
    assert page.cases.hasFocus()


def test_there_are_no_empty_details(driver: Driver) -> None:
    driver.desk()
    driver.shell.go("my_reports")
    driver.press(Key.Key_I, CTRL)
    assert not driver.shell.frame.inspector.isVisible()
    assert all(one.name != "details" for _group, actions in driver.shell.offers() for one in actions)
    driver.shell.go("find")
    assert any(one.keys == "Ctrl+I" for _group, actions in driver.shell.offers() for one in actions)
