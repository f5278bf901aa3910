"""Every widget in its states, as pictures: to look at, and for the golden images.

    python -m ui.widgets.gallery --shot DIR [--scheme dark] [--scale 2] [--only NAME]

Rules of this module:

- Synthetic people and cases only. Moments are fixed, so that a picture is the same on every day.
- What stands here is shown in `build/gallery`, never in the product: its words need no entry in `en.toml`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Scheme, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind, IconButton
from ui.widgets.cells import ChipsCell, NumberCell, PersonCell, StatusCell, TimeCell, TitleCell
from ui.widgets.chip import Chip, FilterChip
from ui.widgets.choices import Choice, NumberedChoices
from ui.widgets.chosen_field import ChoiceField, DateTimeField
from ui.widgets.empty_state import EmptyState
from ui.widgets.field import LineField
from ui.widgets.frame import Frame
from ui.widgets.inspector import Fact, Inspector, Section
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.overlay import Overlay
from ui.widgets.painted_text import PaintedText
from ui.widgets.palette import Action
from ui.widgets.passphrase_field import PassphraseField
from ui.widgets.progress_bar import ProgressBar
from ui.widgets.protected_page import ProtectedPage, Zoom
from ui.widgets.protection_strip import ShownProtection
from ui.widgets.qr import QrCode
from ui.widgets.rail import Place
from ui.widgets.record_table import Column, Record, RecordTable
from ui.widgets.sheet import Sheet, SheetKind
from ui.widgets.text_field import TextField
from vault.domain.duration import MINUTE_US
from vault.domain.protection import ProtectionState

NOW_US = 1_795_312_800_000_000  # 22 Nov 2026, 02:00 UTC
_A4_PX = QSize(1240, 1754)
_OPENS = "gallery_opens"


class _Ground(QWidget):
    """A surface to put things on."""

    def __init__(self, role: Colour = Colour.SURFACE_0) -> None:
        super().__init__()
        self._role = role

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(self._role))
        painter.end()


def _column(*widgets: QWidget, role: Colour = Colour.SURFACE_0, spacing: int = 12) -> QWidget:
    ground = _Ground(role)
    column = QVBoxLayout(ground)
    column.setContentsMargins(24, 24, 24, 24)
    column.setSpacing(spacing)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return ground


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return holder


class _IconSheet(QWidget):
    """All icons with their names."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_1))
        for i, name in enumerate(IconName):
            at = QRect(16 + i % 8 * 150, 16 + i // 8 * 56, 24, 24)
            paint_icon(painter, at, name, theme.colour(Colour.TEXT))
            paint_icon(painter, QRect(at.left() + 34, at.top() + 4, 16, 16), name, theme.colour(Colour.TEXT_QUIET))
            painter.setFont(theme.font(TypeSize.TINY))
            painter.setPen(theme.colour(Colour.TEXT_QUIET))
            painter.drawText(at.left(), at.top() + 38, name.value)
        painter.end()


def _buttons() -> QWidget:
    kinds = [_row(*(Button(words, kind, key_hint=hint) for kind, words, hint in _VERBS))]
    disabled = [Button(words, kind) for kind, words, _hint in _VERBS]
    for button in disabled:
        button.setEnabled(False)
    with_icon = [Button("Check out", ButtonKind.PRIMARY, icon=IconName.CHECK_OUT), Button("Recall", icon=IconName.RECALL)]
    icons = [IconButton(name, "Zoom") for name in (IconName.ZOOM_OUT, IconName.ZOOM_IN, IconName.FIT_WIDTH, IconName.ROTATE)]
    chips = [
        Chip("Restricted", Tone.PLAIN),
        Chip("Overdue", Tone.BREACH, IconName.WARNING),
        Chip("Due soon", Tone.ATTENTION, IconName.CLOCK),
        Chip("Chain verified", Tone.PROVEN, IconName.DONE),
        Chip("B-2026-0042", Tone.ACCENT, IconName.BREACHES),
    ]
    bar = ProgressBar()
    bar.set_progress(430)
    filters = [FilterChip("Unacknowledged", on=True), FilterChip("Mine"), FilterChip("High severity", on=True), FilterChip("Today")]
    return _column(*kinds, _row(*disabled), _row(*with_icon, *icons), _row(*chips), _row(*filters), bar, role=Colour.SURFACE_1)


_VERBS = (
    (ButtonKind.PRIMARY, "Check out", "Enter"),
    (ButtonKind.SECONDARY, "Hand over", "H"),
    (ButtonKind.DANGER, "Force return", "Ctrl+Enter"),
    (ButtonKind.GHOST, "Not now", "Esc"),
)


def _fields() -> QWidget:
    badge = LineField("Badge number", digits=True)
    badge.set_value("20417")
    passphrase = PassphraseField("Passphrase")
    passphrase.line.setText("correct horse battery")
    code = LineField("Code", hint="Six digits from your authenticator", digits=True)
    code.set_value("123 45")
    code.set_error("The code has six digits. Type the one shown now.")
    role = ChoiceField("Role", [("officer", "Officer"), ("supervisor", "Supervisor")])
    due = DateTimeField("Due back", NOW_US + 120 * MINUTE_US)
    account = TextField("Your account", hint="What happened, in your own words")
    choices = NumberedChoices(
        [
            Choice("a", "Interview preparation", "assigned to you since 12 Nov"),
            Choice("b", "Court file"),
            Choice("c", "Review by supervisor"),
            Choice("d", "Another purpose", flagged=True),
        ]
    )
    choices.choose(1)
    left = _column(badge, passphrase, code, role, role=Colour.SURFACE_1)
    right = _column(due, account, choices, role=Colour.SURFACE_1)
    return _row(left, right)


def _records(count: int) -> list[Record]:
    titles = (
        "Burglary at Harbour Street warehouse, night of 14 to 15 November",
        "Theft of copper cable, rail depot",
        "Missing person: last seen at Northgate station",
        "Assault outside the Old Mill, three witnesses, one of them under sixteen and heard with a guardian present",
    )
    people = (
        ("Ana Petrović", "20417", "Robbery"),
        ("Maximiliana Featherstonehaugh-Cholmondeley", "31902", "Major Crime Review"),
        ("عبد الرحمن الهاشمي", "11873", "Missing persons"),
        ("Jo Li", "20018", "Patrol North"),
    )
    states = (
        (StatusCell("In vault", Tone.PLAIN, IconName.LOCK), Tone.PLAIN),
        (StatusCell("Checked out", Tone.ACCENT, IconName.CHECK_OUT), Tone.ACCENT),
        (StatusCell("Overdue", Tone.BREACH, IconName.WARNING), Tone.BREACH),
        (StatusCell("Due soon", Tone.ATTENTION, IconName.CLOCK), Tone.ATTENTION),
    )
    found = []
    for i in range(count):
        status, tone = states[i % 4]
        found.append(
            Record(
                key=str(i),
                cells=(
                    NumberCell(f"2026-{4211 + i * 7:05}"),
                    TitleCell(titles[i % 4], "12 documents" if i % 3 == 0 else "", IconName.CASE),
                    status,
                    PersonCell(*people[i % 4]),
                    TimeCell(NOW_US - (7 + i * 411) * MINUTE_US),
                    ChipsCell((("Restricted", Tone.ATTENTION), ("Juvenile", Tone.PLAIN)) if i % 2 else (("Official", Tone.PLAIN),)),
                ),
                tone=tone,
            )
        )
    return found


def _table(count: int, *, dense: bool = False) -> RecordTable:
    table = RecordTable(
        [
            Column("Number", 92),
            Column("Case", 220, stretch=3),
            Column("State", 110, drop=1),
            Column("Holder", 210, stretch=1, drop=2),
            Column("Last act", 150, drop=3),
            Column("Marking", 150, drop=4),
        ],
        dense=dense,
        name="Cases",
    )
    if count <= 1_600:  # noqa: PLR2004 -- what fits in memory, see record_table
        table.set_records(_records(count))
    else:
        table.reset(count)
    return table


def page_picture(size: QSize = _A4_PX) -> QImage:
    """Paint a synthetic page: paper with lines of words, so that scaling shows."""
    picture = QImage(size, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    face = theme.font(TypeSize.DISPLAY, Weight.STRONG)
    painter.setFont(face)
    painter.setPen(Qt.GlobalColor.black)
    painter.drawText(120, 160, "Statement of witness")
    painter.setFont(theme.font(TypeSize.TITLE))
    for line in range(44):
        painter.drawText(
            120,
            230 + line * 32,
            f"{line + 1:02}  I was on my way from the harbour when the lights of the warehouse went out, and then on again.",
        )
    painter.setOpacity(0.14)
    for row in range(6):
        painter.save()
        painter.translate(140, 380 + row * 280)
        painter.rotate(-24)
        painter.drawText(0, 0, "Ana Petrović · 20417 · Desk 3 · C-1042 · 02:00    Ana Petrović · 20417 · Desk 3 · C-1042 · 02:00")
        painter.restore()
    painter.end()
    return picture


def _page() -> QWidget:
    page = ProtectedPage()
    page.resize(900, 620)
    page.show_page(3, page_picture())
    page.set_highlights([QRectF(0.12, 0.128, 0.2, 0.016), QRectF(0.12, 0.2, 0.3, 0.016)], current=1)
    return page


def _page_fit() -> QWidget:
    page = ProtectedPage()
    page.set_zoom(Zoom.FIT_PAGE)
    page.show_page(3, page_picture())
    return page


def _blanked() -> QWidget:
    page = ProtectedPage()
    page.blank("Page hidden", "The window lost the focus. Come back to it and the page is shown again.")
    return page


def _notices() -> QWidget:
    low, high = NoticeBar(), NoticeBar()
    low.show_notice(
        "Copying was blocked",
        "Ctrl+C was pressed while a page was shown. This was recorded as report B-2026-0042.",
        icon=IconName.BREACHES,
        action="If this was a mistake, say so",
    )
    high.show_notice("The file was closed", "Another process copied the vault.", tone=Tone.BREACH, icon=IconName.WARNING)
    empty = EmptyState(IconName.DESK, "Nothing checked out.", "Press Ctrl+F to find a case.", "Find a case", key_hint="Ctrl+F")
    empty.setMinimumHeight(240)
    return _column(low, high, empty, role=Colour.SURFACE_1)


def _inspector() -> QWidget:
    panel = Inspector()
    panel.show_facts(
        "Assault outside the Old Mill, three witnesses, one of them under sixteen",
        [
            Section(
                "",
                (
                    Fact("Number", "2026-04211", tabular=True),
                    Fact("State", "Overdue", Tone.BREACH, IconName.WARNING),
                    Fact("Officer in charge", "Maximiliana Featherstonehaugh-Cholmondeley, 31902, Major Crime Review"),
                    Fact("Marking", "Restricted"),
                ),
            ),
            Section("Evidence", (Fact("SHA-256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", mono=True),)),
        ],
    )
    panel.verbs.addWidget(Button("Check out", ButtonKind.PRIMARY, key_hint="Enter"))
    return panel


def _frame() -> Frame:
    frame = Frame("Northgate station")
    frame.top.show_person("Ana Petrović", "20417", "Officer")
    frame.rail.set_places(
        [
            Place("desk", "My desk", IconName.DESK),
            Place("find", "Find", IconName.FIND),
            Place("intake", "Intake", IconName.INTAKE),
            Place("breaches", "Breaches", IconName.BREACHES),
            Place("custody", "Custody", IconName.CUSTODY),
            Place("audit", "Audit", IconName.AUDIT),
            Place("people", "People", IconName.PEOPLE),
        ]
    )
    frame.rail.set_current("desk")
    frame.rail.set_count("breaches", 3, Tone.BREACH)
    frame.rail.set_count("custody", 12)
    frame.strip.set_protections(
        [
            ShownProtection(
                "copy", "Copy keys", ProtectionState.ENFORCED, "Copy, cut, print and save keys are blocked.", "Cameras are not."
            ),
            ShownProtection(
                "clip", "Clipboard", ProtectionState.DETECTED, "A changed clipboard is noticed within 1 s.", "It is not prevented."
            ),
            ShownProtection(
                "store", "Vault files", ProtectionState.DETECTED, "Opening the vault's files is noticed.", "It is not prevented."
            ),
            ShownProtection("shot", "Capture", ProtectionState.UNAVAILABLE, "Nothing hides this window from capture here.", "Use a kiosk."),
        ]
    )
    frame.strip.set_premises("On the premises", Tone.PROVEN)
    frame.strip.set_lease("2 h 10 min left")
    table = _table(40)
    frame.content.addWidget(table)
    return frame


def _frame_inspected() -> QWidget:
    frame = _frame()
    frame.inspector.show_facts("Burglary at Harbour Street warehouse", [Section("", (Fact("Number", "2026-04211", tabular=True),))])
    frame.show_inspector(shown=True)
    return frame


def _frame_loading() -> QWidget:
    frame = _frame()
    frame.content.addWidget(table := _table(10_000, dense=True))
    frame.content.setCurrentWidget(table)
    return frame


def _open_when_shown(overlay: Overlay) -> None:
    overlay.setProperty(_OPENS, True)


def _check_out_sheet() -> QWidget:
    frame = _frame()
    sheet = Sheet(frame, "Check out", "Check out")
    title = PaintedText(weight=Weight.MEDIUM)
    title.show_text("2026-04211  Assault outside the Old Mill, three witnesses, one of them under sixteen")
    choices = NumberedChoices(
        [Choice("a", "Interview preparation"), Choice("b", "Court file"), Choice("c", "Another purpose", flagged=True)]
    )
    choices.choose(0)
    sheet.body.addWidget(title)
    sheet.body.addWidget(choices)
    sheet.body.addWidget(DateTimeField("Due back", NOW_US + 120 * MINUTE_US))
    sheet.body.addWidget(Label("Every page you open is recorded.", role=Colour.TEXT_QUIET))
    _open_when_shown(sheet)
    return frame


def _danger_sheet() -> QWidget:
    frame = _frame()
    sheet = Sheet(
        frame,
        "Force the return of this file",
        "Force return",
        kind=SheetKind.DANGER,
        harm="The page on the holder's screen goes at once. What they have not noted is lost to them.",
    )
    sheet.body.addWidget(TextField("Reason", hint="Goes into the custody history"))
    _open_when_shown(sheet)
    sheet.show_error("Not returned", "The store is busy. Try again.")
    return frame


def _form_sheet() -> QWidget:
    ground = _Ground()
    sheet = Sheet(ground, "Check out", "Check out")
    sheet.body.addWidget(NumberedChoices([Choice("a", "Interview preparation"), Choice("b", "Court file")]))
    sheet.body.addWidget(LineField("Reason", hint="Goes into the custody history"))
    _open_when_shown(sheet)
    return ground


def _palette() -> QWidget:
    frame = _frame()
    frame.palette_overlay.set_actions(
        [
            Action("desk", "Go to my desk", IconName.DESK, "Ctrl+1", "Places"),
            Action("find", "Find a case", IconName.FIND, "Ctrl+F", "Places"),
            Action("in", "Check in", IconName.CHECK_IN, "Ctrl+Return", "Custody"),
            Action("lock", "Lock", IconName.LOCK, "Ctrl+L", "Session"),
            Action("theme", "Dark colours", IconName.MOON, "", "View"),
        ]
    )
    _open_when_shown(frame.palette_overlay)
    return frame


def _type() -> QWidget:
    lines: list[QWidget] = [Label(f"{size.value} 0123456789 18\u202f204 Check out", size) for size in TypeSize]
    lines += [Label("strong 0123", weight=Weight.STRONG), Label("medium 0123", weight=Weight.MEDIUM)]
    lines += [Label("tabular 1111 0000", tabular=True), Label("mono 9f86d081", mono=True)]
    grid_holder, grid = QWidget(), QGridLayout()
    grid_holder.setLayout(grid)
    for i, role in enumerate(Colour):
        swatch = _Ground(role)
        swatch.setFixedSize(72, 28)
        grid.addWidget(swatch, i // 4, i % 4 * 2)
        grid.addWidget(Label(role.value, TypeSize.TINY), i // 4, i % 4 * 2 + 1)
    return _column(*lines, grid_holder, role=Colour.SURFACE_1)


def _qr() -> QWidget:
    code = QrCode()
    code.show_matrix([[(x * 7 + y * 11 + x * y) % 3 == 0 for x in range(33)] for y in range(33)])
    return _column(code)


SCENES: dict[str, tuple[Callable[[], QWidget], QSize]] = {
    "icons": (_IconSheet, QSize(1220, 470)),
    "type": (_type, QSize(760, 620)),
    "buttons": (_buttons, QSize(760, 300)),
    "fields": (_fields, QSize(860, 440)),
    "table": (lambda: _table(14), QSize(1100, 480)),
    "table-narrow": (lambda: _table(14, dense=True), QSize(460, 300)),
    "page": (_page, QSize(900, 620)),
    "page-fit": (_page_fit, QSize(900, 620)),
    "page-blanked": (_blanked, QSize(700, 420)),
    "notices": (_notices, QSize(900, 460)),
    "inspector": (_inspector, QSize(320, 520)),
    "qr": (_qr, QSize(280, 280)),
    "frame": (_frame, QSize(1280, 720)),
    "frame-inspected": (_frame_inspected, QSize(1280, 720)),
    "frame-loading": (_frame_loading, QSize(1280, 720)),
    "frame-small": (_frame_inspected, QSize(640, 360)),
    "sheet": (_check_out_sheet, QSize(1280, 720)),
    "sheet-small": (_check_out_sheet, QSize(640, 360)),
    "sheet-form": (_form_sheet, QSize(560, 400)),
    "sheet-danger": (_danger_sheet, QSize(1280, 720)),
    "palette": (_palette, QSize(1280, 720)),
}


def stop_the_clock() -> None:
    """Let every picture be taken at `NOW_US`, in UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    strings.now_us = lambda: NOW_US


def shoot(name: str) -> QImage:
    """Give the picture of a scene as it stands in the scheme applied now."""
    make, size = SCENES[name]
    widget = make()
    widget.resize(size)
    widget.show()
    QApplication.processEvents()
    for overlay in widget.findChildren(Overlay):
        if overlay.property(_OPENS):
            overlay.open_over()
    QApplication.processEvents()
    picture = widget.grab().toImage()
    widget.close()
    widget.deleteLater()
    QApplication.processEvents()
    return picture


def main(arguments: Sequence[str]) -> int:
    """Write the pictures. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="gallery")
    parser.add_argument("--shot", type=Path, required=True, metavar="DIR")
    parser.add_argument("--scheme", choices=[scheme.value for scheme in Scheme], default="light")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--only", default="")
    chosen = parser.parse_args(arguments)
    os.environ["QT_SCALE_FACTOR"] = chosen.scale
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(["gallery"])
    theme.apply_theme(app, Scheme(chosen.scheme))
    stop_the_clock()
    chosen.shot.mkdir(parents=True, exist_ok=True)
    for name in SCENES:
        if not chosen.only or name in chosen.only.split(","):
            shoot(name).save(str(chosen.shot / f"{name}-{chosen.scheme}-{chosen.scale}x.png"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
