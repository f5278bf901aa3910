"""Failed attempts to be recognised: counted in the vault, wherever a passphrase or a code is typed.

Rules:

- Five failures in fifteen minutes lock the account until a supervisor releases it (CJIS AC-7). The count is in the vault: a restart does
  not reset it. LIMIT: a clock set forward by fifteen minutes ends a count, as waiting does; the lock itself does not end with time.
- Only an active account is locked: a lock is what a supervisor releases, and a release must not make a pending or disabled account good.
- A supervisor whom no other active one could release is never locked for good: the fifteen minutes hold them off, and nothing else. LIMIT:
  guesses at that passphrase go on at five in fifteen minutes, each in the trail, while no other supervisor is active: none enrolled, or
  all of them locked, which guesses at theirs bring about.

Control thread only.
"""

from __future__ import annotations

from vault.domain.audit import AuditDraft, AuditKind, Outcome
from vault.domain.duration import SECOND_US
from vault.domain.identity import PersonState, Role, folded_badge
from vault.errors import RefusedError
from vault.services.ports import PersonRow
from vault.services.world import World


class Attempts:
    """How often somebody was not recognised, and what comes of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def require_room(self, badge_no: str, person: PersonRow | None) -> None:
        """Refuse another attempt at a badge number that is locked or held off; `person` is whose it is, if anybody's.

        Raises:
            RefusedError: session.locked-out.
        Audit: session.sign-in-failed.
        """
        failures = self._since_window(badge_no)
        locked = person is not None and person.state is PersonState.LOCKED and not self._nobody_releases(person)
        if failures >= self._world.policy.failed_sign_ins or locked:
            self.record_refusal(person, "locked-out")
            raise RefusedError("session.locked-out", failures=failures)

    def record_refusal(self, person: PersonRow | None, reason: str) -> None:
        """Record an attempt that was refused for another reason than what was typed. Audit: session.sign-in-failed."""
        self._world.store.append_audit(self._draft(person, ("reason", reason)))

    def failed(self, badge_no: str, person: PersonRow | None) -> bool:
        """Count a failure, and lock the account if it is one too many; tell whether it was. Audit: session.sign-in-failed,
        session.locked-out."""
        world = self._world
        failures = self._since_window(badge_no) + 1
        audit = [self._draft(person, ("failures", failures))]
        too_many = failures >= world.policy.failed_sign_ins
        locks = too_many and person is not None and person.state is PersonState.ACTIVE and not self._nobody_releases(person)
        if too_many:
            audit.append(AuditDraft(AuditKind.LOCKED_OUT, person.person_id if person else None, facts=(("failures", failures),)))
        lock_person = person.person_id if person is not None and locks else None
        world.store.record_sign_in_failure(self._blind(badge_no), world.clock.now_us(), lock_person, audit)
        return too_many

    def forget(self, badge_no: str) -> None:
        """Begin to count anew: somebody was recognised."""
        self._world.store.clear_sign_in_failures(self._blind(badge_no))

    def _since_window(self, badge_no: str) -> int:
        world = self._world
        since_us = world.clock.now_us() - world.policy.failure_window_seconds * SECOND_US
        return world.store.sign_in_failures_since(self._blind(badge_no), since_us)

    def _draft(self, person: PersonRow | None, fact: tuple[str, str | int]) -> AuditDraft:
        """In the name of whose account it is; within a session, with it: the trail leads to who sat there."""
        session = self._world.session
        return AuditDraft(
            AuditKind.SIGN_IN_FAILED,
            person.person_id if person else None,
            session.row.session_id if session else None,
            outcome=Outcome.REFUSED,
            facts=(fact,),
        )

    def _nobody_releases(self, person: PersonRow) -> bool:
        """Whether this is a supervisor, and no other active one could release the account."""
        others = (one for one in self._world.store.people() if one.person_id != person.person_id)
        return person.role is Role.SUPERVISOR and not any(one.role is Role.SUPERVISOR and one.state is PersonState.ACTIVE for one in others)

    def _blind(self, badge_no: str) -> bytes:
        return self._world.locksmith.blind("badge:" + folded_badge(badge_no))
