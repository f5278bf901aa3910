"""The frame every window of a signed-in person stands in: top bar, rail, content, inspector, protection strip.

Rules of this module:

- Below 1000 px the rail keeps icons only and the inspector takes the content's place when it is asked for (Ctrl+I), so that at 200 % on a
  small screen everything is still reachable.
- `cover` replaces everything at once (lock page, off premises): no rail, no counts, no titles behind it.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedLayout, QStackedWidget, QVBoxLayout, QWidget

from ui.widgets.inspector import Inspector
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.overlay import Overlay
from ui.widgets.palette import CommandPalette
from ui.widgets.protection_strip import ProtectionStrip
from ui.widgets.rail import Rail
from ui.widgets.top_bar import TopBar

_NARROW_PX = 1000


class Frame(QWidget):
    """The parts, public by name: top, rail, content, inspector, notice, strip, palette."""

    def __init__(self, station: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.top = TopBar(station)
        self.rail = Rail()
        self.notice = NoticeBar()
        self.content = QStackedWidget()
        self.inspector = Inspector()
        self.strip = ProtectionStrip()
        self._inspector_offered = False
        self._inspector_wanted = False
        self._inspector_over = False
        self._focus_before: QWidget | None = None
        self._middle = middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        self._column = column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.content, 1)
        middle.addLayout(column, 1)
        middle.addWidget(self.inspector)
        self._signed_in = QWidget()
        outer = QVBoxLayout(self._signed_in)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.top)
        outer.addLayout(middle, 1)
        outer.addWidget(self.strip)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._signed_in)
        self._cover: QWidget | None = None
        self.inspector.hide()
        self.inspector.closed.connect(lambda: self.show_inspector(shown=False))
        self.palette_overlay = CommandPalette(self)
        self.top.search_requested.connect(self.palette_overlay.open_over)
        toggle = QShortcut(QKeySequence("Ctrl+I"), self._signed_in)
        toggle.setContext(Qt.ShortcutContext.WindowShortcut)
        toggle.activated.connect(self.toggle_inspector)

    def show_inspector(self, *, shown: bool) -> None:
        """Say whether the content has something to inspect. Narrow, it waits for Ctrl+I."""
        self._inspector_wanted = shown
        self._inspector_over = self._inspector_over and shown
        self._arrange()

    def offer_inspector(self, *, offered: bool) -> None:
        """Say whether Ctrl+I has something to show for the page that is shown: an empty panel helps nobody."""
        self._inspector_offered = offered

    def offers_inspector(self) -> bool:
        """Say whether Ctrl+I would show or put away something."""
        return self._inspector_offered or self._inspector_wanted

    def toggle_inspector(self) -> None:
        """Show or put away the inspector; narrow, it changes places with the content, and the keyboard goes with it."""
        if not self.offers_inspector():
            return
        if self.width() < _NARROW_PX:
            self._inspector_over = not self._inspector_over
        else:
            self._inspector_wanted = not self._inspector_wanted
        self._arrange()

    def cover(self, page: QWidget) -> None:
        """Replace everything at once with one page; what floated above is dismissed first."""
        self.uncover()
        for floating in self.findChildren(Overlay):
            floating.close_over()
        self._cover = page
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)

    def uncover(self) -> None:
        """Take the covering page away."""
        page, self._cover = self._cover, None
        if page is not None:
            self._stack.setCurrentWidget(self._signed_in)
            self._stack.removeWidget(page)
            page.deleteLater()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Choose the narrow or the wide arrangement."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        narrow = self.width() < _NARROW_PX
        self.rail.set_narrow(narrow=narrow)
        over = narrow and self._inspector_over
        self.inspector.set_over(over=over)
        if over and self.content.isVisible():
            self._focus_before = QApplication.focusWidget()
        self.inspector.setVisible(over or (self._inspector_wanted and not narrow))
        if over and self.content.isVisible():
            self.inspector.setFocus(Qt.FocusReason.OtherFocusReason)
        self.content.setVisible(not over)
        self._middle.setStretchFactor(self._column, 0 if over else 1)
        self._middle.setStretchFactor(self.inspector, 1 if over else 0)
        before = self._focus_before
        if not over and before is not None:
            self._focus_before = None
            if shiboken6.isValid(before) and before.isVisible():
                before.setFocus(Qt.FocusReason.OtherFocusReason)
