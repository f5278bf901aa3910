"""The Qt that is installed keeps what it was lent (docs/adr/0002-versions.md)."""

from __future__ import annotations

import subprocess
import sys

CALLS = 500
COUNT = f"""
import sys
from PySide6.QtGui import QImage
picture = QImage(8, 8, QImage.Format.Format_RGB32)
picture.fill(0)
before = sys.getrefcount(None)
for _ in range({CALLS}):
    picture.fill(0)
print(sys.getrefcount(None) - before)
"""


def test_a_call_that_returns_nothing_gives_no_reference_to_none_away() -> None:
    counted = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, timeout=60, check=True)
    assert abs(int(counted.stdout)) < CALLS // 10, "some thousand calls later the interpreter would abort"
