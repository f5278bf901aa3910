"""A scroll area that paints its own focus: painted again when the keyboard comes and when it leaves.

Qt repaints the frame of a scroll area then, and not what is inside it.
"""

from __future__ import annotations

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractScrollArea


class RingedArea(QAbstractScrollArea):
    """What is inside paints the ring where `hasFocus` says so."""

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Show where the keyboard is."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Show that it left."""
        super().focusOutEvent(event)
        self.viewport().update()
