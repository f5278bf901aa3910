"""The sentinel as a process of its own beside real files, a real keyring and a real vault process: what it notices, and what it leaves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tests.conftest import OFFICER
from tests.fakes import MemorySecretKeeper
from tests.inotify_watch import watches
from tests.secret_service import PrivateSecretService
from tests.station import ADMINISTRATOR, SUPERVISOR, RealEntropy, Station
from tests.tang import TangServer
from tests.vault_process import ProcessEndedError, VaultProcess
from vault import platform as system
from vault.crypto.keypairs import generate_key_pair
from vault.domain.breach import Signal, SignalKind
from vault.domain.custody import Purpose
from vault.domain.identity import VaultId
from vault.domain.protection import ProtectionStatus
from vault.platform.secret_service import open_secret_keeper
from vault.sensors import clock
from vault.sensors.copies import CopiesSensor
from vault.sensors.store_access import StoreAccessSensor
from vault.sentinel import DeskLock, Joining, Seen, Sentinel, is_told
from vault.services.events import BreachRecorded, Ending
from vault.services.ports import MetServer
from vault.services.session import Session
from vault.spooling import Spooling
from vault.storage.desk_mark import MARK_NAME, DeskMark, DeskState, leave_mark, read_mark
from vault.storage.files import CONTENT_NAME, LOCK_NAME, REGISTER_NAME
from vault.storage.header import HEADER_NAME, read_unverified_header
from vault.storage.spool import FOLDER_NAME, Spool

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="the sentinel watches with inotify and /proc/locks")]

K = SignalKind
PATIENCE_SECONDS = 40.0
QUIET_SECONDS = 1.5  # for what must not happen: longer than the sentinel takes for what must


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


@dataclass
class Watched:
    """A station whose secrets lie in the session's real keyring, and its sentinel."""

    station: Station
    vault_id: VaultId
    home: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        return self.station.directory

    def start(self, *words: str, patience: float = 0.0) -> None:
        command = [sys.executable, "-m", "vault.sentinel", "--vault", str(self.directory), "--patience", str(patience), *words]
        command += ["--folder", str(self.home / "Downloads")]  # what others do in /tmp is no part of this
        self.process = subprocess.Popen(command)
        until(lambda: self.watches, "the sentinel watches")

    @property
    def watches(self) -> bool:
        """It has an inotify watch of the register, and its first look at the folders is over."""
        assert self.process is not None
        assert self.process.poll() is None, "the sentinel ended"
        downloads = self.home / "Downloads"
        is_begun = (self.directory / ".probe").exists() and downloads.exists()
        return is_begun and watches(self.process.pid, self.directory / REGISTER_NAME) and watches(self.process.pid, downloads)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(PATIENCE_SECONDS) == 0
            self.process = None

    def spooled(self, folder: Path | None = None) -> list[SignalKind]:
        files = sorted(((folder or self.directory) / FOLDER_NAME).glob("*.report"))
        return [SignalKind(msgspec.json.decode(one.read_bytes())["kind"]) for one in files]

    def taken(self) -> list[SignalKind]:
        """Open the vault as a desk does, take in what waits, twice, and close it again: what became reports, in order."""
        self.station.events.clear()
        for _ in range(2):
            Spooling(self.directory, open_secret_keeper, self.station.clock, RealEntropy()).take(self.station.vault)
        self.station.close()
        return [one.notice.kind for one in self.station.events if isinstance(one, BreachRecorded)]

    def marked_by(self, pid: int) -> bool:
        mark = read_mark(self.directory)
        return mark is not None and mark.pid == pid

    @contextmanager
    def desk(self) -> Iterator[VaultProcess]:
        """A real vault process, without an interface to talk to it; its sensors watch. Ended as when the interface ends."""
        desk = VaultProcess(self.directory)
        try:
            until(lambda: bool(desk.ended_at) or self.marked_by(desk.process.pid), "the desk's sensors watch")
            assert not desk.ended_at, "the desk ended"
            yield desk
        finally:
            desk.close()


@pytest.fixture
def watched(station: Station, secret_service: PrivateSecretService) -> Iterator[Watched]:
    vault_id = read_unverified_header(station.directory / HEADER_NAME).vault_id
    secret_service.empty()
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    station.keeper = keeper  # type: ignore[assignment]
    Spooling(station.directory, open_secret_keeper, station.clock, RealEntropy()).take(station.vault)
    assert not station.events, "nothing of an earlier test's vault, of the same id, is told here"
    station.close()
    (secret_service.home / "Downloads").mkdir(exist_ok=True)
    made = Watched(station, vault_id, secret_service.home)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()
    shutil.rmtree(secret_service.home / "Downloads")


def open_with_another_program(path: Path) -> None:
    subprocess.run(["head", "-c", "16", str(path)], check=True, stdout=subprocess.DEVNULL)


# ---- what it notices -------------------------------------------------------------------------------------------------------------------


@pytest.mark.alone
@pytest.mark.slow
def test_what_happens_to_a_closed_vault_is_sealed_in_order_and_becomes_a_report_once(watched: Watched) -> None:
    watched.start()
    register = watched.directory / REGISTER_NAME
    open_with_another_program(register)
    until(lambda: watched.spooled() == [K.STORE_OPENED], "an opening")
    (watched.directory / HEADER_NAME).rename(watched.directory / "elsewhere")
    (watched.directory / "elsewhere").rename(watched.directory / HEADER_NAME)
    until(lambda: K.STORE_CHANGED in watched.spooled(), "a file moved")
    with (watched.directory / CONTENT_NAME).open("rb") as file:
        (watched.home / "Downloads" / "holiday.mkv").write_bytes(b"")  # a name to be looked at again when it is closed
        (watched.home / "Downloads" / "holiday.mkv").write_bytes(file.read())
    until(lambda: K.STORE_COPIED in watched.spooled(), "a copy")
    watched.stop()
    sealed = watched.spooled()
    assert sealed[0] is K.STORE_OPENED
    assert set(sealed) == {K.STORE_OPENED, K.STORE_CHANGED, K.STORE_COPIED}
    assert watched.taken() == sealed
    assert watched.spooled() == []
    watched.station.sign_in(SUPERVISOR)
    lines = watched.station.vault.supervision.queue(include_disposed=False)
    told = [one for line in lines for one in watched.station.vault.supervision.report(line.breach_id).facts]
    facts = [dict(one.facts) for one in told]
    assert [one.get("seen_by") for one in facts] == ["sentinel"] * len(sealed), told
    assert "moved" in {one.get("act") for one in facts}
    assert "holiday.mkv" in {one.get("name") for one in facts}


@pytest.mark.slow
@pytest.mark.parametrize("name", [CONTENT_NAME, "sentinel.seen"])
def test_a_pipe_that_nobody_writes_to_does_not_hold_it_up(watched: Watched, name: str) -> None:
    if name == CONTENT_NAME:
        (watched.directory / name).rename(watched.directory / "aside")
    os.mkfifo(watched.directory / name)
    watched.start()
    open_with_another_program(watched.directory / REGISTER_NAME)
    until(lambda: watched.spooled() == [K.STORE_OPENED], "an opening")
    watched.stop()


@pytest.mark.alone
@pytest.mark.slow
def test_a_vault_carried_away_with_its_folder_takes_the_report_along(watched: Watched) -> None:
    watched.start()
    away = watched.directory.with_name("away")
    watched.directory.rename(away)
    until(lambda: watched.spooled(away) == [K.STORE_CHANGED], "a folder moved")
    away.rename(watched.directory)
    watched.stop()
    assert K.STORE_CHANGED in watched.taken()


@pytest.mark.alone
@pytest.mark.slow
def test_a_vault_carried_away_while_the_sensors_start_is_one_report(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the folder goes between a sensor's start and its test, which then finds nothing of its own there."""
    away = watched.directory.with_name("away")
    tested = CopiesSensor.self_test

    def go_first(sensor: CopiesSensor) -> ProtectionStatus:
        if not away.exists():
            watched.directory.rename(away)
        return tested(sensor)

    monkeypatch.setattr(CopiesSensor, "self_test", go_first)
    Sentinel(watched.directory, open_secret_keeper, system.SystemClock(), system.SystemEntropy(), [watched.home / "Downloads"]).run()
    assert watched.spooled(away) == [K.STORE_CHANGED]
    away.rename(watched.directory)
    assert K.STORE_CHANGED in watched.taken()


@pytest.mark.alone
@pytest.mark.slow
def test_a_desk_killed_while_a_case_is_out(watched: Watched) -> None:
    line = watched.station.register_case("2026-000001", "Night", OFFICER)
    watched.station.sign_in(OFFICER)
    watched.station.vault.custody.check_out(line.case_id, Purpose.ASSIGNED, 0, "")
    watched.station.close()
    watched.start()
    with watched.desk() as desk:
        until(lambda: (mark := read_mark(watched.directory)) is not None and mark.state is DeskState.CASE_OUT, "a case is out")
        desk.kill()
        until(lambda: watched.spooled() == [K.DESK_KILLED], "the desk was killed")
    until(lambda: read_mark(watched.directory) is None, "the mark is reported and gone")
    watched.stop()
    watched.start()
    watched.stop()
    assert watched.taken() == [K.DESK_KILLED]


@pytest.mark.alone
@pytest.mark.slow
def test_a_clock_turned_back(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the machine's own clock is never moved by a test, only what the sensor reads of it."""
    reading = [1000.0]
    monkeypatch.setattr(clock, "_offset_seconds", lambda: reading[0])
    sentinel = Sentinel(watched.directory, open_secret_keeper, system.SystemClock(), system.SystemEntropy(), [watched.home / "Downloads"])
    running = threading.Thread(target=sentinel.run)
    running.start()
    until(lambda: sentinel._hub is not None and len(sentinel._hub.statuses()) == 2, "the sensors watch")
    reading[0] -= 3600
    assert sentinel._hub is not None
    sentinel._hub.test_now()  # wakes the sensor as a clock that is set does
    until(lambda: watched.spooled() == [K.CLOCK_SET_BACK], "a clock turned back")
    sentinel.stop()
    running.join()
    assert watched.taken() == [K.CLOCK_SET_BACK]


@pytest.mark.alone
@pytest.mark.slow
def test_a_start_off_the_premises_is_told_and_one_on_them_is_not(watched: Watched, tmp_path: Path) -> None:
    room = TangServer(tmp_path / "key-room")
    watched.station.sign_in(ADMINISTRATOR)
    watched.station.vault.premises.add(MetServer("key room", room.url), room.thumbprint(), 1)
    watched.station.close()
    asked = room.requests
    watched.start()
    until(lambda: room.requests > asked, "the key server is asked")
    watched.stop()
    assert watched.spooled() == []
    room.close()
    watched.start()
    until(lambda: watched.spooled() == [K.STARTED_OFF_PREMISES], "nobody answers")
    watched.stop()
    back = TangServer(room.keys, port=room.port)
    assert watched.taken() == [K.STARTED_OFF_PREMISES]
    back.close()


# ---- standing back ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.alone
@pytest.mark.slow
def test_desk_and_sentinel_hand_over_and_a_desk_of_ones_own_is_no_report(watched: Watched) -> None:
    watched.start()
    for _ in range(2):
        with watched.desk():
            pass
        until(lambda: read_mark(watched.directory) is None, "the desk has ended")
    with watched.desk():
        time.sleep(QUIET_SECONDS)
        assert watched.spooled() == [], "its own opening, twice closed, and its running"
        open_with_another_program(watched.directory / REGISTER_NAME)
        time.sleep(QUIET_SECONDS)
        assert watched.spooled() == [], "the desk's own sensors have that"
    open_with_another_program(watched.directory / CONTENT_NAME)  # at once
    until(lambda: watched.spooled() == [K.STORE_OPENED], "the sentinel has taken over")
    watched.stop()


@pytest.mark.alone
@pytest.mark.slow
def test_nothing_is_opened_while_a_desk_hands_over(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another program opens during an opening of the sentinel's own can go unseen: it opens the vault's files once."""
    opened: list[Path] = []

    @contextmanager
    def own(sensor: StoreAccessSensor) -> Iterator[None]:
        opened.append(sensor._folder)
        with explained(sensor):
            yield

    explained = StoreAccessSensor.expect_own_open
    monkeypatch.setattr(StoreAccessSensor, "expect_own_open", own)
    sentinel = Sentinel(watched.directory, open_secret_keeper, system.SystemClock(), system.SystemEntropy(), [watched.home / "Downloads"])
    running = threading.Thread(target=sentinel.run)
    running.start()
    until(lambda: sentinel._hub is not None and len(sentinel._hub.statuses()) == 2, "the sensors watch")
    at_start = len(opened)
    for desks in (1, 2):
        with watched.desk():
            pass
        until(lambda number=1 + desks: sentinel._watch_no == number, "the sentinel has taken over")  # type: ignore[misc]
    sentinel.stop()
    running.join()
    assert (at_start > 0, len(opened)) == (True, at_start)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("after_seconds", [0.0, 0.03, 0.1, 0.3])
def test_an_opening_while_the_desk_locks_is_told_by_one_of_them(watched: Watched, after_seconds: float) -> None:
    watched.start()
    with watched.desk() as desk:
        with suppress(ProcessEndedError):
            desk.ask(Session.lock, "key")
        desk.told(Ending)
        time.sleep(after_seconds)  # the moment is what is tried
        open_with_another_program(watched.directory / REGISTER_NAME)
        desk.end()
    until(lambda: K.STORE_OPENED in [*watched.spooled(), *(one.notice.kind for one in desk.events(BreachRecorded))], "an opening")
    watched.stop()


@pytest.mark.alone
@pytest.mark.slow
def test_nothing_happens_and_nothing_is_told(watched: Watched) -> None:
    watched.start()
    (watched.directory / REGISTER_NAME).stat()
    (watched.home / "Downloads" / "letter.pdf").write_bytes(os.urandom(100_000))
    time.sleep(QUIET_SECONDS)
    assert watched.spooled() == []
    watched.stop()


@pytest.mark.alone
@pytest.mark.slow
def test_one_sentinel_watches_and_the_next_waits_for_its_turn(watched: Watched) -> None:
    watched.start()
    words = ["--vault", str(watched.directory), "--folder", str(watched.home / "Downloads"), "--patience", "0"]
    second = subprocess.Popen([sys.executable, "-m", "vault.sentinel", *words])
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(QUIET_SECONDS)
    watched.stop()
    watched.process = second
    until(lambda: watched.watches, "the second one watches")
    watched.stop()


def test_one_that_waits_for_a_vault_says_so(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "vault.sentinel", "--vault", str(tmp_path / "mistyped")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as waits:
        assert waits.stderr is not None
        line = waits.stderr.readline()
        waits.terminate()
    assert str(tmp_path / "mistyped") in line
    assert waits.returncode == 0


def test_one_that_the_kernel_gives_no_queue_says_so_and_watches_when_there_is_one(watched: Watched, tmp_path: Path) -> None:
    most, again = "/proc/sys/user/max_inotify_instances", tmp_path / "again"
    script = f'echo 0 >{most}; (until [ -e "$0" ]; do sleep 0.1; done; echo 64 >{most}) & exec "$@"'
    words = [sys.executable, "-m", "vault.sentinel", "--vault", str(watched.directory), "--folder", str(watched.home / "Downloads")]
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, str(again), *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as watched.process:
        try:
            assert watched.process.stderr is not None
            line = watched.process.stderr.readline()
            again.touch()
            if "unshare" in line:
                pytest.skip(line)
            assert "waits: cannot watch: [Errno 24] Too many open files" in line
            until(lambda: watched.watches, "the sentinel watches")
        finally:
            again.touch()
        watched.stop()


def test_it_carries_no_database_engine_no_window_and_no_parser() -> None:
    look = "import sys, vault.sentinel; print(*{one.split('.')[0] for one in sys.modules})"
    loaded = set(subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout.split())
    assert loaded.isdisjoint({"sqlcipher3", "sqlite3", "sqlalchemy", "alembic", "PySide6", "PIL", "numpy", "pypdfium2", "pyotp"})


# ---- decisions -------------------------------------------------------------------------------------------------------------------------

DESK, OTHER = 100, 200
WATCHING, ENDING = DeskMark(DeskState.WATCHING, DESK, True), DeskMark(DeskState.ENDING, DESK, True)
STALE = DeskMark(DeskState.CASE_OUT, 99, True)


def named(pid: int, *, guessed: bool = False) -> tuple[tuple[str, str | int], ...]:
    return (("process", "cp"), ("pid", pid), *((("named_by", "command-line"),) if guessed else ()))


#   what is seen, its facts, the desk's mark -> told by the sentinel
JUDGED = [
    (K.STORE_OPENED, named(DESK), None, False),
    (K.STORE_OPENED, (), None, False),  # the desk's own, gone before it was named
    (K.STORE_OPENED, named(OTHER), None, True),
    (K.STORE_OPENED, named(OTHER, guessed=True), None, False),  # the interface names the folder among its arguments
    (K.STORE_OPENED, named(OTHER), STALE, True),
    (K.STORE_OPENED, named(OTHER), ENDING, True),
    (K.STORE_OPENED, named(OTHER), WATCHING, False),
    (K.STORE_CHANGED, (("act", "replaced"),), None, False),  # a header that the desk writes
    (K.STORE_CHANGED, (("act", "linked"),), None, True),
    (K.STORE_CHANGED, (("act", "moved"),), ENDING, True),
    (K.STORE_CHANGED, (("act", "moved"),), WATCHING, False),
    (K.STORE_COPIED, (), None, True),
    (K.STORE_COPIED, (), WATCHING, False),
    (K.CLOCK_SET_BACK, (), ENDING, True),
]


@pytest.mark.parametrize(("kind", "facts", "mark", "told"), JUDGED)
def test_what_is_told_of_the_desks_time(
    kind: SignalKind, facts: tuple[tuple[str, str | int], ...], mark: DeskMark | None, told: bool
) -> None:
    assert is_told(Signal(kind, 0, facts), DESK, mark) is told


def test_one_thing_is_one_report_and_noise_has_an_end() -> None:
    joining = Joining()
    first = Signal(K.STORE_OPENED, 0, named(OTHER))
    assert not joining.joins(first)
    joining.sealed(first)
    assert joining.joins(Signal(K.STORE_OPENED, 1, named(OTHER + 1))), "the same program"
    assert joining.joins(Signal(K.STORE_OPENED, 1)), "by nobody knows whom: by that one"
    assert not joining.joins(Signal(K.STORE_OPENED, 5_000_000)), "later it is news again"
    assert not joining.joins(Signal(K.STORE_OPENED, -5_000_000)), "so it is by a clock that was set back"
    assert not joining.joins(Signal(K.STORE_COPIED, 1, (("folder", "~/Downloads"),)))
    written = 1
    for number in range(50):
        one = Signal(K.STORE_OPENED, number, (("process", f"program-{number}"),))
        if not joining.joins(one):
            joining.sealed(one)
            written += 1
    assert written == 8
    assert not joining.joins(Signal(K.STORE_OPENED, 700_000_000, named(OTHER))), "later it is news again"


def test_a_look_that_began_before_the_desk_came_does_not_judge_what_the_desk_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = MemorySecretKeeper()
    sentinel = Sentinel(tmp_path, lambda _vault_id: keeper, system.SystemClock(), system.SystemEntropy(), [tmp_path / "Downloads"])
    sentinel._look()
    holders: list[int | None] = [None]

    def holder() -> int | None:
        answer = holders[-1]
        if answer is None:  # the desk comes when the table has just been read
            for facts in (named(DESK), ()):
                sentinel._seen.put(Seen(Signal(K.STORE_OPENED, 0, facts), sentinel._watch_no))
            holders.append(DESK)
        return answer

    monkeypatch.setattr(sentinel._lock, "holder", holder)
    sentinel._look()
    sentinel._look()
    told = sentinel._joining.has_lately(K.STORE_OPENED, 0)
    sentinel._end()
    assert not told
    assert len(holders) == 2


@dataclass
class Table:
    """A sentinel that looks when it is told to, and this process in the desk's place: nobody can be named for what it opens."""

    folder: Path
    sentinel: Sentinel

    def open(self, name: str = REGISTER_NAME) -> None:
        (self.folder / name).read_bytes()

    def mark(self, state: DeskState) -> None:
        leave_mark(self.folder, state)

    def look(self) -> None:
        self.sentinel._look()

    def unmark(self) -> None:
        (self.folder / MARK_NAME).unlink()

    def try_lock(self) -> None:
        (self.folder / LOCK_NAME).read_bytes()

    def told(self) -> list[SignalKind]:
        """What was sealed, once the lock is let go."""
        self.look()
        self.sentinel._end()
        files = sorted((self.folder / FOLDER_NAME).glob("*.report"))
        return [SignalKind(msgspec.json.decode(one.read_bytes())["kind"]) for one in files]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    folder = tmp_path / "above" / "vault"
    folder.mkdir(parents=True)
    for name in (REGISTER_NAME, CONTENT_NAME, HEADER_NAME):
        (folder / name).write_bytes(b"some of its bytes")
    keeper = MemorySecretKeeper()
    Spool(folder, keeper).enrol(generate_key_pair().public.kem)
    made = Table(folder, Sentinel(folder, lambda _label: keeper, system.SystemClock(), system.SystemEntropy(), [tmp_path / "none"]))
    made.look()
    return made


#   what happens while one desk has the lock -> whether the sentinel tells of an opening by nobody knows whom
AT_THE_END: list[tuple[str, list[Callable[[Table], None]], bool]] = [
    ("the desk opens its files", [Table.open, Table.look], False),
    ("and is ended at once", [Table.open, lambda t: t.mark(DeskState.ENDING), Table.look], False),
    ("opened while the desk watches", [lambda t: t.mark(DeskState.WATCHING), Table.look, Table.open, Table.look], False),
    ("… and just before it ends", [lambda t: t.mark(DeskState.WATCHING), Table.open, lambda t: t.mark(DeskState.ENDING)], False),
    ("opened while it ends", [lambda t: t.mark(DeskState.ENDING), Table.look, Table.open, Table.look], True),
    ("… and nobody looks until it is over", [lambda t: t.mark(DeskState.ENDING), Table.open, Table.unmark], True),
    ("… after the mark was taken away", [lambda t: t.mark(DeskState.ENDING), Table.look, Table.unmark, Table.look, Table.open], True),
    ("… behind a touch of the lock", [lambda t: t.mark(DeskState.ENDING), Table.look, Table.try_lock, Table.look, Table.open], True),
]  # fmt: skip


@pytest.mark.parametrize(("acts", "told"), [row[1:] for row in AT_THE_END], ids=[row[0] for row in AT_THE_END])
def test_what_is_opened_while_a_desk_ends(table: Table, acts: list[Callable[[Table], None]], told: bool) -> None:
    with system.single_instance(table.folder / LOCK_NAME):
        table.look()
        for act in acts:
            act(table)
    assert table.told() == [K.STORE_OPENED] * told


def test_a_desk_that_is_open_is_not_looked_at_again_and_again(table: Table) -> None:
    looks = [0]
    look = table.sentinel._look

    def counted() -> None:
        looks[0] += 1
        look()

    table.sentinel._look = counted  # type: ignore[method-assign]
    running = threading.Thread(target=table.sentinel.run, daemon=True)
    with system.single_instance(table.folder / LOCK_NAME):
        table.mark(DeskState.WATCHING)
        running.start()
        try:
            until(lambda: not table.sentinel._looks, "the last look at the lock")
            before = looks[0]
            time.sleep(QUIET_SECONDS / 3)
            assert looks[0] - before <= 5, "reading the mark is no reason to read it again"
        finally:
            table.sentinel.stop()
            running.join(PATIENCE_SECONDS)


def delete(folder: Path) -> None:
    """Against a sentinel that seals there that its files are being deleted."""
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists(), "it is deleted")


@pytest.mark.parametrize(
    "acts",
    [
        [delete],
        [delete, Path.mkdir],
        [lambda f: f.parent.rename(f.parent.with_name("away")), lambda f: f.mkdir(parents=True)],
    ],
    ids=["deleted", "deleted and restored", "another in its place"],
)
def test_a_folder_that_is_not_there_any_more_is_not_watched(table: Table, acts: list[Callable[[Path], object]]) -> None:
    running = threading.Thread(target=table.sentinel.run, daemon=True)
    running.start()
    for act in acts:
        act(table.folder)
    table.sentinel._wake()  # as its tick does
    running.join(PATIENCE_SECONDS)
    assert not running.is_alive(), "it ends, so that whatever lies there next is watched"


def test_a_folder_is_watched_on_where_one_above_it_was_moved(table: Table) -> None:
    above = table.folder.parent.rename(table.folder.parent.with_name("away"))
    table.look()
    assert not table.sentinel._gone
    open_with_another_program(above / table.folder.name / REGISTER_NAME)
    until(lambda: table.look() or list((above / table.folder.name / FOLDER_NAME).glob("*.report")), "an opening")
    table.sentinel._end()


def test_who_has_the_lock_is_read_and_not_tried(tmp_path: Path) -> None:
    with system.single_instance(tmp_path / "sentinel.lock"):
        lock = DeskLock(tmp_path / LOCK_NAME, tmp_path / "sentinel.lock")
        assert lock.holder() is None
        with system.single_instance(tmp_path / LOCK_NAME):
            assert lock.holder() == os.getpid()
        assert lock.holder() is None


def test_a_mark_says_who_left_it_and_anything_else_is_none(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None
    leave_mark(tmp_path, DeskState.CASE_OUT)
    assert read_mark(tmp_path) == DeskMark(DeskState.CASE_OUT, os.getpid(), True)
    for content in (b"", b"case-out", b"no-state 1 x", b"case-out one x", b"\xff" * 1000):
        (tmp_path / "desk.mark").write_bytes(content)
        assert read_mark(tmp_path) is None
    (tmp_path / "desk.mark").unlink()
    (tmp_path / "desk.mark").symlink_to(tmp_path / "x")
    assert read_mark(tmp_path) is None
