"""Small true-looking rows for the store's tests: ids, people, cases, grants, check-outs, reports. All synthetic."""

from __future__ import annotations

import functools
import itertools
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from vault.domain.access import Effect, GranteeKind, GrantTerms
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import ReportState, Severity, SignalKind, TriageState
from vault.domain.custody import CheckOut, Purpose
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
from vault.secret import Secret
from vault.services.ports import BreachNoteRow, BreachRow, CaseRow, DocumentRow, GrantRow, PendingIntake, PersonRow, SessionRow, UnitRow
from vault.storage.content import SqlCipherContentStore
from vault.storage.sqlcipher import SqlCipherStore

KEY = Secret(bytes(range(32)))
VAULT = VaultId("a0" * 16)
DESK = WorkstationId("de" * 16)
FIRST_US = 1_767_225_600_000_000  # 2026-01-01 00:00 UTC


class SteppingClock:
    """Goes on by a microsecond a look, and by `step_us` when told."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self.offset_us = 0

    def now_us(self) -> int:
        return FIRST_US + self.offset_us + next(self._ticks)

    def boot_us(self) -> int:
        return 1_000_000 + next(self._ticks)


class RealClock:
    """The machine's clocks, for the measurements."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def boot_us(self) -> int:
        return time.monotonic_ns() // 1000


def hexed(kind: str, number: int) -> str:
    """An id that says in a failing test's output what it names."""
    return f"{kind.encode().hex()[:8]:0<8}{number:024x}"


def a_person(number: int) -> PersonId:
    return PersonId(hexed("pers", number))


def a_unit(number: int) -> UnitId:
    return UnitId(hexed("unit", number))


def a_case(number: int) -> CaseId:
    return CaseId(hexed("case", number))


def draft(kind: AuditKind = AuditKind.PAGE_VIEWED, **more: object) -> AuditDraft:
    return replace(AuditDraft(kind), **more)  # type: ignore[arg-type]


def person_row(number: int, role: Role = Role.OFFICER) -> PersonRow:
    return PersonRow(
        person_id=a_person(number),
        badge_no=f"pc{number}",
        name=f"Person {number}",
        role=role,
        unit_id=a_unit(1),
        state=PersonState.PENDING,
        kem_public=b"kem",
        sign_public=b"sign",
        slot=b"slot",
        enrolled_us=FIRST_US + number,
        administrator_id=a_person(900),
        administrator_signature=b"signed",
    )


def unit_row(number: int) -> UnitRow:
    return UnitRow(a_unit(number), f"Unit {number}", UnitKind.TEAM, b"kem", a_person(901), b"signed")


def case_row(number: int, registered_us: int | None = None) -> CaseRow:
    return CaseRow(
        case_id=a_case(number),
        number_blind=b"blind-%d" % number,
        card_sealed=b"card-%d" % number,
        label_sealed=b"label-%d" % number,
        registered_us=FIRST_US + number if registered_us is None else registered_us,
        registered_by=a_person(902),
    )


def grant_row(
    number: int,
    case_id: CaseId,
    grantee_id: PersonId | UnitId,
    kind: GranteeKind = GranteeKind.PERSON,
    effect: Effect = Effect.ALLOW,
    granted_us: int = FIRST_US,
) -> GrantRow:
    terms = GrantTerms(
        grant_id=GrantId(hexed("gran", number)),
        case_id=case_id,
        effect=effect,
        grantee_kind=kind,
        grantee_id=grantee_id,
        from_us=FIRST_US,
        until_us=0,
        granted_by=a_person(902),
        granted_us=granted_us,
    )
    return GrantRow(terms, b"key-%d" % number, b"reason", b"signed")


def document_row(number: int, case_id: CaseId) -> DocumentRow:
    return DocumentRow(DocumentId(hexed("docu", number)), case_id, b"card", b"salt", 3, 700_000)


def check_out_row(number: int, case_id: CaseId, holder: PersonId, due_back_us: int = FIRST_US + 8 * 3_600_000_000) -> CheckOut:
    return CheckOut(
        check_out_id=CheckOutId(hexed("chec", number)),
        check_out_no=0,
        case_id=case_id,
        holder_id=holder,
        workstation_id=DESK,
        purpose=Purpose.ASSIGNED,
        flagged=False,
        taken_us=FIRST_US + number,
        due_back_us=due_back_us,
    )


def session_row(number: int, person: PersonId, desk: WorkstationId = DESK) -> SessionRow:
    return SessionRow(SessionId(hexed("sess", number)), person, desk, FIRST_US + number)


def breach_row(
    number: int,
    officer: PersonId | None,
    severity: Severity = Severity.AMBIGUOUS,
    kind: SignalKind = SignalKind.COPY_KEY,
    check_out_id: CheckOutId | None = None,
    first_us: int = FIRST_US,
) -> BreachRow:
    state = ReportState(
        breach_id=BreachId(hexed("brea", number)),
        kind=kind,
        severity=severity,
        state=TriageState.OPEN,
        officer_id=officer,
        check_out_id=check_out_id,
        owner_id=None,
        first_us=first_us + number,
        last_us=first_us + number,
        count=1,
    )
    return BreachRow(state, "", DESK, a_case(1), (b"facts-%d" % number,), 250)


def note_row(breach_id: BreachId, author: PersonId, kind: str = "note") -> BreachNoteRow:
    return BreachNoteRow(breach_id, FIRST_US + 5, author, kind, b"sealed")


def intake(number: int, chunk_count: int = 8) -> PendingIntake:
    return PendingIntake(DocumentId(hexed("docu", number)), a_case(1), b"salt", chunk_count, 0, b"source-0", FIRST_US + number)


@functools.cache
def _founded(name: str) -> bytes:
    """A new file's bytes, made once a test run: migrations take a fifth of a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name == "register.db":
            SqlCipherStore.create(path, KEY, VAULT, DESK, SteppingClock()).close()
        else:
            SqlCipherContentStore.create(path, KEY, VAULT, SteppingClock()).close()
        return path.read_bytes()


def new_register(folder: Path, clock: SteppingClock | RealClock | None = None) -> SqlCipherStore:
    """A new register in `folder`."""
    path = folder / "register.db"
    path.write_bytes(_founded("register.db"))
    return SqlCipherStore.open(path, KEY, DESK, clock or SteppingClock())


def new_contents(folder: Path) -> SqlCipherContentStore:
    """A new content store in `folder`."""
    path = folder / "content.db"
    path.write_bytes(_founded("content.db"))
    return SqlCipherContentStore.open(path, KEY)
