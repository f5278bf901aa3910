"""The memory of searched files: kept over restarts, bounded, and believed only as far as it is sealed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from vault.sensors import searched
from vault.sensors.mounts import read_mounts
from vault.sensors.searched import SearchedFiles, honest_devices

KEY = b"k" * 32
VAULT = b"v" * 16


def state(number: int, **changed: int) -> os.stat_result:
    facts = {"st_dev": 65024, "st_ino": number, "st_size": 100, "st_mtime_ns": -5, "st_ctime_ns": 7_000_000_000_000_000_000} | changed
    return cast("os.stat_result", SimpleNamespace(**facts))


def open_memory(path: Path, key: bytes = KEY) -> SearchedFiles:
    memory = SearchedFiles(path, key)
    list(memory.load())
    return memory


def note(path: Path, *numbers: int) -> None:
    memory = open_memory(path)
    for number in numbers:
        memory.note(state(number), VAULT)
    memory.save()


def known(path: Path, numbers: Sequence[int], key: bytes = KEY) -> list[int]:
    memory = open_memory(path, key)
    return [number for number in numbers if memory.has(state(number), VAULT)]


def test_what_was_noted_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "searched"
    note(path, 1, 2)
    note(path, 3)
    assert known(path, range(5)) == [1, 2, 3]
    assert known(path, range(5), b"x" * 32) == []
    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size == 2 * 20 + 3 * 8
    memory = open_memory(path)
    assert memory.has(state(1), VAULT)
    assert not memory.has(state(1), b"w" * 16), "another vault"
    for name in ("st_dev", "st_size", "st_mtime_ns", "st_ctime_ns"):
        assert not memory.has(state(1, **{name: 9}), VAULT), name


LONG_AFTER_NS = 10_500_000_000 * 1_000_000_000  # in 2302


def test_times_that_no_clock_has(tmp_path: Path) -> None:
    """Anybody can give a file one: it may not end the search."""
    file, memory = tmp_path / "file", open_memory(tmp_path / "searched")
    file.write_bytes(b"x")
    os.utime(file, (1.05e10, 1.05e10))
    memory.note(file.stat(), VAULT)
    assert memory.has(file.stat(), VAULT)
    for time_ns in (LONG_AFTER_NS, -LONG_AFTER_NS):
        odd = state(1, st_mtime_ns=time_ns, st_ctime_ns=time_ns)
        assert not memory.has(odd, VAULT)
        memory.note(odd, VAULT)
        assert memory.has(odd, VAULT)


def test_each_account_has_a_memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Officers share an installed vault, and see each other's homes not at all."""
    path, folder = tmp_path / "searched", tmp_path
    monkeypatch.setattr("vault.reach.is_launched", lambda: True)
    for account, numbers in ((1001, range(10)), (1002, range(10, 20))):
        monkeypatch.setattr(os, "getuid", lambda account=account: account)
        memory = open_memory(path)
        memory.begin_whole()
        for number in numbers:
            memory.note(state(number), VAULT)
        memory.end_whole()
    for account, numbers in ((1001, range(10)), (1002, range(10, 20))):
        monkeypatch.setattr(os, "getuid", lambda account=account: account)
        memory = open_memory(path)
        memory.begin_whole()
        assert [number for number in range(20) if memory.has(state(number), VAULT)] == list(numbers)
        memory.end_whole()
    assert sorted(found.name for found in folder.iterdir()) == ["searched.1001", "searched.1002"]
    assert all(found.stat().st_mode & 0o007 == 0 for found in folder.iterdir())


def test_keeping_it_never_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread writes when nobody else does, and closing the vault waits for the thread."""

    def waiting(_descriptor: int) -> None:
        raise AssertionError("waits for the disk")

    monkeypatch.setattr(os, "fsync", waiting)
    monkeypatch.setattr(os, "fdatasync", waiting)
    note(tmp_path / "searched", 1, 2)
    note(tmp_path / "searched", 3)
    assert known(tmp_path / "searched", range(5)) == [1, 2, 3]


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path) -> None:
    path = tmp_path / "searched"
    note(path, 1, 2)
    before = path.stat()
    note(path, 1, 2)
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


# The file of two records: 1 and 2 in the first (0 to 36), 3 in the second (36 to 64).
FORGERIES: Sequence[tuple[str, Callable[[bytes], bytes], list[int]]] = [
    ("untouched", lambda data: data, [1, 2, 3]),
    ("an entry of the first changed", lambda data: _flip(data, 5), []),
    ("the seal of the first changed", lambda data: _flip(data, 30), []),
    ("an entry of the second changed", lambda data: _flip(data, 42), [1, 2]),
    ("cut off in the second, as by a power cut", lambda data: data[:-3], [1, 2]),
    ("cut off after the first", lambda data: data[:36], [1, 2]),
    ("the second alone", lambda data: data[36:], []),
    ("the records exchanged", lambda data: data[36:] + data[:36], []),
    ("something behind", lambda data: data + b"x" * 40, [1, 2, 3]),
    ("an empty record without a seal behind", lambda data: data + bytes(20), [1, 2, 3]),
    ("a count beyond the file", lambda data: struct.pack("<I", 0xFFFFFFFF) + data[4:], []),
    ("nothing", lambda _data: b"", []),
    ("anything", lambda data: os.urandom(len(data)), []),
]


@pytest.mark.parametrize(("forge", "believed"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_only_what_is_sealed_is_believed(tmp_path: Path, forge: Callable[[bytes], bytes], believed: list[int]) -> None:
    path = tmp_path / "searched"
    note(path, 1, 2)
    note(path, 3)
    path.write_bytes(forge(path.read_bytes()))
    assert known(path, range(5)) == believed
    note(path, 4)
    assert known(path, range(5)) == [*believed, 4], "and what comes after is kept"


IN_ITS_PLACE: Sequence[tuple[str, Callable[[Path], object], bool]] = [
    # what, how, whether the memory can be kept again
    ("a pipe", os.mkfifo, True),
    ("a link", lambda path: path.symlink_to("/dev/zero"), True),
    ("a folder", lambda path: path.mkdir(), False),
    ("more than it ever has", lambda path: path.write_bytes(bytes(searched._MOST_BYTES + 1)), True),
    ("a folder where it is written anew", lambda path: path.with_name(path.name + ".new").mkdir(), False),
]


@pytest.mark.parametrize(("make", "kept"), [row[1:] for row in IN_ITS_PLACE], ids=[row[0] for row in IN_ITS_PLACE])
def test_something_else_in_its_place_never_raises(tmp_path: Path, make: Callable[[Path], object], kept: bool) -> None:
    path = tmp_path / "searched"
    make(path)
    memory = open_memory(path)
    memory.note(state(1), VAULT)
    memory.save()
    assert memory.has(state(1), VAULT), "for this process"
    assert known(path, [1]) == ([1] if kept else [])


def test_a_file_that_was_changed_meanwhile_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "searched"
    note(path, 1)
    memory = open_memory(path)
    path.write_bytes(path.read_bytes() + b"x")
    memory.note(state(2), VAULT)
    memory.save()
    assert known(path, range(5)) == [1, 2]
    path.unlink()
    memory.note(state(3), VAULT)
    memory.save()
    assert known(path, range(5)) == [1, 2, 3]


def test_before_it_is_loaded_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "searched"
    note(path, 1, 2)
    SearchedFiles(path, KEY).save()
    assert known(path, range(5)) == [1, 2]


def test_a_full_memory_takes_no_more_and_forgets_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "_MOST", 100)
    path = tmp_path / "searched"
    note(path, *range(150))
    assert known(path, range(200)) == list(range(100))
    memory = open_memory(path)
    memory.begin_whole()
    for number in range(50, 120):  # the rest is gone
        if not memory.has(state(number), VAULT):
            memory.note(state(number), VAULT)
    memory.end_whole()
    assert memory.count == 70
    assert known(path, range(200)) == list(range(50, 120))
    assert path.stat().st_size == 70 * 8 + 20


def test_a_few_that_are_gone_are_not_worth_writing(tmp_path: Path) -> None:
    path = tmp_path / "searched"
    note(path, *range(100))
    before = path.stat().st_mtime_ns
    memory = open_memory(path)
    memory.begin_whole()
    assert all(memory.has(state(number), VAULT) for number in range(1, 100))
    memory.end_whole()
    assert path.stat().st_mtime_ns == before


def test_a_file_that_grew_by_many_small_records_is_written_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "_MOST_BYTES", 500)
    path = tmp_path / "searched"
    for number in range(40):
        note(path, number)
    assert path.stat().st_size <= 500
    assert known(path, range(50)) == list(range(40))


def test_entries_that_fall_on_one_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "_SLOTS", 64)
    monkeypatch.setattr(searched, "_MOST", 63)
    note(tmp_path / "searched", *range(63))
    assert known(tmp_path / "searched", range(200)) == list(range(63))


MOUNTS: Sequence[tuple[str, str, bool]] = [
    # what, mountinfo's line for the folder, whether its times are the kernel's
    ("a disk", "27 1 254:0 / {} rw - ext4 /dev/vda rw", True),
    ("memory", "27 1 0:31 / {} rw - tmpfs tmpfs rw", True),
    ("a server's disk", "27 1 0:31 / {} rw - nfs4 server:/home rw", False),
    ("a stick's file system", "27 1 254:0 / {} rw - vfat /dev/sdb1 rw", False),
    ("a program's", "27 1 0:60 / {} rw - fuse.sshfs host:/ rw", False),
    ("Windows shares", "27 1 0:60 / {} rw - cifs //host/share rw", False),
    ("an image on a loop device", "27 1 7:0 / {} rw - ext4 /dev/loop0 rw", False),
    ("a disk, and over it a program's", "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:60 / {} rw - fuse.x x rw", False),
    ("one place, mounted over", "27 1 254:0 / {0} rw - ext4 /dev/vda rw\n28 27 0:60 / {0} rw - fuse.x x rw", False),
    ("nothing known", "", False),
]


@pytest.mark.parametrize(("line", "is_honest"), [row[1:] for row in MOUNTS], ids=[row[0] for row in MOUNTS])
def test_only_where_the_kernel_alone_says_when_an_inode_changed(tmp_path: Path, line: str, is_honest: bool) -> None:
    devices = honest_devices([tmp_path], read_mounts(line.format(tmp_path)))
    assert (tmp_path.stat().st_dev in devices) == is_honest


def test_an_encrypted_stick_is_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a volume in an image, however many layers are between."""
    for above, below in (("253:1", "253:0"), ("253:0", "8:17"), ("253:3", "7:4"), ("253:4", "8:1")):
        (tmp_path / "sys" / above / "slaves" / "x").mkdir(parents=True)
        (tmp_path / "sys" / above / "slaves" / "x" / "dev").write_text(below + "\n")
    monkeypatch.setattr(searched, "_BLOCK_DEVICES", tmp_path / "sys")
    monkeypatch.setattr(searched, "is_removable", lambda device: device == "8:17")

    def is_honest(device: str) -> bool:
        mounted = read_mounts(f"27 1 {device} / {tmp_path} rw - ext4 /dev/mapper/x rw")
        return tmp_path.stat().st_dev in honest_devices([tmp_path], mounted)

    assert not is_honest("253:0")
    assert not is_honest("253:1")
    assert not is_honest("253:3")
    assert is_honest("253:4")
