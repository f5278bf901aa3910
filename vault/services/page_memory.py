"""The memory in which page pictures cross from the rendition worker to the screen.

Rules:

- Two slots of 64 MiB: the page on screen and the next one. Nothing but finished, watermarked pictures is ever written into it.
- It has no name and no path: a `memfd`, handed to the two child processes as an inherited descriptor. Its size is sealed, so neither side
  can shrink it under the other (a shrunk mapping kills its reader with SIGBUS).
- Memory is backed only where something was written, and given back by `wipe`.
- Standard library only, and little of it: the interface imports this module before its first window.

LIMIT: `memfd_create` is Linux. Elsewhere `create` refuses with ``page-memory.unsupported`` instead of using memory with a guessable name.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import Final, Self

from vault.errors import DefectError, UnavailableError

SLOT_COUNT: Final = 2
SLOT_BYTES: Final = 64 * 1024 * 1024

_TOTAL_BYTES: Final = SLOT_COUNT * SLOT_BYTES


class PageMemory:
    """A page picture store shared by [V], [R] and [U]. Each process has its own object over the same memory.

    The owner is [V]: it creates it, hands `descriptor` to its children (``pass_fds``) and wipes it. Not safe for two threads at once.
    """

    def __init__(self, descriptor: int) -> None:
        """Map the memory behind `descriptor`, which this object owns from now on. Use `create` or `from_descriptor`."""
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, _TOTAL_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    @classmethod
    def create(cls) -> Self:
        """Make new page memory, empty, its size sealed.

        Raises:
            UnavailableError: page-memory.unsupported (not Linux), page-memory.create.
        """
        if not hasattr(os, "memfd_create"):
            raise UnavailableError("page-memory.unsupported")
        import fcntl  # noqa: PLC0415 -- absent on Windows

        try:
            descriptor = os.memfd_create("casevault-pages", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(descriptor, _TOTAL_BYTES)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        except OSError as error:
            raise UnavailableError("page-memory.create", errno=error.errno or 0) from error
        return cls(descriptor)

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Self:
        """Map page memory inherited from the process that created it. The descriptor is closed by `close`.

        Raises:
            DefectError: page-memory.descriptor, the descriptor is not page memory (wrong size).
        """
        try:
            size_bytes = os.fstat(descriptor).st_size
        except OSError as error:
            raise DefectError("page-memory.descriptor") from error
        if size_bytes != _TOTAL_BYTES:
            raise DefectError("page-memory.descriptor", size_bytes=size_bytes)
        return cls(descriptor)

    @property
    def descriptor(self) -> int:
        """The descriptor to hand to a child process. It is close-on-exec: pass it in ``pass_fds``."""
        return self._descriptor

    def view(self, slot: int) -> memoryview:
        """Return the bytes of a slot, 0 <= slot < SLOT_COUNT, SLOT_BYTES long. Release it before `close`."""
        if not 0 <= slot < SLOT_COUNT:
            raise DefectError("page-memory.slot", slot=slot)
        return memoryview(self._map)[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES]

    def wipe(self, slot: int | None = None) -> None:
        """Give the memory of one slot, or of both, back to the kernel; every process then reads zeros there."""
        start, length = (0, _TOTAL_BYTES) if slot is None else (slot * SLOT_BYTES, SLOT_BYTES)
        self._map.madvise(mmap.MADV_REMOVE, start, length)

    def close(self) -> None:
        """Unmap and close. The memory itself lives until the last process lets go of it; `wipe` first to be sure of its content."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(BufferError):  # a view is still held: the mapping goes when that view does
            self._map.close()
        os.close(self._descriptor)
        self._descriptor = -1
