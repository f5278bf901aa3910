"""What is told after a commit; `ScreenBlanked` and `PremisesChanged` wait for none. Events carry ids and states; who listens asks on."""

from __future__ import annotations

from dataclasses import dataclass

from vault.domain.custody import ReturnKind
from vault.domain.identity import CaseId, CheckOutId
from vault.domain.protection import ProtectionStatus, TrustLevel
from vault.services.views import BreachNotice, IntakeView


@dataclass(frozen=True, slots=True)
class BreachRecorded:
    """A report was committed. `check_out_id` is the check-out on screen then; `returned` says that containment ended it."""

    notice: BreachNotice
    check_out_id: CheckOutId | None
    returned: bool


@dataclass(frozen=True, slots=True)
class ReportChanged:
    """A supervisor or the officer added to a report."""

    report_no: str


@dataclass(frozen=True, slots=True)
class CustodyChanged:
    """A case file went out, came back or was waited for."""

    case_id: CaseId
    check_out_id: CheckOutId | None
    ended: ReturnKind | None


@dataclass(frozen=True, slots=True)
class RegisterChanged:
    """A case, grant, person or unit changed."""


@dataclass(frozen=True, slots=True)
class IntakeMoved:
    """An intake made progress. `intake.files` are those that changed since it was told before: all of them once, when they are known."""

    intake: IntakeView


@dataclass(frozen=True, slots=True)
class VerificationMoved:
    """The verification of the audit trail somebody asked for has followed `entries` of the `of` there were at its start."""

    entries: int
    of: int


@dataclass(frozen=True, slots=True)
class ProtectionsChanged:
    """A protection's state changed; `trust` is the workstation's level now."""

    protections: tuple[ProtectionStatus, ...]
    trust: TrustLevel = TrustLevel.FULL


@dataclass(frozen=True, slots=True)
class LockRequired:
    """The session must lock now: the interface blanks at once and asks for the lock."""

    reason: str  # idle, screen-lock, suspend, user-switch, session-end, tamper, guesses


@dataclass(frozen=True, slots=True)
class ScreenBlanked:
    """The page on screen must be covered before anything else is done, or may be seen again. The one event that does not wait for a
    commit: a picture of the screen is taken in milliseconds. The report, and what follows from it, come after."""

    blanked: bool


@dataclass(frozen=True, slots=True)
class PremisesChanged:
    """The key servers stopped answering, or answer again. `locks_in_seconds`: what is left of the lease when they do not, 0 else."""

    lost: bool
    locks_in_seconds: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The vault process answers."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The control thread is alive; sent every second."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The vault process is about to end, and why: locked, signed-out, premises-lost."""

    reason: str


Event = (
    Opened
    | Tick
    | Ending
    | BreachRecorded
    | ReportChanged
    | CustodyChanged
    | RegisterChanged
    | IntakeMoved
    | VerificationMoved
    | ProtectionsChanged
    | LockRequired
    | ScreenBlanked
    | PremisesChanged
)
