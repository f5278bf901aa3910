"""What was cut is told beside the pointer, painted, and goes with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui_stage import documents
from tests.unit.ui.test_record_table import accessible_texts
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.cells import Cell, ChipsCell, NumberCell, PersonCell, StatusCell, TimeCell, TitleCell, cut_words
from ui.widgets.hint import Hint
from ui.widgets.record_table import Column, Record, RecordTable
from ui.windows.reader_bar import DocumentList

MARKER = "WITNESS-7731"
LONG = f"{MARKER} " + "stolen from the yard of the harbour authority " * 6


@pytest.fixture
def table(desk: QApplication, qtbot: QtBot) -> Iterator[RecordTable]:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 400)
    made = RecordTable([Column("Number", 110), Column("Case", 200, stretch=1)])
    made.setParent(window)
    made.resize(800, 400)
    made.set_records(
        [Record("a", (NumberCell("2026-000001"), TitleCell(LONG))), Record("b", (NumberCell("2026-000002"), TitleCell("Short")))]
    )
    window.show()
    yield made
    window.close()


def hover(over: QWidget, at: QPoint) -> None:
    QApplication.sendEvent(over, QHelpEvent(QEvent.Type.ToolTip, at, over.mapToGlobal(at)))


def hint_over(table: RecordTable) -> Hint | None:
    found = table.window().findChild(Hint)
    return found if found is not None and found.isVisible() else None


def on_row(row: int) -> QPoint:
    return QPoint(300, 28 + row * 32 + 10)


def test_a_cut_title_is_told_whole_and_to_nobody_else(table: RecordTable) -> None:
    hover(table.viewport(), on_row(0))
    hint = hint_over(table)
    assert hint is not None
    assert table.window().rect().contains(hint.geometry())
    assert hint.height() > 3 * 15, "a long title takes several lines"
    assert not any(MARKER in words for words in accessible_texts(table.window()))


def test_a_title_that_fits_is_not_repeated(table: RecordTable) -> None:
    hover(table.viewport(), on_row(0))
    hover(table.viewport(), on_row(1))
    assert hint_over(table) is None


@pytest.mark.parametrize("how", ["moves off", "leaves", "key", "hidden", "covered by a sheet"])
def test_it_goes_with_the_pointer_and_with_its_list(table: RecordTable, how: str) -> None:
    over = table.viewport()
    hover(over, on_row(0))
    assert hint_over(table) is not None
    if how == "moves off":
        at = QPointF(on_row(1))
        none = Qt.MouseButton.NoButton
        QApplication.sendEvent(
            over, QMouseEvent(QEvent.Type.MouseMove, at, over.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier)
        )
    elif how == "leaves":
        QApplication.sendEvent(over, QEvent(QEvent.Type.Leave))
    elif how == "key":
        QTest.keyClick(over, Qt.Key.Key_Down)
    elif how == "hidden":
        table.hide()
    else:
        table.setEnabled(False)
    assert hint_over(table) is None


CELLS: list[Cell] = [
    NumberCell("2026-004417-ST/7781/B"),
    TitleCell("Warehouse burglary, Quay Road", "Burglary"),
    StatusCell("Out with 4533 since yesterday", Tone.ATTENTION, IconName.CHECK_OUT),
    PersonCell("Wilhelmina Constantinopoulos", "4533", "Investigations East"),
    ChipsCell((("Official-sensitive", Tone.PLAIN), ("Restricted", Tone.ATTENTION))),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)
def test_every_cell_says_what_it_cut(cell: Cell, desk: QApplication) -> None:
    assert cut_words(cell, 600) == ""
    assert cut_words(cell, 60)


def test_a_time_has_its_own_words_on_hover(desk: QApplication) -> None:
    assert cut_words(TimeCell(1_795_312_800_000_000), 10) == ""


def test_the_words_of_a_document_end_before_the_bar(desk: QApplication, qtbot: QtBot) -> None:
    listed = DocumentList()
    qtbot.addWidget(listed)
    listed.resize(240, 200)
    listed.show()
    listed.show_documents(documents() * 4, {})
    qtbot.waitUntil(lambda: listed.viewport().width() < listed.width())
    picture = listed.viewport().grab().toImage()
    scale, wide = picture.devicePixelRatio(), listed.viewport().width()
    margin = {
        picture.pixel(round(x * scale), round(y * scale)) for x in range(wide - 10, wide - 2) for y in range(60, 190)
    }  # below the row of the focus ring
    assert len(margin) == 1
