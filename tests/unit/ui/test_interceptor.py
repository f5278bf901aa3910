"""One line per way of asking for a copy, and what becomes of it; letters and everything else go through.

Key events come from QtTest through the window, as the platform sends them; the Print key comes from a real X server as well, because it is
the one that desktops treat differently.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QClipboard, QContextMenuEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.screen import Screen
from ui.guard.interceptor import CopyAttemptInterceptor, GuardLevel
from ui.widgets.protected_page import ProtectedPage
from vault.domain.breach import SignalKind

CTRL, SHIFT, ALT, META, NONE = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.MetaModifier,
    Qt.KeyboardModifier.NoModifier,
)
K, S = Qt.Key, SignalKind

ATTEMPTS = [
    (K.Key_C, CTRL, S.COPY_KEY),
    (K.Key_C, CTRL | SHIFT, S.COPY_KEY),
    (K.Key_C, META, S.COPY_KEY),
    (K.Key_Insert, CTRL, S.COPY_KEY),
    (K.Key_Copy, NONE, S.COPY_KEY),
    (K.Key_X, CTRL, S.CUT_KEY),
    (K.Key_Delete, SHIFT, S.CUT_KEY),
    (K.Key_Cut, NONE, S.CUT_KEY),
    (K.Key_A, CTRL, S.SELECT_ALL_KEY),
    (K.Key_P, CTRL, S.PRINT_KEY),
    (K.Key_P, CTRL | SHIFT, S.PRINT_KEY),
    (K.Key_S, CTRL, S.SAVE_KEY),
    (K.Key_S, CTRL | SHIFT, S.SAVE_KEY),
    (K.Key_Print, NONE, S.PRINT_SCREEN_KEY),
    (K.Key_Print, SHIFT, S.PRINT_SCREEN_KEY),
    (K.Key_Print, ALT, S.PRINT_SCREEN_KEY),
    (K.Key_Print, CTRL, S.PRINT_SCREEN_KEY),
    (K.Key_SysReq, ALT, S.PRINT_SCREEN_KEY),
    (K.Key_Menu, NONE, S.CONTEXT_MENU),
    (K.Key_F10, SHIFT, S.CONTEXT_MENU),
]
HARMLESS = [
    (K.Key_C, NONE),
    (K.Key_A, SHIFT),
    (K.Key_F, CTRL),
    (K.Key_Delete, NONE),
    (K.Key_Insert, NONE),
    (K.Key_Down, NONE),
    (K.Key_C, CTRL | ALT),  # AltGr+C types a letter on some keyboards
]


class Reader(QWidget):
    """A find field above a page."""

    def __init__(self) -> None:
        super().__init__()
        self.find = QLineEdit()
        self.page = ProtectedPage()
        column = QVBoxLayout(self)
        column.addWidget(self.find)
        column.addWidget(self.page)
        self.resize(600, 500)


@pytest.fixture
def reader(desk: QApplication, qtbot: QtBot) -> Reader:
    made = Reader()
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.page.setFocus()
    return made


@pytest.fixture
def guard(desk: QApplication) -> Iterator[CopyAttemptInterceptor]:
    made = CopyAttemptInterceptor(desk)
    yield made
    desk.removeEventFilter(made)
    made.deleteLater()


@pytest.fixture
def said(guard: CopyAttemptInterceptor) -> list[tuple[SignalKind, dict[str, str | int]]]:
    found: list[tuple[SignalKind, dict[str, str | int]]] = []
    guard.attempted.connect(lambda kind, facts: found.append((kind, facts)))
    return found


def _press(reader: Reader, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    """Press through the window, as the platform does: the focus widget is found by Qt."""
    QTest.keyClick(reader.windowHandle(), key, modifiers)


@pytest.mark.parametrize(("key", "modifiers", "kind"), ATTEMPTS)
def test_reading_swallows_and_says_once(reader: Reader, guard, said, key, modifiers, kind) -> None:
    guard.set_level(GuardLevel.READING)
    _press(reader, key, modifiers)
    assert [found[0] for found in said] == [kind]
    assert said[0][1]["count"] == 1


@pytest.mark.parametrize(("key", "modifiers"), HARMLESS)
def test_reading_lets_the_rest_through(reader: Reader, guard, said, key, modifiers) -> None:
    guard.set_level(GuardLevel.READING)
    _press(reader, key, modifiers)
    assert said == []


@pytest.mark.parametrize(("key", "modifiers", "kind"), ATTEMPTS)
def test_watching_says_print_screen_and_touches_nothing_else(reader: Reader, guard, said, key, modifiers, kind) -> None:
    guard.set_level(GuardLevel.WATCHING)
    _press(reader, key, modifiers)
    assert [found[0] for found in said] == ([kind] if kind is S.PRINT_SCREEN_KEY else [])


@pytest.mark.parametrize(("key", "modifiers", "kind"), ATTEMPTS)
def test_off_is_off(reader: Reader, guard, said, key, modifiers, kind) -> None:
    _press(reader, key, modifiers)
    assert said == []


def test_typing_goes_on_in_a_field_and_copying_out_of_it_does_not(reader: Reader, clipboard: QClipboard, guard, said) -> None:
    guard.set_level(GuardLevel.READING)
    reader.find.setFocus()
    for letter in (K.Key_C, K.Key_A, K.Key_P):
        _press(reader, letter, NONE)
    assert reader.find.text() == "cap"
    reader.find.setSelection(0, 3)
    _press(reader, K.Key_C, CTRL)
    _press(reader, K.Key_X, CTRL)
    assert [found[0] for found in said] == [S.COPY_KEY, S.CUT_KEY]
    assert reader.find.text() == "cap"
    assert clipboard.text() == ""


def test_the_guard_comes_before_a_shortcut(reader: Reader, guard, said) -> None:
    fired: list[str] = []
    shortcut = QShortcut(QKeySequence("Ctrl+P"), reader)
    shortcut.activated.connect(lambda: fired.append("print"))
    _press(reader, K.Key_P, CTRL)
    assert fired == ["print"], "the shortcut works while the guard is off: the test can fail"
    guard.set_level(GuardLevel.READING)
    _press(reader, K.Key_P, CTRL)
    assert fired == ["print"]
    assert [found[0] for found in said] == [S.PRINT_KEY]


def test_every_press_counts(reader: Reader, guard, said) -> None:
    guard.set_level(GuardLevel.READING)
    for _ in range(3):
        _press(reader, K.Key_C, CTRL)
    assert [found[1]["count"] for found in said] == [1, 2, 3]
    assert {found[1]["keys"] for found in said} == {"Ctrl+C"}


def test_a_lost_release_hides_nothing(reader: Reader, guard, said) -> None:
    """The window lost the focus between press and release: the next press is still a press."""
    guard.set_level(GuardLevel.READING)
    QTest.keyPress(reader.windowHandle(), K.Key_C, CTRL)
    QTest.keyPress(reader.windowHandle(), K.Key_C, CTRL)
    assert len(said) == 2


def test_a_release_of_print_alone_is_said(reader: Reader, guard, said) -> None:
    guard.set_level(GuardLevel.WATCHING)
    QTest.keyRelease(reader.windowHandle(), K.Key_Print)
    assert [found[0] for found in said] == [S.PRINT_SCREEN_KEY]


@pytest.mark.parametrize("where", ["page", "find"])
def test_the_context_menu_does_not_open(reader: Reader, guard, said, where: str) -> None:
    guard.set_level(GuardLevel.READING)
    target = reader.page.viewport() if where == "page" else reader.find
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), target.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(target, event)
    assert [found[0] for found in said] == [S.CONTEXT_MENU]
    assert QApplication.activePopupWidget() is None


def test_a_drag_on_the_page_is_one_gesture(reader: Reader, guard, said) -> None:
    guard.set_level(GuardLevel.READING)
    viewport = reader.page.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    for step in range(10):
        QTest.mouseMove(viewport, QPoint(50 + step * 12, 60))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(170, 60))
    assert [found[0] for found in said] == [S.DRAG]


def test_a_click_is_not_a_drag(reader: Reader, guard, said) -> None:
    guard.set_level(GuardLevel.READING)
    viewport = reader.page.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    QTest.mouseMove(viewport, QPoint(52, 51))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(52, 51))
    assert said == []


_PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from ui import theme
from ui.guard.interceptor import CopyAttemptInterceptor, GuardLevel
from ui.widgets.protected_page import ProtectedPage
app = QApplication(["guard", "-platform", "xcb"])
theme.apply_theme(app)
page = ProtectedPage()
guard = CopyAttemptInterceptor(app)
guard.set_level(GuardLevel.READING)
guard.attempted.connect(lambda kind, facts: print(kind.value, facts.get("keys", ""), flush=True))
page.resize(400, 300)
page.show()
page.activateWindow()
page.setFocus()
QTimer.singleShot(0, lambda: print("ready", int(page.winId()), flush=True))
QTimer.singleShot(60_000, app.quit)
app.exec()
"""


@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")
def test_real_keys_from_a_real_server(screen: Screen) -> None:
    environment = {**os.environ, **screen.environment}
    environment.pop("QT_QPA_PLATFORM", None)
    program = subprocess.Popen([sys.executable, "-c", _PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        word, window = program.stdout.readline().split()
        assert word == "ready"
        heard = []
        subprocess.run(["xdotool", "windowfocus", "--sync", window], env=environment, check=True, timeout=20)
        for keys in ("Print", "shift+Print", "alt+Print", "ctrl+c", "Menu"):
            subprocess.run(["xdotool", "key", keys], env=environment, check=True, timeout=20)
            heard.append(program.stdout.readline().split()[0])
        subprocess.run(["xdotool", "mousemove", "--window", window, "100", "100", "click", "3"], env=environment, check=True, timeout=20)
        heard.append(program.stdout.readline().split()[0])
        subprocess.run(
            ["xdotool", "mousemove", "--window", window, "100", "100", "mousedown", "1", "mousemove_relative", "60", "60",
             "mousemove_relative", "60", "60", "mouseup", "1"], env=environment, check=True, timeout=20,
        )  # fmt: skip
        heard.append(program.stdout.readline().split()[0])
    finally:
        program.kill()
        program.communicate()
    assert heard == ["print-screen-key"] * 3 + ["copy-key", "context-menu", "context-menu", "drag"]
