"""A small file beside the databases, whole and on the disk or not there at all.

Rules of this module:

- Written under another name in the same folder, synced, put into place in one step, the folder synced: a power cut leaves what was there
  before, or all of the new file.
- No link is followed, and the folder is held open, so that nothing can be slipped in between.
- Where the file system has no hard links (vfat, exfat, some of programs), what must not be replaced is looked for before the rename.
  LIMIT: a file that somebody puts there in between is replaced; of ours there is none, for one writes at a time.
- Who may read it is `vault.reach`'s decision.

Raises the system's own `OSError`; callers give it the vault's code (`write_code`). Thread: any, one at a time a file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from vault import reach

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def write_code(error: OSError) -> str:
    """Give the code of a file that could not be written: storage.full, storage.read-only, storage.input-output."""
    if error.errno in _DISK_FULL:
        return "storage.full"
    return "storage.read-only" if error.errno in _NOT_WRITABLE else "storage.input-output"


def write_whole(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file.

    Args:
        path: where; its folder exists.
        content: all of it.
        replace: put it in the place of a file of that name; otherwise such a file is a `FileExistsError`.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sweep(path, folder)
        temporary = f".{path.name}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, reach.file_mode(), dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor opened relative to the folder
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            if replace:
                os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                _put_where_none_is(temporary, path.name, folder)
        finally:
            with contextlib.suppress(OSError):  # after a rename it is gone
                os.unlink(temporary, dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def _put_where_none_is(temporary: str, name: str, folder: int) -> None:
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def move_whole(source: Path, target: Path, last: str) -> None:
    """Move every file of a folder into another on the same file system, `last` after the others are there; the empty folder goes."""
    folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for one in sorted(source.iterdir(), key=lambda path: path.name == last):
            if one.name == last:
                os.fsync(folder)
            one.replace(target / one.name)
        os.fsync(folder)
    finally:
        os.close(folder)
    source.rmdir()


def _sweep(path: Path, folder: int) -> None:
    """Remove what an interrupted write left behind."""
    for name in os.listdir(folder):
        if name.startswith(f".{path.name}."):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
