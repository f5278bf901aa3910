"""A window in the upper right corner that takes whatever is dropped on it, as a mail program would: drop_target.py FILE.

Writes a JSON list of what it was given: one list of formats a drop.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget


class Target(QWidget):
    """Takes drops."""

    def __init__(self, path: Path) -> None:
        super().__init__(None, Qt.WindowType.BypassWindowManagerHint | Qt.WindowType.FramelessWindowHint)
        self._path = path
        self._given: list[list[str]] = []
        self.setAcceptDrops(True)
        self.setGeometry(1130, 0, 150, 120)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self._given.append(list(event.mimeData().formats()))
        self.write()

    def write(self) -> None:
        self._path.write_text(json.dumps(self._given))


if __name__ == "__main__":
    app = QApplication(sys.argv)
    target = Target(Path(sys.argv[1]))
    target.show()
    target.write()
    sys.exit(app.exec())
