"""What SQL may do on our own connection: nothing that could write the vault out, unlock it differently or change its tables.

Rules:

- The list is of what is allowed; everything else is denied, so a new version of the engine brings no new door.
- Reads, and changes of rows, of our tables; a few functions; a few pragmas. No ATTACH, DETACH, VACUUM, export, rekey, extension,
  virtual table, temporary object, schema change or writable schema (SECURITY D5, VECTORS V8).
- While a migration runs, tables, indexes and triggers of the main database may be made, changed and dropped, and nothing more.
- A denial is evidence: nothing of ours asks for what is denied, so `on_denied` becomes a breach report.

LIMIT: the authorizer guards SQL. Whoever runs code inside this process and holds the key can open a connection without it; that is what
the process's own hardening and the lease on the file are for. `Connection.backup` is an interface of the binding, not SQL: SQLCipher
refuses it to an unkeyed file, and no module here calls it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from sqlcipher3 import dbapi2 as engine

OnDenied = Callable[[str], None]


class Phase(enum.Enum):
    """What the connection is being used for."""

    SETTING = "setting"  # applying and reading back the pragmas of `connection`
    MIGRATING = "migrating"
    SERVING = "serving"


_ALWAYS = frozenset({engine.SQLITE_SELECT, engine.SQLITE_TRANSACTION, engine.SQLITE_SAVEPOINT, engine.SQLITE_READ, engine.SQLITE_RECURSIVE})
_ROWS = frozenset({engine.SQLITE_INSERT, engine.SQLITE_UPDATE, engine.SQLITE_DELETE})
_TABLES = frozenset(
    {
        engine.SQLITE_CREATE_TABLE,
        engine.SQLITE_CREATE_INDEX,
        engine.SQLITE_CREATE_TRIGGER,
        engine.SQLITE_DROP_TABLE,
        engine.SQLITE_DROP_INDEX,
        engine.SQLITE_DROP_TRIGGER,
        engine.SQLITE_ALTER_TABLE,
        engine.SQLITE_REINDEX,
    },
)
_FUNCTIONS = frozenset({"coalesce", "count", "length", "max", "min", "sum", "total"})
_FUNCTIONS_MIGRATING = _FUNCTIONS | {"printf", "substr", "like", "sqlite_rename_table", "sqlite_rename_column", "sqlite_rename_test",
                                     "sqlite_rename_quotefix", "sqlite_drop_column", "sqlite_fail", "quote", "rtrim", "lower"}  # fmt: skip
# Reading these tells sizes and health; `data_version` guards the audit head.
_PRAGMAS = frozenset({"data_version", "page_count", "quick_check", "integrity_check", "cipher_integrity_check", "foreign_key_check"})
_PRAGMAS_WITH_VALUE = frozenset({("wal_checkpoint", "TRUNCATE"), ("wal_checkpoint", "PASSIVE")})
_PRAGMAS_MIGRATING = frozenset(
    {"table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list", "table_list", "read_uncommitted"}
)
_SETTINGS = frozenset(
    {
        "cipher_log_level", "cipher_page_size", "cipher_hmac_algorithm", "cipher_use_hmac", "cipher_plaintext_header_size",
        "cipher_memory_security", "journal_mode", "synchronous", "temp_store", "secure_delete", "trusted_schema", "foreign_keys",
        "cell_size_check", "recursive_triggers", "busy_timeout", "wal_autocheckpoint", "mmap_size", "cache_size", "query_only",
        "max_page_count", "journal_size_limit",
    }
)  # fmt: skip
# The binding's action codes share their numbers with its error codes, so the names are listed.
_ACTIONS = (
    "ATTACH", "DETACH", "FUNCTION", "PRAGMA", "SELECT", "READ", "INSERT", "UPDATE", "DELETE", "TRANSACTION", "SAVEPOINT", "RECURSIVE",
    "ANALYZE", "REINDEX", "ALTER_TABLE", "CREATE_TABLE", "CREATE_INDEX", "CREATE_TRIGGER", "CREATE_VIEW", "CREATE_VTABLE",
    "CREATE_TEMP_TABLE", "CREATE_TEMP_INDEX", "CREATE_TEMP_TRIGGER", "CREATE_TEMP_VIEW", "DROP_TABLE", "DROP_INDEX", "DROP_TRIGGER",
    "DROP_VIEW", "DROP_VTABLE", "DROP_TEMP_TABLE", "DROP_TEMP_INDEX", "DROP_TEMP_TRIGGER", "DROP_TEMP_VIEW",
)  # fmt: skip
_NAMES = {int(getattr(engine, f"SQLITE_{name}")): name.lower().replace("_", "-") for name in _ACTIONS}


class Authorizer:
    """The callback the engine asks while it compiles a statement. One a connection."""

    def __init__(self, on_denied: OnDenied | None) -> None:
        self.phase = Phase.SETTING
        self._on_denied = on_denied

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, _trigger: str | None) -> int:
        """Allow or deny one action of a statement."""
        if self._allows(action, first or "", second or "", database or "main"):
            return int(engine.SQLITE_OK)
        if self._on_denied is not None:
            self._on_denied(self._named(action, first, second))
        return int(engine.SQLITE_DENY)

    def _allows(self, action: int, first: str, second: str, database: str) -> bool:
        if action in _ALWAYS:
            return True
        migrating = self.phase is Phase.MIGRATING
        if action in _ROWS:
            return database == "main" and (migrating or not first.startswith("sqlite_"))
        if action == engine.SQLITE_FUNCTION:
            return second.lower() in (_FUNCTIONS_MIGRATING if migrating else _FUNCTIONS)
        if action == engine.SQLITE_PRAGMA:
            return self._allows_pragma(first.lower(), second)
        return migrating and action in _TABLES and (database == "main" or action in (engine.SQLITE_ALTER_TABLE, engine.SQLITE_REINDEX))

    def _allows_pragma(self, name: str, value: str) -> bool:
        if self.phase is Phase.SETTING:
            return name in _SETTINGS
        if self.phase is Phase.MIGRATING and name in _PRAGMAS_MIGRATING:
            return True
        return (name in _PRAGMAS and not value) or (name, value.upper()) in _PRAGMAS_WITH_VALUE

    @staticmethod
    def _named(action: int, first: str | None, second: str | None) -> str:
        """Name what was denied without its arguments, which may be paths or keys."""
        name = _NAMES.get(action, f"action {action}")
        if action == engine.SQLITE_PRAGMA:
            return f"{name} {first}"
        return f"{name} {second}" if action == engine.SQLITE_FUNCTION else name
