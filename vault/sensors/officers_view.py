"""Looking at the officer's programs from under the launcher's group.

Rules:

- With the lent group the kernel shows nothing of the officer's other programs (ptrace(2), "access mode checking": the groups must be the
  same). Whoever looks at programs therefore takes the officer's group for the file system, on their own thread alone and for as long as
  they look (setfsgid(2)). The vault's files are not to be had meanwhile.
- When a group changes the kernel decides anew whether the process may be dumped (``fs.suid_dumpable``): never as an ordinary one, and not
  at all once that is said again, which is done each time.

Thread: any.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vault import reach

_PR_SET_DUMPABLE: Final = 4


@contextmanager
def looking_at_programs() -> Iterator[None]:
    """See of the officer's programs what they may see of each other. Linux; elsewhere, and from a checkout, nothing changes."""
    if sys.platform != "linux" or not reach.is_launched():
        yield
        return
    before = _set_group(os.getgid())
    try:
        yield
    finally:
        _set_group(before)


def _set_group(group: int) -> int:
    before: int = _libc().setfsgid(group)
    _libc().prctl(_PR_SET_DUMPABLE, *(ctypes.c_ulong(0) for _ in range(4)))
    return before


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
