"""A question in the window: a card with a title, what it is about, and the verbs.

Rules of this module:

- One primary verb. Esc and the secondary verb leave everything as it was. Ctrl+Enter presses the primary verb from any field.
- The danger variant names the harm above the verbs, and its focus starts on the way back.
- What is inside may be taller than the window: it scrolls, by PgUp and PgDn too, and the verbs stay in view.
"""

from __future__ import annotations

import enum

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import strings
from ui.icons import IconName
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets.buttons import Button, ButtonKind
from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.overlay import Overlay
from ui.widgets.scroll_column import ScrollColumn

_MARGIN_PX = 24


class SheetKind(enum.Enum):
    """An ordinary question, or one whose answer does harm."""

    PLAIN = "plain"
    DANGER = "danger"


class Sheet(Overlay):
    """A card over `host`. `accepted` is the primary verb; `dismissed` Esc or the secondary one. The owner closes it after `accepted`."""

    accepted = Signal()

    def __init__(
        self,
        host: QWidget,
        title: str,
        primary: str,
        *,
        kind: SheetKind = SheetKind.PLAIN,
        harm: str = "",
        secondary: str = "",
        width_px: int = 480,
    ) -> None:
        """Make a sheet; `open_over` shows it.

        Args:
            host: the widget it covers, usually the frame.
            title: the question.
            primary: the verb that does it.
            kind: DANGER paints the verb red and puts the focus on the secondary verb.
            harm: one sentence naming what is lost; required for DANGER.
            secondary: the verb that does not; "Cancel" if empty.
            width_px: at most; never wider than the host.
        """
        super().__init__(host)
        assert harm or kind is SheetKind.PLAIN, "a danger sheet names the harm"
        self._width_px, self._kind = width_px, kind
        self.setAccessibleName(title)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(12)
        self._scroll = ScrollColumn()
        inner = self._scroll.column
        inner.setContentsMargins(_MARGIN_PX, 4, _MARGIN_PX, 12)
        inner.setSpacing(12)
        inner.addLayout(self.body)
        if harm:
            role = Colour.RED if kind is SheetKind.DANGER else Colour.TEXT
            inner.addWidget(Label(harm, weight=Weight.MEDIUM, role=role, wrap=True))
        inner.addStretch(1)
        self.error = NoticeBar()
        self.error.closed.connect(self._place)
        self.primary = Button(primary, ButtonKind.DANGER if kind is SheetKind.DANGER else ButtonKind.PRIMARY, key_hint="Ctrl+Enter")
        self.primary.clicked.connect(self.accepted)
        self.secondary = Button(secondary or strings.text("sheet.cancel"), ButtonKind.SECONDARY, key_hint="Esc")
        self.secondary.clicked.connect(self.dismiss)
        verbs = QHBoxLayout()
        verbs.setContentsMargins(_MARGIN_PX, 8, _MARGIN_PX, 20)
        verbs.setSpacing(8)
        verbs.addStretch(1)
        verbs.addWidget(self.secondary)
        verbs.addWidget(self.primary)
        heading = Label(title, TypeSize.TITLE, Weight.STRONG, wrap=True)
        heading.setContentsMargins(_MARGIN_PX, 20, _MARGIN_PX, 8)
        column = QVBoxLayout(self.card)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(heading)
        column.addWidget(self.error)
        column.addWidget(self._scroll, 1)
        column.addLayout(verbs)
        self._heading, self._verbs = heading, verbs

    def open_over(self) -> None:
        """Show the sheet; a danger sheet puts the keyboard on the way back."""
        super().open_over()
        if self._kind is SheetKind.DANGER:
            self.secondary.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_error(self, title: str, sentence: str) -> None:
        """Say inside the sheet why the verb was refused; what was typed stays."""
        self.error.show_notice(title, sentence, tone=Tone.BREACH, icon=IconName.WARNING)
        self._place()

    def card_rect(self) -> QRect:
        """Stand in the upper middle, as high as the content asks and the host allows."""
        width = min(self._width_px, self.width() - 16)
        inner_height = self._scroll.height_at(width)
        around = self._heading.heightForWidth(width) + self._verbs.sizeHint().height()
        if not self.error.isHidden():
            around += _height_at(self.error, width)
        height = min(inner_height + around, self.height() - 16)
        return QRect((self.width() - width) // 2, max(8, (self.height() - height) * 2 // 5), width, height)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Ctrl+Enter presses the primary verb, PgUp and PgDn scroll; the rest is the overlay's."""
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.primary.click()
            event.accept()
            return
        pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(event.key()))
        if pages is not None:
            bar = self._scroll.verticalScrollBar()
            bar.setValue(bar.value() + pages * bar.pageStep())
        super().keyPressEvent(event)


def _height_at(widget: QWidget, width_px: int) -> int:
    """Give the height a widget wants at a width: wrapped words ask for more where it is narrow."""
    layout = widget.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width_px)
    return widget.sizeHint().height()
