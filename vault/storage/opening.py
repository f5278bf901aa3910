"""Founding a file, and opening one at this version's tables.

Rules: a new file is made with its tables, its triggers and the vault's id, or removed again; an older file is brought up to date in one
transaction before anything else is done with it; a newer one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vault.errors import DefectError, TamperError, UnavailableError
from vault.secret import Secret
from vault.storage.authorizer import OnDenied
from vault.storage.connection import BUSY_TIMEOUT_MS, Connection, Format, Use, make_database_file
from vault.storage.migrations import NEWEST, REVISIONS, History, upgrade
from vault.storage.statements import Statement

_HAS_TABLES = Statement("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'", {})
_REVISION = Statement("SELECT max(version_num) FROM alembic_version", {})


def found(path: Path, key: Secret, form: Format, history: History, birth: Statement, **facts: object) -> None:
    """Make a file with its tables and its first row.

    Raises:
        RefusedError: storage.exists.
        UnavailableError: storage.* ; no file is left.
    """
    make_database_file(path)
    try:
        connection = Connection(path, key, form, Use.FOUND)
        try:
            upgrade(connection.raw_for_migration(), history)
            connection.change(birth, **facts)
        finally:
            connection.close()
    except BaseException:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        raise


def opened(
    path: Path,
    key: Secret,
    form: Format,
    history: History,
    use: Use,
    on_denied: OnDenied | None = None,
    limits: Mapping[str, int] | None = None,
) -> Connection:
    """Open a file at this version's tables, bringing it up to date if it is older.

    `limits` are `Connection`'s busy_timeout_ms and max_page_count.

    Raises:
        UnavailableError: storage.missing, storage.newer, storage.busy, storage.read-only, storage.input-output.
        TamperError: storage.damaged, storage.setting.
    """
    given = {"busy_timeout_ms": BUSY_TIMEOUT_MS, **(limits or {})}
    connection = Connection(path, key, form, use, on_denied=on_denied, **given)
    try:
        revision = _revision_of(connection)
        if revision == NEWEST:
            return connection
        if revision > NEWEST:
            raise UnavailableError("storage.newer", revision=revision)
        if revision not in REVISIONS:  # no version of ours wrote it
            raise TamperError("storage.damaged")
        if use is Use.READ:
            raise DefectError("storage.not-current", revision=revision)
    except BaseException:
        connection.close()
        raise
    connection.close()
    older = Connection(path, key, form, Use.FOUND, busy_timeout_ms=given["busy_timeout_ms"])
    try:
        upgrade(older.raw_for_migration(), history)
    finally:
        older.close()
    return Connection(path, key, form, use, on_denied=on_denied, **given)


def _revision_of(connection: Connection) -> str:
    has_tables = connection.first(_HAS_TABLES)
    if has_tables is None or not has_tables[0]:
        # Founding is one transaction in a file removed on failure; an empty file under a vault's name was put there.
        raise TamperError("storage.damaged")
    row = connection.first(_REVISION)
    if row is None or not row[0]:
        raise TamperError("storage.damaged")
    return str(row[0])
