"""A small PDF writer: A4 pages, the standard fonts, lines, boxes and photographs.

Rules:

- The same calls give the same bytes: no clock, no random identifier, no compression of text (zlib differs from build to build).
- Positions are in points from the top left corner of the page; text positions are base lines.
- Text is Windows-1252 in the standard fonts, which every reader has; their widths are asked of pdfium.
"""

from __future__ import annotations

import ctypes
import enum
import functools
import io
from dataclasses import dataclass, field

import pypdfium2.raw as pdfium
from PIL import Image

WIDTH_PT, HEIGHT_PT = 595.0, 842.0
Colour = tuple[float, float, float]
BLACK: Colour = (0.08, 0.08, 0.10)
GREY: Colour = (0.42, 0.43, 0.46)
BLUE: Colour = (0.09, 0.17, 0.36)


class Face(enum.Enum):
    """Standard fonts (PDF 32000-1, 9.6.2.2)."""

    SANS = "Helvetica"
    SANS_BOLD = "Helvetica-Bold"
    SERIF = "Times-Roman"
    SERIF_BOLD = "Times-Bold"
    SERIF_ITALIC = "Times-Italic"
    MONO = "Courier"
    MONO_BOLD = "Courier-Bold"


_NAMES = {face: f"F{number}" for number, face in enumerate(Face)}


@functools.cache
def _pdfium_font(face: Face) -> object:
    pdfium.FPDF_InitLibraryWithConfig(ctypes.byref(pdfium.FPDF_LIBRARY_CONFIG(version=2)))
    return pdfium.FPDFText_LoadStandardFont(pdfium.FPDF_CreateNewDocument(), face.value.encode())


@functools.cache
def _width_per_point(face: Face, character: str) -> float:
    width = ctypes.c_float()
    pdfium.FPDFFont_GetGlyphWidth(_pdfium_font(face), ord(character), ctypes.c_float(1000), ctypes.byref(width))
    return width.value / 1000


def measure(text: str, face: Face, size_pt: float) -> float:
    """Width of a line of text in points."""
    return sum(_width_per_point(face, character) for character in text) * size_pt


def wrap(text: str, face: Face, size_pt: float, width_pt: float) -> list[str]:
    """Break a paragraph at spaces into lines no wider than `width_pt`."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and measure(longer, face, size_pt) > width_pt:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part:.3f}" for part in colour)


@dataclass
class Page:
    """One page being drawn."""

    width_pt: float
    height_pt: float
    operators: list[str] = field(default_factory=list)
    images: list[int] = field(default_factory=list)  # numbers of the document's images

    def text(self, x: float, y: float, text: str, face: Face = Face.SANS, size_pt: float = 10, colour: Colour = BLACK) -> None:
        """Write one line; `y` is its base line."""
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.operators.append(f"{_rgb(colour)} rg BT /{_NAMES[face]} {size_pt:g} Tf {x:.2f} {self.height_pt - y:.2f} Td ({escaped}) Tj ET")

    def text_right(self, x: float, y: float, text: str, face: Face = Face.SANS, size_pt: float = 10, colour: Colour = BLACK) -> None:
        """Write one line that ends at `x`."""
        self.text(x - measure(text, face, size_pt), y, text, face, size_pt, colour)

    def text_centred(self, x: float, y: float, text: str, face: Face = Face.SANS, size_pt: float = 10, colour: Colour = BLACK) -> None:
        """Write one line around `x`."""
        self.text(x - measure(text, face, size_pt) / 2, y, text, face, size_pt, colour)

    def line(self, points: list[tuple[float, float]], width_pt: float = 0.6, colour: Colour = BLACK, dash: str = "") -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.2f} {self.height_pt - y:.2f} {'l' if index else 'm'}" for index, (x, y) in enumerate(points))
        self.operators.append(f"q {width_pt:g} w [{dash}] 0 d {_rgb(colour)} RG {path} S Q")

    def box(self, x: float, y: float, width: float, height: float, fill: Colour | None = None, edge: Colour | None = BLACK) -> None:
        """Draw a rectangle, its top left corner at (x, y)."""
        paint = "B" if fill and edge else "f" if fill else "S"
        colours = (f"{_rgb(fill)} rg " if fill else "") + (f"{_rgb(edge)} RG " if edge else "")
        self.operators.append(f"q 0.6 w {colours}{x:.2f} {self.height_pt - y - height:.2f} {width:.2f} {height:.2f} re {paint} Q")

    def polygon(self, points: list[tuple[float, float]], fill: Colour) -> None:
        """Fill a polygon."""
        path = " ".join(f"{x:.2f} {self.height_pt - y:.2f} {'l' if index else 'm'}" for index, (x, y) in enumerate(points))
        self.operators.append(f"{_rgb(fill)} rg {path} h f")


class Paper:
    """A PDF document being written."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.pages: list[Page] = []
        self._images: list[tuple[int, int, str, bytes]] = []

    def add_page(self, width_pt: float = WIDTH_PT, height_pt: float = HEIGHT_PT) -> Page:
        """Begin a page."""
        self.pages.append(Page(width_pt, height_pt))
        return self.pages[-1]

    def place(self, page: Page, image: Image.Image, x: float, y: float, width: float, quality: int = 82) -> float:
        """Place a photograph, its top left corner at (x, y); give its height in points."""
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality)
        self._images.append((*image.size, "DeviceGray" if image.mode == "L" else "DeviceRGB", stream.getvalue()))
        page.images.append(len(self._images) - 1)
        height = width * image.height / image.width
        page.operators.append(f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {page.height_pt - y - height:.2f} cm /I{page.images[-1]} Do Q")
        return height

    def data(self) -> bytes:
        """Give the file."""
        fonts = "".join(f"/{_NAMES[face]} {3 + index} 0 R " for index, face in enumerate(Face))
        first_image = 3 + len(Face)
        first_page = first_image + len(self._images)
        kids = " ".join(f"{first_page + 2 * index} 0 R" for index in range(len(self.pages)))
        bodies = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Count {len(self.pages)} /Kids [{kids}] >>".encode(),
            *(f"<< /Type /Font /Subtype /Type1 /BaseFont /{face.value} /Encoding /WinAnsiEncoding >>".encode() for face in Face),
            *(
                _stream(
                    f"/Type /XObject /Subtype /Image /Width {w} /Height {h} /ColorSpace /{space} /BitsPerComponent 8 /Filter /DCTDecode", d
                )
                for w, h, space, d in self._images
            ),
        ]
        for index, page in enumerate(self.pages):
            images = " ".join(f"/I{number} {first_image + number} 0 R" for number in page.images)
            bodies.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.width_pt:g} {page.height_pt:g}] /Contents {first_page + 2 * index + 1} 0 R"
                f" /Resources << /Font << {fonts}>> /XObject << {images} >> >> >>".encode()
            )
            bodies.append(_stream("", "\n".join(page.operators).encode("cp1252")))
        title = self.title.replace("(", "\\(").replace(")", "\\)")
        bodies.append(f"<< /Title ({title}) /Creator (Northgate Police records) >>".encode("cp1252"))
        return _file(bodies)


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(bodies: list[bytes]) -> bytes:
    """Number the objects; the first is the catalogue, the last the document's information."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R /Info {len(bodies)} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
