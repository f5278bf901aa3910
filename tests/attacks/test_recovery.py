"""Break-glass: a key server that is gone for good, and who opens the vault then, for how long, and what is left behind of it.

Real key servers, a real vault; the last test runs the command line over a real keyring, as the holders would.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import msgspec
import pytest

from tests.conftest import OFFICER, SECOND_SUPERVISOR
from tests.journeys.command_line import CommandLine
from tests.journeys.crew import refused
from tests.journeys.desk_driver import DeskDriver
from tests.secret_service import PrivateSecretService
from tests.station import ADMINISTRATOR, CHEAP, SUPERVISOR, RealEntropy, Station, opening
from tests.tang import TangServer
from tests.vault_process import VaultProcess
from vault.crypto.keypairs import KeyPair, generate_key_pair
from vault.crypto.recovery import (
    HolderPublic,
    _holder_id,
    _HolderFile,
    make_holder_file,
    make_recovery_slot,
    open_holder_file,
    slot_holders,
)
from vault.crypto.sealing import new_key
from vault.crypto.slots import WorkstationSecrets, make_person_slot
from vault.domain.audit import AuditKind
from vault.domain.breach import Severity, SignalKind, TriageState
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import RefusedError, VaultError
from vault.platform.secret_service import open_secret_keeper
from vault.premises import RecoveryOpening
from vault.recovery import DEFAULT_HOURS, EnrolmentGround, HoldersGround, RecoveryOpened, enrol_holders, open_by_holders, propose_holders
from vault.secret import Secret
from vault.services.events import Ending, Opened
from vault.services.page_memory import PageMemory
from vault.services.ports import AuditFilter, MetServer
from vault.services.recovery import GIVEN_SECONDS, Recovery, RecoveryHolders
from vault.services.session import Session
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600


@cache
def pair(number: int) -> KeyPair:
    return generate_key_pair()


def holders(*numbers: int) -> list[HolderPublic]:
    return [HolderPublic(f"post {number}", pair(number).public.kem) for number in numbers]


@pytest.fixture(scope="module")
def key_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TangServer]:
    """The key server that dies: it answers while the workstation is bound to it, and not in any test."""
    server = TangServer(tmp_path_factory.mktemp("key-room") / "keys")
    yield server
    server.close()


def enrol(station: Station, threshold: int, *numbers: int) -> None:
    station.sign_in(ADMINISTRATOR)
    propose_holders(station.vault, threshold, holders(*numbers))
    station.sign_in(SUPERVISOR)
    enrol_holders(station.vault, threshold, holders(*numbers))
    station.vault.session.sign_out()


@pytest.fixture(scope="module")
def prepared(staffed: Station, key_room: TangServer, tmp_path_factory: pytest.TempPathFactory) -> Station:
    """A workstation that was bound to one key server, 2 of its 3 holders enrolled; closed, and the key server dead."""
    made = staffed.copy_to(tmp_path_factory.mktemp("bound") / "vault")
    made.sign_in(ADMINISTRATOR)
    made.vault.premises.add(MetServer("key room", key_room.url), key_room.thumbprint(), 1)
    enrol(made, 2, 0, 1, 2)
    assert opening(made) == "opens"
    made.close()
    key_room.close()
    return made


@pytest.fixture
def bound(prepared: Station, tmp_path: Path) -> Iterator[Station]:
    copy = prepared.copy_to(tmp_path / "vault")
    yield copy
    copy.close()


@pytest.fixture
def back(prepared: Station, key_room: TangServer) -> Iterator[TangServer]:
    """The same key server, repaired."""
    server = TangServer(key_room.keys, port=key_room.port)
    yield server
    server.close()


def come_together(station: Station, *numbers: int, hours: int = DEFAULT_HOURS) -> RecoveryOpened:
    station.close()
    pages = PageMemory.create()
    try:
        pairs = [pair(number) for number in numbers]
        entropy, policy = RealEntropy(), station.policy
        return open_by_holders(
            station.directory, pairs, lambda _label: station.keeper, station.clock, entropy, policy, pages, station.events.append, hours
        )
    finally:
        pages.close()


def entries(station: Station, *kinds: AuditKind) -> list[dict[str, str | int]]:
    wanted = AuditFilter(kinds=tuple(one.value for one in kinds))
    return [dict(json.loads(one.facts)) for one in station.vault.store.audit_entries(wanted, 0, 50)]


def test_the_holders_open_what_a_dead_key_server_shut_for_eight_hours_and_no_longer(bound: Station) -> None:
    assert opening(bound) == "premises.unreachable"
    opened = come_together(bound, 2, 0)
    assert [one.label for one in opened.holders] == ["post 0", "post 2"]
    assert opening(bound) == "opens"
    with refused("session.locked"):
        bound.vault.desk.cases("", "", 10)  # at workstation level: nobody is signed in by it
    with refused("session.not-recognised"):
        bound.vault.session.sign_in(OFFICER, "granite window orchard", bound.code(OFFICER))
    bound.sign_in(OFFICER)
    bound.sign_in(SUPERVISOR)
    bound.clock.step((DEFAULT_HOURS - 1) * HOUR)
    assert opening(bound) == "opens"
    bound.clock.step(HOUR)
    assert opening(bound) == "premises.unreachable"
    bound.clock.step(-HOUR)  # the clock set back afterwards: the secret of those hours is gone
    assert opening(bound) == "premises.unreachable"


def test_the_report_and_the_audit_entry_exist_once_and_name_the_holders(bound: Station) -> None:
    opened = come_together(bound, 1, 2)
    for _ in range(3):
        assert opening(bound) == "opens"
    thumbprints = [one.thumbprint for one in holders(1, 2)]
    assert entries(bound, AuditKind.RECOVERY_OPENED) == [{"holders": " ".join(thumbprints), "ends_us": opened.ends_us}]
    rows = [row for row in bound.vault.store.breaches(list(TriageState), 50) if row.state.kind is SignalKind.RECOVERY_OPENED]
    [row] = rows
    assert row.state.severity is Severity.EXPOSED
    assert row.state.count == 1
    bound.sign_in(SUPERVISOR)
    [sealed] = row.facts_sealed
    said = bound.vault.world.open_as_supervisor(sealed, "facts", row.state.breach_id)
    assert said is not None
    for one in holders(1, 2):
        assert f"{one.label} {one.thumbprint}".encode() in said
    assert b"post 0" not in said


ATTEMPTS: list[tuple[str, tuple[int, ...], str]] = [
    # whose keys are there -> what the vault says
    ("nobody", (), "recovery.too-few"),
    ("one holder", (0,), "recovery.too-few"),
    ("one holder twice", (1, 1), "recovery.too-few"),
    ("one holder and a stranger", (0, 9), "recovery.too-few"),
    ("strangers", (8, 9), "recovery.too-few"),
]


def test_too_few_holders_open_nothing_and_leave_nothing_that_opens(bound: Station) -> None:
    before = (bound.directory / HEADER_NAME).read_bytes()
    for name, there, code in ATTEMPTS:
        with refused(code):
            come_together(bound, *there)
        assert (bound.directory / HEADER_NAME).read_bytes() == before, name
        assert opening(bound) == "premises.unreachable", name


def _header(station: Station, change: Callable[[dict[str, object]], None]) -> None:
    path = station.directory / HEADER_NAME
    whole = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    body = whole["body"]
    assert isinstance(body, dict)
    change(body)
    path.write_bytes(msgspec.json.encode(whole))


def _longer(body: dict[str, object]) -> None:
    openings = body["recovery_openings"]
    assert isinstance(openings, dict)
    [(name, text)] = openings.items()
    opened = RecoveryOpening.decode(text)
    openings[name] = RecoveryOpening(opened.began_us, opened.ends_us + HOUR * 1_000_000, opened.slot).encode()


def _in_the_bound_slots_place(body: dict[str, object]) -> None:
    openings, slots = body.pop("recovery_openings"), body["workstation_slots"]
    assert isinstance(openings, dict)
    assert isinstance(slots, dict)
    [(name, text)] = openings.items()
    slots[name] = RecoveryOpening.decode(text).slot
    body.pop("premises")


HEADERS: list[tuple[str, Callable[[dict[str, object]], None], str]] = [
    # what was written into the header within the hours -> what opening says afterwards
    ("an hour more", _longer, "premises.unreachable"),
    ("the hours taken away", lambda body: body.pop("recovery_openings") and None, "premises.unreachable"),
    ("made the workstation's own slot, bound to nothing", _in_the_bound_slots_place, "header.wrong-workstation"),
]


@pytest.mark.parametrize(("change", "code"), [one[1:] for one in HEADERS], ids=[one[0] for one in HEADERS])
def test_what_was_opened_is_not_stretched_by_writing_into_the_header(
    bound: Station, change: Callable[[dict[str, object]], None], code: str
) -> None:
    come_together(bound, 0, 1)
    assert opening(bound) == "opens"
    bound.close()
    _header(bound, change)
    if code == "header.wrong-workstation":  # and its secret put where the workstation's own stands
        name = next(one for one in bound.keeper._values if one.startswith("workstation-recovery:"))
        bound.keeper._values[name.replace("-recovery", "")] = bound.keeper._values[name]
    assert opening(bound) == code


def test_a_slot_of_another_vault_and_an_altered_one_open_nothing(bound: Station) -> None:
    good = (bound.directory / HEADER_NAME).read_bytes()
    secrets = WorkstationSecrets(new_key(), generate_key_pair())
    made = make_recovery_slot(2, holders(0, 1, 2), VaultId("another"), WorkstationId("another"), secrets)
    stranger = base64.b64encode(made).decode()
    own = msgspec.json.decode(good)["body"]["recovery_slot"]
    for slot, code in ((stranger, "recovery.altered"), (own[:-8], "slot.malformed"), ("AAAA" + own[4:], "slot.malformed")):
        _header(bound, lambda body: body.update(recovery_slot=slot))  # noqa: B023
        with refused(code):
            come_together(bound, 0, 1)
        (bound.directory / HEADER_NAME).write_bytes(good)
    _header(bound, lambda body: body.update(station_name="elsewhere"))  # the slot opens, and what it gives vouches for another header
    with refused("header.altered"):
        come_together(bound, 0, 1)
    (bound.directory / HEADER_NAME).write_bytes(good)
    come_together(bound, 0, 1)
    assert opening(bound) == "opens"


def test_a_thief_of_vault_and_keyring_has_noise_but_within_the_hours(bound: Station, tmp_path: Path) -> None:
    before = bound.copy_to(tmp_path / "before")
    come_together(bound, 0, 1)
    bound.close()
    after = bound.copy_to(tmp_path / "after")
    for one in (before, after):
        one.clock.step(DEFAULT_HOURS * HOUR)
        assert opening(one) == "premises.unreachable"
    assert not [name for name in after.keeper._values if "recovery" in name], "the secret of those hours is erased"


def test_a_clock_behind_the_trail_keeps_it_shut(bound: Station) -> None:
    come_together(bound, 0, 1)
    bound.clock.step(HOUR)
    assert opening(bound) == "opens"
    bound.clock.step(-HOUR / 2)
    assert opening(bound) == "recovery.clock-set-back"
    bound.clock.step(-HOUR)  # before it was opened at all
    assert opening(bound) == "premises.unreachable"
    bound.clock.step(2 * HOUR)
    assert opening(bound) == "opens"


def test_a_key_server_that_answers_again_ends_it(bound: Station, request: pytest.FixtureRequest) -> None:
    come_together(bound, 0, 1)
    assert opening(bound) == "opens"
    assert bound.vault.binding.lock is None, "nothing to prove meanwhile"
    back: TangServer = request.getfixturevalue("back")
    assert opening(bound) == "opens"
    assert bound.vault.binding.recovery_ends_us == 0
    assert bound.vault.binding.lock is not None
    back.close()
    assert opening(bound) == "premises.unreachable"


def test_within_the_hours_the_workstation_is_bound_to_another_key_server(bound: Station, tmp_path: Path) -> None:
    come_together(bound, 0, 1)
    new = TangServer(tmp_path / "new-room")
    bound.sign_in(SUPERVISOR)  # for a new one that is enough by itself
    assert bound.vault.binding.lock is None, "nothing to prove meanwhile"
    bound.vault.premises.add(MetServer("new room", new.url), new.thumbprint(), 1)
    assert bound.vault.binding.recovery_ends_us == 0
    assert [one.name for one in bound.vault.premises.remove("key room", 1).servers] == ["new room"]
    bound.clock.step(2 * DEFAULT_HOURS * HOUR)
    assert opening(bound) == "opens"
    new.close()
    assert opening(bound) == "premises.unreachable"
    come_together(bound, 1, 2)  # the recovery slot outlives the binding
    assert opening(bound) == "opens"


def test_a_lost_keyring_is_opened_by_the_holders_too(bound: Station, back: TangServer) -> None:
    bound.keeper._values.clear()
    assert opening(bound) == "header.wrong-workstation"
    come_together(bound, 0, 1)
    assert opening(bound) == "opens"
    bound.sign_in(ADMINISTRATOR)
    bound.vault.premises.rotate()
    bound.clock.step(2 * DEFAULT_HOURS * HOUR)
    assert opening(bound) == "opens"


def test_a_new_slot_replaces_the_old_one(bound: Station) -> None:
    come_together(bound, 0, 1)
    enrol(bound, 3, 4, 5, 6)
    with refused("recovery.too-few"):
        come_together(bound, 0, 1, 2)
    come_together(bound, 4, 5, 6)
    assert opening(bound) == "opens"
    assert [one["threshold"] for one in entries(bound, AuditKind.RECOVERY_ENROLLED)] == [3, 2]


def test_two_people_enrol_the_very_same_holders(station: Station) -> None:
    vault = station.vault
    station.sign_in(OFFICER)
    for act in (propose_holders, enrol_holders):
        with refused("access.not-your-role"):
            act(vault, 2, holders(3, 4))
    station.sign_in(SUPERVISOR)
    with refused("access.not-your-role"):
        propose_holders(vault, 2, holders(3, 4))
    with refused("recovery.not-proposed"):
        enrol_holders(vault, 2, holders(3, 4))
    station.sign_in(ADMINISTRATOR)
    with refused("recovery.threshold"):
        propose_holders(vault, 1, holders(3, 4))
    propose_holders(vault, 2, holders(3, 4))
    with refused("access.not-your-role"):
        enrol_holders(vault, 2, holders(3, 4))
    station.sign_in(SUPERVISOR)
    for threshold, others in ((2, holders(3, 5)), (2, holders(3, 4, 5)), (2, holders(4, 3))):  # somebody exchanged a file meanwhile
        with refused("recovery.not-proposed"):
            enrol_holders(vault, threshold, others)
    station.clock.step(16 * 60)
    with refused("recovery.not-proposed"):
        enrol_holders(vault, 2, holders(3, 4))
    assert not entries(station, AuditKind.RECOVERY_ENROLLED)


def test_a_vault_without_holders_says_so(station: Station) -> None:
    with refused("recovery.none"):
        come_together(station, 0, 1)


@cache
def holder_file() -> tuple[bytes, HolderPublic]:
    return make_holder_file("post 9", Secret(b"granite window orchard"), CHEAP)


REFUSED: list[tuple[str, Callable[[Station], object], str, dict[str, str]]] = [
    # who comes -> what they are told, what the report says besides
    ("one holder", lambda bound: come_together(bound, 1), "recovery.too-few", {"present": "1", "threshold": "2"}),
    ("one holder twice", lambda bound: come_together(bound, 1, 1), "recovery.too-few", {"present": "1", "threshold": "2"}),
    ("strangers", lambda bound: come_together(bound, 7, 8), "recovery.too-few", {"present": "0", "threshold": "2"}),
    ("a holder and a stranger", lambda bound: come_together(bound, 0, 8), "recovery.too-few", {"present": "1", "threshold": "2"}),
    ("a wrong passphrase", lambda _: open_holder_file(holder_file()[0], Secret(b"granite window")), "recovery.not-recognised", {}),
]


@pytest.mark.parametrize(("come", "code", "facts"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_who_is_refused_is_reported_once_and_without_content(
    bound: Station, come: Callable[[Station], object], code: str, facts: dict[str, str]
) -> None:
    spooling = Spooling(bound.directory, lambda _label: bound.keeper, bound.clock, RealEntropy())
    for _ in range(3):
        with refused(code) as told:
            come(bound)
        assert spooling.note(told.value), "what the command line does"
    assert len(list((bound.directory / "spool").iterdir())) == 1
    come_together(bound, 0, 1)
    spooling.take(bound.vault)
    bound.sign_in(SUPERVISOR)
    views = [bound.vault.supervision.report(line.breach_id) for line in bound.vault.supervision.queue(False)]
    (said,) = (dict(fact.facts) for view in views for fact in view.facts if fact.kind is SignalKind.RECOVERY_REFUSED)
    if code == "recovery.not-recognised":
        facts = {"holder": holder_file()[1].thumbprint}
    assert said.items() >= {"code": code, **facts}.items()
    assert "post" not in str(said)


def test_each_refused_holder_is_named_however_soon_they_come_after_another(bound: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    spooling = Spooling(bound.directory, lambda _label: bound.keeper, bound.clock, RealEntropy())
    thumbprints = [one.thumbprint for one in holders(3, 4, 5, 6)]
    monkeypatch.setattr("vault.spooling._MOST_REFUSED", 5)
    for number in (0, 1, 0, 1, 2):
        assert spooling.note(RefusedError("recovery.not-recognised", holder=thumbprints[number]))
    for present in (0, 1, 0):
        assert spooling.note(RefusedError("recovery.too-few", present=present, threshold=2))
    assert spooling.note(RefusedError("recovery.not-recognised", holder=thumbprints[3])), "beyond the limit it joins"
    come_together(bound, 0, 1)
    spooling.take(bound.vault)
    bound.sign_in(SUPERVISOR)
    views = [bound.vault.supervision.report(line.breach_id) for line in bound.vault.supervision.queue(False)]
    said = [dict(fact.facts) for view in views for fact in view.facts if fact.kind is SignalKind.RECOVERY_REFUSED]
    assert sorted(one["holder"] for one in said if "holder" in one) == sorted(thumbprints[:3])
    assert sorted(one["present"] for one in said if "present" in one) == ["0", "1"]


def test_an_altered_slot_is_reported_at_the_next_opening(bound: Station) -> None:
    good = (bound.directory / HEADER_NAME).read_bytes()
    own = msgspec.json.decode(good)["body"]["recovery_slot"]
    _header(bound, lambda body: body.update(recovery_slot=own[:-8]))
    spooling = Spooling(bound.directory, lambda _label: bound.keeper, bound.clock, RealEntropy())
    with pytest.raises(VaultError, match=r"^slot\.malformed") as told:
        come_together(bound, 0, 1)
    assert spooling.note(told.value)
    (bound.directory / HEADER_NAME).write_bytes(good)
    come_together(bound, 0, 1)
    spooling.take(bound.vault)
    kinds = [row.state.kind for row in bound.vault.store.breaches(list(TriageState), 50)]
    assert sorted(one.value for one in kinds) == ["recovery-opened", "store-tampered"]


def open_for_half_a_minute(bound: Station) -> None:
    """Have the holders open it, with the real keyring, so that their hours are over half a minute from now."""
    real = open_secret_keeper(read_unverified_header(bound.directory / HEADER_NAME).vault_id)
    bound.into_keyring(real)
    bound.keeper = real  # type: ignore[assignment]
    bound.clock.added_us = 0
    bound.clock.step(30 - HOUR)
    come_together(bound, 0, 1, hours=1)


@pytest.mark.slow
def test_an_open_desk_ends_with_the_hours(bound: Station, secret_service: PrivateSecretService) -> None:
    """A real vault process, opened half a minute before they are over: it ends by itself, and does not open again."""
    open_for_half_a_minute(bound)
    desk = VaultProcess(bound.directory)
    try:
        desk.told(Ending, lambda one: one.reason == "premises-lost")  # what the interface is told
        desk.end()
    finally:
        desk.close()
    assert desk.process.returncode == 0
    bound.clock.added_us = 0
    assert opening(bound) == "premises.unreachable"


@pytest.mark.slow
def test_an_open_command_ends_with_the_hours(bound: Station, secret_service: PrivateSecretService, tmp_path: Path) -> None:
    """Opened half a minute before they are over, it asks for a reason that nobody types."""
    open_for_half_a_minute(bound)
    own = tmp_path / "own.toml"
    own.write_text("idle_lock_seconds = 120\n")
    line = CommandLine(secret_service.environment, bound.directory)
    with line.start("policy", "set", "--vault", str(bound.directory), str(own)) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdin.write(line.signs_in(bound, SECOND_SUPERVISOR))
        command.stdin.flush()
        seen = ""
        while "idle_lock_seconds" not in seen:
            more = command.stdout.read(1)
            assert more, command.stderr.read()
            seen += more
        assert command.wait(60) == 1
        assert "hours" in command.stderr.read()


# ---- the window: what a vault process that did not open serves ---------------------------------------------------------------------------

PASSPHRASE = "granite window orchard"


def holder_files(folder: Path, *numbers: int) -> list[str]:
    """Files of the holders of this file's slots, as `make_holder_file` writes them."""
    paths = []
    for number in numbers:
        kem = pair(number).public.kem
        sealed = make_person_slot(Secret(PASSPHRASE.encode()), _holder_id(kem), pair(number).export_private(), CHEAP)
        path = folder / f"{number}.key"
        path.write_bytes(msgspec.json.encode(_HolderFile("casevault-holder-1", f"post {number}", kem, sealed)))
        paths.append(str(path))
    return paths


def served(station: Station) -> Recovery:
    """What the keys lane serves, with reports sealed as the vault process has them sealed."""
    station.close()

    def keeper_for(_label: str) -> object:
        return station.keeper

    spooling = Spooling(station.directory, keeper_for, station.clock, RealEntropy())  # type: ignore[arg-type]
    ground = HoldersGround(station.directory, keeper_for, station.clock, RealEntropy(), station.policy, spooling.note)  # type: ignore[arg-type]
    return Recovery(ground, station.clock)


def refusals(station: Station) -> list[dict[str, str]]:
    """What reached the supervisors of who was refused, once the vault is open."""
    Spooling(station.directory, lambda _label: station.keeper, station.clock, RealEntropy()).take(station.vault)
    station.sign_in(SUPERVISOR)
    views = [station.vault.supervision.report(line.breach_id) for line in station.vault.supervision.queue(False)]
    return [dict(fact.facts) for view in views for fact in view.facts if fact.kind is SignalKind.RECOVERY_REFUSED]


def test_in_the_window_each_is_told_at_once_what_is_wrong_and_who_is_no_holder_is_reported(bound: Station, tmp_path: Path) -> None:
    first, second, stranger = holder_files(tmp_path, 0, 2, 9)
    damaged, pipe = tmp_path / "damaged.key", tmp_path / "pipe.key"
    damaged.write_bytes(Path(first).read_bytes()[:-9])
    os.mkfifo(pipe)
    recovery = served(bound)
    assert (recovery.slot().threshold, recovery.slot().holders, recovery.slot().usual_hours) == (2, 3, DEFAULT_HOURS)
    attempts: list[tuple[str, str, str, str]] = [
        # what is given, and the passphrase -> what the vault says
        ("nothing there", str(tmp_path / "missing.key"), PASSPHRASE, "recovery.file"),
        ("a folder", str(tmp_path), PASSPHRASE, "recovery.file"),
        ("a pipe that nobody fills", str(pipe), PASSPHRASE, "recovery.file"),
        ("a damaged file", str(damaged), PASSPHRASE, "recovery.not-a-holder-file"),
        ("a wrong passphrase", first, "granite window", "recovery.not-recognised"),
        ("a stranger's file with its passphrase", stranger, PASSPHRASE, "recovery.not-a-holder"),
    ]
    for name, path, passphrase, code in attempts:
        with pytest.raises(VaultError) as told:
            recovery.give(path, passphrase)
        assert told.value.code == code, name
    with refused("recovery.too-few"):
        recovery.open(8)
    assert opening(bound) == "premises.unreachable"
    assert recovery.give(first, PASSPHRASE).names == ("post 0",)
    with refused("recovery.given-already"):
        recovery.give(first, PASSPHRASE)
    with refused("recovery.too-few"):
        recovery.open(8)
    come = recovery.give(second, PASSPHRASE)
    assert (come.names, come.threshold) == (("post 0", "post 2"), 2)
    opened = recovery.open(3)
    assert 2 * HOUR < (opened.ends_us - bound.clock.now_us()) // 1_000_000 <= 3 * HOUR
    assert opening(bound) == "opens"
    entry = " ".join(one.thumbprint for one in holders(0, 2))
    assert entries(bound, AuditKind.RECOVERY_OPENED) == [{"holders": entry, "ends_us": opened.ends_us}]
    said = refusals(bound)
    named = {one["code"]: one["holder"] for one in said if "holder" in one}
    assert named == {"recovery.not-recognised": holders(0)[0].thumbprint, "recovery.not-a-holder": holders(9)[0].thumbprint}
    assert sorted(one["present"] for one in said if one["code"] == "recovery.too-few") == ["0", "1"]
    with refused("recovery.too-few"):
        served(bound).open(8)  # their keys are let go


def test_in_the_window_who_has_come_is_let_go_when_nobody_follows(bound: Station, tmp_path: Path) -> None:
    first, second = holder_files(tmp_path, 0, 1)
    recovery = served(bound)
    recovery.give(first, PASSPHRASE)
    bound.clock.step(GIVEN_SECONDS - 1)
    recovery.let_go_overdue()
    assert len(recovery.give(second, PASSPHRASE).names) == 2
    bound.clock.step(GIVEN_SECONDS)
    for act in (lambda: recovery.open(8), lambda: recovery.open(8)):  # said once; then they have simply not come
        with pytest.raises(RefusedError, match=r"^recovery\.(given-expired|too-few)"):
            act()
    assert len(recovery.give(first, PASSPHRASE).names) == 1
    bound.clock.step(GIVEN_SECONDS)
    recovery.let_go_overdue()
    with refused("recovery.given-expired"):
        recovery.give(second, PASSPHRASE)
    assert opening(bound) == "premises.unreachable"


def test_in_the_window_two_people_enrol_by_what_the_command_line_enrols(station: Station, tmp_path: Path) -> None:
    paths = []
    for number, one in zip((3, 4, 5), holders(3, 4, 5), strict=True):
        paths.append(str(tmp_path / f"{number}.pub"))
        Path(paths[-1]).write_text(one.encode() + "\n")
    enrolment = RecoveryHolders(station.vault.world, EnrolmentGround(station.vault))
    station.sign_in(OFFICER)
    for act in (enrolment.state, lambda: enrolment.public_half(paths[0]), lambda: enrolment.propose(2, ()), lambda: enrolment.enrol(2, ())):
        with refused("access.not-your-role"):
            act()
    station.sign_in(SUPERVISOR)
    before = enrolment.state()
    assert (before.threshold, before.thumbprints, before.agreed_by, before.proposed) == (0, (), None, None)
    publics = tuple(enrolment.public_half(path).public for path in paths)
    with refused("recovery.not-a-public-half"):
        enrolment.enrol(3, ("casevault-holder-1 AAAA x",) * 3)
    with refused("recovery.not-proposed"):
        enrolment.enrol(3, publics)
    station.sign_in(ADMINISTRATOR)
    standing = enrolment.propose(3, publics).proposed
    assert standing is not None
    assert (standing.threshold, standing.thumbprints) == (3, tuple(one.thumbprint for one in holders(3, 4, 5)))
    assert enrolment.state().threshold == 0, "a proposal changes nothing"
    with refused("access.not-your-role"):
        enrolment.enrol(3, publics)
    station.sign_in(SUPERVISOR)
    for threshold, others in ((2, publics), (3, publics[::-1])):
        with refused("recovery.not-proposed"):
            enrolment.enrol(threshold, others)
    now = enrolment.enrol(3, publics)
    assert now.agreed_by is not None
    assert (now.threshold, now.thumbprints, now.agreed_by.badge_no, now.proposed) == (3, standing.thumbprints, SUPERVISOR, None)
    slot = read_unverified_header(station.directory / HEADER_NAME).recovery_slot
    assert slot is not None
    assert slot_holders(slot).thumbprints == standing.thumbprints


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_vault_process_serves_the_holders_where_the_key_server_is_dead(
    bound: Station, secret_service: PrivateSecretService, tmp_path: Path
) -> None:
    """A real vault process and a real keyring, over the real pipe: what the window does, without the window."""
    real = open_secret_keeper(read_unverified_header(bound.directory / HEADER_NAME).vault_id)
    bound.into_keyring(real)
    bound.clock.added_us = 0
    first, second = holder_files(tmp_path, 1, 2)
    desk = VaultProcess(bound.directory)
    try:
        desk.told(Opened)
        with refused("premises.unreachable") as told:
            desk.ask(Session.station)
        assert told.value.facts["recovery_threshold"] == 2
        assert told.value.facts["recorded"] == 1
        with refused("recovery.not-recognised"):
            desk.ask(Recovery.give, first, Secret(b"granite window"))
        assert desk.ask(Recovery.give, first, Secret(PASSPHRASE.encode())).names == ("post 1",)
        with refused("recovery.too-few"):
            desk.ask(Recovery.open, 8)
        assert desk.ask(Recovery.give, second, Secret(PASSPHRASE.encode())).names == ("post 1", "post 2")
        assert desk.ask(Recovery.open, 8).report_no
        with refused("premises.unreachable"):
            desk.ask(Session.station)  # what they opened, a fresh process opens
    finally:
        desk.close()
    fresh = VaultProcess(bound.directory)
    try:
        fresh.told(Opened)
        assert fresh.ask(Session.station).founded
        with pytest.raises(VaultError, match=r"^wire\.unknown-operation"):
            fresh.ask(Recovery.slot)  # an open vault serves no holders
    finally:
        fresh.close()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("secret_service")
def test_by_keys_in_the_real_window(bound: Station, tmp_path: Path) -> None:
    """The real desk in front of a dead key server: one holder and away, then two, then the sign-in; by the keyboard alone."""
    real = open_secret_keeper(read_unverified_header(bound.directory / HEADER_NAME).vault_id)
    bound.into_keyring(real)
    bound.clock.added_us = 0
    bound.close()
    first, second = holder_files(tmp_path, 0, 2)
    desk = DeskDriver(bound.directory)

    def press(key: str, *wanted: str) -> None:
        desk.wait(*wanted, since=desk.key(key), seconds=90)
        desk.settle()

    def give(path: str, *wanted: str) -> None:
        desk.type(path)
        press("Return", "focus holders_passphrase")
        desk.type(PASSPHRASE)
        press("Return", *wanted)

    try:
        desk.wait("show cannot_open", seconds=90)
        desk.focus_window()
        desk.wait("focus cannot_open_act", since=0)
        desk.settle()
        press("shift+Tab", "focus cannot_open_holders")
        press("Return", "focus holders_file")
        give(first, "focus holders_file")
        process = desk.vault_pid()
        press("Escape", "show cannot_open")
        deadline = time.monotonic() + 90
        while sum("cannot open" in one for one in desk.stray) < 2 or desk.steps[-1].name != "cannot_open_act":
            assert time.monotonic() < deadline, desk.steps[-5:]  # it is tried again, and neither verb can be pressed meanwhile
            desk.settle()
        assert not Path(f"/proc/{process}").exists(), "the process that held a holder's key is gone"
        press("shift+Tab", "focus cannot_open_holders")
        press("Return", "focus holders_file")
        give(first, "focus holders_file")
        give(second, "focus holders_hours")
        press("Return", "focus holders_onward")
        press("Return", "focus sign_in_badge")
        desk.settle(1.0)
        assert not [one for one in desk.stray if PASSPHRASE in one]
    finally:
        desk.close()
    bound.keeper = real  # type: ignore[assignment]
    assert opening(bound) == "opens"
    [entry] = entries(bound, AuditKind.RECOVERY_OPENED)
    assert entry["holders"] == " ".join(one.thumbprint for one in holders(0, 2))


# ---- the command line ------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_holders_file_is_written_once_and_for_its_owner(tmp_path: Path) -> None:
    line, file = CommandLine({}, tmp_path / "vault"), tmp_path / "holder.key"
    passphrase = "granite window orchard"
    made = line.run("recovery", "holder", "--name", "badge 4001", str(file), answers=f"{passphrase}\n{passphrase}\n")
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = HolderPublic.decode(made.stdout)
    assert public.label == "badge 4001"
    assert public.thumbprint in made.stdout
    assert open_holder_file(file.read_bytes(), Secret(passphrase.encode())).public.kem == public.kem
    before = file.read_bytes()
    again = line.run("recovery", "holder", "--name", "badge 4001", str(file), answers=f"{passphrase}\n{passphrase}\n")
    assert again.returncode == 1
    assert "cannot be used" in again.stderr
    assert file.read_bytes() == before
    short = line.run("recovery", "holder", "--name", "badge 4001", str(tmp_path / "other"), answers="short\nshort\n")
    assert short.returncode == 1
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_by_the_command_line_with_a_real_keyring(secret_service: PrivateSecretService, tmp_path: Path) -> None:
    key_room = TangServer(tmp_path / "key-room")
    line, vault = CommandLine(secret_service.environment, tmp_path / "vault"), str(tmp_path / "vault")
    answers = partial(line.signs_in, line.station())
    where = ("--name", "key room", "--url", key_room.url, "--thumbprint", key_room.thumbprint())
    added = line.run("premises", "--vault", vault, "add", *where, answers=answers(ADMINISTRATOR))
    assert added.returncode == 0, added.stderr
    passphrase = Secret(b"granite window orchard")
    files, publics = [], []
    for number in range(3):
        content, public = make_holder_file(f"post {number}", passphrase, CHEAP)
        files.append(tmp_path / f"{number}.key")
        publics.append(tmp_path / f"{number}.pub")
        files[-1].write_bytes(content)
        publics[-1].write_text(public.encode() + "\n")
    both = answers(ADMINISTRATOR) + answers(SUPERVISOR)
    enrolled = line.run("recovery", "enrol", "--vault", vault, "--threshold", "2", *map(str, publics), answers=both)
    assert enrolled.returncode == 0, enrolled.stderr
    assert "post 2" in enrolled.stdout
    key_room.close()
    shut = line.run("verify", vault)
    assert shut.returncode == 1, shut.stdout
    assert "Not on station premises" in shut.stderr
    attempts = [
        ((0,), "granite window orchard\n", "Too few holders"),
        ((0, 0), "granite window orchard\n" * 2, "Too few holders"),
        ((0, 1), "granite window orchard\ngranite window orchards\n", "not recognised"),
    ]
    for there, typed, words in attempts:
        tried = line.run("recovery", "open", "--vault", vault, *(str(files[number]) for number in there), answers=typed)
        assert tried.returncode == 1, tried.stdout
        assert words in tried.stderr
        assert line.run("verify", vault).returncode == 1
    kinds = [msgspec.json.decode(one.read_bytes())["kind"] for one in sorted((tmp_path / "vault" / "spool").glob("*.report"))]
    assert [one for one in kinds if one == "recovery-refused"] == ["recovery-refused"] * 2, kinds  # a cause is one report
    opened = line.run("recovery", "open", "--vault", vault, str(files[2]), str(files[0]), answers="granite window orchard\n" * 2)
    assert opened.returncode == 0, opened.stderr
    assert "breach report" in opened.stdout
    assert line.run("verify", vault).returncode == 0
    nobody = line.run("premises", "--vault", vault, "list", answers="granite window orchard\ngranite window orchard\n000000\n")
    assert nobody.returncode == 1, "a person signs in with passphrase and code, as ever"
    listed = line.run("premises", "--vault", vault, "list", answers=answers(ADMINISTRATOR))
    assert listed.returncode == 0, listed.stderr
    assert "key room" in listed.stdout
