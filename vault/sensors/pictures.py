"""A new picture of the screen's size, or a film, appearing in a watched folder while a page is on screen or just was.

Rules:

- Told of new files by the copies sensor, which watches the folders anyway; reads the head of a file, at most `_HEAD_BYTES`.
- A picture counts by its size in pixels: it fits the screen and covers at least an eighth of it. Photographs are larger, icons smaller.
  A film always counts.
- While the interface covers the page, because another window has the keyboard, nothing counts: what is saved then is somebody's other work.
  The first `_JUST_NOW_SECONDS` still count: a picture is written after it was taken, and what asks where to keep it has the keyboard.
- By its first bytes, whatever it is called. A file is one signal.
- What another account put where this one may change nothing of it (/tmp, or a folder of its own there) is that account's: it accuses nobody
  here. To have taken the picture of this screen it had to be a client of the display, which is noticed (`captures`).

LIMIT: a picture kept elsewhere, in a format that is not listed, inside an archive or cropped to less than an eighth is not seen here; what
took it was (`captures`). One of the page that is kept later than that, the page left or covered meanwhile, is not seen here either.

Thread: the copies sensor's. Source: PNG, JPEG (JFIF), GIF89a, BMP, PNM, WebP, TIFF, XWDFile.h, ISO 14496-12, Matroska, RIFF.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vault.domain.breach import Signal, SignalKind
from vault.sensors.contract import Emit, wall_clock_us

_HEAD_BYTES = 512 * 1024  # a JPEG's size stands behind its metadata
_SMALLEST_SHARE = 8
_REMEMBERED = 512
_JUST_NOW_SECONDS = 5.0
_UNKNOWN_SCREEN_PX = (640, 400)
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_XWD_VERSION = 7


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file's head says. Films have no size."""

    kind: str
    width_px: int = 0
    height_px: int = 0

    @property
    def is_film(self) -> bool:
        """Whether it moves."""
        return self.width_px == 0


def recognise(head: bytes) -> Picture | None:
    """Say what picture or film begins with `head`; None for everything else, and for a head too short to say its size."""
    try:
        return next((found for look in _LOOKS if (found := look(head)) is not None), None)
    except (struct.error, IndexError, ValueError):
        return None


class NewPictures:
    """Looks at new files.

    Args:
        is_watched: whether a page is on screen, or was a moment ago.
        screen_size_px: the screen's size; (0, 0) where it cannot be told.
        emit: told of each picture.
        covered_seconds: how long the page has been covered, 0 while it is not.
    """

    def __init__(
        self,
        is_watched: Callable[[], bool],
        screen_size_px: Callable[[], tuple[int, int]],
        emit: Emit,
        covered_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._is_watched = is_watched
        self._screen_size_px = screen_size_px
        self._emit = emit
        self._covered_seconds = covered_seconds
        self._told: dict[tuple[int, int], None] = {}

    def look(self, path: Path, head: bytes) -> None:
        """Look at a file that is new or was written; `head` is its beginning."""
        if not _may_be(head) or not self._is_watched() or self._covered_seconds() > _JUST_NOW_SECONDS:
            return
        try:
            # A pipe may have been put in its place since it was listed: that would never open, or never be read to its end.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 -- a descriptor opened without following a link
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode) or _is_anothers(path.parent, status):
                    return
                whole = file.read(_HEAD_BYTES)
        except OSError:
            return
        picture = recognise(whole)
        key = (status.st_dev, status.st_ino)
        if picture is None or key in self._told or not self._counts(picture):
            return
        self._told[key] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        facts: tuple[tuple[str, str | int], ...] = (("name", path.name), ("folder", _shown(path.parent)), ("format", picture.kind))
        if not picture.is_film:
            facts += (("width_px", picture.width_px), ("height_px", picture.height_px))
        self._emit(Signal(SignalKind.NEW_PICTURE, wall_clock_us(), facts))

    def _counts(self, picture: Picture) -> bool:
        if picture.is_film:
            return True
        width, height = self._screen_size_px()
        if not width:
            return picture.width_px >= _UNKNOWN_SCREEN_PX[0] and picture.height_px >= _UNKNOWN_SCREEN_PX[1]
        fits = picture.width_px <= width and picture.height_px <= height
        return fits and picture.width_px * picture.height_px * _SMALLEST_SHARE >= width * height


def _is_anothers(folder: Path, status: os.stat_result) -> bool:
    """Whether another account made a file, and ours neither can have put it there nor can write it."""
    if status.st_uid == os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    return bool(folder.stat().st_mode & stat.S_ISVTX) or not os.access(folder, os.W_OK)


def _shown(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _may_be(head: bytes) -> bool:
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"P", b"RIFF", b"II*\0", b"MM\0*", b"\x1aE\xdf\xa3", b"\0\0"))


def _png(head: bytes) -> Picture | None:
    return Picture("PNG", *struct.unpack_from(">II", head, 16)) if head.startswith(b"\x89PNG\r\n\x1a\n") else None


def _jpeg(head: bytes) -> Picture | None:
    if not head.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while True:
        marker, length = head[at + 1], struct.unpack_from(">H", head, at + 2)[0]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Picture("JPEG", width, height)
        at += 2 + length


def _gif(head: bytes) -> Picture | None:
    return Picture("GIF", *struct.unpack_from("<HH", head, 6)) if head.startswith((b"GIF87a", b"GIF89a")) else None


def _bmp(head: bytes) -> Picture | None:
    if not head.startswith(b"BM") or struct.unpack_from("<I", head, 14)[0] not in (40, 52, 56, 108, 124):
        return None
    width, height = struct.unpack_from("<ii", head, 18)
    return Picture("BMP", abs(width), abs(height))


def _pnm(head: bytes) -> Picture | None:
    if head[:1] != b"P" or head[1:2] not in b"123456" or not head[2:3].isspace():
        return None
    lines = (line.partition(b"#")[0] for line in head[2:1024].splitlines())
    numbers = [int(one) for one in b" ".join(lines).split()[:2]]
    return Picture("PNM", numbers[0], numbers[1])


def _webp(head: bytes) -> Picture | None:
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    if head[12:16] == b"VP8X":
        return Picture("WebP", 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little"))
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return Picture("WebP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width, height = struct.unpack_from("<HH", head, 26)
    return Picture("WebP", width & 0x3FFF, height & 0x3FFF)


def _tiff(head: bytes) -> Picture | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None:
        return None
    (directory,) = struct.unpack_from(f"{order}I", head, 4)
    (count,) = struct.unpack_from(f"{order}H", head, directory)
    sizes = {}
    for number in range(count):
        tag, kind = struct.unpack_from(f"{order}HH", head, directory + 2 + 12 * number)
        if tag in (256, 257):
            (sizes[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), head, directory + 10 + 12 * number)  # noqa: PLR2004
    return Picture("TIFF", sizes.get(256, 1), sizes.get(257, 1))


def _xwd(head: bytes) -> Picture | None:
    size, version, kind = struct.unpack_from(">III", head, 0) if head[:2] == b"\0\0" else (0, 0, 9)
    if version != _XWD_VERSION or not 100 <= size < 1024 or kind > 2:  # noqa: PLR2004 - XWDFile.h
        return None
    return Picture("XWD", *struct.unpack_from(">II", head, 16))


def _film(head: bytes) -> Picture | None:
    if head[4:8] == b"ftyp" and head[8:11] not in (b"avi", b"hei", b"mif", b"M4A"):
        return Picture("MP4")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return Picture("Matroska")
    return Picture("AVI") if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


_LOOKS: tuple[Callable[[bytes], Picture | None], ...] = (_png, _jpeg, _gif, _bmp, _pnm, _webp, _tiff, _film, _xwd)
