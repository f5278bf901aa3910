"""A page turn and a first page in the real desk process, driven from outside: an X key event in, a line of ``--steps`` out.

Rules:

- The key is sent by an ``xdotool`` that is already running; the stamp is taken just before it is told to. The desk's own line, on the same
  monotonic clock, is written once the page has been handed to the screen. Everything between is counted, the X server too.
- The window is as wide as in `turn`; `turn` says what width of picture that is.
"""

from __future__ import annotations

import os
import subprocess
import time

from tests.bench import stations
from tests.bench.desk import BareRenderer, Desk, rest, screen, wait
from tests.bench.measures import Report, at_most, median, percentile
from tests.journeys.desk_driver import DeskDriver
from vault.services.custody import Custody
from vault.services.desk import Desk as DeskService

_TURNS, _WARM = 60, 5
_DWELL_SECONDS = 0.2


class Keys:
    """An xdotool that waits for its next line."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def press(self, name: str) -> int:
        """Send a key; microseconds of the monotonic clock just before."""
        assert self._child.stdin is not None
        at_us = time.monotonic_ns() // 1000
        self._child.stdin.write(f"key --delay 0 {name}\n")
        self._child.stdin.flush()
        return at_us

    def close(self) -> None:
        self._child.kill()
        self._child.wait()


def run(report: Report) -> None:
    """Measure the outer half of item 2."""
    made = stations.ready("few")
    with screen():
        width = _width_for_dpi(made)
        desk = DeskDriver(made.directory, environment={"DISPLAY": os.environ["DISPLAY"]})
        keys = Keys()
        peer = BareRenderer(stations.papers() / stations.CASE_FILE)
        try:
            _open(desk, made, width)
            samples, bare = [], []
            for page_no in range(2, 2 + _WARM + _TURNS):
                desk.settle(_DWELL_SECONDS, _DWELL_SECONDS)
                before = desk.mark()
                sent_us = keys.press("Next")
                step = desk.wait(f"painted {page_no}", since=before)
                samples.append((step.at_us - sent_us) / 1e6)
                bare.append(peer.render(page_no))
        finally:
            peer.close()
            keys.close()
            desk.close()
    samples, bare = samples[_WARM:], bare[_WARM:]
    report.add(
        "window", "page turn, X key event to painted page (real desk process)", 1000 * median(samples), "ms", len(samples), at_most(50)
    )
    report.add("window", "bare pypdfium2 render of the same pages at 150 dpi", 1000 * median(bare), "ms", len(bare))
    report.add("window", "page turn over bare render", median(samples) / median(bare), "x", len(samples), at_most(2.5))
    report.add("window", "page turn, p95", 1000 * percentile(samples, 95), "ms", len(samples))


def _width_for_dpi(made: stations.Made) -> int:
    """How wide the window is when an A4 page fits it at 150 dpi: tried on a desk in this process, on the same screen."""
    desk = Desk(made)
    desk.sign_in(stations.OFFICERS[0])
    line = desk.ask(DeskService.cases, "", "", 5).lines[0]
    desk.open_reader(desk.check_out(line.case_id))
    desk.fit_page_to_dpi()
    rest(0.5)
    width = desk.window.width()
    _return(desk)
    desk.close()
    return width


def _return(desk: Desk) -> None:
    check_out_id = desk.reader.check_out_id
    desk.reader.leave()
    desk.ask(Custody.check_in, check_out_id, True)
    desk.routing._sign_out()  # a session left open would meet the next desk at the lock page
    wait(lambda: desk.routing.shell is None and desk.routing._is_ready)


def _open(desk: DeskDriver, made: stations.Made, width: int) -> None:
    """Sign in, check the newest case out with one key and make the window wide enough."""
    desk.wait("show casevault", since=0)
    found = desk._xdotool("search", "--sync", "--onlyvisible", "--name", "^Casevault$").split()[0]
    desk._xdotool("windowmove", found, "0", "0", "windowsize", found, str(width), "1100")
    desk.settle(1.5)
    desk._xdotool("windowfocus", "--sync", found)
    desk.wait("focus sign_in_badge", since=0)
    desk.settle(0.5)
    badge_no, passphrase, code = made.credentials(stations.OFFICER)
    for text in (badge_no, passphrase, code):
        desk.type(text)
        before = desk.key("Return")
        desk.settle(0.3)
    desk.wait("show page_desk", since=before)
    desk.settle(1.0)
    while [step.name for step in desk.steps if step.verb == "focus"][-1] != "desk_cases":
        before = desk.key("Tab")
        desk.wait("focus *", since=before, seconds=5)
    before = desk.key("1")
    desk.wait("painted 1", since=before)
    desk.settle(1.0)
