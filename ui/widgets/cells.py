"""What a cell of a record table can be, and how each is painted.

Rules of this module:

- A cell is a frozen value; `paint_cell` is a function of the value, the place and the row's state. Nothing is kept.
- A state is icon, word and colour. A name comes with badge and unit. A time comes with its age.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from vault.domain.duration import MINUTE_US


@dataclass(frozen=True, slots=True)
class NumberCell:
    """A case, report or sequence number, or a count: tabular figures. `mono` for report numbers and hashes."""

    words: str
    mono: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class TitleCell:
    """What the row is, with a quiet remark after it. Case content is allowed here."""

    words: str
    remark: str = ""
    icon: IconName | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class StatusCell:
    """The state: icon, word, tone."""

    words: str
    tone: Tone
    icon: IconName


@dataclass(frozen=True, slots=True)
class PersonCell:
    """Somebody, never by name alone."""

    name: str
    badge_no: str
    unit: str


@dataclass(frozen=True, slots=True)
class TimeCell:
    """A moment in UTC microseconds, local, with its age after it. `due` shows what is left instead, amber when little, red when overdue."""

    at_us: int
    due: bool = False
    with_age: bool = True


@dataclass(frozen=True, slots=True)
class ChipsCell:
    """Tags and marks."""

    chips: tuple[tuple[str, Tone], ...]


Cell = NumberCell | TitleCell | StatusCell | PersonCell | TimeCell | ChipsCell

_ICON_ROOM_PX = 24  # an icon of 16 and what is left free after it
_REMARK_GAP_PX = 10
_FACTS_GAP_PX = 8
_CHIP_PAD_PX = 14  # inside, both sides
_CHIP_GAP_PX = 4
_WIDEST_TIME = "28 Nov 28:58"
_LEFT = Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignRight

DUE_SOON_US = 30 * MINUTE_US
"""What is due back within this is painted as due soon, wherever it is shown."""


def time_px() -> int:
    """Give the width a moment without its age needs, in pixels: a column that cut it would hide the minute."""
    return QFontMetrics(theme.font(tabular=True)).horizontalAdvance(_WIDEST_TIME) + 2


def cut_words(cell: Cell, width_px: int) -> str:
    """Give everything a cell says where `paint_cell` cannot show all of it in `width_px`; nothing where it can, nor for a time."""
    match cell:
        case NumberCell():
            face = theme.font(TypeSize.SMALL, mono=True) if cell.mono else theme.font(weight=Weight.MEDIUM, tabular=True)
            parts = [(cell.words, face, 0)]
        case TitleCell():
            face = theme.font(weight=Weight.STRONG if cell.strong else Weight.REGULAR)
            before = _ICON_ROOM_PX if cell.icon is not None else 0
            parts = [(cell.words, face, before), (cell.remark, theme.font(TypeSize.SMALL), _REMARK_GAP_PX)]
        case StatusCell():
            parts = [(cell.words, theme.font(TypeSize.SMALL, Weight.MEDIUM), painting.ICON_PX + painting.GAP_PX)]
        case PersonCell():
            facts = strings.text("person.badge_and_unit", badge_no=cell.badge_no, unit=cell.unit)
            parts = [(cell.name, theme.font(), 0), (facts, theme.font(TypeSize.SMALL, tabular=True), _FACTS_GAP_PX)]
        case ChipsCell():
            parts = [(words, theme.font(TypeSize.TINY, Weight.MEDIUM), _CHIP_PAD_PX + _CHIP_GAP_PX) for words, _tone in cell.chips]
        case TimeCell():
            return ""
    said = [(words, QFontMetrics(face).horizontalAdvance(words) + before) for words, face, before in parts if words]
    return " · ".join(words for words, _ in said) if sum(width for _, width in said) > width_px else ""


def paint_cell(painter: QPainter, at: QRect, cell: Cell, now_us: int) -> None:
    """Paint one cell into `at`.

    Args:
        painter: on the table's viewport.
        at: the cell without its padding.
        cell: what to paint.
        now_us: UTC microseconds, for ages; one value a paint, so that a column agrees with itself.
    """
    match cell:
        case NumberCell():
            face = theme.font(TypeSize.SMALL, mono=True) if cell.mono else theme.font(weight=Weight.MEDIUM, tabular=True)
            painting.line(painter, at, cell.words, Colour.TEXT, face, _RIGHT if cell.right else _LEFT)
        case TitleCell():
            _paint_title(painter, at, cell)
        case StatusCell():
            face = theme.font(TypeSize.SMALL, Weight.MEDIUM)
            painting.mark(painter, at, cell.icon, cell.words, theme.ink(cell.tone), face)
        case PersonCell():
            facts = strings.text("person.badge_and_unit", badge_no=cell.badge_no, unit=cell.unit)
            _two_strengths(painter, at, cell.name, facts)
        case TimeCell():
            _paint_time(painter, at, cell, now_us)
        case ChipsCell():
            _paint_chips(painter, at, cell)


def _paint_title(painter: QPainter, at: QRect, cell: TitleCell) -> None:
    left = at.left()
    if cell.icon is not None:
        paint_icon(painter, QRect(left, at.top() + (at.height() - 16) // 2, 16, 16), cell.icon, theme.colour(Colour.TEXT_QUIET))
        left += _ICON_ROOM_PX
    face = theme.font(weight=Weight.STRONG if cell.strong else Weight.REGULAR)
    used = painting.line(painter, QRect(left, at.top(), at.right() + 1 - left, at.height()), cell.words, Colour.TEXT, face)
    left += used + _REMARK_GAP_PX
    painting.line(
        painter, QRect(left, at.top(), at.right() + 1 - left, at.height()), cell.remark, Colour.TEXT_QUIET, theme.font(TypeSize.SMALL)
    )


def _two_strengths(painter: QPainter, at: QRect, first: str, second: str) -> None:
    """Paint a name and its facts; when both do not fit the name gives way last, but the facts keep a third."""
    small = theme.font(TypeSize.SMALL, tabular=True)
    facts_width = QFontMetrics(small).horizontalAdvance(second)
    room = max(at.width() - facts_width - _FACTS_GAP_PX, at.width() * 6 // 10)
    used = painting.line(painter, QRect(at.left(), at.top(), room, at.height()), first)
    left = at.left() + used + _FACTS_GAP_PX
    painting.line(painter, QRect(left, at.top(), at.right() + 1 - left, at.height()), second, Colour.TEXT_QUIET, small)


def _paint_time(painter: QPainter, at: QRect, cell: TimeCell, now_us: int) -> None:
    face = theme.font(tabular=True)
    if cell.due:
        left_us = cell.at_us - now_us
        tone = Tone.BREACH if left_us < 0 else Tone.ATTENTION if left_us < DUE_SOON_US else Tone.PLAIN
        icon = IconName.WARNING if left_us < 0 else IconName.CLOCK
        role = theme.ink(tone) if tone is not Tone.PLAIN else Colour.TEXT
        painting.mark(painter, at, icon, strings.duration_left(cell.at_us, now_us), role, face)
        return
    used = painting.line(painter, at, strings.local_time(cell.at_us, now_us), Colour.TEXT, face)
    if cell.with_age:
        left = at.left() + used + _FACTS_GAP_PX
        rest = QRect(left, at.top(), at.right() + 1 - left, at.height())
        painting.line(painter, rest, strings.age(cell.at_us, now_us), Colour.TEXT_QUIET, theme.font(TypeSize.SMALL, tabular=True))


def _paint_chips(painter: QPainter, at: QRect, cell: ChipsCell) -> None:
    face, left = theme.font(TypeSize.TINY, Weight.MEDIUM), at.left()
    metrics = QFontMetrics(face)
    for words, tone in cell.chips:
        width = metrics.horizontalAdvance(words) + _CHIP_PAD_PX
        if left + width > at.right() + 1:
            painting.line(painter, QRect(left, at.top(), at.right() + 1 - left, at.height()), "…", Colour.TEXT_QUIET)
            return
        chip = QRect(left, at.top() + (at.height() - 20) // 2, width, 20)
        painting.panel(painter, chip, theme.ground(tone), radius_px=4)
        painting.line(painter, chip, words, theme.ink(tone), face, Qt.AlignmentFlag.AlignHCenter)
        left += width + _CHIP_GAP_PX
