"""The content file's log is moved beside the writer, stays short, and what fails at it is told and loses nothing."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.store_facts import KEY, intake, new_contents, new_register
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.errors import DefectError, TamperError, UnavailableError
from vault.sensors.store_access import StoreAccessSensor
from vault.storage import mover as mover_module
from vault.storage.connection import CONTENT_FORMAT, Connection, Use
from vault.storage.content import SqlCipherContentStore, SqlCipherContentWriter
from vault.storage.mover import STEP_BYTES, TURN_BYTES, Mover

KIB = 1 << 10
CHUNK = bytes(256 * KIB)
DOCUMENT = intake(1).document_id
PATIENCE_SECONDS = 15.0


@pytest.fixture
def contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlCipherContentStore:
    """A content file whose log takes its turn after 3 MiB, a step after one, and is cut off at 4."""
    for name, mib in (("STEP_BYTES", 1), ("TURN_BYTES", 3), ("WAL_BOUND_BYTES", 4)):
        monkeypatch.setattr(mover_module, name, mib << 20)
    return new_contents(tmp_path)


@pytest.fixture
def out_of_the_way() -> Iterator[Path]:
    """A folder that the desks of other tests do not search for copies: they would be the strangers."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def begun(contents: SqlCipherContentStore) -> SqlCipherContentWriter:
    writer = contents.open_writer()
    writer.begin(intake(1, 1000))
    return writer


def movers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("content-mover")]


def test_a_short_intake_has_no_mover(tmp_path: Path) -> None:
    writer = begun(new_contents(tmp_path))
    writer.append_chunks(DOCUMENT, 0, [bytes(STEP_BYTES // 2)], b"")
    assert movers() == []
    writer.close()


def test_the_log_starts_over_and_every_chunk_is_in_the_file(contents: SqlCipherContentStore, tmp_path: Path) -> None:
    writer, reader = begun(contents), contents.open_reader()
    log = tmp_path / "content.db-wal"
    largest = 0
    for number in range(48):  # 12 MiB
        writer.append_chunks(DOCUMENT, number, [CHUNK], b"")
        assert reader.read_chunk(DOCUMENT, number) == CHUNK
        largest = max(largest, log.stat().st_size)
    assert largest < 5 << 20
    assert (tmp_path / "content.db").stat().st_size > 8 << 20
    assert len(movers()) == 1
    writer.close()
    assert movers() == []
    assert [reader.read_chunk(DOCUMENT, number) for number in range(48)] == [CHUNK] * 48
    reader.close()
    assert not log.exists(), "the last connection moves what is left"


def test_a_reader_that_stands_still_lets_the_log_grow_and_it_is_cut_off_after(contents: SqlCipherContentStore, tmp_path: Path) -> None:
    writer, reader = begun(contents), contents.open_reader()
    log = tmp_path / "content.db-wal"
    writer.append_chunks(DOCUMENT, 0, [CHUNK] * 4, b"")
    with reader._db.lines("SELECT chunk_key FROM chunk") as rows:
        next(rows)
        for number in range(4, 20):
            writer.append_chunks(DOCUMENT, number, [CHUNK], b"")
        grown = log.stat().st_size
    assert grown > 4 << 20
    writer.append_chunks(DOCUMENT, 20, [CHUNK], b"")
    assert log.stat().st_size == 0
    assert [reader.read_chunk(DOCUMENT, number) for number in range(21)] == [CHUNK] * 21
    reader.close()
    writer.close()


def test_what_fails_is_told_once_before_the_next_group_and_nothing_is_lost(
    contents: SqlCipherContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Connection) -> bool:
        raise UnavailableError("storage.full")

    writer = begun(contents)
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "move_log", full)
        writer.append_chunks(DOCUMENT, 0, [CHUNK] * 4, b"")
        writer._mover._wait()
        with pytest.raises(UnavailableError, match=r"^storage\.full$"):
            writer.append_chunks(DOCUMENT, 4, [CHUNK] * 4, b"")
    assert writer.pending()[0].chunks_stored == 4, "the group that was told of it stored nothing"
    writer.append_chunks(DOCUMENT, 4, [CHUNK] * 4, b"")
    writer.close()
    reader = contents.open_reader()
    assert [reader.read_chunk(DOCUMENT, number) for number in range(8)] == [CHUNK] * 8
    reader.close()


def test_a_disk_that_was_full_for_a_moment_refuses_nothing(contents: SqlCipherContentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([UnavailableError("storage.full")])
    moves = Connection.move_log

    def full_once(self: Connection) -> bool:
        for failure in failures:
            raise failure
        return moves(self)

    writer = begun(contents)
    monkeypatch.setattr(Connection, "move_log", full_once)
    writer.append_chunks(DOCUMENT, 0, [CHUNK] * 4, b"")
    writer._mover._wait()
    writer.append_chunks(DOCUMENT, 4, [CHUNK] * 4, b"")
    writer.close()


def test_a_damage_found_after_the_last_group_is_told_as_the_writer_closes(contents: SqlCipherContentStore, tmp_path: Path) -> None:
    writer = begun(contents)
    with (tmp_path / "content.db").open("r+b") as file:
        file.write(bytes(4096))
    writer.append_chunks(DOCUMENT, 0, [CHUNK] * 4, b"")
    with pytest.raises(TamperError, match=r"^storage\.damaged "):
        writer.close()
    assert movers() == []


@pytest.mark.parametrize("failure", [OSError(24, "no descriptor is left"), RuntimeError("unforeseen")])
def test_whatever_fails_leaves_the_commit_standing_and_ends(tmp_path: Path, failure: Exception) -> None:
    def failing() -> Connection:
        raise failure

    mover = Mover(tmp_path / "content.db-wal", failing)
    mover.committed(TURN_BYTES)
    with pytest.raises(DefectError, match=r"^storage\.unforeseen "):
        mover.require_well()
    mover.close()
    assert movers() == []


def test_a_mover_that_cannot_open_the_file_says_so_and_ends(tmp_path: Path) -> None:
    def refused() -> Connection:
        raise UnavailableError("storage.missing")

    mover = Mover(tmp_path / "content.db-wal", refused)
    mover.committed(STEP_BYTES)
    mover._wait()
    with pytest.raises(UnavailableError, match=r"^storage\.missing$"):
        mover.require_well()
    mover.require_well()
    mover.close()
    assert movers() == []


@pytest.mark.parametrize(("use", "reads_only"), [(Use.WRITE, 0), (Use.MOVE, 1), (Use.READ, 1)])
def test_only_the_mover_checkpoints(tmp_path: Path, use: Use, reads_only: int) -> None:
    new_contents(tmp_path)
    connection = Connection(tmp_path / "content.db", KEY, CONTENT_FORMAT, use)
    connection._raw.set_authorizer(None)  # type: ignore[arg-type]
    assert connection._raw.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    assert connection._raw.execute("PRAGMA query_only").fetchone() == (reads_only,)
    connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.usefixtures("contents")
def test_the_store_access_sensor_knows_it_as_ours_and_a_stranger_as_one(out_of_the_way: Path) -> None:
    """Short intakes too: by the time a busy sensor looks, the mover may have let go of the file again."""
    store = new_register(out_of_the_way)
    new_contents(out_of_the_way).close()
    names = ("register.db", "register.db-wal", "content.db", "content.db-wal")
    told: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    sensor = StoreAccessSensor([out_of_the_way / name for name in names], lambda: frozenset({os.getpid()}), None)
    watched = SqlCipherContentStore.open(out_of_the_way / "content.db", KEY, own_open=sensor.expect_own_open)
    sensor.start(told.put)
    try:
        for number in range(1, 4):
            writer = watched.open_writer()
            writer.begin(intake(number, 8))
            for first in (0, 4):
                writer.append_chunks(intake(number).document_id, first, [CHUNK] * 4, b"")
            assert len(movers()) == 1
            writer.close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sensor.self_test().state is not ProtectionState.DETECTED:  # then it has looked
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert told.empty(), "our own are no strangers"
        subprocess.run(["cat", str(out_of_the_way / "content.db")], check=True, stdout=subprocess.DEVNULL)
        signal = told.get(timeout=PATIENCE_SECONDS)
    finally:
        sensor.stop()
        store.close()
    assert (signal.kind, dict(signal.facts)["file"]) == (SignalKind.STORE_OPENED, "content.db")
