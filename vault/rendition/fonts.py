"""The worker's own fonts, in memory: what text and mail are set in, and the watermark.

Rules:

- Only bundled fonts are read (resources/fonts), before the sandbox closes. They are trusted; a document's fonts go to pdfium alone.
- DejaVu for Latin, Greek, Cyrillic, Arabic, Hebrew and more; Droid Sans Fallback for Chinese and Japanese. LIMIT: of the Korean syllables
  it has three; Korean, Thai and the scripts of India are boxes.
- A character none of them has is said to be missing, never silently dropped.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Self

MISSING_BOX: Final = "\u25a1"
_UNITS_PER_EM_AT: Final = 18
_METRIC_COUNT_AT: Final = 34


class Face(enum.Enum):
    """The bundled faces."""

    SANS = "DejaVuSans.ttf"
    SANS_BOLD = "DejaVuSans-Bold.ttf"
    MONO = "DejaVuSansMono.ttf"
    FALLBACK = "DroidSansFallbackFull.ttf"


@dataclass(frozen=True)
class Font:
    """One TrueType font: its bytes for pdfium, its character map and advances for line breaking."""

    data: bytes

    @cached_property
    def glyphs(self) -> dict[int, int]:
        """Character code to glyph number, without the missing glyph."""
        start, _ = self._tables["cmap"]
        (count,) = struct.unpack_from(">H", self.data, start + 2)
        offsets = {struct.unpack_from(">HHL", self.data, start + 4 + 8 * index) for index in range(count)}
        by_format = {struct.unpack_from(">H", self.data, start + offset)[0]: start + offset for _, _, offset in offsets}
        return _read_segments(self.data, by_format[4]) | (_read_groups(self.data, by_format[12]) if 12 in by_format else {})  # noqa: PLR2004

    def advance(self, glyph: int) -> float:
        """Width of a glyph in ems."""
        return self._advances[min(glyph, len(self._advances) - 1)] / self._units_per_em

    @cached_property
    def _tables(self) -> dict[str, tuple[int, int]]:
        (count,) = struct.unpack_from(">H", self.data, 4)
        entries = (struct.unpack_from(">4sLLL", self.data, 12 + 16 * index) for index in range(count))
        return {tag.decode("ascii"): (offset, length) for tag, _, offset, length in entries}

    @cached_property
    def _units_per_em(self) -> int:
        return int(struct.unpack_from(">H", self.data, self._tables["head"][0] + _UNITS_PER_EM_AT)[0])

    @cached_property
    def _advances(self) -> tuple[int, ...]:
        (count,) = struct.unpack_from(">H", self.data, self._tables["hhea"][0] + _METRIC_COUNT_AT)
        return struct.unpack_from(f">{2 * count}H", self.data, self._tables["hmtx"][0])[::2]


def _read_segments(data: bytes, start: int) -> dict[int, int]:
    """Read a format 4 character map (OpenType specification, cmap)."""
    (double,) = struct.unpack_from(">H", data, start + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", data, start + 14)
    starts = struct.unpack_from(f">{count}H", data, start + 16 + double)
    deltas = struct.unpack_from(f">{count}H", data, start + 16 + 2 * double)
    ranges_at = start + 16 + 3 * double
    ranges = struct.unpack_from(f">{count}H", data, ranges_at)
    glyphs: dict[int, int] = {}
    for index in range(count):
        first, last = starts[index], min(ends[index], 0xFFFE)
        if ranges[index] == 0:
            glyphs.update((code, (code + deltas[index]) & 0xFFFF) for code in range(first, last + 1))
            continue
        listed = struct.unpack_from(f">{last - first + 1}H", data, ranges_at + 2 * index + ranges[index]) if first <= last else ()
        glyphs.update((first + step, (glyph + deltas[index]) & 0xFFFF) for step, glyph in enumerate(listed) if glyph)
    return {code: glyph for code, glyph in glyphs.items() if glyph}


def _read_groups(data: bytes, start: int) -> dict[int, int]:
    """Read a format 12 character map."""
    (count,) = struct.unpack_from(">L", data, start + 12)
    glyphs: dict[int, int] = {}
    for index in range(count):
        first, last, glyph = struct.unpack_from(">3L", data, start + 16 + 12 * index)
        glyphs.update((code, glyph + code - first) for code in range(first, last + 1))
    return glyphs


@dataclass(frozen=True, slots=True)
class Glyph:
    """How one character is shown."""

    face: Face
    number: int
    advance_em: float
    missing: bool = False


@dataclass(frozen=True)
class FontSet:
    """All bundled fonts."""

    fonts: dict[Face, Font] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the font files. Before the sandbox closes."""
        return cls({face: Font((folder / face.value).read_bytes()) for face in Face})

    @property
    def watermark(self) -> bytes:
        """The font of the watermark."""
        return self.fonts[Face.SANS_BOLD].data

    def glyph(self, character: str, preferred: Face) -> Glyph:
        """Choose the face and glyph for a character; the box, marked missing, if no face has it."""
        code = ord(character)
        for face in (preferred, Face.SANS, Face.FALLBACK):
            number = self.fonts[face].glyphs.get(code)
            if number is not None:
                return Glyph(face, number, self.fonts[face].advance(number))
        box = self.fonts[preferred].glyphs[ord(MISSING_BOX)]
        return Glyph(preferred, box, self.fonts[preferred].advance(box), missing=True)
