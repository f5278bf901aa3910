"""A write lease: the kernel holds a foreign open() of the file until we have looked.

Rules:

- The lease sits on a descriptor the vault has anyway. Nothing here opens or closes it, except the self-test's probe, see `probe`.
- The break signal is directed at one thread (F_SETOWN_EX with F_OWNER_TID) which has it blocked and reads it from a signalfd. No other
  thread and no signal mask of the process is involved. `F_UNLCK` forgets owner and signal, so both are set again with every lease.
- SIGIO is blocked in that thread too: the kernel falls back to it when the queue of real-time signals is full.
- LIMIT: the kernel gives up holding after /proc/sys/fs/lease-break-time (45 s); needs the file's owner or CAP_LEASE and a local file
  system; a second descriptor anywhere, ours included, makes a lease impossible while it is open.

Source: F_SETLEASE(2const), signalfd(2); experiments E1, E2.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct
import threading
from pathlib import Path

_F_SETOWN_EX = 15
_F_OWNER_TID = 0
_SIGNALFD_FLAGS = 0o2000000 | 0o4000  # CLOEXEC | NONBLOCK
_SIGNAL_RECORD_BYTES = 128
BREAK_SIGNAL = int(signal.SIGRTMIN) + 5


class WriteLease:
    """The lease on one file. Thread: make it, `take` and `drain` it on the thread that polls it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._inode = (0, 0)
        self._kept: list[int] = []
        self._thread_id = threading.get_native_id()
        signal.pthread_sigmask(signal.SIG_BLOCK, {BREAK_SIGNAL, signal.SIGIO})
        mask = bytearray(128)
        for number in (BREAK_SIGNAL, int(signal.SIGIO)):
            mask[(number - 1) // 8] |= 1 << ((number - 1) % 8)
        libc = ctypes.CDLL(None, use_errno=True)
        self._signals = libc.signalfd(-1, (ctypes.c_char * 128).from_buffer(mask), _SIGNALFD_FLAGS)
        if self._signals < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the lease is being broken."""
        return int(self._signals)

    @property
    def held(self) -> bool:
        """Whether the kernel says that the lease is ours and whole at this moment."""
        if self._descriptor is None:
            return False
        try:
            return fcntl.fcntl(self._descriptor, fcntl.F_GETLEASE) == fcntl.F_WRLCK
        except OSError:
            return False

    def take(self, descriptor: int | None) -> bool:
        """Lease the file by `descriptor`. False while somebody else has it open, or where leases do not work."""
        self._descriptor = None
        try:
            wanted = self._path.stat()
        except OSError:
            return False
        self._inode = (wanted.st_dev, wanted.st_ino)
        if descriptor is None or not self._is_ours(descriptor):
            return False
        try:
            fcntl.fcntl(descriptor, _F_SETOWN_EX, struct.pack("ii", _F_OWNER_TID, self._thread_id))
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, BREAK_SIGNAL)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            return False
        self._descriptor = descriptor
        return True

    def give_back(self) -> None:
        """Let whoever is held go on."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None and self._is_ours(descriptor):
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EBADF):  # the kernel gave up first
                    raise

    def drain(self) -> bool:
        """Read the queued break signals; whether there were any."""
        try:
            return bool(os.read(self._signals, 64 * _SIGNAL_RECORD_BYTES))
        except BlockingIOError:
            return False

    def probe(self) -> bool:
        """Open the file without waiting: a whole lease refuses that and signals a break, which the polling thread must see.

        The refused open leaves no descriptor behind, so SQLite's POSIX locks are not touched. Should it succeed after all, that
        descriptor is kept for good, for closing it would drop them.
        """
        try:
            self._kept.append(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Give the lease back and close the signal descriptor."""
        self.give_back()
        os.close(self._signals)

    def _is_ours(self, descriptor: int) -> bool:
        """The store may have closed its file and the number may be somebody else's now."""
        try:
            status = os.fstat(descriptor)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._inode
