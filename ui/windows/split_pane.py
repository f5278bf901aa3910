"""A list and what is known of its current row, side by side; one at a time where there is no room for both.

Rules of this module:

- Narrow, the list is shown first; `open_detail` (Enter on a row) shows the detail in its place, Back or Esc the list again.
- Both are always reachable by keyboard, at 200 % on a small screen too.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.widgets.buttons import Button, ButtonKind

_NARROW_PX = 820


class SplitPane(QWidget):
    """Two panes."""

    def __init__(self, name: str, master: QWidget, detail: QWidget, *, shares: tuple[int, int] = (1, 1), detail_width_px: int = 0) -> None:
        """Lay out two panes.

        Args:
            name: of the page, for objectNames.
            master: the list.
            detail: what is known of the current row.
            shares: of the width, when there is room for both.
            detail_width_px: a fixed width for the detail instead.
        """
        super().__init__()
        self._master, self._fixed_px = master, detail_width_px
        self._detail_wanted = False
        self._back = Button(strings.text("split.back"), ButtonKind.GHOST, icon=IconName.PREVIOUS, key_hint="Esc")
        self._back.setObjectName(f"{name}_back")
        self._back.clicked.connect(self.close_detail)
        self._right = QWidget()
        column = QVBoxLayout(self._right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(detail, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(master, shares[0])
        row.addWidget(self._right, 0 if detail_width_px else shares[1])
        self._arrange()

    def narrow(self) -> bool:
        """Say whether there is room for one pane only."""
        return self.width() < _NARROW_PX

    def open_detail(self) -> None:
        """Show the detail; wide, it is there already."""
        self._detail_wanted = True
        self._arrange()

    def close_detail(self) -> None:
        """Show the list again."""
        self._detail_wanted = False
        self._arrange()
        self._master.setFocus()

    def _arrange(self) -> None:
        narrow = self.narrow()
        self._right.setVisible(not narrow or self._detail_wanted)
        self._master.setVisible(not narrow or not self._detail_wanted)
        self._back.setVisible(narrow)
        if self._fixed_px:
            self._right.setMinimumWidth(0 if narrow else self._fixed_px)
            self._right.setMaximumWidth(16_777_215 if narrow else self._fixed_px)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose one or two panes."""
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Esc goes back to the list where only one pane is shown."""
        if event.key() == Qt.Key.Key_Escape and self.narrow() and self._detail_wanted:
            self.close_detail()
            return
        super().keyPressEvent(event)
