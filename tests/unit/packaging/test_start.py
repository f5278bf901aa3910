"""What the launcher starts: the command line on the installed vault, and on no other, whatever the caller's words are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from vault.storage.header import HEADER_NAME

ROOT = Path(__file__).resolve().parents[3]

WORDS = [
    # what an officer types, {0} being a vault of their own; the launcher lends the group that reads the station's for it
    ["premises", "list", "--vault", "{0}"],
    ["intake", "--vault", "{0}", "--case", "N", "--", "letter.txt"],
    ["verify", "{0}"],
    ["sentinel", "--vault", "{0}"],
]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The installed program's folder, as `packaging/install.sh` lays it out."""
    made = tmp_path / "app"
    made.mkdir()
    shutil.copy(ROOT / "packaging" / "start.py", made)
    for name in ("vault", "ui", "resources"):
        (made / name).symlink_to(ROOT / name)
    (made / "packages").symlink_to(sysconfig.get_path("purelib"))
    return made


@pytest.mark.slow
def test_a_vault_of_the_callers_own_is_not_opened(installed: Path, tmp_path: Path) -> None:
    own, station = tmp_path / "own", tmp_path / "station"
    for folder in (own, station):
        folder.mkdir()
    (own / HEADER_NAME).write_text("{}")
    running = []
    for words in WORDS:
        said = [one.format(own) for one in words]
        command = [sys.executable, "-I", "-S", "-B", str(installed / "start.py"), str(station), *said]
        started = subprocess.Popen(
            command, cwd="/", env={**os.environ, "HOME": str(tmp_path)}, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        running.append((words, started))
    for words, started in running:
        try:
            _, told = started.communicate(timeout=10 if words[0] == "sentinel" else 60)
        except subprocess.TimeoutExpired:  # a sentinel waits for its vault
            started.terminate()
            _, told = started.communicate(timeout=30)
        assert str(own) not in told, words
        assert str(station) in told, (words, told)
    assert [one.name for one in own.iterdir()] == [HEADER_NAME], "nobody locked it, and nobody watches it"


def test_the_desk_opens_on_the_installed_vault_whatever_folder_is_said(installed: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for words in (["run", "--vault", str(own)], ["run", f"--vault={own}"], ["run", "--steps", f"--va={own}"]):
        command = [sys.executable, "-I", "-S", "-B", str(installed / "start.py"), str(tmp_path / "station"), *words]
        hostile = {"HOME": str(tmp_path), "LD_LIBRARY_PATH": "/nowhere"}  # has it begin anew, with what it made of the words
        started = subprocess.Popen(command, cwd="/", env={**clean, **hostile}, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while "libQt6Widgets" not in Path(f"/proc/{started.pid}/maps").read_text():
            assert time.monotonic() < deadline
            assert started.poll() is None, started.communicate()[1]
            time.sleep(0.02)
        runs = Path(f"/proc/{started.pid}/cmdline").read_bytes().decode()
        started.kill()
        started.communicate(timeout=30)
        assert {"-I", str(tmp_path / "station")} < set(runs.split("\0"))
        assert str(own) not in runs, words
    assert not list(own.iterdir())
