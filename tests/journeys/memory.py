"""Keeps and searches the memory of running processes. Needs the right to read ``/proc/PID/mem``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)\s*(.*)$")
_STEP_BYTES = 8 * 1024 * 1024


def forms(word: str) -> tuple[bytes, ...]:
    """How a text lies in memory: UTF-8 (also Latin-1), UTF-16 (Qt), UTF-32 (Python's widest)."""
    return word.encode(), word.encode("utf-16-le"), word.encode("utf-32-le")


def keep_memory(pid: int, path: Path) -> None:
    """Write the writable memory of a process to a file, shared memory included."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory, path.open("wb") as kept:
        for start, end in _writable(pid):
            at = start
            while at < end:
                try:
                    memory.seek(at)
                    piece = memory.read(min(_STEP_BYTES, end - at))
                except OSError:
                    break  # a mapping that went away, or a device's
                if not piece:
                    break
                if piece.strip(b"\0"):
                    kept.write(piece)
                at += len(piece)


def count_in_file(path: Path, wanted: Mapping[str, Iterable[bytes]]) -> dict[str, int]:
    """Count the occurrences of each wanted thing: name -> byte strings that all mean it."""
    patterns = {name: [re.compile(re.escape(one)) for one in many] for name, many in wanted.items()}
    longest = max(len(one) for many in wanted.values() for one in many)
    counts = dict.fromkeys(wanted, 0)
    tail = b""
    with path.open("rb") as kept:
        while piece := kept.read(_STEP_BYTES):
            data = tail + piece
            for name, many in patterns.items():
                counts[name] += sum(1 for one in many for found in one.finditer(data) if found.end() > len(tail))
            tail = data[-(longest - 1) :]
    return counts


def _writable(pid: int) -> Iterable[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        found = _MAPPING.match(line)
        if found and "w" in found[3] and found[5] not in ("[vvar]", "[vsyscall]"):
            yield int(found[1], 16), int(found[2], 16)
