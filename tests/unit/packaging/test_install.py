"""What the installer writes for the login, and what it says of what it leaves behind. The installation itself: tests/attacks."""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vault import sentinel

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "packaging" / "install.sh"
AUTOSTART = "etc/xdg/autostart/casevault-sentinel.desktop"
DROP_IN = "etc/systemd/user/casevault-sentinel.service.d/override.conf"

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root installs")


def run(place: Path, *command: str) -> str:
    """Run a program over places of the test's own; what it said."""
    places = {"PREFIX": "prefix", "VAULT": "vault", "SHARE": "share", "BIN": "bin", "SYSTEM": "system"}
    environment = {**os.environ, **{name: str(place / below) for name, below in places.items()}}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    return done.stderr


def test_uninstalling_says_what_of_the_units_settings_is_the_administrators(tmp_path: Path) -> None:
    assert "administrator" not in run(tmp_path, str(SCRIPT), "uninstall")
    drop_in = tmp_path / "system" / DROP_IN
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nNice=9\n")
    said = run(tmp_path, str(SCRIPT), "uninstall")
    assert "administrator" in said
    assert str(drop_in) in said
    assert drop_in.exists()


def test_the_autostart_entry_starts_nothing_for_the_login_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = tmp_path / "packaging" / "functions.sh"
    functions.parent.mkdir()
    functions.write_text(SCRIPT.read_text().partition("\ncase ")[0] + "\nruns_systemd() { false; }\nplace_sentinel\n")
    run(tmp_path, "bash", str(functions))
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(tmp_path / "system" / AUTOSTART)
    program, command, *arguments = shlex.split(entry["Desktop Entry"]["Exec"])
    assert (program, command) == (str(tmp_path / "bin" / "casevault"), "sentinel")
    for uid in (0, 107, 60_578):  # root, the login screen's of yesterday and of today
        monkeypatch.setattr(os, "getuid", lambda uid=uid: uid)
        sentinel.main(["--vault", str(tmp_path / "vault"), *arguments])  # returns; else it waits for a vault until the test's time is up


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        (0, False),
        (999, False),
        (1000, True),
        (60_000, True),
        (60_513, True),  # a home of systemd-homed's
        (60_578, False),
        (61_184, False),  # a service's, while it runs
        (65_534, False),
        (65_535, False),
        (1_420_600_511, True),  # of a directory
    ],
)
def test_whose_account_a_number_is(uid: int, *, expected: bool) -> None:
    assert sentinel.is_persons(uid) is expected
