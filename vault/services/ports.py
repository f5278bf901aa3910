"""What the services need from the world. Adapters implement these; `vault.assembly` joins them.

Rules:

- The `Store` speaks in operations, not tables. Each operation that writes is one transaction together with the audit entries handed to
  it: both are durable (WAL, synchronous=FULL) when it returns, or neither happened.
- The store sees opaque ids, sizes, custody and audit. Every ``*_sealed`` value is ciphertext to it.
- Operations that enforce exclusiveness raise the same code on every engine.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.domain.access import GrantTerms
from vault.domain.audit import AuditDraft, AuditEntry, ChainVerdict, Checkpoint
from vault.domain.breach import Finding, ReportState, Severity, SignalKind, TriageState
from vault.domain.custody import CheckOut, ReturnKind
from vault.domain.identity import (
    BreachId,
    CaseId,
    CheckOutId,
    DocumentId,
    GrantId,
    PersonId,
    PersonState,
    Role,
    SessionId,
    UnitId,
    UnitKind,
    VaultId,
    WorkstationId,
)
from vault.errors import Fact
from vault.secret import Secret
from vault.services.locksmith import DirectoryFacts

# ---- rows: what the store keeps ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An account. `slot` is the person's private keys and second factor, sealed under their passphrase."""

    person_id: PersonId
    badge_no: str  # unique, case-folded
    name: str
    role: Role
    unit_id: UnitId  # home unit
    state: PersonState
    kem_public: bytes
    sign_public: bytes
    slot: bytes
    enrolled_us: int
    administrator_id: PersonId
    administrator_signature: bytes
    supervisor_id: PersonId | None = None
    supervisor_signature: bytes = b""
    totp_last_step: int = 0  # the last one-time code's step; a code is good once


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit people belong to and cases are granted to."""

    unit_id: UnitId
    name: str
    kind: UnitKind
    kem_public: bytes
    signed_by: PersonId  # the supervisor who made the unit; the signature keeps its public key from being swapped
    signature: bytes


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """The unit's private key sealed to one member."""

    unit_id: UnitId
    person_id: PersonId
    unit_key_sealed: bytes


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case file as the store sees it. `label_sealed` is the case number for the custody board, sealed to the supervisors' unit."""

    case_id: CaseId
    number_blind: bytes  # HMAC of the case number under the vault's blind-index key: unique, says nothing
    card_sealed: bytes
    label_sealed: bytes
    registered_us: int
    registered_by: PersonId


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant: the case key sealed to its grantee (empty for a deny) and signed by the grantor."""

    terms: GrantTerms
    case_key_sealed: bytes
    reason_sealed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class GrantedCase:
    """A case a person holds a key to, as the register lists it, newest grant first."""

    case: CaseRow
    grant: GrantRow
    check_out: CheckOut | None  # the active one, whoever holds it


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document made visible by its register row; its chunks are in the content store."""

    document_id: DocumentId
    case_id: CaseId
    card_sealed: bytes
    chunk_salt: bytes
    chunk_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WaitRow:
    """A place on a case file's waiting list."""

    case_id: CaseId
    person_id: PersonId
    since_us: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in period. One open session a person, one a workstation."""

    session_id: SessionId
    person_id: PersonId
    workstation_id: WorkstationId
    opened_us: int
    locked_us: int = 0
    ended_us: int = 0


@dataclass(frozen=True, slots=True)
class BreachRow:
    """A breach report. `facts_sealed` entries are sealed to the supervisors' unit; the store knows kind, severity and state."""

    state: ReportState
    report_no: str  # B-2026-0042
    workstation_id: WorkstationId
    case_id: CaseId | None
    facts_sealed: tuple[bytes, ...]  # one sealed record a signal, oldest first; at most MAX_FACTS kept
    detection_us: int  # first signal observed -> report committed
    acknowledged_us: int = 0
    disposed_us: int = 0
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class BreachNoteRow:
    """One line of a report's timeline: a note, rationale or the officer's own account, sealed to the supervisors' unit."""

    breach_id: BreachId
    at_us: int
    author_id: PersonId
    kind: str  # note, rationale, account
    text_sealed: bytes


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list. Empty fields do not filter."""

    kinds: tuple[str, ...] = ()
    actor_id: PersonId | None = None
    case_id: CaseId | None = None
    document_id: DocumentId | None = None
    from_us: int = 0
    until_us: int = 0  # excluded; 0 = now


@dataclass(frozen=True, slots=True)
class PendingIntake:
    """An intake that was interrupted: its chunks so far are kept under the same salt so that it can resume."""

    document_id: DocumentId
    case_id: CaseId
    chunk_salt: bytes
    chunk_count: int
    chunks_stored: int
    source_sealed: bytes  # where it came from, its size, time and digest so far; under the case's card key
    started_us: int


# ---- ports -------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MetServer:
    """A key server of this workstation's premises, as people speak of it."""

    name: str
    url: str
    certificate: str = ""  # file of this workstation's client certificate and key
    authority: str = ""  # file of who signs the front's certificate
    thumbprints: tuple[str, ...] = ()  # of the signing keys that are pinned


@dataclass(frozen=True, slots=True)
class PremisesFacts:
    """What this workstation is bound to; none: to nothing."""

    threshold: int
    servers: tuple[MetServer, ...]


class PremisesBinding(Protocol):
    """This workstation's lock to its key servers. Raises RefusedError, UnavailableError, TamperError premises.*; blocks for seconds."""

    def facts(self) -> PremisesFacts:
        """Tell what this workstation is bound to."""

    def add(self, server: MetServer, thumbprint: str, threshold: int) -> PremisesFacts:
        """Meet a key server and bind to it besides the others."""

    def remove(self, name: str, threshold: int) -> PremisesFacts:
        """Bind to the others alone."""

    def rotate(self) -> PremisesFacts:
        """Bind anew to the keys the servers have now."""

    def test(self) -> tuple[tuple[str, str], ...]:
        """Have each server prove itself: (name, "" or the code of what is wrong)."""


class PolicyPlace(Protocol):
    """Where the station's own policy is kept, authenticated: the header. Raises UnavailableError storage.*, header.*; TamperError."""

    @property
    def policy_text(self) -> str:
        """The settings as they were last read or written, TOML."""

    def keep_policy(self, text: str) -> None:
        """Replace them, durably."""


class Clock(Protocol):
    """Time. Both run in microseconds."""

    def now_us(self) -> int:
        """UTC by the wall clock."""

    def boot_us(self) -> int:
        """Since boot, suspend included; never goes back."""


class Entropy(Protocol):
    """The system's random bytes."""

    def token(self) -> str:
        """128 bits in lower-case hexadecimal."""


class SecretKeeper(Protocol):
    """The operating system's keyring. Never a file.

    Raises:
        UnavailableError: keyring.missing, keyring.locked.
    """

    def read(self, name: str) -> Secret | None:
        """Return the secret of that name, None if there is none."""

    def write(self, name: str, value: Secret) -> None:
        """Store or replace."""

    def erase(self, name: str) -> None:
        """Forget; nothing happens if there is none."""

    def describe(self) -> str:
        """Name the keyring for the protection strip, for example ``Secret Service``."""


class Store(Protocol):
    """The register: people, cases, custody, breaches, audit. One connection, one thread (the control thread).

    Raises, from any operation:
        UnavailableError: storage.busy, storage.full, storage.read-only, storage.input-output.
        TamperError: storage.damaged.
        DefectError: storage.constraint (a rule the services should have kept).
    """

    # -- vault
    def workstation_id(self) -> WorkstationId: ...
    def vault_id(self) -> VaultId: ...
    def append_audit(self, *drafts: AuditDraft) -> int:
        """Commit entries by themselves; return the seq of the last."""

    def latest_entry_time_us(self) -> int:
        """The wall-clock time of the newest audit entry, 0 if none: a clock behind it was set back."""

    # -- people
    def people(self) -> Sequence[PersonRow]: ...
    def person_by_badge(self, badge_no: str) -> PersonRow | None:
        """Look up by case-folded badge number."""

    def add_person(self, person: PersonRow, audit: AuditDraft) -> None:
        """Raises RefusedError person.badge-taken."""

    def cosign_person(
        self, person_id: PersonId, supervisor_id: PersonId, signature: bytes, memberships: Sequence[MembershipRow], audit: AuditDraft
    ) -> None: ...
    def set_person_state(self, person_id: PersonId, state: PersonState, audit: AuditDraft) -> None: ...
    def use_code(self, person_id: PersonId, step: int) -> None:
        """Remember the step of a one-time code outside a sign-in. Raises RefusedError session.code-used."""

    def replace_slot(
        self, person_id: PersonId, before: bytes, slot: bytes, totp_last_step: int, end_sessions_us: int, audit: AuditDraft
    ) -> None:
        """Put a slot where `before` stood, with the last step its second factor was used at; end the person's open sessions at
        `end_sessions_us`, 0: leave them. Raises RefusedError person.slot-changed when another slot stands there."""

    def units(self) -> Sequence[UnitRow]: ...
    def add_unit(self, unit: UnitRow, members: Sequence[MembershipRow], audit: AuditDraft) -> None:
        """Raises RefusedError unit.name-taken."""

    def add_membership(self, membership: MembershipRow, audit: AuditDraft) -> None: ...
    def memberships_of(self, person_id: PersonId) -> Sequence[MembershipRow]: ...
    def members_of(self, unit_id: UnitId) -> Sequence[PersonId]: ...

    # -- sessions
    def record_sign_in_failure(self, badge_no_blind: bytes, at_us: int, lock_person: PersonId | None, audit: Sequence[AuditDraft]) -> None:
        """Count a failed attempt (and lock the account if told to)."""

    def sign_in_failures_since(self, badge_no_blind: bytes, since_us: int) -> int: ...
    def clear_sign_in_failures(self, badge_no_blind: bytes) -> None: ...
    def open_session(self, session: SessionRow, totp_step: int, audit: Sequence[AuditDraft]) -> None:
        """End any other open session of the person or the workstation, open this one, remember the code's step, clear failures."""

    def session(self, session_id: SessionId) -> SessionRow | None: ...
    def locked_session(self, workstation_id: WorkstationId) -> SessionRow | None:
        """The session of this workstation that is locked and not ended."""

    def lock_session(self, session_id: SessionId, at_us: int, audit: AuditDraft) -> None: ...
    def unlock_session(self, session_id: SessionId, audit: AuditDraft) -> None: ...
    def end_session(self, session_id: SessionId, at_us: int, audit: AuditDraft) -> None: ...

    # -- cases and grants
    def register_case(self, case: CaseRow, grants: Sequence[GrantRow], audit: Sequence[AuditDraft]) -> None:
        """Raises RefusedError case.number-taken."""

    def register_cases(self, cases: Sequence[tuple[CaseRow, Sequence[GrantRow]]], audit: Sequence[AuditDraft]) -> None:
        """Many in one transaction, for migration of a register."""

    def case(self, case_id: CaseId) -> CaseRow | None: ...
    def case_by_number(self, number_blind: bytes) -> CaseRow | None: ...
    def grants_of(self, case_id: CaseId) -> Sequence[GrantRow]:
        """Every grant of the case, removed and ended ones included."""

    def add_grants(self, grants: Sequence[GrantRow], audit: Sequence[AuditDraft]) -> None: ...
    def remove_grant(self, grant_id: GrantId, at_us: int, audit: AuditDraft) -> None: ...
    def granted_cases(
        self, person_id: PersonId, unit_ids: Sequence[UnitId], now_us: int, before: tuple[int, str] | None, limit: int
    ) -> Sequence[GrantedCase]:
        """Cases with an allow grant in force at `now_us`, newest (registered_us, case_id) first, keyset-paged; one row a case, a
        person's grant before a unit's. A deny hides none of them here."""

    def denies_for(self, person_id: PersonId, unit_ids: Sequence[UnitId]) -> Sequence[GrantTerms]:
        """Every deny, not removed, on the person or one of the units: few, and they win."""

    def count_granted_cases(self, person_id: PersonId, unit_ids: Sequence[UnitId]) -> int:
        """Cases with an allow grant not removed, in force or not: from an index that has no dates."""

    # -- documents
    def documents_of(self, case_id: CaseId) -> Sequence[DocumentRow]: ...
    def document(self, document_id: DocumentId) -> DocumentRow | None: ...
    def add_document(self, document: DocumentRow, audit: AuditDraft) -> None:
        """Make a document visible. Its chunks are already committed in the content store."""

    def document_ids(self) -> Sequence[DocumentId]:
        """Every visible document: what the content store's sweep keeps."""

    # -- custody
    def active_check_out(self, case_id: CaseId) -> CheckOut | None: ...
    def check_out(self, check_out_id: CheckOutId) -> CheckOut | None: ...
    def held_by(self, person_id: PersonId) -> Sequence[CheckOut]: ...
    def all_held(self) -> Sequence[CheckOut]:
        """The custody board: every active check-out, earliest due back first."""

    def overdue(self, now_us: int) -> Sequence[CheckOut]: ...
    def recently_returned_by(self, person_id: PersonId, limit: int) -> Sequence[CheckOut]: ...
    def custody_history(self, case_id: CaseId) -> Sequence[CheckOut]:
        """Every check-out of a case, oldest first; nothing is ever removed."""

    def open_check_out(self, check_out: CheckOut, signature: bytes, audit: Sequence[AuditDraft]) -> CheckOut:
        """Begin custody; assigns check_out_no; removes the holder from the waiting list.

        Raises RefusedError custody.already-checked-out.
        """

    def close_check_out(
        self,
        check_out_id: CheckOutId,
        at_us: int,
        kind: ReturnKind,
        by: PersonId | None,
        statement_sealed: bytes,
        audit: Sequence[AuditDraft],
    ) -> None:
        """End custody. Raises RefusedError custody.not-held if it is not active."""

    def hand_over(
        self, check_out_id: CheckOutId, at_us: int, successor: CheckOut, signature: bytes, audit: Sequence[AuditDraft]
    ) -> CheckOut:
        """End one check-out and begin its successor in one act."""

    def recall_check_out(self, check_out_id: CheckOutId, at_us: int, audit: AuditDraft) -> None: ...
    def waiting(self, case_id: CaseId) -> Sequence[WaitRow]: ...
    def waits_of(self, person_id: PersonId) -> Sequence[WaitRow]: ...
    def join_waiting(self, wait: WaitRow, audit: AuditDraft) -> None: ...
    def leave_waiting(self, case_id: CaseId, person_id: PersonId, audit: AuditDraft) -> None: ...

    # -- breaches
    def record_breach(self, breach: BreachRow, audit: Sequence[AuditDraft]) -> str:
        """Commit a new report with its alert and audit entries in one transaction.

        Returns the report number it was given: B-<year>-<4 digits>.
        """

    def join_breach(
        self, breach_id: BreachId, severity: Severity, kind: SignalKind, at_us: int, facts_sealed: bytes, audit: Sequence[AuditDraft]
    ) -> None:
        """Add a repeat to a report: count, last time, facts; severity only rises."""

    def joinable_breaches(
        self, officer_id: PersonId | None, workstation_id: WorkstationId, kinds: Sequence[SignalKind], since_us: int, until_us: int
    ) -> Sequence[BreachRow]:
        """Reports on that officer (nobody: of that workstation) a signal may join, newest first and without their facts.

        Of one of the kinds, not disposed, last seen at `since_us` or later and first at `until_us` or earlier.
        """

    def breaches(self, states: Sequence[TriageState], limit: int) -> Sequence[BreachRow]:
        """Unacknowledged of severity 3 and more first, then newest."""

    def breach(self, breach_id: BreachId) -> BreachRow | None: ...
    def triage_breach(
        self,
        breach_id: BreachId,
        actor: PersonId,
        state: TriageState,
        owner_id: PersonId | None,
        at_us: int,
        finding: Finding | None,
        note: BreachNoteRow | None,
        audit: AuditDraft,
    ) -> None:
        """Change a report's state. Raises RefusedError breach.own-report, by trigger, if the actor is the officer named."""

    def add_breach_note(self, note: BreachNoteRow, audit: AuditDraft) -> None:
        """Raises RefusedError breach.own-report unless the note's kind is account."""

    def breach_notes(self, breach_id: BreachId) -> Sequence[BreachNoteRow]: ...

    # -- audit
    def audit_entries(self, wanted: AuditFilter, before_seq: int, limit: int) -> Sequence[AuditEntry]:
        """Newest first, below `before_seq` (0 = from the end)."""

    def audit_head(self) -> tuple[int, bytes]:
        """(seq, hash) of the newest entry; (0, 32 zero bytes) when empty."""

    def make_checkpoint(self, sign: SignStatement) -> Checkpoint:
        """Sign the trail as it stands and commit the checkpoint; without entries since the last one, return that."""

    def verify_chain(
        self, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
    ) -> ChainVerdict:
        """Read the whole trail and name the first entry that does not hold; `witness` is the (seq, hash) kept outside the database.

        With `signers`, custody acts are held against the register and their signatures are checked.
        """

    def verify_in_slices(
        self, witness: tuple[int, bytes] | None, check_signature: CheckStatement, signers: Signers | None = None
    ) -> Generator[int, None, ChainVerdict]:
        """The same; yields between slices of some 50 ms how many entries hold so far, and entries may be appended meanwhile."""

    def reading_seconds(self, check_out_id: CheckOutId) -> tuple[int, int, int]:
        """(pages viewed, documents viewed, milliseconds read) from the entries whose facts name the check-out."""

    def close(self) -> None: ...


class SignStatement(Protocol):
    """The workstation's signature over a checkpoint statement."""

    def __call__(self, statement: bytes) -> bytes:
        """Sign."""


class CheckStatement(Protocol):
    """Checks the workstation's signature over a checkpoint statement."""

    def __call__(self, statement: bytes, signature: bytes) -> None:
        """Raise TamperError if the signature is not the workstation's."""


class SignatureKeys(Protocol):
    """The part of the `Locksmith` that checks what people signed."""

    def bind(self, *parts: bytes | str | int) -> bytes:
        """Length-prefixed canonical bytes of the parts."""

    def verify(self, sign_public: bytes, context: str, message: bytes, signature: bytes) -> None:
        """Raises TamperError signature.invalid."""

    def verify_directory(
        self, facts: DirectoryFacts, administrator: bytes, administrator_signature: bytes, supervisor: bytes, supervisor_signature: bytes
    ) -> None:
        """Raises TamperError directory.unsigned."""


@dataclass(frozen=True, slots=True)
class Signers:
    """What the signatures of people are checked with."""

    keys: SignatureKeys
    roots: tuple[bytes, ...]  # the signing keys of founding, where trust in people begins


class ContentStore(Protocol):
    """Sealed chunks. Each thread has its own connection, made by `open_reader` or `open_writer`."""

    def open_reader(self) -> ContentReader: ...
    def open_writer(self) -> ContentWriter: ...


class ContentReader(Protocol):
    """Random access to the chunks of visible documents (the reading thread)."""

    def read_chunk(self, document_id: DocumentId, chunk_no: int) -> bytes:
        """The sealed chunk, 0-based. Raises TamperError storage.chunk-missing, storage.damaged."""

    def close(self) -> None: ...


class ContentWriter(Protocol):
    """Appends chunks (the intake thread). Chunks of a pending intake are invisible until the register names the document."""

    def begin(self, pending: PendingIntake) -> None: ...
    def append_chunks(
        self, document_id: DocumentId, first_chunk_no: int, sealed: Sequence[bytes | memoryview], source_sealed: bytes
    ) -> None:
        """Commit a group of chunks together with the intake's new state."""

    def finish(self, document_id: DocumentId) -> None:
        """Forget the pending state after the register made the document visible."""

    def discard(self, document_id: DocumentId) -> None:
        """Delete all chunks of an intake that was cancelled or refused."""

    def pending(self) -> Sequence[PendingIntake]: ...
    def sweep(self, keep: Sequence[DocumentId]) -> int:
        """Delete chunks that belong to no visible document and no pending intake; return how many documents were swept."""

    def close(self) -> None: ...


class Screen(Protocol):
    """The display that pages are shown on. Any thread; answers within milliseconds."""

    def require_private(self) -> None:
        """Refuse while a program that nobody vouches for could see a page.

        Raises:
            RefusedError: screen.unknown-client, screen.capture-tool, screen.not-answering.
        """

    def selection_owner(self, *, primary: bool) -> tuple[tuple[str, Fact], ...]:
        """Which program owns the clipboard or the primary selection now, as facts (``owner``: ``nobody``); none if it cannot be told."""
