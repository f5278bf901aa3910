"""The reports and the strip of a desk that has ended, read by a supervisor through the services.

A report that several acts joined is taken apart again: each signal left one entry in the audit trail (its commit) and one sealed fact (what
was observed, when), both in the order of the commits. Of those behind the first `MAX_FACTS` of a report the trail alone tells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.attacks.suite.rig import READER_OF_REPORTS, Station
from vault.domain.audit import AuditKind
from vault.domain.breach import Containment, SignalKind
from vault.domain.protection import ProtectionState
from vault.services.supervision import Supervision
from vault.services.views import AuditLine, ReportFact
from vault.storage.breaches import MAX_FACTS

_PAGE = 500
Ask = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Reported:
    """One signal that became part of a report."""

    kind: SignalKind
    observed_us: int
    committed_us: int
    severity: int
    report_no: str
    badge_no: str  # "" where nobody was signed in
    page_no: int
    containment: Containment
    facts: dict[str, str]

    @property
    def detection_ms(self) -> float:
        """From what a sensor observed, by its own clock, to the time in the report's entry of the audit trail, written with it."""
        return max(0, self.committed_us - self.observed_us) / 1000


@dataclass(frozen=True, slots=True)
class Readout:
    """What a vault holds after its desks have ended."""

    reported: tuple[Reported, ...]  # in the order of the commits
    strip: dict[str, ProtectionState]  # protection -> its state at the last sign-in of the officer
    trail: tuple[AuditLine, ...]  # oldest first
    chain_holds: bool


def read_out(station: Station, badge_no: str) -> Readout:
    """Read everything; no desk may have the vault. `badge_no` is the officer whose strip is asked for."""
    with station.opened(READER_OF_REPORTS) as vault:

        def ask(method: Callable[..., Any], *arguments: object) -> Any:
            return method(vault.supervision, *arguments)

        trail = _trail(ask)
        strip: dict[str, ProtectionState] = {}
        for line in trail:
            if line.kind == AuditKind.PROTECTIONS.value and line.actor is not None and line.actor.badge_no == badge_no:
                states = dict(line.facts)["states"].split(",")
                strip = {name: ProtectionState(state) for name, _, state in (one.partition("=") for one in states)}
        return Readout(_reported(ask, trail), strip, trail, ask(Supervision.verify_chain).holds)


def reported_in(ask: Ask) -> tuple[Reported, ...]:
    """The reports of a vault where a supervisor has signed in; `ask` calls an operation of the services, here or over a pipe."""
    return _reported(ask, _trail(ask))


def _trail(ask: Ask) -> tuple[AuditLine, ...]:
    lines: list[AuditLine] = []
    before = 0
    while True:
        page = ask(Supervision.audit_page, (), "", "", 0, 0, before, _PAGE)
        lines += page.lines
        before = page.next_before_seq
        if not before:
            return tuple(reversed(lines))


def _reported(ask: Ask, trail: tuple[AuditLine, ...]) -> tuple[Reported, ...]:
    commits: dict[str, list[tuple[AuditLine, dict[str, str]]]] = defaultdict(list)
    for line in trail:
        if line.kind in (AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value):
            facts = dict(line.facts)
            commits[facts["breach_id"]].append((line, facts))
    found = []
    for queued in ask(Supervision.queue, True):
        report = ask(Supervision.report, queued.breach_id)
        entries = commits[str(queued.breach_id)]
        kept = (*report.facts, *(_unkept(line, said) for line, said in entries[MAX_FACTS:]))
        for (line, said), fact in zip(entries, kept, strict=True):
            assert said["signal"] == fact.kind.value, (said, fact)
            found.append(
                Reported(
                    kind=fact.kind,
                    observed_us=fact.at_us,
                    committed_us=line.at_us,
                    severity=int(said["severity"]),
                    report_no=report.line.report_no,
                    badge_no=report.line.officer.badge_no if report.line.officer else "",
                    page_no=fact.page_no,
                    containment=fact.containment,
                    facts=dict(fact.facts),
                )
            )
    return tuple(sorted(found, key=lambda one: one.committed_us))


def _unkept(line: AuditLine, said: dict[str, str]) -> ReportFact:
    """What is left of a signal whose facts its report keeps no more."""
    return ReportFact(line.at_us, SignalKind(said["signal"]), "", "", 0, 0, Containment.NONE, ())
