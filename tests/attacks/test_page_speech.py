"""The real accessibility tree, read by another program over AT-SPI: the page that was let speak is in it, every other page is not.

The reader is the system's Python with pyatspi, which asks everything a screen reader asks; the pages are in a process of their own, because
a mistake in an accessible interface ends the process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LAUNCHER = next(
    (one for one in ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher") if Path(one).exists()), ""
)

PAGES = """
import sys
sys.path.insert(0, sys.argv[1])
from PySide6.QtCore import QThread, QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from ui.widgets.page_speech import let_speak
from ui.widgets.protected_page import ProtectedPage

app = QApplication(["pages"])
pages = []
for speaks, words in ((True, "PERIWINKLE seen at the lock\\nand went on"), (False, "MARIGOLD stays silent")):
    page = ProtectedPage()
    if speaks:
        let_speak(page)
    page.resize(200, 200)
    page.show()
    picture = QImage(80, 100, QImage.Format.Format_RGB32)
    picture.fill(QColor("white"))
    page.show_page(1, picture, 96)
    page.speak(words)
    pages.append(page)
QTimer.singleShot(0, lambda: print("ready", flush=True))




class Ending(QThread):
    def run(self) -> None:
        sys.stdin.readline()


def end() -> None:  # as at a lock: the pages go while somebody listens
    for page in pages:
        page.clear()
        page.deleteLater()
    QTimer.singleShot(200, app.quit)


ending = Ending()
ending.finished.connect(end)
ending.start()
sys.exit(app.exec())
"""

READER = """
import json, time
import pyatspi

WANTED = 60
said, spoken = [], []


def walk(node, depth=0):
    said.append(node.name or "")
    said.append(node.description or "")
    try:
        text = node.queryText()
    except NotImplementedError:
        text = None
    if text is not None:
        words = text.getText(0, -1)
        spoken.append([words, text.caretOffset, text.characterCount, text.getNSelections(), text.getStringAtOffset(3, 0)[0]])
        text.setCaretOffset(5)
        text.getAttributes(0)
        text.getCharacterExtents(0, 0)
        text.getOffsetAtPoint(1, 1, 0)
        spoken[-1].append(text.caretOffset)
    for at in range(node.childCount if depth < 20 else 0):
        child = node.getChildAtIndex(at)
        if child is not None:
            walk(child, depth + 1)


until = time.monotonic() + WANTED
while time.monotonic() < until and not spoken:
    said.clear()
    for one in pyatspi.Registry.getDesktop(0):
        if one is not None and one.name == "pages":
            walk(one)
    time.sleep(0.2)
print(json.dumps({"said": said, "spoken": spoken}))
"""


@pytest.mark.skipif(sys.platform != "linux" or not os.environ.get("DISPLAY"), reason="AT-SPI needs a display")
def test_another_program_reads_the_page_that_speaks_and_no_other(tmp_path: Path) -> None:
    python = shutil.which("python3", path="/usr/bin")
    if not LAUNCHER or python is None or subprocess.run([python, "-c", "import pyatspi"], check=False, capture_output=True).returncode:
        pytest.skip("at-spi2-core and python3-pyatspi are not installed")
    environment = {**os.environ, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_QPA_PLATFORM": "xcb"}
    bus = subprocess.Popen([LAUNCHER, "--launch-immediately"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    program = tmp_path / "pages.py"
    program.write_text(PAGES)
    pages = subprocess.Popen(
        [sys.executable, str(program), str(ROOT)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert pages.stdout is not None
        assert pages.stdout.readline().strip() == "ready"
        read = subprocess.run([python, "-c", READER], env=environment, check=True, capture_output=True, text=True, timeout=120)
        found = json.loads(read.stdout.splitlines()[-1])
        assert pages.poll() is None, "the pages' process survived being asked everything"
        _out, _ = pages.communicate("end\n", timeout=60)
        assert pages.returncode == 0
    finally:
        for process in (pages, bus):
            process.kill()
            process.wait()
    words = "PERIWINKLE seen at the lock\nand went on"
    assert [one[:4] for one in found["spoken"]] == [[words, 0, len(words), 0]]
    assert found["spoken"][0][5] == 5, "assistive technology moves the caret"
    assert "MARIGOLD" not in json.dumps(found)
    assert "Page" in found["said"]
