"""`make premises-drill` as a test: every step ok, and nothing of it left on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.own_session import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="makes network namespaces: root on Linux"),
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(600),
]
STEPS = 15


def test_off_the_premises_the_key_does_not_exist(tmp_path: Path) -> None:
    out = tmp_path / "premises.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.premises_drill", "--out", out], cwd=ROOT, capture_output=True, text=True, timeout=590, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = json.loads(out.read_text())
    assert len(lines) == STEPS
    assert all(set(one) == {"step", "expected", "observed", "ok", "seconds"} and one["ok"] for one in lines), lines
    left = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    assert "casevault-" not in left
