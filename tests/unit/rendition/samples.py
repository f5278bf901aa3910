"""Documents made by the tests themselves, well-formed and hostile, and sources that serve them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image


@dataclass
class MemorySource:
    """A document in memory that counts what is read of it; `on_read` may interfere."""

    data: bytes
    on_read: Callable[[], None] = lambda: None
    bytes_read: int = field(default=0, init=False)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        self.on_read()
        self.bytes_read += length_bytes
        return self.data[offset_bytes : offset_bytes + length_bytes]


def pdf_of(objects: Sequence[bytes], root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with a right cross-reference table."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), entries, data)


def pdf(texts: Sequence[str] = ("Hello",), *, rotate: int = 0, ground: str = "1 1 1", ballast_bytes: int = 0) -> bytes:
    """A page for each text, 300 x 400 points, the text in Helvetica 12 at (50, 300)."""
    count = len(texts)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * index) for index in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    noise = random.Random(1)
    for text in texts:
        content = f"{ground} rg 0 0 300 400 re f 0.5 g BT /F1 12 Tf 50 300 Td ({text}) Tj ET".encode()
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Rotate %d/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (rotate, len(objects) + 2)
        )
        objects.append(stream(content))
    if ballast_bytes:
        objects += [stream(noise.randbytes(1024 * 1024)) for _ in range(ballast_bytes // (1024 * 1024))]
    return pdf_of(objects)


def pdf_with_more() -> bytes:
    """Two pages: an attached file, a note with words, one without, a highlight with words, a sound, a link and a free text."""
    annotations = (
        b"<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/Contents(Ask the night watchman)>>",
        b"<</Type/Annot/Subtype/Text/Rect[40 10 60 30]/Contents()>>",
        b"<</Type/Annot/Subtype/Highlight/Rect[10 50 90 60]/QuadPoints[10 60 90 60 10 50 90 50]/Contents(This is not so)>>",
        b"<</Type/Annot/Subtype/Sound/Rect[70 10 90 30]/Sound 7 0 R>>",
        b"<</Type/Annot/Subtype/Link/Rect[70 40 90 60]/Contents(A link)>>",
        b"<</Type/Annot/Subtype/FreeText/Rect[70 70 190 90]/DA(/Helv 9 Tf)/Contents(On the page)>>",
    )
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.txt)5 0 R]>>>>>>",
            b"<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Annots[%s]>>" % b"".join(annotations),
            b"<</Type/Filespec/F(a.txt)/UF(a.txt)/EF<</F 6 0 R>>>>",
            stream(b"the file itself", b"/Type/EmbeddedFile"),
            stream(b"\0\0", b"/R 8000"),
        ]
    )


def scanned_pdf(pages: int, scan_bytes: int) -> bytes:
    """Pages of one grey picture and one note each."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (3 + 3 * n) for n in range(pages))),
    ]
    for number in range(3, 3 + 3 * pages, 3):
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Resources<</XObject<</I %d 0 R>>>>/Contents %d 0 R"
            b"/Annots[<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/Contents(Seen)>>]>>" % (number + 1, number + 2),
            stream(
                bytes(scan_bytes),
                b"/Type/XObject/Subtype/Image/Width 1024/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8" % (scan_bytes // 1024),
            ),
            stream(b"300 0 0 400 0 0 cm /I Do"),
        ]
    return pdf_of(objects)


def image(kind: str, size: tuple[int, int] = (60, 40), *, frames: int = 1, orientation: int = 1, mode: str = "RGB") -> bytes:
    """A picture whose left half is red, right half blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste((0, 0, 255), (size[0] // 2, 0, *size))
    picture = picture.convert(mode)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"save_all": True, "append_images": [picture] * (frames - 1)} if frames > 1 else {}
    picture.save(out, kind, exif=exif, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG bomb: a header of any size over a few bytes of data."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff_claiming(width: int, height: int, *, next_directory: int = 0) -> bytes:
    """A TIFF of any size with one byte of data; `next_directory` 8 makes its directory follow itself for ever."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 200), (277, 1), (278, height), (279, 1)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in entries)
    return (b"II*\0" + struct.pack("<L", 8) + directory + struct.pack("<L", next_directory)).ljust(200, b"\0") + b"\x80"


def mail(body: str = "Body text.", *, subject: str = "Test", extra: str = "") -> bytes:
    return f"From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: {subject}\r\n{extra}\r\n{body}\r\n".encode()


def deep_mime(depth: int) -> bytes:
    """Multipart in multipart, `depth` deep."""
    head = b"From: a@example.org\nTo: b@example.org\nMIME-Version: 1.0\n"
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth))
    closing = b"".join(b"\n--b%d--\n" % level for level in reversed(range(depth)))
    return head + opening + b"Content-Type: text/plain\n\nat the bottom\n" + closing
