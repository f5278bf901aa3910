"""What the kernel knows of a file, asked so that nobody who serves its file system need answer.

Source: statx(2) and its ``struct statx``. Linux only. Thread: any.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

AT_FDCWD = -100
SYMLINK_NOFOLLOW, NO_AUTOMOUNT, EMPTY_PATH, DONT_SYNC = 0x100, 0x800, 0x1000, 0x4000  # flags
INODE, BORN, BASIC, MOUNT_ID, MOUNT_ID_UNIQUE = 0x100, 0x800, 0x7FF, 0x1000, 0x4000  # what is wanted
_BYTES = 256
_MASK, _OWNER_AND_MODE, _INODE, _BORN, _DEVICE, _MOUNT_ID = (struct.Struct(one) for one in ("I", "IIH", "Q", "qI", "II", "Q"))
_OWNER_AT, _INODE_AT, _BORN_AT, _DEVICE_AT, _MOUNT_ID_AT = 20, 32, 80, 136, 144


@dataclass(frozen=True, slots=True)
class Known:
    """The answer. Named as in ``os.stat_result`` where that has it; meaningful only as far as it was wanted."""

    st_dev: int
    st_ino: int
    st_uid: int
    st_gid: int
    st_mode: int
    born_ns: int  # 0 where the file system does not keep it
    mount_id: int  # of the kind that was wanted; 0 where the kernel does not tell (before Linux 5.8, the unique one before 6.8)


def ask(place: str | Path, wanted: int, flags: int, at: int = AT_FDCWD) -> Known:
    """Ask for a path, from the folder `at`; or with EMPTY_PATH and an empty path, for the descriptor `at` itself.

    Raises:
        OSError: as ``os.stat``.
    """
    answer = ctypes.create_string_buffer(_BYTES)
    if _libc().statx(at, os.fsencode(place), flags, wanted, answer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    (mask,) = _MASK.unpack_from(answer, 0)
    owner, group, mode = _OWNER_AND_MODE.unpack_from(answer, _OWNER_AT)
    (inode,) = _INODE.unpack_from(answer, _INODE_AT)
    born_s, born_rest_ns = _BORN.unpack_from(answer, _BORN_AT)
    device = os.makedev(*_DEVICE.unpack_from(answer, _DEVICE_AT))
    (mount_id,) = _MOUNT_ID.unpack_from(answer, _MOUNT_ID_AT)
    born_ns = born_s * 1_000_000_000 + born_rest_ns if mask & BORN else 0
    return Known(device, inode, owner, group, mode, born_ns, mount_id if mask & wanted & (MOUNT_ID | MOUNT_ID_UNIQUE) else 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
