"""Attacks on the station's own policy: who may not lay one, and a header that was written by somebody else.

A policy decides what is watched and when the desk locks; whoever changes it unseen needs no other way out.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import AUDITOR, OFFICER
from tests.journeys.crew import LONG, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station, opening
from vault.domain.audit import AuditKind
from vault.domain.breach import SignalKind
from vault.services.ports import AuditFilter
from vault.storage.header import HEADER_NAME

BLINDER = "copies_watched_folders = []\nsynthetic_input_reported = false"

# who is signed in, what is refused to them
ROLES = [
    (OFFICER, ("lines", "changes", "lay")),
    (CUSTODIAN, ("lines", "changes", "lay")),
    (AUDITOR, ("lines", "changes", "lay")),
    (ADMINISTRATOR, ("changes", "lay")),
    ("", ("lines", "changes", "lay")),
]


@pytest.mark.parametrize(("badge", "acts"), ROLES)
def test_who_may_not(station: Station, badge: str, acts: tuple[str, ...]) -> None:
    code = "access.not-your-role" if badge else "session.locked"
    if badge:
        station.sign_in(badge)
    policy, header = station.vault.station_policy, (station.directory / HEADER_NAME).read_bytes()
    attempts = {"lines": policy.lines, "changes": lambda: policy.changes(BLINDER), "lay": lambda: policy.lay(BLINDER, LONG)}
    for act in acts:
        with refused(code):
            attempts[act]()
    assert (station.directory / HEADER_NAME).read_bytes() == header
    kinds = [one.kind for one in station.vault.store.audit_entries(AuditFilter(), 0, 100)]
    assert AuditKind.POLICY_CHANGED.value not in kinds
    assert kinds.count(AuditKind.ACCESS_REFUSED.value) == (len(acts) if badge else 0), "the attempt is in the trail"


def edited(path: Path, policy_text: str) -> None:
    content = json.loads(path.read_bytes())
    content["body"]["policy"] = policy_text
    content["body"]["generation"] += 1
    path.write_bytes(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())


def test_a_policy_written_into_the_header_keeps_the_vault_shut(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    station.vault.station_policy.lay("idle_lock_seconds = 120", LONG)
    station.close()
    edited(station.directory / HEADER_NAME, "idle_lock_seconds = 1800")
    assert opening(station) == "header.altered"


def test_yesterdays_policy_put_back_is_reported(station: Station) -> None:
    path = station.directory / HEADER_NAME
    yesterday = path.read_bytes()
    station.sign_in(SUPERVISOR)
    station.vault.station_policy.lay("idle_lock_seconds = 120", LONG)
    station.close()
    path.write_bytes(yesterday)
    assert opening(station) == "opens"
    station.sign_in(SUPERVISOR)
    kinds = {one.kind for one in station.vault.supervision.queue(include_disposed=False)}
    assert kinds == {SignalKind.POLICY_CHANGED, SignalKind.STORE_TAMPERED}
