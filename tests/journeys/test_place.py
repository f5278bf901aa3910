"""Where it happened: in every report, once; in sealed ones; and a report of its own on a workstation bound to no key server."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import ClassVar

import pytest

from tests.conftest import OFFICER
from tests.secret_service import PrivateSecretService
from tests.station import SUPERVISOR, RealEntropy, Station, SteppedClock
from tests.tang import TangServer
from tests.vault_process import VaultProcess
from vault.crypto import tang
from vault.crypto.premises import PremisesServer, make_lock
from vault.crypto.tang import KeyServer
from vault.domain.breach import Containment, Severity, Signal, SignalKind
from vault.domain.identity import VaultId, WorkstationId
from vault.domain.place import PLACE_FACTS, ApprovedPlace, Fit
from vault.domain.policy import Policy
from vault.domain.protection import Protection, ProtectionState
from vault.errors import UnavailableError
from vault.platform.secret_service import open_secret_keeper
from vault.premises import Lease
from vault.sensors.mounts import Medium, Mount, describe
from vault.services.events import BreachRecorded
from vault.services.session import Session
from vault.services.views import ReportFact
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.watching import Watching

STATION = (("place_name", "Headquarters"), ("place_fit", "fits"), ("place_addresses", "eth0 10.20.3.4/16"))
HOME = (("place_fit", "other-network"), ("place_addresses", "wlan0 192.168.1.5/24"))


def told(station: Station, kind: SignalKind) -> tuple[ReportFact, ...]:
    """The signals of the only report of a kind, as a supervisor reads them."""
    station.vault.session.sign_out()
    station.sign_in(SUPERVISOR)
    [line] = [one for one in station.vault.supervision.queue(include_disposed=False) if one.kind is kind]
    return station.vault.supervision.report(line.breach_id).facts


def placed(fact: ReportFact) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in fact.facts if one[0] in PLACE_FACTS)


def test_a_report_says_where_it_happened_and_says_it_again_only_where_that_changed(station: Station) -> None:
    world = station.vault.world
    station.sign_in(OFFICER)
    for where in (STATION, STATION, HOME, HOME, STATION):
        world.place = lambda where=where: where  # type: ignore[misc]
        station.clock.step(20)
        station.vault.breaches.record(Signal(SignalKind.COPY_KEY, station.clock.now_us(), (("key", "C"),)))
    facts = told(station, SignalKind.COPY_KEY)
    assert [placed(one)[:-1] for one in facts] == [STATION, (), HOME, (), STATION]
    clocks = [int(dict(one.facts)["place_clock"]) for one in facts if placed(one)]
    assert all(19 <= seconds <= 60 for seconds in clocks), "the clock against the trail's newest entry"
    assert all(("key", "C") in one.facts for one in facts)


def test_a_clock_behind_the_trail_shows_in_the_report(station: Station) -> None:
    station.sign_in(OFFICER)
    station.vault.world.place = lambda: STATION
    station.clock.step(-500)
    station.vault.breaches.record(Signal(SignalKind.PRINT_KEY, station.clock.now_us()))
    station.clock.step(500)
    [fact] = told(station, SignalKind.PRINT_KEY)
    assert -510 <= int(dict(fact.facts)["place_clock"]) <= -490


def test_what_saw_the_place_itself_is_believed_over_what_is_there_when_it_is_written(station: Station) -> None:
    station.vault.world.place = lambda: STATION
    station.vault.breaches.record(Signal(SignalKind.PLACE_NOT_APPROVED, station.clock.now_us(), (("moment", "open"), *HOME)))
    [fact] = told(station, SignalKind.PLACE_NOT_APPROVED)
    assert placed(fact)[:-1] == HOME
    assert ("moment", "open") in fact.facts


def test_a_medium_that_is_mounted_says_where_it_happened_too(station: Station) -> None:
    station.vault.world.place = lambda: STATION
    medium = describe(Mount(7, "8:1", "/", Path("/media/stick"), True, "vfat", "/dev/sdb1"), Medium.REMOVABLE)
    station.vault.breaches.record(Signal(SignalKind.MEDIA_MOUNTED, station.clock.now_us(), medium))
    [fact] = told(station, SignalKind.MEDIA_MOUNTED)
    assert placed(fact)[:-1] == STATION
    assert "place_hash" in dict(fact.facts), "the medium's own"


def test_where_it_happened_is_not_the_interfaces_to_say(station: Station) -> None:
    station.sign_in(OFFICER)
    station.vault.world.place = lambda: HOME
    station.vault.breaches.report(SignalKind.COPY_KEY, (("key", "C"), *STATION, ("place_clock", "0")), None, 0, station.clock.now_us())
    [fact] = told(station, SignalKind.COPY_KEY)
    assert placed(fact)[:-1] == HOME
    assert ("key", "C") in fact.facts


def test_a_sealed_report_says_it_too_and_that_nobody_judged(station: Station) -> None:
    spooling = Spooling(station.directory, lambda _label: station.keeper, station.clock, RealEntropy())
    spooling.take(station.vault)
    station.close()
    assert spooling.note(UnavailableError("premises.unreachable"))
    killed = Signal(SignalKind.DESK_KILLED, station.clock.now_us(), (("pid", 7),))
    public = read_unverified_header(station.directory / HEADER_NAME).supervisors_public_kem
    spooling.seal(killed, public, station.directory)
    spooling.take(station.vault)
    station.sign_in(OFFICER)
    for kind in (SignalKind.OFF_PREMISES, SignalKind.DESK_KILLED):
        [fact] = told(station, kind)
        found = dict(fact.facts)
        assert found["place_fit"] == "not-judged"
        assert "place_addresses" in found or "place_unread" in found
        assert "place_clock" not in found, "the trail is in the vault"


def test_seconds_more_or_less_on_the_key_servers_clock_are_no_other_place(station: Station) -> None:
    station.sign_in(OFFICER)
    for seconds in ("0", "1", "3600"):
        station.vault.world.place = lambda seconds=seconds: (*STATION, ("place_server_clock", seconds))  # type: ignore[misc]
        station.vault.breaches.record(Signal(SignalKind.COPY_KEY, station.clock.now_us()))
    first, *rest = told(station, SignalKind.COPY_KEY)
    assert dict(first.facts)["place_server_clock"] == "0"
    assert [placed(one) for one in rest] == [(), ()]


class _Dated(BaseHTTPRequestHandler):
    """A front that passes on what it is asked, an hour behind."""

    behind: ClassVar[TangServer]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = tang._request(KeyServer(self.behind.url), self.path, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() - 3600)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_the_lease_knows_how_far_the_key_servers_clock_is(tmp_path: Path) -> None:
    clock = SteppedClock()
    with contextlib.closing(TangServer(tmp_path / "key-room")) as behind, ThreadingHTTPServer(("127.0.0.1", 0), _Dated) as front:
        _Dated.behind = behind
        threading.Thread(target=front.serve_forever, daemon=True).start()
        said = tang.first_advertisement(KeyServer(behind.url), behind.thumbprint())
        place = KeyServer(f"http://127.0.0.1:{front.server_port}")
        server = PremisesServer("key room", place, said.signing_keys, said.exchange_keys[0])
        lock, _secret = make_lock(1, [server], VaultId("vault"), WorkstationId("workstation"))
        lease = Lease(lambda: lock, clock, 0.5, 30.0, lambda _lost: None, lambda: None)
        assert lease.apart_seconds is None
        lease.start()
        deadline = time.monotonic() + 20
        while lease.apart_seconds is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        lease.stop()
        front.shutdown()
    assert 3590 <= lease.apart_seconds <= 3660


# ---- the strip -----------------------------------------------------------------------------------------------------------------------


class Stood:
    """A watch over the place that says what it was told to."""

    def __init__(self, fit: Fit | None, *, is_watching: bool = True) -> None:
        self.fit = fit
        self.is_watching = is_watching


PLACES = (ApprovedPlace("Headquarters", (ip_network("10.20.0.0/16"),)),)
DETECTED, UNAVAILABLE = ProtectionState.DETECTED, ProtectionState.UNAVAILABLE


@pytest.mark.parametrize(
    ("places", "stood", "said"),
    [
        ((), Stood(None, is_watching=False), (UNAVAILABLE, "not-bound")),
        (PLACES, Stood(Fit.FITS), (DETECTED, "place-fits")),
        (PLACES, Stood(Fit.OTHER_GATEWAY), (DETECTED, "place-fits-none")),
        (PLACES, Stood(Fit.TUNNEL), (DETECTED, "place-fits-none")),
        (PLACES, Stood(Fit.NOT_READ), (UNAVAILABLE, "place-not-read")),
        (PLACES, Stood(None), (UNAVAILABLE, "starting")),
        (PLACES, Stood(None, is_watching=False), (UNAVAILABLE, "not-watching")),
    ],
)
def test_what_the_strip_says_of_evidence(
    station: Station, places: tuple[ApprovedPlace, ...], stood: Stood, said: tuple[ProtectionState, str]
) -> None:
    watching = Watching(station.directory, station.clock, lambda _signal: None, lambda _reason: None, lambda _event: None)
    watching._place = stood  # type: ignore[assignment]
    status = watching._by_evidence(Policy(approved_places=places))
    assert (status.protection, status.state, status.reason) == (Protection.PREMISES, *said)


# ---- a whole vault process -----------------------------------------------------------------------------------------------------------

ELSEWHERE = """\
copies_watched_folders = []
premises_proof_seconds = 3
premises_lease_seconds = 10

[[approved_places]]
name = "Headquarters"
subnets = ["203.0.113.0/24"]
"""


@pytest.fixture
def carried_off(tmp_path: Path, secret_service: PrivateSecretService) -> Iterator[Station]:
    """A founded station, closed, whose policy names a place that no machine is at; its keyring is the session's."""
    made = Station(tmp_path / "vault").found(ELSEWHERE)
    keeper = open_secret_keeper(read_unverified_header(made.directory / HEADER_NAME).vault_id)
    made.into_keyring(keeper)
    made.keeper = keeper  # type: ignore[assignment]
    yield made
    made.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the network is read on Linux")
def test_opened_where_no_place_fits_is_one_report_and_the_desk_stays_open(carried_off: Station) -> None:
    vault = VaultProcess(carried_off.directory)
    try:
        vault.told(BreachRecorded, lambda one: one.notice.kind is SignalKind.PLACE_NOT_APPROVED)
        [premises] = [one for one in vault.ask(Session.protections) if one.protection is Protection.PREMISES]
        assert (premises.state, premises.reason) == (DETECTED, "place-fits-none")
        [notice] = [one.notice for one in vault.events(BreachRecorded) if one.notice.kind is SignalKind.PLACE_NOT_APPROVED]
        assert (notice.severity, notice.containment) == (Severity.DELIBERATE, Containment.NONE), "no page was shown"
    finally:
        vault.close()
    carried_off.sign_in(SUPERVISOR)
    [fact] = told(carried_off, SignalKind.PLACE_NOT_APPROVED)
    found = dict(fact.facts)
    assert (found["moment"], found["place_fit"] in {"other-network", "no-network"}) == ("opening", True)
    assert "place_clock" in found
