"""Signals, severity, breach reports and their triage.

Rules (DESIGN §5, VECTORS.md):

1. A signal is something observed. Its severity comes from `SEVERITY`; policy may raise it, never lower it.
2. Repeats of a kind by the same person in the joining window join one report; the third of a copy key raises it to 3.
   Signals of different strands (screen, medium, store) join one report too; one that holds all strands counts one step more (ADR 0023).
3. Containment follows from severity and kind: notice, blank, or recall of the check-out.
4. Triage: OPEN → ACKNOWLEDGED → INVESTIGATING → DISPOSED; a disposition needs a finding and a rationale.
5. Nobody triages a report on themselves. The store refuses it too.
6. Facts never carry case text. Say *flag* and *report* until a supervisor decides.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vault.domain.duration import MINUTE_US
from vault.domain.identity import BreachId, CheckOutId, DocumentId, PersonId
from vault.domain.protection import ProtectionStatus
from vault.domain.reason import is_reason
from vault.errors import RefusedError


class SignalKind(enum.Enum):
    """What can be observed by this version. The values are shared with the interface's guard."""

    COPY_KEY = "copy-key"
    CUT_KEY = "cut-key"
    SELECT_ALL_KEY = "select-all-key"
    CONTEXT_MENU = "context-menu"
    DRAG = "drag"
    PRINT_KEY = "print-key"
    SAVE_KEY = "save-key"
    PRINT_SCREEN_KEY = "print-screen-key"
    CLIPBOARD = "clipboard-changed"
    PRIMARY_SELECTION = "primary-selection-changed"
    STORE_OPENED = "store-opened"
    STORE_COPIED = "store-copied"
    STORE_CHANGED = "store-changed"  # moved, linked, deleted or written by somebody else
    CLOCK_SET_BACK = "clock-set-back"
    STORE_TAMPERED = "store-tampered"
    SENSOR_BLIND = "sensor-blind"
    CAPTURE_TOOL = "capture-tool"  # a program known to capture or record the screen runs while a page is shown
    UNKNOWN_SCREEN_CLIENT = "unknown-screen-client"  # a program nobody vouches for connects to the display while a page is shown
    NEW_PICTURE = "new-picture"  # a picture file appears while a page is shown
    SCREEN_CAST = "screen-cast"  # the desktop hands the screen to a program
    REMOTE_SESSION = "remote-session"  # the screen is forwarded or served over the network
    SYNTHETIC_INPUT = "synthetic-input"  # keys or pointer moved by a program
    DISPLAY_ADDED = "display-added"
    MEDIA_MOUNTED = "media-mounted"  # removable or network media while a case file is out
    DEBUGGER = "debugger"  # a process of this application is being traced
    FOREIGN_LIBRARY = "foreign-library"  # code that is not ours is loaded into a process of this application
    HOSTILE_ENVIRONMENT = "hostile-environment"  # the application was started with variables or files that would change what it runs
    VIRTUAL_MACHINE = "virtual-machine"
    BULK_READING = "bulk-reading"
    READING_OUTSIDE_SHIFT = "reading-outside-shift"
    READING_OUTSIDE_ASSIGNMENT = "reading-outside-assignment"
    DECOY_READ = "decoy-read"
    OFF_PREMISES = "off-premises"  # somebody tried to open the vault where no key server of the station answers, and it stayed shut
    PREMISES_LOST = "premises-lost"  # an open session lost the key server for as long as the lease
    RECOVERY_OPENED = "recovery-opened"  # the holders of the recovery slot opened the vault without its key servers
    RECOVERY_REFUSED = "recovery-refused"  # somebody who is not enough holders tried the recovery slot
    POLICY_CHANGED = "policy-changed"  # a supervisor laid another policy of the station; the others look at it
    PREMISES_WEAKENED = "premises-weakened"  # fewer or other key servers suffice from now on; the other supervisors look at it
    PLACE_NOT_APPROVED = "place-not-approved"  # bound to no key server, and the network's evidence fits no approved place
    DESK_KILLED = "desk-killed"  # the vault process ended without closing while a case file was out
    PLACE_FILE_ALTERED = "place-file-altered"  # what the key server's front kept of the vault is gone, older, or none of the vault's
    STARTED_OFF_PREMISES = "started-off-premises"  # the workstation was started or woken where no key server of the station answers


class Severity(enum.IntEnum):
    """1 kept for correlation … 5 keys or bulk plaintext gone (VECTORS.md)."""

    CONTEXT = 1
    AMBIGUOUS = 2
    DELIBERATE = 3
    EXPOSED = 4
    BULK = 5


SEVERITY: Mapping[SignalKind, Severity] = {
    SignalKind.COPY_KEY: Severity.AMBIGUOUS,
    SignalKind.CUT_KEY: Severity.AMBIGUOUS,
    SignalKind.SELECT_ALL_KEY: Severity.AMBIGUOUS,
    SignalKind.CONTEXT_MENU: Severity.CONTEXT,
    SignalKind.DRAG: Severity.AMBIGUOUS,
    SignalKind.PRINT_KEY: Severity.DELIBERATE,
    SignalKind.SAVE_KEY: Severity.AMBIGUOUS,
    SignalKind.PRINT_SCREEN_KEY: Severity.DELIBERATE,
    SignalKind.CLIPBOARD: Severity.AMBIGUOUS,
    SignalKind.PRIMARY_SELECTION: Severity.CONTEXT,
    SignalKind.STORE_OPENED: Severity.DELIBERATE,
    SignalKind.STORE_COPIED: Severity.EXPOSED,
    SignalKind.STORE_CHANGED: Severity.EXPOSED,
    SignalKind.CLOCK_SET_BACK: Severity.DELIBERATE,
    SignalKind.STORE_TAMPERED: Severity.BULK,
    SignalKind.SENSOR_BLIND: Severity.DELIBERATE,
    SignalKind.CAPTURE_TOOL: Severity.EXPOSED,
    SignalKind.UNKNOWN_SCREEN_CLIENT: Severity.EXPOSED,
    SignalKind.NEW_PICTURE: Severity.DELIBERATE,
    SignalKind.SCREEN_CAST: Severity.EXPOSED,
    SignalKind.REMOTE_SESSION: Severity.EXPOSED,
    SignalKind.SYNTHETIC_INPUT: Severity.DELIBERATE,
    SignalKind.DISPLAY_ADDED: Severity.AMBIGUOUS,
    SignalKind.MEDIA_MOUNTED: Severity.CONTEXT,
    SignalKind.DEBUGGER: Severity.BULK,
    SignalKind.FOREIGN_LIBRARY: Severity.BULK,
    SignalKind.HOSTILE_ENVIRONMENT: Severity.DELIBERATE,
    SignalKind.VIRTUAL_MACHINE: Severity.CONTEXT,
    SignalKind.BULK_READING: Severity.AMBIGUOUS,
    SignalKind.READING_OUTSIDE_SHIFT: Severity.CONTEXT,
    SignalKind.READING_OUTSIDE_ASSIGNMENT: Severity.AMBIGUOUS,
    SignalKind.DECOY_READ: Severity.DELIBERATE,
    SignalKind.OFF_PREMISES: Severity.EXPOSED,
    SignalKind.PREMISES_LOST: Severity.DELIBERATE,
    SignalKind.PLACE_NOT_APPROVED: Severity.DELIBERATE,  # evidence may err, so the case file stays out
    SignalKind.DESK_KILLED: Severity.DELIBERATE,
    SignalKind.PLACE_FILE_ALTERED: Severity.DELIBERATE,
    SignalKind.STARTED_OFF_PREMISES: Severity.DELIBERATE,
    SignalKind.RECOVERY_OPENED: Severity.EXPOSED,
    SignalKind.RECOVERY_REFUSED: Severity.DELIBERATE,
    SignalKind.POLICY_CHANGED: Severity.AMBIGUOUS,
    SignalKind.PREMISES_WEAKENED: Severity.AMBIGUOUS,
}

# Unusual reading: a flag for a supervisor to look at. It contains nothing and tells the officer nothing while they read.
READING_FLAGS = frozenset(
    {
        SignalKind.BULK_READING,
        SignalKind.READING_OUTSIDE_SHIFT,
        SignalKind.READING_OUTSIDE_ASSIGNMENT,
        SignalKind.DECOY_READ,
    }
)

# What the holder of a check-out did to a page, or somebody to the vault while it was on screen; the rest says nothing about copying.
COPY_ATTEMPTS = (
    frozenset(SignalKind)
    - READING_FLAGS
    - {
        SignalKind.CLOCK_SET_BACK,
        SignalKind.SENSOR_BLIND,
        SignalKind.STORE_TAMPERED,
        SignalKind.DISPLAY_ADDED,
        SignalKind.MEDIA_MOUNTED,
        SignalKind.HOSTILE_ENVIRONMENT,
        SignalKind.VIRTUAL_MACHINE,
        SignalKind.OFF_PREMISES,
        SignalKind.PREMISES_LOST,
        SignalKind.PLACE_NOT_APPROVED,
        SignalKind.DESK_KILLED,
        SignalKind.PLACE_FILE_ALTERED,
        SignalKind.STARTED_OFF_PREMISES,
        SignalKind.RECOVERY_OPENED,
        SignalKind.RECOVERY_REFUSED,
        SignalKind.POLICY_CHANGED,
        SignalKind.PREMISES_WEAKENED,
    }
)

JOINING_WINDOW_US = 10 * MINUTE_US
REPEATS_THAT_RAISE = 3

# Sights of one act join one report, which takes the higher severity: a foreign copy of the vault is first seen as an opening, a capture as
# a new client of the display, a tool that starts and a picture that appears.
FAMILY: Mapping[SignalKind, SignalKind] = {
    SignalKind.STORE_OPENED: SignalKind.STORE_COPIED,
    SignalKind.UNKNOWN_SCREEN_CLIENT: SignalKind.CAPTURE_TOOL,
    SignalKind.NEW_PICTURE: SignalKind.CAPTURE_TOOL,
    SignalKind.SCREEN_CAST: SignalKind.CAPTURE_TOOL,
}


class Strand(enum.Enum):
    """What carrying a case file out needs: a sight of the page, the vault's files, something to carry them on (ADR 0023)."""

    SCREEN = "screen"
    MEDIUM = "medium"
    STORE = "store"


# Each of them may be somebody's other work; all three within the joining window seldom are (VECTORS: V22 + V61 + V50).
STRAND: Mapping[SignalKind, Strand] = {
    SignalKind.CAPTURE_TOOL: Strand.SCREEN,
    SignalKind.UNKNOWN_SCREEN_CLIENT: Strand.SCREEN,
    SignalKind.NEW_PICTURE: Strand.SCREEN,
    SignalKind.SCREEN_CAST: Strand.SCREEN,
    SignalKind.MEDIA_MOUNTED: Strand.MEDIUM,
    SignalKind.STORE_OPENED: Strand.STORE,
    SignalKind.STORE_COPIED: Strand.STORE,
    SignalKind.STORE_CHANGED: Strand.STORE,
}

# A report keeps the facts of its first hundred signals: one strand does not join where they could crowd it out.
MOST_BEFORE_A_STRAND_JOINS = 50


class Containment(enum.Enum):
    """What is done at once, before anybody decides anything."""

    NONE = "none"
    NOTICE = "notice"  # a bar over the page: what was blocked, and the report number
    BLANK = "blank"  # the page goes; the officer reads the notice and carries on
    RECALL = "recall"  # the page goes and the case file returns to the vault


@dataclass(frozen=True, slots=True)
class Signal:
    """Something observed, with the facts that matter. `facts` hold process names, ids and counts, never content."""

    kind: SignalKind
    observed_us: int  # UTC microseconds
    facts: tuple[tuple[str, str | int], ...] = ()
    document_id: DocumentId | None = None
    page_no: int = 0


def gone_blind(status: ProtectionStatus, observed_us: int, *more: tuple[str, str | int]) -> Signal:
    """Say that a protection got worse: its state now and why, and what else is known of it."""
    facts = (("protection", status.protection.value), ("state", status.state.value), ("reason", status.reason))
    return Signal(SignalKind.SENSOR_BLIND, observed_us, (*facts, *more))


class TriageState(enum.Enum):
    """Where a report stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    DISPOSED = "disposed"


class Finding(enum.Enum):
    """The finding that closes a report."""

    SUBSTANTIATED = "substantiated"
    UNSUBSTANTIATED = "unsubstantiated"
    FALSE_POSITIVE = "false-positive"
    REFERRED = "referred"  # to professional standards


class TriageAct(enum.Enum):
    """What a supervisor can do with a report."""

    ACKNOWLEDGE = "acknowledge"
    OWN = "own"
    NOTE = "note"
    DISPOSE = "dispose"


@dataclass(frozen=True, slots=True)
class ReportState:
    """The part of a report that rules need."""

    breach_id: BreachId
    kind: SignalKind
    severity: Severity
    state: TriageState
    officer_id: PersonId | None  # None: nobody was signed in
    check_out_id: CheckOutId | None
    owner_id: PersonId | None
    first_us: int
    last_us: int
    count: int


def family(kind: SignalKind) -> SignalKind:
    """The kind a report is filed under."""
    return FAMILY.get(kind, kind)


def severity_of(kind: SignalKind, raised_by_policy: Mapping[str, int], repeats: int) -> Severity:
    """Severity of a signal that has now been seen `repeats` times in the window; policy can only raise it."""
    base = SEVERITY[kind]
    raised = Severity(max(base, min(Severity.BULK, raised_by_policy.get(kind.value, base))))
    if repeats >= REPEATS_THAT_RAISE and raised is Severity.AMBIGUOUS:
        return Severity.DELIBERATE
    return raised


def containment_of(kind: SignalKind, severity: Severity) -> Containment:
    """What is done at once for a signal of this kind and severity while a page is shown."""
    if kind in READING_FLAGS:
        return Containment.NONE
    if severity >= Severity.EXPOSED or kind is SignalKind.STORE_OPENED:
        return Containment.RECALL
    if severity is Severity.DELIBERATE:
        return Containment.BLANK
    if severity is Severity.AMBIGUOUS or kind is SignalKind.CONTEXT_MENU:  # the interface swallowed it: whoever pressed it is told why
        return Containment.NOTICE
    return Containment.NONE


def joinable_kinds(kind: SignalKind) -> tuple[SignalKind, ...]:
    """The kinds a report may be filed under that a signal of this kind can join."""
    return tuple(one for one in SignalKind if family(one) is family(kind) or (kind in STRAND and one in STRAND))


def joins(report: ReportState, kind: SignalKind, officer_id: PersonId | None, observed_us: int) -> bool:
    """Whether a signal belongs to an existing report: same family or another strand, same officer, within the window, not yet disposed.

    Signals come from several sensors and not always in the order they were observed in: the window lies on both sides of what the report
    spans.
    """
    strands = report.kind in STRAND and kind in STRAND and report.count < MOST_BEFORE_A_STRAND_JOINS
    return (
        report.state is not TriageState.DISPOSED
        and (strands or family(report.kind) is family(kind))
        and report.officer_id == officer_id
        and report.first_us - JOINING_WINDOW_US <= observed_us <= report.last_us + JOINING_WINDOW_US
    )


def joined_by(reports: Iterable[ReportState], kind: SignalKind, officer_id: PersonId | None, observed_us: int) -> ReportState | None:
    """The report a signal joins: the first that it belongs to. `reports` come newest first. Reports are never joined with each other."""
    return next((one for one in reports if joins(one, kind, officer_id, observed_us)), None)


def strands_of(kinds: Iterable[SignalKind]) -> tuple[Strand, ...]:
    """The strands among these kinds, in the order of the catalogue."""
    found = {STRAND[kind] for kind in kinds if kind in STRAND}
    return tuple(one for one in Strand if one in found)


def all_strands(kinds: Iterable[SignalKind]) -> bool:
    """Whether every strand is among these kinds."""
    return len(strands_of(kinds)) == len(Strand)


def severity_together(seen: Sequence[SignalKind], raised_by_policy: Mapping[str, int]) -> Severity:
    """Severity of a report that holds these signals: of its gravest, and one step more where every strand is among them.

    The order does not matter, and the step is taken once. A caller that knows an earlier severity of the report never lets it fall.
    """
    often = Counter(map(family, seen))
    gravest = max(severity_of(kind, raised_by_policy, often[family(kind)]) for kind in set(seen))
    return Severity(min(Severity.BULK, gravest + 1)) if all_strands(seen) else gravest


def severity_of_act(seen: Sequence[SignalKind], raised_by_policy: Mapping[str, int]) -> Severity:
    """Severity by which the last of these signals is contained: of its family, and of the whole report once every strand was seen.

    A medium that is mounted beside a graver report is no reason to take the page away; as the third strand it is.
    """
    own = [kind for kind in seen if family(kind) is family(seen[-1])]
    return severity_together(seen if all_strands(seen) else own, raised_by_policy)


def told_to_officer(report: ReportState) -> bool:
    """Whether the officer named may know of a report: of a flag once a supervisor took it up, of a decoy once that report is closed."""
    if report.kind is SignalKind.DECOY_READ:
        return report.state is TriageState.DISPOSED
    return report.kind not in READING_FLAGS or report.state is not TriageState.OPEN


def triage(report: ReportState, act: TriageAct, supervisor: PersonId, finding: Finding | None = None, text: str = "") -> TriageState:
    """Give the state after `act`, or refuse.

    Raises:
        RefusedError: breach.own-report, breach.disposed, breach.acknowledge-first, breach.not-owner, breach.rationale-missing,
            breach.note-empty.
    """
    if report.officer_id == supervisor:
        raise RefusedError("breach.own-report")
    if report.state is TriageState.DISPOSED:
        raise RefusedError("breach.disposed")
    if act is TriageAct.NOTE:
        if not text.strip():
            raise RefusedError("breach.note-empty")
        return report.state
    if act is TriageAct.ACKNOWLEDGE:
        return TriageState.ACKNOWLEDGED if report.state is TriageState.OPEN else report.state
    if act is TriageAct.OWN:
        return TriageState.INVESTIGATING
    return _dispose(report, supervisor, finding, text)


def _dispose(report: ReportState, supervisor: PersonId, finding: Finding | None, text: str) -> TriageState:
    if report.state is TriageState.OPEN:
        raise RefusedError("breach.acknowledge-first")
    if report.owner_id is not None and report.owner_id != supervisor:
        raise RefusedError("breach.not-owner", owner_id=report.owner_id)
    if finding is None or not is_reason(text):
        raise RefusedError("breach.rationale-missing")
    return TriageState.DISPOSED
