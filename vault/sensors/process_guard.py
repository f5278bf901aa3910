"""The application's own processes: is one traced, has foreign code got into this one, can another program read its memory (V36, V37, V42)?

Rules:

1. DEBUGGER: a thread of one of our processes has a tracer. Every thread is asked twice a second; one signal a tracer and process, with
   the tracer's name, number and account.
2. FOREIGN_LIBRARY: a file is mapped here as code that neither root nor this installation put there. Looked for every five seconds and at
   each self-test; one signal a file, with its name and a digest of its path. The interface looks at itself when it starts.
3. The self-test starts a child with this account's own rights, without the group the launcher lends, and has it open our memory: it must
   be refused. Root is always let in, so that there is nothing to try.
4. ENFORCED ``launched``: refused, and started by the launcher. DETECTED ``late``: refused, but started from a checkout, where a program
   that was quick at the start keeps reading. DETECTED ``root``: this account is root, which reads every memory unseen.
   UNAVAILABLE ``readable``: the child was let in.

5. SENSOR_BLIND ``stopped``: the interface or a rendition worker is stopped by a signal when it is looked at, or the vault process was and
   goes on (`keep_continuations`): whoever freezes them freezes what watches, and what is on the screen stays there.

LIMIT: the interface stopped for less than half a second is not seen; a stop without a signal (the freezer of control groups) never.
LIMIT: a tracer that attaches and goes within half a second is not seen. Only root gets that far (rule 3), and root can hide.

Thread: one, ``process-guard``. Source: proc(5) TracerPid, ptrace(2) "Ptrace access mode checking"; experiments E5 and E6.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from vault import reach
from vault.domain.breach import Signal, SignalKind, gone_blind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.sensors.contract import Emit, wall_clock_us

_log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 0.5
_LIBRARIES_EVERY = 10
_ANSWER_SECONDS = 1.0
_PROBE_SECONDS = 10.0  # a loaded machine takes a while to start a child
_REFUSED, _LET_IN = 0, 1
_CONTINUED = frozenset({signal.SIGCONT}) if sys.platform == "linux" else frozenset()
_PROBE = """
import os, sys
group = os.getgid()
os.setresgid(group, group, group)
try:
    os.open(f"/proc/{sys.argv[1]}/mem", os.O_RDONLY)
except PermissionError:
    sys.exit(0)
except OSError:
    sys.exit(2)
sys.exit(1)
"""


class ProcessGuard:
    """Watches the application's own processes.

    Args:
        processes: process id -> ``interface``, ``vault`` or ``rendition``; asked anew each time.
        foreign_libraries: the files mapped as code into this process that are not ours.
    """

    def __init__(self, processes: Callable[[], Mapping[int, str]], foreign_libraries: Callable[[], tuple[str, ...]]) -> None:
        self._processes = processes
        self._foreign_libraries = foreign_libraries
        self._emit: Emit = _drop
        self._tracers: set[tuple[int, int]] = set()  # (our process, tracer) already told
        self._libraries: set[str] = set()
        self._stopped: set[int] = set()  # processes that were stopped at the last look
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._answered = threading.Event()
        self._ending = False

    @property
    def protection(self) -> Protection:
        """PROCESS."""
        return Protection.PROCESS

    def start(self, emit: Emit) -> None:
        """Watch; the first look is at once, on the sensor's own thread."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="process-guard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending = True
            self._wake.set()
            thread.join()

    def self_test(self) -> ProtectionStatus:
        """Have the thread look once more, and a child of this account try to read our memory."""
        if self._thread is None or not self._thread.is_alive():
            return self._status(ProtectionState.UNAVAILABLE, "not-watching" if sys.platform == "linux" else "not-on-this-system")
        self._answered.clear()
        self._wake.set()
        answer = _REFUSED if os.geteuid() == 0 else _try_to_read(os.getpid())
        if not self._answered.wait(_ANSWER_SECONDS):
            return self._status(ProtectionState.UNAVAILABLE, "blind")
        if answer != _REFUSED:
            return self._status(ProtectionState.UNAVAILABLE, "readable" if answer == _LET_IN else "blind")
        return self._refused()

    def _refused(self) -> ProtectionStatus:
        """Nobody of this account is let in now; what else is true decides what that is worth."""
        for is_so, reason in ((self._libraries, "foreign-code"), (os.geteuid() == 0, "root"), (not reach.is_launched(), "late")):
            if is_so:
                return self._status(ProtectionState.DETECTED, reason)
        return self._status(ProtectionState.ENFORCED, "launched")

    def _run(self) -> None:
        turn = 0
        try:
            while not self._ending:
                asked = self._wake.is_set()
                self._wake.clear()
                self._look_for_tracers()
                self._look_for_stops()
                if asked or turn % _LIBRARIES_EVERY == 0:
                    self._look_for_libraries()
                turn += 1
                if asked:
                    self._answered.set()
                self._wake.wait(_INTERVAL_SECONDS)
        except Exception:
            _log.exception("the process guard failed")  # the hub finds a dead thread, reports it and starts another

    def _look_for_tracers(self) -> None:
        seen: set[tuple[int, int]] = set()
        for pid, role in self._processes().items():
            for tracer in tracers(pid):
                seen.add((pid, tracer))
                if (pid, tracer) not in self._tracers:
                    self._emit(Signal(SignalKind.DEBUGGER, wall_clock_us(), (("traced", role), *_who(tracer))))
        self._tracers = seen

    def _look_for_stops(self) -> None:
        roles = self._processes()
        stopped = {pid for pid in roles if pid != os.getpid() and _is_stopped(pid)}
        told = [roles[pid] for pid in sorted(stopped - self._stopped)]
        self._stopped = stopped
        if signal.sigtimedwait(_CONTINUED, 0) is not None:
            told.append("vault")
        for role in told:
            self._emit(gone_blind(self._status(ProtectionState.UNAVAILABLE, "stopped"), wall_clock_us(), ("process", role)))

    def _look_for_libraries(self) -> None:
        for path in self._foreign_libraries():
            if path not in self._libraries:
                self._libraries.add(path)
                self._emit(Signal(SignalKind.FOREIGN_LIBRARY, wall_clock_us(), library_facts("vault", path)))

    def _status(self, state: ProtectionState, reason: str) -> ProtectionStatus:
        return ProtectionStatus(self.protection, state, reason)


def library_facts(role: str, path: str) -> tuple[tuple[str, str | int], ...]:
    """Give the facts of a FOREIGN_LIBRARY signal: whose process, the file's name, and a digest of its whole path."""
    return (("loaded_by", role), ("library", os.path.basename(path)), ("path_digest", hashlib.sha256(path.encode()).hexdigest()[:16]))  # noqa: PTH119


def tracers(pid: int) -> set[int]:
    """Give the processes that trace a thread of `pid`; none if it is gone."""
    found: set[int] = set()
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 -- twice a second
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/status", "rb", buffering=0) as file:  # noqa: PTH123 -- twice a second
                lines = file.read(4096) or b""
        except OSError:
            continue
        tracer = lines.partition(b"TracerPid:\t")[2].partition(b"\n")[0]
        if tracer.isdigit() and tracer != b"0":
            found.add(int(tracer))
    return found


def keep_continuations() -> None:
    """Have this process know when it was stopped and goes on. Thread: main only, once, before another one is started.

    A handler would run when the main thread next does something. It is kept for the guard instead: the process goes on all the same.
    """
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_BLOCK, _CONTINUED)


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 -- twice a second
            return (file.read(4096) or b"").rpartition(b") ")[2][:1] == b"T"
    except OSError:
        return False


def _who(pid: int) -> tuple[tuple[str, str | int], ...]:
    place = Path(f"/proc/{pid}")
    facts: list[tuple[str, str | int]] = []
    try:
        facts.append(("process", (place / "comm").read_bytes().decode("utf-8", "replace").strip()))
        facts += [("pid", pid), ("uid", place.stat().st_uid)]
        facts.append(("executable", (place / "exe").readlink().name))
    except OSError:
        return (*facts, ("pid", pid)) if len(facts) < 2 else tuple(facts)  # noqa: PLR2004 -- gone, or another account's
    return tuple(facts)


def _try_to_read(pid: int) -> int:
    command = [sys.executable, "-I", "-S", "-B", "-c", _PROBE, str(pid)]
    try:
        return subprocess.run(command, check=False, env={}, capture_output=True, timeout=_PROBE_SECONDS).returncode  # noqa: S603 -- fixed
    except (OSError, subprocess.SubprocessError):
        return -1


def _drop(_signal: Signal) -> None:
    """Before start there is nobody to tell."""
