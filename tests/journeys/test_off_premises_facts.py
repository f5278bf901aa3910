"""What the vault process may truthfully tell the screen off the premises: whether a report stands, and whom to call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import MemorySecretKeeper
from tests.station import Station, spooling
from vault.errors import UnavailableError
from vault.storage.header import HEADER_NAME

AWAY = "premises.unreachable"
CONTACT = "Watch desk, extension 112"


@pytest.fixture
def opened(station: Station) -> Station:
    """A station whose last opening knew whom to call."""
    world = station.vault.world
    world.policy = replace(world.policy, premises_contact=CONTACT)
    spooling(station).take(station.vault)
    return station


def test_a_report_that_was_sealed_is_said_and_one_that_it_joins_too(opened: Station) -> None:
    assert spooling(opened).note(UnavailableError(AWAY))
    assert spooling(opened).note(UnavailableError(AWAY)), "one report stands for both"
    assert not spooling(opened).note(UnavailableError("keyring.missing")), "nobody's attempt at anything"


def test_a_server_that_pretends_is_no_repetition_of_one_that_is_silent(opened: Station) -> None:
    for code in (AWAY, AWAY, "premises.wrong-answer", "premises.wrong-answer", AWAY):
        assert spooling(opened).note(UnavailableError(code))
    assert [one.name for one in sorted((opened.directory / "spool").iterdir())] == [f"{number:08}.report" for number in (1, 2, 3)]


def test_without_anybody_to_seal_to_no_report_is_claimed(opened: Station) -> None:
    opened.close()
    (opened.directory / HEADER_NAME).unlink()
    assert not spooling(opened, MemorySecretKeeper()).note(UnavailableError(AWAY))


def test_a_keyring_that_is_not_there_is_no_report(opened: Station) -> None:
    gone = MemorySecretKeeper()
    gone.unavailable = "keyring.missing"
    assert not spooling(opened, gone).note(UnavailableError(AWAY))
    assert spooling(opened, gone).contact() == ""


def test_whom_to_call_is_what_the_last_opening_knew(opened: Station) -> None:
    assert spooling(opened).contact() == CONTACT
    opened.vault.world.policy = replace(opened.vault.world.policy, premises_contact="")
    spooling(opened).take(opened.vault)
    assert spooling(opened).contact() == ""


def test_a_stolen_copy_says_nobodys_number(opened: Station, tmp_path: Path) -> None:
    opened.close()
    stolen = opened.copy_to(tmp_path / "stolen")
    assert spooling(stolen, MemorySecretKeeper()).contact() == ""
