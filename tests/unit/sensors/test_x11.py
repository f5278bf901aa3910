"""Every question of the X11 client, asked of a real server; and who vouches for which program."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.attacks.capture_stage import ROOT
from tests.screen import Screen, x_server
from vault.sensors import capture_tools, programs, x11_clients
from vault.sensors.capture_tools import Use
from vault.sensors.programs import Standing, Vouching
from vault.sensors.x11_clients import ClientLedger
from vault.sensors.x11_wire import Connection, X11Error

needs_display = pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs a display")


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made.close()


@needs_display
def test_the_server_names_clients_by_process(connection: Connection) -> None:
    other = Connection()
    mine = {one.base for one in connection.clients() if one.pid == os.getpid()}
    assert {connection.base, other.base} <= mine
    other.close()


@needs_display
def test_the_server_says_how_large_it_is_and_what_there_is(connection: Connection) -> None:
    width, height = connection.screen_size_px()
    (monitor, *_more) = connection.monitors()
    assert 0 < monitor.width_px <= width
    assert 0 < monitor.height_px <= height
    assert [one for one in connection.devices() if "XTEST" in one.name]
    assert connection.read_events() == ()


def test_the_curtain_covers_the_screen_and_goes_with_its_connection(tmp_path: Path) -> None:
    def is_black(shown: Screen) -> bool:
        picture = shown.grab()
        return picture.convert("L").getextrema() == (0, 0)

    with x_server(tmp_path / "display") as shown, closing(Connection(shown.environment)), closing(Connection(shown.environment)) as other:
        subprocess.run(["xsetroot", "-solid", "#ff00cc"], check=True, env={**os.environ, **shown.environment})
        size = other.screen_size_px()
        for _ in range(2):
            assert not is_black(shown)
            other.draw_curtain(*size)
            other.settle_curtain()
            other.screen_size_px()  # a round trip: it was drawn
            assert is_black(shown)
            other.lift_curtain()
            other.screen_size_px()
        other.draw_curtain(*size)
        other.close()
        deadline = time.monotonic() + 10
        while is_black(shown):
            assert time.monotonic() < deadline, "the curtain outlived its connection"
            time.sleep(0.01)


FRAMES = """
import sys
from tests.unit.sensors.test_x11 import window_in
from vault.sensors.x11_wire import Connection
frames = Connection()
print(window_in(frames, window_in(frames, frames._root)), flush=True)
sys.stdin.read()
"""
FADING = ["picom", "--config", "/dev/null", "--backend", "xrender", "--fading", "--fade-in-step", "0.01", "--fade-delta", "100"]
ONLY_NEW_ONES = ["--fade-exclude", "!override_redirect"]  # the curtain, and not the page: the test would wait for it
GREEN, PINK, BLUE = 0x00FF00, 0xFF00CC, 0x0000FF
PATIENCE_SECONDS = 30.0
LOOKS = 20


def window_in(connection: Connection, parent: int, colour: int = GREEN, left_px: int = 0, *, fades: bool = False) -> int:
    """A window of one colour, 600 x 400."""
    made = connection._new_id()
    connection._send(1, 0, struct.pack("<IIhhHHHHIIII", made, parent, left_px, 0, 600, 400, 0, 1, 0, 1 << 1 | 1 << 9, colour, fades))
    connection._send(8, 0, struct.pack("<I", made))
    connection.screen_size_px()  # a round trip: it is there
    return made


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def is_blue(shown: Screen) -> bool:
    """Whether the blue window is there, above a grey that fades to black: the first step of its own fading in counts."""
    red, green, blue = shown.grab().crop((700, 100, 1200, 300)).resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return bool(blue > max(red, green))


def test_what_a_manager_that_fades_windows_in_paints_after_the_curtain_is_black(tmp_path: Path) -> None:
    with x_server(tmp_path / "display") as shown, ExitStack() as stack:
        ours, other, curtain = (stack.enter_context(closing(Connection(shown.environment))) for _ in range(3))
        environment = {**os.environ, **shown.environment, "PYTHONPATH": str(ROOT)}
        picom = subprocess.Popen([*FADING, *ONLY_NEW_ONES], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(picom.wait)
        stack.callback(picom.kill)
        frames = subprocess.Popen([sys.executable, "-c", FRAMES], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(frames.communicate)
        until(ours.is_composited, "the manager runs")
        assert frames.stdout is not None
        window_in(ours, int(frames.stdout.readline()), PINK)  # as a window manager has it: in a frame in a frame
        us = (os.getpid(),)
        for before, after, is_hidden in (((), (), False), ((), us, True), (us, (), True)):  # the first is what it is against
            until(lambda: shown.shows_page() and not is_blue(shown), "the page is there, and what was blue before is gone")
            curtain.look_for_windows(before)
            curtain.draw_curtain(*curtain.screen_size_px())
            curtain.settle_curtain(after)
            # The manager paints when something changes, and not only what it was at when the curtain fell: this shows that it has. It fades
            # in, as the curtain does: picom 12 does not paint one that stands still above one that fades.
            late = window_in(other, other._root, BLUE, 650, fades=True)
            until(lambda: is_blue(shown), "the manager painted")
            looks = [shown.shows_page() for _ in range(LOOKS)]
            assert any(looks) is not is_hidden
            other._send(4, 0, struct.pack("<I", late))
            curtain.lift_curtain()
            curtain.screen_size_px()


@needs_display
def test_a_selection_that_does_not_exist_has_no_owner(connection: Connection) -> None:
    assert connection.selection_owner_pid("CASEVAULT_NOBODYS") is None


@pytest.mark.parametrize("display", ["", "host:0", "127.0.0.1:10.0", "localhost:0", ":9999", "nonsense"])
def test_only_a_local_display_that_answers(display: str) -> None:
    with pytest.raises(X11Error):
        Connection({"DISPLAY": display, "HOME": "/nonexistent"})


@needs_display
def test_a_wrong_cookie_is_refused_or_the_server_asks_for_none(tmp_path: Path) -> None:
    number = os.environ["DISPLAY"].rpartition(":")[2].partition(".")[0].encode()
    fields = (b"", number, b"MIT-MAGIC-COOKIE-1", bytes(16))
    entry = b"\xff\xff" + b"".join(len(one).to_bytes(2, "big") + one for one in fields)
    (tmp_path / "authority").write_bytes(entry)
    refused = None
    try:
        Connection({"DISPLAY": os.environ["DISPLAY"], "XAUTHORITY": str(tmp_path / "authority")}).close()
    except X11Error as error:
        refused = str(error)
    assert refused is None or "refused" in refused


@needs_display
def test_a_ledger_tells_of_a_client_once(connection: Connection) -> None:
    ledger = ClientLedger(Vouching((), ()))
    first = [one for one in ledger.look(connection) if one.client.base == connection.base]
    assert [(one.is_new, one.program.standing) for one in first] == [(True, Standing.STRANGER)], "this Python is nobody's system program"
    again = [one for one in ledger.look(connection) if one.client.base == connection.base]
    assert [one.is_new for one in again] == [False]


@needs_display
def test_a_client_that_was_vouched_for_is_looked_at_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library put into it while it runs, or another program executed in its place: its file is not what it was."""
    monkeypatch.setattr(x11_clients, "_AGAIN_SECONDS", 0.0)
    allowed = Vouching((os.path.realpath(sys.executable),), ())
    ledger = ClientLedger(allowed)
    mine = connection.base
    assert mine not in [one.client.base for one in ledger.look(connection)]
    allowed._allowed = frozenset()  # stands for what it has become
    deadline = time.monotonic() + 20
    while True:
        found = [one for one in ledger.look(connection) if one.client.base == mine]
        if found:
            break
        assert time.monotonic() < deadline
    assert [(one.is_new, one.program.standing) for one in found] == [(False, Standing.STRANGER)]


HANDS_ON = """
import os, sys
from vault.sensors.x11_wire import Connection
connection = Connection()
if child := os.fork():
    print(child, flush=True)
    os.execv("/bin/true", ["true"])
sys.stdin.read()
"""


@needs_display
def test_who_holds_a_connection_that_another_one_made_is_found(connection: Connection) -> None:
    """The display tells of a process that has ended, or has become a program of the system's; its child reads the screen."""
    ledger = ClientLedger(Vouching((), (os.getpid(),)))
    ledger.look(connection)
    with subprocess.Popen([sys.executable, "-c", HANDS_ON], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        child = int(maker.stdout.readline())
        deadline = time.monotonic() + 20
        while not [one for one in ledger.look(connection) if one.program.pid == child and one.program.standing is Standing.STRANGER]:
            assert time.monotonic() < deadline
    while child in [one.program.pid for one in ledger.look(connection)]:
        assert time.monotonic() < deadline, "it has ended"


# -- who vouches -------------------------------------------------------------------------------------------------------------------------


@contextmanager
def _echoing(command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that says what it is told, and has said something: it runs."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"up\n")
        process.stdin.flush()
        assert process.stdout.readline(), "it runs"
        yield process
    finally:
        process.kill()
        process.communicate()


def _look(command: list[str], *, allowed: tuple[str, ...] = (), **environment: str) -> tuple[Standing, str]:
    with _echoing(command, {"PATH": "/usr/bin:/bin", **environment}) as process:
        program = Vouching(allowed, ()).look(process.pid)
    return program.standing, program.why


@pytest.fixture
def copy(tmp_path: Path) -> str:
    return shutil.copy(os.path.realpath("/bin/cat"), tmp_path / "cat")


ECHO = "import sys; print(sys.stdin.readline(), flush=True); sys.stdin.readline()"


def test_the_system_vouches_for_its_programs() -> None:
    assert _look(["/bin/cat"]) == (Standing.VOUCHED, "")


def test_nobody_vouches_for_a_copy_and_policy_may(copy: str) -> None:
    assert _look([copy]) == (Standing.STRANGER, "not-system")
    assert _look([copy], allowed=(copy,)) == (Standing.VOUCHED, "")


def test_nobody_vouches_for_an_interpreter_and_policy_may_for_its_script(tmp_path: Path) -> None:
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("no system Python")
    script = tmp_path / "tool.py"
    script.write_text(ECHO)
    assert _look([python, str(script)]) == (Standing.STRANGER, "interpreter")
    assert _look([python, str(script)], allowed=(str(script),)) == (Standing.VOUCHED, "")
    assert _look([python, "-c", ECHO], allowed=(str(script),)) == (Standing.STRANGER, "interpreter")


def test_a_preloaded_library_makes_a_stranger(tmp_path: Path) -> None:
    library = next(Path("/usr/lib").glob("*/libz.so.1"), None)
    if library is None:
        pytest.skip("no library to preload")
    mine = shutil.copy(library.resolve(), tmp_path / "libz.so.1")
    assert _look(["/bin/cat"], LD_PRELOAD=str(mine)) == (Standing.STRANGER, "foreign-library")
    assert _look(["/bin/cat"], LD_PRELOAD=str(library)) == (Standing.VOUCHED, "")


def test_nobody_vouches_for_a_client_in_a_user_namespace_of_its_own() -> None:
    """There it could have mounted its own file over a program of the system's."""
    separate = ["unshare", "--user", "--map-root-user", "--mount", "/bin/cat"]
    if subprocess.run([*separate, "/dev/null"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody have one")
    with _echoing(separate) as process:
        program = Vouching((), ()).look(process.pid, is_client=True)
    assert (program.standing, program.why) == (Standing.STRANGER, "not-system")


def test_code_whose_file_was_deleted_counts_unless_makers_of_code_do_so() -> None:
    line = "7f0000000000-7f0000001000 r-xp 00000000 00:1d 4242                       {}\n"
    judged = {
        path: programs._has_foreign_code(line.format(path).encode())
        for path in (
            "/home/kit/a b.so (deleted)",
            "/tmp/evil.so (deleted)",
            "/usr/lib/gone/libold.so (deleted)",
            "/tmp/.glAb3xYz (deleted)",
        )
    }
    assert list(judged.values()) == [True, True, False, False], judged
    assert not programs._has_foreign_code(line.format("[vdso]").encode() + line.format("/memfd:orcexec (deleted)").encode())
    assert not programs._has_foreign_code(line.replace("r-xp", "r--p").format("/home/kit/notes.txt").encode())


def test_a_process_that_is_gone_is_nobodys_report() -> None:
    done = subprocess.Popen(["/bin/true"])
    done.wait()
    assert Vouching((), ()).look(done.pid).standing is Standing.GONE


def test_nobody_vouches_for_a_client_that_does_not_speak_for_itself_and_policy_may() -> None:
    """A relay: it is at the display without a library of the protocol's."""
    cat = os.path.realpath("/bin/cat")
    with _echoing(["/bin/cat"]) as relay:
        program = Vouching((), ()).look(relay.pid, is_client=True)
        assert (program.standing, program.why) == (Standing.STRANGER, "relay")
        assert Vouching((cat,), ()).look(relay.pid, is_client=True).standing is Standing.VOUCHED
    assert Vouching((), ()).look(relay.pid, is_client=True).standing is Standing.GONE


def test_our_own_and_the_networks() -> None:
    assert Vouching((), (os.getpid(),)).look(os.getpid()).standing is Standing.VOUCHED
    assert Vouching((), ()).look(0).why == "remote"


# -- the table -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("scrot", Use.ALWAYS),
        ("import-im6.q16", Use.ALWAYS),
        ("ffmpeg", Use.AS_CLIENT),
        ("zoom", None),
        ("vlc", Use.IF_TOLD),
        ("firefox-esr", None),
        ("chrome", None),
        ("cat", None),
        ("importer", None),
    ],
)
def test_tools_are_known_by_the_name_of_their_file(name: str, use: Use | None) -> None:
    tool = capture_tools.known(name)
    assert (tool.use if tool is not None else None) is use


def test_every_tool_has_its_reason_and_stands_once() -> None:
    assert all(one.why for one in capture_tools.TOOLS)
    names = [one.name for one in capture_tools.TOOLS]
    assert len(names) == len(set(names))
    assert all("*" not in name.rstrip("*") for name in names)


def test_arguments_tell_a_screen() -> None:
    assert capture_tools.names_a_screen(["-f", "x11grab"])
    assert not capture_tools.names_a_screen(["-i", "film.mkv"])


def test_what_is_watched_exists() -> None:
    assert all(path.is_file() for path in capture_tools.installed())
    assert Path(sys.executable).resolve() not in capture_tools.installed()


WRAPPED = """
import subprocess
from pathlib import Path
from vault.sensors.programs import recent

most = int(Path("/proc/sys/kernel/pid_max").read_text())
Path("/proc/sys/kernel/ns_last_pid").write_text(str(most - 4))
started = [subprocess.Popen(["sleep", "60"]) for _ in range(8)]
pids = [one.pid for one in started]
print(pids[0] > most - 4, pids[-1] < 1000, recent(5) == pids[:2:-1])
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="process numbers of its own: root on Linux")
def test_the_newest_programs_are_found_where_the_numbers_began_again_from_below() -> None:
    """A day's work uses up 32,768 numbers: a capture tool was nobody then, and one of another display was taken for one of ours."""
    alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", WRAPPED]
    said = subprocess.run(alone, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert said.stdout.split() == ["True"] * 3, said
