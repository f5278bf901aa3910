"""What captures are tried on: a desk with a page on it, and a session of Wayland."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from tests.screen import MARK, SIZE, Screen
from tests.station import CUSTODIAN, Station
from vault.domain.casefile import Marking
from vault.domain.identity import Role
from vault.platform.secret_service import open_secret_keeper
from vault.services.views import FileState

ROOT = Path(__file__).resolve().parents[2]
OFFICER = "2001"
PATIENCE_SECONDS = 60.0


@contextmanager
def wayland_session(folder: Path) -> Iterator[dict[str, str]]:
    """Run a compositor without a screen, and its X server: the variables of a program in that session. It refuses to be root's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config, told = folder / "config", folder / "told"
    said = (
        f"xhost +si:localuser:root >/dev/null && env -0 >'{told}.new' && mv '{told}.new' '{told}'"  # root tests; the session is not root's
    )
    config.write_text(f"xwayland force\noutput * resolution {SIZE[0]}x{SIZE[1]}\nexec {said}\n")
    headless = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1", "XDG_RUNTIME_DIR": str(folder)}
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY")}
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    with (folder / "log").open("wb") as log:
        compositor = subprocess.Popen(["sway", "--config", config], env={**kept, **headless}, stdout=log, stderr=log, **account)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not told.exists():
                assert compositor.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.02)
            yield dict(one.split("=", 1) for one in told.read_text().split("\0") if "=" in one)
        finally:
            compositor.terminate()
            compositor.wait()


def found(folder: Path) -> tuple[Path, dict[str, str]]:
    """A station with one case of one marked page, its secrets in this session's keyring: (the vault, second factors)."""
    folder.mkdir(parents=True, exist_ok=True)
    paper = folder / "statement.png"
    Image.new("RGB", (900, 1200), MARK).save(paper)
    station = Station(folder / "vault")
    station.clock.added_us = -7200 * 1_000_000
    station.found()
    station.enrol(OFFICER, "Ona Sterling", Role.OFFICER, "Team A")
    station.sign_in(CUSTODIAN)
    vault = station.vault
    unit = next(one for one in vault.register.units() if one.name == "Team A")
    case = vault.register.register_case(
        "2026-000001", "A burglary", "burglary", OFFICER, unit.unit_id, Marking.OFFICIAL, ("Maja Lindqvist",), ()
    )
    (file,) = vault.intake.status(vault.intake.start(case.case_id, (str(paper),)).intake_no).files
    assert file.state is FileState.DONE, file
    vault_id = vault.world.station.vault_id
    vault.session.sign_out()
    station.close()
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    return station.directory, station.secrets


class CapturedDesk:
    """A running `captured_desk`."""

    def __init__(self, vault: Path, second_factors: dict[str, str], on: Screen) -> None:
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.heard: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.attacks.captured_desk", str(vault), OFFICER],
            env={**os.environ, **on.environment, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        self._say(json.dumps(second_factors))
        self.wait(lambda one: "ready" in one)

    def show(self) -> dict[str, Any]:
        """Have a page on the screen: what was answered."""
        self._say("show")
        return self.wait(lambda one: "shown" in one)

    def wait(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for a line that is wanted; what comes before it is in `heard`."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                one = self._told.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not told within {seconds} s; heard {self.heard[-8:]}") from None
            self.heard.append(one)
            if wanted(one):
                return one

    def quiet(self, seconds: float) -> list[dict[str, Any]]:
        """Listen for a while: what was told."""
        start = len(self.heard)
        with suppress(AssertionError):
            self.wait(lambda _one: False, seconds)
        return self.heard[start:]

    def close(self) -> None:
        """End it."""
        with suppress(BrokenPipeError):
            self._say("end")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listening.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self._told.put(json.loads(line))
