"""The kit looks as it was approved by a person who looked at it.

Approved pictures stand in `approved/`. After a change that is meant: CASEVAULT_APPROVE=1 writes new ones; look at every one before
committing.
A failure leaves what was painted, what was approved and the difference side by side in `build/golden/`.

Differences allowed: letters are rasterised a little differently by other FreeType versions, so a picture may differ softly everywhere
(mean) and strongly in few places (pixels). A control that moved by a pixel, or changed its colour, is over both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from ui import strings, theme
from ui.theme import Scheme
from ui.widgets import gallery

HERE = Path(__file__).resolve().parent
APPROVED = HERE / "approved"
FAILED = HERE.parent.parent / "build" / "golden"
# Scenes without letters of fallback fonts, which differ from machine to machine.
SCENES = ["buttons", "fields", "inspector", "notices", "page-blanked", "sheet-form", "icons"]
MEAN_ALLOWED = 0.6  # of 255, over all pixels and channels
STRONG = 64
STRONG_ALLOWED = 0.002  # of all pixels


def _as_pillow(picture: QImage) -> Image.Image:
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    return Image.frombytes("RGB", (plain.width(), plain.height()), bytes(plain.constBits()), "raw", "RGB", plain.bytesPerLine(), 1)


def _difference(one: Image.Image, other: Image.Image) -> tuple[float, float, Image.Image]:
    """Give the mean difference, the share of strongly different pixels, and the difference as a picture."""
    apart = ImageChops.difference(one, other)
    histogram = apart.convert("L").histogram()
    pixels = one.width * one.height
    mean = sum(value * count for value, count in enumerate(histogram)) / pixels
    return mean, sum(histogram[STRONG:]) / pixels, apart


@pytest.fixture(autouse=True)
def _fixed_moment(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(strings, "now_us", lambda: gallery.NOW_US)
    gallery.stop_the_clock()
    yield
    theme.apply_theme(qapp, Scheme.LIGHT)


@pytest.mark.parametrize("scheme", Scheme, ids=lambda scheme: scheme.value)
@pytest.mark.parametrize("name", SCENES)
def test_looks_as_approved(name: str, scheme: Scheme, qapp: QApplication) -> None:
    theme.apply_theme(qapp, scheme)
    painted = _as_pillow(gallery.shoot(name))
    file = APPROVED / f"{name}-{scheme.value}.png"
    if os.environ.get("CASEVAULT_APPROVE") == "1":
        APPROVED.mkdir(exist_ok=True)
        painted.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
        return
    approved = Image.open(file).convert("RGB")
    assert painted.size == approved.size
    mean, strong, apart = _difference(painted, approved)
    if mean > MEAN_ALLOWED or strong > STRONG_ALLOWED:
        FAILED.mkdir(parents=True, exist_ok=True)
        sheet = Image.new("RGB", (painted.width * 3, painted.height))
        for i, part in enumerate((painted, approved, apart)):
            sheet.paste(part, (painted.width * i, 0))
        sheet.save(FAILED / file.name)
        pytest.fail(f"{file.name}: mean difference {mean:.2f} of 255, {strong:.2%} of the pixels strongly; see build/golden/{file.name}")


def test_a_moved_button_is_noticed(qapp: QApplication) -> None:
    theme.apply_theme(qapp, Scheme.LIGHT)
    painted = _as_pillow(gallery.shoot("buttons"))
    moved = ImageChops.offset(painted, 0, 1)
    mean, strong, _apart = _difference(painted, moved)
    assert mean > MEAN_ALLOWED
    assert strong > STRONG_ALLOWED
