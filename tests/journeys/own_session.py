"""Plays a journey's program in a session of its own: screen, bus, keyring and home, as `make run HEADLESS=1` has them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("DISPLAY", "DBUS", "XDG", "PYTEST", "QT_")  # of the session the tests run in: nothing of it may reach the other


def play(module: str, out: Path, timeout_seconds: float) -> None:
    """Run ``python -m module --out OUT`` and see it succeed; what it said is told if it does not."""
    done = subprocess.run(
        [ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", module, "--out", out],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
