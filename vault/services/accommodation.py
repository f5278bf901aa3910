"""The accommodation of an officer who reads with assistive technology: page text for their session, granted by a supervisor.

Rules:

- It is granted to one person, from and until a time, with a reason sealed to the supervisors, and may be taken back at any moment. It
  stands in the audit trail, signed, as every standing act does.
- Nobody grants it to themselves, and roles without cases have no use for it.
- It gives no sight of anything: page text is sent for the page that is on screen, one page at a time, each recorded before it is sent, to
  the person it was granted to, and to nobody else (`Reading.page_text`).

LIMIT: text that assistive technology can read can be read by other programs of the same desktop session too. That is what the
supervisor grants; the protection strip says so while it is in force.

Control thread only.
"""

from __future__ import annotations

from vault.domain.access import ROLES_WITHOUT_CASES
from vault.domain.audit import AuditKind
from vault.domain.duration import DAY_US
from vault.domain.identity import PersonId, PersonState, Role
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.services.events import RegisterChanged
from vault.services.operation import change, query
from vault.services.standing import StandingAct, StandingActs
from vault.services.views import AccommodationLine
from vault.services.world import World

CEILING_DAYS = 366


class Accommodations:
    """Who may have page text sent to assistive technology."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts = StandingActs(world, AuditKind.ACCOMMODATION_GRANTED, AuditKind.ACCOMMODATION_REMOVED)

    @query
    def accommodations(self) -> tuple[AccommodationLine, ...]:
        """List what was granted and not taken back, ended ones included. Raises RefusedError access.not-your-role."""
        world = self._world
        world.require(Role.SUPERVISOR)
        lines = []
        for act in self._acts.standing().values():
            sealed = bytes.fromhex(str(act.facts["reason_sealed"]))
            reason = (world.open_as_supervisor(sealed, "accommodation", act.act_id) or b"").decode()
            person = world.directory.named(_person(act))
            from_us, until_us = _period(act)
            lines.append(AccommodationLine(act.act_id, person, from_us, until_us, reason, world.directory.named(act.by), act.begun_us))
        return tuple(lines)

    @change
    def grant(self, person_id: PersonId, from_us: int, until_us: int, reason: str) -> None:
        """Let a person have the text of the page on screen sent to assistive technology.

        Args:
            person_id: an active person who may read cases, not oneself.
            from_us: UTC microseconds; 0 = now.
            until_us: after that, and after now; at most CEILING_DAYS ahead of the beginning.
            reason: at least ten characters; sealed to the supervisors.
        Raises:
            RefusedError: access.not-your-role, person.unknown, person.yourself, accommodation.role, accommodation.period,
                accommodation.reason-missing.
        Audit: accommodation.granted.
        """
        world = self._world
        me = world.require(Role.SUPERVISOR).person.person_id
        if person_id == me:
            raise RefusedError("person.yourself")
        person = world.directory.person(person_id)
        if person is None or person.state is not PersonState.ACTIVE:
            raise RefusedError("person.unknown")
        if person.role in ROLES_WITHOUT_CASES:
            raise RefusedError("accommodation.role")
        now_us = world.clock.now_us()
        from_us = from_us or now_us
        if not max(from_us, now_us) < until_us <= from_us + CEILING_DAYS * DAY_US:
            raise RefusedError("accommodation.period", days=CEILING_DAYS)
        if not is_reason(reason):
            raise RefusedError("accommodation.reason-missing")
        act_id = world.entropy.token()
        sealed = world.seal_to_supervisors(reason.strip().encode(), "accommodation", act_id)
        self._acts.begin(act_id, ("person_id", person_id), ("from_us", from_us), ("until_us", until_us), ("reason_sealed", sealed.hex()))
        world.publish(RegisterChanged())

    @change
    def remove(self, act_id: str) -> None:
        """Take an accommodation back; from now on no page text is sent under it.

        Raises:
            RefusedError: access.not-your-role, accommodation.unknown.
        Audit: accommodation.removed.
        """
        world = self._world
        world.require(Role.SUPERVISOR)
        act = self._acts.standing().get(act_id)
        if act is None:
            raise RefusedError("accommodation.unknown")
        self._acts.end(act_id, ("person_id", _person(act)))
        world.publish(RegisterChanged())

    def until_us(self, person_id: PersonId) -> int:
        """Until when an accommodation is in force for a person now, UTC microseconds; 0 if none is."""
        now_us = self._world.clock.now_us()
        periods = [_period(act) for act in self._acts.standing().values() if _person(act) == person_id]
        return max((until for begin, until in periods if begin <= now_us < until), default=0)


def _person(act: StandingAct) -> PersonId:
    return PersonId(str(act.facts["person_id"]))


def _period(act: StandingAct) -> tuple[int, int]:
    return int(act.facts["from_us"]), int(act.facts["until_us"])
