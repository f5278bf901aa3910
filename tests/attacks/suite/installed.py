"""An installed Casevault, an account made for the run, and its programs: for the rows that ask what an ordinary account can do.

Everything is as `make install` leaves it: program and launcher belong to root, the vault to the group that only the launcher lends. Root
only. The vault is founded in the window at the first start, with the shipped policy: programs that press keys are reported in it (V49).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attacks.installation import Installation, installation
from tests.attacks.suite.readout import Reported, reported_in
from tests.attacks.suite.rig import Act, wait_until
from tests.attacks.test_launcher import InstalledShift, Pipe
from tests.journeys.desk_driver import DeskDriver, children_of
from tests.journeys.shift import SUPERVISOR, passphrase_of
from vault.domain.breach import SignalKind
from vault.services.session import Session

_TRAP_C = """#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void sprung(void) { int f = open("%s", O_CREAT | O_WRONLY, 0666); if (f >= 0) close(f); }
unsigned int la_version(unsigned int version) { sprung(); return version; }
"""
_DESCRIBED = """__asm__(".pushsection .note.qt.metadata,\\"a\\",@note\\n.balign 8\\n.incbin \\"%s\\"\\n.popsection");
"""
EVIL_INPUT = "evilone"  # an input method's key, as long as the one it is put in place of


@dataclass
class Officer:
    """The installed product, its officer's session, the desk that runs, and the acts done."""

    installed: Installation
    shift: InstalledShift  # who founded the vault in the window
    acts: list[Act] = field(default_factory=list)
    desk: DeskDriver | None = None

    @property
    def trap(self) -> Path:
        """Where the attacker's libraries and modules lie."""
        return self.installed.home / "trap"

    @property
    def sprung(self) -> Path:
        """The file that any of the attacker's code writes when it runs."""
        return self.installed.home / "sprung"

    def begin(self, **more: str) -> DeskDriver:
        """Start the desk through the launcher."""
        self.end()
        environment = {**self.installed.environment, **more}
        command = [self.installed.launcher, "--steps"]
        self.desk = DeskDriver(self.installed.vault, environment=environment, command=command, user=self.installed.account)
        return self.desk

    def start(self, **more: str) -> DeskDriver:
        """Start the desk, as far as the sign-in page with its vault open and its workers begun."""
        desk = self.begin(**more)
        desk.wait("show casevault", since=0, seconds=120)
        assert wait_until(lambda: len(children_of(desk.process.pid)) >= 3, 120.0), "the vault process and its workers start"
        desk.settle(1.0)
        self._rest()
        return desk

    def _rest(self) -> None:
        """Wait until the register's journal has not moved for a moment: what was found at the start is in a report by then."""
        journal = self.installed.vault / "register.db-wal"
        seen = [(0, time.monotonic())]

        def resting() -> bool:
            moved_ns = journal.stat().st_mtime_ns if journal.exists() else 0
            if moved_ns != seen[0][0]:
                seen[0] = (moved_ns, time.monotonic())
            return time.monotonic() - seen[0][1] >= 1.0

        wait_until(resting, 20.0)

    def end(self) -> None:
        """End the desk; the vault process has closed when this returns."""
        desk, self.desk = self.desk, None
        if desk is None:
            return
        children = children_of(desk.process.pid)
        desk.close()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 60.0)

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program as the officer."""
        return self.installed.run(*command, more=more)

    def begin_other(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program that goes on, as the officer; it has said its first line when this returns."""
        made = subprocess.Popen(
            command,
            env=self.installed.environment,
            cwd=self.installed.home,
            user=self.installed.account,
            group=self.installed.account,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert made.stdout is not None
        assert made.stdout.readline(), "it runs"
        return made

    def springs(self, do: Callable[[], object]) -> bool:
        """Whether any of the attacker's code ran meanwhile."""
        self.sprung.unlink(missing_ok=True)
        do()
        return self.sprung.exists()

    @contextmanager
    def act(self, vector: str, name: str, /, *kinds: SignalKind, **facts: str) -> Iterator[Act]:
        """As `Rig.act`; the desk's end, not its rest, is what a report is waited for."""
        made = Act(vector, name, frozenset(kinds), facts, time.time_ns() // 1000)
        self.acts.append(made)
        try:
            yield made
        except Exception as error:  # a row that is not ok, and says why
            made.failures.append(f"could not be run: {type(error).__name__}: {error}"[:400])
        made.ended_us = time.time_ns() // 1000

    def credentials(self, badge_no: str) -> tuple[str, str, str]:
        """Badge, passphrase and an unused code of one of the founders."""
        return badge_no, passphrase_of(badge_no), self.shift._code(badge_no)

    def reported(self) -> tuple[Reported, ...]:
        """Read the reports as a supervisor, over the pipe of a vault process that runs with the launcher's credentials."""
        self.end()
        pipe = Pipe(self.installed)
        try:
            pipe.ask(Session.sign_in, *self.credentials(SUPERVISOR))
            return reported_in(pipe.ask)
        finally:
            pipe.close()


@contextmanager
def officer_session() -> Iterator[Officer]:
    """Install, make the account and its session, found a station; everything goes again."""
    assert os.geteuid() == 0, "an installation and an account need root"
    with installation() as installed:
        with TemporaryDirectory(dir="/var/tmp") as pictures:
            shift = InstalledShift(installed, Path(pictures))
            try:
                shift.first_run()
                shift.founding()
            finally:
                children = children_of(shift.desk.process.pid)
                shift.desk.close()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 60.0)
        officer = Officer(installed, shift)
        try:
            yield officer
        finally:
            officer.end()


def set_traps(officer: Officer) -> None:
    """Lay out libraries, plugins and modules that leave a mark when any of their code runs."""
    folder, installed = officer.trap, officer.installed
    (folder / "platforms").mkdir(parents=True)
    source = folder / "evil.c"
    source.write_text(_TRAP_C % officer.sprung)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "evil.so", source], check=True)
    described = folder / "metadata"  # Qt reads a plugin's own description before it loads it: the real one's, in front of our code
    plugins = installed.prefix / "app" / "packages" / "PySide6" / "Qt" / "plugins"
    source.write_text(_TRAP_C % officer.sprung + _DESCRIBED % described)
    for real, place in (
        ("platforms/libqxcb.so", "platforms"),
        ("platforms/libqxcb.so", "styles"),
        ("platforminputcontexts/libcomposeplatforminputcontextplugin.so", "input/platforminputcontexts"),
    ):
        (folder / place).mkdir(parents=True, exist_ok=True)
        subprocess.run(["objcopy", "-O", "binary", "--only-section=.note.qt.metadata", plugins / real, described], check=True)
        described.write_bytes(described.read_bytes().replace(b"compose", EVIL_INPUT.encode()))
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / place / "libqxcb.so", source], check=True)
    for name in ("sitecustomize", "usercustomize", "keyring", "msgspec", "evil"):
        (folder / f"{name}.py").write_text(f"open({str(officer.sprung)!r}, 'w').close()\n")
    (folder / "openssl.cnf").write_text(
        f"openssl_conf = a\n[a]\nengines = b\n[b]\nc = d\n[d]\ndynamic_path = {folder}/evil.so\nengine_id = evil\ninit = 1\n"
    )
    configuration = _keyrings_configuration(officer)
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text(f"[backend]\ndefault-keyring=evil.Keyring\nkeyring-path={folder}\n")
    for path in (folder, *folder.rglob("*"), configuration.parent, configuration):
        os.chown(path, installed.uid, installed.gid)


def take_configuration_away(officer: Officer) -> None:
    """Take the keyring's configuration away again: it is reported at every start."""
    _keyrings_configuration(officer).unlink()


def _keyrings_configuration(officer: Officer) -> Path:
    """Where the officer's programs look for it: the session names its own folder for configuration."""
    installed = officer.installed
    return Path(installed.environment.get("XDG_CONFIG_HOME") or installed.home / ".config") / "python_keyring" / "keyringrc.cfg"
