"""The sentinel: watches a vault while no desk has it open, without a key, and seals what it sees into the spool.

Rules of this module:

1. It holds no key and opens no database: it knows the vault by its unverified header and the first bytes of its files, read once whenever
   nobody has the vault. What it seals it cannot read back.
2. Who has the vault's lock is the desk; the kernel's table of locks says who (`DeskLock`), and nothing is asked of the desk. While its
   sensors watch (its mark says so), the sentinel only listens. Before and after, what the desk itself does is not reported, but another
   process seen holding a file is, and so is a file moved, linked or deleted; and once the mark says that the desk's sensors are being
   stopped, after which a desk opens none of its files, so is an opening by nobody knows whom. One may then be told by both.
3. The sensors run on through the desk's time. When the lock is let go, new ones are started before the old ones end; what the old ones
   saw is judged as the desk's time. The kernel's order of events says what was opened between the two, and what after the mark.
4. A mark that says a case file is out, of a process that does not have the lock, was left by a desk that was killed.
5. The header's locks to key servers are tried once after every start and every wake from suspend, by an exchange that no stored secret
   takes part in. Only where none is proven for `patience_seconds` is it told.
6. Repeats of one thing within the joining window are one report, and at most `_MOST_A_KIND` of a kind are written in it: nobody fills the
   spool by noise. What cannot be written now (a locked keyring, a full disk) is tried again. A sensor that finds nothing of its own in a
   folder that was moved is no report beside that of the move.

LIMIT: whoever takes the vault's lock is believed to be the desk: what that one process then does to the files is not told, unless a copy
appears in a watched folder. A killed sentinel sees nothing until systemd has started it again; without systemd, until the next login. A
copy is known by a salt or the vault's id in it, a part of one only by the desk, which also searches old files' insides, and reports a copy
that is still there once more. Folders are those of the shipped policy unless they are named: the station's own policy lies in the vault. Of
a vault whose folder is moved, that is the last thing seen; of one deleted with its folder, nothing can be written. The vault's files are
opened here at the start, and the header when it has changed: what another opens and closes in those milliseconds can go unseen.

Thread: `run` on the main thread; sensors on their own only hand over what they saw. Source: proc_locks(5), inotify(7).
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import math
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vault import platform as system
from vault.crypto.premises import PremisesLock, prove_lock
from vault.domain.breach import JOINING_WINDOW_US, Signal, SignalKind
from vault.domain.policy import Policy
from vault.errors import UnavailableError, VaultError
from vault.platform.secret_service import open_secret_keeper
from vault.sensors import inotify
from vault.sensors.clock import ClockSensor
from vault.sensors.contract import wall_clock_us
from vault.sensors.copies import CopiesSensor
from vault.sensors.copy_memory import CopyMemory
from vault.sensors.fingerprint import Fingerprint
from vault.sensors.hub import SensorHub
from vault.sensors.store_access import StoreAccessSensor
from vault.services.ports import Clock, Entropy, SecretKeeper
from vault.spooling import Spooling, killed_desk, thing_of
from vault.storage.desk_mark import MARK_NAME, DeskMark, DeskState, read_mark, take_mark_away
from vault.storage.files import CONTENT_NAME, LOCK_NAME, REGISTER_NAME
from vault.storage.header import HEADER_NAME, UnverifiedHeader, read_unverified_header

PATIENCE_SECONDS: Final = 60.0

_OWN_LOCK_NAME: Final = "sentinel.lock"
_SEEN_NAME: Final = "sentinel.seen"
_LOCK_MASK: Final = inotify.OPEN | inotify.CLOSE_WRITE | inotify.CLOSE_NOWRITE
_MARK_MASK: Final = inotify.MOVED_TO | inotify.MOVED_FROM | inotify.DELETE | inotify.CLOSE_WRITE  # not an opening: reading it is one
_TICK_SECONDS: Final = 20.0
_LOOKS_SECONDS: Final = (0.02, 0.06, 0.2, 0.5)  # the lock's file was opened or closed: the lock follows, and the mark
_UNSETTLED_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 1.0
_WAITING_SECONDS: Final = 2.0
_PERSONS_OF_THIS_MACHINE: Final = range(1000, 60_514)
_LAST_OF_16_BITS: Final = 65_535
_ASKING_SECONDS: Final = 5.0
_TESTING_SECONDS: Final = 600.0
_ASLEEP_US: Final = 30_000_000
_LATELY_US: Final = 2_000_000
_NAMING_SECONDS: Final = 0.5  # a sensor may still name whoever opened what the order of events says was opened
_MOST_A_KIND: Final = 8
_MOST_UNSEALED: Final = 200
_FILES: Final = frozenset({REGISTER_NAME, CONTENT_NAME, HEADER_NAME})
_LOCKS: Final = Path("/proc/locks")
_LOCK_FIELDS: Final = 6
# What a desk does not do to its own files, so that it is somebody else's even while one opens or closes.
_FOREIGN_ACTS: Final = frozenset({"linked", "moved", "moved-back", "deleted"})
_OF_THE_STORE: Final = frozenset({SignalKind.STORE_OPENED, SignalKind.STORE_CHANGED})
# Which facts make two signals of a kind one thing: a copy of the vault is four files, and one thing.
_SAMENESS: Final[Mapping[SignalKind, str]] = {
    SignalKind.STORE_OPENED: "process",
    SignalKind.STORE_COPIED: "folder",
    SignalKind.STORE_CHANGED: "act",
    SignalKind.DESK_KILLED: "pid",
}
_log = logging.getLogger("vault.sentinel")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sensor saw, and in which of the sentinel's watches (they are counted)."""

    signal: Signal
    watch_no: int


class DeskLock:
    """Who has the vault's lock, by the kernel's table: taking it to find out would keep a desk from opening.

    Args:
        lock: the vault's lock file.
        own: a file in the same folder that this process has locked: it shows how the table writes this file system.
    """

    def __init__(self, lock: Path, own: Path) -> None:
        self._lock = lock
        inode = own.stat().st_ino
        place = next((where for where, pid in _flocks() if pid == os.getpid() and where.endswith(f":{inode}")), None)
        if place is None:  # another namespace of processes: nothing can be told from this table
            raise UnavailableError("vault.lock-failed", errno=0)
        self._device = place.rpartition(":")[0]

    def holder(self) -> int | None:
        """The process that has the lock, None if nobody has."""
        try:
            wanted = f"{self._device}:{self._lock.stat().st_ino}"
        except OSError:
            return None
        return next((pid for where, pid in _flocks() if where == wanted), None)


def _flocks() -> list[tuple[str, int]]:
    """Every whole-file lock that is held: (device and inode as the table writes them, process)."""
    found = []
    for line in _LOCKS.read_text("ascii", "replace").splitlines():
        fields = line.split()
        if len(fields) >= _LOCK_FIELDS and fields[1] == "FLOCK":  # a waiter's second field is an arrow
            found.append((fields[5], int(fields[4])))
    return found


def is_told(seen: Signal, holder: int | None, mark: DeskMark | None) -> bool:
    """Whether a signal of the desk's time is the sentinel's to tell.

    Args:
        seen: what was seen.
        holder: the process that has the vault's lock, or had it until just now.
        mark: what the desk says of itself.
    """
    if mark is not None and mark.pid == holder and mark.state is not DeskState.ENDING:
        return False  # the desk's own sensors see it
    if seen.kind not in _OF_THE_STORE:
        return True
    facts = dict(seen.facts)
    if seen.kind is SignalKind.STORE_CHANGED:
        return facts.get("act") in _FOREIGN_ACTS
    return "pid" in facts and "named_by" not in facts and facts["pid"] != holder


class Joining:
    """What has been sealed lately, so that one thing is one report."""

    def __init__(self) -> None:
        self._sealed: list[tuple[int, SignalKind, object]] = []

    def joins(self, one: Signal) -> bool:
        """Whether a report for this stands already, or there are enough of its kind."""
        self._sealed = [known for known in self._sealed if abs(one.observed_us - known[0]) <= JOINING_WINDOW_US]
        of_kind = [known for known in self._sealed if known[1] is one.kind]
        if one.kind is SignalKind.STORE_OPENED and _sameness(one) is None and self.has_lately(one.kind, one.observed_us):
            return True  # by whoever was named for it
        return len(of_kind) >= _MOST_A_KIND or any(known[2] == _sameness(one) for known in of_kind)

    def has_lately(self, kind: SignalKind, now_us: int) -> bool:
        """Whether a report of this kind was made within the last seconds."""
        return any(known[1] is kind and abs(now_us - known[0]) <= _LATELY_US for known in self._sealed)

    def sealed(self, one: Signal) -> None:
        """A report for this stands now."""
        self._sealed.append((one.observed_us, one.kind, _sameness(one)))


def _sameness(one: Signal) -> object:
    return dict(one.facts).get(_SAMENESS.get(one.kind, ""))


class Sentinel:
    """Watches one vault from the moment it is made until `stop`.

    Args:
        directory: the vault's folder; the vault is there.
        keeper_for: the OS keyring, where the number of reports is witnessed.
        clock: for what is observed.
        entropy: for the reports' ids.
        folders: where copies are looked for.
        patience_seconds: how long after a start or a wake the key servers may be silent.

    Raises:
        UnavailableError: vault.already-open (another sentinel watches), vault.lock-failed, header.*;
            TamperError header.replaced; OSError, the kernel has no queue, watch or descriptor for it.
    """

    def __init__(
        self,
        directory: Path,
        keeper_for: Callable[[str], SecretKeeper],
        clock: Clock,
        entropy: Entropy,
        folders: Sequence[Path],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._directory = directory
        with ExitStack() as undo:
            self._alone = undo.enter_context(system.single_instance(directory / _OWN_LOCK_NAME))
            self._lock = DeskLock(directory / LOCK_NAME, directory / _OWN_LOCK_NAME)
            self._notify = inotify.Inotify()
            undo.callback(self._notify.close)
            self._notify.add(directory, _LOCK_MASK | _MARK_MASK | inotify.MOVE_SELF | inotify.DELETE_SELF)
            self._folder = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # tells where it is when it was moved
            undo.callback(os.close, self._folder)
            self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            undo.pop_all()
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._folders = tuple(folders)
        self._spooling = Spooling(directory, keeper_for, clock, entropy)
        self._joining = Joining()
        self._seen: queue.SimpleQueue[Seen] = queue.SimpleQueue()
        self._holder: int | None = None
        self._last_holder: int | None = None
        self._looks: list[float] = []  # when to look at the lock again
        self._touched_at = 0.0
        self._lock_is_open = False
        self._opened_alone = ""  # a file of the vault that was opened while nobody had the lock's file open, since the last change of that
        self._mark = read_mark(directory)
        self._desk_ends = False  # the mark of the one that has the lock said so
        self._opened_at_end = ""  # a file of the vault that was opened since then
        self._nameless: tuple[float, str] | None = None  # when to tell of a file that somebody opened, if nobody is named until then
        self._unjudged: list[Seen] = []
        self._unsealed: list[tuple[Signal, str]] = []  # with the name of the thing, where it may be seen again
        self._retry_at = 0.0
        self._watch_no = 0
        self._store: StoreAccessSensor | None = None
        self._copies: CopiesSensor | None = None
        self._hub: SensorHub | None = None
        self._header: UnverifiedHeader | None = None
        self._known_header = (0, 0, 0)  # by its status: inode, size, time of change; a desk's tests alter st_ctime
        self._told_mark: DeskMark | None = None
        self._gone = self._moved = False
        self._stopping = threading.Event()
        self._asking: threading.Thread | None = None
        self._slept_us = _slept_us()
        self._tested_at = time.monotonic()

    def run(self) -> None:
        """Watch until `stop`, or until the vault's folder is moved or deleted."""
        poller = select.poll()
        for readable in (self._notify, self._wake_read):
            poller.register(readable, select.POLLIN)
        try:
            self._look()
            while not self._stopping.is_set() and not self._gone:
                poller.poll(self._pause_seconds() * 1000)
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                self._look()
        finally:
            self._end()

    def stop(self) -> None:
        """End `run`. From any thread, or a signal handler."""
        self._stopping.set()
        self._wake()

    # ---- one look ----------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        self._collect()  # first: what a desk did is in here only if its lock's file, and then its lock, are found below
        self._read_events(now)
        self._looks = [at for at in self._looks if at > now]
        holder = self._lock.holder()
        if holder != self._holder and holder is not None:
            self._last_holder = holder
        if holder != self._holder:
            self._mark = read_mark(self._directory)  # left or taken away since the events were read
        gone, released = self._holder not in (None, holder), self._holder is not None and holder is None
        self._holder = holder
        self._judge(self._mark, released=released)
        if gone and not released:  # another desk has it already
            self._judge_opening(self._opened_at_end)
        if self._nameless is not None and now >= self._nameless[0]:
            self._tell_nameless()
        self._check_mark(self._mark)
        if holder is None:
            if released or self._store is None:
                self._watch_anew()
            if now - self._tested_at >= _TESTING_SECONDS:
                self._test()
            self._notice_waking()
            self._gone = self._gone or self._is_elsewhere()
        if now >= self._retry_at:
            self._seal_waiting()

    def _read_events(self, now: float) -> None:
        for event in self._notify.read():
            if event.mask & (inotify.MOVE_SELF | inotify.DELETE_SELF):
                self._gone = True
                self._moved = self._moved or bool(event.mask & inotify.MOVE_SELF)
            elif event.name in _FILES:
                if event.mask & inotify.OPEN and self._desk_ends:
                    self._opened_at_end = event.name
                elif event.mask & inotify.OPEN and not self._lock_is_open:
                    self._opened_alone = event.name
            elif event.name == MARK_NAME:
                if event.mask & _MARK_MASK:
                    self._read_mark(is_new=bool(event.mask & inotify.MOVED_TO))
            elif event.name == LOCK_NAME or event.mask & inotify.OVERFLOW:
                self._lock_is_open, self._opened_alone = bool(event.mask & inotify.OPEN), ""
                self._desk_ends = self._desk_ends and self._holder is not None and self._lock.holder() == self._holder
                if event.mask & inotify.OVERFLOW:
                    self._read_mark(is_new=False)
                self._touched_at = self._touched_at if self._looks else now
                self._looks = [now + later for later in _LOOKS_SECONDS]

    def _is_elsewhere(self) -> bool:
        """Whether the folder was deleted, which is no event while it is held open here, or another one lies in its place."""
        held = os.fstat(self._folder)
        try:
            there = self._directory.stat()
        except OSError:  # a folder above it was moved: this one is watched on
            return not held.st_nlink
        return (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino)

    def _read_mark(self, *, is_new: bool) -> None:
        self._mark = read_mark(self._directory)
        if is_new:  # what was opened before it was the desk's own sensors' to see; one that is gone again was the last
            self._desk_ends = self._mark is None or self._mark.state is DeskState.ENDING
            self._opened_at_end = ""

    def _is_settled(self) -> bool:
        """Whether the lock is as it will be. Whoever opens its file again and again does not put anything off for longer than that."""
        return self._holder is not None or not self._looks or time.monotonic() - self._touched_at >= _UNSETTLED_SECONDS

    def _pause_seconds(self) -> float:
        due = time.monotonic() + _TICK_SECONDS
        if self._looks:
            due = min(due, self._looks[0])
        if self._nameless is not None:
            due = min(due, self._nameless[0])
        if self._unsealed:
            due = min(due, max(self._retry_at, time.monotonic()))
        return max(0.001, due - time.monotonic())

    # ---- whose was it? -----------------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._unjudged.append(self._seen.get_nowait())

    def _judge(self, mark: DeskMark | None, *, released: bool) -> None:
        """Let go what the desk did or sees, keep the rest to be sealed. A lock whose file was just opened is waited for."""
        if not (self._is_settled() or released or self._gone):
            return
        waiting, self._unjudged = self._unjudged, []
        for one in waiting:
            if self._moved and one.signal.kind is SignalKind.SENSOR_BLIND:
                continue  # it watched in the folder that was moved, and of that there is a report
            desks = self._holder is not None or released or one.watch_no != self._watch_no
            if not desks or is_told(one.signal, self._holder or self._last_holder, mark if self._holder is not None else None):
                self._keep(one.signal)
            else:
                self._is_known(one.signal)  # by the desk

    def _keep(self, one: Signal, thing: str = "") -> None:
        if self._joining.joins(one):
            self._is_known(one)
            return
        self._joining.sealed(one)
        if len(self._unsealed) < _MOST_UNSEALED:
            self._unsealed.append((one, thing or str(dict(one.facts).get("copy", ""))))

    def _check_mark(self, mark: DeskMark | None) -> None:
        """A mark of a process that does not have the lock: left by a desk that was killed."""
        if mark is None or mark.pid == self._holder or not self._is_settled():
            return
        if mark.state is DeskState.CASE_OUT and mark != self._told_mark:
            self._keep(killed_desk(mark, self._clock.now_us()), thing_of(mark))
        self._told_mark = mark
        if self._holder is None and not self._unsealed:  # a mark outlives a report that is not written yet
            take_mark_away(self._directory)
            self._told_mark = self._mark = None

    # ---- sealing -----------------------------------------------------------------------------------------------------------------

    def _seal_waiting(self) -> None:
        while self._unsealed:
            try:
                self._seal(*self._unsealed[0])
            except VaultError as error:
                _log.warning("a report waits: %s", error)
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                return
            self._is_known(self._unsealed.pop(0)[0])

    def _is_known(self, one: Signal) -> None:
        """A report stands: a copy is not reported again after the sentinel's next start."""
        if self._copies is not None:
            self._copies.confirm(one)

    def _seal(self, one: Signal, thing: str) -> None:
        place = Path(f"/proc/self/fd/{self._folder}").readlink()
        seen = Signal(one.kind, one.observed_us, (*one.facts, ("seen_by", "sentinel")))
        public = self._header.supervisors_public_kem if self._header is not None else b""
        self._spooling.seal(seen, public, place, thing)

    # ---- watching ----------------------------------------------------------------------------------------------------------------

    def _watch_anew(self) -> None:
        """Nobody has the vault: read what it looks like now, and watch its files afresh; the old watch ends after the new one began."""
        self._watch_no += 1
        watch_no, before = self._watch_no, self._store
        register, content = self._directory / REGISTER_NAME, self._directory / CONTENT_NAME
        files = (register, Path(f"{register}-wal"), content, Path(f"{content}-wal"), self._directory / HEADER_NAME)
        store = StoreAccessSensor(files, self._desk, None)
        store.start(lambda one: self._emit(one, watch_no))
        self._store = store
        if before is not None:
            before.stop()
            self._judge_hand_over()
        self._desk_ends, self._opened_alone, self._opened_at_end = False, "", ""
        self._read_header(store)
        if self._hub is None:
            self._start_rest(files, store.salts())
            self._read_events(time.monotonic())
            self._opened_alone = ""  # those were ours
            self._ask_premises()

    def _read_header(self, store: StoreAccessSensor) -> None:
        """Read the header if it is another than the one that was read: what others open during an opening of ours can go unseen."""
        path = self._directory / HEADER_NAME
        try:
            status = path.lstat()
        except OSError:
            return
        known = (status.st_ino, status.st_size, status.st_mtime_ns)
        if known == self._known_header:
            return
        with store.expect_own_open(), suppress(VaultError):
            self._header = read_unverified_header(path)
            self._known_header = known
        self._read_events(time.monotonic())
        self._opened_alone = ""  # that was ours

    def _judge_hand_over(self) -> None:
        """Whoever opens a file after the desk let go and before the new watch has it may have been named by the old watch, or by nobody."""
        self._collect()
        self._judge(None, released=True)
        self._read_events(time.monotonic())
        self._judge_opening(self._opened_alone or self._opened_at_end)

    def _judge_opening(self, opened: str) -> None:
        """Tell of a file that was opened after the desk said that it ends, if nobody is named for it."""
        self._opened_at_end = ""
        if opened and self._nameless is None:
            self._nameless = (time.monotonic() + _NAMING_SECONDS, opened)

    def _tell_nameless(self) -> None:
        nameless, self._nameless = self._nameless, None
        if nameless is not None:
            self._keep(Signal(SignalKind.STORE_OPENED, self._clock.now_us(), (("file", nameless[1]),)))

    def _start_rest(self, files: Sequence[Path], salts: frozenset[bytes]) -> None:
        vault_id = self._header.vault_id if self._header is not None else ""
        # LIMIT: no key, so whoever can write there can write a copy out of the sentinel's reports; the desk's own memory has a key.
        memory = CopyMemory(self._directory / _SEEN_NAME, hashlib.sha256(f"sentinel:{vault_id}".encode()).digest())
        self._copies = CopiesSensor(
            Fingerprint(lambda: salts, vault_id), self._folders, self._directory, own_files=files, memory=memory, searches_daily=False
        )
        self._hub = SensorHub((self._copies, ClockSensor()), lambda one: self._emit(one, self._watch_no), self._clock, _TESTING_SECONDS)
        self._hub.start()

    def _desk(self) -> frozenset[int]:
        """Asked by the sensor while it names somebody: as it is now, for the last look may have been before the desk came."""
        holder = self._lock.holder()
        return frozenset() if holder is None else frozenset({holder})

    def _emit(self, one: Signal, watch_no: int) -> None:
        self._seen.put(Seen(one, watch_no))
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._wake_write, b"!")

    def _test(self) -> None:
        """The store's watch is no part of the hub, which would stop it before another one began."""
        self._tested_at = time.monotonic()
        if self._store is not None and self._store.self_test().reason in {"blind", "not-watching"}:
            facts = (("protection", self._store.protection.value), ("reason", "blind"))
            self._keep(Signal(SignalKind.SENSOR_BLIND, self._clock.now_us(), facts))
            self._watch_anew()

    # ---- the premises ------------------------------------------------------------------------------------------------------------

    def _notice_waking(self) -> None:
        slept_us = _slept_us()
        if slept_us - self._slept_us >= _ASLEEP_US:
            self._slept_us = slept_us
            self._ask_premises()

    def _ask_premises(self) -> None:
        locks = []
        for text in self._header.premises_locks if self._header is not None else ():
            with suppress(VaultError):
                locks.append(PremisesLock.decode(text))
        if locks and (self._asking is None or not self._asking.is_alive()):
            self._asking = threading.Thread(target=self._ask, args=(locks,), name="premises", daemon=True)
            self._asking.start()

    def _ask(self, locks: Sequence[PremisesLock]) -> None:
        until = time.monotonic() + self._patience_seconds
        while True:
            code = ""
            for lock in locks:
                try:
                    prove_lock(lock)
                except VaultError as error:
                    code = error.code
                else:
                    return
            if time.monotonic() >= until:
                self._emit(Signal(SignalKind.STARTED_OFF_PREMISES, wall_clock_us(), (("code", code),)), self._watch_no)
                return
            if self._stopping.wait(min(_ASKING_SECONDS, max(0.05, until - time.monotonic()))):
                return

    # ---- the end -----------------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """End the sensors, and seal what they saw last: of a folder that was moved, that it was."""
        self._stopping.set()
        if self._gone:
            with suppress(queue.Empty):
                self._unjudged.append(self._seen.get(timeout=_LAST_SECONDS))
        if self._store is not None:
            self._store.stop()
        if self._hub is not None:
            self._hub.stop()
        self._collect()
        self._judge(read_mark(self._directory), released=False)
        self._tell_nameless()
        self._seal_waiting()
        self._notify.close()
        for descriptor in (self._wake_read, self._wake_write, self._folder):
            os.close(descriptor)
        self._wake_write = -1
        self._alone.close()


def _slept_us() -> int:
    """How long this machine was suspended since it was started."""
    return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)) // 1000


def is_persons(uid: int) -> bool:
    """Whether a number is of a person's account, of this machine or a directory's: not root's, a service's nor the login screen's.

    Source: systemd.io/UIDS-GIDS; login screens of today have dynamic numbers above those of people.
    """
    return uid in _PERSONS_OF_THIS_MACHINE or uid > _LAST_OF_16_BITS


def _patience(text: str) -> float:
    """Read a number of seconds. Raises ValueError for one that never passes."""
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the sentinel: ``--vault DIR [--patience SECONDS] [--folder DIR ...] [--login]``. Ends on SIGTERM; waits for a vault, its turn.

    With ``--login``, which the desktop's autostart entry says, it ends at once for an account that is no person's, as the unit's condition
    has it: the login screen's has no keyring, and would be in the officer's place.
    """
    parser = argparse.ArgumentParser(prog="casevault sentinel")
    parser.add_argument("--vault", type=Path, required=True)
    parser.add_argument("--patience", type=_patience, default=PATIENCE_SECONDS)
    parser.add_argument("--folder", action="append", default=[], dest="folders")
    parser.add_argument("--login", action="store_true")
    options = parser.parse_args(arguments)
    if options.login and not is_persons(os.getuid()):
        return
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s", stream=sys.stderr)
    system.harden_process()
    directory: Path = options.vault.absolute()
    ending = threading.Event()
    running: list[Sentinel] = []

    def end(_number: int, _frame: object) -> None:
        ending.set()
        for one in running:
            one.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    folders = [Path(one).expanduser() for one in options.folders or Policy().copies_watched_folders]
    told: set[str] = set()

    def wait(why: str) -> None:
        if why not in told:  # it runs and watches nothing: whoever asks the journal must be able to see that
            told.add(why)
            _log.warning("waits: %s", why)
        ending.wait(_WAITING_SECONDS)

    while not ending.is_set():
        try:
            if not (directory / HEADER_NAME).exists():
                wait(f"no vault lies in {directory}")
                continue
            sentinel = Sentinel(directory, open_secret_keeper, system.SystemClock(), system.SystemEntropy(), folders, options.patience)
        except (VaultError, OSError) as error:  # where the desktop's autostart began it, nobody starts one that ended again
            is_watched = isinstance(error, VaultError) and error.code == "vault.already-open"  # this one goes on when that ends
            wait("another login's sentinel watches" if is_watched else f"cannot watch: {error}")
            continue
        running.append(sentinel)
        if ending.is_set():
            sentinel.stop()
        sentinel.run()
        running.clear()


if __name__ == "__main__":
    main()
