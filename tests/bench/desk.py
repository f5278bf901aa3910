"""The real desk in this process: its window, routing, guard and reader, with a real vault process behind the bridge.

Rules:

- The screen is an X server of our own, wide enough for an A4 page at 150 dpi.
- A time is taken in the slot that is told, never by whoever waits for it.
- Service calls go through the bridge; what is timed ends where the interface has the answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from tests.bench.stations import ROOT, Made
from ui import theme
from ui.app import MainWindow, Routing
from ui.bridge import Bridge
from ui.windows.reader import Reader
from ui.windows.shell import Shell
from vault.domain.identity import CaseId, CheckOutId
from vault.errors import VaultError
from vault.secret import Secret
from vault.services.custody import Custody
from vault.services.events import BreachRecorded

P = ParamSpec("P")
R = TypeVar("R")

SCREEN = (1920, 1200)
DPI = 150
_PATIENCE_SECONDS = 60.0
_LOOK_MS = 10


@contextmanager
def screen() -> Iterator[None]:
    """An X server for as long as the block runs; this process and its children use it."""
    reading, writing = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"], pass_fds=(writing,), stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    before = {name: os.environ.pop(name, None) for name in ("DISPLAY", "XAUTHORITY")}
    os.environ["DISPLAY"] = f":{number}"
    try:
        yield
    finally:
        server.terminate()
        server.wait()
        os.environ.update({name: value for name, value in before.items() if value is not None})


def application() -> QApplication:
    """The application, as `ui.app.main` makes it."""
    app = QApplication.instance()
    if app is None:
        app = QApplication(["casevault"])
        app.setQuitOnLastWindowClosed(False)
        theme.apply_theme(app)
    assert isinstance(app, QApplication)
    return app


def wait(condition: Callable[[], object], seconds: float = _PATIENCE_SECONDS) -> None:
    """Run the event loop until the condition holds. It is `exec`, as in the application: the bridge's threads run while it waits."""
    application()
    loop, looking = QEventLoop(), QTimer(interval=_LOOK_MS)
    deadline = time.monotonic() + seconds
    looking.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > deadline else None)
    looking.start()
    loop.exec()
    looking.stop()
    if not condition():
        raise TimeoutError(f"waited {seconds} s")


def rest(seconds: float) -> None:
    """Run the event loop for a while, as between two key presses."""
    deadline = time.monotonic() + seconds
    wait(lambda: time.monotonic() >= deadline)


class Asking:
    """A vault process of its own and service calls to it."""

    def __init__(self, made: Made) -> None:
        application()
        self.made = made
        self.bridge = Bridge(made.directory)
        self.seconds = 0.0  # of the last call
        self._ready = False
        self.bridge.ready.connect(self._note_ready)
        self.bridge.start()
        wait(lambda: self._ready)

    def _note_ready(self) -> None:
        self._ready = True

    def ask(self, method: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a service and wait; `seconds` is how long the interface waited for it."""
        told: list[tuple[float, Any, VaultError | None]] = []
        began = time.perf_counter()
        self.bridge.ask(method, *args, **kwargs).then(
            lambda value: told.append((time.perf_counter(), value, None)), lambda error: told.append((time.perf_counter(), None, error))
        )
        wait(lambda: told)
        at, value, error = told[0]
        self.seconds = at - began
        if error is not None:
            raise error
        return value

    def check_out(self, case_id: CaseId) -> CheckOutId:
        """Take custody for the first purpose offered; `seconds` is the check-out's."""
        purpose = self.ask(Custody.choices, case_id).purposes[0]
        return self.ask(Custody.check_out, case_id, purpose, 0, "measured, not read").check_out_id

    def close(self) -> None:
        self.bridge.shutdown()


class Desk:
    """The window, signed in or not."""

    def __init__(self, made: Made) -> None:
        self.app = application()
        self.made = made
        self.window = MainWindow()
        self.bridges: list[Bridge] = []
        self.breaches: list[tuple[float, BreachRecorded]] = []
        self.routing = Routing(self.window, self._make_bridge)
        self.window.show()
        wait(lambda: self.routing._is_ready and self.routing._later is None)

    def _make_bridge(self) -> Bridge:
        bridge = Bridge(self.made.directory)
        bridge.told.connect(self._told)
        self.bridges.append(bridge)
        return bridge

    def _told(self, event: object) -> None:
        if isinstance(event, BreachRecorded):
            self.breaches.append((time.perf_counter(), event))

    @property
    def bridge(self) -> Bridge:
        return self.bridges[-1]

    @property
    def shell(self) -> Shell:
        assert self.routing.shell is not None
        return self.routing.shell

    @property
    def reader(self) -> Reader:
        assert self.shell.reader is not None
        return self.shell.reader

    def sign_in(self, badge_no: str) -> None:
        self.enter(*self.made.credentials(badge_no))
        wait(lambda: self.routing.shell is not None and self.routing.shell._page is not None)

    def enter(self, badge_no: str, passphrase: str, code: str) -> None:
        """Sign in as the form does with what was typed; not waited for."""
        self.routing._sign_in(badge_no, Secret(passphrase.encode()), code)

    def ask(self, method: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a service and wait."""
        told: list[tuple[Any, VaultError | None]] = []
        self.bridge.ask(method, *args, **kwargs).then(lambda value: told.append((value, None)), lambda error: told.append((None, error)))
        wait(lambda: told)
        value, error = told[0]
        if error is not None:
            raise error
        return value

    def check_out(self, case_id: CaseId) -> CheckOutId:
        purpose = self.ask(Custody.choices, case_id).purposes[0]
        return self.ask(Custody.check_out, case_id, purpose, 0, "measured, not read").check_out_id

    def open_reader(self, check_out_id: CheckOutId) -> float:
        """Open a file as a click on it does; seconds until its page is painted."""
        painted: list[float] = []
        began = time.perf_counter()
        self.shell.open_reader(check_out_id)
        self.reader.page.painted.connect(lambda _page: painted.append(time.perf_counter()))
        wait(lambda: painted)
        return painted[0] - began

    def fit_page_to_dpi(self) -> None:
        """Make the window as wide as an A4 page at 150 dpi needs beside the documents list."""
        room = self.reader.page.maximumViewportSize().width() - 32 - self.reader.page.verticalScrollBar().sizeHint().width()
        wanted = round(DPI * 595 / 72)
        self.window.resize(self.window.width() + wanted - room, 1100)

    def close(self) -> None:
        self.window.may_close = True
        for bridge in self.bridges:
            bridge.shutdown()
        self.window.close()


class BareRenderer:
    """The peer: pypdfium2 in a process that does nothing else."""

    _PROGRAM = """
import sys, time, pypdfium2
pdf, scale = pypdfium2.PdfDocument(sys.argv[1]), float(sys.argv[2]) / 72
for line in sys.stdin:
    began = time.perf_counter()
    page = pdf[int(line) - 1]
    bitmap = page.render(scale=scale)
    took = time.perf_counter() - began
    print(took, bitmap.width, flush=True)
    bitmap.close(); page.close()
"""

    def __init__(self, path: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM, str(path), str(DPI)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def render(self, page_no: int) -> float:
        """Seconds to load and render one page."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{page_no}\n")
        self._child.stdin.flush()
        return float(self._child.stdout.readline().split()[0])

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
