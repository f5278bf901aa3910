"""Tracers and foreign code against the guard of our own processes, with real ones; and what an ordinary start must not report."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.installation import wait_until
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.sensors import process_guard
from vault.sensors.process_guard import ProcessGuard

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux")

# A process like ours: hardened, with a second thread, guarding itself. Prints each signal as a line.
GUARDED = """
import os, sys, threading
sys.path.insert(0, sys.argv[1])
from vault import platform as system
from vault.platform import environment
from vault.sensors.process_guard import ProcessGuard, keep_continuations
if "nobody" in sys.argv and os.geteuid() == 0:
    system.harden_process()  # loads what it needs while this account may read it
    os.setgroups([]), os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534)
    sys.executable = "/usr/bin/python3"
if "soft" in sys.argv:
    import ctypes
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
else:
    system.harden_process()
keep_continuations()
beside = {int(word): "interface" for word in sys.argv[2:] if word.isdecimal()}
guard = ProcessGuard(lambda: {os.getpid(): "vault", **beside}, lambda: environment.foreign_libraries([sys.argv[1]]))
guard.start(lambda signal: print(signal.kind.value, dict(signal.facts), flush=True))
print("state", guard.self_test().state.value, guard.self_test().reason, flush=True)
for line in sys.stdin:
    if line.strip():
        import ctypes
        ctypes.CDLL(line.strip())
guard.stop()
"""
ROOT = Path(__file__).resolve().parents[2]


class Guarded:
    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", GUARDED, str(ROOT), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def next(self, seconds: float = 30.0) -> str:
        return self.lines.get(timeout=seconds)

    def end(self) -> list[str]:
        """End it; what it said since."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self._reader.join(30)
        self.process.stdout.close()
        rest = []
        while not self.lines.empty():
            rest.append(self.lines.get())
        return rest


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    made = Guarded()
    yield made
    if made.process.poll() is None:
        made.end()


def test_an_ordinary_process_reports_nothing(guarded: Guarded) -> None:
    state = guarded.next()
    assert state == ("state detected root" if os.geteuid() == 0 else "state detected late")
    assert guarded.end() == []


def test_the_probe_tells_a_hardened_process_from_another() -> None:
    """As an ordinary account. Yama, where the kernel has it, refuses in both cases."""
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    refused = yama.exists() and yama.read_text().strip() != "0"
    for words, state in ((("nobody",), "detected late"), (("nobody", "soft"), "detected late" if refused else "unavailable readable")):
        guarded = Guarded(*words)
        assert guarded.next() == f"state {state}"
        guarded.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root can trace a hardened process")
@pytest.mark.parametrize("tracer", ["gdb", "strace"])
def test_a_tracer_is_one_report(guarded: Guarded, tracer: str) -> None:
    guarded.next()
    pid = str(guarded.process.pid)
    command = ["gdb", "-p", pid, "-nx", "-batch", "-ex", "continue"] if tracer == "gdb" else ["strace", "-f", "-o", "/dev/null", "-p", pid]
    assert shutil.which(tracer), "packaging/setup.sh dev installs it"
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        said = guarded.next()
    finally:
        process.terminate()
        process.wait()
    assert said.startswith("debugger ")
    for part in ("'traced': 'vault'", f"'process': '{tracer}'", f"'pid': {process.pid}", "'uid': 0"):
        assert part in said
    assert guarded.end() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root can trace a hardened process")
def test_a_tracer_of_one_thread_is_seen(guarded: Guarded) -> None:
    """The main thread's own status says nothing of it."""
    guarded.next()
    pid = guarded.process.pid
    threads = sorted(int(one.name) for one in Path(f"/proc/{pid}/task").iterdir())
    program = (
        "import ctypes, signal, sys; c = ctypes.CDLL(None); assert c.ptrace(0x4206, int(sys.argv[1]), None, None) == 0; "
        "print('seized', flush=True); signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(threads[-1])], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "seized\n"
        assert process_guard.tracers(pid) == {process.pid}
        assert guarded.next().startswith("debugger ")
        process.stdout.close()
    finally:
        process.kill()
        process.wait()
    assert wait_until(lambda: process_guard.tracers(pid) == set())


def test_whoever_freezes_the_processes_is_one_report_each() -> None:
    """A page stays on the screen while they are stopped, and nobody watches: both at once, as an attacker would."""
    interface = subprocess.Popen(["sleep", "600"])
    guarded = Guarded(str(interface.pid))
    try:
        assert guarded.next().startswith("state ")
        os.kill(interface.pid, signal.SIGSTOP)
        assert "'reason': 'stopped', 'process': 'interface'" in guarded.next()
        os.kill(interface.pid, signal.SIGCONT)
        os.kill(guarded.process.pid, signal.SIGSTOP)
        assert wait_until(lambda: process_guard._is_stopped(guarded.process.pid))
        os.kill(guarded.process.pid, signal.SIGCONT)
        said = guarded.next()
        assert said.startswith("sensor-blind ")
        assert "'reason': 'stopped', 'process': 'vault'" in said
        assert guarded.end() == []
    finally:
        interface.kill()
        interface.wait()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler")
def test_foreign_code_is_one_report(guarded: Guarded, tmp_path: Path) -> None:
    guarded.next()
    library = tmp_path / "evil.so"
    subprocess.run(["gcc", "-shared", "-o", library, "-x", "c", "-"], input=b"int x;", check=True)
    if os.geteuid() == 0:
        os.chown(library, 65534, 65534)
    assert guarded.process.stdin is not None
    guarded.process.stdin.write(f"{library}\n")
    guarded.process.stdin.flush()
    said = guarded.next()
    assert said.startswith("foreign-library ")
    assert "'library': 'evil.so'" in said
    assert str(tmp_path) not in said
    assert guarded.end() == []


def test_a_dead_thread_is_found_out_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    broken = [False]

    def libraries() -> tuple[str, ...]:
        if broken[0]:
            raise RuntimeError("planted")
        return ()

    signals: list[Signal] = []
    guard = ProcessGuard(lambda: {os.getpid(): "vault"}, libraries)
    assert guard.self_test().state is ProtectionState.UNAVAILABLE
    guard.start(signals.append)
    try:
        broken[0] = True
        assert guard.self_test().state is ProtectionState.UNAVAILABLE
        assert "planted" in caplog.text
        broken[0] = False
        guard.stop()
        guard.start(signals.append)
        assert guard.self_test().reason != "not-watching"
    finally:
        guard.stop()
    assert all(signal.kind is not SignalKind.DEBUGGER for signal in signals)
