"""Pictures as documents: JPEG, PNG and TIFF through Pillow, one page a frame.

Rules:

- A picture is a page at a nominal 150 dpi, turned upright by its EXIF orientation, on white where it is transparent. A fax, whose lines lie
  further apart than its columns, is as high as the paper was.
- What it would take in memory is worked out from its header before a pixel is decoded; too much is refused.
- A truncated or broken picture is refused, never shown half. Pillow's errors do not leave this module.
- LIMIT: of an animated PNG the first picture is shown; colour profiles are not applied.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from PIL import Image, ImageCms, ImageFile, ImageOps

# Every plug-in that is used, and MPO because the JPEG one imports it when it meets one: after the sandbox closed it could not.
from PIL import JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401  # isort: skip

from vault.domain.casefile import DocumentKind
from vault.errors import RefusedError
from vault.rendition.blocks import BLOCK_BYTES, BlockFile, BlockReader
from vault.rendition.canvas import POINTS_PER_INCH, Canvas, Rectangle
from vault.services.rendition import Rotation

NOMINAL_DPI: Final = 150
_FILE_BYTES_MAX: Final = 512 * 1024 * 1024
_DECODED_BYTES_MAX: Final = 320 * 1024 * 1024
_KEPT_PIXELS_MAX: Final = 32_000_000  # a decoded picture is kept at most this large: twice a slot
_FRAMES_MAX: Final = 5_000
_BYTES_PER_PIXEL: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}  # 4 for all others, as Pillow keeps them
_TWELVE_BITS: Final = 0x0FFF  # what many scanners and cameras put into sixteen: a page that would be black
_ORIENTATION: Final = 0x0112
_SIDEWAYS: Final = (5, 6, 7, 8)
_STRETCH_MOST: Final = 4.0  # more than any fax: such a resolution is a mistake
_TURNS: Final = {
    Rotation.RIGHT: Image.Transpose.ROTATE_270,  # Pillow turns counter-clockwise
    Rotation.HALF: Image.Transpose.ROTATE_180,
    Rotation.LEFT: Image.Transpose.ROTATE_90,
}


def load_codecs() -> None:
    """Make Pillow load what it loads late. Once, before the sandbox closes."""
    # WORKAROUND: Image.open would import five plug-ins of its own choice (BMP, GIF, PPM ...) late; only those above are wanted.
    Image._initialized = 2  # noqa: SLF001
    Image.MAX_IMAGE_PIXELS = None  # `_check_memory` is stricter and knows the mode
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    _from_lab()


class ImageDocument:
    """A picture file. Keeps the frame shown last, decoded."""

    def __init__(self, reader: BlockReader, kind: DocumentKind) -> None:
        """Read the headers.

        Raises:
            RefusedError: document.damaged, document.too-large.
        """
        if reader.size_bytes > _FILE_BYTES_MAX:
            raise RefusedError("document.too-large")
        self._decoded: Image.Image | None = None
        self._decoded_no = 0
        self._original_size = (0, 0)
        self._stretches: dict[int, float] = {}
        with _translated("document.damaged"):
            self._file = Image.open(io.BufferedReader(BlockFile(reader), BLOCK_BYTES), formats=[kind.name])
            _check_memory(self._file)
            self._page_count = _count_frames(self._file) if kind is DocumentKind.TIFF else 1

    @property
    def page_count(self) -> int:
        """How many frames, 1 or more."""
        return self._page_count

    def page_size(self, page_no: int) -> tuple[float, float]:
        """Give the size in points at 150 dpi, upright."""
        width_px, height_px = self._upright_size(page_no)
        if page_no not in self._stretches:
            with _translated("document.page-refused"):
                self._seek(page_no)
                self._stretches[page_no] = _stretch(self._file)
        return width_px * POINTS_PER_INCH / NOMINAL_DPI, height_px * self._stretches[page_no] * POINTS_PER_INCH / NOMINAL_DPI

    def render(self, page_no: int, canvas: Canvas, rotation: Rotation) -> None:
        """Scale the frame to the canvas."""
        with _translated("document.page-refused"):
            size = (canvas.size.width_px, canvas.size.height_px)
            turn = _TURNS.get(rotation)
            upright = size if rotation in (Rotation.NONE, Rotation.HALF) else (size[1], size[0])
            picture = self._decode(page_no, upright).resize(upright, Image.Resampling.BICUBIC, reducing_gap=2.0)
            if turn is not None:
                picture = picture.transpose(turn)
            canvas.pixels[:] = picture.convert("RGBA").tobytes("raw", "BGRA")

    def find(self, page_no: int, text: str, hits_max: int) -> list[Rectangle]:  # noqa: ARG002
        """Find nothing: a picture has no text."""
        return []

    def text(self, page_no: int, characters_max: int) -> str:  # noqa: ARG002
        """Give nothing: a picture has no text."""
        return ""

    def rest(self) -> None:
        """Let go of the decoded frame."""
        self._decoded = None

    def close(self) -> None:
        """Let go of everything."""
        self.rest()
        self._file.close()

    def _seek(self, page_no: int) -> None:
        if self._file.tell() != page_no - 1:
            self._file.seek(page_no - 1)

    def _upright_size(self, page_no: int) -> tuple[int, int]:
        with _translated("document.page-refused"):
            if self._decoded is not None and self._decoded_no == page_no:
                return self._original_size
            self._seek(page_no)
            width, height = self._file.size
            # Pillow's TIFF plug-in gives its size upright already.
            sideways = self._file.format != "TIFF" and _orientation(self._file) in _SIDEWAYS
            return (height, width) if sideways else (width, height)

    def _decode(self, page_no: int, wanted: tuple[int, int]) -> Image.Image:
        """Return the frame upright in RGB, at least `wanted` large if the file is, and keep it."""
        kept = self._decoded
        if kept is not None and self._decoded_no == page_no and (kept.size == self._original_size or kept.width >= wanted[0]):
            return kept
        self._decoded = None
        original_size = self._upright_size(page_no)
        self._seek(page_no)
        _check_memory(self._file)
        self._file.load()
        turned = _orientation(self._file) != 1 and self._file.format != "TIFF"
        picture = _flattened(ImageOps.exif_transpose(self._file) if turned else self._file)
        if picture.width * picture.height > _KEPT_PIXELS_MAX:
            scale = (_KEPT_PIXELS_MAX / (picture.width * picture.height)) ** 0.5
            picture = picture.resize(
                (max(1, int(picture.width * scale)), max(1, int(picture.height * scale))), Image.Resampling.BICUBIC, reducing_gap=2.0
            )
        self._decoded, self._decoded_no, self._original_size = picture, page_no, original_size
        return picture


@contextmanager
def _translated(code: str) -> Iterator[None]:
    """Turn whatever Pillow raises on a broken file into a refusal; it raises nearly everything."""
    try:
        yield
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        raise RefusedError(code) from error


def _check_memory(image: Image.Image) -> None:
    if image.width * image.height * _BYTES_PER_PIXEL.get(image.mode, 4) > _DECODED_BYTES_MAX:
        raise RefusedError("document.too-large")


def _count_frames(image: Image.Image) -> int:
    """Walk the frames by their headers. A frame that cannot be reached ends the document there."""
    count = 1
    try:
        while count < _FRAMES_MAX:
            image.seek(count)
            count += 1
    except (EOFError, OSError, SyntaxError, ValueError, KeyError, TypeError):
        pass
    image.seek(0)
    return count


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is a TIFF inside the picture, as broken as any; the picture itself may be fine
        return 1


def _stretch(image: Image.Image) -> float:
    """How much higher than wide a pixel of a TIFF is, once it is upright: 2 for an ordinary fax."""
    if image.format != "TIFF":
        return 1.0
    across, down = (float(one) for one in image.info.get("dpi") or image.info.get("resolution") or (1.0, 1.0))
    if not (0 < across <= down * _STRETCH_MOST and 0 < down <= across * _STRETCH_MOST):
        return 1.0
    return down / across if _orientation(image) in _SIDEWAYS else across / down


@cache
def _from_lab() -> ImageCms.ImageCmsTransform:
    """What turns CIE L*a*b* into sRGB, by profiles of the library's own."""
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _flattened(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB on white."""
    if image.mode == "I;16B":  # a TIFF with the high byte first, which Pillow opens and cannot reckon with
        image = Image.frombytes("I;16", image.size, image.tobytes(), "raw", "I;16B")
    if image.mode == "I;16":
        _, brightest = image.getextrema()
        assert isinstance(brightest, int | float)
        step = 256 if brightest > _TWELVE_BITS else 16
        image = image.point(lambda level: level * (1 / step)).convert("L")
    elif image.mode in {"I", "F"}:
        low, high = image.getextrema()
        assert isinstance(low, int | float)
        assert isinstance(high, int | float)
        span = (high - low) or 1
        image = image.point(lambda level: level * (255 / span) - low * 255 / span).convert("L")
    elif image.mode == "LAB":
        return _from_lab().apply(image)
    if image.mode in {"LA", "PA", "RGBA", "RGBa", "La"} or "transparency" in image.info:
        picture = image.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return image.convert("RGB")
