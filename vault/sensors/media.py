"""A medium is mounted while a case file is out: a stick, a share, a telephone, a folder in memory (V61, V62).

Rules:

1. The kernel wakes the thread when anything is mounted (poll(2) for POLLPRI on mountinfo); it also looks by itself every few seconds.
2. A new medium (`mounts.medium_of`) while `case_is_out` says so is one MEDIA_MOUNTED signal with the device's identity. What was mounted
   before the file went out is no signal.
3. Out or not, whatever is mounted or unmounted at a place where copies could be put is told to `changed` at once: the copies sensor
   watches and searches it.
4. A medium that was taken out and put in again faster than this thread could look has the same number, device and place: the kernel's
   unique mount number tells (Linux 6.8; not asked of network media, which may not answer). LIMIT: an older kernel does not tell.
5. What is mounted in another mount namespace (a container's) is not seen. LIMIT: nor is what is written by a program of its own without
   a mount: MTP libraries, Bluetooth, a raw write to a device.

Thread: one, ``media``. Source: proc(5); experiment E12 (20 of 20 noticed, 2.6 ms).
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors import mounts
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.mounts import Medium, Mount

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_PROBE_SECONDS = 1.5
# Whoever serves these may not answer.
_SLOW = frozenset({Medium.NETWORK, Medium.DEVICE, Medium.DESKTOP, Medium.FUSE, Medium.HOST, Medium.OTHER})


class MediaSensor:
    """Watches what is mounted.

    Args:
        case_is_out: whether a case file is checked out now; called from this sensor's thread, must not block.
        watched: the folders watched for copies.
        changed: told the place of every medium that came or went, from this sensor's thread.
    """

    def __init__(
        self, case_is_out: Callable[[], bool], watched: Sequence[Path] = (), changed: Callable[[Path], None] = lambda _place: None
    ) -> None:
        self._case_is_out = case_is_out
        self._watched = tuple(Path(os.path.realpath(folder)) for folder in watched)
        self._changed = changed
        self._emit: Emit = _drop
        self._known: tuple[Mount, ...] = ()
        self._media: dict[Mount, int] = {}  # that came since the start, with the kernel's unique number of each
        self._thread: threading.Thread | None = None
        self._wake_read = self._wake_write = -1
        self._ending = False
        self._asked = threading.Event()
        self._answered = threading.Event()

    @property
    def protection(self) -> Protection:
        """MEDIA."""
        return Protection.MEDIA

    def start(self, emit: Emit) -> None:
        """Watch. What is mounted now counts as having been there."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._ending = False
        try:
            with ExitStack() as opened:  # the hub starts a sensor again and again: nothing stays open of one that did not start
                watch = os.open(mounts.MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
                opened.callback(os.close, watch)
                self._known = mounts.read_mounts()  # after the watch began: what comes between wakes it
                self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                for descriptor in (self._wake_read, self._wake_write):
                    opened.callback(os.close, descriptor)
                self._media = {}
                thread = threading.Thread(target=self._run, args=(watch,), name="media", daemon=True)
                thread.start()
                opened.pop_all()
        except (OSError, RuntimeError) as error:  # or the account may have no thread more
            _log.warning("mounts cannot be watched: %s", type(error).__name__)
            self._wake_read = self._wake_write = -1
            return
        self._thread = thread

    def stop(self) -> None:
        """Stop watching."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._ending = True
        self._wake()
        thread.join()
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)
        self._wake_read = self._wake_write = -1

    def self_test(self) -> ProtectionStatus:
        """Have the thread read what is mounted and find the root file system in it."""
        if sys.platform != "linux":
            return self._status(ProtectionState.UNAVAILABLE, "not-on-this-system")
        thread = self._thread
        if thread is None or not thread.is_alive():
            return self._status(ProtectionState.UNAVAILABLE, "not-watching")
        self._answered.clear()
        self._asked.set()
        self._wake()
        if not self._answered.wait(_PROBE_SECONDS):
            return self._status(ProtectionState.UNAVAILABLE, "blind")
        return self._status(ProtectionState.DETECTED, "watched")

    # ---- the thread --------------------------------------------------------------------------------------------------------------

    def _run(self, watch: int) -> None:
        poller = select.poll()
        poller.register(watch, select.POLLPRI)
        poller.register(self._wake_read, select.POLLIN)
        try:
            while not self._ending:
                poller.poll(_LOOK_SECONDS * 1000)
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                if not self._ending:
                    self._look()
        except Exception:
            _log.exception("the media sensor failed")  # the hub finds a dead thread, reports it and starts another
        finally:
            os.close(watch)

    def _look(self) -> None:
        now = mounts.read_mounts()
        before, self._known = self._known, now
        was, are = set(before) - self._exchanged(now), set(now)
        for mount in now:
            if mount not in was:
                self._came(mount, before)
        for mount in before:
            if mount not in are and (self._media.pop(mount, None) is not None or self._concerns(mount)):
                self._changed(mount.place)
        if self._asked.is_set() and any(mount.place == Path("/") for mount in now):
            self._asked.clear()
            self._answered.set()

    def _exchanged(self, now: Sequence[Mount]) -> set[Mount]:
        """Media that look as before and are others."""
        uppermost = {mount.place: mount for mount in now}
        return {
            mount
            for mount, number in self._media.items()
            if number and uppermost.get(mount.place) == mount and mounts.unique_id(mount.place) != number
        }

    def _came(self, mount: Mount, before: Sequence[Mount]) -> None:
        medium = mounts.medium_of(mount, before, self._watched)
        if medium is not None:
            self._media[mount] = 0 if medium in _SLOW else mounts.unique_id(mount.place)
            if self._case_is_out():  # first told, then searched: the report of the medium precedes that of a copy on it
                self._emit(Signal(SignalKind.MEDIA_MOUNTED, wall_clock_us(), mounts.describe(mount, medium)))
        if medium is not None or self._concerns(mount):
            self._changed(mount.place)

    def _concerns(self, mount: Mount) -> bool:
        """Whether it lies in or over a watched folder, whatever it is: its going uncovers what was below it."""
        if mount.type in mounts.KERNEL_TYPES:
            return False
        return any(mount.place.is_relative_to(folder) or folder.is_relative_to(mount.place) for folder in self._watched)

    def _status(self, state: ProtectionState, reason: str) -> ProtectionStatus:
        return ProtectionStatus(self.protection, state, reason)

    def _wake(self) -> None:
        if self._wake_write >= 0:
            with suppress(OSError):
                os.write(self._wake_write, b"!")


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
