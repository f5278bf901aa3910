"""Keys, menus and drags that would copy: swallowed before any widget sees them, and said.

Rules of this module:

- `READING` (a page is on screen): copy, cut, select all, print, save and Print Screen keys, the context menu by key or button, and drags
  that start on a page are swallowed and reported. In text fields typing goes on; copying out of them is refused like everywhere.
- `WATCHING` (case data on screen, no page): only Print Screen is reported; it cannot be swallowed, because the desktop takes it first.
- `OFF`: nothing is touched (sign-in, lock).
- One gesture is one signal: a held key repeats, a drag moves many times, and both are counted in the facts instead.
- Facts are ids, counts and names of keys: never what was selected, never text.

LIMIT: keys that the desktop takes for itself (Print on most desktops, Win+Shift+S) never arrive here. What can be seen of those is the
sensors' work.

Thread: the interface's main thread; an event filter on the application.
"""

from __future__ import annotations

import enum

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from ui.widgets.protected_page import ProtectedPage
from vault.domain.breach import SignalKind
from vault.errors import Fact


class GuardLevel(enum.Enum):
    """What is on screen, and so what is refused."""

    OFF = "off"
    WATCHING = "watching"
    READING = "reading"


_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_COMMAND_KEYS = {
    Qt.Key.Key_C: SignalKind.COPY_KEY,
    Qt.Key.Key_Insert: SignalKind.COPY_KEY,
    Qt.Key.Key_X: SignalKind.CUT_KEY,
    Qt.Key.Key_A: SignalKind.SELECT_ALL_KEY,
    Qt.Key.Key_P: SignalKind.PRINT_KEY,
    Qt.Key.Key_S: SignalKind.SAVE_KEY,
}
_SCREEN_KEYS = frozenset({Qt.Key.Key_Print, Qt.Key.Key_SysReq})
_CAPTURE_KEYS = {  # keys of their own on some keyboards
    Qt.Key.Key_Copy: SignalKind.COPY_KEY,
    Qt.Key.Key_Cut: SignalKind.CUT_KEY,
    Qt.Key.Key_Save: SignalKind.SAVE_KEY,
    Qt.Key.Key_Printer: SignalKind.PRINT_KEY,
}


_PROBES = {
    SignalKind.COPY_KEY: (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier),
    SignalKind.PRINT_SCREEN_KEY: (Qt.Key.Key_Print, Qt.KeyboardModifier.NoModifier),
}


def kind_of_key(key: int, modifiers: Qt.KeyboardModifier) -> SignalKind | None:
    """Say which copy attempt a key press is; None for every other key.

    Args:
        key: a `Qt.Key`.
        modifiers: what was held. Ctrl and (on a Mac, where Qt calls it Ctrl too) Cmd count; so does Meta, for foreign keyboards. Shift
            besides them changes nothing, so that Ctrl+Shift+C is no way round. Alt makes another key of it: AltGr types letters.
    """
    pressed = Qt.Key(key)
    if pressed in _SCREEN_KEYS:
        return SignalKind.PRINT_SCREEN_KEY
    if pressed in _CAPTURE_KEYS:
        return _CAPTURE_KEYS[pressed]
    held = modifiers & _MODIFIERS
    shift, alt = bool(held & Qt.KeyboardModifier.ShiftModifier), bool(held & Qt.KeyboardModifier.AltModifier)
    command = bool(held & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier))
    if command and not alt:
        return _COMMAND_KEYS.get(pressed)
    if shift and not alt and not command:
        if pressed is Qt.Key.Key_Delete:
            return SignalKind.CUT_KEY
        if pressed is Qt.Key.Key_F10:
            return SignalKind.CONTEXT_MENU
    return SignalKind.CONTEXT_MENU if pressed is Qt.Key.Key_Menu else None


class CopyAttemptInterceptor(QObject):
    """The event filter. `attempted(SignalKind, facts)` once a gesture; facts: dict[str, str | int]."""

    attempted = Signal(SignalKind, dict)

    def __init__(self, app: QApplication) -> None:
        """Stand before every widget of the application."""
        super().__init__(app)
        self._level = GuardLevel.OFF
        self._screen_key_down = False
        self._press: QPoint | None = None
        self._dragging = False
        self._counts: dict[SignalKind, int] = {}
        self._probe: QObject | None = None
        self._probed: SignalKind | None = None
        app.installEventFilter(self)

    def set_level(self, level: GuardLevel) -> None:
        """Say what is on screen now. Counting of gestures starts anew with each page session."""
        if level is not self._level:
            self._level = level
            self._press, self._dragging = None, False
            self._screen_key_down = False
            self._counts.clear()

    def level(self) -> GuardLevel:
        """Give what is refused now."""
        return self._level

    def swallows(self, kind: SignalKind) -> bool:
        """Send a copy key, or Print Screen, to nobody: whether it was swallowed and recognised on its way. Nothing is reported."""
        self._probe, self._probed = QObject(), None
        event = QKeyEvent(QEvent.Type.KeyPress, *_PROBES[kind])
        try:
            return QCoreApplication.sendEvent(self._probe, event) and self._probed is kind
        finally:
            self._probe = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Decide about one event; True swallows it."""
        if self._probe is not None and watched is self._probe and isinstance(event, QKeyEvent):
            self._probed = kind_of_key(event.key(), event.modifiers())
            return self._probed is not None
        if self._level is GuardLevel.OFF or (self._level is GuardLevel.WATCHING and not isinstance(event, QKeyEvent)):
            return False
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QContextMenuEvent) and isinstance(watched, QWidget):
            # Asked for by key it was said at the key press; by button it is said here.
            if event.reason() is not QContextMenuEvent.Reason.Keyboard:
                self._say(SignalKind.CONTEXT_MENU, by="button")
            event.accept()
            return True
        if isinstance(event, QMouseEvent):
            return self._mouse(watched, event)
        return event.type() in {QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop}

    def _key(self, event: QKeyEvent) -> bool:
        kind = kind_of_key(event.key(), event.modifiers())
        if kind is None or (self._level is GuardLevel.WATCHING and kind is not SignalKind.PRINT_SCREEN_KEY):
            return False
        if event.type() is QEvent.Type.ShortcutOverride:
            # Accepting it keeps Qt's own shortcuts from firing; the key press that follows is the gesture.
            event.accept()
            return True
        is_screen_key = kind is SignalKind.PRINT_SCREEN_KEY
        pressed = event.type() is QEvent.Type.KeyPress
        # On X11 a desktop may pass on the release of Print alone: then the release is all there is to see. Alt+Print goes down as SysReq
        # and may come up as Print, so one flag stands for both.
        if not event.isAutoRepeat() and (pressed or (is_screen_key and not self._screen_key_down)):
            self._say(kind, keys=_keys(event))
        if is_screen_key:
            self._screen_key_down = pressed
        event.accept()
        return True

    def _mouse(self, watched: QObject, event: QMouseEvent) -> bool:
        page = _page_of(watched)
        if page is None:
            return False
        left = Qt.MouseButton.LeftButton
        at = event.globalPosition().toPoint()
        if event.type() is QEvent.Type.MouseButtonPress and event.button() is left:
            self._press, self._dragging = at, False
        elif event.type() is QEvent.Type.MouseMove and self._press is not None and event.buttons() & left:
            if not self._dragging and (at - self._press).manhattanLength() >= QApplication.startDragDistance():
                self._dragging = True
                self._say(SignalKind.DRAG, by="pointer")
            return self._dragging
        elif event.type() is QEvent.Type.MouseButtonRelease:
            self._press, self._dragging = None, False
        return False

    def _say(self, kind: SignalKind, **facts: Fact) -> None:
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        self.attempted.emit(kind, {**facts, "count": count})


def _keys(event: QKeyEvent) -> str:
    return QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)


def _page_of(watched: QObject) -> ProtectedPage | None:
    """Find the page a pointer event belongs to; the scroll bars of a page are not the page."""
    if isinstance(watched, ProtectedPage):
        return watched
    parent = watched.parent() if isinstance(watched, QWidget) else None
    if isinstance(parent, ProtectedPage) and parent.viewport() is watched:
        return parent
    return None
