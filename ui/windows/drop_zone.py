"""Where files and folders are brought in: dropped, picked, or named by a typed path.

Rules of this module:

- Paths only pass through: no file is opened, listed or looked at here. What a path leads to is the vault's to say.
- The picker is our own, non-native and open-only: it has no way to save, and what it can do is the same on every desktop.
  It remembers nothing: Qt would write the folders it was in to a file of the person's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.field import LineField
from ui.widgets.label import Label


def path_of(typed: str) -> str:
    """Read a typed path; "" when it is not a whole one. ``~`` stands for the person's own folder, quotes around it do not matter."""
    words = typed.strip().strip("'\"")
    try:
        path = Path(words).expanduser() if words else Path()
    except RuntimeError:
        return ""
    return str(path) if path.is_absolute() else ""


def open_picker(
    host: QWidget,
    name: str,
    title: str,
    picked: Callable[[tuple[str, ...]], object],
    mode: QFileDialog.FileMode = QFileDialog.FileMode.ExistingFile,
) -> None:
    """Have a person choose what is there; `picked` is told the absolute paths. `name` is the picker's objectName."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)  # Qt's own; nothing of ours is kept there
    dialog = QFileDialog(host, title)
    dialog.setObjectName(name)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog, True)
    dialog.setOption(QFileDialog.Option.ReadOnly, True)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptOpen)
    dialog.setFileMode(mode)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, strings.text("intake.picker_pick"))
    dialog.filesSelected.connect(lambda paths: picked(tuple(paths)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


class DropZone(QWidget):
    """Drop, pick or type. `brought` with absolute paths."""

    brought = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("intake_drop")
        self.setAcceptDrops(True)
        self._over = False
        self.files = Button(strings.text("intake.add_files"), ButtonKind.PRIMARY, icon=IconName.FILE, key_hint="Ctrl+O")
        self.files.setObjectName("intake_add_files")
        self.files.clicked.connect(self.pick_files)
        self.folder = Button(strings.text("intake.add_folder"), icon=IconName.FOLDER, key_hint="Ctrl+Shift+O")
        self.folder.setObjectName("intake_add_folder")
        self.folder.clicked.connect(self.pick_folder)
        self.path = LineField(strings.text("intake.path"), hint=strings.text("intake.path_hint"), max_length=1_000)
        self.path.control.setObjectName("intake_path")
        self.path.submitted.connect(self._typed)
        self.path.changed.connect(lambda: self.path.set_error(""))
        verbs = QHBoxLayout()
        verbs.setSpacing(8)
        verbs.addWidget(self.files)
        verbs.addWidget(self.folder)
        verbs.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 18, 24, 16)
        column.setSpacing(8)
        column.addWidget(Label(strings.text("intake.drop_title"), TypeSize.TITLE, Weight.STRONG, wrap=True))
        column.addWidget(Label(strings.text("intake.drop_sentence"), role=Colour.TEXT_QUIET, wrap=True))
        column.addLayout(verbs)
        column.addWidget(self.path)

    def pick_files(self) -> None:
        """Choose files to take in."""
        self._pick(QFileDialog.FileMode.ExistingFiles, strings.text("intake.picker_files"))

    def pick_folder(self) -> None:
        """Choose a folder to take in."""
        self._pick(QFileDialog.FileMode.Directory, strings.text("intake.picker_folder"))

    def _pick(self, mode: QFileDialog.FileMode, title: str) -> None:
        open_picker(self, "intake_picker", title, self.brought.emit, mode)

    def _typed(self) -> None:
        path = path_of(self.path.value())
        if not path:
            self.path.set_error(strings.text("intake.path_relative"))
            return
        self.path.set_value("")
        self.brought.emit((path,))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """Welcome local files and folders, nothing else."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._over = True
            self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 -- Qt's name
        """Forget the welcome."""
        self._over = False
        self.update()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 -- Qt's name
        """Take the paths, all or none: what is not here could not be taken in with the rest."""
        self._over = False
        self.update()
        urls = event.mimeData().urls()
        elsewhere = sum(not url.isLocalFile() for url in urls)
        self.path.set_error(strings.text("intake.not_here", count=elsewhere) if elsewhere else "")
        if urls and not elsewhere:
            event.acceptProposedAction()
            self.brought.emit(tuple(url.toLocalFile() for url in urls))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground; it answers while something is held over it."""
        painter = QPainter(self)
        painting.panel(
            painter,
            self.rect(),
            Colour.ACCENT_SOFT if self._over else Colour.SURFACE_1,
            Colour.ACCENT_TEXT if self._over else Colour.DIVIDER,
        )
        painter.end()
