"""What crosses the socket pair between [V] and its rendition worker [R].

Rules:

- Each message is 4 bytes of length, little-endian, and a msgpack body that decodes into exactly one of the types below. Never pickle.
- [V] treats what [R] sends as hostile: bounded length, typed decoding, and `client` checks every number before it uses it.
- One call at a time: request, then any number of `Want`/`Range` pairs, then one answer.
"""

from __future__ import annotations

import socket
import time
from typing import Final

import msgspec

from vault.domain.casefile import DocumentKind

RANGE_BYTES_MAX: Final = 1024 * 1024  # one Want
MESSAGE_BYTES_MAX: Final = RANGE_BYTES_MAX + 4096
_HEADER_BYTES: Final = 4


class _Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One message; the class name is its tag."""


class ProbeDocument(_Message, frozen=True):
    """Tell kind and page count, and try page 1."""

    size_bytes: int
    kind_hint: DocumentKind | None


class CountUnshown(_Message, frozen=True):
    """Count what is in a PDF and not on its pages. A request of its own: a page that costs the worker its life costs no more than this."""

    size_bytes: int


class OpenDocument(_Message, frozen=True):
    """Open a document under a handle chosen by the client."""

    handle: int
    size_bytes: int
    kind: DocumentKind


class GetPageSize(_Message, frozen=True):
    """Ask for a page's size in points."""

    handle: int
    page_no: int


class PreparePage(_Message, frozen=True):
    """Render a page into the look-ahead cache, and draw the stamp it will probably be marked with; the page stays unmarked."""

    handle: int
    page_no: int
    dpi: float
    rotation: int
    lines: tuple[str, ...]


class DisclosePage(_Message, frozen=True):
    """Mark a page and write it into a slot."""

    handle: int
    page_no: int
    dpi: float
    rotation: int
    lines: tuple[str, ...]
    slot: int
    chips: bytes


class FencePage(_Message, frozen=True):
    """Mark a page, keep it, and write its veil (`band` is None) or one band of it into a slot."""

    handle: int
    page_no: int
    dpi: float
    rotation: int
    lines: tuple[str, ...]
    slot: int
    chips: bytes
    band: tuple[float, float, float, float] | None


class FindOnPage(_Message, frozen=True):
    """Look for text on one page."""

    handle: int
    page_no: int
    text: str
    hits_max: int


class GetText(_Message, frozen=True):
    """Ask for the text of one page, for assistive technology."""

    handle: int
    page_no: int
    characters_max: int


class ReadPicture(_Message, frozen=True):
    """Parse a picture that is no document of the vault and write its grey pixels into slot 0. A worker that has a document open refuses."""

    size_bytes: int


class CloseDocument(_Message, frozen=True):
    """Forget a document."""

    handle: int


class Range(_Message, frozen=True):
    """The bytes asked for by a `Want`."""

    data: bytes


Request = (
    ProbeDocument
    | CountUnshown
    | OpenDocument
    | GetPageSize
    | PreparePage
    | DisclosePage
    | FencePage
    | FindOnPage
    | GetText
    | ReadPicture
    | CloseDocument
    | Range
)


class Ready(_Message, frozen=True):
    """The worker is up and inside its sandbox."""

    protections: tuple[tuple[str, bool], ...]  # name, enforced


class Want(_Message, frozen=True):
    """The worker needs a range of the document it is working on."""

    offset_bytes: int
    length_bytes: int


class Probed(_Message, frozen=True):
    """Answer to `ProbeDocument`."""

    kind: DocumentKind
    page_count: int


class Counted(_Message, frozen=True):
    """Answer to `CountUnshown`."""

    attached_files: int
    notes: int


class Opened(_Message, frozen=True):
    """Answer to `OpenDocument`."""

    page_count: int


class PageSize(_Message, frozen=True):
    """Answer to `GetPageSize`."""

    width_pt: float
    height_pt: float


class Disclosed(_Message, frozen=True):
    """Answer to `DisclosePage`."""

    width_px: int
    height_px: int
    stride_bytes: int


class Fenced(_Message, frozen=True):
    """Answer to `FencePage`: the size of the whole page, and where in it what was written lies; a veil is `width_px` dots wide."""

    page_width_px: int
    page_height_px: int
    left_px: int
    top_px: int
    width_px: int
    height_px: int


class PictureRead(_Message, frozen=True):
    """Answer to `ReadPicture`: one byte a pixel."""

    width_px: int
    height_px: int


class Found(_Message, frozen=True):
    """Answer to `FindOnPage`: left, top, right, bottom of each hit."""

    rectangles: tuple[tuple[float, float, float, float], ...]


class Text(_Message, frozen=True):
    """Answer to `GetText`."""

    text: str


class Done(_Message, frozen=True):
    """Answer to `PreparePage` and `CloseDocument`."""


class Refused(_Message, frozen=True):
    """The document, or this page of it, is refused."""

    code: str


class Failed(_Message, frozen=True):
    """The worker has a defect. `where` is an exception type, module and line: no content."""

    where: str


Reply = Ready | Want | Probed | Counted | Opened | PageSize | Disclosed | Fenced | Found | Text | PictureRead | Done | Refused | Failed

_encoder: Final = msgspec.msgpack.Encoder()
_requests: Final = msgspec.msgpack.Decoder(Request)
_replies: Final = msgspec.msgpack.Decoder(Reply)


class Channel:
    """One end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, message: Request | Reply, deadline: float | None = None) -> None:
        """Send one message. Raises TimeoutError past `deadline` (time.monotonic), OSError if the other side is gone."""
        body = _encoder.encode(message)
        self._limit_to(deadline)
        self._socket.sendall(len(body).to_bytes(_HEADER_BYTES, "little") + body)

    def receive_request(self) -> Request:
        """Wait for the next request. Raises EOFError if the client is gone."""
        request: Request = _requests.decode(self._receive(None))
        return request

    def receive_reply(self, deadline: float) -> Reply:
        """Wait for a reply until `deadline`. Raises TimeoutError, EOFError, OSError, msgspec.MsgspecError."""
        reply: Reply = _replies.decode(self._receive(deadline))
        return reply

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _receive(self, deadline: float | None) -> bytearray:
        size_bytes = int.from_bytes(self._receive_exactly(_HEADER_BYTES, deadline), "little")
        if size_bytes > MESSAGE_BYTES_MAX:
            raise msgspec.MsgspecError("message too long")
        return self._receive_exactly(size_bytes, deadline)

    def _receive_exactly(self, size_bytes: int, deadline: float | None) -> bytearray:
        data = bytearray(size_bytes)
        view = memoryview(data)
        filled = 0
        while filled < size_bytes:
            self._limit_to(deadline)
            count = self._socket.recv_into(view[filled:])
            if count == 0:
                raise EOFError
            filled += count
        return data

    def _limit_to(self, deadline: float | None) -> None:
        if deadline is None:  # the worker's end stays as it is: its sandbox does not let it change the mode of a descriptor
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
