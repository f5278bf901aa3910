"""People, units and sign-in: the directory half of the register.

Rules the engine keeps: a badge number and a unit's name are taken once; one open session a person and one a workstation; an ended session
stays ended; a one-time code's step only rises, until another second factor counts anew; a slot is replaced where it is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from vault.domain.audit import AuditDraft
from vault.domain.identity import PersonId, PersonState, Role, SessionId, UnitId, UnitKind, WorkstationId
from vault.errors import DefectError, RefusedError
from vault.services.ports import MembershipRow, PersonRow, SessionRow, UnitRow
from vault.storage.engine import Row
from vault.storage.part import Part
from vault.storage.schema import membership, person, session, sign_in_failure, unit
from vault.storage.statements import compiled

_PEOPLE = compiled(sa.select(person).order_by(person.c.enrolled_us, person.c.person_id))
_PERSON_BY_BADGE = compiled(sa.select(person).where(person.c.badge_no == bindparam("badge_no")))
_ADD_PERSON = compiled(sa.insert(person))
_COSIGN = compiled(
    sa.update(person)
    .where(person.c.person_id == bindparam("who"))
    .values(supervisor_id=bindparam("by"), supervisor_signature=bindparam("signed"), state=bindparam("now"))
)
_SET_STATE = compiled(sa.update(person).where(person.c.person_id == bindparam("who")).values(state=bindparam("now")))
_SET_STEP = compiled(
    sa.update(person)
    .where(person.c.person_id == bindparam("who"), person.c.totp_last_step < bindparam("step"))
    .values(totp_last_step=bindparam("step"))
)

_REPLACE_SLOT = compiled(
    sa.update(person)
    .where(person.c.person_id == bindparam("who"), person.c.slot == bindparam("before"))
    .values(slot=bindparam("now"), totp_last_step=bindparam("step"))
)

_UNITS = compiled(sa.select(unit).order_by(unit.c.name))
_ADD_UNIT = compiled(sa.insert(unit))
_ADD_MEMBERSHIP = compiled(sa.insert(membership))
_MEMBERSHIPS_OF = compiled(sa.select(membership).where(membership.c.person_id == bindparam("person_id")).order_by(membership.c.unit_id))
_MEMBERS_OF = compiled(
    sa.select(membership.c.person_id).where(membership.c.unit_id == bindparam("unit_id")).order_by(membership.c.person_id)
)

_ADD_FAILURE = compiled(sa.insert(sign_in_failure).values(badge_no_blind=bindparam("badge_no_blind"), at_us=bindparam("at_us")))
_FAILURES_SINCE = compiled(
    sa.select(sa.func.count())
    .select_from(sign_in_failure)
    .where(sign_in_failure.c.badge_no_blind == bindparam("badge_no_blind"), sign_in_failure.c.at_us >= bindparam("since_us"))
)
_CLEAR_FAILURES = compiled(sa.delete(sign_in_failure).where(sign_in_failure.c.badge_no_blind == bindparam("badge_no_blind")))

_OPEN = session.c.ended_us == literal_column("0")
_SESSION = compiled(sa.select(session).where(session.c.session_id == bindparam("session_id")))
_LOCKED_SESSION = compiled(
    sa.select(session).where(session.c.workstation_id == bindparam("workstation_id"), _OPEN, session.c.locked_us > literal_column("0"))
)
_END_OTHERS_OF_PERSON = compiled(sa.update(session).where(session.c.person_id == bindparam("who"), _OPEN).values(ended_us=bindparam("at")))
_END_OTHERS_OF_WORKSTATION = compiled(
    sa.update(session).where(session.c.workstation_id == bindparam("where"), _OPEN).values(ended_us=bindparam("at"))
)
_ADD_SESSION = compiled(sa.insert(session))
_LOCK = compiled(sa.update(session).where(session.c.session_id == bindparam("which"), _OPEN).values(locked_us=bindparam("at")))
_END = compiled(sa.update(session).where(session.c.session_id == bindparam("which"), _OPEN).values(ended_us=bindparam("at")))


class People(Part):
    """The operations of `services.ports.Store` on people, units and sessions."""

    def people(self) -> Sequence[PersonRow]:
        """Every account, in order of enrolment."""
        return [_person(row) for row in self._db.rows(_PEOPLE)]

    def person_by_badge(self, badge_no: str) -> PersonRow | None:
        """Look up by case-folded badge number."""
        row = self._db.first(_PERSON_BY_BADGE, badge_no=badge_no)
        return _person(row) if row else None

    def add_person(self, person: PersonRow, audit: AuditDraft) -> None:
        """Enrol; RefusedError person.badge-taken."""
        with self._trail.recorded((audit,)):
            self._db.change(
                _ADD_PERSON,
                person_id=person.person_id,
                badge_no=person.badge_no,
                name=person.name,
                role=person.role.value,
                unit_id=person.unit_id,
                state=person.state.value,
                kem_public=person.kem_public,
                sign_public=person.sign_public,
                slot=person.slot,
                enrolled_us=person.enrolled_us,
                administrator_id=person.administrator_id,
                administrator_signature=person.administrator_signature,
                supervisor_id=person.supervisor_id,
                supervisor_signature=person.supervisor_signature,
                totp_last_step=person.totp_last_step,
            )

    def cosign_person(
        self, person_id: PersonId, supervisor_id: PersonId, signature: bytes, memberships: Sequence[MembershipRow], audit: AuditDraft
    ) -> None:
        """Make the account active with its unit keys."""
        with self._trail.recorded((audit,)):
            touched = self._db.change(_COSIGN, who=person_id, by=supervisor_id, signed=signature, now=PersonState.ACTIVE.value)
            _require_one(touched, "person")
            for one in memberships:
                self._add_membership(one)

    def set_person_state(self, person_id: PersonId, state: PersonState, audit: AuditDraft) -> None:
        """Lock, release or disable an account."""
        with self._trail.recorded((audit,)):
            _require_one(self._db.change(_SET_STATE, who=person_id, now=state.value), "person")

    def use_code(self, person_id: PersonId, step: int) -> None:
        """Remember the step of a one-time code; RefusedError session.code-used unless it is later than the last one."""
        with self._db.transaction():
            if not self._db.change(_SET_STEP, who=person_id, step=step):
                raise RefusedError("session.code-used")

    def replace_slot(
        self, person_id: PersonId, before: bytes, slot: bytes, totp_last_step: int, end_sessions_us: int, audit: AuditDraft
    ) -> None:
        """Put a slot where `before` stood; RefusedError person.slot-changed when another stands there."""
        with self._trail.recorded((audit,)):
            if not self._db.change(_REPLACE_SLOT, who=person_id, before=before, now=slot, step=totp_last_step):
                raise RefusedError("person.slot-changed")
            if end_sessions_us:
                self._db.change(_END_OTHERS_OF_PERSON, who=person_id, at=end_sessions_us)

    def units(self) -> Sequence[UnitRow]:
        """Every unit, by name."""
        return [UnitRow(UnitId(row[0]), row[1], UnitKind(row[2]), *row[3:]) for row in self._db.rows(_UNITS)]

    def add_unit(self, unit: UnitRow, members: Sequence[MembershipRow], audit: AuditDraft) -> None:
        """Create a unit with its first members; RefusedError unit.name-taken."""
        with self._trail.recorded((audit,)):
            self._db.change(
                _ADD_UNIT,
                unit_id=unit.unit_id,
                name=unit.name,
                kind=unit.kind.value,
                kem_public=unit.kem_public,
                signed_by=unit.signed_by,
                signature=unit.signature,
            )
            for one in members:
                self._add_membership(one)

    def add_membership(self, membership: MembershipRow, audit: AuditDraft) -> None:
        """Add a member with the unit's key sealed to them."""
        with self._trail.recorded((audit,)):
            self._add_membership(membership)

    def memberships_of(self, person_id: PersonId) -> Sequence[MembershipRow]:
        """The units a person belongs to, with the keys."""
        return [MembershipRow(*row) for row in self._db.rows(_MEMBERSHIPS_OF, person_id=person_id)]

    def members_of(self, unit_id: UnitId) -> Sequence[PersonId]:
        """Who belongs to a unit."""
        return [PersonId(row[0]) for row in self._db.rows(_MEMBERS_OF, unit_id=unit_id)]

    def record_sign_in_failure(self, badge_no_blind: bytes, at_us: int, lock_person: PersonId | None, audit: Sequence[AuditDraft]) -> None:
        """Count a failed attempt, and lock the account if told to."""
        with self._trail.recorded(audit):
            self._db.change(_ADD_FAILURE, badge_no_blind=badge_no_blind, at_us=at_us)
            if lock_person is not None:
                _require_one(self._db.change(_SET_STATE, who=lock_person, now=PersonState.LOCKED.value), "person")

    def sign_in_failures_since(self, badge_no_blind: bytes, since_us: int) -> int:
        """How many failed attempts there were at `since_us` or later."""
        row = self._db.first(_FAILURES_SINCE, badge_no_blind=badge_no_blind, since_us=since_us)
        return int(row[0]) if row else 0

    def clear_sign_in_failures(self, badge_no_blind: bytes) -> None:
        """Forget the failed attempts of one badge number."""
        with self._db.transaction():
            self._db.change(_CLEAR_FAILURES, badge_no_blind=badge_no_blind)

    def open_session(self, session: SessionRow, totp_step: int, audit: Sequence[AuditDraft]) -> None:
        """End any other open session of the person or the workstation, open this one, remember the code's step.

        A `totp_step` of 0 means that no code was used. Failed attempts are cleared by `clear_sign_in_failures`, which knows the badge.

        Raises:
            RefusedError: session.code-used, the step is not later than the last one.
        """
        with self._trail.recorded(audit):
            if totp_step and not self._db.change(_SET_STEP, who=session.person_id, step=totp_step):
                raise RefusedError("session.code-used")
            self._db.change(_END_OTHERS_OF_PERSON, who=session.person_id, at=session.opened_us)
            self._db.change(_END_OTHERS_OF_WORKSTATION, where=session.workstation_id, at=session.opened_us)
            self._db.change(
                _ADD_SESSION,
                session_id=session.session_id,
                person_id=session.person_id,
                workstation_id=session.workstation_id,
                opened_us=session.opened_us,
                locked_us=session.locked_us,
                ended_us=session.ended_us,
            )

    def session(self, session_id: SessionId) -> SessionRow | None:
        """One session, open or ended."""
        row = self._db.first(_SESSION, session_id=session_id)
        return SessionRow(*row) if row else None

    def locked_session(self, workstation_id: WorkstationId) -> SessionRow | None:
        """The session of this workstation that is locked and not ended."""
        row = self._db.first(_LOCKED_SESSION, workstation_id=workstation_id)
        return SessionRow(*row) if row else None

    def lock_session(self, session_id: SessionId, at_us: int, audit: AuditDraft) -> None:
        """Lock an open session; RefusedError session.ended."""
        self._change_session(session_id, at_us, audit)

    def unlock_session(self, session_id: SessionId, audit: AuditDraft) -> None:
        """Unlock an open session; RefusedError session.ended."""
        self._change_session(session_id, 0, audit)

    def end_session(self, session_id: SessionId, at_us: int, audit: AuditDraft) -> None:
        """End an open session; RefusedError session.ended."""
        with self._trail.recorded((audit,)):
            if not self._db.change(_END, which=session_id, at=at_us):
                raise RefusedError("session.ended")

    def _change_session(self, session_id: SessionId, locked_us: int, audit: AuditDraft) -> None:
        with self._trail.recorded((audit,)):
            if not self._db.change(_LOCK, which=session_id, at=locked_us):
                raise RefusedError("session.ended")

    def _add_membership(self, one: MembershipRow) -> None:
        self._db.change(_ADD_MEMBERSHIP, unit_id=one.unit_id, person_id=one.person_id, unit_key_sealed=one.unit_key_sealed)


def _person(row: Row) -> PersonRow:
    return PersonRow(
        person_id=row[0],
        badge_no=row[1],
        name=row[2],
        role=Role(row[3]),
        unit_id=row[4],
        state=PersonState(row[5]),
        kem_public=row[6],
        sign_public=row[7],
        slot=row[8],
        enrolled_us=row[9],
        administrator_id=row[10],
        administrator_signature=row[11],
        supervisor_id=row[12],
        supervisor_signature=row[13],
        totp_last_step=row[14],
    )


def _require_one(touched: int, what: str) -> None:
    if touched != 1:
        raise DefectError("storage.not-found", what=what)
