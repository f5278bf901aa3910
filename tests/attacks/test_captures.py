"""Programs that take pictures of the screen while a page is on it, against a real X server (V18, V20–V24, V49).

The table is the sensor alone, which is quick; below it the whole desk, with pictures that are looked into. The 30 shots a tool, the renamed
tools' true figures among them, are `make test-slow`, and their table goes to ``build/captures.json``.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jeepney.io.blocking import open_dbus_connection

from tests.attacks.capture_stage import PATIENCE_SECONDS, ROOT, CapturedDesk, found, wayland_session
from tests.screen import Screen, holds_page, x_server
from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import ProtectionState
from vault.errors import RefusedError
from vault.platform.system import SystemClock
from vault.sensors import captures, programs, system_files
from vault.sensors.captures import CapturesSensor
from vault.sensors.casts import CastMonitor
from vault.sensors.contract import Emit, Sensor
from vault.sensors.hub import SensorHub
from vault.sensors.programs import Vouching
from vault.sensors.synthetic_input import SyntheticInputSensor
from vault.sensors.x11_wire import Connection

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("Xvfb") is None, reason="needs an X server"),
    pytest.mark.alone,
]

TOOL, UNKNOWN = SignalKind.CAPTURE_TOOL, SignalKind.UNKNOWN_SCREEN_CLIENT
GRABBER = [sys.executable, "-m", "tests.attacks.screen_grabber"]
GRABBERS_WHY = "interpreter" if system_files.lies_in_system(os.path.realpath(sys.executable)) else "not-system"


@pytest.fixture(scope="module")
def shown() -> Iterator[Screen]:
    folder = Path("/var/tmp") / f"casevault-captures-{os.getpid()}"  # not below /tmp, which desks among the tests watch
    with x_server(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stage:
    """A page that is said to be on screen, and what the sensor does about it."""

    shown: Screen
    sensor: CapturesSensor
    folder: Path
    signals: queue.SimpleQueue[Signal] = field(default_factory=queue.SimpleQueue)
    blanks: list[bool] = field(default_factory=list)
    page: bool = False

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LD_")}
        return {**kept, **self.shown.environment, "PYTHONPATH": str(ROOT)}

    def run(self, *command: str, **environment: str) -> None:
        """Run a program to its end, as an attacker would."""
        done = subprocess.run(command, env={**self.environment, **environment}, cwd=ROOT, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()

    @property
    def is_blank(self) -> bool:
        return bool(self.blanks) and self.blanks[-1]

    def signal(self) -> Signal:
        return self.signals.get(timeout=PATIENCE_SECONDS)

    def quiet(self) -> list[Signal]:
        """Everything signalled, once the sensor has seen all there was and has brought back the page it took away."""
        _until(lambda: not self.is_blank)
        _until(lambda: self.sensor.self_test().state is ProtectionState.DETECTED)
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self.signals.get_nowait())
        return found


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _works(sensor: Sensor, emit: Emit) -> bool:
    """Start, as the hub does again and again where a loaded machine is too slow for a probe."""
    sensor.start(emit)
    return sensor.self_test().state is ProtectionState.DETECTED


@pytest.fixture
def stage(shown: Screen, tmp_path: Path) -> Iterator[Stage]:
    made: list[Stage] = []
    sensor = CapturesSensor(
        lambda: made[0].page,
        lambda: True,
        lambda blanked: made[0].blanks.append(blanked),  # noqa: PLW0108 - made is filled later
        own_pids=(os.getpid(),),
        environment=shown.environment,
    )
    one = Stage(shown, sensor, tmp_path)
    made.append(one)
    _until(lambda: _works(sensor, one.signals.put))
    sensor.require_private()
    one.page = True
    yield one
    sensor.stop()


LOADER = "/lib64/ld-linux-x86-64.so.2"
FFMPEG = ("ffmpeg", "-y", "-loglevel", "error")

# name · command ({OUT} is a folder, {D} the display) · what is reported · the fact `because`, for programs that nobody vouches for
ATTACKS = [
    ("scrot", ("scrot", "-o", "{OUT}/a.png"), TOOL, ""),
    ("import", ("import", "-window", "root", "{OUT}/a.png"), TOOL, ""),
    ("xwd", ("xwd", "-root", "-silent", "-out", "{OUT}/a.xwd"), TOOL, ""),
    ("ffmpeg", (*FFMPEG, "-f", "x11grab", "-i", "{D}", "-frames:v", "1", "{OUT}/a.png"), TOOL, ""),
    ("ffmpeg records", (*FFMPEG, "-f", "x11grab", "-t", "1", "-i", "{D}", "{OUT}/a.mkv"), TOOL, ""),
    ("renamed scrot", ("{COPY:scrot}", "-o", "{OUT}/a.png"), UNKNOWN, "not-system"),
    ("renamed xwd", ("{COPY:xwd}", "-root", "-silent", "-out", "{OUT}/a.xwd"), UNKNOWN, "not-system"),
    (
        "through the loader",
        ("/lib64/ld-linux-x86-64.so.2", "{COPY:xwd}", "-root", "-silent", "-out", "{OUT}/a.xwd"),
        UNKNOWN,
        "interpreter",
    ),
    ("home-made", (*GRABBER, "{OUT}/a.ppm", "1"), UNKNOWN, GRABBERS_WHY),
    ("home-made, at once", (*GRABBER, "{OUT}/a.ppm"), UNKNOWN, GRABBERS_WHY),
    ("montage", ("montage", "x:root", "{OUT}/a.png"), TOOL, ""),
    (
        "ffprobe",
        ("ffprobe", "-v", "error", "-f", "x11grab", "-i", "{D}", "-show_entries", "packet=size", "-read_intervals", "%+#9"),
        TOOL,
        "",
    ),
    ("magnifier", ("sh", "-c", "xmag -source 99x99+0+0 & sleep 2; kill $!"), TOOL, ""),
    ("display, told a window's number", ("sh", "-c", "display X:root & sleep 2; kill $!"), TOOL, ""),
    ("its first thread has ended", ("{BUILT:program}",), UNKNOWN, "not-system"),
    ("a library that takes its variable away", ("env", "LD_PRELOAD={BUILT:library}", "xeyes"), UNKNOWN, "foreign-library"),
    ("foreign library", ("sh", "-c", "LD_PRELOAD={COPY:libz.so.1} xeyes & sleep 2; kill $!"), UNKNOWN, "foreign-library"),
]


def _filled(folder: Path, on: Screen, command: tuple[str, ...], out: Path | None = None) -> list[str]:
    """A command with its places filled in; ``{COPY:name}`` is a renamed copy of a program or library, ``{BUILT:…}`` one of our own."""
    filled = []
    for one in command:
        word, (before, _, rest) = one, one.partition("{COPY:")
        if "{BUILT:" in one:
            before, _, rest = one.partition("{BUILT:")
            word, rest = before + _built(folder, is_library=rest == "library}"), ""
        if rest:
            name, _, after = rest.partition("}")
            word = before + _copy(folder, name) + after
        filled.append(word.format(OUT=out or folder, D=on.display))
    return filled


def _built(folder: Path, *, is_library: bool) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("no compiler")
    options = ("-DLIBRARY", "-shared", "-fPIC") if is_library else ()
    made = folder / ("notes.so" if is_library else "notes")
    subprocess.run(["gcc", *options, "-o", made, Path(__file__).with_name("hidden_client.c"), "-ldl", "-lpthread"], check=True)
    if os.geteuid() == 0:
        os.chown(made, 65534, 65534)  # what root makes is the system's
    return str(made)


def _copy(folder: Path, name: str) -> str:
    source = next(Path("/usr/lib").glob(f"*/{name}")) if ".so" in name else Path(shutil.which(name) or "")
    copy = folder / f"notes-{name}"
    if not copy.exists():
        shutil.copy(source.resolve(), copy)
    return str(copy)


@pytest.mark.parametrize(("command", "kind", "why"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_a_capture_blanks_the_page_and_is_one_signal(stage: Stage, command: tuple[str, ...], kind: SignalKind, why: str) -> None:
    filled = _filled(stage.folder, stage.shown, command)
    if shutil.which(filled[0]) is None:
        pytest.skip(f"{filled[0]} is not here")
    stage.run(*filled)
    signal = stage.signal()
    assert stage.blanks[0], "the page goes before the report"
    facts = dict(signal.facts)
    assert (signal.kind, facts.get("because", "")) == (kind, why), signal
    assert facts.get("pid") != os.getpid()
    assert ("pid" in facts) == (facts["process"] != "?"), "a tool that was gone within milliseconds has no name, and is reported"
    assert not [one for one in facts.values() if "/" in str(one)], "no path, no argument"
    stage.page = False  # as containment does
    assert stage.quiet() == [], "one program, one signal"


RELAYS = [
    ("by systemd", ("systemd-socket-activate", "-l", "{HERE}", "/lib/systemd/systemd-socket-proxyd", "{THERE}")),
    ("by socat", ("socat", "UNIX-LISTEN:{HERE},fork", "UNIX-CONNECT:{THERE}")),
]


@pytest.mark.parametrize("command", [row[1] for row in RELAYS], ids=[row[0] for row in RELAYS])
def test_a_relay_of_the_systems_hides_no_capture(stage: Stage, command: tuple[str, ...]) -> None:
    """The tool is started for a display of its own, which is ours: the relay is the client."""
    if shutil.which(command[0]) is None or not all(Path(one).exists() for one in command if one.startswith("/")):
        pytest.skip(f"{command[0]} is not here")
    number = 20_000 + os.getpid() % 10_000
    here = Path(f"/tmp/.X11-unix/X{number}")  # where the X libraries look
    here.unlink(missing_ok=True)
    there = f"/tmp/.X11-unix/X{stage.shown.display.removeprefix(':')}"
    known = subprocess.run(["xauth", "-f", stage.shown.authority, "list"], capture_output=True, text=True, check=True)
    authority = stage.folder / "authority"
    authority.touch(mode=0o600)
    cookie = known.stdout.split()[-1]
    subprocess.run(["xauth", "-q", "-f", authority, "add", f":{number}", ".", cookie], check=True)
    stage.page = False  # nothing is looked at while the relay starts
    relay = subprocess.Popen([one.format(HERE=here, THERE=there) for one in command], stderr=subprocess.DEVNULL)
    try:
        _until(here.exists)
        stage.page = True
        shot = ("xwd", "-root", "-silent", "-out", f"{stage.folder}/a.xwd")
        stage.run(*shot, DISPLAY=f":{number}", XAUTHORITY=str(authority))
        signal = stage.signal()
        assert stage.blanks[0]
        assert (signal.kind, dict(signal.facts)["because"]) == (UNKNOWN, "relay")
    finally:
        relay.kill()
        relay.wait()
        here.unlink(missing_ok=True)
    stage.page = False
    assert stage.quiet() == [], "one program, one signal"


def test_a_report_names_the_executable_by_its_hash(stage: Stage) -> None:
    stage.run(_copy(stage.folder, "scrot"), "-o", f"{stage.folder}/a.png")
    facts = dict(stage.signal().facts)
    assert facts["executable"] == "notes-scrot"
    sum_of_scrot = subprocess.run(["sha256sum", os.path.realpath(shutil.which("scrot") or "")], capture_output=True, text=True, check=True)
    assert facts["sha256"] == sum_of_scrot.stdout.split()[0]


def test_no_page_beside_a_recorder_that_was_there_before(stage: Stage) -> None:
    stage.page = False
    recorder = subprocess.Popen([*GRABBER, str(stage.folder / "a.ppm"), "3600"], env=stage.environment, cwd=ROOT)
    try:
        _until((stage.folder / "a.ppm").exists)
        for _ in range(2):
            with pytest.raises(RefusedError) as refused:
                stage.sensor.require_private()
            assert refused.value.code == "screen.unknown-client"
            assert refused.value.facts["pid"] == recorder.pid
        signal = stage.signal()
        assert (signal.kind, dict(signal.facts)["when"]) == (UNKNOWN, "before-the-page")
        assert stage.signals.empty(), "once a program, not once a page"
    finally:
        recorder.kill()
        recorder.wait()
    _until(lambda: _is_private(stage))


@pytest.mark.parametrize("just_before", ["_hide", "_look_at_clients"])
def test_a_server_kept_by_another_client_keeps_neither_the_cover_nor_the_report_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, just_before: str
) -> None:
    """It is taken before the curtain, or before a question during which the tool starts; the restarted sensor covers the next shot."""
    sensor: Any = stage.sensor
    sensor._connection._socket.settimeout(0.5)  # its patience
    shot = [*("xwd", "-root", "-silent", "-out"), str(stage.folder / "a.xwd")]
    started: list[subprocess.Popen[bytes]] = []
    is_held = threading.Event()
    ask = getattr(sensor, just_before)
    with closing(Connection(stage.shown.environment)) as other:

        def start() -> None:
            started.append(subprocess.Popen(shot, env=stage.environment))

        def take_the_server(*args: object) -> None:
            if not is_held.is_set():
                is_held.set()
                other._send(36, 0, b"")
                other.screen_size_px()  # a round trip: it is taken
                if just_before != "_hide":
                    start()
            ask(*args)

        monkeypatch.setattr(sensor, just_before, take_the_server)
        if just_before == "_hide":
            start()
        assert stage.signal().kind is TOOL
        assert stage.blanks == [True]
        sensor._thread.join(PATIENCE_SECONDS)
        monkeypatch.undo()
    started[0].wait(PATIENCE_SECONDS)
    sensor.stop()
    _until(lambda: _works(sensor, stage.signals.put))
    stage.run(*shot)
    _until(lambda: stage.blanks == [True, True])
    assert stage.signal().kind is TOOL


def test_no_page_on_a_display_that_does_not_answer(tmp_path: Path) -> None:
    with x_server(tmp_path / "display") as gone:
        sensor = CapturesSensor(lambda: False, lambda: True, lambda _blanked: None, own_pids=(os.getpid(),), environment=gone.environment)
        sensor.start(lambda signal: pytest.fail(str(signal)))
        sensor.require_private()
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"screen\.not-answering"):
            sensor.require_private()
    sensor.stop()


def test_who_keeps_the_display_from_the_sensor_is_shown_no_page_and_reported(shown: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another client kept the server for itself when the vault started; afterwards the sensor is started again."""
    monkeypatch.setattr(Connection.__init__, "__defaults__", (os.environ, 0.5))  # or each question of the first half takes seconds
    monkeypatch.setattr(captures, "_ASKING_SECONDS", 0.5)
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    sensor = CapturesSensor(lambda: False, lambda: True, lambda _blanked: None, own_pids=(os.getpid(),), environment=shown.environment)
    hub = SensorHub([sensor], signals.put, SystemClock(), interval_seconds=3600)
    with closing(Connection(shown.environment)) as other:
        other._send(36, 0, b"")
        other.screen_size_px()  # a round trip: it is taken
        began = time.monotonic()
        hub.start()
        for _ in range(2):
            with pytest.raises(RefusedError, match=r"screen\.not-answering"):
                sensor.require_private()
        assert time.monotonic() - began < 20, "a question is asked once, not six times"
        hub.test_now()
    monkeypatch.undo()  # a display that answers has the time it takes
    try:
        signal = signals.get(timeout=PATIENCE_SECONDS)
        assert (signal.kind, dict(signal.facts)["reason"]) == (SignalKind.SENSOR_BLIND, "not-watching")
        _until(lambda: hub.test_now()[0].state is ProtectionState.DETECTED)
        sensor.require_private()
        assert signals.empty()
    finally:
        hub.stop()


def test_before_the_sensor_is_started_a_page_is_asked_for_all_the_same(shown: Screen) -> None:
    sensor = CapturesSensor(lambda: False, lambda: True, lambda _blanked: None, own_pids=(os.getpid(),), environment=shown.environment)
    sensor.require_private()
    sensor.stop()


def _is_private(stage: Stage) -> bool:
    with suppress(RefusedError):
        stage.sensor.require_private()
        return True
    return False


def test_policy_vouches_for_a_program(shown: Screen, tmp_path: Path) -> None:
    sensor = CapturesSensor(
        lambda: False,
        lambda: True,
        lambda _blanked: None,
        allowed=[os.path.realpath(sys.executable)],
        own_pids=(os.getpid(),),
        environment=shown.environment,
    )
    sensor.start(lambda signal: pytest.fail(str(signal)))
    recorder = subprocess.Popen(
        [*GRABBER, str(tmp_path / "a.ppm"), "3600"], env={**os.environ, **shown.environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT
    )
    try:
        _until((tmp_path / "a.ppm").exists)
        sensor.require_private()
    finally:
        recorder.kill()
        recorder.wait()
        sensor.stop()


# Ordinary work: no report, and the page is there afterwards.
ORDINARY = [
    ("a terminal", ("xterm", "-e", "true")),
    ("copying text elsewhere", ("sh", "-c", "echo words | xclip -i -selection clipboard >/dev/null 2>&1; xclip -o -selection clipboard")),
    ("asking the server", ("xset", "q")),
    ("asking for a window", ("xprop", "-root")),
    ("a backup reads a capture tool", ("cat", "/usr/bin/scrot")),
    ("a film is converted", (*FFMPEG, "-f", "lavfi", "-i", "color=red:s=64x64:d=1", "{OUT}/a.mkv")),
    ("a picture is converted", ("convert", "xc:red", "{OUT}/a.png")),
    ("an interpreter without the screen", (sys.executable, "-c", "print(1)")),
]


@pytest.mark.parametrize("command", [row[1] for row in ORDINARY], ids=[row[0] for row in ORDINARY])
def test_ordinary_work_is_no_report(stage: Stage, command: tuple[str, ...]) -> None:
    filled = _filled(stage.folder, stage.shown, command)
    if shutil.which(filled[0]) is None:
        pytest.skip(f"{filled[0]} is not here")
    stage.run(*filled)
    assert stage.quiet() == []


FORKS = """
import ctypes, os, time
ctypes.CDLL("libX11.so.6")
if child := os.fork():
    os.waitpid(child, 0)
else:
    time.sleep(0.06)
    os.execv("/bin/sh", ["sh", "-c", "sleep 0.05"])
"""


def test_a_child_that_becomes_another_program_while_it_is_looked_at_is_no_report(
    shown: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a terminal starts a shell: until then the child has the terminal's libraries, and afterwards the shell's name."""
    script = tmp_path / "terminal"
    script.write_text(FORKS)
    blanks: list[bool] = []
    sensor = CapturesSensor(
        lambda: True,
        lambda: True,
        blanks.append,
        allowed=[os.path.realpath(sys.executable)],
        own_pids=(os.getpid(),),
        environment=shown.environment,
    )
    stage = Stage(shown, sensor, tmp_path, blanks=blanks, page=True)
    met: list[int] = []
    speaks = programs.speaks_x11

    def speaks_until_it_is_another(pid: int) -> bool:
        said, name = speaks(pid), programs.executable(pid)
        with suppress(OSError, IndexError):  # it is gone
            parent = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[1]
            if said and not met and programs.arguments(int(parent))[:1] == [str(script)]:
                _until(lambda: programs.executable(pid) != name)
                met.append(pid)
        return said

    monkeypatch.setattr(programs, "speaks_x11", speaks_until_it_is_another)
    try:
        _until(lambda: _works(sensor, stage.signals.put))
        while not met:  # a busy machine may be too late for it
            stage.run(sys.executable, str(script))
        assert stage.quiet() == []
    finally:
        sensor.stop()


def test_a_capture_of_another_display_is_not_ours(stage: Stage, tmp_path: Path) -> None:
    with x_server(tmp_path / "other") as other:
        stage.run("scrot", "-o", f"{stage.folder}/a.png", **other.environment)
        assert stage.quiet() == []


class _Officers(CapturesSensor):
    """Watches as an ordinary account does, to which other accounts' programs do not show themselves."""

    def _run(self) -> None:
        set_this_threads = {"x86_64": 117, "aarch64": 147}[os.uname().machine]  # setresuid(2); the library's sets every thread's
        assert ctypes.CDLL(None).syscall(set_this_threads, *[pwd.getpwnam("nobody").pw_uid] * 3) == 0
        super()._run()


@pytest.mark.skipif("os.geteuid() != 0", reason="needs two accounts")
@pytest.mark.parametrize("is_ours", [False, True], ids=["at another display", "at ours"])
def test_a_tool_that_another_account_runs_is_no_report_but_at_our_display(shown: Screen, tmp_path: Path, *, is_ours: bool) -> None:
    page = [False]
    blanks: list[bool] = []
    sensor = _Officers(lambda: page[0], lambda: True, blanks.append, own_pids=(os.getpid(),), environment=shown.environment)
    stage = Stage(shown, sensor, tmp_path, blanks=blanks)
    folder = Path("/var/tmp") / f"casevault-other-account-{os.getpid()}"
    with x_server(folder, account="daemon") as other:
        out = folder / "a.png"
        shutil.copy(shown.authority, folder / "ours")
        shutil.chown(folder / "ours", "daemon")
        environment = {**shown.environment, "XAUTHORITY": str(folder / "ours")} if is_ours else other.environment
        try:
            _until(lambda: _works(sensor, stage.signals.put))
            page[0] = True
            _until(lambda: sensor.self_test().state is ProtectionState.DETECTED)
            subprocess.run(["scrot", "-o", out], env={**os.environ, **environment}, user="daemon", check=True, capture_output=True)
            if is_ours:
                signal = stage.signal()
                assert (signal.kind, dict(signal.facts)["process"], dict(signal.facts)["because"]) == (UNKNOWN, "scrot", "unreadable")
                page[0] = False
            assert stage.quiet() == []
            assert blanks[:1] == [True]
        finally:
            sensor.stop()
    shutil.rmtree(folder)


def test_nothing_is_reported_while_no_page_is_shown(stage: Stage) -> None:
    stage.page = False
    stage.run("scrot", "-o", f"{stage.folder}/a.png")
    assert stage.quiet() == []
    assert stage.blanks == []


def test_another_screen_is_reported(stage: Stage) -> None:
    stage.run("xrandr", "--setmonitor", "second", "640/100x480/100+640+0", "none")
    try:
        assert stage.signal().kind is SignalKind.DISPLAY_ADDED
    finally:
        stage.run("xrandr", "--delmonitor", "second")


def test_the_owner_of_a_selection_is_named_and_nobody_is_nobody(stage: Stage) -> None:
    assert stage.sensor.selection_owner(primary=True) == (("owner", "nobody"),)
    owner = subprocess.Popen(
        ["xclip", "-i", "-quiet", "-selection", "primary", "/etc/hostname"], env=stage.environment, stderr=subprocess.DEVNULL
    )
    try:
        _until(lambda: "pid" in dict(stage.sensor.selection_owner(primary=True)))
        assert dict(stage.sensor.selection_owner(primary=True))["pid"] == owner.pid
    finally:
        owner.kill()
        owner.wait()
    _until(lambda: stage.sensor.selection_owner(primary=True) == (("owner", "nobody"),))


# -- casts -------------------------------------------------------------------------------------------------------------------------------

CALLER = """
import sys
from jeepney import DBusAddress, MessageFlag, new_method_call
from jeepney.io.blocking import open_dbus_connection
with open_dbus_connection("SESSION") as bus:
    call = new_method_call(DBusAddress("/org/freedesktop/portal/desktop", sys.argv[1], sys.argv[2]), sys.argv[3])
    call.header.flags |= MessageFlag.no_reply_expected
    bus.send(call)
    sys.stdin.readline()
"""


@pytest.mark.skipif("DBUS_SESSION_BUS_ADDRESS" not in os.environ, reason="needs a session bus")
@pytest.mark.parametrize(
    ("interface", "member", "reported"),
    [
        ("org.freedesktop.portal.ScreenCast", "Start", True),
        ("org.gnome.Mutter.ScreenCast", "CreateSession", True),
        ("org.freedesktop.portal.Screenshot", "Screenshot", True),
        ("org.freedesktop.portal.FileChooser", "OpenFile", False),
    ],
)
def test_a_screen_handed_out_by_the_desktop_is_reported(interface: str, member: str, *, reported: bool) -> None:
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    monitor = CastMonitor(lambda: True, Vouching((), (os.getpid(),)))
    _until(lambda: _listens(monitor, signals.put))
    with open_dbus_connection("SESSION") as desktop:  # whom the call goes to: the portal's place need not be taken for it
        caller = subprocess.Popen([sys.executable, "-c", CALLER, desktop.unique_name, interface, member], stdin=subprocess.PIPE)
        try:
            if reported:
                facts = dict(signals.get(timeout=PATIENCE_SECONDS).facts)
                assert (facts["interface"], facts["call"], facts["pid"]) == (interface, member, caller.pid)
            else:
                desktop.receive(timeout=PATIENCE_SECONDS)
            assert monitor.works(), "what came before the probe has been looked at"
            assert signals.empty()
        finally:
            caller.communicate(b"")
            monitor.stop()


def _listens(monitor: CastMonitor, emit: Emit) -> bool:
    monitor.start(emit)
    return monitor.works()


# -- Wayland -----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wayland() -> Iterator[dict[str, str]]:
    if shutil.which("sway") is None:
        pytest.skip("sway is not here")
    folder = Path("/var/tmp") / f"casevault-wayland-{os.getpid()}"
    with wayland_session(folder) as variables:
        yield variables
    shutil.rmtree(folder, ignore_errors=True)


# Which of the session's variables a desk has, and what it says of the session itself.
SESSIONS = [
    ("its own window", ("WAYLAND_DISPLAY",), {}),
    ("by the compositor's X server", ("WAYLAND_DISPLAY", "DISPLAY"), {"XDG_SESSION_TYPE": "wayland"}),
    ("by that server, and no word of Wayland", ("DISPLAY",), {}),
    ("by that server, called X11's", ("WAYLAND_DISPLAY", "DISPLAY"), {"XDG_SESSION_TYPE": "x11"}),
]


@pytest.mark.parametrize(("names", "said"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
def test_in_a_wayland_session_nothing_is_promised_and_a_known_tool_is_noticed(
    wayland: dict[str, str], tmp_path: Path, names: tuple[str, ...], said: dict[str, str]
) -> None:
    environment = {name: wayland[name] for name in ("XDG_RUNTIME_DIR", *names)} | said
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    blanks: list[bool] = []
    page = [False]
    sensor = CapturesSensor(lambda: page[0], lambda: True, blanks.append, own_pids=(os.getpid(),), environment=environment)
    keys = SyntheticInputSensor(lambda: True, environment=environment)
    try:
        for one in (sensor, keys):
            one.start(signals.put)
            status = one.self_test()
            assert status.state is ProtectionState.UNAVAILABLE, status
            assert status.reason in ("casts-only", "wayland"), status
        sensor.require_private()
        page[0] = True
        elsewhere = [sys.executable, "-c", "import ctypes, time; ctypes.CDLL('libX11.so.6'); time.sleep(0.3)"]
        subprocess.run(elsewhere, env={**os.environ, "DISPLAY": ":4711"}, check=True)
        assert blanks == [], "a program of another display is not looked at"
        subprocess.run(["grim", str(tmp_path / "a.png")], env={**os.environ, **wayland}, check=True)
        signal = signals.get(timeout=PATIENCE_SECONDS)
        assert blanks == [True], "the page goes before the report"
        assert signal.kind is TOOL
        assert dict(signal.facts)["process"] in ("grim", "?"), "it may be gone before it can be named"
        assert signals.empty(), "one program, one signal"
    finally:
        sensor.stop()
        keys.stop()


# -- input -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keys", "device"), [(("key", "a"), "XTEST keyboard"), (("click", "1"), "XTEST pointer")])
def test_input_by_a_program_is_reported_without_the_key(shown: Screen, keys: tuple[str, ...], device: str) -> None:
    signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
    sensor = SyntheticInputSensor(lambda: True, environment=shown.environment)
    try:
        _until(lambda: _works(sensor, signals.put))
        subprocess.run(["xdotool", *keys], env={**os.environ, **shown.environment}, check=True)
        signal = signals.get(timeout=PATIENCE_SECONDS)
        facts = dict(signal.facts)
        assert signal.kind is SignalKind.SYNTHETIC_INPUT
        assert str(facts["device"]).endswith(device)
        assert set(facts) == {"device", "count"}
    finally:
        sensor.stop()


def test_a_station_may_leave_it_out(shown: Screen) -> None:
    sensor = SyntheticInputSensor(lambda: True, wanted=False, environment=shown.environment)
    sensor.start(lambda signal: pytest.fail(str(signal)))
    assert (sensor.self_test().state, sensor.self_test().reason) == (ProtectionState.UNAVAILABLE, "set-off")
    sensor.stop()


# -- the whole desk ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk_display() -> Iterator[Screen]:
    """The desk's display is its own: to the sensors of the other tests it would be an unknown program at theirs."""
    folder = Path("/var/tmp") / f"casevault-captured-desk-{os.getpid()}"
    with x_server(folder) as made:
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def desk(desk_display: Screen) -> Iterator[CapturedDesk]:
    vault, second_factors = found(desk_display.folder / "station")
    made = CapturedDesk(vault, second_factors, desk_display)
    yield made
    made.close()


SHOTS = 30
Tool = tuple[str, tuple[str, ...], str]  # name, command, the picture's kind
STOCK: list[Tool] = [
    ("scrot", ("scrot", "-o", "{OUT}"), ".png"),
    ("import", ("import", "-window", "root", "{OUT}"), ".png"),
    ("xwd", ("xwd", "-root", "-silent", "-out", "{OUT}"), ".xwd"),
    ("ffmpeg", (*FFMPEG, "-f", "x11grab", "-i", "{D}", "-frames:v", "1", "{OUT}"), ".png"),
]
OTHERS: list[Tool] = [
    ("renamed scrot", ("{COPY:scrot}", "-o", "{OUT}"), ".png"),
    ("renamed xwd", ("{COPY:xwd}", "-root", "-silent", "-out", "{OUT}"), ".xwd"),
    ("renamed ffmpeg", ("{COPY:ffmpeg}", *FFMPEG[1:], "-f", "x11grab", "-i", "{D}", "-frames:v", "1", "{OUT}"), ".png"),
    ("home-made", (*GRABBER, "{OUT}"), ".ppm"),
]


def _shoot(desk: CapturedDesk, desk_display: Screen, folder: Path, tool: Tool) -> bool:
    """One shot at a page: whether the picture holds it. The capture must end the reading and be in a report."""
    name, command, suffix = tool
    answer = desk.show()
    assert answer["shown"], json.dumps([one for one in desk.heard[-12:] if "protections" not in one])
    _until(desk_display.shows_page)
    out = folder / f"shot{suffix}"
    out.unlink(missing_ok=True)
    filled = _filled(folder, desk_display, command, out)
    environment = {**os.environ, **desk_display.environment, "PYTHONPATH": str(ROOT)}
    subprocess.run(filled, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=60)
    wanted = TOOL if name in {one[0] for one in STOCK} else UNKNOWN
    told = desk.wait(lambda one: one.get("breach") == wanted.value)
    assert told["containment"] == "recall"
    assert desk.wait(lambda one: "ended" in one)["ended"] == "contained"
    return holds_page(out)


@pytest.mark.parametrize("tool", STOCK, ids=[one[0] for one in STOCK])
def test_a_shot_at_the_desk_ends_the_reading(
    desk: CapturedDesk, desk_display: Screen, tmp_path: Path, tool: tuple[str, tuple[str, ...], str]
) -> None:
    """Every shot is a report; how many hold the page on an idle machine is the slow test's."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not here")
    for _ in range(2):
        _shoot(desk, desk_display, tmp_path, tool)
    assert not desk_display.shows_page()


def test_the_desk_shows_no_page_beside_a_recorder(desk: CapturedDesk, desk_display: Screen, tmp_path: Path) -> None:
    environment = {**os.environ, **desk_display.environment, "PYTHONPATH": str(ROOT)}
    recorder = subprocess.Popen([*GRABBER, str(tmp_path / "a.ppm"), "3600"], env=environment, cwd=ROOT)
    try:
        _until((tmp_path / "a.ppm").exists)
        answer = desk.show()
        assert not answer["shown"]
        assert str(recorder.pid) in " ".join(answer["told"]), "the officer is told which program"
        assert not desk_display.shows_page()
    finally:
        recorder.kill()
        recorder.wait()
    _until(lambda: bool(desk.show()["shown"]))
    subprocess.run(["scrot", "-o", str(tmp_path / "a.png")], env=environment, check=True)  # ends the reading for who comes next
    desk.wait(lambda one: "ended" in one)


@pytest.mark.slow
def test_the_desk_covers_a_page_that_nobody_watches_any_more(desk: CapturedDesk, desk_display: Screen) -> None:
    """Another client keeps the server for itself until the sensor has given it up; the page was not to stay until the next self-test.

    While it keeps it nobody paints. The interface is told to cover the page then, but may itself be waiting for the server, and hears of it
    when that is let go. A page that it asks for meanwhile is refused, and then there is nothing left to cover.
    """
    _until(lambda: bool(desk.show()["shown"]))
    start = len(desk.heard)
    with closing(Connection(desk_display.environment)) as other:
        other._send(36, 0, b"")
        other.screen_size_px()  # a round trip: it is taken
        time.sleep(7.0)
        other._send(37, 0, b"")
        other.screen_size_px()
    desk.quiet(1.0)
    assert any(one.get("blanked") for one in desk.heard[start:]), desk.heard[start:]
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        assert not desk_display.shows_page(), "nobody watches yet"
        time.sleep(0.05)


@pytest.mark.measured
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("painted_by", ["the server", "a manager that fades windows in"])
def test_thirty_shots_a_tool(desk: CapturedDesk, desk_display: Screen, tmp_path: Path, painted_by: str) -> None:
    """Stock tools, painted by the server: the page in at most 2 of 30 shots. What renamed and home-made ones get, and what stock tools
    get under a manager, which takes a share of the processor, is published and not bounded; each shot ends the reading in any case."""
    manager = None
    if painted_by != "the server":
        command = ["picom", "--config", "/dev/null", "--backend", "xrender", "--fading"]
        manager = subprocess.Popen(command, env={**os.environ, **desk_display.environment}, stderr=subprocess.DEVNULL)
        with closing(Connection(desk_display.environment)) as asking:
            _until(asking.is_composited)
    table = {}
    try:
        for tool in (*STOCK, *OTHERS):
            if shutil.which(tool[1][0]) is not None or tool in OTHERS:
                table[tool[0]] = sum(_shoot(desk, desk_display, tmp_path, tool) for _ in range(SHOTS))
    finally:
        if manager is not None:
            manager.kill()
            manager.wait()
    out = ROOT / "build" / "captures.json"
    out.parent.mkdir(exist_ok=True)
    load = os.getloadavg()[0]
    said = json.loads(out.read_text()) if out.exists() else {}
    out.write_text(json.dumps({**said, painted_by: {"shots": SHOTS, "load": load, "with_page": table}}, indent=2) + "\n")
    print(f"shots with the page, of {SHOTS}, painted by {painted_by} (load {load}): {table}")
    assert manager is not None or all(table[name] <= 2 for name, _command, _suffix in STOCK if name in table), table
