"""The memory page pictures cross in."""

from __future__ import annotations

import os

import pytest

from vault.errors import DefectError
from vault.services.page_memory import SLOT_BYTES, SLOT_COUNT, PageMemory


def test_both_ends_see_the_same_bytes_and_a_wipe_reaches_both() -> None:
    ours = PageMemory.create()
    theirs = PageMemory.from_descriptor(os.dup(ours.descriptor))
    for slot in range(SLOT_COUNT):
        with ours.view(slot) as written, theirs.view(slot) as read:
            written[-4:] = b"page"
            assert read[-4:] == b"page"
            assert len(read) == SLOT_BYTES
    ours.wipe(0)
    with theirs.view(0) as wiped, theirs.view(1) as kept:
        assert (bytes(wiped[-4:]), bytes(kept[-4:])) == (b"\0" * 4, b"page")
    theirs.close()
    ours.close()


def test_its_size_cannot_be_changed() -> None:
    memory = PageMemory.create()
    for size in (0, 3 * SLOT_BYTES):
        with pytest.raises(PermissionError):
            os.ftruncate(memory.descriptor, size)
    memory.close()


def test_it_is_backed_only_where_something_was_written() -> None:
    memory = PageMemory.create()
    with memory.view(1) as slot:
        slot[:8192] = bytes(range(256)) * 32
    assert os.fstat(memory.descriptor).st_blocks * 512 <= 3 * 4096
    memory.wipe()
    assert os.fstat(memory.descriptor).st_blocks == 0
    memory.close()


def test_a_descriptor_of_something_else_is_a_defect() -> None:
    read, write = os.pipe()
    for descriptor in (read, 10_000):
        with pytest.raises(DefectError, match="descriptor"):
            PageMemory.from_descriptor(descriptor)
    os.close(read)
    os.close(write)


def test_closing_with_a_view_still_held_is_not_an_error() -> None:
    memory = PageMemory.create()
    with memory.view(0) as slot:
        memory.close()
        assert slot[0] == 0
    memory.close()


@pytest.mark.parametrize("slot", [-1, SLOT_COUNT])
def test_there_are_two_slots(slot: int) -> None:
    memory = PageMemory.create()
    with pytest.raises(DefectError, match="slot"):
        memory.view(slot)
    memory.close()
