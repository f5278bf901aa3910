"""Faults of the world under the store: each its own code, nothing lost (SECURITY R1–R8)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.store_facts import (
    DESK,
    KEY,
    SteppingClock,
    a_case,
    a_person,
    case_row,
    check_out_row,
    draft,
    intake,
    new_contents,
    new_register,
)
from tests.faults import kill_storage
from tests.mounts import own_mounts
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret
from vault.storage.content import SqlCipherContentStore
from vault.storage.sqlcipher import SqlCipherStore

as_root = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small file system, which takes root")
MIB = 1 << 20


def _open(folder: Path, busy_timeout_ms: int = 100) -> SqlCipherStore:
    return SqlCipherStore.open(folder / "register.db", KEY, DESK, SteppingClock(), busy_timeout_ms=busy_timeout_ms)


def accept(_statement: bytes, _signature: bytes) -> None:
    pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with ExitStack() as stack:
        try:
            stack.enter_context(own_mounts())  # a mount that desks of other tests could see would be their report
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("this machine lets nobody mount")
        yield folder


def _remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def _until_refused(act: Callable[[], object]) -> UnavailableError:
    try:
        while True:
            act()
    except UnavailableError as error:
        return error


@as_root
def test_a_full_disk_refuses_the_act_and_loses_nothing(small_disk: Path) -> None:
    store = new_register(small_disk)
    pad = (("pad", "x" * 20_000),)
    error = _until_refused(lambda: store.append_audit(draft(facts=pad)))
    assert error.code == "storage.full"
    head = store.audit_head()
    assert head[0] > 100
    assert store.verify_chain(head, accept).holds
    store.close()
    store = _open(small_disk)
    assert store.audit_head() == head
    _remount(small_disk, "size=30m")
    assert store.append_audit(draft(facts=pad)) == head[0] + 1
    assert store.verify_chain(store.audit_head(), accept).holds
    store.close()


@as_root
def test_a_disk_that_fills_during_intake_keeps_the_whole_groups(small_disk: Path) -> None:
    contents = new_contents(small_disk)
    writer = contents.open_writer()
    document = intake(1, 1000).document_id
    writer.begin(intake(1, 1000))
    stored = 0

    def append() -> None:
        nonlocal stored
        writer.append_chunks(document, stored, [os.urandom(100_000)] * 3, b"source")
        stored += 3

    assert _until_refused(append).code == "storage.full"
    assert writer.pending()[0].chunks_stored == stored
    _remount(small_disk, "size=40m")
    append()
    reader = contents.open_reader()
    assert len(reader.read_chunk(document, stored - 1)) == 100_000
    with pytest.raises(TamperError, match=r"^storage\.chunk-missing"):
        reader.read_chunk(document, stored)
    reader.close()
    writer.close()


def test_a_file_that_may_not_grow_is_an_input_output_failure(tmp_path: Path) -> None:
    """RLIMIT_FSIZE, as a quota: in a child, because it is for good."""
    new_register(tmp_path).close()
    pid = os.fork()
    if pid == 0:
        store = _open(tmp_path)
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB // 2, MIB // 2))
        try:
            while True:
                store.append_audit(draft(facts=(("pad", "x" * 20_000),)))
        except UnavailableError as error:
            os._exit({"storage.input-output": 7, "storage.full": 8}.get(error.code, 1))
        finally:
            os._exit(2)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) in (7, 8)
    store = _open(tmp_path)
    assert store.audit_head()[0] > 5
    assert store.verify_chain(None, accept).holds
    store.close()


@as_root
def test_a_read_only_file_is_said_to_be_read_only(small_disk: Path) -> None:
    store = new_register(small_disk)
    store.append_audit(draft())
    head = store.audit_head()
    store.close()
    _remount(small_disk, "ro")
    with pytest.raises(UnavailableError, match=r"^storage\.read-only$"):
        _open(small_disk)
    _remount(small_disk, "rw")
    store = _open(small_disk)
    assert store.audit_head() == head
    store.close()


def test_a_lock_held_by_another_process_is_busy_and_passes(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    ready, locked = os.pipe()
    done, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        other = _open(tmp_path)
        other._db.begin()
        os.write(locked, b"!")
        os.read(done, 1)
        other._db.roll_back()
        os._exit(0)
    assert os.read(ready, 1) == b"!"
    store = _open(tmp_path)
    for act in (lambda: store.append_audit(draft()), lambda: store.register_case(case_row(1), [], [draft()])):
        with pytest.raises(UnavailableError, match=r"^storage\.busy"):
            act()
    assert store.people() == [], "reading goes on"
    os.write(release, b"!")
    os.waitpid(pid, 0)
    assert store.append_audit(draft()) == 1
    store.close()
    for descriptor in (ready, locked, done, release):
        os.close(descriptor)


def test_a_wrong_key_and_a_flipped_bit_are_both_damage_once_the_slot_was_authentic(tmp_path: Path) -> None:
    new_register(tmp_path).close()
    before = (tmp_path / "register.db").read_bytes()
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        SqlCipherStore.open(tmp_path / "register.db", Secret(bytes(32)), DESK, SteppingClock())
    assert (tmp_path / "register.db").read_bytes() == before, "a file that is not ours is not touched"


def test_a_flipped_bit_in_a_chunk_is_damage_and_the_rest_is_readable(tmp_path: Path) -> None:
    contents = new_contents(tmp_path)
    writer = contents.open_writer()
    for number in (1, 2):
        writer.begin(intake(number))
        writer.append_chunks(intake(number).document_id, 0, [os.urandom(256 * 1024)] * 4, b"source")
        writer.finish(intake(number).document_id)
    writer.close()
    path = tmp_path / "content.db"
    damaged = bytearray(path.read_bytes())
    damaged[-300_000] ^= 1
    path.write_bytes(damaged)
    reader = SqlCipherContentStore.open(path, KEY).open_reader()
    assert all(len(reader.read_chunk(intake(1).document_id, chunk)) == 256 * 1024 for chunk in range(4))
    refused = []
    for chunk in range(4):
        try:
            assert len(reader.read_chunk(intake(2).document_id, chunk)) == 256 * 1024
        except TamperError as error:
            refused.append(error.code)
    assert refused == ["storage.damaged"]
    reader.close()


def test_a_missing_content_file_is_missing(tmp_path: Path) -> None:
    contents = new_contents(tmp_path)
    (tmp_path / "content.db").unlink()
    for act in (contents.open_reader, contents.open_writer, lambda: SqlCipherContentStore.open(tmp_path / "content.db", KEY)):
        with pytest.raises(UnavailableError, match=r"^storage\.missing$"):
            act()
    assert not (tmp_path / "content.db").exists()


def test_an_act_that_fails_inside_leaves_no_trace(tmp_path: Path) -> None:
    store = new_register(tmp_path)
    store.register_case(case_row(1), [], [draft()])
    head = store.audit_head()

    class FailingClock(SteppingClock):
        def boot_us(self) -> int:
            raise OSError("the clock failed")

    store._trail._clock = FailingClock()
    with pytest.raises(OSError, match="the clock failed"):
        store.open_check_out(check_out_row(1, a_case(1), a_person(1)), b"signed", [draft()])
    store._trail._clock = SteppingClock()
    assert store.active_check_out(a_case(1)) is None
    assert store.audit_head() == head
    assert store.append_audit(draft()) == head[0] + 1
    store.close()


def test_kill_nine_loses_nothing_acknowledged(tmp_path: Path) -> None:
    known = kill_storage.run(tmp_path, kills=12, seed=2026)
    assert known.entries > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    known = kill_storage.run(tmp_path, kills=200, seed=1)
    assert known.documents
    assert known.breaches
    assert known.closed
