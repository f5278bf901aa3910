"""The screen is seen somewhere else: forwarded, or served by a remote desktop program, while somebody is signed in (V25-V27, V32).

Rules:

1. Where the desk's screen is, is found once at the start (`screen.examine`): it cannot change while the desk runs. `refusal` says what a
   station that refuses remote screens must refuse.
2. Twice a second: processes that are new are compared with the programs that serve screens, by name and by the libraries they are made
   of; ports that remote desktops listen on are traced to their process. All others are looked at again now and then, for a process may
   become another program.
3. On an X display a program counts if it is a client of *our* display; where the kernel does not say, it counts. A server program that
   merely waits for its service (another display, a login screen) is not our screen.
4. One REMOTE_SESSION signal a finding, repeated while it lasts: nobody reads on beside it.
5. That this is a virtual machine is part of the status; VIRTUAL_MACHINE is signalled once an opening where policy asks for it.

LIMIT: a renamed program without a library we know, on a port nobody knows, is a client of the display like any other: the capture
sensor's allow-list is what sees it. A program in another process namespace is not seen.

Thread: one, ``remote``. Source: proc(5), sock_diag(7); experiment E9.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors import screen, sockets
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.officers_view import looking_at_programs
from vault.sensors.screen import Finding, How

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 60.0
_ALL_SECONDS = 15.0
_YOUNG_POLLS = 4  # how often a new process is looked at: it begins as a copy of its parent
_PROBE_SECONDS = 1.8
_NAME_CHARACTERS = 15

# Base names of executables that serve a screen; those of the second table do so only where their own window system is.
_SERVERS = (
    *("x11vnc", "x0vncserver", "x0tigervncserver", "x0vnc*", "krfb", "vino-server", "wayvnc", "linuxvnc"),
    *("gnome-remote-desktop*", "krdpserver", "freerdp-shadow*", "weston-rdp*"),
    *("rustdesk", "hoptodesk", "anydesk", "TeamViewer", "TeamViewer_Desktop", "teamviewer", "teamviewerd", "ultraviewer*"),
    *("nxserver.bin", "nxnode.bin", "nxexec", "dwagsvc", "dwagent", "SRServer", "splashtop*", "remoting_me2me_host", "chrome-remote-de*"),
    *("parsecd", "sunshine", "meshagent", "screenconnect*", "aeroadmin", "ammyy*", "logmein*", "xpra*", "vncproxy*", "guacd"),
)
_LIBRARIES = (b"/libvncserver.so", b"/libfreerdp-server", b"/libfreerdp-shadow", b"/libqvnc.so", b"/libneatvnc.so", b"/librustdesk.so")
_PORTS = frozenset(
    (*range(5800, 5810), *range(5900, 5964), 3350, 3389, 4000, 5938, 6568, 7070, *range(21115, 21120), 47984, 47989)  # VNC, RDP, NX, others
)


class RemoteSensor:
    """Watches for remote sessions.

    Args:
        environment: the interface's variables that tell where its screen is; see `screen.VARIABLES`.
        signed_in: whether anybody is; called from this sensor's thread, must not block.
        report_virtual_machine: whether that this is a virtual machine is a signal.
    """

    def __init__(self, environment: Mapping[str, str], signed_in: Callable[[], bool], *, report_virtual_machine: bool = False) -> None:
        self._environment = {name: environment[name] for name in screen.VARIABLES if name in environment}
        self._signed_in = signed_in
        self._report_virtual_machine = report_virtual_machine
        self._place = ""
        self._at_start: tuple[Finding, ...] = ()
        self._examined = False
        self._examining = threading.Lock()
        self._current: tuple[Finding, ...] = ()  # the last look's, while somebody is signed in
        self._virtual_machine = ""
        self._emit: Emit = _drop
        self._ages: dict[int, int] = {}  # process -> polls left in which it is looked at
        self._suspects: dict[int, Finding] = {}
        self._traced: set[int] = set()  # sockets on well-known ports whose process was looked for
        self._all_at = 0.0
        self._told: dict[Finding, float] = {}
        self._told_machine = False
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._wake = threading.Event()
        self._probe_port = 0
        self._probe_seen = threading.Event()

    @property
    def protection(self) -> Protection:
        """REMOTE_SESSION."""
        return Protection.REMOTE_SESSION

    @property
    def virtual_machine(self) -> str:
        """The hypervisor's name as far as it can be told; empty if none is seen."""
        self._examine()
        return self._virtual_machine

    def refusal(self) -> Finding | None:
        """Give the evidence that the desk's own screen is forwarded or served by its own server, if it is. Before or after the start."""
        self._examine()
        return next((one for one in self._at_start if one.how in (How.FORWARDED, How.SERVED)), None)

    def findings(self) -> tuple[Finding, ...]:
        """Give what speaks for a remote session now, weaker evidence too (any thread)."""
        self._examine()
        return tuple(dict.fromkeys((*self._at_start, *self._current)))

    def start(self, emit: Emit) -> None:
        """Watch."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._examine()
        self._emit = emit
        self._ending.clear()
        self._ages.clear()
        self._suspects.clear()
        self._told.clear()
        self._all_at = 0.0
        self._thread = threading.Thread(target=self._run, name="remote", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            self._wake.set()
            thread.join()

    def self_test(self) -> ProtectionStatus:
        """Listen on a port of our own for a moment; the sensor must see it, and that it is ours."""
        if sys.platform != "linux":
            return self._status(ProtectionState.UNAVAILABLE, "not-on-this-system")
        thread = self._thread
        if thread is None or not thread.is_alive():
            return self._status(ProtectionState.UNAVAILABLE, "not-watching")
        try:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self._probe_seen.clear()
                self._probe_port = probe.getsockname()[1]
                self._wake.set()
                seen = self._probe_seen.wait(_PROBE_SECONDS)
        except OSError:
            seen = False
        self._probe_port = 0
        if not seen:
            return self._status(ProtectionState.UNAVAILABLE, "blind")
        return self._status(ProtectionState.DETECTED, "virtual-machine" if self._virtual_machine else "watched")

    # ---- the thread --------------------------------------------------------------------------------------------------------------

    def _examine(self) -> None:
        with self._examining:
            if not self._examined and sys.platform == "linux":
                self._examined = True
                self._at_start = screen.examine(self._environment)
                number = screen.display_number(self._environment)
                self._place = "" if number is None else f"{screen.X_SOCKETS}{number}"
                self._virtual_machine = screen.virtual_machine()

    @looking_at_programs()
    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._look()
                self._wake.wait(_POLL_SECONDS)
                self._wake.clear()
        except Exception:
            _log.exception("the remote-session sensor failed")  # the hub finds a dead thread, reports it and starts another

    def _look(self) -> None:
        self._look_at_processes()
        self._look_at_ports()
        if not self._signed_in():
            self._told.clear()
            self._current = ()
            return
        if self._virtual_machine and self._report_virtual_machine and not self._told_machine:
            self._told_machine = True
            self._emit(Signal(SignalKind.VIRTUAL_MACHINE, wall_clock_us(), (("hypervisor", self._virtual_machine),)))
        now = time.monotonic()
        clients = sockets.clients_of_display(self._place) if self._place and self._suspects else None
        current = (*self._at_start, *(one for pid, one in self._suspects.items() if self._is_at_our_screen(pid, clients)))
        self._current = current
        for finding in current:
            if now - self._told.get(finding, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
                self._told[finding] = now
                self._emit(Signal(SignalKind.REMOTE_SESSION, wall_clock_us(), finding.as_facts()))

    def _look_at_processes(self) -> None:
        now = time.monotonic()
        pids = {int(entry) for entry in os.listdir("/proc") if entry.isdecimal()}  # noqa: PTH208 - twice a second
        every = now >= self._all_at
        if every:
            self._all_at = now + _ALL_SECONDS
            self._traced.clear()
        for gone in self._ages.keys() - pids:
            del self._ages[gone]
            self._suspects.pop(gone, None)
        for pid in pids:
            left = self._ages.get(pid, _YOUNG_POLLS)
            if left <= 0 and not every:
                continue
            self._ages[pid] = max(0, left - 1)
            finding = _program(pid, with_libraries=left == 1)
            if finding is not None:
                self._suspects[pid] = finding
            elif left > 0 or (pid in self._suspects and self._suspects[pid].by == "program"):
                self._suspects.pop(pid, None)

    def _look_at_ports(self) -> None:
        ports = sockets.listening()
        if self._probe_port:
            own = sockets.sockets_of(os.getpid()) or frozenset()
            if any(one.port == self._probe_port and one.inode in own for one in ports):
                self._probe_seen.set()
        wanted = {one.inode: one for one in ports if one.port in _PORTS}
        if self._place and wanted.keys() - self._traced:
            self._traced = set(wanted)  # once: tracing takes milliseconds, and the system's own are nobody's that we may look at
            for pid in self._ages.keys() - self._suspects.keys():
                for inode in (sockets.sockets_of(pid) or frozenset()) & wanted.keys():
                    self._suspects[pid] = _describe(pid, "port", (("port", wanted[inode].port), ("socket", inode)))

    def _is_at_our_screen(self, pid: int, clients: frozenset[int] | None) -> bool:
        """Whether a program has to do with our screen: it is a client of our X display, or nobody can tell."""
        if not self._place:
            return bool(self._environment.get("WAYLAND_DISPLAY"))
        own = sockets.sockets_of(pid)
        return clients is None or own is None or bool(own & clients)

    def _status(self, state: ProtectionState, reason: str) -> ProtectionStatus:
        return ProtectionStatus(self.protection, state, reason)


def _program(pid: int, *, with_libraries: bool) -> Finding | None:
    """What a process is, if it is a program that serves screens. Takes some 30 µs, with the libraries some 100."""
    try:
        with open(f"/proc/{pid}/comm", "rb", buffering=0) as file:  # noqa: PTH123 - hundreds of them
            names = [file.read(64).decode("utf-8", "replace").strip()]
    except OSError:
        return None
    with suppress(OSError):
        names.append(os.readlink(f"/proc/{pid}/exe").rpartition("/")[2].removesuffix(" (deleted)"))  # noqa: PTH115
    if any(_is_server(name) for name in names):
        return _describe(pid, "program")
    if with_libraries and pid != os.getpid():
        with suppress(OSError):
            maps = Path(f"/proc/{pid}/maps").read_bytes()
            if any(library in maps for library in _LIBRARIES):
                return _describe(pid, "library")
    return None


def _is_server(name: str) -> bool:
    cut = len(name) == _NAME_CHARACTERS
    return any(fnmatch.fnmatchcase(name, one) or (cut and one.startswith(name)) for one in _SERVERS)


def _describe(pid: int, by: str, more: tuple[tuple[str, str | int], ...] = ()) -> Finding:
    process, executable, uid = "", "", -1
    with suppress(OSError):
        process = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
        uid = Path(f"/proc/{pid}").stat().st_uid
        executable = Path(f"/proc/{pid}/exe").readlink().name
    return Finding(How.SERVED, by, (("process", process), ("pid", pid), ("uid", uid), ("executable", executable), *more))


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
