"""A founding that is killed half done, and two at one folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.crew import refused
from tests.station import ADMINISTRATOR, CHEAP, CUSTODIAN, SUPERVISOR, RealEntropy, Station, passphrase_of
from vault import assembly
from vault.assembly import CONTENT_NAME, REGISTER_NAME, NewGround, found_vault, holds_a_vault
from vault.services.founding import Founding
from vault.services.views import Founder
from vault.storage.header import HEADER_NAME

# Killed where the databases are whole and the header is about to be written: the last moment of the long part of a founding.
_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.station import Station
from vault import assembly
assembly.write_header = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Station(Path(sys.argv[1])).found()
"""


def test_a_founding_killed_half_done_leaves_ground_to_found_on(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(folder)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not holds_a_vault(folder), "the desk offers founding"
    station = Station(folder).found()
    station.sign_in(SUPERVISOR)
    station.close()
    assert {one.name for one in folder.iterdir()} >= {HEADER_NAME, REGISTER_NAME, CONTENT_NAME}
    assert [one for one in folder.iterdir() if one.is_dir()] == [], "nothing is left of the first"


# Killed while its founders scan: the vault is whole, and nobody has a code to enter it with.
_LEFT = """
import os, signal, sys
from pathlib import Path
from tests.faults.test_founding import founders, ground_at
from tests.station import Station
station = Station(Path(sys.argv[1]))
ground_at(station).build("Northgate", founders())
os.kill(os.getpid(), signal.SIGKILL)
"""


def founders() -> tuple[Founder, Founder, Founder]:
    return (
        Founder(ADMINISTRATOR, "Ada Marsh", passphrase_of(ADMINISTRATOR)),
        Founder(SUPERVISOR, "Sven Okafor", passphrase_of(SUPERVISOR)),
        Founder(CUSTODIAN, "Clara Reyes", passphrase_of(CUSTODIAN)),
    )


def ground_at(station: Station, founded: Callable[[], None] = lambda: None) -> NewGround:
    return NewGround(station.directory, lambda _vault_id: station.keeper, station.clock, RealEntropy(), founded, CHEAP)


def test_a_founding_left_before_the_codes_were_scanned_has_founded_nothing_and_is_begun_again(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    ended = subprocess.run([sys.executable, "-c", _LEFT, str(folder)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not holds_a_vault(folder)
    station, opened = Station(folder), []
    founding = Founding(ground_at(station, lambda: opened.append(holds_a_vault(folder))))
    assert founding.station().unfinished, "and the first run says so"
    with refused("founding.unfinished"):
        founding.complete()  # as a desk does whose vault process was another one meanwhile
    abandoned = founding.found("Northgate", *founders())
    assert not founding.station().unfinished
    with refused("vault.already-open"):
        Station(folder).found()
    made = founding.found("Northgate", *founders())  # begun once more: what was shown before is dead
    assert {one.person_id for one in made}.isdisjoint(one.person_id for one in abandoned)
    assert opened == []
    founding.complete()
    assert opened == [True]
    for one in made:
        station.remember(one)
    station.sign_in(SUPERVISOR)
    station.close()
    assert [one for one in folder.iterdir() if one.is_dir()] == [], "nothing is left of the others"


def test_a_vault_whose_codes_could_not_be_shown_is_not_founded(tmp_path: Path) -> None:
    station = Station(tmp_path / "vault")

    def closed(_enrolments: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        found_vault(
            station.directory, "Northgate", founders(), lambda _id: station.keeper, station.clock, RealEntropy(), CHEAP, show=closed
        )
    assert [one.name for one in station.directory.iterdir() if one.name != assembly.LOCK_NAME] == []
    assert station.keeper._values == {}


def test_a_second_founding_at_the_same_time_is_refused_and_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "_OTHERS_END_SECONDS", 0.0)
    write_header = assembly.write_header

    def with_another(*header: object) -> None:
        with refused("vault.already-open"):
            Station(tmp_path / "vault").found()
        write_header(*header)  # type: ignore[arg-type]

    monkeypatch.setattr(assembly, "write_header", with_another)
    station = Station(tmp_path / "vault").found()
    monkeypatch.undo()
    with refused("founding.already"):
        Station(tmp_path / "vault").found()
    station.sign_in(SUPERVISOR)
    station.close()


def test_what_a_failed_founding_made_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "write_header", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    station = Station(tmp_path / "vault")
    with pytest.raises(KeyboardInterrupt):
        station.found()
    assert [one.name for one in station.directory.iterdir() if one.name != assembly.LOCK_NAME] == []
    assert station.keeper._values == {}
