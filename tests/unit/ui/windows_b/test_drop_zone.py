"""The picker: it brings what was chosen and leaves no list behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from ui import strings
from ui.windows.drop_zone import DropZone


def test_a_picked_folder_is_remembered_nowhere(qtbot: QtBot, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(kept))  # where Qt would put its list
    papers = tmp_path / "Operation-Lantern"
    papers.mkdir()
    zone, brought = DropZone(), []
    qtbot.addWidget(zone)
    zone.brought.connect(brought.append)
    zone.pick_folder()
    dialog = zone.findChild(QFileDialog)
    assert dialog is not None
    dialog.setDirectory(str(papers))
    dialog.selectFile(str(papers))
    dialog.accept()
    qtbot.waitUntil(lambda: zone.findChild(QFileDialog) is None)  # Qt writes its list when the picker goes
    assert brought == [(str(papers),)]
    assert not kept.exists()


@pytest.mark.parametrize("elsewhere", [0, 1])
def test_a_drop_is_taken_whole_or_not_at_all(qtbot: QtBot, elsewhere: int) -> None:
    zone, brought = DropZone(), []
    qtbot.addWidget(zone)
    zone.show()
    zone.brought.connect(brought.append)
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile("/srv/a.pdf"), *[QUrl("https://mail.example/b.pdf")] * elsewhere])
    zone.dropEvent(QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))
    assert brought == ([] if elsewhere else [("/srv/a.pdf",)])
    assert zone.path.control.accessibleDescription() == (strings.text("intake.not_here", count=1) if elsewhere else "")
