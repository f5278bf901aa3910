"""The interface's end of the pipe: service calls as replies, committed events as Qt signals.

Rules:

- The Qt main thread does no I/O: one thread reads the pipe, one writes it; results come home as queued signals.
- The interface never holds a document or a key. Page pictures are copied out of shared memory, one at a time.
- A lock ends the vault process; the bridge throws the page memory away and starts a fresh process, which opens at workstation level while
  the next passphrase is typed (DESIGN §2). One that has not ended LOCK_SECONDS after the lock was asked for is killed: whatever it is busy
  with, it has the person's keys. What it leaves is what a killed desk leaves, and is told of as such.
- A vault process that ends CRASHES_BORNE times before it answers is not started again until somebody asks (`start`).
- A frame is overwritten once it is sent: it may carry a passphrase.
- A missed tick (STALL_SECONDS without one) blanks the page: `stalled`.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

import PySide6
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage

from vault.errors import DefectError, UnavailableError, VaultError
from vault.secret import wipe

if TYPE_CHECKING:
    from vault.services.page_memory import PageMemory
    from vault.services.views import BandImage, PageImage

P = ParamSpec("P")
R = TypeVar("R")

STALL_SECONDS = 4.0
LOCK_SECONDS = 10.0
CRASHES_BORNE = 3
_KEPT_ENVIRONMENT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "DBUS_SESSION_BUS_ADDRESS",
    "CASEVAULT_DEMO_KEYRING",  # the keyring on that bus opens with a published passphrase
    "XDG_RUNTIME_DIR",
    "XDG_DATA_HOME",
    "XDG_SESSION_ID",
    "XDG_SESSION_TYPE",
    "DISPLAY",  # the vault watches the display a page is shown on; it shows nothing there itself
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "SSH_CONNECTION",  # whether the desk was started from far away
    "XRDP_SESSION",
    "XRDP_SOCKET_PATH",
    "VNCDESKTOP",
    "X2GO_SESSION",
    "NXSESSIONID",
    "CHROME_REMOTE_DESKTOP_SESSION",
)
_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = Path(PySide6.__file__).resolve().parents[1]
_START = "import sys; sys.path[:0] = sys.argv.pop(1).split('\\n'); from vault.runtime import main; main()"


class Reply(Generic[R]):
    """The answer to come. Ask for it with `then`; it is delivered once, on the main thread."""

    def __init__(self, default_refusal: Callable[[VaultError], None]) -> None:
        self._on_value: Callable[[R], None] | None = None
        self._on_refused: Callable[[VaultError], None] = default_refusal
        self._owner: QObject | None = None
        self._owned = False

    def then(self, on_value: Callable[[R], None], on_refused: Callable[[VaultError], None] | None = None) -> Reply[R]:
        """Say what happens with the value; without `on_refused` the bridge's `refused` signal carries the error."""
        self._on_value = on_value
        if on_refused is not None:
            self._on_refused = on_refused
        return self

    def owner(self, owner: QObject) -> Reply[R]:
        """Drop the reply if `owner` is gone by then."""
        self._owned = True
        self._owner = owner
        owner.destroyed.connect(self._orphan)
        return self

    def deliver(self, value: R | None, error: VaultError | None) -> None:
        """Call back (the bridge does)."""
        if self._owned and self._owner is None:
            return
        if error is not None:
            self._on_refused(error)
        elif self._on_value is not None:
            self._on_value(value)  # type: ignore[arg-type]

    def _orphan(self) -> None:
        self._owner = None


class Bridge(QObject):
    """The vault, as seen from the interface."""

    told = Signal(object)  # a committed event of vault.services.events
    refused = Signal(object)
    ended = Signal(str)
    ready = Signal()
    stalled = Signal(bool)
    _arrived = Signal(object, int)

    def __init__(self, vault_directory: Path, parent: QObject | None = None, *, found: Sequence[str] = ()) -> None:
        """Start nothing yet. `found` is what was wrong with this program's own start, as ``variable:NAME`` and ``library:PATH``."""
        super().__init__(parent)
        self._directory = vault_directory
        self._found = tuple(found)
        self._process: subprocess.Popen[bytes] | None = None
        self._pages: PageMemory | None = None
        self._outgoing: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._replies: dict[int, tuple[Callable[..., Any], Reply[Any]]] = {}
        self._next_call_id = 1
        self._generation = 0
        self._why_ending = ""
        self._shutting_down = False
        self._crashes = 0
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)
        self._tick = QTimer(self, interval=int(STALL_SECONDS * 1000), singleShot=True)
        self._tick.timeout.connect(lambda: self.stalled.emit(True))
        self._is_stalled = False
        self.stalled.connect(self._note_stall)

    # -- process ---------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a vault process at workstation level. Returns at once; `ready` follows."""
        from vault.services.page_memory import PageMemory  # noqa: PLC0415 - after the first paint

        self._generation += 1
        self._why_ending = ""
        mine, theirs = socket.socketpair()
        self._pages = PageMemory.create()
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["CASEVAULT_SCREEN"] = QGuiApplication.platformName()  # what the vault judges, not what a variable asks for
        # -I -S: no variable, no user or site package, no .pth runs code in it; the folders it loads from are named.
        command = [sys.executable, "-I", "-S", "-B", "-c", _START, f"{_ROOT}\n{_PACKAGES}"]
        command += [argument for one in self._found for argument in ("--found", one)]
        command += ["--vault", str(self._directory), "--pipe", str(theirs.fileno()), "--pages", str(self._pages.descriptor)]
        self._process = subprocess.Popen(  # noqa: S603 - fixed argument list, no shell
            command, pass_fds=(theirs.fileno(), self._pages.descriptor), env=environment, stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._outgoing = queue.SimpleQueue()
        writer = threading.Thread(target=_write, args=(mine, self._outgoing), name="bridge-write", daemon=True)
        writer.start()
        threading.Thread(target=_read, args=(mine, writer, self._generation, self._arrived), name="bridge-read", daemon=True).start()

    def shutdown(self) -> None:
        """End the vault process: it closes its files when the pipe ends."""
        self._shutting_down = True
        self._tick.stop()
        self._outgoing.put(None)
        if self._process is not None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._drop_pages()

    def restart(self) -> None:
        """End the vault process and start a fresh one: what could not be opened is tried again. `ready` follows."""
        self._crashes = 0
        if self._process is None:
            self.start()
        else:
            self._why_ending = "restarted"
            self._outgoing.put(None)

    def lock(self, reason: str) -> None:
        """Lock the session, which ends the vault process, by force if need be. The caller has replaced the screen already."""
        from vault.services.session import Session  # noqa: PLC0415

        self._why_ending = "locked"
        self.ask(Session.lock, reason).then(lambda _: None)
        generation = self._generation
        QTimer.singleShot(int(LOCK_SECONDS * 1000), self, lambda: self._kill_overdue(generation))

    @property
    def vault_process_id(self) -> int:
        """The process id of the vault process, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    # -- calls -----------------------------------------------------------------------------------------------------------------------

    def ask(self, method: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> Reply[R]:
        """Call a service method in the vault process. Never blocks.

        Args:
            method: the unbound method of a service class, for example ``Custody.check_out``.
            args: its arguments; keywords are not used. They are encoded before this returns: a `Secret` may be wiped then.
        Returns:
            Reply: delivers the value or the refusal on the main thread.
        """
        from vault.services import wire  # noqa: PLC0415

        assert not kwargs, "arguments cross the pipe by position"
        reply: Reply[R] = Reply(self.refused.emit)
        if self._process is None:
            QTimer.singleShot(0, self, lambda: reply.deliver(None, UnavailableError("vault.process-ended")))
            return reply
        call_id = self._next_call_id
        self._next_call_id += 1
        self._replies[call_id] = (method, reply)
        self._outgoing.put(wire.call_frame(call_id, method, args))
        return reply

    def picture(self, image: PageImage | BandImage) -> QImage:
        """Copy a page picture out of shared memory."""
        if self._pages is None:
            raise DefectError("bridge.no-page-memory")
        view = self._pages.view(image.slot)
        shared = QImage(
            view[: image.stride_bytes * image.height_px], image.width_px, image.height_px, image.stride_bytes, QImage.Format.Format_RGB32
        )
        return shared.copy()

    # -- arrivals --------------------------------------------------------------------------------------------------------------------

    def _on_arrived(self, body: bytes | None, generation: int) -> None:
        if generation != self._generation:
            return
        if body is None:
            self._on_end()
            return
        from vault.services import wire  # noqa: PLC0415

        call_id, failure, value = wire.decode_answer(body)
        if call_id == 0:
            self._on_told(wire, failure, value)
            return
        method, reply = self._replies.pop(call_id)
        error = wire.decode_failure(failure)
        reply.deliver(None if error else wire.signature(method).result.decode(value), error)

    def _on_told(self, wire: Any, name: Any, value: Any) -> None:  # noqa: ANN401 - the lazily imported module
        from vault.services.events import Ending, Opened, Tick  # noqa: PLC0415 -- loaded with `wire`

        told = wire.decode_event(name, value)
        if isinstance(told, Tick):
            if self._is_stalled:
                self.stalled.emit(False)
            self._tick.start()
        elif isinstance(told, Opened):
            self._tick.start()
            self._crashes = 0
            self.ready.emit()
        elif isinstance(told, Ending):
            self._why_ending = told.reason
        else:
            self.told.emit(told)

    def _on_end(self) -> None:
        self._tick.stop()
        _discard(self._outgoing)
        pending, self._replies = self._replies, {}
        if self._process is not None:
            try:
                self._process.wait(timeout=1)  # it has closed its end; what does not end by itself is ended
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._drop_pages()
        if self._shutting_down:
            return
        reason = self._why_ending or "crashed"
        if reason not in {"crashed", "restarted"}:
            self._found = ()  # the vault was open: it is in a report
        self.ended.emit(reason)
        for _, reply in pending.values():
            if reason == "crashed":
                reply.deliver(None, UnavailableError("vault.process-ended"))
        self._crashes = self._crashes + 1 if reason == "crashed" else 0
        if self._crashes < CRASHES_BORNE:
            self.start()
        else:
            self._process = None

    def _kill_overdue(self, generation: int) -> None:
        if generation == self._generation and self._process is not None and not self._shutting_down:
            self._process.kill()  # what follows is what follows any end

    def _note_stall(self, stalled: bool) -> None:
        self._is_stalled = stalled

    def _drop_pages(self) -> None:
        if self._pages is not None:
            self._pages.wipe()
            self._pages.close()
            self._pages = None


def _read(pipe: socket.socket, writer: threading.Thread, generation: int, arrived: Any) -> None:  # noqa: ANN401 - a bound Qt signal
    """Bring home what arrives until the pipe ends; close it when nobody writes to it any more either."""
    from vault.services import wire  # noqa: PLC0415

    body: bytes | None = b""
    while body is not None:
        try:
            body = wire.read_frame(pipe.recv)
        except (OSError, VaultError):
            body = None
        arrived.emit(body, generation)
    writer.join()
    pipe.close()


def _discard(outgoing: queue.SimpleQueue[bytearray | None]) -> None:
    """Overwrite what nobody will send any more, and end the writer."""
    with suppress(queue.Empty):  # the writer had the last one first
        while not outgoing.empty():
            frame = outgoing.get_nowait()
            if frame is not None:
                wipe(frame)
    outgoing.put(None)  # the one there was may be among what was taken out


def _write(pipe: socket.socket, outgoing: queue.SimpleQueue[bytearray | None]) -> None:
    while (frame := outgoing.get()) is not None:
        try:
            pipe.sendall(frame)
        except OSError:
            return
        finally:
            wipe(frame)  # a passphrase may be in it
    with suppress(OSError):  # the other side was faster
        pipe.shutdown(socket.SHUT_WR)
