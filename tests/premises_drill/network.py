"""Network namespaces joined by cables: who is on whose network, without touching the machine's own.

Rules:

- Every namespace is named after the run, so that two drills do not meet.
- A machine and a network have one cable each. `plug` pulls both out first: the machine then has an interface of the same name and
  addresses, as one that is carried to another socket.
- Each network's gateway has the same address and the same hardware address: to who only looks at those, home is the station.

Source: ip-netns(8), veth(4).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

STATION, HOME, WORKSTATION, THIEF = "station", "home", "workstation", "thief"
GATEWAY, GATEWAY_MAC, PORT = "10.99.0.1", "02:00:5e:10:00:01", 9090
URL = f"http://{GATEWAY}:{PORT}"

_MACHINES = {WORKSTATION: ("10.99.0.2", "02:00:5e:10:00:02"), THIEF: ("10.99.0.3", "02:00:5e:10:00:03")}
_NETWORKS = (STATION, HOME)
_CABLE = "eth0"
_PATIENCE_SECONDS = 10.0


class Network:
    """The namespaces of one run."""

    def __init__(self, run: str) -> None:
        self._run = run

    def create(self) -> None:
        """Make the namespaces, with their loopback up and no cable. Raises CalledProcessError where that is not allowed."""
        for name in (*_NETWORKS, *_MACHINES):
            _ip("netns", "add", self._name(name))
            self._in(name, "link", "set", "lo", "up")

    def remove(self) -> None:
        """End every process in the namespaces and take those away; whatever is missing is gone already."""
        for name in (*_NETWORKS, *_MACHINES):
            if not Path("/run/netns", self._name(name)).exists():
                continue
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while (left := self.processes(name)) and time.monotonic() < deadline:
                for pid in left:
                    _end(pid, signal.SIGTERM if deadline - time.monotonic() > _PATIENCE_SECONDS / 2 else signal.SIGKILL)
                time.sleep(0.05)
            _ip("netns", "del", self._name(name), check=False)

    def processes(self, name: str) -> list[int]:
        """Who runs in a namespace."""
        return [int(one) for one in _ip("netns", "pids", self._name(name), check=False).split()]

    def command(self, name: str, *command: str | Path) -> list[str]:
        """The command line that runs `command` in a namespace."""
        return ["nsenter", f"--net=/run/netns/{self._name(name)}", "--", *map(str, command)]

    def start(self, name: str, module: str, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a program of this package there and wait until it says that it is ready, by a line."""
        command = self.command(name, sys.executable, "-m", f"tests.premises_drill.{module}", *arguments)
        made = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert made.stdout is not None
        said = made.stdout.readline()
        assert said, f"{module} did not start"
        return made

    def plug(self, machine: str, network: str) -> None:
        """Put a machine's cable into a network's socket."""
        self.unplug(machine)
        self._in(network, "link", "del", _CABLE, check=False)
        address, mac = _MACHINES[machine]
        at_machine, at_network = self._name(machine), self._name(network)
        _ip("link", "add", _CABLE, "netns", at_network, "address", GATEWAY_MAC, "type", "veth", "peer", "name", _CABLE, "netns", at_machine)
        self._in(machine, "link", "set", _CABLE, "address", mac)
        for name, own in ((network, GATEWAY), (machine, address)):
            self._in(name, "addr", "add", f"{own}/24", "dev", _CABLE)
            self._in(name, "link", "set", _CABLE, "up")
        self._in(machine, "route", "add", "default", "via", GATEWAY)

    def unplug(self, machine: str) -> None:
        """Pull a machine's cable out, if it has one."""
        self._in(machine, "link", "del", _CABLE, check=False)

    def cut(self, network: str) -> None:
        """Cut the cable: the machine keeps its interface and its addresses, and nothing answers."""
        self._in(network, "link", "set", _CABLE, "down")

    def gateway(self, machine: str) -> str:
        """How a machine knows its gateway: address and hardware address."""
        for line in self._in(machine, "neigh", "show", GATEWAY).splitlines():
            words = line.split()
            if "lladdr" in words:
                return f"{words[0]} {words[words.index('lladdr') + 1]}"
        return ""

    def _name(self, name: str) -> str:
        return f"{self._run}-{name}"

    def _in(self, name: str, *arguments: str, check: bool = True) -> str:
        return _ip("-n", self._name(name), *arguments, check=check)


def _ip(*arguments: str, check: bool = True) -> str:
    return _run(("ip", *arguments), check=check)


def _run(command: Sequence[str], *, check: bool) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


def _end(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
