"""What the sentinel costs: the process a login starts, while no desk is open and beside one that is, in share of a core and in memory.

Rules:

- The real process, over a vault as it is founded, its secrets in the session's keyring; the desk is a real vault process without anybody.
- It watches a folder of its own for copies: what else this machine writes in /tmp would be read, and counted.
- All day is promised; each is measured for a minute and a half, or as long as CASEVAULT_IDLE_SECONDS says, once what is done at a start
  is done. Its self-tests are ten minutes apart: 600 has one of each sensor in it.
- Nothing happens to the vault meanwhile, so nothing may be sealed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.measures import Report, at_most
from tests.bench.stations import ROOT, WORK
from tests.inotify_watch import watches
from tests.station import Station
from tests.vault_process import VaultProcess
from vault.platform.secret_service import open_secret_keeper
from vault.storage.desk_mark import read_mark
from vault.storage.files import REGISTER_NAME
from vault.storage.spool import FOLDER_NAME

_SECONDS = float(os.environ.get("CASEVAULT_IDLE_SECONDS", "90"))
_SETTLED_SECONDS, _PATIENCE_SECONDS = 5.0, 60.0
_MEGABYTE, _KIB = 1_000_000, 1024
_AGO_US = 7200 * 1_000_000  # a vault is founded two hours ago, so that nothing in it is later than now


def run(report: Report) -> None:
    """Measure."""
    folder = WORK / "sentinel"
    shutil.rmtree(folder, ignore_errors=True)
    downloads = folder / "Downloads"
    downloads.mkdir(parents=True)
    vault = _founded(folder / "vault")
    words = ["--vault", str(vault), "--patience", "0", "--folder", str(downloads)]
    sentinel = subprocess.Popen([sys.executable, "-m", "vault.sentinel", *words], cwd=ROOT)
    try:
        _until(lambda: all(watches(sentinel.pid, one) for one in (vault / REGISTER_NAME, downloads)), "the sentinel watches")
        alone = _share(sentinel.pid)
        desk = VaultProcess(vault)
        try:
            _until(lambda: read_mark(vault) is not None, "the desk's sensors watch")
            beside = _share(sentinel.pid)
        finally:
            desk.close()
        _until(lambda: read_mark(vault) is None, "the desk has ended")
        time.sleep(_SETTLED_SECONDS)
        peak_bytes = _peak_bytes(sentinel.pid)
    finally:
        sentinel.terminate()
        sentinel.wait()
    sealed = len(list((vault / FOLDER_NAME).glob("*.report")))
    seconds = f"over {_SECONDS:g} s"
    report.add("sentinel", "sentinel, no desk open, share of a core", 100 * alone, "%", 1, at_most(0.5), seconds)
    report.add("sentinel", "sentinel beside an open desk, share of a core", 100 * beside, "%", 1, at_most(0.5), seconds)
    report.add("sentinel", "sentinel, most memory it had, a hand-over and back included", peak_bytes / _MEGABYTE, "MB", 1, at_most(60))
    report.add("sentinel", "reports while nothing happens", sealed, "", 1, at_most(0))


def _founded(directory: Path) -> Path:
    station = Station(directory)
    station.clock.added_us = -_AGO_US
    station.found()
    vault_id = station.vault.world.station.vault_id
    station.close()
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    return directory


def _share(pid: int) -> float:
    """The share of a core it uses, once it has settled."""
    time.sleep(_SETTLED_SECONDS)
    began, used = time.monotonic(), _used_seconds(pid)
    time.sleep(_SECONDS)
    return (_used_seconds(pid) - used) / (time.monotonic() - began)


def _used_seconds(pid: int) -> float:
    """What the process used of the processor, with the processes it started and that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(int(one) for one in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _peak_bytes(pid: int) -> int:
    """The most memory it had resident at once."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * _KIB


def _until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.05)
