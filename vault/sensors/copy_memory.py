"""Which copies are already in a committed report, so that none is reported again at the next start.

Thread: any.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from pathlib import Path

from vault import reach
from vault.domain.breach import Signal, SignalKind

_TAG_BYTES = 16
_MOST_REMEMBERED_BYTES = 1 << 20  # some thirty thousand copies


class CopyMemory:
    """A file of keyed tags, appended to; a missing or damaged line only means that the copy is reported again.

    Args:
        path: in the vault's folder; made with mode 600.
        key: 32 bytes of the workstation's, derived from the vault key for this purpose alone.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._tags: set[str] = set()
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place is not waited for
            with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor opened without waiting
                self._tags.update(file.read(_MOST_REMEMBERED_BYTES).decode("ascii", "replace").split())

    def __contains__(self, copy: str) -> bool:
        """Whether this copy (the fact ``copy`` of its signal) is in a report."""
        return self._tag(copy) in self._tags

    def note(self, signal: Signal) -> None:
        """Remember the copy of a STORE_COPIED signal whose report is committed; other signals are ignored. From any thread.

        Raises:
            OSError: it cannot be written; the copy is reported again at the next start.
        """
        copy = dict(signal.facts).get("copy")
        if signal.kind is not SignalKind.STORE_COPIED or not isinstance(copy, str) or copy in self:
            return
        self._append(self._tag(copy))

    def _append(self, tag: str) -> None:
        self._tags.add(tag)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, reach.file_mode())
        try:
            os.write(descriptor, tag.encode("ascii") + b"\n")
        finally:
            os.close(descriptor)

    def _tag(self, copy: str) -> str:
        return hmac.digest(self._key, b"copy:" + copy.encode("ascii"), "sha256")[:_TAG_BYTES].hex()
