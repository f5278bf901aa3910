"""Can memory reach the disk: swap and hibernation (V39)?

Rules:

1. Nothing to swap to, and nothing to hibernate into: ENFORCED ``no-swap``.
2. Every swap lies in memory (zram) or on an encrypted device (dm-crypt, also below a volume manager), and a hibernation image would go
   there too: ENFORCED ``swap-encrypted``.
3. Otherwise the process locks all its memory, where this account may lock without a limit and the system does not hibernate: ENFORCED
   ``memory-locked``. Where it may not: DETECTED ``swap-plain``, which says that memory can reach the disk, or ``hibernation``.
4. The system is asked at every self-test; a swap that is switched on meanwhile makes the state worse, which the hub reports.

LIMIT: an account's usual limit (8 MiB) does not hold this process. Locking single pages of keys would promise more than it keeps: Python
and its libraries copy keys elsewhere, and SQLCipher's own locking is off (docs/adr/0012-memory-security.md).

No thread. Source: proc(5) swaps, mlockall(2), /sys/power, the device mapper's uuid prefix ``CRYPT-``; experiment E12.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors.contract import Emit

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


class MemoryGuard:
    """Says whether memory can reach the disk; `root` is where /proc and /sys are looked for."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._started = False
        self._locked = False

    @property
    def protection(self) -> Protection:
        """MEMORY."""
        return Protection.MEMORY

    def start(self, emit: Emit) -> None:  # noqa: ARG002 - it has states, no signals
        """Lock this process's memory where that is needed and allowed."""
        if sys.platform != "linux":
            return
        self._started = True
        if self._plain_swap() and not self._hibernates() and not self._locked:
            self._locked = _lock_everything()

    def stop(self) -> None:
        """Look no more; what is locked stays locked while the process lives."""
        self._started = False

    def self_test(self) -> ProtectionStatus:
        """Ask the system what it would swap to."""
        if not self._started:
            return self._status(ProtectionState.UNAVAILABLE, "not-watching" if sys.platform == "linux" else "not-on-this-system")
        try:
            swaps = self._swaps()
        except OSError:
            return self._status(ProtectionState.UNAVAILABLE, "blind")
        if not self._plain_swap():
            return self._status(ProtectionState.ENFORCED, "swap-encrypted" if swaps else "no-swap")
        return self._with_plain_swap()

    def _with_plain_swap(self) -> ProtectionStatus:
        if self._hibernates():
            return self._status(ProtectionState.DETECTED, "hibernation")
        if self._locked:
            return self._status(ProtectionState.ENFORCED, "memory-locked")
        return self._status(ProtectionState.DETECTED, "swap-plain")

    def _swaps(self) -> list[str]:
        lines = (self._root / "proc/swaps").read_text(encoding="utf-8", errors="replace").splitlines()[1:]
        return [line.split()[0].replace("\\040", " ").removesuffix(" (deleted)") for line in lines if line.strip()]

    def _plain_swap(self) -> bool:
        try:
            return not all(self._is_safe(swap) for swap in self._swaps())
        except OSError:
            return True

    def _is_safe(self, swap: str) -> bool:
        """Whether what is swapped there is in memory or encrypted: the device itself, or what a swap file's file system lies on."""
        if swap.startswith("/dev/zram"):
            return True
        try:
            found = (self._root / swap.lstrip("/")).stat()
        except OSError:
            return False
        number = found.st_rdev or found.st_dev
        return self._is_encrypted(self._root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}")

    def _is_encrypted(self, device: Path) -> bool:
        """Whether a block device, or everything it is made of, is dm-crypt."""
        try:
            if (device / "dm/uuid").read_text(encoding="ascii").startswith("CRYPT-"):
                return True
        except (OSError, UnicodeDecodeError):
            pass
        below = list((device / "slaves").glob("*"))
        return bool(below) and all(self._is_encrypted(one) for one in below)

    def _hibernates(self) -> bool:
        try:
            states = (self._root / "sys/power/state").read_text(encoding="ascii").split()
            ways = (self._root / "sys/power/disk").read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return False  # a kernel without hibernation has no such file
        return "disk" in states and ways != ["[disabled]"]

    def _status(self, state: ProtectionState, reason: str) -> ProtectionStatus:
        return ProtectionStatus(self.protection, state, reason)


def _lock_everything() -> bool:
    """Lock the memory this process has and will have. Only without a limit: with one, the next allocation beyond it would fail."""
    import resource  # noqa: PLC0415 -- not on Windows

    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return False
    return int(ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)) == 0
