"""Real processes against a real SQLCipher vault: every way to touch its files, and everything that must not be reported (V50-V54)."""

from __future__ import annotations

import os
import queue
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.sensors.store_access import StoreAccessSensor, own_descriptor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases and inotify are Linux")

OPENED, CHANGED = SignalKind.STORE_OPENED, SignalKind.STORE_CHANGED
QUIET_SECONDS = 0.4  # twenty times the grace after which an unexplained open is called foreign
PATIENCE_SECONDS = 15.0
NAMES = ("register.db", "register.db-wal", "content.db", "content.db-wal", "vault.header.json")


def connect(path: Path) -> sqlcipher.Connection:
    connection = sqlcipher.connect(str(path), check_same_thread=False)
    connection.execute(f"pragma key=\"x'{'5a' * 32}'\"")
    connection.execute("pragma journal_mode=wal")
    return connection


@dataclass
class Stage:
    folder: Path
    register: sqlcipher.Connection
    content: sqlcipher.Connection
    sensor: StoreAccessSensor
    signals: queue.SimpleQueue[tuple[float, Signal]] = field(default_factory=queue.SimpleQueue)
    more: list[sqlcipher.Connection] = field(default_factory=list)

    def emit(self, signal: Signal) -> None:
        self.signals.put((time.perf_counter(), signal))
        self.sensor.release()  # stands for "the report is committed"

    def next(self, timeout: float = 2.0) -> Signal:
        return self.signals.get(timeout=timeout)[1]

    def all_within(self, seconds: float = QUIET_SECONDS) -> list[Signal]:
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                found.append(self.signals.get(timeout=left)[1])
            except queue.Empty:
                break
        return found

    def until(self, kinds: set[SignalKind]) -> list[Signal]:
        """Everything that is told until each of these kinds was, however long a busy machine takes; and what comes right after."""
        found: list[Signal] = []
        while not kinds <= {one.kind for one in found}:
            found.append(self.next(timeout=PATIENCE_SECONDS))
        return [*found, *self.all_within()]

    def run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        places = {"V": str(self.folder), "OUT": str(self.folder.parent / "out")}
        filled = [part.format(**places) for part in command]
        return subprocess.run(filled, capture_output=True, check=False, timeout=20)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    folder = tmp_path / "vault"
    folder.mkdir()
    (tmp_path / "out").mkdir()
    register, content = connect(folder / "register.db"), connect(folder / "content.db")
    for connection in (register, content):
        connection.execute("create table t(a integer primary key, b blob)")
        connection.executemany("insert into t(b) values(?)", [(os.urandom(3000),) for _ in range(200)])
        connection.commit()
    (folder / "vault.header.json").write_text('{"vault_id": "0123"}')
    made: list[Stage] = []
    sensor = StoreAccessSensor(
        [folder / name for name in NAMES], lambda: frozenset({os.getpid()}), lambda: own_descriptor(folder / "register.db")
    )
    made.append(Stage(folder, register, content, sensor))
    sensor.start(made[0].emit)
    yield made[0]
    sensor.stop()
    for connection in (register, content, *made[0].more):
        connection.close()


HOLD = """
import mmap, sys
file = open(sys.argv[1], "rb")
if sys.argv[2] == "mapped":
    held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    file.close()
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["register.db", "content.db"])
@pytest.mark.parametrize("how", ["open", "mapped"])
def test_who_has_a_file_from_before_the_sensor_began_is_told(stage: Stage, name: str, how: str) -> None:
    """It reads the vault whenever it likes, and an opening that nobody heard is not heard again."""
    stage.sensor.stop()
    stage.all_within(0)
    command = [sys.executable, "-c", HOLD, str(stage.folder / name), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        stage.sensor.start(stage.emit)
        signal = stage.next(PATIENCE_SECONDS)
        assert (signal.kind, dict(signal.facts)["pid"]) == (OPENED, holder.pid)
        assert stage.all_within() == [], "once"


READ = "import sys; open(sys.argv[1],'rb').read()"
ATTACKS: Sequence[tuple[str, tuple[str, ...], set[SignalKind], str]] = [
    # attack, command, kinds that must come (and no others), process named ("" = need not be)
    ("cp register", ("cp", "{V}/register.db", "{OUT}/a"), {OPENED}, "cp"),
    ("cp renamed", ("cp", "{V}/register.db", "{OUT}/holiday.jpg"), {OPENED}, "cp"),
    ("cp reflink", ("cp", "--reflink=auto", "{V}/register.db", "{OUT}/a"), {OPENED}, "cp"),
    ("dd register", ("dd", "if={V}/register.db", "of={OUT}/a", "status=none"), {OPENED}, "dd"),
    ("cat register", ("sh", "-c", "cat {V}/register.db > {OUT}/a"), {OPENED}, "cat"),
    ("python open", (sys.executable, "-c", READ, "{V}/register.db"), {OPENED}, "python"),
    ("md5sum", ("md5sum", "{V}/register.db"), {OPENED}, "md5sum"),
    ("tar of everything", ("tar", "cf", "{OUT}/t.tar", "-C", "{V}", "."), {OPENED}, ""),
    ("cp -r of everything", ("cp", "-r", "{V}", "{OUT}/all"), {OPENED}, "cp"),
    ("rsync", ("rsync", "-a", "{V}/", "{OUT}/r/"), {OPENED}, "rsync"),
    ("tar and gzip", ("tar", "czf", "{OUT}/t.tgz", "-C", "{V}", "register.db"), {OPENED}, ""),
    ("zip", ("zip", "-q", "{OUT}/z.zip", "{V}/register.db"), {OPENED}, "zip"),
    ("gzip, not waiting", ("sh", "-c", "gzip -c {V}/register.db > {OUT}/g.gz"), {OPENED}, ""),  # refused by the lease, and gone
    ("xz, not waiting", ("sh", "-c", "xz -0 -c {V}/register.db > {OUT}/x.xz"), {OPENED}, ""),
    ("zstd", ("sh", "-c", "zstd -q -c {V}/register.db > {OUT}/z.zst"), {OPENED}, "zstd"),
    ("dd without the first page", ("dd", "if={V}/register.db", "of={OUT}/a", "bs=4096", "skip=1", "status=none"), {OPENED}, "dd"),
    ("split", ("split", "-b", "100K", "{V}/register.db", "{OUT}/part."), {OPENED}, "split"),
    ("appended to a picture", ("sh", "-c", "cat {V}/register.db >> {OUT}/picture.jpg"), {OPENED}, "cat"),
    ("cp content", ("cp", "{V}/content.db", "{OUT}/a"), {OPENED}, ""),
    ("cp content -wal", ("cp", "{V}/content.db-wal", "{OUT}/a"), {OPENED}, ""),
    ("cp register -wal", ("cp", "{V}/register.db-wal", "{OUT}/a"), {OPENED}, ""),
    ("cat header", ("cat", "{V}/vault.header.json"), {OPENED}, ""),
    ("link, then cat the link", ("sh", "-c", "ln {V}/register.db {OUT}/l; cat {OUT}/l > /dev/null"), {OPENED, CHANGED}, "cat"),
    ("link of content, then cp", ("sh", "-c", "ln {V}/content.db {OUT}/l; cp {OUT}/l {OUT}/m"), {OPENED, CHANGED}, ""),
    ("mv out and back", ("sh", "-c", "mv {V}/register.db {OUT}/m; mv {OUT}/m {V}/register.db"), {CHANGED}, ""),
    ("mv out, cp, back", ("sh", "-c", "mv {V}/content.db {OUT}/m; cp {OUT}/m {OUT}/n; mv {OUT}/m {V}/content.db"), {OPENED, CHANGED}, ""),
    ("append to the header", ("sh", "-c", "printf ' ' >> {V}/vault.header.json"), {OPENED, CHANGED}, ""),
    ("overwrite in content", ("dd", "if=/dev/null", "of={V}/content.db", "conv=notrunc"), {OPENED, CHANGED}, ""),
    ("delete a -wal we hold", ("rm", "{V}/content.db-wal"), {CHANGED}, ""),
    ("replace the header", ("sh", "-c", "echo 1 > {OUT}/h; mv {OUT}/h {V}/vault.header.json"), {CHANGED}, ""),
    ("truncate, not waiting", ("truncate", "-s", "+0", "{V}/register.db"), {OPENED}, ""),
    ("symlink, then cat it", ("sh", "-c", "ln -s {V}/register.db {OUT}/s; cat {OUT}/s > /dev/null"), {OPENED}, "cat"),
]


@pytest.mark.parametrize(("command", "kinds", "named"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_attack_is_reported_once(stage: Stage, command: tuple[str, ...], kinds: set[SignalKind], named: str) -> None:
    assert shutil.which(command[0]), "packaging/apt-packages.txt [attacks]"
    stage.run(*command)
    signals = stage.until(kinds)
    assert {signal.kind for signal in signals} == kinds
    opened = [dict(signal.facts) for signal in signals if signal.kind is OPENED]
    assert len(opened) == (OPENED in kinds), f"one report a process: {opened}"
    if named:
        assert str(opened[0]["process"]).startswith(named)
        assert opened[0]["pid"] != os.getpid()
        assert opened[0]["uid"] == os.getuid()
        assert opened[0]["executable"]
    stage.register.execute("insert into t(b) values(x'00')")
    stage.register.commit()


def _second_connection(stage: Stage) -> None:
    for _ in range(5):
        second = connect(stage.folder / "content.db")
        stage.more.append(second)
        second.execute("insert into t(b) values(x'00')")
        second.commit()


def _short_connection(stage: Stage) -> None:
    for _ in range(5):
        with stage.sensor.expect_own_open():
            second = connect(stage.folder / "content.db")
            second.execute("select count(*) from t").fetchone()
            second.close()


def _intake_thread(stage: Stage) -> None:
    def take_in() -> None:
        second = connect(stage.folder / "content.db")
        for _ in range(50):
            second.execute("insert into t(b) values(?)", (os.urandom(20_000),))
            second.commit()
        stage.more.append(second)

    thread = threading.Thread(target=take_in)
    thread.start()
    thread.join()


def _commits(stage: Stage) -> None:
    for connection in (stage.register, stage.content):
        for _ in range(100):
            connection.execute("insert into t(b) values(?)", (os.urandom(5000),))
            connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")


def _own_header(stage: Stage) -> None:
    for _ in range(5):
        with stage.sensor.expect_own_open():
            (stage.folder / "vault.header.json").read_bytes()
            (stage.folder / "new").write_text("{}")
            (stage.folder / "new").replace(stage.folder / "vault.header.json")


def _children(stage: Stage) -> None:
    for _ in range(10):
        stage.run("true")
    _second_connection(stage)
    stage.run("true")


def _own_register_again(stage: Stage) -> None:
    with stage.sensor.expect_own_open():
        second = connect(stage.folder / "register.db")  # held by our own lease until the sensor lets us through
        second.execute("select count(*) from t").fetchone()
        stage.more.append(second)


def _salts(stage: Stage) -> None:
    stage.content.close()  # so that one is read through the store's descriptor, the other from the closed file
    assert len(stage.sensor.salts()) == 2


def _command(*command: str) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        for _ in range(3):
            stage.run(*command)

    return act


PEACEFUL: Sequence[tuple[str, Callable[[Stage], None]]] = [
    ("commits and checkpoints", _commits),
    ("more content connections that stay", _second_connection),
    ("short connections in a block", _short_connection),
    ("an intake thread with its own connection", _intake_thread),
    ("a second connection to the register", _own_register_again),
    ("reading and replacing the header in a block", _own_header),
    ("children started meanwhile", _children),
    ("salts read", _salts),
    ("self-tests", lambda stage: [stage.sensor.self_test() for _ in range(3)] and None),
    ("ls -la", _command("ls", "-la", "{V}")),
    ("stat", _command("stat", "{V}/register.db", "{V}/content.db", "{V}/vault.header.json")),
    ("du, find, test", _command("sh", "-c", "du -s {V}; find {V} -name '*.db'; test -r {V}/register.db")),
    ("another file in the folder", _command("sh", "-c", "echo 1 > {V}/note; cat {V}/note; mv {V}/note {V}/n2; rm {V}/n2")),
    ("documents beside it", _command("sh", "-c", "echo 1 > {OUT}/d; cp {OUT}/d {OUT}/e; sed -i s/1/2/ {OUT}/e; rm {OUT}/e")),
    ("backup of other folders", _command("tar", "cf", "/dev/null", "{OUT}")),
]


@pytest.mark.parametrize("act", [row[1] for row in PEACEFUL], ids=[row[0] for row in PEACEFUL])
def test_peace_is_not_reported(stage: Stage, act: Callable[[Stage], None]) -> None:
    act(stage)
    assert stage.all_within() == []
    stage.run("cp", "{V}/content.db", "{OUT}/after")  # and we are not blind after it
    assert stage.next().kind is OPENED


def test_the_report_comes_before_the_first_byte(stage: Stage) -> None:
    sizes: list[int] = []
    target = stage.folder.parent / "out" / "a"
    stage.sensor.stop()

    def emit(signal: Signal) -> None:
        sizes.append(target.stat().st_size if target.exists() else 0)
        stage.signals.put((time.perf_counter(), signal))

    stage.sensor.start(emit)
    began = time.monotonic()
    stage.run("cp", "{V}/register.db", "{OUT}/a")
    assert sizes == [0]
    assert 0.9 < time.monotonic() - began < 2.5, "nobody confirmed the report: the opener is let go after a second, not after 45"
    assert target.stat().st_size > 0
    assert dict(stage.next().facts)["held_ms"] < 500


def test_what_is_opened_just_before_an_opening_of_our_own_is_told(stage: Stage) -> None:
    """By a program that is gone again before the sensor could look: the block that follows explains its own openings only."""
    with stage.sensor._lock:
        stage.run("head", "-c", "16", "{V}/content.db")
        with stage.sensor.expect_own_open():
            (stage.folder / "vault.header.json").read_bytes()
    assert [(one.kind, dict(one.facts)["file"]) for one in stage.until({OPENED})] == [(OPENED, "content.db")]


def test_what_is_opened_just_before_the_end_is_told(stage: Stage) -> None:
    stage.run("head", "-c", "16", "{V}/content.db")
    stage.sensor.stop()
    assert stage.signals.get_nowait()[1].kind is OPENED


def test_at_the_end_nothing_is_opened_here(stage: Stage) -> None:
    stage.content.close()
    stage.sensor.open_no_more()
    assert stage.sensor.descriptor_of(stage.folder / "content.db") is None
    assert len(stage.sensor.salts()) == 1, "the register's, which is open"


def test_the_lease_is_taken_again(stage: Stage) -> None:
    for _ in range(3):
        assert stage.sensor.self_test().reason == "lease"
        stage.run("cp", "{V}/register.db", "{OUT}/a")
        assert dict(stage.next().facts)["process"] == "cp"
        deadline = time.monotonic() + 2
        while stage.sensor.self_test().reason != "lease":
            assert time.monotonic() < deadline


def test_without_a_descriptor_it_says_inotify(stage: Stage) -> None:
    sensor = StoreAccessSensor([stage.folder / name for name in NAMES], frozenset, lambda: None)
    assert sensor.self_test().state is ProtectionState.UNAVAILABLE
    sensor.start(stage.emit)
    try:
        assert sensor.self_test().reason == "inotify"
    finally:
        sensor.stop()


def test_a_dead_thread_is_found_out(stage: Stage) -> None:
    assert stage.sensor.self_test().state is ProtectionState.DETECTED
    stage.sensor.stop()
    assert stage.sensor.self_test().state is ProtectionState.UNAVAILABLE


def test_a_defect_holds_nobody_and_is_found_out(stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("vault.sensors.processes.held_in_open", fail)
    began = time.monotonic()
    assert stage.run("cp", "{V}/register.db", "{OUT}/a").returncode == 0
    assert time.monotonic() - began < 3
    assert stage.sensor.self_test().state is ProtectionState.UNAVAILABLE
    assert "planted" in caplog.text
    monkeypatch.undo()
    stage.sensor.stop()
    stage.sensor.start(stage.emit)
    assert stage.sensor.self_test().reason == "lease"


def test_sqlite_keeps_its_locks_through_self_tests(stage: Stage) -> None:
    stage.register.execute("begin immediate")
    stage.sensor.self_test()
    probe = (
        "import sys; from sqlcipher3 import dbapi2 as s; c=s.connect(sys.argv[1], timeout=0); "
        "c.execute('pragma key=\"x%s5a5a%s\"' % (chr(39), '5a'*30 + chr(39)))\n"
        "try: c.execute('begin immediate'); print('taken')\nexcept s.OperationalError as e: print(e)"
    )
    answer = stage.run(sys.executable, "-c", probe.replace("{", "{{").replace("}", "}}"), "{V}/register.db")
    assert b"locked" in answer.stdout, answer
    stage.register.rollback()


def test_detection_time(stage: Stage, record_property: Callable[[str, object], None]) -> None:
    measured = []
    for number in range(25):
        deadline = time.monotonic() + 5
        while stage.sensor.self_test().reason != "lease":
            assert time.monotonic() < deadline
        began = time.perf_counter()
        process = subprocess.Popen(["cp", stage.folder / "register.db", stage.folder.parent / "out" / f"{number}"])
        at, signal = stage.signals.get(timeout=2)
        measured.append((at - began) * 1000)
        process.wait()
        assert dict(signal.facts)["pid"] == process.pid
    record_property("detection_ms", f"median {statistics.median(measured):.1f}, worst {max(measured):.1f}")
    assert max(measured) <= 1000


def test_as_an_ordinary_account(stage: Stage, tmp_path: Path) -> None:
    """The sensor as nobody, the thief as nobody: no privilege is needed to hold and name."""
    if os.getuid() != 0:
        pytest.skip("runs as an ordinary account already")
    stage.sensor.stop()
    program = """
import os, sys, time, subprocess, queue
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from vault.sensors.store_access import StoreAccessSensor, own_descriptor
os.setgid(65534); os.setuid(65534)
path = Path(sys.argv[1]) / "register.db"
path.write_bytes(os.urandom(1 << 20)); kept = os.open(path, os.O_RDWR)
(path.parent / "content.db").write_bytes(b"x")
found = queue.SimpleQueue()
sensor = StoreAccessSensor([path, path.parent / "content.db"], frozenset, lambda: own_descriptor(path))
sensor.start(lambda signal: (found.put(signal), sensor.release()))
print(sensor.self_test().reason)
process = subprocess.run(["cp", path, path.parent / "stolen"])
print(dict(found.get(timeout=3).facts))
sensor.stop()
"""
    place = Path("/var/tmp") / f"casevault-test-{os.getpid()}"
    place.mkdir()
    os.chown(place, 65534, 65534)
    try:
        interpreter = Path(sys.base_prefix) / "bin" / "python3"
        answer = subprocess.run(
            [interpreter, "-c", program, place, Path(__file__).parents[2]], capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        shutil.rmtree(place)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[0] == "lease"
    assert "'process': 'cp'" in answer.stdout
    assert "'uid': 65534" in answer.stdout
