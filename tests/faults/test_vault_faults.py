"""What the vault does when the world fails: its own code each time, nothing acknowledged lost, and tampering in a report."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import OFFICER
from tests.faults.kill_vault import sit_down, station_of
from tests.journeys.crew import Crew, refused
from tests.journeys.test_intake import GROUP_BYTES, pdf, take
from tests.mounts import own_mounts
from tests.station import CUSTODIAN, SUPERVISOR, Station, spooling
from vault.assembly import CONTENT_NAME, REGISTER_NAME, holds_a_vault
from vault.domain.audit import AuditKind
from vault.domain.breach import SignalKind
from vault.domain.custody import Purpose
from vault.domain.identity import CaseId
from vault.errors import TamperError, UnavailableError, VaultError
from vault.services.events import BreachRecorded
from vault.services.ports import AuditFilter
from vault.services.views import FileState
from vault.storage.connection import CONTENT_FORMAT
from vault.storage.header import HEADER_NAME
from vault.storage.spool import FOLDER_NAME

PEOPLE = (SUPERVISOR, CUSTODIAN, OFFICER)
KILLS = 200


@pytest.fixture(scope="module")
def working(staffed: Station, tmp_path_factory: pytest.TempPathFactory) -> Station:
    """A closed station with a case, a document and nobody at it; copied for each fault."""
    folder = tmp_path_factory.mktemp("working")
    made = staffed.copy_to(folder / "vault")
    crew = Crew.of(made, folder, (CUSTODIAN,))
    crew.new_case(CUSTODIAN, OFFICER, "page\n" * 20)
    made.vault.session.sign_out()
    made.close()
    return made


@pytest.fixture
def crew(working: Station, tmp_path: Path) -> Iterator[Crew]:
    """People at the working station."""
    station = working.copy_to(tmp_path / "vault")
    yield Crew.of(station, tmp_path, PEOPLE)
    station.close()


def only_case(station: Station) -> CaseId:
    return CaseId(station.vault.store._db._raw.execute("SELECT case_id FROM case_file").fetchone()[0])


# ---- a full disk -------------------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A file system of its own that can be filled."""
    if os.geteuid() != 0:
        pytest.skip("a file system that can be filled needs root")
    folder.mkdir()
    with ExitStack() as stack:
        try:
            stack.enter_context(own_mounts())  # a mount that desks of other tests could see would be their report
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting is not allowed here")
        yield folder


def fill(folder: Path) -> Path:
    """Leave not a page free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def test_a_full_disk_refuses_acts_and_loses_none(working: Station, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 << 20) as disk:
        station = working.copy_to(disk / "vault")
        crew = Crew.of(station, tmp_path, PEOPLE)
        case_id = only_case(station)
        held = crew.take(OFFICER, case_id)
        document_id = crew.first_document(held.check_out_id)
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
        on_screen = crew.vault.reading.on_screen
        head = crew.head()
        ballast = fill(disk)
        room_left = 2000
        with refused("storage.full"):
            for _ in range(room_left):  # what SQLite had still room for
                crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
                head, on_screen = crew.head(), crew.vault.reading.on_screen
        assert crew.vault.reading.on_screen == on_screen, "the page before is still the one that is shown"
        for act in (
            lambda: crew.vault.custody.check_in(held.check_out_id, attested=True),
            lambda: crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0),
            lambda: crew.vault.breaches.report(SignalKind.COPY_KEY, (), None, 0, station.clock.now_us()),
        ):
            with refused("storage.full"):
                act()
        assert crew.head() == head
        assert crew.vault.store.active_check_out(case_id) is not None
        ballast.unlink()
        crew.vault.breaches.report(SignalKind.COPY_KEY, (), None, 0, station.clock.now_us())
        crew.vault.custody.check_in(held.check_out_id, attested=True)
        assert crew.at(SUPERVISOR).supervision.verify_chain().holds
        station.close()


def test_a_disk_that_fills_during_intake_keeps_what_came_and_resumes(working: Station, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 128 << 20) as disk:
        station = working.copy_to(disk / "vault")
        crew = Crew.of(station, tmp_path, PEOPLE)
        case_id = only_case(station)
        path = tmp_path / "long.pdf"
        path.write_bytes(pdf(GROUP_BYTES * 5))
        ballast = disk / "ballast"
        ballast.write_bytes(bytes((128 << 20) - (28 << 20)))
        [file] = take(crew, case_id, path).files
        assert (file.state, file.reason) == (FileState.REFUSED, "storage.full")
        assert len(crew.vault.store.documents_of(case_id)) == 1
        [waiting] = crew.vault.intake.interrupted(case_id)
        assert waiting.done_bytes < path.stat().st_size
        ballast.unlink()
        [file] = take(crew, case_id, path).files
        assert file.state is FileState.DONE
        found = {one.title: one.sha256 for one in crew.vault.desk.case(case_id).documents}
        assert found["long.pdf"] == hashlib.sha256(path.read_bytes()).hexdigest()
        station.close()


# ---- files that cannot be written, or are not what they were -----------------------------------------------------------------------


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def _cut(path: Path, size_bytes: int) -> None:
    os.truncate(path, size_bytes)


def _link(path: Path) -> None:
    kept = path.with_name("elsewhere")
    path.rename(kept)
    path.symlink_to(kept)


FAULTS: list[tuple[str, Callable[[Path], None], type[Exception], str]] = [
    ("a header cut short", lambda d: _cut(d / HEADER_NAME, 100), UnavailableError, "header.damaged"),
    ("an empty header", lambda d: _cut(d / HEADER_NAME, 0), UnavailableError, "header.damaged"),
    ("a link in the header's place", lambda d: _link(d / HEADER_NAME), TamperError, "header.replaced"),
    ("a bit of the register's first page", lambda d: _flip(d / REGISTER_NAME, 2000), TamperError, "storage.damaged"),
    ("a bit of the register's salt", lambda d: _flip(d / REGISTER_NAME, 3), TamperError, "storage.damaged"),
    ("a bit of the content's first page", lambda d: _flip(d / CONTENT_NAME, 2000), TamperError, "storage.damaged"),
    ("a register cut in mid-page", lambda d: _cut(d / REGISTER_NAME, 4096 * 3 + 7), TamperError, "storage.damaged"),
    ("a register cut at a page", lambda d: _cut(d / REGISTER_NAME, 4096 * 3), TamperError, "storage.damaged"),
    ("an empty register", lambda d: _cut(d / REGISTER_NAME, 0), TamperError, "storage.damaged"),
    ("a link in the register's place", lambda d: _link(d / REGISTER_NAME), TamperError, "storage.damaged"),
    ("content in the register's place", lambda d: shutil.copy(d / CONTENT_NAME, d / REGISTER_NAME), TamperError, "storage.damaged"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "kind", "code"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
def test_damaged_files_have_codes_of_their_own(
    working: Station, tmp_path: Path, damage: Callable[[Path], None], kind: type[Exception], code: str
) -> None:
    station = working.copy_to(tmp_path / "vault")
    for tail in ("-wal", "-shm"):
        for name in (REGISTER_NAME, CONTENT_NAME):
            assert not (station.directory / (name + tail)).exists() or name == CONTENT_NAME
    damage(station.directory)
    with pytest.raises(kind, match=f"^{code}"):
        _ = station.vault
    station.close()


def test_part_of_a_page_that_the_journal_still_has_is_no_damage(working: Station, tmp_path: Path) -> None:
    """What a full disk leaves in the middle of a checkpoint: the page is whole in the journal."""
    station = working.copy_to(tmp_path / "vault")
    station.vault.store.append_audit(station.vault.world.draft(AuditKind.LOCKED))
    head = station.vault.store.audit_head()
    shutil.copytree(station.directory, tmp_path / "cut")
    after = Station(tmp_path / "cut", keeper=station.keeper.copy(), clock=station.clock, secrets=dict(station.secrets))
    station.close()
    with (after.directory / REGISTER_NAME).open("ab") as file:
        file.write(bytes(1000))
    assert after.vault.store.audit_entries(AuditFilter(), head[0] + 1, 1)[0].entry_hash == head[1]
    assert after.vault.witness.verify().holds
    after.close()


def open_to_fail(station: Station) -> None:
    """Open a damaged vault as the vault process does: what keeps it shut is noted."""
    with pytest.raises(VaultError) as failure:
        _ = station.vault
    spooling(station).note(failure.value)


@pytest.mark.parametrize(("damage", "code"), [(one[1], one[3]) for one in FAULTS], ids=[one[0] for one in FAULTS])
def test_a_vault_that_was_damaged_reports_it_when_it_opens_again(
    working: Station, tmp_path: Path, damage: Callable[[Path], None], code: str
) -> None:
    station = working.copy_to(tmp_path / "vault")
    spooling(station).take(station.vault)
    station.close()
    shutil.copytree(station.directory, tmp_path / "good")
    damage(station.directory)
    for _ in range(3):
        open_to_fail(station)  # whoever tries again and again is one report
    for name in (HEADER_NAME, REGISTER_NAME, CONTENT_NAME):
        (station.directory / name).unlink()
        shutil.copy(tmp_path / "good" / name, station.directory / name)
    for _ in range(2):
        spooling(station).take(station.vault)
    [told] = [one.notice for one in station.events if isinstance(one, BreachRecorded)]
    assert told.kind is SignalKind.STORE_TAMPERED
    station.sign_in(SUPERVISOR)
    [line] = [one for one in station.vault.supervision.queue(include_disposed=False) if one.breach_id == told.breach_id]
    [fact] = station.vault.supervision.report(line.breach_id).facts
    assert dict(fact.facts)["code"] == code
    station.close()


def test_a_vault_whose_header_went_is_no_ground_for_a_new_one(working: Station, tmp_path: Path) -> None:
    station = working.copy_to(tmp_path / "vault")
    (station.directory / HEADER_NAME).unlink()
    assert holds_a_vault(station.directory)
    before = (station.directory / REGISTER_NAME).read_bytes()
    with refused("founding.already"):
        station.found()
    assert (station.directory / REGISTER_NAME).read_bytes() == before


def test_a_report_deleted_from_the_spool_is_a_report(working: Station, tmp_path: Path) -> None:
    station = working.copy_to(tmp_path / "vault")
    spooling(station).take(station.vault)
    station.close()
    header = (station.directory / HEADER_NAME).read_bytes()
    _cut(station.directory / HEADER_NAME, 100)
    open_to_fail(station)
    for one in (station.directory / FOLDER_NAME).iterdir():
        one.unlink()
    (station.directory / HEADER_NAME).write_bytes(header)
    for _ in range(2):
        spooling(station).take(station.vault)
    [told] = [one.notice for one in station.events if isinstance(one, BreachRecorded)]
    station.sign_in(SUPERVISOR)
    [fact] = station.vault.supervision.report(told.breach_id).facts
    assert dict(fact.facts) == {"code": "spool.gap", "first": "1", "reports": "1"}
    station.close()


@pytest.mark.parametrize("code", ["keyring.locked", "keyring.missing", "storage.full", "storage.busy", "vault.already-open"])
def test_what_nobody_did_is_not_reported(working: Station, tmp_path: Path, code: str) -> None:
    station = working.copy_to(tmp_path / "vault")
    spooling(station).take(station.vault)
    spooling(station).note(UnavailableError(code))
    assert not (station.directory / FOLDER_NAME).exists()
    station.close()


def test_a_bit_of_a_chunk_is_noticed_when_the_page_is_asked_for_and_never_shown(crew: Crew) -> None:
    case_id = only_case(crew.station)
    path = crew.folder / "marked.pdf"
    path.write_bytes(pdf(300_000))
    take(crew, case_id, path)
    document_id = crew.vault.store.documents_of(case_id)[-1].document_id
    crew.station.close()
    for tail in ("-wal", "-shm"):
        assert not (crew.station.directory / (REGISTER_NAME + tail)).exists()
    content = crew.station.directory / CONTENT_NAME
    _checkpoint(crew.station)
    page_bytes = CONTENT_FORMAT.page_bytes
    pages = content.stat().st_size // page_bytes
    for page in range(pages - 3, pages):  # the chunks that came last
        _flip(content, page * page_bytes + 9000)
    sit_down(crew.station, OFFICER)
    held = crew.vault.custody.check_out(case_id, Purpose.ASSIGNED, 0, "")
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        crew.vault.reading.view_page(held.check_out_id, document_id, 1, 72, 0)
    refusals = crew.trail(AuditKind.PAGE_REFUSED)
    assert [dict(json.loads(one.facts))["reason"] for one in refusals] == ["storage.damaged"]
    assert crew.vault.reading.on_screen is None


def _checkpoint(station: Station) -> None:
    """Let a writer move the content's WAL into the file, as the process's end does."""
    import gc

    gc.collect()
    sit_down(station, OFFICER)
    writer = station.vault.content.open_writer()
    assert writer._db.checkpoint()  # type: ignore[attr-defined]
    writer.close()
    station.close()
    gc.collect()


def test_a_register_that_went_back_becomes_a_report_that_is_told(working: Station, tmp_path: Path) -> None:
    station = working.copy_to(tmp_path / "vault")
    old = (station.directory / REGISTER_NAME).read_bytes()
    station.vault.store.append_audit(station.vault.world.draft(AuditKind.LOCKED))
    station.close()
    (station.directory / REGISTER_NAME).write_bytes(old)
    _ = station.vault
    [told] = [one.notice for one in station.events if isinstance(one, BreachRecorded)]
    assert told.kind is SignalKind.STORE_TAMPERED
    station.close()


def test_a_folder_that_cannot_be_written_is_said_to_be_so(working: Station, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 << 20) as disk:
        station = working.copy_to(disk / "vault")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(UnavailableError, match=r"^storage\.(read-only|input-output)"):
            _ = station.vault
        station.close()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        _ = station.vault
        station.close()


# ---- kill -9 -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Killer:
    """Starts vault processes on copies of a station, and kills them."""

    working: Station
    known: dict[str, str]  # of every plan
    server: subprocess.Popen[str]  # tests/faults/kill_vault.py

    def kill(self, folder: Path, after_seconds: float) -> tuple[Station, list[list[str]]]:
        """Run a vault process on a copy and kill it some time after its first word; give the station and the ledger."""
        station = self.working.copy_to(folder / "vault")
        path, ledger = folder / "long.pdf", folder / "ledger"
        path.write_bytes(pdf(GROUP_BYTES + 50_000))
        plan = {
            **self.known,
            "directory": str(station.directory),
            "keyring": {name: value.hex() for name, value in station.keeper._values.items()},
            "clock_us": station.clock.added_us,
            "ledger": str(ledger),
            "file": str(path),
        }
        (folder / "plan.json").write_text(json.dumps(plan))
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(f"{folder / 'plan.json'}\n")
        self.server.stdin.flush()
        pid = int(self.server.stdout.readline())
        deadline = time.monotonic() + 60
        try:
            while not ledger.exists() or not ledger.read_bytes():
                assert Path(f"/proc/{pid}").exists(), "it ended by itself"
                assert time.monotonic() < deadline
                time.sleep(0.002)  # the process is another one: there is no condition to wait on but its ledger
            time.sleep(after_seconds)
        finally:
            os.killpg(pid, signal.SIGKILL)
        assert int(self.server.stdout.readline()) == -signal.SIGKILL, "it ended by itself"
        return station_of(plan), [line.split() for line in ledger.read_text().splitlines()]


@pytest.fixture(scope="module")
def killer(working: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    station = working.copy_to(tmp_path_factory.mktemp("known") / "vault")
    officer = station.vault.store.person_by_badge(OFFICER)
    assert officer is not None
    known = {"badge": OFFICER, "case_id": only_case(station), "person_id": officer.person_id, "slot": officer.slot.hex()}
    station.close()
    server = subprocess.Popen([sys.executable, "-m", "tests.faults.kill_vault"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with server:
        yield Killer(working, known, server)
        assert server.stdin is not None
        server.stdin.close()


def _case_of(station: Station) -> str:
    case_id = only_case(station)
    station.close()
    return case_id


def prove_nothing_lost(station: Station, ledger: list[list[str]]) -> None:
    """Everything acknowledged is there, nothing is there by half, and the chain holds."""
    vault = station.vault
    acknowledged = [(line[1], line[2]) for line in ledger if line[0] == "!"]
    history = {one.check_out_id: one for one in vault.store.custody_history(only_case(station))}
    documents = {one.document_id: one for one in vault.store.documents_of(only_case(station))}
    for act, known in acknowledged:
        if act == "check-out":
            assert known in history
        elif act == "check-in":
            assert not history[known].active  # type: ignore[index]
        elif act == "breach":
            assert vault.store.breach(known) is not None  # type: ignore[arg-type]
        elif act == "view":
            assert vault.store.audit_head()[0] >= int(known)
        elif act == "intake":
            assert known in documents
    assert sum(one.active for one in history.values()) <= 1
    sit_down(station, OFFICER)
    case_id = only_case(station)
    cipher = vault.world.require_case(case_id)
    reader = vault.content.open_reader()
    cards = {one.document_id: one for one in vault.desk.case(case_id).documents}
    for document_id, row in documents.items():  # what is visible is whole
        sealer = cipher.chunks(document_id, row.chunk_count, row.chunk_salt)
        digest = hashlib.sha256()
        for number in range(row.chunk_count):
            digest.update(sealer.open_chunk(number, reader.read_chunk(document_id, number)))
        assert digest.hexdigest() == cards[document_id].sha256
    reader.close()
    verdict = vault.witness.verify()
    assert verdict.holds, verdict
    intake = vault.intake.interrupted(case_id)
    assert len(intake) <= 1
    station.close()


def test_a_killed_vault_loses_nothing_acknowledged(killer: Killer, tmp_path: Path) -> None:
    chance = random.Random(7)
    for turn in range(3):
        folder = tmp_path / str(turn)
        folder.mkdir()
        prove_nothing_lost(*killer.kill(folder, chance.uniform(0, 0.4)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [20260706, 20260707])  # two halves, so that two cores share them
def test_a_vault_killed_two_hundred_times_loses_nothing_acknowledged(killer: Killer, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acts: set[str] = set()
    for turn in range(KILLS // 2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        station, ledger = killer.kill(folder, chance.uniform(0, 0.5))
        under_way = ledger[-1][1] if ledger[-1][0] == "?" else "between"
        acts.add(under_way)
        prove_nothing_lost(station, ledger)
        shutil.rmtree(folder)
    assert {"intake", "breach", "check-out"} & acts, "the kills hit no act"


# ---- a big file --------------------------------------------------------------------------------------------------------------------

_MEASURED = """
import json, resource, sys
from pathlib import Path
from tests.faults.kill_vault import sit_down, station_of
plan = json.loads(Path(sys.argv[1]).read_text())
station = station_of(plan)
sit_down(station, plan["badge"])
intake = station.vault.intake

def take(path):
    view = intake.start(plan["case_id"], (path,))
    [file] = intake.status(view.intake_no).files
    assert file.reason == "", file.reason

take(plan["small"])  # whatever is loaded once
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
take(plan["file"])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"growth_kib": after - before}))
station.close()
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_gibibyte_is_taken_in_with_little_memory(working: Station, tmp_path: Path) -> None:
    station = working.copy_to(tmp_path / "vault")
    big, small = tmp_path / "big.pdf", tmp_path / "small.pdf"
    small.write_bytes(pdf(GROUP_BYTES * 3))
    frame = pdf(0)
    with big.open("wb") as file:  # a gigabyte before the header pdfium looks for would be none: pad after it, in a comment
        file.write(frame)
        file.truncate((1 << 30) - len(frame))
        file.seek(0, os.SEEK_END)
        file.write(frame)
    plan = {
        "directory": str(station.directory),
        "keyring": {name: value.hex() for name, value in station.keeper._values.items()},
        "clock_us": station.clock.added_us,
        "badge": OFFICER,
        "case_id": _case_of(station),
        "file": str(big),
        "small": str(small),
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(tmp_path / "plan.json")], check=False, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    growth_kib = json.loads(done.stdout.splitlines()[-1])["growth_kib"]
    assert growth_kib <= 64 * 1024, f"{growth_kib} KiB"
