"""inotify(7), read by whoever asks: the one thing watchdog cannot do for the store-access sensor.

Rules:

- watchdog's own thread reads its inotify queue, so nobody else can know when "everything up to now" has been read. The store-access
  sensor must know, to tell the vault's own opens from foreign ones; so it reads this queue itself. Copies are watched with watchdog.
- Nothing here opens the watched file: closing a descriptor of a database drops SQLite's POSIX locks in the whole process.

Source: inotify(7), inotify_add_watch(2).
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from pathlib import Path

OPEN = 0x20
CLOSE_WRITE = 0x08
CLOSE_NOWRITE = 0x10
ATTRIB = 0x04
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
OVERFLOW = 0x4000
IGNORED = 0x8000
DONT_FOLLOW = 0x02000000
_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000
_HEADER = struct.Struct("iIII")
_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One inotify event. `name` is empty for an event of the watched file itself; `watch` is -1 on overflow."""

    watch: int
    mask: int
    name: str


class Inotify:
    """An inotify instance. Thread: the caller serialises `read` and `add`."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(_CLOEXEC_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return int(self._fd)

    def add(self, path: Path, mask: int) -> int:
        """Watch a file or folder, not following a link; give the watch number. Raises OSError."""
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(path), ctypes.c_uint32(mask | DONT_FOLLOW))
        if watch < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return int(watch)

    def remove(self, watch: int) -> None:
        """Stop watching; a watch that is gone already is no error."""
        self._libc.inotify_rm_watch(self._fd, watch)

    def read(self) -> list[Event]:
        """Everything queued at this moment, oldest first; never blocks."""
        events: list[Event] = []
        while True:
            try:
                buffer = os.read(self._fd, _BUFFER_BYTES)
            except BlockingIOError:
                return events
            at = 0
            while at < len(buffer):
                watch, mask, _cookie, length = _HEADER.unpack_from(buffer, at)
                at += _HEADER.size
                events.append(Event(watch, mask, os.fsdecode(buffer[at : at + length].rstrip(b"\0"))))
                at += length

    def close(self) -> None:
        """Close; every watch goes with it."""
        os.close(self._fd)
