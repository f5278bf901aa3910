"""What the interface watches while people read: who takes over the selections, and whether anybody is still there.

Rules:

- `SelectionWatch` speaks only while armed (a page is shown) and while the application has the keyboard: without it the page is covered,
  and what is copied in another window is nobody's affair. It learns that CLIPBOARD or (X11) PRIMARY changed owner, never what is in it.
- What this application owns itself is not told; nobody fills a clipboard here anyway.
- `IdleWatch` counts what a person does: events that came from the window system, and pointer moves only if the pointer really moved
  (windows that appear under it cause moves too). Time is counted by the boot clock, so suspended time is idle time.
- LIMIT: the watch's proof (`stands`) is of its own end: it is connected, and armed while it must be. No change is provoked to prove the
  window system's end, because that would take away what a person has copied.
- LIMIT: on Wayland a client learns of selections only while it has the focus. Input made by XTEST looks like a person's.

Thread: the interface's main thread. Source: X11 XFixes selection notification through QClipboard.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent

from vault.domain.breach import SignalKind
from vault.errors import Fact

_ALWAYS_PERSON = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletMove,
        QEvent.Type.NativeGesture,
    }
)
_GRACE_SECONDS = 0.05  # a timer may fire a little early


class SelectionWatch(QObject):
    """Tells that somebody else took over a selection while a page is shown.

    Signals:
        observed(kind, facts): `SignalKind.CLIPBOARD` or `SignalKind.PRIMARY_SELECTION`; facts as the interceptor's.
    """

    observed = Signal(SignalKind, dict)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._armed = False
        self._changes = 0
        self._is_here = True
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.applicationStateChanged.connect(self._on_state)
        self._clipboard = QGuiApplication.clipboard()
        self._heard = [self._clipboard.dataChanged.connect(self._on_clipboard)]
        if self._clipboard.supportsSelection():
            self._heard.append(self._clipboard.selectionChanged.connect(self._on_primary))

    @property
    def armed(self) -> bool:
        """Whether a page is shown."""
        return self._armed

    @property
    def watches_primary(self) -> bool:
        """Whether this window system has a PRIMARY selection."""
        return self._clipboard.supportsSelection()

    def stands(self, *, reading: bool) -> bool:
        """Whether what Qt hears of every selection this window system has arrives here and is passed on while `reading`; only that."""
        arrives = all(self._heard) and not self._clipboard.signalsBlocked()
        return arrives and not self.signalsBlocked() and self._armed is reading

    def arm(self) -> None:
        """A page is shown from now on."""
        self._armed, self._changes = True, 0

    def disarm(self) -> None:
        """No page is shown any more."""
        self._armed = False

    def _on_clipboard(self) -> None:
        if not self._clipboard.ownsClipboard():
            self._tell(SignalKind.CLIPBOARD)

    def _on_primary(self) -> None:
        if not self._clipboard.ownsSelection():
            self._tell(SignalKind.PRIMARY_SELECTION)

    def _on_state(self, state: Qt.ApplicationState) -> None:
        self._is_here = state is Qt.ApplicationState.ApplicationActive

    def _tell(self, kind: SignalKind) -> None:
        if self._armed and self._is_here:
            self._changes += 1
            facts: dict[str, Fact] = {"owner": "another-program", "changes": self._changes}
            self.observed.emit(kind, facts)


class IdleWatch(QObject):
    """Tells once that nobody has touched the application for `seconds`; input starts the count again.

    Signals:
        idle(): the time is over.
    """

    idle = Signal()

    def __init__(self, seconds: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._seconds = seconds
        self._last = 0.0
        self._pointer = QPointF()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)
        self._application = QGuiApplication.instance()

    @property
    def remaining_seconds(self) -> float:
        """Until `idle`, 0 <= remaining <= seconds; all of it while stopped."""
        if not self._timer.isActive():
            return float(self._seconds)
        return max(0.0, self._seconds - (_boot_seconds() - self._last))

    def start(self, seconds: int | None = None) -> None:
        """Count from now; `seconds` replaces the policy's time."""
        assert self._application is not None
        if seconds is not None:
            self._seconds = seconds
        self._last = _boot_seconds()
        self._application.removeEventFilter(self)
        self._application.installEventFilter(self)
        self._timer.start(self._seconds * 1000)

    def stop(self) -> None:
        """Do not count: nobody is signed in."""
        if self._application is not None:
            self._application.removeEventFilter(self)
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """See every event of the application and let it pass."""
        kind = event.type()
        if kind in _ALWAYS_PERSON:
            if event.spontaneous():
                self._last = _boot_seconds()
        elif kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent) and event.spontaneous():
            at = event.globalPosition()
            if at != self._pointer:
                self._pointer = at
                self._last = _boot_seconds()
        return super().eventFilter(watched, event)

    def _on_timeout(self) -> None:
        left = self._seconds - (_boot_seconds() - self._last)
        if left > _GRACE_SECONDS:
            self._timer.start(int(left * 1000) + 1)
            return
        self.stop()
        self.idle.emit()


def _boot_seconds() -> float:
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
