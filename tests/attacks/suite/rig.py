"""The stage of the attacks: a founded vault, a desk in a real window, a page on the screen, and acts with their times.

Rules:

- The vault is founded by the product's own command; the case whose pages are attacked is taken in by the demo station's custodian.
- An act has a beginning and an end. It ends when what the vault writes has come to rest, seen by ``stat`` of its journal, which opens
  nothing; reports are told apart by the time they were observed at.
- `page` brings the page back after whatever containment the act before led to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.suite.papers import CASE_NUMBER, CASE_TITLE, write_papers
from tests.attacks.suite.watch import FileWatch, Listener, holds_mark
from tests.journeys.desk_driver import ROOT, DeskDriver
from tests.journeys.opened_vault import signed_in
from tests.screen import Screen
from vault.assembly import REGISTER_NAME, Vault
from vault.demo import current_code, read_plan
from vault.domain.breach import SignalKind
from vault.domain.casefile import Marking
from vault.platform.secret_service import open_secret_keeper
from vault.services.views import FileState

OFFICER, CUSTODIAN, READER_OF_REPORTS = "2001", "7001", "4002"
PROGRAMS = Path(__file__).resolve().parent / "programs"
# Nothing is written but what an act leads to. The suite's own keys are xdotool's; what takes a drop (V5) runs under this Python and must be
# at the screen while the page is. /tmp is left out: what else runs on this machine writes there, and a copy would wait its turn to be read.
POLICY = {
    "copies_watched_folders": json.dumps(["~/Downloads", "~/Desktop", "~/Documents", "~/Pictures", "/media", "/run/media"]),
    "witness_seconds": "3600",
    "premises_proof_seconds": "3",
    "premises_lease_seconds": "10",
    "idle_lock_seconds": "1800",
    "synthetic_input_reported": "false",
    "capture_allowed_programs": json.dumps([os.path.realpath(sys.executable)]),
}
_STEP_SECONDS = 30
_REST_SECONDS = 0.5
_PATIENCE_SECONDS = 12.0
_POLL_SECONDS = 0.02
_TRIES = 6


@dataclass
class Act:
    """One thing an attacker does, and what must come of it."""

    vector: str
    name: str
    kinds: frozenset[SignalKind]  # at least one must be reported; empty: no report is asked for
    facts: dict[str, str]  # what one of those reports must say
    began_us: int
    ended_us: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, holds: bool, words: str) -> None:
        """Note whether something held; `words` say what."""
        (self.notes if holds else self.failures).append(words if holds else f"not so: {words}")


@dataclass
class Station:
    """A founded vault and what is known of its people."""

    directory: Path
    used_steps: dict[str, int] = field(default_factory=dict)

    @classmethod
    def found(cls, directory: Path, policy: dict[str, str], papers: Path, listener_port: int) -> Station:
        """Found the demo station with the command, then register and take in the case whose pages are attacked."""
        directory.parent.mkdir(parents=True, exist_ok=True)
        policy_file = directory.parent / f"{directory.name}-policy.toml"
        policy_file.write_text("".join(f"{name} = {value}\n" for name, value in policy.items()), encoding="utf-8")
        command = [sys.executable, "-m", "vault.commands", "demo", "--vault", str(directory), "--without-documents"]
        subprocess.run([*command, "--policy", str(policy_file)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
        station = cls(directory)
        write_papers(papers, listener_port)
        with station.opened(CUSTODIAN) as vault:
            unit = next(one for one in vault.register.units() if one.name == "Investigations")
            case = vault.register.register_case(
                CASE_NUMBER, CASE_TITLE, "Inquiry", OFFICER, unit.unit_id, Marking.OFFICIAL, ("Ada Vale",), ()
            )
            taken = vault.intake.start(case.case_id, (str(papers),))
            states = {one.name: one.state for one in vault.intake.status(taken.intake_no).files}
            assert all(state is FileState.DONE for state in states.values()), states
        shutil.rmtree(papers)
        return station

    def opened(self, badge_no: str) -> AbstractContextManager[Vault]:
        """Open the vault through the product's services, signed in as a person of the demo station; no desk may have it."""
        return signed_in(self.directory, badge_no, passphrase_of(badge_no), lambda: self.code(badge_no))

    def code(self, badge_no: str) -> str:
        """A one-time code that nobody has used; the step before and the step after are accepted too."""
        code = None
        step = int(time.time()) // _STEP_SECONDS
        # The demo signs its people in with the step before or the one of its time: the next one is certainly unused.
        wanted = max(step + 1, self.used_steps.get(badge_no, 0) + 1)
        wait_until(lambda: wanted <= int(time.time()) // _STEP_SECONDS + 1, 3 * _STEP_SECONDS)
        self.used_steps[badge_no] = wanted
        code = current_code(self.directory, open_secret_keeper, badge_no, wanted * _STEP_SECONDS * 1_000_000)
        assert code is not None
        return code

    def written_ns(self) -> tuple[int, int]:
        """When and how much the register's journal was written last; by stat, which no sensor takes for an opening."""
        try:
            status = Path(f"{self.directory / REGISTER_NAME}-wal").stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size


class Rig:
    """One desk on one screen, and the acts done to it."""

    def __init__(self, screen: Screen, station: Station, home: Path, listener: Listener) -> None:
        self.screen = screen
        self.station = station
        self.home = home
        self.listener = listener
        self.attic = home.parent / "attic"  # an old copy of the vault, where nobody watches
        shutil.copytree(station.directory, self.attic)
        self.watch = FileWatch((home, Path("/dev/shm"), Path(os.environ["XDG_RUNTIME_DIR"])), (Path("/tmp"),), (station.directory,))
        self.acts: list[Act] = []
        self.said: list[str] = []  # what desks wrote to standard error besides their steps
        self._desk: DeskDriver | None = None
        self._left_signed_in = False  # the desk before ended with somebody signed in: the next one shows the lock

    # -- desks -----------------------------------------------------------------------------------------------------------------------

    @property
    def desk(self) -> DeskDriver:
        """The desk that runs."""
        assert self._desk is not None, "no desk runs"
        return self._desk

    @property
    def runs(self) -> bool:
        """Whether a desk runs."""
        return self._desk is not None and self._desk.process.poll() is None

    def start_desk(self, **environment: str) -> DeskDriver:
        """Start a desk, which becomes `desk`."""
        self.end_desk()
        self._desk = DeskDriver(self.station.directory, environment={**self.screen.environment, **environment})
        return self._desk

    def end_desk(self) -> None:
        """End the desk as a closed window ends it."""
        if self._desk is not None:
            self._left_signed_in = self.shown("shell")
        desk, self._desk = self._desk, None
        if desk is not None:
            self.said += desk.stray
            desk.close()

    def open_window(self) -> None:
        """Give the desk's window the keyboard, at the sign-in page."""
        self.desk.wait("show casevault", since=0, seconds=60)
        self.attend()
        self.desk.wait("focus sign_in_badge", "focus lock_passphrase", since=0, seconds=60)
        self.desk.settle()

    def attend(self) -> None:
        """Give the desk's window the keyboard: a window that closes gives it to nobody, as no window manager runs."""
        self.desk.focus_window()

    def sign_in(self, badge_no: str = OFFICER) -> None:
        """Sign in through the window, with keys; a desk that was ended with somebody signed in asks for their passphrase alone."""
        desk = self.desk
        locked = wait_until(lambda: self.shown("lock"), 30.0 if self._left_signed_in else 0.2)
        if locked:
            desk.wait("focus lock_passphrase", since=0)
        self._left_signed_in = False
        values = (passphrase_of(badge_no),) if locked else (badge_no, passphrase_of(badge_no), self.station.code(badge_no))
        for value in values:
            desk.type(value)
            before = desk.key("Return")
        desk.wait("show shell", since=before, seconds=60)
        desk.wait("show page_*", since=before, seconds=60)
        desk.settle()

    def shown(self, name: str) -> bool:
        """Whether something with this name was shown last, rather than hidden."""
        self.desk.mark()
        last = [step.verb for step in self.desk.steps if step.name == name and step.verb in ("show", "hide")]
        return bool(last) and last[-1] == "show"

    def focus(self, name: str) -> None:
        """Go to a control with the Tab key."""
        desk = self.desk
        desk.settle()
        for _ in range(40):
            focused = [step.name for step in desk.steps if step.verb == "focus"]
            if focused and focused[-1] == name:
                return
            before = desk.key("Tab")
            desk.wait("focus *", since=before, seconds=5)
        raise AssertionError(f"{name} cannot be reached with Tab")

    def page(self) -> None:
        """Have the marked page on the screen, whatever happened before."""
        desk = self.desk
        for _ in range(_TRIES):
            if self.screen.shows_page():
                return
            desk.settle(0.3)
            if self.screen.shows_page():
                return
            self.attend()
            before = desk.mark()
            if self.shown("notice_sheet"):
                desk.key("Return")
            elif self.shown("page_desk"):
                self.focus("desk_cases")
                desk.key("Home")
                before = desk.key("1")
            elif self.shown("reader"):
                desk.key("Escape")  # a page that was refused is not asked for again by itself
            else:
                desk.key("Return")  # the notice that stands where the file was
            self._look(self._page_or_change(before), 10.0)
        said = [f"{step.verb} {step.name}" for step in desk.steps[-8:]]
        self.end_desk()  # the next row begins with a desk of its own
        raise AssertionError(f"the page does not come back; last: {said}")

    def try_to_open(self) -> None:
        """Open the file as an officer would; whether the page comes is the caller's question."""
        self.focus("desk_cases")
        self.desk.key("Home", "1")
        self._look(self.screen.shows_page, 3.0)

    def leave_page(self) -> None:
        """Go back to the desk; the file stays checked out."""
        if self.shown("reader"):
            before = self.desk.key("Escape")
            self.desk.wait("hide reader", since=before)
            self.desk.settle()

    # -- acts ------------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def act(self, vector: str, name: str, /, *kinds: SignalKind, seconds: float = _PATIENCE_SECONDS, **facts: str) -> Iterator[Act]:
        """Time an act, and let what it led to be written before the next one begins.

        Args:
            vector: V1…V77.
            name: what is done, in a few words.
            kinds: at least one of these must be reported.
            seconds: the longest to wait for the report to be written.
            facts: what one of those reports must say, by the fact's name; ``*`` stands for anything.
        """
        written = self.station.written_ns()
        made = Act(vector, name, frozenset(kinds), facts, now_us())
        self.acts.append(made)
        try:
            yield made
        except Exception as error:  # an attack that fails to run is a row that is not ok, and says why
            made.failures.append(f"could not be run: {type(error).__name__}: {error}"[:400])
        if kinds:
            self._look(lambda: self.station.written_ns() != written, seconds)
        self.rest()
        made.ended_us = now_us()

    def rest(self) -> None:
        """Wait until neither the window nor the vault's journal has moved for a moment."""
        seen: list[object] = [None, 0.0]

        def resting() -> bool:
            now = (self._desk.mark() if self._desk else 0, self.station.written_ns())
            if now != seen[0]:
                seen[:] = [now, time.monotonic()]
            return time.monotonic() - float(str(seen[1])) >= _REST_SECONDS

        self._look(resting, _PATIENCE_SECONDS)

    def run(self, *command: str | Path, seconds: float = 30.0, **environment: str) -> subprocess.CompletedProcess[bytes]:
        """Run an attacker's program on this screen, to its end."""
        return subprocess.run(
            [str(one) for one in command],
            env={**os.environ, **self.screen.environment, **environment},
            capture_output=True,
            check=False,
            timeout=seconds,
        )

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start an attacker's program that goes on; `stopped` ends it."""
        return subprocess.Popen(
            [str(one) for one in command],
            env={**os.environ, **self.screen.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def xdotool(self, *arguments: str | int) -> str:
        """Move the pointer, press keys, ask for windows."""
        return self.run("xdotool", *map(str, arguments)).stdout.decode()

    def selection(self, which: str) -> bytes:
        """What an attacker gets out of ``clipboard`` or ``primary``."""
        return self.run("xclip", "-o", "-selection", which, seconds=5).stdout

    def visits(self) -> int:
        """How often somebody followed a link or loaded a picture of the documents."""
        return self.listener.visits

    def files(self) -> set[Path]:
        """Every file below the home but the vault's own."""
        return {path for path in self.home.rglob("*") if not path.is_relative_to(self.station.directory)}

    def marked_files(self) -> list[str]:
        """The names of files below the home that hold a word of the page."""
        return [path.name for path in self.files() if holds_mark(path)]

    def window(self, name: str) -> str:
        """The id of the visible window of that class or title, once there is one."""
        found: list[str] = []

        def came() -> bool:
            found[:] = (
                self.xdotool("search", "--onlyvisible", "--name", f"^{name}$").split()
                or self.xdotool("search", "--onlyvisible", "--class", f"^{name}$").split()
            )
            return bool(found)

        assert wait_until(came, 20.0), f"no window of {name}"
        return found[0]

    def windows(self) -> list[str]:
        """The ids of all windows below the root."""
        listed = self.run("xwininfo", "-root", "-tree").stdout.decode()
        return [line.split()[0] for line in listed.splitlines() if line.strip().startswith("0x")]

    def _page_or_change(self, before: int) -> Callable[[], bool]:
        def came() -> bool:
            new = self.desk.steps[before : self.desk.mark()]
            return self.screen.shows_page() or any(step.verb in ("show", "hide", "painted") for step in new)

        return came

    def _look(self, holds: Callable[[], bool], seconds: float) -> bool:
        return wait_until(holds, seconds)


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False if it did not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def stopped(process: subprocess.Popen[bytes]) -> bytes:
    """End a program that was started; gives what it wrote to standard output."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def passphrase_of(badge_no: str) -> str:
    """The published passphrase of a demo person."""
    found: Sequence[str] = [one["passphrase"] for one in read_plan()["person"] if one["badge_no"] == badge_no]
    return found[0]


def now_us() -> int:
    """UTC microseconds, as signals count."""
    return time.time_ns() // 1000
