"""What came of an attempt on something shut, as a line of an attack table states it."""

from __future__ import annotations

from collections.abc import Callable

from vault.errors import VaultError


def outcome(attack: Callable[[], object]) -> str:
    """Give the error and code the attack is refused with, or say that it opens."""
    try:
        attack()
    except VaultError as refusal:
        return f"{type(refusal).__name__} {refusal.code}"
    return "opens"
