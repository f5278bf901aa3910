"""The one place where an engine's errors become the vault's; those of files written beside it: `durable`.

Rules:

- `sqlcipher3` errors do not derive from `sqlite3`'s, and none of them leaves this room.
- The key slot in the header was authenticated before a database is opened, so "file is not a database" means damage or interference,
  never a wrong passphrase: it is `TamperError` storage.damaged.
- A file is opened at this version's tables (`opening`): one that is not there, or a column, was taken away. That is damage, too.
- A trigger's message is a code. Unique indexes that enforce a rule have a code each; any other broken constraint is our own mistake.
- Facts carry the engine's number, never its message, which may quote SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlcipher3 import dbapi2 as engine

from vault.errors import DefectError, RefusedError, TamperError, UnavailableError, VaultError

EngineError = engine.Error

# SQLite's primary result codes (sqlite.org/rescode.html); the binding does not name all of them.
_BUSY, _LOCKED, _NOMEM, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _CONSTRAINT, _AUTH, _NOTADB = 5, 6, 7, 8, 10, 11, 13, 14, 19, 23, 26

_WORLD: Mapping[int, str] = {
    _BUSY: "storage.busy",
    _LOCKED: "storage.busy",
    _NOMEM: "storage.memory",
    _READONLY: "storage.read-only",
    _IOERR: "storage.input-output",
    _FULL: "storage.full",
    _CANTOPEN: "storage.input-output",
}

# What a trigger may say and who is meant by it: a person (refused) or us (a defect, the default).
_RULES = frozenset(
    {"breach.own-report", "breach.disposed", "custody.not-held", "grant.removed", "session.ended"},
)

_UNIQUE: Mapping[str, str] = {
    "check_out.case_id": "custody.already-checked-out",
    "person.badge_no": "person.badge-taken",
    "unit.name": "unit.name-taken",
    "case_file.number_blind": "case.number-taken",
    "waiting.case_id, waiting.person_id": "custody.already-waiting",
}
_UNIQUE_MESSAGE = re.compile(r"^UNIQUE constraint failed: (.+)$")
_CODE = re.compile(r"^[a-z-]+\.[a-z-]+$")


def translated(error: Exception) -> VaultError:
    """Give the vault's error for the engine's."""
    number: int | None = getattr(error, "sqlite_errorcode", None)
    if number is None:
        return DefectError("storage.unforeseen", kind=type(error).__name__)
    primary = number & 0xFF
    if primary in (_CORRUPT, _NOTADB) or str(error).startswith(("no such table", "no such column")):
        return TamperError("storage.damaged", engine_code=number)
    if primary in _WORLD:
        return UnavailableError(_WORLD[primary], engine_code=number)
    # A denied function is SQLITE_ERROR with this text, every other denial SQLITE_AUTH.
    if primary == _AUTH or str(error).startswith("not authorized"):
        return TamperError("storage.denied", engine_code=number)
    if primary == _CONSTRAINT:
        return _constraint(str(error))
    return DefectError("storage.unforeseen", engine_code=number)


def _constraint(message: str) -> VaultError:
    if _CODE.match(message):
        return RefusedError(message) if message in _RULES else DefectError("storage.constraint", rule=message)
    unique = _UNIQUE_MESSAGE.match(message)
    if unique and unique[1] in _UNIQUE:
        return RefusedError(_UNIQUE[unique[1]])
    return DefectError("storage.constraint")


@contextmanager
def translation() -> Iterator[None]:
    """Let no engine error out of the block."""
    try:
        yield
    except EngineError as error:
        raise translated(error) from error
