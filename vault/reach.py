"""Who may reach the vault's files: their owner alone, or, installed, whoever runs the launcher, by the group it lends (DESIGN §2).

Rules:

- Started by the setgid launcher, the effective group is `casevault` and the real one the officer's; files are made for that group (0660)
  in a folder that nobody else can enter, so that the officer's own programs cannot open them and the next officer's desk can.
- Started from a checkout, files are made for their owner only (0600).
- With the lent group the kernel shows nothing of the officer's other programs (ptrace(2), "access mode checking": the groups must be the
  same). Whoever looks at programs therefore takes the officer's group for the files of /proc, on their own thread alone and for as long
  as they look (setfsgid(2)). The vault's files are not to be had meanwhile.

LIMIT: the officer who made a file owns it. What keeps their other programs out is the folder, whose owner is root.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_DUMPABLE = 4


def is_launched() -> bool:
    """Whether this process runs with the group that the launcher lends. Thread: any."""
    return os.name == "posix" and os.getegid() != os.getgid()


def file_mode() -> int:
    """Permission bits of a new file of the vault."""
    return 0o660 if is_launched() else 0o600


def folder_mode() -> int:
    """Permission bits of a new folder in the vault's."""
    return 0o770 if is_launched() else 0o700


def mask() -> int:
    """The umask of a process that makes files of the vault."""
    return 0o007 if is_launched() else 0o077


@contextmanager
def looking_at_programs() -> Iterator[None]:
    """See of the officer's programs what they may see of each other. Linux; elsewhere, and from a checkout, nothing changes.

    When a group changes the kernel decides anew whether the process may be dumped (``fs.suid_dumpable``): never as an ordinary one, and
    not at all once that is said again.
    """
    if sys.platform != "linux" or not is_launched():
        yield
        return
    before = _set_group(os.getgid())
    try:
        yield
    finally:
        _set_group(before)


def _set_group(group: int) -> int:
    before: int = _libc().setfsgid(group)
    _libc().prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    return before


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
