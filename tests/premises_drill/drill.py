"""The steps of the drill, played from inside the workstation's namespace against the real product in its real window.

    python -m tests.premises_drill.drill RUN SCRATCH OUT     in a session of its own; `__main__` starts it

A step that cannot be played ends the drill; it and what would have come after are not ok.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.suite.papers import CASE_NUMBER, CASE_TITLE, WORDS
from tests.attacks.suite.readout import Reported, reported_in
from tests.attacks.suite.rig import OFFICER, POLICY, Rig, Station, passphrase_of, wait_until
from tests.attacks.suite.watch import Listener
from tests.journeys.desk_driver import ROOT
from tests.journeys.memory import count_in_file, forms, keep_memory
from tests.premises_drill.network import GATEWAY, GATEWAY_MAC, HOME, PORT, STATION, THIEF, URL, WORKSTATION, Network
from tests.premises_drill.record import Line, write
from tests.premises_drill.thief import export_keyring, keyring_values
from tests.screen import Screen, x_server
from tests.tang import TangServer
from vault.crypto.slots import vault_keys
from vault.domain.breach import SignalKind
from vault.storage.spool import FOLDER_NAME

PROOF_SECONDS, LEASE_SECONDS = 3, 10
ADMINISTRATOR, SUPERVISOR, OTHER_SUPERVISOR = "9001", "4001", "4002"
UNREACHABLE, OTHER_KEYS, IMPOSTOR = "premises.unreachable", "premises.refused", "premises.wrong-answer"
_SERVER_NAME = "Key room"
_NOBODY = ("0000", "no passphrase of anybody", "000000")  # who the command is told asks, where it opens nothing
_PATIENCE_SECONDS = 60.0
_BEHIND_SECONDS = 1.0  # the lock may come this much after the lease's end (issue: lease + 1 s)


@dataclass
class Drill:
    """One run."""

    network: Network
    scratch: Path
    screen: Screen
    station: Station
    rig: Rig
    key_room: Path  # the key server's own files
    lines: list[Line] = field(default_factory=list)
    sought: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    measured: float | None = None  # what a step measured, where that is not how long it took
    cut_at: float = 0.0
    vault_pid: int = 0
    _holders: list[str] = field(default_factory=list)  # whose memory held what was sought last

    def play(self) -> None:
        """Play the steps in order."""
        steps: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("bind", "the command binds the workstation to one key server", self.bind),
            ("sign in, read a page", "the page is on the screen; the search finds its keys", self.read_page),
            ("cut: the page", f"covered within {PROOF_SECONDS} s, one proof interval", self.cut),
            ("cut: the lock", f"locked within {LEASE_SECONDS + _BEHIND_SECONDS:g} s, the lease and one", self.locked),
            ("cut: memory", "the vault process ended; no key, no page in any process", self.memory),
            ("cut: sealed report", "one report waits, sealed", self.sealed),
            ("home: another Tang", "same address and MAC; refused, a report sealed", self.home_other_keys),
            ("home: an impostor", "its answers are not the key; refused, a report sealed", self.home_impostor),
            ("thief: copy and keyring", "does not open anywhere but at the station; no key, no word", self.thief),
            ("thief: at the station", "control: the copy is whole, it opens where the key is", self.thief_at_station),
            ("return", "one key and the passphrase, and the page is back", self.come_back),
            ("the queue", "every report in order, with its facts, none twice", self.queue),
            ("one spool file deleted", "two more reports wait; the older one is deleted", self.delete_one),
            ("the gap", "reported with its number; the other report is there, once", self.gap),
        )
        for name, expected, act in steps:
            if not self.step(name, expected, act):
                break
        told = {one.step for one in self.lines}
        self.lines += [Line(name, expected, "not played", False, 0.0) for name, expected, _ in steps if name not in told]

    def step(self, name: str, expected: str, act: Callable[[], str]) -> bool:
        """Play one step and write its line."""
        began, self.measured = time.monotonic(), None
        try:
            observed, ok = act(), True
        except Exception as error:
            print(traceback.format_exc(limit=-6), file=sys.stderr)
            observed, ok = f"{type(error).__name__}: {error}", False
        took = self.measured if self.measured is not None else time.monotonic() - began
        self.lines.append(Line(name, expected, observed, ok, round(took, 2)))
        print(f"drill: {'ok' if ok else 'FAIL'} {name}: {observed}", file=sys.stderr, flush=True)
        return ok

    # -- at the station --------------------------------------------------------------------------------------------------------------

    def bind(self) -> str:
        self.sought = self._keys()
        thumbprint = next(one for one in _told(self.key_room / "thumbprint"))
        done = self._premises(ADMINISTRATOR, "add", "--name", _SERVER_NAME, "--url", URL, "--thumbprint", thumbprint)
        assert done.returncode == 0, done.stderr
        assert URL in done.stdout, done.stdout
        return f"bound to {URL}"

    def read_page(self) -> str:
        self.rig.start_desk()
        self.rig.open_window()
        self.rig.sign_in()
        self.rig.page()
        self.vault_pid = self.rig.desk.vault_pid()
        found = self._searched([self.vault_pid])
        assert all(found.values()), f"the search does not find what is there: {found}"
        return f"on the screen; in the vault process {_counts(found)}"

    # -- the cable is cut ------------------------------------------------------------------------------------------------------------

    def cut(self) -> str:
        assert self.screen.shows_page()
        self.cut_at = time.monotonic()
        self.network.cut(STATION)
        covered = wait_until(lambda: not self.screen.shows_page(), _PATIENCE_SECONDS)
        self.measured = time.monotonic() - self.cut_at
        assert covered, "the page is still to be seen"
        assert self.measured <= PROOF_SECONDS, f"covered after {self.measured:.2f} s"
        return f"covered after {self.measured:.2f} s"

    def locked(self) -> str:
        self.rig.desk.wait("show lock", since=0, seconds=_PATIENCE_SECONDS)
        self.measured = time.monotonic() - self.cut_at
        assert self.measured <= LEASE_SECONDS + _BEHIND_SECONDS, f"locked after {self.measured:.2f} s"
        return f"locked after {self.measured:.2f} s"

    def memory(self) -> str:
        ended = wait_until(lambda: not Path(f"/proc/{self.vault_pid}").exists(), _PATIENCE_SECONDS)
        assert ended, "the vault process still runs"
        after = time.monotonic() - self.cut_at
        self.rig.desk.wait("focus cannot_open_act", since=0, seconds=_PATIENCE_SECONDS)
        left = [pid for pid in self.network.processes(WORKSTATION) if pid != os.getpid()]
        found = self._searched(left)
        assert not any(found.values()), f"found: {_counts(found)} in {', '.join(self._holders)}"
        return f"ended {after:.2f} s after the cut; {len(left)} processes searched, {_counts(found)}"

    def sealed(self) -> str:
        [report] = self._waiting(1)
        self._is_sealed(report)
        return f"{report.name}, {report.stat().st_size} bytes"

    # -- at home ---------------------------------------------------------------------------------------------------------------------

    def home_other_keys(self) -> str:
        self.network.plug(WORKSTATION, HOME)
        with self._serving(HOME, "key_room", self.scratch / "other-keys", str(PORT)):
            return self._refused_at_home(2)

    def home_impostor(self) -> str:
        with self._serving(HOME, "impostor", self.key_room / "advertisement", str(PORT)):
            return self._refused_at_home(3)

    def _refused_at_home(self, reports: int) -> str:
        with urllib.request.urlopen(f"{URL}/adv", timeout=5) as answer:  # the server plays its part, and the gateway is known
            assert answer.status == 200
        gateway = self.network.gateway(WORKSTATION)
        assert gateway == f"{GATEWAY} {GATEWAY_MAC}", gateway
        before = self.rig.desk.key("Return")  # try again
        self.rig.desk.wait("focus cannot_open_act", since=before, seconds=_PATIENCE_SECONDS)
        assert not self.rig.shown("shell")
        report = self._waiting(reports)[-1]
        self._is_sealed(report)
        found = self._searched([pid for pid in self.network.processes(WORKSTATION) if pid != os.getpid()])
        assert not any(found.values()), f"found: {_counts(found)}"
        return f"gateway {gateway}; refused; {report.name}"

    # -- the thief -------------------------------------------------------------------------------------------------------------------

    def thief(self) -> str:
        loot, secrets = self.scratch / "loot", self.scratch / "loot-keyring.json"
        shutil.copytree(self.station.directory, loot)
        entries = export_keyring(secrets)
        thief = self._start_thief(loot, secrets)
        assert thief.stdin is not None
        assert thief.stdout is not None
        said = {}
        try:
            said["no network"] = self._try(thief)
            self.network.plug(THIEF, HOME)
            for name, module, first in (("another Tang", "key_room", "other-keys"), ("an impostor", "impostor", "")):
                argument = self.scratch / first if first else self.key_room / "advertisement"
                with self._serving(HOME, module, argument, str(PORT)):
                    said[name] = self._try(thief)
            assert said == {"no network": UNREACHABLE, "another Tang": OTHER_KEYS, "an impostor": IMPOSTOR}, said
            counts = self._searched(self.network.processes(THIEF))
            for path in (keyring_values(secrets), *(one for one in loot.rglob("*") if one.is_file())):
                # The title is on every desk's list, so that a desk's memory may hold it; a thief's file may not.
                for name, count in count_in_file(path, {**self.sought, "case title": forms(CASE_TITLE)}).items():
                    counts[name] = counts.get(name, 0) + count
            assert not any(counts.values()), f"found: {_counts(counts)}"
        finally:
            _end(thief)
        return f"{entries} entries of the keyring copied; {', '.join(f'{name}: {code}' for name, code in said.items())}; {_counts(counts)}"

    def thief_at_station(self) -> str:
        self.network.plug(THIEF, STATION)
        thief = self._start_thief(self.scratch / "loot", self.scratch / "loot-keyring.json")
        try:
            said = self._try(thief)
        finally:
            _end(thief)
            self.network.unplug(THIEF)
        assert said == "opens", said
        return said

    def _start_thief(self, loot: Path, secrets: Path) -> subprocess.Popen[str]:
        program = (ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", "tests.premises_drill.thief", loot, secrets)
        thief = subprocess.Popen(
            self.network.command(THIEF, *program),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert thief.stdout is not None
        assert thief.stdout.readline() == "ready\n"
        return thief

    @staticmethod
    def _try(thief: subprocess.Popen[str]) -> str:
        assert thief.stdin is not None
        assert thief.stdout is not None
        thief.stdin.write("\n")
        thief.stdin.flush()
        return thief.stdout.readline().strip()

    # -- back ------------------------------------------------------------------------------------------------------------------------

    def come_back(self) -> str:
        self.network.plug(WORKSTATION, STATION)
        desk = self.rig.desk
        began = time.monotonic()
        before = desk.key("Return")
        desk.wait("focus lock_passphrase", since=before, seconds=_PATIENCE_SECONDS)
        asked = time.monotonic() - began
        desk.type(passphrase_of(OFFICER))
        before = desk.key("Return")
        desk.wait("show shell", since=before, seconds=_PATIENCE_SECONDS)
        desk.settle()
        self.rig.page()
        assert wait_until(lambda: not self._spooled(), _PATIENCE_SECONDS), "reports still wait"
        self.rig.rest()
        self.rig.end_desk()
        return f"asked for the passphrase after {asked:.2f} s; the page is back; nothing waits any more"

    def queue(self) -> str:
        reported = self._reported(SUPERVISOR)
        away = [one for one in reported if one.kind is SignalKind.OFF_PREMISES]
        codes = [one.facts.get("code") for one in away]
        assert codes == [UNREACHABLE, OTHER_KEYS, IMPOSTOR], codes
        assert [one.observed_us for one in away] == sorted({one.observed_us for one in away})
        assert len({one.report_no for one in away}) == len(away)
        lost = [one for one in reported if one.kind is SignalKind.PREMISES_LOST]
        assert len(lost) == 1, lost
        assert lost[0].facts["lease_seconds"] == str(LEASE_SECONDS), lost
        assert lost[0].observed_us < away[0].observed_us
        return "; ".join(f"{one.report_no} {one.kind.value} {one.facts}" for one in (*lost, *away))

    def delete_one(self) -> str:
        """Away again, and what waits is tampered with before anybody is told."""
        self.network.unplug(WORKSTATION)
        gone = self._premises("", "list")
        self.network.plug(WORKSTATION, HOME)
        with self._serving(HOME, "impostor", self.key_room / "advertisement", str(PORT)):
            pretended = self._premises("", "list")
        assert (gone.returncode, pretended.returncode) == (1, 1), (gone, pretended)
        first, second = self._waiting(2)
        first.unlink()
        return f"{first.name} deleted, {second.name} left"

    def gap(self) -> str:
        self.network.plug(WORKSTATION, STATION)
        done = self._premises(ADMINISTRATOR, "list")
        assert done.returncode == 0, done.stderr
        reported = self._reported(OTHER_SUPERVISOR)
        away = [one.facts.get("code") for one in reported if one.kind is SignalKind.OFF_PREMISES]
        assert away == [UNREACHABLE, OTHER_KEYS, IMPOSTOR, IMPOSTOR], away
        gaps = [one.facts for one in reported if one.kind is SignalKind.STORE_TAMPERED]
        assert [(one.get("code"), one.get("first"), one.get("reports")) for one in gaps] == [("spool.gap", "4", "1")], gaps
        return f"store-tampered {gaps[0]}; {len(away)} reports of absence, none twice"

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _keys(self) -> dict[str, tuple[bytes, ...]]:
        """What nobody may hold once the premises are lost: the keys, and the words of the page."""
        with self.station.opened(OFFICER) as vault:
            vault_key = vault.binding._opened.secrets.vault_key
            derived = vault_keys(vault_key)
            vault_level = (vault_key.reveal(), derived.register.reveal(), derived.content.reveal(), derived.blind_index.reveal())
            private = vault.world.require().keys.holder.export_private().reveal()
            [case] = [one for one in vault.desk.cases("", "", 50).lines if one.rms_number == CASE_NUMBER]
            case_key = vault.world.require_case(case.case_id).key().reveal()
        return {
            "vault keys": tuple(form for key in vault_level for form in (key, key.hex().encode())),
            "case key": (case_key, case_key.hex().encode()),
            "officer's private keys": (private[2:34], private[34:66], private[66:98], private[98:130]),
            "page text": tuple(form for word in WORDS for form in forms(word)),
        }

    def _searched(self, pids: list[int]) -> dict[str, int]:
        """Count what is sought in the memory of processes; one that ends meanwhile holds nothing."""
        counts = dict.fromkeys(self.sought, 0)
        self._holders = []
        kept = self.scratch / "memory"
        for pid in pids:
            try:
                keep_memory(pid, kept)
            except (FileNotFoundError, ProcessLookupError):
                continue
            here = count_in_file(kept, self.sought)
            kept.unlink()
            if any(here.values()):
                self._holders.append(f"{pid} {_counts(here)}")
            for name, count in here.items():
                counts[name] += count
        return counts

    def _premises(self, badge_no: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``casevault premises``, answering its questions; it has no terminal and asks on its standard input."""
        who = (badge_no, passphrase_of(badge_no), self.station.code(badge_no)) if badge_no else _NOBODY
        answers = "".join(f"{one}\n" for one in who)
        return subprocess.run(
            [sys.executable, "-m", "vault.commands", "premises", "--vault", str(self.station.directory), *arguments],
            cwd=ROOT,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
            start_new_session=True,
        )

    def _reported(self, badge_no: str) -> tuple[Reported, ...]:
        """The supervisors' queue, in the order of the commits."""
        with self.station.opened(badge_no) as vault:
            return reported_in(lambda method, *arguments: method(vault.supervision, *arguments))

    def _spooled(self) -> list[Path]:
        return sorted((self.station.directory / FOLDER_NAME).glob("*.report"))

    def _waiting(self, count: int) -> list[Path]:
        assert wait_until(lambda: len(self._spooled()) >= count, _PATIENCE_SECONDS), f"{len(self._spooled())} reports wait, not {count}"
        found = self._spooled()
        assert len(found) == count, [one.name for one in found]
        return found

    def _is_sealed(self, report: Path) -> None:
        """No word of the facts stands in the file: the address that did not answer, whoever was signed in."""
        counts = count_in_file(report, {**self.sought, "facts": (URL.encode(), _SERVER_NAME.encode(), OFFICER.encode(), b"at_us")})
        assert not any(counts.values()), f"{report.name} holds {_counts(counts)}"

    @contextlib.contextmanager
    def _serving(self, name: str, module: str, *arguments: str | Path) -> Iterator[None]:
        server = self.network.start(name, module, *arguments)
        try:
            yield
        finally:
            _end(server)


def _told(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").split()


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items())


def _end(process: subprocess.Popen[str]) -> None:
    """End a program that was started here."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> int:
    """Found, play, write what came of it."""
    run, scratch, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    home = Path(os.environ["HOME"])
    network = Network(run)
    network.plug(WORKSTATION, STATION)
    keys = scratch / "key-room"
    key_server = network.start(STATION, "key_room", keys, str(PORT))
    ours = TangServer(keys)  # the same files, on this namespace's loopback: its own tools tell thumbprint and advertisement
    with urllib.request.urlopen(f"{URL}/adv", timeout=10) as answer:
        advertisement = answer.read()
    shown = scratch / "shown"
    shown.mkdir()
    (shown / "thumbprint").write_text(ours.thumbprint())
    (shown / "advertisement").write_bytes(advertisement)
    ours.close()
    listener = Listener()
    policy = {**POLICY, "premises_proof_seconds": str(PROOF_SECONDS), "premises_lease_seconds": str(LEASE_SECONDS)}
    lines: list[Line] = []
    try:
        with x_server(home.parent / "screen") as screen:
            began = time.monotonic()
            station = Station.found(home / ".local" / "share" / "casevault", policy, home / "delivery", listener.port)
            rig = Rig(screen, station, home, listener)
            drill = Drill(network, scratch, screen, station, rig, shown)
            drill.lines = lines
            lines.append(Line("found", "the command founds a station with one case", "founded", True, round(time.monotonic() - began, 2)))
            try:
                drill.play()
            finally:
                rig.end_desk()
                rig.watch.stop()
    finally:
        listener.close()
        _end(key_server)
        write(lines, out)
    return 0 if all(one.ok for one in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
