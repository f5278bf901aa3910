"""The workstation's trust level: followed, recorded when it changes, and asked before a restricted case is opened.

Rules:

- The level is `vault.domain.protection.trust_of`; what counts as lost is measured from what was there since this vault process started.
  LIMIT: a protection that is gone before the process starts was never there for it; the states of every sign-in are in the audit trail.
- A change is an audit entry before anybody is told. When the level falls below what the case on screen needs, the page is left at once.
- Where policy asks for trust, a case of a restricted marking is not checked out and none of its pages shown until the level is back
  (`World.require_trust`, asked by custody and by reading).

Control thread only.
"""

from __future__ import annotations

from collections.abc import Callable

from vault.domain.audit import AuditKind
from vault.domain.policy import least_trust
from vault.domain.protection import Best, ProtectionStatus, best_of, trust_of
from vault.services.events import ProtectionsChanged
from vault.services.reading import OnScreen
from vault.services.world import World


class WorkstationTrust:
    """Follows the protections."""

    def __init__(self, world: World, on_screen: Callable[[], OnScreen | None]) -> None:
        self._world = world
        self._on_screen = on_screen
        self._best: Best = {}

    def follow(self, statuses: tuple[ProtectionStatus, ...]) -> None:
        """Take in what the protections are now, and tell. Audit: protections.trust-changed when the level did; page.left."""
        world = self._world
        self._best = best_of(self._best, statuses)
        before, now = world.trust, trust_of(self._best, statuses)
        if now.level is not before.level:
            lost = ",".join(one.value for one in (*now.lost, *now.weakened))
            names = before.level.name.lower(), now.level.name.lower()
            world.store.append_audit(world.draft(AuditKind.TRUST_CHANGED, before=names[0], now=names[1], lost=lost))
        world.trust = now
        seen = self._on_screen()
        if seen is not None and now.level < least_trust(world.policy, seen.marking):
            world.leave_page()
        world.publish(ProtectionsChanged(statuses, now.level))
