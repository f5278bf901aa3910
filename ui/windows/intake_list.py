"""What becomes of the files of one intake: how far it is, and a row a file with its state and reason.

Rules of this module:

- Progress is what the vault says it is; the time left is measured here and not told before there is something to measure.
- Names of files are painted. The whole reason of the current row, with what to do, stands below the list.
- A newer state of the same intake brings only the files that changed, and changes only their rows.
- That the intake ends with the session is said while it runs: the desk still locks when nobody is there.
"""

from __future__ import annotations

import time
from collections import Counter

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.cells import NumberCell, StatusCell, TitleCell
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.progress_bar import ProgressBar
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows import unshown_words
from ui.windows.held_rows import HeldRows
from ui.windows.intake_progress import Pace, file_state, progress_sentence
from ui.windows.naming import isolated
from vault.services.views import FileState, IntakeFile, IntakeView

_STATE_MARK = {
    FileState.WAITING: (Tone.PLAIN, IconName.WAIT),
    FileState.RUNNING: (Tone.ACCENT, IconName.INTAKE),
    FileState.DONE: (Tone.PROVEN, IconName.DONE),
    FileState.PRESENT: (Tone.PLAIN, IconName.DONE),
    FileState.REFUSED: (Tone.ATTENTION, IconName.REFUSE),
    FileState.CANCELLED: (Tone.PLAIN, IconName.CANCEL),
}


class IntakeList(QWidget):
    """Progress, verbs, rows. `cancel_pressed` and `more_pressed` are asked of the page."""

    cancel_pressed = Signal()
    more_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._view: IntakeView | None = None
        self._pace = Pace()
        self._by_state: Counter[FileState] = Counter()
        self._words = Label("", weight=Weight.MEDIUM, wrap=True, tabular=True)
        self._words.setObjectName("intake_progress")
        self._bar = ProgressBar()
        self._bar.setObjectName("intake_bar")
        self._cancel = Button(strings.text("intake.cancel"), key_hint="Ctrl+.")
        self._cancel.setObjectName("intake_cancel")
        self._cancel.clicked.connect(lambda _checked: self.cancel_pressed.emit())
        self._more = Button(strings.text("intake.again"), ButtonKind.PRIMARY)
        self._more.setObjectName("intake_more")
        self._more.clicked.connect(lambda _checked: self.more_pressed.emit())
        self.table = RecordTable(
            (
                Column(strings.text("intake.column_file"), 200, stretch=3),
                Column(strings.text("intake.column_size"), 72, drop=3),
                Column(strings.text("intake.column_pages"), 52, drop=2),
                Column(strings.text("intake.column_state"), 116),
                Column(strings.text("intake.column_reason"), 200, stretch=4, drop=1),
            ),
            dense=True,
            name=strings.text("intake.files"),
        )
        self.table.setObjectName("intake_files")
        self.table.setMinimumHeight(28 + 4 * 28)  # or what is left; a small window scrolls to it
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._rows: HeldRows[IntakeFile] = HeldRows(self.table, _record, lambda file: str(file.file_no))
        self._ends_with = Label(strings.text("intake.ends_with_session"), role=Colour.TEXT_QUIET, wrap=True)
        self._reason = PaintedText(role=Colour.TEXT_QUIET)
        self.table.current_changed.connect(self._show_reason)
        verbs = QHBoxLayout()
        verbs.setSpacing(8)
        verbs.addWidget(self._words, 1)
        verbs.addWidget(self._cancel)
        verbs.addWidget(self._more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(verbs)
        column.addWidget(self._bar)
        column.addWidget(self._ends_with)
        column.addWidget(self.table, 1)
        column.addWidget(self._reason)

    def show_intake(self, view: IntakeView) -> None:
        """Show an intake with all its files, or a newer state of the one shown with those that changed."""
        before, self._view = self._view, view
        another = before is None or before.intake_no != view.intake_no
        if another:
            self._pace = Pace()
        self._pace.note(time.monotonic(), view.done_bytes)
        if before is None or before.intake_no != view.intake_no or before.looking:
            self._rows.show(view.files)
            self._by_state = Counter(file.state for file in view.files)
        else:
            for file in view.files:
                at = file.file_no - 1
                self._by_state[self._rows.items[at].state] -= 1
                self._by_state[file.state] += 1
                self._rows.put(at, file)
        self._words.setText(progress_sentence(view, self._by_state, self._pace.seconds_left(view.total_bytes)))
        share = 1000 * view.done_bytes // view.total_bytes if view.total_bytes else 0
        self._bar.set_progress(1000 if view.finished else share)
        if another:
            self.table.setFocus()
        self._cancel.setVisible(not view.finished)
        self._ends_with.setVisible(not view.finished)
        self._more.setVisible(view.finished)
        if view.finished and (another or before is None or not before.finished):
            self._more.setFocus()
        self._show_reason()

    def forget(self) -> None:
        """Show nothing until the next intake."""
        self._view = None
        self._rows.show(())

    def _show_reason(self) -> None:
        file = self._rows.current()
        self._reason.show_text("" if file is None else _whole_reason(file.reason) if file.reason else unshown_words.sentence(file.unshown))


def _told(file: IntakeFile) -> str:
    """What is said of a file on its row: why it was refused, or that not all of it is on its pages."""
    return _short_reason(file.reason) if file.reason else strings.text("unshown.short") if file.unshown else ""


def _short_reason(code: str) -> str:
    key = f"errors.{code}.title"
    return strings.text(key) if strings.has_text(key) else code


def _whole_reason(code: str) -> str:
    parts = (f"errors.{code}.{part}" for part in ("title", "sentence", "next"))
    return " ".join(strings.text(key) for key in parts if strings.has_text(key)) or code


def _record(file: IntakeFile) -> Record:
    tone, icon = _STATE_MARK[file.state]
    return Record(
        key=str(file.file_no),
        cells=(
            TitleCell(isolated(file.name), icon=IconName.FILE),
            NumberCell(strings.size(file.size_bytes), right=True),
            NumberCell(strings.number(file.page_count) if file.page_count else "", right=True),
            StatusCell(file_state(file), tone, icon),
            TitleCell(_told(file)),
        ),
        tone=Tone.ATTENTION if file.state is FileState.REFUSED else Tone.PLAIN,
    )
