"""Which process was it? Answers from /proc, without stopping anybody.

Rules:

- A process held in open() by a lease is found by its kernel wait channel (``__break_lease``), thread by thread: 30 of 30 measured.
- A process that got through is found by its open descriptors, newest process first; one that is gone already cannot be found.
- Command lines are compared here and never reported: they hold people's file names.
- LIMIT: another account's wait channel and descriptors are not readable; such an opener is found by its command line or not at all.
- A child between fork and exec shows its parent's descriptors: it has its parent's command line and is skipped.

Source: proc(5); experiment E1.
"""

# ruff: noqa: PTH116, PTH208 - a scan lists and stats thousands of entries; a Path for each doubles its time

from __future__ import annotations

import os
import platform
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

Inode = tuple[int, int]  # (st_dev, st_ino)

# openat, open, creat, truncate, openat2: where the kernel has no symbol table, wchan is "0" and the system call tells instead.
_OPEN_CALLS = {"x86_64": {"257", "2", "85", "76", "437"}, "aarch64": {"56", "45", "437"}}.get(platform.machine(), set())
_PROC = Path("/proc")
_NEW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Opener:
    """A process that touched the vault. `started` tells a re-used pid apart."""

    pid: int
    started: int
    process: str
    executable: str  # base name; empty when another account's
    uid: int
    by_command_line: bool = False  # likely, not proven: its arguments name the file

    def facts(self) -> tuple[tuple[str, str | int], ...]:
        """As facts of a signal."""
        facts: tuple[tuple[str, str | int], ...] = (("process", self.process), ("pid", self.pid), ("uid", self.uid))
        if self.executable:
            facts += (("executable", self.executable),)
        return (*facts, ("named_by", "command-line")) if self.by_command_line else facts


def held_in_open(own: Collection[int]) -> tuple[list[Opener], bool]:
    """Who is held in open() by a lease now: (foreign openers, whether one of our own processes is). Takes 3 to 10 ms."""
    foreign: list[Opener] = []
    ours = False
    for pid in _pids():
        if not any(_is_held(pid, thread) for thread in _threads(pid)):
            continue
        if pid in own:
            ours = True
            continue
        opener = _describe(pid)
        if opener is not None:
            foreign.append(opener)
    return foreign, ours


def holders(inodes: Collection[Inode], own: Collection[int]) -> list[Opener]:
    """Foreign processes that have one of `inodes` open now, newest first."""
    found = []
    for pid in _pids():
        if pid not in own and _holds(pid, inodes) and not _is_fork_of(pid, own):
            opener = _describe(pid)
            if opener is not None:
                found.append(opener)
    return found


def mentioning(names: Collection[str], folder: Path, own: Collection[int]) -> list[Opener]:
    """Foreign processes whose command line ends an argument with one of the file names, or names the folder; newest first.

    A process that only names the folder counts for its first half minute: shells and launchers name it all day.
    """
    wanted = tuple(os.fsencode(name) for name in names)
    place = os.fsencode(folder)
    found = []
    for pid in _pids():
        if pid in own:
            continue
        arguments = _read(pid, "cmdline").split(b"\0")[1:]
        names_file = any(argument.endswith(wanted) for argument in arguments if argument)
        if not names_file and not any(argument.rstrip(b"/") == place for argument in arguments):
            continue
        opener = _describe(pid)
        if opener is not None and (names_file or _age_seconds(opener) < _NEW_SECONDS):
            found.append(replace(opener, by_command_line=True))
    return found


def own_descriptors() -> dict[Inode, int]:
    """How many descriptors this process has of each open regular file."""
    counts: dict[Inode, int] = {}
    for entry in os.listdir("/proc/self/fd"):
        try:
            status = os.stat(f"/proc/self/fd/{entry}")
        except OSError:
            continue
        inode = (status.st_dev, status.st_ino)
        counts[inode] = counts.get(inode, 0) + 1
    return counts


def own_descriptor(path: Path) -> int | None:
    """The lowest descriptor this process has open on `path`, None if there is none. Opens nothing."""
    try:
        wanted = path.stat()
    except OSError:
        return None
    for entry in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            status = os.fstat(int(entry))
        except OSError:
            continue
        if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
            return int(entry)
    return None


def _age_seconds(opener: Opener) -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - opener.started / os.sysconf("SC_CLK_TCK")


def _is_held(pid: int, thread: str) -> bool:
    channel = _read(pid, f"task/{thread}/wchan")
    if channel not in (b"0", b""):
        return b"break_lease" in channel
    if not _OPEN_CALLS or _stat_field(pid, f"task/{thread}/stat", 2) not in ("S", "D"):
        return False
    call = _read(pid, f"task/{thread}/syscall").split(b" ", 1)[0]
    return call.decode("ascii", "replace") in _OPEN_CALLS


def _pids() -> Iterator[int]:
    return iter(sorted((int(entry) for entry in os.listdir(_PROC) if entry.isdecimal()), reverse=True))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _holds(pid: int, inodes: Collection[Inode]) -> bool:
    try:
        entries = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for entry in entries:
        try:
            status = os.stat(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in inodes:
            return True
    return False


def _is_fork_of(pid: int, own: Collection[int]) -> bool:
    parent = _stat_field(pid, "stat", 3)
    return parent.isdecimal() and int(parent) in own and _read(pid, "cmdline") == _read(int(parent), "cmdline")


def _describe(pid: int) -> Opener | None:
    process = _read(pid, "comm").decode("utf-8", "replace").strip()
    started = _stat_field(pid, "stat", 21)
    if not process or not started.isdecimal():
        return None
    try:
        uid = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
    try:
        executable = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        executable = ""
    return Opener(pid, int(started), process, executable, uid)


def _stat_field(pid: int, name: str, index: int) -> str:
    """A field of stat, 0-based; counted after the closing bracket, because a process may call itself ``) S 1``."""
    _, _, rest = _read(pid, name).rpartition(b") ")
    fields = rest.split()
    return fields[index - 2].decode("ascii", "replace") if len(fields) > index - 2 else ""


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - thousands of reads a scan
            return file.read(4096) or b""
    except OSError:
        return b""
