"""The watches of the interface: selections on a real X server, idleness by real input events."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.screen import Screen
from ui.guard import watch
from ui.guard.watch import IdleWatch

ROOT = Path(__file__).parents[3]
NEEDED = ("Xvfb", "xclip", "xdotool")
needs_x = pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason="needs Xvfb, xclip and xdotool")

WATCHER = """
import sys
from PySide6.QtCore import QMimeData, QSocketNotifier, QTimer
from PySide6.QtGui import QClipboard, QGuiApplication, QRasterWindow
from ui.guard.watch import SelectionWatch

class Trap(QMimeData):
    def retrieveData(self, kind, preferred):
        print("READ", flush=True)

app = QGuiApplication(["watcher", "-platform", "xcb"])
window = QRasterWindow()
window.resize(200, 200)
window.show()
watch = SelectionWatch()
watch.observed.connect(lambda kind, facts: print(kind.value, facts["owner"], flush=True))

def command():
    line = sys.stdin.readline().strip()
    if line == "arm":
        watch.arm()
    elif line == "disarm":
        watch.disarm()
    elif line == "own":
        app.clipboard().setMimeData(QMimeData())
        app.clipboard().setMimeData(QMimeData(), QClipboard.Mode.Selection)
    elif not line:
        app.quit()
    print("done", line, watch.watches_primary, flush=True)

notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
notifier.activated.connect(command)
QTimer.singleShot(0, lambda: print("ready", flush=True))
app.exec()
"""


class Desk:
    """A watcher of its own on an X server of its own."""

    def __init__(self, screen: Screen) -> None:
        self._environment = {**os.environ, **screen.environment, "PYTHONPATH": str(ROOT)}
        self._environment.pop("QT_QPA_PLATFORM", None)
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", WATCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment, cwd=ROOT
        )
        self._clips: list[subprocess.Popen[bytes]] = []
        assert self.line() == "ready"

    def line(self) -> str:
        assert self._watcher.stdout is not None
        return self._watcher.stdout.readline().strip()

    def tell(self, command: str) -> list[str]:
        """Give a command; what the watcher said before it answered."""
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(command + "\n")
        self._watcher.stdin.flush()
        said = []
        while not (line := self.line()).startswith("done"):
            said.append(line)
        return said

    def xclip(self, selection: str) -> None:
        clip = subprocess.Popen(
            ["xclip", "-quiet", "-i", "-selection", selection], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment
        )
        assert clip.stdin is not None
        clip.stdin.write(b"somebody else's")
        clip.stdin.close()
        self._clips.append(clip)

    def owned_elsewhere(self, selection: str) -> None:
        """Wait until the X server gives the text: then the watcher's event is on its way."""
        deadline = time.monotonic() + 5
        command = ["timeout", "2", "xclip", "-o", "-selection", selection]
        while subprocess.run(command, capture_output=True, env=self._environment, check=False).stdout != b"somebody else's":
            assert time.monotonic() < deadline

    def close(self) -> None:
        assert self._watcher.stdin is not None
        assert self._watcher.stdout is not None
        self._watcher.stdin.close()
        self._watcher.wait(10)
        self._watcher.stdout.close()
        for clip in self._clips:
            clip.kill()
            clip.wait()


@pytest.fixture
def desk(screen: Screen) -> Iterator[Desk]:
    made = Desk(screen)
    yield made
    made.close()


@needs_x
def test_selections_taken_over_by_another_program(desk: Desk, record_property: Callable[[str, object], None]) -> None:
    desk.xclip("clipboard")
    desk.owned_elsewhere("clipboard")
    assert desk.tell("arm") == [], "not armed, not told"
    measured = []
    for selection, kind in [("clipboard", "clipboard-changed"), ("primary", "primary-selection-changed")] * 5:
        began = time.perf_counter()
        desk.xclip(selection)
        assert desk.line() == f"{kind} another-program"
        measured.append((time.perf_counter() - began) * 1000)
    record_property("detection_ms", f"worst {max(measured):.1f}, start of xclip included")
    assert max(measured) <= 1000
    assert desk.tell("own") == []
    assert desk.tell("disarm") == [], "our own ownership is not told, and nothing is read"
    desk.xclip("primary")
    desk.owned_elsewhere("primary")
    assert desk.tell("arm") == []


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(watch, "_boot_seconds", lambda: self.seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def idle(qapp: QApplication, clock: Clock) -> Iterator[IdleWatch]:
    made = IdleWatch(600)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(200, 100)
    made.show()
    qtbot.waitExposed(made)
    return made


INPUT: list[tuple[str, Callable[[QWidget], None], bool]] = [
    ("a key", lambda window: QTest.keyClick(window, Qt.Key.Key_Space), True),
    ("a click", lambda window: QTest.mouseClick(window, Qt.MouseButton.LeftButton), True),
    ("a moving pointer", lambda window: QTest.mouseMove(window.windowHandle(), QPoint(31, 17)), True),
    ("nothing but repainting", lambda window: window.repaint(), False),
    ("a window that opens", lambda window: window.show(), False),
]


@pytest.mark.parametrize(("act", "counts"), [row[1:] for row in INPUT], ids=[row[0] for row in INPUT])
def test_what_counts_as_somebody(idle: IdleWatch, window: QWidget, clock: Clock, act: Callable[[QWidget], None], counts: bool) -> None:
    clock.seconds += 500
    act(window)
    QApplication.processEvents()
    assert idle.remaining_seconds == (600 if counts else 100)


def test_a_pointer_that_rests_is_nobody(idle: IdleWatch, window: QWidget, clock: Clock) -> None:
    QTest.mouseMove(window.windowHandle(), QPoint(40, 40))
    QApplication.processEvents()
    clock.seconds += 10
    QTest.mouseMove(window.windowHandle(), QPoint(40, 40))
    QApplication.processEvents()
    assert idle.remaining_seconds == 590


def test_idle_is_told_once_and_suspended_time_counts(qtbot: QtBot, idle: IdleWatch, clock: Clock) -> None:
    told: list[bool] = []
    idle.idle.connect(lambda: told.append(True))
    idle._on_timeout()  # the timer fires, but somebody was here a moment ago
    assert told == []
    clock.seconds += 3600  # the computer slept
    assert idle.remaining_seconds == 0
    idle._on_timeout()
    assert told == [True]
    assert idle.remaining_seconds == 600, "stopped"


def test_it_really_fires(qtbot: QtBot) -> None:
    idle = IdleWatch(1)
    began = time.monotonic()
    with qtbot.waitSignal(idle.idle, timeout=5000):
        idle.start()
    assert 0.9 < time.monotonic() - began < 3
