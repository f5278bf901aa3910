"""Need-to-know: who may see a case file, decided from grants, and explained in the same breath.

Rules, in the order they are asked:

1. An administrator and an auditor never see a case, whatever was granted.
2. A deny in force for the person or one of the person's units wins over every allow.
3. An allow in force for the person or one of the units gives sight of the case.
4. Nothing else does. Supervisors have no standing sight of anything.

A grant is in force from `from_us` (included) until `until_us` (excluded; 0 = no end) unless it was removed.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from vault.domain.identity import CaseId, GrantId, PersonId, Role, UnitId

ROLES_WITHOUT_CASES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


class Effect(enum.Enum):
    """What a grant does."""

    ALLOW = "allow"
    DENY = "deny"


class GranteeKind(enum.Enum):
    """To whom."""

    PERSON = "person"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """The part of a grant the rule needs; the sealed key and the signature travel beside it."""

    grant_id: GrantId
    case_id: CaseId
    effect: Effect
    grantee_kind: GranteeKind
    grantee_id: str  # PersonId or UnitId, by grantee_kind
    from_us: int
    until_us: int  # 0 = no end
    granted_by: PersonId
    granted_us: int
    removed_us: int = 0  # 0 = stands

    def idle_because(self, now_us: int) -> ReasonCode | None:
        """Why it is not in force at a moment; None where it is."""
        if self.removed_us:
            return ReasonCode.REMOVED
        if now_us < self.from_us:
            return ReasonCode.NOT_YET
        if self.until_us and now_us >= self.until_us:
            return ReasonCode.ENDED
        return None


class ReasonCode(enum.Enum):
    """Why a decision came out as it did; the interface has a sentence for each."""

    ROLE_NEVER = "access.role-never"
    DENIED_TO_PERSON = "access.denied-to-person"
    DENIED_TO_UNIT = "access.denied-to-unit"
    GRANTED_TO_PERSON = "access.granted-to-person"
    GRANTED_TO_UNIT = "access.granted-to-unit"
    NOT_YET = "access.not-yet"
    ENDED = "access.ended"
    REMOVED = "access.removed"
    NO_GRANT = "access.no-grant"


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation."""

    code: ReasonCode
    decisive: bool
    grant_id: GrantId | None = None
    unit_id: UnitId | None = None
    granted_by: PersonId | None = None
    from_us: int = 0
    until_us: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a person may see a case file, and every reason that was weighed, decisive ones first."""

    allowed: bool
    reasons: tuple[Reason, ...]


def decide(person_id: PersonId, role: Role, unit_ids: Sequence[UnitId], grants: Sequence[GrantTerms], now_us: int) -> Decision:
    """Decide need-to-know for one case and explain it.

    Args:
        person_id: who asks.
        role: that person's role.
        unit_ids: the units the person belongs to now.
        grants: every grant of this case, in force or not; others' grants are ignored.
        now_us: UTC microseconds.
    Returns:
        Decision: at least one reason, the decisive one first.
    """
    if role in ROLES_WITHOUT_CASES:
        return Decision(allowed=False, reasons=(Reason(ReasonCode.ROLE_NEVER, decisive=True),))
    weighed = [_weigh(grant, now_us) for grant in grants if _concerns(grant, person_id, unit_ids)]
    denies = [reason for reason in weighed if reason.code in (ReasonCode.DENIED_TO_PERSON, ReasonCode.DENIED_TO_UNIT)]
    allows = [reason for reason in weighed if reason.code in (ReasonCode.GRANTED_TO_PERSON, ReasonCode.GRANTED_TO_UNIT)]
    decisive = denies or allows
    rest = [reason for reason in weighed if reason not in decisive]
    if not decisive:
        return Decision(allowed=False, reasons=(Reason(ReasonCode.NO_GRANT, decisive=True), *rest))
    marked = tuple(Reason(r.code, True, r.grant_id, r.unit_id, r.granted_by, r.from_us, r.until_us) for r in decisive)
    return Decision(allowed=not denies, reasons=(*marked, *rest))


def _concerns(grant: GrantTerms, person_id: PersonId, unit_ids: Sequence[UnitId]) -> bool:
    if grant.grantee_kind is GranteeKind.PERSON:
        return grant.grantee_id == person_id
    return grant.grantee_id in unit_ids


def _weigh(grant: GrantTerms, now_us: int) -> Reason:
    in_force = {
        (Effect.DENY, GranteeKind.PERSON): ReasonCode.DENIED_TO_PERSON,
        (Effect.DENY, GranteeKind.UNIT): ReasonCode.DENIED_TO_UNIT,
        (Effect.ALLOW, GranteeKind.PERSON): ReasonCode.GRANTED_TO_PERSON,
        (Effect.ALLOW, GranteeKind.UNIT): ReasonCode.GRANTED_TO_UNIT,
    }[grant.effect, grant.grantee_kind]
    code = grant.idle_because(now_us) or in_force
    unit_id = UnitId(grant.grantee_id) if grant.grantee_kind is GranteeKind.UNIT else None
    return Reason(code, False, grant.grant_id, unit_id, grant.granted_by, grant.from_us, grant.until_us)
