"""People and units: enrolment by an administrator, the second signature by a supervisor, release and disabling.

Rules:

- An administrator enrols; a supervisor cosigns. Until both signatures are there the person cannot sign in (law 3, NIST AC-5).
- The person's keys are made when they choose their passphrase at this workstation; the administrator's session never holds them.
- Only a member can hand a unit's private key on: the cosigning supervisor seals it to the new member. Supervisors are not in the records
  unit (they hold no standing key to everything), so a new records custodian is admitted by one who is (`Register.admit`).
- Any supervisor in a team admits to it: an officer who works with two teams, a second supervisor who is to cosign for it. LIMIT: nobody is
  taken out of a unit, and the unit of the enrolment stays the one they are named with.
- A supervisor releases a locked account; an administrator disables one. Nobody does either to themselves.
- The last of those without whom the station stands still is not disabled: the supervisor who could sign the next one, the administrator who
  could enrol them, the custodian who could hand on the records unit's key. LIMIT: whether the one who stays still has their passphrase and
  their phone, the vault cannot know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vault.domain.audit import AuditKind
from vault.domain.identity import PersonId, PersonState, Role, UnitId, UnitKind, folded_badge
from vault.errors import RefusedError
from vault.secret import Passphrase, secret_of
from vault.services.custody import Custody
from vault.services.events import RegisterChanged
from vault.services.locksmith import NewPerson
from vault.services.operation import Lane, Priority, change, operation, query
from vault.services.ports import MembershipRow, PersonRow, UnitRow
from vault.services.register import unit_lines
from vault.services.session import unit_key_place
from vault.services.views import Enrolment, PersonLine, UnitLine
from vault.services.world import World

# Of these one stays active.
_NEVER_NONE = {
    Role.SUPERVISOR: "person.last-supervisor",
    Role.ADMINISTRATOR: "person.last-administrator",
    Role.CUSTODIAN: "person.last-custodian",
}


class Administration:
    """Who belongs to the station."""

    def __init__(self, world: World, custody: Custody) -> None:
        self._world = world
        self._custody = custody

    @query
    def people(self) -> tuple[PersonLine, ...]:
        """List everybody. Raises RefusedError access.not-your-role."""
        world = self._world
        world.require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        world.directory.refresh()
        brief = world.directory.brief
        return tuple(
            PersonLine(
                world.directory.named(row.person_id), row.state, row.enrolled_us, brief(row.administrator_id), brief(row.supervisor_id)
            )
            for row in world.directory.people()
        )

    @query
    def units(self) -> tuple[UnitLine, ...]:
        """List units with their members. Raises RefusedError access.not-your-role."""
        self._world.require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        return unit_lines(self._world)

    @operation(Priority.CHANGE, Lane.KEYS)
    def enrol(self, badge_no: str, name: str, role: Role, unit_id: UnitId, passphrase: Passphrase) -> Enrolment:
        """Enrol a person, who types the passphrase; a supervisor's signature makes the account good.

        Raises:
            RefusedError: access.not-your-role, person.badge-missing, person.name-missing, person.badge-taken, unit.unknown,
                unit.not-for-role, passphrase.*.
        Audit: person.enrolled.
        """
        world = self._world
        badge_no = folded_badge(badge_no)
        name = " ".join(name.split())
        world.on_control(lambda: self._may_enrol(badge_no, name, role, unit_id))
        person_id = PersonId(world.entropy.token())
        secret = secret_of(passphrase)
        try:
            made = world.locksmith.new_person(person_id, badge_no, secret, world.station.station_name)
        finally:
            secret.wipe()
        world.on_control(lambda: self._enrol(person_id, badge_no, name, role, unit_id, made))
        return enrolment(world, person_id, badge_no, name, made)

    @change
    def cosign(self, person_id: PersonId) -> None:
        """Vouch for an enrolled person, as the second of two, and hand them their unit's key.

        Raises:
            RefusedError: access.not-your-role, person.unknown, person.not-pending, unit.not-a-member.
        Audit: person.cosigned, unit.joined.
        """
        world = self._world
        session = world.require(Role.SUPERVISOR)
        row = self._person(person_id)
        if row.state is not PersonState.PENDING:
            raise RefusedError("person.not-pending")
        memberships: list[MembershipRow] = []
        if row.role in (Role.OFFICER, Role.SUPERVISOR):
            memberships.append(self._membership(row.unit_id, row))
        if row.role is Role.SUPERVISOR and row.unit_id != world.station.supervisors_unit_id:
            memberships.append(self._membership(world.station.supervisors_unit_id, row))
        signature = world.locksmith.sign_directory(session.keys.holder, world.directory.facts(row))
        audit = world.draft(AuditKind.PERSON_COSIGNED, person_id=person_id)
        world.store.cosign_person(person_id, session.person.person_id, signature, memberships, audit)
        world.directory.refresh()
        world.publish(RegisterChanged())

    @change
    def admit(self, person_id: PersonId, unit_id: UnitId) -> None:
        """Hand a team's key to an officer or supervisor who has not got it; they have it from their next sign-in.

        Raises:
            RefusedError: access.not-your-role, person.unknown, unit.unknown, unit.not-for-role, unit.already-member, unit.not-a-member.
        Audit: unit.joined.
        """
        world = self._world
        world.require(Role.SUPERVISOR)
        row = self._person(person_id)
        if row.state not in (PersonState.ACTIVE, PersonState.LOCKED):
            raise RefusedError("person.unknown")
        if world.directory.unit(unit_id).kind is not UnitKind.TEAM or row.role not in (Role.OFFICER, Role.SUPERVISOR):
            raise RefusedError("unit.not-for-role")
        if person_id in world.store.members_of(unit_id):
            raise RefusedError("unit.already-member")
        joined = self._membership(unit_id, row)
        world.store.add_membership(joined, world.draft(AuditKind.UNIT_JOINED, unit_id=unit_id, person_id=person_id))
        world.publish(RegisterChanged())

    @change
    def release(self, person_id: PersonId) -> None:
        """Release an account that failed sign-ins locked.

        Raises:
            RefusedError: access.not-your-role, person.unknown, person.not-locked, person.yourself.
        Audit: person.released.
        """
        world = self._world
        row = self._other(person_id, Role.SUPERVISOR)
        if row.state is not PersonState.LOCKED:
            raise RefusedError("person.not-locked")
        world.store.clear_sign_in_failures(world.locksmith.blind("badge:" + folded_badge(row.badge_no)))
        world.store.set_person_state(person_id, PersonState.ACTIVE, world.draft(AuditKind.PERSON_RELEASED, person_id=person_id))
        world.directory.refresh()
        world.publish(RegisterChanged())

    @change
    def disable(self, person_id: PersonId) -> None:
        """Disable an account; it cannot sign in again. What the person holds returns first, file by file; they wait for nothing more.

        Raises:
            RefusedError: access.not-your-role, person.unknown, person.yourself, person.disabled, person.last-supervisor,
                person.last-administrator, person.last-custodian.
        Audit: custody.wait-ended for each file they wait for; custody.withdrawn for each file they hold; person.disabled.
        """
        world = self._world
        row = self._other(person_id, Role.ADMINISTRATOR)
        if row.state is PersonState.DISABLED:
            raise RefusedError("person.disabled")
        self._require_another(row)
        self._custody.return_from(person_id)  # first: a crash in between leaves an account to disable, not a file that nobody can return
        world.store.set_person_state(person_id, PersonState.DISABLED, world.draft(AuditKind.PERSON_DISABLED, person_id=person_id))
        world.directory.refresh()
        world.publish(RegisterChanged())

    @change
    def add_unit(self, name: str) -> UnitLine:
        """Make a unit; its key is sealed to the supervisor who makes it, and through them to its members.

        Raises:
            RefusedError: access.not-your-role, unit.name-missing, unit.name-taken.
        Audit: unit.created.
        """
        world = self._world
        session = world.require(Role.SUPERVISOR)
        name = " ".join(name.split())
        if not name:
            raise RefusedError("unit.name-missing")
        holder = world.locksmith.new_holder()
        unit_id = UnitId(world.entropy.token())
        bare = UnitRow(unit_id, name, UnitKind.TEAM, holder.kem_public, session.person.person_id, b"")
        unit = signed_unit(world, bare, session.keys.holder.sign)
        me = session.person
        sealed = world.locksmith.seal_to(me.kem_public, holder.export_private().reveal(), unit_key_place(world, unit_id, me.person_id))
        membership = MembershipRow(unit_id, me.person_id, sealed)
        world.store.add_unit(unit, [membership], world.draft(AuditKind.UNIT_CREATED, unit_id=unit_id))
        session.unit_holders[unit_id] = holder
        session.unit_ids = (*session.unit_ids, unit_id)
        world.directory.refresh()
        world.publish(RegisterChanged())
        return next(one for one in unit_lines(world) if one.unit_id == unit_id)

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _may_enrol(self, badge_no: str, name: str, role: Role, unit_id: UnitId) -> None:
        world = self._world
        world.require(Role.ADMINISTRATOR)
        if not badge_no:
            raise RefusedError("person.badge-missing")
        if not name:
            raise RefusedError("person.name-missing")
        if world.store.person_by_badge(badge_no) is not None:
            raise RefusedError("person.badge-taken")
        unit = world.directory.unit(unit_id)
        if (unit.kind is UnitKind.RECORDS) != (role is Role.CUSTODIAN):
            raise RefusedError("unit.not-for-role")
        if unit.kind is UnitKind.SUPERVISORS and role is not Role.SUPERVISOR:
            raise RefusedError("unit.not-for-role")

    def _enrol(self, person_id: PersonId, badge_no: str, name: str, role: Role, unit_id: UnitId, made: NewPerson) -> None:
        world = self._world
        session = world.require(Role.ADMINISTRATOR)
        row = person_row(world, person_id, badge_no, name, role, unit_id, made, session.person.person_id)
        signature = world.locksmith.sign_directory(session.keys.holder, world.directory.facts(row))
        signed = replace(row, administrator_signature=signature)
        world.store.add_person(signed, world.draft(AuditKind.PERSON_ENROLLED, person_id=person_id, role=role.value))
        world.directory.refresh()
        world.publish(RegisterChanged())

    def _membership(self, unit_id: UnitId, row: PersonRow) -> MembershipRow:
        world = self._world
        holder = world.require().unit_holders.get(unit_id)
        if holder is None:
            raise RefusedError("unit.not-a-member")
        place = unit_key_place(world, unit_id, row.person_id)
        return MembershipRow(unit_id, row.person_id, world.locksmith.seal_to(row.kem_public, holder.export_private().reveal(), place))

    def _person(self, person_id: PersonId) -> PersonRow:
        self._world.directory.refresh()
        if (row := self._world.directory.person(person_id)) is None:
            raise RefusedError("person.unknown")
        return row

    def _require_another(self, row: PersonRow) -> None:
        """Refuse if nobody else who is active could do what only this person can."""
        if row.role not in _NEVER_NONE or row.state is PersonState.PENDING:
            return
        world = self._world
        others = {
            one.person_id
            for one in world.directory.people()
            if one.role is row.role and one.state is PersonState.ACTIVE and one.person_id != row.person_id
        }
        if row.role is Role.CUSTODIAN:  # one who was not admitted has no key to hand on; nor had this one, if they are no member
            members = set(world.store.members_of(world.directory.unit_of_kind(UnitKind.RECORDS).unit_id))
            if row.person_id not in members:
                return
            others &= members
        if not others:
            raise RefusedError(_NEVER_NONE[row.role])

    def _other(self, person_id: PersonId, role: Role) -> PersonRow:
        session = self._world.require(role)
        if session.person.person_id == person_id:
            raise RefusedError("person.yourself")
        return self._person(person_id)


def person_row(
    world: World, person_id: PersonId, badge_no: str, name: str, role: Role, unit_id: UnitId, made: NewPerson, administrator: PersonId
) -> PersonRow:
    """Make the row of a freshly enrolled person, still unsigned."""
    return PersonRow(
        person_id=person_id,
        badge_no=badge_no,
        name=name,
        role=role,
        unit_id=unit_id,
        state=PersonState.PENDING,
        kem_public=made.keys.holder.kem_public,
        sign_public=made.keys.holder.sign_public,
        slot=made.slot,
        enrolled_us=world.clock.now_us(),
        administrator_id=administrator,
        administrator_signature=b"",
    )


def signed_unit(world: World, unit: UnitRow, sign: Callable[[str, bytes], bytes]) -> UnitRow:
    """Sign a unit's entry so that its public key cannot be swapped."""
    signature = sign("unit", world.directory.unit_statement(unit))
    return replace(unit, signature=signature)


def enrolment(world: World, person_id: PersonId, badge_no: str, name: str, made: NewPerson) -> Enrolment:
    """Describe what a new person must scan, once."""
    return Enrolment(person_id, badge_no, name, made.provisioning_uri, tuple(world.locksmith.qr_rows(made.provisioning_uri)))
