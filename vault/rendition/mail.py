"""E-mail as a document: who, to whom, when, about what, what it says, and what came with it.

Rules:

- Every message that has a header is shown, however malformed; a field that cannot be decoded is shown as it stands.
- The plain text is shown where there is one, else the HTML reduced to text here. Nothing remote is ever fetched; addresses of links are
  shown, because a link's text may lie about them.
- Attachments are listed by name, type and size, and not opened: also those of an alternative that is not shown, where some programs put
  them, and a part that says it has parts and names no boundary is shown as it stands.
"""

from __future__ import annotations

import contextlib
import email.generator  # noqa: F401 -- `bytes(part)` imports it late, when the sandbox has closed
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from html.parser import HTMLParser
from typing import Final

from vault.errors import RefusedError
from vault.rendition import legacy_encoding
from vault.rendition.blocks import BlockReader
from vault.rendition.fonts import FontSet
from vault.rendition.text import guess_encoding
from vault.rendition.typeset import LETTER, Line, TypesetDocument, Typesetter

_MAIL_BYTES_MAX: Final = 96 * 1024 * 1024
_HEADER_CHARACTERS_MAX: Final = 4000
_REPEATS_MAX: Final = 20
_ATTACHMENTS_MAX: Final = 500
_SHOWN_HEADERS: Final = ("From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")
_KNOWN_HEADERS: Final = frozenset(
    """
    from sender to cc bcc reply-to date subject received return-path message-id mime-version content-type
    content-transfer-encoding delivered-to x-mailer x-original-to in-reply-to references dkim-signature envelope-to
    x-received list-id
""".split()  # noqa: SIM905 -- one a line would be longer than the code
)
_BEFORE_HEADER: Final = b"\xef\xbb\xbf\r\n"
_HEADER_LINE: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
_KNOWN_FOR_CERTAIN: Final = 2
_LABEL_WIDTH_PT: Final = 64.0
_META_CHARSET: Final = re.compile(rb"<meta\b[^>]*\bcharset\s*=\s*[\"']?([\w.:-]+)", re.ASCII | re.IGNORECASE)
_META_BYTES_MAX: Final = 4096
_WHITESPACE: Final = re.compile(r"\s+")
_BYTES_PER_KIBIBYTE: Final = 1024


class MailDocument(TypesetDocument):
    """An e-mail message."""

    def __init__(self, reader: BlockReader, fonts: FontSet) -> None:
        """Parse and lay out.

        Raises:
            RefusedError: document.too-large, document.damaged (parts nested past all sense).
        """
        if reader.size_bytes > _MAIL_BYTES_MAX:
            raise RefusedError("document.too-large")
        try:
            typesetter = Typesetter(fonts, LETTER)
            super().__init__(_lines(parsed(reader.read(0, reader.size_bytes)), typesetter), typesetter, fonts, LETTER)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise RefusedError("document.damaged") from error


def looks_like_mail(head: bytes, *, hinted: bool) -> bool:
    """Whether a file begins with mail headers: two known ones, or one if its name says mail."""
    known: set[bytes] = set()
    for line in re.split(rb"\r\n|\n|\r", head.lstrip(_BEFORE_HEADER)):
        field = _HEADER_LINE.match(line)
        if field is not None:
            known.add(field[1].lower())
        elif not line or not (line.startswith((b" ", b"\t", b"From ", b">From ")) or hinted):
            break
    return len({name for name in known if name.decode("ascii", "replace") in _KNOWN_HEADERS}) >= (1 if hinted else _KNOWN_FOR_CERTAIN)


def parsed(data: bytes) -> Message:
    """Parse a message. What `looks_like_mail` looks over, a byte order mark or empty lines before the header, is not part of it."""
    return BytesParser(policy=compat32).parsebytes(data.lstrip(_BEFORE_HEADER))


def shown_texts(message: Message) -> tuple[list[str], list[str]]:
    """What is shown of a message below its header: its texts, and a line for each attachment."""
    attachments: list[str] = []
    bodies = list(_bodies(message, attachments))
    return [_shown(body) for body in bodies], attachments


def _shown(body: Message) -> str:
    """A body's text, and before it that its encoding is a guess, where it is one."""
    text, note = _read(body)
    if body.get_content_type() == "text/html":
        text = reduced_html(text)
    return f"{note}\n\n{text}" if note else text


def _lines(message: Message, typesetter: Typesetter) -> Iterator[Line]:
    # Not `get_all`: for a field with 8-bit bytes it answers with a Header in which those are lost.
    fields = [(name.lower(), value) for name, value in message.raw_items()]
    notes: dict[str, None] = {}
    for name in _SHOWN_HEADERS:
        for value in [value for field, value in fields if field == name.lower()][:_REPEATS_MAX]:
            words, note = _read_header(value)
            notes |= {note: None} if note else {}
            yield from typesetter.wrap(words, name, _LABEL_WIDTH_PT)
    for note in notes:
        yield from typesetter.wrap(note, "", _LABEL_WIDTH_PT)
    texts, attachments = shown_texts(message)
    # Before the text: a long one is cut at its last page, and what came with a message must not be lost with it.
    for number, attachment in enumerate(attachments[:_ATTACHMENTS_MAX]):
        yield from typesetter.wrap(attachment, "" if number else "Attached", _LABEL_WIDTH_PT)
    if len(attachments) > _ATTACHMENTS_MAX:
        yield Line(f"+ {len(attachments) - _ATTACHMENTS_MAX}", "", _LABEL_WIDTH_PT)
    for text in texts:
        yield Line("")
        for paragraph in text.splitlines():
            yield from typesetter.wrap(paragraph)


def decoded_header(value: object) -> str:
    """Decode a header field as far as it can be decoded, on one line."""
    return _read_header(value)[0]


def _read_header(value: object) -> tuple[str, str]:
    """A header field decoded, and a note that its encoding is a guess, where it is one."""
    note = ""
    raw = str(value)[:_HEADER_CHARACTERS_MAX]
    if any("\ud800" <= character <= "\udfff" for character in raw):  # 8-bit bytes where only ASCII is allowed
        data = raw.encode("ascii", "surrogateescape") if raw.isascii() or _only_escapes(raw) else raw.encode("utf-8", "replace")
        raw, note = _decoded(data, None)
    try:
        parts = decode_header(_WHITESPACE.sub(" ", raw))
    except Exception:  # email.errors, binascii.Error and more: shown undecoded
        return _WHITESPACE.sub(" ", raw).strip(), note
    words = [(part, "") if isinstance(part, str) else _decoded(part, charset) for part, charset in parts]
    notes = [note, *(one for _, one in words)]
    return _WHITESPACE.sub(" ", "".join(text for text, _ in words)).strip(), next(filter(None, notes), "")


def _only_escapes(text: str) -> bool:
    return all(character.isascii() or "\udc80" <= character <= "\udcff" for character in text)


def _decoded(data: bytes, charset: str | None) -> tuple[str, str]:
    """Decode bytes by the charset they claim, else by what they look like; and a note, where that is a guess."""
    with contextlib.suppress(LookupError, UnicodeError, ValueError):
        return data.decode(charset or "ascii"), ""
    encoding = guess_encoding(data, whole=True)
    return data.decode(encoding, "replace"), legacy_encoding.note(encoding)


def _bodies(message: Message, attachments: list[str]) -> Iterator[Message]:
    """Give the readable parts in order, one of each alternative, and collect what is attached."""
    if message.get_content_type() == "message/rfc822" or _is_attachment(message):
        attachments.append(_describe(message))
    elif message.is_multipart():
        parts = [part for part in message.get_payload() if isinstance(part, Message)]
        shown = _best_alternative(parts) if message.get_content_type() == "multipart/alternative" else parts
        for part in parts:
            bodies = _bodies(part, attachments)
            if part in shown:
                if message.get_content_maintype() == "message":  # a delivery status or receipt: it says what it says in fields
                    yield _fields(part)
                yield from bodies
            else:
                list(bodies)  # another way to say the same; what is attached to it is listed
    elif message.get_content_maintype() in {"text", "multipart"}:
        yield message
    else:
        attachments.append(_describe(message))


def _fields(part: Message) -> Message:
    """The header of a part as a text of its own."""
    lines = "\n".join(f"{name}: {decoded_header(value)}" for name, value in part.raw_items())
    text = Message()
    text.set_payload(lines.encode("utf-8", "replace").decode("ascii", "surrogateescape"))  # as the parser hands 8-bit text over
    return text


def _is_attachment(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    return disposition.startswith("attachment") or (part.get_content_maintype() != "multipart" and _file_name(part) != "")


def _best_alternative(parts: list[Message]) -> list[Message]:
    for wanted in ("text/plain", "multipart/", "text/html"):
        best = [part for part in parts if part.get_content_type().startswith(wanted)]
        if best and (wanted != "text/plain" or _text(best[0]).strip()):
            return best[:1]
    return parts[-1:]


def _text(part: Message) -> str:
    return _read(part)[0]


def _read(part: Message) -> tuple[str, str]:
    """The text of a part, and a note that its encoding is a guess, where it is one."""
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # uuencode and base64 of their own making
        payload = None
    if not isinstance(payload, bytes):
        payload = str(part.get_payload()).encode("utf-8", "surrogateescape")
    try:
        charset = part.get_content_charset()
    except Exception:  # a charset parameter that is itself malformed
        charset = None
    if charset is None and part.get_content_type() == "text/html" and (said := _META_CHARSET.search(payload, 0, _META_BYTES_MAX)):
        charset = said[1].decode("ascii")
        if charset.lower().startswith(("utf-16", "utf-32")):  # a page in which that can be read is in neither
            charset = None
    text, note = _decoded(payload, charset)
    return text.replace("\r\n", "\n").replace("\r", "\n"), note


def _file_name(part: Message) -> str:
    try:
        return decoded_header(part.get_filename() or "")
    except Exception:  # RFC 2231 continuations that contradict themselves
        return ""


def _describe(part: Message) -> str:
    name = _file_name(part) or (decoded_header(_inner_subject(part)) if part.get_content_type() == "message/rfc822" else "")
    try:
        payload = part.get_payload(decode=True)
    except Exception:
        payload = None
    size_bytes = len(payload) if isinstance(payload, bytes) else len(bytes(part)) if part.is_multipart() else len(str(part.get_payload()))
    size = f"{size_bytes} bytes" if size_bytes < _BYTES_PER_KIBIBYTE else f"{size_bytes / _BYTES_PER_KIBIBYTE:.1f} KiB"
    return f"{name or '-'}  ({part.get_content_type()}, {size})"


def _inner_subject(part: Message) -> object:
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    return first.get("Subject", "") if isinstance(first, Message) else ""


def reduced_html(html: str) -> str:
    """Reduce HTML to the text a reader would see, links with their address."""
    reducer = _Reducer()
    reducer.feed(html)
    reducer.close()
    return reducer.text()


class _Reducer(HTMLParser):
    """Collects text. Knows blocks, line breaks, table cells, lists, links and pictures' descriptions; all else is transparent."""

    _SILENT = frozenset(("script", "style", "title", "template", "noscript", "svg"))
    _BLOCKS = frozenset(
        """
    address article aside blockquote body center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p
    pre section table tr ul
""".split()  # noqa: SIM905 -- one a line would be longer than the code
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent_tag = ""
        self._link = ""
        self._preformatted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the start of an element."""
        if tag in self._SILENT and not self._silent_tag:
            self._silent_tag = tag
        values = dict(attrs)
        if tag == "br" or tag in self._BLOCKS:
            self._parts.append("\n")
        elif tag == "li":
            self._parts.append("\n- ")
        elif tag in {"td", "th"}:
            self._parts.append("  ")
        elif tag == "a":
            self._link = (values.get("href") or "").strip()
        elif tag == "img" and values.get("alt"):
            self._parts.append(f"[{values['alt']}]")
        self._preformatted = self._preformatted or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        if tag == self._silent_tag:
            self._silent_tag = ""
        if tag in self._BLOCKS:
            self._parts.append("\n")
        if tag == "a" and self._link and not self._link.startswith("#"):
            self._parts.append(f" <{self._link[:500]}>")
            self._link = ""
        if tag == "pre":
            self._preformatted = False

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._silent_tag:
            self._parts.append(data if self._preformatted else _WHITESPACE.sub(" ", data))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Pass over ``<![if ...]>`` and its kin; one that the library's parser does not know is a comment, as browsers have it."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i, report=False)

    def text(self) -> str:
        """Join what was collected, at most one empty line in a row."""
        lines = [line.strip(" ") for line in "".join(self._parts).split("\n")]
        kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
        return "\n".join(kept).strip("\n")
