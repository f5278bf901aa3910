"""Every icon has a file, every file a name, and all are drawn alike."""

from __future__ import annotations

import re

import pytest
import shiboken6
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from ui import icons
from ui.icons import IconName, icon, paint_icon
from ui.resource_files import RESOURCES

FILES = sorted((RESOURCES / "icons").glob("*.svg"))


def test_names_and_files_are_the_same() -> None:
    assert {path.stem for path in FILES} == {name.value for name in IconName}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_hand_drew_them(path) -> None:
    drawing = path.read_text(encoding="utf-8")
    assert 'viewBox="0 0 24 24"' in drawing
    assert 'stroke-width="1.5"' in drawing
    assert not re.search(r"#[0-9A-Fa-f]{3}", drawing), "an icon takes its colour when it is painted"


@pytest.mark.parametrize("name", IconName)
def test_paints_in_the_colour_asked_for(name: IconName, desk: QApplication) -> None:
    picture = QImage(24, 24, QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    paint_icon(painter, QRect(0, 0, 24, 24), name, QColor("#AE2419"))
    painter.end()
    opaque = [picture.pixelColor(x, y) for x in range(24) for y in range(24) if picture.pixelColor(x, y).alpha() > 250]
    assert opaque
    assert all(abs(pixel.red() - 0xAE) <= 3 and abs(pixel.green() - 0x24) <= 3 for pixel in opaque)


def test_an_icon_held_back_is_painted_after_the_release(desk: QApplication) -> None:
    class Marked(QWidget):
        def paintEvent(self, _event: object) -> None:
            painter = QPainter(self)
            paint_icon(painter, QRect(0, 0, 24, 24), IconName.LOCK, QColor("#AE2419"))
            painter.end()

    widget = Marked()
    widget.resize(24, 24)
    icons.hold()
    try:
        empty = widget.grab().toImage()
    finally:
        icons.release()
    assert empty.pixelColor(0, 0) == empty.pixelColor(12, 12)
    assert widget.grab().toImage() != empty


def test_a_widget_that_went_before_the_release_is_let_go(desk: QApplication) -> None:
    widget = QWidget()
    icons.hold()
    assert icons._held is not None
    icons._held.append(widget)
    shiboken6.delete(widget)
    icons.release()
    assert icons._held is None


def test_icons_for_qt_come_in_every_size(desk: QApplication) -> None:
    sizes = icon(IconName.CASEVAULT).availableSizes()
    assert {size.width() for size in sizes} >= {16, 24, 32}
