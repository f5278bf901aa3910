"""The rendition port: what reading and intake ask of the process that parses documents, and the values that cross.

Rules:

- A picture comes out only as a page burned with a `Watermark`; find returns rectangles, never text; `text` is for assistive technology
  and asked for by reading alone, under an accommodation.
- Values only. The adapter is `vault.rendition.client.RenditionWorker`; the services never import it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from vault.domain.casefile import NOTHING_UNSHOWN, DocumentKind, Unshown
from vault.domain.protection import ProtectionState


class Rotation(enum.IntEnum):
    """Clockwise turn of a page on screen, in degrees."""

    NONE = 0
    RIGHT = 90
    HALF = 180
    LEFT = 270


class ChunkSource(Protocol):
    """Random access to the decrypted bytes of one document."""

    @property
    def size_bytes(self) -> int:
        """Length of the document."""

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        """Return exactly that range; it always lies within the document. Called on the thread that called the renderer."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """What is burned into every disclosed page: name and badge, workstation, check-out number, minute, in 1 to 6 lines; and the trace."""

    lines: tuple[str, ...]
    chips: bytes = b""  # of the invisible mark, `vault.domain.trace.CHIPS_BYTES`; empty where nothing is disclosed


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document the worker knows by `handle` until it is closed."""

    handle: int
    page_count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A disclosed page in a slot of the page memory: B, G, R, 255 per pixel (QImage Format_RGB32), rows `stride_bytes` apart."""

    slot: int
    page_no: int  # 1-based
    width_px: int
    height_px: int
    stride_bytes: int


Band = tuple[float, float, float, float]  # left, top, right, bottom as fractions 0..1 of a page


@dataclass(frozen=True, slots=True)
class FencedPicture:
    """The veil of a page, or one band of it, in a slot of the page memory; pixels as in `Picture`, rows without a gap."""

    slot: int
    page_width_px: int
    page_height_px: int
    left_px: int  # where the band lies in the page; 0, 0 for a veil
    top_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class GreyPicture:
    """A picture somebody brought, to be traced: one byte a pixel, 0 black to 255 white, rows without a gap."""

    width_px: int
    height_px: int
    pixels: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where the text was found, as fractions 0..1 of the page as it is shown without rotation; left < right, top < bottom."""

    page_no: int  # 1-based
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Searched:
    """What a find brought back."""

    hits: tuple[Hit, ...]
    last_page: int  # the last page looked at: what was found ended the find early if it is before the one asked for
    unsearched: tuple[int, ...]  # pages that could not be looked at, or not to their end; ascending


@dataclass(frozen=True, slots=True)
class Probe:
    """What intake learns of a file: its kind by content, how many pages it has, 1 or more, and what is not on them."""

    kind: DocumentKind
    page_count: int
    unshown: Unshown = NOTHING_UNSHOWN


class Renderer(Protocol):
    """The rendition worker as the services see it. One thread; every call has a deadline and returns or raises by then.

    Raises, from any call that touches a document:
        RefusedError: document.damaged, document.encrypted, document.too-large, document.kind-unsupported, document.empty,
            document.page-refused (this page only), document.worker-crashed, document.worker-timeout.
        UnavailableError: rendition.worker-start.
        whatever the ChunkSource raised, unchanged.
    """

    def start(self) -> None: ...
    def sandbox_state(self) -> tuple[tuple[str, ProtectionState], ...]: ...
    def probe(self, source: ChunkSource, kind_hint: DocumentKind | None = None) -> Probe: ...
    def open(self, source: ChunkSource, kind: DocumentKind) -> OpenedDocument: ...
    def page_size(self, handle: int, page_no: int) -> tuple[float, float]: ...
    def prepare(self, handle: int, page_no: int, dpi: float, rotation: Rotation = Rotation.NONE, mark: Watermark | None = None) -> None: ...
    def disclose(self, handle: int, page_no: int, dpi: float, rotation: Rotation, mark: Watermark, slot: int) -> Picture: ...
    def fence(
        self, handle: int, page_no: int, dpi: float, rotation: Rotation, mark: Watermark, slot: int, band: Band | None
    ) -> FencedPicture: ...
    def find(self, handle: int, text: str, first_page: int, last_page: int) -> Searched: ...
    def text(self, handle: int, page_no: int) -> str: ...
    def close(self, handle: int) -> None: ...
    def end(self) -> None: ...
