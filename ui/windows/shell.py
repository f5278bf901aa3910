"""The shell of a session: the frame with its pages by role, the reader over it, palette, guard, locks and clocks.

Rules:

- A page is imported and made when it is first gone to. What the role may not do is not there: no dead entries.
- The guard stands from the first moment of a session: Print Screen is reported wherever case data is on screen, and every copy gesture is
  swallowed and reported while a page is.
- Whatever locks (idle, key, the system, the end of the session) goes through `locking`; the window replaces everything first.
- An intake ends with its session: who ends that by hand is asked first. The question about a lock locks by itself when nobody answers, and
  Ctrl+L over it locks at once. Where a file is being read nothing is asked: its page may not stand while somebody thinks.
- An error nobody asked for is told in the notice bar in words; its own text is never shown.
- A report is told to a supervisor wherever they are: over the reader as well. To open it there is to leave the file, which stays held.

Thread: the interface's main thread.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QStackedLayout, QVBoxLayout, QWidget

from ui import messages, strings, theme
from ui.guard.interceptor import CopyAttemptInterceptor, GuardLevel
from ui.guard.proof import GuardProof
from ui.guard.watch import IdleWatch, SelectionWatch
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.frame import Frame
from ui.widgets.notice_bar import NoticeBar
from ui.widgets.overlay import Overlay
from ui.widgets.palette import Action, CommandPalette
from ui.widgets.protection_strip import ProtectionStrip
from ui.widgets.rail import Place
from ui.windows import notice as notices
from ui.windows import protection_words
from ui.windows.act_sheet import confirmation
from ui.windows.page import Page, PaletteAction
from vault.domain.breach import Containment, Severity, SignalKind
from vault.domain.identity import CheckOutId, PersonId, Role
from vault.services.breach import Breaches
from vault.services.desk import Desk
from vault.services.events import BreachRecorded, CustodyChanged, IntakeMoved, ProtectionsChanged

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from ui.windows.act_sheet import ActSheet
    from ui.windows.alerts import Alerts
    from ui.windows.cannot_open import PlainPanel
    from ui.windows.premises_bar import PremisesBar
    from ui.windows.reader import Ended, Reader
    from vault.domain.protection import ProtectionStatus, TrustLevel
    from vault.errors import Fact, VaultError
    from vault.services.views import BreachNotice, DeskView, Enrolment, SignedIn

_MINUTE_MS = 60_000
_SESSION_WARNING_MINUTES = 10
_SPARE_AFTER_MS = 400
_TIDY_AFTER_MS = 1_000
_UNANSWERED_LOCK_SECONDS = 10

PLACES: dict[Role, tuple[str, ...]] = {
    Role.OFFICER: ("desk", "find"),
    Role.SUPERVISOR: ("desk", "find", "breaches", "custody", "audit", "people"),
    Role.CUSTODIAN: ("find", "intake", "custody"),
    Role.ADMINISTRATOR: ("people",),
    Role.AUDITOR: ("audit",),
}
"""The places of the rail, by role; the first one is where a session starts."""

_PAGES: dict[str, tuple[str, str, IconName]] = {
    "desk": ("ui.windows.desk", "DeskPage", IconName.DESK),
    "find": ("ui.windows.find", "FindPage", IconName.FIND),
    "my_reports": ("ui.windows.my_reports", "MyReportsPage", IconName.NOTE),
    "looked_for": ("ui.windows.looked_for", "LookedForPage", IconName.INFO),
    "breaches": ("ui.windows.breaches", "BreachesPage", IconName.BREACHES),
    "custody": ("ui.windows.custody_board", "CustodyBoardPage", IconName.CUSTODY),
    "audit": ("ui.windows.audit", "AuditPage", IconName.AUDIT),
    "people": ("ui.windows.people", "PeoplePage", IconName.PEOPLE),
    "intake": ("ui.windows.intake", "IntakePage", IconName.INTAKE),
    "premises": ("ui.windows.premises", "PremisesPage", IconName.PREMISES),
}
_OUTSIDE_THE_RAIL: dict[str, frozenset[Role]] = {
    "my_reports": frozenset(Role),
    "looked_for": frozenset(Role),
    "premises": frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR}),
}
_ROLES_WITH_REPORTS = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.CUSTODIAN})


class Shell(QWidget):
    """One session on screen. `locking` carries the reason; the window shows the lock page before anything else happens."""

    locking = Signal(str)
    signing_out = Signal()
    scheme_toggled = Signal()

    def __init__(self, bridge: Bridge, signed_in: SignedIn) -> None:
        super().__init__()
        self.setObjectName("shell")
        self._bridge, self._signed_in = bridge, signed_in
        self._pages: dict[str, Page] = {}
        self._page: Page | None = None
        self._held = 0
        self._intakes: set[int] = set()  # that run
        self._ended = False
        self._protections = signed_in.protections, signed_in.trust  # as last told
        self._speaks = bool(signed_in.accommodated_until_us)  # page text may be had for assistive technology
        self._acts: dict[str, Callable[[], None]] = {}
        self._alert_report = ""
        self.frame = Frame(signed_in.station_name)
        self.reader: Reader | None = None
        self._reader_face: QWidget | None = None
        self._reader_strip: ProtectionStrip | None = None
        self._spare_reader: tuple[QWidget, Reader, ProtectionStrip] | None = None
        self._expected = CheckOutId("")
        # Python's rubbish is collected after a page was changed, when nobody scrolls yet; see `ui.app`.
        self._tidy = QTimer(self, singleShot=True, interval=_TIDY_AFTER_MS)
        self._tidy.timeout.connect(gc.collect)
        self._resized = QTimer(self, singleShot=True, interval=_SPARE_AFTER_MS)
        self._resized.timeout.connect(lambda: self._expect(self._expected))
        self._panel: PlainPanel | None = None
        self._alerts: Alerts | None = None
        self._alert_bar: NoticeBar | None = None  # over the reader
        self._premises_bar: PremisesBar | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._faces = QStackedLayout()
        self._column.addLayout(self._faces, 1)
        self._faces.addWidget(self.frame)
        self._reader_palette: CommandPalette | None = None
        self._guard = CopyAttemptInterceptor(cast(QApplication, QApplication.instance()))
        self._guard.attempted.connect(self._attempted)
        self._selections = SelectionWatch(self)
        self._selections.observed.connect(self._attempted)
        self._proof = GuardProof(bridge, self._guard, self._selections, self)
        self._idle = IdleWatch(signed_in.idle_lock_seconds, self)
        self._idle.idle.connect(lambda: self.locking.emit("idle"))
        # The shell's, and not the sheet's: what takes the sheet away without an answer does not take the lock away.
        self._unanswered = QTimer(self, singleShot=True)
        self._unanswered.timeout.connect(lambda: self.locking.emit("key"))
        self._set_up_frame()
        self._set_up_keys()
        self._set_up_clocks()
        bridge.told.connect(self._told)

    # -- set-up ------------------------------------------------------------------------------------------------------------------------

    def _set_up_frame(self) -> None:
        person, frame = self._signed_in.person, self.frame
        frame.top.show_person(person.name, person.badge_no, strings.text(f"role.{person.role.value}"))
        frame.top.lock_requested.connect(self.lock)
        frame.rail.set_places([Place(key, strings.text(f"{key}.title"), _PAGES[key][2]) for key in PLACES[person.role]])
        frame.rail.chosen.connect(self.go)
        frame.palette_overlay.chosen.connect(self._run)
        frame.notice.acted.connect(self._notice_acted)
        # The frame opens the palette by the same signal, first; what can be done now is filled in while it opens.
        frame.top.search_requested.connect(self.open_palette)
        self._show_protections(*self._protections)

    def _set_up_keys(self) -> None:
        # Ctrl+K and Ctrl+L are the top bar's while the frame is shown; the reader brings its own.
        self._shortcut(self, "F1", self.show_keys)
        self._shortcut(self.frame, "F2", lambda: self.go("looked_for"))
        if self._signed_in.person.role in _OUTSIDE_THE_RAIL["premises"]:
            self._shortcut(self.frame, "F4", lambda: self.go("premises"))
        find = self._shortcut(self.frame, "Ctrl+F", lambda: self.go("find"))
        find.setEnabled("find" in PLACES[self._signed_in.person.role])

    def _shortcut(self, owner: QWidget, keys: str, act: Callable[[], None]) -> QShortcut:
        made = QShortcut(QKeySequence(keys), owner)
        made.setContext(Qt.ShortcutContext.WindowShortcut)
        made.activated.connect(act)
        return made

    def _set_up_clocks(self) -> None:
        left_ms = max(0, (self._signed_in.session_ends_us - strings.now_us()) // 1_000)
        self._session_end = QTimer(self, singleShot=True)
        self._session_end.timeout.connect(lambda: self.locking.emit("session-end"))
        self._session_end.start(min(left_ms, 2**31 - 1))
        self._session_warning = QTimer(self, singleShot=True)
        self._session_warning.timeout.connect(self._warn_of_end)
        self._session_warning.start(min(max(0, left_ms - _SESSION_WARNING_MINUTES * _MINUTE_MS), 2**31 - 1))
        self._page_text_end = QTimer(self, singleShot=True)
        self._page_text_end.timeout.connect(self._end_page_text)
        if self._speaks:  # for a year, perhaps; the session ends before
            left_ms = max(0, (self._signed_in.accommodated_until_us - strings.now_us()) // 1_000)
            self._page_text_end.start(min(left_ms, 2**31 - 1))

    def start(self, page_key: str) -> None:
        """Show the first page, or the one a session that was locked stood on; begin to watch."""
        places = PLACES[self._signed_in.person.role]
        self._guard.set_level(GuardLevel.WATCHING)
        self._proof.start()
        self._idle.start()
        # In a turn of its own: frame and page in one would hold the keyboard twice as long.
        QTimer.singleShot(0, self, partial(self._go_first, page_key if page_key in places else places[0]))
        if self._signed_in.person.role in _ROLES_WITH_REPORTS and "desk" not in places:
            self._count_held()
        if self._signed_in.person.role is Role.SUPERVISOR:
            QTimer.singleShot(0, self, self._start_alerts)
        QTimer.singleShot(_SPARE_AFTER_MS, self, self._keep_spare_reader)

    def _go_first(self, key: str) -> None:
        if not self._ended and self._page is None:
            self.go(key)

    def end(self) -> None:
        """Stop everything: the session is over on screen."""
        if self._ended:
            return
        self._ended = True
        self._guard.set_level(GuardLevel.OFF)
        self._proof.stop()
        self._selections.disarm()
        self._idle.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self._guard)
        self._guard.deleteLater()
        if self._alerts is not None:
            self._alerts.end()
        if self._page is not None:
            self._page.hidden()
        self._unanswered.stop()
        self._session_end.stop()
        self._session_warning.stop()
        if self._premises_bar is not None:
            self._premises_bar.show_left(None)

    @property
    def person_id(self) -> PersonId:
        """Whose session this is."""
        return self._signed_in.person.person_id

    def page_key(self) -> str:
        """Give the page of the rail that is shown, for the next session of the same person."""
        return self._page.key if self._page is not None else ""

    def _count_held(self) -> None:
        self._bridge.ask(Desk.overview).then(self._know_held, lambda _error: None).owner(self)

    def _know_held(self, view: DeskView) -> None:
        self._held = len(view.holding)

    # -- pages ---------------------------------------------------------------------------------------------------------------------------

    def go(self, key: str, what: str = "") -> None:
        """Show a page; ``reader`` opens a check-out. `what` is handed to the page (see `Page.open_at`)."""
        if key == "reader":
            self.open_reader(CheckOutId(what))
            return
        role = self._signed_in.person.role
        if key not in PLACES[role] and role not in _OUTSIDE_THE_RAIL.get(key, ()):
            key, what = PLACES[role][0], ""
        page = self._pages.get(key) or self._make(key)
        before, self._page = self._page, page
        if before is not None and before is not page:
            before.hidden()
            self.frame.show_inspector(shown=False)
        self._faces.setCurrentWidget(self.frame)
        self.frame.content.setCurrentWidget(page)
        self.frame.rail.set_current(key)
        if what:
            page.open_at(what)
        page.shown()
        self._tidy.start()

    def _make(self, key: str) -> Page:
        module, name, _icon = _PAGES[key]
        page = cast(Page, getattr(importlib.import_module(module), name)(self._bridge, self._signed_in))
        page.frame = self.frame
        page.go.connect(self.go)
        page.badge.connect(lambda count: self._badge(key, count))
        page.expecting.connect(self._expect)
        self.frame.content.addWidget(page)
        self._pages[key] = page
        return page

    def _badge(self, key: str, count: int) -> None:
        if key == "desk":
            self._held = count
        self.frame.rail.set_count(key, count, Tone.BREACH if key == "breaches" else Tone.PLAIN)

    # -- reader --------------------------------------------------------------------------------------------------------------------------

    def open_reader(self, check_out_id: CheckOutId) -> None:
        """Read a file that is held: the page takes the window. The vault is asked first, and opens the file while the window changes."""
        self.close_reader()
        face, reader, strip = self._spare_reader or self._make_reader()
        self._spare_reader = None
        reader.start(check_out_id, self.width())
        if self._page is not None:
            self._page.hidden()
        self.reader, self._reader_face, self._reader_strip = reader, face, strip
        self._show_protections(*self._protections)
        self._faces.setCurrentWidget(face)
        reader.page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_reader(self) -> tuple[QWidget, Reader, ProtectionStrip]:
        from PySide6.QtWidgets import QVBoxLayout  # noqa: PLC0415

        from ui.windows.reader import Reader  # noqa: PLC0415 -- with the first file

        face, reader, strip = QWidget(), Reader(self._bridge, speaks=self._speaks), ProtectionStrip()
        column = QVBoxLayout(face)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(reader, 1)
        column.addWidget(strip)
        reader.ended.connect(self._reader_ended)
        reader.disclosing.connect(self._disclosing)
        self._shortcut(reader, "Ctrl+K", self.open_palette)
        self._shortcut(reader, "Ctrl+L", self.lock)
        self._faces.addWidget(face)
        return face, reader, strip

    def _keep_spare_reader(self) -> None:
        """Build the next reader while nobody waits: building one costs more than the vault needs for a page."""
        if not self._ended and self._spare_reader is None and self._signed_in.person.role in _ROLES_WITH_REPORTS:
            self._spare_reader = self._make_reader()
            self._expect(self._expected)
            QTimer.singleShot(0, self, self._lay_out_spare_reader)

    def _lay_out_spare_reader(self) -> None:
        """Polish and lay it out as it will be shown; painting a pixel of it does that, and takes longer than a page."""
        if self._spare_reader is not None and not self._ended:
            face = self._spare_reader[0]
            face.resize(self.size())
            face.grab(QRect(0, 0, 1, 1))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Another width is another resolution of what was made ready."""
        super().resizeEvent(event)
        self._resized.start()

    def _expect(self, check_out_id: str) -> None:
        """Have the vault prepare the file a person points at; what is prepared stays in the vault until it is asked for."""
        self._expected = CheckOutId(check_out_id)
        if self._expected and self._spare_reader is not None and self.reader is None:
            self._spare_reader[1].expect(self._expected, self.width())

    def close_reader(self) -> None:
        """Take the reader away."""
        face, self.reader, self._reader_face, self._reader_strip = self._reader_face, None, None, None
        if face is not None:
            self._faces.removeWidget(face)
            face.hide()
            face.deleteLater()
            QTimer.singleShot(_SPARE_AFTER_MS, self, self._keep_spare_reader)
            self._tidy.start()
        if self._alert_bar is not None:
            self._alert_bar.hide()  # the frame's tells it from here
        self._disclosing(shown=False)

    def _disclosing(self, shown: bool) -> None:
        if not self._ended:
            self._guard.set_level(GuardLevel.READING if shown else GuardLevel.WATCHING)
            if shown:
                self._selections.arm()
            else:
                self._selections.disarm()

    def _reader_ended(self, how: Ended, notice: BreachNotice | None) -> None:
        from ui.windows.reader import Ended  # noqa: PLC0415

        self._close_sheets()
        if how in {Ended.LEFT, Ended.RETURNED, Ended.HANDED_OVER}:
            self.close_reader()
            self._back_to_desk()
            if how is not Ended.LEFT:
                words = strings.text(f"closed.{how.value}")
                self.frame.notice.show_notice(words, strings.text(f"closed.{how.value}_why"), tone=Tone.PROVEN, icon=IconName.DONE)
            return
        panel = self._plain_panel()
        lines = (
            (notices.blocked_sentence(notice.kind), notices.recorded(notice))
            if notice is not None
            else (strings.text(f"closed.{how.value}_why"),)
        )
        panel.show_words(
            strings.text(f"closed.{how.value}"),
            *lines,
            strings.text("closed.contained_next") if how is Ended.CONTAINED else "",
            act=strings.text("closed.to_desk"),
            grave=how is Ended.CONTAINED,
            icon=IconName.BLANKED if how is Ended.CONTAINED else IconName.CLOCK if how is Ended.EXPIRED else IconName.RECALL,
        )
        self._faces.setCurrentWidget(panel)
        self.close_reader()
        panel.act.setFocus(Qt.FocusReason.OtherFocusReason)
        panel.repaint()

    def _plain_panel(self) -> PlainPanel:
        if self._panel is None:
            from ui.windows.cannot_open import PlainPanel  # noqa: PLC0415

            self._panel = PlainPanel("closed")
            self._panel.acted.connect(self._back_to_desk)
            self._faces.addWidget(self._panel)
        return self._panel

    def _back_to_desk(self) -> None:
        self.go("desk" if "desk" in PLACES[self._signed_in.person.role] else self.page_key())

    def _close_sheets(self) -> None:
        for overlay in self.findChildren(Overlay):
            overlay.close_over()

    # -- copy attempts ---------------------------------------------------------------------------------------------------------------------

    def _attempted(self, kind: SignalKind, facts: dict[str, Fact]) -> None:
        if self.reader is not None:
            self.reader.attempted(kind, facts)
            return
        told = tuple((name, str(value)) for name, value in facts.items())
        self._bridge.ask(Breaches.report, kind, told, None, 0, strings.now_us()).then(self._noticed).owner(self)

    def _noticed(self, notice: BreachNotice) -> None:
        """Tell a report where no page was on screen; a supervisor's alerts tell it already, and context nobody is told of."""
        role = self._signed_in.person.role
        told_here = role in _ROLES_WITH_REPORTS and role is not Role.SUPERVISOR and notice.severity >= Severity.AMBIGUOUS
        if notice.containment is not Containment.NONE or told_here:
            notices.show_in_bar(self.frame.notice, notice)
            self._alert_report = ""

    # -- what the vault tells --------------------------------------------------------------------------------------------------------------

    def _told(self, event: object) -> None:
        if isinstance(event, CustodyChanged) and self._signed_in.person.role in _ROLES_WITH_REPORTS:
            self._count_held()
        if isinstance(event, IntakeMoved):
            (self._intakes.discard if event.intake.finished else self._intakes.add)(event.intake.intake_no)
        if isinstance(event, ProtectionsChanged):
            self._show_protections(event.protections, event.trust)
        if isinstance(event, BreachRecorded) and self.reader is None and event.notice.kind not in notices.REPORTED_HERE:
            self._noticed(event.notice)

    def _show_protections(self, statuses: tuple[ProtectionStatus, ...], trust: TrustLevel) -> None:
        self._protections = statuses, trust
        words, tone = protection_words.premises(statuses)
        for strip in (self.frame.strip, self._reader_strip):
            if strip is not None:
                strip.set_protections(protection_words.chips(statuses))
                strip.set_trust(*protection_words.trust(trust))
                strip.set_accommodation(strings.text("protection.accommodated") if self._speaks else "")
                strip.set_premises(words, tone)

    def _end_page_text(self) -> None:
        """The accommodation is over: the words of the page on screen go now, not with the page."""
        self._speaks = False
        for reader in (self.reader, self._spare_reader[1] if self._spare_reader is not None else None):
            if reader is not None:
                reader.silence()
        self._show_protections(*self._protections)

    def show_premises(self, locks_at_s: float | None) -> None:
        """Say above everything that the key servers do not answer, and when this session locks; None: they answer."""
        if self._premises_bar is None:
            if locks_at_s is None:
                return
            from ui.windows.premises_bar import PremisesBar  # noqa: PLC0415

            self._premises_bar = PremisesBar(lambda: self.reader is not None)
            self._column.insertWidget(0, self._premises_bar)
        self._premises_bar.show_left(locks_at_s)

    def _start_alerts(self) -> None:
        from ui.windows.alerts import Alerts  # noqa: PLC0415

        if self._ended:
            return
        self._alerts = Alerts(self._bridge, self._signed_in, lambda: self.reader is not None, self)
        self._alerts.counted.connect(lambda count: self._badge("breaches", count))
        self._alerts.alerted.connect(self._show_alert)
        self._alerts.opened.connect(self._open_report)
        self._alerts.about_oneself.connect(self._tell_about_oneself)

    def _show_alert(self, title: str, sentence: str, report_no: str) -> None:
        self._alert_report = report_no
        for bar in (self.frame.notice,) if self.reader is None else (self.frame.notice, self._bar_over_reader()):
            bar.show_notice(title, sentence, tone=Tone.BREACH, icon=IconName.BREACHES, action=strings.text("alerts.open"))

    def _tell_about_oneself(self, notice: BreachNotice) -> None:
        if self.reader is None and notice.severity >= Severity.AMBIGUOUS:  # the reader tells its own
            notices.show_in_bar(self.frame.notice, notice)
            self._alert_report = ""

    def _bar_over_reader(self) -> NoticeBar:
        if self._alert_bar is None:
            self._alert_bar = NoticeBar()
            self._alert_bar.setObjectName("alert_bar")
            self._alert_bar.acted.connect(self._notice_acted)
            self._alert_bar.closed.connect(self.frame.notice.close_notice)
            self._column.insertWidget(0, self._alert_bar)
        return self._alert_bar

    def _open_report(self, report_no: str) -> None:
        if self._ended:
            return
        if self.reader is not None:
            self.reader.leave()
        self.go("breaches", report_no)

    def _notice_acted(self) -> None:
        self.frame.notice.close_notice()
        if self._alert_report:
            self._open_report(self._alert_report)
        elif self._signed_in.person.role in _ROLES_WITH_REPORTS:
            self.go("my_reports")

    def tell(self, error: VaultError) -> None:
        """Tell an error nobody asked for, in the notice bar."""
        told = messages.explain(error)
        bar = self.reader.notice if self.reader is not None else self.frame.notice
        if self.reader is None:
            self._alert_report = ""
        bar.show_notice(
            told.title,
            f"{told.sentence} {told.next_step}".strip(),
            tone=Tone.BREACH if told.grave else Tone.ATTENTION,
            icon=IconName.WARNING,
        )

    def tell_incident(self, incident_no: str) -> None:
        """Say that something went wrong that nobody foresaw; a page on screen goes, because its state is unknown."""
        words = (
            strings.text("incident.title"),
            f"{strings.text('incident.sentence', incident_no=incident_no)} {strings.text('incident.next')}",
        )
        if self.reader is not None:
            self.reader.leave()
        self.frame.notice.show_notice(*words, tone=Tone.ATTENTION, icon=IconName.WARNING)

    def _warn_of_end(self) -> None:
        minutes = max(0, (self._signed_in.session_ends_us - strings.now_us()) // 60_000_000)
        bar = self.reader.banner if self.reader is not None else self.frame.notice
        bar.show_notice(strings.text("session.ends_soon", count=minutes), strings.text("session.ends_soon_why"), icon=IconName.CLOCK)

    # -- palette, keys, leaving ------------------------------------------------------------------------------------------------------------

    def offers(self) -> list[tuple[str, list[PaletteAction]]]:
        """Give everything that can be done now, by group: the page's or the reader's own, places, session."""
        role = self._signed_in.person.role
        own = self.reader.actions() if self.reader is not None else self._page.actions() if self._page is not None else []
        group = strings.text("reader.title") if self.reader is not None else self._page.title if self._page is not None else ""
        places = []
        if self.reader is None:
            places = [
                PaletteAction(
                    key,
                    strings.text("shell.go_to", place=strings.text(f"{key}.title")),
                    _PAGES[key][2],
                    partial(self.go, key),
                    f"Ctrl+{at}",
                )
                for at, key in enumerate(PLACES[role], 1)
            ]
        dark = theme.tokens().scheme is theme.Scheme.DARK
        session = [
            PaletteAction(
                "scheme",
                strings.text("shell.light" if dark else "shell.dark"),
                IconName.SUN if dark else IconName.MOON,
                self.scheme_toggled.emit,
            ),
            PaletteAction("looked_for", strings.text("looked_for.title"), IconName.INFO, lambda: self.go("looked_for"), "F2"),
            PaletteAction("keys", strings.text("shell.keys"), IconName.PALETTE, self.show_keys, "F1"),
            PaletteAction("lock", strings.text("top.lock"), IconName.LOCK, self.lock, "Ctrl+L"),
            PaletteAction("sign_out", strings.text("shell.sign_out"), IconName.SIGN_OUT, self.sign_out),
        ]
        if self.reader is None:
            session[-2:-2] = [
                PaletteAction("change_passphrase", strings.text("credentials.change"), IconName.KEY, self.change_passphrase),
                PaletteAction("own_factor", strings.text("credentials.own"), IconName.ROTATE, self.renew_own_factor),
            ]
        if role in _OUTSIDE_THE_RAIL["premises"]:
            session.insert(
                2, PaletteAction("premises", strings.text("premises.title"), IconName.PREMISES, lambda: self.go("premises"), "F4")
            )
        if self.reader is None and self.frame.offers_inspector():
            own = [*own, PaletteAction("details", strings.text("inspector.toggle"), IconName.INFO, self.frame.toggle_inspector, "Ctrl+I")]
        if self._alert_bar is not None and not self._alert_bar.isHidden():
            own = [*own, PaletteAction("alert", strings.text("alerts.open"), IconName.BREACHES, self._notice_acted)]
        if self.reader is not None:
            session = [one for one in session if one.name not in _OUTSIDE_THE_RAIL]
        if self.reader is None and role in _ROLES_WITH_REPORTS and all(one.name != "reports" for one in own):
            session.insert(0, PaletteAction("reports", strings.text("desk.act_reports"), IconName.NOTE, lambda: self.go("my_reports")))
        return [(group, own), (strings.text("shell.places"), places), (strings.text("shell.session"), session)]

    def open_palette(self) -> None:
        """Open the command palette with what can be done now."""
        listed, self._acts = [], {}
        for group, actions in self.offers():
            for one in actions:
                key = f"{group}/{one.name}"
                self._acts[key] = one.act
                listed.append(Action(key, one.words, one.icon, one.keys, group))
        palette = self.frame.palette_overlay
        if self.reader is not None:
            if self._reader_palette is None:
                self._reader_palette = CommandPalette(self)
                self._reader_palette.chosen.connect(self._run)
            palette = self._reader_palette
        palette.set_actions(listed)
        palette.open_over()

    def _run(self, key: str) -> None:
        act = self._acts.get(key)
        if act is not None:
            act()

    def show_keys(self) -> None:
        """Open the overview of keys; pressed again, close it. Over another sheet there is nothing to list."""
        from ui.windows.keys_sheet import KeysSheet  # noqa: PLC0415

        for overlay in self.findChildren(Overlay):
            if overlay.isVisible():
                if isinstance(overlay, KeysSheet):
                    overlay.dismiss()
                return
        groups = [(group, [(one.keys, one.words) for one in actions if one.keys]) for group, actions in self.offers()]
        KeysSheet(self.reader.sheet_host if self.reader is not None else self.frame, groups).open_over()

    def change_passphrase(self) -> None:
        """Have whoever is signed in change their passphrase."""
        from ui.windows.credentials import ChangePassphraseSheet  # noqa: PLC0415 -- hardly ever

        told = "credentials.changed", "credentials.changed_why"
        ChangePassphraseSheet(self.frame, self._bridge, self._signed_in.person.badge_no, lambda: self._tell_done(*told)).open_over()

    def renew_own_factor(self) -> None:
        """Have whoever is signed in take their codes to another phone."""
        from ui.windows.credentials import OwnFactorSheet, ProofSheet  # noqa: PLC0415 -- hardly ever

        def prove(shown: Enrolment) -> None:
            told = "credentials.own_renewed", "credentials.own_renewed_why"
            ProofSheet(self.frame, self._bridge, shown, lambda: self._tell_done(*told)).open_over()

        OwnFactorSheet(self.frame, self._bridge, prove).open_over()

    def _tell_done(self, title: str, sentence: str) -> None:
        self._alert_report = ""
        self.frame.notice.show_notice(strings.text(title), strings.text(sentence), tone=Tone.PROVEN, icon=IconName.DONE)

    def lock(self) -> None:
        """Lock, because somebody asked for it; say first what becomes of an intake, unless a file is being read."""
        if not self._intakes or self.reader is not None or self._unanswered.isActive():
            self.locking.emit("key")
            return
        unanswered = strings.text("shell.lock_unanswered", count=_UNANSWERED_LOCK_SECONDS)
        sheet = self._confirm("lock", (strings.text("shell.intake_stops"), unanswered), lambda: self.locking.emit("key"))
        sheet.dismissed.connect(self._unanswered.stop)
        self._unanswered.start(_UNANSWERED_LOCK_SECONDS * 1_000)

    def sign_out(self) -> None:
        """Sign out; say first what becomes of files that are held and of an intake."""
        self._end_by_hand("sign_out", self.signing_out.emit)

    def ask_to_close(self, close: Callable[[], None]) -> None:
        """Close; ask before the window closes on files that are held or on an intake."""
        self._end_by_hand("close", close)

    def _end_by_hand(self, what: str, end: Callable[[], None]) -> None:
        stays = (strings.text("shell.files_stay", count=self._held),) if self._held else ()
        stops = (strings.text("shell.intake_stops"),) if self._intakes else ()
        if stays or stops:
            self._confirm(what, (*stays, *stops), end)
        else:
            end()

    def _confirm(self, what: str, sentences: tuple[str, ...], then: Callable[[], None]) -> ActSheet:
        host = self.reader.sheet_host if self.reader is not None else self.frame
        sheet = confirmation(
            host,
            what,
            strings.text(f"shell.{what}_title"),
            strings.text(f"shell.{what}_do"),
            sentence=" ".join(sentences),
            secondary=strings.text("shell.stay"),
        )

        def accepted() -> None:
            sheet.finish()
            then()

        sheet.accepted.connect(accepted)
        sheet.open_over()
        return sheet
