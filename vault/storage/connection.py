"""One connection to one SQLCipher file: opened in a fixed order, every setting read back, then closed to all but rows.

Rules:

1. Order at every open: log level NONE (or damaged pages are printed to stderr), the engine's versions, raw key, authorizer, page format,
   the other settings, migration if the file is older, reading back, authorizer to SERVING. A setting that does not read back is
   `TamperError` or `DefectError` storage.setting: a vault that is not durable or not encrypted as measured does not open (SECURITY D3, D5;
   DESIGN §8). An engine that may lose what was committed is not given the key (D2).
2. The key goes to the engine as bytes, not as SQL text, and our copy is overwritten.
3. One connection, one thread. A transaction is BEGIN IMMEDIATE … COMMIT; inside it everything happens or nothing does.
4. Who checkpoints: exactly one connection a file. In the register it is the only connection. In the content file it is the writer's mover
   (`mover`); the writer only writes, readers neither checkpoint nor write (`wal_autocheckpoint=0`, `query_only`). The engine itself
   checkpoints when the last connection closes, which is safe for the same reason: it is then the only one.
5. No path, key or statement text in an error.
"""

from __future__ import annotations

import enum
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlcipher3 import dbapi2 as engine

from vault import reach
from vault.errors import DefectError, RefusedError, TamperError, UnavailableError
from vault.secret import Secret
from vault.storage.authorizer import Authorizer, OnDenied, Phase
from vault.storage.engine import EngineConnection, Row
from vault.storage.failures import EngineError, translated, translation
from vault.storage.statements import Statement

RAW_KEY_BYTES = 32
BUSY_TIMEOUT_MS = 2000
# From 3.7.0 to 3.51.2 a commit that starts the log over while another connection checkpoints can be skipped by the next checkpoint: the
# "WAL-reset bug" (sqlite.org/wal.html), and we do just that (docs/adr/0021). It is mended in 3.44.6 and 3.50.7 too, which no SQLCipher that
# we measured stands on.
SQLITE_VERSION = str(engine.sqlite_version)  # of the library that runs, not of its headers
OLDEST_SQLITE = (3, 51, 3)
OLDEST_SQLCIPHER = (4, 19, 0)  # the one our formats were measured and read with (docs/adr/0002)
SQLCIPHER_MAJOR = 4  # each one has laid its files out anew


class Use(enum.Enum):
    """What a connection is for."""

    SERVE = "serve"  # reads, writes and checkpoints
    READ = "read"  # reads only, never checkpoints
    WRITE = "write"  # reads and writes, while another connection checkpoints
    MOVE = "move"  # checkpoints when it is told to, and does nothing else
    FOUND = "found"  # makes the tables of a new file or brings an older one up to date


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is laid out and kept; measured in PERFORMANCE §1 and §4."""

    page_bytes: int
    hmac: str
    cache_kib: int
    checkpoint_pages: int
    memory_security: bool = False  # docs/adr/0012; once one connection asks for it, it is on for the whole process


REGISTER_FORMAT = Format(page_bytes=4096, hmac="HMAC_SHA512", cache_kib=64 * 1024, checkpoint_pages=1000)
CONTENT_FORMATS = {  # by the number in the header: a vault keeps the layout that it was founded with
    1: Format(page_bytes=32768, hmac="HMAC_SHA256", cache_kib=8 * 1024, checkpoint_pages=512),
    2: Format(page_bytes=65536, hmac="HMAC_SHA512", cache_kib=8 * 1024, checkpoint_pages=256),  # docs/adr/0019
}
NEWEST_CONTENT_LAYOUT = max(CONTENT_FORMATS)
CONTENT_FORMAT = CONTENT_FORMATS[NEWEST_CONTENT_LAYOUT]


class Connection:
    """A keyed, locked-down connection. Raises only the vault's errors."""

    def __init__(
        self,
        path: Path,
        key: Secret,
        form: Format,
        use: Use,
        *,
        on_denied: OnDenied | None = None,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        max_page_count: int | None = None,
    ) -> None:
        """Open an existing file.

        Args:
            path: the database file.
            key: 32 raw bytes.
            form: the file's layout.
            use: what for.
            on_denied: told the name of every denied action.
            busy_timeout_ms: how long another process's lock is waited for.
            max_page_count: a ceiling for the file, for tests of a full disk.
        Raises:
            UnavailableError: storage.missing, storage.busy, storage.read-only, storage.input-output, storage.engine-version.
            TamperError: storage.damaged, storage.setting.
            DefectError: storage.key-length, storage.setting.
        """
        if len(key) != RAW_KEY_BYTES:
            raise DefectError("storage.key-length", length=len(key))
        self.path = path
        self._use = use
        self._authorizer = Authorizer(on_denied)
        require_database_file(path, form)
        if use is not Use.READ:
            _require_writable(path)
        with translation():
            self._raw: EngineConnection = engine.connect(
                f"{path.absolute().as_uri()}?mode=rw", isolation_level=None, uri=True, cached_statements=256
            )
        try:
            with translation():
                self._raw.execute("PRAGMA cipher_log_level = NONE")
                _require_engine(self._raw)
                _set_key(self._raw, key)
                self._raw.set_authorizer(self._authorizer)
                self._apply(form, busy_timeout_ms, max_page_count)
            self._serve()
        except BaseException:
            self.close()
            raise

    # -- statements

    def change(self, statement: Statement, **values: object) -> int:
        """Run a change; return the number of rows it touched."""
        try:
            return int(self._raw.execute(statement.sql, statement.bound(values)).rowcount)
        except EngineError as error:
            raise translated(error) from error

    def change_many(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a change once a row."""
        try:
            self._raw.executemany(statement.sql, [statement.bound(row) for row in rows])
        except EngineError as error:
            raise translated(error) from error

    def change_fast(self, sql: str, values: tuple[object, ...]) -> None:
        """Run a compiled change with positional values; for the one or two statements where microseconds count."""
        try:
            self._raw.execute(sql, values)
        except EngineError as error:
            raise translated(error) from error

    def first(self, statement: Statement, **values: object) -> Row | None:
        """The first row, None if there is none."""
        try:
            cursor = self._raw.execute(statement.sql, statement.bound(values))
            row: Row | None = cursor.fetchone()
            cursor.close()  # ends the read transaction, so that a checkpoint can pass
        except EngineError as error:
            raise translated(error) from error
        return row

    def rows(self, statement: Statement, **values: object) -> list[Row]:
        """Every row."""
        try:
            found: list[Row] = self._raw.execute(statement.sql, statement.bound(values)).fetchall()
        except EngineError as error:
            raise translated(error) from error
        return found

    @contextmanager
    def stream(self, statement: Statement, **values: object) -> Iterator[Iterator[Row]]:
        """Rows one by one, for as long as the block runs."""
        with translation():
            cursor = self._raw.execute(statement.sql, statement.bound(values))
            try:
                yield iter(cursor)
            finally:
                cursor.close()

    @contextmanager
    def lines(self, sql: str) -> Iterator[Iterator[Row]]:
        """Rows of a plain SELECT one by one, for the verifier, which shares no statements with the store."""
        with self.stream(Statement(sql, {})) as rows:
            yield rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is durable when it ends, or none of it happened."""
        self.begin()
        try:
            yield
            self.commit()
        except BaseException as error:
            self.roll_back()
            if isinstance(error, EngineError):
                raise translated(error) from error
            raise

    def begin(self) -> None:
        """Take the write lock; waits up to the busy timeout for another process."""
        try:
            self._raw.execute("BEGIN IMMEDIATE")
        except EngineError as error:
            raise translated(error) from error

    def commit(self) -> None:
        """Make the transaction durable."""
        try:
            self._raw.execute("COMMIT")
        except EngineError as error:
            raise translated(error) from error

    def roll_back(self) -> None:
        """Undo what is open. An engine that failed badly has rolled back already; a failing ROLLBACK adds nothing to the first error."""
        if self._raw.in_transaction:
            try:
                self._raw.execute("ROLLBACK")
            except EngineError:
                return

    def data_version(self) -> int:
        """A number that changes when another connection committed."""
        return self._pragma("data_version")

    def move_log(self) -> bool:
        """Move what nobody stands in the way of from the WAL into the file, beside readers and a writer; whether that was all of it."""
        with translation():
            row = self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return row is not None and not row[0] and row[1] == row[2]

    def checkpoint(self) -> bool:
        """Move the whole WAL into the file and empty it; False if a reader stood in the way."""
        with translation():
            row = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return row is not None and not row[0]

    def health(self) -> tuple[str, ...]:
        """What the engine's own checks find, empty if nothing: every page's HMAC, then the structure. Reads the whole file."""
        with translation():
            pages = [str(row[0]) for row in self._raw.execute("PRAGMA cipher_integrity_check")]
            if pages:
                return tuple(pages)  # the structure cannot be walked through a damaged page
            structure = [str(row[0]) for row in self._raw.execute("PRAGMA integrity_check")]
        return tuple(line for line in structure if line != "ok")

    def raw_for_migration(self) -> EngineConnection:
        """The engine's own connection, open to schema changes: only for `migrations`, only on a connection opened to FOUND."""
        if self._use is not Use.FOUND:
            raise DefectError("storage.not-founding")
        return self._raw

    def close(self) -> None:
        """Let go of the file."""
        with translation():
            self._raw.close()

    # -- opening

    def _apply(self, form: Format, busy_timeout_ms: int, max_page_count: int | None) -> None:
        reading = self._use in (Use.READ, Use.MOVE)
        by_itself = self._use in (Use.SERVE, Use.FOUND)  # checkpoints when the log is long enough
        wanted: tuple[tuple[str, str, object], ...] = (
            ("cipher_page_size", str(form.page_bytes), str(form.page_bytes)),
            ("cipher_hmac_algorithm", form.hmac, form.hmac),
            ("cipher_memory_security", "ON" if form.memory_security else "OFF", "1" if form.memory_security else None),
            ("busy_timeout", str(busy_timeout_ms), busy_timeout_ms),
            ("temp_store", "MEMORY", 2),
            ("secure_delete", "ON", 1),
            ("trusted_schema", "OFF", 0),
            ("foreign_keys", "ON", 1),
            ("cell_size_check", "ON", 1),
            ("recursive_triggers", "ON", 1),  # or INSERT OR REPLACE would delete past the triggers
            ("mmap_size", "0", None),
            ("cache_size", str(-form.cache_kib), -form.cache_kib),
            ("journal_mode", "WAL", "wal"),
            ("synchronous", "FULL", 2),
            ("wal_autocheckpoint", str(form.checkpoint_pages if by_itself else 0), form.checkpoint_pages if by_itself else 0),
            ("query_only", "ON" if reading else "OFF", int(reading)),
        )
        given = (("cipher_log_level", "NONE"), ("cipher_use_hmac", "1"), ("cipher_plaintext_header_size", "0"))
        for name, value, _ in wanted:
            if name == "journal_mode":
                self._first_read()
            self._raw.execute(f"PRAGMA {name} = {value}").fetchall()
        for name, _, expected in wanted:
            self._require_setting(name, expected)
        for name, expected in given:
            self._require_setting(name, expected)
        if max_page_count is not None:
            self._raw.execute(f"PRAGMA max_page_count = {max_page_count}").fetchall()

    def _first_read(self) -> None:
        """Decrypt the first page before anything is written: a file that is not ours is not touched."""
        self._raw.execute("SELECT count(*) FROM sqlite_master").fetchall()

    def _require_setting(self, name: str, expected: object) -> None:
        if expected is None:
            return
        row = self._raw.execute(f"PRAGMA {name}").fetchone()
        if row is None or row[0] != expected:
            # journal_mode is kept in the file, so somebody else changed it; the rest is of this connection, so we did not set it.
            kind = TamperError if name == "journal_mode" else DefectError
            raise kind("storage.setting", setting=name)

    def _serve(self) -> None:
        self._authorizer.phase = Phase.MIGRATING if self._use is Use.FOUND else Phase.SERVING
        self._raw.set_authorizer(self._authorizer)  # statements compiled before this are compiled, and judged, again

    def _pragma(self, name: str) -> int:
        try:
            row = self._raw.execute(f"PRAGMA {name}").fetchone()
        except EngineError as error:
            raise translated(error) from error
        return int(row[0]) if row else 0


def _require_engine(raw: EngineConnection) -> None:
    """Refuse an engine that is older than ours, or whose SQLCipher is another: storage.engine-version."""
    row = raw.execute("PRAGMA cipher_version").fetchone()  # None: an SQLite without SQLCipher, which would write everything in clear
    sqlcipher = str(row[0]) if row is not None else "0"
    cipher = _numbers(sqlcipher)
    if _numbers(SQLITE_VERSION) < OLDEST_SQLITE or cipher < OLDEST_SQLCIPHER or cipher[0] != SQLCIPHER_MAJOR:
        raise UnavailableError("storage.engine-version", sqlite=SQLITE_VERSION, sqlcipher=sqlcipher)


def _numbers(version: str) -> tuple[int, ...]:
    """The three numbers of "4.19.0 community"."""
    return tuple(int(one) for one in re.findall(r"\d+", version)[:3])


def _set_key(raw: EngineConnection, key: Secret) -> None:
    text = bytearray(b"x'" + key.reveal().hex().encode("ascii") + b"'")
    try:
        raw.set_key(text)
    finally:
        for index in range(len(text)):
            text[index] = 0


def require_database_file(path: Path, form: Format) -> None:
    """Refuse what cannot be a vault's file before the engine touches it: storage.missing, storage.damaged."""
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise UnavailableError("storage.missing") from error
    except OSError as error:
        raise UnavailableError("storage.input-output") from error
    if not stat.S_ISREG(found.st_mode):
        raise TamperError("storage.damaged")
    # A checkpoint that a full disk interrupted leaves part of a page at the end, and all of it still in the journal, which mends it.
    if found.st_size % form.page_bytes and not _has_journal(path):
        raise TamperError("storage.damaged", size_bytes=found.st_size)


def _has_journal(path: Path) -> bool:
    try:
        return Path(f"{path}-wal").lstat().st_size > 0
    except OSError:
        return False


def _require_writable(path: Path) -> None:
    """Refuse with storage.read-only what the engine would report as a file it cannot open; asked as the effective user and group."""
    effective = os.access in os.supports_effective_ids
    if not all(os.access(one, os.W_OK, effective_ids=effective) for one in (path, path.parent)):
        raise UnavailableError("storage.read-only")


def make_database_file(path: Path) -> None:
    """Make an empty file only its owner's group may know of; RefusedError storage.exists if there is one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, reach.file_mode()))
    except FileExistsError as error:
        raise RefusedError("storage.exists") from error
    except OSError as error:
        raise UnavailableError("storage.input-output") from error


Opener = Callable[[Use], Connection]
