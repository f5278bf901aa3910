"""Bytes that never print, compare by accident, pickle or reach a log.

LIMIT: Python cannot wipe an immutable ``bytes``. A `Secret` keeps its value in a ``bytearray`` that `wipe` overwrites; copies made by
libraries live until their process ends, which is why a lock ends the vault process (docs/threat-model.md).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final


def wipe(held: bytearray) -> None:
    """Overwrite what is held with zeros."""
    for index in range(len(held)):
        held[index] = 0


class Secret:
    """A key or passphrase in memory. Read it only where it is used, with `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        self._value: Final = bytearray(value)

    def reveal(self) -> bytes:
        """Return the bytes; the caller lets go of them at once."""
        return bytes(self._value)

    def lend(self) -> memoryview:
        """Give the value itself, read-only and not copied, to be read at once; `wipe` overwrites it under the reader's eyes."""
        return memoryview(self._value).toreadonly()

    def wipe(self) -> None:
        """Overwrite the value with zeros."""
        wipe(self._value)

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


if TYPE_CHECKING:
    Passphrase = str | Secret
    """A passphrase handed to a service: the desk sends a `Secret`, which crosses the pipe as a text (`vault.services.wire`)."""
else:
    Passphrase = str  # what the pipe's decoder reads


def secret_of(passphrase: Passphrase) -> Secret:
    """Give a passphrase as a `Secret` of its own, for the caller to wipe."""
    return Secret(passphrase.lend() if isinstance(passphrase, Secret) else passphrase.encode())
