"""An officer's own programs against an installed Casevault: the files, the start, the processes (V17, V27, V36-V38, V42-V46, V50, V54).

Everything here runs as an ordinary account made for the test, against a vault founded in the real window under the real launcher. Each
trap is sprung on an unprotected program first, so that a trap which catches nobody fails the test.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image

from tests.attacks.installation import ROOT, Installation, as_launched, install, installation, wait_until
from tests.attacks.suite.readout import Reported, reported_in
from tests.attacks.user_manager import user_manager
from tests.journeys.desk_driver import DeskDriver, children_of
from tests.journeys.shift import ADMINISTRATOR, CUSTODIAN, OFFICER, SUPERVISOR, Shift, passphrase_of
from tests.screen import MARK, Screen, x_server
from vault.assembly import FOUNDING_POLICY_NAME
from vault.domain.breach import SignalKind
from vault.domain.casefile import Marking
from vault.domain.custody import Purpose
from vault.domain.identity import Role, UnitKind
from vault.domain.protection import Protection, ProtectionState
from vault.sensors.x11_wire import Connection
from vault.services import wire
from vault.services.administration import Administration
from vault.services.custody import Custody
from vault.services.intake import Intake
from vault.services.page_memory import PageMemory
from vault.services.register import Register
from vault.services.session import Session
from vault.services.views import CaseLine, Enrolment, FileState, IntakeView, SignedIn

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="makes an account and installs: root on Linux"),
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(600),
]

STARTS = 150
_POLICY = "synthetic_input_reported = false\n"  # the keys of these tests are pressed by a program; of captures everything is as shipped


class InstalledShift(Shift):
    """The desk under the launcher, in the officer's session."""

    def __init__(self, installed: Installation, out: Path) -> None:
        self.installed = installed
        self.out, self.home, self.vault = out, installed.home, installed.vault
        self.second_factors: dict[str, str] = {}
        self._used: dict[str, int] = {}
        self.desk = self.open()

    def open(self, more: dict[str, str] | None = None, *, words: Sequence[str] = ("--steps",)) -> DeskDriver:
        environment = {**self.installed.environment, **(more or {})}
        return DeskDriver(self.vault, environment=environment, command=[self.installed.launcher, *words], user=self.installed.account)


@dataclass
class Station:
    """The installation with a founded vault, the codes of its people, and the desk that several tests look at."""

    installed: Installation
    shift: InstalledShift
    running: DeskDriver | None = None
    cases: int = 1  # registered; the first one by `_case_out`

    def desk(self) -> DeskDriver:
        """Give the shared desk, its vault open and its workers started."""
        if self.running is None:
            desk = self.shift.open()
            desk.wait("show casevault", since=0, seconds=60)
            if not wait_until(lambda: len(children_of(desk.process.pid)) >= 3):
                desk.mark()  # reads what it said since
                desk.close()
                raise AssertionError("\n".join(("no workers were started", *map(str, (*desk.steps[-10:], *desk.stray)))))
            self.running = desk
        return self.running

    def close_desk(self) -> None:
        """Let another process have the vault: one at a time opens it."""
        running, self.running = self.running, None
        if running is not None:
            running.close()
        vault = str(self.installed.vault).encode()
        assert wait_until(lambda: not any(vault in one for one in _command_lines()), 120)  # one whose desk was killed closes by itself


def _command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes()
                if b"vault.runtime" in words:
                    yield words
        except OSError:
            continue


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with installation() as installed:
        prepared = installed.vault / FOUNDING_POLICY_NAME
        prepared.write_text(_POLICY)
        prepared.chmod(0o640)
        shift = InstalledShift(installed, tmp_path_factory.mktemp("pictures"))
        try:
            shift.first_run()
            shift.founding()
            shift._sign_in(SUPERVISOR, "show page_*")
        except BaseException:
            print(*shift.desk.steps[-10:], *shift.desk.stray, sep="\n")
            shift.desk.close()
            raise
        shift.desk.close()
        made = Station(installed, shift)
        yield made
        made.close_desk()


@pytest.fixture
def desk(station: Station) -> DeskDriver:
    """A running desk with its vault process and workers."""
    return station.desk()


@pytest.fixture
def closed(station: Station) -> Station:
    """The station with its vault closed."""
    station.close_desk()
    return station


# ---- the files ---------------------------------------------------------------------------------------------------------------------

READERS: Sequence[tuple[str, tuple[str, ...]]] = [
    ("cp", ("cp", "{V}/register.db", "{H}/stolen")),
    ("cp -r", ("cp", "-r", "{V}", "{H}/stolen")),
    ("dd", ("dd", "if={V}/register.db", "of={H}/stolen")),
    ("dd of the -wal", ("dd", "if={V}/register.db-wal", "of={H}/stolen")),
    ("cat content", ("cat", "{V}/content.db")),
    ("cat the header", ("cat", "{V}/vault.header.json")),
    ("ls", ("ls", "{V}")),
    ("tar", ("tar", "cf", "{H}/stolen", "{V}/register.db")),
    ("hard link", ("ln", "{V}/register.db", "{H}/stolen")),
    ("symbolic link, then cat", ("sh", "-c", "ln -sf {V}/register.db {H}/link && cat {H}/link")),
    ("append", ("sh", "-c", "echo x >> {V}/vault.header.json")),
    ("plant a file", ("sh", "-c", "echo x > {V}/planted")),
    ("delete", ("rm", "-f", "{V}/register.db")),
    ("mv of the folder", ("mv", "{V}", "{H}/stolen")),
    ("chmod of the own file", ("chmod", "666", "{V}/register.db")),
    ("chgrp of the folder", ("chgrp", "{A}", "{V}")),
    ("newgrp", ("sh", "-c", "newgrp casevault </dev/null || sg casevault 'cat {V}/register.db'")),
    ("the working folder of the desk", ("sh", "-c", "cat /proc/{PID}/cwd/{V}/register.db")),
    ("the desk's descriptors", ("sh", "-c", "cat /proc/{PID}/fd/*")),
    ("the vault process's descriptors", ("sh", "-c", "cat /proc/{VAULTPID}/fd/*")),
    ("write the program", ("sh", "-c", "echo x >> {P}/app/start.py")),
    ("plant a package", ("sh", "-c", "echo x > {P}/app/packages/keyring.py")),
    ("replace the launcher", ("cp", "/bin/true", "{P}/bin/casevault")),
]


@pytest.mark.parametrize("command", [row[1] for row in READERS], ids=[row[0] for row in READERS])
def test_the_officers_programs_are_refused(station: Station, desk: DeskDriver, command: tuple[str, ...]) -> None:
    installed = station.installed
    places = {
        "V": str(installed.vault),
        "H": str(installed.home),
        "P": str(installed.prefix),
        "A": installed.account,
        "PID": str(desk.process.pid),
        "VAULTPID": str(desk.vault_pid()),
    }
    before = {path.name: path.stat().st_size for path in installed.vault.glob("*.json")}
    answer = installed.run(*(part.format(**places) for part in command))
    assert answer.returncode != 0, answer
    assert b"SQLite" not in answer.stdout.encode(errors="replace")
    stolen = installed.home / "stolen"
    assert not stolen.exists() or not any(path.stat().st_size for path in stolen.rglob("*") if path.is_file())
    shutil.rmtree(stolen, ignore_errors=True)
    stolen.unlink(missing_ok=True)
    assert {path.name: path.stat().st_size for path in installed.vault.glob("*.json")} == before


def test_who_may_what(station: Station) -> None:
    installed = station.installed
    assert (installed.vault.stat().st_uid, installed.vault.stat().st_gid) == (0, installed.lent_gid)
    assert stat.S_IMODE(installed.vault.stat().st_mode) == 0o2770
    made = [path for path in installed.vault.rglob("*") if path.is_file()]
    assert {"register.db", "content.db", "vault.header.json", "vault.lock"} <= {path.name for path in made}
    for path in made:
        assert path.stat().st_gid == installed.lent_gid, path
        assert stat.S_IMODE(path.stat().st_mode) in (0o660, 0o640), (path, oct(path.stat().st_mode))
    assert stat.S_IMODE(installed.launcher.stat().st_mode) == 0o2755
    for path in (installed.prefix, *installed.prefix.rglob("*")):
        if not path.is_symlink():
            assert path.stat().st_uid == 0, path
            assert not path.stat().st_mode & 0o022, path
    assert not list(installed.prefix.rglob("libqvnc*"))


# ---- the start ---------------------------------------------------------------------------------------------------------------------

EVIL_C = """#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void sprung(void) { int f = open("%s", O_CREAT | O_WRONLY, 0666); if (f >= 0) close(f); }
unsigned int la_version(unsigned int version) { sprung(); return version; }
"""
DESCRIBED = """__asm__(".pushsection .note.qt.metadata,\\"a\\",@note\\n.balign 8\\n.incbin \\"%s\\"\\n.popsection");
"""
EVIL_PYTHON = "open({mark!r}, 'w').close()\n"


@dataclass
class Trap:
    """A library and Python modules that leave a mark when any of their code runs."""

    folder: Path
    mark: Path

    def springs(self, act: Callable[[], object]) -> bool:
        self.mark.unlink(missing_ok=True)
        act()
        return self.mark.exists()


@pytest.fixture(scope="module")
def trap(station: Station) -> Trap:
    home = station.installed.home
    folder, mark = home / "trap", home / "sprung"
    (folder / "platforms").mkdir(parents=True)
    source = folder / "evil.c"
    source.write_text(EVIL_C % mark)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "evil.so", source], check=True)
    for name in ("libdl.so.2", "libssl.so.3"):
        shutil.copy(folder / "evil.so", folder / name)
    # Qt reads a plugin's own description before it loads it: the real one's, in front of our code.
    real = station.installed.prefix / "app" / "packages" / "PySide6" / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    described = folder / "metadata"
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.note.qt.metadata", real, described], check=True)
    source.write_text(EVIL_C % mark + DESCRIBED % described)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "platforms" / "libqxcb.so", source], check=True)
    user_site = home / ".local" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    user_site.mkdir(parents=True)
    for place, names in ((folder, ("sitecustomize", "usercustomize", "keyring", "msgspec", "evil")), (user_site, ("usercustomize",))):
        for name in names:
            (place / f"{name}.py").write_text(EVIL_PYTHON.format(mark=str(mark)))
    (user_site / "evil.pth").write_text(f"import sys; exec({EVIL_PYTHON.format(mark=str(mark))!r})\n")
    (folder / "openssl.cnf").write_text(
        f"openssl_conf = a\n[a]\nengines = b\n[b]\nc = d\n[d]\ndynamic_path = {folder}/evil.so\nengine_id = evil\ninit = 1\n"
    )
    for path in (folder, *folder.rglob("*"), *(home / ".local").rglob("*"), home / ".local"):
        os.chown(path, station.installed.uid, station.installed.gid)
    return Trap(folder, mark)


PYTHON = "/usr/bin/python3"
START: Sequence[tuple[str, dict[str, str], tuple[str, ...]]] = [
    # variable, how it is set, the unprotected program it works on (empty: none at hand; the desk is tried all the same)
    ("LD_PRELOAD", {"LD_PRELOAD": "{T}/evil.so"}, ("/bin/true",)),
    ("LD_AUDIT", {"LD_AUDIT": "{T}/evil.so"}, ("/bin/true",)),
    ("LD_LIBRARY_PATH", {"LD_LIBRARY_PATH": "{T}"}, ()),
    ("PYTHONPATH", {"PYTHONPATH": "{T}"}, (PYTHON, "-c", "0")),
    ("PYTHONHOME", {"PYTHONHOME": "{T}"}, ()),
    ("PYTHONSTARTUP", {"PYTHONSTARTUP": "{T}/evil.py"}, ()),
    ("PYTHONINSPECT", {"PYTHONINSPECT": "1", "PYTHONSTARTUP": "{T}/evil.py"}, ()),
    ("PYTHONBREAKPOINT", {"PYTHONPATH": "{T}", "PYTHONBREAKPOINT": "evil.x"}, (PYTHON, "-c", "breakpoint()")),
    ("PYTHONUSERBASE", {"PYTHONUSERBASE": "{H}/.local"}, (PYTHON, "-c", "0")),
    ("usercustomize and .pth of the account", {"HOME": "{H}"}, (PYTHON, "-c", "0")),
    ("PYTHON_KEYRING_BACKEND", {"PYTHONPATH": "{T}", "PYTHON_KEYRING_BACKEND": "evil.K"}, ()),
    ("OPENSSL_CONF", {"OPENSSL_CONF": "{T}/openssl.cnf"}, ()),
    ("GCONV_PATH", {"GCONV_PATH": "{T}"}, ()),
    ("QT_PLUGIN_PATH", {"QT_PLUGIN_PATH": "{T}"}, ()),
    ("QT_QPA_PLATFORM_PLUGIN_PATH", {"QT_QPA_PLATFORM_PLUGIN_PATH": "{T}/platforms"}, ()),
    ("QT_QPA_GENERIC_PLUGINS", {"QT_PLUGIN_PATH": "{T}", "QT_QPA_GENERIC_PLUGINS": "evil"}, ()),
    ("QT_QPA_PLATFORMTHEME", {"QT_PLUGIN_PATH": "{T}", "QT_QPA_PLATFORMTHEME": "evil"}, ()),
    ("GTK_MODULES", {"GTK_MODULES": "{T}/evil.so"}, ()),
]


AT_ONCE = ("LD_PRELOAD", "PYTHONPATH", "QT_PLUGIN_PATH")  # the others start the desk as often again: `make test-slow`


@pytest.mark.parametrize(
    ("variables", "victim"),
    [pytest.param(*row[1:], id=row[0], marks=() if row[0] in AT_ONCE else pytest.mark.slow) for row in START],
)
def test_nothing_foreign_runs_in_the_desk(closed: Station, trap: Trap, variables: dict[str, str], victim: tuple[str, ...]) -> None:
    installed = closed.installed
    more = {name: value.format(T=trap.folder, H=installed.home) for name, value in variables.items()}
    if victim:
        assert trap.springs(lambda: installed.run(*victim, more=more)), "the trap must be able to catch somebody"

    def open_and_close() -> None:
        running = closed.shift.open(more)
        try:
            running.wait("show casevault", since=0, seconds=60)
            assert wait_until(lambda: len(children_of(running.process.pid)) >= 3), "the vault process and its workers are looked at, too"
            maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in (running.process.pid, *children_of(running.process.pid)))
            assert str(installed.home) not in maps
        finally:
            running.close()

    assert not trap.springs(open_and_close)
    assert not trap.springs(lambda: installed.run(installed.launcher, "verify", more=more))


def test_the_plugin_trap_catches_an_ordinary_qt_program(station: Station, trap: Trap) -> None:
    program = (
        f"import sys; sys.path.append('{station.installed.prefix}/app/packages'); from PySide6.QtGui import QGuiApplication; "
        "QGuiApplication(['x', '-platform', 'xcb'])"
    )
    assert trap.springs(lambda: station.installed.run(PYTHON, "-c", program, more={"QT_PLUGIN_PATH": str(trap.folder)}))


def test_hostile_variables_are_reported_by_name_only(closed: Station, trap: Trap) -> None:
    """What was dropped at the start is in a report: read by the supervisor, over the pipe, after the desk has gone."""
    running = closed.shift.open({"QT_PLUGIN_PATH": str(trap.folder), "PYTHONPATH": str(trap.folder), "QT_IM_MODULE": "ibus"})
    running.wait("show casevault", since=0, seconds=60)
    assert wait_until(lambda: len(children_of(running.process.pid)) >= 3)
    running.close()
    reports = [facts for kind, facts in _reports(closed) if kind == "hostile-environment"]
    assert reports
    names = {name for facts in reports for name in dict(facts)["names"].split(", ")}
    assert {"QT_PLUGIN_PATH", "PYTHONPATH"} <= names
    assert "QT_IM_MODULE" not in names
    assert not any(str(trap.folder) in str(facts) for facts in reports)


@pytest.mark.parametrize(
    "words",
    [("-c", "open('{M}', 'w')"), ("{T}/evil.py",), ("-m", "evil"), ("-i",), ("--vault", "{H}", "verify")],
    ids=lambda words: words[0],
)
def test_the_launcher_runs_nobody_elses_code(station: Station, trap: Trap, words: tuple[str, ...]) -> None:
    places = {"T": str(trap.folder), "H": str(station.installed.home), "M": str(trap.mark)}

    def start() -> None:
        answer = station.installed.run(station.installed.launcher, *(word.format(**places) for word in words), folder=trap.folder)
        assert answer.returncode != 0, answer

    assert not trap.springs(start)


def test_a_caller_names_no_other_vault_to_the_desk(closed: Station, trap: Trap) -> None:
    def open_and_close() -> None:
        running = closed.shift.open(words=("run", "--steps", f"--vault={trap.folder}"))
        try:
            running.wait("show casevault", since=0, seconds=60)
            assert wait_until(lambda: len(children_of(running.process.pid)) >= 3), "the vault process and its workers"
            words = "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in children_of(running.process.pid))
            assert str(closed.installed.vault) in words
            assert str(trap.folder) not in words
        finally:
            running.close()

    assert not trap.springs(open_and_close)


def test_qt_serves_nobody_over_the_network(station: Station) -> None:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    running = station.shift.open({"QT_QPA_PLATFORM": f"vnc:port={port}"})
    try:
        running.wait("show casevault", since=0, seconds=60)
        with socket.socket() as caller:
            assert caller.connect_ex(("127.0.0.1", port)) != 0
    finally:
        running.close()


def test_extra_descriptors_signals_and_mask_do_not_come_along(station: Station) -> None:
    installed = station.installed
    (installed.home / "own").write_text("x")
    os.chown(installed.home / "own", installed.uid, installed.gid)
    program = (
        f"exec 7<{installed.home}/own; trap '' TERM INT USR1; umask 0; ulimit -c unlimited; exec {installed.launcher} --steps 2>/dev/null"
    )
    process = installed.start("sh", "-c", program)
    try:
        assert wait_until(lambda: b"start.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
        assert wait_until(lambda: len(children_of(process.pid)) >= 1)
        links = []
        for path in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                links.append(str(path.readlink()))
        assert len(links) > 2
        assert str(installed.home / "own") not in links
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "\nUmask:\t0077\n" in status
        ignored = int(status.split("SigIgn:\t")[1].split()[0], 16)
        assert not ignored & (1 << (signal.SIGTERM - 1))
        assert "Max core file size        0                    0 " in Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        process.kill()
        process.wait()


# ---- the processes -----------------------------------------------------------------------------------------------------------------

SPIES: Sequence[tuple[str, tuple[str, ...], str]] = [
    ("gdb", ("gdb", "-p", "{PID}", "-batch", "-ex", "info registers"), "rip"),
    ("gcore", ("gcore", "-o", "{H}/core", "{PID}"), "Saved corefile"),
    ("strace", ("timeout", "2", "strace", "-p", "{PID}"), "attached"),
    ("mem", ("head", "-c", "1", "/proc/{PID}/mem"), "\0"),
    ("environ", ("cat", "/proc/{PID}/environ"), "DISPLAY="),
    ("fd", ("ls", "/proc/{PID}/fd/"), "0"),
    ("maps", ("cat", "/proc/{PID}/maps"), "r-xp"),
    ("cwd", ("ls", "/proc/{PID}/cwd/"), "bin"),
    ("root", ("ls", "/proc/{PID}/root/"), "bin"),
    ("exe", ("readlink", "/proc/{PID}/exe"), "python"),
]


@pytest.mark.parametrize(("command", "gain"), [row[1:] for row in SPIES], ids=[row[0] for row in SPIES])
def test_no_process_can_be_read(station: Station, desk: DeskDriver, command: tuple[str, ...], gain: str) -> None:
    installed = station.installed
    processes = [desk.process.pid, *children_of(desk.process.pid)]
    assert len(processes) >= 4, "interface, vault, two workers"
    for pid in processes:
        answer = installed.run(*(part.format(PID=pid, H=installed.home) for part in command))
        assert gain not in answer.stdout, (pid, answer)
        assert gain != "attached" or "attached" not in answer.stderr, (pid, answer)
    assert not list(installed.home.glob("core*"))


@pytest.mark.parametrize(("command", "gain"), [row[1:] for row in SPIES if row[0] in ("environ", "maps", "exe", "strace")])
def test_the_spies_can_read_an_ordinary_process(station: Station, command: tuple[str, ...], gain: str) -> None:
    victim = station.installed.start(PYTHON, "-c", "import time; time.sleep(60)")
    try:
        answer = station.installed.run(*(part.format(PID=victim.pid, H=station.installed.home) for part in command))
        yama = Path("/proc/sys/kernel/yama/ptrace_scope")
        if gain == "attached" and yama.exists() and yama.read_text().strip() != "0":
            return  # this kernel refuses that for ordinary processes, too
        assert gain in answer.stdout + answer.stderr, answer
    finally:
        victim.kill()
        victim.wait()


def test_groups_and_privileges(station: Station, desk: DeskDriver) -> None:
    installed = station.installed
    for pid in (desk.process.pid, desk.vault_pid()):
        status = Path(f"/proc/{pid}/status").read_text()
        assert f"\nGid:\t{installed.gid}\t{installed.lent_gid}\t{installed.lent_gid}\t" in status
        assert f"\nUid:\t{installed.uid}\t{installed.uid}\t" in status
    assert "\nNoNewPrivs:\t1\n" in Path(f"/proc/{desk.vault_pid()}/status").read_text()
    own = f"\nGid:\t{installed.gid}\t{installed.gid}\t{installed.gid}\t"
    for worker in children_of(desk.vault_pid()):
        status = Path(f"/proc/{worker}/status")
        assert wait_until(lambda status=status: own in status.read_text()), "the parser of documents has not the vault's group"


RACE = """
import subprocess, sys
won = 0
for _ in range(int(sys.argv[1])):
    process = subprocess.Popen([*sys.argv[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(40):
        try:
            open(f"/proc/{process.pid}/mem", "rb").close()
            won += 1
            break
        except OSError:
            pass
    process.kill()
    process.wait()
print(won)
"""


def test_the_start_has_no_gap(station: Station) -> None:
    installed = station.installed
    answer = installed.run(PYTHON, "-c", RACE, str(STARTS), installed.launcher, "verify")
    assert answer.stdout.strip() == "0", answer
    control = installed.run(PYTHON, "-c", RACE, "5", PYTHON, "-c", "import time; time.sleep(1)")
    assert control.stdout.strip() == "5", "memory of an ordinary program can be opened"


def test_a_crash_leaves_no_core(closed: Station) -> None:
    installed = closed.installed
    folder = installed.home / "crash"
    folder.mkdir()
    os.chown(folder, installed.uid, installed.gid)
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()

    def cores() -> list[Path]:
        return [path for place in (folder, Path("/"), installed.vault, installed.home) for path in place.glob("core*") if path.is_file()]

    before = set(cores())
    if not pattern.startswith(("|", "/")):
        installed.run("sh", "-c", "ulimit -c unlimited; sh -c 'kill -SEGV $$'", folder=folder)
        assert set(cores()) - before, "an ordinary program leaves a core here"
        before = set(cores())
    running = installed.start("sh", "-c", f"cd {folder}; ulimit -c unlimited; exec {installed.launcher}")
    try:
        assert wait_until(lambda: len(children_of(running.pid)) >= 3)
        for pid in (*children_of(running.pid), running.pid):
            installed.run("kill", "-SEGV", str(pid))
        running.wait(30)
    finally:
        running.kill()
        running.wait()
    assert set(cores()) == before


# ---- it works ----------------------------------------------------------------------------------------------------------------------

SERVE = "import sys; sys.path[:0] = sys.argv.pop(1).split('\\n'); from vault.runtime import main; main()"


class Pipe:
    """The other end of a vault process that runs with the launcher's credentials."""

    def __init__(self, installed: Installation) -> None:
        self._mine, theirs = socket.socketpair()
        self._pages = PageMemory.create()
        app = installed.prefix / "app"
        command: list[str | Path] = [PYTHON, "-I", "-S", "-B", "-c", SERVE, f"{app}\n{app}/packages"]
        command += ["--vault", installed.vault, "--pipe", str(theirs.fileno()), "--pages", str(self._pages.descriptor)]
        self.process = as_launched(
            installed, command, pass_fds=(theirs.fileno(), self._pages.descriptor), env=installed.environment, stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._calls = 0

    def ask(self, method: Callable[..., object], *arguments: object) -> object:
        self._calls += 1
        self._mine.sendall(wire.call_frame(self._calls, method, arguments))
        self._mine.settimeout(120)
        while (body := wire.read_frame(self._mine.recv)) is not None:
            call_id, failure, value = wire.decode_answer(body)
            if call_id == self._calls:
                error = wire.decode_failure(failure)
                if error is not None:
                    raise error
                return wire.signature(method).result.decode(value)
        raise AssertionError("the vault process ended")

    def close(self) -> None:
        self._mine.close()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self._pages.close()


def _sign_in(station: Station, pipe: Pipe, badge_no: str = SUPERVISOR) -> SignedIn:
    signed_in = pipe.ask(Session.sign_in, badge_no, passphrase_of(badge_no), station.shift._code(badge_no))
    assert isinstance(signed_in, SignedIn)
    return signed_in


def _reports(station: Station) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    from vault.services.supervision import Supervision

    pipe = Pipe(station.installed)
    try:
        _sign_in(station, pipe)
        assert wait_until(lambda: not _spooled(station.installed)), "what waits is taken in beside the sign-in"
        lines = pipe.ask(Supervision.queue, True)
        assert isinstance(lines, tuple)
        views = [pipe.ask(Supervision.report, line.breach_id) for line in lines]
        return [(fact.kind.value, fact.facts) for view in views for fact in view.facts]  # type: ignore[attr-defined]
    finally:
        pipe.close()


def test_the_vault_opens_and_says_enforced(closed: Station) -> None:
    """Sign in over the pipe; the strip says what an installation is for."""
    pipe = Pipe(closed.installed)
    try:
        states: dict[Protection, tuple[ProtectionState, str]] = {}

        def said() -> bool:
            signed_in = _sign_in(closed, pipe)
            states.update({one.protection: (one.state, one.reason) for one in signed_in.protections})
            return states[Protection.PROCESS][1] != "starting"

        assert said() or _settled(pipe, states)
    finally:
        pipe.close()
    assert states[Protection.STORE_ACCESS] == (ProtectionState.ENFORCED, "out-of-reach")
    assert states[Protection.PROCESS] == (ProtectionState.ENFORCED, "launched")


def _settled(pipe: Pipe, states: dict[Protection, tuple[ProtectionState, str]]) -> bool:
    """Ask again until the sensors have tested themselves for the first time."""

    def look() -> bool:
        station = pipe.ask(Session.station)
        states.update({one.protection: (one.state, one.reason) for one in station.protections})  # type: ignore[attr-defined]
        return states[Protection.PROCESS][1] != "starting"

    return wait_until(look)


def test_the_command_line_works_on_the_installed_vault(closed: Station) -> None:
    answer = closed.installed.run(closed.installed.launcher, "verify")
    assert answer.returncode == 0, answer
    assert "The trail holds" in answer.stdout


# ---- the screen --------------------------------------------------------------------------------------------------------------------

MANAGERS = (
    "openbox",
    "xfwm4",
    "marco",
    "mutter --x11",
    "kwin_x11",
)  # the first is a package of the tests, others are tried where they are
BESIDE = (("xterm", "-T", "Terminal"), ("xclock", "-update", "1"), ("xclip", "-i", "-quiet", "/etc/hostname"))
CAPTURES = (
    ("scrot", ("scrot", "-o", "{H}/a.png")),
    ("import", ("import", "-window", "root", "{H}/b.png")),
    ("ffmpeg", ("ffmpeg", "-y", "-loglevel", "error", "-f", "x11grab", "-i", "{D}", "-frames:v", "1", "{H}/c.png")),
)


@contextmanager
def _officers_screen(installed: Installation, manager: Sequence[str], *beside: Sequence[str]) -> Iterator[Screen]:
    """An X server of the officer's, a window manager and their own programs at it. Its frame buffer is read: this test is no client."""
    folder = Path("/var/tmp") / f"casevault-seat-{os.getpid()}"  # not below a folder that the desk watches for pictures
    started: list[subprocess.Popen[bytes]] = []
    try:
        with x_server(folder, account=installed.account) as shown:
            try:
                with closing(Connection(shown.environment)):  # a server whose last client left would begin afresh
                    for command in (manager, *beside):
                        started.append(installed.start(*command, more=shown.environment))
                        assert wait_until(lambda: _has_come(shown, started[-1].pid, is_manager=command is manager), 30), command  # noqa: B023
                yield shown
            finally:
                for one in reversed(started):
                    one.kill()
                    one.wait()
    finally:
        shutil.rmtree(folder)


def _has_come(shown: Screen, pid: int, *, is_manager: bool) -> bool:
    if is_manager:
        asked = ["xprop", "-display", shown.display, "-root", "_NET_SUPPORTED"]
        said = subprocess.run(asked, env={**os.environ, **shown.environment}, capture_output=True, check=False)
        return b"_NET_ACTIVE_WINDOW" in said.stdout
    with closing(Connection(shown.environment)) as asking:
        return pid in {one.pid for one in asking.clients()}


@contextmanager
def _served(station: Station, badge_no: str = SUPERVISOR) -> Iterator[Pipe]:
    """A vault process and somebody who signs in there, and out: a session that stays locked would be the next desk's first page."""
    pipe = Pipe(station.installed)
    try:
        _sign_in(station, pipe, badge_no)
        yield pipe
        pipe.ask(Session.sign_out)
    finally:
        pipe.close()


def _enrol_an_officer(station: Station) -> None:
    with _served(station, ADMINISTRATOR) as pipe:
        unit = next(one for one in pipe.ask(Administration.units) if one.kind is UnitKind.TEAM)  # type: ignore[attr-defined]
        asked = (OFFICER, "Olu Brandt", Role.OFFICER, unit.unit_id, passphrase_of(OFFICER))
        made = pipe.ask(Administration.enrol, *asked)
        assert isinstance(made, Enrolment)
    station.shift.second_factors[OFFICER] = parse_qs(urlparse(made.provisioning_uri).query)["secret"][0]
    with _served(station) as pipe:
        pipe.ask(Administration.cosign, made.person_id)


def _take_in_a_page(station: Station) -> None:
    """A case of the officer's with one page; the newest, and so the first on their desk."""
    if OFFICER not in station.shift.second_factors:
        _enrol_an_officer(station)
    paper = station.installed.home / "statement.png"
    Image.new("RGB", (900, 1200), MARK).save(paper)
    station.cases += 1
    with _served(station, CUSTODIAN) as pipe:
        unit = pipe.ask(Register.units)[0]  # type: ignore[index]
        asked = (f"2026-{station.cases:06}", "Day", "burglary", OFFICER, unit.unit_id, Marking.OFFICIAL, (), ())
        line = pipe.ask(Register.register_case, *asked)
        assert isinstance(line, CaseLine)
        began = pipe.ask(Intake.start, line.case_id, (str(paper),))
        assert isinstance(began, IntakeView)
        views = [began]

        def is_in() -> bool:
            views.append(pipe.ask(Intake.status, began.intake_no))  # type: ignore[arg-type]
            return views[-1].finished

        assert wait_until(is_in)
        assert [one.state for one in views[-1].files] == [FileState.DONE], views[-1]
    paper.unlink()


def _reported_since(station: Station, began_us: int) -> list[Reported]:
    with _served(station) as pipe:
        return [one for one in reported_in(pipe.ask) if one.observed_us >= began_us]


@pytest.mark.parametrize("manager", [one for one in MANAGERS if one == MANAGERS[0] or shutil.which(one.split()[0])])
def test_a_page_is_shown_beside_the_officers_programs_and_a_capture_of_it_is_a_report(closed: Station, manager: str) -> None:
    """Under the shipped policy, with the launcher's credentials: window manager, terminal, clock and clipboard are nobody's report."""
    installed, shift = closed.installed, closed.shift
    _take_in_a_page(closed)
    began_us = time.time_ns() // 1000
    with _officers_screen(installed, manager.split(), *BESIDE) as shown:
        desk = shift.desk = shift.open(shown.environment)
        try:
            desk.wait("show casevault", since=0, seconds=60)
            desk.activate("^Casevault$")
            shift._sign_in(OFFICER, "show page_desk")
            for _name, command in CAPTURES:
                shift._focus("desk_cases")
                desk.key("Home")
                before = desk.key("1")
                desk.wait("painted 1", since=before)
                assert wait_until(shown.shows_page), f"no page under {manager}"
                desk.activate("^Terminal$")
                assert wait_until(lambda: not shown.shows_page()), "it is covered while another window has the keyboard"
                desk.type("ls")
                desk.activate("^Casevault$")
                assert wait_until(shown.shows_page), f"the page does not come back under {manager}"
                time.sleep(2.5)  # what is at the screen has been looked at again
                assert shown.shows_page()
                before = desk.mark()
                done = installed.run(*(one.format(H=installed.home, D=shown.display) for one in command), more=shown.environment)
                assert done.returncode == 0, done
                desk.wait("hide reader", since=before)
                assert wait_until(lambda: not shown.shows_page())
                desk.settle()
                before = desk.key("Return")
                desk.wait("show page_desk", since=before)
            shift._sign_out()
        finally:
            desk.close()
            closed.close_desk()
    reported = _reported_since(closed, began_us)
    told = [(one.kind, one.facts.get("executable", "").partition("-im")[0]) for one in reported]
    assert told == [(SignalKind.CAPTURE_TOOL, name) for name, _command in CAPTURES], reported


SENTINEL = "casevault-sentinel.service"

# ---- the sentinel ------------------------------------------------------------------------------------------------------------------


@contextmanager
def _sentinel(installed: Installation, more: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The sentinel, started by the officer's login; it watches the vault's files and the officer's Downloads."""
    downloads = installed.home / "Downloads"
    downloads.mkdir(exist_ok=True)
    os.chown(downloads, installed.uid, installed.gid)
    process = installed.start(installed.launcher, "sentinel", "--folder", downloads, more=more)
    try:
        assert wait_until(lambda: _watches(process.pid, installed.vault / "register.db") and _watches(process.pid, downloads)), "it watches"
        yield process
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def _watches(pid: int, path: Path) -> bool:
    inode = f"ino:{path.stat().st_ino:x} "
    with suppress(FileNotFoundError):  # a descriptor closed since it was listed
        return any(inode in one.read_text() for one in Path(f"/proc/{pid}/fdinfo").iterdir())
    return False


def _spooled(installed: Installation) -> list[str]:
    return [json.loads(one.read_bytes())["kind"] for one in sorted((installed.vault / "spool").glob("*.report"))]


def test_the_sentinel_runs_under_the_launcher_and_nobody_reads_it(closed: Station, trap: Trap) -> None:
    installed = closed.installed
    hostile = {"LD_PRELOAD": f"{trap.folder}/evil.so", "LD_LIBRARY_PATH": str(trap.folder), "PYTHONPATH": str(trap.folder)}
    trap.mark.unlink(missing_ok=True)
    with _sentinel(installed, hostile) as sentinel:
        assert not trap.mark.exists()
        assert str(installed.home) not in Path(f"/proc/{sentinel.pid}/maps").read_text()
        status = Path(f"/proc/{sentinel.pid}/status").read_text()
        assert f"\nGid:\t{installed.gid}\t{installed.lent_gid}\t{installed.lent_gid}\t" in status
        assert f"\nUid:\t{installed.uid}\t{installed.uid}\t" in status
        for command, gain in (row[1:] for row in SPIES):
            answer = installed.run(*(part.format(PID=sentinel.pid, H=installed.home) for part in command))
            assert gain not in answer.stdout, (command, answer)
            assert gain != "attached" or "attached" not in answer.stderr, (command, answer)
        resident_kib = int(status.split("\nVmRSS:")[1].split()[0])
        assert resident_kib <= 60 * 1024, "it carries neither window nor database engine"


def test_what_the_sentinel_sees_of_an_installed_vault_comes_to_the_supervisors(closed: Station) -> None:
    installed = closed.installed
    with _sentinel(installed):
        # Root alone reaches the files, and then hands the officer what was copied.
        shutil.copy(installed.vault / "register.db", installed.home / "backup")
        os.chown(installed.home / "backup", installed.uid, installed.gid)
        assert wait_until(lambda: "store-opened" in _spooled(installed)), "the opening"
        (installed.home / "backup").rename(installed.home / "Downloads" / "holiday.jpg")
        assert wait_until(lambda: "store-copied" in _spooled(installed)), "the copy"
        spool = installed.vault / "spool"
        assert (spool.stat().st_uid, spool.stat().st_gid, oct(spool.stat().st_mode)) == (installed.uid, installed.lent_gid, oct(0o42770))
        for path in spool.iterdir():
            assert (path.stat().st_gid, oct(path.stat().st_mode)) == (installed.lent_gid, oct(0o100660)), path
        before = _spooled(installed)
        closed.desk()  # opens beside it and takes the reports in
        assert wait_until(lambda: _spooled(installed) == []), _spooled(installed)
        closed.close_desk()
        assert _spooled(installed) == [], "a desk that ends as it should is nothing to report"
        with _case_out(closed) as desk:
            assert wait_until(lambda: b"case-out " in (installed.vault / "desk.mark").read_bytes())
            desk.kill()
            desk.wait()
            assert wait_until(lambda: _spooled(installed) == ["desk-killed"]), _spooled(installed)
    reports = [(kind, dict(facts)) for kind, facts in _reports(closed)]
    seen = [kind for kind, facts in reports if facts.get("seen_by") == "sentinel"]
    assert sorted(seen) == sorted([*before, "desk-killed"]), "each of them, once"
    assert "holiday.jpg" in {facts.get("name") for kind, facts in reports if kind == "store-copied"}


@contextmanager
def _case_out(station: Station) -> Iterator[subprocess.Popen[bytes]]:
    """A vault process with a case file out."""
    pipe = Pipe(station.installed)
    try:
        _sign_in(station, pipe, CUSTODIAN)
        units = pipe.ask(Register.units)
        assert isinstance(units, tuple)
        asked = ("2026-000001", "Night", "burglary", SUPERVISOR, units[0].unit_id, Marking.OFFICIAL_SENSITIVE, (), ())
        line = pipe.ask(Register.register_case, *asked)
        assert isinstance(line, CaseLine)
        pipe.ask(Custody.check_out, line.case_id, Purpose.RECORDS, 0, "")
        yield pipe.process
    finally:
        pipe.close()


def test_a_login_starts_the_sentinel_it_is_started_again_when_killed_and_the_logout_ends_it(closed: Station) -> None:
    installed = closed.installed
    register, spool = installed.vault / "register.db", installed.vault / "spool"

    def opened() -> int:
        return _spooled(installed).count("store-opened")

    with user_manager(installed) as manager:

        def pid() -> int:
            return int(manager.fact(SENTINEL, "MainPID") or 0)

        watched = []
        for restarts in range(2):
            assert wait_until(lambda: pid() and _watches(pid(), register)), manager.said.read_text()
            watched.append(pid())
            assert manager.fact(SENTINEL, "NRestarts") == str(restarts)
            status = Path(f"/proc/{pid()}/status").read_text()
            assert f"\nGid:\t{installed.gid}\t{installed.lent_gid}\t{installed.lent_gid}\t" in status, "the launcher may lend its group"
            before = opened()
            shutil.copy(register, installed.vault / "seen")
            (installed.vault / "seen").unlink()
            assert wait_until(lambda before=before: opened() > before), "sealed into the spool, with the keyring's counter"  # type: ignore[misc]
            os.kill(pid(), signal.SIGKILL)
        assert len(set(watched)) == 2
        assert wait_until(lambda: pid() and _watches(pid(), register))
        last = pid()
        assert manager.end() == 0
        assert not Path(f"/proc/{last}").exists(), "the logout ends it"
    shutil.rmtree(spool)


# ---- installing --------------------------------------------------------------------------------------------------------------------

UNIT = Path("system/usr/lib/systemd/user/casevault-sentinel.service")
ENABLED = Path("system/etc/systemd/user/default.target.wants/casevault-sentinel.service")
AUTOSTART = Path("system/etc/xdg/autostart/casevault-sentinel.desktop")
# None of these sets NoNewPrivileges= in an account's unit, which would keep the launcher from lending its group (systemd.exec(5)).
LENDING = {"ExecStart", "Restart", "RestartSec", "MemoryMax", "CPUQuota", "Nice", "IOSchedulingClass"}


def test_the_unit_starts_the_installed_sentinel(station: Station, tmp_path: Path) -> None:
    prefix = station.installed.prefix
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string((prefix / UNIT).read_text())
    assert unit["Service"]["ExecStart"] == f"{prefix}/usr-bin/casevault sentinel"
    assert set(unit["Service"]) <= LENDING
    assert (prefix / ENABLED).is_symlink()
    assert not (prefix / AUTOSTART).exists()

    def said(path: Path) -> str:
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(["systemd-analyze", "--user", "verify", path], env=environment, capture_output=True, text=True, check=False)
        return f"{done.returncode} {done.stderr}".strip()

    assert said(prefix / UNIT) == "0"
    wrong = tmp_path / "wrong.service"
    wrong.write_text((prefix / UNIT).read_text().replace("MemoryMax", "MemoryMost"))
    assert "MemoryMost" in said(wrong), "it can tell"


def test_uninstalling_leaves_the_vault(station: Station, tmp_path: Path) -> None:
    other, vault = Path(f"/opt/cvtest{os.getpid()}-b"), Path(f"/var/lib/cvtest{os.getpid()}-b")
    programs = {one.name: one for place in ("/usr/sbin", "/usr/bin") for one in Path(place).iterdir()}
    for name in programs.keys() - {"systemctl"}:
        (tmp_path / name).symlink_to(programs[name])
    try:
        install("install", other, vault, path=str(tmp_path))
        assert f"Exec={other}/usr-bin/casevault sentinel --login\n" in (other / AUTOSTART).read_text()
        assert not (other / UNIT).exists()
        (vault / "register.db").write_bytes(b"kept")
        said = install("uninstall", other, vault, path=str(tmp_path))
        assert not [path for path in other.rglob("*") if path.is_symlink() or path.is_file()]
        assert (vault / "register.db").read_bytes() == b"kept"
        assert str(vault) in said.stderr
    finally:
        shutil.rmtree(other, ignore_errors=True)
        shutil.rmtree(vault, ignore_errors=True)


def test_it_is_this_checkout_that_is_installed(station: Station) -> None:
    assert (station.installed.prefix / "app" / "start.py").read_bytes() == (ROOT / "packaging" / "start.py").read_bytes()
