"""The vault process's end of the rendition worker: starts it, feeds it, times it, ends it.

Rules:

- No document is parsed here. The worker asks for ranges of the document it is working on and gets those, of that document only.
- Every call has a deadline. A worker that crashes, hangs, breaks the protocol or passes its memory limit is killed; the call is refused,
  and the next call finds a fresh worker with the documents reopened.
- What the worker says is checked before it is used: it may have been taken over by a document.
- A page leaves as a `Picture` in the page memory, marked; nothing here returns bytes or text.

Threads: one `RenditionWorker` belongs to one thread, which must outlive it (the worker dies with the thread that started it). Reading and
intake each have their own. LIMIT: the client cannot interrupt `ChunkSource.read`; the time it takes counts, and the deadline is enforced
when it returns.
"""

from __future__ import annotations

import importlib.util
import math
import os
import pathlib
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from vault.domain.casefile import NOTHING_UNSHOWN, DocumentKind, Unshown
from vault.domain.protection import ProtectionState
from vault.domain.trace import CHIP_PX, CHIPS_BYTES, LEVELS_MAX, TILE_CHIPS, agreement
from vault.errors import DefectError, RefusedError, UnavailableError
from vault.rendition import messages
from vault.services.page_memory import SLOT_BYTES, SLOT_COUNT, PageMemory
from vault.services.rendition import (
    Band,
    ChunkSource,
    FencedPicture,
    GreyPicture,
    Hit,
    OpenedDocument,
    Picture,
    Probe,
    Rotation,
    Searched,
    Watermark,
)

__all__ = [
    "ChunkSource",
    "Hit",
    "Limits",
    "OpenedDocument",
    "Picture",
    "Probe",
    "RenditionWorker",
    "Rotation",
    "Watermark",
]

FIND_HITS_MAX: Final = 1000
FIND_CHARACTERS_MAX: Final = 200
TEXT_CHARACTERS_MAX: Final = 100_000
WATERMARK_LINES_MAX: Final = 6
DPI_MIN: Final = 4.0
DPI_MAX: Final = 1200.0

_SELF_TEST_DPI: Final = 96.0
_WHITE: Final = 255
_START_SECONDS: Final = 15.0
_PROCESSOR_SECONDS: Final = 3600  # a worker that used an hour is replaced; single calls are bounded by their deadlines
_PAGE_COUNT_MAX: Final = 10_000_000
_UNSHOWN_MAX: Final = 1_000_000_000
_SIZE_PT_MAX: Final = 1e7
_CODES: Final = frozenset(
    f"document.{reason}" for reason in ("empty", "kind-unsupported", "encrypted", "damaged", "too-large", "page-refused")
)
_PROJECT: Final = pathlib.Path(__file__).parents[2]
_FONTS: Final = _PROJECT / "resources" / "fonts"
# -I -S: no environment, no user or site packages, no .pth code; the worker gets the packages it needs by their folders.
_LAUNCH: Final = "import sys; sys.path += sys.argv.pop(1).split('\\n'); from vault.rendition.worker import main; main()"

_Reply = TypeVar("_Reply", bound=messages.Reply)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the worker may use."""

    memory_bytes: int = 1024 * 1024 * 1024  # address space
    open_seconds: float = 10.0
    page_seconds: float = 10.0
    find_page_seconds: float = 5.0
    pixel_max: int = 16 * 1024 * 1024  # one slot at 4 bytes a pixel


@dataclass(slots=True)
class _Document:
    source: ChunkSource
    kind: DocumentKind
    page_count: int
    opened_in: int  # the worker (by its number) that has it open


class RenditionWorker:
    """One sandboxed worker process and the documents open in it. Implements `vault.services.rendition.Renderer`."""

    def __init__(self, page_memory: PageMemory | None, limits: Limits = Limits()) -> None:
        """Start nothing yet. `page_memory` stays the caller's; None for a worker that only probes."""
        self._page_memory = page_memory
        self._limits = limits
        self._documents: dict[int, _Document] = {}
        self._next_handle = 1
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: messages.Channel | None = None
        self._worker_number = 0  # counts the processes started
        self._protections: tuple[tuple[str, ProtectionState], ...] = ()
        self._hostile_pages: set[tuple[int, int]] = set()  # handle, page_no that cost a worker: not prepared ahead again

    # -- life ------------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker now, so that the first document does not wait for it. Nothing happens if it runs.

        Raises:
            UnavailableError: rendition.worker-start.
        """
        if self.is_alive:
            return
        self._kill()
        try:
            self._spawn()
            reply = self._open_channel().receive_reply(time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            self._kill()
            raise UnavailableError("rendition.worker-start") from error
        if not isinstance(reply, messages.Ready):
            self._kill()
            raise UnavailableError("rendition.worker-start")
        self._protections = tuple(
            (name, ProtectionState.ENFORCED if enforced else ProtectionState.UNAVAILABLE) for name, enforced in reply.protections
        )

    @property
    def is_alive(self) -> bool:
        """Whether a worker process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int | None:
        """The worker's process id, for the watch of the processes on each other."""
        return self._process.pid if self._process is not None else None

    def sandbox_state(self) -> tuple[tuple[str, ProtectionState], ...]:
        """Say what the newest worker reported of its sandbox at its start; empty before the first."""
        return self._protections

    def end(self) -> None:
        """Kill and reap the worker and forget its documents. The page memory is the owner's to wipe."""
        self._kill()
        self._documents.clear()
        self._hostile_pages.clear()

    # -- documents -------------------------------------------------------------------------------------------------------------------

    def probe(self, source: ChunkSource, kind_hint: DocumentKind | None = None) -> Probe:
        """Tell what a file is, for intake.

        Args:
            source: the file's bytes.
            kind_hint: what its name suggests; only tells a bare e-mail from plain text.
        Returns:
            Probe: kind by content, page_count >= 1.
        Raises:
            RefusedError: document.empty, document.kind-unsupported, document.encrypted, document.damaged, document.too-large,
                document.worker-crashed, document.worker-timeout.
            UnavailableError: rendition.worker-start.
        """
        if source.size_bytes == 0:
            raise RefusedError("document.empty")
        request = messages.ProbeDocument(source.size_bytes, kind_hint)
        reply = self._call(request, messages.Probed, self._limits.open_seconds + self._limits.page_seconds, source)
        self._check(1 <= reply.page_count <= _PAGE_COUNT_MAX)
        return Probe(reply.kind, reply.page_count, self._unshown(source) if reply.kind is DocumentKind.PDF else NOTHING_UNSHOWN)

    def _unshown(self, source: ChunkSource) -> Unshown:
        """Count what a PDF carries beside its pages. LIMIT: one with a page that fells the worker counts as nothing."""
        try:
            reply = self._call(messages.CountUnshown(source.size_bytes), messages.Counted, self._limits.page_seconds, source)
            self._check(0 <= reply.attached_files <= _UNSHOWN_MAX and 0 <= reply.notes <= _UNSHOWN_MAX)
        except RefusedError as refusal:
            if not refusal.code.startswith("document."):
                raise  # the source's own
            return NOTHING_UNSHOWN
        return Unshown(reply.attached_files, reply.notes)

    def open(self, source: ChunkSource, kind: DocumentKind) -> OpenedDocument:
        """Open a document; `source` is read until `close`.

        Raises:
            RefusedError: as `probe`.
            UnavailableError: rendition.worker-start.
        """
        handle = self._next_handle
        document = _Document(source, kind, 0, 0)
        self._open_in_worker(handle, document)
        self._next_handle += 1
        self._documents[handle] = document
        return OpenedDocument(handle, document.page_count)

    def page_size(self, handle: int, page_no: int) -> tuple[float, float]:
        """Return (width_pt, height_pt) of a page as it is shown without rotation.

        Raises:
            RefusedError: document.page-refused, document.worker-crashed, document.worker-timeout.
        """
        document = self._ready(handle, page_no)
        reply = self._call(messages.GetPageSize(handle, page_no), messages.PageSize, self._limits.page_seconds, document.source)
        self._check(all(math.isfinite(side) and 0 <= side <= _SIZE_PT_MAX for side in (reply.width_pt, reply.height_pt)))
        return reply.width_pt, reply.height_pt

    def prepare(self, handle: int, page_no: int, dpi: float, rotation: Rotation = Rotation.NONE, mark: Watermark | None = None) -> None:
        """Render a page ahead into the worker's private cache, unmarked and undisclosed. A page that fails is left to `disclose`.

        Args:
            mark: its stamp is drawn ahead as well, beside the page; None where the one before will serve.
        """
        if (handle, page_no) in self._hostile_pages:
            return
        try:
            document = self._ready(handle, page_no)
            lines = mark.lines if mark is not None and 1 <= len(mark.lines) <= WATERMARK_LINES_MAX else ()
            request = messages.PreparePage(handle, page_no, _bounded(dpi), int(rotation), lines)
            self._call(request, messages.Done, self._limits.page_seconds, document.source)
        except RefusedError:
            self._hostile_pages.add((handle, page_no))

    def disclose(self, handle: int, page_no: int, dpi: float, rotation: Rotation, mark: Watermark, slot: int) -> Picture:
        """Write one page, watermark burned in, into a slot of the page memory. The audit entry is the caller's, committed before.

        Args:
            handle: from `open`.
            page_no: 1-based.
            dpi: wanted resolution; lowered where the page would pass Limits.pixel_max.
            rotation: clockwise.
            mark: 1 to 6 lines, and the chips of the view's trace; without chips the page bears the lines only.
            slot: 0 <= slot < SLOT_COUNT; what it held is overwritten, also when the call is refused half way.
        Returns:
            Picture: width_px * height_px <= Limits.pixel_max.
        Raises:
            RefusedError: document.page-refused, document.too-large, document.worker-crashed, document.worker-timeout.
        """
        if not 0 <= slot < SLOT_COUNT or not 1 <= len(mark.lines) <= WATERMARK_LINES_MAX or not any(line.strip() for line in mark.lines):
            raise DefectError("rendition.disclose-arguments", slot=slot, lines=len(mark.lines))
        if len(mark.chips) not in (0, CHIPS_BYTES):
            raise DefectError("rendition.disclose-arguments", slot=slot, chips=len(mark.chips))
        document = self._ready(handle, page_no)
        request = messages.DisclosePage(handle, page_no, _bounded(dpi), int(rotation), mark.lines, slot, mark.chips)
        try:
            reply = self._call(request, messages.Disclosed, self._limits.page_seconds, document.source)
        except RefusedError:
            self._hostile_pages.add((handle, page_no))
            raise
        self._check(reply.width_px >= 1 and reply.height_px >= 1 and reply.stride_bytes == reply.width_px * 4)
        self._check(reply.stride_bytes * reply.height_px <= SLOT_BYTES)
        return Picture(slot, page_no, reply.width_px, reply.height_px, reply.stride_bytes)

    def fence(
        self, handle: int, page_no: int, dpi: float, rotation: Rotation, mark: Watermark, slot: int, band: Band | None
    ) -> FencedPicture:
        """Write the veil of a page, or one band of it, into a slot of the page memory; the page itself stays in the worker.

        Args:
            handle, page_no, dpi, rotation, mark, slot: as for `disclose`.
            band: left, top, right, bottom as fractions 0..1 of the page as it is rotated; None for the veil.
        Raises:
            as `disclose`.
        """
        if not 0 <= slot < SLOT_COUNT or (band is not None and not all(math.isfinite(one) for one in band)):
            raise DefectError("rendition.disclose-arguments", slot=slot)
        document = self._ready(handle, page_no)
        request = messages.FencePage(handle, page_no, _bounded(dpi), int(rotation), mark.lines, slot, mark.chips, band)
        try:
            reply = self._call(request, messages.Fenced, self._limits.page_seconds, document.source)
        except RefusedError:
            self._hostile_pages.add((handle, page_no))
            raise
        self._check(reply.page_width_px >= 1 and reply.page_height_px >= 1 and reply.width_px >= 1 and reply.height_px >= 1)
        self._check(reply.left_px >= 0 and reply.top_px >= 0)
        self._check(reply.left_px + reply.width_px <= reply.page_width_px and reply.top_px + reply.height_px <= reply.page_height_px)
        self._check(reply.width_px * reply.height_px * 4 <= SLOT_BYTES)
        return FencedPicture(slot, reply.page_width_px, reply.page_height_px, reply.left_px, reply.top_px, reply.width_px, reply.height_px)

    def text(self, handle: int, page_no: int) -> str:
        """Give the text of one page, at most TEXT_CHARACTERS_MAX characters; empty for a picture. For assistive technology.

        Raises:
            RefusedError: document.page-refused, document.worker-crashed, document.worker-timeout.
        """
        document = self._ready(handle, page_no)
        request = messages.GetText(handle, page_no, TEXT_CHARACTERS_MAX)
        reply = self._call(request, messages.Text, self._limits.page_seconds, document.source)
        self._check(len(reply.text) <= TEXT_CHARACTERS_MAX)
        return reply.text

    def find(self, handle: int, text: str, first_page: int, last_page: int) -> Searched:
        """Look for `text` on a range of pages, as `vault.domain.folding` has it.

        A page that costs the worker its life or its time is passed over and named. After the page on which the find has reached
        FIND_HITS_MAX hits it ends: who asked goes on from there. LIMIT: of one page no more than FIND_HITS_MAX are given; it is named too.

        Args:
            handle: from `open`.
            text: 1 to FIND_CHARACTERS_MAX characters; longer is cut, blank finds nothing.
            first_page: 1-based, included; clamped to the document.
            last_page: included; clamped.
        Returns:
            Searched: fewer than twice FIND_HITS_MAX hits, in page order; never text.
        """
        document = self._known(handle)
        wanted = text.strip()[:FIND_CHARACTERS_MAX]
        hits: list[Hit] = []
        unsearched: list[int] = []
        last_page = min(last_page, document.page_count)
        for page_no in range(max(1, first_page), last_page + 1) if wanted else ():
            if (handle, page_no) in self._hostile_pages:
                unsearched.append(page_no)
                continue
            try:
                on_page = self._find_on(handle, page_no, wanted, FIND_HITS_MAX)
            except RefusedError as refusal:
                unsearched.append(page_no)
                if refusal.code.startswith("document.worker"):
                    self._hostile_pages.add((handle, page_no))
                continue
            hits += on_page
            if len(on_page) == FIND_HITS_MAX:
                unsearched.append(page_no)
            if len(hits) >= FIND_HITS_MAX:
                last_page = page_no
                break
        return Searched(tuple(hits), last_page, tuple(unsearched))

    def close(self, handle: int) -> None:
        """Close a document; nothing happens if it is not open."""
        document = self._documents.pop(handle, None)
        self._hostile_pages = {page for page in self._hostile_pages if page[0] != handle}
        if document is not None and self.is_alive and document.opened_in == self._worker_number:
            try:
                self._call(messages.CloseDocument(handle), messages.Done, self._limits.page_seconds, document.source)
            except RefusedError:
                return  # a worker that dies closing has closed

    # -- the trace -------------------------------------------------------------------------------------------------------------------

    def grey(self, source: ChunkSource) -> GreyPicture:
        """Parse a picture somebody brought to be traced. Only for a worker that has no document open, with a page memory of its own.

        Args:
            source: a JPEG, PNG or TIFF file's bytes.
        Returns:
            GreyPicture: upright, width_px * height_px <= Limits.pixel_max; a larger picture scaled down.
        Raises:
            RefusedError: as `probe`, and document.kind-unsupported for what is no picture.
            UnavailableError: rendition.worker-start.
        """
        memory = self._page_memory
        if memory is None or self._documents:
            raise DefectError("rendition.picture-beside-documents")
        if source.size_bytes == 0:
            raise RefusedError("document.empty")
        reply = self._call(messages.ReadPicture(source.size_bytes), messages.PictureRead, self._limits.page_seconds, source)
        self._check(reply.width_px >= 1 and reply.height_px >= 1 and reply.width_px * reply.height_px <= self._limits.pixel_max)
        with memory.view(0) as slot:
            pixels = bytes(slot[: reply.width_px * reply.height_px])
        memory.wipe(0)
        return GreyPicture(reply.width_px, reply.height_px, pixels)

    def marks(self, chips: bytes) -> float:
        """Have the worker disclose a blank page with the mark of `chips`, and give the mark's score as read back from the page memory.

        Raises as `disclose`. The slot is wiped.
        """
        memory = self._page_memory
        if memory is None:
            raise DefectError("rendition.no-page-memory")
        opened = self.open(_Blank(), DocumentKind.TEXT)
        try:
            picture = self.disclose(opened.handle, 1, _SELF_TEST_DPI, Rotation.NONE, Watermark(("-",), chips), 0)
            with memory.view(picture.slot) as slot:
                return agreement(_chips_seen(slot, picture.stride_bytes), chips)
        finally:
            memory.wipe(0)
            self.close(opened.handle)

    # -- calls -----------------------------------------------------------------------------------------------------------------------

    def _find_on(self, handle: int, page_no: int, text: str, hits_max: int) -> list[Hit]:
        document = self._ready(handle, page_no)
        request = messages.FindOnPage(handle, page_no, text, hits_max)
        reply = self._call(request, messages.Found, self._limits.find_page_seconds, document.source)
        self._check(len(reply.rectangles) <= hits_max)
        for left, top, right, bottom in reply.rectangles:
            self._check(0 <= left < right <= 1 and 0 <= top < bottom <= 1)
        return [Hit(page_no, *rectangle) for rectangle in reply.rectangles]

    def _known(self, handle: int) -> _Document:
        try:
            return self._documents[handle]
        except KeyError as error:
            raise DefectError("rendition.unknown-handle", handle=handle) from error

    def _ready(self, handle: int, page_no: int) -> _Document:
        document = self._known(handle)
        if not 1 <= page_no <= document.page_count:
            raise DefectError("rendition.unknown-page", handle=handle, page=page_no)
        self.start()
        if document.opened_in != self._worker_number:
            self._open_in_worker(handle, document)
        return document

    def _open_in_worker(self, handle: int, document: _Document) -> None:
        if document.source.size_bytes == 0:
            raise RefusedError("document.empty")
        request = messages.OpenDocument(handle, document.source.size_bytes, document.kind)
        # No less than a probe: what an intake had the time to look at can be opened by who reads it.
        reply = self._call(request, messages.Opened, self._limits.open_seconds + self._limits.page_seconds, document.source)
        self._check(1 <= reply.page_count <= _PAGE_COUNT_MAX)
        document.page_count, document.opened_in = reply.page_count, self._worker_number

    def _call(self, request: messages.Request, expected: type[_Reply], seconds: float, source: ChunkSource) -> _Reply:
        """Send a request and feed the worker until it answers.

        Raises what the worker refused, worker-crashed, worker-timeout, or whatever the source raised; in the last three cases the worker
        is killed.
        """
        self.start()
        deadline = time.monotonic() + seconds
        completed = False
        try:
            reply = self._converse(request, deadline, source)
            completed = isinstance(reply, expected | messages.Failed) or (isinstance(reply, messages.Refused) and reply.code in _CODES)
        except TimeoutError as error:
            raise RefusedError("document.worker-timeout") from error
        except (EOFError, ConnectionError, msgspec.MsgspecError) as error:
            raise RefusedError("document.worker-crashed") from error
        finally:
            if not completed:
                self._kill()
        if isinstance(reply, expected):
            return reply
        if completed and isinstance(reply, messages.Refused):
            raise RefusedError(reply.code)
        where = reply.where[:120] if isinstance(reply, messages.Failed) and reply.where.isprintable() else "protocol"
        raise RefusedError("document.worker-crashed", where=where)

    def _converse(self, request: messages.Request, deadline: float, source: ChunkSource) -> messages.Reply:
        channel = self._open_channel()
        channel.send(request, deadline)
        while isinstance(reply := channel.receive_reply(deadline), messages.Want):
            offset_bytes, length_bytes = reply.offset_bytes, reply.length_bytes
            if offset_bytes < 0 or not 0 < length_bytes <= messages.RANGE_BYTES_MAX or offset_bytes + length_bytes > source.size_bytes:
                raise msgspec.MsgspecError("range outside the document")
            data = source.read(offset_bytes, length_bytes)
            if len(data) != length_bytes:
                raise DefectError("rendition.source-short", offset=offset_bytes, wanted=length_bytes, got=len(data))
            channel.send(messages.Range(data), deadline)
        return reply

    def _check(self, holds: bool) -> None:
        """Treat an impossible answer as a worker taken over by its document: it ends here."""
        if not holds:
            self._kill()
            raise RefusedError("document.worker-crashed", where="answer")

    # -- the process -----------------------------------------------------------------------------------------------------------------

    def _open_channel(self) -> messages.Channel:
        assert self._channel is not None
        return self._channel

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        page_descriptor = -1 if self._page_memory is None else self._page_memory.descriptor
        arguments = (
            theirs.fileno(),
            page_descriptor,
            os.getpid(),
            self._limits.memory_bytes,
            _PROCESSOR_SECONDS,
            self._limits.pixel_max,
            _FONTS,
        )
        with theirs:
            self._channel = messages.Channel(ours)
            self._worker_number += 1
            self._process = subprocess.Popen(  # noqa: S603 -- fixed arguments, no shell
                [sys.executable, "-I", "-S", "-c", _LAUNCH, "\n".join(_import_folders()), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                cwd="/",
                pass_fds=[theirs.fileno(), *([page_descriptor] if page_descriptor >= 0 else [])],
                close_fds=True,
            )

    def _kill(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class _Blank:
    """A text without a word."""

    size_bytes = 1

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        return b"\n"[offset_bytes : offset_bytes + length_bytes]


def _chips_seen(slot: memoryview, stride_bytes: int) -> list[float]:
    """The light at the middle of each chip of the tile in a white page's corner; what is darker than a mark is the visible stamp's."""
    rows = range(CHIP_PX // 2, CHIP_PX * TILE_CHIPS, CHIP_PX)
    return [float(max(slot[y * stride_bytes + x * 4], _WHITE - LEVELS_MAX)) for y in rows for x in rows]


def _bounded(dpi: float) -> float:
    if not math.isfinite(dpi):
        raise DefectError("rendition.dpi")
    return min(max(dpi, DPI_MIN), DPI_MAX)


def _import_folders() -> list[str]:
    """Name the folders that hold the worker's imports, without importing them here."""
    folders = {str(_PROJECT): None}
    for name in ("msgspec", "pypdfium2_raw", "PIL", "chardet"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise OSError(f"{name} is not installed")
        folders[str(pathlib.Path(spec.origin).parents[1])] = None
    return list(folders)
