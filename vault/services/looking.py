"""Looking: which looks at cases and lists become entries of the audit trail.

Rules:

- The entry is durable before anything of what was asked for is shown (law 2).
- Looking at the same thing again while still looking is the same look: a list that follows events, the next page of a search, a case asked
  for by two parts of one window. It is entered when it begins, when more than two minutes passed since it was last asked for, and after a
  quarter of an hour without a break.
- Looks are a session's: whoever signs in next begins looking.

Control thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vault.domain.audit import AuditKind
from vault.domain.duration import MINUTE_US
from vault.domain.identity import CaseId, SessionId
from vault.services.world import World

PAUSE_US: Final = 2 * MINUTE_US
LONGEST_US: Final = 15 * MINUTE_US
_KEPT_MOST = 500


@dataclass(frozen=True, slots=True)
class _Look:
    entered_us: int
    asked_us: int


class Looks:
    """The looks of the open session that still go on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session: SessionId | None = None
        self._going_on: dict[tuple[AuditKind, CaseId | None, str], _Look] = {}

    def enter(self, kind: AuditKind, case_id: CaseId | None = None, words: str = "") -> None:
        """Record a look before it is answered, unless it is one that goes on.

        Args:
            kind: what is looked at.
            case_id: the case, where it is one.
            words: what a search looks for, as a keyed hash: never the words themselves.
        Audit: `kind`.
        """
        world = self._world
        session_id = world.require().row.session_id
        if session_id != self._session:
            self._session, self._going_on = session_id, {}
        now_us = world.clock.boot_us()
        look = self._going_on.get((kind, case_id, words))
        if look is None or now_us - look.asked_us > PAUSE_US or now_us - look.entered_us > LONGEST_US:
            world.store.append_audit(world.draft(kind, case_id, words=words) if words else world.draft(kind, case_id))
            look = _Look(now_us, now_us)
        self._going_on.pop((kind, case_id, words), None)
        self._going_on[kind, case_id, words] = _Look(look.entered_us, now_us)
        if len(self._going_on) > _KEPT_MOST:
            del self._going_on[next(iter(self._going_on))]  # asked for longest ago: asked for again, it is entered again
