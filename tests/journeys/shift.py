"""One shift at a station that did not exist a minute ago, played in the real window by keys, on a real X server, keyring and vault.

    python -m tests.journeys.shift --out build/shift

Run it inside ``packaging/session.sh headless``. It writes a picture of every step and ``report.json``
(``{"steps": [{name, ok, seconds, picture}], "breaches": [{kind, report_no, detection_ms}], "audit": {ok, entries}}``) and exits 1 if any
step failed. The supervisor's three reports are read off the screen, each opened by its key (`tests.journeys.painted_words`); what the vault
holds of them is read once more at the end through the services, by a supervisor, after the desk was closed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pyotp
import zxingcpp
from PIL import Image

from tests.driven import DRIVEN_POLICY
from tests.journeys.desk_driver import DeskDriver
from tests.journeys.opened_vault import signed_in
from tests.journeys.painted_words import PaintedWords, Seen
from vault.assembly import FOUNDING_POLICY_NAME, Vault
from vault.demo import DEMO_FOLDER, read_plan
from vault.services.views import ChainLine, ReportView

STATION = "Northgate Police"
TEAM = "Investigations"
ADMINISTRATOR, SUPERVISOR, CUSTODIAN = "9001", "4001", "7001"
OFFICER, COLLEAGUE, AUDITOR = "2001", "2002", "6001"
PEOPLE = {
    ADMINISTRATOR: ("Ada Marsh", "Administrator"),
    SUPERVISOR: ("Sven Okafor", "Supervisor"),
    CUSTODIAN: ("Clara Reyes", "Records custodian"),
    OFFICER: ("Olu Brandt", "Officer"),
    COLLEAGUE: ("Petra Novak", "Officer"),
    AUDITOR: ("Ivo Mertens", "Auditor"),
}
READING_CASE, OTHER_CASE = "2026-000417", "2026-000388"
COPY_NAME = "holiday.jpg"
_SCANNING_SECONDS = 20.0
_READING_SECONDS = 30.0
_DOWN_A_PART, _PARTS_MOST = 12, 5  # how far a report is scrolled between two looks, less than its place is high
_SENTENCE_PX, _VALUE_PX = 344, 224  # how wide a report's sentence and its values are in this window, beside the scroll bar
_STEP_SECONDS = 30


def passphrase_of(badge_no: str) -> str:
    """What each person of the shift chose."""
    return "granite window orchard " + "".join(chr(ord("a") + int(digit)) for digit in badge_no)


@dataclass(frozen=True, slots=True)
class Told:
    """What the supervisor must be shown of a report, in the words of the window."""

    report_no: str
    facts: tuple[tuple[str, str], ...]  # name of the row, its value; a row of the timeline is called by its time, which nobody knows before
    sentence: str = ""  # whole; empty where it counts what a loaded machine may count otherwise


_BY_WHOM = f"{PEOPLE[OFFICER][0]} · {OFFICER} · {TEAM}"
_ON_SCREEN = (("Case", READING_CASE), ("Document", "A01 Incident report.pdf"), ("Page", "1"), ("Check-out", "No. 1"))
_WITH_THE_PAGE = f"with page 1 of A01 Incident report.pdf in case {READING_CASE} on screen"
REPORTS = (  # as they stand in the queue
    Told(
        "B-2026-0003",
        (
            ("", "Noticed: Vault file copied"),
            ("Severity", "4 · exposed"),
            ("Officer", _BY_WHOM),
            *_ON_SCREEN,
            ("Containment", "Page was blanked and the case file returned to the vault"),
            ("Program", "cp"),
            ("Name", COPY_NAME),
        ),
    ),
    Told(
        "B-2026-0002",
        (
            ("", "Noticed: Print Screen key"),
            ("Severity", "3 · deliberate"),
            ("Officer", _BY_WHOM),
            *_ON_SCREEN,
            ("Containment", "Page was blanked"),
        ),
        f"{_BY_WHOM} pressed Print Screen once, {_WITH_THE_PAGE}. Page was blanked.",
    ),
    Told(
        "B-2026-0001",
        (
            ("", "Noticed: Copy key"),
            ("Severity", "2 · ambiguous"),
            ("Officer", _BY_WHOM),
            *_ON_SCREEN,
            ("Containment", "Officer was told; page stayed"),
        ),
        f"{_BY_WHOM} pressed the copy key once, {_WITH_THE_PAGE}. Officer was told; page stayed.",
    ),
)


@dataclass
class StepReport:
    """One line of the report."""

    name: str
    ok: bool
    seconds: float
    picture: str


@dataclass
class Report:
    """What the shift leaves behind."""

    steps: list[StepReport] = field(default_factory=list)
    breaches: list[dict[str, object]] = field(default_factory=list)
    audit: dict[str, object] = field(default_factory=dict)


class Shift:
    """Plays the steps in order; a failed one ends the shift."""

    people: tuple[str, ...] = (OFFICER, COLLEAGUE, AUDITOR)  # enrolled after founding

    def __init__(self, out: Path) -> None:
        self.out = out
        self.home = Path(os.environ["HOME"])
        self.vault = self.home / ".local" / "share" / "casevault"
        self.report = Report()
        self.second_factors: dict[str, str] = {}
        self._used: dict[str, int] = {}
        self.vault.mkdir(mode=0o700, parents=True)
        (self.vault / FOUNDING_POLICY_NAME).write_text(DRIVEN_POLICY)
        self.desk = DeskDriver(self.vault)
        self._painted: PaintedWords | None = None

    # -- the shift -------------------------------------------------------------------------------------------------------------------

    def play(self) -> bool:
        """Play every step; True if all went well."""
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("first run", self.first_run),
            ("founding", self.founding),
            ("a unit", self.add_unit),
            ("enrolment", self.enrol),
            ("second signature", self.cosign),
            ("case register", self.register_cases),
            ("intake", self.take_in),
            ("sign-in", self.sign_in_officer),
            ("check-out", self.check_out),
            ("reading", self.read),
            ("find", self.find),
            ("copy key", self.copy_key),
            ("print screen", self.print_screen),
            ("copy of the vault", self.copy_vault),
            ("supervisor", self.supervise),
            ("three reports", self.read_reports),
            ("triage", self.triage),
            ("custody board", self.board),
            ("check-in", self.check_in),
            ("audit", self.audit),
            ("lock", self.lock),
        )
        return self._play(steps)

    def first_run(self) -> None:
        self.desk.wait("show casevault")
        self.desk.focus_window()
        self.desk.wait("focus founding_station", since=0)
        self.desk.settle()

    def founding(self) -> None:
        desk = self.desk
        self._fill("founding_station", STATION)
        desk.key("Return")
        for badge in (ADMINISTRATOR, SUPERVISOR, CUSTODIAN):
            secret = passphrase_of(badge)
            for value in (badge, PEOPLE[badge][0], secret):
                desk.type(value)
                desk.key("Return")
            desk.type(secret)
            before = desk.key("Return")
            desk.settle(0.3)
        desk.wait("show founding_onward", since=before, seconds=60)
        for badge in (ADMINISTRATOR, SUPERVISOR, CUSTODIAN):
            desk.settle(0.3)
            self._scan(badge)
            before = desk.key("Return")
        desk.wait("focus sign_in_badge", since=before)

    def add_unit(self) -> None:
        self._sign_in(SUPERVISOR, "show page_*")
        self._page("People", "people")
        before = self.desk.key("u")
        self.desk.wait("show people_unit_sheet", "show unit_sheet", "show *unit*", since=before)
        self.desk.settle()
        self.desk.type(TEAM)
        self.desk.key("Return")
        self.desk.settle(0.6)

    def enrol(self) -> None:
        self._sign_in(ADMINISTRATOR, "show page_people")
        for badge in self.people:
            name, role = PEOPLE[badge]
            unit = "Administration" if badge == AUDITOR else TEAM
            before = self.desk.key("ctrl+n")
            self.desk.wait("focus enrol_badge", since=before)
            self.desk.settle()
            self._fill("enrol_badge", badge)
            self._fill("enrol_name", name)
            self._choose("enrol_role", role)
            self._choose("enrol_unit", unit)
            self._fill("enrol_passphrase", passphrase_of(badge))
            self._fill("enrol_again", passphrase_of(badge))
            before = self.desk.key("ctrl+Return")
            self.desk.wait("show second_factor_sheet", since=before)
            self.desk.settle(0.4)
            self._scan(badge)
            self.desk.key("Return")
            self.desk.wait("hide second_factor_sheet", since=before)
            self.desk.settle()

    def cosign(self) -> None:
        self._sign_in(SUPERVISOR, "show page_*")
        self._page("People", "people")
        for _ in self.people:
            self._focus("people_list")
            self.desk.key("Home")  # who waits for a signature stands first
            before = self.desk.key("c")
            self.desk.wait("show *cosign*sheet", since=before)
            self.desk.settle()
            self.desk.key("ctrl+Return")
            self.desk.wait("hide *cosign*sheet", since=before)
            self.desk.settle(0.5)

    def register_cases(self) -> None:
        self._sign_in(CUSTODIAN, "show page_*")
        self._page("Intake", "intake")
        plan = {case["number"]: case for case in read_plan()["case"]}
        burglary, other = list(plan.values())[:2]
        titles = [(OTHER_CASE, COLLEAGUE, other), (READING_CASE, OFFICER, burglary)]
        for number, officer, case in titles:
            before = self.desk.key("ctrl+n")
            self.desk.wait("focus register_number", since=before)
            self.desk.settle()
            self._fill("register_number", number)
            self._fill("register_type", case["type"])
            self._fill("register_name", case["title"])
            self._fill("register_officer", officer)
            self.desk.key("Return")
            self._choose("register_unit", TEAM)
            before = self.desk.key("ctrl+Return")
            self.desk.wait("show intake_path", since=before)
            self.desk.settle()
            if number == OTHER_CASE:
                self._take_folder(DEMO_FOLDER / case["folder"])
                self.desk.key("Escape")
                self.desk.settle()

    def take_in(self) -> None:
        folder = self.home / "delivery"
        folder.mkdir()
        for case in read_plan()["case"]:
            for document in sorted((DEMO_FOLDER / case["folder"]).iterdir()):
                shutil.copy(document, folder)
        (folder / "empty-scan.pdf").touch()
        assert len(list(folder.iterdir())) >= 13
        self._take_folder(folder)

    def sign_in_officer(self) -> None:
        self._sign_in(OFFICER, "show page_desk")

    def check_out(self) -> None:
        self._focus("desk_cases")
        before = self.desk.key("1")
        self.desk.wait("painted 1", since=before)
        self.desk.settle()

    def read(self) -> None:
        for page in ("2", "3"):
            before = self.desk.key("Next")
            self.desk.wait(f"painted {page}", since=before)
        before = self.desk.key("bracketright")
        self.desk.wait("painted 1", since=before)
        before = self.desk.key("bracketleft")
        self.desk.wait("painted *", since=before)
        self.desk.settle()

    def find(self) -> None:
        before = self.desk.key("ctrl+f")
        self.desk.wait("focus reader_find_field", since=before)
        self.desk.type("northgate")
        before = self.desk.key("Return")
        found = self.desk.wait("found *", since=before)
        assert int(found.name) > 0, "the words are in the document"
        self.desk.settle()
        self._picture("find-highlights")
        before = self.desk.key("Escape")
        self.desk.wait("focus reader_page_view", since=before)
        self.desk.settle()

    def copy_key(self) -> None:
        before = self.desk.key("ctrl+c")
        self.desk.wait("show reader_notice", since=before)
        self.desk.settle(0.5)

    def print_screen(self) -> None:
        before = self.desk.key("Print")
        self.desk.wait("show notice_sheet", since=before)
        self.desk.settle(0.5)
        self._picture("print-screen-notice")
        before = self.desk.key("Return")
        self.desk.wait("hide notice_sheet", since=before)
        self.desk.wait("painted *", since=before)
        self.desk.settle()

    def copy_vault(self) -> None:
        before = self.desk.mark()
        subprocess.run(["cp", str(self.vault / "register.db"), str(self.home / "Downloads" / COPY_NAME)], check=True)
        self.desk.wait("hide reader", "hide reader_page_view", since=before)
        self.desk.settle(0.8)
        self._picture("containment")
        before = self.desk.key("Return")
        self.desk.wait("show page_desk", since=before)
        self.desk.settle()

    def supervise(self) -> None:
        self._sign_in(SUPERVISOR, "show page_*")
        self._page("Breaches", "breaches")
        self.desk.settle(1.0)

    def read_reports(self) -> None:
        """Open each report by its key and see on the screen what it must say."""
        self._focus("breaches_report_scroll")
        for number, told in enumerate(REPORTS):
            if number:
                self.desk.key("j")
            self._read_report(told)
        self.desk.key("k", "k")
        self._open_report(REPORTS[0].report_no, "report")

    def triage(self) -> None:
        self._focus("breaches_queue")
        self.desk.key("a")
        self.desk.settle(0.6)
        self.desk.key("o")
        self.desk.settle(0.6)
        before = self.desk.key("d")
        self.desk.wait("show *dispose*sheet", since=before)
        self.desk.settle()
        self._focus("breaches_finding")
        self.desk.key("1")
        self._fill("breaches_rationale", "Deliberate: the copy was made by hand and confirmed in interview.")
        before = self.desk.key("ctrl+Return")
        self.desk.wait("hide *dispose*sheet", since=before)
        self.desk.settle(0.6)

    def board(self) -> None:
        self._page("Custody", "custody")
        self.desk.settle(0.6)

    def check_in(self) -> None:
        self._sign_in(COLLEAGUE, "show page_desk")
        self._focus("desk_cases")
        self.desk.key("Down")  # the newest case is first; this one was registered before it
        before = self.desk.key("1")
        self.desk.wait("painted 1", since=before)
        self.desk.settle()
        before = self.desk.key("ctrl+i")
        self.desk.wait("show check_in*", since=before)
        self.desk.settle()
        self._picture("check-in-statement")
        self._focus("check_in_attest")
        self.desk.key("space")
        before = self.desk.key("ctrl+Return")
        self.desk.wait("hide reader", since=before)
        self.desk.settle(0.6)

    def audit(self) -> None:
        self._sign_in(AUDITOR, "show page_audit")
        self.desk.settle(0.6)
        self._focus("audit_trail")
        self.desk.key("v")
        self.desk.settle(1.5)

    def lock(self) -> None:
        before = self.desk.key("ctrl+l")
        self.desk.wait("show lock*", since=before)
        self.desk.settle(1.0)

    def facts(self) -> None:
        """Read the queue and the trail as a supervisor, through the services, and compare with what was done."""
        with self.opened_as(SUPERVISOR) as vault:
            self._check_facts(vault)

    def opened_as(self, badge_no: str) -> AbstractContextManager[Vault]:
        """Open the vault through the services, signed in as somebody, once the desk is closed."""
        return signed_in(self.vault, badge_no, passphrase_of(badge_no), lambda: self._code(badge_no))

    def _check_facts(self, vault: Vault) -> None:
        chain: ChainLine = vault.supervision.verify_chain()
        self.report.audit = {"ok": chain.holds, "entries": chain.entries}
        reports: list[ReportView] = [vault.supervision.report(one.breach_id) for one in vault.supervision.queue(True)]
        reports.sort(key=lambda one: one.line.first_us)
        self.report.breaches = [
            {"kind": one.line.kind.value, "report_no": one.line.report_no, "detection_ms": one.detection_ms} for one in reports
        ]
        assert chain.holds, chain
        kinds = [{fact.kind.value for fact in one.facts} for one in reports]
        assert len(reports) == 3, self.report.breaches
        assert kinds[0] == {"copy-key"}, kinds
        assert kinds[1] == {"print-screen-key"}, kinds
        assert "store-copied" in kinds[2], kinds
        for one in reports:
            assert one.line.officer is not None
            assert one.line.officer.badge_no == OFFICER
            assert one.facts[0].case_label == READING_CASE, one.facts
            assert one.facts[0].page_no >= 1
        said = dict(pair for fact in reports[2].facts for pair in fact.facts)
        assert said["process"] == "cp", said
        assert said["name"] == COPY_NAME, said
        assert reports[2].line.severity >= 4
        disposed = [one for one in reports if one.finding is not None]
        assert len(disposed) == 1, [one.line.state for one in reports]
        trail = [line.kind for line in vault.supervision.audit_page((), "", "", 0, 0, 0, 500).lines]
        for kind in (
            "document.searched",
            "custody.contained",
            "custody.checked-in",
            "page.viewed",
            "page.left",
            "document.refused",
            "audit.verified",
        ):
            assert kind in trail, kind
        assert trail.count("document.taken-in") >= 12

    # -- people ----------------------------------------------------------------------------------------------------------------------

    def _sign_in(self, badge_no: str, *shown: str) -> None:
        desk = self.desk
        if self._signed_in():
            self._sign_out()
        self._focus("sign_in_badge")
        desk.type(badge_no)
        desk.key("Return")
        desk.type(passphrase_of(badge_no))
        desk.key("Return")
        desk.type(self._code(badge_no))
        before = desk.key("Return")
        desk.wait("show shell", since=before, seconds=30)
        desk.wait(*shown, since=before)
        desk.settle(0.5)

    def _signed_in(self) -> bool:
        self.desk.mark()
        faces = [step.name for step in self.desk.steps if step.verb == "show" and step.name in ("shell", "sign_in", "lock")]
        return bool(faces) and faces[-1] == "shell"

    def _sign_out(self) -> None:
        before = self.desk.key("ctrl+k")
        self.desk.wait("focus palette_line", since=before)
        self.desk.type("sign out")
        self.desk.key("Return")
        # On a loaded machine either takes a while; a key too early would be the sign-in page's.
        if self.desk.wait("show sign_in", "show sign_out_sheet", since=before).name == "sign_out_sheet":
            self.desk.settle()
            self.desk.key("ctrl+Return")
        self.desk.wait("show sign_in", since=before)
        self.desk.settle(0.4)

    def _code(self, badge_no: str) -> str:
        """A code that was not used yet, as soon as the vault would accept one (a step before and a step after are accepted too)."""
        step = max(int(time.time()) // _STEP_SECONDS, self._used.get(badge_no, 0) + 1)
        while step > int(time.time()) // _STEP_SECONDS + 1:
            time.sleep(0.2)
        self._used[badge_no] = step
        return pyotp.TOTP(self.second_factors[badge_no]).generate_otp(step)

    def _scan(self, badge_no: str) -> None:
        """Read the QR code off the screen, as the person's telephone would."""
        deadline = time.monotonic() + _SCANNING_SECONDS
        found: list[str] = []
        while not found and time.monotonic() < deadline:  # a sheet that was told of may not be painted yet
            picture = self.desk.picture(self.out / "scan.png")
            found = [one.text for one in zxingcpp.read_barcodes(Image.open(picture)) if one.text.startswith("otpauth://")]
            picture.unlink()  # a second factor is not a picture to keep
        assert found, f"no QR code on the screen for {badge_no}"
        assert badge_no in found[0]
        self.second_factors[badge_no] = parse_qs(urlparse(found[0]).query)["secret"][0]

    # -- reading the screen ----------------------------------------------------------------------------------------------------------

    @property
    def _words(self) -> PaintedWords:
        """Another client of the screen: only once something is to be read."""
        if self._painted is None:
            self._painted = PaintedWords()
        return self._painted

    def _open_report(self, report_no: str, name: str) -> Seen:
        """Look at the screen until that report is on it: asked for, it is not there at once."""
        deadline = time.monotonic() + _READING_SECONDS
        while time.monotonic() < deadline:
            self.desk.settle(0.2)
            seen = self._words.on(self.out / self._picture(name))
            if seen.report_no(report_no) and not seen.remark("Asking for the report"):
                return seen
        raise AssertionError(f"report {report_no} is not on the screen")

    def _read_report(self, told: Told) -> None:
        """See a report's sentence and facts on the screen, scrolling down by the key until all of them were there."""
        name = f"report-{int(told.report_no[-4:])}"
        seen = self._open_report(told.report_no, name)
        assert not told.sentence or seen.sentence(told.sentence, _SENTENCE_PX), f"{told.report_no} does not say: {told.sentence}"
        missing = [one for one in told.facts if not seen.fact(*one, _VALUE_PX)]
        for part in range(2, 2 + _PARTS_MOST):
            if not missing:
                return
            self.desk.key(*["Down"] * _DOWN_A_PART)
            seen = self._open_report(told.report_no, f"{name}-part-{part}")
            missing = [one for one in missing if not seen.fact(*one, _VALUE_PX)]
        assert not missing, f"{told.report_no} does not show {missing}"

    # -- keys ------------------------------------------------------------------------------------------------------------------------

    def _focus(self, name: str) -> None:
        """Go to a control with the Tab key, once the window has come to rest: a Tab too early would be one too many."""
        self.desk.settle()
        for _ in range(40):
            focused = [step.name for step in self.desk.steps if step.verb == "focus"]
            if focused and focused[-1] == name:
                return
            before = self.desk.key("Tab")
            self.desk.wait("focus *", since=before, seconds=3)
        raise AssertionError(f"{name} cannot be reached with Tab")

    def _fill(self, name: str, value: str) -> None:
        self._focus(name)
        self.desk.key("ctrl+a")
        self.desk.type(value)

    def _choose(self, name: str, words: str) -> None:
        """Choose in a list by typing the beginning of the words."""
        self._focus(name)
        self.desk.type(words[:8])
        self.desk.settle()

    def _page(self, words: str, key: str) -> None:
        """Go to a page of the rail through the palette."""
        last = [step for step in self.desk.steps if step.name.startswith("page_") and step.verb == "show"]
        if last and last[-1].name == f"page_{key}":
            return
        before = self.desk.key("ctrl+k")
        self.desk.wait("focus palette_line", since=before)
        self.desk.type(words)
        self.desk.key("Return")
        self.desk.wait(f"show page_{key}", since=before)
        self.desk.settle(0.5)

    def _take_folder(self, folder: Path) -> None:
        self._fill("intake_path", str(folder))
        before = self.desk.key("Return")
        self.desk.wait("hide intake_cancel", since=before, seconds=60)
        self.desk.settle(0.5)

    # -- record ----------------------------------------------------------------------------------------------------------------------

    def _play(self, steps: Sequence[tuple[str, Callable[[], None]]]) -> bool:
        """Play steps up to the first that fails; when the desk is closed the facts are looked at."""
        try:
            for name, act in steps:
                if not self._step(name, act):
                    return False
        finally:
            self.desk.close()
        return self._step("facts", self.facts)

    def _step(self, name: str, act: Callable[[], None]) -> bool:
        began = time.monotonic()
        failure = ""
        first = len(self.desk.steps)
        try:
            act()
        except Exception:  # a failed step is a line of the report, with its picture
            failure = traceback.format_exc()
        seconds = round(time.monotonic() - began, 2)
        picture = self._picture(name) if self.desk.process.poll() is None else ""
        self.report.steps.append(StepReport(name, not failure, seconds, picture))
        print(f"shift: {'ok  ' if not failure else 'FAIL'} {seconds:6.2f} s  {name}", flush=True)
        if failure:
            said = [f"{one.verb} {one.name}" for one in self.desk.steps[first:]]
            logs = [path.read_text() for path in self.home.rglob("*.log")]
            print(failure, *said[-30:], *self.desk.stray[-5:], *logs, sep="\n", file=sys.stderr)
        return not failure

    def _picture(self, name: str) -> str:
        shown = f"{len(self.report.steps) + 1:02d}-{name.replace(' ', '-')}.png"
        self.desk.picture(self.out / shown)
        return shown


def main() -> int:
    """Play the shift and write the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    shift = Shift(out)
    went_well = shift.play()
    (out / "report.json").write_text(json.dumps(asdict(shift.report), indent=2) + "\n", encoding="utf-8")
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
