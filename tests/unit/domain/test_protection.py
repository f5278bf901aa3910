"""The trust level: what was there and is gone takes trust away; what was never there does not."""

from __future__ import annotations

import pytest

from vault.domain.casefile import Marking, is_restricted
from vault.domain.policy import Policy, fenced, least_trust, policy_from
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus, Trust, TrustLevel, best_of, trust_of
from vault.errors import RefusedError

E, D, U = ProtectionState.ENFORCED, ProtectionState.DETECTED, ProtectionState.UNAVAILABLE
FULL, REDUCED, LOW = TrustLevel.FULL, TrustLevel.REDUCED, TrustLevel.LOW

COURSES = [
    # what becomes of a protection; its states in order (a reason after a blank); the trust at the end
    ("never there", ["unavailable"], FULL),
    ("there", ["detected"], FULL),
    ("lost", ["detected", "unavailable"], LOW),
    ("lost and back", ["detected", "unavailable", "detected"], FULL),
    ("enforced, then only detected", ["enforced", "detected"], REDUCED),
    ("enforced, then lost", ["enforced", "unavailable"], LOW),
    ("came late", ["unavailable", "detected"], FULL),
    ("came late and went", ["unavailable", "detected", "unavailable"], LOW),
    ("got better", ["detected", "enforced"], FULL),
    ("got better and fell back", ["detected", "enforced", "detected"], REDUCED),
    ("not known yet", ["unavailable starting"], FULL),
    ("started again", ["enforced", "unavailable starting"], FULL),
]


@pytest.mark.parametrize(("course", "level"), [row[1:] for row in COURSES], ids=[row[0] for row in COURSES])
def test_trust(course: list[str], level: TrustLevel) -> None:
    best, trust = {}, Trust(FULL)
    for one in course:
        state, _, reason = one.partition(" ")
        statuses = (
            ProtectionStatus(Protection.COPIES, ProtectionState(state), reason or "because"),
            ProtectionStatus(Protection.PREMISES, U, "not-bound"),
        )
        best = best_of(best, statuses)
        trust = trust_of(best, statuses)
    assert trust.level is level
    assert (Protection.COPIES in trust.lost, Protection.COPIES in trust.weakened) == (level is LOW, level is REDUCED)
    assert Protection.PREMISES not in trust.lost, "an ordinary workstation without a key server"


def test_the_worst_decides() -> None:
    best = {Protection.COPIES: E, Protection.CLOCK: D, Protection.MEDIA: D}
    now = [
        ProtectionStatus(Protection.COPIES, D, "x"),
        ProtectionStatus(Protection.CLOCK, U, "x"),
        ProtectionStatus(Protection.MEDIA, D, "x"),
    ]
    assert trust_of(best, now) == Trust(LOW, (Protection.CLOCK,), (Protection.COPIES,))


@pytest.mark.parametrize(
    ("setting", "marking", "least"),
    [
        ("reduced", Marking.OFFICIAL_SENSITIVE, LOW),
        ("reduced", Marking.RESTRICTED, REDUCED),
        ("reduced", Marking.CONFIDENTIAL, REDUCED),
        ("full", Marking.RESTRICTED, FULL),
        ("low", Marking.RESTRICTED, LOW),
        ("never", Marking.CONFIDENTIAL, LOW),
    ],
)
def test_what_a_marking_asks_for(setting: str, marking: Marking, least: TrustLevel) -> None:
    assert least_trust(policy_from({"restricted_needs_trust": setting}), marking) is least


def test_restricted_cases_ask_for_trust_unless_the_station_says_otherwise() -> None:
    assert {one for one in Marking if least_trust(Policy(), one) > LOW} == {one for one in Marking if is_restricted(one)}
    assert not any(fenced(Policy(), one) for one in Marking)
    assert [fenced(policy_from({"fence_reading": "restricted"}), one) for one in Marking] == [False, False, True, True]
    assert all(fenced(policy_from({"fence_reading": "always"}), one) for one in Marking)


@pytest.mark.parametrize("setting", [{"restricted_needs_trust": "some"}, {"restricted_needs_trust": True}, {"fence_reading": "maybe"}])
def test_a_setting_that_is_none_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match=r"policy\.wrong-value"):
        policy_from(setting)
