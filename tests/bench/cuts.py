"""The premises are cut off from an open vault: how long until the page is told to go, and until the process with the keys has gone.

Rules:

- Vault processes as the desk starts them, somebody signed in, bound to a real `tangd` each. Nothing is stood in for but the desk: its end
  of the pipe is read here, and the page's last way, from that event to black, is `copies` and the drill's.
- A cut comes at a random moment of the interval between two proofs; its kinds go round (`key_rooms.Cut`).
- The clock starts before the cut is begun. It is read when the event that covers the page arrives, when the one arrives that says that the
  session is locked and its report committed, and when the kernel says that the process with the keys is gone.
- Several vaults are cut at once: what else the machine then does is in the numbers.
"""

from __future__ import annotations

import itertools
import random
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.key_rooms import Cut, KeyRoom
from tests.bench.measures import Report, at_most, median, percentile
from tests.bench.stations import WORK, Made
from tests.driven import DRIVEN_POLICY
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station
from tests.vault_process import VaultProcess
from vault.domain.identity import VaultId
from vault.platform.secret_service import open_secret_keeper
from vault.services.events import Ending, Opened, ScreenBlanked
from vault.services.session import Session

_AT_ONCE = 5
_SEED = 20261122
_BEHIND_SECONDS = 1  # the lock may come this much after the lease's end
_FOUNDERS = (ADMINISTRATOR, SUPERVISOR, CUSTODIAN)
_FOUNDING = threading.Lock()  # two Argon2id at once in one process do not get their threads
_AGO_US = 7200 * 1_000_000  # a vault is founded two hours ago, so that nothing in it is later than now


@dataclass(frozen=True, slots=True)
class Pace:
    """A station's policy, and how often it is cut."""

    proof_seconds: int
    lease_seconds: int
    cuts: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One cut: seconds from it to each."""

    how: Cut
    blanked_seconds: float
    locked_seconds: float
    gone_seconds: float


# The shortest the policy allows, so that fifty are affordable; and what the product ships.
PACES = (Pace(3, 10, 50), Pace(10, 30, 10))


def run(report: Report) -> None:
    """Measure it."""
    folder = WORK / "cuts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pace in PACES:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            shares = [pace.cuts // _AT_ONCE + (number < pace.cuts % _AT_ONCE) for number in range(_AT_ONCE)]
            kinds = itertools.cycle(Cut)
            asked = []
            for number, share in enumerate(shares):
                how = [next(kinds) for _ in range(share)]
                asked.append(pool.submit(_played, folder / f"{pace.proof_seconds}-{number}", pace, how, random.Random(_SEED + number)))
            measured = [one for each in asked for one in each.result()]
        _told(report, pace, measured)


def _told(report: Report, pace: Pace, measured: Sequence[Measured]) -> None:
    proof, lease, count = pace.proof_seconds, pace.lease_seconds, len(measured)
    for name, given, limit, samples in (
        (f"from a cut to the covered page, beyond {proof} s: p99", proof, 0, [one.blanked_seconds for one in measured]),
        (f"from a cut to the locked session, beyond {lease} s: p99", lease, _BEHIND_SECONDS, [one.locked_seconds for one in measured]),
        (f"from a cut to the end of the process, beyond {lease} s: p99", lease, _BEHIND_SECONDS, [one.gone_seconds for one in measured]),
    ):
        note = f"median {median(samples):.2f} s, longest {max(samples):.2f} s after the cut"
        report.add("cuts", name, percentile(samples, 99) - given, "s", count, at_most(limit), note)
    for how in Cut:
        ours = [one for one in measured if one.how is how]
        note = f"locked {max(one.locked_seconds for one in ours):.2f} s, gone {max(one.gone_seconds for one in ours):.2f} s, both longest"
        report.add(
            "cuts", f"  {how.value}: longest to the covered page", max(one.blanked_seconds for one in ours), "s", len(ours), note=note
        )


def _played(folder: Path, pace: Pace, how: Sequence[Cut], chance: random.Random) -> list[Measured]:
    folder.mkdir()
    room = KeyRoom(folder / "key-room")
    try:
        with _FOUNDING:
            made = _founded(folder / "vault", pace, room)
        return [_cut(made, room, pace, one, founder, chance) for one, founder in zip(how, itertools.cycle(_FOUNDERS), strict=False)]
    finally:
        room.close()


def _founded(directory: Path, pace: Pace, room: KeyRoom) -> Made:
    policy = f"""{DRIVEN_POLICY}
copies_watched_folders = ["~/Downloads"]
premises_proof_seconds = {pace.proof_seconds}
premises_lease_seconds = {pace.lease_seconds}
"""
    station = Station(directory)
    station.clock.added_us = -_AGO_US
    station.found(policy)
    station.sign_in(ADMINISTRATOR)
    station.vault.premises.add(room.met("key room"), room.thumbprint, 1)
    station.vault.session.sign_out()
    vault_id: VaultId = station.vault.world.station.vault_id
    station.close()
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    return Made(directory, station.secrets, {})


def _cut(made: Made, room: KeyRoom, pace: Pace, how: Cut, founder: str, chance: random.Random) -> Measured:
    vault = VaultProcess(made.directory)
    try:
        vault.told(Opened)
        vault.ask(Session.sign_in, *made.credentials(founder))
        time.sleep(chance.uniform(0, 2 * pace.proof_seconds))
        assert not vault.events(ScreenBlanked), "the page went before the cut"
        began = time.monotonic()
        room.cut(how)
        blanked = vault.told(ScreenBlanked, lambda one: one.blanked)
        locked = vault.told(Ending, lambda one: one.reason == "premises-lost")
        gone = vault.end()
    finally:
        vault.close()
    room.mend()
    return Measured(how, blanked - began, locked - began, gone - began)
