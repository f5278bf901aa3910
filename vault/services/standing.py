"""Acts of a supervisor that stand until they are taken back, kept where nothing can be taken away: in the audit trail itself.

Rules:

- An act begins with one entry and ends with another; both carry the supervisor's signature over the whole act. The trail cannot lose or
  change them unnoticed, so there is no second table that could say something else.
- An entry whose signature does not hold, or whose signer is not a supervisor of the verified directory, is not an act: TamperError.
- What the act is about is in its facts: ids, times, keyed hashes, and words sealed to the supervisors.

Control thread only. Reading costs one index range for each of the two kinds: a handful of entries in the life of a station.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from vault.domain.audit import AuditEntry, AuditKind
from vault.domain.identity import PersonId, Role
from vault.errors import TamperError
from vault.services.ports import AuditFilter
from vault.services.world import World

Facts = tuple[tuple[str, str | int], ...]

_ENTRIES_READ = 10_000
_ACT, _SIGNATURE = "act_id", "signature"
_FACTS = msgspec.json.Decoder(Facts)


@dataclass(frozen=True, slots=True)
class StandingAct:
    """An act that stands."""

    act_id: str
    by: PersonId
    begun_us: int  # UTC microseconds
    facts: Mapping[str, str | int]


class StandingActs:
    """The acts of one kind."""

    def __init__(self, world: World, begun: AuditKind, ended: AuditKind) -> None:
        self._world = world
        self._begun, self._ended = begun, ended

    def begin(self, act_id: str, *facts: tuple[str, str | int]) -> None:
        """Let an act stand, signed by the supervisor who is signed in. Audit: the kind it begins with."""
        self._append(self._begun, act_id, facts)

    def end(self, act_id: str, *facts: tuple[str, str | int]) -> None:
        """Take an act back, signed by the supervisor who is signed in. Audit: the kind it ends with."""
        self._append(self._ended, act_id, facts)

    def standing(self) -> dict[str, StandingAct]:
        """The acts that stand, by id, oldest first. Raises TamperError signature.invalid."""
        wanted = AuditFilter(kinds=(self._begun.value, self._ended.value))
        standing: dict[str, StandingAct] = {}
        for entry in reversed(self._world.store.audit_entries(wanted, 0, _ENTRIES_READ)):
            act = self._verified(entry)
            if entry.kind == self._begun.value:
                standing[act.act_id] = act
            else:
                standing.pop(act.act_id, None)
        return standing

    def _append(self, kind: AuditKind, act_id: str, facts: Facts) -> None:
        world = self._world
        signature = world.require(Role.SUPERVISOR).keys.holder.sign("standing-act", self._statement(kind.value, act_id, facts))
        world.store.append_audit(replace(world.draft(kind), facts=((_ACT, act_id), *facts, (_SIGNATURE, signature.hex()))))

    def _verified(self, entry: AuditEntry) -> StandingAct:
        facts = _FACTS.decode(entry.facts)
        by_name = dict(facts)
        act_id = str(by_name.get(_ACT, ""))
        said = tuple((name, value) for name, value in facts if name not in (_ACT, _SIGNATURE))
        signer = self._world.directory.vouched(PersonId(entry.actor_id))
        if signer is None or signer.role is not Role.SUPERVISOR:
            raise TamperError("signature.invalid", seq=entry.seq)
        try:
            signature = bytes.fromhex(str(by_name.get(_SIGNATURE, "")))
        except ValueError as error:
            raise TamperError("signature.invalid", seq=entry.seq) from error
        self._world.locksmith.verify(signer.sign_public, "standing-act", self._statement(entry.kind, act_id, said), signature)
        return StandingAct(act_id, signer.person_id, entry.at_us, dict(said))

    def _statement(self, kind: str, act_id: str, facts: Facts) -> bytes:
        return self._world.locksmith.bind(kind, act_id, msgspec.json.encode(facts))
