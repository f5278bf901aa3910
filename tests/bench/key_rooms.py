"""Key servers on loopback for what is measured: the real `tangd`, each behind a listener in a process of its own, that can be cut off.

Rules:

- A server of its own process, so that its work is not the measured program's, and so that it can be stopped in every way.
- A cut leaves nobody listening (`Cut.CLOSED`: refused at once), a listener that takes the question and never answers (`Cut.SILENT`), or one
  whose queue is full, where the kernel drops what asks for a connection as a firewall would (`Cut.DROPPED`).
"""

from __future__ import annotations

import enum
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.bench.stations import ROOT
from tests.tang import TangServer
from vault.services.ports import MetServer

_HOST = "127.0.0.1"
_QUEUED = 4  # more than a backlog of none takes


class Cut(enum.Enum):
    """How a server goes away."""

    CLOSED = "closed"
    SILENT = "silent"
    DROPPED = "dropped"


class KeyRoom:
    """One key server with its own keys, running until `close`."""

    def __init__(self, keys: Path) -> None:
        ours = TangServer(keys)  # makes the keys, and finds a port
        self.thumbprint = ours.thumbprint()
        self.port, self.url, self._keys = ours.port, ours.url, keys
        ours.close()
        self._full: list[socket.socket] = []
        self._process = self._start()

    def met(self, name: str) -> MetServer:
        """How an administrator names it."""
        return MetServer(name, self.url)

    def cut(self, how: Cut) -> None:
        """Cut it off; when this returns, it is."""
        if how is Cut.SILENT:
            self._process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
            return
        self._end()
        if how is Cut.DROPPED:
            self._full = [socket.create_server((_HOST, self.port), backlog=0)]
            for _ in range(_QUEUED):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex((_HOST, self.port))
                self._full.append(one)

    def mend(self) -> None:
        """Answer again."""
        self.close()
        self._process = self._start()

    def close(self) -> None:
        for one in self._full:
            one.close()
        self._full = []
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.premises_drill.key_room", str(self._keys), str(self.port)]
        made = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n", "the key server did not start"
        return made
