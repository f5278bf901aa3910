"""The worker's ranges: right bytes, few fetches, bounded memory."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from vault.rendition.blocks import BLOCK_BYTES, BLOCKS_KEPT, BlockFile, BlockReader
from vault.rendition.messages import RANGE_BYTES_MAX

DATA = random.Random(3).randbytes(3 * BLOCK_BYTES + 12_345)


def reader_of(data: bytes) -> tuple[BlockReader, list[tuple[int, int]]]:
    fetched: list[tuple[int, int]] = []

    def fetch(offset_bytes: int, length_bytes: int) -> bytes:
        assert 0 < length_bytes <= RANGE_BYTES_MAX
        assert offset_bytes + length_bytes <= len(data)
        fetched.append((offset_bytes, length_bytes))
        return data[offset_bytes : offset_bytes + length_bytes]

    return BlockReader(len(data), fetch), fetched


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(DATA) + 10), st.integers(0, 2 * BLOCK_BYTES)), max_size=12))
def test_reads_give_the_bytes_of_the_document(ranges: list[tuple[int, int]]) -> None:
    reader, _ = reader_of(DATA)
    for offset_bytes, length_bytes in ranges:
        assert reader.read(offset_bytes, length_bytes) == DATA[offset_bytes : offset_bytes + length_bytes]


def test_no_more_is_fetched_than_may_be() -> None:
    whole, fetched = reader_of(DATA)
    reader = BlockReader(len(DATA), whole._fetch, fetch_bytes_max=BLOCK_BYTES + 1)
    assert (reader.read(0, 10), reader.spent) == (DATA[:10], False)
    assert (reader.read(BLOCK_BYTES, 10), reader.spent) == (DATA[BLOCK_BYTES : BLOCK_BYTES + 10], True)
    assert reader.read(3 * BLOCK_BYTES, 10) == b""
    assert reader.read(0, 10) == DATA[:10], "what was fetched is still there"
    assert sum(length for _, length in fetched) <= 3 * BLOCK_BYTES


def test_a_file_is_read_through_like_any_other() -> None:
    reader, fetched = reader_of(DATA)
    assert BlockFile(reader).read() == DATA
    assert sum(length for _, length in fetched) == len(DATA)


def test_a_block_is_fetched_once_and_reading_on_fetches_more_at_a_time() -> None:
    data = bytes(20 * BLOCK_BYTES)
    reader, fetched = reader_of(data)
    for offset_bytes in range(0, len(data), 1000):
        reader.read(offset_bytes, 1000)
    assert sum(length for _, length in fetched) == len(data)
    assert len(fetched) <= 8


def test_a_jump_fetches_one_block() -> None:
    reader, fetched = reader_of(bytes(20 * BLOCK_BYTES))
    for block in (0, 9, 4, 17):
        reader.read(block * BLOCK_BYTES + 5, 10)
    assert [length for _, length in fetched] == [BLOCK_BYTES] * 4


def test_a_bounded_number_of_blocks_is_kept() -> None:
    reader, _ = reader_of(bytes(3 * BLOCKS_KEPT * BLOCK_BYTES))
    reader.read(0, 2 * BLOCKS_KEPT * BLOCK_BYTES)
    assert len(reader._blocks) == BLOCKS_KEPT
