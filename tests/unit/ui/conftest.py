"""Interface tests run without a display, in a fixed look, and treat a missing word as a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("CASEVAULT_STRICT", "1")

from PySide6.QtWidgets import QApplication

from ui import theme
from ui.theme import Scheme


@pytest.fixture
def desk(qapp: QApplication) -> Iterator[QApplication]:
    """The application dressed in the light scheme; dressed so again afterwards."""
    theme.apply_theme(qapp, Scheme.LIGHT)
    yield qapp
    theme.apply_theme(qapp, Scheme.LIGHT)
