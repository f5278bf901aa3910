"""Marked pages and what people do to their pictures: the material of the trace's tests and of `make bench ITEMS=trace`.

Rules:

- Pages go through the worker's own modules: rendered, lifted, stamped, marked, exactly as a disclosure does it.
- Every trial is drawn from its seed alone: page, resolution, chips, attack.
- An attack takes the page picture as the screen shows it and gives back a picture file's bytes.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from vault.domain.trace import CHIPS_BYTES
from vault.rendition import pdf
from vault.rendition.blocks import BlockReader
from vault.rendition.canvas import Canvas, fit
from vault.rendition.fonts import Face, FontSet
from vault.rendition.formats import open_document, probe
from vault.rendition.tracing import Tracer, lift
from vault.rendition.watermark import Watermarker
from vault.services.rendition import Rotation

PROJECT = Path(__file__).resolve().parent.parent
DEMO = PROJECT / "resources" / "demo"
DPI = (96, 110, 150)  # a page as wide as a small, a usual and a large window
STAMP = ("Hannah Quayle · 4471", "desk-2 · no. 118", "2026-03-14 03:07")
WINDOW_PX = (1180, 740)  # of the page on a screen of 1280 x 800
_SUFFIXES = {".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".txt", ".eml"}


@lru_cache(maxsize=1)
def _fonts() -> FontSet:
    fonts = FontSet.load(PROJECT / "resources" / "fonts")
    pdf.start_library(fonts.fonts[Face.FALLBACK].data)
    return fonts


@lru_cache(maxsize=1)
def demo_pages() -> tuple[tuple[Path, int], ...]:
    """Every page of the demo station's documents, at most eight of a document."""
    pages = []
    for path in sorted(one for one in DEMO.rglob("*") if one.suffix.lower() in _SUFFIXES):
        data = path.read_bytes()
        reader = _reader(data)
        try:
            kind, count = probe(reader, None, _fonts())
        except Exception:
            continue
        del kind
        pages += [(path, page_no) for page_no in range(1, min(count, 8) + 1)]
    return tuple(pages)


def _reader(data: bytes) -> BlockReader:
    return BlockReader(len(data), lambda offset, length: data[offset : offset + length])


@lru_cache(maxsize=24)
def rendered(path: Path, page_no: int, dpi: int) -> Canvas:
    """A page as the worker's cache holds it."""
    data = path.read_bytes()
    kind, _ = probe(_reader(data), None, _fonts())
    document = open_document(kind, _reader(data), _fonts())
    size = fit(document.page_size(page_no), dpi, Rotation.NONE, 16 * 1024 * 1024)
    canvas = Canvas(size, bytearray(size.size_bytes))
    document.render(page_no, canvas, Rotation.NONE)
    document.close()
    lift(canvas)
    return canvas


@lru_cache(maxsize=1)
def _tools() -> tuple[Watermarker, Tracer]:
    return Watermarker(_fonts().watermark), Tracer()


def disclosed(canvas: Canvas, dpi: float, chips: bytes, stamp: tuple[str, ...] = STAMP) -> Image.Image:
    """The picture as it reaches the screen; without a mark for empty chips."""
    watermarker, tracer = _tools()
    slot = bytearray(canvas.size.size_bytes)
    with watermarker.burned(canvas, stamp, dpi):
        if chips:
            tracer.copy_marked(canvas, chips, memoryview(slot))
        else:
            slot[:] = canvas.pixels
    return Image.frombytes("RGB", (canvas.size.width_px, canvas.size.height_px), bytes(slot), "raw", "BGRX")


@dataclass(frozen=True, slots=True)
class Trial:
    """One seeded page view."""

    path: Path
    page_no: int
    dpi: int
    chips: bytes
    picture: Image.Image


def trial(seed: int, marked: bool = True) -> Trial:
    """Draw a page, a resolution and a view."""
    dice = random.Random(seed)
    path, page_no = dice.choice(demo_pages())
    dpi = dice.choice(DPI)
    chips = dice.randbytes(CHIPS_BYTES)
    return Trial(path, page_no, dpi, chips, disclosed(rendered(path, page_no, dpi), dpi, chips if marked else b""))


# -- attacks ---------------------------------------------------------------------------------------------------------------------------

Attack = Callable[[Image.Image, random.Random], bytes]


def png(picture: Image.Image, _dice: random.Random | None = None) -> bytes:
    """A screenshot."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def scaled(picture: Image.Image, factor: float, dice: random.Random) -> Image.Image:
    way = dice.choice((Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS))
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), way)


def cropped(picture: Image.Image, share: float, dice: random.Random) -> Image.Image:
    """A part with `share` of the area, of a random shape, anywhere."""
    narrow = dice.uniform(max(share, 0.45), 1.0)
    width, height = int(picture.width * narrow), int(picture.height * share / narrow)
    left, top = dice.randint(0, picture.width - width), dice.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def camera(picture: Image.Image, dice: random.Random) -> Image.Image:
    """A telephone's photograph of the screen: pixel grid, perspective, blur, light, gamma, noise. JPEG is the caller's."""
    width, height = min(picture.width, WINDOW_PX[0]), min(picture.height, WINDOW_PX[1])  # what the screen shows of the page
    left, top = dice.randint(0, picture.width - width), dice.randint(0, picture.height - height)
    picture = picture.crop((left, top, left + width, top + height))
    noise = np.random.default_rng(dice.randrange(2**32))
    zoom = dice.uniform(0.9, 1.7)  # camera pixels a screen pixel
    dense = 3  # the screen's own subpixels: where moiré comes from
    level = (np.asarray(picture, np.float32) / 255) ** 2.2
    screen = np.repeat(np.repeat(level, dense, axis=0), dense, axis=1)
    for column in range(dense):  # each third of a pixel shines in one colour; a dark line between rows
        for colour in range(3):
            if colour != column:
                screen[:, column::dense, colour] *= 0.35
    screen[dense - 1 :: dense] *= 0.75
    drawn = Image.fromarray((np.clip(screen / screen.max(), 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
    width, height = round(picture.width * zoom), round(picture.height * zoom)
    tilt = dice.uniform(0.01, 0.06)
    corners = [
        (dice.uniform(-tilt, tilt) * drawn.width + x * drawn.width, dice.uniform(-tilt, tilt) * drawn.height + y * drawn.height)
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    turn = math.radians(dice.uniform(-6, 6))
    middle = (drawn.width / 2, drawn.height / 2)
    corners = [
        (
            middle[0] + (x - middle[0]) * math.cos(turn) - (y - middle[1]) * math.sin(turn),
            middle[1] + (x - middle[0]) * math.sin(turn) + (y - middle[1]) * math.cos(turn),
        )
        for x, y in corners
    ]
    drawn = drawn.filter(ImageFilter.GaussianBlur(dense / zoom * dice.uniform(0.45, 0.8)))  # the lens, before the sensor samples
    photo = drawn.transform((width, height), Image.Transform.PERSPECTIVE, _perspective(corners, width, height), Image.Resampling.BILINEAR)
    light = np.asarray(photo, np.float32) / 255
    down, right = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = dice.uniform(-0.2, 0.2) * (right / width - 0.5) + dice.uniform(-0.2, 0.2) * (down / height - 0.5)
    light = np.clip(light, 0, 1) ** dice.uniform(0.8, 1.25) * (dice.uniform(0.75, 0.95) + slope)[..., None]
    wave = dice.uniform(0.02, 0.09)  # beat of the two grids, wide and coloured
    angle = dice.uniform(0, math.pi)
    beat = 0.012 * np.sin(wave * (right * math.cos(angle) + down * math.sin(angle)))
    light = light + beat[..., None] * np.array([1.0, -0.6, 0.4], np.float32)
    light = light + noise.normal(0, dice.uniform(0.008, 0.02), light.shape).astype(np.float32)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))


def _perspective(corners: list[tuple[float, float]], width: int, height: int) -> list[float]:
    """The eight numbers by which Pillow finds, for a pixel of the photo, its place in `corners` of the source."""
    rows, values = [], []
    for (x, y), (u, v) in zip(((0, 0), (width, 0), (width, height), (0, height)), corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(one) for one in np.linalg.solve(np.array(rows, float), np.array(values, float))]


ATTACKS: dict[str, Attack] = {
    "screenshot": png,
    "jpeg 50": lambda picture, _dice: jpeg(picture, 50),
    "scaled 50 %": lambda picture, dice: png(scaled(picture, 0.5, dice)),
    "scaled 75 %": lambda picture, dice: png(scaled(picture, 0.75, dice)),
    "scaled 150 %": lambda picture, dice: png(scaled(picture, 1.5, dice)),
    "scaled 200 %": lambda picture, dice: png(scaled(picture, 2.0, dice)),
    "a third of the page": lambda picture, dice: png(cropped(picture, 1 / 3, dice)),
    "a third, jpeg 50": lambda picture, dice: jpeg(cropped(picture, 1 / 3, dice), 50),
    "a third, any scale, jpeg 85": lambda picture, dice: jpeg(scaled(cropped(picture, 1 / 3, dice), dice.uniform(0.5, 2), dice), 85),
    "any scale, jpeg 50": lambda picture, dice: jpeg(scaled(picture, dice.uniform(0.5, 2), dice), 50),
    "camera": lambda picture, dice: jpeg(camera(picture, dice), 85),
    "camera, a third": lambda picture, dice: jpeg(camera(cropped(picture, 1 / 3, dice), dice), 85),
    "scaled 50 %, jpeg 50": lambda picture, dice: jpeg(scaled(picture, 0.5, dice), 50),
    "a third, scaled 50 %, jpeg 50": lambda picture, dice: jpeg(scaled(cropped(picture, 1 / 3, dice), 0.5, dice), 50),
}


def attacked(one: Trial, attack: str, seed: int) -> bytes:
    """A picture file of a trial after an attack."""
    return ATTACKS[attack](one.picture, random.Random(f"{attack} {seed}"))
