"""Keys pressed and pointers moved by a program, while somebody is signed in (V49).

Rules:

1. X servers give such input devices of their own ("XTEST"). The sensor is told when one of them is used, and of no other device: the
   officer's own keys never reach it. Which key or button it was is not read.
2. A burst is one signal: the next comes after `_PAUSE_SECONDS` without a report, with the number of events in between.
3. A station whose policy says that it is driven by programs (a demonstration) does not start it; the strip says so.

LIMIT: a device that pretends to be a keyboard (uinput, a USB stick) looks like one. On Wayland there is nothing to be told.

Thread: one, ``synthetic-input``. Source: X Input 2.2 raw events; XTEST.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Mapping

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors import screen
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.x11_wire import Connection, X11Error, names_local_display

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 5.0
_PROBE_SECONDS = 1.5


class SyntheticInputSensor:
    """Watches the display's test devices.

    Args:
        signed_in: whether somebody is signed in.
        wanted: the station's policy.
        environment: where DISPLAY and XAUTHORITY are read.
    """

    def __init__(self, signed_in: Callable[[], bool], *, wanted: bool = True, environment: Mapping[str, str] = os.environ) -> None:
        self._signed_in = signed_in
        self._wanted = wanted
        self._environment = environment
        self._is_wayland = screen.is_on_wayland(environment)
        self._emit: Emit = _drop
        self._connection: Connection | None = None
        self._devices: dict[int, str] = {}
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._wake = -1
        self._answered = threading.Event()

    @property
    def protection(self) -> Protection:
        """SYNTHETIC_INPUT."""
        return Protection.SYNTHETIC_INPUT

    def start(self, emit: Emit) -> None:
        """Ask the display for its test devices and watch them."""
        if sys.platform != "linux" or self._thread is not None or not self._wanted:
            return
        self._emit = emit
        if screen.is_on_wayland(self._environment):
            return
        try:
            self._connection = Connection(self._environment)
            self._is_wayland = screen.is_waylands(self._connection.server_pid())
            self._devices = {one.device_id: one.name for one in self._connection.devices() if "XTEST" in one.name}
            self._connection.watch_devices(tuple(self._devices))
        except X11Error:
            self._hang_up()
            return
        self._ending.clear()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="synthetic-input", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            os.eventfd_write(self._wake, 1)
            thread.join()
            os.close(self._wake)
        self._hang_up()

    def self_test(self) -> ProtectionStatus:
        """Have the watching thread ask the display over the connection that events come by: pressing a key would be no harmless probe."""
        unavailable = ProtectionState.UNAVAILABLE
        if not self._wanted:
            return ProtectionStatus(self.protection, unavailable, "set-off")
        if sys.platform != "linux":
            return ProtectionStatus(self.protection, unavailable, "not-on-this-system")
        if self._is_wayland:
            return ProtectionStatus(self.protection, unavailable, "wayland")
        thread = self._thread
        if thread is None or not thread.is_alive():
            reason = "not-watching" if names_local_display(self._environment) else "no-display"
            return ProtectionStatus(self.protection, unavailable, reason)
        self._answered.clear()
        os.eventfd_write(self._wake, 1)
        if not self._devices or not self._answered.wait(_PROBE_SECONDS):
            return ProtectionStatus(self.protection, unavailable, "blind")
        return ProtectionStatus(self.protection, ProtectionState.DETECTED, "test-devices")

    def _run(self) -> None:
        connection = self._connection
        assert connection is not None
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(connection, select.POLLIN)
        quiet_until, counted = 0.0, 0
        try:
            while not self._ending.is_set():
                for descriptor, _ in poll.poll():
                    if descriptor == self._wake:
                        os.eventfd_read(self._wake)
                        if not self._ending.is_set():
                            connection.screen_size_px()
                            self._answered.set()
                # what came in while the question was asked is kept by the connection
                used = [one.source_id for one in connection.read_events() if one.source_id in self._devices]
                if not used or not self._signed_in():
                    continue
                counted += len(used)
                if time.monotonic() >= quiet_until:
                    quiet_until = time.monotonic() + _PAUSE_SECONDS
                    facts = (("device", self._devices[used[0]]), ("count", counted))
                    self._emit(Signal(SignalKind.SYNTHETIC_INPUT, wall_clock_us(), facts))
                    counted = 0
        except X11Error as error:
            _log.warning("the display is gone: %s", error)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _drop(_signal: Signal) -> None:
    return None
