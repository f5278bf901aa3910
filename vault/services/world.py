"""What the services of one vault process share: the ports, the session, the control thread and the directory of people.

Rules:

- Only the control thread touches the store, the session and the directory. Other lanes hand it work with `World.on_control`.
- A person's keys live in `OpenSession` and die with the process; nothing here outlives a lock (DESIGN §2).
- The directory is verified when it is read: an entry whose two signatures do not hold is not a person (law 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from vault.domain.access import Decision, Effect, GranteeKind, GrantTerms, decide
from vault.domain.audit import AuditDraft, AuditKind, Outcome
from vault.domain.breach import Signal, SignalKind
from vault.domain.casefile import Marking
from vault.domain.duration import HOUR_US
from vault.domain.identity import CaseId, CheckOutId, PersonId, PersonState, Role, UnitId, UnitKind, VaultId, WorkstationId, folded_badge
from vault.domain.policy import Policy, least_trust
from vault.domain.protection import ProtectionStatus, Trust, TrustLevel
from vault.errors import Fact, RefusedError, TamperError, VaultError
from vault.services.events import Event
from vault.services.locksmith import CaseCipher, DirectoryFacts, KeyHolder, Locksmith, PersonKeys
from vault.services.operation import Lane, Priority
from vault.services.ports import Clock, Entropy, GrantRow, PersonRow, Screen, SecretKeeper, SessionRow, Store, UnitRow
from vault.services.views import PersonBrief

T = TypeVar("T")


class Threads(Protocol):
    """The vault process's threads, as the services use them."""

    def on_control(self, work: Callable[[], T], priority: Priority) -> T:
        """Run on the control thread and wait; at once if already there. Errors pass through."""

    def later(self, lane: Lane, work: Callable[[], None]) -> None:
        """Run on a lane when it has nothing else to do."""


@dataclass(frozen=True, slots=True)
class Station:
    """What a vault process knows of where it runs."""

    vault_id: VaultId
    station_name: str
    workstation_id: WorkstationId
    workstation_name: str
    supervisors_unit_id: UnitId
    supervisors_kem_public: bytes
    root_sign_publics: tuple[bytes, ...]  # the founding administrator's and supervisor's: where trust in the directory begins


@dataclass(slots=True)
class OpenSession:
    """A signed-in person and the keys that came with them."""

    row: SessionRow
    person: PersonRow
    unit_ids: tuple[UnitId, ...]
    keys: PersonKeys
    opened_boot_us: int  # when it was opened, by the clock since boot, which nobody sets
    last_signed_in_us: int = 0
    unit_holders: dict[UnitId, KeyHolder] = field(default_factory=dict)
    cases: dict[CaseId, CaseCipher] = field(default_factory=dict)


def supervisors_place(*place: str) -> tuple[str, ...]:
    """What words to the supervisors are bound to, wherever they are sealed."""
    return ("supervisors", *place)


class UnwatchedScreen:
    """`Screen` until the sensors run, and where nothing watches it: the strip says so, and pages are shown."""

    def require_private(self) -> None:
        """Refuse nothing."""

    def selection_owner(self, *, primary: bool) -> tuple[tuple[str, Fact], ...]:  # noqa: ARG002 - the shape of the port
        """Know nothing."""
        return ()


class World:
    """Everything the services share. One a vault process."""

    def __init__(
        self,
        station: Station,
        store: Store,
        locksmith: Locksmith,
        keeper: SecretKeeper,
        clock: Clock,
        entropy: Entropy,
        policy: Policy,
        threads: Threads,
        publish: Callable[[Event], None],
    ) -> None:
        self.station = station
        self.store = store
        self.locksmith = locksmith
        self.keeper = keeper
        self.clock = clock
        self.entropy = entropy
        self.policy = policy
        self.publish = publish
        self.session: OpenSession | None = None
        self.protections: Callable[[], tuple[ProtectionStatus, ...]] = tuple
        self.trust = Trust(TrustLevel.FULL)  # of this workstation now
        self.accommodated_until_us: Callable[[PersonId], int] = lambda _person_id: 0  # control thread; 0: no accommodation in force
        self.end: Callable[[str], None] = lambda _reason: None
        self.session_ending: Callable[[str], None] = lambda _reason: None  # control thread, while the session is still there
        self.leave_page: Callable[[], None] = lambda: None
        self.dwell_ms: Callable[[CheckOutId], int] = lambda _check_out_id: 0  # of the page on screen, so far
        self.screen: Screen = UnwatchedScreen()
        self.premises_hold: Callable[[], bool] = lambda: True  # whether the premises are proven now
        self.place: Callable[[], tuple[tuple[str, str], ...]] = tuple  # evidence of where this workstation stands, as facts; takes a moment
        self.observed: Callable[[Signal], None] = lambda _signal: None  # any thread; becomes a report
        self.directory = Directory(self)
        self._threads = threads

    # -- threads ---------------------------------------------------------------------------------------------------------------------

    def on_control(self, work: Callable[[], T], priority: Priority = Priority.CHANGE) -> T:
        """Run on the control thread and wait for the result."""
        return self._threads.on_control(work, priority)

    def later(self, lane: Lane, work: Callable[[], None]) -> None:
        """Run on a lane when it has nothing else to do."""
        self._threads.later(lane, work)

    def tampered(self, error: TamperError) -> None:
        """Make a report of what smells of tampering where nobody waits for the error (any thread)."""
        self.observed(Signal(SignalKind.STORE_TAMPERED, self.clock.now_us(), (("code", error.code), *error.facts.items())))

    # -- session ---------------------------------------------------------------------------------------------------------------------

    def require(self, *roles: Role) -> OpenSession:
        """Return the open session; refuse without one, or in a role not named (none named: any role).

        Raises:
            RefusedError: session.locked, session.ended (it lasted as long as policy allows, whatever the interface did about it),
                access.not-your-role.
        Audit: access.refused when the role is wrong.
        """
        session = self.session
        if session is None:
            raise RefusedError("session.locked")
        if self.is_overdue(session):
            raise RefusedError("session.ended")
        if roles and session.person.role not in roles:
            self.store.append_audit(self.draft(AuditKind.ACCESS_REFUSED, outcome=Outcome.REFUSED, role=session.person.role.value))
            raise RefusedError("access.not-your-role")
        return session

    def session_ends_us(self, row: SessionRow) -> int:
        """When a session has lasted as long as policy allows (CJIS IA-11), by the wall clock: for people, and the next process."""
        return row.opened_us + self.policy.session_hours * HOUR_US

    def is_overdue(self, session: OpenSession) -> bool:
        """Whether the open session has lasted as long as policy allows, however the wall clock was set meanwhile."""
        return self.clock.boot_us() - session.opened_boot_us >= self.policy.session_hours * HOUR_US

    def draft(self, kind: AuditKind, case_id: CaseId | None = None, outcome: Outcome = Outcome.DONE, **facts: str | int) -> AuditDraft:
        """Draft an audit entry in the name of the open session."""
        session = self.session
        return AuditDraft(
            kind,
            actor_id=session.person.person_id if session else None,
            session_id=session.row.session_id if session else None,
            case_id=case_id,
            outcome=outcome,
            facts=tuple(facts.items()),
        )

    # -- need-to-know ----------------------------------------------------------------------------------------------------------------

    def decision(self, case_id: CaseId, person: PersonRow, unit_ids: Sequence[UnitId]) -> tuple[Decision, Sequence[GrantRow]]:
        """Decide whether a person may see a case now; the grants come with the decision."""
        grants = self.store.grants_of(case_id)
        decision = decide(person.person_id, person.role, unit_ids, [grant.terms for grant in grants], self.clock.now_us())
        return decision, grants

    def require_case(self, case_id: CaseId) -> CaseCipher:
        """Return the cipher of a case the signed-in person may see now; the grant's signature is checked the first time.

        Raises:
            RefusedError: access.no-need-to-know.
            TamperError: signature.invalid, sealing.not-authentic.
        Audit: access.refused.
        """
        session = self.require()
        decision, grants = self.decision(case_id, session.person, session.unit_ids)
        if not decision.allowed:
            reason = decision.reasons[0].code.value
            self.store.append_audit(self.draft(AuditKind.ACCESS_REFUSED, case_id, Outcome.REFUSED, reason=reason))
            raise RefusedError("access.no-need-to-know", reason=reason)
        if (cipher := session.cases.get(case_id)) is None or not isinstance(cipher, _Checked):
            grant_id = decision.reasons[0].grant_id
            grant = next(one for one in grants if one.terms.grant_id == grant_id)
            self.directory.check_grant(grant)
            cipher = _Checked(self.open_grant(grant))
            session.cases[case_id] = cipher
        return cipher

    def open_grant(self, grant: GrantRow) -> CaseCipher:
        """Open the case key a grant carries with the person's or the unit's private key. Its signature is not checked here."""
        session = self.require()
        terms = grant.terms
        holder = session.keys.holder
        if terms.grantee_kind is GranteeKind.UNIT:
            unit_holder = session.unit_holders.get(UnitId(terms.grantee_id))
            if unit_holder is None:
                raise RefusedError("access.no-need-to-know")
            holder = unit_holder
        key = holder.open_sealed(grant.case_key_sealed, self.case_key_place(terms))
        return self.locksmith.case_from(terms.case_id, key)

    def case_key_place(self, terms: GrantTerms) -> bytes:
        """What a sealed case key is bound to."""
        return self.locksmith.bind("case-key", terms.case_id, terms.grant_id, terms.grantee_kind.value, terms.grantee_id)

    def require_trust(self, marking: Marking) -> None:
        """Refuse a case whose marking needs more trust than this workstation has now. Raises RefusedError trust.too-low."""
        least = least_trust(self.policy, marking)
        if self.trust.level < least:
            raise RefusedError("trust.too-low", level=self.trust.level.name.lower(), least=least.name.lower())

    # -- words to supervisors --------------------------------------------------------------------------------------------------------

    def seal_to_supervisors(self, plaintext: bytes, *place: str) -> bytes:
        """Seal so that only a supervisor reads it: labels, facts of a report, notes."""
        return self.locksmith.seal_to(self.station.supervisors_kem_public, plaintext, self.locksmith.bind(*supervisors_place(*place)))

    def open_as_supervisor(self, sealed: bytes, *place: str) -> bytes | None:
        """Open what was sealed to the supervisors; None if the signed-in person is not one."""
        session = self.session
        holder = session.unit_holders.get(self.station.supervisors_unit_id) if session else None
        if holder is None:
            return None
        return holder.open_sealed(sealed, self.locksmith.bind(*supervisors_place(*place))).reveal()


class _Checked:
    """A case cipher whose grant's signature was verified in this session."""

    def __init__(self, cipher: CaseCipher) -> None:
        self.seal_card = cipher.seal_card
        self.open_card = cipher.open_card
        self.chunks = cipher.chunks
        self.key = cipher.key


class Directory:
    """People and units, verified. Read again after every change."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people: dict[PersonId, PersonRow] = {}
        self._trusted: dict[PersonId, PersonRow] = {}  # both signatures hold
        self._units: dict[UnitId, UnitRow] = {}

    def refresh(self) -> None:
        """Read and verify everybody who has, or should have, both signatures. Raises TamperError directory.unsigned."""
        rows = {row.person_id: row for row in self._world.store.people()}
        trusted: dict[PersonId, PersonRow] = {}
        for row in rows.values():
            # Enrolled and never cosigned, disabled before it was: nobody, and no reason for the whole station to stand still.
            unsigned = row.state is PersonState.PENDING or (row.state is PersonState.DISABLED and row.supervisor_id is None)
            if not unsigned:
                self._verify(row, rows, trusted, ())
        self._people, self._trusted = rows, trusted
        self._units = {}
        for unit in self._world.store.units():
            signer = trusted.get(unit.signed_by)
            if signer is None or signer.role is not Role.SUPERVISOR:
                raise TamperError("directory.unsigned", unit_id=unit.unit_id)
            self._world.locksmith.verify(signer.sign_public, "unit", self.unit_statement(unit), unit.signature)
            self._units[unit.unit_id] = unit

    def people(self) -> Sequence[PersonRow]:
        """Everybody, by badge number."""
        return sorted(self._people.values(), key=lambda row: row.badge_no)

    def units(self) -> Sequence[UnitRow]:
        """Every unit, by name."""
        return sorted(self._units.values(), key=lambda row: row.name)

    def person(self, person_id: PersonId) -> PersonRow | None:
        """Look up by id."""
        return self._people.get(person_id)

    def vouched(self, person_id: PersonId) -> PersonRow | None:
        """Look up somebody both of whose signatures were verified, whatever became of the account since."""
        return self._trusted.get(person_id)

    def active_by_badge(self, badge_no: str) -> PersonRow:
        """Look up an active person. Raises RefusedError person.unknown."""
        wanted = folded_badge(badge_no)
        for row in self._people.values():
            if folded_badge(row.badge_no) == wanted and row.state is PersonState.ACTIVE:
                return row
        raise RefusedError("person.unknown")

    def unit(self, unit_id: UnitId) -> UnitRow:
        """Look up by id. Raises RefusedError unit.unknown."""
        if (unit := self._units.get(unit_id)) is None:
            raise RefusedError("unit.unknown")
        return unit

    def unit_of_kind(self, kind: UnitKind) -> UnitRow:
        """The first unit of a kind; founding makes one of each. Raises RefusedError unit.unknown."""
        for unit in self._units.values():
            if unit.kind is kind:
                return unit
        raise RefusedError("unit.unknown")

    def brief(self, person_id: PersonId | None) -> PersonBrief | None:
        """Name a person with badge, unit and role."""
        row = self._people.get(person_id) if person_id else None
        if row is None:
            return None
        unit = self._units.get(row.unit_id)
        return PersonBrief(row.person_id, row.name, row.badge_no, unit.name if unit else "", row.role)

    def named(self, person_id: PersonId) -> PersonBrief:
        """Name a person who must exist."""
        return self.brief(person_id) or PersonBrief(person_id, "", "", "", Role.OFFICER)

    @staticmethod
    def facts(row: PersonRow) -> DirectoryFacts:
        """What the two signatures of a person cover."""
        return DirectoryFacts(row.person_id, row.badge_no, row.name, row.role, row.unit_id, row.kem_public, row.sign_public)

    def unit_statement(self, unit: UnitRow) -> bytes:
        """What the signature of a unit covers."""
        return self._world.locksmith.bind(unit.unit_id, unit.name, unit.kind.value, unit.kem_public, unit.signed_by)

    def grant_statement(self, terms: GrantTerms, case_key_sealed: bytes) -> bytes:
        """What the signature of a grant covers: everything but its later removal."""
        return self._world.locksmith.bind(
            terms.grant_id,
            terms.case_id,
            terms.effect.value,
            terms.grantee_kind.value,
            terms.grantee_id,
            terms.from_us,
            terms.until_us,
            terms.granted_by,
            terms.granted_us,
            case_key_sealed,
        )

    def check_grant(self, grant: GrantRow) -> None:
        """Verify who granted. Raises TamperError signature.invalid."""
        grantor = self._trusted.get(grant.terms.granted_by)
        if grantor is None or (grant.terms.effect is Effect.ALLOW and not grant.case_key_sealed):
            raise TamperError("signature.invalid", grant_id=grant.terms.grant_id)
        statement = self.grant_statement(grant.terms, grant.case_key_sealed)
        self._world.locksmith.verify(grantor.sign_public, "grant", statement, grant.signature)

    def _verify(
        self, row: PersonRow, rows: dict[PersonId, PersonRow], trusted: dict[PersonId, PersonRow], path: tuple[PersonId, ...]
    ) -> None:
        if row.person_id in trusted:
            return
        administrator = rows.get(row.administrator_id)
        supervisor = rows.get(row.supervisor_id) if row.supervisor_id else None
        if administrator is None or supervisor is None or row.person_id in path:
            raise TamperError("directory.unsigned", person_id=row.person_id)
        if administrator.role is not Role.ADMINISTRATOR or supervisor.role is not Role.SUPERVISOR:
            raise TamperError("directory.unsigned", person_id=row.person_id)
        try:
            self._world.locksmith.verify_directory(
                self.facts(row),
                administrator.sign_public,
                row.administrator_signature,
                supervisor.sign_public,
                row.supervisor_signature,
            )
        except VaultError as error:
            raise TamperError("directory.unsigned", person_id=row.person_id) from error
        if row.sign_public not in self._world.station.root_sign_publics:
            for voucher in (administrator, supervisor):
                self._verify(voucher, rows, trusted, (*path, row.person_id))
        trusted[row.person_id] = row
