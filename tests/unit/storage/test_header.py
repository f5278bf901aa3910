"""The header file: one spelling, one HMAC, replaced whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.domain.identity import UnitId, VaultId, WorkstationId
from vault.errors import DefectError, TamperError, UnavailableError, VaultError
from vault.secret import Secret
from vault.storage import durable as durable_module
from vault.storage import header as header_module
from vault.storage.header import HEADER_NAME, LARGEST_BYTES, Header, read_unverified_header, write_header

KEY = Secret(b"\x07" * 32)
HEADER = Header(
    vault_id=VaultId("0f" * 16),
    station_name="Märzstraße 7 – North",
    generation=1,
    workstation_slots={WorkstationId("b" * 32): b"\x01" * 40, WorkstationId("a" * 32): bytes(range(60))},
    supervisors_unit_id=UnitId("c" * 32),
    supervisors_public_kem=b"\x99" * 48,
    argon2_memory_kib=262144,
    argon2_iterations=3,
    argon2_lanes=4,
    directory_roots=(b"\x11" * 32, b"\x22" * 32),
    directory_roots_signature=b"\x33" * 64,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / HEADER_NAME


def test_reads_back_what_was_written(path: Path) -> None:
    write_header(path, HEADER, KEY)
    unverified = read_unverified_header(path)
    assert unverified.vault_id == HEADER.vault_id
    assert unverified.workstation_slot(WorkstationId("a" * 32)) == bytes(range(60))
    assert unverified.workstation_slot(WorkstationId("d" * 32)) is None
    assert unverified.verify(KEY) == HEADER


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    station_name=st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    generation=st.integers(1, 2**62),
    slots=st.dictionaries(st.text("0123456789abcdef", min_size=32, max_size=32), st.binary(max_size=300), max_size=5),
    recovery=st.none() | st.binary(max_size=50),
)
def test_round_trip(tmp_path: Path, station_name: str, generation: int, slots: dict[str, bytes], recovery: bytes | None) -> None:
    path = tmp_path / HEADER_NAME
    path.unlink(missing_ok=True)
    header = dataclasses.replace(
        HEADER,
        station_name=station_name,
        generation=generation,
        workstation_slots={WorkstationId(name): slot for name, slot in slots.items()},
        recovery_slot=recovery,
        pinned_tang_keys=('{"kty":"EC"}',),
    )
    write_header(path, header, KEY)
    assert read_unverified_header(path).verify(KEY) == header


def test_every_changed_byte_is_refused(path: Path) -> None:
    write_header(path, HEADER, KEY)
    content = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for position, byte in enumerate(content):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes((byte ^ 1 << bit,)), position)
                with pytest.raises(VaultError) as refusal:
                    read_unverified_header(path).verify(KEY)
                assert refusal.value.code in {"header.damaged", "header.altered"}
            os.pwrite(file.fileno(), bytes((byte,)), position)
    assert read_unverified_header(path).verify(KEY) == HEADER


def test_every_truncation_is_damage(path: Path) -> None:
    write_header(path, HEADER, KEY)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(UnavailableError) as refusal:
            read_unverified_header(path)
        assert refusal.value.code == "header.damaged"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content + b"\n",
        lambda content: b" " + content,
        lambda content: content.replace(b'"generation":1', b'"generation": 1'),
        lambda content: content.replace(b'"generation":1', b'"generation":1,"generation":1'),
        lambda content: content.replace(b'"generation":1', b'"generation":1.0'),
        lambda content: content.replace(b'"generation":1', b'"generation":0'),
        lambda content: content.replace(b'"generation":1', b'"generation":1,"extra":2'),
        lambda content: content.replace(b'"format_version":1', b'"format_version":2'),
        lambda content: content + b" " * LARGEST_BYTES,
        lambda content: content * 2,
        lambda content: b"",
        lambda content: b"[]",
        lambda content: b"{" * 100_000,
        lambda content: b"\xff\xfe" + content,
    ],
)
def test_other_spellings_are_damage(path: Path, change: object) -> None:
    write_header(path, HEADER, KEY)
    content = path.read_bytes()
    altered = change(content)  # type: ignore[operator]
    assert altered != content
    path.write_bytes(altered)
    with pytest.raises(UnavailableError, match=r"header\.damaged"):
        read_unverified_header(path)


def test_another_key_is_refused(path: Path) -> None:
    write_header(path, HEADER, Secret(b"\x08" * 32))
    with pytest.raises(TamperError, match=r"header\.altered"):
        read_unverified_header(path).verify(KEY)


def test_an_older_header_is_authentic_and_its_generation_tells(path: Path) -> None:
    write_header(path, HEADER, KEY)
    old = path.read_bytes()
    write_header(path, dataclasses.replace(HEADER, generation=2), KEY)
    path.write_bytes(old)
    assert read_unverified_header(path).verify(KEY).generation == 1


def test_missing(path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"header\.missing"):
        read_unverified_header(path)


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_something_else_in_its_place_is_not_followed(path: Path, tmp_path: Path, kind: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_header(elsewhere, HEADER, KEY)
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(TamperError, match=r"header\.replaced"):
        read_unverified_header(path)


def test_written_for_the_owner_alone_and_nothing_left_behind(path: Path, tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        write_header(path, HEADER, KEY)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [HEADER_NAME]


def test_a_link_is_replaced_not_written_through(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"somebody else's")
    path.symlink_to(target)
    write_header(path, HEADER, KEY)
    assert target.read_bytes() == b"somebody else's"
    assert not path.is_symlink()


@pytest.mark.parametrize("generation", [1, 3])
def test_a_generation_is_never_written_twice(path: Path, generation: int) -> None:
    write_header(path, dataclasses.replace(HEADER, generation=3), KEY)
    with pytest.raises(DefectError, match=r"header\.generation"):
        write_header(path, dataclasses.replace(HEADER, generation=generation), KEY)


def test_a_header_too_large_is_never_written(path: Path) -> None:
    with pytest.raises(DefectError, match=r"header\.too-large"):
        write_header(path, dataclasses.replace(HEADER, station_name="x" * LARGEST_BYTES), KEY)
    assert not path.exists()


class FailingCalls:
    """Stands in for `os` where the header is read and written; the n-th call that touches the disk fails, as a full or dying disk does."""

    DISK_CALLS = frozenset({"open", "fsync", "rename"})

    def __init__(self, fail_at: int, number: int) -> None:
        self.fail_at, self.number, self.calls = fail_at, number, 0

    def __getattr__(self, name: str) -> object:
        real = getattr(os, name)
        if name not in self.DISK_CALLS:
            return real

        def counted(*args: object, **kwargs: object) -> object:
            self.calls += 1
            if self.calls == self.fail_at:
                raise OSError(self.number, "injected")
            return real(*args, **kwargs)

        return counted


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "storage.full"), (errno.EROFS, "storage.read-only"), (errno.EIO, "storage.input-output")]
)
@pytest.mark.parametrize("fail_at", [2, 3, 4, 5, 6])  # 1 reads the header on disk; then folder, file, sync, rename, sync
def test_a_failed_write_leaves_a_whole_header(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int, number: int, code: str
) -> None:
    write_header(path, HEADER, KEY)
    newer = dataclasses.replace(HEADER, generation=2)
    with monkeypatch.context() as patch:
        failing = FailingCalls(fail_at, number)
        for module in (header_module, durable_module):
            patch.setattr(module, "os", failing)
        with pytest.raises(UnavailableError) as refusal:
            write_header(path, newer, KEY)
    assert refusal.value.code == code
    assert read_unverified_header(path).verify(KEY).generation == (1 if fail_at < 6 else 2)
    assert [entry.name for entry in tmp_path.iterdir()] == [HEADER_NAME]


def test_leftovers_of_a_power_cut_are_swept_at_the_next_write(path: Path, tmp_path: Path) -> None:
    (tmp_path / f".{HEADER_NAME}.0011223344556677").write_bytes(b"half")
    write_header(path, HEADER, KEY)
    assert [entry.name for entry in tmp_path.iterdir()] == [HEADER_NAME]


def test_an_unverified_header_does_not_print_its_content(path: Path) -> None:
    write_header(path, HEADER, KEY)
    assert "North" not in repr(read_unverified_header(path))
