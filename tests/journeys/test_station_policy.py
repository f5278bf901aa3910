"""The station's own policy, changed after founding: what is told before, who is told after, and from when it is in force."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SECOND_SUPERVISOR
from tests.journeys.crew import LONG, refused
from tests.station import ADMINISTRATOR, SUPERVISOR, Station
from vault.domain.audit import AuditKind
from vault.domain.breach import SignalKind
from vault.domain.policy import Policy
from vault.errors import UnavailableError
from vault.services.events import BreachRecorded
from vault.services.ports import AuditFilter
from vault.services.station_policy import SettingChange, SettingLine, StationPolicy, _toml
from vault.storage.header import HEADER_NAME, read_unverified_header

STRICTER = 'idle_lock_seconds = 120\npremises_contact = "front desk, 555 0112"\n[shift_hours]\nmonday = "06:00-18:00"\n'


def reopen(station: Station) -> None:
    station.close()
    _ = station.vault


def entries(station: Station) -> list[dict[str, str]]:
    found = station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.POLICY_CHANGED.value,)), 0, 50)
    return [dict(json.loads(one.facts)) for one in found]


def lay(station: Station, text: str) -> None:
    station.sign_in(SUPERVISOR)
    assert station.vault.station_policy.lay(text, LONG) is not None


def generation(station: Station) -> int:
    return read_unverified_header(station.directory / HEADER_NAME)._header.generation


def test_what_changes_is_told_and_is_in_force_from_the_next_opening(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    changes = {one.name: one for one in station.vault.station_policy.changes(STRICTER)}
    assert changes["idle_lock_seconds"] == SettingChange("idle_lock_seconds", "600", "120", own_before=False, own_after=True)
    assert set(changes) == {"idle_lock_seconds", "premises_contact", "shift_hours"}
    before = generation(station)
    lay(station, STRICTER)
    assert generation(station) == before + 1
    assert station.vault.world.policy.idle_lock_seconds == 600, "the open vault keeps what it was opened with"
    station.events.clear()
    reopen(station)
    assert not [one for one in station.events if isinstance(one, BreachRecorded)], "the new header is witnessed"
    assert station.vault.world.policy == replace(
        station.policy, idle_lock_seconds=120, premises_contact="front desk, 555 0112", shift_hours={"monday": "06:00-18:00"}
    )
    station.sign_in(ADMINISTRATOR)
    lines = {one.name: one for one in station.vault.station_policy.lines()}
    assert set(lines) == {one.name for one in fields(Policy)}
    assert lines["idle_lock_seconds"] == SettingLine("idle_lock_seconds", "120", own=True, shipped="600")
    assert not lines["session_hours"].own
    printed = "\n".join(f"{one.name} = {one.value}" for one in lines.values())
    assert tomllib.loads(printed)["shift_hours"] == {"monday": "06:00-18:00"}


def test_the_trail_has_the_values_and_the_supervisors_the_words(station: Station) -> None:
    lay(station, STRICTER)
    (facts,) = entries(station)
    assert facts["idle_lock_seconds"] == "600 -> 120"
    assert facts["premises_contact"] == "changed", "a line that may name people is not in the trail"
    assert LONG not in json.dumps(facts)
    (mine,) = [one for one in station.vault.supervision.queue(include_disposed=False) if one.kind is SignalKind.POLICY_CHANGED]
    with refused("breach.own-report"):
        station.vault.supervision.acknowledge(mine.breach_id)
    station.sign_in(SECOND_SUPERVISOR)
    report = station.vault.supervision.report(mine.breach_id)
    said = dict(report.facts[0].facts)
    assert said["premises_contact"] == '"" -> "front desk, 555 0112"'
    assert said["reason"] == LONG
    station.vault.supervision.acknowledge(mine.breach_id)


def test_back_to_what_is_shipped_and_a_value_that_only_becomes_the_stations(station: Station) -> None:
    lay(station, "idle_lock_seconds = 600")
    (pinned,) = entries(station)
    assert pinned["idle_lock_seconds"] == "600 -> 600"
    assert station.vault.station_policy.lay("idle_lock_seconds = 600 # again", LONG) is None, "nothing changes, nothing is written"
    assert len(entries(station)) == 1
    lay(station, "")
    assert not [one for one in station.vault.station_policy.lines() if one.own]


def test_places_are_told_and_laid_as_tables(station: Station) -> None:
    lay(station, '[[approved_places]]\nname = "Northgate"\nsubnets = ["10.20.0.0/16"]\n')
    assert entries(station)[0]["approved_places"] == '[] -> [{"name" = "Northgate", "subnets" = ["10.20.0.0/16"]}]'
    reopen(station)
    (place,) = station.vault.world.policy.approved_places
    assert place.name == "Northgate"


def test_of_long_values_a_report_tells_what_was_and_what_is_and_that_both_are_cut(station: Station) -> None:
    before, after = (json.dumps([f"/srv/{name}{number}" for number in range(40)]) for name in ("old", "new"))
    lay(station, f"copies_watched_folders = {before}")
    reopen(station)
    station.sign_in(SUPERVISOR)
    notice = station.vault.station_policy.lay(f"copies_watched_folders = {after}", LONG)
    assert notice is not None
    whole = entries(station)[0]["copies_watched_folders"]
    assert "/srv/old39" in whole, "the trail has all of it"
    assert "/srv/new39" in whole
    station.sign_in(SECOND_SUPERVISOR)
    was, _, is_now = dict(station.vault.supervision.report(notice.breach_id).facts[-1].facts)["copies_watched_folders"].partition(" -> ")
    assert ("/srv/old3" in was, "/srv/new3" in is_now) == (True, True)
    assert (was[-1], is_now[-1]) == ("…", "…")


REFUSED = [
    ("idle_lock_seconds = 1", LONG, "policy.out-of-bounds"),
    ("export = true", LONG, "policy.unknown"),
    ("idle_lock_seconds = 120\nfence_reading = 'sometimes'", LONG, "policy.wrong-value"),
    ("idle_lock_seconds =", LONG, "policy.unreadable"),
    ("# " + "x" * 65536, LONG, "policy.unreadable"),
    (STRICTER, "  short     . ", "policy.reason-missing"),
]


@pytest.mark.parametrize(("text", "reason", "code"), REFUSED, ids=[f"{code} {number}" for number, (_, _, code) in enumerate(REFUSED)])
def test_what_cannot_be_laid_leaves_nothing_behind(station: Station, text: str, reason: str, code: str) -> None:
    station.sign_in(SUPERVISOR)
    header, head = (station.directory / HEADER_NAME).read_bytes(), station.vault.store.audit_head()
    with refused(code):
        station.vault.station_policy.lay(text, reason)
    assert ((station.directory / HEADER_NAME).read_bytes(), station.vault.store.audit_head()) == (header, head)


@dataclass
class _FullDisk:
    """`services.ports.PolicyPlace` on a disk that is full, or where the power fails."""

    policy_text: str = ""

    def keep_policy(self, text: str) -> None:
        raise UnavailableError("storage.full")


def test_a_change_that_fails_half_way_is_a_recorded_attempt(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    vault = station.vault
    with refused("storage.full"):
        StationPolicy(vault.world, vault.breaches, _FullDisk(), Policy()).lay(STRICTER, LONG)
    reopen(station)
    assert station.vault.world.policy == station.policy
    assert len(entries(station)) == 1
    station.sign_in(SECOND_SUPERVISOR)
    assert [one.kind for one in station.vault.supervision.queue(include_disposed=False)] == [SignalKind.POLICY_CHANGED]


_PLAIN = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=20))
_VALUES = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3))


@settings(max_examples=50)
@given(_VALUES)
def test_a_value_is_printed_as_it_would_be_laid(value: object) -> None:
    printed = _toml(value)
    assert tomllib.loads(f"x = {printed}") == {"x": value}
    assert printed.isprintable()
