"""A home-made grabber: the X protocol and nothing else, as somebody would write it who reads this repository. ``python -m … FILE.ppm``."""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path

from vault.sensors.x11_wire import Connection

if __name__ == "__main__":
    connection = Connection()
    width, height = connection.screen_size_px()
    pixels = connection._ask(73, 2, struct.pack("<IhhHHI", connection._root, 0, 0, width, height, 0xFFFFFFFF))[32:]
    out = bytearray(width * height * 3)
    out[0::3], out[1::3], out[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    Path(sys.argv[1]).write_bytes(b"P6 %d %d 255 " % (width, height) + out)
    if len(sys.argv) > 2:
        time.sleep(float(sys.argv[2]))  # stays connected, as a recorder does
