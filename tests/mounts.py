"""Mounts that no other program of the machine sees: desks of other tests would report them, rightly."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNS = 0x20000
_PATIENCE_SECONDS = 20.0


@contextmanager
def own_mounts() -> Iterator[None]:
    """A mount namespace for this thread and what it starts from now on; nothing mounted in it outlives the block. Needs root.

    Raises:
        OSError: this system does not give one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            yield
        finally:
            folder = Path.cwd()
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while libc.setns(before, _CLONE_NEWNS) != 0:  # EINVAL while a thread that was started in here still ends: it shares our folder
                if time.monotonic() > deadline:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                time.sleep(0.01)
            os.chdir(folder)  # coming back, the system puts us into the root folder
    finally:
        os.close(before)
