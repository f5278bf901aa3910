"""Which process was it? Answers from /proc, without stopping anybody.

Rules:

- A process held in open() by a lease is found by its kernel wait channel (``__break_lease``), thread by thread: 30 of 30 measured.
- A process that got through is found by its open descriptors, newest process first; one that is gone already cannot be found.
- Command lines and the paths that held processes ask for are compared here and never reported: they hold people's file names.
- LIMIT: another account's wait channel and descriptors are not readable; such an opener is found by its command line or not at all.
- What other programs have open is looked at as the kernel knows it, and no file system is asked (`_inode_at`): one that a program of
  the account serves may never answer, and would hold the sensor that looks, and whoever waits for that.
- A child of ours shows our descriptors between fork and exec, and has our command line then: it is skipped, also where it begins its own
  program while it is looked at.

Source: proc(5); experiment E1.
"""

# ruff: noqa: PTH208 - a scan lists and stats thousands of entries; a Path for each doubles its time

from __future__ import annotations

import ctypes
import os
import platform
import struct
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vault.sensors import statx

Inode = tuple[int, int]  # (st_dev, st_ino)

# The system calls that a lease holds, and which argument is the path. Where the kernel has no symbol table, wchan is "0" and they tell.
_OPEN_CALLS = {
    "x86_64": {"2": 0, "76": 0, "85": 0, "257": 1, "437": 1},  # open, truncate, creat, openat, openat2
    "aarch64": {"45": 0, "56": 1, "437": 1},  # truncate, openat, openat2
}.get(platform.machine(), {})
_PATH_BYTES = 4096
_LIBC = ctypes.CDLL(None, use_errno=True)
_OPENAT2, _OPEN_HOW, _RESOLVE_NO_XDEV = 437, struct.Struct("QQQ"), 0x01  # openat2(2), the same number on every system
_PROC = Path("/proc")
_NEW_SECONDS = 30.0
_AT_ONCE_TICKS = 20  # hundredths of a second; on a busy machine a fork comes 0.1 s after the one before it


@dataclass(frozen=True, slots=True)
class Opener:
    """A process that touched the vault. `started` tells a re-used pid apart."""

    pid: int
    started: int
    process: str
    executable: str  # base name; empty when another account's
    uid: int
    how: str = ""  # empty: certain; else what makes it likely: command-line, wait-channel

    def is_likely(self, other: Opener) -> bool:
        """Whether both are one process; with a guess among them, whether they are one program started at once (rsync is three)."""
        if (self.pid, self.started) == (other.pid, other.started):
            return True
        guessed = bool(self.how or other.how)
        return guessed and (self.process, self.uid) == (other.process, other.uid) and abs(self.started - other.started) <= _AT_ONCE_TICKS

    def facts(self) -> tuple[tuple[str, str | int], ...]:
        """As facts of a signal."""
        facts: tuple[tuple[str, str | int], ...] = (("process", self.process), ("pid", self.pid), ("uid", self.uid))
        if self.executable:
            facts += (("executable", self.executable),)
        return (*facts, ("named_by", self.how)) if self.how else facts


def held_in_open(inode: Inode, own: Collection[int]) -> tuple[list[Opener], bool]:
    """Who is held in open() of the leased file now: (foreign openers, whether one of our own processes is). Takes 3 to 10 ms.

    Each process is asked which file it opens. Where the system does not let us (Yama, another account), it counts; and if other leases on
    this machine are being broken as well, `Opener.how` says that it is a guess.
    """
    held: list[tuple[Opener, bool]] = []
    ours = False
    crowded = _other_leases_breaking(inode)
    for pid in _pids():
        thread = next((one for one in _threads(pid) if _is_held(pid, one)), None)
        if thread is None:
            continue
        if pid in own:
            ours = True
            continue
        opens = _opens(pid, thread, inode)
        opener = _describe(pid)
        # one that was let go meanwhile waited for somebody else's lease: ours is still held
        if opener is not None and (opens or (opens is None and _is_held(pid, thread))):
            held.append((opener, bool(opens)))
    crowded = crowded or _other_leases_breaking(inode)
    return [opener if proven or not crowded else replace(opener, how="wait-channel") for opener, proven in held], ours


def holders(inodes: Collection[Inode], own: Collection[int], *, mapped: bool = False) -> list[Opener]:
    """Foreign processes that have one of `inodes` open now, newest first.

    Args:
        inodes: the files.
        own: our own processes.
        mapped: those count too that have one in their memory alone; takes some milliseconds more.
    """
    found = []
    for pid in _pids():
        if pid not in own and (_holds(pid, inodes) or (mapped and _maps(pid, inodes))) and not _is_fork_of(pid, own, inodes):
            opener = _describe(pid)
            if opener is not None:
                found.append(opener)
    return found


def mentioning(paths: Collection[Path], own: Collection[int]) -> list[Opener]:
    """Foreign processes with one of the files among their arguments, or the folder of the first; newest first.

    A process that only names the folder counts for its first half minute: shells and launchers name it all day.
    """
    files = {os.path.realpath(path) for path in paths}
    names = {Path(path).name for path in paths}
    folder = os.path.dirname(next(iter(files), "/"))  # noqa: PTH120 - compared as text
    found = []
    for pid in _pids():
        if pid in own:
            continue
        places = _argument_places(pid)
        names_file = any(place in files or (not place.startswith("/") and place.rpartition("/")[2] in names) for place in places)
        if not names_file and folder not in places:
            continue
        opener = _describe(pid)
        if opener is not None and (names_file or _age_seconds(opener) < _NEW_SECONDS):
            found.append(replace(opener, how="command-line"))
    return found


def own_descriptors() -> dict[Inode, int]:
    """How many descriptors this process has of each open regular file."""
    counts: dict[Inode, int] = {}
    for entry in os.listdir("/proc/self/fd"):
        if (inode := _inode_at(f"/proc/self/fd/{entry}")) is not None:
            counts[inode] = counts.get(inode, 0) + 1
    return counts


def own_descriptor(path: Path) -> int | None:
    """The lowest descriptor this process has open on `path`, None if there is none. Opens nothing."""
    try:
        wanted = path.stat()
    except OSError:
        return None
    for entry in sorted(os.listdir("/proc/self/fd"), key=int):
        if _inode_at(f"/proc/self/fd/{entry}") == (wanted.st_dev, wanted.st_ino):
            return int(entry)
    return None


def _argument_places(pid: int) -> list[str]:
    """The arguments as paths, ``if=`` and the like cut off; relative ones against the working directory if that can be read."""
    arguments = [os.fsdecode(argument) for argument in _read(pid, "cmdline").split(b"\0")[1:] if argument]
    if not arguments:
        return []
    try:
        base = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except OSError:
        base = ""
    # cut off what comes before a path: dd's if=, an option's --file=
    return [os.path.normpath(os.path.join(base, argument.rpartition("=")[2])) for argument in arguments]  # noqa: PTH118


def _other_leases_breaking(inode: Inode) -> bool:
    """Whether /proc/locks has a lease being broken on another file."""
    try:
        lines = Path("/proc/locks").read_bytes().decode("ascii", "replace").splitlines()
    except OSError:
        return True
    ours = f":{inode[1]}"
    return any(" BREAKING " in line and not line.split()[-3].endswith(ours) for line in lines)


def _opens(pid: int, thread: str, inode: Inode) -> bool | None:
    """Whether the file that a held thread wants is `inode`; None if we may not look."""
    fields = _read(pid, f"task/{thread}/syscall").decode("ascii", "replace").split()
    place = _OPEN_CALLS.get(fields[0]) if fields else None
    if place is None or len(fields) <= place + 1:
        return None
    folder_no = ctypes.c_int(int(fields[1], 16) & 0xFFFFFFFF).value if place else statx.AT_FDCWD
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
            memory.seek(int(fields[1 + place], 16))
            wanted = os.fsdecode(memory.read(_PATH_BYTES).partition(b"\0")[0])
        base = (
            f"/proc/{pid}/root"
            if wanted.startswith("/")
            else f"/proc/{pid}/cwd"
            if folder_no == statx.AT_FDCWD
            else f"/proc/{pid}/fd/{folder_no}"
        )
        found = _inode_within(base, wanted, inode[0])
    except (OSError, ValueError, OverflowError):
        return None
    return None if found is None else found == inode


def _inode_within(base: str, path: str, device: int) -> Inode | None:
    """Which file a path leads to from a folder given by one of the kernel's links, without a look at any file system but `device`.

    None where it leads over another one: the path may have been changed since, to where nobody answers.
    """
    start = _inode_at(base)
    if start is None or start[0] != device:
        return None
    folder = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        how = _OPEN_HOW.pack(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_NO_XDEV)
        found = _LIBC.syscall(_OPENAT2, folder, os.fsencode(path.lstrip("/") or "."), how, len(how))
        if found < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(folder)
    try:
        return _inode_at(f"/proc/self/fd/{found}")
    finally:
        os.close(found)


def _inode_at(link: str) -> Inode | None:
    """Which file one of the kernel's own links leads to (``/proc/PID/fd/N``), as it is known here: its file system is not asked."""
    try:
        known = statx.ask(link, statx.INODE, statx.DONT_SYNC)
    except OSError:
        return None
    return known.st_dev, known.st_ino


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
    return any(_inode_at(f"/proc/{pid}/fd/{entry}") in inodes for entry in entries)


def _maps(pid: int, inodes: Collection[Inode]) -> bool:
    """Whether a process has one of `inodes` mapped. LIMIT: a file system with devices of its own for its parts (btrfs) shows others."""
    try:
        with open(f"/proc/{pid}/maps", "rb", buffering=0) as file:  # noqa: PTH123
            lines = file.readall().splitlines()
    except OSError:
        return False
    wanted = {b"%02x:%02x %d" % (os.major(device), os.minor(device), number) for device, number in inodes}
    return any(b" ".join(line.split(None, 5)[3:5]) in wanted for line in lines)


def _is_fork_of(pid: int, own: Collection[int], inodes: Collection[Inode]) -> bool:
    """Whether what a child shows is its parent's: its own program has not begun, or began just now and shows none of `inodes` any more."""
    parent = _stat_field(pid, "stat", 3)
    if not parent.isdecimal() or int(parent) not in own:
        return False
    return _read(pid, "cmdline") in (b"", _read(int(parent), "cmdline")) or not _holds(pid, inodes)


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
