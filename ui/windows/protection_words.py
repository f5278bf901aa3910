"""Protections in words: what each does on this workstation now, and what it does not.

Pure. Two sentences each, by its state; the reason is said where a protection is not what it could be.
"""

from __future__ import annotations

from collections.abc import Iterable

from ui import strings
from ui.theme import Tone
from ui.widgets.protection_strip import ShownProtection
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus, TrustLevel

_PREMISES_TONE = {ProtectionState.ENFORCED: Tone.PROVEN, ProtectionState.DETECTED: Tone.PLAIN, ProtectionState.UNAVAILABLE: Tone.ATTENTION}
_TRUST_TONE = {TrustLevel.FULL: Tone.PLAIN, TrustLevel.REDUCED: Tone.ATTENTION, TrustLevel.LOW: Tone.BREACH}


def chips(statuses: Iterable[ProtectionStatus]) -> list[ShownProtection]:
    """Give the strip's chips, in the domain's order."""
    return [_chip(status) for status in statuses]


def _chip(status: ProtectionStatus) -> ShownProtection:
    key, state = status.protection.value, status.state.value
    reason = f"protection_reason.{status.reason}"
    limit = strings.text(f"protection.{key}.limit")
    if strings.has_text(reason) and status.state is not ProtectionState.ENFORCED:
        limit = f"{limit} {strings.text(reason)}"
    return ShownProtection(
        key=key,
        name=strings.text(f"protection.{key}.name"),
        state=status.state,
        does=strings.text(f"protection.{key}.{state}"),
        limit=limit,
    )


def trust(level: TrustLevel) -> tuple[str, Tone]:
    """Say how far this workstation can be trusted to have what it had."""
    return strings.text(f"protection.trust_{level.name.lower()}"), _TRUST_TONE[level]


def premises(statuses: Iterable[ProtectionStatus]) -> tuple[str, Tone]:
    """Say whether this workstation stands on the premises, as far as it is known."""
    for status in statuses:
        if status.protection is Protection.PREMISES:
            return strings.text(f"sign_in.premises_{status.state.value}"), _PREMISES_TONE[status.state]
    return "", Tone.PLAIN
