"""Custody: who answers for a case file now. A check-out is custody without a copy.

Rules (DESIGN §4):

1. One holder per case file at any time. The store enforces it with a unique index; this module says it in words.
2. Reading requires an active check-out by the reader; nobody, supervisors included, sees a page without one.
3. A check-out ends in exactly one way (`ReturnKind`) and is never deleted.
4. Due back is between one minute and the policy's ceiling from now; past it the file returns by itself.
5. Handover is one act: the old check-out ends and the new one begins at the same instant. It leaves the successor an hour
   at least, and never keeps the file out past the ceiling from when it left the vault, however many hands it goes through.
6. Who loses need-to-know while holding a file loses the file: it returns at once (`WITHDRAWN`).
7. The waiting list is the order of asking, shown to everybody concerned; it keeps nobody from a file that is in the vault. A holder cannot
   wait for what they hold.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from vault.domain.duration import HOUR_US, MINUTE_US
from vault.domain.identity import CaseId, CheckOutId, PersonId, WorkstationId
from vault.errors import RefusedError


class Purpose(enum.Enum):
    """Why a case file is checked out. All but OTHER are corroborated by an assignment; OTHER is allowed and flagged."""

    ASSIGNED = "assigned-investigation"
    COURT = "court-preparation"
    REVIEW = "supervisory-review"
    RECORDS = "records-work"
    OTHER = "other"


class ReturnKind(enum.Enum):
    """How a check-out ended."""

    CHECKED_IN = "checked-in"
    HANDED_OVER = "handed-over"
    EXPIRED = "expired"
    FORCED = "forced"
    CONTAINED = "contained"
    WITHDRAWN = "withdrawn"  # the holder may no longer see the case


@dataclass(frozen=True, slots=True)
class CheckOut:
    """One period of custody. `returned_us` is 0 while it is active."""

    check_out_id: CheckOutId
    check_out_no: int  # 1-based, printed in the watermark
    case_id: CaseId
    holder_id: PersonId
    workstation_id: WorkstationId
    purpose: Purpose
    flagged: bool  # the purpose was not corroborated by an assignment
    taken_us: int
    due_back_us: int
    recalled_us: int = 0  # a supervisor asked for the file back
    returned_us: int = 0
    return_kind: ReturnKind | None = None
    returned_by: PersonId | None = None  # None: the vault itself (expiry, containment, a grant that ended)

    @property
    def active(self) -> bool:
        """Whether the file is out."""
        return self.returned_us == 0


@dataclass(frozen=True, slots=True)
class CheckInStatement:
    """What the holder attests at check-in; it writes itself from the audit trail."""

    pages_viewed: int
    documents_viewed: int
    reading_seconds: int
    held_seconds: int
    copy_attempts: int


def require_free(active: CheckOut | None, asker: PersonId) -> None:
    """Refuse a check-out of a file that is out: ``custody.already-yours`` or ``custody.already-checked-out``."""
    if active is None:
        return
    if active.holder_id == asker:
        raise RefusedError("custody.already-yours", check_out_no=active.check_out_no)
    raise RefusedError("custody.already-checked-out", holder_id=active.holder_id, due_back_us=active.due_back_us)


def require_due_back(due_back_us: int, now_us: int, ceiling_hours: int) -> None:
    """Refuse a due-back time less than a minute away (``custody.due-back-past``) or past the ceiling (``custody.due-back-far``)."""
    if due_back_us < now_us + MINUTE_US:
        raise RefusedError("custody.due-back-past")
    if due_back_us > now_us + ceiling_hours * HOUR_US:
        raise RefusedError("custody.due-back-far", ceiling_hours=ceiling_hours)


def due_back_after_hand_over(history: Sequence[CheckOut], check_out: CheckOut, now_us: int, ceiling_hours: int) -> int:
    """When the successor's check-out is due back.

    Args:
        history: every check-out of the case, oldest first.
        check_out: the one that ends now.
        now_us: UTC microseconds, before `check_out.due_back_us`.
        ceiling_hours: of one absence from the vault.
    Returns:
        `check_out.due_back_us` or an hour from now, whichever is later, but not past the ceiling.
    """
    left_us = check_out.taken_us
    for one in reversed(history):
        if one.return_kind is ReturnKind.HANDED_OVER and one.returned_us == left_us:
            left_us = one.taken_us
    return max(check_out.due_back_us, min(now_us + HOUR_US, left_us + ceiling_hours * HOUR_US))


def require_held(check_out: CheckOut | None, reader: PersonId, now_us: int) -> CheckOut:
    """Return the check-out if `reader` holds it now; refuse with ``custody.not-held`` or ``custody.expired``."""
    if check_out is None or not check_out.active or check_out.holder_id != reader:
        raise RefusedError("custody.not-held")
    if expired(check_out, now_us):
        raise RefusedError("custody.expired", due_back_us=check_out.due_back_us)
    return check_out


def expired(check_out: CheckOut, now_us: int) -> bool:
    """Whether an active check-out is past its due-back time."""
    return check_out.active and now_us >= check_out.due_back_us


def purposes_open_to(assigned: bool, supervisor: bool, custodian: bool) -> tuple[Purpose, ...]:
    """The purposes offered for a case, most likely first; the interface numbers them 1…n."""
    offered: list[Purpose] = []
    if assigned:
        offered += [Purpose.ASSIGNED, Purpose.COURT]
    if supervisor:
        offered.append(Purpose.REVIEW)
    if custodian:
        offered.append(Purpose.RECORDS)
    return (*offered, Purpose.OTHER)
