"""PDF pages through pdfium. The only module, with `typeset` beside it, that calls pypdfium2.

Rules:

- What bare ``pypdfium2.PdfDocument`` opens is opened; a page that cannot be rendered refuses by itself.
- The document is read through a callback in the ranges pdfium asks for, never whole.
- Form fields and annotations are drawn as they are stored; no script runs (this pdfium has no JavaScript) and no link is followed.
- What lies in a document and is not on its pages is counted, to be told of: attached files, sounds and films, and the words of notes.
- Every pdfium callback exists before the sandbox closes: it cannot make executable memory afterwards.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import pypdfium2_raw as pdfium

from vault.domain.folding import folded
from vault.errors import RefusedError
from vault.rendition.blocks import BlockReader
from vault.rendition.canvas import Canvas, Rectangle
from vault.services.rendition import Rotation

Handle = Any  # a pdfium pointer; ctypes gives them no type a checker could use

_ERROR_PASSWORD: Final = 4
_ERROR_SECURITY: Final = 5
_FRACTION_STEPS: Final = 1_000_000  # FPDF_PageToDevice speaks whole pixels: this many a side
_WHITE: Final = 0xFFFFFFFF
_QUARTER_DEGREES: Final = 90
_COUNTING_SECONDS: Final = 1.0
# pdfium tells a page's annotations only after it has read all that is drawn there: scans would be read whole, beside an intake.
COUNTING_BYTES: Final = 16 * 1024 * 1024
_ATTACHED: Final = frozenset(
    (
        pdfium.FPDF_ANNOT_FILEATTACHMENT,
        pdfium.FPDF_ANNOT_SOUND,
        pdfium.FPDF_ANNOT_MOVIE,
        pdfium.FPDF_ANNOT_RICHMEDIA,
        pdfium.FPDF_ANNOT_SCREEN,
        pdfium.FPDF_ANNOT_THREED,
    )
)
# Annotations whose text a reader opens or points at; that of a free text stands on the page, that of a link or a form field is no note.
_NOTED: Final = frozenset(
    (
        pdfium.FPDF_ANNOT_TEXT,
        pdfium.FPDF_ANNOT_LINE,
        pdfium.FPDF_ANNOT_SQUARE,
        pdfium.FPDF_ANNOT_CIRCLE,
        pdfium.FPDF_ANNOT_POLYGON,
        pdfium.FPDF_ANNOT_POLYLINE,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
        pdfium.FPDF_ANNOT_UNDERLINE,
        pdfium.FPDF_ANNOT_SQUIGGLY,
        pdfium.FPDF_ANNOT_STRIKEOUT,
        pdfium.FPDF_ANNOT_STAMP,
        pdfium.FPDF_ANNOT_CARET,
        pdfium.FPDF_ANNOT_INK,
        pdfium.FPDF_ANNOT_REDACT,
    )
)
_EMPTY_TEXT_BYTES: Final = 2  # the zero at its end, in UTF-16
_HYPHEN_AT_END: Final = "\ufffe"  # what pdfium makes of a hyphen and the end of its line
_LONG_WORD_CHARACTERS: Final = 12  # an address or a number in one piece, which a line's end may cut anywhere
_LAST_OF_ONE_UNIT: Final = "\uffff"

# Documents that pdfium may read from, by the number it hands back to the callback.
_readers: dict[int, BlockReader] = {}
_numbers: Final = itertools.count(1)


def start_library(fallback_font: bytes) -> None:
    """Initialise pdfium. Once, before the sandbox closes.

    Args:
        fallback_font: a TrueType font for Chinese and Japanese text whose font is not in the document. All other missing fonts are
            replaced by those built into pdfium. The system's fonts cannot be read, so a page looks the same on every workstation.
    """
    pdfium.FPDF_InitLibraryWithConfig(pdfium.FPDF_LIBRARY_CONFIG(version=2))
    _fallback_fonts.append(fallback_font)
    pdfium.FPDF_SetSystemFontInfo(_font_info)


# What pdfium asks of a system's fonts: there is one, by the handle 1.
_fallback_fonts: Final[list[bytes]] = []
_FALLBACK_HANDLE: Final = 1
_IDEOGRAPHIC_CHARSETS: Final = frozenset((128, 129, 134, 136))  # Shift-JIS, Hangul, GB 2312, Big 5


def _map_font(_info: Handle, _weight: int, _italic: int, charset: int, _pitch: int, _name: Handle, _exact: Handle) -> int | None:
    return _FALLBACK_HANDLE if charset in _IDEOGRAPHIC_CHARSETS else None


def _font_data(_info: Handle, _font: Handle, table: int, buffer: Handle, size_bytes: int) -> int:
    """Give one table of the fallback font, or all of it for table 0; only its length if the buffer is too small."""
    font = _fallback_fonts[0]
    data = font
    if table:
        count = int.from_bytes(font[4:6], "big")
        entries = (font[12 + 16 * index : 28 + 16 * index] for index in range(count))
        entry = next((entry for entry in entries if int.from_bytes(entry[:4], "big") == table), None)
        if entry is None:
            return 0
        start, length = int.from_bytes(entry[8:12], "big"), int.from_bytes(entry[12:16], "big")
        data = font[start : start + length]
    if buffer and size_bytes >= len(data):
        ctypes.memmove(buffer, data, len(data))
    return len(data)


def _callback(name: str, function: Callable[..., object]) -> Handle:
    return dict(pdfium.FPDF_SYSFONTINFO._fields_)[name](function)


_font_info: Final = pdfium.FPDF_SYSFONTINFO(
    version=1,
    Release=_callback("Release", lambda _info: None),
    EnumFonts=_callback("EnumFonts", lambda _info, _mapper: None),
    MapFont=_callback("MapFont", _map_font),
    GetFont=_callback("GetFont", lambda _info, _name: None),
    GetFontData=_callback("GetFontData", _font_data),
    GetFaceName=_callback("GetFaceName", lambda _info, _font, _buffer, _size: 0),
    GetFontCharset=_callback("GetFontCharset", lambda _info, _font: 1),
    DeleteFont=_callback("DeleteFont", lambda _info, _font: None),
)


def _read_block(number: int | None, position: int, buffer: Handle, size_bytes: int) -> int:
    reader = _readers.get(number or 0)
    if reader is None:
        return 0
    data = reader.read(position, size_bytes)
    ctypes.memmove(buffer, data, len(data))
    return int(len(data) == size_bytes)


_ReadBlock: Final = dict(pdfium.FPDF_FILEACCESS._fields_)["m_GetBlock"]
_read_block_callback: Final = _ReadBlock(_read_block)


class PdfDocument:
    """One PDF. Keeps the page used last loaded, because size, render and find follow each other on the same page."""

    def __init__(self, reader: BlockReader) -> None:
        """Open.

        Raises:
            RefusedError: document.encrypted, document.damaged.
        """
        self._number = next(_numbers)
        _readers[self._number] = reader
        self._access = pdfium.FPDF_FILEACCESS(m_FileLen=reader.size_bytes, m_GetBlock=_read_block_callback, m_Param=self._number)
        self._form = None
        self._page = LoadedPage()
        self._document = pdfium.FPDF_LoadCustomDocument(self._access, None)
        page_count = pdfium.FPDF_GetPageCount(self._document) if self._document else 0
        if page_count < 1:
            locked = not self._document and pdfium.FPDF_GetLastError() in (_ERROR_PASSWORD, _ERROR_SECURITY)
            self.close()
            raise RefusedError("document.encrypted" if locked else "document.damaged")
        self._page_count = int(page_count)
        if pdfium.FPDF_GetFormType(self._document) != pdfium.FORMTYPE_NONE:
            self._form_info = pdfium.FPDF_FORMFILLINFO(version=2)
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(self._document, self._form_info)

    @property
    def page_count(self) -> int:
        """How many pages, 1 or more."""
        return self._page_count

    def page_size(self, page_no: int) -> tuple[float, float]:
        """Give the size in points, the page's own /Rotate applied."""
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(self._document, page_no - 1, size):
            raise RefusedError("document.page-refused")
        return float(size.width), float(size.height)

    def render(self, page_no: int, canvas: Canvas, rotation: Rotation) -> None:
        """Paint the page with its annotations and form fields on white."""
        draw_page(self._load(page_no), canvas, rotation, self._form)

    def find(self, page_no: int, text: str, hits_max: int) -> list[Rectangle]:
        """Find `text` on the page."""
        return find_on_page(self._load(page_no), text, hits_max)

    def text(self, page_no: int, characters_max: int) -> str:
        """Give the page's text."""
        return text_of_page(self._load(page_no), characters_max)

    def unshown(self) -> tuple[int, int]:
        """Count attached files and notes that are not on the pages, as far as `_COUNTING_SECONDS` and what may be read reach."""
        attached, notes = max(0, pdfium.FPDFDoc_GetAttachmentCount(self._document)), 0
        until = time.monotonic() + _COUNTING_SECONDS
        for page_no in range(1, self._page_count + 1):
            if time.monotonic() >= until or _readers[self._number].spent:
                break
            try:
                page = self._load(page_no)
            except RefusedError:
                continue
            for index in range(max(0, pdfium.FPDFPage_GetAnnotCount(page))):
                if time.monotonic() >= until:
                    break
                kind, has_words = _annotation(page, index)
                attached += kind in _ATTACHED
                notes += kind in _NOTED and has_words
        return attached, notes

    def rest(self) -> None:
        """Unload the page."""
        self._page.unload()

    def close(self) -> None:
        """Close page, form and document."""
        self._page.unload()
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
            self._form = None
        if self._document:
            pdfium.FPDF_CloseDocument(self._document)
            self._document = None
        _readers.pop(self._number, None)

    def _load(self, page_no: int) -> Handle:
        if self._page.page_no != page_no:
            self._page.unload()
            page = pdfium.FPDF_LoadPage(self._document, page_no - 1)
            if not page:
                raise RefusedError("document.page-refused")
            self._page.keep(page_no, page, self._form)
        return self._page.page


def count_unshown(reader: BlockReader) -> tuple[int, int]:
    """Open a PDF and count the attached files and the notes that are not on its pages.

    LIMIT: there may be more: on a page that cannot be loaded, or was not reached in time or within `COUNTING_BYTES`.
    """
    document = PdfDocument(reader)
    try:
        return document.unshown()
    finally:
        document.close()


def _annotation(page: Handle, index: int) -> tuple[int, bool]:
    """The subtype of an annotation, and whether it has words of its own."""
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    if not annotation:
        return pdfium.FPDF_ANNOT_UNKNOWN, False
    try:
        words_bytes = pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0)
        return pdfium.FPDFAnnot_GetSubtype(annotation), words_bytes > _EMPTY_TEXT_BYTES
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)


class LoadedPage:
    """The one page of a document that is loaded."""

    def __init__(self) -> None:
        self.page_no = 0
        self.page: Handle = None
        self._form: Handle = None

    def keep(self, page_no: int, page: Handle, form: Handle) -> None:
        """Remember a page just loaded and tell the form about it."""
        self.page_no, self.page, self._form = page_no, page, form
        if form:
            pdfium.FORM_OnAfterLoadPage(page, form)

    def unload(self) -> None:
        """Close it, if there is one."""
        if self.page is None:
            return
        if self._form:
            pdfium.FORM_OnBeforeClosePage(self.page, self._form)
        pdfium.FPDF_ClosePage(self.page)
        self.page_no, self.page, self._form = 0, None, None


def draw_page(page: Handle, canvas: Canvas, rotation: Rotation, form: Handle) -> None:
    """Render a loaded page into a canvas.

    Raises:
        RefusedError: document.page-refused, pdfium cannot make the bitmap.
    """
    size = canvas.size
    pixels = (ctypes.c_ubyte * size.size_bytes).from_buffer(canvas.pixels)
    bitmap = pdfium.FPDFBitmap_CreateEx(size.width_px, size.height_px, pdfium.FPDFBitmap_BGRx, pixels, size.stride_bytes)
    if not bitmap:
        raise RefusedError("document.page-refused")
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, size.width_px, size.height_px, _WHITE)
        place = (0, 0, size.width_px, size.height_px, rotation // _QUARTER_DEGREES, pdfium.FPDF_ANNOT)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *place)
        if form:
            pdfium.FPDF_FFLDraw(form, bitmap, page, *place)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)


def find_on_page(page: Handle, text: str, hits_max: int) -> list[Rectangle]:
    """Find `text` on a loaded page as `folded` has it; at most `hits_max` rectangles (a hit over two lines has two).

    A word is found where a line's end cuts it at a hyphen or a stroke, a long one wherever it is cut.
    """
    wanted = _pattern(folded(text))
    text_page = pdfium.FPDFText_LoadPage(page) if wanted.pattern else None
    if not text_page:
        return []
    rectangles: list[Rectangle] = []
    try:
        letters, places = _letters(_text_of(text_page, pdfium.FPDFText_CountChars(text_page)))
        for hit in wanted.finditer(letters):
            first, last = (pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, places[at]) for at in (hit.start(), hit.end() - 1))
            if 0 <= first <= last:
                rectangles += _rectangles(page, text_page, first, last - first + 1)
            if len(rectangles) >= hits_max:
                break
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    return rectangles[:hits_max]


def _pattern(text: str) -> re.Pattern[str]:
    """What finds the words of `text`, one after the other, whatever space is between them."""
    words = []
    for word in text.split():
        cut = f"(?:{_HYPHEN_AT_END}|\n+)?" if len(word) >= _LONG_WORD_CHARACTERS else f"{_HYPHEN_AT_END}?"
        signs = [f"[-{_HYPHEN_AT_END}]\n*" if one == "-" else "/\n*" if one == "/" else re.escape(one) + cut for one in word[:-1]]
        words.append("".join(signs) + (f"[-{_HYPHEN_AT_END}]" if word[-1] == "-" else re.escape(word[-1])))
    return re.compile(r"\s+".join(words))


def _letters(text: str) -> tuple[str, Sequence[int]]:
    """The letters of a page as they are looked for, and of each the number of the UTF-16 unit of `text` that it comes from."""
    text = text.replace("\r", "\n")
    if text.isascii():
        return folded(text), range(len(text))
    folds = {one: folded(one) for one in set(text)}
    places: list[int] = []
    unit = 0
    for one in text:
        places += [unit] * len(folds[one])
        unit += 2 if one > _LAST_OF_ONE_UNIT else 1
    return "".join([folds[one] for one in text]), places


def text_of_page(page: Handle, characters_max: int) -> str:
    """Give the text of a loaded page, in the order the document has it; at most `characters_max` characters."""
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return ""
    try:
        words = _text_of(text_page, min(pdfium.FPDFText_CountChars(text_page), characters_max))
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    return words.replace(_HYPHEN_AT_END, "-\n").replace("\r\n", "\n").replace("\r", "\n")[:characters_max]


def _text_of(text_page: Handle, count: int) -> str:
    """The first `count` characters, as pdfium searches them itself."""
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
    return bytes(buffer)[: max(0, written - 1) * 2].decode("utf-16-le", "replace")


def _rectangles(page: Handle, text_page: Handle, first: int, count: int) -> list[Rectangle]:
    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    found: list[Rectangle] = []
    for index in range(pdfium.FPDFText_CountRects(text_page, first, count)):
        if not pdfium.FPDFText_GetRect(text_page, index, left, top, right, bottom):
            continue
        (x0, y0), (x1, y1) = _fraction(page, left.value, top.value), _fraction(page, right.value, bottom.value)
        rectangle = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        if rectangle[0] < rectangle[2] and rectangle[1] < rectangle[3]:
            found.append(rectangle)
    return found


def _fraction(page: Handle, x_pt: float, y_pt: float) -> tuple[float, float]:
    x, y = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _FRACTION_STEPS, _FRACTION_STEPS, 0, x_pt, y_pt, x, y)
    return _clamped(x.value), _clamped(y.value)


def _clamped(steps: int) -> float:
    return min(max(steps / _FRACTION_STEPS, 0.0), 1.0)
