"""Plain text as a document, set in typewriter letters as it was written.

Rules:

- The encoding is told by a byte order mark, then UTF-8 if every byte fits, or all but a few, then UTF-16 by its zero bytes, ISO-2022-JP
  by its escapes, else it is guessed (`legacy_encoding`), and the page says so. A byte that does not fit is shown as U+FFFD, never dropped.
- A file is decoded as it is read, and only as far as pages are shown. One that begins in plain ASCII is asked for its encoding again where
  that ends: a long export in Windows-1252 may have its first accent far down.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import Final

from vault.rendition import legacy_encoding
from vault.rendition.blocks import BlockReader
from vault.rendition.fonts import FontSet
from vault.rendition.typeset import PAGE_BREAK, TYPEWRITER, Line, TypesetDocument, Typesetter

_STEP_BYTES: Final = 256 * 1024
_SAMPLE_BYTES: Final = 64 * 1024
_PARAGRAPH_CHARACTERS_MAX: Final = 64 * 1024  # a file that is one line is broken here, so that it is never held whole
_CONTROL_SHARE_MAX: Final = 0.02
_ZERO_SHARE_MIN: Final = 0.2
_UTF_16_BYTES_MIN: Final = 8
_RIGHT_FOR_ONE_WRONG: Final = 10  # hardly two bytes of another encoding in a row are UTF-8: one that was damaged still is
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b") + b"\x7f"


class TextDocument(TypesetDocument):
    """A text file."""

    def __init__(self, reader: BlockReader, fonts: FontSet) -> None:
        """Decode and break into pages, at most PAGES_MAX of them."""
        typesetter = Typesetter(fonts, TYPEWRITER)
        super().__init__(_lines(reader, typesetter), typesetter, fonts, TYPEWRITER)


def looks_like_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text: hardly any control characters, zero bytes only as UTF-16 or UTF-32 has them."""
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    encoding = _told(head)
    if encoding.startswith("utf-16"):
        text = head.decode(encoding, "replace")
        return sum(character.isprintable() or character in "\t\n\f\r" for character in text) > (1 - _CONTROL_SHARE_MAX) * len(text)
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return b"\0" not in head and controls <= _CONTROL_SHARE_MAX * len(head)


def guess_encoding(sample: bytes, *, whole: bool) -> str:
    """Name the encoding of a text by its first bytes; `whole` says that they are all of it."""
    return _told(sample) or _utf_8_or_older(sample, whole=whole)


def _told(sample: bytes) -> str:
    """The encoding that the bytes show beyond doubt, empty if they do not: by a mark, by escapes, by the zeros of UTF-16."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if b"\x1b$" in sample or b"\x1b(J" in sample:
        return "iso2022-jp"
    if len(sample) >= _UTF_16_BYTES_MIN and sample.count(0) >= _ZERO_SHARE_MIN * len(sample):
        return "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
    return ""


def _utf_8_or_older(sample: bytes, *, whole: bool) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        text = sample.decode("utf-8", "replace")
        wrong, right = text.count("\ufffd"), sum(not one.isascii() for one in text)
        return "utf-8" if wrong * _RIGHT_FOR_ONE_WRONG < right else legacy_encoding.guess(sample)
    return "utf-8"


def paragraphs(pieces: Iterator[str]) -> Iterator[str]:
    """Cut decoded text at its line ends (of any system); a form feed stays, at the start of what follows it."""
    rest = ""
    for piece in pieces:
        rest += piece
        ends_in_return = rest.endswith("\r")  # its line feed may come with the next piece
        lines = (rest[:-1] if ends_in_return else rest).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = lines.pop() + ("\r" if ends_in_return else "")
        yield from lines
        while len(rest) > _PARAGRAPH_CHARACTERS_MAX:
            yield rest[:_PARAGRAPH_CHARACTERS_MAX]
            rest = rest[_PARAGRAPH_CHARACTERS_MAX:]
    if rest:
        yield rest.rstrip("\r")


def decoded(reader: BlockReader, note: Callable[[str], None] = lambda _sentence: None) -> Iterator[str]:
    """Give the text of a file, piece by piece; `note` is told, before the piece in which it counts, that its encoding is a guess."""
    sample = reader.read(0, _SAMPLE_BYTES)
    encoding = guess_encoding(sample, whole=len(sample) == reader.size_bytes)
    note(legacy_encoding.note(encoding))
    untold = encoding == "utf-8" and sample.isascii()
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for offset_bytes in range(0, reader.size_bytes, _STEP_BYTES):
        step = reader.read(offset_bytes, _STEP_BYTES)
        if untold and not step.isascii():
            untold = False
            last = offset_bytes + len(step) == reader.size_bytes
            encoding = _utf_8_or_older(step, whole=last)
            note(legacy_encoding.note(encoding))
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(step)
    yield decoder.decode(b"", final=True)


def _lines(reader: BlockReader, typesetter: Typesetter) -> Iterator[Line]:
    notes: list[str] = []
    for paragraph in paragraphs(decoded(reader, notes.append)):
        for note in filter(None, notes):
            yield from typesetter.wrap(note)
            yield Line("")
        notes.clear()
        parts = paragraph.split("\f")
        for number, part in enumerate(parts):
            if number:
                yield PAGE_BREAK
            if part or number == 0:
                yield from typesetter.wrap(part)
