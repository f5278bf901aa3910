"""What a person signs in with, changed: another second factor for a lost phone, another passphrase of one's own.

Rules:

- A person's slot holds their keys and the secret of their second factor, sealed under their passphrase. So nothing here is done without
  that passphrase: it opens the slot, and whoever renews somebody's second factor still cannot sign in as them. A forgotten passphrase has
  no way back; the person is enrolled anew (`Administration.enrol`).
- A lost second factor is renewed by a supervisor or an administrator, with a reason, in whose session the person types their passphrase.
  Nobody renews their own that way: their own they renew with a code of the one they have.
- The new one is shown once. It is in force, and the one before dead, when the person has proven a code of it; until then nothing has
  changed. Another person's open sessions end then.
- Wrong passphrases and codes count as those of a sign-in do, against the person whose they should be (`attempts`). One too many at one's
  own locks the session as well: whoever sits there does not know what its owner knows.

LIMIT: a private key that was opened here to be sealed again lies in this vault process until its session ends, as after a sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vault.domain.audit import AuditKind
from vault.domain.identity import PersonId, PersonState, Role, SessionId
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.secret import Passphrase, Secret, secret_of
from vault.services.administration import enrolment
from vault.services.attempts import Attempts
from vault.services.events import LockRequired, RegisterChanged
from vault.services.locksmith import NewPerson, PersonKeys
from vault.services.operation import Lane, Priority, change, operation
from vault.services.ports import PersonRow
from vault.services.views import Enrolment
from vault.services.world import World

_SHOWN_SECONDS = 600
"""How long a new second factor waits to be proven."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A second factor that was shown and not proven yet."""

    session_id: SessionId  # in which it was shown
    before: PersonRow
    slot: bytes
    totp_secret: Secret
    reason_sealed: str  # "" for one's own
    until_boot_us: int


class Credentials:
    """What people sign in with."""

    def __init__(self, world: World, lock: Callable[[str], None]) -> None:
        """`lock` locks the open session, with the reason given (control thread)."""
        self._world = world
        self._lock = lock
        self._attempts = Attempts(world)
        self._shown: _Shown | None = None  # control thread

    @operation(Priority.CHANGE, Lane.KEYS)
    def change_passphrase(self, passphrase: Passphrase, code: str, new_passphrase: Passphrase) -> None:
        """Seal one's own keys and second factor under another passphrase; the one before opens nothing any more.

        Args:
            passphrase: the one in force.
            code: of the second factor, not used yet.
            new_passphrase: by the rule of an enrolment, and not the same.

        Raises:
            RefusedError: session.not-recognised, session.locked-out, session.code-used, passphrase.*, passphrase.same.
        Audit: person.passphrase-changed, or session.sign-in-failed (and session.locked-out, session.locked).
        """
        world = self._world
        row = world.on_control(self._own)
        old, new = secret_of(passphrase), secret_of(new_passphrase)
        try:
            keys, step = self._recognised(row, old, code)
            if old == new:
                raise RefusedError("passphrase.same")
            slot = world.locksmith.reseal(keys, row.person_id, row.badge_no, new)
        finally:
            old.wipe()
            new.wipe()
        world.on_control(lambda: self._change(row, slot, step))

    @operation(Priority.CHANGE, Lane.KEYS)
    def renew_factor(self, person_id: PersonId, passphrase: Passphrase, reason: str) -> Enrolment:
        """Draw another second factor for somebody who lost theirs, to be shown to them once; `confirm_factor` puts it in force.

        Args:
            person_id: not oneself; active, or still waiting for a signature.
            passphrase: that person's, typed by them.
            reason: at least ten characters; sealed to the supervisors.

        Raises:
            RefusedError: access.not-your-role, person.unknown, person.yourself, person.disabled, factor.reason-missing,
                passphrase.not-theirs, session.locked-out.
        Audit: session.sign-in-failed (and session.locked-out) for a wrong passphrase.
        """
        world = self._world
        row = world.on_control(lambda: self._somebody(person_id, reason))
        secret = secret_of(passphrase)
        try:
            keys = world.locksmith.open_person(row.slot, row.person_id, secret)
            keys.totp_secret.wipe()  # theirs, and in force until the new one is
            made = world.locksmith.renew_factor(keys, row.person_id, row.badge_no, secret, world.station.station_name)
        except RefusedError as error:
            world.on_control(lambda: self._attempts.failed(row.badge_no, row))
            raise RefusedError("passphrase.not-theirs") from error
        finally:
            secret.wipe()
        world.on_control(lambda: self._show(row, made, reason))
        return enrolment(world, row.person_id, row.badge_no, row.name, made)

    @operation(Priority.CHANGE, Lane.KEYS)
    def renew_own_factor(self, passphrase: Passphrase, code: str) -> Enrolment:
        """Draw another second factor for oneself with a code of the one in force: a new phone, while the old one is at hand.

        Raises:
            RefusedError: session.not-recognised, session.locked-out, session.code-used.
        Audit: session.sign-in-failed (and session.locked-out, session.locked) for a wrong passphrase or code.
        """
        world = self._world
        row = world.on_control(self._own)
        secret = secret_of(passphrase)
        try:
            keys, step = self._recognised(row, secret, code)
            made = world.locksmith.renew_factor(keys, row.person_id, row.badge_no, secret, world.station.station_name)
        finally:
            secret.wipe()

        def show() -> None:
            world.store.use_code(row.person_id, step)
            self._show(row, made, "")

        world.on_control(show)
        return enrolment(world, row.person_id, row.badge_no, row.name, made)

    @change
    def confirm_factor(self, code: str) -> None:
        """Put the second factor that was shown last in force, by a code of it; the one before is dead from then on.

        Raises:
            RefusedError: factor.none-shown (nothing was, it was ten minutes ago, or the account changed since), factor.code-wrong.
        Audit: person.factor-renewed.
        """
        world = self._world
        session = world.require()
        shown, boot_us, now_us = self._shown, world.clock.boot_us(), world.clock.now_us()
        if shown is not None and boot_us >= shown.until_boot_us:
            self._let_go()
            shown = None
        if shown is None or shown.session_id != session.row.session_id:
            raise RefusedError("factor.none-shown")
        try:
            step = world.locksmith.check_code(shown.totp_secret, code, now_us, 0)  # no code of it was ever used
        except RefusedError as error:
            raise RefusedError("factor.code-wrong") from error
        self._let_go()
        row = shown.before
        own = row.person_id == session.person.person_id
        draft = world.draft(AuditKind.FACTOR_RENEWED, person_id=row.person_id, reason_sealed=shown.reason_sealed)
        try:
            world.store.replace_slot(row.person_id, row.slot, shown.slot, step, 0 if own else now_us, draft)
        except RefusedError as error:
            raise RefusedError("factor.none-shown") from error
        self._attempts.forget(row.badge_no)
        self._follow()

    @change
    def forget_factor(self) -> None:
        """Let go of a second factor that was shown and will not be proven; the one before stays in force."""
        self._world.require()
        self._let_go()

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _own(self) -> PersonRow:
        """One's own row as it is now: a code was used since the session took its copy."""
        world = self._world
        person_id = world.require().person.person_id
        world.directory.refresh()
        row = world.directory.person(person_id)
        if row is None or row.state is PersonState.DISABLED:
            raise RefusedError("session.ended")
        self._attempts.require_room(row.badge_no, row)
        return row

    def _somebody(self, person_id: PersonId, reason: str) -> PersonRow:
        world = self._world
        session = world.require(Role.SUPERVISOR, Role.ADMINISTRATOR)
        if session.person.person_id == person_id:
            raise RefusedError("person.yourself")
        world.directory.refresh()
        if (row := world.directory.person(person_id)) is None:
            raise RefusedError("person.unknown")
        if row.state is PersonState.DISABLED:
            raise RefusedError("person.disabled")
        if not is_reason(reason):
            raise RefusedError("factor.reason-missing")
        self._attempts.require_room(row.badge_no, row)
        return row

    def _recognised(self, row: PersonRow, passphrase: Secret, code: str) -> tuple[PersonKeys, int]:
        """Open one's own slot by both factors, as a sign-in does: the keys, and the code's step."""
        world = self._world
        try:
            keys = world.locksmith.open_person(row.slot, row.person_id, passphrase)
            step = world.locksmith.check_code(keys.totp_secret, code, world.clock.now_us(), row.totp_last_step)
        except RefusedError:
            world.on_control(lambda: self._failed_own(row))
            raise
        return keys, step

    def _failed_own(self, row: PersonRow) -> None:
        if self._attempts.failed(row.badge_no, row):
            self._let_go()
            self._world.publish(LockRequired("guesses"))  # first: the page is covered while the rest is written
            self._lock("guesses")

    def _show(self, row: PersonRow, made: NewPerson, reason: str) -> None:
        world = self._world
        session = world.require()
        sealed = world.seal_to_supervisors(reason.strip().encode(), "factor", row.person_id).hex() if reason else ""
        until_us = world.clock.boot_us() + _SHOWN_SECONDS * 1_000_000
        self._let_go()
        self._shown = _Shown(session.row.session_id, row, made.slot, made.keys.totp_secret, sealed, until_us)

    def _let_go(self) -> None:
        if self._shown is not None:
            self._shown.totp_secret.wipe()
        self._shown = None

    def _change(self, row: PersonRow, slot: bytes, step: int) -> None:
        world = self._world
        world.require()
        world.store.use_code(row.person_id, step)
        world.store.replace_slot(row.person_id, row.slot, slot, step, 0, world.draft(AuditKind.PERSON_RESEALED, person_id=row.person_id))
        self._attempts.forget(row.badge_no)
        self._let_go()  # sealed under the passphrase that was
        self._follow()

    def _follow(self) -> None:
        """Have the directory, and the open session, know the new slot."""
        world = self._world
        session = world.require()
        world.directory.refresh()
        session.person = world.directory.person(session.person.person_id) or session.person
        world.publish(RegisterChanged())
