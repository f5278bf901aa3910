"""Two fields side by side in a sheet, their labels on one line whatever their hints."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget


def beside(left: QWidget, right: QWidget, shares: tuple[int, int] = (1, 1)) -> QHBoxLayout:
    """Lay two fields beside each other, in these shares of the width."""
    row = QHBoxLayout()
    row.setSpacing(12)
    row.addWidget(left, shares[0], Qt.AlignmentFlag.AlignTop)
    row.addWidget(right, shares[1], Qt.AlignmentFlag.AlignTop)
    return row
