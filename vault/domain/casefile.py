"""What a case file is: its card, its documents, their kinds and the marking.

All of a card is sealed under the case's own key; the store sees the opaque `CaseId` only.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vault.domain.identity import CaseId, DocumentId, PersonId, UnitId


class DocumentKind(enum.Enum):
    """The kinds intake accepts, told by content, never by file name."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    TEXT = "text"
    MAIL = "mail"


class Marking(enum.Enum):
    """Protective marking, lowest first."""

    OFFICIAL = "official"
    OFFICIAL_SENSITIVE = "official-sensitive"
    RESTRICTED = "restricted"
    CONFIDENTIAL = "confidential"


def is_restricted(marking: Marking) -> bool:
    """Whether a marking asks for more than the ordinary protections: RESTRICTED and what stands above it."""
    return marking in (Marking.RESTRICTED, Marking.CONFIDENTIAL)


@dataclass(frozen=True, slots=True)
class CaseCard:
    """The index card of a case file: everything a register shows about it. Sealed under the card key."""

    case_id: CaseId
    rms_number: str  # the agency's own number, never a key
    title: str
    case_type: str
    officer_in_charge: PersonId
    unit_id: UnitId
    marking: Marking
    persons: tuple[str, ...] = ()  # names of persons in the case
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unshown:
    """What was found in a PDF that is not on its pages, so that nobody takes the pages for all of it. There may be more."""

    attached_files: int  # sounds and films among them
    notes: int  # with words of their own

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.attached_files or self.notes)


NOTHING_UNSHOWN = Unshown(0, 0)


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """What is known of a document in a case file. Sealed under the card key."""

    document_id: DocumentId
    case_id: CaseId
    title: str  # the file's name at intake, without its path
    kind: DocumentKind
    page_count: int
    size_bytes: int
    sha256: str  # lower-case hexadecimal, of the original byte for byte
    taken_in_us: int  # UTC microseconds
    unshown: Unshown = NOTHING_UNSHOWN  # of a card from before it was counted: nothing
