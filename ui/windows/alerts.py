"""What a supervisor is told the moment a report is recorded: a line in the window, a balloon in the system tray.

Rules:

- Report number, severity, place and badge. Never case content, never a name.
- The tray is an addition: where the desktop has none, the window says it alone. A click on its icon opens the last report only where no
  file is read: a click on the balloon, which names the report, alone leaves a file.
- A report about the person signed in is theirs to know and not to deal with: it is told as it is to everybody, with nothing to open.
- The count of reports nobody has acknowledged stands on the rail, asked for once in a burst of events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QSystemTrayIcon

from ui import strings
from ui.icons import IconName, icon
from ui.windows.breach_words import open_count, severity_mark
from vault.services.events import BreachRecorded, ReportChanged
from vault.services.supervision import Supervision
from vault.services.views import BreachNotice, ReportLine, SignedIn

if TYPE_CHECKING:
    from ui.bridge import Bridge

_MERGE_MS = 80
_BALLOON_MS = 20_000


class Alerts(QObject):
    """Listens for reports.

    `alerted(title, sentence, report number)`; `counted` how many wait for a supervisor; `opened` the tray was clicked;
    `about_oneself` a `BreachNotice` of a report about the person signed in.
    """

    alerted = Signal(str, str, str)
    counted = Signal(int)
    opened = Signal(str)
    about_oneself = Signal(object)

    def __init__(self, bridge: Bridge, signed_in: SignedIn, reading: Callable[[], bool], parent: QObject) -> None:
        """Listen from now on. `reading`: whether a file is on screen."""
        super().__init__(parent)
        self._bridge, self._place, self._reading = bridge, signed_in.workstation_name, reading
        self._tray: QSystemTrayIcon | None = None
        self._last = ""
        self._news: dict[str, BreachNotice] = {}  # by report number
        self._merge = QTimer(self, singleShot=True, interval=_MERGE_MS)
        self._merge.timeout.connect(self._ask)
        bridge.told.connect(self._told)
        self._ask()

    def end(self) -> None:
        """Take the tray icon away: the session is over."""
        if self._tray is not None:
            self._tray.hide()
            self._tray.deleteLater()
            self._tray = None

    def _told(self, event: object) -> None:
        if isinstance(event, BreachRecorded):
            self._news[event.notice.report_no] = event.notice
            self._merge.start()
        elif isinstance(event, ReportChanged):
            self._merge.start()

    def _ask(self) -> None:
        self._bridge.ask(Supervision.queue, False).then(self._had, lambda _error: None).owner(self)

    def _had(self, lines: tuple[ReportLine, ...]) -> None:
        self.counted.emit(open_count(lines))
        news, self._news = self._news, {}
        for line in lines:
            if (notice := news.get(line.report_no)) is None:
                continue
            if line.on_you:
                self.about_oneself.emit(notice)
            else:
                self._say(line)

    def _say(self, line: ReportLine) -> None:
        words, _tone, _icon = severity_mark(line.severity)
        badge = line.officer.badge_no if line.officer is not None else strings.text("alerts.nobody")
        title = strings.text("alerts.title", report=line.report_no)
        sentence = strings.text("alerts.sentence", severity=words, place=line.workstation_name or self._place, badge=badge)
        self._last = line.report_no
        self.alerted.emit(title, sentence, line.report_no)
        if QSystemTrayIcon.isSystemTrayAvailable():
            tray = self._tray_icon()
            tray.showMessage(title, sentence, icon(IconName.BREACHES), _BALLOON_MS)

    def _tray_icon(self) -> QSystemTrayIcon:
        if self._tray is None:
            self._tray = QSystemTrayIcon(icon(IconName.CASEVAULT), self)
            self._tray.setToolTip(strings.text("app.name"))
            self._tray.messageClicked.connect(lambda: self.opened.emit(self._last))
            self._tray.activated.connect(self._tray_clicked)
            self._tray.show()
        return self._tray

    def _tray_clicked(self, why: QSystemTrayIcon.ActivationReason) -> None:
        if why is QSystemTrayIcon.ActivationReason.Trigger and not self._reading():
            self.opened.emit(self._last)
