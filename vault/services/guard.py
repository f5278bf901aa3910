"""What the interface proves of its own guard: the keys it swallows and the selections it watches, probed there every minute (law 6).

Rules:

- A protection of the interface is what its last proof says. A proof that is missing for `_MISSING_US`, or that says no, makes it
  UNAVAILABLE ``blind``: one SENSOR_BLIND signal each time it goes blind.
- Nobody signed in: the guard does not stand, and nothing of a case is on screen; the states are those it will have.

LIMIT: the proof of the selections is of the watch's own end (`SelectionWatch.stands`): no change is provoked, which would take away what a
person has copied. That the window system tells of one is not proven until it does.

LIMIT: the proof comes from the interface's own process, which the vault trusts with pixels only. It finds a guard that fell over, not an
interface that lies.

Control thread.
"""

from __future__ import annotations

from vault.domain.breach import Signal, gone_blind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.services.operation import query
from vault.services.world import World

_MISSING_US = 150_000_000
_WORKING = (
    ProtectionStatus(Protection.COPY_KEYS, ProtectionState.ENFORCED, "swallowed"),
    ProtectionStatus(Protection.PRINT_SCREEN, ProtectionState.DETECTED, "key-seen"),
    ProtectionStatus(Protection.CLIPBOARD, ProtectionState.DETECTED, "watched"),
)


class InterfaceGuard:
    """Keeps the last proof of the session."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session_id = ""
        self._proven_boot_us = 0
        self._working = frozenset(one.protection for one in _WORKING)
        self._excluded = False
        self._blind: frozenset[Protection] = frozenset()

    @query
    def proven(self, working: tuple[Protection, ...], excluded_from_capture: bool) -> None:
        """Say which protections of the interface answered their probe just now.

        Args:
            working: of COPY_KEYS, PRINT_SCREEN and CLIPBOARD, those that did; of CLIPBOARD that its watch stands.
            excluded_from_capture: whether the system says that it leaves the window out of captures.
        Raises:
            RefusedError: session.locked, session.ended.
        Audit: none; a protection that goes blind becomes a report.
        """
        self._world.require()
        self._begin()
        self._proven_boot_us = self._world.clock.boot_us()
        self._working = frozenset(working)
        self._excluded = excluded_from_capture

    def statuses(self) -> tuple[ProtectionStatus, ...]:
        """The states of the interface's protections now; SCREEN_CAPTURE among them only where the system excludes the window."""
        blind = self._blind_now()
        found = tuple(
            ProtectionStatus(one.protection, ProtectionState.UNAVAILABLE, "blind") if one.protection in blind else one for one in _WORKING
        )
        if self._excluded and not blind:
            found += (ProtectionStatus(Protection.SCREEN_CAPTURE, ProtectionState.ENFORCED, "excluded"),)
        return found

    def newly_blind(self) -> tuple[Signal, ...]:
        """A signal for each protection that went blind since this was asked last; ask every second."""
        before, self._blind = self._blind, self._blind_now()
        return tuple(
            gone_blind(ProtectionStatus(one, ProtectionState.UNAVAILABLE, "blind"), self._world.clock.now_us())
            for one in sorted(self._blind - before, key=lambda one: one.value)
        )

    def _blind_now(self) -> frozenset[Protection]:
        if self._world.session is None:
            return frozenset()
        self._begin()
        known = frozenset(one.protection for one in _WORKING)
        if self._world.clock.boot_us() - self._proven_boot_us > _MISSING_US:
            return known
        return known - self._working

    def _begin(self) -> None:
        """A session's first proof has as long as every other."""
        session = self._world.session
        if session is not None and session.row.session_id != self._session_id:
            self._session_id = session.row.session_id
            self._proven_boot_us = self._world.clock.boot_us()
            self._working = frozenset(one.protection for one in _WORKING)
