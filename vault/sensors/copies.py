"""A copy of the vault appears in a watched folder, under any name (V55, V56).

Rules:

1. What a copy is known by is in `fingerprint`: salts, the vault's id, words. Its first bytes are looked at at once, the rest soon after: a
   few samples, then the whole file up to `_WHOLE_BYTES`, more samples beyond. A file that grows is read on from where it was left.
2. Folders are watched recursively by watchdog's inotify reader, one watch a folder, added by ourselves: watchdog's `Observer` swallows a
   reached watch limit below its root and holds moves back for half a second. A file is looked at when it is created, moved in or closed
   after writing, and again while it is still shorter than a salt.
3. Of everything already there the first bytes are looked at once after the start, at the lowest priority and in small steps, after the
   watch is on; then, and once a day, the inside, the newest change first. What was searched and has not changed is passed over, also by
   the next processes (`SearchedFiles`). What arrives meanwhile goes first.
4. A watched folder that does not exist yet is waited for at its nearest existing parent; one that goes is waited for again.
5. At most `_MAX_DEPTH` levels and `_MAX_FOLDERS` folders; beyond that the status says ``partly``. At the kernel's limit, which a program
   of the account may bring about, that is a signal as well; what is there is looked at all the same, and a watch asked for at each test.
6. A lost event (queue overflow, or more than `_MOST_TASKS` that wait) means looking at everything again.
7. A link to the vault's own inode is recognised by number and never opened: closing it would drop SQLite's locks in this process.
   Links are not followed; nothing but regular files is opened.
8. One signal a copy, whatever it is renamed to. `CopyMemory` remembers over restarts which copies are in a committed report, under a
   key, so that nobody can write himself out of a report; the runtime calls `confirm` when a report is committed.

9. What is mounted or unmounted after the start, in, over or outside a watched folder, is told by `look_again` (the media sensor does):
   the place is watched anew, and what is there counts as arriving.
10. Where the vault's file system keeps snapshots, the status says ``snapshots``: they hold the vault's files and are not searched.

LIMIT: of a file that was there before, `_OLD_WHOLE_BYTES` are read whole, and samples beyond.
LIMIT: re-coded copies (see `fingerprint`); of a file appended to by a program that keeps it open, the end is looked at when it is closed.
LIMIT: other vaults' files below a watched folder are opened like any other, and their desks report it: that a file is another vault's
cannot be believed before its bytes have been seen.

Thread: one of watchdog (reads events), one ``copies`` (looks at files). Source: inotify(7), watchdog 7.
"""

from __future__ import annotations

import ctypes
import errno
import heapq
import logging
import os
import platform
import queue
import secrets
import stat
import sys
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vault import reach
from vault.domain.breach import Signal, SignalKind, gone_blind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors import mounts, processes, statx
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.copy_memory import CopyMemory
from vault.sensors.fingerprint import OVERLAP_BYTES, SALT_BYTES, Fingerprint
from vault.sensors.folder_watches import Task, Watches
from vault.sensors.processes import Inode
from vault.sensors.searched import SearchedFiles, honest_devices

_log = logging.getLogger(__name__)

_HEAD_BYTES = 4096
_MIB = 1 << 20
_CHUNK_BYTES = _MIB // 2  # the interpreter is held for no longer than a search of this takes
_WHOLE_BYTES = 2048 * _MIB  # of a file that arrives
_OLD_WHOLE_BYTES = 64 * _MIB  # of one that was there
_SAMPLES = (0.0, 0.31, 0.5, 0.83)
_SAMPLES_BEYOND = 64
_GROWING_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
_MOST_LEFT = 512
_MOST_WAITING = 5000
_MOST_TASKS = 20_000
_NO_WATCH = frozenset({errno.ENOSPC, errno.ENOMEM})
_NEWEST = 32_768  # so many paths are held at a time, 10 MB
_SAVE_SECONDS = 5.0
_DAY_SECONDS = 86_400.0
_BLOCKS_SECONDS = 60.0
_CLOCK_GRAIN_NS = 2_000_000_000
_MAX_DEPTH = 12
_MAX_FOLDERS = 20_000
_MAX_REMEMBERED = 10_000
_SCAN_STEP = 64
_TASKS_A_STEP = 16
_SEARCH_SECONDS = 0.003
_SCAN_PAUSE_SECONDS = 0.004
_REST_OF_OLD = 5.0  # times what was spent of the processor on what has long been there
_RETRY_SECONDS = (0.01, 0.04, 0.15, 0.5)
_PROBE_SECONDS = 1.5
_PROBE_FOLDER = ".probe"  # in the vault's folder, which is not watched otherwise; of every sensor that watches for copies of this vault
_FRESH_SECONDS = 1.0
_IDLE_CLASS = 3


@dataclass(frozen=True, slots=True)
class _Left:
    """How far a growing file has been read, and what tells that it is still the same up to there."""

    offset: int
    head: bytes
    tail: bytes  # the last bytes before the offset


_Old = tuple[int, int, int, str]  # when a file's inode last changed, in ns; its device and number; its path


class CopiesSensor:
    """Recognises copies of the vault in watched folders.

    Args:
        fingerprint: how a copy is known; asked on this sensor's thread alone.
        folders: what to watch, ``~`` expanded by the caller; need not exist.
        skip: the vault's own folder, never looked into.
        own_files: the vault's own files; a link to one of them is a finding by its inode.
        beside: told of every new file and its first bytes, on the looking thread.
        memory: what is in reports already, None: every start reports old copies anew.
        searched: what was searched already, None: every start searches everything. Used on the looking thread alone.
        searches_daily: whether the inside of what was there before is searched too; of what arrives it always is.
    """

    def __init__(
        self,
        fingerprint: Fingerprint,
        folders: Sequence[Path],
        skip: Path,
        *,
        own_files: Sequence[Path] = (),
        memory: CopyMemory | None = None,
        searched: SearchedFiles | None = None,
        beside: Callable[[Path, bytes], None] | None = None,
        searches_daily: bool = True,
    ) -> None:
        self._beside = beside
        self._searches_daily = searches_daily
        self._fingerprint = fingerprint
        self._folders = tuple(folders)
        self._skip = Path(os.path.realpath(skip))
        self._below_skip = f"{self._skip}{os.sep}"
        self._kernel_folders: frozenset[str] = frozenset()  # where the kernel shows itself as files: nothing can be copied there
        self._own_files = tuple(own_files)
        self._memory = memory
        self._searched = searched
        self._honest: frozenset[int] = frozenset()  # devices on which what was searched can be remembered
        self._save_at = 0.0
        self._emit: Emit = _drop
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Task]] = []
        self._order = 0
        self._scans: list[Iterator[None]] = []  # under way, the most urgent last
        self._found: set[str] = set()  # copies signalled by this process
        self._own_inodes: dict[Path, Inode] = {}  # as last seen: a file moved out keeps its number
        self._fresh_until = 0.0
        self._blocks_until = 0.0
        self._insides: dict[Path, Task] = {}  # files to be read, in the order they came
        self._left: dict[Inode, _Left] = {}
        self._deep_at = 0.0
        self._patient: Iterator[None] | None = None  # the scan or search of what was there before; what arrives goes first
        self._rest_of_patient = 1.0  # times what was spent of the processor on it
        self._partly = False
        self._refused: Path | None = None  # a folder for which the kernel had no watch
        self._snapshots = False
        self._events_lost = False
        self._looks_through = False
        self._watching: Watches | None = None
        self._places: list[Path] = []  # media outside the watched folders
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._probe_salt = b""
        self._probe_folder: Path | None = None
        self._probe_seen = threading.Event()

    @property
    def protection(self) -> Protection:
        """COPIES."""
        return Protection.COPIES

    def start(self, emit: Emit) -> None:
        """Watch; folders are added and looked through on the sensor's own thread."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._ending.clear()
        self._partly = self._events_lost = self._looks_through = False
        self._refused = None
        self._snapshots = self._keeps_snapshots()
        self._fresh_until = self._blocks_until = self._deep_at = 0.0
        self._places.clear()
        self._found.clear()
        self._see_own_files()
        try:
            self._watching = Watches(self._take)
            probe_folder = self._skip / _PROBE_FOLDER
            probe_folder.mkdir(mode=reach.folder_mode(), exist_ok=True)
            self._probe_folder = probe_folder
            self._watching.add(probe_folder)
            thread = threading.Thread(target=self._run, name="copies", daemon=True)
            thread.start()
        except (OSError, RuntimeError) as error:  # or the account may have no thread more
            _log.warning("no inotify: %s", error.errno if isinstance(error, OSError) else "no thread")
            self._close()
            return
        self._thread = thread

    def stop(self) -> None:
        """Stop looking."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            self._tasks.put(Task("end"))
            thread.join()
            self._close()

    def self_test(self) -> ProtectionStatus:
        """Let a random file appear in a folder of our own and wait until the sensor has recognised it by its first bytes."""
        if sys.platform != "linux":
            return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "not-on-this-system")
        thread = self._thread
        if thread is None or not thread.is_alive() or self._probe_folder is None:
            return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "not-watching")
        self._probe_seen.clear()
        self._probe_salt = secrets.token_bytes(SALT_BYTES)
        if not self._probe(self._probe_folder / secrets.token_hex(4)):
            return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "blind")
        self._try_refused()
        reason = "partly" if self._partly else "snapshots" if self._snapshots else "watched"
        return ProtectionStatus(self.protection, ProtectionState.DETECTED, reason)

    def _try_refused(self) -> None:
        """Where the kernel had no watch to give, see whether it has one now; then everything is watched and looked at again."""
        refused, watching = self._refused, self._watching
        if refused is None or watching is None:
            return
        try:
            watching.add(refused)
        except OSError as error:
            if error.errno in _NO_WATCH:
                return
        watching.drop_tree(refused)  # it may have been wanted for a missing folder's sake alone: that is found out anew
        self._refused, self._partly = None, False
        self._tasks.put(Task("rescan"))

    def look_again(self, place: Path) -> None:
        """Something was mounted at `place`, or what was mounted there went: watch and search it anew. From any thread.

        Args:
            place: as the kernel calls it, without links. It is not looked at here: who serves it may never answer.
        """
        self._tasks.put(Task("again", place))

    def confirm(self, signal: Signal) -> None:
        """The report of a signal is committed: do not report that copy again at the next start. From any thread."""
        if self._memory is not None:
            try:
                self._memory.note(signal)
            except OSError as error:
                _log.warning("a reported copy cannot be remembered: errno %s", error.errno)

    def _probe(self, probe: Path) -> bool:
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.write(descriptor, self._probe_salt)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        seen = self._probe_seen.wait(_PROBE_SECONDS)
        probe.unlink(missing_ok=True)
        return seen

    # ---- the looking thread ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)  # Linux: this thread alone
        with suppress(OSError):
            _be_idle_on_disk()
        self._look_through_all(self._read_memory())
        while not self._ending.is_set():
            rested_at = self._search_a_little() + time.monotonic()
            self._remember()
            for _ in range(_TASKS_A_STEP):  # however busy the folders are, the search goes on
                task = self._next_task(max(0.0, rested_at - time.monotonic()) if self._scans or self._insides else None)
                if task is None or self._ending.is_set():
                    break
                self._do(task)
                if self._insides and (not self._scans or self._scans[-1] is self._patient):
                    break  # what arrived does not wait for the rest after what was there
        if self._searched is not None:
            self._searched.save()

    def _remember(self) -> None:
        """Now and then write down what was searched: the process may be ended at any time."""
        if self._searched is not None and self._scans and time.monotonic() >= self._save_at:
            self._searched.save()
            self._save_at = time.monotonic() + _SAVE_SECONDS

    def _search_a_little(self) -> float:
        """Go on with the most urgent search for some milliseconds; say how many seconds to rest then."""
        if not self._scans or (self._insides and self._scans[-1] is self._patient):
            self._find_work()
        rest = self._rest_of_patient if self._scans and self._scans[-1] is self._patient else 1.0
        began, used = time.monotonic(), time.thread_time()
        while self._scans and time.monotonic() - began < _SEARCH_SECONDS and not self._ending.is_set():
            if next(self._scans[-1], self) is self:
                self._scans.pop()
                break
        # time that others had the processor is not rested for again: on a busy machine the search would hardly go on
        return max(_SCAN_PAUSE_SECONDS, time.monotonic() - began, (time.thread_time() - used) * rest)

    def _find_work(self) -> None:
        """Take the oldest file whose inside was not read; when there is nothing to do at all, begin the daily search."""
        now = time.monotonic()
        if self._insides:
            path = next(iter(self._insides))
            self._scans.append(self._read_inside(self._insides.pop(path), _WHOLE_BYTES))
        elif now >= self._deep_at:
            self._deep_at = now + _DAY_SECONDS
            if self._searches_daily:
                self._patient, self._rest_of_patient = self._search_everything(), _REST_OF_OLD
                self._scans.append(self._patient)
        if self._scans and now >= self._blocks_until:
            self._blocks_until = now + _BLOCKS_SECONDS
            self._scans.append(self._fingerprint.read_blocks())

    def _next_task(self, pause_seconds: float | None) -> Task | None:
        """The next due task; waits for one, or only a moment while a search wants to go on."""
        now = time.monotonic()
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        wait = pause_seconds if pause_seconds is not None else max(0.0, self._deep_at - now)
        if self._later:
            wait = min(wait, self._later[0][0] - now)
        try:
            return self._tasks.get(timeout=wait)
        except queue.Empty:
            return None

    def _do(self, task: Task) -> None:
        if task.what == "file":
            self._look(task)
        elif task.what == "inside":
            self._insides.setdefault(task.path, task)
        elif task.what == "folder":
            for _ in self._add_tree(task.path, self._depth_of(task.path), new=True):
                if self._ending.is_set():
                    return
        elif task.what == "again":
            self._scans.append(self._look_anew(task.path))  # the newest first: a stick is searched while the home still is
        elif task.what == "gone":
            self._await_missing()
        elif task.what == "rescan":
            self._events_lost = True
            self._deep_at = 0.0  # a search that was under way, and what arrived unseen
            if self._looks_through:
                return  # once more when it is through: who has events lost again and again does not keep it from its end
            self._scans.clear()
            self._look_through_all(self._read_memory())
            self._blocks_until = 0.0  # the reading of them, too, may just have been given up

    def _take(self, task: Task) -> None:
        """An event. Of a storm of them the rest is not remembered one by one: everything is looked at when the others are done."""
        if self._tasks.qsize() < _MOST_TASKS:
            self._tasks.put(task)
        elif not self._events_lost:
            self._events_lost = True
            self._tasks.put(Task("rescan"))

    def _look_through_all(self, between: Iterable[None] = ()) -> None:
        self._looks_through = True
        # the places of now: what is on a medium that comes from here on arrives, `look_again` sees to it
        self._patient, self._rest_of_patient = self._look_until_nothing_is_lost((*self._folders, *self._places), between), 1.0
        self._scans.append(self._patient)

    def _look_until_nothing_is_lost(self, folders: Sequence[Path], between: Iterable[None]) -> Iterator[None]:
        while True:
            self._events_lost = False
            yield from self._look_through(folders, between)
            if not self._events_lost:
                break
            folders, between = (*self._folders, *self._places), ()
        self._looks_through = False

    def _read_memory(self) -> Iterator[None]:
        """Learn what earlier processes searched. That takes moments, but the watch comes first."""
        if self._searched is not None and not self._searched.is_loaded:
            yield from self._searched.load()

    def _look_through(self, folders: Sequence[Path], between: Iterable[None]) -> Iterator[None]:
        """Watch everything below the folders, do what is to be done `between`, then look at what is there, a step at a time."""
        self._see_mounts()
        for looking in (False, True):
            if looking:
                yield from between
            for folder in folders:
                yield from self._add_tree(Path(os.path.realpath(folder)), 0, new=False, looking=looking)
            self._await_missing()

    def _look_anew(self, place: Path) -> Iterator[None]:
        """Forget the watches at and below a place where the file system changed, and add what is there now."""
        assert self._watching is not None
        self._see_mounts()
        self._watching.drop_tree(place)
        inside = self._depth_of(place) <= _MAX_DEPTH
        if place in self._places:
            self._places.remove(place)
        if not inside and os.path.ismount(place):
            self._places.append(place)
        for root in (*self._folders, *self._places):
            real = Path(os.path.realpath(root))
            if real.is_relative_to(place):  # mounted over it
                yield from self._add_tree(real, 0, new=True)
        if inside:
            yield from self._add_tree(place, self._depth_of(place), new=True)
        self._await_missing()

    def _add_tree(self, folder: Path, depth: int, *, new: bool, looking: bool = True) -> Iterator[None]:
        assert self._watching is not None
        if self._is_skipped(folder) or not _is_folder(folder):
            return
        if depth > _MAX_DEPTH or self._watching.count >= _MAX_FOLDERS:
            self._partly = True
            return
        self._watch(folder)
        folders: list[Path] = []
        count = 0
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif looking and entry.is_file(follow_symlinks=False) and (new or not self._may_be_passed_over(entry)):
                        self._look(Task("file", Path(entry.path), new=new))
                    count += 1
                    if count % _SCAN_STEP == 0:
                        yield
        except OSError:
            return
        yield
        for below in folders:
            yield from self._add_tree(below, depth + 1, new=new, looking=looking)

    def _watch(self, folder: Path) -> None:
        """Watch one folder. One that has gone or may not be entered is none: nothing can be put there by us."""
        assert self._watching is not None
        try:
            self._watching.add(folder)
        except OSError as error:
            self._see_refusal(folder, error)

    def _see_refusal(self, folder: Path, error: OSError) -> None:
        """Tell once that the kernel has no watch more to give: a program of this account may have taken them all."""
        if error.errno not in _NO_WATCH:
            return
        self._partly = True
        if self._refused is None:
            self._refused = folder
            status = ProtectionStatus(self.protection, ProtectionState.DETECTED, "partly")
            self._emit(gone_blind(status, wall_clock_us()))

    def _await_missing(self) -> None:
        """Watch the nearest existing parent of every folder that is not there, or add the folder if it has come."""
        assert self._watching is not None
        for folder in self._folders:
            real = Path(os.path.realpath(folder))
            if _is_folder(real):
                if not self._watching.has(real):
                    self._tasks.put(Task("folder", real))
                continue
            parent = real.parent
            while not _is_folder(parent) and parent != parent.parent:
                parent = parent.parent
            try:
                self._watching.add_parent(parent)
            except OSError as error:
                self._see_refusal(parent, error)

    def _depth_of(self, folder: Path) -> int:
        for root in (*self._folders, *self._places):
            real = Path(os.path.realpath(root))
            if folder.is_relative_to(real):
                return len(folder.parts) - len(real.parts)
        return _MAX_DEPTH + 1

    def _is_skipped(self, path: Path) -> bool:
        name = str(path)
        if name in self._kernel_folders:
            return True
        return (path == self._skip or name.startswith(self._below_skip)) and path.parent != self._probe_folder

    # ---- one file ----------------------------------------------------------------------------------------------------------------

    def _look(self, task: Task) -> None:
        path = task.path
        try:
            status = path.lstat()
        except OSError:
            return
        if not stat.S_ISREG(status.st_mode) or self._is_skipped(path):
            return
        if (status.st_dev, status.st_ino) in self._own(task):
            self._signal(path, status, "linked", task)
            return
        descriptor = _open_quietly(path)
        try:
            self._look_at_head(task, descriptor)
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _look_at_head(self, task: Task, descriptor: int) -> None:
        """Look at the first bytes of an open file; of one that cannot be opened, number -1, again in a moment."""
        path = task.path
        head = _read_head(descriptor)
        if self._beside is not None and task.new:
            self._beside(path, head)
        if head[:SALT_BYTES] == self._probe_salt and path.parent == self._probe_folder:
            self._probe_seen.set()
        elif of := self._fresh().of_head(head):
            self._signal(path, os.fstat(descriptor), of, task, descriptor)
        elif len(head) < SALT_BYTES:
            if task.attempt < len(_RETRY_SECONDS) and task.new:
                self._again_in(_RETRY_SECONDS[task.attempt], Task("file", path, task.attempt + 1))
        elif task.new and len(self._insides) < _MOST_WAITING:
            self._insides[path] = Task("inside", path)
        elif task.new:
            self._deep_at = 0.0  # too much at once: all that changed is searched when there is time

    def _again_in(self, seconds: float, task: Task) -> None:
        self._order += 1
        heapq.heappush(self._later, (time.monotonic() + seconds, self._order, task))

    # ---- the inside of files -----------------------------------------------------------------------------------------------------

    def _search_everything(self) -> Iterator[None]:
        """Look inside everything that was not searched as it is now, the newest change first."""
        if self._searched is not None:
            self._searched.begin_whole()
        older_than: _Old | None = None
        while True:
            newest: list[_Old] = []
            for root in (*self._folders, *self._places):
                for old in self._unsearched_below(os.path.realpath(root), 0):
                    if old is None:
                        yield
                    elif older_than is None or old < older_than:
                        (heapq.heappush if len(newest) < _NEWEST else heapq.heappushpop)(newest, old)
            is_all = len(newest) < _NEWEST
            in_order = []
            while newest:
                in_order.append(heapq.heappop(newest))
                if len(in_order) % _SCAN_STEP == 0:
                    yield
            older_than = in_order[0] if in_order else None
            while in_order:
                yield from self._read_inside(Task("inside", Path(in_order.pop()[3]), new=False), _OLD_WHOLE_BYTES)
                yield
            if is_all:
                break
        if self._searched is not None:
            self._searched.end_whole()

    def _unsearched_below(self, folder: str, depth: int) -> Iterator[_Old | None]:
        """Regular files below a folder that must be searched; now and then None, so that nobody waits for long."""
        if depth > _MAX_DEPTH or self._is_skipped(Path(folder)):
            return
        folders: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    with suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        elif entry.is_file(follow_symlinks=False):
                            status = entry.stat(follow_symlinks=False)
                            if status.st_size >= SALT_BYTES and not self._was_searched(status):
                                yield status.st_ctime_ns, status.st_dev, status.st_ino, entry.path
                    if count % _SCAN_STEP == 0:
                        yield None
        except OSError:
            return
        for below in folders:
            yield from self._unsearched_below(below, depth + 1)

    def _may_be_passed_over(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file that was there is as it was when it was searched. Links to the vault's own files never were."""
        try:
            return self._searched is not None and self._was_searched(entry.stat(follow_symlinks=False))
        except OSError:
            return True  # gone

    def _was_searched(self, status: os.stat_result) -> bool:
        return self._searched is not None and status.st_dev in self._honest and self._searched.has(status, self._fresh().identity)

    def _read_inside(self, task: Task, most_bytes: int) -> Iterator[None]:
        """Look for parts of the vault anywhere in a file: samples, then the whole, as far as `most_bytes`, then samples again."""
        path = task.path
        identity = self._fresh().identity if self._fingerprint.is_whole else b""
        known_ns = min(time.time_ns(), self._fingerprint.read_ns)
        if not self._is_foreign(path, task):
            return  # before it is opened (rule 7)
        descriptor = _open_quietly(path)
        if descriptor < 0:
            return
        try:
            status = os.fstat(descriptor)
            inode = (status.st_dev, status.st_ino)
            if not stat.S_ISREG(status.st_mode) or inode in self._own_inodes.values():
                return
            head = os.pread(descriptor, OVERLAP_BYTES, 0) if task.new else b""
            offset = self._resumed_at(descriptor, inode, head, status.st_size) if task.new else 0
            of = ""
            for part in self._parts(descriptor, offset, status.st_size, most_bytes):
                of = part
                if of:
                    self._signal(path, status, of, task, descriptor, inside=True)
                    return
                yield
            after = os.fstat(descriptor)
            if offset == 0:  # nobody knows whether what was read earlier is still as it was then
                self._note_searched(status, after, known_ns, identity)
            if task.new and after.st_nlink:
                done = min(status.st_size, max(offset, most_bytes))
                self._left[inode] = _Left(done, head, os.pread(descriptor, OVERLAP_BYTES, max(0, done - OVERLAP_BYTES)))
                while len(self._left) > _MOST_LEFT:
                    self._left.pop(next(iter(self._left)))
                if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
                    wait = _GROWING_SECONDS[min(task.attempt, len(_GROWING_SECONDS) - 1)]
                    self._again_in(wait, Task("inside", path, task.attempt + 1))
        except OSError:
            return
        finally:
            os.close(descriptor)

    def _is_foreign(self, path: Path, task: Task) -> bool:
        """Whether a path is now a regular file that is not the vault's own, nor in a place that is not looked into."""
        try:
            status = path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in self._own(task) and not self._is_skipped(path)

    def _note_searched(self, before: os.stat_result, after: os.stat_result, known_ns: int, identity: bytes) -> None:
        """Remember a file that nobody changed while it was searched, nor since what it was compared with was read from the vault.

        A moment more: so that no later change has the same time.
        """
        if self._searched is None or not identity or before.st_dev not in self._honest:
            return
        if before.st_ctime_ns >= known_ns - _CLOCK_GRAIN_NS:
            return
        if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (after.st_size, after.st_mtime_ns, after.st_ctime_ns):
            self._searched.note(before, identity)

    def _resumed_at(self, descriptor: int, inode: Inode, head: bytes, size: int) -> int:
        """Where to read on in a file that was read before: its end then, if it only grew."""
        left = self._left.pop(inode, None)
        if left is None or size < left.offset or left.head != head:
            return 0
        if os.pread(descriptor, OVERLAP_BYTES, max(0, left.offset - OVERLAP_BYTES))[: len(left.tail)] != left.tail:
            return 0
        return max(0, left.offset - self._fingerprint.window_bytes)

    def _parts(self, descriptor: int, offset: int, size: int, most_bytes: int) -> Iterator[str]:
        """What each piece of a file is a part of: nothing, mostly."""
        window = self._fingerprint.window_bytes
        places: list[int] = []
        if size - offset > max(window, _CHUNK_BYTES):
            places += [offset + int((size - offset) * share) for share in _SAMPLES]
        if size > most_bytes:
            places += [size * number // _SAMPLES_BEYOND for number in range(1, _SAMPLES_BEYOND)]
        for place in places if self._fingerprint.knows_blocks else ():
            start = max(0, min(place - window // 2, size - window))
            yield "part" if self._fingerprint.has_block(os.pread(descriptor, window, start)) else ""
        end = min(size, max(offset, most_bytes))
        while offset < end:
            data = os.pread(descriptor, min(_CHUNK_BYTES, size - offset), offset)
            if not data:
                return
            yield self._fresh().within(data) or ("part" if self._fingerprint.has_block(data) else "")
            offset += max(1, len(data) - OVERLAP_BYTES) if offset + len(data) < end else len(data)

    def _signal(
        self, path: Path, status: os.stat_result, of: str, task: Task, descriptor: int | None = None, *, inside: bool = False
    ) -> None:
        inode = (status.st_dev, status.st_ino)
        if descriptor is not None:
            born_ns = _born_ns(descriptor, inode)  # by the file that was read: another may have its path by now
        else:
            own = [place for place, other in self._own_inodes.items() if other == inode]
            born_ns = next((born for place in (path, *own) if (born := _born_ns(place, inode))), 0)
        copy = f"{inode[0]}:{inode[1]}:{born_ns}"
        if copy in self._found or (self._memory is not None and copy in self._memory):
            return
        if len(self._found) >= _MAX_REMEMBERED:
            self._found.clear()
        self._found.add(copy)
        writers = processes.holders({inode}, {os.getpid()})[:1] if task.new and of != "linked" else []
        folder = str(path.parent)
        home = str(Path.home())
        shown = "~" + folder[len(home) :] if folder == home or folder.startswith(home + "/") else folder
        facts: tuple[tuple[str, str | int], ...] = (("name", path.name), ("folder", shown), ("bytes", status.st_size), ("of", of))
        facts += (("copy", copy), ("seen", "arriving" if task.new else "already-there"))
        facts += (("found", "inside"),) if inside else ()
        facts += writers[0].facts() if writers else ()
        self._emit(Signal(SignalKind.STORE_COPIED, wall_clock_us(), tuple((name, _readable(value)) for name, value in facts)))

    def _fresh(self) -> Fingerprint:
        """Ask once a second, not once a file."""
        if time.monotonic() >= self._fresh_until:
            self._fingerprint.refresh()
            self._see_own_files()
            self._fresh_until = time.monotonic() + _FRESH_SECONDS
        return self._fingerprint

    def _keeps_snapshots(self) -> bool:
        with suppress(OSError):
            return mounts.keeps_snapshots(self._skip, mounts.read_mounts())
        return False

    def _see_mounts(self) -> None:
        """Learn where nothing can be put, and where what was searched can be remembered."""
        mounted: Sequence[mounts.Mount] = ()
        with suppress(OSError):
            mounted = mounts.read_mounts()
        self._kernel_folders = frozenset(str(mount.place) for mount in mounted if mount.type in mounts.KERNEL_TYPES)
        self._honest = frozenset()
        if self._searched is not None:
            with suppress(OSError):
                self._honest = honest_devices([Path(os.path.realpath(root)) for root in self._folders], mounted)

    def _own(self, task: Task) -> Container[Inode]:
        """The vault's own files: as they are now for what arrives, as a second ago for each of the many that were there."""
        if task.new:
            return self._see_own_files()
        self._fresh()
        return self._own_inodes.values()

    def _see_own_files(self) -> set[Inode]:
        for path in self._own_files:
            with suppress(OSError):
                status = path.lstat()
                self._own_inodes[path] = (status.st_dev, status.st_ino)
        return set(self._own_inodes.values())

    def _close(self) -> None:
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        self._probe_folder = None  # it stays: the desk's sensor and the sentinel's both watch it, and one ends before the other
        self._tasks = queue.SimpleQueue()
        self._later.clear()
        self._scans.clear()
        self._insides.clear()
        self._left.clear()


def _open_quietly(path: Path) -> int:
    """Open a file to read, leaving its access time alone where we may; -1 if it cannot be opened."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        try:
            return os.open(path, flags | os.O_NOATIME)
        except PermissionError:
            return os.open(path, flags)  # another account's: its access time changes
    except OSError:
        return -1


def _is_folder(path: Path) -> bool:
    """Whether it is a folder and no link; also False where that cannot be told and `Path.is_dir` raises (EACCES, a dead mount)."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _read_head(descriptor: int) -> bytes:
    """The first bytes of a regular file; empty if it cannot be read."""
    try:
        return os.pread(descriptor, _HEAD_BYTES, 0)
    except OSError:
        return b""


def _readable(value: str | int) -> str | int:
    """A fact that can be written down: of a name that is not UTF-8, what is."""
    return os.fsencode(value).decode("utf-8", "replace") if isinstance(value, str) else value


def _be_idle_on_disk() -> None:
    """Let this thread read from disks only when nobody else does (ioprio_set(2), the idle class)."""
    number = {"x86_64": 251, "aarch64": 30}.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, 1, 0, _IDLE_CLASS << 13)


def _born_ns(place: int | Path, inode: Inode) -> int:
    """When a file was made: with the inode number it names a file for good. 0 where the file system does not keep it.

    Args:
        place: a descriptor of it; or a path, for one that must not be opened: 0 as well if another file is there by now.

    LIMIT: with 0, a new copy that gets the number of a reported and deleted one is taken for it.
    """
    wanted = statx.INODE | statx.BORN
    try:
        known = (
            statx.ask("", wanted, statx.EMPTY_PATH, place) if isinstance(place, int) else statx.ask(place, wanted, statx.SYMLINK_NOFOLLOW)
        )
    except OSError:
        return 0
    return known.born_ns if known.st_ino == inode[1] else 0


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
