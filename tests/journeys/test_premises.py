"""A workstation bound to real key servers: found, bind, open, carried off, brought back; and the lease of an open session."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import OFFICER
from tests.front import NEEDS_FRONT, Front
from tests.journeys.crew import Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, RealEntropy, Station, SteppedClock
from tests.tang import TangServer
from vault import premises
from vault.crypto import tang
from vault.crypto.premises import PremisesLock, prove_lock
from vault.crypto.slots import vault_keys
from vault.domain.audit import AuditKind, Outcome
from vault.domain.breach import SignalKind
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.premises import Lease, open_slot
from vault.secret import Secret
from vault.services.events import BreachRecorded
from vault.services.ports import AuditFilter, MetServer, PremisesFacts
from vault.services.views import KeyServerTest
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def key_room(tmp_path: Path) -> Iterator[TangServer]:
    server = TangServer(tmp_path / "key-room")
    yield server
    server.close()


@pytest.fixture
def second_room(tmp_path: Path) -> Iterator[TangServer]:
    server = TangServer(tmp_path / "second-room")
    yield server
    server.close()


def bind(station: Station, server: TangServer, name: str = "key room", threshold: int = 1) -> PremisesFacts:
    station.sign_in(ADMINISTRATOR)
    return station.vault.premises.add(MetServer(name, server.url), server.thumbprint(), threshold)


def reopen(station: Station) -> None:
    station.close()
    _ = station.vault


def opening(station: Station) -> str:
    try:
        reopen(station)
    except VaultError as error:
        Spooling(station.directory, lambda _label: station.keeper, station.clock, RealEntropy()).note(error)
        return error.code
    return "opens"


def test_a_bound_vault_opens_on_the_premises_and_nowhere_else(station: Station, key_room: TangServer) -> None:
    facts = bind(station, key_room)
    assert [(one.name, one.url) for one in facts.servers] == [("key room", key_room.url)]
    assert key_room.thumbprint() in facts.servers[0].thumbprints
    assert opening(station) == "opens"
    station.sign_in(OFFICER)
    key_room.close()
    assert opening(station) == "premises.unreachable"
    assert opening(station) == "premises.unreachable"
    back = TangServer(key_room.keys, port=key_room.port)
    assert opening(station) == "opens"
    Spooling(station.directory, lambda _label: station.keeper, station.clock, RealEntropy()).take(station.vault)
    [told] = [one.notice for one in station.events if isinstance(one, BreachRecorded)]
    assert told.kind is SignalKind.OFF_PREMISES
    back.close()


def test_another_server_with_other_keys_in_its_place_opens_nothing(station: Station, key_room: TangServer, tmp_path: Path) -> None:
    bind(station, key_room)
    key_room.close()
    pretender = TangServer(tmp_path / "pretender", port=key_room.port)
    assert opening(station) == "premises.refused"
    pretender.close()


def test_a_thief_of_vault_header_and_keyring_has_noise(station: Station, key_room: TangServer, tmp_path: Path) -> None:
    before = (station.directory / HEADER_NAME).read_bytes()
    bind(station, key_room)
    station.close()
    stolen = station.copy_to(tmp_path / "stolen")
    key_room.close()
    with pytest.raises(UnavailableError, match=r"^premises\.unreachable"):
        _ = stolen.vault
    (stolen.directory / HEADER_NAME).write_bytes(before)  # the header of before the binding, with the keyring of today
    with pytest.raises(UnavailableError, match=r"^header\.wrong-workstation"):
        _ = stolen.vault
    station._vault = None


def test_several_servers_any_or_all(station: Station, key_room: TangServer, second_room: TangServer) -> None:
    bind(station, key_room)
    facts = bind(station, second_room, "second room", threshold=2)
    assert facts.threshold == 2
    key_room.close()
    assert opening(station) == "premises.unreachable"
    back = TangServer(key_room.keys, port=key_room.port)
    assert opening(station) == "opens"
    station.sign_in(ADMINISTRATOR)
    with refused("access.not-your-role"):
        station.vault.premises.remove("second room", 1)
    station.sign_in(SUPERVISOR)
    with refused("premises.threshold"):
        station.vault.premises.remove("second room", 2)
    assert station.vault.premises.remove("second room", 1).threshold == 1
    second_room.close()
    assert opening(station) == "opens"
    assert [one.code for one in _tests(station)] == [""]
    back.close()
    assert [one.code for one in _tests(station)] == ["premises.unreachable"]


def _tests(station: Station) -> tuple[KeyServerTest, ...]:
    station.sign_in(SUPERVISOR)
    return station.vault.premises.test()


def test_rotation_and_removal_need_no_new_founding(station: Station, key_room: TangServer) -> None:
    bind(station, key_room)
    key_room.rotate()
    station.sign_in(ADMINISTRATOR)
    pinned = station.vault.premises.servers().servers[0].thumbprints
    assert set(station.vault.premises.rotate().servers[0].thumbprints).isdisjoint(pinned)
    key_room.forget_old_keys()
    assert opening(station) == "opens"
    station.sign_in(SUPERVISOR)
    assert station.vault.premises.remove("key room", 1) == PremisesFacts(0, ())
    key_room.close()
    assert opening(station) == "opens"
    kinds = [entry.kind for entry in station.vault.store.audit_entries(AuditFilter(kinds=("premises.bound", "premises.unbound")), 0, 10)]
    assert kinds == ["premises.unbound", "premises.bound", "premises.bound"]


def test_who_may_bind(station: Station, key_room: TangServer) -> None:
    for badge in (OFFICER, CUSTODIAN):
        station.sign_in(badge)
        with refused("access.not-your-role"):
            station.vault.premises.add(MetServer("x", key_room.url), key_room.thumbprint(), 1)
    station.sign_in(ADMINISTRATOR)
    for name in (" ", "Key room\x1b[8m", "Key room\nSecond room", "\udcff", "n" * 61):  # a list that supervisors read shows it as it is
        with refused("premises.name-missing"):
            station.vault.premises.add(MetServer(name, key_room.url), key_room.thumbprint(), 1)
    with refused("premises.address"):
        station.vault.premises.add(MetServer("x", "file:///x"), key_room.thumbprint(), 1)
    for thumbprint in ("A" * 43, "no thumbprint"):
        with pytest.raises(UnavailableError, match=r"^premises\.(not-pinned|refused)"):  # mistyped: no report of anybody
            station.vault.premises.add(MetServer("x", key_room.url), thumbprint, 1)
    with pytest.raises(UnavailableError, match=r"^premises\.unreachable"):
        station.vault.premises.add(MetServer("x", NOWHERE), key_room.thumbprint(), 1)
    assert station.vault.premises.servers() == PremisesFacts(0, ())
    assert opening(station) == "opens"
    station.sign_in(ADMINISTRATOR)
    [bound] = station.vault.premises.add(MetServer(" key room ", key_room.url), key_room.thumbprint(), 1).servers
    assert bound.name == "key room", "it is found again by what is read in the list"


@NEEDS_FRONT[1]
def test_a_front_asked_without_a_certificate_or_over_http_is_not_blamed_on_the_thumbprint(station: Station, front: Front) -> None:
    station.sign_in(ADMINISTRATOR)
    right = front.place()
    for url, certificate, thumbprint, code in (
        (right.url, "", front.station.thumbprint(), "not-let-in"),
        (right.url.replace("https", "http"), "", front.station.thumbprint(), "not-let-in"),
        (right.url, right.certificate, "A" * 43, "refused"),
    ):
        with pytest.raises(UnavailableError, match=rf"^premises\.{code}"):
            station.vault.premises.add(MetServer("front", url, certificate, right.authority), thumbprint, 1)
    assert station.vault.premises.servers() == PremisesFacts(0, ())


def test_a_dead_server_and_a_taken_name_are_not_blamed_on_the_new_server(
    station: Station, key_room: TangServer, second_room: TangServer
) -> None:
    bind(station, key_room)
    with refused("premises.name-taken"):
        bind(station, second_room, "Key room ", threshold=2)
    key_room.close()
    with pytest.raises(UnavailableError, match=r"^premises\.others"):
        station.vault.premises.add(MetServer("second room", second_room.url), second_room.thumbprint(), 2)
    assert len(station.vault.premises.servers().servers) == 1
    station.sign_in(SUPERVISOR)
    station.vault.premises.add(MetServer("second room", second_room.url), second_room.thumbprint(), 1)


def test_an_administrator_alone_lets_no_other_servers_suffice(station: Station, key_room: TangServer, second_room: TangServer) -> None:
    bind(station, key_room)
    bind(station, second_room, "second room", threshold=2)
    laptop = MetServer("laptop", key_room.url)
    for threshold in (1, 2):
        with refused("premises.supervisor-needed"):
            station.vault.premises.add(laptop, key_room.thumbprint(), threshold)
    assert station.vault.premises.servers().threshold == 2
    assert not weakened(station)
    station.sign_in(SUPERVISOR)
    assert station.vault.premises.add(laptop, key_room.thumbprint(), 2).threshold == 2
    assert len(weakened(station)) == 1
    assert station.vault.premises.remove("laptop", 2).threshold == 2
    assert len(weakened(station)) == 1, "what opens now opened before"
    assert station.vault.premises.remove("second room", 1).threshold == 1
    entries = station.vault.store.audit_entries(AuditFilter(kinds=("premises.bound", "premises.unbound")), 0, 10)
    told = [(Outcome(one.outcome), dict(json.loads(one.facts)).get("must_answer")) for one in reversed(entries)]
    assert told == [
        (Outcome.DONE, "0 of 0 -> 1 of 1"),
        (Outcome.DONE, "1 of 1 -> 2 of 2"),
        (Outcome.REFUSED, "2 of 2 -> 1 of 3"),
        (Outcome.REFUSED, "2 of 2 -> 2 of 3"),
        (Outcome.DONE, "2 of 2 -> 2 of 3"),
        (Outcome.DONE, "2 of 3 -> 2 of 2"),
        (Outcome.DONE, "2 of 2 -> 1 of 1"),
    ]
    facts = dict(json.loads(entries[0].facts)) | dict(json.loads(entries[2].facts))
    assert (facts["url"], facts["thumbprint"]) == (key_room.url, key_room.thumbprint())


def test_what_cannot_be_done_weakens_nothing(station: Station, key_room: TangServer) -> None:
    bind(station, key_room)
    station.sign_in(SUPERVISOR)
    with pytest.raises(RefusedError, match=r"premises\.unknown"):
        station.vault.premises.remove("a typing error", 1)
    for threshold in (0, 3):
        with pytest.raises(RefusedError, match=r"premises\.threshold"):
            station.vault.premises.add(MetServer("another room", key_room.url), key_room.thumbprint(), threshold)
    assert not weakened(station)


def test_a_rotation_where_one_of_several_is_silent_is_not_called_off_the_premises(
    station: Station, key_room: TangServer, second_room: TangServer
) -> None:
    bind(station, key_room)
    bind(station, second_room, "second room", 2)
    bound = station.vault.premises.servers()
    second_room.close()
    with pytest.raises(UnavailableError, match=r"^premises\.others"):
        station.vault.premises.rotate()
    assert station.vault.premises.servers() == bound


def test_a_change_makes_no_old_header_pass_for_the_next(station: Station, key_room: TangServer, second_room: TangServer) -> None:
    """An old header that is put back while the vault is open is told at its next opening, and must not be by then the newest."""
    header = station.directory / HEADER_NAME
    _ = station.vault
    before = header.read_bytes()
    bind(station, key_room)
    header.write_bytes(before)
    with pytest.raises(TamperError, match=r"^header\.rolled-back"):
        station.vault.premises.add(MetServer("second room", second_room.url), second_room.thumbprint(), 2)
    assert header.read_bytes() == before
    assert station.vault.premises.servers().threshold == 1


def weakened(station: Station) -> list[BreachRecorded]:
    return [one for one in station.events if isinstance(one, BreachRecorded) and one.notice.kind is SignalKind.PREMISES_WEAKENED]


def test_a_crash_in_the_middle_of_a_binding_leaves_one_that_opens(
    station: Station, key_room: TangServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyring has the new secret under the second name when the header changes, and under the first afterwards."""
    _ = station.vault
    names = []
    write, erase = station.keeper.write, station.keeper.erase

    class Crashed(Exception):  # noqa: N818 -- what happens to the process, not an error of it
        pass

    for crash_at in range(1, 4):
        count = 0

        def counted(name: str, value: Secret | None = None, *, at: int = crash_at) -> None:
            nonlocal count
            if "workstation" in name:
                count += 1
                if count > at:
                    raise Crashed
            names.append(name)
            write(name, value) if value is not None else erase(name)

        monkeypatch.setattr(station.keeper, "write", counted)
        monkeypatch.setattr(station.keeper, "erase", counted)
        station.sign_in(SUPERVISOR)
        if crash_at < 3:
            with pytest.raises(Crashed):
                station.vault.premises.add(MetServer(f"room {crash_at}", key_room.url), key_room.thumbprint(), 1)
        else:
            station.vault.premises.add(MetServer(f"room {crash_at}", key_room.url), key_room.thumbprint(), 1)
        monkeypatch.setattr(station.keeper, "write", write)
        monkeypatch.setattr(station.keeper, "erase", erase)
        assert opening(station) == "opens"
        assert opening(station) == "opens"
    assert names


# ---- the lease ---------------------------------------------------------------------------------------------------------------------


class Told:
    """What a lease said."""

    def __init__(self) -> None:
        self.changes: list[bool] = []
        self.over = threading.Event()
        self.over_again = threading.Event()
        self.changed = threading.Condition()

    def change(self, lost: bool) -> None:
        with self.changed:
            self.changes.append(lost)
            self.changed.notify_all()

    def end(self) -> None:
        (self.over_again if self.over.is_set() else self.over).set()

    def wait(self, *changes: bool) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.changes == list(changes), 30)


@pytest.fixture
def lock(station: Station, key_room: TangServer) -> PremisesLock:
    bind(station, key_room)
    lock = station.vault.binding.lock
    assert lock is not None
    return lock


def lease(lock: PremisesLock | None, clock: SteppedClock, told: Told, lease_seconds: float = 300) -> Lease:
    return Lease(lambda: lock, clock, tang.DEADLINE_SECONDS, lease_seconds, told.change, told.end)


def test_a_lost_proof_is_told_and_its_return_too(lock: PremisesLock, key_room: TangServer) -> None:
    told = Told()
    one = lease(lock, SteppedClock(), told)
    one.start()
    assert one.holds
    key_room.close()
    assert told.wait(True)
    assert [one.holds] == [False]
    back = TangServer(key_room.keys, port=key_room.port)
    assert told.wait(True, False)
    assert one.holds
    assert not told.over.is_set()
    one.stop()
    back.close()


def test_without_a_proof_for_as_long_as_the_lease_it_is_over_once(lock: PremisesLock, key_room: TangServer) -> None:
    told = Told()
    one = lease(lock, SteppedClock(), told, 3)
    key_room.close()
    one.start()
    assert told.over.wait(30)
    assert not told.over_again.wait(0.2)
    assert not one.holds


def test_whoever_takes_every_thread_keeps_no_lease(lock: PremisesLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account has a number of threads. With none left nothing is proven: the page is covered, and the lease runs out."""

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    told = Told()
    one = lease(lock, SteppedClock(), told, 3)
    one.start()
    monkeypatch.setattr(threading.Thread, "start", none_left)
    assert told.wait(True)
    assert told.over.wait(30)


@pytest.mark.slow
def test_a_lease_whose_thread_hangs_is_over(lock: PremisesLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no memory is left for a thread, whoever starts one may wait for it for good."""
    told, goes_on = Told(), threading.Event()
    one = lease(lock, SteppedClock(), told, 3)
    one.start()
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: goes_on.wait(60))
    assert told.over.wait(30)
    goes_on.set()


def test_a_lease_that_fails_is_over(lock: PremisesLock, key_room: TangServer) -> None:
    """Whatever it fails of, as of memory that another program of the account let the process have no more of."""

    class Fails(Told):
        def change(self, lost: bool) -> None:
            raise MemoryError

    told = Fails()
    one = lease(lock, SteppedClock(), told)
    one.start()
    key_room.close()
    assert told.over.wait(30)


def test_time_asleep_counts(lock: PremisesLock, key_room: TangServer) -> None:
    clock, told = SteppedClock(), Told()
    one = lease(lock, clock, told, 60)
    one.start()
    clock.step(61)
    assert not one.holds, "no page before the next proof"
    one.stop()


def test_waking_after_the_lease_covers_the_page_until_a_proof_holds(lock: PremisesLock) -> None:
    clock, told = SteppedClock(), Told()
    one = Lease(lambda: lock, clock, 3600, 7200, told.change, told.over.set)
    one.start()
    clock.step(7201)
    assert told.wait(True, False), "it is known long before the next proof would have been due"
    assert one.holds
    assert not told.over.is_set()
    one.stop()


def test_waking_within_the_lease_asks_at_once_where_a_proof_was_due_meanwhile(lock: PremisesLock, key_room: TangServer) -> None:
    clock, told = SteppedClock(), Told()
    one = Lease(lambda: lock, clock, 3600, 7200, told.change, told.over.set)
    key_room.close()
    one.start()
    clock.step(3600)
    assert told.wait(True)
    one.stop()


def test_an_answer_that_waited_for_the_machine_to_wake_proves_nothing_and_the_next_one_does(
    lock: PremisesLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told, answers = SteppedClock(), Told(), list[bool]()

    def asleep(asked: PremisesLock) -> int | None:
        seconds = prove_lock(asked)
        if not answers:
            clock.step(61)
        answers.append(True)
        return seconds

    monkeypatch.setattr(premises, "prove_lock", asleep)
    one = lease(lock, clock, told, 60)
    one.start()
    assert told.wait(True, False)
    assert one.holds
    one.stop()
    assert not told.over.is_set()


@pytest.mark.parametrize("in_question", [False, True], ids=["asleep between two questions", "asleep in the middle of one"])
def test_who_wakes_before_the_network_is_up_is_asked_again(lock: PremisesLock, monkeypatch: pytest.MonkeyPatch, in_question: bool) -> None:
    clock, told, failed, covered = SteppedClock(), Told(), list[bool](), list[bool]()

    def no_network_yet(asked: PremisesLock) -> int | None:
        if len(failed) == 2:
            return prove_lock(asked)
        failed.append(True)
        covered.append(one.lost)
        if not covered[0] and len(failed) == 1:
            clock.step(7201)
        raise UnavailableError("premises.unreachable")

    monkeypatch.setattr(premises, "prove_lock", no_network_yet)
    one = Lease(lambda: lock, clock, 0 if in_question else 3600, 7200, told.change, told.end)
    one.start()
    if not in_question:
        clock.step(7201)
    assert told.wait(True, False)
    assert covered == [not in_question, True], "a page is covered before anybody is asked"
    assert one.holds
    one.stop()
    assert not told.over.is_set()


def test_who_wakes_elsewhere_has_as_long_as_the_lease_and_not_again_by_sleeping_again(
    lock: PremisesLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told, failed = SteppedClock(), Told(), list[float]()

    def nowhere(_asked: PremisesLock) -> int | None:
        failed.append(time.monotonic())
        clock.step(3600)  # and sleeps again
        raise UnavailableError("premises.unreachable")

    monkeypatch.setattr(premises, "prove_lock", nowhere)
    one = Lease(lambda: lock, clock, 0, 2, told.change, told.end)
    one.start()
    assert told.over.wait(30)
    assert told.changes == [True]
    assert time.monotonic() - failed[0] > 1.9


def test_bound_to_none_nothing_is_lost() -> None:
    clock, told = SteppedClock(), Told()
    one = lease(None, clock, told, 10)
    one.start()
    clock.step(3600)
    assert one.holds
    one.stop()
    assert not told.changes


def test_no_page_is_shown_while_the_premises_are_not_proven(station: Station, tmp_path: Path) -> None:
    crew = Crew.of(station, tmp_path, (SUPERVISOR, CUSTODIAN, OFFICER))
    held = crew.take(OFFICER, crew.new_case(CUSTODIAN, OFFICER, "page\n" * 20))
    document_id = crew.first_document(held.check_out_id)
    crew.vault.world.premises_hold = lambda: False
    with refused("premises.lost"):
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    assert not crew.vault.reading.on_screen
    assert not crew.trail(AuditKind.PAGE_VIEWED)
    crew.vault.world.premises_hold = lambda: True
    crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)


def test_the_slot_says_what_it_stands_behind(station: Station, key_room: TangServer) -> None:
    unbound = open_slot(read_unverified_header(station.directory / HEADER_NAME), station.keeper, station.clock.now_us())
    assert unbound.lock is None
    bind(station, key_room)
    bound = open_slot(read_unverified_header(station.directory / HEADER_NAME), station.keeper, station.clock.now_us())
    assert bound.lock is not None
    assert vault_keys(bound.secrets.vault_key).register.reveal() == vault_keys(unbound.secrets.vault_key).register.reveal()
    assert AuditKind.PREMISES_BOUND.value == "premises.bound"
