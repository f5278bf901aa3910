"""The real window, routing and widgets over the staged bridge; keys go where the focus is, as a person's do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui_stage import OFFICER, StagedBridge
from ui.app import MainWindow, Routing
from ui.widgets.overlay import Overlay
from vault.services.views import PersonBrief

Key = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@dataclass
class Driver:
    """Presses keys and waits for what follows."""

    bot: QtBot
    bridge: StagedBridge
    window: MainWindow
    routing: Routing

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)

    def type(self, words: str) -> None:
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClicks(focused, words)

    def until(self, condition: Callable[[], Any]) -> None:
        def holds() -> None:
            assert condition()

        self.bot.waitUntil(holds)

    def named(self, name: str) -> QWidget:
        found = self.window.findChildren(QWidget, name)
        assert found, name
        return next((one for one in found if one.isVisible()), found[0])

    def focused(self, name: str) -> bool:
        widget = QApplication.focusWidget()
        return widget is not None and widget.objectName() == name

    def sheet(self) -> Overlay | None:
        return next((one for one in self.window.findChildren(Overlay) if one.isVisible()), None)

    def sheet_open(self, name: str) -> bool:
        sheet = self.sheet()
        return sheet is not None and sheet.objectName() == name

    @property
    def shell(self) -> Any:
        return self.routing.shell

    @property
    def page(self) -> Any:
        return self.shell.frame.content.currentWidget()

    @property
    def reader(self) -> Any:
        return self.shell.reader if self.shell is not None else None

    def ready(self) -> None:
        self.until(lambda: self.bridge.calls("Session.station") and self.routing._is_ready)

    def sign_in(self, person: PersonBrief = OFFICER) -> None:
        self.ready()
        self.type(person.badge_no)
        self.press(Key.Key_Return)
        self.type("four words of my own")
        self.press(Key.Key_Return)
        self.type("123456")
        self.press(Key.Key_Return)
        self.until(lambda: self.shell is not None and self.window.face() is self.shell and self.page is not None)

    def desk(self) -> Any:
        """Sign in, and wait until the desk shows what it asked for."""
        self.sign_in()
        self.until(lambda: self.page.view is not None and (self.page.cases.current_line() is not None or not self.bridge.case_count))
        return self.page

    def read(self) -> Any:
        """Sign in and continue the first holding; wait until a page is on screen."""
        self.desk()
        self.press(Key.Key_Return)
        self.until(lambda: self.reader is not None and not self.reader.page.is_blank())
        return self.reader


@pytest.fixture
def driver(desk: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    bridge = StagedBridge()
    window = MainWindow()
    window.resize(1280, 720)
    routing = Routing(window, lambda: bridge)  # type: ignore[arg-type,return-value]
    quits = desk.quitOnLastWindowClosed()
    desk.setQuitOnLastWindowClosed(False)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    yield Driver(qtbot, bridge, window, routing)
    qtbot.waitUntil(lambda: routing._later is None)
    if routing.shell is not None:
        routing.shell.end()
    window.may_close = True
    window.close()
    window.deleteLater()
    desk.setQuitOnLastWindowClosed(quits)


class _Windows(QObject):
    """Notes every widget that is shown as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow() and not isinstance(watched, MainWindow):
            self.shown.append(f"{type(watched).__name__} {watched.objectName()}")
        return False


@pytest.fixture(autouse=True)
def no_stray_windows(desk: QApplication) -> Iterator[None]:
    """A widget shown before it has a parent flashes up as a window and takes the keyboard: none may."""
    windows = _Windows()
    desk.installEventFilter(windows)
    yield
    desk.removeEventFilter(windows)
    assert windows.shown == []
