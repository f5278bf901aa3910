"""The case register and the grants: who registers a case, and to whom its key is given.

Rules:

- Registering a case makes its key. It is sealed at once to the records unit, the officer in charge and the case's unit; nobody else has it.
- A grant is that key, sealed to one person or unit and signed by the grantor. A deny carries no key and wins (law 3).
- Records custodians grant; the officer in charge may grant on the own case. A reason is always given.
- A removal or a deny never leaves a case without anybody who sees it and may grant: at no moment from now on. Nobody could undo that.
- Removing a grant stops what comes after: what was seen stays seen, and a key once opened was opened (said in the confirmation).
- Whoever holds the case file and may no longer see it, after a removal or a deny, loses the file in the same turn of the control thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vault.domain.access import ROLES_WITHOUT_CASES, Effect, GranteeKind, GrantTerms, decide
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.casefile import CaseCard, Marking
from vault.domain.identity import CaseId, GrantId, PersonId, PersonState, Role, UnitId, UnitKind
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.services.cases import Cases
from vault.services.custody import Custody
from vault.services.events import RegisterChanged
from vault.services.locksmith import CaseCipher
from vault.services.operation import change, query
from vault.services.ports import CaseRow, GrantRow, MembershipRow
from vault.services.session import unit_key_place
from vault.services.views import CaseLine, GrantLine, PersonBrief, UnitLine
from vault.services.world import World


class NewCase(msgspec.Struct, frozen=True):
    """What a case is registered with (the founding of a demo station and a migration use it too)."""

    rms_number: str
    title: str
    case_type: str
    officer_in_charge: PersonId
    unit_id: UnitId
    marking: Marking
    persons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Register:
    """Cases and grants."""

    def __init__(self, world: World, cases: Cases, custody: Custody) -> None:
        self._world = world
        self._cases = cases
        self._custody = custody

    @query
    def people(self) -> tuple[PersonBrief, ...]:
        """Everybody active, for pickers."""
        self._world.require()
        directory = self._world.directory
        return tuple(directory.named(row.person_id) for row in directory.people() if row.state is PersonState.ACTIVE)

    @query
    def units(self) -> tuple[UnitLine, ...]:
        """Every unit with its members, for pickers."""
        self._world.require()
        return unit_lines(self._world)

    @change
    def register_case(
        self,
        rms_number: str,
        title: str,
        case_type: str,
        officer_in_charge_badge: str,
        unit_id: UnitId,
        marking: Marking,
        persons: tuple[str, ...],
        tags: tuple[str, ...],
    ) -> CaseLine:
        """Register a case file.

        Raises:
            RefusedError: access.not-your-role, case.number-missing, case.title-missing, case.number-taken, person.unknown, unit.unknown,
                grant.role-never (the officer in charge is an administrator or auditor).
        Audit: case.registered, grant.made for each first grant.
        """
        world = self._world
        world.require(Role.CUSTODIAN)
        if not rms_number.strip():
            raise RefusedError("case.number-missing")
        if not title.strip():
            raise RefusedError("case.title-missing")
        officer = world.directory.active_by_badge(officer_in_charge_badge)
        world.directory.unit(unit_id)
        new = NewCase(" ".join(rms_number.split()), title.strip(), case_type.strip(), officer.person_id, unit_id, marking, persons, tags)
        row, grants, card, cipher = self.prepare(new)
        audit = [world.draft(AuditKind.CASE_REGISTERED, row.case_id), *(self._granted(grant.terms) for grant in grants)]
        world.store.register_case(row, grants, audit)
        world.require().cases[row.case_id] = cipher
        world.publish(RegisterChanged())
        return self._cases.line_of_card(card, None)

    def prepare(self, new: NewCase) -> tuple[CaseRow, tuple[GrantRow, ...], CaseCard, CaseCipher]:
        """Make the rows of a new case: its key, its sealed card and its first grants."""
        world = self._world
        session = world.require(Role.CUSTODIAN)
        case_id = CaseId(world.entropy.token())
        cipher = world.locksmith.case_from(case_id, world.locksmith.new_case().key())
        card = CaseCard(
            case_id, new.rms_number, new.title, new.case_type, new.officer_in_charge, new.unit_id, new.marking, new.persons, new.tags
        )
        row = CaseRow(
            case_id=case_id,
            number_blind=self._cases.number_blind(new.rms_number),
            card_sealed=self._cases.seal_card(card, cipher),
            label_sealed=world.seal_to_supervisors(new.rms_number.encode(), "label", case_id),
            registered_us=world.clock.now_us(),
            registered_by=session.person.person_id,
        )
        records = world.directory.unit_of_kind(UnitKind.RECORDS).unit_id
        firsts = [(GranteeKind.UNIT, str(records)), (GranteeKind.PERSON, str(new.officer_in_charge))]
        if new.unit_id != records:
            firsts.append((GranteeKind.UNIT, str(new.unit_id)))
        grants = tuple(self._make(case_id, cipher, Effect.ALLOW, kind, grantee, 0, 0, "registered") for kind, grantee in firsts)
        return row, grants, card, cipher

    @change
    def admit(self, badge_no: str) -> None:
        """Hand the records unit's key to a records custodian who has both signatures and not yet the key.

        Raises:
            RefusedError: access.not-your-role, person.unknown, person.not-custodian, unit.already-member.
        Audit: unit.joined.
        """
        world = self._world
        session = world.require(Role.CUSTODIAN)
        person = world.directory.active_by_badge(badge_no)
        unit_id = world.directory.unit_of_kind(UnitKind.RECORDS).unit_id
        holder = session.unit_holders.get(unit_id)
        if person.role is not Role.CUSTODIAN or holder is None:
            raise RefusedError("person.not-custodian")
        if person.person_id in world.store.members_of(unit_id):
            raise RefusedError("unit.already-member")
        place = unit_key_place(world, unit_id, person.person_id)
        sealed = world.locksmith.seal_to(person.kem_public, holder.export_private().reveal(), place)
        audit = world.draft(AuditKind.UNIT_JOINED, unit_id=unit_id, person_id=person.person_id)
        world.store.add_membership(MembershipRow(unit_id, person.person_id, sealed), audit)
        world.publish(RegisterChanged())

    @change
    def grant(
        self, case_id: CaseId, effect: Effect, grantee_kind: GranteeKind, grantee_id: str, from_us: int, until_us: int, reason: str
    ) -> GrantLine:
        """Allow or deny a person or unit sight of a case.

        Args:
            case_id: a case the grantor may see.
            effect: allow or deny.
            grantee_kind: person or unit.
            grantee_id: PersonId or UnitId.
            from_us: 0 = at once.
            until_us: 0 = no end; otherwise after `from_us` and now.
            reason: at least ten characters.
        Raises:
            RefusedError: access.not-grantor, access.no-need-to-know, grant.reason-missing, grant.period, grant.role-never,
                grant.last-grantor, person.unknown, unit.unknown.
        Audit: grant.made; custody.withdrawn if the holder of the file is now denied it.
        """
        world = self._world
        cipher = self._grantor(case_id)
        now_us = world.clock.now_us()
        if not is_reason(reason):
            raise RefusedError("grant.reason-missing")
        if until_us and until_us <= max(from_us, now_us):
            raise RefusedError("grant.period")
        self._check_grantee(grantee_kind, grantee_id)
        row = self._make(case_id, cipher, effect, grantee_kind, grantee_id, from_us, until_us, reason.strip())
        if effect is Effect.DENY:
            grants = [one.terms for one in world.store.grants_of(case_id)]
            self._require_grantor_left(case_id, cipher, grants, [*grants, row.terms])
        world.store.add_grants([row], [self._granted(row.terms)])
        world.publish(RegisterChanged())
        self._custody.return_withdrawn(case_id)
        return self.grant_line(row, cipher)

    @change
    def remove_grant(self, case_id: CaseId, grant_id: GrantId, reason: str) -> None:
        """End a grant now. Supervisors read the reason in the trail.

        Raises:
            RefusedError: access.not-grantor, grant.reason-missing, grant.unknown, grant.last-grantor.
        Audit: grant.removed; custody.withdrawn if the holder of the file may no longer see it.
        """
        world = self._world
        cipher = self._grantor(case_id)
        if not is_reason(reason):
            raise RefusedError("grant.reason-missing")
        grants = [one.terms for one in world.store.grants_of(case_id)]
        removed = next((one for one in grants if one.grant_id == grant_id and not one.removed_us), None)
        if removed is None:
            raise RefusedError("grant.unknown")
        if removed.effect is Effect.ALLOW:
            self._require_grantor_left(case_id, cipher, grants, [one for one in grants if one is not removed])
        sealed = world.seal_to_supervisors(reason.strip().encode(), "reason", grant_id).hex()
        audit = world.draft(AuditKind.GRANT_REMOVED, case_id, grant_id=grant_id, reason_sealed=sealed)
        world.store.remove_grant(grant_id, world.clock.now_us(), audit)
        world.publish(RegisterChanged())
        self._custody.return_withdrawn(case_id)

    def grant_line(self, row: GrantRow, cipher: CaseCipher) -> GrantLine:
        """Describe a grant to somebody who may see the case."""
        world = self._world
        terms = row.terms
        if terms.grantee_kind is GranteeKind.PERSON:
            brief = world.directory.named(PersonId(terms.grantee_id))
            name = f"{brief.name} · {brief.badge_no}"
        else:
            name = world.directory.unit(UnitId(terms.grantee_id)).name
        reason = cipher.open_card(row.reason_sealed, world.locksmith.bind("grant-reason", terms.grant_id)).decode()
        return GrantLine(
            terms.grant_id,
            terms.effect,
            terms.grantee_kind,
            name,
            reason,
            terms.from_us,
            terms.until_us,
            world.directory.brief(terms.granted_by),
            terms.removed_us,
        )

    def may_grant(self, case_id: CaseId, card: CaseCard) -> bool:
        """Whether the signed-in person may grant on a case they can see."""
        person = self._world.require().person
        return person.role is Role.CUSTODIAN or (card.case_id == case_id and card.officer_in_charge == person.person_id)

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _grantor(self, case_id: CaseId) -> CaseCipher:
        cipher = self._world.require_case(case_id)
        if not self.may_grant(case_id, self._cases.open_card(self._cases.row(case_id), cipher)):
            raise RefusedError("access.not-grantor")
        return cipher

    def _require_grantor_left(self, case_id: CaseId, cipher: CaseCipher, before: Sequence[GrantTerms], after: Sequence[GrantTerms]) -> None:
        """Refuse a change of grants that makes a moment when no active person sees the case and may grant on it; one there was may stay."""
        world = self._world
        now_us = world.clock.now_us()
        card = self._cases.open_card(self._cases.row(case_id), cipher)
        grantors = [
            (one, [member.unit_id for member in world.store.memberships_of(one.person_id)])
            for one in world.directory.people()
            if one.state is PersonState.ACTIVE and (one.role is Role.CUSTODIAN or one.person_id == card.officer_in_charge)
        ]
        # Who sees the case changes at these moments and at no other.
        moments = {now_us, *(at for one in (*before, *after) for at in (one.from_us, one.until_us) if at > now_us)}

        def somebody(grants: Sequence[GrantTerms], at: int) -> bool:
            return any(decide(one.person_id, one.role, unit_ids, grants, at).allowed for one, unit_ids in grantors)

        if any(somebody(before, at) and not somebody(after, at) for at in moments):
            raise RefusedError("grant.last-grantor")

    def _check_grantee(self, kind: GranteeKind, grantee_id: str) -> None:
        directory = self._world.directory
        if kind is GranteeKind.UNIT:
            directory.unit(UnitId(grantee_id))
            return
        person = directory.person(PersonId(grantee_id))
        if person is None or person.state not in (PersonState.ACTIVE, PersonState.LOCKED):
            raise RefusedError("person.unknown")
        if person.role in ROLES_WITHOUT_CASES:
            raise RefusedError("grant.role-never")

    def _make(
        self,
        case_id: CaseId,
        cipher: CaseCipher,
        effect: Effect,
        kind: GranteeKind,
        grantee_id: str,
        from_us: int,
        until_us: int,
        reason: str,
    ) -> GrantRow:
        world = self._world
        session = world.require()
        now_us = world.clock.now_us()
        grant_id = GrantId(world.entropy.token())
        terms = GrantTerms(grant_id, case_id, effect, kind, grantee_id, from_us or now_us, until_us, session.person.person_id, now_us)
        sealed = b""
        if effect is Effect.ALLOW:
            sealed = world.locksmith.seal_to(self._kem_of(kind, grantee_id), cipher.key().reveal(), world.case_key_place(terms))
        return GrantRow(
            terms=terms,
            case_key_sealed=sealed,
            reason_sealed=cipher.seal_card(reason.encode(), world.locksmith.bind("grant-reason", grant_id)),
            signature=session.keys.holder.sign("grant", world.directory.grant_statement(terms, sealed)),
        )

    def _kem_of(self, kind: GranteeKind, grantee_id: str) -> bytes:
        directory = self._world.directory
        if kind is GranteeKind.UNIT:
            return directory.unit(UnitId(grantee_id)).kem_public
        if (person := directory.person(PersonId(grantee_id))) is None:
            raise RefusedError("person.unknown")
        if person.role in ROLES_WITHOUT_CASES:  # no case key is ever sealed to them, whoever asks
            raise RefusedError("grant.role-never")
        return person.kem_public

    def _granted(self, terms: GrantTerms) -> AuditDraft:
        return self._world.draft(
            AuditKind.GRANT_MADE,
            terms.case_id,
            grant_id=terms.grant_id,
            effect=terms.effect.value,
            grantee_kind=terms.grantee_kind.value,
            grantee_id=terms.grantee_id,
            from_us=terms.from_us,
            until_us=terms.until_us,
        )


def unit_lines(world: World) -> tuple[UnitLine, ...]:
    """Describe every unit with its members."""
    directory = world.directory
    return tuple(
        UnitLine(unit.unit_id, unit.name, unit.kind, tuple(directory.named(one) for one in world.store.members_of(unit.unit_id)))
        for unit in directory.units()
    )
