"""``--steps``: what the desk shows, as a line a step on standard error, for support and for tests that drive the real window.

Rules:

- A line is ``show NAME``, ``hide NAME``, ``focus NAME``, ``painted N`` or ``found N``: constant object names, page numbers and how many
  places a find found, never content, never a person, a case or a key.
- It only listens. It drives nothing, and without the option it does not exist.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

_TOLD = {"painted": "painted", "hits_found": "found"}  # signals of widgets, and the word of their line


class Steps(QObject):
    """Listens to the application's widgets."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        app.installEventFilter(self)
        app.focusChanged.connect(self._focus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Note what is shown and hidden."""
        kind = event.type()
        if kind in (QEvent.Type.Show, QEvent.Type.Hide) and isinstance(watched, QWidget) and watched.objectName():
            shown = kind is QEvent.Type.Show
            for signal, verb in _TOLD.items() if shown and not watched.property("stepped") else ():
                if hasattr(watched, signal):
                    watched.setProperty("stepped", True)
                    getattr(watched, signal).connect(lambda *number, verb=verb: _say(verb, *map(str, number)))
            if not watched.objectName().startswith("qt_"):
                _say("show" if shown else "hide", watched.objectName())
        return False

    def _focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        _say("focus", now.objectName() if now is not None else "")


def _say(verb: str, name: str = "") -> None:
    sys.stderr.write(f"step {time.monotonic_ns() // 1000} {verb} {name}\n")
    sys.stderr.flush()
