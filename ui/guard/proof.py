"""The guard's proof of itself, every minute while somebody is signed in: a probe is swallowed, the watch of the selections stands.

Rules:

- What is proven is told to the vault, whose strip and reports it becomes; what is not proven is left out.
- Where the system can leave a window out of captures, it is asked to each time, because a window system may make a new window of ours.

Thread: the interface's main thread.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from ui.guard.interceptor import CopyAttemptInterceptor, GuardLevel
from ui.guard.watch import SelectionWatch
from vault.domain.breach import SignalKind
from vault.domain.protection import Protection
from vault.services.guard import InterfaceGuard

if TYPE_CHECKING:
    from ui.bridge import Bridge

_EVERY_MS = 60_000
_EXCLUDING_SYSTEMS = frozenset({"win32", "darwin"})


class GuardProof(QObject):
    """Tells the vault, now and every minute until `stop`."""

    def __init__(self, bridge: Bridge, interceptor: CopyAttemptInterceptor, selections: SelectionWatch, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._interceptor = interceptor
        self._selections = selections
        self._clock = QTimer(self, interval=_EVERY_MS)
        self._clock.timeout.connect(self.tell)

    def start(self) -> None:
        """Tell now, and every minute."""
        self._clock.start()
        self.tell()

    def stop(self) -> None:
        """The session is over."""
        self._clock.stop()

    def working(self) -> tuple[Protection, ...]:
        """What answers its probe, and CLIPBOARD if its watch stands, at this moment."""
        reading = self._interceptor.level() is GuardLevel.READING
        answers = {
            Protection.COPY_KEYS: self._interceptor.swallows(SignalKind.COPY_KEY),
            Protection.PRINT_SCREEN: self._interceptor.swallows(SignalKind.PRINT_SCREEN_KEY),
            Protection.CLIPBOARD: self._selections.stands(reading=reading),
        }
        return tuple(one for one, answer in answers.items() if answer)

    def tell(self) -> None:
        """Probe and tell."""
        self._bridge.ask(InterfaceGuard.proven, self.working(), _is_excluded()).then(_nothing, _nothing).owner(self)


def _is_excluded() -> bool:
    if sys.platform not in _EXCLUDING_SYSTEMS:
        return False
    from vault.platform.capture_exclusion import exclude_from_capture  # noqa: PLC0415 - only where there is something to ask

    # A list, not `all` of a generator: every window is asked about, whatever another's answer was.
    windows = [exclude_from_capture(int(one.winId())) for one in QGuiApplication.topLevelWindows() if one.isVisible()]
    return bool(windows) and all(windows)


def _nothing(_value: object) -> None:
    return None
