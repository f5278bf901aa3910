"""Which program is behind a client of the display, and who vouches for it.

Rules:

1. Vouched for: a program whose file belongs to root, lies in a system folder and can be written by nobody else, started without foreign
   libraries. The distribution vouches for it, and the officer cannot have made it.
2. Not vouched for, wherever it lies: a program known to capture the screen (`capture_tools`), and an interpreter or shell, which is
   whatever it is told to be.
3. The station's policy vouches for more: the path of a program, or of the script that an interpreter runs. A file that the officer can
   write may be named there too: that is the station's decision.
4. At the display nobody vouches for a relay either, for it is whoever connects to it: a program known as one (`screen`), and one that has
   no library of the display's protocol and therefore hands on what others say. Nor for one with a file of somebody else's among its code,
   whatever its environment still says of that, nor for one in a user namespace of its own, where the name of its file is what it likes.
5. A process of root's is the system's. Whoever is root is beyond what software on this workstation can promise.
6. Facts are the process's name and number, its executable's base name and SHA-256; never an argument, a path or a window's title.

7. No file is asked for that a program may serve (FUSE), for it may never answer: such a file has no SHA-256, and is the account's.
8. A process lives as long as a thread of it does: where the first one has ended, another one is looked at.

LIMIT: code put into a vouched-for program after it was looked at (a debugger, a plug-in folder) is seen when it is looked at again, and
code without a file is never seen.
LIMIT: a file that was deleted under a name that makers of code give theirs (`_CODE_MAKERS`) is taken for one of these.
LIMIT: a relay under another name that is made to load such a library is not told from a program of the desktop.
LIMIT: a process that made itself unreadable, or another account's, cannot be looked at: nobody vouches for it.

Source: proc(5), ld.so(8).
"""

from __future__ import annotations

import enum
import fnmatch
import hashlib
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vault.listener import names_itself
from vault.sensors import capture_tools, mounts, screen, system_files
from vault.sensors.capture_tools import Use
from vault.sensors.officers_view import looking_at_programs
from vault.sensors.statx import Known

_LIBRARY_VARIABLES = (b"LD_PRELOAD=", b"LD_AUDIT=", b"LD_LIBRARY_PATH=")
_CODE_MAKERS = (".gl??????", "orcexec.??????", "ffi??????")  # deleted at once: graphics drivers, media players, call-backs
_PROTOCOL_LIBRARIES = (b"/libxcb.so", b"/libX11.so")
_MAPS_MOST_BYTES = 16 << 20  # a browser's are some hundred kilobytes
_HASHED_MOST_BYTES = 64 * 1024 * 1024
_NOT_FILES = ("/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage")
_MOST_LINKS = 40  # path_resolution(7)
_MAPPED_FILE = 5  # the field of a line of maps
_SIGKILL_PENDING = 1 << 8
_DELETED = " (deleted)"
_STARTED_FIELD = 19  # of stat(5), counted after the closing bracket: starttime


class Standing(enum.Enum):
    """What is thought of a program at the screen."""

    VOUCHED = "vouched"
    CAPTURES = "captures"
    STRANGER = "stranger"
    GONE = "gone"  # it ended before it could be looked at


@dataclass(frozen=True, slots=True)
class Program:
    """A process as it was when it was looked at. `executable` is a base name, empty where it may not be read."""

    pid: int
    uid: int
    process: str
    executable: str
    standing: Standing
    why: str = ""  # for strangers: not-system, writable, interpreter, foreign-library, unreadable, remote, relay

    def facts(self) -> tuple[tuple[str, str | int], ...]:
        """As facts of a signal; reads the executable once more for its SHA-256."""
        facts: tuple[tuple[str, str | int], ...] = (("process", self.process), ("pid", self.pid), ("uid", self.uid))
        if self.executable:
            facts += (("executable", self.executable),)
        if digest := _sha256(self.pid):
            facts += (("sha256", digest),)
        return (*facts, ("because", self.why)) if self.why else facts


class Vouching:
    """Says who vouches for a process.

    Args:
        allowed: absolute paths that the station's policy vouches for.
        own_pids: our own processes.
    """

    def __init__(self, allowed: Collection[str], own_pids: Collection[int]) -> None:
        self._allowed = frozenset(os.path.realpath(one) for one in allowed)
        self._own_pids = frozenset(own_pids)
        self._system: dict[tuple[int, int, str], bool] = {}

    def allows(self, path: Path) -> bool:
        """Whether the station's policy vouches for the program at a path."""
        return str(path) in self._allowed

    def is_ours(self, pid: int) -> bool:
        """Whether a process is one of our own, or a child of one: between fork and exec it has its parent's descriptors."""
        parent = _read(pid, "stat", 4096).rpartition(b") ")[2].split()[1:2]
        return pid in self._own_pids or any(int(one) in self._own_pids for one in parent)

    @looking_at_programs()
    def look(self, pid: int, *, is_client: bool = False) -> Program:
        """Look at a process now; 0 is a client from the network. Takes some 0.1 ms.

        Args:
            is_client: it is connected to the display. Its mapped files are then read too, which takes the longer the more it has: some
                hundred kilobytes for a browser, never more than `_MAPS_MOST_BYTES`.
        """
        if pid == 0:
            return Program(0, -1, "", "", Standing.STRANGER, "remote")
        process, uid = _name_and_uid(pid)
        if uid is None:
            hides = not process and _is_somebodys(pid)  # it is there, and cannot be read: for want of descriptors, say
            return Program(pid, -1, process, "", *((Standing.STRANGER, "unreadable") if hides else (Standing.GONE, "")))
        if pid in self._own_pids:
            return Program(pid, uid, process, "", Standing.VOUCHED)
        thread = _living(pid)
        try:
            path = os.readlink(f"/proc/{thread}/exe").removesuffix(_DELETED)  # noqa: PTH115
            status = system_files.known(f"/proc/{thread}/exe")
        except FileNotFoundError:
            return Program(pid, uid, process, "", Standing.GONE)
        except OSError:
            return Program(pid, uid, process, "", *((Standing.VOUCHED, "") if uid == 0 else (Standing.STRANGER, "unreadable")))
        name = os.path.basename(path)  # noqa: PTH119
        standing, why = self._judge(thread, path, name, status)
        if is_client and standing is Standing.VOUCHED and not self._allows_process(thread, path):
            standing, why = _judge_client(thread, name)
        return Program(pid, uid, process, name, standing, why)

    def _judge(self, pid: int, path: str, name: str, status: Known) -> tuple[Standing, str]:
        why = self._doubt(pid, path, name, status)
        script = _script(pid) if why == "interpreter" else ""
        if path in self._allowed or (script and script in self._allowed):
            return Standing.VOUCHED, ""
        tool = capture_tools.known(name) or (capture_tools.known(os.path.basename(script)) if script else None)  # noqa: PTH119
        if tool is not None and (tool.use is not Use.IF_TOLD or capture_tools.names_a_screen(arguments(pid))):
            return Standing.CAPTURES, ""
        return (Standing.STRANGER, why) if why else (Standing.VOUCHED, "")

    def _allows_process(self, pid: int, path: str) -> bool:
        return path in self._allowed or (bool(self._allowed) and _script(pid) in self._allowed)

    def _doubt(self, pid: int, path: str, name: str, status: Known) -> str:
        """Why nobody vouches for a program; empty if the system does."""
        if not system_files.lies_in_system(path):
            return "not-system"
        key = (status.st_dev, status.st_ino, path)
        if key not in self._system:
            self._system[key] = system_files.is_systems(path, status)
        if not self._system[key] or (os.geteuid() != 0 and os.access(path, os.W_OK)):
            return "writable"
        if system_files.is_interpreter(name):
            return "interpreter"
        return "foreign-library" if _brings_libraries(pid) else ""


def recent(count: int) -> list[int]:
    """The pids of the newest processes, newest first. Numbers are given out again from below once the highest was (proc(5), pid_max)."""
    pids = [int(one) for one in os.listdir("/proc") if one.isdecimal()]  # noqa: PTH208
    with open("/proc/loadavg", "rb", buffering=0) as file:  # noqa: PTH123 - read every few milliseconds
        last = int(file.read(256).split()[-1])  # given out last: asked after the list, in which none can then be newer
    return sorted(pids, key=lambda pid: (pid > last, -pid))[:count]


def speaks_x11(pid: int) -> bool:
    """Whether a process has loaded a library that talks to the display."""
    maps = _read(pid, "maps", 1 << 20)
    return any(library in maps for library in _PROTOCOL_LIBRARIES)


def arguments(pid: int) -> list[str]:
    """A process's arguments, for comparing only: they are never reported."""
    return [os.fsdecode(one) for one in _read(pid, "cmdline", 1 << 16).split(b"\0")[1:]]


def executable(pid: int) -> str:
    """The base name of a process's executable, empty if it may not be read."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe").removesuffix(_DELETED))  # noqa: PTH115, PTH119
    except OSError:
        return ""


def anothers_name(pid: int) -> str:
    """The name of a process that another account started, and that may therefore not be looked at; empty for our account's own."""
    said = dict(line.split(b":", 1) for line in _read(pid, "status", 4096).splitlines() if b":" in line)
    if b"Uid" not in said or int(said[b"Uid"].split()[0]) == os.getuid():
        return ""
    return said[b"Name"].strip().decode("utf-8", "replace")


def _judge_client(pid: int, name: str) -> tuple[Standing, str]:
    """A program of the system's that is at the display: whether it speaks for itself there."""
    if screen.is_relay(name):
        return Standing.STRANGER, "relay"
    maps = _read(pid, "maps", _MAPS_MOST_BYTES)
    if names_itself(pid):
        return Standing.STRANGER, "not-system"
    if _has_foreign_code(maps):
        return Standing.STRANGER, "foreign-library"
    if not any(library in maps for library in _PROTOCOL_LIBRARIES):
        maps = _read(pid, "maps", _MAPS_MOST_BYTES)  # once more: of a process that ended meanwhile, only the beginning was read
    if any(library in maps for library in _PROTOCOL_LIBRARIES):
        return Standing.VOUCHED, ""
    if not maps:
        return (Standing.STRANGER, "unreadable") if executable(pid) else (Standing.GONE, "")
    return Standing.STRANGER, "relay"


def _script(pid: int) -> str:
    """The script an interpreter was started with, resolved; empty for ``-c``, ``-m`` and the like, and for one on a program's mount."""
    first = next(iter(arguments(pid)), "")
    if not first or first.startswith("-"):
        return ""
    try:
        base = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except OSError:
        return ""
    return _resolved(os.path.join(base, first))  # noqa: PTH118


def _resolved(path: str) -> str:
    """An absolute path without links; empty where it leads over a mount that a program serves, or in a circle."""
    served = mounts.programs_places()
    done, left = "", path.split("/")
    links = _MOST_LINKS
    while left:
        part = left.pop(0)
        if part in ("", "."):
            continue
        folder, done = done, done.rpartition("/")[0] if part == ".." else f"{done}/{part}"
        if done in served:
            return ""
        try:
            target = os.readlink(done or "/")  # noqa: PTH115
        except OSError:
            continue
        links -= 1
        if not links:
            return ""
        done, left = "" if target.startswith("/") else folder, target.split("/") + left
    return done


def _brings_libraries(pid: int) -> bool:
    """Whether a process was started with libraries that are not the system's."""
    for entry in _read(pid, "environ", 1 << 20).split(b"\0"):
        if entry.startswith(_LIBRARY_VARIABLES):
            places = entry.partition(b"=")[2].replace(b" ", b":").split(b":")
            if any(place and not _is_systems(os.fsdecode(place)) for place in places):
                return True
    return False


def _has_foreign_code(maps: bytes) -> bool:
    """Whether a file that is not the system's is mapped as code."""
    served: frozenset[str] | None = None
    code = {fields[5] for line in maps.splitlines() if len(fields := line.split(None, 5)) > _MAPPED_FILE and b"x" in fields[1]}
    for path in map(os.fsdecode, code):
        if not path.startswith("/") or path.startswith(_NOT_FILES):
            continue
        name = path.removesuffix(_DELETED)
        if name != path and any(fnmatch.fnmatchcase(os.path.basename(name), one) for one in _CODE_MAKERS):  # noqa: PTH119
            continue
        if not system_files.lies_in_system(name):
            served = served if served is not None else mounts.programs_places()
            if any(Path(name).is_relative_to(place) for place in served):
                return True
        try:
            if not system_files.only_roots(os.stat(name)):  # noqa: PTH116
                return True
        except OSError:  # replaced by an update, or deleted by who had it loaded
            if not system_files.lies_in_system(name):
                return True
    return False


def _is_systems(place: str) -> bool:
    if "/" not in place:
        return True  # looked for in the system's folders
    try:
        status = os.stat(place)  # noqa: PTH116
    except OSError:
        return True  # nothing is loaded from there
    return system_files.lies_in_system(os.path.realpath(place)) and system_files.only_roots(status)


def _name_and_uid(pid: int) -> tuple[str, int | None]:
    name, uid = "", None
    for line in _read(pid, "status", 4096).splitlines():
        if line.startswith(b"Name:"):
            name = line[5:].strip().decode("utf-8", "replace")
        elif line.startswith(b"State:") and b"Z" in line[6:9] and _living(pid) == pid:
            return name, None
        elif line.startswith(b"Uid:"):
            uid = int(line.split()[2])  # the effective one
            break
    return name, uid


def _is_somebodys(pid: int) -> bool:
    """Whether there is such a process, and it is not root's; opens nothing."""
    try:
        return os.lstat(f"/proc/{pid}").st_uid != 0
    except OSError:
        return False


def _living(pid: int) -> int:
    """The thread that answers for a process: its first, or where that has ended one that still runs and is not being ended."""
    if _read(pid, "stat", 4096).rpartition(b") ")[2][:1] not in (b"Z", b"X"):
        return pid
    with suppress(OSError):
        for thread in map(int, os.listdir(f"/proc/{pid}/task")):  # noqa: PTH208
            status = dict(line.split(b":", 1) for line in _read(thread, "status", 4096).splitlines() if b":" in line)
            ends = not status or status[b"State"].strip()[:1] in (b"Z", b"X") or int(status[b"SigPnd"], 16) & _SIGKILL_PENDING
            if thread != pid and not ends and os.path.lexists(f"/proc/{thread}/exe"):
                return thread
    return pid


def _sha256(pid: int) -> str:
    """Of a process's executable; empty for one that is gone, very large, or on a file system that may never answer."""
    if not _answers(pid):
        return ""
    digest = hashlib.sha256()
    left = _HASHED_MOST_BYTES
    with suppress(OSError), open(f"/proc/{_living(pid)}/exe", "rb", buffering=0) as file:  # noqa: PTH123
        while left > 0 and (part := file.read(1 << 20)):
            digest.update(part)
            left -= len(part)
        if left > 0:
            return digest.hexdigest()
    return ""


def _answers(pid: int) -> bool:
    """Whether the file system of a process's executable is one that is mounted here, and no program's."""
    try:
        file = system_files.known(f"/proc/{_living(pid)}/exe")
        of_file = f"{os.major(file.st_dev)}:{os.minor(file.st_dev)}"
        return any(not one.is_programs and (one.device == of_file or one.mount_id == file.mount_id) for one in mounts.read_mounts())
    except OSError:
        return False


def _read(pid: int, name: str, most_bytes: int) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - read every few milliseconds
            parts = bytearray()
            while len(parts) < most_bytes and (part := file.read(1 << 16)):
                parts += part
            return bytes(parts)
    except OSError:
        return b""


def age_seconds(pid: int) -> float:
    """How long ago a process was started; endless if it is gone."""
    fields = _read(pid, "stat", 4096).rpartition(b") ")[2].split()
    if len(fields) <= _STARTED_FIELD:
        return float("inf")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_STARTED_FIELD]) / os.sysconf("SC_CLK_TCK")


def for_another_display(pid: int, display: str) -> bool:
    """Whether a process was started for another display than `display` (a number); one that connects to ours is seen there."""
    for entry in _read(pid, "environ", 1 << 20).split(b"\0"):
        if entry.startswith(b"DISPLAY="):
            other = entry.partition(b"=")[2].rpartition(b":")[2].partition(b".")[0].decode("ascii", "replace")
            return bool(other) and other != display and not any(f":{display}" in one for one in arguments(pid))
    return False
