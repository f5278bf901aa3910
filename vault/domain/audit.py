"""The audit trail: what an entry is, how entries chain, and how a stretch of them is signed.

Rules:

- An entry is a fixed row of integers and strings. Its canonical form is a JSON array in the field order of `AuditEntry`, ASCII only,
  no spaces: one entry has exactly one form.
- Chain: ``hash_n = SHA-256(0x02 || hash_(n-1) || canonical_n)``, ``hash_0`` is 32 zero bytes (DESIGN §7).
- Checkpoint: the RFC 6962 Merkle tree over the canonical entries (leaf 0x00, node 0x01), signed by the workstation's key.
- Facts carry ids, counts and codes, never a name, a title or content (CJIS AU-3(3), C18).
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii

from vault.domain.identity import CaseId, DocumentId, PersonId, SessionId, WorkstationId

FIRST_HASH = bytes(32)

_text: Callable[[str], str] = encode_basestring_ascii  # a string as JSON in ASCII
_CHAINED = hashlib.sha256(b"\x02")  # copied for each entry: asking OpenSSL for the algorithm again costs as much as the hash


class AuditKind(enum.Enum):
    """Every act the trail can hold."""

    VAULT_FOUNDED = "vault.founded"
    VAULT_OPENED = "vault.opened"
    VAULT_SWEPT = "vault.swept"  # remains of an interrupted intake removed at opening
    CLOCK_SET_BACK = "clock.set-back"
    PROTECTIONS = "protections.stated"
    TRUST_CHANGED = "protections.trust-changed"
    SIGNED_IN = "session.signed-in"
    SIGN_IN_FAILED = "session.sign-in-failed"
    LOCKED_OUT = "session.locked-out"
    LOCKED = "session.locked"
    UNLOCKED = "session.unlocked"
    SIGNED_OUT = "session.signed-out"
    PREMISES_BOUND = "premises.bound"
    PREMISES_UNBOUND = "premises.unbound"
    POLICY_CHANGED = "policy.changed"  # in force from the next opening
    RECOVERY_PROPOSED = "recovery.proposed"  # an administrator asked for these holders
    RECOVERY_ENROLLED = "recovery.enrolled"  # a supervisor agreed
    RECOVERY_OPENED = "recovery.opened"
    PERSON_ENROLLED = "person.enrolled"
    PERSON_COSIGNED = "person.cosigned"
    PERSON_RELEASED = "person.released"
    PERSON_DISABLED = "person.disabled"
    PERSON_RESEALED = "person.passphrase-changed"  # their own, by themselves
    FACTOR_RENEWED = "person.factor-renewed"  # another second factor is in force, the one before is dead
    ACCOMMODATION_GRANTED = "accommodation.granted"
    ACCOMMODATION_REMOVED = "accommodation.removed"
    UNIT_CREATED = "unit.created"
    UNIT_JOINED = "unit.joined"
    CASE_REGISTERED = "case.registered"
    CASE_READ = "case.read"  # its details, not its pages
    CASES_SEARCHED = "case.searched"
    GRANT_MADE = "grant.made"
    GRANT_REMOVED = "grant.removed"
    ACCESS_REFUSED = "access.refused"
    DOCUMENT_TAKEN_IN = "document.taken-in"
    DOCUMENT_REFUSED = "document.refused"
    INTAKE_CANCELLED = "document.intake-cancelled"
    CHECKED_OUT = "custody.checked-out"
    CHECKED_IN = "custody.checked-in"
    HANDED_OVER = "custody.handed-over"
    RECALLED = "custody.recalled"
    FORCED_RETURN = "custody.forced-return"
    EXPIRED = "custody.expired"
    CONTAINED = "custody.contained"
    WITHDRAWN = "custody.withdrawn"
    BOARD_READ = "custody.board-read"
    WAITING = "custody.waiting"
    WAIT_ENDED = "custody.wait-ended"
    CUSTODY_REFUSED = "custody.refused"
    PAGE_VIEWED = "page.viewed"
    PAGE_LEFT = "page.left"
    PAGE_TEXT_SENT = "page.text-sent"  # to assistive technology, under an accommodation
    PAGE_REFUSED = "page.refused"
    FIND_RAN = "document.searched"
    DECOY_MARKED = "decoy.marked"
    DECOY_REMOVED = "decoy.removed"
    BREACH_RECORDED = "breach.recorded"
    BREACH_JOINED = "breach.joined"
    BREACH_ACKNOWLEDGED = "breach.acknowledged"
    BREACH_OWNED = "breach.owned"
    BREACH_NOTED = "breach.noted"
    BREACH_DISPOSED = "breach.disposed"
    BREACH_ACCOUNT = "breach.account-given"
    BREACH_READ = "breach.read"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFIED = "audit.verified"
    TRACE_ASKED = "trace.asked"


class Outcome(enum.Enum):
    """How the act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """What a service says about an act; the store adds place in the chain when it commits."""

    kind: AuditKind
    actor_id: PersonId | None = None
    session_id: SessionId | None = None
    case_id: CaseId | None = None
    document_id: DocumentId | None = None
    page_no: int = 0  # 1-based; 0 where no page is meant
    outcome: Outcome = Outcome.DONE
    facts: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One committed link of the chain. `entry_hash` is over all the others and the hash before."""

    seq: int  # 1-based, without gaps
    at_us: int  # UTC microseconds by the wall clock
    boot_us: int  # microseconds of the boot clock, which nobody can set back
    workstation_id: WorkstationId
    kind: str
    actor_id: str
    session_id: str
    case_id: str
    document_id: str
    page_no: int
    outcome: str
    facts: str  # canonical JSON array of [name, value] pairs
    entry_hash: bytes = field(default=FIRST_HASH)


def link(draft: AuditDraft, seq: int, at_us: int, boot_us: int, workstation_id: WorkstationId, previous: bytes) -> AuditEntry:
    """Make the entry that follows the one whose hash is `previous` (32 bytes)."""
    entry, entry_hash = chained(draft, seq, at_us, boot_us, workstation_id, previous)
    return AuditEntry(*[*json.loads(entry), entry_hash])


def chained(draft: AuditDraft, seq: int, at_us: int, boot_us: int, workstation_id: WorkstationId, previous: bytes) -> tuple[str, bytes]:
    """The canonical form, as ASCII text, and the hash of the entry that follows the one whose hash is `previous`."""
    facts = ",".join([f"[{_text(name)},{value if isinstance(value, int) else _text(value)}]" for name, value in draft.facts])
    # A page turn waits for this, and calls are what it costs: `_value_` is `value` without one, and the hash is `chain_hash` written out.
    entry = (
        f"[{seq},{at_us},{boot_us},{_text(workstation_id)},{_text(draft.kind._value_)},{_text(draft.actor_id or '')},"
        f"{_text(draft.session_id or '')},{_text(draft.case_id or '')},{_text(draft.document_id or '')},{draft.page_no},"
        f"{_text(draft.outcome._value_)},{_text(f'[{facts}]')}]"
    )
    digest = _CHAINED.copy()
    digest.update(previous + entry.encode("ascii"))
    return entry, digest.digest()


def canonical(entry: AuditEntry) -> bytes:
    """The one form of an entry that is hashed: everything but the hash itself."""
    return _canonical_json(
        [
            entry.seq, entry.at_us, entry.boot_us, entry.workstation_id, entry.kind, entry.actor_id, entry.session_id,
            entry.case_id, entry.document_id, entry.page_no, entry.outcome, entry.facts,
        ]
    ).encode("ascii")  # fmt: skip


def chain_hash(previous: bytes, canonical_entry: bytes) -> bytes:
    """SHA-256 over the tag 0x02, the hash before and the entry."""
    digest = _CHAINED.copy()
    digest.update(previous + canonical_entry)
    return digest.digest()


class MerkleFrontier:
    """The RFC 6962 tree head over entries appended one by one, in memory logarithmic in their number."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []  # (leaf count, hash), largest first
        self.size = 0

    def append(self, canonical_entry: bytes) -> None:
        """Add one entry as the next leaf."""
        self._peaks.append((1, hashlib.sha256(b"\x00" + canonical_entry).digest()))
        self.size += 1
        while len(self._peaks) > 1 and self._peaks[-1][0] == self._peaks[-2][0]:
            count, right = self._peaks.pop()
            _, left = self._peaks.pop()
            self._peaks.append((2 * count, _node(left, right)))

    def extend(self, canonical_entries: Iterable[bytes]) -> None:
        """Add entries in order."""
        for one in canonical_entries:
            self.append(one)

    def peaks(self) -> tuple[tuple[int, bytes], ...]:
        """The perfect subtrees as (leaf count, hash), largest first: all that is needed to go on later."""
        return tuple(self._peaks)

    @classmethod
    def resumed(cls, peaks: Iterable[tuple[int, bytes]]) -> MerkleFrontier:
        """Go on from `peaks`; the caller compares `root` with a signed one before trusting it."""
        frontier = cls()
        frontier._peaks = list(peaks)
        frontier.size = sum(count for count, _ in frontier._peaks)
        return frontier

    def root(self) -> bytes:
        """The tree head; SHA-256 of nothing when empty (RFC 6962 2.1)."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        head = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            head = _node(peak, head)
        return head


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: up to entry `seq` the trail was this and nothing else."""

    seq: int
    head: bytes
    root: bytes
    at_us: int
    workstation_id: WorkstationId
    signature: bytes = b""

    def statement(self) -> bytes:
        """The bytes the workstation's key signs."""
        return _canonical_json([self.seq, self.head.hex(), self.root.hex(), self.at_us, self.workstation_id]).encode("ascii")


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a verification found. `bad_seq` is the first entry that does not hold, 0 when all hold."""

    entries: int
    bad_seq: int = 0
    reason: str = ""  # "", edited, missing, inserted, reordered, truncated, checkpoint, rolled-back, signature, custody
    checkpoints: int = 0
    witnessed_seq: int = 0
    signatures: int = 0  # of custody acts, that hold
    sealed_statements: int = 0  # attested with a signature that only who may see the case can open

    @property
    def holds(self) -> bool:
        """Whether the chain, its checkpoints and its witness agree."""
        return self.bad_seq == 0 and not self.reason


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _canonical_json(value: object) -> str:
    return _ENCODER.encode(value)
