"""Bytes that never print, compare by accident, pickle or reach a log.

LIMIT: Python cannot wipe an immutable ``bytes``. A `Secret` keeps its value in a ``bytearray`` that `wipe` overwrites; copies made by
libraries live until their process ends, which is why a lock ends the vault process (docs/threat-model.md).
"""

from __future__ import annotations

import hmac
from typing import Final


class Secret:
    """A key or passphrase in memory. Read it only where it is used, with `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray) -> None:
        self._value: Final = bytearray(value)

    def reveal(self) -> bytes:
        """Return the bytes; the caller lets go of them at once."""
        return bytes(self._value)

    def wipe(self) -> None:
        """Overwrite the value with zeros."""
        for index in range(len(self._value)):
            self._value[index] = 0

    def __len__(self) -> int:
        """Give the length in bytes."""
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        """Refuse: a secret is not a dictionary key."""
        raise TypeError("a secret cannot be hashed")

    def __repr__(self) -> str:
        """Show that there is a secret, and nothing of it."""
        return f"Secret({len(self._value)} bytes)"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to pickle."""
        raise TypeError("a secret cannot be pickled")
