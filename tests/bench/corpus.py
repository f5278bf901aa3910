"""``make corpus CORPUS=dir``: every file of a folder through the real services, and a table of what became of it.

    python -m tests.bench.corpus DIR [--pages 30] [--dpi 72] [--json build/corpus.json]

Rules:

- The files are strangers': whatever is in the folder is tried, below it too; links and devices as well, because intake must refuse them.
- Each file is taken in by the officer in charge of a case who holds it checked out, and read at once: each page up to the cap through
  `Reading.view_page`. What was stored is then opened again and compared with the file by its SHA-256.
- The work is done by a child process. A child that dies is a crash, one that says nothing for `STALL_SECONDS` a hang; the file under way is
  named, and another child goes on with the rest at a fresh station.
- Exit 1 on any violation: a crash, a hang, something half-landed, stored bytes that differ, a defect, a PDF refused that bare pypdfium2
  opens. A refusal with a reason is none, nor is a page that cost a sandboxed worker: that one is counted, and named in the JSON file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.station import Station
from ui import messages
from ui.strings import has_text
from vault.domain.identity import CaseId, CheckOutId, DocumentId, Role
from vault.errors import RefusedError, VaultError
from vault.services.custody import Custody
from vault.services.ports import DocumentRow
from vault.services.views import FileState

ROOT = Path(__file__).resolve().parents[2]
STALL_SECONDS = 180.0  # opening, sealing or a page of 10 s each may be under way; nothing in between lasts as long
OFFICER = "2001"
_CASE_FILES = 40  # a case file of a usual size
_NAME_CHARACTERS = 46
_REASON_CHARACTERS = 100
_BARE = "import sys, pypdfium2; sys.exit(0 if len(pypdfium2.PdfDocument(sys.argv[1])) else 3)"
_BARE_SECONDS = 30
_PDF_HEAD_BYTES = 1024


@dataclass
class Outcome:
    """What became of one file."""

    name: str
    size_bytes: int = 0
    state: str = "taken-in"  # taken-in, refused, crash, hang, defect
    reason: str = ""
    pages: int = 0
    pages_read: int = 0
    pages_refused: dict[str, int] = field(default_factory=dict)
    same_bytes: bool = True
    intake_seconds: float = 0.0
    read_seconds: float = 0.0
    bare_opens: bool = False  # only asked of refused PDFs


def found_files(folder: Path) -> list[Path]:
    """Everything below a folder that is not a folder, in a stable order, links not followed."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        found += [Path(place) / name for name in sorted([*names, *linked])]
    return found


# ---- the child: a station, and one file after the other --------------------------------------------------------------------------------


class Reader:
    """An officer with a case file checked out, who takes files into it and reads them."""

    def __init__(self, directory: Path, count: int, pages_most: int, dpi: int) -> None:
        self._pages_most, self._dpi = pages_most, dpi
        self.station = Station(directory / "vault").found()
        self.station.enrol(OFFICER, "Olu Brandt", Role.OFFICER, "Team A")
        self._cases = [
            self.station.register_case(f"CORPUS-{no:05d}", f"Corpus {no}", OFFICER).case_id for no in range(-(-count // _CASE_FILES))
        ]
        self.station.sign_in(OFFICER)
        self._held: dict[CaseId, CheckOutId] = {}
        self._taken: set[DocumentId] = set()

    def take(self, index: int, path: Path) -> Outcome:
        """Take one file in and read it."""
        vault = self.station.vault
        case_id = self._cases[index // _CASE_FILES]
        outcome = Outcome(shown_name(path), path.lstat().st_size)
        began = time.perf_counter()
        view = vault.intake.start(case_id, (str(path),))
        (file,) = vault.intake.status(view.intake_no).files
        outcome.intake_seconds = time.perf_counter() - began
        self.station.events.clear()
        if file.state is not FileState.DONE:
            outcome.state, outcome.reason = ("refused", file.reason) if file.state is FileState.REFUSED else ("defect", file.state.value)
            return outcome
        outcome.pages = file.page_count
        row = next(one for one in vault.store.documents_of(case_id) if one.document_id not in self._taken)
        self._taken.add(row.document_id)
        began = time.perf_counter()
        self._read(self._check_out(case_id), row, outcome)
        outcome.read_seconds = time.perf_counter() - began
        outcome.same_bytes = self._stored_digest(row) == hashlib.sha256(path.read_bytes()).hexdigest()
        return outcome

    def half_landed(self) -> int:
        """How many documents are in the content store and not in the register."""
        vault = self.station.vault
        writer = vault.content.open_writer()
        try:
            return len(writer.pending()) + writer.sweep(vault.store.document_ids())
        finally:
            writer.close()

    def _check_out(self, case_id: CaseId) -> CheckOutId:
        custody: Custody = self.station.vault.custody
        if case_id not in self._held:
            self._held[case_id] = custody.check_out(case_id, custody.choices(case_id).purposes[0], 0, "reading the corpus").check_out_id
        return self._held[case_id]

    def _read(self, check_out_id: CheckOutId, row: DocumentRow, outcome: Outcome) -> None:
        for page_no in range(1, min(outcome.pages, self._pages_most) + 1):
            try:
                self.station.vault.reading.view_page(check_out_id, row.document_id, page_no, self._dpi, 0)
                outcome.pages_read += 1
            except VaultError as error:
                outcome.pages_refused[error.code] = outcome.pages_refused.get(error.code, 0) + 1

    def _stored_digest(self, row: DocumentRow) -> str:
        vault = self.station.vault
        sealer = vault.world.require_case(row.case_id).chunks(row.document_id, row.chunk_count, row.chunk_salt)
        content = vault.content.open_reader()
        digest = hashlib.sha256()
        try:
            for chunk_no in range(row.chunk_count):
                digest.update(sealer.open_chunk(chunk_no, content.read_chunk(row.document_id, chunk_no)))
        finally:
            content.close()
        return digest.hexdigest()


def work(list_path: Path, pages_most: int, dpi: int) -> None:
    """Be the child: say in JSON lines which file is under way, what became of it, and at the end what half-landed."""
    paths = [Path(os.fsdecode(line)) for line in list_path.read_bytes().split(b"\0") if line]
    with tempfile.TemporaryDirectory(prefix="corpus-", dir=list_path.parent) as folder:
        reader = Reader(Path(folder), len(paths), pages_most, dpi)
        for index, path in enumerate(paths):
            _say({"begun": index})
            try:
                outcome = reader.take(index, path)
            except Exception as error:  # what no service foresaw is what this program looks for
                outcome = Outcome(shown_name(path), state="defect", reason=f"{type(error).__name__}: {error}"[:200])
            _say({"done": index, "outcome": asdict(outcome)})
        _say({"half_landed": reader.half_landed(), "chain_holds": _chain_holds(reader.station)})
        reader.station.close()


def _chain_holds(station: Station) -> bool:
    station.sign_in("4001")
    return station.vault.supervision.verify_chain().holds


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


# ---- the parent: watches, asks the peer, counts ----------------------------------------------------------------------------------------


@dataclass
class Totals:
    """What the table ends with."""

    outcomes: list[Outcome] = field(default_factory=list)
    half_landed: int = 0
    broken_chains: int = 0

    def violations(self) -> list[str]:
        """Everything that must not be, in words; empty when all is well."""
        found = [f"{one.state}: {one.name} ({one.reason})" for one in self.outcomes if one.state in ("crash", "hang", "defect")]
        found += [f"refused, and bare pypdfium2 opens it: {one.name} ({one.reason})" for one in self.outcomes if one.bare_opens]
        found += [f"stored bytes differ: {one.name}" for one in self.outcomes if not one.same_bytes]
        if self.half_landed:
            found.append(f"{self.half_landed} documents half-landed")
        if self.broken_chains:
            found.append("the audit chain does not hold")
        return found


class Run:
    """Feeds the files to children and prints a line a file."""

    def __init__(self, folder: Path, paths: list[Path], pages_most: int, dpi: int, scratch: Path) -> None:
        self._folder, self._paths, self._scratch = folder, paths, scratch
        self._options = ["--pages", str(pages_most), "--dpi", str(dpi)]
        self.totals = Totals()

    def all(self) -> Totals:
        """Go through all files."""
        print(f"{'':4} {'file':{_NAME_CHARACTERS}} {'MB':>7} {'pages':>9} {'s':>6}  outcome", flush=True)
        start = 0
        while start < len(self._paths):
            start = self._child(start)
        return self.totals

    def _child(self, start: int) -> int:
        """Run one child from file `start`; give the first file that is still to do."""
        names = self._scratch / "files"
        names.write_bytes(b"\0".join(os.fsencode(path) for path in self._paths[start:]))
        with (self._scratch / "corpus.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.corpus", "--child", str(names), *self._options],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_listen, args=(child, lines), daemon=True).start()
        under_way, ended = -1, False
        while True:
            try:
                line = lines.get(timeout=STALL_SECONDS)
            except queue.Empty:
                child.kill()
                child.wait()
                self._lost(start + max(0, under_way), "hang", f"nothing for {STALL_SECONDS:.0f} s")
                return start + max(0, under_way) + 1
            if line is None:
                break
            said = json.loads(line)
            if "begun" in said:
                under_way = said["begun"]
            elif "done" in said:
                self._add(start + said["done"], Outcome(**said["outcome"]))
            else:
                ended = True
                self.totals.half_landed += said["half_landed"]
                self.totals.broken_chains += not said["chain_holds"]
        status = child.wait()
        if ended and status == 0:
            return len(self._paths)
        self._lost(start + max(0, under_way), "crash", f"exit status {status}; see {self._scratch / 'corpus.log'}")
        return start + max(0, under_way) + 1

    def _lost(self, index: int, state: str, reason: str) -> None:
        if index >= len(self.totals.outcomes):
            self._add(index, Outcome(shown_name(self._paths[index]), state=state, reason=reason))
        else:  # everything was done, and the end itself failed
            self.totals.outcomes[index].state, self.totals.outcomes[index].reason = state, reason

    def _add(self, index: int, outcome: Outcome) -> None:
        path = self._paths[index]
        if outcome.state == "refused" and is_pdf(path):
            outcome.bare_opens = bare_opens(path)
        outcome.name = shown_name(path.relative_to(self._folder))
        self.totals.outcomes.append(outcome)
        pages = f"{outcome.pages_read}/{outcome.pages}" if outcome.pages else "-"
        seconds, size_mb = outcome.intake_seconds + outcome.read_seconds, outcome.size_bytes / 1e6
        print(
            f"{index + 1:4} {cut(outcome.name, _NAME_CHARACTERS):{_NAME_CHARACTERS}} {size_mb:7.2f} {pages:>9} {seconds:6.2f}"
            f"  {cut(in_words(outcome), _REASON_CHARACTERS)}",
            flush=True,
        )


def _listen(child: subprocess.Popen[bytes], lines: queue.Queue[bytes | None]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        lines.put(line)
    lines.put(None)


def is_pdf(path: Path) -> bool:
    """Whether a file claims to be a PDF, by its first bytes or its name."""
    if path.suffix.lower() == ".pdf":
        return True
    try:
        with path.open("rb") as file:
            return b"%PDF-" in file.read(_PDF_HEAD_BYTES)
    except OSError:
        return False


def bare_opens(path: Path) -> bool:
    """Whether bare pypdfium2, in a process of its own, opens the file and finds a page in it."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        return (
            subprocess.run([sys.executable, "-c", _BARE, str(path)], capture_output=True, timeout=_BARE_SECONDS, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False


def in_words(outcome: Outcome) -> str:
    """The outcome as a person would be told it."""
    if outcome.state == "taken-in":
        refused = ", ".join(f"{count} x {sentence(code)}" for code, count in sorted(outcome.pages_refused.items()))
        return "taken in" + (f"; pages refused: {refused}" if refused else "")
    if outcome.state == "refused":
        return f"refused: {sentence(outcome.reason)}" + (" BARE PYPDFIUM2 OPENS IT" if outcome.bare_opens else "")
    return f"{outcome.state.upper()}: {outcome.reason}"


def sentence(code: str) -> str:
    """What the interface says for an error code."""
    if not has_text(f"errors.{code}.title"):
        return code
    told = messages.explain(RefusedError(code))
    return f"{told.title.rstrip('.')}. {told.sentence}"


def shown_name(path: Path) -> str:
    """A path as printable text."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else "?" for one in text)


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def summary(totals: Totals, seconds: float) -> Iterator[str]:
    """The last lines of the table."""
    count = Counter(one.state for one in totals.outcomes)
    reasons = Counter(one.reason for one in totals.outcomes if one.state == "refused")
    pages = Counter[str]()
    for one in totals.outcomes:
        pages.update(one.pages_refused)
    refused_pdfs = [one for one in totals.outcomes if one.state == "refused" and one.name.lower().endswith(".pdf")]
    yield ""
    yield f"files {len(totals.outcomes)} · taken in {count['taken-in']} · refused {count['refused']} · {seconds:.0f} s"
    for code, many in reasons.most_common():
        yield f"  refused {many:4} x {sentence(code)} ({code})"
    read, there = sum(one.pages_read for one in totals.outcomes), sum(one.pages for one in totals.outcomes)
    yield f"pages read {read} of {there} · refused {pages.total()}"
    for code, many in pages.most_common():
        yield f"  page    {many:4} x {sentence(code)} ({code})"
    yield f"PDFs refused {len(refused_pdfs)} · of those bare pypdfium2 opens {sum(one.bare_opens for one in totals.outcomes)}"
    yield f"crashes {count['crash']} · hangs {count['hang']} · defects {count['defect']} · half-landed {totals.half_landed}"
    for one in totals.violations():
        yield f"VIOLATION {one}"


def main() -> int:
    """Take a folder in; the exit status says whether anything happened that must not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pages", type=int, default=30, help="pages read of each document at most")
    parser.add_argument("--dpi", type=int, default=72)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "corpus.json")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        work(options.child, options.pages, options.dpi)
        return 0
    folder = options.folder.absolute() if options.folder else None
    paths = found_files(folder) if folder is not None and folder.is_dir() else []
    if folder is None or not paths:
        print(f"corpus: no files below {folder}; say make corpus CORPUS=folder", file=sys.stderr)
        return 2
    options.json.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corpus-", dir=options.json.parent) as scratch:
        totals = Run(folder, paths, options.pages, options.dpi, Path(scratch)).all()
        for line in summary(totals, time.monotonic() - began):
            print(line)
        log = Path(scratch) / "corpus.log"
        log.replace(options.json.with_suffix(".log"))
    record = {"files": [asdict(one) for one in totals.outcomes], "half_landed": totals.half_landed, "violations": totals.violations()}
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 1 if totals.violations() else 0


if __name__ == "__main__":
    sys.exit(main())
