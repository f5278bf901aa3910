"""What the interface is told: small frozen values, names resolved, content never.

Case titles and names of persons are here because lists show them; document text, bytes, keys and paths are not. Times are UTC
microseconds; 0 means "not".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vault.domain.access import Effect, GranteeKind
from vault.domain.breach import Containment, Finding, Severity, SignalKind, TriageState
from vault.domain.casefile import NOTHING_UNSHOWN, DocumentKind, Marking, Unshown
from vault.domain.custody import CheckInStatement, Purpose, ReturnKind
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
)
from vault.domain.protection import ProtectionStatus, TrustLevel
from vault.secret import Passphrase

# ---- people ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonBrief:
    """A person as the interface names them: never a name alone."""

    person_id: PersonId
    name: str
    badge_no: str
    unit_name: str
    role: Role


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A row of the people list."""

    person: PersonBrief
    state: PersonState
    enrolled_us: int
    enrolled_by: PersonBrief | None
    cosigned_by: PersonBrief | None


@dataclass(frozen=True, slots=True)
class AccommodationLine:
    """Whose assistive technology may have the text of the page on screen. Supervisors only."""

    act_id: str
    person: PersonBrief
    from_us: int
    until_us: int
    reason: str
    granted_by: PersonBrief
    granted_us: int


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit and its members."""

    unit_id: UnitId
    name: str
    kind: UnitKind
    members: tuple[PersonBrief, ...]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a newly enrolled person needs once: the second factor to scan. Shown, never stored by the interface."""

    person_id: PersonId
    badge_no: str
    name: str
    provisioning_uri: str  # otpauth://totp/…
    qr_rows: tuple[str, ...]  # the QR code, one string of 0 and 1 a row, quiet zone included


# ---- unusual reading ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One published rule of unusual reading. Its words: ``reading_rules.rule.<rule_id>`` in the strings."""

    rule_id: str
    version: int
    signal: SignalKind
    thresholds: tuple[tuple[str, int], ...]  # this station's
    false_flags: int  # about ordinary readers, in so many simulated shifts and page views
    shifts: int
    pages: int


@dataclass(frozen=True, slots=True)
class DecoyLine:
    """A case that nobody has a reason to read. Supervisors only."""

    mark: str
    case_label: str
    reason: str
    marked_by: PersonBrief
    marked_us: int


# ---- session -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StationView:
    """What may be shown before anyone signs in."""

    founded: bool
    station_name: str
    workstation_name: str
    locked_person: PersonBrief | None  # whose session waits behind the lock; None: sign in with badge, passphrase and code
    protections: tuple[ProtectionStatus, ...]
    unfinished: bool = False  # not founded, and a founding was begun that did not come to its end


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An open session."""

    session_id: SessionId
    person: PersonBrief
    station_name: str
    workstation_name: str
    idle_lock_seconds: int
    session_ends_us: int
    last_signed_in_us: int
    protections: tuple[ProtectionStatus, ...]
    trust: TrustLevel = TrustLevel.FULL  # the workstation's
    accommodated_until_us: int = 0  # page text may be had for assistive technology until then; 0: not


@dataclass(frozen=True, slots=True)
class Founder:
    """One of the three people a vault is founded with."""

    badge_no: str
    name: str
    passphrase: Passphrase


# ---- cases -------------------------------------------------------------------------------------------------------------------------


class CaseStatus(enum.Enum):
    """Where a case file is."""

    IN_VAULT = "in-vault"
    YOURS = "yours"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A row of the case register."""

    case_id: CaseId
    rms_number: str
    title: str
    case_type: str
    marking: Marking
    officer_in_charge: PersonBrief | None
    unit_name: str
    persons: tuple[str, ...]
    tags: tuple[str, ...]
    status: CaseStatus
    holder: PersonBrief | None
    due_back_us: int
    you_wait: bool


@dataclass(frozen=True, slots=True)
class CasesPage:
    """Up to `limit` rows; `next_anchor` is empty on the last page."""

    lines: tuple[CaseLine, ...]
    next_anchor: str
    total: int  # cases granted to the asker; for a search, the matches found


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document of a case file."""

    document_id: DocumentId
    title: str
    kind: DocumentKind
    page_count: int
    size_bytes: int
    taken_in_us: int
    sha256: str
    unshown: Unshown = NOTHING_UNSHOWN


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant of a case, in force or not."""

    grant_id: GrantId
    effect: Effect
    grantee_kind: GranteeKind
    grantee_name: str  # person with badge, or unit
    reason: str
    from_us: int
    until_us: int
    granted_by: PersonBrief | None
    removed_us: int


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """One period of custody in a case's history."""

    check_out_no: int
    holder: PersonBrief
    purpose: Purpose
    flagged: bool
    taken_us: int
    due_back_us: int
    returned_us: int
    return_kind: ReturnKind | None


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """What the inspector shows of a case."""

    line: CaseLine
    documents: tuple[DocumentLine, ...]
    grants: tuple[GrantLine, ...]
    custody: tuple[CustodyLine, ...]
    waiting: tuple[PersonBrief, ...]
    may_grant: bool
    may_take_in: bool


@dataclass(frozen=True, slots=True)
class ExplanationLine:
    """One weighed reason; `code` picks the sentence."""

    code: str  # a ReasonCode value
    decisive: bool
    unit_name: str
    granted_by: PersonBrief | None
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a person can or cannot see a case file."""

    person: PersonBrief
    rms_number: str
    allowed: bool
    lines: tuple[ExplanationLine, ...]


# ---- custody and reading -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """A case file I hold."""

    check_out_id: CheckOutId
    check_out_no: int
    case: CaseLine
    purpose: Purpose
    taken_us: int
    due_back_us: int
    recalled_us: int
    last_document_title: str  # "" before the first page
    last_page_no: int


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A case file I wait for."""

    case: CaseLine
    since_us: int
    place: int  # 1 = next


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """A case file I returned lately, or that was returned for me."""

    case: CaseLine
    check_out_no: int
    returned_us: int
    return_kind: ReturnKind


@dataclass(frozen=True, slots=True)
class DeskView:
    """My desk."""

    holding: tuple[HoldingLine, ...]
    waiting: tuple[WaitingLine, ...]
    returned: tuple[ReturnedLine, ...]
    my_open_reports: int


@dataclass(frozen=True, slots=True)
class CheckOutChoices:
    """What the check-out sheet offers: numbered purposes, due back."""

    case: CaseLine
    purposes: tuple[Purpose, ...]
    due_back_us: int  # the default
    due_back_latest_us: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A case file opened for reading."""

    holding: HoldingLine
    documents: tuple[DocumentLine, ...]
    last_document_id: DocumentId | None
    pages_viewed: tuple[tuple[DocumentId, tuple[int, ...]], ...]  # pages seen in this check-out, by document
    fence_percent: int = 0  # pages are shown a band of that height at a time; 0: whole
    least_trust: TrustLevel = TrustLevel.LOW  # below it no page of the file is shown on this workstation


@dataclass(frozen=True, slots=True)
class PageImage:
    """A marked page picture in the shared page memory: BGRx, 8 bits a channel (QImage.Format_RGB32)."""

    document_id: DocumentId
    page_no: int
    slot: int
    width_px: int
    height_px: int
    stride_bytes: int
    width_pt: float  # of the page, unrotated
    height_pt: float
    rotation: int  # 0, 90, 180, 270
    audit_seq: int  # the entry that recorded this view before it was shown
    timings_us: tuple[tuple[str, int], ...]  # audit, render: for the breakdown
    veil_of_px: tuple[int, int] | None = None  # fenced: the picture is a veil of a page of that size; `Reading.show_band` gives bands


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of the page on screen, for the assistive technology of an officer who was granted that. Empty for a picture."""

    document_id: DocumentId
    page_no: int
    text: str


@dataclass(frozen=True, slots=True)
class BandImage:
    """One band of the fenced page on screen, in the shared page memory as a `PageImage` is."""

    document_id: DocumentId
    page_no: int
    slot: int
    width_px: int
    height_px: int
    stride_bytes: int
    left_px: int  # where it lies in the page
    top_px: int


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """The page the worker holds ready, unmarked and undisclosed: which one, and nothing of it."""

    document_id: DocumentId
    page_no: int


@dataclass(frozen=True, slots=True)
class FindHit:
    """Where a find matched: fractions 0…1 of the unrotated page."""

    page_no: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class FindResult:
    """Matches of a stretch of pages. `next_page` continues the find; 0 when it is complete."""

    hits: tuple[FindHit, ...]
    next_page: int
    unsearched: tuple[int, ...] = ()  # pages of the stretch that could not be searched, or not to their end


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """The statement that was attested."""

    check_out_no: int
    statement: CheckInStatement


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A strip of the custody board."""

    check_out_id: CheckOutId
    check_out_no: int
    case_label: str  # the case number
    holder: PersonBrief
    workstation_name: str
    purpose: Purpose
    flagged: bool
    taken_us: int
    due_back_us: int
    recalled_us: int
    overdue: bool


# ---- intake ------------------------------------------------------------------------------------------------------------------------


class FileState(enum.Enum):
    """Where a file of an intake stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PRESENT = "present"  # the case has it already: the same name, size and SHA-256
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class IntakeFile:
    """One file of an intake."""

    file_no: int  # 1-based
    name: str
    size_bytes: int
    done_bytes: int
    state: FileState
    reason: str  # error code when refused
    page_count: int
    unshown: Unshown = NOTHING_UNSHOWN


@dataclass(frozen=True, slots=True)
class IntakeView:
    """An intake as a whole. While it is looking for files it has none; with a `reason` it ended there."""

    intake_no: int
    case_id: CaseId
    files: tuple[IntakeFile, ...]
    done_bytes: int
    total_bytes: int
    finished: bool
    looking: bool = False  # folders are walked still: how many files and bytes there are is not known
    reason: str = ""  # error code when nothing can be taken in: intake.nothing, intake.too-many


# ---- breaches and audit ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BreachNotice:
    """What the officer is told at once: what was noticed and that it was recorded."""

    breach_id: BreachId
    report_no: str
    kind: SignalKind
    severity: Severity
    containment: Containment
    joined: bool  # added to an earlier report
    detection_ms: int
    raised_together: bool = False  # the report holds every strand (ADR 0023), and counts one step more for it


@dataclass(frozen=True, slots=True)
class MyReport:
    """A report about the asker, as they may see it."""

    breach_id: BreachId
    report_no: str
    kind: SignalKind
    severity: Severity
    state: TriageState
    first_us: int
    count: int
    account_given: bool
    finding: Finding | None
    seen: tuple[SignalKind, ...] = ()  # the kinds of its signals, each at most as often as it weighs; (): `kind` alone


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A row of the breach queue."""

    breach_id: BreachId
    report_no: str
    kind: SignalKind
    severity: Severity
    state: TriageState
    officer: PersonBrief | None
    workstation_name: str
    first_us: int
    last_us: int
    count: int
    owner: PersonBrief | None
    on_you: bool  # the report is on the asker: it can be seen in the queue, and not touched
    seen: tuple[SignalKind, ...] = ()  # the kinds of its signals, each at most as often as it weighs; (): `kind` alone


@dataclass(frozen=True, slots=True)
class ReportFact:
    """One signal of a report with what was known at that moment."""

    at_us: int
    kind: SignalKind
    case_label: str
    document_title: str
    page_no: int
    check_out_no: int
    containment: Containment
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReportNote:
    """A line of a report's timeline."""

    at_us: int
    author: PersonBrief
    kind: str  # note, rationale, account
    text: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A breach report as a supervisor reads it."""

    line: ReportLine
    facts: tuple[ReportFact, ...]
    notes: tuple[ReportNote, ...]
    detection_ms: int
    acknowledged_us: int
    disposed_us: int
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class KeyServerTest:
    """What came of asking a key server to prove itself: `code` is empty, or of what is wrong."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A row of the audit trail."""

    seq: int
    at_us: int
    kind: str
    actor: PersonBrief | None
    case_label: str  # the case number if the asker may know it, otherwise a short form of the opaque id
    case_id: str
    document_id: str
    page_no: int
    outcome: str
    facts: tuple[tuple[str, str], ...]
    entry_hash: str  # hexadecimal


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. `next_before_seq` is 0 on the last page."""

    lines: tuple[AuditLine, ...]
    next_before_seq: int
    head_seq: int


@dataclass(frozen=True, slots=True)
class TraceView:
    """What a picture was traced to. Scores are in hundredths; without `named` the rest is empty."""

    named: bool
    score: int
    threshold: int
    views: int  # how many page views were compared
    audit_seq: int = 0
    at_us: int = 0
    officer: PersonBrief | None = None
    workstation_name: str = ""
    case_label: str = ""  # the case number for a supervisor, an opaque reference for an auditor
    document_id: str = ""
    page_no: int = 0
    check_out_id: str = ""


@dataclass(frozen=True, slots=True)
class ChainLine:
    """The chain's state as one line."""

    holds: bool
    entries: int
    bad_seq: int
    reason: str
    verified_us: int
    checkpoints: int
    witnessed_seq: int
    signatures: int = 0  # of custody acts, that hold
    sealed_statements: int = 0  # attested statements whose signature is sealed with their case: not verified
