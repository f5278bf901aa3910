"""Desk and sentinel are killed two hundred times while somebody opens and copies the vault: no report is lost, none doubled.

Real vault processes and sentinels over real files, with a real keyring and a real `tangd`. What a report is held to:

- acknowledged by the vault: its event arrived at the pipe, or its call was answered; acknowledged by the spool: its file was seen;
- an acknowledged report is in the supervisors' queue, and the trail recorded it once; the trail joined to it what was told as joined;
- a number of the spool is taken in once, and none is missing; nobody tampered, so that nobody is said to have;
- every desk that was killed with a case file out is told of once, whoever comes to its mark first;
- a copy is told of once by the sentinel. The desk, killed between the commit and its own note of it, may tell of it again.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.conftest import OFFICER
from tests.driven import DRIVEN_POLICY
from tests.inotify_watch import watches
from tests.secret_service import PrivateSecretService
from tests.station import ADMINISTRATOR, SUPERVISOR, RealEntropy, Station
from tests.tang import TangServer
from tests.vault_process import PATIENCE_SECONDS, ProcessEndedError, VaultProcess
from vault.domain.audit import AuditKind
from vault.domain.breach import SignalKind
from vault.domain.custody import Purpose
from vault.domain.identity import BreachId, Role
from vault.errors import VaultError
from vault.platform.secret_service import open_secret_keeper
from vault.services.breach import Breaches
from vault.services.events import BreachRecorded, Opened
from vault.services.ports import AuditFilter, MetServer
from vault.spooling import Spooling
from vault.storage.desk_mark import DeskState, leave_mark, read_mark
from vault.storage.files import REGISTER_NAME
from vault.storage.spool import FOLDER_NAME

KILLS, STATIONS = 200, 4
SEED = 20261122
_AGO_US = 7200 * 1_000_000
_MOST_DESKS_A_SENTINEL = 6  # of a kind a sentinel tells eight in ten minutes, and no more
_LOOT_BYTES = 64 * 1024
_ENTRIES_MOST = 10_000


@dataclass
class Beset:
    """One station, those who watch it, and whoever does not leave it alone."""

    station: Station
    folder: Path  # watched for copies
    key_room: TangServer
    chance: random.Random
    desk: VaultProcess | None = None
    sentinel: subprocess.Popen[bytes] | None = None
    told: list[BreachId] = field(default_factory=list)  # by the vault, one for each signal
    spooled: dict[str, str] = field(default_factory=dict)  # file -> the report's id
    killed_with_a_case_out: list[int] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    answered: list[str] = field(default_factory=list)  # the turns whose report was answered
    acts: int = 0
    _desks_of_sentinel: int = 0
    _leaving: threading.Event = field(default_factory=threading.Event)

    # -- what is killed ----------------------------------------------------------------------------------------------------------

    def play(self, kills: int) -> None:
        """Kill until there were enough of them, then let everything come to rest."""
        others = [threading.Thread(target=work) for work in (self._beset, self._look)]
        for one in others:
            one.start()
        try:
            while sum(self.kills.values()) < kills:
                self._turn()
        finally:
            self._leaving.set()
            for one in others:
                one.join()
        self._rest()

    def _turn(self) -> None:
        chance = self.chance
        if chance.random() < 0.7:  # otherwise a killed one is not there yet, and the next desk comes first
            self._start_sentinel()
        away = self.desk is None and chance.random() < 0.2
        if away:
            self.key_room.close()
        if self.desk is None and (away or chance.random() < 0.8):
            self.desk = VaultProcess(self.station.directory)
            if chance.random() < 0.5:
                if away:
                    self.desk.told(Opened)  # it answers, that it cannot be opened; its report is sealed
                else:
                    self._until_watching()
        time.sleep(chance.uniform(0, 1.2))
        self._report()
        time.sleep(chance.uniform(0, 0.2))
        act = chance.random()
        if self.desk is not None and act < 0.1:
            self._end_desk(killed=False)
        elif self.desk is not None and act < 0.75 and self._desks_of_sentinel < _MOST_DESKS_A_SENTINEL:
            self._end_desk(killed=True)
        else:
            self._kill_sentinel()
            if self.desk is not None and chance.random() < 0.3:
                self._end_desk(killed=True)  # nobody is left to see it
        if away:
            self._come_back()

    def _end_desk(self, *, killed: bool) -> None:
        desk, self.desk = self.desk, None
        assert desk is not None
        (desk.kill if killed else desk.close)()
        self.told += [one.notice.breach_id for one in desk.events(BreachRecorded)]
        if not killed:
            return
        self.kills["desk"] += 1
        self._desks_of_sentinel += 1
        mark = read_mark(self.station.directory)
        if mark is not None and mark.pid == desk.process.pid and mark.state is DeskState.CASE_OUT:
            self.killed_with_a_case_out.append(mark.pid)

    def _kill_sentinel(self) -> None:
        if self.sentinel is not None:
            self.sentinel.kill()
            self.sentinel.wait()
            self.sentinel = None
            self.kills["sentinel"] += 1
            self._desks_of_sentinel = 0

    def _start_sentinel(self) -> None:
        if self.sentinel is None:
            words = ["--vault", str(self.station.directory), "--patience", "0", "--folder", str(self.folder)]
            self.sentinel = subprocess.Popen([sys.executable, "-m", "vault.sentinel", *words], stderr=subprocess.DEVNULL)

    def _until_watching(self) -> None:
        desk = self.desk
        assert desk is not None
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and desk.process.poll() is None:
            mark = read_mark(self.station.directory)
            if mark is not None and mark.pid == desk.process.pid:
                return
            time.sleep(0.02)

    def _come_back(self) -> None:
        self.key_room = TangServer(self.key_room.keys, port=self.key_room.port)
        if self.desk is not None:  # it opened without its key server, which is served as a refusal and nothing else
            self.desk.close()
            self.desk = None

    def _rest(self) -> None:
        """The sentinel comes to every mark, and a desk takes everything in."""
        if self.desk is not None:
            self._end_desk(killed=False)
        self._start_sentinel()
        self._until(lambda: read_mark(self.station.directory) is None, "the mark is told of")
        assert self.sentinel is not None
        self._until(self._sentinel_watches, "the sentinel watches")
        self.sentinel.terminate()
        assert self.sentinel.wait(PATIENCE_SECONDS) == 0
        self._keep_spooled()
        self.desk = VaultProcess(self.station.directory)
        self.desk.told(Opened)
        self._until(lambda: not self._reports(), "the spool is empty")
        self._end_desk(killed=False)

    def _sentinel_watches(self) -> bool:
        assert self.sentinel is not None
        return watches(self.sentinel.pid, self.station.directory / REGISTER_NAME)

    # -- what goes on meanwhile ------------------------------------------------------------------------------------------------------

    def _beset(self) -> None:
        """Open and copy the vault again and again."""
        chance = random.Random(self.chance.random())
        register = self.station.directory / REGISTER_NAME
        while not self._leaving.wait(chance.uniform(0.2, 1.5)):
            self.acts += 1
            if chance.random() < 0.5:
                with suppress(OSError), register.open("rb") as file:
                    (self.folder / f"holiday-{self.acts}.mkv").write_bytes(file.read(_LOOT_BYTES))
            else:
                reader = subprocess.Popen(["tail", "-c", "16", "-f", str(register)], stdout=subprocess.DEVNULL)
                self._leaving.wait(0.2)
                reader.kill()
                reader.wait()

    def _report(self) -> None:
        """Tell the vault of a copy key, as the interface does."""
        if self.desk is None or not self.desk.events(Opened):
            return
        turn = str(len(self.answered) + 1)
        with suppress(ProcessEndedError, VaultError):  # killed by nobody but us: off the premises it refuses
            self.desk.ask(Breaches.report, SignalKind.COPY_KEY, (("turn", turn),), None, 0, time.time_ns() // 1000)
            self.answered.append(turn)

    def _look(self) -> None:
        while not self._leaving.wait(0.01):
            self._keep_spooled()

    def _keep_spooled(self) -> None:
        for path in self._reports():
            if path.name not in self.spooled:
                with suppress(OSError):
                    self.spooled[path.name] = msgspec.json.decode(path.read_bytes())["breach_id"]

    def _reports(self) -> list[Path]:
        return list((self.station.directory / FOLDER_NAME).glob("*.report"))

    def _until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"waited in vain: {what}"
            time.sleep(0.05)

    def close(self) -> None:
        """End whatever still runs."""
        if self.desk is not None:
            self.desk.close()
        if self.sentinel is not None:
            self.sentinel.kill()
            self.sentinel.wait()
        self.key_room.close()


def founded(folder: Path, number: int) -> Beset:
    """A station two hours old, bound to a key server, with a case file out and its secrets in the real keyring."""
    watched = folder / "watched"
    watched.mkdir(parents=True)
    station = Station(folder / "vault")
    station.clock.added_us = -_AGO_US
    station.found(f"{DRIVEN_POLICY}\ncopies_watched_folders = {json.dumps([str(watched)])}\n")
    station.enrol(OFFICER, "Olu Brandt", Role.OFFICER, "Team A")
    line = station.register_case("2026-000001", "Night", OFFICER)
    station.sign_in(OFFICER)
    station.vault.custody.check_out(line.case_id, Purpose.ASSIGNED, 0, "")
    room = TangServer(folder / "key-room")
    station.sign_in(ADMINISTRATOR)
    station.vault.premises.add(MetServer("key room", room.url), room.thumbprint(), 1)
    station.vault.session.sign_out()
    vault_id = station.vault.world.station.vault_id
    station.close()
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    station.keeper = keeper  # type: ignore[assignment]
    return Beset(station, watched, room, random.Random(SEED + number))


def prove_nothing_lost(beset: Beset) -> Counter[str]:
    """Read the queue as a supervisor does, and the trail; give how many reports of each kind there are."""
    station = beset.station
    station.clock.added_us = station.clock.boot_added_us = 0
    station.sign_in(SUPERVISOR)
    vault = station.vault
    assert vault.witness.verify().holds
    recorded: Counter[str] = Counter()
    joined: Counter[str] = Counter()
    numbers: Counter[int] = Counter()
    kinds = (AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value)
    for entry in vault.store.audit_entries(AuditFilter(kinds=kinds), 0, _ENTRIES_MOST):
        facts = dict(json.loads(entry.facts))
        (recorded if entry.kind == AuditKind.BREACH_RECORDED.value else joined)[facts["breach_id"]] += 1
        if number := int(facts.get("spooled", 0)):
            numbers[number] += 1
    queue = vault.supervision.queue(include_disposed=True)
    views = {line.breach_id: vault.supervision.report(line.breach_id) for line in queue}
    facts_told = [(line.breach_id, one, dict(one.facts)) for line in queue for one in views[line.breach_id].facts]

    assert set(recorded.values()) == {1}, "a report was recorded twice"
    assert set(recorded) == set(views), "the trail and the queue do not say the same"
    for breach_id, count in Counter(beset.told).items():
        assert recorded[breach_id] + joined[breach_id] >= count, "what the vault acknowledged is lost"
    for breach_id in views:
        row = vault.store.breach(breach_id)
        assert row is not None
        assert row.state.count == recorded[breach_id] + joined[breach_id], "a signal is counted and not in the trail, or twice"
    assert set(beset.spooled.values()) <= set(recorded), "a sealed report is lost"
    assert set(numbers.values()) <= {1}, "a sealed report was taken in twice"
    turns = Counter(facts["turn"] for _, _, facts in facts_told if "turn" in facts)
    assert all(turns[one] >= 1 for one in beset.answered), "an answered report is lost"
    killed = Counter(int(facts["pid"]) for _, one, facts in facts_told if one.kind is SignalKind.DESK_KILLED)
    assert killed == Counter(beset.killed_with_a_case_out), "a killed desk is not told of, or twice"
    copies = Counter(facts["copy"] for _, _, facts in facts_told if "copy" in facts and facts.get("seen_by") == "sentinel")
    assert set(copies.values()) <= {1}, "the sentinel told of a copy twice"
    wrong = [facts for _, one, facts in facts_told if one.kind is SignalKind.STORE_TAMPERED]
    assert not wrong, wrong
    station.close()
    return Counter(one.kind.value for _, one, _ in facts_told)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_watchers_killed_two_hundred_times_lose_no_report_and_double_none(tmp_path: Path, secret_service: PrivateSecretService) -> None:
    beset: list[Beset] = []
    try:
        for number in range(STATIONS):
            beset.append(founded(tmp_path / str(number), number))
        with ThreadPoolExecutor(STATIONS) as pool:
            for done in [pool.submit(one.play, KILLS // STATIONS) for one in beset]:
                done.result()
        signals: Counter[str] = sum((prove_nothing_lost(one) for one in beset), Counter())
    finally:
        for one in beset:
            one.close()
    kills: Counter[str] = sum((one.kills for one in beset), Counter())
    sealed = sum(len(one.spooled) for one in beset)
    told = sum(len(one.told) for one in beset)
    print(f"\nkilled {dict(kills)}; acknowledged by the vault {told}, by the spool {sealed}; signals {dict(signals)}")
    for needed in (SignalKind.DESK_KILLED, SignalKind.STORE_OPENED, SignalKind.STORE_COPIED, SignalKind.OFF_PREMISES, SignalKind.COPY_KEY):
        assert signals[needed.value], f"no {needed.value}: nothing was tried"
    assert sum(kills.values()) >= KILLS


def test_a_killed_desk_is_one_report_however_often_it_is_sealed(station: Station) -> None:
    """By the sentinel, by the sentinel after it was killed in turn, and by the next desk."""
    spooling = Spooling(station.directory, lambda _label: station.keeper, station.clock, RealEntropy())
    spooling.take(station.vault)
    leave_mark(station.directory, DeskState.CASE_OUT)
    station.events.clear()
    for _ in range(2):
        assert spooling.seal_killed_desk() is None
    spooling.take(station.vault)
    assert spooling.seal_killed_desk() is None
    spooling.take(station.vault)
    leave_mark(station.directory, DeskState.CASE_OUT)  # by the next desk, which is killed in turn
    assert spooling.seal_killed_desk() is None
    spooling.take(station.vault)
    told = [one.notice.kind for one in station.events if isinstance(one, BreachRecorded)]
    assert told == [SignalKind.DESK_KILLED] * 2
    for state in (DeskState.WATCHING, DeskState.ENDING):
        leave_mark(station.directory, state)
        assert spooling.seal_killed_desk() is None
    assert not list((station.directory / FOLDER_NAME).glob("*.report"))
