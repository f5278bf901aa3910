"""Which program files are the system's: root's, in a system folder, and nobody else's to write.

Rules: pure but for ``stat``; the kinds of program that are whatever they are told to be are named in one table. Of a file that a program of
the account may serve (FUSE) only what the kernel knows already is asked: the program may never answer.

Source: statx(2).
"""

from __future__ import annotations

import ctypes
import fnmatch
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/snap", "/nix/store")
_INTERPRETERS = (
    *("python*", "pypy*", "perl*", "ruby*", "lua*", "node", "nodejs", "deno", "bun", "php*", "gjs*", "guile*", "tclsh*", "wish*", "R"),
    *("bash", "dash", "sh", "ash", "zsh", "fish", "ksh*", "mksh", "csh", "tcsh", "busybox", "java", "mono*", "dotnet", "qemu-*", "wine*"),
    *("ld-linux*", "ld-*.so*", "gdb", "strace", "ltrace", "erl*", "beam*", "ghc*", "racket", "sbcl", "julia", "octave*"),
)

_AT_FDCWD, _DONT_SYNC, _BASIC_STATS, _MOUNT_ID = -100, 0x4000, 0x7FF, 0x1000
_STATX_BYTES, _UID_OFFSET, _INO_OFFSET, _DEV_OFFSET, _MOUNT_ID_OFFSET = 256, 20, 32, 136, 144
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Known:
    """What the kernel knows of a file without asking its file system. Named as in ``os.stat_result``."""

    st_dev: int
    st_ino: int
    st_uid: int
    st_gid: int
    st_mode: int
    mount_id: int  # 0 where the kernel does not tell (before Linux 5.8)


def known(link: str) -> Known:
    """Where one of the kernel's own links leads to (``/proc/PID/exe``): the file itself, whatever lies at its path now.

    Raises:
        OSError: as ``os.stat``.
    """
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if _LIBC.statx(_AT_FDCWD, os.fsencode(link), _DONT_SYNC, _BASIC_STATS | _MOUNT_ID, buffer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    (mask,) = struct.unpack_from("I", buffer, 0)
    uid, gid, mode = struct.unpack_from("IIH", buffer, _UID_OFFSET)
    (inode,) = struct.unpack_from("Q", buffer, _INO_OFFSET)
    device = os.makedev(*struct.unpack_from("II", buffer, _DEV_OFFSET))
    (mount_id,) = struct.unpack_from("Q", buffer, _MOUNT_ID_OFFSET)
    return Known(device, inode, uid, gid, mode, mount_id if mask & _MOUNT_ID else 0)


def is_interpreter(name: str) -> bool:
    """Whether a program of this base name is whatever it is told to be."""
    return any(fnmatch.fnmatchcase(name, one) for one in _INTERPRETERS)


def lies_in_system(path: str) -> bool:
    """Whether an absolute path is below a system folder, by its text alone."""
    return path.startswith(tuple(f"{one}/" for one in FOLDERS))


def only_roots(status: os.stat_result | Known) -> bool:
    """Whether a file is root's and nobody else may write it."""
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def is_systems(path: str, status: os.stat_result | Known) -> bool:
    """Whether the program at `path`, which has that status, is the system's: it, and every folder above it."""
    return lies_in_system(path) and only_roots(status) and all(_folder_is_roots(one) for one in Path(path).parents)


def _folder_is_roots(folder: Path) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    return status.st_uid == 0 and not status.st_mode & stat.S_IWOTH and (status.st_gid == 0 or not status.st_mode & stat.S_IWGRP)
