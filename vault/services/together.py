"""Which kinds of signals a report holds: the store knows the one it was filed under, the audit trail knows each (ADR 0023).

Rules:

- The trail is asked, and no sealed fact opened: neither the officer who signs in nor anybody's queue needs a key for it.
- What was found is remembered with the number of signals it was found for, and only what came since is read: a flood costs each look the
  newest entries, however long the trail is. A report that only one family can join is not looked for.
- Of a kind that came again and again only so many are named as weigh.

LIMIT: a report whose entries lie behind `_ENTRIES_LOOKED_AT` later ones on reports is known by the kind it was filed under and those found.
Its severity never falls for that: the store lets none fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from vault.domain.audit import AuditEntry, AuditKind
from vault.domain.breach import REPEATS_THAT_RAISE, STRAND, ReportState, SignalKind
from vault.domain.identity import BreachId
from vault.services.ports import AuditFilter, BreachRow
from vault.services.world import World

_ENTRIES_LOOKED_AT = 5_000  # some 50 ms of the control thread, at most once a report and restart
_ENTRIES_AT_FIRST = 50
_REMEMBERED_MOST = 1_000
_KINDS = (AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value)
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])

Seen = tuple[SignalKind, ...]


class SeenTogether:
    """What the reports hold; one for all who ask (control thread): whoever records a signal spares the queue a look."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[BreachId, tuple[int, Seen]] = {}  # with the count it was found for

    def of(self, row: BreachRow) -> Seen:
        """The kinds of a report's signals, oldest first where it matters; each at most as often as it weighs."""
        return self.of_each((row,))[row.state.breach_id]

    def of_each(self, rows: Sequence[BreachRow]) -> Mapping[BreachId, Seen]:
        """The same of many reports, with one look at the trail."""
        found: dict[BreachId, Seen] = {}
        asked: list[ReportState] = []
        for row in rows:
            state = row.state
            count, seen = self._known_of(state)
            if state.count == 1 or state.kind not in STRAND:
                found[state.breach_id] = (state.kind,) * min(state.count, REPEATS_THAT_RAISE)
            elif count == state.count:
                found[state.breach_id] = seen
            else:
                asked.append(state)
        looked_up = self._looked_up(asked)
        for state in asked:
            found[state.breach_id] = looked_up[state.breach_id]
            self.remember(state.breach_id, state.count, looked_up[state.breach_id])
        return found

    def remember(self, breach_id: BreachId, count: int, seen: Sequence[SignalKind]) -> None:
        """Know from now on that a report of so many signals holds these kinds."""
        self._known.pop(breach_id, None)
        self._known[breach_id] = (count, _weighing(seen))
        while len(self._known) > _REMEMBERED_MOST:
            del self._known[next(iter(self._known))]

    def _known_of(self, state: ReportState) -> tuple[int, Seen]:
        return self._known.get(state.breach_id, (0, ()))

    def _looked_up(self, asked: Sequence[ReportState]) -> Mapping[BreachId, Seen]:
        newest_first: dict[BreachId, list[SignalKind]] = {state.breach_id: [] for state in asked}
        lacking = {state.breach_id: state.count - self._known_of(state)[0] for state in asked}  # each signal has its entry
        for entry in self._newest_first() if lacking else ():
            facts = dict(_FACTS.decode(entry.facts))
            breach_id = BreachId(str(facts.get("breach_id", "")))
            if breach_id in lacking:
                newest_first[breach_id].append(SignalKind(str(facts["signal"])))
                lacking[breach_id] -= 1
                if not lacking[breach_id]:
                    del lacking[breach_id]
            if not lacking:
                break
        found: dict[BreachId, Seen] = {}
        for state in asked:
            before = self._known_of(state)[1] or ((state.kind,) if state.breach_id in lacking else ())
            found[state.breach_id] = _weighing((*before, *reversed(newest_first[state.breach_id])))
        return found

    def _newest_first(self) -> Iterator[AuditEntry]:
        """The entries on reports, a few and then more: whoever found what they look for reads no further."""
        below, looked_at, many = 0, 0, _ENTRIES_AT_FIRST
        while looked_at < _ENTRIES_LOOKED_AT:
            entries = self._world.store.audit_entries(AuditFilter(kinds=_KINDS), below, many)
            yield from entries
            if len(entries) < many:
                return
            below, looked_at, many = entries[-1].seq, looked_at + many, min(4 * many, _ENTRIES_LOOKED_AT - looked_at - many)


def _weighing(seen: Sequence[SignalKind]) -> Seen:
    kept: list[SignalKind] = []
    for kind in seen:
        if kept.count(kind) < REPEATS_THAT_RAISE:
            kept.append(kind)
    return tuple(kept)
