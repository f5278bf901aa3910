"""A window of this group on stage: shown, active, answered by canned views, all keys real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui_stage import signed_in
from tests.ui_stage_b import ConsoleBridge
from ui.widgets.frame import Frame
from vault.services.views import PersonBrief


class OnStage:
    """A page in a frame, with the bridge behind it and hands on the keyboard."""

    def __init__(self, qtbot: QtBot, page: Any, bridge: ConsoleBridge) -> None:
        self.qtbot, self.page, self.bridge = qtbot, page, bridge
        self.frame = Frame("Harbour Street Station")
        qtbot.addWidget(self.frame)
        self.frame.content.addWidget(page)
        page.frame = self.frame
        self.frame.resize(1280, 720)
        self.frame.show()
        self.frame.activateWindow()
        qtbot.waitUntil(self.frame.isActiveWindow)
        page.shown()

    def find(self, name: str) -> Any:
        """Give the visible widget of this objectName."""
        found = [one for one in self.frame.findChildren(QWidget, name) if one.isVisible()]
        assert len(found) == 1, f"{name}: {len(found)} on screen"
        return found[0]

    def there(self, name: str) -> bool:
        return any(one.isVisible() for one in self.frame.findChildren(QWidget, name))

    def until(self, condition: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()))

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        return self.bridge.calls(name)

    def press(self, key: Qt.Key, *, control: bool = False, shift: bool = False, times: int = 1) -> None:
        """Press a key where the keyboard is."""
        modifiers = Qt.KeyboardModifier.NoModifier
        modifiers |= Qt.KeyboardModifier.ControlModifier if control else modifiers
        modifiers |= Qt.KeyboardModifier.ShiftModifier if shift else modifiers
        for _ in range(times):
            self.qtbot.keyClick(QApplication.focusWidget() or self.frame, key, modifiers)

    def type(self, words: str) -> None:
        self.qtbot.keyClicks(QApplication.focusWidget(), words)

    def fill(self, name: str, words: str) -> None:
        self.find(name).setFocus()
        self.type(words)


@pytest.fixture
def on_stage(qtbot: QtBot, desk: QApplication) -> Callable[..., OnStage]:
    """Put a window of a class on stage, for a person, with that many rows and those answers."""

    def make(window: Any, person: PersonBrief, count: int = 7, **answers: Any) -> OnStage:
        bridge = ConsoleBridge(count)
        bridge.answers |= {name.replace("__", "."): answer for name, answer in answers.items()}
        return OnStage(qtbot, window(bridge, signed_in(person)), bridge)

    return make
