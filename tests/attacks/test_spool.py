"""The sealed spool against somebody who writes into its folder: what was sealed is taken in, and what was done to it is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.fakes import MemorySecretKeeper
from tests.station import SUPERVISOR, RealEntropy, Station, spooling
from vault.domain.breach import JOINING_WINDOW_US, Finding, SignalKind, TriageState
from vault.domain.identity import BreachId
from vault.errors import UnavailableError
from vault.services.events import BreachRecorded
from vault.spooling import Spooling
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.storage.spool import FOLDER_NAME

AWAY, FALSE_SERVER = "premises.unreachable", "premises.wrong-answer"
FOREVER_US = 300_000_000_000_000_000  # beyond year 9999


def sealed(station: Station) -> Path:
    """Open once, then have two reports sealed; give their folder."""
    spooling(station).take(station.vault)
    for code in (AWAY, FALSE_SERVER):
        assert spooling(station).note(UnavailableError(code))
    station.events.clear()
    return station.directory / FOLDER_NAME


def told(station: Station) -> list[str]:
    """Take in what waits, twice; the codes of what supervisors then read."""
    for _ in range(2):
        spooling(station).take(station.vault)
    return codes_told(station)


def codes_told(station: Station) -> list[str]:
    station.sign_in(SUPERVISOR)
    notices = [one.notice for one in station.events if isinstance(one, BreachRecorded)]
    views = [station.vault.supervision.report(one) for one in dict.fromkeys(one.breach_id for one in notices)]
    return sorted(dict(fact.facts)["code"] for view in views for fact in view.facts)


def change(path: Path, **fields: object) -> None:
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **fields}))


def _forestalled(folder: Path) -> None:
    change(folder / "00000001.report", breach_id=msgspec.json.decode((folder / "00000002.report").read_bytes())["breach_id"])


def _last_number(folder: Path) -> None:
    shutil.copy(folder / "00000001.report", folder / "99999999.report")


ATTACKS: list[tuple[str, Callable[[Path], object], list[str]]] = [
    # what is done -> the codes of what supervisors read
    ("nothing", lambda _: None, [AWAY, FALSE_SERVER]),
    (
        "the first is dated beyond the calendar",
        lambda d: change(d / "00000001.report", observed_us=FOREVER_US),
        [FALSE_SERVER, "spool.damaged"],
    ),
    ("the first gets a lesser kind", lambda d: change(d / "00000001.report", kind="copy-key"), [FALSE_SERVER, "spool.damaged"]),
    ("the last is put over the first", lambda d: (d / "00000002.report").replace(d / "00000001.report"), ["spool.damaged", "spool.gap"]),
    ("the last's id is taken before it", _forestalled, [FALSE_SERVER, "spool.damaged"]),
    ("the first has a twin of the last number", _last_number, [AWAY, FALSE_SERVER, "spool.damaged"]),
]


@pytest.mark.parametrize(("attack", "codes"), [one[1:] for one in ATTACKS], ids=[one[0] for one in ATTACKS])
def test_no_file_keeps_another_from_being_taken_in(station: Station, attack: Callable[[Path], object], codes: list[str]) -> None:
    attack(sealed(station))
    assert told(station) == sorted(codes)


def test_a_report_that_cannot_be_recorded_is_put_aside_and_told(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sealed(station)
    record = station.vault.breaches.record_spooled

    def no_first(*arguments: object) -> bool:
        if arguments[-1] == 1:
            raise ValueError
        return record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(station.vault.breaches, "record_spooled", no_first)
    assert told(station) == [FALSE_SERVER, "spool.damaged"]
    assert [one.name for one in folder.iterdir()] == ["00000001.damaged"]
    assert [one.notice.kind for one in station.events if isinstance(one, BreachRecorded)] == [
        SignalKind.OFF_PREMISES,
        SignalKind.STORE_TAMPERED,
    ]


@pytest.mark.parametrize("ours", [False, True], ids=["not sealed", "sealed, and no facts"])
def test_a_report_whose_facts_are_none_is_seen_and_closed(station: Station, ours: bool) -> None:
    """As they may be in a vault from before the tags, and where there is no keyring."""
    world, breach_id = station.vault.world, BreachId(RealEntropy().token())
    facts = world.seal_to_supervisors(b"no facts", "facts", breach_id) if ours else b"nothing sealed"
    station.vault.breaches.record_spooled(breach_id, SignalKind.OFF_PREMISES, world.clock.now_us(), facts, 1)
    station.sign_in(SUPERVISOR)
    supervision = station.vault.supervision
    for view in (supervision.report(breach_id), supervision.acknowledge(breach_id), supervision.own(breach_id)):
        [fact] = view.facts
        assert (fact.kind, fact.facts) == (SignalKind.OFF_PREMISES, (("code", "sealing.not-authentic"),))
    closed = supervision.dispose(breach_id, Finding.FALSE_POSITIVE, "a file that nobody here made")
    assert closed.line.state is TriageState.DISPOSED


class Keyring:
    """A keyring that tells labels apart, as the real one does."""

    def __init__(self) -> None:
        self.kept: dict[str, MemorySecretKeeper] = {}

    def __call__(self, label: str) -> MemorySecretKeeper:
        return self.kept.setdefault(label, MemorySecretKeeper())


def at(station: Station, keyring: Keyring) -> Spooling:
    return Spooling(station.directory, keyring, station.clock, RealEntropy())


def move(station: Station, name: str) -> Path:
    station.close()
    station.directory = station.directory.rename(station.directory.with_name(name))
    return station.directory / FOLDER_NAME


def read(station: Station, keyring: Keyring) -> list[str]:
    """Take in what waits; the codes of what supervisors then read for the first time."""
    station.events.clear()
    for _ in range(2):
        at(station, keyring).take(station.vault)
    return codes_told(station)


def test_a_folder_that_was_moved_is_told_of_and_counts_on(station: Station) -> None:
    keyring = Keyring()
    assert read(station, keyring) == []
    for code in (AWAY, FALSE_SERVER):
        assert at(station, keyring).note(UnavailableError(code))
    (move(station, "elsewhere") / "00000001.report").unlink()
    assert at(station, keyring).note(UnavailableError(AWAY)), "before it opens at the new place"
    assert sorted(one.name for one in (station.directory / FOLDER_NAME).iterdir()) == ["00000002.report", "00000003.report"]
    assert read(station, keyring) == [AWAY, FALSE_SERVER, "spool.gap", "spool.moved"]
    assert read(station, keyring) == []
    station.clock.step(JOINING_WINDOW_US // 1_000_000 + 1)
    assert at(station, keyring).note(UnavailableError(AWAY))
    (move(station, "vault") / "00000004.report").unlink()
    assert at(station, keyring).note(UnavailableError(FALSE_SERVER))
    assert read(station, keyring) == [FALSE_SERVER, "spool.gap", "spool.moved"], "back where it was"


@pytest.mark.parametrize("is_first_gone", [False, True])
def test_what_was_sealed_where_the_folder_lay_under_another_vaults_name_is_taken_in(station: Station, *, is_first_gone: bool) -> None:
    keyring = Keyring()
    assert read(station, keyring) == []
    assert at(station, keyring).note(UnavailableError(AWAY))
    folder = move(station, "elsewhere")
    kept = (station.directory / HEADER_NAME).read_bytes()
    vault_id = read_unverified_header(station.directory / HEADER_NAME).vault_id
    (station.directory / HEADER_NAME).write_bytes(kept.replace(vault_id.encode(), vault_id[::-1].encode()))
    if is_first_gone:
        (folder / "00000001.report").unlink()
    assert at(station, keyring).note(UnavailableError(FALSE_SERVER))
    (station.directory / HEADER_NAME).write_bytes(kept)
    assert read(station, keyring) == [*([FALSE_SERVER, "spool.gap"] if is_first_gone else [AWAY, FALSE_SERVER]), "spool.moved"]
    assert read(station, keyring) == []
