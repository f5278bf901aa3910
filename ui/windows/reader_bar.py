"""The reader's two edges: the slim bar above the page, and the documents at its left.

Rules:

- Case number and document titles are painted and not given to accessibility.
- Time left and Check in are always in view, at every width; the other parts of the bar give way first, and keep their keys.
- Read pages are counted from what was shown in this check-out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from ui import strings, theme
from ui.icons import IconName, paint_icon
from ui.theme import Colour, Tone, TypeSize, Weight
from ui.widgets import painting
from ui.widgets.buttons import Button, ButtonKind, IconButton
from ui.widgets.chip import Chip
from ui.widgets.hint import hint
from ui.widgets.label import Label
from ui.windows.case_words import document_icon
from ui.windows.naming import isolated
from vault.domain.identity import DocumentId
from vault.services.views import DocumentLine

_BAR_PX = 44
_ROW_PX = 48
_LIST_PX = 240
_TITLE_AROUND_PX = 51
_ROOMY_PX = 1000


class _Heading(QWidget):
    """Case number and document title."""

    def __init__(self) -> None:
        super().__init__()
        self._number = self._title = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(96)

    def show_words(self, number: str, title: str) -> None:
        self._number, self._title = number, title
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            wide = QFontMetrics(theme.font(weight=Weight.STRONG, tabular=True)).horizontalAdvance(self._number) + 12
            cut = wide + QFontMetrics(theme.font()).horizontalAdvance(self._title) > self.width()
            hint(self, event.pos(), self.rect(), self._title if cut else "")
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        painter, at = QPainter(self), self.rect()
        used = painting.line(painter, at, self._number, Colour.TEXT, theme.font(weight=Weight.STRONG, tabular=True))
        painting.line(painter, at.adjusted(used + 12, 0, 0, 0), self._title, Colour.TEXT_QUIET)
        painter.end()


class ReaderBar(QWidget):
    """Back · case, document · page n of m · find · zoom · time left · Check in. Buttons are public; the reader connects them."""

    page_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_BAR_PX)
        self._last = 1
        self._heading = _Heading()
        self.back = IconButton(IconName.PREVIOUS, strings.text("reader.back"))
        self.documents = IconButton(IconName.FILE, strings.text("reader.documents"))
        self.page_field = QLineEdit()
        self.page_field.setFixedWidth(52)
        self.page_field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.page_field.setFont(theme.font(tabular=True))
        self.page_field.setMaxLength(5)
        self.page_field.setAccessibleName(strings.text("reader.page"))
        self.page_field.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.page_field.returnPressed.connect(self._page_typed)
        self._of = Label("", role=Colour.TEXT_QUIET, tabular=True)
        self.find_button = IconButton(IconName.SEARCH, strings.text("reader.find"))
        self.zoom_out = IconButton(IconName.ZOOM_OUT, strings.text("reader.zoom_out"))
        self.zoom_in = IconButton(IconName.ZOOM_IN, strings.text("reader.zoom_in"))
        self.fit_page = IconButton(IconName.FIT_PAGE, strings.text("reader.fit_page"))
        self.fit_width = IconButton(IconName.FIT_WIDTH, strings.text("reader.fit_width"))
        self.rotate = IconButton(IconName.ROTATE, strings.text("reader.rotate"))
        self._percent = Label("", TypeSize.SMALL, role=Colour.TEXT_QUIET, tabular=True)
        self._percent.setFixedWidth(44)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._left = Chip("", Tone.PLAIN, IconName.CLOCK)
        self.check_in = Button(strings.text("reader.check_in"), ButtonKind.PRIMARY, key_hint="Ctrl+I")
        self._spare = (self.fit_page, self.fit_width, self.rotate, self._percent, self.zoom_out, self.zoom_in)
        names: dict[str, QWidget] = {
            "back": self.back,
            "documents": self.documents,
            "page": self.page_field,
            "find": self.find_button,
            "zoom_out": self.zoom_out,
        }
        names |= {
            "zoom_in": self.zoom_in,
            "fit_page": self.fit_page,
            "fit_width": self.fit_width,
            "rotate": self.rotate,
            "check_in": self.check_in,
        }
        for name, part in names.items():
            part.setObjectName(f"reader_{name}")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(4)
        for part in (self.back, self.documents):
            row.addWidget(part)
        row.addSpacing(4)
        row.addWidget(self._heading, 1)
        row.addSpacing(8)
        row.addWidget(self.page_field)
        row.addWidget(self._of)
        row.addSpacing(8)
        for part in (self.find_button, self.zoom_out, self._percent, self.zoom_in, self.fit_page, self.fit_width, self.rotate):
            row.addWidget(part)
        row.addSpacing(8)
        row.addWidget(self._left)
        row.addWidget(self.check_in)

    def show_document(self, number: str, title: str, page_count: int) -> None:
        """Say which case and document is open."""
        self._last = page_count
        self._heading.show_words(number, isolated(title))
        self._of.setText(strings.text("reader.of", last=strings.number(page_count)))

    def show_page_no(self, page_no: int) -> None:
        """Say which page is on screen; a number being typed is left alone."""
        if not self.page_field.hasFocus():
            self.page_field.setText(str(page_no))

    def show_zoom(self, percent: int) -> None:
        """Say how large the page is."""
        self._percent.setText(strings.text("progress.percent", n=percent))

    def show_left(self, words: str, tone: Tone) -> None:
        """Say how long the file may still be held."""
        self._left.show_fact(words, tone, IconName.WARNING if tone is Tone.BREACH else IconName.CLOCK)

    def ask_page(self) -> None:
        """Put the keyboard in the page number."""
        self.page_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.page_field.selectAll()

    def _page_typed(self) -> None:
        typed = self.page_field.text().strip()
        if typed.isdigit():
            self.page_wanted.emit(max(1, min(self._last, int(typed))))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Give up zoom buttons before words."""
        super().resizeEvent(event)
        for part in self._spare:
            part.setVisible(self.width() >= _ROOMY_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the ground."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(Colour.SURFACE_2))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.colour(Colour.DIVIDER))
        painter.end()


@dataclass(frozen=True, slots=True)
class _Row:
    line: DocumentLine
    seen: int


class DocumentList(QAbstractScrollArea):
    """The documents of the file. `chosen` carries the position, 0-based."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("reader_document_list")
        self.setFixedWidth(_LIST_PX)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows: list[_Row] = []
        self._open = -1
        self._over = 0
        self.setAccessibleName(strings.text("reader.documents"))

    def show_documents(self, lines: Sequence[DocumentLine], seen: Mapping[DocumentId, set[int]]) -> None:
        """Show the documents with how many of their pages were read."""
        self._rows = [_Row(line, len(seen.get(line.document_id, ()))) for line in lines]
        self._range()
        self.viewport().update()

    def set_open(self, index: int) -> None:
        """Mark the document that is being read."""
        self._open = self._over = index
        bar = self.verticalScrollBar()
        bar.setValue(max(min(bar.value(), index * _ROW_PX), (index + 1) * _ROW_PX - self.viewport().height()))
        self._tell()
        self.viewport().update()

    def set_seen(self, index: int, count: int) -> None:
        """Say how many pages of a document were read."""
        if 0 <= index < len(self._rows) and self._rows[index].seen != count:
            self._rows[index] = _Row(self._rows[index].line, count)
            self.viewport().update()

    def _tell(self) -> None:
        words = strings.text("table.position", row=self._over + 1, rows=len(self._rows)) if self._rows else strings.text("table.empty")
        self.setAccessibleDescription(words)

    def _range(self) -> None:
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(_ROW_PX)
        bar.setRange(0, max(0, len(self._rows) * _ROW_PX + 8 - self.viewport().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Fit the bar."""
        super().resizeEvent(event)
        self._range()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """A column."""
        return QSize(_LIST_PX, 300)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Up and Down move, Enter opens; everything else is the reader's."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_J: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_K: -1}.get(Qt.Key(event.key()))
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif step is not None and self._rows:
            self._over = max(0, min(len(self._rows) - 1, self._over + step))
            bar = self.verticalScrollBar()
            bar.setValue(max(min(bar.value(), self._over * _ROW_PX), (self._over + 1) * _ROW_PX - self.viewport().height()))
            self._tell()
            self.viewport().update()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self._rows:
            self.chosen.emit(self._over)
        else:
            event.ignore()

    def _title_px(self) -> int:
        return self.viewport().width() - _TITLE_AROUND_PX

    def _index_at(self, y_px: int) -> int:
        return (y_px + self.verticalScrollBar().value() - 4) // _ROW_PX

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Tell a title whole on hover: the column is narrow, and documents often differ at the end of their names."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            index = self._index_at(event.pos().y())
            words = isolated(self._rows[index].line.title) if 0 <= index < len(self._rows) else ""
            if QFontMetrics(theme.font()).horizontalAdvance(words) <= self._title_px():
                words = ""
            hint(
                self.viewport(), event.pos(), QRect(0, 4 + index * _ROW_PX - self.verticalScrollBar().value(), self.width(), _ROW_PX), words
            )
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Open the document under the pointer."""
        index = self._index_at(int(event.position().y()))
        if 0 <= index < len(self._rows):
            self.chosen.emit(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """There is no context menu."""
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Repaint with the focus."""
        if event.type() in {QEvent.Type.FocusIn, QEvent.Type.FocusOut}:
            self.viewport().update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Paint the rows in view."""
        painter, offset = QPainter(self.viewport()), self.verticalScrollBar().value()
        painter.fillRect(self.viewport().rect(), theme.colour(Colour.SURFACE_0))
        painter.fillRect(QRect(self.viewport().width() - 1, 0, 1, self.viewport().height()), theme.colour(Colour.DIVIDER))
        for index, row in enumerate(self._rows):
            at = QRect(4, 4 + index * _ROW_PX - offset, self.viewport().width() - 9, _ROW_PX - 2)
            if at.bottom() >= 0 and at.top() < self.viewport().height():
                self._paint_row(painter, at, index, row)
        painter.end()

    def _paint_row(self, painter: QPainter, at: QRect, index: int, row: _Row) -> None:
        here = index == self._open
        if here:
            painting.panel(painter, at, Colour.SURFACE_3)
            painting.panel(painter, QRect(at.left(), at.top() + 8, 3, at.height() - 16), Colour.ACCENT_TEXT, radius_px=1)
        paint_icon(
            painter,
            QRect(at.left() + 10, at.top() + 6, 16, 16),
            document_icon(row.line.kind),
            theme.colour(Colour.TEXT if here else Colour.TEXT_QUIET),
        )
        unread = not row.seen
        face = theme.font(weight=Weight.STRONG if unread else Weight.REGULAR)
        left, width = at.left() + 34, self._title_px()
        painting.line(painter, QRect(left, at.top() + 4, width, 20), isolated(row.line.title), Colour.TEXT, face)
        small = theme.font(TypeSize.SMALL, tabular=True)
        pages = strings.text("case.pages", count=row.line.page_count)
        read = _read_words(row)
        painting.line(painter, QRect(left, at.top() + 23, width, 18), pages, Colour.TEXT_QUIET, small)
        icon = IconName.CHECK if row.seen >= row.line.page_count else None
        used = min(width, painting.mark_width(read, small, icon) + 1)
        where = QRect(left + width - used, at.top() + 23, used + 1, 18)
        if QFontMetrics(small).horizontalAdvance(pages) + used + 12 <= width:
            painting.mark(painter, where, icon, read, Colour.TEXT_QUIET if row.seen else Colour.TEXT, small)
        if self.hasFocus() and index == self._over:
            painting.focus_ring(painter, at)


def _read_words(row: _Row) -> str:
    if not row.seen:
        return strings.text("reader.unread")
    if row.seen >= row.line.page_count:
        return strings.text("reader.read")
    return strings.text("reader.partly", seen=strings.number(row.seen))
