"""What the sensors cost while nothing happens: a vault process that watches, beyond one that does not, in share of a core and in memory.

Rules:

- The process opens a vault through the services, rests, and is measured; then the sensors are started as the vault process starts them,
  with their self-tests and everything they start, and it is measured for `_SECONDS` again. The difference is the sensors'.
- An hour is promised; a minute and a half is measured, with each sensor's self-test of the minute in it. What an idle sensor does, it
  does from a hundred times a second to once a minute, so that the share of a core is that of an hour. CASEVAULT_IDLE_SECONDS=3600 in the
  environment measures the hour itself.
- The X server is the session's; no page is on screen and no case is out.
- What they cost while a page is on screen, and while a large home is searched beside it, is in `watched`.
"""

from __future__ import annotations

import gc
import os
import time
from dataclasses import replace
from pathlib import Path

from tests.bench import stations, watched
from tests.bench.measures import Report, at_most
from vault import platform as system
from vault.assembly import load_policy, open_vault
from vault.domain.breach import Signal
from vault.domain.policy import Policy
from vault.platform.secret_service import open_secret_keeper
from vault.services.page_memory import PageMemory
from vault.threads import InlineThreads
from vault.watching import Watching

_SECONDS = float(os.environ.get("CASEVAULT_IDLE_SECONDS", "90"))
_REST_SECONDS, _STARTING_SECONDS = 10.0, 60.0
_MIB = 1024 * 1024
_FOLDERS = Policy().copies_watched_folders


def run(report: Report) -> None:
    """Measure."""
    _idling(report)
    watched.run(report)


def _idling(report: Report) -> None:
    made = stations.ready("few")
    pages = PageMemory.create()
    clock = system.SystemClock()
    signals: list[Signal] = []
    watching = Watching(made.directory, clock, signals.append, lambda _reason: None, lambda _event: None)
    vault = open_vault(
        made.directory,
        open_secret_keeper,
        clock,
        system.SystemEntropy(),
        load_policy(),
        InlineThreads(),
        lambda _event: None,
        pages,
        watching.own_open,
    )
    # /tmp is left out: what else this machine writes there while it is measured would be read, and counted.
    vault.world.policy = replace(vault.world.policy, copies_watched_folders=tuple(one for one in _FOLDERS if one != "/tmp"))
    try:
        before_share, before_bytes = _idle(_REST_SECONDS)
        watching.start(vault, lambda: None)
        deadline = time.monotonic() + _STARTING_SECONDS
        while any(one.reason == "starting" for one in watching.statuses(vault) if one.protection.value == "store-access"):
            assert time.monotonic() < deadline, "the sensors start"
            time.sleep(0.1)
        _idle(_REST_SECONDS)  # what is done once at the start is not idling
        share, size = _idle(_SECONDS)
        watching.stop()
    finally:
        vault.close()
        pages.close()
    seconds = f"over {_SECONDS:g} s, one self-test of each included"
    report.add("sensors", "sensors idle, share of a core", 100 * (share - before_share), "%", 1, at_most(1), seconds)
    report.add("sensors", "sensors idle, memory", (size - before_bytes) / _MIB, "MiB", 1, at_most(60), seconds)
    report.add("sensors", "signals while idle", len(signals), "", 1, at_most(0))


def _idle(seconds: float) -> tuple[float, int]:
    """Rest; the share of a core used meanwhile (children that ended included), and the resident bytes at the end."""
    gc.collect()
    began, used = time.monotonic(), _used_seconds()
    while time.monotonic() - began < seconds:
        time.sleep(min(1.0, seconds))
    return (_used_seconds() - used) / (time.monotonic() - began), _resident_bytes()


def _used_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
