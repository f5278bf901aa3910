"""The demo station: its plan is whole, its documents can be made again, and it founds a vault one can work in."""

from __future__ import annotations

import argparse
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from resources.demo.make_documents import DOCUMENTS, make_documents
from tests.fakes import MemorySecretKeeper
from tests.station import CHEAP, RealEntropy, SteppedClock
from vault import reach
from vault.commands import _demo
from vault.demo import DEMO_FOLDER, current_code, make_demo, read_plan
from vault.errors import RefusedError
from vault.storage.header import HEADER_NAME


def test_the_plan_is_whole() -> None:
    plan = read_plan()
    units = {unit["name"] for unit in plan["unit"]} | {"Supervisors", "Records", "Administration"}
    people = {person["badge_no"]: person for person in plan["person"]}
    assert {person["role"] for person in people.values()} == {"officer", "supervisor", "custodian", "administrator", "auditor"}
    assert all(person["unit"] in units for person in people.values())
    for case in plan["case"]:
        assert people[case["officer_in_charge"]]["role"] == "officer"
        assert any((DEMO_FOLDER / case["folder"]).iterdir())


def test_there_are_documents_of_every_kind() -> None:
    kinds = [Path(name).suffix for name in DOCUMENTS]
    assert len(kinds) >= 14
    assert set(kinds) >= {".pdf", ".jpg", ".png", ".tiff", ".txt", ".eml"}
    assert len({Path(name).name for name in DOCUMENTS}) == len(kinds), "one delivery may hold them all"


def test_the_documents_can_be_made_again(tmp_path: Path) -> None:
    make_documents(tmp_path)
    for name in DOCUMENTS:
        committed, made = DEMO_FOLDER / name, tmp_path / name
        if committed.suffix == ".pdf":
            assert len(pdfium.PdfDocument(committed)) == len(pdfium.PdfDocument(made))
        elif committed.suffix in {".txt", ".eml"}:
            assert committed.read_bytes() == made.read_bytes()
        else:
            assert made.stat().st_size > 1_000


def test_the_demo_is_not_founded_where_officers_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "is_launched", lambda: True)
    (tmp_path / "installed").mkdir()
    with pytest.raises(RefusedError, match=r"^demo\.installed"):
        make_demo(tmp_path / "installed", lambda _vault_id: MemorySecretKeeper(), SteppedClock(), RealEntropy(), print, cost=CHEAP)
    assert not list((tmp_path / "installed").iterdir())


def test_the_demos_people_are_not_named_where_officers_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / HEADER_NAME).touch()  # a station was founded
    options = argparse.Namespace(vault=tmp_path, without_documents=True, policy=None)
    assert _demo(options) == 0
    assert read_plan()["person"][0]["passphrase"] in capsys.readouterr().out
    monkeypatch.setattr(reach, "is_launched", lambda: True)
    with pytest.raises(RefusedError, match=r"^demo\.installed"):
        _demo(options)
    assert capsys.readouterr().out == ""


def test_the_demo_is_a_whole_station_or_nothing(tmp_path: Path) -> None:
    keeper, clock, said = MemorySecretKeeper(), SteppedClock(), []
    make_demo(tmp_path / "demo", lambda _vault_id: keeper, clock, RealEntropy(), said.append, cost=CHEAP)
    assert (tmp_path / "demo" / HEADER_NAME).exists()
    assert not list(tmp_path.glob("*.building"))
    assert said == ["founding", "people", "cases", "documents"]
    code = current_code(tmp_path / "demo", lambda _vault_id: keeper, "2001", clock.now_us())
    assert code is not None
    assert code.isdigit()
    assert len(code) == 6
    assert current_code(tmp_path / "demo", lambda _vault_id: keeper, "0000", clock.now_us()) is None
