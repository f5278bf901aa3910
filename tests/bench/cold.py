"""Cold start: from starting the process to the first paint of the sign-in window, against a window with nothing in it.

Rules: fresh processes, A B A B; the stamp is taken by the process in the event loop's turn after its first paint; the files are in the page
cache, and the byte code of both is compiled before. The bare window is a QWidget of the same size with a paint event, no theme, fonts or
text. Ours begins as `ui.__main__.begin` does: collection off, the environment cleaned, Qt's platform fixed.

The processor's time (user and system, of the whole process) is published beside the wall clock: it says less of what else the machine does.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.desk import screen
from tests.bench.measures import LEAST_REPEATS, Report, at_most, interleaved, median
from tests.bench.stations import ROOT, WORK

_STAMP = "import os, time\ndef stamp():\n    os.write(1, b'%d' % time.monotonic_ns())\n    os._exit(0)\n"
_BARE = (
    _STAMP
    + """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QWidget
class Window(QWidget):
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.end()
        QTimer.singleShot(0, self, stamp)
app = QApplication(['bare'])
window = Window()
window.resize(1280, 720)
window.show()
app.exec()
"""
)
_OURS = (
    _STAMP
    + """
import gc, sys
gc.disable()
from vault.platform import environment
environment.clean((sys.executable, '-c', 'raise SystemExit("started again: the bench has a hostile environment")'))
import ui.app
ui.app.Routing._start = lambda routing: stamp()  # what follows the first paint
ui.app.main(['--vault', sys.argv[1]], environment.platform_arguments())
"""
)


spent: dict[str, list[float]] = {}  # program -> processor seconds of each start


def run(report: Report) -> None:
    """Measure the cold start of item 4."""
    for folder in ("ui", "vault"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    with screen():
        spent.clear()
        bare, ours = _started(_BARE), _started(_OURS, str(WORK / "nowhere"))
        interleaved(3, bare, ours)  # byte code and libraries are read once
        spent.clear()
        theirs, desk = interleaved(LEAST_REPEATS + 10, bare, ours)
    count = len(desk)
    processor = {program: min(times) for program, times in spent.items()}
    report.add("cold", "start of the process to the first paint of the sign-in window", 1000 * median(desk), "ms", count)
    report.add("cold", "the same for a bare PySide6 window", 1000 * median(theirs), "ms", count)
    report.add("cold", "cold start over bare window", median(desk) / median(theirs), "x", count, at_most(1.3))
    report.add("cold", "  the same of the least wall clocks", min(desk) / min(theirs), "x", count)
    report.add("cold", "  the same of the least processor times", processor[_OURS] / processor[_BARE], "x", count)


def _started(program: str, *arguments: str) -> Callable[[], float]:
    def start() -> float:
        before = os.times()
        began = time.monotonic_ns()
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=True, cwd=Path(ROOT))
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        spent.setdefault(program, []).append(used)
        return (int(done.stdout) - began) / 1e9

    return start
