"""Signing in, locking and signing out.

Rules:

- Two factors: the passphrase opens the person's slot (Argon2id), and the slot holds the secret the one-time code is checked with. Wrong
  badge number, passphrase or code give one answer, at one speed.
- Failed attempts are counted, and lock the account (`attempts`).
- One session a person and one a workstation. A lock ends the vault process; the same person unlocks with the passphrase alone, on the same
  workstation, within the session's hours (CJIS IA-11: 12 at most).
- An open session's hours run by the clock since boot: setting the clock neither ends nor stretches them. LIMIT: what passed until an unlock
  is known by the wall clock alone; a clock set back is reported.
"""

from __future__ import annotations

from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.identity import PersonState, SessionId, folded_badge
from vault.domain.protection import ProtectionStatus
from vault.errors import RefusedError
from vault.secret import Passphrase, secret_of
from vault.services.attempts import Attempts
from vault.services.locksmith import PersonKeys
from vault.services.operation import Lane, Priority, operation, query
from vault.services.ports import AuditFilter, PersonRow, SessionRow
from vault.services.views import PersonBrief, SignedIn, StationView
from vault.services.world import OpenSession, World


class Session:
    """Who works at this workstation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._attempts = Attempts(world)
        self._interrupted = False  # the system locked while somebody was signing in

    @query
    def station(self) -> StationView:
        """Tell what may be shown before anyone signs in."""
        world = self._world
        locked = world.store.locked_session(world.station.workstation_id)
        brief: PersonBrief | None = None
        if locked is not None and world.clock.now_us() < world.session_ends_us(locked):
            brief = world.directory.brief(locked.person_id)
        return StationView(True, world.station.station_name, world.station.workstation_name, brief, world.protections())

    @query
    def protections(self) -> tuple[ProtectionStatus, ...]:
        """Tell what each protection does on this workstation now."""
        return self._world.protections()

    @operation(Priority.CHANGE, Lane.KEYS)
    def sign_in(self, badge_no: str, passphrase: Passphrase, code: str) -> SignedIn:
        """Open a session.

        Raises:
            RefusedError: session.not-recognised, session.locked-out, session.pending, session.disabled, session.already-open.
        Audit: session.signed-in, or session.sign-in-failed (and session.locked-out); protections.stated.
        """
        world = self._world
        badge_no = folded_badge(badge_no)
        person = world.on_control(lambda: self._candidate(badge_no))
        secret = secret_of(passphrase)
        try:
            if person is None:
                world.locksmith.spend_time(secret)
                raise RefusedError("session.not-recognised")  # the same way out as a wrong passphrase
            keys = world.locksmith.open_person(person.slot, person.person_id, secret)
            step = world.locksmith.check_code(keys.totp_secret, code, world.clock.now_us(), person.totp_last_step)
        except RefusedError:
            world.on_control(lambda: self._attempts.failed(badge_no, person))
            raise
        finally:
            secret.wipe()
        return world.on_control(lambda: self._open(person, keys, step))

    @operation(Priority.CHANGE, Lane.KEYS)
    def unlock(self, passphrase: Passphrase) -> SignedIn:
        """Resume the session that is locked on this workstation.

        Raises:
            RefusedError: session.not-recognised, session.locked-out, session.nothing-locked, session.ended, session.disabled.
        Audit: session.unlocked, or session.sign-in-failed.
        """
        world = self._world
        row, person = world.on_control(self._locked)
        secret = secret_of(passphrase)
        try:
            keys = world.locksmith.open_person(person.slot, person.person_id, secret)
        except RefusedError:
            world.on_control(lambda: self._attempts.failed(person.badge_no, person))
            raise
        finally:
            secret.wipe()
        return world.on_control(lambda: self._resume(row, person, keys))

    @operation(Priority.LOCK)
    def lock(self, reason: str) -> None:
        """Lock the session and end this process; the person's keys die with it.

        Args:
            reason: idle, key, screen-lock, suspend, user-switch, session-end, tamper, guesses.
        Audit: session.locked; document.intake-cancelled before it for an intake that ends with it.
        """
        world = self._world
        session = world.session
        try:
            if session is not None:
                draft = world.draft(AuditKind.LOCKED, reason=reason)
                try:
                    world.session_ending(reason)
                finally:  # whatever becomes of what ends with it, the session is locked
                    world.session = None
                    world.store.lock_session(session.row.session_id, world.clock.now_us(), draft)
        finally:  # an entry that cannot be written does not keep the keys alive
            world.end("locked")

    def lock_by_system(self, reason: str) -> None:
        """Lock because the system did (control thread); a sign-in under way is refused. Audit: session.locked."""
        self._interrupted = True
        if self._world.session is not None:
            self.lock(reason)

    @operation(Priority.LOCK)
    def sign_out(self) -> None:
        """End the session and this process. Case files stay checked out until they are due back.

        Audit: session.signed-out; document.intake-cancelled before it for an intake that ends with it.
        """
        world = self._world
        try:
            self._sign_out()
        finally:
            world.end("signed-out")

    def overdue(self) -> bool:
        """Whether the open session has lasted as long as policy allows (control thread, every second)."""
        session = self._world.session
        return session is not None and self._world.is_overdue(session)

    # -- control thread --------------------------------------------------------------------------------------------------------------

    def _sign_out(self) -> None:
        world = self._world
        session = world.session
        if session is None:
            locked = world.store.locked_session(world.station.workstation_id)
            if locked is not None:
                draft = AuditDraft(AuditKind.SIGNED_OUT, locked.person_id, locked.session_id)
                world.store.end_session(locked.session_id, world.clock.now_us(), draft)
        else:
            draft = world.draft(AuditKind.SIGNED_OUT)
            try:
                world.session_ending("signed-out")
            finally:
                world.session = None
                world.store.end_session(session.row.session_id, world.clock.now_us(), draft)

    def _candidate(self, badge_no: str) -> PersonRow | None:
        world = self._world
        self._interrupted = False
        if world.session is not None:
            raise RefusedError("session.already-open")
        person = world.store.person_by_badge(badge_no)
        self._attempts.require_room(badge_no, person)
        if person is not None and person.state is not PersonState.DISABLED:
            world.directory.refresh()
        return person

    def _open(self, person: PersonRow, keys: PersonKeys, step: int) -> SignedIn:
        world = self._world
        self._require_good(person)
        self._require_undisturbed()
        row = SessionRow(SessionId(world.entropy.token()), person.person_id, world.station.workstation_id, world.clock.now_us())
        session = self._session(row, person, keys)
        before = world.store.audit_entries(AuditFilter(kinds=(AuditKind.SIGNED_IN.value,), actor_id=person.person_id), 0, 1)
        session.last_signed_in_us = before[0].at_us if before else 0
        statuses = ",".join(f"{one.protection.value}={one.state.value}" for one in world.protections())
        trust = world.trust.level.name.lower()
        drafts = [
            AuditDraft(AuditKind.SIGNED_IN, person.person_id, row.session_id),
            AuditDraft(AuditKind.PROTECTIONS, person.person_id, row.session_id, facts=(("states", statuses), ("trust", trust))),
        ]
        locked = world.store.locked_session(world.station.workstation_id)
        if locked is not None:  # opening ends it: the trail says whose session ended, and why
            ended = AuditDraft(AuditKind.SIGNED_OUT, locked.person_id, locked.session_id, facts=(("reason", "workstation-taken"),))
            drafts.insert(0, ended)
        world.store.open_session(row, step, drafts)
        self._attempts.forget(person.badge_no)
        world.session = session
        return self._signed_in(session)

    def _require_undisturbed(self) -> None:
        """Refuse to open a session behind a screen that the system locked meanwhile."""
        if self._interrupted:
            raise RefusedError("session.locked")

    def _require_good(self, person: PersonRow) -> None:
        """Refuse an account without its second signature, or a disabled one, after both factors were right; record it.

        A locked one comes here only if nobody could release it (`_candidate`): its lock ends, and the trail says so.
        """
        if person.state is PersonState.PENDING:
            self._attempts.record_refusal(person, "pending")
            raise RefusedError("session.pending")
        if person.state is PersonState.DISABLED:
            self._attempts.record_refusal(person, "disabled")
            raise RefusedError("session.disabled")
        if person.state is PersonState.LOCKED:
            released = AuditDraft(AuditKind.PERSON_RELEASED, person.person_id, facts=(("person_id", person.person_id),))
            self._world.store.set_person_state(person.person_id, PersonState.ACTIVE, released)
            self._world.directory.refresh()

    def _locked(self) -> tuple[SessionRow, PersonRow]:
        world = self._world
        if world.session is not None:
            raise RefusedError("session.already-open")
        world.directory.refresh()
        row = world.store.locked_session(world.station.workstation_id)
        person = world.directory.person(row.person_id) if row else None
        if row is None or person is None:
            raise RefusedError("session.nothing-locked")
        if world.clock.now_us() >= world.session_ends_us(row):
            raise RefusedError("session.ended")
        self._candidate(person.badge_no)
        return row, person

    def _resume(self, row: SessionRow, person: PersonRow, keys: PersonKeys) -> SignedIn:
        world = self._world
        self._require_good(person)
        self._require_undisturbed()
        session = self._session(row, person, keys)
        self._attempts.forget(person.badge_no)
        world.store.unlock_session(row.session_id, AuditDraft(AuditKind.UNLOCKED, person.person_id, row.session_id))
        world.session = session
        return self._signed_in(session)

    def _session(self, row: SessionRow, person: PersonRow, keys: PersonKeys) -> OpenSession:
        world = self._world
        memberships = world.store.memberships_of(person.person_id)
        lasted_us = max(0, world.clock.now_us() - row.opened_us)
        session = OpenSession(row, person, tuple(one.unit_id for one in memberships), keys, world.clock.boot_us() - lasted_us)
        for one in memberships:
            private = keys.holder.open_sealed(one.unit_key_sealed, unit_key_place(world, one.unit_id, person.person_id))
            session.unit_holders[one.unit_id] = world.locksmith.holder_from(private)
        return session

    def _signed_in(self, session: OpenSession) -> SignedIn:
        world = self._world
        return SignedIn(
            session_id=session.row.session_id,
            person=world.directory.named(session.person.person_id),
            station_name=world.station.station_name,
            workstation_name=world.station.workstation_name,
            idle_lock_seconds=world.policy.idle_lock_seconds,
            session_ends_us=world.session_ends_us(session.row),
            last_signed_in_us=session.last_signed_in_us,
            protections=world.protections(),
            trust=world.trust.level,
            accommodated_until_us=world.accommodated_until_us(session.person.person_id),
        )


def unit_key_place(world: World, unit_id: str, person_id: str) -> bytes:
    """What a unit's private key, sealed to a member, is bound to."""
    return world.locksmith.bind("unit-key", unit_id, person_id)
