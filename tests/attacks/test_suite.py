"""The attack suite as a test: every row of the catalogue ok, the threat model and the catalogue one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.suite.catalogue import CATALOGUE, ON_STRIP, Class
from tests.attacks.suite.papers import write_papers
from tests.attacks.suite.readout import Reported, reported_in
from tests.attacks.suite.rig import Act
from tests.attacks.suite.strip import OnStrip, strip_of
from tests.attacks.suite.verdict import declared, judge
from tests.station import SUPERVISOR, Station
from vault.domain.breach import Containment, Signal, SignalKind
from vault.domain.protection import Protection
from vault.storage.breaches import MAX_FACTS

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
    assert not judge([row], [act], [], {}, {}).ok
    assert not judge([row], [], [], {}, {}).ok, "a row whose attack did nothing"
    assert not judge([row], [], [], {"V1": "no xdotool"}, {}).ok


@pytest.mark.parametrize("id_", ON_STRIP)
def test_what_is_declared_on_the_strip_is_ok_only_if_the_strip_says_it(id_: str) -> None:
    row = next(vector for vector in CATALOGUE if vector.id == id_)
    assert row.promise is Class.DECLARED
    protection, words = ON_STRIP[id_]
    acts = [Act(row.id, "tried", frozenset(), {}, 10, 20)]
    found = judge([row], acts, [], {}, {protection: OnStrip("Detected", f"It is noticed. {words}.")}).rows[0]
    assert found.ok
    assert words in found.observed
    for strip in ({}, {protection: OnStrip("Detected", "It is noticed.")}):
        assert not judge([row], acts, [], {}, strip).ok


def test_the_strip_is_found_among_what_a_window_says() -> None:
    said = ["Casevault", "2 enforced: Enforced", "Copy keys: Blocked. Not a camera.\nMemory on disk: None. As set.", "Trust full"]
    assert strip_of(said) == {
        Protection.COPY_KEYS: OnStrip("Enforced", "Blocked. Not a camera."),
        Protection.MEMORY: OnStrip("Enforced", "None. As set."),
    }


def test_the_marked_papers_are_documents(tmp_path: Path) -> None:
    write_papers(tmp_path, 9)
    assert (tmp_path / "a-statement.pdf").read_bytes().startswith(b"%PDF")
    assert "127.0.0.1:9" in (tmp_path / "b-mail.eml").read_text()


def test_a_time_is_told_from_the_attacks_first_moment_too() -> None:
    row = next(vector for vector in CATALOGUE if vector.id == "V50")
    act = Act("V50", "cp", frozenset({SignalKind.STORE_OPENED}), {}, 1_000_000, 2_000_000)
    report = Reported(SignalKind.STORE_OPENED, 1_200_000, 1_250_000, 3, "BR-1", "", 0, Containment.NONE, {})
    numbers = judge([row], [act], [report], {}, {}).numbers
    assert sorted(value for value in numbers.values() if isinstance(value, float)) == [50.0, 250.0]


def test_a_report_with_more_signals_than_it_keeps_facts_of_is_read_out_whole(station: Station) -> None:
    vault = station.vault
    for number in range(MAX_FACTS + 2):
        vault.breaches.record(Signal(SignalKind.STORE_OPENED, station.clock.now_us(), (("pid", number),)))
    station.sign_in(SUPERVISOR)
    found = reported_in(lambda method, *arguments: method(vault.supervision, *arguments))
    assert [one.facts.get("pid", "") for one in found] == [*map(str, range(MAX_FACTS)), "", ""]
    assert {(one.kind, one.report_no) for one in found} == {(SignalKind.STORE_OPENED, found[0].report_no)}
