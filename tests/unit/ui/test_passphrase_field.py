"""What is typed into a passphrase field is held once, edited as people expect, and never in Qt's line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from ui.widgets.passphrase_field import MOST_CHARACTERS, STAND_IN, PassphraseField, PassphraseLine, Typed

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
WORDS = "correct horse"


@pytest.fixture
def field(desk: QApplication, qtbot: QtBot) -> PassphraseField:
    made = PassphraseField("Passphrase")
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    made.line.setFocus()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def words_of(field: PassphraseField) -> str:
    value = field.value()
    try:
        return value.reveal().decode()
    finally:
        value.wipe()


def press(*keys: Any) -> Callable[[PassphraseLine], None]:
    """Give an edit: a text is typed, a key pressed, a pair of key and modifier pressed together."""

    def edit(line: PassphraseLine) -> None:
        for one in keys:
            if isinstance(one, str):
                QTest.keyClicks(line, one)
            elif isinstance(one, tuple):
                QTest.keyClick(line, *one)
            else:
                QTest.keyClick(line, one)

    return edit


def commit(words: str, start: int = 0, length: int = 0, composing: str = "") -> Callable[[PassphraseLine], None]:
    """Give an edit by an input method: a dead key, an accent, a syllable."""

    def edit(line: PassphraseLine) -> None:
        event = QInputMethodEvent(composing, [])
        event.setCommitString(words, start, length)
        QApplication.sendEvent(line, event)

    return edit


def paste(words: str) -> Callable[[PassphraseLine], None]:
    def edit(line: PassphraseLine) -> None:
        QGuiApplication.clipboard().setText(words)
        QTest.keyClick(line, Key.Key_V, CTRL)
        QGuiApplication.clipboard().clear()

    return edit


EDITS: list[tuple[str, Callable[[PassphraseLine], None], str]] = [
    ("typed at the end", press("s"), "correct horses"),
    ("typed at the start", press(Key.Key_Home, "in"), "incorrect horse"),
    ("typed in the middle", press(Key.Key_Left, Key.Key_Left, "-"), "correct hor-se"),
    ("Backspace", press(Key.Key_Backspace), "correct hors"),
    ("Backspace in the middle", press(Key.Key_Left, Key.Key_Left, Key.Key_Backspace), "correct hose"),
    ("Backspace at the start", press(Key.Key_Home, Key.Key_Backspace), WORDS),
    ("Delete", press(Key.Key_Home, Key.Key_Delete), "orrect horse"),
    ("Delete at the end", press(Key.Key_Delete), WORDS),
    ("Ctrl+Backspace: no word can be seen, so all before the cursor", press((Key.Key_Backspace, CTRL)), ""),
    ("Ctrl+Backspace in the middle", press(Key.Key_Left, (Key.Key_Backspace, CTRL)), "e"),
    ("Ctrl+Delete", press(Key.Key_Home, Key.Key_Right, (Key.Key_Delete, CTRL)), "c"),
    ("all chosen and typed over", press((Key.Key_A, CTRL), "new"), "new"),
    ("one chosen and typed over", press((Key.Key_Left, SHIFT), "d"), "correct horsd"),
    ("some chosen and deleted", press(Key.Key_Home, (Key.Key_Right, SHIFT), (Key.Key_Right, SHIFT), Key.Key_Delete), "rrect horse"),
    ("undone: a passphrase as a whole", press((Key.Key_Z, CTRL)), ""),
    ("undone, and done again: it is gone", press((Key.Key_Z, CTRL), (Key.Key_Z, CTRL | SHIFT)), ""),
    ("undone, and typed", press((Key.Key_Z, CTRL), "abc"), "abc"),
    ("cut is refused", press((Key.Key_A, CTRL), (Key.Key_X, CTRL)), WORDS),
    ("a key that types nothing", press(Key.Key_F5, Key.Key_Escape), WORDS),
    ("a shortcut", press((Key.Key_B, CTRL)), WORDS),
    ("an accent", commit("é"), "correct horseé"),
    ("a sign beyond the first plane", commit("🐎"), "correct horse🐎"),
    (
        "a sign beyond the first plane, taken back",
        lambda line: [do(line) for do in (commit("🐎"), press(Key.Key_Backspace, "!"))],
        "correct horse!",
    ),
    ("a syllable that takes the place of letters", commit("の", -2, 2), "correct horの"),
    ("a syllable before the last letters", commit("の", -2, 0), "correct horのse"),
    ("a syllable in place of everything and more", commit("の", -40, 80), "の"),
    ("a composition that is not finished", commit("", composing="ho"), WORDS),
    ("a composition over what was chosen", lambda line: [do(line) for do in (press((Key.Key_Left, SHIFT)), commit("a"))], "correct horsa"),
    ("pasted", paste(" staple"), "correct horse staple"),
    ("pasted over all", lambda line: [do(line) for do in (press((Key.Key_A, CTRL)), paste("staple\n"))], "staple"),
    ("pasted, and too long: nothing is cut", paste("x" * MOST_CHARACTERS), WORDS),
    ("set", lambda line: line.setText("battery"), "battery"),
    ("set past the class, as an assistive tool does", lambda line: QLineEdit.setText(line, "battery"), "battery"),
    ("added past the class", lambda line: QLineEdit.setText(line, line.text() + "s"), "correct horses"),
    ("cleared past the class", lambda line: QLineEdit.setText(line, ""), ""),
]


@pytest.mark.parametrize(("edit", "expected"), [(edit, expected) for _, edit, expected in EDITS], ids=[name for name, _, _ in EDITS])
def test_it_is_edited_as_people_expect_and_the_line_holds_none_of_it(
    field: PassphraseField, edit: Callable[[PassphraseLine], None], expected: str
) -> None:
    QTest.keyClicks(field.line, WORDS)
    edit(field.line)
    assert words_of(field) == expected
    assert field.line.text() == STAND_IN * len(expected)


def test_qt_is_told_nothing_of_it(field: PassphraseField) -> None:
    seen: list[str] = []
    field.line.textChanged.connect(seen.append)
    field.line.textEdited.connect(seen.append)
    QTest.keyClicks(field.line, WORDS)
    commit("é", composing="")(field.line)
    commit("", composing="ab")(field.line)
    told = QAccessible.queryAccessibleInterface(field.line)
    for kind in (QAccessible.Text.Value, QAccessible.Text.Name, QAccessible.Text.Description):
        seen.append(told.text(kind))
    for query in (Qt.InputMethodQuery.ImSurroundingText, Qt.InputMethodQuery.ImTextBeforeCursor, Qt.InputMethodQuery.ImCurrentSelection):
        seen.append(str(field.line.inputMethodQuery(query) or ""))
    field.line.selectAll()
    seen += [field.line.selectedText(), field.line.displayText()]
    assert len(seen) > len(WORDS)
    assert set("".join(seen).replace("Passphrase", "")) <= {STAND_IN, field.line.displayText()[0]}


def test_every_change_is_told_after_it_was_made(field: PassphraseField) -> None:
    lengths: list[int] = []
    field.changed.connect(lambda: lengths.append(len(field.typed)))
    QTest.keyClicks(field.line, "abc")
    QTest.keyClick(field.line, Key.Key_Backspace)
    field.clear()
    assert lengths == [1, 2, 3, 2, 0]


def test_it_can_be_read_only_while_the_eye_is_held(field: PassphraseField) -> None:
    eye = next(child for child in field.findChildren(QWidget) if child.accessibleName() == "Show while held")

    def pictures() -> list[Any]:
        made = []
        for words in ("iiii", "mmmm"):
            field.line.setText(words)
            made.append(field.line.grab().toImage())
        return made

    hidden = pictures()
    assert hidden[0] == hidden[1], "dots tell nothing but how many"
    QTest.mousePress(eye, Qt.MouseButton.LeftButton)
    shown = pictures()
    assert field.line.shows_words()
    assert shown[0] != shown[1]
    QTest.mouseRelease(eye, Qt.MouseButton.LeftButton)
    assert not field.line.shows_words()
    hidden = pictures()
    assert hidden[0] == hidden[1]
    QTest.mousePress(eye, Qt.MouseButton.LeftButton)
    field.line.setFocus()
    field.clear()
    assert not field.line.shows_words()
    assert field.line.text() == ""
    QTest.mouseRelease(eye, Qt.MouseButton.LeftButton)


def test_nothing_of_it_can_be_copied_out(field: PassphraseField) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("before")
    QTest.keyClicks(field.line, WORDS)
    for key in (Key.Key_A, Key.Key_C, Key.Key_X):
        QTest.keyClick(field.line, key, CTRL)
    QTest.mouseDClick(field.line, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    QTest.mouseRelease(field.line, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))  # QTest presses twice and lets go once
    assert clipboard.text() == "before"
    if clipboard.supportsSelection():
        assert STAND_IN not in clipboard.text(clipboard.Mode.Selection)
    assert not field.line.acceptDrops()
    clipboard.clear()


def test_what_was_typed_is_overwritten(field: PassphraseField) -> None:
    QTest.keyClicks(field.line, WORDS)
    cells = field.typed._cells
    QTest.keyClick(field.line, Key.Key_Backspace)
    assert list(cells[:14]) == [*map(ord, WORDS[:-1]), 0, 0], "what was deleted is overwritten, and the array stays where it is"
    field.clear()
    assert not any(cells)
    assert field.typed._cells is cells


def test_what_a_deleted_field_held_is_overwritten(desk: QApplication, qtbot: QtBot) -> None:
    parent = QWidget()
    line = PassphraseLine()
    line.setParent(parent)
    line.setText(WORDS)
    cells = line.typed._cells
    parent.deleteLater()
    qtbot.waitUntil(lambda: not any(cells))


def test_what_was_typed_goes_with_its_last_owner() -> None:
    typed = Typed()
    typed.splice(0, 0, WORDS)
    cells = typed._cells
    del typed
    assert not any(cells)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.text(st.characters(codec="utf-8"), max_size=3)), max_size=12))
def test_pieces_come_and_go_as_in_a_text(edits: list[tuple[int, int, str]]) -> None:
    typed, text = Typed(), ""
    for at, going, coming in edits:
        start = min(at, len(text))
        end = min(start + going, len(text))
        typed.splice(start, end, coming)
        text = text[:start] + coming + text[end:]
        assert "".join(typed.characters()) == text
        assert "".join(typed.clusters()) == text
        assert typed.secret().reveal().decode() == text
        assert typed.different() == len(set(text))
        assert not any(typed._cells[len(text) :])


@pytest.mark.parametrize(
    ("typed", "words", "inside"),
    [("my badge is AB12", "ab12", True), ("ab1", "ab12", False), ("Straße 7", "STRASSE", True), ("aab", "ab", True), ("", "ab", False)],
)
def test_words_are_found_whatever_their_case(typed: str, words: str, inside: bool) -> None:
    made = Typed()
    made.splice(0, 0, typed)
    assert made.contains(words) is inside


def test_two_are_compared_where_they_lie() -> None:
    first, second = Typed(), Typed()
    assert first.same_as(second)
    first.splice(0, 0, "ab")
    assert not first.same_as(second)
    second.splice(0, 0, "ac")
    assert not first.same_as(second)
    second.splice(1, 2, "b")
    assert first.same_as(second)
