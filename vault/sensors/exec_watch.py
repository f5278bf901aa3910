"""Tells that one of some files was executed, without root and within a millisecond.

Rules:

- fanotify(7) tells executions (FAN_OPEN_EXEC) from readings: a backup or a virus scanner that reads a capture tool starts nothing.
- Where the kernel does not allow it, inotify tells every opening (`sure` is False): the caller must find a running process.
- Nothing here opens the watched files, and nothing is executed to try it: the kernel's own list of what is watched is its proof (`works`).

Source: fanotify(7), fanotify_mark(2): unprivileged listeners since Linux 5.13; FAN_OPEN_EXEC since 5.0. proc(5), fdinfo.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from vault.sensors import inotify

_log = logging.getLogger(__name__)

_CLOEXEC, _NONBLOCK, _REPORT_FID = 0x1, 0x2, 0x200
_MARK_ADD, _OPEN_EXEC, _AT_FDCWD = 0x1, 0x1000, -100
_BUFFER_BYTES = 64 * 1024
_MARKS = (b"fanotify ino:", b"inotify wd:")


class ExecWatch:
    """Watches files for being executed.

    Args:
        paths: regular files, links resolved; one that cannot be watched is left out.
        sure: ask for executions; otherwise every opening is told.
    Raises:
        OSError: neither fanotify nor inotify is to be had.
    """

    def __init__(self, paths: Iterable[Path], *, sure: bool = True) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fanotify = self._libc.fanotify_init(_CLOEXEC | _NONBLOCK | _REPORT_FID, os.O_RDONLY) if sure else -1
        self._inotify = inotify.Inotify() if self._fanotify < 0 else None
        self._watched: dict[Path, tuple[int, int] | None] = {}  # and the file that was there
        self._marks = 0  # how many the kernel must have: two paths may be one file, and it keeps a replaced file's as long as that runs
        self.add(paths)

    @property
    def sure(self) -> bool:
        """Whether what is told was an execution, and not only an opening."""
        return self._inotify is None

    @property
    def count(self) -> int:
        """How many files are watched."""
        return len(self._watched)

    def add(self, paths: Iterable[Path]) -> None:
        """Watch more files; watching one twice does nothing."""
        for path in paths:
            file = _file_at(path)  # first: what is replaced meanwhile is found by `works`
            try:
                if self._inotify is not None:
                    self._inotify.add(path, inotify.OPEN)
                else:
                    self._mark(path)
            except OSError as error:
                _log.info("a capture tool cannot be watched: errno %s", error.errno)
            else:
                self._watched[path] = file
        self._marks = min(self._listed(), len(self._files()))

    def works(self) -> bool:
        """Whether the kernel still has every file on its list for our descriptor. A file that was replaced (an update) is watched anew.

        Thread: any, beside `happened`; never beside `add` and `close`.
        """
        kept = {path: file for path, file in self._watched.items() if _file_at(path) == file}
        if self._listed() < self._marks - len(self._files() - set(kept.values())):
            return False
        replaced = self._watched.keys() - kept.keys()
        self._watched = kept
        if replaced:
            self.add(replaced)
        return True

    def fileno(self) -> int:
        """The descriptor to poll."""
        return int(self._fanotify) if self._inotify is None else self._inotify.fileno()

    def happened(self) -> bool:
        """Whether one of the files was executed (or opened) since the last call; never blocks."""
        if self._inotify is not None:
            return any(event.mask & (inotify.OPEN | inotify.OVERFLOW) for event in self._inotify.read())
        seen = False
        try:
            while os.read(self._fanotify, _BUFFER_BYTES):
                seen = True
        except BlockingIOError:
            return seen
        return seen

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            self._inotify.close()
        else:
            os.close(self._fanotify)

    def _files(self) -> set[tuple[int, int]]:
        return {file for file in self._watched.values() if file is not None}

    def _listed(self) -> int:
        """How many files the kernel watches for our descriptor; -1 if it is not the one that we opened."""
        number = self.fileno()
        try:
            if "notify" not in Path(f"/proc/self/fd/{number}").readlink().name:
                return -1
            described = Path(f"/proc/self/fdinfo/{number}").read_bytes()
        except OSError:
            return -1
        return sum(line.startswith(_MARKS) for line in described.splitlines())

    def _mark(self, path: Path) -> None:
        result = self._libc.fanotify_mark(
            self._fanotify, ctypes.c_uint(_MARK_ADD), ctypes.c_uint64(_OPEN_EXEC), ctypes.c_int(_AT_FDCWD), os.fsencode(path)
        )
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
