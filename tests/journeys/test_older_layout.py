"""A vault keeps the layout it was founded with (docs/adr/0019): opened, written to and rewritten by a version that founds another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.station import CUSTODIAN, Station
from vault import assembly
from vault.assembly import CONTENT_NAME
from vault.errors import TamperError, UnavailableError
from vault.services.reading import CHUNK_BYTES
from vault.storage.connection import CONTENT_FORMATS, NEWEST_CONTENT_LAYOUT
from vault.storage.header import HEADER_NAME, read_unverified_header


@pytest.fixture
def founded_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A vault of the first layout, whose header says nothing about it."""
    with monkeypatch.context() as before:
        before.setattr(assembly, "NEWEST_CONTENT_LAYOUT", 1)
        station = Station(tmp_path / "vault").found()
    assert b"content_layout" not in (station.directory / HEADER_NAME).read_bytes()
    return station


def test_a_vault_of_the_first_layout_is_used_as_it_is(founded_before: Station, tmp_path: Path) -> None:
    station = founded_before
    case = station.register_case("2026-0001", "An older one", CUSTODIAN)
    paper = tmp_path / "statement.txt"
    paper.write_bytes(b"It was raining. " * (CHUNK_BYTES // 8))
    station.vault.intake.start(case.case_id, (str(paper),))
    station.close()
    assert (station.directory / CONTENT_NAME).stat().st_size % CONTENT_FORMATS[1].page_bytes == 0
    station.sign_in(CUSTODIAN)
    assert len(station.vault.store.documents_of(case.case_id)) == 1
    station.close()
    assert b"content_layout" not in (station.directory / HEADER_NAME).read_bytes()


def test_a_new_vault_says_its_layout(station: Station) -> None:
    assert f'"content_layout":{NEWEST_CONTENT_LAYOUT}'.encode() in (station.directory / HEADER_NAME).read_bytes()
    station.vault.session.station()


@pytest.mark.parametrize(("layout", "error", "code"), [(1, TamperError, "storage.damaged"), (99, UnavailableError, "storage.newer")])
def test_another_layout_than_the_files_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: int, error: type[Exception], code: str
) -> None:
    """As a header of a newer version would say, or one that does not belong to the file."""
    monkeypatch.setattr(assembly, "write_header", _with_layout(layout))
    station = Station(tmp_path / "vault").found()
    with pytest.raises(error, match=rf"^{code}"):
        _ = station.vault


def _with_layout(layout: int) -> object:
    write = assembly.write_header

    def write_other(path: Path, header: object, key: object) -> None:
        write(path, replace(header, content_layout=layout), key)  # type: ignore[type-var, arg-type]

    return write_other


def test_the_layout_is_authenticated_with_the_rest(station: Station) -> None:
    path = station.directory / HEADER_NAME
    path.write_bytes(path.read_bytes().replace(b'"content_layout":2', b'"content_layout":3'))
    assert read_unverified_header(path).vault_id
    with pytest.raises(TamperError, match=r"^header\."):
        _ = station.vault
