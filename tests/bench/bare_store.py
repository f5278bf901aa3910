"""The peer of the storage: one table in one SQLCipher file, nothing sealed, nothing chained, nobody asked.

Rules: the same engine, the same durability, the same number of rows a transaction as the vault; a random key, which is forgotten.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from sqlcipher3 import dbapi2 as engine

from vault.storage.connection import CONTENT_FORMAT, REGISTER_FORMAT, Format

GROUP_CHUNKS = 32  # as the intake: 8 MiB a commit


def open_with_settings(path: Path, form: Format) -> engine.Connection:
    """A new file with the settings of DESIGN §8 that cost or save time."""
    raw = _new(path)
    for name, value in (
        ("cipher_page_size", form.page_bytes),
        ("cipher_hmac_algorithm", form.hmac),
        ("cipher_memory_security", "OFF"),
        ("temp_store", "MEMORY"),
        ("secure_delete", "ON"),
        ("cell_size_check", "ON"),
        ("mmap_size", 0),
        ("cache_size", -form.cache_kib),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("wal_autocheckpoint", form.checkpoint_pages),
    ):
        raw.execute(f"PRAGMA {name} = {value}").fetchall()
    return raw


def open_with_defaults(path: Path) -> engine.Connection:
    """A new file as SQLCipher makes it when nobody says anything: rollback journal."""
    return _new(path)


def open_with_defaults_in_wal(path: Path) -> engine.Connection:
    """SQLCipher's own page size, HMAC and cache, journalled as the vault is: what PERFORMANCE §1 calls SQLCipher's defaults."""
    raw = _new(path)
    raw.execute("PRAGMA journal_mode = WAL").fetchall()
    raw.execute("PRAGMA synchronous = FULL").fetchall()
    return raw


def _new(path: Path) -> engine.Connection:
    for tail in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    raw = engine.connect(str(path), isolation_level=None, cached_statements=256)
    raw.execute("PRAGMA cipher_log_level = NONE")
    raw.set_key(bytearray(b"x'" + secrets.token_hex(32).encode() + b"'"))
    return raw


def write_chunks(raw: engine.Connection, chunks: Iterable[bytes]) -> None:
    """Store chunks as they are, a group a transaction, and close, which checkpoints."""
    raw.execute("CREATE TABLE chunk (chunk_key INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
    for number, chunk in enumerate(chunks):
        if number % GROUP_CHUNKS == 0:
            raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO chunk VALUES (?, ?)", (number, chunk))
        if (number + 1) % GROUP_CHUNKS == 0:
            raw.execute("COMMIT")
    if raw.in_transaction:
        raw.execute("COMMIT")
    raw.close()


class BareTrail:
    """One row a transaction, as wide as an audit entry."""

    def __init__(self, path: Path, entry: str) -> None:
        self._raw = open_with_settings(path, REGISTER_FORMAT)
        self._raw.execute(
            "CREATE TABLE audit (seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, entry TEXT NOT NULL, entry_hash BLOB NOT NULL)"
        )
        self._entry, self._hash, self._seq = entry, bytes(32), 0

    def append(self, count: int) -> None:
        for _ in range(count):
            self._seq += 1
            self._raw.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", (self._seq, self._seq, self._entry, self._hash))

    def close(self) -> None:
        self._raw.close()


__all__ = ["CONTENT_FORMAT", "BareTrail", "open_with_defaults", "open_with_defaults_in_wal", "open_with_settings", "write_chunks"]
