"""Unusual reading: asks the published rules about every committed page view, and keeps the decoys.

Rules:

- The rules are `vault.domain.reading_rules.CATALOGUE`; whoever works here may read them (`catalogue`).
- What is asked is what the vault committed: the interface has no part in it and is not told of a flag.
- A decoy is a case that nobody has a reason to read, so marked by a supervisor. The mark is a keyed hash of the case and words sealed to
  the supervisors, in an entry of the trail that names no case: nothing an officer is shown differs.
- A page view that does not flag costs no query but at the first page of a check-out.

LIMIT: pages turned before a lock are not counted together with those after it: the vault process ended in between.

Control thread only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from vault.domain.audit import AuditKind
from vault.domain.custody import CheckOut
from vault.domain.duration import DAY_US, MINUTE_US
from vault.domain.identity import CaseId, CheckOutId, Role
from vault.domain.reading_rules import CATALOGUE, PageLeft, ReadingFlag, RuleId, Sight, evaluate
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.services.cases import Cases
from vault.services.operation import change, query
from vault.services.ports import AuditFilter
from vault.services.reading import OnScreen
from vault.services.standing import StandingActs
from vault.services.views import DecoyLine, RuleLine
from vault.services.world import World

_RETURNED_LOOKED_AT = 100
_REPORTS_LOOKED_AT = 1000
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])
_RULE_OF = {rule.signal.value: rule_id for rule_id, rule in CATALOGUE.items()}


class _Mark(msgspec.Struct, frozen=True):
    """The words of a decoy's mark, as supervisors read them."""

    case_id: CaseId
    reason: str


@dataclass(slots=True)
class _Watched:
    """What is known of one check-out from its first page on."""

    assigned: bool
    cases_outside: int
    decoy: bool
    spoken: set[RuleId]


class UnusualReading:
    """Looks at reading."""

    def __init__(self, world: World, cases: Cases, record_flag: Callable[[ReadingFlag], None]) -> None:
        self._world = world
        self._cases = cases
        self._record_flag = record_flag
        self._decoys = StandingActs(world, AuditKind.DECOY_MARKED, AuditKind.DECOY_REMOVED)
        self._watched: dict[CheckOutId, _Watched] = {}
        self._pages_left: deque[PageLeft] = deque()  # whatever files they are of; the process ends with the reader's session

    @query
    def catalogue(self) -> tuple[RuleLine, ...]:
        """Everything that is looked for, with the thresholds of this station. Open to everybody who is signed in."""
        world = self._world
        world.require()
        return tuple(
            RuleLine(
                rule.rule_id.value,
                rule.version,
                rule.signal,
                rule.thresholds(world.policy),
                rule.false_alarms.flags,
                rule.false_alarms.shifts,
                rule.false_alarms.pages,
            )
            for rule in CATALOGUE.values()
        )

    # -- decoys ----------------------------------------------------------------------------------------------------------------------

    @query
    def decoys(self) -> tuple[DecoyLine, ...]:
        """List the decoys, newest first. Raises RefusedError access.not-your-role; TamperError signature.invalid."""
        world = self._world
        world.require(Role.SUPERVISOR)
        lines = []
        for act in self._decoys.standing().values():
            sealed = bytes.fromhex(str(act.facts["words_sealed"]))
            words = msgspec.json.decode(world.open_as_supervisor(sealed, "decoy", act.act_id) or b"", type=_Mark)
            lines.append(DecoyLine(act.act_id, self._label(words.case_id), words.reason, world.directory.named(act.by), act.begun_us))
        return tuple(reversed(lines))

    @change
    def mark_decoy(self, rms_number: str, reason: str) -> None:
        """Mark a case as a decoy: whoever reads it is flagged.

        Args:
            rms_number: the case's number.
            reason: at least ten characters; sealed to the supervisors.
        Raises:
            RefusedError: access.not-your-role, case.unknown, decoy.reason-missing, decoy.marked.
        Audit: decoy.marked, which names no case.
        """
        world = self._world
        world.require(Role.SUPERVISOR)
        if not is_reason(reason):
            raise RefusedError("decoy.reason-missing")
        row = world.store.case_by_number(self._cases.number_blind(rms_number))
        if row is None:
            raise RefusedError("case.unknown")
        mark = self._blind(row.case_id)
        if mark in self._decoys.standing():
            raise RefusedError("decoy.marked")
        sealed = world.seal_to_supervisors(msgspec.json.encode(_Mark(row.case_id, reason.strip())), "decoy", mark)
        self._decoys.begin(mark, ("words_sealed", sealed.hex()))

    @change
    def remove_decoy(self, mark: str) -> None:
        """Take a decoy's mark back. Raises RefusedError access.not-your-role, decoy.unknown. Audit: decoy.removed."""
        self._world.require(Role.SUPERVISOR)
        if mark not in self._decoys.standing():
            raise RefusedError("decoy.unknown")
        self._decoys.end(mark)

    # -- page views ------------------------------------------------------------------------------------------------------------------

    def page_left(self, seen: OnScreen, dwell_ms: int) -> None:
        """Count a page that is no longer on screen, whether another took its place or not; `dwell_ms` is how long it was seen."""
        self._pages_left.append(PageLeft(self._world.clock.now_us(), dwell_ms, seen.document_id, seen.page_no))

    def viewed(self, check_out: CheckOut) -> None:
        """Ask the rules about a page view that was just committed.

        Audit: breach.recorded or breach.joined for each flag.
        """
        world = self._world
        watched = self._watched.get(check_out.check_out_id)
        if watched is None:
            watched = self._watched[check_out.check_out_id] = self._first_look(check_out)
        now_us = world.clock.now_us()
        while self._pages_left and self._pages_left[0].left_us <= now_us - MINUTE_US:
            self._pages_left.popleft()
        local = time.localtime(now_us // 1_000_000)
        sight = Sight(
            check_out_id=check_out.check_out_id,
            viewed_us=now_us,
            weekday=local.tm_wday,
            minute_of_day=local.tm_hour * 60 + local.tm_min,
            taken_us=check_out.taken_us,
            purpose=check_out.purpose,
            assigned=watched.assigned,
            cases_outside=watched.cases_outside,
            decoy=watched.decoy,
            pages_left=tuple(self._pages_left),
        )
        for flag in evaluate(sight, world.policy, frozenset(watched.spoken)):
            self._record_flag(flag)
            watched.spoken.add(flag.rule.rule_id)
            if not flag.rule.once_a_check_out:
                self._pages_left.clear()

    def _first_look(self, check_out: CheckOut) -> _Watched:
        world = self._world
        session = world.require()
        decision, _ = world.decision(check_out.case_id, session.person, session.unit_ids)
        me, since_us = session.person.person_id, check_out.taken_us - DAY_US
        own = [*world.store.held_by(me), *world.store.recently_returned_by(me, _RETURNED_LOOKED_AT)]
        reports = AuditFilter(
            kinds=(AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value), case_id=check_out.case_id, from_us=check_out.taken_us
        )
        told = [dict(_FACTS.decode(one.facts)) for one in world.store.audit_entries(reports, 0, _REPORTS_LOOKED_AT)]
        return _Watched(
            assigned=any(one.decisive and one.unit_id is None for one in decision.reasons),
            cases_outside=len({one.case_id for one in own if one.flagged and one.taken_us > since_us}),
            decoy=self._blind(check_out.case_id) in self._decoys.standing(),
            spoken={_RULE_OF[str(one["signal"])] for one in told if one.get("signal") in _RULE_OF},
        )

    def _blind(self, case_id: CaseId) -> str:
        return self._world.locksmith.blind("decoy:" + case_id).hex()

    def _label(self, case_id: CaseId) -> str:
        row = self._world.store.case(case_id)
        plain = self._world.open_as_supervisor(row.label_sealed, "label", case_id) if row is not None else None
        return plain.decode() if plain is not None else case_id[:8]
