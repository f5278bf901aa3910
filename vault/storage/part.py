"""What every part of the register has: the connection and the trail its changes are recorded in."""

from __future__ import annotations

from vault.storage.connection import Connection
from vault.storage.trail import Trail


class Part:
    """A group of operations on the one register connection. `SqlCipherStore` is all of them together."""

    _db: Connection
    _trail: Trail
