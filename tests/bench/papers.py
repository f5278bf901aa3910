"""The documents that are measured: PDFs written here from seeds, so that a run needs no download and no other library.

Rules: A4; text in a standard font, every second page a picture, every tenth a scan; the bytes are the same on every machine with the same
Pillow.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image

MIB = 1 << 20
_WIDTH_PT, _HEIGHT_PT = 595, 842
_LINES, _LINES_BESIDE_PICTURE = 58, 30
_RAW_BYTES = 1024 * 1365 * 3


class _Writer:
    """Writes objects one after the other, and the cross references at the end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._offsets: dict[int, int] = {}
        self._file.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def at(self) -> int:
        return self._file.tell()

    def put(self, number: int, body: bytes) -> None:
        self._offsets[number] = self.at()
        self._file.write(b"%d 0 obj\n" % number)
        self._file.write(body)
        self._file.write(b"\nendobj\n")

    def stream(self, number: int, head: bytes, body: bytes) -> None:
        self.put(number, b"<< %s /Length %d >>\nstream\n" % (head, len(body)) + body + b"\nendstream")

    def close(self, root: int) -> None:
        start, most = self.at(), max(self._offsets) + 1
        self._file.write(b"xref\n0 %d\n0000000000 65535 f \n" % most)
        for number in range(1, most):
            self._file.write(b"%010d 00000 n \n" % self._offsets[number])
        self._file.write(b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (most, root, start))
        self._file.close()


def write_case_file(path: Path, pages: int, size_bytes: int) -> None:
    """A case file of `pages` pages and about `size_bytes`: what the pictures do not fill is attached to nothing, before the page tree."""
    scans = [_photo(1240, 1754, seed) for seed in range(4)]
    photos = [_photo(900, 600, seed) for seed in range(10, 18)]

    def picture(page_no: int) -> tuple[bytes, bytes] | None:
        if page_no % 10 == 0:
            return b"/DCTDecode /Width 1240 /Height 1754", scans[page_no // 10 % len(scans)]
        return (b"/DCTDecode /Width 900 /Height 600", photos[page_no % len(photos)]) if page_no % 2 == 0 else None

    _write(path, pages, size_bytes, picture)


def write_alike(path: Path, pages: int, size_bytes: int) -> None:
    """Always the same `pages` first pages; raw pictures on pages behind them make up the size, as a long scan does."""
    noise = random.Random(7)
    raw = [noise.randbytes(_RAW_BYTES) for _ in range(3)]
    photos = [_photo(900, 600, seed) for seed in range(10, 18)]

    def picture(page_no: int) -> tuple[bytes, bytes] | None:
        if page_no > pages:
            return b"RAW /Width 1024 /Height 1365", noise.randbytes(4096) + raw[page_no % 3][4096:]
        return (b"/DCTDecode /Width 900 /Height 600", photos[page_no % len(photos)]) if page_no % 2 == 0 else None

    _write(path, pages + max(0, size_bytes - 2 * MIB) // _RAW_BYTES, size_bytes, picture)


def _write(path: Path, pages: int, size_bytes: int, picture: Callable[[int], tuple[bytes, bytes] | None]) -> None:
    words = random.Random(2)
    vocabulary = ["".join(words.choices("abcdefghijklmnoprstuv", k=words.randrange(2, 11))) for _ in range(3000)]
    writer = _Writer(path)
    writer.put(1, b"<< /Type /Catalog /Pages 2 0 R >>")
    writer.put(3, b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>")
    number, kids = 4, []
    for page_no in range(1, pages + 1):
        found = picture(page_no)
        scan = found is not None and (b"1240" in found[0] or b"RAW" in found[0])
        lines = 0 if scan else _LINES_BESIDE_PICTURE if found else _LINES
        text = [b"BT /F 10 Tf 50 792 Td 12.5 TL"]
        for _ in range(lines):
            text.append(b"(%s) '" % " ".join(words.choices(vocabulary, k=13))[:95].encode())
        text.append(b"ET BT /F 10 Tf 50 20 Td (Case 2026-%06d  page %d) Tj ET" % (page_no, page_no))
        resources = b"/Font << /F 3 0 R >>"
        if found is not None:
            head, body = found
            kind = b"" if b"RAW" in head else b"/Filter /DCTDecode "
            size = head.split(b" ", 1)[1]
            writer.stream(number, b"/Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8 " + kind + size, body)
            place = b"q %d 0 0 %d 0 0 cm /P Do Q" % (_WIDTH_PT, _HEIGHT_PT) if scan else b"q 470 0 0 300 60 60 cm /P Do Q"
            text.insert(0, place)
            resources += b" /XObject << /P %d 0 R >>" % number
            number += 1
        writer.stream(number, b"", b"\n".join(text))
        writer.put(
            number + 1,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << %s >> /Contents %d 0 R >>"
            % (_WIDTH_PT, _HEIGHT_PT, resources, number),
        )
        kids.append(number + 1)
        number += 2
    rest = size_bytes - writer.at() - 40 * number
    while rest > 0:
        part = min(rest, 4 * MIB)
        writer.stream(number, b"", words.randbytes(part))
        number, rest = number + 1, rest - part
    writer.put(2, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % kid for kid in kids)))
    writer.close(1)


def _photo(width: int, height: int, seed: int) -> bytes:
    """A JPEG with the detail of a photograph."""
    noise = random.Random(seed)
    across, down = width // 10, height // 10
    small = Image.frombytes("RGB", (across, down), noise.randbytes(across * down * 3))
    out = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=75)
    return out.getvalue()
