"""Interface tests run without a display, in a fixed look, and treat a missing word as a failure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("CASEVAULT_STRICT", "1")

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


@pytest.fixture
def desk(qapp: QApplication) -> Iterator[QApplication]:
    """The application dressed in the light scheme; dressed so again afterwards."""
    theme.apply_theme(qapp, Scheme.LIGHT)
    yield qapp
    theme.apply_theme(qapp, Scheme.LIGHT)


@pytest.fixture
def clipboard(qapp: QApplication) -> Iterator[QClipboard]:
    """The clipboard, empty before and after.

    Nothing made in Python is put there: without a display, what lies there at the end is destroyed after the interpreter, and crashes.
    """
    cleared = QGuiApplication.clipboard()
    cleared.clear()
    yield cleared
    cleared.clear()
