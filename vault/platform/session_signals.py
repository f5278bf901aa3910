"""The desktop says: the screen was locked, the computer goes to sleep, another person takes the seat. Then the session locks.

Rules:

1. System bus, logind: `Manager.PrepareForSleep(b)` with true; our session's `Lock()`; its properties `Active` false (another session in
   front) and `LockedHint` true.
2. Session bus: `ActiveChanged(b)` with true from org.freedesktop.ScreenSaver or org.gnome.ScreenSaver.
3. Only signals of the well-known name's owner are listened to, as the bus sorts them out; what is addressed to this connection itself the
   bus sorts by nothing, and whoever is on it may send that: it is passed over. What they say can only lock, never unlock.
4. A delay inhibitor keeps the computer awake until `on_lock` has returned (or logind's limit, 5 s by default, is over).
5. A bus that is lost is tried again; until it is back the status says so. Without logind: UNAVAILABLE ``no-system-bus`` or ``no-logind``.
6. LIMIT: a desktop that locks its screen without telling anybody on either bus is not noticed; the idle lock remains.

Thread: one for each bus; `on_lock(reason)` is called on it with ``suspend``, ``screen-lock`` or ``user-switch``, maybe several times.
Source: org.freedesktop.login1(5); freedesktop.org idle inhibition, GNOME screensaver interface.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vault.domain.protection import Protection, ProtectionState, ProtectionStatus

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

_log = logging.getLogger(__name__)

_LOGIND = "org.freedesktop.login1"
_LOGIND_PATH = "/org/freedesktop/login1"
_SESSION_INTERFACE = "org.freedesktop.login1.Session"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_SCREEN_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
_REPLY_SECONDS = 3.0
_RETRY_SECONDS = 5.0
_START_SECONDS = 5.0


class SessionSignals:
    """Listens on both buses and calls `on_lock(reason)`."""

    def __init__(self, on_lock: Callable[[str], None]) -> None:
        self._on_lock = on_lock
        self._ending = threading.Event()
        self._listeners: list[_Listener] = []
        self._system: _Listener | None = None

    def start(self) -> None:
        """Listen; returns when the first attempt on each bus has succeeded or failed (at most a few seconds)."""
        if self._listeners or sys.platform != "linux":
            return
        self._ending.clear()
        self._system = _LogindListener(self._on_lock, self._ending)
        self._listeners = [self._system, _ScreenSaverListener(self._on_lock, self._ending)]
        for listener in self._listeners:
            listener.start()
        for listener in self._listeners:
            listener.tried.wait(_START_SECONDS)

    def stop(self) -> None:
        """Stop listening."""
        self._ending.set()
        for listener in self._listeners:
            listener.interrupt()
        for listener in self._listeners:
            listener.join()
        self._listeners, self._system = [], None

    def status(self) -> ProtectionStatus:
        """What is true now: DETECTED ``logind`` while listening to logind, otherwise UNAVAILABLE with the reason."""
        if sys.platform != "linux":
            return ProtectionStatus(Protection.SESSION_SIGNALS, ProtectionState.UNAVAILABLE, "not-on-this-system")
        reason = self._system.reason if self._system is not None else "not-watching"
        state = ProtectionState.DETECTED if reason == "logind" else ProtectionState.UNAVAILABLE
        return ProtectionStatus(Protection.SESSION_SIGNALS, state, reason)


class _Listener(threading.Thread):
    """One bus: connect, subscribe, hand on its signals; and again when it is lost."""

    bus = ""

    def __init__(self, on_lock: Callable[[str], None], ending: threading.Event) -> None:
        super().__init__(name=f"session-signals-{self.bus.lower()}", daemon=True)
        self.tried = threading.Event()
        self.reason = "not-watching"
        self._on_lock = on_lock
        self._ending = ending
        self._connection: DBusConnection | None = None
        self._waiting: deque[Message] = deque()  # signals that came while a reply was awaited; jeepney's own call would drop them

    def interrupt(self) -> None:
        """Wake the thread from its waiting."""
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.sock.shutdown(2)

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                self._listen()
            except Exception as error:  # whatever somebody on the bus says, it is listened to again
                _log.info("no %s bus: %s", self.bus.lower(), type(error).__name__)
            finally:
                self._disconnect()
            self.tried.set()
            self._ending.wait(_RETRY_SECONDS)

    def subscribe(self) -> bool:
        """Ask for the signals; False if the speaker is not there."""
        raise NotImplementedError

    def heard(self, message: Message) -> None:
        """Act on one signal."""
        raise NotImplementedError

    def lock(self, reason: str) -> None:
        """Tell that the session must lock."""
        try:
            self._on_lock(reason)
        except Exception:
            _log.exception("locking for %s failed", reason)

    def call(self, name: str, path: str, interface: str, method: str, signature: str, body: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Call a method; None if it answers with an error. Signals that come meanwhile are kept for `heard`."""
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call  # noqa: PLC0415

        connection = self._connection
        assert connection is not None
        serial = next(connection.outgoing_serial)
        connection.send(new_method_call(DBusAddress(path, bus_name=name, interface=interface), method, signature, body), serial=serial)
        deadline = time.monotonic() + _REPLY_SECONDS
        while True:
            message = connection.receive(timeout=max(0.0, deadline - time.monotonic()))
            if message.header.fields.get(HeaderFields.reply_serial) == serial:
                return message.body if message.header.message_type is MessageType.method_return else None
            if time.monotonic() > deadline:
                raise TimeoutError  # whoever sends without a pause puts it off no further
            self._waiting.append(message)

    def has_owner(self, name: str) -> bool:
        """Whether somebody on the bus has the well-known name."""
        reply = self.call(*_BUS, "NameHasOwner", "s", (name,))
        return bool(reply and reply[0])

    def match(self, **what: str) -> None:
        """Have the bus send us signals like these."""
        from jeepney import MatchRule  # noqa: PLC0415

        self.call(*_BUS, "AddMatch", "s", (MatchRule(type="signal", **what).serialise(),))

    def _listen(self) -> None:
        from jeepney import HeaderFields, MessageType  # noqa: PLC0415 - needed on Linux only, and not before the first paint
        from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415

        self.reason = f"no-{self.bus.lower()}-bus"
        if self.bus == "SESSION" and "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
            return  # jeepney would fall back to a path that may be somebody else's
        self._connection = connection = open_dbus_connection(self.bus, enable_fds=True)
        if not self.subscribe():
            return
        self.tried.set()
        while not self._ending.is_set():
            message = self._waiting.popleft() if self._waiting else connection.receive()
            if message.header.message_type is MessageType.signal and HeaderFields.destination not in message.header.fields:
                self.heard(message)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._waiting.clear()
        if self.reason in ("logind", "screen-saver"):
            self.reason = f"no-{self.bus.lower()}-bus"
        if connection is not None:
            connection.close()


class _LogindListener(_Listener):
    bus = "SYSTEM"

    def __init__(self, on_lock: Callable[[str], None], ending: threading.Event) -> None:
        super().__init__(on_lock, ending)
        self._inhibitor: Any = None
        self._session_path = ""

    def subscribe(self) -> bool:
        if not self.has_owner(_LOGIND):
            self.reason = "no-logind"
            return False
        self._session_path = self._find_session()
        self.match(sender=_LOGIND, path=_LOGIND_PATH, interface=f"{_LOGIND}.Manager", member="PrepareForSleep")
        self.match(sender=_LOGIND, interface=_SESSION_INTERFACE, member="Lock")
        self.match(sender=_LOGIND, interface=_PROPERTIES, member="PropertiesChanged")
        self._inhibit()
        self.reason = "logind"
        return True

    def heard(self, message: Message) -> None:
        from jeepney import HeaderFields  # noqa: PLC0415

        fields = message.header.fields
        member, path = fields.get(HeaderFields.member), fields.get(HeaderFields.path, "")
        if member == "PrepareForSleep":
            self._sleep(bool(message.body[0]))
        elif self._session_path and path != self._session_path:
            return
        elif member == "Lock":
            self.lock("screen-lock")
        elif member == "PropertiesChanged" and message.body[0] == _SESSION_INTERFACE:
            changed = message.body[1]
            if changed.get("LockedHint", ("b", False))[1]:
                self.lock("screen-lock")
            if not changed.get("Active", ("b", True))[1]:
                self.lock("user-switch")

    def _sleep(self, begins: bool) -> None:
        if begins:
            self.lock("suspend")
            self._release_inhibitor()
        else:
            self._inhibit()

    def _inhibit(self) -> None:
        """Delay sleep until we have locked. Refused by polkit in some sessions; then locking may end after waking up."""
        self._release_inhibitor()
        what = ("sleep", "Casevault", "lock the session", "delay")
        reply = self.call(_LOGIND, _LOGIND_PATH, f"{_LOGIND}.Manager", "Inhibit", "ssss", what)
        self._inhibitor = reply[0] if reply else None

    def _release_inhibitor(self) -> None:
        inhibitor, self._inhibitor = self._inhibitor, None
        if inhibitor is not None:
            inhibitor.close()

    def _find_session(self) -> str:
        """Our session's object path; empty (then every session's signals count) if we are in none."""
        reply = self.call(_LOGIND, _LOGIND_PATH, f"{_LOGIND}.Manager", "GetSessionByPID", "u", (os.getpid(),))
        if reply is None and (session_id := os.environ.get("XDG_SESSION_ID")):
            reply = self.call(_LOGIND, _LOGIND_PATH, f"{_LOGIND}.Manager", "GetSession", "s", (session_id,))
        return str(reply[0]) if reply else ""

    def _disconnect(self) -> None:
        self._release_inhibitor()
        super()._disconnect()


class _ScreenSaverListener(_Listener):
    bus = "SESSION"

    def subscribe(self) -> bool:
        for name in _SCREEN_SAVERS:  # matched by sender: one that starts later is heard as well
            self.match(sender=name, interface=name, member="ActiveChanged")
        self.reason = "screen-saver"
        return True

    def heard(self, message: Message) -> None:
        from jeepney import HeaderFields  # noqa: PLC0415

        if message.header.fields.get(HeaderFields.member) == "ActiveChanged" and message.body and message.body[0] is True:
            self.lock("screen-lock")
