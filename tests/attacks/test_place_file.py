"""The place file at the front of a key server, attacked: real nginx as shipped, real `tangd`, the vault through its services.

What is put back, taken away or forged, by whom, and what comes of it; and the ordinary days, of which nothing may come.
"""

from __future__ import annotations

import http
import os
import shutil
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import OFFICER, SECOND_SUPERVISOR
from tests.fakes import MemorySecretKeeper
from tests.front import NEEDS_FRONT, Front, running_front, until
from tests.journeys.crew import LONG, Crew
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, RealEntropy, Station, spooling
from vault.crypto import tang
from vault.crypto.keypairs import generate_key_pair
from vault.crypto.recovery import HolderPublic
from vault.domain.breach import JOINING_WINDOW_US, Containment, Severity, SignalKind
from vault.errors import UnavailableError
from vault.recovery import enrol_holders, open_by_holders, propose_holders
from vault.secret import Secret
from vault.services.events import BreachRecorded
from vault.services.page_memory import PageMemory
from vault.services.ports import MetServer
from vault.spooling import Spooling
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


@pytest.mark.slow
def test_two_places_that_take_turns_take_each_others_page_and_case_file(bound: Station, tmp_path: Path) -> None:
    """Nobody is shut out: neither side knows which is the clone."""
    case_id = Crew.of(bound, tmp_path, [CUSTODIAN]).new_case(CUSTODIAN, OFFICER, "one page")
    bound.vault.session.sign_out()
    bound.close()
    clone = bound.copy_to(tmp_path / "clone")
    for place, other in ((bound, clone), (clone, bound)):
        kept(place)
        place.vault.place_witness.look()  # what the other did before is told of
        crew = Crew.of(place, tmp_path, [OFFICER])
        held = crew.take(OFFICER, case_id)
        crew.vault.reading.view_page(held.check_out_id, crew.first_document(held.check_out_id), 1, 72, 0)
        place.vault.place_witness.look()
        assert crew.vault.store.active_check_out(case_id) is not None, "alone, so far"
        kept(other)
        other.vault.place_witness.look()
        place.vault.place_witness.look()
        told = [one for one in place.events if isinstance(one, BreachRecorded)][-1]
        assert (told.notice.containment, told.returned) == (Containment.RECALL, True)
        assert crew.vault.store.active_check_out(case_id) is None
        assert place.vault.world.session is not None
        crew.take(OFFICER, case_id)
        place.vault.session.sign_out()
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


# ---- the sealed spool, and the keyring that counts it -----------------------------------------------------------------------------

COUNT, TAG_KEY, NAMED = "spool", "spool-key", "spool-naming"  # the spool's entries in the keyring


@pytest.fixture
def counted(bound: Station) -> Station:
    """The station, closed, after a day on which the spool's only two reports were taken in and the front was told; two more wait since."""
    for _ in range(2):
        sealed_and_taken(bound)
    bound.close()
    for code in ("premises.unreachable", "premises.wrong-answer"):
        assert spooling(bound).note(UnavailableError(code))
    bound.events.clear()
    return bound


def sealed_and_taken(station: Station) -> None:
    station.close()
    station.clock.step(JOINING_WINDOW_US // 1_000_000 + 1)
    assert spooling(station).note(UnavailableError("premises.unreachable"))
    taken_in(station)


def taken_in(station: Station) -> None:
    """Open as a desk does: a look, what waits is taken in, and a look."""
    kept(station)
    spooling(station).take(station.vault)
    station.vault.place_witness.look()
    kept(station)


def found(station: Station) -> list[str]:
    """What the next two openings report of the spool and the place file, without what was in the reports themselves."""
    station.events.clear()
    for _ in range(2):
        taken_in(station)
        station.close()
    taken_in(station)
    return [code for code in map(str, codes(station)) if code.startswith(("spool.", "place-file."))]


def forget(station: Station, *names: str) -> None:
    for name in names:
        station.keeper.erase(name)


def put_back(station: Station, written: int, taken: int) -> None:
    record = station.keeper.read(COUNT)
    assert record is not None
    station.keeper.write(COUNT, Secret(struct.pack(">QQ", written, taken) + record.reveal()[16:]))


def no_reports(station: Station) -> None:
    shutil.rmtree(station.directory / "spool")


def first_waiting(station: Station) -> None:
    (station.directory / "spool" / "00000003.report").unlink()


BEHIND = "place-file.spool-rolled-back"
SPOOL_ATTACKS: Sequence[tuple[str, Sequence[Callable[[Station], object]], list[str]]] = [
    # attack, what is done while the vault is shut, what the next opening reports, once
    ("nothing", [], []),
    ("a report deleted", [first_waiting], ["spool.gap"]),
    ("all deleted", [no_reports], ["spool.gap"]),
    ("all deleted, the count put back to before them", [no_reports, lambda one: put_back(one, 1, 1)], [BEHIND]),
    ("all deleted, the count taken away", [no_reports, lambda one: forget(one, COUNT)], [BEHIND]),
    ("and the keys with it", [no_reports, lambda one: forget(one, COUNT, TAG_KEY, NAMED)], [BEHIND]),
    ("all deleted, somebody else's count", [no_reports, lambda one: one.keeper.write(COUNT, Secret(b"none"))], [BEHIND]),
    # LIMIT: what was counted when the vault was last open is all that the front knows.
    ("all deleted, the count put back to when the vault was shut", [no_reports, lambda one: put_back(one, 2, 2)], []),
]


@pytest.mark.slow
@pytest.mark.parametrize(("acts", "reported"), [row[1:] for row in SPOOL_ATTACKS], ids=[row[0] for row in SPOOL_ATTACKS])
def test_what_is_done_to_the_spools_count_is_reported(
    counted: Station, acts: Sequence[Callable[[Station], object]], reported: list[str]
) -> None:
    for act in acts:
        act(counted)
    assert found(counted) == reported


def test_what_is_told_of_the_spools_count(counted: Station) -> None:
    no_reports(counted)
    forget(counted, COUNT)
    taken_in(counted)
    told = facts(counted)[-1]
    assert (told["code"], told["witnessed_spooled"], told["found_spooled"], told["server"]) == (BEHIND, "2", "0", "Cellar")


@pytest.mark.slow
def test_reports_that_nobody_touched_are_nobodys_attempt(bound: Station, front: Front) -> None:
    """The first place file here is one of before the count: it says nothing of it."""
    assert len(place_file(front).read_bytes()) == 86
    sealed_and_taken(bound)
    assert len(place_file(front).read_bytes()) == 94
    kept(bound)
    bound.close()
    bound.clock.step(JOINING_WINDOW_US // 1_000_000 + 1)
    assert spooling(bound).note(UnavailableError("premises.unreachable"))
    kept(bound)  # a look before what waits is taken in, and the desk is gone again
    bound.close()
    spooling(bound).take(bound.vault)  # taken in, and ended before the front is told
    bound.vault.close()
    bound._vault = None
    assert found(bound) == []


@pytest.mark.slow
def test_a_folder_that_was_moved_is_counted_on(bound: Station) -> None:
    keyring: dict[str, MemorySecretKeeper] = {}

    def at_hand() -> None:
        kept(bound)
        made = Spooling(bound.directory, lambda label: keyring.setdefault(label, MemorySecretKeeper()), bound.clock, RealEntropy())
        made.take(bound.vault)
        bound.vault.place_witness.look()
        kept(bound)

    at_hand()
    bound.close()
    made = Spooling(bound.directory, lambda label: keyring.setdefault(label, MemorySecretKeeper()), bound.clock, RealEntropy())
    assert made.note(UnavailableError("premises.unreachable"))
    at_hand()
    bound.close()
    bound.directory = bound.directory.rename(bound.directory.with_name("elsewhere"))
    at_hand()
    assert [one for one in codes(bound) if one != "premises.unreachable"] == ["spool.moved"]


@pytest.mark.slow
def test_a_keyring_made_anew_counts_from_nothing_and_is_nobodys_attempt(bound: Station) -> None:
    """The keyring is lost: the holders open, and an administrator binds the workstation anew."""
    pairs = [generate_key_pair() for _ in range(2)]
    holders = [HolderPublic(f"post {number}", one.public.kem) for number, one in enumerate(pairs)]
    bound.sign_in(ADMINISTRATOR)
    propose_holders(bound.vault, 2, holders)
    bound.sign_in(SUPERVISOR)
    enrol_holders(bound.vault, 2, holders)
    for _ in range(2):
        sealed_and_taken(bound)
    bound.close()
    bound.keeper = MemorySecretKeeper()
    pages = PageMemory.create()
    try:
        open_by_holders(bound.directory, pairs, lambda _: bound.keeper, bound.clock, RealEntropy(), bound.policy, pages)
    finally:
        pages.close()
    spooling(bound).take(bound.vault)
    assert not bound.vault.place_witness.has_front
    bound.sign_in(ADMINISTRATOR)
    bound.vault.premises.rotate()
    bound.vault.session.sign_out()
    assert found(bound) == []
    sealed_and_taken(bound)
    no_reports(bound)
    bound.close()
    forget(bound, COUNT)
    assert found(bound) == [BEHIND], "and what it counts since then is kept there"


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
