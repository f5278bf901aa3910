"""The picker: it brings what was chosen and leaves no list behind."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

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
