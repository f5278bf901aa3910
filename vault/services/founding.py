"""Founding a vault: three people, three units, the roots of trust. Done once, in one transaction of the register per act.

Rules:

- Three different people: an administrator, a supervisor, a records custodian. Administrator and supervisor sign each other's entries,
  their own and the custodian's; their signing keys are the roots, signed by the workstation and kept in the header.
- Founding ends when everybody has their second factor (`complete`). One that ends before, by a closed window or a power cut, has founded
  nothing: without the codes nobody could enter. The first run says so, and begins again.
- Nothing is left behind when founding fails: files are removed and the keyring's secret with them (`vault.assembly` sees to it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.identity import PersonId, PersonState, Role, UnitId, UnitKind, folded_badge
from vault.errors import RefusedError
from vault.services.administration import enrolment, person_row, signed_unit
from vault.services.locksmith import KeyHolder, NewPerson
from vault.services.operation import Priority, operation, query
from vault.services.ports import MembershipRow, PersonRow, UnitRow
from vault.services.session import unit_key_place
from vault.services.views import Enrolment, Founder, StationView
from vault.services.world import World


@dataclass(frozen=True, slots=True)
class FoundingUnits:
    """The units a vault begins with. The supervisors' key pair is made first: the header names its public half."""

    supervisors_id: UnitId
    supervisors: KeyHolder
    records_id: UnitId
    records: KeyHolder
    administration_id: UnitId
    administration: KeyHolder


class Ground(Protocol):
    """Where a vault is founded: `vault.assembly` makes files and secrets, and takes them away again on failure."""

    def workstation_name(self) -> str:
        """What this workstation is called."""

    def build(self, station_name: str, founders: tuple[Founder, Founder, Founder]) -> tuple[Enrolment, ...]:
        """Make the vault, not in its place. Raises UnavailableError keyring.*, storage.*; RefusedError passphrase.*, founding.already."""

    def complete(self) -> None:
        """Put what was built in its place and open it. Raises UnavailableError storage.*; RefusedError founding.unfinished."""

    def is_unfinished(self) -> bool:
        """Whether an earlier founding did not come to its end."""


class Founding:
    """The first-run service: all there is while no vault is founded."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @query
    def station(self) -> StationView:
        """Tell that there is no vault yet."""
        return StationView(False, "", self._ground.workstation_name(), None, (), unfinished=self._ground.is_unfinished())

    @operation(Priority.CHANGE)
    def found(self, station_name: str, administrator: Founder, supervisor: Founder, custodian: Founder) -> tuple[Enrolment, ...]:
        """Make the vault of a station. It is nobody's until `complete`; made again, it is another one.

        Returns:
            Three enrolments: the second factor each founder scans, shown once.
        Raises:
            RefusedError: founding.station-missing, founding.badges-alike, founding.already, person.badge-missing, person.name-missing,
                passphrase.*.
            UnavailableError: keyring.missing, keyring.locked, storage.full, storage.read-only.
        Audit: vault.founded, person.enrolled and unit.created for each.
        """
        founders = (administrator, supervisor, custodian)
        if not station_name.strip():
            raise RefusedError("founding.station-missing")
        for one in founders:
            if not one.badge_no.strip():
                raise RefusedError("person.badge-missing")
            if not one.name.strip():
                raise RefusedError("person.name-missing")
        if len({folded_badge(one.badge_no) for one in founders}) < len(founders):
            raise RefusedError("founding.badges-alike")
        return self._ground.build(" ".join(station_name.split()), founders)

    @operation(Priority.CHANGE)
    def complete(self) -> None:
        """Put the vault in its place: its three founders have scanned their second factors.

        Raises:
            RefusedError: founding.unfinished, this process has made none.
            UnavailableError: storage.full, storage.read-only, storage.input-output.
        Audit: none.
        """
        self._ground.complete()


def people_and_units(world: World, units: FoundingUnits, people: tuple[tuple[PersonId, Founder, NewPerson], ...]) -> tuple[Enrolment, ...]:
    """Write the founders and the units of a new vault (control thread; the register is open and empty).

    Args:
        world: a world without a session.
        units: the founding units' ids and keys.
        people: administrator, supervisor and custodian, in this order, with their fresh keys.
    """
    (administrator_id, _, administrator), (supervisor_id, _, supervisor), (custodian_id, _, _) = people
    roles = (Role.ADMINISTRATOR, Role.SUPERVISOR, Role.CUSTODIAN)
    homes = (units.administration_id, units.supervisors_id, units.records_id)
    store = world.store
    rows: dict[PersonId, PersonRow] = {}
    for (person_id, founder, made), role, home in zip(people, roles, homes, strict=True):
        badge_no, name = folded_badge(founder.badge_no), " ".join(founder.name.split())
        bare = person_row(world, person_id, badge_no, name, role, home, made, administrator_id)
        facts = world.directory.facts(bare)
        rows[person_id] = replace(
            bare,
            state=PersonState.ACTIVE,
            administrator_signature=world.locksmith.sign_directory(administrator.keys.holder, facts),
            supervisor_id=supervisor_id,
            supervisor_signature=world.locksmith.sign_directory(supervisor.keys.holder, facts),
        )
        store.add_person(rows[person_id], AuditDraft(AuditKind.PERSON_ENROLLED, facts=(("person_id", person_id), ("role", role.value))))
    made_units = (
        (units.supervisors_id, "Supervisors", UnitKind.SUPERVISORS, units.supervisors, (supervisor_id,)),
        (units.records_id, "Records", UnitKind.RECORDS, units.records, (custodian_id,)),
        (units.administration_id, "Administration", UnitKind.TEAM, units.administration, (supervisor_id,)),
    )
    for unit_id, name, kind, holder, members in made_units:
        unit = signed_unit(world, UnitRow(unit_id, name, kind, holder.kem_public, supervisor_id, b""), supervisor.keys.holder.sign)
        private = holder.export_private().reveal()
        memberships = [
            MembershipRow(unit_id, one, world.locksmith.seal_to(rows[one].kem_public, private, unit_key_place(world, unit_id, one)))
            for one in members
        ]
        store.add_unit(unit, memberships, AuditDraft(AuditKind.UNIT_CREATED, facts=(("unit_id", unit_id), ("kind", kind.value))))
    world.directory.refresh()
    return tuple(enrolment(world, person_id, folded_badge(founder.badge_no), founder.name, made) for person_id, founder, made in people)
