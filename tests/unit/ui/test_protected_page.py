"""The page shows, hides and forgets, and gives nothing away."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QClipboard, QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.unit.ui.test_record_table import accessible_texts
from ui.widgets.protected_page import ProtectedPage, Turn, Zoom

INK = QColor("#3A6EA5")


def _picture(width: int = 1240, height: int = 1754) -> QImage:
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(INK)
    return made


def _shows_ink(page: ProtectedPage) -> bool:
    picture = page.grab().toImage()
    return any(picture.pixelColor(x, picture.height() // 2) == INK for x in range(0, picture.width(), 7))


@pytest.fixture
def page(desk: QApplication, qtbot: QtBot) -> ProtectedPage:
    made = ProtectedPage()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    return made


def test_says_when_a_new_page_is_on_screen(page: ProtectedPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.painted) as told:
        page.show_page(7, _picture())
    assert told.args == [7]
    assert _shows_ink(page)


@pytest.mark.parametrize("leave", ["clear", "blank", "hide"])
def test_leaving_overwrites_the_memory(page: ProtectedPage, leave: str) -> None:
    picture = _picture()
    pixels = picture.constBits()
    ink = bytes(pixels[:4])
    page.show_page(1, picture)
    page.grab()
    if leave == "clear":
        page.clear()
    elif leave == "blank":
        page.blank("Page hidden", "Why")
    else:
        page.hide()
    assert page.is_blank()
    left = bytes(pixels)
    assert left == left[:4] * (len(left) // 4), "every pixel is the same"
    assert left[:4] != ink, "and none is the picture's"


def test_blanked_is_a_panel_and_not_a_frozen_page(page: ProtectedPage) -> None:
    page.show_page(1, _picture())
    assert _shows_ink(page)
    page.blank("Page hidden", "The window lost the focus.")
    assert not _shows_ink(page)


@pytest.mark.parametrize(
    ("key", "turn"),
    [
        (Qt.Key.Key_PageDown, Turn.NEXT),
        (Qt.Key.Key_PageUp, Turn.PREVIOUS),
        (Qt.Key.Key_Right, Turn.NEXT),
        (Qt.Key.Key_Left, Turn.PREVIOUS),
        (Qt.Key.Key_Home, Turn.FIRST),
        (Qt.Key.Key_End, Turn.LAST),
    ],
)
def test_keys_turn(page: ProtectedPage, key: Qt.Key, turn: Turn, qtbot: QtBot) -> None:
    page.show_page(2, _picture())
    with qtbot.waitSignal(page.turn_requested) as told:
        QTest.keyClick(page, key)
    assert told.args == [turn]


def test_space_reads_down_the_page_and_then_turns(page: ProtectedPage) -> None:
    turns: list[Turn] = []
    page.turn_requested.connect(turns.append)
    page.show_page(2, _picture())
    presses = 0
    while not turns:
        QTest.keyClick(page, Qt.Key.Key_Space)
        presses += 1
        assert presses < 20
    assert presses > 1
    assert turns == [Turn.NEXT]


def test_the_wheel_scrolls_and_turns_only_beyond_the_end(page: ProtectedPage) -> None:
    turns: list[Turn] = []
    page.turn_requested.connect(turns.append)
    page.show_page(2, _picture())

    def notch(delta: int) -> None:
        middle = QPointF(450, 350)
        event = QWheelEvent(
            middle,
            page.mapToGlobal(middle),
            QPoint(),
            QPoint(0, delta),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(page.viewport(), event)

    notch(-120)
    assert page.verticalScrollBar().value() == 120
    notch(120)
    notch(120)
    assert turns == []
    notch(120)
    assert turns == [Turn.PREVIOUS]


def test_zoom_steps_fit_and_rotation(page: ProtectedPage) -> None:
    page.show_page(1, _picture())
    page.set_zoom(Zoom.FIT_PAGE)
    fitted = page.zoom_percent()
    assert page.verticalScrollBar().maximum() == 0
    page.set_zoom(Zoom.FIT_WIDTH)
    assert page.zoom_percent() > fitted
    page.set_zoom(Zoom.FIXED, 100)
    page.zoom_in()
    assert page.zoom_percent() == 125
    page.zoom_out()
    page.zoom_out()
    assert page.zoom_percent() == 80
    page.rotate()
    assert page._scaled_size().width() > page._scaled_size().height()
    assert _shows_ink(page)


def test_asks_for_the_resolution_at_which_it_is_sharp(page: ProtectedPage, qtbot: QtBot) -> None:
    page.set_zoom(Zoom.FIXED, 200)
    with qtbot.waitSignal(page.resolution_wanted) as told:
        page.show_page(1, _picture())
    assert told.args == [192]
    page.show_page(1, _picture(1587, 2245), 192)
    assert page.zoom_percent() == 200


@pytest.mark.parametrize("quarters", range(4))
def test_highlights_follow_the_page(page: ProtectedPage, quarters: int) -> None:
    page.set_zoom(Zoom.FIT_PAGE)
    page.show_page(1, _picture())
    for _ in range(quarters):
        page.rotate()
    size = page._scaled_size()
    corner = page._on_page(QRectF(0, 0, 0.1, 0.1)).center()
    expected = [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)][quarters]
    assert (corner.x() / size.width(), corner.y() / size.height()) == pytest.approx(expected, abs=0.01)


def test_gives_nothing_away(page: ProtectedPage, clipboard: QClipboard) -> None:
    page.show_page(1, _picture())
    assert set(filter(None, accessible_texts(page))) <= {"Page"} | {words for words in accessible_texts(page) if words.isdigit()}
    for part in (page, page.viewport()):
        assert not part.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        assert not part.acceptDrops()
    QTest.mousePress(page.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(page.viewport(), QPoint(400, 400))
    QTest.mouseRelease(page.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(400, 400))
    QTest.keyClick(page, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == ""
    assert clipboard.image().isNull()


def test_paints_a_page_quickly(page: ProtectedPage) -> None:
    """A picture at its own resolution is copied to the screen: 2 ms is the goal (`make bench`); ten times that is a defect."""
    page.resize(1300, 1800)
    page.set_zoom(Zoom.FIXED, 156)  # 150 dpi on a 96 dpi screen: pixel for pixel
    page.show_page(1, _picture())
    page.viewport().repaint()
    frames = []
    for _ in range(20):
        start = time.perf_counter()
        page.viewport().repaint()
        frames.append(time.perf_counter() - start)
    assert sorted(frames)[10] < 0.020


def test_a_page_at_its_own_resolution_is_copied_and_not_scaled(page: ProtectedPage, qtbot: QtBot) -> None:
    """The reader answers `resolution_wanted` with a picture in whole dots per inch: it must not be blurred to fit the last pixel."""
    page.set_zoom(Zoom.FIT_WIDTH)
    with qtbot.waitSignal(page.resolution_wanted) as told:
        page.show_page(1, _picture())
    dpi = told.args[0]
    page.show_page(1, _picture(round(8.27 * dpi), round(11.69 * dpi)), dpi)
    page.viewport().repaint()
    assert page._scaled is None
    assert page.horizontalScrollBar().maximum() == 0
