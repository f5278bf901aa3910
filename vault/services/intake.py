"""Intake: real files are sealed into the vault, streamed, one by one; a bad one is refused and the rest goes on.

Rules:

- The original is kept byte for byte in sealed 256 KiB chunks with its SHA-256. A few groups of chunks are in memory, whatever the size.
- A file is looked at by a rendition worker of its own before a byte is stored; what it refuses is not stored.
- Chunks commit first, in the content store; the register row that makes the document visible commits second, with the audit entry.
- An interrupted intake resumes where it stopped if the file is still the same: name, size, time and the digest of what was stored.
- What smells of tampering (a sealed record or an entry of the trail that is not as it was written) becomes a breach report, and ends the
  intake: it is the vault that is wrong, not the file.
- Only regular files are read: no links, devices or pipes; each of those is refused by name. A folder is walked without following links, on
  this lane, and no further than `FILES_MOST` entries: the control thread never waits for a disk that is not ours.
- A file the case has already, by name, size and SHA-256, is not taken in twice: the same folder again resumes an intake of many files.
- The end of a session ends its intakes, and says so in the trail. What was under way stays to be resumed.

Lane: intake; the register on the control thread; hashing and sealing on a helper thread of the intake.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import queue
import stat
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from vault.domain.audit import AuditKind, Outcome
from vault.domain.casefile import DocumentCard, DocumentKind
from vault.domain.identity import CaseId, DocumentId, Role
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.services.cases import Cases
from vault.services.events import IntakeMoved, RegisterChanged
from vault.services.locksmith import CaseCipher
from vault.services.operation import Lane, Priority, change, operation, query
from vault.services.ports import ContentStore, ContentWriter, DocumentRow, PendingIntake
from vault.services.reading import CHUNK_BYTES
from vault.services.rendition import Probe, Renderer
from vault.services.views import FileState, IntakeFile, IntakeView
from vault.services.world import World

FILES_MOST: Final = 20_000
"""Files and folders that one intake looks at."""

_GROUP_CHUNKS = 32  # 8 MiB a commit
_GROUPS_AHEAD = 2
_PROGRESS_SECONDS = 0.1
_NAMED = {".eml": DocumentKind.MAIL, ".pdf": DocumentKind.PDF}  # told by the name only where the content leaves it open
_NO_FILES = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO})  # what opening a link or a socket gives
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_LARGEST_BYTES = CHUNK_BYTES * ((1 << 20) - 1)  # the chunk number has 20 bits in the content store's key


class Source(msgspec.Struct, frozen=True):
    """Where an intake came from and how far it is; sealed under the case's card key beside its chunks."""

    path: str
    size_bytes: int
    modified_ns: int
    stored_chunks: int
    digest: str  # SHA-256 of what those chunks hold


@dataclass(slots=True)
class _Job:
    """One intake in progress. The view is replaced whole, so that any thread reads a consistent one."""

    view: IntakeView
    wanted: tuple[str, ...]  # what was asked for: files and folders
    cipher: CaseCipher
    cancelled: threading.Event = field(default_factory=threading.Event)
    paths: tuple[Path, ...] = ()  # of the view's files
    known: dict[int, list[DocumentRow]] = field(default_factory=dict)  # the case's documents, by size in bytes, until one is asked for
    cards: dict[tuple[int, str], list[DocumentCard]] = field(default_factory=dict)  # those that were, opened once, by size and name
    changed: dict[int, IntakeFile] = field(default_factory=dict)  # not told yet, by number
    told: float = 0.0

    def remember(self, card: DocumentCard) -> None:
        """The case has this document."""
        self.cards.setdefault((card.size_bytes, card.title), []).append(card)


class Intake:
    """Takes files in."""

    def __init__(self, world: World, cases: Cases, renderer: Renderer, content: ContentStore) -> None:
        self._world = world
        self._cases = cases
        self._renderer = renderer
        self._content = content
        self._jobs: dict[int, _Job] = {}
        world.session_ending = self.session_ends

    @change
    def start(self, case_id: CaseId, paths: tuple[str, ...]) -> IntakeView:
        """Begin to take files or folders into a case. It begins by looking for them; progress follows as `IntakeMoved`.

        Args:
            case_id: a case I may take files into.
            paths: absolute paths of files and folders; folders are walked.
        Returns:
            IntakeView: still looking. It ends with the reason intake.nothing or intake.too-many where that is what it finds.
        Raises:
            RefusedError: access.not-your-role, access.no-need-to-know, intake.nothing (no path).
        Audit: document.taken-in or document.refused for each file; nothing for one that the case has already.
        """
        cipher = self._require_may_take_in(case_id)
        if not paths:
            raise RefusedError("intake.nothing")
        number = len(self._jobs) + 1
        view = IntakeView(number, case_id, (), 0, 0, finished=False, looking=True)
        job = _Job(view, paths, cipher)
        self._jobs[number] = job
        self._world.later(Lane.INTAKE, lambda: self._run(job))
        return view

    @query
    def status(self, intake_no: int) -> IntakeView:
        """Tell how an intake stands. Raises RefusedError intake.unknown."""
        return self._job(intake_no).view

    @operation(Priority.CHANGE)
    def cancel(self, intake_no: int) -> None:
        """Stop an intake: the file under way leaves nothing behind, what is in stays in.

        Raises:
            RefusedError: intake.unknown.
        Audit: document.intake-cancelled, before it stops; nothing if it had finished.
        """
        job = self._job(intake_no)
        if job.view.finished or job.cancelled.is_set():
            return
        self._enter_cancelled(job)
        job.cancelled.set()

    @operation(Priority.QUERY, Lane.INTAKE)
    def interrupted(self, case_id: CaseId) -> tuple[IntakeFile, ...]:
        """List files of a case whose intake was interrupted; starting again with the same path resumes them."""
        cipher = self._world.on_control(lambda: self._world.require_case(case_id), Priority.QUERY)
        writer = self._content.open_writer()
        try:
            found = [(one, self._source(one, cipher)) for one in writer.pending() if one.case_id == case_id]
        finally:
            writer.close()
        return tuple(
            IntakeFile(no, _title_of(Path(source.path)), source.size_bytes, one.chunks_stored * CHUNK_BYTES, FileState.WAITING, "", 0)
            for no, (one, source) in enumerate(found, start=1)
        )

    def session_ends(self, reason: str) -> None:
        """Enter in the trail which intakes end with the session (control thread); raises no VaultError: none keeps a session open.

        What smells of tampering becomes a report. Audit: document.intake-cancelled for each.
        """
        for job in self._jobs.values():
            if job.view.finished or job.cancelled.is_set():
                continue
            try:
                self._enter_cancelled(job, reason=reason)
            except TamperError as error:
                self._world.tampered(error)
            except VaultError:  # a full disk, for one; the others are tried all the same
                continue

    @operation(Priority.CHANGE, Lane.INTAKE)
    def forget(self, case_id: CaseId) -> None:
        """Drop what interrupted intakes left of a case's files: the way out where the files they came from are gone.

        Raises:
            RefusedError: access.not-your-role, access.no-need-to-know.
        Audit: document.intake-cancelled, before anything is dropped; nothing if there was nothing.
        """
        world = self._world
        world.on_control(lambda: self._require_may_take_in(case_id))
        writer = self._content.open_writer()
        try:
            left = [one for one in writer.pending() if one.case_id == case_id and not self._is_visible(one.document_id)]
            if left:
                world.on_control(
                    lambda: world.store.append_audit(world.draft(AuditKind.INTAKE_CANCELLED, case_id, files=len(left), taken_in=0))
                )
            for one in left:
                writer.discard(one.document_id)
        finally:
            writer.close()

    # -- intake lane -----------------------------------------------------------------------------------------------------------------

    def _run(self, job: _Job) -> None:
        try:
            self._look(job)
            if job.paths:
                self._take_all(job)
        except VaultError as error:
            self._refuse_the_rest(job, error)
        finally:
            self._finish(job)

    def _look(self, job: _Job) -> None:
        """Find the files to take in."""
        self._tell(job, at_once=True)
        found: list[tuple[Path, int]] = []
        reason = ""
        try:
            for one in _files(job.wanted):
                if job.cancelled.is_set():
                    break
                found.append(one)
            else:
                reason = "" if found else "intake.nothing"
        except RefusedError as error:
            found, reason = [], error.code
        files = tuple(IntakeFile(no, _title_of(path), size, 0, FileState.WAITING, "", 0) for no, (path, size) in enumerate(found, start=1))
        job.paths = tuple(path for path, _ in found)
        job.changed = {file.file_no: file for file in files}
        job.view = replace(job.view, files=files, total_bytes=sum(one.size_bytes for one in files), looking=False, reason=reason)
        self._tell(job, at_once=True)

    def _take_all(self, job: _Job) -> None:
        case_id = job.view.case_id
        for row in self._world.on_control(lambda: self._world.store.documents_of(case_id), Priority.QUERY):
            job.known.setdefault(row.size_bytes, []).append(row)
        writer = self._content.open_writer()
        try:
            for file, path in zip(job.view.files, job.paths, strict=True):
                if job.cancelled.is_set():
                    self._show(job, replace(file, state=FileState.CANCELLED))
                    continue
                self._take(job, file, path, writer)
        finally:
            try:
                writer.close()
            except TamperError as error:
                self._world.tampered(error)

    def _refuse_the_rest(self, job: _Job, error: VaultError) -> None:
        """The vault cannot take anything in. What smells of tampering is reported here: nobody waits for this lane's errors."""
        if isinstance(error, TamperError):
            self._world.tampered(error)
        for file in job.view.files:
            if file.state is FileState.WAITING:
                self._show(job, replace(file, state=FileState.REFUSED, reason=error.code))

    def _finish(self, job: _Job) -> None:
        job.view = replace(job.view, finished=True)
        self._tell(job, at_once=True)
        self._world.on_control(lambda: self._world.publish(RegisterChanged()))  # whoever listens belongs to the control thread

    def _take(self, job: _Job, file: IntakeFile, path: Path, writer: ContentWriter) -> None:
        self._show(job, replace(file, state=FileState.RUNNING))
        try:
            with _Opened(path) as opened:
                if (card := self._present(job, opened, writer)) is not None:
                    present = replace(file, state=FileState.PRESENT, done_bytes=opened.size_bytes, page_count=card.page_count)
                    self._show(job, replace(present, unshown=card.unshown))
                    return
                probe = self._renderer.probe(opened, _NAMED.get(path.suffix.casefold()))
                document = self._store(job, file, opened, probe, writer)
            done = replace(file, state=FileState.DONE, done_bytes=opened.size_bytes, page_count=probe.page_count, unshown=probe.unshown)
            self._show(job, done if document else replace(file, state=FileState.CANCELLED))
        except VaultError as error:
            code = error.code
            self._show(job, replace(file, state=FileState.REFUSED, reason=code))
            # Where even the refusal cannot be written (a full disk), the next file is still tried and refused for itself.
            with contextlib.suppress(UnavailableError):
                self._world.on_control(lambda: self._refused(job, code))
            if isinstance(error, TamperError):
                raise

    def _present(self, job: _Job, opened: _Opened, writer: ContentWriter) -> DocumentCard | None:
        """The card of this very file, if the case has it: its size first, then its name, and its bytes are read only where both fit."""
        for row in job.known.pop(opened.size_bytes, ()):
            job.remember(self._cases.open_document(row, job.cipher))
        cards = job.cards.get((opened.size_bytes, _title_of(opened.path)))
        if not cards:
            return None
        digest = opened.digest_of(opened.size_bytes, job.cancelled.is_set).hexdigest()
        card = next((card for card in cards if card.sha256 == digest), None)
        if card is not None and any(one.document_id == card.document_id for one in writer.pending()):
            writer.finish(card.document_id)  # it was made visible, and interrupted right after
        return card

    def _store(self, job: _Job, file: IntakeFile, opened: _Opened, probe: Probe, writer: ContentWriter) -> bool:
        """Stream one file into the content store and make it visible; False if it was cancelled."""
        pending, digest = self._begin(job, opened, writer)
        document_id = pending.document_id
        sealer = job.cipher.chunks(document_id, pending.chunk_count, pending.chunk_salt)
        groups: queue.Queue[_Group | Exception | None] = queue.Queue(maxsize=_GROUPS_AHEAD)
        stopped = threading.Event()

        def produce() -> None:
            try:
                for group in _sealed_groups(opened, sealer.seal_chunk, digest, pending):
                    if stopped.is_set():
                        return
                    groups.put(group)
                groups.put(None)
            except Exception as error:  # whatever it is, the intake is waiting for it
                groups.put(error)
            finally:
                sealer.wipe()

        producer = threading.Thread(target=produce, name="intake-seal", daemon=True)
        producer.start()
        try:
            while (group := groups.get()) is not None:
                if isinstance(group, Exception):
                    raise group
                if job.cancelled.is_set():
                    break
                source = Source(_text_of(opened.path), opened.size_bytes, opened.modified_ns, group.next_chunk_no, group.digest)
                writer.append_chunks(document_id, group.first_chunk_no, group.chunks, self._seal_source(source, document_id, job.cipher))
                self._show(
                    job, replace(file, state=FileState.RUNNING, done_bytes=min(opened.size_bytes, group.next_chunk_no * CHUNK_BYTES))
                )
            opened.require_unchanged()
        except RefusedError:
            writer.discard(document_id)
            raise
        finally:
            stopped.set()
            while producer.is_alive():
                with contextlib.suppress(queue.Empty):
                    groups.get(timeout=0.01)
            producer.join()
        if job.cancelled.is_set():
            writer.discard(document_id)
            return False
        card = DocumentCard(
            document_id=document_id,
            case_id=job.view.case_id,
            title=_title_of(opened.path),
            kind=probe.kind,
            page_count=probe.page_count,
            size_bytes=opened.size_bytes,
            sha256=digest.hexdigest(),
            taken_in_us=self._world.clock.now_us(),
            unshown=probe.unshown,
        )
        self._world.on_control(lambda: self._make_visible(job, card, pending))
        job.remember(card)
        writer.finish(document_id)
        return True

    def _begin(self, job: _Job, opened: _Opened, writer: ContentWriter) -> tuple[PendingIntake, hashlib._Hash]:
        """Resume the interrupted intake of this very file, or begin a new one."""
        for pending in writer.pending():
            if pending.case_id != job.view.case_id:
                continue
            source = self._source(pending, job.cipher)
            if source.path != _text_of(opened.path):
                continue
            document_id = pending.document_id
            if self._is_visible(document_id):
                writer.finish(document_id)  # it was made visible, and interrupted right after: this file is taken in anew
                continue
            if (source.size_bytes, source.modified_ns) == (opened.size_bytes, opened.modified_ns):
                digest = opened.digest_of(source.stored_chunks * CHUNK_BYTES)
                if source.digest == digest.hexdigest() and source.stored_chunks == pending.chunks_stored:
                    return pending, digest
            writer.discard(document_id)  # the file is another one now: what is here can never be completed
        document_id = DocumentId(self._world.entropy.token())
        source = Source(_text_of(opened.path), opened.size_bytes, opened.modified_ns, 0, hashlib.sha256().hexdigest())
        pending = PendingIntake(
            document_id=document_id,
            case_id=job.view.case_id,
            chunk_salt=self._world.locksmith.new_salt(),
            chunk_count=max(1, -(-opened.size_bytes // CHUNK_BYTES)),
            chunks_stored=0,
            source_sealed=self._seal_source(source, document_id, job.cipher),
            started_us=self._world.clock.now_us(),
        )
        writer.begin(pending)
        return pending, hashlib.sha256()

    def _is_visible(self, document_id: DocumentId) -> bool:
        return self._world.on_control(lambda: self._world.store.document(document_id)) is not None

    # -- control thread --------------------------------------------------------------------------------------------------------------

    def _make_visible(self, job: _Job, card: DocumentCard, pending: PendingIntake) -> None:
        world = self._world
        world.require()
        row = DocumentRow(
            document_id=card.document_id,
            case_id=card.case_id,
            card_sealed=self._cases.seal_document(card, job.cipher),
            chunk_salt=pending.chunk_salt,
            chunk_count=pending.chunk_count,
            size_bytes=card.size_bytes,
        )
        audit = world.draft(
            AuditKind.DOCUMENT_TAKEN_IN, card.case_id, document_id=card.document_id, size_bytes=card.size_bytes, sha256=card.sha256
        )
        world.store.add_document(row, audit)

    def _require_may_take_in(self, case_id: CaseId) -> CaseCipher:
        session = self._world.require(Role.CUSTODIAN, Role.OFFICER)
        cipher = self._world.require_case(case_id)
        card = self._cases.open_card(self._cases.row(case_id), cipher)
        if session.person.role is not Role.CUSTODIAN and card.officer_in_charge != session.person.person_id:
            raise RefusedError("access.not-your-role")
        return cipher

    def _enter_cancelled(self, job: _Job, **facts: str) -> None:
        world = self._world
        done = sum(one.state is FileState.DONE for one in job.view.files)
        draft = world.draft(AuditKind.INTAKE_CANCELLED, job.view.case_id, files=len(job.view.files), taken_in=done)
        world.store.append_audit(replace(draft, facts=(*draft.facts, *facts.items())))

    def _refused(self, job: _Job, code: str) -> None:
        world = self._world
        world.store.append_audit(world.draft(AuditKind.DOCUMENT_REFUSED, job.view.case_id, Outcome.REFUSED, reason=code))

    def _job(self, intake_no: int) -> _Job:
        self._world.require()
        if (job := self._jobs.get(intake_no)) is None:
            raise RefusedError("intake.unknown")
        return job

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _seal_source(self, source: Source, document_id: DocumentId, cipher: CaseCipher) -> bytes:
        return cipher.seal_card(msgspec.json.encode(source), self._world.locksmith.bind("intake", document_id))

    def _source(self, pending: PendingIntake, cipher: CaseCipher) -> Source:
        plain = cipher.open_card(pending.source_sealed, self._world.locksmith.bind("intake", pending.document_id))
        return msgspec.json.decode(plain, type=Source)

    def _show(self, job: _Job, file: IntakeFile) -> None:
        files = (*job.view.files[: file.file_no - 1], file, *job.view.files[file.file_no :])
        settled = file.state is not FileState.RUNNING
        before = job.view.files[file.file_no - 1]
        gained = (file.size_bytes if settled else file.done_bytes) - (before.done_bytes if before.state is FileState.RUNNING else 0)
        job.view = replace(job.view, files=files, done_bytes=job.view.done_bytes + gained)
        job.changed[file.file_no] = file
        self._tell(job, at_once=False)

    def _tell(self, job: _Job, *, at_once: bool) -> None:
        now = time.monotonic()
        if at_once or now - job.told >= _PROGRESS_SECONDS:
            job.told = now
            changed, job.changed = job.changed, {}
            self._world.publish(IntakeMoved(replace(job.view, files=tuple(changed.values()))))


@dataclass(frozen=True, slots=True)
class _Group:
    """Some chunks, sealed, and the digest of everything up to their end."""

    first_chunk_no: int
    chunks: list[bytes]
    next_chunk_no: int
    digest: str


class _Opened:
    """A regular file open for reading; also the source the probe reads from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.modified_ns = 0
        self._descriptor = -1

    def __enter__(self) -> _Opened:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self.path, flags)
            status = os.fstat(self._descriptor)
        except (OSError, ValueError) as error:  # a name with a NUL in it is no name
            other = isinstance(error, OSError) and error.errno in _NO_FILES
            raise RefusedError("intake.not-a-file" if other else "intake.unreadable") from error
        self.size_bytes = status.st_size
        self.modified_ns = status.st_mtime_ns
        if not stat.S_ISREG(status.st_mode):
            self._close()
            raise RefusedError("intake.nothing" if stat.S_ISDIR(status.st_mode) else "intake.not-a-file")
        if not 0 < self.size_bytes <= _LARGEST_BYTES:
            self._close()
            raise RefusedError("document.empty" if self.size_bytes == 0 else "document.too-large")
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        """Return exactly that range. Raises RefusedError intake.changed if the file shrank meanwhile."""
        try:
            data = os.pread(self._descriptor, length_bytes, offset_bytes)
        except OSError as error:
            raise RefusedError("intake.unreadable") from error
        if len(data) != length_bytes:
            raise RefusedError("intake.changed")
        return data

    def require_unchanged(self) -> None:
        """Refuse with ``intake.changed`` a file that somebody wrote to since it was opened: it was looked at before it was read."""
        status = os.fstat(self._descriptor)
        if (status.st_size, status.st_mtime_ns) != (self.size_bytes, self.modified_ns):
            raise RefusedError("intake.changed")

    def digest_of(self, length_bytes: int, stopped: Callable[[], bool] = lambda: False) -> hashlib._Hash:
        """The SHA-256 so far of the first `length_bytes` (no more than there are); of less once `stopped`."""
        digest = hashlib.sha256()
        for start in range(0, min(length_bytes, self.size_bytes), CHUNK_BYTES):
            if stopped():
                break
            digest.update(self.read(start, min(CHUNK_BYTES, self.size_bytes - start)))
        return digest

    def _close(self) -> None:
        os.close(self._descriptor)


def _sealed_groups(
    opened: _Opened, seal: Callable[[int, bytes], memoryview], digest: hashlib._Hash, pending: PendingIntake
) -> Iterator[_Group]:
    for first in range(pending.chunks_stored, pending.chunk_count, _GROUP_CHUNKS):
        chunks: list[bytes] = []
        after = min(first + _GROUP_CHUNKS, pending.chunk_count)
        for number in range(first, after):
            start = number * CHUNK_BYTES
            plain = opened.read(start, min(CHUNK_BYTES, opened.size_bytes - start))
            digest.update(plain)
            chunks.append(bytes(seal(number, plain)))
        yield _Group(first, chunks, after, digest.hexdigest())


def _files(paths: tuple[str, ...]) -> Iterator[tuple[Path, int]]:
    """Every file named, and every file below a folder named, with its size, in a stable order, links not followed.

    What was named beside others stands for itself where there is no file below it: nothing that was given goes unsaid.

    Raises RefusedError intake.too-many as soon as it has seen more than `FILES_MOST` files and folders, and looks at no more of them.
    """
    left = FILES_MOST
    for one in paths:
        folders: list[str] = []
        has_files = False
        files = [one]  # a folder named is not an entry of a folder: it does not count
        if os.path.isdir(one) and not os.path.islink(one):  # noqa: PTH112, PTH114 - these take any text for a path
            files, folders = _listed(one, left + 1)
            folders.reverse()
        while True:
            left -= len(files)
            if left < len(folders):
                raise RefusedError("intake.too-many", most=FILES_MOST)
            has_files = has_files or bool(files)
            yield from ((Path(file), _size(Path(file))) for file in files)
            if not folders:
                break
            left -= 1
            files, below = _listed(folders.pop(), left - len(folders) + 1)
            folders += reversed(below)
        if not has_files and len(paths) > 1:
            yield Path(one), 0


def _listed(folder: str, most: int) -> tuple[list[str], list[str]]:
    """The files and the folders in a folder, sorted; `most` together. A folder that cannot be listed is given as a file: it is refused."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in itertools.islice(entries, most):
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.path)  # a link to a folder is refused by name
    except OSError:
        return [folder], []
    return sorted(files), sorted(folders)


def _text_of(path: Path | str) -> str:
    """A path or name as text: Linux allows names that are not, and neither a card nor a message can carry those."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _title_of(path: Path) -> str:
    """A file's name on one line of a list or a terminal: what would break the line, steer the terminal or turn the order of the letters
    around (an ``.exe`` that reads as a ``.jpg``) is spelled out."""
    return "".join(
        one.encode("unicode_escape").decode()
        if unicodedata.category(one) in {"Cc", "Zl", "Zp"} or unicodedata.bidirectional(one) in _TURNING
        else one
        for one in _text_of(path.name)
    )


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except (OSError, ValueError):
        return 0
