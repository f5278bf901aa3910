"""Photographs and drawings: the loading bay by flash, a tool mark, the sketch and the telephone's screen."""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

FONTS = Path(__file__).resolve().parents[2] / "fonts"
Point = tuple[float, float]


def font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    """Load a bundled font."""
    return ImageFont.truetype(FONTS / name, size_px, layout_engine=ImageFont.Layout.BASIC)


def grain(seed: int, size: tuple[int, int], spread: int, cell_px: int = 1) -> Image.Image:
    """Grey noise around 128, in blotches of `cell_px`; the same for the same seed."""
    width, height = size[0] // cell_px + 2, size[1] // cell_px + 2
    raw = random.Random(seed).randbytes(2 * width * height)
    first = Image.frombytes("L", (width, height), raw[::2])
    both = ImageChops.add(first, Image.frombytes("L", (width, height), raw[1::2]), 2)  # two dice: nearer to a bell than one
    noise = both.point([max(0, min(255, 128 + (value - 128) * spread // 64)) for value in range(256)])
    return noise.resize((width * cell_px, height * cell_px), Image.Resampling.BICUBIC).crop((0, 0, *size))


def with_grain(image: Image.Image, seed: int, spread: int, cell_px: int = 1) -> Image.Image:
    """Lay noise over a picture."""
    noise = grain(seed, image.size, spread, cell_px)
    layer = noise if image.mode == "L" else Image.merge("RGB", (noise, noise, noise))
    return ImageChops.add(image, layer, 1, -128)


def warp(image: Image.Image, corners: tuple[Point, Point, Point, Point], size: tuple[int, int]) -> Image.Image:
    """Put a flat picture into perspective: its corners (clockwise from the top left) come to lie at `corners`; RGBA."""
    source = ((0.0, 0.0), (float(image.width), 0.0), (float(image.width), float(image.height)), (0.0, float(image.height)))
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    return image.convert("RGBA").transform(size, Image.Transform.PERSPECTIVE, _solve(rows), Image.Resampling.BICUBIC)


def _solve(rows: list[list[float]]) -> list[float]:
    """Solve eight linear equations by elimination."""
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column:
                share = rows[row][column] / rows[column][column]
                rows[row] = [one - share * other for one, other in zip(rows[row], rows[column], strict=True)]
    return [rows[index][size] / rows[index][index] for index in range(size)]


def tool_mark() -> Image.Image:
    """Two halves of a comparison microscope's view whose lines run on into each other."""
    dice, width, height = random.Random(192), 900, 520
    profile = [0.0] * (height * 2)
    for _ in range(90):
        at, depth, half = dice.uniform(0, len(profile)), dice.uniform(-46, 40), dice.uniform(0.8, 5)
        for y in range(max(0, int(at - 4 * half)), min(len(profile), int(at + 4 * half))):
            profile[y] += depth * math.exp(-(((y - at) / half) ** 2))
    halves = []
    for side, (slope, light) in enumerate(((0.035, 118), (0.031, 128))):
        column = Image.new("L", (1, height * 2))
        column.putdata([max(0, min(255, int(light + value))) for value in profile])
        strip = column.resize((width, height * 2)).rotate(math.degrees(slope), Image.Resampling.BICUBIC)
        strip = strip.crop((0, height // 2 + side, width, height // 2 + side + height))
        strip = with_grain(with_grain(strip, 5 + side, 22, 9), 11 + side, 10, 2)
        halves.append(strip.filter(ImageFilter.GaussianBlur(0.7)))
    view = Image.composite(halves[0], halves[1], Image.new("L", (width, height), 255).crop((0, 0, width, height)))
    view.paste(halves[1].crop((width // 2, 0, width, height)), (width // 2, 0))
    shade = Image.radial_gradient("L").resize((width, height)).point([255 - int(value * 0.42) for value in range(256)])
    view = ImageChops.multiply(view, shade)
    draw = ImageDraw.Draw(view)
    draw.line((width // 2, 0, width // 2, height), 20, 3)
    for x, text in ((18, "OB/2  mark 3"), (width // 2 + 18, "TL/4  edge A, 15°")):
        draw.text((x, 14), text, 245, font("Inter-Medium.otf", 22))
    draw.line((width - 190, height - 28, width - 40, height - 28), 250, 4)
    draw.text((width - 146, height - 60), "1 mm", 250, font("Inter-Medium.otf", 22))
    return view
