"""Copies known from inside: real SQLCipher databases, and ordinary files that must not be mistaken for them."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from vault.sensors.fingerprint import SALT_BYTES, Fingerprint

DEMO = Path(__file__).resolve().parents[3] / "resources" / "demo"


class Vault:
    """A database as the store keeps it, with its journal, open."""

    def __init__(self, folder: Path, page_bytes: int, hmac: str) -> None:
        self.path = folder / "register.db"
        self.wal = Path(f"{self.path}-wal")
        self.connection = sqlcipher.connect(str(self.path))
        self.connection.execute(f"pragma key=\"x'{'5a' * 32}'\"")
        self.connection.execute(f"pragma cipher_page_size={page_bytes}")
        self.connection.execute(f"pragma cipher_hmac_algorithm={hmac}")
        self.connection.execute("pragma journal_mode=wal")
        self.connection.execute("create table t(a integer primary key, b blob)")
        self.write(400)
        self.connection.execute("pragma wal_checkpoint(truncate)")
        self.write(3)
        self.descriptors: dict[Path, int] = {}
        self.fingerprint = Fingerprint(lambda: frozenset({self.path.read_bytes()[:SALT_BYTES]}), "", [self.path], self.descriptor_of)

    def write(self, rows: int) -> None:
        self.connection.executemany("insert into t(b) values(?)", [(b"witness statement " * 200,) for _ in range(rows)])
        self.connection.commit()

    def descriptor_of(self, path: Path) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return self.descriptors.setdefault(path, os.open(path, os.O_RDONLY))
        return None

    def learn(self) -> None:
        self.fingerprint.refresh()
        for _ in self.fingerprint.read_blocks():
            pass

    def close(self) -> None:
        for descriptor in self.descriptors.values():
            os.close(descriptor)
        self.connection.close()


@pytest.fixture(params=[(4096, "HMAC_SHA512"), (65536, "HMAC_SHA512"), (32768, "HMAC_SHA256")], ids=["register", "content", "older"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    made = Vault(tmp_path, *request.param)
    made.learn()
    yield made
    made.close()


def test_every_stretch_of_a_window_is_known_whatever_its_shift(vault: Vault) -> None:
    data = vault.path.read_bytes()
    window = vault.fingerprint.window_bytes
    dice = random.Random(1)
    places = [dice.randrange(len(data) - window) for _ in range(300)]
    assert all(vault.fingerprint.has_block(data[place : place + window]) for place in places)


def test_its_salt_and_its_journals_are_known_anywhere(vault: Vault) -> None:
    data, journal = vault.path.read_bytes(), vault.wal.read_bytes()
    assert vault.fingerprint.of_head(data[:4096]) == "database"
    assert vault.fingerprint.of_head(journal[:4096]) == "journal"
    assert vault.fingerprint.within(os.urandom(777) + data[:100]) == "database"
    assert vault.fingerprint.within(os.urandom(777) + journal[:100]) in {"journal", "database"}  # its first frame may be page 1
    assert vault.fingerprint.within(os.urandom(777) + journal[16:48]) == "journal"


def test_a_journal_that_was_copied_before_it_began_anew(vault: Vault) -> None:
    copy = vault.wal.read_bytes()
    vault.connection.execute("pragma wal_checkpoint(restart)")
    vault.write(3)
    vault.learn()
    assert vault.wal.read_bytes()[16:24] != copy[16:24], "another journal now"
    assert vault.fingerprint.of_head(copy) == "journal"
    fresh = Fingerprint(frozenset, "", [vault.path], vault.descriptor_of)  # as after a restart
    fresh.refresh()
    for _ in fresh.read_blocks():
        pass
    assert fresh.of_head(copy) == ""
    assert fresh.has_block(copy), "its frames went into the database as they were"


def test_a_changed_database_is_learned_again_and_an_unchanged_one_is_not(vault: Vault) -> None:
    assert list(vault.fingerprint.read_blocks()) == []
    vault.write(400)
    vault.connection.execute("pragma wal_checkpoint(truncate)")
    assert list(vault.fingerprint.read_blocks()) != []


def test_a_large_vault_is_known_by_fewer_blocks_and_longer_windows(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.sensors.fingerprint._MOST_BLOCKS", 50)
    vault.learn()
    window = vault.fingerprint.window_bytes
    assert window > 20_000
    assert sum(map(len, vault.fingerprint._blocks.values())) <= 100, "two words a block"
    data = vault.path.read_bytes()
    assert all(vault.fingerprint.has_block(data[place : place + window]) for place in range(0, len(data) - window, 7777))


def test_ordinary_files_are_not_known(vault: Vault) -> None:
    files = [path for path in sorted(DEMO.rglob("*")) if path.is_file()]
    assert files
    for data in (*(path.read_bytes() for path in files), os.urandom(8 << 20), bytes(1 << 20), b"\xff" * (1 << 20)):
        assert vault.fingerprint.of_head(data[:4096]) == ""
        assert vault.fingerprint.within(data) == ""
        step = vault.fingerprint.window_bytes
        assert not any(vault.fingerprint.has_block(data[place : place + step]) for place in range(0, min(len(data), 4 << 20), step))


def test_a_word_that_lies_across_two_slices_is_known(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.sensors.fingerprint._SLICE_BYTES", 64)
    block = vault.path.read_bytes()[8192:12288]
    place = block.index(vault.fingerprint._mark)
    word = block[place : place + 9]
    assert all(vault.fingerprint.has_block(bytes(shift) + word) for shift in range(130))
    assert not any(vault.fingerprint.has_block(bytes(shift) + word[1:]) for shift in range(130)), "only after the mark"


def test_what_is_searched_for_has_another_identity_with_another_salt() -> None:
    salts = {b"a" * SALT_BYTES}
    fingerprint = Fingerprint(lambda: frozenset(salts), "00")
    assert fingerprint.identity == b""
    assert not fingerprint.is_whole
    fingerprint.refresh()
    assert fingerprint.is_whole
    first = fingerprint.identity
    fingerprint.refresh()
    assert fingerprint.identity == first
    salts.add(b"b" * SALT_BYTES)
    fingerprint.refresh()
    assert fingerprint.identity not in {b"", first}


def test_without_an_open_file_there_are_no_blocks_and_nothing_matches(tmp_path: Path) -> None:
    fingerprint = Fingerprint(frozenset, "", [tmp_path / "register.db"])
    fingerprint.refresh()
    assert list(fingerprint.read_blocks()) == []
    assert not fingerprint.knows_blocks
    assert not fingerprint.is_whole
    assert not fingerprint.has_block(os.urandom(10_000))
    assert fingerprint.of_head(os.urandom(4096)) == fingerprint.within(os.urandom(10_000)) == ""


def test_when_the_blocks_were_read_is_said_only_of_all_of_them(vault: Vault) -> None:
    before = vault.fingerprint.read_ns
    assert 0 < before <= time.time_ns()
    vault.learn()
    again = vault.fingerprint.read_ns
    assert again > before
    partly = Fingerprint(
        frozenset,
        "",
        [vault.path, vault.path.with_name("closed.db")],
        lambda path: vault.descriptor_of(vault.path) if path == vault.path else None,
    )
    for _ in partly.read_blocks():
        assert partly.read_ns == 0, "not before its end"
    assert partly.read_ns == 0
