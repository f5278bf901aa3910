"""The desk carried off its premises and back, in the real window against a real key server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.own_session import play


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_lost_key_server_covers_locks_says_so_and_one_key_comes_back(tmp_path: Path) -> None:
    """A session of its own (screen, bus, keyring, home); every step is keys in the window and what the window showed."""
    out = tmp_path / "premises"
    play("tests.journeys.premises_shift", out, 590)
    found = json.loads((out / "premises.json").read_text())
    assert found["covered"]
    # Binding is this process's own change of the header, and no report; the end of the lease is one, and so is trying to open in vain.
    assert found["reports"] == ["premises-lost", "off-premises"]
