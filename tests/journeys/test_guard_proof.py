"""The strip says of the interface's guard what was proven last; a proof that stays away is a report."""

from __future__ import annotations

import pytest

from tests.station import SUPERVISOR, Station
from vault.domain.breach import SignalKind
from vault.domain.protection import Protection, ProtectionState
from vault.errors import RefusedError

ALL = (Protection.COPY_KEYS, Protection.PRINT_SCREEN, Protection.CLIPBOARD)


def states(station: Station) -> dict[Protection, str]:
    return {one.protection: f"{one.state.value} {one.reason}" for one in station.vault.guard.statuses()}


def test_what_is_not_proven_is_blind_once(station: Station) -> None:
    guard = station.vault.guard
    with pytest.raises(RefusedError, match=r"session\.locked"):
        guard.proven(ALL, excluded_from_capture=False)
    station.sign_in(SUPERVISOR)
    guard.proven(ALL, excluded_from_capture=False)
    assert states(station)[Protection.COPY_KEYS] == "enforced swallowed"
    assert guard.newly_blind() == ()
    guard.proven((Protection.PRINT_SCREEN, Protection.CLIPBOARD), excluded_from_capture=False)
    assert states(station)[Protection.COPY_KEYS] == "unavailable blind"
    (signal,) = guard.newly_blind()
    assert signal.kind is SignalKind.SENSOR_BLIND
    assert dict(signal.facts)["protection"] == "copy-keys"
    assert guard.newly_blind() == ()
    guard.proven(ALL, excluded_from_capture=False)
    assert guard.newly_blind() == ()
    assert states(station)[Protection.COPY_KEYS] == "enforced swallowed"


def test_a_proof_that_stays_away_is_blind(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    guard = station.vault.guard
    assert guard.newly_blind() == ()
    station.clock.boot_added_us += 149_000_000
    assert guard.newly_blind() == ()
    station.clock.boot_added_us += 2_000_000
    assert {dict(one.facts)["protection"] for one in guard.newly_blind()} == {one.value for one in ALL}
    assert all(one.startswith("unavailable") for one in states(station).values())


def test_exclusion_is_said_only_where_the_system_says_so(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    guard = station.vault.guard
    guard.proven(ALL, excluded_from_capture=False)
    assert Protection.SCREEN_CAPTURE not in states(station)
    guard.proven(ALL, excluded_from_capture=True)
    found = next(one for one in guard.statuses() if one.protection is Protection.SCREEN_CAPTURE)
    assert found.state is ProtectionState.ENFORCED
