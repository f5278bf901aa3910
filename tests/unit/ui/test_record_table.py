"""The list by keyboard, with a million rows, and mute to whoever asks for its text."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ui.theme import Tone
from ui.widgets.cells import NumberCell, TimeCell, TitleCell
from ui.widgets.record_table import Column, Record, RecordTable
from ui.widgets.row_window import PageRequest

MARKER = "WITNESS-7731"


def _record(index: int) -> Record:
    return Record(
        str(index), (NumberCell(f"2026-{index:07}"), TitleCell(f"{MARKER} {index}"), TimeCell(1_795_312_800_000_000)), Tone.BREACH
    )


class Source:
    """Answers pages when told to, like a vault on the other end of a pipe."""

    def __init__(self, table: RecordTable) -> None:
        self.table = table
        self.asked: list[PageRequest] = []
        table.page_wanted.connect(self.asked.append)

    def answer(self) -> None:
        asked, self.asked[:] = list(self.asked), []
        for request in asked:
            rows = [_record(i) for i in range(request.first_row, request.first_row + request.rows)]
            self.table.supply(request, rows, rows[-1].key)


@pytest.fixture
def table(desk: QApplication, qtbot: QtBot) -> RecordTable:
    made = RecordTable([Column("Number", 110), Column("Case", 200, stretch=1), Column("Last act", 150, drop=1)])
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.show()
    made.setFocus()
    return made


def accessible_texts(widget: QWidget) -> list[str]:
    """Everything the accessibility tree says of a widget and what is in it."""
    found: list[str] = []

    def walk(interface: QAccessibleInterface | None) -> None:
        if interface is None:
            return
        found.extend(interface.text(kind) for kind in (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value))
        words = interface.textInterface()
        if words is not None:
            found.append(words.text(0, words.characterCount()))
        assert interface.role() is not QAccessible.Role.Cell or not interface.text(QAccessible.Text.Name), "a cell hands out its text"
        for i in range(interface.childCount()):
            walk(interface.child(i))

    walk(QAccessible.queryAccessibleInterface(widget))
    return found


def test_keys_move_and_activate(table: RecordTable, qtbot: QtBot) -> None:
    table.set_records([_record(i) for i in range(50)])
    for key, expected in [
        (Qt.Key.Key_Down, 1),
        (Qt.Key.Key_J, 2),
        (Qt.Key.Key_K, 1),
        (Qt.Key.Key_Up, 0),
        (Qt.Key.Key_Up, 0),
        (Qt.Key.Key_End, 49),
        (Qt.Key.Key_J, 49),
        (Qt.Key.Key_Home, 0),
    ]:
        QTest.keyClick(table, key)
        assert table.current() == expected
    QTest.keyClick(table, Qt.Key.Key_PageDown)
    assert table.current() > 5
    with qtbot.waitSignal(table.activated) as told:
        QTest.keyClick(table, Qt.Key.Key_Return)
    assert told.args == [table.current()]


def test_letters_are_the_windows(table: RecordTable) -> None:
    """A, O, N and D belong to the breach queue: the table must not eat them."""
    table.set_records([_record(0)])
    heard: list[int] = []

    class Window(QWidget):
        def keyPressEvent(self, event) -> None:
            heard.append(event.key())

    window = Window()
    table.setParent(window)
    window.show()
    QTest.keyClick(table, Qt.Key.Key_A)
    assert heard == [Qt.Key.Key_A]
    table.setParent(None)


def test_a_million_rows_come_in_pages(table: RecordTable, qtbot: QtBot) -> None:
    source = Source(table)
    table.reset(1_000_000)
    qtbot.waitUntil(lambda: bool(source.asked))
    assert {request.first_row for request in source.asked} == {0}
    assert table.record(0) is None, "not here yet: painted as a skeleton"
    table.grab()
    source.answer()
    assert table.record(0) is not None
    QTest.keyClick(table, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: bool(source.asked))
    source.answer()
    last = table.current_record()
    assert last is not None
    assert last.key == "999999"


def test_scrolling_never_holds_the_screen(table: RecordTable, qtbot: QtBot) -> None:
    """No frame of a jump takes long, however slow the machine: a view of rows is painted in slices (`make bench` measures the 16 ms)."""
    source = Source(table)
    table.resize(1200, 800)
    table.reset(1_000_000)
    frames = []
    for i in range(30):
        table.verticalScrollBar().setValue(i * 24_000)
        for slice_no in range(200):
            source.answer()
            start = time.thread_time()
            QApplication.processEvents()
            frames.append(time.thread_time() - start)
            if slice_no >= 3 and not table._hurry:
                break
    assert sorted(frames)[len(frames) * 9 // 10] < 0.050
    assert not table._hurry, "and all of them have been painted"


def test_page_down_is_painted_in_slices_too(table: RecordTable, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves one row of the view where it was: nearly all is new."""
    monkeypatch.setattr("ui.widgets.record_table._SLICE_SECONDS", 0.0)
    table.resize(1200, 800)
    table.set_records([_record(i) for i in range(200)])
    qtbot.waitUntil(lambda: not table._hurry)
    painted = []
    monkeypatch.setattr(table, "_paint_row", lambda _painter, _at, index, _now_us: painted.append(index))
    QTest.keyClick(table, Qt.Key.Key_PageDown)
    QTest.keyClick(table, Qt.Key.Key_PageDown)
    table.viewport().repaint()
    assert len(painted) == 1
    qtbot.waitUntil(lambda: not table._hurry)
    assert len(set(painted)) > 10


def test_what_is_scrolled_looks_like_what_is_painted(table: RecordTable, qtbot: QtBot) -> None:
    table.set_records([_record(i) for i in range(200)])
    QApplication.processEvents()
    for top in (3, 9, 4, 60, 59, 61, 0, 12):
        table.verticalScrollBar().setValue(top)
        QApplication.processEvents()
    qtbot.waitUntil(lambda: not table._hurry)
    QApplication.processEvents()
    scrolled = table.screen().grabWindow(table.winId()).toImage()
    table.viewport().repaint()
    assert scrolled == table.screen().grabWindow(table.winId()).toImage()


def test_refresh_keeps_the_place(table: RecordTable) -> None:
    table.set_records([_record(i) for i in range(10)])
    table.set_current(4)
    table.set_records([_record(i) for i in range(2, 10)])
    record = table.current_record()
    assert record is not None
    assert record.key == "4"


def test_narrow_drops_the_column_that_may_go(table: RecordTable) -> None:
    table.set_records([_record(0)])
    table.resize(800, 300)
    wide = table.grab()
    table.resize(380, 300)
    narrow = table.grab()
    assert wide.width() != narrow.width()
    assert [span[0] for span in table._spans] == [0, 1]


def test_nothing_of_a_case_reaches_accessibility(table: RecordTable) -> None:
    table.set_records([_record(i) for i in range(5)])
    table.grab()
    texts = accessible_texts(table)
    assert any("Row 1 of 5" in words for words in texts), "where we are is told"
    assert not [words for words in texts if MARKER in words or "2026-" in words]


def test_the_probe_can_see_a_leak(desk: QApplication, qtbot: QtBot) -> None:
    """The same walk finds the text of a stock widget: the test above is able to fail."""
    from PySide6.QtWidgets import QLabel

    label = QLabel(MARKER)
    qtbot.addWidget(label)
    assert any(MARKER in words for words in accessible_texts(label))
