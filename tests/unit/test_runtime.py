"""The end of a vault process: it has a deadline from the lock on, is told once, and waits once for an interface that does not listen."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from vault.errors import DefectError, TamperError, UnavailableError
from vault.runtime import Server
from vault.services import wire
from vault.services.events import Ending, Event, Tick
from vault.services.operation import Priority
from vault.services.page_memory import PageMemory

WAITS_US = 200_000


class TimedServer(Server):
    """Notes the deadlines it sets instead of dying at them."""

    def __init__(self, directory: Path, pipe: socket.socket) -> None:
        super().__init__(directory, pipe, PageMemory.create())
        self.deadlines: list[float] = []

    def _end_within(self, seconds: float) -> None:
        self.deadlines.append(seconds)


@pytest.fixture
def pipe() -> Iterator[tuple[socket.socket, socket.socket]]:
    interface, vault = socket.socketpair()
    vault.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, WAITS_US))
    with interface, vault:
        yield interface, vault


def read(interface: socket.socket) -> bytes:
    interface.setblocking(False)
    found = b""
    try:
        while more := interface.recv(1 << 20):
            found += more
    except BlockingIOError:
        pass
    return found


def sent(event: Event) -> bytes:
    return wire.frame(wire.encode_event(event))


def test_the_deadline_runs_from_the_lock_and_the_end_is_told_once(tmp_path: Path, pipe: tuple[socket.socket, socket.socket]) -> None:
    interface, vault = pipe
    server = TimedServer(tmp_path, vault)
    server._end_if_asked()
    assert not server.deadlines
    server._end("locked")
    server._end("signed-out")
    assert len(server.deadlines) == 1, "it runs before anything is sent"
    server._lanes.control.put(Priority.BREACH, server._end_if_asked)  # a report that is still queued, or a call that is answered behind it
    server._end_if_asked()
    server._lanes.control.run()
    assert read(interface) == sent(Ending("signed-out"))


NO_THREAD_LEFT = """
import socket, sys, threading, time
from pathlib import Path
from vault.runtime import Server
from vault.services.page_memory import PageMemory

server = Server(Path(sys.argv[1]), socket.socketpair()[0], PageMemory.create())

def none_left(_thread):
    if sys.argv[2] == "hangs":
        time.sleep(60)
    raise RuntimeError("can't start new thread")

threading.Thread.start = none_left
server._end_within(0.2)
server._end("locked")
assert server._ending == "locked"
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["is refused", "hangs"])
def test_a_deadline_needs_no_thread(tmp_path: Path, how: str) -> None:
    """Whoever takes every thread that the account may have, or the memory for one, keeps no process alive after its lock."""
    command = [sys.executable, "-c", NO_THREAD_LEFT, str(tmp_path), how]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == -signal.SIGALRM, done.stderr


@pytest.mark.parametrize("error", [None, UnavailableError("store.full"), TamperError("store.damaged"), ValueError()])
def test_the_page_is_covered_while_files_that_are_due_cannot_be_returned(
    tmp_path: Path, pipe: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    interface, vault = pipe
    server = TimedServer(tmp_path, vault)

    def return_expired() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(server, "_tampered", lambda _error: None)
    monkeypatch.setattr(server, "_defect", lambda: DefectError("vault.defect"))
    monkeypatch.setattr(server, "_vault", SimpleNamespace(custody=SimpleNamespace(return_expired=return_expired)))
    server._every_second()
    assert read(interface) == (sent(Tick()) if error is None else b""), "without a tick the interface covers the page"


def test_an_interface_that_does_not_listen_is_waited_for_once(tmp_path: Path, pipe: tuple[socket.socket, socket.socket]) -> None:
    interface, vault = pipe
    server = TimedServer(tmp_path, vault)
    vault.setblocking(False)
    with suppress(BlockingIOError):
        while vault.send(b"-" * 4096):
            pass
    vault.setblocking(True)
    server._publish(Tick())
    assert len(server.deadlines) == 1
    read(interface)  # it goes on: there is room again, and what it would read now belongs to no frame
    for _ in range(3):
        server._publish(Tick())
    assert read(interface) == b""
    assert len(server.deadlines) == 1
    assert not server._lanes.control.put(Priority.BREACH, lambda: None), "and the process ends"
