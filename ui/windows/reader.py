"""The reader: the page is the window. One page at a time, recorded before it is shown.

Rules:

- A key press asks at once; the answer is painted at once: no timer and no further turn of the event loop in between. While a page is
  awaited the one before stays, and further presses only move the target: what is skipped is never disclosed.
- After containment nothing old comes back: every answer asked for before is dropped, and the page stays a plain panel with the reason until
  its reader goes on.
- Time left and Check in are always in view. What ends a check-out elsewhere (expiry, forced return, containment, a grant withdrawn) closes
  the reader at once.
- While another window has the keyboard the page is covered, and the vault is told so: it counts the time as away, and what is saved there
  meanwhile is no picture of the page. It is told again of a page that arrives under the cover.
- Rotation is the screen's: the same picture is turned, nothing is disclosed twice.

LIMIT: a page at another zoom is another picture, and so another entry in the audit trail.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import messages, strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.page_speech import let_speak
from ui.widgets.protected_page import Cover, ProtectedPage, Turn, Zoom
from ui.windows import notice as notices
from ui.windows import unshown_words
from ui.windows.check_in import CheckInSheet, HandOverSheet
from ui.windows.document_find import DocumentFind
from ui.windows.find_bar import FindBar
from ui.windows.notice import AccountSheet, NoticeSheet
from ui.windows.page import PaletteAction
from ui.windows.reader_bar import DocumentList, ReaderBar
from vault.domain.breach import Containment, SignalKind
from vault.domain.custody import ReturnKind
from vault.domain.duration import MINUTE_US
from vault.domain.identity import CheckOutId, DocumentId
from vault.domain.protection import TrustLevel
from vault.errors import RefusedError
from vault.services.breach import Breaches
from vault.services.desk import Desk
from vault.services.events import BreachRecorded, CustodyChanged, PremisesChanged, ProtectionsChanged, ScreenBlanked
from vault.services.reading import Reading
from vault.services.views import (
    BandImage,
    BreachNotice,
    DeskView,
    DocumentLine,
    FindHit,
    HoldingLine,
    OpenFile,
    PageImage,
    PageText,
    PreparedPage,
)

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import Fact, VaultError

_TICK_MS = 1_000
_WARN_US = (10 * MINUTE_US, 2 * MINUTE_US)
_NARROW_PX = 820
_POINTS_AN_INCH = 72
_A4_PT = (595.0, 842.0)
_AROUND_PX = 32
_DPI = (72, 300)
_request_nos = itertools.count(1)  # of every view and every leave of this process, whichever reader asks: one may overtake the other


class Ended(enum.Enum):
    """How reading ended."""

    LEFT = "left"  # back to the desk; the file stays checked out
    RETURNED = "returned"
    HANDED_OVER = "handed-over"
    EXPIRED = "expired"
    FORCED = "forced"
    CONTAINED = "contained"
    WITHDRAWN = "withdrawn"


_ENDED = {
    ReturnKind.EXPIRED: Ended.EXPIRED,
    ReturnKind.FORCED: Ended.FORCED,
    ReturnKind.CONTAINED: Ended.CONTAINED,
    ReturnKind.WITHDRAWN: Ended.WITHDRAWN,
    ReturnKind.HANDED_OVER: Ended.HANDED_OVER,
    ReturnKind.CHECKED_IN: Ended.RETURNED,
}


class Reader(QWidget):
    """One open case file. `ended(Ended, BreachNotice | None)` once; `disclosing(bool)` whether a page is on screen now."""

    ended = Signal(object, object)
    disclosing = Signal(bool)

    def __init__(self, bridge: Bridge, *, speaks: bool = False) -> None:
        """Make a reader.

        Args:
            bridge: to the vault.
            speaks: the officer has an accommodation: the page tells its text to assistive technology.
        """
        super().__init__()
        self.setObjectName("reader")
        self._speaks = speaks
        self.bridge = bridge
        self.check_out_id = CheckOutId("")  # until `start`
        self._expected: tuple[CheckOutId, int] | None = None  # what the vault was asked to prepare, and at what resolution
        self._prepared: PreparedPage | None = None  # what it answered
        self._early: Callable[[], None] | None = None  # an answer that came before the file's documents were known
        self._holding: HoldingLine | None = None
        self._documents: tuple[DocumentLine, ...] = ()
        self._seen: dict[DocumentId, set[int]] = {}
        self._index = -1
        self._target = 1
        self._shown: tuple[int, int] = (-1, 0)  # document position and page on screen; (-1, 0) when none is
        self._dpi = 0
        self._asked = (-1, 0, 0)  # document position, page and resolution of the last question
        self._awaited = False
        self._generation = 0
        self._contained = False
        self._is_away = False  # another window has the keyboard
        self._screen_refused = False  # the last page was not shown, because of a program at the screen
        self._over = False
        self._band: QRectF | None = None  # the place that is wished for
        self._band_awaited = False
        self._least_trust, self._distrusted = TrustLevel.LOW, False
        self._warned_us = 0
        self._followed: FindHit | None = None
        self._sheet: NoticeSheet | None = None
        self._last_notice: BreachNotice | None = None
        self.bar, self.documents, self.page = ReaderBar(), DocumentList(), ProtectedPage()
        self.page.setObjectName("reader_page_view")
        if speaks:
            let_speak(self.page)
        self.notice, self.banner, self.unshown = NoticeBar(), NoticeBar(), NoticeBar()
        self.notice.setObjectName("reader_notice")
        self.banner.setObjectName("reader_banner")
        self.unshown.setObjectName("reader_unshown")
        self.search = DocumentFind(bridge, self)
        self.find_bar = FindBar()
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._documents_wanted: bool | None = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.documents)
        middle.addWidget(self.page, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.bar, self.find_bar, self.notice, self.banner, self.unshown):
            column.addWidget(part)
        column.addLayout(middle, 1)

    def _connect(self) -> None:
        bar = self.bar
        bar.back.clicked.connect(self.leave)
        bar.documents.clicked.connect(self.toggle_documents)
        bar.page_wanted.connect(self._typed_page)
        bar.find_button.clicked.connect(self.open_find)
        bar.zoom_in.clicked.connect(self.page.zoom_in)
        bar.zoom_out.clicked.connect(self.page.zoom_out)
        bar.fit_page.clicked.connect(lambda: self.page.set_zoom(Zoom.FIT_PAGE))
        bar.fit_width.clicked.connect(lambda: self.page.set_zoom(Zoom.FIT_WIDTH))
        bar.rotate.clicked.connect(self.page.rotate)
        bar.check_in.clicked.connect(self.check_in)
        self.documents.chosen.connect(self._chose_document)
        self.page.turn_requested.connect(self.turn)
        self.page.zoom_changed.connect(bar.show_zoom)
        self.page.resolution_wanted.connect(self._sharpen)
        self.page.band_wanted.connect(self._want_band, Qt.ConnectionType.QueuedConnection)  # when the page that asks is known as shown
        self.search.changed.connect(self._found)
        self.search.refused.connect(self._not_found)
        self.find_bar.searched.connect(self._look_for)
        self.find_bar.moved.connect(self.next_hit)
        self.find_bar.closed.connect(self.close_find)
        self.notice.acted.connect(self._account)
        for one in (self.notice, self.unshown):
            one.closed.connect(lambda: self.page.setFocus(Qt.FocusReason.OtherFocusReason))
        self.banner.acted.connect(self.check_in)
        cast(QGuiApplication, QGuiApplication.instance()).applicationStateChanged.connect(self._attended)
        self.bridge.told.connect(self._told)
        self.bridge.stalled.connect(self._stalled)

    @property
    def sheet_host(self) -> QWidget:
        """Give what sheets lie over: the reader with its strip, which goes with everything on it."""
        return self.parentWidget() or self

    # -- opening and ending ------------------------------------------------------------------------------------------------------------

    def expect(self, check_out_id: CheckOutId, width_px: int) -> None:
        """Have the vault render, undisclosed, the page a held file would open at; asked once a file and a resolution.

        Args:
            check_out_id: what will probably be read.
            width_px: how wide the reader will be: it has not been laid out yet.
        """
        expected = self._expectation(check_out_id, width_px)
        if self.check_out_id or expected == self._expected:
            return

        def ready(prepared: PreparedPage) -> None:
            if self._expected == expected:
                self._prepared = prepared

        self._expected, self._prepared = expected, None
        self.bridge.ask(Reading.prepare_page, check_out_id, None, expected[1]).then(ready, _nothing).owner(self)

    def _expectation(self, check_out_id: CheckOutId, width_px: int) -> tuple[CheckOutId, int]:
        beside_px = self.documents.sizeHint().width() if width_px >= _NARROW_PX else 0
        return check_out_id, self._first_dpi(width_px - beside_px)

    def start(self, check_out_id: CheckOutId, width_px: int = 0) -> None:
        """Open a file that is held, where it was left; `width_px` as for `expect`, 0 if nothing was expected."""
        self.check_out_id = check_out_id
        self.bridge.ask(Reading.open_file, self.check_out_id).then(self._opened, self._not_opened).owner(self)
        if self._prepared is not None and self._expected == self._expectation(check_out_id, width_px):
            self._ask_at_once(self._prepared, self._expected[1])

    def _ask_at_once(self, page: PreparedPage, dpi: int) -> None:
        """Ask for the page that is ready together with the file's documents, not after them; shown once they are known."""
        self._awaited, generation = True, self._generation

        def arrived(image: PageImage) -> None:
            index = next((i for i, one in enumerate(self._documents) if one.document_id == page.document_id), -1)
            self._asked = (index, page.page_no, dpi)
            self._arrived(image, index, generation)

        def when_opened(act: Callable[[], None]) -> None:
            if self._holding is None:
                self._early = act
            else:
                act()

        reply = self.bridge.ask(Reading.view_page, self.check_out_id, page.document_id, page.page_no, dpi, 0, next(_request_nos))
        reply.then(
            lambda image: when_opened(lambda: arrived(image)), lambda error: when_opened(lambda: self._page_refused(error, generation))
        ).owner(self)

    def _opened(self, opened: OpenFile) -> None:
        self._holding = opened.holding
        self._least_trust = opened.least_trust
        if opened.fence_percent:
            self.page.set_line_height(opened.fence_percent / 100)
        self._documents = opened.documents
        self._seen = {document_id: set(pages) for document_id, pages in opened.pages_viewed}
        self.documents.show_documents(opened.documents, self._seen)
        self._clock.start()
        self._show_recall()
        self._tick()
        if not opened.documents:
            self.page.blank(strings.text("reader.no_documents"), strings.text("reader.no_documents_hint"), IconName.CASE)
            self.bar.show_document(opened.holding.case.rms_number, "", 0)
            return
        last = next((i for i, one in enumerate(opened.documents) if one.document_id == opened.last_document_id), -1)
        self.open_document(max(0, last), opened.holding.last_page_no if last >= 0 else 1)
        early, self._early = self._early, None
        if early is not None:
            early()

    def _not_opened(self, error: VaultError) -> None:
        told = messages.explain(error)
        self._drop_page()
        self.page.blank(told.title, f"{told.sentence} {told.next_step}".strip())

    def leave(self) -> None:
        """Go back to the desk; the file stays checked out."""
        self._end(Ended.LEFT)

    def _end(self, how: Ended, notice: BreachNotice | None = None) -> None:
        if self._over:
            return
        self._over = True
        self._clock.stop()
        self._drop_page()
        self.ended.emit(how, notice)

    def _drop_page(self) -> None:
        """Nothing of the page may stay, and no answer that is on its way may bring it back."""
        self._generation += 1
        was_shown, was_awaited = self._shown != (-1, 0), self._awaited
        self._awaited = False
        self._shown = (-1, 0)
        self.page.clear()
        self.page.cover(Cover.CAPTURE, on=False)
        if was_shown or was_awaited:
            self.bridge.ask(Reading.leave_page, next(_request_nos)).then(_nothing, _nothing)
        if was_shown:
            self.disclosing.emit(False)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """A page that is not looked at is not shown."""
        self._drop_page()
        super().hideEvent(event)

    # -- pages -------------------------------------------------------------------------------------------------------------------------

    def open_document(self, index: int, page_no: int = 1) -> None:
        """Go to a document of the file, by position, at a page."""
        if not 0 <= index < len(self._documents):
            return
        document = self._documents[index]
        if index != self._index:
            self._index = index
            self.search.forget()
            self.documents.set_open(index)
            self.unshown.hide()
            if document.unshown:
                self.unshown.show_notice(strings.text("unshown.title"), unshown_words.sentence(document.unshown))
            if self._holding is not None:
                self.bar.show_document(self._holding.case.rms_number, document.title, document.page_count)
        self.go_to(page_no)

    def go_to(self, page_no: int) -> None:
        """Ask for a page of the open document, 1-based; out of range goes to the nearest."""
        if self._index < 0 or self._contained:
            return
        self._target = max(1, min(self._documents[self._index].page_count, page_no))
        if not self._awaited and (self._index, self._target) != self._shown:
            self._ask()

    def _ask(self) -> None:
        self._awaited = True
        index, generation = self._index, self._generation
        dpi = self._dpi or self._first_dpi(self.page.maximumViewportSize().width())
        self._asked = (index, self._target, dpi)
        document_id = self._documents[index].document_id
        reply = self.bridge.ask(Reading.view_page, self.check_out_id, document_id, self._target, dpi, 0, next(_request_nos))
        reply.then(lambda image: self._arrived(image, index, generation), lambda error: self._page_refused(error, generation)).owner(self)

    def _arrived(self, image: PageImage, index: int, generation: int) -> None:
        if generation != self._generation:
            return
        self._awaited = False
        if self._index != index:
            self._ask()  # another document was opened meanwhile
            return
        other_document = self._shown[0] != index
        width_px = image.veil_of_px[0] if image.veil_of_px is not None else image.width_px
        dpi = round(width_px * _POINTS_AN_INCH / image.width_pt) if image.width_pt else self._dpi
        self._dpi = self._dpi or dpi
        if other_document:
            self.page.set_highlights(())
        whole = QSize(*image.veil_of_px) if image.veil_of_px is not None else None
        self.page.show_page(image.page_no, self.bridge.picture(image), dpi, whole)
        if other_document:
            self.page.verticalScrollBar().setValue(0)
        first = self._shown == (-1, 0)
        self._screen_refused = False
        self._shown = (index, image.page_no)
        marks, current = self.search.on_page(image.page_no)
        if marks:
            self.page.set_highlights(marks, current)
        self.page.viewport().repaint()  # now, not at the end of this turn of the event loop
        if self._is_away:
            self._tell_covered()  # the vault takes a page that it disclosed to be seen
        if first:
            self.disclosing.emit(True)
        self._note_seen(index, image.page_no)
        if self._speaks:
            self._ask_text(index, image.page_no)
        if self._target != image.page_no:
            self._ask()

    def _note_seen(self, index: int, page_no: int) -> None:
        self.bar.show_page_no(page_no)
        seen = self._seen.setdefault(self._documents[index].document_id, set())
        seen.add(page_no)
        self.documents.set_seen(index, len(seen))

    def _page_refused(self, error: VaultError, generation: int) -> None:
        if generation != self._generation:
            return
        self._awaited = False
        told = messages.explain(error)
        if error.code in {"custody.not-held", "custody.expired"}:
            self._end(Ended.EXPIRED)
            return
        target = self._target
        self._drop_page()
        self._screen_refused = error.code.startswith("screen.")
        self._distrusted = error.code == "trust.too-low"
        words = f"{told.sentence} {told.next_step}"
        if not (self._screen_refused or self._distrusted):
            words = strings.text("reader.page_refused", page=strings.number(target), why=told.sentence)
        self.page.blank(told.title, words, IconName.REFUSE)
        self._shown = (-1, 0)
        self.bar.show_page_no(target)

    # -- assistive technology ----------------------------------------------------------------------------------------------------------

    def _ask_text(self, index: int, page_no: int) -> None:
        """Ask for the text of the page that has just come on screen; without an accommodation the vault refuses, and the page is silent."""
        generation = self._generation
        document_id = self._documents[index].document_id

        def came(text: PageText) -> None:
            if self._speaks and generation == self._generation and self._shown == (index, text.page_no):
                self.page.speak(text.text)

        self.bridge.ask(Reading.page_text, self.check_out_id, document_id, page_no).then(came, _nothing).owner(self)

    def silence(self) -> None:
        """The accommodation is over: tell nothing of this page any more, nor ask for the next one's text."""
        self._speaks = False
        self.page.speak("")

    # -- fence reading -----------------------------------------------------------------------------------------------------------------

    def _want_band(self, band: QRectF) -> None:
        """Ask for a band of the page on screen; while one is awaited only the last wish is kept."""
        self._band = band
        if not self._band_awaited and not self._contained:
            self._ask_band()

    def _ask_band(self) -> None:
        band, self._band = self._band, None
        if band is None or band.isEmpty():
            return
        if self._shown == (-1, 0):
            return
        self._band_awaited = True
        index, page_no = self._shown
        reply = self.bridge.ask(
            Reading.show_band,
            self.check_out_id,
            self._documents[index].document_id,
            page_no,
            band.left(),
            band.top(),
            min(1.0, band.right()),
            min(1.0, band.bottom()),
        )
        generation = self._generation
        reply.then(lambda image: self._band_came(image, generation), lambda _error: self._band_went()).owner(self)

    def _band_came(self, image: BandImage, generation: int) -> None:
        on_screen = generation == self._generation and self._shown[1] == image.page_no and self.page.is_fenced()
        if on_screen and self._documents[self._shown[0]].document_id == image.document_id:
            place = QRect(image.left_px, image.top_px, image.width_px, image.height_px)
            self.page.show_band(self.bridge.picture(image), place)
        self._band_went()

    def _band_went(self) -> None:
        self._band_awaited = False
        self._ask_band()

    def _first_dpi(self, width_px: int) -> int:
        """Guess the resolution at which a page of the usual size fits the width: one picture, not two."""
        room = width_px - _AROUND_PX - self.page.verticalScrollBar().sizeHint().width()
        dpi = round(room * self.devicePixelRatioF() * _POINTS_AN_INCH / _A4_PT[0])
        return max(_DPI[0], min(_DPI[1], dpi))

    def _sharpen(self, dpi: int) -> None:
        if self._asked == (self._index, self._target, dpi):
            return  # the vault gave less, because more does not fit: asking again would give the same, and another entry in the trail
        self._dpi = dpi
        if self._shown == (self._index, self._target) and not self._awaited and not self._contained:
            self._ask()

    def turn(self, turn: Turn) -> None:
        """Go to the next, previous, first or last page."""
        if self._index < 0:
            return
        last = self._documents[self._index].page_count
        self.go_to({Turn.NEXT: self._target + 1, Turn.PREVIOUS: self._target - 1, Turn.FIRST: 1, Turn.LAST: last}[turn])

    def _typed_page(self, page_no: int) -> None:
        self.page.setFocus(Qt.FocusReason.OtherFocusReason)
        self.go_to(page_no)

    def _chose_document(self, index: int) -> None:
        self.open_document(index)
        self.page.setFocus(Qt.FocusReason.OtherFocusReason)

    def toggle_documents(self) -> None:
        """Show or put away the list of documents."""
        self._documents_wanted = not self.documents.isVisible()
        self.documents.setVisible(self._documents_wanted)

    # -- find --------------------------------------------------------------------------------------------------------------------------

    def open_find(self) -> None:
        """Put the keyboard in the find field."""
        self.find_bar.open_bar()

    def close_find(self) -> None:
        """Put the find field away, and its marks."""
        self.find_bar.hide()
        self.search.forget()
        self.page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _look_for(self, words: str) -> None:
        if not words or self._index < 0:
            self.search.forget()
        elif words == self.search.words:
            self.next_hit(1)
        else:
            self.search.start(self.check_out_id, self._documents[self._index].document_id, words, self._target)

    def next_hit(self, step: int) -> None:
        """Go to the next (1) or the previous (-1) place found."""
        hit = self.search.move(step)
        if hit is not None:
            self.go_to(hit.page_no)
        elif not self.search.words:
            self.open_find()

    def _found(self) -> None:
        search = self.search
        self.find_bar.show_count(
            search.current + 1, len(search.hits), len(search.unsearched), running=search.running, searched=bool(search.words)
        )
        if self._shown[0] != self._index or self._index < 0:
            return
        marks, current = self.search.on_page(self._shown[1])
        self.page.set_highlights(marks, current)
        hit = self.search.hits[self.search.current] if self.search.current >= 0 else None
        if hit is not None and hit != self._followed:
            self.go_to(hit.page_no)  # once a place: whoever turned on since is not pulled back
        self._followed = hit

    def _not_found(self, error: VaultError) -> None:
        self.find_bar.show_error(messages.explain(error).title)

    # -- time ----------------------------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._holding is None or self._over:
            return
        left_us = self._holding.due_back_us - strings.now_us()
        tone = (
            Tone.BREACH if left_us < _WARN_US[1] else Tone.ATTENTION if left_us < _WARN_US[0] or self._holding.recalled_us else Tone.PLAIN
        )
        self.bar.show_left(strings.duration_left(self._holding.due_back_us), tone)
        passed = next((limit for limit in reversed(_WARN_US) if left_us <= limit), 0)
        if left_us <= 0:
            if self._shown != (-1, 0):
                self._drop_page()  # the vault ends the check-out; the page does not wait for the message
                self.page.blank(strings.text("closed.expired"), strings.text("closed.expired_why"), IconName.CLOCK)
        elif passed and passed != self._warned_us:
            self._warned_us = passed
            minutes = max(1, left_us // MINUTE_US)  # as the bar says it, and as few as are left when a file is opened late
            self.banner.show_notice(
                strings.text("reader.time_short", count=minutes),
                strings.text("reader.time_short_why"),
                icon=IconName.CLOCK,
                action=strings.text("reader.check_in"),
            )

    def _show_recall(self) -> None:
        if self._holding is not None and self._holding.recalled_us:
            self.banner.show_notice(
                strings.text("reader.recalled"),
                strings.text("reader.recalled_why"),
                icon=IconName.RECALL,
                action=strings.text("reader.check_in"),
            )

    # -- what the vault tells --------------------------------------------------------------------------------------------------------------

    def _told(self, event: object) -> None:
        if not self.check_out_id:
            return  # built ahead, and nobody reads in it yet
        if isinstance(event, ScreenBlanked):
            self.page.cover(Cover.CAPTURE, on=event.blanked)
            return
        if isinstance(event, PremisesChanged) and not event.lost:
            self._come_back()
        if isinstance(event, ProtectionsChanged):
            self._weigh(event.trust)
        if isinstance(event, CustodyChanged) and event.check_out_id == self.check_out_id:
            if event.ended is None:
                self.bridge.ask(Desk.overview).then(self._look_again).owner(self)
            elif event.ended is not ReturnKind.CONTAINED:
                self._end(_ENDED[event.ended])
            else:
                self._end(Ended.CONTAINED, self._last_notice)
        elif isinstance(event, BreachRecorded) and event.notice.kind not in notices.REPORTED_HERE:
            self.take_notice(event.notice)

    def _look_again(self, view: DeskView) -> None:
        held = next((one for one in view.holding if one.check_out_id == self.check_out_id), None)
        if held is not None and self._holding is not None:
            newly = held.recalled_us and not self._holding.recalled_us
            self._holding = held
            if newly:
                self._show_recall()
            self._tick()

    def _attended(self, state: Qt.ApplicationState) -> None:
        """Cover the page while somebody works in another window: previews and overviews of a desktop show what a window shows."""
        is_here = state is Qt.ApplicationState.ApplicationActive
        self.page.cover(Cover.AWAY, on=not is_here)
        was_away, self._is_away = self._is_away, not is_here
        if was_away is not self._is_away and self._shown != (-1, 0):
            self._tell_covered()
        if is_here and self._screen_refused and not (self._awaited or self._over or self._contained) and self._index >= 0:
            self._ask()  # the program that stood in the way may have been ended meanwhile

    def _tell_covered(self) -> None:
        self.bridge.ask(Reading.cover_page, self._is_away).then(_nothing, _nothing)

    def _come_back(self) -> None:
        """A page that was asked for while the key servers did not answer was refused: ask again."""
        waits = self._shown == (-1, 0) and self._index >= 0
        if waits and not (self._awaited or self._over or self._contained or self._distrusted or self._screen_refused):
            self._ask()

    def _weigh(self, trust: TrustLevel) -> None:
        """A file whose marking needs more trust than the workstation has left is not shown until the trust is back."""
        distrusted = trust < self._least_trust
        if distrusted is self._distrusted or self._over:
            return
        self._distrusted = distrusted
        if distrusted:
            self._drop_page()
            told = messages.explain(RefusedError("trust.too-low"))
            self.page.blank(told.title, f"{told.sentence} {told.next_step}", IconName.SHIELD_UNAVAILABLE)
        elif not (self._awaited or self._contained) and self._index >= 0:
            self._ask()

    def _stalled(self, stalled: bool) -> None:
        if self._over or self._contained:
            return
        if stalled:
            self._drop_page()
            self.page.blank(strings.text("reader.stalled"), strings.text("reader.stalled_why"))
        elif self._shown == (-1, 0) and not self._awaited and self._index >= 0:
            self._ask()

    # -- copy attempts ---------------------------------------------------------------------------------------------------------------------

    def attempted(self, kind: SignalKind, facts: Mapping[str, Fact]) -> None:
        """Report a copy attempt that was swallowed; what only a deliberate hand does blanks the page before the answer."""
        observed_us = strings.now_us()
        document_id, page_no = self._on_screen()
        told = tuple((name, str(value)) for name, value in facts.items())
        self.bridge.ask(Breaches.report, kind, told, document_id, page_no, observed_us).then(self.take_notice, self._not_recorded).owner(
            self
        )
        if kind in notices.BLANKED_AT_ONCE:
            self._contain(notices.blocked(kind), strings.text("told.being_recorded"))

    def _on_screen(self) -> tuple[DocumentId | None, int]:
        index, page_no = self._shown
        return (self._documents[index].document_id, page_no) if index >= 0 else (None, 0)

    def _contain(self, title: str, sentence: str) -> None:
        self._contained = True
        self._drop_page()
        if title:
            self.page.blank(title, sentence)

    def take_notice(self, notice: BreachNotice) -> None:
        """Do what the vault decided: a bar, a blanked page with a sheet, or the end of the check-out."""
        if self._over:
            return
        self._last_notice = notice
        if notice.containment is Containment.RECALL:
            self._contain(notices.blocked(notice.kind), notices.recorded(notice))
            self._end(Ended.CONTAINED, notice)
        elif notice.containment is Containment.BLANK:
            self._contain("", "")  # the sheet says why
            self._show_sheet(notice)
        elif self._contained and self._sheet is None:
            self._go_on()  # blanked before the answer, and the vault saw no reason to keep it so
        if notice.containment is Containment.NOTICE:
            notices.show_in_bar(self.notice, notice)

    def _show_sheet(self, notice: BreachNotice) -> None:
        if self._sheet is not None:
            self._sheet.dismissed.disconnect(self._go_on)
            self._sheet.dismiss()
        self._sheet = NoticeSheet(self.sheet_host, self.bridge, notice)
        self._sheet.dismissed.connect(self._go_on)
        self._sheet.open_over()

    def _go_on(self) -> None:
        """Bring the page back: asked for anew, recorded anew."""
        self._sheet = None
        self._contained = False
        self.page.setFocus(Qt.FocusReason.OtherFocusReason)
        if self._index >= 0 and not self._awaited and not self._over:
            self._ask()

    def _not_recorded(self, error: VaultError) -> None:
        """What cannot be recorded is not shown: the page stays away."""
        told = messages.explain(error)
        self._contain(told.title, f"{told.sentence} {told.next_step}".strip())

    def _account(self) -> None:
        if self._last_notice is not None:
            sheet = AccountSheet(self.sheet_host, self.bridge, self._last_notice.breach_id, self._last_notice.report_no)
            sheet.given.connect(self.notice.close_notice)
            sheet.open_over()

    # -- custody ---------------------------------------------------------------------------------------------------------------------------

    def check_in(self) -> None:
        """Open the check-in sheet."""
        if self._holding is not None and not self._over:
            sheet = CheckInSheet(self.sheet_host, self.bridge, self._holding)
            sheet.returned.connect(lambda: self._end(Ended.RETURNED))
            sheet.open_over()

    def hand_over(self) -> None:
        """Open the handover sheet."""
        if self._holding is not None and not self._over:
            sheet = HandOverSheet(self.sheet_host, self.bridge, self._holding)
            sheet.handed_over.connect(lambda: self._end(Ended.HANDED_OVER))
            sheet.open_over()

    # -- keys ------------------------------------------------------------------------------------------------------------------------------

    def actions(self) -> list[PaletteAction]:  # type: ignore[override]  # not QWidget's list of QActions: nothing here has any
        """Everything the reader can do, with its keys."""
        wanted: list[tuple[str, IconName, Callable[[], None], str]] = [
            ("check_in", IconName.CHECK_IN, self.check_in, "Ctrl+I"),
            ("hand_over", IconName.HANDOVER, self.hand_over, "Ctrl+H"),
            ("back", IconName.DESK, self.leave, "Esc"),
            ("next", IconName.NEXT, lambda: self.turn(Turn.NEXT), "PgDown"),
            ("previous", IconName.PREVIOUS, lambda: self.turn(Turn.PREVIOUS), "PgUp"),
            ("first", IconName.PREVIOUS, lambda: self.turn(Turn.FIRST), "Home"),
            ("last", IconName.NEXT, lambda: self.turn(Turn.LAST), "End"),
            ("go_to", IconName.FILE, self.bar.ask_page, "G"),
            ("find", IconName.SEARCH, self.open_find, "F"),
            ("next_hit", IconName.SEARCH, lambda: self.next_hit(1), "F3"),
            ("previous_hit", IconName.SEARCH, lambda: self.next_hit(-1), "Shift+F3"),
            ("next_document", IconName.FILE, lambda: self.open_document(self._index + 1), "]"),
            ("previous_document", IconName.FILE, lambda: self.open_document(self._index - 1), "["),
            ("documents", IconName.FILE, self.toggle_documents, "D"),
            ("zoom_in", IconName.ZOOM_IN, self.page.zoom_in, "+"),
            ("zoom_out", IconName.ZOOM_OUT, self.page.zoom_out, "-"),
            ("fit_page", IconName.FIT_PAGE, lambda: self.page.set_zoom(Zoom.FIT_PAGE), "0"),
            ("fit_width", IconName.FIT_WIDTH, lambda: self.page.set_zoom(Zoom.FIT_WIDTH), "W"),
            ("rotate", IconName.ROTATE, self.page.rotate, "R"),
        ]
        if self.page.is_fenced():
            wanted.append(("band_higher", IconName.EXPAND, self.page.raise_line, "."))
            wanted.append(("band_lower", IconName.EXPAND, self.page.lower_line, ","))
        return [PaletteAction(name, strings.text(f"reader.{name}"), icon, act, keys) for name, icon, act, keys in wanted]

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Give the keyboard to the page. Not by a focus proxy: Tab would stop at the page before the bars, and never come to them."""
        super().focusInEvent(event)
        self.page.setFocus(event.reason())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Every key of the reader; what the page or a field took itself never comes here."""
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
            return
        act = _KEYS.get((Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier))
        if act is None:
            super().keyPressEvent(event)
        else:
            act(self)

    def _escape(self) -> None:
        if self.bar.page_field.hasFocus() or self.documents.hasFocus():
            self.page.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not self.find_bar.isHidden():
            self.close_find()
        elif not self.notice.isHidden():
            self.notice.close_notice()
        else:
            self.leave()

    def next_document(self, step: int) -> None:
        """Go to the document after or before this one."""
        self.open_document(self._index + step)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Narrow, the documents wait for their key."""
        super().resizeEvent(event)
        wide = self.width() >= _NARROW_PX
        self.documents.setVisible(wide if self._documents_wanted is None else self._documents_wanted)


_NONE, _CTRL, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_KEYS: dict[tuple[Qt.Key, Qt.KeyboardModifier], Callable[[Reader], None]] = {
    (Qt.Key.Key_PageDown, _NONE): lambda reader: reader.turn(Turn.NEXT),
    (Qt.Key.Key_PageUp, _NONE): lambda reader: reader.turn(Turn.PREVIOUS),
    (Qt.Key.Key_Home, _NONE): lambda reader: reader.turn(Turn.FIRST),
    (Qt.Key.Key_End, _NONE): lambda reader: reader.turn(Turn.LAST),
    (Qt.Key.Key_G, _NONE): lambda reader: reader.bar.ask_page(),
    (Qt.Key.Key_F, _NONE): lambda reader: reader.open_find(),
    (Qt.Key.Key_F, _CTRL): lambda reader: reader.open_find(),
    (Qt.Key.Key_F3, _NONE): lambda reader: reader.next_hit(1),
    (Qt.Key.Key_F3, _SHIFT): lambda reader: reader.next_hit(-1),
    (Qt.Key.Key_BracketRight, _NONE): lambda reader: reader.next_document(1),
    (Qt.Key.Key_BracketLeft, _NONE): lambda reader: reader.next_document(-1),
    (Qt.Key.Key_PageDown, _CTRL): lambda reader: reader.next_document(1),
    (Qt.Key.Key_PageUp, _CTRL): lambda reader: reader.next_document(-1),
    (Qt.Key.Key_D, _NONE): lambda reader: reader.toggle_documents(),
    (Qt.Key.Key_0, _NONE): lambda reader: reader.page.set_zoom(Zoom.FIT_PAGE),
    (Qt.Key.Key_I, _CTRL): lambda reader: reader.check_in(),
    (Qt.Key.Key_H, _CTRL): lambda reader: reader.hand_over(),
}


def _nothing(_value: object) -> None:
    return None
