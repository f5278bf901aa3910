"""The real desk with a page on it, as a program of its own: what is captured in `test_captures`. Told by lines what to do.

    show      check the case file out, if it is not, and open it: ``{"shown": true}`` once its page is painted, or why not
    end       close everything

Everything the vault tells goes out as lines of JSON. Nothing in here is a stand-in: window, bridge, vault process and reader are the
product's; only the sign-in form is not typed into.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from tests.bench.desk import Desk, wait
from tests.bench.stations import Made
from ui.windows.reader import Reader
from vault.domain.identity import CheckOutId
from vault.services.desk import Desk as DeskService
from vault.services.events import BreachRecorded, CustodyChanged, ProtectionsChanged, ScreenBlanked

_REST_SECONDS = 30.0


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


class Captured:
    """One signed-in officer."""

    def __init__(self, directory: Path, second_factors: dict[str, str], badge_no: str) -> None:
        self.desk = Desk(Made(directory, second_factors, {}))
        self.desk.bridge.told.connect(self._told)
        self.desk.window.showFullScreen()
        self.desk.sign_in(badge_no)
        self.check_out_id = CheckOutId("")

    def show(self) -> None:
        """Have a page on the screen."""
        shell = self.desk.shell
        reader: Reader | None = shell.reader
        if reader is None:
            (line,) = self.desk.ask(DeskService.cases, "", "", 5).lines
            held = self.desk.ask(DeskService.overview).holding
            self.check_out_id = held[0].check_out_id if held else self.desk.check_out(line.case_id)
            shell.open_reader(self.check_out_id)
            reader = shell.reader
        else:
            reader._attended(Qt.ApplicationState.ApplicationActive)  # as when a person comes back to the window
        assert reader is not None
        page = reader.page

        def settled() -> bool:
            if reader._sheet is not None:  # of something else that was reported: a person reads it and goes on
                reader._sheet.dismiss()
                return False
            return shell.reader is None or (not page.is_blank() and not page.is_covered()) or page._reason is not None

        wait(settled, _REST_SECONDS)
        shown = shell.reader is not None and not page.is_blank()
        say(shown=shown, told=list(page._reason[1:]) if page._reason is not None else [])

    def _told(self, event: object) -> None:
        if isinstance(event, BreachRecorded):
            notice = event.notice
            say(breach=notice.kind.value, joined=notice.joined, containment=notice.containment.value, returned=event.returned)
        elif isinstance(event, ScreenBlanked):
            say(blanked=event.blanked)
        elif isinstance(event, CustodyChanged) and event.ended is not None:
            say(ended=event.ended.value)
        elif isinstance(event, ProtectionsChanged):
            say(protections={one.protection.value: f"{one.state.value} {one.reason}" for one in event.protections})


def _listen(lines: queue.SimpleQueue[str]) -> None:
    while line := sys.stdin.readline():
        lines.put(line.strip())
    lines.put("end")


def main() -> None:
    directory, badge_no = Path(sys.argv[1]), sys.argv[2]
    captured = Captured(directory, json.loads(sys.stdin.readline()), badge_no)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    say(ready=True, platform=QGuiApplication.platformName())
    while True:
        wait(lambda: not lines.empty(), 3600)
        if lines.get() == "end":
            break
        captured.show()
    captured.desk.close()


if __name__ == "__main__":
    main()
