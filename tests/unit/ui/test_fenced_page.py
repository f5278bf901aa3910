"""A fenced page: the band follows the reading line and the pointer, through zoom, rotation and find."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from ui.widgets.protected_page import ProtectedPage, Turn, Zoom

PAGE = QSize(800, 1000)


class Fenced:
    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot, self.page = qtbot, ProtectedPage()
        self.bands: list[QRectF] = []
        self.turns: list[Turn] = []
        self.page.band_wanted.connect(self.bands.append)
        self.page.turn_requested.connect(self.turns.append)
        qtbot.addWidget(self.page)
        self.page.resize(600, 500)
        self.page.show()
        self.show(1)

    def show(self, page_no: int) -> None:
        veil = QImage(32, 40, QImage.Format.Format_RGB32)
        veil.fill(QColor("#cccccc"))
        self.page.show_page(page_no, veil, 96, PAGE)

    def band(self) -> QRectF:
        return self.bands[-1]

    def press(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.page, key)


@pytest.fixture
def fenced(qtbot: QtBot, qapp: object) -> Fenced:
    return Fenced(qtbot)


def test_a_new_page_asks_for_its_top_and_is_as_large_as_the_whole(fenced: Fenced) -> None:
    assert fenced.page.is_fenced()
    assert (fenced.band().top(), fenced.band().height()) == pytest.approx((0, 0.09))
    fenced.page.set_zoom(Zoom.FIXED, 100)
    assert fenced.page._scaled_size() == PAGE


def test_the_arrow_keys_move_the_line_to_the_end_and_then_turn(fenced: Fenced) -> None:
    tops = [fenced.band().top()]
    for _ in range(30):
        fenced.press(Qt.Key.Key_Down)
        tops.append(fenced.band().top())
    assert tops == sorted(tops)
    assert all(later - before < 0.09 for before, later in itertools.pairwise(tops)), "no line is passed over"
    assert fenced.band().bottom() == pytest.approx(1)
    assert Turn.NEXT in fenced.turns
    fenced.turns.clear()
    for _ in range(30):
        fenced.press(Qt.Key.Key_Up)
    assert fenced.band().top() == pytest.approx(0)
    assert Turn.PREVIOUS in fenced.turns


def test_the_pointer_takes_the_band_along(fenced: Fenced) -> None:
    fenced.page.set_zoom(Zoom.FIT_PAGE)
    at = fenced.page._page_rect()
    fenced.qtbot.mouseMove(fenced.page.viewport(), QPoint(at.center().x(), at.top() + 2))
    fenced.qtbot.mouseMove(fenced.page.viewport(), at.center())
    fenced.qtbot.waitUntil(lambda: abs(fenced.band().center().y() - 0.5) < 0.02)


def test_turned_pages_ask_for_the_strip_that_lies_under_the_line(fenced: Fenced) -> None:
    places = {0: "top", 1: "left", 2: "bottom", 3: "right"}
    for quarter in range(4):
        band = fenced.band()
        touching = {"top": band.top() == 0, "left": band.left() == 0, "bottom": band.bottom() > 0.999, "right": band.right() > 0.999}
        assert touching[places[quarter]], (quarter, band)
        assert (band.width() > 0.999) == (quarter % 2 == 0)
        fenced.page.rotate()


def test_find_brings_the_band_to_the_hit(fenced: Fenced) -> None:
    fenced.page.set_highlights([QRectF(0.1, 0.7, 0.2, 0.02)], 0)
    assert fenced.band().top() < 0.71 < fenced.band().bottom()


def test_keys_change_the_height_within_bounds(fenced: Fenced) -> None:
    for _ in range(20):
        fenced.press(Qt.Key.Key_Period)
    assert fenced.band().height() == pytest.approx(0.25)
    for _ in range(30):
        fenced.press(Qt.Key.Key_Comma)
    assert fenced.band().height() == pytest.approx(0.04)


def test_only_the_band_is_painted_clear_and_it_goes_with_the_page(fenced: Fenced) -> None:
    fenced.page.set_zoom(Zoom.FIT_PAGE)
    band = QImage(800, 90, QImage.Format.Format_RGB32)
    band.fill(QColor("#ff0000"))
    fenced.page.show_band(band, QRect(0, 500, 800, 90))
    at = fenced.page._page_rect()
    shot = fenced.page.viewport().grab().toImage()
    inside, outside = QPoint(at.center().x(), round(at.top() + 0.545 * at.height())), QPoint(at.center().x(), at.top() + at.height() // 4)
    assert shot.pixelColor(inside).red() > 200 > shot.pixelColor(inside).green() + 100
    assert shot.pixelColor(outside).green() > 150
    fenced.show(2)
    assert fenced.page._band is None
    fenced.page.clear()
    assert not fenced.page.is_fenced()


def test_another_resolution_of_the_same_page_keeps_the_line(fenced: Fenced) -> None:
    for _ in range(5):
        fenced.press(Qt.Key.Key_Down)
    before = fenced.band().top()
    fenced.show(1)
    assert fenced.band().top() == pytest.approx(before)
