"""The witness outside the machine, in a desk's own vault process: kept from the opening on, across a kill, and told of a twin."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from tests.fakes import MemorySecretKeeper
from tests.front import NEEDS_FRONT, Front, until
from tests.secret_service import PrivateSecretService
from tests.station import ADMINISTRATOR, RealEntropy, Station
from tests.vault_process import VaultProcess
from vault.domain.breach import SignalKind
from vault.domain.place_file import KINDS
from vault.domain.protection import Protection, ProtectionState
from vault.errors import UnavailableError
from vault.platform.secret_service import open_secret_keeper
from vault.services.events import BreachRecorded, Opened
from vault.services.ports import MetServer
from vault.services.session import Session
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header

COUNTED_BYTES = 94  # a place file that says how many sealed reports there were

pytestmark = [pytest.mark.slow, *NEEDS_FRONT]


@pytest.fixture
def bound(tmp_path: Path, front: Front, secret_service: PrivateSecretService) -> tuple[Station, Station]:
    """A closed station bound to the front, its keyring the session's; and a clone of it, with a keyring of its own."""
    made = Station(tmp_path / "vault").found("witness_seconds = 5")
    made.sign_in(ADMINISTRATOR)
    place = front.place()
    made.vault.premises.add(MetServer("Cellar", place.url, place.certificate, place.authority), front.station.thumbprint(), 1)
    made.close()
    clone = made.copy_to(tmp_path / "clone")
    assert isinstance(made.keeper, MemorySecretKeeper)
    keeper = open_secret_keeper(read_unverified_header(made.directory / HEADER_NAME).vault_id)
    made.into_keyring(keeper)
    return made, clone


def premises(desk: VaultProcess) -> tuple[ProtectionState, str]:
    [one] = [one for one in desk.ask(Session.protections) if one.protection is Protection.PREMISES]
    return one.state, one.reason


def test_a_desk_keeps_the_place_file_and_is_told_of_a_twin(bound: tuple[Station, Station], front: Front) -> None:
    station, clone = bound
    places = front.folder / "places"

    def content() -> bytes:
        return b"".join(path.read_bytes() for path in places.iterdir() if path.suffix == "")

    def clone_keeps() -> bool:
        clone.vault.place_witness.look()
        return clone.vault.place_witness.keeps

    def tampered() -> list[BreachRecorded]:
        return [one for one in desk.events(BreachRecorded) if one.notice.kind is SignalKind.STORE_TAMPERED]

    desk = VaultProcess(station.directory)
    until(lambda: premises(desk) == (ProtectionState.ENFORCED, "place-file"))
    first = content()
    assert first
    desk.kill()
    desk = VaultProcess(station.directory)
    try:
        until(lambda: content() != first)
        until(lambda: premises(desk) == (ProtectionState.ENFORCED, "place-file"))
        assert tampered() == [], "a kill is nobody's rollback"
        until(clone_keeps)
        desk.told(BreachRecorded, lambda one: one.notice.kind is SignalKind.STORE_TAMPERED)
        assert {one.notice.kind for one in clone.events if isinstance(one, BreachRecorded)} == {SignalKind.STORE_TAMPERED}
    finally:
        desk.close()
        clone.close()


def test_a_desk_is_told_that_the_keyring_forgot_its_sealed_reports(bound: tuple[Station, Station], front: Front) -> None:
    station, _ = bound
    directory = station.directory
    spooling = Spooling(directory, open_secret_keeper, station.clock, RealEntropy())
    label = f"place {hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:32]}"

    def is_counted() -> bool:
        return any(len(path.read_bytes()) == COUNTED_BYTES for path in (front.folder / "places").iterdir())

    assert spooling.note(UnavailableError("premises.unreachable"))
    desk = VaultProcess(directory)
    try:
        until(is_counted)
        kinds = {one.notice.kind for one in desk.events(BreachRecorded)}
    finally:
        desk.close()
    assert SignalKind.OFF_PREMISES in kinds
    assert SignalKind.STORE_TAMPERED not in kinds
    open_secret_keeper(label).erase("spool")
    desk = VaultProcess(directory)
    try:
        desk.told(BreachRecorded, lambda one: one.notice.kind is SignalKind.STORE_TAMPERED)
    finally:
        desk.close()


def test_a_certificate_that_ends_is_told_thirty_days_before(bound: tuple[Station, Station]) -> None:
    station, _ = bound
    witness = station.vault.place_witness
    witness.look()
    assert witness.keeps
    assert not witness.certificate_ends_soon
    station.clock.step((397 - 31) * 24 * 3600)
    assert not witness.certificate_ends_soon
    station.clock.step(2 * 24 * 3600)
    assert witness.certificate_ends_soon
    station.close()


def test_a_front_that_takes_the_question_and_is_silent_costs_an_opening_nothing(bound: tuple[Station, Station], front: Front) -> None:
    """The proofs pass, the place file does not: the desk opens and works, the strip says so, and it is kept as soon as it can be."""
    station, _ = bound
    configuration = front.folder / "front.conf"
    shipped = configuration.read_text()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # its backlog takes the question
        held = f"proxy_pass http://127.0.0.1:{silent.getsockname()[1]};\n        dav_methods  PUT;"
        assert "dav_methods  PUT;" in shipped
        configuration.write_text(shipped.replace("dav_methods  PUT;", held))
        front.reload()
        desk = VaultProcess(station.directory)
        try:
            desk.told(Opened)
            until(lambda: premises(desk) == (ProtectionState.ENFORCED, "place-file-silent"))
            assert any(line[3] == "unlock or proof" for line in front.log())
            configuration.write_text(shipped)
            front.reload()
            until(lambda: premises(desk) == (ProtectionState.ENFORCED, "place-file"))
            assert [one.notice.kind for one in desk.events(BreachRecorded) if one.notice.kind in KINDS.values()] == []
        finally:
            desk.close()
