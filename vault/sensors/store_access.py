"""Another process opens, reads, moves, links or writes the vault's files (V50-V54).

Rules:

1. The register's descriptor carries a write lease: a foreign open is held by the kernel, its process named, the signal emitted, and only
   then is it let go: when the report is committed (`release`) or after `hold_ceiling_seconds`, whichever is first.
2. Every file is watched by inode as well, so a read through a hard link or after a rename is seen; the folder is watched for the rest.
3. inotify names nobody. An open is *ours* when this process has one more descriptor of the file than it had, or when it happened inside
   `expect_own_open`; it is *foreign* when another process is found holding the file, or when nothing explained it for `_GRACE_SECONDS`.
4. One signal a process within two seconds, however many of the files it opens; an opener that is gone already joins the running burst.
   One that has a file open or mapped since before the sensor began is looked for once, at the start: it reads what it likes, unheard.
5. STORE_CHANGED: linked, moved, moved back, replaced, deleted, created, or closed after being open for writing; one a file in two
   seconds. Fact ``act`` says which. A -wal that SQLite itself creates or deletes is not a change.
6. This process never opens and closes a watched file here: closing any descriptor of a database drops SQLite's locks on it.
7. DETECTED: reason ``lease`` while foreign opens are held, ``inotify`` while they are only seen. ENFORCED ``out-of-reach`` only where this
   process runs with a lent group and the kernel says that the account itself may neither enter the folder nor read a file in it.

LIMIT: a small file opened and closed by a foreign process during an `expect_own_open` block can go unseen. A raw read of the disk is not
seen. truncate(2) without an open is seen on the register only, by its lease.

Threads: ``store-access``, and ``store-holders`` for a moment at the start; `expect_own_open` also reads the queue on its caller's thread.
Source: inotify(7), F_SETLEASE(2const).
"""

from __future__ import annotations

import errno
import logging
import math
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from vault import reach
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors import inotify, processes
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.lease import WriteLease
from vault.sensors.processes import Inode, Opener, own_descriptor

__all__ = ["StoreAccessSensor", "own_descriptor"]

_log = logging.getLogger(__name__)

_FILE_MASK = inotify.OPEN | inotify.CLOSE_WRITE | inotify.CLOSE_NOWRITE | inotify.ATTRIB
_FOLDER_MASK = inotify.CREATE | inotify.DELETE | inotify.MOVED_FROM | inotify.MOVED_TO | inotify.MOVE_SELF | inotify.DELETE_SELF
_BURST_SECONDS = 2.0
_GRACE_SECONDS = 0.02  # IN_OPEN comes before the descriptor is in our table
_SETTLE_SECONDS = 0.1
_NAMING_SECONDS = 0.2
_WAITING_SECONDS = 0.1
_NAMELESS_SECONDS = 0.1  # a process that reads all the files is named by the next one it opens
_TICK_SECONDS = 0.25
_UNLEASED_TICK_SECONDS = 60.0
_RETRY_SECONDS = 0.02
_PROBE_SECONDS = 1.0
_SALT_BYTES = 16


@dataclass(slots=True)
class _File:
    """What is known of one watched path."""

    path: Path
    transient: bool  # SQLite creates and deletes it by itself
    watch: int = -1
    inode: Inode = (0, 0)
    links: int = 0
    own: int = 0  # descriptors of ours, as far as explained
    settling_until: float = 0.0  # SQLite has just created it and is opening it
    foreign: int = 0  # foreign opens that were not closed yet
    unexplained: list[float] = field(default_factory=list)  # when opens came that nothing has explained yet
    closed_early: int = 0  # unexplained opens that were closed meanwhile
    written_early: bool = False  # one of those had it open for writing
    probed: bool = False


class StoreAccessSensor:
    """Watches the vault's files from inside the process that has them open.

    Args:
        files: register.db, register.db-wal, content.db, content.db-wal, the header; all in one folder; a -wal need not exist.
        own_pids: the processes of this vault; their opens are not reported.
        lease_descriptor: the store's own descriptor of ``files[0]``, None while it is closed; see `own_descriptor`. None instead of the
            question: no lease is ever taken and nothing is polled, for whoever watches files it does not have open (the sentinel).
        hold_ceiling_seconds: the longest a foreign open is held for its report; never near the kernel's 45 s.
    """

    def __init__(
        self,
        files: Sequence[Path],
        own_pids: Callable[[], frozenset[int]],
        lease_descriptor: Callable[[], int | None] | None,
        *,
        hold_ceiling_seconds: float = 1.0,
    ) -> None:
        self._paths = tuple(files)
        self._own_pids = own_pids
        self._lease_descriptor = lease_descriptor
        self._hold_ceiling_seconds = hold_ceiling_seconds
        self._folder = self._paths[0].parent
        self._emit: Emit = _drop
        self._lock = threading.RLock()
        self._probing = threading.Condition(self._lock)
        self._files: dict[str, _File] = {}
        self._by_watch: dict[int, _File] = {}
        self._folder_watch = -1
        self._bursts: dict[Opener | None, float] = {}  # when each process (None: one without a name) was last noticed
        self._changes: dict[str, float] = {}
        self._nameless: tuple[float, str] | None = None
        self._salts: dict[Path, bytes] = {}
        self._kept: dict[Path, int] = {}  # descriptors opened for `descriptor_of`
        self._own_depth = 0
        self._opens_no_more = False
        self._break_probed: bool | None = None  # None: no probe is under way
        self._held_until = 0.0
        self._leased = False
        self._lease_retry_at = 0.0
        self._notify: inotify.Inotify | None = None
        self._lease: WriteLease | None = None
        self._thread: threading.Thread | None = None
        self._looking: threading.Thread | None = None
        self._ending = False
        self._wake_read = self._wake_write = -1

    @property
    def protection(self) -> Protection:
        """STORE_ACCESS."""
        return Protection.STORE_ACCESS

    def start(self, emit: Emit) -> None:
        """Watch. Start it after the store has opened its files; returns when the first lease was tried."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._ending = False
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with self._lock:
            try:
                self._notify = inotify.Inotify()
                self._folder_watch = self._notify.add(self._folder, _FOLDER_MASK)
            except OSError as error:
                _log.warning("no inotify: errno %s", error.errno)
                self._close()
                return
            for path in self._paths:
                file = _File(path, transient=path.name.endswith(("-wal", "-shm")))
                self._files[path.name] = file
                self._attach(file)
        ready = threading.Event()
        thread = threading.Thread(target=self._run, args=(ready,), name="store-access", daemon=True)
        looking = threading.Thread(target=self._look_for_holders, name="store-holders", daemon=True)
        try:
            looking.start()  # beside the other, which answers at once however many processes there are
            self._looking = looking
            thread.start()
        except RuntimeError:  # the account may have no thread more
            with self._lock:
                self._close()
            return
        self._thread = thread
        ready.wait(_PROBE_SECONDS)

    def stop(self) -> None:
        """Tell what was seen until now, let whoever is held go and stop watching. Call before the store closes its files."""
        thread, self._thread = self._thread, None
        while self._kept:
            os.close(self._kept.popitem()[1])
        if thread is None:
            return
        self._ending = True
        self._wake()
        thread.join()
        if self._looking is not None:
            self._looking.join()
        with self._lock:
            self._close()

    def release(self) -> None:
        """The report of the held opening is durable: let the opener go on. From any thread."""
        self._held_until = min(self._held_until, time.monotonic())
        self._wake()

    @contextmanager
    def expect_own_open(self) -> Iterator[None]:
        """Around anything of ours that opens, replaces or deletes a watched file and closes it again: header reads, a second connection.

        A connection that stays open needs none: its descriptor explains it. May be nested; from any thread.
        """
        with self._lock:
            self._read_events()
            self._settle_opens()
            self._own_depth += 1
        try:
            yield
        finally:
            with self._lock:
                self._read_events()
                self._own_depth -= 1
                self._take_own_as_they_are()

    def open_no_more(self) -> None:
        """From here on nothing is opened here: whoever watches besides takes every opening for somebody else's. From any thread."""
        with self._lock:
            self._opens_no_more = True

    def salts(self) -> frozenset[bytes]:
        """The 16 bytes that each database of the vault begins with, as far as they can be read. Started or not; from any thread.

        Read through our own descriptor where the store has the file open: closing another one would drop SQLite's locks. LIMIT: a
        connection opened by another thread in the microseconds of the one plain read of a closed file is not protected from that.
        """
        for path in self._paths:
            if path.suffix == ".db" and path not in self._salts and (salt := self._read_salt(path)) is not None:
                self._salts[path] = salt
        return frozenset(self._salts.values())

    def descriptor_of(self, path: Path) -> int | None:
        """Give a descriptor of one of the vault's files to read blocks from; never close it. None where there is none. From any thread.

        A database that the store has closed is opened here and stays open until `stop`, which comes when nothing else has the vault: to
        close it earlier would drop SQLite's locks. The leased register is never opened a second time.
        """
        found = own_descriptor(path) if sys.platform == "linux" else None
        if found is not None or path.suffix != ".db" or path == self._paths[0] or path in self._kept:
            return found
        with suppress(OSError), self._own_open():
            self._kept[path] = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return self._kept.get(path)

    @contextmanager
    def _own_open(self) -> Iterator[None]:
        """Around an opening of this sensor's own. Raises OSError from `open_no_more` on."""
        with self._lock, self.expect_own_open():
            if self._opens_no_more:
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            yield

    def _read_salt(self, path: Path) -> bytes | None:
        try:
            descriptor = own_descriptor(path) if sys.platform == "linux" else None
            if descriptor is not None:
                salt = os.pread(descriptor, _SALT_BYTES, 0)
            elif not stat.S_ISREG(path.lstat().st_mode):
                return None  # a pipe in its place is not waited for
            else:
                with self._own_open(), path.open("rb") as file:
                    salt = file.read(_SALT_BYTES)
        except OSError:
            return None
        return salt if len(salt) == _SALT_BYTES else None

    def self_test(self) -> ProtectionStatus:
        """Touch each file's mode (to what it is) and try an open that the lease must refuse; both must be seen within a second."""
        if sys.platform != "linux":
            return self._status(ProtectionState.UNAVAILABLE, "not-on-this-system")
        thread = self._thread
        if self._notify is None or thread is None or not thread.is_alive():
            return self._status(ProtectionState.UNAVAILABLE, "not-watching")
        if not self._probe_watches():
            return self._status(ProtectionState.UNAVAILABLE, "blind")
        leased = self._probe_lease()
        if self._is_out_of_reach():
            return self._status(ProtectionState.ENFORCED, "out-of-reach")
        return self._status(ProtectionState.DETECTED, "lease" if leased else "inotify")

    # ---- the thread --------------------------------------------------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        assert self._notify is not None
        poller = select.poll()
        with self._lock:
            self._lease = WriteLease(self._paths[0])
            self._renew_lease()
            for readable in (self._notify, self._lease, self._wake_read):
                poller.register(readable, select.POLLIN)
        ready.set()
        try:
            while not self._ending:
                poller.poll(self._pause_seconds() * 1000)
                with self._lock:
                    with suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                    if not self._ending:
                        self._step()
            self._finish()
        except Exception:
            _log.exception("the store-access sensor failed")  # the hub finds a dead thread, reports it and starts another
        finally:
            with self._lock:
                self._let_go()  # whatever happened, nobody is held for the kernel's 45 s

    def _step(self) -> None:
        assert self._lease is not None
        if self._lease.drain() or (self._leased and not self._held_until and not self._lease.held):
            self._on_break()
        now = time.monotonic()
        if self._held_until and now >= self._held_until:
            self._held_until = 0.0
            self._let_go()
        self._read_events(on_own_thread=True)
        self._judge()
        if self._nameless is not None and now - self._nameless[0] >= _NAMELESS_SECONDS:
            self._report_open(self._nameless[1], ())
        if not self._leased and not self._held_until and time.monotonic() >= self._lease_retry_at:
            self._renew_lease()

    def _look_for_holders(self) -> None:
        """Tell who has a file of the vault from before, and still has it a moment later: a desk that is just ending is no report."""
        if self._lease_descriptor is None:
            return  # the sentinel begins while its desk ends; what was opened before either is the next desk's to find
        with self._lock:
            inodes = {file.inode for file in self._files.values() if file.watch >= 0}
        if not processes.holders(inodes, self._own(), mapped=True):
            return
        ends = time.monotonic() + _SETTLE_SECONDS
        with self._lock:
            while not self._ending and (left := ends - time.monotonic()) > 0:
                self._probing.wait(left)
        if still := processes.holders(inodes, self._own(), mapped=True):
            with self._lock:
                self._report_open(self._paths[0].name, still)

    def _finish(self) -> None:
        """Tell what was begun: an opening that nothing explains within its grace, and one without a name, which is not waited for now."""
        with self._lock:
            self._step()
            self._settle_opens()
            self._step()
            if self._nameless is not None:
                self._report_open(self._nameless[1], ())

    def _pause_seconds(self) -> float:
        with self._lock:
            now = time.monotonic()
            due = now + (_TICK_SECONDS if self._lease_descriptor is not None else _UNLEASED_TICK_SECONDS)
            if self._held_until:
                due = min(due, self._held_until)
            elif not self._leased:
                due = min(due, self._lease_retry_at)
            if self._nameless is not None:
                due = min(due, self._nameless[0] + _NAMELESS_SECONDS)
            for file in self._files.values():
                if file.unexplained:
                    due = min(due, file.unexplained[0] + _GRACE_SECONDS)
                if file.settling_until:
                    due = min(due, file.settling_until)
            return max(0.001, due - now)

    # ---- the lease ---------------------------------------------------------------------------------------------------------------

    def _renew_lease(self) -> None:
        assert self._lease is not None
        if self._lease_descriptor is None:
            self._lease_retry_at = math.inf
            return
        self._leased = self._lease.take(self._lease_descriptor())
        self._lease_retry_at = time.monotonic() + _RETRY_SECONDS
        self._probing.notify_all()

    def _let_go(self) -> None:
        assert self._lease is not None
        self._lease.give_back()
        self._leased = False
        self._lease_retry_at = time.monotonic()

    def _on_break(self) -> None:
        """Somebody is held in open() of the register, or was refused a non-blocking one."""
        if not self._leased:
            return  # a signal of a lease that was given back meanwhile
        began = time.monotonic()
        if self._held_until:
            return  # one more opener; it is named by its descriptor when it is let go
        probe, self._break_probed = self._break_probed, None
        openers, ours = self._find_held(began, probing=probe is not None)
        if probe is not None:
            self._break_probed = True
            self._probing.notify_all()
        if not openers and (ours or probe is not None):
            self._let_go()
            return
        self._held_until = began + self._hold_ceiling_seconds  # first: the report may be committed before emit returns
        reported = self._report_open(self._paths[0].name, openers, held_ms=round((time.monotonic() - began) * 1000))
        if not reported:
            self._held_until = time.monotonic()

    def _find_held(self, began: float, *, probing: bool) -> tuple[list[Opener], bool]:
        """Who waits in open(). The signal may come a moment before the opener sleeps, so look again.

        One that was refused a non-blocking open, or is another account's, is not found waiting; its arguments are looked at early on.
        """
        likely: list[Opener] = []
        while True:
            openers, ours = processes.held_in_open(self._files[self._paths[0].name].inode, self._own())
            if openers or ours or probing:
                return openers, ours
            likely = likely or self._who(self._paths)
            if time.monotonic() - began >= (_WAITING_SECONDS if likely else _NAMING_SECONDS):
                return likely, False

    def _who(self, paths: Sequence[Path]) -> list[Opener]:
        return processes.mentioning(paths, self._own())[:1]

    # ---- inotify -----------------------------------------------------------------------------------------------------------------

    def _attach(self, file: _File) -> bool:
        """Watch the file now at the path; False if there is none or it is the one we watch."""
        assert self._notify is not None
        try:
            status = os.lstat(file.path)
            inode = (status.st_dev, status.st_ino)
            if not stat.S_ISREG(status.st_mode) or (file.watch >= 0 and inode == file.inode):
                return False
            watch = self._notify.add(file.path, _FILE_MASK)
        except OSError:
            return False
        self._detach(file)
        file.watch, file.inode, file.links = watch, inode, status.st_nlink
        file.own, file.foreign = processes.own_descriptors().get(inode, 0), 0
        file.unexplained.clear()
        file.closed_early, file.written_early = 0, False
        file.settling_until = 0.0
        self._by_watch[watch] = file
        return True

    def _detach(self, file: _File) -> None:
        if file.watch >= 0 and self._notify is not None:
            self._by_watch.pop(file.watch, None)
            self._notify.remove(file.watch)
            file.watch = -1

    def _read_events(self, *, on_own_thread: bool = False) -> None:
        if self._notify is None:
            return
        events = self._notify.read()
        if not events:
            return
        table = processes.own_descriptors()
        opened: list[_File] = []
        for event in events:
            if event.mask & inotify.OVERFLOW:
                self._emit(
                    Signal(SignalKind.SENSOR_BLIND, wall_clock_us(), (("protection", self.protection.value), ("reason", "overflow")))
                )
            elif event.watch == self._folder_watch:
                self._on_folder(event, table)
            elif (file := self._by_watch.get(event.watch)) is not None:
                self._on_file(file, event, table, opened)
        if opened and (on_own_thread or not self._own_depth):
            self._name_holders(opened)

    def _on_file(self, file: _File, event: inotify.Event, table: dict[Inode, int], opened: list[_File]) -> None:
        ours = table.get(file.inode, 0)
        now = time.monotonic()
        if event.mask & inotify.OPEN:
            if file.own < ours and not self._own_depth:
                file.own += 1
            else:
                file.unexplained.append(now)
                opened.append(file)
        if event.mask & (inotify.CLOSE_WRITE | inotify.CLOSE_NOWRITE):
            self._on_close(file, ours, writing=bool(event.mask & inotify.CLOSE_WRITE))
        if event.mask & inotify.ATTRIB:
            self._on_attributes(file)
        if event.mask & inotify.IGNORED:
            self._by_watch.pop(file.watch, None)
            file.watch = -1

    def _on_close(self, file: _File, ours: int, *, writing: bool) -> None:
        self._lease_retry_at = 0.0  # it may have been the descriptor that was in the lease's way
        if writing and file.own > ours:
            file.own -= 1
        elif file.foreign:
            file.foreign -= 1
            if writing:
                self._report_change(file.path.name, "written")
        elif file.unexplained:
            file.closed_early += 1
            file.written_early |= writing
        elif writing:
            file.own = max(0, file.own - 1)  # ours, and opened again already

    def _on_attributes(self, file: _File) -> None:
        file.probed = True
        self._probing.notify_all()
        try:
            status = os.lstat(file.path)
        except OSError:
            return
        if (status.st_dev, status.st_ino) == file.inode:
            if status.st_nlink > file.links:
                self._report_change(file.path.name, "linked")
            file.links = status.st_nlink

    def _on_folder(self, event: inotify.Event, table: dict[Inode, int]) -> None:
        if event.mask & (inotify.MOVE_SELF | inotify.DELETE_SELF):
            self._report_change(self._folder.name, "moved" if event.mask & inotify.MOVE_SELF else "deleted")
            return
        file = self._files.get(event.name)
        if file is None:
            return
        if event.mask & (inotify.CREATE | inotify.MOVED_TO):
            back = file.watch >= 0
            changed = self._attach(file)
            file.settling_until = time.monotonic() + _SETTLE_SECONDS if file.transient else 0.0
            if not file.transient:
                self._report_change(event.name, "replaced" if changed else "moved-back" if back else "created")
        elif event.mask & inotify.MOVED_FROM:
            self._report_change(event.name, "moved")
        elif event.mask & inotify.DELETE and (not file.transient or table.get(file.inode, 0)):
            # SQLite closes its -wal before it deletes it; one that we still hold was deleted by somebody else.
            self._report_change(event.name, "deleted")

    # ---- whose was it? -----------------------------------------------------------------------------------------------------------

    def _name_holders(self, opened: Sequence[_File]) -> None:
        """Look at once: a reader of a small file is gone within a millisecond."""
        for opener in processes.holders({file.inode for file in opened}, self._own()):
            for file in opened:
                if file.unexplained and not self._own_depth:
                    file.unexplained.pop()
                    file.foreign += 1
            self._report_open(opened[0].path.name, [opener])

    def _settle_opens(self) -> None:
        """Wait until every opening is explained or its grace is over, but for one of ours that is under way; hold the lock."""
        end = time.monotonic() + 2 * _GRACE_SECONDS  # whoever opens again and again does not keep it
        while not self._own_depth and time.monotonic() < end and any(file.unexplained for file in self._files.values()):
            self._probing.wait(_GRACE_SECONDS / 4)
            self._read_events()
            self._judge()
        if self._nameless is not None:
            self._wake()  # its own thread tells of that in a moment; the event that would have woken it was read here

    def _judge(self) -> None:
        """Explain the opens that are still open questions by our own descriptors, or call them foreign when their grace is over."""
        waiting = [file for file in self._files.values() if file.unexplained or file.settling_until]
        if not waiting:
            return
        if self._own_depth:
            for file in waiting:
                file.unexplained.clear()
            return
        table, now = processes.own_descriptors(), time.monotonic()
        for file in waiting:
            ours = table.get(file.inode, 0)
            while file.unexplained and file.own < ours:
                file.unexplained.pop(0)
                file.own += 1
            while file.unexplained and now - file.unexplained[0] >= _GRACE_SECONDS:
                file.unexplained.pop(0)
                file.foreign += 1
                self._suspect(file)
            self._settle_early_closes(file)
            if file.settling_until and now >= file.settling_until:
                file.own, file.settling_until = max(file.own, ours), 0.0  # its first open came before we watched it

    def _suspect(self, file: _File) -> None:
        """A foreign open by a process that is gone already: report it, by its command line if that is still there."""
        who = self._who([file.path])
        if who:
            self._report_open(file.path.name, who)
        elif self._nameless is None:
            self._nameless = (time.monotonic(), file.path.name)

    def _settle_early_closes(self, file: _File) -> None:
        if file.unexplained:
            return
        if file.written_early and file.foreign:
            self._report_change(file.path.name, "written")
        file.foreign = max(0, file.foreign - file.closed_early)
        file.closed_early, file.written_early = 0, False

    def _take_own_as_they_are(self) -> None:
        """After a block of our own: what we have open now is ours, and nothing is left to explain."""
        if self._own_depth:
            return
        table = processes.own_descriptors()
        for file in self._files.values():
            file.own = table.get(file.inode, 0)
            file.unexplained.clear()
            file.closed_early, file.written_early = 0, False

    def _own(self) -> frozenset[int]:
        return self._own_pids() | {os.getpid()}

    # ---- signals -----------------------------------------------------------------------------------------------------------------

    def _report_open(self, name: str, openers: Sequence[Opener], held_ms: int | None = None) -> bool:
        """Emit unless it belongs to a burst already reported; whether a signal went out."""
        now = time.monotonic()
        self._bursts = {key: last for key, last in self._bursts.items() if now - last < _BURST_SECONDS}
        self._nameless = None
        held = () if held_ms is None else (("held_ms", held_ms),)
        if not openers:
            known = bool(self._bursts)
            self._bursts[None] = now
            if not known:
                self._emit(Signal(SignalKind.STORE_OPENED, wall_clock_us(), (("file", name), *held)))
            return not known
        fresh = []
        for opener in openers:
            same = [other for other in self._bursts if other is not None and opener.is_likely(other)]
            self._bursts.update(dict.fromkeys(same, now))
            if not same:
                fresh.append(opener)
            if not (same and opener.how):  # a guess that joins a burst says nothing of its own: it may be the next process
                self._bursts[opener] = now
        for opener in fresh:
            self._emit(Signal(SignalKind.STORE_OPENED, wall_clock_us(), (*opener.facts(), ("file", name), *held)))
        return bool(fresh)

    def _report_change(self, name: str, act: str) -> None:
        if self._own_depth:
            return
        now = time.monotonic()
        last, self._changes[name] = self._changes.get(name, -_BURST_SECONDS), now
        if now - last < _BURST_SECONDS:
            return
        who = self._who([self._folder / name])
        facts = who[0].facts() if who else ()
        self._emit(Signal(SignalKind.STORE_CHANGED, wall_clock_us(), (*facts, ("file", name), ("act", act))))

    # ---- probes ------------------------------------------------------------------------------------------------------------------

    def _probe_watches(self) -> bool:
        with self._lock:
            if any(file.watch < 0 and not file.transient and file.path.exists() for file in self._files.values()):
                return False  # it lost its watch, or there was none to be had
            files = [file for file in self._files.values() if file.watch >= 0]
            for file in files:
                file.probed = False
                try:
                    status = os.lstat(file.path)
                    if (status.st_dev, status.st_ino) != file.inode:
                        continue
                    file.path.chmod(stat.S_IMODE(status.st_mode))
                except PermissionError:
                    file.probed = True  # LIMIT: only the owner can probe; the thread and the watch are there
                except OSError:
                    continue
            present = [file for file in files if file.path.exists()]
            self._wake()
            return bool(files) and self._probing.wait_for(lambda: all(file.probed for file in present), _PROBE_SECONDS)

    def _is_out_of_reach(self) -> bool:
        """Ask the kernel what the account may do without the group it was lent: access(2) asks for the real user and group."""
        return reach.is_launched() and not any(os.access(path, os.R_OK) for path in (*self._paths, self._folder))

    def _probe_lease(self) -> bool:
        with self._lock:
            if not self._leased or self._lease is None or not self._lease.held or self._held_until:
                return bool(self._held_until)  # somebody is being held right now: the lease works
            self._break_probed = False
            if not self._lease.probe():
                self._break_probed = None
                return False
            seen = self._probing.wait_for(lambda: self._break_probed is True, _PROBE_SECONDS)
            self._break_probed = None
            self._probing.wait_for(lambda: self._leased, _PROBE_SECONDS)
            return seen

    def _status(self, state: ProtectionState, reason: str) -> ProtectionStatus:
        return ProtectionStatus(self.protection, state, reason)

    def _wake(self) -> None:
        if self._wake_write >= 0:
            with suppress(OSError):
                os.write(self._wake_write, b"!")

    def _close(self) -> None:
        if self._lease is not None:
            self._lease.close()
        if self._notify is not None:
            self._notify.close()
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)
        self._lease, self._notify, self._leased, self._held_until = None, None, False, 0.0
        self._wake_read = self._wake_write = -1
        self._files.clear()
        self._by_watch.clear()


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
