"""What is only read can be read by keyboard to its end."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui import strings
from ui.widgets.buttons import IconButton
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.label import Label
from ui.widgets.painted_text import PaintedText
from ui.widgets.protection_strip import ProtectionStrip, ShownProtection
from ui.widgets.scroll_column import ReadColumn, ScrollColumn
from ui.widgets.sheet import Sheet
from vault.domain.protection import ProtectionState


@pytest.fixture
def inspector(desk: QApplication, qtbot: QtBot) -> Inspector:
    made = Inspector()
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def column_of(within: QWidget) -> ReadColumn:
    found = within.findChild(ReadColumn)
    assert found is not None
    return found


def fill(inspector: Inspector, qtbot: QtBot, rows: int) -> ReadColumn:
    inspector.show_facts("A case", [Section("", tuple(Fact("Held", "by somebody") for _ in range(rows)))])
    column = column_of(inspector)
    qtbot.waitUntil(lambda: bool(column.verticalScrollBar().maximum()) == (rows > 10))
    return column


def test_tab_stops_at_facts_below_the_edge_and_keys_reach_their_end(inspector: Inspector, qtbot: QtBot) -> None:
    column = fill(inspector, qtbot, 40)
    inspector.setFocus()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is column
    bar = column.verticalScrollBar()
    for key, reached in ((Qt.Key.Key_PageDown, 1), (Qt.Key.Key_End, bar.maximum()), (Qt.Key.Key_Home, 0)):
        QTest.keyClick(column, key)
        assert bar.value() >= reached
    assert bar.value() == 0


def test_facts_that_all_fit_are_no_stop(inspector: Inspector, qtbot: QtBot) -> None:
    column = fill(inspector, qtbot, 2)
    assert column.focusPolicy() is Qt.FocusPolicy.NoFocus
    assert fill(inspector, qtbot, 40).focusPolicy() is Qt.FocusPolicy.TabFocus
    assert fill(inspector, qtbot, 2).focusPolicy() is Qt.FocusPolicy.NoFocus


def test_what_is_shown_next_is_there_at_once(inspector: Inspector, qtbot: QtBot) -> None:
    column = fill(inspector, qtbot, 40)
    bar = column.verticalScrollBar()
    inspector.show_facts("Another", [Section("", (Fact("Held", "by nobody"),))])
    assert sum(text.isVisible() for text in column.findChildren(PaintedText)) == 1
    assert not bar.maximum()
    inspector.show_facts("A case", [Section("", tuple(Fact("Held", "by somebody") for _ in range(40)))])
    assert sum(text.isVisible() for text in column.findChildren(PaintedText)) == 40
    assert bar.maximum()


def test_its_focus_is_seen(inspector: Inspector, qtbot: QtBot) -> None:
    column = fill(inspector, qtbot, 40)
    without = column.grab().toImage()
    column.setFocus()
    qtbot.waitUntil(column.hasFocus)
    assert column.grab().toImage() != without


def test_esc_closes_the_details_and_only_where_they_close(inspector: Inspector, qtbot: QtBot) -> None:
    with qtbot.waitSignal(inspector.closed):
        QTest.keyClick(inspector, Qt.Key.Key_Escape)
    lasting = Inspector(closable=False)
    qtbot.addWidget(lasting)
    lasting.show()
    assert not any(button.isVisible() for button in lasting.findChildren(IconButton))
    with qtbot.assertNotEmitted(lasting.closed):
        QTest.keyClick(lasting, Qt.Key.Key_Escape)


def test_the_words_of_all_protections_are_read_by_keys(desk: QApplication, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    strip = ProtectionStrip()
    column = QVBoxLayout(window)
    column.addStretch(1)
    column.addWidget(strip)
    strip.set_protections(
        [ShownProtection(str(i), f"Protection {i}", ProtectionState.DETECTED, "It is noticed.", "Not always.") for i in range(12)]
    )
    window.resize(400, 320)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    chip = next(one for one in strip.findChildren(QWidget) if hasattr(one, "protections") and one.isVisible())
    QTest.keyClick(chip, Qt.Key.Key_Return)
    popover = next(one for one in strip.findChildren(QWidget) if one.isWindow() and one.isVisible())
    words = column_of(popover)
    qtbot.waitUntil(lambda: words.verticalScrollBar().maximum() > 0)
    assert popover.focusProxy() is words
    QTest.keyClick(words, Qt.Key.Key_End)
    assert words.verticalScrollBar().value() == words.verticalScrollBar().maximum()
    QTest.keyClick(words, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not any(one.isWindow() and one.isVisible() for one in strip.findChildren(QWidget)))


def test_a_sheet_of_words_scrolls_by_page_keys(desk: QApplication, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(500, 260)
    host.show()
    sheet = Sheet(host, "Keys", "Close")
    for _ in range(40):
        sheet.body.addWidget(Label(strings.text("app.name")))
    sheet.open_over()
    scroll = sheet.findChild(ScrollColumn)
    assert scroll is not None
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().maximum() > 0)
    QTest.keyClick(sheet.primary, Qt.Key.Key_PageDown)
    assert scroll.verticalScrollBar().value() > 0


def test_what_gets_the_keyboard_by_any_key_comes_into_view(desk: QApplication, qtbot: QtBot) -> None:
    scroll = ScrollColumn()
    qtbot.addWidget(scroll)
    fields = [QLineEdit() for _ in range(20)]
    for field in fields:
        scroll.column.addWidget(field)
    scroll.resize(300, 150)
    scroll.show()
    scroll.activateWindow()
    qtbot.waitUntil(scroll.isActiveWindow)
    fields[-1].setFocus(Qt.FocusReason.OtherFocusReason)  # as Down from one list into the next, not Tab
    qtbot.waitUntil(lambda: scroll.viewport().rect().contains(fields[-1].geometry().translated(0, -scroll.verticalScrollBar().value())))


def test_a_lone_sentence_stands_at_the_edge_and_a_second_line_below_its_value(inspector: Inspector, qtbot: QtBot) -> None:
    def left_of_last() -> int:
        texts = [one for one in inspector.findChildren(PaintedText) if one.isVisible()]
        return texts[-1].mapTo(inspector, QPoint(0, 0)).x()

    inspector.show_facts("A person", [Section("", (Fact("Role", "Officer"), Fact("", "Reads case files")))])
    qtbot.waitUntil(lambda: left_of_last() > 96)
    inspector.show_facts("Choose a person", [Section("", (Fact("", "What can be done appears here."),))])
    qtbot.waitUntil(lambda: left_of_last() < 32)
