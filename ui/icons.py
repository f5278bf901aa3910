"""The icon set: 24-pixel strokes of 1.5, drawn for Casevault, tinted when painted.

Rules of this module:

- Every icon has a name here and a file in `resources/icons`, and the other way round; a test says so.
- An icon never stands for a state alone: a word goes with it.
- QtSvg is loaded with the first icon that is drawn, and not before the window's first paint: between `hold` and `release` an icon's place
  stays empty, and `release` has those widgets painted again.

Thread: the interface's main thread. Raises `DefectError` icons.file when a file is missing or is not a drawing.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from ui import theme
from ui.resource_files import RESOURCES
from ui.theme import Colour
from vault.errors import DefectError

if TYPE_CHECKING:
    # Names for annotations only: PySide6 builds a class with its enums when it is first touched, 1-50 ms each, and the first paint waits.
    from PySide6.QtGui import QColor, QIcon, QImage, QPaintDevice


class IconName(enum.Enum):
    """Every drawing of the set."""

    ACKNOWLEDGE = "acknowledge"
    ADD = "add"
    AUDIT = "audit"
    BLANKED = "blanked"
    BREACHES = "breaches"
    CANCEL = "cancel"
    CASE = "case"
    CASEVAULT = "casevault"
    CHECK = "check"
    CHECK_IN = "check-in"
    CHECK_OUT = "check-out"
    CLOCK = "clock"
    CLOSE = "close"
    CUSTODY = "custody"
    DENY = "deny"
    DESK = "desk"
    DISPOSE = "dispose"
    DOCUMENT_IMAGE = "document-image"
    DOCUMENT_MAIL = "document-mail"
    DOCUMENT_PDF = "document-pdf"
    DOCUMENT_TEXT = "document-text"
    DONE = "done"
    EXPAND = "expand"
    FILE = "file"
    FIND = "find"
    FIT_PAGE = "fit-page"
    FIT_WIDTH = "fit-width"
    FOLDER = "folder"
    GRANT = "grant"
    HANDOVER = "handover"
    INFO = "info"
    INTAKE = "intake"
    KEY = "key"
    LOCK = "lock"
    MOON = "moon"
    MORE = "more"
    NEXT = "next"
    NOTE = "note"
    OWN = "own"
    PALETTE = "palette"
    PEOPLE = "people"
    PREMISES = "premises"
    PREVIOUS = "previous"
    RECALL = "recall"
    REFUSE = "refuse"
    RETRY = "retry"
    ROTATE = "rotate"
    SEARCH = "search"
    SHIELD_DETECTED = "shield-detected"
    SHIELD_ENFORCED = "shield-enforced"
    SHIELD_UNAVAILABLE = "shield-unavailable"
    SIGN_OUT = "sign-out"
    SUN = "sun"
    UNIT = "unit"
    USER = "user"
    WAIT = "wait"
    WARNING = "warning"
    WORKSTATION = "workstation"
    ZOOM_IN = "zoom-in"
    ZOOM_OUT = "zoom-out"


_SIZES_PX = (16, 20, 24, 32)

_held: list[QPaintDevice] | None = None  # whose icons wait; None when none has to


def hold() -> None:
    """Leave the places of icons empty from now on: before the first window is painted."""
    global _held  # noqa: PLW0603 -- one first paint in the life of a process
    _held = []


def release() -> None:
    """Draw icons from now on, and those that were held back with the event loop's next paint."""
    global _held
    waiting, _held = _held or [], None
    for device in waiting:
        if isinstance(device, QWidget) and shiboken6.isValid(device):
            device.update()


@lru_cache(maxsize=512)
def _drawn(name: IconName, hex_colour: str, side_px: int) -> QImage:
    from PySide6.QtCore import QByteArray  # noqa: PLC0415 -- with its enums, as QImage and QtSvg: 5 ms that the first paint need not pay
    from PySide6.QtGui import QImage  # noqa: PLC0415
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415

    try:
        drawing = (RESOURCES / "icons" / f"{name.value}.svg").read_bytes().replace(b"currentColor", hex_colour.encode())
    except OSError as error:
        raise DefectError("icons.file", icon=name.value) from error
    renderer = QSvgRenderer(QByteArray(drawing))
    if not renderer.isValid():
        raise DefectError("icons.file", icon=name.value)
    clear, shape = bytes(4 * side_px * side_px), QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(clear, side_px, side_px, 4 * side_px, shape).copy()  # `fill` builds the enums of Qt: see `painting`
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    return image


def paint_icon(painter: QPainter, at: QRect, name: IconName, tint: QColor) -> None:
    """Paint an icon into a square, as sharp as the screen allows.

    Args:
        painter: on any device; its device pixel ratio is honoured.
        at: where, in logical pixels; the icon is centred in it.
        name: which.
        tint: the stroke's colour.
    """
    if _held is not None:
        _held.append(painter.device())
        return
    side = min(at.width(), at.height())
    ratio = painter.device().devicePixelRatioF()
    target = QRectF(at.x() + (at.width() - side) // 2, at.y() + (at.height() - side) // 2, side, side)
    painter.drawImage(target, _drawn(name, tint.name(), max(1, round(side * ratio))))


def icon(name: IconName, role: Colour = Colour.TEXT) -> QIcon:
    """Give an icon in today's colour for places that take a QIcon (tray, menus, window). Ask again when the scheme changes."""
    from PySide6.QtGui import QIcon, QPixmap  # noqa: PLC0415 -- for the tray and menus, after the first paint

    made = QIcon()
    for side_px in _SIZES_PX:
        for ratio in (1, 2):
            pixmap = QPixmap.fromImage(_drawn(name, theme.colour(role).name(), side_px * ratio))
            pixmap.setDevicePixelRatio(ratio)
            made.addPixmap(pixmap)
    return made
