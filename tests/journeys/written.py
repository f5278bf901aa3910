"""Every file that a process or anything it started writes, wherever it lies, with what was in it when it was closed. Root only.

Rules:

- The kernel tells (fanotify FAN_CLOSE_WRITE on every file system that can be written), and hands over the file itself: one that is deleted
  a moment later is read all the same.
- Whose it was is told by the writer's parents at that moment.
- LIMIT: what was overwritten before the file was closed, and memory files, are not seen.

Source: fanotify(7).
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CLASS_NOTIF, _CLOEXEC, _UNLIMITED_QUEUE = 0x0, 0x1, 0x10
_MARK_ADD, _MARK_FILESYSTEM, _CLOSE_WRITE, _AT_FDCWD = 0x1, 0x100, 0x8, -100
_EVENT = struct.Struct("IBBHQii")
_LARGEST_BYTES = 64 * 1024 * 1024
_DISKS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "overlay", "tmpfs", "f2fs", "zfs", "bcachefs"})


@dataclass(frozen=True, slots=True)
class Written:
    """One closing of one file."""

    path: str
    writer: str
    ancestors: frozenset[int]
    content: bytes


class WrittenFiles:
    """Watches from its making to `stop`."""

    def __init__(self, interesting: Iterable[int]) -> None:
        """`interesting`: processes whose descendants' writes are kept; their own are not."""
        self._interesting = frozenset(interesting)
        self.seen: list[Written] = []
        self.mounts: list[str] = []
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.fanotify_init(_CLASS_NOTIF | _CLOEXEC | _UNLIMITED_QUEUE, os.O_RDONLY)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "fanotify_init")
        for mount in _writable_mounts():
            marked = libc.fanotify_mark(
                self._descriptor, _MARK_ADD | _MARK_FILESYSTEM, ctypes.c_uint64(_CLOSE_WRITE), _AT_FDCWD, os.fsencode(mount)
            )
            if marked == 0:
                self.mounts.append(mount)
        assert "/" in self.mounts
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read what is left and stop."""
        self._ending = True
        self._thread.join()
        os.close(self._descriptor)

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        while True:
            ready = poller.poll(200)
            if not ready and self._ending:
                return
            if ready:
                self._take(os.read(self._descriptor, 64 * 1024))

    def _take(self, events: bytes) -> None:
        at = 0
        while at + _EVENT.size <= len(events):
            length, _version, _reserved, _metadata, _mask, descriptor, pid = _EVENT.unpack_from(events, at)
            at += length
            if descriptor < 0:
                continue
            try:
                ancestors = _ancestors(pid)
                gone = not Path(f"/proc/{pid}").exists()  # whose child it was can no longer be told: kept all the same
                if (ancestors & self._interesting or gone) and pid != os.getpid():
                    path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
                    self.seen.append(Written(path, _name(pid), ancestors, _content(descriptor)))
            finally:
                os.close(descriptor)


def _content(descriptor: int) -> bytes:
    pieces, at = [], 0
    while at < _LARGEST_BYTES and (piece := os.pread(descriptor, 1024 * 1024, at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _ancestors(pid: int) -> frozenset[int]:
    found = {pid}
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        found.add(pid)
    return frozenset(found)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"


def _writable_mounts() -> list[str]:
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _device, place, kind, options = line.split()[:4]
        if kind in _DISKS and "rw" in options.split(","):
            found.append(place.replace("\\040", " "))
    return found
