"""The open sequence: every setting is read back, and who checkpoints is settled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as engine

from tests.contract.store_facts import DESK, KEY, VAULT, SteppingClock, draft, intake, new_contents, new_register
from vault.errors import DefectError, UnavailableError
from vault.secret import Secret
from vault.storage import connection as connection_module
from vault.storage.connection import CONTENT_FORMAT, CONTENT_FORMATS, REGISTER_FORMAT, Connection, Format, Use
from vault.storage.content import SqlCipherContentStore
from vault.storage.mover import WAL_BOUND_BYTES
from vault.storage.sqlcipher import SqlCipherStore

MIB = 1 << 20

SETTINGS = [
    ("cipher_hmac_algorithm", {REGISTER_FORMAT: "HMAC_SHA512", CONTENT_FORMAT: "HMAC_SHA512", CONTENT_FORMATS[1]: "HMAC_SHA256"}),
    ("cipher_page_size", {REGISTER_FORMAT: "4096", CONTENT_FORMAT: "65536", CONTENT_FORMATS[1]: "32768"}),
    ("cipher_memory_security", "0"),
    ("journal_mode", "wal"),
    ("synchronous", 2),
    ("temp_store", 2),
    ("secure_delete", 1),
    ("trusted_schema", 0),
    ("foreign_keys", 1),
    ("cell_size_check", 1),
    ("recursive_triggers", 1),
]


@pytest.mark.parametrize("form", [REGISTER_FORMAT, *CONTENT_FORMATS.values()], ids=["register", "older content", "content"])
def test_the_settings_are_in_force(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "made.db"
    if form is REGISTER_FORMAT:
        SqlCipherStore.create(path, KEY, VAULT, DESK, SteppingClock()).close()
    else:
        layout = next(number for number, one in CONTENT_FORMATS.items() if one is form)
        SqlCipherContentStore.create(path, KEY, VAULT, SteppingClock(), layout=layout).close()
    connection = Connection(path, KEY, form, Use.SERVE)
    raw = connection._raw
    raw.set_authorizer(None)
    for name, expected in SETTINGS:
        wanted = expected[form] if isinstance(expected, dict) else expected
        assert raw.execute(f"PRAGMA {name}").fetchone() == (wanted,), name
    connection.close()


class _Cipher:
    """An engine that says which SQLCipher it is, and remembers whether it was given a key."""

    def __init__(self, raw: object, version: str | None) -> None:
        self._raw = raw
        self._version = version
        self.keyed = False

    def execute(self, sql: str, parameters: object = ()) -> object:
        if sql == "PRAGMA cipher_version":
            return engine.connect(":memory:").execute("SELECT ? WHERE ?", (self._version, self._version is not None))
        return self._raw.execute(sql, parameters)  # type: ignore[attr-defined]

    def set_key(self, key: bytearray) -> None:
        self.keyed = True
        self._raw.set_key(key)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)


@pytest.mark.parametrize(
    ("sqlite", "sqlcipher", "opens"),
    [
        ("3.51.3", "4.19.0 community", True),
        ("3.53.4", "4.20.1 enterprise", True),
        ("4.0.0", "4.19.0 community", True),
        ("3.51.2", "4.19.0 community", False),  # the WAL-reset bug
        ("3.9.0", "4.19.0 community", False),  # not compared as text
        ("3.53.4", "4.9.0 community", False),
        ("3.53.4", "5.0.0 community", False),
        ("3.53.4", None, False),  # no SQLCipher at all
        ("", "", False),
    ],
)
def test_an_engine_that_may_lose_what_was_written_does_not_get_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite: str, sqlcipher: str | None, opens: bool
) -> None:
    new_register(tmp_path).close()
    raws: list[_Cipher] = []

    class Engine:
        def connect(self, *args: object, **options: object) -> _Cipher:
            raws.append(_Cipher(engine.connect(*args, **options), sqlcipher))
            return raws[-1]

    monkeypatch.setattr(connection_module, "engine", Engine())
    monkeypatch.setattr(connection_module, "SQLITE_VERSION", sqlite)
    if opens:
        Connection(tmp_path / "register.db", KEY, REGISTER_FORMAT, Use.SERVE).close()
    else:
        with pytest.raises(UnavailableError, match=f"^storage.engine-version sqlite={sqlite} sqlcipher={sqlcipher or ''}"):
            Connection(tmp_path / "register.db", KEY, REGISTER_FORMAT, Use.SERVE)
    assert [one.keyed for one in raws] == [opens]


class _Deaf:
    """An engine that says it heard a setting and does nothing: a build without it, or one that was changed."""

    def __init__(self, raw: object, name: str) -> None:
        self._raw = raw
        self._name = name

    def execute(self, sql: str, parameters: object = ()) -> object:
        if sql.startswith(f"PRAGMA {self._name} ="):
            sql = "SELECT 1"
        return self._raw.execute(sql, parameters)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)


# The others cannot be played: they are this engine's defaults, or on for the process once they were on.
@pytest.mark.parametrize("name", ["temp_store", "trusted_schema", "foreign_keys", "cell_size_check", "recursive_triggers"])
def test_a_setting_that_does_not_take_refuses_the_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    new_register(tmp_path).close()

    class Engine:
        def connect(self, *args: object, **options: object) -> _Deaf:
            raw = engine.connect(*args, **options)
            if name == "temp_store":
                raw.execute("PRAGMA temp_store = FILE")
            return _Deaf(raw, name)

    monkeypatch.setattr(connection_module, "engine", Engine())
    with pytest.raises(DefectError, match=f"^storage.setting setting={name}$"):
        Connection(tmp_path / "register.db", KEY, REGISTER_FORMAT, Use.SERVE)


def test_a_journal_mode_changed_by_somebody_else_is_put_right(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    raw = engine.connect(str(tmp_path / "register.db"), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{KEY.reveal().hex()}'\"")
    assert raw.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    raw.close()
    store = SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock())
    store.append_audit(draft())
    assert (tmp_path / "register.db-wal").exists()
    store.close()


def test_a_key_of_another_length_is_our_mistake(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    with pytest.raises(DefectError, match=r"^storage\.key-length"):
        Connection(tmp_path / "register.db", Secret(b"short"), REGISTER_FORMAT, Use.SERVE)


def test_a_missing_file_is_said_to_be_missing_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^storage\.missing$"):
        SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock())
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    store = SqlCipherStore.create(tmp_path / "register.db", KEY, VAULT, DESK, SteppingClock())
    store.append_audit(draft())
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("register.db", "register.db-shm", "register.db-wal"), "0o600")
    store.close()


def test_another_thread_is_refused_as_our_mistake(tmp_path: Path) -> None:
    import threading

    store = new_register(tmp_path)
    seen: list[BaseException] = []

    def run() -> None:
        try:
            store.people()
        except DefectError as error:
            seen.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [str(one) for one in seen] == ["storage.unforeseen kind=ProgrammingError"]
    store.close()


def test_the_wal_stays_bounded_while_a_reader_keeps_reading(tmp_path: Path) -> None:
    contents = new_contents(tmp_path)
    writer, reader = contents.open_writer(), contents.open_reader()
    wal = tmp_path / "content.db-wal"
    document = intake(1).document_id
    writer.begin(intake(1, 1000))
    block = os.urandom(256 * 1024)
    largest = 0
    for first in range(0, 800, 16):
        writer.append_chunks(document, first, [block] * 16, b"")
        reader.read_chunk(document, first)
        largest = max(largest, wal.stat().st_size)
    assert largest <= WAL_BOUND_BYTES + 8 * MIB
    writer.close()
    reader.close()


def test_a_reader_that_stands_still_does_not_stop_the_writer(tmp_path: Path) -> None:
    contents = new_contents(tmp_path)
    writer = contents.open_writer()
    writer.begin(intake(1, 1000))
    document = intake(1).document_id
    writer.append_chunks(document, 0, [b"x"], b"")
    reader = contents.open_reader()
    with reader._db.lines("SELECT chunk_key FROM chunk") as rows:
        next(rows)
        writer.append_chunks(document, 1, [b"y"] * 16, b"")
    assert reader.read_chunk(document, 16) == b"y"
    with pytest.raises(UnavailableError, match=r"^storage\.read-only"):
        reader._db.change_fast("DELETE FROM chunk", ())
    writer.close()
    reader.close()


def test_health_is_silent_when_all_is_well_and_speaks_when_not(tmp_path: Path) -> None:
    store = new_register(tmp_path)
    store.append_audit(draft(facts=(("pad", "x" * 40_000),)))
    store.append_audit(draft())
    store.make_checkpoint(lambda statement: b"signed")
    assert store.health() == ()
    store.close()
    path = tmp_path / "register.db"
    good = bytearray(path.read_bytes())
    good[-4 * 4096 - 2048] ^= 1  # inside the long entry
    path.write_bytes(good)
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    assert len(store.health()) == 1
    store.close()
