"""The station's own policy: what is in force, and laying another one over what the product ships.

Rules:

- Administrators and supervisors read it. Laying one can weaken every protection at once, so a supervisor does that, as the one who takes a
  key server off (`services.premises`).
- What is laid is checked whole, as an opening checks it, before anything is written.
- The audit entry and the report to the supervisors come first, the header after: a change that fails half-way is a recorded attempt, never
  an unrecorded change. The report names who changed it, and nobody triages a report on themselves: another supervisor looks at it.
- An open vault keeps the policy it was opened with; the new one is in force from the next opening.
- In the trail a setting stands with its value before and after, but for `_WORDS`: what may name people is said to the supervisors alone.

Source: DESIGN §2 (the policy is the supervisors'), §5. Thread: control.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace

from vault.domain.audit import AuditKind
from vault.domain.breach import Signal, SignalKind
from vault.domain.identity import Role
from vault.domain.policy import Policy, policy_from
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.services.breach import FACT_MOST_CHARACTERS, Breaches, shortened
from vault.services.ports import PolicyPlace
from vault.services.views import BreachNotice
from vault.services.world import World

_ARROW = " -> "
_LARGEST_BYTES = 64 * 1024
_WORDS = frozenset({"premises_contact"})  # a line of the station's own words


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting in force; values are written as TOML."""

    name: str
    value: str
    own: bool  # the station said so; otherwise it is as shipped
    shipped: str


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting that a policy would change, values written as TOML. It may keep its value and become, or cease to be, the station's."""

    name: str
    before: str
    after: str
    own_before: bool
    own_after: bool


class StationPolicy:
    """The station's own settings, kept in the header."""

    def __init__(self, world: World, breaches: Breaches, place: PolicyPlace, shipped: Policy) -> None:
        self._world = world
        self._breaches = breaches
        self._place = place
        self._shipped = shipped

    def lines(self) -> tuple[SettingLine, ...]:
        """Tell every setting. Raises RefusedError session.locked, access.not-your-role."""
        self._world.require(Role.ADMINISTRATOR, Role.SUPERVISOR)
        return self._lines(self._place.policy_text)

    def changes(self, policy_text: str) -> tuple[SettingChange, ...]:
        """Tell what laying this policy would change, in the order of the settings; nothing is written.

        Args:
            policy_text: TOML, at most 64 KiB; empty leaves what the product ships.

        Raises:
            RefusedError: session.locked, access.not-your-role, policy.unreadable, policy.unknown, policy.out-of-bounds, policy.wrong-value.
        Audit: access.refused when the role is wrong.
        """
        self._world.require(Role.SUPERVISOR)
        return self._changes(policy_text)

    def lay(self, policy_text: str, reason: str) -> BreachNotice | None:
        """Make this the station's own policy, from the next opening on.

        Args:
            policy_text: as for `changes`.
            reason: at least ten characters; the supervisors read it.
        Returns:
            the report that tells the supervisors; None where nothing changes, and nothing was written.

        Raises:
            RefusedError: as `changes`, and policy.reason-missing; nothing was written.
            UnavailableError: storage.*, header.*; the policy of before stands, and that another was asked for is recorded.
            TamperError: header.altered.
        Audit: policy.changed, breach.recorded or breach.joined.
        """
        world = self._world
        world.require(Role.SUPERVISOR)
        changes = self._changes(policy_text)
        reason = " ".join(reason.split())
        if not changes:
            return None
        if not is_reason(reason):
            raise RefusedError("policy.reason-missing")
        said = {one.name: f"{one.before}{_ARROW}{one.after}" for one in changes}
        told = [(name, "changed" if name in _WORDS else values) for name, values in said.items()]
        sealed = world.seal_to_supervisors(reason.encode(), "policy-reason").hex()
        world.store.append_audit(replace(world.draft(AuditKind.POLICY_CHANGED), facts=(*told, ("reason_sealed", sealed))))
        each = (FACT_MOST_CHARACTERS - len(_ARROW)) // 2  # of a long value, too, what it was and what it is
        shown = [(one.name, f"{shortened(one.before, each)}{_ARROW}{shortened(one.after, each)}") for one in changes]
        notice = self._breaches.record(Signal(SignalKind.POLICY_CHANGED, world.clock.now_us(), (*shown, ("reason", reason))))
        self._place.keep_policy(policy_text)
        return notice

    def _lines(self, policy_text: str) -> tuple[SettingLine, ...]:
        own = own_settings(policy_text)
        shipped = {one.name: _toml(getattr(self._shipped, one.name)) for one in fields(Policy)}
        return tuple(SettingLine(name, _toml(own[name]) if name in own else value, name in own, value) for name, value in shipped.items())

    def _changes(self, policy_text: str) -> tuple[SettingChange, ...]:
        if len(policy_text.encode()) > _LARGEST_BYTES:
            raise RefusedError("policy.unreadable")
        policy_from(own_settings(policy_text), self._shipped)
        pairs = zip(self._lines(self._place.policy_text), self._lines(policy_text), strict=True)
        return tuple(
            SettingChange(before.name, before.value, after.value, before.own, after.own)
            for before, after in pairs
            if (before.value, before.own) != (after.value, after.own)
        )


def own_settings(policy_text: str) -> dict[str, object]:
    """Read a station's own settings, TOML. Raises RefusedError policy.unreadable; what they say is `policy_from`'s to judge."""
    try:
        return tomllib.loads(policy_text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError("policy.unreadable") from error


def _toml(value: object) -> str:
    """Write a setting's value on one line of TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _toml(asdict(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(str(name))} = {_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value)


def _quoted(text: str) -> str:
    """A basic string of TOML; what a terminal could take for a command, or does not show, is escaped."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in plain) + '"'
