"""Against real dbus-daemons with a small logind and screen saver on them, speaking as org.freedesktop.login1(5) says."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.fds import FileDescriptor
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from vault.domain.protection import ProtectionState
from vault.platform import session_signals
from vault.platform.session_signals import SessionSignals

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux"),
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon"),
]

OURS, THEIRS = "/org/freedesktop/login1/session/_32", "/org/freedesktop/login1/session/_33"
MANAGER = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")


class Bus:
    """One dbus-daemon of our own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bus"
        config = folder / "bus.conf"
        config.write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
            '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
            f"<busconfig><listen>unix:path={self.path}</listen><auth>EXTERNAL</auth><policy context='default'>"
            "<allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/><allow user='*'/></policy></busconfig>"
        )
        self._config = config
        self.start()

    def start(self) -> None:
        self._daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
        )
        assert self._daemon.stdout is not None
        assert self._daemon.stdout.readline(), "the daemon says its address when it listens"

    def stop(self) -> None:
        self._daemon.terminate()
        self._daemon.wait(5)
        assert self._daemon.stdout is not None
        self._daemon.stdout.close()


class Speaker:
    """A service under well-known names that answers the two calls and says what it is told to say."""

    def __init__(self, address: str, *names: str) -> None:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        self._connection: DBusConnection = open_dbus_connection("SESSION", enable_fds=True)
        for name in names:
            self._connection.send_and_get_reply(message_bus.RequestName(name))
        self.inhibited: list[int] = []  # the ends we keep: readable when the other end is closed
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def say(self, path: str, interface: str, member: str, signature: str = "", body: tuple[object, ...] = ()) -> None:
        self._connection.send(new_signal(DBusAddress(path, interface=interface), member, signature or None, body))

    def close(self) -> None:
        self._connection.sock.shutdown(2)
        self._thread.join(5)
        self._connection.close()
        for descriptor in self.inhibited:
            os.close(descriptor)

    def _answer(self) -> None:
        while True:
            try:
                message = self._connection.receive()
            except OSError:
                return
            if message.header.message_type is not MessageType.method_call:
                continue
            member = message.header.fields[HeaderFields.member]
            if member == "GetSessionByPID":
                self._connection.send(new_method_return(message, "o", (OURS,)))
            elif member == "Inhibit":
                assert message.body[0] == "sleep"
                assert message.body[3] == "delay"
                kept, given = os.pipe()
                self.inhibited.append(kept)
                with FileDescriptor(given) as end:
                    self._connection.send(new_method_return(message, "h", (end,)))
            else:
                self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))


class Stage:
    def __init__(self, system: Bus, session: Bus) -> None:
        self.system, self.session = system, session
        self.logind = Speaker(f"unix:path={system.path}", "org.freedesktop.login1")
        self.saver = Speaker(f"unix:path={session.path}", "org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
        self.reasons: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.signals = SessionSignals(self.reasons.put)

    def close(self) -> None:
        self.signals.stop()
        self.logind.close()
        self.saver.close()


@pytest.fixture
def buses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bus, Bus]]:
    made = []
    for name in ("system", "session"):
        (tmp_path / name).mkdir()
        made.append(Bus(tmp_path / name))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={made[0].path}")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={made[1].path}")
    monkeypatch.setattr(session_signals, "_RETRY_SECONDS", 0.05)
    yield made[0], made[1]
    for bus in made:
        bus.stop()


@pytest.fixture
def stage(buses: tuple[Bus, Bus]) -> Iterator[Stage]:
    made = Stage(*buses)
    made.signals.start()
    assert made.signals.status().reason == "logind"
    yield made
    made.close()


SESSION, PROPERTIES = "org.freedesktop.login1.Session", "org.freedesktop.DBus.Properties"


def logind(path: str, interface: str, member: str, signature: str = "", body: tuple[object, ...] = ()) -> Callable[[Stage], None]:
    return lambda stage: stage.logind.say(path, interface, member, signature, body)


def saver(path: str, name: str, *, active: bool) -> Callable[[Stage], None]:
    return lambda stage: stage.saver.say(path, name, "ActiveChanged", "b", (active,))


def properties(path: str, interface: str, **changed: tuple[str, object]) -> Callable[[Stage], None]:
    return logind(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", (interface, changed, []))


def imposter(stage: Stage) -> None:
    """Somebody else on the system bus says what only logind may."""
    other = Speaker(f"unix:path={stage.system.path}", "org.example.Imposter")
    other.say("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (True,))
    other.close()


def addressed(path: str, interface: str, member: str, signature: str = "", body: tuple[object, ...] = ()) -> Callable[[Stage], None]:
    """Somebody else says it to us alone: the bus asks nobody's leave for that, and no match rule keeps it away."""

    def say(stage: Stage) -> None:
        with open_dbus_connection("SYSTEM") as other:
            names = other.send_and_get_reply(message_bus.ListNames()).body[0]
            for name in names:
                if name.startswith(":") and name != other.unique_name:
                    word = new_signal(DBusAddress(path, interface=interface), member, signature or None, body)
                    word.header.fields[HeaderFields.destination] = name
                    other.send(word)
            other.send_and_get_reply(message_bus.ListNames())  # the bus has passed it on

    return say


SAID: Sequence[tuple[str, Callable[[Stage], None], str | None]] = [
    # what is said, how, the reason to lock (None: none)
    ("going to sleep", logind("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (True,)), "suspend"),
    ("woke up", logind("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (False,)), None),
    ("our session is locked", logind(OURS, SESSION, "Lock"), "screen-lock"),
    ("another session is locked", logind(THEIRS, SESSION, "Lock"), None),
    ("our session is unlocked", logind(OURS, SESSION, "Unlock"), None),
    ("another person takes the seat", properties(OURS, SESSION, Active=("b", False)), "user-switch"),
    ("we take the seat", properties(OURS, SESSION, Active=("b", True)), None),
    ("the desktop says locked", properties(OURS, SESSION, LockedHint=("b", True)), "screen-lock"),
    ("idle hint", properties(OURS, SESSION, IdleHint=("b", True)), None),
    ("another session loses the seat", properties(THEIRS, SESSION, Active=("b", False)), None),
    ("screen saver on", saver("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver", active=True), "screen-lock"),
    ("screen saver on, old path", saver("/ScreenSaver", "org.freedesktop.ScreenSaver", active=True), "screen-lock"),
    ("GNOME screen saver on", saver("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", active=True), "screen-lock"),
    ("screen saver off", saver("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", active=False), None),
    ("an imposter", imposter, None),
    (
        "an imposter, to us alone",
        addressed("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (True,)),
        None,
    ),
    ("half a word, to us alone", addressed("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep"), None),
    ("another word, to us alone", addressed(OURS, PROPERTIES, "PropertiesChanged", "ss", (SESSION, "LockedHint")), None),
]


@pytest.mark.parametrize(("say", "reason"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_locks(stage: Stage, say: Callable[[Stage], None], reason: str | None) -> None:
    say(stage)
    if reason is not None:
        assert stage.reasons.get(timeout=3) == reason
    # Both buses keep order: when the last words were heard, everything before them was.
    logind(OURS, SESSION, "Lock")(stage)
    saver("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", active=True)(stage)
    assert [stage.reasons.get(timeout=3) for _ in range(2)] == ["screen-lock"] * 2
    assert stage.reasons.empty()


def test_sleep_waits_until_we_have_locked(stage: Stage) -> None:
    deadline = time.monotonic() + 3
    while not stage.logind.inhibited:
        assert time.monotonic() < deadline
    os.set_blocking(stage.logind.inhibited[0], False)
    with pytest.raises(BlockingIOError):
        os.read(stage.logind.inhibited[0], 1)  # still held
    stage.logind.say("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (True,))
    assert stage.reasons.get(timeout=3) == "suspend"
    os.set_blocking(stage.logind.inhibited[0], True)
    assert os.read(stage.logind.inhibited[0], 1) == b""  # let go: the computer may sleep
    stage.logind.say("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", (False,))
    while len(stage.logind.inhibited) < 2:
        assert time.monotonic() < deadline + 3


def test_without_a_system_bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    signals = SessionSignals(lambda _reason: None)
    assert signals.status().reason == "not-watching"
    signals.start()
    assert (signals.status().state, signals.status().reason) == (ProtectionState.UNAVAILABLE, "no-system-bus")
    signals.stop()


def test_without_logind(buses: tuple[Bus, Bus]) -> None:
    signals = SessionSignals(lambda _reason: None)
    signals.start()
    assert (signals.status().state, signals.status().reason) == (ProtectionState.UNAVAILABLE, "no-logind")
    signals.stop()


def test_a_lost_bus_is_said_and_tried_again(stage: Stage) -> None:
    stage.system.stop()
    deadline = time.monotonic() + 5
    while stage.signals.status().reason != "no-system-bus":
        assert time.monotonic() < deadline
    stage.system.path.unlink(missing_ok=True)
    stage.system.start()
    again = Speaker(f"unix:path={stage.system.path}", "org.freedesktop.login1")
    while stage.signals.status().reason != "logind":
        assert time.monotonic() < deadline + 5
    again.say(OURS, SESSION, "Lock")
    assert stage.reasons.get(timeout=3) == "screen-lock"
    again.close()


def test_a_defect_in_locking_does_not_end_the_listening(buses: tuple[Bus, Bus]) -> None:
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def fails_first(reason: str) -> None:
        heard.put(reason)
        if heard.qsize() == 1:
            raise RuntimeError("first")

    speaker = Speaker(f"unix:path={buses[0].path}", "org.freedesktop.login1")
    signals = SessionSignals(fails_first)
    signals.start()
    for count in (1, 2):
        speaker.say(OURS, SESSION, "Lock")
        deadline = time.monotonic() + 3
        while heard.qsize() < count:
            assert time.monotonic() < deadline
    signals.stop()
    speaker.close()
