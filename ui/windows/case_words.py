"""A case file in a row: its cells, its state in icon, word and tone. Shared by My desk, Find and the sheets.

Pure: values in, cells and words out.
"""

from __future__ import annotations

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.cells import Cell, ChipsCell, NumberCell, PersonCell, StatusCell, TitleCell
from ui.widgets.record_table import Column, Record
from ui.windows.naming import isolated
from vault.domain.casefile import DocumentKind, Marking
from vault.services.views import CaseLine, CaseStatus, PersonBrief

_MARKING_TONE = {
    Marking.OFFICIAL: Tone.PLAIN,
    Marking.OFFICIAL_SENSITIVE: Tone.PLAIN,
    Marking.RESTRICTED: Tone.ATTENTION,
    Marking.CONFIDENTIAL: Tone.ATTENTION,
}
_DOCUMENT_ICON = {
    DocumentKind.PDF: IconName.DOCUMENT_PDF,
    DocumentKind.JPEG: IconName.DOCUMENT_IMAGE,
    DocumentKind.PNG: IconName.DOCUMENT_IMAGE,
    DocumentKind.TIFF: IconName.DOCUMENT_IMAGE,
    DocumentKind.TEXT: IconName.DOCUMENT_TEXT,
    DocumentKind.MAIL: IconName.DOCUMENT_MAIL,
}


def columns() -> tuple[Column, ...]:
    """Give the columns of a case list; the number, the title and the state never disappear."""
    return (
        Column(strings.text("case.number"), 96, stretch=1),
        Column(strings.text("case.title"), 200, stretch=6),
        Column(strings.text("case.marking"), 128, drop=2),
        Column(strings.text("case.state"), 132, stretch=2),
        Column(strings.text("case.officer_in_charge"), 180, stretch=2, drop=3),
    )


def record(line: CaseLine) -> Record:
    """Give the row of a case, named by its id."""
    cells: tuple[Cell, ...] = (
        NumberCell(line.rms_number),
        TitleCell(isolated(line.title), line.case_type),
        ChipsCell(((marking(line.marking), _MARKING_TONE[line.marking]),)),
        state_cell(line),
        person_cell(line.officer_in_charge),
    )
    return Record(line.case_id, cells, Tone.ACCENT if line.status is CaseStatus.YOURS else Tone.PLAIN)


def state_cell(line: CaseLine) -> StatusCell:
    """Say where the case file is: in the vault, with you, out with somebody; and whether you wait for it."""
    if line.status is CaseStatus.YOURS:
        return StatusCell(strings.text("case.yours"), Tone.ACCENT, IconName.CASE)
    if line.status is CaseStatus.IN_VAULT:
        return StatusCell(strings.text("case.in_vault"), Tone.PLAIN, IconName.LOCK)
    if line.you_wait:
        return StatusCell(strings.text("case.you_wait"), Tone.ATTENTION, IconName.WAIT)
    holder = strings.text("case.out_with", badge=line.holder.badge_no) if line.holder is not None else strings.text("case.out")
    return StatusCell(holder, Tone.ATTENTION, IconName.CHECK_OUT)


def person_cell(person: PersonBrief | None) -> Cell:
    """Name somebody in a cell, with badge and unit."""
    if person is None:
        return NumberCell("")
    return PersonCell(isolated(person.name), person.badge_no, person.unit_name)


def marking(value: Marking) -> str:
    """Give the marking's word."""
    return strings.text(f"marking.{value.value}")


def marking_tone(value: Marking) -> Tone:
    """Give the tone a marking is shown in."""
    return _MARKING_TONE[value]


def document_icon(kind: DocumentKind) -> IconName:
    """Give the drawing of a document's kind."""
    return _DOCUMENT_ICON[kind]
