"""What the key servers cost whoever opens the vault: bound to one, bound to two of three, and bound to none.

Rules:

- Three copies of one founded vault, opened in turns, A B C A B C; the clock spans `open_vault` and the record of the opening.
- The key servers are the real `tangd` on loopback, each started for a request as systemd starts it, in processes of their own.
- The keyring is in memory: it is asked the same by all three, and is not what is measured.
"""

from __future__ import annotations

import shutil
import time

from tests.bench.key_rooms import KeyRoom
from tests.bench.measures import Report, at_most, interleaved, median, percentile
from tests.bench.stations import WORK
from tests.station import SUPERVISOR, Station

_REPEATS = 40
_SERVERS, _THRESHOLD = 3, 2
_LIMIT_MS = 50


def run(report: Report) -> None:
    """Measure it."""
    folder = WORK / "unlock"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rooms = [KeyRoom(folder / f"key-room-{number}") for number in range(_SERVERS)]
    try:
        none = Station(folder / "none").found()
        none.close()
        one = _bound(none, "one", rooms[:1], 1)
        several = _bound(none, "several", rooms, _THRESHOLD)
        for station in (none, one, several):  # whatever is loaded once
            _opening(station)
        alone, beside_one, beside_several = interleaved(_REPEATS, lambda: _opening(none), lambda: _opening(one), lambda: _opening(several))
    finally:
        for room in rooms:
            room.close()
    report.add("unlock", "opening a vault that is bound to no key server", 1000 * median(alone), "ms", _REPEATS)
    for name, samples in (("one tangd on loopback", beside_one), (f"{_THRESHOLD} of {_SERVERS} tangd on loopback", beside_several)):
        beyond = median(samples) - median(alone)
        note = f"p95 {1000 * (percentile(samples, 95) - median(alone)):.1f} ms"
        report.add("unlock", f"beyond that, bound to {name}", 1000 * beyond, "ms", _REPEATS, at_most(_LIMIT_MS), note)


def _bound(source: Station, name: str, rooms: list[KeyRoom], threshold: int) -> Station:
    station = source.copy_to(source.directory.with_name(name))
    for number, room in enumerate(rooms, 1):
        station.sign_in(SUPERVISOR)  # more rooms than must answer
        station.vault.premises.add(room.met(f"room {number}"), room.thumbprint, min(threshold, number))
    station.vault.session.sign_out()
    station.close()
    return station


def _opening(station: Station) -> float:
    began = time.perf_counter()
    _ = station.vault
    took = time.perf_counter() - began
    station.close()
    return took
