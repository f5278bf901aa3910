"""The contract of a page: what the rail leads to and the shell shows.

Rules:

- A page is made once a session, when it is first gone to, with the bridge and the session; it is thrown away at lock or sign-out.
- `shown` asks for what it shows (again, every time); `hidden` stops what costs anything. Neither waits.
- A page asks the bridge itself and gives each reply an owner (``reply.owner(self)``), so that an answer after its end is dropped.
- A page keeps itself fresh: it connects to ``bridge.told`` and asks again while it is visible.
- It opens no window: a sheet lies over the page's window (`ui.windows.act_sheet`), which closes every sheet when it locks; another page is
  asked for with `go`.
- Every widget a person can touch has a stable ``objectName``.

Thread: the interface's main thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from ui import strings
from ui.icons import IconName

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from ui.widgets.frame import Frame
    from vault.services.views import SignedIn


@dataclass(frozen=True, slots=True)
class PaletteAction:
    """One thing a page can do now, as the command palette and the keys overview show it. `name` is stable, unique in the page."""

    name: str
    words: str
    icon: IconName
    act: Callable[[], None]
    keys: str = ""  # the shortcut as shown, for example "Ctrl+Shift+A"; "" for none


class Page(QWidget):
    """A page of the frame. Subclasses give `key` and `icon`, build in ``__init__`` and override what they need.

    `key` is the page's name in the rail and in ``en.toml``: ``<key>.title`` is its word. One of: desk, find, breaches, custody, audit,
    people, intake.
    """

    key: ClassVar[str]
    icon: ClassVar[IconName]
    back_to: ClassVar[str] = ""
    """The page that Esc and the way back lead to, for a page that is not in the rail."""

    badge = Signal(int)
    """How many things wait on this page; 0 takes the badge off the rail."""

    go = Signal(str, str)
    """Ask the shell for another page: its key, and what to open there ("" for nothing). See `open_at`."""

    expecting = Signal(str)
    """Tell the shell which check-out will probably be read next, so that it can be made ready; "" for none."""

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.signed_in = signed_in
        self.frame: Frame | None = None  # around the page, set by the shell; its inspector is the page's while the page is shown
        self.setObjectName(f"page_{self.key}")

    @property
    def title(self) -> str:
        """The page's word, as the rail shows it."""
        return strings.text(f"{self.key}.title")

    def shown(self) -> None:
        """Be told that the page is on screen now: ask for what it shows, put the focus where work starts."""

    def hidden(self) -> None:
        """Be told that another page, the reader or the lock page took its place."""

    def open_at(self, what: str) -> None:
        """Open at something another page named with `go`: a case number on Find, Audit and Intake, a report number on Breaches."""

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """Give every action the page offers now, for the command palette and the keys overview; only what would work."""
        return []

    def back(self) -> None:
        """Go where this page was come to from."""
        self.go.emit(self.back_to, "")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Esc goes back, where there is a way back."""
        if self.back_to and event.key() == Qt.Key.Key_Escape:
            self.back()
            return
        super().keyPressEvent(event)
