"""The kit by keyboard: fields, sheets, choices, palette, frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QClipboard
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.unit.ui.test_record_table import accessible_texts
from ui.icons import IconName
from ui.widgets.choices import Choice, NumberedChoices
from ui.widgets.field import LineField
from ui.widgets.frame import Frame
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.painted_text import PaintedText
from ui.widgets.palette import Action, rank
from ui.widgets.protection_strip import ShownProtection
from ui.widgets.qr import QrCode
from ui.widgets.rail import Place
from ui.widgets.sheet import Sheet, SheetKind
from vault.domain.protection import ProtectionState

MARKER = "WITNESS-7731"
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def frame(desk: QApplication, qtbot: QtBot) -> Frame:
    made = Frame("Northgate station")
    qtbot.addWidget(made)
    made.top.show_person("Ana Petrović", "20417", "Officer")
    made.rail.set_places([Place("desk", "My desk", IconName.DESK), Place("find", "Find", IconName.FIND)])
    made.content.addWidget(QLineEdit())
    made.resize(1280, 720)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


# Fields ---------------------------------------------------------------------------------------------------------------------------------


def test_an_error_stands_beside_its_field_and_is_its_description(desk: QApplication, qtbot: QtBot) -> None:
    field = LineField("Badge number", hint="Five digits")
    qtbot.addWidget(field)
    field.show()
    field.set_error("The badge number has five digits.")
    assert field.control.accessibleDescription() == "The badge number has five digits."
    assert field.control.accessibleName() == "Badge number"
    field.set_error("")
    assert field.control.accessibleDescription() == ""


def test_copying_from_a_guarded_field_gives_nothing(desk: QApplication, clipboard: QClipboard, qtbot: QtBot) -> None:
    guarded, plain = LineField("Find", copy_disabled=True), LineField("Find")
    for field in (guarded, plain):
        qtbot.addWidget(field)
        field.show()
        field.set_value(MARKER)
    for keys in (Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_X):
        QTest.keyClick(guarded.line, keys, CTRL)
    assert clipboard.text() == ""
    assert guarded.value() == MARKER
    assert guarded.line.selectedText() == "", "a selection alone would fill PRIMARY on X11"
    for keys in (Qt.Key.Key_A, Qt.Key.Key_C):
        QTest.keyClick(plain.line, keys, CTRL)
    assert clipboard.text() == MARKER, "a plain field does copy: the test can fail"


# Choices --------------------------------------------------------------------------------------------------------------------------------


def test_choices_by_number_arrow_and_enter(desk: QApplication, qtbot: QtBot) -> None:
    choices = NumberedChoices([Choice("a", "One"), Choice("b", "Two"), Choice("c", "Three")])
    qtbot.addWidget(choices)
    assert choices.value() == ""
    QTest.keyClick(choices, Qt.Key.Key_2)
    assert choices.value() == "b"
    QTest.keyClick(choices, Qt.Key.Key_9)
    assert choices.value() == "b", "there is no ninth"
    QTest.keyClick(choices, Qt.Key.Key_Down)
    assert choices.value() == "c"
    with qtbot.waitSignal(choices.submitted) as told:
        QTest.keyClick(choices, Qt.Key.Key_Return)
    assert told.args == ["c"]


# Sheets ---------------------------------------------------------------------------------------------------------------------------------


def test_a_sheet_traps_the_focus_in_reading_order_and_gives_it_back(frame: Frame) -> None:
    before = frame.content.currentWidget()
    assert before is not None
    before.setFocus()
    sheet = Sheet(frame, "Check out", "Check out")
    first, second = LineField("First"), LineField("Second")
    sheet.body.addWidget(first)
    sheet.body.addWidget(second)
    sheet.open_over()
    QApplication.processEvents()
    expected = [first.line, second.line, sheet.secondary, sheet.primary]
    for stop in [*expected, *expected]:
        assert QApplication.focusWidget() is stop
        QTest.keyClick(stop, Qt.Key.Key_Tab)
    QTest.keyClick(first.line, Qt.Key.Key_Backtab)
    assert QApplication.focusWidget() is sheet.primary
    QTest.keyClick(sheet.primary, Qt.Key.Key_Escape)
    assert sheet.isHidden()
    assert QApplication.focusWidget() is before


def test_nothing_behind_a_sheet_hears_a_key(frame: Frame) -> None:
    went: list[str] = []
    frame.rail.chosen.connect(went.append)
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_2, CTRL)
    assert went == ["find"]
    sheet = Sheet(frame, "Check out", "Check out")
    sheet.open_over()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_1, CTRL)
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_K, CTRL)
    assert went == ["find"]
    assert frame.palette_overlay.isHidden()
    sheet.dismiss()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_1, CTRL)
    assert went == ["find", "desk"]


def test_control_enter_presses_the_verb_from_a_field(frame: Frame, qtbot: QtBot) -> None:
    sheet = Sheet(frame, "Check out", "Check out")
    field = LineField("First")
    sheet.body.addWidget(field)
    sheet.open_over()
    with qtbot.waitSignal(sheet.accepted):
        QTest.keyClick(field.line, Qt.Key.Key_Return, CTRL)
    sheet.primary.setEnabled(False)
    with qtbot.assertNotEmitted(sheet.accepted):
        QTest.keyClick(field.line, Qt.Key.Key_Return, CTRL)


def test_danger_names_the_harm_and_starts_on_the_way_back(frame: Frame) -> None:
    with pytest.raises(AssertionError):
        Sheet(frame, "Force return", "Force return", kind=SheetKind.DANGER)
    sheet = Sheet(frame, "Force return", "Force return", kind=SheetKind.DANGER, harm="The page goes at once.")
    sheet.open_over()
    assert QApplication.focusWidget() is sheet.secondary


def test_covering_the_frame_takes_what_floats_with_it(frame: Frame) -> None:
    sheet = Sheet(frame, "Check out", "Check out")
    sheet.open_over()
    frame.cover(QWidget())
    assert sheet.isHidden()
    assert not frame.rail.isVisible()
    frame.uncover()
    assert frame.rail.isVisible()
    assert frame.rail.isEnabled()


@pytest.mark.parametrize("size", [QSize(640, 360), QSize(1280, 720)])
def test_a_tall_sheet_keeps_its_verbs_in_view(frame: Frame, size: QSize) -> None:
    frame.resize(size)
    sheet = Sheet(frame, "A long question", "Do it")
    for i in range(12):
        sheet.body.addWidget(LineField(f"Field {i}"))
    sheet.open_over()
    QApplication.processEvents()
    at = sheet.primary.mapTo(frame, sheet.primary.rect().bottomRight())
    assert frame.rect().contains(at)


# Palette --------------------------------------------------------------------------------------------------------------------------------

ACTIONS = [
    Action(words, words, IconName.DESK)
    for words in ("Go to my desk", "Find a case", "Check in", "Check out", "Lock", "Verify the chain", "Force return")
]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("lock", "Lock"),
        ("fr", "Force return"),
        ("co", "Check out"),
        ("ci", "Check in"),
        ("vc", "Verify the chain"),
        ("desk", "Go to my desk"),
    ],
)
def test_a_few_letters_find_the_action(query: str, first: str) -> None:
    assert rank(query, ACTIONS)[0].words == first


@given(st.text(max_size=12))
def test_ranking_only_ever_narrows(query: str) -> None:
    found = rank(query, ACTIONS)
    assert len(set(found)) == len(found)
    assert set(found) <= set(ACTIONS)
    for action in found:
        rest = iter(action.words.casefold())
        assert all(letter in rest for letter in "".join(query.casefold().split())), "the letters stand there in order"


def test_the_palette_runs_what_is_typed(frame: Frame, qtbot: QtBot) -> None:
    frame.palette_overlay.set_actions(ACTIONS)
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_K, CTRL)
    assert frame.palette_overlay.isVisible()
    QTest.keyClicks(frame.palette_overlay.line, "ck o")
    with qtbot.waitSignal(frame.palette_overlay.chosen) as told:
        QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Return)
    assert told.args == ["Check out"]
    assert frame.palette_overlay.isHidden()


# Frame ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [QSize(640, 360), QSize(1280, 720), QSize(1920, 1080)])
def test_every_place_and_the_lock_are_reachable(frame: Frame, size: QSize, qtbot: QtBot) -> None:
    frame.resize(size)
    QApplication.processEvents()
    shown = [child for child in frame.findChildren(QAbstractButton) if child.isVisible()]
    assert {"My desk", "Find", "Lock"} <= {child.accessibleName() for child in shown}
    for child in shown:
        assert frame.rect().contains(child.mapTo(frame, child.rect().center())), child.accessibleName()
    with qtbot.waitSignal(frame.top.lock_requested):
        QTest.keyClick(frame.windowHandle(), Qt.Key.Key_L, CTRL)


def test_tab_goes_round_and_shows_where_it_is(frame: Frame) -> None:
    frame.rail.setFocus()
    seen: list[QWidget] = []
    for _ in range(40):
        now = QApplication.focusWidget()
        assert now is not None
        if now in seen:
            break
        seen.append(now)
        QTest.keyClick(frame.windowHandle(), Qt.Key.Key_Tab)
    names = [widget.accessibleName() for widget in seen]
    assert {"Search actions", "Lock", "My desk", "Find"} <= set(names)


def test_the_inspector_is_reachable_in_a_small_window(frame: Frame) -> None:
    frame.resize(640, 360)
    frame.show_inspector(shown=True)
    assert not frame.inspector.isVisible()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_I, CTRL)
    assert frame.inspector.isVisible()
    assert not frame.content.isVisible()
    QTest.keyClick(frame.windowHandle(), Qt.Key.Key_I, CTRL)
    assert frame.content.isVisible()


@pytest.mark.parametrize(("width", "chips"), [(1280, 4), (420, 3)])
def test_protections_that_do_not_fit_are_counted_and_not_dropped(frame: Frame, width: int, chips: int) -> None:
    states = (ProtectionState.ENFORCED, ProtectionState.DETECTED, ProtectionState.DETECTED, ProtectionState.UNAVAILABLE)
    frame.strip.set_protections([ShownProtection(str(i), f"Protection {i}", state, "Does.", "Limit.") for i, state in enumerate(states)])
    frame.strip.set_premises("On the premises")
    frame.resize(width, 600)
    QApplication.processEvents()
    shown = [child for child in frame.strip.findChildren(QWidget) if hasattr(child, "protections") and child.isVisible()]
    assert len(shown) == chips
    assert sum(len(child.protections) for child in shown) == 4
    assert all("nforced" in c.accessibleName() or "etected" in c.accessibleName() or "navailable" in c.accessibleName() for c in shown)
    told = [line for chip in shown for line in chip.accessibleDescription().splitlines()]
    assert told == [f"Protection {i}: Does. Limit." for i in range(4)], "a screen reader does not see the popover"


# What is painted is not told ------------------------------------------------------------------------------------------------------------


def _painted() -> QWidget:
    text = PaintedText()
    text.show_text(MARKER)
    return text


def _inspector() -> QWidget:
    panel = Inspector()
    panel.show_facts(MARKER, [Section("Evidence", (Fact("Title", MARKER),))])
    return panel


def _code() -> QWidget:
    code = QrCode()
    code.show_matrix([[True]])
    return code


@pytest.mark.parametrize("make", [_painted, _inspector, _code])
def test_painted_text_is_not_told(make, desk: QApplication, qtbot: QtBot) -> None:
    widget = make()
    qtbot.addWidget(widget)
    widget.resize(300, 300)
    widget.show()
    widget.grab()
    texts = accessible_texts(widget)
    assert any(texts)
    assert not [words for words in texts if MARKER in words]


def test_a_code_is_forgotten_when_it_is_hidden(desk: QApplication, qtbot: QtBot) -> None:
    code = QrCode()
    qtbot.addWidget(code)
    code.show_matrix([[True, False], [False, True]])
    code.show()
    code.hide()
    assert code._rows == ()
