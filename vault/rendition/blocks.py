"""Ranges of a document inside the worker: 256 KiB blocks, fetched from [V] when a parser touches them, a bounded number kept.

Rules:

- A block is fetched once while it is among the newest `BLOCKS_KEPT`; a document is never held whole.
- Reading on in order doubles the number of blocks per fetch, up to `messages.RANGE_BYTES_MAX`; a jump fetches one block.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from vault.rendition.messages import RANGE_BYTES_MAX

BLOCK_BYTES: Final = 256 * 1024
BLOCKS_KEPT: Final = 32

Fetch = Callable[[int, int], bytes]  # offset_bytes, length_bytes


class BlockReader:
    """A document as the parsers see it."""

    def __init__(self, size_bytes: int, fetch: Fetch, fetch_bytes_max: int | None = None) -> None:
        """Take the document's length, and how many bytes may be fetched; beyond them `read` gives nothing, as past a broken sector."""
        self.size_bytes: Final = size_bytes
        self._fetch = fetch
        self._fetch_bytes_left = fetch_bytes_max
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next_block = 0  # the block after the newest fetch
        self._run_blocks = 1  # how many to fetch if that is the next one asked for

    @property
    def spent(self) -> bool:
        """Whether as much was fetched as may be."""
        return self._fetch_bytes_left is not None and self._fetch_bytes_left <= 0

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        """Return up to `length_bytes` from `offset_bytes`; fewer at the end of the document."""
        end = min(offset_bytes + length_bytes, self.size_bytes)
        if offset_bytes >= end:
            return b""
        number, start = divmod(offset_bytes, BLOCK_BYTES)
        if (end - 1) // BLOCK_BYTES == number:
            return self._block(number)[start : start + end - offset_bytes]
        parts = [self._block(number)[start:]]
        for middle in range(number + 1, (end - 1) // BLOCK_BYTES):
            parts.append(self._block(middle))
        last = (end - 1) // BLOCK_BYTES
        parts.append(self._block(last)[: end - last * BLOCK_BYTES])
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            return self._fetch_from(number)
        self._blocks.move_to_end(number)
        return block

    def _fetch_from(self, number: int) -> bytes:
        self._run_blocks = min(self._run_blocks * 2, RANGE_BYTES_MAX // BLOCK_BYTES) if number == self._next_block and number else 1
        offset_bytes = number * BLOCK_BYTES
        if self.spent:
            return b""
        data = self._fetch(offset_bytes, min(self._run_blocks * BLOCK_BYTES, self.size_bytes - offset_bytes))
        if self._fetch_bytes_left is not None:
            self._fetch_bytes_left -= len(data)
        for index in range(0, len(data), BLOCK_BYTES):
            self._blocks[number + index // BLOCK_BYTES] = data[index : index + BLOCK_BYTES]
        self._next_block = number + (len(data) + BLOCK_BYTES - 1) // BLOCK_BYTES
        while len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return data[:BLOCK_BYTES]


class BlockFile(io.RawIOBase):
    """A `BlockReader` as a file object, for Pillow."""

    def __init__(self, reader: BlockReader) -> None:
        super().__init__()
        self._reader = reader
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Give the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; a position before the start is refused as any file refuses it."""
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._reader.size_bytes}[whence]
        if position < 0:
            raise ValueError("negative seek position")
        self._position = position
        return position

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, all that remain if negative."""
        data = self._reader.read(self._position, self._reader.size_bytes if size is None or size < 0 else size)
        self._position += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the document goes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
