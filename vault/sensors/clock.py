"""Steps of the wall clock (V73): a clock set back stretches check-outs, grants and lock-outs.

Rules:

1. A timer that the kernel cancels when the wall clock is set wakes the sensor; nothing is polled and no privilege is needed.
2. The offset between wall clock and boot clock changes by steps only (the kernel slews both alike), so small steps add up until they are
   told. Back by more than two seconds is CLOCK_SET_BACK, with fact ``by_seconds``.
3. Forward steps are remembered, not signalled: they only shorten what people may do.
4. LIMIT: a clock set while the computer is off is not seen here; services compare with the newest audit entry instead.

Thread: one, ``clock``. Source: timerfd_create(2), TFD_TIMER_CANCEL_ON_SET; experiment E13.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import sys
import threading
import time
from contextlib import ExitStack, suppress

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors.contract import Emit, wall_clock_us

_TOLERATED_SECONDS = 2.0
_FAR_SECONDS = 2**40
_ABSOLUTE_CANCEL_ON_SET = 1 | 2
_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000
_PROBE_SECONDS = 1.0


class ClockSensor:
    """Notices that the wall clock was set."""

    def __init__(self) -> None:
        self.forward_steps = 0  # how often it was set forward by more than the tolerance since the start
        self._emit: Emit = _drop
        self._timer = -1
        self._wake_read = self._wake_write = -1
        self._offset_seconds = 0.0
        self._thread: threading.Thread | None = None
        self._ending = False
        self._answered = threading.Event()

    @property
    def protection(self) -> Protection:
        """CLOCK."""
        return Protection.CLOCK

    def start(self, emit: Emit) -> None:
        """Watch from the clock's present reading on."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._ending = False
        self._timer = ctypes.CDLL(None, use_errno=True).timerfd_create(time.CLOCK_REALTIME, _CLOEXEC_NONBLOCK)
        self._offset_seconds = _offset_seconds()
        if self._timer < 0:
            return
        with ExitStack() as opened:  # the hub starts a sensor again and again: nothing stays open of one that did not start
            opened.callback(os.close, self._timer)
            if not self._arm():
                return
            self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            for descriptor in (self._wake_read, self._wake_write):
                opened.callback(os.close, descriptor)
            thread = threading.Thread(target=self._run, name="clock", daemon=True)
            thread.start()
            opened.pop_all()
        self._thread = thread

    def stop(self) -> None:
        """Stop watching."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending = True
            os.write(self._wake_write, b"!")
            thread.join()
            for descriptor in (self._timer, self._wake_read, self._wake_write):
                os.close(descriptor)

    def self_test(self) -> ProtectionStatus:
        """Have the thread answer with its timer armed. Setting the clock to prove more would take a privilege."""
        if sys.platform != "linux":
            return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "not-on-this-system")
        if self._thread is None or not self._thread.is_alive():
            return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "not-watching")
        self._answered.clear()
        os.write(self._wake_write, b"?")
        if self._answered.wait(_PROBE_SECONDS):
            return ProtectionStatus(self.protection, ProtectionState.DETECTED, "watched")
        return ProtectionStatus(self.protection, ProtectionState.UNAVAILABLE, "blind")

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._timer, select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        while not self._ending:
            poller.poll()
            with suppress(BlockingIOError):
                os.read(self._wake_read, 64)
            try:
                os.read(self._timer, 8)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno != errno.ECANCELED:
                    return  # the self-test finds a thread that ended
            if self._arm():
                self._compare()
                self._answered.set()

    def _arm(self) -> bool:
        """Set the timer far ahead. It reports a clock set before this call as cancelled at once, so nothing falls in between."""
        libc = ctypes.CDLL(None, use_errno=True)
        armed = libc.timerfd_settime(self._timer, _ABSOLUTE_CANCEL_ON_SET, struct.pack("=qqqq", 0, 0, _FAR_SECONDS, 0), None)
        return armed == 0 or ctypes.get_errno() == errno.ECANCELED

    def _compare(self) -> None:
        now = _offset_seconds()
        step = now - self._offset_seconds
        if step > _TOLERATED_SECONDS:
            self.forward_steps += 1
            self._offset_seconds = now
        elif step < -_TOLERATED_SECONDS:
            self._offset_seconds = now
            self._emit(Signal(SignalKind.CLOCK_SET_BACK, wall_clock_us(), (("by_seconds", round(-step)),)))


def _offset_seconds() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
