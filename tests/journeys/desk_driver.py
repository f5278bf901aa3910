"""Drives the real desk window from outside: key and mouse events by xdotool, a real X server, pictures of the real screen.

What the window shows is known from the lines of ``--steps`` (constant names, no content) and from the pictures. Nothing in here calls a
method of the application, and nothing opens the vault while the desk has it.
"""

from __future__ import annotations

import fnmatch
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TRIES = 5
_SHOT = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication(sys.argv)
for line in sys.stdin:
    picture = app.primaryScreen().grabWindow(0)
    print(picture.save(line.strip(), "PNG"), flush=True)
"""


class NotSeenError(AssertionError):
    """The window did not show what was waited for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of ``--steps``."""

    at_us: int
    verb: str
    name: str


class DeskDriver:
    """One running desk."""

    def __init__(
        self, vault: Path, *, environment: dict[str, str] | None = None, command: Sequence[str | Path] = (), user: str | None = None
    ) -> None:
        """Start a desk: this checkout's on `vault`, or `command` (an installed launcher) as another account."""
        self._environment = {**os.environ, **(environment or {})}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.steps: list[Step] = []
        self.stray: list[str] = []
        self.process = subprocess.Popen(
            list(command) or [sys.executable, "-m", "ui", "--vault", str(vault), "--steps"],
            env=self._environment,
            cwd="/" if command else ROOT,
            stderr=subprocess.PIPE,
            text=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._shooter: subprocess.Popen[str] | None = None  # another client of the screen: only where pictures are wanted

    # -- seeing ----------------------------------------------------------------------------------------------------------------------

    def wait(self, *wanted: str, since: int | None = None, seconds: float = 30.0) -> Step:
        """Wait for one of the steps ``verb name`` (with ``*`` for anything) after step number `since`."""
        start = len(self.steps) if since is None else since
        deadline = time.monotonic() + seconds
        while True:
            for step in self.steps[start:]:
                said = f"{step.verb} {step.name}"
                if any(fnmatch.fnmatchcase(said, one) for one in wanted):
                    return step
            start = len(self.steps)
            if not self._take(deadline):
                raise NotSeenError(f"waited {seconds} s for {wanted}; last steps: {self.steps[-12:]}; said: {self.stray[-5:]}")

    def mark(self) -> int:
        """The number of steps so far: what follows is after now."""
        while self._take(time.monotonic()):
            pass
        return len(self.steps)

    def settle(self, quiet_seconds: float = 0.4, seconds: float = 10.0) -> None:
        """Wait until the window shows nothing new for a moment."""
        deadline = time.monotonic() + seconds
        while self._take(min(deadline, time.monotonic() + quiet_seconds)):
            if time.monotonic() >= deadline:
                return

    def picture(self, path: Path) -> Path:
        """Save what the screen shows."""
        if self._shooter is None:
            self._shooter = subprocess.Popen(
                [sys.executable, "-c", _SHOT],
                env={**self._environment, "QT_QPA_PLATFORM": "xcb"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._shooter.stdin is not None
        assert self._shooter.stdout is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._shooter.stdin.write(f"{path}\n")
        self._shooter.stdin.flush()
        assert self._shooter.stdout.readline().strip() == "True"
        return path

    # -- acting ----------------------------------------------------------------------------------------------------------------------

    def key(self, *keys: str) -> int:
        """Press keys, as xdotool names them; returns `mark` from before."""
        before = self.mark()
        self._xdotool("key", "--delay", "8", *keys)
        return before

    def type(self, text: str) -> None:
        """Type text into whatever has the keyboard."""
        self._xdotool("type", "--delay", "4", text)

    def click(self, x: int, y: int, button: int = 1) -> int:
        """Click at a point of the screen; returns `mark` from before."""
        before = self.mark()
        self._xdotool("mousemove", str(x), str(y), "click", str(button))
        return before

    def focus_window(self) -> None:
        """Give the keyboard to the desk's window and lay it over the whole screen."""
        found = self._xdotool("search", "--sync", "--onlyvisible", "--name", "^Casevault$").split()
        self._xdotool("windowmove", found[0], "0", "0", "windowsize", found[0], "100%", "100%", "windowfocus", found[0])

    def activate(self, name: str) -> None:
        """Change to a window of that name, as a person does with the window manager that is there."""
        for tries in range(_TRIES):
            try:
                found = self._xdotool("search", "--sync", "--onlyvisible", "--name", name).split()
                self._xdotool("windowactivate", "--sync", found[0])
            except subprocess.CalledProcessError:  # a window went that was being looked at, a notification's perhaps
                if tries == _TRIES - 1:
                    raise
            else:
                return

    def close(self) -> None:
        """End the desk as a closed window does, and everything that was started for it."""
        if self._shooter is not None:
            self._shooter.kill()
            self._shooter.wait()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._listener.join(10)  # what the desk started holds its standard error until it has ended, too
        camera = (self._shooter.stdin, self._shooter.stdout) if self._shooter is not None else ()
        for stream in (*camera, *((self.process.stderr,) if not self._listener.is_alive() else ())):
            if stream is not None:
                stream.close()

    def vault_pid(self) -> int:
        """The vault process: the desk's child that runs the runtime."""
        return next(pid for pid in children_of(self.process.pid) if b"vault.runtime" in _read(f"/proc/{pid}/cmdline"))

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(["xdotool", *arguments], env=self._environment, check=True, capture_output=True, text=True, timeout=30)
        return done.stdout

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _take(self, deadline: float) -> bool:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return False
        if line is None:
            self._lines.put(None)
            if time.monotonic() < deadline:
                time.sleep(0.01)
            return False
        parts = line.split(" ", 3)
        if parts[0] == "step" and len(parts) >= 3:
            self.steps.append(Step(int(parts[1]), parts[2], parts[3] if len(parts) > 3 else ""))
        else:
            self.stray.append(line)
        return True


def children_of(pid: int) -> list[int]:
    """Every descendant of a process."""
    direct: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):  # a thread's children are listed with the thread
        try:
            direct += [int(one) for one in task.read_text().split()]
        except OSError:
            continue
    return [*direct, *(below for one in direct for below in children_of(one))]


def _read(path: str) -> bytes:
    return Path(path).read_bytes()
