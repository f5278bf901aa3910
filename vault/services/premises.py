"""The premises: which key servers must answer for this workstation's vault to open.

Rules:

- An administrator binds, adds and rotates. Taking a key server off weakens the vault: a supervisor does that.
- The act is in the trail before the header changes: a binding that fails half-way is a recorded attempt, never an unrecorded change.
- A server's signing key is trusted by a thumbprint read at the server itself, never by what the network says first.

Source: DESIGN §6. Thread: the keys lane; asking a server blocks for seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from vault.domain.audit import AuditKind
from vault.domain.identity import Role
from vault.errors import RefusedError
from vault.services.operation import Lane, Priority, operation
from vault.services.ports import MetServer, PremisesBinding, PremisesFacts
from vault.services.views import KeyServerTest
from vault.services.world import World


class Premises:
    """What this workstation is bound to."""

    def __init__(self, world: World, binding: PremisesBinding) -> None:
        self._world = world
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
            threshold: how many of all servers must answer from now on.

        Raises:
            RefusedError: access.not-your-role, premises.address, premises.threshold, premises.name-missing.
            UnavailableError, TamperError: premises.*, keyring.*, storage.*; nothing was changed.
        Audit: premises.bound.
        """
        if not server.name.strip():
            raise RefusedError("premises.name-missing")
        return self._changed(
            AuditKind.PREMISES_BOUND, server.name, lambda: self._binding.add(server, thumbprint.strip(), threshold), Role.ADMINISTRATOR
        )

    @operation(Priority.CHANGE, Lane.KEYS)
    def rotate(self) -> PremisesFacts:
        """Bind anew to the keys the servers have now. Raises as `add`. Audit: premises.bound."""
        return self._changed(AuditKind.PREMISES_BOUND, "", self._binding.rotate, Role.ADMINISTRATOR)

    @operation(Priority.CHANGE, Lane.KEYS)
    def remove(self, name: str, threshold: int) -> PremisesFacts:
        """Take a key server off. Raises as `add`, and RefusedError premises.unknown. Audit: premises.unbound."""
        return self._changed(AuditKind.PREMISES_UNBOUND, name, lambda: self._binding.remove(name, threshold), Role.SUPERVISOR)

    @operation(Priority.QUERY, Lane.KEYS)
    def test(self) -> tuple[KeyServerTest, ...]:
        """Have each server prove itself now. Raises RefusedError access.not-your-role."""
        self._require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        return tuple(KeyServerTest(name, code) for name, code in self._binding.test())

    def _require(self, *roles: Role) -> None:
        self._world.on_control(lambda: self._world.require(*roles), Priority.QUERY)

    def _changed(self, kind: AuditKind, name: str, act: Callable[[], PremisesFacts], role: Role) -> PremisesFacts:
        world = self._world

        def enter() -> None:
            world.require(role)
            world.store.append_audit(world.draft(kind, server=name))

        world.on_control(enter)
        return act()
