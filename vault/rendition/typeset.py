"""Plain lines set on A4 pages: text and mail become an in-memory PDF, so that they are drawn and searched by the same code as a PDF.

Rules:

- A page is built by pdfium when it is asked for and dropped when the next one is; only the lines are kept.
- Lines wrap between words, long words anywhere; nothing runs off the page.
- At most `PAGES_MAX` pages; a longer text says so in the last line of the last page. The original is kept whole whatever is shown.
- A character without a glyph is a box, and the last page says how many there were.

LIMIT: no joining of Indic letters: such text is shown letter by letter. Lines of right-to-left text begin at the left margin, and are
broken by the letters' own widths: in their joined shapes they may reach a few points into the other margin.
"""

from __future__ import annotations

import bisect
import ctypes
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pypdfium2_raw as pdfium

from vault.errors import RefusedError
from vault.rendition.canvas import Canvas, Rectangle
from vault.rendition.direction import on_paper
from vault.rendition.fonts import Face, FontSet, Glyph
from vault.rendition.joining import joined, plain
from vault.rendition.pdf import Handle, LoadedPage, draw_page, find_on_page, text_of_page
from vault.services.rendition import Rotation

PAGES_MAX: Final = 2000
PAGE_WIDTH_PT: Final = 595.0
PAGE_HEIGHT_PT: Final = 842.0
_MARGIN_PT: Final = 48.0
_TAB_COLUMNS: Final = 8
_LINE_CHARACTERS_MAX: Final = 200  # more than fit on any line
_MEASURED_CHARACTERS: Final = 8192
_WORD_CHARACTERS_MAX: Final = 60
# Made to be invisible: soft hyphen, zero-width and direction marks, byte order mark, variation selectors.
_INVISIBLE: Final = "\r\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufe0e\ufe0f"
# The two sentences a rendition may add. They are part of the page, like a printed form's words, and English for now.
_CUT_NOTE: Final = "[ The text goes on. Shown here: the first {pages} pages. The original is kept whole. ]"
_MISSING_NOTE: Final = "[ Characters without a glyph in the reader's fonts, shown as \u25a1: {count} ]"


@dataclass(frozen=True, slots=True)
class Style:
    """How a document is set."""

    face: Face
    size_pt: float
    leading_pt: float

    @property
    def lines_per_page(self) -> int:
        """How many lines fit between the margins."""
        return int((PAGE_HEIGHT_PT - 2 * _MARGIN_PT) / self.leading_pt)


TYPEWRITER: Final = Style(Face.MONO, 9.0, 11.4)
LETTER: Final = Style(Face.SANS, 10.0, 13.4)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that fits: a bold label at the margin, then the text, `indent_pt` in from the margin."""

    text: str
    label: str = ""
    indent_pt: float = 0.0


PAGE_BREAK: Final = Line("\f")


class Typesetter:
    """Breaks paragraphs into lines and counts what has no glyph."""

    def __init__(self, fonts: FontSet, style: Style) -> None:
        self._fonts = fonts
        self._style = style
        self._glyphs: dict[str, Glyph | None] = dict.fromkeys(_INVISIBLE)
        self._widths_pt = _Widths(self.glyph_width)
        self._known_to_be_there: set[str] = set()
        self.missing_count = 0
        self._columns = int((PAGE_WIDTH_PT - 2 * _MARGIN_PT) / (self.glyph_width("0")))

    def glyph(self, character: str) -> Glyph | None:
        """How the character is shown; None if it is invisible by nature."""
        try:
            return self._glyphs[character]
        except KeyError:
            glyph = self._glyphs[character] = self._fonts.glyph(character, self._style.face)
            return glyph

    def glyph_width(self, character: str) -> float:
        """Advance in points."""
        glyph = self.glyph(character)
        return 0.0 if glyph is None else glyph.advance_em * self._style.size_pt

    def wrap(self, paragraph: str, label: str = "", indent_pt: float = 0.0) -> Iterator[Line]:
        """Break one paragraph (no line ends in it) into lines."""
        text = paragraph.expandtabs(_TAB_COLUMNS).rstrip()
        countable = self._style is TYPEWRITER and text.isascii() and text.isprintable()
        pieces = self._by_columns(text) if countable else self._by_width(text, indent_pt)
        for number, piece in enumerate(pieces):
            yield Line(piece, "" if number else label, indent_pt)

    def _by_columns(self, text: str) -> Iterator[str]:
        """Break typewriter text of plain ASCII, by counting: most of every text file."""
        while len(text) > self._columns:
            cut = text.rfind(" ", self._columns // 2, self._columns + 1)
            if cut < 0:
                cut = self._columns
            yield text[:cut].rstrip()
            text = text[cut:].lstrip(" ")
        yield text

    def _by_width(self, text: str, indent_pt: float) -> Iterator[str]:
        """Break by measure. A stretch of many lines is measured at a time, in C: a text or a mail may be one line of megabytes."""
        self._count_missing(text)
        room_pt = PAGE_WIDTH_PT - 2 * _MARGIN_PT - indent_pt
        start = measured_from = 0
        ends_pt: list[float] = []  # where each character ends, of the stretch from `measured_from`
        while True:
            if min(start + _LINE_CHARACTERS_MAX, len(text)) > measured_from + len(ends_pt):
                measured_from = start
                stretch = text[start : start + _MEASURED_CHARACTERS]
                ends_pt = list(itertools.accumulate(map(self._widths_pt.__getitem__, stretch)))
            before = start - measured_from
            reach_pt = room_pt + (ends_pt[before - 1] if before else 0.0)
            fitting = min(bisect.bisect_right(ends_pt, reach_pt, before) - before, _LINE_CHARACTERS_MAX)
            if start + fitting == len(text):
                break
            cut = start + self._last_break(text[start : start + fitting + 1], max(1, fitting))
            yield text[start:cut].rstrip()
            start = cut + (len(text[cut : cut + 1]) - len(text[cut : cut + 1].lstrip(" ")))
        yield text[start:]

    def _last_break(self, stretch: str, fitting: int) -> int:
        """Find where to break, of a stretch of which `fitting` characters fit: after the last space, hyphen, stroke or ideograph."""
        if stretch[fitting : fitting + 1] == " ":
            return fitting
        if stretch.isascii():
            after = max(stretch.rfind(mark, max(0, fitting - _WORD_CHARACTERS_MAX), fitting) for mark in " -/") + 1
            return after or fitting
        for position in range(fitting, max(fitting - _WORD_CHARACTERS_MAX, 0), -1):
            glyph = self.glyph(stretch[position - 1])
            if stretch[position - 1] in " -/" or (glyph is not None and glyph.face is Face.FALLBACK):
                return position
        return fitting

    def _count_missing(self, text: str) -> None:
        for character in set(text) - self._known_to_be_there:
            glyph = self.glyph(character)
            if glyph is not None and glyph.missing:
                self.missing_count += text.count(character)
            else:
                self._known_to_be_there.add(character)


class _Widths(dict[str, float]):
    """Characters' advances in points, looked up once each."""

    def __init__(self, width: Callable[[str], float]) -> None:
        super().__init__()
        self._width = width

    def __missing__(self, character: str) -> float:
        """Measure a character seen for the first time."""
        width = self[character] = self._width(character)
        return width


class TypesetDocument:
    """Lines on pages."""

    def __init__(self, lines: Iterable[Line], typesetter: Typesetter, fonts: FontSet, style: Style) -> None:
        """Take lines until they end or fill PAGES_MAX pages."""
        self._fonts = fonts
        self._style = style
        self._typesetter = typesetter
        self._pages = _paginate(lines, typesetter, style)
        self._document = pdfium.FPDF_CreateNewDocument()
        if not self._document:
            raise RefusedError("document.too-large")
        self._loaded_fonts: dict[Face, Handle] = {}
        self._page = LoadedPage()

    @property
    def page_count(self) -> int:
        """How many pages, 1 or more."""
        return len(self._pages)

    def page_size(self, page_no: int) -> tuple[float, float]:  # noqa: ARG002
        """A4."""
        return PAGE_WIDTH_PT, PAGE_HEIGHT_PT

    def render(self, page_no: int, canvas: Canvas, rotation: Rotation) -> None:
        """Paint the page."""
        draw_page(self._build(page_no), canvas, rotation, None)

    def find(self, page_no: int, text: str, hits_max: int) -> list[Rectangle]:
        """Find `text` on the page."""
        return find_on_page(self._build(page_no), text, hits_max)

    def text(self, page_no: int, characters_max: int) -> str:
        """Give the page's text."""
        return text_of_page(self._build(page_no), characters_max)

    def rest(self) -> None:
        """Drop the page that is built."""
        if self._page.page is not None:
            self._page.unload()
            pdfium.FPDFPage_Delete(self._document, 0)

    def close(self) -> None:
        """Let go of everything."""
        self.rest()
        for font in self._loaded_fonts.values():
            pdfium.FPDFFont_Close(font)
        self._loaded_fonts.clear()
        if self._document:
            pdfium.FPDF_CloseDocument(self._document)
            self._document = None

    def _build(self, page_no: int) -> Handle:
        if self._page.page_no != page_no:
            self.rest()
            page = pdfium.FPDFPage_New(self._document, 0, PAGE_WIDTH_PT, PAGE_HEIGHT_PT)
            if not page:
                raise RefusedError("document.page-refused")
            self._page.keep(page_no, page, None)
            for row, line in enumerate(self._pages[page_no - 1]):
                y_pt = PAGE_HEIGHT_PT - _MARGIN_PT - self._style.size_pt - row * self._style.leading_pt
                if line.label:
                    self._set(page, line.label, Face.SANS_BOLD, _MARGIN_PT, y_pt)
                self._set(page, line.text, self._style.face, _MARGIN_PT + line.indent_pt, y_pt)
        return self._page.page

    def _set(self, page: Handle, text: str, face: Face, x_pt: float, y_pt: float) -> None:
        """Put one line on the page, a text object for each stretch in one face."""
        run: list[int] = []
        run_face, run_x_pt = face, x_pt
        for character in on_paper(joined(text)):
            glyph = self._glyph(character, face)
            if glyph is None:
                continue
            if glyph.face is not run_face and run:
                self._insert(page, run, run_face, run_x_pt, y_pt)
                run, run_x_pt = [], x_pt
            run_face = glyph.face
            run.append(glyph.number)
            x_pt += glyph.advance_em * self._style.size_pt
        if run:
            self._insert(page, run, run_face, run_x_pt, y_pt)

    def _glyph(self, character: str, face: Face) -> Glyph | None:
        glyph = self._typesetter.glyph(character) if face is self._style.face else self._fonts.glyph(character, face)
        return self._fonts.glyph(plain(character), face) if glyph is not None and glyph.missing and len(plain(character)) == 1 else glyph

    def _insert(self, page: Handle, glyphs: list[int], face: Face, x_pt: float, y_pt: float) -> None:
        text = pdfium.FPDFPageObj_CreateTextObj(self._document, self._font(face), self._style.size_pt)
        if not text:
            raise RefusedError("document.page-refused")
        pdfium.FPDFText_SetCharcodes(text, (ctypes.c_uint32 * len(glyphs))(*glyphs), len(glyphs))
        pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, x_pt, y_pt)
        pdfium.FPDFPage_InsertObject(page, text)

    def _font(self, face: Face) -> Handle:
        """Load a face as a CID font: a character code is then the glyph number, and pdfium derives the way back to text itself."""
        if face not in self._loaded_fonts:
            data = self._fonts.fonts[face].data
            buffer = (ctypes.c_ubyte * len(data)).from_buffer_copy(data)  # pdfium keeps a copy of its own
            font = pdfium.FPDFText_LoadFont(self._document, buffer, len(data), pdfium.FPDF_FONT_TRUETYPE, 1)
            if not font:
                raise RefusedError("document.page-refused")
            self._loaded_fonts[face] = font
        return self._loaded_fonts[face]


def _paginate(lines: Iterable[Line], typesetter: Typesetter, style: Style) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    for line in lines:
        if line is PAGE_BREAK or len(pages[-1]) >= style.lines_per_page:
            if len(pages) == PAGES_MAX:
                pages[-1] = [*pages[-1][: style.lines_per_page - 1], Line(_CUT_NOTE.format(pages=PAGES_MAX))]
                break
            pages.append([])
        if line is not PAGE_BREAK:
            pages[-1].append(line)
    if typesetter.missing_count:
        note = Line(_MISSING_NOTE.format(count=typesetter.missing_count))
        if len(pages[-1]) >= style.lines_per_page and len(pages) < PAGES_MAX:
            pages.append([note])
        else:
            pages[-1] = [*pages[-1][: style.lines_per_page - 2], note, *pages[-1][style.lines_per_page - 1 :]]
    return pages
