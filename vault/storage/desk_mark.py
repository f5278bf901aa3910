"""The mark a running desk leaves beside its vault, so that whoever has no key can tell that it was killed.

Rules of this module:

- One file of three words: what the desk is doing, its process, the boot it belongs to. No case, no person, no key.
- Made when the sensors of the vault process watch, changed when the first case file goes out or the last one comes back and when closing
  begins, taken away after the last file is closed. A mark whose process does not hold the vault's lock was left by one that was killed.
- Who holds the vault's lock is the only one that makes it. It sees first what the mark before says, and has that reported.

LIMIT: whoever can write into the folder can take it away or make one; a mark is a reason to report, never a reason to believe.

Thread: any, one at a time. Raises nothing: a vault that cannot leave a mark still opens, and the log says so.
"""

from __future__ import annotations

import enum
import logging
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vault.storage.durable import write_whole

MARK_NAME: Final = "desk.mark"

_LARGEST_BYTES: Final = 256
_WORDS: Final = 3
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_log = logging.getLogger(__name__)


class DeskState(enum.Enum):
    """What the desk was doing when it last said so."""

    WATCHING = "watching"  # its sensors watch, no case file is out
    CASE_OUT = "case-out"  # its sensors watch, and a case file is out
    ENDING = "ending"  # its sensors are being stopped


@dataclass(frozen=True, slots=True)
class DeskMark:
    """What a mark says. `same_boot`: it was made since the machine was started. `left_ns`: when, by the file: no two marks are alike."""

    state: DeskState
    pid: int
    same_boot: bool
    left_ns: int = field(default=0, compare=False)


def leave_mark(directory: Path, state: DeskState) -> None:
    """Say what this process, which holds the vault's lock, is doing."""
    try:
        write_whole(directory / MARK_NAME, f"{state.value} {os.getpid()} {_boot_id()}\n".encode("ascii"), replace=True)
    except OSError as error:
        _log.warning("no mark could be left: errno %s", error.errno)


def read_mark(directory: Path) -> DeskMark | None:
    """Read the mark; None if there is none, or something else stands in its place."""
    try:
        descriptor = os.open(directory / MARK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor opened without following a link
            words, left_ns = file.read(_LARGEST_BYTES).decode("ascii", "replace").split(), os.fstat(descriptor).st_mtime_ns
        if len(words) != _WORDS:
            return None
        return DeskMark(DeskState(words[0]), int(words[1]), words[2] == _boot_id(), left_ns)
    except (OSError, ValueError):
        return None


def take_mark_away(directory: Path) -> None:
    """The desk ended as it should, or what the mark says was reported."""
    with suppress(OSError):
        (directory / MARK_NAME).unlink()


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return "unknown"
