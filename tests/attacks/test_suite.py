"""The attack suite as a test: every row of the catalogue ok, the threat model and the catalogue one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.suite.catalogue import CATALOGUE, Class
from tests.attacks.suite.papers import write_papers
from tests.attacks.suite.rig import Act
from tests.attacks.suite.verdict import declared, judge
from vault.domain.breach import SignalKind

ROOT = Path(__file__).resolve().parents[2]


def test_every_vector_has_its_row_and_the_threat_model_says_the_same() -> None:
    assert [vector.id for vector in CATALOGUE] == [f"V{number}" for number in range(1, 78)]
    assert declared() == {vector.id: vector.promise.value for vector in CATALOGUE}


def test_only_what_is_declared_needs_no_attack() -> None:
    unarmed = {vector.id for vector in CATALOGUE if vector.attack is None and vector.installed is None}
    assert unarmed <= {vector.id for vector in CATALOGUE if vector.promise in (Class.DECLARED, Class.NEXT)}


def test_a_row_that_is_not_reported_is_not_ok() -> None:
    row = next(vector for vector in CATALOGUE if vector.id == "V1")
    act = Act("V1", "ctrl+c", frozenset({SignalKind.COPY_KEY}), {}, 10, 20)
    assert not judge([row], [act], [], {}).ok
    assert not judge([row], [], [], {}).ok, "a row whose attack did nothing"
    assert not judge([row], [], [], {"V1": "no xdotool"}).ok


def test_the_marked_papers_are_documents(tmp_path: Path) -> None:
    write_papers(tmp_path, 9)
    assert (tmp_path / "a-statement.pdf").read_bytes().startswith(b"%PDF")
    assert "127.0.0.1:9" in (tmp_path / "b-mail.eml").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts, makes an account and installs: root on Linux")
@pytest.mark.alone
def test_every_way_out(tmp_path: Path) -> None:
    """`make attacks`, in a session of its own."""
    hidden = ("DISPLAY", "DBUS", "XDG", "PYTEST", "QT_", "PYTHON", "LD_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    out = tmp_path / "attacks.json"
    done = subprocess.run(
        [ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", "tests.attacks.suite", "--out", out],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1700,
        check=False,
    )
    assert out.exists(), done.stderr[-3000:]
    wrong = [row for row in json.loads(out.read_text()) if not row["ok"]]
    assert not wrong, done.stdout[-6000:]
    assert done.returncode == 0, done.stdout[-3000:]
