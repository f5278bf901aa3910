"""Intake of real files: what is taken, what is refused, and what is left when it is stopped half-way."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from tests.conftest import COLLEAGUE, OFFICER
from tests.journeys.crew import Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR
from tests.unit.rendition.samples import pdf_with_more
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import Signal, SignalKind
from vault.domain.casefile import NOTHING_UNSHOWN, DocumentCard, DocumentKind, Unshown
from vault.domain.identity import CaseId, DocumentId
from vault.errors import DefectError, TamperError, UnavailableError
from vault.services import intake as intake_service
from vault.services.events import BreachRecorded, IntakeMoved
from vault.services.intake import Intake
from vault.services.reading import CHUNK_BYTES
from vault.services.views import DocumentLine, FileState, IntakeView

GROUP_BYTES = 32 * CHUNK_BYTES


def pdf(padding_bytes: int = 0) -> bytes:
    """A page with a stream nobody looks at, as long as wanted."""
    parts = [b"%PDF-1.4\n"]
    offsets = []
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (padding_bytes, os.urandom(padding_bytes)),
    ]
    for number, body in enumerate(objects, start=1):
        offsets.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = sum(map(len, parts))
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    parts.append(b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (rows, start))
    return b"".join(parts)


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Date"] = (
        "a@x.example",
        "b@y.example",
        "Plan",
        "Mon, 6 Jul 2026 10:00:00 +0000",
    )
    message.set_content("We meet at nine.\n")
    return message.as_bytes()


def picture(path: Path) -> None:
    Image.new("RGB", (60, 40), (90, 20, 120)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def take(crew: Crew, case_id: CaseId, *paths: Path) -> IntakeView:
    vault = crew.at(CUSTODIAN)
    view = vault.intake.start(case_id, tuple(str(path) for path in paths))
    done = vault.intake.status(view.intake_no)
    assert done.finished
    return done


def documents(crew: Crew, case_id: CaseId) -> dict[str, DocumentLine]:
    return {one.title: one for one in crew.at(CUSTODIAN).desk.case(case_id).documents}


def content(crew: Crew, case_id: CaseId, document_id: DocumentId) -> bytes:
    """What the sealed chunks of a document hold."""
    row = crew.vault.store.document(document_id)
    assert row is not None
    sealer = crew.at(CUSTODIAN).world.require_case(case_id).chunks(document_id, row.chunk_count, row.chunk_salt)
    reader = crew.vault.content.open_reader()
    try:
        return b"".join(bytes(sealer.open_chunk(no, reader.read_chunk(document_id, no))) for no in range(row.chunk_count))
    finally:
        reader.close()


def remains(crew: Crew) -> tuple[int, list[str]]:
    """(chunks in the content store, pending intakes)."""
    writer = crew.vault.content.open_writer()
    try:
        chunks = writer._db._raw.execute("SELECT count(*) FROM chunk").fetchone()[0]  # type: ignore[attr-defined]
        return chunks, [one.document_id for one in writer.pending()]
    finally:
        writer.close()


def test_all_six_kinds_byte_for_byte(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    expected = {
        "plan.pdf": DocumentKind.PDF, "photo.jpg": DocumentKind.JPEG, "scan.png": DocumentKind.PNG, "scan.tiff": DocumentKind.TIFF,
        "statement.txt": DocumentKind.TEXT, "message.eml": DocumentKind.MAIL,
    }  # fmt: skip
    (folder / "plan.pdf").write_bytes(pdf(CHUNK_BYTES * 3))
    (folder / "message.eml").write_bytes(mail())
    (folder / "statement.txt").write_text("I saw him leave. Šimková\n")
    for name in ("photo.jpg", "scan.png", "scan.tiff"):
        picture(folder / name)
    view = take(crew, case_id, folder)
    assert [(one.name, one.state, one.reason) for one in view.files] == [(name, FileState.DONE, "") for name in sorted(expected)]
    found = documents(crew, case_id)
    assert {name: one.kind for name, one in found.items()} == expected
    for name, one in found.items():
        original = (folder / name).read_bytes()
        assert (one.size_bytes, one.sha256) == (len(original), hashlib.sha256(original).hexdigest())
        assert content(crew, case_id, one.document_id) == original
        assert one.page_count >= 1
    assert len(crew.trail(AuditKind.DOCUMENT_TAKEN_IN, case_id=case_id)) == 6
    assert remains(crew)[1] == []


def test_a_name_tells_a_bare_message_and_a_broken_pdf_from_text(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "bare.eml").write_text("Subject: one header field\n\nWe meet at nine.\n")
    (folder / "bare.txt").write_text("Subject: a note, and no message\n\nWe meet at nine.\n")
    (folder / "headless.pdf").write_text("1 0 obj\n<< /Type /Catalog >>\nendobj\n")
    reasons = {one.name: one.reason for one in take(crew, case_id, folder).files}
    assert reasons == {"bare.eml": "", "bare.txt": "", "headless.pdf": "document.damaged"}
    assert [one.kind for one in documents(crew, case_id).values()] == [DocumentKind.MAIL, DocumentKind.TEXT]


def test_a_folder_is_walked_in_order_and_links_are_not_followed(crew: Crew, folder: Path, tmp_path: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (tmp_path / "secret.txt").write_text("not in the folder\n")
    (folder / "b").mkdir()
    (folder / "a.txt").write_text("one\n")
    (folder / "b" / "c.txt").write_text("two\n")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "b" / "away").symlink_to(tmp_path, target_is_directory=True)
    (folder / "b" / ".hidden.txt").write_text("three\n")
    os.mkfifo(folder / "b" / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(folder / "door"))
        view = take(crew, case_id, folder)
    assert [(one.name, one.reason) for one in view.files] == [
        ("a.txt", ""), ("door", "intake.not-a-file"), ("link.txt", "intake.not-a-file"),
        (".hidden.txt", ""), ("away", "intake.not-a-file"), ("c.txt", ""), ("pipe", "intake.not-a-file"),
    ]  # fmt: skip
    assert "secret.txt" not in documents(crew, case_id)


def test_what_a_pdf_carries_beside_its_pages_is_said_at_intake_and_to_whoever_reads(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "annotated.pdf").write_bytes(pdf_with_more())
    [file] = take(crew, case_id, folder).files
    assert (file.state, file.unshown) == (FileState.DONE, Unshown(attached_files=2, notes=2))
    assert documents(crew, case_id)["annotated.pdf"].unshown == file.unshown
    [again] = take(crew, case_id, folder).files
    assert (again.state, again.unshown) == (FileState.PRESENT, file.unshown)


def test_a_card_from_before_that_was_counted_is_read() -> None:
    card = DocumentCard(DocumentId("d"), CaseId("c"), "a.pdf", DocumentKind.PDF, 1, 1, "00", 1, Unshown(1, 2))
    older = {name: value for name, value in msgspec.to_builtins(card).items() if name != "unshown"}
    assert msgspec.json.decode(msgspec.json.encode(older), type=DocumentCard) == replace(card, unshown=NOTHING_UNSHOWN)
    assert msgspec.json.decode(msgspec.json.encode(card), type=DocumentCard) == card


def test_an_empty_folder_given_beside_others_is_refused_by_name(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "empty" / "below").mkdir(parents=True)
    (folder / "a.txt").write_text("one\n")
    view = take(crew, case_id, folder / "empty", folder / "a.txt")
    assert [(one.name, one.reason) for one in view.files] == [("empty", "intake.nothing"), ("a.txt", "")]


def _pdf_broken(path: Path) -> None:
    path.write_bytes(pdf()[:90])


REFUSALS: list[tuple[str, Callable[[Path], object], str]] = [
    ("empty.txt", lambda path: path.write_bytes(b""), "document.empty"),
    ("noise.bin", lambda path: path.write_bytes(os.urandom(5000)), "document.kind-unsupported"),
    ("programme", lambda path: path.write_bytes(b"\x7fELF" + bytes(3000)), "document.kind-unsupported"),
    ("broken.pdf", _pdf_broken, "document.damaged"),
    ("cut.jpg", lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(40)), "document.damaged"),
    ("pipe", os.mkfifo, "intake.not-a-file"),
    ("link.txt", lambda path: path.symlink_to("/etc/hostname"), "intake.not-a-file"),
    ("dangling", lambda path: path.symlink_to("nowhere"), "intake.not-a-file"),
    ("missing.txt", lambda _: None, "intake.unreadable"),
    ("device", lambda path: path.symlink_to("/dev/zero"), "intake.not-a-file"),
]  # fmt: skip


def test_a_bad_file_is_refused_with_its_reason_and_the_rest_goes_on(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    before = remains(crew)
    paths = []
    for name, make, _ in REFUSALS:
        make(folder / name)
        paths.append(folder / name)
    (folder / "good.txt").write_text("good\n")
    view = take(crew, case_id, *paths, Path("/dev/zero"), folder / "good.txt")
    codes = [one.reason for one in view.files]
    assert codes == [*(code for _, _, code in REFUSALS), "intake.not-a-file", ""]
    assert view.files[-1].state is FileState.DONE
    entries = crew.trail(AuditKind.DOCUMENT_REFUSED, case_id=case_id)
    assert len(entries) == len(REFUSALS) + 1
    assert not any(name in one.facts for one in entries for name, _, _ in REFUSALS), "no file name in the trail"
    assert list(documents(crew, case_id)) == ["good.txt"]
    assert remains(crew) == (before[0] + 1, before[1])


def test_a_name_that_is_no_text_is_taken_in_under_one_that_is(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("old name\n")
    [file] = take(crew, case_id, folder).files
    assert (file.name, file.state) == ("caf\\xe9.txt", FileState.DONE)
    assert list(documents(crew, case_id)) == ["caf\\xe9.txt"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines.txt", "two\\nlines.txt"),
        ("\x1b[2Jclear.txt", "\\x1b[2Jclear.txt"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("شهادة café 日本.txt", "شهادة café 日本.txt"),
    ],
)
def test_a_name_cannot_break_its_line_or_turn_its_letters_around(crew: Crew, folder: Path, name: str, shown: str) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / name).write_text("a name\n")
    assert [file.name for file in take(crew, case_id, folder).files] == [shown]
    assert list(documents(crew, case_id)) == [shown]
    assert [file.state for file in take(crew, case_id, folder).files] == [FileState.PRESENT]


def test_who_may_take_in(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("one\n")
    paths = (str(folder / "a.txt"),)
    for badge, code in (
        (ADMINISTRATOR, "access.not-your-role"),
        (SUPERVISOR, "access.not-your-role"),
        (COLLEAGUE, "access.no-need-to-know"),
    ):
        with refused(code):
            crew.at(badge).intake.start(case_id, paths)
    crew.at(OFFICER).intake.start(case_id, paths)  # in charge of the case
    with refused("intake.nothing"):
        crew.vault.intake.start(case_id, ())
    with refused("access.not-your-role"):
        crew.at(SUPERVISOR).intake.forget(case_id)
    crew.at(OFFICER)
    with refused("intake.unknown"):
        crew.vault.intake.status(10_000)
    assert len(documents(crew, case_id)) == 1


class _Interrupted:
    """A content store whose writer does something after `groups` groups: fails as a full disk does, or calls."""

    def __init__(self, real: object, groups: int, then: Callable[[], None]) -> None:
        self._real, self._groups, self._then = real, groups, then

    def open_reader(self) -> object:
        return self._real.open_reader()  # type: ignore[attr-defined]

    def open_writer(self) -> object:
        return _Writer(self._real.open_writer(), self._groups, self._then)  # type: ignore[attr-defined]


class _Writer:
    def __init__(self, real: object, groups: int, then: Callable[[], None]) -> None:
        self._real, self._left, self._then = real, groups, then

    def append_chunks(self, document_id: DocumentId, first: int, sealed: Sequence[bytes], source: bytes) -> None:
        if self._left == 0:
            self._then()
        self._left -= 1
        self._real.append_chunks(document_id, first, sealed, source)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def no_room() -> None:
    raise UnavailableError("storage.full")


def interrupted(crew: Crew, case_id: CaseId, path: Path, groups: int, then: Callable[[], None]) -> IntakeView:
    """Take a file in until the store does `then` after so many groups."""
    vault = crew.at(CUSTODIAN)
    intake: Intake = vault.intake
    real = intake._content
    intake._content = _Interrupted(real, groups, then)  # type: ignore[assignment]
    try:
        return take(crew, case_id, path)
    finally:
        intake._content = real


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_an_interrupted_intake_resumes_and_is_whole(crew: Crew, folder: Path, groups: int) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES * 2 + 5000))
    [file] = interrupted(crew, case_id, path, groups, no_room).files
    assert (file.state, file.reason) == (FileState.REFUSED, "storage.full")
    assert documents(crew, case_id) == {}
    [waiting] = crew.vault.intake.interrupted(case_id)
    assert (waiting.name, waiting.done_bytes) == ("long.pdf", groups * GROUP_BYTES)
    [pending] = remains(crew)[1]
    [file] = take(crew, case_id, path).files
    assert file.state is FileState.DONE
    [line] = documents(crew, case_id).values()
    assert line.document_id == pending, "it went on where it stopped"
    assert line.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert content(crew, case_id, line.document_id) == path.read_bytes()
    assert remains(crew)[1] == []


def test_an_interrupted_intake_of_a_file_that_changed_begins_anew_and_leaves_nothing_of_the_old(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES + 5000))
    before = remains(crew)[0]
    interrupted(crew, case_id, path, 1, no_room)
    path.write_bytes(pdf(5000))
    [file] = take(crew, case_id, path).files
    assert file.state is FileState.DONE
    [line] = documents(crew, case_id).values()
    assert content(crew, case_id, line.document_id) == path.read_bytes()
    assert remains(crew) == (before + 1, [])


def test_an_interrupted_file_changed_in_place_under_its_old_size_and_time_is_not_mixed(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES + 5000))
    status = path.stat()
    interrupted(crew, case_id, path, 1, no_room)
    altered = pdf(GROUP_BYTES + 5000)
    path.write_bytes(altered)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert take(crew, case_id, path).files[0].state is FileState.DONE
    [line] = documents(crew, case_id).values()
    assert content(crew, case_id, line.document_id) == altered
    assert remains(crew)[1] == []


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: list[tuple[str, Callable[[Path], None]]] = [
    ("grows", _grow),
    ("shrinks", lambda path: os.truncate(path, 5000)),
    ("is rewritten", lambda path: path.write_bytes(path.read_bytes()[::-1])),
]


@pytest.mark.parametrize("change", [one[1] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_a_file_that_changes_while_it_is_read_is_refused_and_leaves_nothing(
    crew: Crew, folder: Path, change: Callable[[Path], None]
) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES * 5))
    before = remains(crew)
    [file] = interrupted(crew, case_id, path, 1, lambda: change(path)).files
    assert (file.state, file.reason) == (FileState.REFUSED, "intake.changed")
    assert documents(crew, case_id) == {}
    assert remains(crew) == before


def test_cancelling_leaves_nothing_of_the_file_under_way_and_keeps_what_is_in(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("first\n")
    (folder / "b.pdf").write_bytes(pdf(GROUP_BYTES * 3))
    (folder / "c.txt").write_text("third\n")
    before = remains(crew)
    intake = crew.at(CUSTODIAN).intake
    view = interrupted(crew, case_id, folder, 2, lambda: intake.cancel(max(intake._jobs)))
    assert [one.state for one in view.files] == [FileState.DONE, FileState.CANCELLED, FileState.CANCELLED]
    assert list(documents(crew, case_id)) == ["a.txt"]
    assert remains(crew) == (before[0] + 1, before[1])
    assert crew.vault.intake.interrupted(case_id) == ()


def test_a_failure_nobody_thought_of_does_not_hang_the_intake(crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES * 2))

    def broken(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("vault.services.intake._Group", broken)
    crew.at(CUSTODIAN)
    with pytest.raises(MemoryError):
        crew.vault.intake.start(case_id, (str(path),))
    monkeypatch.undo()
    [file] = take(crew, case_id, path).files
    assert file.state is FileState.DONE


def test_a_sealed_record_that_was_changed_ends_the_intake_and_becomes_a_report(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES + 5000))
    (folder / "more.txt").write_text("after it\n")
    interrupted(crew, case_id, path, 1, no_room)
    writer = crew.vault.content.open_writer()
    [pending] = [one for one in writer.pending() if one.case_id == case_id]
    altered = bytearray(pending.source_sealed)
    altered[-1] ^= 1
    raw = writer._db._raw  # type: ignore[attr-defined]
    raw.execute("UPDATE pending_intake SET source_sealed = ? WHERE document_id = ?", (bytes(altered), pending.document_id))
    crew.station.events.clear()
    files = take(crew, case_id, folder).files
    assert [(one.name, one.state, one.reason) for one in files] == [
        ("long.pdf", FileState.REFUSED, "sealing.not-authentic"), ("more.txt", FileState.REFUSED, "sealing.not-authentic"),
    ]  # fmt: skip
    [notice] = [one.notice for one in crew.station.events if isinstance(one, BreachRecorded)]
    assert notice.kind is SignalKind.STORE_TAMPERED
    [entry] = crew.trail(AuditKind.DOCUMENT_REFUSED, case_id=case_id)[-1:]
    assert "sealing.not-authentic" in entry.facts
    assert documents(crew, case_id) == {}
    writer.discard(pending.document_id)
    writer.close()


def told_of(crew: Crew) -> list[IntakeView]:
    return [one.intake for one in crew.station.events if isinstance(one, IntakeMoved)]


def test_progress_is_told_and_ends_at_the_total(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "long.pdf").write_bytes(pdf(GROUP_BYTES * 3))
    crew.station.events.clear()
    view = take(crew, case_id, folder)
    told = told_of(crew)
    assert told[-1].finished
    done = [one.done_bytes for one in told]
    assert done == sorted(done)
    assert done[-1] == view.total_bytes


def test_every_file_is_told_once_and_then_only_what_changed(crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"statement {number}\n")
    monkeypatch.setattr("vault.services.intake._PROGRESS_SECONDS", 0.0)
    crew.station.events.clear()
    view = take(crew, case_id, folder)
    looking, listed, *later = told_of(crew)
    assert (looking.looking, looking.files) == (True, ())
    assert (listed.looking, [one.state for one in listed.files]) == (False, [FileState.WAITING] * 6)
    assert max(len(one.files) for one in later) == 1
    kept = {file.file_no: file for one in (listed, *later) for file in one.files}
    assert tuple(kept[number] for number in range(1, 7)) == view.files


def test_the_control_thread_does_not_wait_for_the_walk(crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("one\n")
    intake = crew.at(CUSTODIAN).intake
    later: list[Callable[[], None]] = []
    monkeypatch.setattr(crew.vault.world, "later", lambda _lane, work: later.append(work))
    monkeypatch.setattr("os.scandir", lambda _path: pytest.fail("walked by who asked"))
    started = intake.start(case_id, (str(folder),))
    assert (started.looking, started.files, started.finished) == (True, (), False)
    monkeypatch.undo()
    intake.cancel(started.intake_no)
    [run] = later
    run()
    ended = intake.status(started.intake_no)
    assert (ended.finished, ended.looking, ended.reason) == (True, False, "")
    assert {one.state for one in ended.files} <= {FileState.CANCELLED}
    assert documents(crew, case_id) == {}


def test_more_files_and_folders_than_one_intake_takes_are_not_even_looked_at(
    crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    for number in range(30):
        (folder / f"{number:02}" / "below").mkdir(parents=True)
        (folder / f"{number:02}" / "a.txt").write_text("one\n")
    sizes: list[Path] = []
    size = intake_service._size
    monkeypatch.setattr(intake_service, "_size", lambda path: sizes.append(path) or size(path))
    monkeypatch.setattr(intake_service, "FILES_MOST", 40)
    view = take(crew, case_id, folder)
    assert (view.reason, view.files, view.finished) == ("intake.too-many", (), True)
    assert len(sizes) < 10, "it stopped where it was too many"
    assert documents(crew, case_id) == {}
    monkeypatch.setattr(intake_service, "FILES_MOST", 90)
    assert len(take(crew, case_id, folder).files) == 30
    (folder / "empty").mkdir()
    assert take(crew, case_id, folder / "empty").reason == "intake.nothing"


def test_the_same_folder_again_takes_in_only_what_is_not_in(crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("first\n")
    (folder / "b.pdf").write_bytes(pdf(5000))
    assert {one.state for one in take(crew, case_id, folder).files} == {FileState.DONE}
    entries = len(crew.trail(AuditKind.DOCUMENT_TAKEN_IN, case_id=case_id))
    probed: list[str] = []
    probe = crew.vault.intake._renderer.probe
    monkeypatch.setattr(crew.vault.intake._renderer, "probe", lambda opened, hint: probed.append(opened.path.name) or probe(opened, hint))
    (folder / "a.txt").write_text("First\n")  # as long, and another
    (folder / "c.txt").write_text("third\n")
    (folder / "d").mkdir()
    (folder / "d" / "c.txt").write_text("third\n")  # the same twice in one intake
    (folder / "d" / "e.txt").write_text("third\n")  # the same under another name
    view = take(crew, case_id, folder)
    assert [(one.name, one.state) for one in view.files] == [
        ("a.txt", FileState.DONE), ("b.pdf", FileState.PRESENT), ("c.txt", FileState.DONE), ("c.txt", FileState.PRESENT),
        ("e.txt", FileState.DONE),
    ]  # fmt: skip
    assert view.done_bytes == view.total_bytes
    assert view.files[1].page_count == 1
    assert probed == ["a.txt", "c.txt", "e.txt"]
    assert len(crew.trail(AuditKind.DOCUMENT_TAKEN_IN, case_id=case_id)) == entries + 3
    assert len(crew.at(CUSTODIAN).desk.case(case_id).documents) == 5


def test_a_file_is_hashed_before_it_is_taken_in_only_where_name_and_size_fit(
    crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("first\n")
    take(crew, case_id, folder)
    (folder / "a.txt").write_text("first and more\n")
    (folder / "b.txt").write_text("other\n")  # as long as the first one was
    monkeypatch.setattr("vault.services.intake._Opened.digest_of", lambda *_: pytest.fail("read for nothing"))
    assert {one.state for one in take(crew, case_id, folder).files} == {FileState.DONE}


def test_a_card_is_opened_once_an_intake_however_many_files_are_as_long(crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"statement {number}\n")
    assert {one.state for one in take(crew, case_id, *sorted(folder.iterdir())[:3]).files} == {FileState.DONE}
    opened: list[DocumentId] = []
    cases = crew.vault.intake._cases
    open_document = cases.open_document
    monkeypatch.setattr(cases, "open_document", lambda row, cipher: opened.append(row.document_id) or open_document(row, cipher))
    assert [one.state for one in take(crew, case_id, folder).files] == [FileState.PRESENT] * 3 + [FileState.DONE] * 3
    assert len(opened) == len(set(opened)) == 3


def test_the_end_of_a_session_ends_its_intake_and_is_in_the_trail(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "a.txt").write_text("first\n")
    (folder / "b.pdf").write_bytes(pdf(GROUP_BYTES * 2))
    (folder / "c.txt").write_text("third\n")
    session = crew.at(CUSTODIAN).world.session
    assert session is not None
    interrupted(crew, case_id, folder, 2, lambda: crew.vault.world.session_ending("idle"))
    [entry] = crew.trail(AuditKind.INTAKE_CANCELLED, case_id=case_id)
    assert entry.actor_id == session.person.person_id
    assert dict(json.loads(entry.facts)) == {"files": 3, "taken_in": 1, "reason": "idle"}
    crew.vault.world.session_ending("idle")
    assert len(crew.trail(AuditKind.INTAKE_CANCELLED, case_id=case_id)) == 1, "it had finished"


def test_a_lock_enters_its_intake_first_and_the_same_file_goes_on_after_it(crew: Crew, folder: Path) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES + 5000))
    intake = crew.vault.intake
    real = intake._content
    with crew.nobody() as vault:
        crew.station.sign_in(CUSTODIAN)  # a session that can be locked
        intake._content = _Interrupted(real, 1, lambda: vault.session.lock("idle"))  # type: ignore[assignment]
        intake.start(case_id, (str(path),))
        intake._content = real
    [pending] = remains(crew)[1]
    kinds = [one.kind for one in crew.trail(AuditKind.INTAKE_CANCELLED, AuditKind.LOCKED)][-2:]
    assert kinds == [AuditKind.INTAKE_CANCELLED.value, AuditKind.LOCKED.value]
    assert take(crew, case_id, path).files[0].state is FileState.DONE
    assert [one.document_id for one in documents(crew, case_id).values()] == [pending]


@pytest.mark.parametrize(
    ("end", "error"),
    [("lock", TamperError("audit.broken")), ("sign_out", DefectError("storage.defect")), ("lock", ZeroDivisionError())],
    ids=["tampering", "defect", "unforeseen"],
)
def test_whatever_becomes_of_its_entry_an_intake_does_not_keep_a_session_open(
    crew: Crew, folder: Path, monkeypatch: pytest.MonkeyPatch, end: str, error: Exception
) -> None:
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    (folder / "long.pdf").write_bytes(pdf(GROUP_BYTES + 5000))
    intake, world = crew.vault.intake, crew.vault.world
    real, append, reported = intake._content, world.store.append_audit, list[Signal]()

    def fail(draft: AuditDraft) -> None:
        if draft.kind is AuditKind.INTAKE_CANCELLED:
            raise error
        append(draft)

    def over() -> None:
        session = crew.vault.session
        with suppress(ZeroDivisionError):
            session.lock("idle") if end == "lock" else session.sign_out()

    with crew.nobody():
        crew.station.sign_in(CUSTODIAN)
        with monkeypatch.context() as patched:
            patched.setattr(world.store, "append_audit", fail)
            patched.setattr(world, "observed", reported.append)
            intake._content = _Interrupted(real, 1, over)  # type: ignore[assignment]
            intake.start(case_id, (str(folder / "long.pdf"),))
            intake._content = real
        assert world.session is None
        locked = world.store.locked_session(world.station.workstation_id)
    assert (locked is not None) == (end == "lock")
    crew.at(CUSTODIAN).intake.forget(case_id)
    told = [(one.kind, dict(one.facts)["code"]) for one in reported]
    assert told == ([(SignalKind.STORE_TAMPERED, "audit.broken")] if isinstance(error, TamperError) else [])


def test_what_an_interrupted_intake_left_can_be_forgotten(crew: Crew, folder: Path) -> None:
    case_id, other = crew.new_case(CUSTODIAN, OFFICER), crew.new_case(CUSTODIAN, OFFICER)
    path = folder / "long.pdf"
    path.write_bytes(pdf(GROUP_BYTES + 5000))
    before = remains(crew)
    for one in (case_id, other):
        interrupted(crew, one, path, 1, no_room)
    path.unlink()  # the file is gone: nothing can resume it
    crew.at(CUSTODIAN).intake.forget(case_id)
    assert crew.vault.intake.interrupted(case_id) == ()
    assert len(crew.vault.intake.interrupted(other)) == 1, "another case's is another case's"
    [entry] = crew.trail(AuditKind.INTAKE_CANCELLED, case_id=case_id)
    assert dict(json.loads(entry.facts)) == {"files": 1, "taken_in": 0}
    for _ in range(2):
        crew.vault.intake.forget(other)
    assert len(crew.trail(AuditKind.INTAKE_CANCELLED, case_id=other)) == 1, "nothing is not forgotten"
    assert remains(crew) == before
