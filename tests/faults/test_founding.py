"""A founding that is killed half done, and two at one folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.crew import refused
from tests.station import SUPERVISOR, Station
from vault import assembly
from vault.assembly import CONTENT_NAME, REGISTER_NAME, holds_a_vault
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
