"""The rendition worker [R]: main of the child process that parses documents.

Rules:

- First everything is imported and every font and codec loaded, then the sandbox closes, then the first document byte is asked for.
- One request at a time, one thread. Unmarked pixels stay in this process: only `_disclose` writes into the page memory, marked.
- Whatever goes wrong inside a document becomes a refusal of it; what this module did not foresee becomes `Failed`, without content.
- The client's deadlines are the ones that count; this process does not time itself.

Started by `client` only, as ``python -I -S -c`` with the paths it needs; argv is described at `main`.
"""

from __future__ import annotations

import codecs
import os
import pathlib
import socket
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, assert_never

from PIL import Image

from vault.domain.casefile import DocumentKind
from vault.errors import DefectError, RefusedError
from vault.rendition import fence, formats, legacy_encoding, messages, pdf, sandbox
from vault.rendition.blocks import BlockReader
from vault.rendition.canvas import POINTS_PER_INCH, Canvas, Document, PixelSize, fit
from vault.rendition.fonts import Face, FontSet
from vault.rendition.image import NOMINAL_DPI, load_codecs
from vault.rendition.messages import Channel
from vault.rendition.tracing import Tracer, lift
from vault.rendition.watermark import Watermarker
from vault.services.page_memory import SLOT_BYTES, PageMemory
from vault.services.rendition import Rotation

_PICTURES: Final = frozenset({DocumentKind.JPEG, DocumentKind.PNG, DocumentKind.TIFF})  # what can be traced
_CACHED_PAGES: Final = 5  # the page on screen and two either side
_CACHED_BYTES: Final = 160 * 1024 * 1024
# What mail names in the wild, and what the email package uses itself. Each is a module, some are libraries: none can be loaded later.
_TEXT_CODECS: Final = """
    ascii utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be utf-7 latin-1 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255
    cp1256 cp1257 cp1258 cp437 cp850 cp866 iso8859-2 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-13 iso8859-15
    koi8-r koi8-u mac-roman tis-620 raw-unicode-escape unicode-escape quopri base64
    shift_jis cp932 euc-jp iso2022-jp gb2312 gbk gb18030 big5 cp950 euc-kr cp949 iso2022-kr
""".split()  # noqa: SIM905 -- one a line would be longer than the code

PageKey = tuple[int, int, Rotation, PixelSize]  # handle, page_no, rotation, size


@dataclass(frozen=True, slots=True)
class _Sketch:
    """A rendered page without its mark. It never leaves this process."""

    canvas: Canvas
    dpi: float  # the resolution it came out at


class Worker:
    """Answers requests. State: the open documents and the look-ahead cache."""

    def __init__(self, channel: Channel, page_memory: PageMemory | None, pixel_max: int, fonts: FontSet) -> None:
        self._channel = channel
        self._page_memory = page_memory
        self._pixel_max = min(pixel_max, SLOT_BYTES // 4)
        self._fonts = fonts
        self._watermarker = Watermarker(fonts.watermark)
        self._tracer = Tracer()
        self._fenced: tuple[tuple[object, ...], PixelSize, bytearray, float] | None = None  # the page that is read band by band
        self._documents: dict[int, Document] = {}
        self._handle_in_use = 0
        self._cache: OrderedDict[PageKey, _Sketch] = OrderedDict()
        self._spare: list[bytearray] = []  # buffers of dropped sketches: fresh memory costs more than a render

    def serve(self) -> None:
        """Answer until the client closes its end."""
        while True:
            try:
                request = self._channel.receive_request()
            except (EOFError, OSError):
                return
            self._channel.send(self._reply_to(request))

    def _reply_to(self, request: messages.Request) -> messages.Reply:
        try:
            return self._answer(request)
        except RefusedError as refusal:
            return messages.Refused(refusal.code)
        except MemoryError:
            self._cache.clear()
            self._spare.clear()
            for document in self._documents.values():
                document.rest()
            return messages.Refused("document.too-large")
        except RecursionError:
            return messages.Refused("document.damaged")
        except (EOFError, BrokenPipeError, ConnectionError):
            raise
        except Exception as error:  # the border of the process: nothing else may cross it
            return messages.Failed(_where(error))

    def _answer(self, request: messages.Request) -> messages.Reply:  # noqa: PLR0911, PLR0912, C901 -- one line a message
        match request:
            case messages.OpenDocument(handle, size_bytes, kind):
                self._documents[handle] = document = formats.open_document(kind, self._reader(size_bytes), self._fonts)
                return messages.Opened(document.page_count)
            case messages.ProbeDocument(size_bytes, kind_hint):
                return messages.Probed(*formats.probe(self._reader(size_bytes), kind_hint, self._fonts))
            case messages.CountUnshown(size_bytes):
                return messages.Counted(*pdf.count_unshown(self._reader(size_bytes, pdf.COUNTING_BYTES)))
            case messages.GetPageSize(handle, page_no):
                return messages.PageSize(*self._document(handle, page_no).page_size(page_no))
            case messages.PreparePage(handle, page_no, dpi, rotation, lines):
                sketch = self._sketch(handle, page_no, dpi, Rotation(rotation))
                if lines:
                    self._watermarker.draw(lines, sketch.dpi)
                return messages.Done()
            case messages.DisclosePage():
                return self._disclose(request)
            case messages.FencePage():
                return self._fence(request)
            case messages.FindOnPage(handle, page_no, text, hits_max):
                return messages.Found(tuple(self._document(handle, page_no).find(page_no, text, hits_max)))
            case messages.GetText(handle, page_no, characters_max):
                return messages.Text(self._document(handle, page_no).text(page_no, characters_max))
            case messages.ReadPicture(size_bytes):
                return self._read_picture(size_bytes)
            case messages.CloseDocument(handle):
                self._close(handle)
                return messages.Done()
            case messages.Range():
                raise DefectError("rendition.unasked-range")
        assert_never(request)

    def _reader(self, size_bytes: int, fetch_bytes_max: int | None = None) -> BlockReader:
        return BlockReader(size_bytes, self._fetch, fetch_bytes_max)

    def _fetch(self, offset_bytes: int, length_bytes: int) -> bytes:
        self._channel.send(messages.Want(offset_bytes, length_bytes))
        answer = self._channel.receive_request()
        if not isinstance(answer, messages.Range):
            raise DefectError("rendition.range-expected")
        return answer.data

    def _document(self, handle: int, page_no: int) -> Document:
        document = self._documents[handle]
        if handle != self._handle_in_use and self._handle_in_use in self._documents:
            self._documents[self._handle_in_use].rest()
        self._handle_in_use = handle
        if not 1 <= page_no <= document.page_count:
            raise RefusedError("document.page-refused")
        return document

    def _sketch(self, handle: int, page_no: int, dpi: float, rotation: Rotation) -> _Sketch:
        document = self._document(handle, page_no)
        page_size_pt = document.page_size(page_no)
        size = fit(page_size_pt, dpi, rotation, self._pixel_max)
        key = (handle, page_no, rotation, size)
        sketch = self._cache.get(key)
        if sketch is None:
            canvas = Canvas(size, self._buffer(size.size_bytes))
            document.render(page_no, canvas, rotation)
            lift(canvas)
            sketch = self._cache[key] = _Sketch(canvas, POINTS_PER_INCH * max(size.width_px, size.height_px) / max(page_size_pt))
        self._cache.move_to_end(key)
        return sketch

    def _buffer(self, size_bytes: int) -> bytearray:
        """Make room in the cache for one more page, and give a buffer for it, preferably one that was dropped."""
        while self._cache and (
            len(self._cache) >= _CACHED_PAGES or sum(s.canvas.size.size_bytes for s in self._cache.values()) + size_bytes > _CACHED_BYTES
        ):
            _, dropped = self._cache.popitem(last=False)
            self._spare.append(dropped.canvas.pixels)
        fitting = next((buffer for buffer in self._spare if len(buffer) == size_bytes), None)
        self._spare.clear()
        return bytearray(size_bytes) if fitting is None else fitting

    def _disclose(self, request: messages.DisclosePage) -> messages.Disclosed:
        if self._page_memory is None:
            raise DefectError("rendition.no-page-memory")
        sketch = self._sketch(request.handle, request.page_no, request.dpi, Rotation(request.rotation))
        size = sketch.canvas.size
        with self._watermarker.burned(sketch.canvas, request.lines, sketch.dpi), self._page_memory.view(request.slot) as slot:
            self._copy_marked(sketch.canvas, request.chips, slot)
        return messages.Disclosed(size.width_px, size.height_px, size.stride_bytes)

    def _fence(self, request: messages.FencePage) -> messages.Fenced:
        if self._page_memory is None:
            raise DefectError("rendition.no-page-memory")
        key = (request.handle, request.page_no, request.dpi, request.rotation, request.lines, request.chips)
        if self._fenced is None or self._fenced[0] != key:
            sketch = self._sketch(request.handle, request.page_no, request.dpi, Rotation(request.rotation))
            marked = bytearray(sketch.canvas.size.size_bytes)
            with self._watermarker.burned(sketch.canvas, request.lines, sketch.dpi):
                self._copy_marked(sketch.canvas, request.chips, memoryview(marked))
            self._fenced = (key, sketch.canvas.size, marked, sketch.dpi)
        _, size, marked, dpi = self._fenced
        with self._page_memory.view(request.slot) as slot:
            if request.band is None:
                veil = fence.write_veil(marked, size, dpi, slot)
                return messages.Fenced(size.width_px, size.height_px, 0, 0, veil.width_px, veil.height_px)
            return messages.Fenced(size.width_px, size.height_px, *fence.write_band(marked, size, request.band, slot))

    def _copy_marked(self, canvas: Canvas, chips: bytes, target: memoryview) -> None:
        if chips:
            self._tracer.copy_marked(canvas, chips, target)
        else:
            target[: canvas.size.size_bytes] = canvas.pixels

    def _read_picture(self, size_bytes: int) -> messages.PictureRead:
        if self._page_memory is None or self._documents:
            raise DefectError("rendition.picture-beside-documents")  # the one way unmarked pixels leave: never those of a document
        reader = self._reader(size_bytes)
        kind, _ = formats.probe(reader, None, self._fonts)
        if kind not in _PICTURES:
            raise RefusedError("document.kind-unsupported")
        document = formats.open_document(kind, reader, self._fonts)
        size = fit(document.page_size(1), NOMINAL_DPI, Rotation.NONE, self._pixel_max)
        canvas = Canvas(size, bytearray(size.size_bytes))
        document.render(1, canvas, Rotation.NONE)
        document.close()
        grey = Image.frombytes("RGB", (size.width_px, size.height_px), bytes(canvas.pixels), "raw", "BGRX").convert("L")
        with self._page_memory.view(0) as slot:
            slot[: size.width_px * size.height_px] = grey.tobytes()
        return messages.PictureRead(size.width_px, size.height_px)

    def _close(self, handle: int) -> None:
        if self._fenced is not None and self._fenced[0][0] == handle:
            self._fenced = None
        document = self._documents.pop(handle, None)
        if document is not None:
            document.close()
        for key in [key for key in self._cache if key[0] == handle]:
            del self._cache[key]


def _where(error: Exception) -> str:
    """Name the exception's type and the innermost line of ours: no message, for it may quote the document."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("vault."):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} {place}"


def start(arguments: list[str]) -> tuple[Worker, Channel, tuple[tuple[str, bool], ...]]:
    """Load everything, then close the sandbox. The worker is ready to serve when this returns.

    Args:
        arguments: socket descriptor, page memory descriptor or -1, process id of [V], memory_bytes, processor_seconds, pixel_max,
            folder of the fonts.
    """
    descriptor, page_descriptor, parent_pid, memory_bytes, processor_seconds, pixel_max = (int(value) for value in arguments[:6])
    channel = Channel(socket.socket(fileno=descriptor))
    page_memory = PageMemory.from_descriptor(page_descriptor) if page_descriptor >= 0 else None
    fonts = FontSet.load(pathlib.Path(arguments[6]))
    for name in _TEXT_CODECS:
        codecs.lookup(name)
    load_codecs()
    legacy_encoding.load()
    pdf.start_library(fonts.fonts[Face.FALLBACK].data)
    worker = Worker(channel, page_memory, pixel_max, fonts)
    kept = (descriptor,) if page_memory is None else (descriptor, page_memory.descriptor)
    protections = sandbox.enter(sandbox.Cage(kept, parent_pid, memory_bytes, processor_seconds))
    return worker, channel, protections


def main() -> None:
    """Serve one client and end."""
    worker, channel, protections = start(sys.argv[1:])
    channel.send(messages.Ready(protections))
    worker.serve()
    os._exit(0)  # pdfium's own clean-up is of no use to a process that ends
