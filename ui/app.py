"""The desk application: one window, one face at a time, and the order in which things are loaded.

Rules of this module:

- Before the first paint nothing is imported but QtCore, QtGui, QtWidgets, the kit and the sign-in page. The bridge starts after it; the
  other windows are imported one a turn of the event loop, while the passphrase is typed.
- Exactly one face is visible: sign-in, founding, lock, cannot open, the recovery holders, or the shell of a session. A lock replaces
  everything at once: sheets and popovers are closed, the lock page is painted, and only then is the vault asked.
- The shell of a session is thrown away at lock and at sign-out; nothing of it is kept for the next one but the page it stood on.
- The window's title is constant. Its geometry is the only thing remembered between runs.

Thread: the interface's main thread.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QApplication, QStackedLayout, QWidget

from ui import bare_import, icons, strings, theme  # noqa: F401 -- bare_import works by being imported
from ui.windows.sign_in import SignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PySide6.QtGui import QCloseEvent, QShortcut

    from ui.bridge import Bridge
    from ui.windows.cannot_open import CannotOpen
    from ui.windows.founding import FoundingPage
    from ui.windows.holders import HoldersPage
    from ui.windows.lock import LockPage
    from ui.windows.shell import Shell
    from vault.errors import VaultError
    from vault.secret import Secret
    from vault.services.views import SignedIn, StationView

TITLE = "Casevault"
_FIRST_SIZE = (1280, 720)
_LEAST_SIZE = (640, 360)  # a screen of 1280×720 at 200 %
_CRASHES_BORNE = 3
_SIGN_OUT_PATIENCE_MS = 2_000
_PREMISES_LOST, _GUESSED = "lock.premises_lost", "lock.guesses"

# After the start, the classes, enums and modules there are stay for good. A full collection of what a session makes takes 10 ms and more:
# it is made when a page was changed, and by itself only if nothing else does for a very long time.
_RUBBISH = (700, 10, 1_000)


class MainWindow(QWidget):
    """The one window. `first_painted` comes once; `close_asked` when a person wants to close it; `lock_asked` Ctrl+L over a sheet."""

    first_painted = Signal()
    close_asked = Signal()
    lock_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("casevault")
        self.setWindowTitle(TITLE)
        self.setMinimumSize(*_LEAST_SIZE)
        self.may_close = False
        self._faces = QStackedLayout(self)
        self._faces.setContentsMargins(0, 0, 0, 0)
        self._lock_key: QShortcut | None = None
        self._settings = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Casevault", "desk")
        kept = self._settings.value("geometry")
        if kept is None or not self.restoreGeometry(kept):
            self.resize(*_FIRST_SIZE)

    def follow_focus(self, _old: QWidget | None, now: QWidget | None) -> None:
        """Hold the lock key while something that floats has the keyboard.

        A sheet disables what is below it, and with that the lock button's key: over a sheet the window itself holds it.
        """
        from PySide6.QtGui import QKeySequence, QShortcut  # noqa: PLC0415 -- a session is open: long after the first paint

        from ui.widgets.overlay import Overlay  # noqa: PLC0415

        if self._lock_key is None:
            self._lock_key = QShortcut(QKeySequence("Ctrl+L"), self)
            self._lock_key.activated.connect(self.lock_asked)
        at = now
        while at is not None and not isinstance(at, Overlay):
            at = at.parentWidget()
        self._lock_key.setEnabled(at is not None)

    def face(self) -> QWidget | None:
        """Give what is shown."""
        return self._faces.currentWidget()

    def show_first(self, face: QWidget) -> None:
        """Show the first face: nothing floats yet, and nothing has to be closed."""
        self._faces.addWidget(face)
        face.setFocus()

    def show_face(self, face: QWidget) -> None:
        """Show a face instead of the one that is shown, at once: everything that floats above it is closed first."""
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- after the first paint

        self.close_floating()
        if self._faces.indexOf(face) < 0:
            self._faces.addWidget(face)
        self._faces.setCurrentWidget(face)
        face.setEnabled(True)
        face.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.isVisible():
            self.repaint()

    def drop_face(self, face: QWidget) -> None:
        """Take a face out for good."""
        self._faces.removeWidget(face)
        face.hide()
        face.setParent(None)
        face.deleteLater()

    def close_floating(self) -> None:
        """Close every sheet, palette and popover."""
        popup = QApplication.activePopupWidget()
        while popup is not None:
            popup.close()
            popup = QApplication.activePopupWidget() if QApplication.activePopupWidget() is not popup else None
        if "ui.widgets.overlay" in sys.modules:
            from ui.widgets.overlay import Overlay  # noqa: PLC0415 -- loaded with the first sheet, not before the first paint

            for overlay in self.findChildren(Overlay):
                overlay.close_over()
        current = self.face()
        for child in self.children():
            if isinstance(child, QWidget) and child is not current and not child.isWindow():
                child.hide()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """Ask before a session is ended; remember where the window stood."""
        if not self.may_close:
            event.ignore()
            self.close_asked.emit()
            return
        self._settings.setValue("geometry", self.saveGeometry())
        event.accept()


class Routing(QObject):
    """Which face is shown when: the way from start to sign-in, session, lock and end."""

    def __init__(self, window: MainWindow, make_bridge: Callable[[], Bridge]) -> None:
        """Show the sign-in page in `window`; `make_bridge` is called after the first paint."""
        super().__init__(window)
        self._window = window
        self._make_bridge = make_bridge
        self._bridge: Bridge | None = None
        self._station: StationView | None = None
        self._is_ready = False
        self._wanted: tuple[str, Secret, str] | None = None
        self._crashes = 0
        self._last_page = ("", "")
        self._locked_by_us = False
        self._someone_else = False
        self._follows = False
        self._locks_at_s: float | None = None  # on the monotonic clock, while the key servers do not answer
        self._locked_why = ""  # what locked the session, where nobody did: the key of its sentence
        self.sign_in = SignIn()
        self._lock: LockPage | None = None
        self._founding: FoundingPage | None = None
        self._cannot_open: CannotOpen | None = None
        self._holders: HoldersPage | None = None
        self.shell: Shell | None = None
        self._later: Iterator[None] | None = iter(())  # what is still to be loaded; None when all of it is
        self.sign_in.submitted.connect(self._sign_in)
        self.sign_in.painted.connect(window.first_painted)
        window.first_painted.connect(self._start)
        window.close_asked.connect(self._close)
        window.lock_asked.connect(lambda: self.lock("key"))
        window.show_first(self.sign_in)

    # -- start -----------------------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        icons.release()
        theme.follow_system(app)
        from ui import warm_up  # noqa: PLC0415 -- after the first paint

        self._later = warm_up.pieces(self._start_bridge, self._lock_page)
        QTimer.singleShot(0, self, self._load_next)

    def _start_bridge(self) -> Bridge:
        bridge = self._bridge = self._make_bridge()
        bridge.setParent(self)
        bridge.ready.connect(self._ready)
        bridge.ended.connect(self._ended)
        bridge.refused.connect(self._refused)
        bridge.told.connect(self._told)
        bridge.start()
        return bridge

    def _load_next(self) -> None:
        """Load one piece, then let the keyboard have its turn."""
        if self._later is None:
            return
        try:
            next(self._later)
            QTimer.singleShot(0, self, self._load_next)
        except StopIteration:
            self._later = None
            self._window.setWindowIcon(icons.icon(icons.IconName.CASEVAULT))
            gc.freeze()
            gc.set_threshold(*_RUBBISH)

    def _ready(self) -> None:
        from vault.services.session import Session  # noqa: PLC0415 -- after the first paint

        assert self._bridge is not None
        self._bridge.ask(Session.station).then(self._know_station, self._cannot).owner(self)

    def _know_station(self, station: StationView) -> None:
        self._station = station
        self._is_ready = True
        self._crashes = 0
        if not station.founded:
            self._found(unfinished=station.unfinished)
            self._drop_typed()
        elif station.locked_person is not None and not self._someone_else:
            lock = self._lock_page()
            if self._window.face() is not lock:
                lock.show_closing()
                self._window.show_face(lock)
            self._drop_typed()
            if self._locked_why:
                lock.show_why(strings.text(self._locked_why))
            lock.show_person(station.locked_person)
        else:
            self.sign_in.show_station(station)
            if self._window.face() is not self.sign_in:
                self._window.show_face(self.sign_in)
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                self._sign_in(*wanted)

    def _found(self, *, unfinished: bool) -> None:
        from ui.windows.founding import FoundingPage  # noqa: PLC0415 -- once in a vault's life

        assert self._bridge is not None
        if self._founding is None:
            self._founding = FoundingPage(self._bridge, unfinished=unfinished)
            self._founding.founded.connect(self._was_founded)
        self._window.show_face(self._founding)

    def _was_founded(self) -> None:
        if self._founding is not None:
            self._window.show_face(self.sign_in)
            self._window.drop_face(self._founding)
            self._founding = None
        self.sign_in.start_over()
        self._ready()

    # -- sign-in, unlock ---------------------------------------------------------------------------------------------------------------

    def _sign_in(self, badge_no: str, passphrase: Secret, code: str) -> None:
        self._forget_wanted()
        if not self._is_ready or self._bridge is None:
            self._wanted = (badge_no, passphrase, code)  # typed faster than the vault opened
            return
        from vault.services.session import Session  # noqa: PLC0415

        self._bridge.ask(Session.sign_in, badge_no, passphrase, code).then(self._open_shell, self._not_signed_in).owner(self)
        passphrase.wipe()

    def _forget_wanted(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            wanted[1].wipe()

    def _drop_typed(self) -> None:
        """Keep nothing of what was typed at the sign-in page: it is somebody else's turn."""
        self._forget_wanted()
        self.sign_in.start_over()

    def _not_signed_in(self, error: VaultError) -> None:
        from ui import messages  # noqa: PLC0415

        self.sign_in.show_refusal(messages.explain(error))

    def _lock_page(self) -> LockPage:
        if self._lock is None:
            from ui.windows.lock import LockPage  # noqa: PLC0415

            self._lock = LockPage()
            self._lock.unlocking.connect(self._unlock)
            self._lock.someone_else.connect(self._sign_in_someone_else)
        return self._lock

    def _unlock(self, passphrase: Secret) -> None:
        from vault.services.session import Session  # noqa: PLC0415

        assert self._bridge is not None
        self._bridge.ask(Session.unlock, passphrase).then(self._open_shell, self._not_unlocked).owner(self)
        passphrase.wipe()

    def _not_unlocked(self, error: VaultError) -> None:
        from ui import messages  # noqa: PLC0415

        told = messages.explain(error)
        if error.code in {"session.ended", "session.nothing-locked"}:
            self._sign_in_someone_else()
            self.sign_in.show_refusal(told)
        else:
            self._lock_page().show_refusal(told)

    def _sign_in_someone_else(self) -> None:
        from PySide6.QtCore import Qt  # noqa: PLC0415 -- after the first paint

        self._someone_else = True
        self._lock_page().show_closing()
        self.sign_in.start_over()
        if self._station is not None:
            self.sign_in.show_station(self._station)
        self._window.show_face(self.sign_in)
        self.sign_in.badge.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_shell(self, signed_in: SignedIn) -> None:
        from ui.windows.shell import Shell  # noqa: PLC0415

        assert self._bridge is not None
        self._someone_else = False
        self._locked_by_us = False
        self._locked_why = ""
        self._lock_page()  # made before it is needed in a hurry
        self.shell = Shell(self._bridge, signed_in)
        self.shell.locking.connect(self.lock)
        self.shell.signing_out.connect(self._sign_out)
        self.shell.scheme_toggled.connect(_toggle_scheme)
        self._window.show_face(self.shell)
        if not self._follows:
            self._follows = True
            app = QApplication.instance()
            assert isinstance(app, QApplication)
            app.focusChanged.connect(self._window.follow_focus)
        who, page = self._last_page
        self.shell.start(page if who == signed_in.person.person_id else "")
        self.shell.show_premises(self._locks_at_s)
        self._drop_typed()
        self._lock_page().show_closing()

    # -- lock, sign out, end -------------------------------------------------------------------------------------------------------------

    def lock(self, reason: str) -> None:
        """Replace everything by the lock page, at once, then have the vault end the session's keys."""
        if self.shell is None or self._bridge is None:
            return
        self._is_ready = False
        self._show_lock()
        self._locked_by_us = True
        self._bridge.lock(reason)

    def _show_lock(self) -> None:
        lock = self._lock_page()
        lock.show_closing()
        self._window.show_face(lock)
        self._drop_shell()

    def _sign_out(self) -> None:
        from vault.services.session import Session  # noqa: PLC0415

        if self._bridge is None or self.shell is None:
            return
        self._is_ready = False
        self._drop_typed()
        self.sign_in.show_opening()
        self._window.show_face(self.sign_in)
        self._drop_shell()
        self._bridge.ask(Session.sign_out).then(_nothing).owner(self)

    def _drop_shell(self) -> None:
        shell, self.shell = self.shell, None
        if shell is not None:
            self._last_page = (shell.person_id, shell.page_key())
            shell.end()
            self._window.drop_face(shell)

    def _ended(self, reason: str) -> None:
        """The vault process ended: nothing of the session may stay on screen. A fresh process is on its way."""
        self._is_ready = False
        self._locks_at_s = None
        if reason == "restarted" and self._cannot_open is not None and self._window.face() is self._cannot_open:
            return  # it says that it is being tried again
        if reason == "premises-lost" and (self.shell is not None or (self._lock is not None and self._window.face() is self._lock)):
            self._locked_why = _PREMISES_LOST
            self._show_lock()
            self._lock_page().show_why(strings.text(_PREMISES_LOST))
            return
        if reason == "locked":
            if self._window.face() is not self._lock_page():
                self._show_lock()
            return
        # Who is typing already keeps what they typed. Of a sign-in that was asked for no answer comes, unless the vault crashed.
        if self._window.face() is not self.sign_in or (reason != "crashed" and self._wanted is None and self.sign_in.is_waiting()):
            self.sign_in.start_over()
        self.sign_in.show_opening()
        if reason == "crashed":
            self._crashes += 1
            if self._crashes >= _CRASHES_BORNE:
                self._cannot(None)
                return
        # Shown again, it would take the keyboard to its first field.
        if self._founding is None and self._window.face() is not self.sign_in:
            self._window.show_face(self.sign_in)
        self._drop_shell()
        self._drop_holders()

    def _told(self, event: object) -> None:
        from vault.services.events import LockRequired, PremisesChanged  # noqa: PLC0415 -- with the first event

        if isinstance(event, LockRequired):
            self.lock(event.reason)
            if event.reason == "guesses":
                self._locked_why = _GUESSED
                self._lock_page().show_why(strings.text(_GUESSED))
        elif isinstance(event, PremisesChanged):
            self._locks_at_s = time.monotonic() + event.locks_in_seconds if event.lost else None
            if self.shell is not None:
                self.shell.show_premises(self._locks_at_s)

    def _refused(self, error: VaultError) -> None:
        if self.shell is not None:
            self.shell.tell(error)
        elif not self._is_ready and not self._locked_by_us:
            self._cannot(error)

    def _cannot(self, error: VaultError | None) -> None:
        from ui.windows.cannot_open import CannotOpen  # noqa: PLC0415
        from vault.errors import UnavailableError  # noqa: PLC0415

        if self._cannot_open is None:
            self._cannot_open = CannotOpen()
            self._cannot_open.acted.connect(self._again)
            self._cannot_open.holders_asked.connect(self._ask_holders)
        self._drop_typed()  # it is not kept for a vault that does not open
        if self._lock is not None:
            self._lock.show_closing()
        self._cannot_open.show_error(error or UnavailableError("vault.process-ended"), session_locked=self._locked_why == _PREMISES_LOST)
        self._window.show_face(self._cannot_open)
        self._drop_shell()
        self._drop_holders()

    # -- break-glass -----------------------------------------------------------------------------------------------------------------

    def _ask_holders(self) -> None:
        from ui.windows.holders import HoldersPage  # noqa: PLC0415 -- once in years, it is hoped

        if self._bridge is None or self._holders is not None:
            return
        self._holders = HoldersPage(self._bridge)
        self._holders.left.connect(self._holders_left)
        self._holders.opened.connect(self._holders_opened)
        self._window.show_face(self._holders)

    def _holders_left(self, keys_may_be_there: bool) -> None:
        if self._cannot_open is None:
            return
        self._window.show_face(self._cannot_open)
        self._drop_holders()
        if keys_may_be_there:
            self._again()  # the vault process ends, and what holders gave it with it

    def _holders_opened(self) -> None:
        self.sign_in.show_opening()
        self._window.show_face(self.sign_in)
        self._drop_holders()
        if self._bridge is not None:
            self._bridge.restart()  # what they opened is opened by a fresh process, as ever; `ready` follows

    def _drop_holders(self) -> None:
        holders, self._holders = self._holders, None
        if holders is not None:
            holders.wipe()
            self._window.drop_face(holders)

    def _again(self) -> None:
        self._crashes = 0
        self.sign_in.show_opening()
        if self._cannot_open is not None:
            self._cannot_open.show_trying()
        if self._bridge is not None:
            self._bridge.restart()  # `ready` follows

    def _close(self) -> None:
        if self.shell is None:
            self._end()
        else:
            self.shell.ask_to_close(self._end)

    def _end(self) -> None:
        """Sign out, end the vault process, close."""
        self._window.hide()
        if self.shell is None or self._bridge is None:
            self._finish()
            return
        from vault.services.session import Session  # noqa: PLC0415

        self._bridge.ended.connect(lambda _reason: self._finish())
        self._bridge.ask(Session.sign_out).then(_nothing, lambda _error: self._finish())
        QTimer.singleShot(_SIGN_OUT_PATIENCE_MS, self, self._finish)

    def _finish(self) -> None:
        if self._window.may_close:
            return
        self._window.may_close = True
        if self._bridge is not None:
            self._bridge.shutdown()
        self._window.close()
        QApplication.quit()

    def tell_incident(self, incident_no: str) -> None:
        """Say that something went wrong that nobody foresaw; a page on screen goes, because its state is unknown."""
        if self.shell is not None:
            self.shell.tell_incident(incident_no)


def _nothing(_value: object) -> None:
    return None


def _toggle_scheme() -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication):
        dark = theme.tokens().scheme is theme.Scheme.DARK
        theme.apply_theme(app, theme.Scheme.LIGHT if dark else theme.Scheme.DARK)


def _vault_directory(arguments: Sequence[str]) -> Path | None:
    """Read ``--vault DIR``; by hand, because argparse costs the start-up more than the window's fonts."""
    rest = list(arguments)
    if not rest:
        home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return Path(home) / "casevault"
    if rest[0].startswith("--vault="):
        rest = ["--vault", rest[0].removeprefix("--vault="), *rest[1:]]
    return Path(rest[1]) if len(rest) == 2 and rest[0] == "--vault" and rest[1] else None  # noqa: PLR2004


def _only_own_plugins() -> None:
    """Have Qt look for plugins where PySide6 keeps its own, and nowhere else: not beside the interpreter, not where a variable says."""
    import PySide6  # noqa: PLC0415 -- loaded already

    own = f"{PySide6.__path__[0]}/Qt/plugins"
    if os.path.isdir(own):  # noqa: PTH112 -- a distribution's own PySide6 keeps them elsewhere, and below /usr
        QCoreApplication.setLibraryPaths([own])


def main(arguments: Sequence[str], platform: Sequence[str] = (), harden: Callable[[], tuple[str, ...]] = tuple) -> int:
    """Run the desk until its window is closed.

    Args:
        arguments: of the command line: ``--vault DIR``, or nothing for the user's own vault; and ``--steps``, see `ui.steps`.
        platform: Qt's arguments that fix the window's platform; none in tests that choose their own.
        harden: called after the first paint and before the vault process starts; gives what was found wrong at the start, for the vault.
    Returns:
        the exit status: 0, or 2 when the arguments are not understood.
    """
    directory = _vault_directory([one for one in arguments if one != "--steps"])
    if directory is None:
        sys.stderr.write(strings.text("app.usage") + "\n")
        return 2
    gc.disable()  # until the first paint, which has no rubbish to collect: a tenth of our share of the start
    _only_own_plugins()
    app = QApplication(["casevault", *theme.STYLE_ARGUMENTS, *platform])
    app.setApplicationName("Casevault")
    app.setDesktopFileName("casevault")
    app.setQuitOnLastWindowClosed(False)
    theme.apply_first(app)
    icons.hold()
    if "--steps" in arguments:
        from ui.steps import Steps  # noqa: PLC0415 -- not without the option

        Steps(app)

    def make_bridge() -> Bridge:
        from ui import incident_log  # noqa: PLC0415 -- after the first paint
        from ui.bridge import Bridge  # noqa: PLC0415

        gc.freeze()  # classes and enums of the start stay for good
        gc.enable()
        incident_log.install(lambda number: QTimer.singleShot(0, routing, lambda: routing.tell_incident(number)))
        return Bridge(directory, found=harden())

    window = MainWindow()
    routing = Routing(window, make_bridge)
    window.show()
    return app.exec()
