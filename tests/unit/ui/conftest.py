"""Interface tests run without a display, in a fixed look, and treat a missing word as a failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("CASEVAULT_STRICT", "1")

from PySide6.QtCore import Qt
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui import theme
from ui.theme import Scheme

_PATIENCE_MS = 30_000


class PatientBot(QtBot):
    """Waits for conditions as long as a loaded machine may need; what holds is seen at once all the same."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = _PATIENCE_MS) -> None:
        """Wait until the callback neither is false nor asserts."""
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """pytest-qt's driver, patient."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def mouse_let_go() -> Iterator[None]:
    """No test leaves a mouse button pressed: Qt remembers it for the whole process, and a later test's focus would count as a click's."""
    before = QGuiApplication.mouseButtons()
    yield
    assert QGuiApplication.mouseButtons() in {before, Qt.MouseButton.NoButton}, "this test has left a mouse button pressed"


@pytest.fixture
def desk(qapp: QApplication) -> Iterator[QApplication]:
    """The application dressed in the light scheme; dressed so again afterwards."""
    _dress(qapp)
    yield qapp
    _dress(qapp)


def _dress(app: QApplication) -> None:
    """Dress it unless it is: the same style sheet set again would polish every widget that is not deleted yet."""
    now = theme._now()
    if not now.follows or now.chosen is not Scheme.LIGHT:
        theme.apply_theme(app, Scheme.LIGHT)
    now.reduced_motion = None


@pytest.fixture
def clipboard(qapp: QApplication) -> Iterator[QClipboard]:
    """The clipboard, empty before and after.

    Nothing made in Python is put there: without a display, what lies there at the end is destroyed after the interpreter, and crashes.
    """
    cleared = QGuiApplication.clipboard()
    cleared.clear()
    yield cleared
    cleared.clear()
