"""Linux: hardening of the process, life with its parent, and one vault process at a time.

Rules:

- A measure is applied or raises; none answers "done" without doing it.
- LIMIT: the process is still dumpable, so gdb of the same account can read it where Yama allows. PR_SET_DUMPABLE belongs to the setgid
  launcher, before the first instruction: from Python alone it loses the start-up race (DESIGN §2, V37).

Source: prctl(2), PR_SET_PDEATHSIG(2const), setrlimit(2), flock(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
from pathlib import Path
from types import TracebackType

from vault.errors import UnavailableError

_PR_SET_PDEATHSIG = 1
_UMASK = 0o077


def harden_process() -> None:
    """No core dump, and no file that others can read. Call first in the process; children inherit both.

    Raises:
        UnavailableError: platform.not-hardened.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise UnavailableError("platform.not-hardened") from error
    os.umask(_UMASK)


def die_with_parent(expected_parent: int | None = None) -> None:
    """Have the kernel kill this process when the parent *thread* that started it ends.

    Start the process from a thread that lives as long as it should. `expected_parent` is the parent's pid: if the parent died before this
    call the process ends at once instead of living on as an orphan.

    Raises:
        UnavailableError: platform.not-hardened.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(int(signal.SIGKILL)), 0, 0, 0) != 0:
        raise UnavailableError("platform.not-hardened")
    if expected_parent is not None and os.getppid() != expected_parent:
        os.kill(os.getpid(), signal.SIGKILL)


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


def single_instance(path: Path) -> InstanceLock:
    """Lock `path` (made if absent, mode 600) for this process; the kernel unlocks it when the process ends, however it ends.

    Raises:
        UnavailableError: vault.already-open, another process holds it; vault.lock-failed, the file cannot be made or locked.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
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
