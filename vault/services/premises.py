"""The premises: which key servers must answer for this workstation's vault to open.

Rules:

- An administrator binds, rotates, and adds a server that must answer besides those before. Taking a key server off is a supervisor's, and
  so is whatever lets key servers suffice that did not before: a server of the administrator's own, of which one is enough, opens anywhere.
- What weakens the binding is a report for the other supervisors. It and the act in the trail come before the header changes: a binding that
  fails half-way is a recorded attempt, never an unrecorded change.
- A server's signing key is trusted by a thumbprint read at the server itself, never by what the network says first.

Source: DESIGN §6. Thread: the keys lane; asking a server blocks for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from vault.domain.audit import AuditKind, Outcome
from vault.domain.breach import Signal, SignalKind
from vault.domain.identity import Role
from vault.errors import RefusedError
from vault.services.breach import Breaches, legible
from vault.services.operation import Lane, Priority, operation
from vault.services.ports import MetServer, PremisesBinding, PremisesFacts
from vault.services.views import KeyServerTest
from vault.services.world import World

_NAME_MOST_CHARACTERS = 60  # of a key server's name, as the window's field has it


class Premises:
    """What this workstation is bound to."""

    def __init__(self, world: World, breaches: Breaches, binding: PremisesBinding) -> None:
        self._world = world
        self._breaches = breaches
        self._binding = binding

    @operation(Priority.QUERY, Lane.KEYS)
    def servers(self) -> PremisesFacts:
        """Tell the key servers of this workstation. Raises RefusedError access.not-your-role."""
        self._require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        return self._binding.facts()

    @operation(Priority.CHANGE, Lane.KEYS)
    def add(self, server: MetServer, thumbprint: str, threshold: int) -> PremisesFacts:
        """Bind to one more key server.

        Args:
            server: name, address and, for a front, the files of certificate and authority.
            thumbprint: RFC 7638, SHA-256, of one of its signing keys, as `tang-show-keys` prints it at the server.
            threshold: how many of all servers must answer from now on; for an administrator one more than before, at least.

        Raises:
            RefusedError: access.not-your-role, premises.address, premises.threshold, premises.name-missing, premises.name-taken,
                premises.supervisor-needed.
            UnavailableError, TamperError: premises.*, keyring.*, storage.*; nothing was changed.
        Audit: premises.bound, as refused for premises.supervisor-needed; where fewer or other servers suffice than before,
            breach.recorded or breach.joined.
        """
        self._require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        server = replace(server, name=server.name.strip())
        if not 0 < len(server.name) <= _NAME_MOST_CHARACTERS or not server.name.isprintable():
            raise RefusedError("premises.name-missing")
        before = self._binding.facts()
        if server.name.casefold() in {one.name.strip().casefold() for one in before.servers}:
            raise RefusedError("premises.name-taken")
        if not 1 <= threshold <= len(before.servers) + 1:
            raise RefusedError("premises.threshold", servers=len(before.servers) + 1)
        facts = (
            ("server", server.name),
            ("url", server.url),
            ("thumbprint", thumbprint.strip()),
            ("must_answer", _must_answer(before, threshold, len(before.servers) + 1)),
        )
        weakens = least_threshold(before, Role.ADMINISTRATOR) > threshold
        act = partial(self._binding.add, server, thumbprint.strip(), threshold)
        return self._changed(AuditKind.PREMISES_BOUND, facts, act, weakens=weakens)

    @operation(Priority.CHANGE, Lane.KEYS)
    def rotate(self) -> PremisesFacts:
        """Bind anew to the keys the servers have now. Raises as `add`. Audit: premises.bound."""
        self._require(Role.ADMINISTRATOR)
        return self._changed(AuditKind.PREMISES_BOUND, (("server", ""),), self._binding.rotate, weakens=False)

    @operation(Priority.CHANGE, Lane.KEYS)
    def remove(self, name: str, threshold: int) -> PremisesFacts:
        """Take a key server off. Raises as `add`, and RefusedError premises.unknown. Audit: premises.unbound, and as `add`."""
        self._require(Role.SUPERVISOR)
        before = self._binding.facts()
        if name not in {one.name for one in before.servers}:
            raise RefusedError("premises.unknown")
        left = len(before.servers) - 1
        facts = (("server", name), ("must_answer", _must_answer(before, min(threshold, left), left)))
        act = partial(self._binding.remove, name, threshold)
        return self._changed(AuditKind.PREMISES_UNBOUND, facts, act, weakens=min(threshold, left) < before.threshold)

    @operation(Priority.QUERY, Lane.KEYS)
    def test(self) -> tuple[KeyServerTest, ...]:
        """Have each server prove itself now. Raises RefusedError access.not-your-role."""
        self._require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        return tuple(KeyServerTest(name, code) for name, code in self._binding.test())

    def _require(self, *roles: Role) -> None:
        self._world.on_control(lambda: self._world.require(*roles), Priority.QUERY)

    def _changed(
        self, kind: AuditKind, facts: tuple[tuple[str, str], ...], act: Callable[[], PremisesFacts], *, weakens: bool
    ) -> PremisesFacts:
        world = self._world
        told = tuple((name, legible(value)) for name, value in facts)

        def enter() -> None:
            session = world.require()
            if weakens and session.person.role is not Role.SUPERVISOR:
                world.store.append_audit(replace(world.draft(kind, outcome=Outcome.REFUSED), facts=told))
                raise RefusedError("premises.supervisor-needed")
            world.store.append_audit(replace(world.draft(kind), facts=told))
            if weakens:
                self._breaches.record(Signal(SignalKind.PREMISES_WEAKENED, world.clock.now_us(), told))

        world.on_control(enter)
        return act()


def least_threshold(facts: PremisesFacts, role: Role) -> int:
    """How many servers must answer, at least, once somebody of this role adds one; a supervisor may choose any number.

    For an administrator one more than now: then every choice of servers that opens holds one that opened before.
    """
    return facts.threshold + 1 if role is Role.ADMINISTRATOR else 1


def _must_answer(before: PremisesFacts, threshold: int, servers: int) -> str:
    return f"{before.threshold} of {len(before.servers)} -> {threshold} of {servers}"
