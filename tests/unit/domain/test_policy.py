"""Settings outside their bounds are refused, never clipped; the rules the bounds come from are named there."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.assembly import load_policy, station_policy
from vault.crypto.tang import DEADLINE_SECONDS
from vault.domain.identity import folded_badge
from vault.domain.policy import _BOUNDS, _PROOF_DEADLINE_SECONDS, Policy, policy_from
from vault.errors import RefusedError

NUMBERS = sorted(_BOUNDS)


def test_the_bounds_are_what_the_rules_say() -> None:
    assert _BOUNDS["idle_lock_seconds"][1] <= 30 * 60, "CJIS AC-11: at most 30 minutes"
    assert _BOUNDS["failed_sign_ins"][1] <= 5, "CJIS AC-7: at most five"
    assert _BOUNDS["failure_window_seconds"][0] >= 15 * 60, "CJIS AC-7: within 15 minutes"
    assert _BOUNDS["session_hours"][1] <= 12, "CJIS IA-11: at most 12 hours"
    assert set(_BOUNDS) == {one.name for one in fields(Policy) if one.type == "int"}


@given(st.sampled_from(NUMBERS), st.integers(-10, 100_000))
def test_a_number_is_taken_as_it_is_or_refused(name: str, value: int) -> None:
    low, high = _BOUNDS[name]
    values = {"premises_proof_seconds": 3, "premises_lease_seconds": 300, name: value}
    if low <= value <= high:
        assert getattr(policy_from(values), name) == value
    else:
        with pytest.raises(RefusedError) as refusal:
            policy_from(values)
        assert (refusal.value.code, refusal.value.facts["setting"]) == ("policy.out-of-bounds", name)


@pytest.mark.parametrize(("proof", "lease", "least"), [(10, 11, 12), (60, 30, 62), (10, 12, 0), (3, 10, 0)])
def test_a_lease_is_long_enough_for_a_proof(proof: int, lease: int, least: int) -> None:
    """Otherwise every page is refused between two proofs. What a vault was founded with before that opens all the same."""
    values = {"premises_proof_seconds": proof, "premises_lease_seconds": lease}
    if least:
        with pytest.raises(RefusedError) as refusal:
            policy_from(values)
        assert (refusal.value.code, refusal.value.facts["setting"]) == ("policy.out-of-bounds", "premises_lease_seconds")
        assert refusal.value.facts["low"] == least
    else:
        assert policy_from(values).premises_lease_seconds == lease
    assert policy_from(values, kept=True).premises_lease_seconds == max(lease, least)
    assert _PROOF_DEADLINE_SECONDS == DEADLINE_SECONDS


@pytest.mark.parametrize("value", [True, 12.0, "12", None, [12]])
def test_a_number_is_a_whole_number(value: object) -> None:
    with pytest.raises(RefusedError, match=r"^policy\.out-of-bounds"):
        policy_from({"session_hours": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("raised_severity", {"copy-key": 6}),
        ("raised_severity", {"copy-key": 0}),
        ("raised_severity", {"copy-key": "5"}),
        ("raised_severity", {"copy-key": True}),
        ("raised_severity", {"no-such-signal": 3}),
        ("raised_severity", 3),
        ("copies_watched_folders", "/tmp"),
        ("copies_watched_folders", ["/tmp", 3]),
        ("premises_contact", 112),
        ("premises_contact", "front desk\n112"),
        ("premises_contact", "1" * 121),
    ],
)
def test_tables_and_lists_are_checked_before_a_breach_needs_them(name: str, value: object) -> None:
    with pytest.raises(RefusedError) as refusal:
        policy_from({name: value})
    assert (refusal.value.code, refusal.value.facts["setting"]) == ("policy.wrong-value", name)


def test_raised_severities_and_folders_are_taken() -> None:
    policy = policy_from({"raised_severity": {"copy-key": 4}, "copies_watched_folders": ["~/x"]})
    assert policy == Policy(raised_severity={"copy-key": 4}, copies_watched_folders=("~/x",))


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"^policy\.unknown setting=export"):
        policy_from({"export": 1})


def test_defaults_and_the_delivered_file_are_in_bounds() -> None:
    for policy in (Policy(), policy_from({}), load_policy()):
        for name, (low, high) in _BOUNDS.items():
            assert low <= getattr(policy, name) <= high


@given(st.text("abcXYZ019 \t", min_size=1))
def test_a_badge_number_has_one_form(typed: str) -> None:
    assert folded_badge(typed) == folded_badge(f" {typed.upper()} ") == folded_badge(folded_badge(typed))


def test_a_station_lays_its_own_settings_over_the_shipped_ones() -> None:
    own = station_policy(Policy(session_hours=8), 'idle_lock_seconds = 120\ncopies_watched_folders = ["/srv"]')
    assert own == Policy(session_hours=8, idle_lock_seconds=120, copies_watched_folders=("/srv",))
    assert station_policy(Policy(), "") == Policy()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("idle_lock_seconds = 1", "policy.out-of-bounds"),
        ("no_such_setting = 1", "policy.unknown"),
        ("idle_lock_seconds =", "policy.unreadable"),
        ("\0", "policy.unreadable"),
    ],
)
def test_a_station_policy_that_is_none_is_refused(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        station_policy(Policy(), text)
    assert refusal.value.code == code
