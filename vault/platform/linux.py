"""Linux: hardening of the process, life with its parent, and one vault process at a time.

Rules:

- A measure is applied or raises; none answers "done" without doing it.
- Non-dumpable means: no ptrace, no ``/proc/PID/mem``, ``environ`` or ``fd`` for other programs of this account, and no core, also not
  through a pipe of ``core_pattern``, which ignores the limit. It does not survive execve: every process says it again.
- A process has room for the descriptors that its sensors need: whoever starts it with less would have them look at nothing.
- LIMIT: from a checkout a program that opened ``/proc/PID/mem`` before `harden_process` keeps reading (20 of 20 measured). Only the setgid
  launcher closes that (DESIGN §2, V37).
- LIMIT: root reads everything.

Source: prctl(2), PR_SET_DUMPABLE(2const), PR_SET_PDEATHSIG(2const), core(5), setrlimit(2), flock(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import threading
import time
from pathlib import Path
from types import TracebackType

from vault import reach
from vault.errors import UnavailableError

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_OWNER_ONLY = 0o077
_DESCRIPTORS = 1024  # what systems give everybody
_LOCK_PAUSE_SECONDS = 0.02


def harden_process(*, private: bool = False) -> None:
    """Not dumpable, no core, and no file that others can read. Call first in the process, before anything secret is in it.

    Args:
        private: this process makes files for this account only, not for the vault.
    Raises:
        UnavailableError: platform.not-hardened.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= soft < _DESCRIPTORS:
            resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, hard))  # refused where the account may not have as many
    except (OSError, ValueError) as error:
        raise UnavailableError("platform.not-hardened") from error
    _prctl(_PR_SET_DUMPABLE, 0)
    if _libc().prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise UnavailableError("platform.not-hardened")
    os.umask(_OWNER_ONLY if private else reach.mask())


def no_new_privileges() -> None:
    """Nothing this process starts gains a privilege by execve. Not for the interface: its children need the group the launcher lent.

    Raises:
        UnavailableError: platform.not-hardened.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise UnavailableError("platform.not-hardened")


class InstanceLock:
    """Held while this process has the vault open; also a context manager."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Let another process open the vault. The file stays: deleting it would let two processes lock two files of one name."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> InstanceLock:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def single_instance(path: Path, wait_seconds: float = 0.0) -> InstanceLock:
    """Lock `path` (made if absent, for whoever may reach the vault) for this process. The kernel unlocks it, however the process ends.

    Args:
        path: the file that is locked.
        wait_seconds: how long another process that holds it may take to end.

    Raises:
        UnavailableError: vault.already-open, another process holds it; vault.lock-failed, the file cannot be made or locked.
    """
    until, pause = time.monotonic() + wait_seconds, threading.Event()
    while True:
        try:
            return _locked(path)
        except UnavailableError as error:
            if error.code != "vault.already-open" or time.monotonic() >= until:
                raise
        pause.wait(_LOCK_PAUSE_SECONDS)


def _locked(path: Path) -> InstanceLock:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, reach.file_mode())
    except OSError as error:
        raise UnavailableError("vault.lock-failed", errno=error.errno or 0) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UnavailableError("vault.already-open") from error
    except OSError as error:
        os.close(descriptor)
        raise UnavailableError("vault.lock-failed", errno=error.errno or 0) from error
    return InstanceLock(descriptor)
