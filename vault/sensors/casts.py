"""The desktop hands the screen to a program: portals and compositors asked over the session bus (V28).

Rules:

- The session bus's own monitoring tells of calls to the interfaces by which screens are shared or photographed; nothing is called,
  answered or held up, and bodies are not read.
- While somebody is signed in, a call is one signal a program and interface, until `_PAUSE_SECONDS` without one. Facts: the interface, the
  call, and the calling program (`programs.Program.facts`).
- A bus that does not let itself be monitored, or none, is a status.

LIMIT: a compositor that hands out pixels without the bus (wlroots' screencopy) is not noticed, nor is a cast that began before the vault
was started.

Thread: one, ``casts``. Source: D-Bus specification, org.freedesktop.DBus.Monitoring; XDG desktop portals.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from jeepney import DBusAddress, HeaderFields, Message, MessageFlag, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from vault.domain.breach import Signal, SignalKind
from vault.errors import Fact
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.programs import Standing, Vouching

_log = logging.getLogger(__name__)
_INTERFACES = (
    "org.freedesktop.portal.ScreenCast",
    "org.freedesktop.portal.Screenshot",
    "org.freedesktop.portal.RemoteDesktop",
    "org.gnome.Mutter.ScreenCast",
    "org.gnome.Mutter.RemoteDesktop",
    "org.gnome.Shell.Screenshot",
    "org.gnome.Shell.Screencast",
    "org.kde.KWin.ScreenShot2",
)
_PROBE_INTERFACE, _PROBE_MEMBER = "org.casevault.Probe", "Seen"
_PAUSE_SECONDS = 10.0
_TURN_SECONDS = 0.5
_PATIENCE_SECONDS = 1.5
_DAEMON = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_MONITORING = _DAEMON.with_interface("org.freedesktop.DBus.Monitoring")


class CastMonitor:
    """Listens on the session bus; part of the captures sensor.

    Args:
        signed_in: whether somebody is signed in.
        vouching: looks at the calling program.
    """

    def __init__(self, signed_in: Callable[[], bool], vouching: Vouching) -> None:
        self._signed_in = signed_in
        self._vouching = vouching
        self._emit: Emit = lambda _signal: None
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._seen = threading.Event()
        self._monitor: DBusConnection | None = None
        self._asker: DBusConnection | None = None
        self._told: dict[tuple[str, str], float] = {}

    def start(self, emit: Emit) -> None:
        """Ask the bus to be monitored; where it refuses, `works` says so."""
        if self._thread is not None:
            return
        self._emit = emit
        try:
            self._asker = open_dbus_connection("SESSION")
            self._monitor = open_dbus_connection("SESSION")
            rules = [f"type='method_call',interface='{one}'" for one in (*_INTERFACES, _PROBE_INTERFACE)]
            answer = self._monitor.send_and_get_reply(
                new_method_call(_MONITORING, "BecomeMonitor", "asu", (rules, 0)), timeout=_PATIENCE_SECONDS
            )
        except (OSError, KeyError, ValueError) as error:
            _log.info("no session bus to monitor: %s", type(error).__name__)
            self._hang_up()
            return
        if answer.header.message_type is MessageType.error:
            self._hang_up()
            return
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, args=(self._monitor,), name="casts", daemon=True)
        self._thread.start()

    @property
    def has_begun(self) -> bool:
        """Whether the bus let itself be monitored when it was started last; whether it still does, `works` says."""
        return self._thread is not None

    def stop(self) -> None:
        """Stop listening."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            thread.join()
        self._hang_up()

    def works(self) -> bool:
        """Call nobody by an interface of our own: whether the monitor saw it."""
        thread, asker = self._thread, self._asker
        if thread is None or asker is None or not thread.is_alive():
            return False
        self._seen.clear()
        probe = new_method_call(DBusAddress("/", asker.unique_name, _PROBE_INTERFACE), _PROBE_MEMBER)
        probe.header.flags |= MessageFlag.no_reply_expected
        try:
            asker.send(probe)
        except OSError:
            return False
        return self._seen.wait(_PATIENCE_SECONDS)

    def _run(self, monitor: DBusConnection) -> None:
        while not self._ending.is_set():
            try:
                message = monitor.receive(timeout=_TURN_SECONDS)
            except TimeoutError:
                continue
            except (OSError, ValueError) as error:
                _log.warning("the session bus is gone: %s", type(error).__name__)
                return
            self._look(message)

    def _look(self, message: Message) -> None:
        fields = message.header.fields
        interface, member = str(fields.get(HeaderFields.interface, "")), str(fields.get(HeaderFields.member, ""))
        sender = str(fields.get(HeaderFields.sender, ""))
        if interface == _PROBE_INTERFACE:
            self._seen.set()
            return
        key, now = (sender, interface), time.monotonic()
        before = self._told.get(key, 0.0)
        self._told = {one: at for one, at in self._told.items() if now - at < _PAUSE_SECONDS}
        self._told[key] = now
        if interface not in _INTERFACES or now - before < _PAUSE_SECONDS or not self._signed_in():
            return
        facts: tuple[tuple[str, Fact], ...] = (("interface", interface), ("call", member))
        self._emit(Signal(SignalKind.SCREEN_CAST, wall_clock_us(), (*facts, *self._caller(sender))))

    def _caller(self, sender: str) -> tuple[tuple[str, Fact], ...]:
        # A connection of its own: a monitor may not call anybody. The self-test uses `_asker` from the hub's thread.
        try:
            with open_dbus_connection("SESSION") as bus:
                answer = bus.send_and_get_reply(
                    new_method_call(_DAEMON, "GetConnectionUnixProcessID", "s", (sender,)), timeout=_PATIENCE_SECONDS
                )
        except (OSError, KeyError, ValueError):
            return ()
        if answer.header.message_type is MessageType.error:
            return ()
        program = self._vouching.look(int(answer.body[0]))
        return () if program.standing is Standing.GONE else program.facts()

    def _hang_up(self) -> None:
        for one in (self._monitor, self._asker):
            if one is not None:
                with suppress(OSError):
                    one.close()
        self._monitor = self._asker = None
