"""What a report is found to hold, and how little of the trail is read for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from vault.domain.audit import AuditDraft, AuditEntry, AuditKind, link
from vault.domain.breach import ReportState, Severity, SignalKind, TriageState
from vault.domain.identity import BreachId, WorkstationId
from vault.services.ports import AuditFilter, BreachRow
from vault.services.together import SeenTogether

MOUNTED, PICTURE, OPENED = SignalKind.MEDIA_MOUNTED, SignalKind.NEW_PICTURE, SignalKind.STORE_OPENED
OTHER, DEEPEST = 6_000, 5_000


class Trail:
    """The entries on reports, and how many of them were asked for."""

    def __init__(self) -> None:
        self.store = self  # the part of a world that is asked
        self.entries: list[AuditEntry] = []
        self.counts: dict[str, int] = {}
        self.read = 0

    def signals(self, report: str, *kinds: SignalKind) -> None:
        for kind in kinds:
            self.counts[report] = self.counts.get(report, 0) + 1
            written = AuditKind.BREACH_RECORDED if self.counts[report] == 1 else AuditKind.BREACH_JOINED
            draft = AuditDraft(written, facts=(("breach_id", report), ("signal", kind.value), ("severity", 1), ("check_out_id", "")))
            self.entries.append(link(draft, len(self.entries) + 1, 0, 0, WorkstationId("w"), bytes(32)))

    def audit_entries(self, wanted: AuditFilter, before_seq: int, limit: int) -> Sequence[AuditEntry]:
        newest_first: Iterator[AuditEntry] = reversed(self.entries[: before_seq - 1 if before_seq else None])
        found = [entry for entry in newest_first if entry.kind in wanted.kinds][:limit]
        self.read += len(found)
        return found


def row(trail: Trail, report: str, kind: SignalKind = MOUNTED) -> BreachRow:
    count = trail.counts[report]
    state = ReportState(BreachId(report), kind, Severity.CONTEXT, TriageState.OPEN, None, None, None, 0, 0, count)
    return BreachRow(state, "", WorkstationId("w"), None, (), 0)


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def together(trail: Trail) -> SeenTogether:
    return SeenTogether(cast("Any", trail))


def test_what_a_report_holds_is_read_from_its_entries_oldest_first(trail: Trail, together: SeenTogether) -> None:
    trail.signals("a", MOUNTED, PICTURE)
    trail.signals("b", MOUNTED, OPENED)
    trail.signals("a", OPENED, *[PICTURE] * 9)
    found = together.of_each([row(trail, "a"), row(trail, "b")])
    assert found == {"a": (MOUNTED, PICTURE, OPENED, PICTURE, PICTURE), "b": (MOUNTED, OPENED)}


def test_a_flood_costs_each_look_the_newest_entries_and_no_more(trail: Trail, together: SeenTogether) -> None:
    trail.signals("before", *[SignalKind.COPY_KEY] * OTHER)
    trail.signals("a", MOUNTED)
    for kind in (OPENED, *[PICTURE] * 20):
        trail.signals("a", kind)
        trail.read = 0
        assert kind in together.of(row(trail, "a"))
        assert 0 < trail.read <= 50
    assert together.of(row(trail, "a")) == (MOUNTED, OPENED, PICTURE, PICTURE, PICTURE)
    trail.read = 0
    together.of(row(trail, "a"))
    assert trail.read == 0, "nothing came since"


def test_what_came_after_many_others_is_added_to_what_is_known(trail: Trail, together: SeenTogether) -> None:
    trail.signals("a", MOUNTED, OPENED)
    assert together.of(row(trail, "a")) == (MOUNTED, OPENED)
    trail.signals("others", *[SignalKind.COPY_KEY] * OTHER)
    trail.signals("a", PICTURE)
    assert together.of(row(trail, "a")) == (MOUNTED, OPENED, PICTURE)


def test_behind_too_many_entries_a_report_is_known_by_what_it_was_filed_under(trail: Trail, together: SeenTogether) -> None:
    trail.signals("a", MOUNTED, OPENED)
    trail.signals("others", *[SignalKind.COPY_KEY] * OTHER)
    trail.signals("a", PICTURE)
    assert together.of(row(trail, "a")) == (MOUNTED, PICTURE)
    assert trail.read == DEEPEST


def test_a_report_that_only_its_family_joins_is_not_looked_for(trail: Trail, together: SeenTogether) -> None:
    trail.signals("a", *[SignalKind.COPY_KEY] * 5)
    assert together.of(row(trail, "a", SignalKind.COPY_KEY)) == (SignalKind.COPY_KEY,) * 3
    assert trail.read == 0
