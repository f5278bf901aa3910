"""Another program of the account takes all the kernel gives: what is not seen then is told, and seen again when there is something."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.attacks import exhausted

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux"),
    pytest.mark.skipif(os.getuid() != 0 or shutil.which("unshare") is None, reason="needs root and a user namespace"),
]

ROOT = Path(__file__).resolve().parents[2]
OWN_ACCOUNT: Sequence[str] = ("unshare", "--user", "--map-root-user")
ATTACKS: Sequence[tuple[str, Sequence[str], dict[str, object]]] = [
    # what is taken, in what, and what comes of it
    ("watches_taken_before", OWN_ACCOUNT, {"silent": []}),
    ("watches_taken_while_it_runs", OWN_ACCOUNT, {"told": True, "found when there are watches again": True, "unproven": []}),
    ("instances_taken_before", OWN_ACCOUNT, {"told": ["copies", "store-access"], "unproven": []}),
    ("no_thread_is_left", (), {"silent": [], "left open": [], "unproven": []}),
    ("a_storm_of_events", OWN_ACCOUNT, {"told": True, "found": True, "bounded": True, "ends at once": True}),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """Where an account of the attack's own can go as well."""
    made = Path("/var/tmp") / f"casevault-exhausted-{os.getpid()}"
    made.mkdir()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "account", "expected"), ATTACKS, ids=[row[0] for row in ATTACKS])
def test_nothing_is_silent(place: Path, attack: str, account: Sequence[str], expected: dict[str, object]) -> None:
    assert attack in exhausted.ATTACKS
    command = [*account, sys.executable, "-m", "tests.attacks.exhausted", attack, str(place)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == expected
