"""The migrations make what the metadata says, in one transaction."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlcipher3 import dbapi2 as engine

from tests.contract.store_facts import DESK, KEY, VAULT, SteppingClock, new_contents, new_register
from vault.errors import DefectError, RefusedError, TamperError, UnavailableError
from vault.storage import schema
from vault.storage.connection import CONTENT_FORMAT, REGISTER_FORMAT, Connection, Format, Use, make_database_file
from vault.storage.migrations import NEWEST, History, upgrade
from vault.storage.sqlcipher import SqlCipherStore

FILES = [
    (History.REGISTER, REGISTER_FORMAT, schema.REGISTER, schema.REGISTER_TRIGGERS),
    (History.CONTENT, CONTENT_FORMAT, schema.CONTENT, schema.CONTENT_TRIGGERS),
]


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


def _kept(path: Path) -> dict[str, str]:
    raw = _as_owner(path)
    rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'")
    found = {name: _plain(sql) for name, sql in rows}
    raw.close()
    return found


def _as_owner(path: Path, form: Format = REGISTER_FORMAT) -> Any:
    raw = engine.connect(str(path), isolation_level=None)
    raw.execute("PRAGMA cipher_log_level = NONE")
    raw.execute(f"PRAGMA key = \"x'{KEY.reveal().hex()}'\"")
    raw.execute(f"PRAGMA cipher_page_size = {form.page_bytes}")
    raw.execute(f"PRAGMA cipher_hmac_algorithm = {form.hmac}")
    return raw


def _wanted(metadata: sa.MetaData, triggers: tuple[str, ...]) -> dict[str, str]:
    dialect = sqlite.dialect()
    made = {table.name: str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables}
    for table in metadata.sorted_tables:
        made |= {str(index.name): str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes}
    made |= {trigger.split()[2]: trigger for trigger in triggers}
    return {name: _plain(sql) for name, sql in made.items()}


@pytest.mark.parametrize(("history", "form", "metadata", "triggers"), FILES, ids=lambda value: getattr(value, "value", ""))
def test_an_upgraded_empty_file_is_what_the_metadata_says(
    tmp_path: Path, history: History, form: Format, metadata: sa.MetaData, triggers: tuple[str, ...]
) -> None:
    path = tmp_path / "new.db"
    make_database_file(path)
    connection = Connection(path, KEY, form, Use.FOUND)
    upgrade(connection.raw_for_migration(), history)
    connection.close()
    raw = _as_owner(path, form)
    rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'")
    assert {name: _plain(sql) for name, sql in rows} == _wanted(metadata, triggers)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
    raw.close()


@pytest.mark.parametrize("metadata", [schema.REGISTER, schema.CONTENT], ids=["register", "content"])
def test_the_metadata_serves_another_engine(metadata: sa.MetaData) -> None:
    from sqlalchemy.dialects import postgresql

    for table in metadata.sorted_tables:
        assert "STRICT" not in str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for index in table.indexes:
            CreateIndex(index).compile(dialect=postgresql.dialect())


def test_an_upgrade_killed_at_any_statement_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    make_database_file(path)
    for killed_at in (1, 5, 40, 150, 300):
        pid = os.fork()
        if pid == 0:
            _upgrade_and_die(path, killed_at)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"the upgrade asked the authorizer fewer than {killed_at} times"
        raw = _as_owner(path)
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        raw.close()
    connection = Connection(path, KEY, REGISTER_FORMAT, Use.FOUND)
    upgrade(connection.raw_for_migration(), History.REGISTER)
    connection.close()
    assert _kept(path) == _wanted(schema.REGISTER, schema.REGISTER_TRIGGERS)


def _upgrade_and_die(path: Path, killed_at: int) -> None:
    asked = 0
    connection = Connection(path, KEY, REGISTER_FORMAT, Use.FOUND)
    raw = connection.raw_for_migration()

    def count(*_action: object) -> int:
        nonlocal asked
        asked += 1
        if asked == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    raw.set_authorizer(count)
    upgrade(raw, History.REGISTER)
    os._exit(0)


def test_a_migration_that_fails_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    make_database_file(path)
    connection = Connection(path, KEY, REGISTER_FORMAT, Use.FOUND)
    raw = connection.raw_for_migration()
    raw.execute("CREATE TABLE waiting (x)")  # in the way
    with pytest.raises(DefectError, match=r"^storage\.(migration|unforeseen)"):
        upgrade(raw, History.REGISTER)
    assert [row[0] for row in raw.execute("SELECT name FROM sqlite_master")] == ["waiting"]
    connection.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    raw = _as_owner(tmp_path / "register.db")
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = (tmp_path / "register.db").read_bytes()
    with pytest.raises(UnavailableError, match=r"^storage\.newer revision=9999$"):
        SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock())
    assert (tmp_path / "register.db").read_bytes() == before


def test_an_empty_file_under_the_vaults_name_is_not_founded_again(tmp_path: Path) -> None:
    make_database_file(tmp_path / "register.db")
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock())


def test_founding_over_a_vault_is_refused(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    before = (tmp_path / "register.db").read_bytes()
    with pytest.raises(RefusedError, match=r"^storage\.exists$"):
        SqlCipherStore.create(tmp_path / "register.db", KEY, VAULT, DESK, SteppingClock())
    assert (tmp_path / "register.db").read_bytes() == before


def test_both_files_know_their_vault(tmp_path: Path) -> None:
    store = new_register(tmp_path)
    assert store.vault_id() == VAULT == new_contents(tmp_path).vault_id()
    assert store.workstation_id() == DESK
    store.close()
