"""The place file at the front of a key server, attacked: real nginx as shipped, real `tangd`, the vault through its services.

What is put back, taken away or forged, by whom, and what comes of it; and the ordinary days, of which nothing may come.
"""

from __future__ import annotations

import http
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import SECOND_SUPERVISOR
from tests.front import NEEDS_FRONT, Front, running_front, until
from tests.journeys.crew import LONG
from tests.station import ADMINISTRATOR, SUPERVISOR, Station
from vault.crypto import tang
from vault.domain.breach import Severity, SignalKind
from vault.errors import UnavailableError
from vault.services.events import BreachRecorded
from vault.services.ports import MetServer
from vault.storage.header import HEADER_NAME, read_unverified_header

TAMPERED, FILE_ALTERED = SignalKind.STORE_TAMPERED, SignalKind.PLACE_FILE_ALTERED

pytestmark = list(NEEDS_FRONT)


@dataclass(frozen=True)
class Cellar:
    """A front, and a station that is bound to it, was opened there once and is closed."""

    front: Front
    station: Station
    place_file: bytes


@pytest.fixture(scope="module")
def cellar(tmp_path_factory: pytest.TempPathFactory, staffed: Station) -> Iterator[Cellar]:
    folder = tmp_path_factory.mktemp("cellar")
    with running_front(folder) as front:
        # A day's openings in seconds: the front's pace is another test's matter (test_front, and below).
        shipped = (front.folder / "front.conf").read_text()
        paces = {"rate=60r/m": "rate=60r/s", "rate=300r/m": "rate=300r/s"}
        for pace, quick in paces.items():
            assert pace in shipped
            shipped = shipped.replace(pace, quick)
        (front.folder / "front.conf").write_text(shipped)
        front.reload()
        station = staffed.copy_to(folder / "vault")
        station.sign_in(ADMINISTRATOR)
        place = front.place()
        server = MetServer("Cellar", place.url, place.certificate, place.authority)
        station.vault.premises.add(server, front.station.thumbprint(), 1)
        station.vault.session.sign_out()
        kept(station)
        station.close()
        yield Cellar(front, station, place_file(front).read_bytes())


@pytest.fixture
def front(cellar: Cellar) -> Front:
    """The front, with no place file there."""
    places = cellar.front.folder / "places"
    shutil.rmtree(places, ignore_errors=True)
    places.mkdir()
    return cellar.front


@pytest.fixture
def bound(cellar: Cellar, front: Front, tmp_path: Path) -> Iterator[Station]:
    """The station on its second day, closed."""
    places = front.folder / "places"
    made = cellar.station.copy_to(tmp_path / "bound")
    (places / f"ws-07-{read_unverified_header(made.directory / HEADER_NAME).vault_id}").write_bytes(cellar.place_file)
    yield made
    made.close()


def kept(station: Station) -> None:
    """Open, and have the front keep the place file; a loaded machine may need another look."""

    def keeps() -> bool:
        if not station.vault.place_witness.keeps:
            station.vault.place_witness.look()
        return station.vault.place_witness.keeps

    until(keeps)


def place_file(front: Front) -> Path:
    [path] = (front.folder / "places").glob("ws-07-*")
    return path


def noticed(station: Station) -> list[SignalKind]:
    return [one.notice.kind for one in station.events if isinstance(one, BreachRecorded)]


def codes(station: Station) -> list[object]:
    """What every signal of every report says, oldest first."""
    return [told.get("code", "") for told in facts(station)]


def facts(station: Station) -> list[dict[str, str]]:
    station.sign_in(SECOND_SUPERVISOR)  # a report of one supervisor's session is another's to read
    lines = station.vault.supervision.queue(include_disposed=True)
    found = [fact for line in lines for fact in station.vault.supervision.report(line.breach_id).facts]
    return [dict(one.facts) for one in sorted(found, key=lambda one: one.at_us)]


# ---- the front ---------------------------------------------------------------------------------------------------------------------

PLACE = f"/place/{'a' * 32}"
QUESTIONS: Sequence[tuple[str, str, str, str, bytes | None, int]] = [
    # attack, method, path, identity, body, status
    ("nobody reads", "GET", PLACE, "", None, 400),
    ("nobody writes", "PUT", PLACE, "", b"x", 400),
    ("the front's own certificate", "PUT", PLACE, "front", b"x", 400),
    ("another's file by its name", "GET", f"/place/ws-07-{'a' * 32}", "ws-08", None, 404),
    ("another's file written by its name", "PUT", f"/place/ws-07-{'a' * 32}", "ws-08", b"x", 404),
    ("another's file by a way round", "PUT", f"/place/%2e%2e/places/ws-07-{'a' * 32}", "ws-08", b"x", 404),
    ("a list of them", "GET", "/place/", "ws-07", None, 404),
    ("a name that is no vault's", "PUT", "/place/front.conf", "ws-07", b"x", 404),
    ("more than a place file", "PUT", PLACE, "ws-07", b"x" * 257, 413),
    ("deleting it", "DELETE", PLACE, "ws-07", None, 403),
    ("making a folder", "MKCOL", PLACE, "ws-07", None, 403),
    ("asking what there is", "PROPFIND", PLACE, "ws-07", None, 403),
    ("moving it", "MOVE", PLACE, "ws-07", None, 403),
    ("posting to it", "POST", PLACE, "ws-07", b"x", 403),
]


def test_a_place_file_is_its_own_identitys_alone(front: Front) -> None:
    front.identities("workstation", "ws-08")
    assert front.ask("GET", PLACE) == http.HTTPStatus.NOT_FOUND
    assert front.ask("PUT", PLACE, body=b"first") == http.HTTPStatus.CREATED
    assert front.ask("PUT", PLACE, body=b"second") == http.HTTPStatus.NO_CONTENT
    assert front.ask("GET", PLACE, "ws-08") == http.HTTPStatus.NOT_FOUND, "the same words name a file of ws-08's own"
    asked = front.station.requests
    said = {attack: front.ask(method, path, name, body) for attack, method, path, name, body, _ in QUESTIONS}
    assert said == {row[0]: row[-1] for row in QUESTIONS}
    assert place_file(front).read_bytes() == b"second"
    assert place_file(front).stat().st_mode & 0o077 == 0
    assert front.ask("PUT", PLACE, "ws-08", b"another") == http.HTTPStatus.CREATED
    assert place_file(front).read_bytes() == b"second"
    assert front.station.requests == asked, "the key server is not asked"
    until(lambda: front.log()[-1][1:] == ["CN=ws-08", "127.0.0.1", "place file", "201"])


def test_a_place_file_takes_no_proofs_turn(front: Front) -> None:
    with front.connected() as other:
        other.sendall(f"PUT {PLACE} HTTP/1.1\r\nHost: front\r\nContent-Length: 2\r\n\r\n".encode())
        until(lambda: front.ask("GET", PLACE) == http.HTTPStatus.TOO_MANY_REQUESTS)
        assert front.ask("GET", "/adv") == http.HTTPStatus.OK


@pytest.mark.slow
def test_place_files_are_asked_for_at_a_pace(tmp_path: Path) -> None:
    with running_front(tmp_path) as made:
        statuses = [made.ask("GET", PLACE) for _ in range(100)]
        assert statuses.count(http.HTTPStatus.TOO_MANY_REQUESTS) >= 10
        assert made.ask("GET", "/adv") == http.HTTPStatus.OK, "and a proof has its turn"


def test_two_identities_place_files_take_no_thirds_turn_at_their_address(tmp_path: Path) -> None:
    with running_front(tmp_path) as made:
        for name in ("ws-08", "ws-09"):
            made.identities("workstation", name)
        for name in ("ws-07", "ws-08"):
            for _ in range(60):
                made.ask("GET", PLACE, name)
        assert made.ask("GET", "/adv", "ws-09") == http.HTTPStatus.OK


# ---- older states and twins --------------------------------------------------------------------------------------------------------


def test_the_whole_machine_of_yesterday_is_reported_once(bound: Station, tmp_path: Path) -> None:
    yesterday = bound.copy_to(tmp_path / "yesterday")  # with its keyring
    kept(bound)
    bound.close()
    kept(yesterday)
    assert noticed(yesterday) == [TAMPERED]
    [told] = facts(yesterday)
    assert told["code"] == "place-file.rolled-back"
    assert int(told["witnessed_seq"]) > int(told["found_seq"]) - 2
    assert told["server"] == "Cellar"
    assert told["witnessed_at"].endswith("UTC")
    [line] = yesterday.vault.supervision.queue(include_disposed=False)
    assert line.severity is Severity.BULK
    yesterday.vault.session.sign_out()
    yesterday.close()
    kept(yesterday)
    assert noticed(yesterday) == [TAMPERED], "reported once, not at every opening: a restored backup goes on working"


def test_the_whole_machine_of_yesterday_with_another_workstations_identity_is_reported_once(
    bound: Station, tmp_path: Path, front: Front
) -> None:
    """The front has no file for that identity, and the keyring of yesterday knows of none."""
    yesterday = bound.copy_to(tmp_path / "yesterday")
    kept(bound)
    bound.close()
    front.identities("workstation", "ws-09")
    certificate = front.folder / "ws-07.pem"
    own = certificate.read_bytes()
    certificate.write_bytes((front.folder / "ws-09.pem").read_bytes())
    try:
        for _ in range(2):  # a workstation that was given another name goes on working
            kept(yesterday)
            assert noticed(yesterday) == [FILE_ALTERED]
            yesterday.close()
        [told] = facts(yesterday)
    finally:
        certificate.write_bytes(own)
        yesterday.close()
    assert (told["code"], told["identity_before"], told["identity"]) == ("place-file.other-identity", "CN=ws-07", "CN=ws-09")
    assert told["server"] == "Cellar"


def test_two_places_that_take_turns_are_reported_on_both_sides(bound: Station, tmp_path: Path) -> None:
    clone = bound.copy_to(tmp_path / "clone")
    kept(bound)
    kept(clone)
    assert noticed(clone) == [TAMPERED], "the clone, when it opens"
    assert noticed(bound) == []
    bound.vault.place_witness.look()
    assert noticed(bound) == [TAMPERED], "the original, at its next witness"
    clone.vault.place_witness.look()
    assert noticed(clone) == [TAMPERED, TAMPERED], "and again each time"
    assert codes(bound) == ["place-file.twin"]
    assert codes(clone) == ["place-file.rolled-back", "place-file.twin"]
    clone.close()


def test_a_twin_that_wrote_last_is_not_written_over_unseen_at_the_end(bound: Station, tmp_path: Path, front: Front) -> None:
    clone = bound.copy_to(tmp_path / "clone")
    kept(bound)
    kept(clone)
    before = place_file(front).read_bytes()
    bound.close()
    assert place_file(front).read_bytes() == before
    kept(bound)
    assert noticed(bound) == [TAMPERED]
    clone.close()


@pytest.mark.slow
def test_an_old_header_with_the_keyrings_witness_of_then_is_reported(bound: Station) -> None:
    """The audit trail is today's, and so are the keyring's other entries: the keyring alone would not tell."""
    header = bound.directory / HEADER_NAME
    then, keyring = header.read_bytes(), bound.keeper.copy()
    kept(bound)
    bound.sign_in(SUPERVISOR)
    bound.vault.station_policy.lay("idle_lock_seconds = 120", LONG)
    bound.vault.session.sign_out()
    kept(bound)
    bound.close()
    header.write_bytes(then)
    [name] = [one for one in keyring._values if one.startswith("header-generation:")]
    bound.keeper._values[name] = keyring._values[name]
    kept(bound)
    assert "place-file.header-rolled-back" in codes(bound)


# ---- the file at the server --------------------------------------------------------------------------------------------------------


def test_what_is_done_to_the_file_is_reported(bound: Station, front: Front) -> None:
    old = place_file(front).read_bytes()
    kept(bound)
    path = place_file(front)
    good = path.read_bytes()
    assert good != old
    attacks: Sequence[tuple[str, Callable[[], object], str]] = [
        # attack, how, what is reported
        ("deleted", path.unlink, "place-file.missing"),
        ("emptied", lambda: path.write_bytes(b""), "place-file.altered"),
        ("forged", lambda: path.write_bytes(os.urandom(len(good))), "place-file.altered"),
        ("one bit", lambda: path.write_bytes(good[:40] + bytes((good[40] ^ 1,)) + good[41:]), "place-file.altered"),
        ("truncated", lambda: path.write_bytes(good[:-1]), "place-file.altered"),
        ("huge", lambda: path.write_bytes(b"x" * 2 * tang.LARGEST_ANSWER_BYTES), "place-file.altered"),
        ("replayed", lambda: path.write_bytes(old), "place-file.older"),
    ]
    for number, (attack, act, _) in enumerate(attacks, 1):
        act()
        for _ in range(2):
            bound.vault.place_witness.look()
        assert noticed(bound) == [FILE_ALTERED] * number, f"{attack}: told once, and mended"
    assert codes(bound) == [row[-1] for row in attacks]


@pytest.mark.slow
def test_what_is_done_to_the_file_of_a_closed_vault_is_reported(bound: Station, front: Front) -> None:
    first = place_file(front).read_bytes()
    kept(bound)
    bound.close()
    place_file(front).write_bytes(first)
    kept(bound)
    bound.close()
    place_file(front).unlink()
    kept(bound)
    bound.close()
    place_file(front).write_bytes(b"")
    kept(bound)
    assert codes(bound) == ["place-file.older", "place-file.missing", "place-file.altered"]


@pytest.mark.slow
def test_a_front_that_takes_no_place_file_is_told_of_once(bound: Station, front: Front) -> None:
    """As with the front's configuration of before there were place files."""
    kept(bound)
    place_file(front).unlink()
    shutil.rmtree(front.folder / "places")
    for _ in range(3):
        bound.vault.place_witness.look()
        assert not bound.vault.place_witness.keeps
    bound.close()
    assert not bound.vault.place_witness.keeps
    assert noticed(bound) == [FILE_ALTERED]


# ---- nothing may come of these -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_ordinary_day_is_nobodys_attempt(bound: Station, front: Front) -> None:
    last = 0
    for _ in range(4):
        kept(bound)
        bound.vault.place_witness.look()
        before = place_file(front).read_bytes()
        bound.close()
        last += place_file(front).read_bytes() != before
    assert last, "the end of the trail is there too, where the front is quick"
    kept(bound)
    bound.sign_in(SUPERVISOR)
    for _ in range(3):
        bound.vault.premises.test()
        bound.vault.place_witness.look()
    bound.sign_in(ADMINISTRATOR)
    bound.vault.premises.rotate()  # the header's next generation
    bound.vault.session.sign_out()
    kept(bound)
    bound.close()
    kept(bound)
    assert noticed(bound) == []
    assert place_file(front).exists()


@pytest.mark.slow
def test_a_machine_killed_before_the_front_has_it_is_nobodys_attempt(bound: Station, front: Front, tmp_path: Path) -> None:
    kept(bound)
    for _ in range(3):
        bound.sign_in(SUPERVISOR)  # committed here, and not yet there
    killed = tmp_path / "killed"
    shutil.copytree(bound.directory, killed)
    after = Station(killed, bound.clock, bound.keeper.copy(), secrets=bound.secrets)
    # And the other way round: the front took it, and the keyring was not told.
    bound.vault.place_witness.look()
    bound.vault.close()
    bound._vault = None
    kept(after)
    assert noticed(after) == []
    after.close()


def test_a_silent_front_costs_nothing(bound: Station, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(bound)
    pid = int((front.folder / "pid").read_text())
    workers = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    before = place_file(front).read_bytes()
    with monkeypatch.context() as short:
        short.setattr(tang, "DEADLINE_SECONDS", 0.2)
        for one in workers:
            os.kill(one, signal.SIGSTOP)
        try:
            bound.vault.place_witness.look()
            assert not bound.vault.place_witness.keeps
            bound.close()  # and the end is not waited for
        finally:
            for one in workers:
                os.kill(one, signal.SIGCONT)
    assert place_file(front).read_bytes() == before
    kept(bound)
    assert place_file(front).read_bytes() != before
    assert noticed(bound) == []


def test_a_look_of_long_ago_is_no_witness(bound: Station) -> None:
    """However it came to that: a look that does not end says nothing."""
    kept(bound)
    bound.clock.step(bound.vault.world.policy.witness_seconds + 2 * tang.DEADLINE_SECONDS)
    assert not bound.vault.place_witness.keeps
    kept(bound)


@pytest.mark.slow
def test_a_bare_key_server_keeps_none(station: Station, front: Front) -> None:
    station.sign_in(ADMINISTRATOR)
    station.vault.premises.add(MetServer("Bare", front.station.url), front.station.thumbprint(), 1)
    station.close()
    witness = station.vault.place_witness
    assert (witness.has_front, witness.keeps) == (False, False)
    assert not list((front.folder / "places").iterdir())


@pytest.mark.slow
def test_a_report_that_cannot_be_made_leaves_the_file_as_it_is(bound: Station, front: Front, tmp_path: Path) -> None:
    yesterday = bound.copy_to(tmp_path / "yesterday")
    kept(bound)
    bound.close()
    before = place_file(front).read_bytes()
    witness = yesterday.vault.place_witness
    assert place_file(front).read_bytes() != before, "reported, then written"
    kept(bound)
    found = place_file(front).read_bytes()

    def full(_signal: object) -> None:
        raise UnavailableError("storage.full")

    kept_record, witness._record = witness._record, full
    witness.look()
    assert place_file(front).read_bytes() == found
    assert not witness.keeps
    witness._record = kept_record
    witness.look()
    assert noticed(yesterday) == [TAMPERED, TAMPERED]
    yesterday.close()
