"""Who and where: opaque identifiers, roles, people and units.

Every identifier is 128 random bits in lower-case hexadecimal (32 characters), drawn by `services.ports.Entropy`; it says nothing about
what it names.
"""

from __future__ import annotations

import enum
from typing import NewType

VaultId = NewType("VaultId", str)
WorkstationId = NewType("WorkstationId", str)
PersonId = NewType("PersonId", str)
UnitId = NewType("UnitId", str)
SessionId = NewType("SessionId", str)
CaseId = NewType("CaseId", str)
DocumentId = NewType("DocumentId", str)
GrantId = NewType("GrantId", str)
CheckOutId = NewType("CheckOutId", str)
BreachId = NewType("BreachId", str)


def folded_badge(badge_no: str) -> str:
    """The one form a badge number is kept and looked up in: upper and lower case, and spaces, make no second person."""
    return "".join(badge_no.split()).casefold()


class Role(enum.Enum):
    """What a person may do. One role a person: separation of duties starts with not combining them (NIST AC-5)."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    CUSTODIAN = "custodian"  # records custodian: registers cases, takes documents in, grants
    ADMINISTRATOR = "administrator"  # people and workstation; never a case
    AUDITOR = "auditor"  # reads the audit trail; never a case


class PersonState(enum.Enum):
    """Where an account stands."""

    PENDING = "pending"  # enrolled by an administrator, not yet cosigned by a supervisor
    ACTIVE = "active"
    LOCKED = "locked"  # too many failed sign-ins; a supervisor releases it (CJIS AC-7)
    DISABLED = "disabled"


class UnitKind(enum.Enum):
    """Units are who a case can be granted to together; one of them are the supervisors, to whom breach reports are sealed."""

    TEAM = "team"
    SUPERVISORS = "supervisors"
    RECORDS = "records"
