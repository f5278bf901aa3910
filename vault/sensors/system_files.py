"""Which program files are the system's: root's, in a system folder, and nobody else's to write.

Rules: pure but for ``stat``; the kinds of program that are whatever they are told to be are named in one table. Of a file that a program of
the account may serve (FUSE) only what the kernel knows already is asked (`statx`): the program may never answer.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from pathlib import Path

from vault.sensors import statx
from vault.sensors.statx import Known

FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/snap", "/nix/store")
_INTERPRETERS = (
    *("python*", "pypy*", "perl*", "ruby*", "lua*", "node", "nodejs", "deno", "bun", "php*", "gjs*", "guile*", "tclsh*", "wish*", "R"),
    *("bash", "dash", "sh", "ash", "zsh", "fish", "ksh*", "mksh", "csh", "tcsh", "busybox", "java", "mono*", "dotnet", "qemu-*", "wine*"),
    *("ld-linux*", "ld-*.so*", "gdb", "strace", "ltrace", "erl*", "beam*", "ghc*", "racket", "sbcl", "julia", "octave*"),
)


def known(link: str) -> Known:
    """Where one of the kernel's own links leads to (``/proc/PID/exe``): the file itself, whatever lies at its path now.

    Raises:
        OSError: as ``os.stat``.
    """
    return statx.ask(link, statx.BASIC | statx.MOUNT_ID, statx.DONT_SYNC)


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
