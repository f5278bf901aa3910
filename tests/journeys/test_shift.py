"""The shift of issue and guide, asserted: every step in the real window, the reports' facts, the chain.

Slow: `make run HEADLESS=1` plays the same shift and fails where a step does; here its report is looked at, too.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.own_session import play


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_one_shift_from_founding_to_the_auditor(tmp_path: Path) -> None:
    """A session of its own (screen, bus, keyring, home), as `make run HEADLESS=1` makes it."""
    play("tests.journeys.shift", tmp_path / "shift", 390)
    report = json.loads((tmp_path / "shift" / "report.json").read_text())
    assert all(step["ok"] for step in report["steps"])
    assert len(report["steps"]) == 22
    assert [breach["kind"] for breach in report["breaches"]] == ["copy-key", "print-screen-key", "store-opened"]
    assert report["audit"]["ok"]
    assert report["audit"]["entries"] > 100
    pictures = [step["picture"] for step in report["steps"] if step["picture"]]
    assert len(pictures) >= 20
    assert all((tmp_path / "shift" / one).stat().st_size > 5_000 for one in pictures)
