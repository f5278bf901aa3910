"""A capture program of one's own, with nothing but the X library: grab.py FILE writes the screen as a PPM picture.

Runs under the system's Python.
"""

import ctypes
import sys
from pathlib import Path


class XImage(ctypes.Structure):
    """The beginning of Xlib's XImage."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("width", "height", "xoffset", "format")),
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("byte_order", "bitmap_unit", "bitmap_bit_order", "bitmap_pad", "depth", "bytes_per_line")),
    )


def main() -> None:
    """Open the display, read the root window."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XGetImage.restype = ctypes.POINTER(XImage)
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    width, height = x11.XDisplayWidth(display, 0), x11.XDisplayHeight(display, 0)
    image = x11.XGetImage(display, root, 0, 0, width, height, ctypes.c_ulong(0xFFFFFFFF), 2).contents
    raw = ctypes.string_at(image.data, image.bytes_per_line * height)
    rows = []
    for line in range(height):
        row = raw[line * image.bytes_per_line : line * image.bytes_per_line + 4 * width]
        pixels = bytearray(3 * width)
        pixels[0::3], pixels[1::3], pixels[2::3] = row[2::4], row[1::4], row[0::4]
        rows.append(bytes(pixels))
    Path(sys.argv[1]).write_bytes(b"P6\n%d %d\n255\n" % (width, height) + b"".join(rows))


main()
