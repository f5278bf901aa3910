"""The engine's interface as far as this room uses it; `sqlcipher3` ships no types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]
Lines = Callable[[str], AbstractContextManager[Iterator[Row]]]  # runs a SELECT and gives its rows one by one


class EngineCursor(Protocol):
    """Rows of one statement."""

    rowcount: int

    def fetchone(self) -> Row | None:
        """The next row."""

    def fetchall(self) -> list[Row]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Row]:
        """Row by row."""

    def close(self) -> None:
        """Let go of the statement and its read transaction."""


class EngineConnection(Protocol):
    """A DBAPI connection in autocommit mode."""

    in_transaction: bool

    def execute(self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> EngineCursor:
        """Run a statement."""

    def executemany(self, sql: str, rows: Sequence[Mapping[str, object]]) -> EngineCursor:
        """Run a statement once a row."""

    def set_key(self, key: bytearray) -> None:
        """Give SQLCipher its key."""

    def set_authorizer(self, authorizer: Callable[..., int]) -> None:
        """Ask `authorizer` about every action of every statement; statements compiled before are compiled again."""

    def close(self) -> None:
        """Let go of the file."""
