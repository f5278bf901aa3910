"""Attacks on the store: SQL routes to plaintext through our own connection, and files changed behind it (VECTORS V8, SECURITY R7–R9).

Every attacker here has more than an officer has: the open connection itself, or the key.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as engine

from tests.contract.store_facts import (
    DESK,
    KEY,
    VAULT,
    SteppingClock,
    a_case,
    a_person,
    breach_row,
    case_row,
    check_out_row,
    draft,
    grant_row,
    intake,
    new_contents,
    new_register,
)
from vault.domain.custody import ReturnKind
from vault.errors import TamperError, VaultError
from vault.secret import Secret
from vault.storage.authorizer import Phase
from vault.storage.connection import REGISTER_FORMAT
from vault.storage.sqlcipher import SqlCipherStore


@pytest.fixture
def denied() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, denied: list[str]) -> Iterator[SqlCipherStore]:
    new_register(tmp_path).close()
    store = SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock(), denied.append)
    store.register_case(case_row(1), [grant_row(1, a_case(1), a_person(1))], [draft()])
    taken = store.open_check_out(check_out_row(1, a_case(1), a_person(1)), b"signed", [draft()])
    store.close_check_out(taken.check_out_id, 5, ReturnKind.CHECKED_IN, a_person(1), b"", [draft()])
    store.record_breach(breach_row(1, a_person(1)), [draft()])
    store.make_checkpoint(lambda statement: b"signed")
    yield store
    store.close()


# statement (with {out} = a path that must not appear), what on_denied is told
ROUTES_OUT = [
    ("ATTACH '{out}' AS thief KEY ''", "attach"),
    ("ATTACH ':memory:' AS thief KEY ''", "attach"),
    ("ATTACH '{out}' AS thief", "attach"),
    ("DETACH main", "detach"),
    ("SELECT sqlcipher_export('thief')", "function sqlcipher_export"),
    ("SELECT sqlcipher_export('main', 'main')", "function sqlcipher_export"),
    ("VACUUM INTO '{out}'", "attach"),
    ("VACUUM", "attach"),
    ("PRAGMA rekey = 'x'", "pragma rekey"),
    ("PRAGMA hexrekey = 'aa'", "pragma hexrekey"),
    ("PRAGMA key = 'x'", "pragma key"),
    ("PRAGMA cipher_migrate", "pragma cipher_migrate"),
    ("PRAGMA cipher_salt", "pragma cipher_salt"),
    ("PRAGMA cipher_export = 'x'", "pragma cipher_export"),
    ("PRAGMA cipher_profile = '{out}'", "pragma cipher_profile"),
    ("PRAGMA cipher_log = '{out}'", "pragma cipher_log"),
    ("PRAGMA cipher_trace = '{out}'", "pragma cipher_trace"),
    ("PRAGMA cipher_log_level = TRACE", "pragma cipher_log_level"),
    ("PRAGMA cipher_plaintext_header_size = 32", "pragma cipher_plaintext_header_size"),
    ("PRAGMA cipher_use_hmac = OFF", "pragma cipher_use_hmac"),
    ("PRAGMA cipher_memory_security = OFF", "pragma cipher_memory_security"),
    ("PRAGMA writable_schema = ON", "pragma writable_schema"),
    ("PRAGMA temp_store = FILE", "pragma temp_store"),
    ("PRAGMA temp_store_directory = '{folder}'", "pragma temp_store_directory"),
    ("PRAGMA journal_mode = DELETE", "pragma journal_mode"),
    ("PRAGMA synchronous = OFF", "pragma synchronous"),
    ("PRAGMA secure_delete = OFF", "pragma secure_delete"),
    ("PRAGMA recursive_triggers = OFF", "pragma recursive_triggers"),
    ("PRAGMA trusted_schema = ON", "pragma trusted_schema"),
    ("PRAGMA user_version = 7", "pragma user_version"),
    ("SELECT load_extension('{out}')", None),  # the binding refuses before we are asked
    ("SELECT writefile('{out}', 'x')", None),  # not in this build
    ("SELECT fts3_tokenizer('simple')", "function fts3_tokenizer"),
    ("CREATE TEMP TABLE copy AS SELECT * FROM audit", None),
    ("CREATE TEMP TRIGGER spy AFTER INSERT ON audit BEGIN SELECT 1; END", "create-temp-trigger"),
    ("CREATE TEMP VIEW spy AS SELECT * FROM audit", None),
    ("CREATE VIRTUAL TABLE copy USING fts5(x)", None),
    ("CREATE TABLE copy (x)", None),
    ("CREATE TRIGGER spy AFTER INSERT ON audit BEGIN SELECT 1; END", None),
    ("DROP TRIGGER audit_kept", None),
    ("DROP TABLE audit", None),
    ("ALTER TABLE audit RENAME TO gone", None),
    ("REINDEX", "reindex"),
    ("ANALYZE", None),
    ("INSERT INTO sqlite_master VALUES ('trigger','a','b',1,'')", None),
    ("UPDATE sqlite_master SET sql = ''", None),
]


@pytest.mark.parametrize(("statement", "told"), ROUTES_OUT, ids=[row[0][:48] for row in ROUTES_OUT])
def test_no_statement_leads_out(store: SqlCipherStore, denied: list[str], tmp_path: Path, statement: str, told: str | None) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    denied.clear()
    with pytest.raises(engine.Error):
        store._db._raw.execute(statement.format(out=tmp_path / "stolen.db", folder=tmp_path)).fetchall()
    assert {path.name for path in tmp_path.iterdir()} == before
    assert told is None or told in denied
    assert all("/" not in one for one in denied), "a denial names no path"
    assert store.append_audit(draft()) > 0, "the store goes on"


def test_a_denial_reaches_the_services_as_tampering(store: SqlCipherStore, denied: list[str]) -> None:
    with pytest.raises(TamperError, match=r"^storage\.denied"), store._db.lines("SELECT sqlcipher_export('x')"):
        pass
    assert denied == ["function sqlcipher_export"]


def test_a_backup_without_our_key_is_refused(store: SqlCipherStore, tmp_path: Path) -> None:
    out = engine.connect(str(tmp_path / "stolen.db"))
    with pytest.raises(engine.Error):
        store._db._raw.backup(out)
    out.close()
    stolen = tmp_path / "stolen.db"
    assert not stolen.exists() or stolen.stat().st_size == 0


# Rewriting history through our own connection, which may only change rows.
REWRITES = [
    ("DELETE FROM audit", "audit.kept"),
    ("DELETE FROM audit WHERE seq = 1", "audit.kept"),
    ("UPDATE audit SET entry = ''", "audit.fixed"),
    ("INSERT OR REPLACE INTO audit SELECT seq, at_us, 'forged', entry_hash FROM audit", "audit.kept"),
    ("UPDATE OR REPLACE audit SET seq = 2 WHERE seq = 1", "audit.fixed"),
    ("DELETE FROM audit_checkpoint", "audit-checkpoint.kept"),
    ("UPDATE audit_checkpoint SET seq = 99", "audit-checkpoint.fixed"),
    ("DELETE FROM audit_about", "audit-about.kept"),
    ("DELETE FROM check_out", "check-out.kept"),
    ("UPDATE check_out SET holder_id = 'x'", "custody.not-held"),
    ("UPDATE check_out SET returned_us = 0, return_kind = NULL", "custody.not-held"),
    ("UPDATE check_out SET returned_us = 9", "custody.not-held"),
    ("INSERT OR REPLACE INTO check_out SELECT * FROM check_out", "check-out.kept"),
    ("DELETE FROM breach", "breach.kept"),
    ("UPDATE breach SET severity = 1", "breach.fixed"),
    ("UPDATE breach SET officer_id = 'somebody else'", "breach.fixed"),
    ("UPDATE breach SET state = 'disposed'", "breach.fixed"),
    ("UPDATE breach SET state = 'disposed', triaged_by = officer_id", "breach.own-report"),
    ("DELETE FROM breach_fact", "breach-fact.kept"),
    ("UPDATE breach_fact SET facts_sealed = x'00'", "breach-fact.fixed"),
    ("DELETE FROM alert", "alert.kept"),
    ("DELETE FROM case_grant", "case-grant.kept"),
    ("UPDATE case_grant SET grantee_id = 'x'", "case-grant.fixed"),
    ("DELETE FROM case_file", "case-file.kept"),
    ("UPDATE case_file SET number_blind = x'00'", "case-file.fixed"),
]


@pytest.mark.parametrize(("statement", "code"), REWRITES, ids=[row[0][:56] for row in REWRITES])
def test_history_is_not_rewritten(store: SqlCipherStore, statement: str, code: str) -> None:
    with pytest.raises(engine.IntegrityError, match=f"^{code}$"):
        store._db._raw.execute(statement)
    assert store.verify_chain(store.audit_head(), lambda statement, signature: None).holds


def test_evidence_in_the_content_store_is_not_deleted(tmp_path: Path) -> None:
    writer = new_contents(tmp_path).open_writer()
    writer.begin(intake(1))
    writer.append_chunks(intake(1).document_id, 0, [b"evidence"], b"")
    writer.finish(intake(1).document_id)
    for statement, code in (
        ("DELETE FROM chunk", "chunk.kept"),
        ("UPDATE chunk SET sealed = x'00'", "chunk.fixed"),
        ("INSERT OR REPLACE INTO chunk SELECT chunk_key, x'00' FROM chunk", "chunk.kept"),
        ("DELETE FROM content", "content.kept"),
    ):
        with pytest.raises(engine.IntegrityError, match=f"^{code}$"):
            writer._db._raw.execute(statement)
    writer.close()


def test_the_authorizer_is_not_left_open(store: SqlCipherStore) -> None:
    assert store._db._authorizer.phase is Phase.SERVING
    with pytest.raises(VaultError, match=r"^storage\.not-founding"):
        store._db.raw_for_migration()


# -- files changed behind the vault


def _fill(folder: Path, entries: int = 60) -> Path:
    store = new_register(folder)
    for number in range(entries):
        store.append_audit(draft(page_no=number, facts=(("pad", "x" * 200),)))
    store.close()
    return folder / "register.db"


def _read_all(path: Path) -> None:
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    try:
        verdict = store.verify_chain(None, lambda statement, signature: None)
        if not verdict.holds or store.health():
            raise TamperError("storage.damaged")
    finally:
        store.close()


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = _fill(tmp_path)
    good = path.read_bytes()
    for at in range(0, len(good), 1999):  # a prime step: every page, everywhere in a page
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        with pytest.raises(TamperError, match=r"^(storage\.damaged|audit\.chain-broken)"):
            _read_all(path)
    path.write_bytes(good)
    _read_all(path)


@pytest.mark.parametrize("size", ["empty", "half a page", "one page", "a page short", "half"])
def test_a_truncated_file_is_damage(tmp_path: Path, size: str) -> None:
    path = _fill(tmp_path)
    good = path.read_bytes()
    keep = {"empty": 0, "half a page": 2048, "one page": 4096, "a page short": len(good) - 4096, "half": len(good) // 8192 * 4096}[size]
    path.write_bytes(good[:keep])
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        _read_all(path)


@pytest.mark.parametrize("kind", ["plain", "content", "another key"])
def test_a_file_of_another_key_or_kind_is_damage(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "register.db"
    if kind == "content":
        new_contents(tmp_path)
        shutil.copy(tmp_path / "content.db", path)
    elif kind == "another key":
        SqlCipherStore.create(path, Secret(bytes(32)), VAULT, DESK, SteppingClock()).close()
    else:
        path.write_bytes(b"SQLite format 3\0" + bytes(4096 * 4 - 16))
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        SqlCipherStore.open(path, KEY, DESK, SteppingClock())


def test_a_link_in_place_of_the_file_is_damage(tmp_path: Path) -> None:
    path = _fill(tmp_path)
    path.rename(tmp_path / "elsewhere.db")
    path.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        SqlCipherStore.open(path, KEY, DESK, SteppingClock())


def test_an_old_file_put_back_is_told_by_the_witness(tmp_path: Path) -> None:
    path = _fill(tmp_path)
    old = path.read_bytes()
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    store.append_audit(draft(), draft())
    witness = store.audit_head()
    store.close()
    path.write_bytes(old)
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    verdict = store.verify_chain(witness, lambda statement, signature: None)
    assert (verdict.bad_seq, verdict.reason) == (61, "rolled-back")
    store.append_audit(draft(page_no=1), draft(page_no=2), draft(page_no=3))
    assert store.verify_chain(witness, lambda statement, signature: None).reason == "rolled-back"
    store.close()


def test_an_old_page_put_back_breaks_the_chain(tmp_path: Path) -> None:
    path = _fill(tmp_path, 5)
    old = path.read_bytes()
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    for number in range(4):
        store.append_audit(draft(page_no=number))
    witness = store.audit_head()
    store.close()
    new = path.read_bytes()
    page = REGISTER_FORMAT.page_bytes
    changed = [at for at in range(page, len(old), page) if old[at : at + page] != new[at : at + page]]
    assert changed, "appends change a page after the first"
    for at in changed:
        path.write_bytes(new[:at] + old[at : at + page] + new[at + page :])
        try:
            store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
        except TamperError:
            continue
        try:
            verdict = store.verify_chain(witness, lambda statement, signature: None)
        except TamperError:
            continue
        finally:
            store.close()
        assert not verdict.holds


LEFT_OVER = (  # what somebody with the key takes away; the index of what was there stays
    ("the checkpoint", "DELETE FROM audit_checkpoint WHERE seq = (SELECT max(seq) FROM audit_checkpoint)"),
    (
        "the checkpoint and its entries",
        """DELETE FROM audit_checkpoint WHERE seq = (SELECT max(seq) FROM audit_checkpoint);
        DELETE FROM audit WHERE seq > (SELECT max(seq) FROM audit_checkpoint)""",
    ),
)


@pytest.mark.parametrize("script", [one[1] for one in LEFT_OVER], ids=[one[0] for one in LEFT_OVER])
def test_an_index_of_entries_that_were_taken_away_is_told_at_the_next_checkpoint(tmp_path: Path, script: str) -> None:
    path = _fill(tmp_path, 3)
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    store.make_checkpoint(lambda _statement: b"signed")
    known = store.audit_head()[0]
    store.append_audit(draft(), draft())
    store.make_checkpoint(lambda _statement: b"signed")
    store.close()
    raw = engine.connect(str(path), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{KEY.reveal().hex()}'\"")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f'DROP TRIGGER "{name}"')
    raw.executescript(script)
    raw.close()
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    store.append_audit(draft())
    with pytest.raises(TamperError, match=rf"^audit\.chain-broken seq={known + 1}$"):
        store.make_checkpoint(lambda _statement: b"signed")
    store.close()


def test_a_flipped_bit_in_the_wal_is_told_by_the_witness(tmp_path: Path) -> None:
    path = _fill(tmp_path, 3)
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    for number in range(20):
        store.append_audit(draft(page_no=number))
    witness = store.audit_head()
    stolen = tmp_path / "copy"
    stolen.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", stolen / f"register.db{suffix}")
    store.close()
    wal = stolen / "register.db-wal"
    bytes_of = bytearray(wal.read_bytes())
    bytes_of[len(bytes_of) // 2] ^= 1
    wal.write_bytes(bytes_of)
    store = SqlCipherStore.open(stolen / "register.db", KEY, DESK, SteppingClock())
    verdict = store.verify_chain(witness, lambda statement, signature: None)
    assert verdict.reason == "rolled-back", "SQLite drops what follows a damaged frame without a word (R8)"
    assert 3 < verdict.bad_seq < 23
    store.close()
