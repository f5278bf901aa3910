"""The desk carried off its premises and back, in the real window against a real key server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_lost_key_server_covers_locks_says_so_and_one_key_comes_back(tmp_path: Path) -> None:
    """A session of its own (screen, bus, keyring, home); every step is keys in the window and what the window showed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DISPLAY", "DBUS", "XDG", "PYTEST", "QT_"))}
    out = tmp_path / "premises"
    done = subprocess.run(
        [ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", "tests.journeys.premises_shift", "--out", out],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((out / "premises.json").read_text())
    assert found["covered"]
    # Binding is this process's own change of the header, and no report; the end of the lease is one, and so is trying to open in vain.
    assert found["reports"] == ["premises-lost", "off-premises"]
