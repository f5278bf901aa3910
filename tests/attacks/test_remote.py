"""Screens that are forwarded or served: a real X server, real relays, a real x11vnc; and what is none of our business (V25-V27, V32)."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.desk_driver import DeskDriver
from tests.station import Station
from ui import bridge
from vault.domain.breach import Signal, SignalKind, TriageState
from vault.domain.protection import ProtectionState
from vault.platform import environment as desk_environment
from vault.platform.secret_service import open_secret_keeper
from vault.sensors import screen
from vault.sensors.remote import RemoteSensor
from vault.sensors.screen import How

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="X, /proc and sock_diag are Linux"), pytest.mark.alone]

PATIENCE_SECONDS = 20
QUIET_SECONDS = 1.5  # three polls


@dataclass
class Server:
    """An X server of the test's own, on a display of its own."""

    process: subprocess.Popen[bytes]
    number: int

    @property
    def environment(self) -> dict[str, str]:
        return {"DISPLAY": f":{self.number}", screen.PLATFORM_VARIABLE: "xcb"}


def start_server(*options: str) -> Server:
    read, write = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-ac", *options],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        return Server(process, int(told.readline()))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = start_server("-listen", "tcp")
    yield made
    end(made.process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@dataclass
class Stage:
    sensor: RemoteSensor
    signed_in: bool = True
    signals: queue.SimpleQueue[Signal] = field(default_factory=queue.SimpleQueue)

    def next(self) -> dict[str, str | int]:
        signal = self.signals.get(timeout=PATIENCE_SECONDS)
        assert signal.kind is SignalKind.REMOTE_SESSION
        return dict(signal.facts)

    def quiet(self) -> None:
        """Long enough for a program that is just starting."""
        with pytest.raises(queue.Empty):
            self.signals.get(timeout=QUIET_SECONDS)

    def looked(self) -> None:
        """Three polls at once, where no program is starting: each test of itself has the sensor look."""
        for _ in range(4):
            assert self.sensor.self_test().state is ProtectionState.DETECTED
        assert self.signals.empty()


@contextlib.contextmanager
def watching(environment: Mapping[str, str], *, signed_in: bool = True) -> Iterator[Stage]:
    made: list[Stage] = []
    sensor = RemoteSensor(environment, lambda: made[0].signed_in)
    made.append(Stage(sensor, signed_in))
    sensor.start(made[0].signals.put)
    assert sensor.self_test().state is ProtectionState.DETECTED
    try:
        yield made[0]
    finally:
        sensor.stop()


@contextlib.contextmanager
def running(*command: str, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    try:
        yield process
    finally:
        end(process)


def wait_until_there(number: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while screen.examine({"DISPLAY": f":{number}"}) and screen.examine({"DISPLAY": f":{number}"})[0].by == "no-local-display":
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ---- where the screen is, at the start ---------------------------------------------------------------------------------------------------

FORWARDED: Sequence[tuple[str, str, str, str]] = [
    # attack, DISPLAY ({n}: a real server that listens on TCP too), Qt's platform, the evidence
    ("an address", "127.0.0.1:{n}", "xcb", "display-host"),
    ("a name, as ssh -X sets it", "localhost:{n}.0", "xcb", "display-host"),
    ("another machine", "elsewhere:0", "xcb", "display-host"),
    ("by protocol", "tcp/127.0.0.1:{n}", "xcb", "display-host"),
    ("version 6", "::1:{n}", "xcb", "display-host"),
    ("no socket here, so the library goes on to TCP", ":98765", "xcb", "no-local-display"),
    ("nonsense", "nonsense", "xcb", "display-unreadable"),
    ("a socket of one's own, by its path", "/home/kit/relay:{n}", "xcb", "display-unreadable"),
    ("a protocol that nobody knows before a local name", "x/unix:{n}", "xcb", "display-host"),
    ("Qt's own VNC server", ":{n}", "vnc", "qt-platform"),
    ("Qt's own VNC server with settings", ":{n}", "vnc:port=5917", "qt-platform"),
]


@pytest.mark.parametrize(("display", "platform", "by"), [row[1:] for row in FORWARDED], ids=[row[0] for row in FORWARDED])
def test_a_forwarded_screen_is_refused(server: Server, display: str, platform: str, by: str) -> None:
    environment = {"DISPLAY": display.format(n=server.number), screen.PLATFORM_VARIABLE: platform}
    refused = RemoteSensor(environment, lambda: False).refusal()
    assert refused is not None
    assert (refused.how, refused.by) == (How.FORWARDED, by)
    assert "elsewhere" not in repr(refused.as_facts()), "no name of a host"


@pytest.mark.parametrize("display", [":{n}", ":{n}.0", "unix:{n}"])
def test_a_local_screen_is_not_refused(server: Server, display: str) -> None:
    environment = {"DISPLAY": display.format(n=server.number), screen.PLATFORM_VARIABLE: "xcb"}
    assert RemoteSensor(environment, lambda: False).refusal() is None
    assert screen.display_number(environment) == server.number


def test_a_relay_behind_a_local_display_is_refused(server: Server) -> None:
    """What looks like a local display is a program that hands everything on: socat to the TCP port of a real server."""
    number = 6100 + server.number
    listen, connect = f"UNIX-LISTEN:{screen.X_SOCKETS}{number},fork", f"TCP:127.0.0.1:{6000 + server.number}"
    try:
        with running("socat", listen, connect):
            wait_until_there(number)
            refused = RemoteSensor({"DISPLAY": f":{number}", screen.PLATFORM_VARIABLE: "xcb"}, lambda: False).refusal()
            assert refused is not None
            assert (refused.how, refused.by, dict(refused.facts)["process"]) == (How.FORWARDED, "relay", "socat")
    finally:
        Path(f"{screen.X_SOCKETS}{number}").unlink(missing_ok=True)


@pytest.mark.parametrize("is_hidden", [False, True], ids=["plain", "that cannot be looked at"])
def test_a_relay_of_ones_own_is_refused_whatever_it_is_called(server: Server, *, is_hidden: bool) -> None:
    number = 7100 + server.number
    program = Path("/var/tmp") / f"casevault-{os.getpid()}" / "Xorg"  # where another account finds it
    program.parent.mkdir(mode=0o755)
    try:
        shutil.copy(os.path.realpath(shutil.which("socat") or ""), program)
        if is_hidden:
            program.chmod(0o111)  # what nobody may read is run so that nobody may look at it
        listen, connect = f"ABSTRACT-LISTEN:{screen.X_SOCKETS}{number},fork", f"UNIX-CONNECT:{screen.X_SOCKETS}{server.number}"
        relay = subprocess.Popen([program, listen, connect], user="nobody" if os.geteuid() == 0 else None)
        try:
            wait_until_there(number)
            refused = RemoteSensor({"DISPLAY": f":{number}", screen.PLATFORM_VARIABLE: "xcb"}, lambda: False).refusal()
            assert refused is not None
            assert (refused.how, refused.by) == (How.FORWARDED, "relay")
        finally:
            end(relay)
    finally:
        shutil.rmtree(program.parent)


def test_a_relay_under_the_name_of_the_systems_server_is_refused(server: Server) -> None:
    """In a user namespace of its own a program may put its own file over the server's, and is then called so by the kernel."""
    number = 8100 + server.number
    named = os.path.realpath(shutil.which("Xvfb") or "")
    put = f'mount --bind "$(realpath "$(command -v socat)")" {named} && exec {named} "$@"'
    listen, connect = f"ABSTRACT-LISTEN:{screen.X_SOCKETS}{number},fork", f"UNIX-CONNECT:{screen.X_SOCKETS}{server.number}"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", put, "sh", listen, connect]
    relay = subprocess.Popen(command, user="nobody" if os.geteuid() == 0 else None)
    try:
        wait_until_there(number)
        assert Path(f"/proc/{relay.pid}/exe").readlink() == Path(named)
        refused = RemoteSensor({"DISPLAY": f":{number}", screen.PLATFORM_VARIABLE: "xcb"}, lambda: False).refusal()
        assert refused is not None
        assert (refused.how, refused.by) == (How.FORWARDED, "relay")
    finally:
        end(relay)


def test_what_tells_of_the_screen_reaches_the_vault() -> None:
    """Through the launcher's list, which is the desk's, and the interface's."""
    asked_for = set(screen.VARIABLES) - {screen.PLATFORM_VARIABLE}
    assert asked_for <= desk_environment.KEPT
    assert asked_for <= set(bridge._KEPT_ENVIRONMENT)


@pytest.mark.parametrize("variable", ["XRDP_SESSION", "XRDP_SOCKET_PATH", "VNCDESKTOP", "X2GO_SESSION", "CHROME_REMOTE_DESKTOP_SESSION"])
def test_a_session_that_a_remote_desktop_made_is_refused(server: Server, variable: str) -> None:
    refused = RemoteSensor({**server.environment, variable: "1"}, lambda: False).refusal()
    assert refused is not None
    assert (refused.how, refused.by) == (How.SERVED, "variable")


def test_a_remote_login_is_reported_and_not_refused(server: Server) -> None:
    environment = {**server.environment, "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.8 22"}
    assert RemoteSensor(environment, lambda: False).refusal() is None
    with watching(environment) as stage:
        facts = stage.next()
        assert (facts["how"], facts["variable"]) == ("remote-login", "SSH_CONNECTION")
        assert "192.0.2" not in repr(facts)


@pytest.mark.usefixtures("secret_service")
def test_the_desk_itself_refuses_and_reports(server: Server, staffed: Station, tmp_path: Path) -> None:
    """The real desk on a real forwarded display: a sentence instead of the sign-in, and a report in the vault."""
    station = staffed.copy_to(tmp_path / "vault")
    vault_id = station.vault.world.station.vault_id
    keeper = open_secret_keeper(vault_id)
    station.into_keyring(keeper)
    station.close()
    try:
        desk = DeskDriver(station.directory, environment={"DISPLAY": f"127.0.0.1:{server.number}", "XAUTHORITY": "/dev/null"})
        try:
            desk.wait("show cannot_open", seconds=60)
            assert not any(step.name in {"desk", "shell", "reader"} for step in desk.steps)
        finally:
            desk.close()
        states = [row.state for row in station.vault.store.breaches(list(TriageState), 10)]
        assert [state.officer_id for state in states if state.kind is SignalKind.REMOTE_SESSION] == [None]
    finally:
        station.close()
        for name in station.keeper._values:
            keeper.erase(name)


# ---- programs that serve the screen ------------------------------------------------------------------------------------------------------


def vnc(program: str, display: int, *options: str) -> tuple[str, ...]:
    return (program, "-display", f":{display}", "-localhost", "-forever", "-nopw", "-quiet", "-noxdamage", *options)


def free_port() -> int:
    return 20000 + os.getpid() % 20000


SERVED: Sequence[tuple[str, str, int, str]] = [
    # attack, name of the program, port (0: any), the evidence
    ("x11vnc", "x11vnc", 5950, "program"),
    ("x11vnc on another port", "x11vnc", 0, "program"),
    ("renamed, on its port", "calculator", 5951, ""),
    ("renamed, on another port", "calculator", 0, "library"),
]


@pytest.mark.parametrize(("name", "port", "by"), [row[1:] for row in SERVED], ids=[row[0] for row in SERVED])
def test_a_program_that_serves_the_screen_is_reported(server: Server, tmp_path: Path, name: str, port: int, by: str) -> None:
    original = shutil.which("x11vnc")
    assert original is not None, "packaging/apt-packages.txt [attacks]"
    program = original
    if name != "x11vnc":
        program = str(tmp_path / name)
        shutil.copy(original, program)
    with watching(server.environment) as stage:
        stage.looked()
        with running(*vnc(program, server.number, "-rfbport", str(port or free_port()))) as process:
            facts = stage.next()
            assert (facts["how"], facts["process"], facts["pid"]) == ("served", name[:15], process.pid)
            if by:
                assert facts["by"] == by
        stage.looked()


def test_it_is_noticed_before_anybody_signs_in_and_told_then(server: Server) -> None:
    with running(*vnc("x11vnc", server.number, "-rfbport", str(free_port()))), watching(server.environment, signed_in=False) as stage:
        stage.quiet()
        stage.signed_in = True
        assert stage.next()["process"] == "x11vnc"
        stage.looked()  # once, and again only after a minute
        stage.signed_in = False
        stage.looked()
        stage.signed_in = True
        assert stage.next()["process"] == "x11vnc"


def test_a_server_of_another_screen_is_none_of_our_business(server: Server) -> None:
    other = start_server("-nolisten", "tcp")
    try:
        with watching(server.environment) as stage, running(*vnc("x11vnc", other.number, "-rfbport", str(free_port()))):
            stage.quiet()
    finally:
        end(other.process)


PEACEFUL: Sequence[tuple[str, tuple[str, ...]]] = [
    ("a program listening on a port", (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0")),
    ("a program listening on a remote desktop's port", (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "5955")),
    ("a client of the screen", ("xdotool", "search", "--sync", "--name", "no such window")),
    ("a shell", ("sh", "-c", "while :; do sleep 0.1; done")),
]


@pytest.mark.parametrize("command", [row[1] for row in PEACEFUL], ids=[row[0] for row in PEACEFUL])
def test_other_programs_are_not_reported(server: Server, command: tuple[str, ...]) -> None:
    with watching(server.environment) as stage, running(*command, environment={"DISPLAY": f":{server.number}"}):
        stage.quiet()


def test_watching_costs_little(server: Server) -> None:
    with watching(server.environment) as stage:
        began = time.process_time()
        stage.sensor._look()
        before = time.process_time()
        for _ in range(20):
            stage.sensor._look()
        per_second = (time.process_time() - before) / 20 * 2
        assert before - began < 1.0
        assert per_second < 0.05, "a hundredth of a core is measured in the bench; this only catches a blunder"
