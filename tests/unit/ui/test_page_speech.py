"""A page that was let speak tells its words to the accessibility tree, and only while they are on screen; no other page does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleTextInterface, QColor, QImage
from pytestqt.qtbot import QtBot

from ui.widgets.page_speech import let_speak
from ui.widgets.protected_page import Cover, ProtectedPage, Turn

WORDS = "PERIWINKLE was seen\nat the lock\nand went on"


def picture() -> QImage:
    made = QImage(80, 100, QImage.Format.Format_RGB32)
    made.fill(QColor("white"))
    return made


def words_in_the_tree(page: ProtectedPage) -> str | None:
    """Everything the page and what is below it tell."""
    told: list[str] = []

    def collect(interface: object) -> None:
        for kind in (QAccessible.Text.Name, QAccessible.Text.Value, QAccessible.Text.Description, QAccessible.Text.Help):
            told.append(interface.text(kind))  # type: ignore[attr-defined]
        text = interface.textInterface()  # type: ignore[attr-defined]
        if isinstance(text, QAccessibleTextInterface):
            told.append(text.text(0, text.characterCount()))
        for index in range(interface.childCount()):  # type: ignore[attr-defined]
            child = interface.child(index)  # type: ignore[attr-defined]
            if child is not None:
                collect(child)

    collect(QAccessible.queryAccessibleInterface(page))
    return "\n".join(told)


@pytest.fixture
def speaking(qtbot: QtBot, qapp: object) -> ProtectedPage:
    page = ProtectedPage()
    let_speak(page)
    qtbot.addWidget(page)
    page.resize(300, 300)
    page.show()
    page.show_page(1, picture(), 96)
    page.speak(WORDS)
    return page


def test_the_words_of_the_page_on_screen_are_in_the_tree(speaking: ProtectedPage) -> None:
    assert WORDS in (words_in_the_tree(speaking) or "")
    interface = QAccessible.queryAccessibleInterface(speaking)
    assert interface.role() == QAccessible.Role.Document
    text = interface.textInterface()
    assert (text.text(0, 10), text.characterCount(), text.selectionCount()) == ("PERIWINKLE", len(WORDS), 0)


@pytest.mark.parametrize("gone", ["clear", "blank", "hide", "next page"])
def test_they_go_with_the_page(speaking: ProtectedPage, gone: str) -> None:
    if gone == "blank":
        speaking.blank("Blanked", "For a reason.")
    elif gone == "next page":
        speaking.show_page(2, picture(), 96)
    else:
        getattr(speaking, gone)()
    assert "PERIWINKLE" not in (words_in_the_tree(speaking) or "")
    if gone != "next page":
        speaking.speak(WORDS)
        assert "PERIWINKLE" not in (words_in_the_tree(speaking) or ""), "an answer that comes late says nothing"


def test_a_covered_page_is_silent_while_it_is_covered(speaking: ProtectedPage) -> None:
    for cover in Cover:
        speaking.cover(cover, on=True)
        assert "PERIWINKLE" not in (words_in_the_tree(speaking) or "")
        speaking.cover(cover, on=False)
        assert "PERIWINKLE" in (words_in_the_tree(speaking) or "")


def test_the_arrow_keys_go_by_lines_and_turn_at_the_end(speaking: ProtectedPage, qtbot: QtBot) -> None:
    turns: list[Turn] = []
    speaking.turn_requested.connect(turns.append)
    text = QAccessible.queryAccessibleInterface(speaking).textInterface()
    carets = []
    for _ in range(3):
        qtbot.keyClick(speaking, Qt.Key.Key_Down)
        carets.append(text.cursorPosition())
    assert [WORDS[caret:].partition("\n")[0] for caret in carets] == ["at the lock", "and went on", "and went on"]
    assert turns == [Turn.NEXT]
    qtbot.keyClick(speaking, Qt.Key.Key_Up)
    assert text.cursorPosition() == carets[0]


def test_another_page_of_the_same_process_stays_silent(speaking: ProtectedPage, qtbot: QtBot) -> None:
    silent = ProtectedPage()
    qtbot.addWidget(silent)
    silent.show()
    silent.show_page(1, picture(), 96)
    silent.speak(WORDS)
    assert "PERIWINKLE" not in (words_in_the_tree(silent) or "")
    assert QAccessible.queryAccessibleInterface(silent).textInterface() is None
