"""The attack suite as a test: every row of the catalogue ok, the threat model and the catalogue one."""

from __future__ import annotations

from pathlib import Path

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
    assert unarmed <= {vector.id for vector in CATALOGUE if vector.promise is Class.DECLARED}


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
