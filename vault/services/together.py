"""Which kinds of signals a report holds: the store knows the one it was filed under, the audit trail knows each (ADR 0023).

Rules:

- The trail is asked, and no sealed fact opened: neither the officer who signs in nor anybody's queue needs a key for it.
- What was found is remembered with the number of signals it was found for. A report that only one family can join is not looked for.
- Of a kind that came again and again only so many are named as weigh.

LIMIT: a report whose first entry lies behind `_ENTRIES_LOOKED_AT` later ones is known by the kind it was filed under and those found since.
Its severity never falls for that: the store lets none fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from vault.domain.audit import AuditKind
from vault.domain.breach import JOINING_WINDOW_US, REPEATS_THAT_RAISE, STRAND, SignalKind
from vault.domain.identity import BreachId
from vault.services.ports import AuditFilter, BreachRow
from vault.services.world import World

_ENTRIES_LOOKED_AT = 10_000
_REMEMBERED_MOST = 1_000
_KINDS = (AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value)
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])

Seen = tuple[SignalKind, ...]


class SeenTogether:
    """What the reports hold, for one service (control thread)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[BreachId, tuple[int, Seen]] = {}  # with the count it was found for

    def of(self, row: BreachRow) -> Seen:
        """The kinds of a report's signals, oldest first where it matters; each at most as often as it weighs."""
        return self.of_each((row,))[row.state.breach_id]

    def of_each(self, rows: Sequence[BreachRow]) -> Mapping[BreachId, Seen]:
        """The same of many reports, with one look at the trail."""
        found: dict[BreachId, Seen] = {}
        asked: dict[BreachId, BreachRow] = {}
        for row in rows:
            state = row.state
            count, seen = self._known.get(state.breach_id, (0, ()))
            if state.count == 1 or state.kind not in STRAND:
                found[state.breach_id] = (state.kind,) * min(state.count, REPEATS_THAT_RAISE)
            elif count == state.count:
                found[state.breach_id] = seen
            else:
                asked[state.breach_id] = row
        for breach_id, seen in self._looked_up(asked).items():
            found[breach_id] = seen
            self.remember(breach_id, asked[breach_id].state.count, seen)
        return found

    def remember(self, breach_id: BreachId, count: int, seen: Sequence[SignalKind]) -> None:
        """Know from now on that a report of so many signals holds these kinds."""
        self._known.pop(breach_id, None)
        self._known[breach_id] = (count, _weighing(seen))
        while len(self._known) > _REMEMBERED_MOST:
            del self._known[next(iter(self._known))]

    def _looked_up(self, asked: Mapping[BreachId, BreachRow]) -> Mapping[BreachId, Seen]:
        if not asked:
            return {}
        newest_first: dict[BreachId, list[SignalKind]] = {breach_id: [] for breach_id in asked}
        missing = set(asked)
        # A clock that was set back a little may have written later entries with earlier times.
        from_us = max(0, min(row.state.first_us for row in asked.values()) - JOINING_WINDOW_US)
        for entry in self._world.store.audit_entries(AuditFilter(kinds=_KINDS, from_us=from_us), 0, _ENTRIES_LOOKED_AT):
            facts = dict(_FACTS.decode(entry.facts))
            breach_id = BreachId(str(facts.get("breach_id", "")))
            if breach_id in newest_first:
                newest_first[breach_id].append(SignalKind(str(facts["signal"])))
                if entry.kind == AuditKind.BREACH_RECORDED.value:
                    missing.discard(breach_id)
            if not missing:
                break
        for breach_id in missing:
            newest_first[breach_id].append(asked[breach_id].state.kind)
        return {breach_id: _weighing(kinds[::-1]) for breach_id, kinds in newest_first.items()}


def _weighing(seen: Sequence[SignalKind]) -> Seen:
    kept: list[SignalKind] = []
    for kind in seen:
        if kept.count(kind) < REPEATS_THAT_RAISE:
            kept.append(kind)
    return tuple(kept)
