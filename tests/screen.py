"""X servers of the tests' own, and their frame buffers: pixels are read without being one more client of the display.

Source: Xvfb(1) -fbdir; the buffer is an XWD file (XWDFile.h: a header of big-endian 32-bit numbers, a colour table, the pixels).
"""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SIZE = (1280, 800)
_COLOUR_BYTES = 12  # one entry of the colour table
_PATIENCE_SECONDS = 30
MARK = (255, 0, 204)  # the colour of the marked page
_NEAR = 70
_SHOWN_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Screen:
    """A running X server."""

    display: str
    authority: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to show itself here."""
        return {"DISPLAY": self.display, "XAUTHORITY": str(self.authority)}

    def grab(self) -> Image.Image:
        """What is on the screen now, RGB."""
        return read_xwd((self.folder / "Xvfb_screen0").read_bytes())

    def shows_page(self) -> bool:
        """Whether the marked page is on the screen."""
        return marked_share(self.grab()) >= _SHOWN_SHARE


def read_xwd(raw: bytes) -> Image.Image:
    """A picture of xwd's, or a server's frame buffer: 32 bits a pixel."""
    header = struct.unpack(">25I", raw[:100])
    start = header[0] + header[19] * _COLOUR_BYTES  # header_size, ncolors
    width, height, line_bytes = header[4], header[5], header[12]
    return Image.frombytes("RGB", (width, height), raw[start : start + line_bytes * height], "raw", "BGRX", line_bytes)


def marked_share(picture: Image.Image) -> float:
    """The share of a picture's pixels, 0…1, that have the marked page's colour."""
    small = picture.convert("RGB").resize((320, 200), Image.Resampling.NEAREST)
    near = sum(count for count, colour in small.getcolors(320 * 200) or [] if _is_mark(colour))
    return near / (320 * 200)


def holds_page(path: Path) -> bool:
    """Whether a picture file shows the marked page; an empty or absent one does not."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    if path.suffix == ".xwd":
        return marked_share(read_xwd(path.read_bytes())) >= _SHOWN_SHARE
    with Image.open(path) as picture:
        return marked_share(picture) >= _SHOWN_SHARE


def _is_mark(colour: object) -> bool:
    return isinstance(colour, tuple) and all(abs(one - wanted) <= _NEAR for one, wanted in zip(colour[:3], MARK, strict=True))


@contextmanager
def x_server(folder: Path, *, account: str | None = None, over_network: bool = False) -> Iterator[Screen]:
    """Run an X server of `SIZE`, as `account` if one is named, on TCP too if asked; cookie and frame buffer lie below `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, cookie = folder / "authority", secrets.token_hex(16)
    authority.touch(mode=0o600)
    subprocess.run(["xauth", "-q", "-f", authority, "add", ":0", ".", cookie], check=True)  # the server takes any number's cookie
    if account is not None:
        for path in (folder, authority):
            shutil.chown(path, account, account)
    width_px, height_px = SIZE
    reading, writing = os.pipe()
    with (folder / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width_px}x{height_px}x24",
             "-listen" if over_network else "-nolisten", "tcp",
             "-fbdir", str(folder), "-auth", str(authority)],
            pass_fds=[writing], stdout=log, stderr=log, user=account, group=account, extra_groups=[] if account is not None else None,
        )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        assert number, (folder / "xvfb.log").read_text()
        subprocess.run(["xauth", "-q", "-f", authority, "add", f":{number}", ".", cookie], check=True)
        if account is not None:
            shutil.chown(authority, account, account)  # xauth writes a new one
        yield Screen(f":{number}", authority, folder)
    finally:
        server.terminate()
        server.wait(_PATIENCE_SECONDS)
