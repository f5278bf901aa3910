"""Clock and entropy: alike on every system.

Rules: the boot clock counts suspended time and never goes back; random bytes come from the operating system alone.
"""

from __future__ import annotations

import secrets
import time

_TOKEN_BYTES = 16


def boot_us() -> int:
    """Microseconds since boot, suspend included where the system can tell (Linux: CLOCK_BOOTTIME)."""
    # LIMIT: not verified on Windows and macOS; there the monotonic clock may stand still while the computer sleeps.
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)) // 1000


class SystemClock:
    """`services.ports.Clock` by the operating system. Any thread."""

    def now_us(self) -> int:
        """UTC microseconds by the wall clock."""
        return time.time_ns() // 1000

    def boot_us(self) -> int:
        """Since boot, suspend included; never goes back."""
        return boot_us()


class SystemEntropy:
    """`services.ports.Entropy` by the operating system. Any thread."""

    def token(self) -> str:
        """128 bits in lower-case hexadecimal."""
        return secrets.token_hex(_TOKEN_BYTES)
