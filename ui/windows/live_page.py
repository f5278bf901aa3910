"""A page that keeps itself fresh from committed events, and the small things such pages share: shortcuts, a heading, a ticking clock.

Rules of this module:

- Events that arrive together are answered by one question: asking waits `MERGE_MS` for more of them.
- A page that is not on screen asks nothing unless it says `always` (its badge must be right).
- Shortcuts belong to the page and sleep while a sheet lies over it (the sheet disables what is below).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QWidget

from ui.theme import Colour, TypeSize, Weight
from ui.widgets.label import Label
from ui.windows.page import Page

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.services.views import SignedIn

MERGE_MS = 60
TICK_MS = 30_000
_LEAST_WIDTH_PX = 360
_LEAST_HEIGHT_PX = 220


class LivePage(Page):
    """A page that asks again when an event of `fresh_on` arrives."""

    fresh_on: ClassVar[tuple[type, ...]] = ()
    always: ClassVar[bool] = False

    def __init__(self, bridge: Bridge, signed_in: SignedIn, parent: QWidget | None = None) -> None:
        super().__init__(bridge, signed_in, parent)
        self.on_screen = False
        self._merge = QTimer(self, singleShot=True, interval=MERGE_MS)
        self._merge.timeout.connect(self.refresh)
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self.tick)
        bridge.told.connect(self._told)

    @property
    def sheet_host(self) -> QWidget:
        """Give what sheets lie over: the frame, which dies at lock with everything on it."""
        return self.frame if self.frame is not None else self

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """Fit a small screen at 200 %: what is on a page gives way or scrolls."""
        return QSize(_LEAST_WIDTH_PX, _LEAST_HEIGHT_PX)

    def refresh(self) -> None:
        """Ask the vault for what the page shows."""
        raise NotImplementedError

    def tick(self) -> None:
        """Be told that half a minute went by: ages and times left are repainted."""

    def shown(self) -> None:
        """Ask for what is shown and let the clock run."""
        self.on_screen = True
        self._clock.start()
        self.refresh()

    def hidden(self) -> None:
        """Let the clock rest."""
        self.on_screen = False
        self._clock.stop()

    def _told(self, event: object) -> None:
        if isinstance(event, self.fresh_on) and (self.on_screen or self.always) and not self._merge.isActive():
            self._merge.start()

    def shortcut(self, keys: str, act: Callable[[], None]) -> None:
        """Let a key do something anywhere on the page, except in an input that takes the key itself."""
        made = QShortcut(QKeySequence(keys), self)
        made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.setObjectName(f"{self.key}_key_{keys.lower().replace('+', '_')}")
        made.activated.connect(act)


class PageHead(QWidget):
    """The page's heading, a quiet remark, and `row` for chips and buttons: at the right, or below where there is no room for both."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self._title = Label(title, TypeSize.DISPLAY, Weight.STRONG)
        self._title.setObjectName(f"{name}_heading")
        self._remark = Label("", TypeSize.BODY, Weight.MEDIUM, Colour.TEXT_QUIET)
        self._remark.setObjectName(f"{name}_remark")
        words = QHBoxLayout()
        words.setSpacing(16)
        words.addWidget(self._title)
        words.addWidget(self._remark)
        words.addStretch(1)
        self.row = QHBoxLayout()
        self.row.setSpacing(8)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.setSpacing(8)
        self._both.addLayout(words, 1)
        self._both.addLayout(self.row)

    def say(self, title: str, remark: str = "", role: Colour = Colour.TEXT_QUIET) -> None:
        """Change heading and remark."""
        self._title.setText(title)
        self._remark.setText(remark)
        self._remark.set_role(role)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose one line or two."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        words = self._title.sizeHint().width() + 16 + self._remark.sizeHint().width()
        fits = words + 16 + self.row.sizeHint().width() <= self.width()
        self._both.setDirection(QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom)
        self.row.setAlignment(Qt.AlignmentFlag.AlignRight if fits else Qt.AlignmentFlag.AlignLeft)
